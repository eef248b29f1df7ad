//! `ssm-org`: sets up AWS Systems Manager in an AWS Organizations organization and removes it
//! again.

mod cli;
mod commands;
mod connect;
mod console;
mod files;
mod hints;
mod internal_error;
mod report;
mod serve;
mod signals;
mod simulate;
mod storage;
mod trace;

use std::env;
use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Parser;
use serde_json::{Value, json};

use cli::Cli;
use console::{Console, print, print_error};
use report::{Outcome, error_objects};

/// Exit status of `plan --detailed-exitcode` for a plan with steps.
const CHANGES: u8 = 2;
/// Exit status of bad usage with `--detailed-exitcode`, where 2 is [`CHANGES`].
const ERROR: u8 = 1;

fn main() -> ExitCode {
    internal_error::guard(run)
}

#[tokio::main(flavor = "current_thread")]
async fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(usage) => return print_usage(&usage),
    };
    if cli.verbose {
        trace::enable();
    }
    let console = if cli.json { Console::Json } else { Console::Text };
    let outcome = match commands::run(&cli, console).await {
        Ok(outcome) => outcome,
        Err(usage) => return print_usage(&usage),
    };
    for note in &outcome.notes {
        print_error(format_args!("{note}\n"));
    }
    let detailed = cli.command.has_detailed_exit_status();
    // A server prints its object when it starts.
    let as_json = cli.json && !(outcome.json.is_empty() && outcome.errors.is_empty());
    let printed = if as_json { print_outcome_json(&cli, &outcome) } else { print_outcome_text(&cli, &outcome) };
    if !printed || !outcome.errors.is_empty() {
        ExitCode::FAILURE
    } else if detailed && outcome.has_steps {
        ExitCode::from(CHANGES)
    } else {
        ExitCode::SUCCESS
    }
}

/// Prints help or bad usage and returns the exit status. No call was made.
///
/// Reads the raw arguments, because the command line may not have been parsed.
fn print_usage(usage: &clap::Error) -> ExitCode {
    if usage.use_stderr() && has_option("--json") {
        let text = usage.to_string();
        let message = text.trim_start_matches("error: ").split("\n\n").next().unwrap_or_default().trim();
        print_json(&json!({ "error": { "kind": "usage", "message": message } }));
    } else {
        // If printing fails, only the exit status reports the error.
        let _ = usage.print();
    }
    match usage.exit_code() {
        0 => ExitCode::SUCCESS,
        _ if has_option("--detailed-exitcode") => ExitCode::from(ERROR),
        code => ExitCode::from(u8::try_from(code).unwrap_or(ERROR)),
    }
}

/// Returns whether the raw arguments contain the option.
fn has_option(option: &str) -> bool {
    env::args_os().any(|argument| argument == option)
}

/// Prints the outcome as text. Returns whether the standard output accepted the text.
fn print_outcome_text(cli: &Cli, outcome: &Outcome) -> bool {
    let printed = print(&outcome.lines);
    let mut helps: Vec<String> = Vec::new();
    for error in &outcome.errors {
        print_error(error.lines());
        helps.extend(hints::on(error, &cli.command));
    }
    helps.sort();
    helps.dedup();
    for help in helps {
        print_error(format_args!("help: {help}\n"));
    }
    if let Err(error) = &printed {
        print_error(format_args!("error: standard output: {error}\n"));
    }
    printed.is_ok()
}

/// Prints the outcome as one JSON object. Returns whether the standard output accepted the object.
fn print_outcome_json(cli: &Cli, outcome: &Outcome) -> bool {
    let mut object = outcome.json.clone();
    let errors = outcome.errors.iter();
    let mut errors = errors.flat_map(|error| error_objects(error, &hints::on(error, &cli.command)));
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
    let mut text = String::new();
    for c in format!("{value:#}\n").chars() {
        // The serializer escapes the control characters of ASCII only.
        if console::is_control(c) {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        } else {
            text.push(c);
        }
    }
    let printed = print(&text);
    if let Err(error) = &printed {
        print_error(format_args!("error: standard output: {error}\n"));
    }
    printed.is_ok()
}
