//! What is sent, and where to.

use aws_types::app_name::AppName;
use aws_types::region::Region;
use serde_json::{Value, json};
use ssm_organizations::ServicePrincipal;
use ssm_organizations::aws::{AwsClient, aws_sdk_organizations};
use ssm_organizations::ports::{Operation, OrganizationsApi, SyncType, SystemsManagerApi};

use crate::canned::{MEMBER, Reply, Sent, Wire, call, success};

async fn sent_by(operation: Operation) -> Sent {
    let wire = Wire::new().on(operation, [success(operation)]);
    call(&wire.client(), operation).await.unwrap();
    let [sent] = <[_; 1]>::try_from(wire.sent()).expect("one request");
    sent
}

#[tokio::test(start_paused = true)]
async fn each_operation_sends_what_aws_expects() {
    let expected = |operation| -> (&str, Value) {
        match operation {
            Operation::DescribeOrganization => ("AWSOrganizationsV20161128.DescribeOrganization", json!({})),
            Operation::DescribeAccount => ("AWSOrganizationsV20161128.DescribeAccount", json!({ "AccountId": MEMBER })),
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
            other => panic!("{other} is new: say here what it sends"),
        }
    };
    for operation in Operation::ALL {
        let sent = sent_by(*operation).await;
        if *operation == Operation::GetCallerIdentity {
            assert_eq!(sent.body, "Action=GetCallerIdentity&Version=2011-06-15");
            continue;
        }
        let (target, body) = expected(*operation);
        assert_eq!(sent.headers["x-amz-target"], target);
        assert_eq!(sent.json(), body, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn page_tokens_are_passed_on() {
    let next = || Some("the next page".parse().unwrap());
    let wire = Wire::new()
        .on(Operation::ListAwsServiceAccessForOrganization, [Reply::done()])
        .on(Operation::ListDelegatedAdministrators, [Reply::done()])
        .on(Operation::ListResourceDataSync, [Reply::done()]);
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

#[tokio::test(start_paused = true)]
async fn data_syncs_are_listed_in_the_region_that_is_named() {
    let wire = Wire::new().on(Operation::ListResourceDataSync, [Reply::done()]);
    // Its own Region does not matter, not even that it has none.
    for configured in [Some(Region::new("us-east-1")), None] {
        let client = AwsClient::new(&wire.config().region(configured).build());
        for (region, host) in [
            ("eu-central-1", "ssm.eu-central-1.amazonaws.com"),
            ("us-west-2", "ssm.us-west-2.amazonaws.com"),
            ("cn-north-1", "ssm.cn-north-1.amazonaws.com.cn"),
            ("us-gov-west-1", "ssm.us-gov-west-1.amazonaws.com"),
        ] {
            let page = client.list_resource_data_sync(&region.parse().unwrap(), SyncType::SyncFromSource, None).await;
            page.unwrap();
            let sent = wire.sent().pop().unwrap();
            assert_eq!(sent.host(), host);
            assert_eq!(sent.json()["SyncType"], "SyncFromSource");
            let signature = &sent.headers["authorization"];
            assert!(signature.contains(&format!("/{region}/ssm/aws4_request")), "{signature}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn organizations_is_asked_at_the_endpoint_of_the_partition() {
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
async fn an_endpoint_of_ones_own_is_kept() {
    let wire = Wire::new()
        .on(Operation::DescribeOrganization, [Reply::organization()])
        .on(Operation::GetCallerIdentity, [Reply::identity()])
        .on(Operation::ListResourceDataSync, [Reply::done()]);
    let client = AwsClient::new(&wire.config().endpoint_url("https://localhost:4566").build());
    for operation in [Operation::DescribeOrganization, Operation::GetCallerIdentity, Operation::ListResourceDataSync] {
        call(&client, operation).await.unwrap();
        assert_eq!(wire.sent().pop().unwrap().host(), "localhost:4566");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_name_this_crate_beside_the_program_that_uses_it() {
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
async fn a_client_that_is_given_stays_as_it_is() {
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

fn latest() -> aws_smithy_runtime_api::client::behavior_version::BehaviorVersion {
    aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest()
}
