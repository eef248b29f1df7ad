//! Undo of a run, limited to the changes of that run.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{
    SSM, account, alice, bob, delegated, expect_trusted, management, observe, organization, region, trusting,
};
use crate::plan::organization_clients::{
    AWAY, HOME, OrganizationClients, QUICK_SETUP, ROLE, STACK_SETS, away, companions, everything, handover, home, like,
    name, offboarding, onboarding, outline, shown, stories, trusts, whole,
};
use ssm_organizations::domain::RoleName;
use ssm_organizations::plan::{
    AdministratorTarget, Receipt, ServiceTarget, Snapshot, SnapshotScope, Target, UndoOptions, UnlistedSyncs,
};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{
    DataSync, Operation, SourceRegions, SyncDefinition, SyncSource, SyncSourceType, SyncState, SystemsManagerApi,
};
use ssm_organizations::sim::{self, Fault};
use ssm_organizations::{Certainty, Change, ChangeKind, ChangeRecorder, ErrorKind, Recovered, SyncProtection};

const WHERE: [&str; 2] = [HOME, AWAY];

fn undo() -> UndoOptions {
    UndoOptions::new().search_regions(WHERE.map(region))
}

/// Returns the plan that undoes the receipt.
async fn undoing(org: &OrganizationClients, receipt: &Receipt) -> ssm_organizations::plan::Plan {
    receipt.undo(&org.clients(), &undo()).await.unwrap_or_else(|error| panic!("{error:#}"))
}

/// Loses a request, completes the target in a second run, and undoes the changes of both runs.
#[tokio::test(start_paused = true)]
async fn undo_of_completed_rerun_reverts_lost_creations() {
    for operation in [
        Operation::EnableAwsServiceAccess,
        Operation::RegisterDelegatedAdministrator,
        Operation::CreateServiceLinkedRole,
        Operation::CreateResourceDataSync,
    ] {
        let org = OrganizationClients::new(organization());
        let before = like(&org.organization);
        let recorder = ChangeRecorder::new();
        let clients = org.clients().with_recorder(recorder.clone());
        org.organization.inject_fault(operation, 1, Fault::RequestLost);
        let plan = org.plan(&onboarding()).await;
        plan.apply(&clients, |_| {}).await.unwrap_err();
        let plan = org.plan(&onboarding()).await;
        plan.apply(&clients, |_| {}).await.unwrap();
        let changes = recorder.changes();
        assert!(changes.iter().any(|change| change.certainty == Certainty::Unconfirmed), "{operation}");

        let receipt = Receipt::of_changes(plan.snapshot().organization(), &changes);
        let plan = undoing(&org, &receipt).await;
        assert!(plan.retained().is_empty(), "{operation}: {plan}");
        assert!(!plan.to_string().contains("the target"), "{plan}");
        org.apply(&plan).await.unwrap();
        assert_eq!(like(&org.organization), before, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn undo_restores_previous_state() {
    for story in stories() {
        let org = OrganizationClients::new((story.start)());
        let before = like(&org.organization);
        let receipt = org.reach(&(story.target)()).await;
        let after = like(&org.organization);
        assert!(!receipt.is_empty());
        let plan = undoing(&org, &receipt).await;
        let taken_back = org.apply(&plan).await.unwrap_or_else(|stopped| panic!("{}: {stopped:#}\n{plan}", story.name));
        if story.name.starts_with("teardown") {
            // The management account's sync fails permanently without trusted access.
            let [left] = plan.retained() else { panic!("{plan}") };
            assert!(left.contains("\"ours\"") && left.contains("recreate it"), "{left}");
            assert!(plan.to_string().contains(left.as_str()), "{plan}");
            let ours = org.organization.data_syncs(management(), &region(HOME));
            assert_eq!(ours[0].state, SyncState::TrustedAccessDisabled);
            org.organization.remove_data_sync(management(), &region(HOME), &name("ours"));
            org.management.create_resource_data_sync(&region(HOME), &whole("ours")).await.unwrap();
        } else {
            assert!(plan.retained().is_empty(), "{}: {plan}", story.name);
        }
        assert_eq!(like(&org.organization), before, "{}: {plan}", story.name);
        // A second undo changes nothing.
        let again = undoing(&org, &receipt).await;
        assert!(again.is_empty(), "{}: {again}", story.name);
        // The receipt of the undo can be undone too.
        if !story.name.starts_with("teardown") {
            let forth = undoing(&org, &taken_back).await;
            org.apply(&forth).await.unwrap_or_else(|stopped| panic!("{}: {stopped:#}\n{forth}", story.name));
            assert_eq!(like(&org.organization), after, "{}: {forth}", story.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn undo_orders_steps_as_aws_requires() {
    let org = OrganizationClients::new(organization());
    let receipt = org.reach(&onboarding()).await;
    assert_eq!(
        outline(&undoing(&org, &receipt).await),
        [
            "delete ours of 111111111111 in eu-central-1",
            "delete theirs of 222222222222 in eu-central-1",
            "delete theirs of 222222222222 in us-east-1",
            "deregister 222222222222 for ssm.amazonaws.com",
            "distrust ssm.amazonaws.com",
            "delete the role",
        ]
    );
    let org = OrganizationClients::new(everything());
    let receipt = org.reach(&handover()).await;
    assert_eq!(
        outline(&undoing(&org, &receipt).await),
        [
            "delete theirs of 333333333333 in eu-central-1",
            "delete theirs of 333333333333 in us-east-1",
            "deregister 333333333333 for ssm.amazonaws.com",
            "register 222222222222 for ssm.amazonaws.com",
            "create theirs of 222222222222 in eu-central-1",
            "create theirs of 222222222222 in us-east-1",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn undo_keeps_state_from_before_the_run() {
    let org = OrganizationClients::new(trusting().service_linked_role(&ROLE));
    let before = like(&org.organization);
    let receipt = org.reach(&onboarding()).await;
    let plan = undoing(&org, &receipt).await;
    assert_eq!(
        outline(&plan).last().map(String::as_str),
        Some("deregister 222222222222 for ssm.amazonaws.com"),
        "{plan}"
    );
    org.apply(&plan).await.unwrap();
    assert!(trusts(&org.organization) && org.organization.has_role(management(), &RoleName::ACCOUNT_DISCOVERY));
    assert_eq!(like(&org.organization), before);
}

#[tokio::test(start_paused = true)]
async fn undo_retains_role_while_trusted_access_is_enabled() {
    let org = OrganizationClients::new(trusting());
    let receipt = org.reach(&onboarding()).await;
    let plan = undoing(&org, &receipt).await;
    assert!(!outline(&plan).iter().any(|step| step == "delete the role"), "{plan}");
    assert_eq!(
        plan.retained(),
        ["the role AWSServiceRoleForAmazonSSM_AccountDiscovery: AWS deletes it only while trusted access is disabled"]
    );
    org.apply(&plan).await.unwrap();
    assert!(trusts(&org.organization) && org.organization.has_role(management(), &RoleName::ACCOUNT_DISCOVERY));
    assert!(org.organization.administrators().is_empty());
}

/// Recreates each resource of an onboarding in turn, as another caller does.
#[tokio::test(start_paused = true)]
async fn undo_retains_recreated_resources() {
    type Act = fn(&sim::SimOrganization);
    let cases: [(&str, Act, &str); 5] = [
        (
            "deregister",
            |organization| {
                organization.deregister_administrator(alice());
                organization.register_administrator(alice());
            },
            "account 222222222222 as administrator of ssm.amazonaws.com: recreated after the run",
        ),
        (
            "distrust",
            |organization| {
                organization.disable_trusted_access(&SSM);
                organization.enable_trusted_access(&SSM);
            },
            "trusted access for ssm.amazonaws.com: recreated after the run",
        ),
        (
            "the role",
            |organization| {
                organization.remove_role(management(), &RoleName::ACCOUNT_DISCOVERY);
                organization.add_role(management(), &ROLE);
            },
            "the role AWSServiceRoleForAmazonSSM_AccountDiscovery: recreated after the run",
        ),
        (
            "delete ours",
            |organization| {
                organization.remove_data_sync(management(), &region(HOME), &name("ours"));
                organization.add_data_sync(management(), region(HOME), shown("ours"));
            },
            "the data sync \"ours\" of account 111111111111 in eu-central-1: recreated after the run",
        ),
        (
            "delete theirs of 222222222222 in us-east-1",
            |organization| {
                organization.remove_data_sync(alice(), &region(AWAY), &name("theirs"));
                organization.add_data_sync(alice(), region(AWAY), shown("theirs"));
            },
            "the data sync \"theirs\" of account 222222222222 in us-east-1: recreated after the run",
        ),
    ];
    for (what, act, words) in cases {
        let org = OrganizationClients::new(organization());
        let receipt = org.reach(&onboarding()).await;
        act(&org.organization);
        match receipt.undo(&org.clients(), &undo()).await {
            Ok(plan) => {
                assert!(plan.retained().iter().any(|left| left == words), "{what}: {plan}");
                assert!(!outline(&plan).iter().any(|step| step.contains(what)), "{what}: {plan}");
                org.apply(&plan).await.unwrap();
            }
            // The preconditions of the undo also protect the resource.
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::DataSyncsExist { .. } | ErrorKind::AlreadyDelegated { .. }),
                "{what}: {error:#}"
            ),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn undo_skips_resources_deleted_by_others() {
    let org = OrganizationClients::new(organization());
    let before = like(&org.organization);
    let receipt = org.reach(&onboarding()).await;
    org.organization.remove_data_sync(management(), &region(HOME), &name("ours"));
    org.organization.deregister_administrator(alice());
    let plan = undoing(&org, &receipt).await;
    assert!(plan.retained().is_empty(), "{plan}");
    org.apply(&plan).await.unwrap();
    assert_eq!(like(&org.organization), before);
}

#[tokio::test(start_paused = true)]
async fn undo_fails_if_others_depend_on_changes() {
    let started = async || {
        let org = OrganizationClients::new(organization());
        let receipt = org.reach(&onboarding()).await;
        (org, receipt)
    };
    let refusal = async |org: &OrganizationClients, receipt: &Receipt, undo: &UndoOptions| match receipt
        .undo(&org.clients(), undo)
        .await
    {
        Ok(plan) => panic!("{plan}"),
        Err(error) => error,
    };
    // Another caller created an organization sync.
    let (org, receipt) = started().await;
    org.organization.add_data_sync(management(), region(HOME), shown("anothers"));
    let error = refusal(&org, &receipt, &undo()).await;
    let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{error:#}") };
    assert_eq!(syncs.iter().map(|sync| sync.id.name.as_str()).collect::<Vec<_>>(), ["anothers"]);
    let error = refusal(&org, &receipt, &undo().with_unlisted_syncs(UnlistedSyncs::AllowLoss)).await;
    assert_eq!(error.operation(), Some(Operation::DeleteServiceLinkedRole), "the sync uses the role: {error:#}");

    // Another caller replaced the administrator.
    let (org, receipt) = started().await;
    org.organization.deregister_administrator(alice());
    org.organization.register_administrator(bob());
    let error = refusal(&org, &receipt, &undo()).await;
    let ErrorKind::AlreadyDelegated { accounts, .. } = error.kind() else { panic!("{error:#}") };
    assert_eq!(*accounts, [bob()]);

    // Another caller updated the sync.
    let (org, receipt) = started().await;
    let changed = whole("ours").including_future_regions();
    org.management.update_resource_data_sync(&region(HOME), &changed).await.unwrap();
    let error = refusal(&org, &receipt, &undo()).await;
    assert!(matches!(error.kind(), ErrorKind::PreconditionFailed { .. }), "{error:#}");
    assert!(error.to_string().contains("\"ours\" of account 111111111111 in eu-central-1 has been changed"), "{error}");

    // Another caller registered a third account instead of the former administrator.
    let org = OrganizationClients::new(everything());
    let receipt = org.reach(&handover()).await;
    org.organization.deregister_administrator(bob());
    org.organization.register_administrator(account("444444444444"));
    let error = refusal(&org, &receipt, &undo()).await;
    let ErrorKind::AlreadyDelegated { accounts, .. } = error.kind() else { panic!("{error:#}") };
    assert_eq!(*accounts, [account("444444444444")]);

    // Another caller registered an administrator of the companion service.
    let org = OrganizationClients::new(organization());
    let trust = Target::new().with_companion(QUICK_SETUP, ServiceTarget::new().with_trusted_access(true));
    let receipt = org.reach(&trust).await;
    org.organization.register_administrator_for(&QUICK_SETUP, bob());
    let error = refusal(&org, &receipt, &undo()).await;
    assert!(matches!(error.kind(), ErrorKind::AlreadyDelegated { .. }), "{error:#}");
}

#[tokio::test(start_paused = true)]
async fn undo_without_search_regions_fails_unless_loss_is_allowed() {
    let org = OrganizationClients::new(organization());
    let target = Target::new().with_trusted_access(true).with_administrator(alice());
    let receipt = org.reach(&target).await;
    let error = receipt.undo(&org.clients(), &UndoOptions::new()).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidInput, "{error:#}");
    assert!(error.to_string().contains("Regions: expected at least one, to search for affected data syncs"), "{error}");
    let plan =
        receipt.undo(&org.clients(), &UndoOptions::new().with_unlisted_syncs(UnlistedSyncs::AllowLoss)).await.unwrap();
    assert_eq!(plan.steps().len(), 2);
    assert!(!plan.unknowns().is_empty(), "{plan}");
}

#[tokio::test(start_paused = true)]
async fn undo_retains_unconfirmed_change_unless_included() {
    for (operation, index) in [
        (Operation::EnableAwsServiceAccess, 0),
        (Operation::CreateServiceLinkedRole, 1),
        (Operation::RegisterDelegatedAdministrator, 2),
        (Operation::CreateResourceDataSync, 3),
    ] {
        let org = OrganizationClients::new(organization());
        let before = like(&org.organization);
        org.organization.inject_fault(operation, 1, Fault::ResponseLost);
        let receipt = org.reach(&onboarding()).await;
        let maybe = receipt.changes().get(index).unwrap();
        assert_eq!(maybe.certainty, Certainty::Unconfirmed, "{receipt:?}");

        // The undo also retains the resources that the unconfirmed change needs.
        let plan = undoing(&org, &receipt).await;
        let uncertain = "AWS did not confirm that the run made this change; name it in the undo to revert it";
        assert!(plan.retained().iter().any(|left| left.ends_with(uncertain)), "{operation}: {plan}");
        assert!(
            !plan.steps().iter().any(|step| step.action().operation() == opposite(operation)
                && operation != Operation::CreateResourceDataSync),
            "{operation}: {plan}"
        );
        let plan = receipt.undo(&org.clients(), &undo().include_unconfirmed(index)).await.unwrap();
        assert!(plan.retained().is_empty(), "{operation}: {plan}");
        org.apply(&plan).await.unwrap();
        assert_eq!(like(&org.organization), before, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn undo_reports_unchecked_broken_syncs_as_unknown() {
    for lost in [0, 1] {
        let org = OrganizationClients::new(trusting());
        let look = SyncProtection::Protect { clients: &[&org.management], regions: &[region(HOME)] };
        let trusted = expect_trusted(observe(&org.organization).await);
        let disabled = trusted.disable(if lost == 0 { look } else { SyncProtection::AllowLoss }).await.unwrap();
        let plan = undoing(&org, &Receipt::of_changes(disabled.organization(), disabled.changes())).await;
        let unknown = "data syncs that disabling trusted access broke: not checked before";
        assert_eq!(plan.unknowns().iter().filter(|line| *line == unknown).count(), lost, "{plan}");
    }
}

#[tokio::test(start_paused = true)]
async fn undo_of_write_that_never_happened_reports_no_unknowns() {
    for (fault, unknown) in [(Fault::RequestLost, 0), (Fault::ResponseLost, 1)] {
        let org = OrganizationClients::new(everything());
        let ssm_organizations::Observed::Delegated(handle) = observe(&org.organization).await else { panic!() };
        org.organization.inject_fault(Operation::DeregisterDelegatedAdministrator, 1, fault.clone());
        let snapshot = Snapshot::take(&org.clients(), &SnapshotScope::new()).await.unwrap();
        let changes = match handle.deregister(SyncProtection::AllowLoss).await {
            Ok(trusted) => trusted.changes().to_vec(),
            Err(failure) => match failure.recover() {
                Recovered::Unknown(handle) => handle.changes().to_vec(),
                other => panic!("{other:?}"),
            },
        };
        assert_eq!(changes.len(), 1, "{fault:?}");
        let plan = undoing(&org, &Receipt::of_changes(snapshot.organization(), &changes)).await;
        let told = plan.unknowns().iter().filter(|line| line.contains("until it was deregistered")).count();
        assert_eq!(told, unknown, "{fault:?}: {plan}");
        // A registration by another caller does not change the result.
        org.organization.deregister_administrator(alice());
        org.organization.register_administrator(alice());
        let plan = undoing(&org, &Receipt::of_changes(snapshot.organization(), &changes)).await;
        let told = plan.unknowns().iter().filter(|line| line.contains("until it was deregistered")).count();
        assert_eq!(told, unknown, "{fault:?}: {plan}");
    }

    // The plan reports no broken syncs if the request to disable trusted access was lost.
    let org = OrganizationClients::new(trusting());
    let snapshot = Snapshot::take(&org.clients(), &SnapshotScope::new()).await.unwrap();
    org.organization.inject_fault(Operation::DisableAwsServiceAccess, 1, Fault::RequestLost);
    let failure =
        expect_trusted(observe(&org.organization).await).disable(SyncProtection::AllowLoss).await.unwrap_err();
    let Recovered::Unknown(handle) = failure.recover() else { panic!() };
    let plan = undoing(&org, &Receipt::of_changes(snapshot.organization(), handle.changes())).await;
    assert!(!handle.changes().is_empty() && !plan.unknowns().iter().any(|line| line.contains("broke")), "{plan}");
}

#[tokio::test(start_paused = true)]
async fn undo_with_invalid_change_index_fails() {
    let org = OrganizationClients::new(trusting());
    let receipt = org.reach(&Target::new().with_administrator(alice())).await;
    org.organization.clear_calls();
    let error = receipt.undo(&org.clients(), &undo().include_unconfirmed(1)).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidInput);
    assert!(
        error.to_string().contains("change 1: expected an index below 1, the number of changes in the receipt"),
        "{error}"
    );
    assert_eq!(org.organization.calls().len(), 0);
    let snapshot = Snapshot::take(&org.clients(), &receipt.snapshot_scope()).await.unwrap();
    assert_eq!(
        *receipt.undo_from(snapshot, &undo().include_unconfirmed(7)).unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
}

#[tokio::test(start_paused = true)]
async fn undo_retains_included_change_if_recreated() {
    let org = OrganizationClients::new(trusting());
    org.organization.inject_fault(Operation::RegisterDelegatedAdministrator, 1, Fault::ResponseLost);
    let receipt = org.reach(&Target::new().with_administrator(alice())).await;
    org.organization.deregister_administrator(alice());
    org.organization.register_administrator(alice());
    let plan = receipt.undo(&org.clients(), &undo().include_unconfirmed(0)).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(
        plan.retained(),
        ["account 222222222222 as administrator of ssm.amazonaws.com: recreated after the run"]
    );
}

fn opposite(operation: Operation) -> Operation {
    match operation {
        Operation::EnableAwsServiceAccess => Operation::DisableAwsServiceAccess,
        Operation::RegisterDelegatedAdministrator => Operation::DeregisterDelegatedAdministrator,
        Operation::CreateServiceLinkedRole => Operation::DeleteServiceLinkedRole,
        _ => Operation::DeleteResourceDataSync,
    }
}

#[tokio::test(start_paused = true)]
async fn undo_ignores_unconfirmed_change_without_effect() {
    for operation in [
        Operation::EnableAwsServiceAccess,
        Operation::CreateServiceLinkedRole,
        Operation::RegisterDelegatedAdministrator,
        Operation::CreateResourceDataSync,
    ] {
        let org = OrganizationClients::new(organization());
        let before = like(&org.organization);
        let plan = org.plan(&onboarding()).await;
        org.organization.inject_fault(operation, 1, Fault::RequestLost);
        let (_, receipt) = org.apply(&plan).await.unwrap_err().into_parts();
        assert!(receipt.changes().iter().any(|change| change.certainty == Certainty::Unconfirmed));
        let plan = undoing(&org, &receipt).await;
        assert!(plan.retained().is_empty(), "{operation}: {plan}");
        org.apply(&plan).await.unwrap();
        assert_eq!(like(&org.organization), before, "{operation}");
    }
    // Undoing a lost deletion also restores the initial state.
    for operation in [Operation::DeleteResourceDataSync, Operation::DeregisterDelegatedAdministrator] {
        let org = OrganizationClients::new(everything());
        let before = like(&org.organization);
        let plan = org.plan(&offboarding()).await;
        org.organization.inject_fault(operation, 1, Fault::RequestLost);
        let (_, receipt) = org.apply(&plan).await.unwrap_err().into_parts();
        let plan = undoing(&org, &receipt).await;
        assert!(plan.retained().is_empty(), "{operation}: {plan}");
        org.apply(&plan).await.unwrap();
        assert_eq!(like(&org.organization), before, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn undo_of_partial_run_reverts_done_steps() {
    let org = OrganizationClients::new(everything());
    let before = like(&org.organization);
    let plan = org.plan(&offboarding()).await;
    org.organization.inject_fault(Operation::DisableAwsServiceAccess, 1, Fault::refused("AccessDeniedException"));
    let (_, receipt) = org.apply(&plan).await.unwrap_err().into_parts();
    let plan = undoing(&org, &receipt).await;
    assert_eq!(
        outline(&plan),
        [
            "register 222222222222 for ssm.amazonaws.com",
            "create ours of 111111111111 in eu-central-1",
            "create theirs of 222222222222 in eu-central-1",
            "create theirs of 222222222222 in us-east-1",
        ]
    );
    org.apply(&plan).await.unwrap();
    assert_eq!(like(&org.organization), before);
}

#[tokio::test(start_paused = true)]
async fn undo_restores_updated_sync() {
    let org = OrganizationClients::new(everything());
    let before = like(&org.organization);
    let changed = whole("ours").including_future_regions();
    let receipt = org.reach(&Target::new().with_sync(Caller::Management, changed.clone(), home())).await;
    let plan = undoing(&org, &receipt).await;
    assert_eq!(outline(&plan), ["update ours of 111111111111 in eu-central-1"]);
    org.apply(&plan).await.unwrap();
    assert_eq!(like(&org.organization), before);

    // Another caller deleted the sync after the run. The undo preserves that change.
    let receipt = org.reach(&Target::new().with_sync(Caller::Management, changed.clone(), home())).await;
    org.organization.remove_data_sync(management(), &region(HOME), &name("ours"));
    let plan = undoing(&org, &receipt).await;
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(
        plan.retained(),
        ["the data sync \"ours\" of account 111111111111 in eu-central-1: deleted after the run"]
    );

    // Another caller recreated the sync.
    org.management.create_resource_data_sync(&region(HOME), &changed).await.unwrap();
    let plan = undoing(&org, &receipt).await;
    assert!(plan.is_empty() && plan.retained().len() == 1, "{plan}");
}

#[tokio::test(start_paused = true)]
async fn undo_fails_if_sync_was_changed_again() {
    let org = OrganizationClients::new(everything());
    let changed = whole("ours").including_future_regions();
    let receipt = org.reach(&Target::new().with_sync(Caller::Management, changed.clone(), home())).await;
    let again = changed.enabling_all_ops_data_sources();
    org.management.update_resource_data_sync(&region(HOME), &again).await.unwrap();
    let error = receipt.undo(&org.clients(), &undo()).await.unwrap_err();
    let ErrorKind::PreconditionFailed { found, .. } = error.kind() else { panic!("{error:#}") };
    assert_eq!(found, "the data sync \"ours\" of account 111111111111 in eu-central-1 has been changed");
}

#[tokio::test(start_paused = true)]
async fn undo_of_created_and_deleted_sync_is_empty() {
    let org = OrganizationClients::new(trusting().service_linked_role(&ROLE));
    let made = org.reach(&Target::new().with_sync(Caller::Management, whole("ours"), home())).await;
    let gone = org.reach(&Target::new().without_sync(Caller::Management, name("ours"), home())).await;
    let receipt = both(&org, &made, &gone).await;
    // The undo preserves a sync that another caller created.
    org.organization.add_data_sync(management(), region(HOME), shown("ours"));
    let plan = undoing(&org, &receipt).await;
    assert!(plan.is_empty() && plan.retained().is_empty(), "{plan}");
}

/// Returns a receipt of two consecutive runs.
async fn both(org: &OrganizationClients, one: &Receipt, other: &Receipt) -> Receipt {
    let snapshot = Snapshot::take(&org.clients(), &SnapshotScope::new()).await.unwrap();
    Receipt::of_changes(snapshot.organization(), &[one.changes(), other.changes()].concat())
}

#[tokio::test(start_paused = true)]
async fn undo_retains_sync_without_creation_date() {
    let org = OrganizationClients::new(trusting().service_linked_role(&ROLE));
    let receipt = org.reach(&Target::new().with_sync(Caller::Management, whole("ours"), home())).await;
    let mut changes = receipt.changes().to_vec();
    let [Change { kind: ChangeKind::DataSyncCreated { after: Some(after), .. }, .. }] = &mut changes[..] else {
        panic!("{receipt:?}")
    };
    after.created = None;
    let snapshot = Snapshot::take(&org.clients(), &SnapshotScope::new()).await.unwrap();
    let plan = undoing(&org, &Receipt::of_changes(snapshot.organization(), &changes)).await;
    assert!(plan.is_empty(), "{plan}");
    let [left] = plan.retained() else { panic!("{plan}") };
    assert!(left.ends_with(
        "\"ours\" of account 111111111111 in eu-central-1: AWS returns no date or id that identifies it; \
             name the change in the undo to revert it"
    ));
}

#[tokio::test(start_paused = true)]
async fn undo_omits_syncs_that_recovered() {
    let mut setting = sim::UndocumentedBehavior::default();
    setting.syncs_recover = true;
    let org = OrganizationClients::new(everything().undocumented_behavior(setting));
    let target = Target::new().with_trusted_access(false).without_administrator().search_regions(WHERE.map(region));
    let receipt = org.reach(&target.with_unlisted_syncs(UnlistedSyncs::AllowLoss)).await;
    let ours = || org.organization.data_syncs(management(), &region(HOME)).remove(0).state;
    assert_eq!(ours(), SyncState::TrustedAccessDisabled);
    org.organization.enable_trusted_access(&SSM);
    assert_eq!(ours(), SyncState::Healthy);
    let plan = undoing(&org, &receipt).await;
    assert!(plan.retained().is_empty(), "{plan}");
}

#[tokio::test(start_paused = true)]
async fn receipt_snapshot_scope_covers_its_changes() {
    let own = |on| Target::new().with_trusted_access(on);
    let forfeited =
        |target: Target| target.with_unlisted_syncs(UnlistedSyncs::AllowLoss).search_regions(WHERE.map(region));
    let with_role = || SnapshotScope::new().with_role();
    let cases = [
        (organization(), own(true), SnapshotScope::new()),
        (trusting(), forfeited(own(false)), SnapshotScope::new()),
        (trusting(), Target::new().with_administrator(alice()), SnapshotScope::new()),
        (organization(), companions(), SnapshotScope::new().with_companion(QUICK_SETUP).with_companion(STACK_SETS)),
        (organization(), Target::new().with_role(), with_role()),
        (organization().service_linked_role(&ROLE), Target::new().without_role().search_regions(home()), with_role()),
        (
            trusting().service_linked_role(&ROLE),
            Target::new().with_sync(Caller::Management, whole("new"), away()),
            with_role().in_regions(away()),
        ),
        (
            everything(),
            Target::new().without_sync(Caller::Administrator, name("theirs"), away()),
            with_role().in_regions(away()),
        ),
        // The deregistration deleted syncs, or they failed without trusted access.
        (everything(), forfeited(Target::new().without_administrator()), with_role().in_regions(WHERE.map(region))),
        (
            trusting().data_sync(bob(), region(HOME), shown("bobs")),
            forfeited(own(false)),
            with_role().in_regions(home()),
        ),
    ];
    for (start, target, scope) in cases {
        let receipt = OrganizationClients::new(start).reach(&target).await;
        assert_eq!(receipt.snapshot_scope(), scope, "{receipt:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn undo_reason_names_successor_of_exclusive_administrator() {
    for (principal, reason) in [
        (
            QUICK_SETUP,
            "the undo registers account 222222222222 for ssm-quicksetup.amazonaws.com, and AWS allows one delegated administrator",
        ),
        (STACK_SETS, "the run registered it"),
    ] {
        let org = OrganizationClients::new(
            organization().trusted_access_for(&principal).delegated_administrator_for(&principal, alice()),
        );
        let to = |administrator| {
            let service = ServiceTarget::new().with_administrator(administrator);
            Target::new().with_companion(principal.clone(), service)
        };
        let gone = org.reach(&to(AdministratorTarget::None)).await;
        let come = org.reach(&to(AdministratorTarget::Account(bob()))).await;
        let plan = undoing(&org, &both(&org, &gone, &come).await).await;
        assert_eq!(
            outline(&plan),
            [format!("deregister 333333333333 for {principal}"), format!("register 222222222222 for {principal}")]
        );
        assert_eq!(plan.steps()[0].reason(), reason);
    }
}

#[tokio::test(start_paused = true)]
async fn undo_does_not_restore_sync_if_its_name_is_taken() {
    let org = OrganizationClients::new(everything());
    let gone = Target::new().without_sync(Caller::Administrator, name("theirs"), away());
    let receipt = org.reach(&gone).await;
    let mut other = shown("theirs");
    other.regions = vec![region("ap-south-1")];
    org.organization.add_data_sync(alice(), region(AWAY), other);
    let plan = undoing(&org, &receipt).await;
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(
        plan.retained(),
        ["the data sync \"theirs\" of account 222222222222 in us-east-1: replaced after the run"]
    );
}

#[tokio::test(start_paused = true)]
async fn undo_retains_sync_deletion_that_aws_would_refuse() {
    let mut broken = shown("ours");
    broken.state = SyncState::TrustedAccessDisabled;
    let org = OrganizationClients::new(organization().data_sync(management(), region(HOME), broken));
    let cleared = Target::new().with_trusted_access(true).without_sync(Caller::Management, name("ours"), home());
    let receipt = org.reach(&cleared).await;
    let plan = undoing(&org, &receipt).await;
    assert_eq!(outline(&plan), ["distrust ssm.amazonaws.com"]);
    let [left] = plan.retained() else { panic!("{plan}") };
    assert!(left.ends_with("AWS creates no data sync of the organization while trusted access is disabled"), "{left}");

    // The sync of a former administrator cannot be recreated.
    let org =
        OrganizationClients::new(delegated().service_linked_role(&ROLE).data_sync(bob(), region(HOME), shown("bobs")));
    let receipt = org.reach(&Target::new().without_sync(Caller::Account(bob()), name("bobs"), home())).await;
    let plan = undoing(&org, &receipt).await;
    assert!(plan.is_empty(), "{plan}");
    let [left] = plan.retained() else { panic!("{plan}") };
    assert!(left.ends_with("AWS creates a data sync of the organization only for its administrator"), "{left}");
}

#[tokio::test(start_paused = true)]
async fn undo_does_not_restore_service_managed_syncs() {
    let foreign = "AWS-QuickSetup-SSM-abc";
    let org = OrganizationClients::new(delegated().service_linked_role(&ROLE).data_sync(
        alice(),
        region(HOME),
        shown(foreign),
    ));
    let target =
        Target::new().without_administrator().search_regions(home()).with_unlisted_syncs(UnlistedSyncs::AllowLoss);
    let receipt = org.reach(&target).await;
    assert!(org.organization.data_syncs(alice(), &region(HOME)).is_empty());
    let plan = undoing(&org, &receipt).await;
    assert_eq!(outline(&plan), ["register 222222222222 for ssm.amazonaws.com"]);
    let [left] = plan.retained() else { panic!("{plan}") };
    assert!(left.contains(foreign) && left.contains("another AWS service manages it"), "{left}");
}

#[tokio::test(start_paused = true)]
async fn undo_reverts_each_companion_separately() {
    let org = OrganizationClients::new(organization());
    let before = like(&org.organization);
    let receipt = org.reach(&companions()).await;
    assert_eq!(receipt.changes().len(), 4);
    // Another account was registered for a service that allows several administrators.
    org.organization.register_administrator_for(&STACK_SETS, alice());
    let error = receipt.undo(&org.clients(), &undo()).await.unwrap_err();
    let ErrorKind::AlreadyDelegated { accounts, .. } = error.kind() else { panic!("{error:#}") };
    assert_eq!(*accounts, [alice()]);
    org.organization.deregister_administrator_for(&STACK_SETS, alice());
    let plan = undoing(&org, &receipt).await;
    org.apply(&plan).await.unwrap();
    assert_eq!(like(&org.organization), before);
    let nobody = ServiceTarget::new().with_administrator(AdministratorTarget::None);
    assert!(org.plan(&Target::new().with_companion(QUICK_SETUP, nobody)).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn undo_in_other_organization_fails() {
    let org = OrganizationClients::new(organization());
    let receipt = org.reach(&onboarding()).await;
    let other = OrganizationClients::new(organization().id("o-1111111111".parse().unwrap()));
    let error = receipt.undo(&other.clients(), &undo()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::OrganizationMismatch { .. }), "{error:#}");
}

#[tokio::test(start_paused = true)]
async fn undo_reverts_changes_of_typed_handles() {
    let org = OrganizationClients::new(organization());
    let before = like(&org.organization);
    let delegated = observe(&org.organization).await.ensure_delegated(alice()).await.unwrap();
    let snapshot = Snapshot::take(&org.clients(), &SnapshotScope::new()).await.unwrap();
    let receipt = Receipt::of_changes(snapshot.organization(), delegated.changes());
    let plan = undoing(&org, &receipt).await;
    org.apply(&plan).await.unwrap();
    assert_eq!(like(&org.organization), before);

    let org = OrganizationClients::new(everything());
    let before = like(&org.organization);
    let disabled = observe(&org.organization).await;
    let trusted = match disabled {
        ssm_organizations::Observed::Delegated(handle) => handle.deregister(SyncProtection::AllowLoss).await.unwrap(),
        other => panic!("{other:?}"),
    };
    let receipt = Receipt::of_changes(snapshot.organization(), trusted.changes());
    let plan = undoing(&org, &receipt).await;
    org.apply(&plan).await.unwrap();
    // The syncs were not listed before the deregistration, so the plan reports them as unknown.
    let lost = "data syncs that account 222222222222 had until it was deregistered: not checked before";
    assert!(plan.unknowns().iter().any(|unknown| unknown == lost), "{plan}");
    assert_ne!(like(&org.organization), before);
    assert_eq!(org.organization.administrators(), [alice()]);
}

#[tokio::test(start_paused = true)]
async fn apply_of_undo_after_concurrent_change_fails() {
    let org = OrganizationClients::new(organization());
    let receipt = org.reach(&onboarding()).await;
    let plan = undoing(&org, &receipt).await;
    org.organization.deregister_administrator(alice());
    org.organization.register_administrator(alice());
    tokio::time::advance(Duration::from_hours(1)).await;
    org.organization.clear_calls();
    let stopped = org.apply(&plan).await.unwrap_err();
    assert!(matches!(stopped.error().kind(), ErrorKind::PreconditionFailed { .. }), "{stopped:#}");
    assert_eq!(org.organization.write_count(), 0);
}

#[cfg(feature = "serde")]
#[tokio::test(start_paused = true)]
async fn undo_of_saved_receipt_equals_undo_of_new_receipt() {
    for story in stories() {
        let org = OrganizationClients::new((story.start)());
        let receipt = org.reach(&(story.target)()).await;
        let kept = serde_json::to_string(&receipt).unwrap();
        let read: Receipt = serde_json::from_str(&kept).unwrap();
        assert_eq!(read, receipt, "{}", story.name);
        let (one, other) = (undoing(&org, &read).await, undoing(&org, &receipt).await);
        assert_eq!(one, other, "{}", story.name);
        let kept = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<ssm_organizations::plan::Plan>(&kept).unwrap(), one, "{}", story.name);
    }
}

/// Returns a listed single-account sync.
fn single(text: &str) -> DataSync {
    let mut sync = shown(text);
    sync.source_type = Some(SyncSourceType::SingleAccountMultiRegions);
    sync
}

#[tokio::test(start_paused = true)]
async fn undo_retains_sync_recreated_with_other_source() {
    let source = "the data sync \"ours\" of account 111111111111 in eu-central-1: \
                  its source has changed, and AWS does not change the source of a data sync";
    // If syncs are protected, the undo also retains the trusted access that the sync needs.
    let trust = "trusted access for ssm.amazonaws.com: the data sync \"ours\" of account 111111111111 in eu-central-1 \
                 is retained, and would fail";
    for (start, others, steps, left) in [
        (trusting(), UnlistedSyncs::Protect, &["deregister 222222222222 for ssm.amazonaws.com"][..], &[source][..]),
        (organization(), UnlistedSyncs::Protect, &["deregister 222222222222 for ssm.amazonaws.com"], &[source, trust]),
        (
            organization(),
            UnlistedSyncs::AllowLoss,
            &["deregister 222222222222 for ssm.amazonaws.com", "distrust ssm.amazonaws.com"],
            &[source],
        ),
    ] {
        let org = OrganizationClients::new(start.service_linked_role(&ROLE).data_sync(
            management(),
            region(HOME),
            single("ours"),
        ));
        let mut handle = observe(&org.organization).await.ensure_delegated(alice()).await.unwrap();
        let mut syncs = handle.data_syncs(&org.management).await.unwrap();
        syncs.recreate(&whole("ours"), &home()).await.unwrap().into_result().unwrap();
        let receipt = Receipt::of_changes(handle.organization(), handle.changes());
        let plan = receipt.undo(&org.clients(), &undo().with_unlisted_syncs(others)).await.unwrap();
        assert_eq!(
            (outline(&plan), plan.retained()),
            (
                steps.iter().map(ToString::to_string).collect(),
                &left.iter().map(ToString::to_string).collect::<Vec<_>>()[..]
            )
        );
        org.apply(&plan).await.unwrap();
        let again = receipt.undo(&org.clients(), &undo().with_unlisted_syncs(others)).await.unwrap();
        assert!(again.is_empty(), "{again}");
    }
}

#[tokio::test(start_paused = true)]
async fn undo_does_not_restore_second_administrator() {
    let two = || trusting().delegated_administrator(alice()).delegated_administrator(bob());
    let org = OrganizationClients::new(two());
    let target = Target::new()
        .with_administrator(alice())
        .with_role()
        .with_sync(Caller::Administrator, whole("theirs"), home())
        .search_regions(home());
    let receipt = org.reach(&target).await;
    let plan = undoing(&org, &receipt).await;
    assert_eq!(outline(&plan), ["delete theirs of 222222222222 in eu-central-1"]);
    assert_eq!(
        plan.retained(),
        [
            "account 333333333333 as administrator of ssm.amazonaws.com: AWS allows one delegated administrator, and account \
             222222222222 is one",
            "the role AWSServiceRoleForAmazonSSM_AccountDiscovery: AWS deletes it only while trusted access is disabled",
        ]
    );
    org.apply(&plan).await.unwrap();
    assert!(undoing(&org, &receipt).await.is_empty());

    // Only one of two deregistered administrators can be restored.
    for principal in [SSM, QUICK_SETUP] {
        let org = OrganizationClients::new(
            organization()
                .trusted_access_for(&principal)
                .delegated_administrator_for(&principal, alice())
                .delegated_administrator_for(&principal, bob())
                .member(account("444444444444")),
        );
        let service =
            ServiceTarget::new().with_administrator(AdministratorTarget::Replacement(account("444444444444")));
        let target = Target::new().with_companion(principal.clone(), service).search_regions(home());
        let third = org.organization.client(account("444444444444"));
        let clients = org.clients().with_account_client(&third);
        let receipt = target.plan(&clients).await.unwrap().apply(&clients, |_| {}).await.unwrap().receipt;
        let plan = receipt.undo(&clients, &undo()).await.unwrap();
        assert_eq!(
            outline(&plan),
            [format!("deregister 444444444444 for {principal}"), format!("register 222222222222 for {principal}")]
        );
        assert_eq!(
            plan.retained(),
            [format!(
                "account 333333333333 as administrator of {principal}: AWS allows one delegated administrator, and account \
                 222222222222 is registered again"
            )]
        );
        plan.apply(&clients, |_| {}).await.unwrap();
        assert!(receipt.undo(&clients, &undo()).await.unwrap().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn undo_does_not_restore_administrator_without_trust() {
    let orphaned = || organization().delegated_administrator(alice());
    let org = OrganizationClients::new(orphaned());
    let receipt =
        org.reach(&Target::new().with_trusted_access(true).with_administrator(bob()).search_regions(home())).await;
    let plan = undoing(&org, &receipt).await;
    assert_eq!(outline(&plan), ["deregister 333333333333 for ssm.amazonaws.com", "distrust ssm.amazonaws.com"]);
    assert_eq!(
        plan.retained(),
        [
            "account 222222222222 as administrator of ssm.amazonaws.com: AWS registers no delegated administrator while trusted access is disabled"
        ]
    );
    org.apply(&plan).await.unwrap();
    assert!(undoing(&org, &receipt).await.is_empty());

    // The administrator was registered before trusted access was enabled.
    let org = OrganizationClients::new(orphaned());
    let receipt = org.reach(&Target::new().with_trusted_access(true).with_role()).await;
    let plan = undoing(&org, &receipt).await;
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(
        plan.retained(),
        [
            "trusted access for ssm.amazonaws.com: account 222222222222 is retained as its delegated administrator",
            "the role AWSServiceRoleForAmazonSSM_AccountDiscovery: AWS deletes it only while trusted access is disabled",
        ]
    );

    // Another caller may have disabled trusted access.
    let org = OrganizationClients::new(delegated());
    org.organization.inject_fault(Operation::DisableAwsServiceAccess, 1, Fault::ResponseLost);
    let off = Target::new().with_trusted_access(false).without_administrator().search_regions(home());
    let receipt = org.reach(&off).await;
    let plan = undoing(&org, &receipt).await;
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(plan.retained().len(), 2, "{plan}");
}

const UNCERTAIN: &str = "AWS did not confirm that the run made this change; name it in the undo to revert it";

fn left_administrator(id: &str, why: &str) -> String {
    format!("account {id} as administrator of ssm.amazonaws.com: {why}")
}

#[tokio::test(start_paused = true)]
async fn undo_retains_unconfirmed_changes() {
    // The registration of the successor is unconfirmed.
    let org = OrganizationClients::new(everything());
    org.organization.inject_fault(Operation::RegisterDelegatedAdministrator, 1, Fault::ResponseLost);
    let receipt = org.reach(&handover()).await;
    let plan = undoing(&org, &receipt).await;
    assert_eq!(
        outline(&plan),
        ["delete theirs of 333333333333 in eu-central-1", "delete theirs of 333333333333 in us-east-1"]
    );
    let one = "AWS allows one delegated administrator, and account 333333333333 is one";
    assert_eq!(
        plan.retained()[..2],
        [left_administrator("333333333333", UNCERTAIN), left_administrator("222222222222", one)],
        "{plan}"
    );
    assert_eq!(plan.retained().len(), 4, "the syncs of the successor are retained: {plan}");

    // The creation of a sync that replaces another one is unconfirmed.
    let start = ["a", "b", "c", "d", "e"].iter().fold(trusting().service_linked_role(&ROLE), |start, text| {
        start.data_sync(management(), region(HOME), shown(text))
    });
    let org = OrganizationClients::new(start);
    org.organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::ResponseLost);
    let target = Target::new().with_sync(Caller::Management, whole("new"), home());
    let receipt = org.reach(&target.without_sync(Caller::Management, name("e"), home())).await;
    let plan = undoing(&org, &receipt).await;
    assert!(plan.is_empty(), "{plan}");
    let sync = |text, why: &str| format!("the data sync \"{text}\" of account 111111111111 in eu-central-1: {why}");
    let is_full = "an account has five in a Region at most, and those are there";
    assert_eq!(plan.retained(), [sync("new", UNCERTAIN), sync("e", is_full)]);
    // After a deletion, there is room for the former sync.
    org.organization.remove_data_sync(management(), &region(HOME), &name("new"));
    assert_eq!(outline(&undoing(&org, &receipt).await), ["create e of 111111111111 in eu-central-1"]);

    // There is room for one of two deleted syncs.
    let full = |start: sim::SimOrganizationBuilder, owner, place| {
        ["a", "b", "c", "d", "e"].iter().fold(start, |start, text| start.data_sync(owner, region(place), shown(text)))
    };
    let org = OrganizationClients::new(full(trusting().service_linked_role(&ROLE), management(), HOME));
    org.organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::ResponseLost);
    let without = |target: Target, text| target.without_sync(Caller::Management, name(text), home());
    let target = Target::new().with_sync(Caller::Management, whole("new"), home());
    let receipt = org.reach(&without(without(target, "d"), "e")).await;
    let plan = undoing(&org, &receipt).await;
    assert_eq!(outline(&plan), ["create d of 111111111111 in eu-central-1"]);
    assert_eq!(plan.retained(), [sync("new", UNCERTAIN), sync("e", is_full)]);
    // Syncs of another account or in another Region do not count toward the quota.
    let start = full(delegated().service_linked_role(&ROLE), alice(), AWAY);
    let start = start.data_sync(management(), region(AWAY), shown("f")).data_sync(alice(), region(HOME), shown("f"));
    let org = OrganizationClients::new(start);
    org.organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::ResponseLost);
    let away = || [region(AWAY)];
    let target = Target::new()
        .with_sync(Caller::Administrator, whole("new"), away())
        .without_sync(Caller::Management, name("f"), away())
        .without_sync(Caller::Administrator, name("f"), home())
        .without_sync(Caller::Administrator, name("d"), away())
        .without_sync(Caller::Administrator, name("e"), away());
    let receipt = org.reach(&target).await;
    let mut back = outline(&undoing(&org, &receipt).await);
    back.sort();
    assert_eq!(
        back,
        [
            "create d of 222222222222 in us-east-1",
            "create f of 111111111111 in us-east-1",
            "create f of 222222222222 in eu-central-1",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn undo_retains_dependencies_of_unconfirmed_changes() {
    // An administrator's sync needs the delegation and trusted access. A sync of the management
    // account needs the role.
    let org = OrganizationClients::new(organization().service_linked_role(&ROLE));
    org.organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::ResponseLost);
    let target = Target::new().with_trusted_access(true).with_administrator(alice());
    let receipt = org.reach(&target.with_sync(Caller::Administrator, whole("theirs"), home())).await;
    let plan = undoing(&org, &receipt).await;
    assert!(plan.is_empty(), "{plan}");
    let theirs = "the data sync \"theirs\" of account 222222222222 in eu-central-1";
    assert_eq!(
        plan.retained(),
        [
            format!("{theirs}: {UNCERTAIN}"),
            left_administrator("222222222222", &format!("{theirs} is retained, and would be deleted with it")),
            "trusted access for ssm.amazonaws.com: account 222222222222 is retained as its delegated administrator"
                .to_owned(),
        ]
    );
    let org = OrganizationClients::new(organization());
    org.organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::ResponseLost);
    let own = SyncDefinition::new(name("own"), SyncSource::SingleAccount, SourceRegions::new(home()).unwrap());
    let receipt = org.reach(&Target::new().with_role().with_sync(Caller::Management, own, home())).await;
    let plan = undoing(&org, &receipt).await;
    assert!(plan.is_empty(), "{plan}");
    let own = "the data sync \"own\" of account 111111111111 in eu-central-1";
    assert_eq!(
        plan.retained(),
        [
            format!("{own}: {UNCERTAIN}"),
            format!("the role AWSServiceRoleForAmazonSSM_AccountDiscovery: {own} is retained, and uses it"),
        ]
    );
    // The single-account sync of another account does not need the role.
    let org = OrganizationClients::new(organization());
    org.organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::ResponseLost);
    let own = SyncDefinition::new(name("own"), SyncSource::SingleAccount, SourceRegions::new(home()).unwrap());
    let receipt = org.reach(&Target::new().with_role().with_sync(Caller::Account(alice()), own, home())).await;
    assert_eq!(outline(&undoing(&org, &receipt).await), ["delete the role"]);
    // An organization sync needs the role even if its owner is no longer an administrator.
    let org = OrganizationClients::new(organization());
    org.organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::ResponseLost);
    let target = Target::new().with_trusted_access(true).with_administrator(alice()).with_role();
    let receipt = org.reach(&target.with_sync(Caller::Administrator, whole("theirs"), home())).await;
    org.organization.deregister_administrator(alice());
    let forfeit = undo().with_unlisted_syncs(UnlistedSyncs::AllowLoss);
    let plan = receipt.undo(&org.clients(), &forfeit).await.unwrap();
    assert_eq!(outline(&plan), ["distrust ssm.amazonaws.com"]);
    let held = format!("the role AWSServiceRoleForAmazonSSM_AccountDiscovery: {theirs} is retained, and uses it");
    assert_eq!(plan.retained(), [format!("{theirs}: {UNCERTAIN}"), held]);
}

#[tokio::test(start_paused = true)]
async fn undo_restores_opt_in_region_sync_of_management_only() {
    let opt_in = || [region("eu-south-1")];
    for (owner, caller, back) in [(management(), Caller::Management, true), (alice(), Caller::Administrator, false)] {
        let org = OrganizationClients::new(delegated().service_linked_role(&ROLE).data_sync(
            owner,
            region("eu-south-1"),
            shown("old"),
        ));
        let receipt = org.reach(&Target::new().without_sync(caller, name("old"), opt_in())).await;
        let plan = undoing(&org, &receipt).await;
        assert_eq!((plan.steps().len(), plan.retained().len()), (usize::from(back), usize::from(!back)), "{plan}");
        let why = "in an opt-in Region, AWS creates a data sync of the organization only for the management account";
        assert!(plan.retained().iter().all(|left| left.ends_with(why)), "{plan}");
    }
}

#[tokio::test(start_paused = true)]
async fn undo_restores_sync_of_second_administrator() {
    let start = trusting().service_linked_role(&ROLE).delegated_administrator(alice()).delegated_administrator(bob());
    let org = OrganizationClients::new(start.data_sync(bob(), region(HOME), shown("bobs")));
    let receipt = org.reach(&Target::new().without_sync(Caller::Account(bob()), name("bobs"), home())).await;
    let plan = undoing(&org, &receipt).await;
    assert_eq!(outline(&plan), ["create bobs of 333333333333 in eu-central-1"]);
    org.apply(&plan).await.unwrap();
}
