use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use super::clients::Clients;
use super::fact::Fact;
use super::snapshot::{Scope, Snapshot};
use super::target::{Delegation, Exactly, OtherSyncs, Target};
use super::{Plan, draw_up};
use crate::change::{Certainty, Change, ChangeKind};
use crate::domain::{AccountId, OrganizationId, Region, RoleId, RoleName, ServicePrincipal};
use crate::error::{Error, ErrorKind};
use crate::observation::PRINCIPAL;
use crate::policy::Caller;
use crate::ports::{DataSync, Organization, SyncDefinition};
use crate::syncs::{SyncAt, is_same, is_shaped_like};

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
    named: BTreeSet<usize>,
    others: OtherSyncs,
    look_in: BTreeSet<Region>,
}

impl Undo {
    /// What is certain to have been this run's. Where it takes trust or a delegation away, syncs that are not this run's are looked for first, and protected:
    /// that takes a Region to look in, unless the run made syncs.
    pub fn new() -> Self {
        Self::default()
    }

    /// The change with this index too, though its reply was lost. Where AWS's date or id shows that it is another one, it stays.
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
    /// whose reply was lost stays, unless it is [named](Undo::including). What stays is in [`Plan::left`].
    ///
    /// One thing cannot be told: where two runs enable a service at the same moment, AWS may say yes to both, and there is one date. Each then counts the trust
    /// as its own.
    ///
    /// # Errors
    ///
    /// [`OtherOrganization`](ErrorKind::OtherOrganization). Where others have built on it since: [`FactMoved`](ErrorKind::FactMoved) for a sync that
    /// somebody has changed, [`OtherAdministrator`](ErrorKind::OtherAdministrator) for trust that another account's administration needs,
    /// [`SyncsRemain`](ErrorKind::SyncsRemain) for syncs that would go with it. And those of [`Snapshot::take`] and [`Plan::new`].
    pub async fn undo(&self, clients: &Clients<'_>, undo: &Undo) -> Result<Plan, Error> {
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
        let found = &snapshot.organization;
        if (&self.organization, self.management_account) != (&found.id, found.management_account) {
            let (expected, found) = (self.organization.clone(), found.id.clone());
            return Err(Error::of(ErrorKind::OtherOrganization { expected, found }));
        }
        let looked_in = snapshot.syncs.iter().map(|of| of.region.clone());
        let target = Target::new().with_other_syncs(undo.others).looking_in(looked_in);
        let mut reversal =
            Reversal { now: &snapshot, target, delegations: BTreeMap::new(), restored: Vec::new(), left: Vec::new() };
        for thing in self.things() {
            reversal.take_back(&thing, undo)?;
        }
        reversal.leave_broken(&self.changes);
        let (target, left) = reversal.finish()?;
        let draw_up::Drawn { steps, unknowns, warnings } = draw_up::draw_up(&target, &snapshot)?;
        Ok(Plan { snapshot, steps, unknowns, warnings, left })
    }

    /// What was changed, thing by thing: several changes of one thing are one, from what it was to what it was left as.
    fn things(&self) -> Vec<Thing<'_>> {
        let mut things: Vec<Thing<'_>> = Vec::new();
        for (index, change) in self.changes.iter().enumerate() {
            for (what, before, after) in states(&change.kind) {
                let maybe = (change.certainty != Certainty::Did).then_some(index);
                match things.iter_mut().find(|thing| thing.what == what) {
                    Some(thing) => {
                        thing.after = after;
                        thing.maybes.extend(maybe);
                    }
                    None => things.push(Thing { what, before, after, maybes: maybe.into_iter().collect() }),
                }
            }
        }
        things
    }
}

/// Something that a run changed.
struct Thing<'a> {
    what: What<'a>,
    before: State<'a>,
    after: State<'a>,
    /// The changes of it that may not have been the run's.
    maybes: Vec<usize>,
}

#[derive(PartialEq, Eq)]
enum What<'a> {
    Trust(&'a ServicePrincipal),
    Administrator(&'a ServicePrincipal, AccountId),
    Role,
    Sync(&'a SyncAt),
}

/// What a thing was, or was left as.
#[derive(Clone, Copy)]
enum State<'a> {
    Absent,
    /// There, under AWS's date.
    Since(Option<SystemTime>),
    /// There, under AWS's id.
    Role(Option<&'a RoleId>),
    /// There, and like this, where it was seen.
    Sync(Option<&'a DataSync>),
}

impl State<'_> {
    fn is_there(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

/// What a change made of what.
fn states(kind: &ChangeKind) -> Vec<(What<'_>, State<'_>, State<'_>)> {
    let one = match kind {
        ChangeKind::TrustedAccessEnabled { principal, since } => {
            (What::Trust(principal), State::Absent, State::Since(*since))
        }
        ChangeKind::TrustedAccessDisabled { principal, since, .. } => {
            (What::Trust(principal), State::Since(*since), State::Absent)
        }
        ChangeKind::AdministratorRegistered { account, principal, since } => {
            (What::Administrator(principal, *account), State::Absent, State::Since(*since))
        }
        ChangeKind::AdministratorDeregistered { account, principal, since, syncs } => {
            let mut all = vec![(What::Administrator(principal, *account), State::Since(*since), State::Absent)];
            // They went with the delegation.
            all.extend(
                syncs.recorded().iter().map(|(at, sync)| (What::Sync(at), State::Sync(Some(sync)), State::Absent)),
            );
            return all;
        }
        ChangeKind::RoleCreated { id, .. } => (What::Role, State::Absent, State::Role(id.as_ref())),
        ChangeKind::RoleDeleted { id, .. } => (What::Role, State::Role(Some(id)), State::Absent),
        ChangeKind::DataSyncCreated { sync, after, .. } => {
            (What::Sync(sync), State::Absent, State::Sync(after.as_deref()))
        }
        ChangeKind::DataSyncUpdated { sync, before, after, .. } => {
            (What::Sync(sync), State::Sync(Some(before)), State::Sync(after.as_deref()))
        }
        ChangeKind::DataSyncDeleted { sync, before } => (What::Sync(sync), State::Sync(Some(before)), State::Absent),
    };
    vec![one]
}

/// On the way from a receipt to a target.
struct Reversal<'a> {
    now: &'a Snapshot,
    target: Target,
    delegations: BTreeMap<ServicePrincipal, Exactly>,
    restored: Vec<(SyncAt, SyncDefinition)>,
    left: Vec<String>,
}

impl Reversal<'_> {
    fn leave(&mut self, what: &What<'_>, why: &str) {
        let what = match what {
            What::Trust(principal) => format!("trusted access for {principal}"),
            What::Administrator(principal, account) => format!("account {account} as administrator of {principal}"),
            What::Role => format!("the role {}", RoleName::ACCOUNT_DISCOVERY),
            What::Sync(at) => format!("the data sync {at}"),
        };
        self.left.push(format!("{what}: {why}"));
    }

    fn take_back(&mut self, thing: &Thing<'_>, undo: &Undo) -> Result<(), Error> {
        let Thing { what, before, after, .. } = thing;
        if let What::Sync(at) = what {
            let as_before = match (self.now.need_sync(at)?, before) {
                (None, before) => !before.is_there(),
                (Some(found), State::Sync(Some(before))) => is_shaped_like(found, before),
                (Some(_), _) => false,
            };
            if as_before {
                return Ok(());
            }
            if at.name.is_foreign() {
                self.leave(what, "another AWS service looks after it");
                return Ok(());
            }
            if !self.is_to_go(thing, undo) {
                return Ok(());
            }
            return self.take_back_sync(at, *before, *after);
        }
        let is_there = self.is_there(what)?;
        if is_there == before.is_there() || before.is_there() == after.is_there() {
            return Ok(());
        }
        if !self.is_to_go(thing, undo) {
            return Ok(());
        }
        if before.is_there() {
            self.restore(what);
            return Ok(());
        }
        match self.is_ours(what, *after)? {
            Some(true) => self.remove(what),
            Some(false) => self.leave(what, "somebody has made it anew"),
            None => self.leave(what, "AWS shows too little to know it again"),
        }
        Ok(())
    }

    fn is_to_go(&mut self, thing: &Thing<'_>, undo: &Undo) -> bool {
        let certain = thing.maybes.iter().all(|index| undo.named.contains(index));
        if !certain {
            self.leave(&thing.what, "it is not certain that it was this run's; name it to take it back");
        }
        certain
    }

    fn is_there(&self, what: &What<'_>) -> Result<bool, Error> {
        Ok(match what {
            What::Trust(principal) => self.now.need_service(principal)?.trusted_access.need()?.is_some(),
            What::Administrator(principal, account) => self.now.facts(principal)?.administrator(*account).is_some(),
            What::Role => self.now.need_role()?.is_some(),
            What::Sync(at) => self.now.need_sync(at)?.is_some(),
        })
    }

    /// Whether what is there is what the run made; `None` where that cannot be told.
    fn is_ours(&self, what: &What<'_>, after: State<'_>) -> Result<Option<bool>, Error> {
        let since = match what {
            What::Trust(principal) => {
                self.now.need_service(principal)?.trusted_access.need()?.as_ref().and_then(|access| access.since)
            }
            What::Administrator(principal, account) => {
                self.now.facts(principal)?.administrator(*account).and_then(|found| found.since)
            }
            What::Role | What::Sync(_) => None,
        };
        Ok(match (after, since) {
            (State::Since(Some(ours)), Some(found)) => Some(ours == found),
            (State::Role(Some(ours)), _) => self.now.need_role()?.map(|role| role.id == *ours),
            _ => None,
        })
    }

    fn restore(&mut self, what: &What<'_>) {
        match what {
            What::Trust(principal) => self.target.of_service(principal).trusted_access = Some(true),
            What::Administrator(principal, account) => {
                self.delegations.entry((*principal).clone()).or_default().with.insert(*account);
            }
            What::Role => self.target = std::mem::take(&mut self.target).with_role(),
            What::Sync(_) => {}
        }
    }

    fn remove(&mut self, what: &What<'_>) {
        match what {
            What::Trust(principal) => self.target.of_service(principal).trusted_access = Some(false),
            What::Administrator(principal, account) => {
                self.delegations.entry((*principal).clone()).or_default().without.insert(*account);
            }
            What::Role => self.target = std::mem::take(&mut self.target).without_role(),
            What::Sync(_) => {}
        }
    }

    fn take_back_sync(&mut self, at: &SyncAt, before: State<'_>, after: State<'_>) -> Result<(), Error> {
        let what = What::Sync(at);
        let found = self.now.need_sync(at)?;
        let State::Sync(before) = before else {
            // It was made.
            return self.remove_sync(at, found, after);
        };
        let Some(before) = before else { return Ok(()) };
        match (found, after) {
            (Some(found), State::Sync(Some(after))) if is_same(found, after) => {}
            (Some(found), State::Sync(Some(after))) if found.created == after.created => {
                return Err(changed_since(at, after));
            }
            (Some(_), State::Sync(None)) => {
                self.leave(&what, "AWS shows too little to know it again");
                return Ok(());
            }
            (Some(_), _) => {
                self.leave(&what, "somebody has made another of that name");
                return Ok(());
            }
            // It was deleted; or changed, and somebody has deleted it since.
            (None, State::Absent) => {}
            (None, _) => {
                self.leave(&what, "somebody has deleted it");
                return Ok(());
            }
        }
        match before.definition() {
            Some(definition) => self.restored.push((at.clone(), definition)),
            None => self.leave(&what, "AWS showed too little of it to make it again"),
        }
        Ok(())
    }

    fn remove_sync(&mut self, at: &SyncAt, found: Option<&DataSync>, after: State<'_>) -> Result<(), Error> {
        let what = What::Sync(at);
        match (found, after) {
            (None, _) | (_, State::Absent) => {}
            (Some(found), State::Sync(Some(after))) if after.created.is_some() && found.created.is_some() => {
                if found.created != after.created {
                    self.leave(&what, "somebody has made it anew");
                } else if is_same(found, after) {
                    let regions = [at.region.clone()];
                    let owner = self.owner(at);
                    self.target = std::mem::take(&mut self.target).without_sync(owner, at.name.clone(), regions);
                } else {
                    return Err(changed_since(at, after));
                }
            }
            _ => self.leave(&what, "AWS shows too little to know it again"),
        }
        Ok(())
    }

    fn owner(&self, at: &SyncAt) -> Caller {
        if at.account == self.now.organization.management_account {
            Caller::Management
        } else {
            Caller::Account(at.account)
        }
    }

    /// Trust that comes back does not mend the syncs that its end has broken.
    fn leave_broken(&mut self, changes: &[Change]) {
        let recorded = changes.iter().filter_map(|change| match &change.kind {
            ChangeKind::TrustedAccessDisabled { syncs, .. } => Some(syncs.recorded()),
            _ => None,
        });
        for (at, before) in recorded.flatten() {
            let found = self.now.need_sync(at).ok().flatten();
            if found.is_some_and(|found| is_same(found, before) && found.state != before.state) {
                self.leave(&What::Sync(at), "it broke without trusted access, and AWS says to create it anew");
            }
        }
    }

    /// What AWS's rules let nobody take back stays.
    fn finish(mut self) -> Result<(Target, Vec<String>), Error> {
        let delegations = std::mem::take(&mut self.delegations);
        let ours = delegations.get(&PRINCIPAL).cloned().unwrap_or_default();
        for (principal, delegation) in delegations {
            self.target.of_service(&principal).administrators = Some(Delegation::Exactly(delegation));
        }
        let trusted = match self.target.service(&PRINCIPAL).trusted_access {
            Some(trusted) => trusted,
            None => self.is_there(&What::Trust(&PRINCIPAL))?,
        };
        if trusted && self.target.role == Some(super::RoleTarget::Absent) {
            self.target.role = None;
            self.leave(&What::Role, "AWS deletes it only where trusted access is off");
        }
        for (at, definition) in std::mem::take(&mut self.restored) {
            if definition.is_of_organization() && !trusted {
                self.leave(&What::Sync(&at), "AWS makes none of the organization while trusted access is off");
            } else if definition.is_of_organization() && !self.will_sync(at.account, &ours)? {
                self.leave(&What::Sync(&at), "AWS makes one of the organization only for its administrator");
            } else {
                let owner = self.owner(&at);
                self.target = std::mem::take(&mut self.target).with_sync(owner, definition, [at.region]);
            }
        }
        Ok((self.target, self.left))
    }

    /// Whether an account can have syncs of the organization in the end.
    fn will_sync(&self, account: AccountId, ours: &Exactly) -> Result<bool, Error> {
        let administers = self.is_there(&What::Administrator(&PRINCIPAL, account))? && !ours.without.contains(&account);
        Ok(account == self.now.organization.management_account || administers || ours.with.contains(&account))
    }
}

/// Somebody has built on it.
fn changed_since(at: &SyncAt, after: &DataSync) -> Error {
    let expected = Box::new(Fact::SyncIs { sync: at.clone(), shown: Box::new(after.clone()) });
    Error::of(ErrorKind::FactMoved { expected, found: format!("the data sync {at} has been changed") })
}
