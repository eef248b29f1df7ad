//! Onboards many organizations in parallel.
//!
//! `cargo run --example many_organizations`

use std::sync::Arc;
use std::time::Duration;

use ssm_organizations::ports::{Client, Operation};
use ssm_organizations::{AccountId, Error, Integration, Observed, sim};
use tokio::task::JoinSet;

/// Registers the administrator and returns the changes.
async fn onboard(client: Arc<dyn Client>, account: AccountId) -> Result<usize, Error> {
    let observed = Integration::new(client).observe().await?;
    if let Observed::Inconsistent(inconsistent) = &observed {
        println!("{inconsistent}");
    }
    Ok(observed.ensure_delegated(account).await?.changes().len())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let account: AccountId = "222222222222".parse()?;
    let mut tasks = JoinSet::new();
    for number in 0..20 {
        // On AWS: one `AwsClient` for each management account, from `assume_role(arn)`.
        let latency = Duration::from_millis(5);
        let organization = sim::SimOrganization::builder().member(account).latency(latency).build();
        if number == 7 {
            let refusal = sim::Fault::refused("AccessDeniedException");
            organization.inject_fault(Operation::RegisterDelegatedAdministrator, 1, refusal);
        }
        let client: Arc<dyn Client> = Arc::new(organization.management_client());
        tasks.spawn(async move { (number, onboard(client, account).await) });
    }
    // One failure does not stop the others. A second run completes the failed organization.
    while let Some(finished) = tasks.join_next().await {
        match finished {
            Ok((number, Ok(changes))) => println!("organization {number}: {changes} changes"),
            Ok((number, Err(error))) => {
                println!("organization {number}: {error}");
                println!("  retry: {}; changes until then: {}", error.retry_status(), error.changes().len());
            }
            Err(panic) => println!("a task failed: {panic}"),
        }
    }
    Ok(())
}
