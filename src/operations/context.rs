//! Context and results shared by all operations.

use super::ChangeLog;
use crate::domain::{CallContext, Certainty, ServiceStatus};
use crate::error::Error;
use crate::observation::{RetryingClient, retrying};
use crate::wait::WaitPolicy;

/// Context shared by all operations.
pub(crate) struct OperationContext<'a, C: ?Sized> {
    pub(crate) client: RetryingClient<'a, C>,
    pub(crate) known: &'a CallContext,
    /// Limit of each wait: until AWS shows a change, and until AWS accepts a throttled write.
    pub(crate) wait_policy: WaitPolicy<'a>,
    pub(crate) change_log: &'a mut ChangeLog,
}

impl<'a, C: ?Sized> OperationContext<'a, C> {
    pub(crate) fn new(
        client: &'a C,
        known: &'a CallContext,
        wait_policy: WaitPolicy<'a>,
        change_log: &'a mut ChangeLog,
    ) -> Self {
        Self { client: retrying(client, wait_policy), known, wait_policy, change_log }
    }
}

/// Result of a completed operation.
#[derive(Debug)]
pub(crate) struct Completed {
    pub(crate) status: ServiceStatus,
    /// The certainty that this crate made the change; `None` if no change was needed.
    pub(crate) ours: Option<Certainty>,
}

/// Failure of an operation, with the organization's state known afterwards.
#[derive(Debug)]
pub(crate) enum OperationFailure {
    /// Nothing was sent, or a later read shows the previous state.
    Unchanged(Error),
    /// A read shows another state.
    Changed(Error, ServiceStatus),
    /// A write may have been applied and no read confirms the result, or the state cannot be read.
    Unknown(Error),
}

impl OperationFailure {
    pub(super) fn map(self, change: impl FnOnce(Error) -> Error) -> Self {
        match self {
            Self::Unchanged(error) => Self::Unchanged(change(error)),
            Self::Changed(error, facts) => Self::Changed(change(error), facts),
            Self::Unknown(error) => Self::Unknown(change(error)),
        }
    }
}
