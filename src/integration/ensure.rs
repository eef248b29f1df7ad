//! Convergence to an end state from any starting state.

use futures_util::future::join;
use tracing::Instrument;

use super::Integration;
use super::failure::{Recovered, TransitionError};
use super::handle::HandleContext;
use super::observed::Observed;
use super::state::{Delegated, Disabled, ObservedState, TrustedAccess, Unobserved};
use crate::domain::{Account, AccountId, Operation};
use crate::error::{Error, ErrorKind};
use crate::operations::sync_guard::{AffectedAccounts, SyncGuard, SyncProtection, SyncReads};
use crate::operations::{self, Currency, IdentityCheck, OperationContext, OperationFailure, StatusField};
use crate::ports::{OrganizationsApi, StsApi};
use crate::trace::span;

/// Convergence from an unknown state.
impl<C: OrganizationsApi + StsApi> Integration<Unobserved, C> {
    /// Observes, then ensures that this account administers Systems Manager in the organization.
    ///
    /// The result is that of [`observe`](Self::observe) and [`Observed::ensure_delegated`]. The
    /// account is checked concurrently with the observation, which saves a round trip. A caller
    /// without permission for `DescribeAccount` can still confirm an account that is registered
    /// already.
    ///
    /// # Expected flow
    ///
    /// Concurrently the reads of [`observe`](Self::observe) and `DescribeAccount`. Then, where
    /// needed, `EnableAWSServiceAccess` and `ListAWSServiceAccessForOrganization`, and
    /// `RegisterDelegatedAdministrator` and `ListDelegatedAdministrators`.
    ///
    /// # Errors
    ///
    /// Those of the two methods. The failure [`recover`](TransitionError::recover)s into
    /// `Unchanged` if the state could not be observed, and into `Changed` with the observed state
    /// if a later step failed.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # IAM permissions
    ///
    /// Those of the two methods. AWS: [Configuring a delegated
    /// administrator](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator.html).
    ///
    /// # Example
    ///
    /// ```
    /// use ssm_organizations::{AccountId, Integration, sim};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), ssm_organizations::Error> {
    /// let account: AccountId = "222222222222".parse()?;
    /// let organization = sim::SimOrganization::builder().member(account).build();
    ///
    /// let handle = Integration::new(organization.management_client());
    /// let delegated = handle.ensure_delegated(account).await?;
    /// assert_eq!(delegated.administrator().account, account);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ensure_delegated(
        self,
        account: AccountId,
    ) -> Result<Integration<Delegated, C>, TransitionError<Self>> {
        let (observed, described) = self.observe_describing(Some(account)).await?;
        observed.ensure_described_delegated(account, described).await.map_err(|failure| {
            let (error, recovered) = failure.into_parts();
            let recovered = match recovered {
                Recovered::Unchanged(observed) | Recovered::Changed(observed) => Recovered::Changed(observed),
                Recovered::Unknown(handle) => Recovered::Unknown(handle),
            };
            TransitionError::new(error, recovered)
        })
    }
}

impl<C: OrganizationsApi> Observed<C> {
    /// Ensures that this account administers Systems Manager in the organization, from any starting
    /// state.
    ///
    /// Enables trusted access and registers the account where needed, and writes nothing otherwise.
    /// If someone else makes these changes in the meantime, the call succeeds. The account is
    /// checked before the first write, so an unsuitable account leaves the organization unchanged.
    /// The method removes nothing: if another account is registered, the method reads again and
    /// returns an error that names that account. If the state is inconsistent because the account
    /// is the only administrator and trusted access is disabled, the method enables trusted access.
    ///
    /// # Errors
    ///
    /// Those of [`enable_trusted_access`](Integration::enable_trusted_access) and
    /// [`register_delegated_administrator`](Integration::register_delegated_administrator). The
    /// failure [`recover`](TransitionError::recover)s into `Changed` if the first step succeeded
    /// and the second did not.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # IAM permissions
    ///
    /// Those of the two transitions. AWS: [Configuring a delegated
    /// administrator](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator.html).
    ///
    /// # Example
    ///
    /// ```
    /// use ssm_organizations::{AccountId, Integration, sim};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), ssm_organizations::Error> {
    /// let account: AccountId = "222222222222".parse()?;
    /// let organization = sim::SimOrganization::builder().member(account).build();
    ///
    /// let observed = Integration::new(organization.management_client()).observe().await?;
    /// let delegated = observed.ensure_delegated(account).await?;
    /// assert_eq!(delegated.administrator().account, account);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ensure_delegated(
        self,
        account: AccountId,
    ) -> Result<Integration<Delegated, C>, TransitionError<Self>> {
        self.ensure_described_delegated(account, None).await
    }

    /// Ensures the delegation. `described` is a response to `DescribeAccount`, if there is one.
    async fn ensure_described_delegated(
        self,
        account: AccountId,
        described: Option<Result<Account, Error>>,
    ) -> Result<Integration<Delegated, C>, TransitionError<Self>> {
        let span = span!("ensure_delegated" in self.call_context(), account: Some(account));
        let failure = match self.converge_to_delegated(account, described).instrument(span).await {
            Ok(delegated) => return Ok(delegated),
            Err(failure) => failure,
        };
        // Someone else may have made the change: the target state is reached.
        match failure.into_parts() {
            (_, Recovered::Changed(Self::Delegated(handle))) if handle.administrator().account == account => Ok(handle),
            (error, recovered) => Err(TransitionError::new(error, recovered)),
        }
    }

    async fn converge_to_delegated(
        self,
        account: AccountId,
        described: Option<Result<Account, Error>>,
    ) -> Result<Integration<Delegated, C>, TransitionError<Self>> {
        match self {
            Self::Delegated(handle) if handle.administrator().account == account => Ok(handle),
            Self::Delegated(handle) => Err(refuse_already_delegated(handle, account).await),
            Self::TrustedAccess(handle) => {
                let handle = check_candidate(handle, account, described).await?;
                handle.register_prechecked(account).await.map_err(TransitionError::into_first_step)
            }
            Self::Disabled(handle) => {
                let handle = check_candidate(handle, account, described).await?;
                let trusted = handle.enable_trusted_access().await.map_err(TransitionError::into_first_step)?;
                trusted.register_prechecked(account).await.map_err(TransitionError::into_later_step)
            }
            Self::Inconsistent(handle) => {
                let only_this_one = handle.administrators().iter().all(|found| found.account == account);
                if handle.enabled_service().is_some() || !only_this_one {
                    return Err(refuse_already_delegated(handle, account).await);
                }
                let handle = check_candidate(handle, account, described).await?;
                // This is the intended change, unless someone else made another change at the same
                // time.
                match handle.restore_trusted_access().await.map_err(TransitionError::into_first_step)? {
                    Self::Delegated(handle) => {
                        Err(changed(reread_other_field(handle, StatusField::Administrators).await?))
                    }
                    other => Err(changed(other)),
                }
            }
        }
    }

    /// Ensures that trusted access is disabled and that no delegated administrator is registered,
    /// from any starting state.
    ///
    /// Deregisters and disables where needed, in the order that AWS requires, and writes nothing
    /// otherwise. Under [`SyncProtection::Protect`] the first step checks all syncs that any step
    /// affects. The check needs a client of the management account and, if an administrator is
    /// registered, a client of that account.
    ///
    /// # Errors
    ///
    /// Those of [`deregister`](Integration::deregister) and [`disable`](Integration::disable). The
    /// failure [`recover`](TransitionError::recover)s into `Changed` if an earlier step succeeded
    /// and a later one did not.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # IAM permissions
    ///
    /// Those of the two transitions. AWS: [Deregister an Explorer delegated
    /// administrator](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator-deregister.html).
    pub async fn ensure_disabled(
        self,
        syncs: SyncProtection<'_>,
    ) -> Result<Integration<Disabled, C>, TransitionError<Self>> {
        let span = span!("ensure_disabled" in self.call_context());
        let failure = match self.converge_to_disabled(syncs).instrument(span).await {
            Ok(disabled) => return Ok(disabled),
            Err(failure) => failure,
        };
        match failure.into_parts() {
            (_, Recovered::Changed(Self::Disabled(handle))) => Ok(handle),
            (error, recovered) => Err(TransitionError::new(error, recovered)),
        }
    }

    async fn converge_to_disabled(
        self,
        syncs: SyncProtection<'_>,
    ) -> Result<Integration<Disabled, C>, TransitionError<Self>> {
        let affected = self.affected_by_disabling();
        let reads = SyncReads::of(syncs);
        let guard = SyncGuard::by_caller(syncs, &reads);
        match self {
            Self::Disabled(handle) => Ok(handle),
            Self::TrustedAccess(handle) => {
                let currency = handle.currency();
                handle.disable_guarded(guard, currency).await.map_err(TransitionError::into_first_step)
            }
            Self::Delegated(handle) => {
                let deregistered = deregister_before_disabling(handle, guard, &affected).await;
                let (trusted, currency) = deregistered.map_err(TransitionError::into_first_step)?;
                trusted.disable_guarded(guard, currency).await.map_err(TransitionError::into_later_step)
            }
            Self::Inconsistent(handle) => {
                let accounts = handle.status().accounts();
                let mut removed = handle
                    .deregister_accounts(&accounts, syncs, &affected)
                    .await
                    .map_err(TransitionError::into_first_step)?;
                if let Self::Disabled(handle) = removed {
                    removed = reread_other_field(handle, StatusField::TrustedAccess).await?;
                }
                match removed {
                    Self::Disabled(handle) => Ok(handle),
                    Self::TrustedAccess(handle) => {
                        handle.disable(syncs).await.map_err(TransitionError::into_later_step)
                    }
                    other => Err(changed(other)),
                }
            }
        }
    }

    /// Returns the affected accounts: every administrator and, if trusted access is enabled and
    /// will be disabled, all accounts.
    fn affected_by_disabling(&self) -> AffectedAccounts {
        let facts = self.status();
        let trusted = facts.trusted_access.is_some();
        let mut known = facts.accounts();
        if trusted {
            known.push(self.organization().management_account);
        }
        AffectedAccounts { include_others: trusted, ..AffectedAccounts::organization_syncs_of(known) }
    }
}

/// Deregisters the administrator. The reads that guard the disabling of trusted access are made
/// concurrently with the read that confirms the deregistration.
async fn deregister_before_disabling<C: OrganizationsApi>(
    mut handle: Integration<Delegated, C>,
    guard: SyncGuard<'_>,
    affected: &AffectedAccounts,
) -> Result<(Integration<TrustedAccess, C>, Currency), TransitionError<Integration<Delegated, C>>> {
    let (before, known, first) = (handle.status(), handle.call_context().clone(), handle.currency());
    let account = handle.administrator().account;
    let HandleContext { client, wait_policy, change_log, recorder: reports } = &handle.base;
    let wait_policy = wait_policy.with_notifier(reports);
    let (recorder, accepted) = change_log.recorder.with_receiver();
    let mut log = change_log.branch(recorder);
    let (known, before) = (&known, &before);
    let deregister = async move {
        let mut context = OperationContext::new(client, known, wait_policy, &mut log);
        let identity = IdentityCheck::Any;
        let outcome = operations::deregister(&mut context, before, account, guard, affected, identity, first).await;
        // Without the branch's recorder, no write is awaited any longer.
        (outcome, log.branch(change_log.recorder.clone()))
    };
    let read_ahead = async {
        let accepted_at = accepted.await.ok()?;
        let mut log = change_log.clone();
        let mut now = before.clone();
        let all = AffectedAccounts::by_disabling_trusted_access(known.organization.management_account);
        let context = OperationContext::new(client, known, wait_policy, &mut log);
        let trusted_access = context.refresh_field(&mut now, StatusField::TrustedAccess);
        let syncs = guard.reads.read_ahead(guard.regions, &all, Some(accepted_at), wait_policy, |_, _| false);
        // A read that fails is made again by the guard.
        let (read, ()) = join(trusted_access, syncs).await;
        read.ok().map(|()| (now.trusted_access, accepted_at))
    };
    let ((mut outcome, log), ahead) = join(deregister, read_ahead).await;
    handle.base.change_log = log;
    let mut currency = Currency::Unknown;
    if let (Ok(done), Some((trusted_access, accepted_at))) = (&mut outcome, ahead) {
        if trusted_access.is_some() {
            done.status.trusted_access = trusted_access;
            currency = Currency::Current(Some(accepted_at));
        // Another caller disabled trusted access. The deregistration may have been confirmed later,
        // and trusted access may be enabled again.
        } else if let Err(error) = handle.context().refresh_field(&mut done.status, StatusField::TrustedAccess).await {
            outcome = Err(OperationFailure::Unknown(error));
        }
    }
    let operation = Operation::DeregisterDelegatedAdministrator;
    let trusted = handle.finish(operation, Some(account), outcome, |observed| match observed {
        Observed::TrustedAccess(handle) => Ok(handle),
        other => Err(Box::new(other)),
    })?;
    Ok((trusted, currency))
}

/// Returns the handle if the account can be registered.
async fn check_candidate<S: ObservedState, C: OrganizationsApi>(
    mut handle: Integration<S, C>,
    account: AccountId,
    described: Option<Result<Account, Error>>,
) -> Result<Integration<S, C>, TransitionError<Observed<C>>>
where
    Observed<C>: From<Integration<S, C>>,
{
    let context = handle.context();
    let checked = match described {
        Some(described) => operations::check_described_candidate(&context, account, described).await,
        None => operations::check_candidate(&context, account).await,
    };
    match checked {
        Ok(()) => Ok(handle),
        Err(error) => Err(TransitionError::new(error, Recovered::Unchanged(handle.into()))),
    }
}

/// Returns the error for an organization in which other accounts are registered.
async fn refuse_already_delegated<S: ObservedState, C: OrganizationsApi>(
    mut handle: Integration<S, C>,
    account: AccountId,
) -> TransitionError<Observed<C>>
where
    Observed<C>: From<Integration<S, C>>,
{
    let before = handle.status();
    let operation = Operation::RegisterDelegatedAdministrator;
    let why = |now: &_| operations::already_delegated(now, account);
    let failure = operations::refuse_after_reread(&handle.context(), &before, operation, account, why).await;
    handle.into_failure(failure).into_first_step()
}

/// Reads the status field that the last step did not read.
///
/// The two fields come from two reads. If others are changing the organization, the fields may show
/// different moments and only appear inconsistent.
async fn reread_other_field<S: ObservedState, C: OrganizationsApi>(
    mut handle: Integration<S, C>,
    field: StatusField,
) -> Result<Observed<C>, TransitionError<Observed<C>>> {
    let mut facts = handle.status();
    match handle.context().refresh_field(&mut facts, field).await {
        Ok(()) => Ok(handle.after_own_change(facts)),
        Err(error) => Err(TransitionError::new(error, Recovered::Unknown(handle.into_unobserved()))),
    }
}

fn changed<C>(other: Observed<C>) -> TransitionError<Observed<C>> {
    let error = Error::new(ErrorKind::StateChanged).with_context(other.call_context()).with_status(&other.status());
    TransitionError::new(error, Recovered::Changed(other))
}

impl<S: ObservedState, C> TransitionError<Integration<S, C>>
where
    Observed<C>: From<Integration<S, C>>,
{
    /// Converts the failure of the first step: an unchanged state for the step is an unchanged
    /// state for the sequence.
    fn into_first_step(self) -> TransitionError<Observed<C>> {
        self.map_handle(|handle| Recovered::Unchanged(handle.into()))
    }

    /// Converts the failure of a later step: the earlier steps have changed the state.
    fn into_later_step(self) -> TransitionError<Observed<C>> {
        self.map_handle(|handle| Recovered::Changed(handle.into()))
    }

    fn map_handle(
        self,
        unchanged: impl FnOnce(Integration<S, C>) -> Recovered<Observed<C>>,
    ) -> TransitionError<Observed<C>> {
        let (error, recovered) = self.into_parts();
        let recovered = match recovered {
            Recovered::Unchanged(handle) => unchanged(handle),
            Recovered::Changed(observed) => Recovered::Changed(observed),
            Recovered::Unknown(handle) => Recovered::Unknown(handle),
        };
        TransitionError::new(error, recovered)
    }
}
