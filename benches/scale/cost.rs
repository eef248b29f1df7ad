//! Measurement of jobs in tokio's paused time, which passes only while a call or a pause waits.

use std::time::Duration;

use ssm_organizations::sim::{self, CallOutcome};
use tokio::time::Instant;

use crate::job::{BenchOrganization, Job, Size};

/// Cost of a job.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) calls: usize,
    /// Number of calls that failed.
    pub(crate) refused: usize,
    pub(crate) time: Duration,
}

impl Cost {
    /// Returns the number of sequential round trips.
    pub(crate) fn round_trips(self) -> usize {
        usize::try_from(self.time.as_millis() / LATENCY.as_millis()).unwrap_or(usize::MAX)
    }
}

/// Time of each call. A call to the Region of Organizations from another continent takes about
/// this long.
pub(crate) const LATENCY: Duration = Duration::from_millis(100);

/// Measures the calls and the time since its start.
pub(crate) struct Stopwatch {
    organization: sim::SimOrganization,
    begun: Instant,
}

impl Stopwatch {
    pub(crate) fn start(organization: &sim::SimOrganization) -> Self {
        organization.clear_calls();
        Self { organization: organization.clone(), begun: Instant::now() }
    }

    pub(crate) fn stop(self) -> Cost {
        let calls = self.organization.calls();
        let refused = calls.iter().filter(|call| call.outcome != CallOutcome::Success).count();
        Cost { calls: calls.len(), refused, time: self.begun.elapsed() }
    }
}

fn run<T>(job: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(job)
}

fn cost_with(job: Job, size: Size, latency: Duration) -> Cost {
    let org = BenchOrganization::new(job.start(size).latency(latency).build(), 1, 0);
    let cost = run(job.run(&org, size)).expect("an organization in memory without faults");
    assert_eq!(cost.refused, 0, "{}: a call was refused", job.title());
    cost
}

/// Returns the cost of a job, and checks that only calls take time.
pub(crate) fn cost(job: Job, size: Size) -> Cost {
    let cost = cost_with(job, size, LATENCY);
    // With a tenth of the latency, a job that waits for anything except calls takes more than a
    // tenth of the time.
    assert_eq!(cost_with(job, size, LATENCY / 10).time, cost.time / 10, "{}: the job also waits", job.title());
    cost
}

/// Cost of a job at AWS's rates, over many runs with different pauses between attempts.
pub(crate) struct ThrottledCost {
    /// Median of the runs that completed.
    pub(crate) median: Option<Cost>,
    /// Number of runs that failed because a call was throttled at every attempt.
    pub(crate) gave_up: usize,
}

pub(crate) const RUNS: u64 = 101;

pub(crate) fn at_rates(job: Job, size: Size, attempts: u32) -> ThrottledCost {
    let run = |seed| {
        let org = BenchOrganization::new(job.start(size).latency(LATENCY).with_throttling().build(), attempts, seed);
        run(job.run(&org, size)).ok()
    };
    let mut costs: Vec<_> = (0..RUNS).map(run).collect();
    costs.sort_unstable_by_key(|cost| cost.map(|cost| cost.time));
    let gave_up = costs.iter().filter(|cost| cost.is_none()).count();
    let costs: Vec<_> = costs.into_iter().flatten().collect();
    ThrottledCost { median: costs.get(costs.len() / 2).copied(), gave_up }
}
