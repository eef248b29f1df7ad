use ssm_organizations::plan::{Plan, Target};

use super::{Scene, Undrawn};
use crate::cli::{PlanOrder, TargetOptions};
use crate::files;
use crate::report::{Complaint, Outcome, value};

pub(super) async fn run(order: &PlanOrder, scene: Scene<'_>) -> Result<Outcome, Complaint> {
    let plan = of(&order.target, scene).await.map_err(Undrawn::into_complaint)?;
    if let Some(path) = &order.out {
        files::write_json(path, "plan", &plan)?;
    }
    let mut outcome = Outcome { lines: plan.to_string(), has_steps: !plan.is_empty(), ..Outcome::default() };
    if let serde_json::Value::Object(members) = value(&plan) {
        outcome.json = members;
    }
    Ok(outcome)
}

/// The plan for these options. Changes nothing.
pub(super) async fn of(options: &TargetOptions, scene: Scene<'_>) -> Result<Plan, Undrawn> {
    let contents = &options.contents;
    let target = match &contents.file {
        Some(path) => {
            let target: Target = files::read_toml_or_json(path, "target").map_err(Undrawn::Unread)?;
            target.looking_in(scene.named_regions.iter().cloned())
        }
        None => contents.target(scene.regions).map_err(|error| Undrawn::Unread(Complaint::usage(&error)))?,
    };
    scene.draw(target, &contents.delete_syncs, |target, _| Ok(target)).await
}
