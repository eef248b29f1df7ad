//! Checks that the library's policies contain exactly the required actions, as a user of a moto
//! server that enforces policies.
//!
//! The server checks actions against the resource `*` and ignores conditions. These tests widen the
//! resources and drop the conditions; other tests check both.

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
    use ssm_organizations::domain::{DeletionTaskId, RoleName};
    use ssm_organizations::policy::{Caller, Document, Permission, Policy, PolicyScope, Responsibility};
    use ssm_organizations::ports::{
        IamApi, Operation, OrganizationsApi, SourceRegions, StsApi, SyncDefinition, SyncType, SystemsManagerApi,
    };
    use ssm_organizations::{
        AccountId, Error, ErrorKind, Integration, Region, ServicePrincipal, SyncName, SyncProtection,
    };

    use super::client::client_with_key;
    use super::server::{Moto, text};

    const USER: &str = "engineer";

    /// Server with an organization, and a client of a user of the management account.
    struct PolicyServer {
        moto: Moto,
        member: AccountId,
        user: AwsClient,
    }

    impl PolicyServer {
        fn open() -> Self {
            let moto = Moto::start();
            let member = moto.organization(1).members[0].parse().unwrap();
            let key = moto.boto3(&["user", USER]);
            let [id, secret] = ["AccessKeyId", "SecretAccessKey"].map(|part| text(&key[part]));
            let user = client_with_key(&moto, &id, &secret);
            Self { moto, member, user }
        }

        /// Grants the user exactly this policy.
        fn allow(&self, policy: &Value) {
            self.moto.enforce_policies(false);
            self.moto.boto3(&["allow", USER, &policy.to_string()]);
            self.moto.enforce_policies(true);
        }

        /// Checks that the actions suffice, and that each missing action causes a refusal.
        async fn needs_all_of(&self, policy: &Policy, work: impl AsyncFn() -> Result<(), Error>) {
            let policy = widened(policy);
            self.allow(&policy);
            work().await.unwrap_or_else(|error| panic!("{error} with {policy}"));
            for action in actions(&policy) {
                self.allow(&without(&policy, &action));
                let error = work().await.expect_err(&action);
                assert_eq!(*error.kind(), ErrorKind::AccessDenied, "{error} without {action}");
                assert_eq!(error.operation().map(Operation::iam_action), Some(action));
                // A complete run restores the initial state for the next action.
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

    /// Returns the policy without the action. An unrelated action keeps each statement non-empty.
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
    async fn each_call_requires_its_iam_action() {
        let server = PolicyServer::open();
        let (user, member, ssm) = (&server.user, server.member, ServicePrincipal::SYSTEMS_MANAGER);
        let discovery = &ServicePrincipal::ACCOUNT_DISCOVERY;
        let region = Region::new("eu-central-1").unwrap();
        let name = SyncName::new("all-accounts").unwrap();
        let sync = SyncDefinition::of_organization(name.clone(), SourceRegions::new([region.clone()]).unwrap());
        let unit = "ou-exam-12345678".parse().unwrap();
        let task: DeletionTaskId = "task".parse().unwrap();
        let call = async |operation| match operation {
            Operation::DescribeOrganization => user.describe_organization().await.map(drop),
            Operation::DescribeAccount => user.describe_account(member).await.map(drop),
            Operation::DescribeOrganizationalUnit => user.describe_organizational_unit(&unit).await.map(drop),
            Operation::ListAwsServiceAccessForOrganization => {
                user.list_aws_service_access_for_organization(None).await.map(drop)
            }
            Operation::EnableAwsServiceAccess => user.enable_aws_service_access(&ssm).await,
            Operation::DisableAwsServiceAccess => user.disable_aws_service_access(&ssm).await,
            Operation::ListDelegatedAdministrators => user.list_delegated_administrators(&ssm, None).await.map(drop),
            Operation::RegisterDelegatedAdministrator => user.register_delegated_administrator(member, &ssm).await,
            Operation::DeregisterDelegatedAdministrator => user.deregister_delegated_administrator(member, &ssm).await,
            Operation::GetCallerIdentity => user.get_caller_identity().await.map(drop),
            Operation::GetRole => user.get_role(&RoleName::ACCOUNT_DISCOVERY).await.map(drop),
            Operation::CreateServiceLinkedRole => user.create_service_linked_role(discovery).await.map(drop),
            // moto gives the role a different name than AWS does.
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
        let everything = widened(&Policy::allowing(Permission::everything(), &PolicyScope::new()));
        for operation in Operation::ALL {
            server.allow(&without(&everything, &operation.iam_action()));
            let refused = call(*operation).await;
            let needed = Permission::of(*operation).into_iter().filter(|needed| needed.caller() == Caller::Management);
            let policy = Policy::allowing(needed, &PolicyScope::new());
            if policy.statements().is_empty() {
                assert!(refused.is_ok(), "{operation}: {refused:?}");
                continue;
            }
            assert_eq!(*refused.unwrap_err().kind(), ErrorKind::AccessDenied, "{operation}");
            server.allow(&widened(&policy));
            let allowed = call(*operation).await;
            if operation.service() == "ssm" || *operation == Operation::DescribeOrganizationalUnit {
                // moto has no data syncs and not this unit, but an allowed caller gets another
                // error than a denied one.
                assert_ne!(*allowed.unwrap_err().kind(), ErrorKind::AccessDenied, "{operation}");
            } else {
                allowed.unwrap_or_else(|error| panic!("{error} with {policy}"));
            }
        }
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn onboarding_and_teardown_require_organization_policy() {
        let server = PolicyServer::open();
        let documents = Document::for_everything(&PolicyScope::new());
        let is_his = |document: &&Document| {
            (document.caller, document.duty) == (Caller::Management, Responsibility::Organization)
        };
        let policy = documents.iter().find(is_his).unwrap().policy.clone();
        // moto has no data syncs, so the run does not use `SyncProtection::Protect`, which lists
        // them. Organizational units are read only for data syncs.
        let needed = Permission::everything().into_iter().filter(|needed| {
            needed.operation().service() == "organizations"
                && needed.operation() != Operation::DescribeOrganizationalUnit
        });
        let without_syncs = Policy::allowing(needed, &PolicyScope::new());
        assert!(without_syncs.statements().iter().all(|statement| policy.statements().contains(statement)));
        server
            .needs_all_of(&without_syncs, async || {
                let observed = Integration::new(&server.user).observe().await?;
                let delegated = observed.ensure_delegated(server.member).await?;
                delegated.deregister(SyncProtection::AllowLoss).await?.disable(SyncProtection::AllowLoss).await?;
                Ok(())
            })
            .await;
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn observe_requires_three_actions() {
        let server = PolicyServer::open();
        let reads = Permission::everything().into_iter().filter(|needed| {
            !needed.operation().is_write()
                && needed.operation().service() == "organizations"
                && !matches!(needed.operation(), Operation::DescribeAccount | Operation::DescribeOrganizationalUnit)
        });
        let policy = Policy::allowing(reads, &PolicyScope::new());
        assert_eq!(actions(&widened(&policy)).len(), 3);
        server
            .needs_all_of(&policy, async || {
                Integration::new(&server.user).observe().await?;
                Ok(())
            })
            .await;
    }
}
