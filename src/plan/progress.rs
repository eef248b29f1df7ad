use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::receipt::Receipt;
use super::snapshot::Snapshot;
use super::step::Step;
use crate::change::Change;
use crate::error::Error;

/// What happens while a plan is applied. More may come.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A step begins.
    #[non_exhaustive]
    Started {
        /// Which one, counted from zero.
        index: usize,
        /// The step.
        step: &'a Step,
    },
    /// A step has been done, or may have been: the receipt has grown. Whoever keeps it, in case the process ends, writes it now.
    #[non_exhaustive]
    Changed {
        /// Which one, counted from zero.
        index: usize,
        /// The step.
        step: &'a Step,
        /// What it changed.
        change: &'a Change,
        /// Everything that this run changed so far.
        receipt: &'a Receipt,
    },
    /// AWS does not show yet what a step did, or refuses it because it has yet to learn of an earlier one: it is looked at again after a pause.
    #[non_exhaustive]
    Waiting {
        /// Which one, counted from zero.
        index: usize,
        /// The step.
        step: &'a Step,
    },
    /// A step had nothing to do: what it is for is so already.
    #[non_exhaustive]
    Skipped {
        /// Which one, counted from zero.
        index: usize,
        /// The step.
        step: &'a Step,
    },
}

/// A plan that was not applied to its end.
///
/// It becomes the crate's [`Error`] with `?`.
pub struct Stopped(Box<Inner>);

struct Inner {
    error: Error,
    receipt: Receipt,
    done: Vec<usize>,
    remaining: Vec<usize>,
    now: Option<Snapshot>,
}

impl Stopped {
    pub(super) fn new(
        error: Error,
        receipt: Receipt,
        done: Vec<usize>,
        remaining: Vec<usize>,
        now: Option<Snapshot>,
    ) -> Self {
        Self(Box::new(Inner { error, receipt, done, remaining, now }))
    }

    /// Why it stopped.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.0.error
    }

    /// What was changed before it stopped, or may have been.
    #[must_use]
    pub fn receipt(&self) -> &Receipt {
        &self.0.receipt
    }

    /// The steps, counted from zero, whose end is reached, whoever led there.
    #[must_use]
    pub fn done(&self) -> &[usize] {
        &self.0.done
    }

    /// The steps, counted from zero, that were not taken, or not seen to their end.
    #[must_use]
    pub fn remaining(&self) -> &[usize] {
        &self.0.remaining
    }

    /// What is the case now, read after it stopped; `None` where nothing could be read.
    #[must_use]
    pub fn now(&self) -> Option<&Snapshot> {
        self.0.now.as_ref()
    }

    /// The error and the receipt.
    #[must_use]
    pub fn into_parts(self) -> (Error, Receipt) {
        (self.0.error, self.0.receipt)
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.error.fmt(f)
    }
}

impl fmt::Debug for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { error, receipt, done, remaining, now } = &*self.0;
        f.debug_struct("Stopped")
            .field("error", error)
            .field("receipt", receipt)
            .field("done", done)
            .field("remaining", remaining)
            .field("now", now)
            .finish()
    }
}

/// Speaks for the error inside, so that a chain of sources names it once.
impl std::error::Error for Stopped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.error.source()
    }
}

impl From<Stopped> for Error {
    fn from(stopped: Stopped) -> Self {
        stopped.0.error
    }
}

/// Whom to tell, one word at a time.
pub(super) struct Listener<'a>(Mutex<&'a mut (dyn FnMut(Event<'_>) + Send)>);

impl<'a> Listener<'a> {
    pub(super) fn new(on_event: &'a mut (dyn FnMut(Event<'_>) + Send)) -> Self {
        Self(Mutex::new(on_event))
    }

    pub(super) fn tell(&self, event: Event<'_>) {
        // Who panicked in the middle of a word may be told another.
        let mut on_event = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        on_event(event);
    }
}
