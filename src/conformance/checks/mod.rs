//! The checks: one function each, preceded by a table of their rules and documents.

/// Defines a group of checks. Each check has the name of its function.
macro_rules! checks {
    ($group:ident, $service:literal: $($name:ident, $rule:literal, $document:expr;)*) => {
        pub(super) const $group: &[crate::conformance::Check] = &[$(crate::conformance::Check {
            name: stringify!($name),
            rule: $rule,
            document: $document,
            service: $service,
            body: |fixture, cleanup| Box::pin($name(fixture, cleanup)),
        }),*];
    };
}

/// Returns the URL of a page in the API reference of AWS Organizations.
macro_rules! organizations_api {
    ($page:literal) => {
        concat!("https://docs.aws.amazon.com/organizations/latest/APIReference/", $page, ".html")
    };
}

/// Returns the URL of a page in the API reference of AWS Systems Manager.
macro_rules! systems_manager_api {
    ($page:literal) => {
        concat!("https://docs.aws.amazon.com/systems-manager/latest/APIReference/", $page, ".html")
    };
}

/// Returns the URL of a page in the API reference of IAM.
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
use super::expectation::ExpectedError;

pub(super) const ALL: &[&[Check]] = &[
    organizations::CHECKS,
    trusted_access::CHECKS,
    administrators::CHECKS,
    callers::CHECKS,
    callers::IDENTITY_CHECKS,
    syncs::CHECKS,
    roles::CHECKS,
];

const ACCOUNT_NOT_FOUND: ExpectedError = ExpectedError::new("AccountNotFoundException");
const ACCESS_DENIED: ExpectedError = ExpectedError::new("AccessDeniedException");
