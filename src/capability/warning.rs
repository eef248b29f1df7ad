use std::fmt;

use super::{Availability, Capability};
use crate::domain::{Partition, ServicePrincipal};
use crate::policy::Permission;
use crate::ports::Operation;

/// What AWS's documents say against something that AWS may do all the same. It warns; it refuses nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Warning {
    /// Change Manager is closed to new customers.
    ChangeManagerClosed,
    /// Change Manager wants its delegated administrator to be alone in its organizational unit.
    AdministratorAlone,
    /// Explorer's dashboard leaves the console. The data syncs and `GetOpsSummary` stay.
    ExplorerLeavesTheConsole,
    /// The partition does not have the capability, across an organization.
    #[non_exhaustive]
    Unavailable {
        /// The capability.
        capability: Capability,
        /// The partition.
        partition: Partition,
    },
    /// The partition has no delegated administrator of the capability.
    #[non_exhaustive]
    WithoutDelegation {
        /// The capability.
        capability: Capability,
        /// The partition.
        partition: Partition,
    },
    /// AWS's documents do not say whether the partition has the capability, across an organization.
    #[non_exhaustive]
    Undocumented {
        /// The capability.
        capability: Capability,
        /// The partition.
        partition: Partition,
    },
    /// Trust in a companion of Systems Manager's does not make the administrator of Systems Manager its administrator.
    #[non_exhaustive]
    OwnDelegation {
        /// The companion.
        principal: ServicePrincipal,
    },
    /// Registering an administrator of Quick Setup makes the account that of others too.
    WiderDelegation,
}

impl Warning {
    /// The date that it turns on, as `YYYY-MM-DD`, where it has one: by AWS's documents, since or from then.
    #[must_use]
    pub fn date(&self) -> Option<&'static str> {
        match self {
            Self::ChangeManagerClosed => Some("2025-11-07"),
            Self::ExplorerLeavesTheConsole => Some("2026-12-31"),
            _ => None,
        }
    }

    /// What to know before using this capability across an organization in this partition.
    #[must_use]
    pub fn of_capability(capability: Capability, partition: &Partition) -> Vec<Self> {
        let mut warnings = match capability {
            Capability::Explorer => vec![Self::ExplorerLeavesTheConsole],
            Capability::ChangeManager => vec![Self::ChangeManagerClosed, Self::AdministratorAlone],
            _ => Vec::new(),
        };
        let partition = partition.clone();
        warnings.extend(match capability.availability(&partition) {
            Availability::Available => None,
            Availability::WithoutDelegation => Some(Self::WithoutDelegation { capability, partition }),
            Availability::Unavailable => Some(Self::Unavailable { capability, partition }),
            Availability::Undocumented => Some(Self::Undocumented { capability, partition }),
        });
        warnings
    }

    /// What to know before a write that takes this permission, in this partition. None before a read, and before anything is taken away.
    #[must_use]
    pub fn before(permission: &Permission, partition: &Partition) -> Vec<Self> {
        let _ = (permission, partition, Operation::EnableAwsServiceAccess);
        Vec::new()
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ChangeManagerClosed => f.write_str("Change Manager takes no new customers since 2025-11-07"),
            Self::AdministratorAlone => f.write_str(
                "Change Manager wants the delegated administrator to be the only account in its organizational unit",
            ),
            Self::ExplorerLeavesTheConsole => {
                f.write_str("Explorer's dashboard leaves the console on 2026-12-31; data syncs and GetOpsSummary stay")
            }
            Self::Unavailable { capability, partition } => {
                write!(f, "AWS does not offer {capability} to organizations in {partition}")
            }
            Self::WithoutDelegation { capability, partition } => {
                write!(f, "AWS offers no delegated administrator of {capability} in {partition}")
            }
            Self::Undocumented { capability, partition } => {
                write!(f, "AWS's documents do not say whether {capability} works with organizations in {partition}")
            }
            Self::OwnDelegation { principal } => write!(
                f,
                "the delegated administrator of Systems Manager does not become that of {principal}: it is registered for each"
            ),
            Self::WiderDelegation => {
                f.write_str("the delegated administrator of Quick Setup becomes that of StackSets and Explorer as well")
            }
        }
    }
}
