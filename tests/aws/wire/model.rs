//! AWS's own models of valid requests. Every request of these tests is checked against them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex_lite::Regex;
use serde_json::{Map, Value, json};
use ssm_organizations::ports::Operation;

static OPERATIONS: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let model: Value = serde_json::from_str(include_str!("../model/inputs.json")).expect("the models are JSON");
    model["operations"].as_object().expect("operations by name").clone()
});

/// Returns the violations of AWS's model of the operation. `target` is the header of a JSON
/// request; a request without it is a form.
pub(crate) fn faults(operation: &str, target: Option<&str>, body: &str) -> Vec<String> {
    let Some(model) = OPERATIONS.get(operation) else { return vec![format!("{operation} is not in the models")] };
    let mut faults = Vec::new();
    let body = if let Some(target) = target {
        if model["target"] != target {
            faults.push(format!("the target {target}"));
        }
        serde_json::from_str(body).unwrap_or_else(|error| json!(error.to_string()))
    } else {
        let mut form = form(body);
        let head = (form.remove("Action"), form.remove("Version"));
        if head != (Some(json!(operation)), Some(model["version"].clone())) {
            faults.push(format!("the head {head:?}"));
        }
        Value::Object(form)
    };
    check(&model["input"], &body, operation, &mut faults);
    faults
}

fn check(shape: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let mut fault = |what: &str| faults.push(format!("{at}: {what}"));
    let size = match (shape["type"].as_str(), value) {
        (Some("structure"), Value::Object(members)) => {
            let known = shape["members"].as_object().expect("the members of a structure");
            for name in members.keys().filter(|name| !known.contains_key(*name)) {
                fault(&format!("{name} is no member"));
            }
            for name in shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if members.get(name).is_none_or(Value::is_null) {
                    fault(&format!("{name} is missing"));
                }
            }
            for (name, shape) in known {
                if let Some(value) = members.get(name) {
                    check(shape, value, &format!("{at}.{name}"), faults);
                }
            }
            return;
        }
        (Some("list"), Value::Array(items)) => {
            for item in items {
                check(&shape["member"], item, &format!("{at}[]"), faults);
            }
            items.len() as u64
        }
        (Some("string"), Value::String(text)) => {
            if let Some(pattern) = shape["pattern"].as_str()
                && !Regex::new(&format!("^(?:{pattern})$")).expect("a pattern").is_match(text)
            {
                fault("not of the pattern");
            }
            if let Some(values) = shape["enum"].as_array()
                && !values.contains(value)
            {
                fault("none of the values");
            }
            text.chars().count() as u64
        }
        (Some("integer"), Value::Number(number)) => {
            number.as_u64().unwrap_or_else(|| panic!("{at}: {number} is new here"))
        }
        (Some("boolean"), Value::Bool(_)) => return,
        (kind, _) => return fault(&format!("no {}", kind.expect("a type"))),
    };
    if shape["min"].as_u64().is_some_and(|min| size < min) || shape["max"].as_u64().is_some_and(|max| size > max) {
        faults.push(format!("{at}: out of bounds"));
    }
}

fn form(body: &str) -> Map<String, Value> {
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), json!(decoded(value)))).collect()
}

/// Decodes `%XX`.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut decoded = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at(2);
        decoded.push(u8::from_str_radix(code, 16).expect("two hexadecimal digits"));
        decoded.extend(rest.as_bytes());
    }
    String::from_utf8(decoded).expect("UTF-8")
}

#[test]
fn input_models_cover_exactly_all_operations() {
    let known: BTreeSet<_> = OPERATIONS.keys().map(String::as_str).collect();
    assert_eq!(known, Operation::ALL.iter().map(|operation| operation.name()).collect());
}

/// Asserts that the check reports each kind of violation.
#[test]
fn request_check_reports_each_model_violation() {
    let create = |change: &dyn Fn(&mut Value)| {
        let mut body = json!({
            "SyncName": "org",
            "SyncType": "SyncFromSource",
            "SyncSource": {
                "SourceType": "AwsOrganizations",
                "AwsOrganizationsSource": {
                    "OrganizationSourceType": "OrganizationalUnits",
                    "OrganizationalUnits": [{ "OrganizationalUnitId": "ou-root-11111111" }],
                },
                "SourceRegions": ["us-east-1"],
                "IncludeFutureRegions": false,
            },
        });
        change(&mut body);
        faults("CreateResourceDataSync", Some("AmazonSSM.CreateResourceDataSync"), &body.to_string())
    };
    let source = "CreateResourceDataSync.SyncSource";
    let unit = format!("{source}.AwsOrganizationsSource.OrganizationalUnits[].OrganizationalUnitId");
    assert_eq!(create(&|_| {}), [""; 0]);
    assert_eq!(create(&|body| body["Name"] = json!("org")), ["CreateResourceDataSync: Name is no member"]);
    assert_eq!(
        create(&|body| body["SyncName"] = Value::Null),
        ["CreateResourceDataSync: SyncName is missing", "CreateResourceDataSync.SyncName: no string",]
    );
    assert_eq!(create(&|body| body["SyncName"] = json!("")), ["CreateResourceDataSync.SyncName: out of bounds"]);
    assert_eq!(
        create(&|body| body["SyncName"] = json!("é".repeat(65))),
        ["CreateResourceDataSync.SyncName: out of bounds"]
    );
    assert_eq!(create(&|body| body["SyncSource"] = json!([])), [format!("{source}: no structure")]);
    assert_eq!(
        create(&|body| body["SyncSource"]["SourceRegions"] = json!({})),
        [format!("{source}.SourceRegions: no list")]
    );
    assert_eq!(
        create(&|body| body["SyncSource"]["IncludeFutureRegions"] = json!("false")),
        [format!("{source}.IncludeFutureRegions: no boolean")]
    );
    assert_eq!(
        create(&|body| {
            let units = &mut body["SyncSource"]["AwsOrganizationsSource"]["OrganizationalUnits"];
            units[0]["OrganizationalUnitId"] = json!("r-root");
        }),
        [format!("{unit}: not of the pattern")]
    );

    let list = |body: &Value| faults("ListResourceDataSync", Some("AmazonSSM.ListResourceDataSync"), &body.to_string());
    assert_eq!(list(&json!({ "MaxResults": 50 })), [""; 0]);
    assert_eq!(list(&json!({ "MaxResults": 51 })), ["ListResourceDataSync.MaxResults: out of bounds"]);
    assert_eq!(list(&json!({ "MaxResults": "50" })), ["ListResourceDataSync.MaxResults: no integer"]);
    assert_eq!(faults("ListResourceDataSync", Some("AmazonSSM.List"), "{}"), ["the target AmazonSSM.List"]);

    let role = |body| faults("GetRole", None, body);
    assert_eq!(role("Action=GetRole&Version=2010-05-08&RoleName=a%40b"), [""; 0]);
    assert_eq!(role("Action=GetRole&Version=2010-05-08&RoleName=a%2Fb"), ["GetRole.RoleName: not of the pattern"]);
    assert_eq!(role("Action=GetRole&Version=2010-05-08"), ["GetRole: RoleName is missing"]);
    assert_eq!(
        role("Action=GetRole&Version=2011-06-15&RoleName=ab"),
        [r#"the head (Some(String("GetRole")), Some(String("2011-06-15")))"#]
    );
}
