#[cfg(feature = "sim-aws")]
use std::collections::VecDeque;
use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::clock::Clock;
use super::contents::{Contents, Sync};
use super::faults::FaultInjector;
#[cfg(feature = "sim-aws")]
use super::hierarchy::{AccountCreation, Hierarchy};
use super::log::Call;
#[cfg(feature = "sim-aws")]
use super::log::FurtherCall;
use super::members::Members;
use super::paging::Paging;
use super::read_delay::History;
use super::throttle::Throttle;
use super::undocumented::UndocumentedBehavior;
use crate::domain::limits::OPT_IN_REGIONS;
use crate::domain::{
    AccountId, DeletionStatus, DeletionTaskId, FeatureSet, OrganizationId, OrganizationalUnitId, Partition, Region,
    RoleName, ServicePrincipal,
};

/// Complete state of the simulation.
#[derive(Debug)]
pub(super) struct OrganizationState {
    pub(super) charter: Settings,
    pub(super) history: History,
    pub(super) deletions: Vec<Deletion>,
    pub(super) undocumented: UndocumentedBehavior,
    pub(super) paging: Paging,
    pub(super) latency: Duration,
    pub(super) role_deletion: Duration,
    pub(super) throttle: Option<Throttle>,
    pub(super) weather: FaultInjector,
    /// Members that a delegation policy allows to read.
    pub(super) readers: BTreeSet<AccountId>,
    /// Scopes locked by writes in progress.
    pub(super) locked: HashSet<UpdateScope>,
    pub(super) calls: Vec<Call>,
    pub(super) clock: Clock,
    /// Number of requests over AWS's protocols.
    #[cfg(feature = "sim-aws")]
    pub(super) requests: u64,
    #[cfg(feature = "sim-aws")]
    pub(super) creations: Vec<AccountCreation>,
    /// Reasons with which the next creations of accounts fail.
    #[cfg(feature = "sim-aws")]
    pub(super) creation_failures: VecDeque<String>,
    #[cfg(feature = "sim-aws")]
    pub(super) account_creation: Duration,
    #[cfg(feature = "sim-aws")]
    pub(super) further_calls: Vec<FurtherCall>,
}

/// Scope that a write in progress locks against other writes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum UpdateScope {
    /// The whole organization.
    Organization,
    /// The data syncs of an account in a Region, locked against updates only.
    Updates(AccountId, Region),
}

/// Settings that no call of the ports changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) id: OrganizationId,
    pub(super) management: AccountId,
    pub(super) partition: Partition,
    pub(super) feature_set: FeatureSet,
    pub(super) members: Members,
    pub(super) units: BTreeSet<OrganizationalUnitId>,
    pub(super) opt_in_regions: BTreeSet<Region>,
    #[cfg(feature = "sim-aws")]
    pub(super) hierarchy: Hierarchy,
}

/// Returns the opt-in Regions in which Explorer works across accounts, according to its guide.
pub(super) fn opt_in_regions() -> BTreeSet<Region> {
    OPT_IN_REGIONS.iter().filter_map(|region| Region::new(*region).ok()).collect()
}

/// Deletion of a service-linked role.
#[derive(Debug)]
pub(super) struct Deletion {
    pub(super) task: DeletionTaskId,
    pub(super) account: AccountId,
    pub(super) role: RoleName,
    pub(super) begun: Instant,
    pub(super) ended: Option<DeletionStatus>,
}

impl OrganizationState {
    pub(super) fn now(&self) -> &Contents {
        self.history.now()
    }

    /// Returns the contents as other services see trusted access and delegated administrators.
    pub(super) fn seen_by_services(&self) -> &Contents {
        self.history.seen_by_services().unwrap_or_else(|| self.now())
    }

    /// Replaces the contents. New dates follow the newest date in the contents.
    pub(super) fn set_contents(&mut self, contents: Contents) {
        self.clock = Clock::after(contents.newest_date());
        self.history.change(|now| *now = contents);
    }

    pub(super) fn change<T>(&mut self, change: impl FnOnce(&mut Contents, SystemTime) -> T) -> T {
        let date = self.clock.date();
        self.history.change(|contents| change(contents, date))
    }

    /// Adds a sync to an account, with the current date if the sync has no creation date.
    pub(super) fn add_sync(&mut self, account: AccountId, region: Region, mut sync: Sync) {
        self.change(|contents, date| {
            sync.shown.created.get_or_insert(date);
            contents.add_sync(account, region, sync);
        });
    }

    /// Enables trusted access for a service, with all effects that AWS documents or the settings
    /// select.
    pub(super) fn trust(&mut self, principal: &ServicePrincipal) {
        let ours = *principal == ServicePrincipal::SYSTEMS_MANAGER;
        let (recover, make_role) = (self.undocumented.syncs_recover, self.undocumented.enabling_makes_role);
        self.change(|contents, date| {
            contents.enable_trusted_access(principal, date);
            if ours && recover {
                contents.recover_syncs();
            }
        });
        if ours && make_role {
            self.make_role(self.charter.management, &ServicePrincipal::ACCOUNT_DISCOVERY);
        }
    }
}
