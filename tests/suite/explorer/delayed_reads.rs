//! Tests of Explorer's data syncs, role and replacement with stale reads, lost responses and
//! concurrent callers.
#![cfg(feature = "sim")]

use std::time::{Duration, SystemTime};

use crate::common::{
    RecoveredVariant, SSM, alice, bob, delegated, delegated_in, disabled_in, expect_trusted, failed, management,
    organization, organization_sync, region, trusted_in, trusting, way,
};
use ssm_organizations::domain::RoleName;
use ssm_organizations::ports::{
    CallerIdentity, DataSync, IamApi, Operation, Page, SourceRegions, SyncDefinition, SyncSource, SyncSourceType,
    SyncType, SystemsManagerApi, SystemsManagerClient,
};
use ssm_organizations::sim::{self, Fault, ReadDelay, UndocumentedBehavior};
use ssm_organizations::{
    AccountId, ByRegion, Certainty, ChangeKind, EnsureOutcome, Error, ErrorKind, ExplorerSetup, Integration, Recovered,
    Region, RetryStatus, ServicePrincipal, SyncMigration, SyncName, SyncProtection, WriteStatus,
};
use tokio::time::Instant;

const HOME: &str = "eu-central-1";
const ROLE: RoleName = RoleName::ACCOUNT_DISCOVERY;
const ROLE_PRINCIPAL: ServicePrincipal = ServicePrincipal::ACCOUNT_DISCOVERY;

fn name(text: &str) -> SyncName {
    SyncName::new(text).unwrap()
}

fn home() -> [Region; 1] {
    [region(HOME)]
}

/// Returns the definition of an organization sync with the home Region as its only source.
fn definition(text: &str) -> SyncDefinition {
    SyncDefinition::of_organization(name(text), SourceRegions::new(home()).unwrap())
}

/// Returns an organization sync from one Region with every attribute set.
fn from_region(text: &str, source: &str) -> DataSync {
    let mut sync = organization_sync(text);
    sync.regions = vec![region(source)];
    sync.future_regions = Some(false);
    sync.all_ops_data_sources = Some(false);
    sync
}

/// Returns a sync that matches [`definition`], with every attribute set.
fn full(text: &str) -> DataSync {
    from_region(text, HOME)
}

/// Returns a single-account sync.
fn of_one_account(text: &str) -> DataSync {
    let mut sync = full(text);
    sync.source_type = Some(SyncSourceType::SingleAccountMultiRegions);
    sync
}

/// Returns a builder with trusted access and the service-linked role that data syncs use.
fn ready() -> sim::SimOrganizationBuilder {
    trusting().service_linked_role(&ROLE_PRINCIPAL)
}

/// Returns a builder with the role, and with Alice as the delegated administrator.
fn administered() -> sim::SimOrganizationBuilder {
    delegated().service_linked_role(&ROLE_PRINCIPAL)
}

/// Returns a setting under which AWS hides the booleans of a sync.
fn hidden() -> UndocumentedBehavior {
    let mut hidden = UndocumentedBehavior::default();
    hidden.sync_booleans_are_shown = false;
    hidden
}

/// Returns the result of the home Region.
fn at_home<T>(answers: ByRegion<T>) -> Result<T, Error> {
    answers.into_inner().remove(&region(HOME)).unwrap()
}

fn syncs_at_home(organization: &sim::SimOrganization, account: AccountId) -> Vec<DataSync> {
    organization.data_syncs(account, &region(HOME))
}

fn names_at_home(organization: &sim::SimOrganization, account: AccountId) -> Vec<SyncName> {
    syncs_at_home(organization, account).into_iter().map(|sync| sync.name).collect()
}

// Data syncs: stale listings

#[tokio::test(start_paused = true)]
async fn ensure_lost_creation_with_conflicting_sync_fails() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::RequestLost);
    organization.run_before(Operation::CreateResourceDataSync, 1, |organization| {
        organization.add_data_sync(management(), region(HOME), from_region("all", "us-west-2"));
    });
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.write_status()), (&ErrorKind::ResponseLost, WriteStatus::Unknown));
    assert_eq!((trusted.changes().len(), trusted.changes()[0].certainty), (1, Certainty::Unconfirmed));
    assert_eq!(organization.write_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn ensure_with_concurrent_conflicting_sync_fails() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    organization.run_before(Operation::CreateResourceDataSync, 1, |organization| {
        organization.add_data_sync(management(), region(HOME), from_region("all", "us-west-2"));
    });
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.write_status()), (&ErrorKind::SyncConflict, WriteStatus::NotApplied));
    assert_eq!(error.code(), Some("ResourceDataSyncAlreadyExistsException"));
    assert_eq!(trusted.changes(), [], "another actor made the change");
}

#[tokio::test(start_paused = true)]
async fn recreate_with_stale_listing_returns_the_new_sync() {
    // The previous sync differs from the definition or matches it, and one listing is stale.
    for source in ["us-west-2", HOME] {
        for late in 0..8 {
            let lags = (0..8).map(|listing| if listing == late { ReadDelay::Reads(8) } else { ReadDelay::NONE });
            let organization = ready()
                .data_sync(management(), region(HOME), from_region("all", source))
                .read_delays_for(Operation::ListResourceDataSync, lags)
                .build();
            let client = organization.management_client();
            let mut trusted = trusted_in(&organization).await;
            let mut syncs = trusted.data_syncs(&client).await.unwrap();
            let recreated = at_home(syncs.recreate(&definition("all"), &home()).await.unwrap()).unwrap();
            let EnsureOutcome::Created(sync) = recreated else { panic!("{source} {late}: {recreated:?}") };
            assert_eq!(sync.regions, home(), "{source} {late}");
            let [deleted, created] = trusted.changes() else { panic!("{:?}", trusted.changes()) };
            assert!(
                matches!(&deleted.kind, ChangeKind::DataSyncDeleted { before, .. } if before.regions == [region(source)])
            );
            assert!(
                matches!(&created.kind, ChangeKind::DataSyncCreated { created, .. } if *created == sync.created),
                "the change has the date of the new sync"
            );
            assert_eq!(
                (names_at_home(&organization, management()), organization.write_count()),
                (vec![name("all")], 2)
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ensure_sync_missing_from_stale_listing_waits() {
    let organization = ready().read_delay(Duration::from_secs(5)).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    // An earlier process stopped after the creation.
    client.create_resource_data_sync(&region(HOME), &definition("all")).await.unwrap();
    let begun = Instant::now();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let ensured = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    assert!(matches!(ensured, EnsureOutcome::Unchanged(_)), "{ensured:?}");
    assert_eq!((trusted.changes(), begun.elapsed()), (&[][..], Duration::from_secs(7)));
}

#[tokio::test(start_paused = true)]
async fn delete_sync_still_in_stale_listing_waits() {
    let organization =
        ready().data_sync(management(), region(HOME), full("all")).read_delay(Duration::from_secs(5)).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    client.delete_resource_data_sync(&region(HOME), &name("all"), SyncType::SyncFromSource).await.unwrap();
    let begun = Instant::now();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    assert_eq!(at_home(syncs.delete(&name("all"), &home()).await.unwrap()).unwrap(), None);
    assert_eq!((trusted.changes(), begun.elapsed()), (&[][..], Duration::from_secs(7)));
}

#[tokio::test(start_paused = true)]
async fn delete_sync_refused_as_missing_returns_none() {
    let organization = ready()
        .data_sync(management(), region(HOME), full("all"))
        .read_delays_for(Operation::ListResourceDataSync, [ReadDelay::Reads(1)])
        .build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    client.delete_resource_data_sync(&region(HOME), &name("all"), SyncType::SyncFromSource).await.unwrap();
    organization.clear_calls();
    let begun = Instant::now();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    assert_eq!(at_home(syncs.delete(&name("all"), &home()).await.unwrap()).unwrap(), None);
    assert_eq!((trusted.changes(), begun.elapsed()), (&[][..], Duration::ZERO));
    assert_eq!(organization.call_count(Operation::DeleteResourceDataSync), 1, "the deletion is sent once and refused");
}

#[tokio::test(start_paused = true)]
async fn write_unlisted_within_wait_timeout_is_applied() {
    let organization = ready().read_delay(Duration::from_secs(100)).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await.with_wait_timeout(Duration::from_mins(1));
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let created = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
    assert_eq!(
        (created.kind(), created.write_status(), created.retry_status()),
        (&ErrorKind::WaitTimeout, WriteStatus::Applied, RetryStatus::Exhausted)
    );
    // A created sync that no listing shows can still be deleted.
    let deleted = at_home(syncs.delete(&name("all"), &home()).await.unwrap()).unwrap_err();
    assert_eq!(
        (deleted.kind(), deleted.write_status(), deleted.operation()),
        (&ErrorKind::WaitTimeout, WriteStatus::Applied, Some(Operation::DeleteResourceDataSync))
    );
    assert_eq!(syncs_at_home(&organization, management()), []);
    assert_eq!(trusted.changes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn ensure_or_delete_of_unlisted_sync_sends_no_write() {
    let organization = ready().read_delay(Duration::from_mins(5)).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let _ = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
    organization.clear_calls();
    for error in [
        at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err(),
        at_home(syncs.delete(&name("all"), &home()).await.unwrap()).unwrap_err(),
    ] {
        let listing = Some(Operation::ListResourceDataSync);
        assert_eq!(
            (error.kind(), error.write_status(), error.operation()),
            (&ErrorKind::WaitTimeout, WriteStatus::NotApplied, listing),
            "nothing is sent by the second calls"
        );
    }
    assert_eq!(organization.write_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn ensure_with_denied_listing_returns_at_once() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    // The first listing precedes the write, and the second would confirm the write.
    organization.inject_fault(Operation::ListResourceDataSync, 2, Fault::refused("AccessDeniedException"));
    let begun = Instant::now();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.write_status()), (&ErrorKind::WaitTimeout, WriteStatus::Applied));
    assert!(error.causes()[0].contains("AccessDeniedException"), "{error:#}");
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn disable_with_unlisted_own_sync_is_refused() {
    let late = [ReadDelay::Time(Duration::from_secs(20))];
    let organization = ready().read_delays_for(Operation::ListResourceDataSync, late).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await.with_wait_timeout(Duration::ZERO);
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::WaitTimeout);
    let (error, recovered) =
        failed(trusted.disable(SyncProtection::Protect { clients: &[&client], regions: &home() }).await);
    let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{error}") };
    assert_eq!((syncs.len(), &syncs[0].id.name, way(&recovered)), (1, &name("all"), RecoveredVariant::Unchanged));
    assert_eq!(syncs[0].listed, None, "only the recorded change shows that the sync exists");
    assert!(organization.is_trusted(&SSM));
}

#[tokio::test(start_paused = true)]
async fn disable_with_own_sync_in_unchecked_region_succeeds() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let _ = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    let elsewhere = [region("us-east-1")];
    trusted.disable(SyncProtection::Protect { clients: &[&client], regions: &elsewhere }).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn ensure_after_deregistration_recreates_sync_at_once() {
    let organization = administered().build();
    let client = organization.client(alice());
    let mut delegated = delegated_in(&organization).await;
    let begun = Instant::now();
    for _ in 0..2 {
        let mut syncs = delegated.data_syncs(&client).await.unwrap();
        let made = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
        assert!(matches!(made, EnsureOutcome::Created(_)), "{made:?}");
        let trusted = delegated.deregister(SyncProtection::AllowLoss).await.unwrap();
        assert_eq!(syncs_at_home(&organization, alice()), []);
        delegated = trusted.register_delegated_administrator(alice()).await.unwrap();
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn ensure_after_deregistration_keeps_management_sync() {
    // The listing is stale after Alice's deregistration, but the sync still exists.
    let lags = [vec![ReadDelay::NONE; 3], vec![ReadDelay::Reads(9), ReadDelay::NONE]].concat();
    let organization = administered().read_delays_for(Operation::ListResourceDataSync, lags).build();
    let client = organization.management_client();
    let mut delegated = delegated_in(&organization).await;
    let mut syncs = delegated.data_syncs(&client).await.unwrap();
    let _ = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    let mut trusted = delegated.deregister(SyncProtection::AllowLoss).await.unwrap();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let again = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    assert!(matches!(again, EnsureOutcome::Unchanged(_)), "{again:?}");
    assert_eq!(organization.call_count(Operation::CreateResourceDataSync), 1);
}

#[tokio::test(start_paused = true)]
async fn ensure_after_lost_creation_creates_sync_at_once() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::RequestLost);
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::ResponseLost);
    let begun = Instant::now();
    let made = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    assert!(matches!(made, EnsureOutcome::Created(_)), "{made:?}");
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn disable_with_own_single_account_sync_succeeds() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let own = SyncDefinition::new(name("own"), SyncSource::SingleAccount, SourceRegions::new(home()).unwrap());
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    at_home(syncs.ensure(&own, &home()).await.unwrap()).unwrap();
    trusted.disable(SyncProtection::Protect { clients: &[&client], regions: &home() }).await.unwrap();
    assert_eq!(names_at_home(&organization, management()), [name("own")]);
}

#[tokio::test(start_paused = true)]
async fn ensure_refused_after_enabling_is_retried() {
    let organization = organization().build();
    let client = organization.management_client();
    let (sync, home) = (definition("all"), home());
    let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &home);
    let code = "ResourceDataSyncInvalidConfigurationException";
    organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::refused(code));
    let trusted = disabled_in(&organization).await.set_up_explorer(&explorer).await.unwrap();
    assert_eq!((trusted.changes().len(), organization.call_count(Operation::CreateResourceDataSync)), (3, 2));

    // An existing role does not change the result, for a creation and an update.
    for (operation, left) in
        [(Operation::CreateResourceDataSync, None), (Operation::UpdateResourceDataSync, Some("us-west-2"))]
    {
        let start = crate::common::organization().service_linked_role(&ROLE_PRINCIPAL);
        let start = match left {
            Some(source) => start.data_sync(management(), region(HOME), from_region("all", source)),
            None => start,
        };
        let organization = start.build();
        let client = organization.management_client();
        for nth in 1..=3 {
            organization.inject_fault(operation, nth, Fault::refused(code));
        }
        let begun = Instant::now();
        let mut trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
        let mut syncs = trusted.data_syncs(&client).await.unwrap();
        at_home(syncs.ensure(&sync, &home).await.unwrap()).unwrap();
        assert_eq!((trusted.changes().len(), organization.call_count(operation)), (2, 4), "{operation}");
        assert_eq!(begun.elapsed(), Duration::from_secs(1 + 2 + 4), "{operation}");
    }

    // The retries end at the wait timeout with AWS's refusal.
    let organization = crate::common::organization().service_linked_role(&ROLE_PRINCIPAL).build();
    let client = organization.management_client();
    for nth in 1..100 {
        organization.inject_fault(Operation::CreateResourceDataSync, nth, Fault::refused(code));
    }
    let begun = Instant::now();
    let mut trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&sync, &home).await.unwrap()).unwrap_err();
    assert_eq!(
        (error.code(), error.retry_status(), error.write_status()),
        (Some(code), RetryStatus::Exhausted, WriteStatus::NotApplied)
    );
    assert!(begun.elapsed() <= Duration::from_mins(3));

    // The refusal is not retried if the handle's own change is unconfirmed.
    let organization = crate::common::organization().service_linked_role(&ROLE_PRINCIPAL).build();
    let client = organization.management_client();
    organization.inject_fault(Operation::EnableAwsServiceAccess, 1, Fault::ResponseLost);
    organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::refused(code));
    let mut trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&sync, &home).await.unwrap()).unwrap_err();
    assert_eq!((error.code(), organization.call_count(Operation::CreateResourceDataSync)), (Some(code), 1));

    // A denial does not depend on trusted access, so it is not retried.
    let organization = crate::common::organization().service_linked_role(&ROLE_PRINCIPAL).build();
    let client = organization.management_client();
    organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::refused("AccessDeniedException"));
    let mut trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&sync, &home).await.unwrap()).unwrap_err();
    assert_eq!(
        (error.kind(), organization.call_count(Operation::CreateResourceDataSync)),
        (&ErrorKind::AccessDenied, 1)
    );

    // Without an earlier change the write is sent once.
    let organization = ready().build();
    let client = organization.management_client();
    organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::refused(code));
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&sync, &home).await.unwrap()).unwrap_err();
    assert_eq!((error.code(), organization.call_count(Operation::CreateResourceDataSync)), (Some(code), 1));
}

// Data syncs: comparison

#[tokio::test(start_paused = true)]
async fn ensure_with_one_changed_boolean_updates_the_sync() {
    let wanted = definition("all");
    for wanted in [wanted.clone().including_future_regions(), wanted.enabling_all_ops_data_sources()] {
        let organization = ready().data_sync(management(), region(HOME), full("all")).build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        let mut syncs = trusted.data_syncs(&client).await.unwrap();
        let ensured = at_home(syncs.ensure(&wanted, &home()).await.unwrap()).unwrap();
        let EnsureOutcome::Updated(sync) = ensured else { panic!("{ensured:?}") };
        assert_eq!(sync.future_regions, Some(wanted.includes_future_regions()));
        assert_eq!(sync.all_ops_data_sources, Some(wanted.enables_all_ops_data_sources()));
        assert_eq!(organization.write_count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn ensure_with_one_hidden_boolean_updates_the_sync() {
    let (mut no_future, mut no_sources) = (full("all"), full("all"));
    no_future.future_regions = None;
    no_sources.all_ops_data_sources = None;
    for found in [no_future, no_sources] {
        let organization = ready().data_sync(management(), region(HOME), found).build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        let mut syncs = trusted.data_syncs(&client).await.unwrap();
        let ensured = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
        assert!(matches!(ensured, EnsureOutcome::Updated(_)), "{ensured:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn ensure_with_unknown_source_type_is_refused_by_aws() {
    for source in [None, Some(SyncSourceType::Other("AwsBrandNew".to_owned()))] {
        let mut found = full("all");
        found.source_type = source;
        let organization = ready().data_sync(management(), region(HOME), found).build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        let mut syncs = trusted.data_syncs(&client).await.unwrap();
        let error = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
        // The update is sent and AWS refuses it.
        assert_eq!(error.code(), Some("ResourceDataSyncInvalidConfigurationException"), "{error}");
        assert_eq!(
            (error.kind(), organization.call_count(Operation::UpdateResourceDataSync)),
            (&ErrorKind::ServiceError, 1)
        );
        assert_eq!(trusted.changes(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn ensure_update_records_date_and_previous_sync() {
    let organization = ready().data_sync(management(), region(HOME), full("all")).build();
    let before = syncs_at_home(&organization, management()).remove(0);
    assert!(before.created.is_some());
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let wanted = definition("all").including_future_regions();
    let _ = at_home(syncs.ensure(&wanted, &home()).await.unwrap()).unwrap();
    let [change] = trusted.changes() else { panic!("{:?}", trusted.changes()) };
    let ChangeKind::DataSyncUpdated { sync, created, before: was, .. } = &change.kind else { panic!("{change:?}") };
    assert_eq!((sync.account, &sync.region, &sync.name), (management(), &region(HOME), &name("all")));
    assert_eq!((created, &**was, change.certainty), (&before.created, &before, Certainty::Confirmed));
}

#[tokio::test(start_paused = true)]
async fn ensure_lost_update_of_hidden_boolean_fails() {
    let organization =
        ready().undocumented_behavior(hidden()).data_sync(management(), region(HOME), full("all")).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    organization.inject_fault(Operation::UpdateResourceDataSync, 1, Fault::RequestLost);
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let wanted = definition("all").including_future_regions();
    let error = at_home(syncs.ensure(&wanted, &home()).await.unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.write_status()), (&ErrorKind::ResponseLost, WriteStatus::Unknown));
    let again = at_home(syncs.ensure(&wanted, &home()).await.unwrap()).unwrap();
    assert!(matches!(again, EnsureOutcome::Updated(_)), "{again:?}");
    assert_eq!(organization.call_count(Operation::UpdateResourceDataSync), 2);
    assert_eq!(syncs_at_home(&organization, management())[0].future_regions, Some(true));
}

#[tokio::test(start_paused = true)]
async fn ensure_lost_update_of_hidden_boolean_reads_the_date() {
    let organization =
        ready().undocumented_behavior(hidden()).data_sync(management(), region(HOME), full("all")).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let wanted = definition("all").including_future_regions();
    organization.inject_fault(Operation::UpdateResourceDataSync, 1, Fault::ResponseLost);
    let updated = at_home(syncs.ensure(&wanted, &home()).await.unwrap()).unwrap();
    assert!(matches!(&updated, EnsureOutcome::Updated(sync) if sync.modified.is_some()), "{updated:?}");
    // The date of the previous update does not confirm this update.
    organization.inject_fault(Operation::UpdateResourceDataSync, 1, Fault::RequestLost);
    let error = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.write_status()), (&ErrorKind::ResponseLost, WriteStatus::Unknown));
}

#[tokio::test(start_paused = true)]
async fn ensure_accepted_hidden_update_returns_at_once() {
    let start = ready().undocumented_behavior(hidden()).read_delay(Duration::from_secs(5));
    let organization = start.data_sync(management(), region(HOME), full("all")).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let begun = Instant::now();
    let wanted = definition("all").including_future_regions();
    let updated = at_home(syncs.ensure(&wanted, &home()).await.unwrap()).unwrap();
    assert!(matches!(updated, EnsureOutcome::Updated(_)), "{updated:?}");
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn ensure_changed_hidden_boolean_updates_the_sync() {
    let organization = ready().undocumented_behavior(hidden()).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let _ = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    let wider = definition("all").including_future_regions();
    let ensured = at_home(syncs.ensure(&wider, &home()).await.unwrap()).unwrap();
    assert!(matches!(ensured, EnsureOutcome::Updated(_)), "{ensured:?}");
    assert_eq!(organization.call_count(Operation::UpdateResourceDataSync), 1);
    assert_eq!(syncs_at_home(&organization, management())[0].future_regions, Some(true));

    // The previous definition is written again, and the record of each sync is kept.
    let _ = at_home(syncs.ensure(&definition("other"), &home()).await.unwrap()).unwrap();
    let ensured = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    assert!(matches!(ensured, EnsureOutcome::Updated(_)), "{ensured:?}");
    assert_eq!(syncs_at_home(&organization, management())[0].future_regions, Some(false));
    for text in ["all", "other"] {
        let ensured = at_home(syncs.ensure(&definition(text), &home()).await.unwrap()).unwrap();
        assert!(matches!(ensured, EnsureOutcome::Unchanged(_)), "{ensured:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn ensure_explorer_twice_writes_hidden_booleans_once() {
    let organization = ready().undocumented_behavior(hidden()).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let (sync, home) = (definition("all"), home());
    let explorer = ExplorerSetup::new().with_sync(&client, &sync, &home);
    trusted.ensure_explorer(&explorer).await.unwrap();
    trusted.ensure_explorer(&explorer).await.unwrap();
    assert_eq!((organization.write_count(), trusted.changes().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn ensure_with_separate_inventory_quota_succeeds() {
    let mut setting = UndocumentedBehavior::default();
    setting.sync_quota_is_shared = false;
    let start = (1..=5).fold(ready().undocumented_behavior(setting), |start, number| {
        let inventorys = DataSync::new(name(&format!("inventory-{number}")), None);
        start.data_sync_of_type(SyncType::SyncToDestination, management(), region(HOME), inventorys)
    });
    let organization = start.build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let ensured = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    assert!(matches!(ensured, EnsureOutcome::Created(_)), "{ensured:?}");
    assert_eq!(syncs_at_home(&organization, management()).len(), 6);
}

// Data syncs: refusals before a write

#[tokio::test(start_paused = true)]
async fn ensure_by_administrator_in_each_opt_in_region_fails() {
    let organization = administered().build();
    let regions = ["af-south-1", "ap-east-1", "eu-south-1", "me-south-1"].map(region);
    let theirs = organization.client(alice());
    let mut handle = delegated_in(&organization).await;
    let mut syncs = handle.data_syncs(&theirs).await.unwrap();
    let ensured = syncs.ensure(&definition("all"), &regions).await.unwrap();
    let kinds: Vec<_> = ensured.failures().map(|(region, error)| (region.clone(), error.kind().clone())).collect();
    assert_eq!(kinds, regions.map(|region| (region, ErrorKind::OptInRegion)));
    assert_eq!(organization.write_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn recreate_that_cannot_succeed_deletes_nothing() {
    let at = [region("eu-south-1")];
    let organization = administered().data_sync(alice(), at[0].clone(), of_one_account("all")).build();
    let theirs = organization.client(alice());
    let mut handle = delegated_in(&organization).await;
    let mut syncs = handle.data_syncs(&theirs).await.unwrap();
    let error = syncs.recreate(&definition("all"), &at).await.unwrap().into_result().unwrap_err();
    assert_eq!((error.kind(), error.region(), error.caller()), (&ErrorKind::OptInRegion, Some(&at[0]), Some(alice())));
    assert_eq!((organization.write_count(), organization.data_syncs(alice(), &at[0]).len()), (0, 1));

    // With five other syncs, the quota would refuse the new sync after the deletion.
    for (others, recreated) in [(4, true), (5, false)] {
        let start = ready().data_sync(management(), region(HOME), of_one_account("all"));
        let start = (0..others)
            .fold(start, |start, number| start.data_sync(management(), region(HOME), full(&format!("other-{number}"))));
        let organization = start.build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        let mut syncs = trusted.data_syncs(&client).await.unwrap();
        let result = at_home(syncs.recreate(&definition("all"), &home()).await.unwrap());
        assert_eq!(result.is_ok(), recreated, "{result:?}");
        assert_eq!(
            (organization.write_count(), syncs_at_home(&organization, management()).len()),
            if recreated { (2, 5) } else { (0, 6) }
        );
    }
}

#[tokio::test(start_paused = true)]
async fn recreate_by_other_member_account_sends_no_call() {
    let organization = administered().data_sync(bob(), region(HOME), of_one_account("all")).build();
    let bobs = organization.client(bob());
    let mut handle = delegated_in(&organization).await;
    let mut syncs = handle.data_syncs(&bobs).await.unwrap();
    organization.clear_calls();
    let error = syncs.recreate(&definition("all"), &home()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.account(), error.caller()),
        (&ErrorKind::NotDelegatedAdministrator, Some(bob()), Some(bob()))
    );
    assert_eq!(organization.calls(), []);
    assert_eq!(names_at_home(&organization, bob()), [name("all")]);
}

#[tokio::test(start_paused = true)]
async fn deregister_refused_for_syncs_keeps_them_listed() {
    let organization = administered().data_sync(alice(), region(HOME), full("theirs")).build();
    let theirs = organization.client(alice());
    let protect = SyncProtection::Protect { clients: &[&theirs], regions: &home() };
    let (error, recovered) = failed(delegated_in(&organization).await.deregister(protect).await);
    assert!(
        matches!(error.kind(), ErrorKind::DataSyncsExist { syncs, .. } if syncs[0].id.name == name("theirs")),
        "{error}"
    );
    let Recovered::Unchanged(mut handle) = recovered else { panic!("{recovered:?}") };
    let listed = at_home(handle.data_syncs(&theirs).await.unwrap().list(&home()).await.unwrap()).unwrap();
    assert_eq!((listed[0].definition(), organization.write_count()), (Some(definition("theirs")), 0));
}

// The service-linked role

#[tokio::test(start_paused = true)]
async fn delete_role_with_single_account_sync_is_refused() {
    for serves in [true, false] {
        let mut setting = UndocumentedBehavior::default();
        setting.role_serves_single_accounts = serves;
        let organization = organization()
            .service_linked_role(&ROLE_PRINCIPAL)
            .data_sync(management(), region(HOME), of_one_account("own"))
            .data_sync(alice(), region(HOME), of_one_account("hers"))
            .data_sync_of_type(SyncType::SyncToDestination, management(), region(HOME), full("inventory"))
            .undocumented_behavior(setting)
            .build();
        let (client, alices) = (organization.management_client(), organization.client(alice()));
        let mut disabled = disabled_in(&organization).await;
        let protect = SyncProtection::Protect { clients: &[&alices, &client], regions: &home() };
        let error = disabled.account_discovery_role(&client).delete(protect).await.unwrap_err();
        let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{error}") };
        let [own] = &syncs[..] else { panic!("{error}") };
        assert_eq!((own.id.account, &own.id.name), (management(), &name("own")));
        assert_eq!(own.listed.as_ref().unwrap().source_type, Some(SyncSourceType::SingleAccountMultiRegions));
        assert_eq!(organization.write_count(), 0);

        // Without a check, AWS refuses the deletion if the setting says so.
        let deleted = disabled.account_discovery_role(&client).delete(SyncProtection::AllowLoss).await;
        match deleted {
            Ok(role) => assert!(!serves && role.is_some()),
            Err(error) => assert!(serves && matches!(error.kind(), ErrorKind::RoleInUse { .. }), "{error}"),
        }
        let mut syncs = disabled.data_syncs(&client).await.unwrap();
        at_home(syncs.delete(&name("own"), &home()).await.unwrap()).unwrap();
        disabled.account_discovery_role(&client).delete(protect).await.unwrap();
        assert!(!organization.has_role(management(), &ROLE));
    }
}

#[tokio::test(start_paused = true)]
async fn ensure_role_twice_with_delayed_reads_creates_it_once() {
    let organization = trusting().read_delay(Duration::from_secs(5)).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut role = trusted.account_discovery_role(&client);
    let EnsureOutcome::Created(created) = role.ensure().await.unwrap() else { panic!("the role exists") };
    assert!(matches!(role.ensure().await.unwrap(), EnsureOutcome::Unchanged(found) if found == created));
    assert_eq!(organization.write_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn get_role_with_stale_read_waits_for_created_role() {
    let lags = [ReadDelay::NONE, ReadDelay::NONE, ReadDelay::Reads(9), ReadDelay::NONE];
    let organization = trusting().read_delays_for(Operation::GetRole, lags).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut role = trusted.account_discovery_role(&client);
    let EnsureOutcome::Created(created) = role.ensure().await.unwrap() else { panic!("the role exists") };
    let begun = Instant::now();
    assert_eq!(role.get().await.unwrap(), Some(created));
    assert_eq!(begun.elapsed(), Duration::from_secs(1), "the read is repeated");

    // Reads that stay stale end in a wait timeout.
    let lags = [vec![ReadDelay::NONE; 2], vec![ReadDelay::Reads(99); 30]].concat();
    let organization = trusting().read_delays_for(Operation::GetRole, lags).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut role = trusted.account_discovery_role(&client);
    role.ensure().await.unwrap();
    let begun = Instant::now();
    let error = role.get().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.write_status(), error.retry_status()),
        (&ErrorKind::WaitTimeout, WriteStatus::NotApplied, RetryStatus::Exhausted)
    );
    assert!(begun.elapsed() > Duration::from_secs(45), "the wait lasts for the wait timeout");
}

#[tokio::test(start_paused = true)]
async fn get_role_after_observation_waits_for_accepted_role() {
    let lags = [ReadDelay::NONE, ReadDelay::Reads(9), ReadDelay::Reads(9), ReadDelay::NONE];
    let organization = trusting().read_delays_for(Operation::GetRole, lags).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await.with_wait_timeout(Duration::ZERO);
    let error = trusted.account_discovery_role(&client).ensure().await.unwrap_err();
    assert_eq!((error.kind(), error.write_status()), (&ErrorKind::WaitTimeout, WriteStatus::Applied));
    let mut trusted =
        expect_trusted(trusted.into_unobserved().observe().await.unwrap()).with_wait_timeout(Duration::from_secs(9));
    let found = trusted.account_discovery_role(&client).get().await.unwrap();
    assert!(found.is_some(), "a stale read does not hide the role");
}

#[tokio::test(start_paused = true)]
async fn ensure_role_after_lost_creation_creates_it_at_once() {
    let organization = trusting().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    organization.inject_fault(Operation::CreateServiceLinkedRole, 1, Fault::RequestLost);
    let mut role = trusted.account_discovery_role(&client);
    assert_eq!(*role.ensure().await.unwrap_err().kind(), ErrorKind::ResponseLost);
    let begun = Instant::now();
    assert!(matches!(role.ensure().await.unwrap(), EnsureOutcome::Created(_)));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn ensure_role_deleted_by_others_waits_for_the_new_one() {
    let lags = [ReadDelay::NONE, ReadDelay::Reads(9), ReadDelay::NONE];
    let organization =
        trusting().service_linked_role(&ROLE_PRINCIPAL).read_delays_for(Operation::GetRole, lags).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    organization.remove_role(management(), &ROLE);
    let EnsureOutcome::Created(created) = trusted.account_discovery_role(&client).ensure().await.unwrap() else {
        panic!("the role exists")
    };
    assert_eq!(client.get_role(&ROLE).await.unwrap().map(|role| role.id), Some(created.id));
}

#[tokio::test(start_paused = true)]
async fn ensure_role_created_by_others_waits_for_it() {
    let lags = [ReadDelay::NONE, ReadDelay::Reads(9), ReadDelay::NONE];
    for code in sim::DuplicateRole::ALL {
        let mut setting = UndocumentedBehavior::default();
        setting.duplicate_role = *code;
        let organization = trusting().undocumented_behavior(setting).read_delays_for(Operation::GetRole, lags).build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        organization.run_before(Operation::CreateServiceLinkedRole, 1, |organization| {
            organization.add_role(management(), &ROLE_PRINCIPAL);
        });
        let ensured = trusted.account_discovery_role(&client).ensure().await.unwrap();
        assert!(matches!(ensured, EnsureOutcome::Unchanged(_)), "{code:?}");
        assert_eq!(organization.call_count(Operation::GetRole), 3, "{code:?}");
    }

    // Only codes of a duplicate cause a wait, which ends at the timeout.
    for (code, kind, retry) in [
        ("EntityAlreadyExists", ErrorKind::ServiceError, RetryStatus::Exhausted),
        ("AccessDenied", ErrorKind::AccessDenied, RetryStatus::Permanent),
    ] {
        let organization = trusting().build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        organization.inject_fault(Operation::CreateServiceLinkedRole, 1, Fault::refused(code));
        let begun = Instant::now();
        let error = trusted.account_discovery_role(&client).ensure().await.unwrap_err();
        assert_eq!((error.kind(), error.code(), error.retry_status()), (&kind, Some(code), retry));
        assert_eq!(begun.elapsed() > Duration::from_secs(45), retry == RetryStatus::Exhausted, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn delete_role_just_created_succeeds() {
    let organization = organization().read_delay(Duration::from_secs(5)).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let mut role = disabled.account_discovery_role(&client);
    let EnsureOutcome::Created(created) = role.ensure().await.unwrap() else { panic!("the role exists") };
    assert_eq!(role.delete(SyncProtection::AllowLoss).await.unwrap(), Some(created));
    assert!(!organization.has_role(management(), &ROLE));
    assert_eq!(disabled.changes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn ensure_deleted_role_in_stale_read_recreates_it() {
    let organization = organization().service_linked_role(&ROLE_PRINCIPAL).read_delay(Duration::from_secs(30)).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let mut role = disabled.account_discovery_role(&client);
    let gone = role.delete(SyncProtection::AllowLoss).await.unwrap().unwrap();
    assert_eq!(role.get().await.unwrap(), None, "a stale read does not show the deleted role");
    let EnsureOutcome::Created(created) = role.ensure().await.unwrap() else { panic!("the role exists") };
    assert_ne!(created.id, gone.id);
    assert!(organization.has_role(management(), &ROLE));
}

#[tokio::test(start_paused = true)]
async fn get_role_after_recreation_returns_the_new_one() {
    let late = [vec![ReadDelay::NONE; 3], vec![ReadDelay::Reads(9)], vec![ReadDelay::NONE; 9]].concat();
    let organization =
        organization().service_linked_role(&ROLE_PRINCIPAL).read_delays_for(Operation::GetRole, late).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let mut role = disabled.account_discovery_role(&client);
    let gone = role.delete(SyncProtection::AllowLoss).await.unwrap().unwrap();
    let EnsureOutcome::Created(created) = role.ensure().await.unwrap() else { panic!("the role exists") };
    let begun = Instant::now();
    assert_eq!(role.get().await.unwrap().map(|found| found.id), Some(created.id), "{} is gone", gone.id);
    assert_eq!(begun.elapsed(), Duration::from_secs(1), "the read is repeated");
}

#[tokio::test(start_paused = true)]
async fn tear_down_with_delayed_role_reads_deletes_the_role() {
    // Only `GetRole` is delayed.
    let late = [ReadDelay::Time(Duration::from_secs(20))];
    let organization = organization().read_delays_for(Operation::GetRole, late).build();
    let client = organization.management_client();
    let (sync, home) = (definition("all"), home());
    let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &home);
    let trusted = disabled_in(&organization).await.set_up_explorer(&explorer).await.unwrap();
    let protect = SyncProtection::Protect { clients: &[&client], regions: &home };
    let disabled = trusted.tear_down_explorer(&explorer, protect).await.unwrap();
    assert!(!organization.has_role(management(), &ROLE));
    assert_eq!(disabled.changes().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn delete_role_with_denied_status_is_confirmed_by_read() {
    let organization = organization().service_linked_role(&ROLE_PRINCIPAL).role_deletion(Duration::ZERO).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    organization.inject_fault(Operation::GetServiceLinkedRoleDeletionStatus, 1, Fault::refused("AccessDenied"));
    let begun = Instant::now();
    let gone = disabled.account_discovery_role(&client).delete(SyncProtection::AllowLoss).await.unwrap();
    assert!(gone.is_some() && !organization.has_role(management(), &ROLE));
    assert_eq!((disabled.changes()[0].certainty, begun.elapsed()), (Certainty::Confirmed, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn role_write_with_denied_read_returns_at_once() {
    // The role is created, and its read is denied.
    let organization = trusting().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    organization.inject_fault(Operation::GetRole, 2, Fault::refused("AccessDenied"));
    let begun = Instant::now();
    let error = trusted.account_discovery_role(&client).ensure().await.unwrap_err();
    assert_eq!((error.kind(), error.write_status()), (&ErrorKind::WaitTimeout, WriteStatus::Applied));
    assert!(error.causes()[0].contains("AccessDenied"), "{error:#}");
    assert_eq!((begun.elapsed(), trusted.changes()[0].certainty), (Duration::ZERO, Certainty::Confirmed));

    // The deletion is unconfirmed, and the read of the role is denied.
    let organization =
        crate::common::organization().service_linked_role(&ROLE_PRINCIPAL).role_deletion(Duration::ZERO).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    organization.inject_fault(Operation::DeleteServiceLinkedRole, 1, Fault::ResponseLost);
    organization.inject_fault(Operation::GetRole, 2, Fault::refused("AccessDenied"));
    let begun = Instant::now();
    let error = disabled.account_discovery_role(&client).delete(SyncProtection::AllowLoss).await.unwrap_err();
    assert_eq!((error.kind(), begun.elapsed()), (&ErrorKind::ResponseLost, Duration::ZERO));
    assert_eq!(disabled.changes()[0].certainty, Certainty::Unconfirmed);

    // The deletion is in progress, and its status is denied.
    let organization = crate::common::organization().service_linked_role(&ROLE_PRINCIPAL).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    organization.inject_fault(Operation::GetServiceLinkedRoleDeletionStatus, 1, Fault::refused("AccessDenied"));
    let begun = Instant::now();
    let error = disabled.account_discovery_role(&client).delete(SyncProtection::AllowLoss).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.write_status(), begun.elapsed()),
        (&ErrorKind::WaitTimeout, WriteStatus::Unknown, Duration::ZERO)
    );
}

#[tokio::test(start_paused = true)]
async fn delete_role_recreated_by_others_records_deletion() {
    let organization = organization().service_linked_role(&ROLE_PRINCIPAL).role_deletion(Duration::ZERO).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    organization.inject_fault(Operation::DeleteServiceLinkedRole, 1, Fault::ResponseLost);
    // Another caller recreates the role with another ID before the first read.
    organization.run_before(Operation::GetRole, 2, |organization| organization.add_role(management(), &ROLE_PRINCIPAL));
    let begun = Instant::now();
    let gone = disabled.account_discovery_role(&client).delete(SyncProtection::AllowLoss).await.unwrap().unwrap();
    assert_eq!((begun.elapsed(), organization.call_count(Operation::GetRole)), (Duration::ZERO, 2));
    let theirs = client.get_role(&ROLE).await.unwrap().unwrap();
    assert_ne!(theirs.id, gone.id);
    assert!(matches!(&disabled.changes()[0].kind, ChangeKind::RoleDeleted { id, .. } if *id == gone.id));
}

#[tokio::test(start_paused = true)]
async fn delete_role_refused_as_missing_returns_none() {
    // The first read after the refusal or a later one shows the deletion.
    for late in 1..4 {
        let organization = organization()
            .service_linked_role(&ROLE_PRINCIPAL)
            .role_deletion(Duration::ZERO)
            .read_delays_for(Operation::GetRole, [ReadDelay::Reads(late)])
            .build();
        let client = organization.management_client();
        let mut disabled = disabled_in(&organization).await;
        let _ = client.delete_service_linked_role(&ROLE).await.unwrap();
        assert!(!organization.has_role(management(), &ROLE));
        organization.clear_calls();
        assert_eq!(
            disabled.account_discovery_role(&client).delete(SyncProtection::AllowLoss).await.unwrap(),
            None,
            "{late}"
        );
        assert_eq!(disabled.changes(), [], "another actor made the change");
        assert_eq!(
            organization.call_count(Operation::DeleteServiceLinkedRole),
            1,
            "the deletion is sent once and refused"
        );
        assert_eq!(organization.call_count(Operation::GetRole), late + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn role_call_denied_by_aws_reports_the_caller() {
    let organization = organization().build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let mut role = disabled.account_discovery_role(&client);
    let named = |operation, error: &Error| {
        let expected = (&ErrorKind::AccessDenied, Some(operation), Some(management()));
        assert_eq!((error.kind(), error.operation(), error.caller()), expected);
    };
    let denied = |operation| organization.inject_fault(operation, 1, Fault::refused("AccessDenied"));

    denied(Operation::GetRole);
    named(Operation::GetRole, &role.get().await.unwrap_err());
    denied(Operation::CreateServiceLinkedRole);
    named(Operation::CreateServiceLinkedRole, &role.ensure().await.unwrap_err());
    organization.add_role(management(), &ROLE_PRINCIPAL);
    denied(Operation::DeleteServiceLinkedRole);
    named(Operation::DeleteServiceLinkedRole, &role.delete(SyncProtection::AllowLoss).await.unwrap_err());
}

#[tokio::test(start_paused = true)]
async fn get_role_by_member_account_is_refused() {
    let organization = ready().build();
    let bobs = organization.client(bob());
    let mut trusted = trusted_in(&organization).await;
    let error = trusted.account_discovery_role(&bobs).get().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotManagementAccount { management: id, .. } if *id == management()));
    assert_eq!((error.caller(), organization.call_count(Operation::GetRole)), (Some(bob()), 0));
}

#[tokio::test(start_paused = true)]
async fn delete_role_with_sync_of_other_account_is_refused() {
    let organization =
        organization().service_linked_role(&ROLE_PRINCIPAL).data_sync(alice(), region(HOME), full("theirs")).build();
    let (client, alices) = (organization.management_client(), organization.client(alice()));
    let mut disabled = disabled_in(&organization).await;
    let protect = SyncProtection::Protect { clients: &[&client, &alices], regions: &home() };
    let error = disabled.account_discovery_role(&client).delete(protect).await.unwrap_err();
    let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{error}") };
    assert_eq!((syncs.len(), syncs[0].id.account), (1, alice()));
    assert_eq!(organization.write_count(), 0);
}

// Explorer in one step

#[tokio::test(start_paused = true)]
async fn ensure_or_tear_down_with_invalid_input_sends_no_call() {
    let organization = ready().data_sync(management(), region(HOME), full("all")).build();
    let client = organization.management_client();
    let (foreign, sync, home) = (definition("AWS-QuickSetup-x"), definition("all"), home());
    for (explorer, kind) in [
        (ExplorerSetup::new().with_role(&client).with_sync(&client, &foreign, &home), ErrorKind::ServiceManagedSync),
        (ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &[]), ErrorKind::InvalidInput),
    ] {
        let mut trusted = trusted_in(&organization).await;
        organization.clear_calls();
        let error = trusted.ensure_explorer(&explorer).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (&kind, Some(Operation::CreateResourceDataSync)));
        let (error, recovered) = failed(trusted.tear_down_explorer(&explorer, SyncProtection::AllowLoss).await);
        assert_eq!((error.kind(), way(&recovered)), (&kind, RecoveredVariant::Unchanged));
        assert_eq!(organization.calls(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn tear_down_with_empty_protection_sends_no_call() {
    let organization = ready().data_sync(management(), region(HOME), full("all")).build();
    let client = organization.management_client();
    let (sync, home) = (definition("all"), home());
    let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &home);
    let clients: [&dyn SystemsManagerClient; 1] = [&client];
    for protect in [
        SyncProtection::Protect { clients: &[], regions: &home },
        SyncProtection::Protect { clients: &clients, regions: &[] },
    ] {
        let trusted = trusted_in(&organization).await;
        organization.clear_calls();
        let (error, recovered) = failed(trusted.tear_down_explorer(&explorer, protect).await);
        assert_eq!(
            (error.kind(), error.operation(), way(&recovered)),
            (&ErrorKind::InvalidInput, Some(Operation::DisableAwsServiceAccess), RecoveredVariant::Unchanged)
        );
        assert_eq!(organization.calls(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn tear_down_with_client_of_wrong_account_is_refused() {
    let organization = ready().data_sync(management(), region(HOME), full("all")).build();
    let (client, bobs) = (organization.management_client(), organization.client(bob()));
    let (sync, home) = (definition("all"), home());

    let explorer = ExplorerSetup::new().with_role(&bobs).with_sync(&client, &sync, &home);
    let protect = SyncProtection::Protect { clients: &[&client], regions: &home };
    let (error, recovered) = failed(trusted_in(&organization).await.tear_down_explorer(&explorer, protect).await);
    assert!(matches!(error.kind(), ErrorKind::NotManagementAccount { .. }), "{error}");
    assert_eq!(
        (error.operation(), error.caller(), way(&recovered)),
        (Some(Operation::DeleteServiceLinkedRole), Some(bob()), RecoveredVariant::Unchanged)
    );

    let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &home);
    let protect = SyncProtection::Protect { clients: &[&bobs], regions: &home };
    let (error, recovered) = failed(trusted_in(&organization).await.tear_down_explorer(&explorer, protect).await);
    assert!(
        matches!(error.kind(), ErrorKind::DataSyncsNotChecked { account, .. } if *account == management()),
        "{error}"
    );
    assert_eq!((way(&recovered), organization.write_count()), (RecoveredVariant::Unchanged, 0));
}

#[tokio::test(start_paused = true)]
async fn tear_down_with_blocking_sync_writes_nothing() {
    let organization = ready()
        .data_sync(management(), region(HOME), full("all"))
        .data_sync(management(), region("us-east-1"), full("all"))
        .build();
    let client = organization.management_client();
    let (sync, home) = (definition("all"), home());
    let everywhere = [region(HOME), region("us-east-1")];
    let explorer = ExplorerSetup::new().with_sync(&client, &sync, &home);
    let protect = SyncProtection::Protect { clients: &[&client], regions: &everywhere };
    let (error, recovered) = failed(trusted_in(&organization).await.tear_down_explorer(&explorer, protect).await);
    let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(syncs.iter().map(|sync| &sync.id.region).collect::<Vec<_>>(), [&everywhere[1]]);
    assert_eq!((way(&recovered), organization.write_count()), (RecoveredVariant::Unchanged, 0));
    // A sync of the same name in another account is a different sync.
    let alices = organization.client(alice());
    organization.remove_data_sync(management(), &everywhere[1], &name("all"));
    organization.add_data_sync(alice(), region(HOME), full("all"));
    let protect = SyncProtection::Protect { clients: &[&client, &alices], regions: &everywhere };
    let (error, _) = failed(trusted_in(&organization).await.tear_down_explorer(&explorer, protect).await);
    let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(syncs.iter().map(|sync| sync.id.account).collect::<Vec<_>>(), [alice()]);
    assert_eq!(organization.write_count(), 0);

    // The caller may only read the organization, so the step is refused.
    let organization = ready().delegated_administrator_for(&ServicePrincipal::STACK_SETS, alice()).data_sync(
        management(),
        region(HOME),
        full("all"),
    );
    let organization = organization.build();
    let client = organization.management_client();
    let observed = Integration::new(organization.client(alice())).observe().await.unwrap();
    let trusted = expect_trusted(observed);
    let explorer = ExplorerSetup::new().with_sync(&client, &sync, &home);
    let (error, _) = failed(trusted.tear_down_explorer(&explorer, SyncProtection::AllowLoss).await);
    assert!(matches!(error.kind(), ErrorKind::NotManagementAccount { .. }), "{error}");
    assert_eq!(organization.write_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn tear_down_with_concurrent_sync_keeps_the_role() {
    let organization = ready().build();
    let client = organization.management_client();
    let home = home();
    let explorer = ExplorerSetup::new().with_role(&client);
    // The sync appears between the check before disabling and the check before the role's deletion.
    organization.run_before(Operation::ListResourceDataSync, 2, |organization| {
        organization.add_data_sync(management(), region(HOME), full("late"));
    });
    let protect = SyncProtection::Protect { clients: &[&client], regions: &home };
    let (error, recovered) = failed(trusted_in(&organization).await.tear_down_explorer(&explorer, protect).await);
    assert!(
        matches!(error.kind(), ErrorKind::DataSyncsExist { syncs, .. } if syncs[0].id.name == name("late")),
        "{error}"
    );
    assert_eq!(
        (error.operation(), way(&recovered)),
        (Some(Operation::DeleteServiceLinkedRole), RecoveredVariant::Moved)
    );
    assert_eq!(organization.call_count(Operation::DeleteServiceLinkedRole), 0);
    assert_eq!((organization.is_trusted(&SSM), organization.has_role(management(), &ROLE)), (false, true));
}

// Replacement of the delegated administrator

#[tokio::test(start_paused = true)]
async fn replace_with_sync_in_opt_in_region_is_refused() {
    let at = [region("eu-south-1")];
    let organization = administered().data_sync(alice(), at[0].clone(), full("theirs")).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &at };
    let (error, recovered) = failed(delegated_in(&organization).await.replace(bob(), carry).await);
    assert_eq!((error.kind(), error.region()), (&ErrorKind::OptInRegion, Some(&at[0])));
    assert_eq!((way(&recovered), organization.write_count()), (RecoveredVariant::Unchanged, 0));
}

#[tokio::test(start_paused = true)]
async fn replace_with_service_managed_sync_is_refused() {
    let managed = "AWS-QuickSetup-x";
    let organization = administered()
        .data_sync(alice(), region(HOME), full(managed))
        .data_sync(alice(), region(HOME), full("theirs"))
        .build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    let migration = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
    let (error, recovered) = failed(delegated_in(&organization).await.replace(bob(), migration).await);
    let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{error}") };
    let [sync] = &syncs[..] else { panic!("{error}") };
    assert_eq!((sync.id.account, &sync.id.region, &sync.id.name), (alice(), &home[0], &name(managed)));
    assert!(sync.listed.is_some());
    assert_eq!((way(&recovered), organization.write_count()), (RecoveredVariant::Unchanged, 0));
}

#[tokio::test(start_paused = true)]
async fn replace_with_hidden_boolean_reports_incomplete_sync() {
    let mut theirs = full("theirs");
    theirs.future_regions = Some(true);
    let organization = administered().undocumented_behavior(hidden()).data_sync(alice(), region(HOME), theirs).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
    let replaced = delegated_in(&organization).await.replace(bob(), carry).await.unwrap();
    let [told] = &replaced.incomplete[..] else { panic!("{replaced:?}") };
    assert_eq!((told.account, &told.region, &told.name), (bob(), &home[0], &name("theirs")));
    let [(carried, Ok(EnsureOutcome::Created(_)))] = &replaced.migrated[..] else { panic!("{replaced:?}") };
    assert_eq!((carried, replaced.failed.len()), (told, 0));
    assert_eq!(
        syncs_at_home(&organization, bob())[0].future_regions,
        Some(false),
        "the new sync omits the hidden boolean"
    );

    // Each hidden boolean is reported separately.
    for hide in
        [|sync: &mut DataSync| sync.future_regions = None, |sync: &mut DataSync| sync.all_ops_data_sources = None]
    {
        let mut theirs = full("theirs");
        hide(&mut theirs);
        let organization = administered().data_sync(alice(), region(HOME), theirs).build();
        let (from, to) = (organization.client(alice()), organization.client(bob()));
        let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
        let replaced = delegated_in(&organization).await.replace(bob(), carry).await.unwrap();
        assert_eq!((replaced.incomplete.len(), replaced.migrated.len()), (1, 1), "{replaced:?}");
    }

    // If AWS shows both booleans, nothing is reported.
    let organization = administered().data_sync(alice(), region(HOME), full("theirs")).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
    let replaced = delegated_in(&organization).await.replace(bob(), carry).await.unwrap();
    assert_eq!(replaced.incomplete, []);
}

#[tokio::test(start_paused = true)]
async fn replace_with_sync_added_after_listing_is_refused() {
    let organization = administered().data_sync(alice(), region(HOME), full("theirs")).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    let handle = delegated_in(&organization).await;
    organization.run_before(Operation::ListResourceDataSync, 2, |organization| {
        organization.add_data_sync(alice(), region(HOME), full("late"));
    });
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
    let (error, recovered) = failed(handle.replace(bob(), carry).await);
    let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{error}") };
    assert_eq!((syncs.len(), &syncs[0].id.name), (1, &name("late")));
    let shown = syncs[0].listed.as_ref().and_then(DataSync::definition);
    assert_eq!(shown, Some(definition("late")), "only this error holds the sync's definition");
    assert_eq!((way(&recovered), organization.write_count()), (RecoveredVariant::Unchanged, 0));
}

#[tokio::test(start_paused = true)]
async fn replace_with_sync_changed_after_listing_is_refused() {
    let created = |sync: DataSync, second| {
        let mut sync = sync;
        sync.created = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(second));
        sync
    };
    // Another caller changes the definition of the sync, or recreates the sync with another date.
    for changed in [created(from_region("theirs", "us-west-2"), 1), created(full("theirs"), 2)] {
        let organization = administered().data_sync(alice(), region(HOME), created(full("theirs"), 1)).build();
        let (from, to) = (organization.client(alice()), organization.client(bob()));
        let home = home();
        let handle = delegated_in(&organization).await;
        // One listing of the old account, two of the new one, and one before the deregistration.
        organization.run_before(Operation::ListResourceDataSync, 4, |organization| {
            organization.add_data_sync(alice(), region(HOME), changed);
        });
        let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
        let (error, recovered) = failed(handle.replace(bob(), carry).await);
        assert!(matches!(error.kind(), ErrorKind::DataSyncsExist { .. }), "{error}");
        assert_eq!((way(&recovered), organization.write_count()), (RecoveredVariant::Unchanged, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn replace_with_client_that_changes_account_is_refused() {
    let organization = administered().build();
    let mut from = crate::common::MockClient::new();
    let mut callers = [alice(), bob()].into_iter();
    from.expect_get_caller_identity().times(2).returning(move || Ok(CallerIdentity::new(callers.next().unwrap())));
    from.expect_list_resource_data_sync().returning(|_, _, _| Ok(Page::default()));
    let (to, home) = (organization.client(bob()), home());
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
    let (error, recovered) = failed(delegated_in(&organization).await.replace(bob(), carry).await);
    assert!(matches!(error.kind(), ErrorKind::DataSyncsNotChecked { account, .. } if *account == alice()), "{error}");
    assert_eq!((way(&recovered), organization.write_count()), (RecoveredVariant::Unchanged, 0));
}

#[tokio::test(start_paused = true)]
async fn replace_beyond_quota_of_new_account_is_refused() {
    // Number of Explorer and Inventory syncs in Bob's account, whether the migrated sync exists
    // there, and whether there is room.
    for (explorers, inventorys, there, room) in
        [(4, 0, false, true), (5, 0, false, false), (2, 2, false, true), (2, 3, false, false), (3, 3, true, true)]
    {
        let mut setting = UndocumentedBehavior::default();
        setting.sync_quota_is_shared = false;
        let start = administered().undocumented_behavior(setting).data_sync(alice(), region(HOME), full("theirs"));
        let start = (0..inventorys).fold(start, |start, number| {
            let inventorys = DataSync::new(name(&format!("inventory-{number}")), None);
            start.data_sync_of_type(SyncType::SyncToDestination, bob(), region(HOME), inventorys)
        });
        let organization = (0..explorers)
            .fold(start, |start, number| {
                let text = if there && number == 0 { "theirs".to_owned() } else { format!("own-{number}") };
                start.data_sync(bob(), region(HOME), full(&text))
            })
            .build();
        let (from, to) = (organization.client(alice()), organization.client(bob()));
        let home = home();
        let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
        match delegated_in(&organization).await.replace(bob(), carry).await {
            Ok(replaced) => assert!(room && replaced.failed.is_empty(), "{explorers} {inventorys}: {replaced:?}"),
            Err(failure) => {
                let (error, _) = failure.into_parts();
                let full = matches!(error.kind(), ErrorKind::SyncQuotaExceeded { .. });
                assert!(!room && full && organization.write_count() == 0, "{explorers} {inventorys}: {error}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn replace_after_concurrent_deregistration_keeps_syncs() {
    let organization = administered().data_sync(alice(), region(HOME), full("theirs")).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    let handle = delegated_in(&organization).await;
    organization.run_before(Operation::DeregisterDelegatedAdministrator, 1, |organization| {
        organization.deregister_administrator(alice());
    });
    organization.inject_fault(Operation::RegisterDelegatedAdministrator, 1, Fault::refused("AccessDeniedException"));
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
    let (error, recovered) = failed(handle.replace(bob(), carry).await);
    assert_eq!(
        (error.kind(), error.operation()),
        (&ErrorKind::AccessDenied, Some(Operation::RegisterDelegatedAdministrator))
    );
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    assert_eq!(observed.changes(), [], "the other actor made the change");
    assert_eq!(names_at_home(&organization, alice()), [name("theirs")]);
}

#[tokio::test(start_paused = true)]
async fn replace_in_thirty_regions_runs_concurrently() {
    let regions: Vec<Region> = (1..=30).map(|number| region(&format!("eu-test-{number}"))).collect();
    let start = administered().latency(Duration::from_secs(1));
    let start = regions.iter().fold(start, |start, at| start.data_sync(alice(), at.clone(), full("theirs")));
    let organization = start.build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let handle = delegated_in(&organization).await;
    organization.clear_calls();
    let begun = Instant::now();
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &regions };
    let replaced = handle.replace(bob(), carry).await.unwrap();
    assert_eq!((replaced.migrated.len(), replaced.failed.len()), (30, 0));
    // The duration does not depend on the number of Regions.
    assert_eq!(begun.elapsed(), Duration::from_secs(15));
    assert_eq!(organization.call_count(Operation::CreateResourceDataSync), 30);
    // Both clients at the start, the old client before the deregistration, the new one before the
    // write.
    assert_eq!(organization.call_count(Operation::GetCallerIdentity), 4);
}

#[tokio::test(start_paused = true)]
async fn replace_with_client_of_wrong_account_is_refused() {
    let organization = administered().data_sync(alice(), region(HOME), full("theirs")).build();
    let (alices, bobs) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    for (client, unseen, caller) in [(&bobs, alice(), bob()), (&alices, bob(), alice())] {
        let carry = SyncMigration::Migrate { from: client, to: client, regions: &home };
        let (error, recovered) = failed(delegated_in(&organization).await.replace(bob(), carry).await);
        assert!(
            matches!(error.kind(), ErrorKind::UnexpectedAccount { expected, found, .. }
                if (*expected, *found) == (unseen, caller)),
            "{error}"
        );
        assert_eq!((error.caller(), way(&recovered)), (Some(caller), RecoveredVariant::Unchanged));
    }
    assert_eq!(organization.write_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn write_refused_after_registering_is_retried() {
    let organization = administered().data_sync(alice(), region(HOME), full("theirs")).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::refused("AccessDeniedException"));
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
    let replaced = delegated_in(&organization).await.replace(bob(), carry).await.unwrap();
    assert_eq!((replaced.migrated.len(), replaced.failed.len()), (1, 0));
    assert_eq!(names_at_home(&organization, bob()), [name("theirs")]);
    assert_eq!(organization.call_count(Operation::CreateResourceDataSync), 2);

    // An update is retried as well.
    let start = trusting().service_linked_role(&ROLE_PRINCIPAL);
    let organization = start.data_sync(alice(), region(HOME), from_region("all", "us-west-2")).build();
    let client = organization.client(alice());
    let trusted = trusted_in(&organization).await;
    let mut delegated = trusted.register_delegated_administrator(alice()).await.unwrap();
    organization.inject_fault(Operation::UpdateResourceDataSync, 1, Fault::refused("AccessDeniedException"));
    let mut syncs = delegated.data_syncs(&client).await.unwrap();
    at_home(syncs.ensure(&definition("all"), &home).await.unwrap()).unwrap();
    assert_eq!(organization.call_count(Operation::UpdateResourceDataSync), 2);
}

#[tokio::test(start_paused = true)]
async fn replace_and_back_with_retained_sync_reuses_it() {
    for booleans_are_shown in [true, false] {
        let mut setting = UndocumentedBehavior::default();
        setting.deregistering_deletes_syncs = false;
        setting.sync_booleans_are_shown = booleans_are_shown;
        let organization =
            administered().undocumented_behavior(setting).data_sync(alice(), region(HOME), full("theirs")).build();
        let (alices, bobs) = (organization.client(alice()), organization.client(bob()));
        let home = home();
        let there = SyncMigration::Migrate { from: &alices, to: &bobs, regions: &home };
        let replaced = delegated_in(&organization).await.replace(bob(), there).await.unwrap();
        assert_eq!(names_at_home(&organization, alice()), [name("theirs")]);
        // The retained sync is reused in Alice's account.
        let back = SyncMigration::Migrate { from: &bobs, to: &alices, regions: &home };
        let replaced = replaced.handle.replace(alice(), back).await.unwrap();
        let [(_, Ok(carried))] = &replaced.migrated[..] else { panic!("{replaced:?}") };
        assert_eq!(matches!(carried, EnsureOutcome::Unchanged(_)), booleans_are_shown, "{carried:?}");
        assert_eq!(matches!(carried, EnsureOutcome::Updated(_)), !booleans_are_shown, "{carried:?}");
        assert_eq!((organization.administrators(), replaced.failed.len()), (vec![alice()], 0));
    }
}

#[tokio::test(start_paused = true)]
async fn ensure_refused_repeatedly_stops_at_wait_timeout() {
    let organization = trusting().service_linked_role(&ROLE_PRINCIPAL).build();
    let client = organization.client(alice());
    let trusted = trusted_in(&organization).await;
    let mut delegated = trusted.register_delegated_administrator(alice()).await.unwrap();
    for nth in 1..100 {
        organization.inject_fault(Operation::CreateResourceDataSync, nth, Fault::refused("AccessDeniedException"));
    }
    let home = [region("eu-central-1")];
    let regions = SourceRegions::new(home.clone()).unwrap();
    let sync = SyncDefinition::of_organization("all".parse().unwrap(), regions);
    let begun = Instant::now();
    let mut syncs = delegated.data_syncs(&client).await.unwrap();
    let error = syncs.ensure(&sync, &home).await.unwrap().into_result().unwrap_err();
    assert_eq!((error.kind(), error.retry_status()), (&ErrorKind::AccessDenied, RetryStatus::Exhausted));
    assert!(begun.elapsed() <= Duration::from_mins(3));
    assert!(organization.call_count(Operation::CreateResourceDataSync) < 30, "the retries have pauses");
}

#[tokio::test(start_paused = true)]
async fn recreate_after_lost_response_never_reports_missing_sync() {
    for late in 0..8 {
        let mut lags = vec![ReadDelay::NONE; 8];
        lags[late] = ReadDelay::Reads(9);
        let organization = trusting()
            .service_linked_role(&ROLE_PRINCIPAL)
            .data_sync(management(), region(HOME), full("all"))
            .read_delays_for(Operation::ListResourceDataSync, lags)
            .build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        organization.inject_fault(Operation::DeleteResourceDataSync, 1, Fault::ResponseLost);
        let mut syncs = trusted.data_syncs(&client).await.unwrap();
        let recreated = syncs.recreate(&definition("all"), &home()).await.unwrap().into_result();
        let there = !organization.data_syncs(management(), &home()[0]).is_empty();
        assert!(recreated.is_err() || there, "listing {late} is stale: success is reported and the sync is missing");
    }

    let organization = organization()
        .service_linked_role(&ROLE_PRINCIPAL)
        .read_delays_for(Operation::GetRole, [ReadDelay::NONE, ReadDelay::NONE, ReadDelay::Reads(9), ReadDelay::NONE])
        .build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    organization.inject_fault(Operation::DeleteServiceLinkedRole, 1, Fault::ResponseLost);
    let mut role = disabled.account_discovery_role(&client);
    if role.delete(SyncProtection::AllowLoss).await.is_ok() {
        role.ensure().await.unwrap();
        assert!(organization.has_role(management(), &ROLE), "success is reported and the role is missing");
    }
}

#[tokio::test(start_paused = true)]
async fn delete_with_lost_response_and_newer_sync_needs_one_read() {
    let organization = ready().data_sync(management(), region(HOME), full("all")).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    tokio::time::advance(Duration::from_mins(1)).await;
    organization.inject_fault(Operation::DeleteResourceDataSync, 1, Fault::ResponseLost);
    organization.run_before(Operation::ListResourceDataSync, 2, |organization| {
        organization.add_data_sync(management(), region(HOME), full("all"));
    });
    organization.clear_calls();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    assert!(at_home(syncs.delete(&name("all"), &home()).await.unwrap()).unwrap().is_some());
    assert_eq!(
        organization.call_count(Operation::ListResourceDataSync),
        2,
        "one listing before the deletion and one after it"
    );
    assert_eq!(organization.data_syncs(management(), &region(HOME)).len(), 1, "the newer sync stays");
}

#[tokio::test(start_paused = true)]
async fn delete_or_disable_after_recreation_sees_the_new_sync() {
    for protects in [false, true] {
        let late = [vec![ReadDelay::NONE; 6], vec![ReadDelay::Reads(9)], vec![ReadDelay::NONE; 9]].concat();
        let start = ready().data_sync(management(), region(HOME), full("all"));
        let organization = start.read_delays_for(Operation::ListResourceDataSync, late).build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        tokio::time::advance(Duration::from_mins(1)).await;
        let mut syncs = trusted.data_syncs(&client).await.unwrap();
        let anew = at_home(syncs.recreate(&definition("all"), &home()).await.unwrap()).unwrap().get().clone();
        if protects {
            let protect = SyncProtection::Protect { clients: &[&client], regions: &home() };
            let (error, _) = failed(trusted.disable(protect).await);
            let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{error}") };
            assert_eq!(
                syncs.iter().map(|sync| &sync.listed).collect::<Vec<_>>(),
                [&None],
                "no listing shows the sync yet"
            );
        } else {
            let deleted = at_home(syncs.delete(&name("all"), &home()).await.unwrap()).unwrap();
            assert_eq!(deleted, Some(anew));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn disable_after_other_deletion_protects_created_sync() {
    let late = [vec![ReadDelay::NONE; 5], vec![ReadDelay::Reads(9); 9]].concat();
    let start = ready().data_sync(management(), region(HOME), full("other"));
    let organization = start.read_delays_for(Operation::ListResourceDataSync, late).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    at_home(syncs.delete(&name("other"), &home()).await.unwrap()).unwrap();
    let protect = SyncProtection::Protect { clients: &[&client], regions: &home() };
    let (error, _) = failed(trusted.disable(protect).await);
    let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(syncs.iter().map(|sync| sync.id.name.as_str()).collect::<Vec<_>>(), ["all"]);
}

#[tokio::test(start_paused = true)]
async fn delete_with_lost_request_and_stale_read_fails() {
    // The listing after the deletion is stale; later listings are current.
    let lags = [vec![ReadDelay::NONE; 4], vec![ReadDelay::Reads(9)], vec![ReadDelay::NONE; 30]].concat();
    let organization = ready().read_delays_for(Operation::ListResourceDataSync, lags).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    organization.inject_fault(Operation::DeleteResourceDataSync, 1, Fault::RequestLost);
    let error = at_home(syncs.delete(&name("all"), &home()).await.unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.write_status()), (&ErrorKind::ResponseLost, WriteStatus::Unknown));
    let protect = SyncProtection::Protect { clients: &[&client], regions: &home() };
    let (error, _) = failed(trusted.disable(protect).await);
    assert!(matches!(error.kind(), ErrorKind::DataSyncsExist { .. }), "{error}");
    assert!(organization.is_trusted(&SSM));

    let lags = [vec![ReadDelay::NONE; 3], vec![ReadDelay::Reads(9)], vec![ReadDelay::NONE; 30]].concat();
    let organization = crate::common::organization().read_delays_for(Operation::GetRole, lags).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let mut role = disabled.account_discovery_role(&client);
    role.ensure().await.unwrap();
    organization.inject_fault(Operation::DeleteServiceLinkedRole, 1, Fault::RequestLost);
    let error = role.delete(SyncProtection::AllowLoss).await.unwrap_err();
    assert_eq!((error.kind(), error.write_status()), (&ErrorKind::ResponseLost, WriteStatus::Unknown));
    assert!(role.get().await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn observe_after_deletion_by_others_clears_own_records() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    organization.remove_data_sync(management(), &home()[0], &name("all"));
    let mut trusted = expect_trusted(trusted.into_unobserved().observe().await.unwrap());
    let begun = Instant::now();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    assert_eq!(at_home(syncs.delete(&name("all"), &home()).await.unwrap()).unwrap(), None);
    let made = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    assert!(matches!(made, EnsureOutcome::Created(_)), "{made:?}");
    organization.remove_data_sync(management(), &home()[0], &name("all"));
    let trusted = expect_trusted(trusted.into_unobserved().observe().await.unwrap());
    trusted.disable(SyncProtection::Protect { clients: &[&client], regions: &home() }).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO, "there is no wait");

    let organization = trusting().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    trusted.account_discovery_role(&client).ensure().await.unwrap();
    organization.remove_role(management(), &ROLE);
    let mut trusted = expect_trusted(trusted.into_unobserved().observe().await.unwrap());
    let mut role = trusted.account_discovery_role(&client);
    assert_eq!(role.get().await.unwrap(), None);
    assert!(matches!(role.ensure().await.unwrap(), EnsureOutcome::Created(_)));
}

#[tokio::test(start_paused = true)]
async fn create_refused_after_own_deletion_is_retried() {
    for code in ["ResourceDataSyncAlreadyExistsException", "ResourceDataSyncCountExceededException"] {
        let organization = ready().data_sync(management(), region(HOME), full("all")).build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::refused(code));
        let mut syncs = trusted.data_syncs(&client).await.unwrap();
        let made = at_home(syncs.recreate(&definition("all"), &home()).await.unwrap()).unwrap();
        assert!(matches!(made, EnsureOutcome::Created(_)), "{code}: {made:?}");
        assert_eq!(organization.call_count(Operation::CreateResourceDataSync), 2, "{code}");
    }
    // The creation is not retried if syncs of other callers reach the quota.
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let code = "ResourceDataSyncCountExceededException";
    organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::refused(code));
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::SyncQuotaExceeded { .. }), "{error}");

    let organization =
        crate::common::organization().service_linked_role(&ROLE_PRINCIPAL).role_deletion(Duration::ZERO).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let mut role = disabled.account_discovery_role(&client);
    role.delete(SyncProtection::AllowLoss).await.unwrap();
    organization.inject_fault(Operation::CreateServiceLinkedRole, 1, Fault::refused("InvalidInput"));
    assert!(matches!(role.ensure().await.unwrap(), EnsureOutcome::Created(_)));
    assert_eq!(organization.call_count(Operation::CreateServiceLinkedRole), 2);
}

#[tokio::test(start_paused = true)]
async fn replace_with_stale_listing_skips_deleted_sync() {
    let lags = [vec![ReadDelay::NONE; 2], vec![ReadDelay::Reads(9)], vec![ReadDelay::NONE; 30]].concat();
    let organization = administered()
        .data_sync(alice(), region(HOME), full("theirs"))
        .read_delays_for(Operation::ListResourceDataSync, lags)
        .build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let mut delegated = delegated_in(&organization).await;
    let mut syncs = delegated.data_syncs(&from).await.unwrap();
    at_home(syncs.delete(&name("theirs"), &home()).await.unwrap()).unwrap();
    let replaced =
        delegated.replace(bob(), SyncMigration::Migrate { from: &from, to: &to, regions: &home() }).await.unwrap();
    assert!(replaced.migrated.is_empty() && replaced.failed.is_empty(), "{replaced:?}");
    assert_eq!(syncs_at_home(&organization, bob()), []);
}

#[tokio::test(start_paused = true)]
async fn into_result_with_failed_migration_returns_error() {
    let organization = administered()
        .data_sync(alice(), region(HOME), full("one"))
        .data_sync(alice(), region(HOME), full("two"))
        .build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home() };
    organization.inject_fault(Operation::CreateResourceDataSync, 1, Fault::refused("InternalServerError"));
    let replaced = delegated_in(&organization).await.replace(bob(), carry).await.unwrap();
    assert_eq!(replaced.failed.len(), 1);
    let (error, recovered) = failed(replaced.into_result());
    assert_eq!(error.operation(), Some(Operation::CreateResourceDataSync));
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    let lost = observed.changes().iter().map(|change| match &change.kind {
        ChangeKind::AdministratorDeregistered { syncs, .. } => syncs.recorded().len(),
        _ => 0,
    });
    assert_eq!(lost.sum::<usize>(), 2, "both syncs are recorded");

    // If no creation could be sent, the error names the failed call.
    let organization = administered().data_sync(alice(), region(HOME), full("one")).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home() };
    organization.inject_fault(Operation::GetCallerIdentity, 5, Fault::refused("ExpiredToken"));
    let replaced = delegated_in(&organization).await.replace(bob(), carry).await.unwrap();
    assert_eq!((replaced.migrated.len(), replaced.failed.len()), (1, 1), "{replaced:?}");
    let (error, _) = failed(replaced.into_result());
    assert_eq!(error.operation(), Some(Operation::GetCallerIdentity));

    let organization = administered().data_sync(alice(), region(HOME), full("one")).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let carry = SyncMigration::Migrate { from: &from, to: &to, regions: &home() };
    let replaced = delegated_in(&organization).await.replace(bob(), carry).await.unwrap();
    assert_eq!(replaced.into_result().unwrap().administrator().account, bob());
}
