//! Time to list and to create one data sync in 1, 10 and 30 Regions, if each call takes ten
//! milliseconds.
//!
//! Command: `cargo bench --bench regions`. It prints the median times and their ratios to the time
//! for one Region. The rounds alternate between the three counts.
#![allow(clippy::expect_used, reason = "a benchmark that cannot go on panics")]

use std::time::{Duration, Instant};

use ssm_organizations::ports::{SourceRegions, SyncDefinition};
use ssm_organizations::{Error, Integration, Observed, Region, ServicePrincipal, SyncName, sim};

const LATENCY: Duration = Duration::from_millis(10);
const ROUNDS: usize = 15;

fn regions(count: usize) -> Vec<Region> {
    (1..=count).map(|number| Region::new(format!("eu-test-{number}")).expect("a Region")).collect()
}

/// Lists and creates the data sync in this number of Regions, and returns both times.
async fn round(count: usize) -> Result<[Duration; 2], Error> {
    let organization = sim::SimOrganization::builder()
        .trusted_access_for(&ServicePrincipal::SYSTEMS_MANAGER)
        .service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY)
        .latency(LATENCY)
        .build();
    let client = organization.management_client();
    let Observed::TrustedAccess(mut trusted) = Integration::new(client.clone()).observe().await? else {
        return Ok([Duration::ZERO; 2]);
    };
    let home = regions(count);
    let sync = SyncDefinition::of_organization(SyncName::new("all")?, SourceRegions::new(home.clone())?);
    let mut syncs = trusted.data_syncs(&client).await?;
    let begun = Instant::now();
    syncs.list(&home).await?.into_result()?;
    let listed = begun.elapsed();
    let begun = Instant::now();
    syncs.ensure(&sync, &home).await?.into_result()?;
    Ok([listed, begun.elapsed()])
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let counts = [1, 10, 30];
    let mut times = [const { [const { Vec::new() }; 2] }; 3];
    for _ in 0..ROUNDS {
        for (count, times) in counts.into_iter().zip(&mut times) {
            let round = runtime.block_on(round(count)).expect("an organization in memory without faults");
            times.iter_mut().zip(round).for_each(|(times, time)| times.push(time));
        }
    }
    let medians = times.map(|[listed, ensured]| [median(listed), median(ensured)]);
    println!("Regions   list            ensure");
    let [one, ..] = medians;
    for (count, median) in counts.into_iter().zip(medians) {
        let cell = |at: usize| {
            let (time, one) = (median.get(at).copied().unwrap_or_default(), one.get(at).copied().unwrap_or_default());
            format!("{:6.1} ms {:4.2}", time.as_secs_f64() * 1e3, time.as_secs_f64() / one.as_secs_f64())
        };
        println!("{count:7}   {}  {}", cell(0), cell(1));
    }
}
