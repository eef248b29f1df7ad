use ssm_organizations::Capability;
use ssm_organizations::plan::Scope;

use super::Scene;
use crate::cli::Status;
use crate::report::{self, Complaint, Outcome};

pub(super) async fn run(order: &Status, scene: Scene<'_>) -> Result<Outcome, Complaint> {
    let mut scope = Scope::new().with_role().in_regions(scene.regions.iter().cloned());
    if order.companions {
        let needed = |one: &Capability| {
            [one.trusted_principals(), one.optional_principals(), one.delegated_principals()].concat()
        };
        scope = Capability::ALL.iter().flat_map(needed).fold(scope, Scope::with_companion);
    }
    let snapshot = scene.look(&scope).await?;
    Ok(report::overview(&snapshot, order.companions))
}
