//! Damaged files: whatever is done to a plan, a receipt, a target or an organization on disk, reading it answers, and what it accepts is sound.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod reads;

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Map, Value, json};
use ssm_organizations::plan::{Clients, OtherSyncs, Target, Undo};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{SourceRegions, SyncDefinition};
use ssm_organizations::{AccountId, Region, SyncName, sim};

/// Whole files, as the crate writes them, and a target as a person does.
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
        let organization = sim::Organization::builder().member(alice).member(bob).build();
        let (management, of_alice, of_bob) =
            (organization.management_client(), organization.client(alice), organization.client(bob));
        let clients = Clients::new(&management).and(&of_alice).and(&of_bob);
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
            .with_other_syncs(OtherSyncs::Forfeit);
        let receipt = target.plan(&clients).await.unwrap().apply(&clients, |_| {}).await.unwrap();
        // One that takes back holds facts and dates.
        let plan = receipt.undo(&clients, &Undo::new().with_other_syncs(OtherSyncs::Forfeit)).await.unwrap();
        Files {
            organization: serde_json::to_value(organization.snapshot()).unwrap(),
            snapshot: serde_json::to_value(plan.snapshot()).unwrap(),
            plan: serde_json::to_value(&plan).unwrap(),
            receipt: serde_json::to_value(&receipt).unwrap(),
            target: json!({
                "trusted_access": "on",
                "administrator": "222222222222",
                "role": "create",
                "other_syncs": "forfeit",
                "look_in": ["us-east-1"],
                "syncs": [
                    { "name": "all", "owner": "administrator", "regions": ["eu-central-1"], "units": ["ou-exam-12345678"] },
                    { "name": "old", "regions": ["eu-central-1"], "state": "absent" },
                ],
                "companions": { "ssm-quicksetup.amazonaws.com": { "trusted_access": "on", "administrator": "none" } },
            }),
        }
    })
});

/// What is done to a file.
#[derive(Debug, Clone)]
enum Damage {
    /// One of its values becomes another.
    Replace(Index, Value),
    /// One of its values goes.
    Remove(Index),
    /// One of its objects gets another field.
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

/// The paths of everything in a value, the outermost last.
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
    fn a_damaged_file_is_refused_or_means_what_it_says(damages in prop::collection::vec(damage(), 1..4)) {
        let files = &*FILES;
        for file in [&files.organization, &files.snapshot, &files.plan, &files.receipt, &files.target] {
            reads::any_file(&damaged(file, &damages));
        }
    }

    #[test]
    fn torn_and_scribbled_text_is_refused(at in any::<Index>(), length in 0_usize..20, scribble in ".{0,6}") {
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
    fn an_identifier_is_the_text_that_it_was_read_from(text in prop_oneof![".{0,80}", "[a-z0-9-]{0,80}", "[0-9]{11,13}", "ou-[a-z0-9-]{0,70}", "o-[a-z0-9]{0,40}"]) {
        reads::identifiers(&text);
    }
}

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/files");

/// What fuzzing found its way with is read soundly, whatever it is.
#[test]
fn the_corpus_is_read_soundly() {
    for file in std::fs::read_dir(CORPUS).unwrap() {
        reads::everything(&String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()));
    }
}

/// What fuzzing begins with would be refused at once if it were of another form than the crate's today.
#[test]
fn the_corpus_has_each_file_as_it_is_written_today() {
    let Files { organization, snapshot, plan, receipt, target } = &*FILES;
    let files = [
        ("organization", organization),
        ("snapshot", snapshot),
        ("plan", plan),
        ("receipt", receipt),
        ("target", target),
    ];
    for (name, file) in files {
        let kept = std::fs::read_to_string(format!("{CORPUS}/{name}.json")).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&kept).unwrap(), *file, "{name}");
    }
    let by_hand = std::fs::read_to_string(format!("{CORPUS}/target.toml")).unwrap();
    assert!(toml::from_str::<Target>(&by_hand).is_ok());
}
