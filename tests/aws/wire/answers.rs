//! What is made of answers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use ssm_organizations::ports::{
    AccountState, FeatureSet, Operation, OrganizationsApi, StsApi, SyncSourceType, SyncType, SystemsManagerApi,
};
use ssm_organizations::{Applied, Error, ErrorKind, Partition, ServicePrincipal};

use crate::canned::{ADDRESS, MANAGEMENT, MEMBER, Reply, Wire};

fn at(seconds: f64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs_f64(seconds)
}

async fn organization(body: Value) -> Result<ssm_organizations::ports::Organization, Error> {
    Wire::new().on(Operation::DescribeOrganization, [Reply::ok(&body)]).client().describe_organization().await
}

async fn account(body: Value) -> Result<ssm_organizations::ports::Account, Error> {
    let wire = Wire::new().on(Operation::DescribeAccount, [Reply::ok(&body)]);
    wire.client().describe_account(&MEMBER.parse().unwrap()).await
}

fn is_unexpected(error: &Error, what: &str) {
    assert_eq!(*error.kind(), ErrorKind::UnexpectedAnswer, "{error:?}");
    assert_eq!(error.message(), Some(what));
    assert_eq!(error.applied(), Applied::No);
}

#[tokio::test(start_paused = true)]
async fn an_organization_is_known_by_its_id_account_features_and_partition() {
    for (partition, features, expected) in [
        ("aws", json!("ALL"), Some(FeatureSet::All)),
        ("aws-cn", json!("CONSOLIDATED_BILLING"), Some(FeatureSet::ConsolidatedBilling)),
        ("aws-us-gov", json!("SOMETHING_NEW"), None),
        ("aws-yet-to-come", Value::Null, None),
    ] {
        let found = organization(json!({ "Organization": {
            "Id": "o-exampleorgid",
            "Arn": format!("arn:{partition}:organizations::{MANAGEMENT}:organization/o-exampleorgid"),
            "FeatureSet": features,
            "MasterAccountId": MANAGEMENT,
            "MasterAccountEmail": ADDRESS,
        }}));
        let found = found.await.unwrap();
        assert_eq!(found.id.as_str(), "o-exampleorgid");
        assert_eq!(found.management_account.as_str(), MANAGEMENT);
        assert_eq!(found.partition, Partition::new(partition).unwrap());
        assert_eq!(found.feature_set, expected);
        assert!(!format!("{found:?}").contains(ADDRESS));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_what_it_must_have_is_unexpected() {
    let whole = json!({
        "Id": "o-exampleorgid",
        "Arn": format!("arn:aws:organizations::{MANAGEMENT}:organization/o-exampleorgid"),
        "MasterAccountId": MANAGEMENT,
    });
    is_unexpected(&organization(json!({})).await.unwrap_err(), "Organization is missing");
    for member in ["Id", "Arn", "MasterAccountId"] {
        let mut less = whole.clone();
        less.as_object_mut().unwrap().remove(member);
        let error = organization(json!({ "Organization": less })).await.unwrap_err();
        is_unexpected(&error, &format!("{member} is missing"));
        assert_eq!(error.operation(), Some(Operation::DescribeOrganization));
    }
    let mut wrong = whole;
    wrong["MasterAccountId"] = json!(ADDRESS);
    let error = organization(json!({ "Organization": wrong })).await.unwrap_err();
    is_unexpected(&error, "MasterAccountId: \"[e-mail address]\" is not an account id: twelve digits");

    is_unexpected(&account(json!({})).await.unwrap_err(), "Account is missing");
    is_unexpected(&account(json!({ "Account": {} })).await.unwrap_err(), "Id is missing");
}

#[tokio::test(start_paused = true)]
async fn the_state_of_an_account_is_its_state_or_else_its_status() {
    for (members, expected) in [
        (json!({ "State": "ACTIVE", "Status": "ACTIVE" }), Some(AccountState::Active)),
        (json!({ "State": "CLOSED", "Status": "SUSPENDED" }), Some(AccountState::Closed)),
        (json!({ "State": "PENDING_ACTIVATION" }), Some(AccountState::PendingActivation)),
        (json!({ "Status": "PENDING_CLOSURE" }), Some(AccountState::PendingClosure)),
        (json!({ "State": "HIBERNATING" }), Some(AccountState::Other("HIBERNATING".to_owned()))),
        (json!({}), None),
    ] {
        let mut body = members;
        body["Id"] = json!(MEMBER);
        let found = account(json!({ "Account": body })).await.unwrap();
        assert_eq!(found.id.as_str(), MEMBER);
        assert_eq!(found.state, expected);

        let page = Wire::new()
            .on(Operation::ListDelegatedAdministrators, [Reply::ok(&json!({ "DelegatedAdministrators": [body] }))])
            .client()
            .list_delegated_administrators(&ServicePrincipal::SYSTEMS_MANAGER, None)
            .await
            .unwrap();
        assert_eq!(page.items.first().unwrap().state, expected);
        assert_eq!(page.items.first().unwrap().since, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_of_trusted_services_has_principals_dates_and_a_token() {
    let body = json!({
        "EnabledServicePrincipals": [
            { "ServicePrincipal": "ssm.amazonaws.com", "DateEnabled": 1_600_000_000.25 },
            { "ServicePrincipal": "ram.amazonaws.com" },
        ],
        "NextToken": "more",
    });
    let wire = Wire::new().on(Operation::ListAwsServiceAccessForOrganization, [Reply::ok(&body)]);
    let page = wire.client().list_aws_service_access_for_organization(None).await.unwrap();
    let found: Vec<_> = page.items.iter().map(|service| (service.principal.as_str(), service.since)).collect();
    assert_eq!(found, [("ssm.amazonaws.com", Some(at(1_600_000_000.25))), ("ram.amazonaws.com", None)]);
    assert_eq!(page.next, Some("more".parse().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_page_of_administrators_has_accounts_and_dates() {
    let wire = Wire::new().on(Operation::ListDelegatedAdministrators, [Reply::administrators(&[MEMBER])]);
    let page = wire.client().list_delegated_administrators(&ServicePrincipal::SYSTEMS_MANAGER, None).await.unwrap();
    let [found] = page.items.as_slice() else { panic!("{page:?}") };
    assert_eq!(found.account.as_str(), MEMBER);
    assert_eq!(found.since, Some(at(1_700_000_000.0)));
    assert_eq!(page.next, None);
}

#[tokio::test(start_paused = true)]
async fn a_page_of_data_syncs_has_names_and_sources() {
    let body = json!({ "ResourceDataSyncItems": [
        { "SyncName": "one", "SyncSource": { "SourceType": "AwsOrganizations", "SourceRegions": [] } },
        { "SyncName": "two", "SyncSource": { "SourceType": "singleAccountMultiRegions" } },
        { "SyncName": "three", "SyncSource": { "SourceType": "Elsewhere" } },
        { "SyncName": "four" },
    ]});
    let wire = Wire::new().on(Operation::ListResourceDataSync, [Reply::ok(&body)]);
    let region = "eu-central-1".parse().unwrap();
    let page = wire.client().list_resource_data_sync(&region, SyncType::SyncFromSource, None).await.unwrap();
    let found: Vec<_> = page.items.iter().map(|sync| (sync.name.as_str(), sync.source_type.clone())).collect();
    assert_eq!(
        found,
        [
            ("one", Some(SyncSourceType::AwsOrganizations)),
            ("two", Some(SyncSourceType::SingleAccountMultiRegions)),
            ("three", Some(SyncSourceType::Other("Elsewhere".to_owned()))),
            ("four", None),
        ]
    );

    for (name, what) in [
        (json!(null), "SyncName is missing"),
        (json!(""), "SyncName: \"\" is not the name of a resource data sync: 1 to 64 characters"),
    ] {
        let body = json!({ "ResourceDataSyncItems": [{ "SyncName": name }] });
        let wire = Wire::new().on(Operation::ListResourceDataSync, [Reply::ok(&body)]);
        let page = wire.client().list_resource_data_sync(&region, SyncType::SyncFromSource, None).await;
        let error = page.unwrap_err();
        is_unexpected(&error, what);
        assert_eq!(error.region(), Some(&region));
    }
}

#[tokio::test(start_paused = true)]
async fn no_token_an_empty_one_and_null_end_a_listing() {
    for body in [json!({}), json!({ "NextToken": "" }), json!({ "NextToken": null })] {
        let reply = Reply::ok(&body);
        let wire = Wire::new()
            .on(Operation::ListAwsServiceAccessForOrganization, [reply.clone()])
            .on(Operation::ListDelegatedAdministrators, [reply.clone()])
            .on(Operation::ListResourceDataSync, [reply]);
        let client = wire.client();
        let services = client.list_aws_service_access_for_organization(None).await.unwrap();
        assert_eq!((services.items.len(), services.next), (0, None));
        let administrators = client.list_delegated_administrators(&ServicePrincipal::SYSTEMS_MANAGER, None).await;
        assert_eq!(administrators.unwrap().next, None);
        let region = "eu-central-1".parse().unwrap();
        let syncs = client.list_resource_data_sync(&region, SyncType::SyncFromSource, None).await.unwrap();
        assert_eq!(syncs.next, None);
    }
}

#[tokio::test(start_paused = true)]
async fn the_caller_is_the_account_of_the_credentials() {
    let wire = Wire::new().on(Operation::GetCallerIdentity, [Reply::identity()]);
    assert_eq!(wire.client().get_caller_identity().await.unwrap().account.as_str(), MANAGEMENT);

    let empty = "<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>";
    let wire = Wire::new().on(Operation::GetCallerIdentity, [Reply::new(200, empty)]);
    is_unexpected(&wire.client().get_caller_identity().await.unwrap_err(), "Account is missing");
}
