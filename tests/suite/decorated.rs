//! Tests of clients with a hook around each call.
#![cfg(feature = "sim")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ssm_organizations::domain::{OrganizationalUnitId, RoleName};
use ssm_organizations::ports::{
    Call, CallHook, Decorated, IamApi, Operation, OrganizationsApi, SourceRegions, StsApi, SyncDefinition, SyncType,
    SystemsManagerApi,
};
use ssm_organizations::{Error, ServicePrincipal, SyncName, sim};

use crate::common::{SSM, alice, delegated, organization, region};

/// Hook that logs each call, and fails before or after calls of one operation.
#[derive(Default)]
struct Log {
    calls: Mutex<Vec<String>>,
    refused: Option<Operation>,
    lost: Option<Operation>,
}

#[async_trait]
impl CallHook for Log {
    async fn before(&self, call: &Call<'_>) -> Result<(), Error> {
        self.calls.lock().unwrap().push(format!("{call:?}"));
        if self.refused == Some(call.operation) { Err(Error::not_sent(call.operation, "refused")) } else { Ok(()) }
    }

    async fn after(&self, call: &Call<'_>, result: Result<(), &Error>) -> Result<(), Error> {
        self.calls.lock().unwrap().push(format!("{} {}", call.operation, result.is_ok()));
        if self.lost == Some(call.operation) { Err(Error::response_lost(call.operation)) } else { Ok(()) }
    }
}

fn client(organization: &sim::SimOrganization, log: Log) -> Decorated<sim::SimClient, Arc<Log>> {
    Decorated::new(organization.management_client(), Arc::new(log))
}

#[tokio::test(start_paused = true)]
async fn decorated_client_passes_every_operation_once() {
    let unit = OrganizationalUnitId::new("ou-exam-00000001").unwrap();
    let organization = delegated().unit(unit.clone()).service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY).build();
    let client = client(&organization, Log::default());
    let (home, name) = (region("eu-central-1"), SyncName::new("all").unwrap());
    let sync = SyncDefinition::of_organization(name.clone(), SourceRegions::new([home.clone()]).unwrap());

    client.describe_organization().await.unwrap();
    client.describe_account(alice()).await.unwrap();
    client.describe_organizational_unit(&unit).await.unwrap();
    client.list_aws_service_access_for_organization(None).await.unwrap();
    client.list_delegated_administrators(&SSM, None).await.unwrap();
    client.get_caller_identity().await.unwrap();
    client.create_resource_data_sync(&home, &sync).await.unwrap();
    client.update_resource_data_sync(&home, &sync).await.unwrap();
    assert_eq!(client.list_resource_data_sync(&home, SyncType::SyncFromSource, None).await.unwrap().items.len(), 1);
    client.delete_resource_data_sync(&home, &name, SyncType::SyncFromSource).await.unwrap();
    client.deregister_delegated_administrator(alice(), &SSM).await.unwrap();
    client.register_delegated_administrator(alice(), &SSM).await.unwrap();
    client.deregister_delegated_administrator(alice(), &SSM).await.unwrap();
    client.disable_aws_service_access(&SSM).await.unwrap();
    client.get_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap().unwrap();
    let task = client.delete_service_linked_role(&RoleName::ACCOUNT_DISCOVERY).await.unwrap();
    client.get_service_linked_role_deletion_status(&task).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_mins(1)).await;
    client.create_service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY).await.unwrap();
    client.enable_aws_service_access(&SSM).await.unwrap();

    let made: Vec<_> = organization.calls().iter().map(|call| call.operation).collect();
    assert_eq!(made.iter().collect::<BTreeSet<_>>().len(), Operation::ALL.len());
    let logged = client.hook().calls.lock().unwrap();
    let ends: Vec<_> = logged.iter().skip(1).step_by(2).cloned().collect();
    assert_eq!(ends, made.iter().map(|operation| format!("{operation} true")).collect::<Vec<_>>());
    let inputs = logged.join("\n");
    for (operation, input) in [
        ("DescribeAccount", "account: Some(AccountId(222222222222))"),
        ("DescribeOrganizationalUnit", "unit: Some(OrganizationalUnitId(ou-exam-00000001))"),
        ("DeregisterDelegatedAdministrator", "account: Some(AccountId(222222222222)), unit: None, principal: Some("),
        ("CreateResourceDataSync", "region: Some(Region(eu-central-1)), sync_type: Some(SyncFromSource), sync: Some("),
        ("DeleteResourceDataSync", "region: Some(Region(eu-central-1)), sync_type: Some(SyncFromSource), sync: Some("),
        ("UpdateResourceDataSync", "definition: Some(SyncDefinition"),
        ("DeleteServiceLinkedRole", "role: Some("),
    ] {
        let call = inputs.lines().find(|line| line.contains(&format!("operation: {operation},"))).unwrap();
        assert!(call.contains(input), "{call}");
    }
}

#[tokio::test]
async fn decorated_call_with_failed_hook_returns_the_hooks_error() {
    let organization = organization().build();
    let operation = Operation::EnableAwsServiceAccess;
    let refusing = client(&organization, Log { refused: Some(operation), ..Log::default() });
    let error = refusing.enable_aws_service_access(&SSM).await.unwrap_err();
    assert_eq!((error.message(), organization.calls().len()), (Some("refused"), 0));
    assert_eq!(refusing.hook().calls.lock().unwrap().len(), 1);

    let losing = client(&organization, Log { lost: Some(operation), ..Log::default() });
    let error = losing.enable_aws_service_access(&SSM).await.unwrap_err();
    assert_eq!(error.write_status(), ssm_organizations::WriteStatus::Unknown);
    assert!(organization.is_trusted(&SSM));
}
