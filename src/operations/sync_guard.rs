//! Protection of Explorer's resource data syncs in steps that would break or delete them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::{join, join_all};

use super::change_log::LocalChanges;
use crate::domain::{
    AccountId, BlockingSync, Change, ChangeKind, CheckedRegions, DataSync, DataSyncId, Operation, Region,
    SyncCheckReport, SyncType, is_same_sync,
};
use crate::error::{Error, ErrorKind};
use crate::observation::{SNAPSHOT_TTL, caller_account, list_data_syncs, retrying};
use crate::ports::SystemsManagerClient;
use crate::trace::Moment;
use crate::wait::WaitPolicy;

/// Policy for organization data syncs that a step would delete or break.
///
/// Without trusted access, syncs of the organization fail with the state `TrustedAccessDisabled`.
/// AWS's documents say that a new sync must be created to continue. Deregistering an administrator
/// deletes the organization's syncs in that account.
///
/// Systems Manager shows each account only its own syncs, Region by Region. The absence of syncs is
/// therefore known only for the accounts and Regions that were checked, which [`SyncCheckReport`]
/// lists.
///
/// Exhaustive on purpose: the caller must choose how to treat the syncs.
#[derive(Clone, Copy)]
pub enum SyncProtection<'a> {
    /// Lists syncs in these Regions with each of these clients, and refuses while an organization
    /// sync remains. The refusal contains each sync as AWS shows it, so that the sync can be
    /// created again ([`BlockingSync`]).
    ///
    /// Disabling trusted access needs a client of the management account. Deregistering an
    /// administrator needs a client of that account. An account or a Region that cannot be checked
    /// is refused too, because unknown is not absent. Needs `ssm:ListResourceDataSync` in each
    /// account.
    Protect {
        /// One client for each account that may own syncs.
        clients: &'a [&'a dyn SystemsManagerClient],
        /// The Regions to search for syncs. Other Regions are not checked: `aws ec2
        /// describe-regions` lists the Regions that an account can use.
        regions: &'a [Region],
    },
    /// Does not check. AWS may break or delete syncs.
    AllowLoss,
}

/// Prints the Regions and the number of clients; a client need not be `Debug`.
impl fmt::Debug for SyncProtection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protect { clients: ssm, regions } => {
                f.debug_struct("Protect").field("clients", &ssm.len()).field("regions", regions).finish_non_exhaustive()
            }
            Self::AllowLoss => f.write_str("AllowLoss"),
        }
    }
}

/// Knowledge about a sync from own changes, regardless of what a listing shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SyncKnowledge {
    None,
    /// AWS confirmed that it created or updated the sync for this handle.
    Created,
    /// The sync is known to be deleted.
    Deleted,
}

impl SyncKnowledge {
    pub(crate) fn of(local_changes: LocalChanges<'_>, at: &DataSyncId) -> Self {
        let mut deregistered = false;
        let known = local_changes.latest().find_map(|(change, observed)| match &change.kind {
            ChangeKind::DataSyncCreated { sync, .. } | ChangeKind::DataSyncUpdated { sync, .. } if sync == at => {
                // A sync that existed and was observed again may since have been deleted by someone
                // else.
                let may_be_gone = deregistered || (change.observed && observed);
                Some(if change.is_in_effect() && !may_be_gone { Self::Created } else { Self::None })
            }
            ChangeKind::DataSyncDeleted { sync, .. } if sync == at => {
                Some(if change.is_in_effect() { Self::Deleted } else { Self::None })
            }
            // AWS may or may not delete existing syncs with the delegation.
            ChangeKind::AdministratorDeregistered { account, .. } => {
                deregistered |= *account == at.account;
                None
            }
            _ => None,
        });
        known.unwrap_or(Self::None)
    }
}

/// Returns whether a listing shows a sync that this handle deleted. A sync with another date is
/// another sync.
pub(crate) fn was_deleted_by_us(local_changes: LocalChanges<'_>, at: &DataSyncId, shown: &DataSync) -> bool {
    let is_it = |change: &Change| match &change.kind {
        ChangeKind::DataSyncDeleted { sync, before } => sync == at && before.created == shown.created,
        _ => false,
    };
    shown.created.is_some() && local_changes.changes().iter().any(|change| change.is_in_effect() && is_it(change))
}

/// Accounts whose syncs a step affects.
#[derive(Debug, Clone)]
pub(crate) struct AffectedAccounts {
    /// The accounts that must be checked.
    pub(crate) required: Vec<AccountId>,
    /// If true, syncs of any other account may be affected too.
    pub(crate) include_others: bool,
    /// The account whose single-account syncs count too. In all other accounts, only the
    /// organization's syncs count.
    pub(crate) include_single_account: Option<AccountId>,
}

impl AffectedAccounts {
    /// Returns the scope of the organization's syncs in these accounts.
    pub(crate) fn organization_syncs_of(known: Vec<AccountId>) -> Self {
        Self { required: known, include_others: false, include_single_account: None }
    }

    /// Returns the scope of disabling trusted access: all accounts, of which the management account
    /// must be checked.
    pub(crate) fn by_disabling_trusted_access(management: AccountId) -> Self {
        Self { include_others: true, ..Self::organization_syncs_of(vec![management]) }
    }

    /// Returns whether the step may affect syncs of the account.
    fn may_include(&self, account: AccountId) -> bool {
        self.include_others || self.required.contains(&account)
    }

    fn includes(&self, sync: &BlockingSync) -> bool {
        self.include_single_account == Some(sync.id.account)
            || sync.listed.as_ref().is_none_or(DataSync::is_of_organization)
    }
}

/// Listings of data syncs, shared by the guards of several writes, and the clients that make them.
pub(crate) struct SyncReads<'a> {
    clients: Vec<SyncClient<'a>>,
    listings: Mutex<BTreeMap<(AccountId, Region), SyncRead>>,
    /// Places whose listing failed. A run that only records syncs lists no place twice.
    failed: Mutex<BTreeSet<(AccountId, Region)>>,
}

/// Client with the account of its credentials, once that is known.
struct SyncClient<'a> {
    ssm: &'a dyn SystemsManagerClient,
    account: OnceLock<AccountId>,
}

/// Explorer's syncs of an account in a Region.
#[derive(Clone)]
struct SyncRead {
    syncs: Vec<DataSync>,
    read_at: Moment,
    /// If true, the run listed the syncs only to record them, and does so once.
    is_final: bool,
}

impl<'a> SyncReads<'a> {
    /// Creates a value without listings for the clients of a policy.
    pub(crate) fn of(protection: SyncProtection<'a>) -> Self {
        match protection {
            SyncProtection::Protect { clients, .. } => Self::with_clients(clients),
            SyncProtection::AllowLoss => Self::with_clients(&[]),
        }
    }

    /// Creates a value without listings.
    pub(crate) fn with_clients(clients: &[&'a dyn SystemsManagerClient]) -> Self {
        let clients = clients.iter().map(|ssm| SyncClient { ssm: *ssm, account: OnceLock::new() });
        Self { clients: clients.collect(), listings: Mutex::default(), failed: Mutex::default() }
    }

    /// Creates a value without listings for clients whose accounts are known.
    pub(crate) fn with_accounts(clients: impl Iterator<Item = (AccountId, &'a dyn SystemsManagerClient)>) -> Self {
        let clients = clients.map(|(account, ssm)| SyncClient { ssm, account: OnceLock::from(account) });
        Self { clients: clients.collect(), listings: Mutex::default(), failed: Mutex::default() }
    }

    fn listings(&self) -> MutexGuard<'_, BTreeMap<(AccountId, Region), SyncRead>> {
        self.listings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a listing that was read at this time.
    pub(crate) fn store(&self, account: AccountId, region: &Region, syncs: Vec<DataSync>, read_at: Moment) {
        self.listings().insert((account, region.clone()), SyncRead { syncs, read_at, is_final: false });
    }

    /// Returns the listing, if it was requested at this time or later and is within the freshness
    /// limit.
    pub(crate) fn current(&self, account: AccountId, region: &Region, since: Option<Moment>) -> Option<Vec<DataSync>> {
        let listings = self.listings();
        let read = listings.get(&(account, region.clone()))?;
        is_current(read.read_at, since).then(|| read.syncs.clone())
    }

    /// Stores that the listing of this place failed.
    pub(crate) fn store_failure(&self, account: AccountId, region: &Region) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).insert((account, region.clone()));
    }

    /// Returns the listing of a run that only records syncs: one that is within the freshness
    /// limit, or the one that this method made. Makes it if there was no attempt.
    async fn list_once(
        &self,
        client: &SyncClient<'_>,
        account: AccountId,
        region: &Region,
        policy: WaitPolicy<'_>,
    ) -> Result<Vec<DataSync>, Error> {
        let place = (account, region.clone());
        let known = self.listings().get(&place).filter(|read| read.is_final || is_current(read.read_at, None)).cloned();
        if let Some(read) = known {
            return Ok(read.syncs);
        }
        if self.failed.lock().unwrap_or_else(PoisonError::into_inner).contains(&place) {
            return Err(Error::new(ErrorKind::DataSyncsNotChecked { account }));
        }
        let listed = self.list(client, Some(account), region, None, policy).await;
        if listed.is_err() {
            self.store_failure(account, region);
        } else if let Some(read) = self.listings().get_mut(&place) {
            read.is_final = true;
        }
        listed
    }

    /// Lists the account's syncs, unless the listing is current.
    async fn list(
        &self,
        client: &SyncClient<'_>,
        account: Option<AccountId>,
        region: &Region,
        since: Option<Moment>,
        policy: WaitPolicy<'_>,
    ) -> Result<Vec<DataSync>, Error> {
        if let Some(syncs) = account.and_then(|account| self.current(account, region, since)) {
            return Ok(syncs);
        }
        let sent_at = Moment::now();
        let syncs = list_data_syncs(&retrying(client.ssm, policy), region, SyncType::SyncFromSource).await?;
        if let Some(account) = account {
            self.store(account, region, syncs.clone(), sent_at.answered());
        }
        Ok(syncs)
    }

    /// Makes the listings that a guard needs in advance. A listing that fails is left to the guard.
    pub(crate) async fn read_ahead(
        &self,
        regions: &[Region],
        affected: &AffectedAccounts,
        since: Option<Moment>,
        policy: WaitPolicy<'_>,
        is_awaited: impl Fn(AccountId, &Region) -> bool + Sync,
    ) {
        let places = self.clients.iter().filter_map(|client| Some((client, *client.account.get()?)));
        let places = places.filter(|(_, account)| affected.may_include(*account));
        let places = places.flat_map(|place| regions.iter().map(move |region| (place, region)));
        let is_awaited = &is_awaited;
        join_all(places.filter(|((_, account), region)| !is_awaited(*account, region)).map(
            |((client, account), region)| async move {
                // The guard reports the error.
                let _ = self.list(client, Some(account), region, since, policy).await;
            },
        ))
        .await;
    }
}

/// Returns whether a read of this time is current: within the freshness limit and not older than
/// the previous write.
pub(crate) fn is_current(read_at: Moment, since: Option<Moment>) -> bool {
    read_at.elapsed() < SNAPSHOT_TTL && since.is_none_or(|since| !since.is_after(read_at))
}

/// Guard of a step against the loss of syncs.
#[derive(Clone, Copy)]
pub(crate) struct SyncGuard<'a> {
    pub(crate) policy: GuardPolicy<'a>,
    pub(crate) regions: &'a [Region],
    pub(crate) reads: &'a SyncReads<'a>,
}

/// Policy for the syncs that a step affects.
#[derive(Clone, Copy)]
pub(crate) enum GuardPolicy<'a> {
    /// Every sync is a reason to refuse.
    Protect,
    /// Nothing is checked.
    AllowLoss,
    /// The affected syncs are recorded.
    Recorded {
        record: &'a [(DataSyncId, DataSync)],
        /// If true, other syncs may be lost. The guard then records the syncs that it can list, and
        /// never refuses.
        allow_loss: bool,
    },
}

impl<'a> SyncGuard<'a> {
    /// Creates the guard of the caller's policy. `reads` are those of the policy's clients.
    pub(crate) fn by_caller(protection: SyncProtection<'a>, reads: &'a SyncReads<'a>) -> Self {
        match protection {
            SyncProtection::Protect { regions, .. } => Self { policy: GuardPolicy::Protect, regions, reads },
            SyncProtection::AllowLoss => Self { policy: GuardPolicy::AllowLoss, regions: &[], reads },
        }
    }

    /// Refuses a guard that cannot protect anything, before any call.
    pub(crate) fn check(&self, operation: Operation) -> Result<(), Error> {
        match self.policy {
            GuardPolicy::Protect if self.reads.clients.is_empty() => Err(missing("clients", operation)),
            GuardPolicy::Protect if self.regions.is_empty() => Err(missing("regions", operation)),
            _ => Ok(()),
        }
    }

    /// Lists the syncs that the step affects, and refuses if one remains or could not be checked.
    ///
    /// Listings that were requested at `since` or later are not made again. Without `since`, the
    /// freshness limit alone decides.
    pub(crate) async fn guard(
        &self,
        operation: Operation,
        affected: &AffectedAccounts,
        local_changes: LocalChanges<'_>,
        policy: WaitPolicy<'_>,
        since: Option<Moment>,
    ) -> Result<SyncCheckReport, Error> {
        let (record, allow_loss) = match self.policy {
            GuardPolicy::AllowLoss => return Ok(SyncCheckReport::Skipped),
            GuardPolicy::Protect => (&[][..], false),
            GuardPolicy::Recorded { record, allow_loss } => (record, allow_loss),
        };
        let listing = SyncListing { affected, local_changes, policy, since, once: allow_loss };
        let (checked, mut now) = if allow_loss {
            self.list_accessible(&listing).await
        } else {
            self.list_affected(self.regions, &self.reads.clients, &listing).await?
        };
        let is_gone = |at: &DataSyncId| {
            let is_checked = |of: &CheckedRegions| of.account == at.account && of.regions.contains(&at.region);
            checked.iter().any(is_checked) && !now.iter().any(|sync| sync.id == *at)
        };
        let mut record = record.to_vec();
        if allow_loss {
            // The step does not lose what was deleted since the plan was computed.
            record.retain(|(id, _)| !is_gone(id));
        }
        // A sync that was created or updated since is not recorded.
        let is_as_recorded = |sync: &BlockingSync, recorded: &DataSync| {
            sync.listed.as_ref().is_none_or(|shown| is_same_sync(shown, recorded))
        };
        now.retain(|sync| !record.iter().any(|(known, recorded)| *known == sync.id && is_as_recorded(sync, recorded)));
        if allow_loss {
            let listed = now.into_iter().filter_map(|sync| Some((sync.id, sync.listed?)));
            for (id, sync) in listed {
                record.retain(|(known, _)| *known != id);
                record.push((id, sync));
            }
        } else if !now.is_empty() {
            return Err(Error::new(ErrorKind::DataSyncsExist { syncs: now }).with_operation(operation));
        }
        // An account counts as checked only if all Regions were checked.
        let whole: Vec<_> = checked
            .iter()
            .filter(|listing| self.regions.iter().all(|region| listing.regions.contains(region)))
            .cloned()
            .collect();
        match unchecked_account(affected, &whole) {
            Some(account) if !allow_loss => {
                Err(Error::new(ErrorKind::DataSyncsNotChecked { account }).with_operation(operation))
            }
            Some(_) if record.is_empty() => Ok(SyncCheckReport::Skipped),
            _ if record.is_empty() => Ok(SyncCheckReport::NoneFound(checked)),
            _ => Ok(SyncCheckReport::Recorded(record)),
        }
    }

    /// Lists as [`list_affected`](Self::list_affected) does, but treats each client and Region
    /// separately, and omits those whose listing fails.
    async fn list_accessible(&self, listing: &SyncListing<'_>) -> (Vec<CheckedRegions>, Vec<BlockingSync>) {
        // The listing only records syncs, so a step does not wait for it.
        let listing = &SyncListing { policy: listing.policy.with_limit(Duration::ZERO), ..*listing };
        let places =
            self.reads.clients.iter().flat_map(|client| self.regions.iter().map(move |region| (client, region)));
        let listings = join_all(places.map(|(client, region)| {
            self.list_affected(std::slice::from_ref(region), std::slice::from_ref(client), listing)
        }));
        let (mut checked, mut remaining) = (BTreeMap::<_, BTreeSet<_>>::new(), Vec::new());
        for (listings, mut syncs) in listings.await.into_iter().flatten() {
            for listing in listings {
                checked.entry(listing.account).or_default().extend(listing.regions);
            }
            remaining.append(&mut syncs);
        }
        let checked = checked
            .into_iter()
            .map(|(account, regions)| CheckedRegions { account, regions: regions.into_iter().collect() });
        (checked.collect(), remaining)
    }

    /// Returns the Regions that were checked and the syncs that count, each once.
    async fn list_affected(
        &self,
        regions: &[Region],
        clients: &[SyncClient<'_>],
        listing: &SyncListing<'_>,
    ) -> Result<(Vec<CheckedRegions>, Vec<BlockingSync>), Error> {
        let regions: BTreeSet<&Region> = regions.iter().collect();
        let listings = clients.iter().map(|client| self.list_account(client, &regions, listing));
        let listings = join_all(listings).await;
        let (mut checked, mut remaining) = (Vec::new(), Vec::new());
        for (account, mut syncs) in Error::all(listings)?.into_iter().flatten() {
            remaining.append(&mut syncs);
            checked.push(CheckedRegions { account, regions: regions.iter().copied().cloned().collect() });
        }
        // Two clients of one account may list the same sync, and one listing may be stale.
        remaining.sort_by(|one, other| (&one.id, one.listed.is_none()).cmp(&(&other.id, other.listed.is_none())));
        remaining.dedup_by(|one, other| one.id == other.id);
        Ok((checked, remaining))
    }

    /// Returns the syncs of the client's account that count, or `None` if the step does not affect
    /// that account.
    ///
    /// If every account may be affected, the account is identified concurrently with the listings.
    async fn list_account(
        &self,
        client: &SyncClient<'_>,
        regions: &BTreeSet<&Region>,
        listing: &SyncListing<'_>,
    ) -> Result<Option<(AccountId, Vec<BlockingSync>)>, Error> {
        let SyncListing { affected, local_changes, policy, since, once } = *listing;
        let identify = async || match client.account.get() {
            Some(account) => Ok(*account),
            None => caller_account(client.ssm, policy).await,
        };
        let list = async |account| {
            join_all(regions.iter().map(async |region| match account {
                Some(account) if once => self.reads.list_once(client, account, region, policy).await,
                _ => self.reads.list(client, account, region, since, policy).await,
            }))
            .await
        };
        // A listing does not identify its account, so a client without a known identity has checked
        // no account.
        let (account, listings) = if affected.include_others && client.account.get().is_none() {
            let sent_at = Moment::now();
            let (account, listings) = join(identify(), list(None)).await;
            let account = account?;
            for (region, syncs) in regions.iter().zip(&listings) {
                if let Ok(syncs) = syncs {
                    self.reads.store(account, region, syncs.clone(), sent_at.answered());
                }
            }
            (account, listings)
        } else {
            let account = identify().await?;
            if !affected.may_include(account) {
                return Ok(None);
            }
            (account, list(Some(account)).await)
        };
        let account = *client.account.get_or_init(|| account);
        let listings = regions.iter().zip(listings).map(|(region, listed)| {
            let syncs = listed.map_err(|error| unlisted_error(account, region, error))?;
            let blocking =
                |sync: DataSync| BlockingSync { id: DataSyncId::new(account, region, &sync.name), listed: Some(sync) };
            Ok(syncs.into_iter().map(blocking).collect::<Vec<_>>())
        });
        let mut syncs = Error::all(listings)?.concat();
        syncs.retain(|sync| {
            !sync.listed.as_ref().is_some_and(|shown| was_deleted_by_us(local_changes, &sync.id, shown))
        });
        // A sync that AWS confirmed as created exists, even if a listing does not show the sync
        // yet.
        let created = local_changes.changes().iter().filter_map(|change| match &change.kind {
            ChangeKind::DataSyncCreated { sync, .. } if sync.account == account && regions.contains(&sync.region) => {
                Some(sync)
            }
            _ => None,
        });
        for at in created.filter(|sync| SyncKnowledge::of(local_changes, sync) == SyncKnowledge::Created) {
            if !syncs.iter().any(|sync| sync.id == *at) {
                syncs.push(BlockingSync { id: at.clone(), listed: None });
            }
        }
        syncs.retain(|sync| affected.includes(sync));
        Ok(Some((account, syncs)))
    }
}

/// Scope and currency of the listings of a guard.
#[derive(Clone, Copy)]
struct SyncListing<'a> {
    affected: &'a AffectedAccounts,
    local_changes: LocalChanges<'a>,
    policy: WaitPolicy<'a>,
    since: Option<Moment>,
    /// If true, no place is listed twice.
    once: bool,
}

impl SyncProtection<'_> {
    /// Refuses a policy that cannot protect anything, before any call.
    pub(crate) fn check(&self, operation: Operation) -> Result<(), Error> {
        match self {
            Self::Protect { clients: [], .. } => Err(missing("clients", operation)),
            Self::Protect { regions: [], .. } => Err(missing("regions", operation)),
            _ => Ok(()),
        }
    }

    /// Refuses, before any write, if no client belongs to that account.
    pub(crate) async fn check_can_list(
        &self,
        operation: Operation,
        account: AccountId,
        policy: WaitPolicy<'_>,
    ) -> Result<(), Error> {
        let Self::Protect { clients: ssm, .. } = self else { return Ok(()) };
        for client in *ssm {
            if caller_account(*client, policy).await? == account {
                return Ok(());
            }
        }
        Err(Error::new(ErrorKind::DataSyncsNotChecked { account }).with_operation(operation))
    }

    /// Lists the syncs that the step affects, and refuses if one remains or could not be checked.
    pub(crate) async fn guard(
        &self,
        operation: Operation,
        affected: &AffectedAccounts,
        local_changes: LocalChanges<'_>,
        policy: WaitPolicy<'_>,
    ) -> Result<SyncCheckReport, Error> {
        let reads = SyncReads::of(*self);
        SyncGuard::by_caller(*self, &reads).guard(operation, affected, local_changes, policy, None).await
    }
}

fn missing(input: &str, operation: Operation) -> Error {
    let input = format!("`{input}` of SyncProtection::Protect");
    Error::invalid_input(input, "at least one").with_operation(operation)
}

/// Returns an account that had to be checked and was not.
fn unchecked_account(affected: &AffectedAccounts, checked: &[CheckedRegions]) -> Option<AccountId> {
    affected.required.iter().copied().find(|account| !checked.iter().any(|listing| listing.account == *account))
}

/// Returns the error of an account whose syncs in a Region could not be listed.
fn unlisted_error(account: AccountId, region: &Region, error: Error) -> Error {
    let not_checked = Error::new(ErrorKind::DataSyncsNotChecked { account })
        .with_operation(Operation::ListResourceDataSync)
        .with_retry(error.retry_status());
    not_checked.with_caller(Some(account)).with_region(region.clone()).with_source(error.with_caller(Some(account)))
}
