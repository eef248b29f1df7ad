//! One data sync in one Region: read, decide, write once, and see it through.

use futures_util::future::join;

use super::settle::{Waiting, not_settled};
use crate::change::{Certainty, ChangeKind};
use crate::domain::{AccountId, Region, SyncName};
use crate::error::{Applied, Error, ErrorKind};
use crate::pages::Pages;
use crate::ports::{DataSync, Operation, SyncDefinition, SyncSource, SyncSourceType, SyncType, SystemsManagerApi};
use crate::syncs::SyncAt;
use std::time::Duration;

/// Five of an account in a Region, by
/// [Systems Manager's quotas](https://docs.aws.amazon.com/general/latest/gr/ssm.html).
const QUOTA: usize = 5;

/// The opt-in Regions in which Explorer works across accounts, from the management account alone.
const OPT_IN_REGIONS: [&str; 4] = ["af-south-1", "ap-east-1", "eu-south-1", "me-south-1"];

/// One account's syncs in one Region.
pub(crate) struct Place<'a, M: ?Sized> {
    pub(crate) ssm: &'a M,
    pub(crate) account: AccountId,
    pub(crate) region: &'a Region,
    pub(crate) patience: Duration,
}

/// What came of it, and what it changed.
pub(crate) struct Outcome<T> {
    pub(crate) result: Result<T, Error>,
    pub(crate) change: Option<(ChangeKind, Certainty)>,
}

impl<T> Outcome<T> {
    fn unchanged(result: Result<T, Error>) -> Self {
        Self { result, change: None }
    }
}

/// What a sync that was to be so turned out to be.
pub(crate) enum Ensured {
    /// It was so already.
    AlreadySo(DataSync),
    Created(DataSync),
    Updated(DataSync),
}

/// A sync as it is beside what it is to be.
#[derive(Debug, PartialEq, Eq)]
enum Likeness {
    Same,
    /// Alike, but for what AWS does not show.
    Unshown,
    Different,
    /// Not to be bridged by an update.
    OtherSource,
}

fn source_type(definition: &SyncDefinition) -> SyncSourceType {
    match definition.source() {
        SyncSource::EntireOrganization | SyncSource::OrganizationalUnits(_) => SyncSourceType::AwsOrganizations,
        SyncSource::SingleAccount => SyncSourceType::SingleAccountMultiRegions,
    }
}

fn likeness(found: &DataSync, wanted: &SyncDefinition) -> Likeness {
    match &found.source_type {
        Some(source) if *source == source_type(wanted) => {}
        Some(SyncSourceType::AwsOrganizations | SyncSourceType::SingleAccountMultiRegions) => {
            return Likeness::OtherSource;
        }
        // Not shown, or in parts that cannot be read: an update makes it plain.
        _ => return Likeness::Different,
    }
    let units = match wanted.source() {
        SyncSource::OrganizationalUnits(units) => units.as_slice(),
        _ => &[],
    };
    if sorted(&found.units) != sorted(units) || sorted(&found.regions) != sorted(wanted.regions()) {
        return Likeness::Different;
    }
    let booleans = [
        (found.future_regions, wanted.includes_future_regions()),
        (found.all_ops_data_sources, wanted.enables_all_ops_data_sources()),
    ];
    if booleans.iter().any(|(shown, wanted)| shown.is_some_and(|shown| shown != *wanted)) {
        Likeness::Different
    } else if booleans.iter().any(|(shown, _)| shown.is_none()) {
        Likeness::Unshown
    } else {
        Likeness::Same
    }
}

fn sorted<T: Ord + Clone>(items: &[T]) -> Vec<T> {
    let mut items = items.to_vec();
    items.sort();
    items
}

impl<M: SystemsManagerApi + ?Sized> Place<'_, M> {
    fn error(&self, kind: ErrorKind, operation: Operation) -> Error {
        self.name(Error::of(kind).at(operation))
    }

    fn name(&self, error: Error) -> Error {
        error.called_as(Some(self.account)).with_region(self.region.clone())
    }

    fn at(&self, name: &SyncName) -> SyncAt {
        SyncAt::new(self.account, self.region, name)
    }

    /// The account's syncs of one type.
    pub(crate) async fn list(&self, sync_type: SyncType) -> Result<Vec<DataSync>, Error> {
        let mut syncs = Vec::new();
        let mut pages = Pages::of(Operation::ListResourceDataSync);
        while pages.remain() {
            let page = self.ssm.list_resource_data_sync(self.region, sync_type, pages.token()).await;
            let page = page.map_err(|error| self.name(error))?;
            syncs.extend(page.items);
            pages.turn(page.next).map_err(|error| self.name(error))?;
        }
        Ok(syncs)
    }

    async fn find(&self, name: &SyncName) -> Result<Option<DataSync>, Error> {
        let syncs = self.list(SyncType::SyncFromSource).await?;
        Ok(syncs.into_iter().find(|sync| sync.name == *name))
    }

    /// Makes a sync what it is to be. `written` says that this run has written it already, where AWS does not show all of it.
    pub(crate) async fn ensure(&self, wanted: &SyncDefinition, administrator: bool, written: bool) -> Outcome<Ensured> {
        let syncs = match self.list(SyncType::SyncFromSource).await {
            Ok(syncs) => syncs,
            Err(error) => return Outcome::unchanged(Err(error)),
        };
        let Some(found) = syncs.iter().find(|sync| sync.name == *wanted.name()) else {
            return match self.check_room(wanted, &syncs, administrator).await {
                Ok(()) => self.create(wanted).await,
                Err(error) => Outcome::unchanged(Err(error)),
            };
        };
        match likeness(found, wanted) {
            Likeness::Same => Outcome::unchanged(Ok(Ensured::AlreadySo(found.clone()))),
            Likeness::Unshown if written => Outcome::unchanged(Ok(Ensured::AlreadySo(found.clone()))),
            Likeness::OtherSource => {
                Outcome::unchanged(Err(self.error(ErrorKind::SyncSourceFixed, Operation::UpdateResourceDataSync)))
            }
            Likeness::Unshown | Likeness::Different => self.update(wanted, found).await,
        }
    }

    /// Refuses what AWS would refuse, with what is in the way.
    async fn check_room(
        &self,
        wanted: &SyncDefinition,
        explorers: &[DataSync],
        administrator: bool,
    ) -> Result<(), Error> {
        let refuse = |kind| Err(self.error(kind, Operation::CreateResourceDataSync));
        let opt_in = OPT_IN_REGIONS.contains(&self.region.as_str());
        if administrator && opt_in && source_type(wanted) == SyncSourceType::AwsOrganizations {
            return refuse(ErrorKind::OptInRegion);
        }
        let inventorys = self.list(SyncType::SyncToDestination).await?;
        if inventorys.iter().any(|sync| sync.name == *wanted.name()) {
            return refuse(ErrorKind::SyncNameTaken);
        }
        let holders: Vec<_> = explorers.iter().chain(&inventorys).map(|sync| sync.name.clone()).collect();
        if holders.len() >= QUOTA {
            return refuse(ErrorKind::SyncQuotaFull { holders });
        }
        Ok(())
    }

    /// Refuses where not all of these can be created. One that is there already, and the same, takes no place.
    pub(crate) async fn check_room_for(&self, wanted: &[SyncDefinition]) -> Result<(), Error> {
        let refuse = |kind| Err(self.error(kind, Operation::CreateResourceDataSync));
        let (explorers, inventorys) =
            join(self.list(SyncType::SyncFromSource), self.list(SyncType::SyncToDestination)).await;
        let (explorers, inventorys) = (explorers?, inventorys?);
        let mut new = 0;
        for wanted in wanted {
            match explorers.iter().find(|sync| sync.name == *wanted.name()) {
                Some(found) if likeness(found, wanted) == Likeness::Same => {}
                Some(_) => return refuse(ErrorKind::SyncDiffers),
                None if inventorys.iter().any(|sync| sync.name == *wanted.name()) => {
                    return refuse(ErrorKind::SyncNameTaken);
                }
                None => new += 1,
            }
        }
        let holders: Vec<_> = explorers.iter().chain(&inventorys).map(|sync| sync.name.clone()).collect();
        if holders.len() + new > QUOTA { refuse(ErrorKind::SyncQuotaFull { holders }) } else { Ok(()) }
    }

    async fn create(&self, wanted: &SyncDefinition) -> Outcome<Ensured> {
        let operation = Operation::CreateResourceDataSync;
        let sent = self.ssm.create_resource_data_sync(self.region, wanted).await.map_err(|error| self.name(error));
        let change = |created| ChangeKind::DataSyncCreated { sync: self.at(wanted.name()), created };
        let certainty = match &sent {
            Ok(()) => Certainty::Did,
            Err(error) if error.applied() != Applied::No => Certainty::Maybe,
            // Somebody else was faster, perhaps with the same.
            Err(_) => {
                let found = self.find(wanted.name()).await.ok().flatten();
                let same = found.filter(|found| matches!(likeness(found, wanted), Likeness::Same | Likeness::Unshown));
                return Outcome::unchanged(match (same, sent) {
                    (Some(found), _) => Ok(Ensured::AlreadySo(found)),
                    (None, Err(error)) => Err(error),
                    (None, Ok(())) => Err(self.error(ErrorKind::StateMoved, operation)),
                });
            }
        };
        match self.see(operation, sent.err(), |found| found, wanted.name()).await {
            Ok(found) => {
                Outcome { change: Some((change(found.created), certainty)), result: Ok(Ensured::Created(found)) }
            }
            Err(error) => Outcome { change: Some((change(None), certainty)), result: Err(error) },
        }
    }

    async fn update(&self, wanted: &SyncDefinition, before: &DataSync) -> Outcome<Ensured> {
        let operation = Operation::UpdateResourceDataSync;
        let sent = self.ssm.update_resource_data_sync(self.region, wanted).await.map_err(|error| self.name(error));
        let certainty = match &sent {
            Ok(()) => Certainty::Did,
            Err(error) if error.applied() != Applied::No => Certainty::Maybe,
            Err(_) => {
                return Outcome::unchanged(match sent {
                    Err(error) => Err(error),
                    Ok(()) => Err(self.error(ErrorKind::StateMoved, operation)),
                });
            }
        };
        let changed = |found: Option<DataSync>| {
            found.filter(|found| matches!(likeness(found, wanted), Likeness::Same | Likeness::Unshown))
        };
        let seen = self.see(operation, sent.err(), changed, wanted.name()).await;
        let kind = ChangeKind::DataSyncUpdated {
            sync: self.at(wanted.name()),
            created: before.created,
            before: Box::new(before.clone()),
        };
        Outcome { result: seen.map(Ensured::Updated), change: Some((kind, certainty)) }
    }

    /// Deletes a sync of Explorer's kind. Answers the sync as it was; `None` where there was none.
    pub(crate) async fn delete(&self, name: &SyncName) -> Outcome<Option<DataSync>> {
        let operation = Operation::DeleteResourceDataSync;
        let before = match self.find(name).await {
            Ok(Some(before)) => before,
            other => return Outcome::unchanged(other),
        };
        let sent = self.ssm.delete_resource_data_sync(self.region, name, SyncType::SyncFromSource).await;
        let sent = sent.map_err(|error| self.name(error));
        let certainty = match &sent {
            Ok(()) => Certainty::Did,
            Err(error) if error.applied() != Applied::No => Certainty::Maybe,
            Err(_) => {
                let gone = matches!(self.find(name).await, Ok(None));
                return Outcome::unchanged(match sent {
                    Err(error) if !gone => Err(error),
                    _ => Ok(None),
                });
            }
        };
        // One that has come back with another date is somebody else's.
        let gone = |found: Option<DataSync>| {
            let same = |found: &DataSync| found.created.is_none() || found.created == before.created;
            (!found.as_ref().is_some_and(same)).then_some(())
        };
        let seen = self.see(operation, sent.err(), gone, name).await;
        let kind = ChangeKind::DataSyncDeleted { sync: self.at(name), before: Box::new(before.clone()) };
        Outcome { result: seen.map(|()| Some(before)), change: Some((kind, certainty)) }
    }

    /// Looks until the effect shows. `lost` is the error of a write whose reply did not come.
    async fn see<T>(
        &self,
        operation: Operation,
        lost: Option<Error>,
        effect: impl Fn(Option<DataSync>) -> Option<T>,
        name: &SyncName,
    ) -> Result<T, Error> {
        let mut waiting = Waiting::new(self.patience);
        let unread = loop {
            let unread = match self.find(name).await {
                Ok(found) => match effect(found) {
                    Some(seen) => return Ok(seen),
                    None => None,
                },
                Err(error) => Some(error),
            };
            if !waiting.after(unread.as_ref()).await {
                break unread;
            }
        };
        Err(lost.unwrap_or_else(|| self.name(not_settled(operation, unread))))
    }
}
