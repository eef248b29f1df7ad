//! Effects of changes on other services in the simulator: delays, messages and statuses.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{SSM, alice, delegated, management, organization, organization_sync, region, trusting};
use crate::plan::organization_clients::{HOME, ROLE, home, shown, whole};
use ssm_organizations::domain::{DeletionTaskId, RoleName};
use ssm_organizations::ports::{
    DataSync, DeletionStatus, IamApi, OrganizationsApi, SyncState, SyncStatus, SyncType, SystemsManagerApi,
};
use ssm_organizations::{Error, sim};
use tokio::time::advance;

const DELAY: Duration = Duration::from_secs(90);
const LESS: Duration = Duration::from_secs(89);
const SECOND: Duration = Duration::from_secs(1);

async fn only_sync(client: &sim::SimClient) -> DataSync {
    let page = client.list_resource_data_sync(&region(HOME), SyncType::SyncFromSource, None).await.unwrap();
    page.items.into_iter().next().unwrap()
}

#[tokio::test(start_paused = true)]
async fn enabled_access_is_seen_by_systems_manager_after_the_delay() {
    let organization = organization().service_linked_role(&ROLE).service_delay(DELAY).build();
    let client = organization.management_client();
    client.enable_aws_service_access(&SSM).await.unwrap();
    let listed = client.list_aws_service_access_for_organization(None).await.unwrap();
    assert_eq!(listed.items.len(), 1, "Organizations shows its own change at once");
    for pause in [Duration::ZERO, LESS] {
        advance(pause).await;
        let error = client.create_resource_data_sync(&region(HOME), &whole("org")).await.unwrap_err();
        assert_eq!(error.code(), Some("ResourceDataSyncInvalidConfigurationException"));
    }
    advance(SECOND).await;
    client.create_resource_data_sync(&region(HOME), &whole("org")).await.unwrap();
    assert_eq!(only_sync(&client).await.state, SyncState::Healthy);
}

#[tokio::test(start_paused = true)]
async fn disabled_access_is_seen_by_systems_manager_after_the_delay() {
    let organization = trusting()
        .service_linked_role(&ROLE)
        .data_sync(management(), region(HOME), shown("org"))
        .service_delay(DELAY)
        .build();
    let client = organization.management_client();
    client.disable_aws_service_access(&SSM).await.unwrap();
    advance(LESS).await;
    assert_eq!(only_sync(&client).await.state, SyncState::Healthy);
    advance(SECOND).await;
    assert_eq!(only_sync(&client).await.state, SyncState::TrustedAccessDisabled);
    assert_eq!(organization.data_syncs(management(), &home()[0])[0].state, SyncState::TrustedAccessDisabled);
}

#[tokio::test(start_paused = true)]
async fn registered_administrator_may_sync_after_the_delay() {
    let organization = trusting().service_linked_role(&ROLE).service_delay(DELAY).build();
    let (management, client) = (organization.management_client(), organization.client(alice()));
    management.register_delegated_administrator(alice(), &SSM).await.unwrap();
    let error = client.create_resource_data_sync(&region(HOME), &whole("org")).await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDeniedException"));
    advance(DELAY).await;
    client.create_resource_data_sync(&region(HOME), &whole("org")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn role_is_kept_until_disabled_access_is_seen() {
    let organization = trusting().service_linked_role(&ROLE).service_delay(DELAY).role_deletion(SECOND).build();
    let client = organization.management_client();
    client.disable_aws_service_access(&SSM).await.unwrap();
    let end = async |task: DeletionTaskId| {
        advance(SECOND).await;
        client.get_service_linked_role_deletion_status(&task).await.unwrap()
    };
    let task = client.delete_service_linked_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap();
    assert!(matches!(end(task).await, DeletionStatus::Failed { .. }));
    advance(DELAY).await;
    let task = client.delete_service_linked_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap();
    assert_eq!(end(task).await, DeletionStatus::Succeeded);
}

#[tokio::test]
async fn only_inventory_syncs_show_a_last_status() {
    let mut sync = organization_sync("org");
    sync.last_status = Some(SyncStatus::Failed);
    for (sync_type, expected) in
        [(SyncType::SyncFromSource, None), (SyncType::SyncToDestination, Some(SyncStatus::Failed))]
    {
        let organization = trusting().data_sync_of_type(sync_type, management(), region(HOME), sync.clone()).build();
        let client = organization.management_client();
        let page = client.list_resource_data_sync(&region(HOME), sync_type, None).await.unwrap();
        assert_eq!(page.items[0].last_status, expected);
        assert_eq!(organization.data_syncs(management(), &region(HOME))[0].last_status, expected);
    }
}

fn message(error: &Error) -> &str {
    error.message().unwrap()
}

/// Asserts that Organizations returns the same message for a missing permission and a wrong
/// account.
#[tokio::test]
async fn missing_permission_has_the_message_of_the_wrong_account() {
    let organization = delegated().build();
    let client = organization.management_client().without_permission("organizations:ListDelegatedAdministrators");
    let denied = client.list_delegated_administrators(&SSM, None).await.unwrap_err();
    let wrong = organization.client(crate::common::bob()).list_delegated_administrators(&SSM, None).await.unwrap_err();
    assert_eq!((denied.code(), message(&denied)), (wrong.code(), message(&wrong)));

    let client = organization.management_client().without_permission("ssm:ListResourceDataSync");
    let denied = client.list_resource_data_sync(&region(HOME), SyncType::SyncFromSource, None).await.unwrap_err();
    assert!(message(&denied).contains("because no identity-based policy allows the ssm:ListResourceDataSync action"));
}
