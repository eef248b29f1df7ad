//! Which calls a transition makes, in which order and how often: on a mock that answers nothing else.
#![cfg(feature = "sim")]

use std::time::{Duration, SystemTime};

use crate::common::{MockClient, SSM, Way, alice, bob, failed, management, way};
use mockall::Sequence;
use mockall::predicate::eq;
use ssm_organizations::ports::{
    Account, AccountState, CallerIdentity, DelegatedAdministrator, EnabledService, FeatureSet, Operation, Organization,
    Page,
};
use ssm_organizations::{Applied, Certainty, Error, ErrorKind, Integration, Observed, PageToken, Syncs};

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

/// What the next calls are, in this order and no others.
struct Script<'a> {
    client: &'a mut MockClient,
    order: Sequence,
}

impl<'a> Script<'a> {
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
async fn enabling_writes_once_and_reads_once() {
    let mut client = MockClient::new();
    expect_observation(&mut client, Page::default(), Page::default());
    Script::on(&mut client).enable(Ok(())).list_services(trusted());

    let disabled = crate::common::expect_disabled(observe(client).await);
    disabled.enable_trusted_access().await.unwrap();
}

#[tokio::test]
async fn registering_looks_at_the_account_writes_once_and_reads_once() {
    let mut client = MockClient::new();
    expect_observation(&mut client, trusted(), Page::default());
    Script::on(&mut client).look_at_account().register(Ok(())).list_administrators(administered());

    let trusted = crate::common::expect_trusted(observe(client).await);
    trusted.register_delegated_administrator(&alice()).await.unwrap();
}

#[tokio::test]
async fn deregistering_reads_what_guards_it_writes_once_and_reads_once() {
    let mut client = MockClient::new();
    expect_observation(&mut client, trusted(), administered());
    Script::on(&mut client).list_administrators(administered()).deregister(Ok(())).list_administrators(Page::default());

    let delegated = crate::common::expect_delegated(observe(client).await);
    delegated.deregister(Syncs::Forfeit).await.unwrap();
}

#[tokio::test]
async fn disabling_reads_what_guards_it_writes_once_and_reads_once() {
    let mut client = MockClient::new();
    expect_observation(&mut client, trusted(), Page::default());
    Script::on(&mut client).list_administrators(Page::default()).disable(Ok(())).list_services(Page::default());

    let trusted = crate::common::expect_trusted(observe(client).await);
    trusted.disable(Syncs::Forfeit).await.unwrap();
}

#[tokio::test]
async fn onboarding_looks_at_the_account_before_the_first_write() {
    let mut client = MockClient::new();
    expect_observation(&mut client, Page::default(), Page::default());
    Script::on(&mut client)
        .look_at_account()
        .enable(Ok(()))
        .list_services(trusted())
        .register(Ok(()))
        .list_administrators(administered());

    observe(client).await.ensure_delegated(&alice()).await.unwrap();
}

#[tokio::test]
async fn what_is_already_so_takes_no_call() {
    let mut client = MockClient::new();
    expect_observation(&mut client, trusted(), administered());
    observe(client).await.ensure_delegated(&alice()).await.unwrap();

    let mut client = MockClient::new();
    expect_observation(&mut client, Page::default(), Page::default());
    observe(client).await.ensure_disabled(Syncs::Forfeit).await.unwrap();
}

#[tokio::test]
async fn a_lost_reply_is_followed_by_a_read_and_not_by_another_write() {
    let mut client = MockClient::new();
    expect_observation(&mut client, Page::default(), Page::default());
    Script::on(&mut client).enable(Err(Error::lost(Operation::EnableAwsServiceAccess))).list_services(trusted());

    let disabled = crate::common::expect_disabled(observe(client).await);
    let trusted = disabled.enable_trusted_access().await.unwrap();
    assert_eq!(trusted.changes()[0].certainty, Certainty::Maybe);
}

#[tokio::test]
async fn a_write_that_was_not_sent_is_not_read_back() {
    let mut client = MockClient::new();
    expect_observation(&mut client, Page::default(), Page::default());
    Script::on(&mut client).enable(Err(Error::not_sent(Operation::EnableAwsServiceAccess, "no credentials")));

    let disabled = crate::common::expect_disabled(observe(client).await);
    let (error, recovered) = failed(disabled.enable_trusted_access().await);
    assert_eq!((error.kind(), error.applied()), (&ErrorKind::NotSent, Applied::No));
    assert_eq!(way(&recovered), Way::Unchanged);
}

#[tokio::test]
async fn refused_input_takes_no_call() {
    // The management account cannot administer.
    let mut client = MockClient::new();
    expect_observation(&mut client, trusted(), Page::default());
    let trusted_access = crate::common::expect_trusted(observe(client).await);
    let (error, recovered) = failed(trusted_access.register_delegated_administrator(&management()).await);
    assert_eq!((error.kind(), error.account()), (&ErrorKind::IsManagementAccount, Some(management())));
    assert_eq!(way(&recovered), Way::Unchanged);

    // Protecting without a client or without a Region protects nothing.
    let management_ssm = MockClient::new();
    let home = [crate::common::region("eu-central-1")];
    for syncs in [Syncs::Protect { ssm: &[], regions: &home }, Syncs::Protect { ssm: &[&management_ssm], regions: &[] }]
    {
        let mut client = MockClient::new();
        expect_observation(&mut client, trusted(), Page::default());
        let (error, recovered) = failed(crate::common::expect_trusted(observe(client).await).disable(syncs).await);
        assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::InvalidInput, Way::Unchanged));

        let mut client = MockClient::new();
        expect_observation(&mut client, trusted(), administered());
        let (error, recovered) = failed(crate::common::expect_delegated(observe(client).await).deregister(syncs).await);
        assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::InvalidInput, Way::Unchanged));
    }
}

#[tokio::test]
async fn a_caller_of_another_account_takes_no_write() {
    let mut client = MockClient::new();
    client.expect_describe_organization().times(1).returning(|| Ok(the_organization()));
    client.expect_get_caller_identity().times(1).returning(|| Ok(CallerIdentity::new(bob())));
    client.expect_list_aws_service_access_for_organization().times(1).returning(|_| Ok(Page::default()));
    client.expect_list_delegated_administrators().times(1).returning(|_, _| Ok(Page::default()));

    let disabled = crate::common::expect_disabled(observe(client).await);
    let (error, recovered) = failed(disabled.enable_trusted_access().await);
    assert!(matches!(error.kind(), ErrorKind::NotManagementAccount { management: id, .. } if *id == management()));
    assert_eq!((error.caller(), way(&recovered)), (Some(bob()), Way::Unchanged));
}

#[tokio::test]
async fn an_unknown_caller_is_left_to_aws() {
    let mut client = MockClient::new();
    client.expect_describe_organization().times(1).returning(|| Ok(the_organization()));
    client.expect_get_caller_identity().times(1).returning(|| Err(Error::unsupported(Operation::GetCallerIdentity)));
    client.expect_list_aws_service_access_for_organization().times(1).returning(|_| Ok(Page::default()));
    client.expect_list_delegated_administrators().times(1).returning(|_, _| Ok(Page::default()));
    Script::on(&mut client).enable(Ok(())).list_services(trusted());

    let disabled = crate::common::expect_disabled(observe(client).await);
    assert_eq!(disabled.caller(), None);
    disabled.enable_trusted_access().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_old_listing_after_our_own_deregistration_is_read_again() {
    let mut client = MockClient::new();
    expect_observation(&mut client, trusted(), administered());
    Script::on(&mut client)
        .list_administrators(administered())
        .deregister(Ok(()))
        .list_administrators(Page::default())
        // The same delegation again: from before.
        .list_administrators(administered())
        .list_administrators(Page::default())
        .disable(Ok(()))
        .list_services(Page::default());

    observe(client).await.ensure_disabled(Syncs::Forfeit).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_delegation_under_a_new_date_is_somebody_elses() {
    let mut client = MockClient::new();
    expect_observation(&mut client, trusted(), administered());
    Script::on(&mut client)
        .list_administrators(administered())
        .deregister(Ok(()))
        .list_administrators(Page::default())
        .list_administrators(administered_since(2))
        // Read to say what is the case now: both halves, at once.
        .list_services(trusted())
        .list_administrators(administered_since(2));

    let (error, recovered) = failed(observe(client).await.ensure_disabled(Syncs::Forfeit).await);
    assert!(matches!(error.kind(), ErrorKind::OtherAdministrator { holders, .. } if *holders == [alice()]));
    assert_eq!(way(&recovered), Way::Moved);
}

#[tokio::test(start_paused = true)]
async fn an_old_listing_after_our_own_registration_does_not_say_that_it_is_gone() {
    let mut client = MockClient::new();
    expect_observation(&mut client, trusted(), Page::default());
    Script::on(&mut client)
        .look_at_account()
        .register(Ok(()))
        .list_administrators(administered())
        // From before: what guards the step says that there is nothing to do, and AWS knows better.
        .list_administrators(Page::default())
        .deregister(Ok(()))
        .list_administrators(Page::default());

    let delegated = observe(client).await.ensure_delegated(&alice()).await.unwrap();
    delegated.deregister(Syncs::Forfeit).await.unwrap();
}

#[tokio::test]
async fn consolidated_billing_is_refused_only_after_another_look() {
    let billing = || the_organization().with_feature_set(Some(FeatureSet::ConsolidatedBilling));
    for (now, refused) in [(billing(), true), (the_organization(), false)] {
        let mut client = MockClient::new();
        client.expect_describe_organization().times(1).return_once(move || Ok(billing()));
        client.expect_get_caller_identity().times(1).returning(|| Ok(CallerIdentity::new(management())));
        client.expect_list_aws_service_access_for_organization().times(1).returning(|_| Ok(Page::default()));
        client.expect_list_delegated_administrators().times(1).returning(|_, _| Ok(Page::default()));
        client.expect_describe_organization().times(1).return_once(move || Ok(now));
        if !refused {
            Script::on(&mut client).enable(Ok(())).list_services(trusted());
        }
        let result = crate::common::expect_disabled(observe(client).await).enable_trusted_access().await;
        assert_eq!(result.is_err(), refused);
        if refused {
            let (error, recovered) = failed(result);
            assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::NotAllFeatures, Way::Unchanged));
        }
    }
}

#[tokio::test]
async fn a_repeated_token_is_an_error_and_not_the_end() {
    let mut client = MockClient::new();
    client.expect_describe_organization().times(1).returning(|| Ok(the_organization()));
    client.expect_get_caller_identity().times(1).returning(|| Ok(CallerIdentity::new(management())));
    client.expect_list_delegated_administrators().times(1).returning(|_, _| Ok(Page::default()));
    // One, two, one: a circle of two pages.
    let mut tokens = ["one", "two", "one"].map(|token| PageToken::new(token).unwrap()).into_iter();
    client
        .expect_list_aws_service_access_for_organization()
        .times(3)
        .returning(move |_| Ok(Page { items: Vec::new(), next: tokens.next() }));

    let (error, recovered) = failed(Integration::new(client).observe().await);
    assert_eq!(*error.kind(), ErrorKind::RepeatedToken);
    assert_eq!(error.operation(), Some(Operation::ListAwsServiceAccessForOrganization));
    assert_eq!(way(&recovered), Way::Unchanged);
}
