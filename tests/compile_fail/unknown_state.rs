use ssm_organizations::{Integration, sim};

struct Enabled;

fn take(_: Integration<Enabled, sim::SimClient>) {}

fn main() {}
