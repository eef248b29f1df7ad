use std::fmt;
use std::time::SystemTime;

use super::{AccountId, DataSync, DataSyncId, RoleId, RoleName, ServicePrincipal};

/// State that a step of a plan requires.
///
/// A step is not run if another caller has changed the state since the plan was made. A date or an
/// id distinguishes a resource from a later one of the same name. Where AWS shows neither, only the
/// name is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
#[non_exhaustive]
pub enum Precondition {
    /// Trusted access is enabled for a service.
    #[non_exhaustive]
    TrustedAccessEnabled {
        /// The service.
        principal: ServicePrincipal,
        /// The date at which AWS enabled trusted access; `None` where AWS shows no date.
        #[cfg_attr(
            feature = "serde",
            serde(with = "crate::domain::serialization::date", default, skip_serializing_if = "Option::is_none")
        )]
        enabled_at: Option<SystemTime>,
    },
    /// Trusted access is disabled for a service.
    #[non_exhaustive]
    TrustedAccessDisabled {
        /// The service.
        principal: ServicePrincipal,
    },
    /// An account is the delegated administrator of a service.
    #[non_exhaustive]
    Delegated {
        /// The account.
        account: AccountId,
        /// The service.
        principal: ServicePrincipal,
        /// AWS's date of the delegation; `None` where AWS shows no date.
        #[cfg_attr(
            feature = "serde",
            serde(with = "crate::domain::serialization::date", default, skip_serializing_if = "Option::is_none")
        )]
        delegated_at: Option<SystemTime>,
    },
    /// A service has no delegated administrator.
    #[non_exhaustive]
    NotDelegated {
        /// The service.
        principal: ServicePrincipal,
    },
    /// The service-linked role has this id.
    #[non_exhaustive]
    RoleUnchanged {
        /// AWS's id of the role.
        id: RoleId,
    },
    /// The service-linked role does not exist.
    RoleAbsent,
    /// A data sync is as a read showed it, ignoring status.
    #[non_exhaustive]
    SyncUnchanged {
        /// The account, Region and name of the sync.
        sync: DataSyncId,
        /// The sync as a read showed it.
        observed: Box<DataSync>,
    },
    /// A data sync does not exist.
    #[non_exhaustive]
    SyncAbsent {
        /// The account, Region and name of the sync.
        sync: DataSyncId,
    },
}

impl fmt::Display for Precondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TrustedAccessEnabled { principal, .. } => write!(f, "trusted access for {principal} is enabled"),
            Self::TrustedAccessDisabled { principal } => write!(f, "trusted access for {principal} is disabled"),
            Self::Delegated { account, principal, .. } => {
                write!(f, "account {account} is the delegated administrator of {principal}")
            }
            Self::NotDelegated { principal } => write!(f, "{principal} has no delegated administrator"),
            Self::RoleUnchanged { id } => write!(f, "the role {} has id {id}", RoleName::ACCOUNT_DISCOVERY),
            Self::RoleAbsent => write!(f, "the role {} does not exist", RoleName::ACCOUNT_DISCOVERY),
            Self::SyncUnchanged { sync, .. } => write!(f, "the data sync {sync} is unchanged"),
            Self::SyncAbsent { sync } => write!(f, "the data sync {sync} does not exist"),
        }
    }
}
