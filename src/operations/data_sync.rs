//! One data sync in one Region: read, decide, write once, and see it through.

use futures_util::future::join;

use super::settle::{Absence, Patience, Waiting, not_settled};
use crate::change::{Certainty, Change, ChangeKind};
use crate::domain::{AccountId, Region, SyncName};
use crate::error::{Applied, Error, ErrorKind, Retry};
use crate::journal::Own;
use crate::observation::{PRINCIPAL, same_date};
use crate::pages::Pages;
use crate::ports::{
    DataSync, Operation, Organization, SyncDefinition, SyncSource, SyncSourceType, SyncType, SystemsManagerApi,
};
use crate::syncs::{Known, SyncAt, has_gone};

/// Five of an account in a Region, by
/// [Systems Manager's quotas](https://docs.aws.amazon.com/general/latest/gr/ssm.html).
pub(crate) const QUOTA: usize = 5;

/// The opt-in Regions in which Explorer works across accounts, from the management account alone.
const OPT_IN_REGIONS: [&str; 4] = ["af-south-1", "ap-east-1", "eu-south-1", "me-south-1"];

/// One account's syncs in one Region.
pub(crate) struct Place<'a, M: ?Sized> {
    pub(crate) ssm: &'a M,
    pub(crate) organization: &'a Organization,
    pub(crate) account: AccountId,
    pub(crate) region: &'a Region,
    pub(crate) patience: Patience<'a>,
    /// What this handle has changed: a listing that denies it is old.
    pub(crate) own: Own<'a>,
}

/// What came of it, and what it changed.
pub(crate) struct Outcome<T> {
    pub(crate) result: Result<T, Error>,
    pub(crate) change: Option<Change>,
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
pub(crate) enum Likeness {
    Same,
    /// Alike, but for what AWS does not show.
    Unshown,
    Different,
    /// Not to be bridged by an update.
    OtherSource,
}

pub(crate) fn likeness(found: &DataSync, wanted: &SyncDefinition) -> Likeness {
    match &found.source_type {
        Some(source) if *source == wanted.source().source_type() => {}
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

pub(crate) fn is_like(found: &DataSync, wanted: &SyncDefinition) -> bool {
    matches!(likeness(found, wanted), Likeness::Same | Likeness::Unshown)
}

/// Whether the sync is one that only the management account can have in this Region.
pub(crate) fn is_closed_to_administrators(region: &Region, wanted: &SyncDefinition) -> bool {
    OPT_IN_REGIONS.contains(&region.as_str()) && wanted.is_of_organization()
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
        error.in_organization(self.organization).called_as(Some(self.account)).with_region(self.region.clone())
    }

    fn at(&self, name: &SyncName) -> SyncAt {
        SyncAt::new(self.account, self.region, name)
    }

    /// The account's syncs of one type, without those that we saw go.
    pub(crate) async fn list(&self, sync_type: SyncType) -> Result<Vec<DataSync>, Error> {
        let mut syncs = Vec::new();
        let mut pages = Pages::of(Operation::ListResourceDataSync);
        while pages.remain() {
            let page = self.ssm.list_resource_data_sync(self.region, sync_type, pages.token()).await;
            let page = page.map_err(|error| self.name(error))?;
            for found in page.items {
                // A listing that changes under way may show one on two pages.
                if !syncs.iter().any(|known: &DataSync| known.name == found.name) {
                    syncs.push(found);
                }
            }
            pages.turn(page.next).map_err(|error| self.name(error))?;
        }
        if sync_type == SyncType::SyncFromSource {
            syncs.retain(|sync| !has_gone(self.own, &self.at(&sync.name), sync));
        }
        Ok(syncs)
    }

    /// The account's syncs of Explorer's kind, once they show this one if we saw AWS accept it.
    async fn list_with(&self, name: &SyncName, waiting: &mut Waiting<'_>) -> Result<Vec<DataSync>, Error> {
        let expected = Known::of(self.own, &self.at(name)) == Known::Made;
        loop {
            let syncs = self.list(SyncType::SyncFromSource).await?;
            if !expected || syncs.iter().any(|sync| sync.name == *name) {
                return Ok(syncs);
            }
            if !waiting.again().await {
                let late = not_settled(Operation::ListResourceDataSync, None).applied_is(Applied::No);
                return Err(self.name(late));
            }
        }
    }

    async fn find(&self, name: &SyncName) -> Result<Option<DataSync>, Error> {
        let syncs = self.list(SyncType::SyncFromSource).await?;
        Ok(syncs.into_iter().find(|sync| sync.name == *name))
    }

    /// Makes a sync what it is to be. `written` says that this run has written the same already, where AWS does not show all of it.
    pub(crate) async fn ensure(&self, wanted: &SyncDefinition, administrator: bool, written: bool) -> Outcome<Ensured> {
        self.ensure_from(wanted, administrator, written, |_| Ok(())).await
    }

    /// The same, but only from what passes the check: what is there, or that nothing is.
    pub(crate) async fn ensure_from(
        &self,
        wanted: &SyncDefinition,
        administrator: bool,
        written: bool,
        check: impl FnOnce(Option<&DataSync>) -> Result<(), Error>,
    ) -> Outcome<Ensured> {
        let mut waiting = Waiting::new(self.patience);
        let syncs = match self.list_with(wanted.name(), &mut waiting).await {
            Ok(syncs) => syncs,
            Err(error) => return Outcome::unchanged(Err(error)),
        };
        let Some(found) = syncs.iter().find(|sync| sync.name == *wanted.name()) else {
            let room = match check(None) {
                Ok(()) => self.check_room(wanted, &syncs, administrator).await,
                Err(error) => Err(self.name(error)),
            };
            return match room {
                Ok(holders) => self.create(wanted, holders, waiting).await,
                Err(error) => Outcome::unchanged(Err(error)),
            };
        };
        match likeness(found, wanted) {
            Likeness::Same => Outcome::unchanged(Ok(Ensured::AlreadySo(found.clone()))),
            Likeness::Unshown if written => Outcome::unchanged(Ok(Ensured::AlreadySo(found.clone()))),
            Likeness::OtherSource => {
                Outcome::unchanged(Err(self.error(ErrorKind::SyncSourceFixed, Operation::UpdateResourceDataSync)))
            }
            Likeness::Unshown | Likeness::Different => match check(Some(found)) {
                Ok(()) => self.update(wanted, found, waiting).await,
                Err(error) => Outcome::unchanged(Err(self.name(error))),
            },
        }
    }

    /// Refuses what AWS would refuse, with what is in the way. Answers who holds the places.
    ///
    /// Whether Inventory's syncs count is not documented, so five of Explorer's own are enough to say no, and fewer are left to AWS.
    async fn check_room(
        &self,
        wanted: &SyncDefinition,
        explorers: &[DataSync],
        administrator: bool,
    ) -> Result<Vec<SyncName>, Error> {
        let refuse = |kind| Err(self.error(kind, Operation::CreateResourceDataSync));
        if administrator && is_closed_to_administrators(self.region, wanted) {
            return refuse(ErrorKind::OptInRegion);
        }
        let inventorys = self.list(SyncType::SyncToDestination).await?;
        if inventorys.iter().any(|sync| sync.name == *wanted.name()) {
            return refuse(ErrorKind::SyncNameTaken);
        }
        let holders: Vec<_> = explorers.iter().chain(&inventorys).map(|sync| sync.name.clone()).collect();
        if explorers.len() >= QUOTA { refuse(ErrorKind::SyncQuotaFull { holders }) } else { Ok(holders) }
    }

    /// Refuses where the sync could not be made again once it is deleted.
    pub(crate) async fn check_recreation(&self, wanted: &SyncDefinition, administrator: bool) -> Result<(), Error> {
        let mut syncs = self.list_with(wanted.name(), &mut Waiting::new(self.patience)).await?;
        // Its own place will be free.
        syncs.retain(|sync| sync.name != *wanted.name());
        self.check_room(wanted, &syncs, administrator).await.map(drop)
    }

    /// Refuses where an administrator cannot create all of these. One that is there already, and the same, takes no place.
    pub(crate) async fn check_room_for(&self, wanted: &[SyncDefinition]) -> Result<(), Error> {
        let refuse = |kind| Err(self.error(kind, Operation::CreateResourceDataSync));
        if wanted.iter().any(|wanted| is_closed_to_administrators(self.region, wanted)) {
            return refuse(ErrorKind::OptInRegion);
        }
        let (explorers, inventorys) =
            join(self.list(SyncType::SyncFromSource), self.list(SyncType::SyncToDestination)).await;
        let (explorers, inventorys) = (explorers?, inventorys?);
        let mut new = Vec::new();
        for wanted in wanted {
            match explorers.iter().find(|sync| sync.name == *wanted.name()) {
                Some(found) if is_like(found, wanted) => {}
                Some(_) => return refuse(ErrorKind::SyncDiffers),
                None => new.push(wanted),
            }
        }
        self.judge_room(&explorers, &inventorys, &new, explorers.len() + inventorys.len())
    }

    /// Refuses where these could not be created beside those of Explorer's kind that will be left of `now` many.
    pub(crate) async fn check_room_beside(
        &self,
        left: &[DataSync],
        new: &[&SyncDefinition],
        now: usize,
    ) -> Result<(), Error> {
        let inventorys = self.list(SyncType::SyncToDestination).await?;
        self.judge_room(left, &inventorys, new, now + inventorys.len())
    }

    /// Where a place too few would cost a sync, Inventory's count. What has room `now` has it later; but beside five of Explorer's nothing is made.
    fn judge_room(
        &self,
        explorers: &[DataSync],
        inventorys: &[DataSync],
        new: &[&SyncDefinition],
        now: usize,
    ) -> Result<(), Error> {
        let refuse = |kind| Err(self.error(kind, Operation::CreateResourceDataSync));
        if new.iter().any(|new| inventorys.iter().any(|sync| sync.name == *new.name())) {
            return refuse(ErrorKind::SyncNameTaken);
        }
        let holders: Vec<_> = explorers.iter().chain(inventorys).map(|sync| sync.name.clone()).collect();
        let (all, explorers) = (holders.len() + new.len(), explorers.len() + new.len());
        if !new.is_empty() && (explorers > QUOTA || all > QUOTA.max(now)) {
            return refuse(ErrorKind::SyncQuotaFull { holders });
        }
        Ok(())
    }

    async fn create(
        &self,
        wanted: &SyncDefinition,
        holders: Vec<SyncName>,
        mut waiting: Waiting<'_>,
    ) -> Outcome<Ensured> {
        let operation = Operation::CreateResourceDataSync;
        let lost = loop {
            let write = || self.ssm.create_resource_data_sync(self.region, wanted);
            let refusal = match self.send(wanted, &mut waiting, write).await {
                Ok(lost) => break lost,
                Err(refusal) => refusal,
            };
            let end = match refusal.code() {
                Some("ResourceDataSyncAlreadyExistsException") => {
                    match self.outrun(wanted, refusal, &mut waiting).await {
                        Some(end) => end,
                        None => continue,
                    }
                }
                Some("ResourceDataSyncCountExceededException") => {
                    Err(refusal.explained_by(ErrorKind::SyncQuotaFull { holders }))
                }
                _ => Err(refusal),
            };
            return Outcome::unchanged(end);
        };
        let certainty = if lost.is_none() { Certainty::Did } else { Certainty::Maybe };
        let change = |after: Option<&DataSync>| {
            let created = after.and_then(|after| after.created);
            let (sync, shown) = (self.at(wanted.name()), after.is_some());
            let kind = ChangeKind::DataSyncCreated { sync, created, after: after.cloned().map(Box::new) };
            Some(Change { kind, certainty, shown })
        };
        let effect = |found: Option<DataSync>| found.filter(|found| is_like(found, wanted));
        match self.see(operation, lost, effect, wanted.name(), waiting).await {
            Ok(found) => Outcome { change: change(Some(&found)), result: Ok(Ensured::Created(found)) },
            Err(error) => Outcome { change: change(None), result: Err(error) },
        }
    }

    /// Sends a write, again where its refusal is late. Answers the error of one whose reply did not come.
    async fn send<F>(
        &self,
        wanted: &SyncDefinition,
        waiting: &mut Waiting<'_>,
        write: impl Fn() -> F,
    ) -> Result<Option<Error>, Error>
    where
        F: Future<Output = Result<(), Error>>,
    {
        loop {
            let Err(error) = write().await else { return Ok(None) };
            let error = self.name(error).for_sync(wanted);
            if error.applied() != Applied::No {
                return Ok(Some(error));
            }
            let late = self.is_refused_late(&error);
            if !late || !waiting.again().await {
                return Err(if late { error.with_retry(Retry::Spent) } else { error });
            }
        }
    }

    /// Whether a refusal says the opposite of what we saw AWS do: other services learn of it later than Organizations.
    fn is_refused_late(&self, refusal: &Error) -> bool {
        let did = |wanted: &dyn Fn(&ChangeKind) -> bool| {
            self.own.changes().iter().any(|change| change.certainty == Certainty::Did && wanted(&change.kind))
        };
        let registered = did(
            &|kind| matches!(kind, ChangeKind::AdministratorRegistered { account, principal, .. } if *account == self.account && *principal == PRINCIPAL),
        );
        match refusal.code() {
            Some("AccessDeniedException") => registered,
            Some("ResourceDataSyncInvalidConfigurationException") => {
                let needed = |kind: &ChangeKind| {
                    matches!(kind, ChangeKind::TrustedAccessEnabled { .. } | ChangeKind::RoleCreated { .. })
                };
                registered || did(&needed)
            }
            // A place that we saw become free.
            Some("ResourceDataSyncCountExceededException") => did(&|kind| {
                matches!(kind, ChangeKind::DataSyncDeleted { sync, .. }
                    if (sync.account, &sync.region) == (self.account, self.region))
            }),
            _ => false,
        }
    }

    /// What is there by a name that AWS says is taken, once a listing shows it. `None` to send again: what we saw go is in nobody's way.
    async fn outrun(
        &self,
        wanted: &SyncDefinition,
        refusal: Error,
        waiting: &mut Waiting<'_>,
    ) -> Option<Result<Ensured, Error>> {
        loop {
            match self.find(wanted.name()).await {
                Ok(Some(found)) if is_like(&found, wanted) => return Some(Ok(Ensured::AlreadySo(found))),
                Ok(Some(_)) => return Some(Err(refusal.explained_by(ErrorKind::SyncDiffers))),
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
            if !waiting.again().await {
                return Some(Err(refusal.with_retry(Retry::Spent)));
            }
            if matches!(Known::of(self.own, &self.at(wanted.name())), Known::Gone) {
                return None;
            }
        }
    }

    async fn update(&self, wanted: &SyncDefinition, before: &DataSync, mut waiting: Waiting<'_>) -> Outcome<Ensured> {
        let operation = Operation::UpdateResourceDataSync;
        let write = || self.ssm.update_resource_data_sync(self.region, wanted);
        let lost = match self.send(wanted, &mut waiting, write).await {
            Ok(lost) => lost,
            Err(refusal) => return Outcome::unchanged(Err(refusal)),
        };
        let certainty = if lost.is_none() { Certainty::Did } else { Certainty::Maybe };
        // What AWS does not show looks alike before and after: then only its date tells.
        let needs_date = lost.is_some() && is_like(before, wanted);
        let effect = |found: Option<DataSync>| {
            let dated = |found: &DataSync| found.modified.is_some() && found.modified != before.modified;
            found.filter(|found| is_like(found, wanted) && (!needs_date || dated(found)))
        };
        let seen = self.see(operation, lost, effect, wanted.name(), waiting).await;
        let kind = ChangeKind::DataSyncUpdated {
            sync: self.at(wanted.name()),
            created: before.created,
            before: Box::new(before.clone()),
            after: seen.as_ref().ok().cloned().map(Box::new),
        };
        let change = Change { kind, certainty, shown: seen.is_ok() };
        Outcome { result: seen.map(Ensured::Updated), change: Some(change) }
    }

    /// Deletes a sync of Explorer's kind. Answers the sync as it was; `None` where there was none.
    pub(crate) async fn delete(&self, name: &SyncName) -> Outcome<Option<DataSync>> {
        self.delete_from(name, |_| Ok(())).await
    }

    /// The same, but only what passes the check.
    pub(crate) async fn delete_from(
        &self,
        name: &SyncName,
        check: impl FnOnce(Option<&DataSync>) -> Result<(), Error>,
    ) -> Outcome<Option<DataSync>> {
        let operation = Operation::DeleteResourceDataSync;
        let mut waiting = Waiting::new(self.patience);
        let syncs = match self.list_with(name, &mut waiting).await {
            Ok(syncs) => syncs,
            Err(error) => return Outcome::unchanged(Err(error)),
        };
        let Some(before) = syncs.into_iter().find(|sync| sync.name == *name) else {
            return Outcome::unchanged(Ok(None));
        };
        if let Err(error) = check(Some(&before)) {
            return Outcome::unchanged(Err(self.name(error)));
        }
        let sent = self.ssm.delete_resource_data_sync(self.region, name, SyncType::SyncFromSource).await;
        let lost = match sent.map_err(|error| self.name(error)) {
            Ok(()) => None,
            Err(error) if error.applied() != Applied::No => Some(error),
            Err(error) => return Outcome::unchanged(self.gone_already(name, error, &mut waiting).await),
        };
        let certainty = if lost.is_none() { Certainty::Did } else { Certainty::Maybe };
        // One that has come back with another date is somebody else's.
        let same = |found: &DataSync| same_date(found.created, before.created);
        let mut absence = Absence::after(lost.as_ref());
        let effect = |found: Option<DataSync>| {
            // What was made later says that this one is gone.
            let later = found.as_ref().is_some_and(|found| before.created.is_some() && found.created > before.created);
            (absence.is_certain(!found.as_ref().is_some_and(same)) || later).then_some(())
        };
        let seen = self.see(operation, lost, effect, name, waiting).await;
        let kind = ChangeKind::DataSyncDeleted { sync: self.at(name), before: Box::new(before.clone()) };
        let change = Change { kind, certainty, shown: seen.is_ok() };
        Outcome { result: seen.map(|()| Some(before)), change: Some(change) }
    }

    /// Whether AWS refused a deletion because the sync is gone, once a listing shows that.
    async fn gone_already(
        &self,
        name: &SyncName,
        refusal: Error,
        waiting: &mut Waiting<'_>,
    ) -> Result<Option<DataSync>, Error> {
        if refusal.code() != Some("ResourceDataSyncNotFoundException") {
            return Err(refusal);
        }
        loop {
            if self.find(name).await?.is_none() {
                return Ok(None);
            }
            if !waiting.again().await {
                return Err(refusal.with_retry(Retry::Spent));
            }
        }
    }

    /// Looks until the effect shows. `lost` is the error of a write whose reply did not come.
    async fn see<T>(
        &self,
        operation: Operation,
        lost: Option<Error>,
        mut effect: impl FnMut(Option<DataSync>) -> Option<T>,
        name: &SyncName,
        mut waiting: Waiting<'_>,
    ) -> Result<T, Error> {
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
