//! Tests of Explorer's data syncs through a handle: the writes sent, the syncs left unchanged, and
//! the result of each Region.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{
    alice, bob, delegated, delegated_in, disabled_in, management, organization, organization_sync, region, trusted_in,
};
use ssm_organizations::domain::OrganizationalUnitId;
use ssm_organizations::integration::ObservedOwner;
use ssm_organizations::ports::{
    DataSync, Operation, OrganizationalUnits, SourceRegions, SyncDefinition, SyncSource, SyncState, SyncType,
};
use ssm_organizations::sim::{self, Fault, UndocumentedBehavior};
use ssm_organizations::{
    Certainty, ChangeKind, EnsureOutcome, ErrorKind, Region, RetryStatus, ServicePrincipal, SyncName,
};

const HOME: &str = "eu-central-1";

/// Returns a builder with trusted access and the service-linked role that data syncs use.
fn ready() -> sim::SimOrganizationBuilder {
    crate::common::trusting().service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)
}

fn name(text: &str) -> SyncName {
    SyncName::new(text).unwrap()
}

fn sources(regions: &[&str]) -> SourceRegions {
    SourceRegions::new(regions.iter().map(|name| region(name))).unwrap()
}

fn all_accounts() -> SyncDefinition {
    SyncDefinition::of_organization(name("all"), sources(&[HOME, "us-east-1"]))
}

fn home() -> [Region; 1] {
    [region(HOME)]
}

fn many(count: usize) -> Vec<Region> {
    (1..=count).map(|number| region(&format!("eu-test-{number}"))).collect()
}

#[tokio::test]
async fn ensure_then_delete_sync_records_three_changes() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    assert_eq!(syncs.owner(), ObservedOwner::Management(management()));

    let created = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().unwrap();
    assert!(matches!(&created[&home()[0]], EnsureOutcome::Created(sync) if sync.state == SyncState::Healthy));
    let again = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().unwrap();
    assert!(matches!(&again[&home()[0]], EnsureOutcome::Unchanged(_)));
    assert_eq!(organization.write_count(), 1);

    let wider = SyncDefinition::of_organization(name("all"), sources(&[HOME, "us-east-1", "us-west-2"]));
    let updated =
        syncs.ensure(&wider.clone().including_future_regions(), &home()).await.unwrap().into_result().unwrap();
    assert!(matches!(&updated[&home()[0]], EnsureOutcome::Updated(sync)
        if sync.regions.len() == 3 && sync.future_regions == Some(true)));

    let deleted = syncs.delete(&name("all"), &home()).await.unwrap().into_result().unwrap();
    assert_eq!(deleted[&home()[0]].as_ref().unwrap().regions.len(), 3);
    assert_eq!(syncs.delete(&name("all"), &home()).await.unwrap().into_result().unwrap()[&home()[0]], None);
    assert_eq!(organization.data_syncs(management(), &home()[0]), []);

    let [created, updated, deleted] = trusted.changes() else { panic!("{:?}", trusted.changes()) };
    assert!(matches!(&created.kind, ChangeKind::DataSyncCreated { sync, created: Some(_), .. }
        if sync.account == management() && sync.region == home()[0] && sync.name == name("all")));
    assert!(matches!(&updated.kind, ChangeKind::DataSyncUpdated { before, .. } if before.regions.len() == 2));
    assert!(matches!(&deleted.kind, ChangeKind::DataSyncDeleted { before, .. } if before.regions.len() == 3));
    assert!(trusted.changes().iter().all(|change| change.certainty == Certainty::Confirmed));
}

#[tokio::test]
async fn ensure_and_list_syncs_send_only_needed_calls() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    organization.clear_calls();
    let _ = syncs.ensure(&all_accounts(), &home()).await.unwrap();
    // One listing precedes the write, and one confirms the write.
    assert_eq!(organization.call_count(Operation::ListResourceDataSync), 2);
    assert_eq!(organization.write_count(), 1);
    organization.clear_calls();
    let _ = syncs.ensure(&all_accounts(), &home()).await.unwrap();
    assert_eq!((organization.call_count(Operation::ListResourceDataSync), organization.write_count()), (1, 0));
    organization.clear_calls();
    let _ = syncs.list(&many(30)).await.unwrap();
    assert_eq!((organization.call_count(Operation::ListResourceDataSync), organization.write_count()), (30, 0));
}

#[tokio::test]
async fn ensure_units_in_other_order_writes_nothing() {
    let unit = |number: usize| OrganizationalUnitId::new(format!("ou-exam-0000000{number}")).unwrap();
    let of = |units: &[usize]| {
        let units = OrganizationalUnits::new(units.iter().map(|number| unit(*number))).unwrap();
        SyncDefinition::of_units(name("some"), units, sources(&[HOME]))
    };
    let organization = ready().unit(unit(1)).unit(unit(2)).unit(unit(3)).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let _ = syncs.ensure(&of(&[2, 1]), &home()).await.unwrap().into_result().unwrap();
    let _ = syncs.ensure(&of(&[1, 2]), &home()).await.unwrap().into_result().unwrap();
    assert_eq!(organization.write_count(), 1);
    let _ = syncs.ensure(&of(&[1, 3]), &home()).await.unwrap().into_result().unwrap();
    let whole = SyncDefinition::of_organization(name("some"), sources(&[HOME]));
    let _ = syncs.ensure(&whole, &home()).await.unwrap().into_result().unwrap();
    assert_eq!(organization.write_count(), 3);
    assert_eq!(organization.data_syncs(management(), &home()[0])[0].units, []);
}

#[tokio::test]
async fn ensure_hidden_booleans_writes_once_per_run() {
    let mut hidden = UndocumentedBehavior::default();
    hidden.sync_booleans_are_shown = false;
    let organization = ready().undocumented_behavior(hidden).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    for _ in 0..3 {
        let ensured = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().unwrap();
        assert_eq!(ensured[&home()[0]].get().future_regions, None, "the result reports the value as hidden");
    }
    assert_eq!(organization.write_count(), 1);
    drop(trusted);
    // Another handle has no record of the write.
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    for _ in 0..3 {
        let _ = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().unwrap();
    }
    assert_eq!((organization.write_count(), organization.call_count(Operation::UpdateResourceDataSync)), (2, 1));
}

#[tokio::test]
async fn ensure_sixth_sync_follows_the_quota_setting() {
    let held = |explorers: usize, shared: bool| {
        let mut setting = UndocumentedBehavior::default();
        setting.sync_quota_is_shared = shared;
        let start = (1..=5).fold(ready().undocumented_behavior(setting), |start, number| {
            let kind = if number <= explorers { SyncType::SyncFromSource } else { SyncType::SyncToDestination };
            let sync = DataSync::new(name(&format!("held-{number}")), None);
            start.data_sync_of_type(kind, management(), region(HOME), sync)
        });
        start.build()
    };
    // Five Explorer syncs exceed the quota under each setting. Otherwise the write is sent, because
    // AWS does not document which types it counts.
    for (explorers, shared, room, writes) in
        [(5, true, false, 0), (5, false, false, 0), (3, true, false, 1), (3, false, true, 1)]
    {
        let organization = held(explorers, shared);
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        let mut syncs = trusted.data_syncs(&client).await.unwrap();
        let ensured = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result();
        assert_eq!((ensured.is_ok(), organization.write_count()), (room, writes), "{explorers} {shared}");
        let Err(failed) = ensured else { continue };
        let ErrorKind::SyncQuotaExceeded { names, .. } = failed.kind() else { panic!("{failed}") };
        assert_eq!(names.len(), 5);
        assert!(names.contains(&name("held-2")) && names.contains(&name("held-5")));
        assert_eq!((failed.region(), failed.caller()), (Some(&region(HOME)), Some(management())));
    }
}

#[tokio::test]
async fn ensure_name_of_inventory_sync_is_refused() {
    let theirs = DataSync::new(name("all"), None);
    let organization =
        ready().data_sync_of_type(SyncType::SyncToDestination, management(), region(HOME), theirs).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let failed = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().unwrap_err();
    assert_eq!(failed.kind(), &ErrorKind::SyncNameTaken);
    // Inventory's syncs are listed only after AWS has refused the name.
    assert_eq!((organization.write_count(), organization.call_count(Operation::ListResourceDataSync)), (1, 3));
    // The Inventory sync is not deleted either.
    assert_eq!(syncs.delete(&name("all"), &home()).await.unwrap().into_result().unwrap()[&home()[0]], None);
    assert_eq!(organization.data_syncs(management(), &home()[0]).len(), 1);
}

#[tokio::test]
async fn write_of_service_managed_sync_sends_no_call() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    organization.clear_calls();
    for foreign in ["AWS-QuickSetup-abc", "InspectorResourceDataSync-do-not-delete"] {
        assert_eq!(*syncs.delete(&name(foreign), &home()).await.unwrap_err().kind(), ErrorKind::ServiceManagedSync);
        let sync = SyncDefinition::of_organization(name(foreign), sources(&[HOME]));
        assert_eq!(*syncs.ensure(&sync, &home()).await.unwrap_err().kind(), ErrorKind::ServiceManagedSync);
    }
    for regions in [&[][..]] {
        assert_eq!(*syncs.list(regions).await.unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(*syncs.delete(&name("all"), regions).await.unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(*syncs.ensure(&all_accounts(), regions).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(organization.calls(), [], "the requests are refused before any call");
}

#[tokio::test]
async fn ensure_by_administrator_in_opt_in_region_is_refused() {
    let organization = delegated().service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY).build();
    let regions = [region(HOME), region("eu-south-1")];
    let mut handle = delegated_in(&organization).await;
    let theirs = organization.client(alice());
    let mut syncs = handle.data_syncs(&theirs).await.unwrap();
    assert_eq!(syncs.owner(), ObservedOwner::Administrator(alice()));
    let ensured = syncs.ensure(&all_accounts(), &regions).await.unwrap();
    assert!(ensured.get(&regions[0]).unwrap().is_ok());
    assert_eq!(*ensured.get(&regions[1]).unwrap().as_ref().unwrap_err().kind(), ErrorKind::OptInRegion);
    assert_eq!(organization.write_count(), 1);
    // In an opt-in Region, AWS allows single-account syncs and any sync of the management account.
    let own = SyncDefinition::new(name("own"), SyncSource::SingleAccount, sources(&[HOME]));
    let _ = syncs.ensure(&own, &regions).await.unwrap().into_result().unwrap();
    let ours = organization.management_client();
    let mut syncs = handle.data_syncs(&ours).await.unwrap();
    let _ = syncs.ensure(&all_accounts(), &regions).await.unwrap().into_result().unwrap();
}

#[tokio::test]
async fn list_by_each_account_returns_its_own_syncs() {
    let organization = delegated()
        .data_sync(management(), region(HOME), organization_sync("ours"))
        .data_sync(alice(), region(HOME), organization_sync("theirs"))
        .build();
    let mut handle = delegated_in(&organization).await;
    for (account, viewpoint, expected) in [
        (management(), ObservedOwner::Management(management()), vec![name("ours")]),
        (alice(), ObservedOwner::Administrator(alice()), vec![name("theirs")]),
        (bob(), ObservedOwner::Other(bob()), vec![]),
    ] {
        let client = organization.client(account);
        let syncs = handle.data_syncs(&client).await.unwrap();
        assert_eq!(syncs.owner(), viewpoint);
        let listed = syncs.list(&home()).await.unwrap().into_result().unwrap();
        let names: Vec<_> = listed[&home()[0]].iter().map(|sync| sync.name.clone()).collect();
        assert_eq!(names, expected);
    }
}

#[tokio::test]
async fn delete_sync_without_trusted_access_succeeds() {
    let organization = organization().data_sync(management(), region(HOME), organization_sync("left")).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let mut syncs = disabled.data_syncs(&client).await.unwrap();
    let deleted = syncs.delete(&name("left"), &home()).await.unwrap().into_result().unwrap();
    assert!(deleted[&home()[0]].is_some());
}

#[tokio::test]
async fn ensure_changed_source_fails_and_recreate_succeeds() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let own = SyncDefinition::new(name("all"), SyncSource::SingleAccount, sources(&[HOME]));
    let _ = syncs.ensure(&own, &home()).await.unwrap().into_result().unwrap();
    let failed = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().unwrap_err();
    assert_eq!((failed.kind(), organization.write_count()), (&ErrorKind::SyncSourceImmutable, 1));
    let recreated = syncs.recreate(&all_accounts(), &home()).await.unwrap().into_result().unwrap();
    assert!(matches!(&recreated[&home()[0]], EnsureOutcome::Created(_)));
    assert_eq!(organization.write_count(), 3);
}

#[tokio::test(start_paused = true)]
async fn ensure_with_one_failed_region_completes_the_others() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let regions = many(3);
    organization.inject_fault(Operation::CreateResourceDataSync, 2, Fault::refused("AccessDeniedException"));
    let ensured = syncs.ensure(&all_accounts(), &regions).await.unwrap();
    assert_eq!(ensured.failures().count(), 1);
    let (failed, error) = ensured.failures().next().unwrap();
    assert_eq!((error.kind(), error.region()), (&ErrorKind::AccessDenied, Some(failed)));
    assert_eq!(organization.call_count(Operation::CreateResourceDataSync), 3);
    let ensured = syncs.ensure(&all_accounts(), &regions).await.unwrap().into_result().unwrap();
    let created = ensured.values().filter(|ensured| matches!(ensured, EnsureOutcome::Created(_))).count();
    assert_eq!((created, organization.call_count(Operation::CreateResourceDataSync)), (1, 4));
}

#[tokio::test(start_paused = true)]
async fn list_and_ensure_in_thirty_regions_run_concurrently() {
    let organization = ready().latency(Duration::from_secs(1)).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    organization.inject_fault(Operation::ListResourceDataSync, 7, Fault::Delay(Duration::from_secs(4)));
    let begun = tokio::time::Instant::now();
    let _ = syncs.list(&many(30)).await.unwrap().into_result().unwrap();
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
    let begun = tokio::time::Instant::now();
    let _ = syncs.ensure(&all_accounts(), &many(30)).await.unwrap().into_result().unwrap();
    // A listing, the write, and the listing that confirms the write.
    assert_eq!(begun.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn write_with_lost_response_is_read_and_not_resent() {
    let writes =
        [Operation::CreateResourceDataSync, Operation::UpdateResourceDataSync, Operation::DeleteResourceDataSync];
    for write in writes {
        for (fault, applied) in [(Fault::ResponseLost, true), (Fault::RequestLost, false)] {
            let organization = ready().build();
            let client = organization.management_client();
            let mut trusted = trusted_in(&organization).await;
            let mut syncs = trusted.data_syncs(&client).await.unwrap();
            if write != Operation::CreateResourceDataSync {
                let other = SyncDefinition::of_organization(name("all"), sources(&["us-west-2"]));
                let _ = syncs.ensure(&other, &home()).await.unwrap().into_result().unwrap();
            }
            organization.inject_fault(write, 1, fault.clone());
            let error = if write == Operation::DeleteResourceDataSync {
                syncs.delete(&name("all"), &home()).await.unwrap().into_result().err()
            } else {
                syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().err()
            };
            assert_eq!(
                error.map(|error| error.kind().clone()),
                (!applied).then_some(ErrorKind::ResponseLost),
                "{write} {fault:?}"
            );
            assert_eq!(organization.call_count(write), 1);
            assert_eq!(trusted.changes().last().unwrap().certainty, Certainty::Unconfirmed, "{write} {fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ensure_with_delayed_listing_waits_until_timeout() {
    let organization = ready().read_delay(Duration::from_secs(5)).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let begun = tokio::time::Instant::now();
    let _ = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().unwrap();
    assert_eq!(begun.elapsed(), Duration::from_secs(7));
    let _ = syncs.delete(&name("all"), &home()).await.unwrap().into_result().unwrap();

    let organization = ready().read_delay(Duration::from_mins(5)).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().unwrap_err();
    assert_eq!((error.kind(), error.retry_status()), (&ErrorKind::WaitTimeout, RetryStatus::Exhausted));
    assert_eq!(trusted.changes()[0].certainty, Certainty::Confirmed);
}

#[tokio::test(start_paused = true)]
async fn ensure_after_concurrent_creation_records_no_change() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    organization.run_before(Operation::CreateResourceDataSync, 1, |organization| {
        let mut same = organization_sync("all");
        same.regions = vec![region(HOME), region("us-east-1")];
        same.future_regions = Some(false);
        same.all_ops_data_sources = Some(false);
        organization.add_data_sync(management(), region(HOME), same);
    });
    let ensured = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().unwrap();
    assert!(matches!(&ensured[&home()[0]], EnsureOutcome::Unchanged(_)));
    assert_eq!(trusted.changes(), []);
}

#[tokio::test]
async fn definition_with_invalid_parts_is_refused() {
    assert!(SourceRegions::new([]).is_err());
    let unit = |number: usize| OrganizationalUnitId::new(format!("ou-exam-{number:08}")).unwrap();
    assert!(OrganizationalUnits::new([]).is_err());
    assert!(OrganizationalUnits::new((0..1_000).map(unit)).is_ok());
    assert!(OrganizationalUnits::new((0..1_001).map(unit)).is_err());
    assert_eq!(OrganizationalUnits::new([unit(1), unit(1)]).unwrap().as_slice().len(), 1);
    for bad in ["r-exam", "ou-exa-00000001", "ou-exam-0000001", "ou-EXAM-00000001", "ou-exam-00000001-more"] {
        assert!(OrganizationalUnitId::new(bad).is_err(), "{bad}");
    }
    assert!(!all_accounts().enables_all_ops_data_sources(), "EnableAllOpsDataSources is false by default");
}

#[tokio::test(start_paused = true)]
async fn delete_with_concurrent_recreation_keeps_the_new_sync() {
    let organization = ready().data_sync(management(), region(HOME), organization_sync("all")).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    organization.run_before(Operation::ListResourceDataSync, 2, |organization| {
        organization.add_data_sync(management(), region(HOME), organization_sync("all"));
    });
    let begun = tokio::time::Instant::now();
    let deleted = syncs.delete(&name("all"), &home()).await.unwrap().into_result().unwrap();
    assert!(deleted[&home()[0]].is_some());
    assert_eq!((begun.elapsed(), organization.data_syncs(management(), &home()[0]).len()), (Duration::ZERO, 1));
}

#[test]
fn definition_of_listed_sync_reproduces_the_sync() {
    let units = OrganizationalUnits::new([OrganizationalUnitId::new("ou-abcd-12345678").unwrap()]).unwrap();
    let mut shown = organization_sync("all");
    shown.regions = vec![region(HOME)];
    assert_eq!(shown.definition().unwrap().source(), &SyncSource::EntireOrganization);
    shown.units = units.as_slice().to_vec();
    assert_eq!(shown.definition().unwrap(), SyncDefinition::of_units(name("all"), units, sources(&[HOME])));
    shown.source_type = None;
    assert_eq!(shown.definition(), None);
}
