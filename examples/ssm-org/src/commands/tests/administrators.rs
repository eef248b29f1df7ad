//! Administrators of companions, and administrators that are suspended.

use ssm_organizations::guidance::Capability;

use super::*;

fn companions(administrators: [&str; 4]) -> sim::SimOrganization {
    let organization = organization();
    let principals = Capability::UnifiedConsole.delegated_principals();
    for (principal, account) in principals.iter().zip(administrators) {
        organization.enable_trusted_access(principal);
        organization.register_administrator_for(principal, id(account));
    }
    organization
}

#[tokio::test]
async fn status_with_different_administrators_is_not_complete() {
    let line = |out: &str| {
        let name = Capability::UnifiedConsole.name();
        out.lines().find(|line| line.starts_with("capability:") && line.contains(name)).unwrap_or_default().to_owned()
    };
    let same = run(&companions([ADMIN; 4]), "status --companions").await;
    assert!(line(&same.out).ends_with("has what it needs"), "{}", same.out);
    let different = run(&companions([ADMIN, OTHER, ADMIN, ADMIN]), "status --companions").await;
    let lacks = "lacks one account that is the delegated administrator of each of its services";
    assert!(line(&different.out).ends_with(lacks), "{}", different.out);
}

#[tokio::test]
async fn status_shows_a_service_without_delegation() {
    let shown = run(&organization(), "status --companions").await;
    let text = "opsdatasync.ssm.amazonaws.com: trusted access no; administrator not supported by the service";
    assert!(shown.out.contains(text), "{}", shown.out);
}

#[tokio::test(start_paused = true)]
async fn replace_of_a_suspended_administrator_needs_no_credentials() {
    let organization = organization();
    run(&organization, "onboard --admin 222222222222").await;
    add_sync(&organization, ADMIN, "theirs");
    let active = run(&organization, "replace --admin 333333333333").await;
    active.fails_with_any(&["222222222222"]);
    organization.set_member(id(ADMIN), AccountState::Suspended);
    let replaced = run(&organization, "replace --admin 333333333333").await;
    assert!(replaced.out.ends_with(REPLACED), "{} {}", replaced.out, replaced.err);
}

#[tokio::test(start_paused = true)]
async fn replace_of_a_suspended_administrator_with_credentials_protects_its_syncs() {
    let organization = organization();
    run(&organization, "onboard --admin 222222222222 --role").await;
    add_sync(&organization, ADMIN, "theirs");
    organization.set_member(id(ADMIN), AccountState::Suspended);
    let replace = "replace --admin 333333333333 --admin-profile 222222222222 --new-admin-profile 333333333333";
    for nth in 1..=3 {
        organization.inject_fault(Operation::ListResourceDataSync, nth, sim::Fault::refused("AccessDeniedException"));
    }
    run(&organization, replace).await.fails_with_any(&["222222222222"]);
    assert_eq!(organization.administrators(), [id(ADMIN)]);
    organization.clear_faults();
    run(&organization, replace).await;
    assert_eq!(syncs(&organization, OTHER), ["theirs"]);
}

#[tokio::test(start_paused = true)]
async fn offboard_of_a_suspended_administrator_needs_no_credentials() {
    let organization = organization();
    run(&organization, "onboard --admin 222222222222").await;
    run(&organization, "offboard").await.fails_with_any(&["222222222222"]);
    organization.set_member(id(ADMIN), AccountState::Suspended);
    let removed = run(&organization, "offboard").await;
    assert!(organization.administrators().is_empty(), "{} {}", removed.out, removed.err);
    assert!(!organization.is_trusted(&ServicePrincipal::SYSTEMS_MANAGER));
}

#[tokio::test(start_paused = true)]
async fn onboard_of_a_suspended_administrator_reports_it() {
    let organization = organization();
    run(&organization, "onboard --admin 222222222222").await;
    organization.set_member(id(ADMIN), AccountState::Suspended);
    let again = run(&organization, "onboard --admin 222222222222").await;
    assert!(again.err.contains("the account is SUSPENDED"), "{} {}", again.out, again.err);
}
