//! Cost of a program from its start to the first responses, by stage.

use std::process::Command;
use std::time::Duration;

use anyhow::ensure;
use peers::canned::Server;

use crate::measure::{self, Cost, as_float, median, milliseconds};
use crate::table;

/// Name of each stage, the stage before it, and its title.
const STAGES: [(&str, &str, &str); 12] = [
    ("nothing", "", "a process with a runtime"),
    ("config", "nothing", "aws_config::load_defaults"),
    ("sdk-client", "config", "one client of the SDK"),
    ("sdk-call", "sdk-client", "its first call"),
    ("sdk-clients", "config", "the SDK's four clients"),
    ("client", "config", "AwsClient::new"),
    ("call", "client", "its first call"),
    ("second-call", "call", "its second call"),
    ("four-services", "call", "a call of each other service"),
    ("shared-config", "nothing", "aws_config, with default_http_client"),
    ("shared-client", "shared-config", "AwsClient::new"),
    ("shared-call", "shared-client", "its first call"),
];

struct Measured {
    stage: &'static str,
    instructions: u64,
    connections: usize,
    runs: Vec<Cost>,
}

pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    ensure!(rounds > 0, "ROUNDS must be at least 1");
    let server = Server::start()?;
    let command = |stage: &str| -> anyhow::Result<Command> {
        let mut command = measure::beside("start", &format!("http://{}", server.address))?;
        command.arg(stage);
        Ok(command)
    };
    let mut measured = Vec::new();
    for (stage, ..) in STAGES {
        let (instructions, _) = measure::instructions(&command(stage)?)?;
        measured.push(Measured { stage, instructions, connections: server.connections(), runs: Vec::new() });
    }
    for round in 0..=rounds {
        for turn in 0..STAGES.len() {
            let one = &mut measured[(round + turn) % STAGES.len()];
            let cost = measure::run(&mut command(one.stage)?)?;
            // The first round warms up and is not counted.
            if round > 0 {
                one.runs.push(cost);
            }
        }
    }
    println!("from the start of a program, on a local server without delay; medians of {rounds} rounds");
    let of = |stage: &str| measured.iter().find(|one| one.stage == stage);
    let row = |(stage, from, name): &(&str, &str, &str)| {
        let Some(one) = of(stage) else { unreachable!("each stage was measured") };
        let before = of(from).map_or(0, |before| before.instructions);
        vec![
            (*name).to_owned(),
            millions(one.instructions - before),
            millions(one.instructions),
            one.median(|cost| cost.cpu),
            one.median(|cost| cost.wall),
            one.connections.to_string(),
        ]
    };
    let head = ["", "instructions, millions", "cumulative", "CPU ms", "wall ms", "connections"];
    table::print(&head, &STAGES.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

impl Measured {
    fn median(&self, figure: fn(&Cost) -> Duration) -> String {
        format!("{:.2}", milliseconds(median(self.runs.iter().map(figure))))
    }
}

fn millions(count: u64) -> String {
    format!("{:.2}", as_float(count) / 1e6)
}
