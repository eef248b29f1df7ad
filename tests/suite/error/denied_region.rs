//! Denials of one Region by a policy of the organization.

use ssm_organizations::error::PolicyType;
use ssm_organizations::ports::Operation;
use ssm_organizations::{Error, Region, Remedy};

fn denial(operation: Operation, why: &str) -> Error {
    let message = format!("User: arn:aws:iam::111111111111:user/u is not authorized to perform: the call {why}");
    Error::from_service_error(operation, "AccessDeniedException", message)
        .with_region(Region::new("eu-north-1").unwrap())
}

#[test]
fn sync_call_denied_by_scp_suggests_to_omit_the_region() {
    let operations = [
        Operation::ListResourceDataSync,
        Operation::CreateResourceDataSync,
        Operation::UpdateResourceDataSync,
        Operation::DeleteResourceDataSync,
    ];
    for operation in operations {
        for (why, policy) in [
            ("with an explicit deny in a service control policy", PolicyType::ServiceControl),
            ("with an explicit deny in a resource control policy", PolicyType::ResourceControl),
            ("because no service control policy allows the action", PolicyType::ServiceControl),
        ] {
            let remedies = denial(operation, why).remedies();
            let [first, Remedy::OmitRegion { region, .. }] = remedies.as_slice() else { panic!("{remedies:?}") };
            assert!(
                matches!(first, Remedy::RemoveExplicitDeny { policy: Some(found), .. } | Remedy::AllowInPolicy { policy: found, .. } if *found == policy),
                "{first:?}"
            );
            assert_eq!(region.as_str(), "eu-north-1");
        }
    }
}

#[test]
fn other_denials_do_not_suggest_to_omit_the_region() {
    let cases = [
        (Operation::ListResourceDataSync, "with an explicit deny in an identity-based policy"),
        (Operation::ListResourceDataSync, "because no permissions boundary allows the action"),
        (Operation::ListResourceDataSync, ""),
        (Operation::DescribeOrganization, "with an explicit deny in a service control policy"),
    ];
    for (operation, why) in cases {
        let remedies = denial(operation, why).remedies();
        assert!(!remedies.iter().any(|remedy| matches!(remedy, Remedy::OmitRegion { .. })), "{why}: {remedies:?}");
    }
}
