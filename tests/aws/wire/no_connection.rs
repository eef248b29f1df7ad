//! Errors of connections that were never established.

use std::error::Error as StdError;
use std::fmt;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_types::region::Region as SdkRegion;
use ssm_organizations::aws::AwsClient;
use ssm_organizations::ports::Operation;
use ssm_organizations::{ErrorKind, Remedy, WriteStatus};

use crate::canned::{Reply, Wire, failed};

/// Error of `hyper-util`, which reports causes as text.
#[derive(Debug)]
struct Text(&'static str, Option<Box<Text>>);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for Text {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

fn connect_error(cause: &'static str) -> ConnectorError {
    ConnectorError::io(Text("client error (Connect)", Some(Box::new(Text(cause, None)))).into())
}

#[tokio::test(start_paused = true)]
async fn call_without_connection_names_proxy_or_issuer() {
    type Failure = fn() -> ConnectorError;
    let cases: [(Failure, &str, Remedy); 3] = [
        (|| connect_error("tunnel error: unsuccessful"), "the proxy of the environment", Remedy::CheckProxy),
        (|| connect_error("invalid peer certificate: UnknownIssuer"), "the issuer", Remedy::SetCaBundle),
        (|| connect_error("tcp connect error"), "no connection could be made", Remedy::CheckEndpoint),
    ];
    for (failure, why, remedy) in cases {
        let operation = Operation::EnableAwsServiceAccess;
        let wire = Wire::new().on(operation, vec![Reply::Failure(failure); 3]);
        let error = failed(&wire.client(), operation).await;
        assert_eq!((error.kind(), error.write_status()), (&ErrorKind::NotSent, WriteStatus::NotApplied));
        assert!(error.message().unwrap().starts_with(why), "{error}");
        assert_eq!(error.remedy(), Some(remedy));
    }
}

#[tokio::test]
async fn rejected_keys_name_the_region_for_every_service() {
    for operation in [Operation::DescribeOrganization, Operation::GetRole, Operation::GetCallerIdentity] {
        let wire = Wire::new().on(operation, [Reply::refused(operation, "UnrecognizedClientException")]);
        let config = wire.config().region(SdkRegion::new("cn-north-1")).build();
        let error = failed(&AwsClient::new(&config), operation).await;
        assert_eq!(*error.kind(), ErrorKind::CredentialsRejected);
        assert!(error.to_string().contains("check that cn-north-1 is a Region"), "{error}");
    }
}

#[tokio::test]
async fn call_with_invalid_key_does_not_panic() {
    for (id, secret, token) in [("a\n", "b", None), ("a", "b\r", None), ("a", "b", Some("t\u{e4}")), ("", "b", None)] {
        let wire = Wire::new();
        let keys = Credentials::new(id, secret, token.map(str::to_owned), None, "test");
        let config = wire.config().credentials_provider(SharedCredentialsProvider::new(keys)).build();
        let error = failed(&AwsClient::new(&config), Operation::GetCallerIdentity).await;
        assert_eq!((error.kind(), error.remedy()), (&ErrorKind::NotSent, Some(Remedy::ConfigureCredentials)));
        assert!(error.causes().iter().any(|cause| cause.starts_with("the ")), "{:?}", error.causes());
    }
}
