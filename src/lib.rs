//! Sets up AWS Systems Manager for an AWS organization, and removes it again: trusted access, the delegated administrator, and Explorer's role and
//! data syncs. The compiler rejects steps in the wrong order.
//!
//! ```text
//! Disabled ──enable_trusted_access──▶ TrustedAccess ──register_delegated_administrator──▶ Delegated
//!     ◀────────── disable ───────────      ◀──────────────── deregister ────────────────
//! ```
//!
//! A state is a type, and a step that AWS would refuse in a state does not exist on its type. The only way to a state is to ask
//! AWS: [`Integration::new`] knows nothing, [`observe`](Integration::observe) answers [`Observed`], one of the typed handles.
//!
//! ```
//! use ssm_organizations::{AccountId, Integration, Observed, Syncs, sim};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), ssm_organizations::Error> {
//! let administrator: AccountId = "222222222222".parse()?;
//! // An organization in memory. On AWS: `aws::AwsClient::new(&config)`.
//! let client = sim::Organization::builder().member(administrator).build().management_client();
//!
//! // Five lines, whatever the start; a second run writes nothing.
//! let observed = Integration::new(client).observe().await?;
//! let delegated = observed.ensure_delegated(&administrator).await?;
//!
//! // Step by step, where the order is known.
//! let trusted = delegated.deregister(Syncs::Forfeit).await?;
//! let disabled = trusted.disable(Syncs::Forfeit).await?;
//! for change in disabled.changes() {
//!     println!("{change}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The wrong order does not compile, and the message names the state that has the method:
//!
//! ```compile_fail
//! use ssm_organizations::{AccountId, Integration, sim, state::Disabled};
//!
//! async fn too_early(handle: Integration<Disabled, sim::Client>, account: &AccountId) {
//!     // error[E0599]: no method named `register_delegated_administrator` found …
//!     //               the method was found for `Integration<TrustedAccess, C>`
//!     let _ = handle.register_delegated_administrator(account).await;
//! }
//! ```
//!
//! # What it does for you
//!
//! * **Checks before it writes**: all features, the management account's credentials, an active member, no other administrator.
//! * **Sees it through**: a write ends when a read shows it. A lost reply is followed by reads, never by a second write.
//! * **Tells what is known** when it fails: [`Failure::recover`] gives the state of before, another one, or none; never a guess.
//! * **Explains a refusal** by looking again: what is so now, how sure the cause is ([`Evidence`]), and what to do ([`Remedy`]), with the
//!   IAM statement where a permission is missing.
//! * **Loses nothing silently**: taking away asks what to do about Explorer's data syncs ([`Syncs`]).
//! * **Makes Explorer work**: the service-linked role and the data syncs, in many Regions at once ([`Explorer`], [`DataSyncs`],
//!   [`AccountDiscoveryRole`]), and hands the delegation over with what hangs on it ([`Handover`]).
//! * **Plans**, where the order is learned at run time: from what should be to steps, to a receipt, and back ([`plan`]).
//! * **Touches nothing else**: no other service's trust, no administrator that was not named.
//! * **Asks for no more than it needs**: the IAM policy of every step, and of everything, written for you ([`policy`]).
//! * **Costs the same** in an organization of ten accounts and of a hundred thousand, inside AWS's burst allowances.
//!
//! # IAM permissions
//!
//! For the management account's credentials. [`Operation::iam_action`](ports::Operation::iam_action) says the same of one call, and the module
//! [`policy`] writes the policies that suffice.
//!
//! | to | it takes |
//! | --- | --- |
//! | observe | `organizations:DescribeOrganization`, `organizations:ListAWSServiceAccessForOrganization`, `organizations:ListDelegatedAdministrators` |
//! | enable | `organizations:EnableAWSServiceAccess` |
//! | register | `organizations:DescribeAccount`, `organizations:RegisterDelegatedAdministrator` |
//! | deregister | `organizations:DeregisterDelegatedAdministrator` |
//! | disable | `organizations:DisableAWSServiceAccess` |
//! | protect data syncs | `ssm:ListResourceDataSync`, in each account that is looked at |
//! | data syncs | `ssm:ListResourceDataSync`, `ssm:CreateResourceDataSync`, `ssm:UpdateResourceDataSync`, `ssm:DeleteResourceDataSync` |
//! | the role | `iam:GetRole`, `iam:CreateServiceLinkedRole`, `iam:DeleteServiceLinkedRole`, `iam:GetServiceLinkedRoleDeletionStatus` |
//!
//! Condition keys may limit them: `organizations:ServicePrincipal` to `ssm.amazonaws.com`, `ssm:SyncType` to `SyncFromSource`,
//! `iam:AWSServiceName` to `accountdiscovery.ssm.amazonaws.com`. Leave `ssm:ListResourceDataSync` without
//! `ssm:SyncType`: before a sync is created, those of Inventory's type are listed too, because they hold names and places.
//!
//! # What it tells
//!
//! Through [`tracing`](https://docs.rs/tracing), under the target `ssm_organizations`, and nothing to whoever does not listen. A span for
//! each operation, such as `ssm_organizations::enable_trusted_access`, with `organization`, `caller`, `account` and `region` as far as they are
//! known. An event for each call of AWS, `INFO` for a write and `DEBUG` for a read, with `operation`, `caller`, `account`, `region`, `attempts`,
//! `outcome` (`ok`, AWS's code, or the kind of the error), `reason` and `request_id`. Never an e-mail address or a credential. A client of your
//! own tells of its calls itself.
//!
//! # Features
//!
//! | feature | what it brings |
//! | --- | --- |
//! | `sim` (default) | `sim::Organization`, an organization in memory, for tests and examples, and `conformance`, a suite for other implementations of the ports; no further dependency |
//! | `serde` | identifiers, plans, receipts and snapshots written and read as JSON and the like; targets read from TOML or JSON |
//! | `aws` | `aws::AwsClient` on the AWS SDK for Rust, with the HTTPS client of your own `SdkConfig` |
//!
//! # How it is built
//!
//! ```text
//! ┌────────────────────────────────────┬────────────────────────────────────────┐
//! │ typed handles                      │ plans                                  │
//! │ the compiler checks the order      │ the order is found at run time         │
//! ├────────────────────────────────────┴────────────────────────────────────────┤
//! │ operations   check, write once, read until it shows, say what is known      │
//! │ observation  everything that counts, read at once; unknown is not absent    │
//! │ ports        the calls, as traits: Organizations, Systems Manager, IAM, STS │
//! │ domain       account ids, Regions, names: parsed once, valid ever after     │
//! └─────────────────────────────────────────────────────────────────────────────┘
//!      ▲                ▲                   ▲
//! aws::AwsClient    sim::Client    a mock or fake of your own
//! ```
//!
//! Each layer knows only those below it. Both [`Integration`] and [`plan`] go through the same operations, and every client through the same [`ports`].
//!
//! # What it rests on
//!
//! [AWS Systems Manager and AWS Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html),
//! and the guides and API references that the items name. Where those leave something open, this crate reads and decides by what it sees.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod by_region;
mod capability;
mod change;
mod command_line;
mod data_syncs;
mod domain;
mod error;
mod explorer;
mod failure;
mod handover;
mod integration;
mod journal;
mod json;
mod next_step;
mod observation;
mod observed;
mod operations;
mod pages;
pub mod plan;
mod redact;
mod role;
#[cfg(feature = "serde")]
mod saved;
mod syncs;
mod trace;

pub mod policy;
pub mod ports;
pub mod state;

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "sim")]
pub mod conformance;
#[cfg(feature = "sim")]
pub mod sim;

pub use by_region::ByRegion;
pub use capability::{Availability, Capability, Note, Warning};
pub use change::{Certainty, Change, ChangeKind};
pub use command_line::CommandLine;
pub use data_syncs::{DataSyncs, SyncEnsured, Viewpoint};
pub use domain::{
    AccountId, DeletionTaskId, GlobalEndpoint, InvalidIdentifier, OrganizationId, OrganizationalUnitId, PageToken,
    Partition, Region, RoleId, RoleName, ServicePrincipal, SyncName,
};
pub use error::{Actor, Applied, Error, ErrorKind, Evidence, PolicyType, Remedy, Retry, Situation};
pub use explorer::Explorer;
pub use failure::{Failure, Handle, Recovered};
pub use handover::{Handover, Replaced};
pub use integration::{Integration, Transition};
pub use next_step::{NextStep, Task};
pub use observed::Observed;
pub use role::{AccountDiscoveryRole, RoleEnsured};
pub use syncs::{RemainingSync, SyncAt, Syncs, SyncsLook, SyncsReport};
