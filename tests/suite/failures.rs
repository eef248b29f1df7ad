//! Transitions that go wrong: what the error says, what the handle becomes, and what is true in the organization.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{
    SSM, Way, alice, bob, delegated, delegated_in, disabled_in, expect_delegated, expect_disabled, expect_irregular,
    failed, irregular_in, management, organization, trusted_in, trusting, way,
};
use ssm_organizations::ports::{AccountState, FeatureSet, Operation};
use ssm_organizations::sim::Fault;
use ssm_organizations::{
    Applied, Certainty, Change, ChangeKind, Error, ErrorKind, Integration, Recovered, Retry, Syncs, sim,
};

/// One transition on a fresh organization in which it would succeed, with what it left there.
struct Run {
    result: Result<Vec<Change>, (Error, Way, Vec<Change>)>,
    organization: sim::Organization,
}

const WRITES: [Operation; 4] = [
    Operation::EnableAwsServiceAccess,
    Operation::RegisterDelegatedAdministrator,
    Operation::DeregisterDelegatedAdministrator,
    Operation::DisableAwsServiceAccess,
];

fn changes_of<H: ssm_organizations::Handle>(
    recovered: &Recovered<H>,
    unchanged: impl Fn(&H) -> Vec<Change>,
) -> Vec<Change> {
    match recovered {
        Recovered::Unchanged(handle) => unchanged(handle),
        Recovered::Moved(observed) => observed.changes().to_vec(),
        Recovered::Unknown(handle) => handle.changes().to_vec(),
    }
}

/// Makes the transition that sends this write, after the organization has been arranged.
async fn run(write: Operation, arrange: impl Fn(&sim::Organization)) -> Run {
    macro_rules! transition {
        ($organization:expr, $state:ident, |$handle:ident| $transition:expr) => {{
            let organization = $organization.build();
            let $handle = $state(&organization).await;
            arrange(&organization);
            let result = match $transition.await {
                Ok(handle) => Ok(handle.changes().to_vec()),
                Err(failure) => {
                    let (error, recovered) = failure.into_parts();
                    let changes = changes_of(&recovered, |handle| handle.changes().to_vec());
                    Err((error, way(&recovered), changes))
                }
            };
            Run { result, organization }
        }};
    }
    match write {
        Operation::EnableAwsServiceAccess => {
            transition!(organization(), disabled_in, |handle| handle.enable_trusted_access())
        }
        Operation::RegisterDelegatedAdministrator => {
            transition!(trusting(), trusted_in, |handle| handle.register_delegated_administrator(&alice()))
        }
        Operation::DeregisterDelegatedAdministrator => {
            transition!(delegated(), delegated_in, |handle| handle.deregister(Syncs::Forfeit))
        }
        _ => transition!(trusting(), trusted_in, |handle| handle.disable(Syncs::Forfeit)),
    }
}

/// Whether the organization is as this write would have it.
fn is_done(write: Operation, organization: &sim::Organization) -> bool {
    match write {
        Operation::EnableAwsServiceAccess => organization.is_trusted(&SSM),
        Operation::RegisterDelegatedAdministrator => organization.administrators() == [alice()],
        Operation::DeregisterDelegatedAdministrator => organization.administrators().is_empty(),
        _ => !organization.is_trusted(&SSM),
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_whose_effect_shows_is_a_success_that_may_not_be_ours() {
    for write in WRITES {
        let run = run(write, |organization| organization.fault(write, 1, Fault::LostAfter)).await;
        let changes = run.result.unwrap();
        assert_eq!(changes.iter().map(|change| change.certainty).collect::<Vec<_>>(), [Certainty::Maybe], "{write}");
        assert_eq!(run.organization.count(write), 1, "{write} is sent once");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_whose_effect_does_not_show_is_unknown() {
    for write in WRITES {
        let begun = tokio::time::Instant::now();
        let run = run(write, |organization| organization.fault(write, 1, Fault::LostBefore)).await;
        let (error, way, changes) = run.result.unwrap_err();
        assert_eq!((error.kind(), error.applied(), way), (&ErrorKind::Lost, Applied::Unknown, Way::Unknown), "{write}");
        assert_eq!(error.operation(), Some(write));
        assert_eq!(changes.iter().map(|change| change.certainty).collect::<Vec<_>>(), [Certainty::Maybe], "{write}");
        assert_eq!(run.organization.count(write), 1, "{write} is sent once");
        assert!(begun.elapsed() > Duration::from_secs(45), "it is looked for as long as the user has patience");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_a_read_confirms_leaves_everything_as_it_was() {
    for write in WRITES {
        for (code, kind, retry) in [
            ("AccessDeniedException", ErrorKind::AccessDenied, Retry::Permanent),
            ("TooManyRequestsException", ErrorKind::Throttled, Retry::Temporary),
            ("ConcurrentModificationException", ErrorKind::ConcurrentModification, Retry::Temporary),
            ("ConstraintViolationException", ErrorKind::Refused, Retry::Permanent),
            ("SomethingNewException", ErrorKind::Refused, Retry::Permanent),
        ] {
            let run = run(write, |organization| organization.fault(write, 1, Fault::refused(code))).await;
            assert!(!is_done(write, &run.organization), "{write}, {code}");
            let (error, way, changes) = run.result.unwrap_err();
            assert_eq!((error.kind(), error.applied(), way), (&kind, Applied::No, Way::Unchanged), "{write}, {code}");
            assert_eq!((error.code(), error.retry()), (Some(code), retry), "{write}");
            assert_eq!((error.operation(), error.caller()), (Some(write), Some(management())), "{write}, {code}");
            assert!(changes.is_empty(), "{write}, {code}");
            assert_eq!(run.organization.count(write), 1, "{write}, {code}: nothing here says to try again");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_after_which_nothing_can_be_read_is_unknown() {
    for write in WRITES {
        let run = run(write, |organization| {
            organization.fault(write, 1, Fault::refused("ConstraintViolationException"));
            // The guards of a write that takes away read the administrators once before it.
            let looks = usize::from(organization.administrators() == [alice()] || write.name().starts_with("Disable"));
            organization.fault(
                Operation::ListDelegatedAdministrators,
                looks + 1,
                Fault::refused("AccessDeniedException"),
            );
        })
        .await;
        let (error, way, _) = run.result.unwrap_err();
        assert_eq!((error.code(), way), (Some("ConstraintViolationException"), Way::Unknown), "{write}");
        assert_eq!(*error.kind(), ErrorKind::Refused, "{write}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_did_first_is_a_success_without_a_change_of_ours() {
    for write in WRITES {
        let run = run(write, |organization| {
            organization.before(write, 1, move |organization| match write {
                Operation::EnableAwsServiceAccess => organization.trust(&SSM),
                Operation::RegisterDelegatedAdministrator => organization.delegate(alice()),
                Operation::DeregisterDelegatedAdministrator => organization.undelegate(alice()),
                _ => organization.distrust(&SSM),
            });
            organization.fault(write, 1, Fault::refused("ConstraintViolationException"));
        })
        .await;
        assert_eq!(run.result.unwrap(), [], "{write}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_aws_accepted_and_no_read_shows_is_unknown_and_said_to_be_applied() {
    for write in WRITES {
        let slow = |builder: sim::Builder| builder.lag(Duration::from_mins(10)).build();
        let (organization, result) = match write {
            Operation::EnableAwsServiceAccess => {
                let organization = slow(organization());
                let result = disabled_in(&organization).await.enable_trusted_access().await;
                (organization, result.map(drop).map_err(way_of))
            }
            Operation::RegisterDelegatedAdministrator => {
                let organization = slow(trusting());
                let result = trusted_in(&organization).await.register_delegated_administrator(&alice()).await;
                (organization, result.map(drop).map_err(way_of))
            }
            Operation::DeregisterDelegatedAdministrator => {
                let organization = slow(delegated());
                let result = delegated_in(&organization).await.deregister(Syncs::Forfeit).await;
                (organization, result.map(drop).map_err(way_of))
            }
            _ => {
                let organization = slow(trusting());
                let result = trusted_in(&organization).await.disable(Syncs::Forfeit).await;
                (organization, result.map(drop).map_err(way_of))
            }
        };
        let (error, way, changes) = result.unwrap_err();
        assert_eq!(
            (error.kind(), error.applied(), way),
            (&ErrorKind::NotSettled, Applied::Yes, Way::Unknown),
            "{write}"
        );
        assert_eq!((error.operation(), error.retry()), (Some(write), Retry::Spent));
        assert_eq!(changes.iter().map(|change| change.certainty).collect::<Vec<_>>(), [Certainty::Did], "{write}");
        assert_eq!(organization.count(write), 1, "{write}");
        assert!(is_done(write, &organization), "{write}");
        assert!(!changes[0].shown, "{write}");
    }
}

fn way_of<S: ssm_organizations::state::State, C>(
    failure: ssm_organizations::Failure<Integration<S, C>>,
) -> (Error, Way, Vec<Change>) {
    let (error, recovered) = failure.into_parts();
    let changes = changes_of(&recovered, |handle| handle.changes().to_vec());
    (error, way(&recovered), changes)
}

#[tokio::test(start_paused = true)]
async fn a_change_is_awaited_at_most_once_a_second_and_no_longer_than_wanted() {
    // Ten seconds late: looks after 0, 1, 3, 7 and 15 seconds.
    let organization = organization().lag(Duration::from_secs(10)).build();
    let disabled = disabled_in(&organization).await;
    organization.forget_calls();
    let begun = tokio::time::Instant::now();
    disabled.enable_trusted_access().await.unwrap();
    assert_eq!(begun.elapsed(), Duration::from_secs(15));
    assert_eq!(organization.count(Operation::ListAwsServiceAccessForOrganization), 5);

    let organization = crate::common::organization().lag(Duration::from_secs(10)).build();
    let disabled = disabled_in(&organization).await.settle_within(Duration::from_secs(5));
    let begun = tokio::time::Instant::now();
    let (error, _) = failed(disabled.enable_trusted_access().await);
    assert_eq!(*error.kind(), ErrorKind::NotSettled);
    assert!(begun.elapsed() <= Duration::from_secs(5));

    // The last look is at the very end.
    let organization = crate::common::organization().lag(Duration::from_secs(3)).build();
    let disabled = disabled_in(&organization).await.settle_within(Duration::from_secs(3));
    disabled.enable_trusted_access().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_read_that_fails_for_a_while_is_made_again() {
    let organization = organization().build();
    let disabled = disabled_in(&organization).await;
    let listing = Operation::ListAwsServiceAccessForOrganization;
    organization.fault(listing, 1, Fault::refused("TooManyRequestsException"));
    organization.fault(listing, 2, Fault::LostBefore);
    disabled.enable_trusted_access().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_read_that_is_denied_ends_the_waiting_and_is_the_source() {
    let organization = organization().build();
    let disabled = disabled_in(&organization).await;
    let listing = Operation::ListAwsServiceAccessForOrganization;
    organization.fault(listing, 1, Fault::refused("AccessDeniedException"));
    let begun = tokio::time::Instant::now();
    let (error, recovered) = failed(disabled.enable_trusted_access().await);
    assert_eq!((error.kind(), error.applied(), way(&recovered)), (&ErrorKind::NotSettled, Applied::Yes, Way::Unknown));
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<Error>()).unwrap();
    assert_eq!((source.kind(), source.operation()), (&ErrorKind::AccessDenied, Some(listing)));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_contradicts_our_own_change_is_late_and_tried_again() {
    let late = [
        ("ConstraintViolationException", Some("SERVICE_ACCESS_NOT_ENABLED")),
        ("InvalidInputException", Some("UNRECOGNIZED_SERVICE_PRINCIPAL")),
        ("InvalidInputException", None),
    ];
    for (code, reason) in late {
        let fault = || reason.map_or_else(|| Fault::refused(code), |reason| Fault::refused_for(code, reason));
        let organization = organization().build();
        let trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
        organization.fault(Operation::RegisterDelegatedAdministrator, 1, fault());
        organization.fault(Operation::RegisterDelegatedAdministrator, 2, fault());
        trusted.register_delegated_administrator(&alice()).await.unwrap();
        assert_eq!(organization.count(Operation::RegisterDelegatedAdministrator), 3, "{code} {reason:?}");

        // Whoever did not enable it has nothing that the refusal contradicts.
        let organization = trusting().build();
        let trusted = trusted_in(&organization).await;
        organization.fault(Operation::RegisterDelegatedAdministrator, 1, fault());
        let (error, _) = failed(trusted.register_delegated_administrator(&alice()).await);
        assert_eq!((error.code(), error.reason()), (Some(code), reason));
        assert_eq!(organization.count(Operation::RegisterDelegatedAdministrator), 1, "{code} {reason:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_quota_after_our_own_deregistration_is_late() {
    for reason in
        ["MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED", "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE"]
    {
        let organization = delegated().build();
        let trusted = delegated_in(&organization).await.deregister(Syncs::Forfeit).await.unwrap();
        let refusal = Fault::refused_for("ConstraintViolationException", reason);
        organization.fault(Operation::RegisterDelegatedAdministrator, 1, refusal.clone());
        trusted.register_delegated_administrator(&bob()).await.unwrap();
        assert_eq!(organization.administrators(), [bob()]);

        let organization = delegated().build();
        let trusted = delegated_in(&organization).await.deregister(Syncs::Forfeit).await.unwrap();
        organization.fault(Operation::DisableAwsServiceAccess, 1, refusal);
        trusted.disable(Syncs::Forfeit).await.unwrap();
        assert!(!organization.is_trusted(&SSM));
    }
}

#[tokio::test(start_paused = true)]
async fn a_registration_that_deregistering_does_not_see_yet_is_late() {
    let organization = trusting().build();
    let delegated = trusted_in(&organization).await.register_delegated_administrator(&alice()).await.unwrap();
    organization.fault(Operation::DeregisterDelegatedAdministrator, 1, Fault::refused("AccountNotRegisteredException"));
    delegated.deregister(Syncs::Forfeit).await.unwrap();
    assert_eq!(organization.count(Operation::DeregisterDelegatedAdministrator), 2);
}

#[tokio::test(start_paused = true)]
async fn a_late_refusal_is_not_waited_for_beyond_patience() {
    let organization = organization().build();
    let trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    for nth in 1..100 {
        let refusal = Fault::refused_for("ConstraintViolationException", "SERVICE_ACCESS_NOT_ENABLED");
        organization.fault(Operation::RegisterDelegatedAdministrator, nth, refusal);
    }
    let begun = tokio::time::Instant::now();
    let (error, recovered) = failed(trusted.register_delegated_administrator(&alice()).await);
    assert_eq!((error.reason(), way(&recovered)), (Some("SERVICE_ACCESS_NOT_ENABLED"), Way::Unchanged));
    assert!(begun.elapsed() <= Duration::from_mins(1));
}

#[tokio::test(start_paused = true)]
async fn a_rival_administrator_is_named_and_left_alone() {
    // Between observing and registering.
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.delegate(bob());
    let (error, recovered) = failed(trusted.register_delegated_administrator(&alice()).await);
    assert!(matches!(error.kind(), ErrorKind::OtherAdministrator { holders, .. } if *holders == [bob()]));
    assert_eq!(error.reason(), Some("MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED"), "AWS's words survive");
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    assert_eq!(expect_delegated(observed).administrator().account, bob());

    // Between observing and disabling: noticed before the write.
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.delegate(bob());
    let (error, recovered) = failed(trusted.disable(Syncs::Forfeit).await);
    assert!(matches!(error.kind(), ErrorKind::OtherAdministrator { holders, .. } if *holders == [bob()]));
    assert_eq!((way(&recovered), organization.writes()), (Way::Moved, 0));

    // Between the guard and the disabling: AWS refuses, and the read says why.
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.before(Operation::DisableAwsServiceAccess, 1, |organization| organization.delegate(bob()));
    let (error, recovered) = failed(trusted.disable(Syncs::Forfeit).await);
    assert!(matches!(error.kind(), ErrorKind::OtherAdministrator { holders, .. } if *holders == [bob()]));
    assert_eq!(way(&recovered), Way::Moved);

    // Beside the one to deregister.
    let organization = delegated().build();
    let handle = delegated_in(&organization).await;
    organization.delegate(bob());
    let (error, recovered) = failed(handle.deregister(Syncs::Forfeit).await);
    assert!(matches!(error.kind(), ErrorKind::OtherAdministrator { holders, .. } if *holders == [bob()]));
    assert_eq!(error.account(), Some(alice()));
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    assert_eq!(expect_irregular(observed).administrators().len(), 2);
    assert_eq!(organization.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_rival_who_takes_trusted_access_away_is_noticed() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.distrust(&SSM);
    let (error, recovered) = failed(trusted.register_delegated_administrator(&alice()).await);
    assert_eq!((error.kind(), error.reason()), (&ErrorKind::TrustedAccessOff, Some("SERVICE_ACCESS_NOT_ENABLED")));
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    let _ = expect_disabled(observed);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_cannot_administer_is_refused_before_a_write() {
    let outsider = crate::common::account("999999999999");
    let cases = [(outsider, ErrorKind::NotAMember), (management(), ErrorKind::IsManagementAccount)];
    for (account, kind) in cases {
        let organization = organization().build();
        let (error, recovered) = failed(crate::common::observe(&organization).await.ensure_delegated(&account).await);
        assert_eq!((error.kind(), error.account(), way(&recovered)), (&kind, Some(account), Way::Unchanged));
        assert_eq!(organization.writes(), 0, "trusted access stays off");
    }
    for state in
        [AccountState::Suspended, AccountState::PendingClosure, AccountState::Closed, AccountState::PendingActivation]
    {
        let organization = organization().member_in(alice(), state.clone()).build();
        let (error, recovered) = failed(crate::common::observe(&organization).await.ensure_delegated(&alice()).await);
        assert!(matches!(error.kind(), ErrorKind::NotActive { state: found, .. } if *found == state), "{error}");
        assert_eq!((error.account(), way(&recovered)), (Some(alice()), Way::Unchanged));
        assert_eq!(organization.writes(), 0, "trusted access stays off");
    }
}

#[tokio::test(start_paused = true)]
async fn consolidated_billing_is_refused_after_another_look() {
    let organization = organization().feature_set(FeatureSet::ConsolidatedBilling).build();
    let handle = Integration::new(organization.management_client());
    let (error, recovered) = failed(handle.observe().await);
    assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::NotAllFeatures, Way::Unchanged));
    assert_eq!(error.reason(), Some("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"));
}

#[tokio::test(start_paused = true)]
async fn who_is_outside_or_may_not_read_is_told_which_read_failed() {
    let organization = organization().build();
    let outside = Integration::new(organization.client(crate::common::account("999999999999")));
    let (error, _) = failed(outside.observe().await);
    assert_eq!(
        (error.kind(), error.operation()),
        (&ErrorKind::NotInOrganization, Some(Operation::DescribeOrganization))
    );

    let member = Integration::new(organization.client(alice()));
    let (error, _) = failed(member.observe().await);
    let listing = Operation::ListAwsServiceAccessForOrganization;
    assert_eq!(
        (error.kind(), error.operation(), error.caller()),
        (&ErrorKind::AccessDenied, Some(listing), Some(alice()))
    );

    organization.fault(Operation::ListDelegatedAdministrators, 1, Fault::refused("AccessDeniedException"));
    let (error, recovered) = failed(Integration::new(organization.management_client()).observe().await);
    assert_eq!(error.operation(), Some(Operation::ListDelegatedAdministrators));
    assert_eq!(way(&recovered), Way::Unchanged);
}

#[tokio::test(start_paused = true)]
async fn the_delegated_administrator_may_look_and_not_write() {
    let organization = delegated().build();
    let observed = Integration::new(organization.client(alice())).observe().await.unwrap();
    let (error, recovered) = failed(expect_delegated(observed).deregister(Syncs::Forfeit).await);
    assert!(matches!(error.kind(), ErrorKind::NotManagementAccount { management: id, .. } if *id == management()));
    assert_eq!((error.caller(), way(&recovered), organization.writes()), (Some(alice()), Way::Unchanged, 0));
}

#[tokio::test(start_paused = true)]
async fn a_second_step_that_fails_leaves_the_first_one_done_and_said() {
    let organization = organization().build();
    let observed = crate::common::observe(&organization).await;
    organization.fault(Operation::RegisterDelegatedAdministrator, 1, Fault::refused("AccessDeniedException"));
    let (error, recovered) = failed(observed.ensure_delegated(&alice()).await);
    assert_eq!((error.kind(), error.account()), (&ErrorKind::AccessDenied, Some(alice())));
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    let trusted = crate::common::expect_trusted(observed);
    assert!(matches!(trusted.changes(), [Change { kind: ChangeKind::TrustedAccessEnabled { .. }, .. }]));

    // In the other direction.
    let organization = delegated().build();
    let observed = crate::common::observe(&organization).await;
    organization.fault(Operation::DisableAwsServiceAccess, 1, Fault::refused("AccessDeniedException"));
    let (_, recovered) = failed(observed.ensure_disabled(Syncs::Forfeit).await);
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    let trusted = crate::common::expect_trusted(observed);
    assert!(matches!(trusted.changes(), [Change { kind: ChangeKind::AdministratorDeregistered { .. }, .. }]));

    // Before the first of two administrators.
    let organization = trusting().delegated_to(alice()).delegated_to(bob()).build();
    let irregular = irregular_in(&organization).await;
    organization.fault(Operation::DeregisterDelegatedAdministrator, 1, Fault::refused("AccessDeniedException"));
    let (_, recovered) = failed(irregular.remove_all(Syncs::Forfeit).await);
    assert_eq!(way(&recovered), Way::Unchanged);

    // Between two administrators.
    let organization = trusting().delegated_to(alice()).delegated_to(bob()).build();
    let irregular = irregular_in(&organization).await;
    organization.fault(Operation::DeregisterDelegatedAdministrator, 2, Fault::refused("AccessDeniedException"));
    let (_, recovered) = failed(irregular.remove_all(Syncs::Forfeit).await);
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    assert_eq!(expect_delegated(observed).administrator().account, bob());
}
