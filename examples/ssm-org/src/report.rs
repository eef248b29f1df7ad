//! What the program prints: plain lines or JSON, and no e-mail address.

mod json;
mod overview;
mod standing;

use std::fmt::{self, Display, Formatter, Write as _};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use ssm_organizations::aws::aws_smithy_types::DateTime;
use ssm_organizations::aws::aws_smithy_types::date_time::Format;
use ssm_organizations::plan::{Plan, Receipt};
use ssm_organizations::ports::{DataSync, Organization, SyncDefinition, SyncSource};
use ssm_organizations::{AccountId, Certainty, Change, ChangeKind, Error, NextStep, Region, SyncName, SyncsReport};

pub(crate) use json::{error_objects, value};
pub(crate) use overview::overview;
pub(crate) use standing::Standing;

use crate::advice;

/// What there is to say at the end.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// For people.
    pub(crate) lines: String,
    /// For programs.
    pub(crate) json: Map<String, Value>,
    /// Why the organization is not in the wanted state, or may not be. None for success.
    pub(crate) complaints: Vec<Complaint>,
    /// What people are to know beside it, for the standard error.
    pub(crate) warnings: Vec<String>,
    /// Whether a plan has steps.
    pub(crate) has_steps: bool,
}

impl Outcome {
    /// The same with a member of the JSON object.
    pub(crate) fn with(mut self, name: &str, member: impl Into<Value>) -> Self {
        self.json.insert(name.to_owned(), member.into());
        self
    }
}

impl From<Complaint> for Outcome {
    fn from(complaint: Complaint) -> Self {
        Self { complaints: vec![complaint], ..Self::default() }
    }
}

/// Something that is not as it was meant to be.
#[derive(Debug)]
pub(crate) enum Complaint {
    /// The library's.
    Error(Error),
    /// The program's own.
    Own {
        /// What it is, for programs.
        kind: &'static str,
        /// What it is, for people.
        text: String,
    },
    /// What was asked for contradicts itself, whatever the organization. No call was made.
    Usage(String),
}

impl Complaint {
    pub(crate) fn own(kind: &'static str, text: String) -> Self {
        Self::Own { kind, text }
    }

    /// Of an error that was found before any call.
    pub(crate) fn usage(error: &Error) -> Self {
        Self::Usage(message(error))
    }

    /// With everything behind it.
    pub(crate) fn lines(&self) -> String {
        match self {
            Self::Own { text, .. } | Self::Usage(text) => format!("error: {text}\n"),
            Self::Error(error) => [error].into_iter().chain(error.further()).map(error_lines).collect(),
        }
    }
}

/// What the error says, without what is for programs: the advice says that in terms of this one.
fn message(error: &Error) -> String {
    error.to_string_with(|remedy| !advice::replaces(remedy))
}

fn error_lines(error: &Error) -> String {
    let mut lines = format!("error: {}\n", message(error));
    for cause in error.causes() {
        // Writing to a string does not fail.
        let _ = writeln!(lines, "  caused by: {cause}");
    }
    lines
}

impl From<Error> for Complaint {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Display for Complaint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own { text, .. } | Self::Usage(text) => f.write_str(text),
            Self::Error(error) => f.write_str(&message(error)),
        }
    }
}

/// What came of a command's steps, as far as it does not stand among the changes.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    lines: Vec<String>,
    warnings: Vec<String>,
    remaining: Vec<String>,
    pub(crate) complaints: Vec<Complaint>,
}

impl Notes {
    /// It was as it should be, and was left so.
    pub(crate) fn kept(&mut self, what: impl Display) {
        self.lines.push(format!("kept: {what}"));
    }

    /// It is gone, and this would make it again.
    pub(crate) fn lost(&mut self, what: impl Display, remedy: impl Display) {
        self.lines.push(format!("lost: {what}; to make it again: {remedy}"));
        self.complaints.push(Complaint::own("sync_lost", format!("lost: {what}; to make it again: {remedy}")));
    }

    /// It is otherwise than somebody may think.
    pub(crate) fn warn(&mut self, warning: impl Display) {
        self.warnings.push(format!("warning: {warning}"));
    }

    /// It did not come about.
    pub(crate) fn failed(&mut self, what: impl Display, why: impl Into<Complaint>) {
        self.lines.push(format!("failed: {what}"));
        self.complaints.push(why.into());
    }

    /// It was not tried, or not seen to its end.
    pub(crate) fn not_done(&mut self, what: impl Display) {
        self.remaining.push(what.to_string());
    }

    /// What a plan says beside its steps, where nobody was shown it.
    pub(crate) fn tell(&mut self, plan: &Plan) {
        for (what, lines) in [("left", plan.left()), ("unknown", plan.unknowns()), ("warning", plan.warnings())] {
            self.lines.extend(lines.iter().map(|line| format!("{what}: {line}")));
        }
    }

    /// The changes, or why there are none, the notes, and where the organization is now; `None` where that is not known.
    pub(crate) fn conclude(self, organization: &Organization, changes: &[Change], now: Option<&Standing>) -> Outcome {
        let Self { lines: notes, warnings, remaining, complaints } = self;
        let mut lines = Lines::default();
        if changes.is_empty() {
            lines.line(if complaints.is_empty() { "nothing to do" } else { "nothing was changed" });
        }
        for change in changes {
            let how = if change.certainty == Certainty::Did { "done" } else { "maybe" };
            lines.line(format_args!("{how}: {change}"));
            for detail in endangered(change) {
                lines.line(format_args!("  {detail}"));
            }
        }
        for note in &notes {
            lines.line(note);
        }
        for step in &remaining {
            lines.line(format_args!("not done: {step}"));
        }
        match now {
            Some(now) => lines.line(format_args!("now: {now}")),
            None => lines.line("now: unknown; see `ssm-org status` later"),
        }
        let next = NextStep::after(changes);
        if !next.is_empty() {
            lines.line("next:");
            for step in &next {
                lines.line(format_args!("  {step}"));
            }
        }
        let notes = [notes, warnings.clone()].concat();
        let outcome = Outcome { lines: lines.0, complaints, warnings, ..Outcome::default() };
        outcome
            .with("receipt", value(&Receipt::of_changes(organization, changes)))
            .with("remaining", remaining)
            .with("now", now.map_or(Value::Null, json::standing))
            .with("next_steps", value(&next))
            .with("notes", notes)
    }
}

/// A data sync, by its place.
pub(crate) fn sync_at(name: &SyncName, account: AccountId, region: &Region) -> String {
    format!("data sync {:?} of account {account} in {region}", name.to_string())
}

/// How a sync fares.
pub(crate) fn state(sync: &DataSync) -> &str {
    sync.state.as_str().unwrap_or("healthy")
}

/// What a sync collects from.
pub(crate) fn scope(sync: &DataSync) -> String {
    let mut scope = match (&sync.source_type, sync.definition()) {
        (_, Some(definition)) => match definition.source() {
            SyncSource::EntireOrganization => "the whole organization".to_owned(),
            SyncSource::OrganizationalUnits(units) => joined(units.as_slice()),
            _ => "its own account".to_owned(),
        },
        (Some(other), None) => other.as_str().to_owned(),
        (None, None) => "an unknown source".to_owned(),
    };
    let regions = if sync.regions.is_empty() { "unknown Regions".to_owned() } else { joined(&sync.regions) };
    let _ = write!(scope, ", from {regions}");
    match sync.future_regions {
        Some(false) => {}
        Some(true) => scope.push_str(" and Regions to come"),
        None => scope.push_str(", Regions to come unknown"),
    }
    match sync.all_ops_data_sources {
        Some(false) => {}
        Some(true) => scope.push_str(", with every source of OpsData"),
        None => scope.push_str(", sources of OpsData unknown"),
    }
    scope
}

/// The command that makes a sync in this account, which administers Systems Manager.
pub(crate) fn remake(admin: AccountId, profile: Option<&str>, region: &Region, sync: &SyncDefinition) -> String {
    let mut command = format!("ssm-org onboard --admin {admin} --sync {}", quoted(sync.name().as_str()));
    if let SyncSource::OrganizationalUnits(units) = sync.source() {
        let _ =
            write!(command, " --sync-ou {}", units.as_slice().iter().map(AsRef::as_ref).collect::<Vec<_>>().join(","));
    }
    let regions: Vec<_> = sync.regions().iter().map(AsRef::as_ref).collect();
    let _ = write!(command, " --source-region {}", regions.join(","));
    if sync.includes_future_regions() {
        command.push_str(" --future-regions");
    }
    if sync.enables_all_ops_data_sources() {
        command.push_str(" --enable-all-ops-data-sources");
    }
    let _ = write!(command, " --region {region} --admin-profile {}", quoted(profile.unwrap_or("PROFILE")));
    command
}

/// As a shell takes it.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if text.bytes().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// What the change knew of the data syncs that it endangered, if it did.
fn endangered(change: &Change) -> Vec<String> {
    let (ChangeKind::TrustedAccessDisabled { syncs, .. } | ChangeKind::AdministratorDeregistered { syncs, .. }) =
        &change.kind
    else {
        return Vec::new();
    };
    match syncs {
        SyncsReport::Forfeited => vec!["data syncs: not looked for".to_owned()],
        SyncsReport::NoneSeen(looks) => {
            let looks = looks.iter().map(|look| format!("account {} in {}", look.account, joined(&look.regions)));
            vec![format!("data syncs: none seen of {}", looks.collect::<Vec<_>>().join(", of "))]
        }
        SyncsReport::Recorded(syncs) if syncs.is_empty() => vec!["data syncs: none seen".to_owned()],
        SyncsReport::Recorded(syncs) => {
            syncs.iter().map(|(at, sync)| format!("data sync on record: {at}: {}", scope(sync))).collect()
        }
        _ => Vec::new(),
    }
}

fn joined<T: AsRef<str>>(items: &[T]) -> String {
    items.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}

#[derive(Debug, Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, text: impl Display) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{text}");
    }

    fn field(&mut self, name: &str, value: impl Display) {
        self.line(format_args!("{:<20}{value}", format!("{name}:")));
    }
}

fn since(date: Option<SystemTime>) -> String {
    date.map_or("since an unknown date".to_owned(), |date| format!("since {}", self::date(date)))
}

fn date(date: SystemTime) -> String {
    let seconds = date.duration_since(UNIX_EPOCH).ok().and_then(|elapsed| i64::try_from(elapsed.as_secs()).ok());
    let written = seconds.and_then(|seconds| DateTime::from_secs(seconds).fmt(Format::DateTime).ok());
    written.unwrap_or_else(|| "an unknown date".to_owned())
}
