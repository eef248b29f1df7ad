use super::{Integration, Transition};
use crate::observed::Observed;
use crate::operations;
use crate::ports::{Operation, OrganizationsApi};
use crate::state::{Disabled, TrustedAccess};

/// Systems Manager is not trusted: [`enable_trusted_access`](Self::enable_trusted_access).
impl<C> Integration<Disabled, C> {
    /// Trusts Systems Manager in the organization.
    ///
    /// AWS's documents differ on whether this makes the service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery`:
    /// take it for possibly absent.
    ///
    /// # Expected flow
    ///
    /// 1. `DescribeOrganization`, only where the organization had consolidated billing only: it may have all features by now.
    /// 2. `ListAWSServiceAccessForOrganization`, only where the observation is more than ten seconds old: what others have enabled since is not taken
    ///    for ours. AWS accepts it once more.
    /// 3. `EnableAWSServiceAccess` for `ssm.amazonaws.com`.
    /// 4. `ListAWSServiceAccessForOrganization` until it shows.
    ///
    /// # Guarantees
    ///
    /// The write is sent once. After a lost reply only reads decide: if the effect shows, the transition has succeeded, and
    /// [`changes`](Self::changes) says "maybe". If somebody else enabled it meanwhile and AWS refuses, it has succeeded without a change of ours.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # Errors
    ///
    /// Before a write: [`NotManagementAccount`](crate::ErrorKind::NotManagementAccount), [`NotAllFeatures`](crate::ErrorKind::NotAllFeatures).
    /// Afterwards: AWS's refusal, [`StateMoved`](crate::ErrorKind::StateMoved), [`Lost`](crate::ErrorKind::Lost) or
    /// [`NotSettled`](crate::ErrorKind::NotSettled).
    ///
    /// # IAM permissions
    ///
    /// `organizations:EnableAWSServiceAccess` on `*`, which `organizations:ServicePrincipal` may limit to `ssm.amazonaws.com`, and those of
    /// [`observe`](Integration::observe). AWS:
    /// [Permissions required to enable trusted access](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services.html#orgs_trusted_access_perms).
    #[doc(alias = "EnableAWSServiceAccess")]
    pub async fn enable_trusted_access(mut self) -> Transition<Disabled, TrustedAccess, C>
    where
        C: OrganizationsApi,
    {
        let before = self.facts();
        let outcome = operations::enable(&mut self.ground(), &before).await;
        self.conclude(Operation::EnableAwsServiceAccess, None, outcome, |observed| match observed {
            Observed::TrustedAccess(handle) => Ok(handle),
            other => Err(Box::new(other)),
        })
    }
}
