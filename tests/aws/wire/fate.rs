//! Number of attempts of a call, and the write status of its error.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::sdk_config::SharedTimeSource;
use ssm_organizations::aws::aws_sdk_sts::operation::assume_role::AssumeRoleError;
use ssm_organizations::aws::{AwsClient, aws_sdk_organizations};
use ssm_organizations::ports::Operation;
use ssm_organizations::{Error, ErrorKind, Remedy, RetryStatus, WriteStatus};
use tokio::time::Instant;

use crate::canned::{Reply, Wire, call, credentials, failed, success};

const WRITES: [Operation; 9] = [
    Operation::EnableAwsServiceAccess,
    Operation::DisableAwsServiceAccess,
    Operation::RegisterDelegatedAdministrator,
    Operation::DeregisterDelegatedAdministrator,
    Operation::CreateResourceDataSync,
    Operation::UpdateResourceDataSync,
    Operation::DeleteResourceDataSync,
    Operation::CreateServiceLinkedRole,
    Operation::DeleteServiceLinkedRole,
];

fn reads() -> impl Iterator<Item = Operation> {
    Operation::ALL.iter().copied().filter(|operation| !operation.is_write())
}

/// Returns the kind, the retry status and the write status.
fn fate(error: &Error) -> (ErrorKind, RetryStatus, WriteStatus) {
    (error.kind().clone(), error.retry_status(), error.write_status())
}

fn is_not_sent(error: &Error, why: &str) {
    assert_eq!((error.kind(), error.write_status()), (&ErrorKind::NotSent, WriteStatus::NotApplied), "{error:?}");
    assert_eq!(error.message(), Some(why), "{error:?}");
    let remedy = match why {
        "no Region is configured" => Some(Remedy::ConfigureRegion),
        "no credentials are configured" | "the configuration of the credentials is invalid" => {
            Some(Remedy::ConfigureCredentials)
        }
        "no connection could be made" => Some(Remedy::CheckEndpoint),
        "the credentials could not be loaded" | "AWS rejected the source credentials" => Some(Remedy::RenewCredentials),
        "AWS denied access to the role of the credentials" => Some(Remedy::CheckRole),
        _ if error.is_retryable() => Some(Remedy::RetryLater),
        _ => None,
    };
    assert_eq!(error.remedy(), remedy, "{error:?}");
}

fn attempts_of(limit: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(limit).build()
}

fn broken() -> ConnectorError {
    ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into())
}

fn closed_early() -> ConnectorError {
    ConnectorError::other("connection closed before message completed".into(), None)
}

fn slow() -> ConnectorError {
    ConnectorError::timeout(io::Error::from(io::ErrorKind::TimedOut).into())
}

/// Returns an error of a network that fails after the request was sent.
fn unreachable() -> ConnectorError {
    ConnectorError::io(io::Error::from(io::ErrorKind::HostUnreachable).into())
}

fn refused() -> ConnectorError {
    ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionRefused).into())
}

#[test]
fn writes_constant_lists_every_write() {
    let writes: Vec<_> = Operation::ALL.iter().filter(|operation| operation.is_write()).copied().collect();
    assert_eq!(writes, WRITES);
}

#[tokio::test(start_paused = true)]
async fn write_with_lost_response_is_sent_once() {
    for operation in WRITES {
        let lost = [
            Reply::Never,
            Reply::Failure(broken),
            Reply::Failure(closed_early),
            Reply::Failure(slow),
            Reply::Failure(unreachable),
            Reply::error_of(operation, 500, "ServiceException", None),
            Reply::error_of(operation, 500, "InternalServerError", None),
            Reply::error_of(operation, 500, "InternalFailure", None),
            Reply::error_of(operation, 500, "ServiceFailure", None),
            Reply::error_of(operation, 503, "ServiceUnavailable", None),
            Reply::new(500, ""),
            Reply::new(503, "<html>"),
            Reply::refused(operation, "RequestTimeout"),
            Reply::refused(operation, "RequestTimeoutException"),
            Reply::refused(operation, "RequestAbortedException"),
            Reply::error_of(operation, 408, "SomethingSlow", None),
        ];
        for reply in &lost {
            let wire = Wire::new().on(operation, [reply.clone(), success(operation)]);
            let client = AwsClient::builder(&wire.config().build())
                .timeout_config(attempts_of(Duration::from_secs(5)))
                .retry_config(RetryConfig::standard().with_max_attempts(9))
                .build();
            let error = failed(&client, operation).await;
            assert_eq!(
                fate(&error),
                (ErrorKind::ResponseLost, RetryStatus::Temporary, WriteStatus::Unknown),
                "{reply:?} {error:?}"
            );
            assert_eq!(wire.count(operation), 1, "{operation} {reply:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn read_with_lost_response_is_retried_by_sdk() {
    for operation in reads() {
        let lost = [
            Reply::Never,
            Reply::Failure(broken),
            Reply::Failure(slow),
            Reply::error_of(operation, 500, "InternalFailure", None),
            Reply::error_of(operation, 500, "ServiceFailure", None),
            Reply::new(500, ""),
            Reply::new(503, "<html>"),
        ];
        for reply in &lost {
            let client = |wire: &Wire| {
                AwsClient::builder(&wire.config().build()).timeout_config(attempts_of(Duration::from_secs(5))).build()
            };
            let wire = Wire::new().on(operation, [reply.clone(), reply.clone(), success(operation)]);
            call(&client(&wire), operation).await.unwrap();
            assert_eq!(wire.count(operation), 3, "{operation} {reply:?}");

            let wire = Wire::new().on(operation, [reply.clone()]);
            let error = failed(&client(&wire), operation).await;
            assert_eq!(
                fate(&error),
                (ErrorKind::ResponseLost, RetryStatus::Exhausted, WriteStatus::NotApplied),
                "{reply:?} {error:?}"
            );
            assert_eq!(wire.count(operation), 3, "{operation} {reply:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn write_with_temporary_refusal_is_retried() {
    for operation in WRITES {
        for code in [
            "ConcurrentModificationException",
            "ConcurrentModification",
            "FinalizingOrganizationException",
            "TooManyRequestsException",
            "ThrottlingException",
            "Throttling",
        ] {
            let wire = Wire::new().on(operation, [Reply::refused(operation, code), success(operation)]);
            call(&wire.client(), operation).await.unwrap();
            assert_eq!(wire.count(operation), 2, "{operation} {code}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn quota_error_is_not_retried() {
    for operation in WRITES {
        for code in ["LimitExceededException", "LimitExceeded", "ResourceDataSyncCountExceededException"] {
            is_refused_once(operation, code).await;
        }
    }
}

async fn is_refused_once(operation: Operation, code: &str) {
    let wire = Wire::new().on(operation, [Reply::refused(operation, code), success(operation)]);
    let error = failed(&wire.client(), operation).await;
    assert_eq!(
        (error.retry_status(), error.write_status()),
        (RetryStatus::Permanent, WriteStatus::NotApplied),
        "{error:?}"
    );
    assert_eq!(error.code(), Some(code));
    assert_eq!(wire.count(operation), 1);
}

/// Asserts that the SDK does not retry these conflicts, which last longer than its retries.
#[tokio::test(start_paused = true)]
async fn conflict_lasting_minutes_is_not_retried_by_sdk() {
    let operation = Operation::UpdateResourceDataSync;
    let conflict = Reply::refused(operation, "ResourceDataSyncConflictException");
    let wire = Wire::new().on(operation, [conflict, success(operation)]);
    let error = failed(&wire.client(), operation).await;
    assert_eq!(fate(&error), (ErrorKind::ConcurrentModification, RetryStatus::Temporary, WriteStatus::NotApplied));
    assert_eq!(wire.count(operation), 1);
    is_refused_once(Operation::DeleteServiceLinkedRole, "DeleteConflict").await;
}

/// Asserts that a response that is lost after a refusal ends the retries.
#[tokio::test(start_paused = true)]
async fn write_retries_stop_at_lost_response() {
    let operation = Operation::EnableAwsServiceAccess;
    let concurrent = Reply::error("ConcurrentModificationException");
    let wire = Wire::new().on(operation, [concurrent, Reply::new(500, ""), Reply::done()]);
    let error = failed(&wire.client(), operation).await;
    assert_eq!(fate(&error), (ErrorKind::ResponseLost, RetryStatus::Temporary, WriteStatus::Unknown));
    assert_eq!(wire.count(operation), 2);
}

#[tokio::test(start_paused = true)]
async fn retry_config_limits_attempts() {
    let once = || RetryConfig::standard().with_max_attempts(1);
    let throttled = Wire::new()
        .on(Operation::DescribeAccount, [Reply::error("TooManyRequestsException")])
        .on(Operation::EnableAwsServiceAccess, [Reply::error("ConcurrentModificationException")]);
    let by_config = AwsClient::new(&throttled.config().retry_config(once()).build());
    let by_builder = AwsClient::builder(&throttled.config().build()).retry_config(once()).build();
    let given =
        aws_sdk_organizations::Client::new(&throttled.config().behavior_version(BehaviorVersion::latest()).build());
    let for_given = AwsClient::builder(&throttled.config().build()).organizations(given).retry_config(once()).build();
    for (calls, client) in [by_config, by_builder, for_given].iter().enumerate() {
        let error = failed(client, Operation::DescribeAccount).await;
        assert_eq!(fate(&error), (ErrorKind::Throttled, RetryStatus::Temporary, WriteStatus::NotApplied));
        let error = failed(client, Operation::EnableAwsServiceAccess).await;
        assert_eq!(fate(&error), (ErrorKind::ConcurrentModification, RetryStatus::Temporary, WriteStatus::NotApplied));
        assert_eq!(throttled.sent().len(), 2 * (calls + 1));
    }
}

/// Retry classifier that retries every failure, with its priority and action.
#[derive(Debug)]
struct AlwaysRetry(RetryClassifierPriority, fn() -> RetryAction);

/// Returns a priority after all classifiers of the SDK and of this crate.
fn last() -> RetryClassifierPriority {
    let last = RetryClassifierPriority::transient_error_classifier();
    (0..50).fold(last, |priority, _| RetryClassifierPriority::run_after(priority))
}

/// Returns a priority before this crate's classifier, which then sees the earlier result.
fn early() -> RetryClassifierPriority {
    RetryClassifierPriority::transient_error_classifier()
}

impl ClassifyRetry for AlwaysRetry {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        if context.is_failed() { self.1() } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "Always"
    }

    fn priority(&self) -> RetryClassifierPriority {
        self.0
    }
}

#[tokio::test(start_paused = true)]
async fn custom_retry_classifier_does_not_resend_unknown_writes() {
    let operation = Operation::RegisterDelegatedAdministrator;
    for reply in [
        Reply::Failure(broken),
        Reply::new(500, ""),
        Reply::failure("ServiceException"),
        Reply::error("RequestTimeoutException"),
    ] {
        for priority in [early(), last()] {
            let wire = Wire::new().on(operation, [reply.clone()]);
            let error =
                failed(&with_classifier(&wire, AlwaysRetry(priority, RetryAction::throttling_error)), operation).await;
            assert_eq!(error.write_status(), WriteStatus::Unknown);
            assert_eq!(wire.count(operation), 1, "{reply:?}");
        }
    }
    // A refusal is not retried, because only the SDK's classifiers detect throttling.
    for mistaken in [RetryAction::server_error, RetryAction::transient_error, RetryAction::client_error] {
        let wire = Wire::new().on(operation, [Reply::error("SomethingNewException")]);
        let error = failed(&with_classifier(&wire, AlwaysRetry(early(), mistaken)), operation).await;
        assert_eq!((error.write_status(), wire.count(operation)), (WriteStatus::NotApplied, 1));
    }
}

fn with_classifier(wire: &Wire, classifier: AlwaysRetry) -> AwsClient {
    let config = aws_sdk_organizations::config::Builder::from(&wire.config().build())
        .behavior_version(BehaviorVersion::latest())
        .retry_classifier(classifier)
        .build();
    let given = aws_sdk_organizations::Client::from_conf(config);
    AwsClient::builder(&wire.config().build()).organizations(given).build()
}

#[tokio::test(start_paused = true)]
async fn timeout_from_config_or_builder_limits_the_call() {
    let operation = Operation::EnableAwsServiceAccess;
    let limit = TimeoutConfig::builder().operation_timeout(Duration::from_secs(7)).build();
    let wire = Wire::new().on(operation, [Reply::Never]);
    let by_config = AwsClient::new(&wire.config().timeout_config(limit.clone()).build());
    let by_builder = AwsClient::builder(&wire.config().build()).timeout_config(limit).build();
    for client in [by_config, by_builder] {
        let start = Instant::now();
        let error = failed(&client, operation).await;
        assert_eq!(fate(&error), (ErrorKind::ResponseLost, RetryStatus::Temporary, WriteStatus::Unknown));
        assert!(start.elapsed().abs_diff(Duration::from_secs(7)) < Duration::from_millis(50), "{:?}", start.elapsed());
    }
    assert_eq!(wire.count(operation), 2);
}

/// Lets the operation timeout expire in the pause between two attempts.
#[tokio::test(start_paused = true)]
async fn timeout_during_backoff_after_refusal_is_not_applied() {
    let operation = Operation::EnableAwsServiceAccess;
    let wire = Wire::new().on(operation, [Reply::error("ConcurrentModificationException")]);
    let limit = TimeoutConfig::builder().operation_timeout(Duration::from_millis(1)).build();
    let pauses = RetryConfig::standard().with_initial_backoff(Duration::from_mins(1));
    let client = AwsClient::builder(&wire.config().build()).timeout_config(limit).retry_config(pauses).build();
    let error = failed(&client, operation).await;
    is_not_sent(&error, "the timeout expired before the request was sent again");
    assert_eq!(wire.count(operation), 1);
}

#[tokio::test(start_paused = true)]
async fn call_without_region_is_not_sent() {
    for operation in Operation::ALL {
        let wire = Wire::new().on(*operation, [success(*operation)]);
        let client = AwsClient::new(&wire.config().region(None).build());
        if operation.service() == "ssm" {
            call(&client, *operation).await.unwrap();
            continue;
        }
        let error = failed(&client, *operation).await;
        is_not_sent(&error, "no Region is configured");
        assert_eq!(error.retry_status(), RetryStatus::Permanent);
        assert_eq!(wire.sent().len(), 0);
    }
}

/// Credentials provider that always fails.
#[derive(Debug, Clone)]
struct FailingCredentials(fn() -> CredentialsError);

impl ProvideCredentials for FailingCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err((self.0)()))
    }
}

#[tokio::test(start_paused = true)]
async fn call_without_credentials_is_not_sent() {
    let denied = "AWS denied access to the role of the credentials";
    let rejected = "AWS rejected the source credentials";
    let cases: [(fn() -> CredentialsError, _, _); 10] = [
        (|| CredentialsError::not_loaded("nowhere"), "no credentials are configured", RetryStatus::Permanent),
        (
            || CredentialsError::invalid_configuration("nonsense"),
            "the configuration of the credentials is invalid",
            RetryStatus::Permanent,
        ),
        (|| CredentialsError::provider_error("broken"), "the credentials could not be loaded", RetryStatus::Temporary),
        (
            || CredentialsError::provider_timed_out(Duration::from_secs(5)),
            "the credentials could not be loaded in time",
            RetryStatus::Temporary,
        ),
        // A chain of profiles wraps the error of one profile in this way.
        (
            || CredentialsError::provider_error(CredentialsError::not_loaded("nowhere")),
            "no credentials are configured",
            RetryStatus::Permanent,
        ),
        (
            || CredentialsError::provider_error(CredentialsError::invalid_configuration("nonsense")),
            "the configuration of the credentials is invalid",
            RetryStatus::Permanent,
        ),
        (|| refused_by_sts("AccessDenied"), denied, RetryStatus::Permanent),
        (|| CredentialsError::provider_error(refused_by_sts("AccessDenied")), denied, RetryStatus::Permanent),
        (|| refused_by_sts("InvalidClientTokenId"), rejected, RetryStatus::Permanent),
        (|| refused_by_sts("Throttling"), "the credentials could not be loaded", RetryStatus::Temporary),
    ];
    for operation in Operation::ALL {
        for (reason, why, retry) in cases {
            let wire = Wire::new().on(*operation, [success(*operation)]);
            let provider = SharedCredentialsProvider::new(FailingCredentials(reason));
            let client = AwsClient::new(&wire.config().credentials_provider(provider).build());
            let error = failed(&client, *operation).await;
            is_not_sent(&error, why);
            assert_eq!(error.retry_status(), retry);
            assert_eq!(wire.sent().len(), 0);
            if why == "the credentials could not be loaded" {
                assert_eq!(error.remedies(), [Remedy::RenewCredentials, Remedy::RetryLater], "{error}");
            }
        }
    }
}

/// Returns the error of `aws-config` for a refused `AssumeRole`.
fn refused_by_sts(code: &str) -> CredentialsError {
    let refusal = AssumeRoleError::generic(ErrorMetadata::builder().code(code).message("what STS says").build());
    let answer = HttpResponse::new(StatusCode::try_from(403).unwrap(), SdkBody::empty());
    CredentialsError::provider_error(SdkError::service_error(refusal, answer))
}

/// STS endpoint that denies every call.
#[derive(Debug)]
struct DeniedSts;

impl HttpConnector for DeniedSts {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let refusal = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
                       <Code>AccessDenied</Code><Message>what STS says</Message></Error></ErrorResponse>";
        let answer = HttpResponse::new(StatusCode::try_from(403).unwrap(), SdkBody::from(refusal));
        HttpConnectorFuture::ready(Ok(answer))
    }
}

/// Uses the error chain that `aws-config` creates.
#[tokio::test(start_paused = true)]
async fn denied_assume_role_is_permanent() {
    let operation = Operation::EnableAwsServiceAccess;
    let wire = Wire::new().on(operation, [Reply::done()]);
    let denying = http_client_fn(|_, _| SharedHttpConnector::new(DeniedSts));
    let configured = wire.config().http_client(denying).time_source(SharedTimeSource::default());
    let configured = configured.behavior_version(BehaviorVersion::latest()).build();
    let role = AssumeRoleProvider::builder("arn:aws:iam::111111111111:role/Admin")
        .configure(&configured)
        .session_name("run")
        .build()
        .await;
    let provider = SharedCredentialsProvider::new(role);
    let error = failed(&AwsClient::new(&wire.config().credentials_provider(provider).build()), operation).await;
    is_not_sent(&error, "AWS denied access to the role of the credentials");
    assert_eq!(error.retry_status(), RetryStatus::Permanent);
    assert!(error.causes().iter().any(|cause| cause.contains("what STS says")), "{error:#}");
}

/// Credentials provider that never responds, for example because its host does not exist.
#[derive(Debug)]
struct Waiting;

impl ProvideCredentials for Waiting {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn timeout_while_loading_credentials_is_not_sent() {
    let operation = Operation::DisableAwsServiceAccess;
    let wire = Wire::new().on(operation, [Reply::done()]);
    let config = wire.config().credentials_provider(SharedCredentialsProvider::new(Waiting)).build();
    let limit = TimeoutConfig::builder().operation_timeout(Duration::from_secs(2)).build();
    let error = failed(&AwsClient::builder(&config).timeout_config(limit).build(), operation).await;
    is_not_sent(&error, "the timeout expired before the request was sent");
    assert_eq!(error.retry_status(), RetryStatus::Temporary);
    assert_eq!(wire.sent().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn empty_config_reports_missing_settings() {
    for operation in Operation::ALL {
        let client = AwsClient::new(&SdkConfig::builder().build());
        let error = failed(&client, *operation).await;
        assert_eq!((error.kind(), error.write_status()), (&ErrorKind::NotSent, WriteStatus::NotApplied), "{error:?}");
    }
    let no_credentials = SdkConfig::builder().region(aws_types::region::Region::new("eu-central-1")).build();
    let error = failed(&AwsClient::new(&no_credentials), Operation::EnableAwsServiceAccess).await;
    is_not_sent(&error, "no credentials are configured");

    // Another package of the same build may enable the SDK's own HTTPS client, which cannot connect
    // to this port.
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let no_http_client = no_credentials
        .into_builder()
        .credentials_provider(credentials())
        .endpoint_url(format!("http://{nobody}"))
        .build();
    let error = failed(&AwsClient::new(&no_http_client), Operation::EnableAwsServiceAccess).await;
    assert_eq!((error.kind(), error.write_status()), (&ErrorKind::NotSent, WriteStatus::NotApplied), "{error:?}");
    let why = ["no HTTP client is configured", "no connection could be made"];
    assert!(error.message().is_some_and(|message| why.contains(&message)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn invalid_endpoint_is_not_sent() {
    let operation = Operation::EnableAwsServiceAccess;
    let wire = Wire::new().on(operation, [Reply::done()]);
    let client = AwsClient::new(&wire.config().endpoint_url("not a URL").build());
    is_not_sent(&failed(&client, operation).await, "the request could not be prepared");
    assert_eq!(wire.sent().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn connection_refused_is_not_sent() {
    for operation in WRITES {
        let wire = Wire::new().on(operation, [Reply::Failure(refused), success(operation)]);
        let error = failed(&wire.client(), operation).await;
        is_not_sent(&error, "no connection could be made");
        assert_eq!((error.retry_status(), wire.count(operation)), (RetryStatus::Temporary, 1));
    }
    for operation in reads() {
        let wire = Wire::new().on(operation, [Reply::Failure(refused)]);
        let error = failed(&wire.client(), operation).await;
        is_not_sent(&error, "no connection could be made");
        assert_eq!((error.retry_status(), wire.count(operation)), (RetryStatus::Exhausted, 3));
    }
}

/// Asserts the remedy for a wrong Region, whose endpoint cannot be reached.
#[tokio::test(start_paused = true)]
async fn connection_refused_suggests_checking_the_region() {
    for operation in Operation::ALL.iter().copied() {
        let wire = Wire::new().on(operation, [Reply::Failure(refused)]);
        let error = failed(&wire.client(), operation).await;
        let remedies: Vec<_> = error.remedies().iter().map(ToString::to_string).collect();
        let [endpoint, rest @ ..] = remedies.as_slice() else { panic!("{error}") };
        assert!(endpoint.starts_with("check the endpoint"), "{error}");
        let region =
            "check that eu-central-1 is a Region, enabled for the account, and in the partition of its credentials";
        let expected = error.region().map(|_| region);
        assert!(rest.iter().map(String::as_str).eq(expected), "{error}");
        assert_eq!(error.region().is_some(), operation.service() == "ssm");
    }
}

/// Calls through the SDK's HTTP client on this machine. The form of its errors may change.
async fn failed_over_tcp(endpoint: &str) -> Error {
    let config = Wire::new().config().http_client(Builder::new().build_http()).endpoint_url(endpoint).build();
    failed(&AwsClient::new(&config), Operation::EnableAwsServiceAccess).await
}

#[tokio::test]
async fn sdk_http_client_distinguishes_refused_from_broken_connection() {
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    is_not_sent(&failed_over_tcp(&format!("http://{nobody}")).await, "no connection could be made");
    // A client without TLS fails before it opens a connection.
    is_not_sent(&failed_over_tcp(&format!("https://{nobody}")).await, "no connection could be made");

    let listener = Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut some = [0; 64];
        io::Read::read(&mut stream, &mut some).unwrap();
    });
    let error = failed_over_tcp(&format!("http://{address}")).await;
    assert_eq!(fate(&error), (ErrorKind::ResponseLost, RetryStatus::Temporary, WriteStatus::Unknown), "{error:?}");
    server.join().unwrap();
}
