//! `plain ACCOUNT [onboard|offboard]...` does the job with the AWS SDK, without this crate.

use std::env;

use aws_config::BehaviorVersion;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let (account, steps) = peers::order(env::args().skip(1))?;
    let client = aws_sdk_organizations::Client::new(&aws_config::load_defaults(BehaviorVersion::latest()).await);
    for step in steps {
        println!("{:?}", peers::plain::run(&client, account, step).await?);
    }
    Ok(())
}
