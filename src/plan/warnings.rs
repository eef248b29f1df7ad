//! Warnings of a plan that follow from its steps.

use super::step::{Action, Step};
use crate::domain::Organization;
use crate::guidance::Warning;
use crate::observation::Snapshot;
use crate::policy::Caller;

/// Adds the warnings that follow from the steps, to review before confirmation.
///
/// `model` is the state after the steps.
pub(super) fn add_step_warnings(warnings: &mut Vec<String>, steps: &[Step], model: &Snapshot) {
    let Organization { management_account, partition, .. } = &model.organization;
    let mut found: Vec<String> = Vec::new();
    for step in steps {
        let caller =
            if step.account == *management_account { Caller::Management } else { Caller::Account(step.account) };
        let permissions = step.permissions(caller);
        let known = permissions.iter().flat_map(|permission| Warning::before_permission(permission, partition));
        found.extend(known.map(|warning| warning.to_string()));
        let (Action::CreateSync { definition, sync } | Action::UpdateSync { definition, sync }) = &step.action else {
            continue;
        };
        found.extend(Warning::of_sync(definition).iter().map(ToString::to_string));
        if definition.is_of_organization() && matches!(model.require_role(), Ok(None)) {
            found.push(format!("the data sync {sync} needs the service-linked role, which does not exist"));
        }
    }
    for warning in found {
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
}
