//! `start STAGE` starts like a program that uses AWS, and ends after this stage.

use std::env;
use std::hint::black_box;

use anyhow::{Context as _, bail};
use aws_config::BehaviorVersion;
use ssm_organizations::aws::{AwsClient, shared_http_client};
use ssm_organizations::domain::RoleName;
use ssm_organizations::ports::{IamApi, OrganizationsApi, StsApi, SyncType, SystemsManagerApi};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let stage = env::args().nth(1).unwrap_or_default();
    if stage == "nothing" {
        return Ok(());
    }
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if stage.starts_with("shared-") {
        loader = loader.http_client(shared_http_client().context("no HTTP client")?);
    }
    let config = loader.load().await;
    match stage.trim_start_matches("shared-") {
        "config" => {}
        "sdk-client" => drop(black_box(aws_sdk_organizations::Client::new(&config))),
        "sdk-call" => {
            let client = aws_sdk_organizations::Client::new(&config);
            black_box(client.describe_organization().send().await?);
        }
        "sdk-clients" => {
            black_box(aws_sdk_organizations::Client::new(&config));
            black_box(aws_sdk_ssm::Client::new(&config));
            black_box(aws_sdk_iam::Client::new(&config));
            black_box(aws_sdk_sts::Client::new(&config));
        }
        "client" => drop(black_box(AwsClient::new(&config))),
        "call" => {
            let client = AwsClient::new(&config);
            black_box(client.describe_organization().await?);
        }
        "second-call" => {
            let client = AwsClient::new(&config);
            black_box(client.describe_organization().await?);
            black_box(client.describe_organization().await?);
        }
        "four-services" => {
            let client = AwsClient::new(&config);
            black_box(client.describe_organization().await?);
            black_box(client.get_caller_identity().await?);
            black_box(client.get_role(&RoleName::ACCOUNT_DISCOVERY).await?);
            let region = "us-east-1".parse()?;
            black_box(client.list_resource_data_sync(&region, SyncType::SyncFromSource, None).await?);
        }
        other => bail!("unknown stage {other}"),
    }
    Ok(())
}
