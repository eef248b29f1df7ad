use std::fmt;

use crate::domain::{AccountId, Operation, Region};
use crate::error::Error;

/// Call made by a client.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Call {
    /// Operation that was called.
    pub operation: Operation,
    /// Account of the caller.
    pub caller: AccountId,
    /// Account that the call concerns, if any.
    pub account: Option<AccountId>,
    /// Region of the call; `None` for services without Regions.
    pub region: Option<Region>,
    /// Outcome of the call.
    pub outcome: CallOutcome,
}

/// Call of an operation that is only available over AWS's protocols.
#[cfg(feature = "sim-aws")]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct FurtherCall {
    /// IAM action of the operation, such as `organizations:CreateAccount`.
    pub action: &'static str,
    /// Account of the caller.
    pub caller: AccountId,
    /// `true` for an operation that changes a resource.
    pub is_write: bool,
    /// Outcome of the call.
    pub outcome: CallOutcome,
}

/// Outcome of a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallOutcome {
    /// The call succeeded.
    Success,
    /// AWS refused the call. Contains AWS's code and, if there is one, the reason.
    Refused(String),
    /// The caller received no response, because the response was lost or the future was dropped.
    /// The effect may have taken place.
    ResponseLost,
}

impl Call {
    /// Returns whether the call is a write.
    #[must_use]
    pub fn is_write(&self) -> bool {
        self.operation.is_write()
    }
}

impl CallOutcome {
    pub(super) fn of(error: &Error) -> Self {
        error.code().map_or(Self::ResponseLost, |code| Self::refused(code, error.reason()))
    }

    pub(super) fn refused(code: &str, reason: Option<&str>) -> Self {
        Self::Refused(match reason {
            None => code.to_owned(),
            Some(reason) => format!("{code} ({reason})"),
        })
    }
}

/// Formats the call, for example as `RegisterDelegatedAdministrator 222222222222 as 111111111111:
/// answered`.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation)?;
        if let Some(account) = self.account {
            write!(f, " {account}")?;
        }
        if let Some(region) = &self.region {
            write!(f, " in {region}")?;
        }
        write!(f, " as {}: {}", self.caller, self.outcome)
    }
}

impl fmt::Display for CallOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success => f.write_str("answered"),
            Self::Refused(code) => write!(f, "refused, {code}"),
            Self::ResponseLost => f.write_str("reply lost"),
        }
    }
}
