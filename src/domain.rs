//! AWS's identifiers: parsed once, valid ever after.

/// With the feature `serde`: written as it is displayed, and read with its rule where it would be written so again.
macro_rules! serde_as_text {
    ($name:ident) => {
        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                if crate::redact::has_secret(&text) {
                    return Err(serde::de::Error::custom(crate::redact::UNWRITTEN));
                }
                Self::try_from(&*text).map_err(serde::de::Error::custom)
            }
        }
    };
}
use serde_as_text;

mod account_id;
mod text;

pub use account_id::AccountId;
pub use text::{
    DeletionTaskId, GlobalEndpoint, OrganizationId, OrganizationalUnitId, PageToken, Partition, Region, RoleId,
    RoleName, ServicePrincipal, SyncName,
};

/// A text that is not what it was taken for.
///
/// Made by the constructors of the identifiers, before any call is made; it converts into [`Error`](crate::Error)
/// of kind [`InvalidInput`](crate::ErrorKind::InvalidInput).
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
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
