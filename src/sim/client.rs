use async_trait::async_trait;
use tokio::time::sleep;

use super::Organization;
use super::log::{Call, Outcome};
use super::world::World;
use crate::domain::{AccountId, PageToken, Region, ServicePrincipal};
use crate::error::{Error, ErrorKind};
use crate::ports::{
    Account, CallerIdentity, DataSync, DelegatedAdministrator, EnabledService, Operation, OrganizationsApi, Page,
    StsApi, SyncType, SystemsManagerApi,
};

/// A client with the credentials of one account: [`Organization::client`].
#[derive(Debug, Clone)]
pub struct Client {
    organization: Organization,
    account: AccountId,
}

/// What a call is about, for the log.
#[derive(Default)]
struct About {
    account: Option<AccountId>,
    region: Option<Region>,
}

impl Client {
    pub(super) fn new(organization: Organization, account: AccountId) -> Self {
        Self { organization, account }
    }

    /// One call: rivals first, then what goes wrong with it, then its effect, then its line in the log.
    async fn call<T: Send>(
        &self,
        operation: Operation,
        about: About,
        effect: impl FnOnce(&mut World, AccountId) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        let latency = self.organization.world().latency;
        if !latency.is_zero() {
            sleep(latency).await;
        }
        let (rivals, fault) = self.organization.world().faults.arrive(operation);
        for rival in rivals {
            rival(&self.organization);
        }
        let mut world = self.organization.world();
        let answer = match fault.as_ref().and_then(|fault| fault.before_effect(operation)) {
            Some(error) => Err(error),
            None => effect(&mut world, self.account),
        };
        let answer = match fault.and_then(|fault| fault.after_effect(operation)) {
            Some(error) => Err(error),
            None => answer,
        };
        let outcome = answer.as_ref().map_or_else(outcome_of, |_| Outcome::Answered);
        let About { account, region } = about;
        world.calls.push(Call { operation, caller: self.account, account, region, outcome });
        answer
    }
}

fn outcome_of(error: &Error) -> Outcome {
    match (error.kind(), error.code(), error.reason()) {
        (ErrorKind::Lost, ..) | (_, None, _) => Outcome::Lost,
        (_, Some(code), None) => Outcome::Refused(code.to_owned()),
        (_, Some(code), Some(reason)) => Outcome::Refused(format!("{code} ({reason})")),
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl OrganizationsApi for Client {
    async fn describe_organization(&self) -> Result<crate::ports::Organization, Error> {
        let about = About::default();
        self.call(Operation::DescribeOrganization, about, |world, caller| world.describe_organization(caller)).await
    }

    async fn describe_account(&self, account: &AccountId) -> Result<Account, Error> {
        let account = *account;
        let about = About { account: Some(account), region: None };
        self.call(Operation::DescribeAccount, about, |world, caller| world.describe_account(caller, account)).await
    }

    async fn list_aws_service_access_for_organization(
        &self,
        next: Option<PageToken>,
    ) -> Result<Page<EnabledService>, Error> {
        let operation = Operation::ListAwsServiceAccessForOrganization;
        self.call(operation, About::default(), |world, caller| world.list_trusted(caller, next.as_ref())).await
    }

    async fn enable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        let operation = Operation::EnableAwsServiceAccess;
        self.call(operation, About::default(), |world, caller| world.enable(caller, principal)).await
    }

    async fn disable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        let operation = Operation::DisableAwsServiceAccess;
        self.call(operation, About::default(), |world, caller| world.disable(caller, principal)).await
    }

    async fn list_delegated_administrators(
        &self,
        principal: &ServicePrincipal,
        next: Option<PageToken>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        let operation = Operation::ListDelegatedAdministrators;
        self.call(operation, About::default(), |world, caller| {
            world.list_administrators(caller, principal, next.as_ref())
        })
        .await
    }

    async fn register_delegated_administrator(
        &self,
        account: &AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let account = *account;
        let about = About { account: Some(account), region: None };
        let operation = Operation::RegisterDelegatedAdministrator;
        self.call(operation, about, |world, caller| world.register(caller, account, principal)).await
    }

    async fn deregister_delegated_administrator(
        &self,
        account: &AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let account = *account;
        let about = About { account: Some(account), region: None };
        let operation = Operation::DeregisterDelegatedAdministrator;
        self.call(operation, about, |world, caller| world.deregister(caller, account, principal)).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl StsApi for Client {
    async fn get_caller_identity(&self) -> Result<CallerIdentity, Error> {
        let operation = Operation::GetCallerIdentity;
        self.call(operation, About::default(), |_, caller| Ok(CallerIdentity::new(caller))).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl SystemsManagerApi for Client {
    async fn list_resource_data_sync(
        &self,
        region: &Region,
        sync_type: SyncType,
        next: Option<PageToken>,
    ) -> Result<Page<DataSync>, Error> {
        let about = About { account: None, region: Some(region.clone()) };
        let operation = Operation::ListResourceDataSync;
        self.call(operation, about, |world, caller| world.list_syncs(caller, region, sync_type, next.as_ref())).await
    }
}
