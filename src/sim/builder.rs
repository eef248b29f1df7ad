use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::Organization;
use super::clock::Clock;
use super::contents::{Contents, Sync};
use super::history::{History, Lag};
use super::members::Members;
use super::pages::Paging;
use super::throttle::Throttle;
use super::undocumented::Undocumented;
use super::weather::{Chances, Weather};
use super::world::{self, Charter, World};
use crate::domain::{AccountId, OrganizationId, OrganizationalUnitId, Partition, Region, ServicePrincipal};
use crate::ports::{AccountState, DataSync, FeatureSet, Operation, SyncType};

/// The listings and look-ups in which a change may take time to show.
const LAGGING: [Operation; 4] = [
    Operation::ListAwsServiceAccessForOrganization,
    Operation::ListDelegatedAdministrators,
    Operation::ListResourceDataSync,
    Operation::GetRole,
];

/// Says what an organization in memory is like at first: [`Organization::builder`].
#[derive(Debug)]
#[must_use]
pub struct Builder {
    world: World,
    /// Done at the end, in order: what they come to depends on the other settings.
    steps: Vec<Step>,
}

/// Something that was there from the beginning.
#[derive(Debug)]
enum Step {
    Trust(ServicePrincipal),
    Delegate(ServicePrincipal, AccountId),
    Role(ServicePrincipal),
    Sync(AccountId, Region, Box<Sync>),
}

impl Default for Builder {
    fn default() -> Self {
        Self::of(Charter {
            id: OrganizationId::EXAMPLE,
            management: AccountId::EXAMPLE_MANAGEMENT,
            partition: Partition::AWS,
            feature_set: FeatureSet::All,
            members: Members::default(),
            units: BTreeSet::new(),
            opt_in_regions: world::opt_in_regions(),
        })
    }
}

impl Builder {
    pub(super) fn of(charter: Charter) -> Self {
        let paging = Paging { size: 20, empty_first: false };
        Self {
            world: World {
                charter,
                history: History::new(),
                deletions: Vec::new(),
                undocumented: Undocumented::default(),
                paging,
                latency: Duration::ZERO,
                role_deletion: Duration::from_secs(10),
                throttle: None,
                weather: Weather::default(),
                locked: HashSet::new(),
                calls: Vec::new(),
                clock: Clock::new(),
            },
            steps: Vec::new(),
        }
    }

    /// The same with these contents, and dates from then on.
    pub(super) fn holding(mut self, contents: Contents) -> Self {
        self.world.clock = Clock::after(contents.newest_date());
        self.world.history.change(|now| *now = contents);
        self
    }

    /// The organization's id, instead of `o-exampleorgid`.
    pub fn id(mut self, id: OrganizationId) -> Self {
        self.world.charter.id = id;
        self
    }

    /// The management account, instead of 111111111111.
    pub fn management(mut self, account: AccountId) -> Self {
        self.world.charter.management = account;
        self
    }

    /// The partition, instead of the commercial one.
    pub fn partition(mut self, partition: Partition) -> Self {
        self.world.charter.partition = partition;
        self
    }

    /// The features, instead of all.
    pub fn feature_set(mut self, feature_set: FeatureSet) -> Self {
        self.world.charter.feature_set = feature_set;
        self
    }

    /// An active member account.
    pub fn member(self, account: AccountId) -> Self {
        self.member_in(account, AccountState::Active)
    }

    /// A member account in any state.
    pub fn member_in(mut self, account: AccountId, state: AccountState) -> Self {
        self.world.charter.members.named.insert(account, state);
        self
    }

    /// So many more active members, with ids from 500000000000 on. They cost neither time nor memory.
    pub fn members(mut self, count: u64) -> Self {
        self.world.charter.members.nameless = count;
        self
    }

    /// An organizational unit.
    pub fn unit(mut self, unit: OrganizationalUnitId) -> Self {
        self.world.charter.units.insert(unit);
        self
    }

    /// The Regions in which only the management account may sync the organization, instead of Explorer's four.
    pub fn opt_in_regions(mut self, regions: impl IntoIterator<Item = Region>) -> Self {
        self.world.charter.opt_in_regions = regions.into_iter().collect();
        self
    }

    /// A service that is trusted already.
    pub fn trusting(mut self, principal: &ServicePrincipal) -> Self {
        self.steps.push(Step::Trust(principal.clone()));
        self
    }

    /// An account that administers Systems Manager already, even where AWS would not allow it.
    pub fn delegated_to(self, account: AccountId) -> Self {
        self.delegated_for(&ServicePrincipal::SYSTEMS_MANAGER, account)
    }

    /// An account that administers any service already, even where AWS would not allow it.
    pub fn delegated_for(mut self, principal: &ServicePrincipal, account: AccountId) -> Self {
        self.steps.push(Step::Delegate(principal.clone(), account));
        self
    }

    /// The service-linked role of a principal, in the management account.
    pub fn role_for(mut self, principal: &ServicePrincipal) -> Self {
        self.steps.push(Step::Role(principal.clone()));
        self
    }

    /// A data sync of Explorer's kind, `SyncFromSource`.
    pub fn data_sync(self, account: AccountId, region: Region, sync: DataSync) -> Self {
        self.data_sync_of_type(SyncType::SyncFromSource, account, region, sync)
    }

    /// A data sync of either kind.
    pub fn data_sync_of_type(
        mut self,
        sync_type: SyncType,
        account: AccountId,
        region: Region,
        sync: DataSync,
    ) -> Self {
        self.steps.push(Step::Sync(account, region, Box::new(Sync { sync_type, shown: sync })));
        self
    }

    /// How AWS behaves where its documents leave it open.
    pub fn undocumented(mut self, undocumented: Undocumented) -> Self {
        self.world.undocumented = undocumented;
        self
    }

    /// How many items a page holds at most, instead of 20. At least one.
    pub fn page_size(mut self, items: usize) -> Self {
        self.world.paging.size = items.max(1);
        self
    }

    /// Every listing begins with an empty page that has a token, as AWS allows itself.
    pub fn empty_pages(mut self) -> Self {
        self.world.paging.empty_first = true;
        self
    }

    /// How long a call takes, refused or not, instead of no time at all. Its effect is there at the end.
    ///
    /// While a write to the organization takes its time, another is refused with `ConcurrentModificationException`; and while an update of
    /// a data sync does, another by the same account in the same Region with `ResourceDataSyncConflictException`.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.world.latency = latency;
        self
    }

    /// How long the deletion of a service-linked role takes, instead of ten seconds.
    pub fn role_deletion(mut self, duration: Duration) -> Self {
        self.world.role_deletion = duration;
        self
    }

    /// How long a change takes to show in every listing and look-up, instead of no time at all.
    pub fn lag(self, lag: Duration) -> Self {
        LAGGING.iter().fold(self, |builder, operation| builder.lags_of(*operation, [Lag::Time(lag)]))
    }

    /// How far behind the reads of an operation are, in turn: with two of them, an old answer can follow a new one.
    ///
    /// The listings of trusted services, administrators and data syncs, and `GetRole`, can be late; others show what is.
    pub fn lags_of(mut self, operation: Operation, lags: impl IntoIterator<Item = Lag>) -> Self {
        self.world.history.set_lags(operation, lags.into_iter().collect());
        self
    }

    /// AWS Organizations' own rates and bursts, by account and by organization. The other services' are not documented.
    pub fn throttled(mut self) -> Self {
        self.world.throttle = Some(Throttle::default());
        self
    }

    /// Faults at random, the same for the same seed.
    pub fn chances(mut self, seed: u64, chances: Chances) -> Self {
        self.world.weather.seed = seed;
        self.world.weather.chances = chances;
        self
    }

    /// The organization.
    #[must_use]
    pub fn build(mut self) -> Organization {
        let management = self.world.charter.management;
        for step in self.steps {
            match step {
                Step::Trust(principal) => self.world.trust(&principal),
                Step::Delegate(principal, account) => {
                    self.world.change(|contents, date| contents.delegate(&principal, account, date));
                }
                Step::Role(principal) => drop(self.world.make_role(management, &principal)),
                Step::Sync(account, region, sync) => self.world.add_sync(account, region, *sync),
            }
        }
        // What was there from the beginning lags behind nothing.
        self.world.history.begin_here();
        Organization { world: Arc::new(Mutex::new(self.world)) }
    }
}
