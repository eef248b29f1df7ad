//! Operations on one data sync in one Region: read, decide, write once, and confirm by reading.

use std::sync::{Mutex, PoisonError};

use futures_util::future::join;

use super::change_log::LocalChanges;
use super::known_read::KnownRead;
use super::refusal_cause::{INVALID_CONFIGURATION, RefusalReads};
use super::retry::repeat_refused;
use super::sync_guard::{SyncKnowledge, was_deleted_by_us};
use crate::domain::limits::{OPT_IN_REGIONS, SYNC_QUOTA};
use crate::domain::{
    AccountId, Certainty, Change, ChangeKind, DataSync, DataSyncId, EnsureOutcome, Operation, Organization, Region,
    SYSTEMS_MANAGER, SyncDefinition, SyncName, SyncSourceType, SyncType, same_date,
};
use crate::error::{Error, ErrorKind, RetryStatus, WriteStatus};
use crate::observation::{RetryingClient, list_data_syncs, retrying};
use crate::ports::SystemsManagerApi;
use crate::trace::SentWrite;
use crate::wait::{Backoff, DeletionConfirmation, Effect, WaitPolicy};

/// Data syncs of one account in one Region.
pub(crate) struct RegionSyncs<'a, M: ?Sized> {
    pub(crate) ssm: &'a M,
    pub(crate) organization: &'a Organization,
    pub(crate) account: AccountId,
    pub(crate) region: &'a Region,
    pub(crate) wait_policy: WaitPolicy<'a>,
    /// Changes made by this handle: a listing that contradicts these changes is stale.
    pub(crate) local_changes: LocalChanges<'a>,
    /// The account's Explorer syncs in the Region, if they are known.
    pub(crate) known: KnownRead<Vec<DataSync>>,
    pub(crate) refusal_reads: RefusalReads<'a>,
}

/// Result of a write, with the change made, if any.
pub(crate) struct WriteResult<T> {
    pub(crate) result: Result<T, Error>,
    pub(crate) change: Option<Change>,
    /// The listing that confirmed the write.
    pub(crate) listing: Option<Vec<DataSync>>,
}

impl<T> WriteResult<T> {
    fn unchanged(result: Result<T, Error>) -> Self {
        Self { result, change: None, listing: None }
    }

    pub(crate) fn without_value(self) -> WriteResult<()> {
        WriteResult { result: self.result.map(drop), change: self.change, listing: self.listing }
    }

    fn changed(change: Change, seen: Result<(T, Vec<DataSync>), Error>) -> Self {
        let (result, listing) = match seen {
            Ok((result, listing)) => (Ok(result), Some(listing)),
            Err(error) => (Err(error), None),
        };
        Self { result, change: Some(change), listing }
    }
}

/// Comparison of a sync with a wanted definition.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DefinitionMatch {
    Equal,
    /// Equal except for attributes that AWS does not show.
    Unverifiable,
    Differs,
    /// The source differs, which an update cannot change.
    SourceDiffers,
}

pub(crate) fn compare_definition(found: &DataSync, wanted: &SyncDefinition) -> DefinitionMatch {
    match &found.source_type {
        Some(source) if *source == wanted.source().source_type() => {}
        Some(SyncSourceType::AwsOrganizations | SyncSourceType::SingleAccountMultiRegions) => {
            return DefinitionMatch::SourceDiffers;
        }
        // The attribute is missing or only partly readable, so an update sets it explicitly.
        _ => return DefinitionMatch::Differs,
    }
    if sorted(&found.units) != sorted(wanted.units()) || sorted(&found.regions) != sorted(wanted.regions()) {
        return DefinitionMatch::Differs;
    }
    let booleans = [
        (found.future_regions, wanted.includes_future_regions()),
        (found.all_ops_data_sources, wanted.enables_all_ops_data_sources()),
    ];
    if booleans.iter().any(|(shown, wanted)| shown.is_some_and(|shown| shown != *wanted)) {
        DefinitionMatch::Differs
    } else if booleans.iter().any(|(shown, _)| shown.is_none()) {
        DefinitionMatch::Unverifiable
    } else {
        DefinitionMatch::Equal
    }
}

pub(crate) fn matches_definition(found: &DataSync, wanted: &SyncDefinition) -> bool {
    matches!(compare_definition(found, wanted), DefinitionMatch::Equal | DefinitionMatch::Unverifiable)
}

/// Returns whether only the management account can create this sync in this Region.
pub(crate) fn requires_management_account(region: &Region, wanted: &SyncDefinition) -> bool {
    OPT_IN_REGIONS.contains(&region.as_str()) && wanted.is_of_organization()
}

fn sorted<T: Ord + Clone>(items: &[T]) -> Vec<T> {
    let mut items = items.to_vec();
    items.sort();
    items
}

impl<M: SystemsManagerApi + ?Sized> RegionSyncs<'_, M> {
    fn error(&self, kind: ErrorKind, operation: Operation) -> Error {
        self.with_context(Error::new(kind).with_operation(operation))
    }

    fn with_context(&self, error: Error) -> Error {
        error.with_organization(self.organization).with_caller(Some(self.account)).with_region(self.region.clone())
    }

    fn id(&self, name: &SyncName) -> DataSyncId {
        DataSyncId::new(self.account, self.region, name)
    }

    fn client(&self) -> RetryingClient<'_, M> {
        retrying(self.ssm, self.wait_policy)
    }

    /// Lists the account's syncs of one type, without syncs known to be deleted.
    pub(crate) async fn list(&self, sync_type: SyncType) -> Result<Vec<DataSync>, Error> {
        let listed = list_data_syncs(&self.client(), self.region, sync_type).await;
        let syncs = listed.map_err(|error| self.with_context(error))?;
        Ok(if sync_type == SyncType::SyncFromSource { self.without_deleted(syncs) } else { syncs })
    }

    /// Removes the syncs that are known to be deleted.
    fn without_deleted(&self, mut syncs: Vec<DataSync>) -> Vec<DataSync> {
        syncs.retain(|sync| !was_deleted_by_us(self.local_changes, &self.id(&sync.name), sync));
        syncs
    }

    /// Lists the account's Explorer syncs. If AWS accepted this sync, waits until the listing shows
    /// the sync.
    async fn list_with(&self, name: &SyncName, backoff: &mut Backoff<'_>) -> Result<Vec<DataSync>, Error> {
        let expected = SyncKnowledge::of(self.local_changes, &self.id(name)) == SyncKnowledge::Created;
        loop {
            let syncs = match self.known.take() {
                Some(known) => self.without_deleted(known),
                None => self.list(SyncType::SyncFromSource).await?,
            };
            if !expected || syncs.iter().any(|sync| sync.name == *name) {
                return Ok(syncs);
            }
            if !backoff.next().await {
                let late = backoff
                    .timeout_error(Operation::ListResourceDataSync, None)
                    .with_write_status(WriteStatus::NotApplied);
                return Err(self.with_context(late));
            }
        }
    }

    async fn find(&self, name: &SyncName) -> Result<Option<DataSync>, Error> {
        let syncs = self.list(SyncType::SyncFromSource).await?;
        Ok(syncs.into_iter().find(|sync| sync.name == *name))
    }

    /// Ensures that a sync has the wanted definition. `written` says that this run has already
    /// written the same definition, for attributes that AWS does not show.
    pub(crate) async fn ensure(
        &self,
        wanted: &SyncDefinition,
        administrator: bool,
        written: bool,
    ) -> WriteResult<EnsureOutcome<DataSync>> {
        self.ensure_if(wanted, administrator, written, |_| Ok(())).await
    }

    /// Ensures the definition as [`ensure`](Self::ensure) does, if the existing sync, or its
    /// absence, passes the check.
    pub(crate) async fn ensure_if(
        &self,
        wanted: &SyncDefinition,
        administrator: bool,
        written: bool,
        check: impl Fn(Option<&DataSync>) -> Result<(), Error> + Send + Sync,
    ) -> WriteResult<EnsureOutcome<DataSync>> {
        self.repeat(|| self.try_ensure(wanted, administrator, written, &check)).await
    }

    async fn repeat<T: Send, F>(&self, attempt: impl Fn() -> F + Send + Sync) -> WriteResult<T>
    where
        F: Future<Output = WriteResult<T>> + Send,
    {
        let listing = Mutex::new(None);
        let attempt = || async {
            let WriteResult { result, change, listing: seen } = attempt().await;
            *listing.lock().unwrap_or_else(PoisonError::into_inner) = seen;
            (result, change)
        };
        let (result, change) = repeat_refused(self.wait_policy, attempt).await;
        WriteResult { result, change, listing: listing.into_inner().unwrap_or_else(PoisonError::into_inner) }
    }

    async fn try_ensure(
        &self,
        wanted: &SyncDefinition,
        administrator: bool,
        written: bool,
        check: &(impl Fn(Option<&DataSync>) -> Result<(), Error> + Sync),
    ) -> WriteResult<EnsureOutcome<DataSync>> {
        let mut backoff = Backoff::new(self.wait_policy.for_effect(Effect::KnownToSystemsManager));
        let syncs = match self.list_with(wanted.name(), &mut backoff).await {
            Ok(syncs) => syncs,
            Err(error) => return WriteResult::unchanged(Err(error)),
        };
        let Some(found) = syncs.iter().find(|sync| sync.name == *wanted.name()) else {
            let allowed = match check(None) {
                Ok(()) => self.check_creation(wanted, &syncs, administrator).await,
                Err(error) => Err(self.with_context(error)),
            };
            return match allowed {
                Ok(()) => self.create(wanted, &syncs, backoff).await,
                Err(error) => WriteResult::unchanged(Err(error)),
            };
        };
        match compare_definition(found, wanted) {
            DefinitionMatch::Equal => WriteResult::unchanged(Ok(EnsureOutcome::Unchanged(found.clone()))),
            DefinitionMatch::Unverifiable if written => {
                WriteResult::unchanged(Ok(EnsureOutcome::Unchanged(found.clone())))
            }
            DefinitionMatch::SourceDiffers => WriteResult::unchanged(Err(
                self.error(ErrorKind::SyncSourceImmutable, Operation::UpdateResourceDataSync)
            )),
            DefinitionMatch::Unverifiable | DefinitionMatch::Differs => match check(Some(found)) {
                Ok(()) => self.update(wanted, found, backoff).await,
                Err(error) => WriteResult::unchanged(Err(self.with_context(error))),
            },
        }
    }

    /// Refuses a sync that AWS would refuse, and names the syncs that use the quota.
    ///
    /// AWS does not document whether Inventory syncs count. Therefore five Explorer syncs are
    /// enough to refuse, and a smaller number is left to AWS.
    async fn check_creation(
        &self,
        wanted: &SyncDefinition,
        explorers: &[DataSync],
        administrator: bool,
    ) -> Result<(), Error> {
        let refuse = |kind| Err(self.error(kind, Operation::CreateResourceDataSync));
        if administrator && requires_management_account(self.region, wanted) {
            return refuse(ErrorKind::OptInRegion);
        }
        if explorers.len() >= SYNC_QUOTA {
            return refuse(ErrorKind::SyncQuotaExceeded { names: self.quota_holders(explorers).await });
        }
        Ok(())
    }

    /// Returns the names of the syncs that use the quota, with Inventory's if these can be listed.
    async fn quota_holders(&self, explorers: &[DataSync]) -> Vec<SyncName> {
        let inventorys = self.list(SyncType::SyncToDestination).await.unwrap_or_default();
        explorers.iter().chain(&inventorys).map(|sync| sync.name.clone()).collect()
    }

    /// Refuses the deletion of a sync that could not be created again.
    pub(crate) async fn check_recreation(&self, wanted: &SyncDefinition, administrator: bool) -> Result<(), Error> {
        let mut syncs = self.list_with(wanted.name(), &mut Backoff::new(self.wait_policy)).await?;
        let now = syncs.len();
        // The deletion frees the place of this sync.
        syncs.retain(|sync| sync.name != *wanted.name());
        self.check_creation(wanted, &syncs, administrator).await?;
        if syncs.len() == now { Ok(()) } else { self.check_quota_beside(&syncs, &[wanted], now).await }
    }

    /// Refuses if an administrator cannot create all of these syncs. A sync that exists with the
    /// same definition uses no additional place.
    pub(crate) async fn check_quota_for_all(&self, wanted: &[SyncDefinition]) -> Result<(), Error> {
        let refuse = |kind| Err(self.error(kind, Operation::CreateResourceDataSync));
        if wanted.iter().any(|wanted| requires_management_account(self.region, wanted)) {
            return refuse(ErrorKind::OptInRegion);
        }
        let (explorers, inventorys) =
            join(self.list(SyncType::SyncFromSource), self.list(SyncType::SyncToDestination)).await;
        let (explorers, inventorys) = (explorers?, inventorys?);
        let mut new = Vec::new();
        for wanted in wanted {
            match explorers.iter().find(|sync| sync.name == *wanted.name()) {
                Some(found) if matches_definition(found, wanted) => {}
                Some(_) => return refuse(ErrorKind::SyncConflict),
                None => new.push(wanted),
            }
        }
        self.check_quota(&explorers, &inventorys, &new, explorers.len() + inventorys.len())
    }

    /// Refuses if these syncs could not be created in addition to the Explorer syncs that remain of
    /// the `now` existing ones.
    pub(crate) async fn check_quota_beside(
        &self,
        left: &[DataSync],
        new: &[&SyncDefinition],
        now: usize,
    ) -> Result<(), Error> {
        let inventorys = self.list(SyncType::SyncToDestination).await?;
        self.check_quota(left, &inventorys, new, now + inventorys.len())
    }

    /// Counts Inventory syncs toward the quota, because failing after the old sync was deleted
    /// would lose it. An account already above the quota keeps its current number. Nothing is
    /// created in addition to five Explorer syncs.
    fn check_quota(
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
        if !new.is_empty() && (explorers > SYNC_QUOTA || all > SYNC_QUOTA.max(now)) {
            return refuse(ErrorKind::SyncQuotaExceeded { names: holders });
        }
        Ok(())
    }

    async fn create(
        &self,
        wanted: &SyncDefinition,
        explorers: &[DataSync],
        mut backoff: Backoff<'_>,
    ) -> WriteResult<EnsureOutcome<DataSync>> {
        let operation = Operation::CreateResourceDataSync;
        let client = self.client();
        let kind = |after: Option<&DataSync>| ChangeKind::DataSyncCreated {
            sync: self.id(wanted.name()),
            created: after.and_then(|after| after.created),
            after: after.cloned().map(Box::new),
        };
        let (sent, lost) = loop {
            let write = || client.create_resource_data_sync(self.region, wanted);
            let refusal = match self.send(operation, &kind(None), wanted, &mut backoff, write).await {
                Ok(sent) => break sent,
                Err(refusal) => refusal,
            };
            let end = match refusal.code() {
                Some("ResourceDataSyncAlreadyExistsException") => {
                    match self.resolve_name_conflict(wanted, refusal, &mut backoff).await {
                        Some(end) => end,
                        None => continue,
                    }
                }
                Some("ResourceDataSyncCountExceededException") => {
                    let names = self.quota_holders(explorers).await;
                    Err(refusal.with_confirmed_kind(ErrorKind::SyncQuotaExceeded { names }))
                }
                _ => Err(refusal),
            };
            return WriteResult::unchanged(end);
        };
        let certainty = if lost.is_none() { Certainty::Confirmed } else { Certainty::Unconfirmed };
        let effect = |found: Option<DataSync>| found.filter(|found| matches_definition(found, wanted));
        let seen = self.wait_until_visible(operation, lost, effect, wanted.name()).await;
        let change = sent.complete(kind(seen.as_ref().ok().map(|(sync, _)| sync)), certainty, seen.is_ok());
        WriteResult::changed(change, seen.map(|(sync, listing)| (EnsureOutcome::Created(sync), listing)))
    }

    /// Sends a write, and sends it again after a stale refusal. Returns the record of the write and
    /// the error of a lost response.
    async fn send<F>(
        &self,
        operation: Operation,
        kind: &ChangeKind,
        wanted: &SyncDefinition,
        backoff: &mut Backoff<'_>,
        write: impl Fn() -> F,
    ) -> Result<(SentWrite, Option<Error>), Error>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let name = |error| self.with_context(error).with_sync(wanted);
        let mut has_read_units = false;
        loop {
            let mut error = match self.local_changes.recorder.send(operation, kind.clone(), write()).await {
                Ok((sent, result)) => return Ok((sent, result.err().map(name))),
                Err(error) => name(error),
            };
            let late = self.is_stale_refusal(&error);
            let (reads, local_changes) = (self.refusal_reads, self.local_changes);
            if error.code() == Some(INVALID_CONFIGURATION) && !std::mem::replace(&mut has_read_units, true) {
                error = match reads.explain_units(error, wanted, self.wait_policy).await {
                    Ok(explained) => return Err(explained),
                    Err(unexplained) => unexplained,
                };
            }
            if late {
                error = match reads.explain(error, self.account, local_changes, self.wait_policy).await {
                    Ok(explained) => return Err(explained),
                    Err(unexplained) => unexplained,
                };
            }
            if !late || !backoff.next().await {
                return Err(if late { error.with_retry(RetryStatus::Exhausted) } else { error });
            }
        }
    }

    /// Returns whether a refusal contradicts a confirmed change: other services learn of changes
    /// later than Organizations.
    fn is_stale_refusal(&self, refusal: &Error) -> bool {
        let did = |wanted: &dyn Fn(&ChangeKind) -> bool| {
            self.local_changes
                .changes()
                .iter()
                .any(|change| change.certainty == Certainty::Confirmed && wanted(&change.kind))
        };
        let registered = did(
            &|kind| matches!(kind, ChangeKind::AdministratorRegistered { account, principal, .. } if *account == self.account && *principal == SYSTEMS_MANAGER),
        );
        match refusal.code() {
            Some("AccessDeniedException") => registered,
            Some(INVALID_CONFIGURATION) => {
                let needed = |kind: &ChangeKind| {
                    matches!(kind, ChangeKind::TrustedAccessEnabled { .. } | ChangeKind::RoleCreated { .. })
                };
                registered || did(&needed)
            }
            // A confirmed deletion freed a place.
            Some("ResourceDataSyncCountExceededException") => did(&|kind| {
                matches!(kind, ChangeKind::DataSyncDeleted { sync, .. }
                    if (sync.account, &sync.region) == (self.account, self.region))
            }),
            _ => false,
        }
    }

    /// Returns the sync that uses a name which AWS reports as taken, once a listing shows the sync.
    /// `None` means send again, because a sync known to be deleted does not block the name.
    async fn resolve_name_conflict(
        &self,
        wanted: &SyncDefinition,
        refusal: Error,
        backoff: &mut Backoff<'_>,
    ) -> Option<Result<EnsureOutcome<DataSync>, Error>> {
        loop {
            match self.find(wanted.name()).await {
                Ok(Some(found)) if matches_definition(&found, wanted) => {
                    return Some(Ok(EnsureOutcome::Unchanged(found)));
                }
                Ok(Some(_)) => return Some(Err(refusal.with_confirmed_kind(ErrorKind::SyncConflict))),
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
            // Inventory's syncs share the names.
            let inventorys = self.list(SyncType::SyncToDestination).await.unwrap_or_default();
            if inventorys.iter().any(|sync| sync.name == *wanted.name()) {
                return Some(Err(refusal.with_confirmed_kind(ErrorKind::SyncNameTaken)));
            }
            if !backoff.next().await {
                return Some(Err(refusal.with_retry(RetryStatus::Exhausted)));
            }
            if matches!(SyncKnowledge::of(self.local_changes, &self.id(wanted.name())), SyncKnowledge::Deleted) {
                return None;
            }
        }
    }

    async fn update(
        &self,
        wanted: &SyncDefinition,
        before: &DataSync,
        mut backoff: Backoff<'_>,
    ) -> WriteResult<EnsureOutcome<DataSync>> {
        let operation = Operation::UpdateResourceDataSync;
        let client = self.client();
        let kind = |after: Option<&DataSync>| ChangeKind::DataSyncUpdated {
            sync: self.id(wanted.name()),
            created: before.created,
            before: Box::new(before.clone()),
            after: after.cloned().map(Box::new),
        };
        let write = || client.update_resource_data_sync(self.region, wanted);
        let (sent, lost) = match self.send(operation, &kind(None), wanted, &mut backoff, write).await {
            Ok(sent) => sent,
            Err(refusal) => return WriteResult::unchanged(Err(refusal)),
        };
        let certainty = if lost.is_none() { Certainty::Confirmed } else { Certainty::Unconfirmed };
        // If AWS does not show a changed attribute, the sync looks equal before and after. Only its
        // date then confirms the write.
        let needs_date = lost.is_some() && matches_definition(before, wanted);
        let effect = |found: Option<DataSync>| {
            let dated = |found: &DataSync| found.modified.is_some() && found.modified != before.modified;
            found.filter(|found| matches_definition(found, wanted) && (!needs_date || dated(found)))
        };
        let seen = self.wait_until_visible(operation, lost, effect, wanted.name()).await;
        let change = sent.complete(kind(seen.as_ref().ok().map(|(sync, _)| sync)), certainty, seen.is_ok());
        WriteResult::changed(change, seen.map(|(sync, listing)| (EnsureOutcome::Updated(sync), listing)))
    }

    /// Deletes an Explorer sync. Returns the sync as it was before, or `None` if the sync did not
    /// exist.
    pub(crate) async fn delete(&self, name: &SyncName) -> WriteResult<Option<DataSync>> {
        self.delete_if(name, |_| Ok(())).await
    }

    /// Deletes as [`delete`](Self::delete) does, if the existing sync passes the check.
    pub(crate) async fn delete_if(
        &self,
        name: &SyncName,
        check: impl Fn(Option<&DataSync>) -> Result<(), Error> + Send + Sync,
    ) -> WriteResult<Option<DataSync>> {
        self.repeat(|| self.try_delete(name, &check)).await
    }

    async fn try_delete(
        &self,
        name: &SyncName,
        check: &(impl Fn(Option<&DataSync>) -> Result<(), Error> + Sync),
    ) -> WriteResult<Option<DataSync>> {
        let operation = Operation::DeleteResourceDataSync;
        let mut backoff = Backoff::new(self.wait_policy);
        let syncs = match self.list_with(name, &mut backoff).await {
            Ok(syncs) => syncs,
            Err(error) => return WriteResult::unchanged(Err(error)),
        };
        let Some(before) = syncs.into_iter().find(|sync| sync.name == *name) else {
            return WriteResult::unchanged(Ok(None));
        };
        if let Err(error) = check(Some(&before)) {
            return WriteResult::unchanged(Err(self.with_context(error)));
        }
        let kind = ChangeKind::DataSyncDeleted { sync: self.id(name), before: Box::new(before.clone()) };
        let client = self.client();
        let write = client.delete_resource_data_sync(self.region, name, SyncType::SyncFromSource);
        let (sent, lost) = match self.local_changes.recorder.send(operation, kind.clone(), write).await {
            Ok((sent, result)) => (sent, result.err().map(|error| self.with_context(error))),
            Err(error) => {
                let refusal = self.with_context(error);
                return match self.confirm_absent(name, refusal, &mut backoff).await {
                    Ok(listing) => WriteResult { result: Ok(None), change: None, listing: Some(listing) },
                    Err(error) => WriteResult::unchanged(Err(error)),
                };
            }
        };
        let certainty = if lost.is_none() { Certainty::Confirmed } else { Certainty::Unconfirmed };
        // A sync with another date was recreated by someone else.
        let same = |found: &DataSync| same_date(found.created, before.created);
        let mut absence = DeletionConfirmation::after_write(lost.as_ref());
        let effect = |found: Option<DataSync>| {
            // A sync with a later date proves that the previous one was deleted.
            let later = found.as_ref().is_some_and(|found| before.created.is_some() && found.created > before.created);
            (absence.is_confirmed(!found.as_ref().is_some_and(same)) || later).then_some(())
        };
        let seen = self.wait_until_visible(operation, lost, effect, name).await;
        let change = sent.complete(kind, certainty, seen.is_ok());
        WriteResult::changed(change, seen.map(|((), listing)| (Some(before), listing)))
    }

    /// Returns the listing that confirms the absence of a sync that AWS refused to delete because
    /// the sync does not exist. Other errors are returned.
    async fn confirm_absent(
        &self,
        name: &SyncName,
        refusal: Error,
        backoff: &mut Backoff<'_>,
    ) -> Result<Vec<DataSync>, Error> {
        if refusal.code() != Some("ResourceDataSyncNotFoundException") {
            return Err(refusal);
        }
        loop {
            let syncs = self.list(SyncType::SyncFromSource).await?;
            if syncs.iter().all(|sync| sync.name != *name) {
                return Ok(syncs);
            }
            if !backoff.next().await {
                return Err(refusal.with_retry(RetryStatus::Exhausted));
            }
        }
    }

    /// Reads until the effect is visible, and returns the effect with the listing that showed it.
    /// `lost` is the error of a write whose response was lost.
    async fn wait_until_visible<T>(
        &self,
        operation: Operation,
        lost: Option<Error>,
        mut effect: impl FnMut(Option<DataSync>) -> Option<T>,
        name: &SyncName,
    ) -> Result<(T, Vec<DataSync>), Error> {
        let policy = match operation {
            Operation::DeleteResourceDataSync => self.wait_policy.for_effect(Effect::SyncDeletion),
            _ => self.wait_policy,
        };
        let mut backoff = Backoff::new(policy);
        let read_error = loop {
            let read_error = match self.list(SyncType::SyncFromSource).await {
                Ok(syncs) => match effect(syncs.iter().find(|sync| sync.name == *name).cloned()) {
                    Some(seen) => return Ok((seen, syncs)),
                    None => None,
                },
                Err(error) => Some(error),
            };
            if !backoff.next_after_error(read_error.as_ref()).await {
                break read_error;
            }
        };
        Err(lost.unwrap_or_else(|| self.with_context(backoff.timeout_error(operation, read_error))))
    }
}

/// Refuses a sync that another AWS service manages.
pub(crate) fn check_not_service_managed(name: &SyncName, operation: Operation) -> Result<(), Error> {
    if name.is_service_managed() {
        Err(Error::new(ErrorKind::ServiceManagedSync).with_operation(operation))
    } else {
        Ok(())
    }
}
