//! Client traits between this crate and AWS.
//!
//! Each AWS service has one trait, and each API operation has one method, in this crate's own
//! types. `AwsClient` (feature `aws`) implements the traits on the AWS SDK. `sim::SimClient`
//! (feature `sim`) implements them on an organization in memory. Your own mock or fake implements
//! the traits that the code under test uses.
//!
//! # Implementing
//!
//! * Put `#[async_trait]` on the implementation.
//! * A list method returns **one page**. The crate follows the tokens itself, through short and
//!   empty pages.
//! * A method that you omit returns [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported).
//!   Methods added in later releases have this default too. A wrapper must forward all methods:
//!   [`Decorated`] does.
//! * Return a refusal as [`Error::from_service_error`](crate::Error::from_service_error) with AWS's
//!   own code. Return a call with an unknown outcome as
//!   [`Error::response_lost`](crate::Error::response_lost). The crate's next action depends on this
//!   difference.
//! * Do not repeat writes after a lost response. The crate first reads, then decides.
//!
//! # A mock
//!
//! This `mockall` mock implements all ports, and so [`Client`]. A call without an expectation
//! panics. For ports that your code does not use, an empty implementation suffices: its methods
//! return [`Unsupported`](crate::ErrorKind::Unsupported).
//!
//! A write ends when a read shows its effect. If the listings of a mock never show the effect, the
//! code under test waits for the whole wait timeout, by default one minute. To avoid the wait,
//! pause tokio's time in the test (`start_paused = true`, with tokio's feature `test-util`).
//! Alternatively, set the wait timeout to zero with
//! [`with_wait_timeout(Duration::ZERO)`](crate::Integration::with_wait_timeout).
//!
//! ```
//! use std::sync::Arc;
//!
//! use async_trait::async_trait;
//! use mockall::mock;
//! use ssm_organizations::ports::*;
//! use ssm_organizations::{
//!     AccountId, Error, Integration, Observed, Region, ServicePrincipal, SyncName,
//! };
//! use ssm_organizations::domain::{DeletionTaskId, OrganizationalUnitId, PageToken, RoleName};
//!
//! mock! {
//!     pub Client {}
//!
//!     #[async_trait]
//!     impl OrganizationsApi for Client {
//!         async fn describe_organization(&self) -> Result<Organization, Error>;
//!         async fn describe_account(&self, account: AccountId) -> Result<Account, Error>;
//!         async fn describe_organizational_unit(
//!             &self,
//!             unit: &OrganizationalUnitId,
//!         ) -> Result<OrganizationalUnit, Error>;
//!         async fn list_aws_service_access_for_organization(
//!             &self,
//!             next: Option<PageToken>,
//!         ) -> Result<Page<EnabledService>, Error>;
//!         async fn enable_aws_service_access(
//!             &self,
//!             principal: &ServicePrincipal,
//!         ) -> Result<(), Error>;
//!         async fn disable_aws_service_access(
//!             &self,
//!             principal: &ServicePrincipal,
//!         ) -> Result<(), Error>;
//!         async fn list_delegated_administrators(
//!             &self,
//!             principal: &ServicePrincipal,
//!             next: Option<PageToken>,
//!         ) -> Result<Page<DelegatedAdministrator>, Error>;
//!         async fn register_delegated_administrator(
//!             &self,
//!             account: AccountId,
//!             principal: &ServicePrincipal,
//!         ) -> Result<(), Error>;
//!         async fn deregister_delegated_administrator(
//!             &self,
//!             account: AccountId,
//!             principal: &ServicePrincipal,
//!         ) -> Result<(), Error>;
//!     }
//!
//!     #[async_trait]
//!     impl StsApi for Client {
//!         async fn get_caller_identity(&self) -> Result<CallerIdentity, Error>;
//!     }
//!
//!     #[async_trait]
//!     impl SystemsManagerApi for Client {
//!         async fn list_resource_data_sync(
//!             &self,
//!             region: &Region,
//!             sync_type: SyncType,
//!             next: Option<PageToken>,
//!         ) -> Result<Page<DataSync>, Error>;
//!         async fn create_resource_data_sync(
//!             &self,
//!             region: &Region,
//!             sync: &SyncDefinition,
//!         ) -> Result<(), Error>;
//!         async fn update_resource_data_sync(
//!             &self,
//!             region: &Region,
//!             sync: &SyncDefinition,
//!         ) -> Result<(), Error>;
//!         async fn delete_resource_data_sync(
//!             &self,
//!             region: &Region,
//!             name: &SyncName,
//!             sync_type: SyncType,
//!         ) -> Result<(), Error>;
//!     }
//!
//!     #[async_trait]
//!     impl IamApi for Client {
//!         async fn get_role(&self, name: &RoleName) -> Result<Option<Role>, Error>;
//!         async fn create_service_linked_role(
//!             &self,
//!             principal: &ServicePrincipal,
//!         ) -> Result<Role, Error>;
//!         async fn delete_service_linked_role(
//!             &self,
//!             name: &RoleName,
//!         ) -> Result<DeletionTaskId, Error>;
//!         async fn get_service_linked_role_deletion_status(
//!             &self,
//!             task: &DeletionTaskId,
//!         ) -> Result<DeletionStatus, Error>;
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
//! mock.expect_get_caller_identity()
//!     .times(1)
//!     .returning(move || Ok(CallerIdentity::new(management)));
//! mock.expect_list_aws_service_access_for_organization()
//!     .times(1)
//!     .returning(|_| Ok(Page::default()));
//! mock.expect_list_delegated_administrators().times(1).returning(|_, _| Ok(Page::default()));
//!
//! let client: Arc<dyn Client> = Arc::new(mock);
//! let observed = Integration::new(client).observe().await?;
//! assert!(matches!(observed, Observed::Disabled(_)));
//! # Ok(())
//! # }
//! ```

mod decorated;
mod iam;
mod organizations;
mod pacer;
mod sts;
mod systems_manager;

pub use crate::domain::{
    Account, AccountState, CallerIdentity, DataSync, DelegatedAdministrator, DeletionStatus, EnabledService,
    FeatureSet, Operation, Organization, OrganizationalUnit, OrganizationalUnits, Page, Role, RoleUsage, SourceRegions,
    SyncDefinition, SyncSource, SyncSourceType, SyncState, SyncStatus, SyncType,
};
pub use decorated::{Call, CallHook, Decorated};
pub use iam::IamApi;
pub use organizations::OrganizationsApi;
pub use pacer::Pacer;
pub use sts::StsApi;
pub use systems_manager::SystemsManagerApi;

/// Client for all ports, so that a program can hold one `Arc<dyn Client>`.
///
/// Every type that implements the ports implements this trait.
pub trait Client: OrganizationsApi + SystemsManagerClient + IamClient {}

impl<T: OrganizationsApi + SystemsManagerClient + IamClient + ?Sized> Client for T {}

/// Client for resource data syncs: Systems Manager, and the identity of the caller.
///
/// A data sync belongs to an account, and each account lists only its own. Therefore
/// [`SyncProtection`](crate::SyncProtection) reads the caller of every client that it receives.
/// Every type that implements both ports implements this trait.
pub trait SystemsManagerClient: SystemsManagerApi + StsApi {}

impl<T: SystemsManagerApi + StsApi + ?Sized> SystemsManagerClient for T {}

/// Client for the service-linked role: IAM, and the identity of the caller.
///
/// A role belongs to an account. The role that Explorer uses belongs to the management account.
/// Every type that implements both ports implements this trait.
pub trait IamClient: IamApi + StsApi {}

impl<T: IamApi + StsApi + ?Sized> IamClient for T {}
