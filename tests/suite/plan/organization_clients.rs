//! Helpers of the plan tests: an organization with clients of three accounts, and stories.
#![cfg(feature = "sim")]

use ssm_organizations::plan::AdministratorTarget;
use ssm_organizations::plan::{
    Action, ApplyError, Clients, Event, Plan, Receipt, ServiceTarget, Target, UnlistedSyncs,
};
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

/// Returns a sync of the entire organization from the home Region.
pub fn whole(text: &str) -> SyncDefinition {
    SyncDefinition::of_organization(name(text), SourceRegions::new(home()).unwrap())
}

/// Returns the sync as a listing shows it.
pub fn shown(text: &str) -> DataSync {
    let mut sync = organization_sync(text);
    sync.regions = home().to_vec();
    sync.future_regions = Some(false);
    sync.all_ops_data_sources = Some(false);
    sync
}

/// Organization with clients of three accounts.
pub struct OrganizationClients {
    pub organization: sim::SimOrganization,
    pub management: sim::SimClient,
    pub alice: sim::SimClient,
    pub bob: sim::SimClient,
}

impl OrganizationClients {
    pub fn new(builder: sim::SimOrganizationBuilder) -> Self {
        Self::of(&builder.build())
    }

    pub fn of(organization: &sim::SimOrganization) -> Self {
        Self {
            management: organization.client(management()),
            alice: organization.client(alice()),
            bob: organization.client(bob()),
            organization: organization.clone(),
        }
    }

    pub fn clients(&self) -> Clients<'_> {
        Clients::new(&self.management).with_account_client(&self.alice).with_account_client(&self.bob)
    }

    pub async fn plan(&self, target: &Target) -> Plan {
        target.plan(&self.clients()).await.unwrap_or_else(|error| panic!("{error:#}"))
    }

    pub async fn refusal(&self, target: &Target) -> Error {
        match target.plan(&self.clients()).await {
            Ok(plan) => panic!("planning succeeded:\n{plan}"),
            Err(error) => error,
        }
    }

    pub async fn apply(&self, plan: &Plan) -> Result<Receipt, ApplyError> {
        plan.apply(&self.clients(), |_: Event<'_>| {}).await.map(|applied| applied.receipt)
    }

    /// Plans and applies the target.
    pub async fn reach(&self, target: &Target) -> Receipt {
        let plan = self.plan(target).await;
        self.apply(&plan).await.unwrap_or_else(|stopped| panic!("{:#}\n{plan}", stopped.error()))
    }
}

/// Returns a short text for each step.
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

/// Initial state and target of a plan.
pub struct PlanCase {
    pub name: &'static str,
    pub start: fn() -> sim::SimOrganizationBuilder,
    pub target: fn() -> Target,
}

/// Returns an organization with every resource, and Alice as administrator.
pub fn everything() -> sim::SimOrganizationBuilder {
    delegated()
        .service_linked_role(&ROLE)
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

/// Returns a target that replaces Alice with Bob and recreates her sync in his account.
pub fn handover() -> Target {
    Target::new().with_administrator(bob()).with_sync(
        Caller::Administrator,
        whole("theirs"),
        [region(HOME), region(AWAY)],
    )
}

pub fn companions() -> Target {
    let quick_setup =
        ServiceTarget::new().with_trusted_access(true).with_administrator(AdministratorTarget::Replacement(bob()));
    let stack_sets =
        ServiceTarget::new().with_trusted_access(true).with_administrator(AdministratorTarget::Account(bob()));
    Target::new().with_companion(QUICK_SETUP, quick_setup).with_companion(STACK_SETS, stack_sets)
}

/// Returns a target that updates the existing syncs and deletes one of them.
pub fn rearranged() -> Target {
    Target::new()
        .with_sync(Caller::Management, whole("ours").including_future_regions(), home())
        .with_sync(Caller::Account(alice()), whole("new"), home())
        .without_sync(Caller::Account(alice()), name("theirs"), [region(HOME), region(AWAY)])
}

pub fn stories() -> Vec<PlanCase> {
    vec![
        PlanCase { name: "onboarding", start: organization, target: onboarding },
        PlanCase { name: "offboarding", start: everything, target: offboarding },
        PlanCase { name: "handover", start: everything, target: handover },
        PlanCase {
            name: "companions",
            start: || {
                everything()
                    .trusted_access_for(&QUICK_SETUP)
                    .delegated_administrator_for(&QUICK_SETUP, alice())
                    .trusted_access_for(&STACK_SETS)
                    .delegated_administrator_for(&STACK_SETS, alice())
            },
            target: companions,
        },
        PlanCase { name: "rearranged", start: everything, target: rearranged },
        PlanCase {
            name: "teardown, whatever there is",
            start: everything,
            target: || {
                Target::new()
                    .with_trusted_access(false)
                    .without_administrator()
                    .with_unlisted_syncs(UnlistedSyncs::AllowLoss)
                    .search_regions([region(HOME), region(AWAY)])
            },
        },
    ]
}

/// Returns the state of the organization without dates.
pub fn like(organization: &sim::SimOrganization) -> sim::SimState {
    organization.state().without_dates()
}

pub fn trusts(organization: &sim::SimOrganization) -> bool {
    organization.is_trusted(&SSM)
}
