//! Clients, from the command line and the AWS environment, or from the file of a pretend organization.

use std::env;
use std::path::Path;
use std::time::Duration;

use aws_config::default_provider::region;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region as SdkRegion};
use clap::CommandFactory;
use clap::error::ErrorKind;
use ssm_organizations::aws::aws_types::sdk_config::SharedHttpClient;
use ssm_organizations::aws::{AwsClient, default_http_client};
use ssm_organizations::ports::Client;
use ssm_organizations::{AccountId, Region};

use crate::cli::{Cli, Command, Connection};
use crate::console::complain;
use crate::report::Complaint;
use crate::simulate::{Members, Pretence};

/// Whose credentials there are, and where data syncs may be.
pub(crate) struct Access {
    pub(crate) management: Box<dyn Client>,
    pub(crate) others: Vec<Box<dyn Client>>,
    /// Which of them is the administrator's.
    pub(crate) administrator: Option<usize>,
    /// And which the one's that is to be.
    pub(crate) successor: Option<usize>,
    pub(crate) regions: Vec<Region>,
}

/// The clients of the command. The outer error is one of usage.
pub(crate) async fn access(
    connection: &Connection,
    command: &Command,
) -> Result<Result<Access, Complaint>, clap::Error> {
    if let Some(path) = &connection.simulate {
        let regions = pretend_regions(connection)?;
        return Ok(pretend(path, command, regions).await);
    }
    let regions = regions(connection).await?;
    let (profiles, successor) = command.other_profiles();
    let mut others: Vec<Box<dyn Client>> = Vec::new();
    let home = regions.first().cloned();
    let Some(home) = home else { return Err(no_region()) };
    let http = default_http_client();
    for profile in profiles.iter().chain(successor) {
        others.push(Box::new(client(connection, Some(profile), &home, http.as_ref()).await));
    }
    Ok(Ok(Access {
        management: Box::new(client(connection, connection.profile.as_deref(), &home, http.as_ref()).await),
        administrator: (!profiles.is_empty()).then_some(0),
        successor: successor.map(|_| profiles.len()),
        others,
        regions,
    }))
}

/// Everybody's clients. A profile that is an account's id is that account's.
async fn pretend(path: &Path, command: &Command, regions: Vec<Region>) -> Result<Access, Complaint> {
    let (pretence, is_new) = Pretence::open(path.to_owned())?;
    let Members { management, others, administrator } = pretence.members().await?;
    if is_new {
        let members: Vec<_> = others.iter().map(ToString::to_string).collect();
        let members = members.join(" and ");
        complain(format_args!(
            "made {}: a pretend organization with management account {management} and members {members}\n",
            path.display()
        ));
    }
    let (profiles, _) = command.other_profiles();
    let named = profiles.first().and_then(|profile| profile.parse::<AccountId>().ok());
    let successor = match command {
        Command::Onboard(order) => Some(order.admin),
        Command::Replace(order) => Some(order.admin),
        _ => None,
    };
    let administrator = named.or(match command {
        Command::Onboard(order) => Some(order.admin),
        _ => administrator,
    });
    let place = |of: Option<AccountId>| others.iter().position(|account| Some(*account) == of);
    Ok(Access {
        management: Box::new(pretence.client(management)),
        administrator: place(administrator),
        successor: place(successor),
        others: others.iter().map(|account| Box::new(pretence.client(*account)) as Box<dyn Client>).collect(),
        regions,
    })
}

/// An error of usage that only the library finds.
pub(crate) fn misuse(why: &impl std::fmt::Display) -> clap::Error {
    Cli::command().error(ErrorKind::ValueValidation, why)
}

fn no_region() -> clap::Error {
    let advice = "no Region: give --region, or set AWS_REGION, or one in the profile";
    Cli::command().error(ErrorKind::MissingRequiredArgument, advice)
}

/// Those of the command line, or else the one of the AWS environment. Calls are made in the first.
async fn regions(connection: &Connection) -> Result<Vec<Region>, clap::Error> {
    if !connection.regions.is_empty() {
        return Ok(connection.regions.clone());
    }
    let mut provider = region::Builder::default();
    if let Some(profile) = &connection.profile {
        provider = provider.profile_name(profile);
    }
    let found = provider.build().region().await.ok_or_else(no_region)?;
    environments(found.as_ref())
}

/// The same without looking further than the environment's variables.
fn pretend_regions(connection: &Connection) -> Result<Vec<Region>, clap::Error> {
    if !connection.regions.is_empty() {
        return Ok(connection.regions.clone());
    }
    let found = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| env::var(name).ok());
    environments(found.as_deref().unwrap_or("us-east-1"))
}

fn environments(region: &str) -> Result<Vec<Region>, clap::Error> {
    let region = Region::new(region).map_err(|invalid| misuse(&format!("the AWS environment's Region: {invalid}")))?;
    Ok(vec![region])
}

/// A client with this profile's credentials, or else with those of the environment.
async fn client(
    connection: &Connection,
    profile: Option<&str>,
    region: &Region,
    http: Option<&SharedHttpClient>,
) -> AwsClient {
    let region = SdkRegion::new(region.as_str().to_owned());
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).region(region.clone()).timeout_config(timeouts());
    // Whoever asks for credentials asks through it too.
    if let Some(http) = http {
        loader = loader.http_client(http.clone());
    }
    if let Some(url) = &connection.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(profile) = profile {
        // The SDK's default chain would prefer credentials in the environment to a profile that was asked for.
        let mut settings = ProviderConfig::without_region().with_region(Some(region)).with_timeout_config(timeouts());
        if let Some(http) = http {
            settings = settings.with_http_client(http.clone());
        }
        let credentials = ProfileFileCredentialsProvider::builder().configure(&settings).profile_name(profile).build();
        loader = loader.profile_name(profile).credentials_provider(credentials);
    }
    AwsClient::new(&loader.load().await)
}

/// So that an endpoint that does not answer ends the command. The SDK tries a read three times, or as often as `AWS_MAX_ATTEMPTS` says, which a limit
/// for all of them together would take back.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(10))
        .build()
}
