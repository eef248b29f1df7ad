//! Plans that allow the loss of data syncs.
#![cfg(feature = "sim")]

use std::collections::BTreeMap;
use std::time::Duration;

use ssm_organizations::plan::{Target, UndoOptions, UnlistedSyncs};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::Operation;
use ssm_organizations::sim::Fault;
use ssm_organizations::{AccountId, ChangeKind, Region};

use super::organization_clients::{AWAY, HOME, OrganizationClients, everything, home, name, shown};
use crate::common::{alice, region};

fn removal() -> Target {
    let target = Target::new().with_trusted_access(false).without_administrator();
    target.with_unlisted_syncs(UnlistedSyncs::AllowLoss)
}

/// Returns the number of listings of each account in each Region, and resets the count.
fn listings(org: &OrganizationClients) -> BTreeMap<(AccountId, Region), usize> {
    let mut listings = BTreeMap::new();
    for call in org.organization.calls() {
        if call.operation == Operation::ListResourceDataSync {
            *listings.entry((call.caller, call.region.unwrap())).or_default() += 1;
        }
    }
    org.organization.clear_calls();
    listings
}

#[tokio::test(start_paused = true)]
async fn removal_with_allowed_loss_and_no_region_lists_nothing() {
    let org = OrganizationClients::new(everything());
    org.reach(&removal()).await;
    assert_eq!(org.organization.call_count(Operation::ListResourceDataSync), 0);
}

#[tokio::test(start_paused = true)]
async fn removal_with_allowed_loss_lists_each_place_once() {
    for minutes in [0, 1] {
        for is_denied in [false, true] {
            let org = OrganizationClients::new(everything());
            if is_denied {
                for call in 1..=20 {
                    let denied = Fault::refused("AccessDeniedException");
                    org.organization.inject_fault(Operation::ListResourceDataSync, call, denied);
                }
            }
            let plan = org.plan(&removal().search_regions([region(HOME), region(AWAY)])).await;
            let planned = listings(&org);
            tokio::time::advance(Duration::from_mins(minutes)).await;
            let receipt = org.apply(&plan).await.unwrap();
            let applied = listings(&org);
            let what = format!("{minutes} minutes, denied: {is_denied}: {planned:?}, {applied:?}");
            assert!(planned.values().chain(applied.values()).all(|count| *count == 1), "{what}");
            // A plan that is applied immediately uses the listings of its snapshot.
            assert_eq!(applied.is_empty(), minutes == 0, "{what}");
            let recorded = receipt.changes().iter().map(|change| match &change.kind {
                ChangeKind::AdministratorDeregistered { syncs, .. }
                | ChangeKind::TrustedAccessDisabled { syncs, .. } => syncs.recorded().len(),
                _ => 0,
            });
            // AWS may keep the syncs of a deregistered account, so both changes record them.
            let expected = if is_denied { [0, 0] } else { [2, 3] };
            assert_eq!(recorded.collect::<Vec<_>>(), expected, "{what}: {receipt:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn undo_with_allowed_loss_lists_each_place_once() {
    let org = OrganizationClients::new(crate::common::organization());
    let receipt = org.reach(&Target::new().with_trusted_access(true).with_administrator(alice())).await;
    tokio::time::advance(Duration::from_mins(1)).await;
    listings(&org);
    let undo = UndoOptions::new().with_unlisted_syncs(UnlistedSyncs::AllowLoss).search_regions(home());
    let plan = receipt.undo(&org.clients(), &undo).await.unwrap();
    org.apply(&plan).await.unwrap();
    let listings = listings(&org);
    assert!(listings.contains_key(&(alice(), region(HOME))), "{listings:?}");
    assert!(listings.values().all(|count| *count == 1), "{listings:?}");
}

/// A listing older than the freshness limit does not show what was created since.
#[tokio::test(start_paused = true)]
async fn sync_created_during_a_long_wait_is_recorded() {
    let org = OrganizationClients::new(everything().read_delay(Duration::from_secs(40)));
    org.organization.run_before(Operation::DeleteResourceDataSync, 1, |organization| {
        organization.add_data_sync(alice(), region(AWAY), shown("created-meanwhile"));
    });
    let target = Target::new()
        .without_administrator()
        .without_sync(Caller::Account(alice()), name("theirs"), home())
        .with_unlisted_syncs(UnlistedSyncs::AllowLoss)
        .search_regions([region(HOME), region(AWAY)]);
    let receipt = org.reach(&target).await;
    let recorded = receipt.changes().iter().find_map(|change| match &change.kind {
        ChangeKind::AdministratorDeregistered { syncs, .. } => Some(syncs.recorded()),
        _ => None,
    });
    let names: Vec<_> = recorded.unwrap().iter().map(|(at, _)| at.name.as_str()).collect();
    assert!(names.contains(&"created-meanwhile"), "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn sync_deleted_after_planning_is_not_recorded() {
    let org = OrganizationClients::new(everything());
    let plan = org.plan(&removal().search_regions([region(HOME), region(AWAY)])).await;
    tokio::time::advance(Duration::from_mins(1)).await;
    org.organization.remove_data_sync(alice(), &region(AWAY), &name("theirs"));
    let receipt = org.apply(&plan).await.unwrap();
    for change in receipt.changes() {
        let (ChangeKind::AdministratorDeregistered { syncs, .. } | ChangeKind::TrustedAccessDisabled { syncs, .. }) =
            &change.kind
        else {
            continue;
        };
        assert!(!syncs.recorded().is_empty(), "{change:?}");
        assert!(syncs.recorded().iter().all(|(at, _)| at.region == region(HOME)), "{change:?}");
    }
}
