//! Requests in AWS's protocols.

use std::collections::BTreeMap;
use std::time::SystemTime;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::DateTime;
use serde_json::{Map, Value};

use super::credentials::{Caller, Rejected};
use super::model::{self, OperationModel, Service, ServiceModel};
use super::response::{Responder, ServiceError};
use crate::domain::Region;

/// Request whose protocol and operation are known.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) service: Service,
    pub(super) operation: &'static str,
    pub(super) input: Value,
    pub(super) caller: Caller,
    /// Region of the signature.
    pub(super) region: Region,
    /// Time of the caller.
    pub(super) time: SystemTime,
}

/// Parts of a request that determine its protocol, before any check.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    body: &'a [u8],
    authorization: Option<&'a str>,
    token: Option<&'a str>,
    date: Option<&'a str>,
    route: Route,
}

#[derive(Debug)]
enum Route {
    Json { service: Option<(Service, &'static ServiceModel)>, operation: String },
    Query { service: Option<(Service, &'static ServiceModel)>, form: BTreeMap<String, String> },
}

impl<'a> Envelope<'a> {
    /// Reads a request. The responder answers in the protocol of the request.
    pub(super) fn of(request: &'a HttpRequest, request_id: String) -> (Self, Responder) {
        let headers = request.headers();
        // A body that is a stream counts as empty, as no client of these services sends one.
        let body = request.body().bytes().unwrap_or_default();
        let route = if let Some(target) = headers.get("x-amz-target") {
            let (prefix, operation) = target.split_once('.').unwrap_or((target, ""));
            let service = Service::find(|model| model.target.as_deref() == Some(prefix));
            Route::Json { service, operation: operation.to_owned() }
        } else {
            let query = if request.method() == "GET" {
                request.uri().split_once('?').map_or("", |(_, query)| query).as_bytes()
            } else {
                body
            };
            let form: BTreeMap<_, _> = form_urlencoded::parse(query).into_owned().collect();
            let version = form.get("Version");
            let service = Service::find(|model| model.target.is_none() && version == Some(&model.version));
            Route::Query { service, form }
        };
        let responder = match &route {
            Route::Json { service, operation } => Responder {
                service: service.map(|(service, _)| service),
                is_json: true,
                operation: operation.clone(),
                request_id,
            },
            Route::Query { service, form } => Responder {
                service: service.map(|(service, _)| service),
                is_json: false,
                operation: form.get("Action").cloned().unwrap_or_default(),
                request_id,
            },
        };
        let envelope = Self {
            body,
            authorization: headers.get("authorization"),
            token: headers.get("x-amz-security-token"),
            date: headers.get("x-amz-date"),
            route,
        };
        (envelope, responder)
    }

    /// Checks the credentials and the input, in AWS's order, and returns the request.
    ///
    /// `now` is the time of a request without a date.
    pub(super) fn into_request(self, now: SystemTime) -> Result<Request, ServiceError> {
        let is_json = matches!(self.route, Route::Json { .. });
        let (Route::Json { service, .. } | Route::Query { service, .. }) = &self.route;
        let time = self.date.and_then(basic_date).unwrap_or(now);
        let scope = self.authorization.map(|authorization| scope(authorization, is_json)).transpose()?;
        let Some(scope) = scope else { return Err(rejected(CredentialError::Missing, is_json)) };
        let caller = Caller::of(scope.access_key_id, self.token, time).map_err(|reason| {
            let error = match reason {
                Rejected::Unknown => CredentialError::Unknown,
                Rejected::Expired => CredentialError::Expired,
            };
            rejected(error, is_json)
        })?;
        let region = Region::new(scope.region).map_err(|_| rejected(CredentialError::Incomplete, is_json))?;
        let Some((service, model)) = *service else { return Err(self.route.unknown_operation()) };
        if scope.service != service.name() {
            return Err(rejected(CredentialError::OtherService(service), is_json));
        }
        let Some((operation, model)) = self.route.operation(model) else { return Err(self.route.unknown_operation()) };
        let input = self.input(model)?;
        model::validate(service, &model.input, &input)?;
        Ok(Request { service, operation, input, caller, region, time })
    }

    fn input(&self, model: &OperationModel) -> Result<Value, ServiceError> {
        match &self.route {
            Route::Json { .. } if self.body.is_empty() => Ok(Value::Object(Map::new())),
            Route::Json { .. } => serde_json::from_slice(self.body)
                .ok()
                .filter(Value::is_object)
                .ok_or_else(|| ServiceError::new("SerializationException", "The request body is not valid JSON.")),
            Route::Query { form, .. } => model::input_of_form(&model.input, form),
        }
    }
}

impl Route {
    fn name(&self) -> &str {
        match self {
            Self::Json { operation, .. } => operation,
            Self::Query { form, .. } => form.get("Action").map_or("", String::as_str),
        }
    }

    fn operation(&self, service: &'static ServiceModel) -> Option<(&'static str, &'static OperationModel)> {
        service.operations.get_key_value(self.name()).map(|(name, model)| (name.as_str(), model))
    }

    /// Returns AWS's error for an unknown operation, with the operations that the simulation knows.
    fn unknown_operation(&self) -> ServiceError {
        let (Self::Json { service, .. } | Self::Query { service, .. }) = self;
        let known: Vec<_> =
            service.map(|(_, model)| model.operations.keys().map(String::as_str)).into_iter().flatten().collect();
        let supported = if known.is_empty() {
            "The simulation supports AWS Organizations, Systems Manager, IAM and STS.".to_owned()
        } else {
            format!("The simulation supports {}.", known.join(", "))
        };
        let name = self.name();
        match self {
            Self::Json { .. } => ServiceError::new(
                "UnknownOperationException",
                format!("The operation {name:?} is unknown. {supported}"),
            ),
            Self::Query { form, .. } => {
                let version = form.get("Version").map_or("", String::as_str);
                let message = format!("Could not find operation {name} for version {version}. {supported}");
                ServiceError::new("InvalidAction", message)
            }
        }
    }
}

/// Scope of a signature.
struct Scope<'a> {
    access_key_id: &'a str,
    region: &'a str,
    service: &'a str,
}

/// Parses the header of a signature: `AWS4-HMAC-SHA256` and parameters, of which `Credential` is
/// `KEY/DATE/REGION/SERVICE/aws4_request`.
fn scope(authorization: &str, is_json: bool) -> Result<Scope<'_>, ServiceError> {
    let parts = || {
        let parameters = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let credential = parameters.split(',').find_map(|parameter| parameter.trim().strip_prefix("Credential="))?;
        let mut parts = credential.split('/');
        let (access_key_id, _date) = (parts.next()?, parts.next()?);
        Some(Scope { access_key_id, region: parts.next()?, service: parts.next()? })
    };
    parts().ok_or_else(|| rejected(CredentialError::Incomplete, is_json))
}

/// Defect of the credentials or the signature.
#[derive(Clone, Copy)]
enum CredentialError {
    Missing,
    Incomplete,
    Unknown,
    Expired,
    OtherService(Service),
}

/// Returns the error for a defect. The services that use JSON have other codes than IAM and STS.
fn rejected(error: CredentialError, is_json: bool) -> ServiceError {
    let invalid = "The security token included in the request is invalid";
    let (of_json, of_query, message) = match error {
        CredentialError::Missing => (
            "MissingAuthenticationTokenException",
            "MissingAuthenticationToken",
            "Request is missing Authentication Token".to_owned(),
        ),
        CredentialError::Incomplete => (
            "IncompleteSignatureException",
            "IncompleteSignature",
            "The Authorization header requires a Credential with key, date, Region, service and aws4_request."
                .to_owned(),
        ),
        CredentialError::Unknown => ("UnrecognizedClientException", "InvalidClientTokenId", invalid.to_owned() + "."),
        CredentialError::Expired => (
            "ExpiredTokenException",
            "ExpiredToken",
            "The security token included in the request is expired".to_owned(),
        ),
        CredentialError::OtherService(service) => (
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            format!("Credential should be scoped to correct service: '{}'.", service.name()),
        ),
    };
    ServiceError::new(if is_json { of_json } else { of_query }, message)
}

/// Parses the date of a signature, such as `20260101T120000Z`.
fn basic_date(text: &str) -> Option<SystemTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    if date.len() != 8 || time.len() != 6 || !date.is_ascii() || !time.is_ascii() {
        return None;
    }
    let (year, rest) = date.split_at(4);
    let (month, day) = rest.split_at(2);
    let (hour, rest) = time.split_at(2);
    let (minute, second) = rest.split_at(2);
    let text = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    let date = DateTime::from_str(&text, aws_smithy_types::date_time::Format::DateTime).ok()?;
    SystemTime::try_from(date).ok()
}
