use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::sleep;

use super::SimOrganization;
use super::faults::{Fault, Injection};
use super::log::{Call, CallOutcome};
use super::organization_state::{OrganizationState, UpdateScope};
use super::paging::PageRequest;
use crate::domain::{
    Account, AccountId, CallerIdentity, DataSync, DelegatedAdministrator, DeletionStatus, DeletionTaskId,
    EnabledService, Operation, OrganizationalUnit, OrganizationalUnitId, Page, PageToken, Region, Role, RoleName,
    ServicePrincipal, SyncDefinition, SyncName, SyncType,
};
use crate::error::Error;
use crate::ports::{IamApi, OrganizationsApi, StsApi, SystemsManagerApi};
use crate::trace::CallEvent;

/// Client with the credentials of one account, returned by [`SimOrganization::client`].
#[derive(Debug, Clone)]
pub struct SimClient {
    pub(super) organization: SimOrganization,
    account: AccountId,
    denied: BTreeSet<String>,
    /// Maximum number of items per page, in addition to the setting of the organization.
    pub(super) page_limit: Option<usize>,
}

/// Subject of a call, for the log.
#[derive(Default)]
pub(super) struct CallSubject {
    account: Option<AccountId>,
    region: Option<Region>,
}

impl CallSubject {
    fn account(account: AccountId) -> Self {
        Self { account: Some(account), region: None }
    }

    pub(super) fn region(region: &Region) -> Self {
        Self { account: None, region: Some(region.clone()) }
    }
}

/// Call in progress. When the call ends or its future is dropped, the lock is released and the call
/// is logged.
struct InFlightCall<'a> {
    organization: &'a SimOrganization,
    call: Option<Call>,
    locked: Option<UpdateScope>,
}

impl InFlightCall<'_> {
    fn end(&mut self, outcome: CallOutcome) {
        if let Some(call) = &mut self.call {
            call.outcome = outcome;
        }
    }
}

impl InFlightCall<'_> {
    fn tell(&self, error: Option<&Error>) {
        let Some(call) = &self.call else { return };
        let Call { operation, caller, account, region, .. } = call;
        let called = CallEvent {
            operation: *operation,
            caller: Some(*caller),
            account: *account,
            region: region.as_ref(),
            attempts: 1,
            request_id: None,
            error,
        };
        called.emit();
    }
}

impl Drop for InFlightCall<'_> {
    fn drop(&mut self) {
        let mut world = self.organization.world();
        if let Some(scope) = &self.locked {
            world.locked.remove(scope);
        }
        world.calls.extend(self.call.take());
    }
}

/// Returns the scope that a write locks against other writes.
fn scope_of(call: &Call) -> Option<UpdateScope> {
    match (call.operation, &call.region) {
        (Operation::UpdateResourceDataSync, Some(region)) => Some(UpdateScope::Updates(call.caller, region.clone())),
        (operation, _) if operation.is_write() && operation.service() == "organizations" => {
            Some(UpdateScope::Organization)
        }
        _ => None,
    }
}

pub(super) async fn wait(duration: Duration) {
    if !duration.is_zero() {
        sleep(duration).await;
    }
}

impl SimClient {
    pub(super) fn new(organization: SimOrganization, account: AccountId) -> Self {
        Self { organization, account, denied: BTreeSet::new(), page_limit: None }
    }

    /// Returns a client whose credentials lack an IAM action, such as
    /// `organizations:EnableAWSServiceAccess`. As in IAM, case is ignored.
    #[must_use]
    pub fn without_permission(mut self, action: impl Into<String>) -> Self {
        self.denied.insert(action.into().to_ascii_lowercase());
        self
    }

    /// Returns the account of the credentials.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    pub(super) fn page<'a>(&self, token: Option<&'a PageToken>) -> PageRequest<'a> {
        PageRequest { token, limit: self.page_limit }
    }

    /// Lists the delegated administrators of a service, or of all services.
    pub(super) async fn list_administrators(
        &self,
        principal: Option<&ServicePrincipal>,
        next: Option<PageToken>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        let operation = Operation::ListDelegatedAdministrators;
        let about = CallSubject::default();
        let request = self.page(next.as_ref());
        self.call(operation, about, |world, caller| world.list_administrators(caller, principal, request)).await
    }

    /// Makes one call: runs the interleaved closures, injects faults, applies the effect and logs
    /// the call.
    pub(super) async fn call<T: Send>(
        &self,
        operation: Operation,
        about: CallSubject,
        effect: impl FnOnce(&mut OrganizationState, AccountId) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        let Injection { interleavings, fault, dead } =
            self.organization.world().weather.next_call(operation, self.account, about.region.as_ref());
        for rival in interleavings {
            rival(&self.organization);
        }
        let CallSubject { account, region } = about;
        let call = Call { operation, caller: self.account, account, region, outcome: CallOutcome::ResponseLost };
        let mut under_way = InFlightCall { organization: &self.organization, call: Some(call), locked: None };
        let answer = if dead {
            Err(Error::response_lost(operation))
        } else {
            self.respond(operation, fault.as_ref(), &mut under_way, effect).await
        };
        under_way.end(answer.as_ref().map_or_else(CallOutcome::of, |_| CallOutcome::Success));
        under_way.tell(answer.as_ref().err());
        answer
    }

    async fn respond<T: Send>(
        &self,
        operation: Operation,
        fault: Option<&Fault>,
        under_way: &mut InFlightCall<'_>,
        effect: impl FnOnce(&mut OrganizationState, AccountId) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        let (refusal, latency) = {
            let mut world = self.organization.world();
            // A scripted fault precedes throttling and permission checks, because its ordinal is
            // guaranteed.
            let scripted = fault.and_then(|fault| fault.before_effect(operation));
            (scripted.or_else(|| self.denied(&mut world, operation, under_way)), world.latency)
        };
        wait(latency).await;
        let answer = match refusal {
            Some(error) => Err(error),
            None => effect(&mut self.organization.world(), self.account),
        };
        match fault {
            Some(Fault::ResponseLost) => Err(Error::response_lost(operation)),
            Some(Fault::ResponseReplaced(response)) => Err(response.error(operation)),
            Some(Fault::Delay(delay)) => {
                wait(*delay).await;
                answer
            }
            _ => answer,
        }
    }

    /// Returns AWS's message if the credentials lack an action.
    ///
    /// Organizations returns the message of a call from the wrong account.
    pub(super) fn missing_permission(&self, world: &OrganizationState, action: &str) -> Option<String> {
        if !self.denied.contains(&action.to_ascii_lowercase()) {
            return None;
        }
        if action.starts_with("organizations:") {
            return Some("You don't have permissions to access this resource.".to_owned());
        }
        let (partition, account) = (&world.charter.partition, self.account);
        Some(format!(
            "User: arn:{partition}:iam::{account}:user/sim is not authorized to perform: {action} because no \
             identity-based policy allows the {action} action"
        ))
    }

    /// Returns the error of the checks that precede the request's own rules. Without an error, a
    /// write locks its scope.
    fn denied(
        &self,
        world: &mut OrganizationState,
        operation: Operation,
        under_way: &mut InFlightCall<'_>,
    ) -> Option<Error> {
        let account = self.account;
        let is_member = world.state_of(account).is_some();
        if world.throttle.as_mut().is_some_and(|throttle| !throttle.admits(operation, account, is_member)) {
            return Fault::throttled(operation).before_effect(operation);
        }
        let is_free = operation == Operation::GetCallerIdentity;
        if !is_free && let Some(message) = self.missing_permission(world, &operation.iam_action()) {
            let code = if operation.service() == "iam" { "AccessDenied" } else { "AccessDeniedException" };
            return Some(Error::from_service_error(operation, code, message));
        }
        let scope = under_way.call.as_ref().and_then(scope_of)?;
        if scope == UpdateScope::Organization && account != world.charter.management {
            // The call will be refused later, so it blocks no other write.
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
impl OrganizationsApi for SimClient {
    async fn describe_organization(&self) -> Result<crate::domain::Organization, Error> {
        let about = CallSubject::default();
        self.call(Operation::DescribeOrganization, about, |world, caller| world.describe_organization(caller)).await
    }

    async fn describe_account(&self, account: AccountId) -> Result<Account, Error> {
        let about = CallSubject::account(account);
        self.call(Operation::DescribeAccount, about, |world, caller| world.describe_account(caller, account)).await
    }

    async fn describe_organizational_unit(&self, unit: &OrganizationalUnitId) -> Result<OrganizationalUnit, Error> {
        let operation = Operation::DescribeOrganizationalUnit;
        self.call(operation, CallSubject::default(), |world, caller| world.describe_unit(caller, unit)).await
    }

    async fn list_aws_service_access_for_organization(
        &self,
        next: Option<PageToken>,
    ) -> Result<Page<EnabledService>, Error> {
        let operation = Operation::ListAwsServiceAccessForOrganization;
        self.call(operation, CallSubject::default(), |world, caller| {
            world.list_trusted(caller, self.page(next.as_ref()))
        })
        .await
    }

    async fn enable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        let operation = Operation::EnableAwsServiceAccess;
        self.call(operation, CallSubject::default(), |world, caller| world.enable(caller, principal)).await
    }

    async fn disable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        let operation = Operation::DisableAwsServiceAccess;
        self.call(operation, CallSubject::default(), |world, caller| world.disable(caller, principal)).await
    }

    async fn list_delegated_administrators(
        &self,
        principal: &ServicePrincipal,
        next: Option<PageToken>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        self.list_administrators(Some(principal), next).await
    }

    async fn register_delegated_administrator(
        &self,
        account: AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let operation = Operation::RegisterDelegatedAdministrator;
        let about = CallSubject::account(account);
        self.call(operation, about, |world, caller| world.register(caller, account, principal)).await
    }

    async fn deregister_delegated_administrator(
        &self,
        account: AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let operation = Operation::DeregisterDelegatedAdministrator;
        let about = CallSubject::account(account);
        self.call(operation, about, |world, caller| world.deregister(caller, account, principal)).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl StsApi for SimClient {
    async fn get_caller_identity(&self) -> Result<CallerIdentity, Error> {
        let operation = Operation::GetCallerIdentity;
        self.call(operation, CallSubject::default(), |_, caller| Ok(CallerIdentity::new(caller))).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl SystemsManagerApi for SimClient {
    async fn list_resource_data_sync(
        &self,
        region: &Region,
        sync_type: SyncType,
        next: Option<PageToken>,
    ) -> Result<Page<DataSync>, Error> {
        let operation = Operation::ListResourceDataSync;
        let about = CallSubject::region(region);
        self.call(operation, about, |world, caller| {
            world.list_syncs(caller, region, sync_type, self.page(next.as_ref()))
        })
        .await
    }

    async fn create_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        let operation = Operation::CreateResourceDataSync;
        self.call(operation, CallSubject::region(region), |world, caller| world.create_sync(caller, region, sync)).await
    }

    async fn update_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        let operation = Operation::UpdateResourceDataSync;
        self.call(operation, CallSubject::region(region), |world, caller| world.update_sync(caller, region, sync)).await
    }

    async fn delete_resource_data_sync(
        &self,
        region: &Region,
        name: &SyncName,
        sync_type: SyncType,
    ) -> Result<(), Error> {
        let operation = Operation::DeleteResourceDataSync;
        let about = CallSubject::region(region);
        self.call(operation, about, |world, caller| world.delete_sync(caller, region, name, sync_type)).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl IamApi for SimClient {
    async fn get_role(&self, name: &RoleName) -> Result<Option<Role>, Error> {
        self.call(Operation::GetRole, CallSubject::default(), |world, caller| Ok(world.get_role(caller, name))).await
    }

    async fn create_service_linked_role(&self, principal: &ServicePrincipal) -> Result<Role, Error> {
        let operation = Operation::CreateServiceLinkedRole;
        self.call(operation, CallSubject::default(), |world, caller| world.create_role(caller, principal)).await
    }

    async fn delete_service_linked_role(&self, name: &RoleName) -> Result<DeletionTaskId, Error> {
        let operation = Operation::DeleteServiceLinkedRole;
        self.call(operation, CallSubject::default(), |world, caller| world.delete_role(caller, name)).await
    }

    async fn get_service_linked_role_deletion_status(&self, task: &DeletionTaskId) -> Result<DeletionStatus, Error> {
        let operation = Operation::GetServiceLinkedRoleDeletionStatus;
        self.call(operation, CallSubject::default(), |world, caller| world.deletion_status(caller, task)).await
    }
}
