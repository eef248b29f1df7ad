//! Explorer's resource data syncs of one account, in any number of Regions.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use tracing::Instrument;

use super::Integration;
use super::observed::{Observed, with_handle};
use super::state::{AnyState, ObservedState, TrustedAccessEnabled};
use crate::domain::{
    AccountId, DataSync, DataSyncId, EnsureOutcome, Operation, Organization, Region, SyncDefinition, SyncName, SyncType,
};
use crate::error::{Error, ErrorKind};
use crate::observation::caller_account;
use crate::operations::data_sync::{RegionSyncs, WriteResult, check_not_service_managed};
use crate::operations::regions::{self, ByRegion};
use crate::operations::{ChangeLog, KnownRead, RefusalReads};
use crate::policy::Caller;
use crate::ports::{IamClient, OrganizationsApi, SystemsManagerApi, SystemsManagerClient};
use crate::trace::span;
use crate::wait::WaitPolicy;

/// Account whose syncs a client sees, with its role in the organization at the time of the
/// observation.
///
/// Systems Manager shows each account only its own syncs. A listing therefore proves nothing about
/// another account's syncs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ObservedOwner {
    /// The management account.
    Management(AccountId),
    /// The delegated administrator of Systems Manager. This account cannot create a sync of the
    /// organization in an opt-in Region.
    Administrator(AccountId),
    /// Another account, such as a former administrator. The account may have leftover syncs; AWS
    /// decides whether the account can create new ones.
    Other(AccountId),
}

impl ObservedOwner {
    /// Returns the account.
    #[must_use]
    pub fn account(self) -> AccountId {
        match self {
            Self::Management(account) | Self::Administrator(account) | Self::Other(account) => account,
        }
    }

    /// Adds the likely cause to a refusal: only the management account and the delegated
    /// administrator can create syncs of the organization.
    fn explain(self, refusal: Error, sync: &SyncDefinition) -> Error {
        let code = refusal.code().unwrap_or_default();
        let fits = ["AccessDeniedException", "ResourceDataSyncInvalidConfigurationException"].contains(&code);
        match self {
            // The account was not an administrator when the handle was created.
            Self::Other(account) if fits && sync.is_of_organization() => {
                refusal.with_account(account).with_inferred_kind(ErrorKind::NotDelegatedAdministrator)
            }
            _ => refusal,
        }
    }
}

impl From<ObservedOwner> for Caller {
    fn from(viewpoint: ObservedOwner) -> Self {
        match viewpoint {
            ObservedOwner::Management(_) => Self::Management,
            ObservedOwner::Administrator(_) => Self::Administrator,
            ObservedOwner::Other(account) => Self::Account(account),
        }
    }
}

/// Explorer's data syncs of one account, returned by [`Integration::data_syncs`].
///
/// The value borrows the handle, so the handle's state cannot change while the value exists. Its
/// changes are recorded in the handle's [`changes`](Integration::changes). Listing and deleting are
/// available in every observed state, so that leftover syncs can be removed. Creating and updating
/// require trusted access.
///
/// The Regions are the home Regions of the syncs. The Regions that a sync collects from are part of
/// its [`SyncDefinition`]. Calls to several Regions run concurrently, and each Region has its own
/// result.
pub struct DataSyncs<'a, S, M: ?Sized> {
    ssm: &'a M,
    /// Client of the handle, for reads that show the cause of a refusal.
    organizations: &'a dyn OrganizationsApi,
    organization: Organization,
    viewpoint: ObservedOwner,
    wait_policy: WaitPolicy<'a>,
    change_log: &'a mut ChangeLog,
    state: PhantomData<fn() -> S>,
}

/// Prints the owner; the client need not be `Debug`.
impl<S, M: ?Sized> fmt::Debug for DataSyncs<'_, S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataSyncs").field("viewpoint", &self.viewpoint).finish_non_exhaustive()
    }
}

/// Access to the organization's data syncs.
impl<S: ObservedState, C: OrganizationsApi> Integration<S, C> {
    /// Returns access to Explorer's data syncs of this client's account. Changes nothing.
    ///
    /// # Errors
    ///
    /// Those of `GetCallerIdentity`: the owner of the syncs is unknown without the caller's
    /// identity.
    ///
    /// # IAM permissions
    ///
    /// None: the only call,
    /// [`GetCallerIdentity`](https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html),
    /// needs no permission.
    pub async fn data_syncs<'a, M>(&'a mut self, ssm: &'a M) -> Result<DataSyncs<'a, S, M>, Error>
    where
        M: SystemsManagerClient + ?Sized,
    {
        let account = caller_account(ssm, self.base.wait_policy).await?;
        Ok(self.data_syncs_of(account, ssm))
    }

    pub(crate) fn data_syncs_of<'a, T, M: ?Sized>(&'a mut self, account: AccountId, ssm: &'a M) -> DataSyncs<'a, T, M> {
        let organization = self.organization().clone();
        let viewpoint = if account == organization.management_account {
            ObservedOwner::Management(account)
        } else if self.status().administrator(account).is_some() {
            ObservedOwner::Administrator(account)
        } else {
            ObservedOwner::Other(account)
        };
        let (organizations, wait_policy, change_log) = self.client_policy_and_log();
        DataSyncs { ssm, organizations, organization, viewpoint, wait_policy, change_log, state: PhantomData }
    }
}

/// Access to the organization's data syncs in every observed state.
impl<C: OrganizationsApi> Observed<C> {
    /// Returns access to Explorer's data syncs of this client's account. Every state offers listing
    /// and deleting. Changes nothing.
    ///
    /// # Errors
    ///
    /// Those of [`Integration::data_syncs`].
    ///
    /// # IAM permissions
    ///
    /// None: the only call,
    /// [`GetCallerIdentity`](https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html),
    /// needs no permission.
    pub async fn data_syncs<'a, M>(&'a mut self, ssm: &'a M) -> Result<DataSyncs<'a, AnyState, M>, Error>
    where
        M: SystemsManagerClient + ?Sized,
    {
        let policy = with_handle!(self, handle => handle.base.wait_policy);
        let account = caller_account(ssm, policy).await?;
        Ok(with_handle!(self, handle => handle.data_syncs_of(account, ssm)))
    }
}

impl<S, M: ?Sized> DataSyncs<'_, S, M> {
    /// Returns the account that owns these syncs.
    #[must_use]
    pub fn owner(&self) -> ObservedOwner {
        self.viewpoint
    }

    fn place<'p>(&'p self, region: &'p Region) -> RegionSyncs<'p, M> {
        let (account, local_changes) = (self.viewpoint.account(), self.change_log.local_changes());
        let (organization, wait_policy) = (&self.organization, self.wait_policy);
        RegionSyncs {
            ssm: self.ssm,
            organization,
            account,
            region,
            wait_policy,
            local_changes,
            known: KnownRead::none(),
            refusal_reads: RefusalReads { iam: None, organizations: Some(self.organizations) },
        }
    }
}

impl<S, M: SystemsManagerApi + ?Sized> DataSyncs<'_, S, M> {
    /// Returns the account's Explorer syncs in these Regions, including those of a single account.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) for an empty list of Regions, before any call.
    /// Each Region's error is in the returned value.
    ///
    /// # IAM permissions
    ///
    /// `ssm:ListResourceDataSync`. AWS:
    /// [ListResourceDataSync](https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListResourceDataSync.html).
    pub async fn list(&self, regions: &[Region]) -> Result<ByRegion<Vec<DataSync>>, Error> {
        let regions = regions::unique_regions(regions, Operation::ListResourceDataSync)?;
        let job = |region| {
            let place = self.place(region);
            let span = span!("list_data_syncs", caller: Some(place.account), region: Some(region));
            async move { place.list(SyncType::SyncFromSource).await }.instrument(span)
        };
        let listed = regions::for_each_region(regions, job).await;
        Ok(listed.into_iter().map(|(region, result)| (region.clone(), result)).collect())
    }

    /// Deletes the sync of this name in these Regions. Returns each sync as it was before, or
    /// `None` if the sync did not exist.
    ///
    /// Deletion stops the collection. Collected data remains, and so do the OpsData sources that
    /// the sync enabled. Syncs with another name, and syncs that another AWS service manages, are
    /// never touched.
    ///
    /// # Errors
    ///
    /// Before any call: [`InvalidInput`](ErrorKind::InvalidInput) for an empty list of Regions,
    /// [`ServiceManagedSync`](ErrorKind::ServiceManagedSync). Each Region's error is in the
    /// returned value. Calling the method again completes the remaining Regions.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: list again.
    ///
    /// # IAM permissions
    ///
    /// `ssm:ListResourceDataSync` and `ssm:DeleteResourceDataSync`, which `ssm:SyncType` may limit
    /// to `SyncFromSource`. AWS:
    /// [DeleteResourceDataSync](https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteResourceDataSync.html).
    #[doc(alias = "DeleteResourceDataSync")]
    pub async fn delete(&mut self, name: &SyncName, regions: &[Region]) -> Result<ByRegion<Option<DataSync>>, Error> {
        let operation = Operation::DeleteResourceDataSync;
        let regions = regions::unique_regions(regions, operation)?;
        check_not_service_managed(name, operation)?;
        let job = |region| {
            let place = self.place(region);
            let span = span!("delete_data_sync", caller: Some(place.account), region: Some(region));
            async move { place.delete(name).await }.instrument(span)
        };
        let outcomes = regions::for_each_region(regions, job).await;
        Ok(self.record_results(outcomes))
    }

    /// Records the changes and returns the results by Region.
    fn record_results<T>(&mut self, mut outcomes: Vec<(&Region, WriteResult<T>)>) -> ByRegion<T> {
        for (_, outcome) in &mut outcomes {
            if let Some(change) = outcome.change.take() {
                self.change_log.record(change);
            }
        }
        outcomes.into_iter().map(|(region, outcome)| (region.clone(), outcome.result)).collect()
    }
}

/// Creating and updating, offered while trusted access is enabled.
impl<S: TrustedAccessEnabled, M: SystemsManagerApi + ?Sized> DataSyncs<'_, S, M> {
    /// Ensures that the sync exists with this definition in these Regions: creates or updates the
    /// sync, or leaves a matching sync unchanged.
    ///
    /// A sync of the organization needs trusted access and the service-linked role. AWS fills a new
    /// sync within minutes, so a sync that was just created may not have run yet.
    ///
    /// # Expected flow
    ///
    /// In each Region, concurrently: `ListResourceDataSync`. Then `CreateResourceDataSync` or
    /// `UpdateResourceDataSync`, if a write is needed. Then `ListResourceDataSync` until the effect
    /// is visible. After a refusal, also `ListResourceDataSync` for Inventory's type, because
    /// Inventory syncs share names and the quota, and with the handle's client
    /// `DescribeOrganizationalUnit` for each unit of the sync and `ListDelegatedAdministrators` for
    /// an administrator that this handle registered. A read that fails is ignored.
    ///
    /// # Errors
    ///
    /// Before any call: [`InvalidInput`](ErrorKind::InvalidInput) for an empty list of Regions,
    /// [`ServiceManagedSync`](ErrorKind::ServiceManagedSync). In each Region, before a write:
    /// [`SyncQuotaExceeded`](ErrorKind::SyncQuotaExceeded),
    /// [`OptInRegion`](ErrorKind::OptInRegion), and
    /// [`SyncSourceImmutable`](ErrorKind::SyncSourceImmutable), which [`recreate`](Self::recreate)
    /// resolves. Afterwards: AWS's refusal, such as
    /// [`SyncNameTaken`](ErrorKind::SyncNameTaken), [`ResponseLost`](ErrorKind::ResponseLost) or
    /// [`WaitTimeout`](ErrorKind::WaitTimeout). Calling the method again completes the remaining
    /// Regions.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: list again.
    ///
    /// # IAM permissions
    ///
    /// `ssm:ListResourceDataSync`, `ssm:CreateResourceDataSync` and `ssm:UpdateResourceDataSync`,
    /// which `ssm:SyncType` may limit to `SyncFromSource`. Optional, with the handle's client:
    /// `organizations:DescribeOrganizationalUnit` and `organizations:ListDelegatedAdministrators`,
    /// which show the cause of a refusal. AWS: [Explorer's resource data
    /// syncs](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-resource-data-sync.html).
    #[doc(alias = "CreateResourceDataSync")]
    #[doc(alias = "UpdateResourceDataSync")]
    pub async fn ensure(
        &mut self,
        sync: &SyncDefinition,
        regions: &[Region],
    ) -> Result<ByRegion<EnsureOutcome<DataSync>>, Error> {
        self.ensure_known(sync, regions, BTreeMap::new(), None).await
    }

    /// Ensures the sync as [`ensure`](Self::ensure) does. `listings` are current listings, and
    /// `iam` shows whether the role exists.
    pub(crate) async fn ensure_known(
        &mut self,
        sync: &SyncDefinition,
        regions: &[Region],
        listings: BTreeMap<Region, Vec<DataSync>>,
        iam: Option<&dyn IamClient>,
    ) -> Result<ByRegion<EnsureOutcome<DataSync>>, Error> {
        let operation = Operation::CreateResourceDataSync;
        let regions = regions::unique_regions(regions, operation)?;
        check_not_service_managed(sync.name(), operation)?;
        let administrator = matches!(self.viewpoint, ObservedOwner::Administrator(_));
        let outcomes = regions::for_each_region(regions, |region| {
            let known = KnownRead::new(listings.get(region).cloned());
            let refusal_reads = RefusalReads { iam, organizations: Some(self.organizations) };
            let place = RegionSyncs { known, refusal_reads, ..self.place(region) };
            let at = DataSyncId::new(self.viewpoint.account(), region, sync.name());
            let written = self.change_log.has_definition(&at, sync);
            let span = span!("ensure_data_sync", caller: Some(place.account), region: Some(region));
            let viewpoint = self.viewpoint;
            let ensure = async move {
                let WriteResult { result, change, listing } = place.ensure(sync, administrator, written).await;
                WriteResult { result: result.map_err(|error| viewpoint.explain(error, sync)), change, listing }
            };
            ensure.instrument(span)
        })
        .await;
        for (region, outcome) in &outcomes {
            if outcome.change.is_some() && outcome.result.is_ok() {
                self.change_log.record_definition(DataSyncId::new(self.viewpoint.account(), region, sync.name()), sync);
            }
        }
        Ok(self.record_results(outcomes))
    }

    /// Deletes the sync in these Regions and creates the sync again. Use this method to change a
    /// sync's account options. AWS also recommends it for a sync that existed while trusted access
    /// was disabled.
    ///
    /// A sync is not deleted if the new sync is known to be impossible to create. In each Region,
    /// the new sync is created only after the old one is gone.
    ///
    /// # Errors
    ///
    /// Those of [`delete`](Self::delete) and [`ensure`](Self::ensure). Before any call,
    /// [`NotDelegatedAdministrator`](ErrorKind::NotDelegatedAdministrator) for a sync of the
    /// organization in an account that is neither the management account nor the administrator. If
    /// the creation fails, the sync is gone; the handle's [`changes`](Integration::changes) contain
    /// the sync as it was before.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: list again. The sync may be deleted, and only a
    /// [`ChangeRecorder`](crate::ChangeRecorder) then has its definition, so use a recorder or keep
    /// the result of an earlier [`list`](Self::list).
    ///
    /// # IAM permissions
    ///
    /// `ssm:ListResourceDataSync`, `ssm:DeleteResourceDataSync`, `ssm:CreateResourceDataSync` and
    /// `ssm:UpdateResourceDataSync`, and optionally those that [`ensure`](Self::ensure) names for
    /// the cause of a refusal. AWS:
    /// [UpdateResourceDataSync](https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UpdateResourceDataSync.html),
    /// which recommends deleting and creating, and [Systems Manager and
    /// Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html).
    pub async fn recreate(
        &mut self,
        sync: &SyncDefinition,
        regions: &[Region],
    ) -> Result<ByRegion<EnsureOutcome<DataSync>>, Error> {
        let operation = Operation::CreateResourceDataSync;
        let distinct = regions::unique_regions(regions, operation)?;
        check_not_service_managed(sync.name(), operation)?;
        if let (ObservedOwner::Other(account), true) = (self.viewpoint, sync.is_of_organization()) {
            let refusal = Error::new(ErrorKind::NotDelegatedAdministrator)
                .with_operation(operation)
                .with_organization(&self.organization);
            return Err(refusal.with_account(account).with_caller(Some(account)));
        }
        let administrator = matches!(self.viewpoint, ObservedOwner::Administrator(_));
        let checks = regions::for_each_region(distinct, |region| {
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
