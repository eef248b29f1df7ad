use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::receipt::Receipt;
use super::step::Step;
use crate::domain::Change;
use crate::error::{Error, ErrorKind};
use crate::observation::Snapshot;
use crate::trace::ChangeRecorder;

/// Event emitted while a plan is applied. Later releases may add variants.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A step begins.
    #[non_exhaustive]
    Started {
        /// The index of the step, counted from zero.
        index: usize,
        /// The step.
        step: &'a Step,
    },
    /// A step was applied, or may have been, and the receipt has grown.
    ///
    /// Save the receipt now to keep it if the process ends.
    #[non_exhaustive]
    Changed {
        /// The index of the step, counted from zero.
        index: usize,
        /// The step.
        step: &'a Step,
        /// The change that the step made.
        change: &'a Change,
        /// All changes of this run so far.
        receipt: &'a Receipt,
    },
    /// The effect of a step is not visible yet, or AWS refuses the step due to a stale read. The
    /// state is read again after a pause.
    #[non_exhaustive]
    Waiting {
        /// The index of the step, counted from zero.
        index: usize,
        /// The step.
        step: &'a Step,
    },
    /// A step was skipped because its effect is already in place.
    #[non_exhaustive]
    Skipped {
        /// The index of the step, counted from zero.
        index: usize,
        /// The step.
        step: &'a Step,
    },
    /// The plan was applied. This is the last event of a successful run.
    #[non_exhaustive]
    Finished {
        /// The state afterwards. Trusted access and the administrators are as the last reads of
        /// this run showed them, including changes by other callers.
        now: &'a Snapshot,
    },
}

/// Result of a plan that was fully applied, returned by [`Plan::apply`](super::Plan::apply).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// The changes of the run.
    pub receipt: Receipt,
    /// The state afterwards, as the last reads of the run confirmed it, including changes by other
    /// callers. [`Snapshot::state`] names it.
    pub now: Snapshot,
}

/// Error returned by [`Plan::apply`](super::Plan::apply) for a plan that was not fully applied.
///
/// The `?` operator converts this error to the crate's [`Error`].
pub struct ApplyError(Box<Inner>);

struct Inner {
    error: Error,
    /// The failed steps, each with the position of its error among the error and its related
    /// errors.
    failed: Vec<(usize, usize)>,
    receipt: Receipt,
    progress: Progress,
    now: Option<Snapshot>,
}

/// Indexes of the steps by their result. Each step of a plan is in one list.
#[derive(Debug, Default)]
pub(super) struct Progress {
    pub(super) done: Vec<usize>,
    pub(super) unconfirmed: Vec<usize>,
    pub(super) remaining: Vec<usize>,
}

impl ApplyError {
    /// Creates the error from the errors of the failed steps. An error that precedes the steps has
    /// no step.
    pub(super) fn new(
        errors: Vec<(Option<usize>, Error)>,
        receipt: Receipt,
        progress: Progress,
        now: Option<Snapshot>,
    ) -> Self {
        let (mut failed, mut position) = (Vec::new(), 0);
        for (step, error) in &errors {
            failed.extend(step.map(|step| (step, position)));
            position += 1 + error.related().len();
        }
        let error = Error::all(errors.into_iter().map(|(_, error)| Err::<(), _>(error))).err();
        // A run without an error succeeds.
        let error = error.unwrap_or_else(|| Error::new(ErrorKind::StateChanged));
        Self(Box::new(Inner { error, failed, receipt, progress, now }))
    }

    /// Returns the error of the first failed step in the order of the plan, or the error that
    /// prevented the run. The errors of the other failed steps are [`related`](Error::related).
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.0.error
    }

    /// Returns the indexes, counted from zero, of the failed steps, each with its error.
    ///
    /// A failed step is also in [`done`](Self::done), [`unconfirmed`](Self::unconfirmed) or
    /// [`remaining`](Self::remaining). It is in `done` if AWS accepted its write and no read showed
    /// the effect in time.
    pub fn failed(&self) -> impl Iterator<Item = (usize, &Error)> {
        let Inner { error, failed, .. } = &*self.0;
        let error_at = move |position: &usize| match position.checked_sub(1) {
            None => Some(error),
            Some(further) => error.related().get(further),
        };
        failed.iter().filter_map(move |(step, position)| Some((*step, error_at(position)?)))
    }

    /// Returns the receipt of all changes, including unconfirmed ones, made before the run stopped.
    #[must_use]
    pub fn receipt(&self) -> &Receipt {
        &self.0.receipt
    }

    /// Returns the indexes, counted from zero, of the steps whose effect is in place or whose write
    /// AWS accepted, including skipped steps.
    #[must_use]
    pub fn done(&self) -> &[usize] {
        &self.0.progress.done
    }

    /// Returns the indexes, counted from zero, of the steps whose write may have been applied,
    /// because its response was lost and no read showed the effect.
    #[must_use]
    pub fn unconfirmed(&self) -> &[usize] {
        &self.0.progress.unconfirmed
    }

    /// Returns the indexes, counted from zero, of the steps that were not started or changed
    /// nothing.
    #[must_use]
    pub fn remaining(&self) -> &[usize] {
        &self.0.progress.remaining
    }

    /// Returns the state read after the run stopped; `None` if nothing could be read.
    #[must_use]
    pub fn now(&self) -> Option<&Snapshot> {
        self.0.now.as_ref()
    }

    /// Returns the error and the receipt.
    #[must_use]
    pub fn into_parts(self) -> (Error, Receipt) {
        (self.0.error, self.0.receipt)
    }
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.error.fmt(f)
    }
}

impl fmt::Debug for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { error, failed: _, receipt, progress: Progress { done, unconfirmed, remaining }, now } = &*self.0;
        f.debug_struct("Stopped")
            .field("error", error)
            .field("receipt", receipt)
            .field("done", done)
            .field("unconfirmed", unconfirmed)
            .field("remaining", remaining)
            .field("now", now)
            .finish()
    }
}

/// Forwards to the inner error, so a chain of sources prints that error once.
impl std::error::Error for ApplyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.error.source()
    }
}

impl From<ApplyError> for Error {
    fn from(stopped: ApplyError) -> Self {
        stopped.0.error
    }
}

/// Serializes calls to the event callback, and reports waits to the recorder.
pub(super) struct EventSink<'a> {
    on_event: Mutex<&'a mut (dyn FnMut(Event<'_>) + Send)>,
    recorder: &'a ChangeRecorder,
}

impl<'a> EventSink<'a> {
    pub(super) fn new(on_event: &'a mut (dyn FnMut(Event<'_>) + Send), recorder: &'a ChangeRecorder) -> Self {
        Self { on_event: Mutex::new(on_event), recorder }
    }

    pub(super) fn emit(&self, event: Event<'_>) {
        if let Event::Waiting { .. } = event {
            self.recorder.report_wait();
        }
        // A panic in the callback poisons the mutex; later events are still delivered.
        let mut on_event = self.on_event.lock().unwrap_or_else(PoisonError::into_inner);
        on_event(event);
    }
}
