use ssm_organizations::state::Unobserved;

fn main() {
    let _ = Unobserved { _private: () };
}
