//! Waits: the default limit depends on the effect, and there is no wait if a read shows another
//! cause.
#![cfg(feature = "sim")]

use std::time::Duration;

use ssm_organizations::domain::{OrganizationalUnitId, RoleName};
use ssm_organizations::plan::{Clients, Target};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{Operation, OrganizationalUnits, SourceRegions, SyncDefinition};
use ssm_organizations::sim::{self, Fault, ReadDelay};
use ssm_organizations::{Error, ErrorKind, ExplorerSetup, Integration, Remedy, RetryStatus};
use tokio::time::Instant;

use super::organization_clients::{HOME, OrganizationClients, ROLE, home, name, shown, whole};
use crate::common::{alice, management, organization, region, trusting};

/// Refuses the creation for two minutes. Systems Manager needs up to three minutes to detect a
/// change in Organizations.
#[tokio::test(start_paused = true)]
async fn create_sync_refused_for_two_minutes_succeeds() {
    let target =
        Target::new().with_trusted_access(true).with_role().with_sync(Caller::Management, whole("ours"), home());
    for (limit, succeeds) in [(None, true), (Some(Duration::from_secs(30)), false)] {
        let org = OrganizationClients::new(organization());
        for nth in 1..=18 {
            let refusal = Fault::refused("ResourceDataSyncInvalidConfigurationException");
            org.organization.inject_fault(Operation::CreateResourceDataSync, nth, refusal);
        }
        let clients = limit.into_iter().fold(org.clients(), Clients::with_wait_timeout);
        let begun = Instant::now();
        let applied = target.plan(&clients).await.unwrap().apply(&clients, |_| {}).await;
        assert_eq!(applied.is_ok(), succeeds, "{limit:?}");
        let waited = begun.elapsed();
        assert!(
            if succeeds { waited > Duration::from_mins(2) } else { waited <= Duration::from_secs(31) },
            "{waited:?}"
        );
    }
}

/// Lists a deleted sync for 90 seconds. AWS's own tools wait two minutes for the deletion.
#[tokio::test(start_paused = true)]
async fn delete_sync_shown_for_ninety_seconds_succeeds() {
    let target = Target::new().without_sync(Caller::Management, name("ours"), home());
    for (limit, succeeds) in [(None, true), (Some(Duration::from_mins(1)), false)] {
        let start = trusting().data_sync(management(), region(HOME), shown("ours"));
        let late = std::iter::repeat_n(ReadDelay::Time(Duration::from_secs(90)), 40);
        let org = OrganizationClients::new(start.read_delays_for(Operation::ListResourceDataSync, late));
        let clients = limit.into_iter().fold(org.clients(), Clients::with_wait_timeout);
        let applied = target.plan(&clients).await.unwrap().apply(&clients, |_| {}).await;
        assert_eq!(applied.is_ok(), succeeds, "{limit:?}");
    }
}

fn check_missing_role(error: &Error, begun: Instant) {
    assert_eq!(begun.elapsed(), Duration::ZERO, "{error}");
    assert_eq!(error.operation(), Some(Operation::CreateResourceDataSync));
    assert_eq!(error.remedies(), [Remedy::CreateRole], "{error}");
    assert_ne!(error.retry_status(), RetryStatus::Exhausted);
}

#[tokio::test(start_paused = true)]
async fn create_sync_without_role_fails_at_once() {
    let org = OrganizationClients::new(organization());
    let target = Target::new().with_trusted_access(true).with_sync(Caller::Management, whole("ours"), home());
    let plan = org.plan(&target).await;
    let begun = Instant::now();
    check_missing_role(org.apply(&plan).await.unwrap_err().error(), begun);

    // Another caller deletes the role before the sync is created.
    let organization = organization().service_linked_role(&ROLE).build();
    let (client, sync, home) = (organization.management_client(), whole("ours"), home());
    let mut delegated = Integration::new(client.clone()).ensure_delegated(alice()).await.unwrap();
    organization.run_before(Operation::CreateResourceDataSync, 1, |organization| {
        organization.remove_role(management(), &RoleName::ACCOUNT_DISCOVERY);
    });
    let begun = Instant::now();
    let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &home);
    check_missing_role(&delegated.ensure_explorer(&explorer).await.unwrap_err(), begun);
}

/// Replaces the administrator of this run before its sync is created.
#[tokio::test(start_paused = true)]
async fn create_sync_of_replaced_administrator_fails_at_once() {
    let org = OrganizationClients::new(trusting().service_linked_role(&ROLE));
    let target = Target::new().with_administrator(alice()).with_sync(Caller::Administrator, whole("theirs"), home());
    let plan = org.plan(&target).await;
    org.organization.run_before(Operation::CreateResourceDataSync, 1, |organization: &sim::SimOrganization| {
        organization.deregister_administrator(alice());
        organization.register_administrator(crate::common::bob());
    });
    let begun = Instant::now();
    let stopped = org.apply(&plan).await.unwrap_err();
    assert_eq!((stopped.error().kind(), begun.elapsed()), (&ErrorKind::NotDelegatedAdministrator, Duration::ZERO));
    assert_eq!(stopped.error().account(), Some(alice()));
}

const KNOWN: &str = "ou-exam-00000001";
const MISTYPED: &str = "ou-exam-00000002";

/// Returns a sync of a unit of the organization and of a mistyped unit.
fn of_units() -> SyncDefinition {
    let units = OrganizationalUnits::new([KNOWN, MISTYPED].map(|unit| unit.parse().unwrap())).unwrap();
    SyncDefinition::of_units(name("some"), units, SourceRegions::new(home()).unwrap())
}

fn with_unit() -> sim::SimOrganizationBuilder {
    organization().unit(KNOWN.parse().unwrap())
}

fn onboarding() -> Target {
    Target::new().with_trusted_access(true).with_role().with_sync(Caller::Management, of_units(), home())
}

fn check_unknown_unit(error: &Error, operation: Operation) {
    let ErrorKind::OrganizationalUnitNotFound { units, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(units.iter().map(OrganizationalUnitId::as_str).collect::<Vec<_>>(), [MISTYPED]);
    assert_eq!((error.operation(), error.region()), (Some(operation), Some(&region(HOME))));
    assert_eq!(error.remedies(), [Remedy::CorrectUnits], "{error}");
    assert_ne!(error.retry_status(), RetryStatus::Exhausted);
    let text = error.to_string();
    assert!(text.contains(MISTYPED) && !text.contains(KNOWN), "{text}");
}

#[tokio::test]
async fn plan_with_mistyped_unit_fails_before_any_write() {
    let org = OrganizationClients::new(with_unit());
    let error = onboarding().plan(&org.clients()).await.unwrap_err();
    check_unknown_unit(&error, Operation::CreateResourceDataSync);
    assert_eq!(org.organization.write_count(), 0);
    assert_eq!(org.organization.call_count(Operation::DescribeOrganizationalUnit), 2);

    // The plan updates an existing sync.
    let org = OrganizationClients::new(with_unit().data_sync(management(), region(HOME), shown("some")));
    let error = onboarding().plan(&org.clients()).await.unwrap_err();
    check_unknown_unit(&error, Operation::UpdateResourceDataSync);
}

#[tokio::test]
async fn plan_with_unread_units_notes_them() {
    for fault in [Fault::refused("AccessDeniedException"), Fault::refused("UnknownOperationException")] {
        let org = OrganizationClients::new(with_unit());
        for nth in [1, 2] {
            org.organization.inject_fault(Operation::DescribeOrganizationalUnit, nth, fault.clone());
        }
        let plan = onboarding().plan(&org.clients()).await.unwrap();
        assert_eq!(plan.steps().len(), 3, "{plan}");
        let note = format!("organizational units not checked: {KNOWN} and {MISTYPED}: ");
        assert!(plan.unknowns().iter().any(|unknown| unknown.starts_with(&note)), "{:?}", plan.unknowns());
    }
}

#[tokio::test]
async fn plan_without_units_reads_no_unit() {
    let org = OrganizationClients::new(with_unit());
    let target =
        Target::new().with_trusted_access(true).with_role().with_sync(Caller::Management, whole("all"), home());
    target.plan(&org.clients()).await.unwrap();
    assert_eq!(org.organization.call_count(Operation::DescribeOrganizationalUnit), 0);
}

/// Asserts that the run does not wait, although AWS's refusal may be stale: the run itself enabled
/// trusted access.
#[tokio::test(start_paused = true)]
async fn create_sync_of_mistyped_unit_fails_at_once() {
    let org = OrganizationClients::new(with_unit());
    for nth in [1, 2] {
        org.organization.inject_fault(Operation::DescribeOrganizationalUnit, nth, Fault::refused("AccessDenied"));
    }
    let plan = onboarding().plan(&org.clients()).await.unwrap();
    let begun = Instant::now();
    let stopped = org.apply(&plan).await.unwrap_err();
    check_unknown_unit(stopped.error(), Operation::CreateResourceDataSync);
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(org.organization.call_count(Operation::DescribeOrganizationalUnit), 4);

    let organization = with_unit().service_linked_role(&ROLE).build();
    let (client, sync, home) = (organization.management_client(), of_units(), home());
    let mut delegated = Integration::new(client.clone()).ensure_delegated(alice()).await.unwrap();
    let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &home);
    let begun = Instant::now();
    check_unknown_unit(&delegated.ensure_explorer(&explorer).await.unwrap_err(), Operation::CreateResourceDataSync);
    assert_eq!(begun.elapsed(), Duration::ZERO);

    let begun = Instant::now();
    let mut syncs = delegated.data_syncs(&client).await.unwrap();
    let error = syncs.ensure(&sync, &home).await.unwrap().into_result().unwrap_err();
    check_unknown_unit(&error, Operation::CreateResourceDataSync);
    assert_eq!(begun.elapsed(), Duration::ZERO);

    // Without a change of this run, the refusal is final, and the error still names the unit.
    let mut delegated = Integration::new(client.clone()).ensure_delegated(alice()).await.unwrap();
    check_unknown_unit(&delegated.ensure_explorer(&explorer).await.unwrap_err(), Operation::CreateResourceDataSync);
}

#[tokio::test(start_paused = true)]
async fn create_sync_of_units_that_cannot_be_read_waits() {
    let org = OrganizationClients::new(with_unit());
    let denied = org.management.clone().without_permission("organizations:DescribeOrganizationalUnit");
    let clients = Clients::new(&denied).with_wait_timeout(Duration::from_secs(30));
    let plan = onboarding().plan(&clients).await.unwrap();
    let begun = Instant::now();
    let stopped = plan.apply(&clients, |_| {}).await.unwrap_err();
    assert!(begun.elapsed() > Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(stopped.error().code(), Some("ResourceDataSyncInvalidConfigurationException"));
    assert_eq!(stopped.error().retry_status(), RetryStatus::Exhausted);
    // Two reads for the plan, and two after the first refusal.
    assert_eq!(org.organization.call_count(Operation::DescribeOrganizationalUnit), 4);
}
