use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use ssm_organizations::Region;
use ssm_organizations::ports::SyncSource;

use super::{Cli, Command, RemovalOptions};

fn parse(line: &str) -> Result<Cli, ErrorKind> {
    Cli::try_parse_from(line.split(' ')).map_err(|error| error.kind())
}

#[test]
fn command_definition_passes_clap_checks() {
    Cli::command().debug_assert();
}

#[test]
fn region_option_accepts_lists_and_repetition() {
    for line in [
        "ssm-org status --region eu-central-1,us-east-1 --region eu-west-1",
        "ssm-org --region eu-central-1 --region us-east-1,eu-west-1 status",
    ] {
        let cli = parse(line).unwrap();
        let regions: Vec<_> = cli.connection.regions.iter().map(AsRef::as_ref).collect();
        assert_eq!(regions, ["eu-central-1", "us-east-1", "eu-west-1"], "{line}");
    }
    assert!(parse("ssm-org status").unwrap().connection.regions.is_empty());
}

#[test]
fn endpoint_option_requires_absolute_url() {
    for sound in ["http://127.0.0.1:5000", "http://[::1]:5000", "https://localhost", "https://example.com/prefix"] {
        let cli = parse(&format!("ssm-org status --endpoint-url {sound}")).unwrap();
        assert_eq!(cli.connection.endpoint_url.as_deref(), Some(sound));
    }
    for malformed in
        ["localhost:5000", "/path", "ftp://localhost", "http://", "http://host:port", "http://host:99999", "x"]
    {
        let refusal = parse(&format!("ssm-org status --endpoint-url {malformed}")).unwrap_err();
        assert_eq!(refusal, ErrorKind::ValueValidation, "{malformed}");
    }
}

#[test]
fn malformed_values_are_rejected() {
    for line in [
        "ssm-org onboard --admin 22222222222",
        "ssm-org onboard --admin 22222222222x",
        "ssm-org onboard --admin admin@example.com",
        "ssm-org status --region EU_central",
        "ssm-org status --region eu-central-1,,us-east-1",
        "ssm-org onboard --admin 222222222222 --sync all --sync-ou r-root",
        "ssm-org onboard --admin 222222222222 --sync AWS-QuickSetup-all",
        "ssm-org offboard --delete-sync InspectorResourceDataSync-do-not-delete",
    ] {
        assert_eq!(parse(line).unwrap_err(), ErrorKind::ValueValidation, "{line}");
    }
}

#[test]
fn allow_sync_loss_conflicts_with_the_check() {
    for (line, sound) in [
        ("ssm-org offboard --allow-sync-loss --admin-profile administrator", false),
        ("ssm-org offboard --allow-sync-loss --admin-profile administrator --delete-sync all", true),
        ("ssm-org offboard --allow-sync-loss --delete-role", true),
    ] {
        assert_eq!(parse(line).unwrap().check().is_ok(), sound, "{line}");
    }
    let replace = "ssm-org replace --admin 333333333333 --allow-sync-loss";
    for (profiles, sound) in [
        ("", true),
        (" --admin-profile old", false),
        (" --new-admin-profile new", false),
        (" --admin-profile old --new-admin-profile new", true),
    ] {
        assert_eq!(parse(&format!("{replace}{profiles}")).unwrap().check().is_ok(), sound, "{profiles}");
    }
}

#[test]
fn simulate_conflicts_with_endpoint_and_profile() {
    for (line, sound) in [
        ("ssm-org --simulate o.json status", true),
        ("ssm-org --simulate o.json status --profile management", false),
        ("ssm-org --endpoint-url http://127.0.0.1:5000 status --simulate o.json", false),
    ] {
        assert_eq!(parse(line).unwrap().check().is_ok(), sound, "{line}");
    }
}

#[test]
fn target_options_conflict_with_target_and_plan_files() {
    for line in [
        "ssm-org plan --admin 222222222222 --no-admin",
        "ssm-org plan --target target.toml --trusted-access on",
        "ssm-org plan --target target.toml --allow-sync-loss",
        "ssm-org apply plan.json --trusted-access on",
        "ssm-org apply plan.json --allow-sync-loss",
        "ssm-org policy plan.json --trusted-access on",
        "ssm-org policy plan.json --allow-sync-loss",
        "ssm-org policy plan.json --operation GetRole",
        "ssm-org policy --operation GetRole --trusted-access on",
    ] {
        let refusal = parse(line).and_then(|cli| cli.check().map_err(|error| error.kind())).unwrap_err();
        assert_eq!(refusal, ErrorKind::ArgumentConflict, "{line}");
    }
    assert_eq!(
        parse("ssm-org plan --companion ssm-quicksetup.amazonaws.com").unwrap_err(),
        ErrorKind::MissingRequiredArgument
    );
    let all = "ssm-org plan --trusted-access on --admin 222222222222 --companion ssm-quicksetup.amazonaws.com \
               --role --sync all --sync-owner administrator --sync-region eu-west-1 --delete-sync old \
               --admin-profile administrator";
    parse(all).unwrap().check().unwrap();
    assert!(parse("ssm-org plan --admin-profile administrator").unwrap().check().is_err(), "nothing is said");
}

#[test]
fn sync_options_require_sync() {
    for option in [
        "--sync-ou ou-root-exampleid",
        "--source-region eu-central-1",
        "--future-regions",
        "--sync-owner management",
        "--sync-region eu-central-1",
        "--recreate-sync",
        "--enable-all-ops-data-sources",
    ] {
        let line = format!("ssm-org onboard --admin 222222222222 {option}");
        assert_eq!(parse(&line).unwrap_err(), ErrorKind::MissingRequiredArgument, "{line}");
        assert!(parse(&format!("{line} --sync all")).is_ok(), "{line}");
    }
}

#[test]
fn sync_options_set_only_given_attributes() {
    let home = [Region::new("eu-central-1").unwrap(), Region::new("us-east-1").unwrap()];
    let sync = |options: &str| {
        let line = format!("ssm-org onboard --admin 222222222222{options}");
        let Command::Onboard(args) = parse(&line).unwrap().command else { panic!("another command") };
        args.sync.definition(&home).unwrap()
    };
    assert_eq!(sync(""), None);
    let plain = sync(" --sync all").unwrap();
    assert_eq!((plain.name().as_str(), plain.source()), ("all", &SyncSource::EntireOrganization));
    assert_eq!(plain.regions(), home);
    assert!(!plain.includes_future_regions() && !plain.enables_all_ops_data_sources());

    let full = sync(
        " --sync units --sync-ou ou-root-exampleid,ou-root-exampletoo --sync-ou ou-root-examplemore \
         --source-region eu-west-1 --source-region eu-west-2 --future-regions --enable-all-ops-data-sources",
    )
    .unwrap();
    let SyncSource::OrganizationalUnits(units) = full.source() else { panic!("the whole organization") };
    assert_eq!((units.as_slice().len(), full.regions().len()), (3, 2));
    assert!(full.includes_future_regions() && full.enables_all_ops_data_sources());
}

/// Each command that creates the role or a sync, or deletes one, uses the same options.
#[test]
fn options_have_one_spelling_across_commands() {
    for line in ["plan --trusted-access on", "apply --trusted-access on", "onboard --admin 222222222222"] {
        parse(&format!("ssm-org {line} --role --sync all --sync-owner management --recreate-sync")).unwrap();
    }
    for line in ["plan --no-admin", "apply --no-admin", "offboard"] {
        parse(&format!("ssm-org {line} --delete-role --delete-sync all --allow-sync-loss")).unwrap();
    }
    assert_eq!(parse("ssm-org offboard --role").unwrap_err(), ErrorKind::UnknownArgument);
    assert_eq!(parse("ssm-org plan --role --delete-role").unwrap_err(), ErrorKind::ArgumentConflict);
}

/// Credentials do not decide about the owner of a sync.
#[test]
fn sync_owner_and_credentials_must_agree() {
    let check = |line: &str| parse(line).unwrap().check().map_err(|error| error.to_string());
    let profile = "--admin-profile administrator";
    for line in ["plan", "apply", "policy", "onboard --admin 222222222222"] {
        let line = format!("ssm-org {line} --sync all --sync-owner administrator");
        let refusal = check(&line).unwrap_err();
        assert!(refusal.contains("--admin-profile takes its profile"), "{refusal}");
        check(&format!("{line} {profile}")).unwrap();
        // Credentials of every simulated account are available.
        check(&format!("{line} --simulate o.json")).unwrap();
    }
    for line in ["", " --sync all", " --sync all --sync-owner management"] {
        let line = format!("ssm-org onboard --admin 222222222222{line}");
        check(&line).unwrap();
        let refusal = check(&format!("{line} {profile}")).unwrap_err();
        assert!(refusal.contains("--admin-profile has no effect"), "{refusal}");
    }
}

#[test]
fn policy_scope_options_conflict_with_plan_or_target() {
    let narrowings = [
        "--organization o-exampleorgid --management 111111111111",
        "--for-administrator 222222222222",
        "--partition aws",
    ];
    for narrowing in narrowings {
        for order in ["plan.json", "--trusted-access on", "--target target.toml"] {
            let line = format!("ssm-org policy {order} {narrowing}");
            let refusal = parse(&line).unwrap().check().unwrap_err();
            assert_eq!(refusal.kind(), ErrorKind::ArgumentConflict, "{line}");
        }
        for order in ["", " --command status", " --operation GetRole"] {
            let line = format!("ssm-org policy{order} {narrowing}");
            parse(&line).unwrap().check().unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }
    let refusal = parse("ssm-org policy --administrator 222222222222").unwrap_err();
    assert_eq!(refusal, ErrorKind::UnknownArgument, "it reads like --admin");
    for idle in ["--admin-profile administrator", "--allow-sync-loss"] {
        assert!(parse(&format!("ssm-org policy --command plan {idle}")).unwrap().check().is_err(), "{idle}");
    }
}

#[test]
fn offboard_protects_syncs_and_role_by_default() {
    let Command::Offboard(offboard) = parse("ssm-org offboard").unwrap().command else { panic!("another command") };
    let RemovalOptions { delete_role, delete_syncs, loss } = offboard.removal;
    assert!(!loss.allow_sync_loss && !delete_role && delete_syncs.is_empty());
}
