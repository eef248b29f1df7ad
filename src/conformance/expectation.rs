//! Results of check steps, and expectations about responses.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::domain::{InvalidValue, Operation};
use crate::error::{Error, ErrorKind, WriteStatus};

/// Early end of a check.
#[derive(Debug)]
pub(super) enum CheckExit {
    /// The fixture or the implementation lacks something that the check needs.
    Skip { why: String },
    /// The rule does not hold.
    Fail { expected: String, seen: String },
}

/// Result of a check step: `Ok` if the rule holds.
pub(super) type CheckStepResult = Result<(), CheckExit>;

impl CheckExit {
    pub(super) fn skip(why: impl Into<String>) -> Self {
        Self::Skip { why: why.into() }
    }
}

impl From<InvalidValue> for CheckExit {
    fn from(invalid: InvalidValue) -> Self {
        Error::from(invalid).into()
    }
}

/// Converts the error of a call that must succeed: an unsupported call skips the check, any other
/// error fails it.
impl From<Error> for CheckExit {
    fn from(error: Error) -> Self {
        if *error.kind() == ErrorKind::Unsupported {
            return Self::Skip { why: format!("{error:#}") };
        }
        let call = error.operation().map_or("the call", Operation::name);
        Self::Fail { expected: format!("{call} is answered"), seen: described(&error) }
    }
}

/// Fails unless `holds` is true.
pub(super) fn expect(holds: bool, expected: impl fmt::Display, seen: impl fmt::Display) -> CheckStepResult {
    if holds { Ok(()) } else { Err(CheckExit::Fail { expected: expected.to_string(), seen: seen.to_string() }) }
}

/// Formats an error for a report: AWS's code, reason and message, if there are any.
///
/// Without a code the result is this crate's own description.
pub(super) fn described(error: &Error) -> String {
    let message = error.message().map(|message| format!(": {message}")).unwrap_or_default();
    match (error.code(), error.reason()) {
        (Some(code), Some(reason)) => format!("{code} ({reason}){message}"),
        (Some(code), None) => format!("{code}{message}"),
        (None, _) => format!("{error:#}"),
    }
}

/// Error that AWS documents for a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct ExpectedError {
    code: &'static str,
    /// Reasons that AWS documents for the code; empty if there are none.
    ///
    /// A response without a reason also matches, because the API's members are optional.
    reasons: &'static [&'static str],
}

impl ExpectedError {
    pub(super) const fn new(code: &'static str) -> Self {
        Self { code, reasons: &[] }
    }

    pub(super) const fn with_reasons(code: &'static str, reasons: &'static [&'static str]) -> Self {
        Self { code, reasons }
    }

    pub(super) fn fits(&self, error: &Error) -> bool {
        let reason_fits = |reason| self.reasons.is_empty() || self.reasons.contains(&reason);
        error.code() == Some(self.code) && error.reason().is_none_or(reason_fits)
    }
}

impl fmt::Display for ExpectedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)?;
        if self.reasons.is_empty() { Ok(()) } else { write!(f, " ({})", self.reasons.join(" or ")) }
    }
}

/// Expects a call to fail with one of these errors.
pub(super) fn refused<T>(operation: Operation, answer: Result<T, Error>, allowed: &[ExpectedError]) -> CheckStepResult {
    let allowed_texts: Vec<_> = allowed.iter().map(ToString::to_string).collect();
    let expected = format!("{operation} is refused with {}", allowed_texts.join(", or "));
    match answer {
        Ok(_) => expect(false, expected, "it was accepted"),
        Err(error) if *error.kind() == ErrorKind::Unsupported => Err(error.into()),
        Err(error) => {
            expect(allowed.iter().any(|refusal| refusal.fits(&error)), expected, described(&error))?;
            // The crate reads the operation and the write status to choose between a retry and a
            // read.
            let named = error.operation().map_or("no operation".to_owned(), |named| named.to_string());
            expect(error.operation() == Some(operation), format!("the error is one of {operation}"), named)?;
            let applied = error.write_status();
            expect(
                applied == WriteStatus::NotApplied,
                "the error of a refusal says that nothing was applied",
                format!("{applied:?}"),
            )
        }
    }
}

/// Expects a plausible date: not zero and not in another unit than seconds.
pub(super) fn dated(what: &str, date: Option<SystemTime>) -> Result<SystemTime, CheckExit> {
    // From 2010 (the year before IAM became available) to 2200.
    let plausible = Duration::from_hours(40 * 365 * 24)..Duration::from_hours(230 * 365 * 24);
    let since = date.and_then(|date| date.duration_since(SystemTime::UNIX_EPOCH).ok());
    match date {
        Some(date) if since.is_some_and(|since| plausible.contains(&since)) => Ok(date),
        _ => Err(CheckExit::Fail { expected: format!("{what} has a date of AWS's"), seen: format!("{date:?}") }),
    }
}
