//! What the one administrator has to tell the other, and what a run leaves to do.
#![cfg(feature = "sim")]

use ssm_organizations::policy::{Caller, Duty};
use ssm_organizations::ports::{DataSync, Operation, SourceRegions, SyncDefinition, SyncSourceType};
use ssm_organizations::{
    Change, Explorer, Handover, Integration, NextStep, Observed, Recovered, ServicePrincipal, SyncName, Syncs, Task,
    sim,
};

use crate::common::{alice, bob, delegated, delegated_in, disabled_in, expect_trusted, failed, region};

fn tasks(steps: &[NextStep]) -> Vec<Task> {
    steps.iter().map(|step| step.task).collect()
}

fn sync() -> SyncDefinition {
    let regions = SourceRegions::new([region("eu-central-1")]).unwrap();
    SyncDefinition::of_organization(SyncName::new("all-accounts").unwrap(), regions)
}

#[test]
fn once_enabled_the_other_administrator_sets_explorer_up() {
    let steps = NextStep::once_enabled();
    assert_eq!(tasks(&steps), [Task::CreateRole, Task::CreateDataSync]);
    assert!(steps.iter().all(|step| step.task.duty() == Duty::SystemsManager));
    assert_eq!(
        steps[0].to_string(),
        "Systems Manager's administrator in the management account: create the role AWSServiceRoleForAmazonSSM_AccountDiscovery \
         (Systems Manager > Explorer > Settings > Create role)\n    \
         aws iam create-service-linked-role --aws-service-name accountdiscovery.ssm.amazonaws.com"
    );
}

#[test]
fn before_disabling_systems_managers_administrator_cleans_up_first() {
    let alone = NextStep::before_disabling(None);
    assert_eq!(tasks(&alone), [Task::DeleteDataSyncs, Task::DisableTrustedAccess]);
    let steps = NextStep::before_disabling(Some(alice()));
    assert_eq!(
        tasks(&steps),
        [Task::DeleteDataSyncs, Task::DeleteDataSyncs, Task::DeregisterAdministrator, Task::DisableTrustedAccess]
    );
    assert_eq!((steps[0].caller, steps[1].caller), (Caller::Administrator, Caller::Management));
    assert_eq!(
        steps[2].commands[0].to_string(),
        "aws organizations deregister-delegated-administrator --account-id 222222222222 --service-principal ssm.amazonaws.com"
    );
    // The organization's administrator comes last.
    assert!(steps.is_sorted_by_key(|step| step.task.duty() == Duty::Organization));
    assert_eq!(tasks(&NextStep::once_disabled()), [Task::DeleteDataSyncs, Task::DeleteRole]);
}

#[tokio::test(start_paused = true)]
async fn a_run_leaves_what_it_has_not_done() {
    let organization = sim::Organization::builder().member(alice()).build();
    let client = organization.management_client();
    let home = [region("eu-central-1")];
    let Observed::Disabled(disabled) = Integration::new(client.clone()).observe().await.unwrap() else { panic!() };
    let mut trusted = disabled.enable_trusted_access().await.unwrap();
    assert_eq!(tasks(&NextStep::after(trusted.changes())), [Task::CreateRole, Task::CreateDataSync]);

    let sync = sync();
    let explorer = Explorer::new().with_role(&client);
    trusted.complete_explorer(&explorer).await.unwrap();
    assert_eq!(tasks(&NextStep::after(trusted.changes())), [Task::CreateDataSync]);
    let explorer = explorer.with_sync(&client, &sync, &home);
    trusted.complete_explorer(&explorer).await.unwrap();
    assert_eq!(NextStep::after(trusted.changes()), []);

    // Taken away again without a look: what is left behind is told.
    let disabled = trusted.disable(Syncs::Forfeit).await.unwrap();
    assert_eq!(tasks(&NextStep::after(disabled.changes())), [Task::DeleteDataSyncs, Task::DeleteRole]);
}

#[tokio::test(start_paused = true)]
async fn of_trust_that_comes_and_goes_the_end_counts() {
    let organization = sim::Organization::builder().build();
    let disabled = disabled_in(&organization).await;
    let trusted = disabled.enable_trusted_access().await.unwrap();
    let disabled = trusted.disable(Syncs::Forfeit).await.unwrap();
    assert_eq!(tasks(&NextStep::after(disabled.changes())), [Task::DeleteDataSyncs, Task::DeleteRole]);
    let trusted = disabled.enable_trusted_access().await.unwrap();
    assert_eq!(tasks(&NextStep::after(trusted.changes())), [Task::CreateRole, Task::CreateDataSync]);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_so_leaves_nothing_yet() {
    let organization = sim::Organization::builder().build();
    organization.fault(Operation::EnableAwsServiceAccess, 1, sim::Fault::LostBefore);
    let (_, recovered) = failed(disabled_in(&organization).await.enable_trusted_access().await);
    let Recovered::Unknown(unknown) = recovered else { panic!("{recovered:?}") };
    assert_eq!(unknown.changes().len(), 1);
    assert_eq!(NextStep::after(unknown.changes()), []);
}

#[tokio::test(start_paused = true)]
async fn the_exact_reverse_leaves_nothing() {
    let client = sim::Organization::builder().build().management_client();
    let (sync, home) = (sync(), [region("eu-central-1")]);
    let explorer = Explorer::new().with_role(&client).with_sync(&client, &sync, &home);
    let Observed::Disabled(disabled) = Integration::new(client.clone()).observe().await.unwrap() else { panic!() };
    let trusted = disabled.set_up_explorer(&explorer).await.unwrap();
    let syncs = Syncs::Protect { ssm: &[&client], regions: &home };
    let disabled = trusted.take_down_explorer(&explorer, syncs).await.unwrap();
    assert_eq!(NextStep::after(disabled.changes()), []);
    let halfway: &[Change] = &disabled.changes()[..disabled.changes().len() - 1];
    assert_eq!(tasks(&NextStep::after(halfway)), [Task::DeleteRole]);
}

fn theirs(name: &str) -> DataSync {
    let mut theirs = DataSync::new(SyncName::new(name).unwrap(), Some(SyncSourceType::AwsOrganizations));
    theirs.regions = vec![region("us-east-1")];
    (theirs.future_regions, theirs.all_ops_data_sources) = (Some(true), Some(false));
    theirs
}

#[tokio::test(start_paused = true)]
async fn syncs_that_went_with_an_administrator_are_created_again_by_command() {
    let theirs = theirs("theirs");
    let home = [region("eu-central-1")];
    let organization =
        delegated().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY).data_sync(alice(), home[0].clone(), theirs).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let carry = Handover::Carry { from: &from, to: &to, regions: &home };
    let handle = delegated_in(&organization).await;
    organization.fault(Operation::RegisterDelegatedAdministrator, 1, sim::Fault::refused("AccessDeniedException"));
    let (_, recovered) = failed(handle.replace(&bob(), carry).await);
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    let trusted = expect_trusted(observed);
    let [step] = &NextStep::after(trusted.changes())[..] else { panic!("{:?}", trusted.changes()) };
    assert_eq!((step.task, step.caller), (Task::CreateDataSync, Caller::Management));
    let [command] = &step.commands[..] else { panic!("{step}") };
    assert!(command.to_string().starts_with("aws ssm create-resource-data-sync --sync-name theirs "), "{command}");
    assert!(command.to_string().contains(r#""SourceRegions":["us-east-1"],"IncludeFutureRegions":true"#), "{command}");

    // Whoever becomes the administrator after that creates them.
    let delegated = trusted.register_delegated_administrator(&bob()).await.unwrap();
    let steps = NextStep::after(delegated.changes());
    assert_eq!((tasks(&steps), steps[0].caller), (vec![Task::CreateDataSync], Caller::Administrator));
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_is_back_is_not_created_again() {
    let home = [region("eu-central-1")];
    let organization = delegated()
        .role_for(&ServicePrincipal::ACCOUNT_DISCOVERY)
        .data_sync(alice(), home[0].clone(), theirs("one"))
        .data_sync(alice(), home[0].clone(), theirs("other"))
        .build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let carry = Handover::Carry { from: &from, to: &to, regions: &home };
    let handle = delegated_in(&organization).await;
    organization.fault(Operation::RegisterDelegatedAdministrator, 1, sim::Fault::refused("AccessDeniedException"));
    let (_, recovered) = failed(handle.replace(&bob(), carry).await);
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
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

    // Without trust they are none of anybody's.
    let disabled = trusted.disable(Syncs::Forfeit).await.unwrap();
    assert_eq!(tasks(&NextStep::after(disabled.changes())), [Task::DeleteDataSyncs, Task::DeleteRole]);
}
