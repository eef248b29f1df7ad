//! Responses to the list operations: the syncs of a listing, and responses that do not prove that
//! anything is absent.

use serde_json::{Value, json};
use ssm_organizations::ports::{Operation, SyncType, SystemsManagerApi};
use ssm_organizations::{ErrorKind, Integration};

use crate::canned::{Reply, Wire, failed};

/// List operations, each with the name of the list in a complete response.
const LISTS: [(Operation, &str); 3] = [
    (Operation::ListAwsServiceAccessForOrganization, "EnabledServicePrincipals"),
    (Operation::ListDelegatedAdministrators, "DelegatedAdministrators"),
    (Operation::ListResourceDataSync, "ResourceDataSyncItems"),
];

#[tokio::test(start_paused = true)]
async fn listing_without_its_list_is_unexpected_response() {
    for (operation, list) in LISTS {
        let bodies = [
            (200, String::new()),
            (200, "{}".to_owned()),
            (200, json!({ "NextToken": null }).to_string()),
            (200, json!({ "NextToken": "more" }).to_string()),
            (200, json!({ list: null }).to_string()),
            (200, json!({ list.to_lowercase(): [] }).to_string()),
            (204, String::new()),
            (202, String::new()),
        ];
        for (status, body) in bodies {
            let wire = Wire::new().on(operation, [Reply::new(status, body.clone())]);
            let error = failed(&wire.client(), operation).await;
            assert_eq!(*error.kind(), ErrorKind::UnexpectedResponse, "{operation}: {status} {body:?}: {error:?}");
            assert_eq!(error.message(), Some(format!("{list} is missing").as_str()));
            assert_eq!(error.operation(), Some(operation));
            assert_eq!(error.region().is_some(), operation == Operation::ListResourceDataSync, "{error:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn observe_without_a_list_is_an_error_not_disabled() {
    for operation in [Operation::ListAwsServiceAccessForOrganization, Operation::ListDelegatedAdministrators] {
        let wire = Wire::disabled().on(operation, [Reply::new(204, "")]);
        let client = wire.client();
        let error = Integration::new(&client).observe().await.unwrap_err();
        assert_eq!(*error.error().kind(), ErrorKind::UnexpectedResponse, "{error:?}");
        assert_eq!(error.error().operation(), Some(operation));
    }
}

/// Returns the names that a listing of this type shows for items with these types.
async fn listed(sync_type: SyncType, types: &[Value]) -> Vec<String> {
    let items: Vec<_> = types
        .iter()
        .enumerate()
        .map(|(index, named)| {
            let source = json!({ "SourceType": "AwsOrganizations", "IncludeFutureRegions": index % 2 == 0 });
            json!({ "SyncName": format!("sync-{index}"), "SyncType": named, "SyncSource": source })
        })
        .collect();
    let wire = Wire::new().on(Operation::ListResourceDataSync, [Reply::ok(&json!({ "ResourceDataSyncItems": items }))]);
    let region = "eu-central-1".parse().unwrap();
    let page = wire.client().list_resource_data_sync(&region, sync_type, None).await.unwrap();
    for sync in &page.items {
        let index: usize = sync.name.as_str().trim_start_matches("sync-").parse().unwrap();
        assert_eq!(sync.future_regions, Some(index.is_multiple_of(2)), "the members of {} are its own", sync.name);
    }
    page.items.iter().map(|sync| sync.name.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn listing_with_items_of_the_other_type_omits_them() {
    let types = [
        json!("SyncToDestination"),
        json!("SyncFromSource"),
        Value::Null,
        json!("SyncToDestination"),
        json!("SyncToTheFuture"),
        json!("SyncFromSource"),
    ];
    let explorer = listed(SyncType::SyncFromSource, &types).await;
    assert_eq!(explorer, ["sync-1", "sync-2", "sync-4", "sync-5"]);
    let inventory = listed(SyncType::SyncToDestination, &types).await;
    assert_eq!(inventory, ["sync-0", "sync-2", "sync-3", "sync-4"]);
}
