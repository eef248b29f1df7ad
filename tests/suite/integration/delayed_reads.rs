//! Stale reads, stale refusals, and concurrent changes that resemble them.
#![cfg(feature = "sim")]

use std::time::{Duration, SystemTime};

use crate::common::{
    MockClient, RecoveredVariant, SSM, alice, bob, delegated, delegated_in, disabled_in, expect_delegated,
    expect_disabled, expect_inconsistent, expect_trusted, failed, inconsistent_in, management, observe, organization,
    organization_sync, region, trusted_in, trusting, way,
};
use mockall::predicate::eq;
use ssm_organizations::error::Confidence;
use ssm_organizations::ports::{
    Account, AccountState, CallerIdentity, DelegatedAdministrator, EnabledService, FeatureSet, Operation, Organization,
    Page,
};
use ssm_organizations::sim::{Fault, ReadDelay};
use ssm_organizations::{
    Certainty, ChangeKind, Error, ErrorKind, Integration, Observed, Recovered, RetryStatus, SyncProtection, WriteStatus,
};

#[expect(clippy::unnecessary_wraps, reason = "AWS may leave a date out")]
fn date(second: u64) -> Option<SystemTime> {
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(second))
}

fn trusted_since(second: u64) -> Page<EnabledService> {
    Page::last(vec![EnabledService::new(SSM, date(second))])
}

fn alice_since(second: u64) -> Page<DelegatedAdministrator> {
    Page::last(vec![DelegatedAdministrator::new(alice(), date(second))])
}

fn untrusted() -> Page<EnabledService> {
    Page::default()
}

fn nobody() -> Page<DelegatedAdministrator> {
    Page::default()
}

/// Returns a client whose listings return these pages in turn, and then repeat the last page.
fn client(services: Vec<Page<EnabledService>>, administrators: Vec<Page<DelegatedAdministrator>>) -> MockClient {
    let mut client = MockClient::new();
    client.expect_describe_organization().returning(|| Ok(Organization::new("o-exampleorgid".parse()?, management())));
    client.expect_get_caller_identity().returning(|| Ok(CallerIdentity::new(management())));
    client.expect_describe_account().returning(|account| Ok(Account::new(account, AccountState::Active)));
    let mut services = services.into_iter();
    let mut shown = Page::default();
    client.expect_list_aws_service_access_for_organization().returning(move |_| {
        shown = services.next().unwrap_or_else(|| shown.clone());
        Ok(shown.clone())
    });
    let mut administrators = administrators.into_iter();
    let mut shown = Page::default();
    client.expect_list_delegated_administrators().with(eq(SSM), eq(None)).returning(move |_, _| {
        shown = administrators.next().unwrap_or_else(|| shown.clone());
        Ok(shown.clone())
    });
    client
}

async fn look(client: MockClient) -> Observed<MockClient> {
    Integration::new(client).observe().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn register_with_lost_response_ignores_stale_list() {
    let old = alice_since(1);
    let mut client = client(vec![trusted_since(1)], vec![alice_since(1), alice_since(1), nobody(), old, nobody()]);
    client.expect_deregister_delegated_administrator().times(1).returning(|_, _| Ok(()));
    client
        .expect_register_delegated_administrator()
        .times(1)
        .returning(|_, _| Err(Error::response_lost(Operation::RegisterDelegatedAdministrator)));
    let trusted = expect_delegated(look(client).await).deregister(SyncProtection::AllowLoss).await.unwrap();
    let (error, recovered) = failed(trusted.register_delegated_administrator(alice()).await);
    assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::ResponseLost, RecoveredVariant::Unknown));
}

#[tokio::test(start_paused = true)]
async fn register_again_reports_new_delegation_date() {
    let old = alice_since(1);
    let mut client =
        client(vec![trusted_since(1)], vec![alice_since(1), alice_since(1), nobody(), old, alice_since(9)]);
    client.expect_deregister_delegated_administrator().times(1).returning(|_, _| Ok(()));
    client.expect_register_delegated_administrator().times(1).returning(|_, _| Ok(()));
    let trusted = expect_delegated(look(client).await).deregister(SyncProtection::AllowLoss).await.unwrap();
    let delegated = trusted.register_delegated_administrator(alice()).await.unwrap();
    assert_eq!(delegated.administrator().delegated_at, date(9));
    assert!(
        matches!(&delegated.changes()[1].kind, ChangeKind::AdministratorRegistered { delegated_at, .. } if *delegated_at == date(9))
    );
}

#[tokio::test(start_paused = true)]
async fn enable_again_reports_new_enabled_date() {
    let old = trusted_since(1);
    let mut client = client(vec![trusted_since(1), untrusted(), old, trusted_since(9)], vec![nobody()]);
    client.expect_disable_aws_service_access().times(1).returning(|_| Ok(()));
    client.expect_enable_aws_service_access().times(1).returning(|_| Ok(()));
    let disabled = expect_trusted(look(client).await).disable(SyncProtection::AllowLoss).await.unwrap();
    let trusted = disabled.enable_trusted_access().await.unwrap();
    assert_eq!(trusted.enabled_at(), date(9));
}

#[tokio::test(start_paused = true)]
async fn deregister_retries_stale_refusal_despite_stale_list() {
    let old = nobody();
    let listings = vec![nobody(), alice_since(5), alice_since(5), old, alice_since(5), alice_since(5), nobody()];
    let mut client = client(vec![trusted_since(1)], listings);
    client.expect_register_delegated_administrator().times(1).returning(|_, _| Ok(()));
    let mut refuse = Some("AccountNotRegisteredException");
    client.expect_deregister_delegated_administrator().times(2).returning(move |_, _| match refuse.take() {
        Some(code) => Err(Error::from_service_error(Operation::DeregisterDelegatedAdministrator, code, "")),
        None => Ok(()),
    });
    let delegated = look(client).await.ensure_delegated(alice()).await.unwrap();
    let trusted = delegated.deregister(SyncProtection::AllowLoss).await.unwrap();
    assert_eq!(trusted.changes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn disable_denied_with_stale_list_fails_unchanged() {
    let old = untrusted();
    let mut client = client(vec![untrusted(), trusted_since(3), old, trusted_since(3)], vec![nobody()]);
    client.expect_enable_aws_service_access().times(1).returning(|_| Ok(()));
    let denied = || Err(Error::from_service_error(Operation::DisableAwsServiceAccess, "AccessDeniedException", ""));
    client.expect_disable_aws_service_access().times(1).returning(move |_| denied());
    let trusted = expect_disabled(look(client).await).enable_trusted_access().await.unwrap();
    let (error, recovered) = failed(trusted.disable(SyncProtection::AllowLoss).await);
    assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::AccessDenied, RecoveredVariant::Unchanged));
}

#[tokio::test(start_paused = true)]
async fn disable_denied_with_zero_wait_timeout_is_unknown() {
    let old = untrusted();
    let mut client = client(vec![untrusted(), trusted_since(3), old, trusted_since(3)], vec![nobody()]);
    client.expect_enable_aws_service_access().times(1).returning(|_| Ok(()));
    let denied = || Err(Error::from_service_error(Operation::DisableAwsServiceAccess, "AccessDeniedException", ""));
    client.expect_disable_aws_service_access().times(1).returning(move |_| denied());
    let observed = Integration::new(client).with_wait_timeout(Duration::ZERO).observe().await.unwrap();
    let trusted = expect_disabled(observed).enable_trusted_access().await.unwrap();
    let (error, recovered) = failed(trusted.disable(SyncProtection::AllowLoss).await);
    assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::AccessDenied, RecoveredVariant::Unknown));
}

#[tokio::test(start_paused = true)]
async fn transition_done_by_others_records_no_change() {
    let organization = organization().build();
    let disabled = disabled_in(&organization).await;
    tokio::time::advance(Duration::from_hours(1)).await;
    organization.enable_trusted_access(&SSM);
    let trusted = disabled.enable_trusted_access().await.unwrap();
    assert_eq!((trusted.changes(), organization.write_count()), (&[][..], 0));

    tokio::time::advance(Duration::from_hours(1)).await;
    organization.disable_trusted_access(&SSM);
    let disabled = trusted.disable(SyncProtection::AllowLoss).await.unwrap();
    assert_eq!((disabled.changes(), organization.write_count()), (&[][..], 0));

    // Without a concurrent change, both changes are recorded.
    tokio::time::advance(Duration::from_hours(1)).await;
    let trusted = disabled.enable_trusted_access().await.unwrap();
    tokio::time::advance(Duration::from_hours(1)).await;
    let disabled = trusted.disable(SyncProtection::AllowLoss).await.unwrap();
    assert_eq!((disabled.changes().len(), organization.write_count()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn register_ignores_stale_entry_of_deregistered_account() {
    let bob_since = |second| Page::last(vec![DelegatedAdministrator::new(bob(), date(second))]);
    // The first listing after the registration is stale and still shows Alice.
    let administrators =
        vec![alice_since(1), alice_since(1), nobody(), alice_since(1), bob_since(9), bob_since(9), bob_since(9)];
    let mut client = client(vec![trusted_since(1)], administrators);
    client.expect_deregister_delegated_administrator().times(1).returning(|_, _| Ok(()));
    let lost = || Err(Error::response_lost(Operation::RegisterDelegatedAdministrator));
    client.expect_register_delegated_administrator().times(1).returning(move |_, _| lost());
    let delegated = expect_delegated(look(client).await);
    let trusted = delegated.deregister(SyncProtection::AllowLoss).await.unwrap();
    let delegated = trusted.register_delegated_administrator(bob()).await.unwrap();
    assert_eq!(delegated.administrator().account, bob());
    assert_eq!(delegated.changes()[1].certainty, Certainty::Unconfirmed);
}

#[tokio::test(start_paused = true)]
async fn disable_with_lost_response_needs_two_confirming_reads() {
    // The handle itself enabled trusted access, so one listing without trusted access may be stale.
    for (shown, way_on) in [
        (vec![untrusted(), trusted_since(3), untrusted(), trusted_since(3)], Some(RecoveredVariant::Unknown)),
        (vec![untrusted(), trusted_since(3), untrusted(), untrusted()], None),
    ] {
        let mut client = client(shown, vec![nobody()]);
        client.expect_enable_aws_service_access().times(1).returning(|_| Ok(()));
        let lost = || Err(Error::response_lost(Operation::DisableAwsServiceAccess));
        client.expect_disable_aws_service_access().times(1).returning(move |_| lost());
        let trusted = expect_disabled(look(client).await).enable_trusted_access().await.unwrap();
        let result = trusted.disable(SyncProtection::AllowLoss).await;
        match way_on {
            Some(expected) => assert_eq!(way(&failed(result).1), expected),
            None => assert_eq!(result.unwrap().changes()[1].certainty, Certainty::Unconfirmed),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn partial_removal_still_detects_stale_reads() {
    let both = || {
        let alice = DelegatedAdministrator::new(alice(), date(1));
        Page::last(vec![alice, DelegatedAdministrator::new(bob(), date(2))])
    };
    let bobs = || Page::last(vec![DelegatedAdministrator::new(bob(), date(2))]);
    let old = both();
    let mut client =
        client(vec![trusted_since(1)], vec![both(), both(), bobs(), bobs(), old, bobs(), bobs(), nobody()]);
    let mut answers = [Ok(()), Err("unsent"), Ok(())].into_iter();
    client.expect_deregister_delegated_administrator().times(3).returning(move |_, _| {
        let operation = Operation::DeregisterDelegatedAdministrator;
        answers.next().unwrap().map_err(|why| Error::not_sent(operation, why))
    });
    let (_, recovered) =
        failed(expect_inconsistent(look(client).await).remove_all_administrators(SyncProtection::AllowLoss).await);
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    expect_delegated(observed).deregister(SyncProtection::AllowLoss).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn ensure_delegated_ignores_stale_list_for_already_delegated() {
    let old = nobody();
    let mut client = client(vec![trusted_since(1)], vec![nobody(), alice_since(5), old, alice_since(5)]);
    client.expect_register_delegated_administrator().times(1).returning(|_, _| Ok(()));
    let delegated = look(client).await.ensure_delegated(alice()).await.unwrap();
    let (error, recovered) = failed(Observed::from(delegated).ensure_delegated(bob()).await);
    assert!(matches!(error.kind(), ErrorKind::AlreadyDelegated { accounts, .. } if *accounts == [alice()]), "{error}");
    assert_eq!(way(&recovered), RecoveredVariant::Unchanged);
}

#[tokio::test(start_paused = true)]
async fn observe_resets_stale_read_detection() {
    // The observation is newer than the handle's own change, so a refusal is confirmed by one read.
    let organization = organization().build();
    let trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    organization.disable_trusted_access(&SSM);
    let disabled = expect_disabled(trusted.into_unobserved().observe().await.unwrap());
    organization.inject_fault(Operation::EnableAwsServiceAccess, 1, Fault::refused("AccessDeniedException"));
    let begun = tokio::time::Instant::now();
    let (_, recovered) = failed(disabled.enable_trusted_access().await);
    assert_eq!((way(&recovered), begun.elapsed()), (RecoveredVariant::Unchanged, Duration::ZERO));

    // A failed transition resets the detection too, because it observes the organization.
    let organization = crate::common::organization().build();
    let trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    organization.disable_trusted_access(&SSM);
    organization.register_administrator(bob());
    let (_, recovered) = failed(trusted.register_delegated_administrator(alice()).await);
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    let begun = tokio::time::Instant::now();
    let (_, recovered) = failed(observed.ensure_delegated(alice()).await);
    assert_eq!((way(&recovered), begun.elapsed()), (RecoveredVariant::Unchanged, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn transition_after_new_registration_fails_without_waiting() {
    for second_look in [false, true] {
        let organization = delegated().build();
        let trusted = delegated_in(&organization).await.deregister(SyncProtection::AllowLoss).await.unwrap();
        organization.register_administrator(bob());
        let begun = tokio::time::Instant::now();
        let (error, recovered) = if second_look {
            organization.deregister_administrator(bob());
            organization.run_before(Operation::DisableAwsServiceAccess, 1, |organization| {
                organization.register_administrator(bob());
            });
            failed(trusted.disable(SyncProtection::AllowLoss).await)
        } else {
            failed(trusted.register_delegated_administrator(alice()).await)
        };
        assert!(
            matches!(error.kind(), ErrorKind::AlreadyDelegated { accounts, .. } if *accounts == [bob()]),
            "{error}"
        );
        assert_eq!(
            (way(&recovered), begun.elapsed(), organization.write_count()),
            (RecoveredVariant::Moved, Duration::ZERO, 2)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn ensure_with_concurrent_identical_run_succeeds() {
    let organization = organization().build();
    let observed = observe(&organization).await;
    organization.run_before(Operation::EnableAwsServiceAccess, 1, |organization| {
        organization.enable_trusted_access(&SSM);
        organization.register_administrator(alice());
    });
    organization.inject_fault(Operation::EnableAwsServiceAccess, 1, Fault::refused("ConcurrentModificationException"));
    let delegated = observed.ensure_delegated(alice()).await.unwrap();
    assert_eq!(delegated.changes(), [], "the other run made the changes");

    // Another caller replaces Bob with Alice between two reads.
    let organization = trusting().delegated_administrator(bob()).build();
    let observed = observe(&organization).await;
    organization.deregister_administrator(bob());
    organization.register_administrator(alice());
    observed.ensure_delegated(alice()).await.unwrap();

    // Another caller disables trusted access.
    let organization = trusting().build();
    let observed = observe(&organization).await;
    organization
        .run_before(Operation::DisableAwsServiceAccess, 1, |organization| organization.disable_trusted_access(&SSM));
    organization.inject_fault(Operation::DisableAwsServiceAccess, 1, Fault::refused("ConcurrentModificationException"));
    assert_eq!(observed.ensure_disabled(SyncProtection::AllowLoss).await.unwrap().changes(), []);
}

#[tokio::test(start_paused = true)]
async fn enable_unsupported_but_already_enabled_succeeds() {
    let organization = organization().build();
    let disabled = disabled_in(&organization).await;
    organization
        .run_before(Operation::EnableAwsServiceAccess, 1, |organization| organization.enable_trusted_access(&SSM));
    organization.inject_fault(Operation::EnableAwsServiceAccess, 1, Fault::refused("UnsupportedAPIEndpointException"));
    assert_eq!(disabled.enable_trusted_access().await.unwrap().changes(), [], "another caller made the change");
}

/// Another caller disables trusted access beside the deregistration, and enables it again before a
/// read shows the deregistration.
#[tokio::test(start_paused = true)]
async fn ensure_disabled_reads_trusted_access_after_late_deregistration() {
    let late = [ReadDelay::Reads(1)];
    let organization = delegated().read_delays_for(Operation::ListDelegatedAdministrators, late).build();
    let observed = observe(&organization).await;
    organization.run_before(Operation::ListAwsServiceAccessForOrganization, 1, |organization| {
        organization.disable_trusted_access(&SSM);
    });
    organization
        .run_before(Operation::ListDelegatedAdministrators, 2, |organization| organization.enable_trusted_access(&SSM));
    let disabled = observed.ensure_disabled(SyncProtection::AllowLoss).await.unwrap();
    assert!(!organization.is_trusted(&SSM));
    assert_eq!(disabled.changes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn disable_succeeds_if_disabled_during_recheck() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.register_administrator(bob());
    organization.run_before(Operation::ListAwsServiceAccessForOrganization, 1, |organization| {
        organization.deregister_administrator(bob());
        organization.disable_trusted_access(&SSM);
    });
    assert_eq!(trusted.disable(SyncProtection::AllowLoss).await.unwrap().changes(), []);
    assert_eq!(organization.write_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn deregister_with_trust_lost_in_recheck_reports_state_changed() {
    let organization = delegated().build();
    let delegated = delegated_in(&organization).await;
    organization.register_administrator(bob());
    organization.run_before(Operation::ListAwsServiceAccessForOrganization, 1, |organization| {
        organization.deregister_administrator(bob());
        organization.disable_trusted_access(&SSM);
    });
    let (error, recovered) = failed(delegated.deregister(SyncProtection::AllowLoss).await);
    assert_eq!(
        (error.kind(), way(&recovered), organization.write_count()),
        (&ErrorKind::StateChanged, RecoveredVariant::Moved, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn deregister_removes_delegation_recreated_during_recheck() {
    let organization = delegated().build();
    let delegated = delegated_in(&organization).await;
    organization.register_administrator(bob());
    organization.run_before(Operation::ListDelegatedAdministrators, 2, |organization| {
        organization.deregister_administrator(bob());
        organization.deregister_administrator(alice());
        organization.register_administrator(alice());
    });
    assert_eq!(delegated.deregister(SyncProtection::AllowLoss).await.unwrap().changes().len(), 1);
    assert_eq!(organization.administrators(), []);
}

#[tokio::test(start_paused = true)]
async fn register_confirms_other_account_with_equal_date() {
    let bobs = || Page::last(vec![DelegatedAdministrator::new(bob(), date(1))]);
    let mut client = client(vec![trusted_since(1)], vec![alice_since(1), alice_since(1), nobody(), bobs()]);
    client.expect_deregister_delegated_administrator().times(1).returning(|_, _| Ok(()));
    client.expect_register_delegated_administrator().times(1).returning(|_, _| Ok(()));
    let trusted = expect_delegated(look(client).await).deregister(SyncProtection::AllowLoss).await.unwrap();
    let delegated = trusted.register_delegated_administrator(bob()).await.unwrap();
    assert_eq!(delegated.administrator().delegated_at, date(1));
}

#[tokio::test(start_paused = true)]
async fn deregister_with_lost_response_waits_despite_second_account() {
    let both = || {
        let alice = DelegatedAdministrator::new(alice(), date(1));
        Page::last(vec![alice, DelegatedAdministrator::new(bob(), date(2))])
    };
    let bobs = || Page::last(vec![DelegatedAdministrator::new(bob(), date(2))]);
    let mut client = client(vec![trusted_since(1)], vec![alice_since(1), alice_since(1), both(), bobs()]);
    let lost = || Err(Error::response_lost(Operation::DeregisterDelegatedAdministrator));
    client.expect_deregister_delegated_administrator().times(1).returning(move |_, _| lost());
    let (_, recovered) = failed(expect_delegated(look(client).await).deregister(SyncProtection::AllowLoss).await);
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    assert_eq!(observed.changes()[0].certainty, Certainty::Unconfirmed);
    assert_eq!(expect_delegated(observed).administrator().account, bob());
}

#[tokio::test(start_paused = true)]
async fn register_with_other_administrator_reports_applied() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.run_before(Operation::ListDelegatedAdministrators, 1, |organization| {
        organization.register_administrator(bob());
    });
    let (error, recovered) = failed(trusted.register_delegated_administrator(alice()).await);
    assert!(matches!(error.kind(), ErrorKind::AlreadyDelegated { accounts, .. } if *accounts == [bob()]), "{error}");
    assert_eq!(error.write_status(), WriteStatus::Applied);
    assert_eq!((error.operation(), error.account()), (Some(Operation::RegisterDelegatedAdministrator), Some(alice())));
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    assert_eq!(expect_inconsistent(observed).changes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn register_lost_and_superseded_reports_changed_state() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.inject_fault(Operation::RegisterDelegatedAdministrator, 1, Fault::RequestLost);
    organization.run_before(Operation::RegisterDelegatedAdministrator, 1, |organization| {
        organization.register_administrator(bob());
    });
    let begun = tokio::time::Instant::now();
    let (error, recovered) = failed(trusted.register_delegated_administrator(alice()).await);
    assert_eq!(
        (error.kind(), error.write_status(), begun.elapsed()),
        (&ErrorKind::ResponseLost, WriteStatus::Unknown, Duration::ZERO)
    );
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    assert_eq!(observed.changes()[0].certainty, Certainty::Unconfirmed);
    assert_eq!(expect_delegated(observed).administrator().account, bob());
}

#[tokio::test(start_paused = true)]
async fn transition_already_applied_waits_for_visibility() {
    let late = Duration::from_secs(2);
    let organization = trusting().read_delay(late).build();
    let trusted = trusted_in(&organization).await;
    organization.register_administrator(alice());
    let delegated = trusted.register_delegated_administrator(alice()).await.unwrap();
    assert_eq!(delegated.changes(), [], "another caller made the change");
    assert_eq!(organization.call_count(Operation::RegisterDelegatedAdministrator), 1);

    let organization = crate::common::delegated().read_delay(late).build();
    let delegated = delegated_in(&organization).await;
    organization.deregister_administrator(alice());
    assert_eq!(delegated.deregister(SyncProtection::AllowLoss).await.unwrap().changes(), []);
    assert_eq!(organization.call_count(Operation::DeregisterDelegatedAdministrator), 1);
}

#[tokio::test(start_paused = true)]
async fn register_refused_until_timeout_is_exhausted() {
    let organization = organization().build();
    let trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    for nth in 1..50 {
        let refusal = Fault::refused_with_reason("ConstraintViolationException", "SERVICE_ACCESS_NOT_ENABLED");
        organization.inject_fault(Operation::RegisterDelegatedAdministrator, nth, refusal);
    }
    let (error, _) = failed(trusted.register_delegated_administrator(alice()).await);
    assert_eq!(error.retry_status(), RetryStatus::Exhausted);
}

#[tokio::test(start_paused = true)]
async fn wait_timeout_of_duration_max_does_not_overflow() {
    let organization = organization().read_delay(Duration::from_hours(100)).build();
    let disabled = disabled_in(&organization).await.with_wait_timeout(Duration::MAX);
    disabled.enable_trusted_access().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn disable_rechecks_syncs_before_every_attempt() {
    let organization = delegated().build();
    let trusted = delegated_in(&organization).await.deregister(SyncProtection::AllowLoss).await.unwrap();
    let client = organization.management_client();
    let regions = [region("eu-central-1")];
    let reason = "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE";
    organization.inject_fault(
        Operation::DisableAwsServiceAccess,
        1,
        Fault::refused_with_reason("ConstraintViolationException", reason),
    );
    // Another caller creates a sync during the wait after the first refusal.
    organization.run_before(Operation::DisableAwsServiceAccess, 1, |organization| {
        organization.add_data_sync(management(), region("eu-central-1"), organization_sync("new"));
    });
    let protect = SyncProtection::Protect { clients: &[&client], regions: &regions };
    let (error, _) = failed(trusted.disable(protect).await);
    assert!(matches!(error.kind(), ErrorKind::DataSyncsExist { .. }), "{error}");
    assert!(organization.is_trusted(&SSM));
}

#[tokio::test(start_paused = true)]
async fn disable_rechecks_syncs_after_stale_administrator_list() {
    let old = || alice_since(1);
    let listings = vec![alice_since(1), alice_since(1), nobody(), old(), old(), old(), nobody()];
    let mut client = client(vec![trusted_since(1), untrusted()], listings);
    client.expect_deregister_delegated_administrator().returning(|_, _| Ok(()));
    client.expect_disable_aws_service_access().never();
    let organization = delegated().build();
    let ssm = organization.management_client();
    let trusted = expect_delegated(look(client).await).deregister(SyncProtection::AllowLoss).await.unwrap();
    let regions = [region("eu-central-1")];
    // Another caller creates a sync while the list of administrators is stale. The last check finds
    // it.
    organization.run_before(Operation::ListResourceDataSync, 4, |organization| {
        organization.add_data_sync(management(), region("eu-central-1"), organization_sync("new"));
    });
    let result = trusted.disable(SyncProtection::Protect { clients: &[&ssm], regions: &regions }).await;
    assert!(matches!(failed(result).0.kind(), ErrorKind::DataSyncsExist { .. }));
}

#[tokio::test(start_paused = true)]
async fn disable_succeeds_if_other_administrator_is_gone_on_reread() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.register_administrator(bob());
    organization.run_before(Operation::ListDelegatedAdministrators, 2, |organization| {
        organization.deregister_administrator(bob());
    });
    trusted.disable(SyncProtection::AllowLoss).await.unwrap();

    // The administrator is found, and the next read is denied, so the state is unknown.
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.register_administrator(bob());
    let listing = Operation::ListAwsServiceAccessForOrganization;
    organization.inject_fault(listing, 1, Fault::refused("AccessDeniedException"));
    let (error, recovered) = failed(trusted.disable(SyncProtection::AllowLoss).await);
    assert_eq!(
        (error.operation(), way(&recovered), organization.write_count()),
        (Some(listing), RecoveredVariant::Unknown, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn deregister_records_date_read_before_the_write() {
    let organization = delegated().build();
    let delegated = delegated_in(&organization).await;
    organization.deregister_administrator(alice());
    organization.register_administrator(alice());
    let now = expect_delegated(observe(&organization).await).administrator().delegated_at;
    let trusted = delegated.deregister(SyncProtection::AllowLoss).await.unwrap();
    assert!(
        matches!(&trusted.changes()[0].kind, ChangeKind::AdministratorDeregistered { delegated_at, .. } if *delegated_at == now)
    );

    // The listing before the write is stale and shows no administrator, so the observed date is
    // recorded.
    let mut client = client(vec![trusted_since(1)], vec![alice_since(5), nobody()]);
    client.expect_deregister_delegated_administrator().times(1).returning(|_, _| Ok(()));
    let trusted = expect_delegated(look(client).await).deregister(SyncProtection::AllowLoss).await.unwrap();
    assert!(
        matches!(&trusted.changes()[0].kind, ChangeKind::AdministratorDeregistered { delegated_at, .. } if *delegated_at == date(5))
    );
}

#[tokio::test(start_paused = true)]
async fn transition_without_all_features_fails_with_confidence() {
    let billing = || {
        let organization = Organization::new("o-exampleorgid".parse().unwrap(), management());
        organization.with_feature_set(Some(FeatureSet::ConsolidatedBilling))
    };
    let mut client = MockClient::new();
    client.expect_describe_organization().times(2).returning(move || Ok(billing()));
    client.expect_get_caller_identity().returning(|| Ok(CallerIdentity::new(management())));
    client.expect_list_aws_service_access_for_organization().returning(|_| Ok(trusted_since(1)));
    client.expect_list_delegated_administrators().returning(|_, _| Ok(nobody()));
    let trusted = expect_trusted(look(client).await);
    let (error, recovered) = failed(trusted.register_delegated_administrator(alice()).await);
    assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::NotAllFeatures, RecoveredVariant::Unchanged));

    // If the feature set is unknown, a read explains AWS's refusal. Without a feature set in that
    // read, only AWS's code explains it.
    let reason = "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE";
    for (shown, evidence) in
        [(billing(), Confidence::Confirmed), (billing().with_feature_set(None), Confidence::Reported)]
    {
        let mut client = MockClient::new();
        let mut shown = [billing().with_feature_set(None), shown].into_iter();
        client.expect_describe_organization().times(2).returning(move || Ok(shown.next().unwrap()));
        client.expect_get_caller_identity().returning(|| Ok(CallerIdentity::new(management())));
        client.expect_list_aws_service_access_for_organization().returning(|_| Ok(untrusted()));
        client.expect_list_delegated_administrators().returning(|_, _| Ok(nobody()));
        client.expect_enable_aws_service_access().times(1).returning(move |_| {
            let error =
                Error::from_service_error(Operation::EnableAwsServiceAccess, "ConstraintViolationException", "");
            Err(error.with_reason(reason))
        });
        let (error, _) = failed(expect_disabled(look(client).await).enable_trusted_access().await);
        assert_eq!(
            (error.kind(), error.reason(), error.confidence()),
            (&ErrorKind::NotAllFeatures, Some(reason), evidence)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn retain_only_rereads_before_not_delegated_error() {
    let organization = organization().delegated_administrator(alice()).build();
    let inconsistent = inconsistent_in(&organization).await;
    let (error, recovered) = failed(inconsistent.retain_only(bob(), SyncProtection::AllowLoss).await);
    assert_eq!(
        (error.kind(), error.account(), way(&recovered)),
        (&ErrorKind::NotDelegatedAdministrator, Some(bob()), RecoveredVariant::Unchanged)
    );

    let inconsistent = inconsistent_in(&organization).await;
    organization.register_administrator(bob());
    let (error, recovered) = failed(inconsistent.retain_only(bob(), SyncProtection::AllowLoss).await);
    assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::StateChanged, RecoveredVariant::Moved));
    assert_eq!(organization.write_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn ensure_delegated_checks_account_before_restoring_trust() {
    let organization =
        organization().member_with_state(alice(), AccountState::Suspended).delegated_administrator(alice()).build();
    let (error, recovered) = failed(observe(&organization).await.ensure_delegated(alice()).await);
    assert!(matches!(error.kind(), ErrorKind::AccountNotActive { .. }), "{error}");
    assert_eq!((way(&recovered), organization.write_count()), (RecoveredVariant::Unchanged, 0));
}

#[tokio::test(start_paused = true)]
async fn observe_merges_administrator_on_two_pages() {
    let mut client = MockClient::new();
    client.expect_describe_organization().returning(|| Ok(Organization::new("o-exampleorgid".parse()?, management())));
    client.expect_get_caller_identity().returning(|| Ok(CallerIdentity::new(management())));
    client.expect_list_aws_service_access_for_organization().returning(|_| Ok(trusted_since(1)));
    client.expect_list_delegated_administrators().times(2).returning(|_, token| {
        let next = if token.is_none() { Some("more".parse()?) } else { None };
        Ok(Page { items: alice_since(1).items, next })
    });
    let _ = expect_delegated(look(client).await);
}

#[tokio::test(start_paused = true)]
async fn list_syncs_merges_sync_on_two_pages() {
    let mut client = client(vec![trusted_since(1)], vec![nobody()]);
    client.expect_list_resource_data_sync().times(2).returning(|_, _, token| {
        let next = if token.is_none() { Some("more".parse()?) } else { None };
        Ok(Page { items: vec![organization_sync("all")], next })
    });
    let observed = Integration::new(&client).observe().await.unwrap();
    let mut trusted = expect_trusted(observed);
    let syncs = trusted.data_syncs(&client).await.unwrap();
    let listed = syncs.list(&[region("eu-central-1")]).await.unwrap().into_result().unwrap();
    assert_eq!(listed[&region("eu-central-1")].len(), 1);
}

#[tokio::test(start_paused = true)]
async fn disable_rereads_list_without_dates() {
    let undated = || Page::last(vec![DelegatedAdministrator::new(alice(), None)]);
    let mut client =
        client(vec![trusted_since(1), untrusted()], vec![undated(), undated(), nobody(), undated(), nobody()]);
    client.expect_deregister_delegated_administrator().times(1).returning(|_, _| Ok(()));
    client.expect_disable_aws_service_access().times(1).returning(|_| Ok(()));
    let Observed::Delegated(delegated) = look(client).await else { panic!("not delegated") };
    let trusted = delegated.deregister(SyncProtection::AllowLoss).await.unwrap();
    trusted.disable(SyncProtection::AllowLoss).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn register_account_of_unknown_state_sends_write() {
    let mut client = MockClient::new();
    client.expect_describe_organization().returning(|| Ok(Organization::new("o-exampleorgid".parse()?, management())));
    client.expect_get_caller_identity().returning(|| Ok(CallerIdentity::new(management())));
    client.expect_list_aws_service_access_for_organization().returning(|_| Ok(trusted_since(1)));
    let mut shown = [nobody(), alice_since(2)].into_iter();
    client.expect_list_delegated_administrators().returning(move |_, _| Ok(shown.next().unwrap()));
    client
        .expect_describe_account()
        .returning(|account| Ok(Account::new(account, AccountState::Active).with_state(None)));
    client.expect_register_delegated_administrator().times(1).returning(|_, _| Ok(()));
    look(client).await.ensure_delegated(alice()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn register_with_denied_describe_account_reports_denial() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.inject_fault(Operation::DescribeAccount, 1, Fault::refused("AccessDeniedException"));
    let (error, _) = failed(trusted.register_delegated_administrator(alice()).await);
    assert_eq!((error.kind(), error.operation()), (&ErrorKind::AccessDenied, Some(Operation::DescribeAccount)));
    assert_eq!((error.account(), error.caller()), (Some(alice()), Some(management())));
}

#[tokio::test(start_paused = true)]
async fn observe_throttled_is_not_blamed_on_feature_set() {
    let organization = organization().feature_set(FeatureSet::ConsolidatedBilling).build();
    organization.inject_fault(
        Operation::ListAwsServiceAccessForOrganization,
        1,
        Fault::refused("TooManyRequestsException"),
    );
    let (error, _) =
        failed(Integration::new(organization.management_client()).with_wait_timeout(Duration::ZERO).observe().await);
    assert_eq!(*error.kind(), ErrorKind::Throttled);
}

#[tokio::test(start_paused = true)]
async fn ensure_delegated_as_member_fails() {
    let mut client = MockClient::new();
    client.expect_describe_organization().returning(|| Ok(Organization::new("o-exampleorgid".parse()?, management())));
    client.expect_get_caller_identity().returning(|| Ok(CallerIdentity::new(bob())));
    client.expect_list_aws_service_access_for_organization().returning(|_| Ok(trusted_since(1)));
    client.expect_list_delegated_administrators().returning(|_, _| Ok(nobody()));
    let (error, _) = failed(look(client).await.ensure_delegated(alice()).await);
    assert!(matches!(error.kind(), ErrorKind::NotManagementAccount { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn restore_denied_ignores_order_of_administrators() {
    let pair = |first, second| {
        Page::last(vec![DelegatedAdministrator::new(first, date(1)), DelegatedAdministrator::new(second, date(2))])
    };
    let mut client = client(vec![untrusted()], vec![pair(alice(), bob()), pair(bob(), alice())]);
    let denied = || Err(Error::from_service_error(Operation::EnableAwsServiceAccess, "AccessDeniedException", ""));
    client.expect_enable_aws_service_access().times(1).returning(move |_| denied());
    let (_, recovered) = failed(expect_inconsistent(look(client).await).restore_trusted_access().await);
    assert_eq!(way(&recovered), RecoveredVariant::Unchanged);
}

#[tokio::test(start_paused = true)]
async fn register_lost_with_other_administrator_is_unknown() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.inject_fault(Operation::RegisterDelegatedAdministrator, 1, Fault::ResponseLost);
    organization.run_before(Operation::ListDelegatedAdministrators, 1, |organization| {
        organization.register_administrator(bob());
    });
    let (error, recovered) = failed(trusted.register_delegated_administrator(alice()).await);
    assert_eq!((error.write_status(), way(&recovered)), (WriteStatus::Unknown, RecoveredVariant::Moved));
}

#[tokio::test(start_paused = true)]
async fn enable_during_concurrent_onboarding_reports_state_changed() {
    let organization = organization().build();
    let disabled = disabled_in(&organization).await;
    organization.run_before(Operation::EnableAwsServiceAccess, 1, |organization| {
        organization.enable_trusted_access(&SSM);
        organization.register_administrator(alice());
    });
    organization.inject_fault(Operation::EnableAwsServiceAccess, 1, Fault::refused("ConcurrentModificationException"));
    let (error, recovered) = failed(disabled.enable_trusted_access().await);
    assert_eq!((error.kind(), error.operation()), (&ErrorKind::StateChanged, Some(Operation::EnableAwsServiceAccess)));
    assert_eq!((error.write_status(), way(&recovered)), (WriteStatus::NotApplied, RecoveredVariant::Moved));
}

#[tokio::test(start_paused = true)]
async fn enable_denied_with_stale_list_fails_unchanged() {
    let old = trusted_since(1);
    let mut client = client(vec![trusted_since(1), untrusted(), old, untrusted()], vec![nobody()]);
    client.expect_disable_aws_service_access().times(1).returning(|_| Ok(()));
    let denied = || Err(Error::from_service_error(Operation::EnableAwsServiceAccess, "AccessDeniedException", ""));
    client.expect_enable_aws_service_access().times(1).returning(move |_| denied());
    let disabled = expect_trusted(look(client).await).disable(SyncProtection::AllowLoss).await.unwrap();
    let (error, recovered) = failed(disabled.enable_trusted_access().await);
    assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::AccessDenied, RecoveredVariant::Unchanged));
}

#[tokio::test(start_paused = true)]
async fn stale_read_detection_uses_last_change_of_account() {
    // Without dates, a delegation that was removed and restored is not considered stale.
    let undated = || Page::last(vec![DelegatedAdministrator::new(alice(), None)]);
    let listings = vec![undated(), undated(), nobody(), undated(), undated()];
    let mut shown = client(vec![trusted_since(1)], listings);
    shown.expect_deregister_delegated_administrator().times(1).returning(|_, _| Ok(()));
    shown.expect_register_delegated_administrator().times(1).returning(|_, _| Ok(()));
    let trusted = expect_delegated(look(shown).await).deregister(SyncProtection::AllowLoss).await.unwrap();
    let delegated = trusted.register_delegated_administrator(alice()).await.unwrap();
    let begun = tokio::time::Instant::now();
    let (_, recovered) = failed(Observed::from(delegated).ensure_delegated(bob()).await);
    assert_eq!((way(&recovered), begun.elapsed()), (RecoveredVariant::Unchanged, Duration::ZERO));

    // A listing that shows the deregistered administrator is stale, whatever happened to the second
    // one.
    let bobs = || Page::last(vec![DelegatedAdministrator::new(bob(), date(2))]);
    let old = || {
        let alice = DelegatedAdministrator::new(alice(), date(1));
        Page::last(vec![alice, DelegatedAdministrator::new(bob(), date(2))])
    };
    let listings = vec![alice_since(1), alice_since(1), nobody(), bobs(), old(), bobs()];
    let mut shown = client(vec![trusted_since(1)], listings);
    shown.expect_deregister_delegated_administrator().times(1).returning(|_, _| Ok(()));
    shown.expect_register_delegated_administrator().times(1).returning(|_, _| Ok(()));
    let trusted = expect_delegated(look(shown).await).deregister(SyncProtection::AllowLoss).await.unwrap();
    let delegated = trusted.register_delegated_administrator(bob()).await.unwrap();
    let (error, recovered) = failed(Observed::from(delegated).ensure_delegated(alice()).await);
    assert!(matches!(error.kind(), ErrorKind::AlreadyDelegated { accounts, .. } if *accounts == [bob()]), "{error}");
    assert_eq!(way(&recovered), RecoveredVariant::Unchanged);
}

#[tokio::test(start_paused = true)]
async fn ensure_delegated_fails_if_other_account_is_registered() {
    let organization = trusting().build();
    let observed = observe(&organization).await;
    organization.register_administrator(bob());
    let (_, recovered) = failed(observed.ensure_delegated(alice()).await);
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    assert_eq!(expect_delegated(observed).administrator().account, bob());

    // The other account is also reported if it registers while trusted access is restored.
    let organization = crate::common::organization().delegated_administrator(alice()).build();
    let observed = observe(&organization).await;
    organization.run_before(Operation::EnableAwsServiceAccess, 1, |organization| {
        organization.enable_trusted_access(&SSM);
        organization.deregister_administrator(alice());
        organization.register_administrator(bob());
    });
    organization.inject_fault(Operation::EnableAwsServiceAccess, 1, Fault::refused("ConcurrentModificationException"));
    let (_, recovered) = failed(observed.ensure_delegated(alice()).await);
    let Recovered::Changed(observed) = recovered else { panic!("{recovered:?}") };
    assert_eq!(expect_delegated(observed).administrator().account, bob());
}

#[tokio::test(start_paused = true)]
async fn disable_with_alternating_administrators_stops_at_timeout() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    for nth in 0..50 {
        organization.run_before(Operation::ListDelegatedAdministrators, 2 * nth + 1, |organization| {
            organization.register_administrator(bob());
        });
        organization.run_before(Operation::ListDelegatedAdministrators, 2 * nth + 2, |organization| {
            organization.deregister_administrator(bob());
        });
    }
    let begun = tokio::time::Instant::now();
    let (error, recovered) = failed(trusted.disable(SyncProtection::AllowLoss).await);
    assert_eq!(
        (error.kind(), error.retry_status(), way(&recovered)),
        (&ErrorKind::StateChanged, RetryStatus::Exhausted, RecoveredVariant::Unchanged)
    );
    assert!(begun.elapsed() <= Duration::from_mins(1));
    assert_eq!(organization.write_count(), 0);
}
