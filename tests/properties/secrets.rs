//! Texts, logs and files never contain an e-mail address, an access key or a secret from input or
//! from AWS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

#[path = "../suite/common/recorder.rs"]
mod recorder;

use std::error::Error as StdError;
use std::fmt::{Debug, Display};
use std::io;

use proptest::prelude::*;
use recorder::Recorder;
use ssm_organizations::domain::{OrganizationalUnitId, RoleName};
use ssm_organizations::plan::{Clients, Event, Plan, Receipt, Target, UndoOptions};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{
    AccountState, DataSync, DeletionStatus, Operation, Role, RoleUsage, SourceRegions, SyncDefinition, SyncSourceType,
    SyncState, SyncStatus, SystemsManagerClient,
};
use ssm_organizations::sim::Fault;
use ssm_organizations::{AccountId, Error, Integration, Region, ServicePrincipal, SyncName, SyncProtection, sim};

/// Secret, and the part of it that must not appear.
#[derive(Debug, Clone)]
struct Secret {
    text: String,
    /// Part that no output may contain.
    tell_tale: String,
}

fn address() -> impl Strategy<Value = Secret> {
    let at = prop::sample::select(vec!["@", "%40", "\\u0040", "&#64;", "＠"]);
    ("[a-z][a-z0-9.+_'-]{2,20}[a-z]", at, "[a-z]{3,10}\\.(example|org|co\\.uk)")
        .prop_map(|(name, at, host)| Secret { text: format!("{name}{at}{host}"), tell_tale: format!("{at}{host}") })
}

fn key() -> impl Strategy<Value = Secret> {
    "(AKIA|ASIA)[A-Z2-7]{16}".prop_map(|text| Secret { tell_tale: text.clone(), text })
}

/// Returns secrets in AWS's format: forty characters, or hundreds for a session token.
fn secret() -> impl Strategy<Value = Secret> {
    "[a-z][A-Z][0-9][A-Za-z0-9/+]{37,200}={0,2}".prop_map(|text| Secret { tell_tale: text.clone(), text })
}

fn any_secret() -> impl Strategy<Value = Secret> {
    prop_oneof![address(), key(), secret()]
}

/// Returns text before and after a secret.
fn surroundings() -> impl Strategy<Value = (String, String)> {
    let before =
        prop::sample::select(vec!["", " ", "<", "\"", "'", "(", "mailto:", "{\"Email\": \"", "user ", "，", "\n"]);
    let after = prop::sample::select(vec!["", " ", ">", "\"", "'", ")", ",", ".", ";", "\"}", " and so on", "\n"]);
    ("[ -~]{0,30}", before, after, "[ -~]{0,30}")
        .prop_map(|(begin, before, after, end)| (format!("{begin} {before}"), format!("{after} {end}")))
}

fn shown<T: Display + Debug>(thing: &T) -> [String; 4] {
    [format!("{thing}"), format!("{thing:#}"), format!("{thing:?}"), format!("{thing:#?}")]
}

/// Returns all texts of an error that a program may print.
fn prints(error: &Error) -> Vec<String> {
    let mut prints = shown(error).to_vec();
    prints.extend(error.causes());
    prints.extend(
        [error.code(), error.reason(), error.message(), error.request_id()].into_iter().flatten().map(str::to_owned),
    );
    for remedy in error.remedies() {
        prints.extend(shown(&remedy));
        prints.extend(remedy.statement().map(|statement| serde_json::to_string(statement).unwrap()));
    }
    let mut next = error.source();
    while let Some(source) = next {
        prints.extend([source.to_string(), format!("{source:?}")]);
        next = source.source();
    }
    prints.push(format!("{:?} {:?}", error.kind(), error.observed_status()));
    prints
}

fn check(prints: impl IntoIterator<Item = String>, secret: &Secret) -> Result<(), TestCaseError> {
    for print in prints {
        prop_assert!(!print.contains(&secret.tell_tale), "{} shows in {print}", secret.tell_tale);
    }
    Ok(())
}

/// Returns errors of every constructor.
fn errors(operation: Operation, text: &str) -> Vec<Error> {
    let source = || io::Error::other(text.to_owned());
    vec![
        Error::from_service_error(operation, text, text).with_reason(text).with_request_id(text),
        Error::from_service_error(operation, "ConstraintViolationException", text).with_source(source()),
        Error::from_service_error(operation, "AccessDeniedException", text).with_reason(text),
        Error::not_sent(operation, text).with_source(source()),
        Error::unexpected_response(operation, text).with_message(text),
        Error::response_lost(operation).with_source(Error::not_sent(operation, text).with_source(source())),
    ]
}

/// Returns the errors of invalid identifiers.
fn invalid(text: &str) -> Vec<Error> {
    let results = [
        AccountId::new(text).err(),
        Region::new(text).err(),
        OrganizationalUnitId::new(text).err(),
        ServicePrincipal::new(format!("/{text}")).err(),
        SyncName::new(format!("{text} {:64}", "")).err(),
    ];
    results.into_iter().flatten().map(Error::from).collect()
}

/// Returns values that hold free text from AWS.
fn answers(text: &str) -> Vec<String> {
    vec![
        format!("{0} {0:?}", AccountState::from(text)),
        format!("{:?}", SyncState::from(text)),
        format!("{:?}", SyncStatus::from(text)),
        format!("{:?}", SyncSourceType::from(text)),
        format!(
            "{:?}",
            DeletionStatus::failed(Some(text.to_owned()), vec![RoleUsage::new(None, vec![text.to_owned()])])
        ),
        format!("{:?}", Role::new(RoleName::ACCOUNT_DISCOVERY, "AROAEXAMPLE".parse().unwrap(), text)),
    ]
}

/// Runs the crate on an organization that contains this text, with an injected fault. Returns all
/// texts that a program may print.
async fn run(text: &str, fault: Fault) -> Vec<String> {
    let (recorder, _guard) = Recorder::start();
    let account: AccountId = "222222222222".parse().unwrap();
    let region: Region = "eu-central-1".parse().unwrap();
    let organization = sim::SimOrganization::builder().member(account).build();
    let client = organization.management_client();
    organization.inject_fault(Operation::EnableAwsServiceAccess, 1, fault);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let observed = Integration::new(&client).observe().await.unwrap();
        match observed.ensure_delegated(account).await {
            Ok(delegated) => seen.extend(delegated.changes().iter().map(ToString::to_string)),
            Err(failure) => {
                seen.extend(shown(&failure));
                seen.extend(prints(failure.error()));
            }
        }
    }
    let name = SyncName::new("organization").unwrap();
    organization.add_data_sync(account, region.clone(), DataSync::new(name, Some(SyncSourceType::from(text))));
    let theirs = organization.client(account);
    let clients: [&dyn SystemsManagerClient; 2] = [&client, &theirs];
    let observed = Integration::new(&client).observe().await.unwrap();
    let protect = SyncProtection::Protect { clients: &clients, regions: &[region] };
    let failure = observed.ensure_disabled(protect).await.unwrap_err();
    seen.extend(shown(&failure));
    seen.extend(prints(failure.error()));
    if let ssm_organizations::ErrorKind::DataSyncsExist { syncs, .. } = failure.error().kind() {
        seen.extend(syncs.iter().map(|sync| format!("{sync} {sync:?}")));
    }
    seen.push(recorder.text());
    seen.extend(organization.calls().iter().flat_map(shown));
    seen
}

/// Plans, applies, saves and undoes a data sync of this name.
async fn sync_is_planned_saved_and_undone(name: &SyncName) {
    let region: Region = "eu-central-1".parse().unwrap();
    let organization = sim::SimOrganization::builder().build();
    let client = organization.management_client();
    let clients = Clients::new(&client);
    let source = SourceRegions::new([region.clone()]).unwrap();
    let definition = SyncDefinition::of_organization(name.clone(), source);
    let target = Target::new().with_trusted_access(true).with_role();
    let target = target.with_sync(Caller::Management, definition, [region.clone()]);

    let plan = target.plan(&clients).await.unwrap();
    let saved = serde_json::to_string(&plan).unwrap();
    let plan: Plan = serde_json::from_str(&saved).unwrap();
    let receipt = plan.apply(&clients, |_: Event<'_>| {}).await.unwrap().receipt;
    let management = organization.management_client().account();
    assert!(organization.data_syncs(management, &region).iter().any(|sync| sync.name == *name));

    let saved = serde_json::to_string(&receipt).unwrap();
    let receipt: Receipt = serde_json::from_str(&saved).unwrap();
    let undo = receipt.undo(&clients, &UndoOptions::new().search_regions([region.clone()])).await.unwrap();
    undo.apply(&clients, |_: Event<'_>| {}).await.unwrap();
    assert!(organization.data_syncs(management, &region).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn error_texts_contain_no_secrets(
        secret in any_secret(),
        (before, after) in surroundings(),
        operation in prop::sample::select(Operation::ALL),
    ) {
        let text = format!("{before}{}{after}", secret.text);
        for error in errors(operation, &text).iter().chain(&invalid(&text)) {
            check(prints(error), &secret)?;
        }
        check(answers(&secret.text), &secret)?;
        check(answers(&text), &secret)?;
    }

    #[test]
    fn sync_names_are_printed_in_full_and_escaped(secret in any_secret(), (before, after) in surroundings()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        for text in [secret.text.clone(), format!("{before}{}{after}", secret.text)] {
            let Ok(name) = SyncName::new(&*text) else { continue };
            let printed = name.to_string();
            prop_assert!(printed.contains(&secret.tell_tale));
            prop_assert!(!printed.contains(char::is_control));
            prop_assert_eq!(serde_json::from_str::<SyncName>(&serde_json::to_string(&name).unwrap()).unwrap(), name.clone());
            if !name.is_service_managed() {
                runtime.block_on(sync_is_planned_saved_and_undone(&name));
            }
        }
    }

    #[test]
    fn output_of_a_run_contains_no_secrets(secret in any_secret(), (before, after) in surroundings(), refused: bool) {
        let text = format!("{before}{}{after}", secret.text);
        let fault = if refused { Fault::refused_with_reason(&text, &text) } else { Fault::refused_with_reason("InvalidInputException", &text) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        check(runtime.block_on(run(&text, fault)), &secret)?;
    }
}
