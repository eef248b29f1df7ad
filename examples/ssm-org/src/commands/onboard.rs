use ssm_organizations::AccountId;
use ssm_organizations::plan::{Action, Snapshot, Target};
use ssm_organizations::policy::Caller as Owner;

use super::run::Run;
use super::{CommandContext, administrators, apply};
use crate::cli::Onboard;
use crate::report::{CliError, Outcome, value};

pub(super) async fn run(args: &Onboard, context: CommandContext<'_>) -> Result<Outcome, CliError> {
    let sync = args.sync.definition(context.regions).map_err(|error| CliError::usage(&error))?;
    let mut target = Target::new().with_trusted_access(true).with_administrator(args.admin);
    if args.role {
        target = target.with_role();
    }
    let owner = if args.sync.admin_profile.is_some() { Owner::Account(args.admin) } else { Owner::Management };
    if let Some(sync) = sync {
        let regions = context.regions.iter().cloned();
        target = if args.sync.recreate_sync {
            target.with_recreated_sync(owner, sync, regions)
        } else {
            target.with_sync(owner, sync, regions)
        };
    }
    let check = |target, snapshot: &_| check_delegation(args.admin, snapshot).map(|()| target);
    let plan = match context.build_plan(target, &[], check).await {
        Ok(plan) => plan,
        Err(error) => return error.conclude(),
    };
    // The collection of a recreated sync starts again.
    let deletes = plan.steps().iter().any(|step| matches!(step.action(), Action::DeleteSync { .. }));
    if deletes {
        let question = "Delete the data sync and create it again?";
        if let Err(refusal) = apply::ask(&plan, question, args.write.yes, context) {
            return Ok(*refusal);
        }
    }
    let receipt = args.write.receipt.as_deref().filter(|_| !plan.is_empty());
    let mut run = Run::begin(plan.snapshot().organization(), receipt)?;
    if !deletes {
        run.notes.add_plan_texts(&plan);
    }
    run.apply(&plan, context).await;
    Ok(run.conclude().with("plan", value(&plan)))
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
