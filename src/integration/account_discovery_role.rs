//! Service-linked role that Explorer uses to read the organization.

use std::fmt;
use std::marker::PhantomData;

use tracing::Instrument;

use super::Integration;
use super::observed::{Observed, with_handle};
use super::state::{AnyState, Disabled, ObservedState};
use crate::domain::{AccountId, Change, EnsureOutcome, Operation, Role};
use crate::error::{Error, ErrorKind};
use crate::observation::caller_account;
use crate::operations::sync_guard::{AffectedAccounts, SyncProtection};
use crate::operations::{ChangeLog, KnownRead, service_linked_role};
use crate::ports::IamClient;
use crate::trace::span;
use crate::wait::WaitPolicy;

/// The service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery` of one account, returned
/// by [`Integration::account_discovery_role`].
///
/// Explorer's syncs of the organization need this role in the management account. The role's
/// service principal is `accountdiscovery.ssm.amazonaws.com`. AWS's documents contradict each other
/// on whether enabling trusted access creates the role, so treat the role as possibly absent.
///
/// The value borrows the handle, so the handle's state cannot change while the value exists. Its
/// changes are recorded in the handle's [`changes`](Integration::changes).
pub struct AccountDiscoveryRole<'a, S, I: ?Sized> {
    iam: &'a I,
    management: AccountId,
    wait_policy: WaitPolicy<'a>,
    change_log: &'a mut ChangeLog,
    state: PhantomData<fn() -> S>,
}

/// Prints the account; the client need not be `Debug`.
impl<S, I: ?Sized> fmt::Debug for AccountDiscoveryRole<'_, S, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountDiscoveryRole").field("account", &self.management).finish_non_exhaustive()
    }
}

/// Access to the service-linked role.
impl<S: ObservedState, C> Integration<S, C> {
    /// Returns the role that Explorer uses to read the organization, in the account of this client,
    /// which must be the management account. Makes no call.
    #[must_use]
    pub fn account_discovery_role<'a, I>(&'a mut self, iam: &'a I) -> AccountDiscoveryRole<'a, S, I>
    where
        I: IamClient + ?Sized,
    {
        self.role_through(iam)
    }

    fn role_through<'a, T, I: ?Sized>(&'a mut self, iam: &'a I) -> AccountDiscoveryRole<'a, T, I> {
        let management = self.organization().management_account;
        let (_, wait_policy, change_log) = self.client_policy_and_log();
        AccountDiscoveryRole { iam, management, wait_policy, change_log, state: PhantomData }
    }
}

/// Access to the service-linked role in every observed state.
impl<C> Observed<C> {
    /// Returns the role that Explorer uses to read the organization. Every state offers reading and
    /// creating the role. Makes no call.
    #[must_use]
    pub fn account_discovery_role<'a, I>(&'a mut self, iam: &'a I) -> AccountDiscoveryRole<'a, AnyState, I>
    where
        I: IamClient + ?Sized,
    {
        with_handle!(self, handle => handle.role_through(iam))
    }
}

impl<S, I: IamClient + ?Sized> AccountDiscoveryRole<'_, S, I> {
    /// Refuses credentials that are known to belong to an account other than the management
    /// account.
    pub(crate) async fn check_account(&self, operation: Operation) -> Result<Option<AccountId>, Error> {
        check_management(self.iam, self.management, operation, self.wait_policy).await
    }

    /// Records the change, if any, and adds the caller to an error.
    fn record_result<T>(
        &mut self,
        caller: Option<AccountId>,
        (result, change): (Result<T, Error>, Option<Change>),
    ) -> Result<T, Error> {
        if let Some(change) = change {
            self.change_log.record(change);
        }
        result.map_err(|error| error.with_caller(caller))
    }

    /// Returns the role, or `None` if the role does not exist.
    ///
    /// # Errors
    ///
    /// [`NotManagementAccount`](ErrorKind::NotManagementAccount), and the errors of `GetRole`. A
    /// failed read does not count as absence.
    ///
    /// # IAM permissions
    ///
    /// `iam:GetRole` on the role. AWS: [Using roles to collect account
    /// information](https://docs.aws.amazon.com/systems-manager/latest/userguide/using-service-linked-roles-service-action-2.html).
    pub async fn get(&self) -> Result<Option<Role>, Error> {
        let caller = self.check_account(Operation::GetRole).await?;
        let span = span!("look_up_role", caller: caller);
        let found = service_linked_role::get(self.iam, self.wait_policy, self.change_log.local_changes())
            .instrument(span)
            .await;
        found.map_err(|error| error.with_caller(caller))
    }

    /// Creates the role if it does not exist. A program that creates a sync of the organization
    /// must create the role first.
    ///
    /// # Errors
    ///
    /// Before a write: [`NotManagementAccount`](ErrorKind::NotManagementAccount), and
    /// [`WaitTimeout`](ErrorKind::WaitTimeout) if this handle requested a deletion of the role that
    /// AWS may still be running. Also the errors of `GetRole` and `CreateServiceLinkedRole`. A
    /// duplicate counts as success, regardless of the code that AWS returns: the crate reads the
    /// role again.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: read the role again.
    ///
    /// # IAM permissions
    ///
    /// `iam:GetRole` and `iam:CreateServiceLinkedRole` on the role; `iam:AWSServiceName` may limit
    /// the latter to `accountdiscovery.ssm.amazonaws.com`. AWS: [Using roles to collect account
    /// information](https://docs.aws.amazon.com/systems-manager/latest/userguide/using-service-linked-roles-service-action-2.html).
    #[doc(alias = "CreateServiceLinkedRole")]
    pub async fn ensure(&mut self) -> Result<EnsureOutcome<Role>, Error> {
        let caller = self.check_account(Operation::CreateServiceLinkedRole).await?;
        self.ensure_known(caller, KnownRead::none()).await
    }

    /// Ensures the role as [`ensure`](Self::ensure) does, for a caller that was checked.
    pub(crate) async fn ensure_known(
        &mut self,
        caller: Option<AccountId>,
        known: KnownRead<Option<Role>>,
    ) -> Result<EnsureOutcome<Role>, Error> {
        let span = span!("ensure_role", caller: caller);
        let local_changes = self.change_log.local_changes();
        let outcome =
            service_linked_role::ensure(self.iam, self.wait_policy, local_changes, known).instrument(span).await;
        let (role, there) = self.record_result(caller, outcome)?;
        Ok(if there { EnsureOutcome::Unchanged(role) } else { EnsureOutcome::Created(role) })
    }
}

/// Deletion of the role, offered while trusted access is disabled.
impl<I: IamClient + ?Sized> AccountDiscoveryRole<'_, Disabled, I> {
    /// Deletes the role and waits until AWS has deleted the role. Returns the role as it was
    /// before, or `None` if the role did not exist.
    ///
    /// AWS's guides require trusted access to be disabled and all of Explorer's syncs to be deleted
    /// first. Under [`SyncProtection::Protect`] the crate lists the syncs with a client of the
    /// management account and refuses while one remains. Every sync of the management account
    /// counts, including those of a single account. In the other accounts with a client in `syncs`,
    /// only the organization's syncs count. AWS checks again in the background.
    ///
    /// # Errors
    ///
    /// Before a write: [`NotManagementAccount`](ErrorKind::NotManagementAccount),
    /// [`DataSyncsExist`](crate::ErrorKind::DataSyncsExist),
    /// [`DataSyncsNotChecked`](crate::ErrorKind::DataSyncsNotChecked). Afterwards:
    /// [`RoleInUse`](crate::ErrorKind::RoleInUse) with AWS's reasons, which may pass within
    /// minutes, and [`WaitTimeout`](crate::ErrorKind::WaitTimeout) for a deletion that exceeds the
    /// wait timeout.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: read the role again. AWS continues a deletion that has started.
    ///
    /// # IAM permissions
    ///
    /// `iam:GetRole`, `iam:DeleteServiceLinkedRole` and `iam:GetServiceLinkedRoleDeletionStatus` on
    /// the role, and `ssm:ListResourceDataSync` for the clients in `syncs`. AWS: [Using roles to
    /// collect account
    /// information](https://docs.aws.amazon.com/systems-manager/latest/userguide/using-service-linked-roles-service-action-2.html).
    #[doc(alias = "DeleteServiceLinkedRole")]
    pub async fn delete(&mut self, syncs: SyncProtection<'_>) -> Result<Option<Role>, Error> {
        let operation = Operation::DeleteServiceLinkedRole;
        syncs.check(operation)?;
        let caller = self.check_account(operation).await?;
        let affected = AffectedAccounts {
            include_single_account: Some(self.management),
            ..AffectedAccounts::by_disabling_trusted_access(self.management)
        };
        syncs.guard(operation, &affected, self.change_log.local_changes(), self.wait_policy).await?;
        let span = span!("delete_role", caller: caller);
        let outcome = service_linked_role::delete(self.iam, self.wait_policy, self.change_log.local_changes())
            .instrument(span)
            .await;
        self.record_result(caller, outcome)
    }
}

/// Refuses a client that is known to belong to an account other than the management account.
pub(crate) async fn check_management<I: IamClient + ?Sized>(
    iam: &I,
    management: AccountId,
    operation: Operation,
    policy: WaitPolicy<'_>,
) -> Result<Option<AccountId>, Error> {
    match caller_account(iam, policy).await.ok() {
        Some(caller) if caller != management => {
            let kind = ErrorKind::NotManagementAccount { management };
            Err(Error::new(kind).with_operation(operation).with_caller(Some(caller)))
        }
        caller => Ok(caller),
    }
}
