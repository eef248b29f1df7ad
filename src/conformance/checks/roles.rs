use crate::conformance::Fixture;
use crate::conformance::cleanup::{Cleanup, CreatedResource};
use crate::conformance::client::RolesClient;
use crate::conformance::expectation::{CheckExit, CheckStepResult, ExpectedError, dated, expect, refused};
use crate::domain::{DeletionStatus, DeletionTaskId, Operation, RoleName, ServicePrincipal, SyncSource};

checks! { CHECKS, "iam":
    created_role_is_there,
        "The service-linked role is there once it was created, under AWS's name and path, with an id and a date.",
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/using-service-linked-roles-service-action-2.html";
    role_is_created_once,
        "Creating a service-linked role that exists fails.",
        iam_api!("API_CreateServiceLinkedRole");
    unknown_role_is_not_there,
        "A role that does not exist is not found, which is an answer.",
        iam_api!("API_GetRole");
    role_for_no_service_is_refused,
        "Only a service has a service-linked role.",
        iam_api!("API_CreateServiceLinkedRole");
    deleted_role_is_gone,
        "The deletion of a service-linked role has an id and a status, and a role whose deletion succeeded is gone.",
        iam_api!("API_DeleteServiceLinkedRole");
    role_created_again_has_another_id,
        "A role's id is never used again.",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html";
    failed_deletion_without_reason_is_read_back,
        "A deletion that failed without a reason has deleted the role, or the role is still there: only a read shows it.",
        iam_api!("API_GetServiceLinkedRoleDeletionStatus");
    deletion_is_begun_once,
        "Deleting a role whose deletion goes on answers with the id of that deletion.",
        iam_api!("API_DeleteServiceLinkedRole");
    deleting_an_unknown_role_is_refused,
        "A role that does not exist is not found.",
        iam_api!("API_DeleteServiceLinkedRole");
    status_of_an_unknown_deletion_is_refused,
        "A deletion that was not begun has no status.",
        iam_api!("API_GetServiceLinkedRoleDeletionStatus");
    role_in_use_is_kept_or_gone,
        "The deletion of a role that is in use may fail, and then the role stays.",
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/using-service-linked-roles-service-action-2.html";
}

const NO_SUCH_ENTITY: ExpectedError = ExpectedError::new("NoSuchEntity");
const INVALID_INPUT: ExpectedError = ExpectedError::new("InvalidInput");

fn unknown_role() -> Result<RoleName, CheckExit> {
    RoleName::new("ssm-organizations-conformance-none").map_err(|error| CheckExit::skip(error.to_string()))
}

async fn created_role_is_there(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let role = fixture.new_role(cleanup).await?;
    expect(role.name == RoleName::ACCOUNT_DISCOVERY, RoleName::ACCOUNT_DISCOVERY, &role.name)?;
    let path = format!("/aws-service-role/{}/", ServicePrincipal::ACCOUNT_DISCOVERY);
    expect(role.path == path, path, &role.path)?;
    dated("the role", role.created)?;
    let seen = fixture.roles()?.get(&role.name).await?;
    expect(seen.as_ref() == Some(&role), format!("{role:?}"), format!("{seen:?}"))
}

async fn role_is_created_once(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let role = fixture.role(cleanup).await?;
    let roles = fixture.roles()?;
    let answer = roles.create(&ServicePrincipal::ACCOUNT_DISCOVERY).await;
    // The reference says that the call fails, but names no code.
    let allowed = [INVALID_INPUT, ExpectedError::new("EntityAlreadyExists")];
    refused(Operation::CreateServiceLinkedRole, answer, &allowed)?;
    let seen = roles.get(&role.name).await?;
    expect(seen.as_ref() == Some(&role), format!("{role:?}"), format!("{seen:?}"))
}

async fn unknown_role_is_not_there(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let seen = fixture.roles()?.get(&unknown_role()?).await?;
    expect(seen.is_none(), "no role", format!("{seen:?}"))
}

async fn role_for_no_service_is_refused(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let unknown =
        ServicePrincipal::new("not-a-service.example.com").map_err(|error| CheckExit::skip(error.to_string()))?;
    let answer = fixture.roles()?.create(&unknown).await;
    if let Ok(role) = &answer {
        cleanup.will_create(CreatedResource::Role(role.name.clone()));
    }
    refused(Operation::CreateServiceLinkedRole, answer, &[INVALID_INPUT, NO_SUCH_ENTITY])
}

async fn gone(roles: RolesClient<'_>, name: &RoleName) -> CheckStepResult {
    let task = roles.delete(name).await?;
    let ended = roles.wait_for_deletion(&task).await?;
    // AWS gives a reason for every role that it keeps. Without one, the role may be gone.
    let unexplained = ended == DeletionStatus::failed(None, Vec::new());
    expect(unexplained || ended == DeletionStatus::Succeeded, "the deletion succeeds", format!("{ended:?}"))?;
    let seen = roles.wait_for_role(name, false).await?;
    expect(seen.is_none(), "the role is gone", format!("{seen:?}"))
}

async fn deleted_role_is_gone(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let role = fixture.new_role(cleanup).await?;
    gone(fixture.roles()?, &role.name).await
}

async fn role_created_again_has_another_id(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let first = fixture.new_role(cleanup).await?;
    gone(fixture.roles()?, &first.name).await?;
    let second = fixture.new_role(cleanup).await?;
    expect(first.id != second.id, format!("another id than {}", first.id), &second.id)
}

async fn failed_deletion_without_reason_is_read_back(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let role = fixture.new_role(cleanup).await?;
    let roles = fixture.roles()?;
    let task = roles.delete(&role.name).await?;
    match roles.wait_for_deletion(&task).await? {
        DeletionStatus::Failed { reason, usage } => {
            let seen = roles.get(&role.name).await?;
            let explained = reason.is_some() || !usage.is_empty();
            expect(seen.is_none() || explained, "a reason for a role that stays", format!("{seen:?}"))
        }
        ended => expect(ended == DeletionStatus::Succeeded, "the deletion ends", format!("{ended:?}")),
    }
}

async fn deletion_is_begun_once(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let role = fixture.new_role(cleanup).await?;
    let roles = fixture.roles()?;
    let first = roles.delete(&role.name).await?;
    match roles.delete(&role.name).await {
        Ok(second) => expect(first == second, first, second),
        // The first deletion may end before the second call.
        answer @ Err(_) => refused(Operation::DeleteServiceLinkedRole, answer, &[NO_SUCH_ENTITY]),
    }
}

async fn deleting_an_unknown_role_is_refused(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let answer = fixture.roles()?.delete(&unknown_role()?).await;
    refused(Operation::DeleteServiceLinkedRole, answer, &[NO_SUCH_ENTITY])
}

async fn status_of_an_unknown_deletion_is_refused(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let role = RoleName::ACCOUNT_DISCOVERY;
    let principal = ServicePrincipal::ACCOUNT_DISCOVERY;
    let task = format!("task/aws-service-role/{principal}/{role}/ffffffff-ffff-4fff-8fff-ffffffffffff");
    let task = DeletionTaskId::new(task).map_err(|error| CheckExit::skip(error.to_string()))?;
    let answer = fixture.roles()?.status(&task).await;
    refused(Operation::GetServiceLinkedRoleDeletionStatus, answer, &[NO_SUCH_ENTITY, INVALID_INPUT])
}

async fn role_in_use_is_kept_or_gone(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let definition = fixture.definition_of(1, SyncSource::EntireOrganization)?;
    let syncs = fixture.syncs_with_room(1, cleanup).await?;
    let role = fixture.new_role(cleanup).await?;
    fixture.with_new_trust(cleanup).await?;
    syncs.create(&definition).await?;
    let roles = fixture.roles()?;
    let task = roles.delete(&role.name).await?;
    let ended = roles.wait_for_deletion(&task).await?;
    let failed = match &ended {
        // Without a reason, only a read shows whether the role is gone.
        DeletionStatus::Failed { reason: None, usage } if usage.is_empty() => roles.get(&role.name).await?.is_some(),
        ended => matches!(ended, DeletionStatus::Failed { .. }),
    };
    let over = matches!(ended, DeletionStatus::Failed { .. } | DeletionStatus::Succeeded);
    expect(over, "the deletion ends", format!("{ended:?}"))?;
    let seen = roles.wait_for_role(&role.name, failed).await?;
    let expected = if failed { "the role stays once its deletion failed" } else { "the role is gone" };
    expect(seen.is_some() == failed, expected, format!("{seen:?}"))
}
