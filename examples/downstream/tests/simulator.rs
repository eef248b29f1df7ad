//! The program on simulated organizations.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on panics")]

use std::sync::Arc;

use downstream::{announcement, explorer, onboard_all};
use ssm_organizations::plan::Clients;
use ssm_organizations::ports::{Client, Operation};
use ssm_organizations::sim::{Fault, SimOrganization};
use ssm_organizations::{AccountId, ServicePrincipal};

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

fn administrator() -> AccountId {
    account("222222222222")
}

fn organization() -> SimOrganization {
    SimOrganization::builder().member(administrator()).build()
}

fn client(organization: &SimOrganization) -> Arc<dyn Client> {
    Arc::new(organization.management_client())
}

/// Runs `explorer` with this answer and returns whether Explorer was set up.
async fn explorer_in(organization: &SimOrganization, answer: bool) -> anyhow::Result<bool> {
    let (management, members) = (organization.management_client(), organization.client(administrator()));
    let clients = Clients::new(&management).with_account_client(&members);
    let home = "eu-central-1".parse()?;
    Ok(explorer(&clients, administrator(), home, |_plan| answer).await?.is_some())
}

#[tokio::test]
async fn onboard_all_twice_writes_nothing_again() {
    let (one, other) = (organization(), organization());
    for writes in [2, 0] {
        for onboarded in onboard_all([client(&one), client(&other)], administrator()).await {
            assert!(announcement(&onboarded.unwrap()).contains("222222222222"));
        }
        assert_eq!([one.write_count(), other.write_count()], [writes; 2]);
        one.clear_calls();
        other.clear_calls();
    }
}

#[tokio::test]
async fn onboard_all_continues_after_failed_organization() {
    let taken = SimOrganization::builder().member(administrator()).member(account("333333333333"));
    let taken = taken
        .trusted_access_for(&ServicePrincipal::SYSTEMS_MANAGER)
        .delegated_administrator(account("333333333333"))
        .build();
    let free = organization();

    let outcomes = onboard_all([client(&taken), client(&free)], administrator()).await;

    let [Err(refused), Ok(_)] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert!(format!("{refused:#}").contains("333333333333"), "{refused:#}");
    assert_eq!(taken.call_count(Operation::RegisterDelegatedAdministrator), 0);
    assert_eq!(free.administrators(), [administrator()]);
}

#[tokio::test]
async fn explorer_is_set_up_only_after_confirmation() {
    let organization = organization();
    let before = organization.state();
    assert!(!explorer_in(&organization, false).await.unwrap());
    assert_eq!(organization.state(), before);
    assert!(explorer_in(&organization, true).await.unwrap());
    assert_eq!(organization.call_count(Operation::CreateResourceDataSync), 1);
}

#[tokio::test(start_paused = true)]
async fn explorer_setup_with_failed_sync_is_undone() {
    let organization = organization();
    let before = organization.state();
    organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::refused("InternalServerError"));

    let failed = explorer_in(&organization, true).await.unwrap_err();

    assert!(format!("{failed:#}").starts_with("all changes were undone"), "{failed:#}");
    assert_eq!(organization.state(), before);
}
