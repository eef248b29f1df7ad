//! Tests of fault injection in the simulation: the faults, the calls that they hit, and the effect
//! of those calls.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{
    SSM, account, alice, bob, delegated, management, organization, organization_sync, region, trusting,
};
use ssm_organizations::domain::RoleName;
use ssm_organizations::ports::{
    IamApi, Operation, OrganizationsApi, SourceRegions, StsApi, SyncDefinition, SyncType, SystemsManagerApi,
};
use ssm_organizations::sim::{self, Call, CallOutcome, Fault, FaultRates, ReadDelay, UndocumentedBehavior};
use ssm_organizations::{AccountId, Error, ErrorKind, RetryStatus, ServicePrincipal, SyncName, WriteStatus};
use tokio::time::{Instant, advance, sleep, timeout};

const ENABLE: Operation = Operation::EnableAwsServiceAccess;
const LIST: Operation = Operation::ListAwsServiceAccessForOrganization;
const DISCOVERY: ServicePrincipal = ServicePrincipal::ACCOUNT_DISCOVERY;
const SECOND: Duration = Duration::from_secs(1);

fn outside() -> AccountId {
    account("999999999999")
}

fn principal(number: usize) -> ServicePrincipal {
    format!("service-{number}.amazonaws.com").parse().unwrap()
}

async fn is_listed(client: &sim::SimClient) -> bool {
    let page = client.list_aws_service_access_for_organization(None).await.unwrap();
    page.items.iter().any(|service| service.principal == SSM)
}

fn lost(operation: Operation, error: &Error) {
    let applied = if operation.is_write() { WriteStatus::Unknown } else { WriteStatus::NotApplied };
    assert_eq!(
        (error.kind(), error.retry_status(), error.write_status()),
        (&ErrorKind::ResponseLost, RetryStatus::Temporary, applied)
    );
    assert_eq!((error.operation(), error.code()), (Some(operation), None));
}

// Injected faults

#[tokio::test]
async fn inject_fault_hits_the_nth_call_of_the_operation() {
    let organization = trusting().build();
    let client = organization.management_client();
    assert!(is_listed(&client).await);
    organization.inject_fault(LIST, 2, Fault::refused_with_reason("ConstraintViolationException", "SOMETHING"));
    assert!(is_listed(&client).await);
    client.describe_organization().await.unwrap();
    let error = client.list_aws_service_access_for_organization(None).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Some("ConstraintViolationException"), Some("SOMETHING")));
    assert!(is_listed(&client).await, "the fault or closure applies once");
}

#[tokio::test]
async fn inject_fault_at_call_hits_the_nth_call_of_all() {
    let organization = trusting().build();
    let client = organization.management_client();
    client.describe_organization().await.unwrap();
    organization.inject_fault_at_call(3, Fault::RequestLost);
    assert!(is_listed(&client).await);
    organization.client(alice()).get_caller_identity().await.unwrap();
    let error = organization.client(bob()).describe_organization().await.unwrap_err();
    lost(Operation::DescribeOrganization, &error);
    client.describe_organization().await.unwrap();
}

#[tokio::test]
async fn inject_several_faults_hits_each_call_once() {
    let organization = organization().build();
    let client = organization.management_client();
    for (nth, code) in [(1, "A"), (3, "C"), (2, "B")] {
        organization.inject_fault(LIST, nth, Fault::refused(code));
    }
    for code in ["A", "B", "C"] {
        let error = client.list_aws_service_access_for_organization(None).await.unwrap_err();
        assert_eq!(error.code(), Some(code));
    }
    assert!(!is_listed(&client).await);
}

#[tokio::test]
async fn call_refused_or_request_lost_has_no_effect() {
    for fault in [Fault::refused("ServiceException"), Fault::refused("AccessDeniedException"), Fault::RequestLost] {
        let organization = organization().build();
        let client = organization.management_client();
        organization.inject_fault(ENABLE, 1, fault.clone());
        let error = client.enable_aws_service_access(&SSM).await.unwrap_err();
        if fault == Fault::RequestLost {
            lost(ENABLE, &error);
        } else {
            assert!(error.code().is_some());
        }
        assert!(!organization.is_trusted(&SSM), "{fault:?}");
        // The failed write does not block later writes.
        client.enable_aws_service_access(&SSM).await.unwrap();
    }
}

#[tokio::test]
async fn call_with_lost_response_keeps_its_effect() {
    let organization = organization().build();
    let client = organization.management_client();
    organization.inject_fault(ENABLE, 1, Fault::ResponseLost);
    lost(ENABLE, &client.enable_aws_service_access(&SSM).await.unwrap_err());
    assert!(organization.is_trusted(&SSM));
    client.disable_aws_service_access(&SSM).await.unwrap();

    // The response of a refusal can be lost as well.
    organization.inject_fault(ENABLE, 1, Fault::ResponseLost);
    lost(ENABLE, &organization.client(alice()).enable_aws_service_access(&SSM).await.unwrap_err());
    organization.inject_fault(ENABLE, 1, Fault::ResponseLost);
    let client = client.without_permission(ENABLE.iam_action());
    lost(ENABLE, &client.enable_aws_service_access(&SSM).await.unwrap_err());
    assert!(!organization.is_trusted(&SSM));
}

#[tokio::test(start_paused = true)]
async fn call_with_delayed_response_takes_effect_before_it() {
    let organization = organization().latency(SECOND).build();
    let client = organization.management_client();
    organization.inject_fault(ENABLE, 1, Fault::Delay(60 * SECOND));
    let begun = Instant::now();
    {
        let mut enabling = Box::pin(client.enable_aws_service_access(&SSM));
        assert!(timeout(Duration::from_millis(1_500), &mut enabling).await.is_err());
        assert!(organization.is_trusted(&SSM), "the write takes effect after the latency");
        enabling.await.unwrap();
    }
    assert_eq!(begun.elapsed(), 61 * SECOND);

    // A dropped call has its effect. A delayed read shows the state before the delay.
    organization.inject_fault(Operation::DisableAwsServiceAccess, 1, Fault::Delay(60 * SECOND));
    assert!(timeout(5 * SECOND, client.disable_aws_service_access(&SSM)).await.is_err());
    assert!(!organization.is_trusted(&SSM));
    organization.inject_fault(LIST, 1, Fault::Delay(60 * SECOND));
    let (listed, ()) = tokio::join!(is_listed(&client), async {
        sleep(10 * SECOND).await;
        organization.enable_trusted_access(&SSM);
    });
    assert!(!listed);
}

#[tokio::test(start_paused = true)]
async fn call_with_latency_waits_also_when_refused() {
    let organization = organization().latency(SECOND).build();
    for (caller, fault) in [
        (management(), None),
        (alice(), None),
        (management(), Some(Fault::RequestLost)),
        (management(), Some(Fault::refused("ServiceException"))),
    ] {
        if let Some(fault) = fault {
            organization.inject_fault(ENABLE, 1, fault);
        }
        let begun = Instant::now();
        let _ = organization.client(caller).enable_aws_service_access(&SSM).await;
        assert_eq!(begun.elapsed(), SECOND);
    }
}

#[tokio::test]
async fn throttled_fault_of_each_service_uses_its_code() {
    for operation in Operation::ALL {
        let code = match operation.service() {
            "organizations" => "TooManyRequestsException",
            "ssm" => "ThrottlingException",
            _ => "Throttling",
        };
        assert_eq!(Fault::throttled(*operation), Fault::refused(code));
        assert_eq!(Error::from_service_error(*operation, code, "").kind(), &ErrorKind::Throttled);
    }
}

#[tokio::test]
async fn refused_fault_of_each_code_has_the_aws_message() {
    let organization = organization().build();
    let client = organization.management_client();
    for (code, said) in [
        ("TooManyRequestsException", "too many requests in too short a period"),
        ("ThrottlingException", "Rate exceeded"),
        ("Throttling", "Rate exceeded"),
        ("ConcurrentModificationException", "currently being modified by a different request"),
        ("ResourceDataSyncConflictException", "Another UpdateResourceDataSync request is being processed"),
        ("SomethingNewException", "This call was told to fail."),
    ] {
        organization.inject_fault(LIST, 1, Fault::refused(code));
        let error = call(&client, LIST).await.unwrap_err();
        assert!(error.message().is_some_and(|message| message.contains(said)), "{code}: {error}");
    }
}

#[test]
fn debug_of_organization_lists_injected_faults() {
    let organization = organization().build();
    organization.inject_fault(LIST, 3, Fault::RequestLost);
    organization.run_before(ENABLE, 1, |_| {});
    let printed = format!("{organization:?}");
    assert!(
        printed.contains("scripted: [((Some(\"ListAWSServiceAccessForOrganization\"), 3), RequestLost)]"),
        "{printed}"
    );
    assert!(printed.contains("interleavings: [(Some(\"EnableAWSServiceAccess\"), 1)]"), "{printed}");
}

#[tokio::test]
async fn inject_fault_on_throttled_call_takes_precedence() {
    // The third call exceeds the rate and has an injected fault.
    let organization = organization().with_throttling().build();
    let client = organization.management_client();
    organization.inject_fault(ENABLE, 3, Fault::RequestLost);
    for _ in 0..2 {
        client.enable_aws_service_access(&SSM).await.unwrap();
    }
    lost(ENABLE, &client.enable_aws_service_access(&SSM).await.unwrap_err());
    assert_eq!(client.enable_aws_service_access(&SSM).await.unwrap_err().kind(), &ErrorKind::Throttled);
}

// Throttling

/// [Quotas of AWS
/// Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html):
/// the operation, rate and burst of an account, and those of the organization.
type Allowance = (Operation, u32, usize, Option<(u32, usize)>);

const ALLOWANCES: [Allowance; 8] = [
    (Operation::EnableAwsServiceAccess, 1, 2, None),
    (Operation::DisableAwsServiceAccess, 1, 2, None),
    (Operation::RegisterDelegatedAdministrator, 1, 2, None),
    (Operation::DeregisterDelegatedAdministrator, 1, 2, None),
    (Operation::ListAwsServiceAccessForOrganization, 1, 3, Some((1, 4))),
    (Operation::ListDelegatedAdministrators, 5, 8, Some((6, 10))),
    (Operation::DescribeOrganization, 1, 2, None),
    (Operation::DescribeAccount, 20, 30, Some((24, 36))),
];

async fn call(client: &sim::SimClient, operation: Operation) -> Result<(), Error> {
    let sync = || SyncDefinition::of_organization(name("it"), SourceRegions::new([region("eu-central-1")]).unwrap());
    let home = region("eu-central-1");
    match operation {
        Operation::DescribeOrganization => client.describe_organization().await.map(drop),
        Operation::DescribeAccount => client.describe_account(bob()).await.map(drop),
        Operation::DescribeOrganizationalUnit => {
            client.describe_organizational_unit(&"ou-exam-00000001".parse().unwrap()).await.map(drop)
        }
        Operation::ListAwsServiceAccessForOrganization => {
            client.list_aws_service_access_for_organization(None).await.map(drop)
        }
        Operation::EnableAwsServiceAccess => client.enable_aws_service_access(&SSM).await,
        Operation::DisableAwsServiceAccess => client.disable_aws_service_access(&SSM).await,
        Operation::ListDelegatedAdministrators => client.list_delegated_administrators(&SSM, None).await.map(drop),
        Operation::RegisterDelegatedAdministrator => client.register_delegated_administrator(bob(), &SSM).await,
        Operation::DeregisterDelegatedAdministrator => client.deregister_delegated_administrator(bob(), &SSM).await,
        Operation::GetCallerIdentity => client.get_caller_identity().await.map(drop),
        Operation::ListResourceDataSync => {
            client.list_resource_data_sync(&home, SyncType::SyncFromSource, None).await.map(drop)
        }
        Operation::CreateResourceDataSync => client.create_resource_data_sync(&home, &sync()).await,
        Operation::UpdateResourceDataSync => client.update_resource_data_sync(&home, &sync()).await,
        Operation::DeleteResourceDataSync => {
            client.delete_resource_data_sync(&home, &name("it"), SyncType::SyncFromSource).await
        }
        Operation::GetRole => client.get_role(&RoleName::ACCOUNT_DISCOVERY).await.map(drop),
        Operation::CreateServiceLinkedRole => client.create_service_linked_role(&DISCOVERY).await.map(drop),
        Operation::DeleteServiceLinkedRole => {
            client.delete_service_linked_role(&RoleName::ACCOUNT_DISCOVERY).await.map(drop)
        }
        _ => client.get_service_linked_role_deletion_status(&"task".parse().unwrap()).await.map(drop),
    }
}

fn name(text: &str) -> SyncName {
    text.parse().unwrap()
}

async fn is_throttled(client: &sim::SimClient, operation: Operation) -> bool {
    call(client, operation).await.is_err_and(|error| {
        let throttled = *error.kind() == ErrorKind::Throttled;
        if throttled {
            assert_eq!(
                (error.code(), error.write_status()),
                (Some("TooManyRequestsException"), WriteStatus::NotApplied)
            );
            assert!(error.is_retryable());
        }
        throttled
    })
}

/// Returns the number of calls before one is throttled.
async fn admitted(client: &sim::SimClient, operation: Operation) -> usize {
    for admitted in 0..100 {
        if is_throttled(client, operation).await {
            return admitted;
        }
    }
    100
}

#[tokio::test(start_paused = true)]
async fn throttling_per_account_follows_the_documented_rates() {
    let limited = ALLOWANCES.map(|(operation, ..)| operation);
    for (operation, rate, burst, _) in ALLOWANCES {
        let organization = delegated().with_throttling().build();
        let client = organization.management_client();
        assert_eq!(admitted(&client, operation).await, burst, "{operation}");
        assert_eq!(admitted(&client, operation).await, 0, "a throttled call frees no token");
        // Each operation has its own rate.
        for other in limited.iter().filter(|other| **other != operation) {
            assert!(!is_throttled(&client, *other).await, "{other} after {operation}");
        }
        // The next token is available after its interval.
        let token = SECOND / rate;
        advance(token.saturating_sub(Duration::from_millis(2))).await;
        assert_eq!(admitted(&client, operation).await, 0, "{operation}");
        advance(Duration::from_millis(3)).await;
        assert_eq!(admitted(&client, operation).await, 1, "{operation}");
        advance(60 * SECOND).await;
        assert_eq!(admitted(&client, operation).await, burst, "{operation}: at most the burst is saved up");
    }
    // Other operations, and organizations without throttling, have no limit.
    let organization = delegated().with_throttling().build();
    for operation in Operation::ALL.iter().filter(|operation| !limited.contains(operation)) {
        assert_eq!(admitted(&organization.management_client(), *operation).await, 100, "{operation}");
    }
    assert_eq!(admitted(&delegated().build().management_client(), LIST).await, 100);
}

#[tokio::test(start_paused = true)]
async fn throttling_of_two_accounts_shares_the_organization_rate() {
    for (operation, rate, burst, shared) in ALLOWANCES {
        let organization = delegated().with_throttling().build();
        let (ours, theirs) = (organization.management_client(), organization.client(alice()));
        assert_eq!(admitted(&ours, operation).await, burst);
        let left = shared.map_or(burst, |(_, shared)| shared - burst);
        assert_eq!(admitted(&theirs, operation).await, left, "{operation}");
        let Some((shared_rate, _)) = shared else { continue };
        // A call that exceeds the organization's rate does not count toward the account's rate.
        advance(SECOND).await;
        let together = admitted(&theirs, operation).await;
        let theirs_alone = (burst - left + usize::try_from(rate).unwrap()).min(burst);
        assert_eq!(together, theirs_alone.min(usize::try_from(shared_rate).unwrap()), "{operation}");
        // An account outside the organization has its own rate.
        assert_eq!(admitted(&organization.client(outside()), operation).await, burst, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn call_without_permission_is_throttled_first() {
    let organization = delegated().with_throttling().build();
    let client = organization.management_client().without_permission(ENABLE.iam_action());
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.push(call(&client, ENABLE).await.unwrap_err().kind().clone());
    }
    assert_eq!(kinds, [ErrorKind::AccessDenied, ErrorKind::AccessDenied, ErrorKind::Throttled]);
}

// Concurrent writes

/// Starts a call in a task.
fn begin(client: &sim::SimClient, operation: Operation) -> tokio::task::JoinHandle<Result<(), Error>> {
    let client = client.clone();
    tokio::spawn(async move { call(&client, operation).await })
}

async fn let_it_begin() {
    advance(SECOND / 2).await;
    tokio::task::yield_now().await;
}

/// Returns the code of a conflict with another write.
fn conflict(result: &Result<(), Error>) -> Option<&str> {
    let conflicts = ["ConcurrentModificationException", "ResourceDataSyncConflictException"];
    result.as_ref().err().and_then(Error::code).filter(|code| conflicts.contains(code))
}

#[tokio::test(start_paused = true)]
async fn concurrent_writes_of_each_pair_conflict_as_documented() {
    let writes: Vec<_> = Operation::ALL.iter().copied().filter(|operation| operation.is_write()).collect();
    for first in &writes {
        for second in &writes {
            let start = delegated().delegated_administrator(bob()).service_linked_role(&DISCOVERY).latency(SECOND);
            let organization = start.data_sync(management(), region("eu-central-1"), organization_sync("it")).build();
            let client = organization.management_client();
            let running = begin(&client, *first);
            let_it_begin().await;
            let result = call(&client, *second).await;
            let update = Operation::UpdateResourceDataSync;
            let expected = if first.service() == "organizations" && second.service() == "organizations" {
                Some("ConcurrentModificationException")
            } else if (*first, *second) == (update, update) {
                Some("ResourceDataSyncConflictException")
            } else {
                None
            };
            assert_eq!(conflict(&result), expected, "{second} during {first}");
            if let Err(error) = result {
                assert_eq!(error.write_status(), WriteStatus::NotApplied);
            }
            let _ = running.await.unwrap();
            // A completed write does not block later writes.
            assert_eq!(conflict(&call(&client, *second).await), None, "{second} after {first}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn write_in_progress_blocks_only_conflicting_writes() {
    let organization = delegated().latency(SECOND).build();
    let ours = organization.management_client();
    let running = begin(&ours, ENABLE);
    let_it_begin().await;
    let other = organization.management_client();
    let (member, denied) = (organization.client(alice()), ours.clone().without_permission(ENABLE.iam_action()));
    let (read, write, by_member, without_permission) =
        tokio::join!(call(&other, LIST), call(&other, ENABLE), call(&member, ENABLE), call(&denied, ENABLE));
    read.unwrap();
    assert_eq!(write.unwrap_err().kind(), &ErrorKind::ConcurrentModification);
    for refused in [by_member, without_permission] {
        assert_eq!(refused.unwrap_err().kind(), &ErrorKind::AccessDenied);
    }
    running.await.unwrap().unwrap();
    // A write that is refused does not block others.
    let running = begin(&member, ENABLE);
    let_it_begin().await;
    call(&ours, ENABLE).await.unwrap();
    running.await.unwrap().unwrap_err();

    // An update of a sync blocks updates of the same account in the same Region only.
    let home = region("eu-central-1");
    let start = delegated().service_linked_role(&DISCOVERY).latency(SECOND);
    let start = [management(), alice()].into_iter().fold(start, |start, owner| {
        let start = start.data_sync(owner, home.clone(), organization_sync("it"));
        start.data_sync(owner, region("us-east-1"), organization_sync("it"))
    });
    let organization = start.build();
    let ours = organization.management_client();
    let running = begin(&ours, Operation::UpdateResourceDataSync);
    let_it_begin().await;
    let sync = SyncDefinition::of_organization(name("it"), SourceRegions::new([home]).unwrap());
    let elsewhere = region("us-east-1");
    let theirs = organization.client(alice());
    let (theirs, elsewhere) = tokio::join!(
        call(&theirs, Operation::UpdateResourceDataSync),
        ours.update_resource_data_sync(&elsewhere, &sync)
    );
    theirs.unwrap();
    elsewhere.unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn write_dropped_in_progress_releases_and_is_logged() {
    let organization = organization().latency(SECOND).build();
    let client = organization.management_client();
    assert!(timeout(SECOND / 2, call(&client, ENABLE)).await.is_err());
    assert!(!organization.is_trusted(&SSM), "the write was dropped before its effect");
    assert_eq!(organization.calls()[0].outcome, CallOutcome::ResponseLost);
    assert_eq!((organization.call_count(ENABLE), organization.write_count()), (1, 1));
    call(&client, ENABLE).await.unwrap();

    // An aborted write and a write with a fault no longer block other writes.
    let running = begin(&client, ENABLE);
    let_it_begin().await;
    running.abort();
    let _ = running.await;
    call(&client, ENABLE).await.unwrap();
    for fault in [Fault::RequestLost, Fault::ResponseLost, Fault::refused("ServiceException")] {
        organization.inject_fault(ENABLE, 1, fault);
        call(&client, ENABLE).await.unwrap_err();
        call(&client, ENABLE).await.unwrap();
    }
}

/// Asserts that a write refused for a conflict does not release the write in progress.
#[tokio::test(start_paused = true)]
async fn write_refused_for_conflict_releases_nothing() {
    let organization = organization().latency(SECOND).build();
    let client = organization.management_client();
    organization.inject_fault(ENABLE, 1, Fault::Delay(10 * SECOND));
    let running = begin(&client, ENABLE);
    let_it_begin().await;
    for _ in 0..3 {
        assert_eq!(call(&client, ENABLE).await.unwrap_err().kind(), &ErrorKind::ConcurrentModification);
    }
    running.await.unwrap().unwrap();
    call(&client, ENABLE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_concurrent_writes_accept_one() {
    let organization = organization().latency(Duration::from_millis(200)).build();
    let client = organization.management_client();
    let running: Vec<_> = (0..16).map(|_| begin(&client, ENABLE)).collect();
    let mut done = 0;
    for result in running {
        done += usize::from(result.await.unwrap().is_ok());
    }
    assert_eq!(done, 1);
}

// Read delays

#[tokio::test(start_paused = true)]
async fn list_with_read_delay_shows_change_after_the_delay() {
    let organization = organization().read_delay(5 * SECOND).build();
    let client = organization.management_client();
    call(&client, ENABLE).await.unwrap();
    assert!(organization.is_trusted(&SSM), "trusted access is enabled");
    for _ in 0..4 {
        assert!(!is_listed(&client).await);
        advance(SECOND).await;
    }
    advance(Duration::from_millis(999)).await;
    assert!(!is_listed(&client).await);
    advance(Duration::from_millis(1)).await;
    assert!(is_listed(&client).await);
    // Refusals depend on the current state.
    client.register_delegated_administrator(alice(), &SSM).await.unwrap();
    assert_eq!(
        call(&client, Operation::DisableAwsServiceAccess).await.unwrap_err().code(),
        Some("ConstraintViolationException")
    );
}

#[tokio::test(start_paused = true)]
async fn read_delay_applies_to_listings_and_roles_only() {
    let organization = delegated().service_linked_role(&DISCOVERY).read_delay(SECOND).build();
    let client = organization.management_client();
    let home = region("eu-central-1");
    call(&client, Operation::CreateResourceDataSync).await.unwrap();
    organization.deregister_administrator(alice());
    organization.disable_trusted_access(&SSM);
    client.delete_service_linked_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap();
    call(&client, Operation::DeleteResourceDataSync).await.unwrap();
    advance(10 * SECOND).await;
    assert!(!organization.has_role(management(), &RoleName::ACCOUNT_DISCOVERY));
    assert!(client.get_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap().is_some(), "the read is stale");
    organization.register_administrator(bob());
    organization.enable_trusted_access(&SSM);
    organization.add_data_sync(management(), home.clone(), organization_sync("new"));
    organization.set_member(bob(), ssm_organizations::ports::AccountState::Suspended);

    assert!(!is_listed(&client).await);
    assert_eq!(client.list_delegated_administrators(&SSM, None).await.unwrap().items, []);
    let syncs = |page: ssm_organizations::ports::Page<ssm_organizations::ports::DataSync>| page.items.len();
    assert_eq!(syncs(client.list_resource_data_sync(&home, SyncType::SyncFromSource, None).await.unwrap()), 0);
    let state = client.describe_account(bob()).await.unwrap().state;
    assert_eq!(state, Some(ssm_organizations::ports::AccountState::Suspended), "account reads are not delayed");

    advance(SECOND).await;
    assert!(is_listed(&client).await);
    assert_eq!(client.list_delegated_administrators(&SSM, None).await.unwrap().items[0].account, bob());
    assert_eq!(syncs(client.list_resource_data_sync(&home, SyncType::SyncFromSource, None).await.unwrap()), 1);
    assert!(client.get_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap().is_none());
}

/// Asserts that the order of the builder's methods is irrelevant.
#[tokio::test(start_paused = true)]
async fn list_with_read_delay_shows_the_initial_state_at_once() {
    for lag in [ReadDelay::Reads(2), ReadDelay::Time(SECOND)] {
        for start in [
            trusting().read_delays_for(LIST, [lag]),
            organization().read_delays_for(LIST, [lag]).trusted_access_for(&SSM),
        ] {
            let organization = start.build();
            organization.disable_trusted_access(&SSM);
            let client = organization.management_client();
            assert!(is_listed(&client).await && is_listed(&client).await);
            advance(SECOND).await;
            assert!(!is_listed(&client).await);
        }
    }
}

#[tokio::test]
async fn read_delay_in_reads_counts_the_same_operation_only() {
    let organization = trusting()
        .read_delays_for(LIST, [ReadDelay::Reads(2)])
        .read_delays_for(Operation::GetRole, [ReadDelay::Reads(9)])
        .build();
    let client = organization.management_client();
    assert!(is_listed(&client).await, "the initial state is not delayed");
    organization.disable_trusted_access(&SSM);
    // Other reads, and refused or lost calls of the operation, do not count.
    let denied = client.clone().without_permission(LIST.iam_action());
    for _ in 0..5 {
        client.list_delegated_administrators(&SSM, None).await.unwrap();
        client.get_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap();
        call(&denied, LIST).await.unwrap_err();
        call(&organization.client(bob()), LIST).await.unwrap_err();
        organization.inject_fault(LIST, 1, Fault::RequestLost);
        call(&client, LIST).await.unwrap_err();
    }
    assert!(is_listed(&client).await);
    // A read with a lost response counts.
    organization.inject_fault(LIST, 1, Fault::ResponseLost);
    call(&client, LIST).await.unwrap_err();
    assert!(!is_listed(&client).await);
    // Operations without a read delay show the current state.
    organization.register_administrator(alice());
    assert_eq!(client.list_delegated_administrators(&SSM, None).await.unwrap().items.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn read_delays_in_sequence_return_stale_after_current() {
    let lags = [ReadDelay::NONE, ReadDelay::Time(10 * SECOND), ReadDelay::NONE, ReadDelay::Reads(1_000)];
    let organization = organization().read_delays_for(LIST, lags).build();
    let client = organization.management_client();
    organization.enable_trusted_access(&SSM);
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(is_listed(&client).await);
    }
    assert_eq!(seen, [true, false, true, false, true, false]);
    advance(10 * SECOND).await;
    assert_eq!([is_listed(&client).await, is_listed(&client).await], [true, false]);
    assert_eq!([is_listed(&client).await, is_listed(&client).await], [true, true], "the delay in time has passed");
}

#[tokio::test(start_paused = true)]
async fn list_with_read_delay_shows_changes_in_order() {
    let organization = organization().read_delay(3 * SECOND).build();
    let client = organization.management_client();
    for number in 0..50 {
        organization.enable_trusted_access(&principal(number));
        let shown = client.list_aws_service_access_for_organization(None).await.unwrap().items.len();
        assert_eq!(shown, number.saturating_sub(2).min(20), "changes show after three seconds");
        advance(SECOND).await;
    }
}

// Concurrent callers

#[tokio::test]
async fn run_before_nth_call_runs_immediately_before_it() {
    let organization = organization().build();
    let client = organization.management_client();
    assert!(!is_listed(&client).await);
    organization.run_before(LIST, 2, |organization| organization.enable_trusted_access(&SSM));
    assert!(!is_listed(&client).await);
    client.describe_organization().await.unwrap();
    assert!(!organization.is_trusted(&SSM));
    assert!(is_listed(&client).await);

    organization.run_before_call(2, |organization| organization.disable_trusted_access(&SSM));
    client.describe_organization().await.unwrap();
    assert!(organization.is_trusted(&SSM));
    assert!(!is_listed(&client).await);
    organization.enable_trusted_access(&SSM);
    assert!(is_listed(&client).await, "the fault or closure applies once");
}

#[tokio::test]
async fn run_before_several_runs_in_order_and_may_inject_faults() {
    let organization = organization().build();
    let client = organization.management_client();
    organization.run_before(LIST, 1, |organization| organization.enable_trusted_access(&SSM));
    organization.run_before_call(1, |organization| {
        assert!(organization.is_trusted(&SSM));
        organization.disable_trusted_access(&SSM);
        organization.inject_fault(LIST, 1, Fault::RequestLost);
    });
    assert!(!is_listed(&client).await, "the fault hits the next call");
    call(&client, LIST).await.unwrap_err();
    assert_eq!(organization.call_count(LIST), 2, "closures record no call");
}

// Stopped process

#[tokio::test]
async fn stop_at_call_loses_every_call_until_resume() {
    let organization = organization().latency(Duration::from_millis(1)).build();
    let client = organization.management_client();
    client.describe_organization().await.unwrap();
    organization.stop_at_call(2);
    client.describe_organization().await.unwrap();
    for operation in Operation::ALL {
        lost(*operation, &call(&client, *operation).await.unwrap_err());
    }
    assert!(!organization.is_trusted(&SSM));
    assert!(organization.calls()[2..].iter().all(|call| call.outcome == CallOutcome::ResponseLost));
    organization.resume();
    call(&client, ENABLE).await.unwrap();
    assert!(organization.is_trusted(&SSM));
}

// Random faults

/// Returns the outcomes of a hundred calls of each operation.
async fn luck(seed: u64, chances: FaultRates, operations: &[Operation]) -> Vec<Vec<CallOutcome>> {
    let organization = delegated().fault_rates(seed, chances).build();
    let client = organization.management_client();
    for _ in 0..100 {
        for operation in operations {
            let _ = call(&client, *operation).await;
        }
    }
    by_operation(&organization, operations)
}

fn by_operation(organization: &sim::SimOrganization, operations: &[Operation]) -> Vec<Vec<CallOutcome>> {
    let calls = organization.calls();
    let of = |operation: &Operation| {
        calls.iter().filter(|call| call.operation == *operation).map(|call| call.outcome.clone()).collect()
    };
    operations.iter().map(of).collect()
}

const READS: [Operation; 3] = [Operation::DescribeOrganization, LIST, Operation::GetCallerIdentity];

#[tokio::test]
async fn fault_rates_with_same_seed_draw_the_same_faults() {
    let first = luck(7, FaultRates::all(100), &READS).await;
    assert_eq!(luck(7, FaultRates::all(100), &READS).await, first);
    assert_ne!(luck(8, FaultRates::all(100), &READS).await, first);
    // Each operation has its own random sequence.
    assert_ne!(first[0], first[1]);
    let bad = first.iter().flatten().filter(|outcome| **outcome != CallOutcome::Success).count();
    assert!((50..=150).contains(&bad), "about 90 of 300 calls fail; {bad} did");
}

/// Compares the faults with those of an independent implementation, so that recorded seeds stay
/// valid.
#[tokio::test]
async fn fault_rates_with_known_seed_draw_the_known_faults() {
    let organization = delegated().fault_rates(7, FaultRates::all(100)).build();
    let (ours, theirs) = (organization.management_client(), organization.client(alice()));
    for _ in 0..40 {
        let _ = ours.describe_organization().await;
        let _ = theirs.list_resource_data_sync(&region("eu-central-1"), SyncType::SyncFromSource, None).await;
    }
    for (operation, throttled, lost) in [
        (Operation::DescribeOrganization, vec![2, 13, 14, 26], vec![3, 4, 7, 15, 16, 20, 21, 29, 31]),
        (Operation::ListResourceDataSync, vec![16, 17, 30], vec![3, 9, 15]),
    ] {
        let outcomes = by_operation(&organization, &[operation]).remove(0);
        let which = |matches: fn(&CallOutcome) -> bool| {
            let nth = outcomes.iter().zip(1..).filter(|(outcome, _)| matches(outcome));
            nth.map(|(_, nth)| nth).collect::<Vec<_>>()
        };
        assert_eq!(which(|outcome| matches!(outcome, CallOutcome::Refused(_))), throttled, "{operation}");
        assert_eq!(which(|outcome| *outcome == CallOutcome::ResponseLost), lost, "{operation}");
    }
}

#[tokio::test]
async fn fault_rates_with_other_calls_draw_the_same_faults() {
    let alone = luck(7, FaultRates::all(100), &READS[..1]).await;
    let beside = luck(7, FaultRates::all(100), &READS).await;
    assert_eq!(alone[0], beside[0]);

    // Concurrency, the order of calls, and other accounts and Regions do not affect the faults.
    let organization = delegated().latency(Duration::from_millis(1)).fault_rates(7, FaultRates::all(100)).build();
    let (ours, theirs) = (organization.management_client(), organization.client(alice()));
    for _ in 0..100 {
        let _ = tokio::join!(
            call(&ours, READS[2]),
            call(&theirs, READS[0]),
            call(&ours, READS[0]),
            call(&ours, Operation::ListResourceDataSync),
            call(&ours, READS[1]),
        );
    }
    let mut calls = organization.calls();
    calls.retain(|call| call.caller == management());
    let outcomes = |calls: &[Call], operation| {
        calls.iter().filter(|call| call.operation == operation).map(|call| call.outcome.clone()).collect::<Vec<_>>()
    };
    for (operation, expected) in READS.into_iter().zip(&beside) {
        assert_eq!(&outcomes(&calls, operation), expected, "{operation}");
    }
    let mut theirs = organization.calls();
    theirs.retain(|call| call.caller == alice());
    assert_ne!(outcomes(&theirs, READS[0]), beside[0], "another account has another sequence");

    // An injected fault replaces only the random fault of its call.
    let organization = delegated().fault_rates(7, FaultRates::all(100)).build();
    let client = organization.management_client();
    organization.inject_fault(READS[0], 5, Fault::refused("Scripted"));
    for _ in 0..100 {
        let _ = call(&client, READS[0]).await;
    }
    let mut expected = alone[0].clone();
    expected[4] = CallOutcome::Refused("Scripted".to_owned());
    assert_eq!(by_operation(&organization, &READS[..1])[0], expected);
    let mut certain = FaultRates::default();
    certain.request_lost = 1_000;
    let organization = delegated().fault_rates(7, certain).build();
    organization.inject_fault(LIST, 1, Fault::refused("Scripted"));
    let error = call(&organization.management_client(), LIST).await.unwrap_err();
    assert_eq!(error.code(), Some("Scripted"), "the injected fault takes precedence");
}

#[tokio::test]
async fn fault_rates_in_two_regions_draw_independently() {
    let mut drawn = Vec::new();
    for place in ["eu-central-1", "us-east-1"] {
        let organization = delegated().fault_rates(7, FaultRates::all(100)).build();
        let client = organization.management_client();
        for _ in 0..100 {
            let _ = client.list_resource_data_sync(&region(place), SyncType::SyncFromSource, None).await;
        }
        drawn.push(by_operation(&organization, &[Operation::ListResourceDataSync]));
    }
    assert_ne!(drawn[0], drawn[1]);
}

#[tokio::test]
async fn fault_rates_over_many_calls_match_the_rates() {
    const CALLS: usize = 10_000;
    let chances = |set: fn(&mut FaultRates)| {
        let mut chances = FaultRates::default();
        set(&mut chances);
        chances
    };
    let lost_or =
        |code: Option<&str>| code.map_or(CallOutcome::ResponseLost, |code| CallOutcome::Refused(code.to_owned()));
    for (chances, operation, outcome, expected) in [
        (chances(|chances| chances.throttled = 50), LIST, lost_or(Some("TooManyRequestsException")), 500),
        (chances(|chances| chances.throttled = 50), Operation::GetRole, lost_or(Some("Throttling")), 500),
        (chances(|chances| chances.conflict = 50), ENABLE, lost_or(Some("ConcurrentModificationException")), 500),
        (chances(|chances| chances.conflict = 50), LIST, lost_or(Some("ConcurrentModificationException")), 0),
        (
            chances(|chances| chances.conflict = 50),
            Operation::UpdateResourceDataSync,
            lost_or(Some("ResourceDataSyncConflictException")),
            500,
        ),
        (
            chances(|chances| chances.conflict = 50),
            Operation::CreateServiceLinkedRole,
            lost_or(Some("ConcurrentModificationException")),
            0,
        ),
        (chances(|chances| chances.request_lost = 50), LIST, CallOutcome::ResponseLost, 500),
        (chances(|chances| chances.response_lost = 20), LIST, CallOutcome::ResponseLost, 200),
        (chances(|chances| chances.request_lost = 1_000), LIST, CallOutcome::ResponseLost, CALLS),
        (FaultRates::all(u16::MAX), LIST, lost_or(Some("TooManyRequestsException")), CALLS),
        (FaultRates::default(), LIST, CallOutcome::Success, CALLS),
    ] {
        let organization = delegated().fault_rates(1, chances).build();
        let client = organization.management_client();
        for _ in 0..CALLS {
            let _ = call(&client, operation).await;
        }
        let counted = organization.calls().iter().filter(|call| call.outcome == outcome).count();
        // Five standard deviations, or no deviation for a rate of 0 or 1,000.
        let fluctuation = if expected == 0 || expected == CALLS { 0 } else { 110 };
        assert!(counted.abs_diff(expected) <= fluctuation, "{operation}, {outcome}: {counted} of {expected}");
    }
}

#[tokio::test]
async fn fault_rates_lose_request_before_and_response_after_effect() {
    for (after, chances) in [(false, FaultRates::default()), (true, FaultRates::default())] {
        let mut chances = chances;
        if after {
            chances.response_lost = 1_000;
        } else {
            chances.request_lost = 1_000;
        }
        let organization = organization().fault_rates(1, chances).build();
        lost(ENABLE, &call(&organization.management_client(), ENABLE).await.unwrap_err());
        assert_eq!(organization.is_trusted(&SSM), after);
    }
}

// Recorded calls

#[tokio::test]
async fn calls_of_each_outcome_display_one_line() {
    let organization = trusting().build();
    let client = organization.management_client();
    let home = region("eu-central-1");
    call(&client, Operation::RegisterDelegatedAdministrator).await.unwrap();
    client.describe_account(alice()).await.unwrap();
    client.list_resource_data_sync(&home, SyncType::SyncFromSource, None).await.unwrap();
    call(&organization.client(alice()), ENABLE).await.unwrap_err();
    call(&client, Operation::DisableAwsServiceAccess).await.unwrap_err();
    organization.inject_fault_at_call(1, Fault::ResponseLost);
    call(&client, Operation::DeregisterDelegatedAdministrator).await.unwrap_err();
    organization.inject_fault_at_call(1, Fault::refused("ServiceException"));
    call(&client, LIST).await.unwrap_err();
    let lines: Vec<_> = organization.calls().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "RegisterDelegatedAdministrator 333333333333 as 111111111111: answered",
            "DescribeAccount 222222222222 as 111111111111: answered",
            "ListResourceDataSync in eu-central-1 as 111111111111: answered",
            "EnableAWSServiceAccess as 222222222222: refused, AccessDeniedException",
            "DisableAWSServiceAccess as 111111111111: refused, ConstraintViolationException \
             (DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE)",
            "DeregisterDelegatedAdministrator 333333333333 as 111111111111: reply lost",
            "ListAWSServiceAccessForOrganization as 111111111111: refused, ServiceException",
        ]
    );
    let calls = organization.calls();
    assert_eq!(
        (calls[0].operation, calls[0].caller, calls[0].account),
        (Operation::RegisterDelegatedAdministrator, management(), Some(bob()))
    );
    assert_eq!((calls[2].region.as_ref(), calls[2].account), (Some(&home), None));
    assert_eq!(calls.iter().map(Call::is_write).collect::<Vec<_>>(), [true, false, false, true, true, true, false]);
}

#[tokio::test]
async fn call_counts_after_clear_calls_are_zero() {
    let organization = organization().build();
    let client = organization.management_client();
    for operation in [LIST, ENABLE, LIST, Operation::GetCallerIdentity, ENABLE, LIST] {
        let _ = call(&client, operation).await;
    }
    assert_eq!(
        (organization.call_count(LIST), organization.call_count(ENABLE), organization.call_count(Operation::GetRole)),
        (3, 2, 0)
    );
    let counts: Vec<_> = organization.call_counts().into_iter().collect();
    assert_eq!(counts, [(LIST, 3), (ENABLE, 2), (Operation::GetCallerIdentity, 1)]);
    assert_eq!((organization.write_count(), organization.calls().len()), (2, 6));
    organization.clear_calls();
    assert_eq!((organization.write_count(), organization.calls().len(), organization.call_count(LIST)), (0, 0, 0));
    assert_eq!(organization.call_counts().len(), 0);
    // Fault injection counts calls independently.
    organization.inject_fault(LIST, 1, Fault::RequestLost);
    call(&client, LIST).await.unwrap_err();
}

#[tokio::test]
async fn direct_change_of_organization_records_no_call() {
    let organization = organization().build();
    organization.inject_fault_at_call(1, Fault::RequestLost);
    organization.enable_trusted_access(&SSM);
    organization.register_administrator(alice());
    organization.deregister_administrator(alice());
    organization.add_data_sync(alice(), region("eu-central-1"), organization_sync("it"));
    let _ = (organization.state(), organization.administrators(), organization.is_trusted(&SSM));
    assert_eq!(organization.calls(), []);
    // A clone refers to the same organization.
    organization.clone().disable_trusted_access(&SSM);
    assert!(!organization.is_trusted(&SSM));
    lost(LIST, &call(&organization.management_client(), LIST).await.unwrap_err());
}

// Size

#[tokio::test]
async fn members_of_100_000_are_stored_as_a_count() {
    let first = account("500000000000");
    let last = account("500000099999");
    let beyond = account("500000100000");
    let few = organization().members(10).build();
    let many = organization().members(100_000).build();
    assert_eq!(format!("{:?}", few.state()).len() + "99990".len() - 1, format!("{:?}", many.state()).len());
    let client = many.management_client();
    for member in [first, last] {
        assert_eq!(client.describe_account(member).await.unwrap().id, member);
    }
    assert_eq!(client.describe_account(beyond).await.unwrap_err().code(), Some("AccountNotFoundException"));
    many.client(last).describe_organization().await.unwrap();
    call(&client, ENABLE).await.unwrap();
    client.register_delegated_administrator(last, &SSM).await.unwrap();
    assert_eq!(many.administrators(), [last]);
    // One counted member can be changed.
    many.set_member(first, ssm_organizations::ports::AccountState::Closed);
    let state = client.describe_account(first).await.unwrap().state;
    assert_eq!(state, Some(ssm_organizations::ports::AccountState::Closed));
    assert_ne!(many.state(), few.state());
}

/// Asserts that fault injection does not change the settings of undocumented behavior.
#[tokio::test]
async fn settings_with_fault_injection_both_apply() {
    let mut undocumented = UndocumentedBehavior::default();
    undocumented.enabling_makes_role = true;
    let organization = organization()
        .undocumented_behavior(undocumented)
        .with_throttling()
        .read_delay(SECOND)
        .fault_rates(1, FaultRates::default())
        .build();
    call(&organization.management_client(), ENABLE).await.unwrap();
    assert!(organization.has_role(management(), &RoleName::ACCOUNT_DISCOVERY));
}

#[tokio::test]
async fn inject_fault_at_zero_hits_next_and_at_max_hits_none() {
    let organization = sim::SimOrganization::builder().build();
    let client = organization.management_client();
    client.get_caller_identity().await.unwrap();
    organization.stop_at_call(usize::MAX);
    organization.inject_fault_at_call(usize::MAX, Fault::ResponseLost);
    organization.inject_fault(Operation::GetCallerIdentity, usize::MAX, Fault::ResponseLost);
    client.get_caller_identity().await.unwrap();
    // Calls are counted from 1, and 0 means the next call.
    organization.inject_fault(Operation::GetCallerIdentity, 0, Fault::ResponseLost);
    client.get_caller_identity().await.unwrap_err();
}

#[test]
fn builder_in_any_order_builds_the_same_state() {
    let other = "444444444444".parse().unwrap();
    let mut setting = UndocumentedBehavior::default();
    setting.enabling_makes_role = true;
    let (ssm, discovery) = (ServicePrincipal::SYSTEMS_MANAGER, ServicePrincipal::ACCOUNT_DISCOVERY);
    let builder = sim::SimOrganization::builder;
    let first = builder()
        .management(other)
        .undocumented_behavior(setting.clone())
        .service_linked_role(&discovery)
        .trusted_access_for(&ssm)
        .build();
    let last = builder()
        .trusted_access_for(&ssm)
        .service_linked_role(&discovery)
        .undocumented_behavior(setting)
        .management(other)
        .build();
    assert_eq!(first.state().without_dates(), last.state().without_dates());
}
