use ssm_organizations::plan::{OtherSyncs, Target};

use super::Scene;
use super::run::Run;
use crate::cli::Offboard;
use crate::report::{Complaint, Outcome, value};

pub(super) async fn run(order: &Offboard, scene: Scene<'_>) -> Result<Outcome, Complaint> {
    let mut target = Target::new().with_trusted_access(false).without_administrator();
    if order.delete_role {
        target = target.without_role();
    }
    target = if order.forfeit_syncs {
        target.with_other_syncs(OtherSyncs::Forfeit)
    } else {
        target.looking_in(scene.regions.iter().cloned())
    };
    let plan = match scene.draw(target, &order.delete_syncs, |_| Ok(())).await {
        Ok(plan) => plan,
        Err(undrawn) => return Ok(undrawn.conclude()),
    };
    let receipt = order.writing.receipt.as_deref().filter(|_| !plan.is_empty());
    let mut run = Run::begin(plan.snapshot().organization(), receipt)?;
    run.notes.tell(&plan);
    run.apply(&plan, scene).await;
    Ok(run.conclude().with("plan", value(&plan)))
}
