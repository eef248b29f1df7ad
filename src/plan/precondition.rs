//! Derives the preconditions of a step from a snapshot, and compares them with a later one.

use super::step::Action;
use crate::domain::{
    DataSync, DataSyncId, Precondition, Role, RoleName, SYSTEMS_MANAGER, allows_one_administrator, is_same_sync,
    same_date,
};
use crate::error::{Error, ErrorKind};
use crate::observation::Snapshot;

impl Action {
    /// Returns the state on which the write depends. `now` is the state before the write.
    ///
    /// # Errors
    ///
    /// Returns an error if the state does not show what the write changes.
    pub(super) fn preconditions(&self, now: &Snapshot) -> Result<Vec<Precondition>, Error> {
        let missing = |what: String| Error::new(ErrorKind::UnknownState).with_message(what);
        let unchanged = |sync: &DataSyncId| match now.require_sync(sync)? {
            Some(shown) => Ok(Precondition::SyncUnchanged { sync: sync.clone(), observed: Box::new(shown.clone()) }),
            None => Err(missing(format!("the data sync {sync} does not exist"))),
        };
        Ok(match self {
            Self::EnableTrustedAccess { principal } => {
                vec![Precondition::TrustedAccessDisabled { principal: principal.clone() }]
            }
            Self::DisableTrustedAccess { principal } => {
                let access = now.require_service(principal)?.trusted_access.require()?.as_ref();
                let access = access.ok_or_else(|| missing(format!("trusted access for {principal} is disabled")))?;
                vec![
                    Precondition::TrustedAccessEnabled { principal: principal.clone(), enabled_at: access.enabled_at },
                    Precondition::NotDelegated { principal: principal.clone() },
                ]
            }
            Self::RegisterAdministrator { principal, .. } if allows_one_administrator(principal) => {
                vec![Precondition::NotDelegated { principal: principal.clone() }]
            }
            Self::RegisterAdministrator { .. } => Vec::new(),
            Self::DeregisterAdministrator { account, principal } => {
                let administrators = now.require_service(principal)?.administrators.require()?;
                let found = administrators.iter().find(|found| found.account == *account);
                let unregistered =
                    || missing(format!("account {account} is no delegated administrator of {principal}"));
                let (account, delegated_at) = (*account, found.ok_or_else(unregistered)?.delegated_at);
                vec![Precondition::Delegated { account, principal: principal.clone(), delegated_at }]
            }
            Self::CreateRole => vec![Precondition::RoleAbsent],
            Self::DeleteRole => {
                let role = now.require_role()?;
                let role =
                    role.ok_or_else(|| missing(format!("the role {} does not exist", RoleName::ACCOUNT_DISCOVERY)))?;
                vec![
                    Precondition::TrustedAccessDisabled { principal: SYSTEMS_MANAGER },
                    Precondition::RoleUnchanged { id: role.id.clone() },
                ]
            }
            Self::CreateSync { sync, .. } => vec![Precondition::SyncAbsent { sync: sync.clone() }],
            Self::UpdateSync { sync, .. } | Self::DeleteSync { sync } => vec![unchanged(sync)?],
        })
    }
}

impl Precondition {
    /// Returns a description of the current state that contradicts the precondition; `None` if it
    /// holds.
    ///
    /// # Errors
    ///
    /// Returns the error of a part that could not be read.
    pub(super) fn contradiction(&self, now: &Snapshot) -> Result<Option<String>, Error> {
        let found = match self {
            Self::TrustedAccessEnabled { principal, enabled_at } => {
                match now.require_service(principal)?.trusted_access.require()? {
                    Some(access) if same_date(*enabled_at, access.enabled_at) => return Ok(None),
                    Some(_) => format!("trusted access for {principal} has been enabled again"),
                    None => format!("trusted access for {principal} is disabled"),
                }
            }
            Self::TrustedAccessDisabled { principal } => {
                match now.require_service(principal)?.trusted_access.require()? {
                    None => return Ok(None),
                    Some(_) => format!("trusted access for {principal} is enabled"),
                }
            }
            Self::Delegated { account, principal, delegated_at } => {
                let administrators = now.require_service(principal)?.administrators.require()?;
                match administrators.iter().find(|found| found.account == *account) {
                    Some(found) if same_date(*delegated_at, found.delegated_at) => return Ok(None),
                    Some(_) => format!("account {account} has been registered again for {principal}"),
                    None => format!("account {account} is not a delegated administrator of {principal}"),
                }
            }
            Self::NotDelegated { principal } => {
                match now.require_service(principal)?.administrators.require()?.first() {
                    None => return Ok(None),
                    Some(found) => format!("account {} is the delegated administrator of {principal}", found.account),
                }
            }
            Self::RoleUnchanged { .. } => match now.require_role()? {
                Some(role) => return Ok(self.role_contradiction(role)),
                None => format!("the role {} does not exist", RoleName::ACCOUNT_DISCOVERY),
            },
            Self::RoleAbsent => match now.require_role()? {
                None => return Ok(None),
                Some(role) => format!("the role {} exists", role.name),
            },
            Self::SyncUnchanged { sync, .. } | Self::SyncAbsent { sync } => {
                return Ok(self.sync_contradiction(now.require_sync(sync)?));
            }
        };
        Ok(Some(found))
    }

    /// Returns how a role returned by AWS contradicts a role precondition; `None` for other
    /// preconditions.
    pub(super) fn role_contradiction(&self, found: &Role) -> Option<String> {
        match self {
            Self::RoleUnchanged { id } if *id != found.id => {
                Some(format!("the role {} has been recreated", RoleName::ACCOUNT_DISCOVERY))
            }
            _ => None,
        }
    }

    /// Returns how a listed sync contradicts a sync precondition; `None` for other preconditions.
    pub(super) fn sync_contradiction(&self, found: Option<&DataSync>) -> Option<String> {
        match (self, found) {
            (Self::SyncUnchanged { observed, .. }, Some(found)) if is_same_sync(found, observed) => None,
            (Self::SyncUnchanged { sync, observed }, Some(found)) if same_date(found.created, observed.created) => {
                Some(format!("the data sync {sync} has been changed"))
            }
            (Self::SyncUnchanged { sync, .. }, Some(_)) => Some(format!("the data sync {sync} has been recreated")),
            (Self::SyncUnchanged { sync, .. }, None) => Some(format!("the data sync {sync} does not exist")),
            (Self::SyncAbsent { sync }, Some(_)) => Some(format!("the data sync {sync} exists")),
            _ => None,
        }
    }
}
