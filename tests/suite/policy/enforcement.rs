//! Tests that enforce the generated policies, with their ARNs and conditions, in the simulation:
//! the policies are sufficient, and every grant is needed.
#![cfg(feature = "sim")]

use std::collections::BTreeSet;

use async_trait::async_trait;
use ssm_organizations::domain::Partition;
use ssm_organizations::policy::{Caller, Document, Permission, PolicyScope, Responsibility};
use ssm_organizations::ports::*;
use ssm_organizations::{AccountId, Error, ErrorKind, Integration, Observed, SyncName, SyncProtection};

use crate::common::iam::{Grant, grants, means};
use crate::common::{SSM, alice, management, organization, region};

const HOME: &str = "eu-central-1";
/// Name of a sync that is a wildcard in IAM if it is not escaped.
const NAME: &str = "*";

/// Hook that allows only what the policy of an account grants.
struct EnforcedPolicy {
    account: AccountId,
    grants: BTreeSet<Grant>,
}

#[async_trait]
impl CallHook for EnforcedPolicy {
    async fn before(&self, call: &Call<'_>) -> Result<(), Error> {
        let (operation, account) = (call.operation, self.account);
        let resource = match (call.account, call.sync, call.region) {
            (Some(member), ..) => format!("arn:aws:organizations::111111111111:account/o-exampleorgid/{member}"),
            (_, Some(sync), Some(region)) => format!("arn:aws:ssm:{region}:{account}:resource-data-sync/{sync}"),
            _ if operation.service() == "iam" => format!(
                "arn:aws:iam::{account}:role/aws-service-role/accountdiscovery.ssm.amazonaws.com/AWSServiceRoleForAmazonSSM_AccountDiscovery"
            ),
            _ if operation == Operation::GetCallerIdentity => return Ok(()),
            _ => "*".to_owned(),
        };
        let service_key =
            if operation.service() == "iam" { "iam:AWSServiceName" } else { "organizations:ServicePrincipal" };
        let condition = call.principal.map(|principal| (service_key, principal.as_str()));
        let condition = condition.or(call.sync_type.map(|sync_type| ("ssm:SyncType", sync_type.as_str())));
        let allows = |(action, pattern, needed): &Grant| {
            let needed = needed.as_ref().map(|(key, value)| (key.as_str(), value.as_str()));
            *action == operation.iam_action() && means(pattern, &resource) && (needed.is_none() || needed == condition)
        };
        if self.grants.iter().any(allows) {
            return Ok(());
        }
        let message = format!("not authorized to perform: {} on {resource}", operation.iam_action());
        Err(Error::from_service_error(operation, "AccessDeniedException", message))
    }
}

fn name() -> SyncName {
    SyncName::new(NAME).unwrap()
}

/// Returns the permissions that the workflow needs.
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

/// Runs the complete set-up and tear-down with three callers, each with its own policy.
async fn story(policies: &[BTreeSet<Grant>; 3]) -> Result<(), Error> {
    let organization = organization().build();
    let client = |account, grants: &BTreeSet<Grant>| {
        Decorated::new(organization.client(account), EnforcedPolicy { account, grants: grants.clone() })
    };
    let [organizations, systems_managers, delegated] = policies;
    let organizations = client(management(), organizations);
    let systems_managers = client(management(), systems_managers);
    let delegated = client(alice(), delegated);
    let home = [region(HOME)];

    let observed = Integration::new(&organizations).observe().await?;
    observed.ensure_delegated(alice()).await?;

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

    let syncs = SyncProtection::Protect { clients: &[&organizations, &delegated], regions: &home };
    Integration::new(&organizations).observe().await?.ensure_disabled(syncs).await?;

    let observed = Integration::new(&systems_managers).observe().await?;
    let Observed::Disabled(mut disabled) = observed else { panic!("{observed:?}") };
    let syncs = SyncProtection::Protect { clients: &[&systems_managers], regions: &home };
    disabled.account_discovery_role(&systems_managers).delete(syncs).await?;
    Ok(())
}

fn scope() -> PolicyScope {
    PolicyScope::new()
        .in_partition(Partition::AWS)
        .of_organization("o-exampleorgid".parse().unwrap(), management())
        .with_administrator(alice())
}

fn policies(documents: &[Document]) -> [BTreeSet<Grant>; 3] {
    let holders = [
        (Caller::Management, Responsibility::Organization),
        (Caller::Management, Responsibility::SystemsManager),
        (Caller::Administrator, Responsibility::SystemsManager),
    ];
    assert_eq!(documents.iter().map(|document| (document.caller, document.duty)).collect::<Vec<_>>(), holders);
    let [organizations, systems_managers, delegated] = documents else { panic!("{documents:?}") };
    [organizations, systems_managers, delegated].map(|document| grants(&document.policy.to_string()))
}

#[tokio::test(start_paused = true)]
async fn generated_policies_of_three_callers_allow_the_workflow() {
    for scope in [scope(), PolicyScope::new()] {
        story(&policies(&Document::for_permissions(permissions(), &scope))).await.unwrap();
        story(&policies(&Document::for_everything(&scope))).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn generated_policy_without_one_grant_denies_the_workflow() {
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

/// Generates policies for another organization, administrator or partition.
#[tokio::test(start_paused = true)]
async fn generated_policy_of_other_scope_denies_the_workflow() {
    let elsewhere = PolicyScope::new().of_organization("o-elsewhere000".parse().unwrap(), management());
    let strangers = scope().with_administrator(management());
    for scope in [elsewhere, strangers, scope().in_partition(Partition::AWS_CN)] {
        let error = story(&policies(&Document::for_permissions(permissions(), &scope))).await.unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::AccessDenied, "{scope:?}");
    }
}
