use crate::conformance::Fixture;
use crate::conformance::cleanup::Cleanup;
use crate::conformance::expectation::{CheckExit, CheckStepResult, ExpectedError, dated, described, expect, refused};
use crate::conformance::setup::shown;
use crate::domain::{EnabledService, Operation, SYSTEMS_MANAGER, ServicePrincipal};

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
        "An unknown service principal is not recognized.",
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

/// Codes of the general errors. AWS documents no specific error for a repeated call.
const REPETITIONS: [&str; 2] = ["ConstraintViolationException", "InvalidInputException"];

async fn enabled_service_is_listed(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (organizations, trust) = fixture.with_new_trust(cleanup).await?;
    dated("the trust", trust.enabled_at)?;
    let all = organizations.trusted().await?;
    let times = all.iter().filter(|service| service.principal == SYSTEMS_MANAGER).count();
    expect(times == 1, format!("{SYSTEMS_MANAGER} is listed once"), format!("{times} times"))
}

/// Expects that a repeated call succeeds or fails with one of AWS's general codes.
fn accepted_or_refused(answer: Result<(), crate::error::Error>) -> CheckStepResult {
    match answer {
        Err(error) if !error.code().is_some_and(|code| REPETITIONS.contains(&code)) => {
            let expected = format!("it is accepted, or refused with {}", REPETITIONS.join(" or "));
            Err(CheckExit::Fail { expected, seen: described(&error) })
        }
        _ => Ok(()),
    }
}

async fn enabling_again_changes_nothing(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (organizations, before) = fixture.with_trust_enabled(cleanup).await?;
    accepted_or_refused(organizations.enable(&SYSTEMS_MANAGER).await)?;
    let after = shown(organizations).await?;
    expect(before == after, format!("{before:?}"), format!("{after:?}"))
}

/// Skips if no other service has trusted access, because the check could not see an effect on one.
fn need_others(others: &[EnabledService]) -> CheckStepResult {
    if others.is_empty() { Err(CheckExit::skip("no other service is trusted in the organization")) } else { Ok(()) }
}

async fn enabling_leaves_other_services_alone(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let before = fixture.organizations()?.others().await?;
    need_others(&before)?;
    let (organizations, _) = fixture.with_new_trust(cleanup).await?;
    let after = organizations.others().await?;
    expect(before == after, format!("as before, {before:?}"), format!("{after:?}"))
}

async fn enabling_an_unknown_service_is_refused(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let unknown =
        ServicePrincipal::new("not-a-service.example.com").map_err(|error| CheckExit::skip(error.to_string()))?;
    let organizations = fixture.organizations()?;
    let answer = organizations.enable(&unknown).await;
    if answer.is_ok() {
        // No service has this principal, so only this check can have enabled it.
        let _ = organizations.disable(&unknown).await;
    }
    let unrecognized = ExpectedError::with_reasons(
        "InvalidInputException",
        &["UNRECOGNIZED_SERVICE_PRINCIPAL", "INVALID_PATTERN", "TARGET_NOT_SUPPORTED"],
    );
    refused(Operation::EnableAwsServiceAccess, answer, &[unrecognized])
}

async fn disabled_service_is_not_listed(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (organizations, _) = fixture.with_new_trust(cleanup).await?;
    organizations.disable(&SYSTEMS_MANAGER).await?;
    let after = organizations.wait_for_trusted_access(false).await?;
    expect(after.is_none(), "it is not listed", format!("{after:?}"))
}

async fn disabling_again_changes_nothing(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let organizations = fixture.with_trust_disabled(cleanup).await?;
    accepted_or_refused(organizations.disable(&SYSTEMS_MANAGER).await)?;
    let after = organizations.trust().await?;
    expect(after.is_none(), "it is not listed", format!("{after:?}"))
}

async fn disabling_leaves_other_services_alone(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let before = fixture.organizations()?.others().await?;
    need_others(&before)?;
    let (organizations, _) = fixture.with_new_trust(cleanup).await?;
    organizations.disable(&SYSTEMS_MANAGER).await?;
    organizations.wait_for_trusted_access(false).await?;
    let after = organizations.others().await?;
    expect(before == after, format!("as before, {before:?}"), format!("{after:?}"))
}

async fn enabling_later_has_a_later_date(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (organizations, trust) = fixture.with_new_trust(cleanup).await?;
    let first = dated("the trust", trust.enabled_at)?;
    organizations.disable(&SYSTEMS_MANAGER).await?;
    organizations.wait_for_trusted_access(false).await?;
    organizations.enable(&SYSTEMS_MANAGER).await?;
    let second = dated("the new trust", shown(organizations).await?.enabled_at)?;
    expect(second >= first, format!("a date no earlier than {first:?}"), format!("{second:?}"))
}
