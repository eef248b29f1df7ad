//! The whole walk to an end, whatever the start.

use tracing::Instrument;

use super::Observed;
use crate::domain::AccountId;
use crate::error::{Error, ErrorKind};
use crate::failure::{Failure, Recovered};
use crate::integration::Integration;
use crate::operations::{self, Half};
use crate::ports::{Operation, OrganizationsApi};
use crate::state::{Delegated, Disabled, ObservedState};
use crate::syncs::{Endangered, Syncs};
use crate::trace::span;

impl<C: OrganizationsApi> Observed<C> {
    /// Sees to it that this account administers Systems Manager in the organization, whatever the start.
    ///
    /// Enables and registers what is missing, and writes nothing where nothing is. Whoever else leads there meanwhile, it is a success. The account is looked at before the first
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
    /// Those of the two transitions. AWS:
    /// [Configuring a delegated administrator](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator.html).
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
        let span = span!("ensure_delegated" in self.known(), account: Some(account));
        let failure = match self.walk_to_delegated(*account).instrument(span).await {
            Ok(delegated) => return Ok(delegated),
            Err(failure) => failure,
        };
        // Whoever else led there: it is what was wanted.
        match failure.into_parts() {
            (_, Recovered::Moved(Self::Delegated(handle))) if handle.administrator().account == *account => Ok(handle),
            (error, recovered) => Err(Failure::new(error, recovered)),
        }
    }

    async fn walk_to_delegated(self, account: AccountId) -> Result<Integration<Delegated, C>, Failure<Self>> {
        match self {
            Self::Delegated(handle) if handle.administrator().account == account => Ok(handle),
            Self::Delegated(handle) => Err(refuse_for_others(handle, account).await),
            Self::TrustedAccess(handle) => {
                handle.register_delegated_administrator(&account).await.map_err(Failure::at_the_start)
            }
            Self::Disabled(mut handle) => {
                if let Err(error) = operations::candidate(&handle.ground(), account).await {
                    return Err(Failure::new(error, Recovered::Unchanged(handle.into())));
                }
                let trusted = handle.enable_trusted_access().await.map_err(Failure::at_the_start)?;
                trusted.register_checked(account).await.map_err(Failure::on_the_way)
            }
            Self::Irregular(mut handle) => {
                let only_this_one = handle.administrators().iter().all(|found| found.account == account);
                if handle.trust().is_some() || !only_this_one {
                    return Err(refuse_for_others(handle, account).await);
                }
                if let Err(error) = operations::candidate(&handle.ground(), account).await {
                    return Err(Failure::new(error, Recovered::Unchanged(handle.into())));
                }
                // The move that is wanted, unless somebody else moved too.
                match handle.reinstate_trust().await.map_err(Failure::at_the_start)? {
                    Self::Delegated(handle) => Err(moved(look_again(handle, Half::Administrators).await?)),
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
    /// Those of the two transitions. AWS:
    /// [Deregister an Explorer delegated administrator](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator-deregister.html).
    pub async fn ensure_disabled(self, syncs: Syncs<'_>) -> Result<Integration<Disabled, C>, Failure<Self>> {
        let span = span!("ensure_disabled" in self.known());
        let failure = match self.walk_to_disabled(syncs).instrument(span).await {
            Ok(disabled) => return Ok(disabled),
            Err(failure) => failure,
        };
        match failure.into_parts() {
            (_, Recovered::Moved(Self::Disabled(handle))) => Ok(handle),
            (error, recovered) => Err(Failure::new(error, recovered)),
        }
    }

    async fn walk_to_disabled(self, syncs: Syncs<'_>) -> Result<Integration<Disabled, C>, Failure<Self>> {
        let endangered = self.endangered_by_disabling();
        match self {
            Self::Disabled(handle) => Ok(handle),
            Self::TrustedAccess(handle) => handle.disable(syncs).await.map_err(Failure::at_the_start),
            Self::Delegated(handle) => {
                let trusted =
                    handle.deregister_where(syncs.into(), &endangered).await.map_err(Failure::at_the_start)?;
                trusted.disable(syncs).await.map_err(Failure::on_the_way)
            }
            Self::Irregular(handle) => {
                let accounts = handle.facts().accounts();
                let mut removed = handle.remove(&accounts, syncs, &endangered).await.map_err(Failure::at_the_start)?;
                if let Self::Disabled(handle) = removed {
                    removed = look_again(handle, Half::Trust).await?;
                }
                match removed {
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
        Endangered { others: trusted, ..Endangered::of(known) }
    }
}

/// Says no because others hold the delegation.
async fn refuse_for_others<S: ObservedState, C: OrganizationsApi>(
    mut handle: Integration<S, C>,
    account: AccountId,
) -> Failure<Observed<C>>
where
    Observed<C>: From<Integration<S, C>>,
{
    let before = handle.facts();
    let operation = Operation::RegisterDelegatedAdministrator;
    let why = |now: &_| operations::others_hold_it(now, account);
    let setback = operations::refuse(&handle.ground(), &before, operation, account, why).await;
    handle.fail(setback).at_the_start()
}

/// Reads the half of an irregular state that the last step did not.
///
/// The two halves are two reads. What looks irregular may be two moments of what others are changing.
async fn look_again<S: ObservedState, C: OrganizationsApi>(
    mut handle: Integration<S, C>,
    half: Half,
) -> Result<Observed<C>, Failure<Observed<C>>> {
    let mut facts = handle.facts();
    match handle.ground().read_half(&mut facts, half).await {
        Ok(()) => Ok(handle.led_to(facts)),
        Err(error) => Err(Failure::new(error, Recovered::Unknown(handle.forget()))),
    }
}

fn moved<C>(other: Observed<C>) -> Failure<Observed<C>> {
    let error = Error::of(ErrorKind::StateMoved).called_in(other.known()).in_situation(&other.facts());
    Failure::new(error, Recovered::Moved(other))
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
