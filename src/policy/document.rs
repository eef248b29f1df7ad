use std::collections::BTreeMap;
use std::fmt;

use crate::ports::Operation;

use super::{Caller, Permission, Policy, Scope};

/// Who does it, where an organization has two administrators.
///
/// AWS tells the one of Organizations to tell the one of Systems Manager when the service can be enabled or disabled:
/// [AWS Systems Manager and AWS Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Duty {
    /// The organization's administrator: trusted access, and who is the delegated administrator.
    Organization,
    /// Systems Manager's administrator: Explorer's role and data syncs.
    SystemsManager,
}

impl fmt::Display for Duty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Organization => "the organization's administrator",
            Self::SystemsManager => "Systems Manager's administrator",
        })
    }
}

/// A policy, and who has to hold it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Document {
    /// The account that its holder is in.
    pub caller: Caller,
    /// What its holder is there for.
    pub duty: Duty,
    /// What its holder has to be allowed.
    pub policy: Policy,
}

impl Document {
    /// The policies for these permissions: one for each account, two where an account has both administrators' work to do.
    ///
    /// What both read, to know where things stand, is in either's. Whoever does both work takes [`Policy::allowing`] instead.
    #[must_use]
    pub fn for_permissions(permissions: impl IntoIterator<Item = Permission>, scope: &Scope) -> Vec<Self> {
        let mut callers: BTreeMap<Caller, Vec<Permission>> = BTreeMap::new();
        for permission in permissions {
            callers.entry(permission.caller()).or_default().push(permission);
        }
        let documents = callers.into_iter().flat_map(|(caller, permissions)| {
            let (both, own): (Vec<_>, Vec<_>) = permissions.into_iter().partition(is_for_both);
            let mut duties: BTreeMap<Duty, Vec<Permission>> = BTreeMap::new();
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

    /// The policies for these operations, on whatever this crate may call them on.
    #[must_use]
    pub fn for_operations(operations: impl IntoIterator<Item = Operation>, scope: &Scope) -> Vec<Self> {
        Self::for_permissions(operations.into_iter().flat_map(Permission::of), scope)
    }

    /// The policies for everything that this crate does.
    #[must_use]
    pub fn for_everything(scope: &Scope) -> Vec<Self> {
        Self::for_permissions(Permission::everything(), scope)
    }
}

fn duty(permission: &Permission) -> Duty {
    match permission.operation().service() {
        "organizations" => Duty::Organization,
        _ => Duty::SystemsManager,
    }
}

/// Observing takes the reads of the organization, and protecting data syncs their listing, whoever does it.
fn is_for_both(permission: &Permission) -> bool {
    matches!(
        permission.operation(),
        Operation::DescribeOrganization
            | Operation::ListAwsServiceAccessForOrganization
            | Operation::ListDelegatedAdministrators
            | Operation::ListResourceDataSync
    )
}

/// Says who has to hold it.
impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.duty, self.caller)
    }
}
