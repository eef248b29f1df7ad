//! Results of earlier reads that guard a write.

use std::sync::{Mutex, PoisonError};

/// Result of an earlier read that is still current. The first attempt of an operation uses the
/// result, and later attempts read again.
#[derive(Debug)]
pub(crate) struct KnownRead<T>(Mutex<Option<T>>);

impl<T> KnownRead<T> {
    pub(crate) fn new(known: Option<T>) -> Self {
        Self(Mutex::new(known))
    }

    /// Creates a value without an earlier result.
    pub(crate) fn none() -> Self {
        Self::new(None)
    }

    /// Returns the result once.
    pub(crate) fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
