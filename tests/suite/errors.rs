//! What errors say, and what they keep to themselves.
#![cfg(feature = "sim")]

use std::error::Error as StdError;

use crate::common::{
    alice, failed, management, observe, organization, organization_sync, region, trusted_in, trusting,
};
use ssm_organizations::ports::{AccountState, FeatureSet, Operation, SourceRegions, SyncDefinition};
use ssm_organizations::sim::Fault;
use ssm_organizations::{
    AccountId, Applied, Error, ErrorKind, OrganizationId, Region, Remedy, Retry, ServicePrincipal, SyncName, Syncs,
};

#[tokio::test(start_paused = true)]
async fn a_refusal_reads_like_an_explanation() {
    let member = organization().build();
    let handle = ssm_organizations::Integration::new(member.client(alice()));
    assert_eq!(
        failed(handle.observe().await).0.to_string(),
        "ListAWSServiceAccessForOrganization as 222222222222: access denied; use credentials of the management account \
         111111111111 or of a delegated administrator, or add the permission \
         organizations:ListAWSServiceAccessForOrganization (AWS answered AccessDeniedException): You don't have permissions to access this resource."
    );

    let organization = organization().member_in(alice(), AccountState::Suspended).build();
    assert_eq!(
        failed(observe(&organization).await.ensure_delegated(&alice()).await).0.to_string(),
        "RegisterDelegatedAdministrator for account 222222222222 as 111111111111: the account is SUSPENDED, and only an \
         ACTIVE one can become the delegated administrator; name an active member account of the organization"
    );

    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.delegate(crate::common::bob());
    assert_eq!(
        failed(trusted.register_delegated_administrator(&alice()).await).0.to_string(),
        "RegisterDelegatedAdministrator for account 222222222222 as 111111111111: the one delegation that Systems Manager \
         allows is held by 333333333333; deregister account 333333333333 first (AWS answered ConstraintViolationException, \
         MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED): You have exceeded the allowed number of delegated \
         administrators for the delegated service."
    );

    let organization = trusting().build();
    let trusted = trusted_in(&organization).await;
    organization.fault(Operation::DisableAwsServiceAccess, 1, Fault::LostBefore);
    assert_eq!(
        failed(trusted.disable(Syncs::Forfeit).await).0.to_string(),
        "DisableAWSServiceAccess as 111111111111: no usable answer, so it may have been applied; observe again"
    );

    let organization = crate::common::organization().feature_set(FeatureSet::ConsolidatedBilling).build();
    let handle = ssm_organizations::Integration::new(organization.management_client());
    let error = failed(handle.observe().await).0.to_string();
    assert!(
        error.contains("consolidated billing only, and trusted access needs all features; enable all features"),
        "{error}"
    );
}

#[test]
fn the_code_decides_what_may_be_tried_again_and_what_may_have_happened() {
    let write = Operation::EnableAwsServiceAccess;
    let read = Operation::DescribeOrganization;
    let cases = [
        ("AWSOrganizationsNotInUseException", ErrorKind::NotInOrganization, Retry::Permanent, Applied::No),
        ("AccessDeniedException", ErrorKind::AccessDenied, Retry::Permanent, Applied::No),
        ("AccessDenied", ErrorKind::AccessDenied, Retry::Permanent, Applied::No),
        ("TooManyRequestsException", ErrorKind::Throttled, Retry::Temporary, Applied::No),
        ("ThrottlingException", ErrorKind::Throttled, Retry::Temporary, Applied::No),
        ("ConcurrentModificationException", ErrorKind::ConcurrentModification, Retry::Temporary, Applied::No),
        ("FinalizingOrganizationException", ErrorKind::Finalizing, Retry::Temporary, Applied::No),
        ("ServiceException", ErrorKind::Lost, Retry::Temporary, Applied::Unknown),
        ("InternalServerError", ErrorKind::Lost, Retry::Temporary, Applied::Unknown),
        ("LimitExceededException", ErrorKind::QuotaExceeded, Retry::Permanent, Applied::No),
        ("UnsupportedAPIEndpointException", ErrorKind::Unsupported, Retry::Permanent, Applied::No),
        ("ExpiredTokenException", ErrorKind::CredentialsRejected, Retry::Permanent, Applied::No),
        ("RequestTimeTooSkewed", ErrorKind::ClockSkewed, Retry::Permanent, Applied::No),
        ("RequestTimeout", ErrorKind::Lost, Retry::Temporary, Applied::Unknown),
        ("RequestAbortedException", ErrorKind::Lost, Retry::Temporary, Applied::Unknown),
        ("NotAuthorized", ErrorKind::AccessDenied, Retry::Permanent, Applied::No),
        ("OptInRequired", ErrorKind::CredentialsRejected, Retry::Permanent, Applied::No),
        ("ConstraintViolationException", ErrorKind::Refused, Retry::Permanent, Applied::No),
        ("NobodyKnowsException", ErrorKind::Refused, Retry::Permanent, Applied::No),
    ];
    for (code, kind, retry, applied) in cases {
        let error = Error::service(write, code, "said AWS");
        assert_eq!((error.kind(), error.retry(), error.applied()), (&kind, retry, applied), "{code}");
        assert_eq!((error.code(), error.message()), (Some(code), Some("said AWS")));
        assert_eq!(error.is_retryable(), retry == Retry::Temporary);
        assert_eq!(Error::service(read, code, "").applied(), Applied::No, "a read changes nothing: {code}");
        assert_eq!(Error::service(read, code, "").message(), None);
    }
    assert_eq!(Error::lost(write).applied(), Applied::Unknown);
    assert_eq!(Error::lost(read).applied(), Applied::No);
    assert_eq!(Error::unexpected(write, "half an answer").applied(), Applied::Unknown);
    assert_eq!(Error::not_sent(write, "no Region").applied(), Applied::No);
    assert!(!Error::lost(read).with_retry(Retry::Spent).is_retryable(), "nobody multiplies spent retries");
}

#[test]
fn a_read_without_an_answer_has_changed_nothing_and_is_not_looked_after() {
    let remedies = |error: &Error| error.remedies().iter().map(ToString::to_string).collect::<Vec<_>>();
    let [read, write] = [Operation::DescribeOrganization, Operation::EnableAwsServiceAccess];
    let error = Error::lost(read);
    assert_eq!(error.to_string(), "DescribeOrganization: no usable answer; try again later");
    let error = Error::unexpected(read, "half an answer");
    assert_eq!(error.to_string(), "DescribeOrganization: the answer cannot be understood: half an answer");
    assert_eq!(remedies(&error), [""; 0]);
    for error in [Error::lost(write), Error::unexpected(write, "half an answer")] {
        assert_eq!(remedies(&error), ["observe again"], "{error}");
    }
}

/// An error of somebody else's, with another behind it.
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
fn all_that_is_behind_an_error_is_told() {
    let outer = || Outer(std::io::Error::other("the cable is cut"));
    let error = Error::lost(Operation::DescribeOrganization).with_source(outer());
    assert_eq!(error.causes(), ["the call failed", "the cable is cut"]);
    let source = error.source().unwrap();
    assert_eq!(format!("{source:?}"), "the call failed");
    assert_eq!(source.source().map(ToString::to_string), Some("the cable is cut".to_owned()));
    assert!(source.source().unwrap().source().is_none());
    assert_eq!(
        format!("{error:#}"),
        "DescribeOrganization: no usable answer; try again later: the call failed: the cable is cut"
    );
}

#[test]
fn a_message_is_said_once_by_the_error_or_by_its_source() {
    let error =
        || Error::service(Operation::EnableAwsServiceAccess, "OddException", "the words").with_request_id("id-1");
    assert_eq!(
        error().to_string(),
        "EnableAWSServiceAccess: refused (AWS answered OddException, request id id-1): the words"
    );
    let sourced = error().with_reason("WHY").with_source(std::io::Error::other("the words"));
    assert_eq!(
        sourced.to_string(),
        "EnableAWSServiceAccess: refused (AWS answered OddException, WHY, request id id-1)"
    );
    assert_eq!(sourced.source().unwrap().to_string(), "the words");
    assert!(sourced.client_error().unwrap().is::<std::io::Error>(), "the client's own, for a downcast");
    assert_eq!(
        format!("{sourced:#}"),
        "EnableAWSServiceAccess: refused (AWS answered OddException, WHY, request id id-1): the words"
    );
    let unsent =
        Error::not_sent(Operation::EnableAwsServiceAccess, "no credentials").with_source(std::io::Error::other("a"));
    assert_eq!(
        format!("{unsent:#}"),
        "EnableAWSServiceAccess: not sent: no credentials: a",
        "our own words are no source's"
    );
    assert_eq!(
        (sourced.message(), sourced.reason(), sourced.request_id()),
        (Some("the words"), Some("WHY"), Some("id-1"))
    );
}

#[test]
fn an_e_mail_address_goes_nowhere() {
    let address = "owner.of-it@example.com";
    let source = std::io::Error::other(format!("{address} said no"));
    let error = Error::service(Operation::DescribeAccount, "OddException", format!("Account of <{address}> is odd"));
    assert!(!error.to_string().contains("example.com"), "{error}");
    let error = error.with_message(format!("mailto:{address}")).with_source(source);
    for shown in
        [format!("{error:?}"), format!("{error:#}"), error.message().unwrap().to_owned(), error.causes().concat()]
    {
        assert!(!shown.contains("example.com"), "{shown}");
    }
    // Whoever prints the chain, as anyhow does.
    let chained =
        anyhow::Error::from(Error::lost(Operation::DescribeAccount).with_source(std::io::Error::other(address)));
    let reasoned = Error::service(Operation::DescribeAccount, address, "").with_reason(address);
    for shown in [format!("{chained:#}"), format!("{chained:?}"), format!("{reasoned} {reasoned:?}")] {
        assert!(!shown.contains("example.com"), "{shown}");
    }
    let invalid = Error::from(AccountId::new(address).unwrap_err());
    for shown in [format!("{invalid:?}"), format!("{invalid}")] {
        assert!(!shown.contains("example.com"), "{shown}");
    }
}

#[test]
fn a_program_says_some_remedies_in_terms_of_its_own() {
    let error = Error::service(Operation::DisableAwsServiceAccess, "AccessDeniedException", "");
    let told = |keep: fn(&Remedy) -> bool| error.to_string_with(keep);
    assert_eq!(told(|_| true), error.to_string());
    let without = "DisableAWSServiceAccess: access denied (AWS answered AccessDeniedException)";
    assert_eq!(told(|_| false), without);
    let one = told(|remedy| matches!(remedy, Remedy::UseManagementAccount { .. }));
    assert_eq!(one, without.replace(" (", "; use credentials of the management account ("));
}

/// What may stand in a name that anybody gave, and is no line of ours.
const FORGED: &str = "two\nlines\u{1b}[2J\u{9b}H\u{2028}\u{202e}";

fn is_of_one_line(text: &str) {
    let breaks = |c: char| c.is_control() || ['\u{2028}', '\u{202e}'].contains(&c);
    assert!(!text.contains(breaks), "{text:?}");
}

#[tokio::test(start_paused = true)]
async fn a_name_forges_no_line_of_a_log() {
    let here = region("eu-central-1");
    let names = ["a", "b", "c", "d", FORGED];
    let organization = trusting().role_for(&ServicePrincipal::ACCOUNT_DISCOVERY);
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
    assert!(matches!(error.kind(), ErrorKind::SyncQuotaFull { .. }), "{error}");
    assert!(error.to_string().contains("two\\nlines\\u{1b}[2J"), "{error}");
    for text in [error.to_string(), format!("{error:#}"), format!("{error:?}"), format!("{:?}", error.kind())] {
        is_of_one_line(&text);
    }
    error.remedies().iter().for_each(|remedy| is_of_one_line(&remedy.to_string()));
}

#[test]
fn nor_does_what_aws_says_or_a_source() {
    let operation = Operation::EnableAwsServiceAccess;
    let said = Error::service(operation, FORGED, FORGED).with_reason(FORGED).with_request_id(FORGED);
    assert_eq!(said.message(), Some(FORGED), "it is kept as it came");
    let sourced = Error::lost(operation).with_source(std::io::Error::other(FORGED));
    let unsent =
        Error::not_sent(operation, FORGED).with_source(Error::from(SyncName::new(FORGED.repeat(9)).unwrap_err()));
    for error in [said, sourced, unsent] {
        for text in [error.to_string(), format!("{error:#}"), format!("{error:?}")] {
            is_of_one_line(&text);
        }
        error.causes().iter().for_each(|cause| is_of_one_line(cause));
        // Whoever prints the chain, as anyhow does.
        is_of_one_line(&format!("{:#}", anyhow::Error::from(error)));
    }
}

#[test]
fn debug_shows_all_that_is_known_on_one_level() {
    let error = Error::service(Operation::EnableAwsServiceAccess, "OddException", "the words").with_request_id("id-1");
    assert_eq!(
        format!("{error:?}"),
        "Error { kind: Refused, evidence: Said, retry: Permanent, applied: No, operation: EnableAWSServiceAccess, code: OddException, \
         message: the words, request_id: id-1 }"
    );
}

#[test]
fn identifiers_are_what_aws_says_they_are() {
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
    let region = |length: usize| Region::new("a".repeat(length));
    assert!(region(1).is_ok() && region(64).is_ok() && region(0).is_err() && region(65).is_err());
    assert!(Region::new("EU-central-1").is_err() && Region::new("eu central").is_err());
    let principal = |length: usize| ServicePrincipal::new("a".repeat(length));
    assert!(principal(1).is_ok() && principal(128).is_ok() && principal(0).is_err() && principal(129).is_err());
    assert!(ServicePrincipal::new("a/b").is_err());
}
