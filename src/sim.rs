//! An organization in memory, behind the same [ports](crate::ports) as AWS.
//!
//! For tests of your own tools, for examples, and for looking at what this crate does: no AWS account, no network. It
//! follows AWS's documented rules and answers with AWS's codes, reasons and messages. Time is tokio's, so tests can pause it.
//!
//! ```
//! use ssm_organizations::{AccountId, Integration, ports::Operation, sim};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), ssm_organizations::Error> {
//! let administrator: AccountId = "222222222222".parse()?;
//! let organization = sim::Organization::builder().member(administrator).build();
//!
//! // The reply to the registration is lost after AWS has done it.
//! organization.fault(Operation::RegisterDelegatedAdministrator, 1, sim::Fault::LostAfter);
//!
//! let observed = Integration::new(organization.management_client()).observe().await?;
//! let delegated = observed.ensure_delegated(&administrator).await?;
//!
//! assert_eq!(delegated.changes()[1].certainty, ssm_organizations::Certainty::Maybe);
//! assert_eq!(organization.count(Operation::RegisterDelegatedAdministrator), 1, "sent once");
//! # Ok(())
//! # }
//! ```
//!
//! # AWS's rules
//!
//! | rule | AWS's document |
//! | --- | --- |
//! | who may call what; member accounts only, and active; trusted access before registering; one change at a time; empty pages | [Organizations API reference](https://docs.aws.amazon.com/organizations/latest/APIReference/API_RegisterDelegatedAdministrator.html) |
//! | all features | [Using Organizations with other AWS services](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services.html) |
//! | one administrator for all of Systems Manager, and one for Quick Setup | [Systems Manager and Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html) |
//! | rates and bursts, with [`throttled`](Builder::throttled) | [Quotas of Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html) |
//! | each name once, a source that stays what it is, one update at a time; how a sync fares | [Systems Manager API reference](https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateResourceDataSync.html) |
//! | five syncs of an account and Region | [Quotas of Systems Manager](https://docs.aws.amazon.com/general/latest/gr/ssm.html) |
//! | opt-in Regions from the management account alone; the administrator's syncs deleted with the delegation | [Explorer's guide](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator.html) |
//! | the service-linked role before a sync; not deleted while Explorer's syncs or trusted access need it | [Using service-linked roles for Systems Manager](https://docs.aws.amazon.com/systems-manager/latest/userguide/using-service-linked-roles.html) |
//! | the deletion of a role in the background, one at a time | [IAM API reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteServiceLinkedRole.html) |
//!
//! What AWS's documents leave open is a switch of [`Undocumented`].
//!
//! # Bad days
//!
//! [`fault`](Organization::fault) makes a call go wrong, [`before`](Organization::before) lets a rival act between two calls,
//! [`die`](Organization::die) ends a process; [`lag`](Builder::lag), [`latency`](Builder::latency) and [`throttled`](Builder::throttled) are the
//! weather, and [`chances`](Builder::chances) draws faults from a seed. Time is tokio's, and so are the dates.
//!
//! # A tool's own test
//!
//! A landing-zone tool that onboards on a busy day: it tries again what is worth trying again, and gives up on the rest. Its test
//! takes no time and no AWS:
//!
//! ```
//! use std::time::Duration;
//!
//! use ssm_organizations::ports::{Client, Operation};
//! use ssm_organizations::{AccountId, Error, ErrorKind, Integration, Retry, sim};
//!
//! /// The tool's own code.
//! async fn onboard(client: &impl Client, account: &AccountId) -> Result<(), Error> {
//!     let mut pause = Duration::from_secs(2);
//!     loop {
//!         let error = match once(client, account).await {
//!             Ok(()) => return Ok(()),
//!             // `Temporary` here, and `Spent` on AWS where the SDK has tried in vain: the whole again, later, is right for both.
//!             Err(error) if error.retry() != Retry::Permanent && pause < Duration::from_mins(1) => error,
//!             Err(error) => return Err(error),
//!         };
//!         eprintln!("in {pause:?} again: {error}");
//!         tokio::time::sleep(pause).await;
//!         pause *= 2;
//!     }
//! }
//!
//! async fn once(client: &impl Client, account: &AccountId) -> Result<(), Error> {
//!     let observed = Integration::new(client).observe().await?;
//!     observed.ensure_delegated(account).await?;
//!     Ok(())
//! }
//!
//! // The tool's test: `#[tokio::test(start_paused = true)]`.
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Error> {
//! let account: AccountId = "222222222222".parse()?;
//! let organization = sim::Organization::builder().member(account).build();
//! organization.fault(Operation::EnableAwsServiceAccess, 1, sim::Fault::refused("ConcurrentModificationException"));
//! organization.fault(Operation::DescribeAccount, 2, sim::Fault::throttled(Operation::DescribeAccount));
//! onboard(&organization.management_client(), &account).await?;
//! assert_eq!(organization.administrators(), [account]);
//! assert_eq!(organization.count(Operation::EnableAwsServiceAccess), 2);
//!
//! // Credentials that lack a permission are not worth a second try.
//! let organization = sim::Organization::builder().member(account).build();
//! let client = organization.management_client().without_permission("organizations:RegisterDelegatedAdministrator");
//! let error = onboard(&client, &account).await.unwrap_err();
//! assert_eq!(*error.kind(), ErrorKind::AccessDenied);
//! assert_eq!(organization.count(Operation::RegisterDelegatedAdministrator), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Where it is known to differ from AWS
//!
//! * Every service principal of AWS's form (`….amazonaws.com`) is recognized.
//! * IAM policies are not evaluated; credentials [lack an action](Client::without_permission) or have it.
//! * The messages of `ResourceDataSyncInvalidConfigurationException` are made up: AWS does not document them.
//! * A sync never runs, so its last status stays as it was made, and one without a state counts as healthy.
//! * A page holds 20 items, and a role takes ten seconds to be deleted, unless told otherwise: AWS says neither.
//! * Any Region is one, and every one takes a sync of the organization: AWS supports some opt-in Regions only.
//! * GovCloud is like the others, though AWS has no delegated administrator for Explorer there.
//! * A call that breaks two rules is refused for one of them, in an order that AWS does not document.
//! * A call is made once. What is throttled or meets another change fails as [`Retry::Temporary`](crate::Retry::Temporary); on AWS the SDK tries
//!   again, and what outlasts that fails as [`Retry::Spent`](crate::Retry::Spent). Code that does the whole again after a pause asks whether
//!   [`retry`](crate::Error::retry) is anything but [`Permanent`](crate::Retry::Permanent).

mod builder;
mod client;
mod clock;
mod contents;
mod history;
mod log;
mod members;
mod pages;
mod rules;
mod snapshot;
mod throttle;
mod undocumented;
mod weather;
mod world;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use builder::Builder;
pub use client::Client;
pub use history::Lag;
pub use log::{Call, Outcome};
pub use snapshot::Snapshot;
pub use undocumented::{
    DeregisterUntrusted, DisableAdministered, DuplicateRole, RegisterUntrusted, Repetition, SecondAdministrator,
    SyncOfAMember, Undocumented, UnreadySync,
};
pub use weather::{Chances, Fault};

use crate::domain::{AccountId, Region, RoleName, ServicePrincipal, SyncName};
use crate::ports::{AccountState, DataSync, Operation, SyncType};
use contents::Sync;
use world::World;

/// An organization in memory. Cloning it gives another hand on the same one.
///
/// Its own methods are for whoever arranges a test: they change and read it directly, without AWS's checks and without a call. What the
/// code under test does goes through a [`client`](Self::client).
#[derive(Clone, Debug)]
pub struct Organization {
    world: Arc<Mutex<World>>,
}

impl Organization {
    /// An organization with all features in the commercial partition, with management account 111111111111 and nothing else, to
    /// begin with.
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // A panic elsewhere leaves whole values: every change is one assignment or one insertion.
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.finish_deletions();
        world
    }

    /// A client with credentials of this account, which may also be outside the organization.
    #[must_use]
    pub fn client(&self, account: AccountId) -> Client {
        Client::new(self.clone(), account)
    }

    /// A client with credentials of the management account.
    #[must_use]
    pub fn management_client(&self) -> Client {
        let management = self.world().charter.management;
        self.client(management)
    }

    /// Trusts a service, as somebody else might.
    pub fn trust(&self, principal: &ServicePrincipal) {
        self.world().trust(principal);
    }

    /// Takes the trust from a service, as somebody else might. Its administrators stay.
    pub fn distrust(&self, principal: &ServicePrincipal) {
        self.world().change(|contents, _| contents.distrust(principal));
    }

    /// Makes an account an administrator of Systems Manager, even where AWS would not.
    pub fn delegate(&self, account: AccountId) {
        self.delegate_for(&ServicePrincipal::SYSTEMS_MANAGER, account);
    }

    /// Takes the delegation from an account. Its data syncs stay.
    pub fn undelegate(&self, account: AccountId) {
        self.undelegate_for(&ServicePrincipal::SYSTEMS_MANAGER, account);
    }

    /// Makes an account an administrator of any service, even where AWS would not.
    pub fn delegate_for(&self, principal: &ServicePrincipal, account: AccountId) {
        self.world().change(|contents, date| contents.delegate(principal, account, date));
    }

    /// Takes the delegation for any service from an account. Its data syncs stay.
    pub fn undelegate_for(&self, principal: &ServicePrincipal, account: AccountId) {
        self.world().change(|contents, _| contents.undelegate(principal, account));
    }

    /// Takes a member out of the organization. What it administers and its data syncs stay.
    pub fn remove_member(&self, account: AccountId) {
        self.world().charter.members.named.remove(&account);
    }

    /// Adds a member, or puts one into another state.
    pub fn set_member(&self, account: AccountId, state: AccountState) {
        self.world().charter.members.named.insert(account, state);
    }

    /// Gives an account the service-linked role of a principal, where Systems Manager has one for it.
    pub fn add_role(&self, account: AccountId, principal: &ServicePrincipal) {
        self.world().make_role(account, principal);
    }

    /// Gives an account a data sync of Explorer's kind, `SyncFromSource`.
    pub fn add_data_sync(&self, account: AccountId, region: Region, sync: DataSync) {
        self.add_data_sync_of_type(SyncType::SyncFromSource, account, region, sync);
    }

    /// Gives an account a data sync of either kind.
    pub fn add_data_sync_of_type(&self, sync_type: SyncType, account: AccountId, region: Region, sync: DataSync) {
        self.world().add_sync(account, region, Sync { sync_type, shown: sync });
    }

    /// Takes a data sync from an account, of either kind.
    pub fn remove_data_sync(&self, account: AccountId, region: &Region, name: &SyncName) {
        self.world().change(|contents, _| contents.remove_sync(account, region, name));
    }

    /// Takes a role from an account, at once.
    pub fn remove_role(&self, account: AccountId, name: &RoleName) {
        self.world().change(|contents, _| contents.roles.remove(&(account, name.clone())));
    }

    /// The data syncs of an account in a Region, of either type, by name, and how they fare.
    #[must_use]
    pub fn data_syncs(&self, account: AccountId, region: &Region) -> Vec<DataSync> {
        let world = self.world();
        let contents = world.now();
        contents.syncs_of(account, region).map(|sync| world.charter.shown(contents, account, sync)).collect()
    }

    /// Whether an account has a role.
    #[must_use]
    pub fn has_role(&self, account: AccountId, name: &RoleName) -> bool {
        self.world().now().roles.contains_key(&(account, name.clone()))
    }

    /// Whether a service is trusted.
    #[must_use]
    pub fn is_trusted(&self, principal: &ServicePrincipal) -> bool {
        self.world().now().is_trusted(principal)
    }

    /// The accounts that administer Systems Manager.
    #[must_use]
    pub fn administrators(&self) -> Vec<AccountId> {
        self.world().now().administrators(&ServicePrincipal::SYSTEMS_MANAGER)
    }

    /// Lets the `nth` call of an operation, counted from one and from now on, go wrong.
    ///
    /// "The n-th" is promised for one task at a time.
    pub fn fault(&self, operation: Operation, nth: usize, fault: Fault) {
        self.world().weather.script(Some(operation), nth, fault);
    }

    /// Lets the `nth` call of all, counted from one and from now on, go wrong.
    pub fn fault_at(&self, nth: usize, fault: Fault) {
        self.world().weather.script(None, nth, fault);
    }

    /// Runs something between two calls: immediately before the `nth` call of an operation, counted from one and from now on.
    ///
    /// What it does to the organization is there when the call is judged: a rival.
    pub fn before(&self, operation: Operation, nth: usize, rival: impl FnOnce(&Self) + Send + 'static) {
        self.world().weather.rival(Some(operation), nth, Box::new(rival));
    }

    /// The same before the `nth` call of all.
    pub fn before_call(&self, nth: usize, rival: impl FnOnce(&Self) + Send + 'static) {
        self.world().weather.rival(None, nth, Box::new(rival));
    }

    /// From the `nth` call on, counted from one and from now on, no call arrives or is answered: a killed process.
    pub fn die(&self, nth: usize) {
        self.world().weather.die(nth);
    }

    /// Calls arrive again: the process was started anew.
    pub fn live(&self) {
        self.world().weather.live();
    }

    /// Nothing goes wrong from now on: no fault, no rival, no death. How late reads are, and AWS's rates, stay.
    pub fn calm(&self) {
        self.world().weather.calm();
    }

    /// The whole of it now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let world = self.world();
        Snapshot { charter: world.charter.clone(), contents: world.now().clone() }
    }

    /// The calls made so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.world().calls.clone()
    }

    /// How many calls of an operation were made so far.
    #[must_use]
    pub fn count(&self, operation: Operation) -> usize {
        self.world().calls.iter().filter(|call| call.operation == operation).count()
    }

    /// How many calls of each operation were made so far.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Operation, usize> {
        let mut counts = BTreeMap::new();
        for call in &self.world().calls {
            *counts.entry(call.operation).or_default() += 1;
        }
        counts
    }

    /// How many writes were sent so far.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.world().calls.iter().filter(|call| call.is_write()).count()
    }

    /// Forgets the calls made so far.
    pub fn forget_calls(&self) {
        self.world().calls.clear();
    }
}
