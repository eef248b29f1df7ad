use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use aws_sdk_iam::config::Builder;
use aws_sdk_iam::operation::create_service_linked_role::CreateServiceLinkedRoleError;
use aws_sdk_iam::operation::delete_service_linked_role::DeleteServiceLinkedRoleError;
use aws_sdk_iam::types::{self, DeletionTaskFailureReasonType, DeletionTaskStatusType, RoleUsageType};

use super::AwsClient;
use super::call_tracker::CallTracker;
use super::convert::{absent, date, present, required};
use super::retry_classifier::NoRetryOnUnknownOutcome;
use crate::domain::redact::redact;
use crate::domain::{
    DeletionStatus, DeletionTaskId, Operation, Region, Role, RoleId, RoleName, RoleUsage, ServicePrincipal,
};
use crate::error::{Error, ErrorKind};
use crate::ports::IamApi;

/// Placeholder of the SDK for a required status that AWS omits.
const NO_STATUS: &str = "no value was set";

#[async_trait]
impl IamApi for AwsClient {
    async fn get_role(&self, name: &RoleName) -> Result<Option<Role>, Error> {
        let operation = Operation::GetRole;
        let attempts = CallTracker::new(operation);
        let request = self.iam.get_role().role_name(name.as_str()).customize().interceptor(attempts.clone());
        match attempts.end(request.send().await) {
            Ok(output) => role(operation, output.role()).map(Some),
            Err(error) if *error.kind() == ErrorKind::ServiceError && error.code() == Some("NoSuchEntity") => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn create_service_linked_role(&self, principal: &ServicePrincipal) -> Result<Role, Error> {
        let operation = Operation::CreateServiceLinkedRole;
        let attempts = CallTracker::new(operation);
        let request = self
            .iam
            .create_service_linked_role()
            .aws_service_name(principal.as_str())
            .customize()
            .config_override(
                Builder::new().retry_classifier(NoRetryOnUnknownOutcome::<CreateServiceLinkedRoleError>::new()),
            )
            .interceptor(attempts.clone());
        let output = attempts.end(request.send().await)?;
        role(operation, output.role())
    }

    async fn delete_service_linked_role(&self, name: &RoleName) -> Result<DeletionTaskId, Error> {
        let operation = Operation::DeleteServiceLinkedRole;
        let attempts = CallTracker::new(operation);
        let request = self
            .iam
            .delete_service_linked_role()
            .role_name(name.as_str())
            .customize()
            .config_override(
                Builder::new().retry_classifier(NoRetryOnUnknownOutcome::<DeleteServiceLinkedRoleError>::new()),
            )
            .interceptor(attempts.clone());
        let output = attempts.end(request.send().await)?;
        required(operation, "DeletionTaskId", present(output.deletion_task_id()), DeletionTaskId::try_from)
    }

    async fn get_service_linked_role_deletion_status(&self, task: &DeletionTaskId) -> Result<DeletionStatus, Error> {
        let operation = Operation::GetServiceLinkedRoleDeletionStatus;
        let attempts = CallTracker::new(operation);
        let request = self
            .iam
            .get_service_linked_role_deletion_status()
            .deletion_task_id(task.as_str())
            .customize()
            .interceptor(attempts.clone());
        let output = attempts.end(request.send().await)?;
        match output.status() {
            DeletionTaskStatusType::NotStarted => Ok(DeletionStatus::NotStarted),
            DeletionTaskStatusType::InProgress => Ok(DeletionStatus::InProgress),
            DeletionTaskStatusType::Succeeded => Ok(DeletionStatus::Succeeded),
            DeletionTaskStatusType::Failed => Ok(failed(output.reason())),
            other => match present(other.as_str()) {
                Some(status) if status != NO_STATUS => Ok(DeletionStatus::Other(redact(status).into_owned())),
                _ => Err(absent(operation, "Status")),
            },
        }
    }
}

fn role(operation: Operation, found: Option<&types::Role>) -> Result<Role, Error> {
    let found = found.ok_or_else(|| absent(operation, "Role"))?;
    let name = required(operation, "RoleName", present(found.role_name()), RoleName::try_from)?;
    let id = required(operation, "RoleId", present(found.role_id()), RoleId::try_from)?;
    let path = present(found.path()).ok_or_else(|| absent(operation, "Path"))?;
    // The SDK uses this date if AWS omits it.
    let created = date(Some(found.create_date())).filter(|date| *date != UNIX_EPOCH);
    Ok(Role::new(name, id, path).with_created(created))
}

fn failed(reason: Option<&DeletionTaskFailureReasonType>) -> DeletionStatus {
    let text = reason.and_then(DeletionTaskFailureReasonType::reason).and_then(present).map(str::to_owned);
    let usage = reason.map(DeletionTaskFailureReasonType::role_usage_list).unwrap_or_default();
    DeletionStatus::failed(text, usage.iter().map(role_usage).collect())
}

/// Converts the usage of a role. Resources are kept even if their Region is invalid.
fn role_usage(found: &RoleUsageType) -> RoleUsage {
    let region = found.region().and_then(|region| Region::try_from(region).ok());
    RoleUsage::new(region, found.resources().to_vec())
}
