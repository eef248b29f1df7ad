//! AWS's identifiers: parsed once, valid ever after.

mod account_id;
mod text;

pub use account_id::AccountId;
pub use text::{OrganizationId, PageToken, Partition, Region, ServicePrincipal, SyncName};

/// A text that is not what it was taken for.
///
/// Made by the constructors of the identifiers, before any call is made; it converts into [`Error`](crate::Error)
/// of kind [`InvalidInput`](crate::ErrorKind::InvalidInput).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not {what}: {expected}")]
pub struct InvalidIdentifier {
    what: &'static str,
    expected: &'static str,
    given: String,
}

impl InvalidIdentifier {
    /// What the text was meant to be, with its article: "an account id".
    #[must_use]
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// What AWS allows there.
    #[must_use]
    pub fn expected(&self) -> &'static str {
        self.expected
    }

    /// The text as it was given, e-mail addresses left out.
    #[must_use]
    pub fn given(&self) -> &str {
        &self.given
    }
}
