//! Onboards a simulated organization, with progress and a JSON report: `cargo run -p downstream`.

use std::sync::Arc;

use downstream::{Report, Tenant, onboard, progress};
use ssm_organizations::ports::{SourceRegions, SyncDefinition};
use ssm_organizations::{AccountId, Region, SyncName, sim};
use tokio::sync::mpsc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let account: AccountId = "222222222222".parse()?;
    let names = ["eu-central-1", "eu-west-1", "us-east-1"];
    let regions = names.into_iter().map(Region::new).collect::<Result<Vec<_>, _>>()?;
    let sources = SourceRegions::new(regions.clone())?;
    // On AWS: `aws::AwsClient::from_env()`, and `assume_role` or `from_profile`.
    let organization = sim::SimOrganization::builder().member(account).build();
    let tenant = Tenant {
        management: Arc::new(organization.management_client()),
        administrator: (account, Arc::new(organization.client(account))),
        sync: (SyncDefinition::of_organization(SyncName::new("all-accounts")?, sources), regions),
    };
    let (sender, mut lines) = mpsc::unbounded_channel();
    let printed = tokio::spawn(async move {
        while let Some(line) = lines.recv().await {
            println!("{line}");
        }
    });
    let recorder = progress(sender);
    let report = Report::new(onboard(&tenant, &recorder).await, &recorder);
    drop(recorder);
    printed.await?;
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}
