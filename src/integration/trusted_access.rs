use std::time::SystemTime;

use super::{Integration, Transition};
use crate::domain::AccountId;
use crate::observation::Facts;
use crate::observed::Observed;
use crate::operations::{self, Done, Setback};
use crate::ports::{Operation, OrganizationsApi};
use crate::state::{Delegated, Disabled, TrustedAccess};
use crate::syncs::{Endangered, Syncs};

/// Trusted, and nobody administers: [`register_delegated_administrator`](Self::register_delegated_administrator) or
/// [`disable`](Self::disable).
impl<C> Integration<TrustedAccess, C> {
    /// AWS's date of the trust: what tells it from a later one.
    #[must_use]
    pub fn trusted_since(&self) -> Option<SystemTime> {
        self.state.access.since
    }

    /// Makes a member account the administrator of Systems Manager in the organization.
    ///
    /// One account administers all of Systems Manager: Explorer, Change Manager and OpsCenter alike.
    ///
    /// # Expected flow
    ///
    /// 1. `DescribeAccount`: a member, and active. One call, however many accounts there are. `DescribeOrganization` before it, only
    ///    where the organization had consolidated billing only.
    /// 2. `RegisterDelegatedAdministrator` for `ssm.amazonaws.com`.
    /// 3. `ListDelegatedAdministrators` until it shows.
    ///
    /// # Guarantees
    ///
    /// The write is sent once, and again only when AWS's refusal contradicts what it has just done for this handle (enabling, or
    /// deregistering): that refusal is only late. After a lost reply only reads decide.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # Errors
    ///
    /// Before a write: [`NotManagementAccount`](crate::ErrorKind::NotManagementAccount), [`NotAllFeatures`](crate::ErrorKind::NotAllFeatures),
    /// [`IsManagementAccount`](crate::ErrorKind::IsManagementAccount), [`NotAMember`](crate::ErrorKind::NotAMember),
    /// [`NotActive`](crate::ErrorKind::NotActive). Afterwards: [`OtherAdministrator`](crate::ErrorKind::OtherAdministrator),
    /// [`TrustedAccessOff`](crate::ErrorKind::TrustedAccessOff) and AWS's other refusals, [`StateMoved`](crate::ErrorKind::StateMoved), [`Lost`](crate::ErrorKind::Lost) or
    /// [`NotSettled`](crate::ErrorKind::NotSettled).
    ///
    /// # IAM permissions
    ///
    /// `organizations:RegisterDelegatedAdministrator` and `organizations:DescribeAccount` on the account, and those of
    /// [`observe`](Integration::observe). AWS:
    /// [Configuring a delegated administrator](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator.html).
    #[doc(alias = "RegisterDelegatedAdministrator")]
    pub async fn register_delegated_administrator(
        mut self,
        account: &AccountId,
    ) -> Transition<TrustedAccess, Delegated, C>
    where
        C: OrganizationsApi,
    {
        let before = self.facts();
        let outcome = register_after_checks(&mut self, &before, *account).await;
        self.conclude_delegated(*account, outcome)
    }

    /// Registers an account that has been looked at.
    pub(crate) async fn register_checked(mut self, account: AccountId) -> Transition<TrustedAccess, Delegated, C>
    where
        C: OrganizationsApi,
    {
        let before = self.facts();
        let outcome = operations::register(&mut self.ground(), &before, account).await;
        self.conclude_delegated(account, outcome)
    }

    fn conclude_delegated(
        self,
        account: AccountId,
        outcome: Result<Done, Setback>,
    ) -> Transition<TrustedAccess, Delegated, C> {
        self.conclude(Operation::RegisterDelegatedAdministrator, Some(account), outcome, |observed| match observed {
            Observed::Delegated(handle) => Ok(handle),
            other => Err(Box::new(other)),
        })
    }

    /// Trusts Systems Manager no longer.
    ///
    /// Syncs of the organization stop working, in whatever account they are: `syncs` says what to do about them. The service-linked
    /// role stays. AWS gives no promise about a second enabling beyond that a new sync must be created.
    ///
    /// # Expected flow
    ///
    /// 1. `ListAWSServiceAccessForOrganization`, only where the observation is more than ten seconds old, as for enabling.
    /// 2. At once, before every sending: `ListDelegatedAdministrators`, because an account may have been registered since, and under [`Syncs::Protect`]
    ///    `GetCallerIdentity` and `ListResourceDataSync` with each client in each Region.
    /// 3. `DisableAWSServiceAccess` for `ssm.amazonaws.com`.
    /// 4. `ListAWSServiceAccessForOrganization` until it is gone.
    ///
    /// # Guarantees
    ///
    /// The write is sent once, and again only when AWS's refusal contradicts a deregistration by this handle: that refusal is only late.
    /// After a lost reply only reads decide. Trust that went by other hands is success without a change of ours. No other service's trust is
    /// touched.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # Errors
    ///
    /// Before a write: [`InvalidInput`](crate::ErrorKind::InvalidInput) when `syncs` protects nothing,
    /// [`NotManagementAccount`](crate::ErrorKind::NotManagementAccount), [`OtherAdministrator`](crate::ErrorKind::OtherAdministrator),
    /// [`SyncsRemain`](crate::ErrorKind::SyncsRemain), and [`SyncsUnseen`](crate::ErrorKind::SyncsUnseen) when the management account's
    /// own syncs were not seen. Afterwards as for enabling.
    ///
    /// # IAM permissions
    ///
    /// `organizations:DisableAWSServiceAccess` on `*`, which `organizations:ServicePrincipal` may limit, those of
    /// [`observe`](Integration::observe), and `ssm:ListResourceDataSync` for the clients in `syncs`. AWS:
    /// [Permissions required to disable trusted access](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services.html#orgs_trusted_access_disable_perms).
    #[doc(alias = "DisableAWSServiceAccess")]
    #[doc(alias = "disable_trusted_access")]
    pub async fn disable(mut self, syncs: Syncs<'_>) -> Transition<TrustedAccess, Disabled, C>
    where
        C: OrganizationsApi,
    {
        let before = self.facts();
        let management = self.organization().management_account;
        let endangered = Endangered::by_distrust(management);
        let outcome = operations::disable(&mut self.ground(), &before, syncs.into(), &endangered).await;
        self.conclude(Operation::DisableAwsServiceAccess, None, outcome, |observed| match observed {
            Observed::Disabled(handle) => Ok(handle),
            other => Err(Box::new(other)),
        })
    }
}

async fn register_after_checks<C: OrganizationsApi>(
    handle: &mut Integration<TrustedAccess, C>,
    before: &Facts,
    account: AccountId,
) -> Result<Done, Setback> {
    let mut ground = handle.ground();
    operations::candidate(&ground, account).await.map_err(Setback::Unchanged)?;
    operations::register(&mut ground, before, account).await
}
