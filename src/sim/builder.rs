use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::Organization;
use super::faults::Faults;
use super::world::{Clock, Members, Shown, World};
use crate::domain::{AccountId, OrganizationId, Partition, Region, ServicePrincipal};
use crate::ports::{AccountState, DataSync, FeatureSet};

/// Says what an organization in memory is like at first: [`Organization::builder`].
#[derive(Debug)]
#[must_use]
pub struct Builder {
    world: World,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            world: World {
                id: OrganizationId::EXAMPLE,
                management: AccountId::EXAMPLE_MANAGEMENT,
                partition: Partition::AWS,
                feature_set: FeatureSet::All,
                members: Members::default(),
                syncs: BTreeMap::new(),
                page_size: 20,
                empty_pages: false,
                latency: Duration::ZERO,
                lag: Duration::ZERO,
                faults: Faults::default(),
                calls: Vec::new(),
                history: vec![(Instant::now(), Shown::default())],
                clock: Clock::new(),
            },
        }
    }
}

impl Builder {
    /// The organization's id, instead of `o-exampleorgid`.
    pub fn id(mut self, id: OrganizationId) -> Self {
        self.world.id = id;
        self
    }

    /// The management account, instead of 111111111111.
    pub fn management(mut self, account: AccountId) -> Self {
        self.world.management = account;
        self
    }

    /// The partition, instead of the commercial one.
    pub fn partition(mut self, partition: Partition) -> Self {
        self.world.partition = partition;
        self
    }

    /// The features, instead of all.
    pub fn feature_set(mut self, feature_set: FeatureSet) -> Self {
        self.world.feature_set = feature_set;
        self
    }

    /// An active member account.
    pub fn member(self, account: AccountId) -> Self {
        self.member_in(account, AccountState::Active)
    }

    /// A member account in any state.
    pub fn member_in(mut self, account: AccountId, state: AccountState) -> Self {
        self.world.members.set(account, state);
        self
    }

    /// So many more active members, with ids from 500000000000 on. They cost neither time nor memory.
    pub fn members(mut self, count: u64) -> Self {
        self.world.members.set_nameless(count);
        self
    }

    /// A service that is trusted already.
    pub fn trusting(mut self, principal: &ServicePrincipal) -> Self {
        self.world.trust(principal);
        self
    }

    /// An account that administers Systems Manager already, even where AWS would not allow it.
    pub fn delegated_to(mut self, account: AccountId) -> Self {
        self.world.delegate(&ServicePrincipal::SYSTEMS_MANAGER, account);
        self
    }

    /// A data sync of Explorer's kind, `SyncFromSource`.
    pub fn data_sync(mut self, account: AccountId, region: Region, sync: DataSync) -> Self {
        self.world.syncs.entry((account, region)).or_default().push(sync);
        self
    }

    /// How many items a page holds at most, instead of 20. At least one.
    pub fn page_size(mut self, items: usize) -> Self {
        self.world.page_size = items.max(1);
        self
    }

    /// Every listing begins with an empty page that has a token, as AWS allows itself.
    pub fn empty_pages(mut self) -> Self {
        self.world.empty_pages = true;
        self
    }

    /// How long a call takes, instead of no time at all.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.world.latency = latency;
        self
    }

    /// How long a change takes to show in the listings of trusted services and administrators, instead of no time at all.
    pub fn lag(mut self, lag: Duration) -> Self {
        self.world.lag = lag;
        self
    }

    /// The organization.
    #[must_use]
    pub fn build(mut self) -> Organization {
        // What was there from the beginning lags behind nothing.
        let newest = self.world.history.len().saturating_sub(1);
        self.world.history.drain(..newest);
        Organization { world: Arc::new(Mutex::new(self.world)) }
    }
}
