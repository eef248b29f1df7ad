//! The service on simulated organizations.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on panics")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use downstream::{Planner, Report, Tenant, onboard, onboard_all, progress, remove, replace, status};
use mockall::mock;
use ssm_organizations::plan::{Clients, Target};
use ssm_organizations::ports::{
    Client, IamApi, Operation, Organization, OrganizationsApi, SourceRegions, StsApi, SyncDefinition, SystemsManagerApi,
};
use ssm_organizations::sim::{Fault, SimOrganization, SimOrganizationBuilder};
use ssm_organizations::{AccountId, ChangeRecorder, Error, ErrorKind, Region, SyncName};
use tokio::sync::mpsc::unbounded_channel;

fn account(digit: char) -> AccountId {
    digit.to_string().repeat(12).parse().unwrap()
}

fn organization() -> SimOrganizationBuilder {
    SimOrganization::builder().member(account('2')).member(account('3'))
}

fn syncs(organization: &SimOrganization, tenant: &Tenant, owner: char) -> usize {
    tenant.sync.1.iter().map(|region| organization.data_syncs(account(owner), region).len()).sum()
}

fn tenant(organization: &SimOrganization) -> Tenant {
    let regions = ["eu-central-1", "eu-west-1", "us-east-1"].map(|name| Region::new(name).unwrap());
    let name = SyncName::new("all-accounts").unwrap();
    Tenant {
        management: Arc::new(organization.management_client()),
        administrator: (account('2'), Arc::new(organization.client(account('2')))),
        sync: (SyncDefinition::of_organization(name, SourceRegions::new(regions.clone()).unwrap()), regions.to_vec()),
    }
}

async fn report(tenant: &Tenant) -> Report {
    let recorder = ChangeRecorder::new();
    Report::new(onboard(tenant, &recorder).await, &recorder)
}

#[tokio::test(start_paused = true)]
async fn onboard_with_lost_response_writes_once_and_reports() {
    let organization = organization().read_delay(Duration::from_secs(2)).build();
    organization.inject_fault(Operation::RegisterDelegatedAdministrator, 1, Fault::ResponseLost);
    let (tenant, (sender, mut lines)) = (tenant(&organization), unbounded_channel());
    let recorder = progress(move |line| sender.send(line).unwrap());
    let first = serde_json::to_value(Report::new(onboard(&tenant, &recorder).await, &recorder)).unwrap();
    assert_eq!((&first["state"], first["changes"].as_array().unwrap().len()), (&"Delegated".into(), 6));
    assert!(lines.recv().await.unwrap().starts_with("sending: trusted access"));
    assert_eq!(lines.recv().await.unwrap(), "waiting for 1 changes");
    assert_eq!(report(&tenant).await.changes, []);
    assert_eq!(organization.call_count(Operation::RegisterDelegatedAdministrator), 1);
    assert_eq!(syncs(&organization, &tenant, '2'), 3);
    assert!(status(&*tenant.management).await.unwrap().contains("account 222222222222"));
}

#[tokio::test(start_paused = true)]
async fn onboard_retries_temporary_failures_only() {
    // The first attempt ends at its deadline.
    let slow = organization().build();
    slow.inject_fault(Operation::DescribeOrganization, 1, Fault::Delay(Duration::from_mins(6)));
    assert!(report(&tenant(&slow)).await.error.is_none());

    let denied = organization().build();
    denied.inject_fault(Operation::RegisterDelegatedAdministrator, 1, Fault::refused("AccessDeniedException"));
    let report = report(&tenant(&denied)).await;
    let error = serde_json::to_value(report.error.unwrap()).unwrap();
    assert_eq!((&error["kind"], report.changes.len()), (&"access_denied".into(), 1));
    assert!(error["remedies"].to_string().contains("organizations:RegisterDelegatedAdministrator"), "{error}");
    assert_eq!(denied.call_count(Operation::RegisterDelegatedAdministrator), 1);
}

#[tokio::test(start_paused = true)]
async fn onboard_all_continues_after_a_failure() {
    let organizations: Vec<_> = (0..20).map(|_| organization().build()).collect();
    organizations[7].register_administrator(account('3'));
    let reports = onboard_all(organizations.iter().map(tenant).collect()).await;
    let failed: Vec<_> = (0..20).filter(|index| reports[*index].as_ref().unwrap().error.is_some()).collect();
    assert_eq!(failed, [7]);
}

#[tokio::test(start_paused = true)]
async fn remove_protects_syncs_also_after_replacement() {
    let organization = organization().build();
    let (mut tenant, recorder) = (tenant(&organization), ChangeRecorder::new());
    onboard(&tenant, &recorder).await.unwrap();
    let successor: (AccountId, downstream::SharedClient) = (account('3'), Arc::new(organization.client(account('3'))));
    replace(&tenant, successor.clone(), &recorder).await.unwrap();
    tenant.administrator = successor;
    assert_eq!(['2', '3'].map(|owner| syncs(&organization, &tenant, owner)), [0, 3]);
    let error = remove(&tenant, &recorder).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::DataSyncsExist { syncs, .. } if syncs.len() == 3), "{error}");
    for region in &tenant.sync.1 {
        organization.remove_data_sync(account('3'), region, tenant.sync.0.name());
    }
    remove(&tenant, &recorder).await.unwrap();
    assert!(organization.administrators().is_empty());
}

#[tokio::test(start_paused = true)]
async fn planner_applies_the_approved_plan_only() {
    let organization = organization().build();
    let planner = Planner::start(Clients::new(organization.management_client()));
    let target = |digit| Target::new().with_trusted_access(true).with_administrator(account(digit));
    let (approved, other) = (planner.plan(target('2')).await.unwrap(), planner.plan(target('3')).await.unwrap());
    assert!(approved.text.contains("register account 222222222222"), "{}", approved.text);
    planner.apply(other.saved, approved.digest.clone()).await.unwrap_err();
    assert_eq!(organization.write_count(), 0);
    let receipt = planner.clone().apply(approved.saved, approved.digest).await.unwrap();
    assert_eq!((receipt.changes().len(), organization.administrators()), (2, vec![account('2')]));
}

// A method that the mock omits returns `ErrorKind::Unsupported`.
mock! {
    Aws {}

    #[async_trait]
    impl OrganizationsApi for Aws {
        async fn describe_organization(&self) -> Result<Organization, Error>;
    }

    impl StsApi for Aws {}
    impl SystemsManagerApi for Aws {}
    impl IamApi for Aws {}
}

const NOT_IN_USE: &str = "AWSOrganizationsNotInUseException";

/// The test that follows with a mock, with the simulation, and with the AWS SDK in process.
async fn is_not_in_an_organization(client: &dyn Client) {
    assert_eq!(*status(client).await.unwrap_err().kind(), ErrorKind::NotInOrganization);
}

#[tokio::test(start_paused = true)]
async fn status_outside_an_organization_fails_with_mock() {
    let mut mock = MockAws::new();
    let refusal = || Err(Error::from_service_error(Operation::DescribeOrganization, NOT_IN_USE, "no organization"));
    mock.expect_describe_organization().returning(refusal);
    is_not_in_an_organization(&mock).await;
}

#[tokio::test(start_paused = true)]
async fn status_outside_an_organization_fails_in_simulation() {
    let organization = organization().build();
    organization.inject_fault(Operation::DescribeOrganization, 1, Fault::refused(NOT_IN_USE));
    is_not_in_an_organization(&organization.management_client()).await;
}

#[cfg(feature = "aws")]
#[tokio::test(start_paused = true)]
async fn status_outside_an_organization_fails_with_sdk() {
    let organization = organization().build();
    organization.inject_fault(Operation::DescribeOrganization, 1, Fault::refused(NOT_IN_USE));
    let client = ssm_organizations::aws::AwsClient::new(&organization.management_client().sdk_config());
    is_not_in_an_organization(&client).await;
}
