//! Truncated or corrupted responses: each is parsed or reported as an error, and no write is
//! reported as not applied.

use serde_json::json;
use ssm_organizations::ports::Operation;

use crate::canned::{Reply, success};
use crate::understood::{check, parsed};

/// Returns complete bodies of every kind of response to the operation.
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

/// Returns the body truncated at a position, and the body with one character replaced there.
fn damaged(body: &str, place: usize) -> Vec<String> {
    const ODD: [char; 9] = ['"', '{', '}', '[', '<', '&', '9', '\u{0}', 'ß'];
    let odd = ODD.iter().cycle().nth(place).copied().unwrap_or_default();
    let scribbled = body.chars().enumerate().map(|(at, char)| if at == place { odd } else { char }).collect();
    vec![body.chars().take(place).collect(), scribbled]
}

#[tokio::test(start_paused = true)]
async fn damaged_response_is_parsed_or_reported_as_error() {
    let mut errors = 0;
    for operation in Operation::ALL.iter().copied() {
        for (status, body) in bodies(operation) {
            // The step is not a power of two, so it reaches every kind of character.
            for place in (0..body.chars().count()).step_by(3) {
                for body in damaged(&body, place) {
                    errors += usize::from(check(operation, status, body.as_bytes()).await);
                }
            }
        }
    }
    assert!(errors > 1_000, "most damaged responses are errors: {errors}");
}

/// Seeds and findings of the fuzz target.
#[tokio::test(start_paused = true)]
async fn fuzz_corpus_of_responses_passes_checks() {
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
