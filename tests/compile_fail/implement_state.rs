use ssm_organizations::state::State;

#[derive(Debug)]
struct Mine;

impl State for Mine {}

fn main() {}
