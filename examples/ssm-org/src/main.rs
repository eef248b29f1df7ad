//! `ssm-org`: puts AWS Systems Manager into an AWS Organizations organization, and takes it out again.

mod advice;
mod cli;
mod commands;
mod connect;
mod report;

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser;

use cli::Cli;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match commands::run(&cli).await {
        Ok(outcome) => outcome,
        Err(usage) => usage.exit(),
    };
    let printed = print(&outcome.lines);
    if let Some(error) = &outcome.error {
        complain(report::Explained { error, advice: advice::on(error, &cli.command) });
    }
    match (printed, outcome.error) {
        (Ok(()), None) => ExitCode::SUCCESS,
        (Err(error), None) => {
            complain(format_args!("error: standard output: {error}\n"));
            ExitCode::FAILURE
        }
        (_, Some(_)) => ExitCode::FAILURE,
    }
}

/// Writes to the standard output. A reader that has seen enough, such as `head`, is no error.
fn print(lines: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(lines.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes to the standard error. Where that fails, the exit status has to do.
fn complain(text: impl Display) {
    let _ = write!(io::stderr(), "{text}");
}
