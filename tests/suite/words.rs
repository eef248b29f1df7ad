//! What values say of themselves, and let be asked of them.
#![cfg(feature = "sim")]

use std::error::Error as StdError;
use std::io;

use ssm_organizations::plan::Clients;
use ssm_organizations::ports::{FeatureSet, Operation, SourceRegions, SyncDefinition};
use ssm_organizations::sim::Fault;
use ssm_organizations::{
    AccountId, Actor, Certainty, Error, Explorer, Handover, Integration, Recovered, Region, SyncName, Syncs,
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
fn what_is_no_identifier_says_what_would_be() {
    let error = AccountId::new("12").unwrap_err();
    assert_eq!((error.what(), error.expected(), error.given()), ("an account id", "twelve digits", "12"));
    assert_eq!(error.to_string(), "\"12\" is not an account id: twelve digits");
    let error = Region::new("Frankfurt").unwrap_err();
    assert_eq!((error.what(), error.given()), ("a Region", "Frankfurt"));
}

#[tokio::test]
async fn an_observation_names_its_state_and_whose_eyes_it_had() {
    let two = || delegated().delegated_to(bob());
    for (builder, name) in
        [(organization(), "Disabled"), (trusting(), "TrustedAccess"), (delegated(), "Delegated"), (two(), "Irregular")]
    {
        let observed = observe(&builder.build()).await;
        assert_eq!((observed.name(), observed.caller()), (name, Some(management())));
    }
}

#[tokio::test]
async fn an_observation_reads_as_a_sentence() {
    let orphaned = || organization().delegated_to(bob());
    let cases = [
        (organization(), "Disabled: Systems Manager is not trusted in organization o-exampleorgid"),
        (trusting(), "TrustedAccess: Systems Manager is trusted in organization o-exampleorgid"),
        (delegated(), "Delegated: account 222222222222 administers Systems Manager in organization o-exampleorgid"),
        (
            delegated().delegated_to(bob()),
            "Irregular: Systems Manager in organization o-exampleorgid is administered by 222222222222 and 333333333333",
        ),
        (
            orphaned(),
            "Irregular: Systems Manager in organization o-exampleorgid is administered by 333333333333, without being trusted",
        ),
    ];
    for (builder, sentence) in cases {
        assert_eq!(observe(&builder.build()).await.to_string(), sentence);
    }
}

#[test]
fn texts_are_there_for_the_asking() {
    assert_eq!(AsRef::<str>::as_ref(&management()), "111111111111");
    assert_eq!(
        [FeatureSet::All, FeatureSet::ConsolidatedBilling].map(|features| features.to_string()),
        ["all features", "consolidated billing only"]
    );
    let administrators = [
        (Actor::Caller, "the caller"),
        (Actor::OrganizationAdministrator, "the organization's administrator"),
        (Actor::SystemsManagerAdministrator, "Systems Manager's administrator"),
        (Actor::PermissionsAdministrator, "whoever gives the caller permissions"),
    ];
    for (actor, text) in administrators {
        assert_eq!(actor.to_string(), text);
    }
}

#[cfg(feature = "serde")]
#[test]
fn an_operation_is_written_down_by_its_name() {
    for operation in Operation::ALL {
        let written = serde_json::to_string(operation).unwrap();
        assert_eq!(written, format!("\"{operation}\""));
        assert_eq!(serde_json::from_str::<Operation>(&written).unwrap(), *operation);
    }
    let error = serde_json::from_str::<Operation>("\"DeleteEverything\"").unwrap_err();
    assert!(error.to_string().starts_with("\"DeleteEverything\" is no operation that is called here"), "{error}");
}

/// Clients need not be `Debug`, so what holds one says the rest.
#[tokio::test(start_paused = true)]
async fn what_holds_a_client_shows_the_rest() {
    let organization = trusting().build();
    let client = organization.management_client();
    let home = [region("eu-central-1")];
    let mut trusted = trusted_in(&organization).await;
    let syncs = trusted.data_syncs(&client).await.unwrap();
    assert_eq!(format!("{syncs:?}"), "DataSyncs { viewpoint: Management(AccountId(111111111111)), .. }");
    let role = trusted.account_discovery_role(&client);
    assert_eq!(format!("{role:?}"), "AccountDiscoveryRole { account: AccountId(111111111111), .. }");

    let sync = sync();
    let explorer = Explorer::new().with_sync(&client, &sync, &home);
    let text = format!("{explorer:?}");
    assert!(
        text.starts_with("Explorer { role: false, sync: Some((SyncDefinition { name: SyncName(all-accounts)"),
        "{text}"
    );
    assert_eq!(format!("{:?}", Explorer::new().with_role(&client)), "Explorer { role: true, sync: None }");

    let clients = format!("{:?}", Clients::new(&client).and(&client));
    assert!(clients.starts_with("Clients { others: 1, patience: "), "{clients}");

    let carry = Handover::Carry { from: &client, to: &client, regions: &home };
    assert_eq!(format!("{carry:?}"), "Carry { regions: [Region(eu-central-1)], .. }");
    assert_eq!(format!("{:?}", Handover::Leave(Syncs::Forfeit)), "Leave(Forfeit)");

    let organization = delegated().build();
    let handle = delegated_in(&organization).await;
    let replaced = handle.replace(&bob(), Handover::Leave(Syncs::Forfeit)).await.unwrap();
    let text = format!("{replaced:?}");
    assert!(text.starts_with("Replaced { delegated: ") && text.contains("333333333333"), "{text}");
    assert!(text.ends_with("carried: [], lost: [], foreign: [], unshown: [] }"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_says_its_error_and_the_way_on() {
    let organization = organization().build();
    organization.fault(Operation::EnableAwsServiceAccess, 1, Fault::refused("AccessDeniedException"));
    let failure = disabled_in(&organization).await.enable_trusted_access().await.unwrap_err();
    let text = format!("{failure:?}");
    assert!(text.starts_with("Failure { error: Error { kind: AccessDenied"), "{text}");
    assert!(text.ends_with("recovered: Unchanged }"), "{text}");
    assert!(failure.source().is_none(), "the error speaks for itself");
}

/// Of a chain, each link is told once.
#[tokio::test(start_paused = true)]
async fn a_failures_source_is_its_errors() {
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
async fn a_change_says_what_was_done_and_how_sure_that_is() {
    let organization = organization().build();
    let trusted = disabled_in(&organization).await.enable_trusted_access().await.unwrap();
    let [change] = trusted.changes() else { panic!("{:?}", trusted.changes()) };
    assert_eq!(change.to_string(), "trusted access for ssm.amazonaws.com enabled");
    assert_eq!([Certainty::Did, Certainty::Maybe].map(|certainty| certainty.to_string()), ["did", "maybe"]);
}
