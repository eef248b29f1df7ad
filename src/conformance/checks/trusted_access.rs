use crate::conformance::Fixture;
use crate::conformance::mess::Mess;
use crate::conformance::outcome::{Outcome, Refusal, Stop, dated, described, expect, refused};
use crate::conformance::prepare::shown;
use crate::domain::ServicePrincipal;
use crate::observation::PRINCIPAL;
use crate::ports::{EnabledService, Operation};

checks! { CHECKS, "organizations":
    enabled_service_is_listed,
        "A service that was enabled is listed, once, with the date.",
        organizations_api!("API_EnableAWSServiceAccess");
    enabling_again_changes_nothing,
        "What is enabled stays so, with its date: enabling it again is accepted or refused, and AWS's documents do not say which.",
        organizations_api!("API_EnableAWSServiceAccess");
    enabling_leaves_other_services_alone,
        "Enabling a service is about that service.",
        organizations_api!("API_EnableAWSServiceAccess");
    enabling_an_unknown_service_is_refused,
        "A service principal that is none is not recognized.",
        organizations_api!("API_EnableAWSServiceAccess");
    disabled_service_is_not_listed,
        "A service that was disabled is not listed any more.",
        organizations_api!("API_DisableAWSServiceAccess");
    disabling_again_changes_nothing,
        "What is not enabled stays so: disabling it is accepted or refused, and AWS's documents do not say which.",
        organizations_api!("API_DisableAWSServiceAccess");
    disabling_leaves_other_services_alone,
        "Disabling a service is about that service.",
        organizations_api!("API_DisableAWSServiceAccess");
    enabling_later_has_a_later_date,
        "The date is that of the last enabling.",
        organizations_api!("API_EnabledServicePrincipal");
}

/// Repeating a call has no error of its own; these two are the general ones.
const REPETITIONS: [&str; 2] = ["ConstraintViolationException", "InvalidInputException"];

async fn enabled_service_is_listed(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let (organizations, trust) = fixture.newly_trusted(mess).await?;
    dated("the trust", trust.since)?;
    let all = organizations.trusted().await?;
    let times = all.iter().filter(|service| service.principal == PRINCIPAL).count();
    expect(times == 1, format!("{PRINCIPAL} is listed once"), format!("{times} times"))
}

/// A repetition that is accepted, or refused with one of AWS's general codes.
fn accepted_or_refused(answer: Result<(), crate::error::Error>) -> Outcome {
    match answer {
        Err(error) if !error.code().is_some_and(|code| REPETITIONS.contains(&code)) => {
            let expected = format!("it is accepted, or refused with {}", REPETITIONS.join(" or "));
            Err(Stop::Fail { expected, seen: described(&error) })
        }
        _ => Ok(()),
    }
}

async fn enabling_again_changes_nothing(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let (organizations, before) = fixture.trusted(mess).await?;
    accepted_or_refused(organizations.enable(&PRINCIPAL).await)?;
    let after = shown(organizations).await?;
    expect(before == after, format!("{before:?}"), format!("{after:?}"))
}

/// The other services that are trusted; there must be some, or nothing can happen to them.
fn need_others(others: &[EnabledService]) -> Outcome {
    if others.is_empty() { Err(Stop::skip("no other service is trusted in the organization")) } else { Ok(()) }
}

async fn enabling_leaves_other_services_alone(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let before = fixture.organizations()?.others().await?;
    need_others(&before)?;
    let (organizations, _) = fixture.newly_trusted(mess).await?;
    let after = organizations.others().await?;
    expect(before == after, format!("as before, {before:?}"), format!("{after:?}"))
}

async fn enabling_an_unknown_service_is_refused(fixture: &Fixture<'_>, _: &mut Mess) -> Outcome {
    let unknown = ServicePrincipal::new("not-a-service.example.com").map_err(|error| Stop::skip(error.to_string()))?;
    let organizations = fixture.organizations()?;
    let answer = organizations.enable(&unknown).await;
    if answer.is_ok() {
        // It is nobody's, so it is ours.
        let _ = organizations.disable(&unknown).await;
    }
    let unrecognized = Refusal::with_reasons(
        "InvalidInputException",
        &["UNRECOGNIZED_SERVICE_PRINCIPAL", "INVALID_PATTERN", "TARGET_NOT_SUPPORTED"],
    );
    refused(Operation::EnableAwsServiceAccess, answer, &[unrecognized])
}

async fn disabled_service_is_not_listed(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let (organizations, _) = fixture.newly_trusted(mess).await?;
    organizations.disable(&PRINCIPAL).await?;
    let after = organizations.trust_once(false).await?;
    expect(after.is_none(), "it is not listed", format!("{after:?}"))
}

async fn disabling_again_changes_nothing(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let organizations = fixture.untrusted(mess).await?;
    accepted_or_refused(organizations.disable(&PRINCIPAL).await)?;
    let after = organizations.trust().await?;
    expect(after.is_none(), "it is not listed", format!("{after:?}"))
}

async fn disabling_leaves_other_services_alone(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let before = fixture.organizations()?.others().await?;
    need_others(&before)?;
    let (organizations, _) = fixture.newly_trusted(mess).await?;
    organizations.disable(&PRINCIPAL).await?;
    organizations.trust_once(false).await?;
    let after = organizations.others().await?;
    expect(before == after, format!("as before, {before:?}"), format!("{after:?}"))
}

async fn enabling_later_has_a_later_date(fixture: &Fixture<'_>, mess: &mut Mess) -> Outcome {
    let (organizations, trust) = fixture.newly_trusted(mess).await?;
    let first = dated("the trust", trust.since)?;
    organizations.disable(&PRINCIPAL).await?;
    organizations.trust_once(false).await?;
    organizations.enable(&PRINCIPAL).await?;
    let second = dated("the new trust", shown(organizations).await?.since)?;
    expect(second >= first, format!("a date no earlier than {first:?}"), format!("{second:?}"))
}
