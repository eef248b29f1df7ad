//! Replaces the delegated administrator and migrates its data syncs, also after an interruption.
//!
//! `cargo run --example replace_administrator`

use ssm_organizations::ports::{Client, Operation, SourceRegions, SyncDefinition};
use ssm_organizations::state::{Delegated, Unobserved};
use ssm_organizations::{
    AccountId, ChangeKind, Error, ExplorerSetup, Integration, Recovered, Region, SyncMigration, SyncName, sim,
};

/// Makes `new` the administrator. `from` and `to` are clients of the old and the new account.
async fn replace<C: Client>(
    delegated: Integration<Delegated, C>,
    (from, to): (&impl Client, &impl Client),
    new: AccountId,
    regions: &[Region],
) -> Result<Integration<Delegated, C>, Error> {
    // AWS deletes the syncs of an account that it deregisters, so they are listed before.
    let failure = match delegated.replace(new, SyncMigration::Migrate { from, to, regions }).await {
        Ok(replacement) => {
            // Syncs that could not be created in the new account: try these definitions later.
            for (region, definition) in &replacement.failed {
                println!("{} in {region} failed", definition.name());
            }
            return Ok(replacement.into_result()?);
        }
        Err(failure) => failure,
    };
    match failure.into_parts() {
        (error, Recovered::Unchanged(_)) => Err(error),
        (error, recovered) => {
            println!("interrupted: {error}");
            complete(recovered.into_unobserved(), to, new).await
        }
    }
}

/// Registers the new account, and creates the syncs that AWS deleted with the old one.
async fn complete<C: Client>(
    handle: Integration<Unobserved, C>,
    to: &impl Client,
    new: AccountId,
) -> Result<Integration<Delegated, C>, Error> {
    let mut delegated = handle.ensure_delegated(new).await?;
    // The changes contain the syncs as they were before.
    let deleted = delegated.changes().iter().filter_map(|change| match &change.kind {
        ChangeKind::AdministratorDeregistered { syncs, .. } => Some(syncs.recorded().to_vec()),
        _ => None,
    });
    let deleted: Vec<_> = deleted.flatten().collect();
    let mut syncs = delegated.data_syncs(to).await?;
    for (id, sync) in deleted {
        if let Some(definition) = sync.definition() {
            syncs.ensure(&definition, &[id.region]).await?.into_result()?;
        }
    }
    Ok(delegated)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (old, new): (AccountId, AccountId) = ("222222222222".parse()?, "333333333333".parse()?);
    // On AWS: `aws::AwsClient::from_env()` and `from_profile(name)` or `assume_role(arn)`.
    let organization = sim::SimOrganization::builder().member(old).member(new).build();
    let (management, from, to) = (organization.management_client(), organization.client(old), organization.client(new));

    let home = [Region::new("eu-central-1")?];
    let sync = SyncDefinition::of_organization(SyncName::new("all-accounts")?, SourceRegions::new(home.clone())?);
    let explorer = ExplorerSetup::new().with_role(&management).with_sync(&from, &sync, &home);
    let mut delegated = Integration::new(&management).ensure_delegated(old).await?;
    delegated.ensure_explorer(&explorer).await?;

    organization.inject_fault(Operation::RegisterDelegatedAdministrator, 1, sim::Fault::refused("ServiceException"));
    let delegated = replace(delegated, (&from, &to), new, &home).await?;
    println!("{delegated}");
    for change in delegated.changes() {
        println!("  {change}");
    }
    Ok(())
}
