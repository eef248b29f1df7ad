//! The built program behind a proxy that damages, holds or refuses one write, at `ssm-org serve`
//! and at a live moto server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on panics")]

#[cfg(test)]
#[path = "../../../tests/aws/moto/server.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod moto;
#[cfg(test)]
#[path = "faults/proxy.rs"]
mod proxy;
#[cfg(test)]
#[path = "simulated/server.rs"]
mod server;
#[cfg(test)]
#[path = "faults/world.rs"]
mod world;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::SocketAddr;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::process::{Command, Stdio};
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use serde_json::Value;
    use ssm_organizations::plan::Receipt;
    use ssm_organizations::{Certainty, Change, ChangeKind};

    use super::proxy::{Fault, Proxy};
    use super::server::Server;
    use super::world::{SharedMoto, World};

    /// Command, with the commands before it. `ADMIN` and `OTHER` are the members.
    struct Job {
        before: &'static [&'static str],
        command: &'static str,
    }

    /// Jobs at one kind of server.
    struct Jobs {
        all: &'static [Job],
        undo: &'static str,
    }

    const ONBOARD: &str = "onboard --admin ADMIN --role --sync all --sync-owner administrator --admin-profile ADMIN --yes --receipt first.json";
    const PLAN: &str = "plan --trusted-access on --admin ADMIN --role --sync all --sync-owner administrator \
                        --admin-profile ADMIN --out plan.json";

    const AT_SERVE: Jobs = Jobs {
        all: &[
            Job {
                before: &[],
                command: "onboard --admin ADMIN --role --sync all --sync-owner administrator --admin-profile ADMIN",
            },
            Job { before: &[PLAN], command: "apply plan.json --admin-profile ADMIN" },
            Job { before: &[ONBOARD], command: "undo first.json --admin-profile ADMIN" },
            Job {
                before: &[ONBOARD],
                command: "replace --admin OTHER --admin-profile ADMIN --new-admin-profile OTHER",
            },
            Job { before: &[ONBOARD], command: "offboard --admin-profile ADMIN --delete-sync all --delete-role" },
        ],
        undo: "undo receipt.json --admin-profile ADMIN --admin-profile OTHER",
    };

    /// The server has no data syncs, so they cannot be checked.
    const AT_MOTO: Jobs = Jobs {
        all: &[
            Job { before: &[], command: "onboard --admin ADMIN" },
            Job { before: &["plan --trusted-access on --admin ADMIN --out plan.json"], command: "apply plan.json" },
            Job {
                before: &["onboard --admin ADMIN --yes --receipt first.json"],
                command: "undo first.json --allow-sync-loss",
            },
            Job { before: &["onboard --admin ADMIN --yes"], command: "offboard --allow-sync-loss" },
        ],
        undo: "undo receipt.json --allow-sync-loss",
        // The cases share one server.
    };

    /// Cases at the same time: a program mostly waits, for the server or for an effect.
    const WORKERS: usize = 8;

    /// Largest number of writes in progress at the same time: in two Regions, and of the role
    /// beside trusted access.
    const CONCURRENT: usize = 2;

    /// Interruption of the command at one write.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Ending {
        Fault(Fault),
        /// The signal reaches the program while the proxy holds the write.
        Signal(&'static str, Fault),
    }

    /// Command after the interrupted one.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Then {
        Rerun,
        Undo,
    }

    /// Output of a run. A killed run has no status.
    #[derive(Debug)]
    struct Run {
        status: Option<i32>,
        out: Value,
        #[allow(dead_code, reason = "messages of failed assertions show it")]
        err: String,
    }

    /// Starts the program behind the address, and calls `meanwhile` with its process id.
    fn run(world: &dyn World, address: SocketAddr, line: &str, meanwhile: impl FnOnce(u32)) -> Run {
        let [admin, other] = world.members();
        let line = line.replace("ADMIN", admin).replace("OTHER", other);
        let process = Command::new(env!("CARGO_BIN_EXE_ssm-org"))
            .env_clear()
            .envs(world.environment())
            .args(["--json", "--endpoint-url", &format!("http://{address}")])
            .args(["--region", "us-east-1,eu-central-1", "--wait-timeout", "3"])
            .args(line.split_whitespace())
            .current_dir(world.directory())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        meanwhile(process.id());
        let output = process.wait_with_output().unwrap();
        let out = serde_json::from_slice(&output.stdout).unwrap_or_default();
        Run { status: output.status.code(), out, err: String::from_utf8(output.stderr).unwrap() }
    }

    /// Runs a command that succeeds.
    #[track_caller]
    fn succeed(world: &dyn World, line: &str) -> Run {
        let run = run(world, world.address(), line, |_| {});
        assert_eq!(run.status, Some(0), "{line}: {run:#?}");
        run
    }

    fn receipt(world: &dyn World) -> Receipt {
        serde_json::from_str(&fs::read_to_string(world.directory().join("receipt.json")).unwrap()).unwrap()
    }

    /// Undoes the receipt, including its unconfirmed changes.
    #[track_caller]
    fn undo(world: &dyn World, line: &str) {
        let receipt = receipt(world);
        let changes: &[Change] = receipt.changes();
        let named = (1..).zip(changes).filter(|(_, change)| change.must_be_named());
        let named = named.fold(String::new(), |named, (number, _)| named + &format!(" --include-unconfirmed {number}"));
        succeed(world, &format!("{line} --yes{named}"));
    }

    /// State and writes of a job without interruption.
    struct Calm {
        command: String,
        begin: Value,
        goal: Value,
        writes: Vec<String>,
    }

    /// Returns the operation of a change, as it is on the wire.
    fn operation(change: &Change) -> &'static str {
        match change.kind {
            ChangeKind::TrustedAccessEnabled { .. } => "EnableAWSServiceAccess",
            ChangeKind::TrustedAccessDisabled { .. } => "DisableAWSServiceAccess",
            ChangeKind::AdministratorRegistered { .. } => "RegisterDelegatedAdministrator",
            ChangeKind::AdministratorDeregistered { .. } => "DeregisterDelegatedAdministrator",
            ChangeKind::DataSyncCreated { .. } => "CreateResourceDataSync",
            ChangeKind::DataSyncDeleted { .. } => "DeleteResourceDataSync",
            ChangeKind::RoleCreated { .. } => "CreateServiceLinkedRole",
            ChangeKind::RoleDeleted { .. } => "DeleteServiceLinkedRole",
            _ => "another operation",
        }
    }

    fn operations(receipt: &Receipt) -> Vec<String> {
        receipt.changes().iter().map(|change| operation(change).to_owned()).collect()
    }

    /// Returns whether the operations are among others, each at most as often.
    fn contains(all: &[String], some: &[String]) -> bool {
        let count = |of: &[String], name: &str| of.iter().filter(|one| *one == name).count();
        some.iter().all(|name| count(some, name) <= count(all, name))
    }

    /// Returns the state without the ids of the members, which differ between organizations.
    fn state(world: &dyn World) -> Value {
        let [admin, other] = world.members();
        let text = world.state().to_string().replace(admin, "ADMIN").replace(other, "OTHER");
        serde_json::from_str(&text).unwrap()
    }

    impl Calm {
        fn of(job: &Job, world: &dyn World) -> Self {
            let command = format!("{} --yes --receipt receipt.json", job.command);
            let begin = state(world);
            let proxy = Proxy::before(world.address(), None);
            let run = run(world, proxy.address(), &command, |_| {});
            assert_eq!(run.status, Some(0), "{command}: {run:#?}");
            let (goal, writes) = (state(world), proxy.writes());
            assert!(goal != begin && !writes.is_empty(), "{command}");
            let recorded = operations(&receipt(world));
            assert!(contains(&writes, &recorded) && contains(&recorded, &writes), "{command}: {recorded:?} {writes:?}");
            Self { command, begin, goal, writes }
        }

        /// Runs the job with an interruption at a write.
        fn check(&self, world: &dyn World, at: usize, ending: Ending, then: Then, undo_line: &str) {
            let (Ending::Fault(fault) | Ending::Signal(_, fault)) = ending;
            let proxy = Proxy::before(world.address(), Some((at, fault)));
            let run = run(world, proxy.address(), &self.command, |process| {
                if let Ending::Signal(signal, _) = ending {
                    proxy.wait_until_held();
                    assert!(Command::new("kill").args([signal, &process.to_string()]).status().unwrap().success());
                }
            });

            // No write is sent again, except a refused one.
            let writes = proxy.writes();
            assert!(writes.len() >= at && contains(&self.writes, &writes), "{writes:?}: {run:#?}");
            // The receipt holds each write, and the doubtful one as unconfirmed.
            let saved = receipt(world);
            let recorded = operations(&saved);
            // A write is recorded before it is sent, so a signal may come between.
            let unsent = if matches!(ending, Ending::Signal(..)) { CONCURRENT - 1 } else { 0 };
            assert!((writes.len()..=writes.len() + unsent).contains(&recorded.len()), "{writes:?}: {run:#?}");
            assert!(contains(&self.writes, &recorded) && contains(&recorded, &writes), "{writes:?}: {run:#?}");
            let doubtful: Vec<_> =
                saved.changes().iter().filter(|change| change.certainty == Certainty::Unconfirmed).collect();
            let expected = match (fault, ending) {
                (Fault::Throttled, _) => 0..=0,
                // The response of an operation without output is not read.
                (Fault::HtmlAfter, _) => 0..=1,
                // Other writes may be in progress.
                (_, Ending::Signal(..)) => 1..=CONCURRENT,
                _ => 1..=1,
            };
            assert!(expected.contains(&doubtful.len()), "{run:#?}");
            let is_faulty = |change: &&Change| operation(change) == writes[at - 1];
            assert!(doubtful.is_empty() || doubtful.into_iter().any(|change| is_faulty(&change)), "{run:#?}");

            let now = state(world);
            let succeeds = matches!(ending, Ending::Fault(fault) if !fault.prevents_effect());
            if ending == Ending::Signal("-KILL", fault) {
                assert_eq!(run.status, None, "{run:#?}");
            } else {
                assert_eq!(run.status, Some(i32::from(!succeeds)), "{run:#?}");
                assert_eq!(run.out["receipt"]["changes"], serde_json::to_value(saved.changes()).unwrap(), "{run:#?}");
                assert_is_reported(&run, world);
                if matches!(ending, Ending::Signal(..)) {
                    assert_eq!(run.out["error"]["kind"], "interrupted", "{run:#?}");
                }
            }
            if succeeds {
                assert_eq!(now, self.goal, "{run:#?}");
                assert!(run.out["now"].is_object(), "{run:#?}");
            } else if fault.prevents_effect() {
                assert_ne!(now, self.goal, "{run:#?}");
            }

            if then == Then::Rerun {
                let proxy = Proxy::before(world.address(), None);
                let rerun = self::run(world, proxy.address(), &self.command, |_| {});
                assert_eq!(rerun.status, Some(0), "rerun: {rerun:#?} after {run:#?}");
                assert_is_reported(&rerun, world);
                assert_eq!(state(world), self.goal, "rerun: {rerun:#?} after {run:#?}");
                assert!(!succeeds || proxy.writes().is_empty(), "rerun: {rerun:#?}");
            }
            undo(world, undo_line);
            assert_eq!(state(world), self.begin, "after {run:#?}");
        }
    }

    /// Asserts that the reported state, if there is one, is the state of the server.
    #[track_caller]
    fn assert_is_reported(run: &Run, world: &dyn World) {
        let (now, state) = (&run.out["now"], world.state());
        if !now.is_null() {
            let trusted = state["trusted"].as_array().unwrap().iter().any(|name| name == "ssm.amazonaws.com");
            assert_eq!(now["trusted_access"], trusted, "{run:#?}");
            assert_eq!(now["administrators"], state["administrators"], "{run:#?}");
        }
    }

    /// Checks each interruption at each write of each job, several at the same time.
    fn check_all<'w>(jobs: &Jobs, open: impl Fn() -> Box<dyn World + Sync + 'w> + Sync) {
        let prepared = |job: &Job| {
            let world = open();
            for command in job.before {
                succeed(&*world, command);
            }
            world
        };
        let mut calm = Vec::new();
        for job in jobs.all {
            calm.push((job, Calm::of(job, &*prepared(job)), prepared(job)));
        }
        let mut cases = Vec::new();
        for (ending, then) in endings() {
            for (job, calm, template) in &calm {
                cases.extend((1..=calm.writes.len()).map(|at| (*job, calm, template, at, ending, then)));
            }
        }
        let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    while let Some((job, calm, template, at, ending, then)) =
                        cases.get(next.fetch_add(1, Ordering::Relaxed))
                    {
                        let case = || {
                            let world = template.copy().unwrap_or_else(|| prepared(job));
                            calm.check(&*world, *at, *ending, *then, jobs.undo);
                        };
                        if catch_unwind(AssertUnwindSafe(case)).is_err() {
                            let case = format!("{}, write {at}, {ending:?}, {then:?}", calm.command);
                            failures.lock().unwrap().push(case);
                        }
                    }
                });
            }
        });
        let failures = failures.into_inner().unwrap();
        assert!(failures.is_empty(), "{} of {} cases: {failures:#?}", failures.len(), cases.len());
    }

    /// Returns each interruption, with what follows it. An undo follows in any case.
    fn endings() -> Vec<(Ending, Then)> {
        // The slow cases come first.
        let mut endings = vec![(Ending::Fault(Fault::RequestLost), Then::Undo)];
        endings.extend(Fault::ALL.map(|fault| (Ending::Fault(fault), Then::Rerun)));
        endings.extend([
            (Ending::Signal("-KILL", Fault::HeldBefore), Then::Rerun),
            (Ending::Signal("-KILL", Fault::HeldBefore), Then::Undo),
            (Ending::Signal("-KILL", Fault::HeldAfter), Then::Rerun),
            (Ending::Signal("-KILL", Fault::HeldAfter), Then::Undo),
            (Ending::Signal("-TERM", Fault::HeldBefore), Then::Rerun),
            (Ending::Signal("-TERM", Fault::HeldAfter), Then::Undo),
            (Ending::Signal("-INT", Fault::HeldBefore), Then::Undo),
            (Ending::Signal("-INT", Fault::HeldAfter), Then::Rerun),
        ]);
        endings
    }

    #[test]
    #[ignore = "takes minutes: see .ci/run"]
    fn command_interrupted_at_any_write_at_serve_recovers() {
        check_all(&AT_SERVE, || Box::new(Server::start(&[])));
    }

    #[test]
    #[ignore = "needs a moto_server: see .ci/run"]
    fn command_interrupted_at_any_write_at_moto_recovers() {
        let moto = SharedMoto::start();
        check_all(&AT_MOTO, || Box::new(moto.organization()));
    }
}
