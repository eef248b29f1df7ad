//! Errors about a companion service: they name it, and what they advise acts on it, and not on Systems Manager.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{alice, bob, organization};
use crate::plans::{Office, QUICK_SETUP, STACK_SETS};
use ssm_organizations::plan::{AdministratorTarget, Clients, Event, Plan, ServiceTarget, Target};
use ssm_organizations::ports::Operation;
use ssm_organizations::sim::{self, Fault};
use ssm_organizations::{Error, ErrorKind, Remedy, ServicePrincipal};

const QUICK: &str = "ssm-quicksetup.amazonaws.com";
const STACKS: &str = "member.org.stacksets.cloudformation.amazonaws.com";

/// Everything that people read of an error.
fn words(error: &Error) -> String {
    let remedies: Vec<_> = error.remedies().iter().map(ToString::to_string).collect();
    let situation = error.situation().map(ToString::to_string).unwrap_or_default();
    let words = format!("{error:#}\n{}\n{situation}", remedies.join("\n"));
    assert!(!words.contains("Systems Manager"), "{words}");
    words
}

/// The services that the statements of the remedies are for.
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

fn administered(principal: &ServicePrincipal) -> sim::Builder {
    organization().trusting(principal).delegated_for(principal, alice())
}

fn registered() -> ServiceTarget {
    ServiceTarget::new().with_administrator(AdministratorTarget::Account(alice()))
}

fn trusted(on: bool) -> ServiceTarget {
    ServiceTarget::new().with_trusted_access(on)
}

async fn stopped(office: &Office, plan: &Plan) -> Error {
    office.apply(plan).await.unwrap_err().into()
}

#[tokio::test(start_paused = true)]
async fn who_is_denied_a_call_is_told_the_statement_for_the_companion() {
    let nobody = || ServiceTarget::new().with_administrator(AdministratorTarget::Nobody);
    let cases = [
        (organization(), trusted(true), "EnableAWSServiceAccess"),
        (organization().trusting(&QUICK_SETUP), trusted(false), "DisableAWSServiceAccess"),
        (organization().trusting(&QUICK_SETUP), registered(), "RegisterDelegatedAdministrator"),
        (administered(&QUICK_SETUP), nobody(), "DeregisterDelegatedAdministrator"),
        (administered(&QUICK_SETUP), nobody(), "ListDelegatedAdministrators"),
    ];
    for (start, service, action) in cases {
        let office = Office::new(start);
        let plan = office.plan(&of(&QUICK_SETUP, service)).await;
        let denied = office.management.clone().without_permission(format!("organizations:{action}"));
        let error: Error = plan.apply(&Clients::new(&denied), |_: Event<'_>| {}).await.unwrap_err().into();
        assert_eq!(*error.kind(), ErrorKind::AccessDenied, "{error}");
        assert_eq!(told(&error), [QUICK], "{error}");
        let words = words(&error);
        assert!(words.starts_with(&format!("{action} ")) && words.contains(&format!(" of {QUICK} as 111")), "{words}");
        assert!(words.contains(&format!("add the permission organizations:{action} for {QUICK}")), "{words}");
    }
}

#[tokio::test(start_paused = true)]
async fn administrators_that_cannot_be_listed_are_the_companions() {
    let office = Office::new(administered(&QUICK_SETUP));
    let denied = office.management.clone().without_permission("organizations:ListDelegatedAdministrators");
    let target = of(&QUICK_SETUP, registered());
    let error = target.plan(&Clients::new(&denied)).await.unwrap_err();
    assert_eq!((error.kind(), told(&error)), (&ErrorKind::AccessDenied, vec![QUICK.to_owned()]), "{error}");
    assert!(words(&error).contains(QUICK), "{error}");
}

#[tokio::test(start_paused = true)]
async fn several_administrators_are_in_the_way_of_distrust_and_hold_no_one_delegation() {
    let office = Office::new(administered(&STACK_SETS).delegated_for(&STACK_SETS, bob()));
    let error = office.refusal(&of(&STACK_SETS, trusted(false))).await;
    assert!(matches!(error.kind(), ErrorKind::OtherAdministrator { .. }));
    assert!(matches!(error.remedies().as_slice(), [Remedy::Deregister { .. }]), "{error}");
    assert_eq!(
        error.to_string(),
        format!(
            "DisableAWSServiceAccess of {STACKS}: accounts 222222222222 and 333333333333 still administer {STACKS}, \
             and have to be deregistered first; deregister accounts 222222222222 and 333333333333 from {STACKS} first"
        )
    );
    words(&error);

    // One that came when the plan was made already.
    let office = Office::new(organization().trusting(&STACK_SETS));
    let plan = office.plan(&of(&STACK_SETS, trusted(false))).await;
    office.organization.before(Operation::ListDelegatedAdministrators, 1, |organization| {
        organization.delegate_for(&STACK_SETS, alice());
    });
    let words = words(&stopped(&office, &plan).await);
    assert!(words.contains(&format!("account 222222222222 still administers {STACKS}")), "{words}");
    assert!(!words.contains("one delegation"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn administrators_that_no_read_shows_are_in_the_way_by_awss_word() {
    let case_and_remedy = [
        (QUICK_SETUP, format!("the one delegation that {QUICK} allows is held by another account"), QUICK),
        (STACK_SETS, format!("accounts still administer {STACKS}, and have to be deregistered first"), STACKS),
    ];
    for (principal, case, service) in case_and_remedy {
        let office = Office::new(organization().trusting(&principal));
        let plan = office.plan(&of(&principal, trusted(false))).await;
        let reason = "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE";
        let refusal = Fault::refused_for("ConstraintViolationException", reason);
        office.organization.fault(Operation::DisableAwsServiceAccess, 1, refusal);
        office.organization.before(Operation::DisableAwsServiceAccess, 1, |organization| {
            for call in 1..20 {
                organization.fault(Operation::ListDelegatedAdministrators, call, Fault::LostBefore);
            }
        });
        let error = stopped(&office, &plan).await;
        let remedy = format!("deregister whoever administers {service} first");
        assert_eq!(error.remedies().iter().map(ToString::to_string).collect::<Vec<_>>(), [remedy]);
        assert!(error.to_string().contains(&case), "{error}");
        words(&error);
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_that_cannot_be_described_is_nothing_of_the_companions() {
    let office = Office::new(administered(&STACK_SETS));
    let target = ServiceTarget::new().with_administrator(AdministratorTarget::Account(bob()));
    let plan = office.plan(&of(&STACK_SETS, target)).await;
    office.organization.fault(Operation::DescribeAccount, 1, Fault::refused("AccessDeniedException"));
    let error = stopped(&office, &plan).await;
    assert_eq!((error.operation(), error.companion()), (Some(Operation::DescribeAccount), None), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_one_delegation_of_quick_setup_is_its_own() {
    let office = Office::new(administered(&QUICK_SETUP));
    let words = words(&office.refusal(&of(&QUICK_SETUP, trusted(false))).await);
    assert!(words.contains(&format!("the one delegation that {QUICK} allows is held by 222222222222")), "{words}");
    assert!(words.contains(&format!("deregister account 222222222222 from {QUICK} first")), "{words}");
}

#[tokio::test(start_paused = true)]
async fn trust_that_is_gone_is_the_companions() {
    // Before the plan is applied.
    let office = Office::new(organization().trusting(&QUICK_SETUP));
    let plan = office.plan(&of(&QUICK_SETUP, registered())).await;
    office.organization.distrust(&QUICK_SETUP);
    tokio::time::advance(Duration::from_hours(1)).await;
    let before = stopped(&office, &plan).await;

    // Between the look and the write.
    let office = Office::new(organization().trusting(&QUICK_SETUP));
    let plan = office.plan(&of(&QUICK_SETUP, registered())).await;
    let distrust = |organization: &sim::Organization| organization.distrust(&QUICK_SETUP);
    office.organization.before(Operation::RegisterDelegatedAdministrator, 1, distrust);
    let between = stopped(&office, &plan).await;

    for error in [before, between] {
        assert_eq!(*error.kind(), ErrorKind::TrustedAccessOff, "{error}");
        let words = words(&error);
        let call = format!("RegisterDelegatedAdministrator for account 222222222222 of {QUICK} as 111111111111: ");
        assert!(words.starts_with(&call), "{words}");
        assert!(words.contains(&format!("{QUICK} is not trusted in the organization")), "{words}");
        assert!(words.contains(&format!("enable trusted access for {QUICK} first")), "{words}");
        assert!(words.contains(&format!("trusted access is off and no account administers {QUICK}")), "{words}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_nothing_explains_says_what_is_so_with_the_companion() {
    let office = Office::new(administered(&QUICK_SETUP).trusting(&STACK_SETS));
    let plan = office.plan(&of(&STACK_SETS, registered())).await;
    office.organization.fault(Operation::RegisterDelegatedAdministrator, 1, Fault::refused("OddException"));
    let words = words(&stopped(&office, &plan).await);
    assert!(
        words.contains(&format!("refused, while trusted access is on and no account administers {STACKS}")),
        "{words}"
    );
}
