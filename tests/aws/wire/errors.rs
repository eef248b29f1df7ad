//! Classification of refusals and failures: all errors of AWS's models, and errors that the models
//! do not declare.

use std::error::Error as StdError;
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{Error as Erased, FinalizerInterceptorContextMut};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::json;
use ssm_organizations::aws::AwsClient;
use ssm_organizations::aws::aws_sdk_organizations;
use ssm_organizations::aws::aws_sdk_organizations::operation::enable_aws_service_access::EnableAWSServiceAccessError;
use ssm_organizations::aws::aws_sdk_organizations::operation::register_delegated_administrator::RegisterDelegatedAdministratorError;
use ssm_organizations::aws::aws_sdk_organizations::types::ConstraintViolationExceptionReason;
use ssm_organizations::aws::aws_sdk_organizations::types::error::{
    AccessDeniedException, ConcurrentModificationException, ConstraintViolationException,
};
use ssm_organizations::domain::RoleName;
use ssm_organizations::error::Confidence;
use ssm_organizations::ports::{IamApi, Operation};
use ssm_organizations::{Error, ErrorKind, Remedy, RetryStatus, WriteStatus};

use crate::canned::{MEMBER, REQUEST_ID, Reply, Wire, failed};
use crate::declared::{self, Declared};

const ACCESS_DENIED: &str = "AccessDeniedException";
const CONCURRENT: &str = "ConcurrentModificationException";
const CONSTRAINT: &str = "ConstraintViolationException";
const INVALID: &str = "InvalidInputException";
const REGISTERED: &str = "AccountAlreadyRegisteredException";
const SYNC_EXISTS: &str = "ResourceDataSyncAlreadyExistsException";
const NO_ENTITY: &str = "NoSuchEntity";

/// Returns the modeled errors. A missing role is a result of `GetRole`, so it is not included.
fn declared() -> impl Iterator<Item = Declared> {
    let answers = |declared: &Declared| (declared.operation, declared.code) == (Operation::GetRole, NO_ENTITY);
    declared::declared().into_iter().filter(move |declared| !answers(declared))
}

async fn check(operation: Operation, code: &str, reply: Reply, message: Option<&str>, reason: Option<&str>) -> Error {
    let wire = Wire::new().on(operation, [reply]);
    let error = failed(&wire.client(), operation).await;
    assert_eq!(error.operation(), Some(operation));
    assert_eq!(error.code(), Some(code), "{operation}");
    assert_eq!((error.message(), error.reason()), (message, reason), "{error:?}");
    assert_eq!(error.request_id(), Some(REQUEST_ID), "{error:?}");
    let region = (operation.service() == "ssm").then(|| "eu-central-1".parse().unwrap());
    assert_eq!(error.region(), region.as_ref(), "{error:?}");
    let about = [
        Operation::DescribeAccount,
        Operation::RegisterDelegatedAdministrator,
        Operation::DeregisterDelegatedAdministrator,
    ];
    let account = about.contains(&operation).then(|| MEMBER.parse().unwrap());
    assert_eq!(error.account(), account, "{error:?}");
    if message.is_some() {
        check_chain(&error);
    }
    error
}

/// Checks that the SDK's error is the source, and that no line of the chain repeats another line.
fn check_chain(error: &Error) {
    let lines: Vec<_> =
        std::iter::successors(Some(error as &dyn StdError), |&error| error.source()).map(ToString::to_string).collect();
    assert!(lines.len() > 1, "{lines:?}");
    for (at, line) in lines.iter().enumerate() {
        for source in &lines[at + 1..] {
            assert!(!line.contains(source.as_str()), "{lines:?}");
        }
        // Messages contain no Rust debug output.
        assert!(!line.contains(" {") && !line.contains("Some("), "{lines:?}");
    }
    // The message is AWS's own, and is printed once.
    if error.message() == Some("what AWS says") {
        let printed = lines.iter().filter(|line| line.contains("what AWS says")).count();
        assert_eq!(printed, 1, "{lines:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn modeled_error_keeps_message_and_reason() {
    for Declared { operation, code, status } in declared() {
        let (reply, reason) = match code {
            CONSTRAINT => (Reply::refusal(code, "SERVICE_ACCESS_NOT_ENABLED"), Some("SERVICE_ACCESS_NOT_ENABLED")),
            INVALID => (Reply::refusal(code, "INVALID_PATTERN"), Some("INVALID_PATTERN")),
            _ => (Reply::error_of(operation, status, code, Some("what AWS says")), None),
        };
        check(operation, code, reply, Some("what AWS says"), reason).await;
    }
}

/// Responds without a message. `ResourceDataSyncAlreadyExistsException` never has one, but has the
/// name of the sync.
#[tokio::test(start_paused = true)]
async fn modeled_error_without_message_keeps_code() {
    for Declared { operation, code, status } in declared() {
        let reply = if code == SYNC_EXISTS {
            Reply::new(status, json!({ "__type": code, "SyncName": "org" }).to_string())
        } else {
            Reply::error_of(operation, status, code, None)
        };
        check(operation, code, reply, None, None).await;
    }
}

/// Returns the expected number of requests. The SDK makes three attempts before it reports
/// `Exhausted`.
fn requests(retry: RetryStatus) -> usize {
    if retry == RetryStatus::Exhausted { 3 } else { 1 }
}

#[tokio::test(start_paused = true)]
async fn unmodeled_error_is_classified_by_code_and_status() {
    use ErrorKind::{
        AccessDenied, ClockSkew, ConcurrentModification, CredentialsRejected, OrganizationFinalizing, QuotaExceeded,
        ResponseLost, ServiceError, Throttled, Unsupported,
    };

    // Retry status of a read and of a write. The SDK treats a full quota of other resources as
    // throttling.
    let never = [RetryStatus::Permanent; 2];
    let spent = [RetryStatus::Exhausted; 2];
    let by_us = [RetryStatus::Temporary, RetryStatus::Exhausted];
    let lost = [RetryStatus::Exhausted, RetryStatus::Temporary];
    let undeclared = [
        ("FinalizingOrganizationException", 400, OrganizationFinalizing, by_us),
        ("ConcurrentModification", 409, ConcurrentModification, by_us),
        ("ThrottlingException", 400, Throttled, spent),
        ("Throttling", 400, Throttled, spent),
        ("RequestLimitExceeded", 503, Throttled, lost),
        (ACCESS_DENIED, 400, AccessDenied, never),
        ("AccessDenied", 403, AccessDenied, never),
        ("DeleteConflict", 409, ServiceError, never),
        ("ServiceQuotaExceededException", 400, QuotaExceeded, never),
        ("InternalFailure", 500, ResponseLost, lost),
        ("ServiceUnavailable", 503, ResponseLost, lost),
        ("SomethingBroke", 500, ResponseLost, lost),
        ("SomethingNewException", 400, ServiceError, never),
        ("UnsupportedAPIEndpointException", 400, Unsupported, never),
        ("UnknownOperationException", 400, Unsupported, never),
        ("InvalidAction", 400, Unsupported, never),
        ("UnrecognizedClientException", 400, CredentialsRejected, never),
        ("InvalidClientTokenId", 403, CredentialsRejected, never),
        ("InvalidSignatureException", 400, CredentialsRejected, never),
        ("SignatureDoesNotMatch", 403, CredentialsRejected, never),
        ("ExpiredToken", 403, CredentialsRejected, never),
        ("ExpiredTokenException", 400, CredentialsRejected, never),
        ("RequestExpired", 400, ClockSkew, never),
        // AWS's common errors and other undeclared codes. The HTTP status classifies a code that is
        // not known.
        ("RequestAbortedException", 400, ResponseLost, [RetryStatus::Temporary; 2]),
        ("NotAuthorized", 400, AccessDenied, never),
        ("NotAuthorized", 401, AccessDenied, never),
        ("OptInRequired", 403, CredentialsRejected, never),
        ("IncompleteSignature", 400, CredentialsRejected, never),
        ("MalformedHttpRequestException", 400, ServiceError, never),
        ("SomethingSecret", 401, AccessDenied, never),
        ("SomethingForbidden", 403, AccessDenied, never),
        ("SomethingSlow", 408, ResponseLost, [RetryStatus::Temporary; 2]),
        ("SomethingBusy", 429, Throttled, [RetryStatus::Temporary; 2]),
    ];
    for operation in Operation::ALL.iter().copied() {
        for (code, status, kind, retries) in &undeclared {
            if declared::declared().iter().any(|declared| (declared.operation, declared.code) == (operation, code)) {
                continue;
            }
            let reply = || Reply::error_of(operation, *status, code, Some("what AWS says"));
            let error = check(operation, code, reply(), Some("what AWS says"), None).await;
            // With a 5xx status, AWS may have throttled the call before or after it took effect.
            let in_doubt = operation.is_write() && (*kind == ResponseLost || (*kind == Throttled && *status >= 500));
            let applied = if in_doubt { WriteStatus::Unknown } else { WriteStatus::NotApplied };
            let retry = retries[usize::from(operation.is_write())];
            assert_eq!((error.kind(), error.retry_status(), error.write_status()), (kind, retry, applied), "{error:?}");

            let wire = Wire::new().on(operation, [reply()]);
            failed(&wire.client(), operation).await;
            assert_eq!(wire.count(operation), requests(retry), "{error:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn clock_skew_is_detected_by_code_or_message() {
    let operation = Operation::DescribeOrganization;
    for (code, message, kind, evidence, remedy) in [
        ("RequestExpired", "any", ErrorKind::ClockSkew, Confidence::Reported, Remedy::SetClock),
        (
            "InvalidSignatureException",
            "Signature expired: 20261124T000000Z is now earlier than 20261124T115500Z",
            ErrorKind::ClockSkew,
            Confidence::Inferred,
            Remedy::SetClock,
        ),
        (
            "SignatureDoesNotMatch",
            "Signature not yet current: 20261124T000000Z is still later than …",
            ErrorKind::ClockSkew,
            Confidence::Inferred,
            Remedy::SetClock,
        ),
        (
            "InvalidSignatureException",
            "The request signature we calculated does not match",
            ErrorKind::CredentialsRejected,
            Confidence::Reported,
            Remedy::RenewCredentials,
        ),
    ] {
        let wire = Wire::new().on(operation, [Reply::error_of(operation, 400, code, Some(message))]);
        let error = failed(&wire.client(), operation).await;
        assert_eq!((error.kind(), error.confidence(), error.remedy()), (&kind, evidence, Some(remedy)), "{error}");
        assert_eq!(error.retry_status(), RetryStatus::Permanent);
    }
}

/// Emulators report a missing operation in different ways.
#[tokio::test(start_paused = true)]
async fn unimplemented_operation_of_emulator_is_unsupported() {
    for operation in Operation::ALL.iter().copied() {
        for reply in [
            Reply::new(501, ""),
            Reply::new(501, HTML),
            Reply::error_of(operation, 501, "InternalFailure", Some("not yet implemented")),
            Reply::error_of(operation, 400, "UnknownOperationException", None),
        ] {
            let error = failed(&Wire::new().on(operation, [reply.clone()]).client(), operation).await;
            assert_eq!(
                (error.kind(), error.write_status()),
                (&ErrorKind::Unsupported, WriteStatus::NotApplied),
                "{reply:?} {error:?}"
            );
            assert_eq!(
                (error.retry_status(), error.remedy()),
                (RetryStatus::Permanent, Some(Remedy::CheckEndpoint)),
                "{error:?}"
            );
        }
        // A declared error is a refusal with any HTTP status.
        let declared = declared().find(|declared| declared.operation == operation);
        if let Some(Declared { code, .. }) = declared {
            let wire = Wire::new().on(operation, [Reply::error_of(operation, 501, code, None)]);
            assert_ne!(*failed(&wire.client(), operation).await.kind(), ErrorKind::Unsupported, "{operation} {code}");
        }
        // Status 500 may also be a failure after the write took effect.
        let error = failed(&Wire::new().on(operation, [Reply::new(500, HTML)]).client(), operation).await;
        assert_eq!(
            (error.kind(), error.remedy()),
            (&ErrorKind::ResponseLost, Some(Remedy::CheckEndpoint)),
            "{error:?}"
        );
        let applied = if operation.is_write() { WriteStatus::Unknown } else { WriteStatus::NotApplied };
        assert_eq!(error.write_status(), applied);
    }
}

#[tokio::test(start_paused = true)]
async fn get_role_of_missing_role_returns_none() {
    let operation = Operation::GetRole;
    let moto = "<ErrorResponse><Errors><Error><Code>NoSuchEntity</Code></Error></Errors></ErrorResponse>";
    for reply in [
        Reply::error_of(operation, 404, NO_ENTITY, Some("what AWS says")),
        Reply::error_of(operation, 404, NO_ENTITY, None),
        // moto uses this format for the errors of its permission checks.
        Reply::new(404, moto),
    ] {
        let wire = Wire::new().on(operation, [reply]);
        assert_eq!(wire.client().get_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap(), None);
        assert_eq!(wire.count(operation), 1);
    }
    // A response with status 404 and without a valid error code is not from IAM.
    let long = format!("<Error><Code>{}</Code></Error>", "A".repeat(129));
    for body in [
        "",
        HTML,
        "<ErrorResponse><Error></Error></ErrorResponse>",
        "<Error><Code></Code></Error>",
        "<Error><Code>Not Found!</Code></Error>",
        &long,
    ] {
        let wire = Wire::new().on(operation, [Reply::new(404, body)]);
        let error = failed(&wire.client(), operation).await;
        assert_eq!((error.kind(), error.code()), (&ErrorKind::ServiceError, None), "{body}");
    }
    let wire = Wire::new().on(operation, [Reply::new(500, moto)]);
    assert_eq!(*failed(&wire.client(), operation).await.kind(), ErrorKind::ResponseLost);
}

#[tokio::test(start_paused = true)]
async fn error_code_omits_namespace() {
    let code = "com.amazonaws.organizations.v20161128#ConstraintViolationException";
    let wire = Wire::new().on(Operation::EnableAwsServiceAccess, [Reply::refusal(code, "WAIT_PERIOD_ACTIVE")]);
    let error = failed(&wire.client(), Operation::EnableAwsServiceAccess).await;
    assert_eq!(error.code(), Some(CONSTRAINT));
    assert_eq!(error.reason(), Some("WAIT_PERIOD_ACTIVE"));
}

#[tokio::test(start_paused = true)]
async fn error_with_unknown_or_missing_reason_is_service_error() {
    let operation = Operation::RegisterDelegatedAdministrator;
    for code in [CONSTRAINT, INVALID] {
        for (reply, reason) in [
            (Reply::refusal(code, "SOMETHING_NEW"), Some("SOMETHING_NEW")),
            (Reply::refusal(code, "INVALID_NEXT_TOKEN"), Some("INVALID_NEXT_TOKEN")),
            (Reply::error(code), None),
        ] {
            let error = failed(&Wire::new().on(operation, [reply]).client(), operation).await;
            assert_eq!(error.code(), Some(code));
            assert_eq!(error.reason(), reason);
            assert_eq!(*error.kind(), ErrorKind::ServiceError);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn xml_errors_of_sts_are_classified() {
    let operation = Operation::GetCallerIdentity;
    for (status, code, kind, retry, requests) in [
        (403, "InvalidClientTokenId", ErrorKind::CredentialsRejected, RetryStatus::Permanent, 1),
        (403, "ExpiredToken", ErrorKind::CredentialsRejected, RetryStatus::Permanent, 1),
        (403, "AccessDenied", ErrorKind::AccessDenied, RetryStatus::Permanent, 1),
        (400, "Throttling", ErrorKind::Throttled, RetryStatus::Exhausted, 3),
        (500, "InternalFailure", ErrorKind::ResponseLost, RetryStatus::Exhausted, 3),
        (503, "ServiceUnavailable", ErrorKind::ResponseLost, RetryStatus::Exhausted, 3),
    ] {
        let body = format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>what AWS says</Message></Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
        );
        let wire = Wire::new().on(operation, [Reply::new(status, body)]);
        let error = failed(&wire.client(), operation).await;
        assert_eq!((error.kind(), error.retry_status(), wire.count(operation)), (&kind, retry, requests), "{error:?}");
        assert_eq!(error.code(), Some(code));
        assert_eq!(error.message(), Some("what AWS says"));
        assert_eq!(error.request_id(), Some(REQUEST_ID));
        assert_eq!(error.write_status(), WriteStatus::NotApplied);
        check_chain(&error);
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_header_has_seconds_or_a_date() {
    let operation = Operation::EnableAwsServiceAccess;
    for (header, pause) in [
        ("7", Some(Duration::from_secs(7))),
        (" 0 ", Some(Duration::ZERO)),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
        ("soon", None),
        ("-1", None),
    ] {
        let wire = Wire::new().on(operation, [Reply::RetryAfter(header)]);
        let error = failed(&wire.client(), operation).await;
        assert_eq!((error.kind(), error.retry_after()), (&ErrorKind::Throttled, pause), "{header}");
    }
    let wire = Wire::new().on(operation, [Reply::RetryAfter("Fri, 31 Dec 9999 23:59:59 GMT")]);
    let pause = failed(&wire.client(), operation).await.retry_after().unwrap();
    assert!(pause > Duration::from_hours(24 * 365 * 7000), "{pause:?}");
}

const HTML: &str = "<!doctype html>\n<html lang=en>\n<title>Error</title>\n<h1>Error</h1>";

/// Asserts that a 4xx status is a refusal with any body, and that a 5xx status is a lost response.
#[tokio::test(start_paused = true)]
async fn error_without_code_is_classified_by_status() {
    for body in ["", HTML, "{}", "{\"message\": 1", "null"] {
        for (status, kind, retry_of_read, requests_of_read) in [
            (400, ErrorKind::ServiceError, RetryStatus::Permanent, None),
            (401, ErrorKind::AccessDenied, RetryStatus::Permanent, None),
            (403, ErrorKind::AccessDenied, RetryStatus::Permanent, None),
            (404, ErrorKind::ServiceError, RetryStatus::Permanent, None),
            (408, ErrorKind::ResponseLost, RetryStatus::Temporary, None),
            (429, ErrorKind::Throttled, RetryStatus::Temporary, None),
            (500, ErrorKind::ResponseLost, RetryStatus::Exhausted, Some(3)),
            (501, ErrorKind::Unsupported, RetryStatus::Permanent, Some(1)),
            (502, ErrorKind::ResponseLost, RetryStatus::Exhausted, Some(3)),
            (503, ErrorKind::ResponseLost, RetryStatus::Exhausted, Some(3)),
            (504, ErrorKind::ResponseLost, RetryStatus::Exhausted, Some(3)),
        ] {
            for write in [
                Operation::RegisterDelegatedAdministrator,
                Operation::CreateResourceDataSync,
                Operation::CreateServiceLinkedRole,
            ] {
                let wire = Wire::new().on(write, [Reply::new(status, body)]);
                let error = failed(&wire.client(), write).await;
                let applied =
                    if kind == ErrorKind::ResponseLost { WriteStatus::Unknown } else { WriteStatus::NotApplied };
                assert_eq!((error.kind(), error.write_status()), (&kind, applied), "{status} {body:?} {error:?}");
                assert_eq!(wire.count(write), 1, "{status} {body:?}");
                assert_eq!(error.code(), None);
                assert_eq!(error.message(), Some(format!("HTTP status {status} without an error code").as_str()));
                assert_eq!(error.request_id(), Some(REQUEST_ID));
                // AWS never responds with HTML, so the endpoint may be wrong.
                let elsewhere = body == HTML || kind == ErrorKind::Unsupported;
                assert_eq!(error.remedies().contains(&Remedy::CheckEndpoint), elsewhere, "{status} {body:?}");
                check_chain(&error);
            }

            for read in [
                Operation::DescribeAccount,
                Operation::ListResourceDataSync,
                Operation::GetRole,
                Operation::GetCallerIdentity,
            ] {
                let wire = Wire::new().on(read, [Reply::new(status, body)]);
                let error = failed(&wire.client(), read).await;
                assert_eq!(
                    (error.kind(), error.write_status()),
                    (&kind, WriteStatus::NotApplied),
                    "{status} {body:?} {error:?}"
                );
                if let Some(requests) = requests_of_read {
                    assert_eq!(
                        (wire.count(read), error.retry_status()),
                        (requests, retry_of_read),
                        "{status} {body:?}"
                    );
                }
            }
        }
    }
}

/// Uses the format of the errors of moto's permission checks.
#[tokio::test(start_paused = true)]
async fn xml_error_of_json_service_is_classified() {
    let operation = Operation::EnableAwsServiceAccess;
    for (code, kind) in
        [("AccessDenied", ErrorKind::AccessDenied), ("SignatureDoesNotMatch", ErrorKind::CredentialsRejected)]
    {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<ErrorResponse><Errors><Error><Code>{code}</Code>\
             <Message>no</Message><Type>Sender</Type></Error></Errors></ErrorResponse>"
        );
        let wire = Wire::new().on(operation, [Reply::new(403, body)]);
        let error = failed(&wire.client(), operation).await;
        assert_eq!((error.kind(), error.write_status()), (&kind, WriteStatus::NotApplied), "{error:?}");
        assert_eq!(error.code(), Some(code));
        assert_eq!(wire.count(operation), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn client_error_is_the_sdk_error() {
    let operation = Operation::RegisterDelegatedAdministrator;
    let wire = Wire::new().on(operation, [Reply::error(REGISTERED)]);
    let error = failed(&wire.client(), operation).await;
    let source = error.client_error().expect("the SDK's error");
    let sdk = source.downcast_ref::<SdkError<RegisterDelegatedAdministratorError, HttpResponse>>().expect("the SDK's");
    assert!(sdk.as_service_error().unwrap().is_account_already_registered_exception());
}

#[tokio::test(start_paused = true)]
async fn list_syncs_error_names_region() {
    let operation = Operation::ListResourceDataSync;
    let wire = Wire::new().on(operation, [Reply::error(ACCESS_DENIED)]);
    let error = failed(&wire.client(), operation).await;
    assert_eq!(error.region(), Some(&"eu-central-1".parse().unwrap()));
    assert_eq!(
        error.to_string(),
        format!(
            "ListResourceDataSync in eu-central-1: access denied; add the permission ssm:ListResourceDataSync \
             (AWS answered AccessDeniedException, request id {REQUEST_ID})"
        )
    );
}

/// Uses a page like that of a captive portal.
#[tokio::test(start_paused = true)]
async fn success_with_unreadable_body_is_response_lost() {
    for operation in Operation::ALL.iter().copied() {
        let applied = if operation.is_write() { WriteStatus::Unknown } else { WriteStatus::NotApplied };
        let wire = Wire::new().on(operation, [Reply::new(200, HTML)]);
        let error = failed(&wire.client(), operation).await;
        assert_eq!((error.kind(), error.write_status()), (&ErrorKind::ResponseLost, applied), "{error:?}");
        assert_eq!(error.message(), Some("HTTP status 200 with an unreadable body"));
        assert_eq!(wire.count(operation), 1);
    }
}

/// Interceptor that replaces the response by an error without metadata, as mocks of the SDK do.
#[derive(Debug)]
struct HandMade(fn() -> EnableAWSServiceAccessError);

impl Intercept for HandMade {
    fn name(&self) -> &'static str {
        "HandMade"
    }

    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        *context.output_or_error_mut().unwrap() = Err(OrchestratorError::operation(Erased::erase((self.0)())));
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn error_without_code_is_classified_by_sdk_type() {
    let cases: [(fn() -> EnableAWSServiceAccessError, _, _, _, _, _); 3] = [
        (
            || {
                let shape = ConstraintViolationException::builder()
                    .message("what AWS says")
                    .reason(ConstraintViolationExceptionReason::OrganizationNotInAllFeaturesMode);
                EnableAWSServiceAccessError::ConstraintViolationException(shape.build())
            },
            CONSTRAINT,
            Some("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"),
            Some("what AWS says"),
            1,
            ErrorKind::NotAllFeatures,
        ),
        (
            || EnableAWSServiceAccessError::AccessDeniedException(AccessDeniedException::builder().build()),
            ACCESS_DENIED,
            None,
            None,
            1,
            ErrorKind::AccessDenied,
        ),
        (
            || {
                let shape = ConcurrentModificationException::builder().message("what AWS says").build();
                EnableAWSServiceAccessError::ConcurrentModificationException(shape)
            },
            CONCURRENT,
            None,
            Some("what AWS says"),
            3,
            ErrorKind::ConcurrentModification,
        ),
    ];
    for (error, code, reason, message, requests, kind) in cases {
        for status in [200, 500] {
            let operation = Operation::EnableAwsServiceAccess;
            let wire = Wire::new().on(operation, [Reply::new(status, "{}")]);
            let config = aws_sdk_organizations::config::Builder::from(&wire.config().build())
                .behavior_version(BehaviorVersion::latest())
                .interceptor(HandMade(error))
                .build();
            let given = aws_sdk_organizations::Client::from_conf(config);
            let client = AwsClient::builder(&wire.config().build()).organizations(given).build();
            let error = failed(&client, operation).await;
            assert_eq!(*error.kind(), kind);
            assert_eq!((error.code(), error.reason(), error.message()), (Some(code), reason, message));
            assert_eq!(wire.count(operation), requests);
        }
    }
}
