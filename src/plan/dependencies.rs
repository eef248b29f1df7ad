//! Dependencies between the steps of a plan.
//!
//! A step depends on the earlier steps whose effect AWS or the step's preconditions require. A
//! destructive step also depends on every earlier step whose failure would turn it into a loss.

use std::collections::BTreeSet;

use super::step::Action;
use crate::domain::SYSTEMS_MANAGER;

/// Returns, for each action, the indexes of the earlier actions that it depends on directly.
pub(super) fn dependencies(actions: &[&Action]) -> Vec<Vec<usize>> {
    let mut direct: Vec<BTreeSet<usize>> = actions
        .iter()
        .enumerate()
        .map(|(index, later)| {
            let earlier = actions.iter().enumerate().take(index);
            earlier.filter(|(_, earlier)| requires(later, earlier)).map(|(earlier, _)| earlier).collect()
        })
        .collect();
    let mut all = closure(&direct);
    while add_losses(actions, &mut direct, &all) {
        all = closure(&direct);
    }
    let is_implied = |of: &BTreeSet<usize>, one: usize| {
        of.iter().any(|other| all.get(*other).is_some_and(|implied| implied.contains(&one)))
    };
    direct.iter().map(|of| of.iter().copied().filter(|one| !is_implied(of, *one)).collect()).collect()
}

/// Returns the direct and indirect dependencies of each action.
fn closure(direct: &[BTreeSet<usize>]) -> Vec<BTreeSet<usize>> {
    let mut all: Vec<BTreeSet<usize>> = Vec::new();
    for of in direct {
        let indirect = of.iter().filter_map(|earlier| all.get(*earlier)).flatten();
        let whole = of.iter().chain(indirect).copied().collect();
        all.push(whole);
    }
    all
}

/// Lets each destructive action depend on the earlier actions without which a later action could
/// not create the replacement. Returns whether dependencies were added.
fn add_losses(actions: &[&Action], direct: &mut [BTreeSet<usize>], all: &[BTreeSet<usize>]) -> bool {
    let mut added = false;
    let creates = |action: &Action| !action.is_destructive() && *action != Action::DeleteRole;
    for (_, needed) in actions.iter().zip(all).filter(|(action, _)| creates(action)) {
        for lost in needed.iter().filter(|index| actions.get(**index).is_some_and(|action| action.is_destructive())) {
            let Some(known) = all.get(*lost) else { continue };
            let missing = needed.range(..lost).filter(|earlier| !known.contains(earlier));
            if let Some(of) = direct.get_mut(*lost) {
                let before = of.len();
                of.extend(missing);
                added |= of.len() > before;
            }
        }
    }
    added
}

/// Returns whether the later action needs the effect of the earlier one.
fn requires(later: &Action, earlier: &Action) -> bool {
    let creates_organization_sync = || later.requires_trusted_access() == Some(&SYSTEMS_MANAGER);
    let of_same_service = || later.principal().is_some() && later.principal() == earlier.principal();
    let of_same_sync = || later.sync().is_some() && later.sync() == earlier.sync();
    match (earlier, later) {
        // AWS may refuse to deregister without trusted access.
        (Action::EnableTrustedAccess { principal }, _) => {
            of_same_service() || later.requires_trusted_access() == Some(principal)
        }
        (Action::CreateRole, Action::CreateSync { .. } | Action::UpdateSync { .. }) => creates_organization_sync(),
        // Data syncs prevent the deletion of the role.
        (
            Action::DeleteRole,
            Action::CreateSync { .. } | Action::UpdateSync { .. } | Action::CreateRole | Action::DeleteRole,
        )
        | (Action::CreateRole, Action::CreateRole | Action::DeleteRole)
        | (Action::DeleteSync { .. }, Action::DeleteRole) => true,
        (Action::DeregisterAdministrator { .. }, Action::DeregisterAdministrator { .. })
        | (Action::RegisterAdministrator { .. }, Action::RegisterAdministrator { .. }) => later == earlier,
        (Action::DisableTrustedAccess { principal } | Action::DeregisterAdministrator { principal, .. }, later) => {
            of_same_service() || (*later == Action::DeleteRole && *principal == SYSTEMS_MANAGER)
        }
        (Action::RegisterAdministrator { account, principal }, later) => {
            let by_administrator =
                || *principal == SYSTEMS_MANAGER && later.sync().is_some_and(|sync| sync.account == *account);
            of_same_service() || (creates_organization_sync() && by_administrator())
        }
        (Action::DeleteSync { sync }, Action::DeregisterAdministrator { account, principal }) => {
            *principal == SYSTEMS_MANAGER && sync.account == *account
        }
        (Action::DeleteSync { .. }, Action::DisableTrustedAccess { principal }) => *principal == SYSTEMS_MANAGER,
        // Deletions free quota for creations.
        (Action::DeleteSync { sync }, Action::CreateSync { sync: new, .. }) => {
            (sync.account, &sync.region) == (new.account, &new.region)
        }
        _ => of_same_sync(),
    }
}
