//! Properties of every response that the adapter parses.

use aws_types::region::Region;
use ssm_organizations::WriteStatus;
use ssm_organizations::aws::AwsClient;
use ssm_organizations::ports::Operation;

use crate::canned::{Reply, Wire, call};

/// Splits a corpus file: a line with the operation and the status, and then the body.
pub(crate) fn parsed(answer: &[u8]) -> Option<(Operation, u16, &[u8])> {
    let end = answer.iter().position(|byte| *byte == b'\n')?;
    let (operation, status) = std::str::from_utf8(&answer[..end]).ok()?.split_once(' ')?;
    let operation = Operation::ALL.iter().copied().find(|known| known.name() == operation)?;
    let status = status.parse().ok().filter(|status| (200..600).contains(status))?;
    Some((operation, status, &answer[end + 1..]))
}

/// Checks that the response is parsed or reported as an error, and that a write that AWS may have
/// applied is not reported as not applied. Returns `true` for an error.
pub(crate) async fn check(operation: Operation, status: u16, body: &[u8]) -> bool {
    let wire = Wire::new().on(operation, [Reply::Raw { status, body: body.to_vec() }]);
    let config = wire.config().region(Region::from_static("eu-central-1")).build();
    let Err(error) = call(&AwsClient::new(&config), operation).await else { return false };
    let said = || String::from_utf8_lossy(body);
    assert_eq!(error.operation(), Some(operation), "{}", said());
    let said_no = operation.is_write() && status == 200 && error.write_status() == WriteStatus::NotApplied;
    assert!(!said_no, "AWS may have applied the write: {error} after {}", said());
    assert!(!error.to_string().is_empty() && !format!("{error:?}").is_empty());
    true
}
