//! Depth-first search that runs each schedule from the start.

use std::collections::{BTreeMap, HashSet};

use super::world::{Scenario, World};

/// Maximum length of a schedule. A longer schedule is considered endless.
const LONGEST: usize = 400;

#[derive(Debug, Default)]
pub struct SearchResult {
    /// Number of distinct states with more than one choice.
    pub states: usize,
    /// Number of schedules, each run to its end or to a known state.
    pub schedules: usize,
    /// Number of schedules that were run to their end.
    pub ends: usize,
    pub longest: usize,
    /// Violated invariants, each with the shortest schedule that shows it.
    pub broken: BTreeMap<String, Vec<String>>,
}

/// Explores every schedule of a scenario.
pub fn explore(scenario: &Scenario) -> SearchResult {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let mut explored = SearchResult::default();
    let mut known = HashSet::new();
    let mut open: Vec<Vec<u8>> = vec![Vec::new()];
    while let Some(path) = open.pop() {
        explored.schedules += 1;
        let follow = follow(scenario, path, &mut known, &mut open, &mut explored);
        // Tokio's cooperative budget must not suspend the futures, because the search polls them
        // directly.
        runtime.block_on(tokio::task::unconstrained(follow));
    }
    explored
}

async fn follow(
    scenario: &Scenario,
    mut path: Vec<u8>,
    known: &mut HashSet<u128>,
    open: &mut Vec<Vec<u8>>,
    explored: &mut SearchResult,
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
        let end = if depth > LONGEST { Err("the schedule does not end".to_owned()) } else { end };
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

/// Returns the events of a schedule.
async fn retell(scenario: &Scenario, path: &[u8]) -> Vec<String> {
    let mut world = World::begin(scenario, true).await;
    for index in path {
        let choices = world.choices();
        drop(world.take(choices[usize::from(*index)]).await);
    }
    world.story.unwrap_or_default()
}
