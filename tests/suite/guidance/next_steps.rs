//! Tests of the tasks of the other administrator, and of the tasks that remain after a run.
#![cfg(feature = "sim")]

use ssm_organizations::guidance::{ManualTask, NextStep};
use ssm_organizations::policy::{Caller, Responsibility};
use ssm_organizations::ports::{DataSync, Operation, SourceRegions, SyncDefinition, SyncSourceType};
use ssm_organizations::{
    Change, ExplorerSetup, Integration, Observed, Recovered, ServicePrincipal, SyncMigration, SyncName, SyncProtection,
    sim,
};

use crate::common::{alice, bob, delegated, delegated_in, disabled_in, expect_trusted, failed, region};

fn tasks(steps: &[NextStep]) -> Vec<ManualTask> {
    steps.iter().map(|step| step.task).collect()
}

fn sync() -> SyncDefinition {
    let regions = SourceRegions::new([region("eu-central-1")]).unwrap();
    SyncDefinition::of_organization(SyncName::new("all-accounts").unwrap(), regions)
}

#[test]
fn once_enabled_lists_the_explorer_set_up_tasks() {
    let steps = NextStep::once_enabled();
    assert_eq!(tasks(&steps), [ManualTask::CreateRole, ManualTask::CreateDataSync]);
    assert!(steps.iter().all(|step| step.task.responsibility() == Responsibility::SystemsManager));
    assert_eq!(
        steps[0].to_string(),
        "Systems Manager's administrator in the management account: create the role AWSServiceRoleForAmazonSSM_AccountDiscovery \
         (Systems Manager > Explorer (until 2026-12-31) > Settings > Create role)\n    \
         aws iam create-service-linked-role --aws-service-name accountdiscovery.ssm.amazonaws.com"
    );
}

#[test]
fn before_disabling_lists_systems_manager_tasks_first() {
    let alone = NextStep::before_disabling(None);
    assert_eq!(tasks(&alone), [ManualTask::DeleteDataSyncs, ManualTask::DisableTrustedAccess]);
    let steps = NextStep::before_disabling(Some(alice()));
    assert_eq!(
        tasks(&steps),
        [
            ManualTask::DeleteDataSyncs,
            ManualTask::DeleteDataSyncs,
            ManualTask::DeregisterAdministrator,
            ManualTask::DisableTrustedAccess
        ]
    );
    assert_eq!((steps[0].caller, steps[1].caller), (Caller::Administrator, Caller::Management));
    assert_eq!(
        steps[2].commands[0].to_string(),
        "aws organizations deregister-delegated-administrator --account-id 222222222222 --service-principal ssm.amazonaws.com"
    );
    // The tasks of the organization's administrator are last.
    assert!(steps.is_sorted_by_key(|step| step.task.responsibility() == Responsibility::Organization));
    assert_eq!(tasks(&NextStep::once_disabled()), [ManualTask::DeleteDataSyncs, ManualTask::DeleteRole]);
}

#[tokio::test(start_paused = true)]
async fn after_partial_set_up_lists_the_missing_tasks() {
    let organization = sim::SimOrganization::builder().member(alice()).build();
    let client = organization.management_client();
    let home = [region("eu-central-1")];
    let Observed::Disabled(disabled) = Integration::new(client.clone()).observe().await.unwrap() else { panic!() };
    let mut trusted = disabled.enable_trusted_access().await.unwrap();
    assert_eq!(tasks(&NextStep::after(trusted.changes())), [ManualTask::CreateRole, ManualTask::CreateDataSync]);

    let sync = sync();
    let explorer = ExplorerSetup::new().with_role(&client);
    trusted.ensure_explorer(&explorer).await.unwrap();
    assert_eq!(tasks(&NextStep::after(trusted.changes())), [ManualTask::CreateDataSync]);
    let explorer = explorer.with_sync(&client, &sync, &home);
    trusted.ensure_explorer(&explorer).await.unwrap();
    assert_eq!(NextStep::after(trusted.changes()), []);

    // Disabling without a check lists the remaining resources.
    let disabled = trusted.disable(SyncProtection::AllowLoss).await.unwrap();
    assert_eq!(tasks(&NextStep::after(disabled.changes())), [ManualTask::DeleteDataSyncs, ManualTask::DeleteRole]);
}

#[tokio::test(start_paused = true)]
async fn after_disabling_and_enabling_follows_the_last_change() {
    let organization = sim::SimOrganization::builder().build();
    let disabled = disabled_in(&organization).await;
    let trusted = disabled.enable_trusted_access().await.unwrap();
    let disabled = trusted.disable(SyncProtection::AllowLoss).await.unwrap();
    assert_eq!(tasks(&NextStep::after(disabled.changes())), [ManualTask::DeleteDataSyncs, ManualTask::DeleteRole]);
    let trusted = disabled.enable_trusted_access().await.unwrap();
    assert_eq!(tasks(&NextStep::after(trusted.changes())), [ManualTask::CreateRole, ManualTask::CreateDataSync]);
}

#[tokio::test(start_paused = true)]
async fn after_unconfirmed_change_lists_no_task() {
    let organization = sim::SimOrganization::builder().build();
    organization.inject_fault(Operation::EnableAwsServiceAccess, 1, sim::Fault::RequestLost);
    let (_, recovered) = failed(disabled_in(&organization).await.enable_trusted_access().await);
    let Recovered::Unknown(unknown) = recovered else { panic!("{recovered:?}") };
    assert_eq!(unknown.changes().len(), 1);
    assert_eq!(NextStep::after(unknown.changes()), []);
}

#[tokio::test(start_paused = true)]
async fn after_complete_tear_down_lists_no_task() {
    let client = sim::SimOrganization::builder().build().management_client();
    let (sync, home) = (sync(), [region("eu-central-1")]);
    let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &home);
    let Observed::Disabled(disabled) = Integration::new(client.clone()).observe().await.unwrap() else { panic!() };
    let trusted = disabled.set_up_explorer(&explorer).await.unwrap();
    let syncs = SyncProtection::Protect { clients: &[&client], regions: &home };
    let disabled = trusted.tear_down_explorer(&explorer, syncs).await.unwrap();
    assert_eq!(NextStep::after(disabled.changes()), []);
    let halfway: &[Change] = &disabled.changes()[..disabled.changes().len() - 1];
    assert_eq!(tasks(&NextStep::after(halfway)), [ManualTask::DeleteRole]);
}

fn theirs(name: &str) -> DataSync {
    let mut theirs = DataSync::new(SyncName::new(name).unwrap(), Some(SyncSourceType::AwsOrganizations));
    theirs.regions = vec![region("us-east-1")];
    (theirs.future_regions, theirs.all_ops_data_sources) = (Some(true), Some(false));
    theirs
}

#[tokio::test(start_paused = true)]
async fn after_failed_replacement_lists_commands_for_lost_syncs() {
    let theirs = theirs("theirs");
    let home = [region("eu-central-1")];
    let organization = delegated()
        .service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)
        .data_sync(alice(), home[0].clone(), theirs)
        .build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
    let handle = delegated_in(&organization).await;
    organization.inject_fault(
        Operation::RegisterDelegatedAdministrator,
        1,
        sim::Fault::refused("AccessDeniedException"),
    );
    let (_, recovered) = failed(handle.replace(bob(), carry).await);
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    let trusted = expect_trusted(observed);
    let [step] = &NextStep::after(trusted.changes())[..] else { panic!("{:?}", trusted.changes()) };
    assert_eq!((step.task, step.caller), (ManualTask::CreateDataSync, Caller::Management));
    let [command] = &step.commands[..] else { panic!("{step}") };
    assert!(command.to_string().starts_with("aws ssm create-resource-data-sync --sync-name theirs "), "{command}");
    assert!(command.to_string().contains(r#""SourceRegions":["us-east-1"],"IncludeFutureRegions":true"#), "{command}");

    // After a registration the new administrator creates the syncs.
    let delegated = trusted.register_delegated_administrator(bob()).await.unwrap();
    let steps = NextStep::after(delegated.changes());
    assert_eq!((tasks(&steps), steps[0].caller), (vec![ManualTask::CreateDataSync], Caller::Administrator));
}

#[tokio::test(start_paused = true)]
async fn after_recreation_of_one_sync_lists_only_the_other() {
    let home = [region("eu-central-1")];
    let organization = delegated()
        .service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)
        .data_sync(alice(), home[0].clone(), theirs("one"))
        .data_sync(alice(), home[0].clone(), theirs("other"))
        .build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
    let handle = delegated_in(&organization).await;
    organization.inject_fault(
        Operation::RegisterDelegatedAdministrator,
        1,
        sim::Fault::refused("AccessDeniedException"),
    );
    let (_, recovered) = failed(handle.replace(bob(), carry).await);
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    let mut trusted = expect_trusted(observed);
    let names = |changes: &[Change]| {
        let commands = NextStep::after(changes).into_iter().flat_map(|step| step.commands);
        let names = commands.map(|command| command.to_string().split(' ').nth(4).unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(trusted.changes()), ["one", "other"]);

    let client = organization.management_client();
    let definition = theirs("one").definition().unwrap();
    trusted.data_syncs(&client).await.unwrap().ensure(&definition, &home).await.unwrap().into_result().unwrap();
    assert_eq!(names(trusted.changes()), ["other"]);

    // Without trusted access, the syncs cannot be recreated.
    let disabled = trusted.disable(SyncProtection::AllowLoss).await.unwrap();
    assert_eq!(tasks(&NextStep::after(disabled.changes())), [ManualTask::DeleteDataSyncs, ManualTask::DeleteRole]);
}
