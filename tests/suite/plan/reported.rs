//! State and steps that a run reports, and the changes that its receipt can undo.
#![cfg(feature = "sim")]

use std::time::Duration;

use ssm_organizations::domain::ServiceState;
use ssm_organizations::plan::{Clients, Event, Plan, Snapshot, SnapshotScope, Target, UndoOptions, UnlistedSyncs};
#[cfg(feature = "serde")]
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::Operation;
use ssm_organizations::sim::Fault;
use ssm_organizations::{AccountId, Certainty, ErrorKind, RetryStatus, WriteStatus};

#[cfg(feature = "serde")]
use super::organization_clients::whole;
use super::organization_clients::{OrganizationClients, away, everything, home, like, onboarding, stories};
use crate::common::{SSM, alice, bob, delegated, organization, trusting};

/// Returns trusted access and the administrators in a snapshot.
fn status(snapshot: &Snapshot) -> (bool, Vec<AccountId>) {
    let service = snapshot.service(&SSM).unwrap();
    let administrators = service.administrators.known().unwrap();
    (service.trusted_access.known().unwrap().is_some(), administrators.iter().map(|found| found.account).collect())
}

/// Applies the plan and returns the state of the last event.
async fn finished(org: &OrganizationClients, plan: &Plan) -> (bool, Vec<AccountId>) {
    let mut last = None;
    let clients = org.clients();
    let applied = plan.apply(&clients, |event: Event<'_>| {
        assert!(last.is_none(), "the last event is `Finished`");
        if let Event::Finished { now, .. } = event {
            last = Some(status(now));
        }
    });
    let applied = applied.await.unwrap_or_else(|stopped| panic!("{stopped:#?}"));
    let last = last.expect("the run emitted no `Finished` event");
    assert_eq!(status(&applied.now), last);
    let state = match (last.0, last.1.len()) {
        (false, 0) => ServiceState::Disabled,
        (true, 0) => ServiceState::TrustedAccess,
        (true, 1) => ServiceState::Delegated,
        _ => ServiceState::Inconsistent,
    };
    assert_eq!(applied.now.state(), Some(state));
    last
}

#[tokio::test(start_paused = true)]
async fn apply_reports_state_of_last_reads() {
    for story in stories() {
        // The plan is applied immediately, twice, or after another caller made the same changes.
        for (first, late) in [(true, false), (false, false), (false, true)] {
            let org = OrganizationClients::new((story.start)());
            let plan = org.plan(&(story.target)()).await;
            if !first {
                org.apply(&plan).await.unwrap();
            }
            if late {
                tokio::time::advance(Duration::from_hours(1)).await;
            }
            let reported = finished(&org, &plan).await;
            let expected = (org.organization.is_trusted(&SSM), org.organization.administrators());
            assert_eq!(reported, expected, "{}", story.name);
        }
    }
}

/// Fails each call of each story in turn, including the reads after the write of a step.
#[tokio::test(start_paused = true)]
async fn apply_stopped_lists_each_step_once() {
    let faults = [
        Fault::refused("ExpiredTokenException"),
        Fault::refused("AccessDeniedException"),
        Fault::RequestLost,
        Fault::ResponseLost,
    ];
    let mut accepted = 0;
    for story in stories() {
        for fault in &faults {
            for nth in 1.. {
                let org = OrganizationClients::new((story.start)());
                let plan = org.plan(&(story.target)()).await;
                org.organization.clear_calls();
                for failing in nth..nth + 20 {
                    org.organization.inject_fault_at_call(failing, fault.clone());
                }
                let Err(stopped) = org.apply(&plan).await else {
                    if org.organization.calls().len() < nth {
                        break;
                    }
                    continue;
                };
                let what = format!("{}, {fault:?} from call {nth}: {stopped:?}", story.name);
                let mut all = [stopped.done(), stopped.unconfirmed(), stopped.remaining()].concat();
                all.sort_unstable();
                assert_eq!(all, (0..plan.steps().len()).collect::<Vec<_>>(), "{what}");
                let confirmed = stopped.receipt().changes().iter();
                let confirmed = confirmed.filter(|change| change.certainty == Certainty::Confirmed).count();
                assert!(confirmed <= stopped.done().len(), "an accepted write is done: {what}");
                accepted += usize::from(stopped.remaining().is_empty());
            }
        }
    }
    assert!(accepted > 0, "an accepted last write is not listed as remaining");
}

#[tokio::test(start_paused = true)]
async fn apply_with_concurrent_registration_reports_both() {
    // The change occurs before the read that confirms the step, or before the read that guards it.
    for is_late in [false, true] {
        let org = OrganizationClients::new(trusting());
        let plan = org.plan(&Target::new().with_administrator(alice())).await;
        if is_late {
            tokio::time::advance(Duration::from_hours(1)).await;
        }
        org.organization.run_before(Operation::ListDelegatedAdministrators, 1, |organization| {
            organization.register_administrator(bob());
        });
        let stopped = org.apply(&plan).await.unwrap_err();
        if is_late {
            assert_eq!(org.organization.write_count(), 0);
            continue;
        }
        let error = stopped.error();
        let ErrorKind::AlreadyDelegated { accounts, .. } = error.kind() else { panic!("{stopped}") };
        assert_eq!((accounts.as_slice(), error.write_status()), ([bob()].as_slice(), WriteStatus::Applied));
        assert_eq!(error.observed_status().unwrap().administrators.len(), 2);
        assert_eq!((stopped.done(), stopped.remaining()), ([0].as_slice(), [].as_slice()));
        assert_eq!(status(stopped.now().unwrap()).1.len(), 2);
        // A rerun fails too. A plan that includes the account repairs the state.
        let again = org.apply(&plan).await.unwrap_err();
        assert!(matches!(again.error().kind(), ErrorKind::AlreadyDelegated { .. }), "{again}");
        org.reach(&Target::new().with_administrator(alice()).search_regions(home())).await;
        assert_eq!(org.organization.administrators(), [alice()]);
    }
}

/// Delays the reads that confirm each accepted write. The read after the failure returns the date.
#[tokio::test(start_paused = true)]
async fn receipt_of_accepted_write_has_date_of_last_read() {
    let target = || onboarding().search_regions([home(), away()].concat());
    let org = OrganizationClients::new(organization());
    let before = like(&org.organization);
    let count = org.reach(&target()).await.changes().len();
    for last in 1..=count {
        let org = OrganizationClients::new(organization());
        let plan = org.plan(&target()).await;
        let mut seen = 0;
        let organization = org.organization.clone();
        let clients = org.clients();
        let applied = plan.apply(&clients, |event: Event<'_>| {
            if matches!(event, Event::Started { .. }) {
                seen += 1;
                if seen == last {
                    // Reads before the write succeed; those after it fail.
                    for (operation, nth) in [
                        (Operation::ListAwsServiceAccessForOrganization, 2),
                        (Operation::ListDelegatedAdministrators, 2),
                        (Operation::GetRole, 2),
                    ] {
                        organization.inject_fault(operation, nth, Fault::refused("ExpiredTokenException"));
                    }
                }
            }
        });
        let receipt = match applied.await {
            Ok(applied) => applied.receipt,
            Err(stopped) => stopped.into_parts().1,
        };
        for change in receipt.changes() {
            assert!(change.observed && !change.must_be_named(), "step {last}: {change:?}");
        }
        org.organization.clear_faults();
        let undo = UndoOptions::new().search_regions([home(), away()].concat());
        let plan = receipt.undo(&org.clients(), &undo).await.unwrap();
        assert!(plan.retained().is_empty(), "{plan}");
        org.apply(&plan).await.unwrap();
        assert_eq!(like(&org.organization), before, "step {last}");
    }
}

/// Undoes receipts without the IDs and dates of the created resources.
#[cfg(feature = "serde")]
#[tokio::test(start_paused = true)]
async fn undo_with_named_unidentified_change_reverts_it() {
    let target = Target::new().with_trusted_access(true).with_administrator(alice()).with_role();
    let target = target.with_sync(Caller::Management, whole("ours"), home());
    for certainty in ["confirmed", "unconfirmed"] {
        let org = OrganizationClients::new(organization());
        let before = like(&org.organization);
        let receipt = org.reach(&target).await;
        let mut written = serde_json::to_value(&receipt).unwrap();
        for change in written["changes"].as_array_mut().unwrap() {
            change["certainty"] = certainty.into();
            change["observed"] = false.into();
            for kind in change["kind"].as_object_mut().unwrap().values_mut() {
                for member in ["enabled_at", "delegated_at", "id", "created", "after"] {
                    kind.as_object_mut().unwrap().remove(member);
                }
            }
        }
        let receipt: ssm_organizations::plan::Receipt = serde_json::from_value(written).unwrap();
        assert!(receipt.changes().iter().all(ssm_organizations::Change::must_be_named));
        let undo = UndoOptions::new().search_regions(home());
        let plan = receipt.undo(&org.clients(), &undo).await.unwrap();
        assert!(plan.is_empty() && plan.retained().len() == receipt.changes().len(), "{plan}");
        let undo = (0..receipt.changes().len()).fold(undo, UndoOptions::include_unconfirmed);
        let plan = receipt.undo(&org.clients(), &undo).await.unwrap();
        assert!(plan.retained().is_empty(), "{plan}");
        org.apply(&plan).await.unwrap();
        assert_eq!(like(&org.organization), before, "{certainty}");
    }
}

/// Asserts that failed listings of data syncs do not stop a run that allows loss.
#[tokio::test(start_paused = true)]
async fn apply_with_allowed_loss_ignores_failed_listings() {
    let target = || Target::new().with_trusted_access(false).without_administrator().without_role();
    for fault in [
        Fault::throttled(Operation::ListResourceDataSync),
        Fault::refused("AccessDeniedException"),
        Fault::refused("ExpiredTokenException"),
        Fault::refused("InternalServerError"),
        Fault::RequestLost,
        Fault::ResponseLost,
        Fault::refused("NotImplemented"),
    ] {
        for regions in [home().to_vec(), Vec::new()] {
            let org = OrganizationClients::new(delegated().service_linked_role(&super::organization_clients::ROLE));
            for nth in 1..200 {
                org.organization.inject_fault(Operation::ListResourceDataSync, nth, fault.clone());
            }
            let target = target().with_unlisted_syncs(UnlistedSyncs::AllowLoss).search_regions(regions);
            let plan = org.plan(&target).await;
            org.organization.clear_calls();
            org.apply(&plan).await.unwrap_or_else(|stopped| panic!("{fault:?}: {stopped:#?}"));
            assert!(!org.organization.is_trusted(&SSM));
            // Each step lists each account and Region at most twice.
            let listings = org.organization.call_count(Operation::ListResourceDataSync);
            assert!(listings <= plan.steps().len() * 6, "{fault:?}: {listings}");
        }
    }
}

/// Asserts that a throttled or lost read leads to an unknown part and a retryable error.
#[tokio::test(start_paused = true)]
async fn plan_with_transient_read_failure_stays_retryable() {
    let reads = [
        Operation::ListAwsServiceAccessForOrganization,
        Operation::ListDelegatedAdministrators,
        Operation::GetRole,
        Operation::ListResourceDataSync,
    ];
    for operation in reads {
        for (fault, retry) in [
            (Fault::throttled(operation), RetryStatus::Exhausted),
            (Fault::RequestLost, RetryStatus::Temporary),
            (Fault::ResponseLost, RetryStatus::Temporary),
            (Fault::refused("ExpiredTokenException"), RetryStatus::Permanent),
        ] {
            let org = OrganizationClients::new(everything());
            for nth in 1..200 {
                org.organization.inject_fault(operation, nth, fault.clone());
            }
            let error = org.refusal(&super::organization_clients::offboarding()).await;
            assert_eq!(error.retry_status(), retry, "{operation}, {fault:?}: {error:#}");
            // The retry status survives a saved snapshot.
            #[cfg(feature = "serde")]
            {
                let scope = super::organization_clients::offboarding().snapshot_scope();
                let snapshot = Snapshot::take(&org.clients(), &scope).await.unwrap();
                let read: Snapshot = serde_json::from_value(serde_json::to_value(&snapshot).unwrap()).unwrap();
                assert_eq!(read, snapshot);
                let error = Plan::new(&super::organization_clients::offboarding(), read).unwrap_err();
                assert_eq!(error.retry_status(), retry, "{operation}, {fault:?}: {error:#}");
            }
            org.organization.clear_faults();
            org.plan(&super::organization_clients::offboarding()).await;
        }
    }
    let org = OrganizationClients::new(everything());
    let _ = Snapshot::take(&Clients::new(&org.management), &SnapshotScope::new()).await.unwrap();
}
