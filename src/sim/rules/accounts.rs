//! Rules of the operations that only callers over AWS's protocols use: accounts, organizational
//! units and roles.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::organizations::CallerRole;
use crate::domain::{AccountId, AccountState, OrganizationalUnitId, Page, Role, ServicePrincipal};
use crate::sim::hierarchy::{AccountCreation, AccountDetails, AccountRecord, Parent, Refusal, UnitDetails, UnitRecord};
use crate::sim::organization_state::OrganizationState;
use crate::sim::paging::PageRequest;

type Answer<T> = Result<T, Refusal>;

/// Levels of organizational units below the root.
const UNIT_DEPTH: usize = 5;
/// Number of the first account that `CreateAccount` creates.
const FIRST_CREATED: u64 = 600_000_000_000;
/// Time in which a created account cannot leave the organization.
const WAIT_PERIOD: Duration = Duration::from_hours(4 * 24);

impl OrganizationState {
    fn admit_to(&self, caller: AccountId, admitted: &[CallerRole]) -> Answer<()> {
        self.refusal_of(caller, admitted).map_or(Ok(()), |(code, message)| Err(Refusal::new(code, message)))
    }

    fn admit_reader(&self, caller: AccountId) -> Answer<()> {
        self.admit_to(caller, &[CallerRole::Management, CallerRole::Administrator])
    }

    fn admit_writer(&self, caller: AccountId) -> Answer<()> {
        self.admit_to(caller, &[CallerRole::Management])
    }

    fn page_of<T>(
        &self,
        listing: &str,
        items: impl IntoIterator<Item = T>,
        request: PageRequest<'_>,
    ) -> Answer<Page<T>> {
        self.paging.page(listing, items, request).ok_or_else(|| {
            let refusal = Refusal::new("InvalidInputException", "You specified an invalid NextToken.");
            Refusal { reason: Some("INVALID_NEXT_TOKEN".into()), ..refusal }
        })
    }

    /// Returns the id of the root, which all units of the organization contain.
    pub(in crate::sim) fn root(&self) -> String {
        let of_unit = |unit: &OrganizationalUnitId| unit.as_str().split('-').nth(1).map(str::to_owned);
        format!("r-{}", self.charter.units.first().and_then(of_unit).unwrap_or_else(|| "exam".to_owned()))
    }

    fn parent_of_account(&self, account: AccountId) -> Parent {
        let record = self.charter.hierarchy.accounts.get(&account);
        record.and_then(|record| record.parent.clone()).map_or(Parent::Root, Parent::Unit)
    }

    fn parent_of_unit(&self, unit: &OrganizationalUnitId) -> Parent {
        let record = self.charter.hierarchy.units.get(unit);
        record.and_then(|record| record.parent.clone()).map_or(Parent::Root, Parent::Unit)
    }

    /// Parses the id of a root or a unit that exists.
    fn parent(&self, id: &str) -> Option<Parent> {
        if id == self.root() {
            return Some(Parent::Root);
        }
        let unit = OrganizationalUnitId::new(id).ok()?;
        self.charter.units.contains(&unit).then_some(Parent::Unit(unit))
    }

    fn existing_parent(&self, id: &str) -> Answer<Parent> {
        let message = "You specified a parent that doesn't exist.";
        self.parent(id).ok_or_else(|| Refusal::new("ParentNotFoundException", message))
    }

    pub(in crate::sim) fn account_details(&self, id: AccountId, state: AccountState) -> AccountDetails {
        let record = self.charter.hierarchy.accounts.get(&id);
        let given = |member: fn(&AccountRecord) -> Option<&String>| record.and_then(member).cloned();
        let default_name =
            if id == self.charter.management { "management".to_owned() } else { format!("account-{id}") };
        AccountDetails {
            id,
            name: given(|record| record.name.as_ref()).unwrap_or(default_name),
            email: given(|record| record.email.as_ref()).unwrap_or_else(|| format!("{id}@example.com")),
            state,
            joined: record.and_then(|record| record.created).unwrap_or_else(|| self.clock.beginning()),
        }
    }

    pub(in crate::sim) fn unit_details(&self, id: &OrganizationalUnitId) -> UnitDetails {
        let record = self.charter.hierarchy.units.get(id);
        UnitDetails { id: id.clone(), name: record.map_or_else(|| id.to_string(), |record| record.name.clone()) }
    }

    fn all_accounts(&self) -> impl Iterator<Item = (AccountId, AccountState)> + '_ {
        let management = (self.charter.management, AccountState::Active);
        std::iter::once(management).chain(self.charter.members.all())
    }

    pub(in crate::sim) fn list_accounts(
        &self,
        caller: AccountId,
        request: PageRequest<'_>,
    ) -> Answer<Page<AccountDetails>> {
        self.admit_reader(caller)?;
        let accounts = self.all_accounts().map(|(id, state)| self.account_details(id, state));
        self.page_of("ListAccounts", accounts, request)
    }

    pub(in crate::sim) fn list_accounts_for_parent(
        &self,
        caller: AccountId,
        parent: &str,
        request: PageRequest<'_>,
    ) -> Answer<Page<AccountDetails>> {
        self.admit_reader(caller)?;
        let parent = self.existing_parent(parent)?;
        let inside = self.all_accounts().filter(|(id, _)| self.parent_of_account(*id) == parent);
        self.page_of("ListAccountsForParent", inside.map(|(id, state)| self.account_details(id, state)), request)
    }

    pub(in crate::sim) fn list_roots(&self, caller: AccountId, request: PageRequest<'_>) -> Answer<Page<String>> {
        self.admit_reader(caller)?;
        self.page_of("ListRoots", [self.root()], request)
    }

    pub(in crate::sim) fn list_units_for_parent(
        &self,
        caller: AccountId,
        parent: &str,
        request: PageRequest<'_>,
    ) -> Answer<Page<UnitDetails>> {
        self.admit_reader(caller)?;
        let parent = self.existing_parent(parent)?;
        let units = self.charter.units.iter().filter(|unit| self.parent_of_unit(unit) == parent);
        self.page_of("ListOrganizationalUnitsForParent", units.map(|unit| self.unit_details(unit)), request)
    }

    pub(in crate::sim) fn list_parents(
        &self,
        caller: AccountId,
        child: &str,
        request: PageRequest<'_>,
    ) -> Answer<Page<Parent>> {
        self.admit_reader(caller)?;
        let account = AccountId::new(child).ok().filter(|account| self.state_of(*account).is_some());
        let unit = OrganizationalUnitId::new(child).ok().filter(|unit| self.charter.units.contains(unit));
        let parent = match (account, unit) {
            (Some(account), _) => self.parent_of_account(account),
            (None, Some(unit)) => self.parent_of_unit(&unit),
            (None, None) => {
                return Err(Refusal::new("ChildNotFoundException", "You specified a child that doesn't exist."));
            }
        };
        self.page_of("ListParents", [parent], request)
    }

    pub(in crate::sim) fn list_delegated_services(
        &self,
        caller: AccountId,
        account: AccountId,
        request: PageRequest<'_>,
    ) -> Answer<Page<(ServicePrincipal, SystemTime)>> {
        self.admit_reader(caller)?;
        self.existing_account(account)?;
        let delegations = self.now().delegations.iter();
        let services: Vec<_> = delegations
            .filter_map(|(service, accounts)| accounts.get(&account).map(|since| (service.clone(), *since)))
            .collect();
        if services.is_empty() {
            let message = "The provided account is not a registered delegated administrator for your organization.";
            return Err(Refusal::new("AccountNotRegisteredException", message));
        }
        self.page_of("ListDelegatedServicesForAccount", services, request)
    }

    fn existing_account(&self, account: AccountId) -> Answer<AccountState> {
        self.state_of(account)
            .ok_or_else(|| Refusal::new("AccountNotFoundException", "You specified an account that doesn't exist."))
    }

    pub(in crate::sim) fn list_roles(
        &self,
        caller: AccountId,
        path: &str,
        request: PageRequest<'_>,
    ) -> Answer<Page<Role>> {
        let roles =
            self.now().roles.iter().filter(|((account, _), role)| *account == caller && role.path.starts_with(path));
        let roles = roles.map(|(_, role)| role.clone());
        let message = "Invalid Marker.";
        self.paging.page("ListRoles", roles, request).ok_or_else(|| Refusal::new("ValidationError", message))
    }

    /// Returns whether `caller` can assume a role of `account`.
    ///
    /// The role that Organizations creates in an account trusts the management account. The
    /// simulation has no roles of users, so every other role exists and trusts the organization.
    pub(in crate::sim) fn may_assume(&self, caller: AccountId, account: AccountId, role: &str) -> bool {
        let is_active = self.state_of(account) == Some(AccountState::Active);
        let trusted = if role == "OrganizationAccountAccessRole" {
            caller == self.charter.management && account != caller
        } else {
            self.state_of(caller).is_some() && !role.starts_with("AWSServiceRoleFor")
        };
        is_active && trusted
    }

    pub(in crate::sim) fn create_account(
        &mut self,
        caller: AccountId,
        name: &str,
        email: &str,
    ) -> Answer<AccountCreation> {
        self.admit_writer(caller)?;
        let creation = AccountCreation {
            id: format!("car-{:032}", self.creations.len() + 1),
            name: name.to_owned(),
            email: email.to_owned(),
            requested: self.clock.date(),
            begun: Instant::now(),
            ended: None,
        };
        self.creations.push(creation.clone());
        Ok(creation)
    }

    pub(in crate::sim) fn describe_creation(&self, caller: AccountId, id: &str) -> Answer<AccountCreation> {
        self.admit_reader(caller)?;
        self.creations.iter().find(|creation| creation.id == id).cloned().ok_or_else(|| {
            let message = "You specified a create account request that doesn't exist.";
            Refusal::new("CreateAccountStatusNotFoundException", message)
        })
    }

    /// Finishes the creations that are due. Every access to the state calls this function first.
    pub(in crate::sim) fn finish_creations(&mut self) {
        let mut creations = std::mem::take(&mut self.creations);
        for creation in &mut creations {
            if creation.ended.is_none() && creation.begun.elapsed() >= self.account_creation {
                let date = self.clock.date();
                creation.ended = Some((date, self.end_of_creation(creation, date)));
            }
        }
        self.creations = creations;
    }

    fn end_of_creation(&mut self, creation: &AccountCreation, date: SystemTime) -> Result<AccountId, String> {
        if let Some(reason) = self.creation_failures.pop_front() {
            return Err(reason);
        }
        let same_email = |(id, state)| self.account_details(id, state).email.eq_ignore_ascii_case(&creation.email);
        if self.all_accounts().any(same_email) {
            return Err("EMAIL_ALREADY_EXISTS".to_owned());
        }
        let ids = (FIRST_CREATED..).map_while(|number| AccountId::new(&number.to_string()).ok());
        let free = ids
            .into_iter()
            .find(|id| self.state_of(*id).is_none() && !self.charter.hierarchy.accounts.contains_key(id));
        let id = free.ok_or_else(|| "INTERNAL_FAILURE".to_owned())?;
        self.charter.members.named.insert(id, AccountState::Active);
        let (name, email) = (Some(creation.name.clone()), Some(creation.email.clone()));
        let record = AccountRecord { name, email, created: Some(date), parent: None };
        self.charter.hierarchy.accounts.insert(id, record);
        Ok(id)
    }

    pub(in crate::sim) fn close_account(&mut self, caller: AccountId, account: AccountId) -> Answer<()> {
        self.admit_writer(caller)?;
        let state = self.existing_account(account)?;
        if account == self.charter.management {
            let message = "You attempted to close the management account.";
            return Err(Refusal::constraint("CANNOT_CLOSE_MANAGEMENT_ACCOUNT", message));
        }
        match state {
            AccountState::Closed | AccountState::Suspended | AccountState::PendingClosure => {
                let message = "The provided account is already closed.";
                return Err(Refusal::new("AccountAlreadyClosedException", message));
            }
            AccountState::PendingActivation => {
                let message = "The account is not active yet. Try again later.";
                return Err(Refusal::new("ConflictException", message));
            }
            _ => {}
        }
        self.refuse_administrator(account)?;
        self.charter.members.named.insert(account, AccountState::Closed);
        Ok(())
    }

    fn refuse_administrator(&self, account: AccountId) -> Answer<()> {
        if self.now().administers_anything(account) {
            let message = "You must deregister the account as a delegated administrator first.";
            return Err(Refusal::constraint("CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG", message));
        }
        Ok(())
    }

    pub(in crate::sim) fn remove_account(&mut self, caller: AccountId, account: AccountId) -> Answer<()> {
        self.admit_writer(caller)?;
        self.existing_account(account)?;
        if account == self.charter.management {
            let message = "The management account cannot leave the organization.";
            return Err(Refusal::new("MasterCannotLeaveOrganizationException", message));
        }
        self.refuse_administrator(account)?;
        let created = self.charter.hierarchy.accounts.get(&account).and_then(|record| record.created);
        let now = self.clock.now();
        if created.is_some_and(|created| now.duration_since(created).unwrap_or_default() < WAIT_PERIOD) {
            let message = "You must wait until at least four days after the account was created.";
            return Err(Refusal::constraint("WAIT_PERIOD_ACTIVE", message));
        }
        if self.charter.members.named.remove(&account).is_none() {
            // The members that are only counted lack the data of a standalone account.
            let message = "The account lacks the information that a standalone account needs.";
            return Err(Refusal::constraint("ACCOUNT_CANNOT_LEAVE_ORGANIZATION", message));
        }
        self.charter.hierarchy.accounts.remove(&account);
        Ok(())
    }

    pub(in crate::sim) fn move_account(
        &mut self,
        caller: AccountId,
        account: AccountId,
        from: &str,
        to: &str,
    ) -> Answer<()> {
        self.admit_writer(caller)?;
        self.existing_account(account)?;
        let no_parent = |code| Refusal::new(code, "You specified a parent that doesn't exist.");
        let from = self.parent(from).ok_or_else(|| no_parent("SourceParentNotFoundException"))?;
        let to = self.parent(to).ok_or_else(|| no_parent("DestinationParentNotFoundException"))?;
        let now = self.parent_of_account(account);
        if now == to {
            let message = "The account is already in the destination.";
            return Err(Refusal::new("DuplicateAccountException", message));
        }
        if now != from {
            return Err(Refusal::new("AccountNotFoundException", "The account is not in the source."));
        }
        let record = self.charter.hierarchy.accounts.entry(account).or_default();
        record.parent = match to {
            Parent::Root => None,
            Parent::Unit(unit) => Some(unit),
        };
        Ok(())
    }

    pub(in crate::sim) fn create_unit(&mut self, caller: AccountId, parent: &str, name: &str) -> Answer<UnitDetails> {
        self.admit_writer(caller)?;
        let parent = self.existing_parent(parent)?;
        let mut siblings = self.charter.units.iter().filter(|unit| self.parent_of_unit(unit) == parent);
        if siblings.any(|unit| self.unit_details(unit).name == name) {
            let message = "An organizational unit with this name exists in the parent.";
            return Err(Refusal::new("DuplicateOrganizationalUnitException", message));
        }
        let mut depth = 1;
        let mut above = parent.clone();
        while let Parent::Unit(unit) = above {
            depth += 1;
            above = self.parent_of_unit(&unit);
            if depth > UNIT_DEPTH {
                let message = "You exceeded the depth of five levels of organizational units.";
                return Err(Refusal::constraint("OU_DEPTH_LIMIT_EXCEEDED", message));
            }
        }
        let root = self.root();
        let root = root.trim_start_matches("r-");
        let ids = (1_u64..).map_while(|number| OrganizationalUnitId::new(format!("ou-{root}-{number:08}")).ok());
        let free = ids.into_iter().find(|id| !self.charter.units.contains(id));
        let id = free.ok_or_else(|| Refusal::new("ServiceException", "No id is free."))?;
        let parent = match parent {
            Parent::Root => None,
            Parent::Unit(unit) => Some(unit),
        };
        self.charter.units.insert(id.clone());
        self.charter.hierarchy.units.insert(id.clone(), UnitRecord { name: name.to_owned(), parent });
        Ok(self.unit_details(&id))
    }
}
