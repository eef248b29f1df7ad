use super::{InvalidValue, OrganizationalUnitId, Region, SyncName, SyncSourceType};

/// Definition of an Explorer sync. The type permits only the combinations that AWS allows.
///
/// ```
/// use ssm_organizations::ports::{SourceRegions, SyncDefinition};
/// use ssm_organizations::{Region, SyncName};
///
/// let regions = SourceRegions::new([Region::new("eu-central-1")?, Region::new("us-east-1")?])?;
/// let sync = SyncDefinition::of_organization(SyncName::new("all-accounts")?, regions)
///     .including_future_regions();
/// assert!(
///     !sync.enables_all_ops_data_sources(),
///     "it costs money in every member account, so it takes a word"
/// );
/// # Ok::<(), ssm_organizations::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SyncDefinition {
    name: SyncName,
    source: SyncSource,
    regions: SourceRegions,
    pub(super) future_regions: bool,
    pub(super) all_ops_data_sources: bool,
}

/// Source of an Explorer sync.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SyncSource {
    /// Every account of the organization.
    EntireOrganization,
    /// The accounts in some organizational units.
    OrganizationalUnits(OrganizationalUnits),
    /// Regions of the sync's own account. Such a sync is independent of the organization.
    SingleAccount,
}

impl SyncSource {
    /// Returns AWS's type of the source.
    #[must_use]
    pub fn source_type(&self) -> SyncSourceType {
        match self {
            Self::EntireOrganization | Self::OrganizationalUnits(_) => SyncSourceType::AwsOrganizations,
            Self::SingleAccount => SyncSourceType::SingleAccountMultiRegions,
        }
    }
}

impl SyncDefinition {
    /// Creates a definition that collects from every account of the organization, in these Regions.
    #[must_use]
    pub fn of_organization(name: SyncName, regions: SourceRegions) -> Self {
        Self::new(name, SyncSource::EntireOrganization, regions)
    }

    /// Creates a definition that collects from the accounts in these units, in these Regions.
    #[must_use]
    pub fn of_units(name: SyncName, units: OrganizationalUnits, regions: SourceRegions) -> Self {
        Self::new(name, SyncSource::OrganizationalUnits(units), regions)
    }

    /// Creates a definition with this source and these Regions.
    #[must_use]
    pub fn new(name: SyncName, source: SyncSource, regions: SourceRegions) -> Self {
        Self { name, source, regions, future_regions: false, all_ops_data_sources: false }
    }

    /// Includes Regions that AWS opens later.
    #[must_use]
    pub fn including_future_regions(mut self) -> Self {
        self.future_regions = true;
        self
    }

    /// Enables every source of OpsData in every account of the organization.
    ///
    /// **AWS charges for OpsData.** Deleting the sync does not disable the sources.
    #[must_use]
    pub fn enabling_all_ops_data_sources(mut self) -> Self {
        self.all_ops_data_sources = true;
        self
    }

    /// Returns the name of the sync.
    #[must_use]
    pub fn name(&self) -> &SyncName {
        &self.name
    }

    /// Returns the source of the sync.
    #[must_use]
    pub fn source(&self) -> &SyncSource {
        &self.source
    }

    /// Returns the Regions from which the sync collects.
    #[must_use]
    pub fn regions(&self) -> &[Region] {
        &self.regions.0
    }

    /// Returns the organizational units of the source; empty for another source.
    pub(crate) fn units(&self) -> &[OrganizationalUnitId] {
        match &self.source {
            SyncSource::OrganizationalUnits(units) => units.as_slice(),
            SyncSource::EntireOrganization | SyncSource::SingleAccount => &[],
        }
    }

    /// Returns whether the sync depends on trusted access and the delegation.
    pub(crate) fn is_of_organization(&self) -> bool {
        self.source.source_type() == SyncSourceType::AwsOrganizations
    }

    /// Returns whether the sync includes Regions that AWS opens later.
    #[must_use]
    pub fn includes_future_regions(&self) -> bool {
        self.future_regions
    }

    /// Returns whether the sync enables every source of OpsData.
    #[must_use]
    pub fn enables_all_ops_data_sources(&self) -> bool {
        self.all_ops_data_sources
    }
}

/// Source Regions of a sync: at least one, sorted, without duplicates.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourceRegions(Vec<Region>);

impl SourceRegions {
    /// Creates a sorted list of Regions without duplicates.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidInput`](crate::ErrorKind::InvalidInput) for an empty list.
    pub fn new(regions: impl IntoIterator<Item = Region>) -> Result<Self, InvalidValue> {
        let regions = sorted_unique(regions);
        if regions.is_empty() {
            return Err(InvalidValue::new("a list of source Regions", "at least one Region", "[]"));
        }
        Ok(Self(regions))
    }
}

/// Organizational units of a sync: 1 to 1,000, sorted, without duplicates.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrganizationalUnits(Vec<OrganizationalUnitId>);

impl OrganizationalUnits {
    /// Creates a sorted list of organizational units without duplicates.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidInput`](crate::ErrorKind::InvalidInput) for an empty list, and for more
    /// than 1,000 units.
    pub fn new(units: impl IntoIterator<Item = OrganizationalUnitId>) -> Result<Self, InvalidValue> {
        let units = sorted_unique(units);
        if !(1..=1_000).contains(&units.len()) {
            return Err(InvalidValue::new(
                "a list of organizational units",
                "1 to 1,000 units",
                &format!("{} units", units.len()),
            ));
        }
        Ok(Self(units))
    }

    /// Returns the units in order.
    #[must_use]
    pub fn as_slice(&self) -> &[OrganizationalUnitId] {
        &self.0
    }
}

fn sorted_unique<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort();
    items.dedup();
    items
}

#[cfg(feature = "serde")]
mod serialization {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{OrganizationalUnits, SourceRegions, SyncDefinition, SyncSource};
    use crate::domain::{InvalidValue, OrganizationalUnitId, Region, SyncName};

    /// Serialized form of a definition, made to be written by hand.
    ///
    /// A definition without `units` and `single_account` collects from the entire organization.
    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct SyncDefinitionRepr {
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
        /// Returns the source for these units; the entire organization if there are no units.
        ///
        /// Returns [`InvalidValue`] for a single account with units.
        pub(crate) fn from_parts(units: Vec<OrganizationalUnitId>, single_account: bool) -> Result<Self, InvalidValue> {
            match (units.is_empty(), single_account) {
                (true, false) => Ok(Self::EntireOrganization),
                (true, true) => Ok(Self::SingleAccount),
                (false, false) => Ok(Self::OrganizationalUnits(OrganizationalUnits::new(units)?)),
                (false, true) => Err(InvalidValue::new(
                    "a source of a single account",
                    "no organizational units",
                    &format!("{} units", units.len()),
                )),
            }
        }
    }

    impl TryFrom<SyncDefinitionRepr> for SyncDefinition {
        type Error = InvalidValue;

        fn try_from(saved: SyncDefinitionRepr) -> Result<Self, InvalidValue> {
            let source = SyncSource::from_parts(saved.units, saved.single_account)?;
            let mut definition = Self::new(saved.name, source, SourceRegions::new(saved.source_regions)?);
            definition.future_regions = saved.future_regions;
            definition.all_ops_data_sources = saved.all_ops_data_sources;
            Ok(definition)
        }
    }

    impl Serialize for SyncDefinition {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let saved = SyncDefinitionRepr {
                name: self.name.clone(),
                units: self.units().to_vec(),
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
            Self::try_from(SyncDefinitionRepr::deserialize(deserializer)?).map_err(serde::de::Error::custom)
        }
    }
}
