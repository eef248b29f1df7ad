//! Damaged files: a plan, a receipt, a target or an organization is rejected or read consistently.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod reads;

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};
use ssm_organizations::plan::{Clients, Target, UndoOptions, UnlistedSyncs};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{SourceRegions, SyncDefinition};
use ssm_organizations::{AccountId, Region, SyncName, sim};

/// Complete files as the crate writes them, and a target as a person writes it.
struct Files {
    organization: Value,
    snapshot: Value,
    plan: Value,
    receipt: Value,
    target: Value,
}

static FILES: LazyLock<Files> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (alice, bob): (AccountId, AccountId) = ("222222222222".parse().unwrap(), "333333333333".parse().unwrap());
        let organization = sim::SimOrganization::builder().member(alice).member(bob).build();
        let (management, of_alice, of_bob) =
            (organization.management_client(), organization.client(alice), organization.client(bob));
        let clients = Clients::new(&management).with_account_client(&of_alice).with_account_client(&of_bob);
        let home: Region = "eu-central-1".parse().unwrap();
        let sync = |name: &str| {
            let regions = SourceRegions::new([home.clone()]).unwrap();
            SyncDefinition::of_organization(SyncName::new(name).unwrap(), regions)
        };
        let target = Target::new()
            .with_trusted_access(true)
            .with_administrator(alice)
            .with_role()
            .with_sync(Caller::Administrator, sync("theirs"), [home.clone()])
            .with_sync(Caller::Management, sync("ours"), [home.clone()])
            .with_unlisted_syncs(UnlistedSyncs::AllowLoss);
        let receipt = target.plan(&clients).await.unwrap().apply(&clients, |_| {}).await.unwrap().receipt;
        // The plan of an undo contains preconditions with dates.
        let plan = receipt.undo(&clients, &UndoOptions::new().with_unlisted_syncs(UnlistedSyncs::AllowLoss)).await.unwrap();
        Files {
            organization: serde_json::to_value(organization.state()).unwrap(),
            snapshot: serde_json::to_value(plan.snapshot()).unwrap(),
            plan: serde_json::to_value(&plan).unwrap(),
            receipt: serde_json::to_value(&receipt).unwrap(),
            target: json!({
                "trusted_access": "on",
                "administrator": "222222222222",
                "role": "create",
                "unlisted_syncs": "allow_loss",
                "search_regions": ["us-east-1"],
                "syncs": [
                    { "name": "all", "owner": "administrator", "regions": ["eu-central-1"], "units": ["ou-exam-12345678"] },
                    { "name": "old", "regions": ["eu-central-1"], "state": "absent" },
                ],
                "companions": { "ssm-quicksetup.amazonaws.com": { "trusted_access": "on", "administrator": "none" } },
            }),
        }
    })
});

/// Change that damages a file.
#[derive(Debug, Clone)]
enum Damage {
    /// Replaces a value.
    Replace(Index, Value),
    /// Removes a value.
    Remove(Index),
    /// Adds a field to an object.
    Add(Index, String, Value),
}

fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z0-9-]{0,70}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[[]], { "known": null }])),
        Just(json!("9999-12-31T23:59:59Z")),
        Just(json!("0000-00-00T00:00:00Z")),
    ]
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<Index>(), odd_value()).prop_map(|(at, value)| Damage::Replace(at, value)),
        any::<Index>().prop_map(Damage::Remove),
        (any::<Index>(), "[a-z_]{1,12}", odd_value()).prop_map(|(at, key, value)| Damage::Add(at, key, value)),
    ]
}

/// Collects the paths of all values, the outermost last.
fn paths(value: &Value, here: &str, all: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                paths(inner, &format!("{here}/{}", key.replace('~', "~0").replace('/', "~1")), all);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                paths(inner, &format!("{here}/{index}"), all);
            }
        }
        _ => {}
    }
    all.push(here.to_owned());
}

fn damaged(whole: &Value, damages: &[Damage]) -> Value {
    let mut value = whole.clone();
    for damage in damages {
        let mut all = Vec::new();
        paths(&value, "", &mut all);
        let (Damage::Replace(at, _) | Damage::Remove(at) | Damage::Add(at, _, _)) = damage;
        let path = at.get(&all);
        match damage {
            Damage::Replace(_, new) => *value.pointer_mut(path).unwrap() = new.clone(),
            Damage::Remove(_) => {
                let Some((parent, key)) = path.rsplit_once('/') else { continue };
                match value.pointer_mut(parent).unwrap() {
                    Value::Object(fields) => drop(fields.remove(key)),
                    Value::Array(items) => drop(items.remove(key.parse().unwrap())),
                    _ => {}
                }
            }
            Damage::Add(_, key, new) => {
                if let Value::Object(fields) = value.pointer_mut(path).unwrap() {
                    let _: &mut Map<_, _> = fields;
                    fields.insert(key.clone(), new.clone());
                }
            }
        }
    }
    value
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_file_is_rejected_or_read_consistently(damages in prop::collection::vec(damage(), 1..4)) {
        let files = &*FILES;
        for file in [&files.organization, &files.snapshot, &files.plan, &files.receipt, &files.target] {
            reads::any_file(&damaged(file, &damages));
        }
    }

    #[test]
    fn damaged_text_is_rejected_or_read_consistently(at in any::<Index>(), length in 0_usize..20, scribble in ".{0,6}") {
        let files = &*FILES;
        for file in [&files.organization, &files.snapshot, &files.plan, &files.receipt, &files.target] {
            let mut text: Vec<char> = file.to_string().chars().collect();
            let from = at.index(text.len());
            let to = (from + length).min(text.len());
            text.splice(from..to, scribble.chars());
            let text: String = text.into_iter().collect();
            reads::everything(&text);
        }
    }

    #[test]
    fn parsed_identifier_equals_its_text(text in prop_oneof![".{0,80}", "[a-z0-9-]{0,80}", "[0-9]{11,13}", "ou-[a-z0-9-]{0,70}", "o-[a-z0-9]{0,40}"]) {
        reads::identifiers(&text);
    }
}

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/files");

/// Asserts that every corpus file is read without a panic.
#[test]
fn fuzz_corpus_of_files_is_read_consistently() {
    for file in std::fs::read_dir(CORPUS).unwrap() {
        reads::everything(&String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()));
    }
}

/// Asserts that the seeds have the current format. A parser rejects other seeds immediately, which
/// makes fuzzing ineffective.
#[test]
fn fuzz_corpus_matches_current_file_formats() {
    let Files { organization, snapshot, plan, receipt, target } = &*FILES;
    let files = [
        ("organization", organization),
        ("snapshot", snapshot),
        ("plan", plan),
        ("receipt", receipt),
        ("target", target),
    ];
    for (name, file) in files {
        let path = format!("{CORPUS}/{name}.json");
        let mut file = file.clone();
        if let Some(time) = file.get_mut("created_at") {
            *time = Value::from("2026-01-01T00:00:00Z");
        }
        for change in file.get_mut("changes").and_then(Value::as_array_mut).into_iter().flatten() {
            change["sent_at"] = Value::from("2026-01-01T00:00:00Z");
        }
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            std::fs::write(&path, file.to_string()).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&kept).unwrap(), file, "{name}");
    }
    let by_hand = std::fs::read_to_string(format!("{CORPUS}/target.toml")).unwrap();
    assert!(toml::from_str::<Target>(&by_hand).is_ok());
}
