//! One test with a mock, with the simulation, and with the AWS SDK in process.
//!
//! The mock states each response, so it tests that the program reads and writes as its author
//! expects. The simulation follows AWS's rules. The SDK adds AWS's protocols and its own retries,
//! and needs the feature `aws`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use downstream::{announcement, onboard};
use mockall::mock;
use ssm_organizations::domain::PageToken;
use ssm_organizations::ports::{
    Account, AccountState, CallerIdentity, Client, DelegatedAdministrator, EnabledService, IamApi, Organization,
    OrganizationsApi, Page, StsApi, SystemsManagerApi,
};
use ssm_organizations::sim::SimOrganization;
use ssm_organizations::{AccountId, Error, ServicePrincipal};

fn administrator() -> AccountId {
    "222222222222".parse().unwrap()
}

/// Onboards a disabled organization twice: the first run writes, and the second finds the result.
async fn onboards_once(client: Arc<dyn Client>, writes: impl Fn() -> usize) {
    for _ in 0..2 {
        let onboarded = onboard(Arc::clone(&client), administrator()).await.unwrap();
        assert!(announcement(&onboarded).contains("account 222222222222"));
        assert_eq!(writes(), 2, "trusted access and the administrator");
    }
}

mock! {
    Client {}

    #[async_trait]
    impl OrganizationsApi for Client {
        async fn describe_organization(&self) -> Result<Organization, Error>;
        async fn describe_account(&self, account: AccountId) -> Result<Account, Error>;
        async fn list_aws_service_access_for_organization(
            &self,
            next: Option<PageToken>,
        ) -> Result<Page<EnabledService>, Error>;
        async fn enable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error>;
        async fn disable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error>;
        async fn list_delegated_administrators(
            &self,
            principal: &ServicePrincipal,
            next: Option<PageToken>,
        ) -> Result<Page<DelegatedAdministrator>, Error>;
        async fn register_delegated_administrator(
            &self,
            account: AccountId,
            principal: &ServicePrincipal,
        ) -> Result<(), Error>;
        async fn deregister_delegated_administrator(
            &self,
            account: AccountId,
            principal: &ServicePrincipal,
        ) -> Result<(), Error>;
    }

    #[async_trait]
    impl StsApi for Client {
        async fn get_caller_identity(&self) -> Result<CallerIdentity, Error>;
    }

    impl SystemsManagerApi for Client {}
    impl IamApi for Client {}
}

/// Returns a mock, and the number of its writes. The second write is visible after the first.
fn mock() -> (MockClient, Arc<AtomicUsize>) {
    let writes = Arc::new(AtomicUsize::new(0));
    let management: AccountId = "111111111111".parse().unwrap();
    let mut mock = MockClient::new();
    mock.expect_describe_organization().returning(move || Ok(Organization::new("o-exampleorgid".parse()?, management)));
    mock.expect_get_caller_identity().returning(move || Ok(CallerIdentity::new(management)));
    mock.expect_describe_account().returning(|account| Ok(Account::new(account, AccountState::Active)));
    let seen = Arc::clone(&writes);
    mock.expect_list_aws_service_access_for_organization().returning(move |_| {
        let services = 0..seen.load(Ordering::Relaxed).min(1);
        Ok(Page::last(services.map(|_| EnabledService::new(ServicePrincipal::SYSTEMS_MANAGER, None)).collect()))
    });
    let seen = Arc::clone(&writes);
    mock.expect_list_delegated_administrators().returning(move |_, _| {
        let administrators = 1..seen.load(Ordering::Relaxed).max(1);
        Ok(Page::last(administrators.map(|_| DelegatedAdministrator::new(administrator(), None)).collect()))
    });
    let written = Arc::clone(&writes);
    mock.expect_enable_aws_service_access().times(1).returning(move |_| {
        written.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    let written = Arc::clone(&writes);
    mock.expect_register_delegated_administrator().times(1).returning(move |_, _| {
        written.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    (mock, writes)
}

#[tokio::test(start_paused = true)]
async fn onboard_twice_with_mock_writes_once() {
    let (mock, writes) = mock();
    onboards_once(Arc::new(mock), || writes.load(Ordering::Relaxed)).await;
}

#[tokio::test(start_paused = true)]
async fn onboard_twice_with_simulation_writes_once() {
    let organization = SimOrganization::builder().member(administrator()).build();
    onboards_once(Arc::new(organization.management_client()), || organization.write_count()).await;
}

#[cfg(feature = "aws")]
#[tokio::test(start_paused = true)]
async fn onboard_twice_with_sdk_in_process_writes_once() {
    use ssm_organizations::aws::AwsClient;

    let organization = SimOrganization::builder().member(administrator()).build();
    // In the program: `aws_config::load_defaults(BehaviorVersion::latest()).await`.
    let config = organization.management_client().sdk_config();
    onboards_once(Arc::new(AwsClient::new(&config)), || organization.write_count()).await;
}
