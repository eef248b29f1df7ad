use ssm_organizations::state::Delegated;
use ssm_organizations::{AccountId, Integration, sim};

async fn register(handle: Integration<Delegated, sim::Client>, account: &AccountId) {
    let _ = handle.register_delegated_administrator(account).await;
}

fn main() {}
