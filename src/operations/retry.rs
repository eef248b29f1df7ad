//! Repeats an operation whose write AWS refused for the moment.

use crate::domain::{Change, Operation};
use crate::error::Error;
use crate::wait::{Backoff, WaitPolicy};

/// Runs an operation again while AWS throttles its write, or refuses the write because of another
/// change in progress.
///
/// Each attempt reads what guards the write again, because others may have made changes during the
/// pause. The wait limit applies to the write, and only the limit ends the retries.
pub(super) async fn repeat_refused<T: Send, F>(
    policy: WaitPolicy<'_>,
    attempt: impl Fn() -> F + Send + Sync,
) -> (Result<T, Error>, Option<Change>)
where
    F: Future<Output = (Result<T, Error>, Option<Change>)> + Send,
{
    let mut waiting = None;
    loop {
        match attempt().await {
            (Err(error), None) if is_refused_write(&error) => {
                let waiting = waiting.get_or_insert_with(|| Backoff::new(policy));
                if !waiting.next_after_refusal(&error).await {
                    return (Err(waiting.exhausted(error)), None);
                }
            }
            other => return other,
        }
    }
}

/// Returns whether AWS refused a write that it accepts later. Reads are repeated by the client.
fn is_refused_write(error: &Error) -> bool {
    error.is_transient_refusal() && error.operation().is_some_and(Operation::is_write)
}
