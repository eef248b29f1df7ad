//! Redaction of secrets in texts.

use std::error::Error as StdError;
use std::time::Duration;

use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::Region;
use serde_json::json;
use ssm_organizations::aws::AwsClient;
use ssm_organizations::ports::Operation;

use crate::canned::{ADDRESS, Reply, SECRET, Wire, failed};

#[test]
fn client_debug_shows_regions_only() {
    let wire = Wire::new();
    let config = wire.config().region(Region::new("eu-central-1")).build();
    assert_eq!(
        format!("{:?}", AwsClient::new(&config)),
        "AwsClient { organizations: Some(\"eu-central-1\"), systems_manager: Some(\"eu-central-1\"), \
         iam: Some(\"eu-central-1\"), sts: Some(\"eu-central-1\") }"
    );
    let builder = AwsClient::builder(&config)
        .retry_config(RetryConfig::standard())
        .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(1)).build());
    let shown = format!("{builder:?}");
    assert!(shown.contains("eu-central-1"), "{shown}");
    for secret in [SECRET, "AKIDEXAMPLE"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn error_texts_omit_email_addresses_and_credentials() {
    let message = format!("the account of {ADDRESS} is closed");
    let bodies = [
        (400, json!({ "__type": "ConstraintViolationException", "Message": message }).to_string()),
        (400, json!({ "__type": "SomethingNewException", "Message": message }).to_string()),
        (403, format!("<html>{message}</html>")),
        (500, message.clone()),
    ];
    for operation in [Operation::RegisterDelegatedAdministrator, Operation::DescribeAccount] {
        for (status, body) in &bodies {
            let wire = Wire::new().on(operation, [Reply::new(*status, body)]);
            let error = failed(&wire.client(), operation).await;
            for shown in [format!("{error}"), format!("{error:?}"), format!("{error:#?}")] {
                for secret in [ADDRESS, "owner@", SECRET, "AKIDEXAMPLE"] {
                    assert!(!shown.contains(secret), "{shown}");
                }
            }
            assert!(!error.message().unwrap_or_default().contains('@'));
            assert!(error.source().is_some());
        }
    }
}
