use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// Clock for AWS's dates: tokio's time in whole milliseconds. No two dates are equal.
#[derive(Debug)]
pub(super) struct Clock {
    begun: Instant,
    /// Offset of the clock's start from the Unix epoch.
    from: Duration,
    last: Duration,
}

/// Start date of every simulation: 2026-01-01, 56 years with 14 leap days after the Unix epoch.
const BEGINNING: Duration = Duration::from_hours((56 * 365 + 14) * 24);

impl Clock {
    pub(super) fn new() -> Self {
        Self { begun: Instant::now(), from: BEGINNING, last: Duration::ZERO }
    }

    /// Returns a clock whose dates are all later than `date`.
    pub(super) fn after(date: Option<SystemTime>) -> Self {
        let from = date.and_then(|date| date.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or(BEGINNING);
        Self { from: from.max(BEGINNING), ..Self::new() }
    }

    /// Returns the current date, which is not later than the next [`date`](Self::date).
    #[cfg(feature = "sim-aws")]
    pub(super) fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.from + self.begun.elapsed().max(self.last)
    }

    /// Returns the date at which the simulation started.
    #[cfg(feature = "sim-aws")]
    pub(super) fn beginning(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.from
    }

    pub(super) fn date(&mut self) -> SystemTime {
        let elapsed = self.begun.elapsed();
        let elapsed = Duration::new(elapsed.as_secs(), elapsed.subsec_millis() * 1_000_000);
        self.last = elapsed.max(self.last + Duration::from_millis(1));
        SystemTime::UNIX_EPOCH + self.from + self.last
    }
}
