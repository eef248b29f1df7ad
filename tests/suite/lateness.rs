//! Listings that are older than what AWS has just done, refusals that are, and rivals that look like either.
#![cfg(feature = "sim")]

use std::time::{Duration, SystemTime};

use crate::common::{
    MockClient, SSM, Way, alice, bob, delegated, delegated_in, disabled_in, expect_delegated, expect_disabled,
    expect_irregular, expect_trusted, failed, irregular_in, management, observe, organization, organization_sync,
    region, trusted_in, trusting, way,
};
use mockall::predicate::eq;
use ssm_organizations::ports::{
    Account, AccountState, CallerIdentity, DelegatedAdministrator, EnabledService, FeatureSet, Operation, Organization,
    Page,
};
use ssm_organizations::sim::Fault;
use ssm_organizations::{
    Applied, Certainty, ChangeKind, Error, ErrorKind, Evidence, Integration, Observed, Recovered, Retry, Syncs,
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

/// A client whose listings answer these in turn, and then the last for ever.
fn client(services: Vec<Page<EnabledService>>, administrators: Vec<Page<DelegatedAdministrator>>) -> MockClient {
    let mut client = MockClient::new();
    client.expect_describe_organization().returning(|| Ok(Organization::new("o-exampleorgid".parse()?, management())));
    client.expect_get_caller_identity().returning(|| Ok(CallerIdentity::new(management())));
    client.expect_describe_account().returning(|account| Ok(Account::new(*account, AccountState::Active)));
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
async fn an_old_listing_does_not_make_a_lost_registration_a_success() {
    let old = alice_since(1);
    let mut client = client(vec![trusted_since(1)], vec![alice_since(1), alice_since(1), nobody(), old, nobody()]);
    client.expect_deregister_delegated_administrator().times(1).returning(|_, _| Ok(()));
    client
        .expect_register_delegated_administrator()
        .times(1)
        .returning(|_, _| Err(Error::lost(Operation::RegisterDelegatedAdministrator)));
    let trusted = expect_delegated(look(client).await).deregister(Syncs::Forfeit).await.unwrap();
    let (error, recovered) = failed(trusted.register_delegated_administrator(&alice()).await);
    assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::Lost, Way::Unknown));
}

#[tokio::test(start_paused = true)]
async fn a_new_registration_has_its_own_date() {
    let old = alice_since(1);
    let mut client =
        client(vec![trusted_since(1)], vec![alice_since(1), alice_since(1), nobody(), old, alice_since(9)]);
    client.expect_deregister_delegated_administrator().times(1).returning(|_, _| Ok(()));
    client.expect_register_delegated_administrator().times(1).returning(|_, _| Ok(()));
    let trusted = expect_delegated(look(client).await).deregister(Syncs::Forfeit).await.unwrap();
    let delegated = trusted.register_delegated_administrator(&alice()).await.unwrap();
    assert_eq!(delegated.administrator().since, date(9));
    assert!(
        matches!(&delegated.changes()[1].kind, ChangeKind::AdministratorRegistered { since, .. } if *since == date(9))
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_trust_has_its_own_date() {
    let old = trusted_since(1);
    let mut client = client(vec![trusted_since(1), untrusted(), old, trusted_since(9)], vec![nobody()]);
    client.expect_disable_aws_service_access().times(1).returning(|_| Ok(()));
    client.expect_enable_aws_service_access().times(1).returning(|_| Ok(()));
    let disabled = expect_trusted(look(client).await).disable(Syncs::Forfeit).await.unwrap();
    let trusted = disabled.enable_trusted_access().await.unwrap();
    assert_eq!(trusted.trusted_since(), date(9));
}

#[tokio::test(start_paused = true)]
async fn a_late_refusal_and_a_late_listing_together_prove_nothing() {
    let old = nobody();
    let listings = vec![nobody(), alice_since(5), alice_since(5), old, alice_since(5), alice_since(5), nobody()];
    let mut client = client(vec![trusted_since(1)], listings);
    client.expect_register_delegated_administrator().times(1).returning(|_, _| Ok(()));
    let mut refuse = Some("AccountNotRegisteredException");
    client.expect_deregister_delegated_administrator().times(2).returning(move |_, _| match refuse.take() {
        Some(code) => Err(Error::service(Operation::DeregisterDelegatedAdministrator, code, "")),
        None => Ok(()),
    });
    let delegated = look(client).await.ensure_delegated(&alice()).await.unwrap();
    let trusted = delegated.deregister(Syncs::Forfeit).await.unwrap();
    assert_eq!(trusted.changes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_denied_write_and_a_late_listing_are_no_success() {
    let old = untrusted();
    let mut client = client(vec![untrusted(), trusted_since(3), old, trusted_since(3)], vec![nobody()]);
    client.expect_enable_aws_service_access().times(1).returning(|_| Ok(()));
    let denied = || Err(Error::service(Operation::DisableAwsServiceAccess, "AccessDeniedException", ""));
    client.expect_disable_aws_service_access().times(1).returning(move |_| denied());
    let trusted = expect_disabled(look(client).await).enable_trusted_access().await.unwrap();
    let (error, recovered) = failed(trusted.disable(Syncs::Forfeit).await);
    assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::AccessDenied, Way::Unchanged));
}

#[tokio::test(start_paused = true)]
async fn a_late_listing_is_no_success_however_little_patience_there_is() {
    let old = untrusted();
    let mut client = client(vec![untrusted(), trusted_since(3), old, trusted_since(3)], vec![nobody()]);
    client.expect_enable_aws_service_access().times(1).returning(|_| Ok(()));
    let denied = || Err(Error::service(Operation::DisableAwsServiceAccess, "AccessDeniedException", ""));
    client.expect_disable_aws_service_access().times(1).returning(move |_| denied());
    let observed = Integration::new(client).settle_within(Duration::ZERO).observe().await.unwrap();
    let trusted = expect_disabled(observed).enable_trusted_access().await.unwrap();
    let (error, recovered) = failed(trusted.disable(Syncs::Forfeit).await);
    assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::AccessDenied, Way::Unknown));
}

#[tokio::test(start_paused = true)]
async fn what_others_did_while_a_handle_lay_about_is_not_on_our_record() {
    let organization = organization().build();
    let disabled = disabled_in(&organization).await;
    tokio::time::advance(Duration::from_hours(1)).await;
    organization.trust(&SSM);
    let trusted = disabled.enable_trusted_access().await.unwrap();
    assert_eq!((trusted.changes(), organization.writes()), (&[][..], 0));

    tokio::time::advance(Duration::from_hours(1)).await;
    organization.distrust(&SSM);
    let disabled = trusted.disable(Syncs::Forfeit).await.unwrap();
    assert_eq!((disabled.changes(), organization.writes()), (&[][..], 0));

    // Where nobody has been, it is ours.
    tokio::time::advance(Duration::from_hours(1)).await;
    let trusted = disabled.enable_trusted_access().await.unwrap();
    tokio::time::advance(Duration::from_hours(1)).await;
    let disabled = trusted.disable(Syncs::Forfeit).await.unwrap();
    assert_eq!((disabled.changes().len(), organization.writes()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn whom_we_saw_go_has_overtaken_nobody() {
    let bob_since = |second| Page::last(vec![DelegatedAdministrator::new(bob(), date(second))]);
    // After the registration the first listing is from before Alice went.
    let administrators =
        vec![alice_since(1), alice_since(1), nobody(), alice_since(1), bob_since(9), bob_since(9), bob_since(9)];
    let mut client = client(vec![trusted_since(1)], administrators);
    client.expect_deregister_delegated_administrator().times(1).returning(|_, _| Ok(()));
    let lost = || Err(Error::lost(Operation::RegisterDelegatedAdministrator));
    client.expect_register_delegated_administrator().times(1).returning(move |_, _| lost());
    let delegated = expect_delegated(look(client).await);
    let trusted = delegated.deregister(Syncs::Forfeit).await.unwrap();
    let delegated = trusted.register_delegated_administrator(&bob()).await.unwrap();
    assert_eq!(delegated.administrator().account, bob());
    assert_eq!(delegated.changes()[1].certainty, Certainty::Maybe);
}

#[tokio::test(start_paused = true)]
async fn a_lost_disabling_is_believed_only_when_it_shows_twice() {
    // Trusted by ourselves, so that one look without it may be old.
    for (shown, way_on) in [
        (vec![untrusted(), trusted_since(3), untrusted(), trusted_since(3)], Some(Way::Unknown)),
        (vec![untrusted(), trusted_since(3), untrusted(), untrusted()], None),
    ] {
        let mut client = client(shown, vec![nobody()]);
        client.expect_enable_aws_service_access().times(1).returning(|_| Ok(()));
        let lost = || Err(Error::lost(Operation::DisableAwsServiceAccess));
        client.expect_disable_aws_service_access().times(1).returning(move |_| lost());
        let trusted = expect_disabled(look(client).await).enable_trusted_access().await.unwrap();
        let result = trusted.disable(Syncs::Forfeit).await;
        match way_on {
            Some(expected) => assert_eq!(way(&failed(result).1), expected),
            None => assert_eq!(result.unwrap().changes()[1].certainty, Certainty::Maybe),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_stops_half_way_still_knows_that_listings_may_be_late() {
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
    let (_, recovered) = failed(expect_irregular(look(client).await).remove_all(Syncs::Forfeit).await);
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    expect_delegated(observed).deregister(Syncs::Forfeit).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn refusing_for_others_does_not_believe_a_late_listing() {
    let old = nobody();
    let mut client = client(vec![trusted_since(1)], vec![nobody(), alice_since(5), old, alice_since(5)]);
    client.expect_register_delegated_administrator().times(1).returning(|_, _| Ok(()));
    let delegated = look(client).await.ensure_delegated(&alice()).await.unwrap();
    let (error, recovered) = failed(Observed::from(delegated).ensure_delegated(&bob()).await);
    assert!(matches!(error.kind(), ErrorKind::OtherAdministrator { holders, .. } if *holders == [alice()]), "{error}");
    assert_eq!(way(&recovered), Way::Unchanged);
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_before_an_observation_makes_no_listing_late() {
    // Trusted by us, then by nobody: the observation is newer than our change, so a refusal is read back once.
    let organization = organization().build();
    let trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    organization.distrust(&SSM);
    let disabled = expect_disabled(trusted.forget().observe().await.unwrap());
    organization.fault(Operation::EnableAwsServiceAccess, 1, Fault::refused("AccessDeniedException"));
    let begun = tokio::time::Instant::now();
    let (_, recovered) = failed(disabled.enable_trusted_access().await);
    assert_eq!((way(&recovered), begun.elapsed()), (Way::Unchanged, Duration::ZERO));

    // The same where a failed transition observed.
    let organization = crate::common::organization().build();
    let trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    organization.distrust(&SSM);
    organization.delegate(bob());
    let (_, recovered) = failed(trusted.register_delegated_administrator(&alice()).await);
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    let begun = tokio::time::Instant::now();
    let (_, recovered) = failed(observed.ensure_delegated(&alice()).await);
    assert_eq!((way(&recovered), begun.elapsed()), (Way::Unchanged, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_rival_who_takes_what_we_gave_up_is_no_late_listing() {
    for second_look in [false, true] {
        let organization = delegated().build();
        let trusted = delegated_in(&organization).await.deregister(Syncs::Forfeit).await.unwrap();
        organization.delegate(bob());
        let begun = tokio::time::Instant::now();
        let (error, recovered) = if second_look {
            organization.undelegate(bob());
            organization.before(Operation::DisableAwsServiceAccess, 1, |organization| organization.delegate(bob()));
            failed(trusted.disable(Syncs::Forfeit).await)
        } else {
            failed(trusted.register_delegated_administrator(&alice()).await)
        };
        assert!(
            matches!(error.kind(), ErrorKind::OtherAdministrator { holders, .. } if *holders == [bob()]),
            "{error}"
        );
        assert_eq!((way(&recovered), begun.elapsed(), organization.writes()), (Way::Moved, Duration::ZERO, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn two_copies_of_the_same_onboarding_both_succeed() {
    let organization = organization().build();
    let observed = observe(&organization).await;
    organization.before(Operation::EnableAwsServiceAccess, 1, |organization| {
        organization.trust(&SSM);
        organization.delegate(alice());
    });
    organization.fault(Operation::EnableAwsServiceAccess, 1, Fault::refused("ConcurrentModificationException"));
    let delegated = observed.ensure_delegated(&alice()).await.unwrap();
    assert_eq!(delegated.changes(), [], "the other copy's");

    // Bob made way for Alice between two looks.
    let organization = trusting().delegated_to(bob()).build();
    let observed = observe(&organization).await;
    organization.undelegate(bob());
    organization.delegate(alice());
    observed.ensure_delegated(&alice()).await.unwrap();

    // And out again.
    let organization = trusting().build();
    let observed = observe(&organization).await;
    organization.before(Operation::DisableAwsServiceAccess, 1, |organization| organization.distrust(&SSM));
    organization.fault(Operation::DisableAwsServiceAccess, 1, Fault::refused("ConcurrentModificationException"));
    assert_eq!(observed.ensure_disabled(Syncs::Forfeit).await.unwrap().changes(), []);
}

#[tokio::test(start_paused = true)]
async fn what_aws_refuses_as_unknown_to_it_may_be_so_all_the_same() {
    let organization = organization().build();
    let disabled = disabled_in(&organization).await;
    organization.before(Operation::EnableAwsServiceAccess, 1, |organization| organization.trust(&SSM));
    organization.fault(Operation::EnableAwsServiceAccess, 1, Fault::refused("UnsupportedAPIEndpointException"));
    assert_eq!(disabled.enable_trusted_access().await.unwrap().changes(), [], "somebody else's");
}

#[tokio::test(start_paused = true)]
async fn what_others_end_while_the_guard_looks_again_is_a_success() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.delegate(bob());
    organization.before(Operation::ListAwsServiceAccessForOrganization, 1, |organization| {
        organization.undelegate(bob());
        organization.distrust(&SSM);
    });
    assert_eq!(trusted.disable(Syncs::Forfeit).await.unwrap().changes(), []);
    assert_eq!(organization.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn trust_that_ends_while_the_guard_looks_again_is_a_move() {
    let organization = delegated().build();
    let delegated = delegated_in(&organization).await;
    organization.delegate(bob());
    organization.before(Operation::ListAwsServiceAccessForOrganization, 1, |organization| {
        organization.undelegate(bob());
        organization.distrust(&SSM);
    });
    let (error, recovered) = failed(delegated.deregister(Syncs::Forfeit).await);
    assert_eq!((error.kind(), way(&recovered), organization.writes()), (&ErrorKind::StateMoved, Way::Moved, 0));
}

#[tokio::test(start_paused = true)]
async fn a_delegation_made_anew_while_the_guard_looks_again_goes_like_the_old_one() {
    let organization = delegated().build();
    let delegated = delegated_in(&organization).await;
    organization.delegate(bob());
    organization.before(Operation::ListDelegatedAdministrators, 2, |organization| {
        organization.undelegate(bob());
        organization.undelegate(alice());
        organization.delegate(alice());
    });
    assert_eq!(delegated.deregister(Syncs::Forfeit).await.unwrap().changes().len(), 1);
    assert_eq!(organization.administrators(), []);
}

#[tokio::test(start_paused = true)]
async fn an_account_with_the_date_of_the_one_that_went_is_not_that_one() {
    let bobs = || Page::last(vec![DelegatedAdministrator::new(bob(), date(1))]);
    let mut client = client(vec![trusted_since(1)], vec![alice_since(1), alice_since(1), nobody(), bobs()]);
    client.expect_deregister_delegated_administrator().times(1).returning(|_, _| Ok(()));
    client.expect_register_delegated_administrator().times(1).returning(|_, _| Ok(()));
    let trusted = expect_delegated(look(client).await).deregister(Syncs::Forfeit).await.unwrap();
    let delegated = trusted.register_delegated_administrator(&bob()).await.unwrap();
    assert_eq!(delegated.administrator().since, date(1));
}

#[tokio::test(start_paused = true)]
async fn a_rival_beside_a_lost_deregistration_does_not_end_the_waiting() {
    let both = || {
        let alice = DelegatedAdministrator::new(alice(), date(1));
        Page::last(vec![alice, DelegatedAdministrator::new(bob(), date(2))])
    };
    let bobs = || Page::last(vec![DelegatedAdministrator::new(bob(), date(2))]);
    let mut client = client(vec![trusted_since(1)], vec![alice_since(1), alice_since(1), both(), bobs()]);
    let lost = || Err(Error::lost(Operation::DeregisterDelegatedAdministrator));
    client.expect_deregister_delegated_administrator().times(1).returning(move |_, _| lost());
    let (_, recovered) = failed(expect_delegated(look(client).await).deregister(Syncs::Forfeit).await);
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    assert_eq!(observed.changes()[0].certainty, Certainty::Maybe);
    assert_eq!(expect_delegated(observed).administrator().account, bob());
}

#[tokio::test(start_paused = true)]
async fn an_accepted_write_that_leads_elsewhere_is_said_to_be_applied() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.before(Operation::ListDelegatedAdministrators, 1, |organization| organization.delegate(bob()));
    let (error, recovered) = failed(trusted.register_delegated_administrator(&alice()).await);
    assert!(matches!(error.kind(), ErrorKind::OtherAdministrator { holders, .. } if *holders == [bob()]), "{error}");
    assert_eq!(error.applied(), Applied::Yes);
    assert_eq!((error.operation(), error.account()), (Some(Operation::RegisterDelegatedAdministrator), Some(alice())));
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    assert_eq!(expect_irregular(observed).changes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_registration_that_somebody_else_overtook_is_a_move() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.fault(Operation::RegisterDelegatedAdministrator, 1, Fault::LostBefore);
    organization.before(Operation::RegisterDelegatedAdministrator, 1, |organization| organization.delegate(bob()));
    let begun = tokio::time::Instant::now();
    let (error, recovered) = failed(trusted.register_delegated_administrator(&alice()).await);
    assert_eq!((error.kind(), error.applied(), begun.elapsed()), (&ErrorKind::Lost, Applied::Unknown, Duration::ZERO));
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    assert_eq!(observed.changes()[0].certainty, Certainty::Maybe);
    assert_eq!(expect_delegated(observed).administrator().account, bob());
}

#[tokio::test(start_paused = true)]
async fn awss_word_that_it_is_so_already_is_awaited_in_the_listings() {
    let late = Duration::from_secs(2);
    let organization = trusting().lag(late).build();
    let trusted = trusted_in(&organization).await;
    organization.delegate(alice());
    let delegated = trusted.register_delegated_administrator(&alice()).await.unwrap();
    assert_eq!(delegated.changes(), [], "somebody else's");
    assert_eq!(organization.count(Operation::RegisterDelegatedAdministrator), 1);

    let organization = crate::common::delegated().lag(late).build();
    let delegated = delegated_in(&organization).await;
    organization.undelegate(alice());
    assert_eq!(delegated.deregister(Syncs::Forfeit).await.unwrap().changes(), []);
    assert_eq!(organization.count(Operation::DeregisterDelegatedAdministrator), 1);
}

#[tokio::test(start_paused = true)]
async fn lateness_that_outlasts_patience_is_not_worth_the_same_call_again() {
    let organization = organization().build();
    let trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    for nth in 1..50 {
        let refusal = Fault::refused_for("ConstraintViolationException", "SERVICE_ACCESS_NOT_ENABLED");
        organization.fault(Operation::RegisterDelegatedAdministrator, nth, refusal);
    }
    let (error, _) = failed(trusted.register_delegated_administrator(&alice()).await);
    assert_eq!(error.retry(), Retry::Spent);
}

#[tokio::test(start_paused = true)]
async fn a_patience_without_end_is_no_overflow() {
    let organization = organization().lag(Duration::from_hours(100)).build();
    let disabled = disabled_in(&organization).await.settle_within(Duration::MAX);
    disabled.enable_trusted_access().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn syncs_are_looked_for_again_before_every_sending() {
    let organization = delegated().build();
    let trusted = delegated_in(&organization).await.deregister(Syncs::Forfeit).await.unwrap();
    let client = organization.management_client();
    let regions = [region("eu-central-1")];
    let reason = "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE";
    organization.fault(
        Operation::DisableAwsServiceAccess,
        1,
        Fault::refused_for("ConstraintViolationException", reason),
    );
    // A colleague makes one while the first refusal is waited for.
    organization.before(Operation::DisableAwsServiceAccess, 1, |organization| {
        organization.add_data_sync(management(), region("eu-central-1"), organization_sync("new"));
    });
    let protect = Syncs::Protect { ssm: &[&client], regions: &regions };
    let (error, _) = failed(trusted.disable(protect).await);
    assert!(matches!(error.kind(), ErrorKind::SyncsRemain { .. }), "{error}");
    assert!(organization.is_trusted(&SSM));
}

#[tokio::test(start_paused = true)]
async fn syncs_are_looked_for_after_a_late_listing_of_administrators() {
    let old = || alice_since(1);
    let listings = vec![alice_since(1), alice_since(1), nobody(), old(), old(), old(), nobody()];
    let mut client = client(vec![trusted_since(1), untrusted()], listings);
    client.expect_deregister_delegated_administrator().returning(|_, _| Ok(()));
    client.expect_disable_aws_service_access().never();
    let organization = delegated().build();
    let ssm = organization.management_client();
    let trusted = expect_delegated(look(client).await).deregister(Syncs::Forfeit).await.unwrap();
    let regions = [region("eu-central-1")];
    // Made while the listing is late: the look that counts is the last one.
    organization.before(Operation::ListResourceDataSync, 4, |organization| {
        organization.add_data_sync(management(), region("eu-central-1"), organization_sync("new"));
    });
    let result = trusted.disable(Syncs::Protect { ssm: &[&ssm], regions: &regions }).await;
    assert!(matches!(failed(result).0.kind(), ErrorKind::SyncsRemain { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_rival_that_is_gone_at_the_second_look_is_no_reason() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.delegate(bob());
    organization.before(Operation::ListDelegatedAdministrators, 2, |organization| organization.undelegate(bob()));
    trusted.disable(Syncs::Forfeit).await.unwrap();

    // One that was seen, and then could not be: nothing is known.
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.delegate(bob());
    let listing = Operation::ListAwsServiceAccessForOrganization;
    organization.fault(listing, 1, Fault::refused("TooManyRequestsException"));
    let (error, recovered) = failed(trusted.disable(Syncs::Forfeit).await);
    assert_eq!((error.operation(), way(&recovered), organization.writes()), (Some(listing), Way::Unknown, 0));
}

#[tokio::test(start_paused = true)]
async fn what_ended_is_dated_by_the_look_before_the_write() {
    let organization = delegated().build();
    let delegated = delegated_in(&organization).await;
    organization.undelegate(alice());
    organization.delegate(alice());
    let now = expect_delegated(observe(&organization).await).administrator().since;
    let trusted = delegated.deregister(Syncs::Forfeit).await.unwrap();
    assert!(matches!(&trusted.changes()[0].kind, ChangeKind::AdministratorDeregistered { since, .. } if *since == now));

    // A look that is late for the registration shows no date, and the one before it did.
    let mut client = client(vec![trusted_since(1)], vec![alice_since(5), nobody()]);
    client.expect_deregister_delegated_administrator().times(1).returning(|_, _| Ok(()));
    let trusted = expect_delegated(look(client).await).deregister(Syncs::Forfeit).await.unwrap();
    assert!(
        matches!(&trusted.changes()[0].kind, ChangeKind::AdministratorDeregistered { since, .. } if *since == date(5))
    );
}

#[tokio::test(start_paused = true)]
async fn all_features_are_needed_to_register_too() {
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
    let (error, recovered) = failed(trusted.register_delegated_administrator(&alice()).await);
    assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::NotAllFeatures, Way::Unchanged));

    // Where the feature set was not shown, AWS's refusal is looked into; where it never is, AWS's word is all there is.
    let reason = "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE";
    for (shown, evidence) in [(billing(), Evidence::Observed), (billing().with_feature_set(None), Evidence::Said)] {
        let mut client = MockClient::new();
        let mut shown = [billing().with_feature_set(None), shown].into_iter();
        client.expect_describe_organization().times(2).returning(move || Ok(shown.next().unwrap()));
        client.expect_get_caller_identity().returning(|| Ok(CallerIdentity::new(management())));
        client.expect_list_aws_service_access_for_organization().returning(|_| Ok(untrusted()));
        client.expect_list_delegated_administrators().returning(|_, _| Ok(nobody()));
        client.expect_enable_aws_service_access().times(1).returning(move |_| {
            let error = Error::service(Operation::EnableAwsServiceAccess, "ConstraintViolationException", "");
            Err(error.with_reason(reason))
        });
        let (error, _) = failed(expect_disabled(look(client).await).enable_trusted_access().await);
        assert_eq!(
            (error.kind(), error.reason(), error.evidence()),
            (&ErrorKind::NotAllFeatures, Some(reason), evidence)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_to_be_kept_is_looked_for_again_before_it_is_refused() {
    let organization = organization().delegated_to(alice()).build();
    let irregular = irregular_in(&organization).await;
    let (error, recovered) = failed(irregular.keep_only(&bob(), Syncs::Forfeit).await);
    assert_eq!(
        (error.kind(), error.account(), way(&recovered)),
        (&ErrorKind::NotAnAdministrator, Some(bob()), Way::Unchanged)
    );

    let irregular = irregular_in(&organization).await;
    organization.delegate(bob());
    let (error, recovered) = failed(irregular.keep_only(&bob(), Syncs::Forfeit).await);
    assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::StateMoved, Way::Moved));
    assert_eq!(organization.writes(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_account_is_looked_at_before_trust_is_reinstated() {
    let organization = organization().member_in(alice(), AccountState::Suspended).delegated_to(alice()).build();
    let (error, recovered) = failed(observe(&organization).await.ensure_delegated(&alice()).await);
    assert!(matches!(error.kind(), ErrorKind::NotActive { .. }), "{error}");
    assert_eq!((way(&recovered), organization.writes()), (Way::Unchanged, 0));
}

#[tokio::test(start_paused = true)]
async fn an_account_on_two_pages_is_one_administrator() {
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
async fn a_sync_on_two_pages_is_one() {
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
async fn a_listing_without_dates_cannot_be_told_from_a_late_one() {
    let undated = || Page::last(vec![DelegatedAdministrator::new(alice(), None)]);
    let mut client =
        client(vec![trusted_since(1), untrusted()], vec![undated(), undated(), nobody(), undated(), nobody()]);
    client.expect_deregister_delegated_administrator().times(1).returning(|_, _| Ok(()));
    client.expect_disable_aws_service_access().times(1).returning(|_| Ok(()));
    look(client).await.ensure_disabled(Syncs::Forfeit).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_state_that_aws_does_not_show_is_left_to_aws() {
    let mut client = MockClient::new();
    client.expect_describe_organization().returning(|| Ok(Organization::new("o-exampleorgid".parse()?, management())));
    client.expect_get_caller_identity().returning(|| Ok(CallerIdentity::new(management())));
    client.expect_list_aws_service_access_for_organization().returning(|_| Ok(trusted_since(1)));
    let mut shown = [nobody(), alice_since(2)].into_iter();
    client.expect_list_delegated_administrators().returning(move |_, _| Ok(shown.next().unwrap()));
    client
        .expect_describe_account()
        .returning(|account| Ok(Account::new(*account, AccountState::Active).with_state(None)));
    client.expect_register_delegated_administrator().times(1).returning(|_, _| Ok(()));
    look(client).await.ensure_delegated(&alice()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn only_awss_word_for_it_makes_an_account_no_member() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.fault(Operation::DescribeAccount, 1, Fault::refused("AccessDeniedException"));
    let (error, _) = failed(trusted.register_delegated_administrator(&alice()).await);
    assert_eq!((error.kind(), error.operation()), (&ErrorKind::AccessDenied, Some(Operation::DescribeAccount)));
    assert_eq!((error.account(), error.caller()), (Some(alice()), Some(management())));
}

#[tokio::test(start_paused = true)]
async fn only_a_refusal_is_put_down_to_consolidated_billing() {
    let organization = organization().feature_set(FeatureSet::ConsolidatedBilling).build();
    organization.fault(Operation::ListAwsServiceAccessForOrganization, 1, Fault::refused("TooManyRequestsException"));
    let (error, _) = failed(Integration::new(organization.management_client()).observe().await);
    assert_eq!(*error.kind(), ErrorKind::Throttled);
}

#[tokio::test(start_paused = true)]
async fn nobody_but_the_management_account_registers() {
    let mut client = MockClient::new();
    client.expect_describe_organization().returning(|| Ok(Organization::new("o-exampleorgid".parse()?, management())));
    client.expect_get_caller_identity().returning(|| Ok(CallerIdentity::new(bob())));
    client.expect_list_aws_service_access_for_organization().returning(|_| Ok(trusted_since(1)));
    client.expect_list_delegated_administrators().returning(|_, _| Ok(nobody()));
    let (error, _) = failed(look(client).await.ensure_delegated(&alice()).await);
    assert!(matches!(error.kind(), ErrorKind::NotManagementAccount { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_same_administrators_in_another_order_are_no_change() {
    let pair = |first, second| {
        Page::last(vec![DelegatedAdministrator::new(first, date(1)), DelegatedAdministrator::new(second, date(2))])
    };
    let mut client = client(vec![untrusted()], vec![pair(alice(), bob()), pair(bob(), alice())]);
    let denied = || Err(Error::service(Operation::EnableAwsServiceAccess, "AccessDeniedException", ""));
    client.expect_enable_aws_service_access().times(1).returning(move |_| denied());
    let (_, recovered) = failed(expect_irregular(look(client).await).reinstate_trust().await);
    assert_eq!(way(&recovered), Way::Unchanged);
}

#[tokio::test(start_paused = true)]
async fn a_lost_write_that_leads_elsewhere_is_perhaps_applied() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.fault(Operation::RegisterDelegatedAdministrator, 1, Fault::LostAfter);
    organization.before(Operation::ListDelegatedAdministrators, 1, |organization| organization.delegate(bob()));
    let (error, recovered) = failed(trusted.register_delegated_administrator(&alice()).await);
    assert_eq!((error.applied(), way(&recovered)), (Applied::Unknown, Way::Moved));
}

#[tokio::test(start_paused = true)]
async fn enabling_that_leads_to_an_administrator_is_a_move_and_nobodys_fault() {
    let organization = organization().build();
    let disabled = disabled_in(&organization).await;
    organization.before(Operation::EnableAwsServiceAccess, 1, |organization| {
        organization.trust(&SSM);
        organization.delegate(alice());
    });
    organization.fault(Operation::EnableAwsServiceAccess, 1, Fault::refused("ConcurrentModificationException"));
    let (error, recovered) = failed(disabled.enable_trusted_access().await);
    assert_eq!((error.kind(), error.operation()), (&ErrorKind::StateMoved, Some(Operation::EnableAwsServiceAccess)));
    assert_eq!((error.applied(), way(&recovered)), (Applied::No, Way::Moved));
}

#[tokio::test(start_paused = true)]
async fn a_denied_enabling_and_a_late_listing_are_no_success() {
    let old = trusted_since(1);
    let mut client = client(vec![trusted_since(1), untrusted(), old, untrusted()], vec![nobody()]);
    client.expect_disable_aws_service_access().times(1).returning(|_| Ok(()));
    let denied = || Err(Error::service(Operation::EnableAwsServiceAccess, "AccessDeniedException", ""));
    client.expect_enable_aws_service_access().times(1).returning(move |_| denied());
    let disabled = expect_trusted(look(client).await).disable(Syncs::Forfeit).await.unwrap();
    let (error, recovered) = failed(disabled.enable_trusted_access().await);
    assert_eq!((error.kind(), way(&recovered)), (&ErrorKind::AccessDenied, Way::Unchanged));
}

#[tokio::test(start_paused = true)]
async fn the_last_change_of_an_account_is_the_one_that_counts() {
    // Away and back, without dates: nothing is late.
    let undated = || Page::last(vec![DelegatedAdministrator::new(alice(), None)]);
    let listings = vec![undated(), undated(), nobody(), undated(), undated()];
    let mut shown = client(vec![trusted_since(1)], listings);
    shown.expect_deregister_delegated_administrator().times(1).returning(|_, _| Ok(()));
    shown.expect_register_delegated_administrator().times(1).returning(|_, _| Ok(()));
    let trusted = expect_delegated(look(shown).await).deregister(Syncs::Forfeit).await.unwrap();
    let delegated = trusted.register_delegated_administrator(&alice()).await.unwrap();
    let begun = tokio::time::Instant::now();
    let (_, recovered) = failed(Observed::from(delegated).ensure_delegated(&bob()).await);
    assert_eq!((way(&recovered), begun.elapsed()), (Way::Unchanged, Duration::ZERO));

    // From one to another: the first one's delegation in a listing is old, whatever became of the second.
    let bobs = || Page::last(vec![DelegatedAdministrator::new(bob(), date(2))]);
    let old = || {
        let alice = DelegatedAdministrator::new(alice(), date(1));
        Page::last(vec![alice, DelegatedAdministrator::new(bob(), date(2))])
    };
    let listings = vec![alice_since(1), alice_since(1), nobody(), bobs(), old(), bobs()];
    let mut shown = client(vec![trusted_since(1)], listings);
    shown.expect_deregister_delegated_administrator().times(1).returning(|_, _| Ok(()));
    shown.expect_register_delegated_administrator().times(1).returning(|_, _| Ok(()));
    let trusted = expect_delegated(look(shown).await).deregister(Syncs::Forfeit).await.unwrap();
    let delegated = trusted.register_delegated_administrator(&bob()).await.unwrap();
    let (error, recovered) = failed(Observed::from(delegated).ensure_delegated(&alice()).await);
    assert!(matches!(error.kind(), ErrorKind::OtherAdministrator { holders, .. } if *holders == [bob()]), "{error}");
    assert_eq!(way(&recovered), Way::Unchanged);
}

#[tokio::test(start_paused = true)]
async fn a_walk_that_ends_at_another_administrator_is_no_success() {
    let organization = trusting().build();
    let observed = observe(&organization).await;
    organization.delegate(bob());
    let (_, recovered) = failed(observed.ensure_delegated(&alice()).await);
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    assert_eq!(expect_delegated(observed).administrator().account, bob());

    // The same while trust is reinstated.
    let organization = crate::common::organization().delegated_to(alice()).build();
    let observed = observe(&organization).await;
    organization.before(Operation::EnableAwsServiceAccess, 1, |organization| {
        organization.trust(&SSM);
        organization.undelegate(alice());
        organization.delegate(bob());
    });
    organization.fault(Operation::EnableAwsServiceAccess, 1, Fault::refused("ConcurrentModificationException"));
    let (_, recovered) = failed(observed.ensure_delegated(&alice()).await);
    let Recovered::Moved(observed) = recovered else { panic!("{recovered:?}") };
    assert_eq!(expect_delegated(observed).administrator().account, bob());
}

#[tokio::test(start_paused = true)]
async fn administrators_that_come_and_go_are_not_waited_for_for_ever() {
    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    for nth in 0..50 {
        organization
            .before(Operation::ListDelegatedAdministrators, 2 * nth + 1, |organization| organization.delegate(bob()));
        organization
            .before(Operation::ListDelegatedAdministrators, 2 * nth + 2, |organization| organization.undelegate(bob()));
    }
    let begun = tokio::time::Instant::now();
    let (error, recovered) = failed(trusted.disable(Syncs::Forfeit).await);
    assert_eq!((error.kind(), error.retry(), way(&recovered)), (&ErrorKind::StateMoved, Retry::Spent, Way::Unchanged));
    assert!(begun.elapsed() <= Duration::from_mins(1));
    assert_eq!(organization.writes(), 0);
}
