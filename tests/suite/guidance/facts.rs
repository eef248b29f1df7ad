//! Facts that AWS documents in 2026: Quick Setup, the unified console, Explorer's sources.
#![cfg(feature = "sim")]

use ssm_organizations::ServicePrincipal;
use ssm_organizations::domain::{Partition, RoleName};
use ssm_organizations::guidance::{Availability, Capability, ManualTask, Warning};
use ssm_organizations::ports::{SourceRegions, SyncDefinition, SyncSource};

use crate::plan::organization_clients::{home, name, whole};

fn notes(capability: Capability) -> String {
    capability.notes().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn quick_setup_takes_systems_manager_and_its_roles() {
    let quick_setup = Capability::QuickSetup;
    assert_eq!(
        quick_setup.trusted_principals(),
        [ServicePrincipal::SYSTEMS_MANAGER, ServicePrincipal::QUICK_SETUP, ServicePrincipal::STACK_SETS]
    );
    assert_eq!(quick_setup.roles(), [RoleName::ACCOUNT_DISCOVERY, RoleName::SYSTEMS_MANAGER, RoleName::QUICK_SETUP]);
}

#[test]
fn quick_setup_and_the_unified_console_are_in_aws_only() {
    for capability in [Capability::QuickSetup, Capability::UnifiedConsole] {
        for partition in Partition::KNOWN {
            let expected =
                if *partition == Partition::AWS { Availability::Available } else { Availability::Unavailable };
            assert_eq!(capability.availability(partition), expected, "{capability} in {partition}");
        }
        let unknown = "aws-moon".parse().unwrap();
        assert_eq!(capability.availability(&unknown), Availability::Undocumented);
    }
}

#[test]
fn notes_name_the_corrected_facts() {
    for (capability, text) in [
        (Capability::UnifiedConsole, "home Region changes only when the unified console is disabled and set up again"),
        (Capability::UnifiedConsole, "16 Regions"),
        (Capability::Explorer, "both the management and the member account"),
        (Capability::Explorer, "six hours"),
        (Capability::Explorer, "the management account's own findings of Security Hub"),
        (Capability::Explorer, "switches Security Hub's source on in every member account"),
        (Capability::Explorer, "2026-12-31: the dashboard and Explorer's settings leave the console"),
    ] {
        assert!(notes(capability).contains(text), "{capability}: {text}");
    }
}

#[test]
fn places_in_explorers_settings_name_their_end() {
    for task in [
        ManualTask::CreateRole,
        ManualTask::RegisterAdministrator,
        ManualTask::DeregisterAdministrator,
        ManualTask::CreateDataSync,
        ManualTask::DeleteDataSyncs,
    ] {
        assert!(task.console().contains("2026-12-31"), "{task}");
    }
    for task in [ManualTask::EnableTrustedAccess, ManualTask::DisableTrustedAccess, ManualTask::DeleteRole] {
        assert!(!task.console().contains("Explorer"), "{task}");
    }
}

#[test]
fn organization_sync_has_one_warning_about_charges() {
    assert_eq!(Warning::of_sync(&whole("org")), [Warning::SourcesMayBeEnabled]);
    assert_eq!(Warning::of_sync(&whole("org").enabling_all_ops_data_sources()), [Warning::AllSourcesEnabled]);
    let source = SourceRegions::new(home()).unwrap();
    let own = SyncDefinition::new(name("own"), SyncSource::SingleAccount, source);
    assert_eq!(Warning::of_sync(&own.clone()), []);
    assert_eq!(Warning::of_sync(&own.enabling_all_ops_data_sources()), []);
    let text = Warning::SourcesMayBeEnabled.to_string();
    assert!(text.contains("Security Hub") && text.contains("charges") && text.contains("requests none"), "{text}");
}
