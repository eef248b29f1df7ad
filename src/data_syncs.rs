//! Explorer's resource data syncs of one account, in as many Regions as there are.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use tracing::Instrument;

use crate::by_region::{self, ByRegion};
use crate::domain::{AccountId, Region, SyncName};
use crate::error::{Error, ErrorKind};
use crate::integration::Integration;
use crate::journal::Journal;
use crate::observed::{Observed, each};
use crate::operations::data_sync::{Ensured, Outcome, Place};
use crate::ports::{
    DataSync, Operation, Organization, SyncDefinition, SyncType, SystemsManagerApi, SystemsManagerClient,
};
use crate::state::{AnyState, ObservedState, TrustedAccessOn};
use crate::syncs::SyncAt;
use crate::trace::span;

/// Whose syncs a client sees, and what that account is to the organization, as of the observation.
///
/// Systems Manager shows each account only its own syncs. Nothing that is seen here says anything about another account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Viewpoint {
    /// The management account.
    Management(AccountId),
    /// The delegated administrator of Systems Manager. It cannot create a sync of the organization in an opt-in Region.
    Administrator(AccountId),
    /// Another account, such as a former administrator. It may have syncs left over; AWS decides whether it can have new ones.
    Other(AccountId),
}

impl Viewpoint {
    /// The account.
    #[must_use]
    pub fn account(self) -> AccountId {
        match self {
            Self::Management(account) | Self::Administrator(account) | Self::Other(account) => account,
        }
    }

    /// A refusal of AWS's that fits who asks: the organization is synced by its management account and its administrator alone.
    fn explain(self, refusal: Error, sync: &SyncDefinition) -> Error {
        let code = refusal.code().unwrap_or_default();
        let fits = ["AccessDeniedException", "ResourceDataSyncInvalidConfigurationException"].contains(&code);
        match self {
            // The account was no administrator when the handle was made.
            Self::Other(account) if fits && sync.is_of_organization() => {
                refusal.about(account).likely_for(ErrorKind::NotAnAdministrator)
            }
            _ => refusal,
        }
    }
}

/// Explorer's data syncs, as one account sees them: from [`Integration::data_syncs`].
///
/// It borrows the handle, so that the state cannot move on meanwhile. What it changes stands in the handle's
/// [`changes`](Integration::changes). Listing and deleting are offered in every observed state, or leftovers could never be cleaned up;
/// creating and updating where trusted access is on.
///
/// The Regions are the syncs' own, their home Regions; which Regions a sync collects from is part of its [`SyncDefinition`]. They are spoken
/// to at the same time, each with a result of its own.
pub struct DataSyncs<'a, S, M: ?Sized> {
    ssm: &'a M,
    organization: Organization,
    viewpoint: Viewpoint,
    patience: Duration,
    journal: &'a mut Journal,
    state: PhantomData<fn() -> S>,
}

/// Names the viewpoint; the client need not be `Debug`.
impl<S, M: ?Sized> fmt::Debug for DataSyncs<'_, S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataSyncs").field("viewpoint", &self.viewpoint).finish_non_exhaustive()
    }
}

/// What a sync that was to be so turned out to be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SyncEnsured {
    /// It was so already. What AWS does not show is taken for right, once it was written.
    AlreadySo(DataSync),
    /// It was created.
    Created(DataSync),
    /// It was changed in place.
    Updated(DataSync),
}

impl SyncEnsured {
    /// The sync, as AWS shows it now.
    #[must_use]
    pub fn sync(&self) -> &DataSync {
        match self {
            Self::AlreadySo(sync) | Self::Created(sync) | Self::Updated(sync) => sync,
        }
    }
}

/// The organization's data syncs.
impl<S: ObservedState, C> Integration<S, C> {
    /// Explorer's data syncs, as the account of this client sees them. Changes nothing.
    ///
    /// # Errors
    ///
    /// That of `GetCallerIdentity`: a client that cannot tell for whom it speaks cannot say whose syncs it sees.
    ///
    /// # IAM permissions
    ///
    /// None: [`GetCallerIdentity`](https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html), the one call, needs
    /// no permission.
    pub async fn data_syncs<'a, M>(&'a mut self, ssm: &'a M) -> Result<DataSyncs<'a, S, M>, Error>
    where
        M: SystemsManagerClient + ?Sized,
    {
        let account = ssm.get_caller_identity().await?.account;
        Ok(self.data_syncs_of(account, ssm))
    }

    fn data_syncs_of<'a, T, M: ?Sized>(&'a mut self, account: AccountId, ssm: &'a M) -> DataSyncs<'a, T, M> {
        let organization = self.organization().clone();
        let viewpoint = if account == organization.management_account {
            Viewpoint::Management(account)
        } else if self.facts().administrator(account).is_some() {
            Viewpoint::Administrator(account)
        } else {
            Viewpoint::Other(account)
        };
        let (patience, journal) = self.patience_and_journal();
        DataSyncs { ssm, organization, viewpoint, patience, journal, state: PhantomData }
    }
}

/// The organization's data syncs, whatever the state.
impl<C> Observed<C> {
    /// Explorer's data syncs, as the account of this client sees them: to list and to delete, which every state offers. Changes nothing.
    ///
    /// # Errors
    ///
    /// Those of [`Integration::data_syncs`].
    ///
    /// # IAM permissions
    ///
    /// None: [`GetCallerIdentity`](https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html), the one call, needs
    /// no permission.
    pub async fn data_syncs<'a, M>(&'a mut self, ssm: &'a M) -> Result<DataSyncs<'a, AnyState, M>, Error>
    where
        M: SystemsManagerClient + ?Sized,
    {
        let account = ssm.get_caller_identity().await?.account;
        Ok(each!(self, handle => handle.data_syncs_of(account, ssm)))
    }
}

impl<S, M: ?Sized> DataSyncs<'_, S, M> {
    /// Whose syncs these are.
    #[must_use]
    pub fn viewpoint(&self) -> Viewpoint {
        self.viewpoint
    }

    fn place<'p>(&'p self, region: &'p Region) -> Place<'p, M> {
        let (account, own) = (self.viewpoint.account(), self.journal.own());
        let (organization, patience) = (&self.organization, self.patience.into());
        Place { ssm: self.ssm, organization, account, region, patience, own }
    }
}

impl<S, M: SystemsManagerApi + ?Sized> DataSyncs<'_, S, M> {
    /// The account's syncs of Explorer's kind in these Regions, those of a single account among them.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) for no Region, before any call. Each Region's own are in the answer.
    ///
    /// # IAM permissions
    ///
    /// `ssm:ListResourceDataSync`. AWS:
    /// [ListResourceDataSync](https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListResourceDataSync.html).
    pub async fn list(&self, regions: &[Region]) -> Result<ByRegion<Vec<DataSync>>, Error> {
        let regions = by_region::distinct(regions, Operation::ListResourceDataSync)?;
        let job = |region| {
            let place = self.place(region);
            let span = span!("list_data_syncs", caller: Some(place.account), region: Some(region));
            async move { place.list(SyncType::SyncFromSource).await }.instrument(span)
        };
        let listed = by_region::each(regions, job).await;
        Ok(listed.into_iter().map(|(region, result)| (region.clone(), result)).collect())
    }

    /// Deletes the sync of this name in these Regions. Answers each sync as it was; `None` where there was none.
    ///
    /// It stops the collecting. What was collected stays, and so do the sources of OpsData that it switched on. A sync with another name is
    /// never touched, and neither is one that another of AWS's services looks after.
    ///
    /// # Errors
    ///
    /// Before any call: [`InvalidInput`](ErrorKind::InvalidInput) for no Region, [`ForeignSync`](ErrorKind::ForeignSync). Each Region's own
    /// are in the answer; running it again finishes the rest.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: list again.
    ///
    /// # IAM permissions
    ///
    /// `ssm:ListResourceDataSync` and `ssm:DeleteResourceDataSync`, which `ssm:SyncType` may limit to `SyncFromSource`. AWS:
    /// [DeleteResourceDataSync](https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteResourceDataSync.html).
    #[doc(alias = "DeleteResourceDataSync")]
    pub async fn delete(&mut self, name: &SyncName, regions: &[Region]) -> Result<ByRegion<Option<DataSync>>, Error> {
        let operation = Operation::DeleteResourceDataSync;
        let regions = by_region::distinct(regions, operation)?;
        check_own(name, operation)?;
        let job = |region| {
            let place = self.place(region);
            let span = span!("delete_data_sync", caller: Some(place.account), region: Some(region));
            async move { place.delete(name).await }.instrument(span)
        };
        let outcomes = by_region::each(regions, job).await;
        Ok(self.settle(outcomes))
    }

    /// Notes what was changed.
    fn settle<T>(&mut self, mut outcomes: Vec<(&Region, Outcome<T>)>) -> ByRegion<T> {
        for (_, outcome) in &mut outcomes {
            if let Some(change) = outcome.change.take() {
                self.journal.record(change);
            }
        }
        outcomes.into_iter().map(|(region, outcome)| (region.clone(), outcome.result)).collect()
    }
}

/// Where trusted access is on.
impl<S: TrustedAccessOn, M: SystemsManagerApi + ?Sized> DataSyncs<'_, S, M> {
    /// Sees to it that the sync is what it is to be in these Regions: creates it, changes it in place, or leaves it as it is.
    ///
    /// Trusted access is one half of what a sync of the organization needs; the service-linked role is the other. AWS fills a new sync within
    /// minutes, so one that was just created may not have run.
    ///
    /// # Expected flow
    ///
    /// In each Region, all at the same time: `ListResourceDataSync`; for a new sync the same for Inventory's type, because its syncs
    /// hold names and places too; `CreateResourceDataSync` or `UpdateResourceDataSync`, if anything is to be written; `ListResourceDataSync`
    /// until it shows.
    ///
    /// # Errors
    ///
    /// Before any call: [`InvalidInput`](ErrorKind::InvalidInput) for no Region, [`ForeignSync`](ErrorKind::ForeignSync). In each Region, before a
    /// write: [`SyncQuotaFull`](ErrorKind::SyncQuotaFull), [`SyncNameTaken`](ErrorKind::SyncNameTaken), [`OptInRegion`](ErrorKind::OptInRegion),
    /// [`SyncSourceFixed`](ErrorKind::SyncSourceFixed), for which there is [`recreate`](Self::recreate). Afterwards AWS's refusal,
    /// [`Lost`](ErrorKind::Lost) or [`NotSettled`](ErrorKind::NotSettled). Running it again finishes the rest.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: list again.
    ///
    /// # IAM permissions
    ///
    /// `ssm:ListResourceDataSync`, `ssm:CreateResourceDataSync` and `ssm:UpdateResourceDataSync`, which `ssm:SyncType` may limit to
    /// `SyncFromSource`. AWS:
    /// [Explorer's resource data syncs](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-resource-data-sync.html).
    #[doc(alias = "CreateResourceDataSync")]
    #[doc(alias = "UpdateResourceDataSync")]
    pub async fn ensure(&mut self, sync: &SyncDefinition, regions: &[Region]) -> Result<ByRegion<SyncEnsured>, Error> {
        let operation = Operation::CreateResourceDataSync;
        let regions = by_region::distinct(regions, operation)?;
        check_own(sync.name(), operation)?;
        let administrator = matches!(self.viewpoint, Viewpoint::Administrator(_));
        let outcomes = by_region::each(regions, |region| {
            let place = self.place(region);
            let at = SyncAt::new(self.viewpoint.account(), region, sync.name());
            let written = self.journal.has_written(&at, sync);
            let span = span!("ensure_data_sync", caller: Some(place.account), region: Some(region));
            let viewpoint = self.viewpoint;
            let ensure = async move {
                let Outcome { result, change } = place.ensure(sync, administrator, written).await;
                Outcome { result: result.map_err(|error| viewpoint.explain(error, sync)), change }
            };
            ensure.instrument(span)
        })
        .await;
        for (region, outcome) in &outcomes {
            if outcome.change.is_some() && outcome.result.is_ok() {
                self.journal.note_written(SyncAt::new(self.viewpoint.account(), region, sync.name()), sync);
            }
        }
        Ok(self.settle(outcomes).map(|ensured| match ensured {
            Ensured::AlreadySo(sync) => SyncEnsured::AlreadySo(sync),
            Ensured::Created(sync) => SyncEnsured::Created(sync),
            Ensured::Updated(sync) => SyncEnsured::Updated(sync),
        }))
    }

    /// Deletes the sync in these Regions and creates it anew: what changes its account options, and what AWS says to do about a sync that outlived
    /// a time without trusted access.
    ///
    /// Nothing is deleted where the new sync could not be created, as far as that can be known before. Each Region gets the new sync
    /// only where the old one is gone.
    ///
    /// # Errors
    ///
    /// Those of [`delete`](Self::delete) and [`ensure`](Self::ensure); [`NotAnAdministrator`](ErrorKind::NotAnAdministrator), before any call, for
    /// a sync of the organization in another account than the management account and the administrator's. Where the second step fails, the sync
    /// is gone; the handle's [`changes`](Integration::changes) hold it as it was.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: list again. The sync may be gone without standing in the changes: keep what [`list`](Self::list) showed before.
    ///
    /// # IAM permissions
    ///
    /// `ssm:ListResourceDataSync`, `ssm:DeleteResourceDataSync`, `ssm:CreateResourceDataSync` and `ssm:UpdateResourceDataSync`. AWS:
    /// [UpdateResourceDataSync](https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateResourceDataSync.html), which tells to
    /// delete and create, and
    /// [Systems Manager and Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html).
    pub async fn recreate(
        &mut self,
        sync: &SyncDefinition,
        regions: &[Region],
    ) -> Result<ByRegion<SyncEnsured>, Error> {
        let operation = Operation::CreateResourceDataSync;
        let distinct = by_region::distinct(regions, operation)?;
        check_own(sync.name(), operation)?;
        if let (Viewpoint::Other(account), true) = (self.viewpoint, sync.is_of_organization()) {
            let refusal = Error::of(ErrorKind::NotAnAdministrator).at(operation).in_organization(&self.organization);
            return Err(refusal.about(account).called_as(Some(account)));
        }
        let administrator = matches!(self.viewpoint, Viewpoint::Administrator(_));
        let checks = by_region::each(distinct, |region| {
            let place = self.place(region);
            async move { place.check_recreation(sync, administrator).await }
        })
        .await;
        let mut results = Vec::new();
        let mut possible = Vec::new();
        for (region, check) in checks {
            match check {
                Ok(()) => possible.push(region.clone()),
                Err(error) => results.push((region.clone(), Err(error))),
            }
        }
        let mut gone = Vec::new();
        if !possible.is_empty() {
            for (region, deleted) in self.delete(sync.name(), &possible).await?.into_inner() {
                match deleted {
                    Ok(_) => gone.push(region),
                    Err(error) => results.push((region, Err(error))),
                }
            }
        }
        if !gone.is_empty() {
            results.extend(self.ensure(sync, &gone).await?.into_inner());
        }
        Ok(results.into_iter().collect())
    }
}

/// Refuses a sync that another of AWS's services looks after.
pub(crate) fn check_own(name: &SyncName, operation: Operation) -> Result<(), Error> {
    if name.is_foreign() { Err(Error::of(ErrorKind::ForeignSync).at(operation)) } else { Ok(()) }
}
