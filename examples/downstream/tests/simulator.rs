//! The program on organizations in memory.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on panics")]

use std::sync::Arc;

use downstream::{announcement, explorer, onboard_all};
use ssm_organizations::plan::Clients;
use ssm_organizations::ports::{Client, Operation};
use ssm_organizations::sim::{Fault, Organization};
use ssm_organizations::{AccountId, ServicePrincipal};

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

fn administrator() -> AccountId {
    account("222222222222")
}

fn organization() -> Organization {
    Organization::builder().member(administrator()).build()
}

fn client(organization: &Organization) -> Arc<dyn Client> {
    Arc::new(organization.management_client())
}

/// Explorer in the organization, if the answer is yes.
async fn explorer_in(organization: &Organization, answer: bool) -> anyhow::Result<bool> {
    let (management, members) = (organization.management_client(), organization.client(administrator()));
    let clients = Clients::new(&management).and(&members);
    let home = "eu-central-1".parse()?;
    Ok(explorer(&clients, administrator(), home, |_plan| answer).await?.is_some())
}

#[tokio::test]
async fn a_second_run_changes_nothing() {
    let (one, other) = (organization(), organization());
    for writes in [2, 0] {
        for onboarded in onboard_all([client(&one), client(&other)], administrator()).await {
            assert!(announcement(&onboarded.unwrap()).contains("222222222222"));
        }
        assert_eq!([one.writes(), other.writes()], [writes; 2]);
        one.forget_calls();
        other.forget_calls();
    }
}

#[tokio::test]
async fn one_organization_that_fails_stops_no_other() {
    let taken = Organization::builder().member(administrator()).member(account("333333333333"));
    let taken = taken.trusting(&ServicePrincipal::SYSTEMS_MANAGER).delegated_to(account("333333333333")).build();
    let free = organization();

    let outcomes = onboard_all([client(&taken), client(&free)], administrator()).await;

    let [Err(refused), Ok(_)] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert!(format!("{refused:#}").contains("333333333333"), "{refused:#}");
    assert_eq!(taken.count(Operation::RegisterDelegatedAdministrator), 0);
    assert_eq!(free.administrators(), [administrator()]);
}

#[tokio::test]
async fn explorer_is_set_up_after_a_yes_alone() {
    let organization = organization();
    let before = organization.snapshot();
    assert!(!explorer_in(&organization, false).await.unwrap());
    assert_eq!(organization.snapshot(), before);
    assert!(explorer_in(&organization, true).await.unwrap());
    assert_eq!(organization.count(Operation::CreateResourceDataSync), 1);
}

#[tokio::test(start_paused = true)]
async fn explorer_is_there_wholly_or_not_at_all() {
    let organization = organization();
    let before = organization.snapshot();
    organization.fault(Operation::CreateResourceDataSync, 1, Fault::refused("InternalServerError"));

    let failed = explorer_in(&organization, true).await.unwrap_err();

    assert!(format!("{failed:#}").starts_with("what was done before is taken back"), "{failed:#}");
    assert_eq!(organization.snapshot(), before);
}
