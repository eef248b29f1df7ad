use std::time::SystemTime;

use super::observed::Observed;
use super::state::{Delegated, Disabled, TrustedAccess};
use super::{Integration, Transition};
use crate::domain::{AccountId, Operation, ServiceStatus};
use crate::operations::sync_guard::{AffectedAccounts, SyncGuard, SyncProtection, SyncReads};
use crate::operations::{self, Completed, Currency, OperationFailure};
use crate::ports::OrganizationsApi;

/// Trusted access is enabled, and no administrator is registered. Next:
/// [`register_delegated_administrator`](Self::register_delegated_administrator) or
/// [`disable`](Self::disable).
impl<C> Integration<TrustedAccess, C> {
    /// Returns AWS's date of the enabling, which distinguishes it from a later enabling.
    #[must_use]
    pub fn enabled_at(&self) -> Option<SystemTime> {
        self.state.access.enabled_at
    }

    /// Registers a member account as the delegated administrator of Systems Manager in the
    /// organization.
    ///
    /// The account administers all of Systems Manager: Explorer, Change Manager and OpsCenter.
    ///
    /// # Expected flow
    ///
    /// 1. `DescribeAccount`: the account must be an active member. One call, regardless of the
    ///    number of accounts. `DescribeOrganization` precedes it only if the organization had
    ///    consolidated billing only when observed.
    /// 2. `RegisterDelegatedAdministrator` for `ssm.amazonaws.com`.
    /// 3. `ListDelegatedAdministrators` until the account is listed.
    ///
    /// # Guarantees
    ///
    /// The write is sent once. It is sent again only if AWS's refusal contradicts a change that AWS
    /// has just made for this handle (enabling or deregistering), because such a refusal is stale.
    /// After a lost response, only reads decide.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # Errors
    ///
    /// Before a write: [`NotManagementAccount`](crate::ErrorKind::NotManagementAccount),
    /// [`NotAllFeatures`](crate::ErrorKind::NotAllFeatures),
    /// [`IsManagementAccount`](crate::ErrorKind::IsManagementAccount),
    /// [`AccountNotFound`](crate::ErrorKind::AccountNotFound),
    /// [`AccountNotActive`](crate::ErrorKind::AccountNotActive). Afterwards:
    /// [`AlreadyDelegated`](crate::ErrorKind::AlreadyDelegated),
    /// [`TrustedAccessDisabled`](crate::ErrorKind::TrustedAccessDisabled) and AWS's other refusals,
    /// [`StateChanged`](crate::ErrorKind::StateChanged),
    /// [`ResponseLost`](crate::ErrorKind::ResponseLost) or
    /// [`WaitTimeout`](crate::ErrorKind::WaitTimeout).
    ///
    /// # IAM permissions
    ///
    /// `organizations:RegisterDelegatedAdministrator` and `organizations:DescribeAccount` on the
    /// account, and those of [`observe`](Integration::observe). AWS: [Configuring a delegated
    /// administrator](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator.html).
    #[doc(alias = "RegisterDelegatedAdministrator")]
    pub async fn register_delegated_administrator(
        mut self,
        account: AccountId,
    ) -> Transition<TrustedAccess, Delegated, C>
    where
        C: OrganizationsApi,
    {
        let before = self.status();
        let outcome = register_after_checks(&mut self, &before, account).await;
        self.finish_delegated(account, outcome)
    }

    /// Registers an account that has been checked already.
    pub(crate) async fn register_prechecked(mut self, account: AccountId) -> Transition<TrustedAccess, Delegated, C>
    where
        C: OrganizationsApi,
    {
        let before = self.status();
        let outcome = operations::register(&mut self.context(), &before, account).await;
        self.finish_delegated(account, outcome)
    }

    fn finish_delegated(
        self,
        account: AccountId,
        outcome: Result<Completed, OperationFailure>,
    ) -> Transition<TrustedAccess, Delegated, C> {
        self.finish(Operation::RegisterDelegatedAdministrator, Some(account), outcome, |observed| match observed {
            Observed::Delegated(handle) => Ok(handle),
            other => Err(Box::new(other)),
        })
    }

    /// Disables trusted access for Systems Manager.
    ///
    /// Syncs of the organization stop working in every account; `syncs` chooses how to treat them.
    /// The service-linked role remains. For a second enabling, AWS documents only that a new sync
    /// must be created.
    ///
    /// # Expected flow
    ///
    /// 1. `ListAWSServiceAccessForOrganization`, only if the observation is more than ten seconds
    ///    old, as for enabling.
    /// 2. Concurrently, before each attempt to write: `ListDelegatedAdministrators`, because an
    ///    account may have been registered since. Under [`SyncProtection::Protect`] also
    ///    `GetCallerIdentity` and `ListResourceDataSync` with each client in each Region.
    /// 3. `DisableAWSServiceAccess` for `ssm.amazonaws.com`.
    /// 4. `ListAWSServiceAccessForOrganization` until the service is no longer listed.
    ///
    /// # Guarantees
    ///
    /// The write is sent once. It is sent again only if AWS's refusal contradicts a deregistration
    /// by this handle, because such a refusal is stale. After a lost response, only reads decide.
    /// If someone else disabled trusted access, the call succeeds and records no change. Trusted
    /// access of other services is not changed.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # Errors
    ///
    /// Before a write: [`InvalidInput`](crate::ErrorKind::InvalidInput) if `syncs` protects
    /// nothing, [`NotManagementAccount`](crate::ErrorKind::NotManagementAccount),
    /// [`AlreadyDelegated`](crate::ErrorKind::AlreadyDelegated),
    /// [`DataSyncsExist`](crate::ErrorKind::DataSyncsExist), and
    /// [`DataSyncsNotChecked`](crate::ErrorKind::DataSyncsNotChecked) if the management account's
    /// own syncs could not be checked. Afterwards as for enabling.
    ///
    /// # IAM permissions
    ///
    /// `organizations:DisableAWSServiceAccess` on `*`, which `organizations:ServicePrincipal` may
    /// limit, those of [`observe`](Integration::observe), and `ssm:ListResourceDataSync` for the
    /// clients in `syncs`. AWS: [Permissions required to disable trusted
    /// access](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services.html#orgs_trusted_access_disable_perms).
    #[doc(alias = "DisableAWSServiceAccess")]
    #[doc(alias = "disable_trusted_access")]
    pub async fn disable(self, syncs: SyncProtection<'_>) -> Transition<TrustedAccess, Disabled, C>
    where
        C: OrganizationsApi,
    {
        let reads = SyncReads::of(syncs);
        self.disable_guarded(SyncGuard::by_caller(syncs, &reads), Currency::Unknown).await
    }

    pub(crate) async fn disable_guarded(
        mut self,
        guard: SyncGuard<'_>,
        currency: Currency,
    ) -> Transition<TrustedAccess, Disabled, C>
    where
        C: OrganizationsApi,
    {
        let before = self.status();
        let management = self.organization().management_account;
        let affected = AffectedAccounts::by_disabling_trusted_access(management);
        let outcome = operations::disable(&mut self.context(), &before, guard, &affected, currency).await;
        self.finish(Operation::DisableAwsServiceAccess, None, outcome, |observed| match observed {
            Observed::Disabled(handle) => Ok(handle),
            other => Err(Box::new(other)),
        })
    }
}

async fn register_after_checks<C: OrganizationsApi>(
    handle: &mut Integration<TrustedAccess, C>,
    before: &ServiceStatus,
    account: AccountId,
) -> Result<Completed, OperationFailure> {
    let mut context = handle.context();
    operations::check_candidate(&context, account).await.map_err(OperationFailure::Unchanged)?;
    operations::register(&mut context, before, account).await
}
