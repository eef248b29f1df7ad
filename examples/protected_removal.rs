//! Removes Systems Manager from an organization, unless data syncs would be lost.
//!
//! `cargo run --example protected_removal`

use ssm_organizations::ports::{Client, SourceRegions, SyncDefinition, SystemsManagerClient};
use ssm_organizations::{AccountId, Error, ErrorKind, ExplorerSetup, Integration, Region, SyncName};
use ssm_organizations::{SyncProtection, sim};

/// Disables the integration. Returns the data syncs that prevent the removal.
async fn remove(
    management: &impl Client,
    administrator: &impl Client,
    regions: &[Region],
) -> Result<Vec<String>, Error> {
    // Only these accounts and Regions are checked: name every Region that may have data syncs.
    let clients: [&dyn SystemsManagerClient; 2] = [management, administrator];
    let protect = SyncProtection::Protect { clients: &clients, regions };
    let observed = Integration::new(management).observe().await?;
    let error: Error = match observed.ensure_disabled(protect).await {
        Ok(disabled) => {
            println!("{disabled}: {} changes", disabled.changes().len());
            return Ok(Vec::new());
        }
        Err(failure) => failure.into(),
    };
    match error.kind() {
        ErrorKind::DataSyncsExist { syncs, .. } => Ok(syncs.iter().map(ToString::to_string).collect()),
        _ => Err(error),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let account: AccountId = "222222222222".parse()?;
    // On AWS: `aws::AwsClient::from_env()` and `from_profile(name)` or `assume_role(arn)`.
    let organization = sim::SimOrganization::builder().member(account).build();
    let (management, administrator) = (organization.management_client(), organization.client(account));

    let home = [Region::new("eu-central-1")?];
    let sync = SyncDefinition::of_organization(SyncName::new("all-accounts")?, SourceRegions::new(home.clone())?);
    let explorer = ExplorerSetup::new().with_role(&management).with_sync(&administrator, &sync, &home);
    let mut delegated = Integration::new(&management).observe().await?.ensure_delegated(account).await?;
    delegated.ensure_explorer(&explorer).await?;

    let blocking = remove(&management, &administrator, &home).await?;
    println!("not removed, because of: {}", blocking.join(", "));

    let mut syncs = delegated.data_syncs(&administrator).await?;
    syncs.delete(sync.name(), &home).await?.into_result()?;
    let blocking = remove(&management, &administrator, &home).await?;
    println!("data syncs in the way: {}", blocking.len());
    Ok(())
}
