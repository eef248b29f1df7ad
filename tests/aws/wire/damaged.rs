//! Replies that were cut off or garbled on their way: each is an answer or an error, and no write is said to have come to nothing.

use serde_json::json;
use ssm_organizations::ports::Operation;

use crate::canned::{Reply, success};
use crate::understood::{check, parsed};

/// Bodies in full, of every kind that the operation is answered with.
fn bodies(operation: Operation) -> Vec<(u16, String)> {
    let listed = match operation {
        Operation::ListAwsServiceAccessForOrganization => Some(Reply::services(true)),
        Operation::ListDelegatedAdministrators => Some(Reply::administrators(&["222222222222"])),
        Operation::ListResourceDataSync => Some(Reply::ok(&json!({
            "NextToken": "more",
            "ResourceDataSyncItems": [{
                "SyncName": "org",
                "SyncType": "SyncFromSource",
                "SyncSource": {
                    "SourceType": "AwsOrganizations",
                    "AwsOrganizationsSource": {
                        "OrganizationSourceType": "OrganizationalUnits",
                        "OrganizationalUnits": [{ "OrganizationalUnitId": "ou-exam-12345678" }],
                    },
                    "SourceRegions": ["eu-central-1"],
                    "State": "NoPermissions",
                },
                "LastStatus": "Failed",
                "SyncCreatedTime": 1_700_000_000.5,
            }],
        }))),
        _ => None,
    };
    let replies = [success(operation), Reply::refused(operation, "ConstraintViolationException")];
    let all = replies.into_iter().chain(listed).filter_map(|reply| match reply {
        Reply::Answer { status, body } => Some((status, body)),
        _ => None,
    });
    all.collect()
}

/// The body cut off at a place, and with one character there become another.
fn damaged(body: &str, place: usize) -> Vec<String> {
    const ODD: [char; 9] = ['"', '{', '}', '[', '<', '&', '9', '\u{0}', 'ß'];
    let odd = ODD.iter().cycle().nth(place).copied().unwrap_or_default();
    let scribbled = body.chars().enumerate().map(|(at, char)| if at == place { odd } else { char }).collect();
    vec![body.chars().take(place).collect(), scribbled]
}

#[tokio::test(start_paused = true)]
async fn a_damaged_reply_is_an_answer_or_an_honest_error() {
    let mut errors = 0;
    for operation in Operation::ALL.iter().copied() {
        for (status, body) in bodies(operation) {
            // A stride that is no power of two, so that every kind of character is hit.
            for place in (0..body.chars().count()).step_by(3) {
                for body in damaged(&body, place) {
                    errors += usize::from(check(operation, status, body.as_bytes()).await);
                }
            }
        }
    }
    assert!(errors > 1_000, "most of them cannot be understood: {errors}");
}

/// What fuzzing begins with, and what it has found.
#[tokio::test(start_paused = true)]
async fn the_corpus_is_understood() {
    let corpus = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/answers")).unwrap();
    let mut answers = 0;
    for file in corpus {
        let answer = std::fs::read(file.unwrap().path()).unwrap();
        let (operation, status, body) = parsed(&answer).expect("an operation, a status and a body");
        check(operation, status, body).await;
        answers += 1;
    }
    assert!(answers > 0);
}
