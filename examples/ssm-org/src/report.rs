//! Output of the program, as text or JSON. E-mail addresses are never printed.

mod json;
mod overview;
mod status_summary;

use std::fmt::{self, Display, Formatter, Write as _};
use std::time::SystemTime;

use serde_json::{Map, Value};
use ssm_organizations::domain::SyncCheckReport;
use ssm_organizations::guidance::{ManualTask, NextStep};
use ssm_organizations::plan::{Plan, Receipt};
use ssm_organizations::ports::{DataSync, Organization, SyncDefinition, SyncSource};
use ssm_organizations::{AccountId, Certainty, Change, ChangeKind, Error, Region, SyncName};

pub(crate) use json::{error_objects, value};
pub(crate) use overview::overview;
pub(crate) use status_summary::StatusSummary;

use crate::hints;

/// Outcome of a command.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Text output.
    pub(crate) lines: String,
    /// JSON output.
    pub(crate) json: Map<String, Value>,
    /// Reasons why the organization may not be in the target state. Empty after success.
    pub(crate) errors: Vec<CliError>,
    /// Notes for the standard error, also with `--json`.
    pub(crate) notes: Vec<String>,
    /// `true` for a plan with steps.
    pub(crate) has_steps: bool,
}

impl Outcome {
    /// Adds a member to the JSON output.
    pub(crate) fn with(mut self, name: &str, member: impl Into<Value>) -> Self {
        self.json.insert(name.to_owned(), member.into());
        self
    }
}

impl From<CliError> for Outcome {
    fn from(error: CliError) -> Self {
        Self { errors: vec![error], ..Self::default() }
    }
}

/// Error of a command.
#[derive(Debug)]
pub(crate) enum CliError {
    /// Error of the library.
    Error(Error),
    /// Error of this program.
    Own {
        /// Kind of the error, for programs.
        kind: &'static str,
        /// Message, for people.
        text: String,
    },
    /// Usage error: the input contradicts itself. No call was made.
    Usage(String),
}

impl CliError {
    pub(crate) fn new(kind: &'static str, text: String) -> Self {
        Self::Own { kind, text }
    }

    /// Returns a usage error for an error that the library found before any call.
    pub(crate) fn usage(error: &Error) -> Self {
        Self::Usage(message(error))
    }

    /// Returns the message with all causes and related errors.
    pub(crate) fn lines(&self) -> String {
        match self {
            Self::Own { text, .. } | Self::Usage(text) => format!("error: {text}\n"),
            Self::Error(error) => [error].into_iter().chain(error.related()).map(error_lines).collect(),
        }
    }
}

/// Returns the message of an error, without the remedies that hints of this program replace.
fn message(error: &Error) -> String {
    error.display_with_remedies(|remedy| !hints::replaces(remedy))
}

fn error_lines(error: &Error) -> String {
    let mut lines = format!("error: {}\n", message(error));
    for cause in error.causes() {
        // Writing to a `String` cannot fail.
        let _ = writeln!(lines, "  caused by: {cause}");
    }
    lines
}

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Display for CliError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own { text, .. } | Self::Usage(text) => f.write_str(text),
            Self::Error(error) => f.write_str(&message(error)),
        }
    }
}

/// Results of a command's steps that are not changes.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    lines: Vec<String>,
    warnings: Vec<String>,
    remaining: Vec<String>,
    pub(crate) errors: Vec<CliError>,
}

impl Notes {
    /// Notes a step or resource that was already in place.
    pub(crate) fn skipped(&mut self, what: impl Display) {
        self.lines.push(format!("skipped: {what}"));
    }

    /// Notes a lost resource, with the command that creates it again.
    pub(crate) fn lost(&mut self, what: impl Display, remedy: impl Display) {
        self.lines.push(format!("lost: {what}; to create it again: {remedy}"));
        self.errors.push(CliError::new("sync_lost", format!("lost: {what}; to create it again: {remedy}")));
    }

    /// Notes a warning that was printed before the change.
    pub(crate) fn warned(&mut self, warning: impl Display) {
        self.warnings.push(format!("warning: {warning}"));
    }

    /// Notes a step that was not tried or not confirmed.
    pub(crate) fn not_done(&mut self, what: impl Display) {
        self.remaining.push(what.to_string());
    }

    /// Notes the texts of a plan in addition to the steps, for a plan that was not shown.
    pub(crate) fn add_plan_texts(&mut self, plan: &Plan) {
        for (what, lines) in [("left", plan.retained()), ("unknown", plan.unknowns()), ("warning", plan.warnings())] {
            self.lines.extend(lines.iter().map(|line| format!("{what}: {line}")));
        }
    }

    /// Returns the outcome: the changes, the notes and the current state.
    ///
    /// `now` is `None` if the current state is unknown. `existing` are the resources afterwards.
    pub(crate) fn conclude(
        self,
        organization: &Organization,
        changes: &[Change],
        now: Option<&StatusSummary>,
        existing: ExistingResources,
    ) -> Outcome {
        let Self { lines: notes, warnings, remaining, errors } = self;
        let mut lines = Lines::default();
        if changes.is_empty() {
            lines.line(if errors.is_empty() { "nothing to do" } else { "nothing was changed" });
        }
        for change in changes {
            let how = if change.certainty == Certainty::Confirmed { "done" } else { "unconfirmed" };
            lines.line(format_args!("{how}: {}", change.kind));
            for detail in affected_syncs(change) {
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
            Some(now) => lines.line(format_args!("current state: {now}")),
            None => lines.line("current state: unknown; run `ssm-org status` later"),
        }
        let next = missing_steps(NextStep::after(changes), existing);
        if !next.is_empty() {
            lines.line("next:");
            for step in &next {
                lines.line(format_args!("  {step}"));
            }
        }
        let notes = [notes, warnings].concat();
        let outcome = Outcome { lines: lines.0, errors, ..Outcome::default() };
        outcome
            .with("receipt", value(&Receipt::of_changes(organization, changes)))
            .with("remaining", remaining)
            .with("now", now.map_or(Value::Null, json::status_summary))
            .with("next_steps", value(&next))
            .with("notes", notes)
    }
}

/// Existence of resources that later steps would create or delete; `None` is unknown.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ExistingResources {
    /// The service-linked role.
    pub(crate) role: Option<bool>,
    /// A data sync of the organization, in the Regions and accounts of the command.
    pub(crate) organization_sync: Option<bool>,
}

/// Removes the steps that existing resources, or the absence of resources, make unnecessary.
fn missing_steps(mut steps: Vec<NextStep>, existing: ExistingResources) -> Vec<NextStep> {
    let ExistingResources { role, organization_sync } = existing;
    steps.retain(|step| match step.task {
        ManualTask::CreateRole => role != Some(true),
        ManualTask::DeleteRole => role != Some(false),
        // A step with commands names the syncs that were lost.
        ManualTask::CreateDataSync => !step.commands.is_empty() || organization_sync != Some(true),
        ManualTask::DeleteDataSyncs => organization_sync != Some(false),
        _ => true,
    });
    steps
}

/// Returns a text that identifies a data sync.
pub(crate) fn sync_at(name: &SyncName, account: AccountId, region: &Region) -> String {
    format!("data sync {:?} of account {account} in {region}", name.to_string())
}

/// Returns the health of a sync.
pub(crate) fn state(sync: &DataSync) -> &str {
    sync.state.as_str().unwrap_or("healthy")
}

/// Returns a text that describes the sources of a sync.
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
        Some(true) => scope.push_str(" and future Regions"),
        None => scope.push_str(", future Regions unknown"),
    }
    match sync.all_ops_data_sources {
        Some(false) => {}
        Some(true) => scope.push_str(", with every OpsData source"),
        None => scope.push_str(", OpsData sources unknown"),
    }
    scope
}

/// Returns the command that creates a sync in the account, which is the delegated administrator.
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
    let _ = write!(
        command,
        " --region {region} --sync-owner administrator --admin-profile {}",
        quoted(profile.unwrap_or("PROFILE"))
    );
    command
}

/// Quotes a text for a shell.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if text.bytes().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// Returns the result of the check for data syncs before the change, one line for each sync.
///
/// Empty for changes that cannot affect data syncs.
fn affected_syncs(change: &Change) -> Vec<String> {
    let (ChangeKind::TrustedAccessDisabled { syncs, .. } | ChangeKind::AdministratorDeregistered { syncs, .. }) =
        &change.kind
    else {
        return Vec::new();
    };
    match syncs {
        SyncCheckReport::Skipped => vec!["data syncs: not checked".to_owned()],
        SyncCheckReport::NoneFound(checked) => {
            let checked = checked.iter().map(|one| format!("account {} ({})", one.account, joined(&one.regions)));
            vec![format!("data syncs: none found in {}", checked.collect::<Vec<_>>().join(", "))]
        }
        SyncCheckReport::Recorded(syncs) if syncs.is_empty() => vec!["data syncs: none found".to_owned()],
        SyncCheckReport::Recorded(syncs) => {
            syncs.iter().map(|(at, sync)| format!("recorded data sync: {at}: {}", scope(sync))).collect()
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
        // Writing to a `String` cannot fail.
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
    // humantime cannot write a date before 1970 or after 9999.
    let mut written = String::new();
    match write!(written, "{}", humantime::format_rfc3339_seconds(date)) {
        Ok(()) => written,
        Err(_) => "an unknown date".to_owned(),
    }
}
