//! Repeats throttled reads.

use async_trait::async_trait;

use crate::error::Error;
use crate::ports::{Call, CallHook, Decorated};
use crate::wait::{WaitPolicy, retry_read};

/// Client that repeats a throttled read until the wait limit and passes each write on once. Each
/// call ends at the deadline.
///
/// A write is repeated only after the state that guards the write is read again, which the
/// operations do. The limit applies to each call. A listing goes on from its current page, and its
/// number of pages is limited.
pub(crate) type RetryingClient<'a, C> = Decorated<&'a C, RetryReads>;

/// Creates a [`RetryingClient`] with the limit and the deadline of the policy.
pub(crate) fn retrying<'a, C: ?Sized>(client: &'a C, policy: WaitPolicy<'_>) -> RetryingClient<'a, C> {
    Decorated::new(client, RetryReads { policy: policy.without_notifier() })
}

/// Hook that repeats throttled reads.
pub(crate) struct RetryReads {
    policy: WaitPolicy<'static>,
}

#[async_trait]
impl CallHook for RetryReads {
    async fn around<T, F, S>(&self, call: &Call<'_>, send: S) -> Result<T, Error>
    where
        T: Send,
        F: Future<Output = Result<T, Error>> + Send,
        S: Fn() -> F + Send + Sync,
    {
        let send = || self.policy.before_deadline(call.operation, send());
        if call.operation.is_write() { send().await } else { retry_read(self.policy, send).await }
    }
}
