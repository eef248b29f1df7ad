//! `ssm-org`: puts AWS Systems Manager into an AWS Organizations organization, and takes it out again.

mod advice;
mod cli;
mod commands;
mod connect;
mod console;
mod files;
mod report;
mod simulate;
mod trace;

use std::env;
use std::process::ExitCode;

use clap::Parser;
use serde_json::{Value, json};

use cli::Cli;
use console::{Console, complain, print};
use report::{Outcome, error_objects};

/// Something is to do: the exit status of `plan --detailed-exitcode`.
const CHANGES: u8 = 2;
/// The exit status of bad usage, where 2 means something else.
const ERROR: u8 = 1;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => return misused(&usage),
    };
    if cli.verbose {
        trace::listen();
    }
    let console = if cli.json { Console::Json } else { Console::Text };
    let outcome = match commands::run(&cli, console).await {
        Ok(outcome) => outcome,
        Err(usage) => return misused(&usage),
    };
    let detailed = cli.command.has_detailed_exit_status();
    let printed = if cli.json { tell_program(&cli, &outcome) } else { tell_people(&cli, &outcome) };
    if !printed || !outcome.complaints.is_empty() {
        ExitCode::FAILURE
    } else if detailed && outcome.has_steps {
        ExitCode::from(CHANGES)
    } else {
        ExitCode::SUCCESS
    }
}

/// Help and bad usage. No call was made, so what the command line says is all there is.
fn misused(usage: &clap::Error) -> ExitCode {
    let has = |option: &str| env::args_os().any(|argument| argument == option);
    if usage.use_stderr() && has("--json") {
        let text = usage.to_string();
        let message = text.trim_start_matches("error: ").split("\n\n").next().unwrap_or_default().trim();
        print_json(&json!({ "error": { "kind": "usage", "message": message } }));
    } else {
        // Where it cannot be printed, the exit status has to do.
        let _ = usage.print();
    }
    match usage.exit_code() {
        0 => ExitCode::SUCCESS,
        _ if has("--detailed-exitcode") => ExitCode::from(ERROR),
        code => ExitCode::from(u8::try_from(code).unwrap_or(ERROR)),
    }
}

/// Whether it could be printed.
fn tell_people(cli: &Cli, outcome: &Outcome) -> bool {
    let printed = print(&outcome.lines);
    for warning in &outcome.warnings {
        complain(format_args!("{warning}\n"));
    }
    let mut helps: Vec<String> = Vec::new();
    for complaint in &outcome.complaints {
        complain(complaint.lines());
        helps.extend(advice::on(complaint, &cli.command));
    }
    helps.sort();
    helps.dedup();
    for help in helps {
        complain(format_args!("help: {help}\n"));
    }
    if let Err(error) = &printed {
        complain(format_args!("error: standard output: {error}\n"));
    }
    printed.is_ok()
}

fn tell_program(cli: &Cli, outcome: &Outcome) -> bool {
    let mut object = outcome.json.clone();
    let complaints = outcome.complaints.iter();
    let mut errors = complaints.flat_map(|complaint| error_objects(complaint, &advice::on(complaint, &cli.command)));
    if let Some(first) = errors.next() {
        object.insert("error".to_owned(), first);
    }
    let further: Vec<Value> = errors.collect();
    if !further.is_empty() {
        object.insert("further_errors".to_owned(), further.into());
    }
    print_json(&object.into())
}

fn print_json(value: &Value) -> bool {
    let printed = print(&format!("{value:#}\n"));
    if let Err(error) = &printed {
        complain(format_args!("error: standard output: {error}\n"));
    }
    printed.is_ok()
}
