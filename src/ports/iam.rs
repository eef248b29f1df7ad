use async_trait::async_trait;
use auto_impl::auto_impl;

use crate::domain::{DeletionStatus, DeletionTaskId, Operation, Role, RoleName, ServicePrincipal};
use crate::error::Error;

/// Client for AWS Identity and Access Management, for the service-linked role operations.
///
/// Each method links AWS's page and lists the error codes that a fake should return. IAM refuses a
/// caller without permission with `AccessDenied`. IAM's codes do not end in `Exception`.
#[async_trait]
#[auto_impl(&, Box, Arc)]
pub trait IamApi: Send + Sync {
    /// Reads a role with [`GetRole`]. Needs `iam:GetRole`.
    ///
    /// Returns `None` instead of an error where AWS returns `NoSuchEntity`.
    ///
    /// [`GetRole`]: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
    async fn get_role(&self, name: &RoleName) -> Result<Option<Role>, Error> {
        let _ = name;
        Err(Error::unsupported(Operation::GetRole))
    }

    /// Creates a service-linked role without a suffix, with [`CreateServiceLinkedRole`]. Needs
    /// `iam:CreateServiceLinkedRole`, which a policy may limit by `iam:AWSServiceName`.
    ///
    /// AWS returns `InvalidInput` if the role already exists, and for an invalid service principal.
    /// AWS returns `LimitExceeded` if a quota is reached.
    ///
    /// [`CreateServiceLinkedRole`]: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html
    async fn create_service_linked_role(&self, principal: &ServicePrincipal) -> Result<Role, Error> {
        let _ = principal;
        Err(Error::unsupported(Operation::CreateServiceLinkedRole))
    }

    /// Starts the deletion of a role with [`DeleteServiceLinkedRole`]. Needs
    /// `iam:DeleteServiceLinkedRole`.
    ///
    /// AWS returns `NoSuchEntity` if the role does not exist. A second call returns the id of the
    /// deletion in progress.
    ///
    /// [`DeleteServiceLinkedRole`]: https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteServiceLinkedRole.html
    async fn delete_service_linked_role(&self, name: &RoleName) -> Result<DeletionTaskId, Error> {
        let _ = name;
        Err(Error::unsupported(Operation::DeleteServiceLinkedRole))
    }

    /// Reads the status of a deletion with [`GetServiceLinkedRoleDeletionStatus`]. Needs
    /// `iam:GetServiceLinkedRoleDeletionStatus`.
    ///
    /// AWS returns `NoSuchEntity` for a deletion that was never started. A role in use is not an
    /// error: the status is [`DeletionStatus::Failed`].
    ///
    /// [`GetServiceLinkedRoleDeletionStatus`]: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLinkedRoleDeletionStatus.html
    async fn get_service_linked_role_deletion_status(&self, task: &DeletionTaskId) -> Result<DeletionStatus, Error> {
        let _ = task;
        Err(Error::unsupported(Operation::GetServiceLinkedRoleDeletionStatus))
    }
}
