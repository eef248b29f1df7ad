//! `typed ACCOUNT [onboard|offboard]...` does the job with the typed handles of this crate.

use std::env;

use aws_config::BehaviorVersion;
use ssm_organizations::aws::AwsClient;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let (account, steps) = peers::order(env::args().skip(1))?;
    let client = AwsClient::new(&aws_config::load_defaults(BehaviorVersion::latest()).await);
    for step in steps {
        println!("{:?}", peers::typed::run(&client, account, step).await?);
    }
    Ok(())
}
