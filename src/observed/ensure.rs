//! The whole walk to an end, whatever the start.

use super::Observed;
use crate::domain::AccountId;
use crate::error::{Error, ErrorKind};
use crate::failure::{Failure, Recovered};
use crate::integration::Integration;
use crate::observation;
use crate::operations;
use crate::ports::{Operation, OrganizationsApi};
use crate::state::{Delegated, Disabled, ObservedState};
use crate::syncs::{Endangered, Syncs};

impl<C: OrganizationsApi> Observed<C> {
    /// Sees to it that this account administers Systems Manager in the organization, whatever the start.
    ///
    /// Enables and registers what is missing, and writes nothing where nothing is. The account is looked at before the first
    /// write, so that one that cannot become the administrator leaves everything as it was. Takes nothing away: where another
    /// account holds the delegation, it reads again, refuses and names it. An irregular organization without trusted access,
    /// whose only administrator is this account, gets its trusted access back.
    ///
    /// # Errors
    ///
    /// Those of [`enable_trusted_access`](Integration::enable_trusted_access) and
    /// [`register_delegated_administrator`](Integration::register_delegated_administrator). The failure
    /// [`recover`](Failure::recover)s into `Moved` when the first step succeeded and the second did not.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # IAM permissions
    ///
    /// Those of the two transitions.
    ///
    /// # Example
    ///
    /// ```
    /// use ssm_organizations::{AccountId, Integration, sim};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), ssm_organizations::Error> {
    /// let account: AccountId = "222222222222".parse()?;
    /// let organization = sim::Organization::builder().member(account).build();
    ///
    /// let observed = Integration::new(organization.management_client()).observe().await?;
    /// let delegated = observed.ensure_delegated(&account).await?;
    /// assert_eq!(delegated.administrator().account, account);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ensure_delegated(self, account: &AccountId) -> Result<Integration<Delegated, C>, Failure<Self>> {
        match self {
            Self::Delegated(handle) if handle.administrator().account == *account => Ok(handle),
            Self::Delegated(handle) => Err(refuse_for_others(handle, *account).await),
            Self::TrustedAccess(handle) => {
                handle.register_delegated_administrator(account).await.map_err(Failure::at_the_start)
            }
            Self::Disabled(mut handle) => {
                if let Err(error) = operations::candidate(&handle.ground(), *account).await {
                    return Err(Failure::new(error, Recovered::Unchanged(handle.into())));
                }
                let trusted = handle.enable_trusted_access().await.map_err(Failure::at_the_start)?;
                trusted.register_checked(*account).await.map_err(Failure::on_the_way)
            }
            Self::Irregular(handle) => {
                let only_this_one = handle.administrators().iter().all(|found| found.account == *account);
                if handle.trusted_access().is_some() || !only_this_one {
                    return Err(refuse_for_others(handle, *account).await);
                }
                match handle.reinstate_trust().await.map_err(Failure::at_the_start)? {
                    Self::Delegated(handle) if handle.administrator().account == *account => Ok(handle),
                    other => Err(moved(other)),
                }
            }
        }
    }

    /// Sees to it that Systems Manager is not trusted in the organization and that no account administers it, whatever the start.
    ///
    /// Deregisters and disables what is there, in AWS's order, and writes nothing where nothing is. Under [`Syncs::Protect`] the first step
    /// looks at the syncs that the whole walk endangers, so it needs a client of the management account and, where there is an
    /// administrator, one of that account.
    ///
    /// # Errors
    ///
    /// Those of [`deregister`](Integration::deregister) and [`disable`](Integration::disable). The failure
    /// [`recover`](Failure::recover)s into `Moved` when an earlier step succeeded and a later one did not.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # IAM permissions
    ///
    /// Those of the two transitions.
    pub async fn ensure_disabled(self, syncs: Syncs<'_>) -> Result<Integration<Disabled, C>, Failure<Self>> {
        let endangered = self.endangered_by_disabling();
        match self {
            Self::Disabled(handle) => Ok(handle),
            Self::TrustedAccess(handle) => handle.disable(syncs).await.map_err(Failure::at_the_start),
            Self::Delegated(handle) => {
                let trusted = handle.deregister_where(syncs, &endangered).await.map_err(Failure::at_the_start)?;
                trusted.disable(syncs).await.map_err(Failure::on_the_way)
            }
            Self::Irregular(handle) => {
                let accounts = handle.facts().accounts();
                match handle.remove(&accounts, syncs, &endangered).await.map_err(Failure::at_the_start)? {
                    Self::Disabled(handle) => Ok(handle),
                    Self::TrustedAccess(handle) => handle.disable(syncs).await.map_err(Failure::on_the_way),
                    other => Err(moved(other)),
                }
            }
        }
    }

    /// Every administrator's syncs and, where trusted access is on and goes too, everybody's.
    fn endangered_by_disabling(&self) -> Endangered {
        let facts = self.facts();
        let trusted = facts.trusted_access.is_some();
        let mut known = facts.accounts();
        if trusted {
            known.push(self.organization().management_account);
        }
        Endangered { known, others: trusted }
    }
}

/// Says no because others hold the delegation, after looking again.
async fn refuse_for_others<S: ObservedState, C: OrganizationsApi>(
    handle: Integration<S, C>,
    account: AccountId,
) -> Failure<Observed<C>>
where
    Observed<C>: From<Integration<S, C>>,
{
    let refusal =
        |kind| Error::of(kind).at(Operation::RegisterDelegatedAdministrator).about(account).called_as(handle.caller());
    match observation::facts(handle.client()).await {
        Err(error) => {
            let error = error.called_as(handle.caller());
            Failure::new(error, Recovered::Unchanged(handle.into()))
        }
        Ok(facts) => {
            let holders: Vec<_> = facts.accounts().into_iter().filter(|holder| *holder != account).collect();
            let gone = holders.is_empty();
            let error = refusal(if gone { ErrorKind::StateMoved } else { ErrorKind::OtherAdministrator { holders } });
            let recovered = if facts.agrees_with(&handle.facts()) {
                Recovered::Unchanged(handle.into())
            } else {
                Recovered::Moved(handle.moved_to(facts))
            };
            Failure::new(error, recovered)
        }
    }
}

fn moved<C>(other: Observed<C>) -> Failure<Observed<C>> {
    Failure::new(Error::of(ErrorKind::StateMoved).called_as(other.caller()), Recovered::Moved(other))
}

impl<S: ObservedState, C> Failure<Integration<S, C>>
where
    Observed<C>: From<Integration<S, C>>,
{
    /// The failure of a walk's first step: what is unchanged for the step is unchanged for the walk.
    fn at_the_start(self) -> Failure<Observed<C>> {
        self.widen(|handle| Recovered::Unchanged(handle.into()))
    }

    /// The failure of a later step: the walk has moved, if only by itself.
    fn on_the_way(self) -> Failure<Observed<C>> {
        self.widen(|handle| Recovered::Moved(handle.into()))
    }

    fn widen(self, unchanged: impl FnOnce(Integration<S, C>) -> Recovered<Observed<C>>) -> Failure<Observed<C>> {
        let (error, recovered) = self.into_parts();
        let recovered = match recovered {
            Recovered::Unchanged(handle) => unchanged(handle),
            Recovered::Moved(observed) => Recovered::Moved(observed),
            Recovered::Unknown(handle) => Recovered::Unknown(handle),
        };
        Failure::new(error, recovered)
    }
}
