use ssm_organizations::state::Disabled;
use ssm_organizations::{Integration, sim};

async fn enable_twice(handle: Integration<Disabled, sim::SimClient>) {
    let _ = handle.enable_trusted_access().await;
    let _ = handle.enable_trusted_access().await;
}

fn main() {}
