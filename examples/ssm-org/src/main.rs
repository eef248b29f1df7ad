//! `ssm-org`: puts AWS Systems Manager into an AWS Organizations organization, and takes it out again.

mod advice;
mod cli;
mod commands;
mod connect;
mod report;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser;

use cli::Cli;
use report::Complaint;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match commands::run(&cli).await {
        Ok(outcome) => outcome,
        Err(usage) => usage.exit(),
    };
    let printed = print(&outcome.lines);
    let mut helps = BTreeSet::new();
    for complaint in &outcome.complaints {
        complain(complaint);
        if let Complaint::Error(error) = complaint {
            helps.extend(advice::on(error, &cli.command));
        }
    }
    for help in helps {
        complain(format_args!("help: {help}\n"));
    }
    if let Err(error) = &printed {
        complain(format_args!("error: standard output: {error}\n"));
    }
    if printed.is_ok() && outcome.complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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
