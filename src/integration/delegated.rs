use std::time::SystemTime;

use super::observed::Observed;
use super::state::{Delegated, TrustedAccess};
use super::{Integration, Transition};
use crate::domain::{DelegatedAdministrator, Operation};
use crate::operations::sync_guard::{AffectedAccounts, SyncGuard, SyncProtection, SyncReads};
use crate::operations::{self, Currency, IdentityCheck};
use crate::ports::OrganizationsApi;

/// One delegated administrator is registered. Next: [`deregister`](Self::deregister).
impl<C> Integration<Delegated, C> {
    /// Returns the delegated administrator, with the state of its account.
    #[must_use]
    pub fn administrator(&self) -> &DelegatedAdministrator {
        &self.state.administrator
    }

    /// Returns AWS's date of the enabling, which distinguishes it from a later enabling.
    #[must_use]
    pub fn enabled_at(&self) -> Option<SystemTime> {
        self.state.access.enabled_at
    }

    /// Deregisters the delegated administrator.
    ///
    /// AWS's documents say that deregistering deletes the organization's syncs that the account
    /// created. Only that account can see these syncs. `syncs` chooses how to treat them. Systems
    /// Manager's other uses of the delegation, such as Change Manager's, end too.
    ///
    /// # Expected flow
    ///
    /// 1. Concurrently, before each attempt to write: `ListDelegatedAdministrators`. Under
    ///    [`SyncProtection::Protect`] also `GetCallerIdentity` with each client, and
    ///    `ListResourceDataSync` in each Region with the clients of the administrator's account.
    /// 2. `DeregisterDelegatedAdministrator` for `ssm.amazonaws.com`.
    /// 3. `ListDelegatedAdministrators` until the account is no longer listed.
    ///
    /// # Guarantees
    ///
    /// The write is sent once. It is sent again only if AWS's refusal contradicts a registration
    /// that AWS has just shown, because such a refusal is stale. After a lost response, only reads
    /// decide. If the account was deregistered by someone else, the call succeeds and records no
    /// change.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # Errors
    ///
    /// Before a write: [`InvalidInput`](crate::ErrorKind::InvalidInput) if `syncs` protects
    /// nothing, [`NotManagementAccount`](crate::ErrorKind::NotManagementAccount),
    /// [`AlreadyDelegated`](crate::ErrorKind::AlreadyDelegated) if another account was registered,
    /// [`DataSyncsExist`](crate::ErrorKind::DataSyncsExist), and
    /// [`DataSyncsNotChecked`](crate::ErrorKind::DataSyncsNotChecked) if the administrator's syncs
    /// could not be checked. Afterwards: AWS's refusal,
    /// [`TrustedAccessDisabled`](crate::ErrorKind::TrustedAccessDisabled) if that explains the
    /// refusal, [`StateChanged`](crate::ErrorKind::StateChanged),
    /// [`ResponseLost`](crate::ErrorKind::ResponseLost) or
    /// [`WaitTimeout`](crate::ErrorKind::WaitTimeout).
    ///
    /// # IAM permissions
    ///
    /// `organizations:DeregisterDelegatedAdministrator` on the account, those of
    /// [`observe`](Integration::observe), and `ssm:ListResourceDataSync` for the clients in
    /// `syncs`. AWS: [Deregister an Explorer delegated
    /// administrator](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator-deregister.html).
    #[doc(alias = "DeregisterDelegatedAdministrator")]
    #[doc(alias = "deregister_delegated_administrator")]
    pub async fn deregister(self, syncs: SyncProtection<'_>) -> Transition<Delegated, TrustedAccess, C>
    where
        C: OrganizationsApi,
    {
        let account = self.state.administrator.account;
        let affected = AffectedAccounts::organization_syncs_of(vec![account]);
        let reads = SyncReads::of(syncs);
        self.deregister_guarded(SyncGuard::by_caller(syncs, &reads), &affected).await
    }

    /// Deregisters the administrator as the first of several steps that also affect other accounts'
    /// syncs.
    pub(crate) async fn deregister_guarded(
        mut self,
        guard: SyncGuard<'_>,
        affected: &AffectedAccounts,
    ) -> Transition<Delegated, TrustedAccess, C>
    where
        C: OrganizationsApi,
    {
        let account = self.state.administrator.account;
        let before = self.status();
        let context = &mut self.context();
        let (identity, currency) = (IdentityCheck::Any, Currency::Unknown);
        let outcome = operations::deregister(context, &before, account, guard, affected, identity, currency).await;
        self.finish(Operation::DeregisterDelegatedAdministrator, Some(account), outcome, |observed| match observed {
            Observed::TrustedAccess(handle) => Ok(handle),
            other => Err(Box::new(other)),
        })
    }
}
