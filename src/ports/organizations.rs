use async_trait::async_trait;
use auto_impl::auto_impl;

use crate::domain::{
    Account, AccountId, DelegatedAdministrator, EnabledService, Operation, Organization, OrganizationalUnit,
    OrganizationalUnitId, Page, PageToken, ServicePrincipal,
};
use crate::error::Error;

/// Client for AWS Organizations, for the operations that this crate uses.
///
/// Only the management account may write. The delegated administrator of any service may also read,
/// and every account may call `describe_organization`. A resource-based delegation policy of the
/// organization can allow the reads to further member accounts, and can deny them:
/// [`DelegationPolicy`](crate::policy::DelegationPolicy). AWS refuses other callers with
/// `AccessDeniedException`. AWS refuses an account outside any organization with
/// `AWSOrganizationsNotInUseException`, and too many calls with `TooManyRequestsException`.
///
/// Each method links AWS's page and lists the further error codes that a fake should return. A
/// constraint is a `ConstraintViolationException`; [`Error::with_reason`] sets its reason.
#[async_trait]
#[auto_impl(&, Box, Arc)]
pub trait OrganizationsApi: Send + Sync {
    /// Reads the organization with [`DescribeOrganization`]. Needs
    /// `organizations:DescribeOrganization`.
    ///
    /// [`DescribeOrganization`]: https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html
    async fn describe_organization(&self) -> Result<Organization, Error> {
        Err(Error::unsupported(Operation::DescribeOrganization))
    }

    /// Reads a member account with [`DescribeAccount`]. Needs `organizations:DescribeAccount`.
    ///
    /// AWS returns `AccountNotFoundException` if the account is not a member.
    ///
    /// [`DescribeAccount`]: https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeAccount.html
    async fn describe_account(&self, account: AccountId) -> Result<Account, Error> {
        let _ = account;
        Err(Error::unsupported(Operation::DescribeAccount))
    }

    /// Reads an organizational unit with [`DescribeOrganizationalUnit`]. Needs
    /// `organizations:DescribeOrganizationalUnit`.
    ///
    /// The crate reads the units of a data sync only to find an unknown one. AWS returns
    /// `OrganizationalUnitNotFoundException` if the organization has no such unit.
    ///
    /// [`DescribeOrganizationalUnit`]: https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganizationalUnit.html
    async fn describe_organizational_unit(&self, unit: &OrganizationalUnitId) -> Result<OrganizationalUnit, Error> {
        let _ = unit;
        Err(Error::unsupported(Operation::DescribeOrganizationalUnit))
    }

    /// Returns one page of the services with trusted access, with
    /// [`ListAWSServiceAccessForOrganization`]. Needs
    /// `organizations:ListAWSServiceAccessForOrganization`.
    ///
    /// AWS returns `InvalidInputException` with reason `INVALID_NEXT_TOKEN` if the token is not
    /// from this listing.
    ///
    /// [`ListAWSServiceAccessForOrganization`]: https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAWSServiceAccessForOrganization.html
    async fn list_aws_service_access_for_organization(
        &self,
        next: Option<PageToken>,
    ) -> Result<Page<EnabledService>, Error> {
        let _ = next;
        Err(Error::unsupported(Operation::ListAwsServiceAccessForOrganization))
    }

    /// Enables trusted access with [`EnableAWSServiceAccess`]. Needs
    /// `organizations:EnableAWSServiceAccess`.
    ///
    /// The constraint is `ORGANIZATION_NOT_IN_ALL_FEATURES_MODE`. AWS returns
    /// `ConcurrentModificationException` while another change is in progress.
    ///
    /// [`EnableAWSServiceAccess`]: https://docs.aws.amazon.com/organizations/latest/APIReference/API_EnableAWSServiceAccess.html
    async fn enable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        let _ = principal;
        Err(Error::unsupported(Operation::EnableAwsServiceAccess))
    }

    /// Disables trusted access with [`DisableAWSServiceAccess`]. Needs
    /// `organizations:DisableAWSServiceAccess`.
    ///
    /// AWS does not document whether a delegated administrator prevents the change. If so,
    /// the constraint is `DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE`. AWS returns
    /// `ConcurrentModificationException` while another change is in progress.
    ///
    /// [`DisableAWSServiceAccess`]: https://docs.aws.amazon.com/organizations/latest/APIReference/API_DisableAWSServiceAccess.html
    async fn disable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        let _ = principal;
        Err(Error::unsupported(Operation::DisableAwsServiceAccess))
    }

    /// Returns one page of the delegated administrators of one service, with
    /// [`ListDelegatedAdministrators`]. Needs `organizations:ListDelegatedAdministrators`.
    ///
    /// AWS returns `InvalidInputException` with reason `INVALID_NEXT_TOKEN` if the token is not
    /// from this listing.
    ///
    /// [`ListDelegatedAdministrators`]: https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListDelegatedAdministrators.html
    async fn list_delegated_administrators(
        &self,
        principal: &ServicePrincipal,
        next: Option<PageToken>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        let _ = (principal, next);
        Err(Error::unsupported(Operation::ListDelegatedAdministrators))
    }

    /// Registers an account as a delegated administrator with [`RegisterDelegatedAdministrator`].
    /// Needs `organizations:RegisterDelegatedAdministrator`.
    ///
    /// AWS returns `AccountAlreadyRegisteredException`, `AccountNotFoundException` or
    /// `ConcurrentModificationException`. The constraints are:
    ///
    /// * `SERVICE_ACCESS_NOT_ENABLED`
    /// * `CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR`
    /// * `CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR`
    /// * `MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED`
    ///
    /// [`RegisterDelegatedAdministrator`]: https://docs.aws.amazon.com/organizations/latest/APIReference/API_RegisterDelegatedAdministrator.html
    async fn register_delegated_administrator(
        &self,
        account: AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let _ = (account, principal);
        Err(Error::unsupported(Operation::RegisterDelegatedAdministrator))
    }

    /// Deregisters a delegated administrator with [`DeregisterDelegatedAdministrator`]. Needs
    /// `organizations:DeregisterDelegatedAdministrator`.
    ///
    /// AWS returns `AccountNotRegisteredException`, `AccountNotFoundException` or
    /// `ConcurrentModificationException`.
    ///
    /// [`DeregisterDelegatedAdministrator`]: https://docs.aws.amazon.com/organizations/latest/APIReference/API_DeregisterDelegatedAdministrator.html
    async fn deregister_delegated_administrator(
        &self,
        account: AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let _ = (account, principal);
        Err(Error::unsupported(Operation::DeregisterDelegatedAdministrator))
    }
}
