//! Conversion of AWS's responses.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{FinalizerInterceptorContextMut, Output};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::{Value, json};
use ssm_organizations::aws::{AwsClient, aws_sdk_ssm};
use ssm_organizations::domain::{Partition, RoleName};
use ssm_organizations::ports::{
    AccountState, DataSync, DeletionStatus, FeatureSet, IamApi, Operation, OrganizationsApi, Page, Role, RoleUsage,
    StsApi, SyncSourceType, SyncState, SyncStatus, SyncType, SystemsManagerApi,
};
use ssm_organizations::{Error, ErrorKind, ServicePrincipal, WriteStatus};

use crate::canned::{ADDRESS, MANAGEMENT, MEMBER, ROLE, Reply, TASK, UNIT, Wire};

fn at(seconds: f64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs_f64(seconds)
}

async fn organization(body: Value) -> Result<ssm_organizations::ports::Organization, Error> {
    Wire::new().on(Operation::DescribeOrganization, [Reply::ok(&body)]).client().describe_organization().await
}

async fn account(body: Value) -> Result<ssm_organizations::ports::Account, Error> {
    let wire = Wire::new().on(Operation::DescribeAccount, [Reply::ok(&body)]);
    wire.client().describe_account(MEMBER.parse().unwrap()).await
}

async fn unit(body: Value) -> Result<ssm_organizations::ports::OrganizationalUnit, Error> {
    let wire = Wire::new().on(Operation::DescribeOrganizationalUnit, [Reply::ok(&body)]);
    wire.client().describe_organizational_unit(&UNIT.parse().unwrap()).await
}

fn is_unexpected(error: &Error, what: &str) {
    assert_eq!(*error.kind(), ErrorKind::UnexpectedResponse, "{error:?}");
    assert_eq!(error.message(), Some(what));
    assert_eq!(error.write_status(), WriteStatus::NotApplied);
}

#[tokio::test(start_paused = true)]
async fn describe_organizational_unit_returns_its_id() {
    let found = unit(json!({ "OrganizationalUnit": { "Id": UNIT, "Name": ADDRESS } })).await.unwrap();
    assert_eq!(found.id.as_str(), UNIT);
    assert!(!format!("{found:?}").contains(ADDRESS));
    is_unexpected(&unit(json!({})).await.unwrap_err(), "OrganizationalUnit is missing");
    is_unexpected(&unit(json!({ "OrganizationalUnit": {} })).await.unwrap_err(), "Id is missing");
}

#[tokio::test(start_paused = true)]
async fn describe_organization_returns_id_features_and_partition() {
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
async fn response_without_required_field_is_unexpected() {
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
async fn account_state_falls_back_to_status() {
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
        assert_eq!(page.items.first().unwrap().delegated_at, None);
    }
}

#[tokio::test(start_paused = true)]
async fn list_services_returns_principals_dates_and_token() {
    let body = json!({
        "EnabledServicePrincipals": [
            { "ServicePrincipal": "ssm.amazonaws.com", "DateEnabled": 1_600_000_000.25 },
            { "ServicePrincipal": "ram.amazonaws.com" },
        ],
        "NextToken": "more",
    });
    let wire = Wire::new().on(Operation::ListAwsServiceAccessForOrganization, [Reply::ok(&body)]);
    let page = wire.client().list_aws_service_access_for_organization(None).await.unwrap();
    let found: Vec<_> = page.items.iter().map(|service| (service.principal.as_str(), service.enabled_at)).collect();
    assert_eq!(found, [("ssm.amazonaws.com", Some(at(1_600_000_000.25))), ("ram.amazonaws.com", None)]);
    assert_eq!(page.next, Some("more".parse().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn list_administrators_returns_accounts_and_dates() {
    let wire = Wire::new().on(Operation::ListDelegatedAdministrators, [Reply::administrators(&[MEMBER])]);
    let page = wire.client().list_delegated_administrators(&ServicePrincipal::SYSTEMS_MANAGER, None).await.unwrap();
    let [found] = page.items.as_slice() else { panic!("{page:?}") };
    assert_eq!(found.account.as_str(), MEMBER);
    assert_eq!(found.delegated_at, Some(at(1_700_000_000.0)));
    assert_eq!(page.next, None);
}

async fn listed(items: Value) -> Result<Page<DataSync>, Error> {
    let wire = Wire::new().on(Operation::ListResourceDataSync, [Reply::ok(&json!({ "ResourceDataSyncItems": items }))]);
    let region = "eu-central-1".parse().unwrap();
    wire.client().list_resource_data_sync(&region, SyncType::SyncFromSource, None).await
}

/// Returns the sync that is read from this source.
async fn of_source(source: Value) -> DataSync {
    let page = listed(json!([{ "SyncName": "one", "SyncSource": source }])).await.unwrap();
    let [sync] = <[_; 1]>::try_from(page.items).expect("one sync");
    sync
}

#[tokio::test(start_paused = true)]
async fn list_syncs_returns_all_fields() {
    let page = listed(json!([
        {
            "SyncName": "units",
            "SyncType": "SyncFromSource",
            "SyncSource": {
                "SourceType": "AwsOrganizations",
                "AwsOrganizationsSource": {
                    "OrganizationSourceType": "OrganizationalUnits",
                    "OrganizationalUnits": [
                        { "OrganizationalUnitId": "ou-root-22222222" },
                        { "OrganizationalUnitId": "ou-root-11111111" },
                    ],
                },
                "SourceRegions": ["us-east-1", "eu-central-1"],
                "IncludeFutureRegions": true,
                "EnableAllOpsDataSources": false,
                "State": "TrustedAccessDisabled",
            },
            "LastSyncTime": 1_600_000_003.5,
            "LastSuccessfulSyncTime": 1_600_000_002,
            "SyncLastModifiedTime": 1_600_000_001,
            "LastStatus": "Failed",
            "SyncCreatedTime": 1_600_000_000.25,
            "LastSyncStatusMessage": ADDRESS,
        },
        {
            "SyncName": "entire",
            "SyncSource": {
                "SourceType": "AwsOrganizations",
                "AwsOrganizationsSource": { "OrganizationSourceType": "EntireOrganization" },
                "SourceRegions": ["us-east-1"],
                "EnableAllOpsDataSources": true,
            },
            "LastStatus": "Successful",
        },
        { "SyncName": "bare" },
    ]));
    let page = page.await.unwrap();

    let mut units = DataSync::new("units".parse().unwrap(), Some(SyncSourceType::AwsOrganizations));
    units.units = ["ou-root-22222222", "ou-root-11111111"].map(|unit| unit.parse().unwrap()).to_vec();
    units.regions = ["us-east-1", "eu-central-1"].map(|region| region.parse().unwrap()).to_vec();
    units.future_regions = Some(true);
    units.all_ops_data_sources = Some(false);
    units.state = SyncState::TrustedAccessDisabled;
    units.last_status = Some(SyncStatus::Failed);
    units.last_run = Some(at(1_600_000_003.5));
    units.last_success = Some(at(1_600_000_002.0));
    units.created = Some(at(1_600_000_000.25));
    units.modified = Some(at(1_600_000_001.0));
    let mut entire = DataSync::new("entire".parse().unwrap(), Some(SyncSourceType::AwsOrganizations));
    entire.regions = vec!["us-east-1".parse().unwrap()];
    entire.all_ops_data_sources = Some(true);
    entire.last_status = Some(SyncStatus::Successful);
    let bare = DataSync::new("bare".parse().unwrap(), None);
    assert_eq!(page.items, [units, entire, bare]);
}

#[tokio::test(start_paused = true)]
async fn list_syncs_maps_source_types() {
    for (source, expected) in [
        (json!({ "SourceType": "AwsOrganizations", "SourceRegions": [] }), Some(SyncSourceType::AwsOrganizations)),
        (json!({ "SourceType": "SingleAccountMultiRegions" }), Some(SyncSourceType::SingleAccountMultiRegions)),
        (json!({ "SourceType": "singleAccountMultiRegions" }), Some(SyncSourceType::SingleAccountMultiRegions)),
        (json!({ "SourceType": "Elsewhere" }), Some(SyncSourceType::Other("Elsewhere".to_owned()))),
        (json!({ "SourceType": "" }), None),
        (json!({ "SourceType": null }), None),
        (json!({}), None),
        (Value::Null, None),
    ] {
        let sync = of_source(source).await;
        assert_eq!(sync.source_type, expected);
        assert!(sync.units.is_empty() && sync.regions.is_empty());
    }
}

/// Asserts that unreadable units do not result in an empty list, which means the entire
/// organization.
#[tokio::test(start_paused = true)]
async fn sync_with_unreadable_units_is_not_entire_organization() {
    let ou = |id: Value| json!({ "OrganizationalUnitId": id });
    let good = || ou(json!("ou-root-11111111"));
    let other = |kind: &str| SyncSourceType::Other(kind.to_owned());
    for (organization, expected, units) in [
        (json!({ "OrganizationSourceType": "EntireOrganization", "OrganizationalUnits": [] }), None, 0),
        (json!({ "OrganizationSourceType": "OrganizationalUnits", "OrganizationalUnits": [good()] }), None, 1),
        // AWS's model requires the type. Without it, the response shows only that the source is the
        // organization.
        (json!({}), None, 0),
        (json!({ "OrganizationalUnits": [good()] }), None, 1),
        (json!({ "OrganizationSourceType": "OrganizationalUnits" }), Some(other("OrganizationalUnits")), 0),
        (
            json!({ "OrganizationSourceType": "OrganizationalUnits", "OrganizationalUnits": [good(), ou(json!("r-root"))] }),
            Some(other("OrganizationalUnits")),
            0,
        ),
        (
            json!({ "OrganizationSourceType": "OrganizationalUnits", "OrganizationalUnits": [ou(Value::Null), good()] }),
            Some(other("OrganizationalUnits")),
            0,
        ),
        (json!({ "OrganizationalUnits": [ou(json!("r-root"))] }), Some(other("OrganizationalUnits")), 0),
        (
            json!({ "OrganizationSourceType": "EntireOrganization", "OrganizationalUnits": [good()] }),
            Some(other("EntireOrganization")),
            1,
        ),
        (json!({ "OrganizationSourceType": "Tags" }), Some(other("Tags")), 0),
    ] {
        let sync = of_source(json!({
            "SourceType": "AwsOrganizations",
            "AwsOrganizationsSource": organization,
            "SourceRegions": ["us-east-1"],
        }));
        let sync = sync.await;
        assert_eq!(sync.source_type, Some(expected.unwrap_or(SyncSourceType::AwsOrganizations)), "{organization}");
        assert_eq!(sync.units.len(), units, "{organization}");
        assert_eq!(sync.regions.len(), 1);
        assert!(sync.is_of_organization());
    }
}

#[tokio::test(start_paused = true)]
async fn sync_with_unreadable_regions_has_no_regions() {
    for (regions, expected) in [
        (json!(["us-east-1", "eu-central-1"]), 2),
        (json!(["us-east-1", "EVERYWHERE"]), 0),
        (json!(["", "us-east-1"]), 0),
        (json!([]), 0),
        (Value::Null, 0),
    ] {
        let sync = of_source(json!({ "SourceType": "AwsOrganizations", "SourceRegions": regions })).await;
        assert_eq!(sync.regions.len(), expected, "{regions}");
        assert_eq!(sync.source_type, Some(SyncSourceType::AwsOrganizations));
    }
}

/// Distinguishes a missing flag from `false`. The SDK returns `false` for both.
#[tokio::test(start_paused = true)]
async fn missing_sync_flag_is_none_instead_of_false() {
    for (source, future_regions, all_ops_data_sources) in [
        (json!({}), None, None),
        (json!({ "IncludeFutureRegions": null, "EnableAllOpsDataSources": null }), None, None),
        (json!({ "IncludeFutureRegions": false }), Some(false), None),
        (json!({ "IncludeFutureRegions": true }), Some(true), None),
        (json!({ "EnableAllOpsDataSources": false }), None, Some(false)),
        (json!({ "IncludeFutureRegions": false, "EnableAllOpsDataSources": true }), Some(false), Some(true)),
    ] {
        let sync = of_source(source).await;
        assert_eq!((sync.future_regions, sync.all_ops_data_sources), (future_regions, all_ops_data_sources));
    }
}

/// Asserts that each sync has its own flags, and that failed attempts do not provide them.
#[tokio::test(start_paused = true)]
async fn sync_flags_are_read_from_the_last_response() {
    let item = |name: &str, source: Value| json!({ "SyncName": name, "SyncSource": source });
    let first = json!({ "ResourceDataSyncItems": [item("other", json!({ "IncludeFutureRegions": true }))] });
    let second = json!({ "ResourceDataSyncItems": [
        item("one", json!({ "IncludeFutureRegions": false })),
        item("two", json!({ "State": "\u{201c}IncludeFutureRegions\": true" })),
        item("three", json!({ "EnableAllOpsDataSources": false })),
    ]});
    let wire = Wire::new().on(
        Operation::ListResourceDataSync,
        [Reply::new(500, first.to_string()), Reply::error("ThrottlingException"), Reply::ok(&second)],
    );
    let region = "eu-central-1".parse().unwrap();
    let page = wire.client().list_resource_data_sync(&region, SyncType::SyncFromSource, None).await.unwrap();
    let found: Vec<_> = page.items.iter().map(|sync| (sync.future_regions, sync.all_ops_data_sources)).collect();
    assert_eq!(found, [(Some(false), None), (None, None), (None, Some(false))]);
}

/// Interceptor that replaces the SDK's output, as mocks of the SDK do. The HTTP body does not
/// match.
#[derive(Debug)]
struct HandMade;

impl Intercept for HandMade {
    fn name(&self) -> &'static str {
        "HandMade"
    }

    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        use aws_sdk_ssm::operation::list_resource_data_sync::ListResourceDataSyncOutput;
        use aws_sdk_ssm::types::{ResourceDataSyncItem, ResourceDataSyncSourceWithState};
        let source =
            ResourceDataSyncSourceWithState::builder().include_future_regions(true).enable_all_ops_data_sources(false);
        let item = ResourceDataSyncItem::builder().sync_name("one").sync_source(source.build()).build();
        let output = ListResourceDataSyncOutput::builder().resource_data_sync_items(item).build();
        *context.output_or_error_mut().unwrap() = Ok(Output::erase(output));
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn mocked_sdk_output_keeps_true_flags_only() {
    for body in ["{}", "{\"ResourceDataSyncItems\":[{},{}]}"] {
        let wire = Wire::new().on(Operation::ListResourceDataSync, [Reply::new(200, body)]);
        let config = aws_sdk_ssm::config::Builder::from(&wire.config().build())
            .behavior_version(BehaviorVersion::latest())
            .interceptor(HandMade)
            .build();
        let given = aws_sdk_ssm::Client::from_conf(config);
        let client = AwsClient::builder(&wire.config().build()).systems_manager(given).build();
        let region = "eu-central-1".parse().unwrap();
        let page = client.list_resource_data_sync(&region, SyncType::SyncFromSource, None).await.unwrap();
        let [sync] = <[_; 1]>::try_from(page.items).expect("one sync");
        assert_eq!((sync.future_regions, sync.all_ops_data_sources), (Some(true), None));
    }
}

#[tokio::test(start_paused = true)]
async fn list_syncs_maps_states_and_last_statuses() {
    for (state, expected) in [
        (Value::Null, SyncState::Healthy),
        (json!(""), SyncState::Healthy),
        (json!("OrganizationNotExists"), SyncState::OrganizationNotExists),
        (json!("NoPermissions"), SyncState::NoPermissions),
        (json!("InvalidOrganizationalUnit"), SyncState::InvalidOrganizationalUnit),
        (json!("TrustedAccessDisabled"), SyncState::TrustedAccessDisabled),
        (json!("Tired"), SyncState::Other("Tired".to_owned())),
    ] {
        assert_eq!(of_source(json!({ "State": state })).await.state, expected);
    }
    for (status, expected) in [
        (Value::Null, None),
        (json!(""), None),
        (json!("Successful"), Some(SyncStatus::Successful)),
        (json!("Failed"), Some(SyncStatus::Failed)),
        (json!("InProgress"), Some(SyncStatus::InProgress)),
        (json!("Tired"), Some(SyncStatus::Other("Tired".to_owned()))),
    ] {
        let page = listed(json!([{ "SyncName": "one", "LastStatus": status }])).await.unwrap();
        assert_eq!(page.items.first().unwrap().last_status, expected);
    }
}

/// Asserts that a sync without a valid name is an error, because only the name identifies it.
#[tokio::test(start_paused = true)]
async fn sync_without_valid_name_is_unexpected() {
    for (name, what) in [
        (json!(null), "SyncName is missing"),
        (json!(""), "SyncName: \"\" is not the name of a resource data sync: 1 to 64 characters"),
    ] {
        let error = listed(json!([{ "SyncName": name }])).await.unwrap_err();
        is_unexpected(&error, what);
        assert_eq!(error.region(), Some(&"eu-central-1".parse().unwrap()));
    }
}

#[tokio::test(start_paused = true)]
async fn missing_empty_or_null_token_ends_listing() {
    for body in [json!({}), json!({ "NextToken": "" }), json!({ "NextToken": null })] {
        let mut body = body;
        for list in ["EnabledServicePrincipals", "DelegatedAdministrators", "ResourceDataSyncItems"] {
            body[list] = json!([]);
        }
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
async fn get_caller_identity_returns_account() {
    let wire = Wire::new().on(Operation::GetCallerIdentity, [Reply::identity()]);
    assert_eq!(wire.client().get_caller_identity().await.unwrap().account.as_str(), MANAGEMENT);

    let empty = "<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>";
    let wire = Wire::new().on(Operation::GetCallerIdentity, [Reply::new(200, empty)]);
    is_unexpected(&wire.client().get_caller_identity().await.unwrap_err(), "Account is missing");
}

const PATH: &str = "<Path>/aws-service-role/x/</Path>";
const NAME: &str = "<RoleName>any-name</RoleName>";
const ID: &str = "<RoleId>AROAEXAMPLEID</RoleId>";

async fn role(operation: Operation, result: &str) -> Result<Role, Error> {
    let wire = Wire::new().on(operation, [Reply::iam(operation, result)]);
    if operation == Operation::GetRole {
        wire.client().get_role(&RoleName::ACCOUNT_DISCOVERY).await.map(|role| role.expect("a role"))
    } else {
        wire.client().create_service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY).await
    }
}

#[tokio::test(start_paused = true)]
async fn get_role_returns_name_id_path_and_date() {
    let path = "/aws-service-role/accountdiscovery.ssm.amazonaws.com/";
    let expected = Role::new(ROLE.parse().unwrap(), "AROAEXAMPLEID".parse().unwrap(), path)
        .with_created(Some(at(1_700_000_000.0)));
    let wire = Wire::new()
        .on(Operation::GetRole, [Reply::role(Operation::GetRole)])
        .on(Operation::CreateServiceLinkedRole, [Reply::role(Operation::CreateServiceLinkedRole)]);
    let client = wire.client();
    assert_eq!(client.get_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap().as_ref(), Some(&expected));
    assert_eq!(client.create_service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY).await.unwrap(), expected);

    // Emulators use other role names, and some omit the date.
    for operation in [Operation::GetRole, Operation::CreateServiceLinkedRole] {
        let found = role(operation, &format!("<Role>{PATH}{NAME}{ID}</Role>")).await.unwrap();
        assert_eq!(
            found,
            Role::new("any-name".parse().unwrap(), "AROAEXAMPLEID".parse().unwrap(), "/aws-service-role/x/")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn role_without_required_field_is_unexpected() {
    for operation in [Operation::GetRole, Operation::CreateServiceLinkedRole] {
        for (members, what) in [
            ([PATH, "", ID], "RoleName is missing"),
            ([PATH, NAME, ""], "RoleId is missing"),
            (["", NAME, ID], "Path is missing"),
            ([PATH, NAME, "<RoleId>?</RoleId>"], "RoleId: \"?\" is not the id of a role: 1 to 128 letters or digits"),
        ] {
            let error = role(operation, &format!("<Role>{}</Role>", members.concat())).await.unwrap_err();
            assert_eq!((error.kind(), error.message()), (&ErrorKind::UnexpectedResponse, Some(what)), "{error:?}");
            let applied = if operation.is_write() { WriteStatus::Unknown } else { WriteStatus::NotApplied };
            assert_eq!((error.operation(), error.write_status()), (Some(operation), applied));
        }
    }
    let error = role(Operation::CreateServiceLinkedRole, "").await.unwrap_err();
    assert_eq!((error.message(), error.write_status()), (Some("Role is missing"), WriteStatus::Unknown));
}

#[tokio::test(start_paused = true)]
async fn delete_role_returns_task_id() {
    let operation = Operation::DeleteServiceLinkedRole;
    let id = format!("<DeletionTaskId>{TASK}</DeletionTaskId>");
    let wire = Wire::new().on(operation, [Reply::iam(operation, &id), Reply::iam(operation, "")]);
    let client = wire.client();
    let task = client.delete_service_linked_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap();
    assert_eq!(task.as_str(), TASK);

    let error = client.delete_service_linked_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (&ErrorKind::UnexpectedResponse, Some("DeletionTaskId is missing")));
    assert_eq!(error.write_status(), WriteStatus::Unknown);
}

#[tokio::test(start_paused = true)]
async fn deletion_status_maps_all_values() {
    let operation = Operation::GetServiceLinkedRoleDeletionStatus;
    let status = async |result: &str| {
        let wire = Wire::new().on(operation, [Reply::iam(operation, result)]);
        wire.client().get_service_linked_role_deletion_status(&TASK.parse().unwrap()).await
    };
    let usage = "<RoleUsageList>\
        <member><Region>us-east-1</Region><Resources><member>org</member><member>other</member></Resources></member>\
        <member><Region>?</Region><Resources><member>elsewhere</member></Resources></member>\
        <member></member></RoleUsageList>";
    let used = vec![
        RoleUsage::new(Some("us-east-1".parse().unwrap()), vec!["org".to_owned(), "other".to_owned()]),
        RoleUsage::new(None, vec!["elsewhere".to_owned()]),
        RoleUsage::new(None, Vec::new()),
    ];
    let reason = "<Reason>in use</Reason>";
    for (result, expected) in [
        ("<Status>NOT_STARTED</Status>".to_owned(), DeletionStatus::NotStarted),
        ("<Status>IN_PROGRESS</Status>".to_owned(), DeletionStatus::InProgress),
        ("<Status>SUCCEEDED</Status>".to_owned(), DeletionStatus::Succeeded),
        ("<Status>PAUSED</Status>".to_owned(), DeletionStatus::Other("PAUSED".to_owned())),
        ("<Status>FAILED</Status>".to_owned(), DeletionStatus::failed(None, Vec::new())),
        (
            format!("<Status>FAILED</Status><Reason>{reason}</Reason>"),
            DeletionStatus::failed(Some("in use".to_owned()), Vec::new()),
        ),
        (
            format!("<Status>FAILED</Status><Reason>{reason}{usage}</Reason>"),
            DeletionStatus::failed(Some("in use".to_owned()), used),
        ),
    ] {
        assert_eq!(status(&result).await.unwrap(), expected, "{result}");
    }
    for result in ["", "<Status></Status>", "<Reason></Reason>"] {
        is_unexpected(&status(result).await.unwrap_err(), "Status is missing");
    }
}
