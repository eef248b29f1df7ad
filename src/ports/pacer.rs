use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::time::{Instant, sleep_until};

use super::{Call, CallHook};
use crate::domain::Operation;
use crate::domain::limits::account_rate;
use crate::error::Error;

/// Hook that delays calls of AWS Organizations to the rate that AWS documents for an account.
///
/// AWS limits the calls of each account, so the clients of one account share a pacer by its clones:
/// several handles and runs at once then stay within the limit. Calls within AWS's burst are not
/// delayed. If AWS still throttles a call and states when it accepts the next one, further calls of
/// the operation wait for that time. Calls of other services, for which AWS documents no rate, are
/// not delayed. AWS: [quotas of
/// Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html).
///
/// Without a pacer, the crate repeats a throttled call until the wait limit, with random pauses.
///
/// ```
/// use ssm_organizations::ports::{Decorated, Pacer};
/// use ssm_organizations::{Integration, sim};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ssm_organizations::Error> {
/// let organization = sim::SimOrganization::builder().with_throttling().build();
/// let client = Decorated::new(organization.management_client(), Pacer::new());
/// let (one, other) = tokio::join!(
///     Integration::new(client.clone()).observe(),
///     Integration::new(client.clone()).observe(),
/// );
/// assert_eq!(one?.state(), other?.state());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Pacer {
    /// Time at which the whole burst of an operation is available again.
    full_at: Arc<Mutex<HashMap<Operation, Instant>>>,
}

impl Pacer {
    /// Creates a pacer that has seen no call.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one call from the burst. Returns the time at which the call may be sent.
    fn reserve(&self, operation: Operation) -> Option<Instant> {
        let rate = account_rate(operation)?;
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let full = full_at.entry(operation).or_insert(now);
        *full = (*full).max(now) + rate.interval();
        full.checked_sub(rate.interval() * rate.burst)
    }
}

#[async_trait]
impl CallHook for Pacer {
    async fn before(&self, call: &Call<'_>) -> Result<(), Error> {
        if let Some(free) = self.reserve(call.operation) {
            sleep_until(free).await;
        }
        Ok(())
    }

    async fn after(&self, call: &Call<'_>, result: Result<(), &Error>) -> Result<(), Error> {
        if let (Err(error), Some(rate)) = (result, account_rate(call.operation))
            && let Some(free) = error.retry_after().and_then(|pause| Instant::now().checked_add(pause))
            && let Some(full) = free.checked_add(rate.interval() * (rate.burst - 1))
        {
            let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
            let known = full_at.entry(call.operation).or_insert(full);
            *known = full.max(*known);
        }
        Ok(())
    }
}
