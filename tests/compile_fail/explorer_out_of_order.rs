use ssm_organizations::ports::SyncDefinition;
use ssm_organizations::state::{Delegated, Disabled, TrustedAccess, Unobserved};
use ssm_organizations::{AccountId, Explorer, Handover, Integration, Region, Syncs, sim};

type Handle<S> = Integration<S, sim::Client>;

async fn set_up_twice(handle: Handle<TrustedAccess>, explorer: &Explorer<'_>) {
    let _ = handle.set_up_explorer(explorer).await;
}

async fn take_down_under_an_administrator(handle: Handle<Delegated>, explorer: &Explorer<'_>) {
    let _ = handle.take_down_explorer(explorer, Syncs::Forfeit).await;
}

async fn replace_nobody(handle: Handle<TrustedAccess>, account: &AccountId, handover: Handover<'_>) {
    let _ = handle.replace(account, handover).await;
}

async fn syncs_unobserved(mut handle: Handle<Unobserved>, client: &sim::Client) {
    let _ = handle.data_syncs(client).await;
}

async fn sync_without_trust(mut handle: Handle<Disabled>, client: &sim::Client, sync: &SyncDefinition, at: &[Region]) {
    let Ok(mut syncs) = handle.data_syncs(client).await else { return };
    let _ = syncs.ensure(sync, at).await;
}

async fn delete_the_role_under_trust(mut handle: Handle<TrustedAccess>, client: &sim::Client) {
    let _ = handle.account_discovery_role(client).delete(Syncs::Forfeit).await;
}

async fn move_on_under_a_borrow(mut handle: Handle<TrustedAccess>, client: &sim::Client, at: &[Region]) {
    let Ok(syncs) = handle.data_syncs(client).await else { return };
    let _ = handle.disable(Syncs::Forfeit).await;
    let _ = syncs.list(at).await;
}

fn main() {}
