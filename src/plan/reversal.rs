//! From what a run changed to what should be again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use super::fact::Fact;
use super::receipt::{Receipt, Undo};
use super::snapshot::Snapshot;
use super::target::{Delegation, Exactly, OtherSyncs, RoleTarget, SyncWanted, Target, WITHHELD};
use crate::change::{Certainty, Change, ChangeKind};
use crate::domain::{AccountId, RoleId, RoleName, ServicePrincipal};
use crate::error::{Error, ErrorKind};
use crate::observation::{PRINCIPAL, has_one_administrator};
use crate::operations::data_sync::{Likeness, QUOTA, is_closed_to_administrators, likeness};
use crate::policy::Caller;
use crate::ports::{DataSync, DelegatedAdministrator, SyncDefinition};
use crate::syncs::{SyncAt, is_same, is_shaped_like};

impl Receipt {
    /// What should be, to take the run back; and what stays, and why.
    pub(super) fn reversed(&self, now: &Snapshot, undo: &Undo) -> Result<(Target, Vec<String>), Error> {
        let looked_in = now.syncs.iter().map(|of| of.region.clone());
        let target = Target::new().with_other_syncs(undo.others).looking_in(looked_in);
        let things = self.things();
        let mut reversal = Reversal {
            now,
            target,
            others: undo.others,
            began: things.iter().filter(|thing| !thing.before.is_there()).filter_map(|thing| thing.after.date()).min(),
            delegations: BTreeMap::new(),
            restored: Vec::new(),
            removed: BTreeSet::new(),
            staying: BTreeSet::new(),
            staying_syncs: BTreeSet::new(),
            left: Vec::new(),
        };
        for thing in &things {
            reversal.take_back(thing, undo)?;
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

    /// Since when it is there, by AWS's date.
    fn date(&self) -> Option<SystemTime> {
        match self {
            Self::Since(since) => *since,
            Self::Sync(Some(sync)) => sync.created,
            Self::Absent | Self::Role(_) | Self::Sync(None) => None,
        }
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
    others: OtherSyncs,
    /// The first date of what the run made.
    began: Option<SystemTime>,
    delegations: BTreeMap<ServicePrincipal, Exactly>,
    restored: Vec<(SyncAt, SyncDefinition)>,
    removed: BTreeSet<SyncAt>,
    /// Administrators that stay, and that nobody else has made: they may be the run's own, or are as before.
    staying: BTreeSet<(ServicePrincipal, AccountId)>,
    /// Syncs that may be the run's own, or are, and stay.
    staying_syncs: BTreeSet<SyncAt>,
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

    /// Leaves what nobody else has made: what hangs on it is left too.
    fn keep(&mut self, what: &What<'_>, why: &str) {
        match what {
            What::Administrator(principal, account) => drop(self.staying.insert(((*principal).clone(), *account))),
            What::Sync(at) => drop(self.staying_syncs.insert((*at).clone())),
            What::Trust(_) | What::Role => {}
        }
        self.leave(what, why);
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
            if let (What::Administrator(principal, account), true) = (what, before.is_there()) {
                self.staying.insert(((*principal).clone(), *account));
            }
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
            None => self.keep(what, "AWS shows too little to know it again"),
        }
        Ok(())
    }

    fn is_to_go(&mut self, thing: &Thing<'_>, undo: &Undo) -> bool {
        let certain = thing.maybes.iter().all(|index| undo.named.contains(index));
        if !certain {
            self.keep(&thing.what, "it is not certain that it was this run's; name it to take it back");
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
                self.keep(&what, "AWS shows too little to know it again");
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
            Some(definition) if found.is_some_and(|found| likeness(found, &definition) == Likeness::OtherSource) => {
                self.keep(&what, "AWS changes the source of none, and it has another one now");
            }
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
                    self.removed.insert(at.clone());
                    self.target = std::mem::take(&mut self.target).without_sync(owner, at.name.clone(), regions);
                } else {
                    return Err(changed_since(at, after));
                }
            }
            _ => self.keep(&what, "AWS shows too little to know it again"),
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

    /// What AWS's rules let nobody take back stays, and what hangs on what stays.
    fn finish(mut self) -> Result<(Target, Vec<String>), Error> {
        let mut delegations = std::mem::take(&mut self.delegations);
        self.leave_owners(&mut delegations);
        self.leave_trust(&delegations)?;
        for (principal, delegation) in &mut delegations {
            self.leave_administrators(principal, delegation)?;
        }
        let ours = delegations.get(&PRINCIPAL).cloned().unwrap_or_default();
        for (principal, delegation) in delegations {
            self.target.of_service(&principal).administrators = Some(Delegation::Exactly(delegation));
        }
        let trusted = self.will_be_trusted(&PRINCIPAL)?;
        self.leave_role(trusted, &ours);
        for (at, definition) in std::mem::take(&mut self.restored) {
            if let Some(why) = self.why_not(&at, &definition, trusted, &ours)? {
                self.leave(&What::Sync(&at), why);
                continue;
            }
            let owner = self.owner(&at);
            self.target = std::mem::take(&mut self.target).with_sync(owner, definition, [at.region]);
        }
        Ok((self.target, self.left))
    }

    /// The syncs of the organization that stay, and that trust or a delegation would take along.
    fn endangered(&self) -> Vec<SyncAt> {
        if self.others == OtherSyncs::Forfeit {
            return Vec::new();
        }
        let staying = self.now.all_syncs().filter(|(at, _)| self.staying_syncs.contains(at));
        staying.filter(|(_, sync)| sync.is_of_organization()).map(|(at, _)| at).collect()
    }

    fn leave_owners(&mut self, delegations: &mut BTreeMap<ServicePrincipal, Exactly>) {
        let Some(Exactly { without, .. }) = delegations.get_mut(&PRINCIPAL) else { return };
        for at in self.endangered() {
            if without.remove(&at.account) {
                let why = format!("the data sync {at} stays, and would go with it");
                self.keep(&What::Administrator(&PRINCIPAL, at.account), &why);
            }
        }
    }

    /// Trust that AWS does not let go. Where somebody has come since who needs it, planning refuses.
    fn leave_trust(&mut self, delegations: &BTreeMap<ServicePrincipal, Exactly>) -> Result<(), Error> {
        let services = self.target.services.iter();
        let distrusted: Vec<_> = services
            .filter(|(_, service)| service.trusted_access == Some(false))
            .map(|(principal, _)| principal.clone())
            .collect();
        for principal in distrusted {
            let holders = self.holders(&principal, delegations.get(&principal))?;
            let broken = if principal == PRINCIPAL { self.endangered() } else { Vec::new() };
            if holders.iter().any(|holder| self.came_since(&principal, holder)) {
                continue;
            }
            let why = match (holders.first(), broken.first()) {
                (Some(holder), _) => format!("account {} administers it, and stays", holder.account),
                (None, Some(at)) => format!("the data sync {at} stays, and would break"),
                (None, None) => continue,
            };
            self.target.of_service(&principal).trusted_access = None;
            self.leave(&What::Trust(&principal), &why);
        }
        Ok(())
    }

    /// Administrators that AWS makes no more. Where somebody has taken their place since, planning refuses.
    fn leave_administrators(&mut self, principal: &ServicePrincipal, delegation: &mut Exactly) -> Result<(), Error> {
        let (again, why) = if !self.will_be_trusted(principal)? {
            (None, "AWS makes none while trusted access is off".to_owned())
        } else if has_one_administrator(principal) {
            let holders = self.holders(principal, Some(delegation))?;
            if holders.iter().any(|holder| self.came_since(principal, holder)) {
                return Ok(());
            }
            let one = |account, what| format!("AWS allows one administrator, and account {account} {what}");
            match (holders.first(), delegation.with.first()) {
                (Some(holder), _) => (None, one(holder.account, "is one")),
                (None, Some(first)) => (Some(*first), one(*first, "is to be one again")),
                (None, None) => return Ok(()),
            }
        } else {
            return Ok(());
        };
        for account in std::mem::replace(&mut delegation.with, again.into_iter().collect()) {
            if Some(account) != again {
                self.leave(&What::Administrator(principal, account), &why);
            }
        }
        Ok(())
    }

    fn leave_role(&mut self, trusted: bool, ours: &Exactly) {
        if self.target.role != Some(RoleTarget::Absent) {
            return;
        }
        let management = self.now.organization.management_account;
        let mut staying = self.now.all_syncs().filter(|(at, _)| self.staying_syncs.contains(at));
        let holder = staying.find(|(at, sync)| {
            at.account == management || (sync.is_of_organization() && !ours.without.contains(&at.account))
        });
        let why = match holder {
            _ if trusted => "AWS deletes it only where trusted access is off".to_owned(),
            Some((at, _)) => format!("the data sync {at} stays, and holds it"),
            None => return,
        };
        self.target.role = None;
        self.leave(&What::Role, &why);
    }

    /// Why AWS would not make a sync again.
    fn why_not(
        &self,
        at: &SyncAt,
        definition: &SyncDefinition,
        trusted: bool,
        ours: &Exactly,
    ) -> Result<Option<&'static str>, Error> {
        if definition.is_of_organization() && !trusted {
            return Ok(Some("AWS makes none of the organization while trusted access is off"));
        }
        if definition.is_of_organization() && !self.will_sync(at.account, ours)? {
            return Ok(Some("AWS makes one of the organization only for its administrator"));
        }
        if self.now.need_sync(at)?.is_some() {
            return Ok(None);
        }
        if self.owner(at) != Caller::Management && is_closed_to_administrators(&at.region, definition) {
            return Ok(Some("in an opt-in Region AWS makes one of the organization only for the management account"));
        }
        Ok(self.is_full(at)?.then_some("an account has five in a Region at most, and those are there"))
    }

    /// Whether what stays of the run's own has taken the place. Where others have, planning refuses.
    fn is_full(&self, wanted: &SyncAt) -> Result<bool, Error> {
        let there = self.now.need_syncs(wanted.account, &wanted.region)?.iter();
        let there: BTreeSet<_> = there.map(|sync| SyncAt::new(wanted.account, &wanted.region, &sync.name)).collect();
        let again = self.target.syncs.iter().filter(|sync| {
            let SyncWanted::Present(definition) = &sync.want else { return false };
            let at = SyncAt::new(wanted.account, &wanted.region, definition.name());
            sync.owner == self.owner(wanted) && sync.regions.contains(&wanted.region) && !there.contains(&at)
        });
        let stay = there.iter().filter(|at| !self.removed.contains(at)).count();
        let ours = there.iter().any(|at| self.staying_syncs.contains(at));
        Ok(ours && stay + again.count() >= QUOTA)
    }

    fn will_be_trusted(&self, principal: &ServicePrincipal) -> Result<bool, Error> {
        match self.target.service(principal).trusted_access {
            Some(trusted) => Ok(trusted),
            None => self.is_there(&What::Trust(principal)),
        }
    }

    /// The administrators that are there, and not to go.
    fn holders(
        &self,
        principal: &ServicePrincipal,
        delegation: Option<&Exactly>,
    ) -> Result<Vec<DelegatedAdministrator>, Error> {
        let mut holders = self.now.need_service(principal)?.administrators.need()?.clone();
        holders.retain(|holder| delegation.is_none_or(|ours| !ours.without.contains(&holder.account)));
        Ok(holders)
    }

    /// Whether somebody else has made it an administrator since the run began. Where AWS's dates do not say so, it may have been one before.
    fn came_since(&self, principal: &ServicePrincipal, holder: &DelegatedAdministrator) -> bool {
        let later = holder.since.zip(self.began).is_some_and(|(since, began)| since > began);
        later && !self.staying.contains(&(principal.clone(), holder.account))
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
