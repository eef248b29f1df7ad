//! Tests of the service-linked role through a handle.
#![cfg(feature = "sim")]

use std::time::Duration;

use crate::common::{
    disabled_in, expect_disabled, management, organization, organization_sync, region, trusted_in, trusting,
};
use ssm_organizations::domain::RoleName;
use ssm_organizations::ports::{CallerIdentity, IamApi, Operation, Role, StsApi};
use ssm_organizations::sim::{self, DuplicateRole, Fault, UndocumentedBehavior};
use ssm_organizations::{
    Certainty, ChangeKind, EnsureOutcome, Error, ErrorKind, RetryStatus, ServicePrincipal, SyncProtection, WriteStatus,
};

const NAME: RoleName = RoleName::ACCOUNT_DISCOVERY;

#[tokio::test]
async fn ensure_role_twice_creates_it_once() {
    let organization = trusting().build();
    let client = organization.management_client();
    let mut trusted = trusted_in(&organization).await;
    let mut role = trusted.account_discovery_role(&client);
    assert_eq!(role.get().await.unwrap(), None);
    let EnsureOutcome::Created(created) = role.ensure().await.unwrap() else { panic!("the role exists") };
    assert_eq!(created.path, "/aws-service-role/accountdiscovery.ssm.amazonaws.com/");
    assert_eq!(created.name, NAME);
    assert!(matches!(role.ensure().await.unwrap(), EnsureOutcome::Unchanged(found) if found == created));
    assert_eq!(organization.write_count(), 1);
    assert!(matches!(&trusted.changes()[0].kind, ChangeKind::RoleCreated { id: Some(id), .. } if *id == created.id));
}

#[tokio::test]
async fn ensure_role_after_concurrent_creation_succeeds() {
    for code in DuplicateRole::ALL {
        let mut setting = UndocumentedBehavior::default();
        setting.duplicate_role = *code;
        let organization = trusting().undocumented_behavior(setting).build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        organization.run_before(Operation::CreateServiceLinkedRole, 1, |organization| {
            organization.add_role(management(), &ServicePrincipal::ACCOUNT_DISCOVERY);
        });
        let ensured = trusted.account_discovery_role(&client).ensure().await.unwrap();
        assert!(matches!(ensured, EnsureOutcome::Unchanged(_)), "{code:?}");
        assert_eq!(trusted.changes(), [], "another actor created the role");
    }
}

#[tokio::test(start_paused = true)]
async fn role_write_with_lost_response_is_read_and_not_resent() {
    for (fault, applied) in [(Fault::ResponseLost, true), (Fault::RequestLost, false)] {
        let organization = trusting().build();
        let client = organization.management_client();
        let mut trusted = trusted_in(&organization).await;
        organization.inject_fault(Operation::CreateServiceLinkedRole, 1, fault.clone());
        let result = trusted.account_discovery_role(&client).ensure().await;
        assert_eq!(result.is_ok(), applied, "{fault:?}");
        assert_eq!(trusted.changes()[0].certainty, Certainty::Unconfirmed);
        assert_eq!(organization.call_count(Operation::CreateServiceLinkedRole), 1);

        let organization =
            crate::common::organization().service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY).build();
        let client = organization.management_client();
        let mut disabled = disabled_in(&organization).await;
        organization.inject_fault(Operation::DeleteServiceLinkedRole, 1, fault.clone());
        let result = disabled.account_discovery_role(&client).delete(SyncProtection::AllowLoss).await;
        assert_eq!(result.is_ok(), applied, "{fault:?}");
        assert_eq!(disabled.changes()[0].certainty, Certainty::Unconfirmed);
        assert_eq!(organization.call_count(Operation::DeleteServiceLinkedRole), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn delete_role_in_progress_waits_for_completion() {
    let organization = organization().service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let begun = tokio::time::Instant::now();
    let mut role = disabled.account_discovery_role(&client);
    let gone = role.delete(SyncProtection::AllowLoss).await.unwrap().unwrap();
    assert!(!organization.has_role(management(), &NAME));
    assert_eq!(
        begun.elapsed(),
        Duration::from_secs(15),
        "the deletion takes 10 seconds; reads follow after 0, 1, 3, 7 and 15 seconds"
    );
    assert_eq!(role.delete(SyncProtection::AllowLoss).await.unwrap(), None, "the role no longer exists");
    assert!(matches!(&disabled.changes()[0].kind, ChangeKind::RoleDeleted { id, .. } if *id == gone.id));
    assert_eq!(organization.write_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn ensure_role_during_deletion_creates_it_or_times_out() {
    for (takes, made_anew) in [(Duration::from_secs(90), true), (Duration::from_hours(1), false)] {
        let organization =
            organization().service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY).role_deletion(takes).build();
        let client = organization.management_client();
        let mut disabled = disabled_in(&organization).await;
        let mut role = disabled.account_discovery_role(&client);
        let error = role.delete(SyncProtection::AllowLoss).await.unwrap_err();
        assert_eq!((error.kind(), error.write_status()), (&ErrorKind::WaitTimeout, WriteStatus::Unknown));
        match role.ensure().await {
            Ok(EnsureOutcome::Created(_)) => assert!(made_anew && organization.has_role(management(), &NAME)),
            Err(error) => {
                assert_eq!(*error.kind(), ErrorKind::WaitTimeout, "{error}");
                assert_eq!(error.operation(), Some(Operation::DeleteServiceLinkedRole));
                assert!(!made_anew, "{takes:?}");
                // A new observation accepts the role that it reads.
                let mut disabled = expect_disabled(disabled.into_unobserved().observe().await.unwrap());
                let found = disabled.account_discovery_role(&client).ensure().await.unwrap();
                assert!(matches!(found, EnsureOutcome::Unchanged(_)));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ensure_role_recreated_by_others_returns_unchanged() {
    let organization = organization()
        .service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)
        .role_deletion(Duration::from_hours(1))
        .build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let mut role = disabled.account_discovery_role(&client);
    role.delete(SyncProtection::AllowLoss).await.unwrap_err();
    organization.remove_role(management(), &NAME);
    organization.add_role(management(), &ServicePrincipal::ACCOUNT_DISCOVERY);
    let begun = tokio::time::Instant::now();
    assert!(matches!(role.ensure().await.unwrap(), EnsureOutcome::Unchanged(_)));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn delete_role_in_use_reports_the_usage() {
    let organization = organization()
        .service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)
        .data_sync(management(), region("us-east-1"), organization_sync("left"))
        .build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    // The protection covers the Region of the sync.
    let protect = SyncProtection::Protect { clients: &[&client], regions: &[region("us-east-1")] };
    let error = disabled.account_discovery_role(&client).delete(protect).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::DataSyncsExist { .. }), "{error}");
    assert_eq!(organization.write_count(), 0);
    // Without protection, AWS refuses the deletion.
    let error = disabled.account_discovery_role(&client).delete(SyncProtection::AllowLoss).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::RoleInUse { usage, .. } if usage.len() == 1), "{error}");
    assert!(error.to_string().contains("resource-data-sync/left"), "{error}");
    assert_eq!((error.write_status(), error.retry_status()), (WriteStatus::NotApplied, RetryStatus::Temporary));
    assert_eq!(disabled.changes(), []);
    assert!(organization.has_role(management(), &NAME));
}

#[tokio::test(start_paused = true)]
async fn delete_role_beyond_wait_timeout_is_unconfirmed() {
    let organization = organization()
        .service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)
        .role_deletion(Duration::from_mins(10))
        .build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    let error = disabled.account_discovery_role(&client).delete(SyncProtection::AllowLoss).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.write_status(), error.retry_status()),
        (&ErrorKind::WaitTimeout, WriteStatus::Unknown, RetryStatus::Exhausted)
    );
    assert!(error.message().unwrap().contains("task/aws-service-role/"), "{error}");
    assert_eq!(disabled.changes()[0].certainty, Certainty::Unconfirmed);
}

#[tokio::test(start_paused = true)]
async fn delete_role_with_unchecked_account_is_refused() {
    let organization = organization().service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY).build();
    let (client, alices) = (organization.management_client(), organization.client(crate::common::alice()));
    let mut disabled = disabled_in(&organization).await;
    let protect = SyncProtection::Protect { clients: &[&alices], regions: &[region("us-east-1")] };
    let error = disabled.account_discovery_role(&client).delete(protect).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::DataSyncsNotChecked { account, .. } if *account == management()),
        "{error}"
    );
    let protect = SyncProtection::Protect { clients: &[], regions: &[] };
    let error = disabled.account_discovery_role(&client).delete(protect).await.unwrap_err();
    assert_eq!((error.kind(), organization.write_count()), (&ErrorKind::InvalidInput, 0));
}

/// Emulator that creates the role under another name and finds no role under AWS's name.
struct EmulatedIam(sim::SimClient);

#[async_trait::async_trait]
impl StsApi for EmulatedIam {
    async fn get_caller_identity(&self) -> Result<CallerIdentity, Error> {
        self.0.get_caller_identity().await
    }
}

#[async_trait::async_trait]
impl IamApi for EmulatedIam {
    async fn get_role(&self, _: &RoleName) -> Result<Option<Role>, Error> {
        Ok(None)
    }

    async fn create_service_linked_role(&self, _: &ServicePrincipal) -> Result<Role, Error> {
        Ok(Role::new("AWSServiceRoleForAccountdiscovery".parse()?, "AROAEXAMPLE".parse()?, "/"))
    }
}

#[tokio::test(start_paused = true)]
async fn ensure_role_with_other_name_returns_without_waiting() {
    let organization = trusting().build();
    let client = EmulatedIam(organization.management_client());
    let mut trusted = trusted_in(&organization).await;
    let begun = tokio::time::Instant::now();
    let mut role = trusted.account_discovery_role(&client);
    for _ in 0..2 {
        let EnsureOutcome::Created(created) = role.ensure().await.unwrap() else { panic!("the role exists") };
        assert_eq!(created.name.to_string(), "AWSServiceRoleForAccountdiscovery");
        assert_eq!(role.get().await.unwrap(), None);
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn role_write_by_member_account_is_refused() {
    let organization = trusting().build();
    let bobs = organization.client(crate::common::bob());
    let mut trusted = trusted_in(&organization).await;
    let error = trusted.account_discovery_role(&bobs).ensure().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotManagementAccount { management: id, .. } if *id == management()));
    assert_eq!((error.caller(), organization.write_count()), (Some(crate::common::bob()), 0));
    // If the account of the client is unknown, the call is sent and AWS decides.
    let client = organization.management_client();
    organization.inject_fault(Operation::GetCallerIdentity, 1, Fault::refused("ExpiredToken"));
    trusted.account_discovery_role(&client).ensure().await.unwrap();

    let mut disabled = disabled_in(&crate::common::organization().build()).await;
    let error = disabled.account_discovery_role(&bobs).delete(SyncProtection::AllowLoss).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotManagementAccount { .. }), "{error}");
}

#[tokio::test]
async fn ensure_role_in_any_observed_state_creates_it() {
    let organization = organization().build();
    let client = organization.management_client();
    let mut observed = crate::common::observe(&organization).await;
    assert_eq!(observed.account_discovery_role(&client).get().await.unwrap(), None);
    observed.account_discovery_role(&client).ensure().await.unwrap();
    assert_eq!(observed.changes().len(), 1);
}
