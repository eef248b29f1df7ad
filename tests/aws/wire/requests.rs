//! Requests and their endpoints.

use aws_types::app_name::AppName;
use aws_types::region::Region;
use serde_json::{Value, json};
use ssm_organizations::aws::{AwsClient, aws_sdk_iam, aws_sdk_organizations};
use ssm_organizations::ports::{
    Operation, OrganizationalUnits, OrganizationsApi, SourceRegions, SyncDefinition, SyncSource, SyncType,
    SystemsManagerApi,
};
use ssm_organizations::{Error, ServicePrincipal, SyncName};

use crate::canned::{MEMBER, Reply, Sent, UNIT, Wire, call, definition, is_in_xml, success};

async fn sent_by(operation: Operation) -> Sent {
    let wire = Wire::new().on(operation, [success(operation)]);
    call(&wire.client(), operation).await.unwrap();
    let [sent] = <[_; 1]>::try_from(wire.sent()).expect("one request");
    sent
}

#[tokio::test(start_paused = true)]
async fn each_operation_sends_documented_request() {
    let expected = |operation| -> (&str, Value) {
        match operation {
            Operation::DescribeOrganization => ("AWSOrganizationsV20161128.DescribeOrganization", json!({})),
            Operation::DescribeAccount => ("AWSOrganizationsV20161128.DescribeAccount", json!({ "AccountId": MEMBER })),
            Operation::DescribeOrganizationalUnit => {
                ("AWSOrganizationsV20161128.DescribeOrganizationalUnit", json!({ "OrganizationalUnitId": UNIT }))
            }
            Operation::ListAwsServiceAccessForOrganization => {
                ("AWSOrganizationsV20161128.ListAWSServiceAccessForOrganization", json!({ "MaxResults": 20 }))
            }
            Operation::EnableAwsServiceAccess => {
                ("AWSOrganizationsV20161128.EnableAWSServiceAccess", json!({ "ServicePrincipal": "ssm.amazonaws.com" }))
            }
            Operation::DisableAwsServiceAccess => (
                "AWSOrganizationsV20161128.DisableAWSServiceAccess",
                json!({ "ServicePrincipal": "ssm.amazonaws.com" }),
            ),
            Operation::ListDelegatedAdministrators => (
                "AWSOrganizationsV20161128.ListDelegatedAdministrators",
                json!({ "ServicePrincipal": "ssm.amazonaws.com", "MaxResults": 20 }),
            ),
            Operation::RegisterDelegatedAdministrator => (
                "AWSOrganizationsV20161128.RegisterDelegatedAdministrator",
                json!({ "AccountId": MEMBER, "ServicePrincipal": "ssm.amazonaws.com" }),
            ),
            Operation::DeregisterDelegatedAdministrator => (
                "AWSOrganizationsV20161128.DeregisterDelegatedAdministrator",
                json!({ "AccountId": MEMBER, "ServicePrincipal": "ssm.amazonaws.com" }),
            ),
            Operation::ListResourceDataSync => {
                ("AmazonSSM.ListResourceDataSync", json!({ "SyncType": "SyncFromSource", "MaxResults": 50 }))
            }
            Operation::CreateResourceDataSync => ("AmazonSSM.CreateResourceDataSync", entire_organization()),
            Operation::UpdateResourceDataSync => ("AmazonSSM.UpdateResourceDataSync", entire_organization()),
            Operation::DeleteResourceDataSync => {
                ("AmazonSSM.DeleteResourceDataSync", json!({ "SyncName": "org", "SyncType": "SyncFromSource" }))
            }
            other => panic!("{other} is new: add its expected request"),
        }
    };
    let expected_form = |operation| match operation {
        Operation::GetCallerIdentity => "Action=GetCallerIdentity&Version=2011-06-15",
        Operation::GetRole => "Action=GetRole&Version=2010-05-08&RoleName=AWSServiceRoleForAmazonSSM_AccountDiscovery",
        // The request has no custom suffix, so the role always has the same name.
        Operation::CreateServiceLinkedRole => {
            "Action=CreateServiceLinkedRole&Version=2010-05-08&AWSServiceName=accountdiscovery.ssm.amazonaws.com"
        }
        Operation::DeleteServiceLinkedRole => {
            "Action=DeleteServiceLinkedRole&Version=2010-05-08&RoleName=AWSServiceRoleForAmazonSSM_AccountDiscovery"
        }
        Operation::GetServiceLinkedRoleDeletionStatus => {
            "Action=GetServiceLinkedRoleDeletionStatus&Version=2010-05-08&DeletionTaskId=\
             task%2Faws-service-role%2Faccountdiscovery.ssm.amazonaws.com%2F\
             AWSServiceRoleForAmazonSSM_AccountDiscovery%2F11111111-2222-3333-4444-555555555555"
        }
        other => panic!("{other} is new: add its expected request"),
    };
    for operation in Operation::ALL {
        let sent = sent_by(*operation).await;
        if is_in_xml(*operation) {
            assert_eq!(sent.body, expected_form(*operation));
            continue;
        }
        let (target, body) = expected(*operation);
        assert_eq!(sent.headers["x-amz-target"], target);
        assert_eq!(sent.json(), body, "{operation}");
    }
}

fn entire_organization() -> Value {
    json!({
        "SyncName": "org",
        "SyncType": "SyncFromSource",
        "SyncSource": {
            "SourceType": "AwsOrganizations",
            "AwsOrganizationsSource": { "OrganizationSourceType": "EntireOrganization" },
            "SourceRegions": ["us-east-1"],
            "IncludeFutureRegions": false,
            "EnableAllOpsDataSources": false,
        },
    })
}

#[tokio::test(start_paused = true)]
async fn create_and_update_sync_send_full_definition() {
    let name = || "org".parse().unwrap();
    let regions = || SourceRegions::new(["us-east-1", "eu-central-1"].map(|region| region.parse().unwrap())).unwrap();
    let units = ["ou-root-22222222", "ou-root-11111111"].map(|unit| unit.parse().unwrap());
    let units = OrganizationalUnits::new(units).unwrap();
    let single = || SyncDefinition::new(name(), SyncSource::SingleAccount, regions());
    let in_units = json!({
        "OrganizationSourceType": "OrganizationalUnits",
        "OrganizationalUnits": [
            { "OrganizationalUnitId": "ou-root-11111111" },
            { "OrganizationalUnitId": "ou-root-22222222" },
        ],
    });
    let cases = [
        (
            SyncDefinition::of_organization(name(), regions()).including_future_regions(),
            json!({
                "SourceType": "AwsOrganizations",
                "AwsOrganizationsSource": { "OrganizationSourceType": "EntireOrganization" },
                "SourceRegions": ["eu-central-1", "us-east-1"],
                "IncludeFutureRegions": true,
                "EnableAllOpsDataSources": false,
            }),
        ),
        (
            SyncDefinition::of_units(name(), units, regions()).enabling_all_ops_data_sources(),
            json!({
                "SourceType": "AwsOrganizations",
                "AwsOrganizationsSource": in_units,
                "SourceRegions": ["eu-central-1", "us-east-1"],
                "IncludeFutureRegions": false,
                "EnableAllOpsDataSources": true,
            }),
        ),
        (
            single(),
            json!({
                "SourceType": "SingleAccountMultiRegions",
                "SourceRegions": ["eu-central-1", "us-east-1"],
                "IncludeFutureRegions": false,
                "EnableAllOpsDataSources": false,
            }),
        ),
        (
            single().including_future_regions().enabling_all_ops_data_sources(),
            json!({
                "SourceType": "SingleAccountMultiRegions",
                "SourceRegions": ["eu-central-1", "us-east-1"],
                "IncludeFutureRegions": true,
                "EnableAllOpsDataSources": true,
            }),
        ),
    ];
    let region = "eu-central-1".parse().unwrap();
    for (definition, source) in cases {
        let wire = Wire::new()
            .on(Operation::CreateResourceDataSync, [Reply::done()])
            .on(Operation::UpdateResourceDataSync, [Reply::done()]);
        wire.client().create_resource_data_sync(&region, &definition).await.unwrap();
        wire.client().update_resource_data_sync(&region, &definition).await.unwrap();
        let whole = json!({ "SyncName": "org", "SyncType": "SyncFromSource", "SyncSource": source });
        assert_eq!(wire.sent().iter().map(Sent::json).collect::<Vec<_>>(), [whole.clone(), whole]);
    }
}

/// Sends the largest requests. Every request of these tests is checked against AWS's models.
#[tokio::test(start_paused = true)]
async fn largest_requests_match_aws_model() {
    let name: SyncName = "é".repeat(64).parse().unwrap();
    let units = (0..1_000).map(|number| format!("ou-{}-{number:032}", "r".repeat(32)).parse().unwrap());
    let regions = SourceRegions::new((1..=99).map(|number| format!("us-gov-east-{number}").parse().unwrap())).unwrap();
    let most = SyncDefinition::of_units(name.clone(), OrganizationalUnits::new(units).unwrap(), regions);
    let region = "eu-central-1".parse().unwrap();
    let wire = Operation::ALL.iter().fold(Wire::new(), |wire, operation| wire.on(*operation, [success(*operation)]));
    let client = wire.client();
    client.create_resource_data_sync(&region, &most).await.unwrap();
    client.update_resource_data_sync(&region, &most).await.unwrap();
    client.delete_resource_data_sync(&region, &name, SyncType::SyncFromSource).await.unwrap();
    let token = || Some("t".repeat(1_000).parse().unwrap());
    client.list_resource_data_sync(&region, SyncType::SyncFromSource, token()).await.unwrap();
    client.list_aws_service_access_for_organization(token()).await.unwrap();
    assert_eq!(wire.sent().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn delete_sync_sends_sync_type() {
    let (region, name) = ("eu-central-1".parse().unwrap(), "AWS-QuickSetup-1".parse().unwrap());
    for sync_type in [SyncType::SyncFromSource, SyncType::SyncToDestination] {
        let wire = Wire::new().on(Operation::DeleteResourceDataSync, [Reply::done()]);
        wire.client().delete_resource_data_sync(&region, &name, sync_type).await.unwrap();
        let [sent] = <[_; 1]>::try_from(wire.sent()).expect("one request");
        assert_eq!(sent.json(), json!({ "SyncName": "AWS-QuickSetup-1", "SyncType": sync_type.as_str() }));
    }
}

#[tokio::test(start_paused = true)]
async fn list_operations_send_page_token() {
    let next = || Some("the next page".parse().unwrap());
    let wire = Wire::new()
        .on(Operation::ListAwsServiceAccessForOrganization, [Reply::empty_page(None)])
        .on(Operation::ListDelegatedAdministrators, [Reply::empty_page(None)])
        .on(Operation::ListResourceDataSync, [Reply::empty_page(None)]);
    let client = wire.client();
    client.list_aws_service_access_for_organization(next()).await.unwrap();
    client.list_delegated_administrators(&ServicePrincipal::SYSTEMS_MANAGER, next()).await.unwrap();
    let region = "eu-central-1".parse().unwrap();
    client.list_resource_data_sync(&region, SyncType::SyncToDestination, next()).await.unwrap();

    let bodies: Vec<_> = wire.sent().iter().map(Sent::json).collect();
    assert_eq!(
        bodies,
        [
            json!({ "NextToken": "the next page", "MaxResults": 20 }),
            json!({ "ServicePrincipal": "ssm.amazonaws.com", "NextToken": "the next page", "MaxResults": 20 }),
            json!({ "SyncType": "SyncToDestination", "NextToken": "the next page", "MaxResults": 50 }),
        ]
    );
}

/// Makes each call about data syncs in this Region.
async fn everything_about_syncs(client: &AwsClient, region: &str) -> Result<(), Error> {
    let region = region.parse().unwrap();
    client.list_resource_data_sync(&region, SyncType::SyncFromSource, None).await?;
    client.create_resource_data_sync(&region, &definition()).await?;
    client.update_resource_data_sync(&region, &definition()).await?;
    client.delete_resource_data_sync(&region, definition().name(), SyncType::SyncFromSource).await
}

#[tokio::test(start_paused = true)]
async fn ssm_calls_use_endpoint_of_given_region() {
    // The Region of the client has no effect, and it may be missing.
    for configured in [Some(Region::new("us-east-1")), None] {
        for (region, host) in [
            ("eu-central-1", "ssm.eu-central-1.amazonaws.com"),
            ("us-west-2", "ssm.us-west-2.amazonaws.com"),
            ("cn-north-1", "ssm.cn-north-1.amazonaws.com.cn"),
            ("us-gov-west-1", "ssm.us-gov-west-1.amazonaws.com"),
        ] {
            let operations = Operation::ALL.iter().filter(|operation| operation.service() == "ssm");
            let wire = operations.fold(Wire::new(), |wire, operation| wire.on(*operation, [success(*operation)]));
            let client = AwsClient::new(&wire.config().region(configured.clone()).build());
            everything_about_syncs(&client, region).await.unwrap();
            assert_eq!(wire.sent().len(), 4);
            for sent in wire.sent() {
                assert_eq!(sent.host(), host);
                assert_eq!(sent.json()["SyncType"], "SyncFromSource");
                let signature = &sent.headers["authorization"];
                assert!(signature.contains(&format!("/{region}/ssm/aws4_request")), "{signature}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn organizations_calls_use_endpoint_of_partition() {
    for (region, host, signed_for) in [
        ("eu-central-1", "organizations.us-east-1.amazonaws.com", "us-east-1"),
        ("cn-north-1", "organizations.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"),
        ("us-gov-east-1", "organizations.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
    ] {
        let wire = Wire::new().on(Operation::EnableAwsServiceAccess, [Reply::done()]);
        let client = AwsClient::new(&wire.config().region(Region::new(region)).build());
        call(&client, Operation::EnableAwsServiceAccess).await.unwrap();
        let [sent] = <[_; 1]>::try_from(wire.sent()).expect("one request");
        assert_eq!(sent.host(), host);
        let signature = &sent.headers["authorization"];
        assert!(signature.contains(&format!("/{signed_for}/organizations/aws4_request")), "{signature}");
    }
}

#[tokio::test(start_paused = true)]
async fn iam_calls_use_endpoint_of_partition() {
    for (region, host, signed_for) in [
        ("eu-central-1", "iam.amazonaws.com", "us-east-1"),
        ("cn-northwest-1", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("us-gov-east-1", "iam.us-gov.amazonaws.com", "us-gov-west-1"),
    ] {
        for operation in Operation::ALL.iter().filter(|operation| operation.service() == "iam") {
            let wire = Wire::new().on(*operation, [success(*operation)]);
            let client = AwsClient::new(&wire.config().region(Region::new(region)).build());
            call(&client, *operation).await.unwrap();
            let [sent] = <[_; 1]>::try_from(wire.sent()).expect("one request");
            assert_eq!(sent.host(), host);
            let signature = &sent.headers["authorization"];
            assert!(signature.contains(&format!("/{signed_for}/iam/aws4_request")), "{signature}");
            assert_eq!(sent.headers["content-type"], "application/x-www-form-urlencoded");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn custom_endpoint_is_used_for_all_calls() {
    for operation in Operation::ALL {
        let wire = Wire::new().on(*operation, [success(*operation)]);
        let client = AwsClient::new(&wire.config().endpoint_url("https://localhost:4566").build());
        call(&client, *operation).await.unwrap();
        assert_eq!(wire.sent().pop().unwrap().host(), "localhost:4566");
    }
}

#[tokio::test(start_paused = true)]
async fn user_agent_names_crate_and_app() {
    let manifest = include_str!("../../../Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = ")).unwrap().trim_matches('"');
    let ours = format!("lib/ssm-organizations/{version}");
    for operation in Operation::ALL {
        let wire = Wire::new().on(*operation, [success(*operation)]);
        let config = wire.config().app_name(AppName::new("landing-zone").unwrap()).build();
        call(&AwsClient::new(&config), *operation).await.unwrap();

        let sent = wire.sent().pop().unwrap();
        let agent = &sent.headers["x-amz-user-agent"];
        assert_eq!(agent.matches(&ours).count(), 1, "{agent}");
        assert!(agent.contains("app/landing-zone"), "{agent}");
    }
}

#[tokio::test(start_paused = true)]
async fn given_organizations_client_is_not_modified() {
    let wire = Wire::new().on(Operation::DescribeOrganization, [Reply::organization()]);
    let given = aws_sdk_organizations::Client::new(
        &wire.config().region(Region::new("us-gov-west-1")).behavior_version(latest()).build(),
    );
    let client = AwsClient::builder(&wire.config().build()).organizations(given.clone()).build();
    call(&client, Operation::DescribeOrganization).await.unwrap();
    given.describe_organization().send().await.unwrap();

    let [ours, theirs] = <[_; 2]>::try_from(wire.sent()).expect("two requests");
    for sent in [&ours, &theirs] {
        assert_eq!(sent.host(), "organizations.us-gov-west-1.amazonaws.com");
    }
    assert!(ours.headers["x-amz-user-agent"].contains("lib/ssm-organizations/"));
    assert!(!theirs.headers["x-amz-user-agent"].contains("ssm-organizations"));
}

#[tokio::test(start_paused = true)]
async fn given_iam_client_is_used() {
    let wire = Wire::new().on(Operation::GetRole, [Reply::role(Operation::GetRole)]);
    let given = aws_sdk_iam::Client::new(
        &wire.config().region(Region::new("us-gov-west-1")).behavior_version(latest()).build(),
    );
    let client = AwsClient::builder(&Wire::new().config().build()).iam(given.clone()).build();
    call(&client, Operation::GetRole).await.unwrap();
    given.get_role().role_name("any").send().await.unwrap();

    let [ours, theirs] = <[_; 2]>::try_from(wire.sent()).expect("two requests");
    assert_eq!((ours.host(), theirs.host()), ("iam.us-gov.amazonaws.com", "iam.us-gov.amazonaws.com"));
    assert!(ours.headers["x-amz-user-agent"].contains("lib/ssm-organizations/"));
    assert!(!theirs.headers["x-amz-user-agent"].contains("ssm-organizations"));
}

fn latest() -> aws_smithy_runtime_api::client::behavior_version::BehaviorVersion {
    aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest()
}
