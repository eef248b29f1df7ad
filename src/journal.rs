//! The changes of one handle's line of transitions, and which of them a read has yet to take into account.

use crate::change::{Certainty, Change, ChangeKind};

#[derive(Debug, Default)]
pub(crate) struct Journal {
    changes: Vec<Change>,
    /// How many changes came before the observation that the current state rests on.
    observed: usize,
}

impl Journal {
    pub(crate) fn record(&mut self, kind: ChangeKind, certainty: Certainty) {
        self.changes.push(Change { kind, certainty });
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
