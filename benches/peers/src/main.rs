//! Compares the cost of this crate with other ways to do the same job.
//!
//! Usage: `cargo run --release -p peers -- COMMAND`. The commands are:
//!
//! - `peers [ROUNDS]`: compares the AWS CLI, boto3, the AWS SDK for Rust and `ssm-org`, first on a
//!   moto server and then on `ssm-org serve`, which responds faster. `MOTO_SERVER`, `MOTO_PYTHON`
//!   and `AWS_CLI` name programs that are not in the path.
//! - `calls [ROUNDS]`: measures one call through the traits and through AWS's protocols, on a
//!   simulated organization.
//! - `overhead`: counts the instructions of each layer above the SDK, with canned responses. Needs
//!   valgrind.
//! - `start [ROUNDS]`: measures the cost of a program until the response to its first call. Needs
//!   valgrind.
//!
//! The times depend on the machine, so compare only the rows of one table.
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
        bail!("build with --release, because a debug build has other costs");
    }
    let mut arguments = env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rounds =
        arguments.next().map(|rounds| rounds.parse::<usize>()).transpose().context("ROUNDS is not a number")?;
    match command.as_str() {
        "peers" => contest::run(rounds.unwrap_or(7)),
        "calls" => calls::run(rounds.unwrap_or(21)),
        "overhead" => overhead::run(),
        "start" => start::run(rounds.unwrap_or(21)),
        _ => bail!("unknown command: expected peers, calls, overhead or start"),
    }
}
