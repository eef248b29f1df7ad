//! Account-vending service that sets up Systems Manager in the organizations of a company.
//!
//! The order of onboarding, removal and replacement is known, so they use typed handles. A change
//! that a person reviews first is a plan: see [`Planner`].
#![allow(clippy::missing_errors_doc, reason = "the functions return the errors of the crate")]

mod planner;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde::Serialize;
use ssm_organizations::ports::{Client, SyncDefinition};
use ssm_organizations::state::{Delegated, Disabled, ObservedState, Unobserved};
use ssm_organizations::{
    AccountId, Change, ChangeRecorder, Error, ExplorerSetup, Integration, Observed, Region, RetryStatus, SyncMigration,
    SyncProtection, WriteEvent,
};
use tokio::task::JoinError;

pub use planner::{Planner, Review};

/// Limit of one attempt or plan, number of attempts, and pause between two of them.
const DEADLINE: Duration = Duration::from_mins(5);
const ATTEMPTS: usize = 3;
const PAUSE: Duration = Duration::from_secs(30);

/// Client that the tasks of the service share.
pub type SharedClient = Arc<dyn Client>;
/// Handle of an organization in state `S`.
pub type Handle<S> = Integration<S, SharedClient>;

/// Organization of the company, with clients of its two accounts.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a client need not be `Debug`")]
pub struct Tenant {
    /// Client of the management account.
    pub management: SharedClient,
    /// Account that administers Systems Manager, and its client.
    pub administrator: (AccountId, SharedClient),
    /// Data sync of the administrator, and its home Regions.
    pub sync: (SyncDefinition, Vec<Region>),
}

/// Report of one organization, for machines.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Name of the state; `None` after a failure.
    pub state: Option<&'static str>,
    /// Confirmed and unconfirmed changes of all attempts.
    pub changes: Vec<Change>,
    /// Error of the last attempt, with its causes and remedies.
    pub error: Option<Error>,
}

impl Report {
    /// Creates the report of a run. The recorder has the changes of each attempt.
    #[must_use]
    pub fn new<S: ObservedState, C>(result: Result<Integration<S, C>, Error>, recorder: &ChangeRecorder) -> Self {
        let state = result.as_ref().ok().map(Integration::state_name);
        Self { state, changes: recorder.changes(), error: result.err() }
    }
}

/// Returns a recorder that passes on one line for each event.
pub fn progress(print: impl Fn(String) + Send + Sync + 'static) -> ChangeRecorder {
    ChangeRecorder::with_callback(move |event, _changes| {
        match event {
            WriteEvent::Sending(change) => print(format!("sending: {}", change.kind)),
            WriteEvent::Waiting(pending) => print(format!("waiting for {} changes", pending.len())),
            WriteEvent::Changed(change) => print(format!("done: {change}")),
            _ => {}
        }
        // An error would stop the run before its next write.
        Ok(())
    })
}

/// Returns one line about the organization. Changes nothing.
pub async fn status(management: &dyn Client) -> Result<String, Error> {
    Ok(Integration::new(management).observe().await?.to_string())
}

/// Registers the administrator and creates the role and the data syncs, in up to three attempts.
pub async fn onboard(tenant: &Tenant, recorder: &ChangeRecorder) -> Result<Handle<Delegated>, Error> {
    let mut handle = Integration::new(Arc::clone(&tenant.management)).with_recorder(recorder.clone());
    for _ in 1..ATTEMPTS {
        match try_onboard(handle, tenant).await {
            Ok(delegated) => return Ok(delegated),
            Err((error, _)) if error.retry_status() == RetryStatus::Permanent => return Err(error),
            Err((_, unobserved)) => handle = unobserved,
        }
        tokio::time::sleep(PAUSE).await;
    }
    try_onboard(handle, tenant).await.map_err(|(error, _)| error)
}

/// Makes one attempt. The error has the handle for the next attempt.
async fn try_onboard(
    handle: Handle<Unobserved>,
    tenant: &Tenant,
) -> Result<Handle<Delegated>, (Error, Handle<Unobserved>)> {
    let Tenant { management, administrator: (account, administrator), sync: (sync, regions) } = tenant;
    let mut delegated = handle.with_deadline(DEADLINE).ensure_delegated(*account).await.map_err(|failure| {
        let (error, recovered) = failure.into_parts();
        (error, recovered.into_unobserved())
    })?;
    let explorer = ExplorerSetup::new().with_role(management).with_sync(administrator, sync, regions);
    match delegated.ensure_explorer(&explorer).await {
        Ok(()) => Ok(delegated),
        Err(error) => Err((error, delegated.into_unobserved())),
    }
}

/// Onboards each organization in its own task. A failure does not stop the others.
pub async fn onboard_all(tenants: Vec<Tenant>) -> Vec<Result<Report, JoinError>> {
    let task = |tenant: Tenant| async move {
        let recorder = ChangeRecorder::new();
        Report::new(onboard(&tenant, &recorder).await, &recorder)
    };
    join_all(tenants.into_iter().map(|tenant| tokio::spawn(task(tenant)))).await
}

/// Replaces the administrator and migrates its data syncs.
pub async fn replace(
    tenant: &Tenant,
    (account, client): (AccountId, SharedClient),
    recorder: &ChangeRecorder,
) -> anyhow::Result<Handle<Delegated>> {
    let handle = Integration::new(Arc::clone(&tenant.management)).with_recorder(recorder.clone());
    let Observed::Delegated(delegated) = handle.with_deadline(DEADLINE).observe().await? else {
        anyhow::bail!("no administrator to replace");
    };
    let migration = SyncMigration::Migrate { from: &tenant.administrator.1, to: &client, regions: &tenant.sync.1 };
    Ok(delegated.replace(account, migration).await?.into_result()?)
}

/// Disables the integration, unless data syncs would be lost.
pub async fn remove(tenant: &Tenant, recorder: &ChangeRecorder) -> Result<Handle<Disabled>, Error> {
    let Tenant { management, administrator: (_, administrator), sync: (_, regions) } = tenant;
    let protection = SyncProtection::Protect { clients: &[management, administrator], regions };
    let handle = Integration::new(Arc::clone(management)).with_recorder(recorder.clone());
    Ok(handle.with_deadline(DEADLINE).observe().await?.ensure_disabled(protection).await?)
}
