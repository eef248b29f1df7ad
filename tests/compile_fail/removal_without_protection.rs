use ssm_organizations::state::{Delegated, TrustedAccess};
use ssm_organizations::{AccountId, Integration, Observed, sim};

async fn deregister(handle: Integration<Delegated, sim::SimClient>) {
    let _ = handle.deregister().await;
}

async fn disable(handle: Integration<TrustedAccess, sim::SimClient>) {
    let _ = handle.disable().await;
}

async fn replace(handle: Integration<Delegated, sim::SimClient>, account: AccountId) {
    let _ = handle.replace(account).await;
}

async fn ensure_disabled(observed: Observed<sim::SimClient>) {
    let _ = observed.ensure_disabled().await;
}

fn main() {}
