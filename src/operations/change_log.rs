//! Log of the changes behind a handle, with the number of changes that precede the last
//! observation.

use tokio::time::Instant;

use crate::domain::{Change, DataSyncId, SyncDefinition};
use crate::observation::SNAPSHOT_TTL;
use crate::trace::ChangeRecorder;

#[derive(Debug, Clone, Default)]
pub(crate) struct ChangeLog {
    changes: Vec<Change>,
    /// Number of changes before the observation that the current state is based on.
    observed: usize,
    /// Time of that observation.
    observed_at: Option<Instant>,
    /// Definitions of written syncs for which AWS does not show every attribute.
    written: Vec<(DataSyncId, SyncDefinition)>,
    /// Records the writes. Other handles and runs may share the recorder.
    pub(crate) recorder: ChangeRecorder,
}

/// Changes made by this handle, and the recorder of further writes. A read that contradicts the
/// changes may be stale.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocalChanges<'a> {
    changes: &'a [Change],
    observed: usize,
    pub(crate) recorder: &'a ChangeRecorder,
}

impl<'a> LocalChanges<'a> {
    /// Creates a value in which no observation follows the changes.
    pub(crate) fn new(changes: &'a [Change], recorder: &'a ChangeRecorder) -> Self {
        Self { changes, observed: 0, recorder }
    }

    pub(crate) fn changes(self) -> &'a [Change] {
        self.changes
    }

    /// Returns the changes, latest first, each with whether an observation followed the change.
    pub(crate) fn latest(self) -> impl Iterator<Item = (&'a Change, bool)> {
        self.changes.iter().enumerate().rev().map(move |(index, change)| (change, index < self.observed))
    }
}

impl ChangeLog {
    /// Creates an empty log whose writes the recorder records.
    pub(crate) fn with_recorder(recorder: ChangeRecorder) -> Self {
        Self { recorder, ..Self::default() }
    }

    pub(crate) fn local_changes(&self) -> LocalChanges<'_> {
        LocalChanges { changes: &self.changes, observed: self.observed, recorder: &self.recorder }
    }

    /// Returns a copy whose writes the recorder records.
    pub(crate) fn branch(&self, recorder: ChangeRecorder) -> Self {
        Self { recorder, ..self.clone() }
    }

    pub(crate) fn record(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Inserts changes before all others. The observation follows these changes.
    pub(crate) fn prepend(&mut self, earlier: impl IntoIterator<Item = Change>) {
        let before = self.changes.len();
        self.changes.splice(..0, earlier);
        self.observed += self.changes.len() - before;
    }

    pub(crate) fn record_definition(&mut self, at: DataSyncId, definition: &SyncDefinition) {
        self.written.retain(|(known, _)| *known != at);
        self.written.push((at, definition.clone()));
    }

    pub(crate) fn has_definition(&self, at: &DataSyncId, definition: &SyncDefinition) -> bool {
        self.written.iter().any(|(known, written)| known == at && written == definition)
    }

    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Returns whether the observation is old enough that others may have made changes since.
    pub(crate) fn is_stale(&self) -> bool {
        self.observed_at.is_some_and(|then| then.elapsed() > SNAPSHOT_TTL)
    }

    /// Returns whether the observation is recent and no write followed it.
    pub(crate) fn is_current(&self) -> bool {
        self.since_observation().is_empty() && self.observed_at.is_some_and(|then| then.elapsed() < SNAPSHOT_TTL)
    }

    /// Returns the confirmed changes since the last observation. Reads that contradict these
    /// changes are stale.
    pub(crate) fn since_observation(&self) -> &[Change] {
        self.changes.get(self.observed..).unwrap_or_default()
    }

    /// Marks all changes until now as covered by an observation.
    pub(crate) fn mark_observed(&mut self) {
        self.observed = self.changes.len();
        self.observed_at = Some(Instant::now());
    }
}
