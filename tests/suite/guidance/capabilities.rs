//! Tests of the documented facts about Systems Manager's capabilities, and of the warnings before a
//! write.
#![cfg(feature = "sim")]

use std::collections::BTreeSet;

use ssm_organizations::domain::Partition;
use ssm_organizations::guidance::{Availability, Capability, Warning};
use ssm_organizations::policy::{Caller, Permission};
use ssm_organizations::{ServicePrincipal, SyncName};

use crate::common::{alice, region};

const SSM: ServicePrincipal = ServicePrincipal::SYSTEMS_MANAGER;

fn before(permission: &Permission, partition: &Partition) -> Vec<String> {
    Warning::before_permission(permission, partition).iter().map(ToString::to_string).collect()
}

fn is_date(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').map(|part| (part.len(), part.parse::<u16>())).collect();
    matches!(parts[..], [(4, Ok(2020..)), (2, Ok(1..=12)), (2, Ok(1..=31))])
}

#[test]
fn capability_lists_principals_source_and_note_dates() {
    let mut names = BTreeSet::new();
    for capability in Capability::ALL {
        assert!(names.insert(capability.to_string()));
        assert!(!capability.trusted_principals().is_empty());
        assert!(capability.source().starts_with("https://docs.aws.amazon.com/systems-manager/latest/userguide/"));
        for principal in capability.trusted_principals().iter().chain(capability.delegated_principals()) {
            assert!(Capability::of_principal(principal).contains(capability), "{principal}");
        }
        for principal in capability.delegated_principals() {
            assert!(
                capability.trusted_principals().contains(principal),
                "AWS requires trusted access for {principal} first"
            );
        }
        for note in capability.notes() {
            assert!(note.date.is_none_or(is_date), "{note}");
        }
        assert_eq!(capability.availability(&Partition::AWS), Availability::Available);
    }
}

#[test]
fn capability_requirements_match_the_aws_page() {
    use ssm_organizations::domain::RoleName;
    assert_eq!(Capability::Explorer.optional_principals(), [ServicePrincipal::OPS_DATA_SYNC]);
    assert_eq!(Capability::QuickSetup.optional_principals(), []);
    assert_eq!(Capability::Explorer.roles(), [RoleName::ACCOUNT_DISCOVERY, RoleName::SYSTEMS_MANAGER]);
    assert_eq!(Capability::ChangeManager.roles(), []);
    let notes: Vec<_> = Capability::ChangeManager.notes().iter().map(ToString::to_string).collect();
    assert_eq!(
        notes[..2],
        [
            "2025-11-07: closed to new customers",
            "the delegated administrator is the only account in its organizational unit"
        ]
    );
}

#[test]
fn availability_in_each_partition_matches_the_aws_page() {
    use Availability::{Available, AvailableWithoutDelegation, Unavailable, Undocumented};
    let table = [
        (Capability::Explorer, [Available, AvailableWithoutDelegation, Available]),
        (Capability::ChangeManager, [Available, Unavailable, Undocumented]),
        (Capability::OpsCenter, [Available, Undocumented, Undocumented]),
        (Capability::QuickSetup, [Available, Unavailable, Unavailable]),
        (Capability::UnifiedConsole, [Available, Unavailable, Unavailable]),
    ];
    assert_eq!(table.map(|(capability, _)| capability), Capability::ALL);
    for (capability, offered) in table {
        let partitions = [Partition::AWS, Partition::AWS_US_GOV, Partition::AWS_CN];
        assert_eq!(partitions.map(|partition| capability.availability(&partition)), offered, "{capability}");
        let unknown: Partition = "aws-moon".parse().unwrap();
        assert_eq!(capability.availability(&unknown), Undocumented);
    }
}

#[test]
fn of_principal_returns_the_capabilities_that_use_it() {
    let of = |principal: &ServicePrincipal| Capability::of_principal(principal);
    assert_eq!(
        of(&SSM),
        [
            Capability::Explorer,
            Capability::ChangeManager,
            Capability::OpsCenter,
            Capability::QuickSetup,
            Capability::UnifiedConsole
        ]
    );
    assert_eq!(of(&ServicePrincipal::QUICK_SETUP), [Capability::QuickSetup, Capability::UnifiedConsole]);
    assert_eq!(of(&ServicePrincipal::OPS_DATA_SYNC), [Capability::Explorer]);
    assert_eq!(of(&"config.amazonaws.com".parse().unwrap()), []);
}

#[test]
fn warning_with_date_contains_it() {
    for capability in Capability::ALL {
        for partition in Partition::KNOWN {
            for warning in Warning::of_capability(*capability, partition) {
                let text = warning.to_string();
                match warning.date() {
                    Some(date) => assert!(is_date(date) && text.contains(date), "{text}"),
                    None => assert!(!text.contains("20"), "{text}"),
                }
            }
        }
    }
    let change_manager = Warning::of_capability(Capability::ChangeManager, &Partition::AWS);
    assert_eq!(change_manager, [Warning::ChangeManagerClosed, Warning::RequiresDedicatedOu]);
    assert_eq!(Warning::of_capability(Capability::Explorer, &Partition::AWS), [Warning::ExplorerConsoleRemoval]);
    assert_eq!(Warning::of_capability(Capability::OpsCenter, &Partition::AWS), []);
}

#[test]
fn warnings_before_registration_mention_change_manager() {
    let register = Permission::register_delegated_administrator(alice(), SSM);
    assert_eq!(
        before(&register, &Partition::AWS),
        [
            "Change Manager takes no new customers since 2025-11-07",
            "Change Manager wants the delegated administrator to be the only account in its organizational unit",
        ]
    );
    // Without Change Manager in the partition its warnings are omitted.
    assert_eq!(
        before(&register, &Partition::AWS_US_GOV),
        ["AWS offers no delegated administrator of Explorer in aws-us-gov"]
    );
    assert_eq!(before(&register, &Partition::AWS_CN), [""; 0]);
    assert_eq!(
        before(&register, &Partition::AWS_ISO),
        ["AWS's documents do not say whether Explorer works with organizations in aws-iso"]
    );
}

#[test]
fn warnings_before_enabling_companion_mention_delegation() {
    let enable = |principal| Permission::enable_aws_service_access(principal);
    assert_eq!(before(&enable(SSM), &Partition::AWS), [""; 0]);
    assert_eq!(before(&enable(SSM), &Partition::AWS_US_GOV), [""; 0]);
    assert_eq!(before(&enable(ServicePrincipal::OPS_DATA_SYNC), &Partition::AWS), [""; 0]);
    assert_eq!(
        before(&enable(ServicePrincipal::QUICK_SETUP), &Partition::AWS_US_GOV),
        [
            "AWS does not offer Quick Setup to organizations in aws-us-gov",
            "the delegated administrator of Systems Manager does not become that of ssm-quicksetup.amazonaws.com: it is registered for each",
        ]
    );
    let register = Permission::register_delegated_administrator(alice(), ServicePrincipal::QUICK_SETUP);
    assert_eq!(Warning::before_permission(&register, &Partition::AWS), [Warning::DelegationPropagates]);
}

#[test]
fn warnings_before_sync_creation_mention_console_removal() {
    let create = |caller| {
        let name = SyncName::new("all-accounts").unwrap();
        Permission::create_resource_data_sync(caller, region("us-gov-west-1"), name)
    };
    let leaves = "Explorer's dashboard leaves the console on 2026-12-31; data syncs and GetOpsSummary stay";
    assert_eq!(before(&create(Caller::Administrator), &Partition::AWS), [leaves]);
    assert_eq!(before(&create(Caller::Management), &Partition::AWS_US_GOV), [leaves]);
    assert_eq!(
        before(&create(Caller::Administrator), &Partition::AWS_US_GOV),
        ["AWS offers no delegated administrator of Explorer in aws-us-gov", leaves]
    );
}

#[test]
fn warnings_before_reads_and_removals_are_empty() {
    for permission in Permission::everything() {
        let adds = ["EnableAWSServiceAccess", "RegisterDelegatedAdministrator", "CreateResourceDataSync"];
        if !adds.contains(&permission.operation().name()) {
            for partition in Partition::KNOWN {
                assert_eq!(Warning::before_permission(&permission, partition), [], "{permission}");
            }
        }
    }
}
