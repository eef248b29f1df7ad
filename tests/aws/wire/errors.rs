//! What is made of refusals and failures: every one that AWS's models declare, and those that they do not.

use std::error::Error as StdError;

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
use ssm_organizations::ports::{IamApi, Operation};
use ssm_organizations::{Applied, Error, ErrorKind, Retry, RoleName};

use crate::canned::{REQUEST_ID, Reply, Wire, failed};

const ACCESS_DENIED: &str = "AccessDeniedException";
const NOT_IN_USE: &str = "AWSOrganizationsNotInUseException";
const SERVICE: &str = "ServiceException";
const TOO_MANY: &str = "TooManyRequestsException";
const CONCURRENT: &str = "ConcurrentModificationException";
const CONSTRAINT: &str = "ConstraintViolationException";
const INVALID: &str = "InvalidInputException";
const ENDPOINT: &str = "UnsupportedAPIEndpointException";
const REGISTERED: &str = "AccountAlreadyRegisteredException";
const NOT_REGISTERED: &str = "AccountNotRegisteredException";
const NOT_FOUND: &str = "AccountNotFoundException";

const INTERNAL: &str = "InternalServerError";
const BAD_TOKEN: &str = "InvalidNextToken";
const SYNC_EXISTS: &str = "ResourceDataSyncAlreadyExistsException";
const SYNC_CONFLICT: &str = "ResourceDataSyncConflictException";
const SYNC_COUNT: &str = "ResourceDataSyncCountExceededException";
const SYNC_INVALID: &str = "ResourceDataSyncInvalidConfigurationException";
const NO_SYNC: &str = "ResourceDataSyncNotFoundException";

const IAM_INVALID: &str = "InvalidInput";
const IAM_LIMIT: &str = "LimitExceeded";
const IAM_SERVICE: &str = "ServiceFailure";
const NO_ENTITY: &str = "NoSuchEntity";

/// The errors that AWS's model declares for an operation. `NoSuchEntity` of `GetRole` is none here: it is an answer.
fn declared(operation: Operation) -> &'static [&'static str] {
    match operation {
        Operation::DescribeOrganization => &[ACCESS_DENIED, NOT_IN_USE, SERVICE, TOO_MANY, CONCURRENT],
        Operation::DescribeAccount => &[ACCESS_DENIED, NOT_IN_USE, SERVICE, TOO_MANY, NOT_FOUND, INVALID],
        Operation::ListAwsServiceAccessForOrganization | Operation::ListDelegatedAdministrators => {
            &[ACCESS_DENIED, NOT_IN_USE, SERVICE, TOO_MANY, CONSTRAINT, INVALID, ENDPOINT]
        }
        Operation::EnableAwsServiceAccess | Operation::DisableAwsServiceAccess => {
            &[ACCESS_DENIED, NOT_IN_USE, SERVICE, TOO_MANY, CONCURRENT, CONSTRAINT, INVALID, ENDPOINT]
        }
        Operation::RegisterDelegatedAdministrator => &[
            ACCESS_DENIED,
            NOT_IN_USE,
            SERVICE,
            TOO_MANY,
            CONCURRENT,
            CONSTRAINT,
            INVALID,
            ENDPOINT,
            REGISTERED,
            NOT_FOUND,
        ],
        Operation::DeregisterDelegatedAdministrator => &[
            ACCESS_DENIED,
            NOT_IN_USE,
            SERVICE,
            TOO_MANY,
            CONCURRENT,
            CONSTRAINT,
            INVALID,
            ENDPOINT,
            NOT_REGISTERED,
            NOT_FOUND,
        ],
        Operation::GetCallerIdentity => &[],
        Operation::ListResourceDataSync => &[INTERNAL, BAD_TOKEN, SYNC_INVALID],
        Operation::CreateResourceDataSync => &[INTERNAL, SYNC_EXISTS, SYNC_COUNT, SYNC_INVALID],
        Operation::UpdateResourceDataSync => &[INTERNAL, SYNC_CONFLICT, SYNC_INVALID, NO_SYNC],
        Operation::DeleteResourceDataSync => &[INTERNAL, SYNC_INVALID, NO_SYNC],
        Operation::GetRole => &[IAM_SERVICE],
        Operation::CreateServiceLinkedRole => &[IAM_INVALID, IAM_LIMIT, NO_ENTITY, IAM_SERVICE],
        Operation::DeleteServiceLinkedRole => &[IAM_LIMIT, NO_ENTITY, IAM_SERVICE],
        Operation::GetServiceLinkedRoleDeletionStatus => &[IAM_INVALID, NO_ENTITY, IAM_SERVICE],
        other => panic!("{other} is new: say here what AWS declares for it"),
    }
}

/// Whether AWS does not say that nothing was done.
fn is_in_doubt(code: &str) -> bool {
    [SERVICE, INTERNAL, IAM_SERVICE, "InternalFailure", "ServiceUnavailable", "SomethingBroke"].contains(&code)
}

/// What an error must be: its kind, whether to try again, whether it was applied, and how many requests it took.
fn expected(operation: Operation, code: &str) -> (ErrorKind, Retry, Applied, usize) {
    match code {
        ACCESS_DENIED | "AccessDenied" => (ErrorKind::AccessDenied, Retry::Permanent, Applied::No, 1),
        NOT_IN_USE => (ErrorKind::NotInOrganization, Retry::Permanent, Applied::No, 1),
        TOO_MANY | "ThrottlingException" | "Throttling" => (ErrorKind::Throttled, Retry::Spent, Applied::No, 3),
        CONCURRENT | "ConcurrentModification" | "FinalizingOrganizationException" if operation.is_write() => {
            (ErrorKind::ConcurrentModification, Retry::Spent, Applied::No, 3)
        }
        CONCURRENT | "ConcurrentModification" | "FinalizingOrganizationException" => {
            (ErrorKind::ConcurrentModification, Retry::Temporary, Applied::No, 1)
        }
        // It passes in minutes: the SDK has no patience for that.
        SYNC_CONFLICT => (ErrorKind::ConcurrentModification, Retry::Temporary, Applied::No, 1),
        _ if is_in_doubt(code) && operation.is_write() => (ErrorKind::Lost, Retry::Temporary, Applied::Unknown, 1),
        _ if is_in_doubt(code) => (ErrorKind::Lost, Retry::Spent, Applied::No, 3),
        _ => (ErrorKind::Refused, Retry::Permanent, Applied::No, 1),
    }
}

/// The status that AWS's models have for a code.
fn status(code: &str) -> u16 {
    match code {
        NO_ENTITY => 404,
        IAM_LIMIT | "DeleteConflict" | "ConcurrentModification" => 409,
        "AccessDenied" => 403,
        "ServiceUnavailable" => 503,
        _ if is_in_doubt(code) => 500,
        _ => 400,
    }
}

fn reply(operation: Operation, code: &str) -> Reply {
    match code {
        CONSTRAINT => Reply::refusal(code, "SERVICE_ACCESS_NOT_ENABLED"),
        INVALID => Reply::refusal(code, "UNRECOGNIZED_SERVICE_PRINCIPAL"),
        _ => Reply::error_of(operation, status(code), code, Some("what AWS says")),
    }
}

async fn check(operation: Operation, code: &str) {
    let error = check_reply(operation, code, reply(operation, code)).await;
    assert_eq!(error.message(), Some("what AWS says"), "{error:?}");
    let reason = match code {
        CONSTRAINT => Some("SERVICE_ACCESS_NOT_ENABLED"),
        INVALID => Some("UNRECOGNIZED_SERVICE_PRINCIPAL"),
        _ => None,
    };
    assert_eq!(error.reason(), reason, "{error:?}");
    check_chain(&error);
}

async fn check_reply(operation: Operation, code: &str, reply: Reply) -> Error {
    let wire = Wire::new().on(operation, [reply]);
    let error = failed(&wire.client(), operation).await;
    let (kind, retry, applied, requests) = expected(operation, code);
    assert_eq!(*error.kind(), kind, "{error:?}");
    assert_eq!(error.retry(), retry, "{error:?}");
    assert_eq!(error.applied(), applied, "{error:?}");
    assert_eq!(wire.count(operation), requests, "{error:?}");

    assert_eq!(error.operation(), Some(operation));
    assert_eq!(error.code(), Some(code), "{operation}");
    assert_eq!(error.request_id(), Some(REQUEST_ID), "{error:?}");
    let region = (operation.service() == "ssm").then(|| "eu-central-1".parse().unwrap());
    assert_eq!(error.region(), region.as_ref(), "{error:?}");
    error
}

/// The SDK's error is the source, and each line of the chain says something of its own.
fn check_chain(error: &Error) {
    let lines: Vec<_> =
        std::iter::successors(Some(error as &dyn StdError), |&error| error.source()).map(ToString::to_string).collect();
    assert!(lines.len() > 1, "{lines:?}");
    for source in &lines[1..] {
        assert!(!lines[0].contains(source.as_str()), "{lines:?}");
    }
    assert!(!lines[0].contains("what AWS says"), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn every_declared_error_keeps_what_aws_said() {
    for operation in Operation::ALL {
        for code in declared(*operation) {
            check(*operation, code).await;
        }
    }
}

/// `ResourceDataSyncAlreadyExistsException` never has a message, and has a name instead.
#[tokio::test(start_paused = true)]
async fn every_declared_error_is_known_without_a_message() {
    for operation in Operation::ALL {
        for code in declared(*operation) {
            let reply = if *code == SYNC_EXISTS {
                Reply::new(400, json!({ "__type": code, "SyncName": "org" }).to_string())
            } else {
                Reply::error_of(*operation, status(code), code, None)
            };
            let error = check_reply(*operation, code, reply).await;
            assert_eq!((error.message(), error.reason()), (None, None), "{error:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_undeclared_error_does_too() {
    let undeclared = [
        "FinalizingOrganizationException",
        "ConcurrentModification",
        "ThrottlingException",
        "Throttling",
        ACCESS_DENIED,
        "AccessDenied",
        "DeleteConflict",
        "InternalFailure",
        "ServiceUnavailable",
        "SomethingBroke",
        "SomethingNewException",
    ];
    for operation in Operation::ALL {
        for code in undeclared {
            check(*operation, code).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_role_that_is_not_there_is_an_answer() {
    let operation = Operation::GetRole;
    let moto = "<ErrorResponse><Errors><Error><Code>NoSuchEntity</Code></Error></Errors></ErrorResponse>";
    for reply in [
        reply(operation, NO_ENTITY),
        Reply::error_of(operation, 404, NO_ENTITY, None),
        // As moto writes the errors of its own permission checks.
        Reply::new(404, moto),
    ] {
        let wire = Wire::new().on(operation, [reply]);
        assert_eq!(wire.client().get_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap(), None);
        assert_eq!(wire.count(operation), 1);
    }
    // Not every 404 is IAM's.
    for body in ["", HTML, "<ErrorResponse><Error></Error></ErrorResponse>"] {
        let wire = Wire::new().on(operation, [Reply::new(404, body)]);
        assert_eq!(*failed(&wire.client(), operation).await.kind(), ErrorKind::Refused);
    }
    let wire = Wire::new().on(operation, [Reply::new(500, moto)]);
    assert_eq!(*failed(&wire.client(), operation).await.kind(), ErrorKind::Lost);
}

#[tokio::test(start_paused = true)]
async fn a_code_with_a_namespace_is_the_code() {
    let code = "com.amazonaws.organizations.v20161128#ConstraintViolationException";
    let wire = Wire::new().on(Operation::EnableAwsServiceAccess, [Reply::refusal(code, "WAIT_PERIOD_ACTIVE")]);
    let error = failed(&wire.client(), Operation::EnableAwsServiceAccess).await;
    assert_eq!(error.code(), Some(CONSTRAINT));
    assert_eq!(error.reason(), Some("WAIT_PERIOD_ACTIVE"));
}

#[tokio::test(start_paused = true)]
async fn a_reason_may_be_unknown_or_missing() {
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
            assert_eq!(*error.kind(), ErrorKind::Refused);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_errors_of_sts_come_in_xml() {
    let operation = Operation::GetCallerIdentity;
    for (status, code, kind, retry, requests) in [
        (403, "InvalidClientTokenId", ErrorKind::Refused, Retry::Permanent, 1),
        (403, "ExpiredToken", ErrorKind::Refused, Retry::Permanent, 1),
        (403, "AccessDenied", ErrorKind::AccessDenied, Retry::Permanent, 1),
        (400, "Throttling", ErrorKind::Throttled, Retry::Spent, 3),
        (500, "InternalFailure", ErrorKind::Lost, Retry::Spent, 3),
        (503, "ServiceUnavailable", ErrorKind::Lost, Retry::Spent, 3),
    ] {
        let body = format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>what AWS says</Message></Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
        );
        let wire = Wire::new().on(operation, [Reply::new(status, body)]);
        let error = failed(&wire.client(), operation).await;
        assert_eq!((error.kind(), error.retry(), wire.count(operation)), (&kind, retry, requests), "{error:?}");
        assert_eq!(error.code(), Some(code));
        assert_eq!(error.message(), Some("what AWS says"));
        assert_eq!(error.request_id(), Some(REQUEST_ID));
        assert_eq!(error.applied(), Applied::No);
        check_chain(&error);
    }
}

const HTML: &str = "<!doctype html>\n<html lang=en>\n<title>Error</title>\n<h1>Error</h1>";

/// A status of the client's is a refusal whatever the body, one of the server's a lost reply.
#[tokio::test(start_paused = true)]
async fn without_a_code_the_status_decides() {
    for body in ["", HTML, "{}", "{\"message\": 1", "null"] {
        for (status, kind, retry_of_read, requests_of_read) in [
            (400, ErrorKind::Refused, Retry::Permanent, None),
            (401, ErrorKind::AccessDenied, Retry::Permanent, None),
            (403, ErrorKind::AccessDenied, Retry::Permanent, None),
            (404, ErrorKind::Refused, Retry::Permanent, None),
            (408, ErrorKind::Lost, Retry::Temporary, None),
            (429, ErrorKind::Throttled, Retry::Temporary, None),
            (500, ErrorKind::Lost, Retry::Spent, Some(3)),
            (501, ErrorKind::Lost, Retry::Temporary, None),
            (502, ErrorKind::Lost, Retry::Spent, Some(3)),
            (503, ErrorKind::Lost, Retry::Spent, Some(3)),
            (504, ErrorKind::Lost, Retry::Spent, Some(3)),
        ] {
            for write in [
                Operation::RegisterDelegatedAdministrator,
                Operation::CreateResourceDataSync,
                Operation::CreateServiceLinkedRole,
            ] {
                let wire = Wire::new().on(write, [Reply::new(status, body)]);
                let error = failed(&wire.client(), write).await;
                let applied = if kind == ErrorKind::Lost { Applied::Unknown } else { Applied::No };
                assert_eq!((error.kind(), error.applied()), (&kind, applied), "{status} {body:?} {error:?}");
                assert_eq!(wire.count(write), 1, "{status} {body:?}");
                assert_eq!(error.code(), None);
                assert_eq!(error.message(), Some(format!("HTTP status {status} and no error code").as_str()));
                assert_eq!(error.request_id(), Some(REQUEST_ID));
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
                assert_eq!((error.kind(), error.applied()), (&kind, Applied::No), "{status} {body:?} {error:?}");
                if let Some(requests) = requests_of_read {
                    assert_eq!((wire.count(read), error.retry()), (requests, retry_of_read), "{status} {body:?}");
                }
            }
        }
    }
}

/// As moto answers when it checks permissions.
#[tokio::test(start_paused = true)]
async fn a_refusal_in_xml_is_understood_where_json_is_due() {
    let operation = Operation::EnableAwsServiceAccess;
    for (code, kind) in [("AccessDenied", ErrorKind::AccessDenied), ("SignatureDoesNotMatch", ErrorKind::Refused)] {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<ErrorResponse><Errors><Error><Code>{code}</Code>\
             <Message>no</Message><Type>Sender</Type></Error></Errors></ErrorResponse>"
        );
        let wire = Wire::new().on(operation, [Reply::new(403, body)]);
        let error = failed(&wire.client(), operation).await;
        assert_eq!((error.kind(), error.applied()), (&kind, Applied::No), "{error:?}");
        assert_eq!(error.code(), Some(code));
        assert_eq!(wire.count(operation), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_source_is_the_error_of_the_sdk() {
    let operation = Operation::RegisterDelegatedAdministrator;
    let wire = Wire::new().on(operation, [Reply::error(REGISTERED)]);
    let error = failed(&wire.client(), operation).await;
    let source = error.client_error().expect("the SDK's error");
    let sdk = source.downcast_ref::<SdkError<RegisterDelegatedAdministratorError, HttpResponse>>().expect("the SDK's");
    assert!(sdk.as_service_error().unwrap().is_account_already_registered_exception());
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_listing_names_its_region() {
    let operation = Operation::ListResourceDataSync;
    let wire = Wire::new().on(operation, [Reply::error(ACCESS_DENIED)]);
    let error = failed(&wire.client(), operation).await;
    assert_eq!(error.region(), Some(&"eu-central-1".parse().unwrap()));
    assert_eq!(
        error.to_string(),
        format!(
            "ListResourceDataSync in eu-central-1: access denied; it takes the permission ssm:ListResourceDataSync \
             (AWS answered AccessDeniedException, request id {REQUEST_ID})"
        )
    );
}

/// Such as the page of a network that wants one to log in first.
#[tokio::test(start_paused = true)]
async fn a_success_that_cannot_be_read_is_none() {
    for operation in Operation::ALL.iter().copied() {
        let applied = if operation.is_write() { Applied::Unknown } else { Applied::No };
        let wire = Wire::new().on(operation, [Reply::new(200, HTML)]);
        let error = failed(&wire.client(), operation).await;
        assert_eq!((error.kind(), error.applied()), (&ErrorKind::Lost, applied), "{error:?}");
        assert_eq!(error.message(), Some("HTTP status 200 and a body that cannot be read"));
        assert_eq!(wire.count(operation), 1);
    }
}

/// Replaces an answer by an error without metadata, as mocks of the SDK do.
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
async fn an_error_without_a_code_is_known_by_its_type() {
    let cases: [(fn() -> EnableAWSServiceAccessError, _, _, _, _); 3] = [
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
        ),
        (
            || EnableAWSServiceAccessError::AccessDeniedException(AccessDeniedException::builder().build()),
            ACCESS_DENIED,
            None,
            None,
            1,
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
        ),
    ];
    for (error, code, reason, message, requests) in cases {
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
            assert_eq!(*error.kind(), expected(operation, code).0);
            assert_eq!((error.code(), error.reason(), error.message()), (Some(code), reason, message));
            assert_eq!(wire.count(operation), requests);
        }
    }
}
