//! Schedule in progress: the organization, the runs, and the possible next choices.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use ssm_organizations::ports::Operation;
use ssm_organizations::{Region, sim};
use tokio::time::{Instant, timeout};

use super::check;
use super::created::CreatedResources;
use super::facts::{ServiceStatus, config};
use super::gate::{CallLog, Past, PendingCall, Reply, changes};
use super::jobs::{End, Job, PATIENCE, Running};
use crate::common::bob;

/// Jobs, their start state and the possible faults.
#[derive(Clone)]
pub struct Scenario {
    pub name: String,
    pub start: fn() -> sim::SimOrganizationBuilder,
    /// Setting of undocumented behavior.
    pub setting: sim::UndocumentedBehavior,
    pub jobs: Vec<Job>,
    pub trouble: FaultLimits,
}

/// Maximum number of each fault in a schedule.
#[derive(Debug, Clone, Copy)]
pub struct FaultLimits {
    /// Lost responses.
    pub losses: usize,
    /// Stopped processes. Each run restarts without its state.
    pub deaths: usize,
    /// Reads that show the state before the last change.
    pub late: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// A call of a run is released.
    Call { run: usize, ticket: usize, reply: Reply },
    /// Time passes until the next pause ends.
    Time,
}

/// Run, and the data of its checks.
pub struct Run {
    pub job: Job,
    pub call_log: Arc<Mutex<CallLog>>,
    running: Option<Running>,
    pub end: Option<End>,
    /// States of the organization since the first read of the run.
    pub seen: BTreeSet<ServiceStatus>,
    /// States since the first response of the last batch of concurrent calls.
    pub window: BTreeSet<ServiceStatus>,
    next_batch: usize,
    pub created: CreatedResources,
}

pub struct World {
    pub scenario: Scenario,
    pub organization: sim::SimOrganization,
    past: Past,
    pub runs: Vec<Run>,
    /// Remaining faults.
    left: FaultLimits,
    /// Number of changes of the result of each read.
    changes: BTreeMap<Operation, usize>,
    /// Current state of the organization.
    facts: ServiceStatus,
    /// Every state of the organization so far.
    ever: BTreeSet<ServiceStatus>,
    /// Events of the schedule, if they are recorded.
    pub story: Option<Vec<String>>,
}

/// Returns whether no run changes the result of the call, so that its order is irrelevant.
fn is_constant(operation: Operation, scenario: &Scenario) -> bool {
    match operation {
        Operation::DescribeOrganization
        | Operation::DescribeAccount
        | Operation::DescribeOrganizationalUnit
        | Operation::GetCallerIdentity => true,
        Operation::ListDelegatedAdministrators | Operation::GetRole => {
            !scenario.jobs.iter().any(|job| job.writes(operation, None))
        }
        // The other jobs delete data syncs only in a scenario that creates or starts with some.
        Operation::ListResourceDataSync => !scenario.jobs.iter().any(|job| job.writes_syncs()),
        _ => false,
    }
}

impl Run {
    fn new(job: Job, organization: &sim::SimOrganization, past: &Past) -> Self {
        let call_log = Arc::default();
        let running = Some(job.start(organization, past, &call_log));
        let (seen, window) = (BTreeSet::new(), BTreeSet::new());
        Self { job, call_log, running, end: None, seen, window, next_batch: 0, created: CreatedResources::default() }
    }

    fn poll(&mut self, cx: &mut Context<'_>) {
        if let Some(running) = &mut self.running
            && let Poll::Ready(end) = running.as_mut().poll(cx)
        {
            self.running = None;
            self.end = Some(end);
        }
    }

    pub fn is_over(&self) -> bool {
        self.running.is_none()
    }

    /// Returns whether the run can still change the result of a read.
    fn can_change(&self, read: Operation, region: Option<&Region>, may_die: bool) -> bool {
        if self.is_over() {
            return false;
        }
        let call_log = self.call_log.lock().unwrap();
        match call_log.remaining() {
            // A run that is killed and restarts makes another plan.
            Some(mut writes) if may_die => writes.next().is_some() && self.job.writes(read, region),
            Some(mut writes) => writes.any(|write| changes(write, read, region)),
            None => self.job.writes(read, region),
        }
    }

    /// Returns whether the run waits for time to pass.
    fn sleeps(&self) -> bool {
        !self.is_over() && self.call_log.lock().unwrap().parked().next().is_none()
    }
}

impl World {
    pub async fn begin(scenario: &Scenario, told: bool) -> Self {
        let organization = (scenario.start)()
            .trusted_access_for(&config())
            .delegated_administrator_for(&config(), bob())
            .undocumented_behavior(scenario.setting.clone())
            .build();
        let past = Past::default();
        let runs = scenario.jobs.iter().map(|job| Run::new(*job, &organization, &past)).collect();
        let facts = ServiceStatus::of(&organization);
        let mut world = Self {
            scenario: scenario.clone(),
            organization,
            past,
            runs,
            left: scenario.trouble,
            changes: BTreeMap::new(),
            ever: BTreeSet::from([facts.clone()]),
            facts,
            story: told.then(Vec::new),
        };
        for run in 0..world.runs.len() {
            world.poll(run).await;
        }
        world
    }

    pub fn tell(&mut self, what: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(what());
        }
    }

    async fn poll(&mut self, run: usize) {
        poll_fn(|cx| {
            self.runs[run].poll(cx);
            Poll::Ready(())
        })
        .await;
    }

    /// Returns the possible next choices, in a fixed order.
    pub fn choices(&self) -> Vec<Choice> {
        let mut all = Vec::new();
        for (run, state) in self.runs.iter().enumerate().filter(|(_, run)| !run.is_over()) {
            let call_log = state.call_log.lock().unwrap();
            for (ticket, parked) in call_log.parked() {
                let call = |reply| Choice::Call { run, ticket, reply };
                let mut choices = vec![call(Reply::Answered)];
                if self.left.losses > 0 {
                    choices.push(call(Reply::LostBefore));
                }
                if self.left.late > 0 && self.past.lock().unwrap().contains_key(&parked.operation) {
                    choices.push(call(Reply::Late));
                }
                // A read has no effect: a lost response equals a lost request, and a kill at a read
                // equals a kill after the previous write.
                if parked.operation.is_write() {
                    choices.extend((self.left.losses > 0).then(|| call(Reply::LostAfter)));
                    choices.extend((self.left.deaths > 0).then(|| call(Reply::Unheard)));
                }
                if self.is_independent(run, parked, &call_log) {
                    return choices;
                }
                all.extend(choices);
            }
        }
        if self.runs.iter().any(Run::sleeps) {
            all.push(Choice::Time);
        }
        all
    }

    /// Returns whether no other choice changes the result of a call of a run, so that its order is
    /// irrelevant. The orders of a run's own calls are explored only in scenarios of one run.
    fn is_independent(&self, run: usize, call: &PendingCall, call_log: &CallLog) -> bool {
        if is_constant(call.operation, &self.scenario) {
            return true;
        }
        // A run can pause after a lost or late read, beside a read of another run.
        let may_pause = self.left.losses + self.left.late > 0;
        if self.runs.len() == 1 || may_pause || call_log.parked().any(|(_, call)| call.operation.is_write()) {
            return false;
        }
        let region = call.region.as_ref();
        let mut others = self.runs.iter().enumerate().filter(|(other, _)| *other != run);
        !others.any(|(_, other)| other.can_change(call.operation, region, self.left.deaths > 0))
    }

    /// Executes a choice. Returns a violated invariant as the error.
    pub async fn take(&mut self, choice: Choice) -> Result<(), String> {
        let before = self.facts.clone();
        match choice {
            Choice::Time => {
                self.tell(|| "time passes".to_owned());
                let asleep: Vec<_> = (0..self.runs.len()).filter(|run| self.runs[*run].sleeps()).collect();
                let wake = poll_fn(|cx| {
                    for run in &asleep {
                        self.runs[*run].poll(cx);
                    }
                    let awake = asleep.iter().any(|run| !self.runs[*run].sleeps());
                    if awake { Poll::Ready(()) } else { Poll::Pending }
                });
                let woken = timeout(Duration::from_hours(1), wake).await;
                woken.map_err(|_| format!("{asleep:?} waits for no event"))?;
                for run in asleep {
                    check::after_poll(self, run)?;
                }
                Ok(())
            }
            Choice::Call { run, ticket, reply } => {
                let state = &mut self.runs[run];
                let (operation, about) = {
                    let mut call_log = state.call_log.lock().unwrap();
                    call_log.grant(ticket, reply);
                    (call_log.tickets[ticket].operation, call_log.tickets[ticket].about)
                };
                if !is_constant(operation, &self.scenario) {
                    let batch = state.call_log.lock().unwrap().tickets.len();
                    if ticket >= state.next_batch {
                        state.window.clear();
                        state.next_batch = batch;
                    }
                    if state.seen.is_empty() && self.scenario.trouble.late > 0 {
                        state.seen.clone_from(&self.ever);
                    }
                    state.seen.insert(before.clone());
                    state.window.insert(before.clone());
                }
                if self.runs[run].job.takes_back() {
                    let changes = self.changes.get(&operation).copied().unwrap_or_default();
                    self.runs[run].created.called((operation, about), ticket, changes, &before);
                }
                let was = (self.scenario.trouble.late > 0 && operation.is_write()).then(|| self.organization.state());
                self.poll(run).await;
                let job = self.runs[run].job;
                let call_log = Arc::clone(&self.runs[run].call_log);
                self.tell(|| format!("{run} {job:?}: {reply:?}: {}", call_log.lock().unwrap().tickets[ticket]));
                if operation.is_write() {
                    self.facts = ServiceStatus::of(&self.organization);
                }
                if before != self.facts {
                    let now = self.facts.clone();
                    call_log.lock().unwrap().tickets[ticket].effect = true;
                    self.tell(|| format!("  {now:?}"));
                    self.ever.insert(now.clone());
                    for run in self.runs.iter_mut().filter(|run| !run.seen.is_empty()) {
                        run.seen.insert(now.clone());
                        run.window.insert(now.clone());
                    }
                    check::effect(self, run, ticket, &before, &now)?;
                    self.changed(&before, was.as_ref());
                }
                match reply {
                    Reply::Answered => {}
                    Reply::LostBefore | Reply::LostAfter => self.left.losses -= 1,
                    Reply::Late => self.left.late -= 1,
                    Reply::Unheard => {
                        self.left.deaths -= 1;
                        self.tell(|| format!("{run} is killed and restarts"));
                        self.runs[run] = Run::new(job, &self.organization, &self.past);
                        self.poll(run).await;
                    }
                }
                check::after_poll(self, run)
            }
        }
    }

    /// Counts the reads that show a change, and keeps the previous state for stale reads.
    fn changed(&mut self, before: &ServiceStatus, was: Option<&sim::SimState>) {
        let now = &self.facts;
        let looks = [
            (Operation::ListAwsServiceAccessForOrganization, before.trust != now.trust),
            (Operation::ListDelegatedAdministrators, before.administrators != now.administrators),
            (Operation::ListResourceDataSync, before.syncs != now.syncs),
            (Operation::GetRole, before.role != now.role),
        ];
        for (look, _) in looks.into_iter().filter(|(_, changed)| *changed) {
            *self.changes.entry(look).or_default() += 1;
            if let Some(was) = was {
                let then = sim::SimOrganizationBuilder::from(was.clone())
                    .undocumented_behavior(self.scenario.setting.clone())
                    .build();
                self.past.lock().unwrap().insert(look, then);
            }
        }
    }

    /// Returns a key of everything that the future and the checks depend on. Dates are compared
    /// only for equality.
    pub fn key(&self) -> u128 {
        let now = Instant::now();
        let mut key = format!("{:?} {:?}", self.organization.state(), self.left);
        // A run that starts later can read an earlier state.
        if self.scenario.trouble.late > 0 {
            write!(key, "{:?}", self.ever).unwrap();
        }
        if self.left.late > 0 {
            for (operation, then) in &*self.past.lock().unwrap() {
                write!(key, "{operation} {:?}", then.state()).unwrap();
            }
        }
        for run in &self.runs {
            key.push('|');
            if run.is_over() {
                continue;
            }
            // Every pause and wait timeout is shorter.
            let bound = PATIENCE.as_millis() + 1;
            run.call_log.lock().unwrap().tickets.iter().for_each(|ticket| ticket.write_to(&mut key, now, bound));
            write!(key, "{:?} {:?} {} {:?}", run.seen, run.window, run.next_batch, run.created.key(&self.changes))
                .unwrap();
        }
        digest(&anonymous(&key))
    }
}

/// Replaces every date by its number in the order of appearance.
fn anonymous(key: &str) -> String {
    const DATE: &str = "SystemTime { ";
    let mut dates: Vec<&str> = Vec::new();
    let mut parts = key.split(DATE);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (date, rest) = part.split_once('}').unwrap();
        let number = dates.iter().position(|known| *known == date).unwrap_or_else(|| {
            dates.push(date);
            dates.len() - 1
        });
        write!(out, "#{number}{rest}").unwrap();
    }
    out
}

fn digest(text: &str) -> u128 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let half = |salt: u64| {
        let mut hasher = DefaultHasher::new();
        (salt, text).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(1) << 64 | half(2)
}
