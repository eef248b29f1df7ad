//! Causes of a refused data sync that waiting does not remove.

use super::change_log::LocalChanges;
use super::service_linked_role;
use crate::domain::{AccountId, ChangeKind, SYSTEMS_MANAGER, SyncDefinition};
use crate::error::{Error, ErrorKind, Remedy};
use crate::observation::{self, retrying};
use crate::ports::{IamClient, OrganizationsApi};
use crate::wait::WaitPolicy;

/// Clients whose reads show why AWS refuses a data sync.
///
/// A refusal that follows a change in Organizations is sent again, because Systems Manager learns
/// of the change later. A read that shows another cause ends the wait.
#[derive(Clone, Copy, Default)]
pub(crate) struct RefusalReads<'a> {
    pub(crate) iam: Option<&'a dyn IamClient>,
    pub(crate) organizations: Option<&'a dyn OrganizationsApi>,
}

/// Code of a refusal for a missing prerequisite, such as the role, and for an unknown unit.
pub(super) const INVALID_CONFIGURATION: &str = "ResourceDataSyncInvalidConfigurationException";

impl RefusalReads<'_> {
    /// Returns the refusal with the cause that a read shows, or the unchanged refusal as an error.
    pub(super) async fn explain(
        self,
        refusal: Error,
        account: AccountId,
        local_changes: LocalChanges<'_>,
        policy: WaitPolicy<'_>,
    ) -> Result<Error, Error> {
        if self.shows_other_administrator(account, local_changes).await {
            return Ok(refusal.with_account(account).with_confirmed_kind(ErrorKind::NotDelegatedAdministrator));
        }
        let needs_role = refusal.code() == Some(INVALID_CONFIGURATION);
        if needs_role && self.shows_no_role(local_changes, policy).await {
            return Ok(refusal.with_remedy(Remedy::CreateRole));
        }
        Err(refusal)
    }

    /// Returns the refusal with the units of the sync that a read shows to be unknown, or the
    /// unchanged refusal as an error.
    pub(super) async fn explain_units(
        self,
        refusal: Error,
        wanted: &SyncDefinition,
        policy: WaitPolicy<'_>,
    ) -> Result<Error, Error> {
        let Some(client) = self.organizations else { return Err(refusal) };
        let reads = observation::organizational_units(&retrying(client, policy), wanted.units()).await;
        // A failed read proves nothing.
        let unknown = wanted.units().iter().zip(reads).filter(|(_, read)| matches!(read, Ok(None)));
        let units: Vec<_> = unknown.map(|(unit, _)| unit.clone()).collect();
        if units.is_empty() {
            return Err(refusal);
        }
        Ok(refusal.with_confirmed_kind(ErrorKind::OrganizationalUnitNotFound { units }))
    }

    /// Returns whether another account administers Systems Manager instead of this registered one.
    async fn shows_other_administrator(self, account: AccountId, local_changes: LocalChanges<'_>) -> bool {
        let registered = local_changes.changes().iter().any(|change| {
            matches!(&change.kind, ChangeKind::AdministratorRegistered { account: ours, principal, .. }
                if *ours == account && *principal == SYSTEMS_MANAGER)
        });
        let Some(client) = self.organizations.filter(|_| registered) else { return false };
        let Ok(administrators) = observation::administrators(client, &SYSTEMS_MANAGER).await else { return false };
        let ours = administrators.iter().any(|found| found.account == account);
        // A read that is older than a deregistration by this run proves nothing.
        let is_former = |found: AccountId| {
            local_changes.changes().iter().any(|change| {
                matches!(&change.kind, ChangeKind::AdministratorDeregistered { account, .. } if *account == found)
            })
        };
        !administrators.is_empty() && !ours && !administrators.iter().any(|found| is_former(found.account))
    }

    /// Returns whether the role does not exist and no change of this run created it.
    async fn shows_no_role(self, local_changes: LocalChanges<'_>, policy: WaitPolicy<'_>) -> bool {
        let is_created = |kind: &ChangeKind| matches!(kind, ChangeKind::RoleCreated { .. });
        let created = local_changes.changes().iter().any(|change| is_created(&change.kind));
        let Some(iam) = self.iam.filter(|_| !created) else { return false };
        matches!(service_linked_role::get(iam, policy, local_changes).await, Ok(None))
    }
}
