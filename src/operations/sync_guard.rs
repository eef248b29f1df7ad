//! Protection of Explorer's resource data syncs in steps that would break or delete them.

use crate::domain::{BlockingSync, CheckedRegions, DataSyncId, SyncCheckReport, is_same_sync};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use futures_util::future::join_all;

use super::change_log::LocalChanges;
use crate::domain::{AccountId, Change, ChangeKind, DataSync, Operation, Region, SyncType};
use crate::error::{Error, ErrorKind};
use crate::observation::{RetryingClient, caller_account, list_data_syncs, retrying};
use crate::ports::SystemsManagerClient;
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

    fn includes(&self, sync: &BlockingSync) -> bool {
        self.include_single_account == Some(sync.id.account)
            || sync.listed.as_ref().is_none_or(DataSync::is_of_organization)
    }
}

/// Guard of a step against the loss of syncs.
#[derive(Clone, Copy)]
pub(crate) enum SyncGuard<'a> {
    /// The caller's policy.
    ByCaller(SyncProtection<'a>),
    /// The affected syncs are recorded.
    Recorded {
        record: &'a [(DataSyncId, DataSync)],
        /// Clients of the accounts that own the recorded syncs.
        ssm: &'a [&'a dyn SystemsManagerClient],
        regions: &'a [Region],
        /// If true, other syncs may be lost. The guard then records the syncs that it can list, and
        /// never refuses.
        allow_loss: bool,
    },
}

impl<'a> From<SyncProtection<'a>> for SyncGuard<'a> {
    fn from(syncs: SyncProtection<'a>) -> Self {
        Self::ByCaller(syncs)
    }
}

impl SyncGuard<'_> {
    /// Refuses a guard that cannot protect anything, before any call.
    pub(crate) fn check(&self, operation: Operation) -> Result<(), Error> {
        match self {
            Self::ByCaller(syncs) => syncs.check(operation),
            Self::Recorded { .. } => Ok(()),
        }
    }

    /// Lists the syncs that the step affects, and refuses if one remains or could not be checked.
    pub(crate) async fn guard(
        &self,
        operation: Operation,
        affected: &AffectedAccounts,
        local_changes: LocalChanges<'_>,
        policy: WaitPolicy<'_>,
    ) -> Result<SyncCheckReport, Error> {
        let (record, ssm, regions, allow_loss) = match self {
            Self::ByCaller(syncs) => return syncs.guard(operation, affected, local_changes, policy).await,
            Self::Recorded { record, ssm, regions, allow_loss } => (*record, *ssm, *regions, *allow_loss),
        };
        let (checked, mut now) = if allow_loss {
            list_accessible(ssm, regions, affected, local_changes, policy).await
        } else {
            list_affected(ssm, regions, affected, local_changes, policy).await?
        };
        // A sync that was created or updated since is not recorded.
        let is_as_recorded = |sync: &BlockingSync, recorded: &DataSync| {
            sync.listed.as_ref().is_none_or(|shown| is_same_sync(shown, recorded))
        };
        now.retain(|sync| !record.iter().any(|(known, recorded)| *known == sync.id && is_as_recorded(sync, recorded)));
        let mut record = record.to_vec();
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
            .filter(|listing| regions.iter().all(|region| listing.regions.contains(region)))
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
}

/// Lists as [`list_affected`] does, but treats each client and Region separately, and omits those
/// whose listing fails.
async fn list_accessible(
    ssm: &[&dyn SystemsManagerClient],
    regions: &[Region],
    affected: &AffectedAccounts,
    local_changes: LocalChanges<'_>,
    policy: WaitPolicy<'_>,
) -> (Vec<CheckedRegions>, Vec<BlockingSync>) {
    // The listing only records syncs, so a step does not wait for it.
    let policy = policy.with_limit(Duration::ZERO);
    let places = ssm.iter().flat_map(|client| regions.iter().map(move |region| (client, region)));
    let listings = join_all(places.map(|(client, region)| {
        list_affected(std::slice::from_ref(client), std::slice::from_ref(region), affected, local_changes, policy)
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

impl SyncProtection<'_> {
    /// Refuses a policy that cannot protect anything, before any call.
    pub(crate) fn check(&self, operation: Operation) -> Result<(), Error> {
        let missing = match self {
            Self::Protect { clients: [], .. } => "clients",
            Self::Protect { regions: [], .. } => "regions",
            _ => return Ok(()),
        };
        let input = format!("`{missing}` of SyncProtection::Protect");
        Err(Error::invalid_input(input, "at least one").with_operation(operation))
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
        let Self::Protect { clients: ssm, regions } = self else {
            return Ok(SyncCheckReport::Skipped);
        };
        let (checked, remaining) = list_affected(ssm, regions, affected, local_changes, policy).await?;
        if !remaining.is_empty() {
            return Err(Error::new(ErrorKind::DataSyncsExist { syncs: remaining }).with_operation(operation));
        }
        match unchecked_account(affected, &checked) {
            Some(account) => Err(Error::new(ErrorKind::DataSyncsNotChecked { account }).with_operation(operation)),
            None => Ok(SyncCheckReport::NoneFound(checked)),
        }
    }
}

/// Returns an account that had to be checked and was not.
fn unchecked_account(affected: &AffectedAccounts, checked: &[CheckedRegions]) -> Option<AccountId> {
    affected.required.iter().copied().find(|account| !checked.iter().any(|listing| listing.account == *account))
}

/// Returns the Regions that were checked and the syncs that count, each once.
async fn list_affected(
    ssm: &[&dyn SystemsManagerClient],
    regions: &[Region],
    affected: &AffectedAccounts,
    local_changes: LocalChanges<'_>,
    policy: WaitPolicy<'_>,
) -> Result<(Vec<CheckedRegions>, Vec<BlockingSync>), Error> {
    let regions: BTreeSet<&Region> = regions.iter().collect();
    let listings =
        join_all(ssm.iter().map(|client| list_account(*client, &regions, affected, local_changes, policy))).await;
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

/// Returns the syncs of the client's account that count, or `None` if the step does not affect that
/// account.
async fn list_account(
    client: &dyn SystemsManagerClient,
    regions: &BTreeSet<&Region>,
    affected: &AffectedAccounts,
    local_changes: LocalChanges<'_>,
    policy: WaitPolicy<'_>,
) -> Result<Option<(AccountId, Vec<BlockingSync>)>, Error> {
    // A listing does not identify its account, so a client without a known identity has checked no
    // account.
    let account = caller_account(client, policy).await?;
    let client = &retrying(client, policy);
    if !affected.include_others && !affected.required.contains(&account) {
        return Ok(None);
    }
    let listings = join_all(regions.iter().map(|region| list_region(client, account, region))).await;
    let mut syncs = Error::all(listings)?.concat();
    syncs.retain(|sync| !sync.listed.as_ref().is_some_and(|shown| was_deleted_by_us(local_changes, &sync.id, shown)));
    // A sync that AWS confirmed as created exists, even if a listing does not show the sync yet.
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

/// Lists an account's Explorer syncs in a Region.
async fn list_region(
    client: &RetryingClient<'_, dyn SystemsManagerClient + '_>,
    account: AccountId,
    region: &Region,
) -> Result<Vec<BlockingSync>, Error> {
    let operation = Operation::ListResourceDataSync;
    let unseen = |error: Error| {
        let unseen = Error::new(ErrorKind::DataSyncsNotChecked { account })
            .with_operation(operation)
            .with_retry(error.retry_status());
        unseen.with_caller(Some(account)).with_region(region.clone()).with_source(error.with_caller(Some(account)))
    };
    let syncs = list_data_syncs(client, region, SyncType::SyncFromSource).await.map_err(unseen)?;
    let blocking =
        |sync: DataSync| BlockingSync { id: DataSyncId::new(account, region, &sync.name), listed: Some(sync) };
    Ok(syncs.into_iter().map(blocking).collect())
}
