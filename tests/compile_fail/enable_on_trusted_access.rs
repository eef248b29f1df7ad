use ssm_organizations::state::TrustedAccess;
use ssm_organizations::{Integration, sim};

async fn enable(handle: Integration<TrustedAccess, sim::Client>) {
    let _ = handle.enable_trusted_access().await;
}

fn main() {}
