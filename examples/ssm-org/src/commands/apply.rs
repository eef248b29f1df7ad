use ssm_organizations::plan::Plan;

use super::run::Run;
use super::{CommandContext, plan};
use crate::cli::{Apply, WriteArgs};
use crate::files;
use crate::report::{CliError, Outcome, value};

pub(super) async fn run(args: &Apply, context: CommandContext<'_>) -> Result<Outcome, CliError> {
    let plan = match &args.file {
        Some(path) => {
            let plan = files::read_json(path, "plan")?;
            check_digest(&plan, args.digest.as_deref())?;
            plan
        }
        None => match plan::of(&args.target, context).await {
            Ok(plan) => plan,
            Err(error) => return error.conclude(),
        },
    };
    confirm_and_apply(&plan, "Apply", &args.write, context).await
}

/// Refuses a plan with another digest than the approved one.
fn check_digest(plan: &Plan, approved: Option<&str>) -> Result<(), CliError> {
    let (Some(approved), digest) = (approved, plan.digest()?) else { return Ok(()) };
    if approved.eq_ignore_ascii_case(&digest) {
        return Ok(());
    }
    let why = format!("nothing was changed: the plan has the digest {digest}, and --digest names another one");
    Err(CliError::new("digest_mismatch", why))
}

/// Shows the plan, asks for confirmation, and applies the plan.
pub(super) async fn confirm_and_apply(
    plan: &Plan,
    what: &str,
    write: &WriteArgs,
    context: CommandContext<'_>,
) -> Result<Outcome, CliError> {
    // A plan without steps needs neither confirmation nor a receipt.
    let receipt = write.receipt.as_deref().filter(|_| !plan.is_empty());
    if !plan.is_empty() {
        let (steps, count) = (if plan.steps().len() == 1 { "step" } else { "steps" }, plan.steps().len());
        let question = format!("{what} {count} {steps}?");
        if let Err(refusal) = ask(plan, &question, write.yes, context) {
            return Ok(*refusal);
        }
    }
    let mut run = Run::begin(plan.snapshot().organization(), receipt)?;
    if plan.is_empty() {
        run.notes.add_plan_texts(plan);
    }
    run.apply(plan, context).await;
    Ok(run.conclude().with("plan", value(plan)))
}

/// Shows the plan and asks for confirmation.
///
/// The error is the outcome of a refusal.
pub(super) fn ask(plan: &Plan, question: &str, yes: bool, context: CommandContext<'_>) -> Result<(), Box<Outcome>> {
    let shown = format!("{plan}\n");
    let mut answer = context.console.show(&shown);
    if !yes {
        answer = answer.and_then(|()| context.console.confirm(&shown, question));
    }
    answer.map_err(|error| Box::new(Outcome::from(error).with("plan", value(plan))))
}
