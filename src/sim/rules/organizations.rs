use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::domain::{
    Account, AccountId, AccountState, DelegatedAdministrator, EnabledService, FeatureSet, Operation, Organization,
    OrganizationalUnit, OrganizationalUnitId, Page, ServicePrincipal,
};
use crate::error::Error;
use crate::policy::DelegationPolicy;
use crate::sim::organization_state::OrganizationState;
use crate::sim::paging::PageRequest;
use crate::sim::undocumented::{
    DeregisterWithoutTrust, DisableWithAdministrators, RegisterWithoutTrust, RepeatedWrite, SecondAdministrator,
};

/// Role of the calling account in the organization.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum CallerRole {
    Management,
    /// Delegated administrator of any service, which may read.
    Administrator,
    Member,
    Outside,
}

/// Returns the documented maximum number of administrators of a service.
fn most_administrators(principal: &ServicePrincipal) -> Option<usize> {
    match principal.as_str() {
        "ssm.amazonaws.com" | "ssm-quicksetup.amazonaws.com" => Some(1),
        "member.org.stacksets.cloudformation.amazonaws.com" => Some(5),
        _ => None,
    }
}

/// Returns whether a service works with trusted access only, without delegated administrators.
fn is_trust_only(principal: &ServicePrincipal) -> bool {
    ["opsdatasync.ssm.amazonaws.com", "controltower.amazonaws.com"].contains(&principal.as_str())
}

impl OrganizationState {
    /// Returns one page of a listing, or an error for a token that the listing did not issue.
    pub(super) fn page<T>(
        &self,
        operation: Operation,
        items: Vec<T>,
        request: PageRequest<'_>,
    ) -> Result<Page<T>, Error> {
        self.paging.page(operation.name(), items, request).ok_or_else(|| {
            let message = "You specified an invalid NextToken.";
            if operation.service() == "ssm" {
                Error::from_service_error(operation, "InvalidNextToken", message)
            } else {
                self.with_reason(operation, "InvalidInputException", "INVALID_NEXT_TOKEN", message)
            }
        })
    }

    fn role(&self, account: AccountId) -> CallerRole {
        if account == self.charter.management {
            CallerRole::Management
        } else if self.charter.members.state(account).is_none() {
            CallerRole::Outside
        } else if self.now().administers_anything(account) {
            CallerRole::Administrator
        } else {
            CallerRole::Member
        }
    }

    fn admit(&self, operation: Operation, caller: AccountId, admitted: &[CallerRole]) -> Result<(), Error> {
        let may_read = self.readers.contains(&caller) && DelegationPolicy::can_allow(operation);
        if may_read && self.role(caller) == CallerRole::Member {
            return Ok(());
        }
        self.refusal_of(caller, admitted)
            .map_or(Ok(()), |(code, message)| Err(Error::from_service_error(operation, code, message)))
    }

    /// Returns the code and the message with which AWS refuses a caller.
    pub(super) fn refusal_of(
        &self,
        caller: AccountId,
        admitted: &[CallerRole],
    ) -> Option<(&'static str, &'static str)> {
        match self.role(caller) {
            CallerRole::Outside => {
                Some(("AWSOrganizationsNotInUseException", "Your account is not a member of an organization."))
            }
            role if admitted.contains(&role) => None,
            _ => Some(("AccessDeniedException", "You don't have permissions to access this resource.")),
        }
    }

    fn may_read(&self, operation: Operation, caller: AccountId) -> Result<(), Error> {
        self.admit(operation, caller, &[CallerRole::Management, CallerRole::Administrator])
    }

    fn may_write(&self, operation: Operation, caller: AccountId) -> Result<(), Error> {
        self.admit(operation, caller, &[CallerRole::Management])
    }

    fn with_reason(&self, operation: Operation, code: &str, reason: &str, message: &str) -> Error {
        let error = Error::from_service_error(operation, code, message);
        if self.undocumented.reasons { error.with_reason(reason) } else { error }
    }

    fn constraint(&self, operation: Operation, reason: &str, message: &str) -> Error {
        self.with_reason(operation, "ConstraintViolationException", reason, message)
    }

    fn not_trusted(&self, operation: Operation) -> Error {
        let message = "You attempted to register a delegated administrator before you enabled service access. Call the \
                       EnableAWSServiceAccess API first.";
        self.constraint(operation, "SERVICE_ACCESS_NOT_ENABLED", message)
    }

    fn administered(&self, operation: Operation) -> Error {
        let message = "You must first deregister any existing delegated administrators for this service.";
        self.constraint(operation, "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE", message)
    }

    fn unrecognized(&self, operation: Operation) -> Error {
        let message = "You specified an unrecognized service principal.";
        let reason = if self.undocumented.reason_fields {
            "UNRECOGNIZED_SERVICE_PRINCIPAL:ServicePrincipal"
        } else {
            "UNRECOGNIZED_SERVICE_PRINCIPAL"
        };
        self.with_reason(operation, "InvalidInputException", reason, message)
    }

    fn recognize(&self, operation: Operation, principal: &ServicePrincipal) -> Result<(), Error> {
        let ours = *principal == ServicePrincipal::SYSTEMS_MANAGER;
        let recognized = !ours || self.undocumented.systems_manager_is_recognized;
        if recognized && principal.as_str().ends_with(".amazonaws.com") {
            Ok(())
        } else {
            Err(self.unrecognized(operation))
        }
    }

    fn recognize_delegation(&self, operation: Operation, principal: &ServicePrincipal) -> Result<(), Error> {
        if is_trust_only(principal) { Err(self.unrecognized(operation)) } else { self.recognize(operation, principal) }
    }

    fn need_all_features(&self, operation: Operation) -> Result<(), Error> {
        if self.charter.feature_set == FeatureSet::All {
            return Ok(());
        }
        let message = "This operation requires the organization to be in all features mode.";
        Err(self.constraint(operation, "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE", message))
    }

    /// Returns the state of an account of the organization.
    pub(in crate::sim) fn state_of(&self, account: AccountId) -> Option<AccountState> {
        if account == self.charter.management {
            Some(AccountState::Active)
        } else {
            self.charter.members.state(account)
        }
    }

    fn need_account(&self, operation: Operation, account: AccountId) -> Result<AccountState, Error> {
        self.state_of(account).ok_or_else(|| {
            Error::from_service_error(
                operation,
                "AccountNotFoundException",
                "You specified an account that doesn't exist.",
            )
        })
    }

    pub(in crate::sim) fn describe_organization(&self, caller: AccountId) -> Result<Organization, Error> {
        let everybody = [CallerRole::Management, CallerRole::Administrator, CallerRole::Member];
        self.admit(Operation::DescribeOrganization, caller, &everybody)?;
        Ok(Organization::new(self.charter.id.clone(), self.charter.management)
            .with_partition(self.charter.partition.clone())
            .with_feature_set(Some(self.charter.feature_set)))
    }

    pub(in crate::sim) fn describe_account(&self, caller: AccountId, account: AccountId) -> Result<Account, Error> {
        let operation = Operation::DescribeAccount;
        self.may_read(operation, caller)?;
        self.need_account(operation, account).map(|state| Account::new(account, state))
    }

    pub(in crate::sim) fn describe_unit(
        &self,
        caller: AccountId,
        unit: &OrganizationalUnitId,
    ) -> Result<OrganizationalUnit, Error> {
        let operation = Operation::DescribeOrganizationalUnit;
        self.may_read(operation, caller)?;
        if self.charter.units.contains(unit) {
            return Ok(OrganizationalUnit::new(unit.clone()));
        }
        let message = "You specified an organizational unit that doesn't exist.";
        Err(Error::from_service_error(operation, "OrganizationalUnitNotFoundException", message))
    }

    pub(in crate::sim) fn list_trusted(
        &mut self,
        caller: AccountId,
        request: PageRequest<'_>,
    ) -> Result<Page<EnabledService>, Error> {
        let operation = Operation::ListAwsServiceAccessForOrganization;
        self.may_read(operation, caller)?;
        if self.undocumented.listing_needs_all_features {
            self.need_all_features(operation)?;
        }
        let trusted = self.history.read(operation).trusted.iter();
        let items = trusted.map(|(principal, since)| EnabledService::new(principal.clone(), Some(*since))).collect();
        self.page(operation, items, request)
    }

    pub(in crate::sim) fn enable(&mut self, caller: AccountId, principal: &ServicePrincipal) -> Result<(), Error> {
        let operation = Operation::EnableAwsServiceAccess;
        self.may_write(operation, caller)?;
        self.recognize(operation, principal)?;
        self.need_all_features(operation)?;
        if self.now().is_trusted(principal) {
            return self.repeated(operation);
        }
        self.trust(principal);
        Ok(())
    }

    pub(in crate::sim) fn disable(&mut self, caller: AccountId, principal: &ServicePrincipal) -> Result<(), Error> {
        let operation = Operation::DisableAwsServiceAccess;
        self.may_write(operation, caller)?;
        self.recognize(operation, principal)?;
        let administrators = self.now().administrators(principal);
        let dismissed = match self.undocumented.disable_with_administrators {
            DisableWithAdministrators::Refused if !administrators.is_empty() => {
                return Err(self.administered(operation));
            }
            DisableWithAdministrators::Deregisters => administrators,
            DisableWithAdministrators::Refused | DisableWithAdministrators::Orphans => Vec::new(),
        };
        if !self.now().is_trusted(principal) {
            return self.repeated(operation);
        }
        for account in dismissed {
            self.deregister_all(principal, account);
        }
        self.change(|contents, _| contents.disable_trusted_access(principal));
        Ok(())
    }

    /// Deregisters an account, with all effects that the settings select.
    fn deregister_all(&mut self, principal: &ServicePrincipal, account: AccountId) {
        let ours = *principal == ServicePrincipal::SYSTEMS_MANAGER;
        let spared = (ours && self.undocumented.deregistering_deletes_syncs)
            .then(|| self.undocumented.deregistering_spares.clone());
        self.change(|contents, _| {
            contents.deregister(principal, account);
            if let Some(spared) = spared {
                contents.remove_organization_syncs_of(account, &spared);
            }
        });
    }

    fn repeated(&self, operation: Operation) -> Result<(), Error> {
        match self.undocumented.repeated_write {
            RepeatedWrite::Accepted => Ok(()),
            RepeatedWrite::Refused => {
                Err(Error::from_service_error(operation, "ConstraintViolationException", "There is nothing to change."))
            }
        }
    }

    pub(in crate::sim) fn list_administrators(
        &mut self,
        caller: AccountId,
        principal: Option<&ServicePrincipal>,
        request: PageRequest<'_>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        let operation = Operation::ListDelegatedAdministrators;
        self.may_read(operation, caller)?;
        if principal.is_some_and(is_trust_only) && !self.undocumented.trust_only_services_are_recognized {
            return Err(self.unrecognized(operation));
        }
        let delegations = &self.history.read(operation).delegations;
        let services =
            delegations.iter().filter(|(service, _)| principal.is_none_or(|principal| principal == *service));
        // An account that administers several services is listed once, with its first date.
        let mut listed = BTreeMap::new();
        for (account, since) in services.flat_map(|(_, accounts)| accounts) {
            listed.entry(*account).and_modify(|first: &mut SystemTime| *first = (*first).min(*since)).or_insert(*since);
        }
        let items = listed
            .into_iter()
            .map(|(account, since)| {
                DelegatedAdministrator::new(account, Some(since)).with_state(self.state_of(account))
            })
            .collect();
        self.page(operation, items, request)
    }

    pub(in crate::sim) fn register(
        &mut self,
        caller: AccountId,
        account: AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let operation = Operation::RegisterDelegatedAdministrator;
        self.may_write(operation, caller)?;
        self.recognize_delegation(operation, principal)?;
        let state = self.need_account(operation, account)?;
        if account == self.charter.management {
            let message =
                "You cannot register master account/yourself as delegated administrator for your organization.";
            let reason = "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR";
            return Err(self.constraint(operation, reason, message));
        }
        if state != AccountState::Active {
            let message = "You cannot register a suspended account as a delegated administrator.";
            let reason = "CANNOT_REGISTER_SUSPENDED_ACCOUNT_AS_DELEGATED_ADMINISTRATOR";
            return Err(self.constraint(operation, reason, message));
        }
        if self.undocumented.register_without_trust == RegisterWithoutTrust::UnrecognizedServicePrincipal
            && self.charter.feature_set != FeatureSet::All
        {
            return Err(self.unrecognized(operation));
        }
        self.need_all_features(operation)?;
        let mut enables = false;
        if !self.now().is_trusted(principal) {
            match self.undocumented.register_without_trust {
                RegisterWithoutTrust::ServiceAccessNotEnabled => return Err(self.not_trusted(operation)),
                RegisterWithoutTrust::UnrecognizedServicePrincipal => return Err(self.unrecognized(operation)),
                RegisterWithoutTrust::Accepted => {}
                RegisterWithoutTrust::Enables => enables = true,
            }
        }
        let administrators = self.now().administrators(principal);
        if administrators.contains(&account) {
            let message = "The provided account is already a delegated administrator for your organization.";
            return Err(Error::from_service_error(operation, "AccountAlreadyRegisteredException", message));
        }
        if most_administrators(principal).is_some_and(|most| administrators.len() >= most) {
            match self.undocumented.second_administrator {
                SecondAdministrator::LimitExceeded => {
                    let message =
                        "You have exceeded the allowed number of delegated administrators for the delegated service.";
                    let reason = "MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED";
                    return Err(self.constraint(operation, reason, message));
                }
                SecondAdministrator::Exists => return Err(self.administered(operation)),
                SecondAdministrator::Accepted => {}
            }
        }
        if enables {
            self.trust(principal);
        }
        self.change(|contents, date| contents.register(principal, account, date));
        Ok(())
    }

    pub(in crate::sim) fn deregister(
        &mut self,
        caller: AccountId,
        account: AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let operation = Operation::DeregisterDelegatedAdministrator;
        self.may_write(operation, caller)?;
        self.recognize_delegation(operation, principal)?;
        self.need_account(operation, account)?;
        if !self.now().administers(account, principal) {
            let message = "The provided account is not a registered delegated administrator for your organization.";
            return Err(Error::from_service_error(operation, "AccountNotRegisteredException", message));
        }
        let refused = self.undocumented.deregister_without_trust == DeregisterWithoutTrust::Refused;
        if refused && !self.now().is_trusted(principal) {
            return Err(self.not_trusted(operation));
        }
        self.deregister_all(principal, account);
        Ok(())
    }
}
