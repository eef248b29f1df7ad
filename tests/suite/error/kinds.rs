//! Texts of errors, and their redaction.
#![cfg(feature = "sim")]

use std::error::Error as StdError;

use crate::common::{
    alice, failed, management, observe, organization, organization_sync, region, trusted_in, trusting,
};
use ssm_organizations::domain::OrganizationId;
use ssm_organizations::ports::{AccountState, FeatureSet, Operation, SourceRegions, SyncDefinition};
use ssm_organizations::sim::Fault;
use ssm_organizations::{
    AccountId, Error, ErrorKind, Region, Remedy, RetryStatus, ServicePrincipal, SyncName, SyncProtection, WriteStatus,
};

#[tokio::test(start_paused = true)]
async fn refused_call_displays_cause_and_remedy() {
    let member = organization().build();
    let handle = ssm_organizations::Integration::new(member.client(alice()));
    assert_eq!(
        failed(handle.observe().await).0.to_string(),
        "ListAWSServiceAccessForOrganization as 222222222222: access denied; use credentials of the management account \
         111111111111 or of a delegated administrator, or add the permission \
         organizations:ListAWSServiceAccessForOrganization, or allow organizations:ListAWSServiceAccessForOrganization \
         in the delegation policy of the organization (AWS answered AccessDeniedException): You don't have permissions \
         to access this resource."
    );

    let organization = organization().member_with_state(alice(), AccountState::Suspended).build();
    assert_eq!(
        failed(observe(&organization).await.ensure_delegated(alice()).await).0.to_string(),
        "RegisterDelegatedAdministrator for account 222222222222 as 111111111111: the account is SUSPENDED; only an \
         ACTIVE account can become the delegated administrator; use an active member account of the organization"
    );

    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.register_administrator(crate::common::bob());
    assert_eq!(
        failed(trusted.register_delegated_administrator(alice()).await).0.to_string(),
        "RegisterDelegatedAdministrator for account 222222222222 as 111111111111: Systems Manager already has \
         a delegated administrator: 333333333333; deregister account 333333333333 first (AWS answered ConstraintViolationException, \
         MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED): You have exceeded the allowed number of delegated \
         administrators for the delegated service."
    );

    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.inject_fault(Operation::DisableAwsServiceAccess, 1, Fault::RequestLost);
    assert_eq!(
        failed(trusted.disable(SyncProtection::AllowLoss).await).0.to_string(),
        "DisableAWSServiceAccess as 111111111111: no usable response; the write may have been applied; observe again"
    );

    let organization = crate::common::organization().feature_set(FeatureSet::ConsolidatedBilling).build();
    let handle = ssm_organizations::Integration::new(organization.management_client());
    let error = failed(handle.observe().await).0.to_string();
    assert!(
        error.contains("consolidated billing only; trusted access requires all features; enable all features"),
        "{error}"
    );
}

#[test]
fn service_error_code_sets_kind_retry_and_write_status() {
    let write = Operation::EnableAwsServiceAccess;
    let read = Operation::DescribeOrganization;
    let cases = [
        (
            "AWSOrganizationsNotInUseException",
            ErrorKind::NotInOrganization,
            RetryStatus::Permanent,
            WriteStatus::NotApplied,
        ),
        ("AccessDeniedException", ErrorKind::AccessDenied, RetryStatus::Permanent, WriteStatus::NotApplied),
        ("AccessDenied", ErrorKind::AccessDenied, RetryStatus::Permanent, WriteStatus::NotApplied),
        ("TooManyRequestsException", ErrorKind::Throttled, RetryStatus::Temporary, WriteStatus::NotApplied),
        ("ThrottlingException", ErrorKind::Throttled, RetryStatus::Temporary, WriteStatus::NotApplied),
        (
            "ConcurrentModificationException",
            ErrorKind::ConcurrentModification,
            RetryStatus::Temporary,
            WriteStatus::NotApplied,
        ),
        (
            "FinalizingOrganizationException",
            ErrorKind::OrganizationFinalizing,
            RetryStatus::Temporary,
            WriteStatus::NotApplied,
        ),
        ("ServiceException", ErrorKind::ResponseLost, RetryStatus::Temporary, WriteStatus::Unknown),
        ("InternalServerError", ErrorKind::ResponseLost, RetryStatus::Temporary, WriteStatus::Unknown),
        ("LimitExceededException", ErrorKind::QuotaExceeded, RetryStatus::Permanent, WriteStatus::NotApplied),
        ("UnsupportedAPIEndpointException", ErrorKind::Unsupported, RetryStatus::Permanent, WriteStatus::NotApplied),
        ("ExpiredTokenException", ErrorKind::CredentialsRejected, RetryStatus::Permanent, WriteStatus::NotApplied),
        ("RequestTimeTooSkewed", ErrorKind::ClockSkew, RetryStatus::Permanent, WriteStatus::NotApplied),
        ("RequestTimeout", ErrorKind::ResponseLost, RetryStatus::Temporary, WriteStatus::Unknown),
        ("RequestAbortedException", ErrorKind::ResponseLost, RetryStatus::Temporary, WriteStatus::Unknown),
        ("NotAuthorized", ErrorKind::AccessDenied, RetryStatus::Permanent, WriteStatus::NotApplied),
        ("OptInRequired", ErrorKind::CredentialsRejected, RetryStatus::Permanent, WriteStatus::NotApplied),
        ("ConstraintViolationException", ErrorKind::ServiceError, RetryStatus::Permanent, WriteStatus::NotApplied),
        ("NobodyKnowsException", ErrorKind::ServiceError, RetryStatus::Permanent, WriteStatus::NotApplied),
    ];
    for (code, kind, retry, applied) in cases {
        let error = Error::from_service_error(write, code, "said AWS");
        assert_eq!((error.kind(), error.retry_status(), error.write_status()), (&kind, retry, applied), "{code}");
        assert_eq!((error.code(), error.message()), (Some(code), Some("said AWS")));
        assert_eq!(error.is_retryable(), retry == RetryStatus::Temporary);
        assert_eq!(
            Error::from_service_error(read, code, "").write_status(),
            WriteStatus::NotApplied,
            "a read changes nothing: {code}"
        );
        assert_eq!(Error::from_service_error(read, code, "").message(), None);
    }
    assert_eq!(Error::response_lost(write).write_status(), WriteStatus::Unknown);
    assert_eq!(Error::response_lost(read).write_status(), WriteStatus::NotApplied);
    assert_eq!(Error::unexpected_response(write, "half an answer").write_status(), WriteStatus::Unknown);
    assert_eq!(Error::not_sent(write, "no Region").write_status(), WriteStatus::NotApplied);
    assert!(
        !Error::response_lost(read).with_retry(RetryStatus::Exhausted).is_retryable(),
        "exhausted retries are not repeated"
    );
}

#[test]
fn response_lost_of_read_has_no_reobserve_remedy() {
    let remedies = |error: &Error| error.remedies().iter().map(ToString::to_string).collect::<Vec<_>>();
    let [read, write] = [Operation::DescribeOrganization, Operation::EnableAwsServiceAccess];
    let error = Error::response_lost(read);
    assert_eq!(error.to_string(), "DescribeOrganization: no usable response; try again later");
    let error = Error::unexpected_response(read, "half an answer");
    assert_eq!(error.to_string(), "DescribeOrganization: unexpected response: half an answer");
    assert_eq!(remedies(&error), [""; 0]);
    for error in [Error::response_lost(write), Error::unexpected_response(write, "half an answer")] {
        assert_eq!(remedies(&error), ["observe again"], "{error}");
    }
}

/// Error of another library, with a source.
#[derive(Debug)]
struct Outer(std::io::Error);

impl std::fmt::Display for Outer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the call failed")
    }
}

impl StdError for Outer {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn error_causes_list_full_source_chain() {
    let outer = || Outer(std::io::Error::other("the cable is cut"));
    let error = Error::response_lost(Operation::DescribeOrganization).with_source(outer());
    assert_eq!(error.causes(), ["the call failed", "the cable is cut"]);
    let source = error.source().unwrap();
    assert_eq!(format!("{source:?}"), "the call failed");
    assert_eq!(source.source().map(ToString::to_string), Some("the cable is cut".to_owned()));
    assert!(source.source().unwrap().source().is_none());
    assert_eq!(
        format!("{error:#}"),
        "DescribeOrganization: no usable response; try again later: the call failed: the cable is cut"
    );
}

#[test]
fn error_displays_message_of_source_once() {
    let error = || {
        Error::from_service_error(Operation::EnableAwsServiceAccess, "OddException", "the words")
            .with_request_id("id-1")
    };
    assert_eq!(
        error().to_string(),
        "EnableAWSServiceAccess: refused (AWS answered OddException, request id id-1): the words"
    );
    let sourced = error().with_reason("WHY").with_source(std::io::Error::other("the words"));
    assert_eq!(
        sourced.to_string(),
        "EnableAWSServiceAccess: refused (AWS answered OddException, WHY, request id id-1): the words"
    );
    assert!(sourced.source().is_none(), "the line has the text");
    assert!(sourced.client_error().unwrap().is::<std::io::Error>(), "the client's error can be downcast");
    assert_eq!(
        format!("{sourced:#}"),
        "EnableAWSServiceAccess: refused (AWS answered OddException, WHY, request id id-1): the words"
    );
    let unsent =
        Error::not_sent(Operation::EnableAwsServiceAccess, "no credentials").with_source(std::io::Error::other("a"));
    assert_eq!(
        format!("{unsent:#}"),
        "EnableAWSServiceAccess: not sent: no credentials: a",
        "the message is not repeated as a source"
    );
    assert_eq!(
        (sourced.message(), sourced.reason(), sourced.request_id()),
        (Some("the words"), Some("WHY"), Some("id-1"))
    );
}

#[test]
fn error_texts_redact_email_addresses() {
    let address = "owner.of-it@example.com";
    let source = std::io::Error::other(format!("{address} said no"));
    let error =
        Error::from_service_error(Operation::DescribeAccount, "OddException", format!("Account of <{address}> is odd"));
    assert!(!error.to_string().contains("example.com"), "{error}");
    let error = error.with_message(format!("mailto:{address}")).with_source(source);
    for shown in
        [format!("{error:?}"), format!("{error:#}"), error.message().unwrap().to_owned(), error.causes().concat()]
    {
        assert!(!shown.contains("example.com"), "{shown}");
    }
    // `anyhow` prints the whole chain.
    let chained = anyhow::Error::from(
        Error::response_lost(Operation::DescribeAccount).with_source(std::io::Error::other(address)),
    );
    let reasoned = Error::from_service_error(Operation::DescribeAccount, address, "").with_reason(address);
    for shown in [format!("{chained:#}"), format!("{chained:?}"), format!("{reasoned} {reasoned:?}")] {
        assert!(!shown.contains("example.com"), "{shown}");
    }
    let invalid = Error::from(AccountId::new(address).unwrap_err());
    for shown in [format!("{invalid:?}"), format!("{invalid}")] {
        assert!(!shown.contains("example.com"), "{shown}");
    }
}

#[test]
fn display_with_remedies_shows_selected_remedies() {
    let error = Error::from_service_error(Operation::DisableAwsServiceAccess, "AccessDeniedException", "");
    let told = |keep: fn(&Remedy) -> bool| error.display_with_remedies(keep);
    assert_eq!(told(|_| true), error.to_string());
    let without = "DisableAWSServiceAccess: access denied (AWS answered AccessDeniedException)";
    assert_eq!(told(|_| false), without);
    let one = told(|remedy| matches!(remedy, Remedy::UseManagementAccount { .. }));
    assert_eq!(one, without.replace(" (", "; use credentials of the management account ("));
}

/// Text with control characters, which may occur in names and messages.
const FORGED: &str = "two\nlines\u{1b}[2J\u{9b}H\u{2028}\u{202e}";

fn is_of_one_line(text: &str) {
    let breaks = |c: char| c.is_control() || ['\u{2028}', '\u{202e}'].contains(&c);
    assert!(!text.contains(breaks), "{text:?}");
}

#[tokio::test(start_paused = true)]
async fn error_with_sync_name_escapes_control_characters() {
    let here = region("eu-central-1");
    let names = ["a", "b", "c", "d", FORGED];
    let organization = trusting().service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY);
    let organization = names
        .iter()
        .fold(organization, |builder, name| builder.data_sync(management(), here.clone(), organization_sync(name)))
        .build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let source = SourceRegions::new([here.clone()]).unwrap();
    let sixth = SyncDefinition::of_organization("sixth".parse().unwrap(), source);
    let made = trusted.data_syncs(&client).await.unwrap().ensure(&sixth, &[here]).await.unwrap();
    let error = made.into_result().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::SyncQuotaExceeded { .. }), "{error}");
    assert!(error.to_string().contains("two\\nlines\\u{1b}[2J"), "{error}");
    for text in [error.to_string(), format!("{error:#}"), format!("{error:?}"), format!("{:?}", error.kind())] {
        is_of_one_line(&text);
    }
    error.remedies().iter().for_each(|remedy| is_of_one_line(&remedy.to_string()));
}

#[test]
fn error_with_service_text_escapes_control_characters() {
    let operation = Operation::EnableAwsServiceAccess;
    let said = Error::from_service_error(operation, FORGED, FORGED).with_reason(FORGED).with_request_id(FORGED);
    assert_eq!(said.message(), Some(FORGED), "the message is kept unchanged");
    let sourced = Error::response_lost(operation).with_source(std::io::Error::other(FORGED));
    let unsent =
        Error::not_sent(operation, FORGED).with_source(Error::from(SyncName::new(FORGED.repeat(9)).unwrap_err()));
    for error in [said, sourced, unsent] {
        for text in [error.to_string(), format!("{error:#}"), format!("{error:?}")] {
            is_of_one_line(&text);
        }
        error.causes().iter().for_each(|cause| is_of_one_line(cause));
        // `anyhow` prints the whole chain.
        is_of_one_line(&format!("{:#}", anyhow::Error::from(error)));
    }
}

#[test]
fn error_debug_shows_known_fields_on_one_line() {
    let error = Error::from_service_error(Operation::EnableAwsServiceAccess, "OddException", "the words")
        .with_request_id("id-1");
    assert_eq!(
        format!("{error:?}"),
        "Error { kind: ServiceError, confidence: Reported, retry_status: Permanent, write_status: NotApplied, operation: EnableAWSServiceAccess, code: OddException, \
         message: the words, request_id: id-1 }"
    );
}

#[test]
fn identifiers_accept_only_documented_forms() {
    for good in ["000000000000", "123456789012"] {
        assert_eq!(good.parse::<AccountId>().unwrap().to_string(), good);
    }
    for bad in ["", "12345678901", "1234567890123", "12345678901a", "１２３４５６７８９０１２", " 23456789012"]
    {
        let error = Error::from(bad.parse::<AccountId>().unwrap_err());
        assert_eq!(*error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().ends_with("is not an account id: twelve digits"), "{error}");
    }
    let organization = |rest: usize| OrganizationId::new(format!("o-{}", "a".repeat(rest)));
    assert!(organization(10).is_ok() && organization(32).is_ok());
    assert!(organization(9).is_err() && organization(33).is_err() && OrganizationId::new("o-ABCDEFGHIJ").is_err());
    let sync = |length: usize| SyncName::new("ä".repeat(length));
    assert!(sync(1).is_ok() && sync(64).is_ok() && sync(0).is_err() && sync(65).is_err());
    let region = |length: usize| Region::new(format!("{}-east-1", "a".repeat(length - 7)));
    assert!(region(8).is_ok() && region(64).is_ok() && region(7).is_err() && region(65).is_err());
    assert!(Region::new("EU-central-1").is_err() && Region::new("eu central").is_err());
    let principal = |length: usize| ServicePrincipal::new("a".repeat(length));
    assert!(principal(1).is_ok() && principal(128).is_ok() && principal(0).is_err() && principal(129).is_err());
    assert!(ServicePrincipal::new("a/b").is_err());
}
