//! The whole of an embedded organization at one moment: compared, gone on from, and kept as JSON.
#![cfg(feature = "sim")]

use std::time::{Duration, SystemTime};

use crate::common::{
    SSM, account, alice, bob, delegated, management, organization, organization_sync, region, trusting,
};
use ssm_organizations::ports::{
    AccountState, DataSync, FeatureSet, IamApi, OrganizationsApi, SyncSourceType, SyncState, SyncStatus, SyncType,
    SystemsManagerApi,
};
use ssm_organizations::sim::{self, Snapshot};
use ssm_organizations::{OrganizationalUnitId, Partition, RoleName, ServicePrincipal, SyncName};

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

/// A sync of which everything is known.
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

/// An organization with one of each.
fn full() -> sim::Builder {
    organization()
        .id("o-1234567890".parse().unwrap())
        .partition(Partition::AWS_CN)
        .feature_set(FeatureSet::ConsolidatedBilling)
        .member_in(account("444444444444"), AccountState::PendingActivation)
        .member_in(account("444444444445"), AccountState::Suspended)
        .member_in(account("444444444446"), AccountState::PendingClosure)
        .member_in(account("444444444447"), AccountState::Closed)
        .member_in(account("444444444448"), AccountState::Other("IN_LIMBO".to_owned()))
        .members(100_000)
        .unit(unit())
        .opt_in_regions([region("me-south-1")])
        .trusting(&SSM)
        .trusting(&config())
        .delegated_to(alice())
        .delegated_to(bob())
        .delegated_for(&config(), bob())
        .role_for(&DISCOVERY)
        .role_for(&SSM)
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

/// One change to each thing that there is.
fn changed() -> Vec<(&'static str, sim::Builder)> {
    let more = |name: &str| DataSync::new(SyncName::new(name).unwrap(), None);
    vec![
        ("id", full().id("o-0987654321".parse().unwrap())),
        ("management account", full().management(account("555555555555"))),
        ("partition", full().partition(Partition::AWS)),
        ("features", full().feature_set(FeatureSet::All)),
        ("member", full().member(account("666666666666"))),
        ("state", full().member_in(alice(), AccountState::Closed)),
        ("members", full().members(99_999)),
        ("unit", full().unit("ou-root-22222222".parse().unwrap())),
        ("opt-in Regions", full().opt_in_regions([])),
        ("trust", full().trusting(&DISCOVERY)),
        ("delegation", full().delegated_for(&config(), alice())),
        ("role", full().role_for(&"ssm-quicksetup.amazonaws.com".parse().unwrap())),
        ("sync", full().data_sync(alice(), region(HOME), more("more"))),
        ("its type", full().data_sync_of_type(SyncType::SyncToDestination, management(), region(HOME), full_sync())),
    ]
}

#[tokio::test(start_paused = true)]
async fn snapshots_are_equal_when_everything_is() {
    assert_eq!(full().build().snapshot(), full().build().snapshot());
    for (what, other) in changed() {
        let other = other.build().snapshot();
        assert_ne!(full().build().snapshot(), other, "{what}");
        assert_ne!(full().build().snapshot().without_dates(), other.without_dates(), "{what} is no date");
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_of_its_moment_and_reads_leave_no_trace() {
    let organization = delegated().build();
    let before = organization.snapshot();
    let client = organization.management_client();
    client.list_aws_service_access_for_organization(None).await.unwrap();
    client.enable_aws_service_access(&SSM).await.unwrap();
    assert_eq!(organization.snapshot(), before);
    client.deregister_delegated_administrator(&alice(), &SSM).await.unwrap();
    assert_ne!(organization.snapshot(), before);
    // What lags behind in listings does not in a snapshot.
    let organization = organization_that_lags();
    let before = organization.snapshot();
    organization.trust(&SSM);
    assert_ne!(organization.snapshot(), before);
}

fn organization_that_lags() -> sim::Organization {
    organization().lag(Duration::from_mins(1)).build()
}

#[tokio::test(start_paused = true)]
async fn without_dates_the_same_made_again_is_the_same() {
    let start = || trusting().trusting(&config()).delegated_to(alice()).role_for(&DISCOVERY);
    let organization = start().data_sync(management(), region(HOME), organization_sync("it")).build();
    let before = organization.snapshot();
    let client = organization.management_client();
    client
        .delete_resource_data_sync(&region(HOME), &SyncName::new("it").unwrap(), SyncType::SyncFromSource)
        .await
        .unwrap();
    organization.add_data_sync(management(), region(HOME), organization_sync("it"));
    client.deregister_delegated_administrator(&alice(), &SSM).await.unwrap();
    client.register_delegated_administrator(&alice(), &SSM).await.unwrap();
    assert_ne!(organization.snapshot(), before);
    assert_eq!(organization.snapshot().without_dates(), before.clone().without_dates());
    client.disable_aws_service_access(&config()).await.unwrap();
    assert_ne!(organization.snapshot().without_dates(), before.clone().without_dates());
    client.enable_aws_service_access(&config()).await.unwrap();
    assert_eq!(organization.snapshot().without_dates(), before.clone().without_dates());

    // A role made again has another id and date.
    let again = sim::Builder::from(trusting().build().snapshot());
    tokio::time::advance(Duration::from_secs(5)).await;
    let again = again.delegated_to(alice()).trusting(&config()).role_for(&DISCOVERY).build();
    let first = start().build();
    let role = async |organization: &sim::Organization| {
        organization.management_client().get_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap().unwrap()
    };
    assert_ne!(role(&first).await, role(&again).await);
    assert_eq!(first.snapshot().without_dates(), again.snapshot().without_dates());

    // How a sync ran is no date, when it did is.
    let with = |set: fn(&mut DataSync)| {
        let mut sync = full_sync();
        set(&mut sync);
        organization_with(sync).snapshot().without_dates()
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

fn organization_with(sync: DataSync) -> sim::Organization {
    organization().data_sync(management(), region(HOME), sync).build()
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_the_same_and_goes_its_own_way() {
    let original = full().build();
    let before = original.snapshot();
    let copy = sim::Builder::from(before.clone()).build();
    assert_eq!(copy.snapshot(), before);
    copy.distrust(&SSM);
    copy.set_member(bob(), AccountState::Suspended);
    assert_eq!(original.snapshot(), before);
    // It has no past: no calls, and nothing that lags behind.
    let start = sim::Builder::from(before).lag(Duration::from_mins(1));
    let copy = start.feature_set(FeatureSet::All).build();
    assert_eq!(copy.calls(), []);
    let listed = copy.management_client().list_aws_service_access_for_organization(None).await.unwrap();
    assert_eq!(listed.items.len(), 2);
}

/// A date tells a thing from a later one of the same name, so none may come twice.
#[tokio::test(start_paused = true)]
async fn a_copy_goes_on_with_later_dates() {
    let far = date(4_000_000_000);
    let late: [fn(&mut DataSync, SystemTime); 4] = [
        |sync, date| sync.created = Some(date),
        |sync, date| sync.modified = Some(date),
        |sync, date| sync.last_run = Some(date),
        |sync, date| sync.last_success = Some(date),
    ];
    let mut snapshots: Vec<Snapshot> = Vec::new();
    for set in late {
        let mut sync = full_sync();
        set(&mut sync, far);
        snapshots.push(organization_with(sync).snapshot());
    }
    for snapshot in snapshots {
        let copy = sim::Builder::from(snapshot).build();
        copy.trust(&SSM);
        let listed = copy.management_client().list_aws_service_access_for_organization(None).await.unwrap();
        assert!(listed.items[0].since > Some(far), "{listed:?}");
    }

    // The dates of trust, delegations and roles count as well: each is the newest once.
    let newest: [fn(&sim::Organization); 3] = [
        |organization| organization.trust(&SSM),
        |organization| organization.delegate(alice()),
        |organization| drop(organization.clone()),
    ];
    for (at, change) in newest.into_iter().enumerate() {
        let organization = organization().build();
        tokio::time::advance(Duration::from_secs(1_000)).await;
        change(&organization);
        if at == 2 {
            organization.management_client().create_service_linked_role(&DISCOVERY).await.unwrap();
        }
        let copy = sim::Builder::from(organization.snapshot()).build();
        copy.trust(&config());
        let listed = copy.management_client().list_aws_service_access_for_organization(None).await.unwrap();
        let beginning = date(1_767_225_600);
        let since = listed.items[0].since.unwrap();
        assert!(since > beginning + Duration::from_secs(1_000), "{since:?}");
    }
    // And a copy made later than that follows the clock again.
    let copy = sim::Builder::from(trusting().build().snapshot()).build();
    tokio::time::advance(Duration::from_mins(1)).await;
    let before = copy.management_client().list_aws_service_access_for_organization(None).await.unwrap().items;
    copy.trust(&config());
    let after = copy.management_client().list_aws_service_access_for_organization(None).await.unwrap().items;
    let elapsed = after[0].since.unwrap().duration_since(before[0].since.unwrap()).unwrap();
    assert!(elapsed.abs_diff(Duration::from_mins(1)) < Duration::from_millis(10), "{elapsed:?}");
}

/// An organization begins on the first day of 2026, wherever and whenever it runs.
#[tokio::test(start_paused = true)]
async fn every_organization_begins_on_the_same_day() {
    let organization = trusting().build();
    let listed = organization.management_client().list_aws_service_access_for_organization(None).await.unwrap();
    assert_eq!(listed.items[0].since, Some(date(1_767_225_600) + Duration::from_millis(1)));
}

#[tokio::test(start_paused = true)]
async fn dates_are_tokios_time_in_whole_milliseconds() {
    let organization = organization().build();
    tokio::time::advance(Duration::from_micros(1_234_567)).await;
    organization.trust(&SSM);
    let listed = organization.management_client().list_aws_service_access_for_organization(None).await.unwrap();
    assert_eq!(listed.items[0].since, Some(date(1_767_225_600) + Duration::from_millis(1_234)));
}

#[cfg(feature = "serde")]
mod json {
    use serde_json::{Value, json};

    use super::*;

    fn written(snapshot: &Snapshot) -> Value {
        serde_json::to_value(snapshot).unwrap()
    }

    fn read(value: &Value) -> Result<Snapshot, String> {
        serde_json::from_str(&serde_json::to_string_pretty(value).unwrap()).map_err(|error| error.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_lost_on_the_way() {
        let mut starts = changed();
        starts.extend([("full", full()), ("new", sim::Organization::builder()), ("delegated", delegated())]);
        for (what, start) in starts {
            let snapshot = start.build().snapshot();
            let text = serde_json::to_string(&snapshot).unwrap();
            assert_eq!(serde_json::from_str::<Snapshot>(&text).unwrap(), snapshot, "{what}");
            assert_eq!(read(&written(&snapshot)).unwrap(), snapshot, "{what}, by way of a value");
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
                    let snapshot = start.build().snapshot();
                    assert_eq!(read(&written(&snapshot)).unwrap(), snapshot, "{state:?}, {status:?}, {sync_type:?}");
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_pleasant_to_read() {
        assert_eq!(
            written(&full().build().snapshot()),
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
        // What is as in a new organization is not mentioned.
        assert_eq!(
            written(&sim::Organization::builder().build().snapshot()),
            json!({ "id": "o-exampleorgid", "management": "111111111111", "partition": "aws", "feature_set": "ALL" })
        );
        let none = sim::Organization::builder().opt_in_regions([]).build();
        assert_eq!(written(&none.snapshot())["opt_in_regions"], json!([]), "none is not the usual ones");
    }

    #[test]
    fn an_id_and_a_management_account_are_enough() {
        let snapshot: Snapshot =
            serde_json::from_str(r#"{ "id": "o-exampleorgid", "management": "111111111111" }"#).unwrap();
        assert_eq!(snapshot, sim::Organization::builder().build().snapshot());

        // What a person would write down about syncs.
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
        let organization = sim::Builder::from(read(&by_hand).unwrap()).build();
        let [sync] = &organization.data_syncs(management(), &region(HOME))[..] else { panic!("one sync") };
        assert_eq!(sync.source_type, Some(SyncSourceType::AwsOrganizations));
        assert_eq!(sync.created, None);
        // A service that nobody administers is none that somebody does.
        let nobody = json!({
            "id": "o-exampleorgid", "management": "111111111111", "administrators": { "ssm.amazonaws.com": {} }
        });
        assert_eq!(read(&nobody).unwrap(), snapshot);
    }

    /// The text with one thing replaced.
    fn with(pointer: &str, value: Value) -> Value {
        let mut whole = written(&full().build().snapshot());
        *whole.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        whole
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_malformed_is_refused_by_name_and_line() {
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
            // The order of the keys is serde_json's, by its feature preserve_order.
            let marked = serde_json::to_string_pretty(&with(pointer, json!("here"))).unwrap();
            let place = 1 + marked.lines().position(|line| line.contains("\"here\"")).unwrap();
            // The parser may have read on to the bracket in the next line.
            let line = error.split(" line ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
            let line: usize = line.parse().unwrap();
            assert!((place..=place + 1).contains(&line), "{pointer}, line {place}: {error}");
        }
        // Keys are identifiers, too.
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
    async fn what_is_unknown_missing_or_there_twice_is_refused() {
        for pointer in ["", "/roles/0", "/data_syncs/0"] {
            let mut whole = written(&full().build().snapshot());
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
            let mut whole = written(&full().build().snapshot());
            whole.pointer_mut(pointer).and_then(Value::as_object_mut).unwrap().remove(needed).unwrap();
            let error = read(&whole).unwrap_err();
            assert!(error.contains(&format!("missing field `{needed}`")), "{pointer}: {error}");
        }
        for (pointer, message) in [
            ("/roles", "account 111111111111 has the role AWSServiceRoleForAmazonSSM twice"),
            ("/data_syncs", "account 111111111111 has the data sync \"everything\" in eu-central-1 twice"),
        ] {
            let mut whole = written(&full().build().snapshot());
            let list = whole.pointer_mut(pointer).and_then(Value::as_array_mut).unwrap();
            list.push(list[0].clone());
            assert_eq!(read(&whole).unwrap_err(), message);
        }
        // Of either type: a name is taken for both.
        let mut whole = written(&full().build().snapshot());
        let list = whole.pointer_mut("/data_syncs").and_then(Value::as_array_mut).unwrap();
        let mut other = list[0].clone();
        other["type"] = json!("SyncToDestination");
        list.push(other);
        assert!(read(&whole).unwrap_err().ends_with("twice"));
    }

    /// The text has years of four digits, from 1970 on.
    #[test]
    fn a_date_that_cannot_be_written_is_an_error() {
        let sync = |created: SystemTime| {
            let mut sync = organization_sync("it");
            sync.created = Some(created);
            organization_with(sync).snapshot()
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
    async fn an_organization_goes_on_from_its_file() {
        let text = serde_json::to_string(&delegated().build().snapshot()).unwrap();
        let snapshot: Snapshot = serde_json::from_str(&text).unwrap();
        let organization = sim::Builder::from(snapshot).build();
        let client = organization.management_client();
        client.deregister_delegated_administrator(&alice(), &SSM).await.unwrap();
        client.disable_aws_service_access(&SSM).await.unwrap();
        assert_eq!(organization.snapshot(), super::organization().build().snapshot());
    }
}
