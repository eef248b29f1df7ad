//! Tests of the conformance suite on the simulation, and on clients that each break one rule.
#![cfg(feature = "sim")]

mod fake;
mod rule_breaking_client;

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use std::time::Duration;

use crate::common::{SSM, account, alice, bob, management, organization_sync, region};
use async_trait::async_trait;
use rule_breaking_client::{BrokenRule, RuleBreakingClient};
use ssm_organizations::conformance::{self, Check, CheckOutcome, CheckResult, Fixture, Ports, Report};
use ssm_organizations::domain::{OrganizationalUnitId, PageToken, RoleName};
use ssm_organizations::ports::{
    AccountState, CallerIdentity, Client, DelegatedAdministrator, EnabledService, IamApi, Operation, OrganizationsApi,
    Page, SourceRegions, StsApi, SyncDefinition, SyncSourceType, SyncType, SystemsManagerApi,
};
use ssm_organizations::sim::{
    self, DeregisterWithoutTrust, DisableWithAdministrators, DuplicateRole, Fault, FaultRates, MemberSync,
    RegisterWithoutTrust, RepeatedWrite, SecondAdministrator, SimOrganization, SimOrganizationBuilder,
    SyncWithoutPrerequisites, UndocumentedBehavior,
};
use ssm_organizations::{AccountId, Error, ErrorKind, ServicePrincipal};

fn carol() -> AccountId {
    account("444444444444")
}

fn stranger() -> AccountId {
    account("999999999999")
}

fn unit() -> OrganizationalUnitId {
    "ou-ab12-34567890".parse().unwrap()
}

/// Returns services before and after Systems Manager in alphabetical order.
fn others() -> Vec<ServicePrincipal> {
    ["access-analyzer", "config", "guardduty", "sso"]
        .iter()
        .map(|name| format!("{name}.amazonaws.com").parse().unwrap())
        .collect()
}

/// Returns an organization with every resource that a check needs.
fn full() -> SimOrganizationBuilder {
    let builder = SimOrganization::builder()
        .member(alice())
        .member(bob())
        .member_with_state(carol(), AccountState::Suspended)
        .unit(unit())
        .page_size(2);
    others().iter().fold(builder, SimOrganizationBuilder::trusted_access_for)
}

/// Returns a fixture of the full organization, without clients of other accounts.
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

async fn run_on(organization: &SimOrganization) -> Report {
    let client = organization.management_client();
    let [member, outsider] = [alice(), stranger()].map(|account| organization.client(account));
    conformance::run(&full_fixture(&client).member_client(&member).outsider_client(&outsider)).await
}

/// Runs one check on the full fixture.
async fn run_one(name: &str, organization: &SimOrganization) -> CheckResult {
    let client = organization.management_client();
    let member = organization.client(alice());
    check(name).run(&full_fixture(&client).member_client(&member)).await
}

fn check(name: &str) -> &'static Check {
    conformance::checks().find(|check| check.name() == name).expect(name)
}

fn names<'a>(findings: impl Iterator<Item = &'a CheckResult>) -> Vec<&'static str> {
    findings.map(|finding| finding.check().name()).collect()
}

/// Checks that every check passes, none is skipped, and the organization is unchanged.
async fn conforms(what: &str, organization: &SimOrganization) {
    let before = organization.state();
    let report = run_on(organization).await;
    assert_eq!(report.passed().count(), conformance::checks().count(), "{what}: {report}");
    report.conforms().unwrap();
    assert_eq!(organization.state(), before, "{what}");
}

#[tokio::test(start_paused = true)]
async fn run_on_simulation_passes_every_check() {
    conforms("as it is", &full().build()).await;
}

#[test]
fn checks_have_unique_name_rule_and_document() {
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
async fn run_with_short_or_empty_pages_passes() {
    for size in [1, 2, 20] {
        conforms("short pages", &full().page_size(size).build()).await;
        conforms("empty pages", &full().page_size(size).empty_first_page().build()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn run_with_transient_faults_passes() {
    conforms("throttled", &full().with_throttling().build()).await;
    conforms("slow", &full().latency(Duration::from_millis(300)).build()).await;
    conforms("late", &full().read_delay(Duration::from_secs(5)).build()).await;
    let mut chances = FaultRates::default();
    chances.throttled = 100;
    chances.conflict = 100;
    for seed in 0..10 {
        conforms("unlucky", &full().fault_rates(seed, chances).build()).await;
    }
}

/// Asserts that every setting of undocumented behavior passes, except for the checks that the AWS
/// documentation rules out.
#[tokio::test(start_paused = true)]
async fn run_under_each_setting_fails_only_ruled_out_checks() {
    let with = |change: &dyn Fn(&mut UndocumentedBehavior)| {
        let mut undocumented = UndocumentedBehavior::default();
        change(&mut undocumented);
        undocumented
    };
    let mut settings: Vec<(UndocumentedBehavior, &[&str])> = Vec::new();
    for position in RepeatedWrite::ALL {
        settings.push((with(&|switches| switches.repeated_write = *position), &[]));
    }
    for position in RegisterWithoutTrust::ALL {
        let ruled_out: &[&str] = match position {
            RegisterWithoutTrust::Accepted | RegisterWithoutTrust::Enables => {
                &["registering_before_enabling_is_refused"]
            }
            _ => &[],
        };
        settings.push((with(&|switches| switches.register_without_trust = *position), ruled_out));
    }
    for position in SecondAdministrator::ALL {
        let ruled_out: &[&str] = match position {
            SecondAdministrator::Accepted => &["registering_a_second_account_is_refused"],
            _ => &[],
        };
        settings.push((with(&|switches| switches.second_administrator = *position), ruled_out));
    }
    for administered in DisableWithAdministrators::ALL {
        for untrusted in DeregisterWithoutTrust::ALL {
            let change = |switches: &mut UndocumentedBehavior| {
                switches.disable_with_administrators = *administered;
                switches.deregister_without_trust = *untrusted;
            };
            settings.push((with(&change), &[]));
        }
    }
    for position in SyncWithoutPrerequisites::ALL {
        settings.push((with(&|switches| switches.sync_without_prerequisites = *position), &[]));
    }
    for position in MemberSync::ALL {
        settings.push((with(&|switches| switches.member_sync = *position), &[]));
    }
    for position in DuplicateRole::ALL {
        settings.push((with(&|switches| switches.duplicate_role = *position), &[]));
    }
    for on in [true, false] {
        settings.push((with(&|switches| switches.reasons = on), &[]));
        settings.push((with(&|switches| switches.trust_only_services_are_recognized = on), &[]));
        settings.push((with(&|switches| switches.reason_fields = on), &[]));
        settings.push((with(&|switches| switches.role_deletions_fail_without_reason = on), &[]));
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
        let organization = full().undocumented_behavior(undocumented.clone()).build();
        let before = organization.state();
        let report = run_on(&organization).await;
        assert_eq!(names(report.failed()), ruled_out, "{undocumented:?}: {report}");
        report.conforms_except(ruled_out).unwrap();
        assert_eq!(report.skipped().count(), 0, "{undocumented:?}: {report}");
        assert_eq!(organization.state(), before, "{undocumented:?}");
    }
}

/// Returns the ports, each set separately.
fn each(client: &sim::SimClient) -> Ports<'_> {
    Ports::new().organizations(client).sts(client).systems_manager(client).iam(client)
}

#[tokio::test(start_paused = true)]
async fn run_on_wrapped_clients_passes() {
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

    let decorated = [management(), alice(), stranger()]
        .map(|account| RuleBreakingClient::new(&organization, account, BrokenRule::Nothing));
    let fixture = full_fixture(&decorated[0]).member_client(&decorated[1]).outsider_client(&decorated[2]);
    clean(conformance::run(&fixture).await);
}

/// Asserts that existing resources are unchanged, and that checks that would change them are
/// skipped.
#[tokio::test(start_paused = true)]
async fn run_on_used_organization_leaves_it_unchanged() {
    let home = region("eu-central-1");
    let foreign = organization_sync("InspectorResourceDataSync-do-not-delete");
    // A single-account sync blocks the deletion of the role.
    let mut own = foreign.clone();
    own.source_type = Some(SyncSourceType::SingleAccountMultiRegions);
    let starts = [
        ("trusted", full().trusted_access_for(&SSM)),
        (
            "trusted, with the role",
            full().trusted_access_for(&SSM).service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY),
        ),
        ("with the role", full().service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)),
        ("delegated", full().trusted_access_for(&SSM).delegated_administrator(alice())),
        ("delegated to another", full().trusted_access_for(&SSM).delegated_administrator(bob())),
        ("an administrator without trust", full().delegated_administrator(bob())),
        (
            "two administrators",
            full().trusted_access_for(&SSM).delegated_administrator(alice()).delegated_administrator(bob()),
        ),
        ("a sync", full().data_sync(management(), home.clone(), foreign.clone())),
        ("trusted and a sync", full().trusted_access_for(&SSM).data_sync(management(), home.clone(), foreign.clone())),
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
        let before = organization.state();
        let report = run_on(&organization).await;
        assert_eq!(organization.state(), before, "{what}: {report}");
        report.conforms().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(report.skipped().count() > 0, "{what}: {report:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn run_check_alone_or_in_reverse_order_passes() {
    let organization = full().build();
    let before = organization.state();
    let client = organization.management_client();
    let [member, outsider] = [alice(), stranger()].map(|account| organization.client(account));
    let fixture = full_fixture(&client).member_client(&member).outsider_client(&outsider);
    let mut findings = Vec::new();
    for check in conformance::checks().rev() {
        let finding = check.run(&fixture).await;
        assert_eq!(*finding.outcome(), CheckOutcome::Passed, "{finding}");
        assert_eq!(organization.state(), before, "{finding}");
        findings.push(finding);
    }
    for check in conformance::checks() {
        let organization = full().build();
        let client = organization.management_client();
        let [member, outsider] = [alice(), stranger()].map(|account| organization.client(account));
        let fixture = full_fixture(&client).member_client(&member).outsider_client(&outsider);
        let finding = check.run(&fixture).await;
        assert_eq!(*finding.outcome(), CheckOutcome::Passed, "{finding}");
    }
    findings.into_iter().collect::<Report>().conforms().unwrap();
}

/// Fake that implements only `GetCallerIdentity`.
struct IdentityOnly;

impl OrganizationsApi for IdentityOnly {}
impl SystemsManagerApi for IdentityOnly {}
impl IamApi for IdentityOnly {}
#[async_trait]
impl StsApi for IdentityOnly {
    async fn get_caller_identity(&self) -> Result<CallerIdentity, Error> {
        Ok(CallerIdentity::new(alice()))
    }
}

#[tokio::test]
async fn call_of_default_api_method_is_unsupported() {
    let (sparse, ssm, role, home) = (IdentityOnly, &SSM, &RoleName::ACCOUNT_DISCOVERY, &region("us-east-1"));
    let source = SourceRegions::new([home.clone()]).unwrap();
    let sync = &SyncDefinition::of_organization("one".parse().unwrap(), source);
    let errors = [
        sparse.describe_organization().await.err(),
        sparse.describe_account(alice()).await.err(),
        sparse.describe_organizational_unit(&"ou-exam-00000001".parse().unwrap()).await.err(),
        sparse.list_aws_service_access_for_organization(None).await.err(),
        sparse.enable_aws_service_access(ssm).await.err(),
        sparse.disable_aws_service_access(ssm).await.err(),
        sparse.list_delegated_administrators(ssm, None).await.err(),
        sparse.register_delegated_administrator(alice(), ssm).await.err(),
        sparse.deregister_delegated_administrator(alice(), ssm).await.err(),
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
async fn run_with_missing_parts_skips_and_names_them() {
    // The implementation lacks operations.
    let report =
        conformance::run(&full_fixture(&IdentityOnly).member_client(&IdentityOnly).outsider_client(&IdentityOnly))
            .await;
    report.conforms().unwrap();
    assert_eq!(names(report.passed()), ["members_caller_is_the_member"]);
    let skipped = report.result("organization_is_described").unwrap().outcome();
    assert!(
        matches!(skipped, CheckOutcome::Skipped { why, .. } if why.contains("DescribeOrganization")),
        "{skipped:?}"
    );

    // The fixture lacks ports.
    let report = conformance::run(&Fixture::new(Ports::new())).await;
    assert_eq!(report.skipped().count(), conformance::checks().count());
    assert!(report.to_string().contains("the fixture has no OrganizationsApi of the management account"), "{report}");

    // The fixture lacks parts of the organization.
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
        let verdict = report.result(name).unwrap().outcome();
        assert!(matches!(verdict, CheckOutcome::Skipped { why, .. } if why.contains(part)), "{name}: {verdict:?}");
    }
}

/// Broken clients, each with checks that must fail. Other checks can fail as well.
const TWISTS: &[(BrokenRule, &[&str])] = &[
    (BrokenRule::OrganizationChanges, &["organization_is_described"]),
    (
        BrokenRule::DescribesAnother,
        &["active_member_is_described", "management_account_is_described", "unit_is_described"],
    ),
    (BrokenRule::EverybodyIsActive, &["suspended_member_is_described"]),
    (BrokenRule::EverybodyIsAMember, &["outsider_is_not_described", "unknown_unit_is_not_described"]),
    (BrokenRule::StopsAfterAPage, &["trusted_services_are_listed_to_the_end", "every_sync_is_listed"]),
    (BrokenRule::RepeatsATokenForever, &["trusted_services_are_listed_to_the_end", "every_sync_is_listed"]),
    (BrokenRule::NeverEnds, &["trusted_services_are_listed_to_the_end", "every_sync_is_listed"]),
    (BrokenRule::DatesOfAsking, &["listing_is_the_same_again", "enabling_again_changes_nothing"]),
    (
        BrokenRule::TakesAnyToken,
        &[
            "foreign_page_token_of_services_is_refused",
            "foreign_page_token_of_administrators_is_refused",
            "foreign_page_token_of_syncs_is_refused",
        ],
    ),
    (
        BrokenRule::NoDates,
        &[
            "enabled_service_is_listed",
            "registered_account_is_listed",
            "created_sync_is_listed",
            "created_role_is_there",
        ],
    ),
    (
        BrokenRule::DatesAreZero,
        &[
            "enabled_service_is_listed",
            "registered_account_is_listed",
            "created_sync_is_listed",
            "created_role_is_there",
        ],
    ),
    (
        BrokenRule::DatesAreTooEarly,
        &[
            "enabled_service_is_listed",
            "registered_account_is_listed",
            "created_sync_is_listed",
            "created_role_is_there",
        ],
    ),
    (
        BrokenRule::DatesAreMilliseconds,
        &[
            "enabled_service_is_listed",
            "registered_account_is_listed",
            "created_sync_is_listed",
            "created_role_is_there",
        ],
    ),
    (BrokenRule::DatesRunBackwards, &["enabling_later_has_a_later_date", "registering_later_has_a_later_date"]),
    (BrokenRule::EnablingRenews, &["enabling_again_changes_nothing"]),
    (BrokenRule::EnablingIsAlone, &["enabling_leaves_other_services_alone"]),
    (BrokenRule::EnablesAnything, &["enabling_an_unknown_service_is_refused"]),
    (BrokenRule::DisablesNothing, &["disabled_service_is_not_listed"]),
    (BrokenRule::DisablingToggles, &["disabling_again_changes_nothing"]),
    (BrokenRule::DisablesAll, &["disabling_leaves_other_services_alone"]),
    (BrokenRule::DisablesByHalves, &["disabling_with_an_administrator_is_whole"]),
    (
        BrokenRule::RegistersAnybody,
        &[
            "registering_before_enabling_is_refused",
            "registering_again_is_refused",
            "registering_a_second_account_is_refused",
            "registering_the_management_account_is_refused",
            "registering_a_suspended_account_is_refused",
            "registering_an_outsider_is_refused",
        ],
    ),
    (BrokenRule::RegistersNobody, &["registered_account_is_listed"]),
    (
        BrokenRule::ListsAdministratorsOfAll,
        &["administrators_are_listed_by_service", "service_without_delegation_has_no_administrators"],
    ),
    (BrokenRule::DeregistersNobody, &["deregistered_account_is_not_listed"]),
    (BrokenRule::DeregistersAndDisables, &["deregistered_account_is_not_listed"]),
    (BrokenRule::DeregisteringIsLenient, &["deregistering_again_is_refused", "deregistering_an_outsider_is_refused"]),
    (
        BrokenRule::CodesAreLost,
        &[
            "registering_again_is_refused",
            "deregistering_again_is_refused",
            "sixth_sync_is_refused",
            "member_may_not_sync_the_organization",
        ],
    ),
    (
        BrokenRule::ReasonsAreWrong,
        &["registering_before_enabling_is_refused", "registering_a_second_account_is_refused"],
    ),
    (
        BrokenRule::EverybodyIsManagement,
        &[
            "member_may_not_list_services",
            "member_may_not_list_administrators",
            "member_may_not_describe_accounts",
            "member_may_not_describe_units",
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
    (BrokenRule::MembersMayNothing, &["member_sees_the_organization", "administrator_may_read"]),
    (BrokenRule::CallerIsAnother, &["caller_is_the_management_account", "members_caller_is_the_member"]),
    (BrokenRule::SyncsForgetTheirRegions, &["created_sync_is_listed", "updated_sync_shows_the_change"]),
    (BrokenRule::SyncsForgetTheirSource, &["sync_of_the_organization_is_listed"]),
    (BrokenRule::SyncsForgetTheirUnits, &["sync_of_a_unit_is_listed"]),
    (BrokenRule::CreatingSyncsIsLenient, &["sixth_sync_is_refused", "sync_of_an_unknown_unit_shows_it"]),
    (BrokenRule::SyncsAreOverwritten, &["sync_name_is_taken_once"]),
    (BrokenRule::SyncTypeIsForgotten, &["sync_is_listed_by_its_type", "sync_is_deleted_by_its_type"]),
    (BrokenRule::OneRegion, &["sync_belongs_to_its_region"]),
    (BrokenRule::UpdatesNothing, &["updated_sync_shows_the_change", "updating_to_another_source_is_refused"]),
    (
        BrokenRule::UpdatesByCreating,
        &[
            "updated_sync_shows_the_change",
            "updating_to_another_source_is_refused",
            "updating_an_unknown_sync_is_refused",
        ],
    ),
    (BrokenRule::DeletesNoSync, &["deleted_sync_is_not_listed"]),
    (BrokenRule::DeletingSyncsIsLenient, &["deleting_an_unknown_sync_is_refused"]),
    (BrokenRule::SyncsAreAlwaysHealthy, &["sync_without_trust_shows_it", "sync_that_loses_its_trust_shows_it"]),
    (BrokenRule::RoleHasAnotherPath, &["created_role_is_there"]),
    (BrokenRule::CreatingRolesIsLenient, &["role_is_created_once"]),
    (BrokenRule::EveryRoleIsThere, &["unknown_role_is_not_there"]),
    (BrokenRule::AnybodyHasARole, &["role_for_no_service_is_refused"]),
    (BrokenRule::DeletesNoRole, &["deleted_role_is_gone"]),
    (BrokenRule::DeletionsFailUnexplained, &["failed_deletion_without_reason_is_read_back"]),
    (BrokenRule::RoleIdsComeAgain, &["role_created_again_has_another_id"]),
    (BrokenRule::DeletionsAreNew, &["deletion_is_begun_once"]),
    (BrokenRule::DeletingRolesIsLenient, &["deleting_an_unknown_role_is_refused"]),
    (BrokenRule::DeletionsAlwaysSucceed, &["status_of_an_unknown_deletion_is_refused", "role_in_use_is_kept_or_gone"]),
];

#[tokio::test(start_paused = true)]
async fn run_check_on_its_broken_rule_fails() {
    for (twist, checks) in TWISTS {
        let undocumented = {
            let mut switches = UndocumentedBehavior::default();
            // Syncs without prerequisites are created, and their state is checked.
            if *twist == BrokenRule::SyncsAreAlwaysHealthy {
                switches.sync_without_prerequisites = SyncWithoutPrerequisites::Created;
            }
            switches
        };
        let organization = full().undocumented_behavior(undocumented).build();
        let clients =
            [management(), alice(), stranger()].map(|account| RuleBreakingClient::new(&organization, account, *twist));
        let fixture = full_fixture(&clients[0]).member_client(&clients[1]).outsider_client(&clients[2]);
        for name in *checks {
            let check = check(name);
            let finding = check.run(&fixture).await;
            assert!(matches!(finding.outcome(), CheckOutcome::Failed { .. }), "{twist:?}: {finding}");
            assert!(finding.to_string().contains(check.document()), "{finding}");
        }
    }
}

#[test]
fn broken_clients_cover_every_check() {
    let found: BTreeSet<_> = TWISTS.iter().flat_map(|(_, checks)| checks.iter().copied()).collect();
    let idle: Vec<_> = conformance::checks().map(Check::name).filter(|name| !found.contains(name)).collect();
    assert!(idle.is_empty(), "{idle:?}");
    let unused: Vec<_> =
        BrokenRule::ALL.iter().filter(|twist| !TWISTS.iter().any(|(used, _)| used == *twist)).collect();
    assert_eq!(unused, [&BrokenRule::Nothing]);
}

/// Asserts that a run on each broken client ends, fails, and reports what it could not clean up.
#[tokio::test(start_paused = true)]
async fn run_on_broken_client_ends_and_reports_leftovers() {
    for twist in BrokenRule::ALL {
        let organization = full().build();
        let before = organization.state();
        let clients =
            [management(), alice(), stranger()].map(|account| RuleBreakingClient::new(&organization, account, *twist));
        let fixture = full_fixture(&clients[0]).member_client(&clients[1]).outsider_client(&clients[2]);
        let report = conformance::run(&fixture).await;
        assert_eq!(report.conforms().is_ok(), *twist == BrokenRule::Nothing, "{twist:?}: {report}");
        let left = report.results().iter().any(|finding| !finding.leftovers().is_empty());
        assert!(left || organization.state() == before, "{twist:?}: {report}");
    }
}

/// Asserts that a failing check cleans up, or reports the leftovers if the cleanup fails.
#[tokio::test(start_paused = true)]
async fn run_failing_check_cleans_up_or_reports_leftovers() {
    let organization = full().build();
    let before = organization.state();
    let clients = [management(), alice(), stranger()]
        .map(|account| RuleBreakingClient::new(&organization, account, BrokenRule::RegistersAnybody));
    let fixture = full_fixture(&clients[0]).member_client(&clients[1]).outsider_client(&clients[2]);
    for name in ["registering_a_second_account_is_refused", "registering_a_suspended_account_is_refused"] {
        let check = conformance::checks().find(|check| check.name() == name).unwrap();
        let finding = check.run(&fixture).await;
        assert!(matches!(finding.outcome(), CheckOutcome::Failed { .. }), "{finding}");
        assert!(finding.leftovers().is_empty(), "{finding}");
        assert_eq!(organization.state(), before);
    }

    let client = RuleBreakingClient::new(&organization, management(), BrokenRule::DisablesNothing);
    let check = conformance::checks().find(|check| check.name() == "enabled_service_is_listed").unwrap();
    let finding = check.run(&Fixture::new(&client)).await;
    assert!(matches!(finding.outcome(), CheckOutcome::Failed { .. }), "{finding}");
    assert_eq!(finding.leftovers().len(), 1, "{finding}");
    assert!(finding.leftovers()[0].starts_with("the trust in Systems Manager"), "{finding}");
}

#[tokio::test(start_paused = true)]
async fn run_check_with_undocumented_refusal_fails() {
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
        let before = organization.state();
        organization.inject_fault(
            operation,
            nth,
            Fault::refused_with_reason("AccessDeniedException", "NO_REASON_OF_AWSS"),
        );
        let finding = run_one(name, &organization).await;
        let CheckOutcome::Failed { expected, seen, .. } = finding.outcome() else { panic!("{finding}") };
        assert!(expected.starts_with(rule), "{expected}");
        assert!(seen.starts_with("AccessDeniedException (NO_REASON_OF_AWSS)"), "{seen}");
        assert!(!finding.to_string().contains("left:"), "{finding}");
        assert_eq!(organization.state(), before, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn run_check_that_cannot_restore_reports_leftovers() {
    // Another service lost trusted access, which the check cannot restore safely.
    let organization = full().build();
    let client = RuleBreakingClient::new(&organization, management(), BrokenRule::EnablingIsAlone);
    let finding = check("enabled_service_is_listed").run(&Fixture::new(&client)).await;
    let [left] = finding.leftovers() else { panic!("{finding}") };
    assert!(left.starts_with("the other services: ") && left.contains("config.amazonaws.com"), "{left}");
    assert!(finding.to_string().contains(&format!("\n        left:     {left}\n")), "{finding}");

    // Every call after the write is lost.
    let organization = full().build();
    run_one("enabled_service_is_listed", &organization).await;
    let enabled = organization.calls().iter().position(|call| call.operation == Operation::EnableAwsServiceAccess);
    organization.clear_calls();
    organization.stop_at_call(enabled.unwrap() + 2);
    let finding = run_one("enabled_service_is_listed", &organization).await;
    let [trust, role, others] = finding.leftovers() else { panic!("{finding}") };
    for (left, words) in [
        (trust, "the trust in Systems Manager: ListAWSServiceAccessForOrganization"),
        (role, "the role AWSServiceRoleForAmazonSSM_AccountDiscovery: GetRole"),
        (others, "perhaps the other services: ListAWSServiceAccessForOrganization"),
    ] {
        assert!(left.starts_with(words), "{left}");
    }
}

#[tokio::test(start_paused = true)]
async fn clean_up_after_refused_deregistration_enables_nothing() {
    let organization = full().build();
    organization.inject_fault(Operation::DeregisterDelegatedAdministrator, 1, Fault::refused("AccessDeniedException"));
    let finding = run_one("registering_before_enabling_is_refused", &organization).await;
    assert_eq!(*finding.outcome(), CheckOutcome::Passed, "{finding}");
    assert_eq!(organization.call_count(Operation::DeregisterDelegatedAdministrator), 1);
    assert_eq!(organization.call_count(Operation::EnableAwsServiceAccess), 0, "no account was registered");
}

#[tokio::test(start_paused = true)]
async fn run_check_on_unstable_listing_fails_without_writes() {
    let organization = full().trusted_access_for(&SSM).build();
    let client = RuleBreakingClient::new(&organization, management(), BrokenRule::DatesOfAsking);
    let finding = check("listing_is_the_same_again").run(&Fixture::new(&client)).await;
    assert!(matches!(finding.outcome(), CheckOutcome::Failed { .. }), "{finding}");
    assert_eq!((finding.leftovers(), organization.write_count()), (&[][..], 0));
}

#[tokio::test(start_paused = true)]
async fn run_check_of_role_in_use_accepts_its_deletion() {
    // The usage ends before the deletion.
    let organization = full().build();
    let before = organization.state();
    organization.run_before(Operation::DeleteServiceLinkedRole, 1, |organization| {
        let name = "ssm-organizations-conformance-1".parse().unwrap();
        organization.remove_data_sync(management(), &region("eu-central-1"), &name);
        organization.disable_trusted_access(&SSM);
    });
    let finding = run_one("role_in_use_is_kept_or_gone", &organization).await;
    assert_eq!(*finding.outcome(), CheckOutcome::Passed, "{finding}");
    assert_eq!(organization.state(), before);
}

#[tokio::test(start_paused = true)]
async fn run_check_with_zero_timeout_does_not_retry() {
    for (patience, passes) in [(Duration::ZERO, false), (Duration::from_secs(1), true)] {
        let organization = full().build();
        organization.inject_fault(Operation::DescribeOrganization, 1, Fault::refused("TooManyRequestsException"));
        let client = organization.management_client();
        let finding = check("organization_is_described").run(&Fixture::new(&client).timeout(patience)).await;
        assert_eq!(*finding.outcome() == CheckOutcome::Passed, passes, "{finding}");
    }
}

/// Runs the checks without other enabled services, and with a single-account sync of a member.
#[tokio::test(start_paused = true)]
async fn run_check_with_unrelated_state_passes() {
    let mut own = organization_sync("own");
    own.source_type = Some(SyncSourceType::SingleAccountMultiRegions);
    let organization =
        SimOrganization::builder().member(alice()).data_sync(alice(), region("eu-central-1"), own).build();
    for name in ["administrator_may_read", "enabled_service_is_listed", "created_role_is_there"] {
        let finding = run_one(name, &organization).await;
        assert_eq!(*finding.outcome(), CheckOutcome::Passed, "{finding}");
    }
}

/// Fake that can enable trusted access but not disable it.
struct EnableOnly(sim::SimClient);

#[async_trait]
impl OrganizationsApi for EnableOnly {
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

impl StsApi for EnableOnly {}
impl SystemsManagerApi for EnableOnly {}
impl IamApi for EnableOnly {}

#[tokio::test(start_paused = true)]
async fn run_check_without_disable_reports_leftovers() {
    let organization = full().build();
    let client = EnableOnly(organization.management_client());
    // The fake has no data syncs.
    let finding = check("enabled_service_is_listed").run(&full_fixture(&client).member_client(&client)).await;
    let [left] = finding.leftovers() else { panic!("{finding}") };
    assert!(left.starts_with("the trust in Systems Manager: DisableAWSServiceAccess"), "{left}");
    assert!(matches!(finding.outcome(), CheckOutcome::Failed { .. }), "{finding}");
    // A resource that the fake cannot create is not a leftover.
    organization.disable_trusted_access(&SSM);
    let finding = check("registered_account_is_listed").run(&full_fixture(&client)).await;
    let left: Vec<_> = finding.leftovers().iter().map(|left| left.split(':').next().unwrap()).collect();
    assert_eq!(left, ["the trust in Systems Manager"]);
}

#[tokio::test(start_paused = true)]
async fn report_of_failed_checks_names_rule_and_document() {
    let organization = full().build();
    let client = RuleBreakingClient::new(&organization, management(), BrokenRule::DeregisteringIsLenient);
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

    // A list of known failures must be exact.
    report.conforms_except(&failed).unwrap();
    assert!(report.conforms_except(&failed[..1]).is_err());
    for untrue in ["enabled_service_is_listed", "members_caller_is_the_member", "no_such_check"] {
        let stale = [failed[0], failed[1], untrue];
        assert!(report.conforms_except(&stale).unwrap_err().to_string().contains(untrue));
    }
}

/// Asserts that the future of a run is `Send`.
#[tokio::test(start_paused = true)]
async fn run_in_spawned_task_passes() {
    let organization = full().build();
    let report = tokio::spawn(async move { run_on(&organization).await }).await.unwrap();
    report.conforms().unwrap();
}

#[tokio::test(start_paused = true)]
async fn run_check_with_taken_sync_name_leaves_the_sync() {
    // The checks use a name for each sync of the quota and for the refused one.
    for number in 1..=6 {
        let name = format!("ssm-organizations-conformance-{number}");
        let organization = full().data_sync(management(), region("eu-central-1"), organization_sync(&name)).build();
        let client = organization.management_client();
        let finding = check("created_sync_is_listed").run(&full_fixture(&client)).await;
        assert!(finding.to_string().contains(&format!("there is a data sync {name} already")), "{finding}");
    }
}

#[tokio::test(start_paused = true)]
async fn run_check_of_slow_role_deletion_waits_ten_timeouts() {
    for (seconds, passes) in [(9, true), (11, false)] {
        let organization = full().role_deletion(Duration::from_secs(seconds)).build();
        let client = organization.management_client();
        let fixture = full_fixture(&client).timeout(Duration::from_secs(1));
        let finding = check("deleted_role_is_gone").run(&fixture).await;
        assert_eq!(*finding.outcome() == CheckOutcome::Passed, passes, "{finding}");
    }
}

#[tokio::test(start_paused = true)]
async fn run_with_maximum_timeout_does_not_overflow() {
    let organization = SimOrganization::builder().build();
    let client = organization.management_client();
    let report = conformance::run(&Fixture::new(&client).timeout(Duration::MAX)).await;
    assert_eq!(report.failed().count(), 0, "{report}");
}
