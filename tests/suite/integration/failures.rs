//! Failed transitions: the error, the recovered handle, and the state of the organization.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{
    RecoveredVariant, SSM, alice, bob, delegated, delegated_in, disabled_in, expect_delegated, expect_disabled,
    expect_inconsistent, failed, inconsistent_in, management, organization, trusted_in, trusting, way,
};
use ssm_organizations::ports::{AccountState, FeatureSet, Operation};
use ssm_organizations::sim::Fault;
use ssm_organizations::{
    Certainty, Change, ChangeKind, Error, ErrorKind, Integration, Recovered, RetryStatus, SyncProtection, WriteStatus,
    sim,
};

/// Result of one transition on a new organization in which it would succeed without the arranged
/// fault.
struct Run {
    result: Result<Vec<Change>, (Error, RecoveredVariant, Vec<Change>)>,
    organization: sim::SimOrganization,
}

const WRITES: [Operation; 4] = [
    Operation::EnableAwsServiceAccess,
    Operation::RegisterDelegatedAdministrator,
    Operation::DeregisterDelegatedAdministrator,
    Operation::DisableAwsServiceAccess,
];

fn changes_of<H: ssm_organizations::integration::Handle>(
    recovered: &Recovered<H>,
    unchanged: impl Fn(&H) -> Vec<Change>,
) -> Vec<Change> {
    match recovered {
        Recovered::Unchanged(handle) => unchanged(handle),
        Recovered::Changed(observed) => observed.changes().to_vec(),
        Recovered::Unknown(handle) => handle.changes().to_vec(),
    }
}

/// Runs the transition that sends this write, after `arrange` has changed the organization.
async fn run(write: Operation, arrange: impl Fn(&sim::SimOrganization)) -> Run {
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
            transition!(trusting(), trusted_in, |handle| handle.register_delegated_administrator(alice()))
        }
        Operation::DeregisterDelegatedAdministrator => {
            transition!(delegated(), delegated_in, |handle| handle.deregister(SyncProtection::AllowLoss))
        }
        _ => transition!(trusting(), trusted_in, |handle| handle.disable(SyncProtection::AllowLoss)),
    }
}

/// Returns whether the organization shows the effect of this write.
fn is_done(write: Operation, organization: &sim::SimOrganization) -> bool {
    match write {
        Operation::EnableAwsServiceAccess => organization.is_trusted(&SSM),
        Operation::RegisterDelegatedAdministrator => organization.administrators() == [alice()],
        Operation::DeregisterDelegatedAdministrator => organization.administrators().is_empty(),
        _ => !organization.is_trusted(&SSM),
    }
}

#[tokio::test(start_paused = true)]
async fn write_with_lost_response_and_visible_effect_is_unconfirmed() {
    for write in WRITES {
        let run = run(write, |organization| organization.inject_fault(write, 1, Fault::ResponseLost)).await;
        let changes = run.result.unwrap();
        assert_eq!(
            changes.iter().map(|change| change.certainty).collect::<Vec<_>>(),
            [Certainty::Unconfirmed],
            "{write}"
        );
        assert_eq!(run.organization.call_count(write), 1, "{write} is sent once");
    }
}

#[tokio::test(start_paused = true)]
async fn write_with_lost_response_and_no_effect_is_unknown() {
    for write in WRITES {
        let begun = tokio::time::Instant::now();
        let run = run(write, |organization| organization.inject_fault(write, 1, Fault::RequestLost)).await;
        let (error, way, changes) = run.result.unwrap_err();
        assert_eq!(
            (error.kind(), error.write_status(), way),
            (&ErrorKind::ResponseLost, WriteStatus::Unknown, RecoveredVariant::Unknown),
            "{write}"
        );
        assert_eq!(error.operation(), Some(write));
        assert_eq!(
            changes.iter().map(|change| change.certainty).collect::<Vec<_>>(),
            [Certainty::Unconfirmed],
            "{write}"
        );
        assert_eq!(run.organization.call_count(write), 1, "{write} is sent once");
        assert!(begun.elapsed() > Duration::from_secs(45), "reads continue until the wait timeout");
    }
}

#[tokio::test(start_paused = true)]
async fn write_refused_leaves_state_unchanged() {
    for write in WRITES {
        for (code, kind, retry) in [
            ("AccessDeniedException", ErrorKind::AccessDenied, RetryStatus::Permanent),
            ("FinalizingOrganizationException", ErrorKind::OrganizationFinalizing, RetryStatus::Temporary),
            ("ConstraintViolationException", ErrorKind::ServiceError, RetryStatus::Permanent),
            ("SomethingNewException", ErrorKind::ServiceError, RetryStatus::Permanent),
        ] {
            let run = run(write, |organization| organization.inject_fault(write, 1, Fault::refused(code))).await;
            assert!(!is_done(write, &run.organization), "{write}, {code}");
            let (error, way, changes) = run.result.unwrap_err();
            assert_eq!(
                (error.kind(), error.write_status(), way),
                (&kind, WriteStatus::NotApplied, RecoveredVariant::Unchanged),
                "{write}, {code}"
            );
            assert_eq!((error.code(), error.retry_status()), (Some(code), retry), "{write}");
            assert_eq!((error.operation(), error.caller()), (Some(write), Some(management())), "{write}, {code}");
            assert!(changes.is_empty(), "{write}, {code}");
            assert_eq!(run.organization.call_count(write), 1, "{write}, {code}: the refusal is not retried");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn write_refused_with_failed_read_is_unknown() {
    for write in WRITES {
        let run = run(write, |organization| {
            organization.inject_fault(write, 1, Fault::refused("ConstraintViolationException"));
            // The guards of a removal read the administrators once before the write.
            let looks = usize::from(organization.administrators() == [alice()] || write.name().starts_with("Disable"));
            organization.inject_fault(
                Operation::ListDelegatedAdministrators,
                looks + 1,
                Fault::refused("AccessDeniedException"),
            );
        })
        .await;
        let (error, way, _) = run.result.unwrap_err();
        assert_eq!((error.code(), way), (Some("ConstraintViolationException"), RecoveredVariant::Unknown), "{write}");
        assert_eq!(*error.kind(), ErrorKind::ServiceError, "{write}");
    }
}

#[tokio::test(start_paused = true)]
async fn write_already_done_by_others_records_no_change() {
    for write in WRITES {
        let run = run(write, |organization| {
            organization.run_before(write, 1, move |organization| match write {
                Operation::EnableAwsServiceAccess => organization.enable_trusted_access(&SSM),
                Operation::RegisterDelegatedAdministrator => organization.register_administrator(alice()),
                Operation::DeregisterDelegatedAdministrator => organization.deregister_administrator(alice()),
                _ => organization.disable_trusted_access(&SSM),
            });
            organization.inject_fault(write, 1, Fault::refused("ConstraintViolationException"));
        })
        .await;
        assert_eq!(run.result.unwrap(), [], "{write}");
    }
}

#[tokio::test(start_paused = true)]
async fn write_accepted_but_never_visible_times_out_as_applied() {
    for write in WRITES {
        let slow = |builder: sim::SimOrganizationBuilder| builder.read_delay(Duration::from_mins(10)).build();
        let (organization, result) = match write {
            Operation::EnableAwsServiceAccess => {
                let organization = slow(organization());
                let result = disabled_in(&organization).await.enable_trusted_access().await;
                (organization, result.map(drop).map_err(way_of))
            }
            Operation::RegisterDelegatedAdministrator => {
                let organization = slow(trusting());
                let result = trusted_in(&organization).await.register_delegated_administrator(alice()).await;
                (organization, result.map(drop).map_err(way_of))
            }
            Operation::DeregisterDelegatedAdministrator => {
                let organization = slow(delegated());
                let result = delegated_in(&organization).await.deregister(SyncProtection::AllowLoss).await;
                (organization, result.map(drop).map_err(way_of))
            }
            _ => {
                let organization = slow(trusting());
                let result = trusted_in(&organization).await.disable(SyncProtection::AllowLoss).await;
                (organization, result.map(drop).map_err(way_of))
            }
        };
        let (error, way, changes) = result.unwrap_err();
        assert_eq!(
            (error.kind(), error.write_status(), way),
            (&ErrorKind::WaitTimeout, WriteStatus::Applied, RecoveredVariant::Unknown),
            "{write}"
        );
        assert_eq!((error.operation(), error.retry_status()), (Some(write), RetryStatus::Exhausted));
        assert_eq!(
            changes.iter().map(|change| change.certainty).collect::<Vec<_>>(),
            [Certainty::Confirmed],
            "{write}"
        );
        assert_eq!(organization.call_count(write), 1, "{write}");
        assert!(is_done(write, &organization), "{write}");
        assert!(!changes[0].observed, "{write}");
    }
}

fn way_of<S: ssm_organizations::state::State, C>(
    failure: ssm_organizations::TransitionError<Integration<S, C>>,
) -> (Error, RecoveredVariant, Vec<Change>) {
    let (error, recovered) = failure.into_parts();
    let changes = changes_of(&recovered, |handle| handle.changes().to_vec());
    (error, way(&recovered), changes)
}

#[tokio::test(start_paused = true)]
async fn write_confirmation_backs_off_until_wait_timeout() {
    // Reads are delayed by ten seconds, and follow after 0, 1, 3, 7 and 15 seconds.
    let organization = organization().read_delay(Duration::from_secs(10)).build();
    let disabled = disabled_in(&organization).await;
    organization.clear_calls();
    let begun = tokio::time::Instant::now();
    disabled.enable_trusted_access().await.unwrap();
    assert_eq!(begun.elapsed(), Duration::from_secs(15));
    assert_eq!(organization.call_count(Operation::ListAwsServiceAccessForOrganization), 5);

    let organization = crate::common::organization().read_delay(Duration::from_secs(10)).build();
    let disabled = disabled_in(&organization).await.with_wait_timeout(Duration::from_secs(5));
    let begun = tokio::time::Instant::now();
    let (error, _) = failed(disabled.enable_trusted_access().await);
    assert_eq!(*error.kind(), ErrorKind::WaitTimeout);
    assert!(begun.elapsed() <= Duration::from_secs(5));

    // The last read is at the wait timeout.
    let organization = crate::common::organization().read_delay(Duration::from_secs(3)).build();
    let disabled = disabled_in(&organization).await.with_wait_timeout(Duration::from_secs(3));
    disabled.enable_trusted_access().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn write_confirmation_retries_temporary_read_failures() {
    let organization = organization().build();
    let disabled = disabled_in(&organization).await;
    let listing = Operation::ListAwsServiceAccessForOrganization;
    organization.inject_fault(listing, 1, Fault::refused("TooManyRequestsException"));
    organization.inject_fault(listing, 2, Fault::RequestLost);
    disabled.enable_trusted_access().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn write_confirmation_stops_at_denied_read() {
    let organization = organization().build();
    let disabled = disabled_in(&organization).await;
    let listing = Operation::ListAwsServiceAccessForOrganization;
    organization.inject_fault(listing, 1, Fault::refused("AccessDeniedException"));
    let begun = tokio::time::Instant::now();
    let (error, recovered) = failed(disabled.enable_trusted_access().await);
    assert_eq!(
        (error.kind(), error.write_status(), way(&recovered)),
        (&ErrorKind::WaitTimeout, WriteStatus::Applied, RecoveredVariant::Unknown)
    );
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<Error>()).unwrap();
    assert_eq!((source.kind(), source.operation()), (&ErrorKind::AccessDenied, Some(listing)));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn register_retries_refusal_contradicting_own_change() {
    let late = [
        ("ConstraintViolationException", Some("SERVICE_ACCESS_NOT_ENABLED")),
        ("InvalidInputException", Some("UNRECOGNIZED_SERVICE_PRINCIPAL")),
        ("InvalidInputException", None),
    ];
    for (code, reason) in late {
        let fault = || reason.map_or_else(|| Fault::refused(code), |reason| Fault::refused_with_reason(code, reason));
        let organization = organization().build();
        let trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
        organization.inject_fault(Operation::RegisterDelegatedAdministrator, 1, fault());
        organization.inject_fault(Operation::RegisterDelegatedAdministrator, 2, fault());
        trusted.register_delegated_administrator(alice()).await.unwrap();
        assert_eq!(organization.call_count(Operation::RegisterDelegatedAdministrator), 3, "{code} {reason:?}");

        // A handle that did not enable trusted access does not retry the refusal.
        let organization = trusting().build();
        let trusted = trusted_in(&organization).await;
        organization.inject_fault(Operation::RegisterDelegatedAdministrator, 1, fault());
        let (error, _) = failed(trusted.register_delegated_administrator(alice()).await);
        assert_eq!((error.code(), error.reason()), (Some(code), reason));
        assert_eq!(organization.call_count(Operation::RegisterDelegatedAdministrator), 1, "{code} {reason:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn write_retries_quota_refusal_after_own_deregistration() {
    for reason in
        ["MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED", "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE"]
    {
        let organization = delegated().build();
        let trusted = delegated_in(&organization).await.deregister(SyncProtection::AllowLoss).await.unwrap();
        let refusal = Fault::refused_with_reason("ConstraintViolationException", reason);
        organization.inject_fault(Operation::RegisterDelegatedAdministrator, 1, refusal.clone());
        trusted.register_delegated_administrator(bob()).await.unwrap();
        assert_eq!(organization.administrators(), [bob()]);

        let organization = delegated().build();
        let trusted = delegated_in(&organization).await.deregister(SyncProtection::AllowLoss).await.unwrap();
        organization.inject_fault(Operation::DisableAwsServiceAccess, 1, refusal);
        trusted.disable(SyncProtection::AllowLoss).await.unwrap();
        assert!(!organization.is_trusted(&SSM));
    }
}

#[tokio::test(start_paused = true)]
async fn deregister_retries_not_registered_after_own_registration() {
    let organization = trusting().build();
    let delegated = trusted_in(&organization).await.register_delegated_administrator(alice()).await.unwrap();
    organization.inject_fault(
        Operation::DeregisterDelegatedAdministrator,
        1,
        Fault::refused("AccountNotRegisteredException"),
    );
    delegated.deregister(SyncProtection::AllowLoss).await.unwrap();
    assert_eq!(organization.call_count(Operation::DeregisterDelegatedAdministrator), 2);
}

#[tokio::test(start_paused = true)]
async fn register_stops_retrying_stale_refusal_at_wait_timeout() {
    let organization = organization().build();
    let trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    for nth in 1..100 {
        let refusal = Fault::refused_with_reason("ConstraintViolationException", "SERVICE_ACCESS_NOT_ENABLED");
        organization.inject_fault(Operation::RegisterDelegatedAdministrator, nth, refusal);
    }
    let begun = tokio::time::Instant::now();
    let (error, recovered) = failed(trusted.register_delegated_administrator(alice()).await);
    assert_eq!((error.reason(), way(&recovered)), (Some("SERVICE_ACCESS_NOT_ENABLED"), RecoveredVariant::Unchanged));
    assert!(begun.elapsed() <= Duration::from_mins(1));
}

#[tokio::test(start_paused = true)]
async fn transition_with_other_administrator_reports_it_unchanged() {
    // Bob is registered between the observation and the registration of Alice.
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.register_administrator(bob());
    let (error, recovered) = failed(trusted.register_delegated_administrator(alice()).await);
    assert!(matches!(error.kind(), ErrorKind::AlreadyDelegated { accounts, .. } if *accounts == [bob()]));
    assert_eq!(error.reason(), Some("MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED"), "AWS's reason is kept");
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    assert_eq!(expect_delegated(observed).administrator().account, bob());

    // Bob is registered between the observation and the disabling. The guard detects it before the
    // write.
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.register_administrator(bob());
    let (error, recovered) = failed(trusted.disable(SyncProtection::AllowLoss).await);
    assert!(matches!(error.kind(), ErrorKind::AlreadyDelegated { accounts, .. } if *accounts == [bob()]));
    assert_eq!((way(&recovered), organization.write_count()), (RecoveredVariant::Moved, 0));

    // Bob is registered between the guard and the disabling. AWS refuses, and a read explains the
    // refusal.
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization
        .run_before(Operation::DisableAwsServiceAccess, 1, |organization| organization.register_administrator(bob()));
    let (error, recovered) = failed(trusted.disable(SyncProtection::AllowLoss).await);
    assert!(matches!(error.kind(), ErrorKind::AlreadyDelegated { accounts, .. } if *accounts == [bob()]));
    assert_eq!(way(&recovered), RecoveredVariant::Moved);

    // Bob is registered in addition to Alice.
    let organization = delegated().build();
    let handle = delegated_in(&organization).await;
    organization.register_administrator(bob());
    let (error, recovered) = failed(handle.deregister(SyncProtection::AllowLoss).await);
    assert!(matches!(error.kind(), ErrorKind::AlreadyDelegated { accounts, .. } if *accounts == [bob()]));
    assert_eq!(error.account(), Some(alice()));
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    assert_eq!(expect_inconsistent(observed).administrators().len(), 2);
    assert_eq!(organization.write_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn register_fails_if_trusted_access_was_disabled() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.disable_trusted_access(&SSM);
    let (error, recovered) = failed(trusted.register_delegated_administrator(alice()).await);
    assert_eq!((error.kind(), error.reason()), (&ErrorKind::TrustedAccessDisabled, Some("SERVICE_ACCESS_NOT_ENABLED")));
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    let _ = expect_disabled(observed);
}

#[tokio::test(start_paused = true)]
async fn ensure_delegated_rejects_ineligible_account_before_write() {
    let outsider = crate::common::account("999999999999");
    let cases = [(outsider, ErrorKind::AccountNotFound), (management(), ErrorKind::IsManagementAccount)];
    for (account, kind) in cases {
        let organization = organization().build();
        let (error, recovered) = failed(crate::common::observe(&organization).await.ensure_delegated(account).await);
        assert_eq!(
            (error.kind(), error.account(), way(&recovered)),
            (&kind, Some(account), RecoveredVariant::Unchanged)
        );
        assert_eq!(organization.write_count(), 0, "trusted access stays disabled");
    }
    for state in
        [AccountState::Suspended, AccountState::PendingClosure, AccountState::Closed, AccountState::PendingActivation]
    {
        let organization = organization().member_with_state(alice(), state.clone()).build();
        let (error, recovered) = failed(crate::common::observe(&organization).await.ensure_delegated(alice()).await);
        assert!(matches!(error.kind(), ErrorKind::AccountNotActive { state: found, .. } if *found == state), "{error}");
        assert_eq!((error.account(), way(&recovered)), (Some(alice()), RecoveredVariant::Unchanged));
        assert_eq!(organization.write_count(), 0, "trusted access stays disabled");
    }
}

#[tokio::test(start_paused = true)]
async fn observe_with_consolidated_billing_reports_not_all_features() {
    let organization = organization().feature_set(FeatureSet::ConsolidatedBilling).build();
    let handle = Integration::new(organization.management_client());
    let (error, recovered) = failed(handle.observe().await);
    assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::NotAllFeatures, RecoveredVariant::Unchanged));
    assert_eq!(error.reason(), Some("ORGANIZATION_NOT_IN_ALL_FEATURES_MODE"));
}

#[tokio::test(start_paused = true)]
async fn observe_without_access_names_failed_read() {
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

    organization.inject_fault(Operation::ListDelegatedAdministrators, 1, Fault::refused("AccessDeniedException"));
    let (error, recovered) = failed(Integration::new(organization.management_client()).observe().await);
    assert_eq!(error.operation(), Some(Operation::ListDelegatedAdministrators));
    assert_eq!(way(&recovered), RecoveredVariant::Unchanged);
}

#[tokio::test(start_paused = true)]
async fn delegated_administrator_can_observe_but_not_write() {
    let organization = delegated().build();
    let observed = Integration::new(organization.client(alice())).observe().await.unwrap();
    let (error, recovered) = failed(expect_delegated(observed).deregister(SyncProtection::AllowLoss).await);
    assert!(matches!(error.kind(), ErrorKind::NotManagementAccount { management: id, .. } if *id == management()));
    assert_eq!(
        (error.caller(), way(&recovered), organization.write_count()),
        (Some(alice()), RecoveredVariant::Unchanged, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn ensure_with_failed_second_step_reports_first_change() {
    let organization = organization().build();
    let observed = crate::common::observe(&organization).await;
    organization.inject_fault(Operation::RegisterDelegatedAdministrator, 1, Fault::refused("AccessDeniedException"));
    let (error, recovered) = failed(observed.ensure_delegated(alice()).await);
    assert_eq!((error.kind(), error.account()), (&ErrorKind::AccessDenied, Some(alice())));
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    let trusted = crate::common::expect_trusted(observed);
    assert!(matches!(trusted.changes(), [Change { kind: ChangeKind::TrustedAccessEnabled { .. }, .. }]));

    // The disabling is refused after the deregistration.
    let organization = delegated().build();
    let observed = crate::common::observe(&organization).await;
    organization.inject_fault(Operation::DisableAwsServiceAccess, 1, Fault::refused("AccessDeniedException"));
    let (_, recovered) = failed(observed.ensure_disabled(SyncProtection::AllowLoss).await);
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    let trusted = crate::common::expect_trusted(observed);
    assert!(matches!(trusted.changes(), [Change { kind: ChangeKind::AdministratorDeregistered { .. }, .. }]));

    // The deregistration of the first administrator is refused.
    let organization = trusting().delegated_administrator(alice()).delegated_administrator(bob()).build();
    let inconsistent = inconsistent_in(&organization).await;
    organization.inject_fault(Operation::DeregisterDelegatedAdministrator, 1, Fault::refused("AccessDeniedException"));
    let (_, recovered) = failed(inconsistent.remove_all_administrators(SyncProtection::AllowLoss).await);
    assert_eq!(way(&recovered), RecoveredVariant::Unchanged);

    // The deregistration of the second administrator is refused.
    let organization = trusting().delegated_administrator(alice()).delegated_administrator(bob()).build();
    let inconsistent = inconsistent_in(&organization).await;
    organization.inject_fault(Operation::DeregisterDelegatedAdministrator, 2, Fault::refused("AccessDeniedException"));
    let (_, recovered) = failed(inconsistent.remove_all_administrators(SyncProtection::AllowLoss).await);
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    assert_eq!(expect_delegated(observed).administrator().account, bob());
}
