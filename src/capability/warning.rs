use std::fmt;

use super::{Availability, Capability};
use crate::domain::{Partition, ServicePrincipal};
use crate::policy::{Caller, Permission};
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
        warnings.extend(Self::offered(capability, partition));
        warnings
    }

    /// What to know before a write that takes this permission, in this partition. None before a read, and before anything is taken away.
    ///
    /// Trust and delegation of Systems Manager are judged by Explorer, which they are for; what concerns Change Manager alone is told before an
    /// administrator is registered.
    #[must_use]
    pub fn before(permission: &Permission, partition: &Partition) -> Vec<Self> {
        let principal = permission.principal();
        let capability = principal.and_then(served_by);
        let mut warnings = Vec::new();
        match permission.operation() {
            Operation::EnableAwsServiceAccess => {
                warnings.extend(capability.and_then(|capability| Self::offered(capability, partition)));
                // From the management account it can be used all the same.
                warnings.retain(|warning| !matches!(warning, Self::WithoutDelegation { .. }));
                warnings.extend(
                    principal
                        .filter(|principal| has_own_administrator(principal))
                        .map(|principal| Self::OwnDelegation { principal: principal.clone() }),
                );
            }
            Operation::RegisterDelegatedAdministrator => {
                warnings.extend(capability.and_then(|capability| Self::offered(capability, partition)));
                if principal == Some(&ServicePrincipal::SYSTEMS_MANAGER)
                    && Capability::ChangeManager.availability(partition) == Availability::Available
                {
                    warnings.extend([Self::ChangeManagerClosed, Self::AdministratorAlone]);
                }
                if principal == Some(&ServicePrincipal::QUICK_SETUP) {
                    warnings.push(Self::WiderDelegation);
                }
            }
            Operation::CreateResourceDataSync => {
                warnings.extend(Self::offered(Capability::Explorer, partition));
                if permission.caller() == Caller::Management {
                    warnings.retain(|warning| !matches!(warning, Self::WithoutDelegation { .. }));
                }
                warnings.push(Self::ExplorerLeavesTheConsole);
            }
            _ => {}
        }
        warnings
    }

    fn offered(capability: Capability, partition: &Partition) -> Option<Self> {
        let partition = partition.clone();
        match capability.availability(&partition) {
            Availability::Available => None,
            Availability::WithoutDelegation => Some(Self::WithoutDelegation { capability, partition }),
            Availability::Unavailable => Some(Self::Unavailable { capability, partition }),
            Availability::Undocumented => Some(Self::Undocumented { capability, partition }),
        }
    }
}

/// What trust in a principal is first of all for.
fn served_by(principal: &ServicePrincipal) -> Option<Capability> {
    if *principal == ServicePrincipal::SYSTEMS_MANAGER {
        Some(Capability::Explorer)
    } else if *principal == ServicePrincipal::QUICK_SETUP {
        Some(Capability::QuickSetup)
    } else {
        None
    }
}

/// Whether a companion of Systems Manager's has an administrator to be registered for it alone.
fn has_own_administrator(principal: &ServicePrincipal) -> bool {
    let delegated = |capability: &Capability| capability.delegated_principals().contains(principal);
    *principal != ServicePrincipal::SYSTEMS_MANAGER && Capability::ALL.iter().any(delegated)
}

/// Its text, and its date if it has one.
#[cfg(feature = "serde")]
impl serde::Serialize for Warning {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut warning = serializer.serialize_struct("Warning", 2)?;
        warning.serialize_field("text", &self.to_string())?;
        warning.serialize_field("date", &self.date())?;
        warning.end()
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
