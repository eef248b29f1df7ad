//! What each command does.

mod apply;
mod offboard;
mod onboard;
mod plan;
mod policy;
mod replace;
mod run;
mod status;
mod undo;

#[cfg(test)]
mod tests;

use ssm_organizations::plan::{Clients, Plan, Scope, Snapshot, Target};
use ssm_organizations::policy::Caller as Owner;
use ssm_organizations::ports::{Client, Organization, SystemsManagerClient};
use ssm_organizations::state::Unobserved;
use ssm_organizations::{
    AccountId, Change, Error, ErrorKind, Failure, Handle, Integration, Observed, Recovered, Region, ServicePrincipal,
    SyncName, Syncs,
};

use crate::cli::{Cli, Command};
use crate::connect::{self, Access};
use crate::console::Console;
use crate::report::{Complaint, Notes, Outcome, Standing};

type Caller<'a> = &'a dyn Client;
type Seen<'a> = Observed<Caller<'a>>;

/// Whose credentials there are, and where data syncs may be.
#[derive(Clone, Copy)]
struct Scene<'a> {
    management: Caller<'a>,
    administrator: Option<Caller<'a>>,
    /// The administrator's that is to be.
    successor: Option<Caller<'a>>,
    /// Everybody but the management account.
    others: &'a [Caller<'a>],
    regions: &'a [Region],
    /// Those of them that the command line names.
    named_regions: &'a [Region],
    console: Console,
}

/// Does what the command line says. An error is one of usage, found before any call.
pub(crate) async fn run(cli: &Cli, console: Console) -> Result<Outcome, clap::Error> {
    let Cli { command, connection, .. } = cli;
    cli.check()?;
    if let Command::Policy(order) = command
        && !order.target.says_something()
    {
        return Ok(policy::without_calls(order).unwrap_or_else(Outcome::from));
    }
    let access = match connect::access(connection, command).await? {
        Ok(access) => access,
        Err(complaint) => return Ok(complaint.into()),
    };
    let Access { management, others, administrator, successor, regions } = &access;
    let others: Vec<Caller<'_>> = others.iter().map(|client| &**client).collect();
    let scene = Scene {
        management: &**management,
        administrator: administrator.and_then(|index| others.get(index)).copied(),
        successor: successor.and_then(|index| others.get(index)).copied(),
        others: &others,
        regions,
        named_regions: &connection.regions,
        console,
    };
    carry_out(command, scene).await
}

async fn carry_out(command: &Command, scene: Scene<'_>) -> Result<Outcome, clap::Error> {
    let outcome = match command {
        Command::Status(order) => status::run(order, scene).await,
        Command::Plan(order) => plan::run(order, scene).await,
        Command::Apply(order) => apply::run(order, scene).await,
        Command::Undo(order) => undo::run(order, scene).await,
        Command::Policy(order) => policy::run(order, scene).await,
        Command::Onboard(order) => onboard::run(order, scene).await,
        Command::Replace(order) => replace::run(order, scene).await,
        Command::Offboard(order) => offboard::run(order, scene).await,
    };
    match outcome {
        Err(Complaint::Usage(why)) => Err(connect::misuse(&why)),
        outcome => Ok(outcome.unwrap_or_else(Outcome::from)),
    }
}

/// Why there is no plan, and what is the case.
struct Refused {
    complaint: Complaint,
    organization: Organization,
    now: Standing,
}

impl Refused {
    fn conclude(self) -> Outcome {
        let Self { complaint, organization, now } = self;
        let mut notes = Notes::default();
        notes.complaints.push(complaint);
        notes.conclude(&organization, &[], Some(&now))
    }
}

/// Nothing could be read, or there is no plan.
enum Undrawn {
    Unread(Complaint),
    Refused(Box<Refused>),
}

impl From<Error> for Undrawn {
    fn from(error: Error) -> Self {
        Self::Unread(error.into())
    }
}

impl Undrawn {
    /// For a command that was to change something: that it has not.
    fn conclude(self) -> Result<Outcome, Complaint> {
        match self {
            Self::Unread(complaint) => Err(complaint),
            Self::Refused(refused) => Ok(refused.conclude()),
        }
    }

    fn into_complaint(self) -> Complaint {
        match self {
            Self::Unread(complaint) => complaint,
            Self::Refused(refused) => refused.complaint,
        }
    }
}

impl<'a> Scene<'a> {
    async fn observe(&self) -> Result<Seen<'a>, Error> {
        Ok(Integration::new(self.management).observe().await?)
    }

    fn clients(&self) -> Clients<'a> {
        self.others.iter().fold(Clients::new(self.management), |clients, other| clients.and(*other))
    }

    async fn look(&self, scope: &Scope) -> Result<Snapshot, Error> {
        let _busy = self.console.busy("looking at the organization");
        Snapshot::take(&self.clients(), scope).await
    }

    /// Looks and plans, with these syncs to be deleted besides. `complete` says what else should be, by what is, and may refuse what the
    /// library would not.
    async fn draw(
        &self,
        target: Target,
        delete: &[SyncName],
        complete: impl FnOnce(Target, &Snapshot) -> Result<Target, Complaint>,
    ) -> Result<Plan, Undrawn> {
        target.check().map_err(|error| Undrawn::Unread(Complaint::usage(&error)))?;
        let mut scope = Scope::of(&target);
        if !delete.is_empty() {
            scope = scope.in_regions(self.regions.iter().cloned());
        }
        let snapshot = self.look(&scope).await?;
        let (organization, now) = (snapshot.organization().clone(), Standing::of(&snapshot));
        let (management, caller) = (organization.management_account, snapshot.caller());
        let refuse = |complaint| Undrawn::Refused(Box::new(Refused { complaint, organization, now }));
        let mut target = match complete(target, &snapshot) {
            Ok(target) => target,
            Err(complaint) => return Err(refuse(complaint)),
        };
        for owner in self.owners(&snapshot) {
            for name in delete {
                target = target.without_sync(owner, name.clone(), self.regions.iter().cloned());
            }
        }
        Plan::new(&target, snapshot).map_err(|error| {
            let whose =
                caller.map_or("whose these are is not known".to_owned(), |caller| format!("these are of {caller}"));
            refuse(match error.kind() {
                ErrorKind::NoClient { account, .. } if *account == management => {
                    let why = format!("it takes credentials of the management account {management}, and {whose}");
                    Complaint::own("not_management_account", why)
                }
                _ => error.into(),
            })
        })
    }

    /// Whose syncs are deleted by their names: the management account's and, with credentials of others, the administrator's. Without an
    /// administrator, those of one that was may be left over.
    fn owners(&self, snapshot: &Snapshot) -> Vec<Owner> {
        let mut owners = vec![Owner::Management];
        if self.others.is_empty() {
            return owners;
        }
        if administrators(snapshot).is_empty() {
            let management = snapshot.organization().management_account;
            let accounts = snapshot.syncs().iter().map(|of| of.account).filter(|account| *account != management);
            owners.extend(accounts.map(Owner::Account));
            owners.sort_unstable();
            owners.dedup();
        } else {
            owners.push(Owner::Administrator);
        }
        owners
    }
}

/// Who administers Systems Manager, as far as that is known.
fn administrators(snapshot: &Snapshot) -> Vec<AccountId> {
    let service = snapshot.service(&ServicePrincipal::SYSTEMS_MANAGER);
    let known = service.and_then(|service| service.administrators.known());
    known.into_iter().flatten().map(|found| found.account).collect()
}

/// The clients, as those that look for data syncs.
fn lookers<'a>(owners: &[Caller<'a>]) -> Vec<&'a dyn SystemsManagerClient> {
    owners.iter().map(|client| *client as &dyn SystemsManagerClient).collect()
}

/// What becomes of the data syncs that nobody named.
fn others<'a>(forfeit: bool, lookers: &'a [&'a dyn SystemsManagerClient], regions: &'a [Region]) -> Syncs<'a> {
    if forfeit { Syncs::Forfeit } else { Syncs::Protect { ssm: lookers, regions } }
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

    fn now(&self) -> Option<Standing> {
        match self {
            Self::Known(seen) => Some(Standing::of_observed(seen)),
            Self::Unknown(_) => None,
        }
    }

    /// Whether this account administers, and nobody else.
    fn is_delegated_to(&self, account: AccountId) -> bool {
        matches!(self, Self::Known(Observed::Delegated(now)) if now.administrator().account == account)
    }
}
