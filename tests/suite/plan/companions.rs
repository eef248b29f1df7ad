//! Errors about a companion service name that service, and their remedies apply to it.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{alice, bob, organization};
use crate::plan::organization_clients::{OrganizationClients, QUICK_SETUP, STACK_SETS};
use ssm_organizations::plan::{AdministratorTarget, Clients, Event, Plan, ServiceTarget, Target};
use ssm_organizations::ports::Operation;
use ssm_organizations::sim::{self, Fault};
use ssm_organizations::{Error, ErrorKind, Remedy, ServicePrincipal};

const QUICK: &str = "ssm-quicksetup.amazonaws.com";
const STACKS: &str = "member.org.stacksets.cloudformation.amazonaws.com";

/// Returns all texts of an error.
fn words(error: &Error) -> String {
    let remedies: Vec<_> = error.remedies().iter().map(ToString::to_string).collect();
    let situation = error.observed_status().map(ToString::to_string).unwrap_or_default();
    let words = format!("{error:#}\n{}\n{situation}", remedies.join("\n"));
    assert!(!words.contains("Systems Manager"), "{words}");
    words
}

/// Returns the services of the remedies' statements.
fn told(error: &Error) -> Vec<String> {
    let conditions = error.remedies().into_iter().filter_map(|remedy| remedy.statement()?.condition.clone());
    conditions
        .flat_map(|condition| {
            assert_eq!(condition.key, "organizations:ServicePrincipal");
            condition.values
        })
        .collect()
}

fn of(principal: &ServicePrincipal, service: ServiceTarget) -> Target {
    Target::new().with_companion(principal.clone(), service)
}

fn administered(principal: &ServicePrincipal) -> sim::SimOrganizationBuilder {
    organization().trusted_access_for(principal).delegated_administrator_for(principal, alice())
}

fn registered() -> ServiceTarget {
    ServiceTarget::new().with_administrator(AdministratorTarget::Account(alice()))
}

fn trusted(on: bool) -> ServiceTarget {
    ServiceTarget::new().with_trusted_access(on)
}

async fn stopped(org: &OrganizationClients, plan: &Plan) -> Error {
    org.apply(plan).await.unwrap_err().into()
}

#[tokio::test(start_paused = true)]
async fn access_denied_for_companion_names_its_statement() {
    let nobody = || ServiceTarget::new().with_administrator(AdministratorTarget::None);
    let cases = [
        (organization(), trusted(true), "EnableAWSServiceAccess"),
        (organization().trusted_access_for(&QUICK_SETUP), trusted(false), "DisableAWSServiceAccess"),
        (organization().trusted_access_for(&QUICK_SETUP), registered(), "RegisterDelegatedAdministrator"),
        (administered(&QUICK_SETUP), nobody(), "DeregisterDelegatedAdministrator"),
        (administered(&QUICK_SETUP), nobody(), "ListDelegatedAdministrators"),
    ];
    for (start, service, action) in cases {
        let org = OrganizationClients::new(start);
        let plan = org.plan(&of(&QUICK_SETUP, service)).await;
        tokio::time::advance(Duration::from_hours(1)).await;
        let denied = org.management.clone().without_permission(format!("organizations:{action}"));
        let error: Error = plan.apply(&Clients::new(&denied), |_: Event<'_>| {}).await.unwrap_err().into();
        assert_eq!(*error.kind(), ErrorKind::AccessDenied, "{error}");
        assert_eq!(told(&error), [QUICK], "{error}");
        let words = words(&error);
        assert!(words.starts_with(&format!("{action} ")) && words.contains(&format!(" of {QUICK} as 111")), "{words}");
        assert!(words.contains(&format!("add the permission organizations:{action} for {QUICK}")), "{words}");
    }
}

#[tokio::test(start_paused = true)]
async fn denied_administrator_list_names_companion() {
    let org = OrganizationClients::new(administered(&QUICK_SETUP));
    let denied = org.management.clone().without_permission("organizations:ListDelegatedAdministrators");
    let target = of(&QUICK_SETUP, registered());
    let error = target.plan(&Clients::new(&denied)).await.unwrap_err();
    assert_eq!((error.kind(), told(&error)), (&ErrorKind::AccessDenied, vec![QUICK.to_owned()]), "{error}");
    assert!(words(&error).contains(QUICK), "{error}");
}

#[tokio::test(start_paused = true)]
async fn disable_companion_with_administrators_names_all_of_them() {
    let org = OrganizationClients::new(administered(&STACK_SETS).delegated_administrator_for(&STACK_SETS, bob()));
    let error = org.refusal(&of(&STACK_SETS, trusted(false))).await;
    assert!(matches!(error.kind(), ErrorKind::AlreadyDelegated { .. }));
    assert!(matches!(error.remedies().as_slice(), [Remedy::Deregister { .. }]), "{error}");
    assert_eq!(
        error.to_string(),
        format!(
            "DisableAWSServiceAccess of {STACKS}: accounts 222222222222 and 333333333333 are still delegated \
             administrators of {STACKS}; deregister accounts 222222222222 and 333333333333 from {STACKS} first"
        )
    );
    words(&error);

    // Another caller registers an administrator while the plan is applied.
    let org = OrganizationClients::new(organization().trusted_access_for(&STACK_SETS));
    let plan = org.plan(&of(&STACK_SETS, trusted(false))).await;
    org.organization.run_before(Operation::DisableAwsServiceAccess, 1, |organization| {
        organization.register_administrator_for(&STACK_SETS, alice());
    });
    let words = words(&stopped(&org, &plan).await);
    assert!(words.contains(&format!("account 222222222222 is still a delegated administrator of {STACKS}")), "{words}");
    assert!(!words.contains("already has a delegated administrator"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn disable_companion_refused_reports_unread_administrators() {
    let case_and_remedy = [
        (QUICK_SETUP, format!("another account is already the delegated administrator of {QUICK}"), QUICK),
        (STACK_SETS, format!("accounts are still delegated administrators of {STACKS}"), STACKS),
    ];
    for (principal, case, service) in case_and_remedy {
        let org = OrganizationClients::new(organization().trusted_access_for(&principal));
        let plan = org.plan(&of(&principal, trusted(false))).await;
        let reason = "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE";
        let refusal = Fault::refused_with_reason("ConstraintViolationException", reason);
        org.organization.inject_fault(Operation::DisableAwsServiceAccess, 1, refusal);
        org.organization.run_before(Operation::DisableAwsServiceAccess, 1, |organization| {
            for call in 1..20 {
                organization.inject_fault(Operation::ListDelegatedAdministrators, call, Fault::RequestLost);
            }
        });
        let error = stopped(&org, &plan).await;
        let remedy = format!("deregister the delegated administrators of {service} first");
        assert_eq!(error.remedies().iter().map(ToString::to_string).collect::<Vec<_>>(), [remedy]);
        assert!(error.to_string().contains(&case), "{error}");
        words(&error);
    }
}

#[tokio::test(start_paused = true)]
async fn denied_describe_account_does_not_name_companion() {
    let org = OrganizationClients::new(administered(&STACK_SETS));
    let target = ServiceTarget::new().with_administrator(AdministratorTarget::Account(bob()));
    // Planning cannot read the account, so the application checks it.
    for nth in [1, 2] {
        org.organization.inject_fault(Operation::DescribeAccount, nth, Fault::refused("AccessDeniedException"));
    }
    let plan = org.plan(&of(&STACK_SETS, target)).await;
    let error = stopped(&org, &plan).await;
    assert_eq!((error.operation(), error.service()), (Some(Operation::DescribeAccount), None), "{error}");
}

#[tokio::test(start_paused = true)]
async fn disable_quick_setup_names_its_only_administrator() {
    let org = OrganizationClients::new(administered(&QUICK_SETUP));
    let words = words(&org.refusal(&of(&QUICK_SETUP, trusted(false))).await);
    assert!(words.contains(&format!("{QUICK} already has a delegated administrator: 222222222222")), "{words}");
    assert!(words.contains(&format!("deregister account 222222222222 from {QUICK} first")), "{words}");
}

#[tokio::test(start_paused = true)]
async fn register_companion_without_trust_names_companion() {
    // Another caller disables trusted access before the plan is applied.
    let org = OrganizationClients::new(organization().trusted_access_for(&QUICK_SETUP));
    let plan = org.plan(&of(&QUICK_SETUP, registered())).await;
    org.organization.disable_trusted_access(&QUICK_SETUP);
    tokio::time::advance(Duration::from_hours(1)).await;
    let before = stopped(&org, &plan).await;

    // Another caller disables trusted access between the check and the write.
    let org = OrganizationClients::new(organization().trusted_access_for(&QUICK_SETUP));
    let plan = org.plan(&of(&QUICK_SETUP, registered())).await;
    let distrust = |organization: &sim::SimOrganization| organization.disable_trusted_access(&QUICK_SETUP);
    org.organization.run_before(Operation::RegisterDelegatedAdministrator, 1, distrust);
    let between = stopped(&org, &plan).await;

    for error in [before, between] {
        assert_eq!(*error.kind(), ErrorKind::TrustedAccessDisabled, "{error}");
        let words = words(&error);
        let call = format!("RegisterDelegatedAdministrator for account 222222222222 of {QUICK} as 111111111111: ");
        assert!(words.starts_with(&call), "{words}");
        assert!(words.contains(&format!("trusted access for {QUICK} is disabled")), "{words}");
        assert!(words.contains(&format!("enable trusted access for {QUICK} first")), "{words}");
        assert!(words.contains(&format!("trusted access is off and no account administers {QUICK}")), "{words}");
    }
}

#[tokio::test(start_paused = true)]
async fn unexplained_refusal_reports_state_of_companion() {
    let org = OrganizationClients::new(administered(&QUICK_SETUP).trusted_access_for(&STACK_SETS));
    let plan = org.plan(&of(&STACK_SETS, registered())).await;
    org.organization.inject_fault(Operation::RegisterDelegatedAdministrator, 1, Fault::refused("OddException"));
    let words = words(&stopped(&org, &plan).await);
    assert!(
        words.contains(&format!("refused, while trusted access is on and no account administers {STACKS}")),
        "{words}"
    );
}
