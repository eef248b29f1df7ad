//! Explorer's whole set-up and its reverse, and the hand-over from one administrator to another.
#![cfg(feature = "sim")]

use crate::common::{
    SSM, Way, alice, bob, delegated, delegated_in, disabled_in, expect_disabled, expect_trusted, failed, management,
    organization, organization_sync, region, trusted_in, way,
};
use ssm_organizations::ports::{
    DataSync, Operation, SourceRegions, SyncDefinition, SyncSourceType, SyncState, SyncType,
};
use ssm_organizations::sim::{self, Fault, Undocumented, UnreadySync};
use ssm_organizations::{
    Change, ChangeKind, Error, ErrorKind, Explorer, Handover, Recovered, Region, RoleName, ServicePrincipal, SyncName,
    Syncs, SyncsReport,
};

const HOME: &str = "eu-central-1";
const ROLE: RoleName = RoleName::ACCOUNT_DISCOVERY;

fn home() -> [Region; 1] {
    [region(HOME)]
}

fn name(text: &str) -> SyncName {
    SyncName::new(text).unwrap()
}

fn definition(text: &str) -> SyncDefinition {
    SyncDefinition::of_organization(name(text), SourceRegions::new(home()).unwrap())
}

fn names(organization: &sim::Organization, account: ssm_organizations::AccountId) -> Vec<SyncName> {
    organization.data_syncs(account, &region(HOME)).into_iter().map(|sync| sync.name).collect()
}

/// A sync as Explorer makes it, in full.
fn full(text: &str) -> DataSync {
    let mut sync = organization_sync(text);
    sync.regions = vec![region(HOME), region("us-east-1")];
    sync.future_regions = Some(true);
    sync.all_ops_data_sources = Some(false);
    sync
}

fn delegated_with_role() -> sim::Builder {
    delegated().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY)
}

#[tokio::test(start_paused = true)]
async fn from_nothing_to_a_working_explorer_and_exactly_back() {
    let organization = organization().build();
    let before = organization.snapshot().without_dates();
    let client = organization.management_client();
    let (sync, home) = (definition("all"), home());
    let explorer = Explorer::new().with_role(&client).with_sync(&client, &sync, &home);

    let trusted = disabled_in(&organization).await.set_up_explorer(&explorer).await.unwrap();
    assert!(organization.has_role(management(), &ROLE));
    assert_eq!(organization.data_syncs(management(), &home[0])[0].state, SyncState::Healthy);
    assert_eq!(trusted.changes().len(), 3);

    let protect = Syncs::Protect { ssm: &[&client], regions: &home };
    let disabled = trusted.take_down_explorer(&explorer, protect).await.unwrap();
    assert_eq!(organization.snapshot().without_dates(), before);
    assert_eq!(disabled.changes().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn role_and_sync_are_made_and_deleted_only_when_asked_for() {
    let organization = organization().build();
    let trusted = disabled_in(&organization).await.set_up_explorer(&Explorer::new()).await.unwrap();
    assert!(!organization.has_role(management(), &ROLE));
    assert_eq!(names(&organization, management()), []);
    organization.add_role(management(), &ServicePrincipal::ACCOUNT_DISCOVERY);
    let _ = trusted.take_down_explorer(&Explorer::new(), Syncs::Forfeit).await.unwrap();
    assert!(organization.has_role(management(), &ROLE));
}

#[tokio::test(start_paused = true)]
async fn a_set_up_that_stops_half_way_can_be_completed() {
    let organization = organization().build();
    let client = organization.management_client();
    let (sync, home) = (definition("all"), home());
    let explorer = Explorer::new().with_role(&client).with_sync(&client, &sync, &home);
    organization.fault(Operation::CreateServiceLinkedRole, 1, Fault::refused("AccessDenied"));
    let (error, recovered) = failed(disabled_in(&organization).await.set_up_explorer(&explorer).await);
    assert_eq!((error.kind(), error.operation()), (&ErrorKind::AccessDenied, Some(Operation::CreateServiceLinkedRole)));
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    let mut trusted = expect_trusted(observed);
    trusted.complete_explorer(&explorer).await.unwrap();
    trusted.complete_explorer(&explorer).await.unwrap();
    assert_eq!(trusted.changes().len(), 3);
}

/// The Regions that an error names, each with what is the case there.
fn regions_of(error: &Error) -> Vec<(Region, ErrorKind)> {
    let all = std::iter::once(error).chain(error.further());
    all.map(|error| (error.region().unwrap().clone(), error.kind().clone())).collect()
}

/// The home Regions of the syncs that were created and deleted.
fn regions_in(changes: &[Change]) -> [Vec<Region>; 2] {
    let (mut created, mut deleted) = (Vec::new(), Vec::new());
    for change in changes {
        match &change.kind {
            ChangeKind::DataSyncCreated { sync, .. } => created.push(sync.region.clone()),
            ChangeKind::DataSyncDeleted { sync, .. } => deleted.push(sync.region.clone()),
            _ => {}
        }
    }
    [created, deleted]
}

#[tokio::test(start_paused = true)]
async fn no_regions_failure_hides_anothers_there_or_back() {
    let organization = organization().build();
    let client = organization.management_client();
    let regions = ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2"].map(region);
    let [first, second, third, fourth] = regions.clone();
    let sync = definition("all");
    let explorer = Explorer::new().with_role(&client).with_sync(&client, &sync, &regions);
    let refusal = |code: &'static str| Fault::refused(code);

    organization.fault(Operation::CreateResourceDataSync, 2, refusal("AccessDeniedException"));
    organization.fault(Operation::CreateResourceDataSync, 4, refusal("ThrottlingException"));
    let (error, recovered) = failed(disabled_in(&organization).await.set_up_explorer(&explorer).await);
    let both = [(second.clone(), ErrorKind::AccessDenied), (fourth.clone(), ErrorKind::Throttled)];
    assert_eq!(regions_of(&error), both);
    assert!(error.to_string().ends_with("; and 1 further error"), "{error}");
    assert!(format!("{error:?}").contains("region: us-west-2"), "{error:?}");
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    let mut trusted = expect_trusted(observed);
    assert_eq!(regions_in(trusted.changes()), [vec![first.clone(), third.clone()], vec![]]);

    // Another run is about the rest alone.
    organization.forget_calls();
    for nth in 1..=2 {
        organization.fault(Operation::CreateResourceDataSync, nth, refusal("ThrottlingException"));
    }
    let error = trusted.complete_explorer(&explorer).await.unwrap_err();
    assert_eq!(regions_of(&error), [second.clone(), fourth.clone()].map(|region| (region, ErrorKind::Throttled)));
    trusted.complete_explorer(&explorer).await.unwrap();
    assert_eq!(organization.count(Operation::CreateResourceDataSync), 4);

    for nth in [1, 2, 4] {
        organization.fault(Operation::DeleteResourceDataSync, nth, refusal("ThrottlingException"));
    }
    let protect = Syncs::Protect { ssm: &[&client], regions: &regions };
    let (error, recovered) = failed(trusted.take_down_explorer(&explorer, protect).await);
    assert_eq!(regions_of(&error), [first, second, fourth].map(|region| (region, ErrorKind::Throttled)));
    assert!(error.to_string().ends_with("; and 2 further errors"), "{error}");
    let Recovered::Unchanged(trusted) = recovered else { panic!("{recovered:?}") };
    assert_eq!(regions_in(trusted.changes())[1], [third]);
    assert!(
        organization.is_trusted(&SSM) && organization.has_role(management(), &ROLE),
        "neither goes before the syncs"
    );
    let disabled = trusted.take_down_explorer(&explorer, protect).await.unwrap();
    assert_eq!(regions_in(disabled.changes())[1].len(), 4);
}

#[tokio::test(start_paused = true)]
async fn every_region_that_stops_a_replacement_is_told() {
    let regions = ["eu-central-1", "eu-west-1", "us-east-1"].map(region);
    let start = regions.iter().fold(delegated_with_role(), |start, at| {
        let taken = DataSync::new(name("theirs"), None);
        let start = start.data_sync(alice(), at.clone(), full("theirs"));
        start.data_sync_of_type(SyncType::SyncToDestination, bob(), at.clone(), taken)
    });
    let organization = start.build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let carry = Handover::Carry { from: &from, to: &to, regions: &regions };
    let (error, _) = failed(delegated_in(&organization).await.replace(&bob(), carry).await);
    assert_eq!(regions_of(&error), regions.clone().map(|region| (region, ErrorKind::SyncNameTaken)));

    organization.forget_calls();
    let delegated = delegated_in(&organization).await;
    for nth in [1, 3] {
        organization.fault(Operation::ListResourceDataSync, nth, Fault::refused("AccessDeniedException"));
    }
    let protect = Syncs::Protect { ssm: &[&from], regions: &regions };
    let (error, _) = failed(delegated.deregister(protect).await);
    let unseen: Vec<_> = regions_of(&error).into_iter().map(|(region, _)| region).collect();
    assert_eq!((unseen, organization.writes()), (vec![regions[0].clone(), regions[2].clone()], 0));
}

#[tokio::test(start_paused = true)]
async fn nonsense_is_refused_before_any_call() {
    let organization = organization().build();
    let client = organization.management_client();
    let (foreign, sync, home) = (definition("AWS-QuickSetup-x"), definition("all"), home());
    for (explorer, kind) in [
        (Explorer::new().with_sync(&client, &foreign, &home), ErrorKind::ForeignSync),
        (Explorer::new().with_sync(&client, &sync, &[]), ErrorKind::InvalidInput),
    ] {
        let disabled = disabled_in(&organization).await;
        organization.forget_calls();
        let (error, recovered) = failed(disabled.set_up_explorer(&explorer).await);
        assert_eq!((error.kind(), way(&recovered)), (&kind, Way::Unchanged));
        assert_eq!(organization.calls(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_was_not_named_stops_the_take_down() {
    let organization = crate::common::trusting()
        .role_for(&ServicePrincipal::ACCOUNT_DISCOVERY)
        .data_sync(management(), region(HOME), full("named"))
        .data_sync(management(), region(HOME), full("other"))
        .build();
    let client = organization.management_client();
    let (sync, home) = (definition("named"), home());
    let explorer = Explorer::new().with_role(&client).with_sync(&client, &sync, &home);
    let protect = Syncs::Protect { ssm: &[&client], regions: &home };
    let (error, recovered) = failed(trusted_in(&organization).await.take_down_explorer(&explorer, protect).await);
    assert!(
        matches!(error.kind(), ErrorKind::SyncsRemain { syncs, .. } if syncs[0].at.name == name("other")),
        "{error}"
    );
    let Recovered::Unchanged(trusted) = recovered else { panic!("{recovered:?}") };
    assert_eq!((trusted.changes().len(), organization.writes()), (0, 0), "the one that was named stays too");
    assert_eq!(names(&organization, management()), [name("named"), name("other")]);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_stays_is_told_with_the_state_that_was_reached() {
    let organization = crate::common::trusting()
        .role_for(&ServicePrincipal::ACCOUNT_DISCOVERY)
        .data_sync(management(), region(HOME), full("other"))
        .build();
    let client = organization.management_client();
    let explorer = Explorer::new().with_role(&client);
    let (error, recovered) =
        failed(trusted_in(&organization).await.take_down_explorer(&explorer, Syncs::Forfeit).await);
    assert!(matches!(error.kind(), ErrorKind::RoleInUse { .. }), "{error}");
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    let _ = expect_disabled(observed);
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_outlived_trusted_access_is_made_anew() {
    let mut setting = Undocumented::default();
    setting.unready_sync = UnreadySync::Refused;
    let organization = crate::common::trusting()
        .role_for(&ServicePrincipal::ACCOUNT_DISCOVERY)
        .data_sync(management(), region(HOME), full("all"))
        .undocumented(setting)
        .build();
    let client = organization.management_client();
    let disabled = trusted_in(&organization).await.disable(Syncs::Forfeit).await.unwrap();
    let mut trusted = disabled.enable_trusted_access().await.unwrap();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let listed = syncs.list(&home()).await.unwrap().into_result().unwrap();
    let left = &listed[&home()[0]][0];
    assert_eq!(left.state, SyncState::TrustedAccessDisabled, "AWS says so, and nothing heals it");
    let recreated = syncs.recreate(&left.definition().unwrap(), &home()).await.unwrap().into_result().unwrap();
    let made = recreated[&home()[0]].sync();
    assert_eq!(
        (made.state.clone(), made.regions.clone(), made.future_regions),
        (SyncState::Healthy, left.regions.clone(), Some(true))
    );
}

#[tokio::test(start_paused = true)]
async fn a_replacement_carries_the_syncs_over() {
    let organization = delegated_with_role()
        .data_sync(alice(), region(HOME), full("theirs"))
        .data_sync(alice(), region("us-east-1"), full("theirs"))
        .data_sync(alice(), region(HOME), DataSync::new(name("own"), Some(SyncSourceType::SingleAccountMultiRegions)))
        .data_sync(management(), region(HOME), full("ours"))
        .build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let regions = [region(HOME), region("us-east-1")];
    let carry = Handover::Carry { from: &from, to: &to, regions: &regions };
    let replaced = delegated_in(&organization).await.replace(&bob(), carry).await.unwrap();
    assert_eq!(replaced.delegated.administrator().account, bob());
    assert_eq!(organization.administrators(), [bob()]);
    assert_eq!((replaced.carried.len(), replaced.lost.len()), (2, 0));
    assert!(replaced.carried.iter().all(|(at, carried)| at.account == bob() && carried.is_ok()));
    assert_eq!(names(&organization, bob()), [name("theirs")]);
    assert_eq!(organization.data_syncs(bob(), &regions[0])[0].future_regions, Some(true));
    assert_eq!(names(&organization, alice()), [name("own")], "no concern of the organization");
    assert_eq!(names(&organization, management()), [name("ours")]);
    let ChangeKind::AdministratorDeregistered { syncs: SyncsReport::Recorded(record), .. } =
        &replaced.delegated.changes()[0].kind
    else {
        panic!("{:?}", replaced.delegated.changes());
    };
    assert_eq!(record.len(), 2, "as they were");
}

#[tokio::test(start_paused = true)]
async fn the_new_account_is_looked_at_in_full_before_the_old_one_is_touched() {
    let held = |builder: sim::Builder, count: usize| {
        (0..count).fold(builder, |builder, number| {
            let sync = DataSync::new(name(&format!("held-{number}")), None);
            builder.data_sync_of_type(SyncType::SyncToDestination, bob(), region(HOME), sync)
        })
    };
    let start = || delegated_with_role().data_sync(alice(), region(HOME), full("theirs"));
    let cases = [
        (held(start(), 5), "quota"),
        (
            start().data_sync_of_type(
                SyncType::SyncToDestination,
                bob(),
                region(HOME),
                DataSync::new(name("theirs"), None),
            ),
            "taken",
        ),
        (
            start().data_sync(bob(), region(HOME), full("theirs-not")).data_sync(
                bob(),
                region(HOME),
                organization_sync("theirs"),
            ),
            "differs",
        ),
        (delegated_with_role().data_sync(alice(), region(HOME), organization_sync("theirs")), "unshown"),
    ];
    for (start, case) in cases {
        let organization = start.build();
        let (from, to) = (organization.client(alice()), organization.client(bob()));
        let home = home();
        let carry = Handover::Carry { from: &from, to: &to, regions: &home };
        let (error, recovered) = failed(delegated_in(&organization).await.replace(&bob(), carry).await);
        let right = match case {
            "quota" => matches!(error.kind(), ErrorKind::SyncQuotaFull { holders, .. } if holders.len() == 5),
            "taken" => *error.kind() == ErrorKind::SyncNameTaken,
            "differs" => *error.kind() == ErrorKind::SyncDiffers,
            _ => matches!(error.kind(), ErrorKind::SyncsUnseen { account, .. } if *account == alice()),
        };
        assert!(right, "{case}: {error}");
        assert_eq!((way(&recovered), organization.writes()), (Way::Unchanged, 0), "{case}");
    }

    // The wrong clients, and an account that cannot administer.
    let organization = start().build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    for (from, to, unseen) in [(&to, &to, alice()), (&from, &from, bob())] {
        let carry = Handover::Carry { from, to, regions: &home };
        let (error, _) = failed(delegated_in(&organization).await.replace(&bob(), carry).await);
        assert!(matches!(error.kind(), ErrorKind::SyncsUnseen { account, .. } if *account == unseen), "{error}");
    }
    let carry = Handover::Carry { from: &from, to: &to, regions: &home };
    let (error, _) = failed(delegated_in(&organization).await.replace(&management(), carry).await);
    assert_eq!((error.kind(), organization.writes()), (&ErrorKind::IsManagementAccount, 0));
}

#[tokio::test(start_paused = true)]
async fn leaving_the_syncs_does_what_deregistering_would() {
    let organization = delegated_with_role().data_sync(alice(), region(HOME), full("theirs")).build();
    let theirs = organization.client(alice());
    let home = home();
    let protect = Syncs::Protect { ssm: &[&theirs], regions: &home };
    let (error, _) = failed(delegated_in(&organization).await.replace(&bob(), Handover::Leave(protect)).await);
    assert!(matches!(error.kind(), ErrorKind::SyncsRemain { .. }), "{error}");
    assert_eq!(organization.administrators(), [alice()]);
    delegated_in(&organization).await.replace(&bob(), Handover::Leave(Syncs::Forfeit)).await.unwrap();
    assert_eq!((organization.administrators(), names(&organization, alice())), (vec![bob()], vec![]));
    // And where it is so already, nothing.
    let writes = organization.writes();
    delegated_in(&organization).await.replace(&bob(), Handover::Leave(Syncs::Forfeit)).await.unwrap();
    assert_eq!(organization.writes(), writes);
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_stops_half_way_has_the_syncs_on_record() {
    let organization = delegated_with_role().data_sync(alice(), region(HOME), full("theirs")).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    let carry = Handover::Carry { from: &from, to: &to, regions: &home };
    let delegated = delegated_in(&organization).await;
    organization.fault(Operation::RegisterDelegatedAdministrator, 1, Fault::refused("AccessDeniedException"));
    let (error, recovered) = failed(delegated.replace(&bob(), carry).await);
    assert_eq!((error.kind(), error.account()), (&ErrorKind::AccessDenied, Some(bob())));
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    let trusted = expect_trusted(observed);
    let ChangeKind::AdministratorDeregistered { syncs, .. } = &trusted.changes()[0].kind else {
        panic!("{:?}", trusted.changes());
    };
    // What restores the old order.
    let record = syncs.recorded().to_vec();
    assert_eq!(record.len(), 1);
    let mut delegated = trusted.register_delegated_administrator(&alice()).await.unwrap();
    let mut syncs = delegated.data_syncs(&from).await.unwrap();
    for (at, sync) in &record {
        let _ = syncs.ensure(&sync.definition().unwrap(), std::slice::from_ref(&at.region)).await.unwrap();
    }
    assert_eq!((organization.administrators(), names(&organization, alice())), (vec![alice()], vec![name("theirs")]));
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_cannot_be_carried_is_handed_back_whole() {
    let organization = delegated_with_role()
        .data_sync(alice(), region(HOME), full("one"))
        .data_sync(alice(), region(HOME), full("two"))
        .build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    let carry = Handover::Carry { from: &from, to: &to, regions: &home };
    let delegated = delegated_in(&organization).await;
    organization.fault(Operation::CreateResourceDataSync, 1, Fault::refused("OddException"));
    let replaced = delegated.replace(&bob(), carry).await.unwrap();
    assert_eq!(replaced.carried.iter().filter(|(_, carried)| carried.is_err()).count(), 1);
    let [(lost_in, lost)] = &replaced.lost[..] else { panic!("{:?}", replaced.lost) };
    assert_eq!((lost_in, lost.name()), (&region(HOME), &name("one")));
    assert_eq!(names(&organization, bob()), [name("two")]);
}

#[tokio::test(start_paused = true)]
async fn what_another_service_looks_after_is_put_on_record_and_not_made_again() {
    let organization = delegated_with_role()
        .data_sync(alice(), region(HOME), full("AWS-QuickSetup-x"))
        .data_sync(alice(), region(HOME), full("theirs"))
        .build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    let carry = Handover::Carry { from: &from, to: &to, regions: &home };
    let replaced = delegated_in(&organization).await.replace(&bob(), carry).await.unwrap();
    assert_eq!(names(&organization, bob()), [name("theirs")]);
    assert_eq!((replaced.carried.len(), replaced.lost.len()), (1, 0));
    assert!(matches!(&replaced.delegated.changes()[0].kind,
        ChangeKind::AdministratorDeregistered { syncs: SyncsReport::Recorded(record), .. } if record.len() == 2));
}
