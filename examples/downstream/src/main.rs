//! Onboards a simulated organization, with progress and a JSON report: `cargo run -p downstream`.

use std::sync::Arc;

use downstream::{Report, Tenant, onboard, progress};
use ssm_organizations::ports::{SourceRegions, SyncDefinition};
use ssm_organizations::{AccountId, Region, SyncName, sim};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let account: AccountId = "222222222222".parse()?;
    let regions =
        ["eu-central-1", "eu-west-1", "us-east-1"].map(Region::new).into_iter().collect::<Result<Vec<_>, _>>()?;
    let sources = SourceRegions::new(regions.clone())?;
    // On AWS: `aws::AwsClient::from_env()`, and `assume_role` or `from_profile`.
    let organization = sim::SimOrganization::builder().member(account).build();
    let tenant = Tenant {
        management: Arc::new(organization.management_client()),
        administrator: (account, Arc::new(organization.client(account))),
        sync: (SyncDefinition::of_organization(SyncName::new("all-accounts")?, sources), regions),
    };
    let recorder = progress(|line| println!("{line}"));
    let report = Report::new(onboard(&tenant, &recorder).await, &recorder);
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}
