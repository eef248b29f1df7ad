use std::time::SystemTime;

use async_trait::async_trait;
use auto_impl::auto_impl;

use super::Operation;
use crate::domain::{DeletionTaskId, Region, RoleId, RoleName, ServicePrincipal};
use crate::error::Error;
use crate::redact::redact;

/// A role, as `GetRole` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub struct Role {
    /// Its name.
    pub name: RoleName,
    /// AWS's id of it: what tells it from a later one of the same name.
    pub id: RoleId,
    /// Its path, such as `/aws-service-role/accountdiscovery.ssm.amazonaws.com/`.
    pub path: String,
    /// When it was made.
    #[cfg_attr(
        feature = "serde",
        serde(with = "crate::saved::date", default, skip_serializing_if = "Option::is_none")
    )]
    pub created: Option<SystemTime>,
}

impl Role {
    /// A role with this name, id and path.
    #[must_use]
    pub fn new(name: RoleName, id: RoleId, path: impl Into<String>) -> Self {
        Self { name, id, path: redact(&path.into()).into_owned(), created: None }
    }

    /// The same with the date that AWS showed, if any.
    #[must_use]
    pub fn with_created(mut self, created: Option<SystemTime>) -> Self {
        self.created = created;
        self
    }
}

/// How far the deletion of a service-linked role has come.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeletionStatus {
    /// It has not begun.
    NotStarted,
    /// It goes on.
    InProgress,
    /// The role is gone.
    Succeeded,
    /// The role stays.
    #[non_exhaustive]
    Failed {
        /// Why, in AWS's words.
        reason: Option<String>,
        /// Where the role is in use.
        usage: Vec<RoleUsage>,
    },
    /// A status that this release does not know, in AWS's spelling.
    Other(String),
}

impl DeletionStatus {
    /// A failure for this reason, with the role in use there.
    #[must_use]
    pub fn failed(reason: Option<String>, usage: Vec<RoleUsage>) -> Self {
        Self::Failed { reason: reason.map(|reason| redact(&reason).into_owned()), usage }
    }
}

/// Where a service-linked role is in use.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RoleUsage {
    /// The Region, where AWS says.
    pub region: Option<Region>,
    /// The resources that use it.
    pub resources: Vec<String>,
}

impl RoleUsage {
    /// These resources in this Region.
    #[must_use]
    pub fn new(region: Option<Region>, resources: Vec<String>) -> Self {
        let resources = resources.into_iter().map(|resource| redact(&resource).into_owned()).collect();
        Self { region, resources }
    }
}

/// AWS Identity and Access Management, as far as this crate speaks to it: the roles that services assume.
///
/// Each method names AWS's page and the codes that a fake should answer with. IAM denies with `AccessDenied`, and its codes have no
/// `Exception` at the end.
#[async_trait]
#[auto_impl(&, Box, Arc)]
pub trait IamApi: Send + Sync {
    /// [`GetRole`](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html). Needs `iam:GetRole`.
    ///
    /// `None`, and no error, where AWS answers `NoSuchEntity`.
    async fn get_role(&self, name: &RoleName) -> Result<Option<Role>, Error> {
        let _ = name;
        Err(Error::unsupported(Operation::GetRole))
    }

    /// [`CreateServiceLinkedRole`](https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html), without a
    /// suffix. Needs `iam:CreateServiceLinkedRole`, which `iam:AWSServiceName` may limit.
    ///
    /// `InvalidInput` for a role that is there already, as for a principal that is none; `LimitExceeded` for a quota.
    async fn create_service_linked_role(&self, principal: &ServicePrincipal) -> Result<Role, Error> {
        let _ = principal;
        Err(Error::unsupported(Operation::CreateServiceLinkedRole))
    }

    /// [`DeleteServiceLinkedRole`](https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteServiceLinkedRole.html): begins the
    /// deletion. Needs `iam:DeleteServiceLinkedRole`.
    ///
    /// `NoSuchEntity` where there is no such role. A second call answers the id of the deletion that goes on.
    async fn delete_service_linked_role(&self, name: &RoleName) -> Result<DeletionTaskId, Error> {
        let _ = name;
        Err(Error::unsupported(Operation::DeleteServiceLinkedRole))
    }

    /// [`GetServiceLinkedRoleDeletionStatus`](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLinkedRoleDeletionStatus.html).
    /// Needs `iam:GetServiceLinkedRoleDeletionStatus`.
    ///
    /// `NoSuchEntity` for a deletion that nobody began. A role in use is no error, but [`DeletionStatus::Failed`].
    async fn get_service_linked_role_deletion_status(&self, task: &DeletionTaskId) -> Result<DeletionStatus, Error> {
        let _ = task;
        Err(Error::unsupported(Operation::GetServiceLinkedRoleDeletionStatus))
    }
}
