//! The policies that the library writes, held by a user of a moto server that enforces them: enough, and not one action too many.
//!
//! The server checks the actions of these calls against the resource `*` and knows none of AWS's conditions on them. So resources are widened here, and
//! conditions dropped; that both are right is the business of the library's own tests.

#[cfg(test)]
#[path = "moto/client.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod client;

#[cfg(test)]
#[path = "moto/server.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod server;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use ssm_organizations::aws::AwsClient;
    use ssm_organizations::policy::{Caller, Document, Duty, Permission, Policy, Scope};
    use ssm_organizations::ports::{
        IamApi, Operation, OrganizationsApi, SourceRegions, StsApi, SyncDefinition, SyncType, SystemsManagerApi,
    };
    use ssm_organizations::{
        AccountId, DeletionTaskId, Error, ErrorKind, Integration, Region, RoleName, ServicePrincipal, SyncName, Syncs,
    };

    use super::client::client_with_key;
    use super::server::{Moto, text};

    const USER: &str = "engineer";

    /// A server with an organization, and a client of a user of the management account.
    struct Office {
        moto: Moto,
        member: AccountId,
        user: AwsClient,
    }

    impl Office {
        fn open() -> Self {
            let moto = Moto::start();
            let member = moto.organization(1).members[0].parse().unwrap();
            let key = moto.boto3(&["user", USER]);
            let [id, secret] = ["AccessKeyId", "SecretAccessKey"].map(|part| text(&key[part]));
            let user = client_with_key(&moto, &id, &secret);
            Self { moto, member, user }
        }

        /// Lets the user do this and no more.
        fn allow(&self, policy: &Value) {
            self.moto.enforce_policies(false);
            self.moto.boto3(&["allow", USER, &policy.to_string()]);
            self.moto.enforce_policies(true);
        }

        /// Sees that all the actions suffice, and that it comes to a refusal of any that is taken away.
        async fn needs_all_of(&self, policy: &Policy, work: impl AsyncFn() -> Result<(), Error>) {
            let policy = widened(policy);
            self.allow(&policy);
            work().await.unwrap_or_else(|error| panic!("{error} with {policy}"));
            for action in actions(&policy) {
                self.allow(&without(&policy, &action));
                let error = work().await.expect_err(&action);
                assert_eq!(*error.kind(), ErrorKind::AccessDenied, "{error} without {action}");
                assert_eq!(error.operation().map(Operation::iam_action), Some(action));
                // What was begun is finished, so that the next attempt begins where this one did.
                self.allow(&policy);
                work().await.unwrap_or_else(|error| panic!("{error} with {policy}"));
            }
        }
    }

    fn widened(policy: &Policy) -> Value {
        let mut policy: Value = serde_json::from_str(&policy.to_string()).unwrap();
        for statement in policy["Statement"].as_array_mut().unwrap() {
            statement["Resource"] = json!("*");
            statement.as_object_mut().unwrap().remove("Condition");
        }
        policy
    }

    fn list(actions: &Value) -> Vec<String> {
        actions.as_array().map_or_else(|| vec![text(actions)], |actions| actions.iter().map(text).collect())
    }

    fn actions(policy: &Value) -> Vec<String> {
        let statements = policy["Statement"].as_array().unwrap();
        statements.iter().flat_map(|statement| list(&statement["Action"])).collect()
    }

    /// The same, and something harmless, lest a statement become empty.
    fn without(policy: &Value, action: &str) -> Value {
        let mut policy = policy.clone();
        for statement in policy["Statement"].as_array_mut().unwrap() {
            let mut actions = list(&statement["Action"]);
            actions.retain(|known| known != action);
            actions.push("organizations:DescribeHandshake".to_owned());
            statement["Action"] = json!(actions);
        }
        policy
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn each_call_takes_its_action() {
        let office = Office::open();
        let (user, member, ssm) = (&office.user, office.member, ServicePrincipal::SYSTEMS_MANAGER);
        let discovery = &ServicePrincipal::ACCOUNT_DISCOVERY;
        let region = Region::new("eu-central-1").unwrap();
        let name = SyncName::new("all-accounts").unwrap();
        let sync = SyncDefinition::of_organization(name.clone(), SourceRegions::new([region.clone()]).unwrap());
        let task: DeletionTaskId = "task".parse().unwrap();
        let call = async |operation| match operation {
            Operation::DescribeOrganization => user.describe_organization().await.map(drop),
            Operation::DescribeAccount => user.describe_account(&member).await.map(drop),
            Operation::ListAwsServiceAccessForOrganization => {
                user.list_aws_service_access_for_organization(None).await.map(drop)
            }
            Operation::EnableAwsServiceAccess => user.enable_aws_service_access(&ssm).await,
            Operation::DisableAwsServiceAccess => user.disable_aws_service_access(&ssm).await,
            Operation::ListDelegatedAdministrators => user.list_delegated_administrators(&ssm, None).await.map(drop),
            Operation::RegisterDelegatedAdministrator => user.register_delegated_administrator(&member, &ssm).await,
            Operation::DeregisterDelegatedAdministrator => user.deregister_delegated_administrator(&member, &ssm).await,
            Operation::GetCallerIdentity => user.get_caller_identity().await.map(drop),
            Operation::GetRole => user.get_role(&RoleName::ACCOUNT_DISCOVERY).await.map(drop),
            Operation::CreateServiceLinkedRole => user.create_service_linked_role(discovery).await.map(drop),
            // The server names the role that it made in its own way.
            Operation::DeleteServiceLinkedRole => user
                .delete_service_linked_role(&"AWSServiceRoleForssm_Accountdiscovery".parse().unwrap())
                .await
                .map(drop),
            Operation::GetServiceLinkedRoleDeletionStatus => {
                user.get_service_linked_role_deletion_status(&task).await.map(drop)
            }
            Operation::ListResourceDataSync => {
                user.list_resource_data_sync(&region, SyncType::SyncFromSource, None).await.map(drop)
            }
            Operation::CreateResourceDataSync => user.create_resource_data_sync(&region, &sync).await,
            Operation::UpdateResourceDataSync => user.update_resource_data_sync(&region, &sync).await,
            Operation::DeleteResourceDataSync => {
                user.delete_resource_data_sync(&region, &name, SyncType::SyncFromSource).await
            }
            other => panic!("{other}"),
        };
        let everything = widened(&Policy::allowing(Permission::everything(), &Scope::new()));
        for operation in Operation::ALL {
            office.allow(&without(&everything, &operation.iam_action()));
            let refused = call(*operation).await;
            let needed = Permission::of(*operation).into_iter().filter(|needed| needed.caller() == Caller::Management);
            let policy = Policy::allowing(needed, &Scope::new());
            if policy.statements().is_empty() {
                assert!(refused.is_ok(), "{operation}: {refused:?}");
                continue;
            }
            assert_eq!(*refused.unwrap_err().kind(), ErrorKind::AccessDenied, "{operation}");
            office.allow(&widened(&policy));
            let allowed = call(*operation).await;
            if operation.service() == "ssm" {
                // It has no data syncs, and says so only to those who may ask for them.
                assert_ne!(*allowed.unwrap_err().kind(), ErrorKind::AccessDenied, "{operation}");
            } else {
                allowed.unwrap_or_else(|error| panic!("{error} with {policy}"));
            }
        }
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn there_and_back_takes_the_policy_of_the_organizations_administrator() {
        let office = Office::open();
        let documents = Document::for_everything(&Scope::new());
        let is_his =
            |document: &&Document| (document.caller, document.duty) == (Caller::Management, Duty::Organization);
        let policy = documents.iter().find(is_his).unwrap().policy.clone();
        // Listing data syncs is for `Syncs::Protect`, and the server has none.
        let needed =
            Permission::everything().into_iter().filter(|needed| needed.operation().service() == "organizations");
        let without_syncs = Policy::allowing(needed, &Scope::new());
        assert!(without_syncs.statements().iter().all(|statement| policy.statements().contains(statement)));
        office
            .needs_all_of(&without_syncs, async || {
                let observed = Integration::new(&office.user).observe().await?;
                let delegated = observed.ensure_delegated(&office.member).await?;
                delegated.deregister(Syncs::Forfeit).await?.disable(Syncs::Forfeit).await?;
                Ok(())
            })
            .await;
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn observing_takes_three_actions() {
        let office = Office::open();
        let reads = Permission::everything().into_iter().filter(|needed| {
            !needed.operation().is_write()
                && needed.operation().service() == "organizations"
                && needed.operation() != Operation::DescribeAccount
        });
        let policy = Policy::allowing(reads, &Scope::new());
        assert_eq!(actions(&widened(&policy)).len(), 3);
        office
            .needs_all_of(&policy, async || {
                Integration::new(&office.user).observe().await?;
                Ok(())
            })
            .await;
    }
}
