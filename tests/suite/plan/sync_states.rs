//! Warnings of a plan about the states of data syncs.
#![cfg(feature = "sim")]

use ssm_organizations::domain::OrganizationalUnitId;
use ssm_organizations::plan::{Plan, Target};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{OrganizationalUnits, SourceRegions, SyncDefinition, SyncSource, SyncState};
use ssm_organizations::sim;

use super::organization_clients::{HOME, OrganizationClients, ROLE, home, name, shown, whole};
use crate::common::{management, region, trusting};

async fn plan_for(builder: sim::SimOrganizationBuilder, target: &Target) -> Plan {
    let org = OrganizationClients::new(builder);
    target.plan(&org.clients()).await.unwrap()
}

fn with_state(state: &str) -> sim::SimOrganizationBuilder {
    let mut sync = shown("org");
    sync.state = SyncState::from(state);
    trusting().data_sync(management(), region(HOME), sync)
}

fn wanted() -> Target {
    Target::new().with_sync(Caller::Management, whole("org"), home())
}

#[tokio::test]
async fn plan_with_a_sync_in_a_documented_state_names_its_remedy() {
    for (state, remedy) in [
        ("NoPermissions", "create the role AWSServiceRoleForAmazonSSM_AccountDiscovery first"),
        ("InvalidOrganizationalUnit", "correct the organizational units of the sync"),
        ("OrganizationNotExists", "recreate the sync in an account of an organization"),
        ("TrustedAccessDisabled", "recreate the sync"),
    ] {
        let plan = plan_for(with_state(state).service_linked_role(&ROLE), &wanted()).await;
        let warning =
            format!("the data sync \"org\" of account 111111111111 in {HOME} is in the state {state}: {remedy}");
        assert_eq!(plan.warnings(), [warning], "{state}");
        assert!(plan.is_empty(), "{plan}");
    }
}

#[tokio::test]
async fn plan_with_a_sync_in_an_unknown_state_has_no_warning() {
    let plan = plan_for(with_state("Tired").service_linked_role(&ROLE), &wanted()).await;
    assert!(plan.warnings().is_empty(), "{:?}", plan.warnings());
}

#[tokio::test]
async fn plan_that_resolves_the_state_has_no_warning_about_it() {
    let plan = plan_for(trusting().data_sync(management(), region(HOME), shown("org")), &wanted().with_role()).await;
    assert_eq!(plan.steps().len(), 1, "{plan}");
    assert!(!plan.warnings().iter().any(|warning| warning.contains("is in the state")), "{:?}", plan.warnings());

    let unit: OrganizationalUnitId = "ou-exam-12345678".parse().unwrap();
    let source = SyncSource::OrganizationalUnits(OrganizationalUnits::new([unit.clone()]).unwrap());
    let corrected = SyncDefinition::new(name("org"), source, SourceRegions::new(home()).unwrap());
    let target = Target::new().with_sync(Caller::Management, corrected, home());
    let start = with_state("InvalidOrganizationalUnit").service_linked_role(&ROLE).unit(unit);
    let plan = plan_for(start, &target).await;
    assert_eq!(plan.steps().len(), 1, "{plan}");
    assert!(!plan.warnings().iter().any(|warning| warning.contains("is in the state")), "{:?}", plan.warnings());
}
