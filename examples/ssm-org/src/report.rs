//! What the program prints: plain lines, and no e-mail address.

use std::fmt::{self, Display, Formatter, Write as _};
use std::time::{SystemTime, UNIX_EPOCH};

use ssm_organizations::aws::aws_smithy_types::DateTime;
use ssm_organizations::aws::aws_smithy_types::date_time::Format;
use ssm_organizations::ports::{AccountState, DataSync, DelegatedAdministrator, Role, SyncDefinition, SyncSource};
use ssm_organizations::{
    AccountId, Certainty, Change, ChangeKind, Error, Observed, Region, RoleName, SyncName, SyncsReport,
};

/// What there is to say at the end.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// For the standard output.
    pub(crate) lines: String,
    /// Why the organization is not in the wanted state, or may not be. None for success.
    pub(crate) complaints: Vec<Complaint>,
}

impl From<Complaint> for Outcome {
    fn from(complaint: Complaint) -> Self {
        Self { lines: String::new(), complaints: vec![complaint] }
    }
}

/// Something that is not as it was meant to be.
#[derive(Debug)]
pub(crate) enum Complaint {
    /// The library's.
    Error(Error),
    /// The program's own.
    Own(String),
}

impl From<Error> for Complaint {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<String> for Complaint {
    fn from(text: String) -> Self {
        Self::Own(text)
    }
}

/// With everything behind it.
impl Display for Complaint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(text) => writeln!(f, "error: {text}"),
            Self::Error(error) => {
                writeln!(f, "error: {error}")?;
                error.causes().iter().try_for_each(|cause| writeln!(f, "  caused by: {cause}"))
            }
        }
    }
}

/// What came of a command's steps, as far as it does not stand among the changes.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    lines: Lines,
    pub(crate) complaints: Vec<Complaint>,
}

impl Notes {
    /// It was as it should be, and was left so.
    pub(crate) fn kept(&mut self, what: impl Display) {
        self.lines.line(format_args!("kept: {what}"));
    }

    /// There was none to delete.
    pub(crate) fn absent(&mut self, what: impl Display) {
        self.lines.line(format_args!("absent: {what}"));
    }

    /// It is gone, and this would make it again.
    pub(crate) fn lost(&mut self, what: impl Display, remedy: impl Display) {
        self.lines.line(format_args!("lost: {what}; to make it again: {remedy}"));
    }

    /// It did not come about.
    pub(crate) fn failed(&mut self, what: impl Display, why: impl Into<Complaint>) {
        self.lines.line(format_args!("failed: {what}"));
        self.complaints.push(why.into());
    }

    /// The changes, or why there are none, the notes, and where the organization is now; `None` where that is not known.
    pub(crate) fn conclude<C>(self, changes: &[Change], now: Option<&Observed<C>>) -> Outcome {
        let Self { lines: notes, complaints } = self;
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
        lines.0.push_str(&notes.0);
        match now {
            Some(seen) => lines.line(format_args!("now: {seen}")),
            None => lines.line("now: unknown; see `ssm-org status` later"),
        }
        Outcome { lines: lines.0, complaints }
    }
}

/// A data sync, by its place.
pub(crate) fn sync_at(name: &SyncName, account: AccountId, region: &Region) -> String {
    format!("data sync {:?} of account {account} in {region}", name.as_str())
}

/// Everything that an observation shows.
#[derive(Debug, Default)]
pub(crate) struct Overview(Lines);

impl Overview {
    pub(crate) fn of<C>(seen: &Observed<C>) -> Self {
        let organization = seen.organization();
        let mut lines = Lines::default();
        lines.field("organization", &organization.id);
        lines.field("management account", organization.management_account);
        lines.field("caller", seen.caller().map_or("unknown".to_owned(), |caller| caller.to_string()));
        lines.field("features", organization.feature_set.map_or("unknown".to_owned(), |features| features.to_string()));
        lines.field("state", seen.name());
        match seen.trusted_access() {
            Some(access) => lines.field("trusted access", since(access.since)),
            None => lines.field("trusted access", "no"),
        }
        let administrators = seen.administrators();
        if administrators.is_empty() {
            lines.field("administrator", "none");
        }
        for DelegatedAdministrator { account, state, since: date, .. } in administrators {
            let state = state.as_ref().map_or("state unknown", AccountState::as_str);
            lines.field("administrator", format_args!("{account}, {state}, {}", since(date)));
        }
        Self(lines)
    }

    /// The service-linked role, or why it is unknown.
    pub(crate) fn role(&mut self, role: Result<Option<Role>, String>) {
        match role {
            Ok(Some(role)) => self.0.field("role", format_args!("{}, {}", role.name, since(role.created))),
            Ok(None) => self.0.field("role", format_args!("no {}", RoleName::ACCOUNT_DISCOVERY)),
            Err(reason) => self.0.field("role", format_args!("unknown: {reason}")),
        }
    }

    /// One account's data syncs in one Region.
    pub(crate) fn syncs(&mut self, account: AccountId, region: &Region, syncs: &Result<Vec<DataSync>, Error>) {
        let mut field = |what: &dyn Display| {
            self.0.field("data sync", format_args!("account {account} in {region}: {what}"));
        };
        match syncs {
            Ok(syncs) if syncs.is_empty() => field(&"none"),
            Ok(syncs) => syncs.iter().for_each(|sync| {
                field(&format_args!("{:?}, {}, {}", sync.name.as_str(), state(sync), scope(sync)));
            }),
            Err(error) => field(&format_args!("unknown: {error:#}")),
        }
    }

    /// An account whose data syncs nobody looked at.
    pub(crate) fn unseen(&mut self, whose: impl Display, reason: impl Display) {
        self.0.field("data sync", format_args!("{whose}: unknown: {reason}"));
    }

    pub(crate) fn into_outcome(self) -> Outcome {
        Outcome { lines: self.0.0, complaints: Vec::new() }
    }
}

/// How a sync fares.
pub(crate) fn state(sync: &DataSync) -> &str {
    sync.state.as_str().unwrap_or("healthy")
}

/// What a sync collects from.
fn scope(sync: &DataSync) -> String {
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
    let seconds = date
        .and_then(|date| date.duration_since(UNIX_EPOCH).ok())
        .and_then(|elapsed| i64::try_from(elapsed.as_secs()).ok())
        .and_then(|seconds| DateTime::from_secs(seconds).fmt(Format::DateTime).ok());
    seconds.map_or("since an unknown date".to_owned(), |text| format!("since {text}"))
}
