//! What was changed, as data.

use std::fmt;
use std::time::SystemTime;

use crate::domain::{AccountId, RoleId, RoleName, ServicePrincipal};
use crate::ports::DataSync;
use crate::redact::redact;
use crate::syncs::{SyncAt, SyncsReport};

/// One change that this crate made to the organization, or may have made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub struct Change {
    /// What was changed, and on what.
    pub kind: ChangeKind,
    /// Whether it is certain that it was us.
    pub certainty: Certainty,
    /// Whether a read showed it.
    pub shown: bool,
}

impl Change {
    /// Whether it is so, whoever did it: AWS said so, or a read showed it.
    pub(crate) fn is_so(&self) -> bool {
        self.shown || self.certainty == Certainty::Did
    }
}

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub enum ChangeKind {
    /// A service became trusted in the organization.
    #[non_exhaustive]
    TrustedAccessEnabled {
        /// The service.
        principal: ServicePrincipal,
        /// AWS's date of it, once a read showed it.
        #[cfg_attr(
            feature = "serde",
            serde(with = "crate::saved::date", default, skip_serializing_if = "Option::is_none")
        )]
        since: Option<SystemTime>,
    },
    /// A service is trusted no longer.
    #[non_exhaustive]
    TrustedAccessDisabled {
        /// The service.
        principal: ServicePrincipal,
        /// AWS's date of the trust that ended.
        #[cfg_attr(
            feature = "serde",
            serde(with = "crate::saved::date", default, skip_serializing_if = "Option::is_none")
        )]
        since: Option<SystemTime>,
        /// What was known of the organization's data syncs.
        syncs: SyncsReport,
    },
    /// An account became the delegated administrator of a service.
    #[non_exhaustive]
    AdministratorRegistered {
        /// The account.
        account: AccountId,
        /// The service.
        principal: ServicePrincipal,
        /// AWS's date of it, once a read showed it.
        #[cfg_attr(
            feature = "serde",
            serde(with = "crate::saved::date", default, skip_serializing_if = "Option::is_none")
        )]
        since: Option<SystemTime>,
    },
    /// An account is the delegated administrator of a service no longer.
    #[non_exhaustive]
    AdministratorDeregistered {
        /// The account.
        account: AccountId,
        /// The service.
        principal: ServicePrincipal,
        /// AWS's date of the delegation that ended.
        #[cfg_attr(
            feature = "serde",
            serde(with = "crate::saved::date", default, skip_serializing_if = "Option::is_none")
        )]
        since: Option<SystemTime>,
        /// What was known of the organization's data syncs.
        syncs: SyncsReport,
    },
    /// A data sync was created.
    #[non_exhaustive]
    DataSyncCreated {
        /// The sync.
        sync: SyncAt,
        /// AWS's date of it, once a read showed it.
        #[cfg_attr(
            feature = "serde",
            serde(with = "crate::saved::date", default, skip_serializing_if = "Option::is_none")
        )]
        created: Option<SystemTime>,
        /// The sync as a read showed it then.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        after: Option<Box<DataSync>>,
    },
    /// A data sync was changed in place.
    #[non_exhaustive]
    DataSyncUpdated {
        /// The sync.
        sync: SyncAt,
        /// AWS's date of its creation.
        #[cfg_attr(
            feature = "serde",
            serde(with = "crate::saved::date", default, skip_serializing_if = "Option::is_none")
        )]
        created: Option<SystemTime>,
        /// The sync as it was.
        before: Box<DataSync>,
        /// The sync as a read showed it then.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        after: Option<Box<DataSync>>,
    },
    /// A service-linked role was created.
    #[non_exhaustive]
    RoleCreated {
        /// Its name.
        name: RoleName,
        /// AWS's id of it, once a read showed it.
        #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
        id: Option<RoleId>,
    },
    /// A service-linked role was deleted.
    #[non_exhaustive]
    RoleDeleted {
        /// Its name.
        name: RoleName,
        /// AWS's id of it.
        id: RoleId,
    },
    /// A data sync was deleted.
    #[non_exhaustive]
    DataSyncDeleted {
        /// The sync.
        sync: SyncAt,
        /// The sync as it was.
        before: Box<DataSync>,
    },
}

impl ChangeKind {
    /// The service whose integration with the organization was changed.
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

/// Whether a change was ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub enum Certainty {
    /// AWS said that it did it for us.
    ///
    /// AWS accepts the enabling of what somebody else has just enabled, and the disabling of what is disabled: its date tells whose it was.
    Did,
    /// The reply was lost. Even where the effect shows, somebody else may have had it made.
    Maybe,
}

impl fmt::Display for Certainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Did => "did",
            Self::Maybe => "maybe",
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ChangeKind::TrustedAccessEnabled { principal, .. } => write!(f, "trusted access for {principal} enabled"),
            ChangeKind::TrustedAccessDisabled { principal, .. } => write!(f, "trusted access for {principal} disabled"),
            ChangeKind::AdministratorRegistered { account, principal, .. } => {
                write!(f, "account {account} registered as delegated administrator of {principal}")
            }
            ChangeKind::AdministratorDeregistered { account, principal, .. } => {
                write!(f, "account {account} deregistered as delegated administrator of {principal}")
            }
            ChangeKind::RoleCreated { name, .. } => write!(f, "role {} created", redact(name.as_str())),
            ChangeKind::RoleDeleted { name, .. } => write!(f, "role {} deleted", redact(name.as_str())),
            ChangeKind::DataSyncCreated { sync, .. } => write!(f, "data sync {sync} created"),
            ChangeKind::DataSyncUpdated { sync, .. } => write!(f, "data sync {sync} updated"),
            ChangeKind::DataSyncDeleted { sync, .. } => write!(f, "data sync {sync} deleted"),
        }?;
        match self.certainty {
            Certainty::Did => Ok(()),
            Certainty::Maybe => f.write_str(" (perhaps by us: the reply was lost)"),
        }
    }
}
