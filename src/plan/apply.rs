use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt};
use tracing::Instrument;

use super::event::{Applied, ApplyError, Event, EventSink, Progress};
use super::receipt::Receipt;
use super::run::Run;
use super::step::{Action, AffectedSyncs, Step};
use super::{Plan, UnlistedSyncs, check_organization};
use crate::domain::limits::MAX_CONCURRENCY;
use crate::domain::{AccountId, CallContext, Region, SyncDefinition, allows_one_administrator};
use crate::error::{Error, ErrorKind, RetryStatus};
use crate::observation::{Clients, ClientsByAccount, Snapshot, SnapshotScope};
use crate::operations::data_sync::{RegionSyncs, check_not_service_managed};
use crate::operations::{self, ChangeLog, KnownRead, LocalChanges, RefusalReads};
use crate::trace::Moment;
use crate::trace::span;

impl Plan {
    /// Applies the steps; each step starts when the steps that it [depends
    /// on](Step::depends_on) are done.
    ///
    /// Writes to Organizations run one at a time, because AWS allows about one a second. So do the
    /// writes to the data syncs of an account in a Region. Other steps run concurrently: the role
    /// is created beside trusted access, and the syncs of all accounts and Regions are written
    /// together. A failed step blocks only the steps that depend on it. Syncs that a later step
    /// replaces are deleted one after another, so that a failed deletion keeps the others.
    ///
    /// Before the first write, the whole plan is compared with the current state. A plan for
    /// another organization, or with a failed precondition, writes nothing. A step whose effect is
    /// already in place is skipped, so an interrupted plan can be applied again to resume.
    ///
    /// # Expected flow
    ///
    /// The reads of [`Snapshot::take`], unless the plan was made within the last ten seconds and is
    /// applied for the first time. `ListResourceDataSync` of Inventory's type if syncs are created
    /// after others are deleted. Then, for each step, the write, and reads until its effect is
    /// visible.
    ///
    /// The preconditions of a step are read again if their last read is more than ten seconds old.
    /// The guards of a deletion are also read after the previous write: the read that confirms that
    /// write shows its own resource, and the other reads are made concurrently with it. A plan
    /// without steps reads and writes nothing.
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
    /// After that: the errors of the failed steps ([`ApplyError::failed`]), which are those of the
    /// typed handles' methods.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a dropped future leaves unknown whether the steps in progress were applied.
    /// Applying the plan again finishes the steps. The record that this run may have made the
    /// changes is in the recorder of the clients only ([`Clients::with_recorder`]).
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
        let (by_account, now, read_at) = self.start(clients, &scope).await.map_err(|error| self.not_started(error))?;
        let known = CallContext { organization: now.organization.clone(), caller: by_account.caller() };
        let sink = EventSink::new(&mut on_event, &clients.recorder);
        let run = Run::new(self, &by_account, &known, clients, &sink, (now, read_at));
        let failed = run.execute().instrument(span!("apply_plan" in &known)).await;
        let (mut receipt, mut progress, now) = run.into_results();
        if failed.is_empty() {
            on_event(Event::Finished { now: &now });
            return Ok(Applied { receipt, now });
        }
        let now = Snapshot::take(clients, &scope).await.ok();
        if let Some(now) = &now {
            receipt.complete(now);
        }
        let tried = [progress.done.as_slice(), &progress.unconfirmed].concat();
        progress.remaining = (0..self.steps.len()).filter(|index| !tried.contains(index)).collect();
        Err(ApplyError::new(failed, receipt, progress, now))
    }

    /// Returns the clients by account, and the plan's snapshot or, if that is too old or guarded
    /// another run, a new one, with its time.
    async fn start<'c>(
        &self,
        clients: &'c Clients<'c>,
        scope: &SnapshotScope,
    ) -> Result<(ClientsByAccount<'c>, Snapshot, Option<Moment>), Error> {
        if let Some(taken) = self.snapshot.use_while_current() {
            let by_account = clients.by_account().await?;
            // The client of another account may belong to another organization.
            if by_account.caller().is_some_and(|caller| self.snapshot.caller == Some(caller)) {
                return Ok((by_account, self.snapshot.clone(), Some(taken)));
            }
        }
        let (by_account, snapshot) = Snapshot::take_with(clients, scope).await?;
        let taken = snapshot.use_while_current();
        Ok((by_account, snapshot, taken))
    }

    fn not_started(&self, error: Error) -> ApplyError {
        let receipt = Receipt::new(&self.snapshot.organization);
        let remaining = (0..self.steps.len()).collect();
        ApplyError::new(vec![(None, error)], receipt, Progress { remaining, ..Progress::default() }, None)
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

/// Checks before the first write.
impl Run<'_> {
    /// Checks, before the first write, that the plan can be applied.
    pub(super) async fn check(&self) -> Result<(), Error> {
        let expected = &self.plan.snapshot.organization;
        let now = self.now();
        let found = &now.organization;
        check_organization((&expected.id, expected.management_account), found)
            .map_err(|error| error.with_caller(self.call.caller))?;
        let mut model = now.clone();
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
                && !is_active(&now, *account)
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
        self.check_quotas(&replacements, (&now, &model)).await
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
    pub(super) fn check_only_administrator(&self, action: &Action, now: &Snapshot) -> Result<(), Error> {
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

    /// Checks the quota for new syncs before other syncs are deleted for them. `states` are the
    /// current state and the state with the new syncs.
    async fn check_quotas(
        &self,
        wanted: &BTreeMap<(AccountId, &Region), Vec<&SyncDefinition>>,
        states: (&Snapshot, &Snapshot),
    ) -> Result<(), Error> {
        let mut checks = Vec::new();
        for ((account, region), wanted) in wanted {
            checks.push(self.check_quota_in(*account, region, wanted, states));
        }
        let checks: Vec<_> = stream::iter(checks).buffered(MAX_CONCURRENCY).collect().await;
        Error::all(checks).map(drop)
    }

    async fn check_quota_in(
        &self,
        account: AccountId,
        region: &Region,
        wanted: &[&SyncDefinition],
        (now, model): (&Snapshot, &Snapshot),
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
            known: KnownRead::none(),
            refusal_reads: RefusalReads::default(),
        };
        let mut others = model.require_syncs(account, region)?.clone();
        others.retain(|sync| !wanted.iter().any(|wanted| *wanted.name() == sync.name));
        let now = now.require_syncs(account, region)?.len();
        region_syncs.check_quota_beside(&others, wanted, now).await
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
        let not_checked =
            accounts.first().copied().filter(|account| !self.clients_by_account.accounts.contains_key(account));
        let Some(account) = not_checked else { return Ok(()) };
        let error = Error::new(ErrorKind::DataSyncsNotChecked { account }).with_operation(step.action.operation());
        let passing = match &self.clients_by_account.caller {
            Err(error) if account == self.call.organization.management_account && !regions.is_empty() => {
                error.retry_status()
            }
            _ => RetryStatus::Permanent,
        };
        Err(error.with_retry(passing))
    }
}

/// Returns whether a snapshot shows that the account can be registered.
fn is_active(now: &Snapshot, account: AccountId) -> bool {
    let found = now.known_account(account).and_then(Option::as_ref);
    found.is_some_and(|found| operations::inactive(found).is_none())
}
