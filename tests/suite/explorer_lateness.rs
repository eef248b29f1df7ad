//! Explorer's data syncs, role and hand-over where listings are late, replies are lost and rivals are about.
#![cfg(feature = "sim")]

use std::time::{Duration, SystemTime};

use crate::common::{
    SSM, Way, alice, bob, delegated, delegated_in, disabled_in, expect_trusted, failed, management, organization,
    organization_sync, region, trusted_in, trusting, way,
};
use ssm_organizations::ports::{
    CallerIdentity, DataSync, IamApi, Operation, Page, SourceRegions, SyncDefinition, SyncSource, SyncSourceType,
    SyncType, SystemsManagerApi, SystemsManagerClient,
};
use ssm_organizations::sim::{self, Fault, Lag, Undocumented};
use ssm_organizations::{
    AccountId, Applied, ByRegion, Certainty, ChangeKind, Error, ErrorKind, Explorer, Handover, Integration, Recovered,
    Region, Retry, RoleEnsured, RoleName, ServicePrincipal, SyncEnsured, SyncName, Syncs, SyncsReport,
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

/// From the home Region alone.
fn definition(text: &str) -> SyncDefinition {
    SyncDefinition::of_organization(name(text), SourceRegions::new(home()).unwrap())
}

/// A sync from one Region, in full.
fn from_region(text: &str, source: &str) -> DataSync {
    let mut sync = organization_sync(text);
    sync.regions = vec![region(source)];
    sync.future_regions = Some(false);
    sync.all_ops_data_sources = Some(false);
    sync
}

/// What [`definition`] defines, in full.
fn full(text: &str) -> DataSync {
    from_region(text, HOME)
}

/// A sync that is no concern of the organization.
fn of_one_account(text: &str) -> DataSync {
    let mut sync = full(text);
    sync.source_type = Some(SyncSourceType::SingleAccountMultiRegions);
    sync
}

/// Trusted, with the role that syncs need.
fn ready() -> sim::Builder {
    trusting().role_for(&ROLE_PRINCIPAL)
}

/// The same, administered by Alice.
fn administered() -> sim::Builder {
    delegated().role_for(&ROLE_PRINCIPAL)
}

/// AWS does not show the booleans of a sync.
fn hidden() -> Undocumented {
    let mut hidden = Undocumented::default();
    hidden.sync_booleans_are_shown = false;
    hidden
}

/// The home Region's answer.
fn at_home<T>(answers: ByRegion<T>) -> Result<T, Error> {
    answers.into_inner().remove(&region(HOME)).unwrap()
}

fn syncs_at_home(organization: &sim::Organization, account: AccountId) -> Vec<DataSync> {
    organization.data_syncs(account, &region(HOME))
}

fn names_at_home(organization: &sim::Organization, account: AccountId) -> Vec<SyncName> {
    syncs_at_home(organization, account).into_iter().map(|sync| sync.name).collect()
}

// Syncs: what listings show, and what they do not show yet.

#[tokio::test(start_paused = true)]
async fn a_lost_creation_and_a_rivals_other_sync_are_no_success() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    organization.fault(Operation::CreateResourceDataSync, 1, Fault::LostBefore);
    organization.before(Operation::CreateResourceDataSync, 1, |organization| {
        organization.add_data_sync(management(), region(HOME), from_region("all", "us-west-2"));
    });
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.applied()), (&ErrorKind::Lost, Applied::Unknown));
    assert_eq!((trusted.changes().len(), trusted.changes()[0].certainty), (1, Certainty::Maybe));
    assert_eq!(organization.writes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rivals_other_sync_is_told() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    organization.before(Operation::CreateResourceDataSync, 1, |organization| {
        organization.add_data_sync(management(), region(HOME), from_region("all", "us-west-2"));
    });
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.applied()), (&ErrorKind::SyncDiffers, Applied::No));
    assert_eq!(error.code(), Some("ResourceDataSyncAlreadyExistsException"));
    assert_eq!(trusted.changes(), [], "somebody else's");
}

#[tokio::test(start_paused = true)]
async fn a_recreated_sync_is_not_taken_for_the_one_that_went() {
    // Another one, and one that is already as it is to be; and any one of the listings shows what has gone by then.
    for source in ["us-west-2", HOME] {
        for late in 0..8 {
            let lags = (0..8).map(|listing| if listing == late { Lag::Reads(8) } else { Lag::NONE });
            let organization = ready()
                .data_sync(management(), region(HOME), from_region("all", source))
                .lags_of(Operation::ListResourceDataSync, lags)
                .build();
            let client = organization.management_client();
            let mut trusted = trusted_in(&organization).await;
            let mut syncs = trusted.data_syncs(&client).await.unwrap();
            let recreated = at_home(syncs.recreate(&definition("all"), &home()).await.unwrap()).unwrap();
            let SyncEnsured::Created(sync) = recreated else { panic!("{source} {late}: {recreated:?}") };
            assert_eq!(sync.regions, home(), "{source} {late}");
            let [deleted, created] = trusted.changes() else { panic!("{:?}", trusted.changes()) };
            assert!(
                matches!(&deleted.kind, ChangeKind::DataSyncDeleted { before, .. } if before.regions == [region(source)])
            );
            assert!(
                matches!(&created.kind, ChangeKind::DataSyncCreated { created, .. } if *created == sync.created),
                "with its own date"
            );
            assert_eq!((names_at_home(&organization, management()), organization.writes()), (vec![name("all")], 2));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_that_no_listing_shows_yet_is_waited_for() {
    let organization = ready().lag(Duration::from_secs(5)).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    // A run that was killed right after it.
    client.create_resource_data_sync(&region(HOME), &definition("all")).await.unwrap();
    let begun = Instant::now();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let ensured = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    assert!(matches!(ensured, SyncEnsured::AlreadySo(_)), "{ensured:?}");
    assert_eq!((trusted.changes(), begun.elapsed()), (&[][..], Duration::from_secs(7)));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_no_listing_shows_yet_is_waited_for() {
    let organization = ready().data_sync(management(), region(HOME), full("all")).lag(Duration::from_secs(5)).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    client.delete_resource_data_sync(&region(HOME), &name("all"), SyncType::SyncFromSource).await.unwrap();
    let begun = Instant::now();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    assert_eq!(at_home(syncs.delete(&name("all"), &home()).await.unwrap()).unwrap(), None);
    assert_eq!((trusted.changes(), begun.elapsed()), (&[][..], Duration::from_secs(7)));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_is_refused_because_the_sync_is_gone_finds_none() {
    let organization = ready()
        .data_sync(management(), region(HOME), full("all"))
        .lags_of(Operation::ListResourceDataSync, [Lag::Reads(1)])
        .build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    client.delete_resource_data_sync(&region(HOME), &name("all"), SyncType::SyncFromSource).await.unwrap();
    organization.forget_calls();
    let begun = Instant::now();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    assert_eq!(at_home(syncs.delete(&name("all"), &home()).await.unwrap()).unwrap(), None);
    assert_eq!((trusted.changes(), begun.elapsed()), (&[][..], Duration::ZERO));
    assert_eq!(organization.count(Operation::DeleteResourceDataSync), 1, "refused");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_no_listing_shows_in_time_is_said_to_be_applied() {
    let organization = ready().lag(Duration::from_secs(100)).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let created = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
    assert_eq!(
        (created.kind(), created.applied(), created.retry()),
        (&ErrorKind::NotSettled, Applied::Yes, Retry::Spent)
    );
    // What was created, and not seen, is there to be deleted all the same.
    let deleted = at_home(syncs.delete(&name("all"), &home()).await.unwrap()).unwrap_err();
    assert_eq!(
        (deleted.kind(), deleted.applied(), deleted.operation()),
        (&ErrorKind::NotSettled, Applied::Yes, Some(Operation::DeleteResourceDataSync))
    );
    assert_eq!(syncs_at_home(&organization, management()), []);
    assert_eq!(trusted.changes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_was_created_and_never_shows_is_not_taken_for_none() {
    let organization = ready().lag(Duration::from_mins(5)).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let _ = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
    organization.forget_calls();
    for error in [
        at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err(),
        at_home(syncs.delete(&name("all"), &home()).await.unwrap()).unwrap_err(),
    ] {
        let listing = Some(Operation::ListResourceDataSync);
        assert_eq!(
            (error.kind(), error.applied(), error.operation()),
            (&ErrorKind::NotSettled, Applied::No, listing),
            "nothing was sent this time"
        );
    }
    assert_eq!(organization.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_is_denied_for_good_is_not_repeated() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    // The two for the room, and then the one that would show it.
    organization.fault(Operation::ListResourceDataSync, 3, Fault::refused("AccessDeniedException"));
    let begun = Instant::now();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.applied()), (&ErrorKind::NotSettled, Applied::Yes));
    assert!(error.causes()[0].contains("AccessDeniedException"), "{error:#}");
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn our_own_sync_that_no_listing_shows_yet_is_protected() {
    let late = [Lag::Time(Duration::from_secs(20))];
    let organization = ready().lags_of(Operation::ListResourceDataSync, late).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await.settle_within(Duration::ZERO);
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NotSettled);
    let (error, recovered) = failed(trusted.disable(Syncs::Protect { ssm: &[&client], regions: &home() }).await);
    let ErrorKind::SyncsRemain { syncs, .. } = error.kind() else { panic!("{error}") };
    assert_eq!((syncs.len(), &syncs[0].at.name, way(&recovered)), (1, &name("all"), Way::Unchanged));
    assert_eq!(syncs[0].shown, None, "only our own change says that it is there");
    assert!(organization.is_trusted(&SSM));
}

#[tokio::test(start_paused = true)]
async fn our_own_sync_is_protected_only_where_somebody_looks() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let _ = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    let elsewhere = [region("us-east-1")];
    trusted.disable(Syncs::Protect { ssm: &[&client], regions: &elsewhere }).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn our_own_sync_that_went_with_the_delegation_is_made_again_at_once() {
    let organization = administered().build();
    let client = organization.client(alice());
    let mut delegated = delegated_in(&organization).await;
    let begun = Instant::now();
    for _ in 0..2 {
        let mut syncs = delegated.data_syncs(&client).await.unwrap();
        let made = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
        assert!(matches!(made, SyncEnsured::Created(_)), "{made:?}");
        let trusted = delegated.deregister(Syncs::Forfeit).await.unwrap();
        assert_eq!(syncs_at_home(&organization, alice()), []);
        delegated = trusted.register_delegated_administrator(&alice()).await.unwrap();
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn another_accounts_delegation_takes_none_of_our_own_syncs() {
    // The listing is old once Alice is no administrator: the sync was made all the same.
    let lags = [vec![Lag::NONE; 3], vec![Lag::Reads(9), Lag::NONE]].concat();
    let organization = administered().lags_of(Operation::ListResourceDataSync, lags).build();
    let client = organization.management_client();
    let mut delegated = delegated_in(&organization).await;
    let mut syncs = delegated.data_syncs(&client).await.unwrap();
    let _ = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    let mut trusted = delegated.deregister(Syncs::Forfeit).await.unwrap();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let again = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    assert!(matches!(again, SyncEnsured::AlreadySo(_)), "{again:?}");
    assert_eq!(organization.count(Operation::CreateResourceDataSync), 1);
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_was_lost_is_made_again_at_once() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    organization.fault(Operation::CreateResourceDataSync, 1, Fault::LostBefore);
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Lost);
    let begun = Instant::now();
    let made = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    assert!(matches!(made, SyncEnsured::Created(_)), "{made:?}");
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn our_own_sync_of_a_single_account_is_no_concern_of_the_organization() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let own = SyncDefinition::new(name("own"), SyncSource::SingleAccount, SourceRegions::new(home()).unwrap());
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    at_home(syncs.ensure(&own, &home()).await.unwrap()).unwrap();
    trusted.disable(Syncs::Protect { ssm: &[&client], regions: &home() }).await.unwrap();
    assert_eq!(names_at_home(&organization, management()), [name("own")]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_right_after_enabling_is_late() {
    let organization = organization().build();
    let client = organization.management_client();
    let (sync, home) = (definition("all"), home());
    let explorer = Explorer::new().with_role(&client).with_sync(&client, &sync, &home);
    let code = "ResourceDataSyncInvalidConfigurationException";
    organization.fault(Operation::CreateResourceDataSync, 1, Fault::refused(code));
    let trusted = disabled_in(&organization).await.set_up_explorer(&explorer).await.unwrap();
    assert_eq!((trusted.changes().len(), organization.count(Operation::CreateResourceDataSync)), (3, 2));

    // So it is after enabling alone, with a role that is an old acquaintance, and of an update as of a creation.
    for (operation, left) in
        [(Operation::CreateResourceDataSync, None), (Operation::UpdateResourceDataSync, Some("us-west-2"))]
    {
        let start = crate::common::organization().role_for(&ROLE_PRINCIPAL);
        let start = match left {
            Some(source) => start.data_sync(management(), region(HOME), from_region("all", source)),
            None => start,
        };
        let organization = start.build();
        let client = organization.management_client();
        for nth in 1..=3 {
            organization.fault(operation, nth, Fault::refused(code));
        }
        let begun = Instant::now();
        let mut trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
        let mut syncs = trusted.data_syncs(&client).await.unwrap();
        at_home(syncs.ensure(&sync, &home).await.unwrap()).unwrap();
        assert_eq!((trusted.changes().len(), organization.count(operation)), (2, 4), "{operation}");
        assert_eq!(begun.elapsed(), Duration::from_secs(1 + 2 + 4), "{operation}");
    }

    // It is given up in time, and then the refusal stands.
    let organization = crate::common::organization().role_for(&ROLE_PRINCIPAL).build();
    let client = organization.management_client();
    for nth in 1..100 {
        organization.fault(Operation::CreateResourceDataSync, nth, Fault::refused(code));
    }
    let begun = Instant::now();
    let mut trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&sync, &home).await.unwrap()).unwrap_err();
    assert_eq!((error.code(), error.retry(), error.applied()), (Some(code), Retry::Spent, Applied::No));
    assert!(begun.elapsed() <= Duration::from_mins(1));

    // Where it is not certain that it was us, it is not taken for late.
    let organization = crate::common::organization().role_for(&ROLE_PRINCIPAL).build();
    let client = organization.management_client();
    organization.fault(Operation::EnableAwsServiceAccess, 1, Fault::LostAfter);
    organization.fault(Operation::CreateResourceDataSync, 1, Fault::refused(code));
    let mut trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&sync, &home).await.unwrap()).unwrap_err();
    assert_eq!((error.code(), organization.count(Operation::CreateResourceDataSync)), (Some(code), 1));

    // A denial says nothing of trusted access.
    let organization = crate::common::organization().role_for(&ROLE_PRINCIPAL).build();
    let client = organization.management_client();
    organization.fault(Operation::CreateResourceDataSync, 1, Fault::refused("AccessDeniedException"));
    let mut trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&sync, &home).await.unwrap()).unwrap_err();
    assert_eq!((error.kind(), organization.count(Operation::CreateResourceDataSync)), (&ErrorKind::AccessDenied, 1));

    // Whoever changed nothing before is refused once.
    let organization = ready().build();
    let client = organization.management_client();
    organization.fault(Operation::CreateResourceDataSync, 1, Fault::refused(code));
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&sync, &home).await.unwrap()).unwrap_err();
    assert_eq!((error.code(), organization.count(Operation::CreateResourceDataSync)), (Some(code), 1));
}

// Syncs: what is alike and what is not.

#[tokio::test(start_paused = true)]
async fn each_boolean_alone_is_a_difference() {
    let wanted = definition("all");
    for wanted in [wanted.clone().including_future_regions(), wanted.enabling_all_ops_data_sources()] {
        let organization = ready().data_sync(management(), region(HOME), full("all")).build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        let mut syncs = trusted.data_syncs(&client).await.unwrap();
        let ensured = at_home(syncs.ensure(&wanted, &home()).await.unwrap()).unwrap();
        let SyncEnsured::Updated(sync) = ensured else { panic!("{ensured:?}") };
        assert_eq!(sync.future_regions, Some(wanted.includes_future_regions()));
        assert_eq!(sync.all_ops_data_sources, Some(wanted.enables_all_ops_data_sources()));
        assert_eq!(organization.writes(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn each_boolean_alone_that_aws_does_not_show_is_written() {
    let (mut no_future, mut no_sources) = (full("all"), full("all"));
    no_future.future_regions = None;
    no_sources.all_ops_data_sources = None;
    for found in [no_future, no_sources] {
        let organization = ready().data_sync(management(), region(HOME), found).build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        let mut syncs = trusted.data_syncs(&client).await.unwrap();
        let ensured = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
        assert!(matches!(ensured, SyncEnsured::Updated(_)), "{ensured:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_not_known_is_left_to_aws() {
    for source in [None, Some(SyncSourceType::Other("AwsBrandNew".to_owned()))] {
        let mut found = full("all");
        found.source_type = source;
        let organization = ready().data_sync(management(), region(HOME), found).build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        let mut syncs = trusted.data_syncs(&client).await.unwrap();
        let error = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
        // AWS was asked to update it, and it was AWS that said no.
        assert_eq!(error.code(), Some("ResourceDataSyncInvalidConfigurationException"), "{error}");
        assert_eq!((error.kind(), organization.count(Operation::UpdateResourceDataSync)), (&ErrorKind::Refused, 1));
        assert_eq!(trusted.changes(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_is_on_record_with_the_syncs_own_date_and_what_it_was() {
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
    assert_eq!((created, &**was, change.certainty), (&before.created, &before, Certainty::Did));
}

#[tokio::test(start_paused = true)]
async fn a_lost_update_of_what_aws_does_not_show_is_no_success() {
    let organization = ready().undocumented(hidden()).data_sync(management(), region(HOME), full("all")).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    organization.fault(Operation::UpdateResourceDataSync, 1, Fault::LostBefore);
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let wanted = definition("all").including_future_regions();
    let error = at_home(syncs.ensure(&wanted, &home()).await.unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.applied()), (&ErrorKind::Lost, Applied::Unknown));
    let again = at_home(syncs.ensure(&wanted, &home()).await.unwrap()).unwrap();
    assert!(matches!(again, SyncEnsured::Updated(_)), "{again:?}");
    assert_eq!(organization.count(Operation::UpdateResourceDataSync), 2);
    assert_eq!(syncs_at_home(&organization, management())[0].future_regions, Some(true));
}

#[tokio::test(start_paused = true)]
async fn only_its_date_shows_a_lost_update_of_what_aws_does_not_show() {
    let organization = ready().undocumented(hidden()).data_sync(management(), region(HOME), full("all")).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let wanted = definition("all").including_future_regions();
    organization.fault(Operation::UpdateResourceDataSync, 1, Fault::LostAfter);
    let updated = at_home(syncs.ensure(&wanted, &home()).await.unwrap()).unwrap();
    assert!(matches!(&updated, SyncEnsured::Updated(sync) if sync.modified.is_some()), "{updated:?}");
    // The date is from the last one.
    organization.fault(Operation::UpdateResourceDataSync, 1, Fault::LostBefore);
    let error = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.applied()), (&ErrorKind::Lost, Applied::Unknown));
}

#[tokio::test(start_paused = true)]
async fn an_accepted_update_of_what_aws_does_not_show_is_not_waited_for() {
    let start = ready().undocumented(hidden()).lag(Duration::from_secs(5));
    let organization = start.data_sync(management(), region(HOME), full("all")).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let begun = Instant::now();
    let wanted = definition("all").including_future_regions();
    let updated = at_home(syncs.ensure(&wanted, &home()).await.unwrap()).unwrap();
    assert!(matches!(updated, SyncEnsured::Updated(_)), "{updated:?}");
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn another_wish_about_what_aws_does_not_show_is_written() {
    let organization = ready().undocumented(hidden()).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let _ = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    let wider = definition("all").including_future_regions();
    let ensured = at_home(syncs.ensure(&wider, &home()).await.unwrap()).unwrap();
    assert!(matches!(ensured, SyncEnsured::Updated(_)), "{ensured:?}");
    assert_eq!(organization.count(Operation::UpdateResourceDataSync), 1);
    assert_eq!(syncs_at_home(&organization, management())[0].future_regions, Some(true));

    // And back; a wish about another sync is forgotten by neither.
    let _ = at_home(syncs.ensure(&definition("other"), &home()).await.unwrap()).unwrap();
    let ensured = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    assert!(matches!(ensured, SyncEnsured::Updated(_)), "{ensured:?}");
    assert_eq!(syncs_at_home(&organization, management())[0].future_regions, Some(false));
    for text in ["all", "other"] {
        let ensured = at_home(syncs.ensure(&definition(text), &home()).await.unwrap()).unwrap();
        assert!(matches!(ensured, SyncEnsured::AlreadySo(_)), "{ensured:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_handle_writes_what_aws_does_not_show_once_however_often_it_is_completed() {
    let organization = ready().undocumented(hidden()).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let (sync, home) = (definition("all"), home());
    let explorer = Explorer::new().with_sync(&client, &sync, &home);
    trusted.complete_explorer(&explorer).await.unwrap();
    trusted.complete_explorer(&explorer).await.unwrap();
    assert_eq!((organization.writes(), trusted.changes().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn inventorys_five_syncs_leave_room_where_they_do_not_count() {
    let mut setting = Undocumented::default();
    setting.sync_quota_is_shared = false;
    let start = (1..=5).fold(ready().undocumented(setting), |start, number| {
        let inventorys = DataSync::new(name(&format!("inventory-{number}")), None);
        start.data_sync_of_type(SyncType::SyncToDestination, management(), region(HOME), inventorys)
    });
    let organization = start.build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let ensured = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    assert!(matches!(ensured, SyncEnsured::Created(_)), "{ensured:?}");
    assert_eq!(syncs_at_home(&organization, management()).len(), 6);
}

// Syncs: what cannot be is refused before anything is written.

#[tokio::test(start_paused = true)]
async fn every_opt_in_region_is_closed_to_the_administrator() {
    let organization = administered().build();
    let regions = ["af-south-1", "ap-east-1", "eu-south-1", "me-south-1"].map(region);
    let theirs = organization.client(alice());
    let mut handle = delegated_in(&organization).await;
    let mut syncs = handle.data_syncs(&theirs).await.unwrap();
    let ensured = syncs.ensure(&definition("all"), &regions).await.unwrap();
    let kinds: Vec<_> = ensured.failures().map(|(region, error)| (region.clone(), error.kind().clone())).collect();
    assert_eq!(kinds, regions.map(|region| (region, ErrorKind::OptInRegion)));
    assert_eq!(organization.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_recreation_that_cannot_succeed_deletes_nothing() {
    let at = [region("eu-south-1")];
    let organization = administered().data_sync(alice(), at[0].clone(), of_one_account("all")).build();
    let theirs = organization.client(alice());
    let mut handle = delegated_in(&organization).await;
    let mut syncs = handle.data_syncs(&theirs).await.unwrap();
    let error = syncs.recreate(&definition("all"), &at).await.unwrap().into_result().unwrap_err();
    assert_eq!((error.kind(), error.region(), error.caller()), (&ErrorKind::OptInRegion, Some(&at[0]), Some(alice())));
    assert_eq!((organization.writes(), organization.data_syncs(alice(), &at[0]).len()), (0, 1));

    // Five others: without its place it could not come back.
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
            (organization.writes(), syncs_at_home(&organization, management()).len()),
            if recreated { (2, 5) } else { (0, 6) }
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_recreation_by_an_account_that_may_not_is_refused_before_any_call() {
    let organization = administered().data_sync(bob(), region(HOME), of_one_account("all")).build();
    let bobs = organization.client(bob());
    let mut handle = delegated_in(&organization).await;
    let mut syncs = handle.data_syncs(&bobs).await.unwrap();
    organization.forget_calls();
    let error = syncs.recreate(&definition("all"), &home()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.account(), error.caller()),
        (&ErrorKind::NotAnAdministrator, Some(bob()), Some(bob()))
    );
    assert_eq!(organization.calls(), []);
    assert_eq!(names_at_home(&organization, bob()), [name("all")]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_deregistration_leaves_the_syncs_to_be_listed_in_full() {
    let organization = administered().data_sync(alice(), region(HOME), full("theirs")).build();
    let theirs = organization.client(alice());
    let protect = Syncs::Protect { ssm: &[&theirs], regions: &home() };
    let (error, recovered) = failed(delegated_in(&organization).await.deregister(protect).await);
    assert!(
        matches!(error.kind(), ErrorKind::SyncsRemain { syncs, .. } if syncs[0].at.name == name("theirs")),
        "{error}"
    );
    let Recovered::Unchanged(mut handle) = recovered else { panic!("{recovered:?}") };
    let listed = at_home(handle.data_syncs(&theirs).await.unwrap().list(&home()).await.unwrap()).unwrap();
    assert_eq!((listed[0].definition(), organization.writes()), (Some(definition("theirs")), 0));
}

// The role.

#[tokio::test(start_paused = true)]
async fn every_sync_of_the_management_account_keeps_the_role() {
    for serves in [true, false] {
        let mut setting = Undocumented::default();
        setting.role_serves_single_accounts = serves;
        let organization = organization()
            .role_for(&ROLE_PRINCIPAL)
            .data_sync(management(), region(HOME), of_one_account("own"))
            .data_sync(alice(), region(HOME), of_one_account("hers"))
            .data_sync_of_type(SyncType::SyncToDestination, management(), region(HOME), full("inventory"))
            .undocumented(setting)
            .build();
        let (client, alices) = (organization.management_client(), organization.client(alice()));
        let mut disabled = disabled_in(&organization).await;
        let protect = Syncs::Protect { ssm: &[&alices, &client], regions: &home() };
        let error = disabled.account_discovery_role(&client).delete(protect).await.unwrap_err();
        let ErrorKind::SyncsRemain { syncs, .. } = error.kind() else { panic!("{error}") };
        let [own] = &syncs[..] else { panic!("{error}") };
        assert_eq!((own.at.account, &own.at.name), (management(), &name("own")));
        assert_eq!(own.shown.as_ref().unwrap().source_type, Some(SyncSourceType::SingleAccountMultiRegions));
        assert_eq!(organization.writes(), 0);

        // Whoever does not ask is told by AWS, if AWS minds.
        let deleted = disabled.account_discovery_role(&client).delete(Syncs::Forfeit).await;
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
async fn a_role_that_was_made_and_does_not_show_yet_is_not_made_again() {
    let organization = trusting().lag(Duration::from_secs(5)).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut role = trusted.account_discovery_role(&client);
    let RoleEnsured::Created(created) = role.ensure().await.unwrap() else { panic!("created") };
    assert!(matches!(role.ensure().await.unwrap(), RoleEnsured::AlreadyThere(found) if found == created));
    assert_eq!(organization.writes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_was_made_is_there_whatever_an_old_answer_says() {
    let lags = [Lag::NONE, Lag::NONE, Lag::Reads(9), Lag::NONE];
    let organization = trusting().lags_of(Operation::GetRole, lags).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut role = trusted.account_discovery_role(&client);
    let RoleEnsured::Created(created) = role.ensure().await.unwrap() else { panic!("created") };
    let begun = Instant::now();
    assert_eq!(role.look_up().await.unwrap(), Some(created));
    assert_eq!(begun.elapsed(), Duration::from_secs(1), "asked again");

    // One that stays old is no answer at all.
    let lags = [vec![Lag::NONE; 2], vec![Lag::Reads(99); 30]].concat();
    let organization = trusting().lags_of(Operation::GetRole, lags).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut role = trusted.account_discovery_role(&client);
    role.ensure().await.unwrap();
    let begun = Instant::now();
    let error = role.look_up().await.unwrap_err();
    assert_eq!((error.kind(), error.applied(), error.retry()), (&ErrorKind::NotSettled, Applied::No, Retry::Spent));
    assert!(begun.elapsed() > Duration::from_secs(45), "as long as the user has patience");
}

#[tokio::test(start_paused = true)]
async fn a_role_that_aws_accepted_and_nobody_has_seen_is_waited_for_after_an_observation_too() {
    let lags = [Lag::NONE, Lag::Reads(9), Lag::Reads(9), Lag::NONE];
    let organization = trusting().lags_of(Operation::GetRole, lags).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await.settle_within(Duration::ZERO);
    let error = trusted.account_discovery_role(&client).ensure().await.unwrap_err();
    assert_eq!((error.kind(), error.applied()), (&ErrorKind::NotSettled, Applied::Yes));
    let mut trusted = expect_trusted(trusted.forget().observe().await.unwrap()).settle_within(Duration::from_secs(9));
    let found = trusted.account_discovery_role(&client).look_up().await.unwrap();
    assert!(found.is_some(), "an old answer does not deny it");
}

#[tokio::test(start_paused = true)]
async fn a_role_whose_creation_was_lost_is_made_again_at_once() {
    let organization = trusting().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    organization.fault(Operation::CreateServiceLinkedRole, 1, Fault::LostBefore);
    let mut role = trusted.account_discovery_role(&client);
    assert_eq!(*role.ensure().await.unwrap_err().kind(), ErrorKind::Lost);
    let begun = Instant::now();
    assert!(matches!(role.ensure().await.unwrap(), RoleEnsured::Created(_)));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_others_took_away_is_not_taken_for_the_new_one() {
    let lags = [Lag::NONE, Lag::Reads(9), Lag::NONE];
    let organization = trusting().role_for(&ROLE_PRINCIPAL).lags_of(Operation::GetRole, lags).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    organization.remove_role(management(), &ROLE);
    let RoleEnsured::Created(created) = trusted.account_discovery_role(&client).ensure().await.unwrap() else {
        panic!("created")
    };
    assert_eq!(client.get_role(&ROLE).await.unwrap().map(|role| role.id), Some(created.id));
}

#[tokio::test(start_paused = true)]
async fn a_role_that_others_made_is_waited_for() {
    let lags = [Lag::NONE, Lag::Reads(9), Lag::NONE];
    for code in sim::DuplicateRole::ALL {
        let mut setting = Undocumented::default();
        setting.duplicate_role = *code;
        let organization = trusting().undocumented(setting).lags_of(Operation::GetRole, lags).build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        organization.before(Operation::CreateServiceLinkedRole, 1, |organization| {
            organization.add_role(management(), &ROLE_PRINCIPAL);
        });
        let ensured = trusted.account_discovery_role(&client).ensure().await.unwrap();
        assert!(matches!(ensured, RoleEnsured::AlreadyThere(_)), "{code:?}");
        assert_eq!(organization.count(Operation::GetRole), 3, "{code:?}");
    }

    // As long as the user has patience, and only where AWS may mean that.
    for (code, kind, retry) in [
        ("EntityAlreadyExists", ErrorKind::Refused, Retry::Spent),
        ("AccessDenied", ErrorKind::AccessDenied, Retry::Permanent),
    ] {
        let organization = trusting().build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        organization.fault(Operation::CreateServiceLinkedRole, 1, Fault::refused(code));
        let begun = Instant::now();
        let error = trusted.account_discovery_role(&client).ensure().await.unwrap_err();
        assert_eq!((error.kind(), error.code(), error.retry()), (&kind, Some(code), retry));
        assert_eq!(begun.elapsed() > Duration::from_secs(45), retry == Retry::Spent, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_that_was_just_made_can_be_deleted() {
    let organization = organization().lag(Duration::from_secs(5)).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let mut role = disabled.account_discovery_role(&client);
    let RoleEnsured::Created(created) = role.ensure().await.unwrap() else { panic!("created") };
    assert_eq!(role.delete(Syncs::Forfeit).await.unwrap(), Some(created));
    assert!(!organization.has_role(management(), &ROLE));
    assert_eq!(disabled.changes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_went_and_still_shows_is_made_anew() {
    let organization = organization().role_for(&ROLE_PRINCIPAL).lag(Duration::from_secs(30)).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let mut role = disabled.account_discovery_role(&client);
    let gone = role.delete(Syncs::Forfeit).await.unwrap().unwrap();
    assert_eq!(role.look_up().await.unwrap(), None, "whatever a look-up shows");
    let RoleEnsured::Created(created) = role.ensure().await.unwrap() else { panic!("created") };
    assert_ne!(created.id, gone.id);
    assert!(organization.has_role(management(), &ROLE));
}

#[tokio::test(start_paused = true)]
async fn a_role_that_was_made_anew_is_not_taken_for_the_one_that_went() {
    let late = [vec![Lag::NONE; 3], vec![Lag::Reads(9)], vec![Lag::NONE; 9]].concat();
    let organization = organization().role_for(&ROLE_PRINCIPAL).lags_of(Operation::GetRole, late).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let mut role = disabled.account_discovery_role(&client);
    let gone = role.delete(Syncs::Forfeit).await.unwrap().unwrap();
    let RoleEnsured::Created(created) = role.ensure().await.unwrap() else { panic!("created") };
    let begun = Instant::now();
    assert_eq!(role.look_up().await.unwrap().map(|found| found.id), Some(created.id), "{} is gone", gone.id);
    assert_eq!(begun.elapsed(), Duration::from_secs(1), "asked again");
}

#[tokio::test(start_paused = true)]
async fn a_take_down_under_lag_leaves_no_role() {
    // GetRole alone is late.
    let late = [Lag::Time(Duration::from_secs(20))];
    let organization = organization().lags_of(Operation::GetRole, late).build();
    let client = organization.management_client();
    let (sync, home) = (definition("all"), home());
    let explorer = Explorer::new().with_role(&client).with_sync(&client, &sync, &home);
    let trusted = disabled_in(&organization).await.set_up_explorer(&explorer).await.unwrap();
    let protect = Syncs::Protect { ssm: &[&client], regions: &home };
    let disabled = trusted.take_down_explorer(&explorer, protect).await.unwrap();
    assert!(!organization.has_role(management(), &ROLE));
    assert_eq!(disabled.changes().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_deletion_can_be_seen_without_its_status() {
    let organization = organization().role_for(&ROLE_PRINCIPAL).role_deletion(Duration::ZERO).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    organization.fault(Operation::GetServiceLinkedRoleDeletionStatus, 1, Fault::refused("AccessDenied"));
    let begun = Instant::now();
    let gone = disabled.account_discovery_role(&client).delete(Syncs::Forfeit).await.unwrap();
    assert!(gone.is_some() && !organization.has_role(management(), &ROLE));
    assert_eq!((disabled.changes()[0].certainty, begun.elapsed()), (Certainty::Did, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_is_denied_for_good_ends_the_waiting_at_once() {
    // Created, and nobody may see it.
    let organization = trusting().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    organization.fault(Operation::GetRole, 2, Fault::refused("AccessDenied"));
    let begun = Instant::now();
    let error = trusted.account_discovery_role(&client).ensure().await.unwrap_err();
    assert_eq!((error.kind(), error.applied()), (&ErrorKind::NotSettled, Applied::Yes));
    assert!(error.causes()[0].contains("AccessDenied"), "{error:#}");
    assert_eq!((begun.elapsed(), trusted.changes()[0].certainty), (Duration::ZERO, Certainty::Did));

    // Deleted, perhaps, and nobody may see that.
    let organization = crate::common::organization().role_for(&ROLE_PRINCIPAL).role_deletion(Duration::ZERO).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    organization.fault(Operation::DeleteServiceLinkedRole, 1, Fault::LostAfter);
    organization.fault(Operation::GetRole, 2, Fault::refused("AccessDenied"));
    let begun = Instant::now();
    let error = disabled.account_discovery_role(&client).delete(Syncs::Forfeit).await.unwrap_err();
    assert_eq!((error.kind(), begun.elapsed()), (&ErrorKind::Lost, Duration::ZERO));
    assert_eq!(disabled.changes()[0].certainty, Certainty::Maybe);

    // Under way, and nobody may follow it.
    let organization = crate::common::organization().role_for(&ROLE_PRINCIPAL).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    organization.fault(Operation::GetServiceLinkedRoleDeletionStatus, 1, Fault::refused("AccessDenied"));
    let begun = Instant::now();
    let error = disabled.account_discovery_role(&client).delete(Syncs::Forfeit).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.applied(), begun.elapsed()),
        (&ErrorKind::NotSettled, Applied::Unknown, Duration::ZERO)
    );
}

#[tokio::test(start_paused = true)]
async fn a_rivals_new_role_does_not_hide_that_ours_went() {
    let organization = organization().role_for(&ROLE_PRINCIPAL).role_deletion(Duration::ZERO).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    organization.fault(Operation::DeleteServiceLinkedRole, 1, Fault::LostAfter);
    // Gone, and there again under another id, before the first look.
    organization.before(Operation::GetRole, 2, |organization| organization.add_role(management(), &ROLE_PRINCIPAL));
    let begun = Instant::now();
    let gone = disabled.account_discovery_role(&client).delete(Syncs::Forfeit).await.unwrap().unwrap();
    assert_eq!((begun.elapsed(), organization.count(Operation::GetRole)), (Duration::ZERO, 2));
    let theirs = client.get_role(&ROLE).await.unwrap().unwrap();
    assert_ne!(theirs.id, gone.id);
    assert!(matches!(&disabled.changes()[0].kind, ChangeKind::RoleDeleted { id, .. } if *id == gone.id));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_is_refused_because_the_role_is_gone_finds_none() {
    // At the first look after the refusal, and at later ones.
    for late in 1..4 {
        let organization = organization()
            .role_for(&ROLE_PRINCIPAL)
            .role_deletion(Duration::ZERO)
            .lags_of(Operation::GetRole, [Lag::Reads(late)])
            .build();
        let client = organization.management_client();
        let mut disabled = disabled_in(&organization).await;
        let _ = client.delete_service_linked_role(&ROLE).await.unwrap();
        assert!(!organization.has_role(management(), &ROLE));
        organization.forget_calls();
        assert_eq!(disabled.account_discovery_role(&client).delete(Syncs::Forfeit).await.unwrap(), None, "{late}");
        assert_eq!(disabled.changes(), [], "somebody else's");
        assert_eq!(organization.count(Operation::DeleteServiceLinkedRole), 1, "refused");
        assert_eq!(organization.count(Operation::GetRole), late + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_about_the_role_names_who_called() {
    let organization = organization().build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let mut role = disabled.account_discovery_role(&client);
    let named = |operation, error: &Error| {
        let expected = (&ErrorKind::AccessDenied, Some(operation), Some(management()));
        assert_eq!((error.kind(), error.operation(), error.caller()), expected);
    };
    let denied = |operation| organization.fault(operation, 1, Fault::refused("AccessDenied"));

    denied(Operation::GetRole);
    named(Operation::GetRole, &role.look_up().await.unwrap_err());
    denied(Operation::CreateServiceLinkedRole);
    named(Operation::CreateServiceLinkedRole, &role.ensure().await.unwrap_err());
    organization.add_role(management(), &ROLE_PRINCIPAL);
    denied(Operation::DeleteServiceLinkedRole);
    named(Operation::DeleteServiceLinkedRole, &role.delete(Syncs::Forfeit).await.unwrap_err());
}

#[tokio::test(start_paused = true)]
async fn looking_it_up_with_another_accounts_credentials_says_nothing_of_it() {
    let organization = ready().build();
    let bobs = organization.client(bob());
    let mut trusted = trusted_in(&organization).await;
    let error = trusted.account_discovery_role(&bobs).look_up().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotManagementAccount { management: id, .. } if *id == management()));
    assert_eq!((error.caller(), organization.count(Operation::GetRole)), (Some(bob()), 0));
}

#[tokio::test(start_paused = true)]
async fn every_accounts_syncs_that_are_seen_keep_the_role() {
    let organization =
        organization().role_for(&ROLE_PRINCIPAL).data_sync(alice(), region(HOME), full("theirs")).build();
    let (client, alices) = (organization.management_client(), organization.client(alice()));
    let mut disabled = disabled_in(&organization).await;
    let protect = Syncs::Protect { ssm: &[&client, &alices], regions: &home() };
    let error = disabled.account_discovery_role(&client).delete(protect).await.unwrap_err();
    let ErrorKind::SyncsRemain { syncs, .. } = error.kind() else { panic!("{error}") };
    assert_eq!((syncs.len(), syncs[0].at.account), (1, alice()));
    assert_eq!(organization.writes(), 0);
}

// Explorer in one step.

#[tokio::test(start_paused = true)]
async fn nonsense_completes_nothing_and_takes_nothing_down_before_any_call() {
    let organization = ready().data_sync(management(), region(HOME), full("all")).build();
    let client = organization.management_client();
    let (foreign, sync, home) = (definition("AWS-QuickSetup-x"), definition("all"), home());
    for (explorer, kind) in [
        (Explorer::new().with_role(&client).with_sync(&client, &foreign, &home), ErrorKind::ForeignSync),
        (Explorer::new().with_role(&client).with_sync(&client, &sync, &[]), ErrorKind::InvalidInput),
    ] {
        let mut trusted = trusted_in(&organization).await;
        organization.forget_calls();
        let error = trusted.complete_explorer(&explorer).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (&kind, Some(Operation::CreateResourceDataSync)));
        let (error, recovered) = failed(trusted.take_down_explorer(&explorer, Syncs::Forfeit).await);
        assert_eq!((error.kind(), way(&recovered)), (&kind, Way::Unchanged));
        assert_eq!(organization.calls(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_protection_that_protects_nothing_takes_nothing_down() {
    let organization = ready().data_sync(management(), region(HOME), full("all")).build();
    let client = organization.management_client();
    let (sync, home) = (definition("all"), home());
    let explorer = Explorer::new().with_role(&client).with_sync(&client, &sync, &home);
    let clients: [&dyn SystemsManagerClient; 1] = [&client];
    for protect in [Syncs::Protect { ssm: &[], regions: &home }, Syncs::Protect { ssm: &clients, regions: &[] }] {
        let trusted = trusted_in(&organization).await;
        organization.forget_calls();
        let (error, recovered) = failed(trusted.take_down_explorer(&explorer, protect).await);
        assert_eq!(
            (error.kind(), error.operation(), way(&recovered)),
            (&ErrorKind::InvalidInput, Some(Operation::DisableAwsServiceAccess), Way::Unchanged)
        );
        assert_eq!(organization.calls(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn clients_of_the_wrong_account_take_nothing_down() {
    let organization = ready().data_sync(management(), region(HOME), full("all")).build();
    let (client, bobs) = (organization.management_client(), organization.client(bob()));
    let (sync, home) = (definition("all"), home());

    let explorer = Explorer::new().with_role(&bobs).with_sync(&client, &sync, &home);
    let protect = Syncs::Protect { ssm: &[&client], regions: &home };
    let (error, recovered) = failed(trusted_in(&organization).await.take_down_explorer(&explorer, protect).await);
    assert!(matches!(error.kind(), ErrorKind::NotManagementAccount { .. }), "{error}");
    assert_eq!(
        (error.operation(), error.caller(), way(&recovered)),
        (Some(Operation::DeleteServiceLinkedRole), Some(bob()), Way::Unchanged)
    );

    let explorer = Explorer::new().with_role(&client).with_sync(&client, &sync, &home);
    let protect = Syncs::Protect { ssm: &[&bobs], regions: &home };
    let (error, recovered) = failed(trusted_in(&organization).await.take_down_explorer(&explorer, protect).await);
    assert!(matches!(error.kind(), ErrorKind::SyncsUnseen { account, .. } if *account == management()), "{error}");
    assert_eq!((way(&recovered), organization.writes()), (Way::Unchanged, 0));
}

#[tokio::test(start_paused = true)]
async fn what_would_keep_trusted_access_is_found_before_a_sync_goes() {
    let organization = ready()
        .data_sync(management(), region(HOME), full("all"))
        .data_sync(management(), region("us-east-1"), full("all"))
        .build();
    let client = organization.management_client();
    let (sync, home) = (definition("all"), home());
    let everywhere = [region(HOME), region("us-east-1")];
    let explorer = Explorer::new().with_sync(&client, &sync, &home);
    let protect = Syncs::Protect { ssm: &[&client], regions: &everywhere };
    let (error, recovered) = failed(trusted_in(&organization).await.take_down_explorer(&explorer, protect).await);
    let ErrorKind::SyncsRemain { syncs, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(syncs.iter().map(|sync| &sync.at.region).collect::<Vec<_>>(), [&everywhere[1]]);
    assert_eq!((way(&recovered), organization.writes()), (Way::Unchanged, 0));
    // Of another account it is another sync.
    let alices = organization.client(alice());
    organization.remove_data_sync(management(), &everywhere[1], &name("all"));
    organization.add_data_sync(alice(), region(HOME), full("all"));
    let protect = Syncs::Protect { ssm: &[&client, &alices], regions: &everywhere };
    let (error, _) = failed(trusted_in(&organization).await.take_down_explorer(&explorer, protect).await);
    let ErrorKind::SyncsRemain { syncs, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(syncs.iter().map(|sync| sync.at.account).collect::<Vec<_>>(), [alice()]);
    assert_eq!(organization.writes(), 0);

    // Whoever only reads the organization takes nothing down.
    let organization = ready().delegated_for(&ServicePrincipal::STACK_SETS, alice()).data_sync(
        management(),
        region(HOME),
        full("all"),
    );
    let organization = organization.build();
    let client = organization.management_client();
    let observed = Integration::new(organization.client(alice())).observe().await.unwrap();
    let trusted = expect_trusted(observed);
    let explorer = Explorer::new().with_sync(&client, &sync, &home);
    let (error, _) = failed(trusted.take_down_explorer(&explorer, Syncs::Forfeit).await);
    assert!(matches!(error.kind(), ErrorKind::NotManagementAccount { .. }), "{error}");
    assert_eq!(organization.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_appears_during_the_take_down_keeps_the_role_as_it_is_told_to() {
    let organization = ready().build();
    let client = organization.management_client();
    let home = home();
    let explorer = Explorer::new().with_role(&client);
    // Between the look before trusted access goes and the look before the role does.
    organization.before(Operation::ListResourceDataSync, 2, |organization| {
        organization.add_data_sync(management(), region(HOME), full("late"));
    });
    let protect = Syncs::Protect { ssm: &[&client], regions: &home };
    let (error, recovered) = failed(trusted_in(&organization).await.take_down_explorer(&explorer, protect).await);
    assert!(
        matches!(error.kind(), ErrorKind::SyncsRemain { syncs, .. } if syncs[0].at.name == name("late")),
        "{error}"
    );
    assert_eq!((error.operation(), way(&recovered)), (Some(Operation::DeleteServiceLinkedRole), Way::Moved));
    assert_eq!(organization.count(Operation::DeleteServiceLinkedRole), 0);
    assert_eq!((organization.is_trusted(&SSM), organization.has_role(management(), &ROLE)), (false, true));
}

// From one administrator to another.

#[tokio::test(start_paused = true)]
async fn a_sync_in_an_opt_in_region_is_not_handed_over() {
    let at = [region("eu-south-1")];
    let organization = administered().data_sync(alice(), at[0].clone(), full("theirs")).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let carry = Handover::Carry { from: &from, to: &to, regions: &at };
    let (error, recovered) = failed(delegated_in(&organization).await.replace(&bob(), carry).await);
    assert_eq!((error.kind(), error.region()), (&ErrorKind::OptInRegion, Some(&at[0])));
    assert_eq!((way(&recovered), organization.writes()), (Way::Unchanged, 0));
}

#[tokio::test(start_paused = true)]
async fn other_services_syncs_are_not_handed_over_and_are_told() {
    let foreign = "AWS-QuickSetup-x";
    let organization = administered().data_sync(alice(), region(HOME), full(foreign)).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    let carry = Handover::Carry { from: &from, to: &to, regions: &home };
    let replaced = delegated_in(&organization).await.replace(&bob(), carry).await.unwrap();
    let [told] = &replaced.foreign[..] else { panic!("{replaced:?}") };
    assert_eq!((told.account, &told.region, &told.name), (alice(), &home[0], &name(foreign)));
    assert_eq!((replaced.carried.len(), replaced.lost.len(), replaced.unshown.len()), (0, 0, 0));
    assert_eq!((syncs_at_home(&organization, alice()), syncs_at_home(&organization, bob())), (vec![], vec![]));
    let ChangeKind::AdministratorDeregistered { syncs: SyncsReport::Recorded(record), .. } =
        &replaced.delegated.changes()[0].kind
    else {
        panic!("{replaced:?}");
    };
    assert_eq!(record[0].1.definition(), Some(definition(foreign)), "on record, as it was");
}

#[tokio::test(start_paused = true)]
async fn what_aws_does_not_show_is_not_handed_over_and_is_told() {
    let mut theirs = full("theirs");
    theirs.future_regions = Some(true);
    let organization = administered().undocumented(hidden()).data_sync(alice(), region(HOME), theirs).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    let carry = Handover::Carry { from: &from, to: &to, regions: &home };
    let replaced = delegated_in(&organization).await.replace(&bob(), carry).await.unwrap();
    let [told] = &replaced.unshown[..] else { panic!("{replaced:?}") };
    assert_eq!((told.account, &told.region, &told.name), (bob(), &home[0], &name("theirs")));
    let [(carried, Ok(SyncEnsured::Created(_)))] = &replaced.carried[..] else { panic!("{replaced:?}") };
    assert_eq!((carried, replaced.lost.len(), replaced.foreign.len()), (told, 0, 0));
    assert_eq!(syncs_at_home(&organization, bob())[0].future_regions, Some(false), "made without");

    // Each of them alone is worth telling.
    for hide in
        [|sync: &mut DataSync| sync.future_regions = None, |sync: &mut DataSync| sync.all_ops_data_sources = None]
    {
        let mut theirs = full("theirs");
        hide(&mut theirs);
        let organization = administered().data_sync(alice(), region(HOME), theirs).build();
        let (from, to) = (organization.client(alice()), organization.client(bob()));
        let carry = Handover::Carry { from: &from, to: &to, regions: &home };
        let replaced = delegated_in(&organization).await.replace(&bob(), carry).await.unwrap();
        assert_eq!((replaced.unshown.len(), replaced.carried.len()), (1, 1), "{replaced:?}");
    }

    // Where AWS shows it, there is nothing to tell.
    let organization = administered().data_sync(alice(), region(HOME), full("theirs")).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let carry = Handover::Carry { from: &from, to: &to, regions: &home };
    let replaced = delegated_in(&organization).await.replace(&bob(), carry).await.unwrap();
    assert_eq!(replaced.unshown, []);
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_was_made_after_the_listing_stops_the_hand_over() {
    let organization = administered().data_sync(alice(), region(HOME), full("theirs")).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    let handle = delegated_in(&organization).await;
    organization.before(Operation::ListResourceDataSync, 2, |organization| {
        organization.add_data_sync(alice(), region(HOME), full("late"));
    });
    let carry = Handover::Carry { from: &from, to: &to, regions: &home };
    let (error, recovered) = failed(handle.replace(&bob(), carry).await);
    let ErrorKind::SyncsRemain { syncs, .. } = error.kind() else { panic!("{error}") };
    assert_eq!((syncs.len(), &syncs[0].at.name), (1, &name("late")));
    let shown = syncs[0].shown.as_ref().and_then(DataSync::definition);
    assert_eq!(shown, Some(definition("late")), "it is on no other record");
    assert_eq!((way(&recovered), organization.writes()), (Way::Unchanged, 0));
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_was_changed_after_the_listing_stops_the_hand_over() {
    let created = |sync: DataSync, second| {
        let mut sync = sync;
        sync.created = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(second));
        sync
    };
    // Another one under the same date, and the same under another one.
    for changed in [created(from_region("theirs", "us-west-2"), 1), created(full("theirs"), 2)] {
        let organization = administered().data_sync(alice(), region(HOME), created(full("theirs"), 1)).build();
        let (from, to) = (organization.client(alice()), organization.client(bob()));
        let home = home();
        let handle = delegated_in(&organization).await;
        // The old account's, the new one's two, and the look before the deregistration.
        organization.before(Operation::ListResourceDataSync, 4, |organization| {
            organization.add_data_sync(alice(), region(HOME), changed);
        });
        let carry = Handover::Carry { from: &from, to: &to, regions: &home };
        let (error, recovered) = failed(handle.replace(&bob(), carry).await);
        assert!(matches!(error.kind(), ErrorKind::SyncsRemain { .. }), "{error}");
        assert_eq!((way(&recovered), organization.writes()), (Way::Unchanged, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_speaks_for_another_by_then_protects_nothing() {
    let organization = administered().build();
    let mut from = crate::common::MockClient::new();
    let mut callers = [alice(), bob()].into_iter();
    from.expect_get_caller_identity().times(2).returning(move || Ok(CallerIdentity::new(callers.next().unwrap())));
    from.expect_list_resource_data_sync().returning(|_, _, _| Ok(Page::default()));
    let (to, home) = (organization.client(bob()), home());
    let carry = Handover::Carry { from: &from, to: &to, regions: &home };
    let (error, recovered) = failed(delegated_in(&organization).await.replace(&bob(), carry).await);
    assert!(matches!(error.kind(), ErrorKind::SyncsUnseen { account, .. } if *account == alice()), "{error}");
    assert_eq!((way(&recovered), organization.writes()), (Way::Unchanged, 0));
}

#[tokio::test(start_paused = true)]
async fn a_hand_over_takes_the_last_place_and_none_that_it_has() {
    // What Bob's account holds: Explorer's own, Inventory's, and whether the one to carry is among them.
    for (explorers, inventorys, there, room) in
        [(4, 0, false, true), (5, 0, false, false), (2, 2, false, true), (2, 3, false, false), (3, 3, true, true)]
    {
        let mut setting = Undocumented::default();
        setting.sync_quota_is_shared = false;
        let start = administered().undocumented(setting).data_sync(alice(), region(HOME), full("theirs"));
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
        let carry = Handover::Carry { from: &from, to: &to, regions: &home };
        match delegated_in(&organization).await.replace(&bob(), carry).await {
            Ok(replaced) => assert!(room && replaced.lost.is_empty(), "{explorers} {inventorys}: {replaced:?}"),
            Err(failure) => {
                let (error, _) = failure.into_parts();
                let full = matches!(error.kind(), ErrorKind::SyncQuotaFull { .. });
                assert!(!room && full && organization.writes() == 0, "{explorers} {inventorys}: {error}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rival_who_deregisters_first_costs_no_sync() {
    let organization = administered().data_sync(alice(), region(HOME), full("theirs")).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    let handle = delegated_in(&organization).await;
    organization.before(Operation::DeregisterDelegatedAdministrator, 1, |organization| {
        organization.undelegate(alice());
    });
    organization.fault(Operation::RegisterDelegatedAdministrator, 1, Fault::refused("AccessDeniedException"));
    let carry = Handover::Carry { from: &from, to: &to, regions: &home };
    let (error, recovered) = failed(handle.replace(&bob(), carry).await);
    assert_eq!(
        (error.kind(), error.operation()),
        (&ErrorKind::AccessDenied, Some(Operation::RegisterDelegatedAdministrator))
    );
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    assert_eq!(observed.changes(), [], "the rival's");
    assert_eq!(names_at_home(&organization, alice()), [name("theirs")]);
}

#[tokio::test(start_paused = true)]
async fn a_hand_over_takes_the_time_of_the_slowest_region() {
    let regions: Vec<Region> = (1..=30).map(|number| region(&format!("region-{number}"))).collect();
    let start = administered().latency(Duration::from_secs(1));
    let start = regions.iter().fold(start, |start, at| start.data_sync(alice(), at.clone(), full("theirs")));
    let organization = start.build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let handle = delegated_in(&organization).await;
    organization.forget_calls();
    let begun = Instant::now();
    let carry = Handover::Carry { from: &from, to: &to, regions: &regions };
    let replaced = handle.replace(&bob(), carry).await.unwrap();
    assert_eq!((replaced.carried.len(), replaced.lost.len()), (30, 0));
    // One call after another, whatever the number of Regions.
    assert_eq!(begun.elapsed(), Duration::from_secs(16));
    assert_eq!(organization.count(Operation::CreateResourceDataSync), 30);
    // Both clients before, the old one's before it is let go of, the new one's before the creation.
    assert_eq!(organization.count(Operation::GetCallerIdentity), 4);
}

#[tokio::test(start_paused = true)]
async fn clients_of_the_wrong_account_hand_nothing_over_and_are_named() {
    let organization = administered().data_sync(alice(), region(HOME), full("theirs")).build();
    let (alices, bobs) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    for (client, unseen, caller) in [(&bobs, alice(), bob()), (&alices, bob(), alice())] {
        let carry = Handover::Carry { from: client, to: client, regions: &home };
        let (error, recovered) = failed(delegated_in(&organization).await.replace(&bob(), carry).await);
        assert!(matches!(error.kind(), ErrorKind::SyncsUnseen { account, .. } if *account == unseen), "{error}");
        assert_eq!((error.caller(), way(&recovered)), (Some(caller), Way::Unchanged));
    }
    assert_eq!(organization.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_right_after_registering_is_late() {
    let organization = administered().data_sync(alice(), region(HOME), full("theirs")).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let home = home();
    organization.fault(Operation::CreateResourceDataSync, 1, Fault::refused("AccessDeniedException"));
    let carry = Handover::Carry { from: &from, to: &to, regions: &home };
    let replaced = delegated_in(&organization).await.replace(&bob(), carry).await.unwrap();
    assert_eq!((replaced.carried.len(), replaced.lost.len()), (1, 0));
    assert_eq!(names_at_home(&organization, bob()), [name("theirs")]);
    assert_eq!(organization.count(Operation::CreateResourceDataSync), 2);

    // And of a sync that is there already, and another one.
    let start = trusting().role_for(&ROLE_PRINCIPAL);
    let organization = start.data_sync(alice(), region(HOME), from_region("all", "us-west-2")).build();
    let client = organization.client(alice());
    let trusted = trusted_in(&organization).await;
    let mut delegated = trusted.register_delegated_administrator(&alice()).await.unwrap();
    organization.fault(Operation::UpdateResourceDataSync, 1, Fault::refused("AccessDeniedException"));
    let mut syncs = delegated.data_syncs(&client).await.unwrap();
    at_home(syncs.ensure(&definition("all"), &home).await.unwrap()).unwrap();
    assert_eq!(organization.count(Operation::UpdateResourceDataSync), 2);
}

#[tokio::test(start_paused = true)]
async fn there_and_back_where_aws_deletes_no_sync() {
    for booleans_are_shown in [true, false] {
        let mut setting = Undocumented::default();
        setting.deregistering_deletes_syncs = false;
        setting.sync_booleans_are_shown = booleans_are_shown;
        let organization =
            administered().undocumented(setting).data_sync(alice(), region(HOME), full("theirs")).build();
        let (alices, bobs) = (organization.client(alice()), organization.client(bob()));
        let home = home();
        let there = Handover::Carry { from: &alices, to: &bobs, regions: &home };
        let replaced = delegated_in(&organization).await.replace(&bob(), there).await.unwrap();
        assert_eq!(names_at_home(&organization, alice()), [name("theirs")]);
        // It takes no second place in Alice's account, and is no obstacle.
        let back = Handover::Carry { from: &bobs, to: &alices, regions: &home };
        let replaced = replaced.delegated.replace(&alice(), back).await.unwrap();
        let [(_, Ok(carried))] = &replaced.carried[..] else { panic!("{replaced:?}") };
        assert_eq!(matches!(carried, SyncEnsured::AlreadySo(_)), booleans_are_shown, "{carried:?}");
        assert_eq!(matches!(carried, SyncEnsured::Updated(_)), !booleans_are_shown, "{carried:?}");
        assert_eq!((organization.administrators(), replaced.lost.len()), (vec![alice()], 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_stays_refused_is_given_up_in_time() {
    let organization = trusting().role_for(&ROLE_PRINCIPAL).build();
    let client = organization.client(alice());
    let trusted = trusted_in(&organization).await;
    let mut delegated = trusted.register_delegated_administrator(&alice()).await.unwrap();
    for nth in 1..100 {
        organization.fault(Operation::CreateResourceDataSync, nth, Fault::refused("AccessDeniedException"));
    }
    let home = [region("eu-central-1")];
    let regions = SourceRegions::new(home.clone()).unwrap();
    let sync = SyncDefinition::of_organization("all".parse().unwrap(), regions);
    let begun = Instant::now();
    let mut syncs = delegated.data_syncs(&client).await.unwrap();
    let error = syncs.ensure(&sync, &home).await.unwrap().into_result().unwrap_err();
    assert_eq!((error.kind(), error.retry()), (&ErrorKind::AccessDenied, Retry::Spent));
    assert!(begun.elapsed() <= Duration::from_mins(1));
    assert!(organization.count(Operation::CreateResourceDataSync) < 15, "with pauses");
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_to_go_after_a_lost_reply_stays_gone_in_an_old_listing() {
    for late in 0..8 {
        let mut lags = vec![Lag::NONE; 8];
        lags[late] = Lag::Reads(9);
        let organization = trusting()
            .role_for(&ROLE_PRINCIPAL)
            .data_sync(management(), region(HOME), full("all"))
            .lags_of(Operation::ListResourceDataSync, lags)
            .build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        organization.fault(Operation::DeleteResourceDataSync, 1, Fault::LostAfter);
        let mut syncs = trusted.data_syncs(&client).await.unwrap();
        let recreated = syncs.recreate(&definition("all"), &home()).await.unwrap().into_result();
        let there = !organization.data_syncs(management(), &home()[0]).is_empty();
        assert!(recreated.is_err() || there, "listing {late} is old: said to be so, and gone");
    }

    let organization = organization()
        .role_for(&ROLE_PRINCIPAL)
        .lags_of(Operation::GetRole, [Lag::NONE, Lag::NONE, Lag::Reads(9), Lag::NONE])
        .build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    organization.fault(Operation::DeleteServiceLinkedRole, 1, Fault::LostAfter);
    let mut role = disabled.account_discovery_role(&client);
    if role.delete(Syncs::Forfeit).await.is_ok() {
        role.ensure().await.unwrap();
        assert!(organization.has_role(management(), &ROLE), "said to be there, and gone");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_deletion_is_believed_at_once_where_a_later_sync_has_the_name() {
    let organization = ready().data_sync(management(), region(HOME), full("all")).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    tokio::time::advance(Duration::from_mins(1)).await;
    organization.fault(Operation::DeleteResourceDataSync, 1, Fault::LostAfter);
    organization.before(Operation::ListResourceDataSync, 2, |organization| {
        organization.add_data_sync(management(), region(HOME), full("all"));
    });
    organization.forget_calls();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    assert!(at_home(syncs.delete(&name("all"), &home()).await.unwrap()).unwrap().is_some());
    assert_eq!(organization.count(Operation::ListResourceDataSync), 2, "one look before, and one after");
    assert_eq!(organization.data_syncs(management(), &region(HOME)).len(), 1, "the other one is let be");
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_was_made_anew_is_not_taken_for_the_one_that_went() {
    for protects in [false, true] {
        let late = [vec![Lag::NONE; 7], vec![Lag::Reads(9)], vec![Lag::NONE; 9]].concat();
        let start = ready().data_sync(management(), region(HOME), full("all"));
        let organization = start.lags_of(Operation::ListResourceDataSync, late).build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        tokio::time::advance(Duration::from_mins(1)).await;
        let mut syncs = trusted.data_syncs(&client).await.unwrap();
        let anew = at_home(syncs.recreate(&definition("all"), &home()).await.unwrap()).unwrap().sync().clone();
        if protects {
            let protect = Syncs::Protect { ssm: &[&client], regions: &home() };
            let (error, _) = failed(trusted.disable(protect).await);
            let ErrorKind::SyncsRemain { syncs, .. } = error.kind() else { panic!("{error}") };
            assert_eq!(syncs.iter().map(|sync| &sync.shown).collect::<Vec<_>>(), [&None], "none shows it yet");
        } else {
            let deleted = at_home(syncs.delete(&name("all"), &home()).await.unwrap()).unwrap();
            assert_eq!(deleted, Some(anew));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_was_made_is_there_whichever_else_was_deleted_since() {
    let late = [vec![Lag::NONE; 5], vec![Lag::Reads(9); 9]].concat();
    let start = ready().data_sync(management(), region(HOME), full("other"));
    let organization = start.lags_of(Operation::ListResourceDataSync, late).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    at_home(syncs.delete(&name("other"), &home()).await.unwrap()).unwrap();
    let protect = Syncs::Protect { ssm: &[&client], regions: &home() };
    let (error, _) = failed(trusted.disable(protect).await);
    let ErrorKind::SyncsRemain { syncs, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(syncs.iter().map(|sync| sync.at.name.as_str()).collect::<Vec<_>>(), ["all"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_deletion_is_believed_only_when_it_shows_twice() {
    // The look after it is from before the sync was made, and later ones are not.
    let lags = [vec![Lag::NONE; 4], vec![Lag::Reads(9)], vec![Lag::NONE; 30]].concat();
    let organization = ready().lags_of(Operation::ListResourceDataSync, lags).build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    organization.fault(Operation::DeleteResourceDataSync, 1, Fault::LostBefore);
    let error = at_home(syncs.delete(&name("all"), &home()).await.unwrap()).unwrap_err();
    assert_eq!((error.kind(), error.applied()), (&ErrorKind::Lost, Applied::Unknown));
    let protect = Syncs::Protect { ssm: &[&client], regions: &home() };
    let (error, _) = failed(trusted.disable(protect).await);
    assert!(matches!(error.kind(), ErrorKind::SyncsRemain { .. }), "{error}");
    assert!(organization.is_trusted(&SSM));

    let lags = [vec![Lag::NONE; 3], vec![Lag::Reads(9)], vec![Lag::NONE; 30]].concat();
    let organization = crate::common::organization().lags_of(Operation::GetRole, lags).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let mut role = disabled.account_discovery_role(&client);
    role.ensure().await.unwrap();
    organization.fault(Operation::DeleteServiceLinkedRole, 1, Fault::LostBefore);
    let error = role.delete(Syncs::Forfeit).await.unwrap_err();
    assert_eq!((error.kind(), error.applied()), (&ErrorKind::Lost, Applied::Unknown));
    assert!(role.look_up().await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn what_others_took_away_is_asked_after_anew_once_it_was_observed() {
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    organization.remove_data_sync(management(), &home()[0], &name("all"));
    let mut trusted = expect_trusted(trusted.forget().observe().await.unwrap());
    let begun = Instant::now();
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    assert_eq!(at_home(syncs.delete(&name("all"), &home()).await.unwrap()).unwrap(), None);
    let made = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap();
    assert!(matches!(made, SyncEnsured::Created(_)), "{made:?}");
    organization.remove_data_sync(management(), &home()[0], &name("all"));
    let trusted = expect_trusted(trusted.forget().observe().await.unwrap());
    trusted.disable(Syncs::Protect { ssm: &[&client], regions: &home() }).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO, "nothing was waited for");

    let organization = trusting().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    trusted.account_discovery_role(&client).ensure().await.unwrap();
    organization.remove_role(management(), &ROLE);
    let mut trusted = expect_trusted(trusted.forget().observe().await.unwrap());
    let mut role = trusted.account_discovery_role(&client);
    assert_eq!(role.look_up().await.unwrap(), None);
    assert!(matches!(role.ensure().await.unwrap(), RoleEnsured::Created(_)));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_denies_what_we_saw_go_is_late() {
    for code in ["ResourceDataSyncAlreadyExistsException", "ResourceDataSyncCountExceededException"] {
        let organization = ready().data_sync(management(), region(HOME), full("all")).build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        organization.fault(Operation::CreateResourceDataSync, 1, Fault::refused(code));
        let mut syncs = trusted.data_syncs(&client).await.unwrap();
        let made = at_home(syncs.recreate(&definition("all"), &home()).await.unwrap()).unwrap();
        assert!(matches!(made, SyncEnsured::Created(_)), "{code}: {made:?}");
        assert_eq!(organization.count(Operation::CreateResourceDataSync), 2, "{code}");
    }
    // What others hold is no question of time.
    let organization = ready().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let code = "ResourceDataSyncCountExceededException";
    organization.fault(Operation::CreateResourceDataSync, 1, Fault::refused(code));
    let mut syncs = trusted.data_syncs(&client).await.unwrap();
    let error = at_home(syncs.ensure(&definition("all"), &home()).await.unwrap()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::SyncQuotaFull { .. }), "{error}");

    let organization = crate::common::organization().role_for(&ROLE_PRINCIPAL).role_deletion(Duration::ZERO).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let mut role = disabled.account_discovery_role(&client);
    role.delete(Syncs::Forfeit).await.unwrap();
    organization.fault(Operation::CreateServiceLinkedRole, 1, Fault::refused("InvalidInput"));
    assert!(matches!(role.ensure().await.unwrap(), RoleEnsured::Created(_)));
    assert_eq!(organization.count(Operation::CreateServiceLinkedRole), 2);
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_we_deleted_is_not_handed_over() {
    let lags = [vec![Lag::NONE; 2], vec![Lag::Reads(9)], vec![Lag::NONE; 30]].concat();
    let organization = administered()
        .data_sync(alice(), region(HOME), full("theirs"))
        .lags_of(Operation::ListResourceDataSync, lags)
        .build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let mut delegated = delegated_in(&organization).await;
    let mut syncs = delegated.data_syncs(&from).await.unwrap();
    at_home(syncs.delete(&name("theirs"), &home()).await.unwrap()).unwrap();
    let replaced = delegated.replace(&bob(), Handover::Carry { from: &from, to: &to, regions: &home() }).await.unwrap();
    assert!(replaced.carried.is_empty() && replaced.lost.is_empty(), "{replaced:?}");
    assert_eq!(syncs_at_home(&organization, bob()), []);
}

#[tokio::test(start_paused = true)]
async fn a_hand_over_that_loses_a_sync_is_no_success() {
    let organization = administered()
        .data_sync(alice(), region(HOME), full("one"))
        .data_sync(alice(), region(HOME), full("two"))
        .build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let carry = Handover::Carry { from: &from, to: &to, regions: &home() };
    organization.fault(Operation::CreateResourceDataSync, 1, Fault::refused("InternalServerError"));
    let replaced = delegated_in(&organization).await.replace(&bob(), carry).await.unwrap();
    assert_eq!(replaced.lost.len(), 1);
    let (error, recovered) = failed(replaced.into_result());
    assert_eq!(error.operation(), Some(Operation::CreateResourceDataSync));
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    let lost = observed.changes().iter().map(|change| match &change.kind {
        ChangeKind::AdministratorDeregistered { syncs, .. } => syncs.recorded().len(),
        _ => 0,
    });
    assert_eq!(lost.sum::<usize>(), 2, "on record");

    // Where none could be sent, it says why.
    let organization = administered().data_sync(alice(), region(HOME), full("one")).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let carry = Handover::Carry { from: &from, to: &to, regions: &home() };
    organization.fault(Operation::GetCallerIdentity, 5, Fault::refused("ExpiredToken"));
    let replaced = delegated_in(&organization).await.replace(&bob(), carry).await.unwrap();
    assert_eq!((replaced.carried.len(), replaced.lost.len()), (1, 1), "{replaced:?}");
    let (error, _) = failed(replaced.into_result());
    assert_eq!(error.operation(), Some(Operation::GetCallerIdentity));

    let organization = administered().data_sync(alice(), region(HOME), full("one")).build();
    let (from, to) = (organization.client(alice()), organization.client(bob()));
    let carry = Handover::Carry { from: &from, to: &to, regions: &home() };
    let replaced = delegated_in(&organization).await.replace(&bob(), carry).await.unwrap();
    assert_eq!(replaced.into_result().unwrap().administrator().account, bob());
}
