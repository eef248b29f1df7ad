//! Tests of `Pacer`, the hook that keeps calls within AWS's rate limits.
#![cfg(feature = "sim")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use ssm_organizations::ports::{Call, CallHook, Decorated, OrganizationsApi, Pacer, SyncType, SystemsManagerApi};
use ssm_organizations::sim::{CallOutcome, SimOrganization};
use ssm_organizations::{Error, Integration};
use tokio::time::Instant;

use crate::common::{alice, organization, region};

fn throttled_organization() -> SimOrganization {
    organization().with_throttling().build()
}

/// Returns whether AWS throttled a call.
fn has_throttled(organization: &SimOrganization) -> bool {
    organization
        .calls()
        .iter()
        .any(|call| matches!(&call.outcome, CallOutcome::Refused(code) if code == "TooManyRequestsException"))
}

/// Hook that refuses the first call with a pause.
struct RefuseOnce(Duration, AtomicBool);

#[async_trait]
impl CallHook for RefuseOnce {
    async fn before(&self, call: &Call<'_>) -> Result<(), Error> {
        if self.1.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let refusal = Error::from_service_error(call.operation, "TooManyRequestsException", "");
        Err(refusal.with_retry_after(self.0))
    }
}

#[tokio::test(start_paused = true)]
async fn handles_that_share_a_pacer_are_not_throttled() {
    for (is_paced, some_throttled) in [(true, false), (false, true)] {
        let organization = throttled_organization();
        let pacer = Pacer::new();
        let onboard = async || {
            let hook = if is_paced { pacer.clone() } else { Pacer::new() };
            let client = Decorated::new(organization.management_client(), hook);
            Integration::new(client).observe().await.unwrap().ensure_delegated(alice()).await.unwrap();
        };
        join_all((0..5).map(|_| onboard())).await;
        assert_eq!(has_throttled(&organization), some_throttled, "{is_paced}");
        assert_eq!(organization.administrators(), [alice()]);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_within_the_burst_are_not_delayed() {
    let organization = throttled_organization();
    let client = Decorated::new(organization.management_client(), Pacer::new());
    let begun = Instant::now();
    let mut elapsed = Vec::new();
    for _ in 0..5 {
        client.list_aws_service_access_for_organization(None).await.unwrap();
        elapsed.push(begun.elapsed().as_secs());
    }
    // The documented limits are a burst of three calls and one call per second.
    assert_eq!(elapsed, [0, 0, 0, 1, 2]);
    tokio::time::advance(Duration::from_mins(1)).await;
    let begun = Instant::now();
    for _ in 0..3 {
        client.list_aws_service_access_for_organization(None).await.unwrap();
    }
    for _ in 0..100 {
        client.list_resource_data_sync(&region("eu-central-1"), SyncType::SyncFromSource, None).await.unwrap();
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn calls_wait_for_the_pause_that_aws_asks_for() {
    for (pause, elapsed) in [(Duration::from_secs(7), 7), (Duration::ZERO, 0), (Duration::MAX, 0)] {
        let refusing =
            Decorated::new(throttled_organization().management_client(), RefuseOnce(pause, AtomicBool::new(false)));
        let client = Decorated::new(refusing, Pacer::new());
        client.describe_organization().await.unwrap_err();
        let begun = Instant::now();
        client.describe_organization().await.unwrap();
        assert_eq!(begun.elapsed().as_secs(), elapsed, "{pause:?}");
    }
}
