use std::fmt::Write as _;

use ssm_organizations::Certainty;
use ssm_organizations::plan::{OtherSyncs, Plan, Receipt, Undo as Undoing};

use super::{Refused, Scene, apply};
use crate::cli::Undo;
use crate::files;
use crate::report::{Complaint, Outcome, Standing};

pub(super) async fn run(order: &Undo, scene: Scene<'_>) -> Result<Outcome, Complaint> {
    let receipt: Receipt = files::read_json(&order.file, "receipt")?;
    let mut undoing = Undoing::new().looking_in(scene.regions.iter().cloned());
    for number in &order.maybes {
        let index = usize::from(*number) - 1;
        match receipt.changes().get(index) {
            Some(change) if change.certainty != Certainty::Did => undoing = undoing.including(index),
            Some(change) => {
                let why = format!("--maybe {number}: it is certain, and taken back in any case: {change}");
                return Err(Complaint::own("not_uncertain", why));
            }
            None => {
                let why = format!("--maybe {number}: the receipt has {} changes", receipt.changes().len());
                return Err(Complaint::own("no_such_change", why));
            }
        }
    }
    if order.forfeit_syncs {
        undoing = undoing.with_other_syncs(OtherSyncs::Forfeit);
    }
    let snapshot = scene.look(&receipt.scope().in_regions(scene.regions.iter().cloned())).await?;
    let (organization, now) = (snapshot.organization().clone(), Standing::of(&snapshot));
    let unnamed = unnamed(&receipt, &order.maybes);
    let plan: Plan = match receipt.undo_from(snapshot, &undoing) {
        Ok(plan) => plan,
        Err(error) => {
            let mut outcome = Refused { complaint: error.into(), organization, now }.conclude();
            outcome.lines.push_str(&unnamed);
            return Ok(outcome);
        }
    };
    let mut outcome = apply::carry_through(&plan, "Take this run back in", &order.writing, scene).await?;
    if !plan.left().is_empty() {
        outcome.lines.push_str(&unnamed);
    }
    Ok(outcome)
}

/// How the changes are named whose replies were lost.
fn unnamed(receipt: &Receipt, named: &[u16]) -> String {
    let mut lines = String::new();
    for (number, change) in (1..).zip(receipt.changes()) {
        if change.certainty != Certainty::Did && !named.contains(&number) {
            // Writing to a string does not fail.
            let _ = writeln!(lines, "not named: --maybe {number} takes back: {change}");
        }
    }
    lines
}
