//! The checks: one function each, and in front of them what is claimed and by which document.

/// A group of checks. The functions have the names.
macro_rules! checks {
    ($group:ident, $service:literal: $($name:ident, $rule:literal, $document:expr;)*) => {
        pub(super) const $group: &[crate::conformance::Check] = &[$(crate::conformance::Check {
            name: stringify!($name),
            rule: $rule,
            document: $document,
            service: $service,
            body: |fixture, mess| Box::pin($name(fixture, mess)),
        }),*];
    };
}

/// A page of the API reference of AWS Organizations.
macro_rules! organizations_api {
    ($page:literal) => {
        concat!("https://docs.aws.amazon.com/organizations/latest/APIReference/", $page, ".html")
    };
}

/// A page of the API reference of AWS Systems Manager.
macro_rules! systems_manager_api {
    ($page:literal) => {
        concat!("https://docs.aws.amazon.com/systems-manager/latest/APIReference/", $page, ".html")
    };
}

/// A page of the API reference of IAM.
macro_rules! iam_api {
    ($page:literal) => {
        concat!("https://docs.aws.amazon.com/IAM/latest/APIReference/", $page, ".html")
    };
}

mod administrators;
mod callers;
mod organizations;
mod roles;
mod syncs;
mod trusted_access;

use super::Check;
use super::outcome::Refusal;

pub(super) const ALL: &[&[Check]] = &[
    organizations::CHECKS,
    trusted_access::CHECKS,
    administrators::CHECKS,
    callers::CHECKS,
    callers::IDENTITY_CHECKS,
    syncs::CHECKS,
    roles::CHECKS,
];

const ACCOUNT_NOT_FOUND: Refusal = Refusal::new("AccountNotFoundException");
const ACCESS_DENIED: Refusal = Refusal::new("AccessDeniedException");
