use ssm_organizations::plan::{Plan, Target};

use super::{CommandContext, PlanError};
use crate::cli::{PlanArgs, TargetOptions};
use crate::files;
use crate::report::{CliError, Outcome, value};

pub(super) async fn run(args: &PlanArgs, context: CommandContext<'_>) -> Result<Outcome, CliError> {
    let plan = of(&args.target, context).await.map_err(PlanError::into_error)?;
    if let Some(path) = &args.out {
        files::write_json(path, "plan", &plan)?;
    }
    let mut outcome = Outcome { lines: plan.to_string(), has_steps: !plan.is_empty(), ..Outcome::default() };
    // The JSON output is the plan as --out saves it, without the digest.
    if !plan.is_empty() {
        outcome.notes.push(format!("digest: {}", plan.digest()?));
    }
    if let serde_json::Value::Object(members) = value(&plan) {
        outcome.json = members;
    }
    Ok(outcome)
}

/// Computes the plan for the options. Changes nothing.
pub(super) async fn of(options: &TargetOptions, context: CommandContext<'_>) -> Result<Plan, PlanError> {
    let contents = &options.contents;
    let target = match &contents.file {
        Some(path) => {
            let target: Target = files::read_toml_or_json(path, "target").map_err(PlanError::Failed)?;
            target.search_regions(context.named_regions.iter().cloned())
        }
        None => contents.target(context.regions).map_err(|error| PlanError::Failed(CliError::usage(&error)))?,
    };
    context.build_plan(target, &contents.removal.delete_syncs, |target, _| Ok(target)).await
}
