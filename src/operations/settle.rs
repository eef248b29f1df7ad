//! Waiting for AWS to show what it did.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Ground;

/// AWS allows an account about one read of the trusted services a second.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// The pauses between looks, until patience ends.
pub(super) struct Waiting {
    until: Instant,
    pause: Duration,
}

impl<C: ?Sized> Ground<'_, C> {
    pub(super) fn waiting(&self) -> Waiting {
        Waiting { until: Instant::now() + self.patience, pause: FIRST_PAUSE }
    }
}

impl Waiting {
    /// Waits before another look; `false`, at once, when there is no time left for one.
    pub(super) async fn again(&mut self) -> bool {
        if Instant::now() + self.pause > self.until {
            return false;
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }
}
