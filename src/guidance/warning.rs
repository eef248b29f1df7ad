use std::fmt;

use super::capability::{Availability, Capability};
use crate::domain::{Operation, Partition, ServicePrincipal, SyncDefinition};
use crate::policy::{Caller, Permission};

/// Warning from AWS's documents about a change that AWS may nevertheless accept.
///
/// A warning does not block the change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Warning {
    /// Change Manager is closed to new customers.
    ChangeManagerClosed,
    /// Change Manager requires the delegated administrator to be the only account in its
    /// organizational unit.
    RequiresDedicatedOu,
    /// The dashboard of Explorer is removed from the console. Data syncs and `GetOpsSummary`
    /// remain.
    ExplorerConsoleRemoval,
    /// Explorer may switch on sources of OpsData, with charges, in every account of an organization
    /// sync that requests none.
    ///
    /// AWS documents this for syncs that are made in Explorer: [Set up related
    /// services][services], [Explorer pricing and sources][sources].
    ///
    /// [services]: https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-related-services.html
    /// [sources]: https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-resource-data-sync.html
    SourcesMayBeEnabled,
    /// An organization sync requests every source of OpsData, with charges, in every account.
    AllSourcesEnabled,
    /// The capability is not available across an organization in the partition.
    #[non_exhaustive]
    Unavailable {
        /// The capability.
        capability: Capability,
        /// The partition.
        partition: Partition,
    },
    /// The partition has no delegated administrator for the capability.
    #[non_exhaustive]
    DelegationUnavailable {
        /// The capability.
        capability: Capability,
        /// The partition.
        partition: Partition,
    },
    /// AWS's documents do not mention whether the capability is available across an organization in
    /// the partition.
    #[non_exhaustive]
    Undocumented {
        /// The capability.
        capability: Capability,
        /// The partition.
        partition: Partition,
    },
    /// The delegated administrator of Systems Manager does not become the administrator of the
    /// companion, even with trusted access enabled for the companion.
    #[non_exhaustive]
    SeparateDelegationRequired {
        /// The companion.
        principal: ServicePrincipal,
    },
    /// Registering an administrator of Quick Setup makes the account the administrator of further
    /// services.
    DelegationPropagates,
}

impl Warning {
    /// Returns the date since or from which the warning applies, as `YYYY-MM-DD`, if AWS's
    /// documents give one.
    #[must_use]
    pub fn date(&self) -> Option<&'static str> {
        match self {
            Self::ChangeManagerClosed => Some("2025-11-07"),
            Self::ExplorerConsoleRemoval => Some("2026-12-31"),
            _ => None,
        }
    }

    /// Returns the warnings about using this capability across an organization in this partition.
    #[must_use]
    pub fn of_capability(capability: Capability, partition: &Partition) -> Vec<Self> {
        let mut warnings = match capability {
            Capability::Explorer => vec![Self::ExplorerConsoleRemoval],
            Capability::ChangeManager => vec![Self::ChangeManagerClosed, Self::RequiresDedicatedOu],
            _ => Vec::new(),
        };
        warnings.extend(Self::offered(capability, partition));
        warnings
    }

    /// Returns the warnings before a write that needs this permission, in this partition.
    ///
    /// The list is empty for reads and for writes that delete, disable or deregister.
    ///
    /// Trusted access and delegation for Systems Manager depend on the availability of Explorer,
    /// their main use. Warnings that concern only Change Manager apply to the registration of an
    /// administrator.
    #[must_use]
    pub fn before_permission(permission: &Permission, partition: &Partition) -> Vec<Self> {
        let principal = permission.principal();
        let capability = principal.and_then(served_by);
        let mut warnings = Vec::new();
        match permission.operation() {
            Operation::EnableAwsServiceAccess => {
                warnings.extend(capability.and_then(|capability| Self::offered(capability, partition)));
                // Trusted access is useful without delegation: the management account can use the
                // capability.
                warnings.retain(|warning| !matches!(warning, Self::DelegationUnavailable { .. }));
                warnings.extend(
                    principal
                        .filter(|principal| has_own_administrator(principal))
                        .map(|principal| Self::SeparateDelegationRequired { principal: principal.clone() }),
                );
            }
            Operation::RegisterDelegatedAdministrator => {
                warnings.extend(capability.and_then(|capability| Self::offered(capability, partition)));
                if principal == Some(&ServicePrincipal::SYSTEMS_MANAGER)
                    && Capability::ChangeManager.availability(partition) == Availability::Available
                {
                    warnings.extend([Self::ChangeManagerClosed, Self::RequiresDedicatedOu]);
                }
                if principal == Some(&ServicePrincipal::QUICK_SETUP) {
                    warnings.push(Self::DelegationPropagates);
                }
            }
            Operation::CreateResourceDataSync => {
                warnings.extend(Self::offered(Capability::Explorer, partition));
                if permission.caller() == Caller::Management {
                    warnings.retain(|warning| !matches!(warning, Self::DelegationUnavailable { .. }));
                }
                warnings.push(Self::ExplorerConsoleRemoval);
            }
            _ => {}
        }
        warnings
    }

    /// Returns the warnings before a data sync with this definition is created or updated.
    ///
    /// The list is empty for a sync of a single account.
    #[must_use]
    pub fn of_sync(definition: &SyncDefinition) -> Vec<Self> {
        match (definition.is_of_organization(), definition.enables_all_ops_data_sources()) {
            (true, true) => vec![Self::AllSourcesEnabled],
            (true, false) => vec![Self::SourcesMayBeEnabled],
            (false, _) => Vec::new(),
        }
    }

    fn offered(capability: Capability, partition: &Partition) -> Option<Self> {
        let partition = partition.clone();
        match capability.availability(&partition) {
            Availability::Available => None,
            Availability::AvailableWithoutDelegation => Some(Self::DelegationUnavailable { capability, partition }),
            Availability::Unavailable => Some(Self::Unavailable { capability, partition }),
            Availability::Undocumented => Some(Self::Undocumented { capability, partition }),
        }
    }
}

/// Returns the capability that trusted access for the principal mainly serves.
fn served_by(principal: &ServicePrincipal) -> Option<Capability> {
    if *principal == ServicePrincipal::SYSTEMS_MANAGER {
        Some(Capability::Explorer)
    } else if *principal == ServicePrincipal::QUICK_SETUP {
        Some(Capability::QuickSetup)
    } else {
        None
    }
}

/// Returns whether the principal is a companion that needs its own registration of an
/// administrator.
fn has_own_administrator(principal: &ServicePrincipal) -> bool {
    let delegated = |capability: &Capability| capability.delegated_principals().contains(principal);
    *principal != ServicePrincipal::SYSTEMS_MANAGER && Capability::ALL.iter().any(delegated)
}

/// Serializes the text and the optional date.
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
            Self::RequiresDedicatedOu => f.write_str(
                "Change Manager wants the delegated administrator to be the only account in its organizational unit",
            ),
            Self::ExplorerConsoleRemoval => {
                f.write_str("Explorer's dashboard leaves the console on 2026-12-31; data syncs and GetOpsSummary stay")
            }
            Self::SourcesMayBeEnabled => f.write_str(
                "AWS documents that Explorer switches on sources of OpsData, such as Security Hub, in the accounts of an \
                 organization sync by itself, and charges for their data; this crate requests none",
            ),
            Self::AllSourcesEnabled => f.write_str(
                "the organization sync switches on every source of OpsData in every account, which AWS charges for",
            ),
            Self::Unavailable { capability, partition } => {
                write!(f, "AWS does not offer {capability} to organizations in {partition}")
            }
            Self::DelegationUnavailable { capability, partition } => {
                write!(f, "AWS offers no delegated administrator of {capability} in {partition}")
            }
            Self::Undocumented { capability, partition } => {
                write!(f, "AWS's documents do not say whether {capability} works with organizations in {partition}")
            }
            Self::SeparateDelegationRequired { principal } => write!(
                f,
                "the delegated administrator of Systems Manager does not become that of {principal}: it is registered for each"
            ),
            Self::DelegationPropagates => {
                f.write_str("the delegated administrator of Quick Setup becomes that of StackSets and Explorer as well")
            }
        }
    }
}
