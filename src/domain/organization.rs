use std::time::SystemTime;

use super::redact::redact;
use super::{AccountId, OrganizationId, OrganizationalUnitId, PageToken, Partition, ServicePrincipal};

/// Feature set of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub enum FeatureSet {
    /// All features, as trusted access requires.
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

/// An organization, as `DescribeOrganization` shows it.
///
/// The e-mail address of the owner is omitted to protect personal data.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub struct Organization {
    /// The id of the organization.
    pub id: OrganizationId,
    /// The management account.
    pub management_account: AccountId,
    /// The partition of the organization, from the ARN.
    pub partition: Partition,
    /// The feature set; `None` when AWS does not show one.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub feature_set: Option<FeatureSet>,
}

impl Organization {
    /// Creates an organization with all features, in the commercial partition.
    #[must_use]
    pub fn new(id: OrganizationId, management_account: AccountId) -> Self {
        Self { id, management_account, partition: Partition::AWS, feature_set: Some(FeatureSet::All) }
    }

    /// Sets the partition.
    #[must_use]
    pub fn with_partition(mut self, partition: Partition) -> Self {
        self.partition = partition;
        self
    }

    /// Sets the feature set; `None` when AWS does not show one.
    #[must_use]
    pub fn with_feature_set(mut self, feature_set: Option<FeatureSet>) -> Self {
        self.feature_set = feature_set;
        self
    }
}

/// State of an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccountState {
    /// The account is created or invited, and not ready yet.
    PendingActivation,
    /// The account is in use. Only an active account can be registered as an administrator.
    Active,
    /// AWS has suspended the account.
    Suspended,
    /// The account is being closed.
    PendingClosure,
    /// The account is closed.
    Closed,
    /// A state that this release does not know, in AWS's spelling.
    Other(String),
}

impl AccountState {
    /// Returns AWS's spelling.
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
crate::domain::serialization::as_word!(AccountState);

impl std::fmt::Display for AccountState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// A member account, as `DescribeAccount` shows it.
///
/// The name and the e-mail address of the account are omitted to protect personal data.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Account {
    /// The id of the account.
    pub id: AccountId,
    /// The state of the account: AWS's `State`, or the older `Status` if `State` is absent.
    ///
    /// `None` when AWS shows neither.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub state: Option<AccountState>,
}

impl Account {
    /// Creates an account in this state.
    #[must_use]
    pub fn new(id: AccountId, state: AccountState) -> Self {
        Self { id, state: Some(state) }
    }

    /// Sets the state of the account; `None` where AWS shows no state.
    #[must_use]
    pub fn with_state(mut self, state: Option<AccountState>) -> Self {
        self.state = state;
        self
    }
}

/// An organizational unit, as `DescribeOrganizationalUnit` shows it.
///
/// The name of the unit is omitted, because the crate does not use it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct OrganizationalUnit {
    /// The id of the unit.
    pub id: OrganizationalUnitId,
}

impl OrganizationalUnit {
    /// Creates a unit.
    #[must_use]
    pub fn new(id: OrganizationalUnitId) -> Self {
        Self { id }
    }
}

/// A service with trusted access in the organization.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub struct EnabledService {
    /// The principal of the service.
    pub principal: ServicePrincipal,
    /// The date at which AWS enabled trusted access. Access that is enabled later has another date.
    #[cfg_attr(
        feature = "serde",
        serde(with = "crate::domain::serialization::date", default, skip_serializing_if = "Option::is_none")
    )]
    pub enabled_at: Option<SystemTime>,
}

impl EnabledService {
    /// Creates a service with trusted access since this date.
    #[must_use]
    pub fn new(principal: ServicePrincipal, since: Option<SystemTime>) -> Self {
        Self { principal, enabled_at: since }
    }
}

/// A delegated administrator of a service.
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
    /// The state of the account, as in [`Account::state`].
    ///
    /// A suspended account stays an administrator until the account is deregistered.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub state: Option<AccountState>,
    /// AWS's date of the delegation. A later delegation to the same account has another date.
    #[cfg_attr(
        feature = "serde",
        serde(with = "crate::domain::serialization::date", default, skip_serializing_if = "Option::is_none")
    )]
    pub delegated_at: Option<SystemTime>,
}

impl DelegatedAdministrator {
    /// Creates a delegated administrator with an active account, registered at this date.
    #[must_use]
    pub fn new(account: AccountId, since: Option<SystemTime>) -> Self {
        Self { account, state: Some(AccountState::Active), delegated_at: since }
    }

    /// Sets the state of the account; `None` where AWS shows no state.
    #[must_use]
    pub fn with_state(mut self, state: Option<AccountState>) -> Self {
        self.state = state;
        self
    }

    /// Returns the state of the account if the account is closed or suspended.
    ///
    /// Such an account stays registered, and its credentials cannot be used.
    pub(crate) fn suspension(&self) -> Option<&AccountState> {
        let unusable = [AccountState::Suspended, AccountState::PendingClosure, AccountState::Closed];
        self.state.as_ref().filter(|state| unusable.contains(state))
    }
}

/// Identity of a caller: the account of a client's credentials.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CallerIdentity {
    /// The account.
    pub account: AccountId,
}

impl CallerIdentity {
    /// Creates the identity of a caller in this account.
    #[must_use]
    pub fn new(account: AccountId) -> Self {
        Self { account }
    }
}

/// One page of a listing.
///
/// An empty page with a token is not the last one. AWS may send such a page.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Page<T> {
    /// The items of the page.
    pub items: Vec<T>,
    /// The token for the next page; `None` on the last page.
    pub next: Option<PageToken>,
}

impl<T> Page<T> {
    /// Creates the last page of a listing, or the only one.
    #[must_use]
    pub fn last(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self::last(Vec::new())
    }
}
