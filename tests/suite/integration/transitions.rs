//! Results, changes and costs of transitions.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{
    SSM, alice, bob, delegated, disabled_in, expect_delegated, expect_disabled, expect_inconsistent, expect_trusted,
    inconsistent_in, management, observe, organization, trusted_in, trusting,
};
use ssm_organizations::domain::Partition;
use ssm_organizations::ports::{AccountState, Operation, SystemsManagerClient};
use ssm_organizations::{
    Certainty, ChangeKind, Error, ErrorKind, Integration, Observed, ServicePrincipal, SyncProtection, sim,
};

#[tokio::test]
async fn enable_register_deregister_disable_record_changes() {
    let organization = organization().build();
    let disabled = disabled_in(&organization).await;
    assert_eq!(disabled.organization().management_account, management());
    assert_eq!(disabled.caller(), Some(management()));

    let trusted = disabled.enable_trusted_access().await.unwrap();
    assert!(organization.is_trusted(&SSM));
    let trusted_since = trusted.enabled_at();
    assert!(trusted_since.is_some());

    let delegated = trusted.register_delegated_administrator(alice()).await.unwrap();
    assert_eq!(organization.administrators(), [alice()]);
    assert_eq!(delegated.administrator().account, alice());
    assert_eq!(delegated.enabled_at(), trusted_since);
    let delegated_since = delegated.administrator().delegated_at;
    assert!(delegated_since.is_some());

    let trusted = delegated.deregister(SyncProtection::AllowLoss).await.unwrap();
    assert!(organization.administrators().is_empty());
    let disabled = trusted.disable(SyncProtection::AllowLoss).await.unwrap();
    assert!(!organization.is_trusted(&SSM));

    let [enabled, registered, deregistered, ended] = disabled.changes() else { panic!("{:?}", disabled.changes()) };
    assert!(matches!(&enabled.kind, ChangeKind::TrustedAccessEnabled { principal, enabled_at, .. }
        if *principal == SSM && *enabled_at == trusted_since));
    assert!(matches!(&registered.kind, ChangeKind::AdministratorRegistered { account, delegated_at, .. }
        if *account == alice() && *delegated_at == delegated_since));
    assert!(matches!(&deregistered.kind, ChangeKind::AdministratorDeregistered { account, delegated_at, .. }
        if *account == alice() && *delegated_at == delegated_since));
    assert!(
        matches!(&ended.kind, ChangeKind::TrustedAccessDisabled { enabled_at, .. } if *enabled_at == trusted_since)
    );
    assert!(disabled.changes().iter().all(|change| change.certainty == Certainty::Confirmed && change.observed));
}

#[tokio::test]
async fn ensure_delegated_from_every_state_registers_account() {
    let starts = [
        (organization(), 2),
        (trusting(), 1),
        (delegated(), 0),
        // Trusted access is restored, and no administrator is deregistered.
        (organization().delegated_administrator(alice()), 1),
        (delegated().member_with_state(alice(), AccountState::Suspended), 0),
    ];
    for (start, writes) in starts {
        let organization = start.build();
        let handle = observe(&organization).await.ensure_delegated(alice()).await.unwrap();
        assert_eq!(handle.administrator().account, alice());
        assert_eq!((organization.administrators(), organization.is_trusted(&SSM)), (vec![alice()], true));
        assert_eq!((organization.write_count(), handle.changes().len()), (writes, writes));
    }
}

#[tokio::test]
async fn ensure_delegated_never_replaces_other_administrator() {
    let starts = [
        (trusting().delegated_administrator(bob()), vec![bob()]),
        (trusting().delegated_administrator(alice()).delegated_administrator(bob()), vec![bob()]),
        (organization().delegated_administrator(bob()), vec![bob()]),
    ];
    for (start, expected) in starts {
        let organization = start.build();
        let observed = observe(&organization).await;
        organization.clear_calls();
        let (error, recovered) = crate::common::failed(observed.ensure_delegated(alice()).await);
        assert!(
            matches!(error.kind(), ErrorKind::AlreadyDelegated { accounts, .. } if *accounts == expected),
            "{error}"
        );
        assert_eq!(crate::common::way(&recovered), crate::common::RecoveredVariant::Unchanged);
        assert_eq!(
            (organization.call_count(Operation::ListDelegatedAdministrators), organization.write_count()),
            (1, 0)
        );
    }

    // Another caller deregisters Bob between the two reads.
    let organization = trusting().delegated_administrator(bob()).build();
    let observed = observe(&organization).await;
    organization.deregister_administrator(bob());
    let (error, recovered) = crate::common::failed(observed.ensure_delegated(alice()).await);
    assert_eq!(
        (error.kind(), crate::common::way(&recovered)),
        (&ErrorKind::StateChanged, crate::common::RecoveredVariant::Moved)
    );
}

#[tokio::test]
async fn ensure_disabled_from_every_state_keeps_other_services() {
    let config = ServicePrincipal::new("config.amazonaws.com").unwrap();
    let starts = [
        (organization(), 0),
        (trusting(), 1),
        (delegated(), 2),
        (delegated().delegated_administrator(bob()), 3),
        (organization().delegated_administrator(alice()), 1),
        (delegated().member_with_state(alice(), AccountState::Closed), 2),
    ];
    for (start, writes) in starts {
        let organization = start.trusted_access_for(&config).build();
        let disabled = observe(&organization).await.ensure_disabled(SyncProtection::AllowLoss).await.unwrap();
        assert_eq!((organization.administrators(), organization.is_trusted(&SSM)), (vec![], false));
        assert!(organization.is_trusted(&config));
        assert_eq!((organization.write_count(), disabled.changes().len()), (writes, writes));
    }
}

#[tokio::test]
async fn inconsistent_state_can_be_resolved() {
    let both = || trusting().delegated_administrator(alice()).delegated_administrator(bob());

    let organization = both().build();
    let inconsistent = inconsistent_in(&organization).await;
    assert_eq!(inconsistent.administrators().len(), 2);
    assert_eq!(inconsistent.enabled_service().map(|trust| trust.principal.clone()), Some(SSM));
    let observed = inconsistent.retain_only(bob(), SyncProtection::AllowLoss).await.unwrap();
    assert_eq!(expect_delegated(observed).administrator().account, bob());
    assert_eq!(organization.administrators(), [bob()]);

    let organization = both().build();
    let observed =
        inconsistent_in(&organization).await.remove_all_administrators(SyncProtection::AllowLoss).await.unwrap();
    assert_eq!(expect_trusted(observed).changes().len(), 2);
    assert!(organization.administrators().is_empty());

    // Trusted access is disabled.
    let untrusted = || organization_with_both_and_no_trust().build();
    let organization = untrusted();
    let inconsistent = inconsistent_in(&organization).await;
    assert!(inconsistent.enabled_service().is_none());
    let observed = inconsistent.remove_all_administrators(SyncProtection::AllowLoss).await.unwrap();
    let _ = expect_disabled(observed);

    let organization = untrusted();
    let observed = inconsistent_in(&organization).await.retain_only(alice(), SyncProtection::AllowLoss).await.unwrap();
    let inconsistent = expect_inconsistent(observed);
    let delegated = expect_delegated(inconsistent.restore_trusted_access().await.unwrap());
    assert_eq!(delegated.administrator().account, alice());

    // Trusted access is already enabled.
    let organization = both().build();
    let _ = expect_inconsistent(inconsistent_in(&organization).await.restore_trusted_access().await.unwrap());
    assert_eq!(organization.write_count(), 0);
}

fn organization_with_both_and_no_trust() -> sim::SimOrganizationBuilder {
    organization().delegated_administrator(alice()).delegated_administrator(bob())
}

#[tokio::test]
async fn suspended_administrator_is_shown_and_can_be_deregistered() {
    let organization = delegated().member_with_state(alice(), AccountState::Suspended).build();
    let handle = expect_delegated(observe(&organization).await);
    assert_eq!(handle.administrator().state, Some(AccountState::Suspended));
    assert!(handle.to_string().contains("SUSPENDED"), "{handle}");
    handle.deregister(SyncProtection::AllowLoss).await.unwrap();
    assert!(organization.administrators().is_empty());
}

#[tokio::test]
async fn observe_again_keeps_recorded_changes() {
    let organization = organization().build();
    let trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    organization.disable_trusted_access(&SSM);
    let disabled = expect_disabled(trusted.into_unobserved().observe().await.unwrap());
    assert_eq!(disabled.changes().len(), 1);
    // The read is newer than the change, so it is not considered stale.
    let begun = std::time::Instant::now();
    disabled.enable_trusted_access().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn observe_reports_partition_of_organization() {
    let organization = organization().partition(Partition::AWS_CN).build();
    assert_eq!(disabled_in(&organization).await.organization().partition, Partition::AWS_CN);
}

/// Returns every operation that was called, with its number of calls.
fn calls(organization: &sim::SimOrganization) -> Vec<(Operation, usize)> {
    let counts = Operation::ALL.iter().map(|operation| (*operation, organization.call_count(*operation)));
    counts.filter(|(_, count)| *count > 0).collect()
}

#[tokio::test(start_paused = true)]
async fn observe_makes_four_concurrent_reads() {
    let organization = delegated().latency(Duration::from_secs(1)).build();
    let begun = tokio::time::Instant::now();
    let _ = observe(&organization).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(1), "the reads are concurrent");
    assert_eq!(
        calls(&organization),
        [
            (Operation::DescribeOrganization, 1),
            (Operation::ListAwsServiceAccessForOrganization, 1),
            (Operation::ListDelegatedAdministrators, 1),
            (Operation::GetCallerIdentity, 1),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn disable_reads_preconditions_concurrently() {
    let regions: Vec<_> = (1..=30).map(|number| crate::common::region(&format!("eu-test-{number}"))).collect();
    let organization = trusting().latency(Duration::from_secs(1)).build();
    let trusted = trusted_in(&organization).await;
    let client = organization.management_client();
    organization.clear_calls();
    let begun = tokio::time::Instant::now();
    trusted.disable(SyncProtection::Protect { clients: &[&client], regions: &regions }).await.unwrap();
    assert_eq!(organization.call_count(Operation::ListResourceDataSync), 30);
    // Three sequential calls: the identity, syncs and administrators concurrently; the write; the
    // confirming read.
    assert_eq!(begun.elapsed(), Duration::from_secs(3));
}

#[tokio::test]
async fn call_count_is_independent_of_organization_size() {
    let mut costs = Vec::new();
    for members in [10, 100_000] {
        let organization = organization().members(members).build();
        observe(&organization).await.ensure_delegated(alice()).await.unwrap();
        observe(&organization).await.ensure_disabled(SyncProtection::AllowLoss).await.unwrap();
        costs.push(calls(&organization));
    }
    assert_eq!(costs[0], costs[1]);
}

/// Returns the burst limit of an operation, from the quota page of the Organizations guide.
fn burst(operation: Operation) -> usize {
    match operation {
        Operation::EnableAwsServiceAccess
        | Operation::DisableAwsServiceAccess
        | Operation::RegisterDelegatedAdministrator
        | Operation::DeregisterDelegatedAdministrator
        | Operation::DescribeOrganization => 2,
        Operation::ListAwsServiceAccessForOrganization => 3,
        Operation::ListDelegatedAdministrators => 8,
        Operation::DescribeAccount => 30,
        _ => usize::MAX,
    }
}

#[tokio::test]
async fn ensure_stays_within_aws_burst_limits() {
    let organization = organization().build();
    observe(&organization).await.ensure_delegated(alice()).await.unwrap();
    for (operation, count) in calls(&organization) {
        assert!(count <= burst(operation), "onboarding: {operation} {count} times");
    }
    let (ours, theirs) = (organization.management_client(), organization.client(alice()));
    let ssm: [&dyn SystemsManagerClient; 2] = [&ours, &theirs];
    let regions = [crate::common::region("eu-central-1")];
    organization.clear_calls();
    observe(&organization)
        .await
        .ensure_disabled(SyncProtection::Protect { clients: &ssm, regions: &regions })
        .await
        .unwrap();
    for (operation, count) in calls(&organization) {
        assert!(count <= burst(operation), "offboarding: {operation} {count} times");
    }
}

#[tokio::test]
async fn ensure_in_target_state_writes_nothing() {
    let organization = organization().build();
    observe(&organization).await.ensure_delegated(alice()).await.unwrap();
    organization.clear_calls();
    observe(&organization).await.ensure_delegated(alice()).await.unwrap();
    assert_eq!(organization.write_count(), 0);
    observe(&organization).await.ensure_disabled(SyncProtection::AllowLoss).await.unwrap();
    organization.clear_calls();
    observe(&organization).await.ensure_disabled(SyncProtection::AllowLoss).await.unwrap();
    assert_eq!(organization.write_count(), 0);
}

#[tokio::test]
async fn observe_follows_short_and_empty_pages() {
    let principal = |name: &str| ServicePrincipal::new(format!("{name}.amazonaws.com")).unwrap();
    // Four names precede Systems Manager in the listing and three follow it, with two names per
    // page.
    let names = ["a", "b", "c", "d", "t", "u", "v"];
    let with = |builder: sim::SimOrganizationBuilder| {
        names
            .iter()
            .fold(builder.page_size(2).empty_first_page(), |builder, name| builder.trusted_access_for(&principal(name)))
    };
    let organization = with(trusting()).build();
    let _ = trusted_in(&organization).await;
    // One empty page and three pages up to Systems Manager.
    assert_eq!(organization.call_count(Operation::ListAwsServiceAccessForOrganization), 4);

    let organization = with(crate::common::organization()).build();
    let _ = disabled_in(&organization).await;
    // Absence needs every page: the empty one and four pages with seven names.
    assert_eq!(organization.call_count(Operation::ListAwsServiceAccessForOrganization), 5);

    let organization =
        with(trusting().delegated_administrator(alice()).delegated_administrator(bob())).page_size(1).build();
    let inconsistent = inconsistent_in(&organization).await;
    assert_eq!(inconsistent.administrators().len(), 2, "the second one is on a later page");
}

#[tokio::test]
async fn failed_observation_returns_access_denied() {
    let organization = organization().build();
    let failure = Integration::new(organization.client(alice())).observe().await.unwrap_err();
    let error = Error::from(failure);
    assert_eq!(*error.kind(), ErrorKind::AccessDenied);
    let observed: Observed<_> = observe(&organization).await;
    let _client: sim::SimClient = observed.into_client();
}
