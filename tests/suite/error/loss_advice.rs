//! Remedies for data syncs that could not be listed: a transient cause never suggests data loss.
#![cfg(feature = "sim")]

use std::time::Duration;

use ssm_organizations::plan::{Clients, Target};
use ssm_organizations::ports::{Operation, SystemsManagerClient};
use ssm_organizations::sim::Fault;
use ssm_organizations::{Error, Observed, Remedy, SyncProtection};

use crate::common::{alice, delegated, management, observe, region};

/// Returns causes of a failed listing, each with whether the error suggests to allow data loss.
fn causes() -> Vec<(Fault, bool)> {
    vec![
        (Fault::throttled(Operation::ListResourceDataSync), false),
        (Fault::refused("InternalServerError"), false),
        (Fault::refused("ServiceUnavailable"), false),
        (Fault::refused("ConcurrentModificationException"), false),
        (Fault::refused("ExpiredTokenException"), false),
        (Fault::refused("UnrecognizedClientException"), false),
        (Fault::refused("RequestExpired"), false),
        (Fault::RequestLost, false),
        (Fault::ResponseLost, false),
        (Fault::refused("AccessDeniedException"), true),
        (Fault::refused("NotImplemented"), true),
    ]
}

fn check(error: &Error, loses: bool, what: &str) {
    let advises = error.remedies().contains(&Remedy::AllowSyncLoss);
    assert!(!advises || loses, "{what}: {error:#}");
    assert!(loses || !error.to_string().contains("lost"), "{what}: {error}");
}

#[tokio::test(start_paused = true)]
async fn deregister_with_failed_listing_advises_no_loss() {
    for (fault, loses) in causes() {
        let organization = delegated().build();
        for nth in 1..100 {
            organization.inject_fault(Operation::ListResourceDataSync, nth, fault.clone());
        }
        let client = organization.client(alice());
        let clients: [&dyn SystemsManagerClient; 1] = [&client];
        let regions = [region("eu-central-1")];
        let syncs = SyncProtection::Protect { clients: &clients, regions: &regions };
        let Observed::Delegated(handle) = observe(&organization).await else { panic!("Alice is not an administrator") };
        let failure = handle.deregister(syncs).await.unwrap_err();
        check(failure.error(), loses, &format!("{fault:?}"));
        let advises = failure.error().remedies().contains(&Remedy::AllowSyncLoss);
        assert_eq!(advises, loses, "{fault:?}: {:#}", failure.error());
        assert_eq!(organization.write_count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn plan_with_failed_listing_advises_no_loss() {
    for (fault, loses) in causes() {
        // The fault occurs while the plan is computed, or while it is applied.
        for late in [false, true] {
            let organization = delegated().build();
            let (management, alice) = (organization.client(management()), organization.client(alice()));
            let clients = Clients::new(&management).with_account_client(&alice);
            let target = Target::new().without_administrator().search_regions([region("eu-central-1")]);
            let inject = || {
                for nth in 1..100 {
                    organization.inject_fault(Operation::ListResourceDataSync, nth, fault.clone());
                }
            };
            if !late {
                inject();
                check(&target.plan(&clients).await.unwrap_err(), loses, &format!("plan, {fault:?}"));
                continue;
            }
            let plan = target.plan(&clients).await.unwrap();
            tokio::time::advance(Duration::from_hours(1)).await;
            inject();
            let stopped = plan.apply(&clients, |_| {}).await.unwrap_err();
            check(stopped.error(), loses, &format!("apply, {fault:?}"));
            assert_eq!(organization.write_count(), 0);
        }
    }
}
