//! Replacement of the delegated administrator, including the migration of its data syncs.

use std::collections::BTreeMap;
use std::fmt;

use tracing::Instrument;

use super::failure::{Recovered, TransitionError};
use super::state::{Delegated, TrustedAccess};
use super::{Integration, Transition};
use crate::domain::{
    AccountId, BlockingSync, DataSync, DataSyncId, EnsureOutcome, Operation, Organization, Region, SyncDefinition,
    SyncType,
};
use crate::error::{Error, ErrorKind};
use crate::observation::caller_account;
use crate::operations::data_sync::RegionSyncs;
use crate::operations::sync_guard::{AffectedAccounts, GuardPolicy, SyncGuard, SyncProtection, SyncReads};
use crate::operations::{self, KnownRead, LocalChanges, RefusalReads, regions};
use crate::ports::{OrganizationsApi, SystemsManagerClient};
use crate::trace::span;
use crate::wait::WaitPolicy;

/// Policy for the organization's data syncs in the old administrator's account during a
/// replacement.
///
/// AWS deletes these syncs when the account is deregistered, and only that account can see them.
///
/// Exhaustive on purpose: the caller must choose how to treat the syncs.
#[derive(Clone, Copy)]
pub enum SyncMigration<'a> {
    /// Lists the syncs before the replacement and creates the same syncs in the new account
    /// afterwards. Refuses if another AWS service manages one of them, because AWS would delete it
    /// and only that service creates it again.
    Migrate {
        /// A client of the old administrator's account.
        from: &'a dyn SystemsManagerClient,
        /// A client of the new administrator's account.
        to: &'a dyn SystemsManagerClient,
        /// The Regions to search for syncs.
        regions: &'a [Region],
    },
    /// Treats the syncs as deregistering does: refuses while one remains, or allows their loss.
    Discard(SyncProtection<'a>),
}

/// Prints the variant; a client need not be `Debug`.
impl fmt::Debug for SyncMigration<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Migrate { regions, .. } => {
                f.debug_struct("Migrate").field("regions", regions).finish_non_exhaustive()
            }
            Self::Discard(syncs) => f.debug_tuple("Discard").field(syncs).finish(),
        }
    }
}

/// Result of a replacement.
#[must_use = "syncs may have failed: check `failed`, or call `into_result`"]
#[non_exhaustive]
pub struct Replacement<C> {
    /// The handle with the new administrator.
    pub handle: Integration<Delegated, C>,
    /// Each sync that was sent to the new account, with its result. The definition of a sync that
    /// failed is in [`failed`](Self::failed), so that the sync can be created again. If no sync
    /// could be sent, the first sync's error gives the reason.
    pub migrated: Vec<(DataSyncId, Result<EnsureOutcome<DataSync>, Error>)>,
    /// The definitions of the syncs that could not be created in the new account, with their
    /// Regions.
    pub failed: Vec<(Region, SyncDefinition)>,
    /// The migrated syncs for which AWS did not show whether they include future Regions or enable
    /// OpsData. They were created without these settings.
    pub incomplete: Vec<DataSyncId>,
}

impl<C> Replacement<C> {
    /// Returns the handle if no sync failed. Makes no call.
    ///
    /// # Errors
    ///
    /// That of the first sync that could not be created in the new account, with the errors of the
    /// others in [`related`](Error::related). The failure [`recover`](TransitionError::recover)s
    /// into the new administrator's handle, whose [`changes`](Integration::changes) contain the
    /// syncs as they were before.
    pub fn into_result(self) -> Transition<Delegated, Delegated, C> {
        let Self { handle: delegated, migrated, .. } = self;
        match Error::all(migrated.into_iter().map(|(_, ensured)| ensured)) {
            Ok(_) => Ok(delegated),
            Err(error) => Err(TransitionError::new(error, Recovered::Changed(delegated.into()))),
        }
    }

    fn without_syncs(delegated: Integration<Delegated, C>) -> Self {
        Self { handle: delegated, migrated: Vec::new(), failed: Vec::new(), incomplete: Vec::new() }
    }
}

/// Prints without requiring `Debug` of the client.
impl<C> fmt::Debug for Replacement<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replacement")
            .field("handle", &self.handle)
            .field("migrated", &self.migrated)
            .field("failed", &self.failed)
            .field("incomplete", &self.incomplete)
            .finish()
    }
}

/// Replacement of the delegated administrator.
impl<C> Integration<Delegated, C> {
    /// Replaces the delegated administrator with another account.
    ///
    /// AWS has no such call. The old account is deregistered, then the new account is registered,
    /// and between the two calls no administrator is registered. Therefore the new account and its
    /// sync quota are checked before the old account is deregistered. Migrated syncs are new syncs,
    /// so their data collection starts again.
    ///
    /// # Expected flow
    ///
    /// 1. `DescribeAccount` of the new account. To migrate syncs: `GetCallerIdentity` and
    ///    `ListResourceDataSync` in both accounts.
    /// 2. [`deregister`](Self::deregister) of the old account.
    /// 3. [`register_delegated_administrator`](Integration::register_delegated_administrator) of
    ///    the new one.
    /// 4. `CreateResourceDataSync` in the new account.
    ///
    /// # Errors
    ///
    /// Those of the two transitions. Before a write also:
    ///
    /// - [`UnexpectedAccount`](ErrorKind::UnexpectedAccount) for a client of another account.
    /// - [`DataSyncsNotChecked`](ErrorKind::DataSyncsNotChecked) if AWS shows too little of a sync
    ///   to create the sync again.
    /// - [`DataSyncsExist`](ErrorKind::DataSyncsExist) for a sync that another AWS service manages,
    ///   and for a sync created since the listing.
    /// - [`OptInRegion`](ErrorKind::OptInRegion).
    /// - [`SyncQuotaExceeded`](ErrorKind::SyncQuotaExceeded),
    ///   [`SyncNameTaken`](ErrorKind::SyncNameTaken) or [`SyncConflict`](ErrorKind::SyncConflict)
    ///   if the new account cannot hold the syncs.
    ///
    /// If the old account is deregistered and the registration of the new one fails, the failure
    /// [`recover`](TransitionError::recover)s into `Changed(Observed::TrustedAccess(…))`. The
    /// change that records the deregistration contains the deleted syncs as they were before
    /// ([`SyncCheckReport::recorded`](crate::domain::SyncCheckReport::recorded)). To restore the
    /// previous state, register the old account again and create the syncs there. To complete the
    /// replacement, register the new account and create the syncs there, as the example
    /// `replace_administrator` does. A sync that fails afterwards does not fail the replacement:
    /// see [`Replacement`].
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # IAM permissions
    ///
    /// Those of the two transitions; to migrate syncs, `ssm:ListResourceDataSync` in both accounts
    /// and `ssm:CreateResourceDataSync` in the new one. AWS: [Deregister an Explorer delegated
    /// administrator](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator-deregister.html).
    ///
    /// # Example
    ///
    /// ```
    /// use ssm_organizations::{AccountId, Integration, Region, SyncMigration, sim};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), ssm_organizations::Error> {
    /// let (old, new): (AccountId, AccountId) = ("222222222222".parse()?, "333333333333".parse()?);
    /// let organization = sim::SimOrganization::builder().member(old).member(new).build();
    /// let handle = Integration::new(organization.management_client());
    /// let delegated = handle.ensure_delegated(old).await?;
    ///
    /// let (from, to) = (organization.client(old), organization.client(new));
    /// let regions = [Region::new("eu-central-1")?];
    /// let migration = SyncMigration::Migrate { from: &from, to: &to, regions: &regions };
    /// let delegated = delegated.replace(new, migration).await?.into_result()?;
    /// assert_eq!(delegated.administrator().account, new);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn replace(
        self,
        account: AccountId,
        handover: SyncMigration<'_>,
    ) -> Result<Replacement<C>, TransitionError<Self>>
    where
        C: OrganizationsApi,
    {
        let span = span!("replace" in self.call_context(), account: Some(account));
        self.replace_inner(account, handover).instrument(span).await
    }

    async fn replace_inner(
        mut self,
        account: AccountId,
        handover: SyncMigration<'_>,
    ) -> Result<Replacement<C>, TransitionError<Self>>
    where
        C: OrganizationsApi,
    {
        if self.administrator().account == account {
            return Ok(Replacement::without_syncs(self));
        }
        let old = self.administrator().account;
        if let Err(error) = operations::check_candidate(&self.context(), account).await {
            return Err(TransitionError::new(error, Recovered::Unchanged(self)));
        }
        let affected = AffectedAccounts::organization_syncs_of(vec![old]);
        let (from, to, regions) = match handover {
            SyncMigration::Migrate { from, to, regions } => (from, to, regions),
            SyncMigration::Discard(syncs) => {
                let trusted = self.deregister(syncs).await?;
                let delegated =
                    trusted.register_prechecked(account).await.map_err(TransitionError::after_deregistering)?;
                return Ok(Replacement::without_syncs(delegated));
            }
        };
        let inventory = match SyncInventory::collect(
            self.organization(),
            self.local_changes(),
            (from, old),
            (to, account),
            regions,
            self.base.wait_policy,
        )
        .await
        {
            Ok(inventory) => inventory,
            Err(error) => return Err(TransitionError::new(error, Recovered::Unchanged(self))),
        };
        // The syncs are recorded, so deleting them loses no definition.
        let reads = SyncReads::with_clients(&[from]);
        let policy = GuardPolicy::Recorded { record: &inventory.recorded, allow_loss: false };
        let guard = SyncGuard { policy, regions, reads: &reads };
        let trusted = self.deregister_guarded(guard, &affected).await?;
        let delegated = trusted.register_prechecked(account).await.map_err(TransitionError::after_deregistering)?;
        Ok(inventory.recreate_in(delegated, to).await)
    }
}

/// The organization's syncs of the old account.
struct SyncInventory {
    /// The syncs as they are in the old account.
    recorded: Vec<(DataSyncId, DataSync)>,
    /// The definitions to create in the new account.
    wanted: Vec<(Region, SyncDefinition)>,
    incomplete: Vec<DataSyncId>,
}

impl SyncInventory {
    /// Lists the syncs and checks that the new account's quota has room for them.
    async fn collect(
        organization: &Organization,
        local_changes: LocalChanges<'_>,
        (from, old): (&dyn SystemsManagerClient, AccountId),
        (to, new): (&dyn SystemsManagerClient, AccountId),
        regions: &[Region],
        policy: WaitPolicy<'_>,
    ) -> Result<Self, Error> {
        let operation = Operation::DeregisterDelegatedAdministrator;
        let regions = regions::unique_regions(regions, operation)?;
        let not_checked = |account| Error::new(ErrorKind::DataSyncsNotChecked { account }).with_operation(operation);
        for (client, account) in [(from, old), (to, new)] {
            let caller = caller_account(client, policy).await?;
            if caller != account {
                let kind = ErrorKind::UnexpectedAccount { expected: account, found: caller };
                return Err(Error::new(kind).with_operation(operation).with_caller(Some(caller)));
            }
        }
        let listings = regions::for_each_region(regions, |region| async move {
            let place = RegionSyncs {
                ssm: from,
                organization,
                account: old,
                region,
                wait_policy: policy,
                local_changes,
                known: KnownRead::none(),
                refusal_reads: RefusalReads::default(),
            };
            place.list(SyncType::SyncFromSource).await
        })
        .await;
        let mut inventory = Self { recorded: Vec::new(), wanted: Vec::new(), incomplete: Vec::new() };
        let mut service_managed = Vec::new();
        let mut by_region: BTreeMap<&Region, Vec<SyncDefinition>> = BTreeMap::new();
        let listings = listings.into_iter().map(|(region, listing)| listing.map(|syncs| (region, syncs)));
        for (region, syncs) in Error::all(listings)? {
            for sync in syncs.into_iter().filter(DataSync::is_of_organization) {
                let at = DataSyncId::new(old, region, &sync.name);
                if sync.name.is_service_managed() {
                    service_managed.push(BlockingSync { id: at, listed: Some(sync) });
                    continue;
                }
                inventory.recorded.push((at, sync.clone()));
                let Some(definition) = sync.definition() else {
                    let why = format!("AWS shows too little of the sync {:?} to make it again", sync.name.to_string());
                    return Err(not_checked(old).with_region(region.clone()).with_caller(Some(old)).with_message(why));
                };
                if sync.future_regions.is_none() || sync.all_ops_data_sources.is_none() {
                    inventory.incomplete.push(DataSyncId::new(new, region, &sync.name));
                }
                by_region.entry(region).or_default().push(definition.clone());
                inventory.wanted.push((region.clone(), definition));
            }
        }
        // Only its own service creates such a sync again, so AWS would delete it for good.
        if !service_managed.is_empty() {
            let error = Error::new(ErrorKind::DataSyncsExist { syncs: service_managed });
            return Err(error.with_operation(operation).with_caller(Some(old)));
        }
        let checks = regions::for_each_region(by_region.keys().copied().collect(), |region| {
            let wanted = by_region.get(region).map(Vec::as_slice).unwrap_or_default();
            async move {
                let place = RegionSyncs {
                    ssm: to,
                    organization,
                    account: new,
                    region,
                    wait_policy: policy,
                    local_changes,
                    known: KnownRead::none(),
                    refusal_reads: RefusalReads::default(),
                };
                place.check_quota_for_all(wanted).await
            }
        });
        Error::all(checks.await.into_iter().map(|(_, check)| check))?;
        Ok(inventory)
    }

    /// Creates the syncs in the new account.
    async fn recreate_in<C: OrganizationsApi>(
        self,
        mut delegated: Integration<Delegated, C>,
        to: &dyn SystemsManagerClient,
    ) -> Replacement<C> {
        let new = delegated.administrator().account;
        let (mut migrated, mut lost) = (Vec::new(), Vec::new());
        let Self { wanted, incomplete, .. } = self;
        match delegated.data_syncs(to).await {
            Ok(mut syncs) => {
                for (definition, regions) in by_definition(wanted) {
                    let results = match syncs.ensure(&definition, &regions).await {
                        Ok(results) => results,
                        Err(error) => {
                            let first = regions.first().map(|region| DataSyncId::new(new, region, definition.name()));
                            migrated.extend(first.map(|at| (at, Err(error))));
                            lost.extend(regions.into_iter().map(|region| (region, definition.clone())));
                            continue;
                        }
                    };
                    for (region, ensured) in results.into_inner() {
                        migrated.push((DataSyncId::new(new, &region, definition.name()), ensured));
                        if migrated.last().is_some_and(|(_, ensured)| ensured.is_err()) {
                            lost.push((region, definition.clone()));
                        }
                    }
                }
            }
            // The caller's identity was read before. Without it, no sync can be created now.
            Err(error) => {
                let first = wanted.first().map(|(region, sync)| DataSyncId::new(new, region, sync.name()));
                migrated.extend(first.map(|at| (at, Err(error))));
                lost.extend(wanted);
            }
        }
        Replacement { handle: delegated, migrated, failed: lost, incomplete }
    }
}

/// Groups equal definitions, so that a sync is created in several Regions concurrently.
fn by_definition(wanted: Vec<(Region, SyncDefinition)>) -> Vec<(SyncDefinition, Vec<Region>)> {
    let mut groups: Vec<(SyncDefinition, Vec<Region>)> = Vec::new();
    for (region, definition) in wanted {
        match groups.iter_mut().find(|(known, _)| *known == definition) {
            Some((_, regions)) => regions.push(region),
            None => groups.push((definition, vec![region])),
        }
    }
    groups
}

impl<C> TransitionError<Integration<TrustedAccess, C>> {
    /// Converts the failure of a registration that followed the deregistration of the old
    /// administrator.
    fn after_deregistering(self) -> TransitionError<Integration<Delegated, C>> {
        let (error, recovered) = self.into_parts();
        let recovered = match recovered {
            Recovered::Unchanged(trusted) => Recovered::Changed(trusted.into()),
            Recovered::Changed(observed) => Recovered::Changed(observed),
            Recovered::Unknown(handle) => Recovered::Unknown(handle),
        };
        TransitionError::new(error, recovered)
    }
}
