//! Operations of [`SimClient`] that only callers over AWS's protocols use.

use super::SimOrganization;
use super::client::{SimClient, wait};
use super::faults::{Fault, Injection, message_of};
use super::hierarchy::{AccountCreation, AccountDetails, FurtherError, Parent, Refusal, UnitDetails};
use super::log::{CallOutcome, FurtherCall};
use super::organization_state::{OrganizationState, UpdateScope};
use crate::domain::{
    AccountId, DelegatedAdministrator, Operation, OrganizationalUnitId, Page, PageToken, Partition, Region, Role,
    ServicePrincipal, SyncName,
};
use crate::error::Error;

impl SimOrganization {
    /// Makes the next `CreateAccount` over AWS's protocols fail with this reason, such as
    /// `ACCOUNT_LIMIT_EXCEEDED`.
    pub fn fail_account_creation(&self, reason: impl Into<String>) {
        self.world().creation_failures.push_back(reason.into());
    }

    /// Injects a fault into the `nth` call of an operation that is only available over AWS's
    /// protocols, such as `CreateAccount`, counted from one, starting now.
    ///
    /// [`inject_fault`](Self::inject_fault) does the same for the operations of this crate.
    pub fn inject_further_fault(&self, operation: impl Into<String>, nth: usize, fault: Fault) {
        self.world().weather.script(Some(operation.into().into()), nth, fault);
    }

    /// Returns the calls of the operations that are only available over AWS's protocols, made since
    /// the last [`clear_calls`](Self::clear_calls), in order.
    #[must_use]
    pub fn further_calls(&self) -> Vec<FurtherCall> {
        self.world().further_calls.clone()
    }

    /// Returns the id of the next request.
    pub(crate) fn next_request_id(&self) -> String {
        let mut world = self.world();
        world.requests += 1;
        format!("00000000-0000-4000-8000-{:012x}", world.requests)
    }

    /// Returns the current date of the simulation.
    pub(crate) fn date(&self) -> std::time::SystemTime {
        self.world().clock.now()
    }

    pub(crate) fn partition(&self) -> Partition {
        self.world().charter.partition.clone()
    }

    /// Returns the prefix of the organization's ARNs, and the id of the organization.
    pub(crate) fn arn_parts(&self) -> (String, String) {
        let world = self.world();
        let settings = &world.charter;
        let prefix = format!("arn:{}:organizations::{}", settings.partition, settings.management);
        (prefix, settings.id.as_str().to_owned())
    }

    /// Returns the id of the root.
    pub(crate) fn root(&self) -> String {
        self.world().root()
    }

    /// Returns the personal data of an account of the organization.
    pub(crate) fn account_details(&self, account: AccountId) -> Option<AccountDetails> {
        let world = self.world();
        world.state_of(account).map(|state| world.account_details(account, state))
    }

    /// Returns an organizational unit with its name.
    pub(crate) fn unit_details(&self, unit: &OrganizationalUnitId) -> UnitDetails {
        self.world().unit_details(unit)
    }
}

impl SimClient {
    pub(crate) fn organization(&self) -> &SimOrganization {
        &self.organization
    }

    /// Limits the number of items per page.
    pub(crate) fn with_page_limit(mut self, limit: Option<usize>) -> Self {
        self.page_limit = limit;
        self
    }

    pub(crate) async fn list_delegated_administrators_of(
        &self,
        principal: Option<&ServicePrincipal>,
        next: Option<PageToken>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        self.list_administrators(principal, next).await
    }

    /// Creates a data sync of the type for Inventory.
    pub(crate) async fn create_inventory_sync(&self, region: &Region, name: &SyncName) -> Result<(), Error> {
        let operation = Operation::CreateResourceDataSync;
        let about = super::client::CallSubject::region(region);
        self.call(operation, about, |world, caller| world.create_inventory_sync(caller, region, name)).await
    }

    /// Makes a call that is not part of the ports. Throttling does not apply to it.
    async fn call_further<T: Send>(
        &self,
        action: &'static str,
        is_write: bool,
        effect: impl FnOnce(&mut OrganizationState, AccountId) -> Result<T, Refusal> + Send,
    ) -> Result<T, FurtherError> {
        let name = action.split_once(':').map_or(action, |(_, name)| name);
        let Injection { interleavings, fault, dead } = self.organization.world().weather.next_scripted(name);
        for rival in interleavings {
            rival(&self.organization);
        }
        let call = FurtherCall { action, caller: self.account(), is_write, outcome: CallOutcome::ResponseLost };
        let mut under_way = InFlightCall { organization: &self.organization, call: Some(call), is_locked: false };
        let answer = if dead || matches!(fault, Some(Fault::RequestLost)) {
            Err(FurtherError::NoResponse)
        } else {
            self.respond_further(fault, &mut under_way, effect).await
        };
        under_way.end(&answer);
        answer
    }

    async fn respond_further<T: Send>(
        &self,
        fault: Option<Fault>,
        under_way: &mut InFlightCall<'_>,
        effect: impl FnOnce(&mut OrganizationState, AccountId) -> Result<T, Refusal> + Send,
    ) -> Result<T, FurtherError> {
        let (refusal, latency) = {
            let mut world = self.organization.world();
            let scripted = match &fault {
                Some(Fault::RequestFailed(response)) => return Err(FurtherError::Unusable(*response)),
                Some(Fault::Refused { code, reason }) => Some(Refusal {
                    reason: reason.clone().map(Into::into),
                    ..Refusal::new(code.clone(), message_of(code))
                }),
                _ => None,
            };
            (scripted.or_else(|| self.denied_further(&mut world, under_way)), world.latency)
        };
        wait(latency).await;
        let answer = match refusal {
            Some(refusal) => Err(refusal.into()),
            None => effect(&mut self.organization.world(), self.account()).map_err(Into::into),
        };
        match fault {
            Some(Fault::ResponseLost) => Err(FurtherError::NoResponse),
            Some(Fault::ResponseReplaced(response)) => Err(FurtherError::Unusable(response)),
            Some(Fault::Delay(delay)) => {
                wait(delay).await;
                answer
            }
            _ => answer,
        }
    }

    /// Returns the refusal of the checks that precede the request's own rules. Without a refusal, a
    /// write locks the organization.
    fn denied_further(&self, world: &mut OrganizationState, under_way: &mut InFlightCall<'_>) -> Option<Refusal> {
        let call = under_way.call.as_ref()?;
        if let Some(message) = self.missing_permission(world, call.action) {
            let is_json = call.action.starts_with("organizations:");
            return Some(Refusal::new(if is_json { "AccessDeniedException" } else { "AccessDenied" }, message));
        }
        if call.is_write && self.account() == world.charter.management {
            if !world.locked.insert(UpdateScope::Organization) {
                let code = "ConcurrentModificationException";
                return Some(Refusal::new(code, message_of(code)));
            }
            under_way.is_locked = true;
        }
        None
    }

    pub(crate) async fn list_accounts(&self, next: Option<PageToken>) -> Result<Page<AccountDetails>, FurtherError> {
        let request = self.page(next.as_ref());
        let action = "organizations:ListAccounts";
        self.call_further(action, false, |world, caller| world.list_accounts(caller, request)).await
    }

    pub(crate) async fn list_accounts_for_parent(
        &self,
        parent: &str,
        next: Option<PageToken>,
    ) -> Result<Page<AccountDetails>, FurtherError> {
        let request = self.page(next.as_ref());
        let action = "organizations:ListAccountsForParent";
        self.call_further(action, false, |world, caller| world.list_accounts_for_parent(caller, parent, request)).await
    }

    pub(crate) async fn list_roots(&self, next: Option<PageToken>) -> Result<Page<String>, FurtherError> {
        let request = self.page(next.as_ref());
        let action = "organizations:ListRoots";
        self.call_further(action, false, |world, caller| world.list_roots(caller, request)).await
    }

    pub(crate) async fn list_units_for_parent(
        &self,
        parent: &str,
        next: Option<PageToken>,
    ) -> Result<Page<UnitDetails>, FurtherError> {
        let request = self.page(next.as_ref());
        let action = "organizations:ListOrganizationalUnitsForParent";
        self.call_further(action, false, |world, caller| world.list_units_for_parent(caller, parent, request)).await
    }

    pub(crate) async fn list_parents(
        &self,
        child: &str,
        next: Option<PageToken>,
    ) -> Result<Page<Parent>, FurtherError> {
        let request = self.page(next.as_ref());
        let action = "organizations:ListParents";
        self.call_further(action, false, |world, caller| world.list_parents(caller, child, request)).await
    }

    pub(crate) async fn list_delegated_services(
        &self,
        account: AccountId,
        next: Option<PageToken>,
    ) -> Result<Page<(ServicePrincipal, std::time::SystemTime)>, FurtherError> {
        let request = self.page(next.as_ref());
        let action = "organizations:ListDelegatedServicesForAccount";
        self.call_further(action, false, |world, caller| world.list_delegated_services(caller, account, request)).await
    }

    pub(crate) async fn list_roles(&self, path: &str, next: Option<PageToken>) -> Result<Page<Role>, FurtherError> {
        let request = self.page(next.as_ref());
        self.call_further("iam:ListRoles", false, |world, caller| world.list_roles(caller, path, request)).await
    }

    /// Checks whether this client can assume a role of `account`, and returns AWS's refusal
    /// otherwise.
    pub(crate) async fn assume_role(&self, account: AccountId, role: &str, arn: &str) -> Result<(), FurtherError> {
        let action = "sts:AssumeRole";
        self.call_further(action, false, |world, caller| {
            if world.may_assume(caller, account, role) {
                return Ok(());
            }
            let partition = &world.charter.partition;
            let message = format!(
                "User: arn:{partition}:iam::{caller}:user/sim is not authorized to perform: {action} on resource: {arn}"
            );
            Err(Refusal::new("AccessDenied", message))
        })
        .await
    }

    pub(crate) async fn create_account(&self, name: &str, email: &str) -> Result<AccountCreation, FurtherError> {
        let action = "organizations:CreateAccount";
        self.call_further(action, true, |world, caller| world.create_account(caller, name, email)).await
    }

    pub(crate) async fn describe_account_creation(&self, id: &str) -> Result<AccountCreation, FurtherError> {
        let action = "organizations:DescribeCreateAccountStatus";
        self.call_further(action, false, |world, caller| world.describe_creation(caller, id)).await
    }

    pub(crate) async fn close_account(&self, account: AccountId) -> Result<(), FurtherError> {
        let action = "organizations:CloseAccount";
        self.call_further(action, true, |world, caller| world.close_account(caller, account)).await
    }

    pub(crate) async fn remove_account(&self, account: AccountId) -> Result<(), FurtherError> {
        let action = "organizations:RemoveAccountFromOrganization";
        self.call_further(action, true, |world, caller| world.remove_account(caller, account)).await
    }

    pub(crate) async fn move_account(&self, account: AccountId, from: &str, to: &str) -> Result<(), FurtherError> {
        let action = "organizations:MoveAccount";
        self.call_further(action, true, |world, caller| world.move_account(caller, account, from, to)).await
    }

    pub(crate) async fn create_unit(&self, parent: &str, name: &str) -> Result<UnitDetails, FurtherError> {
        let action = "organizations:CreateOrganizationalUnit";
        self.call_further(action, true, |world, caller| world.create_unit(caller, parent, name)).await
    }
}

/// Call in progress. When the call ends or its future is dropped, the lock is released and the call
/// is logged.
struct InFlightCall<'a> {
    organization: &'a SimOrganization,
    call: Option<FurtherCall>,
    is_locked: bool,
}

impl InFlightCall<'_> {
    fn end<T>(&mut self, answer: &Result<T, FurtherError>) {
        if let Some(call) = &mut self.call {
            call.outcome = match answer {
                Ok(_) => CallOutcome::Success,
                Err(FurtherError::Refused(refusal)) => CallOutcome::refused(&refusal.code, refusal.reason.as_deref()),
                Err(FurtherError::NoResponse | FurtherError::Unusable(_)) => CallOutcome::ResponseLost,
            };
        }
    }
}

impl Drop for InFlightCall<'_> {
    fn drop(&mut self) {
        let mut world = self.organization.world();
        if self.is_locked {
            world.locked.remove(&UpdateScope::Organization);
        }
        world.further_calls.extend(self.call.take());
    }
}
