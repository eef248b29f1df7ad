//! Content of plans: steps, order, preconditions, and targets that cannot be planned.
#![cfg(feature = "sim")]

use std::collections::BTreeSet;

use crate::common::{
    SSM, account, alice, bob, delegated, management, organization, organization_sync, region, trusting,
};
use crate::plan::organization_clients::{
    AWAY, HOME, OrganizationClients, QUICK_SETUP, ROLE, STACK_SETS, away, everything, handover, home, name,
    offboarding, onboarding, outline, shown, stories, whole,
};
use ssm_organizations::plan::{
    AdministratorTarget, Clients, Plan, Precondition, Reading, ServiceTarget, Snapshot, SnapshotScope, Target,
    UnlistedSyncs,
};
use ssm_organizations::policy::{Caller, Policy};
use ssm_organizations::ports::{
    FeatureSet, Operation, OrganizationalUnits, SourceRegions, SyncDefinition, SyncSource, SyncState,
};
use ssm_organizations::{Error, ErrorKind, ServicePrincipal, SyncName, sim};

/// Returns the text of an error with its sources.
fn said(error: &Error) -> String {
    format!("{error:#}")
}

#[tokio::test(start_paused = true)]
async fn plan_of_empty_target_is_empty() {
    for start in
        [organization(), everything(), organization().delegated_administrator(alice()).delegated_administrator(bob())]
    {
        let org = OrganizationClients::new(start);
        let plan = org.plan(&Target::new()).await;
        assert!(plan.is_empty() && plan.unknowns().is_empty() && plan.warnings().is_empty(), "{plan}");
        assert!(plan.to_string().contains("Nothing to do."), "{plan}");
    }
}

#[tokio::test(start_paused = true)]
async fn plan_has_one_step_per_target_field() {
    let on = |principal: &ServicePrincipal| {
        Target::new().with_companion(principal.clone(), ServiceTarget::new().with_trusted_access(true))
    };
    let role = || organization().service_linked_role(&ROLE);
    let single = || SyncDefinition::new(name("own"), SyncSource::SingleAccount, SourceRegions::new(away()).unwrap());
    let looked = |target: Target| target.search_regions(home());
    let cases: Vec<(sim::SimOrganizationBuilder, Target, &[&str])> = vec![
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
            trusting().service_linked_role(&ROLE),
            Target::new().with_sync(Caller::Management, whole("all"), [region(HOME), region(AWAY)]),
            &["create all of 111111111111 in eu-central-1", "create all of 111111111111 in us-east-1"],
        ),
        (
            delegated().service_linked_role(&ROLE),
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
        let org = OrganizationClients::new(start);
        let before = org.organization.state();
        let plan = org.plan(&target).await;
        assert_eq!(outline(&plan), steps, "{target:?}\n{plan}");
        assert_eq!(org.organization.state(), before, "a plan changes nothing");
    }
}

#[tokio::test(start_paused = true)]
async fn plan_orders_steps_as_aws_requires() {
    let org = OrganizationClients::new(organization());
    assert_eq!(
        outline(&org.plan(&onboarding()).await),
        [
            "trust ssm.amazonaws.com",
            "create the role",
            "register 222222222222 for ssm.amazonaws.com",
            "create ours of 111111111111 in eu-central-1",
            "create theirs of 222222222222 in eu-central-1",
            "create theirs of 222222222222 in us-east-1",
        ]
    );
    let org = OrganizationClients::new(everything());
    assert_eq!(
        outline(&org.plan(&offboarding()).await),
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
        outline(&org.plan(&handover()).await),
        [
            "deregister 222222222222 for ssm.amazonaws.com",
            "register 333333333333 for ssm.amazonaws.com",
            "create theirs of 333333333333 in eu-central-1",
            "create theirs of 333333333333 in us-east-1",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn plan_needs_one_accepted_write_per_step() {
    for story in stories() {
        let org = OrganizationClients::new((story.start)());
        let plan = org.plan(&(story.target)()).await;
        org.organization.clear_calls();
        org.apply(&plan).await.unwrap_or_else(|stopped| panic!("{}: {stopped:#}\n{plan}", story.name));
        let calls = org.organization.calls();
        assert_eq!(org.organization.write_count(), plan.steps().len(), "{}: {calls:#?}", story.name);
        assert!(calls.iter().all(|call| call.outcome == sim::CallOutcome::Success), "{}: {calls:#?}", story.name);
        let again = org.plan(&(story.target)()).await;
        assert!(again.is_empty(), "{}: {again}", story.name);
    }
}

#[tokio::test(start_paused = true)]
async fn plan_leaves_unlisted_resources_unchanged() {
    let config: ServicePrincipal = "config.amazonaws.com".parse().unwrap();
    let crowded = || {
        everything()
            .trusted_access_for(&config)
            .delegated_administrator_for(&config, bob())
            .trusted_access_for(&QUICK_SETUP)
            .delegated_administrator_for(&QUICK_SETUP, bob())
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
            ServiceTarget::new().with_administrator(AdministratorTarget::Replacement(alice())),
        ),
    ];
    for target in targets {
        let org = OrganizationClients::new(crowded());
        let plan = org.plan(&target).await;
        let copy = OrganizationClients::of(&sim::SimOrganizationBuilder::from(org.organization.state()).build());
        org.reach(&target).await;
        // Equal changes without the library lead to an equal state.
        for step in plan.steps() {
            use ssm_organizations::plan::Action;
            use ssm_organizations::ports::SystemsManagerApi;
            match step.action() {
                Action::EnableTrustedAccess { principal, .. } => copy.organization.enable_trusted_access(principal),
                Action::RegisterAdministrator { account, principal, .. } => {
                    copy.organization.register_administrator_for(principal, *account);
                }
                Action::DeregisterAdministrator { account, principal, .. } => {
                    copy.organization.deregister_administrator_for(principal, *account);
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
        let (reached, named) = (
            crate::plan::organization_clients::like(&org.organization),
            crate::plan::organization_clients::like(&copy.organization),
        );
        assert_eq!(reached, named, "{target:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn contradictory_target_fails_before_any_call() {
    let trust = |on| Target::new().with_trusted_access(on);
    let own = || SyncDefinition::new(name("own"), SyncSource::SingleAccount, SourceRegions::new(home()).unwrap());
    let off_with_administrator =
        ServiceTarget::new().with_trusted_access(false).with_administrator(AdministratorTarget::Account(bob()));
    let foreign = name("AWS-QuickSetup-SSM-abc");
    let cases: Vec<(Target, &str)> = vec![
        (
            trust(false).with_administrator(alice()),
            "trusted access of ssm.amazonaws.com: expected enabled, because the target registers account 222222222222",
        ),
        (
            Target::new().with_companion(QUICK_SETUP, off_with_administrator),
            "trusted access of ssm-quicksetup.amazonaws.com: expected enabled",
        ),
        (
            trust(true).without_role(),
            "role: expected present, because AWS deletes the role only while trusted access is disabled",
        ),
        (
            trust(false).with_sync(Caller::Management, whole("all"), home()),
            "data sync \"all\": expected trusted access to be enabled",
        ),
        (
            Target::new().with_sync(Caller::Management, whole("all"), []),
            "data sync \"all\": expected at least one home Region",
        ),
        (Target::new().without_sync(Caller::Management, name("all"), []), "expected at least one home Region"),
        (
            Target::new().with_sync(Caller::Management, own(), home()).without_sync(
                Caller::Management,
                name("own"),
                [region(AWAY), region(HOME)],
            ),
            "data sync \"own\": expected one definition in eu-central-1, found two",
        ),
        (Target::new().without_sync(Caller::Management, foreign, home()), "AWS-QuickSetup-SSM-abc"),
        (trust(true).with_trusted_access(false), "trusted_access: expected one value, found two different ones"),
        (Target::new().with_role().without_role(), "role: expected one value"),
        (Target::new().with_administrator(alice()).without_administrator(), "administrator: expected one value"),
        (
            Target::new()
                .with_companion(QUICK_SETUP, ServiceTarget::new().with_trusted_access(true))
                .with_companion(QUICK_SETUP, ServiceTarget::new()),
            "companions: expected one value",
        ),
    ];
    for (target, words) in cases {
        let org = OrganizationClients::new(everything());
        let error = org.refusal(&target).await;
        let kind = error.kind();
        assert!(matches!(kind, ErrorKind::InvalidInput | ErrorKind::ServiceManagedSync), "{}", said(&error));
        assert!(said(&error).contains(words), "{}", said(&error));
        assert_eq!(said(&target.check().unwrap_err()), said(&error), "`check` returns the same error");
        assert!(org.organization.calls().is_empty(), "{target:?}: {:?}", org.organization.calls());
    }
    // Without trusted access, an account may still have a single-account sync.
    trust(false).with_sync(Caller::Management, own(), home()).check().unwrap();
}

#[tokio::test(start_paused = true)]
async fn plan_conflicting_with_organization_reports_cause() {
    let five = ["a", "b", "c", "d", "e"];
    let crowded = || {
        five.iter()
            .fold(trusting().service_linked_role(&ROLE), |b, n| b.data_sync(management(), region(HOME), shown(n)))
    };
    let mut own = organization_sync("ours");
    own.source_type = Some(ssm_organizations::ports::SyncSourceType::SingleAccountMultiRegions);
    own.regions = home().to_vec();
    let single = move || trusting().service_linked_role(&ROLE).data_sync(management(), region(HOME), own.clone());
    let opt_in = [region("eu-south-1")];
    let all = || whole("all");
    let cases: Vec<(sim::SimOrganizationBuilder, Target, Operation, ErrorKind, &str)> = vec![
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
            ErrorKind::SyncSourceImmutable,
            "eu-central-1",
        ),
        (
            trusting(),
            Target::new().with_sync(Caller::Administrator, all(), home()),
            Operation::CreateResourceDataSync,
            ErrorKind::NotDelegatedAdministrator,
            "the data sync \"all\" requires a delegated administrator, and no account is registered",
        ),
        (
            delegated(),
            Target::new().with_sync(Caller::Account(bob()), all(), home()),
            Operation::CreateResourceDataSync,
            ErrorKind::NotDelegatedAdministrator,
            "333333333333",
        ),
    ];
    for (start, target, operation, kind, words) in cases {
        let error = OrganizationClients::new(start).refusal(&target).await;
        assert_eq!((error.kind(), error.operation()), (&kind, Some(operation)), "{}", said(&error));
        assert!(said(&error).contains(words), "{}", said(&error));
    }

    let full = Target::new().with_sync(Caller::Management, all(), home());
    let error = OrganizationClients::new(crowded()).refusal(&full).await;
    let ErrorKind::SyncQuotaExceeded { names, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!(names.iter().map(SyncName::as_str).collect::<Vec<_>>(), five);
    // Another Region has room, and so has this Region after a deletion.
    OrganizationClients::new(crowded()).plan(&Target::new().with_sync(Caller::Management, all(), away())).await;
    let room = full.clone().without_sync(Caller::Management, name("c"), home());
    OrganizationClients::new(crowded()).plan(&room).await;
    // The management account may have syncs in every Region.
    OrganizationClients::new(trusting()).plan(&Target::new().with_sync(Caller::Management, all(), opt_in)).await;

    for (start, target, words) in [
        (
            organization(),
            Target::new().with_administrator(alice()),
            "trusted access of ssm.amazonaws.com: expected enabled",
        ),
        (
            organization(),
            Target::new().with_companion(
                QUICK_SETUP,
                ServiceTarget::new().with_administrator(AdministratorTarget::Account(bob())),
            ),
            "trusted access of ssm-quicksetup.amazonaws.com: expected enabled",
        ),
        (
            organization(),
            full,
            "expected trusted access to be enabled, because the sync collects from the organization",
        ),
        (
            trusting().service_linked_role(&ROLE),
            Target::new().without_role().search_regions(home()),
            "role: expected present, because AWS deletes the role only while trusted access is disabled",
        ),
    ] {
        let error = OrganizationClients::new(start).refusal(&target).await;
        assert_eq!(*error.kind(), ErrorKind::InvalidInput, "{}", said(&error));
        assert!(said(&error).contains(words), "{}", said(&error));
    }

    // The administrator is deregistered before trusted access is disabled.
    let error = OrganizationClients::new(delegated())
        .refusal(&Target::new().with_trusted_access(false).search_regions(home()))
        .await;
    let ErrorKind::AlreadyDelegated { accounts, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!((accounts.as_slice(), error.operation()), (&[alice()][..], Some(Operation::DisableAwsServiceAccess)));
}

#[tokio::test(start_paused = true)]
async fn target_with_one_sync_of_two_owners_fails() {
    for (one, other) in [
        (Caller::Management, Caller::Account(management())),
        (Caller::Administrator, Caller::Account(alice())),
        (Caller::Account(alice()), Caller::Administrator),
    ] {
        let target =
            Target::new().with_sync(one, whole("all"), home()).without_sync(other, name("all"), [region(HOME)]);
        let error = OrganizationClients::new(delegated().service_linked_role(&ROLE)).refusal(&target).await;
        assert_eq!(*error.kind(), ErrorKind::InvalidInput, "{}", said(&error));
        assert!(
            said(&error).contains("data sync \"all\": expected one definition in eu-central-1, found two"),
            "{}",
            said(&error)
        );
    }
    // A sync of a former administrator is a different sync.
    let target = Target::new()
        .with_administrator(bob())
        .with_sync(Caller::Administrator, whole("theirs"), home())
        .without_sync(Caller::Account(alice()), name("theirs"), [region(HOME), region(AWAY)]);
    assert_eq!(
        outline(&OrganizationClients::new(everything()).plan(&target).await).first().map(String::as_str),
        Some("delete theirs of 222222222222 in eu-central-1")
    );
}

#[tokio::test(start_paused = true)]
async fn plan_replaces_quick_setup_and_adds_stack_sets_administrator() {
    let registered_for = |account| ServiceTarget::new().with_administrator(AdministratorTarget::Account(account));
    let nobody = || ServiceTarget::new().with_administrator(AdministratorTarget::None);
    let both = |principal: &ServicePrincipal| {
        organization().trusted_access_for(principal).delegated_administrator_for(principal, alice())
    };

    let org = OrganizationClients::new(both(&QUICK_SETUP));
    let replacement = ServiceTarget::new().with_administrator(AdministratorTarget::Replacement(bob()));
    let target = Target::new().with_companion(QUICK_SETUP, replacement);
    assert_eq!(
        outline(&org.plan(&target).await),
        [
            "deregister 222222222222 for ssm-quicksetup.amazonaws.com",
            "register 333333333333 for ssm-quicksetup.amazonaws.com"
        ]
    );

    let stack_sets = "member.org.stacksets.cloudformation.amazonaws.com";
    let org = OrganizationClients::new(both(&STACK_SETS));
    let target = Target::new().with_companion(STACK_SETS, registered_for(bob()));
    let plan = org.plan(&target).await;
    assert_eq!(outline(&plan), [format!("register 333333333333 for {stack_sets}")]);
    assert!(
        plan.steps().iter().all(|step| step.preconditions().is_empty()),
        "no step requires an absent administrator: {plan}"
    );
    org.apply(&plan).await.unwrap();
    let plan = org.plan(&Target::new().with_companion(STACK_SETS, nobody())).await;
    assert_eq!(
        outline(&plan),
        [format!("deregister 222222222222 for {stack_sets}"), format!("deregister 333333333333 for {stack_sets}")]
    );
    assert!(plan.steps().iter().all(|step| step.affected_syncs().is_none()), "no data sync depends on it: {plan}");

    // A target without companions does not change companion services.
    assert!(org.plan(&Target::new().with_trusted_access(false).without_administrator()).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn plan_protects_syncs_of_both_owners_unless_loss_is_allowed() {
    let both = || Target::new().without_administrator().with_trusted_access(false);
    let everywhere = || [region(HOME), region(AWAY)];
    // Without Regions, planning cannot list the syncs.
    let error = OrganizationClients::new(everything()).refusal(&both()).await;
    assert_eq!(*error.kind(), ErrorKind::InvalidInput);
    assert!(
        said(&error).contains("Regions: expected at least one, to search for affected data syncs"),
        "{}",
        said(&error)
    );

    // The error lists the administrator's syncs first, then the management account's.
    let error = OrganizationClients::new(everything()).refusal(&both().search_regions(everywhere())).await;
    let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!(syncs.iter().map(|sync| sync.id.account).collect::<Vec<_>>(), [alice(), alice()]);
    let named = both().without_sync(Caller::Administrator, name("theirs"), everywhere());
    let error = OrganizationClients::new(everything()).refusal(&named).await;
    let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!(syncs.iter().map(|sync| sync.id.account).collect::<Vec<_>>(), [management()]);
    assert_eq!(error.operation(), Some(Operation::DisableAwsServiceAccess));

    // Disabling trusted access also breaks the syncs of a former administrator. They are listed if
    // there is a client of that account.
    let left = || trusting().data_sync(bob(), region(HOME), shown("bobs"));
    let off = || Target::new().with_trusted_access(false).search_regions(home());
    let error = OrganizationClients::new(left()).refusal(&off()).await;
    let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!(syncs.iter().map(|sync| sync.id.account).collect::<Vec<_>>(), [bob()]);
    let org = OrganizationClients::new(left());
    assert_eq!(off().plan(&Clients::new(&org.management)).await.unwrap().steps().len(), 1);

    // With allowed loss, each step lists the syncs that it affects.
    let forfeited = both().with_unlisted_syncs(UnlistedSyncs::AllowLoss);
    let plan = OrganizationClients::new(everything()).plan(&forfeited.clone().search_regions(everywhere())).await;
    let lost = |step: usize| {
        let at_risk = plan.steps().get(step).and_then(|step| step.affected_syncs()).expect("the step affects no syncs");
        assert_eq!(at_risk.unlisted, UnlistedSyncs::AllowLoss);
        at_risk.listed.iter().map(|(at, _)| at.account).collect::<BTreeSet<_>>()
    };
    assert_eq!(lost(0), BTreeSet::from([alice()]));
    assert!(lost(1).contains(&management()));
    // Without listings, the plan reports that it does not know the syncs.
    let plan = OrganizationClients::new(everything()).plan(&forfeited).await;
    assert_eq!(plan.steps().len(), 2);
    let unknowns = plan.unknowns().join("\n");
    assert!(unknowns.contains("account 111111111111") && unknowns.contains("account 222222222222"), "{unknowns}");

    // A sync that is recreated for the new administrator is not lost.
    let org = OrganizationClients::new(everything());
    org.plan(&handover()).await;
    let halfway = Target::new().with_administrator(bob()).search_regions(everywhere()).with_sync(
        Caller::Administrator,
        whole("theirs"),
        home(),
    );
    let error = org.refusal(&halfway).await;
    let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!(syncs.iter().map(|sync| sync.id.region.as_str()).collect::<Vec<_>>(), [AWAY]);
    // A sync of the same name in another account is a different sync.
    let start = || delegated().service_linked_role(&ROLE).data_sync(alice(), region(HOME), shown("all"));
    for owner in [Caller::Management, Caller::Account(bob())] {
        let target = Target::new().with_administrator(bob()).with_sync(owner, whole("all"), home());
        let error = OrganizationClients::new(start()).refusal(&target).await;
        assert!(matches!(error.kind(), ErrorKind::DataSyncsExist { .. }), "{}", said(&error));
    }
    // A single-account sync depends on neither trusted access nor the delegation.
    let mut own = shown("own");
    own.source_type = Some(ssm_organizations::ports::SyncSourceType::SingleAccountMultiRegions);
    let org = OrganizationClients::new(delegated().data_sync(alice(), region(HOME), own));
    assert_eq!(org.plan(&both().search_regions(home())).await.steps().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn plan_role_deletion_fails_while_sync_uses_role() {
    let target = |others| Target::new().without_role().with_unlisted_syncs(others).search_regions(home());
    for owner in [management(), alice()] {
        for others in [UnlistedSyncs::Protect, UnlistedSyncs::AllowLoss] {
            let org = OrganizationClients::new(organization().service_linked_role(&ROLE).data_sync(
                owner,
                region(HOME),
                shown("left"),
            ));
            let error = org.refusal(&target(others)).await;
            assert!(matches!(error.kind(), ErrorKind::DataSyncsExist { .. }), "{others:?}: {}", said(&error));
            assert_eq!(error.operation(), Some(Operation::DeleteServiceLinkedRole));
        }
    }
    // Among single-account syncs, only those of the management account use the role.
    let mut own = shown("own");
    own.source_type = Some(ssm_organizations::ports::SyncSourceType::SingleAccountMultiRegions);
    let held = |owner| {
        OrganizationClients::new(organization().service_linked_role(&ROLE).data_sync(owner, region(HOME), own.clone()))
    };
    for others in [UnlistedSyncs::Protect, UnlistedSyncs::AllowLoss] {
        let error = held(management()).refusal(&target(others)).await;
        assert!(matches!(error.kind(), ErrorKind::DataSyncsExist { .. }), "{}", said(&error));
        assert_eq!(held(alice()).plan(&target(others)).await.steps().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn plan_with_denied_read_fails_only_if_target_needs_it() {
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
        (syncs, trust().search_regions(home()), false),
        (syncs, register().search_regions(home()), false),
        (syncs, with_role().search_regions(home()), false),
        (syncs, with_sync(), true),
    ];
    for (action, target, refused) in cases {
        let org = OrganizationClients::new(trusting().service_linked_role(&ROLE).data_sync(
            management(),
            region(HOME),
            shown("ours"),
        ));
        let client = org.management.clone().without_permission(action);
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
async fn plan_with_failed_read_reports_unknown_state() {
    let org = OrganizationClients::new(trusting());
    org.organization.inject_fault(Operation::ListAwsServiceAccessForOrganization, 1, sim::Fault::RequestLost);
    let error = org.refusal(&Target::new().with_trusted_access(false).search_regions(home())).await;
    assert_eq!(*error.kind(), ErrorKind::UnknownState, "{}", said(&error));
    assert_eq!(error.operation(), Some(Operation::ListAwsServiceAccessForOrganization));

    let org = OrganizationClients::new(trusting());
    org.organization.inject_fault(Operation::DescribeOrganization, 1, sim::Fault::RequestLost);
    let error = org.refusal(&Target::new()).await;
    assert_eq!(error.operation(), Some(Operation::DescribeOrganization), "{}", said(&error));

    // A part that was not read differs from an absent part.
    let org = OrganizationClients::new(everything());
    let snapshot = Snapshot::take(&org.clients(), &SnapshotScope::new()).await.unwrap();
    for target in [Target::new().with_role(), Target::new().without_sync(Caller::Management, name("ours"), home())] {
        let error = Plan::new(&target, snapshot.clone()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::UnknownState | ErrorKind::MissingClient { .. }), "{}", said(&error));
    }
    let companion = Target::new().with_companion(QUICK_SETUP, ServiceTarget::new().with_trusted_access(true));
    assert_eq!(*Plan::new(&companion, snapshot).unwrap_err().kind(), ErrorKind::UnknownState);
}

#[tokio::test(start_paused = true)]
async fn plan_without_account_client_reports_missing_client() {
    let org = OrganizationClients::new(everything());
    let alone = Clients::new(&org.management);
    let refusal = async |target: Target| target.plan(&alone).await.unwrap_err();

    let error = refusal(Target::new().without_sync(Caller::Administrator, name("theirs"), home())).await;
    assert!(
        matches!(error.kind(), ErrorKind::MissingClient { account, .. } if *account == alice()),
        "{}",
        said(&error)
    );
    let error = refusal(Target::new().with_sync(Caller::Administrator, whole("new"), home())).await;
    assert!(
        matches!(error.kind(), ErrorKind::MissingClient { account, .. } if *account == alice()),
        "{}",
        said(&error)
    );
    let error = refusal(Target::new().without_administrator().search_regions(home())).await;
    let ErrorKind::DataSyncsNotChecked { account, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!(*account, alice());

    let forfeited = Target::new().without_administrator().with_unlisted_syncs(UnlistedSyncs::AllowLoss);
    let plan = forfeited.search_regions(home()).plan(&alone).await.unwrap();
    assert_eq!(plan.unknowns(), ["the data syncs of account 222222222222: there is no client of it"]);
    // The syncs of the management account can still be planned.
    let own = Target::new().without_sync(Caller::Management, name("ours"), home());
    assert_eq!(own.plan(&alone).await.unwrap().steps().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn step_lists_its_preconditions() {
    let facts = |plan: &Plan| -> Vec<Vec<String>> {
        plan.steps().iter().map(|step| step.preconditions().iter().map(ToString::to_string).collect()).collect()
    };
    let org = OrganizationClients::new(organization());
    let plan = org.plan(&onboarding()).await;
    assert_eq!(
        facts(&plan),
        [
            vec!["trusted access for ssm.amazonaws.com is disabled"],
            vec!["the role AWSServiceRoleForAmazonSSM_AccountDiscovery does not exist"],
            vec!["ssm.amazonaws.com has no delegated administrator"],
            vec!["the data sync \"ours\" of account 111111111111 in eu-central-1 does not exist"],
            vec!["the data sync \"theirs\" of account 222222222222 in eu-central-1 does not exist"],
            vec!["the data sync \"theirs\" of account 222222222222 in us-east-1 does not exist"],
        ]
    );
    // Preconditions identify existing resources by the dates and IDs of AWS.
    let org = OrganizationClients::new(everything());
    let plan = org.plan(&offboarding()).await;
    let snapshot = plan.snapshot();
    let service = snapshot.service(&SSM).unwrap();
    let trusted = service.trusted_access.known().unwrap().as_ref().unwrap().enabled_at;
    let registered = service.administrators.known().unwrap().first().unwrap().delegated_at;
    let role = snapshot.role().unwrap().known().unwrap().as_ref().unwrap().id.clone();
    assert!(trusted.is_some() && registered.is_some());
    let mut seen = Vec::new();
    for fact in plan.steps().iter().flat_map(ssm_organizations::plan::Step::preconditions) {
        seen.push(match fact {
            Precondition::TrustedAccessEnabled { enabled_at, .. } => *enabled_at == trusted,
            Precondition::Delegated { delegated_at, account, .. } => *delegated_at == registered && *account == alice(),
            Precondition::RoleUnchanged { id, .. } => *id == role,
            Precondition::SyncUnchanged { sync, observed, .. } => {
                org.organization.data_syncs(sync.account, &sync.region).contains(observed) && observed.created.is_some()
            }
            Precondition::NotDelegated { .. } | Precondition::TrustedAccessDisabled { .. } => true,
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(seen, [true; 8]);
}

#[tokio::test(start_paused = true)]
async fn step_shows_permission_condition_and_command() {
    let org = OrganizationClients::new(organization().unit("ou-root-11111111".parse().unwrap()));
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
                (step.action().operation().iam_action(), condition, step.aws_command().to_string())
            })
            .collect()
    };
    let principal = "organizations:ServicePrincipal ssm.amazonaws.com";
    let sync_type = "ssm:SyncType SyncFromSource";
    let plan = org.plan(&target).await;
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

    let org = OrganizationClients::new(everything());
    let accounts: Vec<_> =
        org.plan(&offboarding()).await.steps().iter().map(ssm_organizations::plan::Step::account).collect();
    assert_eq!(accounts, [management(), alice(), alice(), management(), management(), management()]);
    let steps = lines(&org.plan(&offboarding()).await);
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
async fn step_displays_same_text_as_plan() {
    let org = OrganizationClients::new(organization());
    let plan = org.plan(&onboarding()).await;
    let reasons: Vec<_> = plan.steps().iter().map(ssm_organizations::plan::Step::reason).collect();
    assert_eq!(
        reasons,
        [
            "disabled; the target enables it",
            "Explorer's data syncs of the organization use it",
            "the target registers it for ssm.amazonaws.com",
            "it does not exist",
            "it does not exist",
            "it does not exist",
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
async fn plan_displays_sources_of_existing_syncs() {
    use ssm_organizations::ports::{DataSync, SyncSourceType};
    let mut units = shown("units");
    let [one, other]: [ssm_organizations::domain::OrganizationalUnitId; 2] =
        ["ou-root-11111111", "ou-root-22222222"].map(|unit| unit.parse().unwrap());
    let start = trusting().service_linked_role(&ROLE).unit(one.clone()).unit(other.clone());
    units.units = vec![one, other];
    let single = DataSync::new(name("single"), Some(SyncSourceType::SingleAccountMultiRegions));
    let mut later = shown("later");
    (later.future_regions, later.all_ops_data_sources) = (Some(true), Some(true));
    let start = [shown("all"), units, single, DataSync::new(name("bare"), None), later]
        .into_iter()
        .fold(start, |start, sync| start.data_sync(management(), region(HOME), sync));
    let org = OrganizationClients::new(start);
    let text = org.plan(&Target::new().search_regions(home())).await.to_string();
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
async fn sync_permission_names_owner_of_sync() {
    let own = SyncDefinition::new(name("own"), SyncSource::SingleAccount, SourceRegions::new(home()).unwrap());
    let target = onboarding()
        .with_sync(Caller::Administrator, whole("new"), home())
        .with_sync(Caller::Management, whole("newer"), home())
        .with_sync(Caller::Account(bob()), own, home());
    // Alice becomes the administrator, or already is.
    for start in [organization(), everything()] {
        let permissions = OrganizationClients::new(start).plan(&target).await.permissions();
        let creating = permissions.iter().filter(|one| one.operation() == Operation::CreateResourceDataSync);
        let callers: BTreeSet<_> = creating.map(ssm_organizations::policy::Permission::caller).collect();
        assert_eq!(callers, BTreeSet::from([Caller::Management, Caller::Administrator, Caller::Account(bob())]));
    }
}

/// Applies each plan after its snapshot has expired, so that all state is read again.
#[tokio::test(start_paused = true)]
async fn plan_permissions_cover_all_calls_of_apply() {
    for story in stories() {
        let org = OrganizationClients::new((story.start)());
        let plan = org.plan(&(story.target)()).await;
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
        // Other actions are denied, and other accounts have no client.
        let restricted = |account, client: &sim::SimClient| {
            let denied = Operation::ALL.iter().filter(|operation| {
                **operation != Operation::GetCallerIdentity && !allowed.contains(&(account, **operation))
            });
            denied.fold(client.clone(), |client, operation| client.without_permission(operation.iam_action()))
        };
        let ours = restricted(management(), &org.management);
        let theirs = [(alice(), &org.alice), (bob(), &org.bob)].map(|(id, client)| (id, restricted(id, client)));
        let needed = theirs.iter().filter(|(id, _)| allowed.iter().any(|(account, _)| account == id));
        let clients = needed.fold(Clients::new(&ours), |clients, (_, client)| clients.with_account_client(client));
        plan.apply(&clients, |_| {}).await.unwrap_or_else(|stopped| panic!("{}: {stopped:#}", story.name));
        let policy = Policy::allowing(permissions, &plan.policy_scope()).to_string();
        assert!(policy.contains("arn:aws:") && policy.contains("111111111111"), "{policy}");
    }
    // The plan lists the administrators of every service that it reads.
    let org = OrganizationClients::new(organization());
    let target = Target::new().with_companion(QUICK_SETUP, ServiceTarget::new().with_trusted_access(true));
    let plan = org.plan(&target).await;
    let texts: Vec<_> = plan.permissions().iter().map(ToString::to_string).collect();
    let listing =
        "organizations:ListDelegatedAdministrators for ssm-quicksetup.amazonaws.com, in the management account";
    assert!(texts.iter().any(|text| text == listing), "{texts:#?}");
}

#[tokio::test(start_paused = true)]
async fn plan_with_consolidated_billing_fails() {
    for needs in [true, false] {
        let mut setting = sim::UndocumentedBehavior::default();
        setting.listing_needs_all_features = needs;
        let start =
            || organization().feature_set(FeatureSet::ConsolidatedBilling).undocumented_behavior(setting.clone());
        let org = OrganizationClients::new(start());
        for target in [Target::new().with_trusted_access(true), onboarding()] {
            let error = org.refusal(&target).await;
            assert_eq!(*error.kind(), ErrorKind::NotAllFeatures, "{needs}: {}", said(&error));
        }
        // A single-account sync does not need all features of the organization.
        let own = SyncDefinition::new(name("own"), SyncSource::SingleAccount, SourceRegions::new(home()).unwrap());
        org.plan(&Target::new().with_sync(Caller::Management, own, home())).await;
    }
}

#[tokio::test(start_paused = true)]
async fn plan_resolves_inconsistent_organization() {
    let two = || trusting().delegated_administrator(alice()).delegated_administrator(bob());
    let orphaned = || organization().delegated_administrator(alice());
    let looked = |target: Target| target.search_regions(home());
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
        // AWS may refuse to deregister while trusted access is disabled.
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
        let org = OrganizationClients::new(start);
        let plan = org.plan(&target).await;
        assert_eq!(outline(&plan), steps, "{plan}");
        org.apply(&plan).await.unwrap();
        assert!(org.plan(&target).await.is_empty());
    }
    // The owner of the sync is ambiguous.
    let target = Target::new().with_sync(Caller::Administrator, whole("all"), home());
    let error = OrganizationClients::new(two()).refusal(&target).await;
    let ErrorKind::AlreadyDelegated { accounts, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!(*accounts, [alice(), bob()]);
}

#[tokio::test(start_paused = true)]
async fn plan_as_member_account_covers_only_own_syncs() {
    // A delegated administrator may read, and may write only its own syncs.
    let org = OrganizationClients::new(everything());
    let clients = Clients::new(&org.alice);
    let error =
        Target::new().with_trusted_access(false).without_administrator().with_unlisted_syncs(UnlistedSyncs::AllowLoss);
    let error = error.plan(&clients).await.unwrap_err();
    let ErrorKind::NotManagementAccount { management: needed, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!((*needed, error.caller()), (management(), Some(alice())));

    let own = Target::new().with_sync(Caller::Administrator, whole("mine"), home());
    let plan = own.plan(&clients).await.unwrap();
    assert_eq!(outline(&plan), ["create mine of 222222222222 in eu-central-1"]);
    plan.apply(&clients, |_| {}).await.unwrap();
    assert!(own.plan(&clients).await.unwrap().is_empty());

    // The role belongs to the management account. A role in Alice's account does not count.
    org.organization.add_role(alice(), &ROLE);
    for target in [Target::new().with_role(), Target::new().without_role()] {
        let error = target.plan(&clients).await.unwrap_err();
        assert_eq!(error.operation(), Some(Operation::GetRole), "{}", said(&error));
    }

    // Other member accounts may not read.
    let error = Target::new().with_trusted_access(true).plan(&Clients::new(&org.bob)).await.unwrap_err();
    let ErrorKind::NotManagementAccount { management: needed, .. } = error.kind() else { panic!("{}", said(&error)) };
    assert_eq!((*needed, error.caller()), (management(), Some(bob())));
    assert_eq!(error.remedies().len(), 1, "no permission helps a member account: {}", said(&error));

    // An account outside the organization cannot plan.
    let outside = org.organization.client(account("999999999999"));
    let error = Target::new().plan(&Clients::new(&outside)).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NotInOrganization, "{}", said(&error));
}

#[tokio::test(start_paused = true)]
async fn plan_includes_relevant_warnings() {
    let warned = async |start: sim::SimOrganizationBuilder, target: &Target| {
        OrganizationClients::new(start).plan(target).await.warnings().join("\n")
    };
    let sync = |sync| Target::new().with_sync(Caller::Management, sync, home());
    // A sync needs the role.
    let text = warned(trusting(), &sync(whole("all"))).await;
    assert!(text.contains("needs the service-linked role, which does not exist"), "{text}");
    for text in [
        warned(trusting().service_linked_role(&ROLE), &sync(whole("all"))).await,
        warned(trusting(), &sync(whole("all")).with_role()).await,
    ] {
        assert!(!text.contains("service-linked role"), "{text}");
        // The warning contains the date that AWS announced.
        assert!(text.contains("2026-12-31"), "{text}");
    }
    // In GovCloud only the management account can use Explorer.
    let gov = || delegated().service_linked_role(&ROLE).partition(ssm_organizations::domain::Partition::AWS_US_GOV);
    let unoffered = "AWS offers no delegated administrator of Explorer";
    let text = warned(gov(), &sync(whole("all"))).await;
    assert!(!text.contains(unoffered), "{text}");
    let text = warned(gov(), &Target::new().with_sync(Caller::Administrator, whole("all"), home())).await;
    assert!(text.contains(unoffered), "{text}");
    // Collecting all OpsData sources incurs charges in every Region.
    let text = warned(trusting().service_linked_role(&ROLE), &sync(whole("all").enabling_all_ops_data_sources())).await;
    assert!(text.contains("every source of OpsData") && text.contains("charges"), "{text}");
    assert!(!text.contains("requests none"), "{text}");
    // A sync that failed without trusted access does not recover.
    let mut broken = shown("ours");
    broken.state = SyncState::TrustedAccessDisabled;
    let left = || trusting().service_linked_role(&ROLE).data_sync(management(), region(HOME), broken.clone());
    let text = warned(left(), &sync(whole("ours"))).await;
    assert!(text.contains("TrustedAccessDisabled") && text.contains("recreate the sync"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn plan_lists_hidden_sync_attributes_as_unknown() {
    let mut setting = sim::UndocumentedBehavior::default();
    setting.sync_booleans_are_shown = false;
    let org = OrganizationClients::new(everything().undocumented_behavior(setting));
    let target = Target::new().with_sync(Caller::Management, whole("ours"), home());
    let plan = org.plan(&target).await;
    assert!(plan.is_empty(), "{plan}");
    assert!(plan.unknowns().join("").contains("AWS does not show whether future Regions are in"), "{plan}");
}

#[tokio::test(start_paused = true)]
async fn plan_makes_only_required_reads() {
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
            Target::new().with_role().search_regions(regions.clone()),
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
        // The number of calls does not depend on the size of the organization.
        let org = OrganizationClients::new(everything().members(100_000));
        let clients = if all { org.clients() } else { Clients::new(&org.management) };
        target.plan(&clients).await.unwrap();
        assert_eq!(org.organization.call_counts(), counts, "{target:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn plan_stops_reading_pages_at_trusted_service() {
    let [config, tags] = ["config.amazonaws.com", "tagpolicies.tag.amazonaws.com"].map(|it| it.parse().unwrap());
    let org = OrganizationClients::new(
        organization().trusted_access_for(&config).trusted_access_for(&SSM).trusted_access_for(&tags).page_size(1),
    );
    assert!(org.plan(&Target::new().with_trusted_access(true)).await.is_empty());
    assert_eq!(org.organization.call_count(Operation::ListAwsServiceAccessForOrganization), 2);
    // Only the last page shows that a service is absent.
    let target = Target::new().with_companion(QUICK_SETUP, ServiceTarget::new().with_trusted_access(true));
    org.organization.clear_calls();
    assert_eq!(outline(&org.plan(&target).await), ["trust ssm-quicksetup.amazonaws.com"]);
    assert_eq!(org.organization.call_count(Operation::ListAwsServiceAccessForOrganization), 3);
}

#[tokio::test(start_paused = true)]
async fn plan_reports_unchecked_regions_of_required_account_only() {
    let org = OrganizationClients::new(trusting());
    let snapshot = Snapshot::take(&org.clients(), &SnapshotScope::new().in_regions(home())).await.unwrap();
    let target = Target::new()
        .with_trusted_access(false)
        .with_unlisted_syncs(UnlistedSyncs::AllowLoss)
        .search_regions([region(HOME), region(AWAY)]);
    let plan = Plan::new(&target, snapshot).unwrap();
    let [unknown] = plan.unknowns() else { panic!("{plan}") };
    assert!(unknown.contains("the data syncs of account 111111111111"), "{unknown}");
}

#[tokio::test(start_paused = true)]
async fn plan_distinguishes_unread_region_from_missing_client() {
    let org = OrganizationClients::new(everything());
    let snapshot = Snapshot::take(&org.clients(), &SnapshotScope::new().in_regions(home())).await.unwrap();
    let away = Target::new().without_sync(Caller::Administrator, name("theirs"), [region(AWAY)]);
    let error = Plan::new(&away, snapshot.clone()).unwrap_err();
    assert_eq!((error.kind(), error.region()), (&ErrorKind::UnknownState, Some(&region(AWAY))), "{}", said(&error));

    let forfeited = Target::new().without_administrator().with_unlisted_syncs(UnlistedSyncs::AllowLoss);
    let plan = Plan::new(&forfeited.search_regions([region(HOME), region(AWAY)]), snapshot).unwrap();
    assert_eq!(plan.unknowns(), ["the data syncs of account 222222222222 in us-east-1: not checked"]);
}

#[tokio::test(start_paused = true)]
async fn snapshot_contains_exactly_its_scope() {
    let org = OrganizationClients::new(everything());
    let scope = SnapshotScope::new().with_companion(QUICK_SETUP).with_role().in_regions(home());
    let snapshot = Snapshot::take(&org.clients(), &scope).await.unwrap();
    assert_eq!(snapshot.organization().management_account, management());
    assert_eq!(snapshot.caller(), Some(management()));
    assert_eq!(snapshot.services().len(), 2);
    assert_eq!(snapshot.service(&QUICK_SETUP).unwrap().trusted_access, Reading::Known(None));
    assert!(snapshot.service(&STACK_SETS).is_none());
    assert!(snapshot.role().unwrap().known().unwrap().is_some());
    let places: Vec<_> = snapshot.syncs().iter().map(|of| (of.account, of.region.as_str())).collect();
    assert_eq!(places, [(management(), HOME), (alice(), HOME), (bob(), HOME)]);

    // Without a caller identity, the account of the listed syncs is unknown.
    org.organization.inject_fault(Operation::GetCallerIdentity, 1, sim::Fault::refused("AccessDenied"));
    let snapshot = Snapshot::take(&Clients::new(&org.management), &scope).await.unwrap();
    assert_eq!(snapshot.caller(), None);
    let [of] = snapshot.syncs() else { panic!("{:?}", snapshot.syncs()) };
    let Reading::Unknown(unknown) = &of.syncs else { panic!("{of:?}") };
    assert_eq!((of.account, unknown.operation), (management(), Operation::GetCallerIdentity));
    let error = Plan::new(&Target::new().without_sync(Caller::Management, name("ours"), home()), snapshot).unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::AccessDenied, "{}", said(&error));
    // The client of another account must return its identity.
    org.organization.inject_fault(Operation::GetCallerIdentity, 2, sim::Fault::refused("AccessDenied"));
    let error = Snapshot::take(&org.clients(), &scope).await.unwrap_err();
    assert_eq!(error.operation(), Some(Operation::GetCallerIdentity));
}

#[tokio::test(start_paused = true)]
async fn plan_with_protection_reports_unchecked_regions() {
    let everywhere = || [region(HOME), region(AWAY)];
    let off = || Target::new().without_administrator().with_trusted_access(false);
    let unknowns = async |start: sim::SimOrganizationBuilder, target: Target| {
        let plan = OrganizationClients::new(start).plan(&target).await;
        let text = plan.to_string();
        assert!(plan.unknowns().iter().all(|line| text.contains(line.as_str())), "{text}");
        plan.unknowns().to_vec()
    };
    // The plan reports unchecked Regions once, even if several steps affect syncs there.
    assert_eq!(
        unknowns(delegated(), off().search_regions(everywhere())).await,
        ["data syncs outside eu-central-1, us-east-1 were not checked and may be deleted or stop working"]
    );
    assert_eq!(
        unknowns(delegated(), Target::new().with_administrator(bob()).search_regions(home())).await,
        ["data syncs outside eu-central-1 were not checked and may be deleted or stop working"]
    );
    // These plans do not report unchecked Regions.
    let role = || organization().service_linked_role(&ROLE);
    for (start, target) in [
        (delegated(), off().search_regions(home()).with_unlisted_syncs(UnlistedSyncs::AllowLoss)),
        (role(), Target::new().without_role().search_regions(home())),
        (organization(), onboarding()),
        (trusting(), Target::new().without_administrator().with_trusted_access(true).search_regions(home())),
    ] {
        assert_eq!(unknowns(start, target).await, <[String; 0]>::default());
    }
}

#[tokio::test(start_paused = true)]
async fn plan_creates_sync_of_second_administrator() {
    let two = || trusting().service_linked_role(&ROLE).delegated_administrator(alice()).delegated_administrator(bob());
    let target = Target::new().with_sync(Caller::Account(bob()), whole("bobs"), home());
    let org = OrganizationClients::new(two());
    assert_eq!(outline(&org.plan(&target).await), ["create bobs of 333333333333 in eu-central-1"]);
    // An account that the target deregisters cannot have the sync.
    let error = OrganizationClients::new(two()).refusal(&target.with_administrator(alice())).await;
    assert_eq!(*error.kind(), ErrorKind::NotDelegatedAdministrator, "{}", said(&error));
}

/// Asserts that one error lists every Region that cannot be read.
#[tokio::test]
async fn every_denied_region_is_reported() {
    let regions = [region(HOME), region(AWAY)];
    let offboard = Target::new().without_administrator().search_regions(regions.clone());
    let sync = Target::new().with_sync(Caller::Account(alice()), whole("all"), regions.clone());
    for target in [offboard, sync] {
        let org = OrganizationClients::new(delegated());
        for nth in 1..=100 {
            org.organization.inject_fault(
                Operation::ListResourceDataSync,
                nth,
                sim::Fault::refused("AccessDeniedException"),
            );
        }
        let error = org.refusal(&target).await;
        let denied: Vec<_> = [&error].into_iter().chain(error.related()).filter_map(Error::region).collect();
        assert_eq!(denied, regions.iter().collect::<Vec<_>>(), "{error}");
    }
}
