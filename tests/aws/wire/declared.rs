//! Every error that AWS's model declares for the calls of this crate, and what is expected of each.
//!
//! `model/errors.txt` is written by `model/errors.py` from botocore's copy of AWS's model, `model/expected.txt` by hand. A line of
//! either without one in the other fails.

use std::collections::BTreeMap;

use serde_json::json;
use ssm_organizations::Error;
use ssm_organizations::ports::Operation;

use crate::canned::{Reply, Wire, failed};

/// What the model has, without the version that stands first.
fn lines() -> impl Iterator<Item = &'static str> {
    include_str!("../model/errors.txt").lines().filter(|line| !line.starts_with('#'))
}

/// `<operation> <code>`, or `reason <code> <reason>`, and what is expected of it.
fn expectations() -> BTreeMap<&'static str, &'static str> {
    let lines = include_str!("../model/expected.txt").lines().filter(|line| !line.starts_with('#'));
    let expectations: Vec<_> = lines.map(|line| line.split_once(": ").expect("a key and an expectation")).collect();
    let map: BTreeMap<_, _> = expectations.iter().copied().collect();
    assert_eq!(map.len(), expectations.len(), "a key stands there twice");
    map
}

/// An error of the model: whose it is, and how AWS answers with it.
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

/// In the words of `expected.txt`.
fn described(error: &Error) -> String {
    let remedies: Vec<_> = error.remedies().iter().map(ToString::to_string).collect();
    let sure = format!("{:?}, {}, {}, {}", error.kind(), error.evidence(), error.retry(), error.applied());
    if remedies.is_empty() { sure } else { format!("{sure}; {}", remedies.join(", or ")) }
}

/// How often the SDK tries a call that may be tried again.
const ATTEMPTS: usize = 3;

async fn describe(operation: Operation, reply: Reply) -> String {
    let wire = Wire::new().on(operation, [reply]);
    let error = failed(&wire.client(), operation).await;
    let spent = error.retry() == ssm_organizations::Retry::Spent;
    assert_eq!(wire.count(operation), if spent { ATTEMPTS } else { 1 }, "{error:?}");
    assert_eq!(error.is_retryable(), error.retry() == ssm_organizations::Retry::Temporary);
    described(&error)
}

#[tokio::test(start_paused = true)]
async fn every_declared_error_and_reason_is_what_is_expected_of_it() {
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
            // An answer, and no error.
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
        let passes = seen == "Refused, by AWS's word, permanent, not applied";
        compare(format!("reason {code} {reason}"), if passes { "passes".to_owned() } else { seen });
    }
    assert!(differences.is_empty(), "otherwise than expected:\n{}", differences.join("\n"));
    assert!(expected.is_empty(), "AWS's model has these no longer: {expected:#?}");
}

/// Every operation stands in the file, unless the model declares no error for it.
#[test]
fn no_operation_is_left_out() {
    for operation in Operation::ALL.iter().filter(|operation| **operation != Operation::GetCallerIdentity) {
        assert!(declared().iter().any(|declared| declared.operation == *operation), "{operation}: run errors.py anew");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reason_that_does_not_matter_passes_through_unharmed() {
    let operation = Operation::EnableAwsServiceAccess;
    for reason in ["WAIT_PERIOD_ACTIVE", "SOMETHING_NEW", "something else entirely"] {
        let body = json!({ "__type": "ConstraintViolationException", "Message": "what AWS says", "Reason": reason });
        let wire = Wire::new().on(operation, [Reply::new(400, body.to_string())]);
        let error = failed(&wire.client(), operation).await;
        assert_eq!(described(&error), "Refused, by AWS's word, permanent, not applied");
        assert_eq!((error.reason(), error.message()), (Some(reason), Some("what AWS says")));
    }
}
