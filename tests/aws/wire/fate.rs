//! Whether a call was sent, how often, and whether it may have been applied.

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
use ssm_organizations::{Applied, Error, ErrorKind, Remedy, Retry};
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

/// Kind, retry and applied, in one.
fn fate(error: &Error) -> (ErrorKind, Retry, Applied) {
    (error.kind().clone(), error.retry(), error.applied())
}

fn is_not_sent(error: &Error, why: &str) {
    assert_eq!((error.kind(), error.applied()), (&ErrorKind::NotSent, Applied::No), "{error:?}");
    assert_eq!(error.message(), Some(why), "{error:?}");
    let remedy = match why {
        "no Region is configured" => Some(Remedy::ConfigureRegion),
        "no credentials are configured" | "the credentials are configured wrongly" => {
            Some(Remedy::ConfigureCredentials)
        }
        "no connection could be made" => Some(Remedy::CheckEndpoint),
        "the credentials could not be loaded" | "AWS does not accept what the credentials are to be had with" => {
            Some(Remedy::RenewCredentials)
        }
        "AWS denies the role that the credentials are to be of" => Some(Remedy::CheckRole),
        _ if error.is_retryable() => Some(Remedy::TryLater),
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

/// The way to AWS may break after a request has left, too.
fn unreachable() -> ConnectorError {
    ConnectorError::io(io::Error::from(io::ErrorKind::HostUnreachable).into())
}

fn refused() -> ConnectorError {
    ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionRefused).into())
}

#[test]
fn the_writes_are_all_of_them() {
    let writes: Vec<_> = Operation::ALL.iter().filter(|operation| operation.is_write()).copied().collect();
    assert_eq!(writes, WRITES);
}

#[tokio::test(start_paused = true)]
async fn a_write_with_a_lost_reply_is_sent_once() {
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
            assert_eq!(fate(&error), (ErrorKind::Lost, Retry::Temporary, Applied::Unknown), "{reply:?} {error:?}");
            assert_eq!(wire.count(operation), 1, "{operation} {reply:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_with_a_lost_reply_is_repeated_by_the_sdk() {
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
            assert_eq!(fate(&error), (ErrorKind::Lost, Retry::Spent, Applied::No), "{reply:?} {error:?}");
            assert_eq!(wire.count(operation), 3, "{operation} {reply:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_is_repeated_after_a_refusal_that_passes() {
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
async fn a_quota_is_no_throttle() {
    for operation in WRITES {
        for code in ["LimitExceededException", "LimitExceeded", "ResourceDataSyncCountExceededException"] {
            is_refused_once(operation, code).await;
        }
    }
}

async fn is_refused_once(operation: Operation, code: &str) {
    let wire = Wire::new().on(operation, [Reply::refused(operation, code), success(operation)]);
    let error = failed(&wire.client(), operation).await;
    assert_eq!((error.retry(), error.applied()), (Retry::Permanent, Applied::No), "{error:?}");
    assert_eq!(error.code(), Some(code));
    assert_eq!(wire.count(operation), 1);
}

/// These pass too, in minutes or when somebody has cleaned up: the SDK has no patience for that.
#[tokio::test(start_paused = true)]
async fn what_takes_minutes_is_left_to_the_caller() {
    let operation = Operation::UpdateResourceDataSync;
    let conflict = Reply::refused(operation, "ResourceDataSyncConflictException");
    let wire = Wire::new().on(operation, [conflict, success(operation)]);
    let error = failed(&wire.client(), operation).await;
    assert_eq!(fate(&error), (ErrorKind::ConcurrentModification, Retry::Temporary, Applied::No));
    assert_eq!(wire.count(operation), 1);
    is_refused_once(Operation::DeleteServiceLinkedRole, "DeleteConflict").await;
}

/// After a first refusal the second reply may still be lost.
#[tokio::test(start_paused = true)]
async fn a_lost_reply_ends_the_retries_of_a_write() {
    let operation = Operation::EnableAwsServiceAccess;
    let concurrent = Reply::error("ConcurrentModificationException");
    let wire = Wire::new().on(operation, [concurrent, Reply::new(500, ""), Reply::done()]);
    let error = failed(&wire.client(), operation).await;
    assert_eq!(fate(&error), (ErrorKind::Lost, Retry::Temporary, Applied::Unknown));
    assert_eq!(wire.count(operation), 2);
}

#[tokio::test(start_paused = true)]
async fn retries_are_those_that_are_asked_for() {
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
        assert_eq!(fate(&error), (ErrorKind::Throttled, Retry::Temporary, Applied::No));
        let error = failed(client, Operation::EnableAwsServiceAccess).await;
        assert_eq!(fate(&error), (ErrorKind::ConcurrentModification, Retry::Temporary, Applied::No));
        assert_eq!(throttled.sent().len(), 2 * (calls + 1));
    }
}

/// The classifier of a program that repeats everything, come what may, and what it calls it.
#[derive(Debug)]
struct Always(RetryClassifierPriority, fn() -> RetryAction);

/// After all of the SDK's classifiers, and ours.
fn last() -> RetryClassifierPriority {
    let last = RetryClassifierPriority::transient_error_classifier();
    (0..50).fold(last, |priority, _| RetryClassifierPriority::run_after(priority))
}

/// Before ours, which then sees what it said.
fn early() -> RetryClassifierPriority {
    RetryClassifierPriority::transient_error_classifier()
}

impl ClassifyRetry for Always {
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
async fn no_classifier_makes_writes_careless() {
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
                failed(&with_classifier(&wire, Always(priority, RetryAction::throttling_error)), operation).await;
            assert_eq!(error.applied(), Applied::Unknown);
            assert_eq!(wire.count(operation), 1, "{reply:?}");
        }
    }
    // A refusal stays one: nobody but the SDK knows what throttling is.
    for mistaken in [RetryAction::server_error, RetryAction::transient_error, RetryAction::client_error] {
        let wire = Wire::new().on(operation, [Reply::error("SomethingNewException")]);
        let error = failed(&with_classifier(&wire, Always(early(), mistaken)), operation).await;
        assert_eq!((error.applied(), wire.count(operation)), (Applied::No, 1));
    }
}

fn with_classifier(wire: &Wire, classifier: Always) -> AwsClient {
    let config = aws_sdk_organizations::config::Builder::from(&wire.config().build())
        .behavior_version(BehaviorVersion::latest())
        .retry_classifier(classifier)
        .build();
    let given = aws_sdk_organizations::Client::from_conf(config);
    AwsClient::builder(&wire.config().build()).organizations(given).build()
}

#[tokio::test(start_paused = true)]
async fn limits_count_from_the_configuration_and_from_the_builder() {
    let operation = Operation::EnableAwsServiceAccess;
    let limit = TimeoutConfig::builder().operation_timeout(Duration::from_secs(7)).build();
    let wire = Wire::new().on(operation, [Reply::Never]);
    let by_config = AwsClient::new(&wire.config().timeout_config(limit.clone()).build());
    let by_builder = AwsClient::builder(&wire.config().build()).timeout_config(limit).build();
    for client in [by_config, by_builder] {
        let start = Instant::now();
        let error = failed(&client, operation).await;
        assert_eq!(fate(&error), (ErrorKind::Lost, Retry::Temporary, Applied::Unknown));
        assert!(start.elapsed().abs_diff(Duration::from_secs(7)) < Duration::from_millis(50), "{:?}", start.elapsed());
    }
    assert_eq!(wire.count(operation), 2);
}

/// The limit for the whole strikes in the pause between two attempts.
#[tokio::test(start_paused = true)]
async fn a_refused_write_whose_time_is_up_was_not_applied() {
    let operation = Operation::EnableAwsServiceAccess;
    let wire = Wire::new().on(operation, [Reply::error("ConcurrentModificationException")]);
    let limit = TimeoutConfig::builder().operation_timeout(Duration::from_millis(1)).build();
    let pauses = RetryConfig::standard().with_initial_backoff(Duration::from_mins(1));
    let client = AwsClient::builder(&wire.config().build()).timeout_config(limit).retry_config(pauses).build();
    let error = failed(&client, operation).await;
    is_not_sent(&error, "its time was up before it was sent again");
    assert_eq!(wire.count(operation), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_region_nothing_is_sent() {
    for operation in Operation::ALL {
        let wire = Wire::new().on(*operation, [success(*operation)]);
        let client = AwsClient::new(&wire.config().region(None).build());
        if operation.service() == "ssm" {
            call(&client, *operation).await.unwrap();
            continue;
        }
        let error = failed(&client, *operation).await;
        is_not_sent(&error, "no Region is configured");
        assert_eq!(error.retry(), Retry::Permanent);
        assert_eq!(wire.sent().len(), 0);
    }
}

/// Credentials that cannot be had.
#[derive(Debug, Clone)]
struct Without(fn() -> CredentialsError);

impl ProvideCredentials for Without {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err((self.0)()))
    }
}

#[tokio::test(start_paused = true)]
async fn without_credentials_nothing_is_sent() {
    let denied = "AWS denies the role that the credentials are to be of";
    let rejected = "AWS does not accept what the credentials are to be had with";
    let cases: [(fn() -> CredentialsError, _, _); 10] = [
        (|| CredentialsError::not_loaded("nowhere"), "no credentials are configured", Retry::Permanent),
        (
            || CredentialsError::invalid_configuration("nonsense"),
            "the credentials are configured wrongly",
            Retry::Permanent,
        ),
        (|| CredentialsError::provider_error("broken"), "the credentials could not be loaded", Retry::Temporary),
        (
            || CredentialsError::provider_timed_out(Duration::from_secs(5)),
            "the credentials could not be loaded in time",
            Retry::Temporary,
        ),
        // As a chain of profiles wraps what is wrong with one of them.
        (
            || CredentialsError::provider_error(CredentialsError::not_loaded("nowhere")),
            "no credentials are configured",
            Retry::Permanent,
        ),
        (
            || CredentialsError::provider_error(CredentialsError::invalid_configuration("nonsense")),
            "the credentials are configured wrongly",
            Retry::Permanent,
        ),
        (|| refused_by_sts("AccessDenied"), denied, Retry::Permanent),
        (|| CredentialsError::provider_error(refused_by_sts("AccessDenied")), denied, Retry::Permanent),
        (|| refused_by_sts("InvalidClientTokenId"), rejected, Retry::Permanent),
        (|| refused_by_sts("Throttling"), "the credentials could not be loaded", Retry::Temporary),
    ];
    for operation in Operation::ALL {
        for (reason, why, retry) in cases {
            let wire = Wire::new().on(*operation, [success(*operation)]);
            let provider = SharedCredentialsProvider::new(Without(reason));
            let client = AwsClient::new(&wire.config().credentials_provider(provider).build());
            let error = failed(&client, *operation).await;
            is_not_sent(&error, why);
            assert_eq!(error.retry(), retry);
            assert_eq!(wire.sent().len(), 0);
            if why == "the credentials could not be loaded" {
                assert_eq!(error.remedies(), [Remedy::RenewCredentials, Remedy::TryLater], "{error}");
            }
        }
    }
}

/// What `aws-config` makes of a refusal of `AssumeRole`.
fn refused_by_sts(code: &str) -> CredentialsError {
    let refusal = AssumeRoleError::generic(ErrorMetadata::builder().code(code).message("what STS says").build());
    let answer = HttpResponse::new(StatusCode::try_from(403).unwrap(), SdkBody::empty());
    CredentialsError::provider_error(SdkError::service_error(refusal, answer))
}

/// An STS that denies whoever asks.
#[derive(Debug)]
struct Denying;

impl HttpConnector for Denying {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let refusal = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
                       <Code>AccessDenied</Code><Message>what STS says</Message></Error></ErrorResponse>";
        let answer = HttpResponse::new(StatusCode::try_from(403).unwrap(), SdkBody::from(refusal));
        HttpConnectorFuture::ready(Ok(answer))
    }
}

/// The chain of errors is `aws-config`'s own.
#[tokio::test(start_paused = true)]
async fn a_role_that_is_denied_is_not_asked_for_again() {
    let operation = Operation::EnableAwsServiceAccess;
    let wire = Wire::new().on(operation, [Reply::done()]);
    let denying = http_client_fn(|_, _| SharedHttpConnector::new(Denying));
    let configured = wire.config().http_client(denying).time_source(SharedTimeSource::default());
    let configured = configured.behavior_version(BehaviorVersion::latest()).build();
    let role = AssumeRoleProvider::builder("arn:aws:iam::111111111111:role/Admin")
        .configure(&configured)
        .session_name("run")
        .build()
        .await;
    let provider = SharedCredentialsProvider::new(role);
    let error = failed(&AwsClient::new(&wire.config().credentials_provider(provider).build()), operation).await;
    is_not_sent(&error, "AWS denies the role that the credentials are to be of");
    assert_eq!(error.retry(), Retry::Permanent);
    assert!(error.causes().iter().any(|cause| cause.contains("what STS says")), "{error:#}");
}

/// A provider that never answers, such as one that asks a host that is not there.
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
async fn a_limit_that_strikes_before_sending_is_no_lost_reply() {
    let operation = Operation::DisableAwsServiceAccess;
    let wire = Wire::new().on(operation, [Reply::done()]);
    let config = wire.config().credentials_provider(SharedCredentialsProvider::new(Waiting)).build();
    let limit = TimeoutConfig::builder().operation_timeout(Duration::from_secs(2)).build();
    let error = failed(&AwsClient::builder(&config).timeout_config(limit).build(), operation).await;
    is_not_sent(&error, "its time was up before it was sent");
    assert_eq!(error.retry(), Retry::Temporary);
    assert_eq!(wire.sent().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_configuration_of_nothing_is_told_what_it_lacks() {
    for operation in Operation::ALL {
        let client = AwsClient::new(&SdkConfig::builder().build());
        let error = failed(&client, *operation).await;
        assert_eq!((error.kind(), error.applied()), (&ErrorKind::NotSent, Applied::No), "{error:?}");
    }
    let no_credentials = SdkConfig::builder().region(aws_types::region::Region::new("eu-central-1")).build();
    let error = failed(&AwsClient::new(&no_credentials), Operation::EnableAwsServiceAccess).await;
    is_not_sent(&error, "no credentials are configured");

    // Another package of the same build may have switched the SDK's own HTTPS client on: it finds nobody there.
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let no_http_client = no_credentials
        .into_builder()
        .credentials_provider(credentials())
        .endpoint_url(format!("http://{nobody}"))
        .build();
    let error = failed(&AwsClient::new(&no_http_client), Operation::EnableAwsServiceAccess).await;
    assert_eq!((error.kind(), error.applied()), (&ErrorKind::NotSent, Applied::No), "{error:?}");
    let why = ["no HTTP client is configured", "no connection could be made"];
    assert!(error.message().is_some_and(|message| why.contains(&message)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_none_is_not_sent_to() {
    let operation = Operation::EnableAwsServiceAccess;
    let wire = Wire::new().on(operation, [Reply::done()]);
    let client = AwsClient::new(&wire.config().endpoint_url("not a URL").build());
    is_not_sent(&failed(&client, operation).await, "the request could not be made ready");
    assert_eq!(wire.sent().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_is_not_a_lost_reply() {
    for operation in WRITES {
        let wire = Wire::new().on(operation, [Reply::Failure(refused), success(operation)]);
        let error = failed(&wire.client(), operation).await;
        is_not_sent(&error, "no connection could be made");
        assert_eq!((error.retry(), wire.count(operation)), (Retry::Temporary, 1));
    }
    for operation in reads() {
        let wire = Wire::new().on(operation, [Reply::Failure(refused)]);
        let error = failed(&wire.client(), operation).await;
        is_not_sent(&error, "no connection could be made");
        assert_eq!((error.retry(), wire.count(operation)), (Retry::Spent, 3));
    }
}

/// Nobody answers to the name of a Region that is none.
#[tokio::test(start_paused = true)]
async fn where_no_connection_is_made_the_region_may_be_misspelt() {
    for operation in Operation::ALL.iter().copied() {
        let wire = Wire::new().on(operation, [Reply::Failure(refused)]);
        let error = failed(&wire.client(), operation).await;
        let remedies: Vec<_> = error.remedies().iter().map(ToString::to_string).collect();
        let [endpoint, rest @ ..] = remedies.as_slice() else { panic!("{error}") };
        assert!(endpoint.starts_with("look at what answers there"), "{error}");
        let region =
            "see whether eu-central-1 is a Region, enabled for the account, and in the partition of its credentials";
        let expected = error.region().map(|_| region);
        assert!(rest.iter().map(String::as_str).eq(expected), "{error}");
        assert_eq!(error.region().is_some(), operation.service() == "ssm");
    }
}

/// The SDK's own HTTP client, against this machine: how its errors look is its own affair, and may change.
async fn failed_over_tcp(endpoint: &str) -> Error {
    let config = Wire::new().config().http_client(Builder::new().build_http()).endpoint_url(endpoint).build();
    failed(&AwsClient::new(&config), Operation::EnableAwsServiceAccess).await
}

#[tokio::test]
async fn the_http_client_of_the_sdk_tells_no_connection_from_a_broken_one() {
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    is_not_sent(&failed_over_tcp(&format!("http://{nobody}")).await, "no connection could be made");
    // A client without TLS cannot connect, and no operating system is asked.
    is_not_sent(&failed_over_tcp(&format!("https://{nobody}")).await, "no connection could be made");

    let listener = Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut some = [0; 64];
        io::Read::read(&mut stream, &mut some).unwrap();
    });
    let error = failed_over_tcp(&format!("http://{address}")).await;
    assert_eq!(fate(&error), (ErrorKind::Lost, Retry::Temporary, Applied::Unknown), "{error:?}");
    server.join().unwrap();
}
