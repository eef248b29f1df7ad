//! Every transition with one or two faults at every call: the reported state is true, and a rerun
//! succeeds.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::integration::walks::{Scenario, check_claim, check_record, facts, scenarios};
use ssm_organizations::ports::Operation;
use ssm_organizations::sim::{self, Fault, ReadDelay};

fn faults() -> Vec<Fault> {
    vec![
        Fault::refused("AccessDeniedException"),
        Fault::refused("TooManyRequestsException"),
        Fault::refused("ConcurrentModificationException"),
        Fault::refused("ConstraintViolationException"),
        Fault::refused("ServiceException"),
        Fault::RequestLost,
        Fault::ResponseLost,
    ]
}

/// Returns the number of calls of a walk without faults.
async fn calls(scenario: &Scenario) -> usize {
    let organization = scenario.builder().build();
    let end = (scenario.walk)(organization.clone()).await;
    assert!(end.error.is_none(), "{}: {end:?}", scenario.name);
    assert_eq!(facts(&organization), scenario.wanted, "{}", scenario.name);
    check_record(&end, &organization, scenario.name);
    organization.calls().len()
}

/// Runs a walk with faults, checks its result, and runs it again without faults.
async fn run(scenario: &Scenario, what: &str, arrange: impl Fn(&sim::SimOrganization)) {
    let organization = scenario.builder().build();
    let before = facts(&organization);
    let untouched = organization.state();
    arrange(&organization);
    let end = (scenario.walk)(organization.clone()).await;
    check_record(&end, &organization, what);
    check_claim(&end, &before, &organization, what);
    if end.error.is_none() {
        assert_eq!(facts(&organization), scenario.wanted, "{what}: {end:?}");
    }
    if organization.write_count() == 0 {
        assert_eq!(organization.state(), untouched, "{what}");
    }
    for write in Operation::ALL.iter().filter(|operation| operation.is_write()) {
        // Two administrators need two deregistrations. A refused write is not applied, and may be
        // sent again.
        let calls = organization.calls().into_iter().filter(|call| call.operation == *write);
        let taken = calls.filter(|call| !matches!(call.outcome, sim::CallOutcome::Refused(_))).count();
        assert!(taken <= before.1.len().max(1), "{what}: {write} was repeated");
    }

    organization.clear_faults();
    let again = (scenario.walk)(organization.clone()).await;
    assert!(again.error.is_none(), "{what}, again: {again:?}");
    // After one of two deregistrations the state is consistent, so
    // `remove_all_administrators` is not available any more.
    let half_way = scenario.name == "remove all" && facts(&organization).1.len() == 1;
    assert!(half_way || facts(&organization) == scenario.wanted, "{what}, again: {again:?}");
}

#[tokio::test(start_paused = true)]
async fn transition_with_one_fault_reports_true_state() {
    for scenario in scenarios() {
        for at in 1..=calls(&scenario).await {
            for fault in faults() {
                let what = format!("{}, {fault:?} at call {at}", scenario.name);
                run(&scenario, &what, |organization| organization.inject_fault_at_call(at, fault.clone())).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "slow: run by `.ci/run exhaustive`"]
async fn transition_with_two_faults_reports_true_state() {
    for scenario in scenarios() {
        // A fault may add reads; two more positions cover them.
        let calls = calls(&scenario).await + 2;
        for first in 1..=calls {
            for second in first + 1..=calls {
                for one in faults() {
                    for other in faults() {
                        let what = format!("{}, {one:?} at call {first}, {other:?} at call {second}", scenario.name);
                        run(&scenario, &what, |organization| {
                            organization.inject_fault_at_call(first, one.clone());
                            organization.inject_fault_at_call(second, other.clone());
                        })
                        .await;
                    }
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn transition_stopped_at_any_call_succeeds_on_rerun() {
    for scenario in scenarios() {
        for at in 1..=calls(&scenario).await {
            let what = format!("{}, killed at call {at}", scenario.name);
            run(&scenario, &what, |organization| organization.stop_at_call(at)).await;
            // The process stops after the effect of the previous call.
            let what = format!("{}, reply of call {at} lost, then killed", scenario.name);
            run(&scenario, &what, |organization| {
                organization.inject_fault_at_call(at, Fault::ResponseLost);
                organization.stop_at_call(at + 1);
            })
            .await;
        }
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "slow: run by `.ci/run exhaustive`"]
async fn transition_with_random_faults_reports_true_state() {
    for scenario in scenarios() {
        for seed in 0..1_000 {
            let organization = scenario.builder().fault_rates(seed, sim::FaultRates::all(60)).build();
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
async fn transition_with_stale_reads_and_fault_reports_true_state() {
    let late = ReadDelay::Time(Duration::from_secs(5));
    let patterns = [
        vec![ReadDelay::NONE, late],
        vec![late, ReadDelay::NONE],
        vec![ReadDelay::Reads(2)],
        vec![ReadDelay::NONE, ReadDelay::Reads(3), late],
    ];
    for scenario in scenarios() {
        for lags in &patterns {
            for at in 1..=calls(&scenario).await + 2 {
                for fault in faults() {
                    let organization = scenario
                        .builder()
                        .read_delays_for(Operation::ListAwsServiceAccessForOrganization, lags.clone())
                        .read_delays_for(Operation::ListDelegatedAdministrators, lags.clone())
                        .build();
                    let before = facts(&organization);
                    organization.inject_fault_at_call(at, fault.clone());
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
