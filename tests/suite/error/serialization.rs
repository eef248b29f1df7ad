//! Names of kinds and remedies, and errors as JSON.
#![cfg(all(feature = "sim", feature = "serde"))]

use crate::common::{alice, bob, observe, organization, trusted_in, trusting};
use serde_json::json;
use ssm_organizations::ports::Operation;
use ssm_organizations::sim::Fault;
use ssm_organizations::{Error, ErrorKind, Remedy, RetryStatus, WriteStatus};

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for char in name.chars().take_while(|char| char.is_alphanumeric()) {
        if char.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(char.to_lowercase());
    }
    snake
}

#[test]
fn as_str_is_the_name_in_snake_case() {
    for kind in [
        ErrorKind::InvalidInput,
        ErrorKind::NotInOrganization,
        ErrorKind::IsManagementAccount,
        ErrorKind::WaitTimeout,
        ErrorKind::DeadlineExceeded,
        ErrorKind::OptInRegion,
        ErrorKind::AccessDenied,
        ErrorKind::ServiceError,
    ] {
        assert_eq!(kind.as_str(), snake_case(&format!("{kind:?}")));
    }
    for remedy in [Remedy::CorrectInput, Remedy::AllowSyncLoss, Remedy::Replan, Remedy::RetryLater] {
        assert_eq!(remedy.as_str(), snake_case(&format!("{remedy:?}")));
    }
    assert_eq!((RetryStatus::Exhausted.as_str(), WriteStatus::NotApplied.as_str()), ("exhausted", "not_applied"));
}

#[tokio::test(start_paused = true)]
async fn error_as_json_has_evidence_remedies_and_changes() {
    let organization = organization().build();
    organization.run_before(Operation::RegisterDelegatedAdministrator, 1, |organization| {
        organization.register_administrator(bob());
    });
    let error = Error::from(observe(&organization).await.ensure_delegated(alice()).await.unwrap_err());
    let object = serde_json::to_value(&error).unwrap();
    assert_eq!(object["kind"], "already_delegated");
    assert_eq!(object["message"], error.to_string());
    assert_eq!(object["confidence"], "confirmed");
    assert_eq!((&object["write_status"], &object["retry_status"]), (&json!("not_applied"), &json!("permanent")));
    assert_eq!(
        object["observed_status"],
        json!({ "service": "ssm.amazonaws.com", "trusted_access": true, "administrators": ["333333333333"] })
    );
    assert_eq!(
        object["remedies"],
        json!([{ "kind": "deregister", "text": "deregister account 333333333333 first",
                 "actor": "the organization's administrator" }])
    );
    assert_eq!(object["details"], json!({ "accounts": ["333333333333"] }));
    assert!(object["changes"][0]["kind"]["trusted_access_enabled"].is_object(), "{object}");
    assert!(object.get("region").is_none() && object.get("related").is_none());
}

#[tokio::test(start_paused = true)]
async fn missing_permission_as_json_has_the_statement() {
    let organization = trusting().build();
    organization.inject_fault(Operation::RegisterDelegatedAdministrator, 1, Fault::refused("AccessDeniedException"));
    let failure = trusted_in(&organization).await.register_delegated_administrator(alice()).await.unwrap_err();
    let object = serde_json::to_value(failure.error()).unwrap();
    assert!(object.get("details").is_none());
    assert_eq!(object["remedies"][0]["kind"], "add_permission");
    assert_eq!(object["remedies"][0]["statement"]["Action"], "organizations:RegisterDelegatedAdministrator");
}
