use crate::domain::{AccountId, PageToken, ServicePrincipal};
use crate::error::Error;
use crate::ports::{
    Account, AccountState, DelegatedAdministrator, EnabledService, FeatureSet, Operation, Organization, Page,
};
use crate::sim::undocumented::{
    DeregisterUntrusted, DisableAdministered, RegisterUntrusted, Repetition, SecondAdministrator,
};
use crate::sim::world::World;

/// What an account is to the organization.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Management,
    /// The delegated administrator of any service: it may read.
    Administrator,
    Member,
    Outside,
}

/// How many accounts may administer a service, where its guide says.
fn most_administrators(principal: &ServicePrincipal) -> Option<usize> {
    match principal.as_str() {
        "ssm.amazonaws.com" | "ssm-quicksetup.amazonaws.com" => Some(1),
        "member.org.stacksets.cloudformation.amazonaws.com" => Some(5),
        _ => None,
    }
}

impl World {
    /// One page of a listing, or the refusal of a token that it did not hand out.
    pub(super) fn page<T>(
        &self,
        operation: Operation,
        items: Vec<T>,
        token: Option<&PageToken>,
    ) -> Result<Page<T>, Error> {
        self.paging.page(operation, items, token).ok_or_else(|| {
            let message = "You specified an invalid NextToken.";
            if operation.service() == "ssm" {
                Error::service(operation, "InvalidNextToken", message)
            } else {
                self.with_reason(operation, "InvalidInputException", "INVALID_NEXT_TOKEN", message)
            }
        })
    }

    fn role(&self, account: AccountId) -> Role {
        if account == self.charter.management {
            Role::Management
        } else if self.charter.members.state(account).is_none() {
            Role::Outside
        } else if self.now().administers_anything(account) {
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

    fn with_reason(&self, operation: Operation, code: &str, reason: &str, message: &str) -> Error {
        let error = Error::service(operation, code, message);
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
        self.with_reason(operation, "InvalidInputException", "UNRECOGNIZED_SERVICE_PRINCIPAL", message)
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

    fn need_all_features(&self, operation: Operation) -> Result<(), Error> {
        if self.charter.feature_set == FeatureSet::All {
            return Ok(());
        }
        let message = "This operation requires the organization to be in all features mode.";
        Err(self.constraint(operation, "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE", message))
    }

    /// The state of an account of the organization.
    pub(in crate::sim) fn state_of(&self, account: AccountId) -> Option<AccountState> {
        if account == self.charter.management {
            Some(AccountState::Active)
        } else {
            self.charter.members.state(account)
        }
    }

    fn need_account(&self, operation: Operation, account: AccountId) -> Result<AccountState, Error> {
        self.state_of(account).ok_or_else(|| {
            Error::service(operation, "AccountNotFoundException", "You specified an account that doesn't exist.")
        })
    }

    pub(in crate::sim) fn describe_organization(&self, caller: AccountId) -> Result<Organization, Error> {
        let everybody = [Role::Management, Role::Administrator, Role::Member];
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

    pub(in crate::sim) fn list_trusted(
        &mut self,
        caller: AccountId,
        token: Option<&PageToken>,
    ) -> Result<Page<EnabledService>, Error> {
        let operation = Operation::ListAwsServiceAccessForOrganization;
        self.may_read(operation, caller)?;
        if self.undocumented.listing_needs_all_features {
            self.need_all_features(operation)?;
        }
        let trusted = self.history.read(operation).trusted.iter();
        let items = trusted.map(|(principal, since)| EnabledService::new(principal.clone(), Some(*since))).collect();
        self.page(operation, items, token)
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
        let dismissed = match self.undocumented.disable_administered {
            DisableAdministered::Refused if !administrators.is_empty() => {
                return Err(self.administered(operation));
            }
            DisableAdministered::Deregisters => administrators,
            DisableAdministered::Refused | DisableAdministered::Orphans => Vec::new(),
        };
        if !self.now().is_trusted(principal) {
            return self.repeated(operation);
        }
        for account in dismissed {
            self.dismiss(principal, account);
        }
        self.change(|contents, _| contents.distrust(principal));
        Ok(())
    }

    /// Takes a delegation from an account, with all that AWS does then.
    fn dismiss(&mut self, principal: &ServicePrincipal, account: AccountId) {
        let ours = *principal == ServicePrincipal::SYSTEMS_MANAGER;
        let spared = (ours && self.undocumented.deregistering_deletes_syncs)
            .then(|| self.undocumented.deregistering_spares.clone());
        self.change(|contents, _| {
            contents.undelegate(principal, account);
            if let Some(spared) = spared {
                contents.remove_organization_syncs_of(account, &spared);
            }
        });
    }

    fn repeated(&self, operation: Operation) -> Result<(), Error> {
        match self.undocumented.repetition {
            Repetition::Accepted => Ok(()),
            Repetition::Refused => {
                Err(Error::service(operation, "ConstraintViolationException", "There is nothing to change."))
            }
        }
    }

    pub(in crate::sim) fn list_administrators(
        &mut self,
        caller: AccountId,
        principal: &ServicePrincipal,
        token: Option<&PageToken>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        let operation = Operation::ListDelegatedAdministrators;
        self.may_read(operation, caller)?;
        let listed = self.history.read(operation).delegations.get(principal).cloned().unwrap_or_default();
        let items = listed
            .into_iter()
            .map(|(account, since)| {
                DelegatedAdministrator::new(account, Some(since)).with_state(self.state_of(account))
            })
            .collect();
        self.page(operation, items, token)
    }

    pub(in crate::sim) fn register(
        &mut self,
        caller: AccountId,
        account: AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let operation = Operation::RegisterDelegatedAdministrator;
        self.may_write(operation, caller)?;
        self.recognize(operation, principal)?;
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
        if self.undocumented.register_untrusted == RegisterUntrusted::UnrecognizedServicePrincipal
            && self.charter.feature_set != FeatureSet::All
        {
            return Err(self.unrecognized(operation));
        }
        self.need_all_features(operation)?;
        let mut enables = false;
        if !self.now().is_trusted(principal) {
            match self.undocumented.register_untrusted {
                RegisterUntrusted::ServiceAccessNotEnabled => return Err(self.not_trusted(operation)),
                RegisterUntrusted::UnrecognizedServicePrincipal => return Err(self.unrecognized(operation)),
                RegisterUntrusted::Accepted => {}
                RegisterUntrusted::Enables => enables = true,
            }
        }
        let administrators = self.now().administrators(principal);
        if administrators.contains(&account) {
            let message = "The provided account is already a delegated administrator for your organization.";
            return Err(Error::service(operation, "AccountAlreadyRegisteredException", message));
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
        self.change(|contents, date| contents.delegate(principal, account, date));
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
        self.recognize(operation, principal)?;
        self.need_account(operation, account)?;
        if !self.now().administers(account, principal) {
            let message = "The provided account is not a registered delegated administrator for your organization.";
            return Err(Error::service(operation, "AccountNotRegisteredException", message));
        }
        let refused = self.undocumented.deregister_untrusted == DeregisterUntrusted::Refused;
        if refused && !self.now().is_trusted(principal) {
            return Err(self.not_trusted(operation));
        }
        self.dismiss(principal, account);
        Ok(())
    }
}
