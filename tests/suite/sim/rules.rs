//! Tests of AWS's rules in the simulation: one test or one table row for each rule.
//!
//! Each test names the document of its rule. "API" is the API reference of the service.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{
    SSM, account, alice, bob, delegated, management, organization, organization_sync, region, trusting,
};
use ssm_organizations::domain::{DeletionTaskId, OrganizationId, OrganizationalUnitId, PageToken, Partition, RoleName};
use ssm_organizations::ports::{
    AccountState, DataSync, DelegatedAdministrator, DeletionStatus, EnabledService, FeatureSet, IamApi, Operation,
    OrganizationalUnits, OrganizationsApi, Page, RoleUsage, SourceRegions, StsApi, SyncDefinition, SyncSource,
    SyncSourceType, SyncState, SyncType, SystemsManagerApi,
};
use ssm_organizations::sim::{
    self, DeregisterWithoutTrust, DisableWithAdministrators, DuplicateRole, MemberSync, RegisterWithoutTrust,
    RepeatedWrite, SecondAdministrator, SyncWithoutPrerequisites, UndocumentedBehavior,
};
use ssm_organizations::{AccountId, Error, ErrorKind, Region, Remedy, ServicePrincipal, SyncName, WriteStatus};

const HOME: &str = "eu-central-1";
const DISCOVERY: ServicePrincipal = ServicePrincipal::ACCOUNT_DISCOVERY;
const ROLE: RoleName = RoleName::ACCOUNT_DISCOVERY;
const FROM_SOURCE: SyncType = SyncType::SyncFromSource;
const TO_DESTINATION: SyncType = SyncType::SyncToDestination;

fn outside() -> AccountId {
    account("999999999999")
}

fn principal(text: &str) -> ServicePrincipal {
    text.parse().unwrap()
}

fn config() -> ServicePrincipal {
    principal("config.amazonaws.com")
}

fn home() -> Region {
    region(HOME)
}

fn name(text: &str) -> SyncName {
    text.parse().unwrap()
}

fn unit(text: &str) -> OrganizationalUnitId {
    text.parse().unwrap()
}

fn defined(text: &str, source: SyncSource) -> SyncDefinition {
    SyncDefinition::new(name(text), source, SourceRegions::new([home()]).unwrap())
}

fn of_all(text: &str) -> SyncDefinition {
    defined(text, SyncSource::EntireOrganization)
}

fn of_one(text: &str) -> SyncDefinition {
    defined(text, SyncSource::SingleAccount)
}

fn of_unit(text: &str, id: &str) -> SyncDefinition {
    defined(text, SyncSource::OrganizationalUnits(OrganizationalUnits::new([unit(id)]).unwrap()))
}

/// Returns a sync of the type that Inventory uses.
fn inventory(text: &str) -> DataSync {
    DataSync::new(name(text), None)
}

/// Returns a builder with the prerequisites of an organization sync, and Alice as the
/// administrator.
fn ready() -> sim::SimOrganizationBuilder {
    delegated().service_linked_role(&DISCOVERY)
}

fn setting(set: impl FnOnce(&mut UndocumentedBehavior)) -> UndocumentedBehavior {
    let mut undocumented = UndocumentedBehavior::default();
    set(&mut undocumented);
    undocumented
}

/// Call to an operation.
#[derive(Debug, Clone)]
enum OperationCall {
    Organization,
    Account(AccountId),
    Unit(OrganizationalUnitId),
    Trusted(Option<PageToken>),
    Enable(ServicePrincipal),
    Disable(ServicePrincipal),
    Administrators(ServicePrincipal, Option<PageToken>),
    Register(AccountId, ServicePrincipal),
    Deregister(AccountId, ServicePrincipal),
    WhoAmI,
    Syncs(Option<PageToken>),
    Create(SyncDefinition),
    Update(SyncDefinition),
    Delete(SyncName, SyncType),
    GetRole,
    CreateRole(ServicePrincipal),
    DeleteRole(RoleName),
    Deletion(DeletionTaskId),
}

use OperationCall::{Create, Delete, DeleteRole, Deregister, Disable, Enable, Register, Update};

impl OperationCall {
    /// Returns one valid call for each operation.
    fn every() -> Vec<Self> {
        vec![
            Self::Organization,
            Self::Account(bob()),
            Self::Unit(unit("ou-exam-00000001")),
            Self::Trusted(None),
            Enable(SSM),
            Disable(SSM),
            Self::Administrators(SSM, None),
            Register(bob(), SSM),
            Deregister(bob(), SSM),
            Self::WhoAmI,
            Self::Syncs(None),
            Create(of_one("new")),
            Update(of_one("old")),
            Delete(name("old"), FROM_SOURCE),
            Self::GetRole,
            Self::CreateRole(DISCOVERY),
            DeleteRole(ROLE),
            Self::Deletion(DeletionTaskId::new("task").unwrap()),
        ]
    }

    async fn of(&self, client: &sim::SimClient) -> Result<(), Error> {
        match self {
            Self::Organization => client.describe_organization().await.map(drop),
            Self::Account(account) => client.describe_account(*account).await.map(drop),
            Self::Unit(unit) => client.describe_organizational_unit(unit).await.map(drop),
            Self::Trusted(token) => client.list_aws_service_access_for_organization(token.clone()).await.map(drop),
            Enable(principal) => client.enable_aws_service_access(principal).await,
            Disable(principal) => client.disable_aws_service_access(principal).await,
            Self::Administrators(principal, token) => {
                client.list_delegated_administrators(principal, token.clone()).await.map(drop)
            }
            Register(account, principal) => client.register_delegated_administrator(*account, principal).await,
            Deregister(account, principal) => client.deregister_delegated_administrator(*account, principal).await,
            Self::WhoAmI => client.get_caller_identity().await.map(drop),
            Self::Syncs(token) => client.list_resource_data_sync(&home(), FROM_SOURCE, token.clone()).await.map(drop),
            Create(sync) => client.create_resource_data_sync(&home(), sync).await,
            Update(sync) => client.update_resource_data_sync(&home(), sync).await,
            Delete(name, sync_type) => client.delete_resource_data_sync(&home(), name, *sync_type).await,
            Self::GetRole => client.get_role(&ROLE).await.map(drop),
            Self::CreateRole(principal) => client.create_service_linked_role(principal).await.map(drop),
            DeleteRole(role) => client.delete_service_linked_role(role).await.map(drop),
            Self::Deletion(task) => client.get_service_linked_role_deletion_status(task).await.map(drop),
        }
    }
}

/// Asserts that a call is refused with the code and reason, and returns the error.
async fn refused(
    organization: &sim::SimOrganization,
    caller: AccountId,
    ask: &OperationCall,
    code: &str,
    reason: Option<&str>,
) -> Error {
    let before = organization.state();
    let error = ask.of(&organization.client(caller)).await.expect_err(&format!("{ask:?} as {caller} is refused"));
    assert_eq!((error.code(), error.reason()), (Some(code), reason), "{ask:?} as {caller}: {error}");
    assert_eq!(error.write_status(), WriteStatus::NotApplied, "{ask:?} as {caller}");
    assert_eq!(organization.state(), before, "{ask:?} as {caller} changed nothing");
    error
}

async fn done(organization: &sim::SimOrganization, caller: AccountId, ask: &OperationCall) {
    ask.of(&organization.client(caller)).await.unwrap_or_else(|error| panic!("{ask:?} as {caller}: {error}"));
}

/// Call that breaks a rule, and the expected error.
struct Broken {
    rule: &'static str,
    start: sim::SimOrganizationBuilder,
    caller: AccountId,
    ask: OperationCall,
    code: &'static str,
    reason: Option<&'static str>,
    message: &'static str,
}

fn broken(rule: &'static str, start: sim::SimOrganizationBuilder, ask: OperationCall, code: &'static str) -> Broken {
    Broken { rule, start, caller: management(), ask, code, reason: None, message: "" }
}

impl Broken {
    fn by(self, caller: AccountId) -> Self {
        Self { caller, ..self }
    }

    fn because(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    fn saying(self, message: &'static str) -> Self {
        Self { message, ..self }
    }
}

async fn each_is_refused(rules: impl IntoIterator<Item = Broken>) {
    for Broken { rule, start, caller, ask, code, reason, message } in rules {
        let error = refused(&start.build(), caller, &ask, code, reason).await;
        assert!(message.is_empty() || error.message().is_some_and(|said| said.contains(message)), "{rule}: {error:?}");
    }
}

async fn trusted(organization: &sim::SimOrganization) -> Vec<EnabledService> {
    let page = organization.management_client().list_aws_service_access_for_organization(None).await.unwrap();
    assert_eq!(page.next, None);
    page.items
}

async fn administrators(
    organization: &sim::SimOrganization,
    principal: &ServicePrincipal,
) -> Vec<DelegatedAdministrator> {
    let page = organization.management_client().list_delegated_administrators(principal, None).await.unwrap();
    assert_eq!(page.next, None);
    page.items
}

async fn syncs(organization: &sim::SimOrganization, caller: AccountId) -> Vec<DataSync> {
    let client = organization.client(caller);
    let page = client.list_resource_data_sync(&home(), FROM_SOURCE, None).await.unwrap();
    assert_eq!(page.next, None);
    page.items
}

async fn state_of_the_sync(organization: &sim::SimOrganization, caller: AccountId) -> SyncState {
    let [sync] = &syncs(organization, caller).await[..] else { panic!("expected one sync") };
    let [shown] = &organization.data_syncs(caller, &home())[..] else { panic!("expected one sync") };
    assert_eq!(shown.state, sync.state, "`data_syncs` returns the state of the listing");
    sync.state.clone()
}

// 1.1 Organizations

/// Organizations API: the patterns of `ServicePrincipal`, `AccountId`, `NextToken`,
/// `OrganizationId`, `OrganizationalUnitId`. Systems Manager API: `SyncName`. IAM API: `RoleName`,
/// `DeletionTaskId`.
#[test]
fn parse_text_of_wrong_form_is_refused() {
    fn check<T>(
        what: &str,
        parse: impl Fn(String) -> Result<T, ssm_organizations::domain::InvalidValue>,
        good: &[String],
        bad: &[String],
    ) {
        for text in good {
            assert!(parse(text.clone()).is_ok(), "{what}: {text:?}");
        }
        for text in bad {
            let error = Error::from(parse(text.clone()).err().unwrap_or_else(|| panic!("{what}: {text:?}")));
            assert_eq!(error.kind(), &ErrorKind::InvalidInput);
        }
    }
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let sized = |sizes: &[usize]| sizes.iter().map(|size| "a".repeat(*size)).collect::<Vec<_>>();
    let units = |sizes: &[(usize, usize)]| {
        sizes.iter().map(|(root, unit)| format!("ou-{}-{}", "a".repeat(*root), "1".repeat(*unit))).collect::<Vec<_>>()
    };

    check(
        "AccountId",
        |text| text.parse::<AccountId>(),
        &texts(&["000000000000"]),
        &texts(&["", "11111111111", "1111111111111", "11111111111a", "１１１１"]),
    );
    check("ServicePrincipal", ServicePrincipal::new, &sized(&[1, 128]), &sized(&[0, 129]));
    check("ServicePrincipal", ServicePrincipal::new, &texts(&["A_1+=,.@-"]), &texts(&["a b", "a/b", "ä"]));
    check("NextToken", PageToken::new, &sized(&[1, 100_000]), &sized(&[0, 100_001]));
    check(
        "OrganizationId",
        OrganizationId::new,
        &texts(&["o-a123456789", &format!("o-{}", "a".repeat(32))]),
        &texts(&["o-a12345678", "o-A123456789", "a123456789", &format!("o-{}", "a".repeat(33))]),
    );
    check(
        "OrganizationalUnitId",
        OrganizationalUnitId::new,
        &units(&[(4, 8), (32, 32)]),
        &units(&[(3, 8), (33, 8), (4, 7), (4, 33)]),
    );
    check(
        "OrganizationalUnitId",
        OrganizationalUnitId::new,
        &[],
        &texts(&["r-abcd", "ou-ABCD-11111111", "ou-abcd11111111"]),
    );
    check("SyncName", SyncName::new, &sized(&[1, 64]), &sized(&[0, 65]));
    check("SyncName", SyncName::new, &texts(&["any characters, even these: ä/"]), &[]);
    check("RoleName", RoleName::new, &sized(&[1, 64]), &sized(&[0, 65]));
    check("RoleName", RoleName::new, &texts(&["A_1+=,.@-"]), &texts(&["a b", "a/b"]));
    check("DeletionTaskId", DeletionTaskId::new, &sized(&[1, 1_000]), &sized(&[0, 1_001]));
    check(
        "Region",
        Region::new,
        &texts(&["us-east-1", "us-gov-west-1", "eusc-de-east-1"]),
        &texts(&["", "a", "europe", "all", "eu-central1", "us-east-1a"]),
    );
}

/// Systems Manager API: 1 to 1,000 units; at least one Region.
#[test]
fn new_source_with_wrong_count_is_refused() {
    let many = |count: u64| OrganizationalUnits::new((0..count).map(|number| unit(&format!("ou-root-{number:08}"))));
    assert!(many(1).is_ok() && many(1_000).is_ok());
    for refusal in [many(0).unwrap_err(), many(1_001).unwrap_err(), SourceRegions::new([]).unwrap_err()] {
        assert_eq!(Error::from(refusal).kind(), &ErrorKind::InvalidInput);
    }
}

/// Organizations API, every `List*`: pages have at most 20 items; an empty page can have a token.
#[tokio::test]
async fn list_services_with_each_page_size_returns_all() {
    let services: Vec<_> = (0..25).map(|number| principal(&format!("service-{number:02}.amazonaws.com"))).collect();
    let start = || services.iter().fold(organization(), sim::SimOrganizationBuilder::trusted_access_for);
    for (start, sizes) in [
        (start(), vec![20, 5]),
        (start().page_size(10), vec![10, 10, 5]),
        (start().page_size(25), vec![25]),
        (start().page_size(0), vec![1; 25]),
        (start().page_size(usize::MAX).empty_first_page(), vec![0, 25]),
        (start().page_size(10).empty_first_page(), vec![0, 10, 10, 5]),
        (organization().empty_first_page(), vec![0, 0]),
    ] {
        let client = start.build().management_client();
        let mut pages: Vec<Page<EnabledService>> = Vec::new();
        loop {
            let token = pages.last().and_then(|page| page.next.clone());
            pages.push(client.list_aws_service_access_for_organization(token).await.unwrap());
            if pages.last().is_some_and(|page| page.next.is_none()) {
                break;
            }
        }
        assert_eq!(pages.iter().map(|page| page.items.len()).collect::<Vec<_>>(), sizes);
        let listed: Vec<_> = pages.into_iter().flat_map(|page| page.items).map(|service| service.principal).collect();
        assert!(listed.is_empty() || listed == services, "each service is listed once, in order");
    }
}

/// Asserts that the other two listings have pages as well.
#[tokio::test]
async fn list_administrators_and_syncs_returns_pages() {
    let start = trusting().delegated_administrator(alice()).delegated_administrator(bob()).page_size(1);
    let start = start.data_sync(management(), home(), organization_sync("a"));
    let client = start.data_sync(management(), home(), organization_sync("b")).build().management_client();

    let first = client.list_delegated_administrators(&SSM, None).await.unwrap();
    let last = client.list_delegated_administrators(&SSM, first.next.clone()).await.unwrap();
    assert_eq!((first.items[0].account, first.items.len()), (alice(), 1));
    assert_eq!((last.items[0].account, last.items.len(), last.next), (bob(), 1, None));

    let first = client.list_resource_data_sync(&home(), FROM_SOURCE, None).await.unwrap();
    let last = client.list_resource_data_sync(&home(), FROM_SOURCE, first.next.clone()).await.unwrap();
    assert_eq!((first.items[0].name.as_str(), first.items.len()), ("a", 1));
    assert_eq!((last.items[0].name.as_str(), last.items.len(), last.next), ("b", 1, None));
}

/// Organizations API, `InvalidInputException`, and Systems Manager API, `InvalidNextToken`: a token
/// is valid for its own listing only.
#[tokio::test]
async fn list_with_foreign_page_token_is_refused() {
    let start = || organization().trusted_access_for(&SSM).trusted_access_for(&config()).page_size(1);
    let page = start().build().management_client().list_aws_service_access_for_organization(None).await.unwrap();
    let tokens =
        [page.next.unwrap(), PageToken::new("made-up").unwrap(), PageToken::new("ListResourceDataSync-").unwrap()];
    for (at, token) in tokens.into_iter().enumerate() {
        let token = Some(token);
        let organization = start().build();
        let reason = Some("INVALID_NEXT_TOKEN");
        let ask = OperationCall::Administrators(SSM, token.clone());
        refused(&organization, management(), &ask, "InvalidInputException", reason).await;
        if at > 0 {
            let ask = OperationCall::Trusted(token.clone());
            refused(&organization, management(), &ask, "InvalidInputException", reason).await;
        }
        let ask = OperationCall::Syncs(token);
        refused(&organization, management(), &ask, "InvalidNextToken", None).await;
    }
}

/// Organizations API, "This operation can be called only from …" of each operation. Systems
/// Manager, IAM, STS: each account for itself.
#[tokio::test]
async fn call_by_each_account_follows_the_documented_access() {
    let other = config();
    let carol = account("444444444444");
    let start = || {
        let single = single("old");
        let accounts = [management(), alice(), bob(), carol, outside()];
        let start = delegated()
            .unit(unit("ou-exam-00000001"))
            .member(carol)
            .trusted_access_for(&config())
            .delegated_administrator_for(&config(), carol);
        accounts.into_iter().fold(start, |start, account| start.data_sync(account, home(), single.clone()))
    };
    let callers = [management(), alice(), carol, bob(), outside()];
    for ask in OperationCall::every() {
        for caller in callers {
            let organization = start().build();
            let operation = {
                let _ = ask.of(&organization.client(caller)).await;
                organization.calls()[0].operation
            };
            let everybody = operation.service() != "organizations";
            let reads = !operation.is_write();
            let admitted = everybody
                || caller == management()
                || (reads && [alice(), carol].contains(&caller))
                || (operation == Operation::DescribeOrganization && caller == bob());

            let organization = start().build();
            if admitted {
                let code = match ask.of(&organization.client(caller)).await {
                    Ok(()) => "answered".to_owned(),
                    Err(error) => error.code().unwrap_or_default().to_owned(),
                };
                let expected = match &ask {
                    // These calls are refused for their input and not for the caller.
                    Disable(_) | Register(..) => "ConstraintViolationException",
                    Deregister(..) => "AccountNotRegisteredException",
                    DeleteRole(_) | OperationCall::Deletion(_) => "NoSuchEntity",
                    _ => "answered",
                };
                assert_eq!(code, expected, "{ask:?} as {caller}");
            } else if caller == outside() {
                let error = refused(&organization, caller, &ask, "AWSOrganizationsNotInUseException", None).await;
                assert_eq!(error.kind(), &ErrorKind::NotInOrganization);
                assert_eq!(error.message(), Some("Your account is not a member of an organization."));
            } else {
                let error = refused(&organization, caller, &ask, "AccessDeniedException", None).await;
                assert_eq!(error.kind(), &ErrorKind::AccessDenied);
                assert_eq!(error.message(), Some("You don't have permissions to access this resource."));
            }
        }
    }
    // An account that is deregistered from its last service loses read access.
    let organization = start().build();
    done(&organization, carol, &OperationCall::Trusted(None)).await;
    done(&organization, management(), &Deregister(carol, other)).await;
    refused(&organization, carol, &OperationCall::Trusted(None), "AccessDeniedException", None).await;
}

/// Organizations API, `DescribeOrganization`.
#[tokio::test]
async fn describe_organization_returns_the_built_attributes() {
    for (feature_set, partition) in
        [(FeatureSet::All, Partition::AWS_CN), (FeatureSet::ConsolidatedBilling, Partition::AWS_US_GOV)]
    {
        let id: OrganizationId = "o-1234567890".parse().unwrap();
        let start = sim::SimOrganization::builder().id(id.clone()).management(bob()).member(alice());
        let organization = start.feature_set(feature_set).partition(partition.clone()).build();
        let shown = organization.client(alice()).describe_organization().await.unwrap();
        assert_eq!(
            (shown.id, shown.management_account, shown.partition, shown.feature_set),
            (id, bob(), partition, Some(feature_set))
        );
    }
}

fn states() -> [AccountState; 6] {
    [
        AccountState::PendingActivation,
        AccountState::Active,
        AccountState::Suspended,
        AccountState::PendingClosure,
        AccountState::Closed,
        AccountState::Other("IN_LIMBO".to_owned()),
    ]
}

/// Organizations API, `Account.State`; `RegisterDelegatedAdministrator`: a suspended account cannot
/// be registered.
#[tokio::test]
async fn register_in_each_account_state_accepts_only_active() {
    for state in states() {
        let organization = trusting().member_with_state(alice(), state.clone()).build();
        let client = organization.management_client();
        let shown = client.describe_account(alice()).await.unwrap();
        assert_eq!((shown.id, shown.state.as_ref()), (alice(), Some(&state)));
        assert_eq!(AccountState::from(state.as_str()), state);
        let register = Register(alice(), SSM);
        if state == AccountState::Active {
            done(&organization, management(), &register).await;
        } else {
            let reason = "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR";
            refused(&organization, management(), &register, "ConstraintViolationException", Some(reason)).await;
        }

        // A registered account stays registered in each state and can be deregistered.
        let organization = delegated().build();
        organization.set_member(alice(), state.clone());
        let [shown] = &administrators(&organization, &SSM).await[..] else { panic!("expected one administrator") };
        assert_eq!((shown.account, shown.state.as_ref()), (alice(), Some(&state)));
        done(&organization, management(), &Deregister(alice(), SSM)).await;
        assert!(organization.administrators().is_empty());
    }
    let own = organization().build().management_client().describe_account(management()).await.unwrap();
    assert_eq!(own.state, Some(AccountState::Active), "the management account is active");
}

/// Organizations API: `AccountNotFoundException` of the operations that take an account.
#[tokio::test]
async fn call_about_outside_account_reports_account_not_found() {
    for start in [organization(), trusting(), delegated()] {
        let organization = start.build();
        for ask in [OperationCall::Account(outside()), Register(outside(), SSM), Deregister(outside(), SSM)] {
            let error = refused(&organization, management(), &ask, "AccountNotFoundException", None).await;
            assert_eq!(error.message(), Some("You specified an account that doesn't exist."));
        }
    }
}

/// Organizations API: `OrganizationalUnitNotFoundException` of `DescribeOrganizationalUnit`.
#[tokio::test]
async fn call_about_unknown_unit_reports_unit_not_found() {
    let organization = organization().unit(unit("ou-exam-00000001")).build();
    done(&organization, management(), &OperationCall::Unit(unit("ou-exam-00000001"))).await;
    let ask = OperationCall::Unit(unit("ou-exam-00000002"));
    let error = refused(&organization, management(), &ask, "OrganizationalUnitNotFoundException", None).await;
    assert_eq!(error.remedy(), Some(Remedy::CorrectUnits));
}

/// Organizations API: registering and deregistering are not idempotent. The settings of
/// undocumented behavior cover enabling and disabling.
#[tokio::test]
async fn register_or_deregister_twice_is_refused() {
    let organization = trusting().build();
    done(&organization, management(), &Register(alice(), SSM)).await;
    let code = "AccountAlreadyRegisteredException";
    let error = refused(&organization, management(), &Register(alice(), SSM), code, None).await;
    assert_eq!(
        error.message(),
        Some("The provided account is already a delegated administrator for your organization.")
    );

    done(&organization, management(), &Deregister(alice(), SSM)).await;
    for account in [alice(), bob(), management()] {
        let ask = Deregister(account, SSM);
        let error = refused(&organization, management(), &ask, "AccountNotRegisteredException", None).await;
        let message = "The provided account is not a registered delegated administrator for your organization.";
        assert_eq!(error.message(), Some(message));
    }
    // A registration for another service does not count for this one.
    let organization = trusting().trusted_access_for(&config()).delegated_administrator_for(&config(), alice()).build();
    refused(&organization, management(), &Deregister(alice(), SSM), "AccountNotRegisteredException", None).await;
}

/// Organizations API: `DateEnabled` and `DelegationEnabledDate`.
#[tokio::test(start_paused = true)]
async fn enable_and_register_repeatedly_have_increasing_dates() {
    let organization = organization().build();
    let mut dates = Vec::new();
    for _ in 0..3 {
        done(&organization, management(), &Enable(SSM)).await;
        done(&organization, management(), &Register(alice(), SSM)).await;
        dates.extend(trusted(&organization).await[0].enabled_at);
        dates.extend(administrators(&organization, &SSM).await[0].delegated_at);
        done(&organization, management(), &Deregister(alice(), SSM)).await;
        done(&organization, management(), &Disable(SSM)).await;
        tokio::time::advance(Duration::from_secs(5)).await;
    }
    assert_eq!(dates.len(), 6);
    assert!(dates.is_sorted_by(|earlier, later| earlier < later), "{dates:?}");
    assert!(dates[2].duration_since(dates[0]).unwrap() > Duration::from_millis(4_990), "the dates follow the clock");
    assert!(dates[4].duration_since(dates[0]).unwrap() < Duration::from_secs(11), "the dates follow only the clock");
}

// 1.2 Systems Manager

const TAKEN: &str = "ResourceDataSyncAlreadyExistsException";
const INVALID: &str = "ResourceDataSyncInvalidConfigurationException";
const UNKNOWN: &str = "ResourceDataSyncNotFoundException";

fn single(text: &str) -> DataSync {
    DataSync::new(name(text), Some(SyncSourceType::SingleAccountMultiRegions))
}

/// Returns an organization in which the account has the sync "it" in the Region.
fn with_it(owner: AccountId, place: &str) -> sim::SimOrganizationBuilder {
    ready().data_sync(owner, region(place), organization_sync("it"))
}

fn with_inventorys() -> sim::SimOrganizationBuilder {
    ready().data_sync_of_type(TO_DESTINATION, management(), home(), inventory("it"))
}

/// Systems Manager API, `CreateResourceDataSync`.
#[tokio::test]
async fn create_sync_with_invalid_definition_is_refused() {
    let units = ready().unit(unit("ou-root-11111111"));
    let of_another_source = ready().data_sync(management(), home(), single("it"));
    each_is_refused([
        broken("a name is taken", with_it(management(), HOME), Create(of_all("it")), TAKEN),
        broken("by any source", of_another_source, Create(of_all("it")), TAKEN),
        broken("and by either type", with_inventorys(), Create(of_one("it")), TAKEN),
        broken("a unit exists", units, Create(of_unit("it", "ou-root-22222222")), INVALID),
    ])
    .await;
    // `ResourceDataSyncAlreadyExistsException` has a name and no message.
    let organization = with_it(management(), HOME).build();
    let error = refused(&organization, management(), &Create(of_all("it")), TAKEN, None).await;
    assert_eq!(error.message(), None);
    // Names are unique per Region and account.
    done(&with_it(management(), "us-east-1").build(), management(), &Create(of_all("it"))).await;
    done(&with_it(management(), HOME).build(), alice(), &Create(of_all("it"))).await;
}

/// Systems Manager API, `UpdateResourceDataSync`: `SyncFromSource` alone, and "you can't change the
/// account options".
#[tokio::test]
async fn update_sync_with_invalid_definition_is_refused() {
    let units = with_it(management(), HOME).unit(unit("ou-root-11111111"));
    let of_another_source = ready().data_sync(management(), home(), single("it"));
    Box::pin(each_is_refused([
        broken("there is one", ready(), Update(of_all("it")), UNKNOWN).saying("\"it\""),
        broken("of one's own", with_it(alice(), HOME), Update(of_all("it")), UNKNOWN),
        broken("in this Region", with_it(management(), "us-east-1"), Update(of_all("it")), UNKNOWN),
        broken("of Explorer's type", with_inventorys(), Update(of_one("it")), UNKNOWN),
        broken("its source stays", with_it(management(), HOME), Update(of_one("it")), INVALID)
            .saying("account options"),
        broken("either way", of_another_source, Update(of_all("it")), INVALID).saying("account options"),
        broken("a unit exists", units, Update(of_unit("it", "ou-root-22222222")), INVALID),
    ]))
    .await;
}

/// Systems Manager API, `DeleteResourceDataSync`.
#[tokio::test]
async fn delete_sync_that_does_not_match_is_refused() {
    let delete = |sync_type| Delete(name("it"), sync_type);
    each_is_refused([
        broken("there is one", ready(), delete(FROM_SOURCE), UNKNOWN).saying("\"it\""),
        broken("of one's own", with_it(alice(), HOME), delete(FROM_SOURCE), UNKNOWN),
        broken("in this Region", with_it(management(), "us-east-1"), delete(FROM_SOURCE), UNKNOWN),
        broken("of this type", with_inventorys(), delete(FROM_SOURCE), UNKNOWN),
        broken("or of that", with_it(management(), HOME), delete(TO_DESTINATION), UNKNOWN),
    ])
    .await;
}

/// Systems Manager API: a listing shows the definition of a sync, and an update replaces everything
/// but its name and creation date.
#[tokio::test]
async fn create_update_and_delete_sync_show_in_listing() {
    let organization = ready().unit(unit("ou-root-11111111")).build();
    let client = organization.management_client();
    let everything = of_unit("it", "ou-root-11111111").including_future_regions().enabling_all_ops_data_sources();
    client.create_resource_data_sync(&home(), &everything).await.unwrap();
    let [made] = &syncs(&organization, management()).await[..] else { panic!("expected one sync") };
    assert_eq!((made.name.as_str(), &made.source_type), ("it", &Some(SyncSourceType::AwsOrganizations)));
    assert_eq!((&made.units[..], &made.regions[..]), (&[unit("ou-root-11111111")][..], &[home()][..]));
    assert_eq!(
        (made.future_regions, made.all_ops_data_sources, &made.state),
        (Some(true), Some(true), &SyncState::Healthy)
    );
    assert!(made.created.is_some() && made.created == made.modified);
    assert_eq!(
        (&made.last_status, made.last_run, made.last_success),
        (&None, None, None),
        "the simulation runs no sync"
    );

    let elsewhere = SourceRegions::new([region("us-east-1")]).unwrap();
    client.update_resource_data_sync(&home(), &SyncDefinition::of_organization(name("it"), elsewhere)).await.unwrap();
    let [updated] = &syncs(&organization, management()).await[..] else { panic!("expected one sync") };
    assert_eq!((&updated.units[..], &updated.regions[..]), (&[][..], &[region("us-east-1")][..]));
    assert_eq!((updated.future_regions, updated.all_ops_data_sources), (Some(false), Some(false)));
    assert_eq!(updated.created, made.created);
    assert!(updated.modified > made.modified);

    done(&organization, management(), &Create(of_one("single"))).await;
    done(&organization, management(), &Update(of_one("single").including_future_regions())).await;
    let single = organization.data_syncs(management(), &home())[1].clone();
    assert_eq!(
        (single.source_type, single.future_regions),
        (Some(SyncSourceType::SingleAccountMultiRegions), Some(true))
    );

    done(&organization, management(), &Delete(name("it"), FROM_SOURCE)).await;
    done(&organization, management(), &Delete(name("single"), FROM_SOURCE)).await;
    assert_eq!(syncs(&organization, management()).await, []);
}

/// Systems Manager API, `SyncType`: a listing shows one type, in one Region, of one account.
#[tokio::test]
async fn list_syncs_returns_one_type_region_and_account() {
    let start = ready()
        .data_sync(management(), home(), organization_sync("explorer"))
        .data_sync(management(), region("us-east-1"), organization_sync("elsewhere"))
        .data_sync(alice(), home(), organization_sync("alices"))
        .data_sync_of_type(TO_DESTINATION, management(), home(), inventory("inventory"));
    let organization = start.build();
    for (caller, place, sync_type, names) in [
        (management(), HOME, FROM_SOURCE, vec!["explorer"]),
        (management(), HOME, TO_DESTINATION, vec!["inventory"]),
        (management(), "us-east-1", FROM_SOURCE, vec!["elsewhere"]),
        (management(), "us-east-1", TO_DESTINATION, vec![]),
        (alice(), HOME, FROM_SOURCE, vec!["alices"]),
        (bob(), HOME, FROM_SOURCE, vec![]),
    ] {
        let page = organization.client(caller).list_resource_data_sync(&region(place), sync_type, None).await.unwrap();
        assert_eq!(page.items.iter().map(|sync| sync.name.as_str()).collect::<Vec<_>>(), names);
    }
    assert_eq!(organization.data_syncs(management(), &home()).len(), 2, "syncs of both types are counted");
    done(&organization, management(), &Delete(name("inventory"), TO_DESTINATION)).await;
    assert_eq!(organization.data_syncs(management(), &home()).len(), 1);
}

/// Systems Manager API, `SyncSource.State`: the four states, and no state of a healthy sync.
#[tokio::test]
async fn list_sync_without_prerequisite_shows_its_state() {
    let sync = || organization_sync("it");
    let strange = || {
        let mut sync = organization_sync("it");
        sync.units = vec![unit("ou-root-99999999")];
        sync
    };
    let theirs = |start: sim::SimOrganizationBuilder| start.data_sync(management(), home(), sync()).build();
    for (organization, caller, state) in [
        (theirs(ready()), management(), SyncState::Healthy),
        (theirs(trusting()), management(), SyncState::NoPermissions),
        (theirs(organization().service_linked_role(&DISCOVERY)), management(), SyncState::TrustedAccessDisabled),
        (
            ready().data_sync(management(), home(), strange()).build(),
            management(),
            SyncState::InvalidOrganizationalUnit,
        ),
        (ready().data_sync(outside(), home(), sync()).build(), outside(), SyncState::OrganizationNotExists),
    ] {
        assert_eq!(state_of_the_sync(&organization, caller).await, state);
    }
    // A single-account sync has no prerequisites, and an unknown state is kept.
    let single = single("it");
    let organization = organization().data_sync(outside(), home(), single).build();
    assert_eq!(state_of_the_sync(&organization, outside()).await, SyncState::Healthy);
    let mut odd = organization_sync("it");
    odd.state = SyncState::Other("Tired".to_owned());
    let organization = crate::common::organization().data_sync(management(), home(), odd).build();
    assert_eq!(state_of_the_sync(&organization, management()).await, SyncState::Other("Tired".to_owned()));
}

// 1.3 IAM and STS

/// IAM API: `GetRole`, `CreateServiceLinkedRole`. Systems Manager guide, "Using service-linked
/// roles": principals, names and paths.
#[tokio::test]
async fn create_role_for_each_service_has_its_name_and_path() {
    let organization = organization().build();
    for (service, role) in [
        ("accountdiscovery.ssm.amazonaws.com", "AWSServiceRoleForAmazonSSM_AccountDiscovery"),
        ("ssm.amazonaws.com", "AWSServiceRoleForAmazonSSM"),
        ("opsdatasync.ssm.amazonaws.com", "AWSServiceRoleForSystemsManagerOpsDataSync"),
        ("opsinsights.ssm.amazonaws.com", "AWSServiceRoleForAmazonSSM_OpsInsights"),
        ("ssm-quicksetup.amazonaws.com", "AWSServiceRoleForSSMQuickSetup"),
    ] {
        let role: RoleName = role.parse().unwrap();
        for caller in [management(), outside()] {
            let client = organization.client(caller);
            assert_eq!(client.get_role(&role).await.unwrap(), None);
            let made = client.create_service_linked_role(&principal(service)).await.unwrap();
            assert_eq!((&made.name, made.path.as_str()), (&role, &*format!("/aws-service-role/{service}/")));
            assert!(made.created.is_some());
            assert_eq!(client.get_role(&role).await.unwrap().as_ref(), Some(&made));
            assert!(organization.has_role(caller, &role));

            // A repetition "fails with a duplicate role name error".
            let ask = OperationCall::CreateRole(principal(service));
            let error = refused(&organization, caller, &ask, "InvalidInput", None).await;
            assert!(error.message().unwrap().contains(&format!("{role} has been taken in this account")), "{error}");
        }
    }
    assert!(!organization.has_role(bob(), &ROLE), "each account has its own role");
    for unknown in ["config.amazonaws.com", "nobody"] {
        refused(&organization, management(), &OperationCall::CreateRole(principal(unknown)), "InvalidInput", None)
            .await;
    }
}

/// IAM API: `DeleteServiceLinkedRole`, `GetServiceLinkedRoleDeletionStatus`.
#[tokio::test(start_paused = true)]
async fn delete_role_runs_in_the_background() {
    let organization = organization().service_linked_role(&DISCOVERY).role_deletion(Duration::from_secs(30)).build();
    let client = organization.management_client();
    let id = client.get_role(&ROLE).await.unwrap().unwrap().id;

    let task = client.delete_service_linked_role(&ROLE).await.unwrap();
    let prefix =
        "task/aws-service-role/accountdiscovery.ssm.amazonaws.com/AWSServiceRoleForAmazonSSM_AccountDiscovery/";
    assert!(task.as_str().starts_with(prefix), "{task}");
    tokio::time::advance(Duration::from_secs(29)).await;
    assert_eq!(client.get_service_linked_role_deletion_status(&task).await.unwrap(), DeletionStatus::InProgress);
    assert_eq!(client.delete_service_linked_role(&ROLE).await.unwrap(), task, "a deletion in progress keeps its task");
    assert!(organization.has_role(management(), &ROLE), "the role exists until the deletion ends");
    let others = organization.client(outside());
    others.create_service_linked_role(&DISCOVERY).await.unwrap();
    assert_ne!(others.delete_service_linked_role(&ROLE).await.unwrap(), task, "another account has another task");
    refused(&organization, management(), &OperationCall::CreateRole(DISCOVERY), "InvalidInput", None).await;

    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(!organization.has_role(management(), &ROLE), "the deletion ends without a call");
    assert_eq!(client.get_service_linked_role_deletion_status(&task).await.unwrap(), DeletionStatus::Succeeded);
    assert_eq!(client.get_role(&ROLE).await.unwrap(), None);
    refused(&organization, management(), &DeleteRole(ROLE), "NoSuchEntity", None).await;

    // A recreated role has another ID, and its deletion another task.
    assert_ne!(client.create_service_linked_role(&DISCOVERY).await.unwrap().id, id);
    assert_ne!(client.delete_service_linked_role(&ROLE).await.unwrap(), task);
    assert_eq!(client.get_service_linked_role_deletion_status(&task).await.unwrap(), DeletionStatus::Succeeded);
    // A task belongs to its account, and unknown tasks are refused.
    refused(&organization, alice(), &OperationCall::Deletion(task), "NoSuchEntity", None).await;
    let made_up = DeletionTaskId::new(format!("{prefix}1")).unwrap();
    refused(&organization, management(), &OperationCall::Deletion(made_up), "NoSuchEntity", None).await;
}

/// Systems Manager guide, "Using service-linked roles" (delete Explorer's syncs first);
/// Organizations guide (disable trusted access first).
#[tokio::test(start_paused = true)]
async fn delete_role_in_use_fails_with_the_usage() {
    async fn end_of(organization: &sim::SimOrganization, owner: AccountId, role: &RoleName) -> DeletionStatus {
        let client = organization.client(owner);
        let task = client.delete_service_linked_role(role).await.unwrap();
        tokio::time::advance(Duration::from_secs(10)).await;
        let status = client.get_service_linked_role_deletion_status(&task).await.unwrap();
        assert_eq!(organization.has_role(owner, role), status != DeletionStatus::Succeeded);
        status
    }
    let in_use = |usage: Vec<RoleUsage>| DeletionStatus::failed(Some("The role is in use.".to_owned()), usage);
    let arn =
        |owner: AccountId, place: &str, sync: &str| format!("arn:aws:ssm:{place}:{owner}:resource-data-sync/{sync}");

    // Trusted access uses the role until it is disabled.
    let organization = trusting().service_linked_role(&DISCOVERY).data_sync(alice(), home(), single("single")).build();
    assert_eq!(end_of(&organization, management(), &ROLE).await, in_use(vec![]));
    organization.disable_trusted_access(&SSM);
    assert_eq!(end_of(&organization, management(), &ROLE).await, DeletionStatus::Succeeded);

    // Organization syncs of every account use the role; the usage is listed by Region.
    let organization = crate::common::organization()
        .service_linked_role(&DISCOVERY)
        .data_sync(management(), region("us-east-1"), organization_sync("b"))
        .data_sync(management(), home(), organization_sync("a"))
        .data_sync(alice(), home(), organization_sync("theirs"))
        .data_sync_of_type(TO_DESTINATION, management(), home(), inventory("inventory"))
        .build();
    let usage = vec![
        RoleUsage::new(Some(home()), vec![arn(management(), HOME, "a"), arn(alice(), HOME, "theirs")]),
        RoleUsage::new(Some(region("us-east-1")), vec![arn(management(), "us-east-1", "b")]),
    ];
    assert_eq!(end_of(&organization, management(), &ROLE).await, in_use(usage));

    // The role of a member account is used by the member's syncs.
    organization.client(alice()).create_service_linked_role(&DISCOVERY).await.unwrap();
    let usage = vec![RoleUsage::new(Some(home()), vec![arn(alice(), HOME, "theirs")])];
    assert_eq!(end_of(&organization, alice(), &ROLE).await, in_use(usage));
    organization.enable_trusted_access(&SSM);
    for (owner, status) in [(bob(), in_use(vec![])), (outside(), DeletionStatus::Succeeded)] {
        organization.client(owner).create_service_linked_role(&DISCOVERY).await.unwrap();
        assert_eq!(end_of(&organization, owner, &ROLE).await, status);
    }
    // Another role is not in use.
    organization.management_client().create_service_linked_role(&SSM).await.unwrap();
    let other: RoleName = "AWSServiceRoleForAmazonSSM".parse().unwrap();
    assert_eq!(end_of(&organization, management(), &other).await, DeletionStatus::Succeeded);
}

/// Asserts that the simulation evaluates the usage of a role at the end of the deletion.
#[tokio::test(start_paused = true)]
async fn delete_role_with_changing_usage_is_judged_at_its_end() {
    let organization = trusting().service_linked_role(&DISCOVERY).build();
    let client = organization.management_client();
    let task = client.delete_service_linked_role(&ROLE).await.unwrap();
    tokio::time::advance(Duration::from_secs(9)).await;
    organization.disable_trusted_access(&SSM);
    tokio::time::advance(Duration::from_secs(1)).await;
    organization.enable_trusted_access(&SSM);
    assert_eq!(client.get_service_linked_role_deletion_status(&task).await.unwrap(), DeletionStatus::Succeeded);

    client.create_service_linked_role(&DISCOVERY).await.unwrap();
    let task = client.delete_service_linked_role(&ROLE).await.unwrap();
    tokio::time::advance(Duration::from_secs(10)).await;
    organization.disable_trusted_access(&SSM);
    let status = client.get_service_linked_role_deletion_status(&task).await.unwrap();
    assert!(matches!(status, DeletionStatus::Failed { .. }), "{status:?}");
}

/// STS API: `GetCallerIdentity` needs no permission and no organization.
#[tokio::test]
async fn get_caller_identity_without_permission_succeeds() {
    let organization = organization().build();
    for caller in [management(), alice(), outside()] {
        let client = organization.client(caller).without_permission("sts:GetCallerIdentity");
        assert_eq!(client.get_caller_identity().await.unwrap().account, caller);
        assert_eq!(client.account(), caller);
    }
}

// 1.4 Quotas; the rates are tested in `faults`.

/// Systems Manager quotas: five data syncs for each account and Region.
#[tokio::test]
async fn create_sixth_sync_is_refused() {
    let organization = ready().build();
    for number in 0..5 {
        done(
            &organization,
            management(),
            &Create(if number % 2 == 0 { of_all(&number.to_string()) } else { of_one(&number.to_string()) }),
        )
        .await;
    }
    let code = "ResourceDataSyncCountExceededException";
    for sync in [of_all("sixth"), of_one("sixth")] {
        refused(&organization, management(), &Create(sync), code, None).await;
    }
    // The quota applies to each account and Region separately.
    done(&organization, alice(), &Create(of_all("theirs"))).await;
    organization.management_client().create_resource_data_sync(&region("us-east-1"), &of_all("sixth")).await.unwrap();
    // A deletion frees quota.
    done(&organization, management(), &Delete(name("0"), FROM_SOURCE)).await;
    done(&organization, management(), &Create(of_all("sixth"))).await;
}

/// Systems Manager guide, Explorer: one administrator for all of Systems Manager. Organizations
/// guide: one for Quick Setup, five for CloudFormation's stack sets. Other services are not
/// counted.
#[tokio::test]
async fn register_beyond_limit_of_service_is_refused() {
    let limit = Some("MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED");
    for (service, most) in [
        ("ssm.amazonaws.com", Some(1)),
        ("ssm-quicksetup.amazonaws.com", Some(1)),
        ("member.org.stacksets.cloudformation.amazonaws.com", Some(5)),
        ("config.amazonaws.com", None),
    ] {
        let service = principal(service);
        let organization = organization().members(20).trusted_access_for(&service).build();
        let member = |number: usize| account(&format!("5000000000{number:02}"));
        for number in 0..most.unwrap_or(20) {
            done(&organization, management(), &Register(member(number), service.clone())).await;
        }
        if let Some(most) = most {
            let ask = Register(member(most), service.clone());
            let error = refused(&organization, management(), &ask, "ConstraintViolationException", limit).await;
            let message = "You have exceeded the allowed number of delegated administrators for the delegated service.";
            assert_eq!(error.message(), Some(message));
        }
        assert_eq!(administrators(&organization, &service).await.len(), most.unwrap_or(20));
    }
}

// 2. Codes and reasons

const CONSTRAINT: &str = "ConstraintViolationException";
const INPUT: &str = "InvalidInputException";

fn billing() -> sim::SimOrganizationBuilder {
    trusting().feature_set(FeatureSet::ConsolidatedBilling)
}

/// Organizations API, reasons of `ConstraintViolationException`. The message about the limit is
/// from AWS's knowledge center; AWS was observed to refuse disabling for IAM.
fn broken_constraints() -> Vec<Broken> {
    let suspended = trusting().member_with_state(alice(), AccountState::Suspended);
    vec![
        broken("trusted access first", organization(), Register(alice(), SSM), CONSTRAINT)
            .because("SERVICE_ACCESS_NOT_ENABLED")
            .saying("Call the EnableAWSServiceAccess API first."),
        broken(
            "of this very service",
            organization().trusted_access_for(&config()),
            Register(alice(), SSM),
            CONSTRAINT,
        )
        .because("SERVICE_ACCESS_NOT_ENABLED"),
        broken("not the management account", trusting(), Register(management(), SSM), CONSTRAINT)
            .because("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR")
            .saying("You cannot register master account"),
        broken("not a suspended account", suspended, Register(alice(), SSM), CONSTRAINT)
            .because("CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR")
            .saying("suspended"),
        broken("one administrator", delegated(), Register(bob(), SSM), CONSTRAINT)
            .because("MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED")
            .saying("You have exceeded the allowed number of delegated administrators for the delegated service"),
        broken("none when it is disabled", delegated(), Disable(SSM), CONSTRAINT)
            .because("DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE")
            .saying("You must first deregister any existing delegated administrators"),
        broken("all features, to enable", billing(), Enable(config()), CONSTRAINT)
            .because("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE")
            .saying("all features"),
        broken("all features, to register", billing(), Register(alice(), SSM), CONSTRAINT)
            .because("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE")
            .saying("all features"),
    ]
}

/// Organizations API, reasons of `InvalidInputException`.
fn broken_inputs() -> Vec<Broken> {
    let unknown = || principal("nobody.example.com");
    let stranger = |rule, start: sim::SimOrganizationBuilder, ask| {
        broken(rule, start, ask, INPUT)
            .because("UNRECOGNIZED_SERVICE_PRINCIPAL")
            .saying("You specified an unrecognized service principal")
    };
    vec![
        stranger("a known principal, to enable", trusting(), Enable(unknown())),
        stranger("to disable", trusting(), Disable(unknown())),
        stranger("to register", trusting(), Register(alice(), unknown())),
        stranger("to deregister", delegated(), Deregister(alice(), unknown())),
        broken("a token of this listing", trusting(), OperationCall::Trusted(PageToken::new("x").ok()), INPUT)
            .because("INVALID_NEXT_TOKEN"),
    ]
}

/// Asserts that each refusal has its reason, or none under the setting that models emulators.
#[tokio::test]
async fn organizations_call_against_rule_is_refused_with_reason() {
    for rules in [broken_constraints, broken_inputs] {
        each_is_refused(rules()).await;
        each_is_refused(rules().into_iter().map(|broken| {
            let start = broken.start.undocumented_behavior(setting(|undocumented| undocumented.reasons = false));
            Broken { start, reason: None, ..broken }
        }))
        .await;
    }
    // Without all features, deregistering and disabling still succeed.
    let organization = billing().delegated_administrator(alice()).build();
    done(&organization, management(), &Deregister(alice(), SSM)).await;
    done(&organization, management(), &Disable(SSM)).await;
}

/// Organizations API, `AccessDeniedException`. The message of IAM names the action. Permissions are
/// checked before everything else.
#[tokio::test]
async fn call_without_permission_is_denied_for_that_action_only() {
    let single = || single("old");
    for (at, ask) in OperationCall::every().into_iter().enumerate() {
        let operation = Operation::ALL[at];
        let action = operation.iam_action();
        for spelling in [action.clone(), action.to_ascii_lowercase()] {
            let organization = delegated().data_sync(management(), home(), single()).build();
            let client = organization.management_client().without_permission(spelling);
            let before = organization.state();
            let result = ask.of(&client).await;
            assert_eq!(organization.calls()[0].operation, operation);
            if operation == Operation::GetCallerIdentity {
                result.unwrap();
                continue;
            }
            let error = result.unwrap_err();
            let code = if operation.service() == "iam" { "AccessDenied" } else { "AccessDeniedException" };
            assert_eq!(
                (error.code(), error.kind(), error.write_status()),
                (Some(code), &ErrorKind::AccessDenied, WriteStatus::NotApplied)
            );
            let message = error.message().unwrap();
            if operation.service() == "organizations" {
                assert_eq!(message, "You don't have permissions to access this resource.");
            } else {
                assert!(message.starts_with("User: arn:aws:iam::111111111111:"), "{message}");
                assert!(message.contains(&format!("is not authorized to perform: {action} because")), "{message}");
            }
            assert_eq!(organization.state(), before);
        }
        // Other missing permissions do not affect the call.
        let organization = delegated().data_sync(management(), home(), single()).build();
        let others = Operation::ALL.iter().filter(|other| **other != operation);
        let client = others
            .fold(organization.management_client(), |client, other| client.without_permission(other.iam_action()));
        let denied = ask.of(&client).await.is_err_and(|error| *error.kind() == ErrorKind::AccessDenied);
        assert!(!denied, "{operation}");
    }
}

// 3. Order

/// Explorer's guide and the Organizations guide: trusted access, the role, the administrator and
/// the syncs are created in this order and then removed.
#[tokio::test(start_paused = true)]
async fn documented_order_forward_and_back_restores_the_state() {
    let organization = organization().build();
    let before = organization.state();
    let us = management();
    done(&organization, us, &Enable(SSM)).await;
    done(&organization, us, &OperationCall::CreateRole(DISCOVERY)).await;
    done(&organization, us, &Register(alice(), SSM)).await;
    done(&organization, us, &Create(of_all("ours"))).await;
    done(&organization, alice(), &Create(of_all("theirs"))).await;
    assert_eq!(state_of_the_sync(&organization, alice()).await, SyncState::Healthy);

    done(&organization, alice(), &Delete(name("theirs"), FROM_SOURCE)).await;
    done(&organization, us, &Delete(name("ours"), FROM_SOURCE)).await;
    done(&organization, us, &Deregister(alice(), SSM)).await;
    done(&organization, us, &Disable(SSM)).await;
    done(&organization, us, &DeleteRole(ROLE)).await;
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(organization.state(), before);
}

/// Explorer's guide: "the system deletes all AWS Organizations resource data syncs created by the
/// delegated administrator".
#[tokio::test]
async fn deregister_deletes_organization_syncs_of_the_account() {
    let single = single("single");
    let start = ready()
        .data_sync(alice(), home(), organization_sync("a"))
        .data_sync(alice(), region("us-east-1"), organization_sync("b"))
        .data_sync(alice(), home(), single)
        .data_sync_of_type(TO_DESTINATION, alice(), home(), inventory("inventory"))
        .data_sync(management(), home(), organization_sync("ours"));
    let organization = start.trusted_access_for(&config()).delegated_administrator_for(&config(), alice()).build();

    // Deregistering from another service deletes no sync.
    done(&organization, management(), &Deregister(alice(), config())).await;
    assert_eq!(organization.data_syncs(alice(), &home()).len(), 3);
    done(&organization, management(), &Deregister(alice(), SSM)).await;
    let left = organization.data_syncs(alice(), &home());
    assert_eq!(left.iter().map(|sync| sync.name.as_str()).collect::<Vec<_>>(), ["inventory", "single"]);
    assert_eq!(organization.data_syncs(alice(), &region("us-east-1")), []);
    assert_eq!(organization.data_syncs(management(), &home()).len(), 1);
}

/// Organizations guide: after trusted access is disabled, "Systems Manager fails to synchronize
/// operations data"; API: `TrustedAccessDisabled`; "To re-enable trusted access, you must create a
/// new Resource Data Sync".
#[tokio::test]
async fn disable_then_enable_leaves_syncs_unhealthy() {
    let single = single("single");
    let start = trusting().service_linked_role(&DISCOVERY).trusted_access_for(&config());
    let organization =
        start.data_sync(management(), home(), organization_sync("old")).data_sync(bob(), home(), single).build();

    // Trusted access of another service does not affect the syncs.
    done(&organization, management(), &Disable(config())).await;
    assert_eq!(state_of_the_sync(&organization, management()).await, SyncState::Healthy);
    done(&organization, management(), &Disable(SSM)).await;
    assert_eq!(state_of_the_sync(&organization, management()).await, SyncState::TrustedAccessDisabled);
    assert_eq!(state_of_the_sync(&organization, bob()).await, SyncState::Healthy);

    done(&organization, management(), &Enable(SSM)).await;
    assert_eq!(state_of_the_sync(&organization, management()).await, SyncState::TrustedAccessDisabled);
    done(&organization, management(), &Update(of_all("old"))).await;
    assert_eq!(state_of_the_sync(&organization, management()).await, SyncState::TrustedAccessDisabled);
    done(&organization, management(), &Delete(name("old"), FROM_SOURCE)).await;
    done(&organization, management(), &Create(of_all("new"))).await;
    assert_eq!(state_of_the_sync(&organization, management()).await, SyncState::Healthy);
}

/// Systems Manager guide, "Using service-linked roles": "you must create the role before you create
/// the resource data sync".
#[tokio::test]
async fn create_organization_sync_without_prerequisite_is_refused() {
    let role = || organization().service_linked_role(&DISCOVERY);
    let with = |start: sim::SimOrganizationBuilder| start.data_sync(management(), home(), organization_sync("it"));
    each_is_refused([
        broken("trusted access", role(), Create(of_all("it")), INVALID).saying("trusted access"),
        broken("the role", trusting(), Create(of_all("it")), INVALID).saying("role"),
        broken("for the administrator's, too", delegated(), Create(of_all("it")), INVALID).by(alice()).saying("role"),
        broken("and for an update", with(role()), Update(of_all("it")), INVALID).saying("trusted access"),
        broken("of either", with(trusting()), Update(of_all("it")), INVALID).saying("role"),
    ])
    .await;
    // A single-account sync has no prerequisites and needs no organization.
    for caller in [management(), bob(), outside()] {
        done(&organization().build(), caller, &Create(of_one("it"))).await;
    }
}

/// Explorer's guide: only the management account and the delegated administrator create
/// organization syncs; in opt-in Regions, only the management account.
#[tokio::test]
async fn create_organization_sync_by_member_is_refused() {
    let organization = ready().trusted_access_for(&config()).delegated_administrator_for(&config(), bob()).build();
    for caller in [bob(), outside()] {
        refused(&organization, caller, &Create(of_all("it")), "AccessDeniedException", None).await;
    }
    done(&organization, alice(), &Create(of_all("it"))).await;
    organization.register_administrator(bob());
    organization.deregister_administrator(alice());
    refused(&organization, alice(), &Update(of_all("it")), "AccessDeniedException", None).await;
    done(&organization, bob(), &Create(of_all("it"))).await;
    done(&organization, alice(), &Delete(name("it"), FROM_SOURCE)).await;

    for opt_in in ["af-south-1", "ap-east-1", "eu-south-1", "me-south-1"] {
        let organization = ready().build();
        let error =
            organization.client(alice()).create_resource_data_sync(&region(opt_in), &of_all("it")).await.unwrap_err();
        assert_eq!(error.code(), Some(INVALID), "{opt_in}");
        organization.client(alice()).create_resource_data_sync(&region(opt_in), &of_one("it")).await.unwrap();
        organization.management_client().create_resource_data_sync(&region(opt_in), &of_all("it")).await.unwrap();
    }
    // The opt-in Regions are configurable.
    let organization = ready().opt_in_regions([home()]).build();
    let error = refused(&organization, alice(), &Create(of_all("it")), INVALID, None).await;
    assert!(error.message().unwrap().contains("opt-in Region"));
    organization.client(alice()).create_resource_data_sync(&region("me-south-1"), &of_all("it")).await.unwrap();
}

/// Organizations API: registering and deregistering affect only the given service.
#[tokio::test]
async fn write_for_one_service_leaves_other_services_unchanged() {
    let quick_setup = principal("ssm-quicksetup.amazonaws.com");
    let companions = [config(), quick_setup.clone(), principal("member.org.stacksets.cloudformation.amazonaws.com")];
    let start = companions.iter().fold(organization(), |start, companion| {
        start.trusted_access_for(companion).delegated_administrator_for(companion, bob())
    });
    let organization = start.build();
    let before = organization.state();
    done(&organization, management(), &Enable(SSM)).await;
    done(&organization, management(), &Register(alice(), SSM)).await;
    assert_eq!(trusted(&organization).await.len(), 4);
    assert_eq!(administrators(&organization, &SSM).await.len(), 1);
    for companion in &companions {
        let [administrator] = &administrators(&organization, companion).await[..] else {
            panic!("expected one administrator")
        };
        assert_eq!(administrator.account, bob());
    }
    done(&organization, management(), &Deregister(alice(), SSM)).await;
    done(&organization, management(), &Disable(SSM)).await;
    assert_eq!(organization.state(), before);
    // An account may administer several services.
    done(&organization, management(), &Enable(SSM)).await;
    done(&organization, management(), &Register(bob(), SSM)).await;
    done(&organization, management(), &Deregister(bob(), quick_setup.clone())).await;
    assert_eq!(administrators(&organization, &SSM).await.len(), 1);
    assert_eq!(administrators(&organization, &quick_setup).await, []);
}

// 8. Partitions

/// Asserts that ARNs contain their partition.
#[tokio::test(start_paused = true)]
async fn call_in_each_partition_reports_its_arns() {
    for partition in [Partition::AWS, Partition::AWS_CN, Partition::AWS_US_GOV, Partition::AWS_EUSC] {
        let start = organization().partition(partition.clone()).service_linked_role(&DISCOVERY);
        let organization = start.data_sync(management(), home(), organization_sync("it")).build();
        let client = organization.management_client();
        let task = client.delete_service_linked_role(&ROLE).await.unwrap();
        tokio::time::advance(Duration::from_secs(10)).await;
        let DeletionStatus::Failed { usage, .. } = client.get_service_linked_role_deletion_status(&task).await.unwrap()
        else {
            panic!("the role is not in use");
        };
        let arn = format!("arn:{partition}:ssm:{HOME}:111111111111:resource-data-sync/it");
        assert_eq!(usage[0].resources, [arn]);
        let denied = client.without_permission("iam:GetRole");
        let error = denied.get_role(&ROLE).await.unwrap_err();
        assert!(error.message().unwrap().starts_with(&format!("User: arn:{partition}:iam::")), "{error}");
        assert_eq!(organization.state(), sim::SimOrganizationBuilder::from(organization.state()).build().state());
    }
}

// Undocumented behavior: each setting with each of its values

#[tokio::test]
async fn enable_or_disable_twice_follows_the_setting() {
    for repetition in RepeatedWrite::ALL {
        let start =
            || organization().undocumented_behavior(setting(|undocumented| undocumented.repeated_write = *repetition));
        for (organization, ask) in
            [(start().trusted_access_for(&SSM).build(), Enable(SSM)), (start().build(), Disable(SSM))]
        {
            if *repetition == RepeatedWrite::Refused {
                refused(&organization, management(), &ask, "ConstraintViolationException", None).await;
            } else {
                let before = organization.state();
                done(&organization, management(), &ask).await;
                assert_eq!(organization.state(), before, "the date is unchanged");
            }
        }
    }
}

#[tokio::test]
async fn register_without_trusted_access_follows_the_setting() {
    for position in RegisterWithoutTrust::ALL {
        let set = || setting(|undocumented| undocumented.register_without_trust = *position);
        let organization = organization().undocumented_behavior(set()).build();
        let ask = Register(alice(), SSM);
        let (code, reason) = match position {
            RegisterWithoutTrust::ServiceAccessNotEnabled => {
                ("ConstraintViolationException", "SERVICE_ACCESS_NOT_ENABLED")
            }
            RegisterWithoutTrust::UnrecognizedServicePrincipal => {
                ("InvalidInputException", "UNRECOGNIZED_SERVICE_PRINCIPAL")
            }
            _ => ("", ""),
        };
        if code.is_empty() {
            done(&organization, management(), &ask).await;
            assert_eq!(organization.administrators(), [alice()]);
            assert_eq!(organization.is_trusted(&SSM), *position == RegisterWithoutTrust::Enables);
        } else {
            refused(&organization, management(), &ask, code, Some(reason)).await;
        }
        // The organization has only consolidated billing.
        let billing = trusting().feature_set(FeatureSet::ConsolidatedBilling).undocumented_behavior(set()).build();
        let (code, reason) = match position {
            RegisterWithoutTrust::UnrecognizedServicePrincipal => (code, reason),
            _ => ("ConstraintViolationException", "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"),
        };
        refused(&billing, management(), &ask, code, Some(reason)).await;
    }
}

#[tokio::test]
async fn register_second_administrator_follows_the_setting() {
    for position in SecondAdministrator::ALL {
        let organization = delegated()
            .undocumented_behavior(setting(|undocumented| undocumented.second_administrator = *position))
            .build();
        let ask = Register(bob(), SSM);
        let reason = match position {
            SecondAdministrator::LimitExceeded => "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED",
            SecondAdministrator::Exists => "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE",
            _ => {
                done(&organization, management(), &ask).await;
                assert_eq!(organization.administrators(), [alice(), bob()]);
                continue;
            }
        };
        let error = refused(&organization, management(), &ask, "ConstraintViolationException", Some(reason)).await;
        let says_to_deregister = error.message().unwrap().contains("must first deregister");
        assert_eq!(says_to_deregister, *position == SecondAdministrator::Exists, "{error}");
    }
}

#[tokio::test]
async fn disable_with_administrators_follows_the_setting() {
    for position in DisableWithAdministrators::ALL {
        for deletes in [true, false] {
            let set = setting(|undocumented| {
                undocumented.disable_with_administrators = *position;
                undocumented.deregistering_deletes_syncs = deletes;
            });
            let start = ready()
                .delegated_administrator(bob())
                .trusted_access_for(&config())
                .delegated_administrator_for(&config(), alice());
            let organization =
                start.data_sync(alice(), home(), organization_sync("it")).undocumented_behavior(set).build();
            if *position == DisableWithAdministrators::Refused {
                let reason = Some("DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE");
                refused(&organization, management(), &Disable(SSM), "ConstraintViolationException", reason).await;
                continue;
            }
            done(&organization, management(), &Disable(SSM)).await;
            assert!(!organization.is_trusted(&SSM));
            let gone = *position == DisableWithAdministrators::Deregisters;
            assert_eq!(organization.administrators().is_empty(), gone);
            assert_eq!(
                administrators(&organization, &config()).await.len(),
                1,
                "administrators of other services stay"
            );
            // An implied deregistration affects syncs like an explicit one.
            let left = organization.data_syncs(alice(), &home());
            assert_eq!(left.is_empty(), gone && deletes);
            assert!(left.iter().all(|sync| sync.state == SyncState::TrustedAccessDisabled));
        }
    }
}

#[tokio::test]
async fn deregister_without_trusted_access_follows_the_setting() {
    for position in DeregisterWithoutTrust::ALL {
        let start = organization().delegated_administrator(alice());
        let set = setting(|undocumented| undocumented.deregister_without_trust = *position);
        let organization = start.undocumented_behavior(set).build();
        let ask = Deregister(alice(), SSM);
        if *position == DeregisterWithoutTrust::Refused {
            let reason = Some("SERVICE_ACCESS_NOT_ENABLED");
            refused(&organization, management(), &ask, "ConstraintViolationException", reason).await;
            organization.enable_trusted_access(&SSM);
        }
        done(&organization, management(), &ask).await;
        assert!(organization.administrators().is_empty());
    }
}

#[tokio::test]
async fn write_with_unrecognized_principal_follows_the_setting() {
    for recognized in [true, false] {
        let set = setting(|undocumented| undocumented.systems_manager_is_recognized = recognized);
        let organization = organization().partition(Partition::AWS_CN).undocumented_behavior(set).build();
        for ask in [Enable(SSM), Register(alice(), SSM), Deregister(alice(), SSM), Disable(SSM)] {
            if recognized {
                done(&organization, management(), &ask).await;
            } else {
                let reason = Some("UNRECOGNIZED_SERVICE_PRINCIPAL");
                refused(&organization, management(), &ask, "InvalidInputException", reason).await;
            }
        }
        done(&organization, management(), &Enable(config())).await;
    }
}

#[tokio::test]
async fn list_without_all_features_follows_the_setting() {
    for needs in [true, false] {
        let set = setting(|undocumented| undocumented.listing_needs_all_features = needs);
        let organization = trusting().feature_set(FeatureSet::ConsolidatedBilling).undocumented_behavior(set).build();
        if needs {
            let reason = Some("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE");
            refused(&organization, management(), &OperationCall::Trusted(None), "ConstraintViolationException", reason)
                .await;
        } else {
            assert_eq!(trusted(&organization).await.len(), 1);
        }
        assert_eq!(administrators(&organization, &SSM).await, []);
    }
}

#[tokio::test]
async fn enable_without_role_follows_the_setting() {
    for makes in [true, false] {
        for start in [organization(), organization().service_linked_role(&DISCOVERY)] {
            let organization =
                start.undocumented_behavior(setting(|undocumented| undocumented.enabling_makes_role = makes)).build();
            let before = organization.management_client().get_role(&ROLE).await.unwrap();
            done(&organization, management(), &Enable(config())).await;
            assert_eq!(
                organization.management_client().get_role(&ROLE).await.unwrap(),
                before,
                "enabling another service creates no role"
            );
            done(&organization, management(), &Enable(SSM)).await;
            let after = organization.management_client().get_role(&ROLE).await.unwrap();
            if before.is_some() {
                assert_eq!(after, before, "an existing role is unchanged");
            } else {
                assert_eq!(after.is_some(), makes);
            }
        }
    }
}

#[tokio::test]
async fn deregister_with_syncs_follows_the_setting() {
    let elsewhere = region("us-east-1");
    for (deletes, spared, left) in
        [(true, None, [0, 0]), (true, Some(elsewhere.clone()), [0, 1]), (false, None, [1, 1])]
    {
        let set = setting(|undocumented| {
            undocumented.deregistering_deletes_syncs = deletes;
            undocumented.deregistering_spares.extend(spared);
        });
        let start = ready().data_sync(alice(), home(), organization_sync("it")).undocumented_behavior(set);
        let organization = start.data_sync(alice(), elsewhere.clone(), organization_sync("it")).build();
        done(&organization, management(), &Deregister(alice(), SSM)).await;
        let remain = [home(), elsewhere.clone()].map(|place| organization.data_syncs(alice(), &place).len());
        assert_eq!(remain, left);
    }
}

#[tokio::test]
async fn enable_with_unhealthy_syncs_follows_the_setting() {
    for recover in [true, false] {
        let mut odd = organization_sync("odd");
        odd.state = SyncState::Other("Tired".to_owned());
        let start = trusting().service_linked_role(&DISCOVERY).data_sync(management(), home(), organization_sync("it"));
        let organization =
            start.undocumented_behavior(setting(|undocumented| undocumented.syncs_recover = recover)).build();
        done(&organization, management(), &Disable(SSM)).await;
        organization.add_data_sync(bob(), home(), odd);
        done(&organization, management(), &Enable(SSM)).await;
        let state = if recover { SyncState::Healthy } else { SyncState::TrustedAccessDisabled };
        assert_eq!(state_of_the_sync(&organization, management()).await, state);
        assert_eq!(state_of_the_sync(&organization, bob()).await, SyncState::Other("Tired".to_owned()));
    }
}

#[tokio::test]
async fn create_sync_without_prerequisite_follows_the_setting() {
    for position in SyncWithoutPrerequisites::ALL {
        let set = || setting(|undocumented| undocumented.sync_without_prerequisites = *position);
        for (start, state) in [
            (organization().service_linked_role(&DISCOVERY), SyncState::TrustedAccessDisabled),
            (trusting(), SyncState::NoPermissions),
        ] {
            let organization = start.undocumented_behavior(set()).build();
            let ask = Create(of_all("it"));
            if *position == SyncWithoutPrerequisites::Refused {
                refused(&organization, management(), &ask, INVALID, None).await;
                continue;
            }
            done(&organization, management(), &ask).await;
            assert_eq!(state_of_the_sync(&organization, management()).await, state);
            done(&organization, management(), &Update(of_all("it"))).await;
            if state == SyncState::NoPermissions {
                done(&organization, management(), &OperationCall::CreateRole(DISCOVERY)).await;
                assert_eq!(
                    state_of_the_sync(&organization, management()).await,
                    SyncState::Healthy,
                    "the sync is healthy with the role"
                );
            } else {
                done(&organization, management(), &Enable(SSM)).await;
                assert_eq!(
                    state_of_the_sync(&organization, management()).await,
                    state,
                    "the sync stays unhealthy until it is recreated"
                );
            }
        }
    }
}

#[tokio::test]
async fn create_organization_sync_by_member_follows_the_setting() {
    for position in MemberSync::ALL {
        let set = setting(|undocumented| undocumented.member_sync = *position);
        let organization =
            ready().undocumented_behavior(set).data_sync(bob(), home(), organization_sync("old")).build();
        let code = match position {
            MemberSync::AccessDenied => "AccessDeniedException",
            _ => INVALID,
        };
        refused(&organization, bob(), &Create(of_all("it")), code, None).await;
        refused(&organization, bob(), &Update(of_all("old")), code, None).await;
        refused(&organization, outside(), &Create(of_all("it")), code, None).await;
    }
}

#[tokio::test]
async fn create_beyond_quota_of_type_follows_the_setting() {
    for shared in [true, false] {
        let set = setting(|undocumented| undocumented.sync_quota_is_shared = shared);
        let start = (0..4).fold(ready(), |start, number| {
            start.data_sync_of_type(TO_DESTINATION, management(), home(), inventory(&format!("inventory-{number}")))
        });
        let organization = start.undocumented_behavior(set).build();
        let room = if shared { 1 } else { 5 };
        for number in 0..room {
            done(&organization, management(), &Create(of_all(&number.to_string()))).await;
        }
        refused(&organization, management(), &Create(of_all("more")), "ResourceDataSyncCountExceededException", None)
            .await;
    }
}

#[tokio::test]
async fn list_syncs_with_booleans_follows_the_setting() {
    for shown in [true, false] {
        let set = setting(|undocumented| undocumented.sync_booleans_are_shown = shown);
        let organization = ready().undocumented_behavior(set).build();
        done(&organization, management(), &Create(of_all("it").including_future_regions())).await;
        let sync = &syncs(&organization, management()).await[0];
        assert_eq!(sync.future_regions, shown.then_some(true));
        assert_eq!(sync.all_ops_data_sources, shown.then_some(false));
    }
}

#[tokio::test]
async fn create_role_twice_follows_the_setting() {
    for position in DuplicateRole::ALL {
        let set = setting(|undocumented| undocumented.duplicate_role = *position);
        let organization = organization().service_linked_role(&DISCOVERY).undocumented_behavior(set).build();
        let code = match position {
            DuplicateRole::InvalidInput => "InvalidInput",
            _ => "EntityAlreadyExists",
        };
        refused(&organization, management(), &OperationCall::CreateRole(DISCOVERY), code, None).await;
    }
}

#[tokio::test(start_paused = true)]
async fn delete_role_with_syncs_of_others_follows_the_setting() {
    for serves_all in [true, false] {
        let set = setting(|undocumented| undocumented.role_serves_all_syncs = serves_all);
        let start =
            organization().service_linked_role(&DISCOVERY).data_sync(alice(), home(), organization_sync("theirs"));
        // A sync outside the organization never blocks the deletion.
        let organization =
            start.data_sync(outside(), home(), organization_sync("it")).undocumented_behavior(set).build();
        let client = organization.management_client();
        let task = client.delete_service_linked_role(&ROLE).await.unwrap();
        tokio::time::advance(Duration::from_secs(10)).await;
        let status = client.get_service_linked_role_deletion_status(&task).await.unwrap();
        if serves_all {
            let DeletionStatus::Failed { usage, .. } = status else { panic!("{status:?}") };
            assert_eq!(usage[0].resources, [format!("arn:aws:ssm:{HOME}:222222222222:resource-data-sync/theirs")]);
        } else {
            assert_eq!(status, DeletionStatus::Succeeded);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn delete_role_with_single_account_sync_follows_the_setting() {
    for serves in [true, false] {
        let set = setting(|undocumented| undocumented.role_serves_single_accounts = serves);
        let organization = organization()
            .service_linked_role(&DISCOVERY)
            .data_sync(management(), home(), single("own"))
            // Syncs of other accounts and of Inventory never block the deletion.
            .data_sync(alice(), home(), single("theirs"))
            .data_sync_of_type(TO_DESTINATION, management(), home(), inventory("inventory"))
            .undocumented_behavior(set)
            .build();
        let client = organization.management_client();
        let task = client.delete_service_linked_role(&ROLE).await.unwrap();
        tokio::time::advance(Duration::from_secs(10)).await;
        let status = client.get_service_linked_role_deletion_status(&task).await.unwrap();
        if serves {
            let DeletionStatus::Failed { usage, .. } = status else { panic!("{status:?}") };
            assert_eq!(usage[0].resources, [format!("arn:aws:ssm:{HOME}:111111111111:resource-data-sync/own")]);
        } else {
            assert_eq!(status, DeletionStatus::Succeeded);
        }
    }
}

/// Asserts that every setting is listed. A new setting or value needs a test above.
#[test]
fn debug_of_undocumented_behavior_lists_every_setting() {
    let text = format!("{:?}", UndocumentedBehavior::default());
    let names: Vec<&str> = text
        .trim_start_matches("UndocumentedBehavior { ")
        .split(", ")
        .filter_map(|field| field.split_once(": "))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        names,
        [
            "repeated_write",
            "register_without_trust",
            "second_administrator",
            "disable_with_administrators",
            "deregister_without_trust",
            "reasons",
            "reason_fields",
            "systems_manager_is_recognized",
            "trust_only_services_are_recognized",
            "listing_needs_all_features",
            "enabling_makes_role",
            "deregistering_deletes_syncs",
            "deregistering_spares",
            "syncs_recover",
            "sync_without_prerequisites",
            "member_sync",
            "sync_quota_is_shared",
            "sync_booleans_are_shown",
            "duplicate_role",
            "role_deletions_fail_without_reason",
            "role_serves_all_syncs",
            "role_serves_single_accounts",
        ]
    );
    let positions = [
        RepeatedWrite::ALL.len(),
        RegisterWithoutTrust::ALL.len(),
        SecondAdministrator::ALL.len(),
        DisableWithAdministrators::ALL.len(),
        DeregisterWithoutTrust::ALL.len(),
        SyncWithoutPrerequisites::ALL.len(),
        MemberSync::ALL.len(),
        DuplicateRole::ALL.len(),
    ];
    assert_eq!(positions, [2, 4, 3, 3, 2, 2, 2, 2]);
}
