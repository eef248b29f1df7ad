use ssm_organizations::state::TrustedAccess;
use ssm_organizations::{Integration, Syncs, sim};

async fn deregister(handle: Integration<TrustedAccess, sim::Client>) {
    let _ = handle.deregister(Syncs::Forfeit).await;
}

fn main() {}
