//! Tests of Explorer's set-up and tear-down, and of the replacement of an administrator, under
//! every combination of the settings that affect them.
#![cfg(feature = "sim")]

use std::collections::BTreeSet;

use crate::common::{
    SSM, alice, bob, delegated, delegated_in, disabled_in, every_setting, expect_disabled, failed, management, observe,
    organization, organization_sync, region, trusted_in,
};
use ssm_organizations::domain::{RoleName, SyncCheckReport};
use ssm_organizations::ports::{DataSync, Operation, SourceRegions, SyncDefinition, SyncState};
use ssm_organizations::sim::{
    self, DeregisterWithoutTrust, DisableWithAdministrators, DuplicateRole, MemberSync, RegisterWithoutTrust,
    RepeatedWrite, SecondAdministrator, SyncWithoutPrerequisites,
};
use ssm_organizations::{
    AccountId, ChangeKind, ErrorKind, ExplorerSetup, Recovered, Region, ServicePrincipal, SyncMigration, SyncName,
    SyncProtection,
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

fn states(organization: &sim::SimOrganization, account: AccountId, place: &str) -> Vec<(SyncName, SyncState)> {
    let syncs = organization.data_syncs(account, &region(place));
    syncs.into_iter().map(|sync| (sync.name, sync.state)).collect()
}

#[tokio::test(start_paused = true)]
async fn set_up_then_tear_down_under_all_settings_ends_disabled() {
    let settings = every_setting! {
        repeated_write: RepeatedWrite::ALL,
        reasons: BOTH,
        enabling_makes_role: BOTH,
        syncs_recover: BOTH,
        sync_without_prerequisites: SyncWithoutPrerequisites::ALL,
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
            let mut start = organization().undocumented_behavior(setting.clone());
            if role {
                start = start.service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY);
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
            let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &home);

            let trusted = disabled_in(&organization).await.set_up_explorer(&explorer).await;
            let trusted = trusted.unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
            assert!(organization.has_role(management(), &ROLE) && organization.is_trusted(&SSM), "{what}");
            // An existing sync is left unchanged in any state.
            let state =
                if left && !setting.syncs_recover { SyncState::TrustedAccessDisabled } else { SyncState::Healthy };
            assert_eq!(states(&organization, management(), HOME), [(name("all"), state)], "{what}");

            if theirs {
                let protect = SyncProtection::Protect { clients: &[&client, &other], regions: &home };
                let (error, recovered) = failed(trusted.tear_down_explorer(&explorer, protect).await);
                assert!(matches!(error.kind(), ErrorKind::DataSyncsExist { .. }), "{what}: {error}");
                assert!(matches!(recovered, Recovered::Unchanged(_)), "{what}");
                assert!(organization.is_trusted(&SSM), "{what}");
                let taken =
                    trusted_in(&organization).await.tear_down_explorer(&explorer, SyncProtection::AllowLoss).await;
                if setting.role_serves_all_syncs {
                    let (error, recovered) = failed(taken);
                    assert!(matches!(error.kind(), ErrorKind::RoleInUse { .. }), "{what}: {error}");
                    let Recovered::Changed(observed) = recovered else { panic!("{what}: {recovered:?}") };
                    drop(expect_disabled(observed));
                } else {
                    drop(taken.unwrap_or_else(|failure| panic!("{what}: {failure:?}")));
                }
                assert_eq!(states(&organization, alice(), HOME).len(), 1, "{what}: the sync is not in the tear-down");
            } else {
                let protect = SyncProtection::Protect { clients: &[&client], regions: &home };
                let taken = trusted.tear_down_explorer(&explorer, protect).await;
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
#[ignore = "slow: run by `.ci/run exhaustive`"]
async fn replace_under_all_settings_migrates_the_syncs() {
    let settings = every_setting! {
        register_without_trust: RegisterWithoutTrust::ALL,
        second_administrator: SecondAdministrator::ALL,
        deregister_without_trust: DeregisterWithoutTrust::ALL,
        reasons: BOTH,
        deregistering_deletes_syncs: BOTH,
        deregistering_spares: &spared(),
        sync_without_prerequisites: SyncWithoutPrerequisites::ALL,
        member_sync: MemberSync::ALL,
        sync_quota_is_shared: BOTH,
        sync_booleans_are_shown: BOTH,
    };
    for setting in settings {
        let what = format!("{setting:?}");
        let mut far = full("theirs");
        far.future_regions = Some(true);
        let start = delegated()
            .service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)
            .undocumented_behavior(setting.clone());
        let organization = [HOME, AWAY]
            .into_iter()
            .fold(start, |start, place| start.data_sync(alice(), region(place), far.clone()))
            .data_sync(management(), region(HOME), full("ours"))
            .build();
        let (from, to) = (organization.client(alice()), organization.client(bob()));
        let regions = [region(HOME), region(AWAY)];
        let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &regions };
        let replaced = delegated_in(&organization).await.replace(bob(), carry).await;
        let replaced = replaced.unwrap_or_else(|failure| panic!("{what}: {failure:?}"));
        assert_eq!(organization.administrators(), [bob()], "{what}");
        assert_eq!((replaced.migrated.len(), replaced.failed.len()), (2, 0), "{what}");
        let recorded = match &replaced.handle.changes()[0].kind {
            ChangeKind::AdministratorDeregistered { syncs: SyncCheckReport::Recorded(record), .. } => record.len(),
            other => panic!("{what}: {other:?}"),
        };
        assert_eq!(recorded, 2, "{what}");
        for place in [HOME, AWAY] {
            assert_eq!(states(&organization, bob(), place), [(name("theirs"), SyncState::Healthy)], "{what}");
            // Hidden attributes are omitted; see `DataSync::definition`.
            let future = organization.data_syncs(bob(), &region(place))[0].future_regions;
            assert_eq!(future, Some(setting.sync_booleans_are_shown), "{what}");
            let stays = !setting.deregistering_deletes_syncs || setting.deregistering_spares.contains(&region(place));
            assert_eq!(states(&organization, alice(), place).len(), usize::from(stays), "{what}");
        }
        assert_eq!(states(&organization, management(), HOME).len(), 1, "{what}: the management account's sync");
    }
}

#[tokio::test(start_paused = true)]
async fn delete_role_under_all_settings_fails_only_if_in_use() {
    let settings = every_setting! {
        repeated_write: RepeatedWrite::ALL,
        disable_with_administrators: DisableWithAdministrators::ALL,
        deregister_without_trust: DeregisterWithoutTrust::ALL,
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
            let mut start = organization()
                .service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)
                .undocumented_behavior(setting.clone());
            if trusted {
                start = start.trusted_access_for(&SSM);
            }
            if administered {
                start = start.delegated_administrator(alice());
            }
            if ours {
                start = start.data_sync(management(), region(HOME), full("ours"));
            }
            if theirs {
                start = start.data_sync(alice(), region(HOME), full("theirs"));
            }
            let organization = start.build();
            let client = organization.management_client();
            let ended = observe(&organization).await.ensure_disabled(SyncProtection::AllowLoss).await;
            if administered && !trusted && setting.deregister_without_trust == DeregisterWithoutTrust::Refused {
                let (error, _) = ended.map(drop).map_err(ssm_organizations::TransitionError::into_parts).unwrap_err();
                assert_eq!(*error.kind(), ErrorKind::TrustedAccessDisabled, "{what}");
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

            // With protection, the deletion is refused without a write. Without protection, AWS
            // refuses it.
            let other = organization.client(alice());
            let home = [region(HOME)];
            let protect = SyncProtection::Protect { clients: &[&client, &other], regions: &home };
            if ours || left {
                let writes = organization.write_count();
                let error = disabled.account_discovery_role(&client).delete(protect).await.unwrap_err();
                assert!(matches!(error.kind(), ErrorKind::DataSyncsExist { .. }), "{what}: {error}");
                assert_eq!(organization.write_count(), writes, "{what}");
            }
            let deleted = disabled.account_discovery_role(&client).delete(SyncProtection::AllowLoss).await;
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
async fn ensure_after_concurrent_deregistration_is_refused() {
    let settings =
        every_setting! { member_sync: MemberSync::ALL, sync_without_prerequisites: SyncWithoutPrerequisites::ALL };
    for setting in settings {
        for operation in [Operation::CreateResourceDataSync, Operation::UpdateResourceDataSync] {
            let what = format!("{operation} under {setting:?}");
            let mut start = delegated()
                .service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)
                .undocumented_behavior(setting.clone());
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
            organization.run_before(operation, 1, |organization| organization.deregister_administrator(alice()));
            let mut syncs = handle.data_syncs(&client).await.unwrap();
            let error = syncs.ensure(&sync, &home).await.unwrap().into_result().unwrap_err();
            let kind = match setting.member_sync {
                MemberSync::AccessDenied => ErrorKind::AccessDenied,
                _ => ErrorKind::ServiceError,
            };
            assert_eq!((error.kind(), error.operation()), (&kind, Some(operation)), "{what}: {error}");
            assert_eq!((organization.call_count(operation), handle.changes().len()), (1, 0), "{what}");
            assert_eq!(organization.data_syncs(alice(), &home[0]), before, "{what}");
        }
    }
}
