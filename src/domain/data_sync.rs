use crate::domain::{OrganizationalUnits, SourceRegions, SyncDefinition, SyncSource};
use std::time::SystemTime;

use super::redact::redact;
use super::{OrganizationalUnitId, Region, SyncName};

/// Type of a resource data sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SyncType {
    /// The type for Explorer: the sync collects OpsData from accounts and Regions.
    SyncFromSource,
    /// The type for Inventory: the sync writes to an S3 bucket. AWS assumes this type by default.
    SyncToDestination,
}

impl SyncType {
    /// Returns AWS's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SyncFromSource => "SyncFromSource",
            Self::SyncToDestination => "SyncToDestination",
        }
    }
}

/// Source of an Explorer sync, as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SyncSourceType {
    /// The accounts of the organization. Such a sync needs trusted access.
    AwsOrganizations,
    /// Regions of the sync's own account. Such a sync is independent of the organization.
    SingleAccountMultiRegions,
    /// A source that this release does not know, in AWS's spelling.
    Other(String),
}

impl SyncSourceType {
    /// Returns AWS's spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::AwsOrganizations => "AwsOrganizations",
            Self::SingleAccountMultiRegions => "SingleAccountMultiRegions",
            Self::Other(text) => text,
        }
    }
}

impl From<&str> for SyncSourceType {
    /// Parses AWS's spelling of a source.
    ///
    /// AWS's documents spell `SingleAccountMultiRegions` in two ways, so case is ignored.
    fn from(text: &str) -> Self {
        if text.eq_ignore_ascii_case("AwsOrganizations") {
            Self::AwsOrganizations
        } else if text.eq_ignore_ascii_case("SingleAccountMultiRegions") {
            Self::SingleAccountMultiRegions
        } else {
            Self::Other(redact(text).into_owned())
        }
    }
}

/// Health of an organization sync.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SyncState {
    /// AWS shows no problem.
    #[default]
    Healthy,
    /// The organization does not exist.
    OrganizationNotExists,
    /// The service-linked role is missing.
    NoPermissions,
    /// One of the organizational units is not valid.
    InvalidOrganizationalUnit,
    /// Trusted access was disabled.
    TrustedAccessDisabled,
    /// A state that this release does not know, in AWS's spelling.
    Other(String),
}

impl SyncState {
    /// Returns AWS's spelling; `None` for a healthy sync, for which AWS shows no state.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Healthy => None,
            Self::OrganizationNotExists => Some("OrganizationNotExists"),
            Self::NoPermissions => Some("NoPermissions"),
            Self::InvalidOrganizationalUnit => Some("InvalidOrganizationalUnit"),
            Self::TrustedAccessDisabled => Some("TrustedAccessDisabled"),
            Self::Other(text) => Some(text),
        }
    }
}

impl SyncState {
    #[cfg(feature = "serde")]
    fn is_healthy(&self) -> bool {
        *self == Self::Healthy
    }
}

impl From<&str> for SyncState {
    fn from(text: &str) -> Self {
        match text {
            "" => Self::Healthy,
            "OrganizationNotExists" => Self::OrganizationNotExists,
            "NoPermissions" => Self::NoPermissions,
            "InvalidOrganizationalUnit" => Self::InvalidOrganizationalUnit,
            "TrustedAccessDisabled" => Self::TrustedAccessDisabled,
            other => Self::Other(redact(other).into_owned()),
        }
    }
}

/// Result of the last run of a sync.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SyncStatus {
    /// The last run succeeded.
    Successful,
    /// The last run failed.
    Failed,
    /// The last run has not ended.
    InProgress,
    /// A status that this release does not know, in AWS's spelling.
    Other(String),
}

impl SyncStatus {
    /// Returns AWS's spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Successful => "Successful",
            Self::Failed => "Failed",
            Self::InProgress => "InProgress",
            Self::Other(text) => text,
        }
    }
}

impl From<&str> for SyncStatus {
    fn from(text: &str) -> Self {
        match text {
            "Successful" => Self::Successful,
            "Failed" => Self::Failed,
            "InProgress" => Self::InProgress,
            other => Self::Other(redact(other).into_owned()),
        }
    }
}

/// A resource data sync, as a listing shows it.
///
/// An attribute that AWS does not show is `None`. `None` means unknown, not `false`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub struct DataSync {
    /// The name of the sync, unique in its account and Region.
    pub name: SyncName,
    /// The source of the sync.
    #[cfg_attr(feature = "serde", serde(rename = "source", default, skip_serializing_if = "Option::is_none"))]
    pub source_type: Option<SyncSourceType>,
    /// The organizational units; empty for the entire organization and for other sources.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub units: Vec<OrganizationalUnitId>,
    /// The Regions from which the sync collects.
    #[cfg_attr(feature = "serde", serde(rename = "source_regions", default, skip_serializing_if = "Vec::is_empty"))]
    pub regions: Vec<Region>,
    /// `true` if the sync includes Regions that AWS opens later.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub future_regions: Option<bool>,
    /// `true` if the sync enables every source of OpsData.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub all_ops_data_sources: Option<bool>,
    /// The health of the sync.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "SyncState::is_healthy"))]
    pub state: SyncState,
    /// The result of the last run.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub last_status: Option<SyncStatus>,
    /// The date of the last run.
    #[cfg_attr(
        feature = "serde",
        serde(with = "crate::domain::serialization::date", default, skip_serializing_if = "Option::is_none")
    )]
    pub last_run: Option<SystemTime>,
    /// The date of the last successful run.
    #[cfg_attr(
        feature = "serde",
        serde(with = "crate::domain::serialization::date", default, skip_serializing_if = "Option::is_none")
    )]
    pub last_success: Option<SystemTime>,
    /// The date of the creation. A later sync of the same name has another date.
    #[cfg_attr(
        feature = "serde",
        serde(with = "crate::domain::serialization::date", default, skip_serializing_if = "Option::is_none")
    )]
    pub created: Option<SystemTime>,
    /// The date of the last change.
    #[cfg_attr(
        feature = "serde",
        serde(with = "crate::domain::serialization::date", default, skip_serializing_if = "Option::is_none")
    )]
    pub modified: Option<SystemTime>,
}

impl DataSync {
    /// Creates a healthy sync with this name and source, and no other attributes.
    #[must_use]
    pub fn new(name: SyncName, source_type: Option<SyncSourceType>) -> Self {
        Self {
            name,
            source_type,
            units: Vec::new(),
            regions: Vec::new(),
            future_regions: None,
            all_ops_data_sources: None,
            state: SyncState::Healthy,
            last_status: None,
            last_run: None,
            last_success: None,
            created: None,
            modified: None,
        }
    }

    /// Returns the sync that a definition creates, as a listing would show it.
    pub(crate) fn from_definition(definition: &SyncDefinition) -> Self {
        let mut sync = Self::new(definition.name().clone(), None);
        sync.apply_definition(definition);
        sync
    }

    /// Sets the source, units, Regions and options from a definition.
    pub(crate) fn apply_definition(&mut self, definition: &SyncDefinition) {
        self.source_type = Some(definition.source().source_type());
        self.units = match definition.source() {
            SyncSource::OrganizationalUnits(units) => units.as_slice().to_vec(),
            _ => Vec::new(),
        };
        self.regions = definition.regions().to_vec();
        self.future_regions = Some(definition.includes_future_regions());
        self.all_ops_data_sources = Some(definition.enables_all_ops_data_sources());
    }

    /// Returns the definition to create the same sync again; `None` where AWS shows too little.
    ///
    /// Future Regions and sources of OpsData are disabled in the definition where AWS does not show
    /// them.
    #[must_use]
    pub fn definition(&self) -> Option<SyncDefinition> {
        let source = match self.source_type.as_ref()? {
            SyncSourceType::AwsOrganizations if self.units.is_empty() => SyncSource::EntireOrganization,
            SyncSourceType::AwsOrganizations => {
                SyncSource::OrganizationalUnits(OrganizationalUnits::new(self.units.iter().cloned()).ok()?)
            }
            SyncSourceType::SingleAccountMultiRegions => SyncSource::SingleAccount,
            SyncSourceType::Other(_) => return None,
        };
        let regions = SourceRegions::new(self.regions.iter().cloned()).ok()?;
        let mut definition = SyncDefinition::new(self.name.clone(), source, regions);
        definition.future_regions = self.future_regions.unwrap_or_default();
        definition.all_ops_data_sources = self.all_ops_data_sources.unwrap_or_default();
        Some(definition)
    }

    /// Returns whether the sync depends on trusted access and the delegation.
    ///
    /// A sync with a source that AWS does not show, or that this release does not know, counts as
    /// dependent.
    #[must_use]
    pub fn is_of_organization(&self) -> bool {
        self.source_type != Some(SyncSourceType::SingleAccountMultiRegions)
    }
}

#[cfg(feature = "serde")]
mod serialization {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{SyncSourceType, SyncState, SyncStatus};

    crate::domain::serialization::as_word!(SyncSourceType, SyncStatus);

    impl Serialize for SyncState {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.as_str().serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for SyncState {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Ok(Option::<String>::deserialize(deserializer)?.as_deref().map_or(Self::Healthy, Self::from))
        }
    }
}
