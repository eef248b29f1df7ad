//! Explorer's data syncs through a handle: what is written, what is left alone, and what each Region answers.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{
    alice, bob, delegated, delegated_in, disabled_in, management, organization, organization_sync, region, trusted_in,
};
use ssm_organizations::ports::{
    DataSync, Operation, OrganizationalUnits, SourceRegions, SyncDefinition, SyncSource, SyncState, SyncType,
};
use ssm_organizations::sim::{self, Fault, Undocumented};
use ssm_organizations::{
    Certainty, ChangeKind, ErrorKind, OrganizationalUnitId, Region, Retry, ServicePrincipal, SyncEnsured, SyncName,
    Viewpoint,
};

const HOME: &str = "eu-central-1";

/// Trusted, with the role that syncs need.
fn ready() -> sim::Builder {
    crate::common::trusting().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY)
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
    (1..=count).map(|number| region(&format!("region-{number}"))).collect()
}

#[tokio::test]
async fn a_sync_is_created_once_changed_in_place_and_deleted() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    assert_eq!(syncs.viewpoint(), Viewpoint::Management(management()));

    let created = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().unwrap();
    assert!(matches!(&created[&home()[0]], SyncEnsured::Created(sync) if sync.state == SyncState::Healthy));
    let again = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().unwrap();
    assert!(matches!(&again[&home()[0]], SyncEnsured::AlreadySo(_)));
    assert_eq!(organization.writes(), 1);

    let wider = SyncDefinition::of_organization(name("all"), sources(&[HOME, "us-east-1", "us-west-2"]));
    let updated =
        syncs.ensure(&wider.clone().including_future_regions(), &home()).await.unwrap().into_result().unwrap();
    assert!(matches!(&updated[&home()[0]], SyncEnsured::Updated(sync)
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
    assert!(trusted.changes().iter().all(|change| change.certainty == Certainty::Did));
}

#[tokio::test]
async fn one_list_of_each_type_that_is_needed_and_no_write_when_nothing_is_to_change() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    organization.forget_calls();
    let _ = syncs.ensure(&all_accounts(), &home()).await.unwrap();
    // Both types for the room, and the first again to see it.
    assert_eq!(organization.count(Operation::ListResourceDataSync), 3);
    assert_eq!(organization.writes(), 1);
    organization.forget_calls();
    let _ = syncs.ensure(&all_accounts(), &home()).await.unwrap();
    assert_eq!((organization.count(Operation::ListResourceDataSync), organization.writes()), (1, 0));
    organization.forget_calls();
    let _ = syncs.list(&many(30)).await.unwrap();
    assert_eq!((organization.count(Operation::ListResourceDataSync), organization.writes()), (30, 0));
}

#[tokio::test]
async fn units_are_compared_whatever_their_order() {
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
    assert_eq!(organization.writes(), 1);
    let _ = syncs.ensure(&of(&[1, 3]), &home()).await.unwrap().into_result().unwrap();
    let whole = SyncDefinition::of_organization(name("some"), sources(&[HOME]));
    let _ = syncs.ensure(&whole, &home()).await.unwrap().into_result().unwrap();
    assert_eq!(organization.writes(), 3);
    assert_eq!(organization.data_syncs(management(), &home()[0])[0].units, []);
}

#[tokio::test]
async fn what_aws_does_not_show_is_written_once_a_run() {
    let mut hidden = Undocumented::default();
    hidden.sync_booleans_are_shown = false;
    let organization = ready().undocumented(hidden).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    for _ in 0..3 {
        let ensured = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().unwrap();
        assert_eq!(ensured[&home()[0]].sync().future_regions, None, "reported as not shown");
    }
    assert_eq!(organization.writes(), 1);
    drop(trusted);
    // Another run cannot know.
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    for _ in 0..3 {
        let _ = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().unwrap();
    }
    assert_eq!((organization.writes(), organization.count(Operation::UpdateResourceDataSync)), (2, 1));
}

#[tokio::test]
async fn five_places_and_who_holds_them() {
    let held = |explorers: usize, shared: bool| {
        let mut setting = Undocumented::default();
        setting.sync_quota_is_shared = shared;
        let start = (1..=5).fold(ready().undocumented(setting), |start, number| {
            let kind = if number <= explorers { SyncType::SyncFromSource } else { SyncType::SyncToDestination };
            let sync = DataSync::new(name(&format!("held-{number}")), None);
            start.data_sync_of_type(kind, management(), region(HOME), sync)
        });
        start.build()
    };
    // Five of Explorer's own are too many whatever AWS counts; fewer are left to AWS, because nobody says what it counts.
    for (explorers, shared, room, writes) in
        [(5, true, false, 0), (5, false, false, 0), (3, true, false, 1), (3, false, true, 1)]
    {
        let organization = held(explorers, shared);
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        let mut syncs = trusted.data_syncs(&client).await.unwrap();
        let ensured = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result();
        assert_eq!((ensured.is_ok(), organization.writes()), (room, writes), "{explorers} {shared}");
        let Err(failed) = ensured else { continue };
        let ErrorKind::SyncQuotaFull { holders, .. } = failed.kind() else { panic!("{failed}") };
        assert_eq!(holders.len(), 5);
        assert!(holders.contains(&name("held-2")) && holders.contains(&name("held-5")));
        assert_eq!((failed.region(), failed.caller()), (Some(&region(HOME)), Some(management())));
    }
}

#[tokio::test]
async fn a_name_of_inventorys_is_taken() {
    let theirs = DataSync::new(name("all"), None);
    let organization =
        ready().data_sync_of_type(SyncType::SyncToDestination, management(), region(HOME), theirs).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let failed = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().unwrap_err();
    assert_eq!((failed.kind(), organization.writes()), (&ErrorKind::SyncNameTaken, 0));
    // And is not deleted either: it is not one of Explorer's.
    assert_eq!(syncs.delete(&name("all"), &home()).await.unwrap().into_result().unwrap()[&home()[0]], None);
    assert_eq!(organization.data_syncs(management(), &home()[0]).len(), 1);
}

#[tokio::test]
async fn syncs_of_other_services_are_left_alone_even_by_name() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    organization.forget_calls();
    for foreign in ["AWS-QuickSetup-abc", "InspectorResourceDataSync-do-not-delete"] {
        assert_eq!(*syncs.delete(&name(foreign), &home()).await.unwrap_err().kind(), ErrorKind::ForeignSync);
        let sync = SyncDefinition::of_organization(name(foreign), sources(&[HOME]));
        assert_eq!(*syncs.ensure(&sync, &home()).await.unwrap_err().kind(), ErrorKind::ForeignSync);
    }
    for regions in [&[][..]] {
        assert_eq!(*syncs.list(regions).await.unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(*syncs.delete(&name("all"), regions).await.unwrap_err().kind(), ErrorKind::InvalidInput);
        assert_eq!(*syncs.ensure(&all_accounts(), regions).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(organization.calls(), [], "refused before any call");
}

#[tokio::test]
async fn the_administrator_cannot_sync_from_an_opt_in_region() {
    let organization = delegated().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY).build();
    let regions = [region(HOME), region("eu-south-1")];
    let mut handle = delegated_in(&organization).await;
    let theirs = organization.client(alice());
    let mut syncs = handle.data_syncs(&theirs).await.unwrap();
    assert_eq!(syncs.viewpoint(), Viewpoint::Administrator(alice()));
    let ensured = syncs.ensure(&all_accounts(), &regions).await.unwrap();
    assert!(ensured.get(&regions[0]).unwrap().is_ok());
    assert_eq!(*ensured.get(&regions[1]).unwrap().as_ref().unwrap_err().kind(), ErrorKind::OptInRegion);
    assert_eq!(organization.writes(), 1);
    // A sync of that account alone is its own business, and the management account may.
    let own = SyncDefinition::new(name("own"), SyncSource::SingleAccount, sources(&[HOME]));
    let _ = syncs.ensure(&own, &regions).await.unwrap().into_result().unwrap();
    let ours = organization.management_client();
    let mut syncs = handle.data_syncs(&ours).await.unwrap();
    let _ = syncs.ensure(&all_accounts(), &regions).await.unwrap().into_result().unwrap();
}

#[tokio::test]
async fn each_account_sees_its_own() {
    let organization = delegated()
        .data_sync(management(), region(HOME), organization_sync("ours"))
        .data_sync(alice(), region(HOME), organization_sync("theirs"))
        .build();
    let mut handle = delegated_in(&organization).await;
    for (account, viewpoint, expected) in [
        (management(), Viewpoint::Management(management()), vec![name("ours")]),
        (alice(), Viewpoint::Administrator(alice()), vec![name("theirs")]),
        (bob(), Viewpoint::Other(bob()), vec![]),
    ] {
        let client = organization.client(account);
        let syncs = handle.data_syncs(&client).await.unwrap();
        assert_eq!(syncs.viewpoint(), viewpoint);
        let listed = syncs.list(&home()).await.unwrap().into_result().unwrap();
        let names: Vec<_> = listed[&home()[0]].iter().map(|sync| sync.name.clone()).collect();
        assert_eq!(names, expected);
    }
}

#[tokio::test]
async fn leftovers_can_be_cleaned_up_without_trusted_access() {
    let organization = organization().data_sync(management(), region(HOME), organization_sync("left")).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let mut syncs = disabled.data_syncs(&client).await.unwrap();
    let deleted = syncs.delete(&name("left"), &home()).await.unwrap().into_result().unwrap();
    assert!(deleted[&home()[0]].is_some());
}

#[tokio::test]
async fn account_options_take_a_new_sync() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let own = SyncDefinition::new(name("all"), SyncSource::SingleAccount, sources(&[HOME]));
    let _ = syncs.ensure(&own, &home()).await.unwrap().into_result().unwrap();
    let failed = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().unwrap_err();
    assert_eq!((failed.kind(), organization.writes()), (&ErrorKind::SyncSourceFixed, 1));
    let recreated = syncs.recreate(&all_accounts(), &home()).await.unwrap().into_result().unwrap();
    assert!(matches!(&recreated[&home()[0]], SyncEnsured::Created(_)));
    assert_eq!(organization.writes(), 3);
}

#[tokio::test(start_paused = true)]
async fn one_regions_failure_hides_no_others_success_and_a_second_run_finishes_the_rest() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let regions = many(3);
    organization.fault(Operation::CreateResourceDataSync, 2, Fault::refused("AccessDeniedException"));
    let ensured = syncs.ensure(&all_accounts(), &regions).await.unwrap();
    assert_eq!(ensured.failures().count(), 1);
    let (failed, error) = ensured.failures().next().unwrap();
    assert_eq!((error.kind(), error.region()), (&ErrorKind::AccessDenied, Some(failed)));
    assert_eq!(organization.count(Operation::CreateResourceDataSync), 3);
    let ensured = syncs.ensure(&all_accounts(), &regions).await.unwrap().into_result().unwrap();
    let created = ensured.values().filter(|ensured| matches!(ensured, SyncEnsured::Created(_))).count();
    assert_eq!((created, organization.count(Operation::CreateResourceDataSync)), (1, 4));
}

#[tokio::test(start_paused = true)]
async fn thirty_regions_take_the_time_of_the_slowest() {
    let organization = ready().latency(Duration::from_secs(1)).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    organization.fault(Operation::ListResourceDataSync, 7, Fault::Slow(Duration::from_secs(4)));
    let begun = tokio::time::Instant::now();
    let _ = syncs.list(&many(30)).await.unwrap().into_result().unwrap();
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
    let begun = tokio::time::Instant::now();
    let _ = syncs.ensure(&all_accounts(), &many(30)).await.unwrap().into_result().unwrap();
    // Two listings, the write, and the listing that shows it.
    assert_eq!(begun.elapsed(), Duration::from_secs(4));
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_is_read_back_and_not_sent_again() {
    let writes =
        [Operation::CreateResourceDataSync, Operation::UpdateResourceDataSync, Operation::DeleteResourceDataSync];
    for write in writes {
        for (fault, applied) in [(Fault::LostAfter, true), (Fault::LostBefore, false)] {
            let organization = ready().build();
            let client = organization.management_client();
            let mut trusted = trusted_in(&organization).await;
            let mut syncs = trusted.data_syncs(&client).await.unwrap();
            if write != Operation::CreateResourceDataSync {
                let other = SyncDefinition::of_organization(name("all"), sources(&["us-west-2"]));
                let _ = syncs.ensure(&other, &home()).await.unwrap().into_result().unwrap();
            }
            organization.fault(write, 1, fault.clone());
            let error = if write == Operation::DeleteResourceDataSync {
                syncs.delete(&name("all"), &home()).await.unwrap().into_result().err()
            } else {
                syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().err()
            };
            assert_eq!(
                error.map(|error| error.kind().clone()),
                (!applied).then_some(ErrorKind::Lost),
                "{write} {fault:?}"
            );
            assert_eq!(organization.count(write), 1);
            assert_eq!(trusted.changes().last().unwrap().certainty, Certainty::Maybe, "{write} {fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_is_late_is_waited_for() {
    let organization = ready().lag(Duration::from_secs(5)).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let begun = tokio::time::Instant::now();
    let _ = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().unwrap();
    assert_eq!(begun.elapsed(), Duration::from_secs(7));
    let _ = syncs.delete(&name("all"), &home()).await.unwrap().into_result().unwrap();

    let organization = ready().lag(Duration::from_mins(5)).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().unwrap_err();
    assert_eq!((error.kind(), error.retry()), (&ErrorKind::NotSettled, Retry::Spent));
    assert_eq!(trusted.changes()[0].certainty, Certainty::Did);
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_same_sync_is_a_success_without_a_change_of_ours() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    organization.before(Operation::CreateResourceDataSync, 1, |organization| {
        let mut same = organization_sync("all");
        same.regions = vec![region(HOME), region("us-east-1")];
        same.future_regions = Some(false);
        same.all_ops_data_sources = Some(false);
        organization.add_data_sync(management(), region(HOME), same);
    });
    let ensured = syncs.ensure(&all_accounts(), &home()).await.unwrap().into_result().unwrap();
    assert!(matches!(&ensured[&home()[0]], SyncEnsured::AlreadySo(_)));
    assert_eq!(trusted.changes(), []);
}

#[tokio::test]
async fn nonsense_cannot_be_said() {
    assert!(SourceRegions::new([]).is_err());
    let unit = |number: usize| OrganizationalUnitId::new(format!("ou-exam-{number:08}")).unwrap();
    assert!(OrganizationalUnits::new([]).is_err());
    assert!(OrganizationalUnits::new((0..1_000).map(unit)).is_ok());
    assert!(OrganizationalUnits::new((0..1_001).map(unit)).is_err());
    assert_eq!(OrganizationalUnits::new([unit(1), unit(1)]).unwrap().as_slice().len(), 1);
    for bad in ["r-exam", "ou-exa-00000001", "ou-exam-0000001", "ou-EXAM-00000001", "ou-exam-00000001-more"] {
        assert!(OrganizationalUnitId::new(bad).is_err(), "{bad}");
    }
    assert!(!all_accounts().enables_all_ops_data_sources(), "never by default");
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_comes_back_under_a_new_date_is_somebody_elses() {
    let organization = ready().data_sync(management(), region(HOME), organization_sync("all")).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    organization.before(Operation::ListResourceDataSync, 2, |organization| {
        organization.add_data_sync(management(), region(HOME), organization_sync("all"));
    });
    let begun = tokio::time::Instant::now();
    let deleted = syncs.delete(&name("all"), &home()).await.unwrap().into_result().unwrap();
    assert!(deleted[&home()[0]].is_some());
    assert_eq!((begun.elapsed(), organization.data_syncs(management(), &home()[0]).len()), (Duration::ZERO, 1));
}

#[test]
fn what_a_listing_shows_is_enough_to_make_the_same_again() {
    let units = OrganizationalUnits::new([OrganizationalUnitId::new("ou-abcd-12345678").unwrap()]).unwrap();
    let mut shown = organization_sync("all");
    shown.regions = vec![region(HOME)];
    assert_eq!(shown.definition().unwrap().source(), &SyncSource::EntireOrganization);
    shown.units = units.as_slice().to_vec();
    assert_eq!(shown.definition().unwrap(), SyncDefinition::of_units(name("all"), units, sources(&[HOME])));
    shown.source_type = None;
    assert_eq!(shown.definition(), None);
}
