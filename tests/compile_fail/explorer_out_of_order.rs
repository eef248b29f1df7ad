use ssm_organizations::ports::SyncDefinition;
use ssm_organizations::state::{Delegated, Disabled, TrustedAccess, Unobserved};
use ssm_organizations::{AccountId, ExplorerSetup, SyncMigration, Integration, Region, SyncProtection, sim};

type Handle<S> = Integration<S, sim::SimClient>;

async fn set_up_twice(handle: Handle<TrustedAccess>, explorer: &ExplorerSetup<'_>) {
    let _ = handle.set_up_explorer(explorer).await;
}

async fn take_down_under_an_administrator(handle: Handle<Delegated>, explorer: &ExplorerSetup<'_>) {
    let _ = handle.tear_down_explorer(explorer, SyncProtection::AllowLoss).await;
}

async fn replace_nobody(handle: Handle<TrustedAccess>, account: AccountId, handover: SyncMigration<'_>) {
    let _ = handle.replace(account, handover).await;
}

async fn syncs_unobserved(mut handle: Handle<Unobserved>, client: &sim::SimClient) {
    let _ = handle.data_syncs(client).await;
}

async fn sync_without_trust(mut handle: Handle<Disabled>, client: &sim::SimClient, sync: &SyncDefinition, at: &[Region]) {
    let Ok(mut syncs) = handle.data_syncs(client).await else { return };
    let _ = syncs.ensure(sync, at).await;
}

async fn delete_the_role_under_trust(mut handle: Handle<TrustedAccess>, client: &sim::SimClient) {
    let _ = handle.account_discovery_role(client).delete(SyncProtection::AllowLoss).await;
}

async fn move_on_under_a_borrow(mut handle: Handle<TrustedAccess>, client: &sim::SimClient, at: &[Region]) {
    let Ok(syncs) = handle.data_syncs(client).await else { return };
    let _ = handle.disable(SyncProtection::AllowLoss).await;
    let _ = syncs.list(at).await;
}

fn main() {}
