use ssm_organizations::state::Irregular;
use ssm_organizations::{AccountId, Integration, Syncs, sim};

type Handle = Integration<Irregular, sim::Client>;

async fn observe(handle: Handle) {
    let _ = handle.observe().await;
}

async fn enable_trusted_access(handle: Handle) {
    let _ = handle.enable_trusted_access().await;
}

async fn register_delegated_administrator(handle: Handle, account: &AccountId) {
    let _ = handle.register_delegated_administrator(account).await;
}

async fn deregister(handle: Handle) {
    let _ = handle.deregister(Syncs::Forfeit).await;
}

async fn disable(handle: Handle) {
    let _ = handle.disable(Syncs::Forfeit).await;
}

fn main() {}
