//! Commands that are killed or stopped by a signal at each call. The organization is in a file.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ssm_organizations::Error;
use ssm_organizations::plan::Receipt;
use ssm_organizations::ports::{Call, CallHook, Decorated};
use tokio::sync::Notify;

use super::{
    ADMIN, Cli, CommandContext, Console, MANAGEMENT, OTHER, Parser, PathBuf, TempDir, Value, clients_of, execute, fs,
    id, organization, region, run_as, sim,
};
use crate::files;
use crate::report::Outcome;
use crate::signals::Signals;
use crate::simulate::SimulatedOrganization;

/// Hook that stops at one call, before or after its effect. The call never returns.
#[derive(Default)]
struct Stop {
    at: usize,
    after_effect: bool,
    writes_only: bool,
    /// Sends SIGTERM instead of killing the process.
    signals: bool,
    /// For each counted call, whether the call is a write.
    calls: Mutex<Vec<bool>>,
    killed: Notify,
    signalled: Notify,
}

impl Stop {
    /// Returns the ordinal of each call, before and after its effect. Reads have no effect.
    fn points(&self) -> Vec<(usize, bool)> {
        let calls = self.calls.lock().unwrap();
        let points = |(at, is_write): (usize, &bool)| [Some((at, false)), is_write.then_some((at, true))];
        (1..).zip(&*calls).flat_map(points).flatten().collect()
    }

    async fn stop(&self) {
        if self.signals { &self.signalled } else { &self.killed }.notify_one();
        std::future::pending::<()>().await;
    }
}

#[async_trait]
impl Signals for Stop {
    async fn received(&self) -> &'static str {
        self.signalled.notified().await;
        "SIGTERM"
    }
}

#[async_trait]
impl CallHook for Stop {
    async fn around<T, F, S>(&self, call: &Call<'_>, send: S) -> Result<T, Error>
    where
        T: Send,
        F: Future<Output = Result<T, Error>> + Send,
        S: Fn() -> F + Send + Sync,
    {
        let is_write = call.operation.is_write();
        let is_last = (is_write || !self.writes_only) && {
            let mut calls = self.calls.lock().unwrap();
            calls.push(is_write);
            calls.len() == self.at
        };
        if is_last && !self.after_effect {
            self.stop().await;
        }
        let result = send().await;
        if is_last {
            self.stop().await;
        }
        result
    }
}

/// Directory with the file of the organization and the receipt.
struct Files(TempDir);

impl Files {
    /// Creates the files of an organization after these commands.
    async fn after(commands: &[&str]) -> Self {
        let files = Self(TempDir::new().unwrap());
        SimulatedOrganization::open(files.0.path().join("organization.json")).unwrap();
        for command in commands {
            let outcome = files.run(command, &Arc::default()).await.unwrap();
            assert!(outcome.errors.is_empty(), "{command}: {}", outcome.lines);
        }
        files
    }

    fn receipt(&self) -> PathBuf {
        self.0.path().join("receipt.json")
    }

    /// Returns the organization without dates.
    fn state(&self) -> sim::SimState {
        let text = fs::read_to_string(self.0.path().join("organization.json")).unwrap();
        files::parse_json::<sim::SimState>(&text).unwrap().without_dates()
    }

    /// Runs a command in a new process. Returns `None` if the process is killed.
    async fn run(&self, line: &str, stop: &Arc<Stop>) -> Option<Outcome> {
        let (organization, _) = SimulatedOrganization::open(self.0.path().join("organization.json")).unwrap();
        let path = |name| self.0.path().join(name).display().to_string();
        let line = line.replace("RECEIPT", &path("receipt.json")).replace("EARLIER", &path("earlier.json"));
        let cli = Cli::try_parse_from(["ssm-org"].into_iter().chain(line.split(' ')).chain(["--yes"])).unwrap();
        let mut clients = Vec::new();
        for account in [MANAGEMENT, ADMIN, OTHER] {
            clients.push(Decorated::new(organization.client(id(account)).await, Arc::clone(stop)));
        }
        let [management, admin, other] = &clients[..] else { panic!("three clients") };
        let regions = [region("eu-central-1"), region("us-east-1")];
        let context = CommandContext {
            management,
            others: &[admin, other],
            clients: &clients_of(management, &[admin, other], None),
            regions: &regions,
            named_regions: &regions,
            console: Console::Silent,
            signals: &**stop,
        };
        tokio::select! {
            outcome = execute(&cli.command, context) => Some(outcome.unwrap()),
            () = stop.killed.notified() => None,
        }
    }

    /// Undoes the receipt, including its unconfirmed changes.
    async fn undo(&self) {
        let Ok(Some(receipt)) = files::read_receipt(&self.receipt()) else { return };
        let changes: &[ssm_organizations::Change] = Receipt::changes(&receipt);
        let named = (1..).zip(changes).filter(|(_, change)| change.must_be_named());
        let named = named.fold(String::new(), |named, (number, _)| named + &format!(" --include-unconfirmed {number}"));
        let outcome = self.run(&format!("undo RECEIPT{named}"), &Arc::default()).await.unwrap();
        assert!(outcome.errors.is_empty(), "undo{named}: {} {:?}", outcome.lines, outcome.errors);
    }
}

const ONBOARD: &str =
    "onboard --admin 222222222222 --role --sync all --sync-owner administrator --admin-profile 222222222222";
const RECREATE: &str = "onboard --admin 222222222222 --sync all --recreate-sync --sync-owner administrator --admin-profile 222222222222 --receipt RECEIPT";
const REPLACE: &str = "replace --admin 333333333333 --receipt RECEIPT";
const OFFBOARD: &str = "offboard --delete-sync all --delete-role --receipt RECEIPT";
const APPLY: &str = "apply --trusted-access on --admin 222222222222 --role create --sync all --sync-owner \
                     administrator --receipt RECEIPT";
const ONBOARD_WITH_RECEIPT: &str =
    "onboard --admin 222222222222 --role --sync all --admin-profile 222222222222 --receipt EARLIER";
const UNDO: &str = "undo EARLIER --receipt RECEIPT";

/// Commands, each with those before it.
const COMMANDS: &[(&[&str], &str)] = &[
    (
        &[],
        "onboard --admin 222222222222 --role --sync all --sync-owner administrator --admin-profile 222222222222 --receipt RECEIPT",
    ),
    (&[ONBOARD], RECREATE),
    (&[ONBOARD], REPLACE),
    (&[ONBOARD], OFFBOARD),
    (&[], APPLY),
    (&[ONBOARD_WITH_RECEIPT], UNDO),
];

#[tokio::test(start_paused = true)]
async fn command_killed_at_any_call_is_completed_or_undone() {
    for (before, command) in COMMANDS {
        let calm = Files::after(before).await;
        let (begin, count) = (calm.state(), Arc::new(Stop::default()));
        calm.run(command, &count).await.unwrap();
        let goal = calm.state();
        for (at, after_effect) in count.points() {
            for reruns in [true, false] {
                let files = Files::after(before).await;
                let stop = Arc::new(Stop { at, after_effect, ..Stop::default() });
                assert!(files.run(command, &stop).await.is_none(), "{command}, call {at}");
                let wanted = if reruns {
                    let outcome = files.run(command, &Arc::default()).await.unwrap();
                    assert!(outcome.errors.is_empty(), "{command}, call {at}: {:?}", outcome.errors);
                    &goal
                } else {
                    files.undo().await;
                    &begin
                };
                assert_eq!(files.state(), *wanted, "{command}, call {at}, {after_effect}, {reruns}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn command_stopped_by_signal_reports_the_receipt() {
    for (before, command) in COMMANDS {
        let calm = Files::after(before).await;
        let (begin, count) = (calm.state(), Arc::new(Stop { writes_only: true, ..Stop::default() }));
        calm.run(command, &count).await.unwrap();
        let goal = calm.state();
        for (at, after_effect) in count.points() {
            let files = Files::after(before).await;
            let stop = Arc::new(Stop { at, after_effect, writes_only: true, signals: true, ..Stop::default() });
            let outcome = files.run(command, &stop).await.unwrap();
            let errors: String = outcome.errors.iter().map(ToString::to_string).collect();
            assert!(errors.contains("stopped by SIGTERM"), "{command}, write {at}: {errors}");
            assert!(
                outcome.lines.contains("unconfirmed: ") && outcome.lines.contains("not done: "),
                "{}",
                outcome.lines
            );
            let saved: Value = files::parse_json(&fs::read_to_string(files.receipt()).unwrap()).unwrap();
            assert_eq!(outcome.json["receipt"]["changes"], saved["changes"], "{command}, write {at}");
            assert!(saved["changes"].as_array().unwrap().len() >= at.min(1));

            if at % 2 == 0 {
                files.run(command, &Arc::default()).await.unwrap();
                assert_eq!(files.state(), goal, "{command}, write {at}, {after_effect}");
            } else {
                files.undo().await;
                assert_eq!(files.state(), begin, "{command}, write {at}, {after_effect}");
            }
        }
    }
}

/// Hook that removes a directory after the first write.
struct Remove(PathBuf, AtomicUsize);

#[async_trait]
impl CallHook for Remove {
    async fn after(&self, call: &Call<'_>, _: Result<(), &Error>) -> Result<(), Error> {
        if call.operation.is_write() && self.1.fetch_add(1, Ordering::Relaxed) == 0 {
            fs::remove_dir_all(&self.0).unwrap();
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn command_with_unwritable_receipt_sends_no_further_write() {
    let directory = TempDir::new().unwrap();
    let moved = directory.path().join("moved");
    fs::create_dir(&moved).unwrap();
    let receipt = moved.join("receipt.json");
    let organization = organization();
    let client = Decorated::new(organization.management_client(), Remove(moved, AtomicUsize::new(0)));
    let line = format!("onboard --admin 222222222222 --role --yes --receipt {}", receipt.display());
    let outcome = run_as(&client, &organization, &line).await;
    outcome.fails_with(&outcome.out, &["the change could not be recorded", "it would hold:"]);
    assert_eq!(organization.write_count(), 1);
    assert!(outcome.out.contains("done: trusted access"), "{}", outcome.out);
}
