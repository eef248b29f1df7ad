//! Places, names and dates of accounts and organizational units.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::SystemTime;

use super::faults::UnusableResponse;
use crate::domain::{AccountId, AccountState, OrganizationalUnitId};

/// Data of accounts and organizational units that no operation of the ports shows.
///
/// An account or a unit without a record belongs to the root and has a default name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub(crate) struct Hierarchy {
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "BTreeMap::is_empty"))]
    pub(super) units: BTreeMap<OrganizationalUnitId, UnitRecord>,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "BTreeMap::is_empty"))]
    pub(super) accounts: BTreeMap<AccountId, AccountRecord>,
}

impl Hierarchy {
    #[cfg(feature = "serde")]
    pub(super) fn is_empty(&self) -> bool {
        self.units.is_empty() && self.accounts.is_empty()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub(super) struct UnitRecord {
    pub(super) name: String,
    /// The parent unit; `None` for the root.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(super) parent: Option<OrganizationalUnitId>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub(super) struct AccountRecord {
    /// Name and e-mail address of an account that `CreateAccount` created.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(super) name: Option<String>,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(super) email: Option<String>,
    /// Date of the creation by `CreateAccount`.
    #[cfg_attr(
        feature = "serde",
        serde(with = "crate::domain::serialization::date", default, skip_serializing_if = "Option::is_none")
    )]
    pub(super) created: Option<SystemTime>,
    /// The parent unit; `None` for the root.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(super) parent: Option<OrganizationalUnitId>,
}

/// An account as Organizations shows it, with its personal data.
#[derive(Debug, Clone)]
pub(crate) struct AccountDetails {
    pub(crate) id: AccountId,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) state: AccountState,
    pub(crate) joined: SystemTime,
}

/// An organizational unit as Organizations shows it.
#[derive(Debug, Clone)]
pub(crate) struct UnitDetails {
    pub(crate) id: OrganizationalUnitId,
    pub(crate) name: String,
}

/// Root or organizational unit that contains accounts and units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parent {
    Root,
    Unit(OrganizationalUnitId),
}

/// Creation of an account in progress or ended.
#[derive(Debug, Clone)]
pub(crate) struct AccountCreation {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(super) email: String,
    pub(crate) requested: SystemTime,
    pub(super) begun: tokio::time::Instant,
    /// Date and result of the end: the new account, or AWS's reason of the failure.
    pub(crate) ended: Option<(SystemTime, Result<AccountId, String>)>,
}

/// Refusal of an operation that is not part of the ports.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) code: Cow<'static, str>,
    pub(crate) reason: Option<Cow<'static, str>>,
    pub(crate) message: String,
}

impl Refusal {
    pub(super) fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { code: code.into(), reason: None, message: message.into() }
    }

    pub(super) fn constraint(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..Self::new("ConstraintViolationException", message) }
    }
}

/// Error of a call that is not part of the ports.
#[derive(Debug)]
pub(crate) enum FurtherError {
    Refused(Refusal),
    /// The caller receives no response.
    NoResponse,
    Unusable(UnusableResponse),
}

impl From<Refusal> for FurtherError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
