//! Tests a function with the simulated organization: a lost response, and stale reads.
//!
//! `cargo run --example test_with_simulator`

use std::time::Duration;

use ssm_organizations::ports::{Client, Operation};
use ssm_organizations::{AccountId, Certainty, Error, Integration, sim};

/// Function under test. On AWS, the caller passes an `aws::AwsClient`.
async fn onboard(client: &impl Client, account: AccountId) -> Result<Vec<Certainty>, Error> {
    let delegated = Integration::new(client).observe().await?.ensure_delegated(account).await?;
    Ok(delegated.changes().iter().map(|change| change.certainty).collect())
}

/// AWS applies the write and its response is lost: a read confirms the effect.
async fn lost_response_sends_one_write(account: AccountId) -> Result<(), Error> {
    let organization = sim::SimOrganization::builder().member(account).build();
    organization.inject_fault(Operation::EnableAwsServiceAccess, 1, sim::Fault::ResponseLost);

    let changes = onboard(&organization.management_client(), account).await?;
    assert_eq!(changes, [Certainty::Unconfirmed, Certainty::Confirmed]);
    assert_eq!(organization.call_count(Operation::EnableAwsServiceAccess), 1);
    Ok(())
}

/// A caller without a permission changes nothing, and the error names the permission.
async fn missing_permission_is_named(account: AccountId) -> Result<(), Error> {
    let organization = sim::SimOrganization::builder().member(account).build();
    let client = organization.management_client().without_permission("organizations:EnableAWSServiceAccess");

    let error = onboard(&client, account).await.err();
    let text = error.map(|error| error.to_string()).unwrap_or_default();
    assert!(text.contains("add the permission organizations:EnableAWSServiceAccess"), "{text}");
    assert!(!organization.is_trusted(&ssm_organizations::ServicePrincipal::SYSTEMS_MANAGER));
    Ok(())
}

/// Slow calls take simulated time only: tokio's clock is paused.
async fn slow_calls_do_not_change_the_result(account: AccountId) -> Result<(), Error> {
    tokio::time::pause();
    let latency = Duration::from_secs(20);
    let organization = sim::SimOrganization::builder().member(account).latency(latency).build();

    let changes = onboard(&organization.management_client(), account).await?;
    assert_eq!(changes, [Certainty::Confirmed, Certainty::Confirmed]);
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let account: AccountId = "222222222222".parse()?;
    lost_response_sends_one_write(account).await?;
    missing_permission_is_named(account).await?;
    slow_calls_do_not_change_the_result(account).await?;
    println!("all cases passed");
    Ok(())
}
