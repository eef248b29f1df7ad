use std::fmt;

use super::{AccountId, DataSync, Region, SyncName, same_date};

/// Identifier of a data sync: account, Region and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub struct DataSyncId {
    /// The account that owns the sync.
    pub account: AccountId,
    /// The home Region of the sync.
    pub region: Region,
    /// The name of the sync.
    pub name: SyncName,
}

impl DataSyncId {
    pub(crate) fn new(account: AccountId, region: &Region, name: &SyncName) -> Self {
        Self { account, region: region.clone(), name: name.clone() }
    }
}

impl fmt::Display for DataSyncId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of account {} in {}", self.name.as_str(), self.account, self.region)
    }
}

/// Data sync that blocks a step, because the step would delete or break it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct BlockingSync {
    /// The account, Region and name of the sync.
    pub id: DataSyncId,
    /// The sync as the listing showed it.
    ///
    /// [`DataSync::definition`](crate::ports::DataSync::definition) returns the definition to
    /// create the sync again. `None` if no listing shows the sync yet: only AWS's response to the
    /// creation by this crate confirms that the sync exists.
    pub listed: Option<DataSync>,
}

/// Writes the [`DataSyncId`] of the sync.
impl fmt::Display for BlockingSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

/// Result of the check of data syncs before a step that would delete or break them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub enum SyncCheckReport {
    /// The check was skipped, as [`SyncProtection::AllowLoss`](crate::SyncProtection::AllowLoss)
    /// allows.
    Skipped,
    /// The check found no organization sync in these accounts and Regions, immediately before the
    /// step.
    NoneFound(Vec<CheckedRegions>),
    /// The check found these syncs and recorded them in full, so that they can be created again.
    Recorded(Vec<(DataSyncId, DataSync)>),
}

impl SyncCheckReport {
    /// Returns the syncs that were recorded in full before the step.
    ///
    /// [`DataSync::definition`](crate::ports::DataSync::definition) returns the definition to
    /// create such a sync again.
    #[must_use]
    pub fn recorded(&self) -> &[(DataSyncId, DataSync)] {
        match self {
            Self::Recorded(syncs) => syncs,
            Self::Skipped | Self::NoneFound(_) => &[],
        }
    }
}

/// Account and the Regions in which the data syncs of the account were checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub struct CheckedRegions {
    /// The caller of the listing.
    pub account: AccountId,
    /// The Regions, in order.
    pub regions: Vec<Region>,
}

/// Returns whether both are the same sync with the same definition, ignoring status.
pub(crate) fn is_same_sync(one: &DataSync, other: &DataSync) -> bool {
    same_date(one.created, other.created) && same_date(one.modified, other.modified) && has_same_definition(one, other)
}

/// Returns whether both syncs have the same definition, ignoring dates and status.
pub(crate) fn has_same_definition(one: &DataSync, other: &DataSync) -> bool {
    let shape = |sync: &DataSync| {
        let (mut units, mut regions) = (sync.units.clone(), sync.regions.clone());
        units.sort();
        regions.sort();
        (sync.name.clone(), sync.source_type.clone(), units, regions, sync.future_regions, sync.all_ops_data_sources)
    };
    shape(one) == shape(other)
}
