//! AWS's rules: what each call does, and how it is refused.

use super::pages::Paging;
use super::world::World;
use crate::domain::{AccountId, PageToken, Region, ServicePrincipal};
use crate::error::Error;
use crate::ports::{
    Account, AccountState, DataSync, DelegatedAdministrator, EnabledService, FeatureSet, Operation, Organization, Page,
    SyncType,
};

/// What an account is to the organization.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Management,
    /// The delegated administrator of any service: it may read.
    Administrator,
    Member,
    Outside,
}

fn constraint(operation: Operation, reason: &str, message: &str) -> Error {
    Error::service(operation, "ConstraintViolationException", message).with_reason(reason)
}

impl World {
    fn role(&self, account: AccountId) -> Role {
        if account == self.management {
            Role::Management
        } else if self.members.state(account).is_none() {
            Role::Outside
        } else if self.is_administrator_of_anything(account) {
            Role::Administrator
        } else {
            Role::Member
        }
    }

    fn admit(&self, operation: Operation, caller: AccountId, admitted: &[Role]) -> Result<(), Error> {
        match self.role(caller) {
            Role::Outside => Err(Error::service(
                operation,
                "AWSOrganizationsNotInUseException",
                "Your account is not a member of an organization.",
            )),
            role if admitted.contains(&role) => Ok(()),
            _ => Err(Error::service(
                operation,
                "AccessDeniedException",
                "You don't have permissions to access this resource.",
            )),
        }
    }

    fn may_read(&self, operation: Operation, caller: AccountId) -> Result<(), Error> {
        self.admit(operation, caller, &[Role::Management, Role::Administrator])
    }

    fn may_write(&self, operation: Operation, caller: AccountId) -> Result<(), Error> {
        self.admit(operation, caller, &[Role::Management])
    }

    fn recognize(operation: Operation, principal: &ServicePrincipal) -> Result<(), Error> {
        if principal.as_str().ends_with(".amazonaws.com") {
            Ok(())
        } else {
            let message = "You specified an unrecognized service principal.";
            Err(Error::service(operation, "InvalidInputException", message)
                .with_reason("UNRECOGNIZED_SERVICE_PRINCIPAL"))
        }
    }

    fn need_all_features(&self, operation: Operation) -> Result<(), Error> {
        if self.feature_set == FeatureSet::All {
            return Ok(());
        }
        let message = "This operation requires the organization to be in all features mode.";
        Err(constraint(operation, "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE", message))
    }

    fn need_account(&self, operation: Operation, account: AccountId) -> Result<AccountState, Error> {
        let state = if account == self.management { Some(AccountState::Active) } else { self.members.state(account) };
        state.ok_or_else(|| {
            Error::service(operation, "AccountNotFoundException", "You specified an account that doesn't exist.")
        })
    }

    fn paging(&self) -> Paging {
        Paging { size: self.page_size, empty_first: self.empty_pages }
    }

    pub(super) fn describe_organization(&self, caller: AccountId) -> Result<Organization, Error> {
        let everybody = [Role::Management, Role::Administrator, Role::Member];
        self.admit(Operation::DescribeOrganization, caller, &everybody)?;
        Ok(Organization::new(self.id.clone(), self.management)
            .with_partition(self.partition.clone())
            .with_feature_set(Some(self.feature_set)))
    }

    pub(super) fn describe_account(&self, caller: AccountId, account: AccountId) -> Result<Account, Error> {
        let operation = Operation::DescribeAccount;
        self.may_read(operation, caller)?;
        self.need_account(operation, account).map(|state| Account::new(account, state))
    }

    pub(super) fn list_trusted(
        &self,
        caller: AccountId,
        token: Option<&PageToken>,
    ) -> Result<Page<EnabledService>, Error> {
        let operation = Operation::ListAwsServiceAccessForOrganization;
        self.may_read(operation, caller)?;
        self.need_all_features(operation)?;
        let trusted = self.shown().trusted.iter();
        let items = trusted.map(|(principal, since)| EnabledService::new(principal.clone(), Some(*since))).collect();
        self.paging().page(operation, items, token)
    }

    pub(super) fn enable(&mut self, caller: AccountId, principal: &ServicePrincipal) -> Result<(), Error> {
        let operation = Operation::EnableAwsServiceAccess;
        self.may_write(operation, caller)?;
        Self::recognize(operation, principal)?;
        self.need_all_features(operation)?;
        self.trust(principal);
        Ok(())
    }

    pub(super) fn disable(&mut self, caller: AccountId, principal: &ServicePrincipal) -> Result<(), Error> {
        let operation = Operation::DisableAwsServiceAccess;
        self.may_write(operation, caller)?;
        Self::recognize(operation, principal)?;
        if !self.administrators(principal).is_empty() {
            let message = "You must first deregister any existing delegated administrators for this service.";
            return Err(constraint(operation, "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE", message));
        }
        self.distrust(principal);
        Ok(())
    }

    pub(super) fn list_administrators(
        &self,
        caller: AccountId,
        principal: &ServicePrincipal,
        token: Option<&PageToken>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        let operation = Operation::ListDelegatedAdministrators;
        self.may_read(operation, caller)?;
        let accounts = self.shown().delegations.get(principal).into_iter().flatten();
        let items = accounts
            .map(|(account, since)| {
                DelegatedAdministrator::new(*account, Some(*since)).with_state(self.members.state(*account))
            })
            .collect();
        self.paging().page(operation, items, token)
    }

    pub(super) fn register(
        &mut self,
        caller: AccountId,
        account: AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let operation = Operation::RegisterDelegatedAdministrator;
        self.may_write(operation, caller)?;
        Self::recognize(operation, principal)?;
        let state = self.need_account(operation, account)?;
        if account == self.management {
            let message =
                "You cannot register master account/yourself as delegated administrator for your organization.";
            return Err(constraint(operation, "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR", message));
        }
        if state != AccountState::Active {
            let message = "You cannot register a suspended account as a delegated administrator.";
            return Err(constraint(operation, "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR", message));
        }
        if !self.is_trusted(principal) {
            let message = "You attempted to register a delegated administrator before you enabled service access. Call the \
                 EnableAWSServiceAccess API first.";
            return Err(constraint(operation, "SERVICE_ACCESS_NOT_ENABLED", message));
        }
        let administrators = self.administrators(principal);
        if administrators.contains(&account) {
            let message = "The provided account is already a delegated administrator for your organization.";
            return Err(Error::service(operation, "AccountAlreadyRegisteredException", message));
        }
        if !administrators.is_empty() && *principal == ServicePrincipal::SYSTEMS_MANAGER {
            let message = "You have exceeded the allowed number of delegated administrators for the delegated service.";
            return Err(constraint(operation, "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED", message));
        }
        self.delegate(principal, account);
        Ok(())
    }

    pub(super) fn deregister(
        &mut self,
        caller: AccountId,
        account: AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let operation = Operation::DeregisterDelegatedAdministrator;
        self.may_write(operation, caller)?;
        Self::recognize(operation, principal)?;
        self.need_account(operation, account)?;
        if !self.administrators(principal).contains(&account) {
            let message = "The provided account is not a registered delegated administrator for your organization.";
            return Err(Error::service(operation, "AccountNotRegisteredException", message));
        }
        self.undelegate(principal, account);
        if *principal == ServicePrincipal::SYSTEMS_MANAGER {
            for ((owner, _), syncs) in &mut self.syncs {
                if *owner == account {
                    syncs.retain(|sync| !sync.is_of_organization());
                }
            }
        }
        Ok(())
    }

    pub(super) fn list_syncs(
        &self,
        caller: AccountId,
        region: &Region,
        sync_type: SyncType,
        token: Option<&PageToken>,
    ) -> Result<Page<DataSync>, Error> {
        let syncs = match sync_type {
            SyncType::SyncFromSource => self.syncs.get(&(caller, region.clone())).cloned().unwrap_or_default(),
            SyncType::SyncToDestination => Vec::new(),
        };
        self.paging().page(Operation::ListResourceDataSync, syncs, token)
    }
}
