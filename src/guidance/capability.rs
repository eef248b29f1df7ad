//! Capabilities of Systems Manager that work with Organizations, as AWS documents them.

use std::fmt;

use crate::domain::{Partition, RoleName, ServicePrincipal};

/// Capability of Systems Manager that works across an organization.
///
/// The data follows AWS's documentation of 2026. [`source`](Self::source) returns the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Capability {
    /// Explorer: a dashboard over accounts and Regions, with data from resource data syncs.
    Explorer,
    /// Change Manager: requests, approvals and execution of changes.
    ChangeManager,
    /// OpsCenter: operational work items of several accounts.
    OpsCenter,
    /// Quick Setup: configurations for the organization's accounts.
    QuickSetup,
    /// The unified console: nodes of all accounts and Regions in one place.
    UnifiedConsole,
}

/// Availability of a capability across an organization in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Availability {
    /// The capability is available.
    Available,
    /// The capability is available from the management account only. The partition has no delegated
    /// administrator for the capability.
    AvailableWithoutDelegation,
    /// The capability is not available.
    Unavailable,
    /// AWS's documents do not mention the availability.
    Undocumented,
}

/// Statement of AWS's documents about a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Note {
    /// The text of the note.
    pub text: &'static str,
    /// The date since or from which the note applies, as `YYYY-MM-DD`, if AWS gives one.
    pub date: Option<&'static str>,
}

impl Note {
    const fn new(text: &'static str) -> Self {
        Self { text, date: None }
    }

    const fn dated(date: &'static str, text: &'static str) -> Self {
        Self { text, date: Some(date) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date {
            Some(date) => write!(f, "{date}: {}", self.text),
            None => f.write_str(self.text),
        }
    }
}

struct Entry {
    name: &'static str,
    trusted: &'static [ServicePrincipal],
    optional: &'static [ServicePrincipal],
    delegated: &'static [ServicePrincipal],
    roles: &'static [RoleName],
    notes: &'static [Note],
    source: &'static str,
}

static EXPLORER: Entry = Entry {
    name: "Explorer",
    trusted: &[ServicePrincipal::SYSTEMS_MANAGER],
    optional: &[ServicePrincipal::OPS_DATA_SYNC],
    delegated: &[ServicePrincipal::SYSTEMS_MANAGER],
    roles: &[RoleName::ACCOUNT_DISCOVERY, RoleName::SYSTEMS_MANAGER],
    notes: &[
        Note::new("one delegated administrator for all of Systems Manager's capabilities"),
        Note::new("five resource data syncs in an account and Region"),
        Note::new("in opt-in Regions only the management account creates data syncs of the organization"),
        Note::new(
            "a data sync works in an opt-in Region while the Region is enabled for both the management and the member account",
        ),
        Note::new("the first data of a data sync may take six hours"),
        Note::dated("2025-06-30", "the opt-in Regions with such syncs: eu-south-1, af-south-1, me-south-1, ap-east-1"),
        Note::new(
            "the management account's own findings of Security Hub take trusted access for opsdatasync.ssm.amazonaws.com too",
        ),
        Note::new(
            "a data sync of the organization that the management account creates in Explorer switches Security Hub's source on in every member account",
        ),
        Note::dated(
            "2026-12-31",
            "the dashboard and Explorer's settings leave the console; data syncs and GetOpsSummary stay",
        ),
    ],
    source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator.html",
};

static CHANGE_MANAGER: Entry = Entry {
    name: "Change Manager",
    trusted: &[ServicePrincipal::SYSTEMS_MANAGER, ServicePrincipal::STACK_SETS],
    optional: &[],
    delegated: &[ServicePrincipal::SYSTEMS_MANAGER],
    roles: &[],
    notes: &[
        Note::dated("2025-11-07", "closed to new customers"),
        Note::new("the delegated administrator is the only account in its organizational unit"),
        Note::new("no set-up of an organization in eu-south-1, me-south-1, af-south-1 and ap-east-1"),
        Note::new("a single account needs no delegated administrator"),
    ],
    source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/change-manager-organization-setup.html",
};

static OPS_CENTER: Entry = Entry {
    name: "OpsCenter",
    trusted: &[ServicePrincipal::SYSTEMS_MANAGER],
    optional: &[],
    delegated: &[ServicePrincipal::SYSTEMS_MANAGER],
    roles: &[RoleName::ACCOUNT_DISCOVERY],
    notes: &[
        Note::new("only work items of type /aws/issue cross accounts"),
        Note::new("not in opt-in Regions"),
        Note::new("it takes a resource policy and an execution role in each account, rolled out as a stack set"),
    ],
    source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/OpsCenter-getting-started-multiple-accounts.html",
};

static QUICK_SETUP: Entry = Entry {
    name: "Quick Setup",
    trusted: &[ServicePrincipal::SYSTEMS_MANAGER, ServicePrincipal::QUICK_SETUP, ServicePrincipal::STACK_SETS],
    optional: &[],
    delegated: &[ServicePrincipal::QUICK_SETUP],
    roles: &[RoleName::ACCOUNT_DISCOVERY, RoleName::SYSTEMS_MANAGER, RoleName::QUICK_SETUP],
    notes: &[
        Note::new("one delegated administrator, which becomes that of StackSets and Explorer as well"),
        Note::new("the delegated administrator cannot roll out patch policies"),
        Note::new("StackSets are activated by CloudFormation's ActivateOrganizationsAccess"),
    ],
    source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-quick-setup.html",
};

static UNIFIED_CONSOLE: Entry = Entry {
    name: "the unified console",
    trusted: UNIFIED,
    optional: &[],
    delegated: UNIFIED,
    roles: &[RoleName::ACCOUNT_DISCOVERY, RoleName::SYSTEMS_MANAGER, RoleName::QUICK_SETUP],
    notes: &[
        Note::new("its home Region changes only when the unified console is disabled and set up again"),
        Note::new("it works in 16 Regions of the partition aws"),
        Note::new("disabling it takes neither trusted access nor the delegated administrators away"),
        Note::new("it sets Default Host Management Configuration up, and Resource Explorer's own role"),
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
    /// All capabilities that work with Organizations.
    pub const ALL: &'static [Self] =
        &[Self::Explorer, Self::ChangeManager, Self::OpsCenter, Self::QuickSetup, Self::UnifiedConsole];

    /// Returns the capabilities that need trusted access or delegation for this principal.
    ///
    /// The list is empty for the principal of another service.
    #[must_use]
    pub fn of_principal(principal: &ServicePrincipal) -> Vec<Self> {
        let wants = |capability: &Self| {
            let Entry { trusted, optional, delegated, .. } = capability.entry();
            [trusted, optional, delegated].into_iter().any(|wanted| wanted.contains(principal))
        };
        Self::ALL.iter().copied().filter(wants).collect()
    }

    /// Returns the name of the capability.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// Returns the principals that need trusted access for the capability:
    /// [`SYSTEMS_MANAGER`](ServicePrincipal::SYSTEMS_MANAGER) and companions.
    #[must_use]
    pub fn trusted_principals(self) -> &'static [ServicePrincipal] {
        self.entry().trusted
    }

    /// Returns the principals to register the delegated administrator for. Each needs its own
    /// registration.
    #[must_use]
    pub fn delegated_principals(self) -> &'static [ServicePrincipal] {
        self.entry().delegated
    }

    /// Returns the principals that need trusted access for only a part of the capability.
    #[must_use]
    pub fn optional_principals(self) -> &'static [ServicePrincipal] {
        self.entry().optional
    }

    /// Returns the service-linked roles of Systems Manager that the capability uses.
    #[must_use]
    pub fn roles(self) -> &'static [RoleName] {
        self.entry().roles
    }

    /// Returns AWS's further notes on the use across an organization: limits, and dated changes.
    #[must_use]
    pub fn notes(self) -> &'static [Note] {
        self.entry().notes
    }

    /// Returns the address of AWS's page about the capability.
    #[must_use]
    pub fn source(self) -> &'static str {
        self.entry().source
    }

    /// Returns the documented availability across an organization in this partition.
    ///
    /// AWS: [Systems Manager in AWS GovCloud (US)][govcloud], [Explorer in China][china], and the
    /// published endpoints. Quick Setup and the unified console have endpoints in `aws` only.
    ///
    /// [govcloud]: https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-ssm.html
    /// [china]: https://docs.amazonaws.cn/en_us/systems-manager/latest/userguide/Explorer-setup-delegated-administrator.html
    #[must_use]
    pub fn availability(self, partition: &Partition) -> Availability {
        match self {
            _ if *partition == Partition::AWS => Availability::Available,
            Self::Explorer if *partition == Partition::AWS_US_GOV => Availability::AvailableWithoutDelegation,
            Self::Explorer if *partition == Partition::AWS_CN => Availability::Available,
            Self::ChangeManager if *partition == Partition::AWS_US_GOV => Availability::Unavailable,
            Self::QuickSetup | Self::UnifiedConsole if Partition::KNOWN.contains(partition) => {
                Availability::Unavailable
            }
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
