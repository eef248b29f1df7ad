//! Types of this crate's domain: AWS's identifiers, resources, changes and preconditions.
//!
//! An identifier is validated when it is created, so every value is valid.

/// Implements `Serialize` and `Deserialize` for an identifier, with the feature `serde`.
///
/// The identifier is written as its text. Reading validates the text with the identifier's rule.
macro_rules! serde_as_text {
    ($name:ident) => {
        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                Self::try_from(&*text).map_err(serde::de::Error::custom)
            }
        }
    };
}
use serde_as_text;

mod account_id;
mod change;
mod data_sync;
mod ensure_outcome;
mod identifiers;
pub(crate) mod json;
pub(crate) mod limits;
mod operation;
mod organization;
mod partition;
mod precondition;
pub(crate) mod redact;
mod role;
#[cfg(feature = "serde")]
pub(crate) mod serialization;
mod service_status;
mod sync_definition;
mod sync_location;
mod wording;

pub use account_id::AccountId;
pub use change::{Certainty, Change, ChangeKind};
pub use data_sync::{DataSync, SyncSourceType, SyncState, SyncStatus, SyncType};
pub use ensure_outcome::EnsureOutcome;
pub use identifiers::{
    DeletionTaskId, OrganizationId, OrganizationalUnitId, PageToken, Partition, Region, RoleId, RoleName,
    ServicePrincipal, SyncName,
};
pub use operation::Operation;
pub use organization::{
    Account, AccountState, CallerIdentity, DelegatedAdministrator, EnabledService, FeatureSet, Organization,
    OrganizationalUnit, Page,
};
pub use partition::GlobalEndpoint;
pub use precondition::Precondition;
pub use role::{DeletionStatus, Role, RoleUsage};

pub(crate) use service_status::{
    CallContext, SYSTEMS_MANAGER, allows_one_administrator, changes_of_service, same_date,
};
pub use service_status::{ServiceState, ServiceStatus};
pub use sync_definition::{OrganizationalUnits, SourceRegions, SyncDefinition, SyncSource};
pub use sync_location::{BlockingSync, CheckedRegions, DataSyncId, SyncCheckReport};
pub(crate) use sync_location::{has_same_definition, is_same_sync};
pub(crate) use wording::{join_with_and, service_name};

/// Error returned for a text that breaks the rule of its type.
///
/// The constructors of the identifiers return this error before any call is made. The error
/// converts into [`Error`](crate::Error) of kind [`InvalidInput`](crate::ErrorKind::InvalidInput).
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{given:?} is not {what}: {expected}")]
pub struct InvalidValue {
    what: &'static str,
    expected: &'static str,
    given: String,
}

impl InvalidValue {
    pub(crate) fn new(what: &'static str, expected: &'static str, given: &str) -> Self {
        Self { what, expected, given: given.to_owned() }
    }

    /// Returns the name of the expected value with an article, such as "an account id".
    #[must_use]
    pub fn what(&self) -> &'static str {
        self.what
    }

    /// Returns a description of the values that AWS allows.
    #[must_use]
    pub fn expected(&self) -> &'static str {
        self.expected
    }

    /// Returns the rejected text. E-mail addresses, access keys and secrets in the text are
    /// replaced.
    #[must_use]
    pub fn given(&self) -> &str {
        &self.given
    }
}
