use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::sleep;

use super::Organization;
use super::log::{Call, Outcome};
use super::weather::{Arrival, Fault};
use super::world::{Scope, World};
use crate::domain::{AccountId, DeletionTaskId, PageToken, Region, RoleName, ServicePrincipal, SyncName};
use crate::error::Error;
use crate::ports::{
    Account, CallerIdentity, DataSync, DelegatedAdministrator, DeletionStatus, EnabledService, IamApi, Operation,
    OrganizationsApi, Page, Role, StsApi, SyncDefinition, SyncType, SystemsManagerApi,
};
use crate::trace::Called;

/// A client with the credentials of one account: [`Organization::client`].
#[derive(Debug, Clone)]
pub struct Client {
    organization: Organization,
    account: AccountId,
    denied: BTreeSet<String>,
}

/// What a call is about, for the log.
#[derive(Default)]
struct About {
    account: Option<AccountId>,
    region: Option<Region>,
}

impl About {
    fn account(account: AccountId) -> Self {
        Self { account: Some(account), region: None }
    }

    fn region(region: &Region) -> Self {
        Self { account: None, region: Some(region.clone()) }
    }
}

/// A call under way. When it ends, or nobody waits for it any longer, the next write is let in, and it gets its line in the log.
struct UnderWay<'a> {
    organization: &'a Organization,
    call: Option<Call>,
    locked: Option<Scope>,
}

impl UnderWay<'_> {
    fn end(&mut self, outcome: Outcome) {
        if let Some(call) = &mut self.call {
            call.outcome = outcome;
        }
    }
}

impl UnderWay<'_> {
    fn tell(&self, error: Option<&Error>) {
        let Some(call) = &self.call else { return };
        let Call { operation, caller, account, region, .. } = call;
        let called = Called {
            operation: *operation,
            caller: Some(*caller),
            account: *account,
            region: region.as_ref(),
            attempts: 1,
            request_id: None,
            error,
        };
        called.tell();
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut world = self.organization.world();
        if let Some(scope) = &self.locked {
            world.locked.remove(scope);
        }
        world.calls.extend(self.call.take());
    }
}

/// What a write keeps others from changing.
fn scope_of(call: &Call) -> Option<Scope> {
    match (call.operation, &call.region) {
        (Operation::UpdateResourceDataSync, Some(region)) => Some(Scope::Updates(call.caller, region.clone())),
        (operation, _) if operation.is_write() && operation.service() == "organizations" => Some(Scope::Organization),
        _ => None,
    }
}

async fn wait(duration: Duration) {
    if !duration.is_zero() {
        sleep(duration).await;
    }
}

impl Client {
    pub(super) fn new(organization: Organization, account: AccountId) -> Self {
        Self { organization, account, denied: BTreeSet::new() }
    }

    /// The same with credentials that lack an IAM action, such as `organizations:EnableAWSServiceAccess`. Case does not count, as in IAM.
    #[must_use]
    pub fn without_permission(mut self, action: impl Into<String>) -> Self {
        self.denied.insert(action.into().to_ascii_lowercase());
        self
    }

    /// The account that it speaks for.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// One call: rivals first, then what goes wrong with it, then its effect, then its line in the log.
    async fn call<T: Send>(
        &self,
        operation: Operation,
        about: About,
        effect: impl FnOnce(&mut World, AccountId) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        let Arrival { rivals, fault, dead } =
            self.organization.world().weather.arrive(operation, self.account, about.region.as_ref());
        for rival in rivals {
            rival(&self.organization);
        }
        let About { account, region } = about;
        let call = Call { operation, caller: self.account, account, region, outcome: Outcome::Lost };
        let mut under_way = UnderWay { organization: &self.organization, call: Some(call), locked: None };
        let answer = if dead {
            Err(Error::lost(operation))
        } else {
            self.answer(operation, fault.as_ref(), &mut under_way, effect).await
        };
        under_way.end(answer.as_ref().map_or_else(Outcome::of, |_| Outcome::Answered));
        under_way.tell(answer.as_ref().err());
        answer
    }

    async fn answer<T: Send>(
        &self,
        operation: Operation,
        fault: Option<&Fault>,
        under_way: &mut UnderWay<'_>,
        effect: impl FnOnce(&mut World, AccountId) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        let (refusal, latency) = {
            let mut world = self.organization.world();
            // A script decides before the weather does: the n-th call is promised.
            let scripted = fault.and_then(|fault| fault.before_effect(operation));
            (scripted.or_else(|| self.turned_away(&mut world, operation, under_way)), world.latency)
        };
        wait(latency).await;
        let answer = match refusal {
            Some(error) => Err(error),
            None => effect(&mut self.organization.world(), self.account),
        };
        match fault {
            Some(Fault::LostAfter) => Err(Error::lost(operation)),
            Some(Fault::Slow(delay)) => {
                wait(*delay).await;
                answer
            }
            _ => answer,
        }
    }

    /// What AWS says before it looks at the request any closer; if nothing, a write keeps others out from now on.
    fn turned_away(&self, world: &mut World, operation: Operation, under_way: &mut UnderWay<'_>) -> Option<Error> {
        let account = self.account;
        let is_member = world.state_of(account).is_some();
        if world.throttle.as_mut().is_some_and(|throttle| !throttle.admits(operation, account, is_member)) {
            return Fault::throttled(operation).before_effect(operation);
        }
        let action = operation.iam_action();
        if operation != Operation::GetCallerIdentity && self.denied.contains(&action.to_ascii_lowercase()) {
            let partition = &world.charter.partition;
            let message =
                format!("User: arn:{partition}:iam::{account}:user/sim is not authorized to perform: {action}");
            let code = if operation.service() == "iam" { "AccessDenied" } else { "AccessDeniedException" };
            return Some(Error::service(operation, code, message));
        }
        let scope = under_way.call.as_ref().and_then(scope_of)?;
        if scope == Scope::Organization && account != world.charter.management {
            // It will be refused, and is in nobody's way.
            return None;
        }
        if !world.locked.insert(scope.clone()) {
            return Fault::conflict(operation).and_then(|conflict| conflict.before_effect(operation));
        }
        under_way.locked = Some(scope);
        None
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
        let about = About::account(*account);
        self.call(Operation::DescribeAccount, about, |world, caller| world.describe_account(caller, *account)).await
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
        let about = About::default();
        self.call(operation, about, |world, caller| world.list_administrators(caller, principal, next.as_ref())).await
    }

    async fn register_delegated_administrator(
        &self,
        account: &AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let operation = Operation::RegisterDelegatedAdministrator;
        let about = About::account(*account);
        self.call(operation, about, |world, caller| world.register(caller, *account, principal)).await
    }

    async fn deregister_delegated_administrator(
        &self,
        account: &AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let operation = Operation::DeregisterDelegatedAdministrator;
        let about = About::account(*account);
        self.call(operation, about, |world, caller| world.deregister(caller, *account, principal)).await
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
        let operation = Operation::ListResourceDataSync;
        let about = About::region(region);
        self.call(operation, about, |world, caller| world.list_syncs(caller, region, sync_type, next.as_ref())).await
    }

    async fn create_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        let operation = Operation::CreateResourceDataSync;
        self.call(operation, About::region(region), |world, caller| world.create_sync(caller, region, sync)).await
    }

    async fn update_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        let operation = Operation::UpdateResourceDataSync;
        self.call(operation, About::region(region), |world, caller| world.update_sync(caller, region, sync)).await
    }

    async fn delete_resource_data_sync(
        &self,
        region: &Region,
        name: &SyncName,
        sync_type: SyncType,
    ) -> Result<(), Error> {
        let operation = Operation::DeleteResourceDataSync;
        let about = About::region(region);
        self.call(operation, about, |world, caller| world.delete_sync(caller, region, name, sync_type)).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl IamApi for Client {
    async fn get_role(&self, name: &RoleName) -> Result<Option<Role>, Error> {
        self.call(Operation::GetRole, About::default(), |world, caller| Ok(world.get_role(caller, name))).await
    }

    async fn create_service_linked_role(&self, principal: &ServicePrincipal) -> Result<Role, Error> {
        let operation = Operation::CreateServiceLinkedRole;
        self.call(operation, About::default(), |world, caller| world.create_role(caller, principal)).await
    }

    async fn delete_service_linked_role(&self, name: &RoleName) -> Result<DeletionTaskId, Error> {
        let operation = Operation::DeleteServiceLinkedRole;
        self.call(operation, About::default(), |world, caller| world.delete_role(caller, name)).await
    }

    async fn get_service_linked_role_deletion_status(&self, task: &DeletionTaskId) -> Result<DeletionStatus, Error> {
        let operation = Operation::GetServiceLinkedRoleDeletionStatus;
        self.call(operation, About::default(), |world, caller| world.deletion_status(caller, task)).await
    }
}
