use ssm_organizations::state::Disabled;
use ssm_organizations::{Integration, sim};

fn keep(handle: &Integration<Disabled, sim::Client>) -> Integration<Disabled, sim::Client> {
    handle.clone()
}

fn main() {}
