//! The policies enforced, with their ARNs and conditions, on the organization in memory: what they allow is enough, and all of it is needed.
#![cfg(feature = "sim")]

use std::collections::BTreeSet;

use async_trait::async_trait;
use ssm_organizations::policy::{Caller, Document, Duty, Permission, Scope};
use ssm_organizations::ports::*;
use ssm_organizations::{
    AccountId, DeletionTaskId, Error, ErrorKind, Integration, Observed, PageToken, Partition, Region, RoleName,
    ServicePrincipal, SyncName, Syncs, sim,
};

use crate::common::iam::{Grant, grants, means};
use crate::common::{SSM, alice, management, organization, region};

const HOME: &str = "eu-central-1";
/// A name that IAM would take for others' too, if it were let.
const NAME: &str = "*";

/// A client that may do what its policy allows.
struct Guarded {
    client: sim::Client,
    account: AccountId,
    grants: BTreeSet<Grant>,
}

impl Guarded {
    fn check(&self, operation: Operation, resource: &str, condition: Option<(&str, &str)>) -> Result<(), Error> {
        let allows = |(action, pattern, needed): &Grant| {
            let needed = needed.as_ref().map(|(key, value)| (key.as_str(), value.as_str()));
            *action == operation.iam_action() && means(pattern, resource) && (needed.is_none() || needed == condition)
        };
        if self.grants.iter().any(allows) {
            return Ok(());
        }
        let message = format!("not authorized to perform: {} on {resource}", operation.iam_action());
        Err(Error::service(operation, "AccessDeniedException", message))
    }

    fn service(&self, operation: Operation, principal: &ServicePrincipal) -> Result<(), Error> {
        self.check(operation, "*", Some(("organizations:ServicePrincipal", principal.as_str())))
    }

    fn member(
        &self,
        operation: Operation,
        account: &AccountId,
        principal: Option<&ServicePrincipal>,
    ) -> Result<(), Error> {
        let arn = format!("arn:aws:organizations::111111111111:account/o-exampleorgid/{account}");
        let condition = principal.map(|principal| ("organizations:ServicePrincipal", principal.as_str()));
        self.check(operation, &arn, condition)
    }

    fn sync(&self, operation: Operation, region: &Region, name: &SyncName) -> Result<(), Error> {
        let arn = format!("arn:aws:ssm:{region}:{}:resource-data-sync/{name}", self.account);
        self.check(operation, &arn, Some(("ssm:SyncType", "SyncFromSource")))
    }

    fn role(&self, operation: Operation, principal: Option<&ServicePrincipal>) -> Result<(), Error> {
        let arn = format!(
            "arn:aws:iam::{}:role/aws-service-role/accountdiscovery.ssm.amazonaws.com/AWSServiceRoleForAmazonSSM_AccountDiscovery",
            self.account
        );
        self.check(operation, &arn, principal.map(|principal| ("iam:AWSServiceName", principal.as_str())))
    }
}

#[async_trait]
impl OrganizationsApi for Guarded {
    async fn describe_organization(&self) -> Result<Organization, Error> {
        self.check(Operation::DescribeOrganization, "*", None)?;
        self.client.describe_organization().await
    }

    async fn describe_account(&self, account: &AccountId) -> Result<Account, Error> {
        self.member(Operation::DescribeAccount, account, None)?;
        self.client.describe_account(account).await
    }

    async fn list_aws_service_access_for_organization(
        &self,
        next: Option<PageToken>,
    ) -> Result<Page<EnabledService>, Error> {
        self.check(Operation::ListAwsServiceAccessForOrganization, "*", None)?;
        self.client.list_aws_service_access_for_organization(next).await
    }

    async fn enable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        self.service(Operation::EnableAwsServiceAccess, principal)?;
        self.client.enable_aws_service_access(principal).await
    }

    async fn disable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        self.service(Operation::DisableAwsServiceAccess, principal)?;
        self.client.disable_aws_service_access(principal).await
    }

    async fn list_delegated_administrators(
        &self,
        principal: &ServicePrincipal,
        next: Option<PageToken>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        self.service(Operation::ListDelegatedAdministrators, principal)?;
        self.client.list_delegated_administrators(principal, next).await
    }

    async fn register_delegated_administrator(
        &self,
        account: &AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        self.member(Operation::RegisterDelegatedAdministrator, account, Some(principal))?;
        self.client.register_delegated_administrator(account, principal).await
    }

    async fn deregister_delegated_administrator(
        &self,
        account: &AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        self.member(Operation::DeregisterDelegatedAdministrator, account, Some(principal))?;
        self.client.deregister_delegated_administrator(account, principal).await
    }
}

#[async_trait]
impl StsApi for Guarded {
    async fn get_caller_identity(&self) -> Result<CallerIdentity, Error> {
        self.client.get_caller_identity().await
    }
}

#[async_trait]
impl SystemsManagerApi for Guarded {
    async fn list_resource_data_sync(
        &self,
        region: &Region,
        sync_type: SyncType,
        next: Option<PageToken>,
    ) -> Result<Page<DataSync>, Error> {
        self.check(Operation::ListResourceDataSync, "*", Some(("ssm:SyncType", sync_type.as_str())))?;
        self.client.list_resource_data_sync(region, sync_type, next).await
    }

    async fn create_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        self.sync(Operation::CreateResourceDataSync, region, sync.name())?;
        self.client.create_resource_data_sync(region, sync).await
    }

    async fn update_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        self.sync(Operation::UpdateResourceDataSync, region, sync.name())?;
        self.client.update_resource_data_sync(region, sync).await
    }

    async fn delete_resource_data_sync(
        &self,
        region: &Region,
        name: &SyncName,
        sync_type: SyncType,
    ) -> Result<(), Error> {
        self.sync(Operation::DeleteResourceDataSync, region, name)?;
        self.client.delete_resource_data_sync(region, name, sync_type).await
    }
}

#[async_trait]
impl IamApi for Guarded {
    async fn get_role(&self, name: &RoleName) -> Result<Option<Role>, Error> {
        self.role(Operation::GetRole, None)?;
        self.client.get_role(name).await
    }

    async fn create_service_linked_role(&self, principal: &ServicePrincipal) -> Result<Role, Error> {
        self.role(Operation::CreateServiceLinkedRole, Some(principal))?;
        self.client.create_service_linked_role(principal).await
    }

    async fn delete_service_linked_role(&self, name: &RoleName) -> Result<DeletionTaskId, Error> {
        self.role(Operation::DeleteServiceLinkedRole, None)?;
        self.client.delete_service_linked_role(name).await
    }

    async fn get_service_linked_role_deletion_status(&self, task: &DeletionTaskId) -> Result<DeletionStatus, Error> {
        self.role(Operation::GetServiceLinkedRoleDeletionStatus, None)?;
        self.client.get_service_linked_role_deletion_status(task).await
    }
}

fn name() -> SyncName {
    SyncName::new(NAME).unwrap()
}

/// What the story takes, and no more.
fn permissions() -> Vec<Permission> {
    let of_syncs = |caller| {
        [
            Permission::list_resource_data_sync(caller),
            Permission::create_resource_data_sync(caller, region(HOME), name()),
            Permission::update_resource_data_sync(caller, region(HOME), name()),
            Permission::delete_resource_data_sync(caller, region(HOME), name()),
        ]
    };
    let of_organization = [
        Permission::describe_organization(),
        Permission::list_aws_service_access_for_organization(),
        Permission::list_delegated_administrators(SSM),
        Permission::describe_account(alice()),
        Permission::enable_aws_service_access(SSM),
        Permission::disable_aws_service_access(SSM),
        Permission::register_delegated_administrator(alice(), SSM),
        Permission::deregister_delegated_administrator(alice(), SSM),
    ];
    let of_role = [
        Permission::get_role(),
        Permission::create_service_linked_role(),
        Permission::delete_service_linked_role(),
        Permission::get_service_linked_role_deletion_status(),
    ];
    let of_syncs = [Caller::Management, Caller::Administrator].into_iter().flat_map(of_syncs);
    of_syncs.chain(of_organization).chain(of_role).collect()
}

/// Three people, each with the policy of their own: everything that the crate does, there and back.
async fn story(policies: &[BTreeSet<Grant>; 3]) -> Result<(), Error> {
    let organization = organization().build();
    let client = |account, grants: &BTreeSet<Grant>| {
        let grants = grants.clone();
        Guarded { client: organization.client(account), account, grants }
    };
    let [organizations, systems_managers, delegated] = policies;
    let organizations = client(management(), organizations);
    let systems_managers = client(management(), systems_managers);
    let delegated = client(alice(), delegated);
    let home = [region(HOME)];

    let observed = Integration::new(&organizations).observe().await?;
    observed.ensure_delegated(&alice()).await?;

    let mut observed = Integration::new(&systems_managers).observe().await?;
    observed.account_discovery_role(&systems_managers).ensure().await?;
    let Observed::Delegated(mut handle) = observed else { panic!("{observed:?}") };
    for client in [&systems_managers, &delegated] {
        let sync = SyncDefinition::of_organization(name(), SourceRegions::new(home.clone())?);
        let mut syncs = handle.data_syncs(client).await?;
        syncs.ensure(&sync, &home).await?.into_result()?;
        syncs.ensure(&sync.including_future_regions(), &home).await?.into_result()?;
        syncs.delete(&name(), &home).await?.into_result()?;
    }

    let syncs = Syncs::Protect { ssm: &[&organizations, &delegated], regions: &home };
    Integration::new(&organizations).observe().await?.ensure_disabled(syncs).await?;

    let observed = Integration::new(&systems_managers).observe().await?;
    let Observed::Disabled(mut disabled) = observed else { panic!("{observed:?}") };
    let syncs = Syncs::Protect { ssm: &[&systems_managers], regions: &home };
    disabled.account_discovery_role(&systems_managers).delete(syncs).await?;
    Ok(())
}

fn scope() -> Scope {
    Scope::new()
        .in_partition(Partition::AWS)
        .of_organization("o-exampleorgid".parse().unwrap(), management())
        .with_administrator(alice())
}

fn policies(documents: &[Document]) -> [BTreeSet<Grant>; 3] {
    let holders = [
        (Caller::Management, Duty::Organization),
        (Caller::Management, Duty::SystemsManager),
        (Caller::Administrator, Duty::SystemsManager),
    ];
    assert_eq!(documents.iter().map(|document| (document.caller, document.duty)).collect::<Vec<_>>(), holders);
    let [organizations, systems_managers, delegated] = documents else { panic!("{documents:?}") };
    [organizations, systems_managers, delegated].map(|document| grants(&document.policy.to_string()))
}

#[tokio::test(start_paused = true)]
async fn three_people_do_everything_with_their_own_policies() {
    for scope in [scope(), Scope::new()] {
        story(&policies(&Document::for_permissions(permissions(), &scope))).await.unwrap();
        story(&policies(&Document::for_everything(&scope))).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_can_do_without_any_of_it() {
    let whole = policies(&Document::for_permissions(permissions(), &scope()));
    for person in 0..whole.len() {
        for grant in &whole[person] {
            let mut fewer = whole.clone();
            fewer[person].remove(grant);
            let error = story(&fewer).await.expect_err(&grant.0);
            let denied = |error: &Error| *error.kind() == ErrorKind::AccessDenied;
            let cause = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<Error>());
            assert!(denied(&error) || cause.is_some_and(denied), "{error} without {grant:?}");
        }
    }
}

/// Another organization's, another account's, another name's, another service's.
#[tokio::test(start_paused = true)]
async fn a_policy_for_something_else_is_of_no_use() {
    let elsewhere = Scope::new().of_organization("o-elsewhere000".parse().unwrap(), management());
    let strangers = scope().with_administrator(management());
    for scope in [elsewhere, strangers, scope().in_partition(Partition::AWS_CN)] {
        let error = story(&policies(&Document::for_permissions(permissions(), &scope))).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::AccessDenied, "{scope:?}");
    }
}
