//! Versioned contents that let reads return stale data.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::contents::{Contents, EMPTY};
use crate::domain::Operation;

/// Staleness of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReadDelay {
    /// The read shows the state this long ago.
    Time(Duration),
    /// The read shows a change only after this many reads of the same operation have missed the
    /// change.
    Reads(usize),
}

impl ReadDelay {
    /// No delay: the read shows the current state.
    pub const NONE: Self = Self::Time(Duration::ZERO);
}

/// Current contents, and the older versions that reads can still show.
#[derive(Debug)]
pub(super) struct History {
    /// Versions in ascending order of time. Each is valid from its moment; the first has no start.
    versions: Vec<Version>,
    /// Delays of the reads of each operation, used in turn.
    lags: HashMap<Operation, Vec<ReadDelay>>,
    reads: HashMap<Operation, usize>,
    /// Delay until other services see a change of Organizations.
    service_delay: Duration,
}

#[derive(Debug)]
struct Version {
    /// `None` for the initial version.
    since: Option<Moment>,
    contents: Contents,
}

#[derive(Debug)]
struct Moment {
    at: Instant,
    /// Number of reads of each operation before this moment.
    after: HashMap<Operation, usize>,
}

impl Moment {
    fn reads_before(&self, operation: Operation) -> usize {
        self.after.get(&operation).copied().unwrap_or_default()
    }

    /// Returns whether this moment is past for a read that follows `reads` other reads of the
    /// operation.
    fn is_past(&self, operation: Operation, lag: ReadDelay, reads: usize) -> bool {
        match lag {
            ReadDelay::Time(lag) => self.at.elapsed() >= lag,
            ReadDelay::Reads(misses) => reads.saturating_sub(self.reads_before(operation)) >= misses,
        }
    }

    /// Returns whether both moments become past at the same time.
    fn is_the_same(&self, other: &Self, operation: Operation, lag: ReadDelay) -> bool {
        match lag {
            ReadDelay::Time(_) => self.at == other.at,
            ReadDelay::Reads(_) => self.reads_before(operation) == other.reads_before(operation),
        }
    }
}

impl Version {
    fn is_visible(&self, operation: Operation, lag: ReadDelay, reads: usize) -> bool {
        self.since.as_ref().is_none_or(|since| since.is_past(operation, lag, reads))
    }

    fn is_seen_by_services(&self, delay: Duration) -> bool {
        self.since.as_ref().is_none_or(|since| since.at.elapsed() >= delay)
    }

    /// Returns whether other services see this version whenever they would see the older one.
    fn supersedes_for_services(&self, older: &Self, delay: Duration) -> bool {
        let same = || match (&self.since, &older.since) {
            (Some(since), Some(before)) => since.at == before.at,
            _ => false,
        };
        self.is_seen_by_services(delay) || same()
    }

    /// Returns whether this version is visible to the operation whenever the older one would be.
    fn supersedes(&self, older: &Self, operation: Operation, lag: ReadDelay, reads: usize) -> bool {
        let same = || match (&self.since, &older.since) {
            (Some(since), Some(before)) => since.is_the_same(before, operation, lag),
            _ => false,
        };
        self.is_visible(operation, lag, reads) || same()
    }
}

impl History {
    pub(super) fn new() -> Self {
        let beginning = Version { since: None, contents: Contents::default() };
        Self { versions: vec![beginning], lags: HashMap::new(), reads: HashMap::new(), service_delay: Duration::ZERO }
    }

    /// Sets the delays of an operation's reads, used in turn. A stale response can follow a current
    /// one.
    pub(super) fn set_read_delays(&mut self, operation: Operation, lags: Vec<ReadDelay>) {
        self.lags.insert(operation, lags);
    }

    pub(super) fn set_service_delay(&mut self, delay: Duration) {
        self.service_delay = delay;
    }

    /// Returns the contents that other services see.
    ///
    /// The result is `None` if they see each change immediately.
    pub(super) fn seen_by_services(&self) -> Option<&Contents> {
        if self.service_delay.is_zero() {
            return None;
        }
        let seen = self.versions.iter().rev().find(|version| version.is_seen_by_services(self.service_delay));
        seen.or(self.versions.first()).map(|version| &version.contents)
    }

    /// Returns the current contents.
    pub(super) fn now(&self) -> &Contents {
        // There is always a version, so `EMPTY` is never used.
        self.versions.last().map_or(&EMPTY, |version| &version.contents)
    }

    /// Returns the contents that the next read of an operation shows.
    pub(super) fn read(&mut self, operation: Operation) -> &Contents {
        let lags = self.lags.get(&operation).filter(|lags| !lags.is_empty());
        let reads = self.reads.entry(operation).or_default();
        let lag = lags.and_then(|lags| lags.get(*reads % lags.len())).copied().unwrap_or(ReadDelay::NONE);
        let before = *reads;
        *reads += 1;
        let visible = self.versions.iter().rev().find(|version| version.is_visible(operation, lag, before));
        match visible.or(self.versions.first()) {
            Some(version) => &version.contents,
            None => self.now(),
        }
    }

    pub(super) fn change<T>(&mut self, change: impl FnOnce(&mut Contents) -> T) -> T {
        if let Some(version) = self.versions.last_mut().filter(|_| self.lags.is_empty() && self.service_delay.is_zero())
        {
            // Nothing is delayed, so old versions are not needed.
            return change(&mut version.contents);
        }
        let mut contents = self.now().clone();
        let answer = change(&mut contents);
        let since = Some(Moment { at: Instant::now(), after: self.reads.clone() });
        self.versions.push(Version { since, contents });
        self.forget();
        answer
    }

    /// Drops each version that no later read can show, because a newer version becomes visible at
    /// the same time under every delay.
    fn forget(&mut self) {
        let mut kept: Vec<Version> = Vec::new();
        for version in std::mem::take(&mut self.versions).into_iter().rev() {
            let outshone = kept.last().is_some_and(|newer| {
                newer.supersedes_for_services(&version, self.service_delay)
                    && self.lags.iter().all(|(operation, lags)| {
                        let reads = self.reads.get(operation).copied().unwrap_or_default();
                        lags.iter().all(|lag| newer.supersedes(&version, *operation, *lag, reads))
                    })
            });
            if !outshone {
                kept.push(version);
            }
        }
        kept.reverse();
        self.versions = kept;
    }

    /// Makes the current contents the only version, visible without delay.
    pub(super) fn reset(&mut self) {
        let newest = self.versions.len().saturating_sub(1);
        self.versions.drain(..newest);
        self.versions.iter_mut().for_each(|version| version.since = None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ServicePrincipal;

    const READ: Operation = Operation::ListAwsServiceAccessForOrganization;
    const OTHER: Operation = Operation::GetRole;

    fn history(lags: &[(Operation, ReadDelay)]) -> History {
        let mut history = History::new();
        for (operation, lag) in lags {
            history.set_read_delays(*operation, vec![*lag]);
        }
        history
    }

    /// Makes a change that differs from all others.
    fn change(history: &mut History, number: usize) {
        let principal = ServicePrincipal::new(number.to_string()).unwrap();
        history.change(|contents| contents.enable_trusted_access(&principal, std::time::SystemTime::UNIX_EPOCH));
    }

    #[tokio::test(start_paused = true)]
    async fn history_keeps_only_versions_reads_can_show() {
        // No read is delayed, so old versions are not needed.
        let mut history = history(&[]);
        (0..100).for_each(|number| change(&mut history, number));
        assert_eq!(history.versions.len(), 1);

        // After 100 seconds: the current version, the versions of the last five seconds and the one
        // visible now.
        let mut history = self::history(&[(READ, ReadDelay::Time(Duration::from_secs(5)))]);
        for number in 0..100 {
            change(&mut history, number);
            change(&mut history, number + 1_000);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(history.versions.len(), 6);
        assert_eq!(history.read(READ).trusted.len(), 2 * 96);

        // Of several changes between two reads, only the newest is kept.
        let mut history = self::history(&[(READ, ReadDelay::Reads(2)), (OTHER, ReadDelay::Reads(1))]);
        for number in 0..100 {
            tokio::time::advance(Duration::from_secs(1)).await;
            change(&mut history, number);
        }
        assert_eq!(history.versions.len(), 2, "the first version, which no read has passed, and the current one");
        for number in 100..200 {
            change(&mut history, number);
            let _ = history.read(READ);
        }
        assert_eq!(
            history.versions.len(),
            4,
            "the three that reads show, and the beginning, which the other has not left"
        );
        let _ = history.read(OTHER);
        change(&mut history, 200);
        assert_eq!(history.versions.len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn read_delay_of_duration_max_never_shows_changes() {
        let mut history = history(&[(READ, ReadDelay::Time(Duration::MAX)), (OTHER, ReadDelay::Reads(usize::MAX))]);
        change(&mut history, 1);
        let _ = history.read(OTHER);
        assert!(history.read(READ).trusted.is_empty());
        assert!(history.read(OTHER).trusted.is_empty());
        assert_eq!(history.now().trusted.len(), 1);
    }
}
