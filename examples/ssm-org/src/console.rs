//! The terminal: what is shown at once, what is asked, and how far a run is.

use std::fmt::{Display, Write as _};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ssm_organizations::plan::{Event, Step};

use crate::report::Complaint;
use crate::trace;

/// Where the program speaks to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Console {
    /// To people.
    Text,
    /// To a program, on the standard output; to people on the standard error.
    Json,
    /// To nobody.
    #[cfg(test)]
    Silent,
}

impl Console {
    /// Shows something that is to be read before the run goes on.
    pub(crate) fn show(self, text: &str) -> Result<(), Complaint> {
        let printed = match self {
            Self::Text => print(text),
            Self::Json => Ok(()),
            #[cfg(test)]
            Self::Silent => Ok(()),
        };
        printed.map_err(|error| Complaint::own("output", format!("standard output: {error}")))
    }

    /// Says something, before it is done, that is of use whenever this process ends.
    pub(crate) fn tell(self, line: &str) {
        match self {
            Self::Text | Self::Json => complain(format_args!("note: {line}\n")),
            #[cfg(test)]
            Self::Silent => {}
        }
    }

    /// Asks before something is changed. Nobody there to ask is an error.
    pub(crate) fn confirm(self, plan: &str, question: &str) -> Result<(), Complaint> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            let why = "nothing was changed: there is no terminal to ask on, and --yes goes on without asking";
            return Err(Complaint::own("not_confirmed", why.to_owned()));
        }
        if self == Self::Json {
            complain(plan);
        }
        complain(format_args!("{question} Only `yes` is accepted: "));
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        if read.is_ok() && answer.trim().eq_ignore_ascii_case("yes") {
            return Ok(());
        }
        Err(Complaint::own("not_confirmed", "nothing was changed: the answer was not `yes`".to_owned()))
    }

    /// Something under way that takes a while.
    pub(crate) fn busy(self, with: &'static str) -> Progress {
        let mut progress = self.progress(0);
        if let Some(bar) = &mut progress.bar {
            bar.set_style(style("{spinner} {msg} ({elapsed})"));
            bar.set_message(with);
        }
        progress
    }

    /// A plan of so many steps under way.
    pub(crate) fn progress(self, total: usize) -> Progress {
        let bar = match self {
            #[cfg(test)]
            Self::Silent => return Progress { bar: None, lines: false, total, begun: Vec::new() },
            Self::Text | Self::Json if !io::stderr().is_terminal() || trace::is_listened_to() => None,
            Self::Text | Self::Json => {
                let length = u64::try_from(total).unwrap_or_default();
                let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
                bar.set_style(style("{spinner} [{pos}/{len}] {msg} ({elapsed})"));
                bar.enable_steady_tick(Duration::from_millis(100));
                Some(bar)
            }
        };
        Progress { lines: bar.is_none() && self == Self::Text, bar, total, begun: vec![None; total] }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// How far a run is: a line that moves on a terminal, and lines elsewhere. It is gone from the terminal when it is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
    total: usize,
    begun: Vec<Option<Instant>>,
}

impl Progress {
    pub(crate) fn on(&mut self, event: &Event<'_>) {
        match event {
            Event::Started { index, step, .. } => {
                if let Some(begun) = self.begun.get_mut(*index) {
                    *begun = Some(Instant::now());
                }
                if let Some(bar) = &self.bar {
                    bar.set_message(step.action().to_string());
                }
                self.line(*index, step, "");
            }
            Event::Waiting { index, step, .. } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(format!("{}: waiting for AWS to show it", step.action()));
                }
                self.line(*index, step, ": waiting for AWS to show it");
            }
            Event::Changed { index, step, .. } => self.ended(*index, step, "done"),
            Event::Skipped { index, step, .. } => self.ended(*index, step, "so already"),
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
            complain(format_args!("[{}/{}] {}{rest}\n", index + 1, self.total, step.action()));
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

/// Writes to the standard output, in colours where it is a terminal. A reader that has seen enough, such as `head`, is no error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    match out.write_all(painted(text).as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes to the standard error. Where that fails, the exit status has to do.
pub(crate) fn complain(text: impl Display) {
    let _ = write!(anstream::stderr(), "{}", painted(&text.to_string()));
}

/// What a line begins with says what it is about.
fn painted(text: &str) -> String {
    const COLOURS: &[(&str, AnsiColor)] = &[
        ("error: ", AnsiColor::Red),
        ("failed: ", AnsiColor::Red),
        ("lost: ", AnsiColor::Red),
        ("LOST: ", AnsiColor::Red),
        ("not done: ", AnsiColor::Red),
        ("maybe: ", AnsiColor::Yellow),
        ("warning: ", AnsiColor::Yellow),
        ("note: ", AnsiColor::Cyan),
        ("unknown: ", AnsiColor::Yellow),
        ("done: ", AnsiColor::Green),
        ("help: ", AnsiColor::Cyan),
        ("now: ", AnsiColor::Cyan),
    ];
    let mut painted = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let word = line.trim_start();
        match COLOURS.iter().find(|(begins, _)| word.starts_with(begins)) {
            Some((begins, colour)) => {
                let style = Style::new().fg_color(Some((*colour).into())).bold();
                let (indent, rest) = line.split_at(line.len() - word.len());
                let (begins, rest) = rest.split_at(begins.len());
                // Writing to a string does not fail.
                let _ = write!(painted, "{indent}{style}{begins}{style:#}{rest}");
            }
            None => painted.push_str(line),
        }
    }
    painted
}

#[cfg(test)]
mod tests {
    use super::painted;

    #[test]
    fn colours_add_to_a_text_and_change_nothing() {
        let text = "done: one\n  LOST: two\nplain: three\nerror: four";
        let painted = painted(text);
        assert_ne!(painted, text);
        assert_eq!(anstream::adapter::strip_str(&painted).to_string(), text);
        assert!(painted.contains("\nplain: three\n"), "{painted:?}");
    }
}
