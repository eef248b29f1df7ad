use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::clock::Clock;
use super::contents::{Contents, Sync};
use super::history::History;
use super::log::Call;
use super::members::Members;
use super::pages::Paging;
use super::throttle::Throttle;
use super::undocumented::Undocumented;
use super::weather::Weather;
use crate::domain::{
    AccountId, DeletionTaskId, OrganizationId, OrganizationalUnitId, Partition, Region, RoleName, ServicePrincipal,
};
use crate::ports::{DeletionStatus, FeatureSet};

/// Everything there is.
#[derive(Debug)]
pub(super) struct World {
    pub(super) charter: Charter,
    pub(super) history: History,
    pub(super) deletions: Vec<Deletion>,
    pub(super) undocumented: Undocumented,
    pub(super) paging: Paging,
    pub(super) latency: Duration,
    pub(super) role_deletion: Duration,
    pub(super) throttle: Option<Throttle>,
    pub(super) weather: Weather,
    /// What writes that are under way keep others from changing.
    pub(super) locked: HashSet<Scope>,
    pub(super) calls: Vec<Call>,
    pub(super) clock: Clock,
}

/// What a write keeps others from changing while it is under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    /// The organization.
    Organization,
    /// The data syncs of an account in a Region: for updates alone.
    Updates(AccountId, Region),
}

/// What no call changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Charter {
    pub(super) id: OrganizationId,
    pub(super) management: AccountId,
    pub(super) partition: Partition,
    pub(super) feature_set: FeatureSet,
    pub(super) members: Members,
    pub(super) units: BTreeSet<OrganizationalUnitId>,
    pub(super) opt_in_regions: BTreeSet<Region>,
}

/// The opt-in Regions in which Explorer works across accounts, by its guide.
pub(super) fn opt_in_regions() -> BTreeSet<Region> {
    let names = ["af-south-1", "ap-east-1", "eu-south-1", "me-south-1"];
    names.iter().filter_map(|region| Region::new(*region).ok()).collect()
}

/// The deletion of a service-linked role.
#[derive(Debug)]
pub(super) struct Deletion {
    pub(super) task: DeletionTaskId,
    pub(super) account: AccountId,
    pub(super) role: RoleName,
    pub(super) begun: Instant,
    pub(super) ended: Option<DeletionStatus>,
}

impl World {
    pub(super) fn now(&self) -> &Contents {
        self.history.now()
    }

    pub(super) fn change<T>(&mut self, change: impl FnOnce(&mut Contents, SystemTime) -> T) -> T {
        let date = self.clock.date();
        self.history.change(|contents| change(contents, date))
    }

    /// Gives an account a sync, dated now where it has no date.
    pub(super) fn add_sync(&mut self, account: AccountId, region: Region, mut sync: Sync) {
        self.change(|contents, date| {
            sync.shown.created.get_or_insert(date);
            contents.add_sync(account, region, sync);
        });
    }

    /// Trusts a service, with all that AWS does then.
    pub(super) fn trust(&mut self, principal: &ServicePrincipal) {
        let ours = *principal == ServicePrincipal::SYSTEMS_MANAGER;
        let (recover, make_role) = (self.undocumented.syncs_recover, self.undocumented.enabling_makes_role);
        self.change(|contents, date| {
            contents.trust(principal, date);
            if ours && recover {
                contents.recover_syncs();
            }
        });
        if ours && make_role {
            self.make_role(self.charter.management, &ServicePrincipal::ACCOUNT_DISCOVERY);
        }
    }
}
