//! Tests of two and three concurrent runs in every order of their calls, with lost responses,
//! stopped processes and stale reads.
//!
//! Small scenarios run with the other tests; the reason of an ignored test states the CI step and
//! its duration.
#![cfg(feature = "sim")]

use crate::common::{alice, bob, delegated, management, organization, organization_sync, region, trusting};
use crate::exploration::facts::{AWAY, HOME};
use crate::exploration::jobs::{Job, Resources};
use crate::exploration::search::explore;
use crate::exploration::world::{FaultLimits, Scenario};
use std::time::Duration;

use ssm_organizations::ServicePrincipal;
use ssm_organizations::sim::{self, RepeatedWrite, SecondAdministrator, UndocumentedBehavior};

const CALM: FaultLimits = FaultLimits { losses: 0, deaths: 0, late: 0 };
const ONE_LOSS: FaultLimits = FaultLimits { losses: 1, ..CALM };
const ONE_DEATH: FaultLimits = FaultLimits { deaths: 1, ..CALM };
const ONE_LATE: FaultLimits = FaultLimits { late: 1, ..CALM };

type Start = (&'static str, fn() -> sim::SimOrganizationBuilder);

const STARTS: [Start; 3] = [("disabled", organization), ("trusted", trusting), ("delegated", delegated)];

/// Returns settings of repeated writes and second administrators, which affect concurrent runs.
fn settings() -> Vec<UndocumentedBehavior> {
    let mut strict = UndocumentedBehavior::default();
    strict.repeated_write = RepeatedWrite::Refused;
    strict.second_administrator = SecondAdministrator::Exists;
    strict.reasons = false;
    vec![UndocumentedBehavior::default(), strict]
}

/// Returns the runs of the typed handles, and of a plan.
fn walks() -> Vec<Job> {
    vec![Job::Onboard(alice()), Job::Onboard(bob()), Job::Offboard, Job::HandOver(bob()), Job::Leave]
}

/// Returns the plans that are applied and then undone.
fn visits() -> Vec<Job> {
    vec![Job::Visit(alice()), Job::Visit(bob()), Job::Borrow(bob())]
}

/// Returns every pair once, including pairs of the same job.
fn pairs(ones: &[Job], others: &[Job]) -> Vec<Vec<Job>> {
    let mut pairs: Vec<Vec<Job>> = Vec::new();
    for one in ones {
        for other in others {
            if !pairs.contains(&vec![*other, *one]) {
                pairs.push(vec![*one, *other]);
            }
        }
    }
    pairs
}

/// Explores each group of jobs from each start under each setting, and prints the counts.
fn every_order(
    what: &str,
    starts: &[Start],
    settings: &[UndocumentedBehavior],
    groups: &[Vec<Job>],
    trouble: FaultLimits,
) {
    let begun = std::time::Instant::now();
    let (mut states, mut schedules, mut ends, mut longest, mut scenarios) = (0, 0, 0, 0, 0);
    let mut broken = Vec::new();
    for setting in settings {
        for (from, start) in starts {
            for jobs in groups {
                let name = format!("{jobs:?}, {from}, {:?}", setting.repeated_write);
                let (start, setting, jobs) = (*start, setting.clone(), jobs.clone());
                let explored = explore(&Scenario { name, start, setting, jobs, trouble });
                states += explored.states;
                schedules += explored.schedules;
                ends += explored.ends;
                longest = longest.max(explored.longest);
                scenarios += 1;
                for (what, story) in explored.broken {
                    println!("{what}\n    {}\n", story.join("\n    "));
                    broken.push(what);
                }
            }
        }
    }
    println!(
        "{what}: {scenarios} scenarios, {states} states, {schedules} schedules, {ends} complete, \
         {longest} steps at most, {:?}",
        begun.elapsed()
    );
    assert!(broken.is_empty(), "{what}: {broken:#?}");
}

/// Returns the pairs of runs with the most conflicts.
fn contended() -> Vec<Vec<Job>> {
    vec![
        vec![Job::Onboard(alice()), Job::Onboard(bob())],
        vec![Job::Onboard(alice()), Job::Offboard],
        vec![Job::Offboard, Job::HandOver(bob())],
    ]
}

fn with_syncs() -> sim::SimOrganizationBuilder {
    delegated().service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)
}

/// Returns pairs of a run that removes the delegation and a run that creates a data sync.
fn around_syncs() -> Vec<Vec<Job>> {
    let takers = [Job::OffboardGently, Job::CarryOver(bob()), Job::Leave, Job::Borrow(bob())];
    takers.map(|taker| vec![Job::MakeSync, taker]).into()
}

const WITH_SYNCS: [Start; 1] = [("delegated, with the role", with_syncs)];

fn with_role() -> sim::SimOrganizationBuilder {
    trusting().service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY).role_deletion(Duration::ZERO)
}

/// Returns the result of `SetUp` in the given Regions.
fn set_up_in(regions: &[&'static str]) -> sim::SimOrganizationBuilder {
    let mut sync = organization_sync("ours");
    sync.regions = vec![region(HOME)];
    (sync.future_regions, sync.all_ops_data_sources) = (Some(false), Some(false));
    regions.iter().fold(with_role(), |start, at| start.data_sync(management(), region(at), sync.clone()))
}

const DISABLED: Start = ("disabled", || organization().role_deletion(Duration::ZERO));
const WITH_ROLE: Start = ("trusted, with the role", with_role);
const SET_UP: Start = ("set up", || set_up_in(&[HOME, AWAY]));
const SET_UP_HOME: Start = ("set up in one Region", || set_up_in(&[HOME]));

/// Returns the pairs of a set-up and a removal of the resources.
fn plans(resources: Resources) -> Vec<Vec<Job>> {
    let both = [Job::SetUp(resources), Job::TakeDown(resources)];
    pairs(&both, &both)
}

/// Returns a set-up and a removal of the resources, which run at the same time.
fn opposed(resources: Resources) -> Vec<Vec<Job>> {
    vec![vec![Job::SetUp(resources), Job::TakeDown(resources)]]
}

/// Returns each plan of the resources beside another tool.
fn beside_other_tool(resources: Resources) -> Vec<Vec<Job>> {
    vec![vec![Job::SetUp(resources), Job::OtherTool], vec![Job::TakeDown(resources), Job::OtherTool]]
}

#[test]
fn explore_two_plans_keeps_invariants() {
    let calm = &settings()[..1];
    every_order("two plans", &[WITH_ROLE, SET_UP_HOME], calm, &opposed(Resources::RoleAndSync), CALM);
    every_order("a plan and a tool", &[WITH_ROLE], calm, &beside_other_tool(Resources::RoleAndTwoSyncs), CALM);
}

#[test]
#[ignore = "slow: run by `.ci/run exhaustive`"]
fn explore_two_plans_keeps_invariants_everywhere() {
    let (calm, sync) = (&settings()[..1], Resources::RoleAndSync);
    every_order("two plans of a sync", &[DISABLED, SET_UP_HOME], calm, &plans(sync), CALM);
    every_order("two plans, less said", &[SET_UP_HOME], &settings()[1..], &opposed(sync), CALM);
    every_order("two plans of two syncs", &[SET_UP], calm, &plans(Resources::TwoSyncs), CALM);
    every_order("a plan and a tool", &[SET_UP], calm, &beside_other_tool(Resources::RoleAndTwoSyncs), CALM);
}

#[test]
#[ignore = "slow: run by `.ci/run exhaustive`"]
fn explore_plan_with_faults_keeps_invariants() {
    let resources = Resources::RoleAndTwoSyncs;
    for (start, job) in [(DISABLED, Job::SetUp(resources)), (SET_UP, Job::TakeDown(resources))] {
        for trouble in [ONE_LOSS, ONE_DEATH, ONE_LATE] {
            every_order("a plan", &[start], &settings(), &[vec![job]], trouble);
        }
    }
}

#[test]
#[ignore = "slow: run by `.ci/run exhaustive`"]
fn explore_two_plans_with_faults_keeps_invariants() {
    for trouble in [ONE_LOSS, ONE_DEATH, ONE_LATE] {
        every_order("two plans", &[SET_UP_HOME], &settings()[..1], &opposed(Resources::RoleAndSync), trouble);
    }
}

#[test]
#[ignore = "slow, even in a release build: run by `.ci/run deep`"]
fn explore_two_plans_keeps_invariants_deep() {
    let starts = [DISABLED, WITH_ROLE, SET_UP];
    every_order("two plans", &starts, &settings(), &plans(Resources::RoleAndTwoSyncs), CALM);
    every_order("two plans of a sync", &[DISABLED, WITH_ROLE], &settings(), &plans(Resources::RoleAndSync), CALM);
    every_order("two plans of two syncs", &[WITH_ROLE, SET_UP], &settings(), &plans(Resources::TwoSyncs), CALM);
}

#[test]
#[ignore = "slow, even in a release build: run by `.ci/run deep`"]
fn explore_two_plans_with_faults_keeps_invariants_deep() {
    let starts = [DISABLED, WITH_ROLE, SET_UP_HOME];
    for trouble in [ONE_LOSS, ONE_DEATH, ONE_LATE] {
        every_order("two plans of a sync", &starts, &settings(), &plans(Resources::RoleAndSync), trouble);
        every_order("two plans of two syncs", &[SET_UP], &settings()[..1], &plans(Resources::TwoSyncs), trouble);
        every_order("two plans", &starts[1..2], &settings()[..1], &opposed(Resources::RoleAndTwoSyncs), trouble);
        every_order("a plan and a tool", &starts, &settings(), &beside_other_tool(Resources::RoleAndTwoSyncs), trouble);
    }
}

#[test]
#[ignore = "slow, even in a release build: run by `.ci/run deep`"]
fn explore_three_plans_keeps_invariants_deep() {
    let [set_up, take_down] = [Job::SetUp(Resources::RoleAndSync), Job::TakeDown(Resources::RoleAndSync)];
    let groups = [vec![set_up, take_down, Job::OtherTool]];
    every_order("two plans and a tool", &[DISABLED, WITH_ROLE, SET_UP_HOME], &settings()[..1], &groups, CALM);
    let groups = [vec![set_up, set_up, take_down], vec![set_up, take_down, take_down]];
    every_order("three plans", &[WITH_ROLE], &settings()[..1], &groups, CALM);
}

#[test]
#[ignore = "slow: run by `.ci/run exhaustive`"]
fn explore_two_runs_keeps_invariants() {
    every_order("two walks", &STARTS, &settings()[..1], &pairs(&walks(), &walks()), CALM);
    every_order("two walks, less said", &STARTS, &settings()[1..], &contended(), CALM);
}

#[test]
#[ignore = "slow: run by `.ci/run exhaustive`"]
fn explore_two_runs_with_lost_response_keeps_invariants() {
    every_order("two walks, one loss", &STARTS[..1], &settings()[..1], &contended()[1..2], ONE_LOSS);
    every_order("two walks, one loss", &STARTS[2..], &settings()[..1], &contended()[2..], ONE_LOSS);
}

#[test]
#[ignore = "slow: run by `.ci/run exhaustive`"]
fn explore_two_runs_with_one_killed_keeps_invariants() {
    every_order("two walks, one death", &STARTS[..1], &settings()[..1], &contended()[1..2], ONE_DEATH);
    every_order("two walks, one death", &STARTS[2..], &settings()[..1], &contended()[2..], ONE_DEATH);
}

#[test]
#[ignore = "slow: run by `.ci/run exhaustive`"]
fn explore_two_runs_with_stale_read_keeps_invariants() {
    every_order("two walks, one late read", &STARTS[..1], &settings()[..1], &contended()[1..2], ONE_LATE);
    every_order("two walks, one late read", &STARTS[2..], &settings()[..1], &contended()[2..], ONE_LATE);
}

#[test]
fn explore_run_with_new_sync_keeps_invariants() {
    every_order("a sync and a walk", &WITH_SYNCS, &settings()[..1], &around_syncs()[..2], CALM);
}

#[test]
#[ignore = "slow: run by `.ci/run exhaustive`"]
fn explore_run_and_undone_plan_keeps_invariants() {
    let calm = &settings()[..1];
    every_order("a walk and a visit", &STARTS[..1], calm, &[vec![Job::Offboard, Job::Visit(bob())]], CALM);
    every_order("a walk and a visit", &STARTS[2..], calm, &[vec![Job::Offboard, Job::Borrow(bob())]], CALM);
}

#[test]
#[ignore = "slow: run by `.ci/run exhaustive`"]
fn explore_two_undone_plans_keeps_invariants() {
    let groups = [vec![Job::Visit(alice()), Job::Visit(alice())], vec![Job::Borrow(alice()), Job::Borrow(bob())]];
    every_order("two visits", &STARTS[1..2], &settings()[..1], &groups, CALM);
}

#[test]
fn explore_three_runs_keeps_invariants() {
    let three = [vec![Job::Onboard(alice()), Job::Onboard(bob()), Job::Onboard(bob())]];
    every_order("three walks", &STARTS[1..2], &settings()[..1], &three, CALM);
}

#[test]
#[ignore = "slow, even in a release build: run by `.ci/run deep`"]
fn explore_two_runs_with_faults_keeps_invariants_deep() {
    every_order("two walks, one loss", &STARTS, &settings(), &contended(), ONE_LOSS);
    every_order("two walks, one death", &STARTS, &settings(), &pairs(&walks(), &walks()), ONE_DEATH);
    every_order(
        "two walks, one loss, one death",
        &STARTS[2..],
        &settings()[..1],
        &contended(),
        FaultLimits { losses: 1, deaths: 1, ..CALM },
    );
}

#[test]
#[ignore = "slow, even in a release build: run by `.ci/run deep`"]
fn explore_run_and_undone_plan_keeps_invariants_deep() {
    every_order("a walk and a visit", &STARTS, &settings(), &pairs(&walks(), &visits()), CALM);
    let one = [vec![Job::Offboard, Job::Visit(bob())]];
    every_order("a walk and a visit, one loss", &STARTS, &settings()[..1], &one, ONE_LOSS);
    every_order("a walk and a visit, one death", &STARTS, &settings()[..1], &one, ONE_DEATH);
    every_order("a walk and a visit, one late read", &STARTS, &settings()[..1], &one, ONE_LATE);
}

#[test]
#[ignore = "slow, even in a release build: run by `.ci/run deep`"]
fn explore_two_undone_plans_keeps_invariants_deep() {
    every_order("two visits", &STARTS, &settings()[..1], &pairs(&visits(), &visits()), CALM);
}

#[test]
#[ignore = "slow, even in a release build: run by `.ci/run deep`"]
fn explore_stale_reads_keeps_invariants_deep() {
    every_order("two walks, one late read", &STARTS, &settings(), &pairs(&walks(), &walks()), ONE_LATE);
    let late = FaultLimits { late: 2, ..CALM };
    every_order("two walks, two late reads", &STARTS, &settings()[..1], &contended(), late);
    every_order("a sync and a walk, one late read", &WITH_SYNCS, &settings()[..1], &around_syncs(), ONE_LATE);
}

#[test]
#[ignore = "slow, even in a release build: run by `.ci/run deep`"]
fn explore_run_with_new_sync_keeps_invariants_deep() {
    every_order("a sync and a walk, one loss", &WITH_SYNCS, &settings(), &around_syncs(), ONE_LOSS);
}

#[test]
#[ignore = "slow, even in a release build: run by `.ci/run deep`"]
fn explore_three_runs_keeps_invariants_deep() {
    let three = [vec![Job::Onboard(alice()), Job::Onboard(bob()), Job::Offboard]];
    every_order("three walks", &STARTS[1..2], &settings()[..1], &three, CALM);
    let three = [vec![Job::Onboard(alice()), Job::Offboard, Job::HandOver(bob())]];
    every_order("three walks", &STARTS[2..], &settings()[..1], &three, CALM);
    let three = [vec![Job::Onboard(alice()), Job::Offboard, Job::Borrow(bob())]];
    every_order("two walks and a visit", &STARTS[1..2], &settings()[..1], &three, CALM);
}
