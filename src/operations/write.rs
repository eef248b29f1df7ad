//! A write on its way: sent once, then judged by what reads show.

use std::mem::discriminant;

use super::settle::{Half, Waiting, not_settled};
use super::{Done, Ground, Setback};
use crate::change::{Certainty, Change, ChangeKind};
use crate::domain::{AccountId, ServicePrincipal};
use crate::error::{Applied, Error, ErrorKind, Retry};
use crate::observation::{self, Facts, has_one_administrator, of_service};
use crate::ports::{FeatureSet, Operation, OrganizationsApi};
use crate::syncs::{Care, Endangered, SyncsReport};

/// The four writes.
pub(super) enum Write<'a> {
    Enable,
    Disable(Guarded<'a>),
    Register(AccountId),
    Deregister(AccountId, Guarded<'a>),
}

/// What a write that takes away must not take with it unsaid.
pub(super) struct Guarded<'a> {
    pub(super) care: Care<'a>,
    pub(super) endangered: &'a Endangered,
    pub(super) dates: Dates,
}

/// What may have become of what is taken away since it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dates {
    /// It may have been made anew: what goes is what is there.
    Any,
    /// It has to be the same, by AWS's date.
    Same,
}

/// What a refusal comes to.
enum Verdict {
    /// AWS says that it is so already; reads will show it.
    AlreadySo,
    /// It says the opposite of what we saw AWS do, and so is only late: send again.
    Late,
    /// It stands.
    Final,
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
            Self::Register(account) => client.register_delegated_administrator(account, principal).await,
            Self::Deregister(account, _) => client.deregister_delegated_administrator(account, principal).await,
        }
    }

    fn guarded(&self) -> Option<&Guarded<'_>> {
        match self {
            Self::Enable | Self::Register(_) => None,
            Self::Disable(guarded) | Self::Deregister(_, guarded) => Some(guarded),
        }
    }

    /// Reads the half of the facts that the write changes.
    async fn look<C: OrganizationsApi + ?Sized>(&self, client: &C, before: &Facts) -> Result<Facts, Error> {
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

    /// Whether the facts are as the write would have them.
    fn holds_in(&self, facts: &Facts) -> bool {
        match self {
            Self::Enable => facts.trusted_access.is_some(),
            Self::Disable(_) => facts.trusted_access.is_none(),
            Self::Register(account) => facts.administrator(*account).is_some(),
            Self::Deregister(account, _) => facts.administrator(*account).is_none(),
        }
    }

    /// Whether what the facts show may be from before a change of ours, and so prove nothing of this write.
    ///
    /// What was made anew has a new date. What is gone has none, so an old look and the effect are alike.
    fn may_be_old_in(&self, facts: &Facts, changes: &[Change]) -> bool {
        match self {
            Self::Enable => of_service(changes, &facts.principal).any(|kind| match kind {
                ChangeKind::TrustedAccessDisabled { since: Some(since), .. } => {
                    facts.trusted_access.as_ref().is_some_and(|access| access.since == Some(*since))
                }
                _ => false,
            }),
            Self::Register(ours) => of_service(changes, &facts.principal).any(|kind| match kind {
                ChangeKind::AdministratorDeregistered { account, since: Some(since), .. } if account == ours => {
                    facts.administrator(*ours).is_some_and(|found| found.since == Some(*since))
                }
                _ => false,
            }),
            Self::Disable(_) | Self::Deregister(..) => facts.predates(changes),
        }
    }

    /// Whether somebody else has what the write was to take. Nobody had it before, or nothing would have been sent.
    fn is_overtaken_in(&self, facts: &Facts) -> bool {
        matches!(self, Self::Register(_)) && self.is_excluded_in(facts)
    }

    /// Whether others hold what AWS wants free for the write.
    fn is_excluded_in(&self, facts: &Facts) -> bool {
        let excludes = match self {
            Self::Register(_) => has_one_administrator(&facts.principal),
            Self::Disable(_) => true,
            Self::Enable | Self::Deregister(..) => false,
        };
        excludes && facts.accounts().iter().any(|account| Some(*account) != self.account())
    }

    /// What the write changed, with AWS's date: of the thing made, or of the thing that went.
    fn change(&self, before: &Facts, after: Option<&Facts>, report: SyncsReport) -> ChangeKind {
        let principal = before.principal.clone();
        let trust_date = |facts: &Facts| facts.trusted_access.as_ref().and_then(|access| access.since);
        let delegation_date = |facts: &Facts, account| facts.administrator(account).and_then(|found| found.since);
        match self {
            Self::Enable => ChangeKind::TrustedAccessEnabled { principal, since: after.and_then(trust_date) },
            Self::Disable(_) => {
                ChangeKind::TrustedAccessDisabled { principal, since: trust_date(before), syncs: report }
            }
            Self::Register(account) => ChangeKind::AdministratorRegistered {
                account: *account,
                principal,
                since: after.and_then(|facts| delegation_date(facts, *account)),
            },
            Self::Deregister(account, _) => ChangeKind::AdministratorDeregistered {
                account: *account,
                principal,
                since: delegation_date(before, *account),
                syncs: report,
            },
        }
    }

    /// What a refusal comes to, given what reads show now and what we saw AWS do.
    ///
    /// A missing reason may be any. Who holds a quota that we did not free is no question of time.
    fn verdict(&self, refusal: &Error, now: &Facts, changes: &[Change]) -> Verdict {
        let made = |wanted: &dyn Fn(&ChangeKind) -> bool| of_service(changes, &now.principal).any(wanted);
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
                return if deregistered_this(*account) { Verdict::Late } else { Verdict::AlreadySo };
            }
            (Self::Deregister(account, _), Some("AccountNotRegisteredException"), _) => {
                return if registered(*account) { Verdict::Late } else { Verdict::AlreadySo };
            }
            (
                Self::Register(_),
                Some("ConstraintViolationException" | "InvalidInputException"),
                None | Some("SERVICE_ACCESS_NOT_ENABLED" | "UNRECOGNIZED_SERVICE_PRINCIPAL"),
            ) if enabled() && now.trusted_access.is_some() && !self.is_excluded_in(now) => true,
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
        if late { Verdict::Late } else { Verdict::Final }
    }
}

impl<C: OrganizationsApi + ?Sized> Ground<'_, C> {
    /// Sends a write and follows it to the facts that it leads to.
    pub(super) async fn carry_out(&mut self, write: Write<'_>, before: &Facts) -> Result<Done, Setback> {
        let mut waiting = Waiting::new(self.patience);
        let operation = write.operation();
        if let Some(guarded) = write.guarded() {
            let checked = guarded.care.check(operation).and_then(|()| self.check_caller(operation));
            checked.map_err(|error| Setback::Unchanged(self.name(error, &write, before)))?;
        }
        let mut before = before.clone();
        // AWS accepts both where it is so already, and what others did would be on record as ours.
        if matches!(write, Write::Enable | Write::Disable(_)) && self.journal.is_stale() {
            self.read_half(&mut before, Half::Trust).await.map_err(Setback::Unchanged)?;
            if write.holds_in(&before) {
                return Ok(Done { facts: before, ours: None });
            }
        }
        let before = &before;
        loop {
            // What guards a write is read before every sending.
            let (before, report) = match write.guarded() {
                Some(guarded) => {
                    match self.guard(operation, before, guarded, &mut waiting).await {
                        // Somebody else was faster.
                        Err(Setback::Moved(error, facts))
                            if *error.kind() == ErrorKind::StateMoved && write.holds_in(&facts) =>
                        {
                            return Ok(Done { facts, ours: None });
                        }
                        read => read.map_err(|setback| setback.map(|error| self.name(error, &write, before)))?,
                    }
                }
                None => (before.clone(), SyncsReport::Forfeited),
            };
            let Err(error) = write.send(self.client, &before.principal).await else {
                return self.see_through(&write, &before, report, waiting, None).await;
            };
            let error = self.name(error, &write, &before);
            if error.applied() != Applied::No {
                return self.see_through(&write, &before, report, waiting, Some(error)).await;
            }
            // What AWS has not refused has changed nothing, here or there.
            let unasked = matches!(error.kind(), ErrorKind::NotSent | ErrorKind::Unsupported | ErrorKind::InvalidInput);
            if unasked && error.code().is_none() {
                return Err(Setback::Unchanged(error));
            }
            if let Some(outcome) = self.judge(&write, &before, error, &mut waiting).await {
                return outcome;
            }
        }
    }

    /// What comes of a refusal; `None` to send again.
    async fn judge(
        &self,
        write: &Write<'_>,
        before: &Facts,
        refusal: Error,
        waiting: &mut Waiting<'_>,
    ) -> Option<Result<Done, Setback>> {
        let mut patient = true;
        loop {
            let now = match self.read(&before.principal, waiting).await {
                Ok(now) => now,
                // It is the caller that is in no organization.
                Err(unread) if *unread.kind() == ErrorKind::NotInOrganization => {
                    return Some(Err(Setback::Unknown(refusal.explained_by(ErrorKind::NotInOrganization))));
                }
                Err(_) => return Some(Err(Setback::Unknown(refusal))),
            };
            if write.holds_in(&now) {
                // With no time left an old look may be all that there is, and it proves nothing.
                if now.predates(self.journal.since_observation()) {
                    return Some(Err(Setback::Unknown(refusal)));
                }
                // Somebody else was faster.
                return Some(Ok(Done { facts: now, ours: None }));
            }
            let verdict = write.verdict(&refusal, &now, self.journal.since_observation());
            if patient && !matches!(verdict, Verdict::Final) {
                patient = waiting.again().await;
                match verdict {
                    Verdict::Late if patient => return None,
                    _ => continue,
                }
            }
            let refusal = if patient { refusal } else { refusal.with_retry(Retry::Spent) };
            let error = self.explain(write, refusal, before, &now).await;
            let unchanged = now.agrees_with(before);
            return Some(Err(if unchanged { Setback::Unchanged(error) } else { Setback::Moved(error, now) }));
        }
    }

    /// The refusal, with its cause where reading shows one.
    ///
    /// Among several causes, the one that AWS names is taken; one that it does not name is likely, and one that it names and no read
    /// shows is none.
    async fn explain(&self, write: &Write<'_>, refusal: Error, before: &Facts, now: &Facts) -> Error {
        let refusal = refusal.in_situation(now);
        if refusal.kind().is_of_the_call() {
            return refusal;
        }
        let causes = self.causes(write, refusal.kind(), now).await;
        let is_named = |cause: &&ErrorKind| discriminant(*cause) == discriminant(refusal.kind());
        if let Some(named) = causes.iter().find(is_named) {
            return refusal.explained_by(named.clone());
        }
        if let Some(cause) = causes.into_iter().next() {
            return refusal.likely_for(cause);
        }
        if !now.agrees_with(before) {
            return refusal.explained_by(ErrorKind::StateMoved);
        }
        match refusal.kind() {
            // What no read could show otherwise.
            ErrorKind::NotAllFeatures if self.known.organization.feature_set.is_none() => refusal,
            _ => refusal.unexplained(),
        }
    }

    /// What reads show that makes AWS refuse a write. `named` is the cause by AWS's word.
    async fn causes(&self, write: &Write<'_>, named: &ErrorKind, now: &Facts) -> Vec<ErrorKind> {
        let mut causes = Vec::new();
        if *named == ErrorKind::NotAllFeatures && self.has_billing_only().await {
            causes.push(ErrorKind::NotAllFeatures);
        }
        let holders: Vec<_> = now.accounts().into_iter().filter(|account| Some(*account) != write.account()).collect();
        if write.is_excluded_in(now) {
            causes.push(ErrorKind::OtherAdministrator { holders });
        }
        if matches!(write, Write::Register(_) | Write::Deregister(..)) && now.trusted_access.is_none() {
            causes.push(ErrorKind::TrustedAccessOff);
        }
        match write {
            Write::Register(account) => match self.unfitness(*account).await {
                Ok(unfit) => causes.extend(unfit),
                Err(error) if *error.kind() == ErrorKind::NotAMember => causes.push(ErrorKind::NotAMember),
                Err(_) => {}
            },
            // The caller is in an organization, or nothing could have been read.
            Write::Deregister(..) if *named == ErrorKind::NotAMember => causes.push(ErrorKind::NotAMember),
            _ => {}
        }
        causes
    }

    async fn has_billing_only(&self) -> bool {
        let organization = self.client.describe_organization().await;
        organization.is_ok_and(|found| found.feature_set == Some(FeatureSet::ConsolidatedBilling))
    }

    /// Looks until the effect shows. `lost` is the error of a write whose reply did not come.
    async fn see_through(
        &mut self,
        write: &Write<'_>,
        before: &Facts,
        report: SyncsReport,
        mut waiting: Waiting<'_>,
        lost: Option<Error>,
    ) -> Result<Done, Setback> {
        let certainty = if lost.is_none() { Certainty::Did } else { Certainty::Maybe };
        let mut old_looks = 0;
        let unread = loop {
            let unread = match write.look(self.client, before).await {
                Ok(after) if write.holds_in(&after) => {
                    let may_be_old = write.may_be_old_in(&after, self.journal.since_observation());
                    old_looks += usize::from(may_be_old);
                    // What is gone twice, a pause apart, is gone.
                    let confirmed = match write {
                        Write::Enable | Write::Register(_) => !may_be_old,
                        Write::Disable(_) | Write::Deregister(..) => {
                            !may_be_old || certainty == Certainty::Did || old_looks > 1
                        }
                    };
                    if confirmed {
                        let kind = write.change(before, Some(&after), report);
                        self.journal.record(Change { kind, certainty, shown: true });
                        return Ok(Done { facts: after, ours: Some(certainty) });
                    }
                    None
                }
                Ok(now) => {
                    old_looks = 0;
                    // An old look shows those whom we have seen go.
                    if write.is_overtaken_in(&now)
                        && !now.predates(self.journal.since_observation())
                        && let Some(lost) = lost
                    {
                        let kind = write.change(before, None, report);
                        self.journal.record(Change { kind, certainty, shown: false });
                        return Err(Setback::Moved(lost, now));
                    }
                    None
                }
                Err(error) => Some(error),
            };
            if !waiting.after(unread.as_ref()).await {
                break unread;
            }
        };
        let error = lost.unwrap_or_else(|| self.name(not_settled(write.operation(), unread), write, before));
        let kind = write.change(before, None, report);
        self.journal.record(Change { kind, certainty, shown: false });
        Err(Setback::Unknown(error))
    }

    /// Who called, and about which account and service, where the error is one of this write. A read that failed is about something else.
    fn name(&self, error: Error, write: &Write<'_>, before: &Facts) -> Error {
        if error.operation() != Some(write.operation()) {
            return error;
        }
        let error = error.called_in(self.known).for_service(&before.principal);
        match write.account() {
            Some(account) => error.about(account),
            None => error,
        }
    }
}
