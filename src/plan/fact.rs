use std::fmt;
use std::time::SystemTime;

use super::snapshot::Snapshot;
use crate::domain::{AccountId, RoleId, RoleName, ServicePrincipal};
use crate::error::Error;
use crate::observation::same_date;
use crate::ports::{DataSync, Role};
use crate::syncs::{SyncAt, is_same};

/// What a step relies on: where it is so no longer, somebody else has moved, and the step is not taken.
///
/// A date or an id tells a thing from a later one of the same name. Where AWS shows none, the name has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
#[non_exhaustive]
pub enum Fact {
    /// A service is trusted.
    #[non_exhaustive]
    Trusted {
        /// The service.
        principal: ServicePrincipal,
        /// AWS's date of it.
        #[cfg_attr(
            feature = "serde",
            serde(with = "crate::saved::date", default, skip_serializing_if = "Option::is_none")
        )]
        since: Option<SystemTime>,
    },
    /// A service is not trusted.
    #[non_exhaustive]
    Untrusted {
        /// The service.
        principal: ServicePrincipal,
    },
    /// An account administers a service.
    #[non_exhaustive]
    Administers {
        /// The account.
        account: AccountId,
        /// The service.
        principal: ServicePrincipal,
        /// AWS's date of it.
        #[cfg_attr(
            feature = "serde",
            serde(with = "crate::saved::date", default, skip_serializing_if = "Option::is_none")
        )]
        since: Option<SystemTime>,
    },
    /// No account administers a service.
    #[non_exhaustive]
    NobodyAdministers {
        /// The service.
        principal: ServicePrincipal,
    },
    /// The service-linked role is this one.
    #[non_exhaustive]
    RoleIs {
        /// AWS's id of it.
        id: RoleId,
    },
    /// There is no service-linked role.
    RoleAbsent,
    /// A data sync is as it was seen, how it fares apart.
    #[non_exhaustive]
    SyncIs {
        /// Where.
        sync: SyncAt,
        /// As it was seen.
        shown: Box<DataSync>,
    },
    /// There is no such data sync.
    #[non_exhaustive]
    SyncAbsent {
        /// Where.
        sync: SyncAt,
    },
}

impl Fact {
    /// What is the case instead; `None` where the fact holds.
    ///
    /// # Errors
    ///
    /// That of a part that could not be read.
    pub(super) fn contradicted_in(&self, now: &Snapshot) -> Result<Option<String>, Error> {
        let found = match self {
            Self::Trusted { principal, since } => match now.need_service(principal)?.trusted_access.need()? {
                Some(access) if same_date(*since, access.since) => return Ok(None),
                Some(_) => format!("it has been trusted anew, {principal}"),
                None => format!("{principal} is not trusted"),
            },
            Self::Untrusted { principal } => match now.need_service(principal)?.trusted_access.need()? {
                None => return Ok(None),
                Some(_) => format!("{principal} is trusted"),
            },
            Self::Administers { account, principal, since } => {
                let administrators = now.need_service(principal)?.administrators.need()?;
                match administrators.iter().find(|found| found.account == *account) {
                    Some(found) if same_date(*since, found.since) => return Ok(None),
                    Some(_) => format!("account {account} has been registered anew for {principal}"),
                    None => format!("account {account} does not administer {principal}"),
                }
            }
            Self::NobodyAdministers { principal } => {
                match now.need_service(principal)?.administrators.need()?.first() {
                    None => return Ok(None),
                    Some(found) => format!("account {} administers {principal}", found.account),
                }
            }
            Self::RoleIs { .. } => match now.need_role()? {
                Some(role) => return Ok(self.contradicted_by_role(role)),
                None => format!("there is no role {}", RoleName::ACCOUNT_DISCOVERY),
            },
            Self::RoleAbsent => match now.need_role()? {
                None => return Ok(None),
                Some(role) => format!("the role {} is there", role.name),
            },
            Self::SyncIs { sync, .. } | Self::SyncAbsent { sync } => {
                return Ok(self.contradicted_by_sync(now.need_sync(sync)?));
            }
        };
        Ok(Some(found))
    }

    /// The same of a fact about the role, by what a look-up shows. Of another fact, this says nothing.
    pub(super) fn contradicted_by_role(&self, found: &Role) -> Option<String> {
        match self {
            Self::RoleIs { id } if *id != found.id => {
                Some(format!("the role {} has been made anew", RoleName::ACCOUNT_DISCOVERY))
            }
            _ => None,
        }
    }

    /// The same of a fact about a sync, by what a listing shows of that sync. Of another fact, this says nothing.
    pub(super) fn contradicted_by_sync(&self, found: Option<&DataSync>) -> Option<String> {
        match (self, found) {
            (Self::SyncIs { shown, .. }, Some(found)) if is_same(found, shown) => None,
            (Self::SyncIs { sync, shown }, Some(found)) if same_date(found.created, shown.created) => {
                Some(format!("the data sync {sync} has been changed"))
            }
            (Self::SyncIs { sync, .. }, Some(_)) => Some(format!("the data sync {sync} has been made anew")),
            (Self::SyncIs { sync, .. }, None) => Some(format!("there is no data sync {sync}")),
            (Self::SyncAbsent { sync }, Some(_)) => Some(format!("the data sync {sync} is there")),
            _ => None,
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trusted { principal, .. } => write!(f, "{principal} is trusted"),
            Self::Untrusted { principal } => write!(f, "{principal} is not trusted"),
            Self::Administers { account, principal, .. } => write!(f, "account {account} administers {principal}"),
            Self::NobodyAdministers { principal } => write!(f, "nobody administers {principal}"),
            Self::RoleIs { id } => write!(f, "the role {} is the one with id {id}", RoleName::ACCOUNT_DISCOVERY),
            Self::RoleAbsent => write!(f, "there is no role {}", RoleName::ACCOUNT_DISCOVERY),
            Self::SyncIs { sync, .. } => write!(f, "the data sync {sync} is as it was seen"),
            Self::SyncAbsent { sync } => write!(f, "there is no data sync {sync}"),
        }
    }
}
