//! The command line.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand};
use http::Uri;
use ssm_organizations::{AccountId, Region};

/// Puts AWS Systems Manager to work across an AWS Organizations organization, and takes it back out again.
///
/// Run it with credentials of the organization's management account. A second run of the same command finds nothing to do and
/// changes nothing.
#[derive(Debug, Parser)]
#[command(name = "ssm-org", after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the organization and what it lets Systems Manager do
    #[command(after_help = "Example:\n  ssm-org status --profile management")]
    Status,
    /// Trust Systems Manager in the organization, and make a member account its administrator
    ///
    /// Does what is missing, in the order that AWS asks for. Where another account administers Systems Manager already, it
    /// refuses and takes nothing away.
    #[command(after_help = "Example:\n  ssm-org onboard --admin 222222222222 --profile management")]
    Onboard {
        /// The member account that is to administer Systems Manager
        #[arg(long, value_name = "ACCOUNT")]
        admin: AccountId,
    },
    /// Take the administrator's delegation back, and trust Systems Manager no longer
    ///
    /// Without trusted access, Explorer's resource data syncs of the organization stop working, and those of the administrator are
    /// deleted with its delegation. So this looks for them first, in each --region, and refuses while one remains. An account
    /// sees only its own syncs: where there is an administrator, looking takes credentials of that account too (--admin-profile).
    #[command(after_help = OFFBOARD_EXAMPLES)]
    Offboard(Offboard),
}

#[derive(Debug, Args)]
pub(crate) struct Offboard {
    /// Take the administrator account's credentials from this profile, to look for its data syncs
    #[arg(long, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_profile: Option<String>,
    /// Do not look for data syncs: AWS may break or delete them
    #[arg(long, conflicts_with = "admin_profile")]
    pub(crate) forfeit_syncs: bool,
}

/// Where AWS is, and who calls.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Send every call to this URL instead of to AWS
    #[arg(long, global = true, value_name = "URL", value_parser = endpoint)]
    pub(crate) endpoint_url: Option<String>,
    /// The Region to make calls in, or several, repeated or separated by commas: calls are made in the first, and offboard looks
    /// for data syncs in all of them
    #[arg(long = "region", global = true, value_name = "REGION", value_delimiter = ',')]
    pub(crate) regions: Vec<Region>,
    /// Take credentials and settings from this profile, whatever credentials the environment holds
    #[arg(long, global = true, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) profile: Option<String>,
}

const AFTER_HELP: &str = "\
What the options leave open comes from the usual AWS environment: AWS_REGION, AWS_PROFILE,
AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, ~/.aws/config and the rest.

Exit status:
  0  the organization is in the wanted state
  1  it is not, or that is not known; the standard error says why
  2  bad usage; no call was made

Examples:
  ssm-org status
  ssm-org onboard --admin 222222222222
  ssm-org offboard --admin-profile administrator --region eu-central-1,us-east-1";

const OFFBOARD_EXAMPLES: &str = "\
Examples:
  ssm-org offboard --admin-profile administrator --region eu-central-1,us-east-1
  ssm-org offboard --profile management --forfeit-syncs";

/// An absolute URL: checked here, because the SDK would say so only at the first call.
fn endpoint(text: &str) -> Result<String, String> {
    let usable = text.parse::<Uri>().is_ok_and(|uri| {
        let has_scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        // A port that is no number leaves something behind the host.
        let port_is_sound = uri.authority().is_some_and(|authority| {
            let host_and_port = authority.as_str().rsplit('@').next().unwrap_or_default();
            authority.port_u16().is_some() || host_and_port == authority.host()
        });
        has_scheme && has_host && port_is_sound && uri.query().is_none()
    });
    if usable { Ok(text.to_owned()) } else { Err("expected a URL such as http://127.0.0.1:5000".to_owned()) }
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;
    use clap::{CommandFactory, Parser};

    use super::{Cli, Command};

    fn parse(line: &str) -> Result<Cli, ErrorKind> {
        Cli::try_parse_from(line.split(' ')).map_err(|error| error.kind())
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn regions_repeat_and_list_and_stand_on_either_side_of_the_command() {
        for line in [
            "ssm-org status --region eu-central-1,us-east-1 --region eu-west-1",
            "ssm-org --region eu-central-1 --region us-east-1,eu-west-1 status",
        ] {
            let cli = parse(line).unwrap();
            let regions: Vec<_> = cli.connection.regions.iter().map(AsRef::as_ref).collect();
            assert_eq!(regions, ["eu-central-1", "us-east-1", "eu-west-1"], "{line}");
        }
        assert!(parse("ssm-org status").unwrap().connection.regions.is_empty());
    }

    #[test]
    fn endpoints_are_absolute_urls() {
        for sound in ["http://127.0.0.1:5000", "http://[::1]:5000", "https://localhost", "https://example.com/prefix"] {
            let cli = parse(&format!("ssm-org status --endpoint-url {sound}")).unwrap();
            assert_eq!(cli.connection.endpoint_url.as_deref(), Some(sound));
        }
        for malformed in
            ["localhost:5000", "/path", "ftp://localhost", "http://", "http://host:port", "http://host:99999", "x"]
        {
            let refusal = parse(&format!("ssm-org status --endpoint-url {malformed}")).unwrap_err();
            assert_eq!(refusal, ErrorKind::ValueValidation, "{malformed}");
        }
    }

    #[test]
    fn malformed_values_are_refused() {
        for line in [
            "ssm-org onboard --admin 22222222222",
            "ssm-org onboard --admin 22222222222x",
            "ssm-org onboard --admin admin@example.com",
            "ssm-org status --region EU_central",
            "ssm-org status --region eu-central-1,,us-east-1",
        ] {
            assert_eq!(parse(line).unwrap_err(), ErrorKind::ValueValidation, "{line}");
        }
    }

    #[test]
    fn forfeiting_and_looking_exclude_each_other() {
        let refusal = parse("ssm-org offboard --forfeit-syncs --admin-profile administrator").unwrap_err();
        assert_eq!(refusal, ErrorKind::ArgumentConflict);
    }

    #[test]
    fn protecting_is_the_default() {
        let Command::Offboard(offboard) = parse("ssm-org offboard").unwrap().command else { panic!("another command") };
        assert!(!offboard.forfeit_syncs);
    }
}
