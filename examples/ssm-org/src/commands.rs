//! What each command does, on the typed API.

use ssm_organizations::aws::AwsClient;
use ssm_organizations::ports::SystemsManagerClient;
use ssm_organizations::{AccountId, Error, Failure, Integration, Observed, Recovered, Syncs};

use crate::cli::{Cli, Command, Offboard};
use crate::connect::{self, Regions};
use crate::report;

/// What there is to say at the end.
pub(crate) struct Outcome {
    /// For the standard output.
    pub(crate) lines: String,
    /// Why the organization is not in the wanted state, or may not be.
    pub(crate) error: Option<Error>,
}

type Seen<'a> = Observed<&'a AwsClient>;

/// Does what the command line says. An error is one of usage, found before any call.
pub(crate) async fn run(cli: &Cli) -> Result<Outcome, clap::Error> {
    let Cli { command, connection } = cli;
    let Regions { home, all } = connect::regions(connection).await?;
    let client = connect::client(connection, connection.profile.as_deref(), &home).await;

    let outcome = match command {
        Command::Status => status(&client).await,
        Command::Onboard { admin } => onboard(&client, admin).await,
        Command::Offboard(Offboard { forfeit_syncs: true, .. }) => offboard(&client, Syncs::Forfeit).await,
        Command::Offboard(Offboard { admin_profile, .. }) => {
            let administrator = match admin_profile {
                Some(profile) => Some(connect::client(connection, Some(profile), &home).await),
                None => None,
            };
            let mut ssm: Vec<&dyn SystemsManagerClient> = vec![&client];
            ssm.extend(administrator.iter().map(|client| client as &dyn SystemsManagerClient));
            offboard(&client, Syncs::Protect { ssm: &ssm, regions: &all }).await
        }
    };
    Ok(outcome.unwrap_or_else(|error| Outcome { lines: String::new(), error: Some(error) }))
}

async fn status(client: &AwsClient) -> Result<Outcome, Error> {
    let seen = Integration::new(client).observe().await?;
    Ok(Outcome { lines: report::status(&seen), error: None })
}

async fn onboard(client: &AwsClient, admin: &AccountId) -> Result<Outcome, Error> {
    let seen = Integration::new(client).observe().await?;
    let walk = seen.ensure_delegated(admin).await.map(Observed::from);
    let wanted = |seen: &Seen<'_>| matches!(seen, Observed::Delegated(now) if now.administrator().account == *admin);
    Ok(conclude(walk, wanted).await)
}

async fn offboard(client: &AwsClient, syncs: Syncs<'_>) -> Result<Outcome, Error> {
    let seen = Integration::new(client).observe().await?;
    let walk = seen.ensure_disabled(syncs).await.map(Observed::from);
    Ok(conclude(walk, |seen| matches!(seen, Observed::Disabled(_))).await)
}

/// Tells what a walk did and where it ended, whether or not that is where it was meant to.
async fn conclude<'a>(walk: Result<Seen<'a>, Failure<Seen<'a>>>, wanted: impl Fn(&Seen<'a>) -> bool) -> Outcome {
    let (error, recovered) = match walk {
        Ok(end) => return Outcome { lines: report::walk(end.changes(), "nothing to do", Some(&end)), error: None },
        Err(failure) => failure.into_parts(),
    };
    let (changes, now) = match recovered {
        Recovered::Unchanged(seen) | Recovered::Moved(seen) => (seen.changes().to_vec(), Some(seen)),
        Recovered::Unknown(handle) => (handle.changes().to_vec(), handle.observe().await.ok()),
    };
    let lines = report::walk(&changes, "nothing was changed", now.as_ref());
    // A reply that was lost, or somebody else, may have led to the wanted state all the same.
    Outcome { lines, error: now.is_none_or(|seen| !wanted(&seen)).then_some(error) }
}
