//! The search: depth first, each schedule from the start.

use std::collections::{BTreeMap, HashSet};

use super::world::{Scenario, World};

/// No schedule of these runs is longer: a longer one would be on its way to no end.
const LONGEST: usize = 400;

#[derive(Debug, Default)]
pub struct Explored {
    /// Different states in which there was a choice.
    pub states: usize,
    /// Schedules that were run, each up to its end or to a state that was known.
    pub schedules: usize,
    /// Those that were run to their end.
    pub ends: usize,
    pub longest: usize,
    /// The invariants that do not hold, each with the shortest schedule that shows it.
    pub broken: BTreeMap<String, Vec<String>>,
}

/// Every schedule of a scenario.
pub fn explore(scenario: &Scenario) -> Explored {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let mut explored = Explored::default();
    let mut known = HashSet::new();
    let mut open: Vec<Vec<u8>> = vec![Vec::new()];
    while let Some(path) = open.pop() {
        explored.schedules += 1;
        let follow = follow(scenario, path, &mut known, &mut open, &mut explored);
        // The futures are polled by hand, and must not be sent to sleep for having been polled often.
        runtime.block_on(tokio::task::unconstrained(follow));
    }
    explored
}

async fn follow(
    scenario: &Scenario,
    mut path: Vec<u8>,
    known: &mut HashSet<u128>,
    open: &mut Vec<Vec<u8>>,
    explored: &mut Explored,
) {
    let mut world = World::begin(scenario, false).await;
    let given = path.len();
    for depth in 0.. {
        let choices = world.choices();
        if choices.is_empty() {
            explored.ends += 1;
            explored.longest = explored.longest.max(depth);
            return;
        }
        if depth >= given {
            if choices.len() > 1 {
                if !known.insert(world.key()) {
                    return;
                }
                explored.states += 1;
            }
            for other in 1..choices.len() {
                let mut branch = path.clone();
                branch.push(u8::try_from(other).unwrap());
                open.push(branch);
            }
            path.push(0);
        }
        let end = world.take(choices[usize::from(path[depth])]).await;
        let end = if depth > LONGEST { Err("it goes on and on".to_owned()) } else { end };
        if let Err(broken) = end {
            path.truncate(depth + 1);
            let story = retell(scenario, &path).await;
            let shortest =
                explored.broken.entry(format!("{}: {broken}", scenario.name)).or_insert_with(|| story.clone());
            if story.len() < shortest.len() {
                *shortest = story;
            }
            return;
        }
    }
}

/// What happens in a schedule.
async fn retell(scenario: &Scenario, path: &[u8]) -> Vec<String> {
    let mut world = World::begin(scenario, true).await;
    for index in path {
        let choices = world.choices();
        drop(world.take(choices[usize::from(*index)]).await);
    }
    world.story.unwrap_or_default()
}
