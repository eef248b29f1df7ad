//! What each command does, on the typed API.

mod offboard;
mod onboard;
mod replace;
mod status;

#[cfg(test)]
mod tests;

use clap::CommandFactory;
use clap::error::ErrorKind;
use ssm_organizations::ports::{Client, SystemsManagerClient};
use ssm_organizations::state::Unobserved;
use ssm_organizations::{AccountId, Change, Error, Failure, Handle, Integration, Observed, Recovered, Region, Syncs};

use crate::cli::{Cli, Command};
use crate::connect::{self, Regions};
use crate::report::{Complaint, Notes, Outcome};

type Caller<'a> = &'a dyn Client;
type Seen<'a> = Observed<Caller<'a>>;

/// Whose credentials there are, and where data syncs may be.
#[derive(Clone, Copy)]
struct Scene<'a> {
    management: Caller<'a>,
    administrator: Option<Caller<'a>>,
    /// The administrator's that is to be.
    successor: Option<Caller<'a>>,
    regions: &'a [Region],
}

/// Does what the command line says. An error is one of usage, found before any call.
pub(crate) async fn run(cli: &Cli) -> Result<Outcome, clap::Error> {
    let Cli { command, connection } = cli;
    command.check()?;
    let Regions { home, all } = connect::regions(connection).await?;
    let client = async |profile: Option<&String>| match profile {
        Some(profile) => Some(connect::client(connection, Some(profile), &home).await),
        None => None,
    };
    let (administrator, successor) = command.other_profiles();
    let (administrator, successor) = (client(administrator).await, client(successor).await);
    let management = connect::client(connection, connection.profile.as_deref(), &home).await;
    let scene = Scene {
        management: &management,
        administrator: administrator.as_ref().map(|client| client as Caller<'_>),
        successor: successor.as_ref().map(|client| client as Caller<'_>),
        regions: &all,
    };
    carry_out(command, scene).await
}

async fn carry_out(command: &Command, scene: Scene<'_>) -> Result<Outcome, clap::Error> {
    let outcome = match command {
        Command::Status(_) => status::run(scene).await,
        Command::Onboard(order) => {
            let sync = order.sync.definition(scene.regions);
            let sync = sync.map_err(|error| Cli::command().error(ErrorKind::ValueValidation, error))?;
            onboard::run(order, sync.as_ref(), scene).await
        }
        Command::Replace(order) => replace::run(order, scene).await,
        Command::Offboard(order) => offboard::run(order, scene).await,
    };
    Ok(outcome.unwrap_or_else(Outcome::from))
}

impl<'a> Scene<'a> {
    async fn observe(&self) -> Result<Seen<'a>, Error> {
        Ok(Integration::new(self.management).observe().await?)
    }

    /// Everybody who may own data syncs.
    fn owners(&self) -> Vec<Caller<'a>> {
        [Some(self.management), self.administrator].into_iter().flatten().collect()
    }
}

/// The clients, as those that look for data syncs.
fn lookers<'a>(owners: &[Caller<'a>]) -> Vec<&'a dyn SystemsManagerClient> {
    owners.iter().map(|client| *client as &dyn SystemsManagerClient).collect()
}

/// What becomes of the data syncs that nobody named.
fn others<'a>(forfeit: bool, lookers: &'a [&'a dyn SystemsManagerClient], regions: &'a [Region]) -> Syncs<'a> {
    if forfeit { Syncs::Forfeit } else { Syncs::Protect { ssm: lookers, regions } }
}

/// Why these are not credentials of the management account: with others, its role and its data syncs would be another account's.
fn check_management(seen: &Seen<'_>) -> Result<(), String> {
    let management = seen.organization().management_account;
    let whose = match seen.caller() {
        Some(caller) if caller == management => return Ok(()),
        Some(caller) => format!("these are of {caller}"),
        None => "whose these are is not known".to_owned(),
    };
    Err(format!("it takes credentials of the management account {management}, and {whose}"))
}

/// Refuses credentials of `--admin-profile` that are of none of these accounts.
async fn check_administrator(client: Caller<'_>, allowed: &[AccountId]) -> Result<(), Complaint> {
    let account = client.get_caller_identity().await?.account;
    if allowed.contains(&account) {
        return Ok(());
    }
    let allowed: Vec<_> = allowed.iter().map(ToString::to_string).collect();
    let allowed = allowed.join(" or ");
    Err(format!("--admin-profile has credentials of account {account}, and not of {allowed}").into())
}

/// What is known after a walk.
enum End<'a> {
    Known(Seen<'a>),
    Unknown(Integration<Unobserved, Caller<'a>>),
}

impl<'a> End<'a> {
    /// After a walk and, where it failed, why it did.
    async fn of<To, H>(walk: Result<To, Failure<H>>) -> (Self, Option<Error>)
    where
        H: Handle<Client = Caller<'a>>,
        Seen<'a>: From<To> + From<H>,
    {
        match walk {
            Ok(handle) => (Self::Known(handle.into()), None),
            Err(failure) => Self::of_failure(failure).await,
        }
    }

    async fn of_failure<H>(failure: Failure<H>) -> (Self, Option<Error>)
    where
        H: Handle<Client = Caller<'a>>,
        Seen<'a>: From<H>,
    {
        let (error, recovered) = failure.into_parts();
        let end = match recovered {
            Recovered::Unchanged(handle) => Self::Known(handle.into()),
            Recovered::Moved(seen) => Self::Known(seen),
            Recovered::Unknown(handle) => match handle.observe().await.map_err(Failure::recover) {
                Ok(seen) | Err(Recovered::Moved(seen)) => Self::Known(seen),
                Err(Recovered::Unchanged(handle) | Recovered::Unknown(handle)) => Self::Unknown(handle),
            },
        };
        (end, Some(error))
    }

    fn changes(&self) -> &[Change] {
        match self {
            Self::Known(seen) => seen.changes(),
            Self::Unknown(handle) => handle.changes(),
        }
    }

    fn now(&self) -> Option<&Seen<'a>> {
        match self {
            Self::Known(seen) => Some(seen),
            Self::Unknown(_) => None,
        }
    }

    /// Whether this account administers, and nobody else.
    fn is_delegated_to(&self, account: AccountId) -> bool {
        matches!(self, Self::Known(Observed::Delegated(now)) if now.administrator().account == account)
    }

    fn conclude(&self, notes: Notes) -> Outcome {
        notes.conclude(self.changes(), self.now())
    }
}
