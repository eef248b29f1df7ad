//! What reads show of the contents, and how late.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::contents::{Contents, NOTHING};
use crate::ports::Operation;

/// How far behind a read is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lag {
    /// It shows what was the case so long ago.
    Time(Duration),
    /// It shows a change only once so many reads of the same operation have missed it.
    Reads(usize),
}

impl Lag {
    /// A read that shows what is.
    pub const NONE: Self = Self::Time(Duration::ZERO);
}

/// The contents, now and as far back as reads may look.
#[derive(Debug)]
pub(super) struct History {
    /// The newest last, each from its moment on; the first from ever.
    versions: Vec<Version>,
    /// How late the reads of an operation are, in turn.
    lags: HashMap<Operation, Vec<Lag>>,
    reads: HashMap<Operation, usize>,
}

#[derive(Debug)]
struct Version {
    /// `None` for what always was.
    since: Option<Moment>,
    contents: Contents,
}

#[derive(Debug)]
struct Moment {
    at: Instant,
    /// How many reads of each operation came before.
    after: HashMap<Operation, usize>,
}

impl Moment {
    fn reads_before(&self, operation: Operation) -> usize {
        self.after.get(&operation).copied().unwrap_or_default()
    }

    /// Whether it is past for a read of an operation that comes after so many others.
    fn is_past(&self, operation: Operation, lag: Lag, reads: usize) -> bool {
        match lag {
            Lag::Time(lag) => self.at.elapsed() >= lag,
            Lag::Reads(misses) => reads.saturating_sub(self.reads_before(operation)) >= misses,
        }
    }

    /// Whether this is past as soon as the other.
    fn is_the_same(&self, other: &Self, operation: Operation, lag: Lag) -> bool {
        match lag {
            Lag::Time(_) => self.at == other.at,
            Lag::Reads(_) => self.reads_before(operation) == other.reads_before(operation),
        }
    }
}

impl Version {
    fn is_visible(&self, operation: Operation, lag: Lag, reads: usize) -> bool {
        self.since.as_ref().is_none_or(|since| since.is_past(operation, lag, reads))
    }

    /// Whether, in reads of this kind, it shows wherever an older one would.
    fn outshines(&self, older: &Self, operation: Operation, lag: Lag, reads: usize) -> bool {
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
        Self { versions: vec![beginning], lags: HashMap::new(), reads: HashMap::new() }
    }

    /// The reads of the operation take these in turn: an old answer may follow a new one.
    pub(super) fn set_lags(&mut self, operation: Operation, lags: Vec<Lag>) {
        self.lags.insert(operation, lags);
    }

    /// What is.
    pub(super) fn now(&self) -> &Contents {
        // There is always a version, so the empty contents are never taken.
        self.versions.last().map_or(&NOTHING, |version| &version.contents)
    }

    /// What the next read of an operation shows.
    pub(super) fn read(&mut self, operation: Operation) -> &Contents {
        let lags = self.lags.get(&operation).filter(|lags| !lags.is_empty());
        let reads = self.reads.entry(operation).or_default();
        let lag = lags.and_then(|lags| lags.get(*reads % lags.len())).copied().unwrap_or(Lag::NONE);
        let before = *reads;
        *reads += 1;
        let visible = self.versions.iter().rev().find(|version| version.is_visible(operation, lag, before));
        match visible.or(self.versions.first()) {
            Some(version) => &version.contents,
            None => self.now(),
        }
    }

    /// Changes the contents.
    pub(super) fn change<T>(&mut self, change: impl FnOnce(&mut Contents) -> T) -> T {
        if let Some(version) = self.versions.last_mut().filter(|_| self.lags.is_empty()) {
            // Nobody looks back.
            return change(&mut version.contents);
        }
        let mut contents = self.now().clone();
        let answer = change(&mut contents);
        let since = Some(Moment { at: Instant::now(), after: self.reads.clone() });
        self.versions.push(Version { since, contents });
        self.forget();
        answer
    }

    /// Forgets each version that no read will show any more: whatever the lag, a newer one shows as soon.
    fn forget(&mut self) {
        let mut kept: Vec<Version> = Vec::new();
        for version in std::mem::take(&mut self.versions).into_iter().rev() {
            let outshone = kept.last().is_some_and(|newer| {
                self.lags.iter().all(|(operation, lags)| {
                    let reads = self.reads.get(operation).copied().unwrap_or_default();
                    lags.iter().all(|lag| newer.outshines(&version, *operation, *lag, reads))
                })
            });
            if !outshone {
                kept.push(version);
            }
        }
        kept.reverse();
        self.versions = kept;
    }

    /// Makes what is what always was.
    pub(super) fn begin_here(&mut self) {
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

    fn history(lags: &[(Operation, Lag)]) -> History {
        let mut history = History::new();
        for (operation, lag) in lags {
            history.set_lags(*operation, vec![*lag]);
        }
        history
    }

    /// A change that differs from every other.
    fn change(history: &mut History, number: usize) {
        let principal = ServicePrincipal::new(number.to_string()).unwrap();
        history.change(|contents| contents.trust(&principal, std::time::SystemTime::UNIX_EPOCH));
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_a_read_can_still_show_is_kept() {
        // Nobody looks back.
        let mut history = history(&[]);
        (0..100).for_each(|number| change(&mut history, number));
        assert_eq!(history.versions.len(), 1);

        // At the end of 100 seconds: what is, and the moments of the last five seconds and the one that shows now.
        let mut history = self::history(&[(READ, Lag::Time(Duration::from_secs(5)))]);
        for number in 0..100 {
            change(&mut history, number);
            change(&mut history, number + 1_000);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(history.versions.len(), 6);
        assert_eq!(history.read(READ).trusted.len(), 2 * 96);

        // However many changes fall between two reads, the newest of them outshines the others.
        let mut history = self::history(&[(READ, Lag::Reads(2)), (OTHER, Lag::Reads(1))]);
        for number in 0..100 {
            tokio::time::advance(Duration::from_secs(1)).await;
            change(&mut history, number);
        }
        assert_eq!(history.versions.len(), 2, "the beginning, for nobody has read, and what is");
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
    async fn a_lag_may_be_endless() {
        let mut history = history(&[(READ, Lag::Time(Duration::MAX)), (OTHER, Lag::Reads(usize::MAX))]);
        change(&mut history, 1);
        let _ = history.read(OTHER);
        assert!(history.read(READ).trusted.is_empty());
        assert!(history.read(OTHER).trusted.is_empty());
        assert_eq!(history.now().trusted.len(), 1);
    }
}
