#![deny(unused_must_use)]

use ssm_organizations::state::Delegated;
use ssm_organizations::{AccountId, Error, Integration, Region, SyncMigration, SyncName, SyncProtection, sim};

type Handle = Integration<Delegated, sim::SimClient>;

async fn replace(handle: Handle, account: AccountId) -> Result<(), Error> {
    handle.replace(account, SyncMigration::Discard(SyncProtection::AllowLoss)).await?;
    Ok(())
}

async fn delete(mut handle: Handle, client: sim::SimClient, name: SyncName, regions: &[Region]) -> Result<(), Error> {
    handle.data_syncs(&client).await?.delete(&name, regions).await?;
    Ok(())
}

async fn set_deadline(handle: Handle) {
    handle.with_deadline(std::time::Duration::from_secs(60));
}

fn main() {}
