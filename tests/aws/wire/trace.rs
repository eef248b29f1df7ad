//! Trace events of the adapter.

use ssm_organizations::Integration;
use ssm_organizations::ports::Operation;
use tracing::Level;

use crate::canned::{ADDRESS, MANAGEMENT, MEMBER, REQUEST_ID, Reply, SECRET, Wire, call, failed, success};
use crate::recorder::Recorder;

#[tokio::test(start_paused = true)]
async fn call_emits_one_event_with_attempts_and_request_id() {
    for operation in Operation::ALL.iter().copied() {
        let (recorder, _guard) = Recorder::start();
        let throttled = Reply::refused(operation, "Throttling");
        let wire = Wire::new().on(operation, [throttled.clone(), success(operation)]);
        call(&wire.client(), operation).await.unwrap();
        let wire = Wire::new().on(operation, [throttled]);
        failed(&wire.client(), operation).await;

        let events = recorder.events();
        let [answered, refused] = events.as_slice() else { panic!("{events:?}") };
        for (event, attempts, outcome) in [(answered, "2", "ok"), (refused, "3", "Throttling")] {
            let field = |name| event.fields.get(name);
            assert_eq!(field("operation"), Some(operation.name()));
            assert_eq!((field("attempts"), field("outcome")), (Some(attempts), Some(outcome)), "{event:?}");
            // Responses of IAM and STS also contain the request ID in the body.
            assert_eq!(field("request_id"), Some(REQUEST_ID), "{event:?}");
            let region = (operation.service() == "ssm").then_some("eu-central-1");
            assert_eq!(field("region"), region);
            let is_about_a_member = operation.name().contains("DelegatedAdministrator") && operation.is_write();
            let account = (is_about_a_member || operation == Operation::DescribeAccount).then_some(MEMBER);
            assert_eq!(field("account"), account);
            assert_eq!(event.level, if operation.is_write() { Level::INFO } else { Level::DEBUG });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unsent_call_emits_event_without_secrets() {
    let (recorder, _guard) = Recorder::start();
    let wire = Wire::disabled();
    let observed = Integration::new(wire.client()).observe().await.unwrap();
    drop(observed);
    let operation = Operation::DescribeAccount;
    let wire = Wire::new().on(operation, [Reply::error_of(operation, 400, ADDRESS, Some(ADDRESS))]);
    failed(&wire.client(), operation).await;
    let nobody = ssm_organizations::aws::AwsClient::new(&aws_types::SdkConfig::builder().build());
    failed(&nobody, operation).await;

    let last = recorder.events().pop().unwrap();
    assert_eq!((last.fields.get("outcome"), last.fields.get("request_id")), (Some("NotSent"), None));
    let observe = recorder.span("ssm_organizations::observe");
    assert_eq!(observe.fields.get("organization"), Some("o-exampleorgid"));
    assert_eq!(observe.fields.get("caller"), Some(MANAGEMENT));
    let text = recorder.text();
    for secret in [ADDRESS, "owner@", SECRET, "AKIDEXAMPLE"] {
        assert!(!text.contains(secret), "{text}");
    }
}
