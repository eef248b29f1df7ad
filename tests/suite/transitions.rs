//! Where transitions lead, what they change and what they cost.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{
    SSM, alice, bob, delegated, disabled_in, expect_delegated, expect_disabled, expect_irregular, expect_trusted,
    irregular_in, management, observe, organization, trusted_in, trusting,
};
use ssm_organizations::ports::{AccountState, Operation, SystemsManagerClient};
use ssm_organizations::{
    Certainty, ChangeKind, Error, ErrorKind, Integration, Observed, Partition, ServicePrincipal, Syncs, sim,
};

#[tokio::test]
async fn there_and_back_step_by_step() {
    let organization = organization().build();
    let disabled = disabled_in(&organization).await;
    assert_eq!(disabled.organization().management_account, management());
    assert_eq!(disabled.caller(), Some(management()));

    let trusted = disabled.enable_trusted_access().await.unwrap();
    assert!(organization.is_trusted(&SSM));
    let trusted_since = trusted.trusted_since();
    assert!(trusted_since.is_some());

    let delegated = trusted.register_delegated_administrator(&alice()).await.unwrap();
    assert_eq!(organization.administrators(), [alice()]);
    assert_eq!(delegated.administrator().account, alice());
    assert_eq!(delegated.trusted_since(), trusted_since);
    let delegated_since = delegated.administrator().since;
    assert!(delegated_since.is_some());

    let trusted = delegated.deregister(Syncs::Forfeit).await.unwrap();
    assert!(organization.administrators().is_empty());
    let disabled = trusted.disable(Syncs::Forfeit).await.unwrap();
    assert!(!organization.is_trusted(&SSM));

    let [enabled, registered, deregistered, ended] = disabled.changes() else { panic!("{:?}", disabled.changes()) };
    assert!(matches!(&enabled.kind, ChangeKind::TrustedAccessEnabled { principal, since, .. }
        if *principal == SSM && *since == trusted_since));
    assert!(matches!(&registered.kind, ChangeKind::AdministratorRegistered { account, since, .. }
        if *account == alice() && *since == delegated_since));
    assert!(matches!(&deregistered.kind, ChangeKind::AdministratorDeregistered { account, since, .. }
        if *account == alice() && *since == delegated_since));
    assert!(matches!(&ended.kind, ChangeKind::TrustedAccessDisabled { since, .. } if *since == trusted_since));
    assert!(disabled.changes().iter().all(|change| change.certainty == Certainty::Did && change.shown));
}

#[tokio::test]
async fn every_start_reaches_the_administrator_that_was_asked_for() {
    let starts = [
        (organization(), 2),
        (trusting(), 1),
        (delegated(), 0),
        // Administered without trusted access: it comes back, and nothing is taken away.
        (organization().delegated_to(alice()), 1),
        (delegated().member_in(alice(), AccountState::Suspended), 0),
    ];
    for (start, writes) in starts {
        let organization = start.build();
        let handle = observe(&organization).await.ensure_delegated(&alice()).await.unwrap();
        assert_eq!(handle.administrator().account, alice());
        assert_eq!((organization.administrators(), organization.is_trusted(&SSM)), (vec![alice()], true));
        assert_eq!((organization.writes(), handle.changes().len()), (writes, writes));
    }
}

#[tokio::test]
async fn another_administrator_is_named_after_another_look_and_never_replaced() {
    let starts = [
        (trusting().delegated_to(bob()), vec![bob()]),
        (trusting().delegated_to(alice()).delegated_to(bob()), vec![bob()]),
        (organization().delegated_to(bob()), vec![bob()]),
    ];
    for (start, expected) in starts {
        let organization = start.build();
        let observed = observe(&organization).await;
        organization.forget_calls();
        let (error, recovered) = crate::common::failed(observed.ensure_delegated(&alice()).await);
        assert!(
            matches!(error.kind(), ErrorKind::OtherAdministrator { holders, .. } if *holders == expected),
            "{error}"
        );
        assert_eq!(crate::common::way(&recovered), crate::common::Way::Unchanged);
        assert_eq!((organization.count(Operation::ListDelegatedAdministrators), organization.writes()), (1, 0));
    }

    // Bob left between the two looks.
    let organization = trusting().delegated_to(bob()).build();
    let observed = observe(&organization).await;
    organization.undelegate(bob());
    let (error, recovered) = crate::common::failed(observed.ensure_delegated(&alice()).await);
    assert_eq!((error.kind(), crate::common::way(&recovered)), (&ErrorKind::StateMoved, crate::common::Way::Moved));
}

#[tokio::test]
async fn every_start_ends_disabled_and_no_other_service_is_touched() {
    let config = ServicePrincipal::new("config.amazonaws.com").unwrap();
    let starts = [
        (organization(), 0),
        (trusting(), 1),
        (delegated(), 2),
        (delegated().delegated_to(bob()), 3),
        (organization().delegated_to(alice()), 1),
        (delegated().member_in(alice(), AccountState::Closed), 2),
    ];
    for (start, writes) in starts {
        let organization = start.trusting(&config).build();
        let disabled = observe(&organization).await.ensure_disabled(Syncs::Forfeit).await.unwrap();
        assert_eq!((organization.administrators(), organization.is_trusted(&SSM)), (vec![], false));
        assert!(organization.is_trusted(&config));
        assert_eq!((organization.writes(), disabled.changes().len()), (writes, writes));
    }
}

#[tokio::test]
async fn an_irregular_organization_has_ways_out() {
    let both = || trusting().delegated_to(alice()).delegated_to(bob());

    let organization = both().build();
    let irregular = irregular_in(&organization).await;
    assert_eq!(irregular.administrators().len(), 2);
    assert_eq!(irregular.trust().map(|trust| trust.principal.clone()), Some(SSM));
    let observed = irregular.keep_only(&bob(), Syncs::Forfeit).await.unwrap();
    assert_eq!(expect_delegated(observed).administrator().account, bob());
    assert_eq!(organization.administrators(), [bob()]);

    let organization = both().build();
    let observed = irregular_in(&organization).await.remove_all(Syncs::Forfeit).await.unwrap();
    assert_eq!(expect_trusted(observed).changes().len(), 2);
    assert!(organization.administrators().is_empty());

    // Without trusted access.
    let untrusted = || organization_with_both_and_no_trust().build();
    let organization = untrusted();
    let irregular = irregular_in(&organization).await;
    assert!(irregular.trust().is_none());
    let observed = irregular.remove_all(Syncs::Forfeit).await.unwrap();
    let _ = expect_disabled(observed);

    let organization = untrusted();
    let observed = irregular_in(&organization).await.keep_only(&alice(), Syncs::Forfeit).await.unwrap();
    let irregular = expect_irregular(observed);
    let delegated = expect_delegated(irregular.reinstate_trust().await.unwrap());
    assert_eq!(delegated.administrator().account, alice());

    // Nothing to reinstate.
    let organization = both().build();
    let _ = expect_irregular(irregular_in(&organization).await.reinstate_trust().await.unwrap());
    assert_eq!(organization.writes(), 0);
}

fn organization_with_both_and_no_trust() -> sim::Builder {
    organization().delegated_to(alice()).delegated_to(bob())
}

#[tokio::test]
async fn a_suspended_administrator_is_shown_and_can_be_deregistered() {
    let organization = delegated().member_in(alice(), AccountState::Suspended).build();
    let handle = expect_delegated(observe(&organization).await);
    assert_eq!(handle.administrator().state, Some(AccountState::Suspended));
    assert!(handle.to_string().contains("SUSPENDED"), "{handle}");
    handle.deregister(Syncs::Forfeit).await.unwrap();
    assert!(organization.administrators().is_empty());
}

#[tokio::test]
async fn a_handle_can_be_used_to_look_again_without_losing_its_changes() {
    let organization = organization().build();
    let trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    organization.distrust(&SSM);
    let disabled = expect_disabled(trusted.forget().observe().await.unwrap());
    assert_eq!(disabled.changes().len(), 1);
    // What was seen after the change counts, so this is no late listing to wait for.
    let begun = std::time::Instant::now();
    disabled.enable_trusted_access().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn the_partition_is_that_of_the_organization() {
    let organization = organization().partition(Partition::AWS_CN).build();
    assert_eq!(disabled_in(&organization).await.organization().partition, Partition::AWS_CN);
}

/// Every operation with the number of calls.
fn calls(organization: &sim::Organization) -> Vec<(Operation, usize)> {
    let counts = Operation::ALL.iter().map(|operation| (*operation, organization.count(*operation)));
    counts.filter(|(_, count)| *count > 0).collect()
}

#[tokio::test(start_paused = true)]
async fn observing_is_four_reads_made_at_once() {
    let organization = delegated().latency(Duration::from_secs(1)).build();
    let begun = tokio::time::Instant::now();
    let _ = observe(&organization).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(1), "the time of one");
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
async fn what_guards_a_step_is_read_at_once() {
    let regions: Vec<_> = (1..=30).map(|number| crate::common::region(&format!("region-{number}"))).collect();
    let organization = trusting().latency(Duration::from_secs(1)).build();
    let trusted = trusted_in(&organization).await;
    let client = organization.management_client();
    organization.forget_calls();
    let begun = tokio::time::Instant::now();
    trusted.disable(Syncs::Protect { ssm: &[&client], regions: &regions }).await.unwrap();
    assert_eq!(organization.count(Operation::ListResourceDataSync), 30);
    // Who is calling and then the syncs of all Regions, beside the administrators; the write; the listing.
    assert_eq!(begun.elapsed(), Duration::from_secs(4));
}

#[tokio::test]
async fn the_size_of_the_organization_does_not_matter() {
    let mut costs = Vec::new();
    for members in [10, 100_000] {
        let organization = organization().members(members).build();
        observe(&organization).await.ensure_delegated(&alice()).await.unwrap();
        observe(&organization).await.ensure_disabled(Syncs::Forfeit).await.unwrap();
        costs.push(calls(&organization));
    }
    assert_eq!(costs[0], costs[1]);
}

/// The bursts that AWS allows an account, by the quota page of its Organizations guide.
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
async fn a_whole_onboarding_and_a_whole_offboarding_stay_inside_awss_bursts() {
    let organization = organization().build();
    observe(&organization).await.ensure_delegated(&alice()).await.unwrap();
    for (operation, count) in calls(&organization) {
        assert!(count <= burst(operation), "onboarding: {operation} {count} times");
    }
    let (ours, theirs) = (organization.management_client(), organization.client(alice()));
    let ssm: [&dyn SystemsManagerClient; 2] = [&ours, &theirs];
    let regions = [crate::common::region("eu-central-1")];
    organization.forget_calls();
    observe(&organization).await.ensure_disabled(Syncs::Protect { ssm: &ssm, regions: &regions }).await.unwrap();
    for (operation, count) in calls(&organization) {
        assert!(count <= burst(operation), "offboarding: {operation} {count} times");
    }
}

#[tokio::test]
async fn a_second_run_writes_nothing() {
    let organization = organization().build();
    observe(&organization).await.ensure_delegated(&alice()).await.unwrap();
    organization.forget_calls();
    observe(&organization).await.ensure_delegated(&alice()).await.unwrap();
    assert_eq!(organization.writes(), 0);
    observe(&organization).await.ensure_disabled(Syncs::Forfeit).await.unwrap();
    organization.forget_calls();
    observe(&organization).await.ensure_disabled(Syncs::Forfeit).await.unwrap();
    assert_eq!(organization.writes(), 0);
}

#[tokio::test]
async fn pages_are_followed_through_short_and_empty_ones_until_the_answer_is_known() {
    let principal = |name: &str| ServicePrincipal::new(format!("{name}.amazonaws.com")).unwrap();
    // Four names before ours and three behind it, two to a page.
    let names = ["a", "b", "c", "d", "t", "u", "v"];
    let with = |builder: sim::Builder| {
        names.iter().fold(builder.page_size(2).empty_pages(), |builder, name| builder.trusting(&principal(name)))
    };
    let organization = with(trusting()).build();
    let _ = trusted_in(&organization).await;
    // The empty one, ab, cd, and the one with ours in it.
    assert_eq!(organization.count(Operation::ListAwsServiceAccessForOrganization), 4);

    let organization = with(crate::common::organization()).build();
    let _ = disabled_in(&organization).await;
    // Absence takes every page: the empty one, and seven names on four.
    assert_eq!(organization.count(Operation::ListAwsServiceAccessForOrganization), 5);

    let organization = with(trusting().delegated_to(alice()).delegated_to(bob())).page_size(1).build();
    let irregular = irregular_in(&organization).await;
    assert_eq!(irregular.administrators().len(), 2, "the second one is on a later page");
}

#[tokio::test]
async fn a_failed_observation_gives_the_client_back() {
    let organization = organization().build();
    let failure = Integration::new(organization.client(alice())).observe().await.unwrap_err();
    let error = Error::from(failure);
    assert_eq!(*error.kind(), ErrorKind::AccessDenied);
    let observed: Observed<_> = observe(&organization).await;
    let _client: sim::Client = observed.into_client();
}
