//! Tests of every walk under every setting of undocumented behavior, with and without a concurrent
//! change at every call.
#![cfg(feature = "sim")]

use crate::common::{SSM, alice, bob, every_setting, inconsistent_in, observe, organization};
use crate::integration::walks::{End, Scenario, check_claim, check_record, facts, scenarios};
use ssm_organizations::error::Confidence;
use ssm_organizations::ports::{FeatureSet, Operation};
use ssm_organizations::sim::{
    self, DeregisterWithoutTrust, DisableWithAdministrators, RegisterWithoutTrust, RepeatedWrite, SecondAdministrator,
    UndocumentedBehavior,
};
use ssm_organizations::{ErrorKind, Remedy, SyncProtection};

/// Returns every combination of the settings that affect trusted access and administrators.
fn settings() -> Vec<UndocumentedBehavior> {
    let settings = every_setting! {
        repeated_write: RepeatedWrite::ALL,
        register_without_trust: RegisterWithoutTrust::ALL,
        second_administrator: SecondAdministrator::ALL,
        disable_with_administrators: DisableWithAdministrators::ALL,
        deregister_without_trust: DeregisterWithoutTrust::ALL,
        reasons: &[true, false],
        deregistering_deletes_syncs: &[true, false],
        enabling_makes_role: &[true, false],
    };
    assert_eq!(settings.len(), 2 * 4 * 3 * 3 * 2 * 2 * 2 * 2);
    settings
}

async fn walk(scenario: &Scenario, organization: &sim::SimOrganization) -> End {
    (scenario.walk)(organization.clone()).await
}

/// Returns whether AWS refuses, under this setting, to deregister an administrator while trusted
/// access is disabled.
fn locks_orphans(scenario: &Scenario, setting: &UndocumentedBehavior) -> bool {
    let untrusted = !facts(&scenario.builder().build()).0;
    untrusted
        && scenario.name.contains("offboard, orphaned")
        && setting.deregister_without_trust == DeregisterWithoutTrust::Refused
}

#[tokio::test(start_paused = true)]
#[ignore = "slow: run by `.ci/run exhaustive`"]
async fn transition_under_every_setting_completes_or_explains() {
    for setting in settings() {
        for scenario in scenarios() {
            let organization = scenario.builder().undocumented_behavior(setting.clone()).build();
            let before = facts(&organization);
            let end = walk(&scenario, &organization).await;
            let what = format!("{} under {setting:?}", scenario.name);
            check_record(&end, &organization, &what);
            check_claim(&end, &before, &organization, &what);
            if locks_orphans(&scenario, &setting) {
                let (error, unchanged) = end.error.expect("AWS did not refuse");
                assert!(unchanged, "{what}: {error}");
                let reason = setting.reasons.then_some("SERVICE_ACCESS_NOT_ENABLED");
                assert_eq!((error.kind(), error.reason()), (&ErrorKind::TrustedAccessDisabled, reason), "{what}");
                // With a reason, the response and a read agree. Without a reason, another cause is
                // possible.
                let evidence = if setting.reasons { Confidence::Confirmed } else { Confidence::Inferred };
                assert_eq!(error.confidence(), evidence, "{what}: {error}");
                assert!(matches!(error.remedy(), Some(Remedy::EnableTrustedAccess { .. })), "{what}: {error}");
            } else {
                assert!(end.error.is_none(), "{what}: {end:?}");
                assert_eq!(facts(&organization), scenario.wanted, "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "slow: run by `.ci/run exhaustive`"]
async fn transition_with_unrecognized_principal_changes_nothing() {
    for mut setting in settings() {
        setting.systems_manager_is_recognized = false;
        for scenario in scenarios() {
            let organization = scenario.builder().undocumented_behavior(setting.clone()).build();
            let before = (facts(&organization), organization.state());
            let end = walk(&scenario, &organization).await;
            let what = format!("{} under {setting:?}", scenario.name);
            check_record(&end, &organization, &what);
            check_claim(&end, &before.0, &organization, &what);
            assert_eq!((facts(&organization), organization.state()), before, "{what}");
            if before.0 == scenario.wanted {
                assert!(end.error.is_none(), "{what}: {end:?}");
                assert_eq!(organization.write_count(), 0, "{what}");
            } else {
                let (error, unchanged) = end.error.expect("AWS did not refuse");
                let reason = setting.reasons.then_some("UNRECOGNIZED_SERVICE_PRINCIPAL");
                let (trusted, administrators) = &before.0;
                let situation = error.observed_status().expect("the error has no status");
                let accounts: Vec<_> = situation.administrators.iter().map(|found| found.account).collect();
                assert_eq!((situation.trusted_access.is_some(), &accounts), (*trusted, administrators), "{what}");
                // Disabled trusted access also explains the refusal of a call about an
                // administrator.
                let about_administrators = error.operation() != Some(Operation::EnableAwsServiceAccess);
                let (kind, evidence) = if !trusted && about_administrators {
                    (ErrorKind::TrustedAccessDisabled, Confidence::Inferred)
                } else {
                    (ErrorKind::ServiceError, Confidence::Reported)
                };
                assert_eq!((error.kind(), error.confidence(), error.reason()), (&kind, evidence, reason), "{what}");
                assert!(unchanged, "{what}: {error}");
                assert_eq!(organization.write_count(), 1, "{what}: sent once");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "slow: run by `.ci/run exhaustive`"]
async fn transition_without_all_features_fails_or_only_removes() {
    for needs in [true, false] {
        for mut setting in settings() {
            setting.listing_needs_all_features = needs;
            for scenario in scenarios() {
                let start = scenario.builder().feature_set(FeatureSet::ConsolidatedBilling);
                let organization = start.undocumented_behavior(setting.clone()).build();
                let before = facts(&organization);
                let end = walk(&scenario, &organization).await;
                let what = format!("{} under {setting:?}", scenario.name);
                check_record(&end, &organization, &what);
                check_claim(&end, &before, &organization, &what);
                let (trusts, administrators) = &scenario.wanted;
                let gives = (*trusts && !before.0) || administrators.iter().any(|account| !before.1.contains(account));
                if needs || gives {
                    let (error, unchanged) = end.error.expect("AWS did not refuse");
                    assert_eq!(*error.kind(), ErrorKind::NotAllFeatures, "{what}: {error}");
                    assert!(unchanged, "{what}: {error}");
                    assert_eq!(organization.write_count(), 0, "{what}: refused before a write");
                } else if locks_orphans(&scenario, &setting) {
                    assert!(end.error.is_some_and(|(error, is_unchanged)| {
                        *error.kind() == ErrorKind::TrustedAccessDisabled && is_unchanged
                    }));
                } else {
                    assert!(end.error.is_none(), "{what}: {end:?}");
                    assert_eq!(facts(&organization), scenario.wanted, "{what}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn restore_trusted_access_unblocks_locked_administrator() {
    let mut setting = UndocumentedBehavior::default();
    setting.deregister_without_trust = DeregisterWithoutTrust::Refused;
    let organization = organization().delegated_administrator(alice()).undocumented_behavior(setting).build();
    inconsistent_in(&organization).await.restore_trusted_access().await.unwrap();
    observe(&organization).await.ensure_disabled(SyncProtection::AllowLoss).await.unwrap();
    assert_eq!(facts(&organization), (false, Vec::new()));
}

/// Concurrent change by another caller.
type Act = fn(&sim::SimOrganization);

const RIVALS: [(&str, Act); 5] = [
    ("trusts", |organization| organization.enable_trusted_access(&SSM)),
    ("distrusts", |organization| organization.disable_trusted_access(&SSM)),
    ("delegates to Alice", |organization| organization.register_administrator(alice())),
    ("delegates to Bob", |organization| organization.register_administrator(bob())),
    ("takes it from Alice", |organization| organization.deregister_administrator(alice())),
];

/// Number of reads of an observation.
const OBSERVATION: usize = 4;

#[tokio::test(start_paused = true)]
#[ignore = "slow: run by `.ci/run exhaustive`"]
async fn concurrent_change_at_any_call_is_detected_and_kept() {
    let mut settings = settings();
    settings.retain(|setting| {
        let UndocumentedBehavior { repeated_write, deregister_without_trust, .. } = setting;
        *repeated_write == RepeatedWrite::Accepted
            && *deregister_without_trust == DeregisterWithoutTrust::Accepted
            && setting.deregistering_deletes_syncs
            && !setting.enabling_makes_role
    });
    for setting in settings {
        for scenario in scenarios() {
            let calm = scenario.builder().undocumented_behavior(setting.clone()).build();
            let _ = walk(&scenario, &calm).await;
            for at in 1..=calm.calls().len() {
                for (rival, acts) in RIVALS {
                    let organization = scenario.builder().undocumented_behavior(setting.clone()).build();
                    organization.run_before_call(at, acts);
                    let end = walk(&scenario, &organization).await;
                    let what = format!("{}, another caller {rival} before call {at}, under {setting:?}", scenario.name);
                    check_record(&end, &organization, &what);

                    let aws_dismisses = setting.disable_with_administrators == DisableWithAdministrators::Deregisters;
                    let bob_was_there = facts(&scenario.builder().build()).1.contains(&bob());
                    let bob_came_later = rival == "delegates to Bob" && at > OBSERVATION && !bob_was_there;
                    if bob_came_later && !aws_dismisses {
                        assert!(organization.administrators().contains(&bob()), "{what}: Bob was removed: {end:?}");
                    }
                    // A rerun succeeds or names the other administrator.
                    let again = walk(&scenario, &organization).await;
                    check_record_again(&again, &organization, &what);
                    check_claim(&again, &facts(&organization), &organization, &what);
                    match &again.error {
                        None => {}
                        Some((error, unchanged)) => {
                            assert!(matches!(error.kind(), ErrorKind::AlreadyDelegated { .. }), "{what}: {error}");
                            assert!(unchanged, "{what}: {error}");
                        }
                    }
                }
            }
        }
    }
}

/// Asserts that the second walk records no more changes than it sent writes.
fn check_record_again(end: &End, organization: &sim::SimOrganization, what: &str) {
    let written = organization.calls().iter().filter(|call| call.is_write()).count();
    assert!(end.changes.len() <= written, "{what}: {end:?}");
}
