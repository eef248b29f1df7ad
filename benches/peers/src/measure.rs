//! Runs programs and measures their cost.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fmt};

use anyhow::{Context as _, ensure};
use wait4::Wait4;

use crate::server::ENVIRONMENT;

/// Cost of one run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// CPU time of the program and its child processes, in user and kernel mode.
    pub(crate) cpu: Duration,
}

/// Runs a program and returns its cost.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<Cost> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("could not start {}", program(command)))?;
    let mut complaint = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut complaint)?;
    }
    let end = child.wait4()?;
    let cost = Cost { wall: start.elapsed(), cpu: end.rusage.utime + end.rusage.stime };
    ensure!(end.status.success(), "{} failed: {complaint}", program(command));
    Ok(cost)
}

/// Returns the number of instructions of a run, counted by valgrind, and the output of the program.
pub(crate) fn instructions(command: &Command) -> anyhow::Result<(u64, String)> {
    let mut counted = Command::new("valgrind");
    counted.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).stdin(Stdio::null());
    counted.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => counted.env(name, value),
            None => counted.env_remove(name),
        };
    }
    let output = counted.output().context("could not start valgrind, whose callgrind counts the instructions")?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} failed under valgrind: {told}", program(command));
    // The line looks like `==123== Collected : 4567`.
    let collected =
        told.lines().find_map(|line| line.split_once("Collected :")).context("valgrind printed no count")?.1;
    Ok((collected.trim().parse()?, String::from_utf8(output.stdout)?))
}

/// Returns the command of a program in the folder of this program, with this AWS endpoint.
pub(crate) fn beside(name: &str, endpoint: &str) -> anyhow::Result<Command> {
    let here = env::current_exe()?;
    Ok(at(here.with_file_name(name), endpoint))
}

/// Returns the command of a program with this AWS endpoint and without the user's AWS settings.
pub(crate) fn at(program: impl Into<PathBuf>, endpoint: &str) -> Command {
    let mut command = Command::new(program.into());
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.envs(ENVIRONMENT).env("AWS_ENDPOINT_URL", endpoint);
    // The user's configuration files do not apply either.
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// Returns the median. For an even number of values it is the lower of the two middle values.
pub(crate) fn median<T: Ord + Copy + fmt::Debug>(values: impl IntoIterator<Item = T>) -> T {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_unstable();
    values[(values.len() - 1) / 2]
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[allow(clippy::cast_precision_loss, reason = "a few digits are shown")]
pub(crate) fn as_float(count: u64) -> f64 {
    count as f64
}
