//! What to do about Explorer's resource data syncs when a step would break or delete them.

use std::collections::BTreeSet;
use std::fmt;

use futures_util::future::join_all;

use crate::domain::{AccountId, Region, SyncName};
use crate::error::{Error, ErrorKind};
use crate::pages::Pages;
use crate::ports::{DataSync, Operation, SyncType, SystemsManagerClient};

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
    /// Look in these Regions, with each of these clients, and refuse while an organization's sync remains.
    ///
    /// Taking trusted access away needs a client of the management account, deregistering one of the administrator's. An account
    /// or a Region that cannot be looked at is a refusal too: unknown is not absent. Needs `ssm:ListResourceDataSync` in each account.
    Protect {
        /// One client for each account that may own syncs.
        ssm: &'a [&'a dyn SystemsManagerClient],
        /// The Regions that syncs may have been created in.
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
        write!(f, "{:?} of account {} in {}", self.name.as_str(), self.account, self.region)
    }
}

/// What a step that endangers data syncs knew of them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
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
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncsLook {
    /// The account that the listing was made as.
    pub account: AccountId,
    /// The Regions, in order.
    pub regions: Vec<Region>,
}

/// Which accounts' syncs a step endangers.
#[derive(Debug, Clone)]
pub(crate) struct Endangered {
    /// The accounts that must be looked at.
    pub(crate) known: Vec<AccountId>,
    /// Whether any other account's may be in danger too.
    pub(crate) others: bool,
}

/// What a step does about the syncs that it endangers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Care<'a> {
    /// What the caller says.
    Of(Syncs<'a>),
    /// They are on record.
    Recorded(&'a [(SyncAt, DataSync)]),
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
            Self::Recorded(_) => Ok(()),
        }
    }

    /// Looks for syncs that the step endangers, and refuses when one remains or may remain unseen.
    pub(crate) async fn guard(&self, operation: Operation, endangered: &Endangered) -> Result<SyncsReport, Error> {
        match self {
            Self::Of(syncs) => syncs.guard(operation, endangered).await,
            Self::Recorded(syncs) => Ok(SyncsReport::Recorded(syncs.to_vec())),
        }
    }
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

    /// Looks for syncs that the step endangers, and refuses when one remains or may remain unseen.
    pub(crate) async fn guard(&self, operation: Operation, endangered: &Endangered) -> Result<SyncsReport, Error> {
        let Self::Protect { ssm, regions } = self else {
            return Ok(SyncsReport::Forfeited);
        };
        let regions: BTreeSet<&Region> = regions.iter().collect();
        let looks = join_all(ssm.iter().map(|client| look(*client, &regions, endangered))).await;

        let mut seen = Vec::new();
        let mut remaining = Vec::new();
        for look in looks {
            if let Some((account, mut syncs)) = look? {
                remaining.append(&mut syncs);
                seen.push(SyncsLook { account, regions: regions.iter().copied().cloned().collect() });
            }
        }
        if !remaining.is_empty() {
            remaining.sort();
            remaining.dedup();
            return Err(Error::of(ErrorKind::SyncsRemain { syncs: remaining }).at(operation));
        }
        match endangered.known.iter().find(|account| !seen.iter().any(|look| look.account == **account)) {
            Some(unseen) => Err(Error::of(ErrorKind::SyncsUnseen { account: *unseen }).at(operation)),
            None => Ok(SyncsReport::NoneSeen(seen)),
        }
    }
}

/// The organization's syncs of the client's account, or `None` where the step does not endanger that account's.
async fn look(
    client: &dyn SystemsManagerClient,
    regions: &BTreeSet<&Region>,
    endangered: &Endangered,
) -> Result<Option<(AccountId, Vec<SyncAt>)>, Error> {
    // The listing says nothing about whose it is, so a client that cannot tell has seen nobody's syncs.
    let account = client.get_caller_identity().await?.account;
    if !endangered.others && !endangered.known.contains(&account) {
        return Ok(None);
    }
    let listings = join_all(regions.iter().map(|region| of_organization(client, account, region))).await;
    let syncs: Vec<Vec<SyncAt>> = listings.into_iter().collect::<Result<_, _>>()?;
    Ok(Some((account, syncs.into_iter().flatten().collect())))
}

async fn of_organization(
    client: &dyn SystemsManagerClient,
    account: AccountId,
    region: &Region,
) -> Result<Vec<SyncAt>, Error> {
    let unseen = |error: Error| {
        let operation = Operation::ListResourceDataSync;
        let unseen = Error::of(ErrorKind::SyncsUnseen { account }).at(operation);
        unseen.called_as(Some(account)).with_region(region.clone()).with_source(error.called_as(Some(account)))
    };
    let mut syncs = Vec::new();
    let mut pages = Pages::of(Operation::ListResourceDataSync);
    while pages.remain() {
        let page =
            client.list_resource_data_sync(region, SyncType::SyncFromSource, pages.token()).await.map_err(unseen)?;
        pages.turn(page.next).map_err(unseen)?;
        syncs.extend(page.items.into_iter().filter(DataSync::is_of_organization).map(|sync| SyncAt {
            account,
            region: region.clone(),
            name: sync.name,
        }));
    }
    Ok(syncs)
}
