use ssm_organizations::state::Disabled;
use ssm_organizations::{AccountId, Integration, sim};

async fn register(handle: Integration<Disabled, sim::Client>, account: &AccountId) {
    let _ = handle.register_delegated_administrator(account).await;
}

fn main() {}
