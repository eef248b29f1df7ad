use ssm_organizations::{AccountId, Observed, SyncProtection, sim};

async fn ensure_twice(observed: Observed<sim::SimClient>, account: AccountId) {
    let _ = observed.ensure_delegated(account).await;
    let _ = observed.ensure_delegated(account).await;
}

async fn disable_after(observed: Observed<sim::SimClient>, account: AccountId) {
    let _ = observed.ensure_delegated(account).await;
    let _ = observed.ensure_disabled(SyncProtection::AllowLoss).await;
}

fn main() {}
