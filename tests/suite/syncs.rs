//! The organization's data syncs under steps that would break or delete them.
#![cfg(feature = "sim")]

use crate::common::{
    SSM, Way, alice, bob, delegated, delegated_in, failed, irregular_in, management, observe, organization_sync,
    region, trusted_in, trusting, way,
};
use ssm_organizations::ports::{
    CallerIdentity, DataSync, Operation, Page, SourceRegions, SyncDefinition, SyncSourceType, SystemsManagerClient,
};
use ssm_organizations::sim::{Fault, Lag};
use ssm_organizations::{
    AccountId, ChangeKind, ErrorKind, Failure, Handle, Handover, Region, RemainingSync, ServicePrincipal, SyncName,
    Syncs, SyncsReport, sim,
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
        ErrorKind::SyncsRemain { syncs, .. } => syncs.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_sync_that_remains_is_named_and_nothing_is_written() {
    // The management account's, before disabling.
    let organization = trusting().data_sync(management(), region("us-east-1"), organization_sync("all")).build();
    let client = organization.management_client();
    let protect = Syncs::Protect { ssm: &[&client], regions: &regions() };
    let (error, recovered) = failed(trusted_in(&organization).await.disable(protect).await);
    assert_eq!(names(error.kind()), [r#""all" of account 111111111111 in us-east-1"#]);
    assert_eq!((way(&recovered), organization.writes()), (Way::Unchanged, 0));

    // The administrator's, before deregistering.
    let organization = delegated().data_sync(alice(), region(HOME), organization_sync("theirs")).build();
    let client = organization.client(alice());
    let protect = Syncs::Protect { ssm: &[&client], regions: &regions() };
    let (error, recovered) = failed(delegated_in(&organization).await.deregister(protect).await);
    assert_eq!(names(error.kind()), [r#""theirs" of account 222222222222 in eu-central-1"#]);
    assert_eq!((way(&recovered), organization.writes(), error.account()), (Way::Unchanged, 0, Some(alice())));
}

#[tokio::test]
async fn a_sync_on_a_later_page_is_found() {
    let mut start = trusting().page_size(1).empty_pages();
    let single = DataSync::new(SyncName::new("a").unwrap(), Some(SyncSourceType::SingleAccountMultiRegions));
    start = start.data_sync(management(), region(HOME), single);
    let organization = start.data_sync(management(), region(HOME), organization_sync("b")).build();
    let client = organization.management_client();
    let protect = Syncs::Protect { ssm: &[&client], regions: &[region(HOME)] };
    let (error, _) = failed(trusted_in(&organization).await.disable(protect).await);
    assert_eq!(names(error.kind()), [r#""b" of account 111111111111 in eu-central-1"#]);
}

#[tokio::test]
async fn only_syncs_of_the_organization_are_in_the_way_and_one_that_does_not_say_counts() {
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
        let protect = Syncs::Protect { ssm: &[&client], regions: &[region(HOME)] };
        let result = trusted_in(&organization).await.disable(protect).await;
        assert_eq!(result.is_err(), in_the_way, "{source:?}");
        assert_eq!(organization.is_trusted(&SSM), in_the_way, "{source:?}");
    }
}

#[tokio::test]
async fn an_account_that_was_not_looked_at_is_a_refusal() {
    // Only the administrator sees the administrator's syncs.
    let organization = delegated().build();
    let client = organization.management_client();
    let protect = Syncs::Protect { ssm: &[&client], regions: &regions() };
    let (error, recovered) = failed(delegated_in(&organization).await.deregister(protect).await);
    assert!(matches!(error.kind(), ErrorKind::SyncsUnseen { account, .. } if *account == alice()), "{error}");
    assert_eq!((way(&recovered), organization.writes()), (Way::Unchanged, 0));

    // Only the management account sees its own.
    let organization = trusting().build();
    let client = organization.client(alice());
    let protect = Syncs::Protect { ssm: &[&client], regions: &regions() };
    let (error, recovered) = failed(trusted_in(&organization).await.disable(protect).await);
    assert!(matches!(error.kind(), ErrorKind::SyncsUnseen { account, .. } if *account == management()), "{error}");
    assert_eq!((way(&recovered), organization.writes()), (Way::Unchanged, 0));
}

#[tokio::test]
async fn a_region_that_cannot_be_listed_is_a_refusal_that_says_which() {
    let organization = trusting().build();
    let client = organization.management_client();
    let trusted = trusted_in(&organization).await;
    organization.fault(Operation::ListResourceDataSync, 2, Fault::refused("AccessDeniedException"));
    let protect = Syncs::Protect { ssm: &[&client], regions: &regions() };
    let (error, recovered) = failed(trusted.disable(protect).await);
    assert!(matches!(error.kind(), ErrorKind::SyncsUnseen { account, .. } if *account == management()));
    assert_eq!(error.region(), Some(&region("us-east-1")));
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(error.account(), None, "it is about the management account's syncs");
    assert!(source.to_string().contains("ssm:ListResourceDataSync"), "{source}");
    assert_eq!((way(&recovered), organization.writes()), (Way::Unchanged, 0));
}

#[tokio::test]
async fn a_client_that_does_not_know_for_whom_it_speaks_has_seen_nothing() {
    let organization = trusting().build();
    let client = organization.management_client();
    let trusted = trusted_in(&organization).await;
    organization.fault(Operation::GetCallerIdentity, 1, Fault::refused("ExpiredToken"));
    let protect = Syncs::Protect { ssm: &[&client], regions: &regions() };
    let (error, recovered) = failed(trusted.disable(protect).await);
    assert_eq!((error.code(), error.operation()), (Some("ExpiredToken"), Some(Operation::GetCallerIdentity)));
    assert_eq!(error.caller(), None, "nobody can tell");
    assert_eq!((way(&recovered), organization.writes()), (Way::Unchanged, 0));
}

#[tokio::test]
async fn the_result_says_where_and_as_whom_was_looked() {
    let organization = delegated().build();
    let (ours, theirs) = (organization.management_client(), organization.client(alice()));
    let ssm: [&dyn SystemsManagerClient; 2] = [&ours, &theirs];
    // A Region that is named twice is looked at once.
    let regions = [region("us-east-1"), region(HOME), region("us-east-1")];
    let protect = Syncs::Protect { ssm: &ssm, regions: &regions };
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
        let SyncsReport::NoneSeen(looks) = report else { panic!("{report:?}") };
        let looked: Vec<_> = looks.iter().map(|look| (look.account, look.regions.clone())).collect();
        let regions = vec![region(HOME), region("us-east-1")];
        assert_eq!(looked, [(management(), regions.clone()), (alice(), regions)]);
    }

    let organization = trusting().build();
    let disabled = trusted_in(&organization).await.disable(Syncs::Forfeit).await.unwrap();
    assert!(matches!(
        &disabled.changes()[0].kind,
        ChangeKind::TrustedAccessDisabled { syncs: SyncsReport::Forfeited, .. }
    ));
    assert_eq!(organization.count(Operation::ListResourceDataSync), 0);
}

#[tokio::test]
async fn deregistering_looks_only_at_the_account_that_it_endangers() {
    // The management account's own sync survives a deregistration, so it is no reason to refuse one.
    let organization = delegated().data_sync(management(), region(HOME), organization_sync("ours")).build();
    let (ours, theirs) = (organization.management_client(), organization.client(alice()));
    let ssm: [&dyn SystemsManagerClient; 2] = [&ours, &theirs];
    let regions = regions();
    let protect = Syncs::Protect { ssm: &ssm, regions: &regions };
    delegated_in(&organization).await.deregister(protect).await.unwrap();
    assert_eq!(organization.count(Operation::ListResourceDataSync), regions.len());
}

#[tokio::test]
async fn a_whole_offboarding_looks_at_everybody_before_its_first_write() {
    let organization = delegated().data_sync(management(), region(HOME), organization_sync("ours")).build();
    let (ours, theirs) = (organization.management_client(), organization.client(alice()));
    let regions = regions();

    let ssm: [&dyn SystemsManagerClient; 2] = [&ours, &theirs];
    let protect = Syncs::Protect { ssm: &ssm, regions: &regions };
    let (error, recovered) = failed(observe(&organization).await.ensure_disabled(protect).await);
    assert_eq!(names(error.kind()), [r#""ours" of account 111111111111 in eu-central-1"#]);
    assert_eq!((way(&recovered), organization.writes()), (Way::Unchanged, 0));

    let protect = Syncs::Protect { ssm: &[&theirs], regions: &regions };
    let (error, _) = failed(observe(&organization).await.ensure_disabled(protect).await);
    assert!(matches!(error.kind(), ErrorKind::SyncsUnseen { account, .. } if *account == management()), "{error}");
    assert_eq!(organization.writes(), 0);
}

#[tokio::test]
async fn several_administrators_are_all_looked_at_before_the_first_goes() {
    let start = || delegated().delegated_to(bob()).data_sync(bob(), region(HOME), organization_sync("bobs"));
    let protect_with = |organization: &sim::Organization| (organization.client(alice()), organization.client(bob()));
    let regions = regions();

    let organization = start().build();
    let (alices, bobs) = protect_with(&organization);
    let ssm: [&dyn SystemsManagerClient; 2] = [&alices, &bobs];
    let protect = Syncs::Protect { ssm: &ssm, regions: &regions };
    let (error, _) = failed(irregular_in(&organization).await.remove_all(protect).await);
    assert_eq!(names(error.kind()), [r#""bobs" of account 333333333333 in eu-central-1"#]);
    assert_eq!(organization.administrators(), [alice(), bob()], "Alice is not removed for nothing");

    // One that Bob makes while Alice goes is seen before he goes too.
    let organization = delegated().delegated_to(bob()).build();
    organization.before(Operation::DeregisterDelegatedAdministrator, 1, |organization| {
        organization.add_data_sync(bob(), region(HOME), organization_sync("new"));
    });
    let (alices, bobs) = protect_with(&organization);
    let ssm: [&dyn SystemsManagerClient; 2] = [&alices, &bobs];
    let protect = Syncs::Protect { ssm: &ssm, regions: &regions };
    let (error, _) = failed(irregular_in(&organization).await.remove_all(protect).await);
    assert_eq!(names(error.kind()), [r#""new" of account 333333333333 in eu-central-1"#]);
    assert_eq!(organization.administrators(), [bob()]);

    // Keeping Bob endangers nothing of his.
    let organization = start().build();
    let (alices, bobs) = protect_with(&organization);
    let ssm: [&dyn SystemsManagerClient; 2] = [&alices, &bobs];
    let protect = Syncs::Protect { ssm: &ssm, regions: &regions };
    irregular_in(&organization).await.keep_only(&bob(), protect).await.unwrap();
    assert_eq!(organization.administrators(), [bob()]);
    assert_eq!(organization.data_syncs(bob(), &region(HOME)).len(), 1);
}

/// The syncs that a refusal names, each with what it takes to create it again.
fn definitions<T, H: Handle>(refused: Result<T, Failure<H>>) -> Vec<(String, SyncDefinition)> {
    let (error, _) = failed(refused);
    let ErrorKind::SyncsRemain { syncs, .. } = error.kind() else { panic!("{error}") };
    let in_full = |sync: &RemainingSync| sync.shown.as_ref().and_then(DataSync::definition).unwrap();
    syncs.iter().map(|sync| (sync.to_string(), in_full(sync))).collect()
}

#[tokio::test]
async fn a_refusal_holds_what_it_takes_to_create_the_syncs_again() {
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
            let $protect = Syncs::Protect { ssm: &ssm, regions: &regions() };
            let named = definitions($step);
            assert_eq!($organization.writes(), 0);
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
        delegated_in(&organization).await.replace(&bob(), Handover::Leave(protect)).await
    });
    assert_eq!(named, of(&[alice()]));
    let both = || delegated().delegated_to(bob());
    let named =
        refused!(both(), |organization, protect| irregular_in(&organization).await.keep_only(&bob(), protect).await);
    assert_eq!(named, of(&[alice()]));
    let named = refused!(both(), |organization, protect| irregular_in(&organization).await.remove_all(protect).await);
    assert_eq!(named, of(&[alice(), bob()]));
}

#[tokio::test]
async fn where_one_client_sees_a_sync_late_another_one_shows_it() {
    for lags in [[Lag::NONE, Lag::Reads(9)], [Lag::Reads(9), Lag::NONE]] {
        let start = trusting().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY);
        let shown = [Lag::NONE, Lag::NONE, Lag::NONE];
        let organization = start.lags_of(Operation::ListResourceDataSync, shown.into_iter().chain(lags)).build();
        let (one, other) = (organization.management_client(), organization.management_client());
        let mut trusted = trusted_in(&organization).await;
        let wanted = SyncDefinition::of_organization(name("all"), SourceRegions::new([region(HOME)]).unwrap());
        let mut syncs = trusted.data_syncs(&one).await.unwrap();
        let _ = syncs.ensure(&wanted, &[region(HOME)]).await.unwrap().into_result().unwrap();
        let protect = Syncs::Protect { ssm: &[&one, &other], regions: &[region(HOME)] };
        let named = definitions(trusted.disable(protect).await);
        assert_eq!(named.into_iter().map(|(_, definition)| definition).collect::<Vec<_>>(), [wanted]);
    }
}

#[tokio::test]
async fn a_listing_that_fails_before_a_deregistration_is_not_about_the_account_to_deregister() {
    let organization = delegated().build();
    let (ours, theirs) = (organization.management_client(), organization.client(alice()));
    let observed = observe(&organization).await;
    organization.fault(Operation::ListResourceDataSync, 1, Fault::refused("AccessDeniedException"));
    let ssm: [&dyn SystemsManagerClient; 2] = [&ours, &theirs];
    let protect = Syncs::Protect { ssm: &ssm, regions: &[region(HOME)] };
    let (error, _) = failed(observed.ensure_disabled(protect).await);
    assert_eq!(
        error.to_string(),
        "ListResourceDataSync in eu-central-1 as 111111111111: the data syncs of account 111111111111 were not seen, so some \
         may remain; give a client that can list the data syncs of account 111111111111, or forfeit the data syncs"
    );
}

#[tokio::test]
async fn a_listing_that_fails_is_told_as_that_of_the_account_that_asked() {
    let organization = delegated().build();
    let theirs = organization.client(alice());
    let delegated = delegated_in(&organization).await;
    organization.fault(Operation::ListResourceDataSync, 1, Fault::refused("AccessDeniedException"));
    let protect = Syncs::Protect { ssm: &[&theirs], regions: &[region(HOME)] };
    let (error, _) = failed(delegated.deregister(protect).await);
    assert_eq!((error.caller(), error.operation()), (Some(alice()), Some(Operation::ListResourceDataSync)));
}

#[tokio::test]
async fn a_listing_in_circles_has_no_end_to_rely_on() {
    let organization = trusting().build();
    let mut client = crate::common::MockClient::new();
    client.expect_get_caller_identity().returning(|| Ok(CallerIdentity::new(management())));
    client
        .expect_list_resource_data_sync()
        .times(2)
        .returning(|_, _, _| Ok(Page { items: Vec::new(), next: Some("again".parse()?) }));
    let protect = Syncs::Protect { ssm: &[&client], regions: &[region(HOME)] };
    let (error, _) = failed(trusted_in(&organization).await.disable(protect).await);
    assert!(matches!(error.kind(), ErrorKind::SyncsUnseen { account, .. } if *account == management()), "{error}");
    assert_eq!((error.region(), organization.writes()), (Some(&region(HOME)), 0));
}

#[tokio::test]
async fn two_clients_of_one_account_see_the_same_sync_once() {
    let organization = trusting().data_sync(management(), region(HOME), organization_sync("all")).build();
    let (one, other) = (organization.management_client(), organization.management_client());
    let ssm: [&dyn SystemsManagerClient; 2] = [&one, &other];
    let (error, _) =
        failed(trusted_in(&organization).await.disable(Syncs::Protect { ssm: &ssm, regions: &[region(HOME)] }).await);
    assert_eq!(names(error.kind()).len(), 1);
}

#[tokio::test]
async fn without_trusted_access_only_the_administrators_syncs_are_in_danger() {
    // The management account's own sync does not work as it is, and nothing that follows makes it worse.
    let start = crate::common::organization().delegated_to(alice());
    let organization = start.data_sync(management(), region(HOME), organization_sync("ours")).build();
    let (ours, theirs) = (organization.management_client(), organization.client(alice()));
    let ssm: [&dyn SystemsManagerClient; 2] = [&ours, &theirs];
    let regions = regions();
    let alone = Syncs::Protect { ssm: &[&theirs], regions: &regions };
    observe(&organization).await.ensure_disabled(alone).await.unwrap();

    organization.delegate(alice());
    observe(&organization).await.ensure_disabled(Syncs::Protect { ssm: &ssm, regions: &regions }).await.unwrap();
}

#[test]
fn what_is_to_become_of_syncs_prints_without_its_clients() {
    let organization = trusting().build();
    let client = organization.management_client();
    let protect = Syncs::Protect { ssm: &[&client], regions: &[region(HOME)] };
    assert_eq!(format!("{protect:?}"), "Protect { clients: 1, regions: [Region(eu-central-1)], .. }");
    assert_eq!(format!("{:?}", Syncs::Forfeit), "Forfeit");
}
