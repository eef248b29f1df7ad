use std::collections::BTreeSet;

use super::step::{Action, Step};
use super::{CreatedAt, Plan, UnlistedSyncs, check_organization, planner};
use crate::domain::{
    AccountId, Change, ChangeKind, Organization, OrganizationId, Region, SYSTEMS_MANAGER, SyncCheckReport,
    allows_one_administrator, is_same_sync,
};
use crate::error::Error;
use crate::observation::{Clients, Snapshot, SnapshotScope};

/// Record of the confirmed and unconfirmed changes of a run, from which the run can be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub(super) organization: OrganizationId,
    pub(super) management_account: AccountId,
    pub(super) changes: Vec<Change>,
}

/// Options for undoing a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct UndoOptions {
    pub(super) named: BTreeSet<usize>,
    pub(super) unlisted_syncs: UnlistedSyncs,
    search_regions: BTreeSet<Region>,
}

impl UndoOptions {
    /// Selects the confirmed changes of the run.
    ///
    /// Before an undo disables trusted access or deregisters an administrator, other data syncs are
    /// searched for and protected. That needs a Region to search, unless the run created syncs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Includes the change with this index in [`Receipt::changes`], although its response was lost
    /// or no read identified the created resource ([`Change::must_be_named`]).
    ///
    /// The change is retained if AWS's date or ID shows that the current resource is a different
    /// one.
    pub fn include_unconfirmed(mut self, index: usize) -> Self {
        self.named.insert(index);
        self
    }

    /// Adds Regions in which data syncs are searched for, besides the Regions of the run.
    pub fn search_regions(mut self, regions: impl IntoIterator<Item = Region>) -> Self {
        self.search_regions.extend(regions);
        self
    }

    /// Sets the policy for affected syncs that the run did not create.
    pub fn with_unlisted_syncs(mut self, unlisted_syncs: UnlistedSyncs) -> Self {
        self.unlisted_syncs = unlisted_syncs;
        self
    }
}

/// Copies the date or ID of a created or updated resource from a snapshot. Returns `None` if the
/// snapshot does not show the change.
fn shows(kind: &mut ChangeKind, now: &Snapshot) -> Option<()> {
    match kind {
        ChangeKind::TrustedAccessEnabled { principal, enabled_at } => {
            *enabled_at = now.service(principal)?.trusted_access.known()?.as_ref()?.enabled_at;
        }
        ChangeKind::AdministratorRegistered { account, principal, delegated_at } => {
            let administrators = now.service(principal)?.administrators.known()?;
            *delegated_at = administrators.iter().find(|found| found.account == *account)?.delegated_at;
        }
        ChangeKind::RoleCreated { id, .. } => *id = Some(now.require_role().ok()??.id.clone()),
        ChangeKind::DataSyncCreated { sync, created, after } => {
            let found = now.require_sync(sync).ok()??;
            *created = found.created;
            *after = Some(Box::new(found.clone()));
        }
        ChangeKind::DataSyncUpdated { sync, before, after, .. } => {
            let found = now.require_sync(sync).ok()??;
            if is_same_sync(found, before) {
                return None;
            }
            *after = Some(Box::new(found.clone()));
        }
        _ => return None,
    }
    Some(())
}

impl Receipt {
    pub(super) fn new(organization: &Organization) -> Self {
        Self {
            organization: organization.id.clone(),
            management_account: organization.management_account,
            changes: Vec::new(),
        }
    }

    /// Creates the receipt of changes made by typed handles:
    /// [`Integration::changes`](crate::Integration::changes).
    #[must_use]
    pub fn of_changes(organization: &Organization, changes: &[Change]) -> Self {
        Self { changes: changes.to_vec(), ..Self::new(organization) }
    }

    pub(super) fn record(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Adds the dates and IDs that a later read shows to the changes that no read has shown yet.
    pub(super) fn complete(&mut self, now: &Snapshot) {
        for change in self.changes.iter_mut().filter(|change| !change.observed) {
            change.observed = shows(&mut change.kind, now).is_some();
        }
    }

    /// Returns the ID of the organization that was changed.
    #[must_use]
    pub fn organization(&self) -> &OrganizationId {
        &self.organization
    }

    /// Returns the changes in order.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Returns whether the receipt has no changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Takes a snapshot and computes a plan that reverts the changes of this run and nothing else.
    ///
    /// Resources are identified by AWS's date or ID. Anything recreated since, or already back in
    /// its old state, is left unchanged.
    ///
    /// The following are listed in [`Plan::retained`]:
    ///
    /// - Unconfirmed changes, unless [included](UndoOptions::include_unconfirmed).
    /// - Changes that AWS does not allow to be reverted. Examples are an administrator besides
    ///   another one or without trusted access, a sync that AWS would not create again, and a sync
    ///   whose source has changed.
    /// - Changes that depend on these, such as trusted access that an earlier administrator needs.
    /// - Syncs that a plan does not write because another AWS service manages them
    ///   ([`SyncName::is_service_managed`](crate::SyncName::is_service_managed)).
    ///
    /// Known limitation: AWS may accept the enabling of a service that is already enabled, and keep
    /// the first date. If another caller enables the service after the last read before the write,
    /// the run counts the trusted access as its own change, and the undo disables it. The same
    /// applies to disabling. The read can be up to ten seconds old, because a run relies on the
    /// plan's snapshot for that time; a typed handle relies on its observation. AWS's date does not
    /// decide, because AWS's clock and the clock of this machine differ.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput), before any call, if
    /// [`UndoOptions::include_unconfirmed`] names a change that does not exist.
    /// [`OrganizationMismatch`](crate::ErrorKind::OrganizationMismatch) for another organization.
    ///
    /// If later changes by others depend on the run:
    ///
    /// - [`PreconditionFailed`](crate::ErrorKind::PreconditionFailed) for a sync that was changed
    ///   since.
    /// - [`AlreadyDelegated`](crate::ErrorKind::AlreadyDelegated) for trusted access that a later
    ///   administrator needs, or for a delegation that such an account holds.
    /// - [`DataSyncsExist`](crate::ErrorKind::DataSyncsExist) for syncs that the undo would delete
    ///   or break.
    ///
    /// Also the errors of [`Snapshot::take`] and [`Plan::new`].
    ///
    /// # IAM permissions
    ///
    /// The permissions of [`Snapshot::take`] for the [`snapshot_scope`](Self::snapshot_scope).
    /// Applying the plan needs [`Plan::permissions`]. AWS: [Systems Manager and
    /// Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html).
    pub async fn undo(&self, clients: &Clients<'_>, undo: &UndoOptions) -> Result<Plan, Error> {
        self.check(undo)?;
        let scope = self.snapshot_scope().in_regions(undo.search_regions.iter().cloned());
        self.undo_from(Snapshot::take(clients, &scope).await?, undo)
    }

    /// Returns the scope of the snapshot that undoing the receipt needs.
    pub fn snapshot_scope(&self) -> SnapshotScope {
        let mut scope = SnapshotScope::new();
        for change in &self.changes {
            scope.principals.extend(change.kind.principal().cloned());
            let gone = match &change.kind {
                ChangeKind::AdministratorDeregistered { syncs, .. }
                | ChangeKind::TrustedAccessDisabled { syncs, .. } => syncs.recorded(),
                _ => &[],
            };
            let changed = match &change.kind {
                ChangeKind::DataSyncCreated { sync, .. }
                | ChangeKind::DataSyncUpdated { sync, .. }
                | ChangeKind::DataSyncDeleted { sync, .. } => Some(sync),
                _ => None,
            };
            let regions = gone.iter().map(|(at, _)| &at.region).chain(changed.map(|at| &at.region));
            scope.regions.extend(regions.cloned());
            // Explorer's syncs need the role.
            scope.role |= !gone.is_empty()
                || changed.is_some()
                || matches!(change.kind, ChangeKind::RoleCreated { .. } | ChangeKind::RoleDeleted { .. });
        }
        scope
    }

    /// Computes the undo plan from a snapshot that covers at least the
    /// [`snapshot_scope`](Self::snapshot_scope). Makes no call.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`undo`](Self::undo), except those of the reads.
    pub fn undo_from(&self, snapshot: Snapshot, undo: &UndoOptions) -> Result<Plan, Error> {
        self.check(undo)?;
        check_organization((&self.organization, self.management_account), &snapshot.organization)?;
        let (target, retained) = self.reversed(&snapshot, undo)?;
        let planner::PlanDraft { mut steps, mut unknowns, warnings } = planner::plan(&target, &snapshot)?;
        for step in &mut steps {
            step.reason = reason_to_undo(&step.action).to_owned();
        }
        name_successors(&mut steps);
        unknowns.extend(self.unchecked_syncs(&snapshot));
        Ok(Plan { created_at: CreatedAt::now(), snapshot, steps, unknowns, warnings, retained })
    }

    /// Describes the syncs that may have been deleted or broken by steps that did not check for
    /// syncs.
    ///
    /// An unconfirmed change without a visible effect is omitted.
    fn unchecked_syncs(&self, now: &Snapshot) -> impl Iterator<Item = String> {
        let is_none =
            |account| now.service_status(&SYSTEMS_MANAGER).is_ok_and(|now| now.administrator(account).is_none());
        let is_off = || {
            now.require_service(&SYSTEMS_MANAGER)
                .is_ok_and(|now| now.trusted_access.require().is_ok_and(Option::is_none))
        };
        self.changes.iter().filter_map(move |change| match &change.kind {
            ChangeKind::AdministratorDeregistered { account, principal, syncs: SyncCheckReport::Skipped, .. }
                if *principal == SYSTEMS_MANAGER && (change.is_in_effect() || is_none(*account)) =>
            {
                Some(format!("data syncs that account {account} had until it was deregistered: not checked before"))
            }
            ChangeKind::TrustedAccessDisabled { principal, syncs: SyncCheckReport::Skipped, .. }
                if *principal == SYSTEMS_MANAGER && (change.is_in_effect() || is_off()) =>
            {
                Some("data syncs that disabling trusted access broke: not checked before".to_owned())
            }
            _ => None,
        })
    }

    /// Checks that every index names a change.
    fn check(&self, undo: &UndoOptions) -> Result<(), Error> {
        let count = self.changes.len();
        match undo.named.last() {
            Some(index) if *index >= count => Err(Error::invalid_input(
                format!("change {index}"),
                format!("an index below {count}, the number of changes in the receipt"),
            )),
            _ => Ok(()),
        }
    }
}

/// Returns the reason of a step that undoes a change.
fn reason_to_undo(action: &Action) -> &'static str {
    match action {
        Action::EnableTrustedAccess { .. } => "the run disabled it",
        Action::DisableTrustedAccess { .. } => "the run enabled it",
        Action::RegisterAdministrator { .. } => "the run deregistered it",
        Action::DeregisterAdministrator { .. } => "the run registered it",
        Action::CreateRole | Action::CreateSync { .. } => "the run deleted it, or caused its deletion",
        Action::UpdateSync { .. } => "the run changed it",
        Action::DeleteRole | Action::DeleteSync { .. } => "the run created it",
    }
}

/// Names, for each deregistration from a service with one administrator, the account that the undo
/// registers instead.
fn name_successors(steps: &mut [Step]) {
    let registered: Vec<_> = steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::RegisterAdministrator { account, principal } => Some((*account, principal.clone())),
            _ => None,
        })
        .collect();
    for step in steps {
        if let Action::DeregisterAdministrator { principal, .. } = &step.action
            && allows_one_administrator(principal)
            && let Some((account, _)) = registered.iter().find(|(_, of)| of == principal)
        {
            step.reason = format!(
                "the undo registers account {account} for {principal}, and AWS allows one delegated administrator"
            );
        }
    }
}
