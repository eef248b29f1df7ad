use std::fmt;

use crate::data_syncs::Viewpoint;
use crate::domain::{AccountId, Region, RoleName, ServicePrincipal, SyncName};
use crate::ports::{Operation, SyncType};

use super::merge::{self, Atom, Concern};
use super::{Condition, Scope, Statement};

/// Whose credentials make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Caller {
    /// The management account's. Only it changes trust and delegation.
    Management,
    /// The delegated administrator's.
    Administrator,
    /// Those of another account that owns data syncs, such as a former administrator.
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

impl From<Viewpoint> for Caller {
    fn from(viewpoint: Viewpoint) -> Self {
        match viewpoint {
            Viewpoint::Management(_) => Self::Management,
            Viewpoint::Administrator(_) => Self::Administrator,
            Viewpoint::Other(account) => Self::Account(account),
        }
    }
}

/// One thing that somebody has to be allowed: an operation, and what it is on.
///
/// Each constructor is named for its operation, and takes just what AWS lets a policy narrow it by. `GetCallerIdentity` has none: it needs
/// no permission.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission {
    caller: Caller,
    operation: Operation,
    on: Subject,
}

/// What an operation is on; `None` is any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Subject {
    /// AWS lets nothing narrow it.
    Everything,
    Service(ServicePrincipal),
    Account(Option<AccountId>),
    Administration(Option<AccountId>, ServicePrincipal),
    Sync(Option<(Region, SyncName)>),
    Role,
}

impl Permission {
    /// To read the organization itself.
    #[must_use]
    pub fn describe_organization() -> Self {
        Self::of_management(Operation::DescribeOrganization, Subject::Everything)
    }

    /// To look one member account up.
    #[must_use]
    pub fn describe_account(account: AccountId) -> Self {
        Self::of_management(Operation::DescribeAccount, Subject::Account(Some(account)))
    }

    /// To list the services that are trusted in the organization.
    #[must_use]
    pub fn list_aws_service_access_for_organization() -> Self {
        Self::of_management(Operation::ListAwsServiceAccessForOrganization, Subject::Everything)
    }

    /// To trust this service.
    #[must_use]
    pub fn enable_aws_service_access(principal: ServicePrincipal) -> Self {
        Self::of_management(Operation::EnableAwsServiceAccess, Subject::Service(principal))
    }

    /// To trust this service no longer.
    #[must_use]
    pub fn disable_aws_service_access(principal: ServicePrincipal) -> Self {
        Self::of_management(Operation::DisableAwsServiceAccess, Subject::Service(principal))
    }

    /// To list the administrators of this service.
    #[must_use]
    pub fn list_delegated_administrators(principal: ServicePrincipal) -> Self {
        Self::of_management(Operation::ListDelegatedAdministrators, Subject::Service(principal))
    }

    /// To make this account the administrator of this service.
    #[must_use]
    pub fn register_delegated_administrator(account: AccountId, principal: ServicePrincipal) -> Self {
        let on = Subject::Administration(Some(account), principal);
        Self::of_management(Operation::RegisterDelegatedAdministrator, on)
    }

    /// To take the administration of this service from this account.
    #[must_use]
    pub fn deregister_delegated_administrator(account: AccountId, principal: ServicePrincipal) -> Self {
        let on = Subject::Administration(Some(account), principal);
        Self::of_management(Operation::DeregisterDelegatedAdministrator, on)
    }

    /// To list the data syncs of the caller's own account. AWS lets neither Region nor name narrow it, and both types of syncs are listed: Inventory's
    /// hold names and places too.
    #[must_use]
    pub fn list_resource_data_sync(caller: Caller) -> Self {
        Self { caller, operation: Operation::ListResourceDataSync, on: Subject::Everything }
    }

    /// To create the data sync of this name in this Region of the caller's own account.
    #[must_use]
    pub fn create_resource_data_sync(caller: Caller, region: Region, name: SyncName) -> Self {
        Self { caller, operation: Operation::CreateResourceDataSync, on: Subject::Sync(Some((region, name))) }
    }

    /// To change the data sync of this name in this Region of the caller's own account.
    #[must_use]
    pub fn update_resource_data_sync(caller: Caller, region: Region, name: SyncName) -> Self {
        Self { caller, operation: Operation::UpdateResourceDataSync, on: Subject::Sync(Some((region, name))) }
    }

    /// To delete the data sync of this name in this Region of the caller's own account.
    #[must_use]
    pub fn delete_resource_data_sync(caller: Caller, region: Region, name: SyncName) -> Self {
        Self { caller, operation: Operation::DeleteResourceDataSync, on: Subject::Sync(Some((region, name))) }
    }

    /// To look the role [`RoleName::ACCOUNT_DISCOVERY`] up.
    #[must_use]
    pub fn get_role() -> Self {
        Self::of_management(Operation::GetRole, Subject::Role)
    }

    /// To create that role.
    #[must_use]
    pub fn create_service_linked_role() -> Self {
        Self::of_management(Operation::CreateServiceLinkedRole, Subject::Role)
    }

    /// To begin to delete that role.
    #[must_use]
    pub fn delete_service_linked_role() -> Self {
        Self::of_management(Operation::DeleteServiceLinkedRole, Subject::Role)
    }

    /// To see how far its deletion has come.
    #[must_use]
    pub fn get_service_linked_role_deletion_status() -> Self {
        Self::of_management(Operation::GetServiceLinkedRoleDeletionStatus, Subject::Role)
    }

    /// To call an operation on whatever this crate may call it on: any account, any of Explorer's data syncs, Systems Manager's principal. One for each account
    /// that calls it: the management account, and for data syncs the delegated administrator's too. Empty for `GetCallerIdentity`.
    #[must_use]
    pub fn of(operation: Operation) -> Vec<Self> {
        let principal = || ServicePrincipal::SYSTEMS_MANAGER;
        let on = match operation {
            Operation::GetCallerIdentity => return Vec::new(),
            Operation::DescribeOrganization
            | Operation::ListAwsServiceAccessForOrganization
            | Operation::ListResourceDataSync => Subject::Everything,
            Operation::DescribeAccount => Subject::Account(None),
            Operation::EnableAwsServiceAccess
            | Operation::DisableAwsServiceAccess
            | Operation::ListDelegatedAdministrators => Subject::Service(principal()),
            Operation::RegisterDelegatedAdministrator | Operation::DeregisterDelegatedAdministrator => {
                Subject::Administration(None, principal())
            }
            Operation::CreateResourceDataSync
            | Operation::UpdateResourceDataSync
            | Operation::DeleteResourceDataSync => Subject::Sync(None),
            Operation::GetRole
            | Operation::CreateServiceLinkedRole
            | Operation::DeleteServiceLinkedRole
            | Operation::GetServiceLinkedRoleDeletionStatus => Subject::Role,
        };
        let callers: &[_] = match operation.service() {
            "ssm" => &[Caller::Management, Caller::Administrator],
            _ => &[Caller::Management],
        };
        callers.iter().map(|caller| Self { caller: *caller, operation, on: on.clone() }).collect()
    }

    /// Everything that this crate may have to be allowed.
    #[must_use]
    pub fn everything() -> Vec<Self> {
        Operation::ALL.iter().copied().flat_map(Self::of).collect()
    }

    fn of_management(operation: Operation, on: Subject) -> Self {
        Self { caller: Caller::Management, operation, on }
    }

    /// The same for somebody else's credentials.
    pub(crate) fn held_by(self, caller: Caller) -> Self {
        Self { caller, ..self }
    }

    /// The same for another service, where it is for one.
    pub(crate) fn of_service(self, principal: ServicePrincipal) -> Self {
        let on = match self.on {
            Subject::Service(_) => Subject::Service(principal),
            Subject::Administration(account, _) => Subject::Administration(account, principal),
            on => on,
        };
        Self { on, ..self }
    }

    /// The operation.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Whose credentials have to be allowed it.
    #[must_use]
    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// The service that trust or delegation is for, where it is about one.
    #[must_use]
    pub fn principal(&self) -> Option<&ServicePrincipal> {
        match &self.on {
            Subject::Service(principal) | Subject::Administration(_, principal) => Some(principal),
            _ => None,
        }
    }

    /// The IAM action, such as `organizations:RegisterDelegatedAdministrator`.
    #[must_use]
    pub fn iam_action(&self) -> String {
        self.operation.iam_action()
    }

    /// What IAM calls the thing that it is on: an ARN, or `*` where AWS lets nothing narrow the action.
    /// A data sync whose name [is withheld](SyncName::is_withheld) is any of its Region.
    #[must_use]
    pub fn resource(&self, scope: &Scope) -> String {
        match &self.on {
            Subject::Everything | Subject::Service(_) => "*".to_owned(),
            Subject::Account(account) | Subject::Administration(account, _) => scope.account_arn(*account),
            Subject::Sync(sync) => {
                scope.sync_arn(self.caller, sync.as_ref().map(|(region, name)| (region.as_str(), name)))
            }
            Subject::Role => {
                scope.role_arn(ServicePrincipal::ACCOUNT_DISCOVERY.as_str(), RoleName::ACCOUNT_DISCOVERY.as_str())
            }
        }
    }

    /// The condition that AWS lets narrow it further, if any.
    #[must_use]
    pub fn condition(&self) -> Option<Condition> {
        let (key, value) = match &self.on {
            Subject::Service(principal) | Subject::Administration(_, principal) => {
                ("organizations:ServicePrincipal", principal.to_string())
            }
            Subject::Sync(_) => ("ssm:SyncType", SyncType::SyncFromSource.as_str().to_owned()),
            Subject::Role if self.operation == Operation::CreateServiceLinkedRole => {
                ("iam:AWSServiceName", ServicePrincipal::ACCOUNT_DISCOVERY.to_string())
            }
            Subject::Everything | Subject::Account(_) | Subject::Role => return None,
        };
        Some(Condition::equals(key, value))
    }

    /// The statement to add to a policy that lacks it.
    #[must_use]
    pub fn statement(&self, scope: &Scope) -> Statement {
        merge::statement(self.atom(scope))
    }

    /// Whether it allows the other too.
    fn covers(&self, other: &Self) -> bool {
        let whatever = match (&self.on, &other.on) {
            (Subject::Account(None), Subject::Account(_)) | (Subject::Sync(None), Subject::Sync(_)) => true,
            (Subject::Administration(None, ours), Subject::Administration(_, theirs)) => ours == theirs,
            (ours, theirs) => ours == theirs,
        };
        whatever && (self.operation, self.caller) == (other.operation, other.caller)
    }

    /// The widest of these, each once.
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

    pub(super) fn atom(&self, scope: &Scope) -> Atom {
        Atom {
            concern: self.concern(),
            operation: self.operation,
            resource: self.resource(scope),
            condition: self.condition(),
        }
    }

    fn concern(&self) -> Concern {
        match self.operation {
            Operation::DescribeOrganization | Operation::ListAwsServiceAccessForOrganization => {
                Concern::ReadTheOrganization
            }
            Operation::ListDelegatedAdministrators => Concern::ReadTheAdministrators,
            Operation::DescribeAccount => Concern::ReadAccounts,
            Operation::EnableAwsServiceAccess | Operation::DisableAwsServiceAccess => Concern::ManageTrustedAccess,
            Operation::RegisterDelegatedAdministrator | Operation::DeregisterDelegatedAdministrator => {
                Concern::ManageAdministrators
            }
            Operation::ListResourceDataSync => Concern::ListDataSyncs,
            Operation::CreateResourceDataSync
            | Operation::UpdateResourceDataSync
            | Operation::DeleteResourceDataSync => Concern::ManageDataSyncs,
            Operation::CreateServiceLinkedRole => Concern::CreateTheRole,
            Operation::GetRole
            | Operation::DeleteServiceLinkedRole
            | Operation::GetServiceLinkedRoleDeletionStatus
            | Operation::GetCallerIdentity => Concern::ManageTheRole,
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.iam_action())?;
        match &self.on {
            Subject::Everything => Ok(()),
            Subject::Service(principal) => write!(f, " for {principal}"),
            Subject::Account(None) => f.write_str(" on any account"),
            Subject::Account(Some(account)) => write!(f, " on account {account}"),
            Subject::Administration(None, principal) => write!(f, " on any account for {principal}"),
            Subject::Administration(Some(account), principal) => write!(f, " on account {account} for {principal}"),
            Subject::Sync(None) => f.write_str(" on any data sync of Explorer's"),
            Subject::Sync(Some((region, name))) => write!(f, " on data sync {:?} in {region}", name.to_string()),
            Subject::Role => write!(f, " on role {}", RoleName::ACCOUNT_DISCOVERY),
        }?;
        write!(f, ", in {}", self.caller)
    }
}
