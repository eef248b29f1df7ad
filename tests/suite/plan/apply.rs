//! Application of plans: preconditions, concurrent changes, lost responses, stopped processes,
//! stale reads, events and number of calls.
#![cfg(feature = "sim")]

use std::error::Error as _;
use std::time::Duration;

use crate::common::{
    SSM, account, alice, bob, delegated, each_switch, every_setting, management, organization, organization_sync,
    region, trusting,
};
use crate::plan::organization_clients::{
    AWAY, HOME, OrganizationClients, PlanCase, QUICK_SETUP, ROLE, companions, everything, home, like, name,
    offboarding, onboarding, outline, rearranged, shown, stories, trusts, whole,
};
use ssm_organizations::domain::{RoleName, SyncCheckReport};
use ssm_organizations::plan::{
    ApplyError, Clients, Event, Plan, Precondition, Receipt, ServiceTarget, Target, UnlistedSyncs,
};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{AccountState, DataSync, Operation, SyncSourceType, SyncType};
use ssm_organizations::sim::{
    self, CallOutcome, DeregisterWithoutTrust, DisableWithAdministrators, DuplicateRole, Fault, ReadDelay,
    RepeatedWrite, SecondAdministrator, SyncWithoutPrerequisites,
};
use ssm_organizations::{AccountId, Certainty, ChangeKind, Error, ErrorKind, RetryStatus, WriteStatus};

const BOTH: &[bool] = &[true, false];

async fn an_hour_later() {
    tokio::time::advance(Duration::from_hours(1)).await;
}

/// Returns the final state of a story without faults, and the calls of applying its plan.
async fn calm(story: &PlanCase) -> (sim::SimState, Vec<sim::Call>) {
    let org = OrganizationClients::new((story.start)());
    let plan = org.plan(&(story.target)()).await;
    org.organization.clear_calls();
    org.apply(&plan).await.unwrap();
    (like(&org.organization), org.organization.calls())
}

/// Asserts that the receipt lists exactly the writes that were sent.
fn check_receipt(receipt: &Receipt, organization: &sim::SimOrganization, what: &str) {
    let calls = organization.calls();
    let answered = calls.iter().filter(|call| call.is_write() && call.outcome == CallOutcome::Success).count();
    let lost = calls.iter().filter(|call| call.is_write() && call.outcome == CallOutcome::ResponseLost).count();
    let did = receipt.changes().iter().filter(|change| change.certainty == Certainty::Confirmed).count();
    let maybe = receipt.changes().iter().filter(|change| change.certainty == Certainty::Unconfirmed).count();
    // AWS deletes the role in a background task, which may fail.
    let tasks = calls.iter().filter(|call| call.operation == Operation::DeleteServiceLinkedRole).count();
    assert!(did <= answered && did + maybe + tasks >= answered, "{what}: {receipt:?}\n{calls:?}");
    assert!(did + maybe <= answered + lost, "{what}: {receipt:?}\n{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn apply_emits_events_in_order_with_growing_receipt() {
    let org = OrganizationClients::new(organization().service_linked_role(&ROLE));
    let plan = org.plan(&onboarding().with_role()).await;
    // Another caller completes one of the steps.
    org.organization.enable_trusted_access(&SSM);
    an_hour_later().await;
    let mut seen = Vec::new();
    let mut kept: Vec<Receipt> = Vec::new();
    let receipt = plan
        .apply(&org.clients(), |event| match event {
            Event::Started { index, step, .. } => {
                assert_eq!(plan.steps().get(index), Some(step));
                seen.push(format!("{index} started"));
            }
            Event::Changed { index, change, receipt, .. } => {
                assert_eq!(receipt.changes().last(), Some(change));
                kept.push(receipt.clone());
                seen.push(format!("{index} changed"));
            }
            Event::Skipped { index, .. } => seen.push(format!("{index} skipped")),
            _ => {}
        })
        .await
        .unwrap()
        .receipt;
    let expected = [
        "0 started",
        "0 skipped",
        "1 started",
        // The management account's sync does not need the administrator.
        "2 started",
        "1 changed",
        "3 started",
        "4 started",
        "2 changed",
        "3 changed",
        "4 changed",
    ];
    assert_eq!(seen, expected, "{plan}");
    assert_eq!(kept.iter().map(|receipt| receipt.changes().len()).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(kept.last(), Some(&receipt));
    assert_eq!(receipt.organization(), &plan.snapshot().organization().id);
    assert!(receipt.changes().iter().all(|change| change.certainty == Certainty::Confirmed && change.observed));
}

#[tokio::test(start_paused = true)]
async fn apply_to_other_organization_fails() {
    let org = OrganizationClients::new(organization());
    let plan = org.plan(&onboarding()).await;
    let others = [
        // The organizations differ in their ID, their management account, or both.
        organization().management(account("999999999999")).id("o-1111111111".parse().unwrap()),
        organization().id("o-1111111111".parse().unwrap()),
        organization().management(account("999999999999")),
    ];
    for (index, other) in others.into_iter().enumerate() {
        if index > 0 {
            an_hour_later().await;
        }
        let other = other.build();
        let client = other.management_client();
        let alice = other.client(alice());
        let stopped = plan.apply(&Clients::new(&client).with_account_client(&alice), |_| {}).await.unwrap_err();
        let ErrorKind::OrganizationMismatch { expected, .. } = stopped.error().kind() else { panic!("{stopped:#}") };
        assert_eq!(expected.as_str(), "o-exampleorgid");
        assert_eq!(other.write_count(), 0);
        assert!(stopped.receipt().is_empty() && stopped.done().is_empty());
        assert_eq!(stopped.remaining().len(), plan.steps().len());
    }
}

#[tokio::test(start_paused = true)]
async fn apply_with_unmet_requirement_fails_before_first_write() {
    type Arrange = fn(&sim::SimOrganization);
    type Expected = fn(&ErrorKind) -> bool;
    let cases: [(&str, Arrange, Expected); 4] = [
        ("left", |organization| organization.remove_member(alice()), |kind| *kind == ErrorKind::AccountNotFound),
        (
            "suspended",
            |organization| organization.set_member(alice(), AccountState::Suspended),
            |kind| matches!(kind, ErrorKind::AccountNotActive { .. }),
        ),
        (
            "Bob administers",
            |organization| {
                organization.enable_trusted_access(&SSM);
                organization.register_administrator(bob());
            },
            |kind| matches!(kind, ErrorKind::PreconditionFailed { .. }),
        ),
        (
            "another sync",
            |organization| {
                organization.add_data_sync(management(), region(HOME), organization_sync("ours"));
            },
            |kind| matches!(kind, ErrorKind::PreconditionFailed { .. }),
        ),
    ];
    for (what, arrange, expected) in cases {
        let org = OrganizationClients::new(organization());
        let plan = org.plan(&onboarding()).await;
        arrange(&org.organization);
        an_hour_later().await;
        org.organization.clear_calls();
        let stopped = org.apply(&plan).await.unwrap_err();
        assert!(expected(stopped.error().kind()), "{what}: {stopped:#}");
        assert_eq!(org.organization.write_count(), 0, "{what}");
    }

    // The clients that the plan needs are missing.
    let org = OrganizationClients::new(organization());
    let plan = org.plan(&onboarding()).await;
    let stopped = plan.apply(&Clients::new(&org.management), |_| {}).await.unwrap_err();
    assert!(
        matches!(stopped.error().kind(), ErrorKind::MissingClient { account, .. } if *account == alice()),
        "{stopped:#}"
    );
    let org = OrganizationClients::new(delegated().service_linked_role(&ROLE).data_sync(
        management(),
        region(HOME),
        shown("ours"),
    ));
    let target = Target::new().without_administrator().search_regions(home()).without_sync(
        Caller::Management,
        name("ours"),
        home(),
    );
    let plan = org.plan(&target).await;
    for late in [false, true] {
        if late {
            an_hour_later().await;
        }
        let stopped = plan.apply(&Clients::new(&org.management), |_| {}).await.unwrap_err();
        assert!(matches!(stopped.error().kind(), ErrorKind::DataSyncsNotChecked { .. }), "{stopped:#}");
        assert_eq!(org.organization.write_count(), 0);
    }
    // The client belongs to another account.
    let plan = org.plan(&Target::new().with_role().with_trusted_access(true).with_administrator(alice())).await;
    assert!(plan.is_empty());
    let org = OrganizationClients::new(trusting().delegated_administrator_for(&QUICK_SETUP, alice()));
    let plan = org.plan(&Target::new().with_administrator(bob())).await;
    let stopped = plan.apply(&Clients::new(&org.alice), |_| {}).await.unwrap_err();
    assert!(matches!(stopped.error().kind(), ErrorKind::NotManagementAccount { .. }), "{stopped:#}");
    assert_eq!(org.organization.write_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn apply_error_reports_done_remaining_and_current_state() {
    let org = OrganizationClients::new(organization());
    let plan = org.plan(&onboarding()).await;
    org.organization.inject_fault(
        Operation::RegisterDelegatedAdministrator,
        1,
        Fault::refused("AccessDeniedException"),
    );
    let stopped = org.apply(&plan).await.unwrap_err();
    // The management account's sync does not need the administrator.
    assert_eq!((stopped.done(), stopped.remaining()), (&[0, 1, 3][..], &[2, 4, 5][..]));
    assert_eq!(stopped.receipt().changes().len(), 3);
    let now = stopped.now().expect("the state was not read");
    let service = now.service(&SSM).unwrap();
    assert!(service.trusted_access.known().unwrap().is_some());
    assert!(service.administrators.known().unwrap().is_empty());
    assert!(now.role().unwrap().known().unwrap().is_some());
    assert!(stopped.to_string().starts_with("RegisterDelegatedAdministrator for account 222222222222"), "{stopped}");
    let debug = format!("{stopped:?}");
    assert!(debug.contains("remaining: [2, 4, 5]"), "{debug}");
    let (error, receipt) = stopped.into_parts();
    assert_eq!((error.kind(), receipt.changes().len()), (&ErrorKind::AccessDenied, 3));
    // A second run continues with the remaining steps.
    let rest = org.apply(&plan).await.unwrap();
    assert_eq!(rest.changes().len(), 3);

    // One failed sync does not stop the others.
    let org = OrganizationClients::new(organization());
    let plan = org.plan(&onboarding()).await;
    org.organization.inject_fault(Operation::CreateResourceDataSync, 2, Fault::refused("InternalServerErrorX"));
    let stopped = org.apply(&plan).await.unwrap_err();
    assert_eq!((stopped.done(), stopped.remaining()), (&[0, 1, 2, 3, 5][..], &[4][..]));
    let error = Error::from(stopped);
    assert_eq!(error.operation(), Some(Operation::CreateResourceDataSync));
}

/// Concurrent change in a story, with a check that the change persists.
struct ConcurrentChange {
    story: fn() -> PlanCase,
    act: fn(&sim::SimOrganization),
    survives: fn(&sim::SimOrganization) -> bool,
    /// Read, its caller, and the write that follows. A change between the two cannot be detected.
    blind: Option<(Operation, AccountId, Operation)>,
}

fn story(name: &'static str) -> PlanCase {
    stories().into_iter().find(|story| story.name == name).unwrap()
}

fn foreign_sync(text: &str) -> DataSync {
    let mut sync = shown(text);
    sync.regions = vec![region("ap-south-1")];
    sync
}

fn holds(organization: &sim::SimOrganization, owner: AccountId, text: &str) -> bool {
    let syncs = organization.data_syncs(owner, &region(HOME));
    syncs.iter().any(|sync| sync.name == name(text) && sync.regions == [region("ap-south-1")])
}

fn rivals() -> Vec<ConcurrentChange> {
    vec![
        ConcurrentChange {
            story: || story("onboarding"),
            act: |organization| organization.register_administrator(bob()),
            survives: |organization| organization.administrators().contains(&bob()),
            blind: None,
        },
        ConcurrentChange {
            story: || story("onboarding"),
            act: |organization| organization.add_data_sync(management(), region(HOME), foreign_sync("ours")),
            survives: |organization| holds(organization, management(), "ours"),
            blind: None,
        },
        ConcurrentChange {
            story: || story("handover"),
            act: |organization| organization.register_administrator_for(&QUICK_SETUP, alice()),
            survives: |organization| like(organization) != like(&everything().build()),
            blind: None,
        },
        ConcurrentChange {
            story: || story("offboarding"),
            act: |organization| organization.register_administrator(bob()),
            survives: |organization| organization.administrators().contains(&bob()),
            blind: None,
        },
        ConcurrentChange {
            story: || story("offboarding"),
            act: |organization| organization.add_data_sync(alice(), region(HOME), foreign_sync("new")),
            survives: |organization| holds(organization, alice(), "new"),
            blind: Some((Operation::ListResourceDataSync, alice(), Operation::DeregisterDelegatedAdministrator)),
        },
        ConcurrentChange {
            story: || story("offboarding"),
            act: |organization| {
                organization.remove_data_sync(management(), &region(HOME), &name("ours"));
                organization.add_data_sync(management(), region(HOME), foreign_sync("ours"));
            },
            survives: |organization| holds(organization, management(), "ours"),
            blind: Some((Operation::ListResourceDataSync, management(), Operation::DeleteResourceDataSync)),
        },
        ConcurrentChange {
            story: || story("rearranged"),
            act: |organization| {
                organization.remove_data_sync(management(), &region(HOME), &name("ours"));
                organization.add_data_sync(management(), region(HOME), foreign_sync("ours"));
            },
            survives: |organization| holds(organization, management(), "ours"),
            blind: Some((Operation::ListResourceDataSync, management(), Operation::UpdateResourceDataSync)),
        },
        ConcurrentChange {
            story: || story("handover"),
            act: |organization| {
                organization.remove_data_sync(alice(), &region(HOME), &name("theirs"));
                organization.add_data_sync(alice(), region(HOME), foreign_sync("theirs"));
            },
            survives: |organization| holds(organization, alice(), "theirs"),
            blind: Some((Operation::ListResourceDataSync, alice(), Operation::DeregisterDelegatedAdministrator)),
        },
        ConcurrentChange {
            story: || story("handover"),
            act: |organization| {
                organization.deregister_administrator(alice());
                organization.register_administrator(alice());
            },
            survives: |organization| organization.administrators().contains(&alice()),
            // Two reads precede the write, and the second one accepts any registration date.
            blind: Some((Operation::DescribeAccount, management(), Operation::DeregisterDelegatedAdministrator)),
        },
        ConcurrentChange {
            story: || story("offboarding"),
            act: |organization| {
                organization.remove_role(management(), &RoleName::ACCOUNT_DISCOVERY);
                organization.add_role(management(), &ROLE);
            },
            survives: |organization| organization.has_role(management(), &RoleName::ACCOUNT_DISCOVERY),
            // AWS deletes the role in the background.
            blind: Some((Operation::GetRole, management(), Operation::GetServiceLinkedRoleDeletionStatus)),
        },
        ConcurrentChange {
            story: || story("teardown, whatever there is"),
            act: |organization| {
                organization.disable_trusted_access(&SSM);
                organization.enable_trusted_access(&SSM);
            },
            survives: trusts,
            blind: Some((
                Operation::ListAwsServiceAccessForOrganization,
                management(),
                Operation::DisableAwsServiceAccess,
            )),
        },
    ]
}

/// Returns whether the n-th call is between the last read and the write. Without such a read, the
/// snapshot of the plan guards the write.
fn is_blind(calls: &[sim::Call], nth: usize, (look, as_whom, write): (Operation, AccountId, Operation)) -> bool {
    let at_home = |call: &sim::Call| call.region.as_ref().is_none_or(|at| *at == region(HOME));
    let looks = |call: &sim::Call| call.operation == look && call.caller == as_whom && at_home(call);
    let writes = calls.iter().enumerate().filter(|(_, call)| call.operation == write && at_home(call));
    writes.into_iter().any(|(at, _)| {
        let before = calls.iter().take(at).rposition(looks);
        (before.map_or(1, |before| before + 2)..=at + 1).contains(&nth)
    })
}

#[tokio::test(start_paused = true)]
async fn apply_with_concurrent_change_preserves_it() {
    for (number, rival) in rivals().into_iter().enumerate() {
        let story = (rival.story)();
        let (end, calls) = calm(&story).await;
        let mut noticed = 0;
        for nth in 0..=calls.len() {
            let what = format!("concurrent change {number} before call {nth} of {}", story.name);
            let org = OrganizationClients::new((story.start)());
            let plan = org.plan(&(story.target)()).await;
            org.organization.clear_calls();
            if nth == 0 {
                // The change precedes the application of the plan.
                (rival.act)(&org.organization);
                an_hour_later().await;
            } else {
                org.organization.run_before_call(nth, rival.act);
            }
            let result = org.apply(&plan).await;
            if rival.blind.is_some_and(|blind| is_blind(&calls, nth, blind)) {
                continue;
            }
            assert!((rival.survives)(&org.organization), "{what}: {result:?}\n{:#?}", org.organization.calls());
            match &result {
                Ok(receipt) => check_receipt(receipt, &org.organization, &what),
                Err(stopped) => {
                    noticed += 1;
                    check_receipt(stopped.receipt(), &org.organization, &what);
                    check_stopped(stopped, &plan, &what);
                    assert!(!stopped.to_string().is_empty());
                }
            }
            if nth == 0 && rival.blind.is_some() {
                let stopped = result.expect_err(&what);
                let kind = stopped.error().kind();
                assert!(
                    matches!(kind, ErrorKind::PreconditionFailed { .. } | ErrorKind::DataSyncsExist { .. }),
                    "{what}: {stopped}"
                );
                assert!(stopped.receipt().is_empty(), "{what}: {stopped}");
                assert_eq!(org.organization.write_count(), 0, "{what}");
            }
            // A second run preserves the change too.
            let _ = org.apply(&plan).await;
            assert!((rival.survives)(&org.organization), "{what}: again");
        }
        let harmless = story.name == "handover" && rival.blind.is_none();
        assert!(noticed > 0 || harmless, "concurrent change {number} is never detected");
        drop(end);
    }
}

/// Asserts that each step is either done, unconfirmed or remaining.
fn check_stopped(stopped: &ApplyError, plan: &Plan, what: &str) {
    let mut all = [stopped.done(), stopped.unconfirmed(), stopped.remaining()].concat();
    all.sort_unstable();
    assert_eq!(all, (0..plan.steps().len()).collect::<Vec<_>>(), "{what}");
}

#[tokio::test(start_paused = true)]
async fn apply_disable_fails_for_new_sync_of_any_account() {
    let org = OrganizationClients::new(delegated());
    let target = Target::new().with_trusted_access(false).without_administrator().search_regions(home());
    let plan = org.plan(&target).await;
    org.organization.run_before(Operation::DeregisterDelegatedAdministrator, 1, |organization| {
        organization.add_data_sync(bob(), region(HOME), shown("bobs"));
    });
    let stopped = org.apply(&plan).await.unwrap_err();
    let ErrorKind::DataSyncsExist { syncs, .. } = stopped.error().kind() else { panic!("{stopped:#}") };
    assert_eq!(syncs.iter().map(|sync| sync.id.account).collect::<Vec<_>>(), [bob()]);
    assert_eq!(org.organization.write_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn precondition_failed_reports_expected_and_found_state() {
    let org = OrganizationClients::new(everything());
    let plan = org.plan(&Target::new().with_administrator(bob()).with_unlisted_syncs(UnlistedSyncs::AllowLoss)).await;
    org.organization.deregister_administrator(alice());
    org.organization.register_administrator(alice());
    an_hour_later().await;
    let stopped = org.apply(&plan).await.unwrap_err();
    let ErrorKind::PreconditionFailed { expected, found, .. } = stopped.error().kind() else { panic!("{stopped}") };
    assert!(matches!(&**expected, Precondition::Delegated { account, .. } if *account == alice()));
    assert_eq!(found, "account 222222222222 has been registered again for ssm.amazonaws.com");
    assert_eq!(stopped.error().operation(), Some(Operation::DeregisterDelegatedAdministrator));
    assert_eq!(
        stopped.to_string(),
        "DeregisterDelegatedAdministrator: precondition failed: expected account 222222222222 is the \
         delegated administrator of ssm.amazonaws.com; found account 222222222222 has been registered again for ssm.amazonaws.com; make a new plan"
    );
}

#[tokio::test(start_paused = true)]
async fn precondition_failed_reports_deleted_or_changed_sync() {
    type Act = fn(&sim::SimOrganization);
    let cases: [(Act, &str); 3] = [
        (
            |organization| organization.remove_data_sync(management(), &region(HOME), &name("ours")),
            "the data sync \"ours\" of account 111111111111 in eu-central-1 does not exist",
        ),
        (
            |organization| {
                let [before] = &organization.data_syncs(management(), &region(HOME))[..] else {
                    panic!("expected one data sync")
                };
                let mut changed = foreign_sync("ours");
                changed.created = before.created;
                organization.remove_data_sync(management(), &region(HOME), &name("ours"));
                organization.add_data_sync(management(), region(HOME), changed);
            },
            "the data sync \"ours\" of account 111111111111 in eu-central-1 has been changed",
        ),
        (
            |organization| {
                organization.remove_data_sync(management(), &region(HOME), &name("ours"));
                organization.add_data_sync(management(), region(HOME), shown("ours"));
            },
            "the data sync \"ours\" of account 111111111111 in eu-central-1 has been recreated",
        ),
    ];
    for (act, words) in cases {
        let org = OrganizationClients::new(everything());
        let changed = whole("ours").including_future_regions();
        let plan = org.plan(&Target::new().with_sync(Caller::Management, changed, home())).await;
        an_hour_later().await;
        act(&org.organization);
        let stopped = org.apply(&plan).await.unwrap_err();
        let ErrorKind::PreconditionFailed { expected, found, .. } = stopped.error().kind() else { panic!("{stopped}") };
        assert!(matches!(&**expected, Precondition::SyncUnchanged { .. }), "{expected}");
        assert_eq!(found, words);
        assert_eq!(org.organization.write_count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn apply_register_without_trusted_access_sends_no_write() {
    let org = OrganizationClients::new(trusting());
    let plan = org.plan(&Target::new().with_administrator(alice())).await;
    org.organization.disable_trusted_access(&SSM);
    an_hour_later().await;
    let stopped = org.apply(&plan).await.unwrap_err();
    assert_eq!(*stopped.error().kind(), ErrorKind::TrustedAccessDisabled, "{stopped}");
    assert_eq!(org.organization.write_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn apply_sync_without_trusted_access_sends_no_write() {
    let targets = [
        Target::new().with_sync(Caller::Management, whole("new"), home()),
        Target::new().with_sync(Caller::Management, whole("ours").including_future_regions(), home()),
        // The steps before the loss are not executed either.
        Target::new().with_sync(Caller::Management, whole("new"), home()).without_sync(
            Caller::Management,
            name("ours"),
            home(),
        ),
    ];
    for target in targets {
        let start = trusting().service_linked_role(&ROLE).data_sync(management(), region(HOME), shown("ours"));
        // The simulator creates a sync whose prerequisites are missing.
        let mut lenient = sim::UndocumentedBehavior::default();
        lenient.sync_without_prerequisites = SyncWithoutPrerequisites::Created;
        let org = OrganizationClients::new(start.undocumented_behavior(lenient));
        let plan = org.plan(&target).await;
        org.organization.disable_trusted_access(&SSM);
        an_hour_later().await;
        let stopped = org.apply(&plan).await.unwrap_err();
        assert_eq!(*stopped.error().kind(), ErrorKind::TrustedAccessDisabled, "{stopped}");
        assert_eq!(stopped.error().region(), Some(&region(HOME)));
        assert_eq!(org.organization.write_count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn apply_role_deletion_fails_if_trusted_access_is_enabled() {
    let org = OrganizationClients::new(organization().service_linked_role(&ROLE));
    let plan = org.plan(&Target::new().without_role().search_regions(home())).await;
    an_hour_later().await;
    org.organization.enable_trusted_access(&SSM);
    let stopped = org.apply(&plan).await.unwrap_err();
    let ErrorKind::PreconditionFailed { expected, found, .. } = stopped.error().kind() else { panic!("{stopped}") };
    assert!(matches!(&**expected, Precondition::TrustedAccessDisabled { .. }), "{expected}");
    assert_eq!(found, "trusted access for ssm.amazonaws.com is enabled");
    assert_eq!(org.organization.write_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn apply_role_deletion_ignores_trust_of_companion() {
    let org = OrganizationClients::new(organization().service_linked_role(&ROLE).trusted_access_for(&QUICK_SETUP));
    let companion = ServiceTarget::new().with_trusted_access(false);
    let target = Target::new().without_role().with_companion(QUICK_SETUP, companion).search_regions(home());
    let plan = org.plan(&target).await;
    assert_eq!(outline(&plan), ["delete the role".to_owned(), format!("distrust {QUICK_SETUP}")]);
    an_hour_later().await;
    org.organization.enable_trusted_access(&SSM);
    let stopped = org.apply(&plan).await.unwrap_err();
    assert!(matches!(stopped.error().kind(), ErrorKind::PreconditionFailed { .. }), "{stopped}");
    assert_eq!(org.organization.call_count(Operation::DeleteServiceLinkedRole), 0);
}

#[tokio::test(start_paused = true)]
async fn apply_with_unknown_caller_reports_retry_status() {
    let distrust = |others| Target::new().with_trusted_access(false).with_unlisted_syncs(others);
    let (unheard, denied) = (Fault::ResponseLost, Fault::refused("AccessDenied"));
    for (target, fault, refused) in [
        (distrust(UnlistedSyncs::Protect).search_regions(home()), &unheard, Some(RetryStatus::Temporary)),
        (distrust(UnlistedSyncs::Protect).search_regions(home()), &denied, Some(RetryStatus::Permanent)),
        // With allowed loss, the syncs that can be listed are still recorded.
        (distrust(UnlistedSyncs::AllowLoss).search_regions(home()), &unheard, None),
        (distrust(UnlistedSyncs::AllowLoss).search_regions(home()), &denied, None),
        (distrust(UnlistedSyncs::AllowLoss), &unheard, None),
    ] {
        let org = OrganizationClients::new(trusting());
        let plan = org.plan(&target).await;
        an_hour_later().await;
        org.organization.clear_calls();
        org.organization.inject_fault(Operation::GetCallerIdentity, 1, fault.clone());
        let applied = plan.apply(&Clients::new(&org.management), |_: Event<'_>| {}).await;
        match (applied, refused) {
            (Err(stopped), Some(retry)) => {
                let error = stopped.error();
                assert!(matches!(error.kind(), ErrorKind::DataSyncsNotChecked { .. }), "{error}");
                assert_eq!((error.retry_status(), org.organization.write_count()), (retry, 0), "{fault:?}: {plan}");
            }
            (Ok(_), None) => assert!(!org.organization.is_trusted(&SSM)),
            (other, _) => panic!("{fault:?}: {other:?}\n{plan}"),
        }
    }

    // Only syncs of the administrator's account are affected, and no client of that account is
    // given.
    let org = OrganizationClients::new(delegated());
    let plan = org
        .plan(
            &Target::new().without_administrator().with_unlisted_syncs(UnlistedSyncs::AllowLoss).search_regions(home()),
        )
        .await;
    org.organization.inject_fault(Operation::GetCallerIdentity, 1, unheard);
    plan.apply(&Clients::new(&org.management), |_: Event<'_>| {}).await.unwrap();
    assert_eq!(org.organization.administrators(), []);
}

#[tokio::test(start_paused = true)]
async fn apply_retries_stale_refusal_of_sync() {
    let org = OrganizationClients::new(organization());
    let plan = org.plan(&onboarding()).await;
    let late = Fault::refused("ResourceDataSyncInvalidConfigurationException");
    org.organization.inject_fault(Operation::CreateResourceDataSync, 1, late);
    let receipt = org.apply(&plan).await.unwrap();
    assert_eq!(receipt.changes().len(), plan.steps().len(), "the plan itself has created the prerequisites");
}

#[tokio::test(start_paused = true)]
async fn apply_replacement_without_trust_keeps_administrator() {
    let org = OrganizationClients::new(delegated());
    let plan = org.plan(&Target::new().with_administrator(bob()).search_regions(home())).await;
    assert_eq!(plan.steps().len(), 2, "{plan}");
    org.organization.disable_trusted_access(&SSM);
    an_hour_later().await;
    org.organization.clear_calls();
    let stopped = org.apply(&plan).await.unwrap_err();
    assert_eq!(*stopped.error().kind(), ErrorKind::TrustedAccessDisabled, "{stopped}");
    assert_eq!(stopped.error().account(), Some(bob()));
    assert_eq!(org.organization.write_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn apply_checks_quota_ahead_only_before_deletions() {
    let org = OrganizationClients::new(organization());
    let plan = org.plan(&onboarding()).await;
    org.organization.clear_calls();
    org.apply(&plan).await.unwrap();
    // One listing follows each creation. Before a creation, the plan uses its own listings.
    assert_eq!(org.organization.call_count(Operation::ListResourceDataSync), 3);
}

#[tokio::test(start_paused = true)]
async fn apply_replacement_without_sync_quota_deletes_nothing() {
    type Act = fn(&sim::SimOrganization);
    let cases: [(&str, Act); 3] = [
        ("taken", |organization| {
            let theirs = DataSync::new(name("theirs"), None);
            organization.add_data_sync_of_type(SyncType::SyncToDestination, bob(), region(AWAY), theirs);
        }),
        ("full of Inventory's", |organization| {
            for number in 0..5 {
                let theirs = DataSync::new(name(&format!("bobs-{number}")), None);
                organization.add_data_sync_of_type(SyncType::SyncToDestination, bob(), region(AWAY), theirs);
            }
        }),
        ("full of Explorer's", |organization| {
            for number in 0..5 {
                let single =
                    DataSync::new(name(&format!("bobs-{number}")), Some(SyncSourceType::SingleAccountMultiRegions));
                organization.add_data_sync(bob(), region(AWAY), single);
            }
        }),
    ];
    for (what, act) in cases {
        let story = story("handover");
        let org = OrganizationClients::new((story.start)());
        let plan = org.plan(&(story.target)()).await;
        act(&org.organization);
        an_hour_later().await;
        let stopped = org.apply(&plan).await.unwrap_err();
        let error = stopped.error();
        match (what, error.kind()) {
            ("taken", ErrorKind::SyncNameTaken) => {}
            (_, ErrorKind::SyncQuotaExceeded { names, .. }) if what != "taken" => {
                assert_eq!(names.len(), 5, "{what}");
            }
            _ => panic!("{what}: {stopped}"),
        }
        assert_eq!((error.caller(), error.region()), (Some(bob()), Some(&region(AWAY))), "{what}");
        assert_eq!(org.organization.write_count(), 0, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn apply_keeps_old_sync_if_quota_stays_exceeded() {
    let start = ["a", "b", "c", "d", "e"].iter();
    let start = start.fold(trusting().service_linked_role(&ROLE), |start, text| {
        start.data_sync(management(), region(HOME), shown(text))
    });
    let org = OrganizationClients::new(start);
    let target = Target::new().with_sync(Caller::Management, whole("new"), home());
    let plan = org.plan(&target.without_sync(Caller::Management, name("e"), home())).await;
    // The account has six syncs, because AWS raised its quota. AWS does not return the new quota.
    org.organization.add_data_sync(management(), region(HOME), shown("f"));
    an_hour_later().await;
    let stopped = org.apply(&plan).await.unwrap_err();
    assert!(matches!(stopped.error().kind(), ErrorKind::SyncQuotaExceeded { .. }), "{stopped}");
    assert_eq!(org.organization.write_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn apply_replaces_sync_if_inventory_has_separate_quota() {
    let mut apart = sim::UndocumentedBehavior::default();
    apart.sync_quota_is_shared = false;
    let start = (0..5).fold(trusting().service_linked_role(&ROLE).undocumented_behavior(apart), |start, number| {
        let theirs = DataSync::new(name(&format!("inventory-{number}")), None);
        start.data_sync_of_type(SyncType::SyncToDestination, management(), region(HOME), theirs)
    });
    let org = OrganizationClients::new(start.data_sync(management(), region(HOME), shown("ours")));
    let target = Target::new().with_sync(Caller::Management, whole("new"), home()).without_sync(
        Caller::Management,
        name("ours"),
        home(),
    );
    assert_eq!(org.reach(&target).await.changes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn apply_sync_and_role_without_list_permission_succeeds() {
    let start = || OrganizationClients::new(trusting().service_linked_role(&ROLE));
    let org = start();
    let client = org.management.clone().without_permission("organizations:ListDelegatedAdministrators");
    let clients = Clients::new(&client);
    let target = Target::new().with_sync(Caller::Management, whole("new"), home());
    let plan = target.plan(&clients).await.unwrap();
    an_hour_later().await;
    assert_eq!(plan.apply(&clients, |_| {}).await.unwrap().receipt.changes().len(), 1);

    let org = start();
    org.organization.disable_trusted_access(&SSM);
    let client = org.management.clone().without_permission("organizations:ListDelegatedAdministrators");
    let clients = Clients::new(&client);
    let plan = Target::new().without_role().search_regions(home()).plan(&clients).await.unwrap();
    assert_eq!(plan.apply(&clients, |_| {}).await.unwrap().receipt.changes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn apply_rereads_state_that_planning_could_not_read() {
    let org = OrganizationClients::new(organization());
    org.organization.inject_fault(Operation::ListDelegatedAdministrators, 2, Fault::ResponseLost);
    let trusted = || ServiceTarget::new().with_trusted_access(true);
    let target = Target::new().with_trusted_access(true).with_companion(QUICK_SETUP, trusted());
    assert_eq!(org.reach(&target).await.changes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn apply_with_allow_loss_skips_check_without_client() {
    let org = OrganizationClients::new(delegated().data_sync(alice(), region(HOME), shown("theirs")));
    let alone = Clients::new(&org.management);
    let target =
        Target::new().without_administrator().with_unlisted_syncs(UnlistedSyncs::AllowLoss).search_regions(home());
    let receipt = target.plan(&alone).await.unwrap().apply(&alone, |_| {}).await.unwrap().receipt;
    let [change] = receipt.changes() else { panic!("{receipt:?}") };
    let ChangeKind::AdministratorDeregistered { syncs, .. } = &change.kind else { panic!("{change}") };
    assert_eq!(*syncs, SyncCheckReport::Skipped, "the report claims no check");
}

#[tokio::test(start_paused = true)]
async fn apply_error_source_equals_source_of_its_error() {
    let org = OrganizationClients::new(delegated());
    let plan = org.plan(&Target::new().without_administrator().search_regions(home())).await;
    an_hour_later().await;
    for nth in 1..10 {
        org.organization.inject_fault(Operation::ListResourceDataSync, nth, Fault::refused("AccessDeniedException"));
    }
    let stopped = org.apply(&plan).await.unwrap_err();
    assert!(matches!(stopped.error().kind(), ErrorKind::DataSyncsNotChecked { .. }), "{stopped}");
    let source = stopped.source().map(ToString::to_string).unwrap();
    assert!(source.contains("ListResourceDataSync"), "{source}");
    assert_eq!(Some(source), stopped.error().source().map(ToString::to_string), "each link of the chain appears once");
}

#[tokio::test(start_paused = true)]
async fn apply_skips_steps_already_done() {
    let org = OrganizationClients::new(organization());
    let plan = org.plan(&onboarding()).await;
    org.apply(&plan).await.unwrap();
    for late in [false, true] {
        if late {
            an_hour_later().await;
        }
        let writes = org.organization.write_count();
        let receipt = org.apply(&plan).await.unwrap();
        assert!(receipt.is_empty());
        assert_eq!(org.organization.write_count(), writes);
    }
}

#[tokio::test(start_paused = true)]
async fn apply_again_with_hidden_attributes_writes_nothing() {
    let mut setting = sim::UndocumentedBehavior::default();
    setting.sync_booleans_are_shown = false;
    let org = OrganizationClients::new(organization().undocumented_behavior(setting));
    let plan = org.plan(&onboarding()).await;
    org.apply(&plan).await.unwrap();
    let writes = org.organization.write_count();
    assert!(org.apply(&plan).await.unwrap().is_empty());
    assert_eq!(org.organization.write_count(), writes);
}

#[tokio::test(start_paused = true)]
async fn apply_with_changed_affected_sync_fails_before_writes() {
    let org = OrganizationClients::new(everything());
    let target = Target::new().without_sync(Caller::Management, name("ours"), home()).without_administrator();
    let plan = org.plan(&target.with_unlisted_syncs(UnlistedSyncs::AllowLoss)).await;
    assert_eq!(plan.steps().len(), 2);
    org.organization.add_data_sync(alice(), region(HOME), foreign_sync("theirs"));
    an_hour_later().await;
    let stopped = org.apply(&plan).await.unwrap_err();
    assert!(matches!(stopped.error().kind(), ErrorKind::DataSyncsExist { .. }), "{stopped:#}");
    assert_eq!(org.organization.write_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn apply_stopped_at_any_call_completes_on_rerun() {
    for story in stories() {
        let (end, calls) = calm(&story).await;
        for nth in 1..=calls.len() {
            for same_plan in [false, true] {
                let what = format!("{}, killed at call {nth}, same plan {same_plan}", story.name);
                let org = OrganizationClients::new((story.start)());
                let plan = org.plan(&(story.target)()).await;
                org.organization.clear_calls();
                org.organization.stop_at_call(nth);
                let stopped = org.apply(&plan).await.expect_err(&what);
                assert!(stopped.now().is_none(), "{what}: no read succeeded");
                check_stopped(&stopped, &plan, &what);
                check_receipt(stopped.receipt(), &org.organization, &what);
                org.organization.resume();
                let plan = if same_plan { plan } else { org.plan(&(story.target)()).await };
                let done = org.apply(&plan).await;
                let done = done.unwrap_or_else(|stopped| panic!("{what}: {:#}\n{plan}", stopped.error()));
                assert_eq!(like(&org.organization), end, "{what}: {done:?}");
                assert!(org.plan(&(story.target)()).await.is_empty(), "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn apply_with_lost_response_is_unconfirmed_and_not_resent() {
    for story in stories() {
        let (end, calls) = calm(&story).await;
        let writes: Vec<_> = calls.iter().enumerate().filter(|(_, call)| call.is_write()).collect();
        for (at, call) in writes {
            let what = format!("{}: the reply to {call} is lost", story.name);
            let org = OrganizationClients::new((story.start)());
            let plan = org.plan(&(story.target)()).await;
            org.organization.clear_calls();
            org.organization.inject_fault_at_call(at + 1, Fault::ResponseLost);
            let receipt = org.apply(&plan).await.unwrap_or_else(|stopped| panic!("{what}: {stopped:#}"));
            let maybes = receipt.changes().iter().filter(|change| change.certainty == Certainty::Unconfirmed).count();
            assert_eq!(maybes, 1, "{what}: {receipt:?}");
            assert_eq!(org.organization.write_count(), plan.steps().len(), "{what}");
            assert_eq!(like(&org.organization), end, "{what}");

            // A lost request is unconfirmed too, and stops the run.
            let org = OrganizationClients::new((story.start)());
            let plan = org.plan(&(story.target)()).await;
            org.organization.clear_calls();
            org.organization.inject_fault_at_call(at + 1, Fault::RequestLost);
            let stopped = org.apply(&plan).await.expect_err(&what);
            assert_eq!(stopped.error().write_status(), WriteStatus::Unknown, "{what}: {stopped:#}");
            let maybes: Vec<_> = stopped
                .receipt()
                .changes()
                .iter()
                .filter(|change| change.certainty == Certainty::Unconfirmed)
                .collect();
            assert!(matches!(maybes.as_slice(), [maybe] if !maybe.observed), "{what}: {maybes:?}");
            org.apply(&plan).await.unwrap();
            assert_eq!(like(&org.organization), end, "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn apply_waits_for_stale_reads() {
    for story in stories() {
        let (end, _) = calm(&story).await;
        for seconds in [1, 5, 20] {
            let org = OrganizationClients::new((story.start)().read_delay(Duration::from_secs(seconds)));
            let plan = org.plan(&(story.target)()).await;
            let receipt = org.apply(&plan).await;
            let receipt = receipt.unwrap_or_else(|stopped| panic!("{}, {seconds}: {stopped:#}", story.name));
            assert_eq!(receipt.changes().len(), plan.steps().len(), "{}", story.name);
            assert_eq!(like(&org.organization), end, "{}", story.name);
            an_hour_later().await;
            assert!(org.plan(&(story.target)()).await.is_empty(), "{}", story.name);
        }
    }
    // Stale and current reads alternate.
    let listings = [
        Operation::ListAwsServiceAccessForOrganization,
        Operation::ListDelegatedAdministrators,
        Operation::ListResourceDataSync,
        Operation::GetRole,
    ];
    for story in stories() {
        let (end, _) = calm(&story).await;
        for (operation, lags) in listings.iter().flat_map(|operation| {
            let (late, now) = (ReadDelay::Time(Duration::from_secs(9)), ReadDelay::NONE);
            [
                vec![late, now],
                vec![now, late],
                vec![now, now, late],
                vec![ReadDelay::Reads(1)],
                vec![ReadDelay::Reads(3), now],
            ]
            .map(|lags| (*operation, lags))
        }) {
            let what = format!("{}, {operation} {lags:?}", story.name);
            let org = OrganizationClients::new((story.start)().read_delays_for(operation, lags));
            let plan = org.plan(&(story.target)()).await;
            let receipt = org.apply(&plan).await;
            let receipt = receipt.unwrap_or_else(|stopped| panic!("{what}: {stopped:#}"));
            check_receipt(&receipt, &org.organization, &what);
            assert_eq!(like(&org.organization), end, "{what}");
        }
    }
    // The wait times out, and the receipt lists the accepted write.
    let org = OrganizationClients::new(organization().read_delay(Duration::from_mins(5)));
    let plan = org.plan(&Target::new().with_trusted_access(true)).await;
    let clients = org.clients().with_wait_timeout(Duration::from_secs(10));
    let stopped = plan.apply(&clients, |_| {}).await.unwrap_err();
    assert_eq!(*stopped.error().kind(), ErrorKind::WaitTimeout, "{stopped:#}");
    let [change] = stopped.receipt().changes() else { panic!("{stopped:?}") };
    assert_eq!((change.certainty, change.observed), (Certainty::Confirmed, false));
    assert_eq!(org.organization.write_count(), 1);
}

async fn check_apply_reaches_target(settings: Vec<sim::UndocumentedBehavior>) {
    for setting in settings {
        for story in stories() {
            let what = format!("{} under {setting:?}", story.name);
            let org = OrganizationClients::new((story.start)().undocumented_behavior(setting.clone()));
            let target = (story.target)();
            let plan = org.plan(&target).await;
            let done = org.apply(&plan).await;
            let done = done.unwrap_or_else(|stopped| panic!("{what}: {:#}\n{plan}", stopped.error()));
            // AWS may create the role when trusted access is enabled.
            let made = setting.enabling_makes_role && story.name == "onboarding";
            let missing = plan.steps().len() - done.changes().len();
            assert!(missing <= usize::from(made), "{what}");
            // AWS refuses to create an existing role.
            let refused = org.organization.write_count() - done.changes().len();
            assert!(refused <= missing, "{what}");
            let again = org.plan(&target).await;
            assert!(again.is_empty(), "{what}: {again}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn apply_with_each_switch_reaches_target() {
    check_apply_reaches_target(each_switch()).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "slow: run by `.ci/run exhaustive`"]
async fn apply_under_every_setting_reaches_target() {
    let mut settings = every_setting! {
        repeated_write: RepeatedWrite::ALL,
        reasons: BOTH,
        disable_with_administrators: DisableWithAdministrators::ALL,
        deregistering_deletes_syncs: BOTH,
        syncs_recover: BOTH,
        sync_booleans_are_shown: BOTH,
        role_serves_all_syncs: BOTH,
        enabling_makes_role: BOTH,
    };
    settings.extend(every_setting! {
        second_administrator: SecondAdministrator::ALL,
        deregister_without_trust: DeregisterWithoutTrust::ALL,
        sync_without_prerequisites: SyncWithoutPrerequisites::ALL,
        sync_quota_is_shared: BOTH,
        duplicate_role: DuplicateRole::ALL,
        role_serves_single_accounts: BOTH,
    });
    check_apply_reaches_target(settings).await;
}

#[tokio::test(start_paused = true)]
async fn apply_records_syncs_kept_after_deregistration() {
    // According to the AWS documentation, a deregistration deletes the account's syncs. If AWS
    // keeps them, disabling trusted access breaks them, and the receipt records them.
    let mut setting = sim::UndocumentedBehavior::default();
    setting.deregistering_deletes_syncs = false;
    let org = OrganizationClients::new(everything().undocumented_behavior(setting));
    let receipt = org.reach(&(story("teardown, whatever there is").target)()).await;
    let ChangeKind::TrustedAccessDisabled { syncs, .. } = &receipt.changes().last().unwrap().kind else {
        panic!("{receipt:?}")
    };
    assert_eq!(syncs.recorded().len(), 3, "{syncs:?}");
}

#[tokio::test(start_paused = true)]
async fn apply_empty_plan_writes_nothing() {
    let org = OrganizationClients::new(everything());
    let plan = org.plan(&onboarding()).await;
    assert!(plan.is_empty(), "{plan}");
    org.organization.clear_calls();
    assert!(org.apply(&plan).await.unwrap().is_empty());
    let calls = org.organization.calls();
    assert!(
        calls.iter().all(|call| call.operation == Operation::GetCallerIdentity),
        "the snapshot is recent: {calls:?}"
    );
    an_hour_later().await;
    assert!(org.apply(&plan).await.unwrap().is_empty());
    assert_eq!(org.organization.write_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn apply_stays_within_aws_rate_limits() {
    // The plan changes three services. Each call has a latency.
    let slow =
        OrganizationClients::new((story("companions").start)().with_throttling().latency(Duration::from_millis(200)));
    slow.reach(&companions()).await;
    let calls = slow.organization.calls();
    assert!(calls.iter().all(|call| call.outcome == CallOutcome::Success), "{calls:#?}");
    assert_eq!(slow.organization.call_count(Operation::DescribeAccount), 1, "each account is described once");

    for story in stories().into_iter().filter(|story| story.name != "companions") {
        let org = OrganizationClients::new((story.start)().with_throttling());
        let started = tokio::time::Instant::now();
        let plan = org.plan(&(story.target)()).await;
        org.apply(&plan).await.unwrap_or_else(|stopped| panic!("{}: {stopped:#}", story.name));
        for call in org.organization.calls() {
            assert_eq!(call.outcome, CallOutcome::Success, "{}: {call}", story.name);
        }
        let deletes_role = outline(&plan).iter().any(|step| step == "delete the role");
        assert!(deletes_role || started.elapsed().is_zero(), "{}: the run waited", story.name);
    }
}

#[tokio::test(start_paused = true)]
async fn apply_deletes_syncs_before_creating_in_full_region() {
    let five = ["a", "b", "c", "d", "e"];
    let start = five
        .iter()
        .fold(trusting().service_linked_role(&ROLE), |b, text| b.data_sync(management(), region(HOME), shown(text)));
    let org = OrganizationClients::new(start.latency(Duration::from_secs(1)));
    let mut target = Target::new();
    for text in five {
        target = target.without_sync(Caller::Management, name(text), home());
    }
    for text in ["v", "w", "x", "y", "z"] {
        target = target.with_sync(Caller::Management, whole(text), home());
    }
    org.reach(&target).await;
    let syncs = org.organization.data_syncs(management(), &region(HOME));
    assert_eq!(syncs.iter().map(|sync| sync.name.as_str()).collect::<Vec<_>>(), ["v", "w", "x", "y", "z"]);
}

#[tokio::test(start_paused = true)]
async fn apply_serializes_syncs_of_one_account_and_region() {
    let start = trusting().service_linked_role(&ROLE).data_sync(management(), region(HOME), shown("one"));
    let start = start.data_sync(management(), region(HOME), shown("two"));
    let org = OrganizationClients::new(start.latency(Duration::from_secs(1)));
    // AWS refuses an update while another update is in progress.
    let [one, two] = ["one", "two"].map(|text| whole(text).including_future_regions());
    let target = Target::new().with_sync(Caller::Management, one, home()).with_sync(Caller::Management, two, home());
    let receipt = org.reach(&target).await;
    assert_eq!(receipt.changes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn apply_creates_syncs_of_regions_concurrently() {
    let regions: Vec<_> = (0..20).map(|number| region(&format!("eu-test-{number}"))).collect();
    let org = OrganizationClients::new(trusting().service_linked_role(&ROLE).latency(Duration::from_secs(1)));
    let target = Target::new().with_sync(Caller::Management, whole("all"), regions);
    let plan = org.plan(&target).await;
    let started = tokio::time::Instant::now();
    org.apply(&plan).await.unwrap();
    // Sequential steps would need four calls for each Region.
    assert!(started.elapsed() < Duration::from_secs(40), "{:?}", started.elapsed());
    assert_eq!(org.organization.call_count(Operation::CreateResourceDataSync), 20);
}

#[cfg(feature = "serde")]
#[tokio::test(start_paused = true)]
async fn apply_saved_plan_equals_apply_new_plan() {
    for story in stories() {
        let (end, _) = calm(&story).await;
        let org = OrganizationClients::new((story.start)());
        let plan = org.plan(&(story.target)()).await;
        let kept = serde_json::to_string(&plan).unwrap();
        let read: Plan = serde_json::from_str(&kept).unwrap();
        assert_eq!(read, plan, "{}", story.name);
        assert_eq!(read.to_string(), plan.to_string(), "{}", story.name);
        org.organization.clear_calls();
        let receipt = org.apply(&read).await.unwrap();
        assert_eq!(like(&org.organization), end, "{}", story.name);
        // A saved plan may be old, so the organization is read again.
        assert_eq!(org.organization.call_count(Operation::DescribeOrganization), 1, "{}", story.name);
        let kept = serde_json::to_string(&receipt).unwrap();
        assert_eq!(serde_json::from_str::<Receipt>(&kept).unwrap(), receipt, "{}", story.name);

        // The first run stops halfway, and a second run completes the plan.
        let org = OrganizationClients::new((story.start)());
        let read: Plan =
            serde_json::from_str(&serde_json::to_string(&org.plan(&(story.target)()).await).unwrap()).unwrap();
        org.organization.clear_calls();
        org.organization.stop_at_call(14);
        org.apply(&read).await.unwrap_err();
        org.organization.resume();
        an_hour_later().await;
        org.apply(&read).await.unwrap();
        assert_eq!(like(&org.organization), end, "{}", story.name);
    }
}

#[tokio::test(start_paused = true)]
async fn apply_companion_target_leaves_systems_manager_unchanged() {
    let org = OrganizationClients::new(organization());
    let target = Target::new().with_companion(QUICK_SETUP, ServiceTarget::new().with_trusted_access(true));
    let receipt = org.reach(&target).await;
    assert!(org.organization.is_trusted(&QUICK_SETUP) && !trusts(&org.organization));
    let [change] = receipt.changes() else { panic!("{receipt:?}") };
    assert!(matches!(&change.kind, ChangeKind::TrustedAccessEnabled { principal, .. } if *principal == QUICK_SETUP));
}

#[tokio::test(start_paused = true)]
async fn apply_future_can_be_spawned() {
    let org = OrganizationClients::new(organization());
    let task = tokio::spawn(async move {
        let plan = org.plan(&onboarding()).await;
        org.apply(&plan).await.map(|receipt| receipt.changes().len()).map_err(Error::from)
    });
    assert_eq!(task.await.unwrap().unwrap(), 6);
    let org = OrganizationClients::new(everything());
    let plan = org.plan(&rearranged()).await;
    assert_eq!(plan.steps().len(), 4, "{plan}");
    assert!(outline(&plan).iter().any(|step| step.contains(AWAY)));
    let offboarded = org.plan(&offboarding()).await;
    assert_eq!(offboarded.steps().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn apply_without_regions_records_skipped_sync_check() {
    let org = OrganizationClients::new(delegated());
    let target =
        Target::new().with_trusted_access(false).without_administrator().with_unlisted_syncs(UnlistedSyncs::AllowLoss);
    let receipt = org.apply(&org.plan(&target).await).await.unwrap();
    assert_eq!(receipt.changes().len(), 2);
    for change in receipt.changes() {
        let (ChangeKind::TrustedAccessDisabled { syncs, .. } | ChangeKind::AdministratorDeregistered { syncs, .. }) =
            &change.kind
        else {
            panic!("{change}")
        };
        assert_eq!(*syncs, SyncCheckReport::Skipped, "{change}");
    }
}

#[tokio::test(start_paused = true)]
async fn apply_without_planned_client_uses_recorded_syncs() {
    // The plan has a client of Alice's account, and the application has none. The receipt records
    // the syncs that planning listed; if planning listed none, the receipt reports no check.
    for (start, lost) in [(everything(), 1), (delegated(), 0)] {
        let org = OrganizationClients::new(start);
        let target =
            Target::new().without_administrator().with_unlisted_syncs(UnlistedSyncs::AllowLoss).search_regions(home());
        let plan = org.plan(&target).await;
        an_hour_later().await;
        let receipt = plan.apply(&Clients::new(&org.management), |_: Event<'_>| {}).await.unwrap().receipt;
        let [change] = receipt.changes() else { panic!("{receipt:?}") };
        let ChangeKind::AdministratorDeregistered { syncs, .. } = &change.kind else { panic!("{change}") };
        assert_eq!((syncs.recorded().len(), *syncs == SyncCheckReport::Skipped), (lost, lost == 0), "{syncs:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn apply_keeps_administrator_registered_again() {
    let org = OrganizationClients::new(delegated().data_sync(alice(), region(HOME), shown("theirs")));
    let target = Target::new().without_administrator().without_sync(Caller::Administrator, name("theirs"), home());
    let plan = org.plan(&target).await;
    org.organization.run_before(Operation::DeleteResourceDataSync, 1, |organization| {
        organization.deregister_administrator(alice());
        organization.register_administrator(alice());
    });
    let stopped = org.apply(&plan).await.unwrap_err();
    let ErrorKind::PreconditionFailed { expected, .. } = stopped.error().kind() else { panic!("{stopped}") };
    assert!(matches!(&**expected, Precondition::Delegated { .. }), "{expected}");
    assert_eq!(org.organization.administrators(), [alice()]);
    assert_eq!(org.organization.call_count(Operation::DeregisterDelegatedAdministrator), 0);
}

#[tokio::test(start_paused = true)]
async fn apply_role_deletion_fails_for_new_single_account_sync() {
    let org = OrganizationClients::new(organization().service_linked_role(&ROLE));
    let plan = org.plan(&Target::new().without_role().search_regions(home())).await;
    an_hour_later().await;
    org.organization.run_before(Operation::GetRole, 1, |organization| {
        let single = DataSync::new(name("own"), Some(SyncSourceType::SingleAccountMultiRegions));
        organization.add_data_sync(management(), region(HOME), single);
    });
    let stopped = org.apply(&plan).await.unwrap_err();
    let ErrorKind::DataSyncsExist { syncs, .. } = stopped.error().kind() else { panic!("{stopped}") };
    assert_eq!(syncs.iter().map(|sync| sync.id.name.as_str()).collect::<Vec<_>>(), ["own"]);
    assert_eq!(org.organization.call_count(Operation::DeleteServiceLinkedRole), 0);
}

#[cfg(feature = "serde")]
#[tokio::test(start_paused = true)]
async fn edited_plan_rejects_service_managed_sync_and_other_account() {
    let org = OrganizationClients::new(everything());
    let plan = org.plan(&Target::new().without_sync(Caller::Management, name("ours"), home())).await;
    let written = serde_json::to_string(&plan).unwrap();

    org.organization.add_data_sync(management(), region(HOME), shown("AWS-QuickSetup-ours"));
    let edited = written.replace("\"ours\"", "\"AWS-QuickSetup-ours\"").replace("ours --", "AWS-QuickSetup-ours --");
    let foreign: Plan = serde_json::from_str(&edited).unwrap();
    let stopped = org.apply(&foreign).await.unwrap_err();
    assert_eq!(*stopped.error().kind(), ErrorKind::ServiceManagedSync, "{stopped}");
    assert_eq!(org.organization.write_count(), 0);

    let mut other: serde_json::Value = serde_json::from_str(&written).unwrap();
    *other.pointer_mut("/steps/0/account").unwrap() = alice().as_str().into();
    let error = serde_json::from_value::<Plan>(other).unwrap_err().to_string();
    assert!(error.contains("takes account 111111111111, not 222222222222"), "{error}");
}

/// Returns the sync report of the n-th change of a receipt.
fn fate(receipt: &Receipt, nth: usize) -> &SyncCheckReport {
    match receipt.changes().get(nth).map(|change| &change.kind) {
        Some(ChangeKind::AdministratorDeregistered { syncs, .. } | ChangeKind::TrustedAccessDisabled { syncs, .. }) => {
            syncs
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn apply_with_denied_list_requires_allow_loss() {
    let denied = |client: &sim::SimClient| client.clone().without_permission("ssm:ListResourceDataSync");
    let forfeiting = |target: Target| target.with_unlisted_syncs(UnlistedSyncs::AllowLoss).search_regions(home());

    let org = OrganizationClients::new(delegated().data_sync(alice(), region(HOME), shown("theirs")));
    let blind = denied(&org.alice);
    let clients = Clients::new(&org.management).with_account_client(&blind);
    let plan = forfeiting(Target::new().without_administrator()).plan(&clients).await.unwrap();
    assert!(plan.unknowns().iter().any(|unknown| unknown.contains("222222222222 in eu-central-1")), "{plan}");
    let receipt = plan.apply(&clients, |_| {}).await.unwrap().receipt;
    assert_eq!(*fate(&receipt, 0), SyncCheckReport::Skipped);

    // The steps for trusted access and the role report the same if the management account's syncs
    // cannot be listed.
    let org = OrganizationClients::new(delegated().service_linked_role(&ROLE));
    let blind = denied(&org.management);
    let clients = Clients::new(&blind).with_account_client(&org.alice);
    let target = Target::new().with_trusted_access(false).without_administrator().without_role();
    let receipt = forfeiting(target).plan(&clients).await.unwrap().apply(&clients, |_| {}).await.unwrap().receipt;
    assert!(matches!(fate(&receipt, 0), SyncCheckReport::NoneFound(looks) if looks.len() == 1), "{receipt:?}");
    assert_eq!(*fate(&receipt, 1), SyncCheckReport::Skipped);
    assert!(matches!(receipt.changes()[2].kind, ChangeKind::RoleDeleted { .. }), "{receipt:?}");

    // An account that need not be listed does not change the result of the others.
    let org = OrganizationClients::new(trusting());
    let blind = denied(&org.bob);
    let clients = Clients::new(&org.management).with_account_client(&org.alice).with_account_client(&blind);
    let plan = forfeiting(Target::new().with_trusted_access(false)).plan(&clients).await.unwrap();
    let receipt = plan.apply(&clients, |_| {}).await.unwrap().receipt;
    let SyncCheckReport::NoneFound(looks) = fate(&receipt, 0) else { panic!("{receipt:?}") };
    assert_eq!(looks.iter().map(|look| look.account).collect::<Vec<_>>(), [management(), alice()]);

    // The plan records the syncs that planning listed.
    let org = OrganizationClients::new(everything());
    let plan = org.plan(&forfeiting(Target::new().without_administrator())).await;
    an_hour_later().await;
    let blind = denied(&org.alice);
    let receipt = plan.apply(&Clients::new(&org.management).with_account_client(&blind), |_| {}).await.unwrap().receipt;
    assert_eq!(fate(&receipt, 0).recorded().len(), 1);

    // Protection requires a client that can list the syncs.
    let org = OrganizationClients::new(delegated());
    let plan = org.plan(&Target::new().without_administrator().search_regions(home())).await;
    an_hour_later().await;
    let blind = denied(&org.alice);
    let stopped = plan.apply(&Clients::new(&org.management).with_account_client(&blind), |_| {}).await.unwrap_err();
    assert!(matches!(stopped.error().kind(), ErrorKind::DataSyncsNotChecked { .. }), "{stopped}");
    assert_eq!(org.organization.write_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn apply_compares_readable_regions_with_recorded_syncs() {
    let planned = async || {
        let org = OrganizationClients::new(delegated().data_sync(alice(), region(HOME), shown("theirs")));
        let target = Target::new().without_administrator().with_unlisted_syncs(UnlistedSyncs::AllowLoss);
        let plan = org.plan(&target.search_regions([region(HOME), region(AWAY)])).await;
        // The listings of the second of two Regions fail.
        for nth in [2, 4] {
            org.organization.inject_fault(
                Operation::ListResourceDataSync,
                nth,
                Fault::refused("UnrecognizedClientException"),
            );
        }
        (org, plan)
    };
    let (org, plan) = planned().await;
    let receipt = org.apply(&plan).await.unwrap();
    assert_eq!(fate(&receipt, 0).recorded().len(), 1);

    let gone = delegated().data_sync(alice(), region(HOME), shown("gone"));
    let org = OrganizationClients::new(gone.data_sync(alice(), region(HOME), shown("theirs")));
    let target = Target::new().without_administrator().with_unlisted_syncs(UnlistedSyncs::AllowLoss);
    let plan = org.plan(&target.without_sync(Caller::Administrator, name("gone"), [region(HOME)])).await;
    org.organization.run_before(Operation::DeleteResourceDataSync, 1, |organization| {
        organization.add_data_sync(alice(), region(HOME), shown("new"));
    });
    // The receipt also records a sync that was created after planning.
    let receipt = org.apply(&plan).await.unwrap();
    let names: Vec<_> = fate(&receipt, 1).recorded().iter().map(|(id, _)| id.name.as_str()).collect();
    assert_eq!(names, ["theirs", "new"]);

    // A failed listing does not stop a run that allows loss.
    let org = OrganizationClients::new(delegated());
    let target =
        Target::new().without_administrator().with_unlisted_syncs(UnlistedSyncs::AllowLoss).search_regions(home());
    let plan = org.plan(&target).await;
    an_hour_later().await;
    for nth in 1..20 {
        org.organization.inject_fault(Operation::ListResourceDataSync, nth, Fault::RequestLost);
    }
    assert_eq!(*fate(&org.apply(&plan).await.unwrap(), 0), SyncCheckReport::Skipped);

    // A listing in one Region proves nothing about the other Region.
    let org = OrganizationClients::new(delegated());
    let target = Target::new().without_administrator().with_unlisted_syncs(UnlistedSyncs::AllowLoss);
    let plan = org.plan(&target.search_regions([region(HOME), region(AWAY)])).await;
    an_hour_later().await;
    // The listings of the second Region of three accounts fail, also when the step repeats them.
    for nth in [2, 4, 6, 7, 8] {
        org.organization.inject_fault(Operation::ListResourceDataSync, nth, Fault::refused("AccessDeniedException"));
    }
    assert_eq!(*fate(&org.apply(&plan).await.unwrap(), 0), SyncCheckReport::Skipped);
}

#[cfg(feature = "serde")]
#[tokio::test(start_paused = true)]
async fn deserialize_plan_with_mismatched_sync_name_fails() {
    let org = OrganizationClients::new(everything());
    let changed = whole("ours").including_future_regions();
    for target in [
        Target::new().with_sync(Caller::Management, changed, home()),
        Target::new().with_sync(Caller::Management, whole("new"), home()),
    ] {
        let mut plan = serde_json::to_value(org.plan(&target).await).unwrap();
        let action = plan.pointer_mut("/steps/0/action").unwrap().as_object_mut().unwrap();
        let step = action.values_mut().next().unwrap();
        *step.pointer_mut("/definition/name").unwrap() = "AWS-QuickSetup-SSM-abc".into();
        let error = serde_json::from_value::<Plan>(plan).unwrap_err().to_string();
        assert!(error.contains("its definition is of \"AWS-QuickSetup-SSM-abc\""), "{error}");
    }
}

#[cfg(feature = "serde")]
#[tokio::test(start_paused = true)]
async fn deserialize_plan_without_affected_syncs_fails() {
    let org = OrganizationClients::new(everything());
    let written = serde_json::to_value(org.plan(&offboarding()).await).unwrap();
    serde_json::from_value::<Plan>(written.clone()).unwrap();
    for (step, whose) in [(3, "222222222222"), (4, "111111111111"), (5, "111111111111")] {
        let refused = |change: &dyn Fn(&mut serde_json::Map<String, serde_json::Value>)| {
            let mut plan = written.clone();
            change(plan["steps"][step].as_object_mut().unwrap());
            serde_json::from_value::<Plan>(plan).unwrap_err().to_string()
        };
        let error = refused(&|step| drop(step.remove("affected_syncs")));
        assert!(error.contains("affected_syncs: it does not say what becomes of the data syncs"), "{step}: {error}");
        // A step that protects syncs must name a Region and, first, the affected account.
        let error = refused(&|step| step["affected_syncs"]["regions"] = serde_json::json!([]));
        assert!(error.contains("affected_syncs: it protects data syncs, and names no Region"), "{step}: {error}");
        for accounts in [serde_json::json!([]), serde_json::json!(["333333333333"])] {
            let error = refused(&|step| step["affected_syncs"]["accounts"] = accounts.clone());
            assert!(error.contains(&format!("affected_syncs: account {whose} is to come first")), "{step}: {error}");
        }
    }
    // A step for a companion service affects no data sync.
    let org = OrganizationClients::new(organization().trusted_access_for(&QUICK_SETUP));
    let target = Target::new().with_companion(QUICK_SETUP, ServiceTarget::new().with_trusted_access(false));
    let written = serde_json::to_value(org.plan(&target).await).unwrap();
    serde_json::from_value::<Plan>(written).unwrap();
}
