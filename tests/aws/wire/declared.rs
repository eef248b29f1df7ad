//! Every error that AWS's model declares for the calls of this crate, with its expected
//! classification.
//!
//! `model/errors.py` writes `model/errors.txt` from botocore's copy of AWS's model.
//! `model/expected.txt` is maintained manually. A line that only one of the files has fails the
//! test.

use std::collections::BTreeMap;

use serde_json::json;
use ssm_organizations::Error;
use ssm_organizations::ports::Operation;

use crate::canned::{Reply, Wire, failed};

/// Returns the lines of the model, without the version in the first line.
fn lines() -> impl Iterator<Item = &'static str> {
    include_str!("../model/errors.txt").lines().filter(|line| !line.starts_with('#'))
}

/// Returns the expectations by `<operation> <code>` or `reason <code> <reason>`.
fn expectations() -> BTreeMap<&'static str, &'static str> {
    let lines = include_str!("../model/expected.txt").lines().filter(|line| !line.starts_with('#'));
    let expectations: Vec<_> = lines.map(|line| line.split_once(": ").expect("a key and an expectation")).collect();
    let map: BTreeMap<_, _> = expectations.iter().copied().collect();
    assert_eq!(map.len(), expectations.len(), "duplicate key");
    map
}

/// Error of the model, with its operation and HTTP status.
pub(crate) struct Declared {
    pub(crate) operation: Operation,
    pub(crate) code: &'static str,
    pub(crate) status: u16,
}

pub(crate) fn declared() -> Vec<Declared> {
    let errors = lines().filter_map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
        ["reason", ..] => None,
        [service, operation, code, status] => {
            let named = |known: &&Operation| known.name() == operation && known.service() == service;
            let operation = *Operation::ALL.iter().find(named).expect("an operation of this crate");
            Some(Declared { operation, code, status: status.parse().unwrap() })
        }
        _ => panic!("{line}"),
    });
    errors.collect()
}

fn reasons() -> Vec<(&'static str, &'static str)> {
    let reasons = lines().filter_map(|line| line.strip_prefix("reason ").and_then(|line| line.split_once(' ')));
    reasons.collect()
}

/// Returns the classification in the notation of `expected.txt`.
fn described(error: &Error) -> String {
    let remedies: Vec<_> = error.remedies().iter().map(ToString::to_string).collect();
    let sure =
        format!("{:?}, {}, {}, {}", error.kind(), error.confidence(), error.retry_status(), error.write_status());
    if remedies.is_empty() { sure } else { format!("{sure}; {}", remedies.join(", or ")) }
}

/// Number of attempts of the SDK for a retryable call.
const ATTEMPTS: usize = 3;

async fn describe(operation: Operation, reply: Reply) -> String {
    let wire = Wire::new().on(operation, [reply]);
    let error = failed(&wire.client(), operation).await;
    let spent = error.retry_status() == ssm_organizations::RetryStatus::Exhausted;
    assert_eq!(wire.count(operation), if spent { ATTEMPTS } else { 1 }, "{error:?}");
    assert_eq!(error.is_retryable(), error.retry_status() == ssm_organizations::RetryStatus::Temporary);
    described(&error)
}

#[tokio::test(start_paused = true)]
async fn modeled_errors_and_reasons_match_expected_file() {
    let mut expected = expectations();
    let mut differences = Vec::new();
    let mut compare = |key: String, seen: String| {
        if expected.remove(key.as_str()) != Some(&seen) {
            differences.push(format!("{key}: {seen}"));
        }
    };
    for operation in Operation::ALL {
        let of_operation = declared().into_iter().filter(|declared| declared.operation == *operation);
        for Declared { code, status, .. } in of_operation {
            // For a missing role, `get_role` returns `None` instead of an error.
            let seen = if (*operation, code) == (Operation::GetRole, "NoSuchEntity") {
                "none".to_owned()
            } else {
                describe(*operation, Reply::error_of(*operation, status, code, Some("what AWS says"))).await
            };
            compare(format!("{operation} {code}"), seen);
        }
    }
    for (code, reason) in reasons() {
        let operation = Operation::RegisterDelegatedAdministrator;
        let seen = describe(operation, Reply::refusal(code, reason)).await;
        let passes = seen == "ServiceError, reported by AWS, permanent, not applied";
        compare(format!("reason {code} {reason}"), if passes { "passes".to_owned() } else { seen });
    }
    assert!(differences.is_empty(), "unexpected classifications:\n{}", differences.join("\n"));
    assert!(expected.is_empty(), "not in AWS's model: {expected:#?}");
}

/// Asserts that the file contains every operation, except one without declared errors.
#[test]
fn modeled_errors_cover_every_operation() {
    for operation in Operation::ALL.iter().filter(|operation| **operation != Operation::GetCallerIdentity) {
        assert!(declared().iter().any(|declared| declared.operation == *operation), "{operation}: run errors.py again");
    }
}

#[tokio::test(start_paused = true)]
async fn unclassified_reason_is_reported_unchanged() {
    let operation = Operation::EnableAwsServiceAccess;
    for reason in ["WAIT_PERIOD_ACTIVE", "SOMETHING_NEW", "something else entirely"] {
        let body = json!({ "__type": "ConstraintViolationException", "Message": "what AWS says", "Reason": reason });
        let wire = Wire::new().on(operation, [Reply::new(400, body.to_string())]);
        let error = failed(&wire.client(), operation).await;
        assert_eq!(described(&error), "ServiceError, reported by AWS, permanent, not applied");
        assert_eq!((error.reason(), error.message()), (Some(reason), Some("what AWS says")));
    }
}
