//! What to do about Explorer's resource data syncs when a step would break or delete them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use futures_util::future::join_all;

use crate::change::{Change, ChangeKind};
use crate::domain::{AccountId, Region, SyncName};
use crate::error::{Error, ErrorKind, Retry};
use crate::journal::Own;
use crate::observation::same_date;
use crate::pages::Pages;
use crate::ports::{DataSync, Operation, SyncType, SystemsManagerClient};
use crate::redact::redact;

/// What becomes of the organization's data syncs: the loud part of every step that endangers them.
///
/// Without trusted access, syncs of the organization fail with the state `TrustedAccessDisabled`, and AWS's documents say
/// that a new sync must be created to go on. Deregistering an administrator deletes the organization's syncs in that account.
///
/// Systems Manager shows each account only its own syncs, Region by Region. "No syncs" can therefore be said only of the
/// accounts and Regions that were looked at; [`SyncsReport`] says which those were.
///
/// Exhaustive on purpose: what becomes of the syncs is for the caller to say.
#[derive(Clone, Copy)]
pub enum Syncs<'a> {
    /// Look in these Regions, with each of these clients, and refuse while an organization's sync remains. The refusal lists each as AWS shows it,
    /// so that it can be created again ([`RemainingSync`]).
    ///
    /// Taking trusted access away needs a client of the management account, deregistering one of the administrator's. An account
    /// or a Region that cannot be looked at is a refusal too: unknown is not absent. Needs `ssm:ListResourceDataSync` in each account.
    Protect {
        /// One client for each account that may own syncs.
        ssm: &'a [&'a dyn SystemsManagerClient],
        /// The Regions that syncs may have been created in. No other is looked at: `aws ec2 describe-regions` lists those that an account can use.
        regions: &'a [Region],
    },
    /// Do not look. AWS may break or delete syncs.
    Forfeit,
}

/// Shows the Regions, and how many clients; a client need not be `Debug`.
impl fmt::Debug for Syncs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protect { ssm, regions } => {
                f.debug_struct("Protect").field("clients", &ssm.len()).field("regions", regions).finish_non_exhaustive()
            }
            Self::Forfeit => f.write_str("Forfeit"),
        }
    }
}

/// A data sync and where it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub struct SyncAt {
    /// The account that owns it.
    pub account: AccountId,
    /// Its Region.
    pub region: Region,
    /// Its name.
    pub name: SyncName,
}

impl SyncAt {
    pub(crate) fn new(account: AccountId, region: &Region, name: &SyncName) -> Self {
        Self { account, region: region.clone(), name: name.clone() }
    }
}

impl fmt::Display for SyncAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of account {} in {}", redact(self.name.as_str()), self.account, self.region)
    }
}

/// A data sync in the way of a step.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RemainingSync {
    /// Whose it is, where, and what it is called.
    pub at: SyncAt,
    /// The sync as the listing showed it: what it takes to create it again, by [`DataSync::definition`](crate::ports::DataSync::definition).
    /// `None` where no listing shows it yet, and AWS's answer to our own creation alone says that it is there.
    pub shown: Option<DataSync>,
}

/// As its [`SyncAt`].
impl fmt::Display for RemainingSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.at.fmt(f)
    }
}

/// What a step that endangers data syncs knew of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub enum SyncsReport {
    /// Nobody looked: [`Syncs::Forfeit`].
    Forfeited,
    /// No sync of the organization was seen immediately before the step, here.
    NoneSeen(Vec<SyncsLook>),
    /// These were there, and were listed in full before the step: to be created again.
    Recorded(Vec<(SyncAt, DataSync)>),
}

impl SyncsReport {
    /// The syncs that were listed in full before they went, to be created again: see
    /// [`DataSync::definition`](crate::ports::DataSync::definition).
    #[must_use]
    pub fn recorded(&self) -> &[(SyncAt, DataSync)] {
        match self {
            Self::Recorded(syncs) => syncs,
            Self::Forfeited | Self::NoneSeen(_) => &[],
        }
    }
}

/// An account and the Regions in which its data syncs were looked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
pub struct SyncsLook {
    /// The account that the listing was made as.
    pub account: AccountId,
    /// The Regions, in order.
    pub regions: Vec<Region>,
}

/// Whether both are the same sync in the same shape, how it fares apart.
pub(crate) fn is_same(one: &DataSync, other: &DataSync) -> bool {
    same_date(one.created, other.created) && same_date(one.modified, other.modified) && is_shaped_like(one, other)
}

/// Whether both collect the same.
pub(crate) fn is_shaped_like(one: &DataSync, other: &DataSync) -> bool {
    let shape = |sync: &DataSync| {
        let (mut units, mut regions) = (sync.units.clone(), sync.regions.clone());
        units.sort();
        regions.sort();
        (sync.name.clone(), sync.source_type.clone(), units, regions, sync.future_regions, sync.all_ops_data_sources)
    };
    shape(one) == shape(other)
}

/// What our own changes say of a sync, whatever a listing shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Nothing,
    /// AWS said that it made or changed it for us.
    Made,
    /// We saw it go.
    Gone,
}

impl Known {
    pub(crate) fn of(own: Own<'_>, at: &SyncAt) -> Self {
        let mut deregistered = false;
        let known = own.latest().find_map(|(change, observed)| match &change.kind {
            ChangeKind::DataSyncCreated { sync, .. } | ChangeKind::DataSyncUpdated { sync, .. } if sync == at => {
                // What was there, and has been asked after since, may have gone like anybody's.
                let may_be_gone = deregistered || (change.shown && observed);
                Some(if change.is_so() && !may_be_gone { Self::Made } else { Self::Nothing })
            }
            ChangeKind::DataSyncDeleted { sync, .. } if sync == at => {
                Some(if change.is_so() { Self::Gone } else { Self::Nothing })
            }
            // AWS may delete those that are there with the delegation, and may not.
            ChangeKind::AdministratorDeregistered { account, .. } => {
                deregistered |= *account == at.account;
                None
            }
            _ => None,
        });
        known.unwrap_or(Self::Nothing)
    }
}

/// Whether a listing shows what we saw go: under another date it is another one.
pub(crate) fn has_gone(own: Own<'_>, at: &SyncAt, shown: &DataSync) -> bool {
    let is_it = |change: &Change| match &change.kind {
        ChangeKind::DataSyncDeleted { sync, before } => sync == at && before.created == shown.created,
        _ => false,
    };
    shown.created.is_some() && own.changes().iter().any(|change| change.is_so() && is_it(change))
}

/// Which accounts' syncs a step endangers.
#[derive(Debug, Clone)]
pub(crate) struct Endangered {
    /// The accounts that must be looked at.
    pub(crate) known: Vec<AccountId>,
    /// Whether any other account's may be in danger too.
    pub(crate) others: bool,
    /// The account whose syncs of a single account count too. Of everybody else's, only those of the organization do.
    pub(crate) single_of: Option<AccountId>,
}

impl Endangered {
    /// The organization's syncs of these accounts.
    pub(crate) fn of(known: Vec<AccountId>) -> Self {
        Self { known, others: false, single_of: None }
    }

    /// What ends with trusted access: everybody's, of whom the management account must be looked at.
    pub(crate) fn by_distrust(management: AccountId) -> Self {
        Self { others: true, ..Self::of(vec![management]) }
    }

    fn counts(&self, sync: &RemainingSync) -> bool {
        self.single_of == Some(sync.at.account) || sync.shown.as_ref().is_none_or(DataSync::is_of_organization)
    }
}

/// What a step does about the syncs that it endangers.
#[derive(Clone, Copy)]
pub(crate) enum Care<'a> {
    /// What the caller says.
    Of(Syncs<'a>),
    /// They are on record.
    Recorded {
        record: &'a [(SyncAt, DataSync)],
        /// Clients of the accounts that they are of.
        ssm: &'a [&'a dyn SystemsManagerClient],
        regions: &'a [Region],
        /// Whether those that nobody can see may go too.
        forfeit: bool,
    },
}

impl<'a> From<Syncs<'a>> for Care<'a> {
    fn from(syncs: Syncs<'a>) -> Self {
        Self::Of(syncs)
    }
}

impl Care<'_> {
    /// Refuses what cannot protect anything, before any call.
    pub(crate) fn check(&self, operation: Operation) -> Result<(), Error> {
        match self {
            Self::Of(syncs) => syncs.check(operation),
            Self::Recorded { .. } => Ok(()),
        }
    }

    /// Looks for syncs that the step endangers, and refuses when one remains or may remain unseen.
    pub(crate) async fn guard(
        &self,
        operation: Operation,
        endangered: &Endangered,
        own: Own<'_>,
    ) -> Result<SyncsReport, Error> {
        let (record, ssm, regions, forfeit) = match self {
            Self::Of(syncs) => return syncs.guard(operation, endangered, own).await,
            Self::Recorded { record, ssm, regions, forfeit } => (*record, *ssm, *regions, *forfeit),
        };
        let (seen, mut now) = match look_with(ssm, regions, endangered, own).await {
            Err(_) if forfeit => look_where_possible(ssm, regions, endangered, own).await?,
            looked => looked?,
        };
        // One that was made or changed since is not on record.
        let is_as_recorded = |sync: &RemainingSync, recorded: &DataSync| {
            sync.shown.as_ref().is_none_or(|shown| is_same(shown, recorded))
        };
        now.retain(|sync| !record.iter().any(|(known, recorded)| *known == sync.at && is_as_recorded(sync, recorded)));
        if !now.is_empty() {
            return Err(Error::of(ErrorKind::SyncsRemain { syncs: now }).at(operation));
        }
        // A look into some of the Regions is none at the account.
        let whole: Vec<_> =
            seen.iter().filter(|look| regions.iter().all(|region| look.regions.contains(region))).cloned().collect();
        match unseen(endangered, &whole) {
            Some(account) if !forfeit => Err(Error::of(ErrorKind::SyncsUnseen { account }).at(operation)),
            Some(_) if record.is_empty() => Ok(SyncsReport::Forfeited),
            _ if record.is_empty() => Ok(SyncsReport::NoneSeen(seen)),
            _ => Ok(SyncsReport::Recorded(record.to_vec())),
        }
    }
}

/// The same as [`look_with`], each client and Region for itself: one that cannot be listed hides no other's syncs. What may be seen at the next
/// try is an error still.
async fn look_where_possible(
    ssm: &[&dyn SystemsManagerClient],
    regions: &[Region],
    endangered: &Endangered,
    own: Own<'_>,
) -> Result<(Vec<SyncsLook>, Vec<RemainingSync>), Error> {
    let places = ssm.iter().flat_map(|client| regions.iter().map(move |region| (client, region)));
    let looks = join_all(places.map(|(client, region)| {
        look_with(std::slice::from_ref(client), std::slice::from_ref(region), endangered, own)
    }));
    let (mut seen, mut remaining) = (BTreeMap::<_, BTreeSet<_>>::new(), Vec::new());
    for looked in looks.await {
        let (looks, mut syncs) = match looked {
            Err(error) if error.retry() == Retry::Permanent => continue,
            looked => looked?,
        };
        for look in looks {
            seen.entry(look.account).or_default().extend(look.regions);
        }
        remaining.append(&mut syncs);
    }
    let seen = seen.into_iter().map(|(account, regions)| SyncsLook { account, regions: regions.into_iter().collect() });
    Ok((seen.collect(), remaining))
}

impl Syncs<'_> {
    /// Refuses what cannot protect anything, before any call.
    pub(crate) fn check(&self, operation: Operation) -> Result<(), Error> {
        let missing = match self {
            Self::Protect { ssm: [], .. } => "a client to look for data syncs with",
            Self::Protect { regions: [], .. } => "a Region to look for data syncs in",
            _ => return Ok(()),
        };
        Err(Error::of(ErrorKind::InvalidInput).at(operation).with_message(format!("Syncs::Protect needs {missing}")))
    }

    /// Refuses clients of whom none is that account's, before anything is written.
    pub(crate) async fn check_sees(&self, operation: Operation, account: AccountId) -> Result<(), Error> {
        let Self::Protect { ssm, .. } = self else { return Ok(()) };
        for client in *ssm {
            if client.get_caller_identity().await?.account == account {
                return Ok(());
            }
        }
        Err(Error::of(ErrorKind::SyncsUnseen { account }).at(operation))
    }

    /// Looks for syncs that the step endangers, and refuses when one remains or may remain unseen.
    pub(crate) async fn guard(
        &self,
        operation: Operation,
        endangered: &Endangered,
        own: Own<'_>,
    ) -> Result<SyncsReport, Error> {
        let Self::Protect { ssm, regions } = self else {
            return Ok(SyncsReport::Forfeited);
        };
        let (seen, remaining) = look_with(ssm, regions, endangered, own).await?;
        if !remaining.is_empty() {
            return Err(Error::of(ErrorKind::SyncsRemain { syncs: remaining }).at(operation));
        }
        match unseen(endangered, &seen) {
            Some(account) => Err(Error::of(ErrorKind::SyncsUnseen { account }).at(operation)),
            None => Ok(SyncsReport::NoneSeen(seen)),
        }
    }
}

/// An account that was to be looked at and was not.
fn unseen(endangered: &Endangered, seen: &[SyncsLook]) -> Option<AccountId> {
    endangered.known.iter().copied().find(|account| !seen.iter().any(|look| look.account == *account))
}

/// Where was looked, and the syncs that count, each once.
async fn look_with(
    ssm: &[&dyn SystemsManagerClient],
    regions: &[Region],
    endangered: &Endangered,
    own: Own<'_>,
) -> Result<(Vec<SyncsLook>, Vec<RemainingSync>), Error> {
    let regions: BTreeSet<&Region> = regions.iter().collect();
    let looks = join_all(ssm.iter().map(|client| look(*client, &regions, endangered, own))).await;
    let (mut seen, mut remaining) = (Vec::new(), Vec::new());
    for (account, mut syncs) in Error::all(looks)?.into_iter().flatten() {
        remaining.append(&mut syncs);
        seen.push(SyncsLook { account, regions: regions.iter().copied().cloned().collect() });
    }
    // Two clients of one account may see the same sync, and one of them late.
    remaining.sort_by(|one, other| (&one.at, one.shown.is_none()).cmp(&(&other.at, other.shown.is_none())));
    remaining.dedup_by(|one, other| one.at == other.at);
    Ok((seen, remaining))
}

/// The syncs of the client's account that count, or `None` where the step does not endanger that account's.
async fn look(
    client: &dyn SystemsManagerClient,
    regions: &BTreeSet<&Region>,
    endangered: &Endangered,
    own: Own<'_>,
) -> Result<Option<(AccountId, Vec<RemainingSync>)>, Error> {
    // The listing says nothing about whose it is, so a client that cannot tell has seen nobody's syncs.
    let account = client.get_caller_identity().await?.account;
    if !endangered.others && !endangered.known.contains(&account) {
        return Ok(None);
    }
    let listings = join_all(regions.iter().map(|region| list(client, account, region))).await;
    let mut syncs = Error::all(listings)?.concat();
    syncs.retain(|sync| !sync.shown.as_ref().is_some_and(|shown| has_gone(own, &sync.at, shown)));
    // What AWS said that it made for us is there, whether or not a listing shows it yet.
    let made = own.changes().iter().filter_map(|change| match &change.kind {
        ChangeKind::DataSyncCreated { sync, .. } if sync.account == account && regions.contains(&sync.region) => {
            Some(sync)
        }
        _ => None,
    });
    for at in made.filter(|sync| Known::of(own, sync) == Known::Made) {
        if !syncs.iter().any(|sync| sync.at == *at) {
            syncs.push(RemainingSync { at: at.clone(), shown: None });
        }
    }
    syncs.retain(|sync| endangered.counts(sync));
    Ok(Some((account, syncs)))
}

/// An account's syncs of Explorer's kind in a Region.
async fn list(
    client: &dyn SystemsManagerClient,
    account: AccountId,
    region: &Region,
) -> Result<Vec<RemainingSync>, Error> {
    let operation = Operation::ListResourceDataSync;
    let unseen = |error: Error| {
        let unseen = Error::of(ErrorKind::SyncsUnseen { account }).at(operation).with_retry(error.retry());
        unseen.called_as(Some(account)).with_region(region.clone()).with_source(error.called_as(Some(account)))
    };
    let mut syncs = Vec::new();
    let mut pages = Pages::of(operation);
    while pages.remain() {
        let page =
            client.list_resource_data_sync(region, SyncType::SyncFromSource, pages.token()).await.map_err(unseen)?;
        pages.turn(page.next).map_err(unseen)?;
        syncs.extend(
            page.items
                .into_iter()
                .map(|sync| RemainingSync { at: SyncAt::new(account, region, &sync.name), shown: Some(sync) }),
        );
    }
    Ok(syncs)
}
