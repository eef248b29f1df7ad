//! Transitions of the typed handles with scripted responses.

use std::time::Duration;

use aws_smithy_types::timeout::TimeoutConfig;
use ssm_organizations::aws::AwsClient;
use ssm_organizations::ports::{Operation, SystemsManagerClient};
use ssm_organizations::state::{Delegated, Disabled, TrustedAccess};
use ssm_organizations::{
    AccountId, Certainty, ErrorKind, Integration, Observed, Recovered, RetryStatus, SyncProtection, WriteStatus,
};

use crate::canned::{MANAGEMENT, MEMBER, Reply, Sent, Wire};

fn member() -> AccountId {
    MEMBER.parse().unwrap()
}

fn client(wire: &Wire) -> AwsClient {
    let limits = TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(5)).build();
    AwsClient::builder(&wire.config().build()).timeout_config(limits).build()
}

async fn observe(wire: &Wire) -> Observed<AwsClient> {
    Integration::new(client(wire)).observe().await.unwrap()
}

async fn disabled(wire: &Wire) -> Integration<Disabled, AwsClient> {
    match observe(wire).await {
        Observed::Disabled(handle) => handle,
        other => panic!("{other}"),
    }
}

async fn trusted(wire: &Wire) -> Integration<TrustedAccess, AwsClient> {
    match observe(wire).await {
        Observed::TrustedAccess(handle) => handle,
        other => panic!("{other}"),
    }
}

async fn delegated(wire: &Wire) -> Integration<Delegated, AwsClient> {
    match observe(wire).await {
        Observed::Delegated(handle) => handle,
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn onboarding_sends_expected_requests() {
    let wire = Wire::disabled()
        .on(Operation::ListAwsServiceAccessForOrganization, [Reply::services(false), Reply::services(true)])
        .on(Operation::EnableAwsServiceAccess, [Reply::done()])
        .on(Operation::DescribeAccount, [Reply::account()])
        .on(Operation::RegisterDelegatedAdministrator, [Reply::done()])
        .on(Operation::ListDelegatedAdministrators, [Reply::administrators(&[]), Reply::administrators(&[MEMBER])]);
    let enabled = disabled(&wire).await.enable_trusted_access().await.unwrap();
    let delegated = enabled.register_delegated_administrator(member()).await.unwrap();

    assert_eq!(
        delegated.to_string(),
        "Delegated: account 222222222222 administers Systems Manager in organization o-exampleorgid"
    );
    assert_eq!(delegated.caller(), Some(MANAGEMENT.parse().unwrap()));
    let changes: Vec<_> = delegated.changes().iter().map(|change| (change.to_string(), change.certainty)).collect();
    assert_eq!(
        changes,
        [
            ("trusted access for ssm.amazonaws.com enabled".to_owned(), Certainty::Confirmed),
            (
                "account 222222222222 registered as delegated administrator of ssm.amazonaws.com".to_owned(),
                Certainty::Confirmed
            ),
        ]
    );
    let sent: Vec<_> = wire.sent().into_iter().map(|sent| sent.operation).collect();
    let mut observed = sent[..4].to_vec();
    observed.sort();
    assert_eq!(
        observed,
        [
            "DescribeOrganization",
            "GetCallerIdentity",
            "ListAWSServiceAccessForOrganization",
            "ListDelegatedAdministrators"
        ]
    );
    assert_eq!(
        sent[4..],
        [
            "EnableAWSServiceAccess",
            "ListAWSServiceAccessForOrganization",
            "DescribeAccount",
            "RegisterDelegatedAdministrator",
            "ListDelegatedAdministrators",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn teardown_retries_throttling_and_conflicts() {
    let wire = Wire::disabled()
        .on(Operation::ListAwsServiceAccessForOrganization, [Reply::services(true), Reply::services(false)])
        .on(
            Operation::ListDelegatedAdministrators,
            [Reply::administrators(&[MEMBER]), Reply::administrators(&[MEMBER]), Reply::administrators(&[])],
        )
        .on(
            Operation::DeregisterDelegatedAdministrator,
            [Reply::error("TooManyRequestsException"), Reply::error("ConcurrentModificationException"), Reply::done()],
        )
        .on(Operation::ListResourceDataSync, [Reply::empty_page(None)])
        .on(Operation::DisableAwsServiceAccess, [Reply::error("FinalizingOrganizationException"), Reply::done()]);
    let trusted = delegated(&wire).await.deregister(SyncProtection::AllowLoss).await.unwrap();
    let ssm = client(&wire);
    let clients: &[&dyn SystemsManagerClient] = &[&ssm];
    let regions = ["eu-central-1".parse().unwrap(), "us-east-1".parse().unwrap()];
    let disabled = trusted.disable(SyncProtection::Protect { clients, regions: &regions }).await.unwrap();

    assert_eq!(disabled.changes().len(), 2);
    assert_eq!(wire.count(Operation::DeregisterDelegatedAdministrator), 3);
    assert_eq!(wire.count(Operation::DisableAwsServiceAccess), 2);
    let mut hosts: Vec<_> = wire
        .sent()
        .iter()
        .filter(|sent| sent.operation == "ListResourceDataSync")
        .map(|sent| sent.host().to_owned())
        .collect();
    hosts.sort();
    assert_eq!(hosts, ["ssm.eu-central-1.amazonaws.com", "ssm.us-east-1.amazonaws.com"]);
}

#[tokio::test(start_paused = true)]
async fn lost_response_with_visible_effect_is_unconfirmed() {
    for lost in [Reply::Never, Reply::new(500, ""), Reply::failure("ServiceException")] {
        let wire = Wire::disabled()
            .on(Operation::ListAwsServiceAccessForOrganization, [Reply::services(false), Reply::services(true)])
            .on(Operation::EnableAwsServiceAccess, [lost]);
        let enabled = disabled(&wire).await.enable_trusted_access().await.unwrap();
        let [change] = enabled.changes() else { panic!("{:?}", enabled.changes()) };
        assert_eq!(change.certainty, Certainty::Unconfirmed);
        assert_eq!(wire.count(Operation::EnableAwsServiceAccess), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn lost_response_without_visible_effect_is_unknown() {
    for lost in [Reply::Never, Reply::new(500, ""), Reply::failure("ServiceException")] {
        let wire = Wire::disabled()
            .on(Operation::ListAwsServiceAccessForOrganization, [Reply::services(true)])
            .on(Operation::DescribeAccount, [Reply::account()])
            .on(Operation::RegisterDelegatedAdministrator, [lost]);
        let failure = trusted(&wire).await.register_delegated_administrator(member()).await.unwrap_err();
        let (error, recovered) = failure.into_parts();
        assert_eq!((error.kind(), error.write_status()), (&ErrorKind::ResponseLost, WriteStatus::Unknown));
        assert_eq!(error.account(), Some(member()));
        assert!(matches!(recovered, Recovered::Unknown(_)), "{recovered:?}");
        assert_eq!(wire.count(Operation::RegisterDelegatedAdministrator), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn enable_not_sent_is_unchanged() {
    let wire = Wire::disabled().on(
        Operation::EnableAwsServiceAccess,
        [Reply::Failure(|| {
            let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
            aws_smithy_runtime_api::client::result::ConnectorError::io(refused.into())
        })],
    );
    let (error, recovered) = disabled(&wire).await.enable_trusted_access().await.unwrap_err().into_parts();
    assert_eq!(
        (error.kind(), error.retry_status(), error.write_status()),
        (&ErrorKind::NotSent, RetryStatus::Temporary, WriteStatus::NotApplied)
    );
    assert!(matches!(recovered, Recovered::Unchanged(_)), "{recovered:?}");
}

#[tokio::test(start_paused = true)]
async fn refused_enable_is_unchanged() {
    let wire =
        Wire::disabled().on(Operation::EnableAwsServiceAccess, [Reply::new(403, "<html><h1>Forbidden</h1></html>")]);
    let (error, recovered) = disabled(&wire).await.enable_trusted_access().await.unwrap_err().into_parts();
    assert_eq!((error.kind(), error.write_status()), (&ErrorKind::AccessDenied, WriteStatus::NotApplied));
    assert!(matches!(recovered, Recovered::Unchanged(_)), "{recovered:?}");
    assert_eq!(wire.count(Operation::EnableAwsServiceAccess), 1);
}

#[tokio::test(start_paused = true)]
async fn observe_follows_empty_pages() {
    let more = |token: &str| Reply::empty_page(Some(token));
    let wire = Wire::disabled()
        .on(Operation::ListAwsServiceAccessForOrganization, [more("1"), more("2"), Reply::services(true)])
        .on(Operation::ListDelegatedAdministrators, [more("a"), more("b"), Reply::administrators(&[MEMBER])]);
    delegated(&wire).await;
    for (operation, tokens) in [
        (Operation::ListAwsServiceAccessForOrganization, [None, Some("1"), Some("2")]),
        (Operation::ListDelegatedAdministrators, [None, Some("a"), Some("b")]),
    ] {
        let sent = wire.sent();
        let asked: Vec<_> = sent.iter().filter(|sent| sent.operation == operation.name()).map(Sent::json).collect();
        let asked: Vec<_> = asked.iter().map(|body| body["NextToken"].as_str()).collect();
        assert_eq!(asked, tokens);
    }
}

#[tokio::test(start_paused = true)]
async fn observe_fails_on_repeated_page_token() {
    for operation in [Operation::ListAwsServiceAccessForOrganization, Operation::ListDelegatedAdministrators] {
        let wire = Wire::disabled().on(operation, [Reply::empty_page(Some("again"))]);
        let error = Integration::new(client(&wire)).observe().await.unwrap_err();
        assert_eq!(*error.error().kind(), ErrorKind::RepeatedPageToken);
        assert_eq!(wire.count(operation), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn disable_fails_if_syncs_cannot_be_listed() {
    let wire = Wire::disabled()
        .on(Operation::ListAwsServiceAccessForOrganization, [Reply::services(true)])
        .on(Operation::ListResourceDataSync, [Reply::error("AccessDeniedException")]);
    let handle = trusted(&wire).await;
    let ssm = client(&wire);
    let clients: &[&dyn SystemsManagerClient] = &[&ssm];
    let regions = ["eu-central-1".parse().unwrap()];
    let (error, recovered) =
        handle.disable(SyncProtection::Protect { clients, regions: &regions }).await.unwrap_err().into_parts();
    assert!(matches!(error.kind(), ErrorKind::DataSyncsNotChecked { .. }), "{error:?}");
    assert!(matches!(recovered, Recovered::Unchanged(_)), "{recovered:?}");
    assert_eq!(wire.count(Operation::DisableAwsServiceAccess), 0);
}
