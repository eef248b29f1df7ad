//! Steps as a graph: dependencies, concurrency, and failures that block only dependent steps.
#![cfg(feature = "sim")]

use std::time::Duration;

use ssm_organizations::plan::{Action, Clients, Plan, Target};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::Operation;
use ssm_organizations::sim::{self, Fault};
use ssm_organizations::{ErrorKind, WriteStatus};

use super::organization_clients::{
    AWAY, HOME, OrganizationClients, everything, home, name, offboarding, onboarding, outline, shown, whole,
};
use crate::common::{SSM, alice, bob, delegated, management, organization, region};

const CALL: Duration = Duration::from_millis(100);

/// Applies the target with a latency of 100 ms. Returns the number of calls and of sequential
/// calls.
async fn cost(start: sim::SimOrganizationBuilder, target: &Target) -> (usize, u128) {
    let org = OrganizationClients::new(start.latency(CALL).role_deletion(Duration::ZERO));
    let clients = Clients::new(&org.management).with_account_client(&org.alice);
    let begun = tokio::time::Instant::now();
    let plan = target.plan(&clients).await.unwrap();
    plan.apply(&clients, |_| {}).await.unwrap();
    (org.organization.calls().len(), begun.elapsed().as_millis() / CALL.as_millis())
}

fn set_up() -> Target {
    Target::new()
        .with_trusted_access(true)
        .with_administrator(alice())
        .with_role()
        .with_sync(Caller::Management, whole("ours"), home())
        .with_sync(Caller::Administrator, whole("theirs"), home())
}

fn take_down() -> Target {
    Target::new()
        .with_trusted_access(false)
        .without_administrator()
        .without_role()
        .without_sync(Caller::Management, name("ours"), home())
        .without_sync(Caller::Administrator, name("theirs"), home())
}

fn set_up_organization() -> sim::SimOrganizationBuilder {
    let role = delegated().service_linked_role(&super::organization_clients::ROLE);
    let ours = role.data_sync(management(), region(HOME), shown("ours"));
    ours.data_sync(alice(), region(HOME), shown("theirs"))
}

#[tokio::test(start_paused = true)]
async fn apply_reads_once_for_the_confirmation_and_the_next_step() {
    assert_eq!(cost(organization(), &set_up()).await, (19, 7));
    assert_eq!(cost(set_up_organization(), &take_down()).await, (25, 9));
    assert_eq!(cost(set_up_organization(), &set_up()).await, (9, 1));
}

/// Returns the actions of the steps that a step depends on.
fn dependencies(plan: &Plan, of: impl Fn(&Action) -> bool) -> Vec<&Action> {
    let step = plan.steps().iter().find(|step| of(step.action())).unwrap();
    step.depends_on().iter().map(|index| plan.steps()[*index].action()).collect()
}

#[tokio::test(start_paused = true)]
async fn depends_on_lists_earlier_steps_that_a_step_needs() {
    let org = OrganizationClients::new(organization());
    let plan = org.plan(&set_up()).await;
    let register = dependencies(&plan, |action| matches!(action, Action::RegisterAdministrator { .. }));
    assert!(matches!(register.as_slice(), [Action::EnableTrustedAccess { .. }]), "{plan}");
    assert!(dependencies(&plan, |action| *action == Action::CreateRole).is_empty(), "{plan}");
    let theirs = dependencies(&plan, |action| action.sync().is_some_and(|sync| sync.account == alice()));
    assert!(matches!(theirs.as_slice(), [Action::CreateRole, Action::RegisterAdministrator { .. }]), "{plan}");
    assert!(plan.to_string().contains("after steps 2 and 3"), "{plan}");

    let org = OrganizationClients::new(everything());
    let plan = org.plan(&offboarding()).await;
    for (index, step) in plan.steps().iter().enumerate() {
        assert!(step.depends_on().iter().all(|before| *before < index), "{plan}");
    }
}

/// Asserts that the administrator is not deregistered if the role for the migrated syncs is
/// missing.
#[tokio::test(start_paused = true)]
async fn apply_replacement_without_role_deregisters_no_account() {
    let start = delegated().data_sync(alice(), region(HOME), shown("theirs"));
    let org = OrganizationClients::new(start);
    let target = Target::new().with_role().with_administrator(bob()).with_migrated_syncs([]).search_regions(home());
    let plan = org.plan(&target).await;
    assert_eq!(outline(&plan).first().map(String::as_str), Some("create the role"), "{plan}");
    org.organization.inject_fault(Operation::CreateServiceLinkedRole, 1, Fault::refused("AccessDenied"));
    let stopped = org.apply(&plan).await.unwrap_err();
    assert_eq!(stopped.failed().map(|(index, _)| index).collect::<Vec<_>>(), [0]);
    assert_eq!(org.organization.administrators(), [alice()]);
}

#[tokio::test(start_paused = true)]
async fn apply_with_failed_steps_blocks_dependents_and_reports_all() {
    let org = OrganizationClients::new(organization());
    let plan = org.plan(&onboarding()).await;
    org.organization.inject_fault(Operation::CreateServiceLinkedRole, 1, Fault::refused("AccessDenied"));
    org.organization.inject_fault(
        Operation::RegisterDelegatedAdministrator,
        1,
        Fault::refused("AccessDeniedException"),
    );
    let stopped = org.apply(&plan).await.unwrap_err();
    let failed: Vec<_> = stopped.failed().map(|(index, error)| (plan.steps()[index].action(), error)).collect();
    assert_eq!(failed.len(), 2, "{stopped}");
    for (action, error) in failed {
        assert_eq!((error.operation(), error.kind()), (Some(action.operation()), &ErrorKind::AccessDenied));
        assert_eq!(error.write_status(), WriteStatus::NotApplied);
    }
    assert_eq!(stopped.error().related().len(), 1);
    assert!(org.organization.is_trusted(&SSM));
    assert_eq!(org.organization.call_count(Operation::CreateResourceDataSync), 0);
    // Each step is in exactly one list.
    let all = stopped.done().len() + stopped.unconfirmed().len() + stopped.remaining().len();
    assert_eq!(all, plan.steps().len());

    // Another run of the plan completes the rest.
    org.apply(&plan).await.unwrap();
    assert!(org.plan(&onboarding()).await.is_empty());
}

/// Loses the response to the creation of the role while AWS creates the role for trusted access.
/// The undo then retains the role.
#[tokio::test(start_paused = true)]
async fn undo_after_lost_role_creation_retains_role() {
    let mut setting = sim::UndocumentedBehavior::default();
    setting.enabling_makes_role = true;
    for fault in [Fault::ResponseLost, Fault::RequestLost] {
        let org = OrganizationClients::new(organization().undocumented_behavior(setting.clone()));
        let plan = org.plan(&Target::new().with_trusted_access(true).with_role()).await;
        org.organization.inject_fault(Operation::CreateServiceLinkedRole, 1, fault.clone());
        let receipt = match org.apply(&plan).await {
            Ok(receipt) => receipt,
            Err(stopped) => stopped.receipt().clone(),
        };
        let undo = ssm_organizations::plan::UndoOptions::new().search_regions(home());
        let undone = receipt.undo(&org.clients(), &undo).await.unwrap();
        let deletes = undone.steps().iter().any(|step| *step.action() == Action::DeleteRole);
        assert!(!deletes, "{fault:?}: {undone}");
        org.apply(&undone).await.unwrap();
        assert!(!org.organization.is_trusted(&SSM), "{fault:?}");
    }
}

/// Asserts that more Regions need no more time, and that one failed Region does not stop the
/// others.
#[tokio::test(start_paused = true)]
async fn apply_creates_syncs_of_all_regions_concurrently() {
    let regions: Vec<_> = (1..=30).map(|number| region(&format!("eu-test-{number}"))).collect();
    let target = set_up().with_sync(Caller::Management, whole("more"), regions.clone());
    let (_, sequential) = cost(organization(), &target).await;
    assert_eq!(sequential, 7);

    let org = OrganizationClients::new(everything());
    let sync = whole("new");
    let target = Target::new().with_sync(Caller::Administrator, sync, [region(HOME), region(AWAY)]);
    let plan = org.plan(&target).await;
    org.organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::refused("OddException"));
    let stopped = org.apply(&plan).await.unwrap_err();
    assert_eq!((stopped.done().len(), stopped.failed().count()), (1, 1));
}

/// Asserts that a sync deleted by another caller blocks no step, and that the reads after a refusal
/// also guard the next step.
#[tokio::test(start_paused = true)]
async fn apply_with_trust_disabled_by_others_sends_no_disable() {
    let org = OrganizationClients::new(delegated());
    let target = Target::new().with_trusted_access(false).without_administrator().search_regions(home());
    let plan = org.plan(&target).await;
    org.organization.run_before(Operation::DeregisterDelegatedAdministrator, 1, |organization| {
        organization.deregister_administrator(alice());
        organization.disable_trusted_access(&SSM);
    });
    let receipt = org.apply(&plan).await.unwrap();
    assert!(receipt.is_empty(), "{receipt:?}");
    assert_eq!(org.organization.call_count(Operation::DisableAwsServiceAccess), 0);
}

#[tokio::test(start_paused = true)]
async fn apply_with_sync_deleted_by_others_continues() {
    let org = OrganizationClients::new(everything());
    let plan = org.plan(&offboarding()).await;
    org.organization.run_before(Operation::DeleteResourceDataSync, 2, |organization| {
        organization.remove_data_sync(alice(), &region(HOME), &name("theirs"));
    });
    org.apply(&plan).await.unwrap();
    assert!(!org.organization.is_trusted(&SSM));
}
