//! Tests of `SimState`, the state of a simulated organization: comparison, copies and JSON.
#![cfg(feature = "sim")]

use std::time::{Duration, SystemTime};

use crate::common::{
    SSM, account, alice, bob, delegated, management, organization, organization_sync, region, trusting,
};
use ssm_organizations::domain::{OrganizationalUnitId, Partition, RoleName};
use ssm_organizations::ports::{
    AccountState, DataSync, FeatureSet, IamApi, OrganizationsApi, SyncSourceType, SyncState, SyncStatus, SyncType,
    SystemsManagerApi,
};
use ssm_organizations::sim::{self, SimState};
use ssm_organizations::{ServicePrincipal, SyncName};

const HOME: &str = "eu-central-1";
const DISCOVERY: ServicePrincipal = ServicePrincipal::ACCOUNT_DISCOVERY;

fn unit() -> OrganizationalUnitId {
    "ou-root-11111111".parse().unwrap()
}

fn config() -> ServicePrincipal {
    "config.amazonaws.com".parse().unwrap()
}

fn date(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Returns a sync with every attribute set.
fn full_sync() -> DataSync {
    let mut sync = organization_sync("everything");
    sync.units = vec![unit()];
    sync.regions = vec![region(HOME), region("us-east-1")];
    sync.future_regions = Some(true);
    sync.all_ops_data_sources = Some(false);
    sync.state = SyncState::InvalidOrganizationalUnit;
    sync.last_status = Some(SyncStatus::Failed);
    sync.last_run = Some(date(1_900_000_003));
    sync.last_success = Some(date(1_900_000_002));
    sync.created = Some(date(1_900_000_000));
    sync.modified = Some(date(1_900_000_001) + Duration::from_nanos(123_456_789));
    sync
}

/// Returns an organization with one of each resource.
fn full() -> sim::SimOrganizationBuilder {
    organization()
        .id("o-1234567890".parse().unwrap())
        .partition(Partition::AWS_CN)
        .feature_set(FeatureSet::ConsolidatedBilling)
        .member_with_state(account("444444444444"), AccountState::PendingActivation)
        .member_with_state(account("444444444445"), AccountState::Suspended)
        .member_with_state(account("444444444446"), AccountState::PendingClosure)
        .member_with_state(account("444444444447"), AccountState::Closed)
        .member_with_state(account("444444444448"), AccountState::Other("IN_LIMBO".to_owned()))
        .members(100_000)
        .unit(unit())
        .opt_in_regions([region("me-south-1")])
        .trusted_access_for(&SSM)
        .trusted_access_for(&config())
        .delegated_administrator(alice())
        .delegated_administrator(bob())
        .delegated_administrator_for(&config(), bob())
        .service_linked_role(&DISCOVERY)
        .service_linked_role(&SSM)
        .data_sync(management(), region(HOME), full_sync())
        .data_sync(bob(), region("us-east-1"), DataSync::new(SyncName::new("who knows").unwrap(), None))
        .data_sync(bob(), region("us-east-1"), {
            let source = SyncSourceType::Other("Elsewhere".to_owned());
            let mut sync = DataSync::new(SyncName::new("odd \"ä/").unwrap(), Some(source));
            sync.state = SyncState::Other("Tired".to_owned());
            sync.last_status = Some(SyncStatus::Other("Dreaming".to_owned()));
            sync
        })
        .data_sync_of_type(
            SyncType::SyncToDestination,
            bob(),
            region(HOME),
            DataSync::new(SyncName::new("bucket").unwrap(), Some(SyncSourceType::SingleAccountMultiRegions)),
        )
}

/// Returns the full organization with one change each.
fn changed() -> Vec<(&'static str, sim::SimOrganizationBuilder)> {
    let more = |name: &str| DataSync::new(SyncName::new(name).unwrap(), None);
    vec![
        ("id", full().id("o-0987654321".parse().unwrap())),
        ("management account", full().management(account("555555555555"))),
        ("partition", full().partition(Partition::AWS)),
        ("features", full().feature_set(FeatureSet::All)),
        ("member", full().member(account("666666666666"))),
        ("state", full().member_with_state(alice(), AccountState::Closed)),
        ("members", full().members(99_999)),
        ("unit", full().unit("ou-root-22222222".parse().unwrap())),
        ("opt-in Regions", full().opt_in_regions([])),
        ("trust", full().trusted_access_for(&DISCOVERY)),
        ("delegation", full().delegated_administrator_for(&config(), alice())),
        ("role", full().service_linked_role(&"ssm-quicksetup.amazonaws.com".parse().unwrap())),
        ("sync", full().data_sync(alice(), region(HOME), more("more"))),
        ("its type", full().data_sync_of_type(SyncType::SyncToDestination, management(), region(HOME), full_sync())),
    ]
}

#[tokio::test(start_paused = true)]
async fn compare_states_with_one_difference_finds_them_unequal() {
    assert_eq!(full().build().state(), full().build().state());
    for (what, other) in changed() {
        let other = other.build().state();
        assert_ne!(full().build().state(), other, "{what}");
        assert_ne!(
            full().build().state().without_dates(),
            other.without_dates(),
            "{what} differs without the dates too"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn state_is_unchanged_by_reads_and_differs_after_changes() {
    let organization = delegated().build();
    let before = organization.state();
    let client = organization.management_client();
    client.list_aws_service_access_for_organization(None).await.unwrap();
    client.enable_aws_service_access(&SSM).await.unwrap();
    assert_eq!(organization.state(), before);
    client.deregister_delegated_administrator(alice(), &SSM).await.unwrap();
    assert_ne!(organization.state(), before);
    // Read delays do not affect a snapshot.
    let organization = organization_that_lags();
    let before = organization.state();
    organization.enable_trusted_access(&SSM);
    assert_ne!(organization.state(), before);
}

fn organization_that_lags() -> sim::SimOrganization {
    organization().read_delay(Duration::from_mins(1)).build()
}

#[tokio::test(start_paused = true)]
async fn without_dates_after_recreation_returns_equal_states() {
    let start =
        || trusting().trusted_access_for(&config()).delegated_administrator(alice()).service_linked_role(&DISCOVERY);
    let organization = start().data_sync(management(), region(HOME), organization_sync("it")).build();
    let before = organization.state();
    let client = organization.management_client();
    client
        .delete_resource_data_sync(&region(HOME), &SyncName::new("it").unwrap(), SyncType::SyncFromSource)
        .await
        .unwrap();
    organization.add_data_sync(management(), region(HOME), organization_sync("it"));
    client.deregister_delegated_administrator(alice(), &SSM).await.unwrap();
    client.register_delegated_administrator(alice(), &SSM).await.unwrap();
    assert_ne!(organization.state(), before);
    assert_eq!(organization.state().without_dates(), before.clone().without_dates());
    client.disable_aws_service_access(&config()).await.unwrap();
    assert_ne!(organization.state().without_dates(), before.clone().without_dates());
    client.enable_aws_service_access(&config()).await.unwrap();
    assert_eq!(organization.state().without_dates(), before.clone().without_dates());

    // A recreated role has another ID and date.
    let again = sim::SimOrganizationBuilder::from(trusting().build().state());
    tokio::time::advance(Duration::from_secs(5)).await;
    let again =
        again.delegated_administrator(alice()).trusted_access_for(&config()).service_linked_role(&DISCOVERY).build();
    let first = start().build();
    let role = async |organization: &sim::SimOrganization| {
        organization.management_client().get_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap().unwrap()
    };
    assert_ne!(role(&first).await, role(&again).await);
    assert_eq!(first.state().without_dates(), again.state().without_dates());

    // The status of a run is compared; its date is not.
    let with = |set: fn(&mut DataSync)| {
        let mut sync = full_sync();
        set(&mut sync);
        organization_with(sync).state().without_dates()
    };
    let plain = with(|_| ());
    let dates: [fn(&mut DataSync); 4] = [
        |sync| sync.created = None,
        |sync| sync.modified = Some(date(1)),
        |sync| sync.last_run = None,
        |sync| sync.last_success = Some(date(1)),
    ];
    for set in dates {
        assert_eq!(with(set), plain);
    }
    assert_ne!(with(|sync| sync.last_status = Some(SyncStatus::Successful)), plain);
    assert_ne!(with(|sync| sync.state = SyncState::Healthy), plain);
}

fn organization_with(sync: DataSync) -> sim::SimOrganization {
    organization().data_sync(management(), region(HOME), sync).build()
}

#[tokio::test(start_paused = true)]
async fn builder_from_state_builds_an_independent_copy() {
    let original = full().build();
    let before = original.state();
    let copy = sim::SimOrganizationBuilder::from(before.clone()).build();
    assert_eq!(copy.state(), before);
    copy.disable_trusted_access(&SSM);
    copy.set_member(bob(), AccountState::Suspended);
    assert_eq!(original.state(), before);
    // A copy has no calls and no delayed changes.
    let start = sim::SimOrganizationBuilder::from(before).read_delay(Duration::from_mins(1));
    let copy = start.feature_set(FeatureSet::All).build();
    assert_eq!(copy.calls(), []);
    let listed = copy.management_client().list_aws_service_access_for_organization(None).await.unwrap();
    assert_eq!(listed.items.len(), 2);
}

/// Dates identify recreated resources, so each date is used once.
#[tokio::test(start_paused = true)]
async fn builder_from_state_continues_with_later_dates() {
    let far = date(4_000_000_000);
    let late: [fn(&mut DataSync, SystemTime); 4] = [
        |sync, date| sync.created = Some(date),
        |sync, date| sync.modified = Some(date),
        |sync, date| sync.last_run = Some(date),
        |sync, date| sync.last_success = Some(date),
    ];
    let mut snapshots: Vec<SimState> = Vec::new();
    for set in late {
        let mut sync = full_sync();
        set(&mut sync, far);
        snapshots.push(organization_with(sync).state());
    }
    for snapshot in snapshots {
        let copy = sim::SimOrganizationBuilder::from(snapshot).build();
        copy.enable_trusted_access(&SSM);
        let listed = copy.management_client().list_aws_service_access_for_organization(None).await.unwrap();
        assert!(listed.items[0].enabled_at > Some(far), "{listed:?}");
    }

    // The dates of trusted access, delegations and roles count as well.
    let newest: [fn(&sim::SimOrganization); 3] = [
        |organization| organization.enable_trusted_access(&SSM),
        |organization| organization.register_administrator(alice()),
        |organization| drop(organization.clone()),
    ];
    for (at, change) in newest.into_iter().enumerate() {
        let organization = organization().build();
        tokio::time::advance(Duration::from_secs(1_000)).await;
        change(&organization);
        if at == 2 {
            organization.management_client().create_service_linked_role(&DISCOVERY).await.unwrap();
        }
        let copy = sim::SimOrganizationBuilder::from(organization.state()).build();
        copy.enable_trusted_access(&config());
        let listed = copy.management_client().list_aws_service_access_for_organization(None).await.unwrap();
        let beginning = date(1_767_225_600);
        let since = listed.items[0].enabled_at.unwrap();
        assert!(since > beginning + Duration::from_secs(1_000), "{since:?}");
    }
    // A copy that is built later follows the clock again.
    let copy = sim::SimOrganizationBuilder::from(trusting().build().state()).build();
    tokio::time::advance(Duration::from_mins(1)).await;
    let before = copy.management_client().list_aws_service_access_for_organization(None).await.unwrap().items;
    copy.enable_trusted_access(&config());
    let after = copy.management_client().list_aws_service_access_for_organization(None).await.unwrap().items;
    let elapsed = after[0].enabled_at.unwrap().duration_since(before[0].enabled_at.unwrap()).unwrap();
    assert!(elapsed.abs_diff(Duration::from_mins(1)) < Duration::from_millis(10), "{elapsed:?}");
}

/// Asserts that the simulated clock starts on the first day of 2026.
#[tokio::test(start_paused = true)]
async fn build_at_any_time_starts_on_the_first_of_2026() {
    let organization = trusting().build();
    let listed = organization.management_client().list_aws_service_access_for_organization(None).await.unwrap();
    assert_eq!(listed.items[0].enabled_at, Some(date(1_767_225_600) + Duration::from_millis(1)));
}

#[tokio::test(start_paused = true)]
async fn enable_after_delay_dates_in_whole_milliseconds() {
    let organization = organization().build();
    tokio::time::advance(Duration::from_micros(1_234_567)).await;
    organization.enable_trusted_access(&SSM);
    let listed = organization.management_client().list_aws_service_access_for_organization(None).await.unwrap();
    assert_eq!(listed.items[0].enabled_at, Some(date(1_767_225_600) + Duration::from_millis(1_234)));
}

#[cfg(feature = "serde")]
mod json {
    use serde_json::{Value, json};

    use super::*;

    fn written(snapshot: &SimState) -> Value {
        serde_json::to_value(snapshot).unwrap()
    }

    fn read(value: &Value) -> Result<SimState, String> {
        serde_json::from_str(&serde_json::to_string_pretty(value).unwrap()).map_err(|error| error.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn serialize_each_state_round_trips() {
        let mut starts = changed();
        starts.extend([("full", full()), ("new", sim::SimOrganization::builder()), ("delegated", delegated())]);
        for (what, start) in starts {
            let snapshot = start.build().state();
            let text = serde_json::to_string(&snapshot).unwrap();
            assert_eq!(serde_json::from_str::<SimState>(&text).unwrap(), snapshot, "{what}");
            assert_eq!(read(&written(&snapshot)).unwrap(), snapshot, "{what}, through a JSON value");
        }
        let states = [
            SyncState::Healthy,
            SyncState::OrganizationNotExists,
            SyncState::NoPermissions,
            SyncState::InvalidOrganizationalUnit,
            SyncState::TrustedAccessDisabled,
            SyncState::Other("Tired".to_owned()),
        ];
        let statuses = [
            None,
            Some(SyncStatus::Successful),
            Some(SyncStatus::Failed),
            Some(SyncStatus::InProgress),
            Some(SyncStatus::Other("Dreaming".to_owned())),
        ];
        for state in states {
            for status in &statuses {
                for sync_type in [SyncType::SyncFromSource, SyncType::SyncToDestination] {
                    let mut sync = organization_sync("it");
                    sync.state = state.clone();
                    sync.last_status = status.clone();
                    let start = organization().data_sync_of_type(sync_type, alice(), region(HOME), sync);
                    let snapshot = start.build().state();
                    assert_eq!(read(&written(&snapshot)).unwrap(), snapshot, "{state:?}, {status:?}, {sync_type:?}");
                }
            }
        }
    }

    #[expect(clippy::too_many_lines, reason = "the JSON document has one line for each member")]
    #[tokio::test(start_paused = true)]
    async fn serialize_full_state_writes_readable_json() {
        assert_eq!(
            written(&full().build().state()),
            json!({
                "id": "o-1234567890",
                "management": "111111111111",
                "partition": "aws-cn",
                "feature_set": "CONSOLIDATED_BILLING",
                "members": {
                    "222222222222": "ACTIVE",
                    "333333333333": "ACTIVE",
                    "444444444444": "PENDING_ACTIVATION",
                    "444444444445": "SUSPENDED",
                    "444444444446": "PENDING_CLOSURE",
                    "444444444447": "CLOSED",
                    "444444444448": "IN_LIMBO"
                },
                "nameless_members": 100_000,
                "units": ["ou-root-11111111"],
                "opt_in_regions": ["me-south-1"],
                "trusted": {
                    "config.amazonaws.com": "2026-01-01T00:00:00.002Z",
                    "ssm.amazonaws.com": "2026-01-01T00:00:00.001Z"
                },
                "administrators": {
                    "config.amazonaws.com": { "333333333333": "2026-01-01T00:00:00.005Z" },
                    "ssm.amazonaws.com": {
                        "222222222222": "2026-01-01T00:00:00.003Z",
                        "333333333333": "2026-01-01T00:00:00.004Z"
                    }
                },
                "roles": [
                    {
                        "account": "111111111111",
                        "name": "AWSServiceRoleForAmazonSSM",
                        "id": "AROA00001767225600007",
                        "path": "/aws-service-role/ssm.amazonaws.com/",
                        "created": "2026-01-01T00:00:00.007Z"
                    },
                    {
                        "account": "111111111111",
                        "name": "AWSServiceRoleForAmazonSSM_AccountDiscovery",
                        "id": "AROA00001767225600006",
                        "path": "/aws-service-role/accountdiscovery.ssm.amazonaws.com/",
                        "created": "2026-01-01T00:00:00.006Z"
                    }
                ],
                "data_syncs": [
                    {
                        "account": "111111111111",
                        "region": "eu-central-1",
                        "name": "everything",
                        "type": "SyncFromSource",
                        "source": "AwsOrganizations",
                        "units": ["ou-root-11111111"],
                        "source_regions": ["eu-central-1", "us-east-1"],
                        "future_regions": true,
                        "all_ops_data_sources": false,
                        "state": "InvalidOrganizationalUnit",
                        "last_status": "Failed",
                        "last_run": "2030-03-17T17:46:43Z",
                        "last_success": "2030-03-17T17:46:42Z",
                        "created": "2030-03-17T17:46:40Z",
                        "modified": "2030-03-17T17:46:41.123456789Z"
                    },
                    {
                        "account": "333333333333",
                        "region": "eu-central-1",
                        "name": "bucket",
                        "type": "SyncToDestination",
                        "source": "SingleAccountMultiRegions",
                        "created": "2026-01-01T00:00:00.011Z"
                    },
                    {
                        "account": "333333333333",
                        "region": "us-east-1",
                        "name": "odd \"ä/",
                        "type": "SyncFromSource",
                        "source": "Elsewhere",
                        "state": "Tired",
                        "last_status": "Dreaming",
                        "created": "2026-01-01T00:00:00.010Z"
                    },
                    {
                        "account": "333333333333",
                        "region": "us-east-1",
                        "name": "who knows",
                        "type": "SyncFromSource",
                        "created": "2026-01-01T00:00:00.009Z"
                    }
                ]
            })
        );
        // Attributes with default values are omitted.
        assert_eq!(
            written(&sim::SimOrganization::builder().build().state()),
            json!({ "id": "o-exampleorgid", "management": "111111111111", "partition": "aws", "feature_set": "ALL" })
        );
        let none = sim::SimOrganization::builder().opt_in_regions([]).build();
        assert_eq!(
            written(&none.state())["opt_in_regions"],
            json!([]),
            "an empty list differs from the default Regions"
        );
    }

    #[test]
    fn deserialize_with_required_fields_only_uses_defaults() {
        let snapshot: SimState =
            serde_json::from_str(r#"{ "id": "o-exampleorgid", "management": "111111111111" }"#).unwrap();
        assert_eq!(snapshot, sim::SimOrganization::builder().build().state());

        // A sync that a user writes has few attributes.
        let by_hand = json!({
            "id": "o-exampleorgid",
            "management": "111111111111",
            "data_syncs": [{
                "account": "111111111111",
                "region": "eu-central-1",
                "name": "it",
                "source": "awsorganizations"
            }]
        });
        let organization = sim::SimOrganizationBuilder::from(read(&by_hand).unwrap()).build();
        let [sync] = &organization.data_syncs(management(), &region(HOME))[..] else { panic!("expected one sync") };
        assert_eq!(sync.source_type, Some(SyncSourceType::AwsOrganizations));
        assert_eq!(sync.created, None);
        // A service with an empty list of administrators equals one without an entry.
        let nobody = json!({
            "id": "o-exampleorgid", "management": "111111111111", "administrators": { "ssm.amazonaws.com": {} }
        });
        assert_eq!(read(&nobody).unwrap(), snapshot);
    }

    /// Returns the JSON of the full state with one value replaced.
    fn with(pointer: &str, value: Value) -> Value {
        let mut whole = written(&full().build().state());
        *whole.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        whole
    }

    #[tokio::test(start_paused = true)]
    async fn deserialize_malformed_value_names_it_and_its_line() {
        for (pointer, value, message) in [
            ("/id", "o-", "\"o-\" is not an organization id"),
            ("/management", "11111111111", "\"11111111111\" is not an account id: twelve digits"),
            ("/partition", "gcp", "\"gcp\" is not a partition"),
            ("/feature_set", "SOME", "unknown variant `SOME`, expected `ALL` or `CONSOLIDATED_BILLING`"),
            ("/units/0", "r-root", "is not the id of an organizational unit"),
            ("/opt_in_regions/0", "EU", "\"EU\" is not a Region"),
            ("/trusted/ssm.amazonaws.com", "yesterday", "invalid"),
            ("/roles/0/account", "x", "\"x\" is not an account id"),
            ("/roles/0/name", "", "\"\" is not the name of a role"),
            ("/roles/0/id", "-", "\"-\" is not the id of a role"),
            ("/data_syncs/0/name", "", "\"\" is not the name of a resource data sync"),
            ("/data_syncs/0/region", "", "\"\" is not a Region"),
            ("/data_syncs/0/type", "Both", "unknown variant `Both`"),
        ] {
            let error = read(&with(pointer, json!(value))).unwrap_err();
            assert!(error.contains(message), "{pointer}: {error}");
            // The Cargo feature `preserve_order` of `serde_json` determines the order of the keys.
            let marked = serde_json::to_string_pretty(&with(pointer, json!("here"))).unwrap();
            let place = 1 + marked.lines().position(|line| line.contains("\"here\"")).unwrap();
            // The parser may report the line of the next token.
            let line = error.split(" line ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
            let line: usize = line.parse().unwrap();
            assert!((place..=place + 1).contains(&line), "{pointer}, line {place}: {error}");
        }
        // Keys of maps are validated as well.
        for (pointer, message) in [
            ("/members", "\"x\" is not an account id"),
            ("/administrators/ssm.amazonaws.com", "\"x\" is not an account id"),
        ] {
            let error = read(&with(pointer, json!({ "x": "2026-01-01T00:00:00Z" }))).unwrap_err();
            assert!(error.contains(message) && error.contains(" line "), "{pointer}: {error}");
        }
        let error = read(&with("/trusted", json!({ "a b": "2026-01-01T00:00:00Z" }))).unwrap_err();
        assert!(error.contains("\"a b\" is not a service principal") && error.contains(" line "), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn deserialize_unknown_missing_or_duplicate_entry_fails() {
        for pointer in ["", "/roles/0", "/data_syncs/0"] {
            let mut whole = written(&full().build().state());
            whole.pointer_mut(pointer).unwrap()["colour"] = json!("blue");
            let error = read(&whole).unwrap_err();
            assert!(
                error.contains("unknown field `colour`, expected ") && error.contains(" line "),
                "{pointer}: {error}"
            );
        }
        for (pointer, needed) in [
            ("", "id"),
            ("", "management"),
            ("/roles/0", "account"),
            ("/roles/0", "name"),
            ("/data_syncs/0", "account"),
            ("/data_syncs/0", "region"),
            ("/data_syncs/0", "name"),
        ] {
            let mut whole = written(&full().build().state());
            whole.pointer_mut(pointer).and_then(Value::as_object_mut).unwrap().remove(needed).unwrap();
            let error = read(&whole).unwrap_err();
            assert!(error.contains(&format!("missing field `{needed}`")), "{pointer}: {error}");
        }
        for (pointer, message) in [
            ("/roles", "account 111111111111 has the role AWSServiceRoleForAmazonSSM twice"),
            ("/data_syncs", "account 111111111111 has the data sync \"everything\" in eu-central-1 twice"),
        ] {
            let mut whole = written(&full().build().state());
            let list = whole.pointer_mut(pointer).and_then(Value::as_array_mut).unwrap();
            list.push(list[0].clone());
            assert_eq!(read(&whole).unwrap_err(), message);
        }
        // A name is unique across both types.
        let mut whole = written(&full().build().state());
        let list = whole.pointer_mut("/data_syncs").and_then(Value::as_array_mut).unwrap();
        let mut other = list[0].clone();
        other["type"] = json!("SyncToDestination");
        list.push(other);
        assert!(read(&whole).unwrap_err().ends_with("twice"));
    }

    /// Asserts that the JSON format rejects years before 1970 and years with more than four digits.
    #[test]
    fn serialize_date_out_of_range_fails() {
        let sync = |created: SystemTime| {
            let mut sync = organization_sync("it");
            sync.created = Some(created);
            organization_with(sync).state()
        };
        for created in [date(0) - Duration::from_secs(1), date(253_402_300_800)] {
            let error = serde_json::to_string(&sync(created)).unwrap_err().to_string();
            assert_eq!(error, "a date is before 1970 or after 9999");
        }
        for created in [date(0), date(253_402_300_799)] {
            assert_eq!(read(&written(&sync(created))).unwrap(), sync(created));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn deserialize_delegated_state_builds_a_working_copy() {
        let text = serde_json::to_string(&delegated().build().state()).unwrap();
        let snapshot: SimState = serde_json::from_str(&text).unwrap();
        let organization = sim::SimOrganizationBuilder::from(snapshot).build();
        let client = organization.management_client();
        client.deregister_delegated_administrator(alice(), &SSM).await.unwrap();
        client.disable_aws_service_access(&SSM).await.unwrap();
        assert_eq!(organization.state(), super::organization().build().state());
    }
}
