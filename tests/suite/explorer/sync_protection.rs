//! Tests of the protection of organization syncs from steps that would break or delete them.
#![cfg(feature = "sim")]

use crate::common::{
    RecoveredVariant, SSM, alice, bob, delegated, delegated_in, failed, inconsistent_in, management, observe,
    organization_sync, region, trusted_in, trusting, way,
};
use ssm_organizations::domain::{BlockingSync, SyncCheckReport};
use ssm_organizations::integration::Handle;
use ssm_organizations::ports::{
    AccountState, CallerIdentity, DataSync, Operation, Page, SourceRegions, SyncDefinition, SyncSourceType,
    SystemsManagerClient,
};
use ssm_organizations::sim::{Fault, ReadDelay};
use ssm_organizations::{
    AccountId, ChangeKind, ErrorKind, Recovered, Region, Remedy, ServicePrincipal, SyncMigration, SyncName,
    SyncProtection, TransitionError, sim,
};

const HOME: &str = "eu-central-1";

fn name(text: &str) -> SyncName {
    SyncName::new(text).unwrap()
}

fn regions() -> [Region; 2] {
    [region(HOME), region("us-east-1")]
}

fn names(kind: &ErrorKind) -> Vec<String> {
    match kind {
        ErrorKind::DataSyncsExist { syncs, .. } => syncs.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn step_with_remaining_sync_names_it_and_writes_nothing() {
    // The management account's sync blocks the disabling of trusted access.
    let organization = trusting().data_sync(management(), region("us-east-1"), organization_sync("all")).build();
    let client = organization.management_client();
    let protect = SyncProtection::Protect { clients: &[&client], regions: &regions() };
    let (error, recovered) = failed(trusted_in(&organization).await.disable(protect).await);
    assert_eq!(names(error.kind()), [r#""all" of account 111111111111 in us-east-1"#]);
    assert_eq!((way(&recovered), organization.write_count()), (RecoveredVariant::Unchanged, 0));

    // The administrator's sync blocks the deregistration.
    let organization = delegated().data_sync(alice(), region(HOME), organization_sync("theirs")).build();
    let client = organization.client(alice());
    let protect = SyncProtection::Protect { clients: &[&client], regions: &regions() };
    let (error, recovered) = failed(delegated_in(&organization).await.deregister(protect).await);
    assert_eq!(names(error.kind()), [r#""theirs" of account 222222222222 in eu-central-1"#]);
    assert_eq!(
        (way(&recovered), organization.write_count(), error.account()),
        (RecoveredVariant::Unchanged, 0, Some(alice()))
    );
}

#[tokio::test]
async fn disable_with_sync_on_later_page_is_refused() {
    let mut start = trusting().page_size(1).empty_first_page();
    let single = DataSync::new(SyncName::new("a").unwrap(), Some(SyncSourceType::SingleAccountMultiRegions));
    start = start.data_sync(management(), region(HOME), single);
    let organization = start.data_sync(management(), region(HOME), organization_sync("b")).build();
    let client = organization.management_client();
    let protect = SyncProtection::Protect { clients: &[&client], regions: &[region(HOME)] };
    let (error, _) = failed(trusted_in(&organization).await.disable(protect).await);
    assert_eq!(names(error.kind()), [r#""b" of account 111111111111 in eu-central-1"#]);
}

#[tokio::test]
async fn disable_with_organization_or_unknown_sync_is_refused() {
    let with = |source: Option<SyncSourceType>| {
        trusting().data_sync(management(), region(HOME), DataSync::new(SyncName::new("x").unwrap(), source)).build()
    };
    let cases = [
        (Some(SyncSourceType::AwsOrganizations), true),
        (Some(SyncSourceType::SingleAccountMultiRegions), false),
        (Some(SyncSourceType::from("singleAccountMultiRegions")), false),
        (Some(SyncSourceType::from("SomethingNew")), true),
        (None, true),
    ];
    for (source, in_the_way) in cases {
        let organization = with(source.clone());
        let client = organization.management_client();
        let protect = SyncProtection::Protect { clients: &[&client], regions: &[region(HOME)] };
        let result = trusted_in(&organization).await.disable(protect).await;
        assert_eq!(result.is_err(), in_the_way, "{source:?}");
        assert_eq!(organization.is_trusted(&SSM), in_the_way, "{source:?}");
    }
}

#[tokio::test]
async fn step_with_unchecked_account_is_refused() {
    // Only a client of the administrator can list the administrator's syncs.
    let organization = delegated().build();
    let client = organization.management_client();
    let protect = SyncProtection::Protect { clients: &[&client], regions: &regions() };
    let (error, recovered) = failed(delegated_in(&organization).await.deregister(protect).await);
    assert!(matches!(error.kind(), ErrorKind::DataSyncsNotChecked { account, .. } if *account == alice()), "{error}");
    assert_eq!((way(&recovered), organization.write_count()), (RecoveredVariant::Unchanged, 0));

    // Only a client of the management account can list that account's syncs.
    let organization = trusting().build();
    let client = organization.client(alice());
    let protect = SyncProtection::Protect { clients: &[&client], regions: &regions() };
    let (error, recovered) = failed(trusted_in(&organization).await.disable(protect).await);
    assert!(
        matches!(error.kind(), ErrorKind::DataSyncsNotChecked { account, .. } if *account == management()),
        "{error}"
    );
    assert_eq!((way(&recovered), organization.write_count()), (RecoveredVariant::Unchanged, 0));
}

#[tokio::test]
async fn deregister_of_suspended_account_allows_its_loss_only() {
    for state in [AccountState::Suspended, AccountState::PendingClosure, AccountState::Closed] {
        let organization = delegated().member_with_state(alice(), state.clone()).build();
        let client = organization.management_client();
        let protect = SyncProtection::Protect { clients: &[&client], regions: &regions() };
        let (error, recovered) = failed(delegated_in(&organization).await.deregister(protect).await);
        assert!(error.to_string().contains(&format!("account {}, which is {state}", alice())), "{error}");
        assert_eq!(error.remedies(), [Remedy::AllowSyncLoss], "{error}");
        let Recovered::Unchanged(delegated) = recovered else { panic!("{error}") };
        delegated.deregister(SyncProtection::AllowLoss).await.unwrap();
        assert_eq!(organization.administrators(), []);
    }
}

#[tokio::test]
async fn disable_with_unlistable_region_names_the_region() {
    let organization = trusting().build();
    let client = organization.management_client();
    let trusted = trusted_in(&organization).await;
    organization.inject_fault(Operation::ListResourceDataSync, 2, Fault::refused("AccessDeniedException"));
    let protect = SyncProtection::Protect { clients: &[&client], regions: &regions() };
    let (error, recovered) = failed(trusted.disable(protect).await);
    assert!(matches!(error.kind(), ErrorKind::DataSyncsNotChecked { account, .. } if *account == management()));
    assert_eq!(error.region(), Some(&region("us-east-1")));
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(error.account(), None, "the error concerns the management account's syncs");
    assert!(source.to_string().starts_with("ListResourceDataSync as 111111111111: access denied"), "{source}");
    assert!(error.to_string().contains("add the permission ssm:ListResourceDataSync"), "{error}");
    assert_eq!((way(&recovered), organization.write_count()), (RecoveredVariant::Unchanged, 0));
}

#[tokio::test]
async fn disable_with_client_of_unknown_account_is_refused() {
    let organization = trusting().build();
    let client = organization.management_client();
    let trusted = trusted_in(&organization).await;
    organization.inject_fault(Operation::GetCallerIdentity, 1, Fault::refused("ExpiredToken"));
    let protect = SyncProtection::Protect { clients: &[&client], regions: &regions() };
    let (error, recovered) = failed(trusted.disable(protect).await);
    assert_eq!((error.code(), error.operation()), (Some("ExpiredToken"), Some(Operation::GetCallerIdentity)));
    assert_eq!(error.caller(), None, "the caller is unknown");
    assert_eq!((way(&recovered), organization.write_count()), (RecoveredVariant::Unchanged, 0));
}

#[tokio::test]
async fn disable_with_protection_reports_accounts_and_regions() {
    let organization = delegated().build();
    let (ours, theirs) = (organization.management_client(), organization.client(alice()));
    let ssm: [&dyn SystemsManagerClient; 2] = [&ours, &theirs];
    // A Region that is given twice is checked once.
    let regions = [region("us-east-1"), region(HOME), region("us-east-1")];
    let protect = SyncProtection::Protect { clients: &ssm, regions: &regions };
    let disabled = observe(&organization).await.ensure_disabled(protect).await.unwrap();
    let reports: Vec<_> = disabled
        .changes()
        .iter()
        .map(|change| match &change.kind {
            ChangeKind::AdministratorDeregistered { syncs, .. } | ChangeKind::TrustedAccessDisabled { syncs, .. } => {
                syncs.clone()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    for report in reports {
        let SyncCheckReport::NoneFound(looks) = report else { panic!("{report:?}") };
        let looked: Vec<_> = looks.iter().map(|look| (look.account, look.regions.clone())).collect();
        let regions = vec![region(HOME), region("us-east-1")];
        assert_eq!(looked, [(management(), regions.clone()), (alice(), regions)]);
    }

    let organization = trusting().build();
    let disabled = trusted_in(&organization).await.disable(SyncProtection::AllowLoss).await.unwrap();
    assert!(matches!(
        &disabled.changes()[0].kind,
        ChangeKind::TrustedAccessDisabled { syncs: SyncCheckReport::Skipped, .. }
    ));
    assert_eq!(organization.call_count(Operation::ListResourceDataSync), 0);
}

#[tokio::test]
async fn deregister_with_two_clients_checks_only_administrator() {
    // A deregistration does not affect the syncs of the management account.
    let organization = delegated().data_sync(management(), region(HOME), organization_sync("ours")).build();
    let (ours, theirs) = (organization.management_client(), organization.client(alice()));
    let ssm: [&dyn SystemsManagerClient; 2] = [&ours, &theirs];
    let regions = regions();
    let protect = SyncProtection::Protect { clients: &ssm, regions: &regions };
    delegated_in(&organization).await.deregister(protect).await.unwrap();
    assert_eq!(organization.call_count(Operation::ListResourceDataSync), regions.len());
}

#[tokio::test]
async fn ensure_disabled_with_blocking_sync_writes_nothing() {
    let organization = delegated().data_sync(management(), region(HOME), organization_sync("ours")).build();
    let (ours, theirs) = (organization.management_client(), organization.client(alice()));
    let regions = regions();

    let ssm: [&dyn SystemsManagerClient; 2] = [&ours, &theirs];
    let protect = SyncProtection::Protect { clients: &ssm, regions: &regions };
    let (error, recovered) = failed(observe(&organization).await.ensure_disabled(protect).await);
    assert_eq!(names(error.kind()), [r#""ours" of account 111111111111 in eu-central-1"#]);
    assert_eq!((way(&recovered), organization.write_count()), (RecoveredVariant::Unchanged, 0));

    let protect = SyncProtection::Protect { clients: &[&theirs], regions: &regions };
    let (error, _) = failed(observe(&organization).await.ensure_disabled(protect).await);
    assert!(
        matches!(error.kind(), ErrorKind::DataSyncsNotChecked { account, .. } if *account == management()),
        "{error}"
    );
    assert_eq!(organization.write_count(), 0);
}

#[tokio::test]
async fn remove_administrators_with_blocking_sync_is_refused() {
    let start = || delegated().delegated_administrator(bob()).data_sync(bob(), region(HOME), organization_sync("bobs"));
    let protect_with = |organization: &sim::SimOrganization| (organization.client(alice()), organization.client(bob()));
    let regions = regions();

    let organization = start().build();
    let (alices, bobs) = protect_with(&organization);
    let ssm: [&dyn SystemsManagerClient; 2] = [&alices, &bobs];
    let protect = SyncProtection::Protect { clients: &ssm, regions: &regions };
    let (error, _) = failed(inconsistent_in(&organization).await.remove_all_administrators(protect).await);
    assert_eq!(names(error.kind()), [r#""bobs" of account 333333333333 in eu-central-1"#]);
    assert_eq!(organization.administrators(), [alice(), bob()], "Alice stays registered");

    // A sync that Bob creates during Alice's deregistration is found before his deregistration.
    let organization = delegated().delegated_administrator(bob()).build();
    organization.run_before(Operation::DeregisterDelegatedAdministrator, 1, |organization| {
        organization.add_data_sync(bob(), region(HOME), organization_sync("new"));
    });
    let (alices, bobs) = protect_with(&organization);
    let ssm: [&dyn SystemsManagerClient; 2] = [&alices, &bobs];
    let protect = SyncProtection::Protect { clients: &ssm, regions: &regions };
    let (error, _) = failed(inconsistent_in(&organization).await.remove_all_administrators(protect).await);
    assert_eq!(names(error.kind()), [r#""new" of account 333333333333 in eu-central-1"#]);
    assert_eq!(organization.administrators(), [bob()]);

    // Retaining Bob does not affect his syncs.
    let organization = start().build();
    let (alices, bobs) = protect_with(&organization);
    let ssm: [&dyn SystemsManagerClient; 2] = [&alices, &bobs];
    let protect = SyncProtection::Protect { clients: &ssm, regions: &regions };
    inconsistent_in(&organization).await.retain_only(bob(), protect).await.unwrap();
    assert_eq!(organization.administrators(), [bob()]);
    assert_eq!(organization.data_syncs(bob(), &region(HOME)).len(), 1);
}

/// Returns the syncs that a refusal names, each with its definition.
fn definitions<T, H: Handle>(refused: Result<T, TransitionError<H>>) -> Vec<(String, SyncDefinition)> {
    let (error, _) = failed(refused);
    let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{error}") };
    let in_full = |sync: &BlockingSync| sync.listed.as_ref().and_then(DataSync::definition).unwrap();
    syncs.iter().map(|sync| (sync.to_string(), in_full(sync))).collect()
}

#[tokio::test]
async fn step_with_blocking_syncs_reports_their_definitions() {
    let full = |text: &str, source: &str| {
        let regions = SourceRegions::new([region(source)]).unwrap();
        let definition = SyncDefinition::of_organization(name(text), regions).including_future_regions();
        let mut sync = organization_sync(text);
        (sync.regions, sync.future_regions) = (definition.regions().to_vec(), Some(true));
        (sync, definition)
    };
    let there = [
        (management(), HOME, full("ours", HOME)),
        (alice(), HOME, full("hers", "us-east-1")),
        (alice(), "us-east-1", full("hers", "us-west-2")),
        (bob(), HOME, full("his", HOME)),
    ];
    let of = |owners: &[AccountId]| -> Vec<_> {
        let theirs = there.iter().filter(|(owner, ..)| owners.contains(owner));
        let named = |(owner, at, (sync, definition)): &(AccountId, &str, (DataSync, SyncDefinition))| {
            (format!("{:?} of account {owner} in {at}", sync.name.as_str()), definition.clone())
        };
        theirs.map(named).collect()
    };
    macro_rules! refused {
        ($start:expr, |$organization:ident, $protect:ident| $step:expr) => {{
            let start = there
                .iter()
                .cloned()
                .fold($start, |start, (owner, at, (sync, _))| start.data_sync(owner, region(at), sync));
            let $organization = start.build();
            let clients = [management(), alice(), bob()].map(|owner| $organization.client(owner));
            let ssm = clients.each_ref().map(|client| client as &dyn SystemsManagerClient);
            let $protect = SyncProtection::Protect { clients: &ssm, regions: &regions() };
            let named = definitions($step);
            assert_eq!($organization.write_count(), 0);
            named
        }};
    }
    let named = refused!(trusting(), |organization, protect| trusted_in(&organization).await.disable(protect).await);
    assert_eq!(named, of(&[management(), alice(), bob()]));
    let named =
        refused!(delegated(), |organization, protect| observe(&organization).await.ensure_disabled(protect).await);
    assert_eq!(named, of(&[management(), alice(), bob()]));
    let named =
        refused!(delegated(), |organization, protect| delegated_in(&organization).await.deregister(protect).await);
    assert_eq!(named, of(&[alice()]));
    let named = refused!(delegated(), |organization, protect| {
        delegated_in(&organization).await.replace(bob(), SyncMigration::Discard(protect)).await
    });
    assert_eq!(named, of(&[alice()]));
    let both = || delegated().delegated_administrator(bob());
    let named = refused!(both(), |organization, protect| inconsistent_in(&organization)
        .await
        .retain_only(bob(), protect)
        .await);
    assert_eq!(named, of(&[alice()]));
    let named = refused!(both(), |organization, protect| inconsistent_in(&organization)
        .await
        .remove_all_administrators(protect)
        .await);
    assert_eq!(named, of(&[alice(), bob()]));
}

#[tokio::test]
async fn disable_with_one_stale_client_reports_the_definition() {
    for lags in [[ReadDelay::NONE, ReadDelay::Reads(9)], [ReadDelay::Reads(9), ReadDelay::NONE]] {
        let start = trusting().service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY);
        let shown = [ReadDelay::NONE, ReadDelay::NONE, ReadDelay::NONE];
        let organization =
            start.read_delays_for(Operation::ListResourceDataSync, shown.into_iter().chain(lags)).build();
        let (one, other) = (organization.management_client(), organization.management_client());
        let mut trusted = trusted_in(&organization).await;
        let wanted = SyncDefinition::of_organization(name("all"), SourceRegions::new([region(HOME)]).unwrap());
        let mut syncs = trusted.data_syncs(&one).await.unwrap();
        let _ = syncs.ensure(&wanted, &[region(HOME)]).await.unwrap().into_result().unwrap();
        let protect = SyncProtection::Protect { clients: &[&one, &other], regions: &[region(HOME)] };
        let named = definitions(trusted.disable(protect).await);
        assert_eq!(named.into_iter().map(|(_, definition)| definition).collect::<Vec<_>>(), [wanted]);
    }
}

#[tokio::test]
async fn ensure_disabled_with_failed_listing_names_the_owner() {
    let organization = delegated().build();
    let (ours, theirs) = (organization.management_client(), organization.client(alice()));
    let observed = observe(&organization).await;
    organization.inject_fault(Operation::ListResourceDataSync, 1, Fault::refused("AccessDeniedException"));
    let ssm: [&dyn SystemsManagerClient; 2] = [&ours, &theirs];
    let protect = SyncProtection::Protect { clients: &ssm, regions: &[region(HOME)] };
    let (error, _) = failed(observed.ensure_disabled(protect).await);
    assert_eq!(
        error.to_string(),
        "ListResourceDataSync in eu-central-1 as 111111111111: could not check the data syncs of account \
         111111111111; provide a client that can list the data syncs of account 111111111111, or add the \
         permission ssm:ListResourceDataSync, or allow the data syncs to be lost"
    );
}

#[tokio::test]
async fn deregister_with_failed_listing_names_the_caller() {
    let organization = delegated().build();
    let theirs = organization.client(alice());
    let delegated = delegated_in(&organization).await;
    organization.inject_fault(Operation::ListResourceDataSync, 1, Fault::refused("AccessDeniedException"));
    let protect = SyncProtection::Protect { clients: &[&theirs], regions: &[region(HOME)] };
    let (error, _) = failed(delegated.deregister(protect).await);
    assert_eq!((error.caller(), error.operation()), (Some(alice()), Some(Operation::ListResourceDataSync)));
}

#[tokio::test]
async fn disable_with_repeated_page_token_is_refused() {
    let organization = trusting().build();
    let mut client = crate::common::MockClient::new();
    client.expect_get_caller_identity().returning(|| Ok(CallerIdentity::new(management())));
    client
        .expect_list_resource_data_sync()
        .times(2)
        .returning(|_, _, _| Ok(Page { items: Vec::new(), next: Some("again".parse()?) }));
    let protect = SyncProtection::Protect { clients: &[&client], regions: &[region(HOME)] };
    let (error, _) = failed(trusted_in(&organization).await.disable(protect).await);
    assert!(
        matches!(error.kind(), ErrorKind::DataSyncsNotChecked { account, .. } if *account == management()),
        "{error}"
    );
    assert_eq!((error.region(), organization.write_count()), (Some(&region(HOME)), 0));
}

#[tokio::test]
async fn disable_with_two_clients_reports_a_sync_once() {
    let organization = trusting().data_sync(management(), region(HOME), organization_sync("all")).build();
    let (one, other) = (organization.management_client(), organization.management_client());
    let ssm: [&dyn SystemsManagerClient; 2] = [&one, &other];
    let (error, _) = failed(
        trusted_in(&organization)
            .await
            .disable(SyncProtection::Protect { clients: &ssm, regions: &[region(HOME)] })
            .await,
    );
    assert_eq!(names(error.kind()).len(), 1);
}

#[tokio::test]
async fn ensure_disabled_without_trusted_access_ignores_own_sync() {
    // The management account's sync already fails without trusted access, so it needs no
    // protection.
    let start = crate::common::organization().delegated_administrator(alice());
    let organization = start.data_sync(management(), region(HOME), organization_sync("ours")).build();
    let (ours, theirs) = (organization.management_client(), organization.client(alice()));
    let ssm: [&dyn SystemsManagerClient; 2] = [&ours, &theirs];
    let regions = regions();
    let alone = SyncProtection::Protect { clients: &[&theirs], regions: &regions };
    observe(&organization).await.ensure_disabled(alone).await.unwrap();

    organization.register_administrator(alice());
    observe(&organization)
        .await
        .ensure_disabled(SyncProtection::Protect { clients: &ssm, regions: &regions })
        .await
        .unwrap();
}

#[test]
fn debug_of_sync_protection_omits_the_clients() {
    let organization = trusting().build();
    let client = organization.management_client();
    let protect = SyncProtection::Protect { clients: &[&client], regions: &[region(HOME)] };
    assert_eq!(format!("{protect:?}"), "Protect { clients: 1, regions: [Region(eu-central-1)], .. }");
    assert_eq!(format!("{:?}", SyncProtection::AllowLoss), "AllowLoss");
}
