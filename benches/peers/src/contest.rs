//! Compares programs that do the same job in different ways on one server.
//!
//! A recorder in front of the server counts the requests and measures the server's time for each
//! one. The time of the recorder itself counts as the server's. The rest of the wall time is the
//! program's own: its start, its work, and the work of the kernel for it.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::json;

use crate::measure::{self, Cost, median, milliseconds};
use crate::server::Moto;
use crate::table;

/// Number of times that a process repeats the job for the second table. The time of a process that
/// does it once is subtracted.
const AGAIN: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    Cli,
    Boto3,
    Plain,
    Typed,
    SsmOrg,
}

impl Peer {
    const ALL: [Self; 5] = [Self::Cli, Self::Boto3, Self::Plain, Self::Typed, Self::SsmOrg];
    /// Programs that can do the job more than once in a process.
    const LASTING: [Self; 3] = [Self::Boto3, Self::Plain, Self::Typed];

    fn name(self) -> &'static str {
        match self {
            Self::Cli => "AWS CLI",
            Self::Boto3 => "boto3",
            Self::Plain => "AWS SDK for Rust, plain",
            Self::Typed => "this crate, typed handles",
            Self::SsmOrg => "ssm-org",
        }
    }
}

/// Cost of a job.
#[derive(Debug, Clone, Default)]
struct JobCost {
    cost: Cost,
    /// Time during which the server worked on a response.
    server: Duration,
    calls: Vec<String>,
}

struct Arena {
    moto: Moto,
    account: String,
}

pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    ensure!(rounds > 0, "ROUNDS must be at least 1");
    build()?;
    let moto = Moto::start();
    let account = moto.organization(2).members.remove(0);
    println!("at moto");
    at(&Arena { moto, account }, rounds)?;

    let directory = tempfile::TempDir::new()?;
    println!("\nat ssm-org serve");
    at(&Arena { moto: simulated(directory.path())?, account: "222222222222".to_owned() }, rounds)
}

/// Starts `ssm-org serve` with a new organization in this directory.
fn simulated(directory: &Path) -> anyhow::Result<Moto> {
    let mut command = measure::beside("ssm-org", "http://127.0.0.1:1")?;
    command.args(["serve", "--json", "--simulate"]).arg(directory.join("organization.json"));
    let mut server = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut line = String::new();
    BufReader::new(server.stdout.take().context("the server has no stdout")?).read_line(&mut line)?;
    let started: serde_json::Value = serde_json::from_str(&line)?;
    let port = started["port"].as_u64().and_then(|port| u16::try_from(port).ok()).context("a port")?;
    Ok(Moto::other(server, (Ipv4Addr::LOCALHOST, port).into(), "AKIASIMU111111111111"))
}

fn at(arena: &Arena, rounds: usize) -> anyhow::Result<()> {
    println!("onboard and offboard, in one process each; medians of {rounds} rounds");
    let jobs = interleaved(rounds, &Peer::ALL, |peer| arena.there_and_back(peer))?;
    tell(&jobs, Peer::SsmOrg);
    tell_server(&jobs);

    println!("\none more onboard and offboard in a running process; medians of {rounds} rounds");
    let jobs = interleaved(rounds, &Peer::LASTING, |peer| arena.once_more(peer))?;
    tell(&jobs, Peer::Typed);
    Ok(())
}

/// Builds all programs with one command, so the SDK has the same features in each.
fn build() -> anyhow::Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status =
        Command::new(cargo).args(["build", "--quiet", "--release", "-p", "ssm-org", "-p", "peers"]).status()?;
    ensure!(status.success(), "the programs could not be built");
    Ok(())
}

/// Returns the cost of each program in each round, after one round that is not counted. A
/// different program starts each round.
fn interleaved(
    rounds: usize,
    peers: &[Peer],
    mut job: impl FnMut(Peer) -> anyhow::Result<JobCost>,
) -> anyhow::Result<Vec<(Peer, Vec<JobCost>)>> {
    let mut taken: Vec<_> = peers.iter().map(|peer| (*peer, Vec::new())).collect();
    for round in 0..=rounds {
        for turn in 0..peers.len() {
            let (peer, runs) = &mut taken[(round + turn) % peers.len()];
            let run = job(*peer)?;
            if round > 0 {
                runs.push(run);
            }
        }
    }
    Ok(taken)
}

impl Arena {
    fn command(&self, peer: Peer, steps: &[&str]) -> anyhow::Result<Command> {
        let endpoint = self.moto.endpoint();
        let variable = |name, otherwise: &str| env::var_os(name).unwrap_or_else(|| otherwise.into());
        let jobs = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs");
        let mut command = match peer {
            Peer::Cli => {
                let mut shell = measure::at("sh", &endpoint);
                shell.arg(jobs.join("job.sh")).env("AWS_CLI", variable("AWS_CLI", "aws"));
                shell
            }
            Peer::Boto3 => {
                let mut python = measure::at(variable("MOTO_PYTHON", "python3"), &endpoint);
                python.arg(jobs.join("job.py"));
                python
            }
            Peer::Plain => measure::beside("plain", &endpoint)?,
            Peer::Typed => measure::beside("typed", &endpoint)?,
            Peer::SsmOrg => {
                let mut command = measure::beside("ssm-org", &endpoint)?;
                // moto cannot list data syncs, so the command skips the check of the syncs.
                match steps {
                    ["onboard"] => command.args(["onboard", "--admin", &self.account]),
                    _ => command.args(["offboard", "--allow-sync-loss", "--yes"]),
                };
                command.env("AWS_ACCESS_KEY_ID", self.moto.key());
                return Ok(command);
            }
        };
        command.env("AWS_ACCESS_KEY_ID", self.moto.key());
        command.arg(&self.account).args(steps);
        Ok(command)
    }

    fn run(&self, peer: Peer, steps: &[&str]) -> anyhow::Result<JobCost> {
        let cost = measure::run(&mut self.command(peer, steps)?)?;
        Ok(JobCost { cost, server: self.moto.busy(), calls: self.moto.calls() })
    }

    /// Runs one process to onboard and one to offboard. boto3 checks the state after each.
    fn there_and_back(&self, peer: Peer) -> anyhow::Result<JobCost> {
        let there = self.run(peer, &["onboard"])?;
        let found = self.moto.state();
        let wanted = json!({ "trusted": ["ssm.amazonaws.com"], "administrators": [self.account] });
        ensure!(found == wanted, "unexpected state after {}: {found}", peer.name());
        let back = self.run(peer, &["offboard"])?;
        let found = self.moto.state();
        ensure!(
            found == json!({ "trusted": [], "administrators": [] }),
            "unexpected state after {}: {found}",
            peer.name()
        );
        Ok(JobCost {
            cost: Cost { wall: there.cost.wall + back.cost.wall, cpu: there.cost.cpu + back.cost.cpu },
            server: there.server + back.server,
            calls: [there.calls, back.calls].concat(),
        })
    }

    /// Returns the cost of one repetition: the cost of a process that does the job [`AGAIN`] times,
    /// minus that of a process that does it once, divided by the repetitions.
    fn once_more(&self, peer: Peer) -> anyhow::Result<JobCost> {
        let times = |times| self.run(peer, &["onboard", "offboard"].repeat(times));
        let (once, often) = (times(1)?, times(AGAIN)?);
        let each = |once: Duration, often: Duration| often.saturating_sub(once) / u32::try_from(AGAIN - 1).unwrap_or(1);
        Ok(JobCost {
            cost: Cost { wall: each(once.cost.wall, often.cost.wall), cpu: each(once.cost.cpu, often.cost.cpu) },
            server: each(once.server, often.server),
            calls: once.calls,
        })
    }
}

/// Prints the server's share of the wall time.
fn tell_server(jobs: &[(Peer, Vec<JobCost>)]) {
    println!();
    for (peer, runs) in jobs {
        let share = median(runs.iter().map(|taken| taken.server.as_nanos() * 100 / taken.cost.wall.as_nanos().max(1)));
        let each = median(runs.iter().map(|taken| taken.server / u32::try_from(taken.calls.len()).unwrap_or(1).max(1)));
        println!("{}: server {share} % of the time, {:.1} ms per request", peer.name(), milliseconds(each));
    }
}

fn tell(jobs: &[(Peer, Vec<JobCost>)], ours: Peer) {
    let figures = |runs: &[JobCost]| {
        let of = |figure: fn(&JobCost) -> Duration| median(runs.iter().map(figure));
        // The own time is the median of differences, not a difference of medians.
        [
            of(|taken| taken.cost.wall),
            of(|taken| taken.server),
            of(|taken| taken.cost.wall.saturating_sub(taken.server)),
            of(|taken| taken.cost.cpu),
        ]
    };
    let ours = jobs.iter().find(|(peer, _)| *peer == ours).map(|(_, runs)| figures(runs)).unwrap_or_default();
    let row = |(peer, runs): &(Peer, Vec<JobCost>)| {
        let mut row = vec![peer.name().to_owned()];
        for (theirs, ours) in figures(runs).into_iter().zip(ours) {
            row.push(format!("{:.1}", milliseconds(theirs)));
            row.push(format!("{:.2}", theirs.as_secs_f64() / ours.as_secs_f64()));
        }
        row.push(median(runs.iter().map(|taken| taken.calls.len())).to_string());
        row
    };
    let head = ["", "wall ms", "ratio", "server ms", "ratio", "own ms", "ratio", "CPU ms", "ratio", "requests"];
    table::print(&head, &jobs.iter().map(row).collect::<Vec<_>>());
}
