use std::time::Duration;

use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use ssm_organizations::aws::{AwsClient, aws_sdk_organizations};
use ssm_organizations::plan::{Clients, Target, UndoOptions};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{Operation, OrganizationsApi, SourceRegions, SyncDefinition};
use ssm_organizations::sim::{CallOutcome, Fault, SimOrganization, UnusableResponse};
use ssm_organizations::{
    Error, ErrorKind, ExplorerSetup, Integration, Region, RetryStatus, ServicePrincipal, SyncProtection, WriteStatus,
};

use crate::validated::{ALICE, MANAGEMENT, config_of, id, organization};

fn unusable() -> [UnusableResponse; 6] {
    [
        UnusableResponse::Empty(500),
        UnusableResponse::Empty(503),
        UnusableResponse::ServiceError(500),
        UnusableResponse::ServiceError(503),
        UnusableResponse::Html(502),
        UnusableResponse::Truncated,
    ]
}

/// Returns a client without the check of responses, which injected faults fail.
fn client(organization: &SimOrganization) -> AwsClient {
    client_of(organization, MANAGEMENT)
}

fn client_of(organization: &SimOrganization, account: &str) -> AwsClient {
    let client = organization.client(id(account));
    let region = config_of(&client).region().cloned();
    AwsClient::new(&client.sdk_config().into_builder().region(region).build())
}

#[tokio::test(start_paused = true)]
async fn throttled_read_is_retried_by_the_sdk() {
    let organization = organization();
    let throttled = Fault::throttled(Operation::DescribeOrganization);
    organization.inject_fault(Operation::DescribeOrganization, 1, throttled.clone());
    let client = client(&organization);
    client.describe_organization().await.unwrap();
    assert_eq!(organization.call_count(Operation::DescribeOrganization), 2);

    for nth in 1..=3 {
        organization.inject_fault(Operation::DescribeOrganization, nth, throttled.clone());
    }
    let error = client.describe_organization().await.unwrap_err();
    assert_eq!((error.kind(), error.retry_status()), (&ErrorKind::Throttled, RetryStatus::Exhausted));
    assert_eq!(organization.call_count(Operation::DescribeOrganization), 5);
}

#[tokio::test(start_paused = true)]
async fn rates_of_aws_throttle_the_sdk() {
    let organization = SimOrganization::builder().with_throttling().build();
    let config = organization.management_client().sdk_config().into_builder();
    let client = AwsClient::new(&config.retry_config(RetryConfig::disabled()).build());
    for _ in 0..2 {
        client.describe_organization().await.unwrap();
    }
    assert_eq!(*client.describe_organization().await.unwrap_err().kind(), ErrorKind::Throttled);
    tokio::time::advance(Duration::from_secs(1)).await;
    client.describe_organization().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn write_with_an_unusable_response_is_sent_once() {
    let principal = ServicePrincipal::SYSTEMS_MANAGER;
    for response in unusable() {
        for (fault, has_effect) in [(Fault::RequestFailed(response), false), (Fault::ResponseReplaced(response), true)]
        {
            let organization = organization();
            organization.inject_fault(Operation::EnableAwsServiceAccess, 1, fault.clone());
            let error = client(&organization).enable_aws_service_access(&principal).await.unwrap_err();
            assert_eq!(error.write_status(), WriteStatus::Unknown, "{fault:?}: {error:?}");
            assert_eq!(organization.is_trusted(&principal), has_effect, "{fault:?}");
            assert_eq!(organization.write_count(), 1, "{fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn broken_connection_leaves_the_effect_of_a_write_unknown() {
    let principal = ServicePrincipal::SYSTEMS_MANAGER;
    for (fault, has_effect) in [(Fault::RequestLost, false), (Fault::ResponseLost, true)] {
        let organization = organization();
        organization.inject_fault(Operation::EnableAwsServiceAccess, 1, fault);
        let error = client(&organization).enable_aws_service_access(&principal).await.unwrap_err();
        assert_eq!((error.kind(), error.write_status()), (&ErrorKind::ResponseLost, WriteStatus::Unknown));
        assert_eq!(organization.is_trusted(&principal), has_effect);
    }
}

#[tokio::test(start_paused = true)]
async fn response_after_the_timeout_is_lost() {
    let principal = ServicePrincipal::SYSTEMS_MANAGER;
    for timeouts in [
        TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(5)).build(),
        TimeoutConfig::builder().read_timeout(Duration::from_secs(5)).build(),
    ] {
        let organization = organization();
        organization.inject_fault(Operation::EnableAwsServiceAccess, 1, Fault::Delay(Duration::from_mins(1)));
        let config = organization.management_client().sdk_config();
        let client = AwsClient::builder(&config).timeout_config(timeouts).build();
        let begun = tokio::time::Instant::now();
        let error = client.enable_aws_service_access(&principal).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::ResponseLost);
        assert_eq!(begun.elapsed(), Duration::from_secs(5));
        assert!(organization.is_trusted(&principal));
    }
}

#[tokio::test(start_paused = true)]
async fn raw_client_receives_the_reason_of_an_injected_refusal() {
    let organization = organization();
    let fault = Fault::refused_with_reason("ConstraintViolationException", "SERVICE_ACCESS_NOT_ENABLED");
    organization.inject_fault(Operation::EnableAwsServiceAccess, 1, fault);
    let raw = aws_sdk_organizations::Client::new(&config_of(&organization.management_client()));
    let refused = raw.enable_aws_service_access().service_principal("ssm.amazonaws.com").send().await.unwrap_err();
    let refused = format!("{:?}", refused.into_service_error());
    assert!(refused.contains("ServiceAccessNotEnabled"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn fault_of_a_further_operation_is_applied_and_logged() {
    let effects = [
        (Fault::refused_with_reason("ConstraintViolationException", "ACCOUNT_NUMBER_LIMIT_EXCEEDED"), 0),
        (Fault::RequestLost, 0),
        (Fault::RequestFailed(UnusableResponse::Html(502)), 0),
        (Fault::ResponseLost, 1),
        (Fault::ResponseReplaced(UnusableResponse::Truncated), 1),
        (Fault::Delay(Duration::from_secs(3)), 1),
    ];
    for (fault, created) in effects {
        let organization = organization();
        organization.inject_further_fault("CreateOrganizationalUnit", 1, fault.clone());
        let config = organization.management_client().sdk_config().into_builder();
        let raw = aws_sdk_organizations::Client::new(&config.retry_config(RetryConfig::disabled()).build());
        let root = raw.list_roots().send().await.unwrap().roots()[0].id().unwrap().to_owned();
        let done = raw.create_organizational_unit().parent_id(&root).name("unit").send().await;
        assert_eq!(done.is_ok(), matches!(fault, Fault::Delay(_)), "{fault:?}");
        let units = raw.list_organizational_units_for_parent().parent_id(&root).send().await.unwrap();
        assert_eq!(units.organizational_units().len(), created, "{fault:?}");

        let calls = organization.further_calls();
        let [roots, write, units] = calls.as_slice() else { panic!("{calls:?}") };
        assert_eq!((roots.action, roots.is_write), ("organizations:ListRoots", false));
        assert_eq!((write.action, write.is_write), ("organizations:CreateOrganizationalUnit", true));
        assert_eq!((&units.outcome, units.caller), (&CallOutcome::Success, id(MANAGEMENT)));
        let expected = match &fault {
            Fault::Refused { .. } => {
                CallOutcome::Refused("ConstraintViolationException (ACCOUNT_NUMBER_LIMIT_EXCEEDED)".to_owned())
            }
            Fault::Delay(_) => CallOutcome::Success,
            _ => CallOutcome::ResponseLost,
        };
        assert_eq!(write.outcome, expected, "{fault:?}");
        organization.clear_calls();
        assert!(organization.further_calls().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn dropped_further_write_is_logged_and_releases_its_lock() {
    let organization = SimOrganization::builder().latency(Duration::from_secs(2)).build();
    let raw = aws_sdk_organizations::Client::new(&organization.management_client().sdk_config());
    let create = |name: &str| raw.create_organizational_unit().parent_id("r-exam").name(name).send();
    tokio::time::timeout(Duration::from_secs(1), create("one")).await.unwrap_err();
    assert_eq!(organization.further_calls()[0].outcome, CallOutcome::ResponseLost);
    create("two").await.unwrap();
}

/// Returns one fault of each kind.
fn faults() -> Vec<Fault> {
    let mut faults = vec![
        Fault::refused("AccessDeniedException"),
        Fault::refused("TooManyRequestsException"),
        Fault::refused("ConcurrentModificationException"),
        Fault::refused("ServiceException"),
        Fault::RequestLost,
        Fault::ResponseLost,
        Fault::Delay(Duration::from_secs(3)),
    ];
    faults.extend(unusable().map(Fault::RequestFailed));
    faults.extend(unusable().map(Fault::ResponseReplaced));
    faults
}

/// Returns organizations with one fault at one call of a job, and a text that names the fault. Each
/// call has a third of the faults, which keeps a test short.
fn organizations_with_fault(calls: usize) -> impl Iterator<Item = (SimOrganization, String)> {
    (1..=calls).flat_map(|at| {
        faults().into_iter().skip(at % 3).step_by(3).map(move |fault| {
            let organization = organization();
            let after = format!("{fault:?} at call {at}");
            organization.inject_fault_at_call(at, fault);
            (organization, after)
        })
    })
}

/// Asserts that AWS executed each write at most once.
#[track_caller]
fn assert_no_repeated_write(organization: &SimOrganization, after: &str) {
    let mut writes: Vec<_> = organization.calls();
    writes.retain(|call| call.is_write() && call.outcome == CallOutcome::Success);
    let executed = writes.len();
    writes.sort_by_key(|call| (call.operation, call.caller, call.region.clone()));
    writes.dedup();
    assert_eq!(writes.len(), executed, "{after}: a write was repeated");
}

/// Delegates Systems Manager to a member account, and disables the integration again.
async fn there_and_back(client: &AwsClient) -> Result<(), Error> {
    Integration::new(client.clone()).observe().await?.ensure_delegated(id(ALICE)).await?;
    Integration::new(client.clone()).observe().await?.ensure_disabled(SyncProtection::AllowLoss).await?;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn one_fault_at_every_call_is_survived_by_another_run() {
    let organization = organization();
    there_and_back(&client(&organization)).await.unwrap();
    let calls = organization.calls().len();
    for at in 1..=calls {
        for fault in &faults() {
            let organization = crate::validated::organization();
            let untouched = organization.state().without_dates();
            organization.inject_fault_at_call(at, fault.clone());
            let client = client(&organization);
            let _ = there_and_back(&client).await;
            assert_no_repeated_write(&organization, &format!("{fault:?} at call {at}"));
            organization.clear_faults();
            there_and_back(&client).await.unwrap_or_else(|error| panic!("{fault:?} at call {at}: {error:#}"));
            assert_eq!(organization.state().without_dates(), untouched, "{fault:?} at call {at}");
        }
    }
}

/// Sets up Explorer by a plan, and undoes the plan from its receipt. A failed run is undone too.
async fn plan_and_undo(organization: &SimOrganization) -> Result<(), Error> {
    let management = client(organization);
    let member = client_of(organization, ALICE);
    let clients = Clients::new(&management).with_account_client(&member);
    let target = explorer_target();
    let applied = target.plan(&clients).await?.apply(&clients, |_| {}).await;
    let receipt = match &applied {
        Ok(applied) => &applied.receipt,
        Err(stopped) => stopped.receipt(),
    };
    let options = UndoOptions::new().search_regions([HOME.parse()?]);
    receipt.undo(&clients, &options).await?.apply(&clients, |_| {}).await?;
    Ok(applied.map(drop)?)
}

const HOME: &str = "us-east-1";

/// Returns the target with an administrator, the role and a data sync.
fn explorer_target() -> Target {
    let home: Region = HOME.parse().unwrap();
    let regions = SourceRegions::new([home.clone()]).unwrap();
    let sync = SyncDefinition::of_organization("all".parse().unwrap(), regions);
    let target = Target::new().with_trusted_access(true).with_administrator(id(ALICE)).with_role();
    target.with_sync(Caller::Management, sync, [home])
}

#[tokio::test(start_paused = true)]
async fn one_fault_at_every_call_of_a_plan_is_survived_by_another_run() {
    let organization = organization();
    let untouched = organization.state().without_dates();
    plan_and_undo(&organization).await.unwrap();
    assert_eq!(organization.state().without_dates(), untouched);
    for (organization, after) in organizations_with_fault(organization.calls().len()) {
        let _ = plan_and_undo(&organization).await;
        assert_no_repeated_write(&organization, &after);
        organization.clear_faults();

        // Another run reaches the target from each state that the first run left.
        let management = client(&organization);
        let member = client_of(&organization, ALICE);
        let clients = Clients::new(&management).with_account_client(&member);
        let plan = explorer_target().plan(&clients).await.unwrap_or_else(|error| panic!("{after}: {error:#}"));
        plan.apply(&clients, |_| {}).await.unwrap_or_else(|error| panic!("{after}: {error:#}"));
        assert_eq!(organization.administrators(), [id(ALICE)], "{after}");
        assert_eq!(organization.data_syncs(id(MANAGEMENT), &HOME.parse().unwrap()).len(), 1, "{after}");
    }
}

/// Sets up Explorer with the typed handles, with the role and a data sync of the administrator, and
/// removes it.
async fn explorer_there_and_back(organization: &SimOrganization) -> Result<(), Error> {
    let (management, member) = (client(organization), client_of(organization, ALICE));
    let home: [Region; 1] = [HOME.parse()?];
    let sync = SyncDefinition::of_organization("all".parse()?, SourceRegions::new(home.clone())?);
    let explorer = ExplorerSetup::new().with_role(&management).with_sync(&member, &sync, &home);
    let mut delegated = Integration::new(management.clone()).ensure_delegated(id(ALICE)).await?;
    delegated.ensure_explorer(&explorer).await?;
    assert_eq!(organization.data_syncs(id(ALICE), &home[0]).len(), 1);

    let mut syncs = delegated.data_syncs(&member).await?;
    syncs.delete(sync.name(), &home).await?.into_result()?;
    let protect = SyncProtection::Protect { clients: &[&management, &member], regions: &home };
    let mut disabled = Integration::new(management.clone()).observe().await?.ensure_disabled(protect).await?;
    disabled.account_discovery_role(&management).delete(protect).await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn one_fault_at_every_call_of_explorer_is_survived_by_another_run() {
    let organization = organization();
    let untouched = organization.state().without_dates();
    explorer_there_and_back(&organization).await.unwrap();
    assert_eq!(organization.state().without_dates(), untouched);
    for (organization, after) in organizations_with_fault(organization.calls().len()) {
        let _ = explorer_there_and_back(&organization).await;
        assert_no_repeated_write(&organization, &after);
        organization.clear_faults();
        let again = explorer_there_and_back(&organization).await;
        again.unwrap_or_else(|error| panic!("{after}: {error:#}"));
        assert_eq!(organization.state().without_dates(), untouched, "{after}");
    }
}
