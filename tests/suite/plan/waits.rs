//! Waits: a default limit for each kind of effect, and none if a read shows another cause.
#![cfg(feature = "sim")]

use std::time::Duration;

use ssm_organizations::domain::RoleName;
use ssm_organizations::plan::{Clients, Target};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::Operation;
use ssm_organizations::sim::{self, Fault, ReadDelay};
use ssm_organizations::{Error, ErrorKind, ExplorerSetup, Integration, Remedy, RetryStatus};
use tokio::time::Instant;

use super::organization_clients::{HOME, OrganizationClients, ROLE, home, name, shown, whole};
use crate::common::{alice, management, organization, region, trusting};

/// Systems Manager learns of a change in Organizations after up to three minutes.
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

/// AWS's own tools wait two minutes for the deletion of a data sync.
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

    // A role that others delete before the sync is created.
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

/// The account was registered by this run and replaced by others before its sync was created.
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
