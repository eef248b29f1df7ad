use ssm_organizations::plan::{OtherSyncs, Target};

use super::{Scene, apply};
use crate::cli::Offboard;
use crate::report::{Complaint, Outcome};

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
    match scene.draw(target, &order.delete_syncs, |target, _| Ok(target)).await {
        Ok(plan) => apply::carry_through(&plan, "Take Systems Manager out in", &order.writing, scene).await,
        Err(undrawn) => undrawn.conclude(),
    }
}
