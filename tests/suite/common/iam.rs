//! Parser and matcher for the subset of IAM policies that this crate generates. It follows the IAM
//! grammar and is independent of the code under test.

use std::collections::BTreeSet;

use serde_json::Value;

/// One action on one resource under one value of a condition key.
pub type Grant = (String, String, Option<(String, String)>);

/// Returns the grants of a policy. Asserts that the policy follows the IAM grammar.
pub fn grants(policy: &str) -> BTreeSet<Grant> {
    assert!(policy.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "IAM takes Latin-1: {policy}");
    let policy: Value = serde_json::from_str(policy).unwrap();
    // A Cargo feature of another crate can change the key order of JSON objects.
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let named = |names: &BTreeSet<&str>| names.iter().copied().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(keys(&policy), named(&BTreeSet::from(["Statement", "Version"])));
    assert_eq!(policy["Version"], "2012-10-17");
    let mut sids = BTreeSet::new();
    let mut grants = BTreeSet::new();
    for statement in policy["Statement"].as_array().unwrap() {
        let mut allowed = BTreeSet::from(["Action", "Effect", "Resource", "Sid"]);
        if statement.get("Condition").is_some() {
            allowed.insert("Condition");
        }
        assert_eq!(keys(statement), named(&allowed));
        assert_eq!(statement["Effect"], "Allow");
        let sid = statement["Sid"].as_str().unwrap();
        assert!(!sid.is_empty() && sid.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{sid}");
        assert!(sids.insert(sid.to_owned()), "{sid} twice");
        for action in texts(&statement["Action"]) {
            for resource in texts(&statement["Resource"]) {
                assert!(resource == "*" || resource.splitn(6, ':').count() == 6 && resource.starts_with("arn:"));
                for condition in conditions(statement.get("Condition")) {
                    let grant = (action.clone(), resource.clone(), condition);
                    assert!(grants.insert(grant.clone()), "{grant:?} twice");
                }
            }
        }
    }
    grants
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => {
            assert!(items.len() > 1, "a list of one is written as a text: {value}");
            items.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
        }
        other => panic!("neither a string nor a list: {other}"),
    }
}

fn conditions(condition: Option<&Value>) -> Vec<Option<(String, String)>> {
    let Some(condition) = condition else { return vec![None] };
    let operators = condition.as_object().unwrap();
    assert_eq!(operators.keys().collect::<Vec<_>>(), ["StringEquals"]);
    let keys = operators["StringEquals"].as_object().unwrap();
    assert_eq!(keys.len(), 1);
    let values = keys.iter().flat_map(|(key, values)| texts(values).into_iter().map(|value| (key.clone(), value)));
    values.map(Some).collect()
}

/// Returns whether an IAM pattern matches a resource. `*` matches any text and `?` any character;
/// `${*}`, `${?}` and `${$}` match the characters themselves.
pub fn means(pattern: &str, resource: &str) -> bool {
    let [pattern, resource] = [pattern, resource].map(|text| text.chars().collect::<Vec<_>>());
    means_chars(&pattern, &resource)
}

fn means_chars(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        (['$', '{', char @ ('*' | '?' | '$'), '}', rest @ ..], [first, text @ ..]) => {
            char == first && means_chars(rest, text)
        }
        (['$', '{', ..], [_, ..]) => panic!("a variable: {pattern:?}"),
        (['*', rest @ ..], [_, fewer @ ..]) => means_chars(rest, text) || means_chars(pattern, fewer),
        (['*', rest @ ..], []) => means_chars(rest, text),
        (['?', rest @ ..], [_, text @ ..]) => means_chars(rest, text),
        ([char, rest @ ..], [first, text @ ..]) => char == first && means_chars(rest, text),
        ([], text) => text.is_empty(),
        (_, []) => false,
    }
}
