//! Conversion of the SDK's errors to errors of this crate, by the progress of the call.

use std::error::Error as StdError;
use std::io;
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_iam::types::error as iam;
use aws_sdk_organizations::types::error as organizations;
use aws_sdk_ssm::types::error as ssm;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::request_id::RequestId;

use super::call_tracker::CallTracker;
use crate::domain::Operation;
use crate::error::{Error, ErrorKind, Remedy, RetryStatus, WriteStatus};

/// Converts an error of the SDK. Every call uses this conversion.
pub(super) fn from_sdk<E>(attempts: &CallTracker, error: SdkError<E, HttpResponse>) -> Error
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
{
    let operation = attempts.operation();
    let mut ours = match &error {
        SdkError::ServiceError(answer) => from_response(operation, &ServiceErrorFields::by(answer.err()), answer.raw()),
        SdkError::ResponseError(answer) => from_response(operation, &ServiceErrorFields::default(), answer.raw()),
        _ if !attempts.in_flight() => not_sent(attempts, &error),
        _ if innermost::<UnusableHttpClient>(&error).is_some() => {
            Error::not_sent(operation, "the HTTP client is unusable")
        }
        _ if is_connect_error(&error) => no_connection(operation, &error),
        _ => Error::response_lost(operation),
    };
    // AWS does not know the keys of another partition. The calls of Organizations, IAM and STS do
    // not show the Region that selects the partition.
    if *ours.kind() == ErrorKind::CredentialsRejected
        && let (None, Some(region)) = (ours.region(), attempts.client_region())
    {
        ours = ours.with_remedies([Remedy::RenewCredentials, Remedy::CheckRegion { region }]);
    }
    // A write with a lost response was not repeated, even if earlier attempts were retried.
    if ours.is_retryable() && attempts.was_retried() && ours.write_status() == WriteStatus::NotApplied {
        ours = ours.with_retry(RetryStatus::Exhausted);
    }
    if let Some(pause) = error.raw_response().and_then(retry_after) {
        ours = ours.with_retry_after(pause);
    }
    if let Some(id) = error.request_id() {
        ours = ours.with_request_id(id);
    }
    ours.with_source_saying(Box::new(error), service_error_text)
}

/// Returns the text of an error of the SDK.
///
/// The SDK stores an unknown response as metadata with a `Debug`-like text, so only its message is
/// returned.
pub(super) fn service_error_text(error: &(dyn StdError + 'static)) -> Option<String> {
    match error.downcast_ref::<ErrorMetadata>() {
        Some(metadata) => metadata.message().map(str::to_owned),
        None => Some(error.to_string()),
    }
}

/// Fields of a service error.
#[derive(Default)]
struct ServiceErrorFields<'a> {
    code: Option<&'a str>,
    message: Option<&'a str>,
    reason: Option<&'a str>,
    declared: bool,
}

impl<'a> ServiceErrorFields<'a> {
    fn by<E: StdError + ProvideErrorMetadata + 'static>(error: &'a E) -> Self {
        match error.source().and_then(ModeledError::of) {
            Some(ModeledError { code, message, reason }) => Self { code: Some(code), message, reason, declared: true },
            None => Self { code: error.code(), message: error.message(), ..Self::default() },
        }
    }
}

/// Returns AWS's code: that of the SDK's modeled error, or else that of the response.
///
/// The modeled error comes first, because a handwritten error, as in mocks of the SDK, has no other
/// code.
pub(super) fn code<E: StdError + ProvideErrorMetadata + 'static>(error: &E) -> Option<&str> {
    error.source().and_then(ModeledError::of).map(|shape| shape.code).or(error.code())
}

/// Error that AWS's models declare for the calls of this crate.
struct ModeledError<'a> {
    code: &'static str,
    message: Option<&'a str>,
    reason: Option<&'a str>,
}

impl<'a> ModeledError<'a> {
    /// Returns the modeled error with its code.
    ///
    /// Each call has its own error type around the same shapes, so the lookup uses the shape.
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
            organizations::OrganizationalUnitNotFoundException => "OrganizationalUnitNotFoundException";
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
            // IAM's codes differ from the names of its shapes.
            iam::InvalidInputException => "InvalidInput";
            iam::LimitExceededException => "LimitExceeded";
            iam::NoSuchEntityException => "NoSuchEntity";
            iam::ServiceFailureException => "ServiceFailure";
        }
        None
    }
}

/// Converts a response by its fields, or else by its status.
fn from_response(operation: Operation, said: &ServiceErrorFields<'_>, answer: &HttpResponse) -> Error {
    let status = answer.status();
    let code = said.code.or_else(|| code_in_xml(answer));
    let mut ours = match (code, status.as_u16()) {
        // An emulator, regardless of its code.
        (Some(code), 501) if !said.declared => {
            Error::from_service_error(operation, code, "").reclassify_by_status(ErrorKind::Unsupported)
        }
        (Some(code), 400..) => {
            let refusal = Error::from_service_error(operation, code, "");
            // The status classifies an undeclared code. A declared code is a refusal, even if a
            // mock returns it with an unusual status.
            let meaning = classify_status(status.as_u16());
            let unknown = *refusal.kind() == ErrorKind::ServiceError && !said.declared;
            if unknown && meaning != ErrorKind::ServiceError { refusal.reclassify_by_status(meaning) } else { refusal }
        }
        (Some(code), _) => Error::from_service_error(operation, code, ""),
        (None, status) => {
            let ours = Error::new(ErrorKind::ServiceError)
                .with_operation(operation)
                .reclassify_by_status(classify_status(status));
            let what = if (200..300).contains(&status) { "with an unreadable body" } else { "without an error code" };
            let ours = ours.with_message(format!("HTTP status {status} {what}"));
            // AWS does not return HTML, but an emulator or a proxy does.
            if is_html(answer) { ours.with_remedy(Remedy::CheckEndpoint) } else { ours }
        }
    };
    // With a 5xx status, a code that asks to try again later does not show that AWS refused the
    // write before its effect.
    if answer.status().is_server_error() && operation.is_write() && ours.retry_status() != RetryStatus::Permanent {
        ours = ours.with_write_status(WriteStatus::Unknown);
    }
    if let Some(message) = said.message {
        ours = ours.with_message(message);
    }
    if let Some(reason) = said.reason {
        ours = ours.with_reason(reason);
    }
    ours
}

/// Returns the kind of an HTTP status if the code is missing or unknown.
fn classify_status(status: u16) -> ErrorKind {
    match status {
        401 | 403 => ErrorKind::AccessDenied,
        408 => ErrorKind::ResponseLost,
        429 => ErrorKind::Throttled,
        400..=499 => ErrorKind::ServiceError,
        501 => ErrorKind::Unsupported,
        _ => ErrorKind::ResponseLost,
    }
}

/// Returns the pause that the response asks for, in seconds or as a date.
fn retry_after(answer: &HttpResponse) -> Option<Duration> {
    let header = answer.headers().get("retry-after")?.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = SystemTime::try_from(DateTime::from_str(header, Format::HttpDate).ok()?).ok()?;
    date.duration_since(SystemTime::now()).ok()
}

fn is_html(answer: &HttpResponse) -> bool {
    let body = answer.body().bytes().unwrap_or_default().trim_ascii_start();
    let begins = |tag: &[u8]| body.get(..tag.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(tag));
    begins(b"<!doctype html") || begins(b"<html")
}

/// Returns the code of an XML response that the SDK cannot parse.
///
/// Examples are XML in another format, and XML where JSON is expected, as moto returns for a
/// missing permission. A code inside an unreadable success response is not a refusal.
fn code_in_xml(answer: &HttpResponse) -> Option<&str> {
    if answer.status().is_success() {
        return None;
    }
    let body = std::str::from_utf8(answer.body().bytes()?).ok()?;
    let (code, _) = body.split_once("<Code>")?.1.split_once("</Code>")?;
    let is_code = !code.is_empty() && code.len() <= 128 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_code.then_some(code)
}

/// Converts an error of a call that stopped before it was sent, or between a refusal and a retry.
fn not_sent<E>(attempts: &CallTracker, error: &SdkError<E, HttpResponse>) -> Error
where
    E: StdError + 'static,
{
    let operation = attempts.operation();
    let not_sent = |why| Error::not_sent(operation, why);
    let configure = |what, why| not_sent(why).with_remedy(what);
    if let SdkError::TimeoutError(_) = error {
        let why = if attempts.was_refused() {
            "the timeout expired before the request was sent again"
        } else {
            "the timeout expired before the request was sent"
        };
        not_sent(why).with_retry(RetryStatus::Temporary)
    } else if attempts.lacked_region() {
        configure(Remedy::ConfigureRegion, "no Region is configured")
    } else if let Some(credentials) = innermost::<CredentialsError>(error) {
        let CredentialsFailure { what, remedies, retry } = CredentialsFailure::of(credentials);
        not_sent(what).with_remedies(remedies).with_retry(retry)
    } else if attempts.lacked_credentials() {
        configure(Remedy::ConfigureCredentials, "no credentials are configured")
    } else if attempts.lacked_http_client() {
        not_sent("no HTTP client is configured")
    } else {
        not_sent("the request could not be prepared")
    }
}

/// Reason why a provider returned no credentials.
pub(super) struct CredentialsFailure {
    pub(super) what: &'static str,
    pub(super) remedies: Vec<Remedy>,
    pub(super) retry: RetryStatus,
}

impl CredentialsFailure {
    pub(super) fn of(credentials: &CredentialsError) -> Self {
        let permanent = |what, remedy| Self { what, remedies: vec![remedy], retry: RetryStatus::Permanent };
        match (credentials, nested_refusal(credentials)) {
            (CredentialsError::CredentialsNotLoaded(_), _) => {
                permanent("no credentials are configured", Remedy::ConfigureCredentials)
            }
            (CredentialsError::InvalidConfiguration(_), _) => {
                permanent("the configuration of the credentials is invalid", Remedy::ConfigureCredentials)
            }
            _ if is_login_expired(credentials) => {
                permanent("the session of IAM Identity Center is missing or expired", Remedy::LogIn { profile: None })
            }
            (_, Some(ErrorKind::AccessDenied)) => {
                permanent("AWS denied access to the role of the credentials", Remedy::CheckRole)
            }
            (_, Some(ErrorKind::CredentialsRejected)) => {
                permanent("AWS rejected the source credentials", Remedy::RenewCredentials)
            }
            (CredentialsError::ProviderTimedOut(_), _) => Self {
                what: "the credentials could not be loaded in time",
                remedies: Vec::new(),
                retry: RetryStatus::Temporary,
            },
            // An unknown cause may be a host that does not respond.
            _ => Self {
                what: "the credentials could not be loaded",
                remedies: vec![Remedy::RenewCredentials, Remedy::RetryLater],
                retry: RetryStatus::Temporary,
            },
        }
    }
}

/// Returns the kind of a refusal by the service that provides the credentials.
fn nested_refusal(credentials: &CredentialsError) -> Option<ErrorKind> {
    let code = innermost::<ErrorMetadata>(credentials)?.code()?;
    Some(Error::from_service_error(Operation::GetCallerIdentity, code, "").kind().clone())
}

/// Returns whether the session of IAM Identity Center has to be renewed by `aws sso login`.
///
/// The SDK has no type for an expired or missing token of a session, only these texts. IAM Identity
/// Center rejects a token that expired earlier than it states.
fn is_login_expired(credentials: &CredentialsError) -> bool {
    let is_rejected = innermost::<ErrorMetadata>(credentials).and_then(ErrorMetadata::code);
    is_rejected == Some("UnauthorizedException")
        || sources(credentials).any(|error| {
            let text = error.to_string();
            ["SSO token", "sso/cache"].iter().any(|part| text.contains(part))
        })
}

/// Reason why an HTTP client cannot send any request.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct UnusableHttpClient(pub(super) String);

/// Converts an error without a connection. Nothing was sent.
fn no_connection(operation: Operation, error: &(dyn StdError + 'static)) -> Error {
    let says = |text: &str| sources(error).any(|error| error.to_string().contains(text));
    // The libraries below report both causes only as text.
    if says("tunnel error") {
        let why = "the proxy of the environment did not connect to the endpoint";
        Error::not_sent(operation, why).with_remedy(Remedy::CheckProxy).with_retry(RetryStatus::Temporary)
    } else if says("UnknownIssuer") {
        let why = "the issuer of the server's certificate is unknown";
        Error::not_sent(operation, why).with_remedies([Remedy::SetCaBundle, Remedy::CheckEndpoint])
    } else {
        let why = "no connection could be made";
        Error::not_sent(operation, why).with_remedy(Remedy::CheckEndpoint).with_retry(RetryStatus::Temporary)
    }
}

/// Returns whether no connection was established, so that nothing was sent.
///
/// `hyper-util`, the basis of the SDK's HTTP client, reports this case only as text. Other clients
/// at least pass on the refused connection. An unreachable host proves nothing, because the route
/// may have failed after the request was sent.
fn is_connect_error(error: &(dyn StdError + 'static)) -> bool {
    sources(error).any(|error| {
        let refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        error.downcast_ref().is_some_and(refused) || error.to_string() == "client error (Connect)"
    })
}

fn sources<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Returns the innermost error of a type, because a chain of providers wraps the original error.
fn innermost<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    sources(error).filter_map(|error| error.downcast_ref()).last()
}
