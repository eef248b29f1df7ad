use std::collections::BTreeSet;

use super::clients::Clients;
use super::snapshot::{Scope, Snapshot};
use super::target::OtherSyncs;
use super::{Plan, draw_up};
use crate::change::{Change, ChangeKind};
use crate::domain::{AccountId, OrganizationId, Region};
use crate::error::{Error, ErrorKind};
use crate::observation::PRINCIPAL;
use crate::ports::Organization;
use crate::syncs::SyncsReport;

/// What a run changed, and what it may have changed: to be kept, and to be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub(super) organization: OrganizationId,
    pub(super) management_account: AccountId,
    pub(super) changes: Vec<Change>,
}

/// How a receipt is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct Undo {
    pub(super) named: BTreeSet<usize>,
    pub(super) others: OtherSyncs,
    look_in: BTreeSet<Region>,
}

impl Undo {
    /// What is certain to have been this run's. Where it takes trust or a delegation away, syncs that are not this run's are looked for first, and protected:
    /// that takes a Region to look in, unless the run made syncs.
    pub fn new() -> Self {
        Self::default()
    }

    /// The change with this index in [`Receipt::changes`] too, though its reply was lost. Where AWS's date or id shows that it is another one, it stays.
    pub fn including(mut self, index: usize) -> Self {
        self.named.insert(index);
        self
    }

    /// Data syncs are looked for in these Regions too, beside those that the run was about.
    pub fn looking_in(mut self, regions: impl IntoIterator<Item = Region>) -> Self {
        self.look_in.extend(regions);
        self
    }

    /// What becomes of the syncs that are not this run's and that a step endangers.
    pub fn with_other_syncs(mut self, others: OtherSyncs) -> Self {
        self.others = others;
        self
    }
}

impl Receipt {
    pub(super) fn new(organization: &Organization) -> Self {
        Self {
            organization: organization.id.clone(),
            management_account: organization.management_account,
            changes: Vec::new(),
        }
    }

    /// The receipt of what the typed handles changed: [`Integration::changes`](crate::Integration::changes).
    #[must_use]
    pub fn of_changes(organization: &Organization, changes: &[Change]) -> Self {
        Self { changes: changes.to_vec(), ..Self::new(organization) }
    }

    pub(super) fn record(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// The organization that was changed.
    #[must_use]
    pub fn organization(&self) -> &OrganizationId {
        &self.organization
    }

    /// What was changed, in order.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether nothing was changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Looks, and plans to take back what this run did, and nothing else.
    ///
    /// Each thing is known again by AWS's own date or id: what somebody has made anew stays, and so does what is as it was before already. A change
    /// whose reply was lost stays, unless it is [named](Undo::including). What AWS's rules let nobody take back stays too: an administrator beside another one or
    /// without trust, a sync that AWS would not make any more or whose source is another one now. So does what hangs on any of these, such as trust that an administrator needs
    /// who was there before, and a sync whose name a plan does not take ([`SyncName::is_withheld`](crate::SyncName::is_withheld)). All of that is in
    /// [`Plan::left`].
    ///
    /// One thing cannot be told: where two runs enable a service at the same moment, AWS may say yes to both, and there is one date. Each then counts the trust
    /// as its own.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput), before any call, where [`Undo::including`] names a change that is not there.
    /// [`OtherOrganization`](ErrorKind::OtherOrganization). Where others have built on it since: [`FactMoved`](ErrorKind::FactMoved) for a sync that
    /// somebody has changed, [`OtherAdministrator`](ErrorKind::OtherAdministrator) for trust that the administration of an account needs that came since, or for
    /// a delegation that such an account holds,
    /// [`SyncsRemain`](ErrorKind::SyncsRemain) for syncs that would go with it. And those of [`Snapshot::take`] and [`Plan::new`].
    ///
    /// # IAM permissions
    ///
    /// Those of [`Snapshot::take`] for the [`scope`](Self::scope); to apply the plan, [`Plan::permissions`]. AWS:
    /// [Systems Manager and Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html).
    pub async fn undo(&self, clients: &Clients<'_>, undo: &Undo) -> Result<Plan, Error> {
        self.check(undo)?;
        let scope = self.scope().in_regions(undo.look_in.iter().cloned());
        self.undo_from(Snapshot::take(clients, &scope).await?, undo)
    }

    /// What has to be looked at to take it back.
    pub fn scope(&self) -> Scope {
        let mut scope = Scope::new();
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
            // Syncs run on it.
            scope.role |= !gone.is_empty()
                || changed.is_some()
                || matches!(change.kind, ChangeKind::RoleCreated { .. } | ChangeKind::RoleDeleted { .. });
        }
        scope
    }

    /// The same from a snapshot that was taken with at least this [`scope`](Self::scope). Makes no call.
    ///
    /// # Errors
    ///
    /// Those of [`undo`](Self::undo), but for the reads.
    pub fn undo_from(&self, snapshot: Snapshot, undo: &Undo) -> Result<Plan, Error> {
        self.check(undo)?;
        let found = &snapshot.organization;
        if (&self.organization, self.management_account) != (&found.id, found.management_account) {
            let (expected, found) = (self.organization.clone(), found.id.clone());
            return Err(Error::of(ErrorKind::OtherOrganization { expected, found }));
        }
        let (target, left) = self.reversed(&snapshot, undo)?;
        let draw_up::Drawn { steps, mut unknowns, warnings } = draw_up::draw_up(&target, &snapshot)?;
        unknowns.extend(self.unseen(&snapshot));
        Ok(Plan { snapshot, steps, unknowns, warnings, left })
    }

    /// What may have gone, or broken, with a step that did not look for it. One that may never have been, and has left no trace, took nothing.
    fn unseen(&self, now: &Snapshot) -> impl Iterator<Item = String> {
        let is_none = |account| now.facts(&PRINCIPAL).is_ok_and(|now| now.administrator(account).is_none());
        let is_off =
            || now.need_service(&PRINCIPAL).is_ok_and(|now| now.trusted_access.need().is_ok_and(Option::is_none));
        self.changes.iter().filter_map(move |change| match &change.kind {
            ChangeKind::AdministratorDeregistered { account, principal, syncs: SyncsReport::Forfeited, .. }
                if *principal == PRINCIPAL && (change.is_so() || is_none(*account)) =>
            {
                Some(format!("data syncs that account {account} had until it was deregistered: nobody looked before"))
            }
            ChangeKind::TrustedAccessDisabled { principal, syncs: SyncsReport::Forfeited, .. }
                if *principal == PRINCIPAL && (change.is_so() || is_off()) =>
            {
                Some("data syncs that the end of trusted access broke: nobody looked before".to_owned())
            }
            _ => None,
        })
    }

    /// Refuses what names no change.
    fn check(&self, undo: &Undo) -> Result<(), Error> {
        let count = self.changes.len();
        match undo.named.last() {
            Some(index) if *index >= count => Err(Error::of(ErrorKind::InvalidInput)
                .with_message(format!("there is no change {index} in a receipt of {count}"))),
            _ => Ok(()),
        }
    }
}
