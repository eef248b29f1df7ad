use std::fmt;

use super::fact::Fact;
use super::snapshot::{Part, Snapshot};
use super::target::OtherSyncs;
use crate::command_line::CommandLine;
use crate::domain::{AccountId, Region, RoleId, RoleName, ServicePrincipal};
use crate::error::{Error, ErrorKind};
use crate::observation::PRINCIPAL;
use crate::operations::data_sync::is_like;
use crate::policy::{Caller, Condition, Permission};
use crate::ports::{DataSync, DelegatedAdministrator, EnabledService, Operation, Role, SyncDefinition};
use crate::syncs::{RemainingSync, SyncAt, is_same};

/// One write of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
#[non_exhaustive]
pub enum Action {
    /// Trust a service in the organization.
    #[non_exhaustive]
    EnableTrustedAccess {
        /// The service.
        principal: ServicePrincipal,
    },
    /// Trust a service no longer.
    #[non_exhaustive]
    DisableTrustedAccess {
        /// The service.
        principal: ServicePrincipal,
    },
    /// Make a member account the administrator of a service.
    #[non_exhaustive]
    RegisterAdministrator {
        /// The account.
        account: AccountId,
        /// The service.
        principal: ServicePrincipal,
    },
    /// Take the administration of a service from an account.
    #[non_exhaustive]
    DeregisterAdministrator {
        /// The account.
        account: AccountId,
        /// The service.
        principal: ServicePrincipal,
    },
    /// Make the service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery`.
    CreateRole,
    /// Delete it.
    DeleteRole,
    /// Create a data sync.
    #[non_exhaustive]
    CreateSync {
        /// Where.
        sync: SyncAt,
        /// What it is to be.
        definition: SyncDefinition,
    },
    /// Change a data sync in place.
    #[non_exhaustive]
    UpdateSync {
        /// Where.
        sync: SyncAt,
        /// What it is to be.
        definition: SyncDefinition,
    },
    /// Delete a data sync.
    #[non_exhaustive]
    DeleteSync {
        /// Where.
        sync: SyncAt,
    },
}

/// A step of a [`Plan`](super::Plan), as plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub(super) action: Action,
    pub(super) reason: String,
    pub(super) account: AccountId,
    pub(super) facts: Vec<Fact>,
    pub(super) at_risk: Option<AtRisk>,
}

/// The organization's data syncs that a step deletes or breaks beside what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct AtRisk {
    /// What becomes of those that are not among `known`.
    pub others: OtherSyncs,
    /// The accounts whose syncs are at risk; the first has to be looked at, to protect.
    pub accounts: Vec<AccountId>,
    /// The Regions that are looked at.
    pub regions: Vec<Region>,
    /// The syncs that were seen and will go or break, in full: to be created again.
    pub known: Vec<(SyncAt, DataSync)>,
}

impl Action {
    /// The write that it comes down to.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self {
            Self::EnableTrustedAccess { .. } => Operation::EnableAwsServiceAccess,
            Self::DisableTrustedAccess { .. } => Operation::DisableAwsServiceAccess,
            Self::RegisterAdministrator { .. } => Operation::RegisterDelegatedAdministrator,
            Self::DeregisterAdministrator { .. } => Operation::DeregisterDelegatedAdministrator,
            Self::CreateRole => Operation::CreateServiceLinkedRole,
            Self::DeleteRole => Operation::DeleteServiceLinkedRole,
            Self::CreateSync { .. } => Operation::CreateResourceDataSync,
            Self::UpdateSync { .. } => Operation::UpdateResourceDataSync,
            Self::DeleteSync { .. } => Operation::DeleteResourceDataSync,
        }
    }

    /// The data sync that it is about.
    #[must_use]
    pub fn sync(&self) -> Option<&SyncAt> {
        match self {
            Self::CreateSync { sync, .. } | Self::UpdateSync { sync, .. } | Self::DeleteSync { sync } => Some(sync),
            _ => None,
        }
    }

    /// The service that it is about.
    #[must_use]
    pub fn principal(&self) -> Option<&ServicePrincipal> {
        match self {
            Self::EnableTrustedAccess { principal }
            | Self::DisableTrustedAccess { principal }
            | Self::RegisterAdministrator { principal, .. }
            | Self::DeregisterAdministrator { principal, .. } => Some(principal),
            _ => None,
        }
    }

    /// The service that AWS wants trusted for it.
    pub(super) fn relies_on_trust_in(&self) -> Option<&ServicePrincipal> {
        match self {
            Self::RegisterAdministrator { principal, .. } => Some(principal),
            Self::CreateSync { definition, .. } | Self::UpdateSync { definition, .. } => {
                definition.is_of_organization().then_some(&PRINCIPAL)
            }
            _ => None,
        }
    }

    /// Whether it takes away what a later step may have to make again.
    pub(super) fn takes_away(&self) -> bool {
        matches!(
            self,
            Self::DisableTrustedAccess { .. } | Self::DeregisterAdministrator { .. } | Self::DeleteSync { .. }
        )
    }

    /// The account whose credentials it takes.
    pub(super) fn account(&self, management: AccountId) -> AccountId {
        self.sync().map_or(management, |sync| sync.account)
    }

    /// The `aws` command that does the same, for the credentials of the step's account.
    #[must_use]
    pub fn command_line(&self) -> CommandLine {
        match self {
            Self::EnableTrustedAccess { principal } => CommandLine::enable_aws_service_access(principal),
            Self::DisableTrustedAccess { principal } => CommandLine::disable_aws_service_access(principal),
            Self::RegisterAdministrator { account, principal } => {
                CommandLine::register_delegated_administrator(*account, principal)
            }
            Self::DeregisterAdministrator { account, principal } => {
                CommandLine::deregister_delegated_administrator(*account, principal)
            }
            Self::CreateRole => CommandLine::create_service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY),
            Self::DeleteRole => CommandLine::delete_service_linked_role(&RoleName::ACCOUNT_DISCOVERY),
            Self::CreateSync { sync, definition } => CommandLine::create_resource_data_sync(definition, &sync.region),
            Self::UpdateSync { sync, definition } => CommandLine::update_resource_data_sync(definition, &sync.region),
            Self::DeleteSync { sync } => CommandLine::delete_resource_data_sync(&sync.name, &sync.region),
        }
    }

    /// Whether it is so already.
    pub(super) fn holds_in(&self, now: &Snapshot) -> Result<bool, Error> {
        let administers = |account: &AccountId, principal| -> Result<bool, Error> {
            let administrators = now.need_service(principal)?.administrators.need()?;
            Ok(administrators.iter().any(|found| found.account == *account))
        };
        Ok(match self {
            Self::EnableTrustedAccess { principal } => now.need_service(principal)?.trusted_access.need()?.is_some(),
            Self::DisableTrustedAccess { principal } => now.need_service(principal)?.trusted_access.need()?.is_none(),
            Self::RegisterAdministrator { account, principal } => administers(account, principal)?,
            Self::DeregisterAdministrator { account, principal } => !administers(account, principal)?,
            Self::CreateRole => now.need_role()?.is_some(),
            Self::DeleteRole => now.need_role()?.is_none(),
            Self::CreateSync { sync, definition } | Self::UpdateSync { sync, definition } => {
                now.need_sync(sync)?.is_some_and(|found| is_like(found, definition))
            }
            Self::DeleteSync { sync } => now.need_sync(sync)?.is_none(),
        })
    }

    /// Notes its effect: what a later step stands on. What is made has no date yet.
    pub(super) fn happen_in(&self, now: &mut Snapshot) {
        let service = |now: &mut Snapshot, change: &dyn Fn(&mut super::snapshot::Service)| {
            let principal = self.principal();
            now.services.iter_mut().filter(|service| Some(&service.principal) == principal).for_each(change);
        };
        match self {
            Self::EnableTrustedAccess { principal } => service(now, &|service| {
                service.trusted_access = Part::Known(Some(EnabledService::new(principal.clone(), None)));
            }),
            Self::DisableTrustedAccess { .. } => service(now, &|service| service.trusted_access = Part::Known(None)),
            Self::RegisterAdministrator { account, .. } => service(now, &|service| {
                if let Part::Known(administrators) = &mut service.administrators {
                    administrators.push(DelegatedAdministrator::new(*account, None));
                }
            }),
            Self::DeregisterAdministrator { account, .. } => service(now, &|service| {
                if let Part::Known(administrators) = &mut service.administrators {
                    administrators.retain(|found| found.account != *account);
                }
            }),
            Self::CreateRole => {
                let role = Role::new(RoleName::ACCOUNT_DISCOVERY, RoleId::EXAMPLE, "");
                now.role = Some(Part::Known(Some(role)));
            }
            Self::DeleteRole => now.role = Some(Part::Known(None)),
            Self::CreateSync { sync, definition } | Self::UpdateSync { sync, definition } => {
                now.put_sync(sync, Some(DataSync::of(definition)));
            }
            Self::DeleteSync { sync } => now.put_sync(sync, None),
        }
    }
}

impl Snapshot {
    /// A sync as it is now, where the account's syncs were seen.
    pub(super) fn put_sync(&mut self, at: &SyncAt, sync: Option<DataSync>) {
        let of = self.syncs.iter_mut().find(|of| of.account == at.account && of.region == at.region);
        if let Some(Part::Known(syncs)) = of.map(|of| &mut of.syncs) {
            syncs.retain(|other| other.name != at.name);
            syncs.extend(sync);
        }
    }
}

impl Step {
    /// What is done.
    #[must_use]
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The account whose credentials it takes.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// What it relies on when its turn comes, after the earlier steps.
    #[must_use]
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// The data syncs that go or break with it, if it endangers any.
    #[must_use]
    pub fn at_risk(&self) -> Option<&AtRisk> {
        self.at_risk.as_ref()
    }

    /// The condition that a policy may put on its write, if AWS lets any.
    #[must_use]
    pub fn condition(&self) -> Option<Condition> {
        let permissions = self.permissions(Caller::Account(self.account));
        permissions.iter().find(|permission| permission.operation() == self.action.operation())?.condition()
    }

    /// The `aws` command that does the same, for the credentials of [`account`](Self::account).
    #[must_use]
    pub fn command_line(&self) -> CommandLine {
        self.action.command_line()
    }

    /// What the step's account has to be allowed, by whom it is to the organization: the write, and the reads around it.
    pub(super) fn permissions(&self, caller: Caller) -> Vec<Permission> {
        match &self.action {
            Action::EnableTrustedAccess { principal } => vec![
                Permission::enable_aws_service_access(principal.clone()),
                Permission::list_aws_service_access_for_organization(),
            ],
            Action::DisableTrustedAccess { principal } => vec![
                Permission::disable_aws_service_access(principal.clone()),
                Permission::list_aws_service_access_for_organization(),
                Permission::list_delegated_administrators(principal.clone()),
            ],
            Action::RegisterAdministrator { account, principal } => vec![
                Permission::register_delegated_administrator(*account, principal.clone()),
                Permission::describe_account(*account),
                Permission::list_delegated_administrators(principal.clone()),
            ],
            Action::DeregisterAdministrator { account, principal } => vec![
                Permission::deregister_delegated_administrator(*account, principal.clone()),
                Permission::list_delegated_administrators(principal.clone()),
            ],
            Action::CreateRole => vec![Permission::create_service_linked_role(), Permission::get_role()],
            Action::DeleteRole => vec![
                Permission::delete_service_linked_role(),
                Permission::get_service_linked_role_deletion_status(),
                Permission::get_role(),
            ],
            Action::CreateSync { sync, .. } => vec![
                Permission::create_resource_data_sync(caller, sync.region.clone(), sync.name.clone()),
                Permission::list_resource_data_sync(caller),
            ],
            Action::UpdateSync { sync, .. } => vec![
                Permission::update_resource_data_sync(caller, sync.region.clone(), sync.name.clone()),
                Permission::list_resource_data_sync(caller),
            ],
            Action::DeleteSync { sync } => vec![
                Permission::delete_resource_data_sync(caller, sync.region.clone(), sync.name.clone()),
                Permission::list_resource_data_sync(caller),
            ],
        }
    }

    fn moved(&self, fact: &Fact, found: String) -> Error {
        let kind = ErrorKind::FactMoved { expected: Box::new(fact.clone()), found };
        Error::of(kind).at(self.action.operation())
    }

    /// Whether its facts about the sync hold, by what a listing shows of it now.
    pub(super) fn check_sync(&self, found: Option<&DataSync>) -> Result<(), Error> {
        let moved = self.facts.iter().find_map(|fact| fact.contradicted_by_sync(found).map(|found| (fact, found)));
        moved.map_or(Ok(()), |(fact, found)| Err(self.moved(fact, found)))
    }

    /// Whether the role that a look-up shows now is the one that it relies on.
    pub(super) fn check_role(&self, found: &Role) -> Result<(), Error> {
        let moved = self.facts.iter().find_map(|fact| fact.contradicted_by_role(found).map(|found| (fact, found)));
        moved.map_or(Ok(()), |(fact, found)| Err(self.moved(fact, found)))
    }

    /// Whether the facts hold; the error of the first that does not.
    pub(super) fn check(&self, now: &Snapshot) -> Result<(), Error> {
        for fact in &self.facts {
            if let Some(found) = fact.contradicted_in(now)? {
                return Err(self.moved(fact, found));
            }
        }
        if let Some(at_risk) = &self.at_risk {
            // A sync that was made since would go unsaid.
            let new = now.all_syncs().filter(|(at, shown)| {
                at_risk.endangers(at, shown)
                    && !at_risk.known.iter().any(|(known, lost)| known == at && is_same(lost, shown))
            });
            let new: Vec<_> = new.map(|(at, shown)| RemainingSync { at, shown: Some(shown.clone()) }).collect();
            if !new.is_empty() {
                let kind = ErrorKind::SyncsRemain { syncs: new };
                return Err(Error::of(kind).at(self.action.operation()));
            }
        }
        Ok(())
    }
}

impl AtRisk {
    fn endangers(&self, at: &SyncAt, shown: &DataSync) -> bool {
        shown.is_of_organization() && self.accounts.contains(&at.account) && self.regions.contains(&at.region)
    }
}

/// As a person would say it.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnableTrustedAccess { principal } => write!(f, "enable trusted access for {principal}"),
            Self::DisableTrustedAccess { principal } => write!(f, "disable trusted access for {principal}"),
            Self::RegisterAdministrator { account, principal } => {
                write!(f, "register account {account} as delegated administrator of {principal}")
            }
            Self::DeregisterAdministrator { account, principal } => {
                write!(f, "deregister account {account} as delegated administrator of {principal}")
            }
            Self::CreateRole => write!(f, "create the role {}", RoleName::ACCOUNT_DISCOVERY),
            Self::DeleteRole => write!(f, "delete the role {}", RoleName::ACCOUNT_DISCOVERY),
            Self::CreateSync { sync, .. } => write!(f, "create the data sync {sync}"),
            Self::UpdateSync { sync, .. } => write!(f, "update the data sync {sync}"),
            Self::DeleteSync { sync } => write!(f, "delete the data sync {sync}"),
        }
    }
}
