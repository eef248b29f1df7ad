//! Computes the target that undoes a run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use super::receipt::{Receipt, UndoOptions};
use super::target::{AdministratorChange, AdministratorsTarget, RoleTarget, SyncTargetState, Target, UnlistedSyncs};
use crate::domain::limits::SYNC_QUOTA;
use crate::domain::{
    AccountId, Certainty, Change, ChangeKind, DataSync, DataSyncId, DelegatedAdministrator, Precondition, RoleId,
    RoleName, SYSTEMS_MANAGER, ServicePrincipal, SyncDefinition, allows_one_administrator, has_same_definition,
    is_same_sync, same_date,
};
use crate::error::{Error, ErrorKind};
use crate::observation::Snapshot;
use crate::operations::data_sync::{DefinitionMatch, compare_definition, requires_management_account};
use crate::policy::Caller;

impl Receipt {
    /// Returns the target that undoes the run, and the retained changes with their reasons.
    pub(super) fn reversed(&self, now: &Snapshot, undo: &UndoOptions) -> Result<(Target, Vec<String>), Error> {
        let searched = now.syncs.iter().map(|of| of.region.clone());
        let target = Target::new().with_unlisted_syncs(undo.unlisted_syncs).search_regions(searched);
        let resources = self.resource_changes(now);
        let mut reversal = UndoPlanner {
            now,
            target,
            unlisted_syncs: undo.unlisted_syncs,
            began: resources
                .iter()
                .filter(|resource| !resource.before.exists())
                .filter_map(|resource| resource.after.date())
                .min(),
            delegations: BTreeMap::new(),
            restored: Vec::new(),
            removed: BTreeSet::new(),
            staying: BTreeSet::new(),
            staying_syncs: BTreeSet::new(),
            retained: Vec::new(),
        };
        for resource in &resources {
            reversal.revert(resource, undo)?;
        }
        reversal.retain_broken_syncs(&self.changes);
        reversal.finish()
    }

    /// Returns the changes by resource. Several changes of one resource are merged into its first
    /// and last state.
    ///
    /// An unconfirmed creation that `now` does not show leaves an earlier deletion in effect.
    fn resource_changes(&self, now: &Snapshot) -> Vec<ResourceChange<'_>> {
        let mut resources: Vec<ResourceChange<'_>> = Vec::new();
        for (index, change) in self.changes.iter().enumerate() {
            for (id, before, after) in states(&change.kind) {
                let unconfirmed = (change.certainty != Certainty::Confirmed).then_some(index);
                match resources.iter_mut().find(|resource| resource.id == id) {
                    Some(_) if unconfirmed.is_some() && is_unseen_creation(&id, before, now) => {}
                    Some(resource) => {
                        resource.after = after;
                        if unconfirmed.is_none() && !before.exists() && !resource.before.exists() {
                            // AWS created the resource, so an earlier creation had no effect.
                            resource.unconfirmed.clear();
                        }
                        resource.unconfirmed.extend(unconfirmed);
                        resource.last = index;
                    }
                    None => resources.push(ResourceChange {
                        id,
                        before,
                        after,
                        unconfirmed: unconfirmed.into_iter().collect(),
                        last: index,
                    }),
                }
            }
        }
        resources
    }
}

/// Reason to retain a resource that may be another one than the run created.
const UNIDENTIFIED: &str = "AWS returns no date or id that identifies it; name the change in the undo to revert it";

/// Returns whether a change created a sync that the snapshot does not show.
fn is_unseen_creation(id: &ResourceId<'_>, before: ResourceState<'_>, now: &Snapshot) -> bool {
    matches!(id, ResourceId::Sync(at) if !before.exists() && now.require_sync(at).is_ok_and(|found| found.is_none()))
}

/// Resource that a run changed.
struct ResourceChange<'a> {
    id: ResourceId<'a>,
    before: ResourceState<'a>,
    after: ResourceState<'a>,
    /// Indexes of the unconfirmed changes of the resource.
    unconfirmed: Vec<usize>,
    /// Index of the last change of the resource.
    last: usize,
}

#[derive(PartialEq, Eq)]
enum ResourceId<'a> {
    TrustedAccess(&'a ServicePrincipal),
    Administrator(&'a ServicePrincipal, AccountId),
    Role,
    Sync(&'a DataSyncId),
}

/// State of a resource before or after the run.
#[derive(Clone, Copy)]
enum ResourceState<'a> {
    Absent,
    /// Present, with AWS's date.
    Since(Option<SystemTime>),
    /// Present, with AWS's ID.
    Role(Option<&'a RoleId>),
    /// Present, with the observed sync if it was read.
    Sync(Option<&'a DataSync>),
}

impl ResourceState<'_> {
    fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    /// Returns AWS's date of the resource.
    fn date(&self) -> Option<SystemTime> {
        match self {
            Self::Since(since) => *since,
            Self::Sync(Some(sync)) => sync.created,
            Self::Absent | Self::Role(_) | Self::Sync(None) => None,
        }
    }
}

/// Returns the resources a change affected, with their state before and after.
fn states(kind: &ChangeKind) -> Vec<(ResourceId<'_>, ResourceState<'_>, ResourceState<'_>)> {
    let one = match kind {
        ChangeKind::TrustedAccessEnabled { principal, enabled_at: since } => {
            (ResourceId::TrustedAccess(principal), ResourceState::Absent, ResourceState::Since(*since))
        }
        ChangeKind::TrustedAccessDisabled { principal, enabled_at: since, .. } => {
            (ResourceId::TrustedAccess(principal), ResourceState::Since(*since), ResourceState::Absent)
        }
        ChangeKind::AdministratorRegistered { account, principal, delegated_at: since } => {
            (ResourceId::Administrator(principal, *account), ResourceState::Absent, ResourceState::Since(*since))
        }
        ChangeKind::AdministratorDeregistered { account, principal, delegated_at: since, syncs } => {
            let mut all = vec![(
                ResourceId::Administrator(principal, *account),
                ResourceState::Since(*since),
                ResourceState::Absent,
            )];
            // The syncs were deleted with the delegation.
            all.extend(
                syncs
                    .recorded()
                    .iter()
                    .map(|(at, sync)| (ResourceId::Sync(at), ResourceState::Sync(Some(sync)), ResourceState::Absent)),
            );
            return all;
        }
        ChangeKind::RoleCreated { id, .. } => {
            (ResourceId::Role, ResourceState::Absent, ResourceState::Role(id.as_ref()))
        }
        ChangeKind::RoleDeleted { id, .. } => (ResourceId::Role, ResourceState::Role(Some(id)), ResourceState::Absent),
        ChangeKind::DataSyncCreated { sync, after, .. } => {
            (ResourceId::Sync(sync), ResourceState::Absent, ResourceState::Sync(after.as_deref()))
        }
        ChangeKind::DataSyncUpdated { sync, before, after, .. } => {
            (ResourceId::Sync(sync), ResourceState::Sync(Some(before)), ResourceState::Sync(after.as_deref()))
        }
        ChangeKind::DataSyncDeleted { sync, before } => {
            (ResourceId::Sync(sync), ResourceState::Sync(Some(before)), ResourceState::Absent)
        }
    };
    vec![one]
}

/// Planner that converts a receipt to a target.
struct UndoPlanner<'a> {
    now: &'a Snapshot,
    target: Target,
    unlisted_syncs: UnlistedSyncs,
    /// The earliest date of a resource that the run created.
    began: Option<SystemTime>,
    delegations: BTreeMap<ServicePrincipal, AdministratorChange>,
    restored: Vec<(DataSyncId, SyncDefinition)>,
    removed: BTreeSet<DataSyncId>,
    /// Retained administrators that no later change by others created. They may be the run's own or
    /// unchanged.
    staying: BTreeSet<(ServicePrincipal, AccountId)>,
    /// Retained syncs that are, or may be, the run's own.
    staying_syncs: BTreeSet<DataSyncId>,
    retained: Vec<String>,
}

impl UndoPlanner<'_> {
    fn retain(&mut self, id: &ResourceId<'_>, why: &str) {
        let id = match id {
            ResourceId::TrustedAccess(principal) => format!("trusted access for {principal}"),
            ResourceId::Administrator(principal, account) => {
                format!("account {account} as administrator of {principal}")
            }
            ResourceId::Role => format!("the role {}", RoleName::ACCOUNT_DISCOVERY),
            ResourceId::Sync(at) => format!("the data sync {at}"),
        };
        self.retained.push(format!("{id}: {why}"));
    }

    /// Retains a resource that no one else created, so that its dependencies are retained too.
    fn retain_ours(&mut self, id: &ResourceId<'_>, why: &str) {
        match id {
            ResourceId::Administrator(principal, account) => {
                self.staying.insert(((*principal).clone(), *account));
            }
            ResourceId::Sync(at) => {
                self.staying_syncs.insert((*at).clone());
            }
            ResourceId::TrustedAccess(_) | ResourceId::Role => {}
        }
        self.retain(id, why);
    }

    fn revert(&mut self, resource: &ResourceChange<'_>, undo: &UndoOptions) -> Result<(), Error> {
        let ResourceChange { id, before, after, .. } = resource;
        if let ResourceId::Sync(at) = id {
            let as_before = match (self.now.require_sync(at)?, before) {
                (None, before) => !before.exists(),
                (Some(found), ResourceState::Sync(Some(before))) => has_same_definition(found, before),
                (Some(_), _) => false,
            };
            if as_before {
                return Ok(());
            }
            if at.name.is_service_managed() {
                self.retain(id, "another AWS service manages it");
                return Ok(());
            }
            if !self.should_revert(resource, undo) {
                return Ok(());
            }
            return self.revert_sync(at, *before, *after, undo.named.contains(&resource.last));
        }
        let exists = self.exists(id)?;
        if exists == before.exists() || before.exists() == after.exists() {
            if let (ResourceId::Administrator(principal, account), true) = (id, before.exists()) {
                self.staying.insert(((*principal).clone(), *account));
            }
            return Ok(());
        }
        if !self.should_revert(resource, undo) {
            return Ok(());
        }
        if before.exists() {
            self.restore(id);
            return Ok(());
        }
        match self.is_ours(id, *after)? {
            Some(true) => self.remove(id),
            Some(false) => self.retain(id, "recreated after the run"),
            None if undo.named.contains(&resource.last) => self.remove(id),
            None => self.retain_ours(id, UNIDENTIFIED),
        }
        Ok(())
    }

    fn should_revert(&mut self, resource: &ResourceChange<'_>, undo: &UndoOptions) -> bool {
        let certain = resource.unconfirmed.iter().all(|index| undo.named.contains(index));
        if !certain {
            self.retain_ours(
                &resource.id,
                "AWS did not confirm that the run made this change; name it in the undo to revert it",
            );
        }
        certain
    }

    fn exists(&self, id: &ResourceId<'_>) -> Result<bool, Error> {
        Ok(match id {
            ResourceId::TrustedAccess(principal) => {
                self.now.require_service(principal)?.trusted_access.require()?.is_some()
            }
            ResourceId::Administrator(principal, account) => {
                self.now.service_status(principal)?.administrator(*account).is_some()
            }
            ResourceId::Role => self.now.require_role()?.is_some(),
            ResourceId::Sync(at) => self.now.require_sync(at)?.is_some(),
        })
    }

    /// Returns whether the current resource is the one that the run created; `None` if unknown.
    fn is_ours(&self, id: &ResourceId<'_>, after: ResourceState<'_>) -> Result<Option<bool>, Error> {
        let since = match id {
            ResourceId::TrustedAccess(principal) => self
                .now
                .require_service(principal)?
                .trusted_access
                .require()?
                .as_ref()
                .and_then(|access| access.enabled_at),
            ResourceId::Administrator(principal, account) => {
                self.now.service_status(principal)?.administrator(*account).and_then(|found| found.delegated_at)
            }
            ResourceId::Role | ResourceId::Sync(_) => None,
        };
        Ok(match (after, since) {
            (ResourceState::Since(Some(ours)), Some(found)) => Some(ours == found),
            (ResourceState::Role(Some(ours)), _) => self.now.require_role()?.map(|role| role.id == *ours),
            _ => None,
        })
    }

    fn restore(&mut self, id: &ResourceId<'_>) {
        match id {
            ResourceId::TrustedAccess(principal) => self.target.service_mut(principal).trusted_access = Some(true),
            ResourceId::Administrator(principal, account) => {
                self.delegations.entry((*principal).clone()).or_default().add.insert(*account);
            }
            ResourceId::Role => self.target = std::mem::take(&mut self.target).with_role(),
            ResourceId::Sync(_) => {}
        }
    }

    fn remove(&mut self, id: &ResourceId<'_>) {
        match id {
            ResourceId::TrustedAccess(principal) => self.target.service_mut(principal).trusted_access = Some(false),
            ResourceId::Administrator(principal, account) => {
                self.delegations.entry((*principal).clone()).or_default().remove.insert(*account);
            }
            ResourceId::Role => self.target = std::mem::take(&mut self.target).without_role(),
            ResourceId::Sync(_) => {}
        }
    }

    fn revert_sync(
        &mut self,
        at: &DataSyncId,
        before: ResourceState<'_>,
        after: ResourceState<'_>,
        is_named: bool,
    ) -> Result<(), Error> {
        let id = ResourceId::Sync(at);
        let found = self.now.require_sync(at)?;
        let ResourceState::Sync(before) = before else {
            // The run created the sync.
            return self.remove_sync(at, found, after, is_named);
        };
        let Some(before) = before else { return Ok(()) };
        match (found, after) {
            (Some(found), ResourceState::Sync(Some(after))) if is_same_sync(found, after) => {}
            (Some(found), ResourceState::Sync(Some(after))) if found.created == after.created => {
                return Err(changed_since_error(at, after));
            }
            (Some(found), ResourceState::Sync(None)) if is_named && same_date(found.created, before.created) => {}
            (Some(_), ResourceState::Sync(None)) => {
                self.retain_ours(&id, UNIDENTIFIED);
                return Ok(());
            }
            (Some(_), _) => {
                self.retain(&id, "replaced after the run");
                return Ok(());
            }
            // The run deleted the sync, or changed it and it was deleted since.
            (None, ResourceState::Absent) => {}
            (None, _) => {
                self.retain(&id, "deleted after the run");
                return Ok(());
            }
        }
        match before.definition() {
            Some(definition)
                if found
                    .is_some_and(|found| compare_definition(found, &definition) == DefinitionMatch::SourceDiffers) =>
            {
                self.retain_ours(&id, "its source has changed, and AWS does not change the source of a data sync");
            }
            Some(definition) => self.restored.push((at.clone(), definition)),
            None => self.retain(&id, "AWS returned too little of its definition to recreate it"),
        }
        Ok(())
    }

    fn remove_sync(
        &mut self,
        at: &DataSyncId,
        found: Option<&DataSync>,
        after: ResourceState<'_>,
        is_named: bool,
    ) -> Result<(), Error> {
        let id = ResourceId::Sync(at);
        match (found, after) {
            (None, _) | (_, ResourceState::Absent) => {}
            (Some(found), ResourceState::Sync(Some(after))) if after.created.is_some() && found.created.is_some() => {
                if found.created != after.created {
                    self.retain(&id, "recreated after the run");
                } else if is_same_sync(found, after) {
                    self.remove_existing_sync(at);
                } else {
                    return Err(changed_since_error(at, after));
                }
            }
            _ if is_named => self.remove_existing_sync(at),
            _ => self.retain_ours(&id, UNIDENTIFIED),
        }
        Ok(())
    }

    fn remove_existing_sync(&mut self, at: &DataSyncId) {
        let owner = self.owner(at);
        self.removed.insert(at.clone());
        self.target = std::mem::take(&mut self.target).without_sync(owner, at.name.clone(), [at.region.clone()]);
    }

    fn owner(&self, at: &DataSyncId) -> Caller {
        if at.account == self.now.organization.management_account {
            Caller::Management
        } else {
            Caller::Account(at.account)
        }
    }

    /// Records the syncs broken by disabling trusted access, because enabling it again does not
    /// repair them.
    fn retain_broken_syncs(&mut self, changes: &[Change]) {
        let recorded = changes.iter().filter_map(|change| match &change.kind {
            ChangeKind::TrustedAccessDisabled { syncs, .. } => Some(syncs.recorded()),
            _ => None,
        });
        for (at, before) in recorded.flatten() {
            let found = self.now.require_sync(at).ok().flatten();
            if found.is_some_and(|found| is_same_sync(found, before) && found.state != before.state) {
                self.retain(
                    &ResourceId::Sync(at),
                    "it failed while trusted access was disabled; AWS's documentation says to recreate it",
                );
            }
        }
    }

    /// Retains changes that AWS does not allow to be reverted, and changes that depend on them.
    fn finish(mut self) -> Result<(Target, Vec<String>), Error> {
        let mut delegations = std::mem::take(&mut self.delegations);
        self.retain_sync_owners(&mut delegations);
        self.retain_trusted_access(&delegations)?;
        for (principal, delegation) in &mut delegations {
            self.retain_administrators(principal, delegation)?;
        }
        let ours = delegations.get(&SYSTEMS_MANAGER).cloned().unwrap_or_default();
        for (principal, delegation) in delegations {
            self.target.service_mut(&principal).administrators = Some(AdministratorsTarget::Exactly(delegation));
        }
        let trusted = self.will_be_trusted(&SYSTEMS_MANAGER)?;
        self.retain_role(trusted, &ours);
        for (at, definition) in std::mem::take(&mut self.restored) {
            if let Some(why) = self.cannot_recreate_because(&at, &definition, trusted, &ours)? {
                self.retain(&ResourceId::Sync(&at), why);
                continue;
            }
            let owner = self.owner(&at);
            self.target = std::mem::take(&mut self.target).with_sync(owner, definition, [at.region]);
        }
        Ok((self.target, self.retained))
    }

    /// Returns the retained organization syncs that disabling trusted access or deregistering would
    /// delete or break.
    fn affected_syncs(&self) -> Vec<DataSyncId> {
        if self.unlisted_syncs == UnlistedSyncs::AllowLoss {
            return Vec::new();
        }
        let staying = self.now.all_syncs().filter(|(at, _)| self.staying_syncs.contains(at));
        staying.filter(|(_, sync)| sync.is_of_organization()).map(|(at, _)| at).collect()
    }

    fn retain_sync_owners(&mut self, delegations: &mut BTreeMap<ServicePrincipal, AdministratorChange>) {
        let Some(AdministratorChange { remove: without, .. }) = delegations.get_mut(&SYSTEMS_MANAGER) else { return };
        for at in self.affected_syncs() {
            if without.remove(&at.account) {
                let why = format!("the data sync {at} is retained, and would be deleted with it");
                self.retain_ours(&ResourceId::Administrator(&SYSTEMS_MANAGER, at.account), &why);
            }
        }
    }

    /// Retains trusted access that AWS would refuse to disable. Planning fails if an administrator
    /// registered after the run.
    fn retain_trusted_access(
        &mut self,
        delegations: &BTreeMap<ServicePrincipal, AdministratorChange>,
    ) -> Result<(), Error> {
        let services = self.target.services.iter();
        let distrusted: Vec<_> = services
            .filter(|(_, service)| service.trusted_access == Some(false))
            .map(|(principal, _)| principal.clone())
            .collect();
        for principal in distrusted {
            let holders = self.remaining_administrators(&principal, delegations.get(&principal))?;
            let broken = if principal == SYSTEMS_MANAGER { self.affected_syncs() } else { Vec::new() };
            if holders.iter().any(|holder| self.registered_after_run(&principal, holder)) {
                continue;
            }
            let why = match (holders.first(), broken.first()) {
                (Some(holder), _) => format!("account {} is retained as its delegated administrator", holder.account),
                (None, Some(at)) => format!("the data sync {at} is retained, and would fail"),
                (None, None) => continue,
            };
            self.target.service_mut(&principal).trusted_access = None;
            self.retain(&ResourceId::TrustedAccess(&principal), &why);
        }
        Ok(())
    }

    /// Retains the removal of administrators that AWS would refuse to register again. Planning
    /// fails if another account registered after the run.
    fn retain_administrators(
        &mut self,
        principal: &ServicePrincipal,
        delegation: &mut AdministratorChange,
    ) -> Result<(), Error> {
        let (again, why) = if !self.will_be_trusted(principal)? {
            (None, "AWS registers no delegated administrator while trusted access is disabled".to_owned())
        } else if allows_one_administrator(principal) {
            let holders = self.remaining_administrators(principal, Some(delegation))?;
            if holders.iter().any(|holder| self.registered_after_run(principal, holder)) {
                return Ok(());
            }
            let one = |account, what| format!("AWS allows one delegated administrator, and account {account} {what}");
            match (holders.first(), delegation.add.first()) {
                (Some(holder), _) => (None, one(holder.account, "is one")),
                (None, Some(first)) => (Some(*first), one(*first, "is registered again")),
                (None, None) => return Ok(()),
            }
        } else {
            return Ok(());
        };
        for account in std::mem::replace(&mut delegation.add, again.into_iter().collect()) {
            if Some(account) != again {
                self.retain(&ResourceId::Administrator(principal, account), &why);
            }
        }
        Ok(())
    }

    fn retain_role(&mut self, trusted: bool, ours: &AdministratorChange) {
        if self.target.role != Some(RoleTarget::Absent) {
            return;
        }
        let management = self.now.organization.management_account;
        let mut staying = self.now.all_syncs().filter(|(at, _)| self.staying_syncs.contains(at));
        let holder = staying.find(|(at, sync)| {
            at.account == management || (sync.is_of_organization() && !ours.remove.contains(&at.account))
        });
        let why = match holder {
            _ if trusted => "AWS deletes it only while trusted access is disabled".to_owned(),
            Some((at, _)) => format!("the data sync {at} is retained, and uses it"),
            None => return,
        };
        self.target.role = None;
        self.retain(&ResourceId::Role, &why);
    }

    /// Returns the reason for which AWS would refuse to create a sync again.
    fn cannot_recreate_because(
        &self,
        at: &DataSyncId,
        definition: &SyncDefinition,
        trusted: bool,
        ours: &AdministratorChange,
    ) -> Result<Option<&'static str>, Error> {
        if definition.is_of_organization() && !trusted {
            return Ok(Some("AWS creates no data sync of the organization while trusted access is disabled"));
        }
        if definition.is_of_organization() && !self.will_sync(at.account, ours)? {
            return Ok(Some("AWS creates a data sync of the organization only for its administrator"));
        }
        if self.now.require_sync(at)?.is_some() {
            return Ok(None);
        }
        if self.owner(at) != Caller::Management && requires_management_account(&at.region, definition) {
            return Ok(Some(
                "in an opt-in Region, AWS creates a data sync of the organization only for the management account",
            ));
        }
        Ok(self.is_quota_full(at)?.then_some("an account has five in a Region at most, and those are there"))
    }

    /// Returns whether the run's own retained syncs use up the quota. Planning fails if other syncs
    /// use it up.
    fn is_quota_full(&self, wanted: &DataSyncId) -> Result<bool, Error> {
        let there = self.now.require_syncs(wanted.account, &wanted.region)?.iter();
        let there: BTreeSet<_> =
            there.map(|sync| DataSyncId::new(wanted.account, &wanted.region, &sync.name)).collect();
        let again = self.target.syncs.iter().filter(|sync| {
            let SyncTargetState::Present(definition) = &sync.want else { return false };
            let at = DataSyncId::new(wanted.account, &wanted.region, definition.name());
            sync.owner == self.owner(wanted) && sync.regions.contains(&wanted.region) && !there.contains(&at)
        });
        let stay = there.iter().filter(|at| !self.removed.contains(at)).count();
        let ours = there.iter().any(|at| self.staying_syncs.contains(at));
        Ok(ours && stay + again.count() >= SYNC_QUOTA)
    }

    fn will_be_trusted(&self, principal: &ServicePrincipal) -> Result<bool, Error> {
        match self.target.service(principal).trusted_access {
            Some(trusted) => Ok(trusted),
            None => self.exists(&ResourceId::TrustedAccess(principal)),
        }
    }

    /// Returns the current administrators that the target does not remove.
    fn remaining_administrators(
        &self,
        principal: &ServicePrincipal,
        delegation: Option<&AdministratorChange>,
    ) -> Result<Vec<DelegatedAdministrator>, Error> {
        let mut holders = self.now.require_service(principal)?.administrators.require()?.clone();
        holders.retain(|holder| delegation.is_none_or(|ours| !ours.remove.contains(&holder.account)));
        Ok(holders)
    }

    /// Returns whether someone else registered the administrator after the run began.
    ///
    /// If AWS's dates do not show that, the account may have been an administrator before the run.
    fn registered_after_run(&self, principal: &ServicePrincipal, holder: &DelegatedAdministrator) -> bool {
        let later = holder.delegated_at.zip(self.began).is_some_and(|(since, began)| since > began);
        later && !self.staying.contains(&(principal.clone(), holder.account))
    }

    /// Returns whether an account can have organization syncs after the undo.
    fn will_sync(&self, account: AccountId, ours: &AdministratorChange) -> Result<bool, Error> {
        let administers =
            self.exists(&ResourceId::Administrator(&SYSTEMS_MANAGER, account))? && !ours.remove.contains(&account);
        Ok(account == self.now.organization.management_account || administers || ours.add.contains(&account))
    }
}

/// Returns the error for a sync that was changed after the run.
fn changed_since_error(at: &DataSyncId, after: &DataSync) -> Error {
    let expected = Box::new(Precondition::SyncUnchanged { sync: at.clone(), observed: Box::new(after.clone()) });
    Error::new(ErrorKind::PreconditionFailed { expected, found: format!("the data sync {at} has been changed") })
}
