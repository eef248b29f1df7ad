//! Every walk under every setting of what AWS's documents leave open, alone and with a rival at every call.
#![cfg(feature = "sim")]

use crate::common::{SSM, alice, bob, every_setting, irregular_in, observe, organization};
use crate::walks::{End, Scenario, check_claim, check_record, facts, scenarios};
use ssm_organizations::ports::{FeatureSet, Operation};
use ssm_organizations::sim::{
    self, DeregisterUntrusted, DisableAdministered, RegisterUntrusted, Repetition, SecondAdministrator, Undocumented,
};
use ssm_organizations::{ErrorKind, Evidence, Remedy, Syncs};

/// Every combination of the switches that touch trusted access and administrators.
fn settings() -> Vec<Undocumented> {
    let settings = every_setting! {
        repetition: Repetition::ALL,
        register_untrusted: RegisterUntrusted::ALL,
        second_administrator: SecondAdministrator::ALL,
        disable_administered: DisableAdministered::ALL,
        deregister_untrusted: DeregisterUntrusted::ALL,
        reasons: &[true, false],
        deregistering_deletes_syncs: &[true, false],
        enabling_makes_role: &[true, false],
    };
    assert_eq!(settings.len(), 2 * 4 * 3 * 3 * 2 * 2 * 2 * 2);
    settings
}

async fn walk(scenario: &Scenario, organization: &sim::Organization) -> End {
    (scenario.walk)(organization.clone()).await
}

/// Whether this setting lets nobody deregister an administrator that trusted access has left behind.
fn locks_orphans(scenario: &Scenario, setting: &Undocumented) -> bool {
    let untrusted = !facts(&scenario.builder().build()).0;
    untrusted
        && scenario.name.contains("offboard, orphaned")
        && setting.deregister_untrusted == DeregisterUntrusted::Refused
}

#[tokio::test(start_paused = true)]
async fn every_walk_reaches_its_end_or_says_why_not() {
    for setting in settings() {
        for scenario in scenarios() {
            let organization = scenario.builder().undocumented(setting.clone()).build();
            let before = facts(&organization);
            let end = walk(&scenario, &organization).await;
            let what = format!("{} under {setting:?}", scenario.name);
            check_record(&end, &organization, &what);
            check_claim(&end, &before, &organization, &what);
            if locks_orphans(&scenario, &setting) {
                let (error, unchanged) = end.error.expect("AWS refuses");
                assert!(unchanged, "{what}: {error}");
                let reason = setting.reasons.then_some("SERVICE_ACCESS_NOT_ENABLED");
                assert_eq!((error.kind(), error.reason()), (&ErrorKind::TrustedAccessOff, reason), "{what}");
                // AWS's reason and what a read shows are the same; without it, something else might fit.
                let evidence = if setting.reasons { Evidence::Observed } else { Evidence::Likely };
                assert_eq!(error.evidence(), evidence, "{what}: {error}");
                assert!(matches!(error.remedy(), Some(Remedy::EnableTrustedAccess { .. })), "{what}: {error}");
            } else {
                assert!(end.error.is_none(), "{what}: {end:?}");
                assert_eq!(facts(&organization), scenario.wanted, "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_aws_does_not_know_systems_manager_nothing_is_changed_or_claimed() {
    for mut setting in settings() {
        setting.systems_manager_is_recognized = false;
        for scenario in scenarios() {
            let organization = scenario.builder().undocumented(setting.clone()).build();
            let before = (facts(&organization), organization.snapshot());
            let end = walk(&scenario, &organization).await;
            let what = format!("{} under {setting:?}", scenario.name);
            check_record(&end, &organization, &what);
            check_claim(&end, &before.0, &organization, &what);
            assert_eq!((facts(&organization), organization.snapshot()), before, "{what}");
            if before.0 == scenario.wanted {
                assert!(end.error.is_none(), "{what}: {end:?}");
                assert_eq!(organization.writes(), 0, "{what}");
            } else {
                let (error, unchanged) = end.error.expect("AWS refuses");
                let reason = setting.reasons.then_some("UNRECOGNIZED_SERVICE_PRINCIPAL");
                let (trusted, administrators) = &before.0;
                let situation = error.situation().expect("a look afterwards");
                assert_eq!((situation.trusted_access, &situation.administrators), (*trusted, administrators), "{what}");
                // Without trusted access, that is as good a reason for AWS to refuse an administrator.
                let about_administrators = error.operation() != Some(Operation::EnableAwsServiceAccess);
                let (kind, evidence) = if !trusted && about_administrators {
                    (ErrorKind::TrustedAccessOff, Evidence::Likely)
                } else {
                    (ErrorKind::Refused, Evidence::Said)
                };
                assert_eq!((error.kind(), error.evidence(), error.reason()), (&kind, evidence, reason), "{what}");
                assert!(unchanged, "{what}: {error}");
                assert_eq!(organization.writes(), 1, "{what}: sent once");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_all_features_every_walk_says_so_or_takes_away_what_is_there() {
    for needs in [true, false] {
        for mut setting in settings() {
            setting.listing_needs_all_features = needs;
            for scenario in scenarios() {
                let start = scenario.builder().feature_set(FeatureSet::ConsolidatedBilling);
                let organization = start.undocumented(setting.clone()).build();
                let before = facts(&organization);
                let end = walk(&scenario, &organization).await;
                let what = format!("{} under {setting:?}", scenario.name);
                check_record(&end, &organization, &what);
                check_claim(&end, &before, &organization, &what);
                let (trusts, administrators) = &scenario.wanted;
                let gives = (*trusts && !before.0) || administrators.iter().any(|account| !before.1.contains(account));
                if needs || gives {
                    let (error, unchanged) = end.error.expect("AWS refuses");
                    assert_eq!(*error.kind(), ErrorKind::NotAllFeatures, "{what}: {error}");
                    assert!(unchanged, "{what}: {error}");
                    assert_eq!(organization.writes(), 0, "{what}: known before a write");
                } else if locks_orphans(&scenario, &setting) {
                    assert!(end.error.is_some_and(|(error, is_unchanged)| {
                        *error.kind() == ErrorKind::TrustedAccessOff && is_unchanged
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
async fn orphans_that_aws_holds_on_to_have_a_way_out() {
    let mut setting = Undocumented::default();
    setting.deregister_untrusted = DeregisterUntrusted::Refused;
    let organization = organization().delegated_to(alice()).undocumented(setting).build();
    irregular_in(&organization).await.reinstate_trust().await.unwrap();
    observe(&organization).await.ensure_disabled(Syncs::Forfeit).await.unwrap();
    assert_eq!(facts(&organization), (false, Vec::new()));
}

/// What others may do meanwhile.
type Act = fn(&sim::Organization);

const RIVALS: [(&str, Act); 5] = [
    ("trusts", |organization| organization.trust(&SSM)),
    ("distrusts", |organization| organization.distrust(&SSM)),
    ("delegates to Alice", |organization| organization.delegate(alice())),
    ("delegates to Bob", |organization| organization.delegate(bob())),
    ("takes it from Alice", |organization| organization.undelegate(alice())),
];

/// The four reads of an observation.
const OBSERVATION: usize = 4;

#[tokio::test(start_paused = true)]
async fn a_rival_at_every_call_is_neither_overlooked_nor_overruled() {
    let mut settings = settings();
    settings.retain(|setting| {
        let Undocumented { repetition, deregister_untrusted, .. } = setting;
        *repetition == Repetition::Accepted
            && *deregister_untrusted == DeregisterUntrusted::Accepted
            && setting.deregistering_deletes_syncs
            && !setting.enabling_makes_role
    });
    for setting in settings {
        for scenario in scenarios() {
            let calm = scenario.builder().undocumented(setting.clone()).build();
            let _ = walk(&scenario, &calm).await;
            for at in 1..=calm.calls().len() {
                for (rival, acts) in RIVALS {
                    let organization = scenario.builder().undocumented(setting.clone()).build();
                    organization.before_call(at, acts);
                    let end = walk(&scenario, &organization).await;
                    let what = format!("{}, a rival {rival} before call {at}, under {setting:?}", scenario.name);
                    check_record(&end, &organization, &what);

                    let aws_dismisses = setting.disable_administered == DisableAdministered::Deregisters;
                    let bob_was_there = facts(&scenario.builder().build()).1.contains(&bob());
                    let bob_came_later = rival == "delegates to Bob" && at > OBSERVATION && !bob_was_there;
                    if bob_came_later && !aws_dismisses {
                        assert!(organization.administrators().contains(&bob()), "{what}: Bob was removed: {end:?}");
                    }
                    // From whatever it is now, running it again ends well or names who is in the way.
                    let again = walk(&scenario, &organization).await;
                    check_record_again(&again, &organization, &what);
                    check_claim(&again, &facts(&organization), &organization, &what);
                    match &again.error {
                        None => {}
                        Some((error, unchanged)) => {
                            assert!(matches!(error.kind(), ErrorKind::OtherAdministrator { .. }), "{what}: {error}");
                            assert!(unchanged, "{what}: {error}");
                        }
                    }
                }
            }
        }
    }
}

/// The second walk's claims, without the first one's calls.
fn check_record_again(end: &End, organization: &sim::Organization, what: &str) {
    let written = organization.calls().iter().filter(|call| call.is_write()).count();
    assert!(end.changes.len() <= written, "{what}: {end:?}");
}
