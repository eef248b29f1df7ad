//! What is read before a write.

use super::{Ground, Setback};
use crate::domain::AccountId;
use crate::error::{Error, ErrorKind};
use crate::observation::{self, Facts, Known};
use crate::ports::{AccountState, FeatureSet, Operation, OrganizationsApi};

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
    if account == ground.known.organization.management_account {
        return refusal(ErrorKind::IsManagementAccount);
    }
    match ground.client.describe_account(&account).await {
        Ok(found) => match found.state {
            None | Some(AccountState::Active) => Ok(()),
            Some(state) => refusal(ErrorKind::NotActive { state }),
        },
        Err(error) => {
            let error = error.about(account).called_as(ground.known.caller);
            // The code stands for a caller outside every organization too, which the observation has ruled out.
            let unknown = error.code() == Some("AccountNotFoundException");
            Err(if unknown { error.explained_by(ErrorKind::NotAMember) } else { error })
        }
    }
}

impl<C: OrganizationsApi + ?Sized> Ground<'_, C> {
    fn refusal(&self, kind: ErrorKind, operation: Operation) -> Error {
        Error::of(kind).at(operation).called_as(self.known.caller)
    }

    /// Refuses a caller that is known to be another account than the management account.
    ///
    /// Neither changes under us, so the observation is enough to say no.
    pub(super) fn check_caller(&self, operation: Operation) -> Result<(), Error> {
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
        match organization.map_err(|error| error.called_as(self.known.caller))?.feature_set {
            Some(FeatureSet::ConsolidatedBilling) => Err(self.refusal(ErrorKind::NotAllFeatures, operation)),
            _ => Ok(()),
        }
    }

    /// Refuses when an account administers Systems Manager that did not when the state was read.
    ///
    /// One that is gone is no reason: the read may be late, and AWS will say so if it is not.
    pub(super) async fn check_administrators(&self, operation: Operation, before: &Facts) -> Result<(), Setback> {
        let unread = |error: Error| Setback::Unchanged(error.called_as(self.known.caller));
        let mut waiting = self.waiting();
        loop {
            let administrators = observation::administrators(self.client).await.map_err(unread)?;
            let now = Facts { administrators, ..before.clone() };
            let newcomers: Vec<_> =
                now.accounts().into_iter().filter(|account| before.administrator(*account).is_none()).collect();
            if newcomers.is_empty() {
                return Ok(());
            }
            if now.predates(self.journal.since_observation()) && waiting.again().await {
                continue;
            }
            let facts = observation::facts(self.client).await.map_err(unread)?;
            let error = self.refusal(ErrorKind::OtherAdministrator { holders: newcomers }, operation);
            return Err(Setback::Moved(error, facts));
        }
    }
}
