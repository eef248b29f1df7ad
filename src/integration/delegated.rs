use std::time::SystemTime;

use super::{Integration, Transition};
use crate::observed::Observed;
use crate::operations::{self, Dates};
use crate::ports::{DelegatedAdministrator, Operation, OrganizationsApi};
use crate::state::{Delegated, TrustedAccess};
use crate::syncs::{Care, Endangered, Syncs};

/// One account administers: [`deregister`](Self::deregister).
impl<C> Integration<Delegated, C> {
    /// The account that administers Systems Manager, with its own state.
    #[must_use]
    pub fn administrator(&self) -> &DelegatedAdministrator {
        &self.state.administrator
    }

    /// AWS's date of the trust: what tells it from a later one.
    #[must_use]
    pub fn trusted_since(&self) -> Option<SystemTime> {
        self.state.access.since
    }

    /// Takes the delegation from the account.
    ///
    /// AWS's documents say that the organization's syncs which that account created are deleted; only that account can see them. `syncs`
    /// says what to do about it. Systems Manager's other uses of the delegation, such as Change Manager's, end too.
    ///
    /// # Expected flow
    ///
    /// 1. At once, before every sending: `ListDelegatedAdministrators`, and under [`Syncs::Protect`] `GetCallerIdentity` with each client and
    ///    `ListResourceDataSync` in each Region with those of the administrator's account.
    /// 2. `DeregisterDelegatedAdministrator` for `ssm.amazonaws.com`.
    /// 3. `ListDelegatedAdministrators` until it is gone.
    ///
    /// # Guarantees
    ///
    /// The write is sent once, and again only when AWS's refusal contradicts a registration that it has just shown. After a lost
    /// reply only reads decide. An account that lost the delegation by other hands is success without a change of ours.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # Errors
    ///
    /// Before a write: [`InvalidInput`](crate::ErrorKind::InvalidInput) when `syncs` protects nothing,
    /// [`NotManagementAccount`](crate::ErrorKind::NotManagementAccount), [`OtherAdministrator`](crate::ErrorKind::OtherAdministrator) when
    /// another account became one, [`SyncsRemain`](crate::ErrorKind::SyncsRemain), and [`SyncsUnseen`](crate::ErrorKind::SyncsUnseen) when
    /// the administrator's syncs were not seen. Afterwards: AWS's refusal, [`TrustedAccessOff`](crate::ErrorKind::TrustedAccessOff) where
    /// that explains it, [`StateMoved`](crate::ErrorKind::StateMoved),
    /// [`Lost`](crate::ErrorKind::Lost) or [`NotSettled`](crate::ErrorKind::NotSettled).
    ///
    /// # IAM permissions
    ///
    /// `organizations:DeregisterDelegatedAdministrator` on the account, those of [`observe`](Integration::observe), and
    /// `ssm:ListResourceDataSync` for the clients in `syncs`. AWS:
    /// [Deregister an Explorer delegated administrator](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator-deregister.html).
    #[doc(alias = "DeregisterDelegatedAdministrator")]
    #[doc(alias = "deregister_delegated_administrator")]
    pub async fn deregister(self, syncs: Syncs<'_>) -> Transition<Delegated, TrustedAccess, C>
    where
        C: OrganizationsApi,
    {
        let account = self.state.administrator.account;
        let endangered = Endangered::of(vec![account]);
        self.deregister_where(syncs.into(), &endangered).await
    }

    /// The same as the first step of several, which endanger other accounts' syncs too.
    pub(crate) async fn deregister_where(
        mut self,
        care: Care<'_>,
        endangered: &Endangered,
    ) -> Transition<Delegated, TrustedAccess, C>
    where
        C: OrganizationsApi,
    {
        let account = self.state.administrator.account;
        let before = self.facts();
        let outcome = operations::deregister(&mut self.ground(), &before, account, care, endangered, Dates::Any).await;
        self.conclude(Operation::DeregisterDelegatedAdministrator, Some(account), outcome, |observed| match observed {
            Observed::TrustedAccess(handle) => Ok(handle),
            other => Err(Box::new(other)),
        })
    }
}
