//! How a check ends, and what it says of answers.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::error::{Applied, Error, ErrorKind};
use crate::ports::Operation;

/// How a check ends before its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// The fixture, or the implementation, lacks what it needs.
    Skip { why: String },
    /// The rule does not hold.
    Fail { expected: String, seen: String },
}

/// `Ok` where the rule holds.
pub(super) type Outcome = Result<(), Stop>;

impl Stop {
    pub(super) fn skip(why: impl Into<String>) -> Self {
        Self::Skip { why: why.into() }
    }
}

/// A call that should have been answered. What the implementation does not offer is skipped, not failed.
impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        if *error.kind() == ErrorKind::Unsupported {
            return Self::Skip { why: format!("{error:#}") };
        }
        let call = error.operation().map_or("the call", Operation::name);
        Self::Fail { expected: format!("{call} is answered"), seen: described(&error) }
    }
}

/// Fails unless it holds.
pub(super) fn expect(holds: bool, expected: impl fmt::Display, seen: impl fmt::Display) -> Outcome {
    if holds { Ok(()) } else { Err(Stop::Fail { expected: expected.to_string(), seen: seen.to_string() }) }
}

/// An error as a report shows it: what AWS said counts more than what this crate makes of it.
pub(super) fn described(error: &Error) -> String {
    let message = error.message().map(|message| format!(": {message}")).unwrap_or_default();
    match (error.code(), error.reason()) {
        (Some(code), Some(reason)) => format!("{code} ({reason}){message}"),
        (Some(code), None) => format!("{code}{message}"),
        (None, _) => format!("{error:#}"),
    }
}

/// A refusal that AWS documents.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal {
    code: &'static str,
    /// Those that may come with it. None is named where the code has none, and none need come: the API's members are optional.
    reasons: &'static [&'static str],
}

impl Refusal {
    pub(super) const fn new(code: &'static str) -> Self {
        Self { code, reasons: &[] }
    }

    pub(super) const fn with_reasons(code: &'static str, reasons: &'static [&'static str]) -> Self {
        Self { code, reasons }
    }

    fn fits(&self, error: &Error) -> bool {
        let reason_fits = |reason| self.reasons.is_empty() || self.reasons.contains(&reason);
        error.code() == Some(self.code) && error.reason().is_none_or(reason_fits)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)?;
        if self.reasons.is_empty() { Ok(()) } else { write!(f, " ({})", self.reasons.join(" or ")) }
    }
}

/// Expects AWS to refuse a call in one of these ways.
pub(super) fn refused<T>(operation: Operation, answer: Result<T, Error>, allowed: &[Refusal]) -> Outcome {
    let allowed_texts: Vec<_> = allowed.iter().map(ToString::to_string).collect();
    let expected = format!("{operation} is refused with {}", allowed_texts.join(", or "));
    match answer {
        Ok(_) => expect(false, expected, "it was accepted"),
        Err(error) if *error.kind() == ErrorKind::Unsupported => Err(error.into()),
        Err(error) => {
            expect(allowed.iter().any(|refusal| refusal.fits(&error)), expected, described(&error))?;
            // The crate decides by these whether to look before it tries again.
            let named = error.operation().map_or("no operation".to_owned(), |named| named.to_string());
            expect(error.operation() == Some(operation), format!("the error is one of {operation}"), named)?;
            let applied = error.applied();
            expect(
                applied == Applied::No,
                "the error of a refusal says that nothing was applied",
                format!("{applied:?}"),
            )
        }
    }
}

/// Expects a date that AWS may have given: not a zero, and not one in another unit.
pub(super) fn dated(what: &str, date: Option<SystemTime>) -> Result<SystemTime, Stop> {
    // Until 2010 there was no IAM, and nobody's clock is in 2200.
    let plausible = Duration::from_hours(40 * 365 * 24)..Duration::from_hours(230 * 365 * 24);
    let since = date.and_then(|date| date.duration_since(SystemTime::UNIX_EPOCH).ok());
    match date {
        Some(date) if since.is_some_and(|since| plausible.contains(&since)) => Ok(date),
        _ => Err(Stop::Fail { expected: format!("{what} has a date of AWS's"), seen: format!("{date:?}") }),
    }
}
