//! Taking back what a run did, that and nothing else.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{
    SSM, account, alice, bob, delegated, expect_trusted, management, observe, organization, region, trusting,
};
use crate::plans::{
    AWAY, HOME, Office, QUICK_SETUP, ROLE, STACK_SETS, away, companions, everything, handover, home, like, name,
    offboarding, onboarding, outline, shown, stories, trusts, whole,
};
use ssm_organizations::plan::{AdministratorTarget, OtherSyncs, Receipt, Scope, ServiceTarget, Snapshot, Target, Undo};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{
    DataSync, Operation, SourceRegions, SyncDefinition, SyncSource, SyncSourceType, SyncState, SystemsManagerApi,
};
use ssm_organizations::sim::{self, Fault};
use ssm_organizations::{Certainty, Change, ChangeKind, ErrorKind, Recovered, RoleName, Syncs};

const WHERE: [&str; 2] = [HOME, AWAY];

fn undo() -> Undo {
    Undo::new().looking_in(WHERE.map(region))
}

/// The plan that takes the receipt back.
async fn undoing(office: &Office, receipt: &Receipt) -> ssm_organizations::plan::Plan {
    receipt.undo(&office.clients(), &undo()).await.unwrap_or_else(|error| panic!("{error:#}"))
}

#[tokio::test(start_paused = true)]
async fn every_story_is_taken_back_in_reverse() {
    for story in stories() {
        let office = Office::new((story.start)());
        let before = like(&office.organization);
        let receipt = office.reach(&(story.target)()).await;
        let after = like(&office.organization);
        assert!(!receipt.is_empty());
        let plan = undoing(&office, &receipt).await;
        let taken_back =
            office.apply(&plan).await.unwrap_or_else(|stopped| panic!("{}: {stopped:#}\n{plan}", story.name));
        if story.name.starts_with("teardown") {
            // The management account's sync broke, and stays broken.
            let [left] = plan.left() else { panic!("{plan}") };
            assert!(left.contains("\"ours\"") && left.contains("create it anew"), "{left}");
            assert!(plan.to_string().contains(left.as_str()), "{plan}");
            let ours = office.organization.data_syncs(management(), &region(HOME));
            assert_eq!(ours[0].state, SyncState::TrustedAccessDisabled);
            office.organization.remove_data_sync(management(), &region(HOME), &name("ours"));
            office.management.create_resource_data_sync(&region(HOME), &whole("ours")).await.unwrap();
        } else {
            assert!(plan.left().is_empty(), "{}: {plan}", story.name);
        }
        assert_eq!(like(&office.organization), before, "{}: {plan}", story.name);
        // Once is enough.
        let again = undoing(&office, &receipt).await;
        assert!(again.is_empty(), "{}: {again}", story.name);
        // And back again, for the undoing has a receipt of its own.
        if !story.name.starts_with("teardown") {
            let forth = undoing(&office, &taken_back).await;
            office.apply(&forth).await.unwrap_or_else(|stopped| panic!("{}: {stopped:#}\n{forth}", story.name));
            assert_eq!(like(&office.organization), after, "{}: {forth}", story.name);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_reverse_order_is_one_that_aws_allows() {
    let office = Office::new(organization());
    let receipt = office.reach(&onboarding()).await;
    assert_eq!(
        outline(&undoing(&office, &receipt).await),
        [
            "delete ours of 111111111111 in eu-central-1",
            "delete theirs of 222222222222 in eu-central-1",
            "delete theirs of 222222222222 in us-east-1",
            "deregister 222222222222 for ssm.amazonaws.com",
            "distrust ssm.amazonaws.com",
            "delete the role",
        ]
    );
    let office = Office::new(everything());
    let receipt = office.reach(&handover()).await;
    assert_eq!(
        outline(&undoing(&office, &receipt).await),
        [
            "delete theirs of 333333333333 in eu-central-1",
            "delete theirs of 333333333333 in us-east-1",
            "deregister 333333333333 for ssm.amazonaws.com",
            "register 222222222222 for ssm.amazonaws.com",
            "create theirs of 222222222222 in eu-central-1",
            "create theirs of 222222222222 in us-east-1",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_on_before_stays_on() {
    let office = Office::new(trusting().role_for(&ROLE));
    let before = like(&office.organization);
    let receipt = office.reach(&onboarding()).await;
    let plan = undoing(&office, &receipt).await;
    assert_eq!(
        outline(&plan).last().map(String::as_str),
        Some("deregister 222222222222 for ssm.amazonaws.com"),
        "{plan}"
    );
    office.apply(&plan).await.unwrap();
    assert!(trusts(&office.organization) && office.organization.has_role(management(), &RoleName::ACCOUNT_DISCOVERY));
    assert_eq!(like(&office.organization), before);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_aws_does_not_let_go_is_left_and_said() {
    let office = Office::new(trusting());
    let receipt = office.reach(&onboarding()).await;
    let plan = undoing(&office, &receipt).await;
    assert!(!outline(&plan).iter().any(|step| step == "delete the role"), "{plan}");
    assert_eq!(
        plan.left(),
        ["the role AWSServiceRoleForAmazonSSM_AccountDiscovery: AWS deletes it only where trusted access is off"]
    );
    office.apply(&plan).await.unwrap();
    assert!(trusts(&office.organization) && office.organization.has_role(management(), &RoleName::ACCOUNT_DISCOVERY));
    assert!(office.organization.administrators().is_empty());
}

/// Everything of an onboarding made anew by somebody else, one thing at a time.
#[tokio::test(start_paused = true)]
async fn what_somebody_has_made_anew_is_left_alone() {
    type Act = fn(&sim::Organization);
    let cases: [(&str, Act, &str); 5] = [
        (
            "deregister",
            |organization| {
                organization.undelegate(alice());
                organization.delegate(alice());
            },
            "account 222222222222 as administrator of ssm.amazonaws.com: somebody has made it anew",
        ),
        (
            "distrust",
            |organization| {
                organization.distrust(&SSM);
                organization.trust(&SSM);
            },
            "trusted access for ssm.amazonaws.com: somebody has made it anew",
        ),
        (
            "the role",
            |organization| {
                organization.remove_role(management(), &RoleName::ACCOUNT_DISCOVERY);
                organization.add_role(management(), &ROLE);
            },
            "the role AWSServiceRoleForAmazonSSM_AccountDiscovery: somebody has made it anew",
        ),
        (
            "delete ours",
            |organization| {
                organization.remove_data_sync(management(), &region(HOME), &name("ours"));
                organization.add_data_sync(management(), region(HOME), shown("ours"));
            },
            "the data sync \"ours\" of account 111111111111 in eu-central-1: somebody has made it anew",
        ),
        (
            "delete theirs of 222222222222 in us-east-1",
            |organization| {
                organization.remove_data_sync(alice(), &region(AWAY), &name("theirs"));
                organization.add_data_sync(alice(), region(AWAY), shown("theirs"));
            },
            "the data sync \"theirs\" of account 222222222222 in us-east-1: somebody has made it anew",
        ),
    ];
    for (what, act, words) in cases {
        let office = Office::new(organization());
        let receipt = office.reach(&onboarding()).await;
        act(&office.organization);
        match receipt.undo(&office.clients(), &undo()).await {
            Ok(plan) => {
                assert!(plan.left().iter().any(|left| left == words), "{what}: {plan}");
                assert!(!outline(&plan).iter().any(|step| step.contains(what)), "{what}: {plan}");
                office.apply(&plan).await.unwrap();
            }
            // What it is built on cannot go either.
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::SyncsRemain { .. } | ErrorKind::OtherAdministrator { .. }),
                "{what}: {error:#}"
            ),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_others_have_taken_away_is_not_missed() {
    let office = Office::new(organization());
    let before = like(&office.organization);
    let receipt = office.reach(&onboarding()).await;
    office.organization.remove_data_sync(management(), &region(HOME), &name("ours"));
    office.organization.undelegate(alice());
    let plan = undoing(&office, &receipt).await;
    assert!(plan.left().is_empty(), "{plan}");
    office.apply(&plan).await.unwrap();
    assert_eq!(like(&office.organization), before);
}

#[tokio::test(start_paused = true)]
async fn what_others_have_built_on_is_refused() {
    let started = async || {
        let office = Office::new(organization());
        let receipt = office.reach(&onboarding()).await;
        (office, receipt)
    };
    let refusal =
        async |office: &Office, receipt: &Receipt, undo: &Undo| match receipt.undo(&office.clients(), undo).await {
            Ok(plan) => panic!("{plan}"),
            Err(error) => error,
        };
    // Another sync of the organization.
    let (office, receipt) = started().await;
    office.organization.add_data_sync(management(), region(HOME), shown("anothers"));
    let error = refusal(&office, &receipt, &undo()).await;
    let ErrorKind::SyncsRemain { syncs, .. } = error.kind() else { panic!("{error:#}") };
    assert_eq!(syncs.iter().map(|sync| sync.at.name.as_str()).collect::<Vec<_>>(), ["anothers"]);
    let error = refusal(&office, &receipt, &undo().with_other_syncs(OtherSyncs::Forfeit)).await;
    assert_eq!(error.operation(), Some(Operation::DeleteServiceLinkedRole), "it holds the role: {error:#}");

    // Another administrator instead of ours.
    let (office, receipt) = started().await;
    office.organization.undelegate(alice());
    office.organization.delegate(bob());
    let error = refusal(&office, &receipt, &undo()).await;
    let ErrorKind::OtherAdministrator { holders, .. } = error.kind() else { panic!("{error:#}") };
    assert_eq!(*holders, [bob()]);

    // A sync of ours, changed.
    let (office, receipt) = started().await;
    let changed = whole("ours").including_future_regions();
    office.management.update_resource_data_sync(&region(HOME), &changed).await.unwrap();
    let error = refusal(&office, &receipt, &undo()).await;
    assert!(matches!(error.kind(), ErrorKind::FactMoved { .. }), "{error:#}");
    assert!(error.to_string().contains("\"ours\" of account 111111111111 in eu-central-1 has been changed"), "{error}");

    // The place of the administrator that was.
    let office = Office::new(everything());
    let receipt = office.reach(&handover()).await;
    office.organization.undelegate(bob());
    office.organization.delegate(account("444444444444"));
    let error = refusal(&office, &receipt, &undo()).await;
    let ErrorKind::OtherAdministrator { holders, .. } = error.kind() else { panic!("{error:#}") };
    assert_eq!(*holders, [account("444444444444")]);

    // A companion's administrator.
    let office = Office::new(organization());
    let trust = Target::new().with_companion(QUICK_SETUP, ServiceTarget::new().with_trusted_access(true));
    let receipt = office.reach(&trust).await;
    office.organization.delegate_for(&QUICK_SETUP, bob());
    let error = refusal(&office, &receipt, &undo()).await;
    assert!(matches!(error.kind(), ErrorKind::OtherAdministrator { .. }), "{error:#}");
}

#[tokio::test(start_paused = true)]
async fn trust_and_delegation_go_only_where_somebody_looked_for_syncs() {
    let office = Office::new(organization());
    let target = Target::new().with_trusted_access(true).with_administrator(alice());
    let receipt = office.reach(&target).await;
    let error = receipt.undo(&office.clients(), &Undo::new()).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidInput, "{error:#}");
    assert!(error.to_string().contains("no Region is named to look for data syncs in"), "{error}");
    let plan = receipt.undo(&office.clients(), &Undo::new().with_other_syncs(OtherSyncs::Forfeit)).await.unwrap();
    assert_eq!(plan.steps().len(), 2);
    assert!(!plan.unknowns().is_empty(), "{plan}");
}

#[tokio::test(start_paused = true)]
async fn a_maybe_is_left_alone_unless_it_is_named() {
    for (operation, index) in [
        (Operation::EnableAwsServiceAccess, 0),
        (Operation::CreateServiceLinkedRole, 1),
        (Operation::RegisterDelegatedAdministrator, 2),
        (Operation::CreateResourceDataSync, 3),
    ] {
        let office = Office::new(organization());
        let before = like(&office.organization);
        office.organization.fault(operation, 1, Fault::LostAfter);
        let receipt = office.reach(&onboarding()).await;
        let maybe = receipt.changes().get(index).unwrap();
        assert_eq!(maybe.certainty, Certainty::Maybe, "{receipt:?}");

        // So is what it needs.
        let plan = undoing(&office, &receipt).await;
        let uncertain = "it is not certain that it was this run's; name it to take it back";
        assert!(plan.left().iter().any(|left| left.ends_with(uncertain)), "{operation}: {plan}");
        assert!(
            !plan.steps().iter().any(|step| step.action().operation() == opposite(operation)
                && operation != Operation::CreateResourceDataSync),
            "{operation}: {plan}"
        );
        let plan = receipt.undo(&office.clients(), &undo().including(index)).await.unwrap();
        assert!(plan.left().is_empty(), "{operation}: {plan}");
        office.apply(&plan).await.unwrap();
        assert_eq!(like(&office.organization), before, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn syncs_that_broke_with_trusted_access_unseen_are_not_known() {
    for lost in [0, 1] {
        let office = Office::new(trusting());
        let look = Syncs::Protect { ssm: &[&office.management], regions: &[region(HOME)] };
        let trusted = expect_trusted(observe(&office.organization).await);
        let disabled = trusted.disable(if lost == 0 { look } else { Syncs::Forfeit }).await.unwrap();
        let plan = undoing(&office, &Receipt::of_changes(disabled.organization(), disabled.changes())).await;
        let unknown = "data syncs that the end of trusted access broke: nobody looked before";
        assert_eq!(plan.unknowns().iter().filter(|line| *line == unknown).count(), lost, "{plan}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_never_went_is_not_among_what_nobody_looked_at() {
    for (fault, unknown) in [(Fault::LostBefore, 0), (Fault::LostAfter, 1)] {
        let office = Office::new(everything());
        let ssm_organizations::Observed::Delegated(handle) = observe(&office.organization).await else { panic!() };
        office.organization.fault(Operation::DeregisterDelegatedAdministrator, 1, fault.clone());
        let snapshot = Snapshot::take(&office.clients(), &Scope::new()).await.unwrap();
        let changes = match handle.deregister(Syncs::Forfeit).await {
            Ok(trusted) => trusted.changes().to_vec(),
            Err(failure) => match failure.recover() {
                Recovered::Unknown(handle) => handle.changes().to_vec(),
                other => panic!("{other:?}"),
            },
        };
        assert_eq!(changes.len(), 1, "{fault:?}");
        let plan = undoing(&office, &Receipt::of_changes(snapshot.organization(), &changes)).await;
        let told = plan.unknowns().iter().filter(|line| line.contains("until it was deregistered")).count();
        assert_eq!(told, unknown, "{fault:?}: {plan}");
        // Nor does the account bring anything back when somebody registers it again.
        office.organization.undelegate(alice());
        office.organization.delegate(alice());
        let plan = undoing(&office, &Receipt::of_changes(snapshot.organization(), &changes)).await;
        let told = plan.unknowns().iter().filter(|line| line.contains("until it was deregistered")).count();
        assert_eq!(told, unknown, "{fault:?}: {plan}");
    }

    // As little as trust that never went.
    let office = Office::new(trusting());
    let snapshot = Snapshot::take(&office.clients(), &Scope::new()).await.unwrap();
    office.organization.fault(Operation::DisableAwsServiceAccess, 1, Fault::LostBefore);
    let failure = expect_trusted(observe(&office.organization).await).disable(Syncs::Forfeit).await.unwrap_err();
    let Recovered::Unknown(handle) = failure.recover() else { panic!() };
    let plan = undoing(&office, &Receipt::of_changes(snapshot.organization(), handle.changes())).await;
    assert!(!handle.changes().is_empty() && !plan.unknowns().iter().any(|line| line.contains("broke")), "{plan}");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_not_there_is_not_taken_back() {
    let office = Office::new(trusting());
    let receipt = office.reach(&Target::new().with_administrator(alice())).await;
    office.organization.forget_calls();
    let error = receipt.undo(&office.clients(), &undo().including(1)).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("there is no change 1 in a receipt of 1"), "{error}");
    assert_eq!(office.organization.calls().len(), 0);
    let snapshot = Snapshot::take(&office.clients(), &receipt.scope()).await.unwrap();
    assert_eq!(*receipt.undo_from(snapshot, &undo().including(7)).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[tokio::test(start_paused = true)]
async fn a_maybe_that_is_named_stays_where_it_is_another_one_by_now() {
    let office = Office::new(trusting());
    office.organization.fault(Operation::RegisterDelegatedAdministrator, 1, Fault::LostAfter);
    let receipt = office.reach(&Target::new().with_administrator(alice())).await;
    office.organization.undelegate(alice());
    office.organization.delegate(alice());
    let plan = receipt.undo(&office.clients(), &undo().including(0)).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(plan.left(), ["account 222222222222 as administrator of ssm.amazonaws.com: somebody has made it anew"]);
}

fn opposite(operation: Operation) -> Operation {
    match operation {
        Operation::EnableAwsServiceAccess => Operation::DisableAwsServiceAccess,
        Operation::RegisterDelegatedAdministrator => Operation::DeregisterDelegatedAdministrator,
        Operation::CreateServiceLinkedRole => Operation::DeleteServiceLinkedRole,
        _ => Operation::DeleteResourceDataSync,
    }
}

#[tokio::test(start_paused = true)]
async fn a_maybe_that_never_came_to_be_is_not_worth_a_word() {
    for operation in [
        Operation::EnableAwsServiceAccess,
        Operation::CreateServiceLinkedRole,
        Operation::RegisterDelegatedAdministrator,
        Operation::CreateResourceDataSync,
    ] {
        let office = Office::new(organization());
        let before = like(&office.organization);
        let plan = office.plan(&onboarding()).await;
        office.organization.fault(operation, 1, Fault::LostBefore);
        let (_, receipt) = office.apply(&plan).await.unwrap_err().into_parts();
        assert!(receipt.changes().iter().any(|change| change.certainty == Certainty::Maybe));
        let plan = undoing(&office, &receipt).await;
        assert!(plan.left().is_empty(), "{operation}: {plan}");
        office.apply(&plan).await.unwrap();
        assert_eq!(like(&office.organization), before, "{operation}");
    }
    // The same of what was to go.
    for operation in [Operation::DeleteResourceDataSync, Operation::DeregisterDelegatedAdministrator] {
        let office = Office::new(everything());
        let before = like(&office.organization);
        let plan = office.plan(&offboarding()).await;
        office.organization.fault(operation, 1, Fault::LostBefore);
        let (_, receipt) = office.apply(&plan).await.unwrap_err().into_parts();
        let plan = undoing(&office, &receipt).await;
        assert!(plan.left().is_empty(), "{operation}: {plan}");
        office.apply(&plan).await.unwrap();
        assert_eq!(like(&office.organization), before, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_run_is_half_taken_back() {
    let office = Office::new(everything());
    let before = like(&office.organization);
    let plan = office.plan(&offboarding()).await;
    office.organization.fault(Operation::DisableAwsServiceAccess, 1, Fault::refused("AccessDeniedException"));
    let (_, receipt) = office.apply(&plan).await.unwrap_err().into_parts();
    let plan = undoing(&office, &receipt).await;
    assert_eq!(
        outline(&plan),
        [
            "register 222222222222 for ssm.amazonaws.com",
            "create ours of 111111111111 in eu-central-1",
            "create theirs of 222222222222 in eu-central-1",
            "create theirs of 222222222222 in us-east-1",
        ]
    );
    office.apply(&plan).await.unwrap();
    assert_eq!(like(&office.organization), before);
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_was_changed_is_changed_back() {
    let office = Office::new(everything());
    let before = like(&office.organization);
    let changed = whole("ours").including_future_regions();
    let receipt = office.reach(&Target::new().with_sync(Caller::Management, changed.clone(), home())).await;
    let plan = undoing(&office, &receipt).await;
    assert_eq!(outline(&plan), ["update ours of 111111111111 in eu-central-1"]);
    office.apply(&plan).await.unwrap();
    assert_eq!(like(&office.organization), before);

    // Somebody has deleted it since: that is theirs.
    let receipt = office.reach(&Target::new().with_sync(Caller::Management, changed.clone(), home())).await;
    office.organization.remove_data_sync(management(), &region(HOME), &name("ours"));
    let plan = undoing(&office, &receipt).await;
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(
        plan.left(),
        ["the data sync \"ours\" of account 111111111111 in eu-central-1: somebody has deleted it"]
    );

    // Or made another.
    office.management.create_resource_data_sync(&region(HOME), &changed).await.unwrap();
    let plan = undoing(&office, &receipt).await;
    assert!(plan.is_empty() && plan.left().len() == 1, "{plan}");
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_somebody_has_changed_again_is_not_changed_back() {
    let office = Office::new(everything());
    let changed = whole("ours").including_future_regions();
    let receipt = office.reach(&Target::new().with_sync(Caller::Management, changed.clone(), home())).await;
    let again = changed.enabling_all_ops_data_sources();
    office.management.update_resource_data_sync(&region(HOME), &again).await.unwrap();
    let error = receipt.undo(&office.clients(), &undo()).await.unwrap_err();
    let ErrorKind::FactMoved { found, .. } = error.kind() else { panic!("{error:#}") };
    assert_eq!(found, "the data sync \"ours\" of account 111111111111 in eu-central-1 has been changed");
}

#[tokio::test(start_paused = true)]
async fn what_a_run_made_and_deleted_again_leaves_nothing_to_take_back() {
    let office = Office::new(trusting().role_for(&ROLE));
    let made = office.reach(&Target::new().with_sync(Caller::Management, whole("ours"), home())).await;
    let gone = office.reach(&Target::new().without_sync(Caller::Management, name("ours"), home())).await;
    let receipt = both(&office, &made, &gone).await;
    // Somebody else's is theirs.
    office.organization.add_data_sync(management(), region(HOME), shown("ours"));
    let plan = undoing(&office, &receipt).await;
    assert!(plan.is_empty() && plan.left().is_empty(), "{plan}");
}

/// Of two runs in a row.
async fn both(office: &Office, one: &Receipt, other: &Receipt) -> Receipt {
    let snapshot = Snapshot::take(&office.clients(), &Scope::new()).await.unwrap();
    Receipt::of_changes(snapshot.organization(), &[one.changes(), other.changes()].concat())
}

#[tokio::test(start_paused = true)]
async fn a_sync_without_a_date_may_be_anybodys() {
    let office = Office::new(trusting().role_for(&ROLE));
    let receipt = office.reach(&Target::new().with_sync(Caller::Management, whole("ours"), home())).await;
    let mut changes = receipt.changes().to_vec();
    let [Change { kind: ChangeKind::DataSyncCreated { after: Some(after), .. }, .. }] = &mut changes[..] else {
        panic!("{receipt:?}")
    };
    after.created = None;
    let snapshot = Snapshot::take(&office.clients(), &Scope::new()).await.unwrap();
    let plan = undoing(&office, &Receipt::of_changes(snapshot.organization(), &changes)).await;
    assert!(plan.is_empty(), "{plan}");
    let [left] = plan.left() else { panic!("{plan}") };
    assert!(left.ends_with("\"ours\" of account 111111111111 in eu-central-1: AWS shows too little to know it again"));
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_recovered_with_trust_is_not_called_broken() {
    let mut setting = sim::Undocumented::default();
    setting.syncs_recover = true;
    let office = Office::new(everything().undocumented(setting));
    let target = Target::new().with_trusted_access(false).without_administrator().looking_in(WHERE.map(region));
    let receipt = office.reach(&target.with_other_syncs(OtherSyncs::Forfeit)).await;
    let ours = || office.organization.data_syncs(management(), &region(HOME)).remove(0).state;
    assert_eq!(ours(), SyncState::TrustedAccessDisabled);
    office.organization.trust(&SSM);
    assert_eq!(ours(), SyncState::Healthy);
    let plan = undoing(&office, &receipt).await;
    assert!(plan.left().is_empty(), "{plan}");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_says_where_to_look_to_take_it_back() {
    let own = |on| Target::new().with_trusted_access(on);
    let forfeited = |target: Target| target.with_other_syncs(OtherSyncs::Forfeit).looking_in(WHERE.map(region));
    let with_role = || Scope::new().with_role();
    let cases = [
        (organization(), own(true), Scope::new()),
        (trusting(), forfeited(own(false)), Scope::new()),
        (trusting(), Target::new().with_administrator(alice()), Scope::new()),
        (organization(), companions(), Scope::new().with_companion(QUICK_SETUP).with_companion(STACK_SETS)),
        (organization(), Target::new().with_role(), with_role()),
        (organization().role_for(&ROLE), Target::new().without_role().looking_in(home()), with_role()),
        (
            trusting().role_for(&ROLE),
            Target::new().with_sync(Caller::Management, whole("new"), away()),
            with_role().in_regions(away()),
        ),
        (
            everything(),
            Target::new().without_sync(Caller::Administrator, name("theirs"), away()),
            with_role().in_regions(away()),
        ),
        // Where syncs went with the delegation, or broke without trust.
        (everything(), forfeited(Target::new().without_administrator()), with_role().in_regions(WHERE.map(region))),
        (
            trusting().data_sync(bob(), region(HOME), shown("bobs")),
            forfeited(own(false)),
            with_role().in_regions(home()),
        ),
    ];
    for (start, target, scope) in cases {
        let receipt = Office::new(start).reach(&target).await;
        assert_eq!(receipt.scope(), scope, "{receipt:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_reason_names_a_successor_only_where_aws_allows_one_administrator() {
    for (principal, reason) in [
        (
            QUICK_SETUP,
            "account 222222222222 is to administer ssm-quicksetup.amazonaws.com instead, and AWS allows one account",
        ),
        (STACK_SETS, "it is to administer member.org.stacksets.cloudformation.amazonaws.com no longer"),
    ] {
        let office = Office::new(organization().trusting(&principal).delegated_for(&principal, alice()));
        let to = |administrator| {
            let service = ServiceTarget::new().with_administrator(administrator);
            Target::new().with_companion(principal.clone(), service)
        };
        let gone = office.reach(&to(AdministratorTarget::Nobody)).await;
        let come = office.reach(&to(AdministratorTarget::Account(bob()))).await;
        let plan = undoing(&office, &both(&office, &gone, &come).await).await;
        assert_eq!(
            outline(&plan),
            [format!("deregister 333333333333 for {principal}"), format!("register 222222222222 for {principal}")]
        );
        assert_eq!(plan.steps()[0].reason(), reason);
    }
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_was_deleted_comes_back_unless_another_has_its_name() {
    let office = Office::new(everything());
    let gone = Target::new().without_sync(Caller::Administrator, name("theirs"), away());
    let receipt = office.reach(&gone).await;
    let mut other = shown("theirs");
    other.regions = vec![region("ap-south-1")];
    office.organization.add_data_sync(alice(), region(AWAY), other);
    let plan = undoing(&office, &receipt).await;
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(
        plan.left(),
        ["the data sync \"theirs\" of account 222222222222 in us-east-1: somebody has made another of that name"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_aws_would_not_make_is_left_and_said() {
    let mut broken = shown("ours");
    broken.state = SyncState::TrustedAccessDisabled;
    let office = Office::new(organization().data_sync(management(), region(HOME), broken));
    let cleared = Target::new().with_trusted_access(true).without_sync(Caller::Management, name("ours"), home());
    let receipt = office.reach(&cleared).await;
    let plan = undoing(&office, &receipt).await;
    assert_eq!(outline(&plan), ["distrust ssm.amazonaws.com"]);
    let [left] = plan.left() else { panic!("{plan}") };
    assert!(left.ends_with("AWS makes none of the organization while trusted access is off"), "{left}");

    // A former administrator's.
    let office = Office::new(delegated().role_for(&ROLE).data_sync(bob(), region(HOME), shown("bobs")));
    let receipt = office.reach(&Target::new().without_sync(Caller::Account(bob()), name("bobs"), home())).await;
    let plan = undoing(&office, &receipt).await;
    assert!(plan.is_empty(), "{plan}");
    let [left] = plan.left() else { panic!("{plan}") };
    assert!(left.ends_with("AWS makes one of the organization only for its administrator"), "{left}");
}

#[tokio::test(start_paused = true)]
async fn the_syncs_of_other_services_that_went_with_a_delegation_are_left_to_those() {
    let foreign = "AWS-QuickSetup-SSM-abc";
    let office = Office::new(delegated().role_for(&ROLE).data_sync(alice(), region(HOME), shown(foreign)));
    let target = Target::new().without_administrator().looking_in(home()).with_other_syncs(OtherSyncs::Forfeit);
    let receipt = office.reach(&target).await;
    assert!(office.organization.data_syncs(alice(), &region(HOME)).is_empty());
    let plan = undoing(&office, &receipt).await;
    assert_eq!(outline(&plan), ["register 222222222222 for ssm.amazonaws.com"]);
    let [left] = plan.left() else { panic!("{plan}") };
    assert!(left.contains(foreign) && left.contains("another AWS service looks after it"), "{left}");
}

#[tokio::test(start_paused = true)]
async fn companions_are_taken_back_each_for_itself() {
    let office = Office::new(organization());
    let before = like(&office.organization);
    let receipt = office.reach(&companions()).await;
    assert_eq!(receipt.changes().len(), 4);
    // Another one has joined where several may.
    office.organization.delegate_for(&STACK_SETS, alice());
    let error = receipt.undo(&office.clients(), &undo()).await.unwrap_err();
    let ErrorKind::OtherAdministrator { holders, .. } = error.kind() else { panic!("{error:#}") };
    assert_eq!(*holders, [alice()]);
    office.organization.undelegate_for(&STACK_SETS, alice());
    let plan = undoing(&office, &receipt).await;
    office.apply(&plan).await.unwrap();
    assert_eq!(like(&office.organization), before);
    let nobody = ServiceTarget::new().with_administrator(AdministratorTarget::Nobody);
    assert!(office.plan(&Target::new().with_companion(QUICK_SETUP, nobody)).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_receipt_is_of_one_organization() {
    let office = Office::new(organization());
    let receipt = office.reach(&onboarding()).await;
    let other = Office::new(organization().id("o-1111111111".parse().unwrap()));
    let error = receipt.undo(&other.clients(), &undo()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::OtherOrganization { .. }), "{error:#}");
}

#[tokio::test(start_paused = true)]
async fn what_the_typed_handles_did_is_taken_back_too() {
    let office = Office::new(organization());
    let before = like(&office.organization);
    let delegated = observe(&office.organization).await.ensure_delegated(&alice()).await.unwrap();
    let snapshot = Snapshot::take(&office.clients(), &Scope::new()).await.unwrap();
    let receipt = Receipt::of_changes(snapshot.organization(), delegated.changes());
    let plan = undoing(&office, &receipt).await;
    office.apply(&plan).await.unwrap();
    assert_eq!(like(&office.organization), before);

    let office = Office::new(everything());
    let before = like(&office.organization);
    let disabled = observe(&office.organization).await;
    let trusted = match disabled {
        ssm_organizations::Observed::Delegated(handle) => handle.deregister(Syncs::Forfeit).await.unwrap(),
        other => panic!("{other:?}"),
    };
    let receipt = Receipt::of_changes(snapshot.organization(), trusted.changes());
    let plan = undoing(&office, &receipt).await;
    office.apply(&plan).await.unwrap();
    // Nobody looked, so the syncs are lost, and the plan says so.
    let lost = "data syncs that account 222222222222 had until it was deregistered: nobody looked before";
    assert!(plan.unknowns().iter().any(|unknown| unknown == lost), "{plan}");
    assert_ne!(like(&office.organization), before);
    assert_eq!(office.organization.administrators(), [alice()]);
}

#[tokio::test(start_paused = true)]
async fn a_rival_between_the_undoing_and_its_application_is_noticed() {
    let office = Office::new(organization());
    let receipt = office.reach(&onboarding()).await;
    let plan = undoing(&office, &receipt).await;
    office.organization.undelegate(alice());
    office.organization.delegate(alice());
    tokio::time::advance(Duration::from_hours(1)).await;
    office.organization.forget_calls();
    let stopped = office.apply(&plan).await.unwrap_err();
    assert!(matches!(stopped.error().kind(), ErrorKind::FactMoved { .. }), "{stopped:#}");
    assert_eq!(office.organization.writes(), 0);
}

#[cfg(feature = "serde")]
#[tokio::test(start_paused = true)]
async fn a_receipt_that_was_kept_is_taken_back_like_a_new_one() {
    for story in stories() {
        let office = Office::new((story.start)());
        let receipt = office.reach(&(story.target)()).await;
        let kept = serde_json::to_string(&receipt).unwrap();
        let read: Receipt = serde_json::from_str(&kept).unwrap();
        assert_eq!(read, receipt, "{}", story.name);
        let (one, other) = (undoing(&office, &read).await, undoing(&office, &receipt).await);
        assert_eq!(one, other, "{}", story.name);
        let kept = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<ssm_organizations::plan::Plan>(&kept).unwrap(), one, "{}", story.name);
    }
}

/// A sync of its own account alone.
fn single(text: &str) -> DataSync {
    let mut sync = shown(text);
    sync.source_type = Some(SyncSourceType::SingleAccountMultiRegions);
    sync
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_was_made_anew_from_another_source_is_left_and_said() {
    let source = "the data sync \"ours\" of account 111111111111 in eu-central-1: \
                  AWS changes the source of none, and it has another one now";
    // What it hangs on stays with it, where it is protected.
    let trust = "trusted access for ssm.amazonaws.com: the data sync \"ours\" of account 111111111111 in eu-central-1 \
                 stays, and would break";
    for (start, others, steps, left) in [
        (trusting(), OtherSyncs::Protect, &["deregister 222222222222 for ssm.amazonaws.com"][..], &[source][..]),
        (organization(), OtherSyncs::Protect, &["deregister 222222222222 for ssm.amazonaws.com"], &[source, trust]),
        (
            organization(),
            OtherSyncs::Forfeit,
            &["deregister 222222222222 for ssm.amazonaws.com", "distrust ssm.amazonaws.com"],
            &[source],
        ),
    ] {
        let office = Office::new(start.role_for(&ROLE).data_sync(management(), region(HOME), single("ours")));
        let mut handle = observe(&office.organization).await.ensure_delegated(&alice()).await.unwrap();
        let mut syncs = handle.data_syncs(&office.management).await.unwrap();
        syncs.recreate(&whole("ours"), &home()).await.unwrap().into_result().unwrap();
        let receipt = Receipt::of_changes(handle.organization(), handle.changes());
        let plan = receipt.undo(&office.clients(), &undo().with_other_syncs(others)).await.unwrap();
        assert_eq!(
            (outline(&plan), plan.left()),
            (
                steps.iter().map(ToString::to_string).collect(),
                &left.iter().map(ToString::to_string).collect::<Vec<_>>()[..]
            )
        );
        office.apply(&plan).await.unwrap();
        let again = receipt.undo(&office.clients(), &undo().with_other_syncs(others)).await.unwrap();
        assert!(again.is_empty(), "{again}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_administrator_does_not_come_back_and_the_rest_does() {
    let two = || trusting().delegated_to(alice()).delegated_to(bob());
    let office = Office::new(two());
    let target = Target::new()
        .with_administrator(alice())
        .with_role()
        .with_sync(Caller::Administrator, whole("theirs"), home())
        .looking_in(home());
    let receipt = office.reach(&target).await;
    let plan = undoing(&office, &receipt).await;
    assert_eq!(outline(&plan), ["delete theirs of 222222222222 in eu-central-1"]);
    assert_eq!(
        plan.left(),
        [
            "account 333333333333 as administrator of ssm.amazonaws.com: AWS allows one administrator, and account \
             222222222222 is one",
            "the role AWSServiceRoleForAmazonSSM_AccountDiscovery: AWS deletes it only where trusted access is off",
        ]
    );
    office.apply(&plan).await.unwrap();
    assert!(undoing(&office, &receipt).await.is_empty());

    // Of two that went, one comes back.
    for principal in [SSM, QUICK_SETUP] {
        let office = Office::new(
            organization()
                .trusting(&principal)
                .delegated_for(&principal, alice())
                .delegated_for(&principal, bob())
                .member(account("444444444444")),
        );
        let service = ServiceTarget::new().with_administrator(AdministratorTarget::Account(account("444444444444")));
        let target = Target::new().with_companion(principal.clone(), service).looking_in(home());
        let third = office.organization.client(account("444444444444"));
        let clients = office.clients().and(&third);
        let receipt = target.plan(&clients).await.unwrap().apply(&clients, |_| {}).await.unwrap();
        let plan = receipt.undo(&clients, &undo()).await.unwrap();
        assert_eq!(
            outline(&plan),
            [format!("deregister 444444444444 for {principal}"), format!("register 222222222222 for {principal}")]
        );
        assert_eq!(
            plan.left(),
            [format!(
                "account 333333333333 as administrator of {principal}: AWS allows one administrator, and account \
                 222222222222 is to be one again"
            )]
        );
        plan.apply(&clients, |_| {}).await.unwrap();
        assert!(receipt.undo(&clients, &undo()).await.unwrap().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn an_administrator_without_trust_does_not_come_back_and_keeps_trust_on() {
    let orphaned = || organization().delegated_to(alice());
    let office = Office::new(orphaned());
    let receipt =
        office.reach(&Target::new().with_trusted_access(true).with_administrator(bob()).looking_in(home())).await;
    let plan = undoing(&office, &receipt).await;
    assert_eq!(outline(&plan), ["deregister 333333333333 for ssm.amazonaws.com", "distrust ssm.amazonaws.com"]);
    assert_eq!(
        plan.left(),
        ["account 222222222222 as administrator of ssm.amazonaws.com: AWS makes none while trusted access is off"]
    );
    office.apply(&plan).await.unwrap();
    assert!(undoing(&office, &receipt).await.is_empty());

    // One that was there before the trust.
    let office = Office::new(orphaned());
    let receipt = office.reach(&Target::new().with_trusted_access(true).with_role()).await;
    let plan = undoing(&office, &receipt).await;
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(
        plan.left(),
        [
            "trusted access for ssm.amazonaws.com: account 222222222222 administers it, and stays",
            "the role AWSServiceRoleForAmazonSSM_AccountDiscovery: AWS deletes it only where trusted access is off",
        ]
    );

    // Trust that may have gone by another hand.
    let office = Office::new(delegated());
    office.organization.fault(Operation::DisableAwsServiceAccess, 1, Fault::LostAfter);
    let off = Target::new().with_trusted_access(false).without_administrator().looking_in(home());
    let receipt = office.reach(&off).await;
    let plan = undoing(&office, &receipt).await;
    assert!(plan.is_empty(), "{plan}");
    assert_eq!(plan.left().len(), 2, "{plan}");
}

const UNCERTAIN: &str = "it is not certain that it was this run's; name it to take it back";

fn left_administrator(id: &str, why: &str) -> String {
    format!("account {id} as administrator of ssm.amazonaws.com: {why}")
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_this_runs_keeps_its_place() {
    // The successor, in the place of the one that was.
    let office = Office::new(everything());
    office.organization.fault(Operation::RegisterDelegatedAdministrator, 1, Fault::LostAfter);
    let receipt = office.reach(&handover()).await;
    let plan = undoing(&office, &receipt).await;
    assert_eq!(
        outline(&plan),
        ["delete theirs of 333333333333 in eu-central-1", "delete theirs of 333333333333 in us-east-1"]
    );
    let one = "AWS allows one administrator, and account 333333333333 is one";
    assert_eq!(
        plan.left()[..2],
        [left_administrator("333333333333", UNCERTAIN), left_administrator("222222222222", one)],
        "{plan}"
    );
    assert_eq!(plan.left().len(), 4, "and its syncs: {plan}");

    // A sync, in the place of another.
    let start = ["a", "b", "c", "d", "e"]
        .iter()
        .fold(trusting().role_for(&ROLE), |start, text| start.data_sync(management(), region(HOME), shown(text)));
    let office = Office::new(start);
    office.organization.fault(Operation::CreateResourceDataSync, 1, Fault::LostAfter);
    let target = Target::new().with_sync(Caller::Management, whole("new"), home());
    let receipt = office.reach(&target.without_sync(Caller::Management, name("e"), home())).await;
    let plan = undoing(&office, &receipt).await;
    assert!(plan.is_empty(), "{plan}");
    let sync = |text, why: &str| format!("the data sync \"{text}\" of account 111111111111 in eu-central-1: {why}");
    let is_full = "an account has five in a Region at most, and those are there";
    assert_eq!(plan.left(), [sync("new", UNCERTAIN), sync("e", is_full)]);
    // The place is free again.
    office.organization.remove_data_sync(management(), &region(HOME), &name("new"));
    assert_eq!(outline(&undoing(&office, &receipt).await), ["create e of 111111111111 in eu-central-1"]);

    // Of two that went, one has room.
    let full = |start: sim::Builder, owner, place| {
        ["a", "b", "c", "d", "e"].iter().fold(start, |start, text| start.data_sync(owner, region(place), shown(text)))
    };
    let office = Office::new(full(trusting().role_for(&ROLE), management(), HOME));
    office.organization.fault(Operation::CreateResourceDataSync, 1, Fault::LostAfter);
    let without = |target: Target, text| target.without_sync(Caller::Management, name(text), home());
    let target = Target::new().with_sync(Caller::Management, whole("new"), home());
    let receipt = office.reach(&without(without(target, "d"), "e")).await;
    let plan = undoing(&office, &receipt).await;
    assert_eq!(outline(&plan), ["create d of 111111111111 in eu-central-1"]);
    assert_eq!(plan.left(), [sync("new", UNCERTAIN), sync("e", is_full)]);
    // Those of another account or in another Region take no room.
    let start = full(delegated().role_for(&ROLE), alice(), AWAY);
    let start = start.data_sync(management(), region(AWAY), shown("f")).data_sync(alice(), region(HOME), shown("f"));
    let office = Office::new(start);
    office.organization.fault(Operation::CreateResourceDataSync, 1, Fault::LostAfter);
    let away = || [region(AWAY)];
    let target = Target::new()
        .with_sync(Caller::Administrator, whole("new"), away())
        .without_sync(Caller::Management, name("f"), away())
        .without_sync(Caller::Administrator, name("f"), home())
        .without_sync(Caller::Administrator, name("d"), away())
        .without_sync(Caller::Administrator, name("e"), away());
    let receipt = office.reach(&target).await;
    let mut back = outline(&undoing(&office, &receipt).await);
    back.sort();
    assert_eq!(
        back,
        [
            "create d of 222222222222 in us-east-1",
            "create f of 111111111111 in us-east-1",
            "create f of 222222222222 in eu-central-1",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_this_runs_keeps_what_it_hangs_on() {
    // An administrator's sync holds the delegation, and that the trust; an account's own the role.
    let office = Office::new(organization().role_for(&ROLE));
    office.organization.fault(Operation::CreateResourceDataSync, 1, Fault::LostAfter);
    let target = Target::new().with_trusted_access(true).with_administrator(alice());
    let receipt = office.reach(&target.with_sync(Caller::Administrator, whole("theirs"), home())).await;
    let plan = undoing(&office, &receipt).await;
    assert!(plan.is_empty(), "{plan}");
    let theirs = "the data sync \"theirs\" of account 222222222222 in eu-central-1";
    assert_eq!(
        plan.left(),
        [
            format!("{theirs}: {UNCERTAIN}"),
            left_administrator("222222222222", &format!("{theirs} stays, and would go with it")),
            "trusted access for ssm.amazonaws.com: account 222222222222 administers it, and stays".to_owned(),
        ]
    );
    let office = Office::new(organization());
    office.organization.fault(Operation::CreateResourceDataSync, 1, Fault::LostAfter);
    let own = SyncDefinition::new(name("own"), SyncSource::SingleAccount, SourceRegions::new(home()).unwrap());
    let receipt = office.reach(&Target::new().with_role().with_sync(Caller::Management, own, home())).await;
    let plan = undoing(&office, &receipt).await;
    assert!(plan.is_empty(), "{plan}");
    let own = "the data sync \"own\" of account 111111111111 in eu-central-1";
    assert_eq!(
        plan.left(),
        [
            format!("{own}: {UNCERTAIN}"),
            format!("the role AWSServiceRoleForAmazonSSM_AccountDiscovery: {own} stays, and holds it"),
        ]
    );
    // Another account's own does not.
    let office = Office::new(organization());
    office.organization.fault(Operation::CreateResourceDataSync, 1, Fault::LostAfter);
    let own = SyncDefinition::new(name("own"), SyncSource::SingleAccount, SourceRegions::new(home()).unwrap());
    let receipt = office.reach(&Target::new().with_role().with_sync(Caller::Account(alice()), own, home())).await;
    assert_eq!(outline(&undoing(&office, &receipt).await), ["delete the role"]);
    // The organization's does, when its owner administers nothing any more.
    let office = Office::new(organization());
    office.organization.fault(Operation::CreateResourceDataSync, 1, Fault::LostAfter);
    let target = Target::new().with_trusted_access(true).with_administrator(alice()).with_role();
    let receipt = office.reach(&target.with_sync(Caller::Administrator, whole("theirs"), home())).await;
    office.organization.undelegate(alice());
    let forfeit = undo().with_other_syncs(OtherSyncs::Forfeit);
    let plan = receipt.undo(&office.clients(), &forfeit).await.unwrap();
    assert_eq!(outline(&plan), ["distrust ssm.amazonaws.com"]);
    let held = format!("the role AWSServiceRoleForAmazonSSM_AccountDiscovery: {theirs} stays, and holds it");
    assert_eq!(plan.left(), [format!("{theirs}: {UNCERTAIN}"), held]);
}

#[tokio::test(start_paused = true)]
async fn a_sync_in_an_opt_in_region_comes_back_for_the_management_account_alone() {
    let opt_in = || [region("eu-south-1")];
    for (owner, caller, back) in [(management(), Caller::Management, true), (alice(), Caller::Administrator, false)] {
        let office = Office::new(delegated().role_for(&ROLE).data_sync(owner, region("eu-south-1"), shown("old")));
        let receipt = office.reach(&Target::new().without_sync(caller, name("old"), opt_in())).await;
        let plan = undoing(&office, &receipt).await;
        assert_eq!((plan.steps().len(), plan.left().len()), (usize::from(back), usize::from(!back)), "{plan}");
        let why = "in an opt-in Region AWS makes one of the organization only for the management account";
        assert!(plan.left().iter().all(|left| left.ends_with(why)), "{plan}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_administrators_each_has_its_syncs_back() {
    let start = trusting().role_for(&ROLE).delegated_to(alice()).delegated_to(bob());
    let office = Office::new(start.data_sync(bob(), region(HOME), shown("bobs")));
    let receipt = office.reach(&Target::new().without_sync(Caller::Account(bob()), name("bobs"), home())).await;
    let plan = undoing(&office, &receipt).await;
    assert_eq!(outline(&plan), ["create bobs of 333333333333 in eu-central-1"]);
    office.apply(&plan).await.unwrap();
}
