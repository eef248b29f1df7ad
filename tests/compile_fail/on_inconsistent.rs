use ssm_organizations::state::Inconsistent;
use ssm_organizations::{AccountId, Integration, SyncProtection, sim};

type Handle = Integration<Inconsistent, sim::SimClient>;

async fn observe(handle: Handle) {
    let _ = handle.observe().await;
}

async fn enable_trusted_access(handle: Handle) {
    let _ = handle.enable_trusted_access().await;
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

fn main() {}
