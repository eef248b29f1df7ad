//! Saved plans: members that contradict the action or the snapshot are rejected.
#![cfg(all(feature = "sim", feature = "serde"))]

use serde_json::{Value, json};
use ssm_organizations::plan::{Plan, Receipt, UndoOptions};

use super::organization_clients::{OrganizationClients, rearranged, stories};

/// Returns the error of deserializing a plan with one edited step.
fn refused(plan: &Value, step: usize, edit: impl FnOnce(&mut Value)) -> String {
    let mut plan = plan.clone();
    edit(&mut plan["steps"][step]);
    serde_json::from_value::<Plan>(plan).unwrap_err().to_string()
}

#[tokio::test(start_paused = true)]
async fn deserialize_plan_of_each_story_returns_same_plan() {
    for story in stories() {
        let org = OrganizationClients::new((story.start)());
        let plan = org.plan(&(story.target)()).await;
        let read: Plan = serde_json::from_value(serde_json::to_value(&plan).unwrap()).unwrap();
        assert_eq!(read, plan, "{}", story.name);
        let receipt = org.apply(&plan).await.unwrap();
        let undo =
            receipt.undo(&org.clients(), &UndoOptions::new().search_regions(super::organization_clients::home())).await;
        let Ok(undo) = undo else { continue };
        let read: Plan = serde_json::from_value(serde_json::to_value(&undo).unwrap()).unwrap();
        assert_eq!(read, undo, "undo of {}", story.name);
    }
}

/// Edits and removes each derived member of each step of every story.
#[tokio::test(start_paused = true)]
async fn deserialize_plan_with_edited_member_names_it() {
    for story in stories() {
        let org = OrganizationClients::new((story.start)());
        let plan = org.plan(&(story.target)()).await;
        let written = serde_json::to_value(&plan).unwrap();
        for (index, step) in plan.steps().iter().enumerate() {
            let mut edits: Vec<(&str, Value)> = vec![
                ("iam_action", json!("organizations:LeaveOrganization")),
                ("aws_command", json!("aws organizations leave-organization")),
                ("condition", json!({ "ssm:SyncType": ["SyncToDestination"] })),
                ("preconditions", json!([{ "trusted_access_disabled": { "principal": "config.amazonaws.com" } }])),
            ];
            if !step.preconditions().is_empty() {
                edits.push(("preconditions", json!([])));
            }
            if step.condition().is_some() {
                edits.push(("condition", Value::Null));
            }
            for (member, value) in edits {
                let error = refused(&written, index, |step| step[member] = value);
                let what = format!("steps: to {}: {member}: ", step.action());
                assert!(error.contains(&what), "{}: {error}", story.name);
            }
            for member in ["iam_action", "aws_command", "preconditions"] {
                let error = refused(&written, index, |step| drop(step.as_object_mut().unwrap().remove(member)));
                assert!(error.contains(&format!("missing field `{member}`")), "{}: {error}", story.name);
            }
            if step.affected_syncs().is_some_and(|affected| !affected.listed.is_empty()) {
                let error = refused(&written, index, |step| step["affected_syncs"]["listed"] = json!([]));
                assert!(error.contains("affected_syncs.listed: "), "{}: {error}", story.name);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn deserialize_plan_with_edited_description_rewrites_it() {
    let org = OrganizationClients::new(super::organization_clients::everything());
    let plan = org.plan(&rearranged()).await;
    let mut written = serde_json::to_value(&plan).unwrap();
    written["steps"][0]["description"] = json!("harmless");
    let read: Plan = serde_json::from_value(written).unwrap();
    assert_eq!(read, plan);
    assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(&plan).unwrap());
}

#[tokio::test(start_paused = true)]
async fn deserialize_plan_without_its_warnings_restores_them() {
    let org = OrganizationClients::new(crate::common::organization());
    let plan = org.plan(&super::organization_clients::onboarding()).await;
    assert!(!plan.warnings().is_empty(), "{plan}");
    let mut written = serde_json::to_value(&plan).unwrap();
    written.as_object_mut().unwrap().remove("warnings");
    let read: Plan = serde_json::from_value(written).unwrap();
    assert_eq!(read.warnings(), plan.warnings());
}

/// Edits the action of each step of the onboarding.
#[tokio::test(start_paused = true)]
async fn deserialize_plan_with_edited_action_is_refused() {
    let story = stories().into_iter().next().unwrap();
    let org = OrganizationClients::new((story.start)());
    let written = serde_json::to_value(org.plan(&(story.target)()).await).unwrap();
    let text = written.to_string();
    for (from, to) in [
        (
            r#"{"register_administrator":{"account":"222222222222""#,
            r#"{"register_administrator":{"account":"333333333333""#,
        ),
        (r#""definition":{"#, r#""definition":{"all_ops_data_sources":true,"#),
        (
            r#"{"enable_trusted_access":{"principal":"ssm.amazonaws.com"}}"#,
            r#"{"enable_trusted_access":{"principal":"config.amazonaws.com"}}"#,
        ),
        (
            r#"{"enable_trusted_access":{"principal":"ssm.amazonaws.com"}}"#,
            r#"{"disable_trusted_access":{"principal":"ssm.amazonaws.com"}}"#,
        ),
    ] {
        let edited = text.replacen(from, to, 1);
        assert_ne!(edited, text, "{from} is in {text}");
        let error = serde_json::from_str::<Plan>(&edited).unwrap_err().to_string();
        assert!(error.contains("steps: to "), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn deserialize_plan_and_receipt_say_what_the_other_file_is() {
    let story = stories().into_iter().next().unwrap();
    let org = OrganizationClients::new((story.start)());
    let plan = org.plan(&(story.target)()).await;
    let receipt = org.apply(&plan).await.unwrap();
    let error = serde_json::from_value::<Plan>(serde_json::to_value(&receipt).unwrap()).unwrap_err().to_string();
    assert_eq!(error, "it is a receipt, which is undone, and not a plan");
    let error = serde_json::from_value::<Receipt>(serde_json::to_value(&plan).unwrap()).unwrap_err().to_string();
    assert_eq!(error, "it is a plan, which is applied, and not a receipt");
    // Unknown members are still rejected.
    for unknown in [json!({ "format": 2, "stepz": [] }), json!({ "format": 2 })] {
        serde_json::from_value::<Plan>(unknown.clone()).unwrap_err();
        serde_json::from_value::<Receipt>(unknown).unwrap_err();
    }
}

/// Returns the canonical form that the documentation of `Plan::digest` describes.
fn canonical(plan: &Plan) -> String {
    let saved = serde_json::to_value(plan).unwrap();
    let organization = &saved["snapshot"]["organization"];
    // The steps keep the order of their members, which `Value` would sort.
    let written = serde_json::to_string(plan.steps()).unwrap();
    let steps: Vec<Box<serde_json::value::RawValue>> = serde_json::from_str(&written).unwrap();
    let member = |step: &serde_json::value::RawValue, name: &str| {
        let members: std::collections::HashMap<String, Box<serde_json::value::RawValue>> =
            serde_json::from_str(step.get()).unwrap();
        members.get(name).map_or("null".to_owned(), |value| value.get().to_owned())
    };
    let steps = steps.iter().map(|step| {
        let names = ["action", "account", "preconditions", "affected_syncs"];
        let members = names.map(|name| format!("\"{name}\":{}", member(step, name)));
        format!("{{{}}}", members.join(","))
    });
    format!(
        "{{\"organization\":{},\"management_account\":{},\"steps\":[{}]}}",
        organization["id"],
        organization["management_account"],
        steps.collect::<Vec<_>>().join(",")
    )
}

#[tokio::test(start_paused = true)]
async fn digest_is_that_of_the_documented_form() {
    use sha2::{Digest, Sha256};
    for story in stories() {
        let org = OrganizationClients::new((story.start)());
        let plan = org.plan(&(story.target)()).await;
        let expected = Sha256::digest(canonical(&plan));
        let digest = plan.digest().unwrap();
        assert_eq!(digest.len(), 64);
        for (index, byte) in expected.iter().enumerate() {
            assert_eq!(digest.get(2 * index..2 * index + 2), Some(format!("{byte:02x}").as_str()), "{}", story.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn digest_depends_on_the_steps_and_not_on_the_time() {
    let mut digests = std::collections::BTreeMap::new();
    for story in stories() {
        let org = OrganizationClients::new((story.start)());
        let target = (story.target)();
        let plan = org.plan(&target).await;
        let again = org.plan(&target).await;
        assert!(again.created_at() >= plan.created_at());
        assert_eq!(again.digest().unwrap(), plan.digest().unwrap(), "{}", story.name);
        let read: Plan = serde_json::from_value(serde_json::to_value(&plan).unwrap()).unwrap();
        assert_eq!((read.digest().unwrap(), read.created_at()), (plan.digest().unwrap(), plan.created_at()));
        let other = digests.insert(plan.digest().unwrap(), plan.steps().to_vec());
        assert!(other.is_none_or(|steps| steps == plan.steps()), "{}", story.name);
    }
    assert!(digests.len() > 3);
}
