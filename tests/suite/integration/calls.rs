//! Calls of each transition, their order and their number, on a mock that rejects all other calls.
#![cfg(feature = "sim")]

use std::time::{Duration, SystemTime};

use crate::common::{MockClient, RecoveredVariant, SSM, alice, bob, failed, management, way};
use mockall::Sequence;
use mockall::predicate::eq;
use ssm_organizations::domain::PageToken;
use ssm_organizations::ports::{
    Account, AccountState, CallerIdentity, DelegatedAdministrator, EnabledService, FeatureSet, Operation, Organization,
    Page,
};
use ssm_organizations::state::TrustedAccess;
use ssm_organizations::{Certainty, Error, ErrorKind, Integration, Observed, SyncProtection, WriteStatus};

fn the_organization() -> Organization {
    Organization::new("o-exampleorgid".parse().unwrap(), management())
}

fn trusted() -> Page<EnabledService> {
    Page::last(vec![EnabledService::new(SSM, None)])
}

fn administered() -> Page<DelegatedAdministrator> {
    administered_since(1)
}

fn administered_since(second: u64) -> Page<DelegatedAdministrator> {
    let since = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
    Page::last(vec![DelegatedAdministrator::new(alice(), Some(since))])
}

/// Expects the four reads of an observation that shows these facts, in any order.
fn expect_observation(
    client: &mut MockClient,
    services: Page<EnabledService>,
    administrators: Page<DelegatedAdministrator>,
) {
    client.expect_describe_organization().times(1).returning(|| Ok(the_organization()));
    client.expect_get_caller_identity().times(1).returning(|| Ok(CallerIdentity::new(management())));
    client.expect_list_aws_service_access_for_organization().with(eq(None)).times(1).return_once(move |_| Ok(services));
    client
        .expect_list_delegated_administrators()
        .with(eq(SSM), eq(None))
        .times(1)
        .return_once(move |_, _| Ok(administrators));
}

/// Expects the next calls in this order.
struct ExpectedCalls<'a> {
    client: &'a mut MockClient,
    order: Sequence,
}

impl<'a> ExpectedCalls<'a> {
    fn on(client: &'a mut MockClient) -> Self {
        Self { client, order: Sequence::new() }
    }

    fn enable(mut self, answer: Result<(), Error>) -> Self {
        let call = self.client.expect_enable_aws_service_access().with(eq(SSM)).times(1);
        call.in_sequence(&mut self.order).return_once(move |_| answer);
        self
    }

    fn disable(mut self, answer: Result<(), Error>) -> Self {
        let call = self.client.expect_disable_aws_service_access().with(eq(SSM)).times(1);
        call.in_sequence(&mut self.order).return_once(move |_| answer);
        self
    }

    fn register(mut self, answer: Result<(), Error>) -> Self {
        let call = self.client.expect_register_delegated_administrator().with(eq(alice()), eq(SSM)).times(1);
        call.in_sequence(&mut self.order).return_once(move |_, _| answer);
        self
    }

    fn deregister(mut self, answer: Result<(), Error>) -> Self {
        let call = self.client.expect_deregister_delegated_administrator().with(eq(alice()), eq(SSM)).times(1);
        call.in_sequence(&mut self.order).return_once(move |_, _| answer);
        self
    }

    fn look_at_account(mut self) -> Self {
        let call = self.client.expect_describe_account().with(eq(alice())).times(1);
        call.in_sequence(&mut self.order).return_once(|_| Ok(Account::new(alice(), AccountState::Active)));
        self
    }

    fn list_services(mut self, answer: Page<EnabledService>) -> Self {
        let call = self.client.expect_list_aws_service_access_for_organization().with(eq(None)).times(1);
        call.in_sequence(&mut self.order).return_once(move |_| Ok(answer));
        self
    }

    fn list_administrators(mut self, answer: Page<DelegatedAdministrator>) -> Self {
        let call = self.client.expect_list_delegated_administrators().with(eq(SSM), eq(None)).times(1);
        call.in_sequence(&mut self.order).return_once(move |_, _| Ok(answer));
        self
    }
}

async fn observe(client: MockClient) -> Observed<MockClient> {
    Integration::new(client).observe().await.unwrap()
}

#[tokio::test]
async fn enable_trusted_access_writes_once_and_reads_once() {
    let mut client = MockClient::new();
    expect_observation(&mut client, Page::default(), Page::default());
    ExpectedCalls::on(&mut client).enable(Ok(())).list_services(trusted());

    let disabled = crate::common::expect_disabled(observe(client).await);
    disabled.enable_trusted_access().await.unwrap();
}

#[tokio::test]
async fn register_describes_account_then_writes_and_reads_once() {
    let mut client = MockClient::new();
    expect_observation(&mut client, trusted(), Page::default());
    ExpectedCalls::on(&mut client).look_at_account().register(Ok(())).list_administrators(administered());

    let trusted = crate::common::expect_trusted(observe(client).await);
    trusted.register_delegated_administrator(alice()).await.unwrap();
}

#[tokio::test]
async fn deregister_lists_administrators_before_and_after_one_write() {
    let mut client = MockClient::new();
    expect_observation(&mut client, trusted(), administered());
    ExpectedCalls::on(&mut client)
        .list_administrators(administered())
        .deregister(Ok(()))
        .list_administrators(Page::default());

    let delegated = crate::common::expect_delegated(observe(client).await);
    delegated.deregister(SyncProtection::AllowLoss).await.unwrap();
}

#[tokio::test]
async fn disable_lists_administrators_before_one_write() {
    let mut client = MockClient::new();
    expect_observation(&mut client, trusted(), Page::default());
    ExpectedCalls::on(&mut client).list_administrators(Page::default()).disable(Ok(())).list_services(Page::default());

    let trusted = crate::common::expect_trusted(observe(client).await);
    trusted.disable(SyncProtection::AllowLoss).await.unwrap();
}

#[tokio::test]
async fn ensure_delegated_describes_account_before_first_write() {
    let mut client = MockClient::new();
    expect_observation(&mut client, Page::default(), Page::default());
    ExpectedCalls::on(&mut client)
        .look_at_account()
        .enable(Ok(()))
        .list_services(trusted())
        .register(Ok(()))
        .list_administrators(administered());

    observe(client).await.ensure_delegated(alice()).await.unwrap();
}

#[tokio::test]
async fn ensure_in_target_state_makes_no_calls() {
    let mut client = MockClient::new();
    expect_observation(&mut client, trusted(), administered());
    observe(client).await.ensure_delegated(alice()).await.unwrap();

    let mut client = MockClient::new();
    expect_observation(&mut client, Page::default(), Page::default());
    observe(client).await.ensure_disabled(SyncProtection::AllowLoss).await.unwrap();
}

#[tokio::test]
async fn enable_with_lost_response_reads_and_does_not_resend() {
    let mut client = MockClient::new();
    expect_observation(&mut client, Page::default(), Page::default());
    ExpectedCalls::on(&mut client)
        .enable(Err(Error::response_lost(Operation::EnableAwsServiceAccess)))
        .list_services(trusted());

    let disabled = crate::common::expect_disabled(observe(client).await);
    let trusted = disabled.enable_trusted_access().await.unwrap();
    assert_eq!(trusted.changes()[0].certainty, Certainty::Unconfirmed);
}

#[tokio::test]
async fn enable_not_sent_is_unchanged_without_read() {
    let mut client = MockClient::new();
    expect_observation(&mut client, Page::default(), Page::default());
    ExpectedCalls::on(&mut client).enable(Err(Error::not_sent(Operation::EnableAwsServiceAccess, "no credentials")));

    let disabled = crate::common::expect_disabled(observe(client).await);
    let (error, recovered) = failed(disabled.enable_trusted_access().await);
    assert_eq!((error.kind(), error.write_status()), (&ErrorKind::NotSent, WriteStatus::NotApplied));
    assert_eq!(way(&recovered), RecoveredVariant::Unchanged);
}

#[tokio::test]
async fn transition_with_invalid_input_makes_no_calls() {
    // The management account cannot be a delegated administrator.
    let mut client = MockClient::new();
    expect_observation(&mut client, trusted(), Page::default());
    let trusted_access = crate::common::expect_trusted(observe(client).await);
    let (error, recovered) = failed(trusted_access.register_delegated_administrator(management()).await);
    assert_eq!((error.kind(), error.account()), (&ErrorKind::IsManagementAccount, Some(management())));
    assert_eq!(way(&recovered), RecoveredVariant::Unchanged);

    // Protection needs at least one client and one Region.
    let management_ssm = MockClient::new();
    let home = [crate::common::region("eu-central-1")];
    for syncs in [
        SyncProtection::Protect { clients: &[], regions: &home },
        SyncProtection::Protect { clients: &[&management_ssm], regions: &[] },
    ] {
        let mut client = MockClient::new();
        expect_observation(&mut client, trusted(), Page::default());
        let (error, recovered) = failed(crate::common::expect_trusted(observe(client).await).disable(syncs).await);
        assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::InvalidInput, RecoveredVariant::Unchanged));

        let mut client = MockClient::new();
        expect_observation(&mut client, trusted(), administered());
        let (error, recovered) = failed(crate::common::expect_delegated(observe(client).await).deregister(syncs).await);
        assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::InvalidInput, RecoveredVariant::Unchanged));
    }
}

#[tokio::test]
async fn enable_as_other_account_fails_without_write() {
    let mut client = MockClient::new();
    client.expect_describe_organization().times(1).returning(|| Ok(the_organization()));
    client.expect_get_caller_identity().times(1).returning(|| Ok(CallerIdentity::new(bob())));
    client.expect_list_aws_service_access_for_organization().times(1).returning(|_| Ok(Page::default()));
    client.expect_list_delegated_administrators().times(1).returning(|_, _| Ok(Page::default()));

    let disabled = crate::common::expect_disabled(observe(client).await);
    let (error, recovered) = failed(disabled.enable_trusted_access().await);
    assert!(matches!(error.kind(), ErrorKind::NotManagementAccount { management: id, .. } if *id == management()));
    assert_eq!((error.caller(), way(&recovered)), (Some(bob()), RecoveredVariant::Unchanged));
}

#[tokio::test]
async fn enable_as_unknown_caller_sends_write() {
    let mut client = MockClient::new();
    client.expect_describe_organization().times(1).returning(|| Ok(the_organization()));
    client.expect_get_caller_identity().times(1).returning(|| Err(Error::unsupported(Operation::GetCallerIdentity)));
    client.expect_list_aws_service_access_for_organization().times(1).returning(|_| Ok(Page::default()));
    client.expect_list_delegated_administrators().times(1).returning(|_, _| Ok(Page::default()));
    ExpectedCalls::on(&mut client).enable(Ok(())).list_services(trusted());

    let disabled = crate::common::expect_disabled(observe(client).await);
    assert_eq!(disabled.caller(), None);
    disabled.enable_trusted_access().await.unwrap();
}

async fn deregistered(client: MockClient) -> Integration<TrustedAccess, MockClient> {
    let Observed::Delegated(delegated) = observe(client).await else { panic!("not delegated") };
    delegated.deregister(SyncProtection::AllowLoss).await.unwrap()
}

/// Asserts that the read that confirms the deregistration also guards the next write.
#[tokio::test(start_paused = true)]
async fn ensure_disabled_reads_administrators_once() {
    let mut client = MockClient::new();
    expect_observation(&mut client, trusted(), administered());
    ExpectedCalls::on(&mut client)
        .deregister(Ok(()))
        .list_administrators(Page::default())
        .list_services(trusted())
        .disable(Ok(()))
        .list_services(Page::default());

    observe(client).await.ensure_disabled(SyncProtection::AllowLoss).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn disable_rereads_stale_list_after_deregistration() {
    let mut client = MockClient::new();
    expect_observation(&mut client, trusted(), administered());
    ExpectedCalls::on(&mut client)
        .list_administrators(administered())
        .deregister(Ok(()))
        .list_administrators(Page::default())
        // The listing is stale: it shows the same delegation.
        .list_administrators(administered())
        .list_administrators(Page::default())
        .disable(Ok(()))
        .list_services(Page::default());

    deregistered(client).await.disable(SyncProtection::AllowLoss).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn disable_fails_for_delegation_with_new_date() {
    let mut client = MockClient::new();
    expect_observation(&mut client, trusted(), administered());
    ExpectedCalls::on(&mut client)
        .list_administrators(administered())
        .deregister(Ok(()))
        .list_administrators(Page::default())
        .list_administrators(administered_since(2))
        // Both listings are read to report the current state.
        .list_services(trusted())
        .list_administrators(administered_since(2));

    let (error, recovered) = failed(deregistered(client).await.disable(SyncProtection::AllowLoss).await);
    assert!(matches!(error.kind(), ErrorKind::AlreadyDelegated { accounts, .. } if *accounts == [alice()]));
    assert_eq!(way(&recovered), RecoveredVariant::Moved);
}

#[tokio::test(start_paused = true)]
async fn deregister_sends_write_despite_stale_empty_list() {
    let mut client = MockClient::new();
    expect_observation(&mut client, trusted(), Page::default());
    ExpectedCalls::on(&mut client)
        .look_at_account()
        .register(Ok(()))
        .list_administrators(administered())
        // The listing is stale: it precedes the registration.
        .list_administrators(Page::default())
        .deregister(Ok(()))
        .list_administrators(Page::default());

    let delegated = observe(client).await.ensure_delegated(alice()).await.unwrap();
    delegated.deregister(SyncProtection::AllowLoss).await.unwrap();
}

#[tokio::test]
async fn enable_rereads_feature_set_before_not_all_features_error() {
    let billing = || the_organization().with_feature_set(Some(FeatureSet::ConsolidatedBilling));
    for (now, refused) in [(billing(), true), (the_organization(), false)] {
        let mut client = MockClient::new();
        client.expect_describe_organization().times(1).return_once(move || Ok(billing()));
        client.expect_get_caller_identity().times(1).returning(|| Ok(CallerIdentity::new(management())));
        client.expect_list_aws_service_access_for_organization().times(1).returning(|_| Ok(Page::default()));
        client.expect_list_delegated_administrators().times(1).returning(|_, _| Ok(Page::default()));
        client.expect_describe_organization().times(1).return_once(move || Ok(now));
        if !refused {
            ExpectedCalls::on(&mut client).enable(Ok(())).list_services(trusted());
        }
        let result = crate::common::expect_disabled(observe(client).await).enable_trusted_access().await;
        assert_eq!(result.is_err(), refused);
        if refused {
            let (error, recovered) = failed(result);
            assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::NotAllFeatures, RecoveredVariant::Unchanged));
        }
    }
}

#[tokio::test]
async fn observe_fails_on_repeated_page_token() {
    let mut client = MockClient::new();
    client.expect_describe_organization().times(1).returning(|| Ok(the_organization()));
    client.expect_get_caller_identity().times(1).returning(|| Ok(CallerIdentity::new(management())));
    client.expect_list_delegated_administrators().times(1).returning(|_, _| Ok(Page::default()));
    // The page tokens form a cycle.
    let mut tokens = ["one", "two", "one"].map(|token| PageToken::new(token).unwrap()).into_iter();
    client
        .expect_list_aws_service_access_for_organization()
        .times(3)
        .returning(move |_| Ok(Page { items: Vec::new(), next: tokens.next() }));

    let (error, recovered) = failed(Integration::new(client).observe().await);
    assert_eq!(*error.kind(), ErrorKind::RepeatedPageToken);
    assert_eq!(error.operation(), Some(Operation::ListAwsServiceAccessForOrganization));
    assert_eq!(way(&recovered), RecoveredVariant::Unchanged);
}

#[tokio::test]
async fn ensure_delegated_unobserved_checks_account_at_once() {
    let mut client = MockClient::new();
    expect_observation(&mut client, Page::last(Vec::new()), Page::last(Vec::new()));
    client
        .expect_describe_account()
        .with(eq(alice()))
        .times(1)
        .returning(|account| Ok(Account::new(account, AccountState::Suspended)));
    let failure = Integration::new(client).ensure_delegated(alice()).await.unwrap_err();
    assert!(matches!(failure.error().kind(), ErrorKind::AccountNotActive { .. }));
    assert_eq!(way(&failure.into_parts().1), RecoveredVariant::Moved);
}

#[tokio::test]
async fn ensure_delegated_unobserved_needs_no_description() {
    let mut client = MockClient::new();
    expect_observation(&mut client, trusted(), administered());
    client
        .expect_describe_account()
        .times(1)
        .returning(|_| Err(Error::from_service_error(Operation::DescribeAccount, "AccessDeniedException", "")));
    let delegated = Integration::new(client).ensure_delegated(alice()).await.unwrap();
    assert_eq!(delegated.administrator().account, alice());
}
