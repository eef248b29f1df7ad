use ssm_organizations::state::Disabled;
use ssm_organizations::{Integration, sim};

fn keep(handle: &Integration<Disabled, sim::SimClient>) -> Integration<Disabled, sim::SimClient> {
    handle.clone()
}

fn main() {}
