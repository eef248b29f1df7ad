//! The commands.

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

use std::time::Duration;

use ssm_organizations::plan::{Clients, Plan, Snapshot, SnapshotScope, Target};
use ssm_organizations::policy::Caller as Owner;
use ssm_organizations::ports::{Client, Organization};
use ssm_organizations::{AccountId, Error, ErrorKind, Region, ServicePrincipal, SyncName};

use crate::cli::{Cli, Command};
use crate::connect::{self, Access};
use crate::console::Console;
use crate::report::{CliError, ExistingResources, Notes, Outcome, StatusSummary};
use crate::serve;
use crate::signals::{ProcessSignals, Signals};

type Caller<'a> = &'a dyn Client;

/// Clients, Regions and output mode of a command.
#[derive(Clone, Copy)]
struct CommandContext<'a> {
    management: Caller<'a>,
    /// The clients of all accounts except the management account.
    others: &'a [Caller<'a>],
    /// The clients of all accounts. The reads and writes of a command share their identities.
    clients: &'a Clients<'a>,
    regions: &'a [Region],
    /// The Regions that the command line names.
    named_regions: &'a [Region],
    console: Console,
    signals: &'a dyn Signals,
}

/// Runs a command. The error is a usage error, found before any call.
pub(crate) async fn run(cli: &Cli, console: Console) -> Result<Outcome, clap::Error> {
    let Cli { command, connection, .. } = cli;
    cli.check()?;
    if let Command::Policy(args) = command
        && !args.target.is_set()
    {
        return Ok(policy::without_calls(args).unwrap_or_else(Outcome::from));
    }
    if let Command::Completions { shell } = command {
        return Ok(Outcome { lines: Cli::completions(*shell), ..Outcome::default() });
    }
    if let (Command::Serve(args), Some(path)) = (command, &connection.simulate) {
        let regions = connect::simulated_regions(connection)?;
        let region = regions.first().ok_or_else(|| connect::usage_error(&"no Region"))?;
        return Ok(serve::run(args, path, region, console).await.unwrap_or_else(Outcome::from));
    }
    let access = match connect::access(connection, command).await? {
        Ok(access) => access,
        Err(error) => return Ok(error.into()),
    };
    let Access { management, others, regions } = &access;
    let others: Vec<Caller<'_>> = others.iter().map(|client| &**client).collect();
    let context = CommandContext {
        management: &**management,
        others: &others,
        clients: &clients_of(&**management, &others, connection.wait_timeout),
        regions,
        named_regions: &connection.regions,
        console,
        signals: &ProcessSignals,
    };
    execute(command, context).await
}

/// Returns the clients of a command. `wait_timeout` limits each wait, instead of the library's
/// limits.
fn clients_of<'a>(management: Caller<'a>, others: &[Caller<'a>], wait_timeout: Option<Duration>) -> Clients<'a> {
    let clients = Clients::new(management);
    let clients = others.iter().fold(clients, |clients, other| clients.with_account_client(*other));
    wait_timeout.into_iter().fold(clients, Clients::with_wait_timeout)
}

async fn execute(command: &Command, context: CommandContext<'_>) -> Result<Outcome, clap::Error> {
    let outcome = match command {
        Command::Status(args) => status::run(args, context).await,
        Command::Plan(args) => plan::run(args, context).await,
        Command::Apply(args) => apply::run(args, context).await,
        Command::Undo(args) => undo::run(args, context).await,
        Command::Policy(args) => policy::run(args, context).await,
        Command::Onboard(args) => onboard::run(args, context).await,
        Command::Replace(args) => replace::run(args, context).await,
        Command::Offboard(args) => offboard::run(args, context).await,
        // `run` has printed the completions, or has served.
        Command::Completions { .. } | Command::Serve(_) => Ok(Outcome::default()),
    };
    match outcome {
        Err(CliError::Usage(why)) => Err(connect::usage_error(&why)),
        outcome => Ok(outcome.unwrap_or_else(Outcome::from)),
    }
}

/// Rejected plan: the reason and the current state.
struct PlanRejected {
    error: CliError,
    organization: Organization,
    now: StatusSummary,
}

impl PlanRejected {
    fn conclude(self) -> Outcome {
        let Self { error, organization, now } = self;
        let mut notes = Notes::default();
        notes.errors.push(error);
        notes.conclude(&organization, &[], Some(&now), ExistingResources::default())
    }
}

/// Error of planning.
enum PlanError {
    /// Reading or planning failed.
    Failed(CliError),
    /// The organization was read, and the target was rejected.
    Rejected(Box<PlanRejected>),
}

impl From<Error> for PlanError {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}

impl PlanError {
    /// Returns the outcome of a writing command that changed nothing.
    fn conclude(self) -> Result<Outcome, CliError> {
        match self {
            Self::Failed(error) => Err(error),
            Self::Rejected(rejected) => Ok(rejected.conclude()),
        }
    }

    fn into_error(self) -> CliError {
        match self {
            Self::Failed(error) => error,
            Self::Rejected(rejected) => rejected.error,
        }
    }
}

impl CommandContext<'_> {
    async fn take_snapshot(&self, scope: &SnapshotScope) -> Result<Snapshot, Error> {
        let _spinner = self.console.spinner("reading the organization");
        Snapshot::take(self.clients, scope).await
    }

    /// Takes a snapshot and computes the plan, including the deletion of the named syncs.
    ///
    /// `complete` extends the target from the snapshot, and may reject a target that the library
    /// accepts.
    async fn build_plan(
        &self,
        target: Target,
        delete: &[SyncName],
        complete: impl FnOnce(Target, &Snapshot) -> Result<Target, CliError>,
    ) -> Result<Plan, PlanError> {
        target.check().map_err(|error| PlanError::Failed(CliError::usage(&error)))?;
        let mut scope = target.snapshot_scope();
        if !delete.is_empty() {
            scope = scope.in_regions(self.regions.iter().cloned());
        }
        let snapshot = self.take_snapshot(&scope).await?;
        let (organization, now) = (snapshot.organization().clone(), StatusSummary::of(&snapshot));
        let (management, caller) = (organization.management_account, snapshot.caller());
        let refuse = |error| PlanError::Rejected(Box::new(PlanRejected { error, organization, now }));
        let mut target = match complete(target, &snapshot) {
            Ok(target) => target,
            Err(error) => return Err(refuse(error)),
        };
        for owner in self.owners(&snapshot) {
            for name in delete {
                target = target.without_sync(owner, name.clone(), self.regions.iter().cloned());
            }
        }
        Plan::new(&target, snapshot).map_err(|error| {
            let whose = caller
                .map_or("the caller is unknown".to_owned(), |caller| format!("the credentials belong to {caller}"));
            refuse(match error.kind() {
                ErrorKind::MissingClient { account, .. } if *account == management => {
                    let why = format!("the command needs credentials of the management account {management}; {whose}");
                    CliError::new("not_management_account", why)
                }
                _ => error.into(),
            })
        })
    }

    /// Returns the owners of the syncs to delete by name: the management account and, with
    /// credentials of other accounts, the administrator.
    ///
    /// Without an administrator, syncs of a former administrator may remain.
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

/// Returns the known delegated administrators of Systems Manager.
fn administrators(snapshot: &Snapshot) -> Vec<AccountId> {
    let service = snapshot.service(&ServicePrincipal::SYSTEMS_MANAGER);
    let known = service.and_then(|service| service.administrators.known());
    known.into_iter().flatten().map(|found| found.account).collect()
}
