use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// AWS's dates: tokio's time in whole milliseconds, and never the same one twice.
#[derive(Debug)]
pub(super) struct Clock {
    begun: Instant,
    /// Since when the clock runs, after Unix's beginning.
    from: Duration,
    last: Duration,
}

/// The date at which every organization in memory begins: 2026-01-01, 56 years with 14 leap days after Unix's.
const BEGINNING: Duration = Duration::from_hours((56 * 365 + 14) * 24);

impl Clock {
    pub(super) fn new() -> Self {
        Self { begun: Instant::now(), from: BEGINNING, last: Duration::ZERO }
    }

    /// A clock whose dates are all later than this one.
    pub(super) fn after(date: Option<SystemTime>) -> Self {
        let from = date.and_then(|date| date.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or(BEGINNING);
        Self { from: from.max(BEGINNING), ..Self::new() }
    }

    pub(super) fn date(&mut self) -> SystemTime {
        let elapsed = self.begun.elapsed();
        let elapsed = Duration::new(elapsed.as_secs(), elapsed.subsec_millis() * 1_000_000);
        self.last = elapsed.max(self.last + Duration::from_millis(1));
        SystemTime::UNIX_EPOCH + self.from + self.last
    }
}
