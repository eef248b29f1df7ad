use ssm_organizations::plan::Plan;

use super::run::Run;
use super::{Scene, plan};
use crate::cli::{Apply, Writing};
use crate::files;
use crate::report::{Complaint, Outcome, value};

pub(super) async fn run(order: &Apply, scene: Scene<'_>) -> Result<Outcome, Complaint> {
    let plan = match &order.file {
        Some(path) => files::read_json(path, "plan")?,
        None => match plan::of(&order.target, scene).await {
            Ok(plan) => plan,
            Err(undrawn) => return undrawn.conclude(),
        },
    };
    carry_through(&plan, "Apply", &order.writing, scene).await
}

/// Shows the plan, asks, and applies it.
pub(super) async fn carry_through(
    plan: &Plan,
    what: &str,
    writing: &Writing,
    scene: Scene<'_>,
) -> Result<Outcome, Complaint> {
    // What writes nothing needs neither a yes nor a receipt.
    let receipt = writing.receipt.as_deref().filter(|_| !plan.is_empty());
    if !plan.is_empty() {
        let (steps, count) = (if plan.steps().len() == 1 { "step" } else { "steps" }, plan.steps().len());
        let question = format!("{what} {count} {steps}?");
        if let Err(refusal) = ask(plan, None, &question, writing.yes, scene) {
            return Ok(*refusal);
        }
    }
    let mut run = Run::begin(plan.snapshot().organization(), receipt)?;
    if plan.is_empty() {
        run.notes.tell(plan);
    }
    run.apply(plan, scene).await;
    Ok(run.conclude().with("plan", value(plan)))
}

/// Shows what is about to be done, with what there is to say besides, and asks. The error is the outcome of a no.
pub(super) fn ask(
    plan: &Plan,
    besides: Option<&str>,
    question: &str,
    yes: bool,
    scene: Scene<'_>,
) -> Result<(), Box<Outcome>> {
    let mut shown = if plan.is_empty() { plan.snapshot().to_string() } else { plan.to_string() } + "\n";
    if let Some(besides) = besides {
        shown.push_str(besides);
        shown.push_str("\n\n");
    }
    let mut answer = scene.console.show(&shown);
    if !yes {
        answer = answer.and_then(|()| scene.console.confirm(&shown, question));
    }
    answer.map_err(|complaint| Box::new(Outcome::from(complaint).with("plan", value(plan))))
}
