//! Saved state of a simulated organization.

use std::time::SystemTime;

use super::builder::SimOrganizationBuilder;
use super::contents::Contents;
use super::organization_state::Settings;

/// State of a simulated organization at one moment, for comparison and for restoring.
///
/// With the feature `serde`, the state can be serialized to JSON and other formats, for example to
/// keep a simulated organization in a file. The state excludes the log of calls, writes and role
/// deletions in progress, injected faults and the settings of
/// [`UndocumentedBehavior`](super::UndocumentedBehavior).
///
/// ```
/// use ssm_organizations::{ServicePrincipal, sim};
///
/// let organization = sim::SimOrganization::builder().build();
/// let before = organization.state();
/// organization.enable_trusted_access(&ServicePrincipal::SYSTEMS_MANAGER);
/// assert_ne!(organization.state(), before);
///
/// let copy = sim::SimOrganizationBuilder::from(before.clone()).build();
/// assert_eq!(copy.state(), before);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimState {
    pub(super) charter: Settings,
    pub(super) contents: Contents,
}

impl SimState {
    /// Returns a copy in which all dates and all role ids are equal, so that two organizations can
    /// be compared by content.
    #[must_use]
    pub fn without_dates(mut self) -> Self {
        let never = SystemTime::UNIX_EPOCH;
        let contents = &mut self.contents;
        contents.trusted.values_mut().for_each(|date| *date = never);
        contents.delegations.values_mut().flat_map(|accounts| accounts.values_mut()).for_each(|date| *date = never);
        for role in contents.roles.values_mut() {
            role.created = None;
            role.id = crate::domain::RoleId::EXAMPLE;
        }
        for sync in contents.syncs.values_mut().flat_map(|syncs| syncs.values_mut()) {
            sync.shown.created = None;
            sync.shown.modified = None;
            sync.shown.last_run = None;
            sync.shown.last_success = None;
        }
        self
    }
}

/// Builder of an organization that starts from the saved state.
impl From<SimState> for SimOrganizationBuilder {
    fn from(SimState { charter, contents }: SimState) -> Self {
        Self::of(charter).holding(contents)
    }
}

#[cfg(feature = "serde")]
mod saved {
    use std::collections::{BTreeMap, BTreeSet};
    use std::time::SystemTime;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::SimState;
    use crate::domain::serialization::Date;
    use crate::domain::{
        AccountId, OrganizationId, OrganizationalUnitId, Partition, Region, RoleId, RoleName, ServicePrincipal,
        SyncName,
    };
    use crate::domain::{AccountState, DataSync, FeatureSet, Role, SyncSourceType, SyncState, SyncStatus, SyncType};
    use crate::sim::contents::{Contents, Sync};
    #[cfg(feature = "sim-aws")]
    use crate::sim::hierarchy::Hierarchy;
    use crate::sim::members::Members;
    use crate::sim::organization_state::{Settings, opt_in_regions};

    /// Serialized form of the state. Omitted fields have the values of a new organization.
    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct SimStateRepr {
        id: OrganizationId,
        management: AccountId,
        #[serde(default)]
        partition: Partition,
        #[serde(default = "all_features")]
        feature_set: SavedFeatureSet,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        members: BTreeMap<AccountId, String>,
        #[serde(default, skip_serializing_if = "is_zero")]
        nameless_members: u64,
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        units: BTreeSet<OrganizationalUnitId>,
        #[serde(default = "opt_in_regions", skip_serializing_if = "are_usual")]
        opt_in_regions: BTreeSet<Region>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        trusted: BTreeMap<ServicePrincipal, Date>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        administrators: BTreeMap<ServicePrincipal, BTreeMap<AccountId, Date>>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        roles: Vec<SavedRole>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        data_syncs: Vec<SavedSync>,
        #[cfg(feature = "sim-aws")]
        #[serde(default, skip_serializing_if = "Hierarchy::is_empty")]
        hierarchy: Hierarchy,
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_zero(number: &u64) -> bool {
        *number == 0
    }

    fn are_usual(regions: &BTreeSet<Region>) -> bool {
        *regions == opt_in_regions()
    }

    #[derive(Serialize, Deserialize, Clone, Copy)]
    enum SavedFeatureSet {
        #[serde(rename = "ALL")]
        All,
        #[serde(rename = "CONSOLIDATED_BILLING")]
        ConsolidatedBilling,
    }

    fn all_features() -> SavedFeatureSet {
        SavedFeatureSet::All
    }

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct SavedRole {
        account: AccountId,
        name: RoleName,
        id: RoleId,
        path: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created: Option<Date>,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct SavedSync {
        account: AccountId,
        region: Region,
        name: SyncName,
        #[serde(rename = "type", default = "from_source")]
        sync_type: SavedSyncType,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        units: Vec<OrganizationalUnitId>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        source_regions: Vec<Region>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        future_regions: Option<bool>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        all_ops_data_sources: Option<bool>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_status: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_run: Option<Date>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_success: Option<Date>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created: Option<Date>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        modified: Option<Date>,
    }

    #[derive(Serialize, Deserialize, Clone, Copy)]
    enum SavedSyncType {
        SyncFromSource,
        SyncToDestination,
    }

    fn from_source() -> SavedSyncType {
        SavedSyncType::SyncFromSource
    }

    impl Serialize for SimState {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            SimStateRepr::from(self.clone()).serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for SimState {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Self::try_from(SimStateRepr::deserialize(deserializer)?).map_err(serde::de::Error::custom)
        }
    }

    fn dates<K: Ord>(map: BTreeMap<K, SystemTime>) -> BTreeMap<K, Date> {
        map.into_iter().map(|(key, date)| (key, Date(date))).collect()
    }

    fn undated<K: Ord>(map: BTreeMap<K, Date>) -> BTreeMap<K, SystemTime> {
        map.into_iter().map(|(key, Date(date))| (key, date)).collect()
    }

    impl From<SimState> for SimStateRepr {
        fn from(SimState { charter, contents }: SimState) -> Self {
            let Settings {
                id,
                management,
                partition,
                feature_set,
                members,
                units,
                opt_in_regions,
                #[cfg(feature = "sim-aws")]
                hierarchy,
            } = charter;
            let Contents { trusted, delegations, roles, syncs } = contents;
            let roles = roles.into_iter().map(|((account, _), role)| SavedRole {
                account,
                name: role.name,
                id: role.id,
                path: role.path,
                created: role.created.map(Date),
            });
            let syncs = syncs.into_iter().flat_map(|((account, region), syncs)| {
                syncs.into_values().map(move |Sync { sync_type, shown }| SavedSync {
                    account,
                    region: region.clone(),
                    sync_type: match sync_type {
                        SyncType::SyncToDestination => SavedSyncType::SyncToDestination,
                        SyncType::SyncFromSource => SavedSyncType::SyncFromSource,
                    },
                    name: shown.name,
                    source: shown.source_type.map(|source| source.as_str().to_owned()),
                    units: shown.units,
                    source_regions: shown.regions,
                    future_regions: shown.future_regions,
                    all_ops_data_sources: shown.all_ops_data_sources,
                    state: shown.state.as_str().map(str::to_owned),
                    last_status: shown.last_status.map(|status| status.as_str().to_owned()),
                    last_run: shown.last_run.map(Date),
                    last_success: shown.last_success.map(Date),
                    created: shown.created.map(Date),
                    modified: shown.modified.map(Date),
                })
            });
            Self {
                id,
                management,
                partition,
                feature_set: match feature_set {
                    FeatureSet::ConsolidatedBilling => SavedFeatureSet::ConsolidatedBilling,
                    FeatureSet::All => SavedFeatureSet::All,
                },
                members: members.named.into_iter().map(|(id, state)| (id, state.as_str().to_owned())).collect(),
                nameless_members: members.anonymous_members,
                units,
                opt_in_regions,
                trusted: dates(trusted),
                administrators: delegations.into_iter().map(|(service, accounts)| (service, dates(accounts))).collect(),
                roles: roles.collect(),
                data_syncs: syncs.collect(),
                #[cfg(feature = "sim-aws")]
                hierarchy,
            }
        }
    }

    impl TryFrom<SimStateRepr> for SimState {
        type Error = String;

        fn try_from(saved: SimStateRepr) -> Result<Self, String> {
            let mut contents = Contents {
                trusted: undated(saved.trusted),
                delegations: saved
                    .administrators
                    .into_iter()
                    .map(|(service, accounts)| (service, undated(accounts)))
                    .filter(|(_, accounts)| !accounts.is_empty())
                    .collect(),
                ..Contents::default()
            };
            for role in saved.roles {
                let created = role.created.map(|Date(date)| date);
                let shown = Role::new(role.name.clone(), role.id, role.path).with_created(created);
                let twice = format!("account {} has the role {} twice", role.account, role.name);
                if contents.roles.insert((role.account, role.name), shown).is_some() {
                    return Err(twice);
                }
            }
            for sync in saved.data_syncs {
                let mut shown = DataSync::new(sync.name, sync.source.as_deref().map(SyncSourceType::from));
                shown.units = sync.units;
                shown.regions = sync.source_regions;
                shown.future_regions = sync.future_regions;
                shown.all_ops_data_sources = sync.all_ops_data_sources;
                shown.state = sync.state.as_deref().map_or(SyncState::Healthy, SyncState::from);
                shown.last_status = sync.last_status.as_deref().map(SyncStatus::from);
                shown.last_run = sync.last_run.map(|Date(date)| date);
                shown.last_success = sync.last_success.map(|Date(date)| date);
                shown.created = sync.created.map(|Date(date)| date);
                shown.modified = sync.modified.map(|Date(date)| date);
                let sync_type = match sync.sync_type {
                    SavedSyncType::SyncToDestination => SyncType::SyncToDestination,
                    SavedSyncType::SyncFromSource => SyncType::SyncFromSource,
                };
                if contents.syncs_of(sync.account, &sync.region).any(|other| other.shown.name == shown.name) {
                    let (account, region, name) = (sync.account, &sync.region, shown.name.to_string());
                    return Err(format!("account {account} has the data sync {name:?} in {region} twice"));
                }
                contents.add_sync(sync.account, sync.region, Sync { sync_type, shown });
            }
            let named = saved.members.into_iter().map(|(id, state)| (id, AccountState::from(&*state))).collect();
            let charter = Settings {
                id: saved.id,
                management: saved.management,
                partition: saved.partition,
                feature_set: match saved.feature_set {
                    SavedFeatureSet::ConsolidatedBilling => FeatureSet::ConsolidatedBilling,
                    SavedFeatureSet::All => FeatureSet::All,
                },
                members: Members { named, anonymous_members: saved.nameless_members },
                units: saved.units,
                opt_in_regions: saved.opt_in_regions,
                #[cfg(feature = "sim-aws")]
                hierarchy: saved.hierarchy,
            };
            Ok(Self { charter, contents })
        }
    }
}
