//! The command line.

use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};
use http::Uri;
use ssm_organizations::ports::{OrganizationalUnits, SourceRegions, SyncDefinition};
use ssm_organizations::{AccountId, Error, OrganizationalUnitId, Region, SyncName};

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
    /// Show the organization, what it lets Systems Manager do, and Explorer's role and data syncs
    ///
    /// An account sees only its own data syncs. What cannot be read is shown as unknown, with the reason.
    #[command(after_help = "Example:\n  ssm-org status --profile management --admin-profile administrator")]
    Status(Status),
    /// Trust Systems Manager in the organization, and make a member account its administrator
    ///
    /// Does what is missing, in the order that AWS asks for: trusted access, the administrator, the role, the data sync; the last two
    /// only where they are asked for. Where another account administers Systems Manager already, it refuses and takes nothing away.
    #[command(after_help = ONBOARD_EXAMPLES)]
    Onboard(Onboard),
    /// Make another account the administrator instead
    ///
    /// AWS has no such call: the delegation is taken from the one account and given to the other, and AWS deletes the old
    /// administrator's data syncs of the organization. With both profiles they are carried over, from each --region; without, this
    /// looks for them and refuses while one remains. Where no account administers, as after a run that was cut short, the new one is made
    /// the administrator.
    #[command(after_help = REPLACE_EXAMPLES)]
    Replace(Replace),
    /// Take the administrator's delegation back, and trust Systems Manager no longer
    ///
    /// Without trusted access, Explorer's resource data syncs of the organization stop working, and those of the administrator are
    /// deleted with its delegation. So this looks for them first, in each --region, and refuses while one remains that was not named
    /// for deletion. An account sees only its own syncs: where there is an administrator, looking takes credentials of that account too
    /// (--admin-profile).
    #[command(after_help = OFFBOARD_EXAMPLES)]
    Offboard(Offboard),
}

impl Command {
    /// Refuses what the definition of the options cannot.
    pub(crate) fn check(&self) -> Result<(), clap::Error> {
        match self {
            // With nothing to delete there, to look and not to look would be meant at once.
            Self::Offboard(Offboard { forfeit_syncs: true, admin_profile: Some(_), delete_syncs, .. })
                if delete_syncs.is_empty() =>
            {
                let refusal = "--admin-profile has no use with --forfeit-syncs, unless --delete-sync names a sync";
                Err(Cli::command().error(ErrorKind::ArgumentConflict, refusal))
            }
            _ => Ok(()),
        }
    }

    /// The profiles of other accounts than the management account: the administrator's, and its successor's.
    pub(crate) fn other_profiles(&self) -> (Option<&String>, Option<&String>) {
        match self {
            Self::Status(order) => (order.admin_profile.as_ref(), None),
            Self::Onboard(order) => (order.sync.admin_profile.as_ref(), None),
            Self::Replace(order) => (order.admin_profile.as_ref(), order.new_admin_profile.as_ref()),
            Self::Offboard(order) => (order.admin_profile.as_ref(), None),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Take the administrator account's credentials from this profile, to show its data syncs too
    #[arg(long, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_profile: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Onboard {
    /// The member account that is to administer Systems Manager
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) admin: AccountId,
    /// Make the service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery`, in the management account: data syncs of the
    /// organization run on it
    #[arg(long)]
    pub(crate) role: bool,
    #[command(flatten)]
    pub(crate) sync: SyncOptions,
}

/// Explorer's data sync of the organization.
#[derive(Debug, Args)]
#[command(next_help_heading = "Data sync, made in each --region or changed in place")]
pub(crate) struct SyncOptions {
    /// Make a data sync of this name, of the whole organization
    #[arg(long = "sync", value_name = "NAME", value_parser = own_sync)]
    pub(crate) name: Option<SyncName>,
    /// Only the accounts in this organizational unit, or in several, repeated or separated by commas
    #[arg(long = "sync-ou", value_name = "OU", value_delimiter = ',', requires = "name")]
    pub(crate) units: Vec<OrganizationalUnitId>,
    /// The Region that the sync collects from, or several, repeated or separated by commas [default: those of --region]
    #[arg(long = "source-region", value_name = "REGION", value_delimiter = ',', requires = "name")]
    pub(crate) source_regions: Vec<Region>,
    /// Collect from Regions that AWS opens later, too
    #[arg(long, requires = "name")]
    pub(crate) future_regions: bool,
    /// Make the sync in the administrator's account, with credentials from this profile, and not in the management account; in an
    /// opt-in Region only the management account may have one
    #[arg(long, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new(), requires = "name")]
    pub(crate) admin_profile: Option<String>,
    /// AWS CHARGES FOR THIS IN EVERY MEMBER ACCOUNT: let the sync switch every source of OpsData on in each of them. Deleting the
    /// sync does not switch them off again
    #[arg(long, requires = "name")]
    pub(crate) enable_all_ops_data_sources: bool,
}

impl SyncOptions {
    /// What the sync is to be, in these home Regions; `None` where none is asked for.
    pub(crate) fn definition(&self, home: &[Region]) -> Result<Option<SyncDefinition>, Error> {
        let Some(name) = self.name.clone() else { return Ok(None) };
        let regions = if self.source_regions.is_empty() { home } else { &self.source_regions };
        let regions = SourceRegions::new(regions.iter().cloned())?;
        let mut definition = if self.units.is_empty() {
            SyncDefinition::of_organization(name, regions)
        } else {
            SyncDefinition::of_units(name, OrganizationalUnits::new(self.units.iter().cloned())?, regions)
        };
        if self.future_regions {
            definition = definition.including_future_regions();
        }
        if self.enable_all_ops_data_sources {
            definition = definition.enabling_all_ops_data_sources();
        }
        Ok(Some(definition))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Replace {
    /// The member account that is to administer Systems Manager from now on
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) admin: AccountId,
    /// Take the old administrator's credentials from this profile, to see its data syncs
    #[arg(long, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_profile: Option<String>,
    /// Take the new administrator's credentials from this profile, to carry the data syncs over: they are made anew there, so what
    /// they had collected starts again
    #[arg(
        long,
        value_name = "PROFILE",
        value_parser = NonEmptyStringValueParser::new(),
        requires = "admin_profile"
    )]
    pub(crate) new_admin_profile: Option<String>,
    /// Do not look for data syncs: AWS may delete those of the old administrator
    #[arg(long, conflicts_with = "admin_profile")]
    pub(crate) forfeit_syncs: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Offboard {
    /// First delete the data syncs of this name in each --region, in the management account and, with --admin-profile, in the
    /// administrator's; may be repeated. A sync of another name is left alone
    #[arg(long = "delete-sync", value_name = "NAME", value_parser = own_sync)]
    pub(crate) delete_syncs: Vec<SyncName>,
    /// At the end, delete the service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery`, and wait until AWS has done so
    #[arg(long, visible_alias = "role")]
    pub(crate) delete_role: bool,
    /// Take the administrator account's credentials from this profile, to look for its data syncs, and delete those named
    #[arg(long, value_name = "PROFILE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) admin_profile: Option<String>,
    /// Do not look for data syncs: AWS may break or delete those that are not named
    #[arg(long)]
    pub(crate) forfeit_syncs: bool,
}

/// Where AWS is, and who calls.
#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// Send every call to this URL instead of to AWS
    #[arg(long, global = true, value_name = "URL", value_parser = endpoint)]
    pub(crate) endpoint_url: Option<String>,
    /// The Region to make calls in, or several, repeated or separated by commas: calls are made in the first, and data syncs are
    /// shown, looked for, made and deleted in all of them
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
  ssm-org replace --admin 333333333333
  ssm-org offboard --admin-profile administrator --region eu-central-1,us-east-1";

const ONBOARD_EXAMPLES: &str = "\
Examples:
  ssm-org onboard --admin 222222222222 --profile management
  ssm-org onboard --admin 222222222222 --role --sync all-accounts --region eu-central-1
  ssm-org onboard --admin 222222222222 --role --admin-profile administrator --region eu-central-1 \\
    --sync workloads --sync-ou ou-examplerootid-exampleouid --source-region eu-central-1,us-east-1";

const REPLACE_EXAMPLES: &str = "\
Examples:
  ssm-org replace --admin 333333333333 --admin-profile old --new-admin-profile new
  ssm-org replace --admin 333333333333 --forfeit-syncs";

const OFFBOARD_EXAMPLES: &str = "\
Examples:
  ssm-org offboard --admin-profile administrator --region eu-central-1,us-east-1
  ssm-org offboard --admin-profile administrator --delete-sync all-accounts --delete-role
  ssm-org offboard --profile management --forfeit-syncs";

/// The name of a sync that is nobody else's to look after.
fn own_sync(text: &str) -> Result<SyncName, String> {
    let name = SyncName::new(text).map_err(|invalid| invalid.to_string())?;
    if name.is_foreign() { Err("another AWS service looks after the sync of that name".to_owned()) } else { Ok(name) }
}

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

    use ssm_organizations::Region;
    use ssm_organizations::ports::SyncSource;

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
            "ssm-org onboard --admin 222222222222 --sync all --sync-ou r-root",
            "ssm-org onboard --admin 222222222222 --sync AWS-QuickSetup-all",
            "ssm-org offboard --delete-sync InspectorResourceDataSync-do-not-delete",
        ] {
            assert_eq!(parse(line).unwrap_err(), ErrorKind::ValueValidation, "{line}");
        }
    }

    #[test]
    fn forfeiting_and_looking_exclude_each_other() {
        for (line, sound) in [
            ("ssm-org offboard --forfeit-syncs --admin-profile administrator", false),
            ("ssm-org offboard --forfeit-syncs --admin-profile administrator --delete-sync all", true),
            ("ssm-org offboard --forfeit-syncs --delete-role", true),
        ] {
            assert_eq!(parse(line).unwrap().command.check().is_ok(), sound, "{line}");
        }
        let refusal = parse("ssm-org replace --admin 333333333333 --forfeit-syncs --admin-profile administrator");
        assert_eq!(refusal.unwrap_err(), ErrorKind::ArgumentConflict);
    }

    #[test]
    fn what_is_said_of_a_sync_needs_one() {
        for option in [
            "--sync-ou ou-root-exampleid",
            "--source-region eu-central-1",
            "--future-regions",
            "--admin-profile administrator",
            "--enable-all-ops-data-sources",
        ] {
            let line = format!("ssm-org onboard --admin 222222222222 {option}");
            assert_eq!(parse(&line).unwrap_err(), ErrorKind::MissingRequiredArgument, "{line}");
            assert!(parse(&format!("{line} --sync all")).is_ok(), "{line}");
        }
        let refusal = parse("ssm-org replace --admin 333333333333 --new-admin-profile new").unwrap_err();
        assert_eq!(refusal, ErrorKind::MissingRequiredArgument);
    }

    #[test]
    fn a_sync_says_what_it_is_told_and_no_more() {
        let home = [Region::new("eu-central-1").unwrap(), Region::new("us-east-1").unwrap()];
        let sync = |options: &str| {
            let line = format!("ssm-org onboard --admin 222222222222{options}");
            let Command::Onboard(order) = parse(&line).unwrap().command else { panic!("another command") };
            order.sync.definition(&home).unwrap()
        };
        assert_eq!(sync(""), None);
        let plain = sync(" --sync all").unwrap();
        assert_eq!((plain.name().as_str(), plain.source()), ("all", &SyncSource::EntireOrganization));
        assert_eq!(plain.regions(), home);
        assert!(!plain.includes_future_regions() && !plain.enables_all_ops_data_sources());

        let full = sync(
            " --sync units --sync-ou ou-root-exampleid,ou-root-exampletoo --sync-ou ou-root-examplemore \
             --source-region eu-west-1 --source-region eu-west-2 --future-regions --enable-all-ops-data-sources",
        )
        .unwrap();
        let SyncSource::OrganizationalUnits(units) = full.source() else { panic!("the whole organization") };
        assert_eq!((units.as_slice().len(), full.regions().len()), (3, 2));
        assert!(full.includes_future_regions() && full.enables_all_ops_data_sources());
    }

    #[test]
    fn the_role_goes_by_either_name() {
        for option in ["--role", "--delete-role"] {
            let Command::Offboard(order) = parse(&format!("ssm-org offboard {option}")).unwrap().command else {
                panic!("another command")
            };
            assert!(order.delete_role, "{option}");
        }
    }

    #[test]
    fn protecting_is_the_default() {
        let Command::Offboard(offboard) = parse("ssm-org offboard").unwrap().command else { panic!("another command") };
        assert!(!offboard.forfeit_syncs && !offboard.delete_role && offboard.delete_syncs.is_empty());
    }
}
