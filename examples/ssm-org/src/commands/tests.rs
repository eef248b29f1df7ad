//! The commands on a simulated organization. The name of a profile is the id of its account.

mod administrators;
mod interruptions;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use serde_json::Value;
use ssm_organizations::domain::RoleName;
use ssm_organizations::ports::{AccountState, Client, DataSync, Operation, SyncSourceType};
use ssm_organizations::{AccountId, Region, ServicePrincipal, SyncName, sim};
use tempfile::TempDir;

use super::{Caller, CommandContext, clients_of, execute};
use crate::cli::Cli;
use crate::console::Console;
use crate::hints;
use crate::signals::ProcessSignals;

const MANAGEMENT: &str = "111111111111";
const ADMIN: &str = "222222222222";
const OTHER: &str = "333333333333";
const UNIT: &str = "ou-root-exampleid";

const DISABLED: &str = "current state: Disabled: trusted access is disabled in organization o-exampleorgid\n";
const TRUSTED: &str = "current state: TrustedAccess: trusted access is enabled in organization o-exampleorgid\n";
const DELEGATED: &str =
    "current state: Delegated: account 222222222222 administers Systems Manager in organization o-exampleorgid\n";
const REPLACED: &str =
    "current state: Delegated: account 333333333333 administers Systems Manager in organization o-exampleorgid\n";

const TRUST: &str = "done: trusted access for ssm.amazonaws.com enabled\n";
const REGISTERED: &str = "done: account 222222222222 registered as delegated administrator of ssm.amazonaws.com\n";
const ROLE: &str = "role AWSServiceRoleForAmazonSSM_AccountDiscovery";

fn id(account: &str) -> AccountId {
    account.parse().unwrap()
}

fn region(name: &str) -> Region {
    name.parse().unwrap()
}

fn organization_builder() -> sim::SimOrganizationBuilder {
    sim::SimOrganization::builder()
        .member(id(ADMIN))
        .member(id(OTHER))
        .unit(UNIT.parse().unwrap())
        .role_deletion(Duration::ZERO)
}

fn organization() -> sim::SimOrganization {
    organization_builder().build()
}

/// Output of a command.
struct Run {
    out: String,
    err: String,
    /// The `warnings` of the plan in the JSON object.
    plan_warnings: String,
    /// The next steps as JSON.
    next: String,
}

impl Run {
    #[track_caller]
    fn succeeds_with(&self, out: &str) {
        assert_eq!((self.out.as_str(), self.err.as_str()), (out, ""));
    }

    #[track_caller]
    fn fails_with(&self, out: &str, reasons: &[&str]) {
        assert_eq!(self.out, out, "{}", self.err);
        for reason in reasons {
            assert!(self.err.contains(reason), "{reason:?} in {}", self.err);
        }
    }
}

impl Run {
    #[track_caller]
    fn fails_with_any(&self, reasons: &[&str]) {
        self.fails_with(&self.out, reasons);
        assert!(!self.out.contains("done: ") || self.out.contains("not done: "), "{}", self.out);
        assert!(self.err.starts_with("error: "), "{}", self.err);
    }
}

/// Runs a command line as the management account, without a terminal.
///
/// The default Region is `eu-central-1`.
async fn run(organization: &sim::SimOrganization, line: &str) -> Run {
    run_as(&organization.management_client(), organization, line).await
}

async fn run_as(caller: &dyn Client, organization: &sim::SimOrganization, line: &str) -> Run {
    let asks = line.starts_with("offboard") || line.starts_with("replace");
    let yes = asks.then_some("--yes");
    let cli = Cli::try_parse_from(["ssm-org"].into_iter().chain(line.split(' ')).chain(yes)).unwrap();
    let mut regions = cli.connection.regions.clone();
    if regions.is_empty() {
        regions.push(region("eu-central-1"));
    }
    let profiles = cli.command.other_profiles();
    let clients: Vec<_> = profiles.map(|profile| organization.client(id(profile))).collect();
    let others: Vec<Caller<'_>> = clients.iter().map(|client| client as Caller<'_>).collect();
    let context = CommandContext {
        management: caller,
        others: &others,
        clients: &clients_of(caller, &others, None),
        regions: &regions,
        named_regions: &cli.connection.regions,
        console: Console::Silent,
        signals: &ProcessSignals,
    };
    let outcome = execute(&cli.command, context).await.unwrap();
    let notes = outcome.json.get("notes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut err: String = notes.filter(|note| note.starts_with("warning: ")).flat_map(|note| [note, "\n"]).collect();
    for error in &outcome.errors {
        err.push_str(&error.lines());
        err.extend(hints::on(error, &cli.command));
    }
    let plan_warnings = outcome.json.get("plan").map(|plan| plan["warnings"].to_string()).unwrap_or_default();
    let next = outcome.json.get("next_steps").map(ToString::to_string).unwrap_or_default();
    Run { out: without_warnings(&outcome.lines), err, plan_warnings, next }
}

/// Returns the changes and the current state, without warnings and next steps.
fn without_warnings(lines: &str) -> String {
    let (lines, _) = lines.split_once("next:\n").unwrap_or((lines, ""));
    lines.split_inclusive('\n').filter(|line| !line.starts_with("warning: ")).collect()
}

/// Returns the names of an account's syncs in `eu-central-1`.
fn syncs(organization: &sim::SimOrganization, account: &str) -> Vec<String> {
    let syncs = organization.data_syncs(id(account), &region("eu-central-1"));
    syncs.iter().map(|sync| sync.name.to_string()).collect()
}

fn add_sync(organization: &sim::SimOrganization, account: &str, name: &str) {
    let mut sync = DataSync::new(SyncName::new(name).unwrap(), Some(SyncSourceType::AwsOrganizations));
    sync.regions = vec![region("eu-central-1"), region("us-east-1")];
    sync.future_regions = Some(true);
    sync.all_ops_data_sources = Some(false);
    organization.add_data_sync(id(account), region("eu-central-1"), sync);
}

fn has_role(organization: &sim::SimOrganization) -> bool {
    organization.has_role(id(MANAGEMENT), &RoleName::ACCOUNT_DISCOVERY)
}

#[tokio::test]
async fn onboard_and_offboard_with_explorer_are_idempotent() {
    let organization = organization();
    let onboard = "onboard --admin 222222222222 --role --sync all --region eu-central-1,us-east-1";
    run(&organization, onboard).await.succeeds_with(&format!(
        "{TRUST}\
         done: {ROLE} created\n\
         {REGISTERED}\
         done: data sync \"all\" of account 111111111111 in eu-central-1 created\n\
         done: data sync \"all\" of account 111111111111 in us-east-1 created\n\
         {DELEGATED}"
    ));
    let made = organization.data_syncs(id(MANAGEMENT), &region("us-east-1"));
    assert_eq!(made[0].regions, [region("eu-central-1"), region("us-east-1")]);
    assert_eq!((made[0].future_regions, made[0].all_ops_data_sources), (Some(false), Some(false)));

    organization.clear_calls();
    run(&organization, onboard).await.succeeds_with(&format!("nothing to do\n{DELEGATED}"));
    assert_eq!(organization.write_count(), 0);

    let regions = "--region eu-central-1,us-east-1";
    let offboard = format!("offboard --delete-sync all --delete-role --admin-profile 222222222222 {regions}");
    let of_administrator = "account 222222222222 (eu-central-1, us-east-1)";
    let of_management = "account 111111111111 (eu-central-1, us-east-1)";
    run(&organization, &offboard).await.succeeds_with(&format!(
        "done: data sync \"all\" of account 111111111111 in eu-central-1 deleted\n\
         done: data sync \"all\" of account 111111111111 in us-east-1 deleted\n\
         done: account 222222222222 deregistered as delegated administrator of ssm.amazonaws.com\n  \
           data syncs: none found in {of_administrator}\n\
         done: trusted access for ssm.amazonaws.com disabled\n  \
           data syncs: none found in {of_management}, {of_administrator}\n\
         done: {ROLE} deleted\n\
         {DISABLED}"
    ));
    assert!(!has_role(&organization));

    organization.clear_calls();
    run(&organization, &offboard).await.succeeds_with(&format!("nothing to do\n{DISABLED}"));
    assert_eq!(organization.write_count(), 0);
}

#[tokio::test]
async fn onboard_updates_sync_of_administrator() {
    let organization = organization();
    let profile = "--sync-owner administrator --admin-profile 222222222222";
    let first = format!("onboard --admin 222222222222 --role --sync units --sync-ou {UNIT} {profile}");
    run(&organization, &first).await.succeeds_with(&format!(
        "{TRUST}\
         done: {ROLE} created\n\
         {REGISTERED}\
         done: data sync \"units\" of account 222222222222 in eu-central-1 created\n\
         {DELEGATED}"
    ));
    assert_eq!(syncs(&organization, MANAGEMENT), Vec::<String>::new());

    let more = format!("{first} --source-region eu-west-1,us-east-1 --future-regions --enable-all-ops-data-sources");
    run(&organization, &more).await.succeeds_with(&format!(
        "done: data sync \"units\" of account 222222222222 in eu-central-1 updated\n\
         {DELEGATED}"
    ));
    let changed = organization.data_syncs(id(ADMIN), &region("eu-central-1"));
    assert_eq!(changed[0].regions, [region("eu-west-1"), region("us-east-1")]);
    assert_eq!((changed[0].future_regions, changed[0].all_ops_data_sources), (Some(true), Some(true)));
    assert_eq!(changed[0].units, [UNIT.parse().unwrap()]);
}

#[tokio::test]
async fn failed_region_does_not_hide_success_of_others() {
    let organization = organization();
    let regions = "--region af-south-1,eu-central-1";
    let onboard = format!("onboard --admin 222222222222 --role --sync all {regions}");
    run(&organization, &format!("{onboard} --sync-owner administrator --admin-profile 222222222222")).await.fails_with(
        &format!("nothing was changed\n{DISABLED}"),
        &["CreateResourceDataSync in af-south-1 as 222222222222", "without --sync-owner"],
    );
    assert_eq!(organization.write_count(), 0);

    run(&organization, &onboard).await;
    organization.inject_fault(Operation::DeleteResourceDataSync, 1, sim::Fault::refused("AccessDeniedException"));
    let offboard = format!("offboard --delete-sync all --delete-role --admin-profile 222222222222 {regions}");
    run(&organization, &offboard).await.fails_with(
        &format!(
            "done: data sync \"all\" of account 111111111111 in eu-central-1 deleted\n\
             done: account 222222222222 deregistered as delegated administrator of ssm.amazonaws.com\n  \
             data syncs: none found in account 222222222222 (af-south-1, eu-central-1)\n\
             not done: delete the data sync \"all\" of account 111111111111 in af-south-1\n\
             not done: disable trusted access for ssm.amazonaws.com\n\
             not done: delete the {ROLE}\n\
             {TRUSTED}"
        ),
        &["DeleteResourceDataSync in af-south-1 as 111111111111", "ssm:DeleteResourceDataSync"],
    );
    assert_eq!(run(&organization, &offboard).await.err, "");
    assert!(!has_role(&organization));
}

#[tokio::test(start_paused = true)]
async fn onboard_without_role_keeps_changes_before_failed_sync() {
    let organization = organization();
    let not_done = "not done: create the data sync \"all\" of account 111111111111 in eu-central-1\n";
    run(&organization, "onboard --admin 222222222222 --sync all").await.fails_with(
        &format!("{TRUST}{REGISTERED}{not_done}{DELEGATED}"),
        &["ResourceDataSyncInvalidConfigurationException", "--role creates it"],
    );
    organization.clear_calls();
    organization.inject_fault(Operation::CreateServiceLinkedRole, 1, sim::Fault::refused("AccessDenied"));
    run(&organization, "onboard --admin 222222222222 --sync all --role").await.fails_with(
        &format!("nothing was changed\nnot done: create the {ROLE}\n{not_done}{DELEGATED}"),
        &["iam:CreateServiceLinkedRole", "can add this statement"],
    );
    assert_eq!(organization.call_count(Operation::CreateResourceDataSync), 0, "no sync is created before the role");
}

/// Starts in every state, with the role and syncs of both accounts.
#[tokio::test]
async fn offboard_with_named_syncs_works_from_every_state() {
    for start in ["Disabled", "TrustedAccess", "Delegated", "Inconsistent"] {
        let organization = organization();
        organization.add_role(id(MANAGEMENT), &ServicePrincipal::ACCOUNT_DISCOVERY);
        if ["TrustedAccess", "Delegated"].contains(&start) {
            organization.enable_trusted_access(&ServicePrincipal::SYSTEMS_MANAGER);
        }
        if ["Delegated", "Inconsistent"].contains(&start) {
            organization.register_administrator(id(ADMIN));
        }
        for account in [MANAGEMENT, ADMIN] {
            add_sync(&organization, account, "all");
            add_sync(&organization, account, "units");
        }
        // The sync that is not named stays, and so do the role and trusted access.
        let first = run(&organization, "offboard --delete-sync all --delete-role --admin-profile 222222222222").await;
        assert!(first.err.contains(r#"data syncs still exist: "units" of account"#), "{}", first.err);
        assert!(first.err.contains("--delete-sync"), "{}", first.err);
        assert_eq!(organization.write_count(), 0, "{start}");

        let offboard = "offboard --delete-sync all --delete-sync units --delete-role --admin-profile 222222222222";
        let second = run(&organization, offboard).await;
        assert_eq!(second.err, "", "{start}");
        assert!(second.out.ends_with(DISABLED), "{start}: {}", second.out);
        assert!(!has_role(&organization), "{start}");
        assert_eq!((syncs(&organization, MANAGEMENT), syncs(&organization, ADMIN)), Default::default(), "{start}");
    }
}

#[tokio::test]
async fn offboard_keeps_role_and_syncs_unless_requested() {
    let organization = organization();
    run(&organization, "onboard --admin 222222222222 --role --sync all").await;
    run(&organization, "offboard --allow-sync-loss").await.succeeds_with(&format!(
        "done: account 222222222222 deregistered as delegated administrator of ssm.amazonaws.com\n  \
           data syncs: not checked\n\
         done: trusted access for ssm.amazonaws.com disabled\n  \
           data syncs: not checked\n\
         {DISABLED}"
    ));
    assert!(has_role(&organization));
    assert_eq!(syncs(&organization, MANAGEMENT), ["all"]);

    // AWS keeps the role for a sync that no longer works.
    run(&organization, "offboard --allow-sync-loss --delete-role").await.fails_with(
        &format!(
            "nothing was changed\n\
             not done: delete the {ROLE}\n\
             {DISABLED}"
        ),
        &["the role is in use", "run the command again in a few minutes"],
    );
    run(&organization, "offboard --delete-sync all --delete-role").await.succeeds_with(&format!(
        "done: data sync \"all\" of account 111111111111 in eu-central-1 deleted\ndone: {ROLE} deleted\n{DISABLED}"
    ));
}

#[tokio::test]
async fn commands_as_other_account_change_nothing() {
    let organization = organization();
    let member = organization.client(id(OTHER));
    for line in [
        "onboard --admin 222222222222 --role",
        "onboard --admin 222222222222 --sync all",
        "offboard --delete-sync all",
        "offboard --delete-role",
    ] {
        run_as(&member, &organization, line).await.fails_with_any(&["333333333333"]);
        // The delegated administrator of any service has read access.
        let quick_setup = ServicePrincipal::QUICK_SETUP;
        organization.register_administrator_for(&quick_setup, id(OTHER));
        run_as(&member, &organization, line).await.fails_with_any(&["111111111111", OTHER]);
        organization.deregister_administrator_for(&quick_setup, id(OTHER));
    }
    organization.enable_trusted_access(&ServicePrincipal::SYSTEMS_MANAGER);
    organization.register_administrator(id(ADMIN));
    for line in [
        "onboard --admin 222222222222 --sync all --sync-owner administrator --admin-profile 333333333333",
        "offboard --delete-sync all --admin-profile 333333333333",
    ] {
        run(&organization, line).await.fails_with_any(&["--admin-profile takes", "of account 222222222222"]);
    }
    assert_eq!(organization.write_count(), 0);
}

/// The calls of the plan and, for the next steps, one read of the role and one listing with each
/// client. Those of `onboard` are made beside the read that confirms the last write.
#[tokio::test(start_paused = true)]
async fn onboard_and_offboard_make_each_call_once() {
    let latency = Duration::from_millis(100);
    let organization = organization_builder().latency(latency).build();
    for (line, calls, identities, round_trips) in
        [("onboard --admin 222222222222", 9 + 2, 1, 5), ("offboard --admin-profile 222222222222", 14 + 3, 2, 6)]
    {
        organization.clear_calls();
        let begun = tokio::time::Instant::now();
        run(&organization, line).await;
        assert_eq!(organization.calls().len(), calls);
        assert_eq!(organization.call_count(Operation::GetCallerIdentity), identities);
        assert_eq!(begun.elapsed(), latency * round_trips);
    }
}

#[tokio::test]
async fn next_steps_of_offboard_include_syncs_of_unchecked_account() {
    for (options, is_listed) in [("--allow-sync-loss", true), ("--admin-profile 222222222222", false)] {
        let organization = organization();
        run(&organization, "onboard --admin 222222222222 --role").await;
        let removed = run(&organization, &format!("offboard {options}")).await;
        assert_eq!(removed.next.contains("delete_data_syncs"), is_listed, "{options}: {}", removed.next);
    }
}

#[tokio::test]
async fn replace_migrates_syncs() {
    let organization = organization();
    run(
        &organization,
        "onboard --admin 222222222222 --role --sync all --sync-owner administrator --admin-profile 222222222222",
    )
    .await;
    let replace = "replace --admin 333333333333";
    let unchanged = format!("nothing was changed\n{DELEGATED}");
    run(&organization, replace).await.fails_with(&unchanged, &["--admin-profile", "account 222222222222"]);
    run(&organization, &format!("{replace} --admin-profile 222222222222"))
        .await
        .fails_with(&unchanged, &["--new-admin-profile takes", "account 333333333333"]);
    let carry = format!("{replace} --admin-profile 222222222222 --new-admin-profile 333333333333");
    let wrong = carry.replace("new-admin-profile 333333333333", "new-admin-profile 999999999999");
    run(&organization, &wrong).await.fails_with(&unchanged, &["--new-admin-profile takes", OTHER]);

    organization.clear_calls();
    run(&organization, &carry).await.succeeds_with(&format!(
        "done: account 222222222222 deregistered as delegated administrator of ssm.amazonaws.com\n  \
           recorded data sync: \"all\" of account 222222222222 in eu-central-1: \
           the whole organization, from eu-central-1\n\
         done: account 333333333333 registered as delegated administrator of ssm.amazonaws.com\n\
         done: data sync \"all\" of account 333333333333 in eu-central-1 created\n\
         {REPLACED}"
    ));
    assert_eq!((syncs(&organization, ADMIN), syncs(&organization, OTHER)), (vec![], vec!["all".to_owned()]));

    organization.clear_calls();
    let again = run(&organization, &carry).await;
    again.fails_with(&format!("nothing to do\n{REPLACED}"), &["warning: the data syncs of a former administrator"]);
    assert_eq!(organization.write_count(), 0);
}

#[tokio::test]
async fn failed_replace_prints_command_to_recreate_lost_sync() {
    let organization = organization();
    run(&organization, "onboard --admin 222222222222 --role").await;
    add_sync(&organization, ADMIN, "it's all");
    let carry = "replace --admin 333333333333 --admin-profile 222222222222 --new-admin-profile 333333333333";
    let gone = "done: account 222222222222 deregistered as delegated administrator of ssm.amazonaws.com\n  \
                  recorded data sync: \"it's all\" of account 222222222222 in eu-central-1: \
                  the whole organization, from eu-central-1, us-east-1 and future Regions\n";
    let remedy = "to create it again: ssm-org onboard --admin ACCOUNT --sync 'it'\\''s all' \
                  --source-region eu-central-1,us-east-1 --future-regions --region eu-central-1 --sync-owner administrator --admin-profile ACCOUNT\n";

    organization.inject_fault(
        Operation::RegisterDelegatedAdministrator,
        1,
        sim::Fault::refused("AccessDeniedException"),
    );
    run(&organization, carry).await.fails_with(
        &format!(
            "{gone}lost: data sync \"it's all\" of account 222222222222 in eu-central-1; {}\
             not done: register account 333333333333 as delegated administrator of ssm.amazonaws.com\n\
             not done: create the data sync \"it's all\" of account 333333333333 in eu-central-1\n{TRUSTED}",
            remedy.replace("ACCOUNT", ADMIN)
        ),
        &["RegisterDelegatedAdministrator for account 333333333333"],
    );
    // A second run without the receipt completes the replacement, and says what it does not know.
    run(&organization, carry).await.fails_with(
        &format!("done: account 333333333333 registered as delegated administrator of ssm.amazonaws.com\n{REPLACED}"),
        &["warning: the data syncs of a former administrator are unknown"],
    );

    add_sync(&organization, OTHER, "it's all");
    organization.inject_fault(Operation::CreateResourceDataSync, 1, sim::Fault::refused("OddException"));
    let back = "replace --admin 222222222222 --admin-profile 333333333333 --new-admin-profile 222222222222";
    run(&organization, back).await.fails_with(
        &format!(
            "{}done: account 222222222222 registered as delegated administrator of ssm.amazonaws.com\n\
             lost: data sync \"it's all\" of account 222222222222 in eu-central-1; {}\
             not done: create the data sync \"it's all\" of account 222222222222 in eu-central-1\n{DELEGATED}",
            gone.replace(ADMIN, OTHER),
            remedy.replace("ACCOUNT", ADMIN)
        ),
        &[
            "CreateResourceDataSync in eu-central-1 as 222222222222",
            "error: lost: data sync \"it's all\" of account 222222222222 in eu-central-1; to create it again: ssm-org onboard",
        ],
    );
}

const CARRY: &str = "replace --admin 333333333333 --admin-profile 222222222222 --new-admin-profile 333333333333";

/// Injects a fault into each call: a lost sync is an error with the command that creates it again.
#[tokio::test(start_paused = true)]
async fn replace_reports_every_lost_sync() {
    let begin = async || {
        let organization = organization();
        run(
            &organization,
            "onboard --admin 222222222222 --role --sync all --sync-owner administrator --admin-profile 222222222222",
        )
        .await;
        organization.clear_calls();
        organization
    };
    let calm = begin().await;
    assert_eq!(run(&calm, CARRY).await.err, "");
    let mut losses = 0;
    for nth in 1..=calm.calls().len() {
        let organization = begin().await;
        organization.inject_fault_at_call(nth, sim::Fault::refused("AccessDeniedException"));
        let carried = run(&organization, CARRY).await;
        let is_lost = syncs(&organization, ADMIN).is_empty() && syncs(&organization, OTHER).is_empty();
        let says_so = carried.err.contains("error: lost: data sync \"all\"") && carried.err.contains("ssm-org onboard");
        // A sync that AWS accepted may exist even if no read shows it.
        assert!(says_so || !is_lost, "call {nth}: {}", carried.err);
        losses += usize::from(is_lost);
    }
    // Without a caller identity no write is sent, so a failed identity call loses no sync.
    assert!(losses > 1, "{losses}");
}

#[tokio::test]
async fn replace_warns_about_incompletely_migrated_syncs() {
    let organization = organization();
    run(&organization, "onboard --admin 222222222222 --role").await;
    add_sync(&organization, ADMIN, "AWS-QuickSetup-all");
    let mut unshown = DataSync::new(SyncName::new("unshown").unwrap(), Some(SyncSourceType::AwsOrganizations));
    unshown.regions = vec![region("eu-central-1")];
    organization.add_data_sync(id(ADMIN), region("eu-central-1"), unshown);
    let refused = run(&organization, CARRY).await;
    let remedies = ["AWS-QuickSetup-all", "remove the configuration of Quick Setup", "--allow-sync-loss continues"];
    refused.fails_with(&format!("nothing was changed\n{DELEGATED}"), &remedies);
    let carried = run(&organization, &format!("{CARRY} --allow-sync-loss")).await;
    assert_eq!(carried.err, "");
    for told in ["whether the data sync \\\"unshown\\\"", "service manages the data sync \\\"AWS-QuickSetup-all\\\""] {
        assert!(carried.plan_warnings.contains(told), "{}", carried.plan_warnings);
    }
    assert_eq!(syncs(&organization, OTHER), ["unshown"]);
}

/// The receipt of a completed replacement does not bring back what was deleted later.
#[tokio::test]
async fn replace_with_receipt_of_completed_replacement_migrates_existing_syncs_only() {
    let organization = organization();
    run(&organization, "onboard --admin 222222222222 --role").await;
    add_sync(&organization, ADMIN, "all");
    let folder = TempDir::new().unwrap();
    let receipt = folder.path().join("receipt.json").display().to_string();
    run(&organization, &format!("{CARRY} --receipt {receipt}")).await;
    assert_eq!(syncs(&organization, OTHER), ["all"]);

    // Another run has nothing to do and needs no credentials of the new administrator.
    let again = format!("replace --admin 333333333333 --receipt {receipt}");
    for options in ["", " --allow-sync-loss"] {
        let again = run(&organization, &format!("{again}{options}")).await;
        again.succeeds_with(&format!("nothing to do\n{REPLACED}"));
    }
    organization.remove_data_sync(id(OTHER), &region("eu-central-1"), &SyncName::new("all").unwrap());
    let back = "replace --admin 222222222222 --admin-profile 333333333333 --new-admin-profile 222222222222";
    run(&organization, &format!("{back} --receipt {receipt}")).await;
    assert_eq!(syncs(&organization, ADMIN), Vec::<String>::new());
}

/// Copies the receipt at the first call of the operation and returns the path of the copy.
fn spy(organization: &sim::SimOrganization, operation: Operation, receipt: &Path) -> PathBuf {
    let (receipt, copy) = (receipt.to_owned(), receipt.with_extension("then"));
    let then = copy.clone();
    organization.run_before(operation, 1, move |_| drop(fs::copy(receipt, then)));
    copy
}

fn changes(receipt: &Path) -> Vec<Value> {
    let receipt: Value = serde_json::from_str(&fs::read_to_string(receipt).unwrap()).unwrap();
    receipt["changes"].as_array().unwrap().clone()
}

/// A process that is killed after AWS deleted the syncs leaves a receipt that can undo the run.
#[tokio::test]
async fn replace_writes_receipt_before_deregistration() {
    let organization = organization();
    run(
        &organization,
        "onboard --admin 222222222222 --role --sync all --sync-owner administrator --admin-profile 222222222222",
    )
    .await;
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("r.json");
    let then = spy(&organization, Operation::DeregisterDelegatedAdministrator, &path);
    organization.inject_fault(
        Operation::RegisterDelegatedAdministrator,
        1,
        sim::Fault::refused("AccessDeniedException"),
    );
    run(&organization, &format!("{CARRY} --receipt {}", path.display())).await;
    assert!(syncs(&organization, ADMIN).is_empty() && organization.administrators().is_empty());

    let [announced] = &changes(&then)[..] else { panic!("one change") };
    assert_eq!(announced["certainty"], "unconfirmed");
    let [done] = &changes(&path)[..] else { panic!("one change") };
    assert_eq!(done["certainty"], "confirmed");
    assert_eq!(announced["kind"], done["kind"], "the provisional change equals the final change");

    let undo = format!("undo {} --yes --admin-profile 222222222222", then.display());
    let unnamed = run(&organization, &undo).await;
    assert!(
        unnamed.out.contains("not undone: --include-unconfirmed 1 undoes: account 222222222222"),
        "{}",
        unnamed.out
    );
    assert!(organization.administrators().is_empty());
    let undone = run(&organization, &format!("{undo} --include-unconfirmed 1")).await;
    assert_eq!((undone.err.as_str(), organization.administrators()), ("", vec![id(ADMIN)]));
    assert_eq!(syncs(&organization, ADMIN), ["all"]);
}

#[tokio::test]
async fn recreate_sync_writes_receipt_before_deletion() {
    let organization = organization();
    let onboard = "onboard --admin 222222222222 --role --sync all";
    run(&organization, onboard).await;
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("r.json");
    let then = spy(&organization, Operation::DeleteResourceDataSync, &path);
    let recreate = format!("{onboard} --future-regions --recreate-sync --yes --receipt {}", path.display());
    assert_eq!(run(&organization, &recreate).await.err, "");
    let [announced] = &changes(&then)[..] else { panic!("one change") };
    let [deleted, _] = &changes(&path)[..] else { panic!("two changes") };
    assert_eq!((&announced["certainty"], &announced["kind"]), (&"unconfirmed".into(), &deleted["kind"]));
}

/// The library's remedies address programs, so the hints name options of this program instead.
#[tokio::test]
async fn hints_name_options_of_this_program() {
    let organization = organization();
    run(&organization, "onboard --admin 222222222222 --role --sync all").await;
    add_sync(&organization, ADMIN, "mine");
    let directory = TempDir::new().unwrap();
    let kept = directory.path().join("plan.json").display().to_string();
    let target = directory.path().join("target.toml");
    fs::write(&target, "trusted_access = \"off\"\nadministrator = \"none\"\nsearch_regions = [\"eu-central-1\"]\n")
        .unwrap();
    let target = target.display().to_string();
    let profile = "--admin-profile 222222222222";
    let down = "--no-admin --trusted-access off --delete-sync all";
    run(&organization, &format!("plan {down} --delete-sync mine {profile} --out {kept}")).await;
    add_sync(&organization, ADMIN, "another");
    for (line, reasons) in [
        ("offboard".to_owned(), ["--admin-profile takes", "--allow-sync-loss skips the check"]),
        (format!("offboard {profile}"), ["--delete-sync deletes a sync", "--allow-sync-loss continues"]),
        (format!("plan {down} {profile}"), ["--delete-sync deletes a sync", "--allow-sync-loss continues"]),
        (format!("plan --target {target} {profile}"), ["`state = \"absent\"`", "`unlisted_syncs = \"allow_loss\"`"]),
        (format!("plan --target {target}"), ["--admin-profile takes", "`unlisted_syncs = \"allow_loss\"`"]),
        (
            format!("apply {kept} --yes {profile}"),
            ["a new plan with --delete-sync", "a new plan with --allow-sync-loss"],
        ),
        (format!("apply {kept} --yes"), ["--admin-profile takes", "222222222222"]),
        ("replace --admin 333333333333".to_owned(), ["--admin-profile takes", "--allow-sync-loss skips the check"]),
        (CARRY.replace("profile 333333333333", "profile 222222222222"), ["--new-admin-profile takes", OTHER]),
    ] {
        let refused = run(&organization, &line).await;
        refused.fails_with(&refused.out, &reasons);
        for library in [
            "provide a client",
            "allow the data syncs to be lost",
            "forfeit the data syncs",
            "observe again",
            "make a new plan;",
        ] {
            assert!(!refused.err.contains(library), "{line}: {}", refused.err);
        }
    }
    assert_eq!(organization.call_count(Operation::DeregisterDelegatedAdministrator), 0);
    // Any of Explorer's syncs prevents the deletion of the role, so allowing their loss does not
    // help.
    let role = run(&organization, "plan --trusted-access off --no-admin --delete-role --allow-sync-loss").await;
    assert!(role.err.contains("--delete-sync") && !role.err.contains("--allow-sync-loss"), "{}", role.err);
}

#[tokio::test]
async fn replace_fails_without_a_single_administrator() {
    let organization = organization();
    let replace = "replace --admin 333333333333 --allow-sync-loss";
    let refused = run(&organization, replace).await;
    assert!(refused.out.starts_with("nothing was changed\ncurrent state: Disabled"), "{}", refused.out);
    refused.fails_with(&refused.out, &["no single administrator to replace", "Disabled"]);
    organization.enable_trusted_access(&ServicePrincipal::SYSTEMS_MANAGER);
    organization.register_administrator(id(ADMIN));
    organization.register_administrator(id(OTHER));
    let refused = run(&organization, replace).await;
    assert!(refused.out.starts_with("nothing was changed\ncurrent state: Inconsistent"), "{}", refused.out);
    refused.fails_with(&refused.out, &["no single administrator to replace", "Inconsistent"]);
    organization.deregister_administrator(id(OTHER));
    organization.set_member(id(OTHER), AccountState::Suspended);
    run(&organization, replace).await.fails_with(&format!("nothing was changed\n{DELEGATED}"), &["SUSPENDED"]);
    assert_eq!(organization.write_count(), 0);
}

#[tokio::test]
async fn status_shows_known_and_unknown_state() {
    let organization = organization();
    run(&organization, "onboard --admin 222222222222 --role --sync all --source-region eu-west-1").await;
    add_sync(&organization, ADMIN, "mine");
    organization.clear_calls();
    let status = run(&organization, "status --region eu-central-1,us-east-1").await;
    assert_eq!(status.err, "");
    for line in [
        "role:               AWSServiceRoleForAmazonSSM_AccountDiscovery, since 2",
        "data sync:          account 111111111111 in eu-central-1: \"all\", healthy, the whole organization, from eu-west-1\n",
        "data sync:          account 111111111111 in us-east-1: none\n",
        "data sync:          account 222222222222: unknown: no credentials of that account (--admin-profile)\n",
    ] {
        assert!(status.out.contains(line), "{line} in {}", status.out);
    }

    organization.disable_trusted_access(&ServicePrincipal::SYSTEMS_MANAGER);
    let blind = organization
        .management_client()
        .without_permission("iam:GetRole")
        .without_permission("ssm:ListResourceDataSync");
    let status = run_as(&blind, &organization, "status --admin-profile 222222222222").await;
    assert_eq!(status.err, "");
    for line in [
        "role:               unknown: GetRole as 111111111111: access denied; add the permission iam:GetRole",
        "data sync:          account 111111111111 in eu-central-1: unknown: ListResourceDataSync in eu-central-1 as 111111111111: access denied",
        "data sync:          account 222222222222 in eu-central-1: \"mine\", TrustedAccessDisabled, the whole organization, \
         from eu-central-1, us-east-1 and future Regions; recreate the sync",
    ] {
        assert!(status.out.contains(line), "{line} in {}", status.out);
    }
    let administrator = organization.client(id(ADMIN));
    let status = run_as(&administrator, &organization, "status").await;
    let role = "role:               unknown: GetRole as 222222222222: ";
    assert!(status.out.contains(role), "{}", status.out);
    assert!(status.out.contains("account 111111111111: unknown: no credentials of that account (--profile)"));
    assert_eq!(organization.write_count(), 0);
}

const TARGET: &str = "--trusted-access on --admin 222222222222 --role --sync all";

#[tokio::test]
async fn apply_with_missing_permission_names_it() {
    let organization = organization();
    // A role that cannot be read does not count as absent.
    let blind = organization.management_client().without_permission("iam:GetRole");
    for line in [format!("plan {TARGET}"), format!("apply {TARGET} --yes")] {
        run_as(&blind, &organization, &line).await.fails_with_any(&["iam:GetRole"]);
    }
    assert_eq!(organization.write_count(), 0);
    // State that the target does not depend on may stay unknown.
    assert_eq!(run_as(&blind, &organization, "plan --trusted-access on").await.err, "");

    let weak = organization.management_client().without_permission("organizations:RegisterDelegatedAdministrator");
    // The sync of the management account does not depend on the administrator.
    let sync = "done: data sync \"all\" of account 111111111111 in eu-central-1 created\n";
    let not_done = "not done: register account 222222222222 as delegated administrator of ssm.amazonaws.com\n";
    run_as(&weak, &organization, &format!("apply {TARGET} --yes")).await.fails_with(
        &format!(
            "{TRUST}done: {ROLE} created\n{sync}{not_done}current state: TrustedAccess: trusted access is enabled in organization o-exampleorgid\n"
        ),
        &["organizations:RegisterDelegatedAdministrator", "can add this statement:\n{"],
    );
    // A caller with the permission completes the run.
    run(&organization, &format!("apply {TARGET} --yes")).await.succeeds_with(&format!("{REGISTERED}{DELEGATED}"));
}

#[tokio::test(start_paused = true)]
async fn apply_stopped_at_any_call_completes_on_rerun() {
    let down = "--no-admin --trusted-access off --delete-role --delete-sync all --admin-profile 222222222222";
    for (start, line) in [(false, TARGET), (true, down)] {
        let begin = async || {
            let organization = organization();
            if start {
                run(&organization, &format!("apply {TARGET} --yes")).await;
            }
            organization.clear_calls();
            organization
        };
        let calm = begin().await;
        assert_eq!(run(&calm, &format!("apply {line} --yes")).await.err, "");
        let calls = calm.calls().len();
        for nth in 1..=calls {
            let organization = begin().await;
            organization.stop_at_call(nth);
            let killed = run(&organization, &format!("apply {line} --yes")).await;
            assert_ne!(killed.err, "", "{line}, call {nth}");
            organization.resume();
            let again = run(&organization, &format!("apply {line} --yes")).await;
            assert_eq!(again.err, "", "{line}, call {nth}");
            let (ends, calm) = (organization.state().without_dates(), calm.state().without_dates());
            assert_eq!(ends, calm, "{line}, call {nth}");
        }
    }
}

#[tokio::test]
async fn onboard_and_apply_keep_concurrently_registered_account() {
    for line in ["onboard --admin 222222222222".to_owned(), format!("apply {TARGET} --yes")] {
        let organization = organization();
        organization.run_before(Operation::EnableAwsServiceAccess, 1, |organization| {
            organization.enable_trusted_access(&ServicePrincipal::SYSTEMS_MANAGER);
            organization.register_administrator(id(OTHER));
        });
        run(&organization, &line).await.fails_with_any(&[OTHER]);
        assert_eq!(organization.administrators(), [id(OTHER)], "{line}");
        assert_eq!(organization.call_count(Operation::DeregisterDelegatedAdministrator), 0, "{line}");
    }
}

#[tokio::test]
async fn plan_makes_only_required_reads() {
    let organization = organization();
    run(&organization, &format!("plan {TARGET} --region eu-central-1,us-east-1")).await;
    for (operation, count) in [
        (Operation::DescribeOrganization, 1),
        (Operation::ListAwsServiceAccessForOrganization, 1),
        (Operation::ListDelegatedAdministrators, 1),
        (Operation::ListResourceDataSync, 2),
        (Operation::GetRole, 1),
    ] {
        assert_eq!(organization.call_count(operation), count, "{operation}");
    }
    assert_eq!(organization.write_count(), 0);
}

/// AWS creates the role when trusted access is enabled, and reads show both only later.
#[tokio::test(start_paused = true)]
async fn next_steps_omit_the_role_that_enabling_creates() {
    let mut setting = sim::UndocumentedBehavior::default();
    setting.enabling_makes_role = true;
    let delay = Duration::from_secs(2);
    let organization = organization_builder().undocumented_behavior(setting).read_delay(delay).build();
    let Run { next, err, out, .. } = run(&organization, "apply --trusted-access on --yes").await;
    assert!(next.contains("data_sync") && !next.contains("create_role"), "{next} {err} {out}");
}
