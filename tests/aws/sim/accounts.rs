use std::time::Duration;

use ssm_organizations::aws::aws_sdk_organizations::Client;
use ssm_organizations::aws::aws_sdk_organizations::error::ProvideErrorMetadata;
use ssm_organizations::aws::aws_sdk_organizations::types::{CreateAccountState, ParentType};
use ssm_organizations::sim::SimOrganization;

use crate::validated::{ALICE, BOB, MANAGEMENT, config_of, id, organization};

fn client(organization: &SimOrganization) -> Client {
    Client::new(&config_of(&organization.management_client()))
}

/// Creates an account and waits for the end. Returns the account or the reason of the failure.
async fn create(client: &Client, email: &str) -> Result<String, String> {
    let created = client.create_account().account_name("New").email(email).send().await.unwrap();
    let request = created.create_account_status.unwrap();
    assert_eq!(request.state(), Some(&CreateAccountState::InProgress));
    tokio::time::advance(Duration::from_secs(10)).await;
    let status = client.describe_create_account_status().create_account_request_id(request.id().unwrap()).send().await;
    let status = status.unwrap().create_account_status.unwrap();
    match status.account_id() {
        Some(account) => Ok(account.to_owned()),
        None => Err(status.failure_reason().unwrap().as_str().to_owned()),
    }
}

#[tokio::test(start_paused = true)]
async fn list_accounts_of_a_large_organization_is_paged() {
    let organization = SimOrganization::builder().member(id(ALICE)).members(45).build();
    let client = client(&organization);
    let pages = client.list_accounts().into_paginator().send().collect::<Result<Vec<_>, _>>().await.unwrap();
    let sizes: Vec<_> = pages.iter().map(|page| page.accounts().len()).collect();
    assert_eq!(sizes, [20, 20, 7]);
    assert_eq!(pages[0].accounts()[0].id(), Some(MANAGEMENT));
    assert_eq!(pages[0].accounts()[1].email(), Some("222222222222@example.com"));
}

#[tokio::test(start_paused = true)]
async fn move_account_changes_its_parent() {
    let organization = organization();
    let client = client(&organization);
    let roots = client.list_roots().send().await.unwrap();
    let root = roots.roots()[0].id().unwrap();
    let unit = client.create_organizational_unit().parent_id(root).name("Workloads").send().await.unwrap();
    let unit = unit.organizational_unit.unwrap();
    let again = client.create_organizational_unit().parent_id(root).name("Workloads").send().await.unwrap_err();
    assert!(again.into_service_error().is_duplicate_organizational_unit_exception());

    let moving = || client.move_account().account_id(ALICE).source_parent_id(root);
    moving().destination_parent_id(unit.id().unwrap()).send().await.unwrap();
    let parents = client.list_parents().child_id(ALICE).send().await.unwrap();
    let [parent] = parents.parents() else { panic!("{parents:?}") };
    assert_eq!((parent.id(), parent.r#type()), (unit.id(), Some(&ParentType::OrganizationalUnit)));
    let inside = client.list_accounts_for_parent().parent_id(unit.id().unwrap()).send().await.unwrap();
    assert_eq!(inside.accounts()[0].id(), Some(ALICE));
    let units = client.list_organizational_units_for_parent().parent_id(root).send().await.unwrap();
    assert_eq!(units.organizational_units()[0].name(), Some("Workloads"));
    let shown = client.describe_organizational_unit().organizational_unit_id(unit.id().unwrap()).send().await.unwrap();
    assert_eq!(shown.organizational_unit().unwrap().arn(), unit.arn());

    let again = moving().destination_parent_id(unit.id().unwrap()).send().await.unwrap_err();
    assert!(again.into_service_error().is_duplicate_account_exception());
    let nowhere = moving().destination_parent_id("ou-exam-99999999").send().await.unwrap_err();
    assert!(nowhere.into_service_error().is_destination_parent_not_found_exception());
}

#[tokio::test(start_paused = true)]
async fn create_account_ends_with_the_account_or_a_reason() {
    let organization = organization();
    let client = client(&organization);
    let account = create(&client, "new@example.com").await.unwrap();
    let shown = client.describe_account().account_id(&account).send().await.unwrap().account.unwrap();
    assert_eq!((shown.name(), shown.email()), (Some("New"), Some("new@example.com")));
    assert_eq!(create(&client, "New@example.com").await, Err("EMAIL_ALREADY_EXISTS".to_owned()));
    organization.fail_account_creation("ACCOUNT_LIMIT_EXCEEDED");
    assert_eq!(create(&client, "other@example.com").await, Err("ACCOUNT_LIMIT_EXCEEDED".to_owned()));
    let unknown = client.describe_create_account_status().create_account_request_id("car-00000000").send().await;
    assert!(unknown.unwrap_err().into_service_error().is_create_account_status_not_found_exception());
}

#[tokio::test(start_paused = true)]
async fn created_account_leaves_after_four_days_and_without_delegation() {
    let organization = organization();
    let client = client(&organization);
    let account = create(&client, "new@example.com").await.unwrap();
    let remove = || client.remove_account_from_organization().account_id(&account).send();
    let reason = |error: ssm_organizations::aws::aws_sdk_organizations::operation::remove_account_from_organization::RemoveAccountFromOrganizationError| {
        format!("{error:?}")
    };
    assert!(reason(remove().await.unwrap_err().into_service_error()).contains("WaitPeriodActive"));
    tokio::time::advance(Duration::from_hours(96)).await;
    organization.register_administrator(id(&account));
    let refused = reason(remove().await.unwrap_err().into_service_error());
    assert!(refused.contains("CannotRemoveDelegatedAdministratorFromOrg"), "{refused}");
    organization.deregister_administrator(id(&account));
    remove().await.unwrap();
    let gone = client.describe_account().account_id(&account).send().await.unwrap_err();
    assert!(gone.into_service_error().is_account_not_found_exception());
    let management = client.remove_account_from_organization().account_id(MANAGEMENT).send().await.unwrap_err();
    assert!(management.into_service_error().is_master_cannot_leave_organization_exception());
}

#[tokio::test(start_paused = true)]
async fn close_account_is_refused_for_the_management_account_and_twice() {
    let organization = organization();
    let client = client(&organization);
    let close = |account: &str| client.close_account().account_id(account).send();
    let management = close(MANAGEMENT).await.unwrap_err();
    assert_eq!(management.code(), Some("ConstraintViolationException"));
    close(BOB).await.unwrap();
    let shown = client.describe_account().account_id(BOB).send().await.unwrap().account.unwrap();
    assert_eq!(shown.state().unwrap().as_str(), "CLOSED");
    assert!(close(BOB).await.unwrap_err().into_service_error().is_account_already_closed_exception());
}

#[tokio::test(start_paused = true)]
async fn member_may_neither_list_nor_write() {
    let organization = organization();
    let member = Client::new(&config_of(&organization.client(id(ALICE))));
    assert_eq!(member.list_accounts().send().await.unwrap_err().code(), Some("AccessDeniedException"));
    let refused = member.close_account().account_id(BOB).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("AccessDeniedException"));
    organization.register_administrator(id(ALICE));
    let services = member.list_delegated_services_for_account().account_id(ALICE).send().await.unwrap();
    assert_eq!(services.delegated_services()[0].service_principal(), Some("ssm.amazonaws.com"));
    let of_other = member.list_delegated_services_for_account().account_id(BOB).send().await.unwrap_err();
    assert!(of_other.into_service_error().is_account_not_registered_exception());
}

#[tokio::test(start_paused = true)]
async fn write_during_another_write_conflicts() {
    let organization = SimOrganization::builder().member(id(ALICE)).latency(Duration::from_secs(1)).build();
    let client = client(&organization);
    let close = client.close_account().account_id(ALICE).send();
    let enable = client.enable_aws_service_access().service_principal("ssm.amazonaws.com").send();
    let (closed, enabled) = tokio::join!(close, enable);
    closed.unwrap();
    assert!(enabled.unwrap_err().into_service_error().is_concurrent_modification_exception());
}
