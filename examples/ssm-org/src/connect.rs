//! Clients, from the command line and the AWS environment.

use std::time::Duration;

use aws_config::default_provider::region;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region as SdkRegion};
use clap::CommandFactory;
use clap::error::ErrorKind;
use ssm_organizations::Region;
use ssm_organizations::aws::AwsClient;

use crate::cli::{Cli, Connection};

/// The Regions that the command is about.
pub(crate) struct Regions {
    /// Where calls are made.
    pub(crate) home: Region,
    /// Where data syncs are looked for.
    pub(crate) all: Vec<Region>,
}

/// Those of the command line, or else the one of the AWS environment.
pub(crate) async fn regions(connection: &Connection) -> Result<Regions, clap::Error> {
    if let [home, ..] = connection.regions.as_slice() {
        return Ok(Regions { home: home.clone(), all: connection.regions.clone() });
    }
    let mut provider = region::Builder::default();
    if let Some(profile) = &connection.profile {
        provider = provider.profile_name(profile);
    }
    let Some(found) = provider.build().region().await else {
        let advice = "no Region: give --region, or set AWS_REGION, or one in the profile";
        return Err(Cli::command().error(ErrorKind::MissingRequiredArgument, advice));
    };
    match Region::new(found.as_ref()) {
        Ok(home) => Ok(Regions { all: vec![home.clone()], home }),
        Err(invalid) => {
            Err(Cli::command().error(ErrorKind::ValueValidation, format!("the AWS environment's Region: {invalid}")))
        }
    }
}

/// A client with this profile's credentials, or else with those of the environment.
pub(crate) async fn client(connection: &Connection, profile: Option<&str>, region: &Region) -> AwsClient {
    let region = SdkRegion::new(region.as_str().to_owned());
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).region(region.clone()).timeout_config(timeouts());
    if let Some(url) = &connection.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(profile) = profile {
        // The SDK's default chain would prefer credentials in the environment to a profile that was asked for.
        let settings = ProviderConfig::without_region().with_region(Some(region)).with_timeout_config(timeouts());
        let credentials = ProfileFileCredentialsProvider::builder().configure(&settings).profile_name(profile).build();
        loader = loader.profile_name(profile).credentials_provider(credentials);
    }
    AwsClient::new(&loader.load().await)
}

/// So that an endpoint that does not answer ends the command. The SDK tries a read three times.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(10))
        .operation_timeout(Duration::from_secs(30))
        .build()
}
