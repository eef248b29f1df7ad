use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, FuturesUnordered, StreamExt};
use tracing::Instrument;

use super::Plan;
use super::clients::{Clients, Roster};
use super::progress::{Event, Listener, Stopped};
use super::receipt::Receipt;
use super::snapshot::{Part, Scope, Snapshot};
use super::step::{Action, AtRisk, Step};
use super::target::OtherSyncs;
use crate::by_region::AT_ONCE;
use crate::change::{Change, ChangeKind};
use crate::data_syncs::check_own;
use crate::domain::{AccountId, Region, ServicePrincipal};
use crate::error::{Error, ErrorKind, Retry};
use crate::journal::{Journal, Own};
use crate::observation::{Facts, Known, PRINCIPAL, of_service};
use crate::operations::data_sync::{Outcome, Place};
use crate::operations::{self, Dates, Ground, Half, Patience, Setback, role};
use crate::ports::{Client, DataSync, Operation, Organization, Role, SyncDefinition, SystemsManagerClient};
use crate::redact::redact;
use crate::syncs::{Care, Endangered, Syncs};
use crate::trace::span;

impl Plan {
    /// Takes the steps, one after the other; data syncs in many Regions at the same time.
    ///
    /// Before the first write the whole plan is compared with what is: a plan for another organization, or one of whose facts has moved, writes nothing. Before each step its own facts are
    /// read again. A step whose end is reached already is skipped, so a plan that was cut short can be applied again and goes on where it was.
    /// The first failure ends it.
    ///
    /// # Expected flow
    ///
    /// Unless the plan was made within the last seconds, the reads of [`Snapshot::take`]. `DescribeAccount` for each account that is to be registered, and
    /// `ListResourceDataSync` of Inventory's type where syncs are to be made after others were taken away. Then for
    /// each step the reads of what it relies on, the write, and reads until it shows. A plan without steps reads, and writes nothing.
    ///
    /// # Errors
    ///
    /// Before a write: [`OtherOrganization`](ErrorKind::OtherOrganization), [`FactMoved`](ErrorKind::FactMoved),
    /// [`NoClient`](ErrorKind::NoClient), [`SyncsUnseen`](ErrorKind::SyncsUnseen), [`SyncsRemain`](ErrorKind::SyncsRemain),
    /// [`TrustedAccessOff`](ErrorKind::TrustedAccessOff) for what AWS does only where a service is trusted, those of an account that cannot be
    /// registered, [`SyncNameTaken`](ErrorKind::SyncNameTaken) and [`SyncQuotaFull`](ErrorKind::SyncQuotaFull) for a sync that has no place once others
    /// are gone for it, and those of the reads. Then those of the step that failed: the same as of the typed handles' methods.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a dropped future leaves open whether the step under way was done. Applying the plan again finishes it; only whose
    /// the change was is lost.
    ///
    /// # IAM permissions
    ///
    /// [`Plan::permissions`]. AWS:
    /// [Systems Manager and Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html).
    pub async fn apply(
        &self,
        clients: &Clients<'_>,
        mut on_event: impl FnMut(Event<'_>) + Send,
    ) -> Result<Receipt, Stopped> {
        let scope = self.scope();
        let roster = clients.roster().await.map_err(|error| self.not_begun(error))?;
        // Another account's client may be one of another organization.
        let same_caller = roster.caller().is_some_and(|caller| self.snapshot.caller == Some(caller));
        let now = if self.snapshot.is_fresh() && same_caller {
            self.snapshot.clone()
        } else {
            Snapshot::take_with(&roster, &scope).await.map_err(|error| self.not_begun(error))?
        };
        let known = Known { organization: now.organization.clone(), caller: roster.caller() };
        let mut run = Run {
            plan: self,
            roster: &roster,
            known: &known,
            clients,
            receipt: Receipt::new(&now.organization),
            journal: Journal::default(),
            now,
            done: Vec::new(),
        };
        let span = span!("apply_plan" in &known);
        let outcome = run.all(&Listener::new(&mut on_event)).instrument(span).await;
        match outcome {
            Ok(()) => Ok(run.receipt),
            Err(error) => {
                let Run { receipt, done, .. } = run;
                let now = Snapshot::take_with(&roster, &scope).await.ok();
                let remaining = (0..self.steps.len()).filter(|index| !done.contains(index)).collect();
                Err(Stopped::new(error, receipt, done, remaining, now))
            }
        }
    }

    fn not_begun(&self, error: Error) -> Stopped {
        let receipt = Receipt::new(&self.snapshot.organization);
        let remaining = (0..self.steps.len()).collect();
        Stopped::new(error, receipt, Vec::new(), remaining, None)
    }

    /// What its steps have to know.
    pub(super) fn scope(&self) -> Scope {
        let mut scope = Scope::new();
        for step in &self.steps {
            scope.principals.extend(step.action.principal().cloned());
            scope.role |= matches!(step.action, Action::CreateRole | Action::DeleteRole);
            scope.regions.extend(step.action.sync().map(|sync| sync.region.clone()));
            scope.regions.extend(step.at_risk.iter().flat_map(|at_risk| at_risk.regions.iter().cloned()));
        }
        scope
    }
}

/// A plan on its way.
struct Run<'a> {
    plan: &'a Plan,
    roster: &'a Roster<'a>,
    known: &'a Known,
    clients: &'a Clients<'a>,
    receipt: Receipt,
    journal: Journal,
    /// What is, by the last reads and our own steps.
    now: Snapshot,
    done: Vec<usize>,
}

impl Run<'_> {
    async fn all(&mut self, listener: &Listener<'_>) -> Result<(), Error> {
        self.check().await?;
        self.take_steps(listener).await
    }

    /// Refuses, before the first write, what cannot be applied.
    async fn check(&self) -> Result<(), Error> {
        let expected = &self.plan.snapshot.organization;
        let found = &self.now.organization;
        if (&expected.id, expected.management_account) != (&found.id, found.management_account) {
            let kind = ErrorKind::OtherOrganization { expected: expected.id.clone(), found: found.id.clone() };
            return Err(Error::of(kind).called_as(self.known.caller));
        }
        let mut model = self.now.clone();
        let mut journal = Journal::default();
        let patience = self.clients.patience.into();
        let mut candidates = BTreeSet::new();
        let mut taken_away = false;
        let mut replacements: BTreeMap<(AccountId, &Region), Vec<&SyncDefinition>> = BTreeMap::new();
        for step in &self.plan.steps {
            // A file may hold what no target leads to.
            if let Some(at) = step.action.sync() {
                check_own(&at.name, step.action.operation())?;
            }
            if step.action.holds_in(&model)? {
                continue;
            }
            if step.account == found.management_account {
                self.ground(&mut journal, patience).check_caller(step.action.operation())?;
            } else {
                self.roster.of(step.account).map_err(|error| error.at(step.action.operation()))?;
            }
            step.check(&model)?;
            self.check_trust(step, &model)?;
            self.check_sight(step)?;
            if let Action::RegisterAdministrator { account, principal } = &step.action
                && candidates.insert(*account)
            {
                let candidate = operations::candidate(&self.ground(&mut journal, patience), *account).await;
                candidate.map_err(|error| error.for_service(principal))?;
            }
            if let Action::CreateSync { sync, definition } = &step.action
                && taken_away
            {
                replacements.entry((sync.account, &sync.region)).or_default().push(definition);
            }
            taken_away |= step.action.takes_away();
            step.action.happen_in(&mut model);
        }
        self.check_room(&replacements, &model).await
    }

    /// Refuses what AWS does only where a service is trusted.
    fn check_trust(&self, step: &Step, model: &Snapshot) -> Result<(), Error> {
        let Some(principal) = step.action.relies_on_trust_in() else { return Ok(()) };
        if model.need_service(principal)?.trusted_access.need()?.is_some() {
            return Ok(());
        }
        let error = Error::of(ErrorKind::TrustedAccessOff).at(step.action.operation());
        let error = error.called_in(self.known).for_service(principal);
        let error = model.facts(principal).iter().fold(error, Error::in_situation);
        Err(match (&step.action, step.action.sync()) {
            (Action::RegisterAdministrator { account, .. }, _) => error.about(*account),
            (_, Some(at)) => error.called_as(Some(at.account)).with_region(at.region.clone()),
            (_, None) => error,
        })
    }

    /// Refuses where there is no room for syncs, before others go for them. `model` is how it will be with them.
    async fn check_room(
        &self,
        wanted: &BTreeMap<(AccountId, &Region), Vec<&SyncDefinition>>,
        model: &Snapshot,
    ) -> Result<(), Error> {
        let mut checks = Vec::new();
        for ((account, region), wanted) in wanted {
            checks.push(self.check_room_in(*account, region, wanted, model));
        }
        let checks: Vec<_> = stream::iter(checks).buffered(AT_ONCE).collect().await;
        Error::all(checks).map(drop)
    }

    async fn check_room_in(
        &self,
        account: AccountId,
        region: &Region,
        wanted: &[&SyncDefinition],
        model: &Snapshot,
    ) -> Result<(), Error> {
        let ssm = self.roster.of(account)?;
        let (organization, patience) = (&self.known.organization, self.clients.patience.into());
        let place = Place { ssm, organization, account, region, patience, own: Own::default() };
        let mut others = model.need_syncs(account, region)?.clone();
        others.retain(|sync| !wanted.iter().any(|wanted| *wanted.name() == sync.name));
        let now = self.now.need_syncs(account, region)?.len();
        place.check_room_beside(&others, wanted, now).await
    }

    /// Refuses where syncs are to be protected, and nobody can see them; or they are forfeited, and whoever can see them may be known at the next
    /// try.
    fn check_sight(&self, step: &Step) -> Result<(), Error> {
        let Some(AtRisk { others, accounts, regions, .. }) = &step.at_risk else { return Ok(()) };
        let unseen = accounts.first().copied().filter(|account| !self.roster.accounts.contains_key(account));
        let Some(account) = unseen else { return Ok(()) };
        let error = Error::of(ErrorKind::SyncsUnseen { account }).at(step.action.operation());
        let passing = match &self.roster.caller {
            Err(error) if account == self.known.organization.management_account && !regions.is_empty() => error.retry(),
            _ => Retry::Permanent,
        };
        match others {
            OtherSyncs::Forfeit if passing == Retry::Permanent => Ok(()),
            _ => Err(error.with_retry(passing)),
        }
    }

    fn ground<'g>(&'g self, journal: &'g mut Journal, patience: Patience<'g>) -> Ground<'g, dyn Client + 'g> {
        Ground { client: self.roster.management, known: self.known, patience, journal }
    }

    async fn take_steps(&mut self, listener: &Listener<'_>) -> Result<(), Error> {
        let steps = &self.plan.steps;
        let mut next = 0;
        while let Some(step) = steps.get(next) {
            let syncs = at_the_same_time(steps.iter().skip(next));
            if syncs > 0 {
                self.take_sync_steps(next, syncs, listener).await?;
                next += syncs;
                continue;
            }
            listener.tell(Event::Started { index: next, step });
            let end = self.take_step(next, step, listener).instrument(span_of(step)).await;
            self.conclude(next, step, end, listener)?;
            next += 1;
        }
        Ok(())
    }

    fn conclude(
        &mut self,
        index: usize,
        step: &Step,
        (end, change): (Result<(), Error>, Option<Change>),
        listener: &Listener<'_>,
    ) -> Result<(), Error> {
        if let Some(change) = change {
            self.receipt.record(change.clone());
            listener.tell(Event::Changed { index, step, change: &change, receipt: &self.receipt });
        } else if end.is_ok() {
            listener.tell(Event::Skipped { index, step });
        }
        if end.is_ok() {
            self.done.push(index);
        }
        end
    }

    /// A step on a service or on the role.
    async fn take_step(
        &mut self,
        index: usize,
        step: &Step,
        listener: &Listener<'_>,
    ) -> (Result<(), Error>, Option<Change>) {
        let notice = || listener.tell(Event::Waiting { index, step });
        let patience = Patience::telling(self.clients.patience, &notice);
        let before = self.journal.changes().len();
        let end = match &step.action {
            Action::CreateRole | Action::DeleteRole => self.take_role_step(step, patience).await,
            action => match action.principal() {
                Some(principal) => self.take_service_step(step, principal, patience).await,
                None => Ok(()),
            },
        };
        // A step makes one change at most.
        (end, self.journal.changes().get(before).cloned())
    }

    /// Reads a half of a service's facts. An answer that denies what we saw AWS do is old: it is asked again.
    async fn read_half(
        &mut self,
        half: Half,
        principal: &ServicePrincipal,
        patience: Patience<'_>,
    ) -> Result<Facts, Error> {
        let service = self.now.need_service(principal)?;
        let mut facts = Facts {
            principal: principal.clone(),
            trusted_access: service.trusted_access.known().cloned().flatten(),
            administrators: service.administrators.known().cloned().unwrap_or_default(),
        };
        let mut journal = std::mem::take(&mut self.journal);
        let read = self.ground(&mut journal, patience).read_half(&mut facts, half).await;
        self.journal = journal;
        read?;
        self.now.services.iter_mut().filter(|service| service.principal == *principal).for_each(|service| match half {
            Half::Trust => service.trusted_access = Part::Known(facts.trusted_access.clone()),
            Half::Administrators => service.administrators = Part::Known(facts.administrators.clone()),
        });
        Ok(facts)
    }

    /// Reads the half of a service's facts that a step is about, and the other one where no earlier look could.
    async fn read_for(
        &mut self,
        action: &Action,
        principal: &ServicePrincipal,
        patience: Patience<'_>,
    ) -> Result<Facts, Error> {
        let (half, other) = match action {
            Action::EnableTrustedAccess { .. } | Action::DisableTrustedAccess { .. } => {
                (Half::Trust, Half::Administrators)
            }
            _ => (Half::Administrators, Half::Trust),
        };
        if self.now.facts(principal).is_err() {
            self.read_half(other, principal, patience).await?;
        }
        self.read_half(half, principal, patience).await
    }

    /// An administrator needs trust, which an earlier step may have seen gone.
    async fn need_trust(&mut self, before: Facts, account: AccountId, patience: Patience<'_>) -> Result<Facts, Error> {
        if before.trusted_access.is_some() {
            return Ok(before);
        }
        let now = self.read_half(Half::Trust, &before.principal, patience).await?;
        if now.trusted_access.is_some() {
            return Ok(now);
        }
        let error = Error::of(ErrorKind::TrustedAccessOff).at(Operation::RegisterDelegatedAdministrator).about(account);
        Err(error.for_service(&now.principal).called_in(self.known).in_situation(&now))
    }

    fn remember(&mut self, facts: &Facts) {
        for service in self.now.services.iter_mut().filter(|service| service.principal == facts.principal) {
            service.trusted_access = Part::Known(facts.trusted_access.clone());
            service.administrators = Part::Known(facts.administrators.clone());
        }
    }

    async fn take_service_step(
        &mut self,
        step: &Step,
        principal: &ServicePrincipal,
        patience: Patience<'_>,
    ) -> Result<(), Error> {
        let before = self.read_for(&step.action, principal, patience).await?;
        if step.action.holds_in(&self.now)? {
            return Ok(());
        }
        step.check(&self.now)?;
        let before = match step.action {
            Action::RegisterAdministrator { account, .. } => self.need_trust(before, account, patience).await?,
            _ => before,
        };
        let roster = self.roster;
        let ssm: Vec<&dyn SystemsManagerClient> =
            roster.accounts.values().map(|client| *client as &dyn SystemsManagerClient).collect();
        let (care, endangered) = care(step, &ssm);
        let mut journal = std::mem::take(&mut self.journal);
        let ground = &mut self.ground(&mut journal, patience);
        let outcome = match &step.action {
            Action::EnableTrustedAccess { .. } => operations::enable(ground, &before).await,
            Action::DisableTrustedAccess { .. } => operations::disable(ground, &before, care, &endangered).await,
            Action::RegisterAdministrator { account, .. } => operations::register(ground, &before, *account).await,
            Action::DeregisterAdministrator { account, .. } => {
                operations::deregister(ground, &before, *account, care, &endangered, Dates::Same).await
            }
            _ => return Ok(()),
        };
        self.journal = journal;
        match outcome {
            Ok(done) => {
                self.remember(&done.facts);
                Ok(())
            }
            Err(Setback::Unchanged(error) | Setback::Moved(error, _) | Setback::Unknown(error)) => Err(error),
        }
    }

    async fn take_role_step(&mut self, step: &Step, patience: Patience<'_>) -> Result<(), Error> {
        let iam = self.roster.management;
        let found = role::look_up(iam, patience, self.journal.own()).await;
        self.now.role = Some(Part::Known(found.map_err(|error| error.called_in(self.known))?));
        if step.action.holds_in(&self.now)? {
            return Ok(());
        }
        // What this run has seen go is not asked for again: AWS allows one such read a second.
        let distrusted = of_service(self.journal.changes(), &PRINCIPAL)
            .any(|kind| matches!(kind, ChangeKind::TrustedAccessDisabled { .. }));
        if matches!(step.action, Action::DeleteRole) && !distrusted {
            self.read_half(Half::Trust, &PRINCIPAL, patience).await?;
        }
        step.check(&self.now)?;
        let (end, change) = if matches!(step.action, Action::CreateRole) {
            let (end, change) = role::ensure(iam, patience, self.journal.own()).await;
            (end.map(drop), change)
        } else {
            let ssm: Vec<&dyn SystemsManagerClient> =
                self.roster.accounts.values().map(|client| *client as &dyn SystemsManagerClient).collect();
            let (care, endangered) = care(step, &ssm);
            care.guard(Operation::DeleteServiceLinkedRole, &endangered, self.journal.own()).await?;
            let check = |role: &Role| step.check_role(role);
            let (end, change) = role::delete_from(iam, patience, self.journal.own(), check).await;
            (end.map(drop), change)
        };
        if let Some(change) = change {
            self.journal.record(change);
        }
        if end.is_ok() {
            step.action.happen_in(&mut self.now);
        }
        end.map_err(|error| error.called_in(self.known))
    }

    /// Steps on data syncs of different accounts and Regions, at the same time. One that fails does not stop the others.
    async fn take_sync_steps(&mut self, first: usize, count: usize, listener: &Listener<'_>) -> Result<(), Error> {
        let changes = self.journal.changes().to_vec();
        let administrators = self.now.facts(&PRINCIPAL).map(|facts| facts.accounts());
        let administrators = administrators.unwrap_or_default();
        let (roster, organization, patience) = (self.roster, &self.known.organization, self.clients.patience);
        let mut under_way = FuturesUnordered::new();
        for (index, step) in self.plan.steps.iter().enumerate().skip(first).take(count) {
            listener.tell(Event::Started { index, step });
            let (changes, administrators) = (&changes, &administrators);
            under_way.push(async move {
                let notice = || listener.tell(Event::Waiting { index, step });
                let patience = Patience::telling(patience, &notice);
                let outcome = take_sync_step(step, roster, organization, patience, Own::of(changes), administrators)
                    .instrument(span_of(step))
                    .await;
                (index, step, outcome)
            });
        }
        let mut ends = Vec::new();
        while let Some((index, step, Outcome { result, change })) = under_way.next().await {
            if let Some(change) = &change {
                self.journal.record(change.clone());
            }
            if result.is_ok() {
                step.action.happen_in(&mut self.now);
            }
            ends.push(self.conclude(index, step, (result, change), listener));
        }
        Error::all(ends).map(drop)
    }
}

fn span_of(step: &Step) -> tracing::Span {
    // The name of a data sync may be anything.
    let action = step.action.to_string();
    let region = step.action.sync().map(|sync| &sync.region);
    span!("apply_step", action: Some(redact(&action)), account: Some(step.account), region: region)
}

/// How many of the first steps can be taken at the same time. What is deleted makes room for what is made, and AWS takes one update at a time of an
/// account in a Region.
fn at_the_same_time<'s>(steps: impl Iterator<Item = &'s Step>) -> usize {
    let mut places = BTreeSet::new();
    let mut deletes = None;
    let alike = steps.take(AT_ONCE).take_while(|step| {
        let is_deletion = matches!(step.action, Action::DeleteSync { .. });
        let place = step.action.sync().map(|at| (at.account, &at.region));
        place.is_some_and(|place| places.insert(place)) && *deletes.get_or_insert(is_deletion) == is_deletion
    });
    alike.count()
}

/// What becomes of the syncs that a step endangers: those that the plan names are on record, and a new one stops it.
fn care<'c>(step: &'c Step, ssm: &'c [&'c dyn SystemsManagerClient]) -> (Care<'c>, Endangered) {
    let Some(AtRisk { others, accounts, regions, known }) = &step.at_risk else {
        return (Care::Of(Syncs::Forfeit), Endangered::of(Vec::new()));
    };
    let care = if regions.is_empty() && known.is_empty() {
        // Nobody looks: to have seen none would say otherwise.
        Care::Of(Syncs::Forfeit)
    } else {
        Care::Recorded { record: known, ssm, regions, forfeit: *others == OtherSyncs::Forfeit }
    };
    let must_see: Vec<AccountId> = accounts.first().copied().into_iter().collect();
    let others = !matches!(step.action, Action::DeregisterAdministrator { .. });
    // Syncs of a single account keep the role too, those of its own account.
    let single_of = must_see.first().copied().filter(|_| step.action == Action::DeleteRole);
    (care, Endangered { known: must_see, others, single_of })
}

async fn take_sync_step(
    step: &Step,
    roster: &Roster<'_>,
    organization: &Organization,
    patience: Patience<'_>,
    own: Own<'_>,
    administrators: &[AccountId],
) -> Outcome<()> {
    let Some(at) = step.action.sync() else { return Outcome { result: Ok(()), change: None } };
    let ssm = match roster.of(at.account) {
        Ok(ssm) => ssm,
        Err(error) => return Outcome { result: Err(error.at(step.action.operation())), change: None },
    };
    let place = Place { ssm, organization, account: at.account, region: &at.region, patience, own };
    match &step.action {
        Action::CreateSync { definition, .. } | Action::UpdateSync { definition, .. } => {
            let administrator = administrators.contains(&at.account);
            let check = |found: Option<&DataSync>| step.check_sync(found);
            let outcome = place.ensure_from(definition, administrator, true, check).await;
            Outcome { result: outcome.result.map(drop), change: outcome.change }
        }
        _ => {
            let outcome = place.delete_from(&at.name, |found| step.check_sync(found)).await;
            Outcome { result: outcome.result.map(drop), change: outcome.change }
        }
    }
}
