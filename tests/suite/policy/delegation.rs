//! Resource-based delegation policies: their statements, and the calls that they allow.
#![cfg(feature = "sim")]

use ssm_organizations::domain::Partition;
use ssm_organizations::error::Actor;
use ssm_organizations::policy::{DelegationPolicy, PolicyScope};
use ssm_organizations::ports::{Operation, OrganizationsApi};
use ssm_organizations::{Error, ErrorKind, Integration, Remedy};

use crate::common::{SSM, alice, bob, delegated, expect_delegated, trusting};

#[test]
fn policy_for_observers_grants_the_three_reads() {
    let policy = DelegationPolicy::for_observers([bob(), alice(), bob()], &PolicyScope::new());
    assert_eq!(
        policy.to_string(),
        r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "ObserveSystemsManager",
      "Effect": "Allow",
      "Principal": {
        "AWS": [
          "arn:aws:iam::222222222222:root",
          "arn:aws:iam::333333333333:root"
        ]
      },
      "Action": [
        "organizations:DescribeOrganization",
        "organizations:ListAWSServiceAccessForOrganization",
        "organizations:ListDelegatedAdministrators"
      ],
      "Resource": "*"
    }
  ]
}"#
    );
    let china = PolicyScope::new().in_partition(Partition::AWS_CN);
    let policy = DelegationPolicy::for_observers([alice()], &china).to_string();
    assert!(policy.contains(r#""AWS": "arn:aws-cn:iam::222222222222:root""#), "{policy}");
}

#[cfg(feature = "serde")]
#[test]
fn policy_serializes_as_it_is_displayed() {
    let policy = DelegationPolicy::for_observers([alice()], &PolicyScope::new());
    let displayed: serde_json::Value = serde_json::from_str(&policy.to_string()).unwrap();
    assert_eq!(serde_json::to_value(&policy).unwrap(), displayed);
}

#[tokio::test(start_paused = true)]
async fn member_that_may_read_observes_and_may_not_write() {
    let organization = delegated().delegation_policy_for(bob()).build();
    let client = organization.client(bob());
    let observed = Integration::new(client.clone()).observe().await.unwrap();
    let handle = expect_delegated(observed);
    assert_eq!(handle.administrator().account, alice(), "the reader is no administrator");
    assert!(client.describe_account(alice()).await.is_ok());
    for refused in [
        client.enable_aws_service_access(&SSM).await,
        client.disable_aws_service_access(&SSM).await,
        client.register_delegated_administrator(bob(), &SSM).await,
        client.deregister_delegated_administrator(alice(), &SSM).await,
    ] {
        assert_eq!(*refused.unwrap_err().kind(), ErrorKind::AccessDenied);
    }
}

#[tokio::test(start_paused = true)]
async fn denied_read_names_the_delegation_policy_as_a_way() {
    let organization = trusting().build();
    let error: Error = Integration::new(organization.client(bob())).observe().await.unwrap_err().into();
    let operation = Operation::ListAwsServiceAccessForOrganization;
    let remedies = error.remedies();
    let last = remedies.last().unwrap();
    assert!(matches!(last, Remedy::AllowInDelegationPolicy { operation: of, .. } if *of == operation), "{error}");
    assert_eq!(last.actor(), Actor::OrganizationAdministrator);
    let text = "allow organizations:ListAWSServiceAccessForOrganization in the delegation policy of the organization";
    assert_eq!(last.to_string(), text);

    // The management account needs no delegation policy, and a delegation policy allows no write.
    for error in [
        Error::from_service_error(Operation::RegisterDelegatedAdministrator, "AccessDeniedException", ""),
        Error::from_service_error(Operation::CreateResourceDataSync, "AccessDeniedException", ""),
    ] {
        assert!(!error.remedies().iter().any(|way| matches!(way, Remedy::AllowInDelegationPolicy { .. })), "{error}");
    }
    let client = organization.management_client().without_permission(operation.iam_action());
    let error: Error = Integration::new(client).observe().await.unwrap_err().into();
    assert!(matches!(error.remedies().as_slice(), [Remedy::AddPermission { .. }]), "{error}");
}

#[test]
fn explicit_deny_in_the_delegation_policy_is_named() {
    let message = "… with an explicit deny in a resource-based policy";
    let error = Error::from_service_error(Operation::ListDelegatedAdministrators, "AccessDeniedException", message);
    let remedies: Vec<_> = error.remedies().iter().map(ToString::to_string).collect();
    let text = "remove the explicit deny of organizations:ListDelegatedAdministrators from the resource-based policy";
    assert!(remedies.contains(&text.to_owned()), "{remedies:?}");
}
