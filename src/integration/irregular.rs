use super::Integration;
use crate::domain::AccountId;
use crate::error::ErrorKind;
use crate::failure::{Failure, Recovered};
use crate::observation::Facts;
use crate::observed::Observed;
use crate::operations::{self, Dates, Setback};
use crate::ports::{DelegatedAdministrator, EnabledService, Operation, OrganizationsApi};
use crate::state::Irregular;
use crate::syncs::{Endangered, Syncs};

/// Several administrators, or one without trusted access:
/// [`keep_only`](Self::keep_only), [`remove_all`](Self::remove_all) or
/// [`reinstate_trust`](Self::reinstate_trust).
impl<C> Integration<Irregular, C> {
    /// Systems Manager's entry among the trusted services, if it has one.
    #[must_use]
    pub fn trust(&self) -> Option<&EnabledService> {
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
    /// [`NotAnAdministrator`](ErrorKind::NotAnAdministrator) before a write, after another look, and the errors of
    /// [`deregister`](Integration::deregister). What was taken before a failure stays taken, and stands in
    /// [`changes`](Integration::changes).
    ///
    /// # Expected flow, guarantees, cancel safety, IAM permissions, AWS's page
    ///
    /// As for [`deregister`](Integration::deregister), for each account.
    pub async fn keep_only(mut self, account: &AccountId, syncs: Syncs<'_>) -> Result<Observed<C>, Failure<Self>>
    where
        C: OrganizationsApi,
    {
        if self.state.facts.administrator(*account).is_none() {
            let before = self.facts();
            let operation = Operation::DeregisterDelegatedAdministrator;
            let why = |now: &Facts| match now.administrator(*account) {
                None => ErrorKind::NotAnAdministrator,
                Some(_) => ErrorKind::StateMoved,
            };
            let setback = operations::refuse(&self.ground(), &before, operation, *account, why).await;
            return Err(self.fail(setback));
        }
        let mut others = self.state.facts.accounts();
        others.retain(|other| other != account);
        let endangered = Endangered::of(others.clone());
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
    /// # Expected flow, guarantees, cancel safety, IAM permissions, AWS's page
    ///
    /// As for [`deregister`](Integration::deregister), for each account.
    pub async fn remove_all(self, syncs: Syncs<'_>) -> Result<Observed<C>, Failure<Self>>
    where
        C: OrganizationsApi,
    {
        let accounts = self.state.facts.accounts();
        let endangered = Endangered::of(accounts.clone());
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
    /// # Expected flow, guarantees, cancel safety, IAM permissions, AWS's page
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
            let outcome =
                operations::deregister(&mut self.ground(), &before, *account, syncs.into(), &endangered, Dates::Any)
                    .await;
            match outcome {
                Ok(done) => before = done.facts,
                // The handle's own state is gone once an account is removed, by ourselves and not by what a read showed.
                Err(Setback::Unchanged(error)) if removed => {
                    return Err(Failure::new(error, Recovered::Moved(self.led_to(before))));
                }
                Err(setback) => return Err(self.fail(setback)),
            }
            removed = true;
            endangered.known.retain(|other| other != account);
        }
        Ok(self.led_to(before))
    }
}
