//! Targets, plans and receipts as files: accepted input, and errors with the position and the
//! allowed values.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

use ssm_organizations::plan::{AdministratorTarget, Clients, Plan, Receipt, ServiceTarget, Target, UnlistedSyncs};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{Operation, OrganizationalUnits, SourceRegions, SyncDefinition, SyncSource};
use ssm_organizations::sim::Fault;
use ssm_organizations::{AccountId, Region, ServicePrincipal, SyncName, sim};

fn alice() -> AccountId {
    "222222222222".parse().unwrap()
}

fn region(name: &str) -> Region {
    name.parse().unwrap()
}

fn name(text: &str) -> SyncName {
    text.parse().unwrap()
}

fn from(names: &[&str]) -> SourceRegions {
    SourceRegions::new(names.iter().map(|name| region(name))).unwrap()
}

fn read(toml: &str) -> Target {
    toml::from_str(toml).unwrap_or_else(|error| panic!("{error}\n{toml}"))
}

const WHOLE: &str = r#"
trusted_access = "on"
administrator = "222222222222"
role = "create"
unlisted_syncs = "allow_loss"
search_regions = ["us-east-1"]

[[syncs]]
name = "all-accounts"
owner = "administrator"
regions = ["eu-central-1", "us-east-1"]
units = ["ou-exam-12345678"]
source_regions = ["eu-west-1"]
future_regions = true
all_ops_data_sources = true

[[syncs]]
name = "own"
owner = "333333333333"
regions = ["eu-central-1"]
single_account = true

[[syncs]]
name = "old"
regions = ["eu-central-1"]
state = "absent"

[companions."ssm-quicksetup.amazonaws.com"]
trusted_access = "on"
administrator = "none"
"#;

fn whole() -> Target {
    let units = OrganizationalUnits::new(["ou-exam-12345678".parse().unwrap()]).unwrap();
    let all = SyncDefinition::of_units(name("all-accounts"), units, from(&["eu-west-1"]))
        .including_future_regions()
        .enabling_all_ops_data_sources();
    let own = SyncDefinition::new(name("own"), SyncSource::SingleAccount, from(&["eu-central-1"]));
    let quick_setup = ServiceTarget::new().with_trusted_access(true).with_administrator(AdministratorTarget::None);
    Target::new()
        .with_trusted_access(true)
        .with_administrator(alice())
        .with_role()
        .with_unlisted_syncs(UnlistedSyncs::AllowLoss)
        .search_regions([region("us-east-1")])
        .with_sync(Caller::Administrator, all, [region("eu-central-1"), region("us-east-1")])
        .with_sync(Caller::Account("333333333333".parse().unwrap()), own, [region("eu-central-1")])
        .without_sync(Caller::Management, name("old"), [region("eu-central-1")])
        .with_companion(ServicePrincipal::QUICK_SETUP, quick_setup)
}

#[test]
fn target_from_toml_and_json_is_equal() {
    assert_eq!(read(WHOLE), whole());
    let json: serde_json::Value = toml::from_str(WHOLE).unwrap();
    assert_eq!(serde_json::from_value::<Target>(json.clone()).unwrap(), whole());
    assert_eq!(serde_json::from_str::<Target>(&json.to_string()).unwrap(), whole());
}

#[test]
fn omitted_target_fields_change_nothing() {
    assert_eq!(read(""), Target::new());
    assert_eq!(serde_json::from_str::<Target>("{}").unwrap(), Target::new());
    assert_eq!(read("role = \"keep\""), Target::new());
    assert_eq!(read("trusted_access = \"off\""), Target::new().with_trusted_access(false));
    assert_eq!(read("administrator = \"none\""), Target::new().without_administrator());
    assert_eq!(read("role = \"delete\""), Target::new().without_role());
    let sync = SyncDefinition::of_organization(name("all"), from(&["eu-central-1"]));
    assert_eq!(
        read("[[syncs]]\nname = \"all\"\nregions = [\"eu-central-1\"]"),
        Target::new().with_sync(Caller::Management, sync, [region("eu-central-1")]),
        "the defaults are the home Region and the management account"
    );
}

/// Checks the example in the documentation.
#[test]
fn documented_target_example_is_valid() {
    let source = include_str!("../../src/plan/target.rs");
    let toml: String = source
        .lines()
        .skip_while(|line| *line != "/// ```toml")
        .skip(1)
        .take_while(|line| *line != "/// ```")
        .map(|line| line.trim_start_matches("///").trim_start_matches(' '))
        .collect::<Vec<_>>()
        .join("\n");
    assert!(toml.contains("[[syncs]]"), "{toml}");
    read(&toml).check().unwrap();
}

#[test]
fn invalid_target_file_reports_line_and_allowed_values() {
    let sync = |more: &str| format!("[[syncs]]\nname = \"all\"\nregions = [\"eu-central-1\"]\n{more}");
    let two = |more: &str| format!("{}\n[[syncs]]\nname = \"all\"\nregions = [\"eu-central-1\"]\n{more}", sync(""));
    let cases: Vec<(String, &str, &[&str])> = vec![
        ("trusted_access = \"yes\"".into(), "line 1", &["\"yes\"", "\"on\" or \"off\""]),
        ("trusted_access = true".into(), "line 1", &["true", "\"on\" or \"off\""]),
        ("trust = \"on\"".into(), "line 1", &["unknown field `trust`", "`trusted_access`", "`administrator`"]),
        (
            "administrator = \"12345\"".into(),
            "line 1",
            &["\"12345\"", "an account id in quotes (twelve digits), or \"none\""],
        ),
        (
            "administrator = 222222222222".into(),
            "line 1",
            &["222222222222", "an account id in quotes (twelve digits), or \"none\""],
        ),
        ("role = \"present\"".into(), "line 1", &["\"present\"", "\"create\", \"delete\" or \"keep\""]),
        ("unlisted_syncs = \"lose\"".into(), "line 1", &["\"lose\"", "\"protect\" or \"allow_loss\""]),
        ("search_regions = [\"Frankfurt\"]".into(), "line 1", &["\"Frankfurt\" is not a Region", "lower-case letters"]),
        ("[[syncs]]\nregions = [\"eu-central-1\"]".into(), "line 1", &["missing field `name`"]),
        ("[[syncs]]\nname = \"all\"".into(), "line 1", &["missing field `regions`"]),
        (
            "[[syncs]]\nname = \"all\"\nregions = []".into(),
            "line 1",
            &["data sync \"all\": expected at least one home Region"],
        ),
        ("[[syncs]]\nname = \"\"\nregions = [\"eu-central-1\"]".into(), "line 2", &["1 to 64 characters"]),
        (
            sync("owner = \"me\""),
            "line 4",
            &["\"me\"", "\"management\", \"administrator\", or an account id in quotes (twelve digits)"],
        ),
        (sync("state = \"gone\""), "line 4", &["\"gone\"", "\"present\" or \"absent\""]),
        (sync("units = [\"r-root\"]"), "line 4", &["\"r-root\" is not the id of an organizational unit", "\"ou-\""]),
        (sync("colour = \"red\""), "line 4", &["unknown field `colour`", "`source_regions`"]),
        (
            sync("single_account = true\nunits = [\"ou-exam-12345678\"]"),
            "line 1",
            &["is not a source of a single account: no organizational units"],
        ),
        (
            "[[syncs]]\nname = \"AWS-QuickSetup-x\"\nregions = [\"eu-central-1\"]".into(),
            "line 1",
            &["another AWS service looks after the data sync \"AWS-QuickSetup-x\""],
        ),
        (two(""), "", &["data sync \"all\": expected one definition in eu-central-1, found two"]),
        (
            "trusted_access = \"off\"\nadministrator = \"222222222222\"".into(),
            "",
            &[
                "trusted access of ssm.amazonaws.com: expected enabled, because the target registers account 222222222222",
            ],
        ),
        (
            "[companions.\"ssm.amazonaws.com\"]\ntrusted_access = \"on\"".into(),
            "",
            &["companions: ssm.amazonaws.com is no companion; say it at the top"],
        ),
        ("[companions.\"a b\"]\ntrusted_access = \"on\"".into(), "line 1", &["\"a b\" is not a service principal"]),
        (
            "[companions.\"ssm-quicksetup.amazonaws.com\"]\nrole = \"create\"".into(),
            "line 2",
            &["unknown field `role`", "`trusted_access`", "`administrator`"],
        ),
    ];
    let described = [
        "units = [\"ou-exam-12345678\"]",
        "single_account = true",
        "source_regions = [\"us-east-1\"]",
        "future_regions = true",
        "all_ops_data_sources = true",
    ];
    let absent = |more| sync(&format!("state = \"absent\"\n{more}"));
    let words: &[&str] = &["\"all\" is to be absent", "is given"];
    let cases = cases.into_iter().chain(described.map(|more| (absent(more), "line 1", words)));
    for (toml, place, words) in cases {
        let error = match toml::from_str::<Target>(&toml) {
            Ok(target) => panic!("{toml}\n{target:?}"),
            Err(error) => error.to_string(),
        };
        assert!(error.contains(place), "{toml}\nnot {place}:\n{error}");
        for word in words {
            assert!(error.contains(word), "{toml}\nwithout {word}:\n{error}");
        }
        // The error in JSON names the same words, with the position in the JSON text.
        let json: serde_json::Value = toml::from_str(&toml).unwrap();
        let error =
            serde_json::from_str::<Target>(&serde_json::to_string_pretty(&json).unwrap()).unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "{json}\nwithout {word}:\n{error}");
        }
        assert!(place.is_empty() || error.contains(" at line "), "{error}");
    }
}

async fn kept() -> (serde_json::Value, serde_json::Value) {
    let organization = sim::SimOrganization::builder().member(alice()).build();
    let (management, alice_client) = (organization.management_client(), organization.client(alice()));
    let clients = Clients::new(&management).with_account_client(&alice_client);
    let sync = SyncDefinition::of_organization(name("all"), from(&["eu-central-1"]));
    let target = Target::new().with_trusted_access(true).with_administrator(alice()).with_role().with_sync(
        Caller::Administrator,
        sync,
        [region("eu-central-1")],
    );
    let plan = target.plan(&clients).await.unwrap();
    let receipt = plan.apply(&clients, |_| {}).await.unwrap().receipt;
    (serde_json::to_value(plan).unwrap(), serde_json::to_value(receipt).unwrap())
}

#[tokio::test(start_paused = true)]
async fn deserialize_plan_or_receipt_of_other_format_fails() {
    let (plan, receipt) = kept().await;
    serde_json::from_value::<Plan>(plan.clone()).unwrap();
    serde_json::from_value::<Receipt>(receipt.clone()).unwrap();
    let changed = |value: &serde_json::Value, pointer: &str, key: &str, new: serde_json::Value| {
        let mut value = value.clone();
        let place = value.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}"));
        place.as_object_mut().unwrap_or_else(|| panic!("{pointer}")).insert(key.to_owned(), new);
        value
    };
    let format = "it is written in format 3, and this release reads format 2";
    let new = || serde_json::Value::from("new");
    for (pointer, key, value, words) in [
        ("", "format", 3.into(), format),
        ("", "extra", new(), "unknown field `extra`"),
        ("/snapshot", "extra", new(), "unknown field `extra`"),
        ("/snapshot/organization", "extra", new(), "unknown field `extra`"),
        ("/snapshot/services/0", "extra", new(), "unknown field `extra`"),
        ("/steps/0", "extra", new(), "unknown field `extra`"),
        ("/steps/0/action", "extra", new(), "expected"),
        ("/steps/0/action/enable_trusted_access", "extra", new(), "unknown field `extra`"),
        ("/steps/0/preconditions/0/trusted_access_disabled", "extra", new(), "unknown field `extra`"),
        ("/steps/3/action/create_sync/definition", "extra", new(), "unknown field `extra`"),
        ("/steps/2", "account", "12".into(), "is not an account id"),
    ] {
        let error = serde_json::from_value::<Plan>(changed(&plan, pointer, key, value)).expect_err(pointer).to_string();
        assert!(error.contains(words), "{pointer}: {error}");
    }
    for (pointer, key, value, words) in [
        ("", "format", 3.into(), format),
        ("", "extra", new(), "unknown field `extra`"),
        ("/changes/0", "extra", new(), "unknown field `extra`"),
        ("/changes/0", "certainty", "perhaps".into(), "unknown variant `perhaps`"),
        ("/changes/0/kind/trusted_access_enabled", "extra", new(), "unknown field `extra`"),
        ("/changes/0/kind/trusted_access_enabled", "enabled_at", "yesterday".into(), ""),
        ("/changes/3/kind/data_sync_created/sync", "extra", new(), "unknown field `extra`"),
    ] {
        let error =
            serde_json::from_value::<Receipt>(changed(&receipt, pointer, key, value)).expect_err(pointer).to_string();
        assert!(error.contains(words), "{pointer}: {error}");
    }
    // A plan without a format is refused.
    let mut nameless = plan;
    nameless.as_object_mut().unwrap().remove("format");
    let error = serde_json::from_value::<Plan>(nameless).unwrap_err().to_string();
    assert!(error.contains("missing field `format`"), "{error}");
}

/// Asserts that an edited description has no effect, and that an edited command is refused.
#[tokio::test(start_paused = true)]
async fn deserialized_plan_ignores_edited_descriptions() {
    let (plan, _) = kept().await;
    let read: Plan = serde_json::from_value(plan.clone()).unwrap();
    let mut lying = plan;
    *lying.pointer_mut("/steps/0/description").unwrap() = "nothing".into();
    let mended: Plan = serde_json::from_value(lying.clone()).unwrap();
    assert_eq!(mended, read);
    *lying.pointer_mut("/steps/0/aws_command").unwrap() = "rm -rf /".into();
    let refused = serde_json::from_value::<Plan>(lying).unwrap_err().to_string();
    assert!(refused.contains("aws_command") && !refused.contains("rm -rf"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn saved_plan_and_receipt_omit_email_addresses() {
    let organization = sim::SimOrganization::builder().member(alice()).build();
    let hostile = "User: arn:aws:iam::111111111111:user/jane.doe@example.com is not authorized";
    let client = organization.management_client();
    organization.inject_fault(
        Operation::ListDelegatedAdministrators,
        1,
        Fault::refused_with_reason("AccessDeniedException", "ask jane.doe@example.com"),
    );
    let target = Target::new().with_trusted_access(true).search_regions([region("eu-central-1")]);
    let plan = target.plan(&Clients::new(&client)).await.unwrap();
    let written = [plan.to_string(), format!("{plan:?}"), serde_json::to_string(&plan).unwrap()];
    for text in &written {
        assert!(text.contains("ListDelegatedAdministrators"), "{text}");
        assert!(!text.contains('@'), "{text}");
    }
    organization.inject_fault(
        Operation::EnableAwsServiceAccess,
        1,
        Fault::refused_with_reason("AccessDeniedException", hostile),
    );
    let stopped = plan.apply(&Clients::new(&client), |_| {}).await.unwrap_err();
    for text in [stopped.to_string(), format!("{stopped:?}"), serde_json::to_string(stopped.receipt()).unwrap()] {
        assert!(!text.contains("example.com"), "{text}");
    }
    let now = serde_json::to_string(stopped.now().unwrap()).unwrap();
    assert!(!now.contains("example.com"), "{now}");
    // Errors of invalid files do not contain the address either.
    let error = toml::from_str::<Target>("administrator = \"jane.doe@example.com\"").unwrap_err();
    assert!(!error.message().contains("jane.doe"), "{}", error.message());
}
