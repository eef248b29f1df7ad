//! Measures this crate beside other ways to do the same. `cargo run --release -p peers -- COMMAND`,
//! where the command is
//!
//! - `peers [ROUNDS]`: the AWS CLI, boto3, the AWS SDK for Rust and `ssm-org` at one moto server,
//!   and at `ssm-org serve`, whose replies take less time. `MOTO_SERVER`, `MOTO_PYTHON` and
//!   `AWS_CLI` name the programs, where they are not in the path.
//! - `calls [ROUNDS]`: one call through the traits and through AWS's protocols, on a simulation.
//! - `overhead`: instructions of the layers over the SDK, on canned answers. It takes valgrind.
//! - `start [ROUNDS]`: what a program costs until its first call is answered. It takes valgrind.
//!
//! Compare rows of a table: the times are this machine's.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a benchmark that cannot go on panics")]

mod calls;
mod contest;
mod measure;
mod overhead;
#[path = "../../../tests/aws/moto/server.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod server;
mod start;
mod table;

use std::env;

use anyhow::{Context as _, bail};

fn main() -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        bail!("this measures what it was built like: build it with --release");
    }
    let mut arguments = env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rounds = arguments.next().map(|rounds| rounds.parse::<usize>()).transpose().context("how many rounds?")?;
    match command.as_str() {
        "peers" => contest::run(rounds.unwrap_or(7)),
        "calls" => calls::run(rounds.unwrap_or(21)),
        "overhead" => overhead::run(),
        "start" => start::run(rounds.unwrap_or(21)),
        _ => bail!("say what to measure: peers, calls, overhead or start"),
    }
}
