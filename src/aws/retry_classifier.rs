use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority, RetryReason,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::ErrorKind;

use super::error::code;

/// Retry classifier that allows a repetition of a write with error type `E` only after a refusal.
///
/// The classifier runs last, so that no other classifier can allow a retry that it forbids.
pub(super) struct NoRetryOnUnknownOutcome<E>(PhantomData<fn(E)>);

impl<E> NoRetryOnUnknownOutcome<E> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E> fmt::Debug for NoRetryOnUnknownOutcome<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnlyAfterRefusal")
    }
}

impl<E: StdError + ProvideErrorMetadata + Send + Sync + 'static> ClassifyRetry for NoRetryOnUnknownOutcome<E> {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        self.classify_retry_v2(context, &RetryAction::NoActionIndicated)
    }

    fn classify_retry_v2(&self, context: &InterceptorContext, previous: &RetryAction) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else {
            return RetryAction::NoActionIndicated;
        };
        let refusal = error.as_operation_error().and_then(|error| error.downcast_ref::<E>());
        match refusal.and_then(code) {
            // AWS allows one change at a time. The backoff after throttling is the longest of the
            // SDK.
            Some("ConcurrentModificationException" | "ConcurrentModification" | "FinalizingOrganizationException") => {
                RetryAction::throttling_error()
            }
            // A quota. The SDK treats the code as throttling, as other services use it.
            Some("LimitExceededException" | "LimitExceeded") | None => RetryAction::RetryForbidden,
            // Throttling is a refusal, unless only a classifier of the caller reports throttling.
            Some(code) if is_throttling(previous) && !is_in_doubt(code, context) => RetryAction::NoActionIndicated,
            Some(_) => RetryAction::RetryForbidden,
        }
    }

    fn name(&self) -> &'static str {
        "Only After Refusal"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

/// Returns whether the response leaves the effect of the call unknown.
fn is_in_doubt(code: &str, context: &InterceptorContext) -> bool {
    crate::error::is_outcome_unknown(code)
        || context.response().is_some_and(|answer| answer.status().is_server_error() || answer.status().as_u16() == 408)
}

fn is_throttling(action: &RetryAction) -> bool {
    matches!(action, RetryAction::RetryIndicated(RetryReason::RetryableError { kind: ErrorKind::ThrottlingError, .. }))
}
