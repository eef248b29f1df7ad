//! What the program prints: plain lines, and no e-mail address.

use std::fmt::{self, Display, Formatter, Write as _};
use std::time::{SystemTime, UNIX_EPOCH};

use ssm_organizations::aws::aws_smithy_types::DateTime;
use ssm_organizations::aws::aws_smithy_types::date_time::Format;
use ssm_organizations::ports::{AccountState, DelegatedAdministrator};
use ssm_organizations::{Certainty, Change, ChangeKind, Error, Observed, SyncsReport};

/// Everything that an observation shows.
pub(crate) fn status<C>(seen: &Observed<C>) -> String {
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
    lines.0
}

/// The changes that were made, or why there are none, and where the organization is now; `None` where that is not known.
pub(crate) fn walk<C>(changes: &[Change], idle: &str, now: Option<&Observed<C>>) -> String {
    let mut lines = Lines::default();
    if changes.is_empty() {
        lines.line(idle);
    }
    for change in changes {
        let how = if change.certainty == Certainty::Did { "done" } else { "maybe" };
        lines.line(format_args!("{how}: {change}"));
        if let Some(syncs) = syncs(change) {
            lines.line(format_args!("  {syncs}"));
        }
    }
    match now {
        Some(seen) => lines.line(format_args!("now: {seen}")),
        None => lines.line("now: unknown; see `ssm-org status` later"),
    }
    lines.0
}

/// An error with everything behind it, and what to do.
pub(crate) struct Explained<'a> {
    pub(crate) error: &'a Error,
    pub(crate) advice: Option<String>,
}

impl Display for Explained<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.error)?;
        for cause in self.error.causes() {
            writeln!(f, "  caused by: {cause}")?;
        }
        match &self.advice {
            Some(advice) => writeln!(f, "help: {advice}"),
            None => Ok(()),
        }
    }
}

#[derive(Default)]
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

/// What the change knew of the data syncs that it endangered, if it did.
fn syncs(change: &Change) -> Option<String> {
    let (ChangeKind::TrustedAccessDisabled { syncs, .. } | ChangeKind::AdministratorDeregistered { syncs, .. }) =
        &change.kind
    else {
        return None;
    };
    match syncs {
        SyncsReport::Forfeited => Some("data syncs: not looked for".to_owned()),
        SyncsReport::NoneSeen(looks) => {
            let looks = looks.iter().map(|look| {
                let regions: Vec<_> = look.regions.iter().map(AsRef::as_ref).collect();
                format!("account {} in {}", look.account, regions.join(", "))
            });
            Some(format!("data syncs: none seen of {}", looks.collect::<Vec<_>>().join(", of ")))
        }
        _ => None,
    }
}

fn since(date: Option<SystemTime>) -> String {
    let seconds = date
        .and_then(|date| date.duration_since(UNIX_EPOCH).ok())
        .and_then(|elapsed| i64::try_from(elapsed.as_secs()).ok())
        .and_then(|seconds| DateTime::from_secs(seconds).fmt(Format::DateTime).ok());
    seconds.map_or("since an unknown date".to_owned(), |text| format!("since {text}"))
}
