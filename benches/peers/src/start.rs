//! What a program costs from its start until the first answers are there, stage by stage.

use std::process::Command;
use std::time::Duration;

use anyhow::ensure;
use peers::canned::Server;

use crate::measure::{self, Cost, median, milliseconds};
use crate::table;

/// Each stage, and the one that it goes on from.
const STAGES: [(&str, &str, &str); 9] = [
    ("nothing", "", "a process with a runtime"),
    ("config", "nothing", "aws_config::load_defaults"),
    ("sdk-client", "config", "one client of the SDK"),
    ("sdk-call", "sdk-client", "its first call"),
    ("sdk-clients", "config", "the SDK's four clients"),
    ("client", "config", "AwsClient::new"),
    ("call", "client", "its first call"),
    ("second-call", "call", "its second call"),
    ("four-services", "call", "a call of each other service"),
];

struct Measured {
    stage: &'static str,
    instructions: u64,
    connections: usize,
    runs: Vec<Cost>,
}

pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    ensure!(rounds > 0, "no rounds, no figures");
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
            // The first does not count.
            if round > 0 {
                one.runs.push(cost);
            }
        }
    }
    println!("from a program's start, at a server of this machine that answers at once; medians of {rounds} rounds");
    let figures = |of: &str| measured.iter().find(|one| one.stage == of).map(Measured::figures).unwrap_or_default();
    let row = |(stage, from, name): &(&str, &str, &str)| {
        let (all, before) = (figures(stage), figures(from));
        let mut row = vec![(*name).to_owned()];
        for (all, before) in all.into_iter().zip(before) {
            row.extend([format!("{all:.2}"), format!("{:.2}", all - before)]);
        }
        let connections = measured.iter().find(|one| one.stage == *stage).map_or(0, |one| one.connections);
        row.push(connections.to_string());
        row
    };
    let head = ["", "instructions, millions", "added", "wall ms", "added", "CPU ms", "added", "connections"];
    table::print(&head, &STAGES.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

impl Measured {
    fn figures(&self) -> [f64; 3] {
        let of = |figure: fn(&Cost) -> Duration| milliseconds(median(self.runs.iter().map(figure)));
        #[allow(clippy::cast_precision_loss, reason = "a few digits are shown")]
        let instructions = self.instructions as f64 / 1e6;
        [instructions, of(|cost| cost.wall), of(|cost| cost.cpu)]
    }
}
