use super::ACCOUNT_NOT_FOUND;
use crate::conformance::Fixture;
use crate::conformance::cleanup::{Cleanup, CreatedResource};
use crate::conformance::client::OrganizationsClient;
use crate::conformance::expectation::{CheckExit, CheckStepResult, ExpectedError, dated, described, expect, refused};
use crate::conformance::setup::listed;
use crate::domain::{AccountId, AccountState, Operation, SYSTEMS_MANAGER, ServicePrincipal};

checks! { CHECKS, "organizations":
    registering_before_enabling_is_refused,
        "An account can be registered for a service only once the service is trusted.",
        organizations_api!("API_RegisterDelegatedAdministrator");
    registered_account_is_listed,
        "An account that was registered is listed, alone, with its state and the date.",
        organizations_api!("API_ListDelegatedAdministrators");
    registering_again_is_refused,
        "An account that is the service's administrator already cannot be registered again, and keeps its date.",
        organizations_api!("API_RegisterDelegatedAdministrator");
    registering_a_second_account_is_refused,
        "Systems Manager has one delegated administrator.",
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator.html";
    registering_the_management_account_is_refused,
        "Only a member account can be an administrator.",
        organizations_api!("API_RegisterDelegatedAdministrator");
    registering_a_suspended_account_is_refused,
        "Only an active account can become an administrator.",
        organizations_api!("API_RegisterDelegatedAdministrator");
    registering_an_outsider_is_refused,
        "An account that is not in the organization is not found.",
        organizations_api!("API_RegisterDelegatedAdministrator");
    administrators_are_listed_by_service,
        "An administrator of one service is not listed as one of another.",
        organizations_api!("API_ListDelegatedAdministrators");
    service_without_delegation_has_no_administrators,
        "A service that works with trusted access only has no administrators: the listing is empty, or the service is not recognized.",
        organizations_api!("API_ListDelegatedAdministrators");
    deregistered_account_is_not_listed,
        "An account that was deregistered is not listed any more, and the service stays trusted.",
        organizations_api!("API_DeregisterDelegatedAdministrator");
    deregistering_again_is_refused,
        "An account that is not an administrator of the service cannot be deregistered.",
        organizations_api!("API_DeregisterDelegatedAdministrator");
    deregistering_an_outsider_is_refused,
        "An account that is not in the organization is not found.",
        organizations_api!("API_DeregisterDelegatedAdministrator");
    registering_later_has_a_later_date,
        "The date is that of the last registration.",
        organizations_api!("API_DelegatedAdministrator");
    disabling_with_an_administrator_is_whole,
        "Disabling a service that has an administrator is refused and changes nothing, or it is done: the documents do not say which.",
        organizations_api!("API_DisableAWSServiceAccess");
}

/// Refusal for a service that works with trusted access only.
const UNRECOGNIZED: ExpectedError =
    ExpectedError::with_reasons("InvalidInputException", &["UNRECOGNIZED_SERVICE_PRINCIPAL"]);

fn constraint(reasons: &'static [&'static str]) -> ExpectedError {
    ExpectedError::with_reasons("ConstraintViolationException", reasons)
}

async fn expect_unlisted(organizations: OrganizationsClient<'_>, account: AccountId) -> CheckStepResult {
    let seen = organizations.administrator(account).await?;
    expect(seen.is_none(), format!("{account} is no administrator"), format!("{seen:?}"))
}

async fn registering_before_enabling_is_refused(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let member = fixture.need_member()?;
    let organizations = fixture.with_trust_disabled(cleanup).await?;
    cleanup.will_create(CreatedResource::Administrator(member));
    let answer = organizations.register(member).await;
    // AWS's knowledge center shows the second error for another service.
    let allowed = [
        constraint(&["SERVICE_ACCESS_NOT_ENABLED"]),
        ExpectedError::with_reasons("InvalidInputException", &["UNRECOGNIZED_SERVICE_PRINCIPAL"]),
    ];
    refused(Operation::RegisterDelegatedAdministrator, answer, &allowed)?;
    expect_unlisted(organizations, member).await?;
    let trust = organizations.trust().await?;
    expect(trust.is_none(), "the service is not trusted for that", format!("{trust:?}"))
}

async fn registered_account_is_listed(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (organizations, administrator) = fixture.with_administrator(fixture.need_member()?, cleanup).await?;
    dated("the delegation", administrator.delegated_at)?;
    let active = administrator.state.as_ref().is_none_or(|state| *state == AccountState::Active);
    expect(active, "an active account", format!("{:?}", administrator.state))?;
    let all = organizations.administrators().await?;
    expect(all.len() == 1, format!("{administrator:?} alone"), format!("{all:?}"))?;
    expect(all.contains(&administrator), format!("{administrator:?} again"), format!("{all:?}"))
}

async fn registering_again_is_refused(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let member = fixture.need_member()?;
    let (organizations, before) = fixture.with_administrator(member, cleanup).await?;
    let answer = organizations.register(member).await;
    let allowed = [ExpectedError::new("AccountAlreadyRegisteredException")];
    refused(Operation::RegisterDelegatedAdministrator, answer, &allowed)?;
    let after = listed(organizations, member).await?;
    expect(before == after, format!("{before:?}"), format!("{after:?}"))
}

async fn registering_a_second_account_is_refused(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (member, other) = (fixture.need_member()?, fixture.need_other_member()?);
    let (organizations, _) = fixture.with_administrator(member, cleanup).await?;
    cleanup.will_create(CreatedResource::Administrator(other));
    let answer = organizations.register(other).await;
    // AWS documents both reasons, but not which one applies here.
    let allowed = [constraint(&[
        "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED",
        "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE",
    ])];
    refused(Operation::RegisterDelegatedAdministrator, answer, &allowed)?;
    listed(organizations, member).await?;
    expect_unlisted(organizations, other).await
}

/// Expects that registering the account always fails with this error.
async fn cannot_be_registered(
    fixture: &Fixture<'_>,
    cleanup: &mut Cleanup,
    account: AccountId,
    refusal: ExpectedError,
) -> CheckStepResult {
    let organizations = fixture.with_trust_and_no_administrator(cleanup).await?;
    cleanup.will_create(CreatedResource::Administrator(account));
    let answer = organizations.register(account).await;
    refused(Operation::RegisterDelegatedAdministrator, answer, &[refusal])?;
    expect_unlisted(organizations, account).await
}

async fn registering_the_management_account_is_refused(
    fixture: &Fixture<'_>,
    cleanup: &mut Cleanup,
) -> CheckStepResult {
    let management = fixture.organizations()?.describe().await?.management_account;
    let refusal = constraint(&["CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR"]);
    cannot_be_registered(fixture, cleanup, management, refusal).await
}

async fn registering_a_suspended_account_is_refused(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let suspended = fixture.need_suspended()?;
    let refusal = constraint(&["CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR"]);
    cannot_be_registered(fixture, cleanup, suspended, refusal).await
}

async fn registering_an_outsider_is_refused(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let outsider = fixture.need_outsider()?;
    cannot_be_registered(fixture, cleanup, outsider, ACCOUNT_NOT_FOUND).await
}

async fn administrators_are_listed_by_service(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let member = fixture.need_member()?;
    let others = fixture.organizations()?.others().await?;
    let Some(other) = others.first() else {
        return Err(CheckExit::skip("no other service is trusted in the organization"));
    };
    let (organizations, _) = fixture.with_administrator(member, cleanup).await?;
    let seen = match organizations.administrators_of(&other.principal).await {
        Err(error) if UNRECOGNIZED.fits(&error) => Vec::new(),
        seen => seen?,
    };
    let listed = seen.iter().any(|administrator| administrator.account == member);
    expect(!listed, format!("{member} is not listed for {}", other.principal), format!("{seen:?}"))
}

async fn service_without_delegation_has_no_administrators(
    fixture: &Fixture<'_>,
    cleanup: &mut Cleanup,
) -> CheckStepResult {
    let (organizations, _) = fixture.with_administrator(fixture.need_member()?, cleanup).await?;
    match organizations.administrators_of(&ServicePrincipal::OPS_DATA_SYNC).await {
        Ok(seen) => expect(seen.is_empty(), "no administrators", format!("{seen:?}")),
        answer => refused(Operation::ListDelegatedAdministrators, answer, &[UNRECOGNIZED]),
    }
}

async fn deregistered_account_is_not_listed(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let member = fixture.need_member()?;
    let (organizations, _) = fixture.with_administrator(member, cleanup).await?;
    organizations.deregister(member).await?;
    let after = organizations.wait_for_administrator(member, false).await?;
    expect(after.is_none(), "it is not listed", format!("{after:?}"))?;
    let trust = organizations.trust().await?;
    expect(trust.is_some(), "the service is still trusted", "it is not")
}

async fn deregistering_again_is_refused(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let member = fixture.need_member()?;
    let organizations = fixture.with_trust_and_no_administrator(cleanup).await?;
    let answer = organizations.deregister(member).await;
    let allowed = [ExpectedError::new("AccountNotRegisteredException")];
    refused(Operation::DeregisterDelegatedAdministrator, answer, &allowed)
}

async fn deregistering_an_outsider_is_refused(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let outsider = fixture.need_outsider()?;
    let answer = fixture.organizations()?.deregister(outsider).await;
    refused(Operation::DeregisterDelegatedAdministrator, answer, &[ACCOUNT_NOT_FOUND])
}

async fn registering_later_has_a_later_date(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let member = fixture.need_member()?;
    let (organizations, administrator) = fixture.with_administrator(member, cleanup).await?;
    let first = dated("the delegation", administrator.delegated_at)?;
    organizations.deregister(member).await?;
    organizations.wait_for_administrator(member, false).await?;
    organizations.register(member).await?;
    let second = dated("the new delegation", listed(organizations, member).await?.delegated_at)?;
    expect(second >= first, format!("a date no earlier than {first:?}"), format!("{second:?}"))
}

async fn disabling_with_an_administrator_is_whole(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let member = fixture.need_member()?;
    // Only new trusted access: the check may disable it.
    fixture.with_new_trust(cleanup).await?;
    let (organizations, before) = fixture.with_administrator(member, cleanup).await?;
    match organizations.disable(&SYSTEMS_MANAGER).await {
        Ok(()) => {
            let trust = organizations.wait_for_trusted_access(false).await?;
            expect(trust.is_none(), "the service is not trusted once that was accepted", format!("{trust:?}"))
        }
        Err(error) if error.code() == Some("ConstraintViolationException") => {
            let trust = organizations.trust().await?;
            expect(trust.is_some(), "the service is still trusted once that was refused", "it is not")?;
            let after = organizations.administrator(member).await?;
            expect(after.as_ref() == Some(&before), format!("{before:?}"), format!("{after:?}"))
        }
        Err(error) => Err(CheckExit::Fail {
            expected: "it is accepted, or refused with ConstraintViolationException".to_owned(),
            seen: described(&error),
        }),
    }
}
