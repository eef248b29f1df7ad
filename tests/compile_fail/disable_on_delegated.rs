use ssm_organizations::state::Delegated;
use ssm_organizations::{Integration, Syncs, sim};

async fn disable(handle: Integration<Delegated, sim::Client>) {
    let _ = handle.disable(Syncs::Forfeit).await;
}

fn main() {}
