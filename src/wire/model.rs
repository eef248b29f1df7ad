//! AWS's model of the requests, extracted from botocore, and the validation of inputs against it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use regex_lite::Regex;
use serde_json::{Map, Value};

use super::response::ServiceError;

/// Written by `tests/aws/model/wire.py`.
static MODEL: &str = include_str!("model.json");

/// Service that the simulation provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Organizations,
    SystemsManager,
    Iam,
    Sts,
}

impl Service {
    pub(super) const ALL: [Self; 4] = [Self::Organizations, Self::SystemsManager, Self::Iam, Self::Sts];

    /// Returns the name of the service in signatures and IAM actions.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Organizations => "organizations",
            Self::SystemsManager => "ssm",
            Self::Iam => "iam",
            Self::Sts => "sts",
        }
    }

    pub(super) fn model(self) -> Option<&'static ServiceModel> {
        models().get(self.name())
    }

    pub(super) fn find(matches: impl Fn(&ServiceModel) -> bool) -> Option<(Self, &'static ServiceModel)> {
        let all = Self::ALL.into_iter().filter_map(|service| Some((service, service.model()?)));
        all.into_iter().find(|(_, model)| matches(model))
    }
}

/// Model of a service.
#[derive(Debug)]
pub(super) struct ServiceModel {
    /// Prefix of the target header, for services that use JSON.
    pub(super) target: Option<String>,
    pub(super) version: String,
    pub(super) operations: BTreeMap<String, OperationModel>,
}

/// Model of an operation.
#[derive(Debug)]
pub(super) struct OperationModel {
    pub(super) input: Shape,
    /// HTTP statuses of the errors that the operation declares.
    pub(super) errors: BTreeMap<String, u16>,
}

/// Shape of a value.
#[derive(Debug)]
pub(super) struct Shape {
    kind: Kind,
    min: Option<u64>,
    max: Option<u64>,
}

#[derive(Debug)]
enum Kind {
    Structure { members: BTreeMap<String, Shape>, required: Vec<String> },
    List(Box<Shape>),
    String { pattern: Option<(String, Option<Regex>)>, values: Vec<String> },
    Integer,
    Boolean,
}

fn models() -> &'static BTreeMap<String, ServiceModel> {
    static MODELS: OnceLock<BTreeMap<String, ServiceModel>> = OnceLock::new();
    MODELS.get_or_init(|| {
        let model: Value = serde_json::from_str(MODEL).unwrap_or_default();
        entries(&model, "services").map(|(name, service)| (name.clone(), service_model(service))).collect()
    })
}

fn entries<'a>(value: &'a Value, member: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(member).and_then(Value::as_object).into_iter().flatten()
}

fn text(value: &Value, member: &str) -> Option<String> {
    value.get(member).and_then(Value::as_str).map(str::to_owned)
}

fn texts(value: &Value, member: &str) -> Vec<String> {
    let texts = value.get(member).and_then(Value::as_array).into_iter().flatten();
    texts.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn service_model(service: &Value) -> ServiceModel {
    let operation = |operation: &Value| OperationModel {
        input: shape(operation.get("input").unwrap_or(&Value::Null)),
        errors: entries(operation, "errors")
            .filter_map(|(code, status)| Some((code.clone(), u16::try_from(status.as_u64()?).ok()?)))
            .collect(),
    };
    ServiceModel {
        target: text(service, "target"),
        version: text(service, "version").unwrap_or_default(),
        operations: entries(service, "operations").map(|(name, model)| (name.clone(), operation(model))).collect(),
    }
}

fn shape(model: &Value) -> Shape {
    let kind = match model.get("type").and_then(Value::as_str) {
        Some("structure") => Kind::Structure {
            members: entries(model, "members").map(|(name, member)| (name.clone(), shape(member))).collect(),
            required: texts(model, "required"),
        },
        Some("list") => Kind::List(Box::new(shape(model.get("member").unwrap_or(&Value::Null)))),
        Some("integer") => Kind::Integer,
        Some("boolean") => Kind::Boolean,
        _ => Kind::String {
            // Patterns with Unicode classes, which concern tags only, are not supported.
            pattern: text(model, "pattern").map(|pattern| {
                let regex = Regex::new(&format!("^(?:{pattern})$")).ok();
                (pattern, regex)
            }),
            values: texts(model, "enum"),
        },
    };
    let bound = |name| model.get(name).and_then(Value::as_u64);
    Shape { kind, min: bound("min"), max: bound("max") }
}

/// Violation of the model by an input.
#[derive(Debug)]
struct Violation {
    /// Path of the member, such as `SyncSource.SourceType`.
    path: String,
    /// The value in Java's form, as AWS's messages show it.
    value: String,
    constraint: Constraint,
}

#[derive(Debug)]
enum Constraint {
    Required,
    TooShort(u64),
    TooLong(u64),
    TooSmall(u64),
    TooLarge(u64),
    Pattern(String),
    Enum(Vec<String>),
}

impl Constraint {
    /// Returns the reason that Organizations gives.
    fn reason(&self) -> &'static str {
        match self {
            Self::Required => "INPUT_REQUIRED",
            Self::TooShort(_) => "MIN_LENGTH_EXCEEDED",
            Self::TooLong(_) => "MAX_LENGTH_EXCEEDED",
            Self::TooSmall(_) => "MIN_VALUE_EXCEEDED",
            Self::TooLarge(_) => "MAX_VALUE_EXCEEDED",
            Self::Pattern(_) => "INVALID_PATTERN",
            Self::Enum(_) => "INVALID_ENUM",
        }
    }
}

impl std::fmt::Display for Constraint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Required => f.write_str("Member must not be null"),
            Self::TooShort(min) => write!(f, "Member must have length greater than or equal to {min}"),
            Self::TooLong(max) => write!(f, "Member must have length less than or equal to {max}"),
            Self::TooSmall(min) => write!(f, "Member must have value greater than or equal to {min}"),
            Self::TooLarge(max) => write!(f, "Member must have value less than or equal to {max}"),
            Self::Pattern(pattern) => write!(f, "Member must satisfy regular expression pattern: {pattern}"),
            Self::Enum(values) => write!(f, "Member must satisfy enum value set: [{}]", values.join(", ")),
        }
    }
}

/// Checks an input against the model, with the errors of the service.
pub(super) fn validate(service: Service, shape: &Shape, input: &Value) -> Result<(), ServiceError> {
    let mut violations = Vec::new();
    check(shape, input, "", &mut violations)?;
    let Some(first) = violations.first() else { return Ok(()) };
    if service == Service::Organizations {
        let message = match first.constraint {
            Constraint::Required => format!("You must specify a value for {}.", first.path),
            _ => format!("You specified an invalid value for {}.", first.path),
        };
        return Err(ServiceError::new("InvalidInputException", message).with_reason(first.constraint.reason()));
    }
    let count = violations.len();
    let listed: Vec<_> = violations
        .iter()
        .map(|Violation { path, value, constraint }| {
            format!("Value {value} at '{}' failed to satisfy constraint: {constraint}", camel_case(path))
        })
        .collect();
    let plural = if count == 1 { "" } else { "s" };
    let message = format!("{count} validation error{plural} detected: {}", listed.join("; "));
    let code = if service == Service::SystemsManager { "ValidationException" } else { "ValidationError" };
    Err(ServiceError::new(code, message))
}

/// Returns a path with each member in lower camel case, as AWS's messages show it.
fn camel_case(path: &str) -> String {
    let members = path.split('.').map(|member| {
        let mut letters = member.chars();
        letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect::<String>()
    });
    members.collect::<Vec<_>>().join(".")
}

fn check(shape: &Shape, value: &Value, path: &str, violations: &mut Vec<Violation>) -> Result<(), ServiceError> {
    let mut violate = |path: &str, value: String, constraint| {
        violations.push(Violation { path: path.to_owned(), value, constraint });
    };
    match (&shape.kind, value) {
        (Kind::Structure { members, required }, Value::Object(given)) => {
            let inner = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            for name in required {
                if given.get(name).is_none_or(Value::is_null) {
                    violate(&inner(name), "null".to_owned(), Constraint::Required);
                }
            }
            for (name, member) in members {
                // A member that the model lacks is ignored, as AWS ignores it.
                if let Some(value) = given.get(name).filter(|value| !value.is_null()) {
                    check(member, value, &inner(name), violations)?;
                }
            }
        }
        (Kind::List(member), Value::Array(items)) => {
            let length = items.len() as u64;
            if let Some(constraint) = length_violation(shape, length) {
                violate(path, format!("'[{}]'", vec!["…"; items.len().min(3)].join(", ")), constraint);
            }
            for (index, item) in items.iter().enumerate() {
                check(member, item, &format!("{path}.{}.member", index + 1), violations)?;
            }
        }
        (Kind::String { pattern, values }, Value::String(text)) => {
            let shown = || format!("'{text}'");
            if let Some(constraint) = length_violation(shape, text.chars().count() as u64) {
                violate(path, shown(), constraint);
            }
            if let Some((pattern, Some(regex))) = pattern
                && !regex.is_match(text)
            {
                violate(path, shown(), Constraint::Pattern(pattern.clone()));
            }
            if !values.is_empty() && !values.contains(text) {
                violate(path, shown(), Constraint::Enum(values.clone()));
            }
        }
        (Kind::Integer, Value::Number(number)) => {
            let Some(number) = number.as_i64() else { return Err(wrong_type(path)) };
            let below = |min: &u64| i64::try_from(*min).is_ok_and(|min| number < min);
            let above = |max: &u64| i64::try_from(*max).is_ok_and(|max| number > max);
            let too_small = shape.min.filter(below).map(Constraint::TooSmall);
            if let Some(constraint) = too_small.or_else(|| shape.max.filter(above).map(Constraint::TooLarge)) {
                violate(path, format!("'{number}'"), constraint);
            }
        }
        (Kind::Boolean, Value::Bool(_)) => {}
        _ => return Err(wrong_type(path)),
    }
    Ok(())
}

fn length_violation(shape: &Shape, length: u64) -> Option<Constraint> {
    let too_short = shape.min.filter(|min| length < *min).map(Constraint::TooShort);
    too_short.or_else(|| shape.max.filter(|max| length > *max).map(Constraint::TooLong))
}

fn wrong_type(path: &str) -> ServiceError {
    ServiceError::new("SerializationException", format!("The type of {path} is not the type of AWS's model."))
}

/// Returns the input in the parameters of a query request, by its shape.
///
/// The parameters of a list are `Name.member.1` and so on, and those of a structure are
/// `Name.Member`. Parameters that the model lacks are ignored.
pub(super) fn input_of_form(shape: &Shape, form: &BTreeMap<String, String>) -> Result<Value, ServiceError> {
    Ok(value_of_form(shape, "", form)?.unwrap_or_else(|| Value::Object(Map::new())))
}

fn value_of_form(shape: &Shape, name: &str, form: &BTreeMap<String, String>) -> Result<Option<Value>, ServiceError> {
    let inner = |member: &str| if name.is_empty() { member.to_owned() } else { format!("{name}.{member}") };
    let given = form.get(name);
    let malformed = || {
        let message = format!("The value of {name} cannot be parsed.");
        ServiceError::new("MalformedInput", message)
    };
    Ok(match &shape.kind {
        Kind::Structure { members, .. } => {
            let mut found = Map::new();
            for (member, shape) in members {
                if let Some(value) = value_of_form(shape, &inner(member), form)? {
                    found.insert(member.clone(), value);
                }
            }
            (!found.is_empty()).then_some(Value::Object(found))
        }
        Kind::List(member) => {
            let mut items = Vec::new();
            while let Some(item) = value_of_form(member, &inner(&format!("member.{}", items.len() + 1)), form)? {
                items.push(item);
            }
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Kind::String { .. } => given.map(|text| Value::String(text.clone())),
        Kind::Integer => given.map(|text| text.parse::<i64>().map(Value::from).map_err(|_| malformed())).transpose()?,
        Kind::Boolean => {
            given.map(|text| text.parse::<bool>().map(Value::from).map_err(|_| malformed())).transpose()?
        }
    })
}
