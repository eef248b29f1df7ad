use ssm_organizations::state::Disabled;
use ssm_organizations::{AccountId, Integration, Syncs, sim};

type Handle = Integration<Disabled, sim::Client>;

async fn observe(handle: Handle) {
    let _ = handle.observe().await;
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

async fn keep_only(handle: Handle, account: &AccountId) {
    let _ = handle.keep_only(account, Syncs::Forfeit).await;
}

async fn remove_all(handle: Handle) {
    let _ = handle.remove_all(Syncs::Forfeit).await;
}

async fn reinstate_trust(handle: Handle) {
    let _ = handle.reinstate_trust().await;
}

fn main() {}
