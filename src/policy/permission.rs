use std::fmt;

use crate::domain::{
    AccountId, Operation, OrganizationalUnitId, Region, RoleName, ServicePrincipal, SyncName, SyncType,
};

use super::merge::{self, Grant, StatementGroup};
use super::{Condition, PolicyScope, Statement};

/// Account whose credentials make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Caller {
    /// The management account. Only this account changes trusted access and delegation.
    Management,
    /// The delegated administrator's account.
    Administrator,
    /// Another account that owns data syncs, such as a former administrator.
    Account(AccountId),
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Management => f.write_str("the management account"),
            Self::Administrator => f.write_str("the delegated administrator's account"),
            Self::Account(account) => write!(f, "account {account}"),
        }
    }
}

/// Permission that a caller needs: an operation on a resource.
///
/// Each constructor has the name of its operation. The parameters are exactly what AWS lets a
/// policy narrow the operation by. `GetCallerIdentity` has no constructor, because the call needs
/// no permission.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission {
    caller: Caller,
    operation: Operation,
    on: ResourceTarget,
}

/// Resource of an operation. `None` means any resource of the kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum ResourceTarget {
    /// The resource of an operation that AWS does not let a policy narrow.
    Everything,
    Service(ServicePrincipal),
    Account(Option<AccountId>),
    Unit(Option<OrganizationalUnitId>),
    Administration(Option<AccountId>, ServicePrincipal),
    Sync(Option<(Region, SyncName)>),
    Role,
}

impl Permission {
    /// Returns the permission to read the organization.
    #[must_use]
    pub fn describe_organization() -> Self {
        Self::of_management(Operation::DescribeOrganization, ResourceTarget::Everything)
    }

    /// Returns the permission to read one member account.
    #[must_use]
    pub fn describe_account(account: AccountId) -> Self {
        Self::of_management(Operation::DescribeAccount, ResourceTarget::Account(Some(account)))
    }

    /// Returns the permission to read one organizational unit of a data sync.
    ///
    /// The permission is optional: without it, the crate does not find the unknown unit of a data
    /// sync that AWS refuses.
    #[must_use]
    pub fn describe_organizational_unit(unit: OrganizationalUnitId) -> Self {
        Self::of_management(Operation::DescribeOrganizationalUnit, ResourceTarget::Unit(Some(unit)))
    }

    /// Returns the permission to list the services with trusted access.
    #[must_use]
    pub fn list_aws_service_access_for_organization() -> Self {
        Self::of_management(Operation::ListAwsServiceAccessForOrganization, ResourceTarget::Everything)
    }

    /// Returns the permission to enable trusted access for this service.
    #[must_use]
    pub fn enable_aws_service_access(principal: ServicePrincipal) -> Self {
        Self::of_management(Operation::EnableAwsServiceAccess, ResourceTarget::Service(principal))
    }

    /// Returns the permission to disable trusted access for this service.
    #[must_use]
    pub fn disable_aws_service_access(principal: ServicePrincipal) -> Self {
        Self::of_management(Operation::DisableAwsServiceAccess, ResourceTarget::Service(principal))
    }

    /// Returns the permission to list the delegated administrators of this service.
    #[must_use]
    pub fn list_delegated_administrators(principal: ServicePrincipal) -> Self {
        Self::of_management(Operation::ListDelegatedAdministrators, ResourceTarget::Service(principal))
    }

    /// Returns the permission to register this account as a delegated administrator of this
    /// service.
    #[must_use]
    pub fn register_delegated_administrator(account: AccountId, principal: ServicePrincipal) -> Self {
        let on = ResourceTarget::Administration(Some(account), principal);
        Self::of_management(Operation::RegisterDelegatedAdministrator, on)
    }

    /// Returns the permission to deregister this account as a delegated administrator of this
    /// service.
    #[must_use]
    pub fn deregister_delegated_administrator(account: AccountId, principal: ServicePrincipal) -> Self {
        let on = ResourceTarget::Administration(Some(account), principal);
        Self::of_management(Operation::DeregisterDelegatedAdministrator, on)
    }

    /// Returns the permission to list the data syncs of the caller's own account.
    ///
    /// AWS does not let a policy narrow the listing by Region or name. The permission covers both
    /// types of syncs, because Inventory's syncs also use names and count toward the quota.
    #[must_use]
    pub fn list_resource_data_sync(caller: Caller) -> Self {
        Self { caller, operation: Operation::ListResourceDataSync, on: ResourceTarget::Everything }
    }

    /// Returns the permission to create the data sync of this name in this Region of the caller's
    /// own account.
    #[must_use]
    pub fn create_resource_data_sync(caller: Caller, region: Region, name: SyncName) -> Self {
        Self { caller, operation: Operation::CreateResourceDataSync, on: ResourceTarget::Sync(Some((region, name))) }
    }

    /// Returns the permission to update the data sync of this name in this Region of the caller's
    /// own account.
    #[must_use]
    pub fn update_resource_data_sync(caller: Caller, region: Region, name: SyncName) -> Self {
        Self { caller, operation: Operation::UpdateResourceDataSync, on: ResourceTarget::Sync(Some((region, name))) }
    }

    /// Returns the permission to delete the data sync of this name in this Region of the caller's
    /// own account.
    #[must_use]
    pub fn delete_resource_data_sync(caller: Caller, region: Region, name: SyncName) -> Self {
        Self { caller, operation: Operation::DeleteResourceDataSync, on: ResourceTarget::Sync(Some((region, name))) }
    }

    /// Returns the permission to read the role [`RoleName::ACCOUNT_DISCOVERY`].
    #[must_use]
    pub fn get_role() -> Self {
        Self::of_management(Operation::GetRole, ResourceTarget::Role)
    }

    /// Returns the permission to create the role [`RoleName::ACCOUNT_DISCOVERY`].
    #[must_use]
    pub fn create_service_linked_role() -> Self {
        Self::of_management(Operation::CreateServiceLinkedRole, ResourceTarget::Role)
    }

    /// Returns the permission to start the deletion of the role [`RoleName::ACCOUNT_DISCOVERY`].
    #[must_use]
    pub fn delete_service_linked_role() -> Self {
        Self::of_management(Operation::DeleteServiceLinkedRole, ResourceTarget::Role)
    }

    /// Returns the permission to read the status of the deletion of
    /// [`RoleName::ACCOUNT_DISCOVERY`].
    #[must_use]
    pub fn get_service_linked_role_deletion_status() -> Self {
        Self::of_management(Operation::GetServiceLinkedRoleDeletionStatus, ResourceTarget::Role)
    }

    /// Returns the permissions to call an operation on every resource that this crate may call it
    /// on.
    ///
    /// These resources are any account, any of Explorer's data syncs, and Systems Manager's
    /// principal. Each account that calls the operation has one permission: the management account,
    /// and for data syncs also the delegated administrator's account. The list is empty for
    /// `GetCallerIdentity`.
    #[must_use]
    pub fn of(operation: Operation) -> Vec<Self> {
        let principal = || ServicePrincipal::SYSTEMS_MANAGER;
        let on = match operation {
            Operation::GetCallerIdentity => return Vec::new(),
            Operation::DescribeOrganization
            | Operation::ListAwsServiceAccessForOrganization
            | Operation::ListResourceDataSync => ResourceTarget::Everything,
            Operation::DescribeAccount => ResourceTarget::Account(None),
            Operation::DescribeOrganizationalUnit => ResourceTarget::Unit(None),
            Operation::EnableAwsServiceAccess
            | Operation::DisableAwsServiceAccess
            | Operation::ListDelegatedAdministrators => ResourceTarget::Service(principal()),
            Operation::RegisterDelegatedAdministrator | Operation::DeregisterDelegatedAdministrator => {
                ResourceTarget::Administration(None, principal())
            }
            Operation::CreateResourceDataSync
            | Operation::UpdateResourceDataSync
            | Operation::DeleteResourceDataSync => ResourceTarget::Sync(None),
            Operation::GetRole
            | Operation::CreateServiceLinkedRole
            | Operation::DeleteServiceLinkedRole
            | Operation::GetServiceLinkedRoleDeletionStatus => ResourceTarget::Role,
        };
        let callers: &[_] = match operation.service() {
            "ssm" => &[Caller::Management, Caller::Administrator],
            _ => &[Caller::Management],
        };
        callers.iter().map(|caller| Self { caller: *caller, operation, on: on.clone() }).collect()
    }

    /// Returns every permission that this crate may need.
    #[must_use]
    pub fn everything() -> Vec<Self> {
        Operation::ALL.iter().copied().flat_map(Self::of).collect()
    }

    fn of_management(operation: Operation, on: ResourceTarget) -> Self {
        Self { caller: Caller::Management, operation, on }
    }

    /// Returns the permission for another caller.
    pub(crate) fn held_by(self, caller: Caller) -> Self {
        Self { caller, ..self }
    }

    /// Returns the permission for another service. A permission that names no service stays
    /// unchanged.
    pub(crate) fn of_service(self, principal: ServicePrincipal) -> Self {
        let on = match self.on {
            ResourceTarget::Service(_) => ResourceTarget::Service(principal),
            ResourceTarget::Administration(account, _) => ResourceTarget::Administration(account, principal),
            on => on,
        };
        Self { on, ..self }
    }

    /// Returns the operation.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Returns the account whose credentials need the permission.
    #[must_use]
    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// Returns the service of the trusted access or delegation, or `None` if the permission names
    /// no service.
    #[must_use]
    pub fn principal(&self) -> Option<&ServicePrincipal> {
        match &self.on {
            ResourceTarget::Service(principal) | ResourceTarget::Administration(_, principal) => Some(principal),
            _ => None,
        }
    }

    /// Returns the IAM action, such as `organizations:RegisterDelegatedAdministrator`.
    #[must_use]
    pub fn iam_action(&self) -> String {
        self.operation.iam_action()
    }

    /// Returns the resource for IAM: an ARN, or `*` if AWS does not let a policy narrow the action.
    #[must_use]
    pub fn resource(&self, scope: &PolicyScope) -> String {
        match &self.on {
            ResourceTarget::Everything | ResourceTarget::Service(_) => "*".to_owned(),
            ResourceTarget::Account(account) | ResourceTarget::Administration(account, _) => {
                scope.account_arn(*account)
            }
            ResourceTarget::Unit(unit) => scope.unit_arn(unit.as_ref()),
            ResourceTarget::Sync(sync) => {
                scope.sync_arn(self.caller, sync.as_ref().map(|(region, name)| (region.as_str(), name)))
            }
            ResourceTarget::Role => {
                scope.role_arn(ServicePrincipal::ACCOUNT_DISCOVERY.as_str(), RoleName::ACCOUNT_DISCOVERY.as_str())
            }
        }
    }

    /// Returns the condition that narrows the permission further, or `None` if AWS offers no
    /// condition.
    #[must_use]
    pub fn condition(&self) -> Option<Condition> {
        let (key, value) = match &self.on {
            ResourceTarget::Service(principal) | ResourceTarget::Administration(_, principal) => {
                ("organizations:ServicePrincipal", principal.to_string())
            }
            ResourceTarget::Sync(_) => ("ssm:SyncType", SyncType::SyncFromSource.as_str().to_owned()),
            ResourceTarget::Role if self.operation == Operation::CreateServiceLinkedRole => {
                ("iam:AWSServiceName", ServicePrincipal::ACCOUNT_DISCOVERY.to_string())
            }
            ResourceTarget::Everything
            | ResourceTarget::Account(_)
            | ResourceTarget::Unit(_)
            | ResourceTarget::Role => return None,
        };
        Some(Condition::equals(key, value))
    }

    /// Returns the statement to add to a policy that lacks the permission.
    #[must_use]
    pub fn statement(&self, scope: &PolicyScope) -> Statement {
        merge::statement(self.grant(scope))
    }

    /// Returns whether this permission also allows the other one.
    fn covers(&self, other: &Self) -> bool {
        let whatever = match (&self.on, &other.on) {
            (ResourceTarget::Account(None), ResourceTarget::Account(_))
            | (ResourceTarget::Unit(None), ResourceTarget::Unit(_))
            | (ResourceTarget::Sync(None), ResourceTarget::Sync(_)) => true,
            (ResourceTarget::Administration(None, ours), ResourceTarget::Administration(_, theirs)) => ours == theirs,
            (ours, theirs) => ours == theirs,
        };
        whatever && (self.operation, self.caller) == (other.operation, other.caller)
    }

    /// Returns the widest of these permissions, without those that another one covers.
    pub(super) fn distinct(permissions: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut distinct: Vec<Self> = Vec::new();
        for permission in permissions {
            if !distinct.iter().any(|known| known.covers(&permission)) {
                distinct.retain(|known| !permission.covers(known));
                distinct.push(permission);
            }
        }
        distinct
    }

    pub(super) fn grant(&self, scope: &PolicyScope) -> Grant {
        Grant {
            concern: self.statement_group(),
            operation: self.operation,
            resource: self.resource(scope),
            condition: self.condition(),
        }
    }

    fn statement_group(&self) -> StatementGroup {
        match self.operation {
            Operation::DescribeOrganization | Operation::ListAwsServiceAccessForOrganization => {
                StatementGroup::ReadTheOrganization
            }
            Operation::ListDelegatedAdministrators => StatementGroup::ReadTheAdministrators,
            Operation::DescribeAccount => StatementGroup::ReadAccounts,
            Operation::DescribeOrganizationalUnit => StatementGroup::ReadUnits,
            Operation::EnableAwsServiceAccess | Operation::DisableAwsServiceAccess => {
                StatementGroup::ManageTrustedAccess
            }
            Operation::RegisterDelegatedAdministrator | Operation::DeregisterDelegatedAdministrator => {
                StatementGroup::ManageAdministrators
            }
            Operation::ListResourceDataSync => StatementGroup::ListDataSyncs,
            Operation::CreateResourceDataSync
            | Operation::UpdateResourceDataSync
            | Operation::DeleteResourceDataSync => StatementGroup::ManageDataSyncs,
            Operation::CreateServiceLinkedRole => StatementGroup::CreateTheRole,
            Operation::GetRole
            | Operation::DeleteServiceLinkedRole
            | Operation::GetServiceLinkedRoleDeletionStatus
            | Operation::GetCallerIdentity => StatementGroup::ManageTheRole,
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.iam_action())?;
        match &self.on {
            ResourceTarget::Everything => Ok(()),
            ResourceTarget::Service(principal) => write!(f, " for {principal}"),
            ResourceTarget::Account(None) => f.write_str(" on any account"),
            ResourceTarget::Account(Some(account)) => write!(f, " on account {account}"),
            ResourceTarget::Unit(None) => f.write_str(" on any organizational unit"),
            ResourceTarget::Unit(Some(unit)) => write!(f, " on organizational unit {unit}"),
            ResourceTarget::Administration(None, principal) => write!(f, " on any account for {principal}"),
            ResourceTarget::Administration(Some(account), principal) => {
                write!(f, " on account {account} for {principal}")
            }
            ResourceTarget::Sync(None) => f.write_str(" on any data sync of Explorer's"),
            ResourceTarget::Sync(Some((region, name))) => write!(f, " on data sync {:?} in {region}", name.to_string()),
            ResourceTarget::Role => write!(f, " on role {}", RoleName::ACCOUNT_DISCOVERY),
        }?;
        write!(f, ", in {}", self.caller)
    }
}
