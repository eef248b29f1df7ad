//! The IAM policies that suffice, and no more.
//!
//! A [`Permission`] is one thing that somebody has to be allowed. A [`Policy`] allows some of them, in IAM's own form; a [`Document`] says
//! besides who has to hold it: AWS lets the organization and Systems Manager have two administrators, and the management account and the
//! delegated administrator's do different things.
//!
//! ```
//! use ssm_organizations::policy::{Document, Permission, Policy, Scope};
//! use ssm_organizations::{AccountId, ServicePrincipal};
//!
//! let administrator: AccountId = "222222222222".parse()?;
//! let scope = Scope::new().of_organization("o-exampleorgid".parse()?, "111111111111".parse()?);
//! let register = Permission::register_delegated_administrator(administrator, ServicePrincipal::SYSTEMS_MANAGER);
//! println!("{}", Policy::allowing([register], &scope));
//!
//! for document in Document::for_everything(&scope) {
//!     println!("{document}\n{}", document.policy);
//! }
//! # Ok::<(), ssm_organizations::InvalidIdentifier>(())
//! ```
//!
//! Nothing is allowed beside what was asked for: permissions share a statement only where that allows nothing more. A policy that grows beyond
//! IAM's limit is divided ([`Policy::into_managed`]), never widened.

mod document;
mod merge;
mod permission;
mod scope;
mod statement;

pub use document::{Document, Duty};
pub use permission::{Caller, Permission};
pub use scope::Scope;
pub use statement::{Condition, Limit, Policy, Statement};
