use super::observed::Observed;
use super::state::{Disabled, TrustedAccess};
use super::{Integration, Transition};
use crate::domain::Operation;
use crate::operations;
use crate::ports::OrganizationsApi;

/// Trusted access is disabled. Next: [`enable_trusted_access`](Self::enable_trusted_access).
impl<C> Integration<Disabled, C> {
    /// Enables trusted access for Systems Manager in the organization.
    ///
    /// AWS's documents differ on whether enabling creates the service-linked role
    /// `AWSServiceRoleForAmazonSSM_AccountDiscovery`: treat the role as possibly absent.
    ///
    /// # Expected flow
    ///
    /// 1. `DescribeOrganization`, only if the organization had consolidated billing only when
    ///    observed, because it may have all features by now.
    /// 2. `ListAWSServiceAccessForOrganization`, only if the observation is more than ten seconds
    ///    old. AWS accepts repeated enabling, so this read avoids recording someone else's enabling
    ///    as a change of this handle.
    /// 3. `EnableAWSServiceAccess` for `ssm.amazonaws.com`.
    /// 4. `ListAWSServiceAccessForOrganization` until the effect is visible.
    ///
    /// # Guarantees
    ///
    /// The write is sent once. After a lost response, only reads decide: if the effect is visible,
    /// the transition succeeds and [`changes`](Self::changes) marks the change as
    /// [`Unconfirmed`](crate::domain::Certainty::Unconfirmed). If someone else enabled trusted
    /// access in the meantime and AWS refuses the write, the transition succeeds and records no
    /// change.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # Errors
    ///
    /// Before a write: [`NotManagementAccount`](crate::ErrorKind::NotManagementAccount),
    /// [`NotAllFeatures`](crate::ErrorKind::NotAllFeatures). Afterwards: AWS's refusal,
    /// [`StateChanged`](crate::ErrorKind::StateChanged),
    /// [`ResponseLost`](crate::ErrorKind::ResponseLost) or
    /// [`WaitTimeout`](crate::ErrorKind::WaitTimeout).
    ///
    /// # IAM permissions
    ///
    /// `organizations:EnableAWSServiceAccess` on `*`, which `organizations:ServicePrincipal` may
    /// limit to `ssm.amazonaws.com`, and those of [`observe`](Integration::observe). AWS:
    /// [Permissions required to enable trusted
    /// access](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services.html#orgs_trusted_access_perms).
    #[doc(alias = "EnableAWSServiceAccess")]
    pub async fn enable_trusted_access(mut self) -> Transition<Disabled, TrustedAccess, C>
    where
        C: OrganizationsApi,
    {
        let before = self.status();
        let outcome = operations::enable(&mut self.context(), &before).await;
        self.finish(Operation::EnableAwsServiceAccess, None, outcome, |observed| match observed {
            Observed::TrustedAccess(handle) => Ok(handle),
            other => Err(Box::new(other)),
        })
    }
}
