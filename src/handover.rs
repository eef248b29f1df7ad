//! From one administrator to another, with what the old one's account holds.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tracing::Instrument;

use crate::by_region;
use crate::data_syncs::SyncEnsured;
use crate::domain::{AccountId, Region};
use crate::error::{Error, ErrorKind};
use crate::failure::{Failure, Recovered};
use crate::integration::{Integration, Transition};
use crate::journal::Own;
use crate::operations;
use crate::operations::data_sync::Place;
use crate::ports::{
    DataSync, Operation, Organization, OrganizationsApi, SyncDefinition, SyncType, SystemsManagerClient,
};
use crate::state::{Delegated, TrustedAccess};
use crate::syncs::{Care, Endangered, SyncAt, Syncs};
use crate::trace::span;

/// What becomes of the organization's data syncs in the old administrator's account when another takes over.
///
/// AWS deletes them with the delegation, and only that account can see them.
///
/// Exhaustive on purpose: what becomes of the syncs is for the caller to say.
#[derive(Clone, Copy)]
pub enum Handover<'a> {
    /// Carry them over: list them before, and create the same in the new account afterwards.
    Carry {
        /// A client of the old administrator's account.
        from: &'a dyn SystemsManagerClient,
        /// A client of the new administrator's account.
        to: &'a dyn SystemsManagerClient,
        /// The Regions that syncs may have been created in.
        regions: &'a [Region],
    },
    /// Do with them what deregistering would: refuse while one remains, or let them go.
    Leave(Syncs<'a>),
}

/// Names the way; a client need not be `Debug`.
impl fmt::Debug for Handover<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Carry { regions, .. } => f.debug_struct("Carry").field("regions", regions).finish_non_exhaustive(),
            Self::Leave(syncs) => f.debug_tuple("Leave").field(syncs).finish(),
        }
    }
}

/// What came of a replacement.
#[non_exhaustive]
pub struct Replaced<C> {
    /// The handle of the new administrator.
    pub delegated: Integration<Delegated, C>,
    /// Each sync that was sent to the new account, with what became of it. A sync that failed is whole in
    /// [`lost`](Self::lost), to be created again; where none could be sent, the first one's error says why.
    pub carried: Vec<(SyncAt, Result<SyncEnsured, Error>)>,
    /// The definitions of the syncs that could not be created in the new account, with their Regions.
    pub lost: Vec<(Region, SyncDefinition)>,
    /// The old account's syncs that other services look after. They were not made again; AWS deletes them with the delegation.
    pub foreign: Vec<SyncAt>,
    /// The carried syncs of which AWS did not show whether they include future Regions, or switch OpsData on. They were made without.
    pub unshown: Vec<SyncAt>,
}

impl<C> Replaced<C> {
    /// The handle, where no sync was lost. Makes no call.
    ///
    /// # Errors
    ///
    /// That of the first sync that could not be created in the new account, with the others' in [`further`](Error::further). The failure
    /// [`recover`](Failure::recover)s into the new administrator's handle, whose [`changes`](Integration::changes) hold the syncs as they
    /// were.
    pub fn into_result(self) -> Transition<Delegated, Delegated, C> {
        let Self { delegated, carried, .. } = self;
        match Error::all(carried.into_iter().map(|(_, ensured)| ensured)) {
            Ok(_) => Ok(delegated),
            Err(error) => Err(Failure::new(error, Recovered::Moved(delegated.into()))),
        }
    }

    fn without_syncs(delegated: Integration<Delegated, C>) -> Self {
        Self { delegated, carried: Vec::new(), lost: Vec::new(), foreign: Vec::new(), unshown: Vec::new() }
    }
}

/// Asks no `Debug` of the client.
impl<C> fmt::Debug for Replaced<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replaced")
            .field("delegated", &self.delegated)
            .field("carried", &self.carried)
            .field("lost", &self.lost)
            .field("foreign", &self.foreign)
            .field("unshown", &self.unshown)
            .finish()
    }
}

/// One delegation, from hand to hand.
impl<C> Integration<Delegated, C> {
    /// Makes another account the administrator instead.
    ///
    /// AWS has no such call. The delegation is taken from the one account and given to the other, and in between nobody has it: the new account is
    /// looked at in full before the old one is touched, its room for the syncs included. Syncs that are carried over are created anew, so what they had
    /// collected starts again.
    ///
    /// # Expected flow
    ///
    /// 1. `DescribeAccount` of the new account. To carry syncs over: `GetCallerIdentity` and `ListResourceDataSync` in both accounts.
    /// 2. [`deregister`](Self::deregister) of the old account.
    /// 3. [`register_delegated_administrator`](Integration::register_delegated_administrator) of the new one.
    /// 4. `CreateResourceDataSync` in the new account.
    ///
    /// # Errors
    ///
    /// Those of the two transitions. Before a write also [`SyncsUnseen`](ErrorKind::SyncsUnseen) when a client is not of the account that it
    /// should be of or a sync shows too little to be made again, [`SyncsRemain`](ErrorKind::SyncsRemain) for a sync that was made since the
    /// listing, [`OptInRegion`](ErrorKind::OptInRegion), and [`SyncQuotaFull`](ErrorKind::SyncQuotaFull),
    /// [`SyncNameTaken`](ErrorKind::SyncNameTaken) or [`SyncDiffers`](ErrorKind::SyncDiffers) when the new account has no room. When the old delegation is gone and the new one fails, the failure
    /// [`recover`](Failure::recover)s into `Moved(Observed::TrustedAccess(…))`; the change that took the delegation holds the syncs that
    /// went as they were ([`SyncsReport::recorded`](crate::SyncsReport::recorded)). What restores the old order is to register the old account again and create them there. A sync that fails afterwards is no failure of
    /// the replacement: see [`Replaced`].
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: see [`Integration`].
    ///
    /// # IAM permissions
    ///
    /// Those of the two transitions; to carry over, `ssm:ListResourceDataSync` in both accounts and `ssm:CreateResourceDataSync` in the new
    /// one. AWS:
    /// [Deregister an Explorer delegated administrator](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator-deregister.html).
    pub async fn replace(self, account: &AccountId, handover: Handover<'_>) -> Result<Replaced<C>, Failure<Self>>
    where
        C: OrganizationsApi,
    {
        let span = span!("replace" in self.known(), account: Some(account));
        self.hand_over(account, handover).instrument(span).await
    }

    async fn hand_over(mut self, account: &AccountId, handover: Handover<'_>) -> Result<Replaced<C>, Failure<Self>>
    where
        C: OrganizationsApi,
    {
        if self.administrator().account == *account {
            return Ok(Replaced::without_syncs(self));
        }
        let old = self.administrator().account;
        if let Err(error) = operations::candidate(&self.ground(), *account).await {
            return Err(Failure::new(error, Recovered::Unchanged(self)));
        }
        let endangered = Endangered::of(vec![old]);
        let (from, to, regions) = match handover {
            Handover::Carry { from, to, regions } => (from, to, regions),
            Handover::Leave(syncs) => {
                let trusted = self.deregister(syncs).await?;
                let delegated = trusted.register_checked(*account).await.map_err(Failure::after_deregistering)?;
                return Ok(Replaced::without_syncs(delegated));
            }
        };
        let stock = match Stock::take(self.organization(), self.own(), from, old, to, *account, regions).await {
            Ok(stock) => stock,
            Err(error) => return Err(Failure::new(error, Recovered::Unchanged(self))),
        };
        // On record, so nothing is lost by letting go of them.
        let care = Care::Recorded { record: &stock.recorded, ssm: &[from], regions, forfeit: false };
        let trusted = self.deregister_where(care, &endangered).await?;
        let delegated = trusted.register_checked(*account).await.map_err(Failure::after_deregistering)?;
        Ok(stock.bring(delegated, to).await)
    }
}

/// The organization's syncs of the old account.
struct Stock {
    /// As they were.
    recorded: Vec<(SyncAt, DataSync)>,
    /// As they are to be.
    wanted: Vec<(Region, SyncDefinition)>,
    foreign: Vec<SyncAt>,
    unshown: Vec<SyncAt>,
}

impl Stock {
    /// Lists them, and sees whether the new account has room for them.
    async fn take(
        organization: &Organization,
        own: Own<'_>,
        from: &dyn SystemsManagerClient,
        old: AccountId,
        to: &dyn SystemsManagerClient,
        new: AccountId,
        regions: &[Region],
    ) -> Result<Self, Error> {
        let operation = Operation::DeregisterDelegatedAdministrator;
        let regions = by_region::distinct(regions, operation)?;
        let unseen = |account| Error::of(ErrorKind::SyncsUnseen { account }).at(operation);
        for (client, account) in [(from, old), (to, new)] {
            let caller = client.get_caller_identity().await?.account;
            if caller != account {
                return Err(unseen(account).called_as(Some(caller)));
            }
        }
        let listings = by_region::each(regions, |region| async move {
            let place = Place { ssm: from, organization, account: old, region, patience: Duration::ZERO.into(), own };
            place.list(SyncType::SyncFromSource).await
        })
        .await;
        let mut stock = Self { recorded: Vec::new(), wanted: Vec::new(), foreign: Vec::new(), unshown: Vec::new() };
        let mut rooms: BTreeMap<&Region, Vec<SyncDefinition>> = BTreeMap::new();
        let listings = listings.into_iter().map(|(region, listing)| listing.map(|syncs| (region, syncs)));
        for (region, syncs) in Error::all(listings)? {
            for sync in syncs.into_iter().filter(DataSync::is_of_organization) {
                let at = SyncAt::new(old, region, &sync.name);
                stock.recorded.push((at.clone(), sync.clone()));
                if sync.name.is_foreign() {
                    stock.foreign.push(at);
                    continue;
                }
                let Some(definition) = sync.definition() else {
                    let why = format!("AWS shows too little of the sync {:?} to make it again", sync.name.to_string());
                    return Err(unseen(old).with_region(region.clone()).called_as(Some(old)).with_message(why));
                };
                if sync.future_regions.is_none() || sync.all_ops_data_sources.is_none() {
                    stock.unshown.push(SyncAt::new(new, region, &sync.name));
                }
                rooms.entry(region).or_default().push(definition.clone());
                stock.wanted.push((region.clone(), definition));
            }
        }
        let checks = by_region::each(rooms.keys().copied().collect(), |region| {
            let wanted = rooms.get(region).map(Vec::as_slice).unwrap_or_default();
            async move {
                let place = Place { ssm: to, organization, account: new, region, patience: Duration::ZERO.into(), own };
                place.check_room_for(wanted).await
            }
        });
        Error::all(checks.await.into_iter().map(|(_, check)| check))?;
        Ok(stock)
    }

    /// Creates them in the new account.
    async fn bring<C>(self, mut delegated: Integration<Delegated, C>, to: &dyn SystemsManagerClient) -> Replaced<C> {
        let new = delegated.administrator().account;
        let (mut carried, mut lost) = (Vec::new(), Vec::new());
        let Self { wanted, foreign, unshown, .. } = self;
        match delegated.data_syncs(to).await {
            Ok(mut syncs) => {
                for (definition, regions) in by_definition(wanted) {
                    let results = match syncs.ensure(&definition, &regions).await {
                        Ok(results) => results,
                        Err(error) => {
                            let first = regions.first().map(|region| SyncAt::new(new, region, definition.name()));
                            carried.extend(first.map(|at| (at, Err(error))));
                            lost.extend(regions.into_iter().map(|region| (region, definition.clone())));
                            continue;
                        }
                    };
                    for (region, ensured) in results.into_inner() {
                        carried.push((SyncAt::new(new, &region, definition.name()), ensured));
                        if carried.last().is_some_and(|(_, ensured)| ensured.is_err()) {
                            lost.push((region, definition.clone()));
                        }
                    }
                }
            }
            // The identity was told before: nothing can be made now.
            Err(error) => {
                let first = wanted.first().map(|(region, sync)| SyncAt::new(new, region, sync.name()));
                carried.extend(first.map(|at| (at, Err(error))));
                lost.extend(wanted);
            }
        }
        Replaced { delegated, carried, lost, foreign, unshown }
    }
}

/// The same sync in several Regions is made in all of them at once.
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

impl<C> Failure<Integration<TrustedAccess, C>> {
    /// The failure of a registration, once the old administrator is gone.
    fn after_deregistering(self) -> Failure<Integration<Delegated, C>> {
        let (error, recovered) = self.into_parts();
        let recovered = match recovered {
            Recovered::Unchanged(trusted) => Recovered::Moved(trusted.into()),
            Recovered::Moved(observed) => Recovered::Moved(observed),
            Recovered::Unknown(handle) => Recovered::Unknown(handle),
        };
        Failure::new(error, recovered)
    }
}
