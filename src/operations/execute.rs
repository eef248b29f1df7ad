//! Executes one write: sends the write at most once and confirms its effect by reading.

use std::mem::discriminant;

use super::sync_guard::{AffectedAccounts, SyncGuard};
use super::{Completed, OperationContext, OperationFailure, StatusField};
use crate::domain::{
    AccountId, Certainty, Change, ChangeKind, FeatureSet, Operation, ServicePrincipal, ServiceStatus, SyncCheckReport,
    allows_one_administrator, changes_of_service,
};
use crate::error::{Error, ErrorKind, RetryStatus};
use crate::observation;
use crate::ports::OrganizationsApi;
use crate::trace::{Moment, SentWrite};
use crate::wait::Backoff;

/// The four writes.
pub(super) enum Write<'a> {
    Enable,
    Disable(DestructiveWrite<'a>),
    Register(AccountId),
    Deregister(AccountId, DestructiveWrite<'a>),
}

/// Guard of a destructive write against unintended losses.
pub(super) struct DestructiveWrite<'a> {
    pub(super) guard: SyncGuard<'a>,
    pub(super) affected: &'a AffectedAccounts,
    pub(super) identity: IdentityCheck,
    pub(super) currency: Currency,
}

/// Currency of the state before a destructive write.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Currency {
    /// The state may have changed since it was read.
    Unknown,
    /// The state was read after the previous write, at this time, and within the freshness limit.
    /// Without a time there was no previous write.
    Current(Option<Moment>),
}

/// Identity requirement for a resource that is to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdentityCheck {
    /// The resource may have been recreated: the existing one is deleted.
    Any,
    /// The resource must be the same, identified by AWS's date.
    Unchanged,
}

/// Action to take after a refusal.
enum RefusalAction {
    /// AWS reports that the target state already holds; reads will confirm this.
    AlreadyApplied,
    /// The refusal contradicts a confirmed change and is therefore stale: send again.
    RetryStale,
    /// AWS throttled the write, or was making another change: send again.
    RetryRefused,
    /// The refusal is final.
    Fail,
}

impl Write<'_> {
    fn operation(&self) -> Operation {
        match self {
            Self::Enable => Operation::EnableAwsServiceAccess,
            Self::Disable(_) => Operation::DisableAwsServiceAccess,
            Self::Register(_) => Operation::RegisterDelegatedAdministrator,
            Self::Deregister(..) => Operation::DeregisterDelegatedAdministrator,
        }
    }

    fn account(&self) -> Option<AccountId> {
        match self {
            Self::Enable | Self::Disable(_) => None,
            Self::Register(account) | Self::Deregister(account, _) => Some(*account),
        }
    }

    async fn send<C: OrganizationsApi + ?Sized>(&self, client: &C, principal: &ServicePrincipal) -> Result<(), Error> {
        match self {
            Self::Enable => client.enable_aws_service_access(principal).await,
            Self::Disable(_) => client.disable_aws_service_access(principal).await,
            Self::Register(account) => client.register_delegated_administrator(*account, principal).await,
            Self::Deregister(account, _) => client.deregister_delegated_administrator(*account, principal).await,
        }
    }

    fn destructive(&self) -> Option<&DestructiveWrite<'_>> {
        match self {
            Self::Enable | Self::Register(_) => None,
            Self::Disable(guarded) | Self::Deregister(_, guarded) => Some(guarded),
        }
    }

    /// Reads the status field that the write changes.
    async fn read<C: OrganizationsApi + ?Sized>(
        &self,
        client: &C,
        before: &ServiceStatus,
    ) -> Result<ServiceStatus, Error> {
        let mut facts = before.clone();
        match self {
            Self::Enable | Self::Disable(_) => {
                facts.trusted_access = observation::trusted_access(client, &before.principal).await?;
            }
            Self::Register(_) | Self::Deregister(..) => {
                facts.administrators = observation::administrators(client, &before.principal).await?;
            }
        }
        Ok(facts)
    }

    /// Returns whether the status is the one that the write is to produce.
    fn is_satisfied_by(&self, facts: &ServiceStatus) -> bool {
        match self {
            Self::Enable => facts.trusted_access.is_some(),
            Self::Disable(_) => facts.trusted_access.is_none(),
            Self::Register(account) => facts.administrator(*account).is_some(),
            Self::Deregister(account, _) => facts.administrator(*account).is_none(),
        }
    }

    /// Returns whether the status may be older than an own change, in which case it proves nothing
    /// about this write.
    ///
    /// A recreated resource has a new date. A deleted resource has no date, so a stale read and the
    /// effect cannot be distinguished.
    fn may_be_stale(&self, facts: &ServiceStatus, changes: &[Change]) -> bool {
        match self {
            Self::Enable => changes_of_service(changes, &facts.principal).any(|kind| match kind {
                ChangeKind::TrustedAccessDisabled { enabled_at: Some(since), .. } => {
                    facts.trusted_access.as_ref().is_some_and(|access| access.enabled_at == Some(*since))
                }
                _ => false,
            }),
            Self::Register(ours) => changes_of_service(changes, &facts.principal).any(|kind| match kind {
                ChangeKind::AdministratorDeregistered { account, delegated_at: Some(since), .. } if account == ours => {
                    facts.administrator(*ours).is_some_and(|found| found.delegated_at == Some(*since))
                }
                _ => false,
            }),
            Self::Disable(_) | Self::Deregister(..) => facts.is_stale_for(changes),
        }
    }

    /// Returns whether another account holds what the write was to obtain. No account held it
    /// before, or nothing would have been sent.
    fn is_superseded_by(&self, facts: &ServiceStatus) -> bool {
        matches!(self, Self::Register(_)) && self.is_blocked_by(facts)
    }

    /// Returns whether other accounts hold what AWS requires to be free for the write.
    fn is_blocked_by(&self, facts: &ServiceStatus) -> bool {
        let excludes = match self {
            Self::Register(_) => allows_one_administrator(&facts.principal),
            Self::Disable(_) => true,
            Self::Enable | Self::Deregister(..) => false,
        };
        excludes && facts.accounts().iter().any(|account| Some(*account) != self.account())
    }

    /// Returns the change that the write made, with AWS's date of the created or deleted resource.
    fn change(&self, before: &ServiceStatus, after: Option<&ServiceStatus>, report: SyncCheckReport) -> ChangeKind {
        let principal = before.principal.clone();
        let trust_date = |facts: &ServiceStatus| facts.trusted_access.as_ref().and_then(|access| access.enabled_at);
        let delegation_date =
            |facts: &ServiceStatus, account| facts.administrator(account).and_then(|found| found.delegated_at);
        match self {
            Self::Enable => ChangeKind::TrustedAccessEnabled { principal, enabled_at: after.and_then(trust_date) },
            Self::Disable(_) => {
                ChangeKind::TrustedAccessDisabled { principal, enabled_at: trust_date(before), syncs: report }
            }
            Self::Register(account) => ChangeKind::AdministratorRegistered {
                account: *account,
                principal,
                delegated_at: after.and_then(|facts| delegation_date(facts, *account)),
            },
            Self::Deregister(account, _) => ChangeKind::AdministratorDeregistered {
                account: *account,
                principal,
                delegated_at: delegation_date(before, *account),
                syncs: report,
            },
        }
    }

    /// Returns the action for a refusal, given the current status and the confirmed changes.
    ///
    /// A refusal without a reason may have any reason. Waiting does not help against a quota that
    /// this handle did not free.
    fn refusal_action(&self, refusal: &Error, now: &ServiceStatus, changes: &[Change]) -> RefusalAction {
        if refusal.is_transient_refusal() {
            return RefusalAction::RetryRefused;
        }
        let made = |wanted: &dyn Fn(&ChangeKind) -> bool| changes_of_service(changes, &now.principal).any(wanted);
        let enabled = || made(&|kind| matches!(kind, ChangeKind::TrustedAccessEnabled { .. }));
        let registered = |ours: AccountId| {
            made(&|kind| matches!(kind, ChangeKind::AdministratorRegistered { account, .. } if *account == ours))
        };
        let deregistered = || made(&|kind| matches!(kind, ChangeKind::AdministratorDeregistered { .. }));
        let deregistered_this = |ours: AccountId| {
            made(&|kind| matches!(kind, ChangeKind::AdministratorDeregistered { account, .. } if *account == ours))
        };
        let late = match (self, refusal.code(), refusal.reason()) {
            (Self::Register(account), Some("AccountAlreadyRegisteredException"), _) => {
                return if deregistered_this(*account) {
                    RefusalAction::RetryStale
                } else {
                    RefusalAction::AlreadyApplied
                };
            }
            (Self::Deregister(account, _), Some("AccountNotRegisteredException"), _) => {
                return if registered(*account) { RefusalAction::RetryStale } else { RefusalAction::AlreadyApplied };
            }
            (
                Self::Register(_),
                Some("ConstraintViolationException" | "InvalidInputException"),
                None | Some("SERVICE_ACCESS_NOT_ENABLED" | "UNRECOGNIZED_SERVICE_PRINCIPAL"),
            ) if enabled() && now.trusted_access.is_some() && !self.is_blocked_by(now) => true,
            (
                Self::Register(_) | Self::Disable(_),
                Some("ConstraintViolationException"),
                None
                | Some(
                    "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE"
                    | "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED",
                ),
            ) => deregistered() && now.administrators.is_empty() && now.trusted_access.is_some(),
            _ => false,
        };
        if late { RefusalAction::RetryStale } else { RefusalAction::Fail }
    }
}

impl<C: OrganizationsApi + ?Sized> OperationContext<'_, C> {
    /// Executes a write and waits for the resulting status.
    pub(super) async fn execute(
        &mut self,
        write: Write<'_>,
        before: &ServiceStatus,
    ) -> Result<Completed, OperationFailure> {
        let mut backoff = Backoff::new(self.wait_policy);
        let operation = write.operation();
        if let Some(guarded) = write.destructive() {
            let checked = guarded.guard.check(operation).and_then(|()| self.check_caller(operation));
            checked.map_err(|error| OperationFailure::Unchanged(self.name(error, &write, before)))?;
        }
        let mut before = before.clone();
        // AWS accepts both writes if the target state already holds, so someone else's change would
        // be recorded as ours.
        let mut currency = write.destructive().map_or(Currency::Unknown, |guarded| guarded.currency);
        if matches!(write, Write::Enable | Write::Disable(_))
            && matches!(currency, Currency::Unknown)
            && self.change_log.is_stale()
        {
            self.refresh_field(&mut before, StatusField::TrustedAccess).await.map_err(OperationFailure::Unchanged)?;
            if write.is_satisfied_by(&before) {
                return Ok(Completed { status: before, ours: None });
            }
        }
        let before = &before;
        // Pauses of a write that AWS throttles.
        let mut retries = None;
        loop {
            // The guard of a write is read before every attempt.
            let (before, report) = match write.destructive() {
                Some(guarded) => {
                    match self.recheck_before_delete(operation, before, guarded, currency, &mut backoff).await {
                        // Someone else made a change first.
                        Err(OperationFailure::Changed(error, facts))
                            if *error.kind() == ErrorKind::StateChanged && write.is_satisfied_by(&facts) =>
                        {
                            return Ok(Completed { status: facts, ours: None });
                        }
                        read => read.map_err(|failure| failure.map(|error| self.name(error, &write, before)))?,
                    }
                }
                None => (before.clone(), SyncCheckReport::Skipped),
            };
            currency = Currency::Unknown;
            let kind = write.change(&before, None, report.clone());
            let call = write.send(&self.client, &before.principal);
            let error = match self.change_log.recorder.send(operation, kind, call).await {
                Ok((sent, result)) => {
                    let lost = result.err().map(|error| self.name(error, &write, &before));
                    return self.wait_until_visible(&write, &before, report, sent, lost).await;
                }
                Err(error) => self.name(error, &write, &before),
            };
            // A request that AWS did not receive changed nothing.
            let unasked = matches!(
                error.kind(),
                ErrorKind::DeadlineExceeded | ErrorKind::NotSent | ErrorKind::Unsupported | ErrorKind::InvalidInput
            );
            if unasked && error.code().is_none() {
                return Err(OperationFailure::Unchanged(error));
            }
            let (error, has_time) = if error.is_transient_refusal() {
                let retries = retries.get_or_insert_with(|| Backoff::new(self.wait_policy));
                let has_time = retries.next_after_refusal(&error).await;
                (if has_time { error } else { retries.exhausted(error) }, has_time)
            } else {
                (error, true)
            };
            if let Some(outcome) = self.resolve_refusal(&write, &before, error, has_time, &mut backoff).await {
                return outcome;
            }
        }
    }

    /// Returns the result of a refusal, or `None` to send again. `has_time` says that there is time
    /// left to send again.
    async fn resolve_refusal(
        &self,
        write: &Write<'_>,
        before: &ServiceStatus,
        refusal: Error,
        mut has_time: bool,
        backoff: &mut Backoff<'_>,
    ) -> Option<Result<Completed, OperationFailure>> {
        loop {
            let now = match self.read(&before.principal, backoff).await {
                Ok(now) => now,
                // The caller's account belongs to no organization.
                Err(read_error) if *read_error.kind() == ErrorKind::NotInOrganization => {
                    return Some(Err(OperationFailure::Unknown(
                        refusal.with_confirmed_kind(ErrorKind::NotInOrganization),
                    )));
                }
                Err(_) => return Some(Err(OperationFailure::Unknown(refusal))),
            };
            if write.is_satisfied_by(&now) {
                // When the time is used up, the only read may be stale, and a stale read proves
                // nothing.
                if now.is_stale_for(self.change_log.since_observation()) {
                    return Some(Err(OperationFailure::Unknown(refusal)));
                }
                // Someone else made a change first.
                return Some(Ok(Completed { status: now, ours: None }));
            }
            let action = write.refusal_action(&refusal, &now, self.change_log.since_observation());
            if has_time && matches!(action, RefusalAction::RetryRefused) {
                return None;
            }
            if has_time && !matches!(action, RefusalAction::Fail) {
                has_time = backoff.next().await;
                match action {
                    RefusalAction::RetryStale if has_time => return None,
                    _ => continue,
                }
            }
            let refusal = if has_time { refusal } else { refusal.with_retry(RetryStatus::Exhausted) };
            let error = self.explain(write, refusal, before, &now).await;
            let unchanged = now.has_same_state_as(before);
            return Some(Err(if unchanged {
                OperationFailure::Unchanged(error)
            } else {
                OperationFailure::Changed(error, now)
            }));
        }
    }

    /// Returns the refusal, with the cause that a read confirms.
    ///
    /// If there are several causes, the one that AWS reports is used. A cause that AWS does not
    /// report is only likely. A cause that AWS reports and no read confirms is dropped.
    async fn explain(&self, write: &Write<'_>, refusal: Error, before: &ServiceStatus, now: &ServiceStatus) -> Error {
        let refusal = refusal.with_status(now);
        if refusal.kind().concerns_call_only() {
            return refusal;
        }
        let causes = self.causes(write, refusal.kind(), now).await;
        let is_named = |cause: &&ErrorKind| discriminant(*cause) == discriminant(refusal.kind());
        if let Some(named) = causes.iter().find(is_named) {
            return refusal.with_confirmed_kind(named.clone());
        }
        if let Some(cause) = causes.into_iter().next() {
            return refusal.with_inferred_kind(cause);
        }
        if !now.has_same_state_as(before) {
            return refusal.with_confirmed_kind(ErrorKind::StateChanged);
        }
        match refusal.kind() {
            // No read can contradict this refusal.
            ErrorKind::NotAllFeatures if self.known.organization.feature_set.is_none() => refusal,
            _ => refusal.with_unexplained_kind(),
        }
    }

    /// Returns the causes, confirmed by reads, for which AWS refuses a write. `named` is the cause
    /// reported by AWS.
    async fn causes(&self, write: &Write<'_>, named: &ErrorKind, now: &ServiceStatus) -> Vec<ErrorKind> {
        let mut causes = Vec::new();
        if *named == ErrorKind::NotAllFeatures && self.has_billing_only().await {
            causes.push(ErrorKind::NotAllFeatures);
        }
        let holders: Vec<_> = now.accounts().into_iter().filter(|account| Some(*account) != write.account()).collect();
        // AWS reports a reached quota of a service that allows several administrators.
        let quota = matches!((write, named), (Write::Register(_), ErrorKind::AlreadyDelegated { .. }));
        if write.is_blocked_by(now) || (quota && !holders.is_empty()) {
            causes.push(ErrorKind::AlreadyDelegated { accounts: holders });
        }
        if matches!(write, Write::Register(_) | Write::Deregister(..)) && now.trusted_access.is_none() {
            causes.push(ErrorKind::TrustedAccessDisabled);
        }
        match write {
            Write::Register(account) => match self.registration_blocker(*account).await {
                Ok(blocker) => causes.extend(blocker),
                Err(error) if *error.kind() == ErrorKind::AccountNotFound => causes.push(ErrorKind::AccountNotFound),
                Err(_) => {}
            },
            // The caller's account is in an organization, because the reads succeeded.
            Write::Deregister(..) if *named == ErrorKind::AccountNotFound => causes.push(ErrorKind::AccountNotFound),
            _ => {}
        }
        causes
    }

    async fn has_billing_only(&self) -> bool {
        let organization = self.client.describe_organization().await;
        organization.is_ok_and(|found| found.feature_set == Some(FeatureSet::ConsolidatedBilling))
    }

    /// Reads until the effect is visible. `lost` is the error of a write whose response was lost.
    async fn wait_until_visible(
        &mut self,
        write: &Write<'_>,
        before: &ServiceStatus,
        report: SyncCheckReport,
        sent: SentWrite,
        lost: Option<Error>,
    ) -> Result<Completed, OperationFailure> {
        let mut backoff = Backoff::new(self.wait_policy);
        let certainty = if lost.is_none() { Certainty::Confirmed } else { Certainty::Unconfirmed };
        let mut stale_reads = 0;
        let read_error = loop {
            let read_error = match write.read(&self.client, before).await {
                Ok(after) if write.is_satisfied_by(&after) => {
                    let may_be_old = write.may_be_stale(&after, self.change_log.since_observation());
                    stale_reads += usize::from(may_be_old);
                    // Two reads, with a pause between them, confirm a deletion.
                    let confirmed = match write {
                        Write::Enable | Write::Register(_) => !may_be_old,
                        Write::Disable(_) | Write::Deregister(..) => {
                            !may_be_old || certainty == Certainty::Confirmed || stale_reads > 1
                        }
                    };
                    if confirmed {
                        let kind = write.change(before, Some(&after), report);
                        self.change_log.record(sent.complete(kind, certainty, true));
                        return Ok(Completed { status: after, ours: Some(certainty) });
                    }
                    None
                }
                Ok(now) => {
                    stale_reads = 0;
                    // A stale read shows accounts that are known to be deregistered.
                    if write.is_superseded_by(&now)
                        && !now.is_stale_for(self.change_log.since_observation())
                        && let Some(lost) = lost
                    {
                        let kind = write.change(before, None, report);
                        self.change_log.record(sent.complete(kind, certainty, false));
                        return Err(OperationFailure::Changed(lost, now));
                    }
                    None
                }
                Err(error) => Some(error),
            };
            if !backoff.next_after_error(read_error.as_ref()).await {
                break read_error;
            }
        };
        let error =
            lost.unwrap_or_else(|| self.name(backoff.timeout_error(write.operation(), read_error), write, before));
        let kind = write.change(before, None, report);
        self.change_log.record(sent.complete(kind, certainty, false));
        Err(OperationFailure::Unknown(error))
    }

    /// Adds the caller, the account and the service to an error of this write. A failed read
    /// concerns something else and is left unchanged.
    fn name(&self, error: Error, write: &Write<'_>, before: &ServiceStatus) -> Error {
        if error.operation() != Some(write.operation()) {
            return error;
        }
        let mut error = error.with_context(self.known).with_service(&before.principal);
        if matches!(error.kind(), ErrorKind::DataSyncsNotChecked { .. }) {
            // The status shows whether the administrator's account is suspended.
            error = error.with_status(before);
        }
        match write.account() {
            Some(account) => error.with_account(account),
            None => error,
        }
    }
}
