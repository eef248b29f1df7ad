//! Systems Manager's capabilities that work with Organizations: what AWS says of each.

mod warning;

use std::fmt;

pub use warning::Warning;

use crate::domain::{Partition, RoleName, ServicePrincipal};

/// A capability of Systems Manager that works across an organization.
///
/// The table holds what AWS documented in 2026; [`source`](Self::source) names the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// Explorer: a dashboard over accounts and Regions, filled by resource data syncs.
    Explorer,
    /// Change Manager: requesting, approving and carrying out changes.
    ChangeManager,
    /// OpsCenter: operational work items of many accounts.
    OpsCenter,
    /// Quick Setup: configurations rolled out over the organization's accounts.
    QuickSetup,
    /// The unified console: nodes of all accounts and Regions in one place.
    UnifiedConsole,
}

/// Whether a capability can be used across an organization in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Availability {
    /// It can.
    Available,
    /// It can, from the management account alone: AWS has no delegated administrator of it there.
    WithoutDelegation,
    /// It cannot.
    Unavailable,
    /// AWS's documents do not say.
    Undocumented,
}

struct Entry {
    name: &'static str,
    trusted: &'static [ServicePrincipal],
    delegated: &'static [ServicePrincipal],
    roles: &'static [RoleName],
    limits: &'static [&'static str],
    source: &'static str,
}

static EXPLORER: Entry = Entry {
    name: "Explorer",
    trusted: &[ServicePrincipal::SYSTEMS_MANAGER],
    delegated: &[ServicePrincipal::SYSTEMS_MANAGER],
    roles: &[RoleName::ACCOUNT_DISCOVERY, RoleName::SYSTEMS_MANAGER],
    limits: &[
        "one delegated administrator for all of Systems Manager's capabilities",
        "five resource data syncs in an account and Region",
        "no data sync of the delegated administrator's in an opt-in Region",
        "findings of Security Hub take trusted access for opsdatasync.ssm.amazonaws.com too, in the management account",
    ],
    source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator.html",
};

static CHANGE_MANAGER: Entry = Entry {
    name: "Change Manager",
    trusted: &[ServicePrincipal::SYSTEMS_MANAGER, ServicePrincipal::STACK_SETS],
    delegated: &[ServicePrincipal::SYSTEMS_MANAGER],
    roles: &[],
    limits: &[
        "the delegated administrator is the only account in its organizational unit",
        "no set-up of an organization in eu-south-1, me-south-1, af-south-1 and ap-east-1",
    ],
    source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/change-manager-organization-setup.html",
};

static OPS_CENTER: Entry = Entry {
    name: "OpsCenter",
    trusted: &[ServicePrincipal::SYSTEMS_MANAGER],
    delegated: &[ServicePrincipal::SYSTEMS_MANAGER],
    roles: &[RoleName::ACCOUNT_DISCOVERY],
    limits: &["only operational work items of type /aws/issue cross accounts", "not in opt-in Regions"],
    source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/OpsCenter-getting-started-multiple-accounts.html",
};

static QUICK_SETUP: Entry = Entry {
    name: "Quick Setup",
    trusted: &[ServicePrincipal::QUICK_SETUP, ServicePrincipal::STACK_SETS],
    delegated: &[ServicePrincipal::QUICK_SETUP],
    roles: &[RoleName::QUICK_SETUP],
    limits: &[
        "one delegated administrator, which becomes that of StackSets and Explorer as well",
        "the delegated administrator cannot roll out patch policies",
    ],
    source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/quick-setup-delegated-administrator.html",
};

static UNIFIED_CONSOLE: Entry = Entry {
    name: "the unified console",
    trusted: UNIFIED,
    delegated: UNIFIED,
    roles: &[RoleName::ACCOUNT_DISCOVERY, RoleName::SYSTEMS_MANAGER, RoleName::QUICK_SETUP],
    limits: &[
        "its home Region cannot be changed",
        "disabling it takes neither trusted access nor the delegated administrators away",
    ],
    source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-organizations.html",
};

const UNIFIED: &[ServicePrincipal] = &[
    ServicePrincipal::SYSTEMS_MANAGER,
    ServicePrincipal::QUICK_SETUP,
    ServicePrincipal::STACK_SETS,
    ServicePrincipal::RESOURCE_EXPLORER,
];

impl Capability {
    /// Every capability that works with Organizations.
    pub const ALL: &'static [Self] =
        &[Self::Explorer, Self::ChangeManager, Self::OpsCenter, Self::QuickSetup, Self::UnifiedConsole];

    /// The capabilities that need this principal trusted or delegated. None for another service's.
    #[must_use]
    pub fn of_principal(principal: &ServicePrincipal) -> Vec<Self> {
        let needs = |of: &[ServicePrincipal]| of.contains(principal);
        let theirs =
            |capability: &Self| needs(capability.trusted_principals()) || needs(capability.delegated_principals());
        Self::ALL.iter().copied().filter(theirs).collect()
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// What has to be trusted in the organization for it, [`SYSTEMS_MANAGER`](ServicePrincipal::SYSTEMS_MANAGER) and companions.
    #[must_use]
    pub fn trusted_principals(self) -> &'static [ServicePrincipal] {
        self.entry().trusted
    }

    /// What its delegated administrator has to be registered for, one by one.
    #[must_use]
    pub fn delegated_principals(self) -> &'static [ServicePrincipal] {
        self.entry().delegated
    }

    /// The service-linked roles that it runs on.
    #[must_use]
    pub fn roles(self) -> &'static [RoleName] {
        self.entry().roles
    }

    /// What else AWS demands of those who use it across an organization.
    #[must_use]
    pub fn limits(self) -> &'static [&'static str] {
        self.entry().limits
    }

    /// The page of AWS's that says so.
    #[must_use]
    pub fn source(self) -> &'static str {
        self.entry().source
    }

    /// Whether AWS offers it to an organization in this partition, as far as its documents say.
    #[must_use]
    pub fn availability(self, partition: &Partition) -> Availability {
        match self {
            _ if *partition == Partition::AWS => Availability::Available,
            Self::Explorer if *partition == Partition::AWS_US_GOV => Availability::WithoutDelegation,
            Self::ChangeManager | Self::QuickSetup if *partition == Partition::AWS_US_GOV => Availability::Unavailable,
            // There is no endpoint.
            Self::QuickSetup if *partition == Partition::AWS_CN => Availability::Unavailable,
            _ => Availability::Undocumented,
        }
    }

    fn entry(self) -> &'static Entry {
        match self {
            Self::Explorer => &EXPLORER,
            Self::ChangeManager => &CHANGE_MANAGER,
            Self::OpsCenter => &OPS_CENTER,
            Self::QuickSetup => &QUICK_SETUP,
            Self::UnifiedConsole => &UNIFIED_CONSOLE,
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
