//! Plans for companion services with other administrators, and for suspended administrators.
#![cfg(feature = "sim")]

use ssm_organizations::plan::{AdministratorTarget, Event, ServiceTarget, Target, UnlistedSyncs};
use ssm_organizations::ports::{AccountState, Operation};
use ssm_organizations::sim::{Fault, SecondAdministrator};
use ssm_organizations::{AccountId, Error, ErrorKind, Remedy};

use super::organization_clients::{HOME, OrganizationClients, QUICK_SETUP, STACK_SETS, away, home, shown};
use crate::common::{alice, bob, delegated, every_setting, management, organization, region};
use ssm_organizations::plan::Clients;

fn account(number: u64) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

fn to(administrator: AdministratorTarget) -> ServiceTarget {
    ServiceTarget::new().with_administrator(administrator)
}

#[tokio::test]
async fn other_administrator_of_a_companion_is_replaced_only_on_request() {
    let org = || {
        OrganizationClients::new(
            organization().trusted_access_for(&QUICK_SETUP).delegated_administrator_for(&QUICK_SETUP, alice()),
        )
    };
    let target = |administrator| Target::new().with_companion(QUICK_SETUP, to(administrator));
    let error = org().refusal(&target(AdministratorTarget::Account(bob()))).await;
    assert!(matches!(error.kind(), ErrorKind::AlreadyDelegated { accounts, .. } if *accounts == [alice()]), "{error}");
    assert_eq!((error.account(), error.service()), (Some(bob()), Some(&QUICK_SETUP)), "{error}");
    assert!(error.to_string().contains("already has a delegated administrator: 222222222222"), "{error}");

    let plan = org().plan(&target(AdministratorTarget::Replacement(bob()))).await;
    let operations: Vec<_> = plan.steps().iter().map(|step| step.action().operation()).collect();
    assert_eq!(operations, [Operation::DeregisterDelegatedAdministrator, Operation::RegisterDelegatedAdministrator]);
    for administrator in [AdministratorTarget::Account(alice()), AdministratorTarget::Replacement(alice())] {
        assert!(org().plan(&target(administrator)).await.is_empty());
    }
}

#[tokio::test]
async fn added_administrator_of_a_companion_is_named_as_such() {
    let org = OrganizationClients::new(
        organization().trusted_access_for(&STACK_SETS).delegated_administrator_for(&STACK_SETS, alice()),
    );
    let target = Target::new().with_companion(STACK_SETS, to(AdministratorTarget::Account(bob())));
    let plan = org.plan(&target).await;
    let [step] = plan.steps() else { panic!("{plan}") };
    assert!(step.reason().ends_with(", in addition to 222222222222"), "{}", step.reason());
    let target = Target::new().with_companion(STACK_SETS, to(AdministratorTarget::Replacement(bob())));
    assert_eq!(org.plan(&target).await.steps().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn reached_quota_of_administrators_names_the_accounts() {
    for setting in every_setting! {
        second_administrator: &[SecondAdministrator::LimitExceeded, SecondAdministrator::Exists],
        reasons: &[true],
    } {
        let members = 1..=5;
        let mut builder = organization().trusted_access_for(&STACK_SETS).undocumented_behavior(setting.clone());
        for number in members.clone() {
            builder = builder.member(account(number)).delegated_administrator_for(&STACK_SETS, account(number));
        }
        let org = OrganizationClients::new(builder);
        let target = Target::new().with_companion(STACK_SETS, to(AdministratorTarget::Account(bob())));
        let plan = org.plan(&target).await;
        let error: Error = org.apply(&plan).await.unwrap_err().into();
        let expected: Vec<_> = members.map(account).collect();
        assert!(
            matches!(error.kind(), ErrorKind::AlreadyDelegated { accounts, .. } if *accounts == expected),
            "{setting:?}: {error}"
        );
        assert!(error.to_string().contains("has as many delegated administrators as AWS allows"), "{error}");
        assert!(matches!(error.remedy(), Some(Remedy::Deregister { .. })), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn failing_companion_leaves_systems_manager_complete() {
    let org = OrganizationClients::new(organization());
    let service = || ServiceTarget::new().with_trusted_access(true);
    let target = Target::new()
        .with_trusted_access(true)
        .with_administrator(alice())
        .with_companion(QUICK_SETUP, service())
        .with_companion(STACK_SETS, service());
    let plan = org.plan(&target).await;
    // The first two writes concern Systems Manager.
    let enable = Operation::EnableAwsServiceAccess;
    org.organization.inject_fault(enable, 2, Fault::refused("AccessDeniedException"));
    let error: Error = org.apply(&plan).await.unwrap_err().into();
    assert!(error.service().is_some(), "{error}");
    assert_eq!(org.organization.administrators(), [alice()]);
}

#[tokio::test(start_paused = true)]
async fn suspended_administrator_of_the_target_is_reported() {
    for state in [AccountState::Suspended, AccountState::PendingClosure, AccountState::Closed] {
        let org = OrganizationClients::new(delegated().member_with_state(alice(), state.clone()));
        let error = org.refusal(&Target::new().with_administrator(alice())).await;
        assert!(matches!(error.kind(), ErrorKind::AccountNotActive { state: of, .. } if *of == state), "{error}");
        assert_eq!(error.account(), Some(alice()));
        assert_eq!(error.remedies(), [Remedy::UseActiveMember], "{error}");
    }
    let org = OrganizationClients::new(delegated());
    assert!(org.plan(&Target::new().with_administrator(alice())).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn suspended_administrator_is_removed_without_its_credentials() {
    for target in [
        Target::new().with_administrator(bob()),
        Target::new().without_administrator(),
        Target::new().with_trusted_access(false).without_administrator(),
    ] {
        let start = || delegated().data_sync(alice(), region(HOME), shown("theirs"));
        let target = target.search_regions(home());
        // A plan that protects the syncs needs a client of the active account.
        let org = OrganizationClients::new(start());
        let clients = Clients::new(&org.management).with_account_client(&org.bob);
        let error = target.plan(&clients).await.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::DataSyncsNotChecked { account, .. } if *account == alice()),
            "{error}"
        );

        let org = OrganizationClients::new(start().member_with_state(alice(), AccountState::Suspended));
        let clients = Clients::new(&org.management).with_account_client(&org.bob);
        let plan = target.plan(&clients).await.unwrap();
        let affected = plan.steps()[0].affected_syncs().unwrap();
        assert_eq!((affected.unlisted, &affected.accounts[..]), (UnlistedSyncs::AllowLoss, &[alice()][..]));
        assert!(plan.warnings().iter().any(|text| text.starts_with("account 222222222222 is SUSPENDED")), "{plan}");
        plan.apply(&clients, |_: Event<'_>| {}).await.unwrap();
        assert!(!org.organization.administrators().contains(&alice()), "{plan}");
    }
}

#[tokio::test(start_paused = true)]
async fn suspended_administrator_allows_no_loss_of_other_accounts() {
    let start = delegated().member_with_state(alice(), AccountState::Suspended);
    let org = OrganizationClients::new(start.data_sync(management(), region(HOME), shown("ours")));
    let clients = Clients::new(&org.management);
    let target = Target::new().with_trusted_access(false).without_administrator();
    let error = target.search_regions(home().into_iter().chain(away())).plan(&clients).await.unwrap_err();
    let ErrorKind::DataSyncsExist { syncs, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(syncs[0].id.account, management());
}

#[tokio::test]
async fn service_managed_sync_names_its_service() {
    let names = ["AWS-QuickSetup-abc", "InspectorResourceDataSync-do-not-delete", "ours"];
    for (present, remedies) in [
        (&names[..1], &["remove the configuration of Quick Setup that maintains AWS-QuickSetup-abc"][..]),
        (
            &names[1..],
            &[
                "delete the data syncs first",
                "remove the configuration of Amazon Inspector that maintains InspectorResourceDataSync-do-not-delete",
            ],
        ),
    ] {
        let start = delegated();
        let start = present.iter().fold(start, |start, name| start.data_sync(management(), region(HOME), shown(name)));
        let org = OrganizationClients::new(start);
        let target = Target::new().with_trusted_access(false).without_administrator().search_regions(home());
        let error = org.refusal(&target).await;
        let texts: Vec<_> = error.remedies().iter().map(ToString::to_string).collect();
        let (last, first) = texts.split_last().unwrap();
        assert_eq!(
            (first, last.as_str()),
            (&remedies.iter().map(|&text| text.to_owned()).collect::<Vec<_>>()[..], "allow the data syncs to be lost")
        );
    }
}
