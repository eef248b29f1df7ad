//! The conformance suite on the organization in memory, and on copies of it that each break one rule.
#![cfg(feature = "sim")]

#[path = "conformance/twisted.rs"]
mod twisted;

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::Duration;

use crate::common::{SSM, account, alice, bob, management, organization_sync, region};
use async_trait::async_trait;
use ssm_organizations::conformance::{self, Check, Finding, Fixture, Ports, Report, Verdict};
use ssm_organizations::ports::{
    AccountState, CallerIdentity, Client, DelegatedAdministrator, EnabledService, IamApi, Operation, OrganizationsApi,
    Page, SourceRegions, StsApi, SyncDefinition, SyncSourceType, SyncType, SystemsManagerApi,
};
use ssm_organizations::sim::{
    self, Builder, Chances, DeregisterUntrusted, DisableAdministered, DuplicateRole, Fault, Organization,
    RegisterUntrusted, Repetition, SecondAdministrator, SyncOfAMember, Undocumented, UnreadySync,
};
use ssm_organizations::{AccountId, Error, ErrorKind, OrganizationalUnitId, PageToken, RoleName, ServicePrincipal};
use twisted::{Twist, Twisted};

fn carol() -> AccountId {
    account("444444444444")
}

fn stranger() -> AccountId {
    account("999999999999")
}

fn unit() -> OrganizationalUnitId {
    "ou-ab12-34567890".parse().unwrap()
}

/// Services before and after Systems Manager in the alphabet, so that it is neither first nor last.
fn others() -> Vec<ServicePrincipal> {
    ["access-analyzer", "config", "guardduty", "sso"]
        .iter()
        .map(|name| format!("{name}.amazonaws.com").parse().unwrap())
        .collect()
}

/// An organization with everything that a check may need.
fn full() -> Builder {
    let builder = Organization::builder()
        .member(alice())
        .member(bob())
        .member_in(carol(), AccountState::Suspended)
        .unit(unit())
        .page_size(2);
    others().iter().fold(builder, Builder::trusting)
}

/// What it is set up with, apart from its clients.
fn full_fixture<'a>(management: impl Into<Ports<'a>>) -> Fixture<'a> {
    Fixture::new(management)
        .member(alice())
        .other_member(bob())
        .suspended_member(carol())
        .outsider(stranger())
        .trusted_services(others())
        .region(region("eu-central-1"))
        .other_region(region("us-east-1"))
        .unit(unit())
}

async fn run_on(organization: &Organization) -> Report {
    let client = organization.management_client();
    let [member, outsider] = [alice(), stranger()].map(|account| organization.client(account));
    conformance::run(&full_fixture(&client).member_client(&member).outsider_client(&outsider)).await
}

/// One check, on everything that it may need.
async fn run_one(name: &str, organization: &Organization) -> Finding {
    let client = organization.management_client();
    let member = organization.client(alice());
    check(name).run(&full_fixture(&client).member_client(&member)).await
}

fn check(name: &str) -> &'static Check {
    conformance::checks().find(|check| check.name() == name).expect(name)
}

fn names<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<&'static str> {
    findings.map(|finding| finding.check().name()).collect()
}

/// Every check passes, none is skipped, and nothing is different afterwards.
async fn conforms(what: &str, organization: &Organization) {
    let before = organization.snapshot();
    let report = run_on(organization).await;
    assert_eq!(report.passed().count(), conformance::checks().count(), "{what}: {report}");
    report.conforms().unwrap();
    assert_eq!(organization.snapshot(), before, "{what}");
}

#[tokio::test(start_paused = true)]
async fn the_organization_in_memory_conforms() {
    conforms("as it is", &full().build()).await;
}

#[test]
fn every_check_has_a_name_of_its_own_a_rule_and_a_document() {
    let names: BTreeSet<_> = conformance::checks().map(Check::name).collect();
    assert_eq!(names.len(), conformance::checks().count());
    let hashes: BTreeSet<_> =
        conformance::checks().map(|check| BuildHasherDefault::<DefaultHasher>::default().hash_one(check)).collect();
    assert_eq!(hashes.len(), names.len());
    for check in conformance::checks() {
        let text = format!("{check:?}");
        assert!(text.starts_with(&format!("Check {{ name: {:?}, rule: ", check.name())), "{text}");
        assert!(check.rule().ends_with('.'), "{check:?}");
        assert!(check.document().starts_with("https://docs.aws.amazon.com/"), "{check:?}");
        assert!(["organizations", "sts", "ssm", "iam"].contains(&check.service()), "{check:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn pages_may_be_short_and_empty() {
    for size in [1, 2, 20] {
        conforms("short pages", &full().page_size(size).build()).await;
        conforms("empty pages", &full().page_size(size).empty_pages().build()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_day_does_not_count_against_an_implementation() {
    conforms("throttled", &full().throttled().build()).await;
    conforms("slow", &full().latency(Duration::from_millis(300)).build()).await;
    conforms("late", &full().lag(Duration::from_secs(5)).build()).await;
    let mut chances = Chances::default();
    chances.throttled = 100;
    chances.conflict = 100;
    for seed in 0..10 {
        conforms("unlucky", &full().chances(seed, chances).build()).await;
    }
}

/// Where AWS's documents leave something open, every answer that they allow passes. The others are what they rule out.
#[tokio::test(start_paused = true)]
async fn what_the_documents_leave_open_is_open() {
    let with = |change: &dyn Fn(&mut Undocumented)| {
        let mut undocumented = Undocumented::default();
        change(&mut undocumented);
        undocumented
    };
    let mut settings: Vec<(Undocumented, &[&str])> = Vec::new();
    for position in Repetition::ALL {
        settings.push((with(&|switches| switches.repetition = *position), &[]));
    }
    for position in RegisterUntrusted::ALL {
        let ruled_out: &[&str] = match position {
            RegisterUntrusted::Accepted | RegisterUntrusted::Enables => &["registering_before_enabling_is_refused"],
            _ => &[],
        };
        settings.push((with(&|switches| switches.register_untrusted = *position), ruled_out));
    }
    for position in SecondAdministrator::ALL {
        let ruled_out: &[&str] = match position {
            SecondAdministrator::Accepted => &["registering_a_second_account_is_refused"],
            _ => &[],
        };
        settings.push((with(&|switches| switches.second_administrator = *position), ruled_out));
    }
    for administered in DisableAdministered::ALL {
        for untrusted in DeregisterUntrusted::ALL {
            let change = |switches: &mut Undocumented| {
                switches.disable_administered = *administered;
                switches.deregister_untrusted = *untrusted;
            };
            settings.push((with(&change), &[]));
        }
    }
    for position in UnreadySync::ALL {
        settings.push((with(&|switches| switches.unready_sync = *position), &[]));
    }
    for position in SyncOfAMember::ALL {
        settings.push((with(&|switches| switches.sync_of_a_member = *position), &[]));
    }
    for position in DuplicateRole::ALL {
        settings.push((with(&|switches| switches.duplicate_role = *position), &[]));
    }
    for on in [true, false] {
        settings.push((with(&|switches| switches.reasons = on), &[]));
        settings.push((with(&|switches| switches.enabling_makes_role = on), &[]));
        settings.push((with(&|switches| switches.deregistering_deletes_syncs = on), &[]));
        settings.push((with(&|switches| switches.syncs_recover = on), &[]));
        settings.push((with(&|switches| switches.sync_quota_is_shared = on), &[]));
        settings.push((with(&|switches| switches.sync_booleans_are_shown = on), &[]));
        settings.push((with(&|switches| switches.role_serves_all_syncs = on), &[]));
        settings.push((with(&|switches| switches.role_serves_single_accounts = on), &[]));
        settings.push((with(&|switches| switches.listing_needs_all_features = on), &[]));
        let spared: &[&str] = if on { &["eu-central-1", "us-east-1"] } else { &["us-east-1"] };
        let spared: Vec<_> = spared.iter().map(|name| region(name)).collect();
        settings.push((with(&|switches| switches.deregistering_spares.extend(spared.clone())), &[]));
    }
    for (undocumented, ruled_out) in settings {
        let organization = full().undocumented(undocumented.clone()).build();
        let before = organization.snapshot();
        let report = run_on(&organization).await;
        assert_eq!(names(report.failed()), ruled_out, "{undocumented:?}: {report}");
        report.conforms_but_for(ruled_out).unwrap();
        assert_eq!(report.skipped().count(), 0, "{undocumented:?}: {report}");
        assert_eq!(organization.snapshot(), before, "{undocumented:?}");
    }
}

/// One port after the other.
fn each(client: &sim::Client) -> Ports<'_> {
    Ports::new().organizations(client).sts(client).systems_manager(client).iam(client)
}

#[tokio::test(start_paused = true)]
async fn wrappers_conform() {
    let organization = full().build();
    let client = organization.management_client();
    let [member, outsider] = [alice(), stranger()].map(|account| organization.client(account));
    let clean = |report: Report| {
        report.conforms().unwrap();
        assert_eq!(report.skipped().count(), 0, "{report}");
    };

    let by_reference: (&_, &_, &_) = (&&client, &&member, &&outsider);
    let fixture = full_fixture(by_reference.0).member_client(by_reference.1).outsider_client(by_reference.2);
    clean(conformance::run(&fixture).await);

    let boxed: [Box<dyn Client>; 3] = [&client, &member, &outsider].map(|client| Box::new(client.clone()) as _);
    let fixture = full_fixture(&boxed[0]).member_client(&boxed[1]).outsider_client(&boxed[2]);
    clean(conformance::run(&fixture).await);

    let shared: [Arc<dyn Client>; 3] = [&client, &member, &outsider].map(|client| Arc::new(client.clone()) as _);
    let fixture = full_fixture(&shared[0]).member_client(&shared[1]).outsider_client(&shared[2]);
    clean(conformance::run(&fixture).await);

    let fixture = full_fixture(Ports::of(&*shared[0]))
        .member_client(Ports::of(&*shared[1]))
        .outsider_client(Ports::new().organizations(&outsider));
    clean(conformance::run(&fixture).await);

    let all = "Ports { organizations: true, sts: true, systems_manager: true, iam: true }";
    assert_eq!(format!("{:?}", each(&client)), all);
    assert_eq!(format!("{:?}", Ports::new()), all.replace("true", "false"));
    let fixture = full_fixture(each(&client)).member_client(each(&member)).outsider_client(each(&outsider));
    clean(conformance::run(&fixture).await);

    let decorated =
        [management(), alice(), stranger()].map(|account| Twisted::new(&organization, account, Twist::Nothing));
    let fixture = full_fixture(&decorated[0]).member_client(&decorated[1]).outsider_client(&decorated[2]);
    clean(conformance::run(&fixture).await);
}

/// Whatever is there already stays there, and what a check cannot do without touching it is skipped.
#[tokio::test(start_paused = true)]
async fn what_was_there_before_stays() {
    let home = region("eu-central-1");
    let foreign = organization_sync("InspectorResourceDataSync-do-not-delete");
    // It keeps the role.
    let mut own = foreign.clone();
    own.source_type = Some(SyncSourceType::SingleAccountMultiRegions);
    let starts = [
        ("trusted", full().trusting(&SSM)),
        ("trusted, with the role", full().trusting(&SSM).role_for(&ServicePrincipal::ACCOUNT_DISCOVERY)),
        ("with the role", full().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY)),
        ("delegated", full().trusting(&SSM).delegated_to(alice())),
        ("delegated to another", full().trusting(&SSM).delegated_to(bob())),
        ("an administrator without trust", full().delegated_to(bob())),
        ("two administrators", full().trusting(&SSM).delegated_to(alice()).delegated_to(bob())),
        ("a sync", full().data_sync(management(), home.clone(), foreign.clone())),
        ("trusted and a sync", full().trusting(&SSM).data_sync(management(), home.clone(), foreign.clone())),
        ("the member's sync", full().data_sync(alice(), home.clone(), foreign)),
        ("a sync of the account itself", full().data_sync(management(), home.clone(), own)),
        ("no room", {
            let syncs = ["a", "b", "c", "d", "e"].map(organization_sync);
            syncs.into_iter().fold(full(), |builder, sync| builder.data_sync(management(), home.clone(), sync))
        }),
        ("no room beside Inventory's", {
            let syncs = ["a", "b", "c", "d", "e"].map(organization_sync);
            syncs.into_iter().fold(full(), |builder, sync| {
                builder.data_sync_of_type(SyncType::SyncToDestination, management(), home.clone(), sync)
            })
        }),
        ("a name that is taken", {
            full().data_sync(management(), home.clone(), organization_sync("ssm-organizations-conformance-1"))
        }),
    ];
    for (what, builder) in starts {
        let organization = builder.build();
        let before = organization.snapshot();
        let report = run_on(&organization).await;
        assert_eq!(organization.snapshot(), before, "{what}: {report}");
        report.conforms().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(report.skipped().count() > 0, "{what}: {report:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn in_any_order_and_each_alone() {
    let organization = full().build();
    let before = organization.snapshot();
    let client = organization.management_client();
    let [member, outsider] = [alice(), stranger()].map(|account| organization.client(account));
    let fixture = full_fixture(&client).member_client(&member).outsider_client(&outsider);
    let mut findings = Vec::new();
    for check in conformance::checks().rev() {
        let finding = check.run(&fixture).await;
        assert_eq!(*finding.verdict(), Verdict::Passed, "{finding}");
        assert_eq!(organization.snapshot(), before, "{finding}");
        findings.push(finding);
    }
    for check in conformance::checks() {
        let organization = full().build();
        let client = organization.management_client();
        let [member, outsider] = [alice(), stranger()].map(|account| organization.client(account));
        let fixture = full_fixture(&client).member_client(&member).outsider_client(&outsider);
        let finding = check.run(&fixture).await;
        assert_eq!(*finding.verdict(), Verdict::Passed, "{finding}");
    }
    findings.into_iter().collect::<Report>().conforms().unwrap();
}

/// A fake that has next to nothing.
struct Sparse;

impl OrganizationsApi for Sparse {}
impl SystemsManagerApi for Sparse {}
impl IamApi for Sparse {}
#[async_trait]
impl StsApi for Sparse {
    async fn get_caller_identity(&self) -> Result<CallerIdentity, Error> {
        Ok(CallerIdentity::new(alice()))
    }
}

#[tokio::test]
async fn what_is_missing_is_said_of_each_call() {
    let (sparse, ssm, role, home) = (Sparse, &SSM, &RoleName::ACCOUNT_DISCOVERY, &region("us-east-1"));
    let source = SourceRegions::new([home.clone()]).unwrap();
    let sync = &SyncDefinition::of_organization("one".parse().unwrap(), source);
    let errors = [
        sparse.describe_organization().await.err(),
        sparse.describe_account(&alice()).await.err(),
        sparse.list_aws_service_access_for_organization(None).await.err(),
        sparse.enable_aws_service_access(ssm).await.err(),
        sparse.disable_aws_service_access(ssm).await.err(),
        sparse.list_delegated_administrators(ssm, None).await.err(),
        sparse.register_delegated_administrator(&alice(), ssm).await.err(),
        sparse.deregister_delegated_administrator(&alice(), ssm).await.err(),
        sparse.list_resource_data_sync(home, SyncType::SyncFromSource, None).await.err(),
        sparse.create_resource_data_sync(home, sync).await.err(),
        sparse.update_resource_data_sync(home, sync).await.err(),
        sparse.delete_resource_data_sync(home, sync.name(), SyncType::SyncFromSource).await.err(),
        sparse.get_role(role).await.err(),
        sparse.create_service_linked_role(ssm).await.err(),
        sparse.delete_service_linked_role(role).await.err(),
        sparse.get_service_linked_role_deletion_status(&"task".parse().unwrap()).await.err(),
    ];
    let unsupported = errors.map(|error| error.filter(|error| *error.kind() == ErrorKind::Unsupported));
    let mut operations: Vec<_> = unsupported.iter().flatten().filter_map(Error::operation).collect();
    operations.sort();
    let others = Operation::ALL.iter().copied().filter(|operation| *operation != Operation::GetCallerIdentity);
    assert_eq!(operations, others.collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_skipped_and_said() {
    // Calls that the implementation does not offer.
    let report = conformance::run(&full_fixture(&Sparse).member_client(&Sparse).outsider_client(&Sparse)).await;
    report.conforms().unwrap();
    assert_eq!(names(report.passed()), ["members_caller_is_the_member"]);
    let skipped = report.finding("organization_is_described").unwrap().verdict();
    assert!(matches!(skipped, Verdict::Skipped { why, .. } if why.contains("DescribeOrganization")), "{skipped:?}");

    // Ports that the fixture does not have.
    let report = conformance::run(&Fixture::new(Ports::new())).await;
    assert_eq!(report.skipped().count(), conformance::checks().count());
    assert!(report.to_string().contains("the fixture has no OrganizationsApi of the management account"), "{report}");

    // Parts of the organization that it does not have.
    let organization = full().build();
    let client = organization.management_client();
    let report = conformance::run(&Fixture::new(&client)).await;
    report.conforms().unwrap();
    for (name, part) in [
        ("registered_account_is_listed", "active member"),
        ("registering_a_suspended_account_is_refused", "suspended member"),
        ("registering_an_outsider_is_refused", "account outside"),
        ("created_sync_is_listed", "Region"),
        ("member_may_not_enable", "OrganizationsApi of the member"),
    ] {
        let verdict = report.finding(name).unwrap().verdict();
        assert!(matches!(verdict, Verdict::Skipped { why, .. } if why.contains(part)), "{name}: {verdict:?}");
    }
}

/// Each broken implementation, and checks that must find it out. The checks are those of one twist and need not be all that fail.
const TWISTS: &[(Twist, &[&str])] = &[
    (Twist::OrganizationChanges, &["organization_is_described"]),
    (Twist::DescribesAnother, &["active_member_is_described", "management_account_is_described"]),
    (Twist::EverybodyIsActive, &["suspended_member_is_described"]),
    (Twist::EverybodyIsAMember, &["outsider_is_not_described"]),
    (Twist::StopsAfterAPage, &["trusted_services_are_listed_to_the_end", "every_sync_is_listed"]),
    (Twist::RepeatsATokenForever, &["trusted_services_are_listed_to_the_end", "every_sync_is_listed"]),
    (Twist::NeverEnds, &["trusted_services_are_listed_to_the_end", "every_sync_is_listed"]),
    (Twist::DatesOfAsking, &["listing_is_the_same_again", "enabling_again_changes_nothing"]),
    (
        Twist::TakesAnyToken,
        &[
            "foreign_page_token_of_services_is_refused",
            "foreign_page_token_of_administrators_is_refused",
            "foreign_page_token_of_syncs_is_refused",
        ],
    ),
    (
        Twist::NoDates,
        &[
            "enabled_service_is_listed",
            "registered_account_is_listed",
            "created_sync_is_listed",
            "created_role_is_there",
        ],
    ),
    (
        Twist::DatesAreZero,
        &[
            "enabled_service_is_listed",
            "registered_account_is_listed",
            "created_sync_is_listed",
            "created_role_is_there",
        ],
    ),
    (
        Twist::DatesAreTooEarly,
        &[
            "enabled_service_is_listed",
            "registered_account_is_listed",
            "created_sync_is_listed",
            "created_role_is_there",
        ],
    ),
    (
        Twist::DatesAreMilliseconds,
        &[
            "enabled_service_is_listed",
            "registered_account_is_listed",
            "created_sync_is_listed",
            "created_role_is_there",
        ],
    ),
    (Twist::DatesRunBackwards, &["enabling_later_has_a_later_date", "registering_later_has_a_later_date"]),
    (Twist::EnablingRenews, &["enabling_again_changes_nothing"]),
    (Twist::EnablingIsAlone, &["enabling_leaves_other_services_alone"]),
    (Twist::EnablesAnything, &["enabling_an_unknown_service_is_refused"]),
    (Twist::DisablesNothing, &["disabled_service_is_not_listed"]),
    (Twist::DisablingToggles, &["disabling_again_changes_nothing"]),
    (Twist::DisablesAll, &["disabling_leaves_other_services_alone"]),
    (Twist::DisablesByHalves, &["disabling_with_an_administrator_is_whole"]),
    (
        Twist::RegistersAnybody,
        &[
            "registering_before_enabling_is_refused",
            "registering_again_is_refused",
            "registering_a_second_account_is_refused",
            "registering_the_management_account_is_refused",
            "registering_a_suspended_account_is_refused",
            "registering_an_outsider_is_refused",
        ],
    ),
    (Twist::RegistersNobody, &["registered_account_is_listed"]),
    (Twist::ListsAdministratorsOfAll, &["administrators_are_listed_by_service"]),
    (Twist::DeregistersNobody, &["deregistered_account_is_not_listed"]),
    (Twist::DeregistersAndDisables, &["deregistered_account_is_not_listed"]),
    (Twist::DeregisteringIsLenient, &["deregistering_again_is_refused", "deregistering_an_outsider_is_refused"]),
    (
        Twist::CodesAreLost,
        &[
            "registering_again_is_refused",
            "deregistering_again_is_refused",
            "sixth_sync_is_refused",
            "member_may_not_sync_the_organization",
        ],
    ),
    (Twist::ReasonsAreWrong, &["registering_before_enabling_is_refused", "registering_a_second_account_is_refused"]),
    (
        Twist::EverybodyIsManagement,
        &[
            "member_may_not_list_services",
            "member_may_not_list_administrators",
            "member_may_not_describe_accounts",
            "member_may_not_enable",
            "member_may_not_disable",
            "member_may_not_register",
            "member_may_not_deregister",
            "administrator_may_not_write",
            "outsider_has_no_organization",
            "members_caller_is_the_member",
            "sync_belongs_to_its_account",
            "member_may_not_sync_the_organization",
        ],
    ),
    (Twist::MembersMayNothing, &["member_sees_the_organization", "administrator_may_read"]),
    (Twist::CallerIsAnother, &["caller_is_the_management_account", "members_caller_is_the_member"]),
    (Twist::SyncsForgetTheirRegions, &["created_sync_is_listed", "updated_sync_shows_the_change"]),
    (Twist::SyncsForgetTheirSource, &["sync_of_the_organization_is_listed"]),
    (Twist::SyncsForgetTheirUnits, &["sync_of_a_unit_is_listed"]),
    (Twist::CreatingSyncsIsLenient, &["sixth_sync_is_refused", "sync_of_an_unknown_unit_shows_it"]),
    (Twist::SyncsAreOverwritten, &["sync_name_is_taken_once"]),
    (Twist::SyncTypeIsForgotten, &["sync_is_listed_by_its_type", "sync_is_deleted_by_its_type"]),
    (Twist::OneRegion, &["sync_belongs_to_its_region"]),
    (Twist::UpdatesNothing, &["updated_sync_shows_the_change", "updating_to_another_source_is_refused"]),
    (
        Twist::UpdatesByCreating,
        &[
            "updated_sync_shows_the_change",
            "updating_to_another_source_is_refused",
            "updating_an_unknown_sync_is_refused",
        ],
    ),
    (Twist::DeletesNoSync, &["deleted_sync_is_not_listed"]),
    (Twist::DeletingSyncsIsLenient, &["deleting_an_unknown_sync_is_refused"]),
    (Twist::SyncsAreAlwaysHealthy, &["sync_without_trust_shows_it", "sync_that_loses_its_trust_shows_it"]),
    (Twist::RoleHasAnotherPath, &["created_role_is_there"]),
    (Twist::CreatingRolesIsLenient, &["role_is_created_once"]),
    (Twist::EveryRoleIsThere, &["unknown_role_is_not_there"]),
    (Twist::AnybodyHasARole, &["role_for_no_service_is_refused"]),
    (Twist::DeletesNoRole, &["deleted_role_is_gone"]),
    (Twist::RoleIdsComeAgain, &["role_created_again_has_another_id"]),
    (Twist::DeletionsAreNew, &["deletion_is_begun_once"]),
    (Twist::DeletingRolesIsLenient, &["deleting_an_unknown_role_is_refused"]),
    (Twist::DeletionsAlwaysSucceed, &["status_of_an_unknown_deletion_is_refused", "role_in_use_is_kept_or_gone"]),
];

#[tokio::test(start_paused = true)]
async fn every_broken_rule_is_found_by_the_check_that_is_about_it() {
    for (twist, checks) in TWISTS {
        let undocumented = {
            let mut switches = Undocumented::default();
            // There, bad syncs are created, and their state tells.
            if *twist == Twist::SyncsAreAlwaysHealthy {
                switches.unready_sync = UnreadySync::Created;
            }
            switches
        };
        let organization = full().undocumented(undocumented).build();
        let clients = [management(), alice(), stranger()].map(|account| Twisted::new(&organization, account, *twist));
        let fixture = full_fixture(&clients[0]).member_client(&clients[1]).outsider_client(&clients[2]);
        for name in *checks {
            let check = check(name);
            let finding = check.run(&fixture).await;
            assert!(matches!(finding.verdict(), Verdict::Failed { .. }), "{twist:?}: {finding}");
            assert!(finding.to_string().contains(check.document()), "{finding}");
        }
    }
}

#[test]
fn every_check_finds_something() {
    let found: BTreeSet<_> = TWISTS.iter().flat_map(|(_, checks)| checks.iter().copied()).collect();
    let idle: Vec<_> = conformance::checks().map(Check::name).filter(|name| !found.contains(name)).collect();
    assert!(idle.is_empty(), "{idle:?}");
    let unused: Vec<_> = Twist::ALL.iter().filter(|twist| !TWISTS.iter().any(|(used, _)| used == *twist)).collect();
    assert_eq!(unused, [&Twist::Nothing]);
}

/// Whatever is broken, and however badly: a run comes to its end, finds something, and says what it could not take away again.
#[tokio::test(start_paused = true)]
async fn a_run_over_a_broken_implementation_ends_and_says_what_it_left() {
    for twist in Twist::ALL {
        let organization = full().build();
        let before = organization.snapshot();
        let clients = [management(), alice(), stranger()].map(|account| Twisted::new(&organization, account, *twist));
        let fixture = full_fixture(&clients[0]).member_client(&clients[1]).outsider_client(&clients[2]);
        let report = conformance::run(&fixture).await;
        assert_eq!(report.conforms().is_ok(), *twist == Twist::Nothing, "{twist:?}: {report}");
        let left = report.findings().iter().any(|finding| !finding.left_behind().is_empty());
        assert!(left || organization.snapshot() == before, "{twist:?}: {report}");
    }
}

/// A check that fails cleans up all the same, unless the implementation does not let it; then it says so.
#[tokio::test(start_paused = true)]
async fn failed_checks_clean_up() {
    let organization = full().build();
    let before = organization.snapshot();
    let clients = [management(), alice(), stranger()]
        .map(|account| Twisted::new(&organization, account, Twist::RegistersAnybody));
    let fixture = full_fixture(&clients[0]).member_client(&clients[1]).outsider_client(&clients[2]);
    for name in ["registering_a_second_account_is_refused", "registering_a_suspended_account_is_refused"] {
        let check = conformance::checks().find(|check| check.name() == name).unwrap();
        let finding = check.run(&fixture).await;
        assert!(matches!(finding.verdict(), Verdict::Failed { .. }), "{finding}");
        assert!(finding.left_behind().is_empty(), "{finding}");
        assert_eq!(organization.snapshot(), before);
    }

    let client = Twisted::new(&organization, management(), Twist::DisablesNothing);
    let check = conformance::checks().find(|check| check.name() == "enabled_service_is_listed").unwrap();
    let finding = check.run(&Fixture::new(&client)).await;
    assert!(matches!(finding.verdict(), Verdict::Failed { .. }), "{finding}");
    assert_eq!(finding.left_behind().len(), 1, "{finding}");
    assert!(finding.left_behind()[0].starts_with("the trust in Systems Manager"), "{finding}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_no_document_names_fails_the_check() {
    for (name, operation, nth, rule) in [
        ("enabling_again_changes_nothing", Operation::EnableAwsServiceAccess, 2, "it is accepted, or refused with"),
        (
            "disabling_with_an_administrator_is_whole",
            Operation::DisableAwsServiceAccess,
            1,
            "it is accepted, or refused",
        ),
        ("enabled_service_is_listed", Operation::ListResourceDataSync, 1, "ListResourceDataSync is answered"),
    ] {
        let organization = full().build();
        let before = organization.snapshot();
        organization.fault(operation, nth, Fault::refused_for("AccessDeniedException", "NO_REASON_OF_AWSS"));
        let finding = run_one(name, &organization).await;
        let Verdict::Failed { expected, seen, .. } = finding.verdict() else { panic!("{finding}") };
        assert!(expected.starts_with(rule), "{expected}");
        assert!(seen.starts_with("AccessDeniedException (NO_REASON_OF_AWSS)"), "{seen}");
        assert!(!finding.to_string().contains("left:"), "{finding}");
        assert_eq!(organization.snapshot(), before, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_put_back_or_looked_at_is_said_to_be_left() {
    // Another service has lost its trust, and nobody knows what hung on it.
    let organization = full().build();
    let client = Twisted::new(&organization, management(), Twist::EnablingIsAlone);
    let finding = check("enabled_service_is_listed").run(&Fixture::new(&client)).await;
    let [left] = finding.left_behind() else { panic!("{finding}") };
    assert!(left.starts_with("the other services: ") && left.contains("config.amazonaws.com"), "{left}");
    assert!(finding.to_string().contains(&format!("\n        left:     {left}\n")), "{finding}");

    // Nobody answers after the write.
    let organization = full().build();
    run_one("enabled_service_is_listed", &organization).await;
    let enabled = organization.calls().iter().position(|call| call.operation == Operation::EnableAwsServiceAccess);
    organization.forget_calls();
    organization.die(enabled.unwrap() + 2);
    let finding = run_one("enabled_service_is_listed", &organization).await;
    let [trust, role, others] = finding.left_behind() else { panic!("{finding}") };
    for (left, words) in [
        (trust, "the trust in Systems Manager: ListAWSServiceAccessForOrganization"),
        (role, "the role AWSServiceRoleForAmazonSSM_AccountDiscovery: GetRole"),
        (others, "perhaps the other services: ListAWSServiceAccessForOrganization"),
    ] {
        assert!(left.starts_with(words), "{left}");
    }
}

#[tokio::test(start_paused = true)]
async fn cleaning_up_trusts_nothing_that_need_not_be() {
    let organization = full().build();
    organization.fault(Operation::DeregisterDelegatedAdministrator, 1, Fault::refused("AccessDeniedException"));
    let finding = run_one("registering_before_enabling_is_refused", &organization).await;
    assert_eq!(*finding.verdict(), Verdict::Passed, "{finding}");
    assert_eq!(organization.count(Operation::DeregisterDelegatedAdministrator), 1);
    assert_eq!(organization.count(Operation::EnableAwsServiceAccess), 0, "nobody was registered");
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_changes_by_itself_is_found_where_nothing_is_written() {
    let organization = full().trusting(&SSM).build();
    let client = Twisted::new(&organization, management(), Twist::DatesOfAsking);
    let finding = check("listing_is_the_same_again").run(&Fixture::new(&client)).await;
    assert!(matches!(finding.verdict(), Verdict::Failed { .. }), "{finding}");
    assert_eq!((finding.left_behind(), organization.writes()), (&[][..], 0));
}

#[tokio::test(start_paused = true)]
async fn a_role_in_use_may_go() {
    // What keeps it there is gone by then.
    let organization = full().build();
    let before = organization.snapshot();
    organization.before(Operation::DeleteServiceLinkedRole, 1, |organization| {
        let name = "ssm-organizations-conformance-1".parse().unwrap();
        organization.remove_data_sync(management(), &region("eu-central-1"), &name);
        organization.distrust(&SSM);
    });
    let finding = run_one("role_in_use_is_kept_or_gone", &organization).await;
    assert_eq!(*finding.verdict(), Verdict::Passed, "{finding}");
    assert_eq!(organization.snapshot(), before);
}

#[tokio::test(start_paused = true)]
async fn without_patience_each_call_is_made_once() {
    for (patience, passes) in [(Duration::ZERO, false), (Duration::from_secs(1), true)] {
        let organization = full().build();
        organization.fault(Operation::DescribeOrganization, 1, Fault::refused("TooManyRequestsException"));
        let client = organization.management_client();
        let finding = check("organization_is_described").run(&Fixture::new(&client).patience(patience)).await;
        assert_eq!(*finding.verdict() == Verdict::Passed, passes, "{finding}");
    }
}

/// No other service is trusted, and a member has a sync of itself.
#[tokio::test(start_paused = true)]
async fn what_is_no_ones_concern_keeps_no_check_from_its_rule() {
    let mut own = organization_sync("own");
    own.source_type = Some(SyncSourceType::SingleAccountMultiRegions);
    let organization = Organization::builder().member(alice()).data_sync(alice(), region("eu-central-1"), own).build();
    for name in ["administrator_may_read", "enabled_service_is_listed", "created_role_is_there"] {
        let finding = run_one(name, &organization).await;
        assert_eq!(*finding.verdict(), Verdict::Passed, "{finding}");
    }
}

/// A fake that learned to trust and not to take it back.
struct Trusting(sim::Client);

#[async_trait]
impl OrganizationsApi for Trusting {
    async fn list_aws_service_access_for_organization(
        &self,
        next: Option<PageToken>,
    ) -> Result<Page<EnabledService>, Error> {
        self.0.list_aws_service_access_for_organization(next).await
    }

    async fn list_delegated_administrators(
        &self,
        principal: &ServicePrincipal,
        next: Option<PageToken>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        self.0.list_delegated_administrators(principal, next).await
    }

    async fn enable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        self.0.enable_aws_service_access(principal).await
    }
}

impl StsApi for Trusting {}
impl SystemsManagerApi for Trusting {}
impl IamApi for Trusting {}

#[tokio::test(start_paused = true)]
async fn what_an_implementation_offers_no_way_to_take_away_is_left_behind() {
    let organization = full().build();
    let client = Trusting(organization.management_client());
    // It has no data syncs to put at risk.
    let finding = check("enabled_service_is_listed").run(&full_fixture(&client).member_client(&client)).await;
    let [left] = finding.left_behind() else { panic!("{finding}") };
    assert!(left.starts_with("the trust in Systems Manager: DisableAWSServiceAccess"), "{left}");
    assert!(matches!(finding.verdict(), Verdict::Failed { .. }), "{finding}");
    // What it has no way to make is not left either.
    organization.distrust(&SSM);
    let finding = check("registered_account_is_listed").run(&full_fixture(&client)).await;
    let left: Vec<_> = finding.left_behind().iter().map(|left| left.split(':').next().unwrap()).collect();
    assert_eq!(left, ["the trust in Systems Manager"]);
}

#[tokio::test(start_paused = true)]
async fn the_report_says_what_failed_and_where_it_is_written() {
    let organization = full().build();
    let client = Twisted::new(&organization, management(), Twist::DeregisteringIsLenient);
    let report = conformance::run(&full_fixture(&client)).await;
    let failed = names(report.failed());
    assert_eq!(failed, ["deregistering_again_is_refused", "deregistering_an_outsider_is_refused"]);
    let text = report.conforms().unwrap_err().to_string();
    for part in [
        "FAILED  deregistering_again_is_refused: An account that is not an administrator of the service cannot be deregistered.",
        "expected: DeregisterDelegatedAdministrator is refused with AccountNotRegisteredException",
        "seen:     it was accepted",
        "document: https://docs.aws.amazon.com/organizations/latest/APIReference/API_DeregisterDelegatedAdministrator.html",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(report.to_string().contains("2 failed"), "{report}");
    assert!(format!("{report:#}").contains("passed  enabled_service_is_listed"), "{report:#}");

    // A list of known failures has to be exact.
    report.conforms_but_for(&failed).unwrap();
    assert!(report.conforms_but_for(&failed[..1]).is_err());
    for untrue in ["enabled_service_is_listed", "members_caller_is_the_member", "no_such_check"] {
        let stale = [failed[0], failed[1], untrue];
        assert!(report.conforms_but_for(&stale).unwrap_err().to_string().contains(untrue));
    }
}

/// The futures are to be spawned.
#[tokio::test(start_paused = true)]
async fn a_run_can_be_spawned() {
    let organization = full().build();
    let report = tokio::spawn(async move { run_on(&organization).await }).await.unwrap();
    report.conforms().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_data_sync_of_any_name_that_checks_use_is_let_be() {
    // As many as the quota, and the one that it refuses.
    for number in 1..=6 {
        let name = format!("ssm-organizations-conformance-{number}");
        let organization = full().data_sync(management(), region("eu-central-1"), organization_sync(&name)).build();
        let client = organization.management_client();
        let finding = check("created_sync_is_listed").run(&full_fixture(&client)).await;
        assert!(finding.to_string().contains(&format!("there is a data sync {name} already")), "{finding}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_roles_deletion_may_take_ten_times_as_long_as_anything_else() {
    for (seconds, passes) in [(9, true), (11, false)] {
        let organization = full().role_deletion(Duration::from_secs(seconds)).build();
        let client = organization.management_client();
        let fixture = full_fixture(&client).patience(Duration::from_secs(1));
        let finding = check("deleted_role_is_gone").run(&fixture).await;
        assert_eq!(*finding.verdict() == Verdict::Passed, passes, "{finding}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_patience_without_end_is_no_overflow() {
    let organization = Organization::builder().build();
    let client = organization.management_client();
    let report = conformance::run(&Fixture::new(&client).patience(Duration::MAX)).await;
    assert_eq!(report.failed().count(), 0, "{report}");
}
