//! One schedule under way: the organization, the runs, and what can happen next.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use ssm_organizations::ports::Operation;
use ssm_organizations::sim;
use tokio::time::{Instant, timeout};

use super::check;
use super::facts::{Facts, config};
use super::gate::{Desk, Past, Reply};
use super::jobs::{End, Job, PATIENCE, Running};
use super::own::Own;
use crate::common::bob;

/// Who is at work, from where, and what may go wrong.
#[derive(Clone)]
pub struct Scenario {
    pub name: String,
    pub start: fn() -> sim::Builder,
    /// How AWS behaves where its documents leave it open.
    pub setting: sim::Undocumented,
    /// Whether there are data syncs, or will be.
    pub syncs: bool,
    pub jobs: Vec<Job>,
    pub trouble: Trouble,
}

/// What may go wrong in one schedule, and how often.
#[derive(Debug, Clone, Copy)]
pub struct Trouble {
    /// Replies that are lost.
    pub losses: usize,
    /// Runs that die. Each is begun anew, with nothing remembered.
    pub deaths: usize,
    /// Reads that show how it was before the last change.
    pub late: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// A run's call goes through.
    Call { run: usize, ticket: usize, reply: Reply },
    /// Nothing happens until the next pause ends.
    Time,
}

/// A run and what its own checks have to remember.
pub struct Run {
    pub job: Job,
    pub desk: Arc<Mutex<Desk>>,
    running: Option<Running>,
    pub end: Option<End>,
    /// What the organization was like since the run's first look.
    pub seen: BTreeSet<Facts>,
    /// What it was like since the first answer of the calls that it made last, all at once.
    pub window: BTreeSet<Facts>,
    next_batch: usize,
    pub own: Own,
}

pub struct World {
    pub scenario: Scenario,
    pub organization: sim::Organization,
    past: Past,
    pub runs: Vec<Run>,
    /// What may still go wrong.
    left: Trouble,
    /// How often what each look shows was changed.
    changes: BTreeMap<Operation, usize>,
    /// What the organization is like.
    facts: Facts,
    /// What it ever was like.
    ever: BTreeSet<Facts>,
    /// What happened, where somebody wants to read it.
    pub story: Option<Vec<String>>,
}

/// Calls whose answer nobody changes: their place among the others' calls does not matter.
fn is_constant(operation: Operation, scenario: &Scenario) -> bool {
    match operation {
        Operation::DescribeOrganization
        | Operation::DescribeAccount
        | Operation::GetCallerIdentity
        | Operation::GetRole => true,
        Operation::ListResourceDataSync => !scenario.syncs,
        _ => false,
    }
}

impl Run {
    fn new(job: Job, organization: &sim::Organization, past: &Past) -> Self {
        let desk = Arc::default();
        let running = Some(job.start(organization, past, &desk));
        let (seen, window) = (BTreeSet::new(), BTreeSet::new());
        Self { job, desk, running, end: None, seen, window, next_batch: 0, own: Own::default() }
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

    /// Whether it waits for time to pass.
    fn sleeps(&self) -> bool {
        !self.is_over() && self.desk.lock().unwrap().parked().next().is_none()
    }
}

impl World {
    pub async fn begin(scenario: &Scenario, told: bool) -> Self {
        let organization = (scenario.start)()
            .trusting(&config())
            .delegated_for(&config(), bob())
            .undocumented(scenario.setting.clone())
            .build();
        let past = Past::default();
        let runs = scenario.jobs.iter().map(|job| Run::new(*job, &organization, &past)).collect();
        let facts = Facts::of(&organization);
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

    /// Everything that can happen next, in a fixed order.
    pub fn choices(&self) -> Vec<Choice> {
        let mut all = Vec::new();
        for (run, state) in self.runs.iter().enumerate().filter(|(_, run)| !run.is_over()) {
            for (ticket, parked) in state.desk.lock().unwrap().parked() {
                let call = |reply| Choice::Call { run, ticket, reply };
                let mut choices = vec![call(Reply::Answered)];
                if self.left.losses > 0 {
                    choices.push(call(Reply::LostBefore));
                }
                if self.left.late > 0 && self.past.lock().unwrap().contains_key(&parked.operation) {
                    choices.push(call(Reply::Late));
                }
                // A read leaves nothing behind: losing its reply is losing it, and dying over it is dying after the write before.
                if parked.operation.is_write() {
                    choices.extend((self.left.losses > 0).then(|| call(Reply::LostAfter)));
                    choices.extend((self.left.deaths > 0).then(|| call(Reply::Unheard)));
                }
                if is_constant(parked.operation, &self.scenario) {
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

    /// Takes a choice; the error is an invariant that does not hold.
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
                woken.map_err(|_| format!("{asleep:?} waits for nothing"))?;
                for run in asleep {
                    check::after_poll(self, run)?;
                }
                Ok(())
            }
            Choice::Call { run, ticket, reply } => {
                let state = &mut self.runs[run];
                let (operation, about) = {
                    let mut desk = state.desk.lock().unwrap();
                    desk.grant(ticket, reply);
                    (desk.tickets[ticket].operation, desk.tickets[ticket].about)
                };
                if !is_constant(operation, &self.scenario) {
                    let batch = state.desk.lock().unwrap().tickets.len();
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
                    self.runs[run].own.called((operation, about), ticket, changes, &before);
                }
                let was =
                    (self.scenario.trouble.late > 0 && operation.is_write()).then(|| self.organization.snapshot());
                self.poll(run).await;
                let job = self.runs[run].job;
                let desk = Arc::clone(&self.runs[run].desk);
                self.tell(|| format!("{run} {job:?}: {reply:?}: {}", desk.lock().unwrap().tickets[ticket]));
                if operation.is_write() {
                    self.facts = Facts::of(&self.organization);
                }
                if before != self.facts {
                    let now = self.facts.clone();
                    desk.lock().unwrap().tickets[ticket].effect = true;
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
                        self.tell(|| format!("{run} dies, and begins anew"));
                        self.runs[run] = Run::new(job, &self.organization, &self.past);
                        self.poll(run).await;
                    }
                }
                check::after_poll(self, run)
            }
        }
    }

    /// Notes which looks would show a change, and keeps for those that come late what there was.
    fn changed(&mut self, before: &Facts, was: Option<&sim::Snapshot>) {
        let now = &self.facts;
        let looks = [
            (Operation::ListAwsServiceAccessForOrganization, before.trust != now.trust),
            (Operation::ListDelegatedAdministrators, before.administrators != now.administrators),
            (Operation::ListResourceDataSync, before.syncs != now.syncs),
        ];
        for (look, _) in looks.into_iter().filter(|(_, changed)| *changed) {
            *self.changes.entry(look).or_default() += 1;
            if let Some(was) = was {
                let then = sim::Builder::from(was.clone()).undocumented(self.scenario.setting.clone()).build();
                self.past.lock().unwrap().insert(look, then);
            }
        }
    }

    /// Everything that the future depends on, the checks' included. Dates count by which of them are equal.
    pub fn key(&self) -> u128 {
        let now = Instant::now();
        let mut key = format!("{:?} {:?}", self.organization.snapshot(), self.left);
        // Whoever begins later may be shown what was before.
        if self.scenario.trouble.late > 0 {
            write!(key, "{:?}", self.ever).unwrap();
        }
        if self.left.late > 0 {
            for (operation, then) in &*self.past.lock().unwrap() {
                write!(key, "{operation} {:?}", then.snapshot()).unwrap();
            }
        }
        for run in &self.runs {
            key.push('|');
            if run.is_over() {
                continue;
            }
            // No pause and no patience is longer.
            let bound = PATIENCE.as_millis() + 1;
            run.desk.lock().unwrap().tickets.iter().for_each(|ticket| ticket.write_to(&mut key, now, bound));
            write!(key, "{:?} {:?} {} {:?}", run.seen, run.window, run.next_batch, run.own.key(&self.changes)).unwrap();
        }
        digest(&anonymous(&key))
    }
}

/// The same with every date by its number, in the order of appearance.
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
