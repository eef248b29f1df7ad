//! Runs the steps of a plan as a graph.
//!
//! A step starts when the steps that it depends on are done. Writes to Organizations, to the role
//! and to the data syncs of an account in a Region each have a lane, in which one step runs at a
//! time: AWS rejects concurrent writes there. Steps of different lanes run concurrently.
//!
//! A read guards every write for which it is current: the freshness limit applies and, for a
//! deletion, the read is later than the writes that the deletion depends on and than the previous
//! write of its lane. A read that confirms a write counts as later than the writes that were
//! answered meanwhile. When AWS accepts a write, the reads that guard the following deletions are
//! made concurrently with the reads that confirm the write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::{join, join_all};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::oneshot;
use tracing::Instrument;

use super::event::{Event, EventSink, Progress};
use super::receipt::Receipt;
use super::step::{Action, AffectedSyncs, Step};
use super::{Plan, UnlistedSyncs};
use crate::domain::limits::MAX_CONCURRENCY;
use crate::domain::{
    AccountId, CallContext, Certainty, Change, DataSync, DataSyncId, Operation, Region, Role, SYSTEMS_MANAGER,
    ServicePrincipal, ServiceStatus,
};
use crate::error::{Error, ErrorKind, WriteStatus};
use crate::observation::{Clients, ClientsByAccount, Reading, Snapshot};
use crate::operations::data_sync::{RegionSyncs, WriteResult};
use crate::operations::sync_guard::{AffectedAccounts, GuardPolicy, SyncGuard, SyncReads, is_current};
use crate::operations::{
    self, ChangeLog, Completed, Currency, IdentityCheck, KnownRead, OperationContext, OperationFailure, RefusalReads,
    StatusField, service_linked_role,
};
use crate::ports::{Client, SystemsManagerClient};
use crate::trace::Moment;
use crate::trace::span;
use crate::wait::WaitPolicy;

/// Run of a plan.
pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) clients_by_account: &'a ClientsByAccount<'a>,
    pub(super) call: &'a CallContext,
    pub(super) clients: &'a Clients<'a>,
    sink: &'a EventSink<'a>,
    sync_reads: SyncReads<'a>,
    state: Mutex<RunState>,
}

struct RunState {
    /// Current state according to the last reads and the run's own steps.
    now: Snapshot,
    /// Times of the reads behind `now`.
    read_at: BTreeMap<Fact, Moment>,
    /// Confirmed and unconfirmed changes of the finished steps.
    change_log: ChangeLog,
    receipt: Receipt,
    progress: Progress,
    steps: Vec<StepState>,
    /// Time of the last write of each lane.
    lanes: BTreeMap<Lane, Moment>,
}

#[derive(Clone, Copy, Default)]
struct StepState {
    phase: Phase,
    /// Time at which AWS answered the write.
    written_at: Option<Moment>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Waiting,
    Running,
    Done,
    Failed,
}

/// Part of the state that one read shows. Data syncs have a store of their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Fact {
    TrustedAccess(ServicePrincipal),
    Administrators(ServicePrincipal),
    Role,
}

/// Resources whose writes run one at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    /// AWS allows about one write a second and rejects concurrent ones.
    Organizations,
    Role,
    /// AWS accepts one update at a time, and a listing shows all syncs of an account in a Region.
    Syncs(AccountId, Region),
}

impl Lane {
    fn of(action: &Action) -> Self {
        match action.sync() {
            Some(sync) => Self::Syncs(sync.account, sync.region.clone()),
            None if action.principal().is_some() => Self::Organizations,
            None => Self::Role,
        }
    }
}

impl Fact {
    /// Returns the facts that guard a step on a service or on the role.
    fn guarding(action: &Action) -> Vec<Self> {
        match action {
            Action::EnableTrustedAccess { principal } => vec![Self::TrustedAccess(principal.clone())],
            Action::DisableTrustedAccess { principal } => {
                vec![Self::TrustedAccess(principal.clone()), Self::Administrators(principal.clone())]
            }
            Action::RegisterAdministrator { principal, .. } | Action::DeregisterAdministrator { principal, .. } => {
                vec![Self::Administrators(principal.clone())]
            }
            Action::CreateRole => vec![Self::Role],
            Action::DeleteRole => vec![Self::Role, Self::TrustedAccess(SYSTEMS_MANAGER)],
            Action::CreateSync { .. } | Action::UpdateSync { .. } | Action::DeleteSync { .. } => Vec::new(),
        }
    }

    /// Returns the fact that confirms a step on a service.
    fn confirming(action: &Action) -> Option<Self> {
        match action {
            Action::EnableTrustedAccess { principal } | Action::DisableTrustedAccess { principal } => {
                Some(Self::TrustedAccess(principal.clone()))
            }
            Action::RegisterAdministrator { principal, .. } | Action::DeregisterAdministrator { principal, .. } => {
                Some(Self::Administrators(principal.clone()))
            }
            _ => None,
        }
    }
}

/// Read that is made in advance for a later step.
enum ReadAhead<'a> {
    Fact(Fact),
    Syncs { regions: &'a [Region], affected: AffectedAccounts, awaited: BTreeSet<(AccountId, &'a Region)> },
}

impl<'a> Run<'a> {
    /// Creates the run. `now` is the state and the time at which the state was read.
    pub(super) fn new(
        plan: &'a Plan,
        clients_by_account: &'a ClientsByAccount<'a>,
        call: &'a CallContext,
        clients: &'a Clients<'a>,
        sink: &'a EventSink<'a>,
        (now, read_at): (Snapshot, Option<Moment>),
    ) -> Self {
        let accounts = clients_by_account.accounts.iter();
        let sync_reads = SyncReads::with_accounts(
            accounts.map(|(account, client)| (*account, *client as &dyn SystemsManagerClient)),
        );
        let mut facts = BTreeMap::new();
        if let Some(read_at) = read_at {
            let services = now.services.iter().map(|service| &service.principal);
            let services = services.flat_map(|of| [Fact::TrustedAccess(of.clone()), Fact::Administrators(of.clone())]);
            facts.extend(services.chain([Fact::Role]).map(|fact| (fact, read_at)));
            for listing in &now.syncs {
                match &listing.syncs {
                    Reading::Known(syncs) => {
                        sync_reads.store(listing.account, &listing.region, syncs.clone(), read_at);
                    }
                    Reading::Unknown(_) => sync_reads.store_failure(listing.account, &listing.region),
                }
            }
        }
        let state = RunState {
            receipt: Receipt::new(&now.organization),
            change_log: ChangeLog::with_recorder(clients.recorder.clone()),
            now,
            read_at: facts,
            progress: Progress::default(),
            steps: vec![StepState::default(); plan.steps.len()],
            lanes: BTreeMap::new(),
        };
        Self { plan, clients_by_account, call, clients, sink, sync_reads, state: Mutex::new(state) }
    }

    /// Returns the receipt, the progress and the state after the run.
    pub(super) fn into_results(self) -> (Receipt, Progress, Snapshot) {
        let RunState { receipt, mut progress, now, .. } =
            self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        progress.done.sort_unstable();
        progress.unconfirmed.sort_unstable();
        (receipt, progress, now)
    }

    fn state(&self) -> MutexGuard<'_, RunState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Snapshot {
        self.state().now.clone()
    }

    pub(super) fn context<'g>(
        &'g self,
        change_log: &'g mut ChangeLog,
        wait_policy: WaitPolicy<'g>,
    ) -> OperationContext<'g, dyn Client + 'g> {
        OperationContext::new(self.clients_by_account.management, self.call, wait_policy, change_log)
    }

    /// Checks the plan, then runs the steps. Returns the errors of the failed steps in the order of
    /// the plan; an error without a step prevented the run.
    pub(super) async fn execute(&self) -> Vec<(Option<usize>, Error)> {
        if let Err(error) = self.check().await {
            return vec![(None, error)];
        }
        let mut running = FuturesUnordered::new();
        let mut busy = BTreeSet::new();
        let mut failed = Vec::new();
        let mut is_over = false;
        loop {
            for (index, step) in self.plan.steps.iter().enumerate() {
                if !is_over
                    && running.len() < MAX_CONCURRENCY
                    && self.state().is_ready(index, step)
                    && busy.insert(Lane::of(&step.action))
                {
                    self.state().set_phase(index, Phase::Running);
                    self.sink.emit(Event::Started { index, step });
                    running.push(self.run_step(index, step));
                }
            }
            let Some((index, step, result)) = running.next().await else { break };
            busy.remove(&Lane::of(&step.action));
            if let Err(error) = result {
                is_over |= ends_run(&error);
                failed.push((Some(index), error));
            }
        }
        failed.sort_by_key(|(index, _)| *index);
        failed
    }

    async fn run_step<'s>(&self, index: usize, step: &'s Step) -> (usize, &'s Step, Result<(), Error>) {
        let notice = || self.sink.emit(Event::Waiting { index, step });
        let wait_policy = self.clients.wait_policy.with_notifier(&notice);
        let (recorder, accepted) = self.clients.recorder.with_receiver();
        let mut change_log = self.state().change_log.branch(recorder);
        let before = change_log.changes().len();
        let action = async move {
            let result = match &step.action {
                Action::CreateRole | Action::DeleteRole => self.run_role_step(step, &mut change_log, wait_policy).await,
                action => match action.principal() {
                    Some(principal) => self.run_service_step(step, principal, &mut change_log, wait_policy).await,
                    None => self.run_sync_step(step, &mut change_log, wait_policy).await,
                },
            };
            // A step makes at most one change.
            (result, change_log.changes().get(before).cloned())
        };
        let ((result, change), ()) =
            join(action.instrument(span_of(step)), self.read_ahead(index, step, accepted)).await;
        (index, step, self.finish_step(index, step, result, change))
    }

    fn finish_step(
        &self,
        index: usize,
        step: &Step,
        result: Result<(), Error>,
        change: Option<Change>,
    ) -> Result<(), Error> {
        let accepted = change.as_ref().map(|change| change.certainty == Certainty::Confirmed);
        let state = &mut *self.state();
        if let Some(change) = change {
            state.note_write(index, step);
            state.change_log.record(change.clone());
            state.receipt.record(change.clone());
            self.sink.emit(Event::Changed { index, step, change: &change, receipt: &state.receipt });
        } else if result.is_ok() {
            self.sink.emit(Event::Skipped { index, step });
        }
        match accepted {
            // A write that AWS accepted is done, even if no read could show its effect.
            Some(true) => state.progress.done.push(index),
            _ if result.is_ok() => state.progress.done.push(index),
            Some(false) => state.progress.unconfirmed.push(index),
            None => {}
        }
        state.set_phase(index, if result.is_ok() { Phase::Done } else { Phase::Failed });
        result
    }

    /// Waits until AWS accepts the write, then makes the reads that guard the next deletions.
    async fn read_ahead(&self, index: usize, step: &Step, accepted: oneshot::Receiver<Moment>) {
        let Ok(accepted_at) = accepted.await else { return };
        let (reads, change_log) = {
            let mut state = self.state();
            state.note_write_at(index, step, accepted_at);
            (state.reads_after(index, &self.plan.steps), state.change_log.clone())
        };
        let wait_policy = self.clients.wait_policy;
        let (change_log, sync_reads) = (&change_log, &self.sync_reads);
        join_all(reads.into_iter().map(|read| async move {
            match read {
                // The step that the read guards reports the error.
                ReadAhead::Fact(fact) => drop(self.read(&fact, &mut change_log.clone(), wait_policy).await),
                ReadAhead::Syncs { regions, affected, awaited } => {
                    let is_awaited = |account, region: &Region| awaited.contains(&(account, region));
                    sync_reads.read_ahead(regions, &affected, Some(accepted_at), wait_policy, is_awaited).await;
                }
            }
        }))
        .await;
    }

    /// Reads a fact.
    ///
    /// A response that contradicts an observed change of this run is stale, so the read is
    /// repeated.
    async fn read(&self, fact: &Fact, change_log: &mut ChangeLog, wait_policy: WaitPolicy<'_>) -> Result<(), Error> {
        let sent_at = Moment::now();
        let (principal, field) = match fact {
            Fact::Role => {
                let iam = self.clients_by_account.management;
                let found = service_linked_role::get(iam, wait_policy, change_log.local_changes()).await;
                let found = found.map_err(|error| error.with_context(self.call))?;
                self.state().store(fact, sent_at.answered(), |now| now.role = Some(Reading::Known(found)));
                return Ok(());
            }
            Fact::TrustedAccess(principal) => (principal, StatusField::TrustedAccess),
            Fact::Administrators(principal) => (principal, StatusField::Administrators),
        };
        let mut status = {
            let state = self.state();
            let service = state.now.require_service(principal)?;
            ServiceStatus {
                principal: principal.clone(),
                trusted_access: service.trusted_access.known().cloned().flatten(),
                administrators: service.administrators.known().cloned().unwrap_or_default(),
            }
        };
        self.context(change_log, wait_policy).refresh_field(&mut status, field).await?;
        self.state().store_status(fact, sent_at.answered(), &status);
        Ok(())
    }

    /// Reads the facts that are not current.
    async fn read_missing(
        &self,
        facts: &[Fact],
        since: Option<Moment>,
        change_log: &ChangeLog,
        wait_policy: WaitPolicy<'_>,
    ) -> Result<(), Error> {
        let missing: Vec<_> = {
            let state = self.state();
            facts.iter().filter(|fact| !state.is_current(fact, since)).collect()
        };
        let reads = missing.into_iter().map(|fact| async move {
            let mut change_log = change_log.clone();
            self.read(fact, &mut change_log, wait_policy).await
        });
        Error::all(join_all(reads).await).map(drop)
    }

    async fn run_service_step(
        &self,
        step: &Step,
        principal: &ServicePrincipal,
        change_log: &mut ChangeLog,
        wait_policy: WaitPolicy<'_>,
    ) -> Result<(), Error> {
        let since = self.state().guarded_since(step);
        let facts = self.state().facts_for(&step.action, principal);
        self.read_missing(&facts, since, change_log, wait_policy).await?;
        let before = {
            let now = &self.state().now;
            if step.action.is_satisfied_in(now)? {
                return self.check_only_administrator(&step.action, now);
            }
            step.check(now)?;
            now.service_status(principal)?
        };
        let before = match step.action {
            Action::RegisterAdministrator { account, .. } => {
                self.require_trusted_access(before, account, change_log, wait_policy).await?
            }
            _ => before,
        };
        let (guard, affected) = self.guard_for(step);
        let currency = Currency::Current(since);
        let context = &mut self.context(change_log, wait_policy);
        let outcome = match &step.action {
            Action::EnableTrustedAccess { .. } => operations::enable(context, &before).await,
            Action::DisableTrustedAccess { .. } => {
                operations::disable(context, &before, guard, &affected, currency).await
            }
            Action::RegisterAdministrator { account, .. } => operations::register(context, &before, *account).await,
            Action::DeregisterAdministrator { account, .. } => {
                let identity = IdentityCheck::Unchanged;
                operations::deregister(context, &before, *account, guard, &affected, identity, currency).await
            }
            _ => return Ok(()),
        };
        match outcome {
            Ok(Completed { status, ours }) => {
                let state = &mut *self.state();
                let facts = if ours.is_some() {
                    Vec::from_iter(Fact::confirming(&step.action))
                } else {
                    // Another caller was faster: the whole status was read after the refusal.
                    vec![Fact::TrustedAccess(principal.clone()), Fact::Administrators(principal.clone())]
                };
                for fact in &facts {
                    state.store_status(fact, Moment::now(), &status);
                }
                let applied = match ours {
                    Some(Certainty::Confirmed) => WriteStatus::Applied,
                    Some(Certainty::Unconfirmed) => WriteStatus::Unknown,
                    None => WriteStatus::NotApplied,
                };
                let checked = self.check_only_administrator(&step.action, &state.now);
                checked.map_err(|error| error.with_write_status(applied))
            }
            Err(
                OperationFailure::Unchanged(error)
                | OperationFailure::Changed(error, _)
                | OperationFailure::Unknown(error),
            ) => Err(error),
        }
    }

    /// Checks the trusted access that an administrator needs, because an earlier step may have
    /// observed it disabled.
    async fn require_trusted_access(
        &self,
        before: ServiceStatus,
        account: AccountId,
        change_log: &mut ChangeLog,
        wait_policy: WaitPolicy<'_>,
    ) -> Result<ServiceStatus, Error> {
        if before.trusted_access.is_some() {
            return Ok(before);
        }
        self.read(&Fact::TrustedAccess(before.principal.clone()), change_log, wait_policy).await?;
        let now = self.state().now.service_status(&before.principal)?;
        if now.trusted_access.is_some() {
            return Ok(now);
        }
        let error = Error::new(ErrorKind::TrustedAccessDisabled)
            .with_operation(Operation::RegisterDelegatedAdministrator)
            .with_account(account);
        Err(error.with_service(&now.principal).with_context(self.call).with_status(&now))
    }

    async fn run_role_step(
        &self,
        step: &Step,
        change_log: &mut ChangeLog,
        wait_policy: WaitPolicy<'_>,
    ) -> Result<(), Error> {
        let iam = self.clients_by_account.management;
        let since = self.state().guarded_since(step);
        self.read_missing(&Fact::guarding(&step.action), since, change_log, wait_policy).await?;
        let known = {
            let now = &self.state().now;
            if step.action.is_satisfied_in(now)? {
                return Ok(());
            }
            step.check(now)?;
            KnownRead::new(Some(now.require_role()?.cloned()))
        };
        let local_changes = change_log.local_changes();
        let (result, change) = if step.action == Action::CreateRole {
            let (result, change) = service_linked_role::ensure(iam, wait_policy, local_changes, known).await;
            (result.map(drop), change)
        } else {
            let (guard, affected) = self.guard_for(step);
            guard.guard(Operation::DeleteServiceLinkedRole, &affected, local_changes, wait_policy, since).await?;
            let check = |role: &Role| step.check_role(role);
            let (result, change) = service_linked_role::delete_if(iam, wait_policy, local_changes, known, check).await;
            (result.map(drop), change)
        };
        if let Some(change) = change {
            change_log.record(change);
        }
        if result.is_ok() {
            step.action.apply_to_model(&mut self.state().now);
        }
        result.map_err(|error| error.with_context(self.call))
    }

    async fn run_sync_step(
        &self,
        step: &Step,
        change_log: &mut ChangeLog,
        wait_policy: WaitPolicy<'_>,
    ) -> Result<(), Error> {
        let Some(DataSyncId { account, region, name, .. }) = step.action.sync() else { return Ok(()) };
        let ssm = self.clients_by_account.client_of(*account);
        let ssm = ssm.map_err(|error| error.with_operation(step.action.operation()))?;
        let management = self.clients_by_account.management;
        let (since, administrators) = {
            let state = self.state();
            let status = state.now.service_status(&SYSTEMS_MANAGER);
            (state.guarded_since(step), status.map(|status| status.accounts()).unwrap_or_default())
        };
        let region_syncs = RegionSyncs {
            ssm,
            organization: &self.call.organization,
            account: *account,
            region,
            wait_policy,
            local_changes: change_log.local_changes(),
            known: KnownRead::new(self.sync_reads.current(*account, region, since)),
            refusal_reads: RefusalReads { iam: Some(&management), organizations: Some(&management) },
        };
        let check = |found: Option<&DataSync>| step.check_sync(found);
        let WriteResult { result, change, listing } = match &step.action {
            Action::CreateSync { definition, .. } | Action::UpdateSync { definition, .. } => {
                let administrator = administrators.contains(account);
                region_syncs.ensure_if(definition, administrator, true, check).await.without_value()
            }
            _ => region_syncs.delete_if(name, check).await.without_value(),
        };
        if let Some(change) = change {
            change_log.record(change);
        }
        let state = &mut *self.state();
        if let Some(syncs) = listing {
            // The listing guards the next step if it was answered after the writes of other steps.
            self.sync_reads.store(*account, region, syncs, Moment::now());
        }
        if result.is_ok() {
            step.action.apply_to_model(&mut state.now);
        }
        result
    }

    /// Returns the guard for the syncs that a step affects. Syncs that the plan lists are recorded;
    /// an unlisted one stops the step.
    fn guard_for<'g>(&'g self, step: &'g Step) -> (SyncGuard<'g>, AffectedAccounts) {
        let reads = &self.sync_reads;
        let Some(AffectedSyncs { unlisted, regions, listed, .. }) = &step.affected_syncs else {
            let affected = AffectedAccounts::organization_syncs_of(Vec::new());
            return (SyncGuard { policy: GuardPolicy::AllowLoss, regions: &[], reads }, affected);
        };
        let policy = if regions.is_empty() && listed.is_empty() {
            // No listing is made, and a recorded guard would report that no sync was found.
            GuardPolicy::AllowLoss
        } else {
            GuardPolicy::Recorded { record: listed, allow_loss: *unlisted == UnlistedSyncs::AllowLoss }
        };
        (SyncGuard { policy, regions, reads }, affected_accounts(step))
    }
}

impl RunState {
    fn set_phase(&mut self, index: usize, phase: Phase) {
        if let Some(step) = self.steps.get_mut(index) {
            step.phase = phase;
        }
    }

    fn phase(&self, index: usize) -> Phase {
        self.steps.get(index).map_or(Phase::Waiting, |step| step.phase)
    }

    fn written_at(&self, index: usize) -> Option<Moment> {
        self.steps.get(index)?.written_at
    }

    fn is_ready(&self, index: usize, step: &Step) -> bool {
        self.phase(index) == Phase::Waiting && step.depends_on.iter().all(|before| self.phase(*before) == Phase::Done)
    }

    /// Records a write that AWS did not accept before the end of the step.
    fn note_write(&mut self, index: usize, step: &Step) {
        if self.written_at(index).is_none() {
            self.note_write_at(index, step, Moment::now());
        }
    }

    fn note_write_at(&mut self, index: usize, step: &Step, written_at: Moment) {
        if let Some(step) = self.steps.get_mut(index) {
            step.written_at = Some(written_at);
        }
        self.lanes.insert(Lane::of(&step.action), written_at);
    }

    /// Returns the time of the last write before a step; the reads that guard the step are later.
    ///
    /// A creation may follow other writes of Organizations or to the role: AWS checks its
    /// requirements.
    fn guarded_since(&self, step: &Step) -> Option<Moment> {
        let lane = Lane::of(&step.action);
        let in_lane = self.lanes.get(&lane).copied();
        if step.action.is_deletion() {
            let needed = step.depends_on.iter().filter_map(|before| self.written_at(*before));
            return needed.chain(in_lane).reduce(Moment::max);
        }
        in_lane.filter(|_| matches!(lane, Lane::Syncs(..)))
    }

    /// Returns whether a fact is known and its read guards a write after that time.
    fn is_current(&self, fact: &Fact, since: Option<Moment>) -> bool {
        let is_known = match fact {
            Fact::TrustedAccess(of) => self.now.service(of).is_some_and(|now| now.trusted_access.known().is_some()),
            Fact::Administrators(of) => self.now.service(of).is_some_and(|now| now.administrators.known().is_some()),
            Fact::Role => self.now.require_role().is_ok(),
        };
        is_known && self.read_at.get(fact).is_some_and(|read_at| is_current(*read_at, since))
    }

    /// Returns the facts that guard a step on a service, and its other fact if that is unknown.
    fn facts_for(&self, action: &Action, principal: &ServicePrincipal) -> Vec<Fact> {
        let mut facts = Fact::guarding(action);
        if self.now.service_status(principal).is_err() {
            facts.extend([Fact::TrustedAccess(principal.clone()), Fact::Administrators(principal.clone())]);
            facts.sort();
            facts.dedup();
        }
        facts
    }

    /// Stores the result of a read, unless a later read is known.
    fn store(&mut self, fact: &Fact, read_at: Moment, change: impl FnOnce(&mut Snapshot)) {
        if self.read_at.get(fact).is_none_or(|known| read_at.is_after(*known)) {
            self.read_at.insert(fact.clone(), read_at);
            change(&mut self.now);
        }
    }

    fn store_status(&mut self, fact: &Fact, read_at: Moment, status: &ServiceStatus) {
        self.store(fact, read_at, |now| {
            for service in now.services.iter_mut().filter(|service| service.principal == status.principal) {
                if matches!(fact, Fact::TrustedAccess(_)) {
                    service.trusted_access = Reading::Known(status.trusted_access.clone());
                } else {
                    service.administrators = Reading::Known(status.administrators.clone());
                }
            }
        });
    }

    /// Returns the reads that guard the deletions which follow a step, if AWS has answered every
    /// write that they depend on. Reads that confirm these writes are omitted.
    fn reads_after<'p>(&self, index: usize, steps: &'p [Step]) -> Vec<ReadAhead<'p>> {
        let is_unfinished = |before: &usize| self.phase(*before) != Phase::Done;
        let is_answered = |before: &usize| !is_unfinished(before) || self.written_at(*before).is_some();
        let mut reads = Vec::new();
        let next = steps.iter().filter(|next| {
            next.action.is_deletion() && next.depends_on.contains(&index) && next.depends_on.iter().all(is_answered)
        });
        for next in next {
            let since = self.guarded_since(next);
            let unfinished = next.depends_on.iter().filter(|before| is_unfinished(before));
            let unfinished: Vec<&Action> = unfinished.filter_map(|before| Some(&steps.get(*before)?.action)).collect();
            let facts = Fact::guarding(&next.action).into_iter().filter(|fact| {
                let is_awaited = unfinished.iter().any(|action| Fact::confirming(action).as_ref() == Some(fact));
                !is_awaited && !self.is_current(fact, since)
            });
            reads.extend(facts.map(ReadAhead::Fact));
            let awaited = unfinished.iter().filter_map(|action| action.sync()).map(|at| (at.account, &at.region));
            let awaited = awaited.collect();
            if let Some(AffectedSyncs { regions, unlisted, .. }) = &next.affected_syncs {
                // With allowed loss, no place is listed twice.
                if *unlisted != UnlistedSyncs::AllowLoss {
                    reads.push(ReadAhead::Syncs { regions, affected: affected_accounts(next), awaited });
                }
            } else if let Some(at) = next.action.sync() {
                let affected = AffectedAccounts::organization_syncs_of(vec![at.account]);
                let regions = std::slice::from_ref(&at.region);
                reads.push(ReadAhead::Syncs { regions, affected, awaited });
            }
        }
        reads
    }
}

/// Returns the accounts whose syncs a step affects.
fn affected_accounts(step: &Step) -> AffectedAccounts {
    let accounts = step.affected_syncs.iter().flat_map(|affected| &affected.accounts);
    let required: Vec<AccountId> = accounts.copied().take(1).collect();
    // Single-account syncs in the role's own account also prevent its deletion.
    let include_single_account = required.first().copied().filter(|_| step.action == Action::DeleteRole);
    let include_others = !matches!(step.action, Action::DeregisterAdministrator { .. });
    AffectedAccounts { required, include_others, include_single_account }
}

/// Returns whether no other step can succeed after the error.
fn ends_run(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotSent | ErrorKind::DeadlineExceeded)
}

fn span_of(step: &Step) -> tracing::Span {
    // A data sync can have any name.
    let action = step.action.to_string();
    let region = step.action.sync().map(|sync| &sync.region);
    span!("apply_step", action: Some(action), account: Some(step.account), region: region)
}
