use ssm_organizations::state::Unobserved;
use ssm_organizations::{Integration, sim};

fn forge(state: Unobserved) -> Integration<Unobserved, sim::SimClient> {
    Integration { state, base: unreachable!() }
}

fn main() {}
