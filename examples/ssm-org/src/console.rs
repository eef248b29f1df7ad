//! Terminal output: plans, questions and progress.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::{Display, Write as _};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ssm_organizations::plan::{Event, Step};

use crate::report::CliError;
use crate::trace;

/// Output mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Console {
    /// Text on the standard output.
    Text,
    /// JSON on the standard output and text on the standard error.
    Json,
    /// No output.
    #[cfg(test)]
    Silent,
}

impl Console {
    /// Prints text that the user reads before the run continues.
    pub(crate) fn show(self, text: &str) -> Result<(), CliError> {
        let printed = match self {
            Self::Text => print(text),
            Self::Json => Ok(()),
            #[cfg(test)]
            Self::Silent => Ok(()),
        };
        printed.map_err(|error| CliError::new("output", format!("standard output: {error}")))
    }

    /// Prints a note before a change, so that the note is available if the process is killed.
    pub(crate) fn note(self, line: &str) {
        match self {
            Self::Text | Self::Json => print_error(format_args!("note: {line}\n")),
            #[cfg(test)]
            Self::Silent => {}
        }
    }

    /// Prints a warning before a change.
    pub(crate) fn warn(self, line: &str) {
        match self {
            Self::Text | Self::Json => print_error(format_args!("warning: {line}\n")),
            #[cfg(test)]
            Self::Silent => {}
        }
    }

    /// Asks for confirmation before a change. Without a terminal the result is an error.
    pub(crate) fn confirm(self, plan: &str, question: &str) -> Result<(), CliError> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            let why = "nothing was changed: there is no terminal to ask on; --yes applies without asking";
            return Err(CliError::new("not_confirmed", why.to_owned()));
        }
        if self == Self::Json {
            print_error(plan);
        }
        print_error(format_args!("{question} Only `yes` is accepted: "));
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        if read.is_ok() && answer.trim().eq_ignore_ascii_case("yes") {
            return Ok(());
        }
        Err(CliError::new("not_confirmed", "nothing was changed: the answer was not `yes`".to_owned()))
    }

    /// Shows a spinner for one operation of unknown length.
    pub(crate) fn spinner(self, with: &'static str) -> Progress {
        let mut progress = self.progress(0);
        if let Some(bar) = &mut progress.bar {
            bar.set_style(style("{spinner} {msg} ({elapsed})"));
            bar.set_message(with);
        }
        progress
    }

    /// Shows the progress of a plan with this number of steps.
    pub(crate) fn progress(self, total: usize) -> Progress {
        let bar = match self {
            #[cfg(test)]
            Self::Silent => {
                return Progress { bar: None, lines: false, total, begun: Vec::new(), waiting: BTreeSet::new() };
            }
            Self::Text | Self::Json if !io::stderr().is_terminal() || trace::is_enabled() => None,
            Self::Text | Self::Json => {
                let length = u64::try_from(total).unwrap_or_default();
                let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
                bar.set_style(style("{spinner} [{pos}/{len}] {msg} ({elapsed})"));
                bar.enable_steady_tick(Duration::from_millis(100));
                Some(bar)
            }
        };
        let lines = bar.is_none() && self == Self::Text;
        Progress { lines, bar, total, begun: vec![None; total], waiting: BTreeSet::new() }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// Progress of a run: a progress bar on a terminal, and one line for each event elsewhere.
///
/// Dropping the value removes the bar from the terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
    total: usize,
    begun: Vec<Option<Instant>>,
    /// Steps whose waiting was reported. Without a terminal, a step reports it once.
    waiting: BTreeSet<usize>,
}

impl Progress {
    pub(crate) fn on(&mut self, event: &Event<'_>) {
        match event {
            Event::Started { index, step, .. } => {
                if let Some(begun) = self.begun.get_mut(*index) {
                    *begun = Some(Instant::now());
                }
                if let Some(bar) = &self.bar {
                    bar.set_message(printable(&step.action().to_string()).into_owned());
                }
                self.line(*index, step, "");
            }
            Event::Waiting { index, step, .. } => {
                if let Some(bar) = &self.bar {
                    let action = step.action().to_string();
                    bar.set_message(format!("{}: waiting for AWS to show the change", printable(&action)));
                }
                if self.waiting.insert(*index) {
                    self.line(*index, step, ": waiting for AWS to show the change");
                }
            }
            Event::Changed { index, step, .. } => self.ended(*index, step, "done"),
            Event::Skipped { index, step, .. } => self.ended(*index, step, "already in place"),
            _ => {}
        }
    }

    fn ended(&self, index: usize, step: &Step, how: &str) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        let took = self.begun.get(index).copied().flatten().map(|begun| begun.elapsed()).unwrap_or_default();
        self.line(index, step, &format!(": {how} after {:.1}s", took.as_secs_f64()));
    }

    fn line(&self, index: usize, step: &Step, rest: &str) {
        if self.lines {
            print_error(format_args!("[{}/{}] {}{rest}\n", index + 1, self.total, step.action()));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Returns whether a character controls a terminal or changes the direction of text.
///
/// The library escapes such characters in its own texts. Line breaks and tabs structure the output.
pub(crate) fn is_control(c: char) -> bool {
    let is_structure = matches!(c, '\n' | '\t');
    let is_direction = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && !is_structure) || is_direction
}

/// Returns the text with control characters as Rust escapes.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_control) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if is_control(c) { clean.extend(c.escape_default()) } else { clean.push(c) }
    }
    Cow::Owned(clean)
}

/// Writes to the standard output, in color if that is a terminal.
///
/// A reader that closes the pipe early, such as `head`, is not an error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    match out.write_all(colorize(&printable(text)).as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes to the standard error.
///
/// If the write fails, only the exit status reports the error.
pub(crate) fn print_error(text: impl Display) {
    let _ = write!(anstream::stderr(), "{}", colorize(&printable(&text.to_string())));
}

/// Colors the label at the beginning of each line.
fn colorize(text: &str) -> String {
    const COLORS: &[(&str, AnsiColor)] = &[
        ("error: ", AnsiColor::Red),
        ("failed: ", AnsiColor::Red),
        ("lost: ", AnsiColor::Red),
        ("LOST: ", AnsiColor::Red),
        ("not done: ", AnsiColor::Red),
        ("unconfirmed: ", AnsiColor::Yellow),
        ("warning: ", AnsiColor::Yellow),
        ("note: ", AnsiColor::Cyan),
        ("unknown: ", AnsiColor::Yellow),
        ("done: ", AnsiColor::Green),
        ("help: ", AnsiColor::Cyan),
        ("current state: ", AnsiColor::Cyan),
    ];
    let mut colored = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let word = line.trim_start();
        match COLORS.iter().find(|(begins, _)| word.starts_with(begins)) {
            Some((begins, color)) => {
                let style = Style::new().fg_color(Some((*color).into())).bold();
                let (indent, rest) = line.split_at(line.len() - word.len());
                let (begins, rest) = rest.split_at(begins.len());
                // Writing to a `String` cannot fail.
                let _ = write!(colored, "{indent}{style}{begins}{style:#}{rest}");
            }
            None => colored.push_str(line),
        }
    }
    colored
}

#[cfg(test)]
mod tests {
    use super::{colorize, printable};

    #[test]
    fn printable_escapes_control_characters_only() {
        let text = "a\u{1b}[31m\rb\u{9b}\u{7f}\u{202e}\u{8}";
        assert_eq!(printable(text), "a\\u{1b}[31m\\rb\\u{9b}\\u{7f}\\u{202e}\\u{8}");
        assert_eq!(printable("a\n\tb\u{e4}"), "a\n\tb\u{e4}");
    }

    #[test]
    fn colorize_keeps_the_text() {
        let text = "done: one\n  LOST: two\nplain: three\nerror: four";
        let colored = colorize(text);
        assert_ne!(colored, text);
        assert_eq!(anstream::adapter::strip_str(&colored).to_string(), text);
        assert!(colored.contains("\nplain: three\n"), "{colored:?}");
    }
}
