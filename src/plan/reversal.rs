//! From what a run changed to what should be again.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::fact::Fact;
use super::receipt::{Receipt, Undo};
use super::snapshot::Snapshot;
use super::target::{Delegation, Exactly, Target, WITHHELD};
use crate::change::{Certainty, Change, ChangeKind};
use crate::domain::{AccountId, RoleId, RoleName, ServicePrincipal};
use crate::error::{Error, ErrorKind};
use crate::observation::PRINCIPAL;
use crate::policy::Caller;
use crate::ports::{DataSync, SyncDefinition};
use crate::syncs::{SyncAt, is_same, is_shaped_like};

impl Receipt {
    /// What should be, to take the run back; and what stays, and why.
    pub(super) fn reversed(&self, now: &Snapshot, undo: &Undo) -> Result<(Target, Vec<String>), Error> {
        let looked_in = now.syncs.iter().map(|of| of.region.clone());
        let target = Target::new().with_other_syncs(undo.others).looking_in(looked_in);
        let mut reversal =
            Reversal { now, target, delegations: BTreeMap::new(), restored: Vec::new(), left: Vec::new() };
        for thing in self.things() {
            reversal.take_back(&thing, undo)?;
        }
        reversal.leave_broken(&self.changes);
        reversal.finish()
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
            if at.name.is_withheld() {
                self.leave(what, WITHHELD);
                return Ok(());
            }
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
