use ssm_organizations::{Integration, sim};

async fn enable(client: sim::Client) {
    let _ = Integration::new(client).enable_trusted_access().await;
}

fn main() {}
