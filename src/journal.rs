//! The changes of one handle's line of transitions, and which of them a read has yet to take into account.

use crate::change::Change;
use crate::ports::SyncDefinition;
use crate::syncs::SyncAt;

#[derive(Debug, Default)]
pub(crate) struct Journal {
    changes: Vec<Change>,
    /// How many changes came before the observation that the current state rests on.
    observed: usize,
    /// Syncs that were written as they are to be, though AWS does not show all of it.
    written: Vec<(SyncAt, SyncDefinition)>,
}

impl Journal {
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

    /// What we saw succeed since the last observation: reads that deny it are late.
    pub(crate) fn since_observation(&self) -> &[Change] {
        self.changes.get(self.observed..).unwrap_or_default()
    }

    /// From here on, an observation stands for all changes so far.
    pub(crate) fn mark_observed(&mut self) {
        self.observed = self.changes.len();
    }
}
