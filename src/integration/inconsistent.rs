use super::Integration;
use super::failure::{Recovered, TransitionError};
use super::observed::Observed;
use super::state::Inconsistent;
use crate::domain::{AccountId, DelegatedAdministrator, EnabledService, Operation, ServiceStatus};
use crate::error::ErrorKind;
use crate::operations::sync_guard::{AffectedAccounts, SyncGuard, SyncProtection, SyncReads};
use crate::operations::{self, Currency, IdentityCheck, OperationFailure};
use crate::ports::OrganizationsApi;

/// Several administrators are registered, or trusted access is disabled with an administrator
/// registered. Next: [`retain_only`](Self::retain_only),
/// [`remove_all_administrators`](Self::remove_all_administrators) or
/// [`restore_trusted_access`](Self::restore_trusted_access).
impl<C> Integration<Inconsistent, C> {
    /// Returns Systems Manager's entry among the services with trusted access, if present.
    #[must_use]
    pub fn enabled_service(&self) -> Option<&EnabledService> {
        self.state.facts.trusted_access.as_ref()
    }

    /// Returns the delegated administrators of Systems Manager, with the states of their accounts.
    #[must_use]
    pub fn administrators(&self) -> &[DelegatedAdministrator] {
        &self.state.facts.administrators
    }

    /// Deregisters every administrator but one, each as [`deregister`](Integration::deregister)
    /// does, in the order that AWS returns.
    ///
    /// Leads to `Delegated`, or remains inconsistent if trusted access is disabled.
    ///
    /// # Errors
    ///
    /// [`NotDelegatedAdministrator`](ErrorKind::NotDelegatedAdministrator) before a write, after
    /// another read, and the errors of [`deregister`](Integration::deregister). Deregistrations
    /// before a failure are not reverted and are recorded in [`changes`](Integration::changes).
    ///
    /// # Expected flow, guarantees, cancel safety, IAM permissions, AWS's page
    ///
    /// As for [`deregister`](Integration::deregister), for each account.
    pub async fn retain_only(
        mut self,
        account: AccountId,
        syncs: SyncProtection<'_>,
    ) -> Result<Observed<C>, TransitionError<Self>>
    where
        C: OrganizationsApi,
    {
        if self.state.facts.administrator(account).is_none() {
            let before = self.status();
            let operation = Operation::DeregisterDelegatedAdministrator;
            let why = |now: &ServiceStatus| match now.administrator(account) {
                None => ErrorKind::NotDelegatedAdministrator,
                Some(_) => ErrorKind::StateChanged,
            };
            let failure = operations::refuse_after_reread(&self.context(), &before, operation, account, why).await;
            return Err(self.into_failure(failure));
        }
        let mut others = self.state.facts.accounts();
        others.retain(|other| *other != account);
        let affected = AffectedAccounts::organization_syncs_of(others.clone());
        self.deregister_accounts(&others, syncs, &affected).await
    }

    /// Deregisters every administrator, each as [`deregister`](Integration::deregister) does, in
    /// the order that AWS returns.
    ///
    /// Leads to `TrustedAccess`, or to `Disabled` if trusted access is disabled.
    ///
    /// # Errors
    ///
    /// Those of [`deregister`](Integration::deregister). Deregistrations before a failure are not
    /// reverted and are recorded in [`changes`](Integration::changes).
    ///
    /// # Expected flow, guarantees, cancel safety, IAM permissions, AWS's page
    ///
    /// As for [`deregister`](Integration::deregister), for each account.
    pub async fn remove_all_administrators(
        self,
        syncs: SyncProtection<'_>,
    ) -> Result<Observed<C>, TransitionError<Self>>
    where
        C: OrganizationsApi,
    {
        let accounts = self.state.facts.accounts();
        let affected = AffectedAccounts::organization_syncs_of(accounts.clone());
        self.deregister_accounts(&accounts, syncs, &affected).await
    }

    /// Enables trusted access again while an administrator is still registered. Removes nothing.
    ///
    /// Leads to `Delegated`, or remains inconsistent if several administrators are registered. If
    /// trusted access is enabled, the method changes nothing.
    ///
    /// # Errors
    ///
    /// Those of [`enable_trusted_access`](Integration::enable_trusted_access).
    ///
    /// # Expected flow, guarantees, cancel safety, IAM permissions, AWS's page
    ///
    /// As for [`enable_trusted_access`](Integration::enable_trusted_access).
    pub async fn restore_trusted_access(mut self) -> Result<Observed<C>, TransitionError<Self>>
    where
        C: OrganizationsApi,
    {
        if self.state.facts.trusted_access.is_some() {
            return Ok(Observed::Inconsistent(self));
        }
        let before = self.status();
        let outcome = operations::enable(&mut self.context(), &before).await;
        self.finish_any(outcome)
    }

    /// Deregisters these accounts one after the other. The first step checks all syncs that any
    /// step affects.
    pub(crate) async fn deregister_accounts(
        mut self,
        accounts: &[AccountId],
        syncs: SyncProtection<'_>,
        affected: &AffectedAccounts,
    ) -> Result<Observed<C>, TransitionError<Self>>
    where
        C: OrganizationsApi,
    {
        let mut before = self.status();
        let mut affected = affected.clone();
        let mut removed = false;
        let reads = SyncReads::of(syncs);
        for account in accounts {
            let outcome = operations::deregister(
                &mut self.context(),
                &before,
                *account,
                SyncGuard::by_caller(syncs, &reads),
                &affected,
                IdentityCheck::Any,
                Currency::Unknown,
            )
            .await;
            match outcome {
                Ok(done) => before = done.status,
                // After a deregistration, the handle's former state no longer holds because of an
                // own change, not because of a read.
                Err(OperationFailure::Unchanged(error)) if removed => {
                    return Err(TransitionError::new(error, Recovered::Changed(self.after_own_change(before))));
                }
                Err(failure) => return Err(self.into_failure(failure)),
            }
            removed = true;
            affected.required.retain(|other| other != account);
        }
        Ok(self.after_own_change(before))
    }
}
