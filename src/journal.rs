//! The changes of one handle's line of transitions, and which of them a read has yet to take into account.

use tokio::time::Instant;

use crate::change::Change;
use crate::observation::FRESH;
use crate::ports::SyncDefinition;
use crate::syncs::SyncAt;

#[derive(Debug, Default)]
pub(crate) struct Journal {
    changes: Vec<Change>,
    /// How many changes came before the observation that the current state rests on.
    observed: usize,
    /// When that was.
    observed_at: Option<Instant>,
    /// Syncs that were written as they are to be, though AWS does not show all of it.
    written: Vec<(SyncAt, SyncDefinition)>,
}

/// What a handle itself has changed: a look that denies it may be late.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Own<'a> {
    changes: &'a [Change],
    observed: usize,
}

impl<'a> Own<'a> {
    /// Those that no observation came after.
    pub(crate) fn of(changes: &'a [Change]) -> Self {
        Self { changes, observed: 0 }
    }

    pub(crate) fn changes(self) -> &'a [Change] {
        self.changes
    }

    /// The last one first; with each, whether an observation came after it.
    pub(crate) fn latest(self) -> impl Iterator<Item = (&'a Change, bool)> {
        self.changes.iter().enumerate().rev().map(move |(index, change)| (change, index < self.observed))
    }
}

impl Journal {
    pub(crate) fn own(&self) -> Own<'_> {
        Own { changes: &self.changes, observed: self.observed }
    }

    pub(crate) fn record(&mut self, change: Change) {
        self.changes.push(change);
    }

    pub(crate) fn note_written(&mut self, at: SyncAt, definition: &SyncDefinition) {
        self.written.retain(|(known, _)| *known != at);
        self.written.push((at, definition.clone()));
    }

    pub(crate) fn has_written(&self, at: &SyncAt, definition: &SyncDefinition) -> bool {
        self.written.iter().any(|(known, written)| known == at && written == definition)
    }

    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether the observation was so long ago that others may well have been here since.
    pub(crate) fn is_stale(&self) -> bool {
        self.observed_at.is_some_and(|then| then.elapsed() > FRESH)
    }

    /// What we saw succeed since the last observation: reads that deny it are late.
    pub(crate) fn since_observation(&self) -> &[Change] {
        self.changes.get(self.observed..).unwrap_or_default()
    }

    /// From here on, an observation stands for all changes so far.
    pub(crate) fn mark_observed(&mut self) {
        self.observed = self.changes.len();
        self.observed_at = Some(Instant::now());
    }
}
