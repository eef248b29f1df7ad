//! Calls that AWS throttles or refuses because of another change in progress.
#![cfg(feature = "sim")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::{
    MockClient, SSM, alice, delegated, delegated_in, disabled_in, expect_trusted, failed, management, observe,
    organization, organization_sync, region, trusted_in, trusting,
};
use ssm_organizations::domain::PageToken;
use ssm_organizations::ports::{
    CallerIdentity, Operation, Organization, Page, SourceRegions, SyncDefinition, SystemsManagerClient,
};
use ssm_organizations::sim::{Fault, SimOrganization};
use ssm_organizations::{
    Error, ErrorKind, Integration, Recovered, RetryStatus, ServicePrincipal, SyncProtection, WriteStatus,
};
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_mins(1);

fn refuse_all(organization: &SimOrganization, operation: Operation, code: &str) {
    for nth in 1..=200 {
        organization.inject_fault(operation, nth, Fault::refused(code));
    }
}

#[tokio::test(start_paused = true)]
async fn observe_throttled_reads_succeeds() {
    let reads = [
        Operation::DescribeOrganization,
        Operation::GetCallerIdentity,
        Operation::ListAwsServiceAccessForOrganization,
        Operation::ListDelegatedAdministrators,
    ];
    for operation in reads {
        let organization = delegated().build();
        for nth in 1..=3 {
            organization.inject_fault(operation, nth, Fault::throttled(operation));
        }
        let observed = observe(&organization).await;
        assert_eq!(observed.caller(), Some(management()), "{operation}");
        assert_eq!(organization.call_count(operation), 4, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn observe_always_throttled_is_exhausted_at_the_limit() {
    let organization = organization().build();
    refuse_all(&organization, Operation::ListDelegatedAdministrators, "TooManyRequestsException");
    let begun = Instant::now();
    let handle = Integration::new(organization.management_client());
    let (error, recovered) = failed(handle.observe().await);
    assert_eq!((error.kind(), error.retry_status()), (&ErrorKind::Throttled, RetryStatus::Exhausted));
    assert!(matches!(recovered, Recovered::Unchanged(_)));
    // The longest pause between two calls is twelve seconds.
    let range = Duration::from_secs(48)..=LIMIT;
    assert!(range.contains(&begun.elapsed()), "{:?}", begun.elapsed());
    // The pauses grow, so the number of calls stays small.
    assert!(organization.call_count(Operation::ListDelegatedAdministrators) < 25);
}

#[tokio::test(start_paused = true)]
async fn pauses_of_two_throttled_clients_differ() {
    let mut times = Vec::new();
    for _ in 0..4 {
        let organization = organization().build();
        organization.inject_fault(
            Operation::DescribeOrganization,
            1,
            Fault::throttled(Operation::DescribeOrganization),
        );
        let begun = Instant::now();
        observe(&organization).await;
        times.push(begun.elapsed());
    }
    let range = Duration::from_millis(500)..=Duration::from_millis(1_501);
    assert!(times.iter().all(|time| range.contains(time)), "{times:?}");
    times.dedup();
    assert!(times.len() > 1, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn observe_throttled_page_continues_from_its_token() {
    let others = (0..4).map(|number| ServicePrincipal::new(format!("a{number}.amazonaws.com")).unwrap());
    let start = others.fold(organization(), |start, other| start.trusted_access_for(&other));
    let organization = start.trusted_access_for(&SSM).page_size(1).build();
    let listing = Operation::ListAwsServiceAccessForOrganization;
    for nth in [3, 4, 6] {
        organization.inject_fault(listing, nth, Fault::throttled(listing));
    }
    expect_trusted(observe(&organization).await);
    // Five pages and three refusals: no page is read twice.
    assert_eq!(organization.call_count(listing), 8);
}

#[tokio::test(start_paused = true)]
async fn observe_slow_progress_outlasts_the_limit() {
    let others = (0..40).map(|number| ServicePrincipal::new(format!("a{number:02}.amazonaws.com")).unwrap());
    let start = others.fold(organization(), |start, other| start.trusted_access_for(&other));
    let organization = start.trusted_access_for(&SSM).page_size(1).build();
    let listing = Operation::ListAwsServiceAccessForOrganization;
    // AWS throttles every page twice. All pauses together are longer than the limit.
    for nth in (1..=200).filter(|nth| nth % 3 != 0) {
        organization.inject_fault(listing, nth, Fault::throttled(listing));
    }
    let begun = Instant::now();
    expect_trusted(observe(&organization).await);
    assert!(begun.elapsed() > LIMIT, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn observe_waits_as_long_as_aws_asks() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let mut client = MockClient::new();
    client.expect_describe_organization().returning(|| {
        if CALLS.fetch_add(1, Ordering::Relaxed) > 0 {
            return Ok(Organization::new("o-exampleorgid".parse()?, management()));
        }
        let operation = Operation::DescribeOrganization;
        let refusal = Error::from_service_error(operation, "TooManyRequestsException", "");
        Err(refusal.with_retry(RetryStatus::Exhausted).with_retry_after(Duration::from_secs(30)))
    });
    client.expect_get_caller_identity().returning(|| Ok(CallerIdentity::new(management())));
    client.expect_list_aws_service_access_for_organization().returning(|_| Ok(Page::default()));
    client.expect_list_delegated_administrators().returning(|_, _| Ok(Page::default()));
    let begun = Instant::now();
    Integration::new(client).observe().await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn listing_without_an_end_is_an_error() {
    static PAGES: AtomicUsize = AtomicUsize::new(0);
    let mut client = MockClient::new();
    client.expect_describe_organization().returning(|| Ok(Organization::new("o-exampleorgid".parse()?, management())));
    client.expect_get_caller_identity().returning(|| Ok(CallerIdentity::new(management())));
    client.expect_list_aws_service_access_for_organization().returning(|_| {
        let page = PAGES.fetch_add(1, Ordering::Relaxed);
        Ok(Page { items: Vec::new(), next: Some(PageToken::new(format!("page-{page}"))?) })
    });
    client.expect_list_delegated_administrators().returning(|_, _| Ok(Page::default()));
    let (error, _) = failed(Integration::new(client).observe().await);
    assert_eq!(*error.kind(), ErrorKind::UnexpectedResponse, "{error}");
    assert_eq!(error.operation(), Some(Operation::ListAwsServiceAccessForOrganization));
    assert_eq!(PAGES.load(Ordering::Relaxed), 1_000);
}

#[tokio::test(start_paused = true)]
async fn refused_write_is_sent_again_until_accepted() {
    for code in ["TooManyRequestsException", "ConcurrentModificationException"] {
        let organization = organization().build();
        for operation in [
            Operation::EnableAwsServiceAccess,
            Operation::RegisterDelegatedAdministrator,
            Operation::DeregisterDelegatedAdministrator,
            Operation::DisableAwsServiceAccess,
        ] {
            for nth in 1..=3 {
                organization.inject_fault(operation, nth, Fault::refused(code));
            }
        }
        let delegated = observe(&organization).await.ensure_delegated(alice()).await.unwrap();
        let disabled = delegated.deregister(SyncProtection::AllowLoss).await.unwrap();
        let disabled = disabled.disable(SyncProtection::AllowLoss).await.unwrap();
        assert_eq!(disabled.changes().len(), 4, "{code}");
        assert_eq!(organization.call_count(Operation::DisableAwsServiceAccess), 4, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn refused_write_is_exhausted_at_the_limit() {
    for code in ["TooManyRequestsException", "ConcurrentModificationException"] {
        let organization = organization().build();
        refuse_all(&organization, Operation::EnableAwsServiceAccess, code);
        let disabled = disabled_in(&organization).await;
        let begun = Instant::now();
        let (error, recovered) = failed(disabled.enable_trusted_access().await);
        assert_eq!((error.code(), error.retry_status()), (Some(code), RetryStatus::Exhausted));
        assert_eq!(error.write_status(), WriteStatus::NotApplied);
        assert!(matches!(recovered, Recovered::Unchanged(_)), "{code}");
        assert!(begun.elapsed() <= LIMIT, "{:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn throttled_enable_overtaken_by_others_is_not_ours() {
    let organization = organization().build();
    let disabled = disabled_in(&organization).await;
    let write = Operation::EnableAwsServiceAccess;
    organization.inject_fault(write, 1, Fault::throttled(write));
    organization.run_before(Operation::ListAwsServiceAccessForOrganization, 1, |organization| {
        organization.enable_trusted_access(&SSM);
    });
    let trusted = disabled.enable_trusted_access().await.unwrap();
    assert_eq!((trusted.changes().len(), organization.call_count(write)), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn throttled_deregistration_checks_the_syncs_again() {
    let organization = delegated().build();
    let client = organization.client(alice());
    let regions = [region("eu-central-1")];
    let delegated = delegated_in(&organization).await;
    let write = Operation::DeregisterDelegatedAdministrator;
    organization.inject_fault(write, 1, Fault::throttled(write));
    organization.run_before(Operation::ListResourceDataSync, 2, |organization| {
        organization.add_data_sync(alice(), region("eu-central-1"), organization_sync("new"));
    });
    let clients: [&dyn SystemsManagerClient; 1] = [&client];
    let syncs = SyncProtection::Protect { clients: &clients, regions: &regions };
    let (error, _) = failed(delegated.deregister(syncs).await);
    assert!(matches!(error.kind(), ErrorKind::DataSyncsExist { .. }), "{error}");
    assert_eq!((organization.call_count(write), organization.administrators()), (1, vec![alice()]));
}

#[tokio::test(start_paused = true)]
async fn throttled_sync_and_role_writes_succeed() {
    let organization = trusting().build();
    for (operation, code) in [
        (Operation::CreateServiceLinkedRole, "Throttling"),
        (Operation::DeleteServiceLinkedRole, "ConcurrentModification"),
        (Operation::CreateResourceDataSync, "ThrottlingException"),
        (Operation::UpdateResourceDataSync, "ResourceDataSyncConflictException"),
        (Operation::DeleteResourceDataSync, "ThrottlingException"),
    ] {
        for nth in 1..=3 {
            organization.inject_fault(operation, nth, Fault::refused(code));
        }
    }
    let client = organization.management_client();
    let home = [region("eu-central-1")];
    let whole = |regions: &[&str]| {
        let regions = SourceRegions::new(regions.iter().map(|name| region(name))).unwrap();
        SyncDefinition::of_organization("all".parse().unwrap(), regions)
    };
    let mut trusted = trusted_in(&organization).await;
    trusted.account_discovery_role(&client).ensure().await.unwrap();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    for definition in [whole(&["eu-central-1"]), whole(&["eu-central-1", "us-east-1"])] {
        syncs.ensure(&definition, &home).await.unwrap().into_result().unwrap();
    }
    syncs.delete(&"all".parse().unwrap(), &home).await.unwrap().into_result().unwrap();
    let mut disabled = trusted.disable(SyncProtection::AllowLoss).await.unwrap();
    disabled.account_discovery_role(&client).delete(SyncProtection::AllowLoss).await.unwrap();
    // Trusted access has one change, the role two and the sync three.
    assert_eq!(disabled.changes().len(), 6);
    assert_eq!(organization.write_count(), 21);
}

#[tokio::test(start_paused = true)]
async fn throttled_sync_creation_sees_a_sync_of_others() {
    let organization = trusting().service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY).build();
    let client = organization.management_client();
    let home = [region("eu-central-1")];
    let write = Operation::CreateResourceDataSync;
    organization.inject_fault(write, 1, Fault::refused("ThrottlingException"));
    let definition =
        SyncDefinition::of_organization("all".parse().unwrap(), SourceRegions::new(home.iter().cloned()).unwrap());
    let mut other = organization_sync("all");
    other.regions = vec![region("us-west-2")];
    organization.run_before(write, 2, |_| panic!("the creation was sent again"));
    let mut trusted = trusted_in(&organization).await;
    // The first listing precedes the refused write.
    organization.run_before(Operation::ListResourceDataSync, 2, move |organization| {
        organization.add_data_sync(management(), region("eu-central-1"), other.clone());
    });
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let ensured = syncs.ensure(&definition, &home).await.unwrap().into_result().unwrap();
    // The existing sync is updated.
    assert_eq!((ensured.len(), organization.call_count(write)), (1, 1));
    assert_eq!(organization.call_count(Operation::UpdateResourceDataSync), 1);
}

/// Asserts that the error states the duration of the retries.
#[tokio::test(start_paused = true)]
async fn exhausted_call_names_the_time_of_its_retries() {
    let organization = organization().build();
    refuse_all(&organization, Operation::EnableAwsServiceAccess, "ConcurrentModificationException");
    let (write, _) = failed(observe(&organization).await.ensure_delegated(alice()).await);
    refuse_all(&organization, Operation::ListAwsServiceAccessForOrganization, "TooManyRequestsException");
    let (read, _) = failed(Integration::new(organization.management_client()).observe().await);
    for error in [write, read] {
        assert_eq!(error.retry_status(), RetryStatus::Exhausted, "{error}");
        assert!(error.to_string().ends_with("; repeated for 60s"), "{error}");
    }
}
