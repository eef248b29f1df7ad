use std::collections::BTreeMap;
use std::fmt;

use crate::domain::Operation;

use super::{Caller, Permission, Policy, PolicyScope};

/// Administrator responsible for a permission or task, in an organization with two administrators.
///
/// AWS's guide asks the administrator of Organizations to tell the administrator of Systems Manager
/// that the service can now be enabled or disabled:
/// [AWS Systems Manager and AWS Organizations][guide].
///
/// [guide]: https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Responsibility {
    /// The organization's administrator: trusted access and the delegated administrator.
    Organization,
    /// Systems Manager's administrator: Explorer's role and data syncs.
    SystemsManager,
}

impl fmt::Display for Responsibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Organization => "the organization's administrator",
            Self::SystemsManager => "Systems Manager's administrator",
        })
    }
}

/// Policy with the account and the administrator that need it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Document {
    /// The account of the credentials that need the policy.
    pub caller: Caller,
    /// The responsibility that the policy is for.
    pub duty: Responsibility,
    /// The policy with the permissions.
    pub policy: Policy,
}

impl Document {
    /// Returns the policies for these permissions. Each account has one policy, or two if the
    /// account has work for both administrators.
    ///
    /// Both policies of an account contain the reads that determine the state. For one person with
    /// both responsibilities, use [`Policy::allowing`].
    #[must_use]
    pub fn for_permissions(permissions: impl IntoIterator<Item = Permission>, scope: &PolicyScope) -> Vec<Self> {
        let mut callers: BTreeMap<Caller, Vec<Permission>> = BTreeMap::new();
        for permission in permissions {
            callers.entry(permission.caller()).or_default().push(permission);
        }
        let documents = callers.into_iter().flat_map(|(caller, permissions)| {
            let (both, own): (Vec<_>, Vec<_>) = permissions.into_iter().partition(is_for_both);
            let mut duties: BTreeMap<Responsibility, Vec<Permission>> = BTreeMap::new();
            for permission in own {
                duties.entry(duty(&permission)).or_default().push(permission);
            }
            if let (true, Some(first)) = (duties.is_empty(), both.first()) {
                duties.entry(duty(first)).or_default();
            }
            duties.into_iter().map(move |(duty, own)| {
                let policy = Policy::allowing(both.iter().cloned().chain(own), scope);
                Self { caller, duty, policy }
            })
        });
        documents.collect()
    }

    /// Returns the policies for these operations, on every resource that this crate may call them
    /// on.
    #[must_use]
    pub fn for_operations(operations: impl IntoIterator<Item = Operation>, scope: &PolicyScope) -> Vec<Self> {
        Self::for_permissions(operations.into_iter().flat_map(Permission::of), scope)
    }

    /// Returns the policies for everything that this crate does.
    #[must_use]
    pub fn for_everything(scope: &PolicyScope) -> Vec<Self> {
        Self::for_permissions(Permission::everything(), scope)
    }
}

fn duty(permission: &Permission) -> Responsibility {
    match permission.operation().service() {
        "organizations" => Responsibility::Organization,
        _ => Responsibility::SystemsManager,
    }
}

/// Returns whether both administrators need the permission.
///
/// Either administrator may observe, which reads the organization. Either may protect data syncs,
/// which lists them.
fn is_for_both(permission: &Permission) -> bool {
    matches!(
        permission.operation(),
        Operation::DescribeOrganization
            | Operation::ListAwsServiceAccessForOrganization
            | Operation::ListDelegatedAdministrators
            | Operation::ListResourceDataSync
    )
}

/// Writes the responsibility and the account.
impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.duty, self.caller)
    }
}
