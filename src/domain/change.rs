//! Changes to the organization, as data.

use std::fmt;
use std::time::SystemTime;

use super::{AccountId, DataSync, DataSyncId, RoleId, RoleName, ServicePrincipal, SyncCheckReport};

/// One confirmed or unconfirmed change that this crate made to the organization.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub struct Change {
    /// The kind of the change, with the affected resource.
    pub kind: ChangeKind,
    /// Certainty that this crate made the change.
    pub certainty: Certainty,
    /// `true` if a read showed the change.
    pub observed: bool,
    /// The time at which this machine sent the write, in whole seconds.
    #[cfg_attr(
        feature = "serde",
        serde(with = "crate::domain::serialization::date", default, skip_serializing_if = "Option::is_none")
    )]
    pub sent_at: Option<SystemTime>,
}

impl Change {
    /// Returns whether an undo reverts the change only if its index is named.
    ///
    /// That is so for an unconfirmed change. It is also so for a created or updated resource that
    /// no read showed, because nothing then distinguishes it from a later one of the same name. The
    /// index is named with `UndoOptions::include_unconfirmed`.
    #[must_use]
    pub fn must_be_named(&self) -> bool {
        let is_unidentified = match &self.kind {
            ChangeKind::TrustedAccessEnabled { enabled_at: date, .. }
            | ChangeKind::AdministratorRegistered { delegated_at: date, .. } => date.is_none(),
            ChangeKind::RoleCreated { id, .. } => id.is_none(),
            ChangeKind::DataSyncCreated { after, .. } => after.as_ref().is_none_or(|after| after.created.is_none()),
            ChangeKind::DataSyncUpdated { after, .. } => after.is_none(),
            _ => false,
        };
        self.certainty != Certainty::Confirmed || is_unidentified
    }

    /// Returns whether the change is in effect: AWS confirmed the write, or a read showed the
    /// effect.
    ///
    /// The change may have been made by another caller.
    pub(crate) fn is_in_effect(&self) -> bool {
        self.observed || self.certainty == Certainty::Confirmed
    }
}

/// Kind of a change, with the affected resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub enum ChangeKind {
    /// Trusted access was enabled for a service.
    #[non_exhaustive]
    TrustedAccessEnabled {
        /// The service.
        principal: ServicePrincipal,
        /// The date at which AWS enabled trusted access; `None` until a read shows the date.
        #[cfg_attr(
            feature = "serde",
            serde(with = "crate::domain::serialization::date", default, skip_serializing_if = "Option::is_none")
        )]
        enabled_at: Option<SystemTime>,
    },
    /// Trusted access was disabled for a service.
    #[non_exhaustive]
    TrustedAccessDisabled {
        /// The service.
        principal: ServicePrincipal,
        /// The date at which AWS had enabled the trusted access that ended.
        #[cfg_attr(
            feature = "serde",
            serde(with = "crate::domain::serialization::date", default, skip_serializing_if = "Option::is_none")
        )]
        enabled_at: Option<SystemTime>,
        /// Result of the check of the organization's data syncs before the change.
        syncs: SyncCheckReport,
    },
    /// An account was registered as the delegated administrator of a service.
    #[non_exhaustive]
    AdministratorRegistered {
        /// The account.
        account: AccountId,
        /// The service.
        principal: ServicePrincipal,
        /// AWS's date of the delegation; `None` until a read shows the date.
        #[cfg_attr(
            feature = "serde",
            serde(with = "crate::domain::serialization::date", default, skip_serializing_if = "Option::is_none")
        )]
        delegated_at: Option<SystemTime>,
    },
    /// An account was deregistered as the delegated administrator of a service.
    #[non_exhaustive]
    AdministratorDeregistered {
        /// The account.
        account: AccountId,
        /// The service.
        principal: ServicePrincipal,
        /// AWS's date of the delegation that ended.
        #[cfg_attr(
            feature = "serde",
            serde(with = "crate::domain::serialization::date", default, skip_serializing_if = "Option::is_none")
        )]
        delegated_at: Option<SystemTime>,
        /// Result of the check of the organization's data syncs before the change.
        syncs: SyncCheckReport,
    },
    /// A data sync was created.
    #[non_exhaustive]
    DataSyncCreated {
        /// The sync.
        sync: DataSyncId,
        /// AWS's date of the creation; `None` until a read shows the date.
        #[cfg_attr(
            feature = "serde",
            serde(with = "crate::domain::serialization::date", default, skip_serializing_if = "Option::is_none")
        )]
        created: Option<SystemTime>,
        /// The sync as a read showed it after the change.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        after: Option<Box<DataSync>>,
    },
    /// A data sync was changed in place.
    #[non_exhaustive]
    DataSyncUpdated {
        /// The sync.
        sync: DataSyncId,
        /// AWS's date of the creation.
        #[cfg_attr(
            feature = "serde",
            serde(with = "crate::domain::serialization::date", default, skip_serializing_if = "Option::is_none")
        )]
        created: Option<SystemTime>,
        /// The sync as a read showed it before the change.
        before: Box<DataSync>,
        /// The sync as a read showed it after the change.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        after: Option<Box<DataSync>>,
    },
    /// A service-linked role was created.
    #[non_exhaustive]
    RoleCreated {
        /// The name of the role.
        name: RoleName,
        /// AWS's id of the role; `None` until a read shows the id.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        id: Option<RoleId>,
    },
    /// A service-linked role was deleted.
    #[non_exhaustive]
    RoleDeleted {
        /// The name of the role.
        name: RoleName,
        /// AWS's id of the role.
        id: RoleId,
    },
    /// A data sync was deleted.
    #[non_exhaustive]
    DataSyncDeleted {
        /// The sync.
        sync: DataSyncId,
        /// The sync as a read showed it before the change.
        before: Box<DataSync>,
    },
}

impl ChangeKind {
    /// Returns the service whose trusted access or delegated administrator changed.
    ///
    /// Returns `None` for changes of roles and data syncs.
    pub(crate) fn principal(&self) -> Option<&ServicePrincipal> {
        match self {
            Self::TrustedAccessEnabled { principal, .. }
            | Self::TrustedAccessDisabled { principal, .. }
            | Self::AdministratorRegistered { principal, .. }
            | Self::AdministratorDeregistered { principal, .. } => Some(principal),
            _ => None,
        }
    }
}

/// Certainty that this crate made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub enum Certainty {
    /// AWS accepted the write of this crate.
    ///
    /// AWS also accepts enabling what another caller has just enabled, and disabling what is
    /// disabled. The date that AWS shows tells which caller made the change.
    Confirmed,
    /// The response was lost, or the write is in progress. Another caller may have made the change,
    /// even if a read shows the effect.
    Unconfirmed,
}

impl fmt::Display for Certainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Confirmed => "confirmed",
            Self::Unconfirmed => "unconfirmed",
        })
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TrustedAccessEnabled { principal, .. } => write!(f, "trusted access for {principal} enabled"),
            Self::TrustedAccessDisabled { principal, .. } => write!(f, "trusted access for {principal} disabled"),
            Self::AdministratorRegistered { account, principal, .. } => {
                write!(f, "account {account} registered as delegated administrator of {principal}")
            }
            Self::AdministratorDeregistered { account, principal, .. } => {
                write!(f, "account {account} deregistered as delegated administrator of {principal}")
            }
            Self::RoleCreated { name, .. } => write!(f, "role {name} created"),
            Self::RoleDeleted { name, .. } => write!(f, "role {name} deleted"),
            Self::DataSyncCreated { sync, .. } => write!(f, "data sync {sync} created"),
            Self::DataSyncUpdated { sync, .. } => write!(f, "data sync {sync} updated"),
            Self::DataSyncDeleted { sync, .. } => write!(f, "data sync {sync} deleted"),
        }
    }
}

/// Writes the kind, and that the change is unconfirmed.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.certainty {
            Certainty::Confirmed => self.kind.fmt(f),
            Certainty::Unconfirmed => write!(f, "{} (unconfirmed)", self.kind),
        }
    }
}
