use crate::conformance::Fixture;
use crate::conformance::ask::Roles;
use crate::conformance::mess::{Mess, Thing};
use crate::conformance::outcome::{Outcome, Refusal, Stop, dated, expect, refused};
use crate::domain::{DeletionTaskId, RoleName, ServicePrincipal};
use crate::ports::{DeletionStatus, Operation, SyncSource};

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

const NO_SUCH_ENTITY: Refusal = Refusal::new("NoSuchEntity");
const INVALID_INPUT: Refusal = Refusal::new("InvalidInput");

fn unknown_role() -> Result<RoleName, Stop> {
    RoleName::new("ssm-organizations-conformance-none").map_err(|error| Stop::skip(error.to_string()))
}

async fn created_role_is_there(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let role = fixture.new_role(mess).await?;
    expect(role.name == RoleName::ACCOUNT_DISCOVERY, RoleName::ACCOUNT_DISCOVERY, &role.name)?;
    let path = format!("/aws-service-role/{}/", ServicePrincipal::ACCOUNT_DISCOVERY);
    expect(role.path == path, path, &role.path)?;
    dated("the role", role.created)?;
    let seen = fixture.roles()?.get(&role.name).await?;
    expect(seen.as_ref() == Some(&role), format!("{role:?}"), format!("{seen:?}"))
}

async fn role_is_created_once(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let role = fixture.role(mess).await?;
    let roles = fixture.roles()?;
    let answer = roles.create(&ServicePrincipal::ACCOUNT_DISCOVERY).await;
    // The reference says that it fails, and not with which code.
    let allowed = [INVALID_INPUT, Refusal::new("EntityAlreadyExists")];
    refused(Operation::CreateServiceLinkedRole, answer, &allowed)?;
    let seen = roles.get(&role.name).await?;
    expect(seen.as_ref() == Some(&role), format!("{role:?}"), format!("{seen:?}"))
}

async fn unknown_role_is_not_there(fixture: &Fixture<'_>, _: &mut Mess) -> Outcome {
    let seen = fixture.roles()?.get(&unknown_role()?).await?;
    expect(seen.is_none(), "no role", format!("{seen:?}"))
}

async fn role_for_no_service_is_refused(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let nobody = ServicePrincipal::new("not-a-service.example.com").map_err(|error| Stop::skip(error.to_string()))?;
    let answer = fixture.roles()?.create(&nobody).await;
    if let Ok(role) = &answer {
        mess.may_hold(Thing::Role(role.name.clone()));
    }
    refused(Operation::CreateServiceLinkedRole, answer, &[INVALID_INPUT, NO_SUCH_ENTITY])
}

async fn gone(roles: Roles<'_>, name: &RoleName) -> Outcome {
    let task = roles.delete(name).await?;
    let ended = roles.end_of(&task).await?;
    expect(ended == DeletionStatus::Succeeded, "the deletion succeeds", format!("{ended:?}"))?;
    let seen = roles.get_once(name, false).await?;
    expect(seen.is_none(), "the role is gone", format!("{seen:?}"))
}

async fn deleted_role_is_gone(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let role = fixture.new_role(mess).await?;
    gone(fixture.roles()?, &role.name).await
}

async fn role_created_again_has_another_id(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let first = fixture.new_role(mess).await?;
    gone(fixture.roles()?, &first.name).await?;
    let second = fixture.new_role(mess).await?;
    expect(first.id != second.id, format!("another id than {}", first.id), &second.id)
}

async fn deletion_is_begun_once(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let role = fixture.new_role(mess).await?;
    let roles = fixture.roles()?;
    let first = roles.delete(&role.name).await?;
    match roles.delete(&role.name).await {
        Ok(second) => expect(first == second, first, second),
        // The deletion has ended in between.
        answer @ Err(_) => refused(Operation::DeleteServiceLinkedRole, answer, &[NO_SUCH_ENTITY]),
    }
}

async fn deleting_an_unknown_role_is_refused(fixture: &Fixture<'_>, _: &mut Mess) -> Outcome {
    let answer = fixture.roles()?.delete(&unknown_role()?).await;
    refused(Operation::DeleteServiceLinkedRole, answer, &[NO_SUCH_ENTITY])
}

async fn status_of_an_unknown_deletion_is_refused(fixture: &Fixture<'_>, _: &mut Mess) -> Outcome {
    let role = RoleName::ACCOUNT_DISCOVERY;
    let principal = ServicePrincipal::ACCOUNT_DISCOVERY;
    let task = format!("task/aws-service-role/{principal}/{role}/ffffffff-ffff-4fff-8fff-ffffffffffff");
    let task = DeletionTaskId::new(task).map_err(|error| Stop::skip(error.to_string()))?;
    let answer = fixture.roles()?.status(&task).await;
    refused(Operation::GetServiceLinkedRoleDeletionStatus, answer, &[NO_SUCH_ENTITY, INVALID_INPUT])
}

async fn role_in_use_is_kept_or_gone(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let definition = fixture.definition_of(1, SyncSource::EntireOrganization)?;
    let syncs = fixture.syncs_with_room(1, mess).await?;
    let role = fixture.new_role(mess).await?;
    fixture.newly_trusted(mess).await?;
    syncs.create(&definition).await?;
    let roles = fixture.roles()?;
    let task = roles.delete(&role.name).await?;
    let ended = roles.end_of(&task).await?;
    let failed = matches!(ended, DeletionStatus::Failed { .. });
    expect(failed || ended == DeletionStatus::Succeeded, "the deletion ends", format!("{ended:?}"))?;
    let seen = roles.get_once(&role.name, failed).await?;
    let expected = if failed { "the role stays once its deletion failed" } else { "the role is gone" };
    expect(seen.is_some() == failed, expected, format!("{seen:?}"))
}
