//! The operations: their inputs and outputs.

mod iam;
mod organizations;
mod sts;
mod systems_manager;

use serde_json::{Map, Value, json};

use super::model::Service;
use super::request::Request;
use super::response::{Failure, ServiceError};
use crate::domain::{InvalidValue, Page, PageToken};
use crate::sim::{FurtherError, Refusal, SimClient};

type Answer = Result<Value, Failure>;

/// Makes the call and returns the output of the operation.
pub(super) async fn answer(client: &SimClient, request: &Request) -> Answer {
    match request.service {
        Service::Organizations => organizations::answer(client, request).await,
        Service::SystemsManager => systems_manager::answer(client, request).await,
        Service::Iam => iam::answer(client, request).await,
        Service::Sts => sts::answer(client, request).await,
    }
}

impl From<FurtherError> for Failure {
    fn from(error: FurtherError) -> Self {
        let Refusal { code, reason, message } = match error {
            FurtherError::Refused(refusal) => refusal,
            FurtherError::NoResponse => return Self::NoResponse,
            FurtherError::Unusable(response) => return Self::Unusable(response),
        };
        let error = ServiceError::new(code, message);
        Self::Refused(match reason {
            Some(reason) => error.with_reason(reason),
            None => error,
        })
    }
}

/// Returns the error for an operation of the model that this module lacks.
fn unknown(request: &Request) -> Failure {
    ServiceError::new("InternalFailure", format!("{} is not implemented.", request.operation)).into()
}

impl Request {
    /// Returns a text of the input. The model has required members, so the default is never used
    /// for them.
    fn text(&self, member: &str) -> &str {
        self.optional_text(member).unwrap_or_default()
    }

    fn optional_text(&self, member: &str) -> Option<&str> {
        self.input.get(member).and_then(Value::as_str)
    }

    fn number(&self, member: &str) -> Option<usize> {
        self.input.get(member).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok())
    }

    /// Parses a text of the input, whose form the model already guarantees.
    fn parse<'a, T: TryFrom<&'a str, Error = InvalidValue>>(&'a self, member: &str) -> Result<T, ServiceError> {
        let code = match self.service {
            Service::Organizations => "InvalidInputException",
            Service::SystemsManager => "ValidationException",
            Service::Iam | Service::Sts => "ValidationError",
        };
        T::try_from(self.text(member)).map_err(|invalid| ServiceError::new(code, format!("{member}: {invalid}")))
    }

    /// Returns the token of the requested page. An empty token has no page.
    fn token(&self, member: &str) -> Result<Option<PageToken>, ServiceError> {
        let token = self.optional_text(member).map(|token| PageToken::new(token).map_err(|_| self.invalid_token()));
        token.transpose()
    }

    fn invalid_token(&self) -> ServiceError {
        let message = "You specified an invalid NextToken.";
        match self.service {
            Service::Organizations => {
                ServiceError::new("InvalidInputException", message).with_reason("INVALID_NEXT_TOKEN")
            }
            Service::SystemsManager => ServiceError::new("InvalidNextToken", message),
            Service::Iam | Service::Sts => ServiceError::new("ValidationError", "Invalid Marker."),
        }
    }
}

/// Returns the output of a listing. The token is omitted on the last page.
fn page<T>(member: &str, page: Page<T>, item: impl Fn(T) -> Value) -> Value {
    let mut output = Map::new();
    output.insert(member.to_owned(), page.items.into_iter().map(item).collect());
    if let Some(next) = page.next {
        output.insert("NextToken".to_owned(), json!(next.as_str()));
    }
    Value::Object(output)
}

/// Returns an object without its absent members.
fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>().into()
}
