use std::fmt;

use tracing::Level;

use crate::domain::redact::redact;
use crate::domain::{AccountId, Operation, Region};
use crate::error::Error;

/// A completed AWS call.
pub(crate) struct CallEvent<'a> {
    pub(crate) operation: Operation,
    /// Account of the caller; `None` when the client does not know the caller.
    ///
    /// The span of the operation then holds the caller, if known.
    pub(crate) caller: Option<AccountId>,
    pub(crate) account: Option<AccountId>,
    pub(crate) region: Option<&'a Region>,
    pub(crate) attempts: u32,
    pub(crate) request_id: Option<&'a str>,
    /// The error of the call; `None` after a success.
    pub(crate) error: Option<&'a Error>,
}

impl CallEvent<'_> {
    /// Emits the event: a write at the level `INFO`, a read at `DEBUG`.
    pub(crate) fn emit(&self) {
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
                    outcome = %CallOutcomeText(self.error),
                    reason = self.error.and_then(Error::reason),
                    request_id = self.request_id.map(redact).as_deref(),
                    "called AWS"
                )
            };
        }
        if self.operation.is_write() { tell!(Level::INFO) } else { tell!(Level::DEBUG) }
    }
}

/// Outcome of a call as text: `ok`, AWS's error code, or the error kind if there is no code.
struct CallOutcomeText<'a>(Option<&'a Error>);

impl fmt::Display for CallOutcomeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.map(|error| (error.code(), error)) {
            None => f.write_str("ok"),
            Some((Some(code), _)) => f.write_str(code),
            // Error kinds without an AWS code have no fields, so `Debug` writes only the name.
            Some((None, error)) => write!(f, "{:?}", error.kind()),
        }
    }
}
