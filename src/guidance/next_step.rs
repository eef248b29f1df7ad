//! Manual steps for an administrator. An organization and Systems Manager may have two
//! administrators.

use std::fmt;

use super::aws_command::AwsCommand;
use crate::domain::{AccountId, Change, ChangeKind, DataSyncId, RoleName, ServicePrincipal, SyncCheckReport};
use crate::policy::{Caller, Responsibility};

/// Manual step with the responsible administrator, the place in the console, and the commands.
///
/// AWS's guide asks the administrator of Organizations to tell the administrator of Systems Manager
/// that the service can now be enabled or disabled:
/// [AWS Systems Manager and AWS Organizations][guide]. If one person is both administrators, all
/// steps are for that person.
///
/// [guide]: https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html
///
/// ```
/// use ssm_organizations::guidance::NextStep;
///
/// for step in NextStep::once_enabled() {
///     println!("{step}");
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct NextStep {
    /// The task to do.
    pub task: ManualTask,
    /// The account to do the task in.
    pub caller: Caller,
    /// The equivalent command lines, in order. The list is empty if the task depends on choices of
    /// the administrator.
    pub commands: Vec<AwsCommand>,
}

/// Task to do by hand. [`responsibility`](Self::responsibility) returns the responsible
/// administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum ManualTask {
    /// Enable trusted access.
    EnableTrustedAccess,
    /// Create the role that Explorer's data syncs use.
    CreateRole,
    /// Register the delegated administrator.
    RegisterAdministrator,
    /// Create an organization sync.
    CreateDataSync,
    /// Delete the organization syncs.
    DeleteDataSyncs,
    /// Deregister the delegated administrator.
    DeregisterAdministrator,
    /// Disable trusted access.
    DisableTrustedAccess,
    /// Delete the role that Explorer's data syncs use.
    DeleteRole,
}

impl ManualTask {
    /// Returns the administrator that is responsible for the task.
    #[must_use]
    pub const fn responsibility(self) -> Responsibility {
        match self {
            Self::EnableTrustedAccess
            | Self::RegisterAdministrator
            | Self::DeregisterAdministrator
            | Self::DisableTrustedAccess => Responsibility::Organization,
            Self::CreateRole | Self::CreateDataSync | Self::DeleteDataSyncs | Self::DeleteRole => {
                Responsibility::SystemsManager
            }
        }
    }

    /// Returns the place of the task in AWS's console.
    ///
    /// Explorer's settings leave the console on 2026-12-31. AWS documents that the management of
    /// data syncs moves to OpsCenter, and names no new place for the role and the administrator.
    #[must_use]
    pub const fn console(self) -> &'static str {
        match self {
            Self::EnableTrustedAccess => "AWS Organizations > Services > AWS Systems Manager > Enable trusted access",
            Self::DisableTrustedAccess => "AWS Organizations > Services > AWS Systems Manager > Disable trusted access",
            Self::CreateRole => "Systems Manager > Explorer (until 2026-12-31) > Settings > Create role",
            Self::RegisterAdministrator => {
                "Systems Manager > Explorer (until 2026-12-31) > Settings > Delegated administrator > Register"
            }
            Self::DeregisterAdministrator => {
                "Systems Manager > Explorer (until 2026-12-31) > Settings > Delegated administrator > Deregister"
            }
            Self::CreateDataSync => {
                "Systems Manager > Explorer (from 2026-12-31: OpsCenter) > Settings > Create resource data sync"
            }
            Self::DeleteDataSyncs => {
                "Systems Manager > Explorer (from 2026-12-31: OpsCenter) > Settings > Resource data syncs > Delete"
            }
            Self::DeleteRole => "IAM > Roles > AWSServiceRoleForAmazonSSM_AccountDiscovery > Delete",
        }
    }
}

impl fmt::Display for ManualTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::EnableTrustedAccess => "enable trusted access for Systems Manager",
            Self::CreateRole => "create the role AWSServiceRoleForAmazonSSM_AccountDiscovery",
            Self::RegisterAdministrator => "register the delegated administrator of Systems Manager",
            Self::CreateDataSync => "create a data sync of the organization's",
            Self::DeleteDataSyncs => "delete the organization's data syncs",
            Self::DeregisterAdministrator => "deregister the delegated administrator of Systems Manager",
            Self::DisableTrustedAccess => "disable trusted access for Systems Manager",
            Self::DeleteRole => "delete the role AWSServiceRoleForAmazonSSM_AccountDiscovery",
        })
    }
}

impl NextStep {
    /// Creates a step for this task in this account, without commands.
    #[must_use]
    pub fn new(task: ManualTask, caller: Caller) -> Self {
        Self { task, caller, commands: Vec::new() }
    }

    /// Adds a command.
    #[must_use]
    pub fn with_command(mut self, command: AwsCommand) -> Self {
        self.commands.push(command);
        self
    }

    /// Returns the steps for Systems Manager's administrator after trusted access is enabled.
    ///
    /// AWS's guide asks to tell this administrator that the service can now be enabled.
    #[must_use]
    pub fn once_enabled() -> Vec<Self> {
        vec![Self::create_role(), Self::new(ManualTask::CreateDataSync, Caller::Management)]
    }

    /// Returns the steps before trusted access is disabled, and the disabling itself, in order.
    ///
    /// AWS asks Systems Manager's administrator to clean up first. The organization's administrator
    /// then disables trusted access.
    #[must_use]
    pub fn before_disabling(administrator: Option<AccountId>) -> Vec<Self> {
        let principal = &ServicePrincipal::SYSTEMS_MANAGER;
        let mut steps = Vec::new();
        if administrator.is_some() {
            steps.push(Self::new(ManualTask::DeleteDataSyncs, Caller::Administrator));
        }
        steps.push(Self::new(ManualTask::DeleteDataSyncs, Caller::Management));
        if let Some(account) = administrator {
            let command = AwsCommand::deregister_delegated_administrator(account, principal);
            steps.push(Self::new(ManualTask::DeregisterAdministrator, Caller::Management).with_command(command));
        }
        let command = AwsCommand::disable_aws_service_access(principal);
        steps.push(Self::new(ManualTask::DisableTrustedAccess, Caller::Management).with_command(command));
        steps
    }

    /// Returns the steps for Systems Manager's administrator after trusted access is disabled.
    ///
    /// AWS's guide asks to tell this administrator that the service can now be disabled.
    #[must_use]
    pub fn once_disabled() -> Vec<Self> {
        vec![Self::new(ManualTask::DeleteDataSyncs, Caller::Management), Self::delete_role()]
    }

    fn create_role() -> Self {
        let command = AwsCommand::create_service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY);
        Self::new(ManualTask::CreateRole, Caller::Management).with_command(command)
    }

    fn delete_role() -> Self {
        let command = AwsCommand::delete_service_linked_role(&RoleName::ACCOUNT_DISCOVERY);
        Self::new(ManualTask::DeleteRole, Caller::Management).with_command(command)
    }

    /// Returns the steps that these changes of a run leave to do.
    ///
    /// The changes do not show resources that existed before the run. Your program must remove the
    /// steps that those resources make unnecessary.
    ///
    /// * Enabling trusted access leaves the creation of the role and of a data sync, unless the run
    ///   created them.
    /// * Deregistering an administrator leaves the creation of the data syncs that were lost,
    ///   unless the run created them again.
    /// * Disabling trusted access leaves the deletion of the data syncs, unless the check found
    ///   none.
    /// * Disabling trusted access also leaves the deletion of the role, unless the run deleted it.
    #[must_use]
    pub fn after(changes: &[Change]) -> Vec<Self> {
        let so: Vec<_> = changes.iter().filter(|change| change.is_in_effect()).map(|change| &change.kind).collect();
        let made_role = so.iter().any(|kind| matches!(kind, ChangeKind::RoleCreated { .. }));
        let deleted_role = so.iter().any(|kind| matches!(kind, ChangeKind::RoleDeleted { .. }));
        let made_sync = so.iter().any(|kind| matches!(kind, ChangeKind::DataSyncCreated { .. }));
        let trust = so.iter().rposition(|kind| is_enabling(kind) || is_disabling(kind));
        let mut steps = Vec::new();
        for (index, kind) in so.iter().enumerate() {
            let last = trust.is_none_or(|trust| trust <= index);
            match kind {
                kind if is_enabling(kind) && last => steps.extend(Self::once_enabled().into_iter().filter(|step| {
                    !(step.task == ManualTask::CreateRole && made_role
                        || step.task == ManualTask::CreateDataSync && made_sync)
                })),
                ChangeKind::AdministratorDeregistered { syncs, .. } if last => {
                    steps.extend(Self::recreate_data_syncs(syncs, so.get(index..).unwrap_or_default()));
                }
                ChangeKind::TrustedAccessDisabled { syncs, .. } if is_disabling(kind) && last => {
                    let none_seen = matches!(syncs, SyncCheckReport::NoneFound(_));
                    steps.extend(Self::once_disabled().into_iter().filter(|step| {
                        !(step.task == ManualTask::DeleteRole && deleted_role
                            || step.task == ManualTask::DeleteDataSyncs && none_seen)
                    }));
                }
                _ => {}
            }
        }
        steps
    }

    /// Returns the step to create the deleted syncs that no later change created again.
    fn recreate_data_syncs(syncs: &SyncCheckReport, later: &[&ChangeKind]) -> Option<Self> {
        let is_back = |at: &DataSyncId| {
            later.iter().any(|kind| match kind {
                ChangeKind::DataSyncCreated { sync, .. } => (&sync.region, &sync.name) == (&at.region, &at.name),
                _ => false,
            })
        };
        let gone = syncs.recorded().iter().filter(|(at, _)| !at.name.is_service_managed() && !is_back(at));
        let commands: Vec<_> = gone
            .filter_map(|(at, sync)| Some(AwsCommand::create_resource_data_sync(&sync.definition()?, &at.region)))
            .collect();
        let successor = later.iter().any(|kind| matches!(kind, ChangeKind::AdministratorRegistered { .. }));
        let caller = if successor { Caller::Administrator } else { Caller::Management };
        let step = Self::new(ManualTask::CreateDataSync, caller);
        (!commands.is_empty()).then_some(Self { commands, ..step })
    }
}

fn is_enabling(kind: &ChangeKind) -> bool {
    matches!(kind, ChangeKind::TrustedAccessEnabled { principal, .. } if *principal == ServicePrincipal::SYSTEMS_MANAGER)
}

fn is_disabling(kind: &ChangeKind) -> bool {
    matches!(kind, ChangeKind::TrustedAccessDisabled { principal, .. } if *principal == ServicePrincipal::SYSTEMS_MANAGER)
}

/// Serializes the responsibility, the account, the task, the place in the console and the commands.
#[cfg(feature = "serde")]
impl serde::Serialize for NextStep {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut step = serializer.serialize_struct("NextStep", 6)?;
        step.serialize_field("duty", &self.task.responsibility())?;
        step.serialize_field("caller", &self.caller)?;
        step.serialize_field("task", &self.task)?;
        step.serialize_field("text", &self.task.to_string())?;
        step.serialize_field("console", self.task.console())?;
        step.serialize_field("commands", &self.commands)?;
        step.end()
    }
}

/// Writes the responsibility, the account, the task, the place in the console and the commands.
impl fmt::Display for NextStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}: {} ({})", self.task.responsibility(), self.caller, self.task, self.task.console())?;
        self.commands.iter().try_for_each(|command| write!(f, "\n    {command}"))
    }
}
