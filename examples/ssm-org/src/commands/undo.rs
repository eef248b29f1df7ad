use std::fmt::Write as _;

use ssm_organizations::plan::{Plan, Receipt, UndoOptions, UnlistedSyncs};

use super::{CommandContext, PlanRejected, apply};
use crate::cli::Undo;
use crate::files;
use crate::report::{CliError, Outcome, StatusSummary};

pub(super) async fn run(args: &Undo, context: CommandContext<'_>) -> Result<Outcome, CliError> {
    let receipt: Receipt = files::read_json(&args.file, "receipt")?;
    let mut options = UndoOptions::new().search_regions(context.regions.iter().cloned());
    for number in &args.include_unconfirmed {
        let index = usize::from(*number) - 1;
        match receipt.changes().get(index) {
            Some(change) if change.must_be_named() => options = options.include_unconfirmed(index),
            Some(change) => {
                let why =
                    format!("--include-unconfirmed {number}: the change is confirmed and always undone: {change}");
                return Err(CliError::new("change_confirmed", why));
            }
            None => {
                let why =
                    format!("--include-unconfirmed {number}: the receipt has {} changes", receipt.changes().len());
                return Err(CliError::new("no_such_change", why));
            }
        }
    }
    if args.loss.allow_sync_loss {
        options = options.with_unlisted_syncs(UnlistedSyncs::AllowLoss);
    }
    let snapshot = context.take_snapshot(&receipt.snapshot_scope().in_regions(context.regions.iter().cloned())).await?;
    let (organization, now) = (snapshot.organization().clone(), StatusSummary::of(&snapshot));
    let unnamed = unnamed(&receipt, &args.include_unconfirmed);
    let plan: Plan = match receipt.undo_from(snapshot, &options) {
        Ok(plan) => plan,
        Err(error) => {
            let mut outcome = PlanRejected { error: error.into(), organization, now }.conclude();
            outcome.lines.push_str(&unnamed);
            return Ok(outcome);
        }
    };
    let mut outcome = apply::confirm_and_apply(&plan, "Undo this run in", &args.write, context).await?;
    if !plan.retained().is_empty() {
        outcome.lines.push_str(&unnamed);
        if outcome.errors.is_empty() {
            let why = format!("not everything was undone; left in place: {}", plan.retained().join("; "));
            outcome.errors.push(CliError::new("changes_left", why));
        }
    }
    Ok(outcome)
}

/// Returns one line for each change that is undone only if it is named, and that the command did
/// not name.
fn unnamed(receipt: &Receipt, named: &[u16]) -> String {
    let mut lines = String::new();
    for (number, change) in (1..).zip(receipt.changes()) {
        if change.must_be_named() && !named.contains(&number) {
            // Writing to a `String` cannot fail.
            let _ = writeln!(lines, "not undone: --include-unconfirmed {number} undoes: {change}");
        }
    }
    lines
}
