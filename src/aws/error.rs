//! From the SDK's errors to this crate's, by what is known of the call's fate.

use std::error::Error as StdError;
use std::io;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_iam::types::error as iam;
use aws_sdk_organizations::types::error as organizations;
use aws_sdk_ssm::types::error as ssm;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

use super::attempts::Attempts;
use crate::error::{Applied, Error, ErrorKind, Remedy, Retry};
use crate::ports::Operation;

/// The one conversion.
pub(super) fn from_sdk<E>(attempts: &Attempts, error: SdkError<E, HttpResponse>) -> Error
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
{
    let operation = attempts.operation();
    let mut ours = match &error {
        SdkError::ServiceError(answer) => answered(operation, &Said::by(answer.err()), answer.raw()),
        SdkError::ResponseError(answer) => answered(operation, &Said::default(), answer.raw()),
        _ if !attempts.in_flight() => unsent(attempts, &error),
        _ if never_connected(&error) => {
            let unreached =
                Error::not_sent(operation, "no connection could be made").with_remedy(Remedy::CheckEndpoint);
            unreached.with_retry(Retry::Temporary)
        }
        _ => Error::lost(operation),
    };
    // A write with a lost reply was not repeated, whatever came before it.
    if ours.is_retryable() && attempts.repeated() && ours.applied() == Applied::No {
        ours = ours.with_retry(Retry::Spent);
    }
    if let Some(id) = error.request_id() {
        ours = ours.with_request_id(id);
    }
    ours.with_source_saying(Box::new(error), said)
}

/// The SDK keeps an answer that it does not know as metadata, which it prints as Rust does. Only its message is for people.
fn said(error: &(dyn StdError + 'static)) -> Option<String> {
    match error.downcast_ref::<ErrorMetadata>() {
        Some(metadata) => metadata.message().map(str::to_owned),
        None => Some(error.to_string()),
    }
}

/// What an answer says of itself.
#[derive(Default)]
struct Said<'a> {
    code: Option<&'a str>,
    message: Option<&'a str>,
    reason: Option<&'a str>,
    declared: bool,
}

impl<'a> Said<'a> {
    fn by<E: StdError + ProvideErrorMetadata + 'static>(error: &'a E) -> Self {
        match error.source().and_then(Shape::of) {
            Some(Shape { code, message, reason }) => Self { code: Some(code), message, reason, declared: true },
            None => Self { code: error.code(), message: error.message(), ..Self::default() },
        }
    }
}

/// AWS's code: that of the shape that the SDK recognised, or what the answer called itself.
///
/// The shape comes first because an error that was made by hand, as mocks of the SDK make them, has it only.
pub(super) fn code<E: StdError + ProvideErrorMetadata + 'static>(error: &E) -> Option<&str> {
    error.source().and_then(Shape::of).map(|shape| shape.code).or(error.code())
}

/// One of the errors that AWS's models declare for the calls of this crate.
struct Shape<'a> {
    code: &'static str,
    message: Option<&'a str>,
    reason: Option<&'a str>,
}

impl<'a> Shape<'a> {
    /// The errors of different calls are different types around the same shapes, so the shape is what can be asked for.
    fn of(error: &'a (dyn StdError + 'static)) -> Option<Self> {
        macro_rules! shapes {
            ($($shape:path => $code:literal $(, $reason:ident)?;)*) => {$(
                if let Some(found) = error.downcast_ref::<$shape>() {
                    let reason = None$(.or_else(|| found.$reason().map(|reason| reason.as_str())))?;
                    return Some(Self { code: $code, message: found.message(), reason });
                }
            )*};
        }
        shapes! {
            organizations::AccessDeniedException => "AccessDeniedException";
            organizations::AccountAlreadyRegisteredException => "AccountAlreadyRegisteredException";
            organizations::AccountNotFoundException => "AccountNotFoundException";
            organizations::AccountNotRegisteredException => "AccountNotRegisteredException";
            organizations::AwsOrganizationsNotInUseException => "AWSOrganizationsNotInUseException";
            organizations::ConcurrentModificationException => "ConcurrentModificationException";
            organizations::ConstraintViolationException => "ConstraintViolationException", reason;
            organizations::InvalidInputException => "InvalidInputException", reason;
            organizations::ServiceException => "ServiceException";
            organizations::TooManyRequestsException => "TooManyRequestsException";
            organizations::UnsupportedApiEndpointException => "UnsupportedAPIEndpointException";
            ssm::InternalServerError => "InternalServerError";
            ssm::InvalidNextToken => "InvalidNextToken";
            ssm::ResourceDataSyncAlreadyExistsException => "ResourceDataSyncAlreadyExistsException";
            ssm::ResourceDataSyncConflictException => "ResourceDataSyncConflictException";
            ssm::ResourceDataSyncCountExceededException => "ResourceDataSyncCountExceededException";
            ssm::ResourceDataSyncInvalidConfigurationException => "ResourceDataSyncInvalidConfigurationException";
            ssm::ResourceDataSyncNotFoundException => "ResourceDataSyncNotFoundException";
            // IAM's codes are not the names of its shapes.
            iam::InvalidInputException => "InvalidInput";
            iam::LimitExceededException => "LimitExceeded";
            iam::NoSuchEntityException => "NoSuchEntity";
            iam::ServiceFailureException => "ServiceFailure";
        }
        None
    }
}

/// An answer came: what it says, and where it says nothing, what its status means.
fn answered(operation: Operation, said: &Said<'_>, answer: &HttpResponse) -> Error {
    let status = answer.status();
    let code = said.code.or_else(|| code_in_xml(answer));
    let mut ours = match (code, status.as_u16()) {
        // Of an emulator, whatever it calls it.
        (Some(code), 501) if !said.declared => Error::service(operation, code, "").by_status(ErrorKind::Unsupported),
        (Some(code), 400..) => {
            let refusal = Error::service(operation, code, "");
            // A code that nobody declared means what its status means. A declared one is a refusal, whatever a mock answers it with.
            let meaning = meaning(status.as_u16());
            let unknown = *refusal.kind() == ErrorKind::Refused && !said.declared;
            if unknown && meaning != ErrorKind::Refused { refusal.by_status(meaning) } else { refusal }
        }
        (Some(code), _) => Error::service(operation, code, ""),
        (None, status) => {
            let ours = Error::of(ErrorKind::Refused).at(operation).by_status(meaning(status));
            let what = if (200..300).contains(&status) { "a body that cannot be read" } else { "no error code" };
            let ours = ours.with_message(format!("HTTP status {status} and {what}"));
            // AWS does not speak HTML: an emulator or a proxy does.
            if is_html(answer) { ours.with_remedy(Remedy::CheckEndpoint) } else { ours }
        }
    };
    if let Some(message) = said.message {
        ours = ours.with_message(message);
    }
    if let Some(reason) = said.reason {
        ours = ours.with_reason(reason);
    }
    ours
}

/// What a status means where the code says nothing.
fn meaning(status: u16) -> ErrorKind {
    match status {
        401 | 403 => ErrorKind::AccessDenied,
        408 => ErrorKind::Lost,
        429 => ErrorKind::Throttled,
        400..=499 => ErrorKind::Refused,
        501 => ErrorKind::Unsupported,
        _ => ErrorKind::Lost,
    }
}

fn is_html(answer: &HttpResponse) -> bool {
    let body = answer.body().bytes().unwrap_or_default().trim_ascii_start();
    let begins = |tag: &[u8]| body.get(..tag.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(tag));
    begins(b"<!doctype html") || begins(b"<html")
}

/// The code of an answer in XML that is not as the service writes it, or where JSON was due: how moto refuses those who lack a
/// permission. One inside of a success that cannot be read is no refusal.
fn code_in_xml(answer: &HttpResponse) -> Option<&str> {
    if answer.status().is_success() {
        return None;
    }
    let body = std::str::from_utf8(answer.body().bytes()?).ok()?;
    let (code, _) = body.split_once("<Code>")?.1.split_once("</Code>")?;
    let is_code = !code.is_empty() && code.len() <= 128 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_code.then_some(code)
}

/// The SDK gave up before anything left, or after a refusal and before sending again.
fn unsent<E>(attempts: &Attempts, error: &SdkError<E, HttpResponse>) -> Error
where
    E: StdError + 'static,
{
    let operation = attempts.operation();
    let not_sent = |why| Error::not_sent(operation, why);
    let configure = |what, why| not_sent(why).with_remedy(what);
    if let SdkError::TimeoutError(_) = error {
        let why = if attempts.refused() {
            "its time was up before it was sent again"
        } else {
            "its time was up before it was sent"
        };
        not_sent(why).with_retry(Retry::Temporary)
    } else if attempts.had_no_region() {
        configure(Remedy::ConfigureRegion, "no Region is configured")
    } else if let Some(credentials) = innermost::<CredentialsError>(error) {
        match (credentials, refusal_behind(credentials)) {
            (CredentialsError::CredentialsNotLoaded(_), _) => {
                configure(Remedy::ConfigureCredentials, "no credentials are configured")
            }
            (CredentialsError::InvalidConfiguration(_), _) => {
                configure(Remedy::ConfigureCredentials, "the credentials are configured wrongly")
            }
            (_, Some(ErrorKind::AccessDenied)) => {
                configure(Remedy::CheckRole, "AWS denies the role that the credentials are to be of")
            }
            (_, Some(ErrorKind::CredentialsRejected)) => {
                configure(Remedy::RenewCredentials, "AWS does not accept what the credentials are to be had with")
            }
            (CredentialsError::ProviderTimedOut(_), _) => {
                not_sent("the credentials could not be loaded in time").with_retry(Retry::Temporary)
            }
            // A login that has expired looks like a host that does not answer.
            _ => not_sent("the credentials could not be loaded")
                .with_retry(Retry::Temporary)
                .with_remedies([Remedy::RenewCredentials, Remedy::TryLater]),
        }
    } else if attempts.had_no_credentials() {
        configure(Remedy::ConfigureCredentials, "no credentials are configured")
    } else if attempts.had_no_http_client() {
        not_sent("no HTTP client is configured")
    } else {
        not_sent("the request could not be made ready")
    }
}

/// What the service that was asked for credentials says, where it refuses them.
fn refusal_behind(credentials: &CredentialsError) -> Option<ErrorKind> {
    let code = innermost::<ErrorMetadata>(credentials)?.code()?;
    Some(Error::service(Operation::GetCallerIdentity, code, "").kind().clone())
}

/// Whether a connection was asked for and never came about, so that nothing could be sent on it.
///
/// `hyper-util`, which the SDK's HTTP client is made of, says so only in words; other clients at least pass the refusal on. A host that
/// is unreachable proves nothing by itself: the way to it may have broken after the request had left.
fn never_connected(error: &(dyn StdError + 'static)) -> bool {
    sources(error).any(|error| {
        let refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        error.downcast_ref().is_some_and(refused) || error.to_string() == "client error (Connect)"
    })
}

fn sources<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The last of its kind: a chain of providers wraps what went wrong in one of them.
fn innermost<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    sources(error).filter_map(|error| error.downcast_ref()).last()
}
