//! Tests of Explorer's set-up and tear-down, and of the replacement of the delegated administrator.
#![cfg(feature = "sim")]

use crate::common::{
    RecoveredVariant, SSM, alice, bob, delegated, delegated_in, disabled_in, expect_disabled, expect_trusted, failed,
    management, organization, organization_sync, region, trusted_in, way,
};
use ssm_organizations::domain::{RoleName, SyncCheckReport};
use ssm_organizations::ports::{
    DataSync, Operation, SourceRegions, SyncDefinition, SyncSourceType, SyncState, SyncType,
};
use ssm_organizations::sim::{self, Fault, SyncWithoutPrerequisites, UndocumentedBehavior};
use ssm_organizations::{
    Change, ChangeKind, Error, ErrorKind, ExplorerSetup, Integration, Recovered, Region, ServicePrincipal,
    SyncMigration, SyncName, SyncProtection,
};

const HOME: &str = "eu-central-1";
const ROLE: RoleName = RoleName::ACCOUNT_DISCOVERY;

fn home() -> [Region; 1] {
    [region(HOME)]
}

fn name(text: &str) -> SyncName {
    SyncName::new(text).unwrap()
}

fn definition(text: &str) -> SyncDefinition {
    SyncDefinition::of_organization(name(text), SourceRegions::new(home()).unwrap())
}

fn names(organization: &sim::SimOrganization, account: ssm_organizations::AccountId) -> Vec<SyncName> {
    organization.data_syncs(account, &region(HOME)).into_iter().map(|sync| sync.name).collect()
}

/// Returns an organization sync with every attribute set.
fn full(text: &str) -> DataSync {
    let mut sync = organization_sync(text);
    sync.regions = vec![region(HOME), region("us-east-1")];
    sync.future_regions = Some(true);
    sync.all_ops_data_sources = Some(false);
    sync
}

fn delegated_with_role() -> sim::SimOrganizationBuilder {
    delegated().service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)
}

#[tokio::test(start_paused = true)]
async fn set_up_then_tear_down_restores_the_state() {
    let organization = organization().build();
    let before = organization.state().without_dates();
    let client = organization.management_client();
    let (sync, home) = (definition("all"), home());
    let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &home);

    let trusted = disabled_in(&organization).await.set_up_explorer(&explorer).await.unwrap();
    assert!(organization.has_role(management(), &ROLE));
    assert_eq!(organization.data_syncs(management(), &home[0])[0].state, SyncState::Healthy);
    assert_eq!(trusted.changes().len(), 3);

    let protect = SyncProtection::Protect { clients: &[&client], regions: &home };
    let disabled = trusted.tear_down_explorer(&explorer, protect).await.unwrap();
    assert_eq!(organization.state().without_dates(), before);
    assert_eq!(disabled.changes().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn explorer_without_options_changes_no_role_or_sync() {
    let organization = organization().build();
    let trusted = disabled_in(&organization).await.set_up_explorer(&ExplorerSetup::new()).await.unwrap();
    assert!(!organization.has_role(management(), &ROLE));
    assert_eq!(names(&organization, management()), []);
    organization.add_role(management(), &ServicePrincipal::ACCOUNT_DISCOVERY);
    let _ = trusted.tear_down_explorer(&ExplorerSetup::new(), SyncProtection::AllowLoss).await.unwrap();
    assert!(organization.has_role(management(), &ROLE));
}

#[tokio::test(start_paused = true)]
async fn ensure_explorer_after_failed_set_up_completes_it() {
    let organization = organization().build();
    let client = organization.management_client();
    let (sync, home) = (definition("all"), home());
    let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &home);
    organization.inject_fault(Operation::CreateServiceLinkedRole, 1, Fault::refused("AccessDenied"));
    let (error, recovered) = failed(disabled_in(&organization).await.set_up_explorer(&explorer).await);
    assert_eq!((error.kind(), error.operation()), (&ErrorKind::AccessDenied, Some(Operation::CreateServiceLinkedRole)));
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    let mut trusted = expect_trusted(observed);
    trusted.ensure_explorer(&explorer).await.unwrap();
    trusted.ensure_explorer(&explorer).await.unwrap();
    assert_eq!(trusted.changes().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn explorer_with_several_syncs_creates_and_deletes_each() {
    let organization = delegated().build();
    let (client, alices) = (organization.management_client(), organization.client(alice()));
    let (first, second, third, home) = (definition("first"), definition("second"), definition("third"), home());
    let explorer = ExplorerSetup::new()
        .with_role(&client)
        .with_sync(&client, &first, &home)
        .with_sync(&alices, &second, &home)
        .with_sync(&client, &third, &home);
    organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::refused("AccessDeniedException"));
    let mut delegated = delegated_in(&organization).await;
    let error = delegated.ensure_explorer(&explorer).await.unwrap_err();
    assert_eq!((error.kind(), error.related().len()), (&ErrorKind::AccessDenied, 0));
    assert_eq!(names(&organization, management()), [name("third")], "a failed sync does not stop the others");
    assert_eq!(names(&organization, alice()), [name("second")]);

    delegated.ensure_explorer(&explorer).await.unwrap();
    assert_eq!(names(&organization, management()), ["first", "third"].map(name));
    assert_eq!(delegated.changes().len(), 4);
    delegated.ensure_explorer(&explorer).await.unwrap();
    assert_eq!(delegated.changes().len(), 4, "a second run changes nothing");

    let trusted = delegated.deregister(SyncProtection::AllowLoss).await.unwrap();
    let protect = SyncProtection::Protect { clients: &[&client, &alices], regions: &home };
    drop(trusted.tear_down_explorer(&explorer, protect).await.unwrap());
    assert_eq!(names(&organization, management()).len() + names(&organization, alice()).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn main_job_stopped_at_each_write_is_completed_by_a_second_run() {
    let (sync, home) = (definition("all"), home());
    for write in [
        Operation::EnableAwsServiceAccess,
        Operation::RegisterDelegatedAdministrator,
        Operation::CreateServiceLinkedRole,
        Operation::CreateResourceDataSync,
    ] {
        let organization = organization().build();
        let (client, alices) = (organization.management_client(), organization.client(alice()));
        let explorer = ExplorerSetup::new().with_role(&client).with_sync(&alices, &sync, &home);
        let run = || async {
            let observed = Integration::new(&client).observe().await?;
            let mut delegated = observed.ensure_delegated(alice()).await?;
            delegated.ensure_explorer(&explorer).await?;
            Ok::<_, Error>(delegated.changes().len())
        };
        organization.inject_fault(write, 1, Fault::refused("SomethingNewException"));
        run().await.unwrap_err();
        run().await.unwrap();
        assert_eq!((organization.has_role(management(), &ROLE), names(&organization, alice()).len()), (true, 1));
        assert_eq!(run().await.unwrap(), 0, "{write}");
    }
}

/// Returns the Regions that an error names, each with its error kind.
fn regions_of(error: &Error) -> Vec<(Region, ErrorKind)> {
    let all = std::iter::once(error).chain(error.related());
    all.map(|error| (error.region().unwrap().clone(), error.kind().clone())).collect()
}

/// Returns the home Regions of the created and of the deleted syncs.
fn regions_in(changes: &[Change]) -> [Vec<Region>; 2] {
    let (mut created, mut deleted) = (Vec::new(), Vec::new());
    for change in changes {
        match &change.kind {
            ChangeKind::DataSyncCreated { sync, .. } => created.push(sync.region.clone()),
            ChangeKind::DataSyncDeleted { sync, .. } => deleted.push(sync.region.clone()),
            _ => {}
        }
    }
    [created, deleted]
}

#[tokio::test(start_paused = true)]
async fn set_up_and_tear_down_report_every_failed_region() {
    let organization = organization().build();
    let client = organization.management_client();
    let regions = ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2"].map(region);
    let [first, second, third, fourth] = regions.clone();
    let sync = definition("all");
    let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &regions);
    let refusal = |code: &'static str| Fault::refused(code);

    organization.inject_fault(Operation::CreateResourceDataSync, 2, refusal("AccessDeniedException"));
    organization.inject_fault(Operation::CreateResourceDataSync, 4, refusal("SomethingNewException"));
    let (error, recovered) = failed(disabled_in(&organization).await.set_up_explorer(&explorer).await);
    let both = [(second.clone(), ErrorKind::AccessDenied), (fourth.clone(), ErrorKind::ServiceError)];
    assert_eq!(regions_of(&error), both);
    assert!(error.to_string().ends_with("; and 1 further error"), "{error}");
    assert!(format!("{error:?}").contains("region: us-west-2"), "{error:?}");
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    let mut trusted = expect_trusted(observed);
    assert_eq!(regions_in(trusted.changes()), [vec![first.clone(), third.clone()], vec![]]);

    // Another run creates only the missing syncs.
    organization.clear_calls();
    for nth in 1..=2 {
        organization.inject_fault(Operation::CreateResourceDataSync, nth, refusal("SomethingNewException"));
    }
    let error = trusted.ensure_explorer(&explorer).await.unwrap_err();
    assert_eq!(regions_of(&error), [second.clone(), fourth.clone()].map(|region| (region, ErrorKind::ServiceError)));
    trusted.ensure_explorer(&explorer).await.unwrap();
    assert_eq!(organization.call_count(Operation::CreateResourceDataSync), 4);

    for nth in [1, 2, 4] {
        organization.inject_fault(Operation::DeleteResourceDataSync, nth, refusal("SomethingNewException"));
    }
    let protect = SyncProtection::Protect { clients: &[&client], regions: &regions };
    let (error, recovered) = failed(trusted.tear_down_explorer(&explorer, protect).await);
    assert_eq!(regions_of(&error), [first, second, fourth].map(|region| (region, ErrorKind::ServiceError)));
    assert!(error.to_string().ends_with("; and 2 further errors"), "{error}");
    let Recovered::Unchanged(trusted) = recovered else { panic!("{recovered:?}") };
    assert_eq!(regions_in(trusted.changes())[1], [third]);
    assert!(
        organization.is_trusted(&SSM) && organization.has_role(management(), &ROLE),
        "trusted access and the role stay until the syncs are deleted"
    );
    let disabled = trusted.tear_down_explorer(&explorer, protect).await.unwrap();
    assert_eq!(regions_in(disabled.changes())[1].len(), 4);
}

#[tokio::test(start_paused = true)]
async fn replace_with_blocked_regions_reports_each_region() {
    let regions = ["eu-central-1", "eu-west-1", "us-east-1"].map(region);
    let start = regions.iter().fold(delegated_with_role(), |start, at| {
        let taken = DataSync::new(name("theirs"), None);
        let start = start.data_sync(alice(), at.clone(), full("theirs"));
        start.data_sync_of_type(SyncType::SyncToDestination, bob(), at.clone(), taken)
    });
    let organization = start.build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &regions };
    let (error, _) = failed(delegated_in(&organization).await.replace(bob(), carry).await);
    assert_eq!(regions_of(&error), regions.clone().map(|region| (region, ErrorKind::SyncNameTaken)));

    organization.clear_calls();
    let delegated = delegated_in(&organization).await;
    for nth in [1, 3] {
        organization.inject_fault(Operation::ListResourceDataSync, nth, Fault::refused("AccessDeniedException"));
    }
    let protect = SyncProtection::Protect { clients: &[&from], regions: &regions };
    let (error, _) = failed(delegated.deregister(protect).await);
    let unseen: Vec<_> = regions_of(&error).into_iter().map(|(region, _)| region).collect();
    assert_eq!((unseen, organization.write_count()), (vec![regions[0].clone(), regions[2].clone()], 0));
}

#[tokio::test(start_paused = true)]
async fn set_up_with_invalid_input_sends_no_call() {
    let organization = organization().build();
    let client = organization.management_client();
    let (foreign, sync, home) = (definition("AWS-QuickSetup-x"), definition("all"), home());
    for (explorer, kind) in [
        (ExplorerSetup::new().with_sync(&client, &foreign, &home), ErrorKind::ServiceManagedSync),
        (ExplorerSetup::new().with_sync(&client, &sync, &[]), ErrorKind::InvalidInput),
    ] {
        let disabled = disabled_in(&organization).await;
        organization.clear_calls();
        let (error, recovered) = failed(disabled.set_up_explorer(&explorer).await);
        assert_eq!((error.kind(), way(&recovered)), (&kind, RecoveredVariant::Unchanged));
        assert_eq!(organization.calls(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn tear_down_with_unlisted_sync_is_refused() {
    let organization = crate::common::trusting()
        .service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)
        .data_sync(management(), region(HOME), full("named"))
        .data_sync(management(), region(HOME), full("other"))
        .build();
    let client = organization.management_client();
    let (sync, home) = (definition("named"), home());
    let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &home);
    let protect = SyncProtection::Protect { clients: &[&client], regions: &home };
    let (error, recovered) = failed(trusted_in(&organization).await.tear_down_explorer(&explorer, protect).await);
    assert!(
        matches!(error.kind(), ErrorKind::DataSyncsExist { syncs, .. } if syncs[0].id.name == name("other")),
        "{error}"
    );
    let Recovered::Unchanged(trusted) = recovered else { panic!("{recovered:?}") };
    assert_eq!((trusted.changes().len(), organization.write_count()), (0, 0), "the listed sync stays too");
    assert_eq!(names(&organization, management()), [name("named"), name("other")]);
}

#[tokio::test(start_paused = true)]
async fn tear_down_with_role_in_use_reports_disabled_state() {
    let organization = crate::common::trusting()
        .service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)
        .data_sync(management(), region(HOME), full("other"))
        .build();
    let client = organization.management_client();
    let explorer = ExplorerSetup::new().with_role(&client);
    let (error, recovered) =
        failed(trusted_in(&organization).await.tear_down_explorer(&explorer, SyncProtection::AllowLoss).await);
    assert!(matches!(error.kind(), ErrorKind::RoleInUse { .. }), "{error}");
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    let _ = expect_disabled(observed);
}

#[tokio::test(start_paused = true)]
async fn recreate_unhealthy_sync_makes_it_healthy() {
    let mut setting = UndocumentedBehavior::default();
    setting.sync_without_prerequisites = SyncWithoutPrerequisites::Refused;
    let organization = crate::common::trusting()
        .service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)
        .data_sync(management(), region(HOME), full("all"))
        .undocumented_behavior(setting)
        .build();
    let client = organization.management_client();
    let disabled = trusted_in(&organization).await.disable(SyncProtection::AllowLoss).await.unwrap();
    let mut trusted = disabled.enable_trusted_access().await.unwrap();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let listed = syncs.list(&home()).await.unwrap().into_result().unwrap();
    let left = &listed[&home()[0]][0];
    assert_eq!(left.state, SyncState::TrustedAccessDisabled, "AWS reports this state until the sync is recreated");
    let recreated = syncs.recreate(&left.definition().unwrap(), &home()).await.unwrap().into_result().unwrap();
    let made = recreated[&home()[0]].get();
    assert_eq!(
        (made.state.clone(), made.regions.clone(), made.future_regions),
        (SyncState::Healthy, left.regions.clone(), Some(true))
    );
}

#[tokio::test(start_paused = true)]
async fn replace_with_migration_recreates_the_syncs() {
    let organization = delegated_with_role()
        .data_sync(alice(), region(HOME), full("theirs"))
        .data_sync(alice(), region("us-east-1"), full("theirs"))
        .data_sync(alice(), region(HOME), DataSync::new(name("own"), Some(SyncSourceType::SingleAccountMultiRegions)))
        .data_sync(management(), region(HOME), full("ours"))
        .build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let regions = [region(HOME), region("us-east-1")];
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &regions };
    let replaced = delegated_in(&organization).await.replace(bob(), carry).await.unwrap();
    assert_eq!(replaced.handle.administrator().account, bob());
    assert_eq!(organization.administrators(), [bob()]);
    assert_eq!((replaced.migrated.len(), replaced.failed.len()), (2, 0));
    assert!(replaced.migrated.iter().all(|(at, carried)| at.account == bob() && carried.is_ok()));
    assert_eq!(names(&organization, bob()), [name("theirs")]);
    assert_eq!(organization.data_syncs(bob(), &regions[0])[0].future_regions, Some(true));
    assert_eq!(names(&organization, alice()), [name("own")], "a single-account sync is not migrated");
    assert_eq!(names(&organization, management()), [name("ours")]);
    let ChangeKind::AdministratorDeregistered { syncs: SyncCheckReport::Recorded(record), .. } =
        &replaced.handle.changes()[0].kind
    else {
        panic!("{:?}", replaced.handle.changes());
    };
    assert_eq!(record.len(), 2, "the record holds both syncs");
}

#[tokio::test(start_paused = true)]
async fn replace_with_unsuitable_new_account_writes_nothing() {
    let held = |builder: sim::SimOrganizationBuilder, count: usize| {
        (0..count).fold(builder, |builder, number| {
            let sync = DataSync::new(name(&format!("held-{number}")), None);
            builder.data_sync_of_type(SyncType::SyncToDestination, bob(), region(HOME), sync)
        })
    };
    let start = || delegated_with_role().data_sync(alice(), region(HOME), full("theirs"));
    let cases = [
        (held(start(), 5), "quota"),
        (
            start().data_sync_of_type(
                SyncType::SyncToDestination,
                bob(),
                region(HOME),
                DataSync::new(name("theirs"), None),
            ),
            "taken",
        ),
        (
            start().data_sync(bob(), region(HOME), full("theirs-not")).data_sync(
                bob(),
                region(HOME),
                organization_sync("theirs"),
            ),
            "differs",
        ),
        (delegated_with_role().data_sync(alice(), region(HOME), organization_sync("theirs")), "unshown"),
    ];
    for (start, case) in cases {
        let organization = start.build();
        let (from, to) = (organization.client(alice()), organization.client(bob()));
        let home = home();
        let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
        let (error, recovered) = failed(delegated_in(&organization).await.replace(bob(), carry).await);
        let right = match case {
            "quota" => matches!(error.kind(), ErrorKind::SyncQuotaExceeded { names, .. } if names.len() == 5),
            "taken" => *error.kind() == ErrorKind::SyncNameTaken,
            "differs" => *error.kind() == ErrorKind::SyncConflict,
            _ => matches!(error.kind(), ErrorKind::DataSyncsNotChecked { account, .. } if *account == alice()),
        };
        assert!(right, "{case}: {error}");
        assert_eq!((way(&recovered), organization.write_count()), (RecoveredVariant::Unchanged, 0), "{case}");
    }

    // The clients belong to the wrong account, or the account cannot be registered.
    let organization = start().build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    for (from, to, unseen) in [(&to, &to, alice()), (&from, &from, bob())] {
        let carry = SyncMigration::Migrate { from, to, regions: &home };
        let (error, _) = failed(delegated_in(&organization).await.replace(bob(), carry).await);
        assert!(
            matches!(error.kind(), ErrorKind::UnexpectedAccount { expected, .. } if *expected == unseen),
            "{error}"
        );
    }
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
    let (error, _) = failed(delegated_in(&organization).await.replace(management(), carry).await);
    assert_eq!((error.kind(), organization.write_count()), (&ErrorKind::IsManagementAccount, 0));
}

#[tokio::test(start_paused = true)]
async fn replace_with_discard_follows_the_sync_protection() {
    let organization = delegated_with_role().data_sync(alice(), region(HOME), full("theirs")).build();
    let theirs = organization.client(alice());
    let home = home();
    let protect = SyncProtection::Protect { clients: &[&theirs], regions: &home };
    let (error, _) = failed(delegated_in(&organization).await.replace(bob(), SyncMigration::Discard(protect)).await);
    assert!(matches!(error.kind(), ErrorKind::DataSyncsExist { .. }), "{error}");
    assert_eq!(organization.administrators(), [alice()]);
    let _ = delegated_in(&organization)
        .await
        .replace(bob(), SyncMigration::Discard(SyncProtection::AllowLoss))
        .await
        .unwrap();
    assert_eq!((organization.administrators(), names(&organization, alice())), (vec![bob()], vec![]));
    // If Bob is already registered, nothing is written.
    let writes = organization.write_count();
    let _ = delegated_in(&organization)
        .await
        .replace(bob(), SyncMigration::Discard(SyncProtection::AllowLoss))
        .await
        .unwrap();
    assert_eq!(organization.write_count(), writes);
}

#[tokio::test(start_paused = true)]
async fn replace_with_failed_registration_records_the_syncs() {
    let organization = delegated_with_role().data_sync(alice(), region(HOME), full("theirs")).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
    let delegated = delegated_in(&organization).await;
    organization.inject_fault(Operation::RegisterDelegatedAdministrator, 1, Fault::refused("AccessDeniedException"));
    let (error, recovered) = failed(delegated.replace(bob(), carry).await);
    assert_eq!((error.kind(), error.account()), (&ErrorKind::AccessDenied, Some(bob())));
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    let trusted = expect_trusted(observed);
    let ChangeKind::AdministratorDeregistered { syncs, .. } = &trusted.changes()[0].kind else {
        panic!("{:?}", trusted.changes());
    };
    // The record is sufficient to restore the previous state.
    let record = syncs.recorded().to_vec();
    assert_eq!(record.len(), 1);
    let mut delegated = trusted.register_delegated_administrator(alice()).await.unwrap();
    let mut syncs = delegated.data_syncs(&from).await.unwrap();
    for (at, sync) in &record {
        let _ = syncs.ensure(&sync.definition().unwrap(), std::slice::from_ref(&at.region)).await.unwrap();
    }
    assert_eq!((organization.administrators(), names(&organization, alice())), (vec![alice()], vec![name("theirs")]));
}

#[tokio::test(start_paused = true)]
async fn replace_with_failed_migration_returns_the_definition() {
    let organization = delegated_with_role()
        .data_sync(alice(), region(HOME), full("one"))
        .data_sync(alice(), region(HOME), full("two"))
        .build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
    let delegated = delegated_in(&organization).await;
    organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::refused("OddException"));
    let replaced = delegated.replace(bob(), carry).await.unwrap();
    assert_eq!(replaced.migrated.iter().filter(|(_, carried)| carried.is_err()).count(), 1);
    let [(lost_in, lost)] = &replaced.failed[..] else { panic!("{:?}", replaced.failed) };
    assert_eq!((lost_in, lost.name()), (&region(HOME), &name("one")));
    assert_eq!(names(&organization, bob()), [name("two")]);
}
