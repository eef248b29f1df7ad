use ssm_organizations::state::TrustedAccess;

fn main() {
    let _: TrustedAccess = Default::default();
}
