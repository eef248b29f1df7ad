//! What this crate tells of itself through `tracing`: a span for each operation, and an event for each call that came to an end.

#[cfg(any(feature = "aws", feature = "sim"))]
mod call;

#[cfg(any(feature = "aws", feature = "sim"))]
pub(crate) use call::Called;

/// The span of an operation: of one in an organization that is known, or with the fields that are, each an `Option`.
macro_rules! span {
    ($name:literal in $known:expr $(, $field:ident: $value:expr)*) => {{
        let known: &crate::observation::Known = $known;
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
