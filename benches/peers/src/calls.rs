//! Time of one call through the traits and through AWS's protocols, on a simulated organization.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::ensure;
use ssm_organizations::aws::AwsClient;
use ssm_organizations::ports::{Client, SyncType};
use ssm_organizations::sim::SimOrganization;
use ssm_organizations::{AccountId, Error, Region, ServicePrincipal};

use crate::measure::median;
use crate::table;

/// Number of calls in one measurement.
const CALLS: u32 = 500;

pub(crate) fn run(rounds: usize) -> anyhow::Result<()> {
    ensure!(rounds > 0, "ROUNDS must be at least 1");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let account: AccountId = "222222222222".parse()?;
    let organization = SimOrganization::builder().member(account).build();
    let ports = organization.management_client();
    let wire = AwsClient::new(&ports.sdk_config());
    println!("microseconds of one call, on a simulated organization; medians of {rounds} rounds");
    let mut rows = Vec::new();
    for name in NAMES {
        let [ports, wire] = [&ports as &dyn Client, &wire].map(|client| {
            let times = (0..=rounds).map(|_| runtime.block_on(measured(|| call(client, name))));
            let times: Result<Vec<Duration>, Error> = times.collect();
            // The first round warms up and is not counted.
            times.map(|times| median(times.into_iter().skip(1)).as_secs_f64() * 1e6)
        });
        let (ports, wire) = (ports?, wire?);
        rows.push(vec![name.to_owned(), format!("{ports:.1}"), format!("{wire:.1}"), format!("{:.1}", wire - ports)]);
    }
    table::print(&["", "traits", "wire", "difference"], &rows);
    Ok(())
}

const NAMES: [&str; 4] = ["DescribeOrganization", "ListDelegatedAdministrators", "ListResourceDataSync", "GetRole"];

async fn call(client: &dyn Client, name: &str) -> Result<(), Error> {
    let region = Region::new("us-east-1")?;
    match name {
        "DescribeOrganization" => client.describe_organization().await.map(drop),
        "ListDelegatedAdministrators" => {
            client.list_delegated_administrators(&ServicePrincipal::SYSTEMS_MANAGER, None).await.map(drop)
        }
        "ListResourceDataSync" => {
            client.list_resource_data_sync(&region, SyncType::SyncFromSource, None).await.map(drop)
        }
        _ => client.get_role(&"AWSServiceRoleForAmazonSSM_AccountDiscovery".parse()?).await.map(drop),
    }
}

/// Returns the mean time of one call.
async fn measured<F: Future<Output = Result<(), Error>>>(call: impl Fn() -> F) -> Result<Duration, Error> {
    let start = Instant::now();
    for _ in 0..CALLS {
        call().await?;
    }
    Ok(start.elapsed() / CALLS)
}
