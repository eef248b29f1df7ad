//! What is read before a write.

use futures_util::future::join;
use tracing::Instrument;

use super::settle::Waiting;
use super::write::{Dates, Guarded};
use super::{Ground, Setback};
use crate::domain::AccountId;
use crate::error::{Error, ErrorKind, Retry};
use crate::observation::{self, Facts, Known, same_date};
use crate::ports::{AccountState, FeatureSet, Operation, OrganizationsApi};
use crate::syncs::SyncsReport;
use crate::trace::span;

/// Refuses an account that AWS would not let become the administrator.
///
/// One lookup, whatever the size of the organization. A state that AWS does not show is left to AWS.
pub(crate) async fn candidate<C: OrganizationsApi + ?Sized>(
    ground: &Ground<'_, C>,
    account: AccountId,
) -> Result<(), Error> {
    let operation = Operation::RegisterDelegatedAdministrator;
    let refusal = |kind| Err(ground.refusal(kind, operation).about(account));
    ground.check_caller(operation)?;
    ground.check_features(operation).await?;
    let span = span!("check_candidate" in ground.known, account: Some(account));
    match ground.unfitness(account).instrument(span).await {
        Ok(None) => Ok(()),
        Ok(Some(unfit)) => refusal(unfit),
        Err(error) => Err(error),
    }
}

/// Says no, after looking again. What it finds instead is told as a move.
pub(crate) async fn refuse<C: OrganizationsApi + ?Sized>(
    ground: &Ground<'_, C>,
    before: &Facts,
    operation: Operation,
    account: AccountId,
    why: impl FnOnce(&Facts) -> ErrorKind,
) -> Setback {
    match ground.read(&before.principal, &mut Waiting::new(ground.patience)).await {
        Err(error) => Setback::Unchanged(error),
        Ok(now) => {
            let error = ground.refusal(why(&now), operation).about(account).in_situation(&now);
            if now.agrees_with(before) { Setback::Unchanged(error) } else { Setback::Moved(error, now) }
        }
    }
}

/// Why an account cannot become the administrator: others are.
pub(crate) fn others_hold_it(now: &Facts, account: AccountId) -> ErrorKind {
    let holders: Vec<_> = now.accounts().into_iter().filter(|holder| *holder != account).collect();
    if holders.is_empty() { ErrorKind::StateMoved } else { ErrorKind::OtherAdministrator { holders } }
}

impl<C: OrganizationsApi + ?Sized> Ground<'_, C> {
    fn refusal(&self, kind: ErrorKind, operation: Operation) -> Error {
        Error::of(kind).at(operation).called_in(self.known)
    }

    /// What keeps an account from becoming the administrator, if anything does.
    ///
    /// An account that nobody knows is an error, with what AWS said.
    pub(super) async fn unfitness(&self, account: AccountId) -> Result<Option<ErrorKind>, Error> {
        if account == self.known.organization.management_account {
            return Ok(Some(ErrorKind::IsManagementAccount));
        }
        match self.client.describe_account(&account).await.map(|found| found.state) {
            Ok(None | Some(AccountState::Active)) => Ok(None),
            Ok(Some(state)) => Ok(Some(ErrorKind::NotActive { state })),
            Err(error) => {
                let error = error.about(account).called_in(self.known);
                // The code stands for a caller outside every organization too, which the observation has ruled out.
                let unknown = error.code() == Some("AccountNotFoundException");
                Err(if unknown { error.explained_by(ErrorKind::NotAMember) } else { error })
            }
        }
    }

    /// Refuses a caller that is known to be another account than the management account.
    ///
    /// Neither changes under us, so the observation is enough to say no.
    pub(crate) fn check_caller(&self, operation: Operation) -> Result<(), Error> {
        let Known { organization, caller } = self.known;
        let management = organization.management_account;
        match caller {
            Some(caller) if *caller != management => {
                Err(self.refusal(ErrorKind::NotManagementAccount { management }, operation))
            }
            _ => Ok(()),
        }
    }

    /// Refuses an organization that still has consolidated billing only, after looking again.
    pub(super) async fn check_features(&self, operation: Operation) -> Result<(), Error> {
        if self.known.organization.feature_set != Some(FeatureSet::ConsolidatedBilling) {
            return Ok(());
        }
        let organization = self.client.describe_organization().await;
        match organization.map_err(|error| error.called_in(self.known))?.feature_set {
            Some(FeatureSet::ConsolidatedBilling) => Err(self.refusal(ErrorKind::NotAllFeatures, operation)),
            _ => Ok(()),
        }
    }

    /// Reads, immediately before a write that takes away, what it would take with it.
    ///
    /// Refuses when an account administers Systems Manager that did not when the state was read. One that is gone is no reason: the read
    /// may be late, and AWS will say so if it is not. Answers the facts with the administrators as they are now.
    pub(super) async fn guard(
        &self,
        operation: Operation,
        before: &Facts,
        guarded: &Guarded<'_>,
        waiting: &mut Waiting<'_>,
    ) -> Result<(Facts, SyncsReport), Setback> {
        loop {
            let (administrators, report) = join(
                observation::administrators(self.client, &before.principal),
                guarded.care.guard(operation, guarded.endangered, self.journal.own()),
            )
            .await;
            let unread = |error: Error| Setback::Unchanged(error.called_in(self.known));
            let administrators = administrators.map_err(unread)?;
            let now = Facts { administrators, ..before.clone() };
            let made_anew = guarded.dates == Dates::Same && is_made_anew(&now, before);
            if newcomers(&now, before).is_empty() && !made_anew {
                let report = report.map_err(Setback::Unchanged)?;
                // A date may be another one: what goes is what is there now.
                let dated = before.administrators.iter().map(|known| now.administrator(known.account).unwrap_or(known));
                let administrators = dated.cloned().collect();
                return Ok((Facts { administrators, ..now }, report));
            }
            if now.predates(self.journal.since_observation()) && waiting.again().await {
                continue;
            }
            // Both halves, from one read, to say what is the case.
            let facts = self.read(&before.principal, waiting).await.map_err(Setback::Unknown)?;
            let holders = newcomers(&facts, before);
            if !holders.is_empty() {
                let error = self.refusal(ErrorKind::OtherAdministrator { holders }, operation).in_situation(&facts);
                return Err(Setback::Moved(error, facts));
            }
            let moved = facts.trusted_access.is_some() != before.trusted_access.is_some();
            if moved || (guarded.dates == Dates::Same && is_made_anew(&facts, before)) {
                let error = self.refusal(ErrorKind::StateMoved, operation).in_situation(&facts);
                return Err(Setback::Moved(error, facts));
            }
            // Listings that come and go are given time, but not for ever.
            if !waiting.again().await {
                let error = self.refusal(ErrorKind::StateMoved, operation).in_situation(&facts);
                let error = error.with_retry(Retry::Spent);
                return Err(Setback::Unchanged(error));
            }
        }
    }
}

/// Whether an account was registered again since.
fn is_made_anew(now: &Facts, before: &Facts) -> bool {
    before
        .administrators
        .iter()
        .any(|known| now.administrator(known.account).is_some_and(|found| !same_date(known.since, found.since)))
}

fn newcomers(now: &Facts, before: &Facts) -> Vec<AccountId> {
    now.accounts().into_iter().filter(|account| before.administrator(*account).is_none()).collect()
}
