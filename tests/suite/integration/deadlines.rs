//! Deadlines of handles and plans: they bound every call and wait, and nothing is lost.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{SSM, alice, disabled_in, failed, management, organization, region, trusted_in, trusting};
use ssm_organizations::domain::RoleName;
use ssm_organizations::plan::{Clients, Target};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{Operation, SourceRegions, SyncDefinition};
use ssm_organizations::sim::{Fault, SimOrganization};
use ssm_organizations::state::Unobserved;
use ssm_organizations::{
    Certainty, Change, ChangeKind, Error, ErrorKind, ExplorerSetup, Integration, Recovered, Remedy, RetryStatus,
    SyncName, WriteStatus, sim,
};
use tokio::time::Instant;

const LATENCY: Duration = Duration::from_secs(3);

fn slow() -> SimOrganization {
    organization().latency(LATENCY).build()
}

fn definition() -> SyncDefinition {
    let regions = SourceRegions::new([region("eu-central-1")]).unwrap();
    SyncDefinition::of_organization(SyncName::new("all").unwrap(), regions)
}

type Stopped = (Error, Integration<Unobserved, sim::SimClient>);

async fn delegate(handle: Integration<Unobserved, sim::SimClient>) -> Result<Vec<Change>, Stopped> {
    let observed = match handle.observe().await {
        Ok(observed) => observed,
        Err(failure) => return Err(check(failure.into_parts())),
    };
    match observed.ensure_delegated(alice()).await {
        Ok(delegated) => Ok(delegated.changes().to_vec()),
        Err(failure) => Err(check(failure.into_parts())),
    }
}

/// Asserts that a write with an unknown result recovers as unknown, with an unconfirmed change.
fn check<H: ssm_organizations::integration::Handle<Client = sim::SimClient>>(
    (error, recovered): (Error, Recovered<H>),
) -> Stopped {
    assert_eq!(*error.kind(), ErrorKind::DeadlineExceeded, "{error:#}");
    assert_eq!(error.retry_status(), RetryStatus::Exhausted);
    assert!(error.remedies().contains(&Remedy::ExtendDeadline));
    if error.write_status() == WriteStatus::Unknown {
        assert!(matches!(recovered, Recovered::Unknown(_)));
        let last = recovered.changes().last().unwrap();
        assert_eq!((last.certainty, last.observed), (Certainty::Unconfirmed, false));
    }
    (error, recovered.into_unobserved())
}

/// Asserts that the changes contain everything that exists.
fn assert_nothing_lost(organization: &SimOrganization, changes: &[Change], what: &str) {
    let has = |wanted: fn(&ChangeKind) -> bool| changes.iter().any(|change| wanted(&change.kind));
    let enabled = has(|kind| matches!(kind, ChangeKind::TrustedAccessEnabled { .. }));
    assert!(enabled || !organization.is_trusted(&SSM), "{what}");
    let registered = has(|kind| matches!(kind, ChangeKind::AdministratorRegistered { .. }));
    assert!(registered || organization.administrators().is_empty(), "{what}");
    let role = has(|kind| matches!(kind, ChangeKind::RoleCreated { .. }));
    assert!(role || !organization.has_role(management(), &RoleName::ACCOUNT_DISCOVERY), "{what}");
    let sync = has(|kind| matches!(kind, ChangeKind::DataSyncCreated { .. }));
    assert!(sync || organization.data_syncs(management(), &region("eu-central-1")).is_empty(), "{what}");
}

#[tokio::test(start_paused = true)]
async fn transition_at_each_deadline_ends_in_time_and_loses_nothing() {
    let (mut unknown, mut completed) = (0, 0);
    for seconds in 0..40 {
        let organization = slow();
        let (start, within) = (Instant::now(), Duration::from_secs(seconds));
        let handle = Integration::new(organization.management_client()).with_deadline(within);
        let result = delegate(handle).await;
        assert!(start.elapsed() <= within, "{seconds}");
        let Err((error, handle)) = result else {
            completed += 1;
            continue;
        };
        unknown += usize::from(error.write_status() == WriteStatus::Unknown);
        assert_nothing_lost(&organization, handle.changes(), &format!("{seconds}"));
        let changes = delegate(handle.with_deadline(Duration::MAX)).await.unwrap();
        assert!(!changes.is_empty());
    }
    assert!(unknown >= 2 && completed > 0, "{unknown} cut-off writes, {completed} runs to the end");
}

#[tokio::test(start_paused = true)]
async fn explorer_at_each_deadline_ends_in_time_and_loses_nothing() {
    let (sync, home) = (definition(), [region("eu-central-1")]);
    let mut completed = 0;
    for seconds in 0..60 {
        let organization = trusting().latency(LATENCY).build();
        let client = organization.management_client();
        let explorer = ExplorerSetup::new().with_role(&client).with_sync(&client, &sync, &home);
        let trusted = trusted_in(&organization).await;
        let (start, within) = (Instant::now(), Duration::from_secs(seconds));
        let mut trusted = trusted.with_deadline(within);
        let result = trusted.ensure_explorer(&explorer).await;
        assert!(start.elapsed() <= within, "{seconds}");
        match result {
            Ok(()) => completed += 1,
            Err(error) => assert_eq!(*error.kind(), ErrorKind::DeadlineExceeded, "{error:#}"),
        }
        let role = organization.has_role(management(), &RoleName::ACCOUNT_DISCOVERY);
        let sync = !organization.data_syncs(management(), &home[0]).is_empty();
        assert!(trusted.changes().len() >= usize::from(role) + usize::from(sync), "{seconds}");
    }
    assert!(completed > 0);
}

#[tokio::test(start_paused = true)]
async fn apply_at_each_deadline_returns_the_receipt_so_far() {
    let target = Target::new().with_trusted_access(true).with_role();
    let target = target.with_sync(Caller::Management, definition(), [region("eu-central-1")]);
    let mut completed = 0;
    for seconds in 0..80 {
        let organization = slow();
        let client = organization.management_client();
        let clients = Clients::new(&client);
        let plan = target.plan(&clients).await.unwrap();
        let (start, within) = (Instant::now(), Duration::from_secs(seconds));
        let applied = plan.apply(&clients.clone().with_deadline(within), |_| {}).await;
        assert!(start.elapsed() <= within, "{seconds}");
        let Err(stopped) = applied else {
            completed += 1;
            continue;
        };
        assert_eq!(*stopped.error().kind(), ErrorKind::DeadlineExceeded, "{:#}", stopped.error());
        assert_nothing_lost(&organization, stopped.receipt().changes(), &format!("{seconds}"));
        target.plan(&clients).await.unwrap().apply(&clients, |_| {}).await.unwrap();
    }
    assert!(completed > 0);
}

#[tokio::test(start_paused = true)]
async fn accepted_write_without_visible_effect_at_the_deadline_is_confirmed() {
    let organization = organization().read_delay(Duration::from_hours(1)).build();
    let disabled = disabled_in(&organization).await.with_deadline(Duration::from_secs(10));
    let start = Instant::now();
    let (error, recovered) = failed(disabled.enable_trusted_access().await);
    assert!(start.elapsed() <= Duration::from_secs(10));
    assert_eq!((error.kind(), error.write_status()), (&ErrorKind::DeadlineExceeded, WriteStatus::Applied));
    assert!(error.to_string().contains("AWS accepted the write, but no read confirmed it in time"), "{error}");
    let Recovered::Unknown(handle) = recovered else { panic!("{recovered:?}") };
    assert_eq!(handle.changes()[0].certainty, Certainty::Confirmed);
}

#[tokio::test(start_paused = true)]
async fn throttled_calls_are_not_repeated_after_the_deadline() {
    for operation in [Operation::ListDelegatedAdministrators, Operation::EnableAwsServiceAccess] {
        let organization = organization().build();
        for nth in 1..100 {
            organization.inject_fault(operation, nth, Fault::throttled(operation));
        }
        let start = Instant::now();
        let handle = Integration::new(organization.management_client()).with_deadline(Duration::from_secs(20));
        let error = delegate(handle.with_wait_timeout(Duration::MAX)).await.unwrap_err().0;
        assert!(start.elapsed() <= Duration::from_secs(20));
        assert_eq!(error.code(), Some("TooManyRequestsException"), "{error:#}");
        assert!(organization.call_count(operation) > 1);
    }
}

#[tokio::test(start_paused = true)]
async fn deadline_in_the_past_sends_nothing() {
    let organization = organization().build();
    let disabled = disabled_in(&organization).await.with_deadline(Duration::ZERO);
    organization.clear_calls();
    let (error, recovered) = failed(disabled.enable_trusted_access().await);
    assert_eq!((error.kind(), error.write_status()), (&ErrorKind::DeadlineExceeded, WriteStatus::NotApplied));
    assert!(matches!(recovered, Recovered::Unchanged(_)));
    assert_eq!(organization.calls(), []);
}
