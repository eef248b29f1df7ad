//! The typestate façade: each state's type has the moves that AWS allows in it.

mod delegated;
mod disabled;
mod irregular;
mod trusted_access;
mod unobserved;

use std::fmt;
use std::time::Duration;

use crate::change::{Certainty, Change};
use crate::domain::AccountId;
use crate::error::{Applied, Error, ErrorKind};
use crate::failure::{self, Failure, Handle, Recovered};
use crate::journal::{Journal, Own};
use crate::observation::{Facts, Known};
use crate::observed::Observed;
use crate::operations::{Done, Ground, Setback};
use crate::ports::{Operation, Organization};
use crate::state::{ObservedState, State, Unobserved, sealed};

/// What a transition from `From` to `To` answers.
pub type Transition<From, To, C> = Result<Integration<To, C>, Failure<Integration<From, C>>>;

/// Systems Manager's integration with an organization, in state `S`, as `C` sees it.
///
/// ```text
/// Disabled ──enable_trusted_access──▶ TrustedAccess ──register_delegated_administrator──▶ Delegated
///     ◀────────── disable ───────────      ◀──────────────── deregister ────────────────
/// ```
///
/// It begins [`Unobserved`], whose one move is [`observe`](Integration::observe). A move uses the handle up and answers one of
/// the new state, or a [`Failure`] that tells what is known instead. Nobody can make, copy or keep a handle of a state:
/// `Integration<S, C>` is not `Clone`, and only the organization's own answers lead to a state.
///
/// `C` is any implementation of the [ports](crate::ports): a client by value, `&client`, or `Arc<dyn Client>`.
///
/// # Time
///
/// A transition ends when a read shows its effect. The pauses between reads, one second and then up to eight, are tokio's, so a runtime with time enabled must be
/// running; [`settle_within`](Self::settle_within) sets how long it goes on.
///
/// # Cancel safety
///
/// No transition is cancel safe. Dropping its future, as a timeout around it does, loses the handle and leaves open whether the
/// write was applied. The remedy is to observe again, with a client that was kept: an `Arc`, or a reference.
pub struct Integration<S: State, C> {
    state: S,
    base: Base<C>,
}

/// What every handle has, whatever its state.
pub(crate) struct Base<C> {
    client: C,
    patience: Duration,
    journal: Journal,
}

impl<S: State, C> Integration<S, C> {
    pub(crate) fn in_state(state: S, base: Base<C>) -> Self {
        Self { state, base }
    }

    /// How long a transition waits for AWS to show its effect, and a refusal that is only late to pass. One minute at first.
    ///
    /// One patience for all the waiting of a transition. It is no limit on single calls: those belong to the client.
    #[must_use]
    pub fn settle_within(mut self, patience: Duration) -> Self {
        self.base.patience = patience;
        self
    }

    /// What the transitions that led to this handle changed, and may have changed, in order.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        self.base.journal.changes()
    }

    /// The client behind the handle.
    #[must_use]
    pub fn client(&self) -> &C {
        &self.base.client
    }

    /// The name of the state, such as `TrustedAccess`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        <S as sealed::Sealed>::NAME
    }

    /// Gives the client back and forgets the state.
    #[must_use]
    pub fn into_client(self) -> C {
        self.base.client
    }

    fn become_unobserved(self) -> Integration<Unobserved, C> {
        Integration::in_state(Unobserved::new(), self.base)
    }
}

impl<S: ObservedState, C> Integration<S, C> {
    /// The organization.
    #[must_use]
    pub fn organization(&self) -> &Organization {
        &self.state.known().organization
    }

    /// The account that the client speaks for; `None` when the client cannot tell.
    #[must_use]
    pub fn caller(&self) -> Option<AccountId> {
        self.state.known().caller
    }

    /// Forgets the state but not the changes, to ask AWS again.
    #[must_use]
    pub fn forget(self) -> Integration<Unobserved, C> {
        self.become_unobserved()
    }

    pub(crate) fn known(&self) -> &Known {
        self.state.known()
    }

    pub(crate) fn facts(&self) -> Facts {
        self.state.facts()
    }

    pub(crate) fn own(&self) -> Own<'_> {
        self.base.journal.own()
    }

    pub(crate) fn patience_and_journal(&mut self) -> (Duration, &mut Journal) {
        (self.base.patience, &mut self.base.journal)
    }

    /// What an operation needs of the handle.
    pub(crate) fn ground(&mut self) -> Ground<'_, C> {
        Ground {
            client: &self.base.client,
            known: self.state.known(),
            patience: self.base.patience.into(),
            journal: &mut self.base.journal,
        }
    }

    /// The handle for what a read shows.
    pub(crate) fn moved_to(self, facts: Facts) -> Observed<C> {
        let Self { state, mut base } = self;
        base.journal.mark_observed();
        Observed::classify(state.into_known(), facts, base)
    }

    /// The handle for what an operation led to: one of our own changes, which later reads may yet deny.
    pub(crate) fn led_to(self, facts: Facts) -> Observed<C> {
        Observed::classify(self.state.into_known(), facts, self.base)
    }

    /// The end of a transition that leads to one state. `write` and `about` say which it was.
    pub(crate) fn conclude<T: State>(
        self,
        write: Operation,
        about: Option<AccountId>,
        outcome: Result<Done, Setback>,
        expected: impl FnOnce(Observed<C>) -> Result<Integration<T, C>, Box<Observed<C>>>,
    ) -> Transition<S, T, C> {
        let applied = match &outcome {
            Ok(Done { ours: Some(Certainty::Did), .. }) => Applied::Yes,
            Ok(Done { ours: Some(Certainty::Maybe), .. }) => Applied::Unknown,
            _ => Applied::No,
        };
        let observed = self.conclude_any(outcome)?;
        expected(observed).map_err(|other| {
            let others = other.administrators().into_iter().map(|found| found.account);
            let holders: Vec<_> = others.filter(|account| Some(*account) != about).collect();
            // Trust alone is nobody's to hold.
            let kind = if holders.is_empty() || write == Operation::EnableAwsServiceAccess {
                ErrorKind::StateMoved
            } else {
                ErrorKind::OtherAdministrator { holders }
            };
            let error = Error::of(kind).at(write).called_in(other.known()).in_situation(&other.facts());
            let error = error.applied_is(applied);
            let error = match about {
                Some(account) => error.about(account),
                None => error,
            };
            Failure::new(error, Recovered::Moved(*other))
        })
    }

    /// The end of a transition that may lead to several.
    pub(crate) fn conclude_any(self, outcome: Result<Done, Setback>) -> Result<Observed<C>, Failure<Self>> {
        match outcome {
            Ok(done) => Ok(self.led_to(done.facts)),
            Err(setback) => Err(self.fail(setback)),
        }
    }

    /// The end of a transition that came to nothing, or to something else.
    pub(crate) fn fail(self, setback: Setback) -> Failure<Self> {
        match setback {
            Setback::Unchanged(error) => Failure::new(error, Recovered::Unchanged(self)),
            Setback::Moved(error, facts) => Failure::new(error, Recovered::Moved(self.moved_to(facts))),
            Setback::Unknown(error) => Failure::new(error, Recovered::Unknown(self.become_unobserved())),
        }
    }
}

impl<S: State, C> failure::sealed::Handle for Integration<S, C> {}
impl<S: State, C> Handle for Integration<S, C> {
    type Client = C;
}

/// The state in a line, as a person would say it.
impl<S: ObservedState + fmt::Display, C> fmt::Display for Integration<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.state)
    }
}

/// Names the state and what it holds; the client need not be `Debug`.
impl<S: State, C> fmt::Debug for Integration<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Integration<{}, _>", self.name())?;
        f.debug_struct("").field("state", &self.state).field("changes", &self.changes()).finish_non_exhaustive()
    }
}
