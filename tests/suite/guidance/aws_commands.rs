//! Tests of the command lines, and of their parsing by a shell and the AWS CLI with hostile names.
#![cfg(feature = "sim")]

use ssm_organizations::domain::{OrganizationalUnitId, RoleName};
use ssm_organizations::guidance::AwsCommand;
use ssm_organizations::ports::{OrganizationalUnits, SourceRegions, SyncDefinition, SyncSource};
use ssm_organizations::{ServicePrincipal, SyncName};

use crate::common::{alice, region};

fn sync(name: &str, source: SyncSource) -> SyncDefinition {
    let regions = SourceRegions::new([region("us-east-1"), region("eu-central-1")]).unwrap();
    SyncDefinition::new(SyncName::new(name).unwrap(), source, regions)
}

#[test]
fn aws_command_with_address_like_name_prints_it_whole() {
    let command =
        AwsCommand::delete_resource_data_sync(&SyncName::new("me@example.com").unwrap(), &region("us-east-1"));
    assert!(command.arguments().contains(&"me@example.com".to_owned()));
    let shown =
        "aws ssm delete-resource-data-sync --sync-name me@example.com --sync-type SyncFromSource --region us-east-1";
    assert_eq!(command.to_string(), shown);
    assert_eq!(format!("{command:?}"), format!("AwsCommand({shown})"));
}

#[test]
fn aws_command_of_each_write_prints_the_cli_call() {
    let ssm = &ServicePrincipal::SYSTEMS_MANAGER;
    let home = &region("eu-central-1");
    let units: Vec<OrganizationalUnitId> =
        ["ou-ab12-11111111", "ou-ab12-22222222"].map(|unit| unit.parse().unwrap()).into();
    let of_units = SyncSource::OrganizationalUnits(OrganizationalUnits::new(units).unwrap());
    let whole = sync("all accounts", SyncSource::EntireOrganization).including_future_regions();
    let some = sync("some", of_units).enabling_all_ops_data_sources();
    let own = sync("own", SyncSource::SingleAccount);
    let lines = [
        AwsCommand::enable_aws_service_access(ssm),
        AwsCommand::disable_aws_service_access(ssm),
        AwsCommand::register_delegated_administrator(alice(), ssm),
        AwsCommand::deregister_delegated_administrator(alice(), ssm),
        AwsCommand::create_resource_data_sync(&whole, home),
        AwsCommand::update_resource_data_sync(&some, home),
        AwsCommand::create_resource_data_sync(&own, home),
        AwsCommand::delete_resource_data_sync(whole.name(), home),
        AwsCommand::create_service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY),
        AwsCommand::delete_service_linked_role(&RoleName::ACCOUNT_DISCOVERY),
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
fn aws_command_with_hostile_name_prints_printable_ascii() {
    for name in HOSTILE {
        let line = AwsCommand::delete_resource_data_sync(&SyncName::new(name).unwrap(), &region("eu-central-1"));
        assert!(line.to_string().bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line}");
    }
}

/// Asserts that such names are passed as values. The AWS CLI loads values with these prefixes from
/// a file or the network, and parses a leading dash as an option.
#[test]
fn aws_command_with_option_like_name_passes_it_as_value() {
    for name in ["file:///etc/passwd", "fileb://x", "http://169.254.169.254/", "https://x", "two\nlines", "é"] {
        let line = AwsCommand::delete_resource_data_sync(&SyncName::new(name).unwrap(), &region("eu-central-1"));
        let [aws, ssm, command, option, json, ..] = line.arguments() else { panic!("{line}") };
        assert_eq!([aws, ssm, command, option], ["aws", "ssm", "delete-resource-data-sync", "--cli-input-json"]);
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(json, serde_json::json!({"SyncName": name, "SyncType": "SyncFromSource"}));
    }
    for name in ["-x", "--region", "-"] {
        let line = AwsCommand::delete_resource_data_sync(&SyncName::new(name).unwrap(), &region("eu-central-1"));
        assert!(line.arguments().contains(&format!("--sync-name={name}")), "{line}");
    }
}

#[cfg(unix)]
#[test]
fn aws_command_with_hostile_name_survives_the_shell() {
    for name in HOSTILE {
        let definition = sync(name, SyncSource::EntireOrganization);
        let line = AwsCommand::create_resource_data_sync(&definition, &region("eu-central-1"));
        let script = format!("printf '%s\\n' {line}");
        let shell = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        let arguments = String::from_utf8(shell.stdout).unwrap();
        assert_eq!(arguments.lines().collect::<Vec<_>>(), line.arguments(), "{line}");
    }
}
