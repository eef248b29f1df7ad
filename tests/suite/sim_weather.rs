//! AWS's bad days in the embedded organization: what goes wrong, with which call, and what has happened then.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{
    SSM, account, alice, bob, delegated, management, organization, organization_sync, region, trusting,
};
use ssm_organizations::ports::{
    IamApi, Operation, OrganizationsApi, SourceRegions, StsApi, SyncDefinition, SyncType, SystemsManagerApi,
};
use ssm_organizations::sim::{self, Call, Chances, Fault, Lag, Outcome, Undocumented};
use ssm_organizations::{AccountId, Applied, Error, ErrorKind, Retry, RoleName, ServicePrincipal, SyncName};
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

async fn is_listed(client: &sim::Client) -> bool {
    let page = client.list_aws_service_access_for_organization(None).await.unwrap();
    page.items.iter().any(|service| service.principal == SSM)
}

fn lost(operation: Operation, error: &Error) {
    let applied = if operation.is_write() { Applied::Unknown } else { Applied::No };
    assert_eq!((error.kind(), error.retry(), error.applied()), (&ErrorKind::Lost, Retry::Temporary, applied));
    assert_eq!((error.operation(), error.code()), (Some(operation), None));
}

// Scripts

#[tokio::test]
async fn a_fault_hits_the_nth_call_of_an_operation_from_now_on() {
    let organization = trusting().build();
    let client = organization.management_client();
    assert!(is_listed(&client).await);
    organization.fault(LIST, 2, Fault::refused_for("ConstraintViolationException", "SOMETHING"));
    assert!(is_listed(&client).await);
    client.describe_organization().await.unwrap();
    let error = client.list_aws_service_access_for_organization(None).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Some("ConstraintViolationException"), Some("SOMETHING")));
    assert!(is_listed(&client).await, "once");
}

#[tokio::test]
async fn a_fault_hits_the_nth_call_of_all() {
    let organization = trusting().build();
    let client = organization.management_client();
    client.describe_organization().await.unwrap();
    organization.fault_at(3, Fault::LostBefore);
    assert!(is_listed(&client).await);
    organization.client(alice()).get_caller_identity().await.unwrap();
    let error = organization.client(bob()).describe_organization().await.unwrap_err();
    lost(Operation::DescribeOrganization, &error);
    client.describe_organization().await.unwrap();
}

#[tokio::test]
async fn several_faults_each_hit_their_call() {
    let organization = organization().build();
    let client = organization.management_client();
    for (nth, code) in [(1, "A"), (3, "C"), (2, "B")] {
        organization.fault(LIST, nth, Fault::refused(code));
    }
    for code in ["A", "B", "C"] {
        let error = client.list_aws_service_access_for_organization(None).await.unwrap_err();
        assert_eq!(error.code(), Some(code));
    }
    assert!(!is_listed(&client).await);
}

#[tokio::test]
async fn a_refusal_and_a_loss_on_the_way_come_before_the_effect() {
    for fault in [Fault::refused("ServiceException"), Fault::refused("AccessDeniedException"), Fault::LostBefore] {
        let organization = organization().build();
        let client = organization.management_client();
        organization.fault(ENABLE, 1, fault.clone());
        let error = client.enable_aws_service_access(&SSM).await.unwrap_err();
        if fault == Fault::LostBefore {
            lost(ENABLE, &error);
        } else {
            assert!(error.code().is_some());
        }
        assert!(!organization.is_trusted(&SSM), "{fault:?}");
        // It keeps nobody out.
        client.enable_aws_service_access(&SSM).await.unwrap();
    }
}

#[tokio::test]
async fn a_reply_that_is_lost_leaves_the_effect() {
    let organization = organization().build();
    let client = organization.management_client();
    organization.fault(ENABLE, 1, Fault::LostAfter);
    lost(ENABLE, &client.enable_aws_service_access(&SSM).await.unwrap_err());
    assert!(organization.is_trusted(&SSM));
    client.disable_aws_service_access(&SSM).await.unwrap();

    // A refusal's reply can be lost as well, whoever refuses.
    organization.fault(ENABLE, 1, Fault::LostAfter);
    lost(ENABLE, &organization.client(alice()).enable_aws_service_access(&SSM).await.unwrap_err());
    organization.fault(ENABLE, 1, Fault::LostAfter);
    let client = client.without_permission(ENABLE.iam_action());
    lost(ENABLE, &client.enable_aws_service_access(&SSM).await.unwrap_err());
    assert!(!organization.is_trusted(&SSM));
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_to_what_was_done_long_ago() {
    let organization = organization().latency(SECOND).build();
    let client = organization.management_client();
    organization.fault(ENABLE, 1, Fault::Slow(60 * SECOND));
    let begun = Instant::now();
    {
        let mut enabling = Box::pin(client.enable_aws_service_access(&SSM));
        assert!(timeout(Duration::from_millis(1_500), &mut enabling).await.is_err());
        assert!(organization.is_trusted(&SSM), "after the usual latency");
        enabling.await.unwrap();
    }
    assert_eq!(begun.elapsed(), 61 * SECOND);

    // Who does not wait for it has done it all the same. A read shows what was.
    organization.fault(Operation::DisableAwsServiceAccess, 1, Fault::Slow(60 * SECOND));
    assert!(timeout(5 * SECOND, client.disable_aws_service_access(&SSM)).await.is_err());
    assert!(!organization.is_trusted(&SSM));
    organization.fault(LIST, 1, Fault::Slow(60 * SECOND));
    let (listed, ()) = tokio::join!(is_listed(&client), async {
        sleep(10 * SECOND).await;
        organization.trust(&SSM);
    });
    assert!(!listed);
}

#[tokio::test(start_paused = true)]
async fn every_call_takes_its_time_refused_or_not() {
    let organization = organization().latency(SECOND).build();
    for (caller, fault) in [
        (management(), None),
        (alice(), None),
        (management(), Some(Fault::LostBefore)),
        (management(), Some(Fault::refused("ServiceException"))),
    ] {
        if let Some(fault) = fault {
            organization.fault(ENABLE, 1, fault);
        }
        let begun = Instant::now();
        let _ = organization.client(caller).enable_aws_service_access(&SSM).await;
        assert_eq!(begun.elapsed(), SECOND);
    }
}

#[tokio::test]
async fn each_service_asks_for_fewer_calls_in_its_own_words() {
    for operation in Operation::ALL {
        let code = match operation.service() {
            "organizations" => "TooManyRequestsException",
            "ssm" => "ThrottlingException",
            _ => "Throttling",
        };
        assert_eq!(Fault::throttled(*operation), Fault::refused(code));
        assert_eq!(Error::service(*operation, code, "").kind(), &ErrorKind::Throttled);
    }
}

#[tokio::test]
async fn what_the_weather_refuses_says_so_in_awss_words() {
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
        organization.fault(LIST, 1, Fault::refused(code));
        let error = call(&client, LIST).await.unwrap_err();
        assert!(error.message().is_some_and(|message| message.contains(said)), "{code}: {error}");
    }
}

#[test]
fn what_is_to_go_wrong_is_printed_with_the_organization() {
    let organization = organization().build();
    organization.fault(LIST, 3, Fault::LostBefore);
    organization.before(ENABLE, 1, |_| {});
    let printed = format!("{organization:?}");
    assert!(printed.contains("scripted: [((Some(ListAwsServiceAccessForOrganization), 3), LostBefore)]"), "{printed}");
    assert!(printed.contains("rivals: [(Some(EnableAwsServiceAccess), 1)]"), "{printed}");
}

#[tokio::test]
async fn a_script_comes_before_the_weather() {
    // The third is over the allowance, and it is the one that was to be lost.
    let organization = organization().throttled().build();
    let client = organization.management_client();
    organization.fault(ENABLE, 3, Fault::LostBefore);
    for _ in 0..2 {
        client.enable_aws_service_access(&SSM).await.unwrap();
    }
    lost(ENABLE, &client.enable_aws_service_access(&SSM).await.unwrap_err());
    assert_eq!(client.enable_aws_service_access(&SSM).await.unwrap_err().kind(), &ErrorKind::Throttled);
}

// Allowances

/// [Quotas of AWS Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html): the operation,
/// rate and burst of an account, and those of the organization.
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

async fn call(client: &sim::Client, operation: Operation) -> Result<(), Error> {
    let sync = || SyncDefinition::of_organization(name("it"), SourceRegions::new([region("eu-central-1")]).unwrap());
    let home = region("eu-central-1");
    match operation {
        Operation::DescribeOrganization => client.describe_organization().await.map(drop),
        Operation::DescribeAccount => client.describe_account(&bob()).await.map(drop),
        Operation::ListAwsServiceAccessForOrganization => {
            client.list_aws_service_access_for_organization(None).await.map(drop)
        }
        Operation::EnableAwsServiceAccess => client.enable_aws_service_access(&SSM).await,
        Operation::DisableAwsServiceAccess => client.disable_aws_service_access(&SSM).await,
        Operation::ListDelegatedAdministrators => client.list_delegated_administrators(&SSM, None).await.map(drop),
        Operation::RegisterDelegatedAdministrator => client.register_delegated_administrator(&bob(), &SSM).await,
        Operation::DeregisterDelegatedAdministrator => client.deregister_delegated_administrator(&bob(), &SSM).await,
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

async fn is_throttled(client: &sim::Client, operation: Operation) -> bool {
    call(client, operation).await.is_err_and(|error| {
        let throttled = *error.kind() == ErrorKind::Throttled;
        if throttled {
            assert_eq!((error.code(), error.applied()), (Some("TooManyRequestsException"), Applied::No));
            assert!(error.is_retryable());
        }
        throttled
    })
}

/// How many calls are admitted before one is throttled.
async fn admitted(client: &sim::Client, operation: Operation) -> usize {
    for admitted in 0..100 {
        if is_throttled(client, operation).await {
            return admitted;
        }
    }
    100
}

#[tokio::test(start_paused = true)]
async fn an_account_has_aws_rates_and_bursts() {
    let limited = ALLOWANCES.map(|(operation, ..)| operation);
    for (operation, rate, burst, _) in ALLOWANCES {
        let organization = delegated().throttled().build();
        let client = organization.management_client();
        assert_eq!(admitted(&client, operation).await, burst, "{operation}");
        assert_eq!(admitted(&client, operation).await, 0, "a refused call gives nothing back");
        // Each operation has its own allowance.
        for other in limited.iter().filter(|other| **other != operation) {
            assert!(!is_throttled(&client, *other).await, "{other} after {operation}");
        }
        // Just before a token is there again, and then.
        let token = SECOND / rate;
        advance(token.saturating_sub(Duration::from_millis(2))).await;
        assert_eq!(admitted(&client, operation).await, 0, "{operation}");
        advance(Duration::from_millis(3)).await;
        assert_eq!(admitted(&client, operation).await, 1, "{operation}");
        advance(60 * SECOND).await;
        assert_eq!(admitted(&client, operation).await, burst, "{operation}: no more than the burst is saved up");
    }
    // The others, and an organization without the weather, have none.
    let organization = delegated().throttled().build();
    for operation in Operation::ALL.iter().filter(|operation| !limited.contains(operation)) {
        assert_eq!(admitted(&organization.management_client(), *operation).await, 100, "{operation}");
    }
    assert_eq!(admitted(&delegated().build().management_client(), LIST).await, 100);
}

#[tokio::test(start_paused = true)]
async fn two_accounts_share_the_allowance_of_their_organization() {
    for (operation, rate, burst, shared) in ALLOWANCES {
        let organization = delegated().throttled().build();
        let (ours, theirs) = (organization.management_client(), organization.client(alice()));
        assert_eq!(admitted(&ours, operation).await, burst);
        let left = shared.map_or(burst, |(_, shared)| shared - burst);
        assert_eq!(admitted(&theirs, operation).await, left, "{operation}");
        let Some((shared_rate, _)) = shared else { continue };
        // What the organization refused did not count against the account.
        advance(SECOND).await;
        let together = admitted(&theirs, operation).await;
        let theirs_alone = (burst - left + usize::try_from(rate).unwrap()).min(burst);
        assert_eq!(together, theirs_alone.min(usize::try_from(shared_rate).unwrap()), "{operation}");
        // One outside has no part in it.
        assert_eq!(admitted(&organization.client(outside()), operation).await, burst, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_throttled_before_its_permissions_are_looked_at() {
    let organization = delegated().throttled().build();
    let client = organization.management_client().without_permission(ENABLE.iam_action());
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.push(call(&client, ENABLE).await.unwrap_err().kind().clone());
    }
    assert_eq!(kinds, [ErrorKind::AccessDenied, ErrorKind::AccessDenied, ErrorKind::Throttled]);
}

// Two writes at a time

/// Begins a call, and lets it come as far as its latency.
fn begin(client: &sim::Client, operation: Operation) -> tokio::task::JoinHandle<Result<(), Error>> {
    let client = client.clone();
    tokio::spawn(async move { call(&client, operation).await })
}

async fn let_it_begin() {
    advance(SECOND / 2).await;
    tokio::task::yield_now().await;
}

/// The code of a refusal that came because of another write.
fn conflict(result: &Result<(), Error>) -> Option<&str> {
    let conflicts = ["ConcurrentModificationException", "ResourceDataSyncConflictException"];
    result.as_ref().err().and_then(Error::code).filter(|code| conflicts.contains(code))
}

#[tokio::test(start_paused = true)]
async fn one_write_at_a_time() {
    let writes: Vec<_> = Operation::ALL.iter().copied().filter(|operation| operation.is_write()).collect();
    for first in &writes {
        for second in &writes {
            let start = delegated().delegated_to(bob()).role_for(&DISCOVERY).latency(SECOND);
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
                assert_eq!(error.applied(), Applied::No);
            }
            let _ = running.await.unwrap();
            // Over, it keeps nobody out.
            assert_eq!(conflict(&call(&client, *second).await), None, "{second} after {first}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_keeps_out_writes_that_would_be_done_and_nothing_else() {
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
    // Nor does what is refused anyway keep anybody out.
    let running = begin(&member, ENABLE);
    let_it_begin().await;
    call(&ours, ENABLE).await.unwrap();
    running.await.unwrap().unwrap_err();

    // An update of a sync keeps out its own account in its own Region.
    let home = region("eu-central-1");
    let start = delegated().role_for(&DISCOVERY).latency(SECOND);
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
async fn a_write_that_is_dropped_lets_others_in_and_is_in_the_log() {
    let organization = organization().latency(SECOND).build();
    let client = organization.management_client();
    assert!(timeout(SECOND / 2, call(&client, ENABLE)).await.is_err());
    assert!(!organization.is_trusted(&SSM), "it never came so far");
    assert_eq!(organization.calls()[0].outcome, Outcome::Lost);
    assert_eq!((organization.count(ENABLE), organization.writes()), (1, 1));
    call(&client, ENABLE).await.unwrap();

    // So does one that was aborted with its task, and one that a fault struck.
    let running = begin(&client, ENABLE);
    let_it_begin().await;
    running.abort();
    let _ = running.await;
    call(&client, ENABLE).await.unwrap();
    for fault in [Fault::LostBefore, Fault::LostAfter, Fault::refused("ServiceException")] {
        organization.fault(ENABLE, 1, fault);
        call(&client, ENABLE).await.unwrap_err();
        call(&client, ENABLE).await.unwrap();
    }
}

/// A write that is refused for another write under way must not free that one's place.
#[tokio::test(start_paused = true)]
async fn a_refused_write_lets_nobody_in() {
    let organization = organization().latency(SECOND).build();
    let client = organization.management_client();
    organization.fault(ENABLE, 1, Fault::Slow(10 * SECOND));
    let running = begin(&client, ENABLE);
    let_it_begin().await;
    for _ in 0..3 {
        assert_eq!(call(&client, ENABLE).await.unwrap_err().kind(), &ErrorKind::ConcurrentModification);
    }
    running.await.unwrap().unwrap();
    call(&client, ENABLE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_writes_at_once_one_is_let_in() {
    let organization = organization().latency(Duration::from_millis(200)).build();
    let client = organization.management_client();
    let running: Vec<_> = (0..16).map(|_| begin(&client, ENABLE)).collect();
    let mut done = 0;
    for result in running {
        done += usize::from(result.await.unwrap().is_ok());
    }
    assert_eq!(done, 1);
}

// Lag

#[tokio::test(start_paused = true)]
async fn a_change_takes_its_time_to_show() {
    let organization = organization().lag(5 * SECOND).build();
    let client = organization.management_client();
    call(&client, ENABLE).await.unwrap();
    assert!(organization.is_trusted(&SSM), "it is there");
    for _ in 0..4 {
        assert!(!is_listed(&client).await);
        advance(SECOND).await;
    }
    advance(Duration::from_millis(999)).await;
    assert!(!is_listed(&client).await);
    advance(Duration::from_millis(1)).await;
    assert!(is_listed(&client).await);
    // What AWS refuses, it refuses by what is.
    client.register_delegated_administrator(&alice(), &SSM).await.unwrap();
    assert_eq!(
        call(&client, Operation::DisableAwsServiceAccess).await.unwrap_err().code(),
        Some("ConstraintViolationException")
    );
}

#[tokio::test(start_paused = true)]
async fn all_four_listings_and_look_ups_lag_and_nothing_else() {
    let organization = delegated().role_for(&DISCOVERY).lag(SECOND).build();
    let client = organization.management_client();
    let home = region("eu-central-1");
    call(&client, Operation::CreateResourceDataSync).await.unwrap();
    organization.undelegate(alice());
    organization.distrust(&SSM);
    client.delete_service_linked_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap();
    call(&client, Operation::DeleteResourceDataSync).await.unwrap();
    advance(10 * SECOND).await;
    assert!(!organization.has_role(management(), &RoleName::ACCOUNT_DISCOVERY));
    assert!(client.get_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap().is_some(), "deleted just now");
    organization.delegate(bob());
    organization.trust(&SSM);
    organization.add_data_sync(management(), home.clone(), organization_sync("new"));
    organization.set_member(bob(), ssm_organizations::ports::AccountState::Suspended);

    assert!(!is_listed(&client).await);
    assert_eq!(client.list_delegated_administrators(&SSM, None).await.unwrap().items, []);
    let syncs = |page: ssm_organizations::ports::Page<ssm_organizations::ports::DataSync>| page.items.len();
    assert_eq!(syncs(client.list_resource_data_sync(&home, SyncType::SyncFromSource, None).await.unwrap()), 0);
    let state = client.describe_account(&bob()).await.unwrap().state;
    assert_eq!(state, Some(ssm_organizations::ports::AccountState::Suspended), "accounts do not lag");

    advance(SECOND).await;
    assert!(is_listed(&client).await);
    assert_eq!(client.list_delegated_administrators(&SSM, None).await.unwrap().items[0].account, bob());
    assert_eq!(syncs(client.list_resource_data_sync(&home, SyncType::SyncFromSource, None).await.unwrap()), 1);
    assert!(client.get_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap().is_none());
}

/// In whichever order a builder is told of both.
#[tokio::test(start_paused = true)]
async fn what_was_there_from_the_beginning_was_always_there() {
    for lag in [Lag::Reads(2), Lag::Time(SECOND)] {
        for start in [trusting().lags_of(LIST, [lag]), organization().lags_of(LIST, [lag]).trusting(&SSM)] {
            let organization = start.build();
            organization.distrust(&SSM);
            let client = organization.management_client();
            assert!(is_listed(&client).await && is_listed(&client).await);
            advance(SECOND).await;
            assert!(!is_listed(&client).await);
        }
    }
}

#[tokio::test]
async fn a_change_is_missed_by_so_many_reads_of_the_same_operation() {
    let organization = trusting().lags_of(LIST, [Lag::Reads(2)]).lags_of(Operation::GetRole, [Lag::Reads(9)]).build();
    let client = organization.management_client();
    assert!(is_listed(&client).await, "what was there from the beginning lags behind nothing");
    organization.distrust(&SSM);
    // Neither other reads, nor calls of it that are refused or never arrive, bring it nearer.
    let denied = client.clone().without_permission(LIST.iam_action());
    for _ in 0..5 {
        client.list_delegated_administrators(&SSM, None).await.unwrap();
        client.get_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap();
        call(&denied, LIST).await.unwrap_err();
        call(&organization.client(bob()), LIST).await.unwrap_err();
        organization.fault(LIST, 1, Fault::LostBefore);
        call(&client, LIST).await.unwrap_err();
    }
    assert!(is_listed(&client).await);
    // One whose answer is lost was a read.
    organization.fault(LIST, 1, Fault::LostAfter);
    call(&client, LIST).await.unwrap_err();
    assert!(!is_listed(&client).await);
    // Operations without a lag show what is.
    organization.delegate(alice());
    assert_eq!(client.list_delegated_administrators(&SSM, None).await.unwrap().items.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_may_follow_a_new_one() {
    let lags = [Lag::NONE, Lag::Time(10 * SECOND), Lag::NONE, Lag::Reads(1_000)];
    let organization = organization().lags_of(LIST, lags).build();
    let client = organization.management_client();
    organization.trust(&SSM);
    let mut seen = Vec::new();
    for _ in 0..6 {
        seen.push(is_listed(&client).await);
    }
    assert_eq!(seen, [true, false, true, false, true, false]);
    advance(10 * SECOND).await;
    assert_eq!([is_listed(&client).await, is_listed(&client).await], [true, false]);
    assert_eq!([is_listed(&client).await, is_listed(&client).await], [true, true], "the second kind has caught up");
}

#[tokio::test(start_paused = true)]
async fn each_change_shows_in_its_turn() {
    let organization = organization().lag(3 * SECOND).build();
    let client = organization.management_client();
    for number in 0..50 {
        organization.trust(&principal(number));
        let shown = client.list_aws_service_access_for_organization(None).await.unwrap().items.len();
        assert_eq!(shown, number.saturating_sub(2).min(20), "three seconds late");
        advance(SECOND).await;
    }
}

// Rivals

#[tokio::test]
async fn a_rival_acts_immediately_before_the_call_that_was_named() {
    let organization = organization().build();
    let client = organization.management_client();
    assert!(!is_listed(&client).await);
    organization.before(LIST, 2, |organization| organization.trust(&SSM));
    assert!(!is_listed(&client).await);
    client.describe_organization().await.unwrap();
    assert!(!organization.is_trusted(&SSM));
    assert!(is_listed(&client).await);

    organization.before_call(2, |organization| organization.distrust(&SSM));
    client.describe_organization().await.unwrap();
    assert!(organization.is_trusted(&SSM));
    assert!(!is_listed(&client).await);
    organization.trust(&SSM);
    assert!(is_listed(&client).await, "once");
}

#[tokio::test]
async fn rivals_act_in_order_and_may_arrange_what_happens_to_the_call_after() {
    let organization = organization().build();
    let client = organization.management_client();
    organization.before(LIST, 1, |organization| organization.trust(&SSM));
    organization.before_call(1, |organization| {
        assert!(organization.is_trusted(&SSM));
        organization.distrust(&SSM);
        organization.fault(LIST, 1, Fault::LostBefore);
    });
    assert!(!is_listed(&client).await, "the fault is for the next one");
    call(&client, LIST).await.unwrap_err();
    assert_eq!(organization.count(LIST), 2, "what rivals do is no call");
}

// Death

#[tokio::test]
async fn from_the_nth_call_on_nothing_arrives_until_the_process_is_started_anew() {
    let organization = organization().latency(Duration::from_millis(1)).build();
    let client = organization.management_client();
    client.describe_organization().await.unwrap();
    organization.die(2);
    client.describe_organization().await.unwrap();
    for operation in Operation::ALL {
        lost(*operation, &call(&client, *operation).await.unwrap_err());
    }
    assert!(!organization.is_trusted(&SSM));
    assert!(organization.calls()[2..].iter().all(|call| call.outcome == Outcome::Lost));
    organization.live();
    call(&client, ENABLE).await.unwrap();
    assert!(organization.is_trusted(&SSM));
}

// Chance

/// What each of a hundred calls of each of some operations came to, one after another.
async fn luck(seed: u64, chances: Chances, operations: &[Operation]) -> Vec<Vec<Outcome>> {
    let organization = delegated().chances(seed, chances).build();
    let client = organization.management_client();
    for _ in 0..100 {
        for operation in operations {
            let _ = call(&client, *operation).await;
        }
    }
    by_operation(&organization, operations)
}

fn by_operation(organization: &sim::Organization, operations: &[Operation]) -> Vec<Vec<Outcome>> {
    let calls = organization.calls();
    let of = |operation: &Operation| {
        calls.iter().filter(|call| call.operation == *operation).map(|call| call.outcome.clone()).collect()
    };
    operations.iter().map(of).collect()
}

const READS: [Operation; 3] = [Operation::DescribeOrganization, LIST, Operation::GetCallerIdentity];

#[tokio::test]
async fn the_same_seed_draws_the_same_and_another_draws_otherwise() {
    let first = luck(7, Chances::each(100), &READS).await;
    assert_eq!(luck(7, Chances::each(100), &READS).await, first);
    assert_ne!(luck(8, Chances::each(100), &READS).await, first);
    // Each operation draws for itself.
    assert_ne!(first[0], first[1]);
    let bad = first.iter().flatten().filter(|outcome| **outcome != Outcome::Answered).count();
    assert!((50..=150).contains(&bad), "three in ten go wrong, and of a hundred calls {bad} did");
}

/// As computed by another program from the description: a seed that somebody noted down is worth keeping.
#[tokio::test]
async fn a_seed_draws_the_same_on_every_machine_and_in_every_release() {
    let organization = delegated().chances(7, Chances::each(100)).build();
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
        let which = |matches: fn(&Outcome) -> bool| {
            let nth = outcomes.iter().zip(1..).filter(|(outcome, _)| matches(outcome));
            nth.map(|(_, nth)| nth).collect::<Vec<_>>()
        };
        assert_eq!(which(|outcome| matches!(outcome, Outcome::Refused(_))), throttled, "{operation}");
        assert_eq!(which(|outcome| *outcome == Outcome::Lost), lost, "{operation}");
    }
}

#[tokio::test]
async fn what_is_drawn_does_not_depend_on_what_goes_on_meanwhile() {
    let alone = luck(7, Chances::each(100), &READS[..1]).await;
    let beside = luck(7, Chances::each(100), &READS).await;
    assert_eq!(alone[0], beside[0]);

    // At once, in another order, and with other accounts and Regions calling as well.
    let organization = delegated().latency(Duration::from_millis(1)).chances(7, Chances::each(100)).build();
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
    assert_ne!(outcomes(&theirs, READS[0]), beside[0], "another account draws otherwise");

    // A script takes the place of what was drawn, and of nothing else.
    let organization = delegated().chances(7, Chances::each(100)).build();
    let client = organization.management_client();
    organization.fault(READS[0], 5, Fault::refused("Scripted"));
    for _ in 0..100 {
        let _ = call(&client, READS[0]).await;
    }
    let mut expected = alone[0].clone();
    expected[4] = Outcome::Refused("Scripted".to_owned());
    assert_eq!(by_operation(&organization, &READS[..1])[0], expected);
    let mut certain = Chances::default();
    certain.lost_before = 1_000;
    let organization = delegated().chances(7, certain).build();
    organization.fault(LIST, 1, Fault::refused("Scripted"));
    let error = call(&organization.management_client(), LIST).await.unwrap_err();
    assert_eq!(error.code(), Some("Scripted"), "whatever was drawn");
}

#[tokio::test]
async fn regions_draw_for_themselves() {
    let mut drawn = Vec::new();
    for place in ["eu-central-1", "us-east-1"] {
        let organization = delegated().chances(7, Chances::each(100)).build();
        let client = organization.management_client();
        for _ in 0..100 {
            let _ = client.list_resource_data_sync(&region(place), SyncType::SyncFromSource, None).await;
        }
        drawn.push(by_operation(&organization, &[Operation::ListResourceDataSync]));
    }
    assert_ne!(drawn[0], drawn[1]);
}

#[tokio::test]
async fn about_as_many_go_wrong_as_were_asked_for_and_in_the_way_that_was_asked_for() {
    const CALLS: usize = 10_000;
    let chances = |set: fn(&mut Chances)| {
        let mut chances = Chances::default();
        set(&mut chances);
        chances
    };
    let lost_or = |code: Option<&str>| code.map_or(Outcome::Lost, |code| Outcome::Refused(code.to_owned()));
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
        (chances(|chances| chances.lost_before = 50), LIST, Outcome::Lost, 500),
        (chances(|chances| chances.lost_after = 20), LIST, Outcome::Lost, 200),
        (chances(|chances| chances.lost_before = 1_000), LIST, Outcome::Lost, CALLS),
        (Chances::each(u16::MAX), LIST, lost_or(Some("TooManyRequestsException")), CALLS),
        (Chances::default(), LIST, Outcome::Answered, CALLS),
    ] {
        let organization = delegated().chances(1, chances).build();
        let client = organization.management_client();
        for _ in 0..CALLS {
            let _ = call(&client, operation).await;
        }
        let counted = organization.calls().iter().filter(|call| call.outcome == outcome).count();
        // Five standard deviations, and nothing where nothing was asked for.
        let fluctuation = if expected == 0 || expected == CALLS { 0 } else { 110 };
        assert!(counted.abs_diff(expected) <= fluctuation, "{operation}, {outcome}: {counted} of {expected}");
    }
}

#[tokio::test]
async fn chance_can_lose_a_call_on_its_way_and_a_reply_on_its_way_back() {
    for (after, chances) in [(false, Chances::default()), (true, Chances::default())] {
        let mut chances = chances;
        if after {
            chances.lost_after = 1_000;
        } else {
            chances.lost_before = 1_000;
        }
        let organization = organization().chances(1, chances).build();
        lost(ENABLE, &call(&organization.management_client(), ENABLE).await.unwrap_err());
        assert_eq!(organization.is_trusted(&SSM), after);
    }
}

// The log

#[tokio::test]
async fn every_call_has_its_line() {
    let organization = trusting().build();
    let client = organization.management_client();
    let home = region("eu-central-1");
    call(&client, Operation::RegisterDelegatedAdministrator).await.unwrap();
    client.describe_account(&alice()).await.unwrap();
    client.list_resource_data_sync(&home, SyncType::SyncFromSource, None).await.unwrap();
    call(&organization.client(alice()), ENABLE).await.unwrap_err();
    call(&client, Operation::DisableAwsServiceAccess).await.unwrap_err();
    organization.fault_at(1, Fault::LostAfter);
    call(&client, Operation::DeregisterDelegatedAdministrator).await.unwrap_err();
    organization.fault_at(1, Fault::refused("ServiceException"));
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
async fn calls_are_counted_by_operation() {
    let organization = organization().build();
    let client = organization.management_client();
    for operation in [LIST, ENABLE, LIST, Operation::GetCallerIdentity, ENABLE, LIST] {
        let _ = call(&client, operation).await;
    }
    assert_eq!(
        (organization.count(LIST), organization.count(ENABLE), organization.count(Operation::GetRole)),
        (3, 2, 0)
    );
    let counts: Vec<_> = organization.counts().into_iter().collect();
    assert_eq!(counts, [(LIST, 3), (ENABLE, 2), (Operation::GetCallerIdentity, 1)]);
    assert_eq!((organization.writes(), organization.calls().len()), (2, 6));
    organization.forget_calls();
    assert_eq!((organization.writes(), organization.calls().len(), organization.count(LIST)), (0, 0, 0));
    assert_eq!(organization.counts().len(), 0);
    // Counting for scripts goes on.
    organization.fault(LIST, 1, Fault::LostBefore);
    call(&client, LIST).await.unwrap_err();
}

#[tokio::test]
async fn what_whoever_arranges_a_test_does_is_no_call() {
    let organization = organization().build();
    organization.fault_at(1, Fault::LostBefore);
    organization.trust(&SSM);
    organization.delegate(alice());
    organization.undelegate(alice());
    organization.add_data_sync(alice(), region("eu-central-1"), organization_sync("it"));
    let _ = (organization.snapshot(), organization.administrators(), organization.is_trusted(&SSM));
    assert_eq!(organization.calls(), []);
    // A clone is another hand on the same organization.
    organization.clone().distrust(&SSM);
    assert!(!organization.is_trusted(&SSM));
    lost(LIST, &call(&organization.management_client(), LIST).await.unwrap_err());
}

// Size

#[tokio::test]
async fn a_hundred_thousand_members_take_no_room() {
    let first = account("500000000000");
    let last = account("500000099999");
    let beyond = account("500000100000");
    let few = organization().members(10).build();
    let many = organization().members(100_000).build();
    assert_eq!(format!("{:?}", few.snapshot()).len() + "99990".len() - 1, format!("{:?}", many.snapshot()).len());
    let client = many.management_client();
    for member in [first, last] {
        assert_eq!(client.describe_account(&member).await.unwrap().id, member);
    }
    assert_eq!(client.describe_account(&beyond).await.unwrap_err().code(), Some("AccountNotFoundException"));
    many.client(last).describe_organization().await.unwrap();
    call(&client, ENABLE).await.unwrap();
    client.register_delegated_administrator(&last, &SSM).await.unwrap();
    assert_eq!(many.administrators(), [last]);
    // One of them may be named, and then differs.
    many.set_member(first, ssm_organizations::ports::AccountState::Closed);
    let state = client.describe_account(&first).await.unwrap().state;
    assert_eq!(state, Some(ssm_organizations::ports::AccountState::Closed));
    assert_ne!(many.snapshot(), few.snapshot());
}

/// The weather does not reach what the documents leave open.
#[tokio::test]
async fn settings_and_weather_go_together() {
    let mut undocumented = Undocumented::default();
    undocumented.enabling_makes_role = true;
    let organization =
        organization().undocumented(undocumented).throttled().lag(SECOND).chances(1, Chances::default()).build();
    call(&organization.management_client(), ENABLE).await.unwrap();
    assert!(organization.has_role(management(), &RoleName::ACCOUNT_DISCOVERY));
}

#[tokio::test]
async fn a_call_that_never_comes_and_one_that_is_next() {
    let organization = sim::Organization::builder().build();
    let client = organization.management_client();
    client.get_caller_identity().await.unwrap();
    organization.die(usize::MAX);
    organization.fault_at(usize::MAX, Fault::LostAfter);
    organization.fault(Operation::GetCallerIdentity, usize::MAX, Fault::LostAfter);
    client.get_caller_identity().await.unwrap();
    // Counted from one: what is before the first is the next.
    organization.fault(Operation::GetCallerIdentity, 0, Fault::LostAfter);
    client.get_caller_identity().await.unwrap_err();
}

#[test]
fn the_order_in_which_a_builder_is_told_does_not_matter() {
    let other = "444444444444".parse().unwrap();
    let mut setting = Undocumented::default();
    setting.enabling_makes_role = true;
    let (ssm, discovery) = (ServicePrincipal::SYSTEMS_MANAGER, ServicePrincipal::ACCOUNT_DISCOVERY);
    let builder = sim::Organization::builder;
    let first = builder().management(other).undocumented(setting.clone()).role_for(&discovery).trusting(&ssm).build();
    let last = builder().trusting(&ssm).role_for(&discovery).undocumented(setting).management(other).build();
    assert_eq!(first.snapshot().without_dates(), last.snapshot().without_dates());
}
