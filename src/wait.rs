//! Waits for writes to become visible to reads, and for throttling to end.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::domain::Operation;
use crate::error::{Error, ErrorKind, RetryStatus, WriteStatus};

/// The first pause: AWS allows an account about one read per second of the services with trusted
/// access.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// Notifier that is called before each pause.
pub(crate) trait WaitNotifier: Send + Sync {
    fn notify(&self);
}

impl<F: Fn() + Send + Sync> WaitNotifier for F {
    fn notify(&self) {
        self();
    }
}

/// Kind of effect that a read or another service shows some time after a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// AWS's own tools wait for the deletion of a data sync up to two minutes.
    SyncDeletion,
    /// Another service learns of a change in Organizations after one to three minutes.
    KnownToSystemsManager,
}

/// Limit of waits whose effect has no other default.
const DEFAULT_LIMIT: Duration = Duration::from_mins(1);

/// Limit of each wait and deadline of all waits and calls, with an optional notifier.
#[derive(Clone, Copy)]
pub(crate) struct WaitPolicy<'a> {
    limit: Duration,
    /// `true` if the user set the limit, which then holds for every kind of effect.
    is_set: bool,
    deadline: Option<Instant>,
    notifier: Option<&'a dyn WaitNotifier>,
}

impl Default for WaitPolicy<'_> {
    fn default() -> Self {
        Self { limit: DEFAULT_LIMIT, is_set: false, deadline: None, notifier: None }
    }
}

impl<'a> WaitPolicy<'a> {
    /// Returns the policy with another limit.
    pub(crate) fn with_limit(self, limit: Duration) -> Self {
        Self { limit, is_set: true, ..self }
    }

    /// Returns the policy for a kind of effect.
    pub(crate) fn for_effect(self, effect: Effect) -> Self {
        let limit = match effect {
            _ if self.is_set => self.limit,
            Effect::SyncDeletion => Duration::from_mins(2),
            Effect::KnownToSystemsManager => Duration::from_mins(3),
        };
        Self { limit, ..self }
    }

    /// Returns the policy with a deadline after this time. A time beyond the clock's range removes
    /// the deadline.
    pub(crate) fn with_deadline(self, within: Duration) -> Self {
        Self { deadline: Instant::now().checked_add(within), ..self }
    }

    /// Returns the policy with a notifier, which is called before each pause.
    pub(crate) fn with_notifier<'n>(self, notifier: &'n dyn WaitNotifier) -> WaitPolicy<'n>
    where
        'a: 'n,
    {
        WaitPolicy { notifier: Some(notifier), ..self }
    }

    /// Returns the policy without a notifier.
    pub(crate) fn without_notifier(self) -> WaitPolicy<'static> {
        WaitPolicy { limit: self.limit, is_set: self.is_set, deadline: self.deadline, notifier: None }
    }

    /// Makes a call, which ends at the deadline. After the deadline, nothing is sent.
    pub(crate) async fn before_deadline<T>(
        self,
        operation: Operation,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Some(deadline) = self.deadline else { return call.await };
        if Instant::now() >= deadline {
            let error = Error::new(ErrorKind::DeadlineExceeded).with_operation(operation);
            return Err(error.with_retry(RetryStatus::Exhausted));
        }
        // A write that is cut off may have been applied, as after a lost response.
        let cut_off = |_| Err(Error::response_lost(operation).with_deadline_exceeded());
        timeout_at(deadline, call).await.unwrap_or_else(cut_off)
    }
}

/// Pauses between the attempts of one wait, until its limit.
pub(crate) struct Backoff<'a> {
    /// End of the wait; `None` for an unlimited wait.
    until: Option<Instant>,
    /// `true` if the wait ends at the deadline.
    ends_at_deadline: bool,
    limit: Duration,
    pause: Duration,
    notifier: Option<&'a dyn WaitNotifier>,
}

impl<'a> Backoff<'a> {
    pub(crate) fn new(policy: WaitPolicy<'a>) -> Self {
        let limit = Instant::now().checked_add(policy.limit);
        let ends_at_deadline = policy.deadline.is_some_and(|deadline| limit.is_none_or(|limit| deadline < limit));
        let until = if ends_at_deadline { policy.deadline } else { limit };
        Self { until, ends_at_deadline, limit: policy.limit, pause: FIRST_PAUSE, notifier: policy.notifier }
    }

    /// Waits before another read. Returns `false` at once when no time is left for the pause.
    pub(crate) async fn next(&mut self) -> bool {
        self.pause_for(self.pause).await
    }

    async fn pause_for(&mut self, pause: Duration) -> bool {
        let end = Instant::now().checked_add(pause);
        if self.until.is_some_and(|until| end.is_none_or(|end| end > until)) {
            return false;
        }
        if let Some(notifier) = self.notifier {
            notifier.notify();
        }
        sleep(pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }

    /// Waits before another attempt at a call that AWS throttled or refused because of another
    /// change in progress. Returns `false` at once when no time is left for the pause.
    ///
    /// The pause is random, so that clients which AWS throttled together do not call together
    /// again. It is at least as long as AWS asks.
    pub(crate) async fn next_after_refusal(&mut self, refusal: &Error) -> bool {
        let pause = self.pause.mul_f64(0.5 + random_fraction());
        let pause = refusal.retry_after().map_or(pause, |asked| pause.max(asked));
        self.pause_for(pause).await
    }

    /// Returns the error of a refusal that could be sent again, for which no time is left.
    pub(crate) fn exhausted(&self, refusal: Error) -> Error {
        if self.ends_at_deadline { refusal.with_deadline_exceeded() } else { refusal.exhausted_after(self.limit) }
    }

    /// Returns the error of an accepted write that no read showed in time.
    ///
    /// `read_error` is the error of the last read, if that read failed.
    pub(crate) fn timeout_error(&self, operation: Operation, read_error: Option<Error>) -> Error {
        let kind = if self.ends_at_deadline { ErrorKind::DeadlineExceeded } else { ErrorKind::WaitTimeout };
        let error = Error::new(kind)
            .with_operation(operation)
            .with_write_status(WriteStatus::Applied)
            .with_retry(RetryStatus::Exhausted);
        match read_error {
            Some(read_error) => error.with_source(read_error),
            None => error,
        }
    }

    /// Waits before another read, except after a read that failed with a permanent error.
    ///
    /// Returns `false` at once after a permanent error, and when no time is left for the pause.
    pub(crate) async fn next_after_error(&mut self, error: Option<&Error>) -> bool {
        let hopeless = error.is_some_and(|error| error.retry_status() == RetryStatus::Permanent);
        !hopeless && self.next().await
    }
}

/// Returns a random number from zero to one.
///
/// The standard library seeds each `RandomState` differently.
fn random_fraction() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 32;
    u32::try_from(bits).map_or(0.5, |bits| f64::from(bits) / f64::from(u32::MAX))
}

/// Repeats a read that AWS throttles until the wait limit, with random pauses.
///
/// The client has used up its own attempts before. Only the limit ends the retries, so the error
/// is then [`RetryStatus::Exhausted`].
pub(crate) async fn retry_read<T, F>(policy: WaitPolicy<'_>, read: impl Fn() -> F + Send) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>> + Send,
{
    let mut waiting = None;
    loop {
        match read().await {
            Err(error) if error.is_transient_refusal() => {
                let waiting = waiting.get_or_insert_with(|| Backoff::new(policy));
                if !waiting.next_after_refusal(&error).await {
                    return Err(waiting.exhausted(error));
                }
            }
            other => return other,
        }
    }
}

/// Confirms a deletion by reads that do not show the deleted resource.
pub(crate) struct DeletionConfirmation {
    reads: usize,
    required_reads: usize,
}

impl DeletionConfirmation {
    /// Creates the confirmation that a write requires; `lost` is the error of a lost response.
    ///
    /// One read is enough after a response of AWS. After a lost response, one read may be older
    /// than the resource itself. Two consecutive reads, with a pause between, are then required.
    pub(crate) fn after_write(lost: Option<&Error>) -> Self {
        Self { reads: 0, required_reads: if lost.is_some() { 2 } else { 1 } }
    }

    /// Records one read and returns whether the deletion is confirmed.
    ///
    /// `gone` is `true` if the read does not show the resource. A read that shows the resource
    /// restarts the count.
    pub(crate) fn is_confirmed(&mut self, gone: bool) -> bool {
        self.reads = if gone { self.reads + 1 } else { 0 };
        self.reads >= self.required_reads
    }
}
