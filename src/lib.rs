//! Sets up AWS Systems Manager for an AWS organization, and removes it again: trusted access, the
//! service-linked role, the delegated administrator and Explorer's data syncs. The compiler rejects
//! steps in the wrong order.
//!
//! ```text
//! Disabled       ──enable_trusted_access─────────────▶  TrustedAccess
//! TrustedAccess  ──register_delegated_administrator──▶  Delegated
//! Delegated      ──deregister────────────────────────▶  TrustedAccess
//! TrustedAccess  ──disable───────────────────────────▶  Disabled
//! ```
//!
//! Each state is a type, and a step that AWS would refuse in a state is not a method of its type. A
//! state is only available from a read: [`Integration::new`] creates an unobserved handle, and
//! [`observe`](Integration::observe) returns [`Observed`], an enum of the typed handles.
//!
//! ```
//! use ssm_organizations::ports::{Client, SourceRegions, SyncDefinition, SystemsManagerClient};
//! use ssm_organizations::{
//!     AccountId, Error, ExplorerSetup, Integration, Region, SyncName, SyncProtection, sim,
//! };
//!
//! /// `management` and `administrator` hold credentials of these two accounts.
//! async fn set_up_and_remove(
//!     management: &impl Client,
//!     administrator: &impl Client,
//!     account: AccountId,
//! ) -> Result<(), Error> {
//!     let regions = [Region::new("eu-central-1")?];
//!     let name = SyncName::new("all-accounts")?;
//!     let sync = SyncDefinition::of_organization(name, SourceRegions::new(regions.clone())?);
//!     let explorer = ExplorerSetup::new();
//!     let explorer = explorer.with_role(management).with_sync(administrator, &sync, &regions);
//!
//!     // From any state that no other administrator holds. A second run sends no write.
//!     let observed = Integration::new(management).observe().await?;
//!     let mut delegated = observed.ensure_delegated(account).await?;
//!     delegated.ensure_explorer(&explorer).await?;
//!
//!     // Step by step, if the order is known. Each removal protects the data syncs.
//!     let mut syncs = delegated.data_syncs(administrator).await?;
//!     syncs.delete(sync.name(), &regions).await?.into_result()?;
//!     let clients: [&dyn SystemsManagerClient; 2] = [management, administrator];
//!     let protect = SyncProtection::Protect { clients: &clients, regions: &regions };
//!     let trusted = delegated.deregister(protect).await?;
//!     let disabled = trusted.disable(protect).await?;
//!     for change in disabled.changes() {
//!         println!("{change}");
//!     }
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! let account: AccountId = "222222222222".parse()?;
//! // A simulated organization. On AWS: one `aws::AwsClient::new(&config)` for each account.
//! let organization = sim::SimOrganization::builder().member(account).build();
//! let administrator = organization.client(account);
//! set_up_and_remove(&organization.management_client(), &administrator, account).await
//! # }
//! ```
//!
//! A wrong order does not compile, and the compiler message names the state that has the method:
//!
//! ```compile_fail
//! use ssm_organizations::{AccountId, Integration, sim, state::Disabled};
//!
//! async fn too_early(handle: Integration<Disabled, sim::SimClient>, account: AccountId) {
//!     // error[E0599]: no method named `register_delegated_administrator` found …
//!     //               the method was found for `Integration<TrustedAccess, C>`
//!     let _ = handle.register_delegated_administrator(account).await;
//! }
//! ```
//!
//! # Capabilities
//!
//! * **Checks before writes**: all features, the credentials of the management account, an active
//!   member account, no other administrator.
//! * **Confirmed writes**: a write ends when a read shows the effect. After a lost response, the
//!   crate reads and never sends a second write.
//! * **Exact results after a failure**: [`TransitionError::recover`] returns the unchanged state, a
//!   changed state, or an unobserved handle; never a guess.
//! * **Explained refusals**: after a refusal, the crate reads the current status. The error
//!   contains the evidence for the cause ([`Confidence`](error::Confidence)) and the remedies
//!   ([`Remedy`]), with the IAM statement for a missing permission.
//! * **No silent loss**: each removal requires a policy for Explorer's data syncs
//!   ([`SyncProtection`]).
//! * **Explorer**: the service-linked role and the data syncs, in many Regions at once
//!   ([`ExplorerSetup`], [`DataSyncs`](integration::DataSyncs),
//!   [`AccountDiscoveryRole`](integration::AccountDiscoveryRole)). The delegation can move to
//!   another account with its data syncs ([`SyncMigration`]).
//! * **Plans**, if the order is only known at run time: from a target to steps, to a receipt, and
//!   back ([`plan`]).
//! * **Limited effect**: services and administrators that are not named are unchanged.
//! * **Least privilege**: generated IAM policies for each step and for all steps ([`policy`]).
//! * **Constant cost**: an organization of a hundred thousand accounts needs as many calls as one
//!   of ten, within AWS's burst limits.
//!
//! # IAM permissions
//!
//! The table applies to the credentials of the management account.
//! [`Operation::iam_action`](ports::Operation::iam_action) returns the permission of one call, and
//! the module [`policy`] generates sufficient policies.
//!
//! | action | permissions |
//! | --- | --- |
//! | observe | `organizations:DescribeOrganization`, `organizations:ListAWSServiceAccessForOrganization`, `organizations:ListDelegatedAdministrators` |
//! | enable | `organizations:EnableAWSServiceAccess` |
//! | register | `organizations:DescribeAccount`, `organizations:RegisterDelegatedAdministrator` |
//! | deregister | `organizations:DeregisterDelegatedAdministrator` |
//! | disable | `organizations:DisableAWSServiceAccess` |
//! | protect data syncs | `ssm:ListResourceDataSync`, in each checked account |
//! | data syncs | `ssm:ListResourceDataSync`, `ssm:CreateResourceDataSync`, `ssm:UpdateResourceDataSync`, `ssm:DeleteResourceDataSync` |
//! | data syncs of organizational units | `organizations:DescribeOrganizationalUnit`, which is optional |
//! | the role | `iam:GetRole`, `iam:CreateServiceLinkedRole`, `iam:DeleteServiceLinkedRole`, `iam:GetServiceLinkedRoleDeletionStatus` |
//!
//! Condition keys can limit the permissions: `organizations:ServicePrincipal` to
//! `ssm.amazonaws.com`, `ssm:SyncType` to `SyncFromSource`, and `iam:AWSServiceName` to
//! `accountdiscovery.ssm.amazonaws.com`. Leave `ssm:ListResourceDataSync` without `ssm:SyncType`:
//! Inventory's syncs are also listed, because they use names and quota: before a plan creates a
//! sync after a deletion, and after AWS refuses a sync.
//!
//! # Tracing
//!
//! The crate emits spans and events of [`tracing`](https://docs.rs/tracing) with the target
//! `ssm_organizations`. Without a subscriber, nothing is recorded.
//!
//! * Each operation is a span, such as `ssm_organizations::enable_trusted_access`, with the known
//!   ones of `organization`, `caller`, `account` and `region`.
//! * Each AWS call is an event: `INFO` for a write and `DEBUG` for a read. Its fields are
//!   `operation`, `caller`, `account`, `region`, `attempts`, `outcome`, `reason` and `request_id`.
//!   The `outcome` is `ok`, AWS's code, or the kind of the error.
//!
//! Neither contains an e-mail address or a credential. A client of your own emits the events of its
//! calls itself.
//!
//! # Features
//!
//! | feature | contents |
//! | --- | --- |
//! | `sim` (default) | `sim::SimOrganization`, a simulated organization for tests and examples, and `conformance`, a suite for other implementations of the ports; no further dependency |
//! | `serde` | serialization of identifiers, plans, receipts and snapshots, for example as JSON; targets from TOML or JSON |
//! | `aws` | `aws::AwsClient` on the AWS SDK for Rust, with the HTTPS client of your own `SdkConfig` |
//! | `aws-config` | `aws`, and clients from the environment, a profile or a role |
//! | `sim-aws` | `wire`, the simulation as the HTTP client of an `SdkConfig`, for tests of programs that use the AWS SDK; includes `sim` and `aws` |
//!
//! # Layers
//!
//! ```text
//! ┌────────────────────────────────────┬────────────────────────────────────────┐
//! │ typed handles                      │ plans                                  │
//! │ the compiler checks the order      │ the order is computed at run time      │
//! ├────────────────────────────────────┴────────────────────────────────────────┤
//! │ operations   checks, one write, reads until the effect is visible           │
//! │ observation  reads of the whole state; unknown differs from absent          │
//! │ ports        client traits for Organizations, Systems Manager, IAM, STS     │
//! │ domain       account ids, Regions, names: validated when parsed             │
//! └─────────────────────────────────────────────────────────────────────────────┘
//!      ▲                ▲                   ▲
//! aws::AwsClient    sim::SimClient    a mock or fake of your own
//! ```
//!
//! Each layer uses only the layers below it. [`Integration`] and [`plan`] call the same operations,
//! and every client implements the same [`ports`].
//!
//! # AWS documentation
//!
//! The sources are [AWS Systems Manager and AWS Organizations][integration guide], and the guides
//! and API references that the items link. If those leave a point open, the crate decides by what
//! it reads.
//!
//! [integration guide]: https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod domain;
pub mod error;
pub mod guidance;
pub mod integration;
mod observation;
mod operations;
pub mod plan;
pub mod policy;
pub mod ports;
mod trace;
mod wait;

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "sim")]
pub mod conformance;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "sim-aws")]
pub mod wire;

pub use domain::{AccountId, Certainty, Change, ChangeKind, EnsureOutcome, Region, ServicePrincipal, SyncName};
pub use error::{Error, ErrorKind, Remedy, RetryStatus, WriteStatus};
pub use integration::{
    ExplorerSetup, Integration, Observed, Recovered, Replacement, SyncMigration, Transition, TransitionError, state,
};
pub use operations::regions::ByRegion;
pub use operations::sync_guard::SyncProtection;
pub use trace::{ChangeRecorder, RecordError, WriteEvent};
