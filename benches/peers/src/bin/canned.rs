//! `canned plain|sdk|ports|typed TIMES`: the job on canned answers, in and out again that many
//! times.

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
    let [way, times] = arguments.as_slice() else { bail!("say which way, and how often") };
    let times: usize = times.parse().context("how often?")?;
    let account: AccountId = MEMBER.parse()?;
    let canned = Canned::default();
    let config = canned.config();
    // All of them in each, so that what they cost at the start is alike.
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
                other => bail!("{other} is no way"),
            }
        }
    }
    // For whoever divides by it.
    println!("{}", canned.calls().len());
    Ok(())
}
