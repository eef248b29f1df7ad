//! The texts of plans, as a person reads them before saying yes, and as a program does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

use insta::{assert_json_snapshot, assert_snapshot};
use ssm_organizations::plan::{AdministratorTarget, Clients, OtherSyncs, Plan, ServiceTarget, Target, Undo};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{DataSync, SourceRegions, SyncDefinition, SyncSourceType};
use ssm_organizations::{AccountId, Region, ServicePrincipal, SyncName, sim};

fn management() -> AccountId {
    "111111111111".parse().unwrap()
}

fn alice() -> AccountId {
    "222222222222".parse().unwrap()
}

fn bob() -> AccountId {
    "333333333333".parse().unwrap()
}

fn home() -> [Region; 1] {
    ["eu-central-1".parse().unwrap()]
}

fn name(text: &str) -> SyncName {
    text.parse().unwrap()
}

fn sync(text: &str) -> SyncDefinition {
    SyncDefinition::of_organization(name(text), SourceRegions::new(home()).unwrap())
}

fn shown(text: &str) -> DataSync {
    let mut sync = DataSync::new(name(text), Some(SyncSourceType::AwsOrganizations));
    sync.regions = home().to_vec();
    sync.future_regions = Some(false);
    sync.all_ops_data_sources = Some(false);
    sync
}

fn empty() -> sim::Builder {
    sim::Organization::builder().member(alice()).member(bob())
}

fn at_work() -> sim::Builder {
    let [home] = home();
    empty()
        .trusting(&ServicePrincipal::SYSTEMS_MANAGER)
        .delegated_to(alice())
        .role_for(&ServicePrincipal::ACCOUNT_DISCOVERY)
        .data_sync(management(), home.clone(), shown("whole-organization"))
        .data_sync(alice(), home, shown("all-accounts"))
}

async fn plan(organization: &sim::Organization, target: &Target) -> Plan {
    let [management, alice, bob] = [management(), alice(), bob()].map(|account| organization.client(account));
    target.plan(&Clients::new(&management).and(&alice).and(&bob)).await.unwrap()
}

fn onboarding() -> Target {
    Target::new().with_trusted_access(true).with_administrator(alice()).with_role().with_sync(
        Caller::Administrator,
        sync("all-accounts"),
        home(),
    )
}

#[tokio::test(start_paused = true)]
async fn first_onboarding() {
    let plan = plan(&empty().build(), &onboarding()).await;
    assert_snapshot!(plan);
    assert_json_snapshot!(plan);
}

#[tokio::test(start_paused = true)]
async fn nothing_to_do() {
    let plan = plan(&at_work().build(), &onboarding()).await;
    assert_snapshot!(plan);
    assert_json_snapshot!(plan);
}

#[tokio::test(start_paused = true)]
async fn another_administrator() {
    let target = Target::new().with_administrator(bob()).with_sync(Caller::Administrator, sync("all-accounts"), home());
    let plan = plan(&at_work().build(), &target).await;
    assert_snapshot!(plan);
    assert_json_snapshot!(plan);
}

fn teardown() -> Target {
    Target::new().with_trusted_access(false).without_administrator()
}

#[tokio::test(start_paused = true)]
async fn teardown_with_the_syncs_of_both_accounts_named() {
    let target = teardown()
        .without_role()
        .without_sync(Caller::Management, name("whole-organization"), home())
        .without_sync(Caller::Administrator, name("all-accounts"), home());
    let plan = plan(&at_work().build(), &target).await;
    assert_snapshot!(plan);
    assert_json_snapshot!(plan);
}

#[tokio::test(start_paused = true)]
async fn teardown_that_forfeits_the_syncs() {
    let target = teardown().with_other_syncs(OtherSyncs::Forfeit);
    assert_snapshot!("forfeited_and_looked", plan(&at_work().build(), &target.clone().looking_in(home())).await);
    // Nobody looks.
    assert_snapshot!("forfeited_unseen", plan(&at_work().build(), &target).await);
}

#[tokio::test(start_paused = true)]
async fn permission_missing() {
    let organization = at_work().build();
    let denied = organization.management_client().without_permission("organizations:ListDelegatedAdministrators");
    let clients = Clients::new(&denied);
    assert_snapshot!("denied_and_needed", onboarding().plan(&clients).await.unwrap_err());
    // What does not depend on it can be planned, and says what is not known.
    let role = Target::new().with_trusted_access(true).with_role();
    assert_snapshot!("denied_and_not_needed", role.plan(&clients).await.unwrap());
    // Syncs that may go with a step.
    let client = organization.management_client();
    let error = Target::new().without_administrator().looking_in(home()).plan(&Clients::new(&client)).await;
    assert_snapshot!("no_client_of_the_administrator", error.unwrap_err());
}

#[tokio::test(start_paused = true)]
async fn companions() {
    let registered =
        ServiceTarget::new().with_trusted_access(true).with_administrator(AdministratorTarget::Account(bob()));
    let target = Target::new()
        .with_companion(ServicePrincipal::QUICK_SETUP, registered.clone())
        .with_companion(ServicePrincipal::STACK_SETS, registered);
    let organization = at_work()
        .trusting(&ServicePrincipal::QUICK_SETUP)
        .delegated_for(&ServicePrincipal::QUICK_SETUP, alice())
        .build();
    assert_snapshot!(plan(&organization, &target).await);
}

#[tokio::test(start_paused = true)]
async fn other_settings_of_a_sync() {
    let changed = sync("whole-organization").including_future_regions().enabling_all_ops_data_sources();
    let target = Target::new().with_sync(Caller::Management, changed, home());
    assert_snapshot!(plan(&at_work().build(), &target).await);
}

#[tokio::test(start_paused = true)]
async fn taking_back() {
    let organization = empty().trusting(&ServicePrincipal::SYSTEMS_MANAGER).build();
    let plan = plan(&organization, &onboarding()).await;
    let [management, alice] = [management(), alice()].map(|account| organization.client(account));
    let clients = Clients::new(&management).and(&alice);
    let receipt = plan.apply(&clients, |_| {}).await.unwrap();
    assert_json_snapshot!("taking_back_receipt", receipt);
    assert_snapshot!("taking_back", receipt.undo(&clients, &Undo::new()).await.unwrap());
}
