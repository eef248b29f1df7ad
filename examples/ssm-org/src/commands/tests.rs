//! The commands on an organization in memory. A profile is named after the account that it has credentials of.

use std::time::Duration;

use clap::Parser;
use ssm_organizations::ports::{AccountState, Client, DataSync, Operation, SyncSourceType};
use ssm_organizations::{AccountId, Region, RoleName, ServicePrincipal, SyncName, sim};

use super::{Scene, carry_out};
use crate::advice;
use crate::cli::Cli;
use crate::report::Complaint;

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

const ONBOARDED: &str = "done: trusted access for ssm.amazonaws.com enabled\n\
                         done: account 222222222222 registered as delegated administrator of ssm.amazonaws.com\n";
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

/// Runs a command line as the management account, in `eu-central-1` unless it names Regions.
async fn run(organization: &sim::Organization, line: &str) -> Run {
    run_as(&organization.management_client(), organization, line).await
}

async fn run_as(caller: &dyn Client, organization: &sim::Organization, line: &str) -> Run {
    let cli = Cli::try_parse_from(["ssm-org"].into_iter().chain(line.split(' '))).unwrap();
    let mut regions = cli.connection.regions.clone();
    if regions.is_empty() {
        regions.push(region("eu-central-1"));
    }
    let (administrator, successor) = cli.command.other_profiles();
    let client = |profile: &String| organization.client(id(profile));
    let (administrator, successor) = (administrator.map(client), successor.map(client));
    let scene = Scene {
        management: caller,
        administrator: administrator.as_ref().map(|client| client as &dyn Client),
        successor: successor.as_ref().map(|client| client as &dyn Client),
        regions: &regions,
    };
    let outcome = carry_out(&cli.command, scene).await.unwrap();
    let mut err = String::new();
    for complaint in &outcome.complaints {
        err.push_str(&complaint.to_string());
        if let Complaint::Error(error) = complaint {
            err.extend(advice::on(error, &cli.command));
        }
    }
    Run { out: outcome.lines, err }
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
        "{ONBOARDED}\
         done: {ROLE} created\n\
         done: data sync \"all\" of account 111111111111 in eu-central-1 created\n\
         done: data sync \"all\" of account 111111111111 in us-east-1 created\n\
         {DELEGATED}"
    ));
    let made = organization.data_syncs(id(MANAGEMENT), &region("us-east-1"));
    assert_eq!(made[0].regions, [region("eu-central-1"), region("us-east-1")]);
    assert_eq!((made[0].future_regions, made[0].all_ops_data_sources), (Some(false), Some(false)));

    organization.forget_calls();
    run(&organization, onboard).await.succeeds_with(&format!(
        "nothing to do\n\
         kept: {ROLE}\n\
         kept: data sync \"all\" of account 111111111111 in eu-central-1, healthy\n\
         kept: data sync \"all\" of account 111111111111 in us-east-1, healthy\n\
         {DELEGATED}"
    ));
    assert_eq!(organization.writes(), 0);

    let regions = "--region eu-central-1,us-east-1";
    let offboard = format!("offboard --delete-sync all --role --admin-profile 222222222222 {regions}");
    let looked = "  data syncs: none seen of account 111111111111 in eu-central-1, us-east-1, \
                  of account 222222222222 in eu-central-1, us-east-1\n";
    run(&organization, &offboard).await.succeeds_with(&format!(
        "done: data sync \"all\" of account 111111111111 in eu-central-1 deleted\n\
         done: data sync \"all\" of account 111111111111 in us-east-1 deleted\n\
         done: account 222222222222 deregistered as delegated administrator of ssm.amazonaws.com\n\
         {looked}\
         done: trusted access for ssm.amazonaws.com disabled\n\
         {looked}\
         done: {ROLE} deleted\n\
         absent: data sync \"all\" of account 222222222222 in eu-central-1\n\
         absent: data sync \"all\" of account 222222222222 in us-east-1\n\
         {DISABLED}"
    ));
    assert!(!has_role(&organization));

    organization.forget_calls();
    let again = run(&organization, &offboard).await;
    assert_eq!(again.err, "");
    assert!(again.out.starts_with("nothing to do\n"), "{}", again.out);
    assert!(again.out.ends_with(&format!("absent: {ROLE}\n{DISABLED}")), "{}", again.out);
    assert_eq!(organization.writes(), 0);
}

#[tokio::test]
async fn the_administrator_can_have_the_sync_and_it_is_changed_in_place() {
    let organization = organization();
    let profile = "--admin-profile 222222222222";
    let first = format!("onboard --admin 222222222222 --role --sync units --sync-ou {UNIT} {profile}");
    run(&organization, &first).await.succeeds_with(&format!(
        "{ONBOARDED}\
         done: {ROLE} created\n\
         done: data sync \"units\" of account 222222222222 in eu-central-1 created\n\
         {DELEGATED}"
    ));
    assert_eq!(syncs(&organization, MANAGEMENT), Vec::<String>::new());

    let more = format!("{first} --source-region eu-west-1,us-east-1 --future-regions --enable-all-ops-data-sources");
    run(&organization, &more).await.succeeds_with(&format!(
        "done: data sync \"units\" of account 222222222222 in eu-central-1 updated\n\
         kept: {ROLE}\n\
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
        &format!(
            "{ONBOARDED}\
             done: {ROLE} created\n\
             done: data sync \"all\" of account 222222222222 in eu-central-1 created\n\
             failed: data sync \"all\" of account 222222222222 in af-south-1\n\
             {DELEGATED}"
        ),
        &["CreateResourceDataSync in af-south-1 as 222222222222", "without --admin-profile"],
    );

    run(&organization, &onboard).await;
    organization.fault(Operation::DeleteResourceDataSync, 1, sim::Fault::refused("AccessDeniedException"));
    let offboard = format!("offboard --delete-sync all --delete-role --admin-profile 222222222222 {regions}");
    run(&organization, &offboard).await.fails_with(
        &format!(
            "done: data sync \"all\" of account 111111111111 in eu-central-1 deleted\n\
             done: data sync \"all\" of account 222222222222 in eu-central-1 deleted\n\
             failed: data sync \"all\" of account 111111111111 in af-south-1\n\
             absent: data sync \"all\" of account 222222222222 in af-south-1\n\
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
    run(&organization, "onboard --admin 222222222222 --sync all").await.fails_with(
        &format!("{ONBOARDED}failed: data sync \"all\" of account 111111111111 in eu-central-1\n{DELEGATED}"),
        &["ResourceDataSyncInvalidConfigurationException", "--role makes it"],
    );
    // Right after enabling it may be late, so it is tried for as long as patience lasts.
    let tried = organization.count(Operation::CreateResourceDataSync);
    assert!(tried > 1);
    organization.fault(Operation::CreateServiceLinkedRole, 1, sim::Fault::refused("AccessDenied"));
    run(&organization, "onboard --admin 222222222222 --sync all --role")
        .await
        .fails_with(&format!("nothing was changed\nfailed: {ROLE}\n{DELEGATED}"), &["iam:CreateServiceLinkedRole"]);
    assert_eq!(organization.count(Operation::CreateResourceDataSync), tried, "a sync before its role was not tried");
}

/// From every state, with syncs of both accounts and the role, in one run or in two.
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
        assert_eq!(syncs(&organization, MANAGEMENT), ["units"], "{start}");
        assert_eq!(syncs(&organization, ADMIN), ["units"], "{start}");
        assert!(has_role(&organization), "{start}");

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
        &format!("nothing was changed\nfailed: {ROLE}\n{DISABLED}"),
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
        run_as(&member, &organization, line).await.fails_with("", &["as 333333333333"]);
        // The administrator of any service may look.
        organization.delegate(id(OTHER));
        run_as(&member, &organization, line).await.fails_with("", &["management account 111111111111", OTHER]);
        organization.undelegate(id(OTHER));
    }
    organization.delegate(id(ADMIN));
    for line in [
        "onboard --admin 222222222222 --sync all --admin-profile 333333333333",
        "offboard --delete-sync all --admin-profile 333333333333",
    ] {
        run(&organization, line).await.fails_with("", &["--admin-profile has credentials of account 333333333333"]);
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
        &["CreateResourceDataSync in eu-central-1 as 222222222222"],
    );
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
    let role = "role:               unknown: it takes credentials of the management account 111111111111, and these are of 222222222222\n";
    assert!(status.out.contains(role), "{}", status.out);
    assert!(status.out.contains("account 111111111111: unknown: no credentials of that account (--profile)"));
    assert_eq!(organization.writes(), 0);
}
