//! Replaces the delegated administrator and migrates its data syncs.
//!
//! `cargo run --example replace_administrator`

use ssm_organizations::ports::{SourceRegions, SyncDefinition};
use ssm_organizations::{
    AccountId, Error, ExplorerSetup, Integration, Recovered, Region, SyncMigration, SyncName, sim,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (old, new): (AccountId, AccountId) = ("222222222222".parse()?, "333333333333".parse()?);
    // On AWS: `aws::AwsClient::from_env()` and `from_profile(name)` or `assume_role(arn)`.
    let organization = sim::SimOrganization::builder().member(old).member(new).build();
    let management = organization.management_client();
    let (from, to) = (organization.client(old), organization.client(new));

    let home = [Region::new("eu-central-1")?];
    let sync = SyncDefinition::of_organization(SyncName::new("all-accounts")?, SourceRegions::new(home.clone())?);
    let explorer = ExplorerSetup::new().with_role(&management).with_sync(&from, &sync, &home);
    let mut delegated = Integration::new(&management).observe().await?.ensure_delegated(old).await?;
    delegated.ensure_explorer(&explorer).await?;

    // AWS deletes the syncs of an account that it deregisters, so they are listed before.
    let migration = SyncMigration::Migrate { from: &from, to: &to, regions: &home };
    let replacement = match delegated.replace(new, migration).await {
        Ok(replacement) => replacement,
        Err(failure) => {
            match failure.into_parts() {
                (error, Recovered::Unchanged(delegated)) => println!("{delegated}: {error}"),
                // The changes contain the definitions of the deleted syncs.
                (error, recovered) => println!("{error}; changes: {:?}", recovered.changes()),
            }
            return Ok(());
        }
    };
    for (id, result) in &replacement.migrated {
        println!("{id}: {}", result.as_ref().map_or_else(ToString::to_string, |_| "migrated".to_owned()));
    }
    // Syncs that could not be created again: try these definitions later.
    for (region, definition) in &replacement.failed {
        println!("{} in {region} failed", definition.name());
    }
    let delegated = replacement.into_result()?;
    println!("{delegated}");
    for change in delegated.changes() {
        println!("  {change}");
    }
    Ok(())
}
