use std::fmt;

use tracing::Level;

use crate::domain::{AccountId, Region};
use crate::error::Error;
use crate::ports::Operation;
use crate::redact::redact;

/// A call of AWS that came to an end.
pub(crate) struct Called<'a> {
    pub(crate) operation: Operation,
    /// `None` where the client does not know: then the span of the operation says who calls, if anybody knows.
    pub(crate) caller: Option<AccountId>,
    pub(crate) account: Option<AccountId>,
    pub(crate) region: Option<&'a Region>,
    pub(crate) attempts: u32,
    pub(crate) request_id: Option<&'a str>,
    /// What went wrong, if anything did.
    pub(crate) error: Option<&'a Error>,
}

impl Called<'_> {
    /// Tells of it: of a write at the level `INFO`, of a read at `DEBUG`.
    pub(crate) fn tell(&self) {
        macro_rules! tell {
            ($level:expr) => {
                tracing::event!(
                    target: "ssm_organizations",
                    $level,
                    operation = self.operation.name(),
                    caller = self.caller.map(tracing::field::display),
                    account = self.account.map(tracing::field::display),
                    region = self.region.map(tracing::field::display),
                    attempts = self.attempts,
                    outcome = %Outcome(self.error),
                    reason = self.error.and_then(Error::reason),
                    request_id = self.request_id.map(redact).as_deref(),
                    "called AWS"
                )
            };
        }
        if self.operation.is_write() { tell!(Level::INFO) } else { tell!(Level::DEBUG) }
    }
}

/// `ok`, AWS's code, or, where it gave none, the name of the kind.
struct Outcome<'a>(Option<&'a Error>);

impl fmt::Display for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.map(|error| (error.code(), error)) {
            None => f.write_str("ok"),
            Some((Some(code), _)) => f.write_str(code),
            // Those that no code stands for have no fields.
            Some((None, error)) => write!(f, "{:?}", error.kind()),
        }
    }
}
