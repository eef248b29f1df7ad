use std::path::Path;

use ssm_organizations::plan::Plan;

use super::run::Run;
use super::{Scene, plan};
use crate::cli::Apply;
use crate::files;
use crate::report::{Complaint, Outcome, value};

pub(super) async fn run(order: &Apply, scene: Scene<'_>) -> Result<Outcome, Complaint> {
    let plan = match &order.file {
        Some(path) => files::read_json(path, "plan")?,
        None => match plan::of(&order.target, scene).await {
            Ok(plan) => plan,
            Err(undrawn) => return Ok(undrawn.conclude()),
        },
    };
    carry_through(&plan, "Apply", order.yes, order.writing.receipt.as_deref(), scene).await
}

/// Shows the plan, asks, and applies it.
pub(super) async fn carry_through(
    plan: &Plan,
    what: &str,
    yes: bool,
    receipt: Option<&Path>,
    scene: Scene<'_>,
) -> Result<Outcome, Complaint> {
    // What writes nothing needs neither a yes nor a receipt.
    if !plan.is_empty() {
        let shown = plan.to_string() + "\n";
        scene.console.show(&shown)?;
        if !yes {
            let (steps, count) = (if plan.steps().len() == 1 { "step" } else { "steps" }, plan.steps().len());
            if let Err(complaint) = scene.console.confirm(&shown, &format!("{what} {count} {steps}?")) {
                return Ok(Outcome::from(complaint).with("plan", value(plan)));
            }
        }
    }
    let mut run = Run::begin(plan.snapshot().organization(), receipt.filter(|_| !plan.is_empty()))?;
    if plan.is_empty() {
        run.notes.tell(plan);
    }
    run.apply(plan, scene).await;
    Ok(run.conclude().with("plan", value(plan)))
}
