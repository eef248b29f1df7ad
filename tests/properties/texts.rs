//! Texts of plans for people, and their JSON for programs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

use insta::assert_snapshot;
use ssm_organizations::plan::{AdministratorTarget, Clients, Plan, ServiceTarget, Target, UndoOptions, UnlistedSyncs};
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

fn empty() -> sim::SimOrganizationBuilder {
    sim::SimOrganization::builder().member(alice()).member(bob())
}

fn at_work() -> sim::SimOrganizationBuilder {
    let [home] = home();
    empty()
        .trusted_access_for(&ServicePrincipal::SYSTEMS_MANAGER)
        .delegated_administrator(alice())
        .service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)
        .data_sync(management(), home.clone(), shown("whole-organization"))
        .data_sync(alice(), home, shown("all-accounts"))
}

async fn plan(organization: &sim::SimOrganization, target: &Target) -> Plan {
    let [management, alice, bob] = [management(), alice(), bob()].map(|account| organization.client(account));
    target.plan(&Clients::new(&management).with_account_client(&alice).with_account_client(&bob)).await.unwrap()
}

fn onboarding() -> Target {
    Target::new().with_trusted_access(true).with_administrator(alice()).with_role().with_sync(
        Caller::Administrator,
        sync("all-accounts"),
        home(),
    )
}

/// Returns the JSON of a plan without the time at which it was computed.
fn json_without_time(plan: &Plan) -> String {
    let json = serde_json::to_string_pretty(plan).unwrap();
    let (timed, rest): (Vec<_>, Vec<_>) = json.lines().partition(|line| line.contains("\"created_at\":"));
    assert_eq!(timed.len(), 1, "{json}");
    rest.join("\n")
}

#[tokio::test(start_paused = true)]
async fn plan_of_onboarding_matches_snapshot() {
    let plan = plan(&empty().build(), &onboarding()).await;
    assert_snapshot!(plan);
    assert_snapshot!(json_without_time(&plan));
}

#[tokio::test(start_paused = true)]
async fn plan_without_steps_matches_snapshot() {
    let plan = plan(&at_work().build(), &onboarding()).await;
    assert_snapshot!(plan);
    assert_snapshot!(json_without_time(&plan));
}

#[tokio::test(start_paused = true)]
async fn plan_of_replacement_matches_snapshot() {
    let target = Target::new().with_administrator(bob()).with_sync(Caller::Administrator, sync("all-accounts"), home());
    let plan = plan(&at_work().build(), &target).await;
    assert_snapshot!(plan);
    assert_snapshot!(json_without_time(&plan));
}

fn teardown() -> Target {
    Target::new().with_trusted_access(false).without_administrator()
}

#[tokio::test(start_paused = true)]
async fn plan_of_teardown_with_named_syncs_matches_snapshot() {
    let target = teardown()
        .without_role()
        .without_sync(Caller::Management, name("whole-organization"), home())
        .without_sync(Caller::Administrator, name("all-accounts"), home());
    let plan = plan(&at_work().build(), &target).await;
    assert_snapshot!(plan);
    assert_snapshot!(json_without_time(&plan));
}

#[tokio::test(start_paused = true)]
async fn plan_of_teardown_with_allow_loss_matches_snapshot() {
    let target = teardown().with_unlisted_syncs(UnlistedSyncs::AllowLoss);
    assert_snapshot!(
        "allow_loss_with_search_regions",
        plan(&at_work().build(), &target.clone().search_regions(home())).await
    );
    // Without search Regions, no data syncs are listed.
    assert_snapshot!("allow_loss_without_search_regions", plan(&at_work().build(), &target).await);
}

#[tokio::test(start_paused = true)]
async fn plan_with_denied_reads_matches_snapshot() {
    let organization = at_work().build();
    let denied = organization.management_client().without_permission("organizations:ListDelegatedAdministrators");
    let clients = Clients::new(&denied);
    assert_snapshot!("denied_read_required", onboarding().plan(&clients).await.unwrap_err());
    // Steps that do not depend on the denied read can be planned, and the plan lists the failed
    // read.
    let role = Target::new().with_trusted_access(true).with_role();
    assert_snapshot!("denied_read_not_required", role.plan(&clients).await.unwrap());
    // A step may delete syncs of the administrator, whose client is missing.
    let client = organization.management_client();
    let error = Target::new().without_administrator().search_regions(home()).plan(&Clients::new(&client)).await;
    assert_snapshot!("missing_administrator_client", error.unwrap_err());
}

#[tokio::test(start_paused = true)]
async fn plan_of_companions_matches_snapshot() {
    let trusted = ServiceTarget::new().with_trusted_access(true);
    let registered = trusted.clone().with_administrator(AdministratorTarget::Account(bob()));
    let replaced = trusted.with_administrator(AdministratorTarget::Replacement(bob()));
    let target = Target::new()
        .with_companion(ServicePrincipal::QUICK_SETUP, replaced)
        .with_companion(ServicePrincipal::STACK_SETS, registered);
    let organization = at_work()
        .trusted_access_for(&ServicePrincipal::QUICK_SETUP)
        .delegated_administrator_for(&ServicePrincipal::QUICK_SETUP, alice())
        .build();
    assert_snapshot!(plan(&organization, &target).await);
}

#[tokio::test(start_paused = true)]
async fn plan_of_sync_update_matches_snapshot() {
    let changed = sync("whole-organization").including_future_regions().enabling_all_ops_data_sources();
    let target = Target::new().with_sync(Caller::Management, changed, home());
    assert_snapshot!(plan(&at_work().build(), &target).await);
}

#[tokio::test(start_paused = true)]
async fn plan_of_undo_matches_snapshot() {
    let organization = empty().trusted_access_for(&ServicePrincipal::SYSTEMS_MANAGER).build();
    let plan = plan(&organization, &onboarding()).await;
    let [management, alice] = [management(), alice()].map(|account| organization.client(account));
    let clients = Clients::new(&management).with_account_client(&alice);
    let receipt = plan.apply(&clients, |_| {}).await.unwrap().receipt;
    let saved = serde_json::to_string_pretty(&receipt).unwrap();
    // The time of sending differs in each run, so the snapshot has a fixed time.
    let fixed = |line: &str| match line.split_once("\"sent_at\": ") {
        Some((indent, _)) => format!("{indent}\"sent_at\": \"2026-01-01T00:00:00Z\""),
        None => line.to_owned(),
    };
    assert_snapshot!("undo_receipt", saved.lines().map(fixed).collect::<Vec<_>>().join("\n"));
    assert_snapshot!("undo_plan", receipt.undo(&clients, &UndoOptions::new()).await.unwrap());
}
