//! The role with which Explorer looks at the organization.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use tracing::Instrument;

use crate::change::Change;
use crate::domain::AccountId;
use crate::error::{Error, ErrorKind};
use crate::integration::Integration;
use crate::journal::Journal;
use crate::observed::{Observed, each};
use crate::operations::role;
use crate::ports::{IamClient, Operation, Role};
use crate::state::{AnyState, Disabled, ObservedState};
use crate::syncs::{Endangered, Syncs};
use crate::trace::span;

/// The service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery` of one account: from [`Integration::account_discovery_role`].
///
/// Explorer's syncs of the organization run on it, in the management account. Its principal is `accountdiscovery.ssm.amazonaws.com`.
/// AWS's documents contradict each other on whether enabling trusted access makes it, so take it for possibly absent.
///
/// It borrows the handle, so that the state cannot move on meanwhile. What it changes stands in the handle's
/// [`changes`](Integration::changes).
pub struct AccountDiscoveryRole<'a, S, I: ?Sized> {
    iam: &'a I,
    management: AccountId,
    patience: Duration,
    journal: &'a mut Journal,
    state: PhantomData<fn() -> S>,
}

/// Names the account; the client need not be `Debug`.
impl<S, I: ?Sized> fmt::Debug for AccountDiscoveryRole<'_, S, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountDiscoveryRole").field("account", &self.management).finish_non_exhaustive()
    }
}

/// What became of a role that was to be there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RoleEnsured {
    /// It was there already.
    AlreadyThere(Role),
    /// It was created.
    Created(Role),
}

/// The service-linked role.
impl<S: ObservedState, C> Integration<S, C> {
    /// The role with which Explorer looks at the organization, in the account of this client: the management account. Makes no call.
    #[must_use]
    pub fn account_discovery_role<'a, I>(&'a mut self, iam: &'a I) -> AccountDiscoveryRole<'a, S, I>
    where
        I: IamClient + ?Sized,
    {
        self.role_through(iam)
    }

    fn role_through<'a, T, I: ?Sized>(&'a mut self, iam: &'a I) -> AccountDiscoveryRole<'a, T, I> {
        let management = self.organization().management_account;
        let (patience, journal) = self.patience_and_journal();
        AccountDiscoveryRole { iam, management, patience, journal, state: PhantomData }
    }
}

/// The service-linked role, whatever the state.
impl<C> Observed<C> {
    /// The role with which Explorer looks at the organization: to look up and to create, which every state offers. Makes no call.
    #[must_use]
    pub fn account_discovery_role<'a, I>(&'a mut self, iam: &'a I) -> AccountDiscoveryRole<'a, AnyState, I>
    where
        I: IamClient + ?Sized,
    {
        each!(self, handle => handle.role_through(iam))
    }
}

impl<S, I: IamClient + ?Sized> AccountDiscoveryRole<'_, S, I> {
    /// Refuses credentials that are known to be another account's than the management account's.
    pub(crate) async fn check_account(&self, operation: Operation) -> Result<Option<AccountId>, Error> {
        let caller = self.iam.get_caller_identity().await.ok().map(|identity| identity.account);
        match caller {
            Some(caller) if caller != self.management => {
                let kind = ErrorKind::NotManagementAccount { management: self.management };
                Err(Error::of(kind).at(operation).called_as(Some(caller)))
            }
            caller => Ok(caller),
        }
    }

    /// Notes what was changed.
    fn settle<T>(
        &mut self,
        caller: Option<AccountId>,
        (result, change): (Result<T, Error>, Option<Change>),
    ) -> Result<T, Error> {
        if let Some(change) = change {
            self.journal.record(change);
        }
        result.map_err(|error| error.called_as(caller))
    }

    /// Looks it up. `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`NotManagementAccount`](ErrorKind::NotManagementAccount), and that of `GetRole`: unknown is not absent.
    ///
    /// # IAM permissions
    ///
    /// `iam:GetRole` on the role. AWS:
    /// [Using roles to collect account information](https://docs.aws.amazon.com/systems-manager/latest/userguide/using-service-linked-roles-service-action-2.html).
    pub async fn look_up(&self) -> Result<Option<Role>, Error> {
        let caller = self.check_account(Operation::GetRole).await?;
        let span = span!("look_up_role", caller: caller);
        let found = role::look_up(self.iam, self.patience.into(), self.journal.own()).instrument(span).await;
        found.map_err(|error| error.called_as(caller))
    }

    /// Creates it, unless it is there. A sync of the organization that is created by a program needs it first.
    ///
    /// # Errors
    ///
    /// Before a write: [`NotManagementAccount`](ErrorKind::NotManagementAccount), and [`NotSettled`](ErrorKind::NotSettled) where this handle has had
    /// it deleted and AWS may still be at it. And those of `GetRole` and `CreateServiceLinkedRole`. A duplicate is a success, whatever AWS calls it: the
    /// crate looks again.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: look it up again.
    ///
    /// # IAM permissions
    ///
    /// `iam:GetRole` and `iam:CreateServiceLinkedRole` on the role; `iam:AWSServiceName` may limit the latter to
    /// `accountdiscovery.ssm.amazonaws.com`. AWS:
    /// [Using roles to collect account information](https://docs.aws.amazon.com/systems-manager/latest/userguide/using-service-linked-roles-service-action-2.html).
    #[doc(alias = "CreateServiceLinkedRole")]
    pub async fn ensure(&mut self) -> Result<RoleEnsured, Error> {
        let caller = self.check_account(Operation::CreateServiceLinkedRole).await?;
        let span = span!("ensure_role", caller: caller);
        let outcome = role::ensure(self.iam, self.patience.into(), self.journal.own()).instrument(span).await;
        let (role, there) = self.settle(caller, outcome)?;
        Ok(if there { RoleEnsured::AlreadyThere(role) } else { RoleEnsured::Created(role) })
    }
}

/// Where Systems Manager is not trusted.
impl<I: IamClient + ?Sized> AccountDiscoveryRole<'_, Disabled, I> {
    /// Deletes it, and waits for AWS to have done so. Answers the role as it was; `None` where there was none.
    ///
    /// AWS's guides want trusted access off and all of Explorer's syncs deleted first. Under [`Syncs::Protect`] the crate looks, with a client of the
    /// management account, and refuses while one remains: any of the management account's, those of a single account among them, and of the
    /// other accounts that it is given clients for, the organization's. AWS looks again in the background.
    ///
    /// # Errors
    ///
    /// Before a write: [`NotManagementAccount`](ErrorKind::NotManagementAccount), [`SyncsRemain`](crate::ErrorKind::SyncsRemain), [`SyncsUnseen`](crate::ErrorKind::SyncsUnseen). Afterwards
    /// [`RoleInUse`](crate::ErrorKind::RoleInUse) with AWS's reasons, which may pass within minutes, and
    /// [`NotSettled`](crate::ErrorKind::NotSettled) for a deletion that goes on beyond patience.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: look it up again. AWS goes on with a deletion that has begun.
    ///
    /// # IAM permissions
    ///
    /// `iam:GetRole`, `iam:DeleteServiceLinkedRole` and `iam:GetServiceLinkedRoleDeletionStatus` on the role, and
    /// `ssm:ListResourceDataSync` for the clients in `syncs`. AWS:
    /// [Using roles to collect account information](https://docs.aws.amazon.com/systems-manager/latest/userguide/using-service-linked-roles-service-action-2.html).
    #[doc(alias = "DeleteServiceLinkedRole")]
    pub async fn delete(&mut self, syncs: Syncs<'_>) -> Result<Option<Role>, Error> {
        let operation = Operation::DeleteServiceLinkedRole;
        syncs.check(operation)?;
        let caller = self.check_account(operation).await?;
        let endangered = Endangered { single_of: Some(self.management), ..Endangered::by_distrust(self.management) };
        syncs.guard(operation, &endangered, self.journal.own()).await?;
        let span = span!("delete_role", caller: caller);
        let outcome = role::delete(self.iam, self.patience.into(), self.journal.own()).instrument(span).await;
        self.settle(caller, outcome)
    }
}
