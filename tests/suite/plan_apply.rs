//! Plans on their way: facts and rivals, lost replies and killed processes, lateness, events and what they cost.
#![cfg(feature = "sim")]

use std::error::Error as _;
use std::time::Duration;

use crate::common::{
    SSM, account, alice, bob, delegated, every_setting, management, organization, organization_sync, region, trusting,
};
use crate::plans::{
    AWAY, HOME, Office, QUICK_SETUP, ROLE, Story, companions, everything, home, like, name, offboarding, onboarding,
    outline, rearranged, shown, stories, trusts, whole,
};
use ssm_organizations::plan::{Clients, Event, Fact, OtherSyncs, Plan, Receipt, ServiceTarget, Stopped, Target};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{AccountState, DataSync, Operation, SyncSourceType, SyncType};
use ssm_organizations::sim::{
    self, DeregisterUntrusted, DisableAdministered, DuplicateRole, Fault, Lag, Outcome, Repetition,
    SecondAdministrator, UnreadySync,
};
use ssm_organizations::{AccountId, Applied, Certainty, ChangeKind, Error, ErrorKind, Retry, RoleName, SyncsReport};

const BOTH: &[bool] = &[true, false];

async fn an_hour_later() {
    tokio::time::advance(Duration::from_hours(1)).await;
}

/// The story's end, when nothing goes wrong, and the calls of its application.
async fn calm(story: &Story) -> (sim::Snapshot, Vec<sim::Call>) {
    let office = Office::new((story.start)());
    let plan = office.plan(&(story.target)()).await;
    office.organization.forget_calls();
    office.apply(&plan).await.unwrap();
    (like(&office.organization), office.organization.calls())
}

/// What the receipt claims was sent, and what was sent is in it.
fn check_receipt(receipt: &Receipt, organization: &sim::Organization, what: &str) {
    let calls = organization.calls();
    let answered = calls.iter().filter(|call| call.is_write() && call.outcome == Outcome::Answered).count();
    let lost = calls.iter().filter(|call| call.is_write() && call.outcome == Outcome::Lost).count();
    let did = receipt.changes().iter().filter(|change| change.certainty == Certainty::Did).count();
    let maybe = receipt.changes().iter().filter(|change| change.certainty == Certainty::Maybe).count();
    // The deletion of the role is a task, which AWS may give up.
    let tasks = calls.iter().filter(|call| call.operation == Operation::DeleteServiceLinkedRole).count();
    assert!(did <= answered && did + maybe + tasks >= answered, "{what}: {receipt:?}\n{calls:?}");
    assert!(did + maybe <= answered + lost, "{what}: {receipt:?}\n{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn events_come_in_order_and_the_receipt_grows() {
    let office = Office::new(organization().role_for(&ROLE));
    let plan = office.plan(&onboarding().with_role()).await;
    // Somebody has done one of the steps meanwhile.
    office.organization.trust(&SSM);
    an_hour_later().await;
    let mut seen = Vec::new();
    let mut kept: Vec<Receipt> = Vec::new();
    let receipt = plan
        .apply(&office.clients(), |event| match event {
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
        .unwrap();
    let expected = [
        "0 started",
        "0 skipped",
        "1 started",
        "1 changed",
        "2 started",
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
    assert!(receipt.changes().iter().all(|change| change.certainty == Certainty::Did && change.shown));
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_applied_only_to_its_own_organization() {
    let office = Office::new(organization());
    let plan = office.plan(&onboarding()).await;
    let others = [
        // Even in the same second.
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
        let stopped = plan.apply(&Clients::new(&client).and(&alice), |_| {}).await.unwrap_err();
        let ErrorKind::OtherOrganization { expected, .. } = stopped.error().kind() else { panic!("{stopped:#}") };
        assert_eq!(expected.as_str(), "o-exampleorgid");
        assert_eq!(other.writes(), 0);
        assert!(stopped.receipt().is_empty() && stopped.done().is_empty());
        assert_eq!(stopped.remaining().len(), plan.steps().len());
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_applied_is_refused_before_the_first_write() {
    type Arrange = fn(&sim::Organization);
    type Expected = fn(&ErrorKind) -> bool;
    let cases: [(&str, Arrange, Expected); 4] = [
        ("left", |organization| organization.remove_member(alice()), |kind| *kind == ErrorKind::NotAMember),
        (
            "suspended",
            |organization| organization.set_member(alice(), AccountState::Suspended),
            |kind| matches!(kind, ErrorKind::NotActive { .. }),
        ),
        (
            "Bob administers",
            |organization| {
                organization.trust(&SSM);
                organization.delegate(bob());
            },
            |kind| matches!(kind, ErrorKind::FactMoved { .. }),
        ),
        (
            "another sync",
            |organization| {
                organization.add_data_sync(management(), region(HOME), organization_sync("ours"));
            },
            |kind| matches!(kind, ErrorKind::FactMoved { .. }),
        ),
    ];
    for (what, arrange, expected) in cases {
        let office = Office::new(organization());
        let plan = office.plan(&onboarding()).await;
        arrange(&office.organization);
        an_hour_later().await;
        office.organization.forget_calls();
        let stopped = office.apply(&plan).await.unwrap_err();
        assert!(expected(stopped.error().kind()), "{what}: {stopped:#}");
        assert_eq!(office.organization.writes(), 0, "{what}");
    }

    // Without the clients that it takes.
    let office = Office::new(organization());
    let plan = office.plan(&onboarding()).await;
    let stopped = plan.apply(&Clients::new(&office.management), |_| {}).await.unwrap_err();
    assert!(
        matches!(stopped.error().kind(), ErrorKind::NoClient { account, .. } if *account == alice()),
        "{stopped:#}"
    );
    let office = Office::new(delegated().role_for(&ROLE).data_sync(management(), region(HOME), shown("ours")));
    let target =
        Target::new().without_administrator().looking_in(home()).without_sync(Caller::Management, name("ours"), home());
    let plan = office.plan(&target).await;
    for late in [false, true] {
        if late {
            an_hour_later().await;
        }
        let stopped = plan.apply(&Clients::new(&office.management), |_| {}).await.unwrap_err();
        assert!(matches!(stopped.error().kind(), ErrorKind::SyncsUnseen { .. }), "{stopped:#}");
        assert_eq!(office.organization.writes(), 0);
    }
    // With those of another account.
    let plan = office.plan(&Target::new().with_role().with_trusted_access(true).with_administrator(alice())).await;
    assert!(plan.is_empty());
    let office = Office::new(trusting().delegated_for(&QUICK_SETUP, alice()));
    let plan = office.plan(&Target::new().with_administrator(bob())).await;
    let stopped = plan.apply(&Clients::new(&office.alice), |_| {}).await.unwrap_err();
    assert!(matches!(stopped.error().kind(), ErrorKind::NotManagementAccount { .. }), "{stopped:#}");
    assert_eq!(office.organization.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_stops_says_what_was_done_what_was_not_and_what_is() {
    let office = Office::new(organization());
    let plan = office.plan(&onboarding()).await;
    office.organization.fault(Operation::RegisterDelegatedAdministrator, 1, Fault::refused("AccessDeniedException"));
    let stopped = office.apply(&plan).await.unwrap_err();
    assert_eq!((stopped.done(), stopped.remaining()), (&[0, 1][..], &[2, 3, 4, 5][..]));
    assert_eq!(stopped.receipt().changes().len(), 2);
    let now = stopped.now().expect("it was read");
    let service = now.service(&SSM).unwrap();
    assert!(service.trusted_access.known().unwrap().is_some());
    assert!(service.administrators.known().unwrap().is_empty());
    assert!(now.role().unwrap().known().unwrap().is_some());
    assert!(stopped.to_string().starts_with("RegisterDelegatedAdministrator for account 222222222222"), "{stopped}");
    let debug = format!("{stopped:?}");
    assert!(debug.contains("remaining: [2, 3, 4, 5]"), "{debug}");
    let (error, receipt) = stopped.into_parts();
    assert_eq!((error.kind(), receipt.changes().len()), (&ErrorKind::AccessDenied, 2));
    // It goes on where it was.
    let rest = office.apply(&plan).await.unwrap();
    assert_eq!(rest.changes().len(), 4);

    // One sync that fails does not keep the others.
    let office = Office::new(organization());
    let plan = office.plan(&onboarding()).await;
    office.organization.fault(Operation::CreateResourceDataSync, 2, Fault::refused("InternalServerErrorX"));
    let stopped = office.apply(&plan).await.unwrap_err();
    assert_eq!((stopped.done(), stopped.remaining()), (&[0, 1, 2, 3, 5][..], &[4][..]));
    let error = Error::from(stopped);
    assert_eq!(error.operation(), Some(Operation::CreateResourceDataSync));
}

/// What another one does, in which story, and how to tell that it was not undone.
struct Rival {
    story: fn() -> Story,
    act: fn(&sim::Organization),
    survives: fn(&sim::Organization) -> bool,
    /// From the last look on that could show it, AWS has no way to tell before this write.
    blind: Option<(Operation, AccountId, Operation)>,
}

fn story(name: &'static str) -> Story {
    stories().into_iter().find(|story| story.name == name).unwrap()
}

fn foreign_sync(text: &str) -> DataSync {
    let mut sync = shown(text);
    sync.regions = vec![region("ap-south-1")];
    sync
}

fn holds(organization: &sim::Organization, owner: AccountId, text: &str) -> bool {
    let syncs = organization.data_syncs(owner, &region(HOME));
    syncs.iter().any(|sync| sync.name == name(text) && sync.regions == [region("ap-south-1")])
}

fn rivals() -> Vec<Rival> {
    vec![
        Rival {
            story: || story("onboarding"),
            act: |organization| organization.delegate(bob()),
            survives: |organization| organization.administrators().contains(&bob()),
            blind: None,
        },
        Rival {
            story: || story("onboarding"),
            act: |organization| organization.add_data_sync(management(), region(HOME), foreign_sync("ours")),
            survives: |organization| holds(organization, management(), "ours"),
            blind: None,
        },
        Rival {
            story: || story("handover"),
            act: |organization| organization.delegate_for(&QUICK_SETUP, alice()),
            survives: |organization| like(organization) != like(&everything().build()),
            blind: None,
        },
        Rival {
            story: || story("offboarding"),
            act: |organization| organization.delegate(bob()),
            survives: |organization| organization.administrators().contains(&bob()),
            blind: None,
        },
        Rival {
            story: || story("offboarding"),
            act: |organization| organization.add_data_sync(alice(), region(HOME), foreign_sync("new")),
            survives: |organization| holds(organization, alice(), "new"),
            blind: Some((Operation::ListResourceDataSync, alice(), Operation::DeregisterDelegatedAdministrator)),
        },
        Rival {
            story: || story("offboarding"),
            act: |organization| {
                organization.remove_data_sync(management(), &region(HOME), &name("ours"));
                organization.add_data_sync(management(), region(HOME), foreign_sync("ours"));
            },
            survives: |organization| holds(organization, management(), "ours"),
            blind: Some((Operation::ListResourceDataSync, management(), Operation::DeleteResourceDataSync)),
        },
        Rival {
            story: || story("rearranged"),
            act: |organization| {
                organization.remove_data_sync(management(), &region(HOME), &name("ours"));
                organization.add_data_sync(management(), region(HOME), foreign_sync("ours"));
            },
            survives: |organization| holds(organization, management(), "ours"),
            blind: Some((Operation::ListResourceDataSync, management(), Operation::UpdateResourceDataSync)),
        },
        Rival {
            story: || story("handover"),
            act: |organization| {
                organization.remove_data_sync(alice(), &region(HOME), &name("theirs"));
                organization.add_data_sync(alice(), region(HOME), foreign_sync("theirs"));
            },
            survives: |organization| holds(organization, alice(), "theirs"),
            blind: Some((Operation::ListResourceDataSync, alice(), Operation::DeregisterDelegatedAdministrator)),
        },
        Rival {
            story: || story("handover"),
            act: |organization| {
                organization.undelegate(alice());
                organization.delegate(alice());
            },
            survives: |organization| organization.administrators().contains(&alice()),
            // Two looks follow each other, and the second one takes whatever date it finds.
            blind: Some((Operation::DescribeAccount, management(), Operation::DeregisterDelegatedAdministrator)),
        },
        Rival {
            story: || story("offboarding"),
            act: |organization| {
                organization.remove_role(management(), &RoleName::ACCOUNT_DISCOVERY);
                organization.add_role(management(), &ROLE);
            },
            survives: |organization| organization.has_role(management(), &RoleName::ACCOUNT_DISCOVERY),
            // AWS deletes it in the background.
            blind: Some((Operation::GetRole, management(), Operation::GetServiceLinkedRoleDeletionStatus)),
        },
        Rival {
            story: || story("teardown, whatever there is"),
            act: |organization| {
                organization.distrust(&SSM);
                organization.trust(&SSM);
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

/// Whether the n-th of these calls is after the last look and not after the write.
fn is_blind(calls: &[sim::Call], nth: usize, (look, as_whom, write): (Operation, AccountId, Operation)) -> bool {
    let at_home = |call: &sim::Call| call.region.as_ref().is_none_or(|at| *at == region(HOME));
    let looks = |call: &sim::Call| call.operation == look && call.caller == as_whom && at_home(call);
    let writes = calls.iter().enumerate().filter(|(_, call)| call.operation == write && at_home(call));
    writes.into_iter().any(|(at, _)| {
        let before = calls.iter().take(at).rposition(looks);
        before.is_some_and(|before| (before + 2..=at + 1).contains(&nth))
    })
}

#[tokio::test(start_paused = true)]
async fn a_rival_at_any_moment_is_noticed_and_never_overruled() {
    for (number, rival) in rivals().into_iter().enumerate() {
        let story = (rival.story)();
        let (end, calls) = calm(&story).await;
        let mut noticed = 0;
        for nth in 0..=calls.len() {
            let what = format!("rival {number} before call {nth} of {}", story.name);
            let office = Office::new((story.start)());
            let plan = office.plan(&(story.target)()).await;
            office.organization.forget_calls();
            if nth == 0 {
                // Between plan and application.
                (rival.act)(&office.organization);
                an_hour_later().await;
            } else {
                office.organization.before_call(nth, rival.act);
            }
            let result = office.apply(&plan).await;
            if rival.blind.is_some_and(|blind| is_blind(&calls, nth, blind)) {
                continue;
            }
            assert!((rival.survives)(&office.organization), "{what}: {result:?}\n{:#?}", office.organization.calls());
            match &result {
                Ok(receipt) => check_receipt(receipt, &office.organization, &what),
                Err(stopped) => {
                    noticed += 1;
                    check_receipt(stopped.receipt(), &office.organization, &what);
                    check_stopped(stopped, &plan, &what);
                    assert!(!stopped.to_string().is_empty());
                }
            }
            if nth == 0 && rival.blind.is_some() {
                let stopped = result.expect_err(&what);
                let kind = stopped.error().kind();
                assert!(
                    matches!(kind, ErrorKind::FactMoved { .. } | ErrorKind::SyncsRemain { .. }),
                    "{what}: {stopped}"
                );
                assert!(stopped.receipt().is_empty(), "{what}: {stopped}");
                assert_eq!(office.organization.writes(), 0, "{what}");
            }
            // The same plan again changes nothing about it.
            let _ = office.apply(&plan).await;
            assert!((rival.survives)(&office.organization), "{what}: again");
        }
        let harmless = story.name == "handover" && rival.blind.is_none();
        assert!(noticed > 0 || harmless, "rival {number} is never noticed");
        drop(end);
    }
}

/// What it claims of its steps, against what was read afterwards.
fn check_stopped(stopped: &Stopped, plan: &Plan, what: &str) {
    let mut all: Vec<_> = stopped.done().iter().chain(stopped.remaining()).copied().collect();
    all.sort_unstable();
    assert_eq!(all, (0..plan.steps().len()).collect::<Vec<_>>(), "{what}");
    assert!(!stopped.remaining().is_empty(), "{what}: {stopped:?}");
}

#[tokio::test(start_paused = true)]
async fn a_sync_of_anybody_that_came_meanwhile_keeps_trust() {
    let office = Office::new(trusting());
    let plan = office.plan(&Target::new().with_trusted_access(false).looking_in(home())).await;
    office.organization.before(Operation::ListAwsServiceAccessForOrganization, 1, |organization| {
        organization.add_data_sync(bob(), region(HOME), shown("bobs"));
    });
    let stopped = office.apply(&plan).await.unwrap_err();
    let ErrorKind::SyncsRemain { syncs, .. } = stopped.error().kind() else { panic!("{stopped:#}") };
    assert_eq!(syncs.iter().map(|sync| sync.at.account).collect::<Vec<_>>(), [bob()]);
    assert_eq!(office.organization.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_fact_that_moved_is_named_with_what_is_the_case_instead() {
    let office = Office::new(everything());
    let plan = office.plan(&Target::new().with_administrator(bob()).with_other_syncs(OtherSyncs::Forfeit)).await;
    office.organization.undelegate(alice());
    office.organization.delegate(alice());
    an_hour_later().await;
    let stopped = office.apply(&plan).await.unwrap_err();
    let ErrorKind::FactMoved { expected, found, .. } = stopped.error().kind() else { panic!("{stopped}") };
    assert!(matches!(&**expected, Fact::Administers { account, .. } if *account == alice()));
    assert_eq!(found, "account 222222222222 has been registered anew for ssm.amazonaws.com");
    assert_eq!(stopped.error().operation(), Some(Operation::DeregisterDelegatedAdministrator));
    assert_eq!(
        stopped.to_string(),
        "DeregisterDelegatedAdministrator: the plan relies on it that account 222222222222 administers \
         ssm.amazonaws.com, and now account 222222222222 has been registered anew for ssm.amazonaws.com; make a new plan"
    );
}

#[tokio::test(start_paused = true)]
async fn of_a_sync_that_moved_it_is_said_whether_it_is_gone_changed_or_another_one() {
    type Act = fn(&sim::Organization);
    let cases: [(Act, &str); 3] = [
        (
            |organization| organization.remove_data_sync(management(), &region(HOME), &name("ours")),
            "there is no data sync \"ours\" of account 111111111111 in eu-central-1",
        ),
        (
            |organization| {
                let [before] = &organization.data_syncs(management(), &region(HOME))[..] else {
                    panic!("one is there")
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
            "the data sync \"ours\" of account 111111111111 in eu-central-1 has been made anew",
        ),
    ];
    for (act, words) in cases {
        let office = Office::new(everything());
        let changed = whole("ours").including_future_regions();
        let plan = office.plan(&Target::new().with_sync(Caller::Management, changed, home())).await;
        an_hour_later().await;
        act(&office.organization);
        let stopped = office.apply(&plan).await.unwrap_err();
        let ErrorKind::FactMoved { expected, found, .. } = stopped.error().kind() else { panic!("{stopped}") };
        assert!(matches!(&**expected, Fact::SyncIs { .. }), "{expected}");
        assert_eq!(found, words);
        assert_eq!(office.organization.writes(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn without_trust_no_administrator_is_sent() {
    let office = Office::new(trusting());
    let plan = office.plan(&Target::new().with_administrator(alice())).await;
    office.organization.distrust(&SSM);
    an_hour_later().await;
    let stopped = office.apply(&plan).await.unwrap_err();
    assert_eq!(*stopped.error().kind(), ErrorKind::TrustedAccessOff, "{stopped}");
    assert_eq!(office.organization.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_trust_no_sync_of_the_organization_is_made_or_changed() {
    let targets = [
        Target::new().with_sync(Caller::Management, whole("new"), home()),
        Target::new().with_sync(Caller::Management, whole("ours").including_future_regions(), home()),
        // What would be taken away before stays too.
        Target::new().with_sync(Caller::Management, whole("new"), home()).without_sync(
            Caller::Management,
            name("ours"),
            home(),
        ),
    ];
    for target in targets {
        let start = trusting().role_for(&ROLE).data_sync(management(), region(HOME), shown("ours"));
        // It lets a sync be made that cannot work.
        let mut lenient = sim::Undocumented::default();
        lenient.unready_sync = UnreadySync::Created;
        let office = Office::new(start.undocumented(lenient));
        let plan = office.plan(&target).await;
        office.organization.distrust(&SSM);
        an_hour_later().await;
        let stopped = office.apply(&plan).await.unwrap_err();
        assert_eq!(*stopped.error().kind(), ErrorKind::TrustedAccessOff, "{stopped}");
        assert_eq!(stopped.error().region(), Some(&region(HOME)));
        assert_eq!(office.organization.writes(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_role_stays_where_trust_has_come_back() {
    // Before the plan is applied, and before the step's turn.
    for late in [true, false] {
        let office = Office::new(organization().role_for(&ROLE));
        let plan = office.plan(&Target::new().without_role().looking_in(home())).await;
        if late {
            an_hour_later().await;
            office.organization.trust(&SSM);
        } else {
            office.organization.before(Operation::ListAwsServiceAccessForOrganization, 1, |organization| {
                organization.trust(&SSM);
            });
        }
        let stopped = office.apply(&plan).await.unwrap_err();
        let ErrorKind::FactMoved { expected, found, .. } = stopped.error().kind() else { panic!("{stopped}") };
        assert!(matches!(&**expected, Fact::Untrusted { .. }), "{expected}");
        assert_eq!(found, "ssm.amazonaws.com is trusted");
        assert_eq!(office.organization.writes(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_companions_trust_that_goes_says_nothing_of_what_the_role_needs() {
    let office = Office::new(organization().role_for(&ROLE).trusting(&QUICK_SETUP));
    let companion = ServiceTarget::new().with_trusted_access(false);
    let target = Target::new().without_role().with_companion(QUICK_SETUP, companion).looking_in(home());
    let plan = office.plan(&target).await;
    assert_eq!(outline(&plan), [format!("distrust {QUICK_SETUP}"), "delete the role".to_owned()]);
    office.organization.before(Operation::GetRole, 1, |organization| organization.trust(&SSM));
    let stopped = office.apply(&plan).await.unwrap_err();
    assert!(matches!(stopped.error().kind(), ErrorKind::FactMoved { .. }), "{stopped}");
    assert_eq!(office.organization.count(Operation::DeleteServiceLinkedRole), 0);
}

#[tokio::test(start_paused = true)]
async fn whose_the_client_is_may_be_known_at_the_next_try() {
    let distrust = |others| Target::new().with_trusted_access(false).with_other_syncs(others);
    let (throttled, denied) = (Fault::throttled(Operation::GetCallerIdentity), Fault::refused("AccessDenied"));
    for (target, fault, refused) in [
        (distrust(OtherSyncs::Protect).looking_in(home()), &throttled, Some(Retry::Temporary)),
        (distrust(OtherSyncs::Protect).looking_in(home()), &denied, Some(Retry::Permanent)),
        // Whoever gives the syncs up still has those looked for that can be seen.
        (distrust(OtherSyncs::Forfeit).looking_in(home()), &throttled, Some(Retry::Temporary)),
        (distrust(OtherSyncs::Forfeit).looking_in(home()), &denied, None),
        (distrust(OtherSyncs::Forfeit), &throttled, None),
    ] {
        let office = Office::new(trusting());
        let plan = office.plan(&target).await;
        an_hour_later().await;
        office.organization.forget_calls();
        office.organization.fault(Operation::GetCallerIdentity, 1, fault.clone());
        let applied = plan.apply(&Clients::new(&office.management), |_: Event<'_>| {}).await;
        match (applied, refused) {
            (Err(stopped), Some(retry)) => {
                let error = stopped.error();
                assert!(matches!(error.kind(), ErrorKind::SyncsUnseen { .. }), "{error}");
                assert_eq!((error.retry(), office.organization.writes()), (retry, 0), "{fault:?}: {plan}");
            }
            (Ok(_), None) => assert!(!office.organization.is_trusted(&SSM)),
            (other, _) => panic!("{fault:?}: {other:?}\n{plan}"),
        }
    }

    // That of the administrator's account is known to be missing.
    let office = Office::new(delegated());
    let plan = office
        .plan(&Target::new().without_administrator().with_other_syncs(OtherSyncs::Forfeit).looking_in(home()))
        .await;
    office.organization.fault(Operation::GetCallerIdentity, 1, throttled);
    plan.apply(&Clients::new(&office.management), |_: Event<'_>| {}).await.unwrap();
    assert_eq!(office.organization.administrators(), []);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_comes_late_does_not_stop_a_plan() {
    let office = Office::new(organization());
    let plan = office.plan(&onboarding()).await;
    let late = Fault::refused("ResourceDataSyncInvalidConfigurationException");
    office.organization.fault(Operation::CreateResourceDataSync, 1, late);
    let receipt = office.apply(&plan).await.unwrap();
    assert_eq!(receipt.changes().len(), plan.steps().len(), "the plan itself has just made what it takes");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_deregistered_for_a_successor_whom_aws_would_not_register() {
    let office = Office::new(delegated());
    let plan = office.plan(&Target::new().with_administrator(bob()).looking_in(home())).await;
    assert_eq!(plan.steps().len(), 2, "{plan}");
    office.organization.distrust(&SSM);
    an_hour_later().await;
    office.organization.forget_calls();
    let stopped = office.apply(&plan).await.unwrap_err();
    assert_eq!(*stopped.error().kind(), ErrorKind::TrustedAccessOff, "{stopped}");
    assert_eq!(stopped.error().account(), Some(bob()));
    assert_eq!(office.organization.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn room_is_looked_for_ahead_only_where_something_goes_first() {
    let office = Office::new(organization());
    let plan = office.plan(&onboarding()).await;
    office.organization.forget_calls();
    office.apply(&plan).await.unwrap();
    // Of three syncs, each: before it is made, for either type, and after.
    assert_eq!(office.organization.count(Operation::ListResourceDataSync), 9);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_taken_away_for_a_sync_that_has_no_room() {
    type Act = fn(&sim::Organization);
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
        let office = Office::new((story.start)());
        let plan = office.plan(&(story.target)()).await;
        act(&office.organization);
        an_hour_later().await;
        let stopped = office.apply(&plan).await.unwrap_err();
        let error = stopped.error();
        match (what, error.kind()) {
            ("taken", ErrorKind::SyncNameTaken) => {}
            (_, ErrorKind::SyncQuotaFull { holders, .. }) if what != "taken" => assert_eq!(holders.len(), 5, "{what}"),
            _ => panic!("{what}: {stopped}"),
        }
        assert_eq!((error.caller(), error.region()), (Some(bob()), Some(&region(AWAY))), "{what}");
        assert_eq!(office.organization.writes(), 0, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_gives_up_its_place_where_five_others_are_left() {
    let start = ["a", "b", "c", "d", "e"].iter();
    let start =
        start.fold(trusting().role_for(&ROLE), |start, text| start.data_sync(management(), region(HOME), shown(text)));
    let office = Office::new(start);
    let target = Target::new().with_sync(Caller::Management, whole("new"), home());
    let plan = office.plan(&target.without_sync(Caller::Management, name("e"), home())).await;
    // A sixth, where AWS has raised the quota: by how much it does not say.
    office.organization.add_data_sync(management(), region(HOME), shown("f"));
    an_hour_later().await;
    let stopped = office.apply(&plan).await.unwrap_err();
    assert!(matches!(stopped.error().kind(), ErrorKind::SyncQuotaFull { .. }), "{stopped}");
    assert_eq!(office.organization.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn where_inventorys_syncs_do_not_count_one_sync_gives_its_place_to_another() {
    let mut apart = sim::Undocumented::default();
    apart.sync_quota_is_shared = false;
    let start = (0..5).fold(trusting().role_for(&ROLE).undocumented(apart), |start, number| {
        let theirs = DataSync::new(name(&format!("inventory-{number}")), None);
        start.data_sync_of_type(SyncType::SyncToDestination, management(), region(HOME), theirs)
    });
    let office = Office::new(start.data_sync(management(), region(HOME), shown("ours")));
    let target = Target::new().with_sync(Caller::Management, whole("new"), home()).without_sync(
        Caller::Management,
        name("ours"),
        home(),
    );
    assert_eq!(office.reach(&target).await.changes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn whoever_may_not_list_the_administrators_can_make_syncs_and_delete_the_role() {
    let start = || Office::new(trusting().role_for(&ROLE));
    let office = start();
    let client = office.management.clone().without_permission("organizations:ListDelegatedAdministrators");
    let clients = Clients::new(&client);
    let target = Target::new().with_sync(Caller::Management, whole("new"), home());
    let plan = target.plan(&clients).await.unwrap();
    an_hour_later().await;
    assert_eq!(plan.apply(&clients, |_| {}).await.unwrap().changes().len(), 1);

    let office = start();
    office.organization.distrust(&SSM);
    let client = office.management.clone().without_permission("organizations:ListDelegatedAdministrators");
    let clients = Clients::new(&client);
    let plan = Target::new().without_role().looking_in(home()).plan(&clients).await.unwrap();
    assert_eq!(plan.apply(&clients, |_| {}).await.unwrap().changes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_read_when_it_was_planned_is_read_when_its_turn_comes() {
    let office = Office::new(organization());
    office.organization.fault(Operation::ListDelegatedAdministrators, 2, Fault::refused("TooManyRequestsException"));
    let trusted = || ServiceTarget::new().with_trusted_access(true);
    let target = Target::new().with_trusted_access(true).with_companion(QUICK_SETUP, trusted());
    assert_eq!(office.reach(&target).await.changes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn syncs_that_nobody_can_see_go_where_they_are_forfeited() {
    let office = Office::new(delegated().data_sync(alice(), region(HOME), shown("theirs")));
    let alone = Clients::new(&office.management);
    let target = Target::new().without_administrator().with_other_syncs(OtherSyncs::Forfeit).looking_in(home());
    let receipt = target.plan(&alone).await.unwrap().apply(&alone, |_| {}).await.unwrap();
    let [change] = receipt.changes() else { panic!("{receipt:?}") };
    let ChangeKind::AdministratorDeregistered { syncs, .. } = &change.kind else { panic!("{change}") };
    assert_eq!(*syncs, SyncsReport::Forfeited, "it does not claim that somebody looked");
}

#[tokio::test(start_paused = true)]
async fn what_a_plan_stopped_at_has_the_cause_of_its_error() {
    let office = Office::new(delegated());
    let plan = office.plan(&Target::new().without_administrator().looking_in(home())).await;
    office.organization.fault(Operation::ListResourceDataSync, 1, Fault::refused("AccessDeniedException"));
    let stopped = office.apply(&plan).await.unwrap_err();
    assert!(matches!(stopped.error().kind(), ErrorKind::SyncsUnseen { .. }), "{stopped}");
    let source = stopped.source().map(ToString::to_string).unwrap();
    assert!(source.contains("ListResourceDataSync"), "{source}");
    assert_eq!(Some(source), stopped.error().source().map(ToString::to_string), "each link is told once");
}

#[tokio::test(start_paused = true)]
async fn what_others_have_done_already_is_skipped() {
    let office = Office::new(organization());
    let plan = office.plan(&onboarding()).await;
    office.reach(&onboarding()).await;
    for late in [false, true] {
        if late {
            an_hour_later().await;
        }
        let writes = office.organization.writes();
        let receipt = office.apply(&plan).await.unwrap();
        assert!(receipt.is_empty());
        assert_eq!(office.organization.writes(), writes);
    }
}

#[tokio::test(start_paused = true)]
async fn what_aws_does_not_show_is_not_written_twice() {
    let mut setting = sim::Undocumented::default();
    setting.sync_booleans_are_shown = false;
    let office = Office::new(organization().undocumented(setting));
    let plan = office.plan(&onboarding()).await;
    office.apply(&plan).await.unwrap();
    let writes = office.organization.writes();
    assert!(office.apply(&plan).await.unwrap().is_empty());
    assert_eq!(office.organization.writes(), writes);
}

#[tokio::test(start_paused = true)]
async fn a_sync_at_risk_that_was_changed_stops_the_plan_before_its_first_write() {
    let office = Office::new(everything());
    let target = Target::new().without_sync(Caller::Management, name("ours"), home()).without_administrator();
    let plan = office.plan(&target.with_other_syncs(OtherSyncs::Forfeit)).await;
    assert_eq!(plan.steps().len(), 2);
    office.organization.add_data_sync(alice(), region(HOME), foreign_sync("theirs"));
    an_hour_later().await;
    let stopped = office.apply(&plan).await.unwrap_err();
    assert!(matches!(stopped.error().kind(), ErrorKind::SyncsRemain { .. }), "{stopped:#}");
    assert_eq!(office.organization.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_call_the_same_target_and_the_same_plan_reach_the_same_end() {
    for story in stories() {
        let (end, calls) = calm(&story).await;
        for nth in 1..=calls.len() {
            for same_plan in [false, true] {
                let what = format!("{}, killed at call {nth}, same plan {same_plan}", story.name);
                let office = Office::new((story.start)());
                let plan = office.plan(&(story.target)()).await;
                office.organization.forget_calls();
                office.organization.die(nth);
                let stopped = office.apply(&plan).await.expect_err(&what);
                assert!(stopped.now().is_none(), "{what}: nobody answered");
                check_stopped(&stopped, &plan, &what);
                check_receipt(stopped.receipt(), &office.organization, &what);
                office.organization.live();
                let plan = if same_plan { plan } else { office.plan(&(story.target)()).await };
                let done = office.apply(&plan).await;
                let done = done.unwrap_or_else(|stopped| panic!("{what}: {:#}\n{plan}", stopped.error()));
                assert_eq!(like(&office.organization), end, "{what}: {done:?}");
                assert!(office.plan(&(story.target)()).await.is_empty(), "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_is_a_maybe_and_no_write_is_sent_twice() {
    for story in stories() {
        let (end, calls) = calm(&story).await;
        let writes: Vec<_> = calls.iter().enumerate().filter(|(_, call)| call.is_write()).collect();
        for (at, call) in writes {
            let what = format!("{}: the reply to {call} is lost", story.name);
            let office = Office::new((story.start)());
            let plan = office.plan(&(story.target)()).await;
            office.organization.forget_calls();
            office.organization.fault_at(at + 1, Fault::LostAfter);
            let receipt = office.apply(&plan).await.unwrap_or_else(|stopped| panic!("{what}: {stopped:#}"));
            let maybes = receipt.changes().iter().filter(|change| change.certainty == Certainty::Maybe).count();
            assert_eq!(maybes, 1, "{what}: {receipt:?}");
            assert_eq!(office.organization.writes(), plan.steps().len(), "{what}");
            assert_eq!(like(&office.organization), end, "{what}");

            // One that never arrived is a maybe as well, and the end of it.
            let office = Office::new((story.start)());
            let plan = office.plan(&(story.target)()).await;
            office.organization.forget_calls();
            office.organization.fault_at(at + 1, Fault::LostBefore);
            let stopped = office.apply(&plan).await.expect_err(&what);
            assert_eq!(stopped.error().applied(), Applied::Unknown, "{what}: {stopped:#}");
            let maybes: Vec<_> =
                stopped.receipt().changes().iter().filter(|change| change.certainty == Certainty::Maybe).collect();
            assert!(matches!(maybes.as_slice(), [maybe] if !maybe.shown), "{what}: {maybes:?}");
            office.apply(&plan).await.unwrap();
            assert_eq!(like(&office.organization), end, "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn late_reads_are_waited_for() {
    for story in stories() {
        let (end, _) = calm(&story).await;
        for seconds in [1, 5, 20] {
            let office = Office::new((story.start)().lag(Duration::from_secs(seconds)));
            let plan = office.plan(&(story.target)()).await;
            let receipt = office.apply(&plan).await;
            let receipt = receipt.unwrap_or_else(|stopped| panic!("{}, {seconds}: {stopped:#}", story.name));
            assert_eq!(receipt.changes().len(), plan.steps().len(), "{}", story.name);
            assert_eq!(like(&office.organization), end, "{}", story.name);
            an_hour_later().await;
            assert!(office.plan(&(story.target)()).await.is_empty(), "{}", story.name);
        }
    }
    // Reads that come and go.
    let listings = [
        Operation::ListAwsServiceAccessForOrganization,
        Operation::ListDelegatedAdministrators,
        Operation::ListResourceDataSync,
        Operation::GetRole,
    ];
    for story in stories() {
        let (end, _) = calm(&story).await;
        for (operation, lags) in listings.iter().flat_map(|operation| {
            let (late, now) = (Lag::Time(Duration::from_secs(9)), Lag::NONE);
            [vec![late, now], vec![now, late], vec![now, now, late], vec![Lag::Reads(1)], vec![Lag::Reads(3), now]]
                .map(|lags| (*operation, lags))
        }) {
            let what = format!("{}, {operation} {lags:?}", story.name);
            let office = Office::new((story.start)().lags_of(operation, lags));
            let plan = office.plan(&(story.target)()).await;
            let receipt = office.apply(&plan).await;
            let receipt = receipt.unwrap_or_else(|stopped| panic!("{what}: {stopped:#}"));
            check_receipt(&receipt, &office.organization, &what);
            assert_eq!(like(&office.organization), end, "{what}");
        }
    }
    // Patience ends, and what was done is on record.
    let office = Office::new(organization().lag(Duration::from_mins(5)));
    let plan = office.plan(&Target::new().with_trusted_access(true)).await;
    let clients = office.clients().settle_within(Duration::from_secs(10));
    let stopped = plan.apply(&clients, |_| {}).await.unwrap_err();
    assert_eq!(*stopped.error().kind(), ErrorKind::NotSettled, "{stopped:#}");
    let [change] = stopped.receipt().changes() else { panic!("{stopped:?}") };
    assert_eq!((change.certainty, change.shown), (Certainty::Did, false));
    assert_eq!(office.organization.writes(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_story_ends_well_under_every_setting() {
    let mut settings = every_setting! {
        repetition: Repetition::ALL,
        reasons: BOTH,
        disable_administered: DisableAdministered::ALL,
        deregistering_deletes_syncs: BOTH,
        syncs_recover: BOTH,
        sync_booleans_are_shown: BOTH,
        role_serves_all_syncs: BOTH,
        enabling_makes_role: BOTH,
    };
    settings.extend(every_setting! {
        second_administrator: SecondAdministrator::ALL,
        deregister_untrusted: DeregisterUntrusted::ALL,
        unready_sync: UnreadySync::ALL,
        sync_quota_is_shared: BOTH,
        duplicate_role: DuplicateRole::ALL,
        role_serves_single_accounts: BOTH,
    });
    for setting in settings {
        for story in stories() {
            let what = format!("{} under {setting:?}", story.name);
            let office = Office::new((story.start)().undocumented(setting.clone()));
            let target = (story.target)();
            let plan = office.plan(&target).await;
            let done = office.apply(&plan).await;
            let done = done.unwrap_or_else(|stopped| panic!("{what}: {:#}\n{plan}", stopped.error()));
            // The role may have come with trust.
            let made = setting.enabling_makes_role && story.name == "onboarding";
            assert_eq!(done.changes().len() + usize::from(made), plan.steps().len(), "{what}");
            assert_eq!(office.organization.writes(), done.changes().len(), "{what}");
            let again = office.plan(&target).await;
            assert!(again.is_empty(), "{what}: {again}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_syncs_that_aws_spares_are_not_forgotten() {
    // The documents say that they go with the delegation; where they do not, trust away breaks them, and the receipt has them.
    let mut setting = sim::Undocumented::default();
    setting.deregistering_deletes_syncs = false;
    let office = Office::new(everything().undocumented(setting));
    let receipt = office.reach(&(story("teardown, whatever there is").target)()).await;
    let ChangeKind::TrustedAccessDisabled { syncs, .. } = &receipt.changes().last().unwrap().kind else {
        panic!("{receipt:?}")
    };
    assert_eq!(syncs.recorded().len(), 3, "{syncs:?}");
}

#[tokio::test(start_paused = true)]
async fn an_empty_plan_writes_nothing() {
    let office = Office::new(everything());
    let plan = office.plan(&onboarding()).await;
    assert!(plan.is_empty(), "{plan}");
    office.organization.forget_calls();
    assert!(office.apply(&plan).await.unwrap().is_empty());
    let calls = office.organization.calls();
    assert!(calls.iter().all(|call| call.operation == Operation::GetCallerIdentity), "just looked: {calls:?}");
    an_hour_later().await;
    assert!(office.apply(&plan).await.unwrap().is_empty());
    assert_eq!(office.organization.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn applied_at_once_it_stays_inside_awss_allowances() {
    // Three services at once take a call's own time.
    let slow = Office::new((story("companions").start)().throttled().latency(Duration::from_millis(200)));
    slow.reach(&companions()).await;
    let calls = slow.organization.calls();
    assert!(calls.iter().all(|call| call.outcome == Outcome::Answered), "{calls:#?}");
    assert_eq!(slow.organization.count(Operation::DescribeAccount), 1, "each account is looked up once");

    for story in stories().into_iter().filter(|story| story.name != "companions") {
        let office = Office::new((story.start)().throttled());
        let started = tokio::time::Instant::now();
        let plan = office.plan(&(story.target)()).await;
        office.apply(&plan).await.unwrap_or_else(|stopped| panic!("{}: {stopped:#}", story.name));
        for call in office.organization.calls() {
            assert_eq!(call.outcome, Outcome::Answered, "{}: {call}", story.name);
        }
        let deletes_role = outline(&plan).iter().any(|step| step == "delete the role");
        assert!(deletes_role || started.elapsed().is_zero(), "{}: it waited", story.name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_region_makes_room_before_it_is_filled() {
    let five = ["a", "b", "c", "d", "e"];
    let start =
        five.iter().fold(trusting().role_for(&ROLE), |b, text| b.data_sync(management(), region(HOME), shown(text)));
    let office = Office::new(start.latency(Duration::from_secs(1)));
    let mut target = Target::new();
    for text in five {
        target = target.without_sync(Caller::Management, name(text), home());
    }
    for text in ["v", "w", "x", "y", "z"] {
        target = target.with_sync(Caller::Management, whole(text), home());
    }
    office.reach(&target).await;
    let syncs = office.organization.data_syncs(management(), &region(HOME));
    assert_eq!(syncs.iter().map(|sync| sync.name.as_str()).collect::<Vec<_>>(), ["v", "w", "x", "y", "z"]);
}

#[tokio::test(start_paused = true)]
async fn syncs_of_one_account_and_region_wait_for_each_other() {
    let start = trusting().role_for(&ROLE).data_sync(management(), region(HOME), shown("one"));
    let start = start.data_sync(management(), region(HOME), shown("two"));
    let office = Office::new(start.latency(Duration::from_secs(1)));
    // AWS refuses an update while another is under way.
    let [one, two] = ["one", "two"].map(|text| whole(text).including_future_regions());
    let target = Target::new().with_sync(Caller::Management, one, home()).with_sync(Caller::Management, two, home());
    let receipt = office.reach(&target).await;
    assert_eq!(receipt.changes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn syncs_in_many_regions_are_made_at_the_same_time() {
    let regions: Vec<_> = (0..20).map(|number| region(&format!("eu-test-{number}"))).collect();
    let office = Office::new(trusting().role_for(&ROLE).latency(Duration::from_secs(1)));
    let target = Target::new().with_sync(Caller::Management, whole("all"), regions);
    let plan = office.plan(&target).await;
    let started = tokio::time::Instant::now();
    office.apply(&plan).await.unwrap();
    // One after the other it would be four calls each.
    assert!(started.elapsed() < Duration::from_secs(40), "{:?}", started.elapsed());
    assert_eq!(office.organization.count(Operation::CreateResourceDataSync), 20);
}

#[cfg(feature = "serde")]
#[tokio::test(start_paused = true)]
async fn a_plan_that_was_kept_is_applied_like_a_new_one() {
    for story in stories() {
        let (end, _) = calm(&story).await;
        let office = Office::new((story.start)());
        let plan = office.plan(&(story.target)()).await;
        let kept = serde_json::to_string(&plan).unwrap();
        let read: Plan = serde_json::from_str(&kept).unwrap();
        assert_eq!(read, plan, "{}", story.name);
        assert_eq!(read.to_string(), plan.to_string(), "{}", story.name);
        office.organization.forget_calls();
        let receipt = office.apply(&read).await.unwrap();
        assert_eq!(like(&office.organization), end, "{}", story.name);
        // What was kept may be old.
        assert_eq!(office.organization.count(Operation::DescribeOrganization), 1, "{}", story.name);
        let kept = serde_json::to_string(&receipt).unwrap();
        assert_eq!(serde_json::from_str::<Receipt>(&kept).unwrap(), receipt, "{}", story.name);

        // Half of it, and then the rest.
        let office = Office::new((story.start)());
        let read: Plan =
            serde_json::from_str(&serde_json::to_string(&office.plan(&(story.target)()).await).unwrap()).unwrap();
        office.organization.forget_calls();
        office.organization.die(14);
        office.apply(&read).await.unwrap_err();
        office.organization.live();
        an_hour_later().await;
        office.apply(&read).await.unwrap();
        assert_eq!(like(&office.organization), end, "{}", story.name);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_done_for_a_companion_alone_is_done_for_it() {
    let office = Office::new(organization());
    let target = Target::new().with_companion(QUICK_SETUP, ServiceTarget::new().with_trusted_access(true));
    let receipt = office.reach(&target).await;
    assert!(office.organization.is_trusted(&QUICK_SETUP) && !trusts(&office.organization));
    let [change] = receipt.changes() else { panic!("{receipt:?}") };
    assert!(matches!(&change.kind, ChangeKind::TrustedAccessEnabled { principal, .. } if *principal == QUICK_SETUP));
}

#[tokio::test(start_paused = true)]
async fn applying_can_be_spawned() {
    let office = Office::new(organization());
    let task = tokio::spawn(async move {
        let plan = office.plan(&onboarding()).await;
        office.apply(&plan).await.map(|receipt| receipt.changes().len()).map_err(Error::from)
    });
    assert_eq!(task.await.unwrap().unwrap(), 6);
    let office = Office::new(everything());
    let plan = office.plan(&rearranged()).await;
    assert_eq!(plan.steps().len(), 4, "{plan}");
    assert!(outline(&plan).iter().any(|step| step.contains(AWAY)));
    let offboarded = office.plan(&offboarding()).await;
    assert_eq!(offboarded.steps().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn where_no_region_is_named_the_receipt_does_not_claim_that_somebody_looked() {
    let office = Office::new(delegated());
    let target = Target::new().with_trusted_access(false).without_administrator().with_other_syncs(OtherSyncs::Forfeit);
    let receipt = office.apply(&office.plan(&target).await).await.unwrap();
    assert_eq!(receipt.changes().len(), 2);
    for change in receipt.changes() {
        let (ChangeKind::TrustedAccessDisabled { syncs, .. } | ChangeKind::AdministratorDeregistered { syncs, .. }) =
            &change.kind
        else {
            panic!("{change}")
        };
        assert_eq!(*syncs, SyncsReport::Forfeited, "{change}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_can_see_any_more_goes_as_it_was_planned() {
    // Planned with a client of Alice's, and applied without: the syncs that she had are on record. None are no reason to claim a look.
    for (start, lost) in [(everything(), 1), (delegated(), 0)] {
        let office = Office::new(start);
        let target = Target::new().without_administrator().with_other_syncs(OtherSyncs::Forfeit).looking_in(home());
        let plan = office.plan(&target).await;
        an_hour_later().await;
        let receipt = plan.apply(&Clients::new(&office.management), |_: Event<'_>| {}).await.unwrap();
        let [change] = receipt.changes() else { panic!("{receipt:?}") };
        let ChangeKind::AdministratorDeregistered { syncs, .. } = &change.kind else { panic!("{change}") };
        assert_eq!((syncs.recorded().len(), *syncs == SyncsReport::Forfeited), (lost, lost == 0), "{syncs:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_administrator_that_is_registered_again_at_the_last_moment_stays() {
    let office = Office::new(delegated());
    let target = Target::new().without_administrator().with_other_syncs(OtherSyncs::Forfeit);
    let plan = office.plan(&target).await;
    // Between the look of the step and the one that guards its write.
    office.organization.before(Operation::ListDelegatedAdministrators, 2, |organization| {
        organization.undelegate(alice());
        organization.delegate(alice());
    });
    let stopped = office.apply(&plan).await.unwrap_err();
    assert_eq!(*stopped.error().kind(), ErrorKind::StateMoved, "{stopped}");
    assert!(stopped.receipt().is_empty());
    assert_eq!(office.organization.administrators(), [alice()]);
    assert_eq!(office.organization.count(Operation::DeregisterDelegatedAdministrator), 0);
}

#[tokio::test(start_paused = true)]
async fn a_sync_of_a_single_account_that_came_since_keeps_the_role() {
    let office = Office::new(organization().role_for(&ROLE));
    let plan = office.plan(&Target::new().without_role().looking_in(home())).await;
    office.organization.before(Operation::GetRole, 1, |organization| {
        let single = DataSync::new(name("own"), Some(SyncSourceType::SingleAccountMultiRegions));
        organization.add_data_sync(management(), region(HOME), single);
    });
    let stopped = office.apply(&plan).await.unwrap_err();
    let ErrorKind::SyncsRemain { syncs, .. } = stopped.error().kind() else { panic!("{stopped}") };
    assert_eq!(syncs.iter().map(|sync| sync.at.name.as_str()).collect::<Vec<_>>(), ["own"]);
    assert_eq!(office.organization.count(Operation::DeleteServiceLinkedRole), 0);
}

#[cfg(feature = "serde")]
#[tokio::test(start_paused = true)]
async fn a_plan_that_was_written_by_hand_touches_no_other_services_sync_and_no_other_account() {
    let office = Office::new(everything());
    let plan = office.plan(&Target::new().without_sync(Caller::Management, name("ours"), home())).await;
    let written = serde_json::to_string(&plan).unwrap();

    office.organization.add_data_sync(management(), region(HOME), shown("AWS-QuickSetup-ours"));
    let foreign: Plan = serde_json::from_str(&written.replace("\"ours\"", "\"AWS-QuickSetup-ours\"")).unwrap();
    let stopped = office.apply(&foreign).await.unwrap_err();
    assert_eq!(*stopped.error().kind(), ErrorKind::ForeignSync, "{stopped}");
    assert_eq!(office.organization.writes(), 0);

    let mut other: serde_json::Value = serde_json::from_str(&written).unwrap();
    *other.pointer_mut("/steps/0/account").unwrap() = alice().as_str().into();
    let error = serde_json::from_value::<Plan>(other).unwrap_err().to_string();
    assert!(error.contains("takes account 111111111111, not 222222222222"), "{error}");
}

/// The syncs' fate that the n-th change tells.
fn fate(receipt: &Receipt, nth: usize) -> &SyncsReport {
    match receipt.changes().get(nth).map(|change| &change.kind) {
        Some(ChangeKind::AdministratorDeregistered { syncs, .. } | ChangeKind::TrustedAccessDisabled { syncs, .. }) => {
            syncs
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_may_list_is_forfeited_when_it_is_planned_and_when_it_is_applied() {
    let denied = |client: &sim::Client| client.clone().without_permission("ssm:ListResourceDataSync");
    let forfeiting = |target: Target| target.with_other_syncs(OtherSyncs::Forfeit).looking_in(home());

    let office = Office::new(delegated().data_sync(alice(), region(HOME), shown("theirs")));
    let blind = denied(&office.alice);
    let clients = Clients::new(&office.management).and(&blind);
    let plan = forfeiting(Target::new().without_administrator()).plan(&clients).await.unwrap();
    assert!(plan.unknowns().iter().any(|unknown| unknown.contains("222222222222 in eu-central-1")), "{plan}");
    let receipt = plan.apply(&clients, |_| {}).await.unwrap();
    assert_eq!(*fate(&receipt, 0), SyncsReport::Forfeited);

    // Trust and the role too, where the management account's own cannot be seen.
    let office = Office::new(delegated().role_for(&ROLE));
    let blind = denied(&office.management);
    let clients = Clients::new(&blind).and(&office.alice);
    let target = Target::new().with_trusted_access(false).without_administrator().without_role();
    let receipt = forfeiting(target).plan(&clients).await.unwrap().apply(&clients, |_| {}).await.unwrap();
    assert!(matches!(fate(&receipt, 0), SyncsReport::NoneSeen(looks) if looks.len() == 1), "{receipt:?}");
    assert_eq!(*fate(&receipt, 1), SyncsReport::Forfeited);
    assert!(matches!(receipt.changes()[2].kind, ChangeKind::RoleDeleted { .. }), "{receipt:?}");

    // Who need not be looked at takes nothing from what the others show.
    let office = Office::new(trusting());
    let blind = denied(&office.bob);
    let clients = Clients::new(&office.management).and(&office.alice).and(&blind);
    let plan = forfeiting(Target::new().with_trusted_access(false)).plan(&clients).await.unwrap();
    let receipt = plan.apply(&clients, |_| {}).await.unwrap();
    let SyncsReport::NoneSeen(looks) = fate(&receipt, 0) else { panic!("{receipt:?}") };
    assert_eq!(looks.iter().map(|look| look.account).collect::<Vec<_>>(), [management(), alice()]);

    // What was seen when it was planned is on record.
    let office = Office::new(everything());
    let plan = office.plan(&forfeiting(Target::new().without_administrator())).await;
    an_hour_later().await;
    let blind = denied(&office.alice);
    let receipt = plan.apply(&Clients::new(&office.management).and(&blind), |_| {}).await.unwrap();
    assert_eq!(fate(&receipt, 0).recorded().len(), 1);

    // To protect, somebody has to see them.
    let office = Office::new(delegated());
    let plan = office.plan(&Target::new().without_administrator().looking_in(home())).await;
    let blind = denied(&office.alice);
    let stopped = plan.apply(&Clients::new(&office.management).and(&blind), |_| {}).await.unwrap_err();
    assert!(matches!(stopped.error().kind(), ErrorKind::SyncsUnseen { .. }), "{stopped}");
    assert_eq!(office.organization.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn beside_a_region_that_cannot_be_listed_what_is_seen_is_compared_with_the_record() {
    let planned = async || {
        let office = Office::new(delegated().data_sync(alice(), region(HOME), shown("theirs")));
        let target = Target::new().without_administrator().with_other_syncs(OtherSyncs::Forfeit);
        let plan = office.plan(&target.looking_in([region(HOME), region(AWAY)])).await;
        // The second of two Regions, however often it is asked.
        for nth in [2, 4] {
            office.organization.fault(
                Operation::ListResourceDataSync,
                nth,
                Fault::refused("UnrecognizedClientException"),
            );
        }
        (office, plan)
    };
    let (office, plan) = planned().await;
    let receipt = office.apply(&plan).await.unwrap();
    assert_eq!(fate(&receipt, 0).recorded().len(), 1);

    let (office, plan) = planned().await;
    office.organization.add_data_sync(alice(), region(HOME), shown("new"));
    let stopped = office.apply(&plan).await.unwrap_err();
    let ErrorKind::SyncsRemain { syncs, .. } = stopped.error().kind() else { panic!("{stopped:#}") };
    assert_eq!(syncs.iter().map(|sync| sync.at.name.as_str()).collect::<Vec<_>>(), ["new"]);
    assert_eq!(office.organization.writes(), 0);

    // One that may be listed at the next try is waited for.
    let office = Office::new(delegated());
    let target = Target::new().without_administrator().with_other_syncs(OtherSyncs::Forfeit).looking_in(home());
    let plan = office.plan(&target).await;
    for nth in [1, 2] {
        office.organization.fault(Operation::ListResourceDataSync, nth, Fault::LostBefore);
    }
    let stopped = office.apply(&plan).await.unwrap_err();
    assert!(matches!(stopped.error().kind(), ErrorKind::SyncsUnseen { .. }), "{stopped}");
    assert!(stopped.error().is_retryable() && office.organization.writes() == 0, "{stopped:?}");
    assert!(matches!(fate(&office.apply(&plan).await.unwrap(), 0), SyncsReport::NoneSeen(_)));

    // A look in one of two Regions is none to claim.
    let office = Office::new(delegated());
    let target = Target::new().without_administrator().with_other_syncs(OtherSyncs::Forfeit);
    let plan = office.plan(&target.looking_in([region(HOME), region(AWAY)])).await;
    for nth in [2, 4] {
        office.organization.fault(Operation::ListResourceDataSync, nth, Fault::refused("AccessDeniedException"));
    }
    assert_eq!(*fate(&office.apply(&plan).await.unwrap(), 0), SyncsReport::Forfeited);
}

#[cfg(feature = "serde")]
#[tokio::test(start_paused = true)]
async fn a_plan_that_says_one_sync_and_writes_another_is_not_read() {
    let office = Office::new(everything());
    let changed = whole("ours").including_future_regions();
    for target in [
        Target::new().with_sync(Caller::Management, changed, home()),
        Target::new().with_sync(Caller::Management, whole("new"), home()),
    ] {
        let mut plan = serde_json::to_value(office.plan(&target).await).unwrap();
        let action = plan.pointer_mut("/steps/0/action").unwrap().as_object_mut().unwrap();
        let step = action.values_mut().next().unwrap();
        *step.pointer_mut("/definition/name").unwrap() = "AWS-QuickSetup-SSM-abc".into();
        let error = serde_json::from_value::<Plan>(plan).unwrap_err().to_string();
        assert!(error.contains("its definition is of \"AWS-QuickSetup-SSM-abc\""), "{error}");
    }
}

#[cfg(feature = "serde")]
#[tokio::test(start_paused = true)]
async fn a_plan_that_does_not_say_what_becomes_of_the_syncs_is_not_read() {
    let office = Office::new(everything());
    let written = serde_json::to_value(office.plan(&offboarding()).await).unwrap();
    serde_json::from_value::<Plan>(written.clone()).unwrap();
    for (step, whose) in [(3, "222222222222"), (4, "111111111111"), (5, "111111111111")] {
        let refused = |change: &dyn Fn(&mut serde_json::Map<String, serde_json::Value>)| {
            let mut plan = written.clone();
            change(plan["steps"][step].as_object_mut().unwrap());
            serde_json::from_value::<Plan>(plan).unwrap_err().to_string()
        };
        let error = refused(&|step| drop(step.remove("at_risk")));
        assert!(error.contains("at_risk: it does not say what becomes of the data syncs"), "{step}: {error}");
        // Nor does one that protects, and looks nowhere or at another account.
        let error = refused(&|step| step["at_risk"]["regions"] = serde_json::json!([]));
        assert!(error.contains("at_risk: it protects data syncs, and names no Region"), "{step}: {error}");
        for accounts in [serde_json::json!([]), serde_json::json!(["333333333333"])] {
            let error = refused(&|step| step["at_risk"]["accounts"] = accounts.clone());
            assert!(error.contains(&format!("at_risk: account {whose} is to come first")), "{step}: {error}");
        }
    }
    // Nothing of a companion's is at risk.
    let office = Office::new(organization().trusting(&QUICK_SETUP));
    let target = Target::new().with_companion(QUICK_SETUP, ServiceTarget::new().with_trusted_access(false));
    let written = serde_json::to_value(office.plan(&target).await).unwrap();
    serde_json::from_value::<Plan>(written).unwrap();
}
