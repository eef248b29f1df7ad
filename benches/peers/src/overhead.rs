//! Instructions of each layer above the SDK, with canned responses.

use std::process::Command;

use anyhow::Context as _;

use crate::measure::{self, as_float};
use crate::table;

const WAYS: [(&str, &str); 4] = [
    ("plain", "AWS SDK for Rust, plain"),
    ("sdk", "AWS SDK for Rust, calls of this crate"),
    ("ports", "ports, calls of this crate"),
    ("typed", "this crate, typed handles"),
];
/// Number of jobs in the longer of two runs. The shorter run has half as many.
const JOBS: u64 = 40;

pub(crate) fn run() -> anyhow::Result<()> {
    let mut found = Vec::new();
    for (way, name) in WAYS {
        let (short, calls) = count(way, JOBS / 2)?;
        let (long, all_calls) = count(way, JOBS)?;
        let more = JOBS - JOBS / 2;
        // Both runs include the start of the program, so the difference does not.
        found.push((name, (long - short) / more, (all_calls - calls) / more));
    }
    let plain = found.iter().map(|(_, instructions, _)| *instructions).take(2).collect::<Vec<_>>();
    let [careless, same] = plain.as_slice() else { unreachable!("there are four") };
    let thousands = |instructions: f64| format!("{:.1}", instructions / 1e3);
    let row = |(name, instructions, calls): &(&str, u64, u64)| {
        let (all, calls) = (as_float(*instructions), as_float(*calls));
        vec![
            (*name).to_owned(),
            format!("{calls}"),
            thousands(all),
            thousands(all / calls),
            format!("{:.3}", all / as_float(*same)),
            thousands((all - as_float(*same)) / calls),
            format!("{:.3}", all / as_float(*careless)),
        ]
    };
    println!("onboard and offboard with canned responses, in thousands of instructions (callgrind)");
    let head = ["", "calls", "per job", "per call", "ratio to same calls", "extra per call", "ratio to plain"];
    table::print(&head, &found.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

/// Returns the number of instructions and of calls of this number of jobs.
fn count(way: &str, jobs: u64) -> anyhow::Result<(u64, u64)> {
    let mut command: Command = measure::beside("canned", "http://127.0.0.1:1")?;
    command.args([way, &jobs.to_string()]);
    let (instructions, calls) = measure::instructions(&command)?;
    Ok((instructions, calls.trim().parse().context("the program printed no number of calls")?))
}
