//! Runs that apply a plan and save the changes.

use std::collections::BTreeSet;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join;
use futures_util::stream::{self, StreamExt as _};
use ssm_organizations::domain::{RoleName, SyncCheckReport};
use ssm_organizations::guidance::NextStep;
use ssm_organizations::plan::{Action, Event, Plan};
use ssm_organizations::ports::{DataSync, Organization, Page, SyncType};
use ssm_organizations::{Certainty, Change, ChangeKind, ChangeRecorder, RecordError, WriteEvent};
use tokio::sync::Semaphore;

use super::CommandContext;
use crate::files::ReceiptFile;
use crate::report::{CliError, ExistingResources, Notes, Outcome, StatusSummary};

/// Number of listings that are made at the same time.
const CONCURRENT_LISTINGS: usize = 16;

/// Writing command in progress.
pub(super) struct Run {
    organization: Organization,
    pub(super) notes: Notes,
    pub(super) changes: Vec<Change>,
    /// State according to this run's last reads; `None` if it is unknown.
    pub(super) now: Option<StatusSummary>,
    /// Resources that exist afterwards, to leave out the next steps that they make unnecessary.
    existing: ExistingResources,
    /// The receipt file, if the command line names one.
    file: Arc<Mutex<Option<ReceiptFile>>>,
}

impl Run {
    /// Opens the receipt file before the first change.
    pub(super) fn begin(organization: &Organization, receipt: Option<&Path>) -> Result<Self, CliError> {
        let file = receipt.map(|path| ReceiptFile::open(path, organization)).transpose()?;
        let file = Arc::new(Mutex::new(file));
        let organization = organization.clone();
        Ok(Self {
            organization,
            notes: Notes::default(),
            changes: Vec::new(),
            now: None,
            existing: ExistingResources::default(),
            file,
        })
    }

    /// Applies a plan. Returns whether all steps were completed.
    ///
    /// Each write is in the receipt file before it is sent. A signal drops the run, and the file
    /// keeps the write in progress as unconfirmed.
    pub(super) async fn apply(&mut self, plan: &Plan, context: CommandContext<'_>) -> bool {
        let mut progress = context.console.progress(plan.steps().len());
        let (mut skipped, mut ended) = (Vec::new(), BTreeSet::new());
        // If a plan only adds resources, the last reads do not wait until its writes are confirmed.
        // AWS may create the role when trusted access is enabled, so that they wait for this one.
        let only_adds = plan.steps().iter().all(|step| is_addition(step.action()));
        let written = Arc::new(Semaphore::new(0));
        let recorder = {
            let (file, written) = (Arc::clone(&self.file), Arc::clone(&written));
            ChangeRecorder::with_callback(move |event, changes| {
                let is_enabling = |change: &Change| matches!(change.kind, ChangeKind::TrustedAccessEnabled { .. });
                let is_written = match event {
                    WriteEvent::Accepted(change) => !is_enabling(change),
                    WriteEvent::Changed(change) => is_enabling(change),
                    _ => false,
                };
                written.add_permits(usize::from(only_adds && is_written));
                save(&file, changes)
            })
        };
        let clients = context.clients.clone().with_recorder(recorder.clone());
        let on_event = |event: Event<'_>| {
            progress.on(&event);
            match event {
                Event::Changed { index, .. } => {
                    ended.insert(index);
                }
                Event::Skipped { index, step, .. } => {
                    written.add_permits(usize::from(only_adds));
                    ended.insert(index);
                    skipped.push(step.action().to_string());
                }
                _ => {}
            }
        };
        let steps = u32::try_from(plan.steps().len()).unwrap_or(u32::MAX);
        let mut reading = pin!(async {
            // The semaphore is never closed.
            let _ = written.acquire_many(steps).await;
            existing_resources(&recorder.changes(), context).await
        });
        let mut existing = None;
        let mut signalled = pin!(context.signals.received());
        let applied = {
            let mut applying = pin!(plan.apply(&clients, on_event));
            loop {
                tokio::select! {
                    applied = &mut applying => break Ok(applied),
                    found = &mut reading, if existing.is_none() => existing = Some(found),
                    signal = &mut signalled => break Err(signal),
                }
            }
        };
        drop(progress);
        for action in skipped {
            self.notes.skipped(format_args!("{action}: already in place"));
        }
        let steps = plan.steps().iter().enumerate();
        let is_complete = match applied {
            Ok(Ok(applied)) => {
                self.changes = recorder.changes();
                self.now = Some(StatusSummary::of(&applied.now));
                true
            }
            Ok(Err(stopped)) => {
                for (_, step) in steps.filter(|(index, _)| stopped.remaining().contains(index)) {
                    self.notes.not_done(step.action());
                }
                self.now = stopped.now().map(StatusSummary::of);
                let (error, receipt) = stopped.into_parts();
                self.changes = receipt.changes().to_vec();
                self.notes.errors.push(error.into());
                // The reads after the failure may have identified created resources. The outcome
                // reports a failure.
                let _ = save(&self.file, &self.changes);
                false
            }
            Err(signal) => {
                for (_, step) in steps.filter(|(index, _)| !ended.contains(index)) {
                    self.notes.not_done(step.action());
                }
                self.changes = recorder.changes();
                let why = format!("stopped by {signal}; the writes in progress may have been applied");
                self.notes.errors.push(CliError::new("interrupted", why));
                return false;
            }
        };
        written.add_permits(plan.steps().len());
        while existing.is_none() {
            tokio::select! {
                found = &mut reading => existing = Some(found),
                _ = &mut signalled => break,
            }
        }
        self.existing = existing.unwrap_or_default();
        is_complete
    }

    pub(super) fn conclude(mut self) -> Outcome {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.notes.errors.extend(file.and_then(ReceiptFile::into_failure));
        self.notes.conclude(&self.organization, &self.changes, self.now.as_ref(), self.existing)
    }
}

/// Writes the changes to the receipt file, if there is one.
fn save(file: &Mutex<Option<ReceiptFile>>, changes: &[Change]) -> Result<(), RecordError> {
    match &mut *file.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(file) => file.write(changes),
        None => Ok(()),
    }
}

fn is_addition(action: &Action) -> bool {
    matches!(
        action,
        Action::EnableTrustedAccess { .. }
            | Action::RegisterAdministrator { .. }
            | Action::CreateRole
            | Action::CreateSync { .. }
    )
}

/// Reads the resources on which the next steps depend. Without a read, every step is listed.
async fn existing_resources(changes: &[Change], context: CommandContext<'_>) -> ExistingResources {
    // A change that no read confirmed yet may leave steps, too.
    let confirmed = changes.iter().cloned().map(|mut change| {
        change.certainty = Certainty::Confirmed;
        change
    });
    if NextStep::after(&confirmed.collect::<Vec<_>>()).is_empty() {
        return ExistingResources::default();
    }
    let role = context.management.get_role(&RoleName::ACCOUNT_DISCOVERY);
    let clients = [context.management].into_iter().chain(context.others.iter().copied());
    let places = clients.flat_map(|client| context.regions.iter().map(move |region| (client, region)));
    let listings = places.map(|(client, region)| {
        // AWS allows five syncs, so one page shows whether there are any.
        client.list_resource_data_sync(region, SyncType::SyncFromSource, None)
    });
    let listings = stream::iter(listings).buffered(CONCURRENT_LISTINGS).collect::<Vec<_>>();
    let (role, listings) = join(role, listings).await;
    let is_of_organization = |page: &Page<DataSync>| page.items.iter().any(DataSync::is_of_organization);
    // Deregistration may keep the syncs of an account that was not checked.
    let is_unchecked = |change: &Change| {
        matches!(&change.kind, ChangeKind::AdministratorDeregistered { syncs: SyncCheckReport::Skipped, .. })
    };
    let all_checked = !changes.iter().any(is_unchecked);
    let all_listed = all_checked && listings.iter().all(|page| page.as_ref().is_ok_and(|page| page.next.is_none()));
    let has_sync = listings.iter().flatten().any(is_of_organization);
    ExistingResources {
        role: role.ok().map(|role| role.is_some()),
        organization_sync: (has_sync || all_listed).then_some(has_sync),
    }
}
