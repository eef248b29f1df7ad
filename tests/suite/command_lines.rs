//! The command lines: what a person would type, and what a shell and the `aws` program make of a name that means harm.
#![cfg(feature = "sim")]

use ssm_organizations::ports::{OrganizationalUnits, SourceRegions, SyncDefinition, SyncSource};
use ssm_organizations::{CommandLine, OrganizationalUnitId, RoleName, ServicePrincipal, SyncName};

use crate::common::{alice, region};

fn sync(name: &str, source: SyncSource) -> SyncDefinition {
    let regions = SourceRegions::new([region("us-east-1"), region("eu-central-1")]).unwrap();
    SyncDefinition::new(SyncName::new(name).unwrap(), source, regions)
}

/// What is handed to a process is whole; what is shown is not.
#[test]
fn a_name_like_an_address_is_in_the_arguments_alone() {
    let command =
        CommandLine::delete_resource_data_sync(&SyncName::new("me@example.com").unwrap(), &region("us-east-1"));
    assert!(command.arguments().contains(&"me@example.com".to_owned()));
    let shown = "aws ssm delete-resource-data-sync --sync-name '[e-mail address]' --sync-type SyncFromSource --region us-east-1";
    assert_eq!(command.to_string(), shown);
    assert_eq!(format!("{command:?}"), format!("CommandLine({shown})"));
}

#[test]
fn each_write_is_what_a_person_would_type() {
    let ssm = &ServicePrincipal::SYSTEMS_MANAGER;
    let home = &region("eu-central-1");
    let units: Vec<OrganizationalUnitId> =
        ["ou-ab12-11111111", "ou-ab12-22222222"].map(|unit| unit.parse().unwrap()).into();
    let of_units = SyncSource::OrganizationalUnits(OrganizationalUnits::new(units).unwrap());
    let whole = sync("all accounts", SyncSource::EntireOrganization).including_future_regions();
    let some = sync("some", of_units).enabling_all_ops_data_sources();
    let own = sync("own", SyncSource::SingleAccount);
    let lines = [
        CommandLine::enable_aws_service_access(ssm),
        CommandLine::disable_aws_service_access(ssm),
        CommandLine::register_delegated_administrator(alice(), ssm),
        CommandLine::deregister_delegated_administrator(alice(), ssm),
        CommandLine::create_resource_data_sync(&whole, home),
        CommandLine::update_resource_data_sync(&some, home),
        CommandLine::create_resource_data_sync(&own, home),
        CommandLine::delete_resource_data_sync(whole.name(), home),
        CommandLine::create_service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY),
        CommandLine::delete_service_linked_role(&RoleName::ACCOUNT_DISCOVERY),
    ];
    let expected = [
        "aws organizations enable-aws-service-access --service-principal ssm.amazonaws.com",
        "aws organizations disable-aws-service-access --service-principal ssm.amazonaws.com",
        "aws organizations register-delegated-administrator --account-id 222222222222 --service-principal ssm.amazonaws.com",
        "aws organizations deregister-delegated-administrator --account-id 222222222222 --service-principal ssm.amazonaws.com",
        r#"aws ssm create-resource-data-sync --sync-name 'all accounts' --sync-type SyncFromSource --sync-source '{"SourceType":"AwsOrganizations","AwsOrganizationsSource":{"OrganizationSourceType":"EntireOrganization"},"SourceRegions":["eu-central-1","us-east-1"],"IncludeFutureRegions":true,"EnableAllOpsDataSources":false}' --region eu-central-1"#,
        r#"aws ssm update-resource-data-sync --sync-name some --sync-type SyncFromSource --sync-source '{"SourceType":"AwsOrganizations","AwsOrganizationsSource":{"OrganizationSourceType":"OrganizationalUnits","OrganizationalUnits":[{"OrganizationalUnitId":"ou-ab12-11111111"},{"OrganizationalUnitId":"ou-ab12-22222222"}]},"SourceRegions":["eu-central-1","us-east-1"],"IncludeFutureRegions":false,"EnableAllOpsDataSources":true}' --region eu-central-1"#,
        r#"aws ssm create-resource-data-sync --sync-name own --sync-type SyncFromSource --sync-source '{"SourceType":"SingleAccountMultiRegions","SourceRegions":["eu-central-1","us-east-1"],"IncludeFutureRegions":false,"EnableAllOpsDataSources":false}' --region eu-central-1"#,
        "aws ssm delete-resource-data-sync --sync-name 'all accounts' --sync-type SyncFromSource --region eu-central-1",
        "aws iam create-service-linked-role --aws-service-name accountdiscovery.ssm.amazonaws.com",
        "aws iam delete-service-linked-role --role-name AWSServiceRoleForAmazonSSM_AccountDiscovery",
    ];
    assert_eq!(lines.map(|line| line.to_string()), expected);
}

const HOSTILE: [&str; 16] = [
    "'; rm -rf ~; '",
    "$(id)",
    "`id`",
    "\"quoted\"",
    "back\\slash",
    "-x",
    "--region",
    "=",
    "#",
    "!!",
    "*",
    "~",
    "two\nlines",
    "\u{1b}[2J",
    "\u{202e}gnp.exe",
    "nul\u{0}",
];

#[test]
fn a_line_is_one_line_that_no_terminal_obeys() {
    for name in HOSTILE {
        let line = CommandLine::delete_resource_data_sync(&SyncName::new(name).unwrap(), &region("eu-central-1"));
        assert!(line.to_string().bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line}");
    }
}

/// The `aws` program loads such values from a file, or over the network, and takes what begins like an option for one.
#[test]
fn the_program_reads_a_name_as_a_name() {
    for name in ["file:///etc/passwd", "fileb://x", "http://169.254.169.254/", "https://x", "two\nlines", "é"] {
        let line = CommandLine::delete_resource_data_sync(&SyncName::new(name).unwrap(), &region("eu-central-1"));
        let [aws, ssm, command, option, json, ..] = line.arguments() else { panic!("{line}") };
        assert_eq!([aws, ssm, command, option], ["aws", "ssm", "delete-resource-data-sync", "--cli-input-json"]);
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(json, serde_json::json!({"SyncName": name, "SyncType": "SyncFromSource"}));
    }
    for name in ["-x", "--region", "-"] {
        let line = CommandLine::delete_resource_data_sync(&SyncName::new(name).unwrap(), &region("eu-central-1"));
        assert!(line.arguments().contains(&format!("--sync-name={name}")), "{line}");
    }
}

#[cfg(unix)]
#[test]
fn a_shell_takes_the_line_apart_into_the_arguments() {
    for name in HOSTILE {
        let definition = sync(name, SyncSource::EntireOrganization);
        let line = CommandLine::create_resource_data_sync(&definition, &region("eu-central-1"));
        let script = format!("printf '%s\\n' {line}");
        let shell = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        let arguments = String::from_utf8(shell.stdout).unwrap();
        assert_eq!(arguments.lines().collect::<Vec<_>>(), line.arguments(), "{line}");
    }
}
