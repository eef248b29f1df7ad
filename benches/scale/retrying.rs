//! A client that tries again as the AWS SDK does.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use ssm_organizations::ports::{
    Account, CallerIdentity, DataSync, DelegatedAdministrator, DeletionStatus, EnabledService, IamApi, Organization,
    OrganizationsApi, Page, Role, StsApi, SyncDefinition, SyncType, SystemsManagerApi,
};
use ssm_organizations::{
    AccountId, DeletionTaskId, Error, ErrorKind, PageToken, Region, RoleName, ServicePrincipal, SyncName, sim,
};

/// After a throttled call the SDK's standard mode waits for a random part of one second, then of two, four and so on, twenty at most:
/// [retry behavior](https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html).
/// Its quota of retries is left out: it takes a hundred in a row to use it up.
pub(crate) struct Retrying {
    client: sim::Client,
    attempts: u32,
    random: AtomicU64,
}

impl Retrying {
    /// With so many attempts at a call, the first among them. The same seed draws the same pauses.
    pub(crate) fn new(client: sim::Client, attempts: u32, seed: u64) -> Self {
        Self { client, attempts, random: AtomicU64::new(seed) }
    }

    /// A number from zero to one: splitmix64.
    fn random(&self) -> f64 {
        let step = 0x9e37_79b9_7f4a_7c15;
        let mut mixed = self.random.fetch_add(step, Relaxed).wrapping_add(step);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let thousandths = u32::try_from((mixed ^ (mixed >> 31)) % 1_000).unwrap_or_default();
        f64::from(thousandths) / 1e3
    }

    async fn again<T, F>(&self, call: impl Fn() -> F + Send) -> Result<T, Error>
    where
        T: Send,
        F: Future<Output = Result<T, Error>> + Send,
    {
        let mut pause = Duration::from_secs(1);
        for _ in 1..self.attempts {
            match call().await {
                Err(error) if *error.kind() == ErrorKind::Throttled => {}
                answer => return answer,
            }
            tokio::time::sleep(pause.mul_f64(self.random())).await;
            pause = (pause * 2).min(Duration::from_secs(20));
        }
        call().await
    }
}

/// Implements a port by passing each call on.
macro_rules! port {
    ($port:ident { $($method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)* }) => {
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl $port for Retrying {
            $(async fn $method(&self, $($argument: $type),*) -> Result<$answer, Error> {
                self.again(|| self.client.$method($(Clone::clone(&$argument)),*)).await
            })*
        }
    };
}

port!(OrganizationsApi {
    describe_organization() -> Organization;
    describe_account(account: &AccountId) -> Account;
    list_aws_service_access_for_organization(next: Option<PageToken>) -> Page<EnabledService>;
    enable_aws_service_access(principal: &ServicePrincipal) -> ();
    disable_aws_service_access(principal: &ServicePrincipal) -> ();
    list_delegated_administrators(principal: &ServicePrincipal, next: Option<PageToken>) -> Page<DelegatedAdministrator>;
    register_delegated_administrator(account: &AccountId, principal: &ServicePrincipal) -> ();
    deregister_delegated_administrator(account: &AccountId, principal: &ServicePrincipal) -> ();
});

port!(StsApi {
    get_caller_identity() -> CallerIdentity;
});

port!(SystemsManagerApi {
    list_resource_data_sync(region: &Region, sync_type: SyncType, next: Option<PageToken>) -> Page<DataSync>;
    create_resource_data_sync(region: &Region, sync: &SyncDefinition) -> ();
    update_resource_data_sync(region: &Region, sync: &SyncDefinition) -> ();
    delete_resource_data_sync(region: &Region, name: &SyncName, sync_type: SyncType) -> ();
});

port!(IamApi {
    get_role(name: &RoleName) -> Option<Role>;
    create_service_linked_role(principal: &ServicePrincipal) -> Role;
    delete_service_linked_role(name: &RoleName) -> DeletionTaskId;
    get_service_linked_role_deletion_status(task: &DeletionTaskId) -> DeletionStatus;
});
