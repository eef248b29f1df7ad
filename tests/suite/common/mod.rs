//! Helpers that several test files share.
#![cfg(feature = "sim")]

pub mod iam;

use async_trait::async_trait;
use mockall::mock;
use ssm_organizations::domain::PageToken;
use ssm_organizations::integration::Handle;
use ssm_organizations::ports::{
    Account, CallerIdentity, DataSync, DelegatedAdministrator, EnabledService, Organization, OrganizationsApi, Page,
    StsApi, SyncSourceType, SyncType, SystemsManagerApi,
};
use ssm_organizations::state::{Delegated, Disabled, Inconsistent, TrustedAccess};
use ssm_organizations::{
    AccountId, Error, Integration, Observed, Recovered, Region, ServicePrincipal, SyncName, TransitionError, sim,
};

mock! {
    pub Client {}

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
        async fn register_delegated_administrator(&self,
            account: AccountId,
            principal: &ServicePrincipal,
        ) -> Result<(), Error>;
        async fn deregister_delegated_administrator(&self,
            account: AccountId,
            principal: &ServicePrincipal,
        ) -> Result<(), Error>;
    }

    #[async_trait]
    impl StsApi for Client {
        async fn get_caller_identity(&self) -> Result<CallerIdentity, Error>;
    }

    #[async_trait]
    impl SystemsManagerApi for Client {
        async fn list_resource_data_sync(
            &self,
            region: &Region,
            sync_type: SyncType,
            next: Option<PageToken>,
        ) -> Result<Page<DataSync>, Error>;
    }
}

pub fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

pub fn management() -> AccountId {
    account("111111111111")
}

pub fn alice() -> AccountId {
    account("222222222222")
}

pub fn bob() -> AccountId {
    account("333333333333")
}

pub fn region(name: &str) -> Region {
    name.parse().unwrap()
}

pub fn organization_sync(name: &str) -> DataSync {
    DataSync::new(SyncName::new(name).unwrap(), Some(SyncSourceType::AwsOrganizations))
}

pub const SSM: ServicePrincipal = ServicePrincipal::SYSTEMS_MANAGER;

/// Returns an organization with the members Alice and Bob.
pub fn organization() -> sim::SimOrganizationBuilder {
    sim::SimOrganization::builder().member(alice()).member(bob())
}

/// Returns [`organization`] with trusted access for Systems Manager.
pub fn trusting() -> sim::SimOrganizationBuilder {
    organization().trusted_access_for(&SSM)
}

/// Returns [`trusting`] with Alice as the delegated administrator.
pub fn delegated() -> sim::SimOrganizationBuilder {
    trusting().delegated_administrator(alice())
}

/// Returns each setting with one switch set to each of the positions.
pub fn crossed<T: Clone>(
    settings: &[sim::UndocumentedBehavior],
    positions: &[T],
    set: fn(&mut sim::UndocumentedBehavior, T),
) -> Vec<sim::UndocumentedBehavior> {
    let pairs = settings.iter().flat_map(|setting| positions.iter().map(move |position| (setting, position)));
    pairs
        .map(|(setting, position)| {
            let mut setting = setting.clone();
            set(&mut setting, position.clone());
            setting
        })
        .collect()
}

/// Returns every combination of switches of [`sim::UndocumentedBehavior`] and their positions.
macro_rules! every_setting {
    ($($switch:ident: $positions:expr),* $(,)?) => {{
        let settings = vec![ssm_organizations::sim::UndocumentedBehavior::default()];
        $(let settings = crate::common::crossed(&settings, $positions, |setting, position| setting.$switch = position);)*
        settings
    }};
}
pub(crate) use every_setting;

/// Returns the default setting, and settings that differ from the default in one switch.
pub fn each_switch() -> Vec<sim::UndocumentedBehavior> {
    let both = &[true, false];
    let mut settings = vec![sim::UndocumentedBehavior::default()];
    macro_rules! add {
        ($($switch:ident: $positions:expr),* $(,)?) => { $(settings.extend(every_setting! { $switch: $positions });)* };
    }
    add! {
        repeated_write: sim::RepeatedWrite::ALL,
        register_without_trust: sim::RegisterWithoutTrust::ALL,
        second_administrator: sim::SecondAdministrator::ALL,
        disable_with_administrators: sim::DisableWithAdministrators::ALL,
        deregister_without_trust: sim::DeregisterWithoutTrust::ALL,
        reasons: both,
        reason_fields: both,
        trust_only_services_are_recognized: both,
        listing_needs_all_features: both,
        enabling_makes_role: both,
        deregistering_deletes_syncs: both,
        deregistering_spares: &[[region("eu-central-1")].into(), [region("us-east-1")].into()],
        syncs_recover: both,
        sync_without_prerequisites: sim::SyncWithoutPrerequisites::ALL,
        member_sync: sim::MemberSync::ALL,
        sync_quota_is_shared: both,
        sync_booleans_are_shown: both,
        duplicate_role: sim::DuplicateRole::ALL,
        role_deletions_fail_without_reason: both,
        role_serves_all_syncs: both,
        role_serves_single_accounts: both,
    }
    let default = settings.remove(0);
    settings.retain(|setting| *setting != default);
    settings.insert(0, default);
    settings
}

pub async fn observe(organization: &sim::SimOrganization) -> Observed<sim::SimClient> {
    Integration::new(organization.management_client()).observe().await.unwrap()
}

macro_rules! expect_state {
    ($name:ident, $state:ident) => {
        pub fn $name<C>(observed: Observed<C>) -> Integration<$state, C> {
            match observed {
                Observed::$state(handle) => handle,
                other => panic!("expected {}, found {other:?}", stringify!($state)),
            }
        }
    };
}

expect_state!(expect_disabled, Disabled);
expect_state!(expect_trusted, TrustedAccess);
expect_state!(expect_delegated, Delegated);
expect_state!(expect_inconsistent, Inconsistent);

pub async fn disabled_in(organization: &sim::SimOrganization) -> Integration<Disabled, sim::SimClient> {
    expect_disabled(observe(organization).await)
}

pub async fn trusted_in(organization: &sim::SimOrganization) -> Integration<TrustedAccess, sim::SimClient> {
    expect_trusted(observe(organization).await)
}

pub async fn delegated_in(organization: &sim::SimOrganization) -> Integration<Delegated, sim::SimClient> {
    expect_delegated(observe(organization).await)
}

pub async fn inconsistent_in(organization: &sim::SimOrganization) -> Integration<Inconsistent, sim::SimClient> {
    expect_inconsistent(observe(organization).await)
}

/// Variant of [`Recovered`], without its handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveredVariant {
    Unchanged,
    Moved,
    Unknown,
}

pub fn way<H: Handle>(recovered: &Recovered<H>) -> RecoveredVariant {
    match recovered {
        Recovered::Unchanged(_) => RecoveredVariant::Unchanged,
        Recovered::Changed(_) => RecoveredVariant::Moved,
        Recovered::Unknown(_) => RecoveredVariant::Unknown,
    }
}

/// Returns the error and the recovered handle of a transition that must fail.
pub fn failed<T, H: Handle>(result: Result<T, TransitionError<H>>) -> (Error, Recovered<H>) {
    match result {
        Ok(_) => panic!("the transition succeeded"),
        Err(failure) => failure.into_parts(),
    }
}
