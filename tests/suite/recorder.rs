//! Tests of the change recorder, which records each write before and after it is sent.
#![cfg(feature = "sim")]

use std::collections::BTreeSet;
use std::mem::discriminant;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ssm_organizations::plan::{Clients, Event, Receipt, Target, UndoOptions};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{Operation, SourceRegions, SyncDefinition};
use ssm_organizations::sim::{Fault, SimOrganization};
use ssm_organizations::{
    Certainty, ChangeKind, ChangeRecorder, ErrorKind, Integration, Observed, ServicePrincipal, SyncMigration, SyncName,
    SyncProtection, WriteEvent,
};

use crate::common::{SSM, alice, bob, observe, organization, region};

const HOME: &str = "eu-central-1";

/// Events of a recorder, each with the number of writes that were sent before.
type Events = Arc<Mutex<Vec<(&'static str, ChangeKind, usize)>>>;

/// Returns a recorder whose callback logs each event and fails at the given `Sending` event.
fn recorder(organization: &SimOrganization, failing: Option<usize>) -> (ChangeRecorder, Events) {
    let events = Events::default();
    let (log, organization, mut sending) = (Arc::clone(&events), organization.clone(), 0);
    let recorder = ChangeRecorder::with_callback(move |event, changes| {
        let (name, change) = match event {
            WriteEvent::Sending(change) => ("sending", change),
            WriteEvent::Changed(change) => ("changed", change),
            WriteEvent::NotApplied(change) => ("not applied", change),
            WriteEvent::Accepted(_) | WriteEvent::Waiting(_) => return Ok(()),
            other => panic!("{other:?}"),
        };
        assert_eq!(changes.contains(change), name != "not applied");
        assert!(change.sent_at.is_some());
        if name == "sending" {
            assert_eq!((change.certainty, change.observed), (Certainty::Unconfirmed, false));
            sending += 1;
        }
        log.lock().unwrap().push((name, change.kind.clone(), organization.write_count()));
        if name == "sending" && Some(sending) == failing { Err("the disk is full".into()) } else { Ok(()) }
    });
    (recorder, events)
}

fn sync() -> SyncDefinition {
    let name = SyncName::new("all").unwrap();
    SyncDefinition::of_organization(name, SourceRegions::new([region(HOME)]).unwrap())
}

/// Targets that together send every write.
fn targets() -> [Target; 3] {
    let set_up = Target::new().with_trusted_access(true).with_administrator(alice()).with_role();
    [
        set_up.clone().with_sync(Caller::Administrator, sync(), [region(HOME)]),
        set_up.with_sync(Caller::Administrator, sync().including_future_regions(), [region(HOME)]),
        Target::new()
            .with_trusted_access(false)
            .without_administrator()
            .without_role()
            .without_sync(Caller::Administrator, sync().name().clone(), [region(HOME)])
            .search_regions([region(HOME)]),
    ]
}

/// Applies the targets and returns the error of the first run that stops.
async fn apply_all(organization: &SimOrganization, recorder: &ChangeRecorder) -> Result<(), ErrorKind> {
    let (management, administrator) = (organization.management_client(), organization.client(alice()));
    let clients = Clients::new(&management).with_account_client(&administrator).with_recorder(recorder.clone());
    for target in targets() {
        let plan = target.plan(&clients).await.unwrap();
        plan.apply(&clients, |_| {}).await.map_err(|stopped| stopped.error().kind().clone())?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn apply_records_each_write_before_and_after_sending() {
    let organization = organization().build();
    let (recorder, events) = recorder(&organization, None);
    apply_all(&organization, &recorder).await.unwrap();

    let events = events.lock().unwrap();
    let writes: BTreeSet<_> =
        organization.calls().iter().map(|call| call.operation).filter(|one| one.is_write()).collect();
    assert_eq!(writes.len(), Operation::ALL.iter().filter(|one| one.is_write()).count());
    assert_eq!(events.len(), 2 * organization.write_count());
    for (write, pair) in events.chunks(2).enumerate() {
        let [(begins, sending, before), (ends, changed, after)] = pair else { panic!("{pair:?}") };
        assert_eq!((*begins, *before, *ends, *after), ("sending", write, "changed", write + 1));
        assert_eq!(discriminant(sending), discriminant(changed));
    }
    let kept: Vec<_> = recorder.changes().into_iter().map(|change| (change.kind, change.certainty)).collect();
    let changed = events.iter().skip(1).step_by(2).map(|(_, kind, _)| (kind.clone(), Certainty::Confirmed));
    assert_eq!(kept, changed.collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn apply_with_failing_recorder_sends_no_write() {
    let probe = organization().build();
    apply_all(&probe, &ChangeRecorder::new()).await.unwrap();
    for failing in 1..=probe.write_count() {
        let organization = organization().build();
        let (recorder, _) = recorder(&organization, Some(failing));
        assert_eq!(apply_all(&organization, &recorder).await, Err(ErrorKind::NotSent));
        // A concurrent step may have sent its write.
        let sent = organization.write_count();
        assert!((failing - 1..=failing).contains(&sent) && sent < probe.write_count(), "{failing}: {sent}");
        assert_eq!(recorder.changes().len(), sent);
    }
}

#[tokio::test(start_paused = true)]
async fn transition_with_failing_recorder_leaves_the_state() {
    let organization = organization().build();
    let (recorder, _) = recorder(&organization, Some(2));
    let observed = Integration::new(organization.management_client()).with_recorder(recorder).observe().await.unwrap();
    let Observed::Disabled(disabled) = observed else { panic!("{observed:?}") };
    let trusted = disabled.enable_trusted_access().await.unwrap();
    let stopped = trusted.register_delegated_administrator(alice()).await.unwrap_err();
    assert_eq!(*stopped.error().kind(), ErrorKind::NotSent);
    assert!(stopped.error().to_string().contains("the disk is full"), "{}", stopped.error());
    assert_eq!((organization.write_count(), organization.administrators()), (1, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn refused_write_leaves_no_record() {
    let organization = organization().build();
    organization.inject_fault(Operation::EnableAwsServiceAccess, 1, Fault::refused("AccessDeniedException"));
    let (recorder, events) = recorder(&organization, None);
    let observed = Integration::new(organization.management_client()).with_recorder(recorder.clone());
    let Observed::Disabled(disabled) = observed.observe().await.unwrap() else { panic!("trusted access is enabled") };
    disabled.enable_trusted_access().await.unwrap_err();
    assert_eq!(recorder.changes(), []);
    let names: Vec<_> = events.lock().unwrap().iter().map(|(name, ..)| *name).collect();
    assert_eq!(names, ["sending", "not applied"]);
}

/// Asserts that the change is undone only on request, because no read returned its date.
#[tokio::test(start_paused = true)]
async fn dropped_transition_is_in_the_recorder() {
    let organization = organization().read_delay(Duration::from_secs(30)).build();
    let recorder = ChangeRecorder::new();
    let observed = Integration::new(organization.management_client()).with_recorder(recorder.clone());
    let Observed::Disabled(disabled) = observed.observe().await.unwrap() else { panic!("trusted access is enabled") };
    tokio::time::timeout(Duration::from_secs(5), disabled.enable_trusted_access()).await.unwrap_err();
    assert!(organization.is_trusted(&SSM));
    let changes = recorder.changes();
    assert!(matches!(changes[0].kind, ChangeKind::TrustedAccessEnabled { enabled_at: None, .. }), "{changes:?}");
    assert!(changes[0].must_be_named());

    tokio::time::sleep(Duration::from_mins(1)).await;
    let client = organization.management_client();
    let clients = Clients::new(&client);
    let receipt = Receipt::of_changes(observe(&organization).await.organization(), &changes);
    let undo = UndoOptions::new().search_regions([region(HOME)]);
    let plan = receipt.undo(&clients, &undo).await.unwrap();
    assert_eq!((plan.steps().len(), plan.retained().len()), (0, 1));
    let plan = receipt.undo(&clients, &undo.include_unconfirmed(0)).await.unwrap();
    plan.apply(&clients, |_| {}).await.unwrap();
    assert!(!organization.is_trusted(&SSM));
}

/// Shares one recorder between several handles.
#[tokio::test(start_paused = true)]
async fn recorder_of_several_handles_has_all_changes_in_order() {
    let organization = organization().build();
    let recorder = ChangeRecorder::new();
    for _ in 0..2 {
        let handle = Integration::new(organization.management_client()).with_recorder(recorder.clone());
        let delegated = handle.observe().await.unwrap().ensure_delegated(alice()).await.unwrap();
        delegated
            .deregister(SyncProtection::AllowLoss)
            .await
            .unwrap()
            .disable(SyncProtection::AllowLoss)
            .await
            .unwrap();
    }
    let changes = recorder.changes();
    assert_eq!(changes.len(), 8);
    for run in changes.chunks(4) {
        assert!(matches!(
            run.iter().map(|change| &change.kind).collect::<Vec<_>>()[..],
            [
                ChangeKind::TrustedAccessEnabled { .. },
                ChangeKind::AdministratorRegistered { .. },
                ChangeKind::AdministratorDeregistered { .. },
                ChangeKind::TrustedAccessDisabled { .. },
            ]
        ));
    }
}

/// Names of events, each with the number of changes.
type EventNames = Arc<Mutex<Vec<(&'static str, usize)>>>;

/// Returns a recorder that logs the name of each event.
fn event_names() -> (ChangeRecorder, EventNames) {
    let names = EventNames::default();
    let log = Arc::clone(&names);
    let recorder = ChangeRecorder::with_callback(move |event, _| {
        log.lock().unwrap().push(match event {
            WriteEvent::Sending(_) => ("sending", 1),
            WriteEvent::Accepted(change) => {
                assert_eq!(change.certainty, Certainty::Unconfirmed);
                ("accepted", 1)
            }
            WriteEvent::Waiting(pending) => ("waiting", pending.len()),
            WriteEvent::Changed(_) => ("changed", 1),
            WriteEvent::NotApplied(_) => ("not applied", 1),
            other => panic!("{other:?}"),
        });
        Ok(())
    });
    (recorder, names)
}

#[tokio::test(start_paused = true)]
async fn delayed_write_reports_waits_in_both_facades() {
    let delayed = || organization().read_delay(Duration::from_secs(4)).build();
    let expected = [("sending", 1), ("accepted", 1), ("waiting", 1), ("waiting", 1), ("waiting", 1), ("changed", 1)];

    let (recorder, names) = event_names();
    let handle = Integration::new(delayed().management_client()).with_recorder(recorder);
    let Observed::Disabled(disabled) = handle.observe().await.unwrap() else { panic!("trusted access is enabled") };
    disabled.enable_trusted_access().await.unwrap();
    assert_eq!(*names.lock().unwrap(), expected);

    let (recorder, names) = event_names();
    let client = delayed().management_client();
    let clients = Clients::new(&client).with_recorder(recorder);
    let plan = Target::new().with_trusted_access(true).plan(&clients).await.unwrap();
    let mut waiting = 0;
    plan.apply(&clients, |event| waiting += usize::from(matches!(event, Event::Waiting { .. }))).await.unwrap();
    assert_eq!((names.lock().unwrap().as_slice(), waiting), (expected.as_slice(), 3));
}

#[tokio::test(start_paused = true)]
async fn throttled_write_reports_wait_without_pending_change() {
    let organization = organization().build();
    organization.inject_fault(Operation::EnableAwsServiceAccess, 1, Fault::refused("TooManyRequestsException"));
    let (recorder, names) = event_names();
    let handle = Integration::new(organization.management_client()).with_recorder(recorder);
    let Observed::Disabled(disabled) = handle.observe().await.unwrap() else { panic!("trusted access is enabled") };
    disabled.enable_trusted_access().await.unwrap();
    assert_eq!(
        *names.lock().unwrap(),
        [("sending", 1), ("not applied", 1), ("waiting", 0), ("sending", 1), ("accepted", 1), ("changed", 1)]
    );
}

/// Creates the syncs of two Regions concurrently, so both changes are pending during the waits.
#[tokio::test(start_paused = true)]
async fn replace_reports_waits_with_all_pending_changes() {
    let organization = organization().read_delay(Duration::from_secs(4)).build();
    let (management, old, new) =
        (organization.management_client(), organization.client(alice()), organization.client(bob()));
    let regions = [region(HOME), region("us-east-1")];
    organization.add_role(management.account(), &ServicePrincipal::ACCOUNT_DISCOVERY);
    let mut delegated = observe(&organization).await.ensure_delegated(alice()).await.unwrap();
    let mut syncs = delegated.data_syncs(&old).await.unwrap();
    syncs.ensure(&sync(), &regions).await.unwrap().into_result().unwrap();

    let (recorder, names) = event_names();
    let handle = Integration::new(management).with_recorder(recorder);
    let Observed::Delegated(delegated) = handle.observe().await.unwrap() else { panic!("not delegated") };
    let migration = SyncMigration::Migrate { from: &old, to: &new, regions: &regions };
    let replaced = delegated.replace(bob(), migration).await.unwrap();
    assert_eq!(replaced.migrated.len(), 2);
    let names = names.lock().unwrap();
    assert!(names.contains(&("waiting", 1)) && names.contains(&("waiting", 2)), "{names:?}");
}

/// Asserts that the write of a dropped transition is no longer pending.
#[tokio::test(start_paused = true)]
async fn dropped_transition_is_not_in_later_waits() {
    let organization = organization().read_delay(Duration::from_secs(30)).build();
    let (recorder, names) = event_names();
    let handle = Integration::new(organization.management_client()).with_recorder(recorder.clone());
    let Observed::Disabled(disabled) = handle.observe().await.unwrap() else { panic!("trusted access is enabled") };
    tokio::time::timeout(Duration::from_secs(5), disabled.enable_trusted_access()).await.unwrap_err();
    tokio::time::sleep(Duration::from_secs(30)).await;
    names.lock().unwrap().clear();

    let handle = Integration::new(organization.management_client()).with_recorder(recorder);
    handle.observe().await.unwrap().ensure_delegated(alice()).await.unwrap();
    let names = names.lock().unwrap();
    assert_eq!(names[..2], [("sending", 1), ("accepted", 1)]);
    assert!(names[2..names.len() - 1].iter().all(|event| *event == ("waiting", 1)), "{names:?}");
}
