use std::time::SystemTime;

use async_trait::async_trait;
use auto_impl::auto_impl;

use super::{Operation, Page};
use crate::domain::{AccountId, OrganizationId, PageToken, Partition, ServicePrincipal};
use crate::error::Error;
use crate::redact::redact;

/// What the organization is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub enum FeatureSet {
    /// All features: what trusted access needs.
    All,
    /// Consolidated billing only.
    ConsolidatedBilling,
}

impl std::fmt::Display for FeatureSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::All => "all features",
            Self::ConsolidatedBilling => "consolidated billing only",
        })
    }
}

/// An organization, as `DescribeOrganization` shows it. The e-mail address of its owner is left out on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// The account that manages it.
    pub management_account: AccountId,
    /// The partition that it is in, from its ARN.
    pub partition: Partition,
    /// Its features; `None` when AWS does not say.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub feature_set: Option<FeatureSet>,
}

impl Organization {
    /// An organization with all features, in the commercial partition.
    #[must_use]
    pub fn new(id: OrganizationId, management_account: AccountId) -> Self {
        Self { id, management_account, partition: Partition::AWS, feature_set: Some(FeatureSet::All) }
    }

    /// The same in another partition.
    #[must_use]
    pub fn with_partition(mut self, partition: Partition) -> Self {
        self.partition = partition;
        self
    }

    /// The same with other features.
    #[must_use]
    pub fn with_feature_set(mut self, feature_set: Option<FeatureSet>) -> Self {
        self.feature_set = feature_set;
        self
    }
}

/// Where an account is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccountState {
    /// Created or invited, and not ready yet.
    PendingActivation,
    /// In use. The only state in which an account can become an administrator.
    Active,
    /// Suspended by AWS.
    Suspended,
    /// Being closed.
    PendingClosure,
    /// Closed.
    Closed,
    /// A state that this release does not know, in AWS's spelling.
    Other(String),
}

impl AccountState {
    /// AWS's spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::PendingActivation => "PENDING_ACTIVATION",
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::PendingClosure => "PENDING_CLOSURE",
            Self::Closed => "CLOSED",
            Self::Other(text) => text,
        }
    }
}

impl From<&str> for AccountState {
    fn from(text: &str) -> Self {
        match text {
            "PENDING_ACTIVATION" => Self::PendingActivation,
            "ACTIVE" => Self::Active,
            "SUSPENDED" => Self::Suspended,
            "PENDING_CLOSURE" => Self::PendingClosure,
            "CLOSED" => Self::Closed,
            other => Self::Other(redact(other).into_owned()),
        }
    }
}

#[cfg(feature = "serde")]
crate::saved::as_word!(AccountState);

impl std::fmt::Display for AccountState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A member account, as `DescribeAccount` shows it. Its name and e-mail address are left out on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its state: AWS's `State`, or the older `Status` where there is none; `None` when AWS says neither.
    pub state: Option<AccountState>,
}

impl Account {
    /// An account in this state.
    #[must_use]
    pub fn new(id: AccountId, state: AccountState) -> Self {
        Self { id, state: Some(state) }
    }

    /// The same with the state that AWS showed, if any.
    #[must_use]
    pub fn with_state(mut self, state: Option<AccountState>) -> Self {
        self.state = state;
        self
    }
}

/// A service that is trusted in the organization.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub struct EnabledService {
    /// Its principal.
    pub principal: ServicePrincipal,
    /// AWS's date of its enabling: what tells this trust from a later one.
    #[cfg_attr(
        feature = "serde",
        serde(with = "crate::saved::date", default, skip_serializing_if = "Option::is_none")
    )]
    pub since: Option<SystemTime>,
}

impl EnabledService {
    /// A service that has been trusted since then.
    #[must_use]
    pub fn new(principal: ServicePrincipal, since: Option<SystemTime>) -> Self {
        Self { principal, since }
    }
}

/// An account that administers a service for the organization.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub struct DelegatedAdministrator {
    /// The account.
    pub account: AccountId,
    /// Its state, as in [`Account::state`]. A suspended account stays an administrator until it is deregistered.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub state: Option<AccountState>,
    /// AWS's date of the delegation: what tells it from a later one to the same account.
    #[cfg_attr(
        feature = "serde",
        serde(with = "crate::saved::date", default, skip_serializing_if = "Option::is_none")
    )]
    pub since: Option<SystemTime>,
}

impl DelegatedAdministrator {
    /// An active account that has been an administrator since then.
    #[must_use]
    pub fn new(account: AccountId, since: Option<SystemTime>) -> Self {
        Self { account, state: Some(AccountState::Active), since }
    }

    /// The same with the state that AWS showed, if any.
    #[must_use]
    pub fn with_state(mut self, state: Option<AccountState>) -> Self {
        self.state = state;
        self
    }
}

/// AWS Organizations, as far as this crate speaks to it.
///
/// Writes are for the management account alone; reads also for the delegated administrator of any service, and
/// `describe_organization` for every account. Anybody else is refused with `AccessDeniedException`, an account that is in no organization
/// with `AWSOrganizationsNotInUseException`, and too many calls with `TooManyRequestsException`.
///
/// Each method names AWS's page and the further codes that a fake should answer with. A constraint is a `ConstraintViolationException`, with
/// its reason by [`Error::with_reason`].
#[async_trait]
#[auto_impl(&, Box, Arc)]
pub trait OrganizationsApi: Send + Sync {
    /// [`DescribeOrganization`](https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html).
    /// Needs `organizations:DescribeOrganization`.
    async fn describe_organization(&self) -> Result<Organization, Error> {
        Err(Error::unsupported(Operation::DescribeOrganization))
    }

    /// [`DescribeAccount`](https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeAccount.html).
    /// Needs `organizations:DescribeAccount`.
    ///
    /// `AccountNotFoundException` for an account that is no member.
    async fn describe_account(&self, account: &AccountId) -> Result<Account, Error> {
        let _ = account;
        Err(Error::unsupported(Operation::DescribeAccount))
    }

    /// [`ListAWSServiceAccessForOrganization`](https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAWSServiceAccessForOrganization.html),
    /// one page. Needs `organizations:ListAWSServiceAccessForOrganization`.
    ///
    /// `InvalidInputException`, `INVALID_NEXT_TOKEN`, for a token that is none of this listing's.
    async fn list_aws_service_access_for_organization(
        &self,
        next: Option<PageToken>,
    ) -> Result<Page<EnabledService>, Error> {
        let _ = next;
        Err(Error::unsupported(Operation::ListAwsServiceAccessForOrganization))
    }

    /// [`EnableAWSServiceAccess`](https://docs.aws.amazon.com/organizations/latest/APIReference/API_EnableAWSServiceAccess.html).
    /// Needs `organizations:EnableAWSServiceAccess`.
    ///
    /// Constraint `ORGANIZATION_NOT_IN_ALL_FEATURES_MODE`; `ConcurrentModificationException` while another change is under way.
    async fn enable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        let _ = principal;
        Err(Error::unsupported(Operation::EnableAwsServiceAccess))
    }

    /// [`DisableAWSServiceAccess`](https://docs.aws.amazon.com/organizations/latest/APIReference/API_DisableAWSServiceAccess.html).
    /// Needs `organizations:DisableAWSServiceAccess`.
    ///
    /// Constraint `DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE`, if it refuses while there is one: AWS's documents leave that open.
    /// `ConcurrentModificationException` while another change is under way.
    async fn disable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        let _ = principal;
        Err(Error::unsupported(Operation::DisableAwsServiceAccess))
    }

    /// [`ListDelegatedAdministrators`](https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListDelegatedAdministrators.html)
    /// of one service, one page. Needs `organizations:ListDelegatedAdministrators`.
    ///
    /// `InvalidInputException`, `INVALID_NEXT_TOKEN`, for a token that is none of this listing's.
    async fn list_delegated_administrators(
        &self,
        principal: &ServicePrincipal,
        next: Option<PageToken>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        let _ = (principal, next);
        Err(Error::unsupported(Operation::ListDelegatedAdministrators))
    }

    /// [`RegisterDelegatedAdministrator`](https://docs.aws.amazon.com/organizations/latest/APIReference/API_RegisterDelegatedAdministrator.html).
    /// Needs `organizations:RegisterDelegatedAdministrator`.
    ///
    /// `AccountAlreadyRegisteredException`, `AccountNotFoundException`, `ConcurrentModificationException`. Constraints
    /// `SERVICE_ACCESS_NOT_ENABLED`, `CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR`,
    /// `CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR`, `MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED`.
    async fn register_delegated_administrator(
        &self,
        account: &AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let _ = (account, principal);
        Err(Error::unsupported(Operation::RegisterDelegatedAdministrator))
    }

    /// [`DeregisterDelegatedAdministrator`](https://docs.aws.amazon.com/organizations/latest/APIReference/API_DeregisterDelegatedAdministrator.html).
    /// Needs `organizations:DeregisterDelegatedAdministrator`.
    ///
    /// `AccountNotRegisteredException`, `AccountNotFoundException`, `ConcurrentModificationException`.
    async fn deregister_delegated_administrator(
        &self,
        account: &AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let _ = (account, principal);
        Err(Error::unsupported(Operation::DeregisterDelegatedAdministrator))
    }
}
