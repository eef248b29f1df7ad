//! Responses in AWS's protocols.

use std::time::SystemTime;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::date_time::Format;
use aws_smithy_xml::encode::{ScopeWriter, XmlWriter};
use serde_json::{Map, Value, json};

use super::model::{OperationModel, Service, ServiceModel};
use crate::error::Error;
use crate::sim::UnusableResponse;

/// Error of a service.
#[derive(Debug, Clone)]
pub(crate) struct ServiceError {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) reason: Option<String>,
    /// Further members of the error, in the form of the protocol.
    pub(super) members: Vec<(String, Value)>,
}

impl ServiceError {
    pub(crate) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), reason: None, members: Vec::new() }
    }

    pub(crate) fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    pub(super) fn with_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.push((name.to_owned(), value.into()));
        self
    }
}

/// Result of a call without a response body.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(ServiceError),
    /// The connection breaks.
    NoResponse,
    Unusable(UnusableResponse),
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        Self::Refused(error)
    }
}

/// Converts an error of the simulation. An error without AWS's code has no response.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if let Some(response) = error.client_error().and_then(|source| source.downcast_ref()) {
            return Self::Unusable(*response);
        }
        let Some(code) = error.code() else { return Self::NoResponse };
        let refusal = ServiceError::new(code, error.message().unwrap_or_default());
        Self::Refused(match error.reason() {
            Some(reason) => refusal.with_reason(reason),
            None => refusal,
        })
    }
}

/// Returns a date in the form of awsJson: seconds since the Unix epoch.
pub(super) fn epoch_seconds(date: SystemTime) -> Value {
    json!(DateTime::from(date).as_secs_f64())
}

/// Returns a date in the form of awsQuery: ISO 8601 in UTC.
pub(super) fn iso_date(date: SystemTime) -> Value {
    let whole = DateTime::from_secs(DateTime::from(date).secs());
    whole.fmt(Format::DateTime).map_or(Value::Null, Value::String)
}

/// Writer of responses in the protocol of one request.
#[derive(Debug, Clone)]
pub(super) struct Responder {
    pub(super) service: Option<Service>,
    pub(super) is_json: bool,
    pub(super) operation: String,
    pub(super) request_id: String,
}

impl Responder {
    pub(super) fn success(&self, output: &Value) -> Result<HttpResponse, ConnectorError> {
        let body = if self.is_json {
            output.to_string()
        } else {
            self.xml(&format!("{}Response", self.operation), |root| {
                if output.as_object().is_some_and(|members| !members.is_empty()) {
                    write_element(root, &format!("{}Result", self.operation), output);
                }
                write_element(root, "ResponseMetadata", &json!({ "RequestId": self.request_id }));
            })
        };
        self.response(200, body)
    }

    pub(super) fn failure(&self, error: &ServiceError) -> Result<HttpResponse, ConnectorError> {
        self.error(self.status(&error.code), error)
    }

    /// Returns the HTTP status of an error: that of AWS's model, or that of AWS's common errors.
    fn status(&self, code: &str) -> u16 {
        let model = self.service.and_then(Service::model);
        let operations = model.map(|model: &ServiceModel| &model.operations);
        let operation = operations.and_then(|operations| operations.get(&self.operation));
        let declared = |operation: &OperationModel| operation.errors.get(code).copied();
        let of_any = || operations.and_then(|operations| operations.values().find_map(declared));
        operation.and_then(declared).or_else(of_any).unwrap_or(match code {
            "InternalFailure" | "InternalError" | "ServiceException" | "InternalServerError" | "ServiceFailure" => 500,
            "ServiceUnavailable" | "ServiceUnavailableException" => 503,
            "AccessDenied"
            | "InvalidClientTokenId"
            | "SignatureDoesNotMatch"
            | "MissingAuthenticationToken"
            | "ExpiredToken" => 403,
            "EntityAlreadyExists" | "ConcurrentModification" | "DeleteConflict" => 409,
            _ => 400,
        })
    }

    fn error(&self, status: u16, error: &ServiceError) -> Result<HttpResponse, ConnectorError> {
        let ServiceError { code, message, reason, members } = error;
        let body = if self.is_json {
            let mut body: Map<String, Value> = members.iter().cloned().collect();
            body.insert("__type".to_owned(), json!(code));
            if !message.is_empty() {
                body.insert("Message".to_owned(), json!(message));
            }
            if let Some(reason) = reason {
                body.insert("Reason".to_owned(), json!(reason));
            }
            Value::Object(body).to_string()
        } else {
            let sender = if status < 500 { "Sender" } else { "Receiver" };
            self.xml("ErrorResponse", |root| {
                write_element(root, "Error", &json!({ "Type": sender, "Code": code, "Message": message }));
                write_element(root, "RequestId", &json!(self.request_id));
            })
        };
        self.response(status, body)
    }

    /// Returns the response of an injected fault.
    pub(super) fn unusable(&self, response: UnusableResponse) -> Result<HttpResponse, ConnectorError> {
        match response {
            UnusableResponse::Empty(status) => self.response(status, String::new()),
            UnusableResponse::ServiceError(status) => {
                let code = if status == 503 { "ServiceUnavailable" } else { "InternalFailure" };
                let message = "The request processing has failed because of an unknown error, exception or failure.";
                self.error(status, &ServiceError::new(code, message))
            }
            UnusableResponse::Html(status) => {
                let page = "<!DOCTYPE html>\n<html><head><title>Bad gateway</title></head>\
                            <body><h1>Bad gateway</h1></body></html>\n";
                let mut answer = self.response(status, page.to_owned())?;
                answer.headers_mut().insert("content-type", "text/html");
                Ok(answer)
            }
            UnusableResponse::Truncated if self.is_json => self.response(200, "{\"".to_owned()),
            UnusableResponse::Truncated => self.response(200, format!("<{}Resp", self.operation)),
        }
    }

    fn xml(&self, root: &str, write: impl FnOnce(&mut ScopeWriter<'_, '_>)) -> String {
        let mut body = String::new();
        let mut document = XmlWriter::new(&mut body);
        let (service, version) = match self.service {
            Some(Service::Sts) => ("sts", "2011-06-15"),
            _ => ("iam", "2010-05-08"),
        };
        let namespace = format!("https://{service}.amazonaws.com/doc/{version}/");
        let mut root = document.start_el(root).write_ns(&namespace, None).finish();
        write(&mut root);
        root.finish();
        body
    }

    fn response(&self, status: u16, body: String) -> Result<HttpResponse, ConnectorError> {
        // Only the status of an injected fault can be invalid.
        let status = StatusCode::try_from(status).map_err(|invalid| ConnectorError::user(invalid.into()))?;
        let mut answer = HttpResponse::new(status, SdkBody::from(body));
        let content_type = if self.is_json { "application/x-amz-json-1.1" } else { "text/xml" };
        answer.headers_mut().insert("content-type", content_type);
        answer.headers_mut().insert("x-amzn-requestid", self.request_id.clone());
        Ok(answer)
    }
}

/// Writes a value as an element: members as elements, lists as `member` elements, scalars as text.
fn write_element(parent: &mut ScopeWriter<'_, '_>, name: &str, value: &Value) {
    let mut element = parent.start_el(name).finish();
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| write_element(&mut element, name, value)),
        Value::Array(items) => items.iter().for_each(|item| write_element(&mut element, "member", item)),
        Value::String(text) => element.data(text),
        Value::Null => {}
        scalar => element.data(&scalar.to_string()),
    }
    element.finish();
}
