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
//! # Where it is known to differ from AWS
//!
//! * Every service principal of AWS's form (`….amazonaws.com`) is recognized.
//! * IAM is not modelled: an account may do whatever AWS lets such an account do.
//! * Taking trusted access away while an account is registered is refused. AWS's documents leave that open for Systems Manager;
//!   AWS was seen to refuse it for IAM.
//! * Deregistering an account deletes the organization's data syncs of that account at once, in every Region.

mod builder;
mod client;
mod faults;
mod log;
mod pages;
mod rules;
mod world;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use builder::Builder;
pub use client::Client;
pub use faults::Fault;
pub use log::{Call, Outcome};

use crate::domain::{AccountId, Region, ServicePrincipal};
use crate::ports::{AccountState, DataSync, Operation};
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
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client with credentials of this account, which may also be outside the organization.
    #[must_use]
    pub fn client(&self, account: AccountId) -> Client {
        Client::new(self.clone(), account)
    }

    /// A client with credentials of the management account.
    #[must_use]
    pub fn management_client(&self) -> Client {
        let management = self.world().management;
        self.client(management)
    }

    /// Trusts a service, as somebody else might.
    pub fn trust(&self, principal: &ServicePrincipal) {
        self.world().trust(principal);
    }

    /// Takes the trust from a service, as somebody else might. Its administrators stay.
    pub fn distrust(&self, principal: &ServicePrincipal) {
        self.world().distrust(principal);
    }

    /// Makes an account an administrator of Systems Manager, even where AWS would not.
    pub fn delegate(&self, account: AccountId) {
        self.world().delegate(&ServicePrincipal::SYSTEMS_MANAGER, account);
    }

    /// Takes the delegation from an account. Its data syncs stay.
    pub fn undelegate(&self, account: AccountId) {
        self.world().undelegate(&ServicePrincipal::SYSTEMS_MANAGER, account);
    }

    /// Adds a member, or puts one into another state.
    pub fn set_member(&self, account: AccountId, state: AccountState) {
        self.world().members.set(account, state);
    }

    /// Gives an account a data sync of Explorer's kind, `SyncFromSource`.
    pub fn add_data_sync(&self, account: AccountId, region: Region, sync: DataSync) {
        self.world().syncs.entry((account, region)).or_default().push(sync);
    }

    /// The data syncs of an account in a Region.
    #[must_use]
    pub fn data_syncs(&self, account: AccountId, region: &Region) -> Vec<DataSync> {
        self.world().syncs.get(&(account, region.clone())).cloned().unwrap_or_default()
    }

    /// Whether a service is trusted.
    #[must_use]
    pub fn is_trusted(&self, principal: &ServicePrincipal) -> bool {
        self.world().is_trusted(principal)
    }

    /// The accounts that administer Systems Manager.
    #[must_use]
    pub fn administrators(&self) -> Vec<AccountId> {
        self.world().administrators(&ServicePrincipal::SYSTEMS_MANAGER)
    }

    /// Lets the `nth` call of an operation, counted from one and from now on, go wrong.
    ///
    /// "The n-th" is promised for one task at a time.
    pub fn fault(&self, operation: Operation, nth: usize, fault: Fault) {
        self.world().faults.script(operation, nth, fault);
    }

    /// Runs something between two calls: immediately before the `nth` call of an operation, counted from one and from now on.
    ///
    /// What it does to the organization is there when the call is judged: a rival.
    pub fn before(&self, operation: Operation, nth: usize, rival: impl FnOnce(&Self) + Send + 'static) {
        self.world().faults.rival(operation, nth, Box::new(rival));
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

    /// How many writes were sent so far.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.world().calls.iter().filter(|call| call.operation.is_write()).count()
    }

    /// Forgets the calls made so far.
    pub fn forget_calls(&self) {
        self.world().calls.clear();
    }
}
