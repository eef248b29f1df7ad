use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, FuturesUnordered, StreamExt};
use tracing::Instrument;

use super::event::{Applied, ApplyError, Event, EventSink, Progress};
use super::receipt::Receipt;
use super::step::{Action, AffectedSyncs, Step};
use super::{Plan, UnlistedSyncs, check_organization};
use crate::domain::limits::MAX_CONCURRENCY;
use crate::domain::{
    AccountId, CallContext, Certainty, Change, ChangeKind, DataSync, Operation, Organization, Region, Role,
    SYSTEMS_MANAGER, ServicePrincipal, ServiceStatus, SyncDefinition, allows_one_administrator, changes_of_service,
};
use crate::error::{Error, ErrorKind, RetryStatus, WriteStatus};
use crate::observation::{Clients, ClientsByAccount, Reading, Snapshot, SnapshotScope};
use crate::operations::data_sync::{RegionSyncs, WriteResult, check_not_service_managed};
use crate::operations::sync_guard::{AffectedAccounts, SyncGuard, SyncProtection};
use crate::operations::{
    self, ChangeLog, IdentityCheck, LocalChanges, OperationContext, OperationFailure, StatusField, service_linked_role,
};
use crate::ports::{Client, SystemsManagerClient};
use crate::trace::span;
use crate::wait::WaitPolicy;

impl Plan {
    /// Applies the steps in order; data syncs in several Regions are written concurrently.
    ///
    /// Before the first write, the whole plan is compared with the current state. A plan for
    /// another organization, or with a failed precondition, writes nothing. Before each step, its
    /// preconditions are read again. A step whose effect is already in place is skipped, so an
    /// interrupted plan can be applied again to resume. The first failure ends the run.
    ///
    /// # Expected flow
    ///
    /// The reads of [`Snapshot::take`], unless the plan was made within the last seconds.
    /// `ListResourceDataSync` of Inventory's type if syncs are created after others are deleted.
    /// Then, for each step, the reads of its preconditions, the write, and reads until the effect
    /// is visible. A plan without steps reads and writes nothing.
    ///
    /// # Errors
    ///
    /// Before a write: [`OrganizationMismatch`](ErrorKind::OrganizationMismatch),
    /// [`PreconditionFailed`](ErrorKind::PreconditionFailed),
    /// [`MissingClient`](ErrorKind::MissingClient),
    /// [`DataSyncsNotChecked`](ErrorKind::DataSyncsNotChecked),
    /// [`DataSyncsExist`](ErrorKind::DataSyncsExist), and the errors of the reads.
    /// [`TrustedAccessDisabled`](ErrorKind::TrustedAccessDisabled) for a write that AWS accepts
    /// only with trusted access. The errors of an account that cannot be registered.
    /// [`SyncNameTaken`](ErrorKind::SyncNameTaken) and
    /// [`SyncQuotaExceeded`](ErrorKind::SyncQuotaExceeded) for a sync that could not be created
    /// after others are deleted for it.
    ///
    /// After that: the errors of the failed step, which are those of the typed handles' methods.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a dropped future leaves unknown whether the current step was applied.
    /// Applying the plan again finishes the step. The record that this run may have made the change
    /// is in the recorder of the clients only ([`Clients::with_recorder`]).
    ///
    /// # IAM permissions
    ///
    /// [`Plan::permissions`]. AWS: [Systems Manager and
    /// Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html).
    pub async fn apply(
        &self,
        clients: &Clients<'_>,
        mut on_event: impl FnMut(Event<'_>) + Send,
    ) -> Result<Applied, ApplyError> {
        let scope = self.snapshot_scope();
        let (by_account, now) = self.start(clients, &scope).await.map_err(|error| self.not_started(error))?;
        let known = CallContext { organization: now.organization.clone(), caller: by_account.caller() };
        let mut run = Run {
            plan: self,
            clients_by_account: &by_account,
            call: &known,
            clients,
            receipt: Receipt::new(&now.organization),
            change_log: ChangeLog::with_recorder(clients.recorder.clone()),
            now,
            progress: Progress::default(),
        };
        let span = span!("apply_plan" in &known);
        let outcome = run.execute(&EventSink::new(&mut on_event, &clients.recorder)).instrument(span).await;
        match outcome {
            Ok(()) => {
                on_event(Event::Finished { now: &run.now });
                let Run { receipt, now, .. } = run;
                Ok(Applied { receipt, now })
            }
            Err(error) => {
                let Run { mut receipt, mut progress, .. } = run;
                let now = Snapshot::take(clients, &scope).await.ok();
                if let Some(now) = &now {
                    receipt.complete(now);
                }
                let tried = [progress.done.as_slice(), &progress.unconfirmed].concat();
                progress.remaining = (0..self.steps.len()).filter(|index| !tried.contains(index)).collect();
                Err(ApplyError::new(error, receipt, progress, now))
            }
        }
    }

    /// Returns the clients by account, and the plan's snapshot or, if that is too old, a new one.
    async fn start<'c>(
        &self,
        clients: &'c Clients<'c>,
        scope: &SnapshotScope,
    ) -> Result<(ClientsByAccount<'c>, Snapshot), Error> {
        if self.snapshot.is_fresh() {
            let by_account = clients.by_account().await?;
            // The client of another account may belong to another organization.
            if by_account.caller().is_some_and(|caller| self.snapshot.caller == Some(caller)) {
                return Ok((by_account, self.snapshot.clone()));
            }
        }
        Snapshot::take_with(clients, scope).await
    }

    fn not_started(&self, error: Error) -> ApplyError {
        let receipt = Receipt::new(&self.snapshot.organization);
        let remaining = (0..self.steps.len()).collect();
        ApplyError::new(error, receipt, Progress { remaining, ..Progress::default() }, None)
    }

    /// Returns the scope of the snapshot that the steps need.
    pub(super) fn snapshot_scope(&self) -> SnapshotScope {
        let mut scope = SnapshotScope::new();
        for step in &self.steps {
            scope.principals.extend(step.action.principal().cloned());
            if let Action::RegisterAdministrator { account, .. } = step.action {
                scope.accounts.insert(account);
            }
            scope.role |= matches!(step.action, Action::CreateRole | Action::DeleteRole);
            scope.regions.extend(step.action.sync().map(|sync| sync.region.clone()));
            scope
                .regions
                .extend(step.affected_syncs.iter().flat_map(|affected_syncs| affected_syncs.regions.iter().cloned()));
        }
        scope
    }
}

/// Run of a plan.
struct Run<'a> {
    plan: &'a Plan,
    clients_by_account: &'a ClientsByAccount<'a>,
    call: &'a CallContext,
    clients: &'a Clients<'a>,
    receipt: Receipt,
    change_log: ChangeLog,
    /// Current state according to the last reads and the run's own steps.
    now: Snapshot,
    progress: Progress,
}

impl Run<'_> {
    async fn execute(&mut self, listener: &EventSink<'_>) -> Result<(), Error> {
        self.check().await?;
        self.run_steps(listener).await
    }

    /// Checks, before the first write, that the plan can be applied.
    async fn check(&self) -> Result<(), Error> {
        let expected = &self.plan.snapshot.organization;
        let found = &self.now.organization;
        check_organization((&expected.id, expected.management_account), found)
            .map_err(|error| error.with_caller(self.call.caller))?;
        let mut model = self.now.clone();
        let mut change_log = ChangeLog::default();
        let wait_policy = self.clients.wait_policy;
        let mut candidates = BTreeSet::new();
        let mut taken_away = false;
        let mut replacements: BTreeMap<(AccountId, &Region), Vec<&SyncDefinition>> = BTreeMap::new();
        for step in &self.plan.steps {
            // A plan read from a file may contain steps that no target produces.
            if let Some(at) = step.action.sync() {
                check_not_service_managed(&at.name, step.action.operation())?;
            }
            if step.action.is_satisfied_in(&model)? {
                self.check_only_administrator(&step.action, &model)?;
                continue;
            }
            if step.account == found.management_account {
                self.context(&mut change_log, wait_policy).check_caller(step.action.operation())?;
            } else {
                self.clients_by_account
                    .client_of(step.account)
                    .map_err(|error| error.with_operation(step.action.operation()))?;
            }
            step.check(&model)?;
            self.check_trusted_access(step, &model)?;
            self.check_sync_visibility(step)?;
            if let Action::RegisterAdministrator { account, principal } = &step.action
                && candidates.insert(*account)
                && !self.is_active(*account)
            {
                let candidate =
                    operations::check_candidate(&self.context(&mut change_log, wait_policy), *account).await;
                candidate.map_err(|error| error.with_service(principal))?;
            }
            if let Action::CreateSync { sync, definition } = &step.action
                && taken_away
            {
                replacements.entry((sync.account, &sync.region)).or_default().push(definition);
            }
            taken_away |= step.action.is_destructive();
            step.action.apply_to_model(&mut model);
        }
        self.check_quotas(&replacements, &model).await
    }

    /// Returns whether the first reads show that the account can be registered.
    fn is_active(&self, account: AccountId) -> bool {
        let found = self.now.known_account(account).and_then(Option::as_ref);
        found.is_some_and(|found| operations::inactive(found).is_none())
    }

    /// Checks that trusted access is enabled for a step that requires it.
    fn check_trusted_access(&self, step: &Step, model: &Snapshot) -> Result<(), Error> {
        let Some(principal) = step.action.requires_trusted_access() else { return Ok(()) };
        if model.require_service(principal)?.trusted_access.require()?.is_some() {
            return Ok(());
        }
        let error = Error::new(ErrorKind::TrustedAccessDisabled).with_operation(step.action.operation());
        let error = error.with_context(self.call).with_service(principal);
        let error = model.service_status(principal).iter().fold(error, Error::with_status);
        Err(match (&step.action, step.action.sync()) {
            (Action::RegisterAdministrator { account, .. }, _) => error.with_account(*account),
            (_, Some(at)) => error.with_caller(Some(at.account)).with_region(at.region.clone()),
            (_, None) => error,
        })
    }

    /// Refuses if another account is registered besides the one that the step registers, because
    /// AWS documents one administrator. The plan does not lead to its target then.
    fn check_only_administrator(&self, action: &Action, now: &Snapshot) -> Result<(), Error> {
        let Action::RegisterAdministrator { account, principal } = action else { return Ok(()) };
        if !allows_one_administrator(principal) {
            return Ok(());
        }
        let status = now.service_status(principal)?;
        let ErrorKind::AlreadyDelegated { accounts } = operations::already_delegated(&status, *account) else {
            return Ok(());
        };
        let error = Error::new(ErrorKind::AlreadyDelegated { accounts })
            .with_operation(action.operation())
            .with_account(*account)
            .with_service(principal);
        Err(error.with_context(self.call).with_status(&status))
    }

    /// Checks the quota for new syncs before other syncs are deleted for them. `model` is the state
    /// with the new syncs.
    async fn check_quotas(
        &self,
        wanted: &BTreeMap<(AccountId, &Region), Vec<&SyncDefinition>>,
        model: &Snapshot,
    ) -> Result<(), Error> {
        let mut checks = Vec::new();
        for ((account, region), wanted) in wanted {
            checks.push(self.check_quota_in(*account, region, wanted, model));
        }
        let checks: Vec<_> = stream::iter(checks).buffered(MAX_CONCURRENCY).collect().await;
        Error::all(checks).map(drop)
    }

    async fn check_quota_in(
        &self,
        account: AccountId,
        region: &Region,
        wanted: &[&SyncDefinition],
        model: &Snapshot,
    ) -> Result<(), Error> {
        let ssm = self.clients_by_account.client_of(account)?;
        let (organization, wait_policy) = (&self.call.organization, self.clients.wait_policy);
        let region_syncs = RegionSyncs {
            ssm,
            organization,
            account,
            region,
            wait_policy,
            local_changes: LocalChanges::new(&[], &self.clients.recorder),
        };
        let mut others = model.require_syncs(account, region)?.clone();
        others.retain(|sync| !wanted.iter().any(|wanted| *wanted.name() == sync.name));
        let now = self.now.require_syncs(account, region)?.len();
        region_syncs.check_room_beside(&others, wanted, now).await
    }

    /// Checks that the affected syncs can be listed.
    ///
    /// Fails if protected syncs cannot be listed. If loss is allowed, an unlisted sync is no reason
    /// to stop.
    fn check_sync_visibility(&self, step: &Step) -> Result<(), Error> {
        let Some(AffectedSyncs { unlisted: others, accounts, regions, .. }) = &step.affected_syncs else {
            return Ok(());
        };
        if *others == UnlistedSyncs::AllowLoss {
            return Ok(());
        }
        let unseen =
            accounts.first().copied().filter(|account| !self.clients_by_account.accounts.contains_key(account));
        let Some(account) = unseen else { return Ok(()) };
        let error = Error::new(ErrorKind::DataSyncsNotChecked { account }).with_operation(step.action.operation());
        let passing = match &self.clients_by_account.caller {
            Err(error) if account == self.call.organization.management_account && !regions.is_empty() => {
                error.retry_status()
            }
            _ => RetryStatus::Permanent,
        };
        Err(error.with_retry(passing))
    }

    fn context<'g>(
        &'g self,
        change_log: &'g mut ChangeLog,
        wait_policy: WaitPolicy<'g>,
    ) -> OperationContext<'g, dyn Client + 'g> {
        OperationContext::new(self.clients_by_account.management, self.call, wait_policy, change_log)
    }

    async fn run_steps(&mut self, listener: &EventSink<'_>) -> Result<(), Error> {
        let steps = &self.plan.steps;
        let mut next = 0;
        while let Some(step) = steps.get(next) {
            let syncs = concurrent_steps(steps.iter().skip(next));
            if syncs > 0 {
                self.run_sync_steps(next, syncs, listener).await?;
                next += syncs;
                continue;
            }
            listener.emit(Event::Started { index: next, step });
            let end = self.run_step(next, step, listener).instrument(span_of(step)).await;
            self.finish_step(next, step, end, listener)?;
            next += 1;
        }
        Ok(())
    }

    fn finish_step(
        &mut self,
        index: usize,
        step: &Step,
        (end, change): (Result<(), Error>, Option<Change>),
        listener: &EventSink<'_>,
    ) -> Result<(), Error> {
        let accepted = change.as_ref().map(|change| change.certainty == Certainty::Confirmed);
        if let Some(change) = change {
            self.receipt.record(change.clone());
            listener.emit(Event::Changed { index, step, change: &change, receipt: &self.receipt });
        } else if end.is_ok() {
            listener.emit(Event::Skipped { index, step });
        }
        match accepted {
            // A write that AWS accepted is done, even if no read could show its effect.
            Some(true) => self.progress.done.push(index),
            _ if end.is_ok() => self.progress.done.push(index),
            Some(false) => self.progress.unconfirmed.push(index),
            None => {}
        }
        end
    }

    /// Runs a step on a service or on the role.
    async fn run_step(
        &mut self,
        index: usize,
        step: &Step,
        listener: &EventSink<'_>,
    ) -> (Result<(), Error>, Option<Change>) {
        let notice = || listener.emit(Event::Waiting { index, step });
        let wait_policy = self.clients.wait_policy.with_notifier(&notice);
        let before = self.change_log.changes().len();
        let end = match &step.action {
            Action::CreateRole | Action::DeleteRole => self.run_role_step(step, wait_policy).await,
            action => match action.principal() {
                Some(principal) => self.run_service_step(step, principal, wait_policy).await,
                None => Ok(()),
            },
        };
        // A step makes at most one change.
        (end, self.change_log.changes().get(before).cloned())
    }

    /// Reads one field of a service's status.
    ///
    /// A response that contradicts an observed change of this run is stale, so the read is
    /// repeated.
    async fn read_missing_field(
        &mut self,
        field: StatusField,
        principal: &ServicePrincipal,
        wait_policy: WaitPolicy<'_>,
    ) -> Result<ServiceStatus, Error> {
        let service = self.now.require_service(principal)?;
        let mut status = ServiceStatus {
            principal: principal.clone(),
            trusted_access: service.trusted_access.known().cloned().flatten(),
            administrators: service.administrators.known().cloned().unwrap_or_default(),
        };
        let mut change_log = std::mem::take(&mut self.change_log);
        let read = self.context(&mut change_log, wait_policy).refresh_field(&mut status, field).await;
        self.change_log = change_log;
        read?;
        self.now.services.iter_mut().filter(|service| service.principal == *principal).for_each(
            |service| match field {
                StatusField::TrustedAccess => service.trusted_access = Reading::Known(status.trusted_access.clone()),
                StatusField::Administrators => service.administrators = Reading::Known(status.administrators.clone()),
            },
        );
        Ok(status)
    }

    /// Reads the status field that a step concerns, and the other field if no earlier read
    /// succeeded.
    async fn read_status_for(
        &mut self,
        action: &Action,
        principal: &ServicePrincipal,
        wait_policy: WaitPolicy<'_>,
    ) -> Result<ServiceStatus, Error> {
        let (field, other) = match action {
            Action::EnableTrustedAccess { .. } | Action::DisableTrustedAccess { .. } => {
                (StatusField::TrustedAccess, StatusField::Administrators)
            }
            _ => (StatusField::Administrators, StatusField::TrustedAccess),
        };
        if self.now.service_status(principal).is_err() {
            self.read_missing_field(other, principal, wait_policy).await?;
        }
        self.read_missing_field(field, principal, wait_policy).await
    }

    /// Checks the trusted access that an administrator needs, because an earlier step may have
    /// observed it disabled.
    async fn require_trusted_access(
        &mut self,
        before: ServiceStatus,
        account: AccountId,
        wait_policy: WaitPolicy<'_>,
    ) -> Result<ServiceStatus, Error> {
        if before.trusted_access.is_some() {
            return Ok(before);
        }
        let now = self.read_missing_field(StatusField::TrustedAccess, &before.principal, wait_policy).await?;
        if now.trusted_access.is_some() {
            return Ok(now);
        }
        let error = Error::new(ErrorKind::TrustedAccessDisabled)
            .with_operation(Operation::RegisterDelegatedAdministrator)
            .with_account(account);
        Err(error.with_service(&now.principal).with_context(self.call).with_status(&now))
    }

    fn store_status(&mut self, status: &ServiceStatus) {
        for service in self.now.services.iter_mut().filter(|service| service.principal == status.principal) {
            service.trusted_access = Reading::Known(status.trusted_access.clone());
            service.administrators = Reading::Known(status.administrators.clone());
        }
    }

    async fn run_service_step(
        &mut self,
        step: &Step,
        principal: &ServicePrincipal,
        wait_policy: WaitPolicy<'_>,
    ) -> Result<(), Error> {
        let before = self.read_status_for(&step.action, principal, wait_policy).await?;
        if step.action.is_satisfied_in(&self.now)? {
            return self.check_only_administrator(&step.action, &self.now);
        }
        step.check(&self.now)?;
        let before = match step.action {
            Action::RegisterAdministrator { account, .. } => {
                self.require_trusted_access(before, account, wait_policy).await?
            }
            _ => before,
        };
        let by_account = self.clients_by_account;
        let ssm: Vec<&dyn SystemsManagerClient> =
            by_account.accounts.values().map(|client| *client as &dyn SystemsManagerClient).collect();
        let (guard, affected) = guard_for(step, &ssm);
        let mut change_log = std::mem::take(&mut self.change_log);
        let context = &mut self.context(&mut change_log, wait_policy);
        let outcome = match &step.action {
            Action::EnableTrustedAccess { .. } => operations::enable(context, &before).await,
            Action::DisableTrustedAccess { .. } => operations::disable(context, &before, guard, &affected).await,
            Action::RegisterAdministrator { account, .. } => operations::register(context, &before, *account).await,
            Action::DeregisterAdministrator { account, .. } => {
                operations::deregister(context, &before, *account, guard, &affected, IdentityCheck::Unchanged).await
            }
            _ => return Ok(()),
        };
        self.change_log = change_log;
        match outcome {
            Ok(done) => {
                self.store_status(&done.status);
                let applied = match done.ours {
                    Some(Certainty::Confirmed) => WriteStatus::Applied,
                    Some(Certainty::Unconfirmed) => WriteStatus::Unknown,
                    None => WriteStatus::NotApplied,
                };
                let checked = self.check_only_administrator(&step.action, &self.now);
                checked.map_err(|error| error.with_write_status(applied))
            }
            Err(
                OperationFailure::Unchanged(error)
                | OperationFailure::Changed(error, _)
                | OperationFailure::Unknown(error),
            ) => Err(error),
        }
    }

    async fn run_role_step(&mut self, step: &Step, wait_policy: WaitPolicy<'_>) -> Result<(), Error> {
        let iam = self.clients_by_account.management;
        let found = service_linked_role::get(iam, wait_policy, self.change_log.local_changes()).await;
        self.now.role = Some(Reading::Known(found.map_err(|error| error.with_context(self.call))?));
        if step.action.is_satisfied_in(&self.now)? {
            return Ok(());
        }
        // State that this run observed as removed is not read again, because AWS allows one such
        // read a second.
        let distrusted = changes_of_service(self.change_log.changes(), &SYSTEMS_MANAGER)
            .any(|kind| matches!(kind, ChangeKind::TrustedAccessDisabled { .. }));
        if matches!(step.action, Action::DeleteRole) && !distrusted {
            self.read_missing_field(StatusField::TrustedAccess, &SYSTEMS_MANAGER, wait_policy).await?;
        }
        step.check(&self.now)?;
        let (end, change) = if matches!(step.action, Action::CreateRole) {
            let (end, change) = service_linked_role::ensure(iam, wait_policy, self.change_log.local_changes()).await;
            (end.map(drop), change)
        } else {
            let ssm: Vec<&dyn SystemsManagerClient> =
                self.clients_by_account.accounts.values().map(|client| *client as &dyn SystemsManagerClient).collect();
            let (guard, affected) = guard_for(step, &ssm);
            guard
                .guard(Operation::DeleteServiceLinkedRole, &affected, self.change_log.local_changes(), wait_policy)
                .await?;
            let check = |role: &Role| step.check_role(role);
            let (end, change) =
                service_linked_role::delete_if(iam, wait_policy, self.change_log.local_changes(), check).await;
            (end.map(drop), change)
        };
        if let Some(change) = change {
            self.change_log.record(change);
        }
        if end.is_ok() {
            step.action.apply_to_model(&mut self.now);
        }
        end.map_err(|error| error.with_context(self.call))
    }

    /// Runs steps on data syncs of different accounts and Regions concurrently. A failed step does
    /// not stop the others.
    async fn run_sync_steps(&mut self, first: usize, count: usize, listener: &EventSink<'_>) -> Result<(), Error> {
        let changes = self.change_log.changes().to_vec();
        let administrators = self.now.service_status(&SYSTEMS_MANAGER).map(|status| status.accounts());
        let administrators = administrators.unwrap_or_default();
        let (by_account, organization, wait_policy) =
            (self.clients_by_account, &self.call.organization, self.clients.wait_policy);
        let recorder = &self.clients.recorder;
        let mut under_way = FuturesUnordered::new();
        for (index, step) in self.plan.steps.iter().enumerate().skip(first).take(count) {
            listener.emit(Event::Started { index, step });
            let (changes, administrators) = (&changes, &administrators);
            under_way.push(async move {
                let notice = || listener.emit(Event::Waiting { index, step });
                let wait_policy = wait_policy.with_notifier(&notice);
                let outcome = run_sync_step(
                    step,
                    by_account,
                    organization,
                    wait_policy,
                    LocalChanges::new(changes, recorder),
                    administrators,
                )
                .instrument(span_of(step))
                .await;
                (index, step, outcome)
            });
        }
        let mut ends = Vec::new();
        while let Some((index, step, WriteResult { result, change })) = under_way.next().await {
            if let Some(change) = &change {
                self.change_log.record(change.clone());
            }
            if result.is_ok() {
                step.action.apply_to_model(&mut self.now);
            }
            ends.push(self.finish_step(index, step, (result, change), listener));
        }
        Error::all(ends).map(drop)
    }
}

fn span_of(step: &Step) -> tracing::Span {
    // A data sync can have any name.
    let action = step.action.to_string();
    let region = step.action.sync().map(|sync| &sync.region);
    span!("apply_step", action: Some(action), account: Some(step.account), region: region)
}

/// Returns how many of the first steps can run concurrently.
///
/// Deletions free quota for creations, and AWS accepts one update at a time for an account in a
/// Region.
fn concurrent_steps<'s>(steps: impl Iterator<Item = &'s Step>) -> usize {
    let mut places = BTreeSet::new();
    let mut deletes = None;
    let alike = steps.take(MAX_CONCURRENCY).take_while(|step| {
        let is_deletion = matches!(step.action, Action::DeleteSync { .. });
        let place = step.action.sync().map(|at| (at.account, &at.region));
        place.is_some_and(|place| places.insert(place)) && *deletes.get_or_insert(is_deletion) == is_deletion
    });
    alike.count()
}

/// Returns the guard for the syncs that a step affects. Syncs that the plan lists are recorded; an
/// unlisted one stops the step.
fn guard_for<'c>(step: &'c Step, ssm: &'c [&'c dyn SystemsManagerClient]) -> (SyncGuard<'c>, AffectedAccounts) {
    let Some(AffectedSyncs { unlisted: others, accounts, regions, listed: known }) = &step.affected_syncs else {
        return (SyncGuard::ByCaller(SyncProtection::AllowLoss), AffectedAccounts::organization_syncs_of(Vec::new()));
    };
    let guard = if regions.is_empty() && known.is_empty() {
        // No listing is made, and a recorded guard would report that no sync was found.
        SyncGuard::ByCaller(SyncProtection::AllowLoss)
    } else {
        SyncGuard::Recorded { record: known, ssm, regions, allow_loss: *others == UnlistedSyncs::AllowLoss }
    };
    let must_see: Vec<AccountId> = accounts.first().copied().into_iter().collect();
    let others = !matches!(step.action, Action::DeregisterAdministrator { .. });
    // Single-account syncs in the role's own account also prevent its deletion.
    let single_of = must_see.first().copied().filter(|_| step.action == Action::DeleteRole);
    (guard, AffectedAccounts { required: must_see, include_others: others, include_single_account: single_of })
}

async fn run_sync_step(
    step: &Step,
    by_account: &ClientsByAccount<'_>,
    organization: &Organization,
    wait_policy: WaitPolicy<'_>,
    own: LocalChanges<'_>,
    administrators: &[AccountId],
) -> WriteResult<()> {
    let Some(at) = step.action.sync() else { return WriteResult { result: Ok(()), change: None } };
    let ssm = match by_account.client_of(at.account) {
        Ok(ssm) => ssm,
        Err(error) => return WriteResult { result: Err(error.with_operation(step.action.operation())), change: None },
    };
    let region_syncs =
        RegionSyncs { ssm, organization, account: at.account, region: &at.region, wait_policy, local_changes: own };
    match &step.action {
        Action::CreateSync { definition, .. } | Action::UpdateSync { definition, .. } => {
            let administrator = administrators.contains(&at.account);
            let check = |found: Option<&DataSync>| step.check_sync(found);
            let outcome = region_syncs.ensure_if(definition, administrator, true, check).await;
            WriteResult { result: outcome.result.map(drop), change: outcome.change }
        }
        _ => {
            let outcome = region_syncs.delete_if(&at.name, |found| step.check_sync(found)).await;
            WriteResult { result: outcome.result.map(drop), change: outcome.change }
        }
    }
}
