//! What the tests of plans share: an organization with a client of each account, and stories from one state to another.
#![cfg(feature = "sim")]

use ssm_organizations::plan::AdministratorTarget;
use ssm_organizations::plan::{Action, Clients, Event, OtherSyncs, Plan, Receipt, ServiceTarget, Stopped, Target};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{DataSync, SourceRegions, SyncDefinition};
use ssm_organizations::{Error, Region, ServicePrincipal, SyncName, sim};

use crate::common::{SSM, alice, bob, delegated, management, organization, organization_sync, region};

pub const HOME: &str = "eu-central-1";
pub const AWAY: &str = "us-east-1";
pub const ROLE: ServicePrincipal = ServicePrincipal::ACCOUNT_DISCOVERY;
pub const QUICK_SETUP: ServicePrincipal = ServicePrincipal::QUICK_SETUP;
pub const STACK_SETS: ServicePrincipal = ServicePrincipal::STACK_SETS;

pub fn home() -> [Region; 1] {
    [region(HOME)]
}

pub fn away() -> [Region; 1] {
    [region(AWAY)]
}

pub fn name(text: &str) -> SyncName {
    SyncName::new(text).unwrap()
}

/// A sync of the whole organization, from the home Region.
pub fn whole(text: &str) -> SyncDefinition {
    SyncDefinition::of_organization(name(text), SourceRegions::new(home()).unwrap())
}

/// The same as a listing shows it.
pub fn shown(text: &str) -> DataSync {
    let mut sync = organization_sync(text);
    sync.regions = home().to_vec();
    sync.future_regions = Some(false);
    sync.all_ops_data_sources = Some(false);
    sync
}

/// An organization, and a client of each of three accounts.
pub struct Office {
    pub organization: sim::Organization,
    pub management: sim::Client,
    pub alice: sim::Client,
    pub bob: sim::Client,
}

impl Office {
    pub fn new(builder: sim::Builder) -> Self {
        Self::of(&builder.build())
    }

    pub fn of(organization: &sim::Organization) -> Self {
        Self {
            management: organization.client(management()),
            alice: organization.client(alice()),
            bob: organization.client(bob()),
            organization: organization.clone(),
        }
    }

    pub fn clients(&self) -> Clients<'_> {
        Clients::new(&self.management).and(&self.alice).and(&self.bob)
    }

    pub async fn plan(&self, target: &Target) -> Plan {
        target.plan(&self.clients()).await.unwrap_or_else(|error| panic!("{error:#}"))
    }

    pub async fn refusal(&self, target: &Target) -> Error {
        match target.plan(&self.clients()).await {
            Ok(plan) => panic!("a plan was drawn up:\n{plan}"),
            Err(error) => error,
        }
    }

    pub async fn apply(&self, plan: &Plan) -> Result<Receipt, Stopped> {
        plan.apply(&self.clients(), |_: Event<'_>| {}).await
    }

    /// Plans and applies.
    pub async fn reach(&self, target: &Target) -> Receipt {
        let plan = self.plan(target).await;
        self.apply(&plan).await.unwrap_or_else(|stopped| panic!("{:#}\n{plan}", stopped.error()))
    }
}

/// The steps in short.
pub fn outline(plan: &Plan) -> Vec<String> {
    let of = |action: &Action| {
        let sync = action.sync().map(|at| format!("{} of {} in {}", at.name, at.account, at.region));
        let sync = sync.unwrap_or_default();
        match action {
            Action::EnableTrustedAccess { principal, .. } => format!("trust {principal}"),
            Action::DisableTrustedAccess { principal, .. } => format!("distrust {principal}"),
            Action::RegisterAdministrator { account, principal, .. } => format!("register {account} for {principal}"),
            Action::DeregisterAdministrator { account, principal, .. } => {
                format!("deregister {account} for {principal}")
            }
            Action::CreateRole => "create the role".to_owned(),
            Action::DeleteRole => "delete the role".to_owned(),
            Action::CreateSync { .. } => format!("create {sync}"),
            Action::UpdateSync { .. } => format!("update {sync}"),
            Action::DeleteSync { .. } => format!("delete {sync}"),
            other => format!("{other:?}"),
        }
    };
    plan.steps().iter().map(|step| of(step.action())).collect()
}

/// From one state to another.
pub struct Story {
    pub name: &'static str,
    pub start: fn() -> sim::Builder,
    pub target: fn() -> Target,
}

/// Everything that there can be, administered by Alice.
pub fn everything() -> sim::Builder {
    delegated()
        .role_for(&ROLE)
        .data_sync(management(), region(HOME), shown("ours"))
        .data_sync(alice(), region(HOME), shown("theirs"))
        .data_sync(alice(), region(AWAY), shown("theirs"))
}

pub fn onboarding() -> Target {
    Target::new()
        .with_trusted_access(true)
        .with_administrator(alice())
        .with_role()
        .with_sync(Caller::Management, whole("ours"), home())
        .with_sync(Caller::Administrator, whole("theirs"), [region(HOME), region(AWAY)])
}

pub fn offboarding() -> Target {
    Target::new()
        .with_trusted_access(false)
        .without_administrator()
        .without_role()
        .without_sync(Caller::Management, name("ours"), home())
        .without_sync(Caller::Administrator, name("theirs"), [region(HOME), region(AWAY)])
}

/// Bob instead of Alice, with a sync that is made anew in his account.
pub fn handover() -> Target {
    Target::new().with_administrator(bob()).with_sync(
        Caller::Administrator,
        whole("theirs"),
        [region(HOME), region(AWAY)],
    )
}

pub fn companions() -> Target {
    let quick_setup =
        ServiceTarget::new().with_trusted_access(true).with_administrator(AdministratorTarget::Account(bob()));
    let stack_sets =
        ServiceTarget::new().with_trusted_access(true).with_administrator(AdministratorTarget::Account(bob()));
    Target::new().with_companion(QUICK_SETUP, quick_setup).with_companion(STACK_SETS, stack_sets)
}

/// Other settings of the syncs that are there, and one less.
pub fn rearranged() -> Target {
    Target::new()
        .with_sync(Caller::Management, whole("ours").including_future_regions(), home())
        .with_sync(Caller::Account(alice()), whole("new"), home())
        .without_sync(Caller::Account(alice()), name("theirs"), [region(HOME), region(AWAY)])
}

pub fn stories() -> Vec<Story> {
    vec![
        Story { name: "onboarding", start: organization, target: onboarding },
        Story { name: "offboarding", start: everything, target: offboarding },
        Story { name: "handover", start: everything, target: handover },
        Story {
            name: "companions",
            start: || {
                everything()
                    .trusting(&QUICK_SETUP)
                    .delegated_for(&QUICK_SETUP, alice())
                    .trusting(&STACK_SETS)
                    .delegated_for(&STACK_SETS, alice())
            },
            target: companions,
        },
        Story { name: "rearranged", start: everything, target: rearranged },
        Story {
            name: "teardown, whatever there is",
            start: everything,
            target: || {
                Target::new()
                    .with_trusted_access(false)
                    .without_administrator()
                    .with_other_syncs(OtherSyncs::Forfeit)
                    .looking_in([region(HOME), region(AWAY)])
            },
        },
    ]
}

/// What is trusted, administered and held, dates apart.
pub fn like(organization: &sim::Organization) -> sim::Snapshot {
    organization.snapshot().without_dates()
}

pub fn trusts(organization: &sim::Organization) -> bool {
    organization.is_trusted(&SSM)
}
