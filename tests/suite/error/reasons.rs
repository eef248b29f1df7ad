//! Reasons of service errors, with and without the field of the request.
#![cfg(feature = "sim")]

use crate::common::{SSM, alice, every_setting, organization, trusting};
use ssm_organizations::plan::{Clients, Target};
use ssm_organizations::ports::{Operation, OrganizationsApi};
use ssm_organizations::sim::{Fault, RegisterWithoutTrust};
use ssm_organizations::{Error, ErrorKind, Remedy, ServicePrincipal};

const INVALID: &str = "InvalidInputException";
const CONSTRAINT: &str = "ConstraintViolationException";

fn refusal(operation: Operation, code: &str, reason: &str) -> Error {
    Error::from_service_error(operation, code, "").with_reason(reason)
}

#[test]
fn reason_with_a_field_is_split_at_the_colon() {
    for (text, reason, field) in [
        ("INVALID_PATTERN:ServicePrincipal", Some("INVALID_PATTERN"), Some("ServicePrincipal")),
        ("INVALID_PATTERN: ServicePrincipal ", Some("INVALID_PATTERN"), Some("ServicePrincipal")),
        ("INVALID_NEXT_TOKEN", Some("INVALID_NEXT_TOKEN"), None),
        ("NEW_REASON:Policy:Content", Some("NEW_REASON"), Some("Policy:Content")),
        ("INVALID_PATTERN:", Some("INVALID_PATTERN"), None),
        (":ServicePrincipal", None, Some("ServicePrincipal")),
        ("", None, None),
    ] {
        let error = refusal(Operation::EnableAwsServiceAccess, INVALID, text);
        assert_eq!((error.reason(), error.reason_field()), (reason, field), "{text:?}");
    }
    let error = refusal(Operation::EnableAwsServiceAccess, INVALID, "INVALID_PATTERN:ServicePrincipal");
    let text =
        "EnableAWSServiceAccess: refused (AWS answered InvalidInputException, INVALID_PATTERN of ServicePrincipal)";
    assert_eq!(error.to_string(), text);
    assert!(format!("{error:?}").contains("reason_field: ServicePrincipal"), "{error:?}");
}

#[test]
fn later_reason_without_a_field_replaces_the_field() {
    let error = refusal(Operation::EnableAwsServiceAccess, INVALID, "INVALID_PATTERN:ServicePrincipal");
    let error = error.with_reason("INPUT_REQUIRED");
    assert_eq!((error.reason(), error.reason_field()), (Some("INPUT_REQUIRED"), None));
}

#[test]
fn kind_and_remedies_do_not_depend_on_the_field() {
    for (operation, code, reason) in [
        (Operation::RegisterDelegatedAdministrator, INVALID, "UNRECOGNIZED_SERVICE_PRINCIPAL"),
        (Operation::EnableAwsServiceAccess, INVALID, "UNRECOGNIZED_SERVICE_PRINCIPAL"),
        (Operation::ListDelegatedAdministrators, INVALID, "INVALID_NEXT_TOKEN"),
        (Operation::RegisterDelegatedAdministrator, CONSTRAINT, "SERVICE_ACCESS_NOT_ENABLED"),
        (
            Operation::RegisterDelegatedAdministrator,
            CONSTRAINT,
            "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED",
        ),
    ] {
        let plain = refusal(operation, code, reason);
        let with_field = refusal(operation, code, &format!("{reason}:ServicePrincipal"));
        assert!(!plain.remedies().is_empty(), "{plain}");
        assert_eq!(with_field.kind(), plain.kind(), "{reason}");
        assert_eq!(with_field.confidence(), plain.confidence(), "{reason}");
        assert_eq!(with_field.remedies(), plain.remedies(), "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn stale_refusal_with_a_field_is_sent_again() {
    for reason in ["UNRECOGNIZED_SERVICE_PRINCIPAL:ServicePrincipal", "UNRECOGNIZED_SERVICE_PRINCIPAL"] {
        let organization = organization().build();
        let client = organization.management_client();
        let clients = Clients::new(&client);
        let operation = Operation::RegisterDelegatedAdministrator;
        organization.inject_fault(operation, 1, Fault::refused_with_reason(INVALID, reason));
        let target = Target::new().with_trusted_access(true).with_administrator(alice());
        target.plan(&clients).await.unwrap().apply(&clients, |_| {}).await.unwrap();
        assert_eq!(organization.administrators(), [alice()], "{reason}");
        assert_eq!(organization.call_count(operation), 2, "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn simulator_answers_with_and_without_the_field() {
    for setting in every_setting! {
        reasons: &[true, false],
        reason_fields: &[true, false],
        register_without_trust: &[RegisterWithoutTrust::UnrecognizedServicePrincipal],
    } {
        let organization = organization().undocumented_behavior(setting.clone()).build();
        let client = organization.management_client();
        let error = client.register_delegated_administrator(alice(), &SSM).await.unwrap_err();
        let reason = setting.reasons.then_some("UNRECOGNIZED_SERVICE_PRINCIPAL");
        assert_eq!(error.reason(), reason, "{setting:?}");
        let field = (setting.reasons && setting.reason_fields).then_some("ServicePrincipal");
        assert_eq!(error.reason_field(), field, "{setting:?}");
        let expected = if setting.reasons { ErrorKind::TrustedAccessDisabled } else { ErrorKind::ServiceError };
        assert_eq!(*error.kind(), expected, "{setting:?}");

        let unknown: ServicePrincipal = "unknown.example.com".parse().unwrap();
        let error = client.enable_aws_service_access(&unknown).await.unwrap_err();
        assert_eq!(error.reason(), reason, "{setting:?}");
        assert_eq!(error.remedies(), if setting.reasons { vec![Remedy::CheckPartition] } else { vec![] });
        let error = trusting()
            .undocumented_behavior(setting.clone())
            .build()
            .management_client()
            .list_delegated_administrators(&SSM, "x".parse().ok())
            .await
            .unwrap_err();
        assert_eq!(error.reason_field(), None, "AWS names no field for a page token");
    }
}
