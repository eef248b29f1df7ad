//! A client that tries again as the AWS SDK does.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use ssm_organizations::ports::{Call, CallHook, Decorated};
use ssm_organizations::{Error, ErrorKind, sim};

/// After a throttled call the SDK's standard mode waits for a random part of one second, then of
/// two, four and so on, twenty at most: [retry
/// behavior](https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html). Its
/// quota of retries is left out: it takes a hundred in a row to use it up.
pub(crate) struct RetryThrottled {
    attempts: u32,
    random: AtomicU64,
}

/// A client that tries again as the AWS SDK does.
pub(crate) type Retrying = Decorated<sim::SimClient, RetryThrottled>;

impl RetryThrottled {
    /// With so many attempts at a call, the first among them. The same seed draws the same pauses.
    pub(crate) fn client(client: sim::SimClient, attempts: u32, seed: u64) -> Retrying {
        Decorated::new(client, Self { attempts, random: AtomicU64::new(seed) })
    }

    /// A number from zero to one: splitmix64.
    fn random(&self) -> f64 {
        let step = 0x9e37_79b9_7f4a_7c15;
        let mut mixed = self.random.fetch_add(step, Relaxed).wrapping_add(step);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let thousandths = u32::try_from((mixed ^ (mixed >> 31)) % 1_000).unwrap_or_default();
        f64::from(thousandths) / 1e3
    }
}

#[async_trait]
impl CallHook for RetryThrottled {
    async fn around<T, F, S>(&self, _: &Call<'_>, call: S) -> Result<T, Error>
    where
        T: Send,
        F: Future<Output = Result<T, Error>> + Send,
        S: Fn() -> F + Send + Sync,
    {
        let mut pause = Duration::from_secs(1);
        for _ in 1..self.attempts {
            match call().await {
                Err(error) if *error.kind() == ErrorKind::Throttled => {}
                answer => return answer,
            }
            tokio::time::sleep(pause.mul_f64(self.random())).await;
            pause = (pause * 2).min(Duration::from_secs(20));
        }
        call().await
    }
}
