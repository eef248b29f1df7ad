use ssm_organizations::state::Enabled;

fn main() {}
