use super::ACCOUNT_NOT_FOUND;
use crate::conformance::Fixture;
use crate::conformance::ask::Organizations;
use crate::conformance::mess::{Mess, Thing};
use crate::conformance::outcome::{Outcome, Refusal, Stop, dated, described, expect, refused};
use crate::conformance::prepare::listed;
use crate::domain::AccountId;
use crate::observation::PRINCIPAL;
use crate::ports::{AccountState, Operation};

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

fn constraint(reasons: &'static [&'static str]) -> Refusal {
    Refusal::with_reasons("ConstraintViolationException", reasons)
}

async fn expect_unlisted(organizations: Organizations<'_>, account: AccountId) -> Outcome {
    let seen = organizations.administrator(account).await?;
    expect(seen.is_none(), format!("{account} is no administrator"), format!("{seen:?}"))
}

async fn registering_before_enabling_is_refused(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let member = fixture.need_member()?;
    let organizations = fixture.untrusted(mess).await?;
    mess.may_hold(Thing::Administrator(member));
    let answer = organizations.register(member).await;
    // The second is what AWS's knowledge centre shows of another service.
    let allowed = [
        constraint(&["SERVICE_ACCESS_NOT_ENABLED"]),
        Refusal::with_reasons("InvalidInputException", &["UNRECOGNIZED_SERVICE_PRINCIPAL"]),
    ];
    refused(Operation::RegisterDelegatedAdministrator, answer, &allowed)?;
    expect_unlisted(organizations, member).await?;
    let trust = organizations.trust().await?;
    expect(trust.is_none(), "the service is not trusted for that", format!("{trust:?}"))
}

async fn registered_account_is_listed(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let (organizations, administrator) = fixture.delegated_to(fixture.need_member()?, mess).await?;
    dated("the delegation", administrator.since)?;
    let active = administrator.state.as_ref().is_none_or(|state| *state == AccountState::Active);
    expect(active, "an active account", format!("{:?}", administrator.state))?;
    let all = organizations.administrators().await?;
    expect(all.len() == 1, format!("{administrator:?} alone"), format!("{all:?}"))?;
    expect(all.contains(&administrator), format!("{administrator:?} again"), format!("{all:?}"))
}

async fn registering_again_is_refused(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let member = fixture.need_member()?;
    let (organizations, before) = fixture.delegated_to(member, mess).await?;
    let answer = organizations.register(member).await;
    let allowed = [Refusal::new("AccountAlreadyRegisteredException")];
    refused(Operation::RegisterDelegatedAdministrator, answer, &allowed)?;
    let after = listed(organizations, member).await?;
    expect(before == after, format!("{before:?}"), format!("{after:?}"))
}

async fn registering_a_second_account_is_refused(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let (member, other) = (fixture.need_member()?, fixture.need_other_member()?);
    let (organizations, _) = fixture.delegated_to(member, mess).await?;
    mess.may_hold(Thing::Administrator(other));
    let answer = organizations.register(other).await;
    // Both reasons fit, and the documents do not choose.
    let allowed = [constraint(&[
        "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED",
        "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE",
    ])];
    refused(Operation::RegisterDelegatedAdministrator, answer, &allowed)?;
    listed(organizations, member).await?;
    expect_unlisted(organizations, other).await
}

/// An account that cannot become the administrator, whatever the time.
async fn cannot_be_registered(fixture: &Fixture<'_>, mess: &mut Mess, account: AccountId, refusal: Refusal) -> Outcome {
    let organizations = fixture.vacant(mess).await?;
    mess.may_hold(Thing::Administrator(account));
    let answer = organizations.register(account).await;
    refused(Operation::RegisterDelegatedAdministrator, answer, &[refusal])?;
    expect_unlisted(organizations, account).await
}

async fn registering_the_management_account_is_refused(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let management = fixture.organizations()?.describe().await?.management_account;
    let refusal = constraint(&["CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR"]);
    cannot_be_registered(fixture, mess, management, refusal).await
}

async fn registering_a_suspended_account_is_refused(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let suspended = fixture.need_suspended()?;
    let refusal = constraint(&["CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR"]);
    cannot_be_registered(fixture, mess, suspended, refusal).await
}

async fn registering_an_outsider_is_refused(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let outsider = fixture.need_outsider()?;
    cannot_be_registered(fixture, mess, outsider, ACCOUNT_NOT_FOUND).await
}

async fn administrators_are_listed_by_service(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let member = fixture.need_member()?;
    let others = fixture.organizations()?.others().await?;
    let Some(other) = others.first() else {
        return Err(Stop::skip("no other service is trusted in the organization"));
    };
    let (organizations, _) = fixture.delegated_to(member, mess).await?;
    let seen = organizations.administrators_of(&other.principal).await?;
    let listed = seen.iter().any(|administrator| administrator.account == member);
    expect(!listed, format!("{member} is not listed for {}", other.principal), format!("{seen:?}"))
}

async fn deregistered_account_is_not_listed(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let member = fixture.need_member()?;
    let (organizations, _) = fixture.delegated_to(member, mess).await?;
    organizations.deregister(member).await?;
    let after = organizations.administrator_once(member, false).await?;
    expect(after.is_none(), "it is not listed", format!("{after:?}"))?;
    let trust = organizations.trust().await?;
    expect(trust.is_some(), "the service is still trusted", "it is not")
}

async fn deregistering_again_is_refused(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let member = fixture.need_member()?;
    let organizations = fixture.vacant(mess).await?;
    let answer = organizations.deregister(member).await;
    let allowed = [Refusal::new("AccountNotRegisteredException")];
    refused(Operation::DeregisterDelegatedAdministrator, answer, &allowed)
}

async fn deregistering_an_outsider_is_refused(fixture: &Fixture<'_>, _: &mut Mess) -> Outcome {
    let outsider = fixture.need_outsider()?;
    let answer = fixture.organizations()?.deregister(outsider).await;
    refused(Operation::DeregisterDelegatedAdministrator, answer, &[ACCOUNT_NOT_FOUND])
}

async fn registering_later_has_a_later_date(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let member = fixture.need_member()?;
    let (organizations, administrator) = fixture.delegated_to(member, mess).await?;
    let first = dated("the delegation", administrator.since)?;
    organizations.deregister(member).await?;
    organizations.administrator_once(member, false).await?;
    organizations.register(member).await?;
    let second = dated("the new delegation", listed(organizations, member).await?.since)?;
    expect(second >= first, format!("a date no earlier than {first:?}"), format!("{second:?}"))
}

async fn disabling_with_an_administrator_is_whole(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let member = fixture.need_member()?;
    // Trust that was there before is not put at risk.
    fixture.newly_trusted(mess).await?;
    let (organizations, before) = fixture.delegated_to(member, mess).await?;
    match organizations.disable(&PRINCIPAL).await {
        Ok(()) => {
            let trust = organizations.trust_once(false).await?;
            expect(trust.is_none(), "the service is not trusted once that was accepted", format!("{trust:?}"))
        }
        Err(error) if error.code() == Some("ConstraintViolationException") => {
            let trust = organizations.trust().await?;
            expect(trust.is_some(), "the service is still trusted once that was refused", "it is not")?;
            let after = organizations.administrator(member).await?;
            expect(after.as_ref() == Some(&before), format!("{before:?}"), format!("{after:?}"))
        }
        Err(error) => Err(Stop::Fail {
            expected: "it is accepted, or refused with ConstraintViolationException".to_owned(),
            seen: described(&error),
        }),
    }
}
