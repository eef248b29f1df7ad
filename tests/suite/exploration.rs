//! Two and three administrators at once, in every order of their calls, with lost replies and deaths.
//!
//! The small versions run with every other test; what is ignored says how it is run, and how long it takes.
#![cfg(feature = "sim")]

use crate::common::{alice, bob, delegated, organization, trusting};
use crate::explore::jobs::Job;
use crate::explore::search::explore;
use crate::explore::world::{Scenario, Trouble};
use ssm_organizations::ServicePrincipal;
use ssm_organizations::sim::{self, Repetition, SecondAdministrator, Undocumented};

const CALM: Trouble = Trouble { losses: 0, deaths: 0, late: 0 };
const ONE_LOSS: Trouble = Trouble { losses: 1, ..CALM };
const ONE_DEATH: Trouble = Trouble { deaths: 1, ..CALM };
const ONE_LATE: Trouble = Trouble { late: 1, ..CALM };

type Start = (&'static str, fn() -> sim::Builder);

const STARTS: [Start; 3] = [("disabled", organization), ("trusted", trusting), ("delegated", delegated)];

/// Whether AWS refuses to enable and to disable again, and how it refuses a second administrator: what runs at the same time meet.
fn settings() -> Vec<Undocumented> {
    let mut strict = Undocumented::default();
    strict.repetition = Repetition::Refused;
    strict.second_administrator = SecondAdministrator::Exists;
    strict.reasons = false;
    vec![Undocumented::default(), strict]
}

/// The typed handles' walks, and a plan's.
fn walks() -> Vec<Job> {
    vec![Job::Onboard(alice()), Job::Onboard(bob()), Job::Offboard, Job::HandOver(bob()), Job::Leave]
}

/// Plans that are applied and then undone.
fn visits() -> Vec<Job> {
    vec![Job::Visit(alice()), Job::Visit(bob()), Job::Borrow(bob())]
}

/// Each two, each once, the same one twice included.
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

/// Explores each group of jobs from each start under each setting, and says how much there was.
fn every_order(what: &str, starts: &[Start], settings: &[Undocumented], groups: &[Vec<Job>], trouble: Trouble) {
    let begun = std::time::Instant::now();
    let (mut states, mut schedules, mut ends, mut longest, mut scenarios) = (0, 0, 0, 0, 0);
    let mut broken = Vec::new();
    for setting in settings {
        for (from, start) in starts {
            for jobs in groups {
                let syncs = jobs.contains(&Job::MakeSync);
                let name = format!("{jobs:?}, {from}, {:?}", setting.repetition);
                let (start, setting, jobs) = (*start, setting.clone(), jobs.clone());
                let explored = explore(&Scenario { name, start, setting, syncs, jobs, trouble });
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
        "{what}: {scenarios} scenarios, {states} states, {schedules} schedules, {ends} of them to the end, \
         {longest} steps at most, {:?}",
        begun.elapsed()
    );
    assert!(broken.is_empty(), "{what}: {broken:#?}");
}

/// What runs at the same time contend for most.
fn contended() -> Vec<Vec<Job>> {
    vec![
        vec![Job::Onboard(alice()), Job::Onboard(bob())],
        vec![Job::Onboard(alice()), Job::Offboard],
        vec![Job::Offboard, Job::HandOver(bob())],
    ]
}

fn with_syncs() -> sim::Builder {
    delegated().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY)
}

/// Whoever takes the delegation away, while a data sync is made under it.
fn around_syncs() -> Vec<Vec<Job>> {
    let takers = [Job::OffboardGently, Job::CarryOver(bob()), Job::Leave, Job::Borrow(bob())];
    takers.map(|taker| vec![Job::MakeSync, taker]).into()
}

const WITH_SYNCS: [Start; 1] = [("delegated, with the role", with_syncs)];

#[test]
fn two_walks() {
    every_order("two walks", &STARTS, &settings()[..1], &pairs(&walks(), &walks()), CALM);
    every_order("two walks, less said", &STARTS, &settings()[1..], &contended(), CALM);
}

#[test]
fn two_walks_and_a_lost_reply() {
    every_order("two walks, one loss", &STARTS[..1], &settings()[..1], &contended()[1..2], ONE_LOSS);
    every_order("two walks, one loss", &STARTS[2..], &settings()[..1], &contended()[2..], ONE_LOSS);
}

#[test]
fn two_walks_and_a_death() {
    every_order("two walks, one death", &STARTS[..1], &settings()[..1], &contended()[1..2], ONE_DEATH);
    every_order("two walks, one death", &STARTS[2..], &settings()[..1], &contended()[2..], ONE_DEATH);
}

#[test]
fn two_walks_and_a_late_read() {
    every_order("two walks, one late read", &STARTS[..1], &settings()[..1], &contended()[1..2], ONE_LATE);
    every_order("two walks, one late read", &STARTS[2..], &settings()[..1], &contended()[2..], ONE_LATE);
}

#[test]
fn a_sync_is_made_meanwhile() {
    every_order("a sync and a walk", &WITH_SYNCS, &settings()[..1], &around_syncs()[..2], CALM);
}

#[test]
fn a_walk_and_a_visit() {
    let calm = &settings()[..1];
    every_order("a walk and a visit", &STARTS[..1], calm, &[vec![Job::Offboard, Job::Visit(bob())]], CALM);
    every_order("a walk and a visit", &STARTS[2..], calm, &[vec![Job::Offboard, Job::Borrow(bob())]], CALM);
}

#[test]
fn two_visits() {
    let groups = [vec![Job::Visit(alice()), Job::Visit(alice())], vec![Job::Borrow(alice()), Job::Borrow(bob())]];
    every_order("two visits", &STARTS[1..2], &settings()[..1], &groups, CALM);
}

#[test]
fn three_walks() {
    let three = [vec![Job::Onboard(alice()), Job::Onboard(bob()), Job::Onboard(bob())]];
    every_order("three walks", &STARTS[1..2], &settings()[..1], &three, CALM);
}

#[test]
#[ignore = "a minute or two in a release build: see CONTRIBUTING.md"]
fn two_walks_deep() {
    every_order("two walks, one loss", &STARTS, &settings(), &contended(), ONE_LOSS);
    every_order("two walks, one death", &STARTS, &settings(), &pairs(&walks(), &walks()), ONE_DEATH);
    every_order(
        "two walks, one loss, one death",
        &STARTS[2..],
        &settings()[..1],
        &contended(),
        Trouble { losses: 1, deaths: 1, ..CALM },
    );
}

#[test]
#[ignore = "a minute or two in a release build: see CONTRIBUTING.md"]
fn visits_deep() {
    every_order("a walk and a visit", &STARTS, &settings(), &pairs(&walks(), &visits()), CALM);
    let one = [vec![Job::Offboard, Job::Visit(bob())]];
    every_order("a walk and a visit, one loss", &STARTS, &settings()[..1], &one, ONE_LOSS);
    every_order("a walk and a visit, one death", &STARTS, &settings()[..1], &one, ONE_DEATH);
    every_order("a walk and a visit, one late read", &STARTS, &settings()[..1], &one, ONE_LATE);
}

#[test]
#[ignore = "a minute or two in a release build: see CONTRIBUTING.md"]
fn two_visits_deep() {
    every_order("two visits", &STARTS, &settings()[..1], &pairs(&visits(), &visits()), CALM);
}

#[test]
#[ignore = "a minute or two in a release build: see CONTRIBUTING.md"]
fn late_reads_deep() {
    every_order("two walks, one late read", &STARTS, &settings(), &pairs(&walks(), &walks()), ONE_LATE);
    let late = Trouble { late: 2, ..CALM };
    every_order("two walks, two late reads", &STARTS, &settings()[..1], &contended(), late);
    every_order("a sync and a walk, one late read", &WITH_SYNCS, &settings()[..1], &around_syncs(), ONE_LATE);
}

#[test]
#[ignore = "a minute or two in a release build: see CONTRIBUTING.md"]
fn syncs_deep() {
    every_order("a sync and a walk, one loss", &WITH_SYNCS, &settings(), &around_syncs(), ONE_LOSS);
}

#[test]
#[ignore = "a minute or two in a release build: see CONTRIBUTING.md"]
fn three_walks_deep() {
    let three = [vec![Job::Onboard(alice()), Job::Onboard(bob()), Job::Offboard]];
    every_order("three walks", &STARTS[1..2], &settings()[..1], &three, CALM);
    let three = [vec![Job::Onboard(alice()), Job::Offboard, Job::HandOver(bob())]];
    every_order("three walks", &STARTS[2..], &settings()[..1], &three, CALM);
    let three = [vec![Job::Onboard(alice()), Job::Offboard, Job::Borrow(bob())]];
    every_order("two walks and a visit", &STARTS[1..2], &settings()[..1], &three, CALM);
}
