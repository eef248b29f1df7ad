//! The client traits that stand between this crate and AWS.
//!
//! There is one trait for each AWS service, one method for each API operation, in this crate's own types. `AwsClient`
//! (feature `aws`) implements them on the AWS SDK, `sim::Client` (feature `sim`) on an organization
//! in memory; a mock or a fake of your own implements those that the code under test uses.
//!
//! # Implementing
//!
//! * Put `#[async_trait]` on the implementation.
//! * A list method returns **one page**. The crate follows the tokens itself, through short and empty pages.
//! * A method that you leave out answers [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported): methods added in later
//!   releases have that default too. A wrapper should forward all of them; `#[deny(clippy::missing_trait_methods)]` on its
//!   implementation says when one is missing.
//! * Answer a refusal with [`Error::service`](crate::Error::service) and AWS's own code, and a call whose fate is
//!   unknown with [`Error::lost`](crate::Error::lost): what the crate does next depends on it.
//! * Do not repeat writes after a lost reply. The crate reads first, then decides.
//!
//! # A mock
//!
//! A `mockall` mock of all ports, so that it is a [`Client`]. A call that nothing was expected of panics. For ports that your code does not
//! use, an empty implementation will do: it answers [`Unsupported`](crate::ErrorKind::Unsupported).
//!
//! A write ends when a read shows it. A mock whose listings never show one keeps the code under test waiting for all its patience, one minute at
//! first: pause tokio's time in the test (`start_paused = true`, with tokio's feature `test-util`), or give the handle no patience, with
//! [`settle_within(Duration::ZERO)`](crate::Integration::settle_within).
//!
//! ```
//! use std::sync::Arc;
//!
//! use async_trait::async_trait;
//! use mockall::mock;
//! use ssm_organizations::ports::*;
//! use ssm_organizations::{
//!     AccountId, DeletionTaskId, Error, Integration, Observed, PageToken, Region, RoleName, ServicePrincipal, SyncName,
//! };
//!
//! mock! {
//!     pub Client {}
//!
//!     #[async_trait]
//!     impl OrganizationsApi for Client {
//!         async fn describe_organization(&self) -> Result<Organization, Error>;
//!         async fn describe_account(&self, account: &AccountId) -> Result<Account, Error>;
//!         async fn list_aws_service_access_for_organization(&self, next: Option<PageToken>) -> Result<Page<EnabledService>, Error>;
//!         async fn enable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error>;
//!         async fn disable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error>;
//!         async fn list_delegated_administrators(&self, principal: &ServicePrincipal, next: Option<PageToken>) -> Result<Page<DelegatedAdministrator>, Error>;
//!         async fn register_delegated_administrator(&self, account: &AccountId, principal: &ServicePrincipal) -> Result<(), Error>;
//!         async fn deregister_delegated_administrator(&self, account: &AccountId, principal: &ServicePrincipal) -> Result<(), Error>;
//!     }
//!
//!     #[async_trait]
//!     impl StsApi for Client {
//!         async fn get_caller_identity(&self) -> Result<CallerIdentity, Error>;
//!     }
//!
//!     #[async_trait]
//!     impl SystemsManagerApi for Client {
//!         async fn list_resource_data_sync(&self, region: &Region, sync_type: SyncType, next: Option<PageToken>) -> Result<Page<DataSync>, Error>;
//!         async fn create_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error>;
//!         async fn update_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error>;
//!         async fn delete_resource_data_sync(&self, region: &Region, name: &SyncName, sync_type: SyncType) -> Result<(), Error>;
//!     }
//!
//!     #[async_trait]
//!     impl IamApi for Client {
//!         async fn get_role(&self, name: &RoleName) -> Result<Option<Role>, Error>;
//!         async fn create_service_linked_role(&self, principal: &ServicePrincipal) -> Result<Role, Error>;
//!         async fn delete_service_linked_role(&self, name: &RoleName) -> Result<DeletionTaskId, Error>;
//!         async fn get_service_linked_role_deletion_status(&self, task: &DeletionTaskId) -> Result<DeletionStatus, Error>;
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! let management: AccountId = "111111111111".parse()?;
//! let mut mock = MockClient::new();
//! mock.expect_describe_organization().times(1).returning(move || {
//!     Ok(Organization::new("o-exampleorgid".parse()?, management))
//! });
//! mock.expect_get_caller_identity().times(1).returning(move || Ok(CallerIdentity::new(management)));
//! mock.expect_list_aws_service_access_for_organization().times(1).returning(|_| Ok(Page::default()));
//! mock.expect_list_delegated_administrators().times(1).returning(|_, _| Ok(Page::default()));
//!
//! let client: Arc<dyn Client> = Arc::new(mock);
//! let observed = Integration::new(client).observe().await?;
//! assert!(matches!(observed, Observed::Disabled(_)));
//! # Ok(())
//! # }
//! ```

mod data_sync;
mod iam;
mod operation;
mod organizations;
mod sts;
mod systems_manager;

pub use data_sync::{
    DataSync, OrganizationalUnits, SourceRegions, SyncDefinition, SyncSource, SyncSourceType, SyncState, SyncStatus,
    SyncType,
};
pub use iam::{DeletionStatus, IamApi, Role, RoleUsage};
pub use operation::Operation;
pub use organizations::{
    Account, AccountState, DelegatedAdministrator, EnabledService, FeatureSet, Organization, OrganizationsApi,
};
pub use sts::{CallerIdentity, StsApi};
pub use systems_manager::SystemsManagerApi;

use crate::domain::PageToken;

/// One page of a listing.
///
/// An empty page with a token is not the end: AWS may send it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Page<T> {
    /// What the page holds.
    pub items: Vec<T>,
    /// What to ask for the next page with; `None` on the last.
    pub next: Option<PageToken>,
}

impl<T> Page<T> {
    /// A page that is the last, or the only one.
    #[must_use]
    pub fn last(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self::last(Vec::new())
    }
}

/// All ports at once, so that a program can hold one `Arc<dyn Client>`.
///
/// Whatever implements the ports implements this.
pub trait Client: OrganizationsApi + SystemsManagerClient + IamClient {}

impl<T: OrganizationsApi + SystemsManagerClient + IamClient + ?Sized> Client for T {}

/// What looks for resource data syncs: Systems Manager, and on whose behalf.
///
/// Resource data syncs belong to an account, and each account sees only its own; [`Syncs`](crate::Syncs) therefore asks
/// every client that it is given whom it speaks for. Whatever implements both ports implements this.
pub trait SystemsManagerClient: SystemsManagerApi + StsApi {}

impl<T: SystemsManagerApi + StsApi + ?Sized> SystemsManagerClient for T {}

/// What makes and deletes the service-linked role: IAM, and in whose account.
///
/// A role belongs to an account, and the one that Explorer runs on to the management account. Whatever implements both ports implements this.
pub trait IamClient: IamApi + StsApi {}

impl<T: IamApi + StsApi + ?Sized> IamClient for T {}
