use std::time::SystemTime;

use super::redact::redact;
use super::{Region, RoleId, RoleName};

/// An IAM role, as `GetRole` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub struct Role {
    /// The name of the role.
    pub name: RoleName,
    /// AWS's id of the role. A later role of the same name has another id.
    pub id: RoleId,
    /// The path of the role, such as `/aws-service-role/accountdiscovery.ssm.amazonaws.com/`.
    pub path: String,
    /// The date of the role's creation.
    #[cfg_attr(
        feature = "serde",
        serde(with = "crate::domain::serialization::date", default, skip_serializing_if = "Option::is_none")
    )]
    pub created: Option<SystemTime>,
}

impl Role {
    /// Creates a role with this name, id and path, without a date.
    #[must_use]
    pub fn new(name: RoleName, id: RoleId, path: impl Into<String>) -> Self {
        Self { name, id, path: redact(&path.into()).into_owned(), created: None }
    }

    /// Sets the date of the creation; `None` where AWS shows no date.
    #[must_use]
    pub fn with_created(mut self, created: Option<SystemTime>) -> Self {
        self.created = created;
        self
    }
}

/// Status of the deletion of a service-linked role.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeletionStatus {
    /// The deletion has not begun.
    NotStarted,
    /// The deletion is in progress.
    InProgress,
    /// The role is deleted.
    Succeeded,
    /// The deletion failed and the role still exists.
    #[non_exhaustive]
    Failed {
        /// AWS's reason for the failure.
        reason: Option<String>,
        /// The uses of the role that prevent the deletion.
        usage: Vec<RoleUsage>,
    },
    /// A status that this release does not know, in AWS's spelling.
    Other(String),
}

impl DeletionStatus {
    /// Creates a failed status with this reason and these uses of the role.
    #[must_use]
    pub fn failed(reason: Option<String>, usage: Vec<RoleUsage>) -> Self {
        Self::Failed { reason: reason.map(|reason| redact(&reason).into_owned()), usage }
    }
}

/// Use of a service-linked role in one Region.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct RoleUsage {
    /// The Region; `None` where AWS does not name one.
    pub region: Option<Region>,
    /// The resources that use the role.
    pub resources: Vec<String>,
}

impl RoleUsage {
    /// Creates a use of the role by these resources in this Region.
    #[must_use]
    pub fn new(region: Option<Region>, resources: Vec<String>) -> Self {
        let resources = resources.into_iter().map(|resource| redact(&resource).into_owned()).collect();
        Self { region, resources }
    }
}
