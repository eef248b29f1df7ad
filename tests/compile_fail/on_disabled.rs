use ssm_organizations::state::Disabled;
use ssm_organizations::{AccountId, Integration, SyncProtection, sim};

type Handle = Integration<Disabled, sim::SimClient>;

async fn observe(handle: Handle) {
    let _ = handle.observe().await;
}

async fn register_delegated_administrator(handle: Handle, account: AccountId) {
    let _ = handle.register_delegated_administrator(account).await;
}

async fn deregister(handle: Handle) {
    let _ = handle.deregister(SyncProtection::AllowLoss).await;
}

async fn disable(handle: Handle) {
    let _ = handle.disable(SyncProtection::AllowLoss).await;
}

async fn retain_only(handle: Handle, account: AccountId) {
    let _ = handle.retain_only(account, SyncProtection::AllowLoss).await;
}

async fn remove_all_administrators(handle: Handle) {
    let _ = handle.remove_all_administrators(SyncProtection::AllowLoss).await;
}

async fn restore_trusted_access(handle: Handle) {
    let _ = handle.restore_trusted_access().await;
}

fn main() {}
