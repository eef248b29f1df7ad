//! Checks of the accounts that may call each operation.

use super::ACCESS_DENIED;
use crate::conformance::Fixture;
use crate::conformance::cleanup::{Cleanup, CreatedResource};
use crate::conformance::client::OrganizationsClient;
use crate::conformance::expectation::{CheckExit, CheckStepResult, ExpectedError, described, expect, refused};
use crate::domain::{Operation, SYSTEMS_MANAGER};

checks! { CHECKS, "organizations":
    member_sees_the_organization,
        "Every account of an organization may describe it, and all see the same.",
        organizations_api!("API_DescribeOrganization");
    member_may_not_list_services,
        "Only the management account and delegated administrators may list the trusted services, unless a delegation policy allows it.",
        organizations_api!("API_ListAWSServiceAccessForOrganization");
    member_may_not_list_administrators,
        "Only the management account and delegated administrators may list the administrators, unless a delegation policy allows it.",
        organizations_api!("API_ListDelegatedAdministrators");
    member_may_not_describe_accounts,
        "Only the management account and delegated administrators may describe accounts, unless a delegation policy allows it.",
        organizations_api!("API_DescribeAccount");
    member_may_not_describe_units,
        "Only the management account and delegated administrators may describe organizational units, unless a delegation policy allows it.",
        organizations_api!("API_DescribeOrganizationalUnit");
    member_may_not_enable,
        "Only the management account may enable a service.",
        organizations_api!("API_EnableAWSServiceAccess");
    member_may_not_disable,
        "Only the management account may disable a service.",
        organizations_api!("API_DisableAWSServiceAccess");
    member_may_not_register,
        "Only the management account may register an administrator.",
        organizations_api!("API_RegisterDelegatedAdministrator");
    member_may_not_deregister,
        "Only the management account may deregister an administrator.",
        organizations_api!("API_DeregisterDelegatedAdministrator");
    administrator_may_read,
        "A delegated administrator may list what the management account may.",
        organizations_api!("API_ListAWSServiceAccessForOrganization");
    administrator_may_not_write,
        "A delegated administrator may not even deregister itself.",
        organizations_api!("API_DeregisterDelegatedAdministrator");
    outsider_has_no_organization,
        "An account that is in no organization cannot describe one.",
        organizations_api!("API_DescribeOrganization");
}

checks! { IDENTITY_CHECKS, "sts":
    caller_is_the_management_account,
        "The identity of a caller names the account of the credentials.",
        "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html";
    members_caller_is_the_member,
        "The identity of a caller names the account of the credentials.",
        "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html";
}

async fn member_sees_the_organization(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let managements = fixture.organizations()?.describe().await?;
    let members = fixture.members_organizations()?.describe().await?;
    expect(managements == members, format!("{managements:?}"), format!("{members:?}"))
}

/// Returns the member's client. Skips if the member administers Systems Manager.
async fn plain_member<'a>(fixture: &Fixture<'a>) -> Result<OrganizationsClient<'a>, CheckExit> {
    let client = fixture.members_organizations()?;
    let member = fixture.need_member()?;
    if fixture.organizations()?.administrator(member).await?.is_some() {
        return Err(CheckExit::skip("the member administers Systems Manager"));
    }
    Ok(client)
}

async fn member_may_not_list_services(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let answer = plain_member(fixture).await?.trusted().await;
    refused(Operation::ListAwsServiceAccessForOrganization, answer, &[ACCESS_DENIED])
}

async fn member_may_not_list_administrators(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let answer = plain_member(fixture).await?.administrators().await;
    refused(Operation::ListDelegatedAdministrators, answer, &[ACCESS_DENIED])
}

async fn member_may_not_describe_accounts(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let client = plain_member(fixture).await?;
    let management = fixture.organizations()?.describe().await?.management_account;
    refused(Operation::DescribeAccount, client.account(management).await, &[ACCESS_DENIED])
}

async fn member_may_not_describe_units(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let client = plain_member(fixture).await?;
    let answer = client.unit(&fixture.need_unit()?).await;
    refused(Operation::DescribeOrganizationalUnit, answer, &[ACCESS_DENIED])
}

async fn member_may_not_enable(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let member = fixture.members_organizations()?;
    let organizations = fixture.with_trust_disabled(cleanup).await?;
    refused(Operation::EnableAwsServiceAccess, member.enable(&SYSTEMS_MANAGER).await, &[ACCESS_DENIED])?;
    let trust = organizations.trust().await?;
    expect(trust.is_none(), "the service is not trusted", format!("{trust:?}"))
}

async fn member_may_not_disable(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let member = fixture.members_organizations()?;
    // Only new trusted access: the implementation under test may disable it.
    let (organizations, before) = fixture.with_new_trust(cleanup).await?;
    refused(Operation::DisableAwsServiceAccess, member.disable(&SYSTEMS_MANAGER).await, &[ACCESS_DENIED])?;
    let after = organizations.trust().await?;
    expect(after.as_ref() == Some(&before), format!("{before:?}"), format!("{after:?}"))
}

async fn member_may_not_register(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (client, member) = (fixture.members_organizations()?, fixture.need_member()?);
    let organizations = fixture.with_trust_and_no_administrator(cleanup).await?;
    cleanup.will_create(CreatedResource::Administrator(member));
    refused(Operation::RegisterDelegatedAdministrator, client.register(member).await, &[ACCESS_DENIED])?;
    let seen = organizations.administrator(member).await?;
    expect(seen.is_none(), "there is no administrator", format!("{seen:?}"))
}

async fn member_may_not_deregister(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (client, other) = (fixture.members_organizations()?, fixture.need_other_member()?);
    let (organizations, before) = fixture.with_administrator(other, cleanup).await?;
    refused(Operation::DeregisterDelegatedAdministrator, client.deregister(other).await, &[ACCESS_DENIED])?;
    let after = organizations.administrator(other).await?;
    expect(after.as_ref() == Some(&before), format!("{before:?}"), format!("{after:?}"))
}

async fn administrator_may_read(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (client, member) = (fixture.members_organizations()?, fixture.need_member()?);
    let (organizations, administrator) = fixture.with_administrator(member, cleanup).await?;
    match client.wait_until_readable().await? {
        Ok(seen) => {
            let there = seen.iter().any(|service| service.principal == SYSTEMS_MANAGER);
            expect(there, "Systems Manager is listed", format!("{seen:?}"))?;
        }
        Err(error) => return Err(CheckExit::Fail { expected: "the list".to_owned(), seen: described(&error) }),
    }
    let seen = client.administrators().await?;
    expect(seen == [administrator.clone()], format!("{administrator:?} alone"), format!("{seen:?}"))?;
    let management = organizations.describe().await?.management_account;
    let account = client.account(management).await?;
    expect(account.id == management, management, account.id)
}

async fn administrator_may_not_write(fixture: &Fixture<'_>, cleanup: &mut Cleanup) -> CheckStepResult {
    let (client, member) = (fixture.members_organizations()?, fixture.need_member()?);
    let (organizations, before) = fixture.with_administrator(member, cleanup).await?;
    refused(Operation::DeregisterDelegatedAdministrator, client.deregister(member).await, &[ACCESS_DENIED])?;
    let after = organizations.administrator(member).await?;
    expect(after.as_ref() == Some(&before), format!("{before:?}"), format!("{after:?}"))
}

async fn outsider_has_no_organization(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let answer = fixture.outsiders_organizations()?.describe().await;
    refused(Operation::DescribeOrganization, answer, &[ExpectedError::new("AWSOrganizationsNotInUseException")])
}

async fn caller_is_the_management_account(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let caller = fixture.identity()?.account().await?;
    let management = fixture.organizations()?.describe().await?.management_account;
    expect(caller == management, management, caller)
}

async fn members_caller_is_the_member(fixture: &Fixture<'_>, _: &mut Cleanup) -> CheckStepResult {
    let member = fixture.need_member()?;
    let caller = fixture.members_identity()?.account().await?;
    expect(caller == member, member, caller)
}
