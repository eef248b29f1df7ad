//! JSON output.

use serde::Serialize;
use serde_json::{Map, Value, json};
use ssm_organizations::Error;

use super::{CliError, StatusSummary, message};
use crate::hints;

/// Serializes a value of the library. Its types always serialize.
pub(crate) fn value(of: &impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}

pub(super) fn status_summary(status_summary: &StatusSummary) -> Value {
    json!({
        "state": status_summary.name(),
        "organization": status_summary.organization,
        "trusted_access": status_summary.trusted,
        "administrators": status_summary.administrators,
    })
}

/// Returns objects for an error and for its related errors. Unknown members are left out.
pub(crate) fn error_objects(error: &CliError, help: &[String]) -> Vec<Value> {
    let (mut objects, further): (Vec<_>, &[Error]) = match error {
        CliError::Own { kind, text } => {
            (vec![Map::from_iter([member("kind", *kind), member("message", text.as_str())])], &[])
        }
        CliError::Usage(text) => {
            (vec![Map::from_iter([member("kind", "usage"), member("message", text.as_str())])], &[])
        }
        CliError::Error(error) => (vec![error_object(error)], error.related()),
    };
    if let (Some(first), false) = (objects.first_mut(), help.is_empty()) {
        first.extend([member("help", help)]);
    }
    objects.extend(further.iter().map(error_object));
    objects.into_iter().map(Value::Object).collect()
}

fn member(name: &str, value: impl Into<Value>) -> (String, Value) {
    (name.to_owned(), value.into())
}

/// Returns the library's form of an error, without the remedies that hints of this program replace.
/// Related errors are objects of their own.
fn error_object(error: &Error) -> Map<String, Value> {
    let Value::Object(mut object) = value(error) else { return Map::new() };
    object.remove("related");
    object.insert("message".to_owned(), message(error).into());
    let remedies = error.remedies();
    let remedies: Vec<_> = remedies.iter().filter(|remedy| !hints::replaces(remedy)).map(value).collect();
    if remedies.is_empty() {
        object.remove("remedies");
    } else {
        object.insert("remedies".to_owned(), remedies.into());
    }
    object
}

#[cfg(test)]
mod tests {
    use ssm_organizations::ports::Operation;
    use ssm_organizations::{Error, RetryStatus};

    use super::error_objects;

    #[test]
    fn error_object_has_known_members_only() {
        let error = Error::from_service_error(
            Operation::EnableAwsServiceAccess,
            "AccessDeniedException",
            "no, admin@example.com",
        )
        .with_request_id("r-1");
        let objects = error_objects(&error.into(), &["do it".to_owned()]);
        let [object] = objects.as_slice() else { panic!("one error") };
        assert_eq!(object["kind"], "access_denied");
        assert_eq!(object["operation"], "EnableAWSServiceAccess");
        assert_eq!((&object["request_id"], &object["code"]), (&"r-1".into(), &"AccessDeniedException".into()));
        assert_eq!((&object["retryable"], &object["help"][0]), (&false.into(), &"do it".into()));
        assert!(object.get("region").is_none());
        assert!(!object.to_string().contains('@'), "{object}");
    }

    #[test]
    fn retry_distinguishes_exhausted_from_temporary() {
        for (retry, text, retryable) in [
            (RetryStatus::Permanent, "permanent", false),
            (RetryStatus::Temporary, "temporary", true),
            (RetryStatus::Exhausted, "exhausted", false),
        ] {
            let error = Error::from_service_error(Operation::DescribeOrganization, "TooManyRequestsException", "");
            let objects = error_objects(&error.with_retry(retry).into(), &[]);
            assert_eq!((&objects[0]["retry_status"], &objects[0]["retryable"]), (&text.into(), &retryable.into()));
        }
    }
}
