//! Clients, from the command line and the AWS environment, or from the file of a simulated
//! organization.

use std::env;
use std::path::Path;

use clap::CommandFactory;
use clap::error::ErrorKind as UsageKind;
use ssm_organizations::aws::{AwsClient, AwsClientLoader};
use ssm_organizations::ports::Client;
use ssm_organizations::{Error, ErrorKind, Region, Remedy};

use crate::cli::{Cli, Command, Connection};
use crate::console::printable;
use crate::report::CliError;
use crate::simulate::SimulatedOrganization;

/// Clients of the accounts, and the Regions that may hold data syncs.
pub(crate) struct Access {
    pub(crate) management: Box<dyn Client>,
    pub(crate) others: Vec<Box<dyn Client>>,
    pub(crate) regions: Vec<Region>,
}

/// Creates the clients of the command. The outer error is a usage error.
pub(crate) async fn access(
    connection: &Connection,
    command: &Command,
) -> Result<Result<Access, CliError>, clap::Error> {
    if let Some(path) = &connection.simulate {
        let regions = simulated_regions(connection)?;
        return Ok(simulated_access(path, regions).await);
    }
    aws_access(connection, command).await.map_or_else(refusal, |access| Ok(Ok(access)))
}

/// Creates clients with the settings and credentials of the AWS environment.
async fn aws_access(connection: &Connection, command: &Command) -> Result<Access, Error> {
    let mut loader = AwsClient::loader();
    if let Some(url) = &connection.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    let management = match &connection.profile {
        Some(profile) => loader.clone().profile(profile),
        None => loader.clone(),
    };
    // Calls are made in the first Region.
    let regions = match connection.regions.as_slice() {
        [] => vec![management.load_region().await?],
        regions => regions.to_vec(),
    };
    let in_region = |loader: AwsClientLoader| match regions.first() {
        Some(region) => loader.region(region.clone()),
        None => loader,
    };
    let management = in_region(management).load().await?;
    let mut others: Vec<Box<dyn Client>> = Vec::new();
    for profile in command.other_profiles() {
        others.push(Box::new(in_region(loader.clone()).profile(profile).load().await?));
    }
    Ok(Access { management: Box::new(management), others, regions })
}

/// Returns a usage error for an invalid setting, and the error of the command for missing
/// credentials.
fn refusal(error: Error) -> Result<Result<Access, CliError>, clap::Error> {
    match error.kind() {
        ErrorKind::InvalidConfiguration if error.remedy() == Some(Remedy::ConfigureRegion) => Err(no_region()),
        ErrorKind::InvalidConfiguration => Err(usage_error(&error)),
        _ => Ok(Err(error.into())),
    }
}

/// Creates clients of all simulated accounts.
async fn simulated_access(path: &Path, regions: Vec<Region>) -> Result<Access, CliError> {
    let (organization, is_new) = SimulatedOrganization::open(path.to_owned())?;
    let members = organization.members().await?;
    if is_new {
        members.announce(path);
    }
    let mut others: Vec<Box<dyn Client>> = Vec::new();
    for account in members.others {
        others.push(Box::new(organization.client(account).await));
    }
    Ok(Access { management: Box::new(organization.client(members.management).await), others, regions })
}

/// Returns a usage error for input that only the library can reject.
pub(crate) fn usage_error(why: &impl std::fmt::Display) -> clap::Error {
    Cli::command().error(UsageKind::ValueValidation, printable(&why.to_string()))
}

fn no_region() -> clap::Error {
    let message = "no Region: pass --region, set AWS_REGION, or set a Region in the profile";
    Cli::command().error(UsageKind::MissingRequiredArgument, message)
}

/// Returns the Regions of the command line, or else the Region of the environment variables.
///
/// Reads no profile and makes no call.
pub(crate) fn simulated_regions(connection: &Connection) -> Result<Vec<Region>, clap::Error> {
    if !connection.regions.is_empty() {
        return Ok(connection.regions.clone());
    }
    let found = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| env::var(name).ok());
    environment_region(found.as_deref().unwrap_or("us-east-1"))
}

fn environment_region(region: &str) -> Result<Vec<Region>, clap::Error> {
    let region =
        Region::new(region).map_err(|invalid| usage_error(&format!("the AWS environment's Region: {invalid}")))?;
    Ok(vec![region])
}
