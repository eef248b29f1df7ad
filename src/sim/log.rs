use std::fmt;

use crate::domain::{AccountId, Region};
use crate::error::Error;
use crate::ports::Operation;

/// A call that a client made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Call {
    /// What was called.
    pub operation: Operation,
    /// The account that called.
    pub caller: AccountId,
    /// The account that it was about, if any.
    pub account: Option<AccountId>,
    /// The Region; `None` for services that have none.
    pub region: Option<Region>,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// With an answer.
    Answered,
    /// With a refusal, by AWS's code and, where there is one, its reason.
    Refused(String),
    /// Without a reply, because it was lost or because nobody waited for it. The effect may have taken place.
    Lost,
}

impl Call {
    /// Whether it was sent to change something.
    #[must_use]
    pub fn is_write(&self) -> bool {
        self.operation.is_write()
    }
}

impl Outcome {
    pub(super) fn of(error: &Error) -> Self {
        match (error.code(), error.reason()) {
            (None, _) => Self::Lost,
            (Some(code), None) => Self::Refused(code.to_owned()),
            (Some(code), Some(reason)) => Self::Refused(format!("{code} ({reason})")),
        }
    }
}

/// `RegisterDelegatedAdministrator 222222222222 as 111111111111: answered`.
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

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered => f.write_str("answered"),
            Self::Refused(code) => write!(f, "refused, {code}"),
            Self::Lost => f.write_str("reply lost"),
        }
    }
}
