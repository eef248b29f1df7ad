//! Systems Manager's capabilities that work with Organizations: what AWS says of each.

mod warning;

use std::fmt;

pub use warning::Warning;

use crate::domain::{Partition, RoleName, ServicePrincipal};

/// A capability of Systems Manager that works across an organization.
///
/// The table holds what AWS documented in 2026; [`source`](Self::source) names the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
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
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
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

/// Something that AWS says of a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Note {
    /// What it says.
    pub text: &'static str,
    /// Since or from when, as `YYYY-MM-DD`, where it says so.
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
        Note::dated("2025-06-30", "the opt-in Regions with such syncs: eu-south-1, af-south-1, me-south-1, ap-east-1"),
        Note::new("findings of Security Hub take trusted access for opsdatasync.ssm.amazonaws.com too"),
        Note::dated("2026-12-31", "the dashboard leaves the console; data syncs and GetOpsSummary stay"),
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
    trusted: &[ServicePrincipal::QUICK_SETUP, ServicePrincipal::STACK_SETS],
    optional: &[],
    delegated: &[ServicePrincipal::QUICK_SETUP],
    roles: &[RoleName::QUICK_SETUP],
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
        Note::new("its home Region cannot be changed"),
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
    /// Every capability that works with Organizations.
    pub const ALL: &'static [Self] =
        &[Self::Explorer, Self::ChangeManager, Self::OpsCenter, Self::QuickSetup, Self::UnifiedConsole];

    /// The capabilities that want this principal trusted or delegated. None for another service's.
    #[must_use]
    pub fn of_principal(principal: &ServicePrincipal) -> Vec<Self> {
        let wants = |capability: &Self| {
            let Entry { trusted, optional, delegated, .. } = capability.entry();
            [trusted, optional, delegated].into_iter().any(|wanted| wanted.contains(principal))
        };
        Self::ALL.iter().copied().filter(wants).collect()
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

    /// What has to be trusted for a part of it alone.
    #[must_use]
    pub fn optional_principals(self) -> &'static [ServicePrincipal] {
        self.entry().optional
    }

    /// Systems Manager's service-linked roles that it runs on.
    #[must_use]
    pub fn roles(self) -> &'static [RoleName] {
        self.entry().roles
    }

    /// What else AWS says to those who use it across an organization: limits, and what changes when.
    #[must_use]
    pub fn notes(self) -> &'static [Note] {
        self.entry().notes
    }

    /// The page of AWS's that says so.
    #[must_use]
    pub fn source(self) -> &'static str {
        self.entry().source
    }

    /// Whether AWS offers it to an organization in this partition, as far as its documents say.
    ///
    /// AWS: [Systems Manager in AWS GovCloud (US)](https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-ssm.html), and the
    /// published endpoints.
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
