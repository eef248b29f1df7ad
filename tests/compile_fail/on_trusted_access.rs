use ssm_organizations::state::TrustedAccess;
use ssm_organizations::{AccountId, Integration, Syncs, sim};

type Handle = Integration<TrustedAccess, sim::Client>;

async fn observe(handle: Handle) {
    let _ = handle.observe().await;
}

async fn enable_trusted_access(handle: Handle) {
    let _ = handle.enable_trusted_access().await;
}

async fn deregister(handle: Handle) {
    let _ = handle.deregister(Syncs::Forfeit).await;
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
