//! IAM policies with the least permissions that suffice.
//!
//! A [`Permission`] is one operation on one resource that a caller needs. A [`Policy`] allows
//! several permissions, in IAM's own format. A [`Document`] adds the account and the administrator
//! that need the policy. AWS allows separate administrators for the organization and for Systems
//! Manager. The management account and the delegated administrator's account perform different
//! operations.
//!
//! ```
//! use ssm_organizations::policy::{Document, Permission, Policy, PolicyScope};
//! use ssm_organizations::{AccountId, ServicePrincipal};
//!
//! let administrator: AccountId = "222222222222".parse()?;
//! let scope = PolicyScope::new()
//!     .of_organization("o-exampleorgid".parse()?, "111111111111".parse()?);
//! let register = Permission::register_delegated_administrator(
//!     administrator,
//!     ServicePrincipal::SYSTEMS_MANAGER,
//! );
//! println!("{}", Policy::allowing([register], &scope));
//!
//! for document in Document::for_everything(&scope) {
//!     println!("{document}\n{}", document.policy);
//! }
//! # Ok::<(), ssm_organizations::domain::InvalidValue>(())
//! ```
//!
//! A [`DelegationPolicy`] is the resource-based policy of an organization. It grants the reads of
//! [`observe`](crate::Integration::observe) to member accounts.
//!
//! A policy allows only the permissions that it was created from. Permissions share a statement
//! only if the statement allows nothing more. A policy that exceeds IAM's size limit is divided
//! ([`Policy::into_managed`]), never widened.

mod delegation;
mod document;
mod merge;
mod permission;
mod scope;
mod statement;

pub use delegation::DelegationPolicy;
pub use document::{Document, Responsibility};
pub use permission::{Caller, Permission};
pub use scope::PolicyScope;
pub use statement::{Condition, Policy, PolicySizeLimit, Statement};
