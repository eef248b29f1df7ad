#[cfg(feature = "sim-aws")]
use std::collections::VecDeque;
use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::SimOrganization;
use super::clock::Clock;
use super::contents::{Contents, Sync};
use super::faults::{FaultInjector, FaultRates};
#[cfg(feature = "sim-aws")]
use super::hierarchy::Hierarchy;
use super::members::Members;
use super::organization_state::{self, OrganizationState, Settings};
use super::paging::Paging;
use super::read_delay::{History, ReadDelay};
use super::throttle::Throttle;
use super::undocumented::UndocumentedBehavior;
use crate::domain::{
    AccountId, AccountState, DataSync, FeatureSet, Operation, OrganizationId, OrganizationalUnitId, Partition, Region,
    ServicePrincipal, SyncType,
};

/// Reads that can return stale data.
const LAGGING: [Operation; 4] = [
    Operation::ListAwsServiceAccessForOrganization,
    Operation::ListDelegatedAdministrators,
    Operation::ListResourceDataSync,
    Operation::GetRole,
];

/// Builder of a [`SimOrganization`], returned by [`SimOrganization::builder`].
#[derive(Debug)]
#[must_use]
pub struct SimOrganizationBuilder {
    world: OrganizationState,
    /// Applied in order by `build`, because the results depend on the other settings.
    steps: Vec<SetupStep>,
}

/// Part of the initial state of the organization.
#[derive(Debug)]
enum SetupStep {
    Trust(ServicePrincipal),
    Delegate(ServicePrincipal, AccountId),
    Role(ServicePrincipal),
    Sync(AccountId, Region, Box<Sync>),
}

impl Default for SimOrganizationBuilder {
    fn default() -> Self {
        Self::of(Settings {
            id: OrganizationId::EXAMPLE,
            management: AccountId::EXAMPLE_MANAGEMENT,
            partition: Partition::AWS,
            feature_set: FeatureSet::All,
            members: Members::default(),
            units: BTreeSet::new(),
            opt_in_regions: organization_state::opt_in_regions(),
            #[cfg(feature = "sim-aws")]
            hierarchy: Hierarchy::default(),
        })
    }
}

impl SimOrganizationBuilder {
    pub(super) fn of(charter: Settings) -> Self {
        let paging = Paging { size: 20, empty_first: false };
        Self {
            world: OrganizationState {
                charter,
                history: History::new(),
                deletions: Vec::new(),
                undocumented: UndocumentedBehavior::default(),
                paging,
                latency: Duration::ZERO,
                role_deletion: Duration::from_secs(10),
                throttle: None,
                weather: FaultInjector::default(),
                readers: BTreeSet::new(),
                locked: HashSet::new(),
                calls: Vec::new(),
                clock: Clock::new(),
                #[cfg(feature = "sim-aws")]
                requests: 0,
                #[cfg(feature = "sim-aws")]
                creations: Vec::new(),
                #[cfg(feature = "sim-aws")]
                creation_failures: VecDeque::new(),
                #[cfg(feature = "sim-aws")]
                account_creation: Duration::from_secs(10),
                #[cfg(feature = "sim-aws")]
                further_calls: Vec::new(),
            },
            steps: Vec::new(),
        }
    }

    /// Replaces the contents. New dates follow the newest date in the contents.
    pub(super) fn holding(mut self, contents: Contents) -> Self {
        self.world.set_contents(contents);
        self
    }

    /// Sets the organization's id instead of `o-exampleorgid`.
    pub fn id(mut self, id: OrganizationId) -> Self {
        self.world.charter.id = id;
        self
    }

    /// Sets the management account instead of 111111111111.
    pub fn management(mut self, account: AccountId) -> Self {
        self.world.charter.management = account;
        self
    }

    /// Sets the partition instead of the commercial one.
    pub fn partition(mut self, partition: Partition) -> Self {
        self.world.charter.partition = partition;
        self
    }

    /// Sets the feature set instead of all features.
    pub fn feature_set(mut self, feature_set: FeatureSet) -> Self {
        self.world.charter.feature_set = feature_set;
        self
    }

    /// Adds an active member account.
    pub fn member(self, account: AccountId) -> Self {
        self.member_with_state(account, AccountState::Active)
    }

    /// Adds a member account in any state.
    pub fn member_with_state(mut self, account: AccountId, state: AccountState) -> Self {
        self.world.charter.members.named.insert(account, state);
        self
    }

    /// Adds `count` active members with ids from 500000000000 on. They cost neither time nor
    /// memory.
    pub fn members(mut self, count: u64) -> Self {
        self.world.charter.members.anonymous_members = count;
        self
    }

    /// Adds an organizational unit.
    pub fn unit(mut self, unit: OrganizationalUnitId) -> Self {
        self.world.charter.units.insert(unit);
        self
    }

    /// Sets the Regions in which only the management account can sync the organization, instead of
    /// Explorer's four.
    pub fn opt_in_regions(mut self, regions: impl IntoIterator<Item = Region>) -> Self {
        self.world.charter.opt_in_regions = regions.into_iter().collect();
        self
    }

    /// Enables trusted access for a service initially.
    pub fn trusted_access_for(mut self, principal: &ServicePrincipal) -> Self {
        self.steps.push(SetupStep::Trust(principal.clone()));
        self
    }

    /// Registers a delegated administrator of Systems Manager initially, even if AWS would refuse.
    pub fn delegated_administrator(self, account: AccountId) -> Self {
        self.delegated_administrator_for(&ServicePrincipal::SYSTEMS_MANAGER, account)
    }

    /// Registers a delegated administrator of any service initially, even if AWS would refuse.
    pub fn delegated_administrator_for(mut self, principal: &ServicePrincipal, account: AccountId) -> Self {
        self.steps.push(SetupStep::Delegate(principal.clone(), account));
        self
    }

    /// Creates the service-linked role of a principal in the management account initially.
    pub fn service_linked_role(mut self, principal: &ServicePrincipal) -> Self {
        self.steps.push(SetupStep::Role(principal.clone()));
        self
    }

    /// Adds a data sync of Explorer's type, `SyncFromSource`.
    pub fn data_sync(self, account: AccountId, region: Region, sync: DataSync) -> Self {
        self.data_sync_of_type(SyncType::SyncFromSource, account, region, sync)
    }

    /// Adds a data sync of either type.
    pub fn data_sync_of_type(
        mut self,
        sync_type: SyncType,
        account: AccountId,
        region: Region,
        sync: DataSync,
    ) -> Self {
        self.steps.push(SetupStep::Sync(account, region, Box::new(Sync { sync_type, shown: sync })));
        self
    }

    /// Allows a member account the reads that a resource-based delegation policy can grant.
    ///
    /// AWS: [Resource-based delegation
    /// policies](https://docs.aws.amazon.com/organizations/latest/userguide/orgs-policy-delegate.html).
    pub fn delegation_policy_for(mut self, account: AccountId) -> Self {
        self.world.readers.insert(account);
        self
    }

    /// Sets the behavior that AWS's documents leave open.
    pub fn undocumented_behavior(mut self, undocumented: UndocumentedBehavior) -> Self {
        self.world.undocumented = undocumented;
        self
    }

    /// Sets the maximum number of items per page instead of 20. The minimum is one.
    pub fn page_size(mut self, items: usize) -> Self {
        self.world.paging.size = items.max(1);
        self
    }

    /// Starts every listing with an empty page that has a token, as AWS's documents allow.
    pub fn empty_first_page(mut self) -> Self {
        self.world.paging.empty_first = true;
        self
    }

    /// Sets the duration of each call, refused or not, instead of zero. The effect happens at the
    /// end of the call.
    ///
    /// While a write to the organization runs, another one is refused with
    /// `ConcurrentModificationException`. While a data sync update runs, another update by the same
    /// account in the same Region is refused with `ResourceDataSyncConflictException`.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.world.latency = latency;
        self
    }

    /// Sets the duration of a service-linked role's deletion instead of ten seconds.
    pub fn role_deletion(mut self, duration: Duration) -> Self {
        self.world.role_deletion = duration;
        self
    }

    /// Sets the duration of an account's creation over AWS's protocols instead of ten seconds.
    #[cfg(feature = "sim-aws")]
    pub fn account_creation(mut self, duration: Duration) -> Self {
        self.world.account_creation = duration;
        self
    }

    /// Sets the delay until a change is visible in listings and `GetRole`, instead of zero.
    pub fn read_delay(self, lag: Duration) -> Self {
        LAGGING.iter().fold(self, |builder, operation| builder.read_delays_for(*operation, [ReadDelay::Time(lag)]))
    }

    /// Sets the read delays of an operation, used in turn. With two delays, a stale response can
    /// follow a current one.
    ///
    /// Delays apply to the listings of trusted services, administrators and data syncs, and to
    /// `GetRole`. Other reads are always current.
    pub fn read_delays_for(mut self, operation: Operation, lags: impl IntoIterator<Item = ReadDelay>) -> Self {
        self.world.history.set_read_delays(operation, lags.into_iter().collect());
        self
    }

    /// Sets the delay until other AWS services notice a change of trusted access or of delegated
    /// administrators, instead of zero.
    ///
    /// The reads of Organizations show such a change at once. Systems Manager and IAM act on the
    /// previous state until the delay is over. For IAM, 60 to 180 seconds were observed on AWS.
    /// AWS: [Changes that I make aren't always immediately
    /// visible](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_troubleshoot_general.html).
    pub fn service_delay(mut self, delay: Duration) -> Self {
        self.world.history.set_service_delay(delay);
        self
    }

    /// Throttles calls to AWS Organizations by its documented rates and bursts, per account and per
    /// organization. AWS does not document those of the other services.
    pub fn with_throttling(mut self) -> Self {
        self.world.throttle = Some(Throttle::default());
        self
    }

    /// Injects random faults at the given rates. Equal seeds give equal faults.
    pub fn fault_rates(mut self, seed: u64, chances: FaultRates) -> Self {
        self.world.weather.seed = seed;
        self.world.weather.chances = chances;
        self
    }

    /// Returns the organization.
    #[must_use]
    pub fn build(mut self) -> SimOrganization {
        let management = self.world.charter.management;
        for step in self.steps {
            match step {
                SetupStep::Trust(principal) => self.world.trust(&principal),
                SetupStep::Delegate(principal, account) => {
                    self.world.change(|contents, date| contents.register(&principal, account, date));
                }
                SetupStep::Role(principal) => drop(self.world.make_role(management, &principal)),
                SetupStep::Sync(account, region, sync) => self.world.add_sync(account, region, *sync),
            }
        }
        // Reads show the initial state without delay.
        self.world.history.reset();
        SimOrganization { world: Arc::new(Mutex::new(self.world)) }
    }
}
