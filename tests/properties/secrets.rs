//! Whatever is given and whatever AWS answers: nothing that is printed, told or written down has an e-mail address, an access key or a
//! secret in it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

#[path = "../suite/common/recorder.rs"]
mod recorder;

use std::error::Error as StdError;
use std::fmt::{Debug, Display};
use std::io;

use proptest::prelude::*;
use recorder::Recorder;
use serde::Serialize;
use ssm_organizations::plan::{Clients, Event, OtherSyncs, Plan, Receipt, Target, Undo};
use ssm_organizations::policy::{Caller, Permission, Policy, Scope};
use ssm_organizations::ports::{
    AccountState, DataSync, DeletionStatus, Operation, Role, RoleUsage, SourceRegions, SyncDefinition, SyncSourceType,
    SyncState, SyncStatus, SystemsManagerClient,
};
use ssm_organizations::sim::Fault;
use ssm_organizations::{
    AccountId, CommandLine, DeletionTaskId, Error, Integration, Observed, OrganizationalUnitId, PageToken, Region,
    RoleId, RoleName, ServicePrincipal, SyncName, Syncs, sim,
};

/// What must not show, and how it stands in a text.
#[derive(Debug, Clone)]
struct Secret {
    text: String,
    /// What nobody may find of it.
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

/// As AWS makes them: forty characters, or the hundreds of a session token.
fn secret() -> impl Strategy<Value = Secret> {
    "[a-z][A-Z][0-9][A-Za-z0-9/+]{37,200}={0,2}".prop_map(|text| Secret { tell_tale: text.clone(), text })
}

fn any_secret() -> impl Strategy<Value = Secret> {
    prop_oneof![address(), key(), secret()]
}

/// What may stand around it.
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

/// An error in all the ways that programs print it.
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
    prints.push(format!("{:?} {:?}", error.kind(), error.situation()));
    prints
}

fn check(prints: impl IntoIterator<Item = String>, secret: &Secret) -> Result<(), TestCaseError> {
    for print in prints {
        prop_assert!(!print.contains(&secret.tell_tale), "{} shows in {print}", secret.tell_tale);
    }
    Ok(())
}

/// All that an error can be made of.
fn errors(operation: Operation, text: &str) -> Vec<Error> {
    let source = || io::Error::other(text.to_owned());
    vec![
        Error::service(operation, text, text).with_reason(text).with_request_id(text),
        Error::service(operation, "ConstraintViolationException", text).with_source(source()),
        Error::service(operation, "AccessDeniedException", text).with_reason(text),
        Error::not_sent(operation, text).with_source(source()),
        Error::unexpected(operation, text).with_message(text),
        Error::lost(operation).with_source(Error::not_sent(operation, text).with_source(source())),
    ]
}

/// Texts that are not what they are taken for.
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

/// What AWS may answer in words of its own, and names that anybody may choose.
fn answers(text: &str) -> Vec<String> {
    let name = SyncName::new(text.chars().take(64).collect::<String>());
    let mut answers = vec![
        format!("{0} {0:?}", AccountState::from(text)),
        format!("{:?}", SyncState::from(text)),
        format!("{:?}", SyncStatus::from(text)),
        format!("{:?}", SyncSourceType::from(text)),
        format!(
            "{:?}",
            DeletionStatus::failed(Some(text.to_owned()), vec![RoleUsage::new(None, vec![text.to_owned()])])
        ),
        format!("{:?}", PageToken::new(text)),
        format!("{:?}", RoleName::new(text)),
        format!("{:?}", ServicePrincipal::new(text)),
        format!("{:?}", Role::new(RoleName::ACCOUNT_DISCOVERY, "AROAEXAMPLE".parse().unwrap(), text)),
    ];
    answers.extend(name.map(|name| format!("{:?}", DataSync::new(name, Some(SyncSourceType::AwsOrganizations)))));
    answers
}

/// A whole run over an organization in which everything is called so, with every kind of refusal on the way.
async fn run(text: &str, name: Option<SyncName>, fault: Fault) -> Vec<String> {
    let (recorder, _guard) = Recorder::start();
    let account: AccountId = "222222222222".parse().unwrap();
    let region: Region = "eu-central-1".parse().unwrap();
    let organization = sim::Organization::builder().member(account).build();
    let client = organization.management_client();
    organization.fault(Operation::EnableAwsServiceAccess, 1, fault);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let observed = Integration::new(&client).observe().await.unwrap();
        match observed.ensure_delegated(&account).await {
            Ok(delegated) => seen.extend(delegated.changes().iter().map(ToString::to_string)),
            Err(failure) => {
                seen.extend(shown(&failure));
                seen.extend(prints(failure.error()));
            }
        }
    }
    if let Some(name) = name {
        let sync = DataSync::new(name, Some(SyncSourceType::from(text)));
        organization.add_data_sync(account, region.clone(), sync);
        let theirs = organization.client(account);
        let ssm: [&dyn SystemsManagerClient; 2] = [&client, &theirs];
        let observed = Integration::new(&client).observe().await.unwrap();
        let protect = Syncs::Protect { ssm: &ssm, regions: &[region] };
        let failure = observed.ensure_disabled(protect).await.unwrap_err();
        seen.extend(shown(&failure));
        seen.extend(prints(failure.error()));
        if let ssm_organizations::ErrorKind::SyncsRemain { syncs, .. } = failure.error().kind() {
            seen.extend(syncs.iter().map(|sync| format!("{sync} {sync:?}")));
        }
    }
    seen.push(recorder.text());
    seen.extend(organization.calls().iter().flat_map(shown));
    seen
}

/// What is written down of an identifier.
fn written<T: Display + Debug + Serialize>(thing: &T) -> Vec<String> {
    let mut written = shown(thing).to_vec();
    written.push(serde_json::to_string(thing).unwrap());
    written
}

/// All that can be named by whoever wants to, as it is printed and written down.
fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    names.extend(ServicePrincipal::new(text).iter().flat_map(written));
    names.extend(RoleName::new(text).iter().flat_map(written));
    names.extend(RoleId::new(text).iter().flat_map(written));
    names.extend(DeletionTaskId::new(text).iter().flat_map(written));
    names.extend(PageToken::new(text).iter().flat_map(written));
    if let Ok(principal) = ServicePrincipal::new(text) {
        let permission = Permission::enable_aws_service_access(principal.clone());
        names.extend(shown(&permission));
        names.extend(written(&permission.statement(&Scope::new())));
        names.extend(written(&CommandLine::enable_aws_service_access(&principal)));
    }
    names
}

/// A sync of that name in somebody's account: seen, planned around, taken away, and made again as far as that goes.
async fn plans(name: &SyncName) -> Vec<String> {
    let region: Region = "eu-central-1".parse().unwrap();
    let organization = sim::Organization::builder().build();
    let client = organization.management_client();
    let clients = Clients::new(&client);
    let source = SourceRegions::new([region.clone()]).unwrap();
    let definition = SyncDefinition::of_organization(name.clone(), source);
    let mut seen = written(&CommandLine::create_resource_data_sync(&definition, &region));
    let permission = Permission::create_resource_data_sync(Caller::Management, region.clone(), name.clone());
    seen.extend(shown(&permission));
    seen.extend(written(&Policy::allowing([permission], &Scope::new())));

    // It cannot be asked for in writing.
    for target in [
        Target::new().with_sync(Caller::Management, definition.clone(), [region.clone()]),
        Target::new().without_sync(Caller::Management, name.clone(), [region.clone()]),
    ] {
        seen.extend(shown(&target.check().unwrap_err()));
    }
    let toml =
        format!("[[syncs]]\nname = {}\nregions = [\"eu-central-1\"]", serde_json::to_string(name.as_str()).unwrap());
    seen.extend(shown(&toml::from_str::<Target>(&toml).unwrap_err().message()));

    // But it can be made, and be in the way.
    let begin = Target::new().with_trusted_access(true).with_role();
    let receipt = begin.plan(&clients).await.unwrap().apply(&clients, |_: Event<'_>| {}).await.unwrap();
    seen.extend([format!("{receipt:?}"), serde_json::to_string(&receipt).unwrap()]);
    let Observed::TrustedAccess(mut trusted) = Integration::new(&client).observe().await.unwrap() else { panic!() };
    let made = trusted.data_syncs(&client).await.unwrap().ensure(&definition, std::slice::from_ref(&region)).await;
    seen.push(format!("{:?}", made.unwrap()));
    seen.extend(trusted.changes().iter().flat_map(written));

    let end = Target::new().with_trusted_access(false).looking_in([region.clone()]);
    let error = end.plan(&clients).await.unwrap_err();
    seen.extend(prints(&error));
    let plan = end.with_other_syncs(OtherSyncs::Forfeit).plan(&clients).await.unwrap();
    seen.extend(written(&plan));
    seen.extend(written(plan.snapshot()));
    seen.push(serde_json::to_string(&organization.snapshot()).unwrap());
    let receipt = plan.apply(&clients, |_: Event<'_>| {}).await.unwrap();
    seen.extend([format!("{receipt:?}"), serde_json::to_string(&receipt).unwrap()]);
    let undoing = receipt.undo(&clients, &Undo::new().looking_in([region])).await.unwrap();
    seen.extend(written(&undoing));
    seen
}

/// What stands in the place of a name would be a name too, if AWS were asked.
#[tokio::test(start_paused = true)]
async fn what_was_left_out_is_taken_for_nobodys_name() {
    let region: Region = "eu-central-1".parse().unwrap();
    let organization = sim::Organization::builder()
        .trusting(&ServicePrincipal::SYSTEMS_MANAGER)
        .role_for(&ServicePrincipal::ACCOUNT_DISCOVERY);
    let organization = organization.build();
    let client = organization.management_client();
    let clients = Clients::new(&client);
    let name = SyncName::new("somebody@example.com").unwrap();
    let sync = DataSync::new(name.clone(), Some(SyncSourceType::AwsOrganizations));
    organization.add_data_sync("111111111111".parse().unwrap(), region.clone(), sync);

    // Whoever may make it may make any.
    let permission = Permission::create_resource_data_sync(Caller::Management, region.clone(), name.clone());
    assert_eq!(permission.resource(&Scope::new()), "arn:*:ssm:eu-central-1:*:resource-data-sync/*");

    // It is sent as it is.
    let mut observed = Integration::new(&client).observe().await.unwrap();
    let mut syncs = observed.data_syncs(&client).await.unwrap();
    let deleted = syncs.delete(&name, std::slice::from_ref(&region)).await.unwrap().into_result().unwrap();
    assert_eq!(deleted.len(), 1);
    let Observed::TrustedAccess(trusted) = observed else { panic!("{observed}") };

    // But a receipt that was read from a file no longer knows it.
    let receipt = Receipt::of_changes(trusted.organization(), trusted.changes());
    let text = serde_json::to_string(&receipt).unwrap();
    let receipt: Receipt = serde_json::from_str(&text).unwrap();
    assert!(!receipt.is_empty());
    let plan = receipt.undo(&clients, &Undo::new().looking_in([region])).await.unwrap();
    assert!(plan.steps().is_empty(), "{plan}");
    assert!(plan.left().iter().any(|left| left.contains("in no plan")), "{plan}");

    // Nor is one read from anywhere.
    let error = serde_json::from_str::<SyncName>("\"somebody@example.com\"").unwrap_err().to_string();
    assert!(error.starts_with("it reads like an e-mail address"), "{error}");

    // Nor does a plan by hand name one.
    let target = Target::new().with_trusted_access(false).with_other_syncs(OtherSyncs::Forfeit);
    let mut plan = serde_json::to_value(target.plan(&clients).await.unwrap()).unwrap();
    let sync = serde_json::json!({ "account": "111111111111", "region": "eu-central-1", "name": "[e-mail address]" });
    plan["steps"][0]["action"] = serde_json::json!({ "delete_sync": { "sync": sync } });
    let error = serde_json::from_value::<Plan>(plan).unwrap_err().to_string();
    assert!(error.contains("in no plan"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_error_shows_a_secret(
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
    fn nothing_that_is_written_down_holds_a_secret(secret in any_secret(), (before, after) in surroundings()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        for text in [secret.text.clone(), format!("{before}{}{after}", secret.text)] {
            check(names(&text), &secret)?;
            if let Ok(name) = SyncName::new(&*text) {
                prop_assert!(name.is_withheld());
                check(runtime.block_on(plans(&name)), &secret)?;
            }
        }
    }

    #[test]
    fn no_run_tells_a_secret(secret in any_secret(), (before, after) in surroundings(), refused: bool) {
        let text = format!("{before}{}{after}", secret.text);
        let fault = if refused { Fault::refused_for(&text, &text) } else { Fault::refused_for("InvalidInputException", &text) };
        let name = SyncName::new(&*secret.text).ok();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        check(runtime.block_on(run(&text, name, fault)), &secret)?;
    }
}
