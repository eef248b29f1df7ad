//! What AWS says of Systems Manager's capabilities, and what to know before a write.
#![cfg(feature = "sim")]

use std::collections::BTreeSet;

use ssm_organizations::policy::{Caller, Permission};
use ssm_organizations::{Availability, Capability, Partition, ServicePrincipal, SyncName, Warning};

use crate::common::{alice, region};

const SSM: ServicePrincipal = ServicePrincipal::SYSTEMS_MANAGER;

fn before(permission: &Permission, partition: &Partition) -> Vec<String> {
    Warning::before(permission, partition).iter().map(ToString::to_string).collect()
}

fn is_date(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').map(|part| (part.len(), part.parse::<u16>())).collect();
    matches!(parts[..], [(4, Ok(2020..)), (2, Ok(1..=12)), (2, Ok(1..=31))])
}

#[test]
fn every_capability_names_its_principals_its_source_and_its_dates() {
    let mut names = BTreeSet::new();
    for capability in Capability::ALL {
        assert!(names.insert(capability.to_string()));
        assert!(!capability.trusted_principals().is_empty());
        assert!(capability.source().starts_with("https://docs.aws.amazon.com/systems-manager/latest/userguide/"));
        for principal in capability.trusted_principals().iter().chain(capability.delegated_principals()) {
            assert!(Capability::of_principal(principal).contains(capability), "{principal}");
        }
        for principal in capability.delegated_principals() {
            assert!(capability.trusted_principals().contains(principal), "AWS wants {principal} trusted first");
        }
        for note in capability.notes() {
            assert!(note.date.is_none_or(is_date), "{note}");
        }
        assert_eq!(capability.availability(&Partition::AWS), Availability::Available);
    }
}

#[test]
fn what_a_capability_takes_is_what_awss_page_says() {
    use ssm_organizations::RoleName;
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
fn where_a_capability_is_offered() {
    use Availability::{Available, Unavailable, Undocumented, WithoutDelegation};
    let table = [
        (Capability::Explorer, [Available, WithoutDelegation, Undocumented]),
        (Capability::ChangeManager, [Available, Unavailable, Undocumented]),
        (Capability::OpsCenter, [Available, Undocumented, Undocumented]),
        (Capability::QuickSetup, [Available, Unavailable, Unavailable]),
        (Capability::UnifiedConsole, [Available, Undocumented, Undocumented]),
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
fn a_principal_tells_what_wants_it() {
    let of = |principal: &ServicePrincipal| Capability::of_principal(principal);
    assert_eq!(
        of(&SSM),
        [Capability::Explorer, Capability::ChangeManager, Capability::OpsCenter, Capability::UnifiedConsole]
    );
    assert_eq!(of(&ServicePrincipal::QUICK_SETUP), [Capability::QuickSetup, Capability::UnifiedConsole]);
    assert_eq!(of(&ServicePrincipal::OPS_DATA_SYNC), [Capability::Explorer]);
    assert_eq!(of(&"config.amazonaws.com".parse().unwrap()), []);
}

#[test]
fn dated_warnings_carry_their_date() {
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
    assert_eq!(change_manager, [Warning::ChangeManagerClosed, Warning::AdministratorAlone]);
    assert_eq!(Warning::of_capability(Capability::Explorer, &Partition::AWS), [Warning::ExplorerLeavesTheConsole]);
    assert_eq!(Warning::of_capability(Capability::OpsCenter, &Partition::AWS), []);
}

#[test]
fn before_an_administrator_is_registered_change_manager_is_thought_of() {
    let register = Permission::register_delegated_administrator(alice(), SSM);
    assert_eq!(
        before(&register, &Partition::AWS),
        [
            "Change Manager takes no new customers since 2025-11-07",
            "Change Manager wants the delegated administrator to be the only account in its organizational unit",
        ]
    );
    // Where there is no Change Manager it is no matter.
    assert_eq!(
        before(&register, &Partition::AWS_US_GOV),
        ["AWS offers no delegated administrator of Explorer in aws-us-gov"]
    );
    assert_eq!(
        before(&register, &Partition::AWS_CN),
        ["AWS's documents do not say whether Explorer works with organizations in aws-cn"]
    );
}

#[test]
fn before_a_companion_is_trusted_its_own_delegation_is_thought_of() {
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
    assert_eq!(Warning::before(&register, &Partition::AWS), [Warning::WiderDelegation]);
}

#[test]
fn before_a_sync_is_created_the_dashboards_end_is_thought_of() {
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
fn reading_and_taking_away_need_no_warning() {
    for permission in Permission::everything() {
        let adds = ["EnableAWSServiceAccess", "RegisterDelegatedAdministrator", "CreateResourceDataSync"];
        if !adds.contains(&permission.operation().name()) {
            for partition in Partition::KNOWN {
                assert_eq!(Warning::before(&permission, partition), [], "{permission}");
            }
        }
    }
}
