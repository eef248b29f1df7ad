//! Runs programs, and says what they took.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fmt};

use anyhow::{Context as _, ensure};
use wait4::Wait4;

use crate::server::ENVIRONMENT;

/// What one run took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// Of the program and all that it started, in user and kernel mode.
    pub(crate) cpu: Duration,
}

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<Cost> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("{} does not start", program(command)))?;
    let mut complaint = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut complaint)?;
    }
    let end = child.wait4()?;
    let cost = Cost { wall: start.elapsed(), cpu: end.rusage.utime + end.rusage.stime };
    ensure!(end.status.success(), "{} fails: {complaint}", program(command));
    Ok(cost)
}

/// The instructions of a run, as valgrind counts them, and what the program printed.
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
    let output = counted.output().context("valgrind does not start: this takes its callgrind")?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} fails under valgrind: {told}", program(command));
    // `==123== DefinedSync : 4567`
    let collected = told.lines().find_map(|line| line.split_once("Collected :")).context("valgrind counts nothing")?.1;
    Ok((collected.trim().parse()?, String::from_utf8(output.stdout)?))
}

/// A program that was built beside this one, which asks AWS at this endpoint.
pub(crate) fn beside(name: &str, endpoint: &str) -> anyhow::Result<Command> {
    let here = env::current_exe()?;
    Ok(at(here.with_file_name(name), endpoint))
}

/// A program that asks AWS at this endpoint, whatever AWS environment there is here.
pub(crate) fn at(program: impl Into<PathBuf>, endpoint: &str) -> Command {
    let mut command = Command::new(program.into());
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.envs(ENVIRONMENT).env("AWS_ENDPOINT_URL", endpoint);
    // Nor any files of the user's.
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// The middle one; the lower of two.
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
