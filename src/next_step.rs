//! What somebody else has to do next: an organization and Systems Manager may have two administrators.

use std::fmt;

use crate::change::{Change, ChangeKind};
use crate::command_line::CommandLine;
use crate::domain::{AccountId, RoleName, ServicePrincipal};
use crate::policy::{Caller, Duty};
use crate::syncs::{SyncAt, SyncsReport};

/// Something left to do, by whom, where in the console, and with which command.
///
/// AWS's page has the administrator of Organizations tell the one of Systems Manager that the service can now be enabled, or disabled:
/// [AWS Systems Manager and AWS Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html).
/// Where both are one person, the steps are that person's.
///
/// ```
/// use ssm_organizations::NextStep;
///
/// for step in NextStep::once_enabled() {
///     println!("{step}");
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct NextStep {
    /// What is to be done.
    pub task: Task,
    /// The account that it is done in.
    pub caller: Caller,
    /// The equivalent command lines, in order. None where it depends on choices that are yet to be made.
    pub commands: Vec<CommandLine>,
}

/// What is left to do. Its [`duty`](Self::duty) says whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Task {
    /// Enable trusted access.
    EnableTrustedAccess,
    /// Create the role that Explorer's data syncs run on.
    CreateRole,
    /// Register the delegated administrator.
    RegisterAdministrator,
    /// Create a data sync of the organization's.
    CreateDataSync,
    /// Delete the organization's data syncs.
    DeleteDataSyncs,
    /// Deregister the delegated administrator.
    DeregisterAdministrator,
    /// Disable trusted access.
    DisableTrustedAccess,
    /// Delete the role.
    DeleteRole,
}

impl Task {
    /// Whose it is.
    #[must_use]
    pub const fn duty(self) -> Duty {
        match self {
            Self::EnableTrustedAccess
            | Self::RegisterAdministrator
            | Self::DeregisterAdministrator
            | Self::DisableTrustedAccess => Duty::Organization,
            Self::CreateRole | Self::CreateDataSync | Self::DeleteDataSyncs | Self::DeleteRole => Duty::SystemsManager,
        }
    }

    /// Where to do it in AWS's console.
    #[must_use]
    pub const fn console(self) -> &'static str {
        match self {
            Self::EnableTrustedAccess => "AWS Organizations > Services > AWS Systems Manager > Enable trusted access",
            Self::DisableTrustedAccess => "AWS Organizations > Services > AWS Systems Manager > Disable trusted access",
            Self::CreateRole => "Systems Manager > Explorer > Settings > Create role",
            Self::RegisterAdministrator => "Systems Manager > Explorer > Settings > Delegated administrator > Register",
            Self::DeregisterAdministrator => {
                "Systems Manager > Explorer > Settings > Delegated administrator > Deregister"
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

impl fmt::Display for Task {
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
    /// This task, in this account, with no command yet.
    #[must_use]
    pub fn new(task: Task, caller: Caller) -> Self {
        Self { task, caller, commands: Vec::new() }
    }

    /// The same with one more command.
    #[must_use]
    pub fn with_command(mut self, command: CommandLine) -> Self {
        self.commands.push(command);
        self
    }

    /// What Systems Manager's administrator is told once trusted access is on: the service can now be enabled.
    #[must_use]
    pub fn once_enabled() -> Vec<Self> {
        vec![Self::create_role(), Self::new(Task::CreateDataSync, Caller::Management)]
    }

    /// What comes before trusted access is taken away, in order: AWS wants Systems Manager's administrator to clean up first, and the organization's to disable it then.
    #[must_use]
    pub fn before_disabling(administrator: Option<AccountId>) -> Vec<Self> {
        let principal = &ServicePrincipal::SYSTEMS_MANAGER;
        let mut steps = Vec::new();
        if administrator.is_some() {
            steps.push(Self::new(Task::DeleteDataSyncs, Caller::Administrator));
        }
        steps.push(Self::new(Task::DeleteDataSyncs, Caller::Management));
        if let Some(account) = administrator {
            let command = CommandLine::deregister_delegated_administrator(account, principal);
            steps.push(Self::new(Task::DeregisterAdministrator, Caller::Management).with_command(command));
        }
        let command = CommandLine::disable_aws_service_access(principal);
        steps.push(Self::new(Task::DisableTrustedAccess, Caller::Management).with_command(command));
        steps
    }

    /// What Systems Manager's administrator is told once trusted access is off: the service can now be disabled.
    #[must_use]
    pub fn once_disabled() -> Vec<Self> {
        vec![Self::new(Task::DeleteDataSyncs, Caller::Management), Self::delete_role()]
    }

    fn create_role() -> Self {
        let command = CommandLine::create_service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY);
        Self::new(Task::CreateRole, Caller::Management).with_command(command)
    }

    fn delete_role() -> Self {
        let command = CommandLine::delete_service_linked_role(&RoleName::ACCOUNT_DISCOVERY);
        Self::new(Task::DeleteRole, Caller::Management).with_command(command)
    }

    /// What these changes of a run leave to do. What was there before the run is not among them, and is for the caller to leave out.
    ///
    /// * Trusted access that was enabled leaves the role and a data sync, unless the run made them.
    /// * An administrator that was deregistered leaves the data syncs that went with it, unless the run created them anew.
    /// * Trusted access that was disabled leaves the data syncs, unless none was seen, and the role.
    #[must_use]
    pub fn after(changes: &[Change]) -> Vec<Self> {
        let so: Vec<_> = changes.iter().filter(|change| change.is_so()).map(|change| &change.kind).collect();
        let made_role = so.iter().any(|kind| matches!(kind, ChangeKind::RoleCreated { .. }));
        let deleted_role = so.iter().any(|kind| matches!(kind, ChangeKind::RoleDeleted { .. }));
        let made_sync = so.iter().any(|kind| matches!(kind, ChangeKind::DataSyncCreated { .. }));
        let trust = so.iter().rposition(|kind| is_enabling(kind) || is_disabling(kind));
        let mut steps = Vec::new();
        for (index, kind) in so.iter().enumerate() {
            let last = trust.is_none_or(|trust| trust <= index);
            match kind {
                kind if is_enabling(kind) && last => steps.extend(Self::once_enabled().into_iter().filter(|step| {
                    !(step.task == Task::CreateRole && made_role || step.task == Task::CreateDataSync && made_sync)
                })),
                ChangeKind::AdministratorDeregistered { syncs, .. } if last => {
                    steps.extend(Self::to_create_again(syncs, so.get(index..).unwrap_or_default()));
                }
                ChangeKind::TrustedAccessDisabled { syncs, .. } if is_disabling(kind) && last => {
                    let none_seen = matches!(syncs, SyncsReport::NoneSeen(_));
                    steps.extend(Self::once_disabled().into_iter().filter(|step| {
                        !(step.task == Task::DeleteRole && deleted_role
                            || step.task == Task::DeleteDataSyncs && none_seen)
                    }));
                }
                _ => {}
            }
        }
        steps
    }

    /// The syncs that went, and that no later change brought back.
    fn to_create_again(syncs: &SyncsReport, later: &[&ChangeKind]) -> Option<Self> {
        let is_back = |at: &SyncAt| {
            later.iter().any(|kind| match kind {
                ChangeKind::DataSyncCreated { sync, .. } => (&sync.region, &sync.name) == (&at.region, &at.name),
                _ => false,
            })
        };
        let gone = syncs.recorded().iter().filter(|(at, _)| !at.name.is_foreign() && !is_back(at));
        let commands: Vec<_> = gone
            .filter_map(|(at, sync)| Some(CommandLine::create_resource_data_sync(&sync.definition()?, &at.region)))
            .collect();
        let successor = later.iter().any(|kind| matches!(kind, ChangeKind::AdministratorRegistered { .. }));
        let caller = if successor { Caller::Administrator } else { Caller::Management };
        let step = Self::new(Task::CreateDataSync, caller);
        (!commands.is_empty()).then_some(Self { commands, ..step })
    }
}

fn is_enabling(kind: &ChangeKind) -> bool {
    matches!(kind, ChangeKind::TrustedAccessEnabled { principal, .. } if *principal == ServicePrincipal::SYSTEMS_MANAGER)
}

fn is_disabling(kind: &ChangeKind) -> bool {
    matches!(kind, ChangeKind::TrustedAccessDisabled { principal, .. } if *principal == ServicePrincipal::SYSTEMS_MANAGER)
}

/// Whose, where, what, and how.
#[cfg(feature = "serde")]
impl serde::Serialize for NextStep {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut step = serializer.serialize_struct("NextStep", 6)?;
        step.serialize_field("duty", &self.task.duty())?;
        step.serialize_field("caller", &self.caller)?;
        step.serialize_field("task", &self.task)?;
        step.serialize_field("text", &self.task.to_string())?;
        step.serialize_field("console", self.task.console())?;
        step.serialize_field("commands", &self.commands)?;
        step.end()
    }
}

/// Whose, where, what, and how.
impl fmt::Display for NextStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}: {} ({})", self.task.duty(), self.caller, self.task, self.task.console())?;
        self.commands.iter().try_for_each(|command| write!(f, "\n    {command}"))
    }
}
