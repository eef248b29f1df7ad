use super::Integration;
use crate::domain::AccountId;
use crate::error::{Error, ErrorKind};
use crate::failure::{Failure, Recovered};
use crate::observed::Observed;
use crate::operations::{self, Setback};
use crate::ports::{DelegatedAdministrator, EnabledService, OrganizationsApi};
use crate::state::Irregular;
use crate::syncs::{Endangered, Syncs};

/// Several administrators, or one without trusted access:
/// [`keep_only_administrator`](Self::keep_only_administrator), [`remove_all_administrators`](Self::remove_all_administrators) or
/// [`reinstate_trust`](Self::reinstate_trust).
impl<C> Integration<Irregular, C> {
    /// Systems Manager's entry among the trusted services, if it has one.
    #[must_use]
    pub fn trusted_access(&self) -> Option<&EnabledService> {
        self.state.facts.trusted_access.as_ref()
    }

    /// The accounts that administer Systems Manager, with their own states.
    #[must_use]
    pub fn administrators(&self) -> &[DelegatedAdministrator] {
        &self.state.facts.administrators
    }

    /// Takes the delegation from every account but one, each as [`deregister`](Integration::deregister) would, in AWS's order.
    ///
    /// Leads to `Delegated`, or stays irregular where trusted access is off.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) before any call when the account is not among the administrators, and the errors of
    /// [`deregister`](Integration::deregister). What was taken before a failure stays taken, and stands in
    /// [`changes`](Integration::changes).
    ///
    /// # Cancel safety, IAM permissions
    ///
    /// As for [`deregister`](Integration::deregister).
    pub async fn keep_only_administrator(
        self,
        account: &AccountId,
        syncs: Syncs<'_>,
    ) -> Result<Observed<C>, Failure<Self>>
    where
        C: OrganizationsApi,
    {
        if self.state.facts.administrator(*account).is_none() {
            let error = Error::of(ErrorKind::InvalidInput)
                .with_message(format!("account {account} is not an administrator, so it cannot be kept as one"));
            return Err(Failure::new(error, Recovered::Unchanged(self)));
        }
        let mut others = self.state.facts.accounts();
        others.retain(|other| other != account);
        let endangered = Endangered { known: others.clone(), others: false };
        self.remove(&others, syncs, &endangered).await
    }

    /// Takes the delegation from every account, each as [`deregister`](Integration::deregister) would, in AWS's order.
    ///
    /// Leads to `TrustedAccess`, or to `Disabled` where trusted access is off.
    ///
    /// # Errors
    ///
    /// Those of [`deregister`](Integration::deregister). What was taken before a failure stays taken, and stands in
    /// [`changes`](Integration::changes).
    ///
    /// # Cancel safety, IAM permissions
    ///
    /// As for [`deregister`](Integration::deregister).
    pub async fn remove_all_administrators(self, syncs: Syncs<'_>) -> Result<Observed<C>, Failure<Self>>
    where
        C: OrganizationsApi,
    {
        let accounts = self.state.facts.accounts();
        let endangered = Endangered { known: accounts.clone(), others: false };
        self.remove(&accounts, syncs, &endangered).await
    }

    /// Trusts Systems Manager again, where an account still administers it: the way back that takes nothing away.
    ///
    /// Leads to `Delegated`, or stays irregular where there are several administrators. Where trusted access is on, it changes nothing.
    ///
    /// # Errors
    ///
    /// Those of [`enable_trusted_access`](Integration::enable_trusted_access).
    ///
    /// # Cancel safety, IAM permissions
    ///
    /// As for [`enable_trusted_access`](Integration::enable_trusted_access).
    pub async fn reinstate_trust(mut self) -> Result<Observed<C>, Failure<Self>>
    where
        C: OrganizationsApi,
    {
        if self.state.facts.trusted_access.is_some() {
            return Ok(Observed::Irregular(self));
        }
        let before = self.facts();
        let outcome = operations::enable(&mut self.ground(), &before).await;
        self.conclude_any(outcome)
    }

    /// Takes the delegation from these accounts, one after the other. The first step looks at all syncs that the whole endangers.
    pub(crate) async fn remove(
        mut self,
        accounts: &[AccountId],
        syncs: Syncs<'_>,
        endangered: &Endangered,
    ) -> Result<Observed<C>, Failure<Self>>
    where
        C: OrganizationsApi,
    {
        let mut before = self.facts();
        let mut endangered = endangered.clone();
        let mut removed = false;
        for account in accounts {
            let outcome = operations::deregister(&mut self.ground(), &before, *account, syncs, &endangered).await;
            match outcome {
                Ok(after) => before = after,
                // The handle's own state is gone once an account is removed.
                Err(Setback::Unchanged(error)) if removed => {
                    return self.conclude_any(Err(Setback::Moved(error, before)));
                }
                Err(setback) => return self.conclude_any(Err(setback)),
            }
            removed = true;
            endangered.known.retain(|other| other != account);
        }
        Ok(self.led_to(before))
    }
}
