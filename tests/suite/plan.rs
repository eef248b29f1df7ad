//! What a plan says: which steps, in which order, on what they rely; and what there is no plan for.
#![cfg(feature = "sim")]

use std::collections::BTreeSet;

use crate::common::{
    SSM, account, alice, bob, delegated, management, organization, organization_sync, region, trusting,
};
use crate::plans::{
    AWAY, HOME, Office, QUICK_SETUP, ROLE, STACK_SETS, away, everything, handover, home, name, offboarding, onboarding,
    outline, shown, stories, whole,
};
use ssm_organizations::plan::{
    AdministratorTarget, Clients, Fact, OtherSyncs, Part, Plan, Scope, ServiceTarget, Snapshot, Target,
};
use ssm_organizations::policy::{Caller, Policy};
use ssm_organizations::ports::{
    FeatureSet, Operation, OrganizationalUnits, SourceRegions, SyncDefinition, SyncSource, SyncState,
};
use ssm_organizations::{Error, ErrorKind, ServicePrincipal, SyncName, sim};

/// What is wrong, in words.
fn said(error: &Error) -> String {
    format!("{error:#}")
}

#[tokio::test(start_paused = true)]
async fn an_empty_target_plans_nothing_whatever_there_is() {
    for start in [organization(), everything(), organization().delegated_to(alice()).delegated_to(bob())] {
        let office = Office::new(start);
        let plan = office.plan(&Target::new()).await;
        assert!(plan.is_empty() && plan.unknowns().is_empty() && plan.warnings().is_empty(), "{plan}");
        assert!(plan.to_string().contains("Nothing to do."), "{plan}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_wish_is_a_step_and_nothing_else_is() {
    let on = |principal: &ServicePrincipal| {
        Target::new().with_companion(principal.clone(), ServiceTarget::new().with_trusted_access(true))
    };
    let role = || organization().role_for(&ROLE);
    let single = || SyncDefinition::new(name("own"), SyncSource::SingleAccount, SourceRegions::new(away()).unwrap());
    let looked = |target: Target| target.looking_in(home());
    let cases: Vec<(sim::Builder, Target, &[&str])> = vec![
        (organization(), Target::new().with_trusted_access(true), &["trust ssm.amazonaws.com"]),
        (trusting(), looked(Target::new().with_trusted_access(false)), &["distrust ssm.amazonaws.com"]),
        (trusting(), Target::new().with_trusted_access(true), &[]),
        (organization(), Target::new().with_trusted_access(false), &[]),
        (trusting(), Target::new().with_administrator(alice()), &["register 222222222222 for ssm.amazonaws.com"]),
        (delegated(), Target::new().with_administrator(alice()), &[]),
        (
            delegated(),
            looked(Target::new().without_administrator()),
            &["deregister 222222222222 for ssm.amazonaws.com"],
        ),
        (trusting(), Target::new().without_administrator(), &[]),
        (
            delegated(),
            looked(Target::new().with_administrator(bob())),
            &["deregister 222222222222 for ssm.amazonaws.com", "register 333333333333 for ssm.amazonaws.com"],
        ),
        (organization(), Target::new().with_role(), &["create the role"]),
        (role(), Target::new().with_role(), &[]),
        (role(), looked(Target::new().without_role()), &["delete the role"]),
        (organization(), Target::new().without_role(), &[]),
        (organization(), on(&QUICK_SETUP), &["trust ssm-quicksetup.amazonaws.com"]),
        (
            trusting().role_for(&ROLE),
            Target::new().with_sync(Caller::Management, whole("all"), [region(HOME), region(AWAY)]),
            &["create all of 111111111111 in eu-central-1", "create all of 111111111111 in us-east-1"],
        ),
        (
            delegated().role_for(&ROLE),
            Target::new().with_sync(Caller::Administrator, whole("all"), home()),
            &["create all of 222222222222 in eu-central-1"],
        ),
        (
            organization(),
            Target::new().with_sync(Caller::Account(bob()), single(), home()),
            &["create own of 333333333333 in eu-central-1"],
        ),
        (everything(), Target::new().with_sync(Caller::Management, whole("ours"), home()), &[]),
        (
            everything(),
            Target::new().with_sync(Caller::Management, whole("ours").including_future_regions(), home()),
            &["update ours of 111111111111 in eu-central-1"],
        ),
        (
            everything(),
            Target::new().without_sync(Caller::Administrator, name("theirs"), away()),
            &["delete theirs of 222222222222 in us-east-1"],
        ),
        (everything(), Target::new().without_sync(Caller::Management, name("theirs"), home()), &[]),
        (organization(), Target::new().without_sync(Caller::Administrator, name("theirs"), home()), &[]),
    ];
    for (start, target, steps) in cases {
        let office = Office::new(start);
        let before = office.organization.snapshot();
        let plan = office.plan(&target).await;
        assert_eq!(outline(&plan), steps, "{target:?}\n{plan}");
        assert_eq!(office.organization.snapshot(), before, "a plan changes nothing");
    }
}

#[tokio::test(start_paused = true)]
async fn the_order_is_one_that_aws_allows() {
    let office = Office::new(organization());
    assert_eq!(
        outline(&office.plan(&onboarding()).await),
        [
            "trust ssm.amazonaws.com",
            "create the role",
            "register 222222222222 for ssm.amazonaws.com",
            "create ours of 111111111111 in eu-central-1",
            "create theirs of 222222222222 in eu-central-1",
            "create theirs of 222222222222 in us-east-1",
        ]
    );
    let office = Office::new(everything());
    assert_eq!(
        outline(&office.plan(&offboarding()).await),
        [
            "delete ours of 111111111111 in eu-central-1",
            "delete theirs of 222222222222 in eu-central-1",
            "delete theirs of 222222222222 in us-east-1",
            "deregister 222222222222 for ssm.amazonaws.com",
            "distrust ssm.amazonaws.com",
            "delete the role",
        ]
    );
    assert_eq!(
        outline(&office.plan(&handover()).await),
        [
            "deregister 222222222222 for ssm.amazonaws.com",
            "register 333333333333 for ssm.amazonaws.com",
            "create theirs of 333333333333 in eu-central-1",
            "create theirs of 333333333333 in us-east-1",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn every_story_writes_once_for_each_step_and_is_never_refused() {
    for story in stories() {
        let office = Office::new((story.start)());
        let plan = office.plan(&(story.target)()).await;
        office.organization.forget_calls();
        office.apply(&plan).await.unwrap_or_else(|stopped| panic!("{}: {stopped:#}\n{plan}", story.name));
        let calls = office.organization.calls();
        assert_eq!(office.organization.writes(), plan.steps().len(), "{}: {calls:#?}", story.name);
        assert!(calls.iter().all(|call| call.outcome == sim::Outcome::Answered), "{}: {calls:#?}", story.name);
        let again = office.plan(&(story.target)()).await;
        assert!(again.is_empty(), "{}: {again}", story.name);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_target_does_not_mention_is_not_touched() {
    let config: ServicePrincipal = "config.amazonaws.com".parse().unwrap();
    let crowded = || {
        everything()
            .trusting(&config)
            .delegated_for(&config, bob())
            .trusting(&QUICK_SETUP)
            .delegated_for(&QUICK_SETUP, bob())
            .data_sync(bob(), region(HOME), shown("bobs"))
            .data_sync(management(), region(AWAY), shown("AWS-QuickSetup-SSM-abc"))
    };
    let targets = [
        Target::new().with_trusted_access(true),
        Target::new().with_administrator(alice()),
        Target::new().with_role(),
        Target::new().with_sync(Caller::Management, whole("another"), home()),
        Target::new().without_sync(Caller::Management, name("ours"), home()),
        Target::new().with_companion(STACK_SETS, ServiceTarget::new().with_trusted_access(true)),
        Target::new().with_companion(
            QUICK_SETUP,
            ServiceTarget::new().with_administrator(AdministratorTarget::Account(alice())),
        ),
    ];
    for target in targets {
        let office = Office::new(crowded());
        let plan = office.plan(&target).await;
        let copy = Office::of(&sim::Builder::from(office.organization.snapshot()).build());
        office.reach(&target).await;
        // What the steps name, done by hand on the copy, leads to the same.
        for step in plan.steps() {
            use ssm_organizations::plan::Action;
            use ssm_organizations::ports::SystemsManagerApi;
            match step.action() {
                Action::EnableTrustedAccess { principal, .. } => copy.organization.trust(principal),
                Action::RegisterAdministrator { account, principal, .. } => {
                    copy.organization.delegate_for(principal, *account);
                }
                Action::DeregisterAdministrator { account, principal, .. } => {
                    copy.organization.undelegate_for(principal, *account);
                }
                Action::DeleteSync { sync, .. } => {
                    copy.organization.remove_data_sync(sync.account, &sync.region, &sync.name);
                }
                Action::CreateSync { sync, definition, .. } => {
                    copy.management.create_resource_data_sync(&sync.region, definition).await.unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
        let (reached, named) = (crate::plans::like(&office.organization), crate::plans::like(&copy.organization));
        assert_eq!(reached, named, "{target:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_contradiction_is_refused_before_any_call() {
    let trust = |on| Target::new().with_trusted_access(on);
    let own = || SyncDefinition::new(name("own"), SyncSource::SingleAccount, SourceRegions::new(home()).unwrap());
    let off_with_administrator =
        ServiceTarget::new().with_trusted_access(false).with_administrator(AdministratorTarget::Account(bob()));
    let foreign = name("AWS-QuickSetup-SSM-abc");
    let cases: Vec<(Target, &str)> = vec![
        (trust(false).with_administrator(alice()), "222222222222 cannot administer ssm.amazonaws.com"),
        (
            Target::new().with_companion(QUICK_SETUP, off_with_administrator),
            "333333333333 cannot administer ssm-quicksetup.amazonaws.com",
        ),
        (trust(true).without_role(), "AWS deletes the role only where trusted access is off"),
        (trust(false).with_sync(Caller::Management, whole("all"), home()), "the data sync \"all\""),
        (Target::new().with_sync(Caller::Management, whole("all"), []), "no Region is named for the data sync \"all\""),
        (Target::new().without_sync(Caller::Management, name("all"), []), "no Region is named"),
        (
            Target::new().with_sync(Caller::Management, own(), home()).without_sync(
                Caller::Management,
                name("own"),
                [region(AWAY), region(HOME)],
            ),
            "the data sync \"own\" is named twice in eu-central-1",
        ),
        (Target::new().without_sync(Caller::Management, foreign, home()), "AWS-QuickSetup-SSM-abc"),
    ];
    for (target, words) in cases {
        let office = Office::new(everything());
        let error = office.refusal(&target).await;
        let kind = error.kind();
        assert!(matches!(kind, ErrorKind::InvalidInput | ErrorKind::ForeignSync), "{}", said(&error));
        assert!(said(&error).contains(words), "{}", said(&error));
        assert_eq!(said(&target.check().unwrap_err()), said(&error), "checked alone it says the same");
        assert!(office.organization.calls().is_empty(), "{target:?}: {:?}", office.organization.calls());
    }
    // Off, an administrator's own account may still be synced.
    trust(false).with_sync(Caller::Management, own(), home()).check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_contradiction_to_the_organization_is_refused_with_its_cause() {
    let five = ["a", "b", "c", "d", "e"];
    let crowded =
        || five.iter().fold(trusting().role_for(&ROLE), |b, n| b.data_sync(management(), region(HOME), shown(n)));
    let mut own = organization_sync("ours");
    own.source_type = Some(ssm_organizations::ports::SyncSourceType::SingleAccountMultiRegions);
    own.regions = home().to_vec();
    let single = move || trusting().role_for(&ROLE).data_sync(management(), region(HOME), own.clone());
    let opt_in = [region("eu-south-1")];
    let all = || whole("all");
    let cases: Vec<(sim::Builder, Target, Operation, ErrorKind, &str)> = vec![
        (
            organization(),
            Target::new().with_administrator(management()).with_trusted_access(true),
            Operation::RegisterDelegatedAdministrator,
            ErrorKind::IsManagementAccount,
            "111111111111",
        ),
        (
            delegated(),
            Target::new().with_sync(Caller::Administrator, all(), opt_in.clone()),
            Operation::CreateResourceDataSync,
            ErrorKind::OptInRegion,
            "eu-south-1",
        ),
        (
            single(),
            Target::new().with_sync(Caller::Management, whole("ours"), home()),
            Operation::UpdateResourceDataSync,
            ErrorKind::SyncSourceFixed,
            "eu-central-1",
        ),
        (
            trusting(),
            Target::new().with_sync(Caller::Administrator, all(), home()),
            Operation::CreateResourceDataSync,
            ErrorKind::NotAnAdministrator,
            "the data sync \"all\" is to be the administrator's",
        ),
        (
            delegated(),
            Target::new().with_sync(Caller::Account(bob()), all(), home()),
            Operation::CreateResourceDataSync,
            ErrorKind::NotAnAdministrator,
            "333333333333",
        ),
    ];
    for (start, target, operation, kind, words) in cases {
        let error = Office::new(start).refusal(&target).await;
        assert_eq!((error.kind(), error.operation()), (&kind, Some(operation)), "{}", said(&error));
        assert!(said(&error).contains(words), "{}", said(&error));
    }

    let full = Target::new().with_sync(Caller::Management, all(), home());
    let error = Office::new(crowded()).refusal(&full).await;
    let ErrorKind::SyncQuotaFull { holders, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!(holders.iter().map(SyncName::as_str).collect::<Vec<_>>(), five);
    // Another Region has room, and so has this one when one goes.
    Office::new(crowded()).plan(&Target::new().with_sync(Caller::Management, all(), away())).await;
    let room = full.clone().without_sync(Caller::Management, name("c"), home());
    Office::new(crowded()).plan(&room).await;
    // The management account may sync in every Region.
    Office::new(trusting()).plan(&Target::new().with_sync(Caller::Management, all(), opt_in)).await;

    for (start, target, words) in [
        (organization(), Target::new().with_administrator(alice()), "ssm.amazonaws.com is not trusted"),
        (
            organization(),
            Target::new().with_companion(
                QUICK_SETUP,
                ServiceTarget::new().with_administrator(AdministratorTarget::Account(bob())),
            ),
            "ssm-quicksetup.amazonaws.com is not trusted",
        ),
        (organization(), full, "it is of the organization, and trusted access is off"),
        (
            trusting().role_for(&ROLE),
            Target::new().without_role().looking_in(home()),
            "AWS deletes the role only where trusted access is off",
        ),
    ] {
        let error = Office::new(start).refusal(&target).await;
        assert_eq!(*error.kind(), ErrorKind::InvalidInput, "{}", said(&error));
        assert!(said(&error).contains(words), "{}", said(&error));
    }

    // Whoever administers has to go before trust does.
    let error = Office::new(delegated()).refusal(&Target::new().with_trusted_access(false).looking_in(home())).await;
    let ErrorKind::OtherAdministrator { holders, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!((holders.as_slice(), error.operation()), (&[alice()][..], Some(Operation::DisableAwsServiceAccess)));
}

#[tokio::test(start_paused = true)]
async fn one_sync_named_by_two_owners_is_a_contradiction() {
    for (one, other) in [
        (Caller::Management, Caller::Account(management())),
        (Caller::Administrator, Caller::Account(alice())),
        (Caller::Account(alice()), Caller::Administrator),
    ] {
        let target =
            Target::new().with_sync(one, whole("all"), home()).without_sync(other, name("all"), [region(HOME)]);
        let error = Office::new(delegated().role_for(&ROLE)).refusal(&target).await;
        assert_eq!(*error.kind(), ErrorKind::InvalidInput, "{}", said(&error));
        assert!(said(&error).contains("the data sync \"all\" is named twice in eu-central-1"), "{}", said(&error));
    }
    // A former administrator's is another one.
    let target = Target::new()
        .with_administrator(bob())
        .with_sync(Caller::Administrator, whole("theirs"), home())
        .without_sync(Caller::Account(alice()), name("theirs"), [region(HOME), region(AWAY)]);
    assert_eq!(
        outline(&Office::new(everything()).plan(&target).await).first().map(String::as_str),
        Some("delete theirs of 222222222222 in eu-central-1")
    );
}

#[tokio::test(start_paused = true)]
async fn one_administrator_of_quick_setup_and_several_of_stack_sets() {
    let registered_for = |account| ServiceTarget::new().with_administrator(AdministratorTarget::Account(account));
    let nobody = || ServiceTarget::new().with_administrator(AdministratorTarget::Nobody);
    let both = |principal: &ServicePrincipal| organization().trusting(principal).delegated_for(principal, alice());

    let office = Office::new(both(&QUICK_SETUP));
    let target = Target::new().with_companion(QUICK_SETUP, registered_for(bob()));
    assert_eq!(
        outline(&office.plan(&target).await),
        [
            "deregister 222222222222 for ssm-quicksetup.amazonaws.com",
            "register 333333333333 for ssm-quicksetup.amazonaws.com"
        ]
    );

    let stack_sets = "member.org.stacksets.cloudformation.amazonaws.com";
    let office = Office::new(both(&STACK_SETS));
    let target = Target::new().with_companion(STACK_SETS, registered_for(bob()));
    let plan = office.plan(&target).await;
    assert_eq!(outline(&plan), [format!("register 333333333333 for {stack_sets}")]);
    assert!(plan.steps().iter().all(|step| step.facts().is_empty()), "it relies on nobody's absence: {plan}");
    office.apply(&plan).await.unwrap();
    let plan = office.plan(&Target::new().with_companion(STACK_SETS, nobody())).await;
    assert_eq!(
        outline(&plan),
        [format!("deregister 222222222222 for {stack_sets}"), format!("deregister 333333333333 for {stack_sets}")]
    );
    assert!(plan.steps().iter().all(|step| step.at_risk().is_none()), "no data sync hangs on it: {plan}");

    // Only where it is named, and trust in one says nothing of the other.
    assert!(office.plan(&Target::new().with_trusted_access(false).without_administrator()).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn syncs_of_both_owners_are_protected_and_forfeited_only_by_word() {
    let both = || Target::new().without_administrator().with_trusted_access(false);
    let everywhere = || [region(HOME), region(AWAY)];
    // Nobody looked.
    let error = Office::new(everything()).refusal(&both()).await;
    assert_eq!(*error.kind(), ErrorKind::InvalidInput);
    assert!(said(&error).contains("no Region is named to look for data syncs in"), "{}", said(&error));

    // The administrator's are seen first, then the management account's.
    let error = Office::new(everything()).refusal(&both().looking_in(everywhere())).await;
    let ErrorKind::SyncsRemain { syncs, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!(syncs.iter().map(|sync| sync.at.account).collect::<Vec<_>>(), [alice(), alice()]);
    let named = both().without_sync(Caller::Administrator, name("theirs"), everywhere());
    let error = Office::new(everything()).refusal(&named).await;
    let ErrorKind::SyncsRemain { syncs, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!(syncs.iter().map(|sync| sync.at.account).collect::<Vec<_>>(), [management()]);
    assert_eq!(error.operation(), Some(Operation::DisableAwsServiceAccess));

    // Trust away breaks the syncs of a former administrator too, where there is a client of it.
    let left = || trusting().data_sync(bob(), region(HOME), shown("bobs"));
    let off = || Target::new().with_trusted_access(false).looking_in(home());
    let error = Office::new(left()).refusal(&off()).await;
    let ErrorKind::SyncsRemain { syncs, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!(syncs.iter().map(|sync| sync.at.account).collect::<Vec<_>>(), [bob()]);
    let office = Office::new(left());
    assert_eq!(off().plan(&Clients::new(&office.management)).await.unwrap().steps().len(), 1);

    // Forfeited, they are named at the step that they go with.
    let forfeited = both().with_other_syncs(OtherSyncs::Forfeit);
    let plan = Office::new(everything()).plan(&forfeited.clone().looking_in(everywhere())).await;
    let lost = |step: usize| {
        let at_risk = plan.steps().get(step).and_then(|step| step.at_risk()).expect("syncs are at risk");
        assert_eq!(at_risk.others, OtherSyncs::Forfeit);
        at_risk.known.iter().map(|(at, _)| at.account).collect::<BTreeSet<_>>()
    };
    assert_eq!(lost(0), BTreeSet::from([alice()]));
    assert!(lost(1).contains(&management()));
    // Without looking, that they may be there is not known, and said.
    let plan = Office::new(everything()).plan(&forfeited).await;
    assert_eq!(plan.steps().len(), 2);
    let unknowns = plan.unknowns().join("\n");
    assert!(unknowns.contains("account 111111111111") && unknowns.contains("account 222222222222"), "{unknowns}");

    // A sync that is made anew by the new administrator is not lost.
    let office = Office::new(everything());
    office.plan(&handover()).await;
    let halfway = Target::new().with_administrator(bob()).looking_in(everywhere()).with_sync(
        Caller::Administrator,
        whole("theirs"),
        home(),
    );
    let error = office.refusal(&halfway).await;
    let ErrorKind::SyncsRemain { syncs, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!(syncs.iter().map(|sync| sync.at.region.as_str()).collect::<Vec<_>>(), [AWAY]);
    // Another account's of the same name is another one.
    let start = || delegated().role_for(&ROLE).data_sync(alice(), region(HOME), shown("all"));
    for owner in [Caller::Management, Caller::Account(bob())] {
        let target = Target::new().with_administrator(bob()).with_sync(owner, whole("all"), home());
        let error = Office::new(start()).refusal(&target).await;
        assert!(matches!(error.kind(), ErrorKind::SyncsRemain { .. }), "{}", said(&error));
    }
    // A sync of its own account hangs on nothing.
    let mut own = shown("own");
    own.source_type = Some(ssm_organizations::ports::SyncSourceType::SingleAccountMultiRegions);
    let office = Office::new(delegated().data_sync(alice(), region(HOME), own));
    assert_eq!(office.plan(&both().looking_in(home())).await.steps().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_role_stays_while_a_sync_holds_it() {
    let target = |others| Target::new().without_role().with_other_syncs(others).looking_in(home());
    for owner in [management(), alice()] {
        for others in [OtherSyncs::Protect, OtherSyncs::Forfeit] {
            let office = Office::new(organization().role_for(&ROLE).data_sync(owner, region(HOME), shown("left")));
            let error = office.refusal(&target(others)).await;
            assert!(matches!(error.kind(), ErrorKind::SyncsRemain { .. }), "{others:?}: {}", said(&error));
            assert_eq!(error.operation(), Some(Operation::DeleteServiceLinkedRole));
        }
    }
    // Of an account's syncs of itself, the management account's alone.
    let mut own = shown("own");
    own.source_type = Some(ssm_organizations::ports::SyncSourceType::SingleAccountMultiRegions);
    let held = |owner| Office::new(organization().role_for(&ROLE).data_sync(owner, region(HOME), own.clone()));
    for others in [OtherSyncs::Protect, OtherSyncs::Forfeit] {
        let error = held(management()).refusal(&target(others)).await;
        assert!(matches!(error.kind(), ErrorKind::SyncsRemain { .. }), "{}", said(&error));
        assert_eq!(held(alice()).plan(&target(others)).await.steps().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_is_unknown_and_refused_only_where_it_matters() {
    let organizations = "organizations:ListAWSServiceAccessForOrganization";
    let administrators = "organizations:ListDelegatedAdministrators";
    let (role, syncs) = ("iam:GetRole", "ssm:ListResourceDataSync");
    let trust = || Target::new().with_trusted_access(true);
    let register = || Target::new().with_administrator(alice());
    let with_role = || Target::new().with_role();
    let with_sync = || Target::new().with_sync(Caller::Management, whole("ours").including_future_regions(), home());
    let cases: Vec<(&str, Target, bool)> = vec![
        (organizations, trust(), true),
        (organizations, register(), true),
        (organizations, with_role(), false),
        (administrators, trust(), false),
        (administrators, register(), true),
        (administrators, with_role(), false),
        (administrators, with_sync(), false),
        (role, trust(), false),
        (role, register(), false),
        (role, with_role(), true),
        (role, with_sync(), false),
        (syncs, trust().looking_in(home()), false),
        (syncs, register().looking_in(home()), false),
        (syncs, with_role().looking_in(home()), false),
        (syncs, with_sync(), true),
    ];
    for (action, target, refused) in cases {
        let office = Office::new(trusting().role_for(&ROLE).data_sync(management(), region(HOME), shown("ours")));
        let client = office.management.clone().without_permission(action);
        match target.plan(&Clients::new(&client)).await {
            Ok(plan) => {
                assert!(!refused, "{action}: {plan}");
                assert!(plan.to_string().contains("unknown: ") || !plan.to_string().contains("role "), "{plan}");
            }
            Err(error) => {
                assert!(refused, "{action}, {target:?}: {}", said(&error));
                assert_eq!(*error.kind(), ErrorKind::AccessDenied, "{}", said(&error));
                assert!(said(&error).contains(action), "{}", said(&error));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_that_failed_is_unknown_too() {
    let office = Office::new(trusting());
    office.organization.fault(Operation::ListAwsServiceAccessForOrganization, 1, sim::Fault::LostBefore);
    let error = office.refusal(&Target::new().with_trusted_access(false).looking_in(home())).await;
    assert_eq!(*error.kind(), ErrorKind::Unread, "{}", said(&error));
    assert_eq!(error.operation(), Some(Operation::ListAwsServiceAccessForOrganization));

    let office = Office::new(trusting());
    office.organization.fault(Operation::DescribeOrganization, 1, sim::Fault::LostBefore);
    let error = office.refusal(&Target::new()).await;
    assert_eq!(error.operation(), Some(Operation::DescribeOrganization), "{}", said(&error));

    // Nobody looked: not the same as nothing there.
    let office = Office::new(everything());
    let snapshot = Snapshot::take(&office.clients(), &Scope::new()).await.unwrap();
    for target in [Target::new().with_role(), Target::new().without_sync(Caller::Management, name("ours"), home())] {
        let error = Plan::new(&target, snapshot.clone()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Unread | ErrorKind::NoClient { .. }), "{}", said(&error));
    }
    let companion = Target::new().with_companion(QUICK_SETUP, ServiceTarget::new().with_trusted_access(true));
    assert_eq!(*Plan::new(&companion, snapshot).unwrap_err().kind(), ErrorKind::Unread);
}

#[tokio::test(start_paused = true)]
async fn without_a_client_of_an_account_its_syncs_are_unknown() {
    let office = Office::new(everything());
    let alone = Clients::new(&office.management);
    let refusal = async |target: Target| target.plan(&alone).await.unwrap_err();

    let error = refusal(Target::new().without_sync(Caller::Administrator, name("theirs"), home())).await;
    assert!(matches!(error.kind(), ErrorKind::NoClient { account, .. } if *account == alice()), "{}", said(&error));
    let error = refusal(Target::new().with_sync(Caller::Administrator, whole("new"), home())).await;
    assert!(matches!(error.kind(), ErrorKind::NoClient { account, .. } if *account == alice()), "{}", said(&error));
    let error = refusal(Target::new().without_administrator().looking_in(home())).await;
    let ErrorKind::SyncsUnseen { account, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!(*account, alice());

    let forfeited = Target::new().without_administrator().with_other_syncs(OtherSyncs::Forfeit);
    let plan = forfeited.looking_in(home()).plan(&alone).await.unwrap();
    assert_eq!(plan.unknowns(), ["the data syncs of account 222222222222: there is no client of it"]);
    // What is the management account's own can be planned.
    let own = Target::new().without_sync(Caller::Management, name("ours"), home());
    assert_eq!(own.plan(&alone).await.unwrap().steps().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn each_step_says_on_what_it_relies() {
    let facts = |plan: &Plan| -> Vec<Vec<String>> {
        plan.steps().iter().map(|step| step.facts().iter().map(ToString::to_string).collect()).collect()
    };
    let office = Office::new(organization());
    let plan = office.plan(&onboarding()).await;
    assert_eq!(
        facts(&plan),
        [
            vec!["ssm.amazonaws.com is not trusted"],
            vec!["there is no role AWSServiceRoleForAmazonSSM_AccountDiscovery"],
            vec!["nobody administers ssm.amazonaws.com"],
            vec!["there is no data sync \"ours\" of account 111111111111 in eu-central-1"],
            vec!["there is no data sync \"theirs\" of account 222222222222 in eu-central-1"],
            vec!["there is no data sync \"theirs\" of account 222222222222 in us-east-1"],
        ]
    );
    // What is there is known by AWS's own date or id.
    let office = Office::new(everything());
    let plan = office.plan(&offboarding()).await;
    let snapshot = plan.snapshot();
    let service = snapshot.service(&SSM).unwrap();
    let trusted = service.trusted_access.known().unwrap().as_ref().unwrap().since;
    let registered = service.administrators.known().unwrap().first().unwrap().since;
    let role = snapshot.role().unwrap().known().unwrap().as_ref().unwrap().id.clone();
    assert!(trusted.is_some() && registered.is_some());
    let mut seen = Vec::new();
    for fact in plan.steps().iter().flat_map(ssm_organizations::plan::Step::facts) {
        seen.push(match fact {
            Fact::Trusted { since, .. } => *since == trusted,
            Fact::Administers { since, account, .. } => *since == registered && *account == alice(),
            Fact::RoleIs { id, .. } => *id == role,
            Fact::SyncIs { sync, shown, .. } => {
                office.organization.data_syncs(sync.account, &sync.region).contains(shown) && shown.created.is_some()
            }
            Fact::NobodyAdministers { .. } | Fact::Untrusted { .. } => true,
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(seen, [true; 8]);
}

#[tokio::test(start_paused = true)]
async fn each_step_has_its_permission_its_condition_and_its_command_line() {
    let office = Office::new(organization().unit("ou-root-11111111".parse().unwrap()));
    let units = OrganizationalUnits::new(["ou-root-11111111".parse().unwrap()]).unwrap();
    let hostile = name("it's; rm -rf $HOME");
    let sync = SyncDefinition::of_units(hostile.clone(), units, SourceRegions::new(home()).unwrap());
    let target = onboarding().with_sync(Caller::Management, sync, home());
    let lines = |plan: &Plan| -> Vec<(String, String, String)> {
        plan.steps()
            .iter()
            .map(|step| {
                let condition = step.condition().map_or_else(String::new, |condition| {
                    format!("{} {}", condition.key, condition.values.into_iter().collect::<Vec<_>>().join(","))
                });
                (step.action().operation().iam_action(), condition, step.command_line().to_string())
            })
            .collect()
    };
    let principal = "organizations:ServicePrincipal ssm.amazonaws.com";
    let sync_type = "ssm:SyncType SyncFromSource";
    let plan = office.plan(&target).await;
    let steps = lines(&plan);
    let heads: Vec<_> = steps.iter().map(|(action, condition, _)| (action.as_str(), condition.as_str())).collect();
    assert_eq!(
        heads,
        [
            ("organizations:EnableAWSServiceAccess", principal),
            ("iam:CreateServiceLinkedRole", "iam:AWSServiceName accountdiscovery.ssm.amazonaws.com"),
            ("organizations:RegisterDelegatedAdministrator", principal),
            ("ssm:CreateResourceDataSync", sync_type),
            ("ssm:CreateResourceDataSync", sync_type),
            ("ssm:CreateResourceDataSync", sync_type),
            ("ssm:CreateResourceDataSync", sync_type),
        ]
    );
    assert_eq!(
        steps.iter().map(|(_, _, line)| line.split(" --sync-source").next().unwrap()).collect::<Vec<_>>(),
        [
            "aws organizations enable-aws-service-access --service-principal ssm.amazonaws.com",
            "aws iam create-service-linked-role --aws-service-name accountdiscovery.ssm.amazonaws.com",
            "aws organizations register-delegated-administrator --account-id 222222222222 --service-principal ssm.amazonaws.com",
            "aws ssm create-resource-data-sync --sync-name ours --sync-type SyncFromSource",
            "aws ssm create-resource-data-sync --sync-name theirs --sync-type SyncFromSource",
            "aws ssm create-resource-data-sync --sync-name theirs --sync-type SyncFromSource",
            r"aws ssm create-resource-data-sync --sync-name 'it'\''s; rm -rf $HOME' --sync-type SyncFromSource",
        ]
    );
    assert!(steps.iter().skip(3).all(|(_, _, line)| line.contains(" --region ")), "{steps:#?}");
    assert!(steps[6].2.contains("ou-root-11111111"), "{}", steps[6].2);
    let text = plan.to_string();
    assert!(steps.iter().all(|(action, _, line)| text.contains(action) && text.contains(line)), "{text}");

    let office = Office::new(everything());
    let accounts: Vec<_> =
        office.plan(&offboarding()).await.steps().iter().map(ssm_organizations::plan::Step::account).collect();
    assert_eq!(accounts, [management(), alice(), alice(), management(), management(), management()]);
    let steps = lines(&office.plan(&offboarding()).await);
    assert_eq!(
        steps
            .iter()
            .map(|(action, condition, line)| (action.as_str(), condition.as_str(), line.as_str()))
            .collect::<Vec<_>>(),
        [
            (
                "ssm:DeleteResourceDataSync",
                sync_type,
                "aws ssm delete-resource-data-sync --sync-name ours --sync-type SyncFromSource --region eu-central-1"
            ),
            (
                "ssm:DeleteResourceDataSync",
                sync_type,
                "aws ssm delete-resource-data-sync --sync-name theirs --sync-type SyncFromSource --region eu-central-1"
            ),
            (
                "ssm:DeleteResourceDataSync",
                sync_type,
                "aws ssm delete-resource-data-sync --sync-name theirs --sync-type SyncFromSource --region us-east-1"
            ),
            (
                "organizations:DeregisterDelegatedAdministrator",
                principal,
                "aws organizations deregister-delegated-administrator --account-id 222222222222 --service-principal ssm.amazonaws.com"
            ),
            (
                "organizations:DisableAWSServiceAccess",
                principal,
                "aws organizations disable-aws-service-access --service-principal ssm.amazonaws.com"
            ),
            (
                "iam:DeleteServiceLinkedRole",
                "",
                "aws iam delete-service-linked-role --role-name AWSServiceRoleForAmazonSSM_AccountDiscovery"
            ),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_step_alone_says_what_the_plan_says_of_it() {
    let office = Office::new(organization());
    let plan = office.plan(&onboarding()).await;
    let reasons: Vec<_> = plan.steps().iter().map(ssm_organizations::plan::Step::reason).collect();
    assert_eq!(
        reasons,
        [
            "it is off, and is to be on",
            "Explorer's data syncs of the organization run on it",
            "ssm.amazonaws.com is to be administered by it",
            "it is to be there, and is not",
            "it is to be there, and is not",
            "it is to be there, and is not",
        ]
    );
    let whole = plan.to_string();
    for step in plan.steps() {
        let text = step.to_string();
        assert!(text.starts_with(&format!("{}\n     because {}\n", step.action(), step.reason())), "{text}");
        assert!(whole.contains(&text), "{text}\n{whole}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_every_sync_that_is_there_the_plan_says_what_it_collects() {
    use ssm_organizations::ports::{DataSync, SyncSourceType};
    let mut units = shown("units");
    let [one, other]: [ssm_organizations::OrganizationalUnitId; 2] =
        ["ou-root-11111111", "ou-root-22222222"].map(|unit| unit.parse().unwrap());
    let start = trusting().role_for(&ROLE).unit(one.clone()).unit(other.clone());
    units.units = vec![one, other];
    let single = DataSync::new(name("single"), Some(SyncSourceType::SingleAccountMultiRegions));
    let mut later = shown("later");
    (later.future_regions, later.all_ops_data_sources) = (Some(true), Some(true));
    let start = [shown("all"), units, single, DataSync::new(name("bare"), None), later]
        .into_iter()
        .fold(start, |start, sync| start.data_sync(management(), region(HOME), sync));
    let office = Office::new(start);
    let text = office.plan(&Target::new().looking_in(home())).await.to_string();
    for (sync, what) in [
        ("all", "the whole organization in eu-central-1"),
        ("units", "ou-root-11111111, ou-root-22222222 in eu-central-1"),
        ("single", "its own account"),
        ("bare", "what AWS does not show"),
        (
            "later",
            "the whole organization in eu-central-1 and Regions that AWS opens later, with every source of OpsData switched on",
        ),
    ] {
        let line = format!("\"{sync}\" of account 111111111111 in eu-central-1: from {what}\n");
        assert!(text.contains(&line), "{line}\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn whose_sync_it_is_is_said_in_its_permission() {
    let own = SyncDefinition::new(name("own"), SyncSource::SingleAccount, SourceRegions::new(home()).unwrap());
    let target = onboarding()
        .with_sync(Caller::Administrator, whole("new"), home())
        .with_sync(Caller::Management, whole("newer"), home())
        .with_sync(Caller::Account(bob()), own, home());
    // Alice administers at last, or has done so before.
    for start in [organization(), everything()] {
        let permissions = Office::new(start).plan(&target).await.permissions();
        let creating = permissions.iter().filter(|one| one.operation() == Operation::CreateResourceDataSync);
        let callers: BTreeSet<_> = creating.map(ssm_organizations::policy::Permission::caller).collect();
        assert_eq!(callers, BTreeSet::from([Caller::Management, Caller::Administrator, Caller::Account(bob())]));
    }
}

/// Applied late, when everything is read anew.
#[tokio::test(start_paused = true)]
async fn the_permissions_of_a_plan_cover_every_call_of_its_application() {
    for story in stories() {
        let office = Office::new((story.start)());
        let plan = office.plan(&(story.target)()).await;
        let permissions = plan.permissions();
        let allowed: BTreeSet<_> = permissions
            .iter()
            .flat_map(|permission| {
                let accounts: Vec<_> = match permission.caller() {
                    Caller::Management => vec![management()],
                    Caller::Account(account) => vec![account],
                    _ => [alice(), bob()]
                        .into_iter()
                        .filter(|account| {
                            plan.steps().iter().any(|step| step.account() == *account) || *account == alice()
                        })
                        .collect(),
                };
                accounts.into_iter().map(|account| (account, permission.operation()))
            })
            .collect();
        tokio::time::advance(std::time::Duration::from_hours(1)).await;
        // Nothing else is allowed, and nobody else's credentials are there.
        let restricted = |account, client: &sim::Client| {
            let denied = Operation::ALL.iter().filter(|operation| {
                **operation != Operation::GetCallerIdentity && !allowed.contains(&(account, **operation))
            });
            denied.fold(client.clone(), |client, operation| client.without_permission(operation.iam_action()))
        };
        let ours = restricted(management(), &office.management);
        let theirs = [(alice(), &office.alice), (bob(), &office.bob)].map(|(id, client)| (id, restricted(id, client)));
        let needed = theirs.iter().filter(|(id, _)| allowed.iter().any(|(account, _)| account == id));
        let clients = needed.fold(Clients::new(&ours), |clients, (_, client)| clients.and(client));
        plan.apply(&clients, |_| {}).await.unwrap_or_else(|stopped| panic!("{}: {stopped:#}", story.name));
        let policy = Policy::allowing(permissions, &plan.policy_scope()).to_string();
        assert!(policy.contains("arn:aws:") && policy.contains("111111111111"), "{policy}");
    }
    // The administrators of every service that is looked at are listed.
    let office = Office::new(organization());
    let target = Target::new().with_companion(QUICK_SETUP, ServiceTarget::new().with_trusted_access(true));
    let plan = office.plan(&target).await;
    let texts: Vec<_> = plan.permissions().iter().map(ToString::to_string).collect();
    let listing =
        "organizations:ListDelegatedAdministrators for ssm-quicksetup.amazonaws.com, in the management account";
    assert!(texts.iter().any(|text| text == listing), "{texts:#?}");
}

#[tokio::test(start_paused = true)]
async fn with_consolidated_billing_only_there_is_nothing_to_enable() {
    for needs in [true, false] {
        let mut setting = sim::Undocumented::default();
        setting.listing_needs_all_features = needs;
        let start = || organization().feature_set(FeatureSet::ConsolidatedBilling).undocumented(setting.clone());
        let office = Office::new(start());
        for target in [Target::new().with_trusted_access(true), onboarding()] {
            let error = office.refusal(&target).await;
            assert_eq!(*error.kind(), ErrorKind::NotAllFeatures, "{needs}: {}", said(&error));
        }
        // Its syncs of itself are no concern of the organization.
        let own = SyncDefinition::new(name("own"), SyncSource::SingleAccount, SourceRegions::new(home()).unwrap());
        office.plan(&Target::new().with_sync(Caller::Management, own, home())).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_irregular_organization_is_put_in_order() {
    let two = || trusting().delegated_to(alice()).delegated_to(bob());
    let orphaned = || organization().delegated_to(alice());
    let looked = |target: Target| target.looking_in(home());
    for (start, target, steps) in [
        (
            two(),
            looked(Target::new().with_administrator(alice())),
            vec!["deregister 333333333333 for ssm.amazonaws.com"],
        ),
        (
            two(),
            looked(Target::new().without_administrator()),
            vec!["deregister 222222222222 for ssm.amazonaws.com", "deregister 333333333333 for ssm.amazonaws.com"],
        ),
        (orphaned(), Target::new().with_trusted_access(true), vec!["trust ssm.amazonaws.com"]),
        (
            orphaned(),
            looked(Target::new().without_administrator()),
            vec!["deregister 222222222222 for ssm.amazonaws.com"],
        ),
        // AWS may let nobody go while trust is off.
        (
            orphaned(),
            looked(Target::new().with_trusted_access(true).with_administrator(bob())),
            vec![
                "trust ssm.amazonaws.com",
                "deregister 222222222222 for ssm.amazonaws.com",
                "register 333333333333 for ssm.amazonaws.com",
            ],
        ),
    ] {
        let office = Office::new(start);
        let plan = office.plan(&target).await;
        assert_eq!(outline(&plan), steps, "{plan}");
        office.apply(&plan).await.unwrap();
        assert!(office.plan(&target).await.is_empty());
    }
    // Whose sync it would be is not clear.
    let target = Target::new().with_sync(Caller::Administrator, whole("all"), home());
    let error = Office::new(two()).refusal(&target).await;
    let ErrorKind::OtherAdministrator { holders, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!(*holders, [alice(), bob()]);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_is_a_member_account_plans_what_is_its_own() {
    // A delegated administrator may read, and may not write but for its own syncs.
    let office = Office::new(everything());
    let clients = Clients::new(&office.alice);
    let error = Target::new().with_trusted_access(false).without_administrator().with_other_syncs(OtherSyncs::Forfeit);
    let error = error.plan(&clients).await.unwrap_err();
    let ErrorKind::NotManagementAccount { management: needed, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!((*needed, error.caller()), (management(), Some(alice())));

    let own = Target::new().with_sync(Caller::Administrator, whole("mine"), home());
    let plan = own.plan(&clients).await.unwrap();
    assert_eq!(outline(&plan), ["create mine of 222222222222 in eu-central-1"]);
    plan.apply(&clients, |_| {}).await.unwrap();
    assert!(own.plan(&clients).await.unwrap().is_empty());

    // The role is the management account's: what Alice's own account has says nothing.
    office.organization.add_role(alice(), &ROLE);
    for target in [Target::new().with_role(), Target::new().without_role()] {
        let error = target.plan(&clients).await.unwrap_err();
        assert_eq!(error.operation(), Some(Operation::GetRole), "{}", said(&error));
    }

    // A mere member may not even read.
    let error = Target::new().with_trusted_access(true).plan(&Clients::new(&office.bob)).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::AccessDenied, "{}", said(&error));

    // Outside, there is nothing to plan for.
    let outside = office.organization.client(account("999999999999"));
    let error = Target::new().plan(&Clients::new(&outside)).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NotInOrganization, "{}", said(&error));
}

#[tokio::test(start_paused = true)]
async fn what_is_good_to_know_is_said() {
    let warned =
        async |start: sim::Builder, target: &Target| Office::new(start).plan(target).await.warnings().join("\n");
    let sync = |sync| Target::new().with_sync(Caller::Management, sync, home());
    // Without the role a sync does not run.
    let text = warned(trusting(), &sync(whole("all"))).await;
    assert!(text.contains("runs on the service-linked role, and there is none"), "{text}");
    for text in [
        warned(trusting().role_for(&ROLE), &sync(whole("all"))).await,
        warned(trusting(), &sync(whole("all")).with_role()).await,
    ] {
        assert!(!text.contains("service-linked role"), "{text}");
        // AWS's own announcements, by their dates.
        assert!(text.contains("2026-12-31"), "{text}");
    }
    // In GovCloud only the management account can use Explorer.
    let gov = || delegated().role_for(&ROLE).partition(ssm_organizations::Partition::AWS_US_GOV);
    let unoffered = "AWS offers no delegated administrator of Explorer";
    let text = warned(gov(), &sync(whole("all"))).await;
    assert!(!text.contains(unoffered), "{text}");
    let text = warned(gov(), &Target::new().with_sync(Caller::Administrator, whole("all"), home())).await;
    assert!(text.contains(unoffered), "{text}");
    // It costs money everywhere.
    let text = warned(trusting().role_for(&ROLE), &sync(whole("all").enabling_all_ops_data_sources())).await;
    assert!(text.contains("every source of OpsData") && text.contains("charges"), "{text}");
    // A sync that trust has left behind is not whole again.
    let mut broken = shown("ours");
    broken.state = SyncState::TrustedAccessDisabled;
    let left = || trusting().role_for(&ROLE).data_sync(management(), region(HOME), broken.clone());
    let text = warned(left(), &sync(whole("ours"))).await;
    assert!(text.contains("TrustedAccessDisabled") && text.contains("create it anew"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_aws_does_not_show_of_a_sync_is_said_to_be_unknown() {
    let mut setting = sim::Undocumented::default();
    setting.sync_booleans_are_shown = false;
    let office = Office::new(everything().undocumented(setting));
    let target = Target::new().with_sync(Caller::Management, whole("ours"), home());
    let plan = office.plan(&target).await;
    assert!(plan.is_empty(), "{plan}");
    assert!(plan.unknowns().join("").contains("AWS does not show whether future Regions are in"), "{plan}");
}

#[tokio::test(start_paused = true)]
async fn planning_costs_the_reads_of_an_observation_and_no_more() {
    let observe = [
        (Operation::DescribeOrganization, 1),
        (Operation::ListAwsServiceAccessForOrganization, 1),
        (Operation::ListDelegatedAdministrators, 1),
    ];
    let expect = |more: &[(Operation, usize)]| observe.iter().chain(more).copied().collect();
    let regions = [region(HOME), region(AWAY), region("eu-west-1")];
    let cases: Vec<(Target, bool, std::collections::BTreeMap<Operation, usize>)> = vec![
        (Target::new().with_trusted_access(true), false, expect(&[(Operation::GetCallerIdentity, 1)])),
        (Target::new().with_trusted_access(true), true, expect(&[(Operation::GetCallerIdentity, 3)])),
        (
            Target::new().with_role().looking_in(regions.clone()),
            false,
            expect(&[(Operation::GetCallerIdentity, 1), (Operation::GetRole, 1), (Operation::ListResourceDataSync, 3)]),
        ),
        (
            Target::new().with_sync(Caller::Management, whole("ours"), regions),
            true,
            expect(&[(Operation::GetCallerIdentity, 3), (Operation::GetRole, 1), (Operation::ListResourceDataSync, 9)]),
        ),
    ];
    for (target, all, counts) in cases {
        // Whatever the size of the organization.
        let office = Office::new(everything().members(100_000));
        let clients = if all { office.clients() } else { Clients::new(&office.management) };
        target.plan(&clients).await.unwrap();
        assert_eq!(office.organization.counts(), counts, "{target:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn trust_is_found_on_any_page_and_not_sought_beyond() {
    let [config, tags] = ["config.amazonaws.com", "tagpolicies.tag.amazonaws.com"].map(|it| it.parse().unwrap());
    let office = Office::new(organization().trusting(&config).trusting(&SSM).trusting(&tags).page_size(1));
    assert!(office.plan(&Target::new().with_trusted_access(true)).await.is_empty());
    assert_eq!(office.organization.count(Operation::ListAwsServiceAccessForOrganization), 2);
    // What is not there is on no page.
    let target = Target::new().with_companion(QUICK_SETUP, ServiceTarget::new().with_trusted_access(true));
    office.organization.forget_calls();
    assert_eq!(outline(&office.plan(&target).await), ["trust ssm-quicksetup.amazonaws.com"]);
    assert_eq!(office.organization.count(Operation::ListAwsServiceAccessForOrganization), 3);
}

#[tokio::test(start_paused = true)]
async fn of_an_account_that_need_not_be_looked_at_what_nobody_saw_is_not_missed() {
    let office = Office::new(trusting());
    let snapshot = Snapshot::take(&office.clients(), &Scope::new().in_regions(home())).await.unwrap();
    let target = Target::new()
        .with_trusted_access(false)
        .with_other_syncs(OtherSyncs::Forfeit)
        .looking_in([region(HOME), region(AWAY)]);
    let plan = Plan::new(&target, snapshot).unwrap();
    let [unknown] = plan.unknowns() else { panic!("{plan}") };
    assert!(unknown.contains("the data syncs of account 111111111111"), "{unknown}");
}

#[tokio::test(start_paused = true)]
async fn a_region_where_nobody_looked_is_not_an_account_without_a_client() {
    let office = Office::new(everything());
    let snapshot = Snapshot::take(&office.clients(), &Scope::new().in_regions(home())).await.unwrap();
    let away = Target::new().without_sync(Caller::Administrator, name("theirs"), [region(AWAY)]);
    let error = Plan::new(&away, snapshot.clone()).unwrap_err();
    assert_eq!((error.kind(), error.region()), (&ErrorKind::Unread, Some(&region(AWAY))), "{}", said(&error));

    let forfeited = Target::new().without_administrator().with_other_syncs(OtherSyncs::Forfeit);
    let plan = Plan::new(&forfeited.looking_in([region(HOME), region(AWAY)]), snapshot).unwrap();
    assert_eq!(plan.unknowns(), ["the data syncs of account 222222222222 in us-east-1: nobody looked"]);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_says_what_was_looked_at() {
    let office = Office::new(everything());
    let scope = Scope::new().with_companion(QUICK_SETUP).with_role().in_regions(home());
    let snapshot = Snapshot::take(&office.clients(), &scope).await.unwrap();
    assert_eq!(snapshot.organization().management_account, management());
    assert_eq!(snapshot.caller(), Some(management()));
    assert_eq!(snapshot.services().len(), 2);
    assert_eq!(snapshot.service(&QUICK_SETUP).unwrap().trusted_access, Part::Known(None));
    assert!(snapshot.service(&STACK_SETS).is_none());
    assert!(snapshot.role().unwrap().known().unwrap().is_some());
    let places: Vec<_> = snapshot.syncs().iter().map(|of| (of.account, of.region.as_str())).collect();
    assert_eq!(places, [(management(), HOME), (alice(), HOME), (bob(), HOME)]);

    // A client that cannot tell whose it is has seen nobody's syncs.
    office.organization.fault(Operation::GetCallerIdentity, 1, sim::Fault::refused("AccessDenied"));
    let snapshot = Snapshot::take(&Clients::new(&office.management), &scope).await.unwrap();
    assert_eq!(snapshot.caller(), None);
    let [of] = snapshot.syncs() else { panic!("{:?}", snapshot.syncs()) };
    let Part::Unknown(unknown) = &of.syncs else { panic!("{of:?}") };
    assert_eq!((of.account, unknown.operation), (management(), Operation::GetCallerIdentity));
    let error = Plan::new(&Target::new().without_sync(Caller::Management, name("ours"), home()), snapshot).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::AccessDenied, "{}", said(&error));
    // Another account's has to tell.
    office.organization.fault(Operation::GetCallerIdentity, 2, sim::Fault::refused("AccessDenied"));
    let error = Snapshot::take(&office.clients(), &scope).await.unwrap_err();
    assert_eq!(error.operation(), Some(Operation::GetCallerIdentity));
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_protects_says_where_nobody_looked() {
    let everywhere = || [region(HOME), region(AWAY)];
    let off = || Target::new().without_administrator().with_trusted_access(false);
    let unknowns = async |start: sim::Builder, target: Target| {
        let plan = Office::new(start).plan(&target).await;
        let text = plan.to_string();
        assert!(plan.unknowns().iter().all(|line| text.contains(line.as_str())), "{text}");
        plan.unknowns().to_vec()
    };
    // Once, however many steps take some along.
    assert_eq!(
        unknowns(delegated(), off().looking_in(everywhere())).await,
        ["data syncs in other Regions than eu-central-1, us-east-1: nobody looked, and they would go or break unseen"]
    );
    assert_eq!(
        unknowns(delegated(), Target::new().with_administrator(bob()).looking_in(home())).await,
        ["data syncs in other Regions than eu-central-1: nobody looked, and they would go or break unseen"]
    );
    // Where they are forfeited each step says so, and the role takes none along.
    let role = || organization().role_for(&ROLE);
    for (start, target) in [
        (delegated(), off().looking_in(home()).with_other_syncs(OtherSyncs::Forfeit)),
        (role(), Target::new().without_role().looking_in(home())),
        (organization(), onboarding()),
        (trusting(), off().looking_in(home()).with_trusted_access(true)),
    ] {
        assert_eq!(unknowns(start, target).await, <[String; 0]>::default());
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_administers_beside_another_may_have_its_syncs() {
    let two = || trusting().role_for(&ROLE).delegated_to(alice()).delegated_to(bob());
    let target = Target::new().with_sync(Caller::Account(bob()), whole("bobs"), home());
    let office = Office::new(two());
    assert_eq!(outline(&office.plan(&target).await), ["create bobs of 333333333333 in eu-central-1"]);
    // Not where it is to go.
    let error = Office::new(two()).refusal(&target.with_administrator(alice())).await;
    assert_eq!(*error.kind(), ErrorKind::NotAnAdministrator, "{}", said(&error));
}
