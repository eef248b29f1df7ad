//! The commands on an organization in memory. A profile is named after the account that it has credentials of.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use serde_json::Value;
use ssm_organizations::ports::{AccountState, Client, DataSync, Operation, SyncSourceType};
use ssm_organizations::{AccountId, Region, RoleName, ServicePrincipal, SyncName, sim};
use tempfile::TempDir;

use super::{Caller, Scene, carry_out};
use crate::advice;
use crate::cli::Cli;
use crate::console::Console;

const MANAGEMENT: &str = "111111111111";
const ADMIN: &str = "222222222222";
const OTHER: &str = "333333333333";
const UNIT: &str = "ou-root-exampleid";

const DISABLED: &str = "now: Disabled: Systems Manager is not trusted in organization o-exampleorgid\n";
const TRUSTED: &str = "now: TrustedAccess: Systems Manager is trusted in organization o-exampleorgid\n";
const DELEGATED: &str =
    "now: Delegated: account 222222222222 administers Systems Manager in organization o-exampleorgid\n";
const REPLACED: &str =
    "now: Delegated: account 333333333333 administers Systems Manager in organization o-exampleorgid\n";

const TRUST: &str = "done: trusted access for ssm.amazonaws.com enabled\n";
const REGISTERED: &str = "done: account 222222222222 registered as delegated administrator of ssm.amazonaws.com\n";
const ROLE: &str = "role AWSServiceRoleForAmazonSSM_AccountDiscovery";

fn id(account: &str) -> AccountId {
    account.parse().unwrap()
}

fn region(name: &str) -> Region {
    name.parse().unwrap()
}

fn organization() -> sim::Organization {
    sim::Organization::builder()
        .member(id(ADMIN))
        .member(id(OTHER))
        .unit(UNIT.parse().unwrap())
        .role_deletion(Duration::ZERO)
        .build()
}

/// What a command left.
struct Run {
    out: String,
    err: String,
    /// Of the JSON object.
    notes: String,
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

/// Runs a command line as the management account, in `eu-central-1` unless it names Regions. There is nobody to ask.
async fn run(organization: &sim::Organization, line: &str) -> Run {
    run_as(&organization.management_client(), organization, line).await
}

async fn run_as(caller: &dyn Client, organization: &sim::Organization, line: &str) -> Run {
    let asks = line.starts_with("offboard") || line.starts_with("replace");
    let yes = asks.then_some("--yes");
    let cli = Cli::try_parse_from(["ssm-org"].into_iter().chain(line.split(' ')).chain(yes)).unwrap();
    let mut regions = cli.connection.regions.clone();
    if regions.is_empty() {
        regions.push(region("eu-central-1"));
    }
    let (profiles, successor) = cli.command.other_profiles();
    let clients: Vec<_> = profiles.iter().chain(successor).map(|profile| organization.client(id(profile))).collect();
    let others: Vec<Caller<'_>> = clients.iter().map(|client| client as Caller<'_>).collect();
    let scene = Scene {
        management: caller,
        administrator: others.first().filter(|_| !profiles.is_empty()).copied(),
        successor: successor.and_then(|_| others.last()).copied(),
        others: &others,
        regions: &regions,
        named_regions: &cli.connection.regions,
        console: Console::Silent,
    };
    let outcome = carry_out(&cli.command, scene).await.unwrap();
    let mut err: String = outcome.warnings.iter().flat_map(|warning| [warning, "\n"]).collect();
    for complaint in &outcome.complaints {
        err.push_str(&complaint.lines());
        err.extend(advice::on(complaint, &cli.command));
    }
    let notes = outcome.json.get("notes").map(Value::to_string).unwrap_or_default();
    Run { out: without_counsel(&outcome.lines), err, notes }
}

/// What was done and what is, without what there is to know besides.
fn without_counsel(lines: &str) -> String {
    let (lines, _) = lines.split_once("next:\n").unwrap_or((lines, ""));
    lines.split_inclusive('\n').filter(|line| !line.starts_with("warning: ")).collect()
}

/// The names of an account's syncs in `eu-central-1`.
fn syncs(organization: &sim::Organization, account: &str) -> Vec<String> {
    let syncs = organization.data_syncs(id(account), &region("eu-central-1"));
    syncs.iter().map(|sync| sync.name.to_string()).collect()
}

fn add_sync(organization: &sim::Organization, account: &str, name: &str) {
    let mut sync = DataSync::new(SyncName::new(name).unwrap(), Some(SyncSourceType::AwsOrganizations));
    sync.regions = vec![region("eu-central-1"), region("us-east-1")];
    sync.future_regions = Some(true);
    sync.all_ops_data_sources = Some(false);
    organization.add_data_sync(id(account), region("eu-central-1"), sync);
}

fn has_role(organization: &sim::Organization) -> bool {
    organization.has_role(id(MANAGEMENT), &RoleName::ACCOUNT_DISCOVERY)
}

#[tokio::test]
async fn all_of_explorer_goes_in_and_out_and_each_way_twice() {
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

    organization.forget_calls();
    run(&organization, onboard).await.succeeds_with(&format!("nothing to do\n{DELEGATED}"));
    assert_eq!(organization.writes(), 0);

    let regions = "--region eu-central-1,us-east-1";
    let offboard = format!("offboard --delete-sync all --delete-role --admin-profile 222222222222 {regions}");
    let of_administrator = "of account 222222222222 in eu-central-1, us-east-1";
    let of_management = "of account 111111111111 in eu-central-1, us-east-1";
    run(&organization, &offboard).await.succeeds_with(&format!(
        "done: data sync \"all\" of account 111111111111 in eu-central-1 deleted\n\
         done: data sync \"all\" of account 111111111111 in us-east-1 deleted\n\
         done: account 222222222222 deregistered as delegated administrator of ssm.amazonaws.com\n  \
           data syncs: none seen {of_administrator}\n\
         done: trusted access for ssm.amazonaws.com disabled\n  \
           data syncs: none seen {of_management}, {of_administrator}\n\
         done: {ROLE} deleted\n\
         {DISABLED}"
    ));
    assert!(!has_role(&organization));

    organization.forget_calls();
    run(&organization, &offboard).await.succeeds_with(&format!("nothing to do\n{DISABLED}"));
    assert_eq!(organization.writes(), 0);
}

#[tokio::test]
async fn the_administrator_can_have_the_sync_and_it_is_changed_in_place() {
    let organization = organization();
    let profile = "--admin-profile 222222222222";
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
async fn one_regions_failure_hides_no_others_success() {
    let organization = organization();
    let regions = "--region af-south-1,eu-central-1";
    let onboard = format!("onboard --admin 222222222222 --role --sync all {regions}");
    run(&organization, &format!("{onboard} --admin-profile 222222222222")).await.fails_with(
        &format!("nothing was changed\n{DISABLED}"),
        &["CreateResourceDataSync in af-south-1 as 222222222222", "without --admin-profile"],
    );
    assert_eq!(organization.writes(), 0);

    run(&organization, &onboard).await;
    organization.fault(Operation::DeleteResourceDataSync, 1, sim::Fault::refused("AccessDeniedException"));
    let offboard = format!("offboard --delete-sync all --delete-role --admin-profile 222222222222 {regions}");
    run(&organization, &offboard).await.fails_with(
        &format!(
            "done: data sync \"all\" of account 111111111111 in eu-central-1 deleted\n\
             not done: delete the data sync \"all\" of account 111111111111 in af-south-1\n\
             not done: deregister account 222222222222 as delegated administrator of ssm.amazonaws.com\n\
             not done: disable trusted access for ssm.amazonaws.com\n\
             not done: delete the {ROLE}\n\
             {DELEGATED}"
        ),
        &["DeleteResourceDataSync in af-south-1 as 111111111111", "ssm:DeleteResourceDataSync"],
    );
    assert_eq!(run(&organization, &offboard).await.err, "");
    assert!(!has_role(&organization));
}

#[tokio::test(start_paused = true)]
async fn without_the_role_the_sync_is_refused_and_the_rest_stands() {
    let organization = organization();
    let not_done = "not done: create the data sync \"all\" of account 111111111111 in eu-central-1\n";
    run(&organization, "onboard --admin 222222222222 --sync all").await.fails_with(
        &format!("{TRUST}{REGISTERED}{not_done}{DELEGATED}"),
        &["ResourceDataSyncInvalidConfigurationException", "--role makes it"],
    );
    organization.forget_calls();
    organization.fault(Operation::CreateServiceLinkedRole, 1, sim::Fault::refused("AccessDenied"));
    run(&organization, "onboard --admin 222222222222 --sync all --role").await.fails_with(
        &format!("nothing was changed\nnot done: create the {ROLE}\n{not_done}{DELEGATED}"),
        &["iam:CreateServiceLinkedRole", "can add this statement"],
    );
    assert_eq!(organization.count(Operation::CreateResourceDataSync), 0, "a sync before its role was not tried");
}

/// From every state, with syncs of both accounts and the role.
#[tokio::test]
async fn a_teardown_by_name_works_from_every_start() {
    for start in ["Disabled", "TrustedAccess", "Delegated", "Irregular"] {
        let organization = organization();
        organization.add_role(id(MANAGEMENT), &ServicePrincipal::ACCOUNT_DISCOVERY);
        if ["TrustedAccess", "Delegated"].contains(&start) {
            organization.trust(&ServicePrincipal::SYSTEMS_MANAGER);
        }
        if ["Delegated", "Irregular"].contains(&start) {
            organization.delegate(id(ADMIN));
        }
        for account in [MANAGEMENT, ADMIN] {
            add_sync(&organization, account, "all");
            add_sync(&organization, account, "units");
        }
        // One is not named: it stays, and so does what it runs on.
        let first = run(&organization, "offboard --delete-sync all --delete-role --admin-profile 222222222222").await;
        assert!(first.err.contains(r#"data syncs remain: "units" of account"#), "{}", first.err);
        assert!(first.err.contains("--delete-sync"), "{}", first.err);
        assert_eq!(organization.writes(), 0, "{start}");

        let offboard = "offboard --delete-sync all --delete-sync units --delete-role --admin-profile 222222222222";
        let second = run(&organization, offboard).await;
        assert_eq!(second.err, "", "{start}");
        assert!(second.out.ends_with(DISABLED), "{start}: {}", second.out);
        assert!(!has_role(&organization), "{start}");
        assert_eq!((syncs(&organization, MANAGEMENT), syncs(&organization, ADMIN)), Default::default(), "{start}");
    }
}

#[tokio::test]
async fn what_is_not_asked_for_stays() {
    let organization = organization();
    run(&organization, "onboard --admin 222222222222 --role --sync all").await;
    run(&organization, "offboard --forfeit-syncs").await.succeeds_with(&format!(
        "done: account 222222222222 deregistered as delegated administrator of ssm.amazonaws.com\n  \
           data syncs: not looked for\n\
         done: trusted access for ssm.amazonaws.com disabled\n  \
           data syncs: not looked for\n\
         {DISABLED}"
    ));
    assert!(has_role(&organization));
    assert_eq!(syncs(&organization, MANAGEMENT), ["all"]);

    // AWS keeps the role for a sync that was forfeited, whatever it is worth.
    run(&organization, "offboard --forfeit-syncs --delete-role").await.fails_with(
        &format!(
            "nothing was changed\n\
             not done: delete the {ROLE}\n\
             {DISABLED}"
        ),
        &["the role is in use", "run it again in a few minutes"],
    );
    run(&organization, "offboard --delete-sync all --delete-role").await.succeeds_with(&format!(
        "done: data sync \"all\" of account 111111111111 in eu-central-1 deleted\ndone: {ROLE} deleted\n{DISABLED}"
    ));
}

#[tokio::test]
async fn credentials_of_another_account_change_nothing() {
    let organization = organization();
    let member = organization.client(id(OTHER));
    for line in [
        "onboard --admin 222222222222 --role",
        "onboard --admin 222222222222 --sync all",
        "offboard --delete-sync all",
        "offboard --delete-role",
    ] {
        run_as(&member, &organization, line).await.fails_with_any(&["333333333333"]);
        // The administrator of any service may look.
        let quick_setup = ServicePrincipal::QUICK_SETUP;
        organization.delegate_for(&quick_setup, id(OTHER));
        run_as(&member, &organization, line).await.fails_with_any(&["111111111111", OTHER]);
        organization.undelegate_for(&quick_setup, id(OTHER));
    }
    organization.trust(&ServicePrincipal::SYSTEMS_MANAGER);
    organization.delegate(id(ADMIN));
    for line in [
        "onboard --admin 222222222222 --sync all --admin-profile 333333333333",
        "offboard --delete-sync all --admin-profile 333333333333",
    ] {
        run(&organization, line).await.fails_with_any(&["--admin-profile takes", "of account 222222222222"]);
    }
    assert_eq!(organization.writes(), 0);
}

#[tokio::test]
async fn a_new_administrator_gets_the_syncs() {
    let organization = organization();
    run(&organization, "onboard --admin 222222222222 --role --sync all --admin-profile 222222222222").await;
    let replace = "replace --admin 333333333333";
    let unchanged = format!("nothing was changed\n{DELEGATED}");
    run(&organization, replace).await.fails_with(&unchanged, &["--admin-profile", "account 222222222222"]);
    run(&organization, &format!("{replace} --admin-profile 222222222222"))
        .await
        .fails_with(&unchanged, &[r#""all" of account 222222222222"#, "--new-admin-profile"]);
    let carry = format!("{replace} --admin-profile 222222222222 --new-admin-profile 333333333333");
    let wrong = carry.replace("new-admin-profile 333333333333", "new-admin-profile 999999999999");
    run(&organization, &wrong).await.fails_with(&unchanged, &["--new-admin-profile takes", OTHER]);

    organization.forget_calls();
    run(&organization, &carry).await.succeeds_with(&format!(
        "done: account 222222222222 deregistered as delegated administrator of ssm.amazonaws.com\n  \
           data sync on record: \"all\" of account 222222222222 in eu-central-1: \
           the whole organization, from eu-central-1\n\
         done: account 333333333333 registered as delegated administrator of ssm.amazonaws.com\n\
         done: data sync \"all\" of account 333333333333 in eu-central-1 created\n\
         {REPLACED}"
    ));
    assert_eq!((syncs(&organization, ADMIN), syncs(&organization, OTHER)), (vec![], vec!["all".to_owned()]));

    organization.forget_calls();
    run(&organization, &carry).await.succeeds_with(&format!("nothing to do\n{REPLACED}"));
    assert_eq!(organization.writes(), 0);
}

#[tokio::test]
async fn a_replacement_that_fails_midway_says_what_restores_it() {
    let organization = organization();
    run(&organization, "onboard --admin 222222222222 --role").await;
    add_sync(&organization, ADMIN, "it's all");
    let carry = "replace --admin 333333333333 --admin-profile 222222222222 --new-admin-profile 333333333333";
    let gone = "done: account 222222222222 deregistered as delegated administrator of ssm.amazonaws.com\n  \
                  data sync on record: \"it's all\" of account 222222222222 in eu-central-1: \
                  the whole organization, from eu-central-1, us-east-1 and Regions to come\n";
    let remedy = "to make it again: ssm-org onboard --admin ACCOUNT --sync 'it'\\''s all' \
                  --source-region eu-central-1,us-east-1 --future-regions --region eu-central-1 --admin-profile ACCOUNT\n";

    organization.fault(Operation::RegisterDelegatedAdministrator, 1, sim::Fault::refused("AccessDeniedException"));
    run(&organization, carry).await.fails_with(
        &format!(
            "{gone}lost: data sync \"it's all\" of account 222222222222 in eu-central-1; {}{TRUSTED}",
            remedy.replace("ACCOUNT", ADMIN)
        ),
        &["RegisterDelegatedAdministrator for account 333333333333"],
    );
    // The same again finishes the replacement; what was lost is not known to it.
    run(&organization, carry).await.succeeds_with(&format!(
        "done: account 333333333333 registered as delegated administrator of ssm.amazonaws.com\n{REPLACED}"
    ));

    add_sync(&organization, OTHER, "it's all");
    organization.fault(Operation::CreateResourceDataSync, 1, sim::Fault::refused("OddException"));
    let back = "replace --admin 222222222222 --admin-profile 333333333333 --new-admin-profile 222222222222";
    run(&organization, back).await.fails_with(
        &format!(
            "{}done: account 222222222222 registered as delegated administrator of ssm.amazonaws.com\n\
             lost: data sync \"it's all\" of account 222222222222 in eu-central-1; {}{DELEGATED}",
            gone.replace(ADMIN, OTHER),
            remedy.replace("ACCOUNT", ADMIN)
        ),
        &[
            "CreateResourceDataSync in eu-central-1 as 222222222222",
            "error: lost: data sync \"it's all\" of account 222222222222 in eu-central-1; to make it again: ssm-org onboard",
        ],
    );
}

const CARRY: &str = "replace --admin 333333333333 --admin-profile 222222222222 --new-admin-profile 333333333333";

/// Whatever goes wrong, and wherever: what is gone and was not made again is an error that says how to make it.
#[tokio::test(start_paused = true)]
async fn no_sync_is_lost_without_a_word() {
    let begin = async || {
        let organization = organization();
        run(&organization, "onboard --admin 222222222222 --role --sync all --admin-profile 222222222222").await;
        organization.forget_calls();
        organization
    };
    let calm = begin().await;
    assert_eq!(run(&calm, CARRY).await.err, "");
    let mut losses = 0;
    for nth in 1..=calm.calls().len() {
        let organization = begin().await;
        organization.fault_at(nth, sim::Fault::refused("AccessDeniedException"));
        let carried = run(&organization, CARRY).await;
        let is_lost = syncs(&organization, ADMIN).is_empty() && syncs(&organization, OTHER).is_empty();
        let says_so = carried.err.contains("error: lost: data sync \"all\"") && carried.err.contains("ssm-org onboard");
        // What AWS accepted and no read shows may be there all the same.
        assert!(says_so || !is_lost, "call {nth}: {}", carried.err);
        losses += usize::from(is_lost);
    }
    // Without a caller's identity nothing is sent, so there is no other error.
    assert!(losses > 1, "{losses}");
}

#[tokio::test]
async fn what_is_carried_over_in_part_or_not_at_all_is_a_warning() {
    let organization = organization();
    run(&organization, "onboard --admin 222222222222 --role").await;
    add_sync(&organization, ADMIN, "AWS-QuickSetup-all");
    let mut unshown = DataSync::new(SyncName::new("unshown").unwrap(), Some(SyncSourceType::AwsOrganizations));
    unshown.regions = vec![region("eu-central-1")];
    organization.add_data_sync(id(ADMIN), region("eu-central-1"), unshown);
    let carried = run(&organization, CARRY).await;
    let lines: Vec<_> = carried.err.lines().collect();
    let [unshown, foreign] = lines.as_slice() else { panic!("{}", carried.err) };
    assert!(unshown.starts_with("warning: data sync \"unshown\" of account 333333333333"), "{unshown}");
    assert!(foreign.starts_with("warning: data sync \"AWS-QuickSetup-all\" of account 222222222222"), "{foreign}");
    for told in ["warning: data sync \\\"unshown\\\"", "warning: data sync \\\"AWS-QuickSetup-all\\\""] {
        assert!(carried.notes.contains(told), "{}", carried.notes);
    }
    assert_eq!(syncs(&organization, OTHER), ["unshown"]);
}

/// Between the first look and the one that is shown.
#[tokio::test]
async fn a_rival_before_the_question_ends_a_replacement() {
    for (was, is) in [(ADMIN, OTHER), (OTHER, ADMIN)] {
        let organization = organization();
        organization.trust(&ServicePrincipal::SYSTEMS_MANAGER);
        organization.delegate(id(was));
        organization.before(Operation::DescribeOrganization, 2, move |organization| {
            organization.undelegate(id(was));
            organization.delegate(id(is));
        });
        let refused = run(&organization, "replace --admin 333333333333 --forfeit-syncs").await;
        refused.fails_with(
            &format!("nothing was changed\n{}", if is == ADMIN { DELEGATED } else { REPLACED }),
            &["somebody has moved meanwhile", "run it again"],
        );
        assert_eq!(organization.writes(), 0);
    }
}

/// Copies the receipt as it is when that call is made.
fn spy(organization: &sim::Organization, operation: Operation, receipt: &Path) -> PathBuf {
    let (receipt, copy) = (receipt.to_owned(), receipt.with_extension("then"));
    let then = copy.clone();
    organization.before(operation, 1, move |_| drop(fs::copy(receipt, then)));
    copy
}

fn changes(receipt: &Path) -> Vec<Value> {
    let receipt: Value = serde_json::from_str(&fs::read_to_string(receipt).unwrap()).unwrap();
    receipt["changes"].as_array().unwrap().clone()
}

/// A process that is killed once AWS has deleted the syncs leaves a receipt that knows them, and that takes the run back.
#[tokio::test]
async fn what_a_replacement_takes_away_is_in_the_receipt_before() {
    let organization = organization();
    run(&organization, "onboard --admin 222222222222 --role --sync all --admin-profile 222222222222").await;
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("r.json");
    let then = spy(&organization, Operation::DeregisterDelegatedAdministrator, &path);
    organization.fault(Operation::RegisterDelegatedAdministrator, 1, sim::Fault::refused("AccessDeniedException"));
    run(&organization, &format!("{CARRY} --receipt {}", path.display())).await;
    assert!(syncs(&organization, ADMIN).is_empty() && organization.administrators().is_empty());

    let [announced] = &changes(&then)[..] else { panic!("one change") };
    assert_eq!(announced["certainty"], "maybe");
    let [done] = &changes(&path)[..] else { panic!("one change") };
    assert_eq!(done["certainty"], "did");
    assert_eq!(announced["kind"], done["kind"], "what was announced is what was done");

    let undo = format!("undo {} --yes --admin-profile 222222222222", then.display());
    let unnamed = run(&organization, &undo).await;
    assert!(unnamed.out.contains("not named: --maybe 1 takes back: account 222222222222"), "{}", unnamed.out);
    assert!(organization.administrators().is_empty());
    let undone = run(&organization, &format!("{undo} --maybe 1")).await;
    assert_eq!((undone.err.as_str(), organization.administrators()), ("", vec![id(ADMIN)]));
    assert_eq!(syncs(&organization, ADMIN), ["all"]);
}

#[tokio::test]
async fn what_is_to_be_created_anew_is_in_the_receipt_before() {
    let organization = organization();
    let onboard = "onboard --admin 222222222222 --role --sync all";
    run(&organization, onboard).await;
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("r.json");
    let then = spy(&organization, Operation::DeleteResourceDataSync, &path);
    let anew = format!("{onboard} --future-regions --recreate-sync --yes --receipt {}", path.display());
    assert_eq!(run(&organization, &anew).await.err, "");
    let [announced] = &changes(&then)[..] else { panic!("one change") };
    let [deleted, _] = &changes(&path)[..] else { panic!("two changes") };
    assert_eq!((&announced["certainty"], &announced["kind"]), (&"maybe".into(), &deleted["kind"]));
}

/// The library's words are for programs: this one has its own.
#[tokio::test]
async fn advice_is_in_terms_of_this_program() {
    let organization = organization();
    run(&organization, "onboard --admin 222222222222 --role --sync all").await;
    add_sync(&organization, ADMIN, "mine");
    let directory = TempDir::new().unwrap();
    let kept = directory.path().join("plan.json").display().to_string();
    let target = directory.path().join("target.toml");
    fs::write(&target, "trusted_access = \"off\"\nadministrator = \"none\"\nlook_in = [\"eu-central-1\"]\n").unwrap();
    let target = target.display().to_string();
    let profile = "--admin-profile 222222222222";
    let down = "--no-admin --trusted-access off --delete-sync all";
    run(&organization, &format!("plan {down} --delete-sync mine {profile} --out {kept}")).await;
    add_sync(&organization, ADMIN, "another");
    for (line, reasons) in [
        ("offboard".to_owned(), ["--admin-profile takes", "with --forfeit-syncs it goes on"]),
        (format!("offboard {profile}"), ["--delete-sync deletes one", "with --forfeit-syncs it goes on"]),
        (format!("plan {down} {profile}"), ["--delete-sync deletes one", "with --forfeit-syncs it goes on"]),
        (format!("plan --target {target} {profile}"), ["`state = \"absent\"`", "`other_syncs = \"forfeit\"`"]),
        (format!("plan --target {target}"), ["--admin-profile takes", "`other_syncs = \"forfeit\"`"]),
        (format!("apply {kept} --yes {profile}"), ["a new plan with --delete-sync", "one with --forfeit-syncs"]),
        (format!("apply {kept} --yes"), ["--admin-profile takes", "222222222222"]),
        ("replace --admin 333333333333".to_owned(), ["--admin-profile takes", "with --forfeit-syncs it goes on"]),
        (CARRY.replace("profile 333333333333", "profile 222222222222"), ["--new-admin-profile takes", OTHER]),
    ] {
        let refused = run(&organization, &line).await;
        refused.fails_with(&refused.out, &reasons);
        for library in ["give a client", "forfeit the data syncs", "observe again", "make a new plan;"] {
            assert!(!refused.err.contains(library), "{line}: {}", refused.err);
        }
    }
    assert_eq!(organization.count(Operation::DeregisterDelegatedAdministrator), 0);
    // All of Explorer's syncs keep the role, so there is nothing to forfeit.
    let role = run(&organization, "plan --trusted-access off --no-admin --role delete --forfeit-syncs").await;
    assert!(role.err.contains("--delete-sync") && !role.err.contains("--forfeit-syncs"), "{}", role.err);
}

#[tokio::test]
async fn without_one_administrator_there_is_nobody_to_replace() {
    let organization = organization();
    let replace = "replace --admin 333333333333 --forfeit-syncs";
    run(&organization, replace).await.fails_with("", &["no one administrator to replace", "Disabled"]);
    organization.trust(&ServicePrincipal::SYSTEMS_MANAGER);
    organization.delegate(id(ADMIN));
    organization.delegate(id(OTHER));
    run(&organization, replace).await.fails_with("", &["no one administrator to replace", "Irregular"]);
    organization.undelegate(id(OTHER));
    organization.set_member(id(OTHER), AccountState::Suspended);
    run(&organization, replace).await.fails_with(&format!("nothing was changed\n{DELEGATED}"), &["SUSPENDED"]);
    assert_eq!(organization.writes(), 0);
}

#[tokio::test]
async fn status_shows_what_is_seen_and_what_is_unknown() {
    let organization = organization();
    run(&organization, "onboard --admin 222222222222 --role --sync all --source-region eu-west-1").await;
    add_sync(&organization, ADMIN, "mine");
    organization.forget_calls();
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

    organization.distrust(&ServicePrincipal::SYSTEMS_MANAGER);
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
         from eu-central-1, us-east-1 and Regions to come\n",
    ] {
        assert!(status.out.contains(line), "{line} in {}", status.out);
    }
    let administrator = organization.client(id(ADMIN));
    let status = run_as(&administrator, &organization, "status").await;
    let role = "role:               unknown: GetRole as 222222222222: ";
    assert!(status.out.contains(role), "{}", status.out);
    assert!(status.out.contains("account 111111111111: unknown: no credentials of that account (--profile)"));
    assert_eq!(organization.writes(), 0);
}

const TARGET: &str = "--trusted-access on --admin 222222222222 --role create --sync all";

#[tokio::test]
async fn a_missing_permission_is_named_before_anything_is_changed_or_when_aws_says_so() {
    let organization = organization();
    // What cannot be read is not taken for absent.
    let blind = organization.management_client().without_permission("iam:GetRole");
    for line in [format!("plan {TARGET}"), format!("apply {TARGET} --yes")] {
        run_as(&blind, &organization, &line).await.fails_with_any(&["iam:GetRole"]);
    }
    assert_eq!(organization.writes(), 0);
    // What the target does not depend on may stay unknown.
    assert_eq!(run_as(&blind, &organization, "plan --trusted-access on").await.err, "");

    let weak = organization.management_client().without_permission("organizations:RegisterDelegatedAdministrator");
    let not_done = "not done: register account 222222222222 as delegated administrator of ssm.amazonaws.com\n\
                    not done: create the data sync \"all\" of account 111111111111 in eu-central-1\n";
    run_as(&weak, &organization, &format!("apply {TARGET} --yes")).await.fails_with(
        &format!(
            "{TRUST}done: {ROLE} created\n{not_done}now: TrustedAccess: Systems Manager is trusted in organization o-exampleorgid\n"
        ),
        &["organizations:RegisterDelegatedAdministrator", "can add this statement:\n{"],
    );
    // Somebody who may finishes it.
    run(&organization, &format!("apply {TARGET} --yes")).await.succeeds_with(&format!(
        "{REGISTERED}done: data sync \"all\" of account 111111111111 in eu-central-1 created\n{DELEGATED}"
    ));
}

#[tokio::test(start_paused = true)]
async fn killed_at_each_call_and_run_again_it_ends_the_same() {
    let down = "--no-admin --trusted-access off --role delete --delete-sync all --admin-profile 222222222222";
    for (start, line) in [(false, TARGET), (true, down)] {
        let begin = async || {
            let organization = organization();
            if start {
                run(&organization, &format!("apply {TARGET} --yes")).await;
            }
            organization.forget_calls();
            organization
        };
        let calm = begin().await;
        assert_eq!(run(&calm, &format!("apply {line} --yes")).await.err, "");
        let calls = calm.calls().len();
        for nth in 1..=calls {
            let organization = begin().await;
            organization.die(nth);
            let killed = run(&organization, &format!("apply {line} --yes")).await;
            assert_ne!(killed.err, "", "{line}, call {nth}");
            organization.live();
            let again = run(&organization, &format!("apply {line} --yes")).await;
            assert_eq!(again.err, "", "{line}, call {nth}");
            let (ends, calm) = (organization.snapshot().without_dates(), calm.snapshot().without_dates());
            assert_eq!(ends, calm, "{line}, call {nth}");
        }
    }
}

#[tokio::test]
async fn a_rival_between_two_steps_is_noticed_and_left_alone() {
    for line in ["onboard --admin 222222222222".to_owned(), format!("apply {TARGET} --yes")] {
        let organization = organization();
        organization.before(Operation::EnableAwsServiceAccess, 1, |organization| {
            organization.trust(&ServicePrincipal::SYSTEMS_MANAGER);
            organization.delegate(id(OTHER));
        });
        run(&organization, &line).await.fails_with_any(&[OTHER]);
        assert_eq!(organization.administrators(), [id(OTHER)], "{line}");
        assert_eq!(organization.count(Operation::DeregisterDelegatedAdministrator), 0, "{line}");
    }
}

#[tokio::test]
async fn planning_costs_the_reads_of_an_observation_and_one_of_each_named_thing() {
    let organization = organization();
    run(&organization, &format!("plan {TARGET} --region eu-central-1,us-east-1")).await;
    for (operation, count) in [
        (Operation::DescribeOrganization, 1),
        (Operation::ListAwsServiceAccessForOrganization, 1),
        (Operation::ListDelegatedAdministrators, 1),
        (Operation::ListResourceDataSync, 2),
        (Operation::GetRole, 1),
    ] {
        assert_eq!(organization.count(operation), count, "{operation}");
    }
    assert_eq!(organization.writes(), 0);
}
