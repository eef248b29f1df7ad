//! A write on its way: sent once, then judged by what reads show.

use super::settle::Waiting;
use super::{Ground, Setback};
use crate::change::{Certainty, Change, ChangeKind};
use crate::domain::AccountId;
use crate::error::{Applied, Error, ErrorKind, Retry};
use crate::observation::{self, Facts, PRINCIPAL};
use crate::ports::{Operation, OrganizationsApi};
use crate::syncs::SyncsReport;

/// The four writes, with what is known of the data syncs where a write endangers them.
#[derive(Debug)]
pub(super) enum Write {
    Enable,
    Disable(SyncsReport),
    Register(AccountId),
    Deregister(AccountId, SyncsReport),
}

impl Write {
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

    async fn send<C: OrganizationsApi + ?Sized>(&self, client: &C) -> Result<(), Error> {
        match self {
            Self::Enable => client.enable_aws_service_access(&PRINCIPAL).await,
            Self::Disable(_) => client.disable_aws_service_access(&PRINCIPAL).await,
            Self::Register(account) => client.register_delegated_administrator(account, &PRINCIPAL).await,
            Self::Deregister(account, _) => client.deregister_delegated_administrator(account, &PRINCIPAL).await,
        }
    }

    /// Reads the half of the facts that the write changes.
    async fn look<C: OrganizationsApi + ?Sized>(&self, client: &C, before: &Facts) -> Result<Facts, Error> {
        let mut facts = before.clone();
        match self {
            Self::Enable | Self::Disable(_) => facts.trusted_access = observation::trusted_access(client).await?,
            Self::Register(_) | Self::Deregister(..) => {
                facts.administrators = observation::administrators(client).await?;
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

    /// What the write changed, with AWS's date: of the thing made, or of the thing that went.
    fn change(self, before: &Facts, after: Option<&Facts>) -> ChangeKind {
        let principal = PRINCIPAL;
        let trust_date = |facts: &Facts| facts.trusted_access.as_ref().and_then(|access| access.since);
        let delegation_date = |facts: &Facts, account| facts.administrator(account).and_then(|found| found.since);
        match self {
            Self::Enable => ChangeKind::TrustedAccessEnabled { principal, since: after.and_then(trust_date) },
            Self::Disable(syncs) => ChangeKind::TrustedAccessDisabled { principal, since: trust_date(before), syncs },
            Self::Register(account) => ChangeKind::AdministratorRegistered {
                account,
                principal,
                since: after.and_then(|facts| delegation_date(facts, account)),
            },
            Self::Deregister(account, syncs) => ChangeKind::AdministratorDeregistered {
                account,
                principal,
                since: delegation_date(before, account),
                syncs,
            },
        }
    }

    /// Whether a refusal says the opposite of what we saw AWS do, and so is only late.
    ///
    /// A missing reason may be any; what a code means otherwise is decided by reading.
    fn is_refused_late(&self, refusal: &Error, changes: &[Change]) -> bool {
        let made = |wanted: fn(&ChangeKind) -> bool| changes.iter().any(|change| wanted(&change.kind));
        let after_enabling = || made(|kind| matches!(kind, ChangeKind::TrustedAccessEnabled { .. }));
        let after_registering = || made(|kind| matches!(kind, ChangeKind::AdministratorRegistered { .. }));
        let after_deregistering = || made(|kind| matches!(kind, ChangeKind::AdministratorDeregistered { .. }));
        match (self, refusal.code(), refusal.reason()) {
            (
                Self::Register(_),
                Some("ConstraintViolationException" | "InvalidInputException"),
                None | Some("SERVICE_ACCESS_NOT_ENABLED" | "UNRECOGNIZED_SERVICE_PRINCIPAL"),
            ) if after_enabling() => true,
            (
                Self::Register(_) | Self::Disable(_),
                Some("ConstraintViolationException"),
                None
                | Some(
                    "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE"
                    | "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED",
                ),
            )
            | (Self::Register(_), Some("AccountAlreadyRegisteredException"), _) => after_deregistering(),
            (Self::Deregister(..), Some("AccountNotRegisteredException"), _) => after_registering(),
            _ => false,
        }
    }

    /// The refusal, with its cause where the facts show one.
    fn explain(&self, refusal: Error, before: &Facts, now: &Facts) -> Error {
        let others: Vec<_> = now.accounts().into_iter().filter(|account| Some(*account) != self.account()).collect();
        let in_the_way = matches!(self, Self::Register(_) | Self::Disable(_)) && !others.is_empty();
        if *refusal.kind() != ErrorKind::Refused {
            refusal
        } else if in_the_way {
            refusal.explained_by(ErrorKind::OtherAdministrator { holders: others })
        } else if now.agrees_with(before) {
            refusal
        } else {
            refusal.explained_by(ErrorKind::StateMoved)
        }
    }
}

impl<C: OrganizationsApi + ?Sized> Ground<'_, C> {
    /// Sends a write and follows it to the facts that it leads to.
    pub(super) async fn carry_out(&mut self, write: Write, before: &Facts) -> Result<Facts, Setback> {
        let mut waiting = self.waiting();
        loop {
            let Err(error) = write.send(self.client).await else {
                return self.see_through(write, before, waiting, None).await;
            };
            let error = self.name(error, &write);
            if error.applied() != Applied::No {
                return self.see_through(write, before, waiting, Some(error)).await;
            }
            if matches!(error.kind(), ErrorKind::NotSent | ErrorKind::Unsupported | ErrorKind::InvalidInput) {
                return Err(Setback::Unchanged(error));
            }
            let Ok(now) = observation::facts(self.client).await else {
                return Err(Setback::Unknown(error));
            };
            if write.holds_in(&now) {
                return Ok(now);
            }
            let changes = self.journal.since_observation();
            let late = now.predates(changes) || write.is_refused_late(&error, changes);
            if late && waiting.again().await {
                continue;
            }
            let error = write.explain(error, before, &now);
            return Err(if now.agrees_with(before) { Setback::Unchanged(error) } else { Setback::Moved(error, now) });
        }
    }

    /// Looks until the effect shows. `lost` is the error of a write whose reply did not come.
    async fn see_through(
        &mut self,
        write: Write,
        before: &Facts,
        mut waiting: Waiting,
        lost: Option<Error>,
    ) -> Result<Facts, Setback> {
        let certainty = if lost.is_none() { Certainty::Did } else { Certainty::Maybe };
        let unread = loop {
            let unread = match write.look(self.client, before).await {
                Ok(after) if write.holds_in(&after) => {
                    self.journal.record(write.change(before, Some(&after)), certainty);
                    return Ok(after);
                }
                Ok(_) => None,
                Err(error) => Some(error),
            };
            let hopeless = unread.as_ref().is_some_and(|error| error.retry() == Retry::Permanent);
            if hopeless || !waiting.again().await {
                break unread;
            }
        };
        let error = lost.unwrap_or_else(|| {
            let error = self.name(Error::of(ErrorKind::NotSettled).at(write.operation()), &write);
            let error = error.applied_is(Applied::Yes).with_retry(Retry::Spent);
            match unread {
                Some(unread) => error.with_source(unread),
                None => error,
            }
        });
        self.journal.record(write.change(before, None), certainty);
        Err(Setback::Unknown(error))
    }

    fn name(&self, error: Error, write: &Write) -> Error {
        let error = error.called_as(self.known.caller);
        match write.account() {
            Some(account) => error.about(account),
            None => error,
        }
    }
}
