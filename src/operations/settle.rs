//! Waiting for AWS to show what it did.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Ground;
use crate::domain::ServicePrincipal;
use crate::error::{Applied, Error, ErrorKind, Retry};
use crate::observation::{self, Facts};
use crate::ports::{Operation, OrganizationsApi};

/// AWS allows an account about one read of the trusted services a second.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// How long to wait for AWS to show a change, and whom to tell of the waiting.
#[derive(Clone, Copy)]
pub(crate) struct Patience<'a> {
    limit: Duration,
    notice: Option<&'a (dyn Fn() + Send + Sync)>,
}

impl From<Duration> for Patience<'_> {
    fn from(limit: Duration) -> Self {
        Self { limit, notice: None }
    }
}

impl<'a> Patience<'a> {
    /// As long as that, with a word before every pause.
    pub(crate) fn telling(limit: Duration, notice: &'a (dyn Fn() + Send + Sync)) -> Self {
        Self { limit, notice: Some(notice) }
    }
}

/// The pauses between looks, until patience ends: one patience for a whole operation.
pub(super) struct Waiting<'a> {
    /// `None` for a patience without end.
    until: Option<Instant>,
    pause: Duration,
    notice: Option<&'a (dyn Fn() + Send + Sync)>,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(patience: Patience<'a>) -> Self {
        Self { until: Instant::now().checked_add(patience.limit), pause: FIRST_PAUSE, notice: patience.notice }
    }

    /// Waits before another look; `false`, at once, when there is no time left for one.
    pub(super) async fn again(&mut self) -> bool {
        if self.until.is_some_and(|until| Instant::now() + self.pause > until) {
            return false;
        }
        if let Some(tell) = self.notice {
            tell();
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }

    /// Waits before another look; not after one that failed for good.
    pub(super) async fn after(&mut self, unread: Option<&Error>) -> bool {
        let hopeless = unread.is_some_and(|error| error.retry() == Retry::Permanent);
        !hopeless && self.again().await
    }
}

/// Looks for what a deletion was to take away.
pub(super) struct Absence {
    looks: usize,
    needed: usize,
}

impl Absence {
    /// Where AWS has said that it is done one look is enough. Otherwise one may be older than the thing itself: what is gone twice, a pause
    /// apart, is gone.
    pub(super) fn after(lost: Option<&Error>) -> Self {
        Self { looks: 0, needed: if lost.is_some() { 2 } else { 1 } }
    }

    /// Whether a look that shows it, or does not, makes it certain that it is gone.
    pub(super) fn is_certain(&mut self, gone: bool) -> bool {
        self.looks = if gone { self.looks + 1 } else { 0 };
        self.looks >= self.needed
    }
}

/// The error of a write that AWS accepted and no read showed in time. `unread` is why the last read failed, if it did.
pub(super) fn not_settled(operation: Operation, unread: Option<Error>) -> Error {
    let error = Error::of(ErrorKind::NotSettled).at(operation).applied_is(Applied::Yes).with_retry(Retry::Spent);
    match unread {
        Some(unread) => error.with_source(unread),
        None => error,
    }
}

/// What one listing shows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Half {
    Trust,
    Administrators,
}

impl<C: OrganizationsApi + ?Sized> Ground<'_, C> {
    /// Reads one half of the facts anew, in the same way as [`read`](Self::read).
    pub(crate) async fn read_half(&self, facts: &mut Facts, half: Half) -> Result<(), Error> {
        let mut waiting = Waiting::new(self.patience);
        loop {
            let read = match half {
                Half::Trust => observation::trusted_access(self.client, &facts.principal)
                    .await
                    .map(|trusted_access| facts.trusted_access = trusted_access),
                Half::Administrators => observation::administrators(self.client, &facts.principal)
                    .await
                    .map(|administrators| facts.administrators = administrators),
            };
            read.map_err(|error| error.called_in(self.known))?;
            if !facts.predates(self.journal.since_observation()) || !waiting.again().await {
                return Ok(());
            }
        }
    }

    /// Reads what is the case with a service. An answer that is older than what we saw AWS do is not one: it is asked again, while patience lasts.
    pub(super) async fn read(&self, principal: &ServicePrincipal, waiting: &mut Waiting<'_>) -> Result<Facts, Error> {
        loop {
            let facts = observation::facts(self.client, principal).await;
            let facts = facts.map_err(|error| error.called_in(self.known))?;
            if !facts.predates(self.journal.since_observation()) || !waiting.again().await {
                return Ok(facts);
            }
        }
    }
}
