//! Handles of the typestate API: each state has its own type with the transitions that AWS allows
//! in that state.

use std::fmt;
use std::time::Duration;

use super::failure::{self, Handle, Recovered, TransitionError};
use super::observed::Observed;
use super::state::{ObservedState, State, Unobserved, sealed};
use crate::domain::{AccountId, CallContext, Certainty, Change, Operation, Organization, ServiceStatus};
use crate::error::{Error, ErrorKind, WriteStatus};
use crate::observation::{RetryingClient, retrying};
use crate::operations::{ChangeLog, Completed, Currency, LocalChanges, OperationContext, OperationFailure};
use crate::trace::ChangeRecorder;
use crate::wait::{WaitNotifier, WaitPolicy};

/// Result of a transition from `From` to `To`.
pub type Transition<From, To, C> = Result<Integration<To, C>, TransitionError<Integration<From, C>>>;

/// Systems Manager's integration with an organization, in state `S`, as `C` sees it.
///
/// ```text
/// Disabled       ──enable_trusted_access─────────────▶  TrustedAccess
/// TrustedAccess  ──register_delegated_administrator──▶  Delegated
/// Delegated      ──deregister────────────────────────▶  TrustedAccess
/// TrustedAccess  ──disable───────────────────────────▶  Disabled
/// ```
///
/// A new handle is [`Unobserved`], and its only transition is [`observe`](Integration::observe). A
/// transition consumes the handle. It returns a handle of the new state, or a [`TransitionError`]
/// with the state known instead. Callers cannot create, copy or keep a handle of a state:
/// `Integration<S, C>` is not `Clone`, and only responses from AWS lead to a state.
///
/// `C` is any implementation of the [ports](crate::ports): a client by value, `&client`, or
/// `Arc<dyn Client>`.
///
/// # Time
///
/// A transition ends when a read shows its effect. The pauses between reads start at one second and
/// grow to eight. They use tokio's timer, so a runtime with time enabled must be running.
/// [`with_wait_timeout`](Self::with_wait_timeout) limits each wait, and
/// [`with_deadline`](Self::with_deadline) limits the total time.
///
/// # Cancel safety
///
/// No transition is cancel safe. Dropping its future, as a surrounding timeout does, loses the
/// handle, and the write may or may not have been applied. [`with_deadline`](Self::with_deadline)
/// limits a transition without losing the handle. To continue after a dropped future, keep a client
/// (an `Arc` or a reference) and observe again. A [`ChangeRecorder`]
/// keeps the record of the write.
pub struct Integration<S: State, C> {
    pub(super) state: S,
    pub(super) base: HandleContext<C>,
}

/// Data that every handle holds, in every state.
pub(crate) struct HandleContext<C> {
    pub(super) client: C,
    pub(super) wait_policy: WaitPolicy<'static>,
    pub(super) change_log: ChangeLog,
    /// Recorder of the change log, which reports waits while the log is borrowed.
    pub(super) recorder: ChangeRecorder,
}

impl<C> HandleContext<C> {
    /// Returns the client for reads outside an operation.
    pub(super) fn retrying_client(&self) -> RetryingClient<'_, C> {
        retrying(&self.client, self.wait_policy)
    }
}

impl<S: State, C> Integration<S, C> {
    pub(crate) fn in_state(state: S, base: HandleContext<C>) -> Self {
        Self { state, base }
    }

    /// Sets how long a transition waits for AWS to show its effect, for stale refusals to pass and
    /// for throttling to end.
    ///
    /// The defaults are those of AWS's own tools: two minutes for the deletion of a data sync,
    /// three minutes until Systems Manager accepts what a change in Organizations allows, such as a
    /// sync after trusted access was enabled, and otherwise one minute. The timeout replaces all of
    /// them.
    ///
    /// Each of these waits has this limit of its own. A throttled call is repeated until the limit,
    /// and a listing goes on from the current page. The timeout does not limit single calls, which
    /// the client's own timeouts and [`with_deadline`](Self::with_deadline) limit.
    #[must_use]
    pub fn with_wait_timeout(mut self, timeout: Duration) -> Self {
        self.base.wait_policy = self.base.wait_policy.with_limit(timeout);
        self
    }

    /// Sets the deadline of this handle and of the handles that its transitions return: this time
    /// from now, on tokio's clock. Another call replaces the deadline, and `Duration::MAX` removes
    /// it.
    ///
    /// At the deadline, calls and waits end, and a transition fails with
    /// [`DeadlineExceeded`](ErrorKind::DeadlineExceeded). In contrast to a timeout around the
    /// future, the handle is not lost: if a write was cut off, the failure
    /// [`recover`](TransitionError::recover)s into [`Unknown`](Recovered::Unknown), and the
    /// [`changes`](Self::changes) contain the write as unconfirmed. The recovered handle keeps the
    /// deadline, so set a new one to continue.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use ssm_organizations::{AccountId, ErrorKind, Integration, sim};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), ssm_organizations::Error> {
    /// # tokio::time::pause();
    /// let account: AccountId = "222222222222".parse()?;
    /// // A simulated organization that takes 20 seconds for each call.
    /// let organization = sim::SimOrganization::builder().member(account);
    /// let organization = organization.latency(Duration::from_secs(20)).build();
    ///
    /// let handle = Integration::new(organization.management_client());
    /// let observed = handle.with_deadline(Duration::from_secs(30)).observe().await?;
    /// let failure = observed.ensure_delegated(account).await.unwrap_err();
    /// assert_eq!(*failure.error().kind(), ErrorKind::DeadlineExceeded);
    ///
    /// let handle = failure.recover().into_unobserved().with_deadline(Duration::from_secs(300));
    /// handle.observe().await?.ensure_delegated(account).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_deadline(mut self, within: Duration) -> Self {
        self.base.wait_policy = self.base.wait_policy.with_deadline(within);
        self
    }

    /// Sets the recorder of the writes that this handle and its successors send, and of the waits
    /// for them. The recorder's callback shows the progress of a transition.
    #[must_use]
    pub fn with_recorder(mut self, recorder: ChangeRecorder) -> Self {
        self.base.change_log.recorder = recorder.clone();
        self.base.recorder = recorder;
        self
    }

    /// Returns the confirmed and unconfirmed changes of the transitions that led to this handle, in
    /// order.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        self.base.change_log.changes()
    }

    /// Inserts earlier changes before the [`changes`](Self::changes) of this handle, such as those
    /// of a transition that failed before this handle was created.
    ///
    /// ```
    /// use ssm_organizations::{AccountId, Integration, sim};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), ssm_organizations::Error> {
    /// # let account: AccountId = "222222222222".parse()?;
    /// # let organization = sim::SimOrganization::builder().member(account).build();
    /// # let client = organization.management_client();
    /// # let register = "organizations:RegisterDelegatedAdministrator";
    /// # let denied = client.clone().without_permission(register);
    /// let observed = Integration::new(denied).observe().await?;
    /// let Err(failure) = observed.ensure_delegated(account).await else { return Ok(()) };
    ///
    /// let earlier = failure.changes().to_vec();
    /// let observed = Integration::new(client).with_earlier_changes(earlier).observe().await?;
    /// let delegated = observed.ensure_delegated(account).await?;
    /// assert_eq!(delegated.changes().len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_earlier_changes(mut self, earlier: impl IntoIterator<Item = Change>) -> Self {
        self.base.change_log.prepend(earlier);
        self
    }

    /// Returns the client inside the handle.
    #[must_use]
    pub fn client(&self) -> &C {
        &self.base.client
    }

    /// Returns the name of the state, such as `TrustedAccess`.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        <S as sealed::Sealed>::NAME
    }

    /// Returns the client and discards the state.
    #[must_use]
    pub fn into_client(self) -> C {
        self.base.client
    }

    fn without_state(self) -> Integration<Unobserved, C> {
        Integration::in_state(Unobserved::new(), self.base)
    }
}

impl<S: ObservedState, C> Integration<S, C> {
    /// Returns the organization.
    #[must_use]
    pub fn organization(&self) -> &Organization {
        &self.state.known().organization
    }

    /// Returns the account of the client's credentials, or `None` if the client cannot identify the
    /// account.
    #[must_use]
    pub fn caller(&self) -> Option<AccountId> {
        self.state.known().caller
    }

    /// Discards the state but keeps the changes, so that the organization can be observed again.
    #[must_use]
    pub fn into_unobserved(self) -> Integration<Unobserved, C> {
        self.without_state()
    }

    pub(crate) fn call_context(&self) -> &CallContext {
        self.state.known()
    }

    pub(crate) fn status(&self) -> ServiceStatus {
        self.state.facts()
    }

    pub(crate) fn local_changes(&self) -> LocalChanges<'_> {
        self.base.change_log.local_changes()
    }

    pub(crate) fn client_policy_and_log(&mut self) -> (&C, WaitPolicy<'_>, &mut ChangeLog) {
        let HandleContext { client, wait_policy, change_log, recorder } = &mut self.base;
        (client, wait_policy.with_notifier(recorder), change_log)
    }

    /// Returns whether the state is current.
    pub(crate) fn currency(&self) -> Currency {
        if self.base.change_log.is_current() { Currency::Current(None) } else { Currency::Unknown }
    }

    /// Returns the context that an operation needs.
    pub(crate) fn context(&mut self) -> OperationContext<'_, C> {
        let HandleContext { client, wait_policy, change_log, recorder } = &mut self.base;
        OperationContext::new(client, self.state.known(), wait_policy.with_notifier(recorder), change_log)
    }

    /// Returns the handle for the status that a read shows.
    pub(crate) fn after_read(self, facts: ServiceStatus) -> Observed<C> {
        let Self { state, mut base } = self;
        base.change_log.mark_observed();
        Observed::classify(state.into_known(), facts, base)
    }

    /// Returns the handle for the result of an own change, which later stale reads may contradict.
    pub(crate) fn after_own_change(self, facts: ServiceStatus) -> Observed<C> {
        Observed::classify(self.state.into_known(), facts, self.base)
    }

    /// Completes a transition that leads to one state. `write` and `about` identify the transition.
    pub(crate) fn finish<T: State>(
        self,
        write: Operation,
        about: Option<AccountId>,
        outcome: Result<Completed, OperationFailure>,
        expected: impl FnOnce(Observed<C>) -> Result<Integration<T, C>, Box<Observed<C>>>,
    ) -> Transition<S, T, C> {
        let applied = match &outcome {
            Ok(Completed { ours: Some(Certainty::Confirmed), .. }) => WriteStatus::Applied,
            Ok(Completed { ours: Some(Certainty::Unconfirmed), .. }) => WriteStatus::Unknown,
            _ => WriteStatus::NotApplied,
        };
        let observed = self.finish_any(outcome)?;
        expected(observed).map_err(|other| {
            let others = other.administrators().into_iter().map(|found| found.account);
            let holders: Vec<_> = others.filter(|account| Some(*account) != about).collect();
            // Enabling trusted access does not conflict with another administrator.
            let kind = if holders.is_empty() || write == Operation::EnableAwsServiceAccess {
                ErrorKind::StateChanged
            } else {
                ErrorKind::AlreadyDelegated { accounts: holders }
            };
            let error =
                Error::new(kind).with_operation(write).with_context(other.call_context()).with_status(&other.status());
            let error = error.with_write_status(applied);
            let error = match about {
                Some(account) => error.with_account(account),
                None => error,
            };
            TransitionError::new(error, Recovered::Changed(*other))
        })
    }

    /// Completes a transition that may lead to several states.
    pub(crate) fn finish_any(
        self,
        outcome: Result<Completed, OperationFailure>,
    ) -> Result<Observed<C>, TransitionError<Self>> {
        match outcome {
            Ok(done) => Ok(self.after_own_change(done.status)),
            Err(failure) => Err(self.into_failure(failure)),
        }
    }

    /// Completes a transition that failed or led to another state.
    pub(crate) fn into_failure(self, failure: OperationFailure) -> TransitionError<Self> {
        match failure {
            OperationFailure::Unchanged(error) => TransitionError::new(error, Recovered::Unchanged(self)),
            OperationFailure::Changed(error, facts) => {
                TransitionError::new(error, Recovered::Changed(self.after_read(facts)))
            }
            OperationFailure::Unknown(error) => TransitionError::new(error, Recovered::Unknown(self.without_state())),
        }
    }
}

impl WaitNotifier for ChangeRecorder {
    fn notify(&self) {
        self.report_wait();
    }
}

impl<S: State, C> failure::sealed::Handle for Integration<S, C> {
    type Inside = C;

    fn changes(&self) -> &[Change] {
        self.changes()
    }

    fn client(&self) -> &C {
        self.client()
    }

    fn into_client(self) -> C {
        self.into_client()
    }

    fn into_unobserved(self) -> Integration<Unobserved, C> {
        self.without_state()
    }
}

impl<S: State, C> Handle for Integration<S, C> {
    type Client = C;
}

/// Describes the state in one line.
impl<S: ObservedState + fmt::Display, C> fmt::Display for Integration<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.state_name(), self.state)
    }
}

/// Prints the state and its data; the client need not be `Debug`.
impl<S: State, C> fmt::Debug for Integration<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Integration<{}, _>", self.state_name())?;
        f.debug_struct("").field("state", &self.state).field("changes", &self.changes()).finish_non_exhaustive()
    }
}
