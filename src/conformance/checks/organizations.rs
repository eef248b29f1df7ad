use super::ACCOUNT_NOT_FOUND;
use crate::conformance::Fixture;
use crate::conformance::cleanup::Cleanup;
use crate::conformance::expectation::{CheckExit, CheckStepResult, ExpectedError, expect, refused};
use crate::domain::{
    Account, AccountId, AccountState, Operation, OrganizationalUnitId, PageToken, SYSTEMS_MANAGER, ServicePrincipal,
};

checks! { CHECKS, "organizations":
    organization_is_described,
        "The organization has one id, a management account and a feature set.",
        organizations_api!("API_DescribeOrganization");
    active_member_is_described,
        "An account of the organization is described with its id and its state.",
        organizations_api!("API_DescribeAccount");
    management_account_is_described,
        "The management account is an account of the organization, and active.",
        organizations_api!("API_DescribeAccount");
    suspended_member_is_described,
        "An account that was suspended or closed stays in the organization for a while, and its state shows it.",
        organizations_api!("API_Account");
    outsider_is_not_described,
        "An account that is not in the organization is not found.",
        organizations_api!("API_DescribeAccount");
    unit_is_described,
        "An organizational unit of the organization is described with its id.",
        organizations_api!("API_DescribeOrganizationalUnit");
    unknown_unit_is_not_described,
        "An organizational unit that is not in the organization is not found.",
        organizations_api!("API_DescribeOrganizationalUnit");
    trusted_services_are_listed_to_the_end,
        "Every service that is trusted is on one of the pages, once.",
        organizations_api!("API_ListAWSServiceAccessForOrganization");
    listing_is_the_same_again,
        "A trusted service is listed with the date of its enabling, which does not depend on when it is asked for.",
        organizations_api!("API_EnabledServicePrincipal");
    foreign_page_token_of_services_is_refused,
        "A page token that AWS did not hand out is invalid.",
        organizations_api!("API_ListAWSServiceAccessForOrganization");
    foreign_page_token_of_administrators_is_refused,
        "A page token that AWS did not hand out is invalid.",
        organizations_api!("API_ListDelegatedAdministrators");
}

const INVALID_TOKEN: ExpectedError =
    ExpectedError::with_reasons("InvalidInputException", &["INVALID_NEXT_TOKEN", "INVALID_PAGINATION_TOKEN"]);

async fn organization_is_described(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let organizations = fixture.organizations()?;
    let first = organizations.describe().await?;
    expect(first.feature_set.is_some(), "a feature set", "none")?;
    let second = organizations.describe().await?;
    expect(first == second, format!("the same organization again, {first:?}"), format!("{second:?}"))
}

async fn described(fixture: &Fixture<'_>, id: AccountId) -> Result<Account, CheckExit> {
    let account = fixture.organizations()?.account(id).await?;
    expect(account.id == id, format!("account {id} is described when it is asked for"), account.id)?;
    Ok(account)
}

fn expect_active(account: &Account) -> CheckStepResult {
    // A missing state passes, because the API's member is optional.
    let active = account.state.as_ref().is_none_or(|state| *state == AccountState::Active);
    expect(active, format!("account {} is active", account.id), format!("{:?}", account.state))
}

async fn active_member_is_described(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    expect_active(&described(fixture, fixture.need_member()?).await?)
}

async fn management_account_is_described(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let organization = fixture.organizations()?.describe().await?;
    expect_active(&described(fixture, organization.management_account).await?)
}

async fn suspended_member_is_described(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let account = described(fixture, fixture.need_suspended()?).await?;
    let states = [AccountState::Suspended, AccountState::PendingClosure, AccountState::Closed];
    let shows = account.state.as_ref().is_none_or(|state| states.contains(state));
    expect(shows, "SUSPENDED, PENDING_CLOSURE or CLOSED", format!("{:?}", account.state))
}

async fn outsider_is_not_described(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let outsider = fixture.need_outsider()?;
    let answer = fixture.organizations()?.account(outsider).await;
    refused(Operation::DescribeAccount, answer, &[ACCOUNT_NOT_FOUND])
}

async fn unit_is_described(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let unit = fixture.need_unit()?;
    let described = fixture.organizations()?.unit(&unit).await?;
    expect(described.id == unit, format!("unit {unit} is described when it is asked for"), described.id)
}

async fn unknown_unit_is_not_described(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let answer = fixture.organizations()?.unit(&unknown_unit(&fixture.need_unit()?)?).await;
    refused(Operation::DescribeOrganizationalUnit, answer, &[ExpectedError::new("OrganizationalUnitNotFoundException")])
}

/// Returns the id of a unit of the same root that does not exist.
fn unknown_unit(unit: &OrganizationalUnitId) -> Result<OrganizationalUnitId, CheckExit> {
    let (parent, own) = unit.as_str().rsplit_once('-').unwrap_or_default();
    // AWS chooses ids at random, so this one is not in use.
    let unknown = if own == "zzzzzzzz" { "yyyyyyyy" } else { "zzzzzzzz" };
    Ok(OrganizationalUnitId::new(format!("{parent}-{unknown}"))?)
}

async fn trusted_services_are_listed_to_the_end(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let organizations = fixture.organizations()?;
    if fixture.trusted.is_empty() {
        return Err(CheckExit::skip("the fixture names no services that are trusted"));
    }
    let listed: Vec<ServicePrincipal> =
        organizations.trusted().await?.into_iter().map(|service| service.principal).collect();
    for service in &fixture.trusted {
        let times = listed.iter().filter(|listed| *listed == service).count();
        expect(times == 1, format!("{service} is listed once"), format!("{times} times in {listed:?}"))?;
    }
    Ok(())
}

async fn listing_is_the_same_again(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (organizations, _) = fixture.with_trust_enabled(cleanup).await?;
    let first = organizations.trusted().await?;
    let second = organizations.trusted().await?;
    let all_there = first.len() == second.len() && first.iter().all(|service| second.contains(service));
    expect(all_there, format!("{first:?}"), format!("{second:?} the second time"))
}

fn foreign_token() -> Result<PageToken, CheckExit> {
    PageToken::new("not-a-token-of-yours").map_err(|error| CheckExit::skip(error.to_string()))
}

async fn foreign_page_token_of_services_is_refused(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let answer = fixture.organizations()?.trusted_page(Some(foreign_token()?)).await;
    refused(Operation::ListAwsServiceAccessForOrganization, answer, &[INVALID_TOKEN])
}

async fn foreign_page_token_of_administrators_is_refused(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let answer = fixture.organizations()?.administrators_page(&SYSTEMS_MANAGER, Some(foreign_token()?)).await;
    refused(Operation::ListDelegatedAdministrators, answer, &[INVALID_TOKEN])
}
