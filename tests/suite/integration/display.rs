//! Texts and accessors of public values.
#![cfg(feature = "sim")]

use std::error::Error as StdError;
use std::io;

use ssm_organizations::error::Actor;
use ssm_organizations::plan::Clients;
use ssm_organizations::ports::{FeatureSet, Operation, SourceRegions, SyncDefinition};
use ssm_organizations::sim::Fault;
use ssm_organizations::{
    AccountId, Certainty, Error, ExplorerSetup, Integration, Recovered, Region, SyncMigration, SyncName, SyncProtection,
};

use crate::common::{
    MockClient, bob, delegated, delegated_in, disabled_in, management, observe, organization, region, trusted_in,
    trusting,
};

fn sync() -> SyncDefinition {
    let regions = SourceRegions::new([region("eu-central-1")]).unwrap();
    SyncDefinition::of_organization(SyncName::new("all-accounts").unwrap(), regions)
}

#[test]
fn invalid_identifier_error_names_expected_form() {
    let error = AccountId::new("12").unwrap_err();
    assert_eq!((error.what(), error.expected(), error.given()), ("an account id", "twelve digits", "12"));
    assert_eq!(error.to_string(), "\"12\" is not an account id: twelve digits");
    let error = Region::new("Frankfurt").unwrap_err();
    assert_eq!((error.what(), error.given()), ("a Region", "Frankfurt"));
}

#[tokio::test]
async fn observed_reports_state_name_and_caller() {
    let two = || delegated().delegated_administrator(bob());
    for (builder, name) in [
        (organization(), "Disabled"),
        (trusting(), "TrustedAccess"),
        (delegated(), "Delegated"),
        (two(), "Inconsistent"),
    ] {
        let observed = observe(&builder.build()).await;
        assert_eq!((observed.state_name(), observed.caller()), (name, Some(management())));
    }
}

#[tokio::test]
async fn observed_displays_state_as_sentence() {
    let orphaned = || organization().delegated_administrator(bob());
    let cases = [
        (organization(), "Disabled: trusted access for Systems Manager is disabled in organization o-exampleorgid"),
        (trusting(), "TrustedAccess: trusted access for Systems Manager is enabled in organization o-exampleorgid"),
        (delegated(), "Delegated: account 222222222222 administers Systems Manager in organization o-exampleorgid"),
        (
            delegated().delegated_administrator(bob()),
            "Inconsistent: Systems Manager in organization o-exampleorgid is administered by 222222222222 and 333333333333",
        ),
        (
            orphaned(),
            "Inconsistent: Systems Manager in organization o-exampleorgid is administered by 333333333333, but trusted access is disabled",
        ),
    ];
    for (builder, sentence) in cases {
        assert_eq!(observe(&builder.build()).await.to_string(), sentence);
    }
}

#[test]
fn value_types_display_expected_text() {
    assert_eq!(AsRef::<str>::as_ref(&management()), "111111111111");
    assert_eq!(
        [FeatureSet::All, FeatureSet::ConsolidatedBilling].map(|features| features.to_string()),
        ["all features", "consolidated billing only"]
    );
    let administrators = [
        (Actor::Caller, "the caller"),
        (Actor::OrganizationAdministrator, "the organization's administrator"),
        (Actor::SystemsManagerAdministrator, "Systems Manager's administrator"),
        (Actor::PermissionsAdministrator, "the administrator of the caller's permissions"),
    ];
    for (actor, text) in administrators {
        assert_eq!(actor.to_string(), text);
    }
}

#[cfg(feature = "serde")]
#[test]
fn operation_serializes_as_its_name() {
    for operation in Operation::ALL {
        let written = serde_json::to_string(operation).unwrap();
        assert_eq!(written, format!("\"{operation}\""));
        assert_eq!(serde_json::from_str::<Operation>(&written).unwrap(), *operation);
    }
    let error = serde_json::from_str::<Operation>("\"DeleteEverything\"").unwrap_err();
    assert!(error.to_string().starts_with("\"DeleteEverything\" is no operation that is called here"), "{error}");
}

/// Asserts that the output omits the client, which may not implement `Debug`.
#[tokio::test(start_paused = true)]
async fn debug_of_client_holders_omits_the_client() {
    let organization = trusting().build();
    let client = organization.management_client();
    let home = [region("eu-central-1")];
    let mut trusted = trusted_in(&organization).await;
    let syncs = trusted.data_syncs(&client).await.unwrap();
    assert_eq!(format!("{syncs:?}"), "DataSyncs { viewpoint: Management(AccountId(111111111111)), .. }");
    let role = trusted.account_discovery_role(&client);
    assert_eq!(format!("{role:?}"), "AccountDiscoveryRole { account: AccountId(111111111111), .. }");

    let sync = sync();
    let explorer = ExplorerSetup::new().with_sync(&client, &sync, &home);
    let text = format!("{explorer:?}");
    assert!(
        text.starts_with("ExplorerSetup { role: false, syncs: [(SyncDefinition { name: SyncName(all-accounts)"),
        "{text}"
    );
    assert_eq!(format!("{:?}", ExplorerSetup::new().with_role(&client)), "ExplorerSetup { role: true, syncs: [] }");

    let clients = format!("{:?}", Clients::new(&client).with_account_client(&client));
    assert!(clients.starts_with("Clients { others: 1, .. }"), "{clients}");

    let carry = SyncMigration::Migrate { from: &client, to: &client, regions: &home };
    assert_eq!(format!("{carry:?}"), "Migrate { regions: [Region(eu-central-1)], .. }");
    assert_eq!(format!("{:?}", SyncMigration::Discard(SyncProtection::AllowLoss)), "Discard(AllowLoss)");

    let organization = delegated().build();
    let handle = delegated_in(&organization).await;
    let replaced = handle.replace(bob(), SyncMigration::Discard(SyncProtection::AllowLoss)).await.unwrap();
    let text = format!("{replaced:?}");
    assert!(text.starts_with("Replacement { handle: ") && text.contains("333333333333"), "{text}");
    assert!(text.ends_with("migrated: [], failed: [], incomplete: [] }"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn transition_error_debug_shows_error_and_recovery() {
    let organization = organization().build();
    organization.inject_fault(Operation::EnableAwsServiceAccess, 1, Fault::refused("AccessDeniedException"));
    let failure = disabled_in(&organization).await.enable_trusted_access().await.unwrap_err();
    let text = format!("{failure:?}");
    assert!(text.starts_with("TransitionError { error: Error { kind: AccessDenied"), "{text}");
    assert!(text.ends_with("recovered: Unchanged }"), "{text}");
    assert!(failure.source().is_none(), "the error has no source");
}

/// Asserts that each link of an error chain appears once.
#[tokio::test(start_paused = true)]
async fn transition_error_source_equals_source_of_its_error() {
    let mut client = MockClient::new();
    client.expect_describe_organization().returning(|| {
        Err(Error::not_sent(Operation::DescribeOrganization, "no way")
            .with_source(io::Error::other("the cable is cut")))
    });
    client.expect_get_caller_identity().returning(|| Err(Error::unsupported(Operation::GetCallerIdentity)));
    client
        .expect_list_aws_service_access_for_organization()
        .returning(|_| Err(Error::unsupported(Operation::ListAwsServiceAccessForOrganization)));
    client
        .expect_list_delegated_administrators()
        .returning(|_, _| Err(Error::unsupported(Operation::ListDelegatedAdministrators)));
    let failure = Integration::new(client).observe().await.unwrap_err();
    assert_eq!(failure.source().map(ToString::to_string), failure.error().source().map(ToString::to_string));
    assert!(failure.source().is_some_and(|source| source.to_string().contains("the cable is cut")));
    assert!(matches!(failure.recover(), Recovered::Unchanged(_)));
}

#[tokio::test(start_paused = true)]
async fn change_displays_action_and_certainty() {
    let organization = organization().build();
    let trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    let [change] = trusted.changes() else { panic!("{:?}", trusted.changes()) };
    assert_eq!(change.to_string(), "trusted access for ssm.amazonaws.com enabled");
    assert_eq!(
        [Certainty::Confirmed, Certainty::Unconfirmed].map(|certainty| certainty.to_string()),
        ["confirmed", "unconfirmed"]
    );
}
