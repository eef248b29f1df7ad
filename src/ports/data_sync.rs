use std::time::SystemTime;

use crate::domain::{OrganizationalUnitId, Region, SyncName};
use crate::error::{Error, ErrorKind};
use crate::redact::redact;

/// What a resource data sync does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SyncType {
    /// Explorer's kind: collects OpsData from accounts and Regions.
    SyncFromSource,
    /// Inventory's kind: writes to an S3 bucket. What AWS takes an omitted type for.
    SyncToDestination,
}

impl SyncType {
    /// AWS's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SyncFromSource => "SyncFromSource",
            Self::SyncToDestination => "SyncToDestination",
        }
    }
}

/// What an Explorer sync is to be: nothing else can be said than what AWS allows.
///
/// ```
/// use ssm_organizations::ports::{SourceRegions, SyncDefinition};
/// use ssm_organizations::{Region, SyncName};
///
/// let regions = SourceRegions::new([Region::new("eu-central-1")?, Region::new("us-east-1")?])?;
/// let sync = SyncDefinition::of_organization(SyncName::new("all-accounts")?, regions).including_future_regions();
/// assert!(!sync.enables_all_ops_data_sources(), "it costs money in every member account, so it takes a word");
/// # Ok::<(), ssm_organizations::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SyncDefinition {
    name: SyncName,
    source: SyncSource,
    regions: SourceRegions,
    future_regions: bool,
    all_ops_data_sources: bool,
}

/// Where an Explorer sync collects from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SyncSource {
    /// Every account of the organization.
    EntireOrganization,
    /// The accounts in some organizational units.
    OrganizationalUnits(OrganizationalUnits),
    /// Regions of the sync's own account; no concern of the organization.
    SingleAccount,
}

impl SyncSource {
    /// What AWS calls it.
    #[must_use]
    pub fn source_type(&self) -> SyncSourceType {
        match self {
            Self::EntireOrganization | Self::OrganizationalUnits(_) => SyncSourceType::AwsOrganizations,
            Self::SingleAccount => SyncSourceType::SingleAccountMultiRegions,
        }
    }
}

impl SyncDefinition {
    /// A sync of every account of the organization, from these Regions.
    #[must_use]
    pub fn of_organization(name: SyncName, regions: SourceRegions) -> Self {
        Self::new(name, SyncSource::EntireOrganization, regions)
    }

    /// A sync of the accounts in these organizational units, from these Regions.
    #[must_use]
    pub fn of_units(name: SyncName, units: OrganizationalUnits, regions: SourceRegions) -> Self {
        Self::new(name, SyncSource::OrganizationalUnits(units), regions)
    }

    /// A sync from this source and these Regions.
    #[must_use]
    pub fn new(name: SyncName, source: SyncSource, regions: SourceRegions) -> Self {
        Self { name, source, regions, future_regions: false, all_ops_data_sources: false }
    }

    /// The same, with Regions that AWS opens later.
    #[must_use]
    pub fn including_future_regions(mut self) -> Self {
        self.future_regions = true;
        self
    }

    /// The same, switching every source of OpsData on in every account of the organization. **AWS charges for OpsData.**
    ///
    /// Deleting the sync does not switch them off again.
    #[must_use]
    pub fn enabling_all_ops_data_sources(mut self) -> Self {
        self.all_ops_data_sources = true;
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &SyncName {
        &self.name
    }

    /// Where it collects from.
    #[must_use]
    pub fn source(&self) -> &SyncSource {
        &self.source
    }

    /// The Regions that it collects from.
    #[must_use]
    pub fn regions(&self) -> &[Region] {
        &self.regions.0
    }

    /// Whether trusted access and the delegation matter to it.
    pub(crate) fn is_of_organization(&self) -> bool {
        self.source.source_type() == SyncSourceType::AwsOrganizations
    }

    /// Whether Regions that AWS opens later are included.
    #[must_use]
    pub fn includes_future_regions(&self) -> bool {
        self.future_regions
    }

    /// Whether it switches every source of OpsData on.
    #[must_use]
    pub fn enables_all_ops_data_sources(&self) -> bool {
        self.all_ops_data_sources
    }
}

/// The Regions that a sync collects from: at least one, each once, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourceRegions(Vec<Region>);

impl SourceRegions {
    /// These Regions.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) for none.
    pub fn new(regions: impl IntoIterator<Item = Region>) -> Result<Self, Error> {
        let regions = each_once(regions);
        if regions.is_empty() {
            return Err(invalid("a data sync collects from at least one Region"));
        }
        Ok(Self(regions))
    }
}

/// The organizational units that a sync collects from: 1 to 1,000, each once, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrganizationalUnits(Vec<OrganizationalUnitId>);

impl OrganizationalUnits {
    /// These units.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) for none, and for more than 1,000.
    pub fn new(units: impl IntoIterator<Item = OrganizationalUnitId>) -> Result<Self, Error> {
        let units = each_once(units);
        if !(1..=1_000).contains(&units.len()) {
            return Err(invalid("a data sync collects from 1 to 1,000 organizational units"));
        }
        Ok(Self(units))
    }

    /// The units.
    #[must_use]
    pub fn as_slice(&self) -> &[OrganizationalUnitId] {
        &self.0
    }
}

fn each_once<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort();
    items.dedup();
    items
}

fn invalid(what: &str) -> Error {
    Error::of(ErrorKind::InvalidInput).with_message(what)
}

/// Where an Explorer sync collects from, as a listing says it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SyncSourceType {
    /// The accounts of the organization: what trusted access is for.
    AwsOrganizations,
    /// Regions of the sync's own account; no concern of the organization.
    SingleAccountMultiRegions,
    /// A source that this release does not know, in AWS's spelling.
    Other(String),
}

impl SyncSourceType {
    /// AWS's spelling.
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
    /// AWS's documents spell the second one in two ways, so case does not count.
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

/// How an organization's sync fares.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SyncState {
    /// AWS shows no trouble.
    #[default]
    Healthy,
    /// The organization does not exist.
    OrganizationNotExists,
    /// The service-linked role is missing.
    NoPermissions,
    /// One of the units is none.
    InvalidOrganizationalUnit,
    /// Trusted access was taken away.
    TrustedAccessDisabled,
    /// A state that this release does not know, in AWS's spelling.
    Other(String),
}

impl SyncState {
    /// AWS's spelling; `None` where AWS shows none.
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

/// How a sync's last run ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SyncStatus {
    /// Well.
    Successful,
    /// Badly.
    Failed,
    /// It has not ended.
    InProgress,
    /// A status that this release does not know, in AWS's spelling.
    Other(String),
}

impl SyncStatus {
    /// AWS's spelling.
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

/// A resource data sync as a listing shows it. What AWS does not show is `None`, which is not "no".
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub struct DataSync {
    /// Its name, unique in its account and Region.
    pub name: SyncName,
    /// Where it collects from.
    #[cfg_attr(feature = "serde", serde(rename = "source", default, skip_serializing_if = "Option::is_none"))]
    pub source_type: Option<SyncSourceType>,
    /// Its organizational units; empty for the entire organization, and for other sources.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub units: Vec<OrganizationalUnitId>,
    /// The Regions that it collects from.
    #[cfg_attr(feature = "serde", serde(rename = "source_regions", default, skip_serializing_if = "Vec::is_empty"))]
    pub regions: Vec<Region>,
    /// Whether Regions that AWS opens later are included.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub future_regions: Option<bool>,
    /// Whether it switches every source of OpsData on.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub all_ops_data_sources: Option<bool>,
    /// How it fares.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "SyncState::is_healthy"))]
    pub state: SyncState,
    /// How its last run ended.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub last_status: Option<SyncStatus>,
    /// When it last ran.
    #[cfg_attr(
        feature = "serde",
        serde(with = "crate::saved::date", default, skip_serializing_if = "Option::is_none")
    )]
    pub last_run: Option<SystemTime>,
    /// When it last ran well.
    #[cfg_attr(
        feature = "serde",
        serde(with = "crate::saved::date", default, skip_serializing_if = "Option::is_none")
    )]
    pub last_success: Option<SystemTime>,
    /// When it was made: what tells it from a later one of the same name.
    #[cfg_attr(
        feature = "serde",
        serde(with = "crate::saved::date", default, skip_serializing_if = "Option::is_none")
    )]
    pub created: Option<SystemTime>,
    /// When it was last changed.
    #[cfg_attr(
        feature = "serde",
        serde(with = "crate::saved::date", default, skip_serializing_if = "Option::is_none")
    )]
    pub modified: Option<SystemTime>,
}

impl DataSync {
    /// A healthy sync with this name and source, of which AWS shows nothing else.
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

    /// The sync that a definition makes, as a listing would show it.
    pub(crate) fn of(definition: &SyncDefinition) -> Self {
        let mut sync = Self::new(definition.name().clone(), None);
        sync.define(definition);
        sync
    }

    /// The same, as the definition has it.
    pub(crate) fn define(&mut self, definition: &SyncDefinition) {
        self.source_type = Some(definition.source().source_type());
        self.units = match definition.source() {
            SyncSource::OrganizationalUnits(units) => units.as_slice().to_vec(),
            _ => Vec::new(),
        };
        self.regions = definition.regions().to_vec();
        self.future_regions = Some(definition.includes_future_regions());
        self.all_ops_data_sources = Some(definition.enables_all_ops_data_sources());
    }

    /// What it would take to make the same sync again; `None` where AWS shows too little.
    ///
    /// Future Regions and sources of OpsData that AWS does not show are left off.
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

    /// Whether trusted access and the delegation matter to the sync.
    ///
    /// One whose source AWS does not say, or that this release does not know, counts: unknown is not absent.
    #[must_use]
    pub fn is_of_organization(&self) -> bool {
        self.source_type != Some(SyncSourceType::SingleAccountMultiRegions)
    }
}

#[cfg(feature = "serde")]
mod saved {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{
        OrganizationalUnits, SourceRegions, SyncDefinition, SyncSource, SyncSourceType, SyncState, SyncStatus,
    };
    use crate::domain::{OrganizationalUnitId, Region, SyncName};
    use crate::error::Error;

    crate::saved::as_word!(SyncSourceType, SyncStatus);

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

    /// A definition as a person would write it down: of the whole organization, unless it says otherwise.
    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Saved {
        name: SyncName,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        units: Vec<OrganizationalUnitId>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        single_account: bool,
        source_regions: Vec<Region>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        future_regions: bool,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        all_ops_data_sources: bool,
    }

    impl SyncSource {
        /// The accounts in these units; the whole organization where there are none.
        pub(crate) fn from_parts(units: Vec<OrganizationalUnitId>, single_account: bool) -> Result<Self, Error> {
            match (units.is_empty(), single_account) {
                (true, false) => Ok(Self::EntireOrganization),
                (true, true) => Ok(Self::SingleAccount),
                (false, false) => Ok(Self::OrganizationalUnits(OrganizationalUnits::new(units)?)),
                (false, true) => Err(super::invalid("a data sync of a single account has no organizational units")),
            }
        }
    }

    impl TryFrom<Saved> for SyncDefinition {
        type Error = Error;

        fn try_from(saved: Saved) -> Result<Self, Error> {
            let source = SyncSource::from_parts(saved.units, saved.single_account)?;
            let mut definition = Self::new(saved.name, source, SourceRegions::new(saved.source_regions)?);
            definition.future_regions = saved.future_regions;
            definition.all_ops_data_sources = saved.all_ops_data_sources;
            Ok(definition)
        }
    }

    impl Serialize for SyncDefinition {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let units = match &self.source {
                SyncSource::OrganizationalUnits(units) => units.as_slice().to_vec(),
                SyncSource::EntireOrganization | SyncSource::SingleAccount => Vec::new(),
            };
            let saved = Saved {
                name: self.name.clone(),
                units,
                single_account: self.source == SyncSource::SingleAccount,
                source_regions: self.regions().to_vec(),
                future_regions: self.future_regions,
                all_ops_data_sources: self.all_ops_data_sources,
            };
            saved.serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for SyncDefinition {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Self::try_from(Saved::deserialize(deserializer)?).map_err(serde::de::Error::custom)
        }
    }
}
