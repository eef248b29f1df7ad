//! AWS's rules in the embedded organization: one test or one row of a table for each, in the order in which AWS's documents were read.
//!
//! Every rule names its document, so that a reader can tick it off. "API" is the API reference of the service, as its models have it.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{
    SSM, account, alice, bob, delegated, management, organization, organization_sync, region, trusting,
};
use ssm_organizations::ports::{
    AccountState, DataSync, DelegatedAdministrator, DeletionStatus, EnabledService, FeatureSet, IamApi, Operation,
    OrganizationalUnits, OrganizationsApi, Page, RoleUsage, SourceRegions, StsApi, SyncDefinition, SyncSource,
    SyncSourceType, SyncState, SyncType, SystemsManagerApi,
};
use ssm_organizations::sim::{
    self, DeregisterUntrusted, DisableAdministered, DuplicateRole, RegisterUntrusted, Repetition, SecondAdministrator,
    SyncOfAMember, Undocumented, UnreadySync,
};
use ssm_organizations::{
    AccountId, Applied, DeletionTaskId, Error, ErrorKind, OrganizationId, OrganizationalUnitId, PageToken, Partition,
    Region, RoleName, ServicePrincipal, SyncName,
};

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

/// A sync of Inventory's kind.
fn inventory(text: &str) -> DataSync {
    DataSync::new(name(text), None)
}

/// All that a sync of the organization needs, in the management account and with Alice.
fn ready() -> sim::Builder {
    delegated().role_for(&DISCOVERY)
}

fn setting(set: impl FnOnce(&mut Undocumented)) -> Undocumented {
    let mut undocumented = Undocumented::default();
    set(&mut undocumented);
    undocumented
}

/// A call, to be made by some account.
#[derive(Debug, Clone)]
enum Ask {
    Organization,
    Account(AccountId),
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

use Ask::{Create, Delete, DeleteRole, Deregister, Disable, Enable, Register, Update};

impl Ask {
    /// One for each operation, none of which is wrong in itself.
    fn every() -> Vec<Self> {
        vec![
            Self::Organization,
            Self::Account(bob()),
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

    async fn of(&self, client: &sim::Client) -> Result<(), Error> {
        match self {
            Self::Organization => client.describe_organization().await.map(drop),
            Self::Account(account) => client.describe_account(account).await.map(drop),
            Self::Trusted(token) => client.list_aws_service_access_for_organization(token.clone()).await.map(drop),
            Enable(principal) => client.enable_aws_service_access(principal).await,
            Disable(principal) => client.disable_aws_service_access(principal).await,
            Self::Administrators(principal, token) => {
                client.list_delegated_administrators(principal, token.clone()).await.map(drop)
            }
            Register(account, principal) => client.register_delegated_administrator(account, principal).await,
            Deregister(account, principal) => client.deregister_delegated_administrator(account, principal).await,
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

/// A refused call: AWS's code and reason. It is there to be asked for its message.
async fn refused(
    organization: &sim::Organization,
    caller: AccountId,
    ask: &Ask,
    code: &str,
    reason: Option<&str>,
) -> Error {
    let before = organization.snapshot();
    let error = ask.of(&organization.client(caller)).await.expect_err(&format!("{ask:?} as {caller} is refused"));
    assert_eq!((error.code(), error.reason()), (Some(code), reason), "{ask:?} as {caller}: {error}");
    assert_eq!(error.applied(), Applied::No, "{ask:?} as {caller}");
    assert_eq!(organization.snapshot(), before, "{ask:?} as {caller} changed nothing");
    error
}

async fn done(organization: &sim::Organization, caller: AccountId, ask: &Ask) {
    ask.of(&organization.client(caller)).await.unwrap_or_else(|error| panic!("{ask:?} as {caller}: {error}"));
}

/// A rule that a call of the management account breaks, and AWS's answer.
struct Broken {
    rule: &'static str,
    start: sim::Builder,
    caller: AccountId,
    ask: Ask,
    code: &'static str,
    reason: Option<&'static str>,
    message: &'static str,
}

fn broken(rule: &'static str, start: sim::Builder, ask: Ask, code: &'static str) -> Broken {
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

async fn trusted(organization: &sim::Organization) -> Vec<EnabledService> {
    let page = organization.management_client().list_aws_service_access_for_organization(None).await.unwrap();
    assert_eq!(page.next, None);
    page.items
}

async fn administrators(organization: &sim::Organization, principal: &ServicePrincipal) -> Vec<DelegatedAdministrator> {
    let page = organization.management_client().list_delegated_administrators(principal, None).await.unwrap();
    assert_eq!(page.next, None);
    page.items
}

async fn syncs(organization: &sim::Organization, caller: AccountId) -> Vec<DataSync> {
    let client = organization.client(caller);
    let page = client.list_resource_data_sync(&home(), FROM_SOURCE, None).await.unwrap();
    assert_eq!(page.next, None);
    page.items
}

async fn state_of_the_sync(organization: &sim::Organization, caller: AccountId) -> SyncState {
    let [sync] = &syncs(organization, caller).await[..] else { panic!("one sync") };
    let [shown] = &organization.data_syncs(caller, &home())[..] else { panic!("one sync") };
    assert_eq!(shown.state, sync.state, "whoever arranges a test sees what the listing shows");
    sync.state.clone()
}

// 1.1 Organizations

/// Organizations API: the patterns of `ServicePrincipal`, `AccountId`, `NextToken`, `OrganizationId`, `OrganizationalUnitId`. Systems
/// Manager API: `SyncName`. IAM API: `RoleName`, `DeletionTaskId`.
#[test]
fn a_text_that_aws_would_refuse_for_its_form_makes_no_call() {
    fn check<T>(
        what: &str,
        parse: impl Fn(String) -> Result<T, ssm_organizations::InvalidIdentifier>,
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
    check("Region", Region::new, &sized(&[1, 64]), &sized(&[0, 65]));
}

/// Systems Manager API: 1 to 1,000 units; at least one Region.
#[test]
fn a_source_has_a_region_and_at_most_a_thousand_units() {
    let many = |count: u64| OrganizationalUnits::new((0..count).map(|number| unit(&format!("ou-root-{number:08}"))));
    assert!(many(1).is_ok() && many(1_000).is_ok());
    for refusal in [many(0).unwrap_err(), many(1_001).unwrap_err(), SourceRegions::new([]).unwrap_err()] {
        assert_eq!(refusal.kind(), &ErrorKind::InvalidInput);
    }
}

/// Organizations API, every `List*`: pages of at most 20, and an empty one may have a token.
#[tokio::test]
async fn listings_come_in_pages_of_any_size_and_some_are_empty() {
    let services: Vec<_> = (0..25).map(|number| principal(&format!("service-{number:02}.amazonaws.com"))).collect();
    let start = || services.iter().fold(organization(), sim::Builder::trusting);
    for (start, sizes) in [
        (start(), vec![20, 5]),
        (start().page_size(10), vec![10, 10, 5]),
        (start().page_size(25), vec![25]),
        (start().page_size(0), vec![1; 25]),
        (start().page_size(usize::MAX).empty_pages(), vec![0, 25]),
        (start().page_size(10).empty_pages(), vec![0, 10, 10, 5]),
        (organization().empty_pages(), vec![0, 0]),
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
        assert!(listed.is_empty() || listed == services, "every one once, in order");
    }
}

/// The other two listings are cut by the same rule.
#[tokio::test]
async fn administrators_and_syncs_come_in_pages_too() {
    let start = trusting().delegated_to(alice()).delegated_to(bob()).page_size(1);
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

/// Organizations API, `InvalidInputException`, and Systems Manager API, `InvalidNextToken`: a token is good for its own listing.
#[tokio::test]
async fn a_token_that_the_listing_did_not_hand_out_is_refused() {
    let start = || organization().trusting(&SSM).trusting(&config()).page_size(1);
    let page = start().build().management_client().list_aws_service_access_for_organization(None).await.unwrap();
    let tokens =
        [page.next.unwrap(), PageToken::new("made-up").unwrap(), PageToken::new("ListResourceDataSync-").unwrap()];
    for (at, token) in tokens.into_iter().enumerate() {
        let token = Some(token);
        let organization = start().build();
        let reason = Some("INVALID_NEXT_TOKEN");
        let ask = Ask::Administrators(SSM, token.clone());
        refused(&organization, management(), &ask, "InvalidInputException", reason).await;
        if at > 0 {
            let ask = Ask::Trusted(token.clone());
            refused(&organization, management(), &ask, "InvalidInputException", reason).await;
        }
        let ask = Ask::Syncs(token);
        refused(&organization, management(), &ask, "InvalidNextToken", None).await;
    }
}

/// Organizations API, "This operation can be called only from …" of each operation. Systems Manager, IAM, STS: each account for itself.
#[tokio::test]
async fn who_may_call_what() {
    let other = config();
    let carol = account("444444444444");
    let start = || {
        let single = single("old");
        let accounts = [management(), alice(), bob(), carol, outside()];
        let start = delegated().member(carol).trusting(&config()).delegated_for(&config(), carol);
        accounts.into_iter().fold(start, |start, account| start.data_sync(account, home(), single.clone()))
    };
    let callers = [management(), alice(), carol, bob(), outside()];
    for ask in Ask::every() {
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
                    // They are refused for what they ask, and not for who asks.
                    Disable(_) | Register(..) => "ConstraintViolationException",
                    Deregister(..) => "AccountNotRegisteredException",
                    DeleteRole(_) | Ask::Deletion(_) => "NoSuchEntity",
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
    // Deregistered from its last service, an account may read no longer.
    let organization = start().build();
    done(&organization, carol, &Ask::Trusted(None)).await;
    done(&organization, management(), &Deregister(carol, other)).await;
    refused(&organization, carol, &Ask::Trusted(None), "AccessDeniedException", None).await;
}

/// Organizations API, `DescribeOrganization`.
#[tokio::test]
async fn the_organization_is_shown_as_it_is() {
    for (feature_set, partition) in
        [(FeatureSet::All, Partition::AWS_CN), (FeatureSet::ConsolidatedBilling, Partition::AWS_US_GOV)]
    {
        let id: OrganizationId = "o-1234567890".parse().unwrap();
        let start = sim::Organization::builder().id(id.clone()).management(bob()).member(alice());
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

/// Organizations API, `Account.State`; `RegisterDelegatedAdministrator`: a suspended account cannot be registered.
#[tokio::test]
async fn an_account_is_shown_in_its_state_and_only_an_active_one_is_registered() {
    for state in states() {
        let organization = trusting().member_in(alice(), state.clone()).build();
        let client = organization.management_client();
        let shown = client.describe_account(&alice()).await.unwrap();
        assert_eq!((shown.id, shown.state.as_ref()), (alice(), Some(&state)));
        assert_eq!(AccountState::from(state.as_str()), state);
        let register = Register(alice(), SSM);
        if state == AccountState::Active {
            done(&organization, management(), &register).await;
        } else {
            let reason = "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR";
            refused(&organization, management(), &register, "ConstraintViolationException", Some(reason)).await;
        }

        // One that was registered before stays, is shown in its state, and can be deregistered.
        let organization = delegated().build();
        organization.set_member(alice(), state.clone());
        let [shown] = &administrators(&organization, &SSM).await[..] else { panic!("one administrator") };
        assert_eq!((shown.account, shown.state.as_ref()), (alice(), Some(&state)));
        done(&organization, management(), &Deregister(alice(), SSM)).await;
        assert!(organization.administrators().is_empty());
    }
    let own = organization().build().management_client().describe_account(&management()).await.unwrap();
    assert_eq!(own.state, Some(AccountState::Active), "the management account is an account of the organization");
}

/// Organizations API: `AccountNotFoundException` of the operations that take an account.
#[tokio::test]
async fn an_account_outside_is_not_found() {
    for start in [organization(), trusting(), delegated()] {
        let organization = start.build();
        for ask in [Ask::Account(outside()), Register(outside(), SSM), Deregister(outside(), SSM)] {
            let error = refused(&organization, management(), &ask, "AccountNotFoundException", None).await;
            assert_eq!(error.message(), Some("You specified an account that doesn't exist."));
        }
    }
}

/// Organizations API: registering and deregistering are not idempotent. Nothing is said of enabling and disabling: see the switches.
#[tokio::test]
async fn registering_and_deregistering_again_is_refused() {
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
    // Registered for another service is not registered for this one.
    let organization = trusting().trusting(&config()).delegated_for(&config(), alice()).build();
    refused(&organization, management(), &Deregister(alice(), SSM), "AccountNotRegisteredException", None).await;
}

/// Organizations API: `DateEnabled` and `DelegationEnabledDate`.
#[tokio::test(start_paused = true)]
async fn trust_and_delegations_are_dated_and_no_two_are_alike() {
    let organization = organization().build();
    let mut dates = Vec::new();
    for _ in 0..3 {
        done(&organization, management(), &Enable(SSM)).await;
        done(&organization, management(), &Register(alice(), SSM)).await;
        dates.extend(trusted(&organization).await[0].since);
        dates.extend(administrators(&organization, &SSM).await[0].since);
        done(&organization, management(), &Deregister(alice(), SSM)).await;
        done(&organization, management(), &Disable(SSM)).await;
        tokio::time::advance(Duration::from_secs(5)).await;
    }
    assert_eq!(dates.len(), 6);
    assert!(dates.is_sorted_by(|earlier, later| earlier < later), "{dates:?}");
    assert!(dates[2].duration_since(dates[0]).unwrap() > Duration::from_millis(4_990), "they follow the clock");
    assert!(dates[4].duration_since(dates[0]).unwrap() < Duration::from_secs(11), "and nothing else");
}

// 1.2 Systems Manager

const TAKEN: &str = "ResourceDataSyncAlreadyExistsException";
const INVALID: &str = "ResourceDataSyncInvalidConfigurationException";
const UNKNOWN: &str = "ResourceDataSyncNotFoundException";

fn single(text: &str) -> DataSync {
    DataSync::new(name(text), Some(SyncSourceType::SingleAccountMultiRegions))
}

/// An organization in which this account has "it", in this Region.
fn with_it(owner: AccountId, place: &str) -> sim::Builder {
    ready().data_sync(owner, region(place), organization_sync("it"))
}

fn with_inventorys() -> sim::Builder {
    ready().data_sync_of_type(TO_DESTINATION, management(), home(), inventory("it"))
}

/// Systems Manager API, `CreateResourceDataSync`.
#[tokio::test]
async fn what_is_wrong_with_a_new_sync() {
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
    // Another Region and another account have their own names.
    done(&with_it(management(), "us-east-1").build(), management(), &Create(of_all("it"))).await;
    done(&with_it(management(), HOME).build(), alice(), &Create(of_all("it"))).await;
}

/// Systems Manager API, `UpdateResourceDataSync`: `SyncFromSource` alone, and "you can't change the account options".
#[tokio::test]
async fn what_is_wrong_with_an_update() {
    let units = with_it(management(), HOME).unit(unit("ou-root-11111111"));
    let of_another_source = ready().data_sync(management(), home(), single("it"));
    each_is_refused([
        broken("there is one", ready(), Update(of_all("it")), UNKNOWN).saying("\"it\""),
        broken("of one's own", with_it(alice(), HOME), Update(of_all("it")), UNKNOWN),
        broken("in this Region", with_it(management(), "us-east-1"), Update(of_all("it")), UNKNOWN),
        broken("of Explorer's type", with_inventorys(), Update(of_one("it")), UNKNOWN),
        broken("its source stays", with_it(management(), HOME), Update(of_one("it")), INVALID)
            .saying("account options"),
        broken("either way", of_another_source, Update(of_all("it")), INVALID).saying("account options"),
        broken("a unit exists", units, Update(of_unit("it", "ou-root-22222222")), INVALID),
    ])
    .await;
}

/// Systems Manager API, `DeleteResourceDataSync`.
#[tokio::test]
async fn what_is_wrong_with_a_deletion() {
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

/// Systems Manager API: what a sync is made of is what a listing shows, and an update replaces it but for its name and date.
#[tokio::test]
async fn a_sync_is_made_updated_listed_and_deleted() {
    let organization = ready().unit(unit("ou-root-11111111")).build();
    let client = organization.management_client();
    let everything = of_unit("it", "ou-root-11111111").including_future_regions().enabling_all_ops_data_sources();
    client.create_resource_data_sync(&home(), &everything).await.unwrap();
    let [made] = &syncs(&organization, management()).await[..] else { panic!("one sync") };
    assert_eq!((made.name.as_str(), &made.source_type), ("it", &Some(SyncSourceType::AwsOrganizations)));
    assert_eq!((&made.units[..], &made.regions[..]), (&[unit("ou-root-11111111")][..], &[home()][..]));
    assert_eq!(
        (made.future_regions, made.all_ops_data_sources, &made.state),
        (Some(true), Some(true), &SyncState::Healthy)
    );
    assert!(made.created.is_some() && made.created == made.modified);
    assert_eq!((&made.last_status, made.last_run, made.last_success), (&None, None, None), "it never runs");

    let elsewhere = SourceRegions::new([region("us-east-1")]).unwrap();
    client.update_resource_data_sync(&home(), &SyncDefinition::of_organization(name("it"), elsewhere)).await.unwrap();
    let [updated] = &syncs(&organization, management()).await[..] else { panic!("one sync") };
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
async fn each_listing_shows_its_own_syncs() {
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
    assert_eq!(organization.data_syncs(management(), &home()).len(), 2, "both types");
    done(&organization, management(), &Delete(name("inventory"), TO_DESTINATION)).await;
    assert_eq!(organization.data_syncs(management(), &home()).len(), 1);
}

/// Systems Manager API, `SyncSource.State`: each of the four, and none while all is well.
#[tokio::test]
async fn a_sync_says_what_it_lacks() {
    let sync = || organization_sync("it");
    let strange = || {
        let mut sync = organization_sync("it");
        sync.units = vec![unit("ou-root-99999999")];
        sync
    };
    let theirs = |start: sim::Builder| start.data_sync(management(), home(), sync()).build();
    for (organization, caller, state) in [
        (theirs(ready()), management(), SyncState::Healthy),
        (theirs(trusting()), management(), SyncState::NoPermissions),
        (theirs(organization().role_for(&DISCOVERY)), management(), SyncState::TrustedAccessDisabled),
        (
            ready().data_sync(management(), home(), strange()).build(),
            management(),
            SyncState::InvalidOrganizationalUnit,
        ),
        (ready().data_sync(outside(), home(), sync()).build(), outside(), SyncState::OrganizationNotExists),
    ] {
        assert_eq!(state_of_the_sync(&organization, caller).await, state);
    }
    // A sync that is no concern of the organization lacks nothing, and a state that AWS showed stays.
    let single = single("it");
    let organization = organization().data_sync(outside(), home(), single).build();
    assert_eq!(state_of_the_sync(&organization, outside()).await, SyncState::Healthy);
    let mut odd = organization_sync("it");
    odd.state = SyncState::Other("Tired".to_owned());
    let organization = crate::common::organization().data_sync(management(), home(), odd).build();
    assert_eq!(state_of_the_sync(&organization, management()).await, SyncState::Other("Tired".to_owned()));
}

// 1.3 IAM and STS

/// IAM API: `GetRole`, `CreateServiceLinkedRole`. Systems Manager guide, "Using service-linked roles": principals, names and paths.
#[tokio::test]
async fn service_linked_roles_have_their_services_names_and_paths() {
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
            let ask = Ask::CreateRole(principal(service));
            let error = refused(&organization, caller, &ask, "InvalidInput", None).await;
            assert!(error.message().unwrap().contains(&format!("{role} has been taken in this account")), "{error}");
        }
    }
    assert!(!organization.has_role(bob(), &ROLE), "each account has its own");
    for unknown in ["config.amazonaws.com", "nobody"] {
        refused(&organization, management(), &Ask::CreateRole(principal(unknown)), "InvalidInput", None).await;
    }
}

/// IAM API: `DeleteServiceLinkedRole`, `GetServiceLinkedRoleDeletionStatus`.
#[tokio::test(start_paused = true)]
async fn a_role_is_deleted_in_the_background() {
    let organization = organization().role_for(&DISCOVERY).role_deletion(Duration::from_secs(30)).build();
    let client = organization.management_client();
    let id = client.get_role(&ROLE).await.unwrap().unwrap().id;

    let task = client.delete_service_linked_role(&ROLE).await.unwrap();
    let prefix =
        "task/aws-service-role/accountdiscovery.ssm.amazonaws.com/AWSServiceRoleForAmazonSSM_AccountDiscovery/";
    assert!(task.as_str().starts_with(prefix), "{task}");
    tokio::time::advance(Duration::from_secs(29)).await;
    assert_eq!(client.get_service_linked_role_deletion_status(&task).await.unwrap(), DeletionStatus::InProgress);
    assert_eq!(client.delete_service_linked_role(&ROLE).await.unwrap(), task, "the same task while one runs");
    assert!(organization.has_role(management(), &ROLE), "it is there to the end");
    let others = organization.client(outside());
    others.create_service_linked_role(&DISCOVERY).await.unwrap();
    assert_ne!(others.delete_service_linked_role(&ROLE).await.unwrap(), task, "another account's is another");
    refused(&organization, management(), &Ask::CreateRole(DISCOVERY), "InvalidInput", None).await;

    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(!organization.has_role(management(), &ROLE), "without any call");
    assert_eq!(client.get_service_linked_role_deletion_status(&task).await.unwrap(), DeletionStatus::Succeeded);
    assert_eq!(client.get_role(&ROLE).await.unwrap(), None);
    refused(&organization, management(), &DeleteRole(ROLE), "NoSuchEntity", None).await;

    // The next one of the name is another role, and its deletion another task.
    assert_ne!(client.create_service_linked_role(&DISCOVERY).await.unwrap().id, id);
    assert_ne!(client.delete_service_linked_role(&ROLE).await.unwrap(), task);
    assert_eq!(client.get_service_linked_role_deletion_status(&task).await.unwrap(), DeletionStatus::Succeeded);
    // A task is its account's own, and made-up ones are nobody's.
    refused(&organization, alice(), &Ask::Deletion(task), "NoSuchEntity", None).await;
    let made_up = DeletionTaskId::new(format!("{prefix}1")).unwrap();
    refused(&organization, management(), &Ask::Deletion(made_up), "NoSuchEntity", None).await;
}

/// Systems Manager guide, "Using service-linked roles" (delete Explorer's syncs first); Organizations guide (disable trusted access first).
#[tokio::test(start_paused = true)]
async fn a_role_in_use_stays() {
    async fn end_of(organization: &sim::Organization, owner: AccountId, role: &RoleName) -> DeletionStatus {
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

    // By trusted access, and then by nothing.
    let organization = trusting().role_for(&DISCOVERY).data_sync(alice(), home(), single("single")).build();
    assert_eq!(end_of(&organization, management(), &ROLE).await, in_use(vec![]));
    organization.distrust(&SSM);
    assert_eq!(end_of(&organization, management(), &ROLE).await, DeletionStatus::Succeeded);

    // By the organization's syncs of every account, Region by Region.
    let organization = crate::common::organization()
        .role_for(&DISCOVERY)
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

    // A member's by its own, while it is a member.
    organization.client(alice()).create_service_linked_role(&DISCOVERY).await.unwrap();
    let usage = vec![RoleUsage::new(Some(home()), vec![arn(alice(), HOME, "theirs")])];
    assert_eq!(end_of(&organization, alice(), &ROLE).await, in_use(usage));
    organization.trust(&SSM);
    for (owner, status) in [(bob(), in_use(vec![])), (outside(), DeletionStatus::Succeeded)] {
        organization.client(owner).create_service_linked_role(&DISCOVERY).await.unwrap();
        assert_eq!(end_of(&organization, owner, &ROLE).await, status);
    }
    // Another role is not concerned.
    organization.management_client().create_service_linked_role(&SSM).await.unwrap();
    let other: RoleName = "AWSServiceRoleForAmazonSSM".parse().unwrap();
    assert_eq!(end_of(&organization, management(), &other).await, DeletionStatus::Succeeded);
}

/// Whether a role is in use is judged when its deletion is due, and neither before nor whenever somebody asks.
#[tokio::test(start_paused = true)]
async fn what_uses_a_role_counts_at_the_end_of_its_deletion() {
    let organization = trusting().role_for(&DISCOVERY).build();
    let client = organization.management_client();
    let task = client.delete_service_linked_role(&ROLE).await.unwrap();
    tokio::time::advance(Duration::from_secs(9)).await;
    organization.distrust(&SSM);
    tokio::time::advance(Duration::from_secs(1)).await;
    organization.trust(&SSM);
    assert_eq!(client.get_service_linked_role_deletion_status(&task).await.unwrap(), DeletionStatus::Succeeded);

    client.create_service_linked_role(&DISCOVERY).await.unwrap();
    let task = client.delete_service_linked_role(&ROLE).await.unwrap();
    tokio::time::advance(Duration::from_secs(10)).await;
    organization.distrust(&SSM);
    let status = client.get_service_linked_role_deletion_status(&task).await.unwrap();
    assert!(matches!(status, DeletionStatus::Failed { .. }), "{status:?}");
}

/// STS API: `GetCallerIdentity` needs no permission and no organization.
#[tokio::test]
async fn everybody_may_ask_who_they_are() {
    let organization = organization().build();
    for caller in [management(), alice(), outside()] {
        let client = organization.client(caller).without_permission("sts:GetCallerIdentity");
        assert_eq!(client.get_caller_identity().await.unwrap().account, caller);
        assert_eq!(client.account(), caller);
    }
}

// 1.4 Quotas; the rates are in the tests of the weather.

/// Systems Manager quotas: five data syncs of an account in a Region.
#[tokio::test]
async fn there_are_five_syncs_of_an_account_in_a_region() {
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
    // Another account and another Region have five of their own.
    done(&organization, alice(), &Create(of_all("theirs"))).await;
    organization.management_client().create_resource_data_sync(&region("us-east-1"), &of_all("sixth")).await.unwrap();
    // One less, and there is room.
    done(&organization, management(), &Delete(name("0"), FROM_SOURCE)).await;
    done(&organization, management(), &Create(of_all("sixth"))).await;
}

/// Systems Manager guide, Explorer: one administrator for all of Systems Manager. Organizations guide: one for Quick Setup, five for
/// CloudFormation's stack sets. Other services are not counted.
#[tokio::test]
async fn a_service_has_so_many_administrators() {
    let limit = Some("MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED");
    for (service, most) in [
        ("ssm.amazonaws.com", Some(1)),
        ("ssm-quicksetup.amazonaws.com", Some(1)),
        ("member.org.stacksets.cloudformation.amazonaws.com", Some(5)),
        ("config.amazonaws.com", None),
    ] {
        let service = principal(service);
        let organization = organization().members(20).trusting(&service).build();
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

fn billing() -> sim::Builder {
    trusting().feature_set(FeatureSet::ConsolidatedBilling)
}

/// Organizations API, `ConstraintViolationException`: its reasons. The message about the limit is from AWS's knowledge centre; that disabling
/// is refused was seen of AWS for IAM.
fn broken_constraints() -> Vec<Broken> {
    let suspended = trusting().member_in(alice(), AccountState::Suspended);
    vec![
        broken("trusted access first", organization(), Register(alice(), SSM), CONSTRAINT)
            .because("SERVICE_ACCESS_NOT_ENABLED")
            .saying("Call the EnableAWSServiceAccess API first."),
        broken("of this very service", organization().trusting(&config()), Register(alice(), SSM), CONSTRAINT)
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

/// Organizations API, `InvalidInputException`: its reasons.
fn broken_inputs() -> Vec<Broken> {
    let unknown = || principal("nobody.example.com");
    let stranger = |rule, start: sim::Builder, ask| {
        broken(rule, start, ask, INPUT)
            .because("UNRECOGNIZED_SERVICE_PRINCIPAL")
            .saying("You specified an unrecognized service principal")
    };
    vec![
        stranger("a known principal, to enable", trusting(), Enable(unknown())),
        stranger("to disable", trusting(), Disable(unknown())),
        stranger("to register", trusting(), Register(alice(), unknown())),
        stranger("to deregister", delegated(), Deregister(alice(), unknown())),
        broken("a token of this listing", trusting(), Ask::Trusted(PageToken::new("x").ok()), INPUT)
            .because("INVALID_NEXT_TOKEN"),
    ]
}

/// Each with its reason; and, by a switch, without: emulators leave it out.
#[tokio::test]
async fn what_organizations_refuses_and_why() {
    for rules in [broken_constraints, broken_inputs] {
        each_is_refused(rules()).await;
        each_is_refused(rules().into_iter().map(|broken| {
            let start = broken.start.undocumented(setting(|undocumented| undocumented.reasons = false));
            Broken { start, reason: None, ..broken }
        }))
        .await;
    }
    // Without all features, what there is can still be taken away.
    let organization = billing().delegated_to(alice()).build();
    done(&organization, management(), &Deregister(alice(), SSM)).await;
    done(&organization, management(), &Disable(SSM)).await;
}

/// Organizations API, `AccessDeniedException`; IAM's own refusal names the action. A missing permission comes before everything else.
#[tokio::test]
async fn credentials_that_lack_an_action_are_refused_it_and_no_other() {
    let single = || single("old");
    for (at, ask) in Ask::every().into_iter().enumerate() {
        let operation = Operation::ALL[at];
        let action = operation.iam_action();
        for spelling in [action.clone(), action.to_ascii_lowercase()] {
            let organization = delegated().data_sync(management(), home(), single()).build();
            let client = organization.management_client().without_permission(spelling);
            let before = organization.snapshot();
            let result = ask.of(&client).await;
            assert_eq!(organization.calls()[0].operation, operation);
            if operation == Operation::GetCallerIdentity {
                result.unwrap();
                continue;
            }
            let error = result.unwrap_err();
            let code = if operation.service() == "iam" { "AccessDenied" } else { "AccessDeniedException" };
            assert_eq!(
                (error.code(), error.kind(), error.applied()),
                (Some(code), &ErrorKind::AccessDenied, Applied::No)
            );
            let message = error.message().unwrap();
            assert!(message.starts_with("User: arn:aws:iam::111111111111:"), "{message}");
            assert!(message.ends_with(&format!("is not authorized to perform: {action}")), "{message}");
            assert_eq!(organization.snapshot(), before);
        }
        // Any other action is not missed.
        let organization = delegated().data_sync(management(), home(), single()).build();
        let others = Operation::ALL.iter().filter(|other| **other != operation);
        let client = others
            .fold(organization.management_client(), |client, other| client.without_permission(other.iam_action()));
        let denied = ask.of(&client).await.is_err_and(|error| *error.kind() == ErrorKind::AccessDenied);
        assert!(!denied, "{operation}");
    }
}

// 3. Order

/// Explorer's guide and the Organizations guide: trusted access, the role, the administrator, the syncs, and all of it back.
#[tokio::test(start_paused = true)]
async fn the_documented_order_works_both_ways() {
    let organization = organization().build();
    let before = organization.snapshot();
    let us = management();
    done(&organization, us, &Enable(SSM)).await;
    done(&organization, us, &Ask::CreateRole(DISCOVERY)).await;
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
    assert_eq!(organization.snapshot(), before);
}

/// Explorer's guide: "the system deletes all AWS Organizations resource data syncs created by the delegated administrator".
#[tokio::test]
async fn deregistering_deletes_that_accounts_syncs_of_the_organization_in_every_region() {
    let single = single("single");
    let start = ready()
        .data_sync(alice(), home(), organization_sync("a"))
        .data_sync(alice(), region("us-east-1"), organization_sync("b"))
        .data_sync(alice(), home(), single)
        .data_sync_of_type(TO_DESTINATION, alice(), home(), inventory("inventory"))
        .data_sync(management(), home(), organization_sync("ours"));
    let organization = start.trusting(&config()).delegated_for(&config(), alice()).build();

    // Not with another service's delegation.
    done(&organization, management(), &Deregister(alice(), config())).await;
    assert_eq!(organization.data_syncs(alice(), &home()).len(), 3);
    done(&organization, management(), &Deregister(alice(), SSM)).await;
    let left = organization.data_syncs(alice(), &home());
    assert_eq!(left.iter().map(|sync| sync.name.as_str()).collect::<Vec<_>>(), ["inventory", "single"]);
    assert_eq!(organization.data_syncs(alice(), &region("us-east-1")), []);
    assert_eq!(organization.data_syncs(management(), &home()).len(), 1);
}

/// Organizations guide: with trusted access gone, "Systems Manager fails to synchronize operations data"; API: `TrustedAccessDisabled`;
/// "To re-enable trusted access, you must create a new Resource Data Sync".
#[tokio::test]
async fn disabling_fails_the_syncs_and_enabling_again_does_not_mend_them() {
    let single = single("single");
    let start = trusting().role_for(&DISCOVERY).trusting(&config());
    let organization =
        start.data_sync(management(), home(), organization_sync("old")).data_sync(bob(), home(), single).build();

    // Another service's trust is none of theirs.
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

/// Systems Manager guide, "Using service-linked roles": "you must create the role before you create the resource data sync".
#[tokio::test]
async fn a_sync_of_the_organization_needs_trusted_access_and_the_role() {
    let role = || organization().role_for(&DISCOVERY);
    let with = |start: sim::Builder| start.data_sync(management(), home(), organization_sync("it"));
    each_is_refused([
        broken("trusted access", role(), Create(of_all("it")), INVALID).saying("trusted access"),
        broken("the role", trusting(), Create(of_all("it")), INVALID).saying("role"),
        broken("for the administrator's, too", delegated(), Create(of_all("it")), INVALID).by(alice()).saying("role"),
        broken("and for an update", with(role()), Update(of_all("it")), INVALID).saying("trusted access"),
        broken("of either", with(trusting()), Update(of_all("it")), INVALID).saying("role"),
    ])
    .await;
    // One of a single account needs neither, nor to be in an organization.
    for caller in [management(), bob(), outside()] {
        done(&organization().build(), caller, &Create(of_one("it"))).await;
    }
}

/// Explorer's guide: the management account or the delegated administrator; in opt-in Regions the management account alone.
#[tokio::test]
async fn who_may_sync_the_organization_and_where() {
    let organization = ready().trusting(&config()).delegated_for(&config(), bob()).build();
    for caller in [bob(), outside()] {
        refused(&organization, caller, &Create(of_all("it")), "AccessDeniedException", None).await;
    }
    done(&organization, alice(), &Create(of_all("it"))).await;
    organization.delegate(bob());
    organization.undelegate(alice());
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
    // Which they are can be said.
    let organization = ready().opt_in_regions([home()]).build();
    let error = refused(&organization, alice(), &Create(of_all("it")), INVALID, None).await;
    assert!(error.message().unwrap().contains("opt-in Region"));
    organization.client(alice()).create_resource_data_sync(&region("me-south-1"), &of_all("it")).await.unwrap();
}

/// Organizations API: registering and deregistering concern the one service that they name.
#[tokio::test]
async fn other_services_keep_their_trust_and_their_administrators() {
    let quick_setup = principal("ssm-quicksetup.amazonaws.com");
    let companions = [config(), quick_setup.clone(), principal("member.org.stacksets.cloudformation.amazonaws.com")];
    let start = companions
        .iter()
        .fold(organization(), |start, companion| start.trusting(companion).delegated_for(companion, bob()));
    let organization = start.build();
    let before = organization.snapshot();
    done(&organization, management(), &Enable(SSM)).await;
    done(&organization, management(), &Register(alice(), SSM)).await;
    assert_eq!(trusted(&organization).await.len(), 4);
    assert_eq!(administrators(&organization, &SSM).await.len(), 1);
    for companion in &companions {
        let [administrator] = &administrators(&organization, companion).await[..] else { panic!("one administrator") };
        assert_eq!(administrator.account, bob());
    }
    done(&organization, management(), &Deregister(alice(), SSM)).await;
    done(&organization, management(), &Disable(SSM)).await;
    assert_eq!(organization.snapshot(), before);
    // An account may administer several services.
    done(&organization, management(), &Enable(SSM)).await;
    done(&organization, management(), &Register(bob(), SSM)).await;
    done(&organization, management(), &Deregister(bob(), quick_setup.clone())).await;
    assert_eq!(administrators(&organization, &SSM).await.len(), 1);
    assert_eq!(administrators(&organization, &quick_setup).await, []);
}

// 8. Partitions

/// AWS's ARNs begin with their partition.
#[tokio::test(start_paused = true)]
async fn every_partition_has_its_arns() {
    for partition in [Partition::AWS, Partition::AWS_CN, Partition::AWS_US_GOV, Partition::AWS_EUSC] {
        let start = organization().partition(partition.clone()).role_for(&DISCOVERY);
        let organization = start.data_sync(management(), home(), organization_sync("it")).build();
        let client = organization.management_client();
        let task = client.delete_service_linked_role(&ROLE).await.unwrap();
        tokio::time::advance(Duration::from_secs(10)).await;
        let DeletionStatus::Failed { usage, .. } = client.get_service_linked_role_deletion_status(&task).await.unwrap()
        else {
            panic!("it is in use");
        };
        let arn = format!("arn:{partition}:ssm:{HOME}:111111111111:resource-data-sync/it");
        assert_eq!(usage[0].resources, [arn]);
        let denied = client.without_permission("organizations:DescribeOrganization");
        let error = denied.describe_organization().await.unwrap_err();
        assert!(error.message().unwrap().starts_with(&format!("User: arn:{partition}:iam::")), "{error}");
        assert_eq!(organization.snapshot(), sim::Builder::from(organization.snapshot()).build().snapshot());
    }
}

// What the documents leave open: each switch in each of its positions.

#[tokio::test]
async fn enabling_and_disabling_again() {
    for repetition in Repetition::ALL {
        let start = || organization().undocumented(setting(|undocumented| undocumented.repetition = *repetition));
        for (organization, ask) in [(start().trusting(&SSM).build(), Enable(SSM)), (start().build(), Disable(SSM))] {
            if *repetition == Repetition::Refused {
                refused(&organization, management(), &ask, "ConstraintViolationException", None).await;
            } else {
                let before = organization.snapshot();
                done(&organization, management(), &ask).await;
                assert_eq!(organization.snapshot(), before, "the date stays");
            }
        }
    }
}

#[tokio::test]
async fn registering_for_a_service_that_is_not_trusted() {
    for position in RegisterUntrusted::ALL {
        let set = || setting(|undocumented| undocumented.register_untrusted = *position);
        let organization = organization().undocumented(set()).build();
        let ask = Register(alice(), SSM);
        let (code, reason) = match position {
            RegisterUntrusted::ServiceAccessNotEnabled => {
                ("ConstraintViolationException", "SERVICE_ACCESS_NOT_ENABLED")
            }
            RegisterUntrusted::UnrecognizedServicePrincipal => {
                ("InvalidInputException", "UNRECOGNIZED_SERVICE_PRINCIPAL")
            }
            _ => ("", ""),
        };
        if code.is_empty() {
            done(&organization, management(), &ask).await;
            assert_eq!(organization.administrators(), [alice()]);
            assert_eq!(organization.is_trusted(&SSM), *position == RegisterUntrusted::Enables);
        } else {
            refused(&organization, management(), &ask, code, Some(reason)).await;
        }
        // And without all features.
        let billing = trusting().feature_set(FeatureSet::ConsolidatedBilling).undocumented(set()).build();
        let (code, reason) = match position {
            RegisterUntrusted::UnrecognizedServicePrincipal => (code, reason),
            _ => ("ConstraintViolationException", "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"),
        };
        refused(&billing, management(), &ask, code, Some(reason)).await;
    }
}

#[tokio::test]
async fn registering_one_account_too_many() {
    for position in SecondAdministrator::ALL {
        let organization =
            delegated().undocumented(setting(|undocumented| undocumented.second_administrator = *position)).build();
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
async fn disabling_with_administrators() {
    for position in DisableAdministered::ALL {
        for deletes in [true, false] {
            let set = setting(|undocumented| {
                undocumented.disable_administered = *position;
                undocumented.deregistering_deletes_syncs = deletes;
            });
            let start = ready().delegated_to(bob()).trusting(&config()).delegated_for(&config(), alice());
            let organization = start.data_sync(alice(), home(), organization_sync("it")).undocumented(set).build();
            if *position == DisableAdministered::Refused {
                let reason = Some("DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE");
                refused(&organization, management(), &Disable(SSM), "ConstraintViolationException", reason).await;
                continue;
            }
            done(&organization, management(), &Disable(SSM)).await;
            assert!(!organization.is_trusted(&SSM));
            let gone = *position == DisableAdministered::Deregisters;
            assert_eq!(organization.administrators().is_empty(), gone);
            assert_eq!(administrators(&organization, &config()).await.len(), 1, "those of others stay");
            // Deregistering by the way does to syncs what deregistering does.
            let left = organization.data_syncs(alice(), &home());
            assert_eq!(left.is_empty(), gone && deletes);
            assert!(left.iter().all(|sync| sync.state == SyncState::TrustedAccessDisabled));
        }
    }
}

#[tokio::test]
async fn deregistering_while_the_service_is_not_trusted() {
    for position in DeregisterUntrusted::ALL {
        let start = organization().delegated_to(alice());
        let set = setting(|undocumented| undocumented.deregister_untrusted = *position);
        let organization = start.undocumented(set).build();
        let ask = Deregister(alice(), SSM);
        if *position == DeregisterUntrusted::Refused {
            let reason = Some("SERVICE_ACCESS_NOT_ENABLED");
            refused(&organization, management(), &ask, "ConstraintViolationException", reason).await;
            organization.trust(&SSM);
        }
        done(&organization, management(), &ask).await;
        assert!(organization.administrators().is_empty());
    }
}

#[tokio::test]
async fn systems_manager_may_be_unknown_to_organizations() {
    for recognized in [true, false] {
        let set = setting(|undocumented| undocumented.systems_manager_is_recognized = recognized);
        let organization = organization().partition(Partition::AWS_CN).undocumented(set).build();
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
async fn listing_without_all_features() {
    for needs in [true, false] {
        let set = setting(|undocumented| undocumented.listing_needs_all_features = needs);
        let organization = trusting().feature_set(FeatureSet::ConsolidatedBilling).undocumented(set).build();
        if needs {
            let reason = Some("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE");
            refused(&organization, management(), &Ask::Trusted(None), "ConstraintViolationException", reason).await;
        } else {
            assert_eq!(trusted(&organization).await.len(), 1);
        }
        assert_eq!(administrators(&organization, &SSM).await, []);
    }
}

#[tokio::test]
async fn enabling_may_make_the_role() {
    for makes in [true, false] {
        for start in [organization(), organization().role_for(&DISCOVERY)] {
            let organization =
                start.undocumented(setting(|undocumented| undocumented.enabling_makes_role = makes)).build();
            let before = organization.management_client().get_role(&ROLE).await.unwrap();
            done(&organization, management(), &Enable(config())).await;
            assert_eq!(
                organization.management_client().get_role(&ROLE).await.unwrap(),
                before,
                "not for another service"
            );
            done(&organization, management(), &Enable(SSM)).await;
            let after = organization.management_client().get_role(&ROLE).await.unwrap();
            if before.is_some() {
                assert_eq!(after, before, "one that is there stays");
            } else {
                assert_eq!(after.is_some(), makes);
            }
        }
    }
}

#[tokio::test]
async fn deregistering_may_leave_the_syncs_or_those_of_some_regions() {
    let elsewhere = region("us-east-1");
    for (deletes, spared, left) in
        [(true, None, [0, 0]), (true, Some(elsewhere.clone()), [0, 1]), (false, None, [1, 1])]
    {
        let set = setting(|undocumented| {
            undocumented.deregistering_deletes_syncs = deletes;
            undocumented.deregistering_spares.extend(spared);
        });
        let start = ready().data_sync(alice(), home(), organization_sync("it")).undocumented(set);
        let organization = start.data_sync(alice(), elsewhere.clone(), organization_sync("it")).build();
        done(&organization, management(), &Deregister(alice(), SSM)).await;
        let remain = [home(), elsewhere.clone()].map(|place| organization.data_syncs(alice(), &place).len());
        assert_eq!(remain, left);
    }
}

#[tokio::test]
async fn syncs_may_recover_when_trusted_access_comes_back() {
    for recover in [true, false] {
        let mut odd = organization_sync("odd");
        odd.state = SyncState::Other("Tired".to_owned());
        let start = trusting().role_for(&DISCOVERY).data_sync(management(), home(), organization_sync("it"));
        let organization = start.undocumented(setting(|undocumented| undocumented.syncs_recover = recover)).build();
        done(&organization, management(), &Disable(SSM)).await;
        organization.add_data_sync(bob(), home(), odd);
        done(&organization, management(), &Enable(SSM)).await;
        let state = if recover { SyncState::Healthy } else { SyncState::TrustedAccessDisabled };
        assert_eq!(state_of_the_sync(&organization, management()).await, state);
        assert_eq!(state_of_the_sync(&organization, bob()).await, SyncState::Other("Tired".to_owned()));
    }
}

#[tokio::test]
async fn a_sync_may_be_made_before_what_it_needs() {
    for position in UnreadySync::ALL {
        let set = || setting(|undocumented| undocumented.unready_sync = *position);
        for (start, state) in [
            (organization().role_for(&DISCOVERY), SyncState::TrustedAccessDisabled),
            (trusting(), SyncState::NoPermissions),
        ] {
            let organization = start.undocumented(set()).build();
            let ask = Create(of_all("it"));
            if *position == UnreadySync::Refused {
                refused(&organization, management(), &ask, INVALID, None).await;
                continue;
            }
            done(&organization, management(), &ask).await;
            assert_eq!(state_of_the_sync(&organization, management()).await, state);
            done(&organization, management(), &Update(of_all("it"))).await;
            if state == SyncState::NoPermissions {
                done(&organization, management(), &Ask::CreateRole(DISCOVERY)).await;
                assert_eq!(state_of_the_sync(&organization, management()).await, SyncState::Healthy, "with the role");
            } else {
                done(&organization, management(), &Enable(SSM)).await;
                assert_eq!(state_of_the_sync(&organization, management()).await, state, "to be made anew");
            }
        }
    }
}

#[tokio::test]
async fn a_member_that_syncs_the_organization_is_refused_in_one_way_or_another() {
    for position in SyncOfAMember::ALL {
        let set = setting(|undocumented| undocumented.sync_of_a_member = *position);
        let organization = ready().undocumented(set).data_sync(bob(), home(), organization_sync("old")).build();
        let code = match position {
            SyncOfAMember::AccessDenied => "AccessDeniedException",
            _ => INVALID,
        };
        refused(&organization, bob(), &Create(of_all("it")), code, None).await;
        refused(&organization, bob(), &Update(of_all("old")), code, None).await;
        refused(&organization, outside(), &Create(of_all("it")), code, None).await;
    }
}

#[tokio::test]
async fn the_five_syncs_may_be_five_of_each_type() {
    for shared in [true, false] {
        let set = setting(|undocumented| undocumented.sync_quota_is_shared = shared);
        let start = (0..4).fold(ready(), |start, number| {
            start.data_sync_of_type(TO_DESTINATION, management(), home(), inventory(&format!("inventory-{number}")))
        });
        let organization = start.undocumented(set).build();
        let room = if shared { 1 } else { 5 };
        for number in 0..room {
            done(&organization, management(), &Create(of_all(&number.to_string()))).await;
        }
        refused(&organization, management(), &Create(of_all("more")), "ResourceDataSyncCountExceededException", None)
            .await;
    }
}

#[tokio::test]
async fn a_listing_may_leave_the_booleans_out() {
    for shown in [true, false] {
        let set = setting(|undocumented| undocumented.sync_booleans_are_shown = shown);
        let organization = ready().undocumented(set).build();
        done(&organization, management(), &Create(of_all("it").including_future_regions())).await;
        let sync = &syncs(&organization, management()).await[0];
        assert_eq!(sync.future_regions, shown.then_some(true));
        assert_eq!(sync.all_ops_data_sources, shown.then_some(false));
    }
}

#[tokio::test]
async fn creating_a_role_that_exists() {
    for position in DuplicateRole::ALL {
        let set = setting(|undocumented| undocumented.duplicate_role = *position);
        let organization = organization().role_for(&DISCOVERY).undocumented(set).build();
        let code = match position {
            DuplicateRole::InvalidInput => "InvalidInput",
            _ => "EntityAlreadyExists",
        };
        refused(&organization, management(), &Ask::CreateRole(DISCOVERY), code, None).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_may_serve_the_syncs_of_its_own_account_alone() {
    for serves_all in [true, false] {
        let set = setting(|undocumented| undocumented.role_serves_all_syncs = serves_all);
        let start = organization().role_for(&DISCOVERY).data_sync(alice(), home(), organization_sync("theirs"));
        // One outside the organization is never in the way.
        let organization = start.data_sync(outside(), home(), organization_sync("it")).undocumented(set).build();
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
async fn a_role_may_serve_the_syncs_of_its_account_alone() {
    for serves in [true, false] {
        let set = setting(|undocumented| undocumented.role_serves_single_accounts = serves);
        let organization = organization()
            .role_for(&DISCOVERY)
            .data_sync(management(), home(), single("own"))
            // Neither another account's nor Inventory's is ever in the way.
            .data_sync(alice(), home(), single("theirs"))
            .data_sync_of_type(TO_DESTINATION, management(), home(), inventory("inventory"))
            .undocumented(set)
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

/// The switches and positions that there are: one more wants a test above.
#[test]
fn every_switch_is_known() {
    let text = format!("{:?}", Undocumented::default());
    let names: Vec<&str> = text
        .trim_start_matches("Undocumented { ")
        .split(", ")
        .filter_map(|field| field.split_once(": "))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        names,
        [
            "repetition",
            "register_untrusted",
            "second_administrator",
            "disable_administered",
            "deregister_untrusted",
            "reasons",
            "systems_manager_is_recognized",
            "listing_needs_all_features",
            "enabling_makes_role",
            "deregistering_deletes_syncs",
            "deregistering_spares",
            "syncs_recover",
            "unready_sync",
            "sync_of_a_member",
            "sync_quota_is_shared",
            "sync_booleans_are_shown",
            "duplicate_role",
            "role_serves_all_syncs",
            "role_serves_single_accounts",
        ]
    );
    let positions = [
        Repetition::ALL.len(),
        RegisterUntrusted::ALL.len(),
        SecondAdministrator::ALL.len(),
        DisableAdministered::ALL.len(),
        DeregisterUntrusted::ALL.len(),
        UnreadySync::ALL.len(),
        SyncOfAMember::ALL.len(),
        DuplicateRole::ALL.len(),
    ];
    assert_eq!(positions, [2, 4, 3, 3, 2, 2, 2, 2]);
}
