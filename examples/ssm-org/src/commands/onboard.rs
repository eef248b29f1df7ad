use ssm_organizations::AccountId;
use ssm_organizations::plan::{Action, Snapshot, Target};

use super::{CommandContext, administrators, apply};
use crate::cli::{Onboard, WriteArgs};
use crate::report::{CliError, Outcome};

pub(super) async fn run(args: &Onboard, context: CommandContext<'_>) -> Result<Outcome, CliError> {
    let mut target = Target::new().with_trusted_access(true).with_administrator(args.admin);
    if args.role {
        target = target.with_role();
    }
    let target = args.sync.add_to(target, context.regions).map_err(|error| CliError::usage(&error))?;
    let check = |target, snapshot: &_| check_delegation(args.admin, snapshot).map(|()| target);
    let plan = match context.build_plan(target, &[], check).await {
        Ok(plan) => plan,
        Err(error) => return error.conclude(),
    };
    // The collection of a recreated sync starts again.
    let deletes = plan.steps().iter().any(|step| matches!(step.action(), Action::DeleteSync { .. }));
    let write = WriteArgs { receipt: args.write.receipt.clone(), yes: args.write.yes || !deletes };
    apply::confirm_and_apply(&plan, "Delete the data sync and create it again in", &write, context).await
}

/// Checks that no other account is registered, because `onboard` deregisters none.
fn check_delegation(admin: AccountId, snapshot: &Snapshot) -> Result<(), CliError> {
    let others = administrators(snapshot).into_iter().filter(|account| *account != admin);
    let others: Vec<_> = others.map(|account| account.to_string()).collect();
    if others.is_empty() {
        return Ok(());
    }
    let registered = administrators(snapshot).len();
    let kind = if registered > 1 { "several_administrators" } else { "other_administrator" };
    let why = format!("Systems Manager allows one delegated administrator, and {} is registered", others.join(" and "));
    Err(CliError::new(kind, why))
}
