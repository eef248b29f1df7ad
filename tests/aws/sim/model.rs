//! AWS's model of the responses, extracted from botocore.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};
use serde_json::{Map, Value, json};

static MODEL: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../model/outputs.json")).expect("the model"));

/// Codes that every operation may return, and that no model declares.
const COMMON: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InternalFailure",
    "InvalidAction",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MalformedInput",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SerializationException",
    "ServiceUnavailable",
    "SignatureDoesNotMatch",
    "Throttling",
    "ThrottlingException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationError",
    "ValidationException",
];

/// Returns the defects of a response of an operation.
pub(crate) fn defects(service: &str, operation: &str, status: u16, body: &str) -> Vec<String> {
    let model = &MODEL["services"][service]["operations"][operation];
    let is_json = MODEL["services"][service]["target"].is_string();
    let mut defects = Vec::new();
    if status == 200 {
        let shape = &model["output"];
        let output = if is_json { parse_json(body) } else { xml_output(operation, shape, body) };
        match output {
            Ok(output) => check(shape, &output, operation, is_json, &mut defects),
            Err(defect) => defects.push(defect),
        }
    } else {
        match if is_json { parse_json(body) } else { xml_error(body) } {
            Ok(error) => check_error(model, &error, operation, status, is_json, &mut defects),
            Err(defect) => defects.push(defect),
        }
    }
    defects
}

fn parse_json(body: &str) -> Result<Value, String> {
    serde_json::from_str(body).map_err(|error| format!("{body}: {error}"))
}

fn check_error(model: &Value, error: &Value, at: &str, status: u16, is_json: bool, defects: &mut Vec<String>) {
    let code = error[if is_json { "__type" } else { "Code" }].as_str().unwrap_or_default().to_owned();
    let shape = &model["errors"][&code];
    if shape.is_null() {
        if !COMMON.contains(&code.as_str()) {
            defects.push(format!("{at}: the error {code:?} is not declared"));
        }
        return;
    }
    if shape["status"] != json!(status) {
        defects.push(format!("{at}: {code} with status {status}"));
    }
    if is_json {
        let mut members = error.as_object().cloned().unwrap_or_default();
        members.remove("__type");
        check(shape, &Value::Object(members), &format!("{at}.{code}"), is_json, defects);
    }
}

/// Checks a value. A date is a number in JSON, and ISO 8601 text in XML.
fn check(shape: &Value, value: &Value, at: &str, is_json: bool, defects: &mut Vec<String>) {
    let mut defect = |what: &str| defects.push(format!("{at}: {what}: {value}"));
    match (shape["type"].as_str().unwrap_or_default(), value) {
        ("structure", Value::Object(members)) => {
            let known = shape["members"].as_object().cloned().unwrap_or_default();
            for name in shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !members.contains_key(name) {
                    defect(&format!("{name} is missing"));
                }
            }
            for (name, member) in members {
                match known.get(name) {
                    Some(shape) => check(shape, member, &format!("{at}.{name}"), is_json, defects),
                    None => defects.push(format!("{at}: {name} is not a member")),
                }
            }
        }
        ("list", Value::Array(items)) => {
            for item in items {
                check(&shape["member"], item, &format!("{at}[]"), is_json, defects);
            }
        }
        ("string", Value::String(text)) => {
            let length = text.chars().count() as u64;
            if shape["min"].as_u64().is_some_and(|min| length < min)
                || shape["max"].as_u64().is_some_and(|max| length > max)
            {
                defect("the length is out of bounds");
            }
            let values = shape["enum"].as_array();
            if values.is_some_and(|values| !values.contains(value)) {
                defect("not one of the values");
            }
            // Models hardcode the commercial partition in ARNs, so those are checked there only.
            if let Some(pattern) = shape["pattern"].as_str()
                && let Ok(regex) = regex_lite::Regex::new(&format!("^(?:{pattern})$"))
                && !regex.is_match(text)
            {
                defect("does not match the pattern");
            }
        }
        ("timestamp", Value::Number(_)) if is_json => {}
        ("timestamp", Value::String(date)) if !is_json => {
            let format = aws_smithy_types::date_time::Format::DateTime;
            if aws_smithy_types::DateTime::from_str(date, format).is_err() || !date.ends_with('Z') {
                defect("not a date");
            }
        }
        ("boolean", Value::Bool(_)) | ("integer", Value::Number(_)) => {}
        ("boolean", Value::String(text)) if !is_json && ["true", "false"].contains(&text.as_str()) => {}
        ("integer", Value::String(text)) if !is_json && text.parse::<i64>().is_ok() => {}
        (kind, _) => defect(&format!("not a {kind}")),
    }
}

/// Returns the result element of a response as JSON, by the shape of the output.
fn xml_output(operation: &str, shape: &Value, body: &str) -> Result<Value, String> {
    let mut document = Document::new(body);
    let mut root = document.root_element().map_err(|error| error.to_string())?;
    let mut output = json!({});
    let mut has_metadata = false;
    if root.start_el().local() != format!("{operation}Response") {
        return Err(format!("{body}: the root is another element"));
    }
    while let Some(mut child) = root.next_tag() {
        match child.start_el().local() {
            "ResponseMetadata" => has_metadata = true,
            name if name == format!("{operation}Result") => output = xml_value(shape, &mut child)?,
            name => return Err(format!("{body}: {name} is not an element of a response")),
        }
    }
    if has_metadata { Ok(output) } else { Err(format!("{body}: ResponseMetadata is missing")) }
}

fn xml_value(shape: &Value, element: &mut ScopedDecoder<'_, '_>) -> Result<Value, String> {
    match shape["type"].as_str() {
        Some("structure") => {
            let mut members = Map::new();
            while let Some(mut child) = element.next_tag() {
                let name = child.start_el().local().to_owned();
                let shape = &shape["members"][&name];
                if shape.is_null() {
                    return Err(format!("{name} is not a member"));
                }
                members.insert(name, xml_value(shape, &mut child)?);
            }
            Ok(Value::Object(members))
        }
        Some("list") => {
            let mut items = Vec::new();
            while let Some(mut child) = element.next_tag() {
                if child.start_el().local() != "member" {
                    return Err(format!("{} instead of member", child.start_el().local()));
                }
                items.push(xml_value(&shape["member"], &mut child)?);
            }
            Ok(Value::Array(items))
        }
        _ => try_data(element).map(|text| json!(text)).map_err(|error| error.to_string()),
    }
}

fn xml_error(body: &str) -> Result<Value, String> {
    let mut document = Document::new(body);
    let mut root = document.root_element().map_err(|error| format!("{body}: {error}"))?;
    let mut found = BTreeMap::new();
    while let Some(mut child) = root.next_tag() {
        match child.start_el().local() {
            "Error" => {
                while let Some(mut member) = child.next_tag() {
                    let name = member.start_el().local().to_owned();
                    found.insert(name, try_data(&mut member).map_err(|error| error.to_string())?.into_owned());
                }
            }
            name => {
                let name = name.to_owned();
                found.insert(name, try_data(&mut child).map_err(|error| error.to_string())?.into_owned());
            }
        }
    }
    let names: Vec<_> = found.keys().map(String::as_str).collect();
    if names == ["Code", "Message", "RequestId", "Type"] { Ok(json!(found)) } else { Err(format!("{body}: {names:?}")) }
}

#[test]
fn defects_of_damaged_responses_are_found() {
    let account = json!({ "Id": "222222222222", "Name": "a", "State": "ACTIVE", "JoinedTimestamp": 1.5 });
    let of = |change: &dyn Fn(&mut Value)| {
        let mut account = account.clone();
        change(&mut account);
        defects("organizations", "DescribeAccount", 200, &json!({ "Account": account }).to_string()).len()
    };
    assert_eq!(of(&|_| {}), 0);
    assert_eq!(of(&|account| account["State"] = json!("active")), 1);
    assert_eq!(of(&|account| account["JoinedTimestamp"] = json!("2026-01-01T00:00:00Z")), 1);
    assert_eq!(of(&|account| account["Id"] = json!("22222222222")), 1);
    assert_eq!(of(&|account| account["Email"] = Value::Null), 1);
    assert_eq!(of(&|account| account["Place"] = json!("root")), 1);
    let error = |status, code: &str| {
        defects("organizations", "DescribeAccount", status, &json!({ "__type": code }).to_string()).len()
    };
    assert_eq!(error(400, "AccountNotFoundException"), 0);
    assert_eq!(error(404, "AccountNotFoundException"), 1);
    assert_eq!(error(400, "ParentNotFoundException"), 1);
    assert_eq!(
        defects("iam", "GetRole", 404, "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>").len(),
        1
    );
    assert_eq!(defects("sts", "GetCallerIdentity", 200, "<GetCallerIdentityResponse/>").len(), 1);
}
