//! Every walk with every fault at every call, and with two faults at once: whatever happens, what the crate says is true, and
//! running it again reaches the end.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::walks::{Scenario, check_claim, check_record, facts, scenarios};
use ssm_organizations::ports::Operation;
use ssm_organizations::sim::{self, Fault, Lag};

fn faults() -> Vec<Fault> {
    vec![
        Fault::refused("AccessDeniedException"),
        Fault::refused("TooManyRequestsException"),
        Fault::refused("ConcurrentModificationException"),
        Fault::refused("ConstraintViolationException"),
        Fault::refused("ServiceException"),
        Fault::LostBefore,
        Fault::LostAfter,
    ]
}

/// How many calls a walk makes on a good day.
async fn calls(scenario: &Scenario) -> usize {
    let organization = scenario.builder().build();
    let end = (scenario.walk)(organization.clone()).await;
    assert!(end.error.is_none(), "{}: {end:?}", scenario.name);
    assert_eq!(facts(&organization), scenario.wanted, "{}", scenario.name);
    check_record(&end, &organization, scenario.name);
    organization.calls().len()
}

/// Walks on a bad day, checks what is said, and walks again on a good one.
async fn run(scenario: &Scenario, what: &str, arrange: impl Fn(&sim::Organization)) {
    let organization = scenario.builder().build();
    let before = facts(&organization);
    let untouched = organization.snapshot();
    arrange(&organization);
    let end = (scenario.walk)(organization.clone()).await;
    check_record(&end, &organization, what);
    check_claim(&end, &before, &organization, what);
    if end.error.is_none() {
        assert_eq!(facts(&organization), scenario.wanted, "{what}: {end:?}");
    }
    if organization.writes() == 0 {
        assert_eq!(organization.snapshot(), untouched, "{what}");
    }
    for write in Operation::ALL.iter().filter(|operation| operation.is_write()) {
        // Two administrators take two deregistrations. What AWS refused did not happen, and may be sent again.
        let calls = organization.calls().into_iter().filter(|call| call.operation == *write);
        let taken = calls.filter(|call| !matches!(call.outcome, sim::Outcome::Refused(_))).count();
        assert!(taken <= before.1.len().max(1), "{what}: {write} was repeated");
    }

    organization.calm();
    let again = (scenario.walk)(organization.clone()).await;
    assert!(again.error.is_none(), "{what}, again: {again:?}");
    // With one of two gone it is no longer irregular, and no `remove_all` is left to be called.
    let half_way = scenario.name == "remove all" && facts(&organization).1.len() == 1;
    assert!(half_way || facts(&organization) == scenario.wanted, "{what}, again: {again:?}");
}

#[tokio::test(start_paused = true)]
async fn one_fault_at_every_call() {
    for scenario in scenarios() {
        for at in 1..=calls(&scenario).await {
            for fault in faults() {
                let what = format!("{}, {fault:?} at call {at}", scenario.name);
                run(&scenario, &what, |organization| organization.fault_at(at, fault.clone())).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_faults_at_every_two_calls() {
    for scenario in scenarios() {
        // A fault may add reads; two more positions cover them.
        let calls = calls(&scenario).await + 2;
        for first in 1..=calls {
            for second in first + 1..=calls {
                for one in faults() {
                    for other in faults() {
                        let what = format!("{}, {one:?} at call {first}, {other:?} at call {second}", scenario.name);
                        run(&scenario, &what, |organization| {
                            organization.fault_at(first, one.clone());
                            organization.fault_at(second, other.clone());
                        })
                        .await;
                    }
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn killed_at_every_call() {
    for scenario in scenarios() {
        for at in 1..=calls(&scenario).await {
            let what = format!("{}, killed at call {at}", scenario.name);
            run(&scenario, &what, |organization| organization.die(at)).await;
            // Killed after the effect of the call before.
            let what = format!("{}, reply of call {at} lost, then killed", scenario.name);
            run(&scenario, &what, |organization| {
                organization.fault_at(at, Fault::LostAfter);
                organization.die(at + 1);
            })
            .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_seeds_of_bad_weather() {
    for scenario in scenarios() {
        for seed in 0..1_000 {
            let organization = scenario.builder().chances(seed, sim::Chances::each(60)).build();
            let before = facts(&organization);
            let end = (scenario.walk)(organization.clone()).await;
            let what = format!("{}, seed {seed}", scenario.name);
            check_record(&end, &organization, &what);
            check_claim(&end, &before, &organization, &what);
            if end.error.is_none() {
                assert_eq!(facts(&organization), scenario.wanted, "{what}: {end:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn old_answers_after_new_ones_and_a_fault_at_every_call() {
    let late = Lag::Time(Duration::from_secs(5));
    let patterns =
        [vec![Lag::NONE, late], vec![late, Lag::NONE], vec![Lag::Reads(2)], vec![Lag::NONE, Lag::Reads(3), late]];
    for scenario in scenarios() {
        for lags in &patterns {
            for at in 1..=calls(&scenario).await + 2 {
                for fault in faults() {
                    let organization = scenario
                        .builder()
                        .lags_of(Operation::ListAwsServiceAccessForOrganization, lags.clone())
                        .lags_of(Operation::ListDelegatedAdministrators, lags.clone())
                        .build();
                    let before = facts(&organization);
                    organization.fault_at(at, fault.clone());
                    let end = (scenario.walk)(organization.clone()).await;
                    let what = format!("{}, {fault:?} at call {at}, reads {lags:?}", scenario.name);
                    check_record(&end, &organization, &what);
                    check_claim(&end, &before, &organization, &what);
                    if end.error.is_none() {
                        assert_eq!(facts(&organization), scenario.wanted, "{what}: {end:?}");
                    }
                }
            }
        }
    }
}
