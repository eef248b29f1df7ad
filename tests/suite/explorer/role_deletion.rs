//! Deletions of the service-linked role that AWS reports as failed without a reason.
#![cfg(feature = "sim")]

use crate::common::{disabled_in, each_switch, every_setting, management, organization, trusting};
use async_trait::async_trait;
use ssm_organizations::domain::{DeletionTaskId, RoleName};
use ssm_organizations::plan::{Clients, Target};
use ssm_organizations::ports::{CallerIdentity, DeletionStatus, IamApi, Operation, Role, RoleUsage, StsApi};
use ssm_organizations::{Certainty, Error, ErrorKind, Remedy, ServicePrincipal, SyncProtection, sim};

const NAME: RoleName = RoleName::ACCOUNT_DISCOVERY;
const ROLE: ServicePrincipal = ServicePrincipal::ACCOUNT_DISCOVERY;

#[tokio::test(start_paused = true)]
async fn deletion_failed_without_reason_of_a_gone_role_succeeds() {
    for setting in every_setting! { role_deletions_fail_without_reason: &[true, false] } {
        let organization = organization().service_linked_role(&ROLE).undocumented_behavior(setting.clone()).build();
        let client = organization.management_client();
        let mut disabled = disabled_in(&organization).await;
        let deleted = disabled.account_discovery_role(&client).delete(SyncProtection::AllowLoss).await;
        assert!(deleted.unwrap().is_some(), "{setting:?}");
        assert_eq!(disabled.changes().len(), 1, "{setting:?}");
        assert_eq!(disabled.changes()[0].certainty, Certainty::Confirmed, "{setting:?}");
        assert!(!organization.has_role(management(), &NAME));
    }
}

/// Asserts that a failed read after a failed deletion is not considered proof that the role exists.
#[tokio::test(start_paused = true)]
async fn role_deletion_with_lost_read_records_change() {
    let mut setting = sim::UndocumentedBehavior::default();
    setting.role_deletions_fail_without_reason = true;
    let organization = organization().service_linked_role(&ROLE).undocumented_behavior(setting).build();
    let client = organization.management_client();
    let mut disabled = disabled_in(&organization).await;
    organization.inject_fault(Operation::GetRole, 2, sim::Fault::ResponseLost);
    let deleted = disabled.account_discovery_role(&client).delete(SyncProtection::AllowLoss).await;
    assert!(deleted.unwrap().is_some());
    assert_eq!(disabled.changes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn plan_deletes_the_role_under_every_switch() {
    for setting in each_switch() {
        let organization = trusting().service_linked_role(&ROLE).undocumented_behavior(setting.clone()).build();
        let client = organization.management_client();
        let clients = Clients::new(&client);
        let target = Target::new().with_trusted_access(false).without_role();
        let target = target.search_regions(["eu-central-1".parse().unwrap()]);
        target.plan(&clients).await.unwrap().apply(&clients, |_| {}).await.unwrap();
        assert!(!organization.has_role(management(), &NAME), "{setting:?}");
    }
}

/// IAM client on which every deletion fails with this status and leaves the role in place.
struct UndeletableRole(sim::SimClient, DeletionStatus);

#[async_trait]
impl StsApi for UndeletableRole {
    async fn get_caller_identity(&self) -> Result<CallerIdentity, Error> {
        self.0.get_caller_identity().await
    }
}

#[async_trait]
impl IamApi for UndeletableRole {
    async fn get_role(&self, name: &RoleName) -> Result<Option<Role>, Error> {
        self.0.get_role(name).await
    }

    async fn delete_service_linked_role(&self, name: &RoleName) -> Result<DeletionTaskId, Error> {
        self.0.delete_service_linked_role(name).await
    }

    async fn get_service_linked_role_deletion_status(&self, _: &DeletionTaskId) -> Result<DeletionStatus, Error> {
        Ok(self.1.clone())
    }
}

#[tokio::test(start_paused = true)]
async fn deletion_failed_without_reason_of_a_kept_role_fails() {
    let usage = vec![RoleUsage::new(None, vec!["sync".to_owned()])];
    for (status, reads, expected) in [
        (DeletionStatus::failed(None, Vec::new()), 2, &["retry_later"][..]),
        (DeletionStatus::failed(Some("in use".to_owned()), Vec::new()), 1, &["retry_later"]),
        (DeletionStatus::failed(None, usage), 1, &["retry_later", "delete_syncs"]),
    ] {
        let organization = organization().service_linked_role(&ROLE).build();
        let client = UndeletableRole(organization.management_client(), status.clone());
        let mut disabled = disabled_in(&organization).await;
        let error =
            disabled.account_discovery_role(&client).delete(SyncProtection::AllowLoss).await.map(drop).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::RoleInUse { .. }), "{status:?}: {error}");
        let remedies: Vec<_> = error.remedies().iter().map(Remedy::as_str).collect();
        assert_eq!(remedies, expected, "{status:?}");
        assert!(disabled.changes().is_empty(), "{status:?}");
        assert_eq!(organization.call_count(Operation::GetRole), reads, "{status:?}");
    }
}
