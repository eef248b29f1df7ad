//! Traces of a run: spans and events for `tracing`, and the records of its writes.
//!
//! `tracing` gets one span for each operation and one event for each completed AWS call.

#[cfg(any(feature = "aws", feature = "sim"))]
mod call;
mod record;

#[cfg(any(feature = "aws", feature = "sim"))]
pub(crate) use call::CallEvent;
pub use record::{ChangeRecorder, RecordError, WriteEvent};
pub(crate) use record::{Moment, SentWrite};

/// Creates the span of an operation, with fields that are each an `Option`.
///
/// With `in $known`, the span also has the organization and the caller of that `CallContext`.
macro_rules! span {
    ($name:literal in $known:expr $(, $field:ident: $value:expr)*) => {{
        let known: &crate::domain::CallContext = $known;
        crate::trace::span!(
            $name,
            organization: Some(&known.organization.id),
            caller: known.caller
            $(, $field: $value)*
        )
    }};
    ($name:literal $(, $field:ident: $value:expr)*) => {
        tracing::info_span!(
            target: "ssm_organizations",
            concat!("ssm_organizations::", $name),
            $($field = $value.map(tracing::field::display)),*
        )
    };
}
pub(crate) use span;
