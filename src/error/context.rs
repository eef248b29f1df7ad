//! Methods that add context to an error on its way to the user.

use std::time::Duration;

use super::source::Source;
use super::{Confidence, Error, ErrorKind, Repr, RetryStatus, WriteStatus, classify};
use crate::domain::{
    AccountId, CallContext, Change, Operation, Organization, SYSTEMS_MANAGER, ServicePrincipal, ServiceStatus,
    SyncDefinition,
};
use crate::policy::PolicyScope;

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Repr { kind, ..Repr::default() }))
    }

    /// Creates the error of an invalid input, with the name of the input and the valid values.
    pub(crate) fn invalid_input(input: impl std::fmt::Display, expected: impl std::fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidInput).with_message(format!("{input}: expected {expected}"))
    }

    pub(crate) fn with_operation(mut self, operation: Operation) -> Self {
        self.0.operation = Some(operation);
        self
    }

    pub(crate) fn with_account(mut self, account: AccountId) -> Self {
        self.0.account = Some(account);
        self
    }

    /// Sets the companion service if the call concerns one service.
    ///
    /// Systems Manager is the default and is not stored.
    pub(crate) fn with_service(mut self, principal: &ServicePrincipal) -> Self {
        if *principal != SYSTEMS_MANAGER && self.0.operation.is_some_and(Operation::concerns_service) {
            self.0.companion = Some(principal.clone());
        }
        self
    }

    /// Records whether the error concerns a sync of a single account.
    pub(crate) fn with_sync(mut self, sync: &SyncDefinition) -> Self {
        self.0.for_one_account = !sync.is_of_organization();
        self
    }

    pub(crate) fn with_caller(mut self, caller: Option<AccountId>) -> Self {
        self.0.caller = caller.or(self.0.caller);
        self
    }

    pub(crate) fn with_write_status(mut self, applied: WriteStatus) -> Self {
        self.0.applied = applied;
        self
    }

    /// Sets the changes that the handle had made before the error.
    pub(crate) fn with_changes(mut self, changes: &[Change]) -> Self {
        self.0.changes = changes.to_vec();
        self
    }

    /// Returns the error as one of a deadline that passed.
    pub(crate) fn with_deadline_exceeded(self) -> Self {
        self.with_confirmed_kind(ErrorKind::DeadlineExceeded).with_retry(RetryStatus::Exhausted)
    }

    /// Returns all successes, or the first error with every other error as a related error.
    pub(crate) fn all<T>(results: impl IntoIterator<Item = Result<T, Self>>) -> Result<Vec<T>, Self> {
        let (mut successes, mut first) = (Vec::new(), None::<Self>);
        for result in results {
            match (result, &mut first) {
                (Ok(success), _) => successes.push(success),
                (Err(error), None) => first = Some(error),
                (Err(mut error), Some(first)) => {
                    let behind = std::mem::take(&mut error.0.further);
                    first.0.further.push(error);
                    first.0.further.extend(behind);
                }
            }
        }
        first.map_or(Ok(successes), Err)
    }

    /// Ends the retries of a refused call after the wait limit.
    pub(crate) fn exhausted_after(mut self, limit: Duration) -> Self {
        self.0.retried_for = Some(limit).filter(|limit| !limit.is_zero());
        self.with_retry(RetryStatus::Exhausted)
    }

    /// Returns the refusal with a kind that a read confirmed.
    pub(crate) fn with_confirmed_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self.0.confidence = Confidence::Confirmed;
        self.0.explained = true;
        self
    }

    /// Returns the refusal with the kind that fits the known facts best.
    pub(crate) fn with_inferred_kind(self, kind: ErrorKind) -> Self {
        let mut error = self.with_confirmed_kind(kind);
        error.0.confidence = Confidence::Inferred;
        error
    }

    /// Returns the refusal as [`ErrorKind::ServiceError`], because reads contradict the kind that
    /// AWS reported.
    pub(crate) fn with_unexplained_kind(self) -> Self {
        let mut error = self.with_confirmed_kind(ErrorKind::ServiceError);
        error.0.confidence = Confidence::Reported;
        error
    }

    /// Returns the error with the client's own error as its source, and `said` to print the chain
    /// of sources.
    #[cfg(feature = "aws")]
    pub(crate) fn with_source_saying(
        mut self,
        source: Box<dyn std::error::Error + Send + Sync>,
        said: super::source::TextFilter,
    ) -> Self {
        self.0.source = Some(Source::new(source, said, self.message()));
        self
    }

    /// Returns the error with the kind of the HTTP status, which is more specific than the code.
    #[cfg(feature = "aws")]
    pub(crate) fn reclassify_by_status(self, kind: ErrorKind) -> Self {
        let (retry, applied) = match kind {
            // A failure may occur before or after the effect of the call.
            ErrorKind::ResponseLost => {
                (RetryStatus::Temporary, self.0.operation.map_or(WriteStatus::Unknown, WriteStatus::for_lost_response))
            }
            ErrorKind::Throttled => (RetryStatus::Temporary, WriteStatus::NotApplied),
            _ => (RetryStatus::Permanent, WriteStatus::NotApplied),
        };
        self.with_confirmed_kind(kind).with_retry(retry).with_write_status(applied)
    }

    /// Returns the refusal with the service status that a read showed afterwards.
    pub(crate) fn with_status(mut self, now: &ServiceStatus) -> Self {
        self.0.observed_status = Some(now.clone());
        self
    }

    /// Sets the management account and the policy scope of the organization.
    pub(crate) fn with_organization(mut self, organization: &Organization) -> Self {
        self.0.management = Some(organization.management_account);
        self.0.scope = PolicyScope::from(organization);
        self
    }

    /// Sets the organization and the caller.
    pub(crate) fn with_context(self, known: &CallContext) -> Self {
        self.with_organization(&known.organization).with_caller(known.caller)
    }

    /// Sets the remedies, most likely first.
    #[cfg(feature = "aws")]
    pub(crate) fn with_remedies(mut self, remedies: impl IntoIterator<Item = super::Remedy>) -> Self {
        self.0.advised = remedies.into_iter().collect();
        self
    }

    /// Sets the kind that AWS reports, unless another source determined the kind.
    pub(super) fn with_reported_kind(mut self) -> Self {
        let repr = &mut *self.0;
        if let (Some(operation), Some(code), false) = (repr.operation, &repr.code, repr.explained) {
            let meaning = classify::classify(operation, code, repr.reason.as_deref(), repr.message.as_deref());
            repr.kind = meaning.kind;
            repr.confidence = meaning.confidence;
        }
        self
    }

    /// Returns the source if it is an error of this crate.
    pub(super) fn own_source(&self) -> Option<&Self> {
        match &self.0.source {
            Some(Source::Own(error)) => Some(error),
            _ => None,
        }
    }
}
