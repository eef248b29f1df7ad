//! Trusted access and delegated administrators of a service, as reads show them.

use std::fmt;

use super::{
    AccountId, Change, ChangeKind, DelegatedAdministrator, EnabledService, Organization, ServicePrincipal,
    join_with_and, service_name,
};

/// The service principal that this crate manages by default.
pub(crate) const SYSTEMS_MANAGER: ServicePrincipal = ServicePrincipal::SYSTEMS_MANAGER;

/// Organization and caller, which do not change between calls: read once, then reused.
#[derive(Debug, Clone)]
pub(crate) struct CallContext {
    pub(crate) organization: Organization,
    /// Account of the caller; `None` when the client does not know the caller.
    ///
    /// `None` does not mean that the caller is another account.
    pub(crate) caller: Option<AccountId>,
}

/// A service's trusted access and delegated administrators, as reads showed them.
///
/// `Display` is a clause, such as `trusted access is on and account 222222222222 administers
/// Systems Manager`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ServiceStatus {
    /// The service.
    pub principal: ServicePrincipal,
    /// The entry of the service in the list of services with trusted access; `None` where it is
    /// disabled.
    pub trusted_access: Option<EnabledService>,
    /// The delegated administrators of the service.
    pub administrators: Vec<DelegatedAdministrator>,
}

/// State of Systems Manager's integration with the organization.
///
/// The states are those of the typed handles in [`state`](crate::state).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "callers must treat every state")]
pub enum ServiceState {
    /// Trusted access is disabled, and no delegated administrator is registered.
    Disabled,
    /// Trusted access is enabled, and no delegated administrator is registered.
    TrustedAccess,
    /// Trusted access is enabled, and one delegated administrator is registered.
    Delegated,
    /// Several administrators are registered, or one is registered while trusted access is
    /// disabled.
    Inconsistent,
}

impl ServiceState {
    /// Returns the name of the state, such as `TrustedAccess`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "Disabled",
            Self::TrustedAccess => "TrustedAccess",
            Self::Delegated => "Delegated",
            Self::Inconsistent => "Inconsistent",
        }
    }
}

impl fmt::Display for ServiceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl ServiceStatus {
    /// Returns the state of a service that allows one delegated administrator.
    pub(crate) fn state(&self) -> ServiceState {
        match (self.trusted_access.is_some(), self.administrators.len()) {
            (false, 0) => ServiceState::Disabled,
            (true, 0) => ServiceState::TrustedAccess,
            (true, 1) => ServiceState::Delegated,
            _ => ServiceState::Inconsistent,
        }
    }

    pub(crate) fn administrator(&self, account: AccountId) -> Option<&DelegatedAdministrator> {
        self.administrators.iter().find(|administrator| administrator.account == account)
    }

    pub(crate) fn accounts(&self) -> Vec<AccountId> {
        self.administrators.iter().map(|administrator| administrator.account).collect()
    }

    /// Returns whether both show the same state, ignoring dates.
    pub(crate) fn has_same_state_as(&self, other: &Self) -> bool {
        let sorted = |facts: &Self| {
            let mut accounts = facts.accounts();
            accounts.sort_unstable();
            accounts
        };
        self.trusted_access.is_some() == other.trusted_access.is_some() && sorted(self) == sorted(other)
    }

    /// Returns whether the status comes from a stale read.
    ///
    /// A stale read does not show these changes, although earlier reads showed them. An entry with
    /// another date is not stale, because another caller has created the entry since.
    pub(crate) fn is_stale_for(&self, changes: &[Change]) -> bool {
        let changes: Vec<_> = changes_of_service(changes, &self.principal).collect();
        let trust = changes.iter().rev().find_map(|kind| match kind {
            ChangeKind::TrustedAccessEnabled { .. } => Some(self.trusted_access.is_none()),
            ChangeKind::TrustedAccessDisabled { enabled_at: since, .. } => {
                Some(self.trusted_access.as_ref().is_some_and(|access| same_date(*since, access.enabled_at)))
            }
            _ => None,
        });
        let delegation = changes.iter().enumerate().any(|(at, kind)| {
            let (account, denied) = match kind {
                ChangeKind::AdministratorRegistered { account, .. } => {
                    (*account, self.administrator(*account).is_none())
                }
                ChangeKind::AdministratorDeregistered { account, delegated_at: since, .. } => {
                    let back = self.administrator(*account).is_some_and(|found| same_date(*since, found.delegated_at));
                    (*account, back)
                }
                _ => return false,
            };
            denied && !changes.iter().skip(at + 1).any(|later| concerns_delegation_of(later, account))
        });
        trust == Some(true) || delegation
    }
}

/// Returns the changes of one service's trusted access and delegated administrators.
pub(crate) fn changes_of_service<'a>(
    changes: &'a [Change],
    principal: &'a ServicePrincipal,
) -> impl Iterator<Item = &'a ChangeKind> {
    changes.iter().map(|change| &change.kind).filter(move |kind| kind.principal() == Some(principal))
}

/// Returns whether AWS allows a service at most one delegated administrator.
pub(crate) fn allows_one_administrator(principal: &ServicePrincipal) -> bool {
    [SYSTEMS_MANAGER, ServicePrincipal::QUICK_SETUP].contains(principal)
}

/// Returns whether two dates agree. A date that AWS does not show agrees with every date.
pub(crate) fn same_date<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

fn concerns_delegation_of(kind: &ChangeKind, of: AccountId) -> bool {
    matches!(
        kind,
        ChangeKind::AdministratorRegistered { account, .. } | ChangeKind::AdministratorDeregistered { account, .. }
            if *account == of
    )
}

impl fmt::Display for ServiceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "trusted access is {} and ", if self.trusted_access.is_some() { "on" } else { "off" })?;
        let service = service_name(&self.principal);
        match self.accounts().as_slice() {
            [] => write!(f, "no account administers {service}"),
            [account] => write!(f, "account {account} administers {service}"),
            accounts => write!(f, "accounts {} administer {service}", join_with_and(accounts)),
        }
    }
}
