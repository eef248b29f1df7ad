//! Explorer's set-up, its reverse, the hand-over and the tear-down under every setting of the switches that touch them.
#![cfg(feature = "sim")]

use std::collections::BTreeSet;

use crate::common::{
    SSM, alice, bob, delegated, delegated_in, disabled_in, every_setting, expect_disabled, failed, management, observe,
    organization, organization_sync, region, trusted_in,
};
use ssm_organizations::ports::{DataSync, Operation, SourceRegions, SyncDefinition, SyncState};
use ssm_organizations::sim::{
    self, DeregisterUntrusted, DisableAdministered, DuplicateRole, RegisterUntrusted, Repetition, SecondAdministrator,
    SyncOfAMember, UnreadySync,
};
use ssm_organizations::{
    AccountId, ChangeKind, ErrorKind, Explorer, Handover, Recovered, Region, RoleName, ServicePrincipal, SyncName,
    Syncs, SyncsReport,
};

const HOME: &str = "eu-central-1";
const AWAY: &str = "us-east-1";
const ROLE: RoleName = RoleName::ACCOUNT_DISCOVERY;
const BOTH: &[bool] = &[true, false];

fn name(text: &str) -> SyncName {
    SyncName::new(text).unwrap()
}

fn full(text: &str) -> DataSync {
    let mut sync = organization_sync(text);
    sync.regions = vec![region(HOME)];
    sync.future_regions = Some(false);
    sync.all_ops_data_sources = Some(false);
    sync
}

fn states(organization: &sim::Organization, account: AccountId, place: &str) -> Vec<(SyncName, SyncState)> {
    let syncs = organization.data_syncs(account, &region(place));
    syncs.into_iter().map(|sync| (sync.name, sync.state)).collect()
}

#[tokio::test(start_paused = true)]
async fn there_and_back() {
    let settings = every_setting! {
        repetition: Repetition::ALL,
        reasons: BOTH,
        enabling_makes_role: BOTH,
        syncs_recover: BOTH,
        unready_sync: UnreadySync::ALL,
        sync_quota_is_shared: BOTH,
        sync_booleans_are_shown: BOTH,
        duplicate_role: DuplicateRole::ALL,
        role_serves_all_syncs: BOTH,
    };
    for setting in settings {
        for (role, left, theirs) in [
            (false, false, false),
            (true, false, false),
            (false, true, false),
            (true, true, true),
            (false, false, true),
        ] {
            let what = format!("role {role}, left {left}, theirs {theirs}, under {setting:?}");
            let mut start = organization().undocumented(setting.clone());
            if role {
                start = start.role_for(&ServicePrincipal::ACCOUNT_DISCOVERY);
            }
            let mut old = full("all");
            old.state = SyncState::TrustedAccessDisabled;
            if left {
                start = start.data_sync(management(), region(HOME), old);
            }
            if theirs {
                start = start.data_sync(alice(), region(HOME), full("theirs"));
            }
            let organization = start.build();
            let (client, other) = (organization.management_client(), organization.client(alice()));
            let home = [region(HOME)];
            let sync = SyncDefinition::of_organization(name("all"), SourceRegions::new(home.clone()).unwrap());
            let explorer = Explorer::new().with_role(&client).with_sync(&client, &sync, &home);

            let trusted = disabled_in(&organization).await.set_up_explorer(&explorer).await;
            let trusted = trusted.unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
            assert!(organization.has_role(management(), &ROLE) && organization.is_trusted(&SSM), "{what}");
            // What is there already is left as it is, whatever its state.
            let state =
                if left && !setting.syncs_recover { SyncState::TrustedAccessDisabled } else { SyncState::Healthy };
            assert_eq!(states(&organization, management(), HOME), [(name("all"), state)], "{what}");

            if theirs {
                let protect = Syncs::Protect { ssm: &[&client, &other], regions: &home };
                let (error, recovered) = failed(trusted.take_down_explorer(&explorer, protect).await);
                assert!(matches!(error.kind(), ErrorKind::SyncsRemain { .. }), "{what}: {error}");
                assert!(matches!(recovered, Recovered::Unchanged(_)), "{what}");
                assert!(organization.is_trusted(&SSM), "{what}");
                let taken = trusted_in(&organization).await.take_down_explorer(&explorer, Syncs::Forfeit).await;
                if setting.role_serves_all_syncs {
                    let (error, recovered) = failed(taken);
                    assert!(matches!(error.kind(), ErrorKind::RoleInUse { .. }), "{what}: {error}");
                    let Recovered::Moved(observed) = recovered else { panic!("{what}: {recovered:?}") };
                    drop(expect_disabled(observed));
                } else {
                    drop(taken.unwrap_or_else(|failure| panic!("{what}: {failure:?}")));
                }
                assert_eq!(states(&organization, alice(), HOME).len(), 1, "{what}: nobody named it");
            } else {
                let protect = Syncs::Protect { ssm: &[&client], regions: &home };
                let taken = trusted.take_down_explorer(&explorer, protect).await;
                drop(taken.unwrap_or_else(|failure| panic!("{what}: {failure:?}")));
            }
            assert_eq!(organization.has_role(management(), &ROLE), theirs && setting.role_serves_all_syncs, "{what}");
            assert_eq!(states(&organization, management(), HOME), [], "{what}");
            assert!(!organization.is_trusted(&SSM), "{what}");
        }
    }
}

fn spared() -> [BTreeSet<Region>; 3] {
    [BTreeSet::new(), BTreeSet::from([region(AWAY)]), BTreeSet::from([region(HOME), region(AWAY)])]
}

#[tokio::test(start_paused = true)]
async fn from_hand_to_hand() {
    let settings = every_setting! {
        register_untrusted: RegisterUntrusted::ALL,
        second_administrator: SecondAdministrator::ALL,
        deregister_untrusted: DeregisterUntrusted::ALL,
        reasons: BOTH,
        deregistering_deletes_syncs: BOTH,
        deregistering_spares: &spared(),
        unready_sync: UnreadySync::ALL,
        sync_of_a_member: SyncOfAMember::ALL,
        sync_quota_is_shared: BOTH,
        sync_booleans_are_shown: BOTH,
    };
    for setting in settings {
        let what = format!("{setting:?}");
        let mut far = full("theirs");
        far.future_regions = Some(true);
        let start = delegated().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY).undocumented(setting.clone());
        let organization = [HOME, AWAY]
            .into_iter()
            .fold(start, |start, place| start.data_sync(alice(), region(place), far.clone()))
            .data_sync(management(), region(HOME), full("ours"))
            .build();
        let (from, to) = (organization.client(alice()), organization.client(bob()));
        let regions = [region(HOME), region(AWAY)];
        let carry = Handover::Carry { from: &from, to: &to, regions: &regions };
        let replaced = delegated_in(&organization).await.replace(&bob(), carry).await;
        let replaced = replaced.unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
        assert_eq!(organization.administrators(), [bob()], "{what}");
        assert_eq!((replaced.carried.len(), replaced.lost.len()), (2, 0), "{what}");
        let recorded = match &replaced.delegated.changes()[0].kind {
            ChangeKind::AdministratorDeregistered { syncs: SyncsReport::Recorded(record), .. } => record.len(),
            other => panic!("{what}: {other:?}"),
        };
        assert_eq!(recorded, 2, "{what}");
        for place in [HOME, AWAY] {
            assert_eq!(states(&organization, bob(), place), [(name("theirs"), SyncState::Healthy)], "{what}");
            // What AWS does not show is left off: see `DataSync::definition`.
            let future = organization.data_syncs(bob(), &region(place))[0].future_regions;
            assert_eq!(future, Some(setting.sync_booleans_are_shown), "{what}");
            let stays = !setting.deregistering_deletes_syncs || setting.deregistering_spares.contains(&region(place));
            assert_eq!(states(&organization, alice(), place).len(), usize::from(stays), "{what}");
        }
        assert_eq!(states(&organization, management(), HOME).len(), 1, "{what}: ours");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_careless_end_leaves_behind_keeps_the_role_where_aws_says_so() {
    let settings = every_setting! {
        repetition: Repetition::ALL,
        disable_administered: DisableAdministered::ALL,
        deregister_untrusted: DeregisterUntrusted::ALL,
        reasons: BOTH,
        deregistering_deletes_syncs: BOTH,
        deregistering_spares: &spared(),
        role_serves_all_syncs: BOTH,
    };
    for setting in settings {
        for bits in 0..16_u8 {
            let on = |bit: u8| bits & (1 << bit) != 0;
            let [trusted, administered, ours, theirs] = [0, 1, 2, 3].map(on);
            let what = format!("{bits:04b} under {setting:?}");
            let mut start = organization().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY).undocumented(setting.clone());
            if trusted {
                start = start.trusting(&SSM);
            }
            if administered {
                start = start.delegated_to(alice());
            }
            if ours {
                start = start.data_sync(management(), region(HOME), full("ours"));
            }
            if theirs {
                start = start.data_sync(alice(), region(HOME), full("theirs"));
            }
            let organization = start.build();
            let client = organization.management_client();
            let ended = observe(&organization).await.ensure_disabled(Syncs::Forfeit).await;
            if administered && !trusted && setting.deregister_untrusted == DeregisterUntrusted::Refused {
                let (error, _) = ended.map(drop).map_err(ssm_organizations::Failure::into_parts).unwrap_err();
                assert_eq!(*error.kind(), ErrorKind::TrustedAccessOff, "{what}");
                assert_eq!(organization.administrators(), [alice()], "{what}");
                continue;
            }
            let mut disabled = ended.unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
            let gone = administered
                && setting.deregistering_deletes_syncs
                && !setting.deregistering_spares.contains(&region(HOME));
            assert_eq!(states(&organization, management(), HOME).len(), usize::from(ours), "{what}");
            let left = theirs && !gone;
            assert_eq!(states(&organization, alice(), HOME).len(), usize::from(left), "{what}");

            // Whoever looks first is told without a write; whoever does not is told by AWS.
            let other = organization.client(alice());
            let home = [region(HOME)];
            let protect = Syncs::Protect { ssm: &[&client, &other], regions: &home };
            if ours || left {
                let writes = organization.writes();
                let error = disabled.account_discovery_role(&client).delete(protect).await.unwrap_err();
                assert!(matches!(error.kind(), ErrorKind::SyncsRemain { .. }), "{what}: {error}");
                assert_eq!(organization.writes(), writes, "{what}");
            }
            let deleted = disabled.account_discovery_role(&client).delete(Syncs::Forfeit).await;
            let in_use = ours || (left && setting.role_serves_all_syncs);
            match deleted {
                Ok(role) => assert!(!in_use && role.is_some(), "{what}"),
                Err(error) => assert!(in_use && matches!(error.kind(), ErrorKind::RoleInUse { .. }), "{what}: {error}"),
            }
            assert_eq!(organization.has_role(management(), &ROLE), in_use, "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_loses_the_delegation_before_the_write_is_refused_and_nothing_is_recorded() {
    let settings = every_setting! { sync_of_a_member: SyncOfAMember::ALL, unready_sync: UnreadySync::ALL };
    for setting in settings {
        for operation in [Operation::CreateResourceDataSync, Operation::UpdateResourceDataSync] {
            let what = format!("{operation} under {setting:?}");
            let mut start = delegated().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY).undocumented(setting.clone());
            if operation == Operation::UpdateResourceDataSync {
                let mut other = full("all");
                other.regions = vec![region(AWAY)];
                start = start.data_sync(alice(), region(HOME), other);
            }
            let organization = start.build();
            let client = organization.client(alice());
            let home = [region(HOME)];
            let sync = SyncDefinition::of_organization(name("all"), SourceRegions::new(home.clone()).unwrap());
            let mut handle = delegated_in(&organization).await;
            let before = organization.data_syncs(alice(), &home[0]);
            organization.before(operation, 1, |organization| organization.undelegate(alice()));
            let mut syncs = handle.data_syncs(&client).await.unwrap();
            let error = syncs.ensure(&sync, &home).await.unwrap().into_result().unwrap_err();
            let kind = match setting.sync_of_a_member {
                SyncOfAMember::AccessDenied => ErrorKind::AccessDenied,
                _ => ErrorKind::Refused,
            };
            assert_eq!((error.kind(), error.operation()), (&kind, Some(operation)), "{what}: {error}");
            assert_eq!((organization.count(operation), handle.changes().len()), (1, 0), "{what}");
            assert_eq!(organization.data_syncs(alice(), &home[0]), before, "{what}");
        }
    }
}
