//! For programs.

use serde::Serialize;
use serde_json::{Map, Value, json};
use ssm_organizations::{Error, Retry};

use super::{Complaint, Standing, message};
use crate::advice;

/// As JSON. What the library can write, it can.
pub(crate) fn value(of: &impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}

pub(super) fn standing(standing: &Standing) -> Value {
    json!({
        "state": standing.name(),
        "organization": standing.organization,
        "trusted_access": standing.trusted,
        "administrators": standing.administrators,
    })
}

/// What there is to know of a complaint, and of the errors of the same step behind it. What is not known is left out.
pub(crate) fn error_objects(complaint: &Complaint, help: &[String]) -> Vec<Value> {
    let (mut objects, further): (Vec<_>, &[Error]) = match complaint {
        Complaint::Own { kind, text } => {
            (vec![Map::from_iter([member("kind", *kind), member("message", text.as_str())])], &[])
        }
        Complaint::Usage(text) => {
            (vec![Map::from_iter([member("kind", "usage"), member("message", text.as_str())])], &[])
        }
        Complaint::Error(error) => (vec![error_object(error)], error.further()),
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

fn error_object(error: &Error) -> Map<String, Value> {
    let mut object = Map::from_iter([
        member("kind", kind(error)),
        member("message", message(error)),
        member("applied", error.applied().to_string()),
        member("retryable", error.is_retryable()),
        member("retry", retry(error.retry())),
    ]);
    let known = [
        ("operation", error.operation().map(|operation| operation.name().into())),
        ("account", error.account().as_ref().map(value)),
        ("region", error.region().map(value)),
        ("caller", error.caller().as_ref().map(value)),
        ("code", error.code().map(Into::into)),
        ("reason", error.reason().map(Into::into)),
        ("request_id", error.request_id().map(Into::into)),
    ];
    object.extend(known.into_iter().filter_map(|(name, value)| value.map(|value| member(name, value))));
    let remedies = error.remedies();
    let remedies: Vec<_> =
        remedies.iter().filter(|remedy| !advice::replaces(remedy)).map(ToString::to_string).collect();
    for (name, texts) in [("causes", error.causes()), ("remedies", remedies)] {
        if !texts.is_empty() {
            object.extend([member(name, texts)]);
        }
    }
    object
}

/// Whether the same call may succeed later, and whether the client has tried as often as it does.
fn retry(retry: Retry) -> String {
    match retry {
        Retry::Spent => "spent".to_owned(),
        other => other.to_string(),
    }
}

/// The name of the error's kind, in lower case with underscores: `AccessDenied` is `access_denied`.
fn kind(error: &Error) -> String {
    let debug = format!("{:?}", error.kind());
    let name = debug.split(|char: char| !char.is_alphanumeric()).next().unwrap_or_default();
    let mut snake = String::new();
    for char in name.chars() {
        if char.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(char.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use ssm_organizations::ports::Operation;
    use ssm_organizations::{Error, Retry};

    use super::error_objects;

    #[test]
    fn an_error_says_what_is_known_and_nothing_else() {
        let error = Error::service(Operation::EnableAwsServiceAccess, "AccessDeniedException", "no, admin@example.com")
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
    fn whether_to_try_again_is_told_from_having_tried() {
        for (retry, text, retryable) in [
            (Retry::Permanent, "permanent", false),
            (Retry::Temporary, "temporary", true),
            (Retry::Spent, "spent", false),
        ] {
            let error = Error::service(Operation::DescribeOrganization, "TooManyRequestsException", "");
            let objects = error_objects(&error.with_retry(retry).into(), &[]);
            assert_eq!((&objects[0]["retry"], &objects[0]["retryable"]), (&text.into(), &retryable.into()));
        }
    }
}
