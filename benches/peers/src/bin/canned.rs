//! `canned plain|sdk|ports|typed TIMES` onboards and offboards an account this number of times,
//! with canned responses.

use std::env;
use std::hint::black_box;

use anyhow::{Context as _, bail};
use peers::Step::{Offboard, Onboard};
use peers::canned::{Canned, MEMBER};
use peers::{by_hand, plain, typed};
use ssm_organizations::AccountId;
use ssm_organizations::aws::AwsClient;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [way, times] = arguments.as_slice() else { bail!("usage: canned plain|sdk|ports|typed TIMES") };
    let times: usize = times.parse().context("TIMES is not a number")?;
    let account: AccountId = MEMBER.parse()?;
    let canned = Canned::default();
    let config = canned.config();
    // Every run creates all clients, so the start costs the same in each.
    let organizations = aws_sdk_organizations::Client::new(&config);
    let sdk = by_hand::Sdk::new(&config);
    let ours = AwsClient::new(&config);
    for _ in 0..times {
        for step in [Onboard, Offboard] {
            match way.as_str() {
                "plain" => drop(black_box(plain::run(&organizations, account, step).await?)),
                "sdk" => sdk.run(account, step).await?,
                "ports" => by_hand::on_ports(&ours, account, step).await?,
                "typed" => drop(black_box(typed::run(&ours, account, step).await?)),
                other => bail!("unknown variant {other}"),
            }
        }
    }
    // The caller divides the total cost by this number of calls.
    println!("{}", canned.calls().len());
    Ok(())
}
