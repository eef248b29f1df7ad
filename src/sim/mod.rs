//! In-memory simulation of an organization behind the same [ports](crate::ports) as AWS.
//!
//! The simulation serves tests of your own tools, examples and experiments with this crate. It
//! needs no AWS account and no network. It follows AWS's documented rules and returns AWS's error
//! codes, reasons and messages. All times come from tokio's clock, so tests can pause them.
//!
//! ```
//! use ssm_organizations::{AccountId, Integration, ports::Operation, sim};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), ssm_organizations::Error> {
//! let administrator: AccountId = "222222222222".parse()?;
//! let organization = sim::SimOrganization::builder().member(administrator).build();
//!
//! // AWS registers the account, and the response is lost.
//! organization
//!     .inject_fault(Operation::RegisterDelegatedAdministrator, 1, sim::Fault::ResponseLost);
//!
//! let observed = Integration::new(organization.management_client()).observe().await?;
//! let delegated = observed.ensure_delegated(administrator).await?;
//!
//! assert_eq!(delegated.changes()[1].certainty, ssm_organizations::Certainty::Unconfirmed);
//! assert_eq!(organization.call_count(Operation::RegisterDelegatedAdministrator), 1, "sent once");
//! # Ok(())
//! # }
//! ```
//!
//! # AWS's rules
//!
//! | rule | AWS's document |
//! | --- | --- |
//! | permissions of callers; administrators are active member accounts; trusted access before registering; one change at a time; empty pages | [Organizations API reference](https://docs.aws.amazon.com/organizations/latest/APIReference/API_RegisterDelegatedAdministrator.html) |
//! | trusted access requires all features | [Using Organizations with other AWS services](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services.html) |
//! | one administrator for all of Systems Manager, and one for Quick Setup | [Systems Manager and Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html) |
//! | Systems Manager's source of Security Hub findings has trusted access only, without administrators | [Set up Explorer's delegated administrator](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator.html) |
//! | rates and bursts, with [`with_throttling`](SimOrganizationBuilder::with_throttling) | [Quotas of Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html) |
//! | unique sync names; the source type of a sync cannot change; one update at a time; sync states | [Systems Manager API reference](https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateResourceDataSync.html) |
//! | at most five syncs per account and Region | [Quotas of Systems Manager](https://docs.aws.amazon.com/general/latest/gr/ssm.html) |
//! | only the management account can sync opt-in Regions; deregistering deletes the administrator's syncs | [Explorer's guide](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator.html) |
//! | a sync requires the service-linked role; the role cannot be deleted while Explorer's syncs or trusted access need it | [Role for Explorer and OpsCenter](https://docs.aws.amazon.com/systems-manager/latest/userguide/using-service-linked-roles-service-action-2.html) |
//! | a sync for Explorer shows no last status | [CloudFormation's handler](https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-resourcedatasync.html) |
//! | roles are deleted in the background, one at a time | [IAM API reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteServiceLinkedRole.html) |
//!
//! Each point that AWS's documents leave open is an option of [`UndocumentedBehavior`].
//!
//! # Fault injection
//!
//! [`inject_fault`](SimOrganization::inject_fault) makes a call fail.
//! [`run_before`](SimOrganization::run_before) runs a closure between two calls.
//! [`stop_at_call`](SimOrganization::stop_at_call) simulates a killed process. The builder sets
//! [`read_delay`](SimOrganizationBuilder::read_delay),
//! [`service_delay`](SimOrganizationBuilder::service_delay),
//! [`latency`](SimOrganizationBuilder::latency) and
//! [throttling](SimOrganizationBuilder::with_throttling).
//! [`fault_rates`](SimOrganizationBuilder::fault_rates) injects random faults from a seed. Pauses
//! and dates follow tokio's clock.
//!
//! # Example: testing a tool
//!
//! This example is a landing-zone tool that onboards an account while other changes run. The tool
//! retries errors that may pass and returns all others. Its test needs neither AWS nor real time:
//!
//! ```
//! use std::time::Duration;
//!
//! use ssm_organizations::ports::{Client, Operation};
//! use ssm_organizations::{AccountId, Error, ErrorKind, Integration, RetryStatus, sim};
//!
//! /// The tool's own code.
//! async fn onboard(client: &impl Client, account: AccountId) -> Result<(), Error> {
//!     let mut pause = Duration::from_secs(2);
//!     loop {
//!         let error = match once(client, account).await {
//!             Ok(()) => return Ok(()),
//!             // Retry the whole operation later for both `Temporary` (simulation) and `Exhausted`
//!             // (retries of the AWS SDK exhausted).
//!             Err(error) if error.retry_status() != RetryStatus::Permanent
//!                 && pause < Duration::from_mins(1) => error,
//!             Err(error) => return Err(error),
//!         };
//!         eprintln!("in {pause:?} again: {error}");
//!         tokio::time::sleep(pause).await;
//!         pause *= 2;
//!     }
//! }
//!
//! async fn once(client: &impl Client, account: AccountId) -> Result<(), Error> {
//!     let observed = Integration::new(client).observe().await?;
//!     observed.ensure_delegated(account).await?;
//!     Ok(())
//! }
//!
//! // The tool's test: `#[tokio::test(start_paused = true)]`.
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Error> {
//! let account: AccountId = "222222222222".parse()?;
//! let organization = sim::SimOrganization::builder().member(account).build();
//! let conflict = sim::Fault::refused("ConcurrentModificationException");
//! organization.inject_fault(Operation::EnableAwsServiceAccess, 1, conflict);
//! let throttled = sim::Fault::throttled(Operation::DescribeAccount);
//! organization.inject_fault(Operation::DescribeAccount, 2, throttled);
//! onboard(&organization.management_client(), account).await?;
//! assert_eq!(organization.administrators(), [account]);
//! assert_eq!(organization.call_count(Operation::EnableAwsServiceAccess), 2);
//!
//! // A missing permission is permanent, so the tool does not retry.
//! let organization = sim::SimOrganization::builder().member(account).build();
//! let client = organization
//!     .management_client()
//!     .without_permission("organizations:RegisterDelegatedAdministrator");
//! let error = onboard(&client, account).await.unwrap_err();
//! assert_eq!(*error.kind(), ErrorKind::AccessDenied);
//! assert_eq!(organization.call_count(Operation::RegisterDelegatedAdministrator), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Known differences from AWS
//!
//! * The simulation recognizes every service principal of AWS's form (`….amazonaws.com`).
//! * The simulation evaluates no IAM policies. Credentials have every action except those removed
//!   with [`without_permission`](SimClient::without_permission).
//! * The messages of `ResourceDataSyncInvalidConfigurationException` are invented, because AWS does
//!   not document them.
//! * A sync never runs, so its dates never change. As on AWS, only Inventory's syncs show a last
//!   status. A sync without a state counts as healthy.
//! * A page holds 20 items and a role deletion takes ten seconds, unless configured otherwise. AWS
//!   documents neither value.
//! * Every valid Region name is accepted, and every Region accepts a sync of the organization. AWS
//!   supports some opt-in Regions only.
//! * GovCloud behaves like the other partitions, although AWS has no delegated administrator for
//!   Explorer there.
//! * A call that breaks two rules is refused for one of them. AWS does not document the order.
//! * The simulation makes each call once. A call that is throttled or conflicts with another change
//!   fails as [`RetryStatus::Temporary`](crate::RetryStatus::Temporary). On AWS the SDK retries
//!   such a call, and fails as [`RetryStatus::Exhausted`](crate::RetryStatus::Exhausted) after its
//!   last attempt. Code that repeats a whole operation after a pause checks that
//!   [`retry_status`](crate::Error::retry_status) is not
//!   [`Permanent`](crate::RetryStatus::Permanent).

mod builder;
mod client;
mod clock;
mod contents;
mod faults;
#[cfg(feature = "sim-aws")]
mod further;
#[cfg(feature = "sim-aws")]
mod hierarchy;
mod log;
mod members;
mod organization_state;
mod paging;
mod read_delay;
mod rules;
mod saved_state;
mod throttle;
mod undocumented;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use builder::SimOrganizationBuilder;
pub use client::SimClient;
pub use faults::{Fault, FaultRates, UnusableResponse};
#[cfg(feature = "sim-aws")]
pub(crate) use hierarchy::{AccountCreation, AccountDetails, FurtherError, Parent, Refusal, UnitDetails};
#[cfg(feature = "sim-aws")]
pub use log::FurtherCall;
pub use log::{Call, CallOutcome};
pub use read_delay::ReadDelay;
pub use saved_state::SimState;
pub use undocumented::{
    DeregisterWithoutTrust, DisableWithAdministrators, DuplicateRole, MemberSync, RegisterWithoutTrust, RepeatedWrite,
    SecondAdministrator, SyncWithoutPrerequisites, UndocumentedBehavior,
};

use crate::domain::{
    AccountId, AccountState, DataSync, Operation, Region, RoleName, ServicePrincipal, SyncName, SyncType,
};
use contents::Sync;
use organization_state::OrganizationState;

/// In-memory organization. Clones share the same state.
///
/// Test setup uses the methods of this type: they read and change the state directly, without AWS's
/// checks and without a call. The code under test uses a [`client`](Self::client).
#[derive(Clone, Debug)]
pub struct SimOrganization {
    world: Arc<Mutex<OrganizationState>>,
}

impl SimOrganization {
    /// Returns a builder for an organization with all features in the commercial partition. It
    /// initially contains only the management account, 111111111111.
    pub fn builder() -> SimOrganizationBuilder {
        SimOrganizationBuilder::default()
    }

    fn world(&self) -> MutexGuard<'_, OrganizationState> {
        // A panic in another thread cannot leave a partial change, because every change is one
        // assignment or one insertion.
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.finish_deletions();
        #[cfg(feature = "sim-aws")]
        world.finish_creations();
        world
    }

    /// Returns a client with the credentials of `account`, which may be outside the organization.
    #[must_use]
    pub fn client(&self, account: AccountId) -> SimClient {
        SimClient::new(self.clone(), account)
    }

    /// Returns a client with the credentials of the management account.
    #[must_use]
    pub fn management_client(&self) -> SimClient {
        let management = self.world().charter.management;
        self.client(management)
    }

    /// Enables trusted access for a service, as a concurrent actor might.
    pub fn enable_trusted_access(&self, principal: &ServicePrincipal) {
        self.world().trust(principal);
    }

    /// Disables trusted access for a service, as a concurrent actor might. Its administrators stay
    /// registered.
    pub fn disable_trusted_access(&self, principal: &ServicePrincipal) {
        self.world().change(|contents, _| contents.disable_trusted_access(principal));
    }

    /// Registers an account as a delegated administrator of Systems Manager, even if AWS would
    /// refuse.
    pub fn register_administrator(&self, account: AccountId) {
        self.register_administrator_for(&ServicePrincipal::SYSTEMS_MANAGER, account);
    }

    /// Deregisters an account as a delegated administrator of Systems Manager. Its data syncs
    /// remain.
    pub fn deregister_administrator(&self, account: AccountId) {
        self.deregister_administrator_for(&ServicePrincipal::SYSTEMS_MANAGER, account);
    }

    /// Registers an account as a delegated administrator of any service, even if AWS would refuse.
    pub fn register_administrator_for(&self, principal: &ServicePrincipal, account: AccountId) {
        self.world().change(|contents, date| contents.register(principal, account, date));
    }

    /// Deregisters an account as a delegated administrator of any service. Its data syncs remain.
    pub fn deregister_administrator_for(&self, principal: &ServicePrincipal, account: AccountId) {
        self.world().change(|contents, _| contents.deregister(principal, account));
    }

    /// Removes a member from the organization. Its delegations and data syncs remain.
    pub fn remove_member(&self, account: AccountId) {
        self.world().charter.members.named.remove(&account);
    }

    /// Adds a member, or changes the state of an existing member.
    pub fn set_member(&self, account: AccountId, state: AccountState) {
        self.world().charter.members.named.insert(account, state);
    }

    /// Creates the service-linked role of `principal` in an account. Does nothing if Systems
    /// Manager has no role for that principal.
    pub fn add_role(&self, account: AccountId, principal: &ServicePrincipal) {
        self.world().make_role(account, principal);
    }

    /// Adds a data sync of Explorer's type, `SyncFromSource`, to an account.
    pub fn add_data_sync(&self, account: AccountId, region: Region, sync: DataSync) {
        self.add_data_sync_of_type(SyncType::SyncFromSource, account, region, sync);
    }

    /// Adds a data sync of either type to an account.
    pub fn add_data_sync_of_type(&self, sync_type: SyncType, account: AccountId, region: Region, sync: DataSync) {
        self.world().add_sync(account, region, Sync { sync_type, shown: sync });
    }

    /// Removes a data sync of either type from an account.
    pub fn remove_data_sync(&self, account: AccountId, region: &Region, name: &SyncName) {
        self.world().change(|contents, _| contents.remove_sync(account, region, name));
    }

    /// Removes a role from an account immediately.
    pub fn remove_role(&self, account: AccountId, name: &RoleName) {
        self.world().change(|contents, _| contents.roles.remove(&(account, name.clone())));
    }

    /// Returns the data syncs of an account in a Region, of either type, ordered by name, with
    /// their current states.
    #[must_use]
    pub fn data_syncs(&self, account: AccountId, region: &Region) -> Vec<DataSync> {
        let world = self.world();
        let contents = world.now();
        let services = world.seen_by_services();
        contents.syncs_of(account, region).map(|sync| world.charter.shown(contents, services, account, sync)).collect()
    }

    /// Returns whether an account has a role.
    #[must_use]
    pub fn has_role(&self, account: AccountId, name: &RoleName) -> bool {
        self.world().now().roles.contains_key(&(account, name.clone()))
    }

    /// Returns whether trusted access is enabled for a service.
    #[must_use]
    pub fn is_trusted(&self, principal: &ServicePrincipal) -> bool {
        self.world().now().is_trusted(principal)
    }

    /// Returns the delegated administrators of Systems Manager.
    #[must_use]
    pub fn administrators(&self) -> Vec<AccountId> {
        self.world().now().administrators(&ServicePrincipal::SYSTEMS_MANAGER)
    }

    /// Injects a fault into the `nth` call of an operation, counted from one, starting now.
    ///
    /// The count is deterministic only if a single task makes calls.
    pub fn inject_fault(&self, operation: Operation, nth: usize, fault: Fault) {
        self.world().weather.script(Some(operation.name().into()), nth, fault);
    }

    /// Injects a fault into the `nth` call of any operation, counted from one, starting now.
    pub fn inject_fault_at_call(&self, nth: usize, fault: Fault) {
        self.world().weather.script(None, nth, fault);
    }

    /// Runs a closure immediately before the `nth` call of an operation, counted from one, starting
    /// now.
    ///
    /// The call sees the closure's changes to the organization, as if another actor had made them.
    pub fn run_before(&self, operation: Operation, nth: usize, rival: impl FnOnce(&Self) + Send + 'static) {
        self.world().weather.interleave(Some(operation), nth, Box::new(rival));
    }

    /// Runs a closure immediately before the `nth` call of any operation, counted from one,
    /// starting now.
    pub fn run_before_call(&self, nth: usize, rival: impl FnOnce(&Self) + Send + 'static) {
        self.world().weather.interleave(None, nth, Box::new(rival));
    }

    /// Stops all calls from the `nth` on, counted from one, starting now: they neither arrive nor
    /// return. This simulates a killed process.
    pub fn stop_at_call(&self, nth: usize) {
        self.world().weather.stop_at(nth);
    }

    /// Lets calls arrive again after [`stop_at_call`](Self::stop_at_call), as after a process
    /// restart.
    pub fn resume(&self) {
        self.world().weather.resume();
    }

    /// Removes all injected faults, fault rates, closures and stops. Read delays and throttling
    /// stay.
    pub fn clear_faults(&self) {
        self.world().weather.clear();
    }

    /// Returns a copy of the current state.
    #[must_use]
    pub fn state(&self) -> SimState {
        let world = self.world();
        SimState { charter: world.charter.clone(), contents: world.now().clone() }
    }

    /// Replaces the current state, as if other callers had changed the organization long ago.
    ///
    /// Clients, logged calls, faults and settings stay. New dates follow the newest date of the
    /// state.
    pub fn restore(&self, state: SimState) {
        let mut world = self.world();
        world.charter = state.charter;
        world.set_contents(state.contents);
        world.history.reset();
    }

    /// Returns the calls made since the last [`clear_calls`](Self::clear_calls), in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.world().calls.clone()
    }

    /// Returns the number of calls of an operation made so far.
    #[must_use]
    pub fn call_count(&self, operation: Operation) -> usize {
        self.world().calls.iter().filter(|call| call.operation == operation).count()
    }

    /// Returns the number of calls of each operation made so far.
    #[must_use]
    pub fn call_counts(&self) -> BTreeMap<Operation, usize> {
        let mut counts = BTreeMap::new();
        for call in &self.world().calls {
            *counts.entry(call.operation).or_default() += 1;
        }
        counts
    }

    /// Returns the number of writes sent so far.
    #[must_use]
    pub fn write_count(&self) -> usize {
        self.world().calls.iter().filter(|call| call.is_write()).count()
    }

    /// Clears the log of calls.
    pub fn clear_calls(&self) {
        let mut world = self.world();
        world.calls.clear();
        #[cfg(feature = "sim-aws")]
        world.further_calls.clear();
    }
}
