use std::fmt;

use super::UnlistedSyncs;
use crate::domain::{
    AccountId, BlockingSync, DataSync, DataSyncId, DelegatedAdministrator, EnabledService, Operation, Precondition,
    Region, Role, RoleId, RoleName, SYSTEMS_MANAGER, ServicePrincipal, SyncDefinition, is_same_sync,
};
use crate::error::{Error, ErrorKind};
use crate::guidance::AwsCommand;
use crate::observation::{Reading, Snapshot};
use crate::operations::data_sync::matches_definition;
use crate::policy::{Caller, Condition, Permission};

/// Write of a plan's step.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
#[non_exhaustive]
pub enum Action {
    /// Enable trusted access for a service.
    #[non_exhaustive]
    EnableTrustedAccess {
        /// The service.
        principal: ServicePrincipal,
    },
    /// Disable trusted access for a service.
    #[non_exhaustive]
    DisableTrustedAccess {
        /// The service.
        principal: ServicePrincipal,
    },
    /// Register a member account as delegated administrator of a service.
    #[non_exhaustive]
    RegisterAdministrator {
        /// The account.
        account: AccountId,
        /// The service.
        principal: ServicePrincipal,
    },
    /// Deregister a delegated administrator of a service.
    #[non_exhaustive]
    DeregisterAdministrator {
        /// The account.
        account: AccountId,
        /// The service.
        principal: ServicePrincipal,
    },
    /// Create the service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery`.
    CreateRole,
    /// Delete the service-linked role.
    DeleteRole,
    /// Create a data sync.
    #[non_exhaustive]
    CreateSync {
        /// The account, Region and name of the sync.
        sync: DataSyncId,
        /// The definition to write.
        definition: SyncDefinition,
    },
    /// Change a data sync in place.
    #[non_exhaustive]
    UpdateSync {
        /// The account, Region and name of the sync.
        sync: DataSyncId,
        /// The definition to write.
        definition: SyncDefinition,
    },
    /// Delete a data sync.
    #[non_exhaustive]
    DeleteSync {
        /// The account, Region and name of the sync.
        sync: DataSyncId,
    },
}

/// A step of a [`Plan`](super::Plan), as plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub(super) action: Action,
    pub(super) reason: String,
    pub(super) account: AccountId,
    pub(super) preconditions: Vec<Precondition>,
    pub(super) affected_syncs: Option<AffectedSyncs>,
    pub(super) depends_on: Vec<usize>,
}

/// Organization data syncs that a step deletes or breaks as a side effect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct AffectedSyncs {
    /// The policy for syncs that are not in `listed`.
    pub unlisted: UnlistedSyncs,
    /// The accounts whose syncs are affected. The first account's syncs have to be checked if syncs
    /// are protected.
    pub accounts: Vec<AccountId>,
    /// The Regions that are searched.
    pub regions: Vec<Region>,
    /// The listed syncs that will be deleted or break, with their full definitions for recreation.
    pub listed: Vec<(DataSyncId, DataSync)>,
}

impl Action {
    /// Returns the AWS operation that performs the write.
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

    /// Returns the data sync that the action writes; `None` for other actions.
    #[must_use]
    pub fn sync(&self) -> Option<&DataSyncId> {
        match self {
            Self::CreateSync { sync, .. } | Self::UpdateSync { sync, .. } | Self::DeleteSync { sync } => Some(sync),
            _ => None,
        }
    }

    /// Returns the service whose trusted access or administrators the action changes.
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

    /// Returns the service for which AWS requires trusted access.
    pub(super) fn requires_trusted_access(&self) -> Option<&ServicePrincipal> {
        match self {
            Self::RegisterAdministrator { principal, .. } => Some(principal),
            Self::CreateSync { definition, .. } | Self::UpdateSync { definition, .. } => {
                definition.is_of_organization().then_some(&SYSTEMS_MANAGER)
            }
            _ => None,
        }
    }

    /// Returns whether the action removes a resource that a later step may have to create again.
    pub(super) fn is_destructive(&self) -> bool {
        matches!(
            self,
            Self::DisableTrustedAccess { .. } | Self::DeregisterAdministrator { .. } | Self::DeleteSync { .. }
        )
    }

    /// Returns whether the action removes a resource.
    pub(super) fn is_deletion(&self) -> bool {
        self.is_destructive() || *self == Self::DeleteRole
    }

    /// Returns the account whose credentials the write needs.
    pub(super) fn account(&self, management: AccountId) -> AccountId {
        self.sync().map_or(management, |sync| sync.account)
    }

    /// Returns the equivalent `aws` command, for the credentials of the step's account.
    #[must_use]
    pub fn aws_command(&self) -> AwsCommand {
        match self {
            Self::EnableTrustedAccess { principal } => AwsCommand::enable_aws_service_access(principal),
            Self::DisableTrustedAccess { principal } => AwsCommand::disable_aws_service_access(principal),
            Self::RegisterAdministrator { account, principal } => {
                AwsCommand::register_delegated_administrator(*account, principal)
            }
            Self::DeregisterAdministrator { account, principal } => {
                AwsCommand::deregister_delegated_administrator(*account, principal)
            }
            Self::CreateRole => AwsCommand::create_service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY),
            Self::DeleteRole => AwsCommand::delete_service_linked_role(&RoleName::ACCOUNT_DISCOVERY),
            Self::CreateSync { sync, definition } => AwsCommand::create_resource_data_sync(definition, &sync.region),
            Self::UpdateSync { sync, definition } => AwsCommand::update_resource_data_sync(definition, &sync.region),
            Self::DeleteSync { sync } => AwsCommand::delete_resource_data_sync(&sync.name, &sync.region),
        }
    }

    /// Returns whether the effect is already in place.
    pub(super) fn is_satisfied_in(&self, now: &Snapshot) -> Result<bool, Error> {
        let administers = |account: AccountId, principal| -> Result<bool, Error> {
            let administrators = now.require_service(principal)?.administrators.require()?;
            Ok(administrators.iter().any(|found| found.account == account))
        };
        Ok(match self {
            Self::EnableTrustedAccess { principal } => {
                now.require_service(principal)?.trusted_access.require()?.is_some()
            }
            Self::DisableTrustedAccess { principal } => {
                now.require_service(principal)?.trusted_access.require()?.is_none()
            }
            Self::RegisterAdministrator { account, principal } => administers(*account, principal)?,
            Self::DeregisterAdministrator { account, principal } => !administers(*account, principal)?,
            Self::CreateRole => now.require_role()?.is_some(),
            Self::DeleteRole => now.require_role()?.is_none(),
            Self::CreateSync { sync, definition } | Self::UpdateSync { sync, definition } => {
                now.require_sync(sync)?.is_some_and(|found| matches_definition(found, definition))
            }
            Self::DeleteSync { sync } => now.require_sync(sync)?.is_none(),
        })
    }

    /// Applies the effect to the model that later steps are planned against. A created resource has
    /// no date yet.
    pub(super) fn apply_to_model(&self, now: &mut Snapshot) {
        let service = |now: &mut Snapshot, change: &dyn Fn(&mut crate::observation::ServiceReading)| {
            let principal = self.principal();
            now.services.iter_mut().filter(|service| Some(&service.principal) == principal).for_each(change);
        };
        match self {
            Self::EnableTrustedAccess { principal } => service(now, &|service| {
                service.trusted_access = Reading::Known(Some(EnabledService::new(principal.clone(), None)));
            }),
            Self::DisableTrustedAccess { .. } => service(now, &|service| service.trusted_access = Reading::Known(None)),
            Self::RegisterAdministrator { account, .. } => service(now, &|service| {
                if let Reading::Known(administrators) = &mut service.administrators {
                    administrators.push(DelegatedAdministrator::new(*account, None));
                }
            }),
            Self::DeregisterAdministrator { account, .. } => service(now, &|service| {
                if let Reading::Known(administrators) = &mut service.administrators {
                    administrators.retain(|found| found.account != *account);
                }
            }),
            Self::CreateRole => {
                let role = Role::new(RoleName::ACCOUNT_DISCOVERY, RoleId::EXAMPLE, "");
                now.role = Some(Reading::Known(Some(role)));
            }
            Self::DeleteRole => now.role = Some(Reading::Known(None)),
            Self::CreateSync { sync, definition } | Self::UpdateSync { sync, definition } => {
                now.put_sync(sync, Some(DataSync::from_definition(definition)));
            }
            Self::DeleteSync { sync } => now.put_sync(sync, None),
        }
    }
}

impl Snapshot {
    /// Stores the current state of a sync, if the account's syncs in the Region are known.
    pub(super) fn put_sync(&mut self, at: &DataSyncId, sync: Option<DataSync>) {
        let of = self.syncs.iter_mut().find(|of| of.account == at.account && of.region == at.region);
        if let Some(Reading::Known(syncs)) = of.map(|of| &mut of.syncs) {
            syncs.retain(|other| other.name != at.name);
            syncs.extend(sync);
        }
    }
}

impl Step {
    /// Returns the write.
    #[must_use]
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// Returns the reason for the step.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns the account whose credentials the write needs.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// Returns the preconditions that must hold when the step runs, after the earlier steps.
    #[must_use]
    pub fn preconditions(&self) -> &[Precondition] {
        &self.preconditions
    }

    /// Returns the data syncs that the step deletes or breaks; `None` if it affects none.
    #[must_use]
    pub fn affected_syncs(&self) -> Option<&AffectedSyncs> {
        self.affected_syncs.as_ref()
    }

    /// Returns the indexes, counted from zero, of the earlier steps that this step waits for.
    ///
    /// Steps that these steps depend on are omitted. If one of them fails, this step is not run.
    #[must_use]
    pub fn depends_on(&self) -> &[usize] {
        &self.depends_on
    }

    /// Returns the condition that a policy may put on the write; `None` if AWS supports none.
    #[must_use]
    pub fn condition(&self) -> Option<Condition> {
        let permissions = self.permissions(Caller::Account(self.account));
        permissions.iter().find(|permission| permission.operation() == self.action.operation())?.condition()
    }

    /// Returns the equivalent `aws` command, for the credentials of the step's account.
    #[must_use]
    pub fn aws_command(&self) -> AwsCommand {
        self.action.aws_command()
    }

    /// Returns the permissions that the step's account needs as this caller, for the write and its
    /// reads.
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

    fn precondition_failed(&self, fact: &Precondition, found: String) -> Error {
        let kind = ErrorKind::PreconditionFailed { expected: Box::new(fact.clone()), found };
        Error::new(kind).with_operation(self.action.operation())
    }

    /// Checks the preconditions about the sync against the current listing.
    pub(super) fn check_sync(&self, found: Option<&DataSync>) -> Result<(), Error> {
        let moved =
            self.preconditions.iter().find_map(|fact| fact.sync_contradiction(found).map(|found| (fact, found)));
        moved.map_or(Ok(()), |(fact, found)| Err(self.precondition_failed(fact, found)))
    }

    /// Checks that the role that AWS returns now satisfies the preconditions.
    pub(super) fn check_role(&self, found: &Role) -> Result<(), Error> {
        let moved =
            self.preconditions.iter().find_map(|fact| fact.role_contradiction(found).map(|found| (fact, found)));
        moved.map_or(Ok(()), |(fact, found)| Err(self.precondition_failed(fact, found)))
    }

    /// Checks the preconditions and returns the error of the first that fails.
    pub(super) fn check(&self, now: &Snapshot) -> Result<(), Error> {
        for fact in &self.preconditions {
            if let Some(found) = fact.contradiction(now)? {
                return Err(self.precondition_failed(fact, found));
            }
        }
        if let Some(affected_syncs) = &self.affected_syncs {
            // The plan does not list a sync that was created after planning.
            let new = now.all_syncs().filter(|(at, shown)| {
                affected_syncs.affects(at, shown)
                    && !affected_syncs.listed.iter().any(|(listed, lost)| listed == at && is_same_sync(lost, shown))
            });
            let new: Vec<_> = new.map(|(at, shown)| BlockingSync { id: at, listed: Some(shown.clone()) }).collect();
            if !new.is_empty() {
                let kind = ErrorKind::DataSyncsExist { syncs: new };
                return Err(Error::new(kind).with_operation(self.action.operation()));
            }
        }
        Ok(())
    }
}

impl AffectedSyncs {
    /// Returns the organization syncs of these accounts in a snapshot.
    pub(super) fn listed_in(now: &Snapshot, accounts: &[AccountId]) -> Vec<(DataSyncId, DataSync)> {
        let seen = now.all_syncs().filter(|(at, sync)| accounts.contains(&at.account) && sync.is_of_organization());
        seen.map(|(at, sync)| (at, sync.clone())).collect()
    }

    fn affects(&self, at: &DataSyncId, shown: &DataSync) -> bool {
        shown.is_of_organization() && self.accounts.contains(&at.account) && self.regions.contains(&at.region)
    }
}

/// Prints the action as a phrase.
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
