//! Checks before a write.

use futures_util::future::join;
use tracing::Instrument;

use super::execute::{Currency, DestructiveWrite, IdentityCheck};
use super::{OperationContext, OperationFailure};
use crate::domain::{
    Account, AccountId, AccountState, CallContext, FeatureSet, Operation, ServiceStatus, SyncCheckReport, same_date,
};
use crate::error::{Error, ErrorKind, RetryStatus};
use crate::observation;
use crate::ports::OrganizationsApi;
use crate::trace::Moment;
use crate::trace::span;
use crate::wait::Backoff;

/// Refuses an account that AWS would not accept as the administrator.
///
/// Makes one call, regardless of the organization's size. If AWS does not show the account's state,
/// the decision is left to AWS.
pub(crate) async fn check_candidate<C: OrganizationsApi + ?Sized>(
    context: &OperationContext<'_, C>,
    account: AccountId,
) -> Result<(), Error> {
    context.check_registration().await?;
    let span = span!("check_candidate" in context.known, account: Some(account));
    let blocker = context.registration_blocker(account).instrument(span).await;
    context.refuse_candidate(account, blocker)
}

/// Refuses as [`check_candidate`] does. `described` is a response to `DescribeAccount`.
pub(crate) async fn check_described_candidate<C: OrganizationsApi + ?Sized>(
    context: &OperationContext<'_, C>,
    account: AccountId,
    described: Result<Account, Error>,
) -> Result<(), Error> {
    context.check_registration().await?;
    context.refuse_candidate(account, context.blocker_in(account, described))
}

/// Returns the error kind for an account that is not active. AWS may show no state.
pub(crate) fn inactive(account: &Account) -> Option<ErrorKind> {
    let state = account.state.as_ref().filter(|state| **state != AccountState::Active)?;
    Some(ErrorKind::AccountNotActive { state: state.clone() })
}

/// Reads again, then returns the refusal. If the read shows another state, the failure contains
/// that state.
pub(crate) async fn refuse_after_reread<C: OrganizationsApi + ?Sized>(
    context: &OperationContext<'_, C>,
    before: &ServiceStatus,
    operation: Operation,
    account: AccountId,
    why: impl FnOnce(&ServiceStatus) -> ErrorKind,
) -> OperationFailure {
    match context.read(&before.principal, &mut Backoff::new(context.wait_policy)).await {
        Err(error) => OperationFailure::Unchanged(error),
        Ok(now) => {
            let error = context.error(why(&now), operation).with_account(account).with_status(&now);
            if now.has_same_state_as(before) {
                OperationFailure::Unchanged(error)
            } else {
                OperationFailure::Changed(error, now)
            }
        }
    }
}

/// Returns the error kind for an account that cannot become the administrator because other
/// accounts are registered.
pub(crate) fn already_delegated(now: &ServiceStatus, account: AccountId) -> ErrorKind {
    let holders: Vec<_> = now.accounts().into_iter().filter(|holder| *holder != account).collect();
    if holders.is_empty() { ErrorKind::StateChanged } else { ErrorKind::AlreadyDelegated { accounts: holders } }
}

impl<C: OrganizationsApi + ?Sized> OperationContext<'_, C> {
    fn error(&self, kind: ErrorKind, operation: Operation) -> Error {
        Error::new(kind).with_operation(operation).with_context(self.known)
    }

    /// Refuses a caller, or an organization, for which AWS registers no administrator.
    async fn check_registration(&self) -> Result<(), Error> {
        let operation = Operation::RegisterDelegatedAdministrator;
        self.check_caller(operation)?;
        self.check_features(operation).await
    }

    fn refuse_candidate(&self, account: AccountId, blocker: Result<Option<ErrorKind>, Error>) -> Result<(), Error> {
        match blocker? {
            None => Ok(()),
            Some(kind) => Err(self.error(kind, Operation::RegisterDelegatedAdministrator).with_account(account)),
        }
    }

    /// Returns the reason why an account cannot become the administrator, if there is one.
    ///
    /// An unknown account is an error, with AWS's response.
    pub(super) async fn registration_blocker(&self, account: AccountId) -> Result<Option<ErrorKind>, Error> {
        if account == self.known.organization.management_account {
            return Ok(Some(ErrorKind::IsManagementAccount));
        }
        self.blocker_in(account, self.client.describe_account(account).await)
    }

    /// Returns the reason in AWS's description of the account.
    fn blocker_in(&self, account: AccountId, described: Result<Account, Error>) -> Result<Option<ErrorKind>, Error> {
        match described {
            Ok(found) => Ok(inactive(&found)),
            Err(error) => {
                let error = error.with_account(account).with_context(self.known);
                // AWS also returns this code for a caller outside every organization, which the
                // observation has excluded.
                let unknown = error.code() == Some("AccountNotFoundException");
                Err(if unknown { error.with_confirmed_kind(ErrorKind::AccountNotFound) } else { error })
            }
        }
    }

    /// Refuses a caller that is known to be an account other than the management account.
    ///
    /// Neither account changes for a handle, so the observation is sufficient.
    pub(crate) fn check_caller(&self, operation: Operation) -> Result<(), Error> {
        let CallContext { organization, caller } = self.known;
        let management = organization.management_account;
        match caller {
            Some(caller) if *caller != management => {
                Err(self.error(ErrorKind::NotManagementAccount { management }, operation))
            }
            _ => Ok(()),
        }
    }

    /// Refuses an organization that still has consolidated billing only, after reading again.
    pub(super) async fn check_features(&self, operation: Operation) -> Result<(), Error> {
        if self.known.organization.feature_set != Some(FeatureSet::ConsolidatedBilling) {
            return Ok(());
        }
        let organization = self.client.describe_organization().await;
        match organization.map_err(|error| error.with_context(self.known))?.feature_set {
            Some(FeatureSet::ConsolidatedBilling) => Err(self.error(ErrorKind::NotAllFeatures, operation)),
            _ => Ok(()),
        }
    }

    /// Reads, immediately before a destructive write, the resources that the write affects. What is
    /// current is not read again.
    ///
    /// Refuses if an administrator was registered after the state was read. An administrator that
    /// is missing is no reason to refuse, because the read may be stale; if the account is gone,
    /// AWS refuses the write. Returns the status with the current administrators.
    pub(super) async fn recheck_before_delete(
        &self,
        operation: Operation,
        before: &ServiceStatus,
        guarded: &DestructiveWrite<'_>,
        mut currency: Currency,
        waiting: &mut Backoff<'_>,
    ) -> Result<(ServiceStatus, SyncCheckReport), OperationFailure> {
        loop {
            let since = match currency {
                Currency::Unknown => Some(Moment::now()),
                Currency::Current(since) => since,
            };
            let administrators = async {
                match currency {
                    Currency::Unknown => observation::administrators(&self.client, &before.principal).await,
                    Currency::Current(_) => Ok(before.administrators.clone()),
                }
            };
            let local_changes = self.change_log.local_changes();
            let guard = guarded.guard.guard(operation, guarded.affected, local_changes, self.wait_policy, since);
            let (administrators, report) = join(administrators, guard).await;
            currency = Currency::Unknown;
            let read_error = |error: Error| OperationFailure::Unchanged(error.with_context(self.known));
            let administrators = administrators.map_err(read_error)?;
            let now = ServiceStatus { administrators, ..before.clone() };
            let recreated = guarded.identity == IdentityCheck::Unchanged && was_recreated(&now, before);
            if new_administrators(&now, before).is_empty() && !recreated {
                let report = report.map_err(OperationFailure::Unchanged)?;
                // The date may differ: the current administrator is the one that is removed.
                let dated = before.administrators.iter().map(|known| now.administrator(known.account).unwrap_or(known));
                let administrators = dated.cloned().collect();
                return Ok((ServiceStatus { administrators, ..now }, report));
            }
            if now.is_stale_for(self.change_log.since_observation()) && waiting.next().await {
                continue;
            }
            // Both fields come from one read, so that the error describes the current state.
            let facts = self.read(&before.principal, waiting).await.map_err(OperationFailure::Unknown)?;
            let holders = new_administrators(&facts, before);
            if !holders.is_empty() {
                let error =
                    self.error(ErrorKind::AlreadyDelegated { accounts: holders }, operation).with_status(&facts);
                return Err(OperationFailure::Changed(error, facts));
            }
            let moved = facts.trusted_access.is_some() != before.trusted_access.is_some();
            if moved || (guarded.identity == IdentityCheck::Unchanged && was_recreated(&facts, before)) {
                let error = self.error(ErrorKind::StateChanged, operation).with_status(&facts);
                return Err(OperationFailure::Changed(error, facts));
            }
            // Inconsistent listings are read again until the wait timeout.
            if !waiting.next().await {
                let error = self.error(ErrorKind::StateChanged, operation).with_status(&facts);
                let error = error.with_retry(RetryStatus::Exhausted);
                return Err(OperationFailure::Unchanged(error));
            }
        }
    }
}

/// Returns whether an account was registered again since.
fn was_recreated(now: &ServiceStatus, before: &ServiceStatus) -> bool {
    before.administrators.iter().any(|known| {
        now.administrator(known.account).is_some_and(|found| !same_date(known.delegated_at, found.delegated_at))
    })
}

fn new_administrators(now: &ServiceStatus, before: &ServiceStatus) -> Vec<AccountId> {
    now.accounts().into_iter().filter(|account| before.administrator(*account).is_none()).collect()
}
