//! Computes steps from a target and a snapshot, in an order that AWS allows.
//!
//! Trusted access is enabled first, because AWS may refuse to deregister an administrator without
//! it. The role is created before anything is removed, because the syncs that replace others need
//! it. Deletions follow: syncs, administrators, trusted access, the role. Administrators and syncs
//! are created last. The steps of companion services follow those of Systems Manager. Each step is
//! applied to a model of the organization that later steps are planned against.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::dependencies::dependencies;
use super::display::ListedSync;
use super::step::{Action, AffectedSyncs, Step};
use super::target::{
    AdministratorChange, AdministratorTarget, AdministratorsTarget, ROLE_WITH_TRUSTED_ACCESS, RoleTarget,
    SYNC_WITHOUT_TRUSTED_ACCESS, SyncTargetState, Target, UnlistedSyncs, duplicate_sync_error, sync_error,
    trust_operation,
};
use super::warnings::add_step_warnings;
use crate::domain::limits::SYNC_QUOTA;
use crate::domain::{
    AccountId, BlockingSync, CallContext, DataSync, DataSyncId, DelegatedAdministrator, FeatureSet, Operation, Region,
    SYSTEMS_MANAGER, ServicePrincipal, SyncDefinition, SyncState, allows_one_administrator, join_with_and,
};
use crate::error::{Error, ErrorKind, Remedy};
use crate::observation::{Reading, Snapshot};
use crate::operations::data_sync::{DefinitionMatch, compare_definition, requires_management_account};
use crate::operations::inactive;
use crate::policy::Caller;

/// Contents of a plan without its snapshot.
pub(super) struct PlanDraft {
    pub(super) steps: Vec<Step>,
    pub(super) unknowns: Vec<String>,
    pub(super) warnings: Vec<String>,
}

pub(super) fn plan(target: &Target, snapshot: &Snapshot) -> Result<PlanDraft, Error> {
    // With consolidated billing only, AWS refuses to list the services with trusted access.
    let billing_only = snapshot.organization.feature_set == Some(FeatureSet::ConsolidatedBilling);
    plan_checked(target, snapshot).map_err(|error| {
        let unlisted = error.operation() == Some(Operation::ListAwsServiceAccessForOrganization);
        // AWS denies these reads to a member account, and its permissions cannot change that.
        let management = snapshot.organization.management_account;
        let needs_management = !target.services.is_empty() || target.role.is_some();
        let is_other = snapshot.caller.is_some_and(|caller| caller != management);
        if *error.kind() == ErrorKind::AccessDenied && needs_management && is_other {
            return error.with_confirmed_kind(ErrorKind::NotManagementAccount { management });
        }
        let explained = billing_only && unlisted && *error.kind() == ErrorKind::UnknownState;
        let error = match error.caller() {
            None => error,
            caller => error.with_context(&CallContext { organization: snapshot.organization.clone(), caller }),
        };
        if explained { error.with_confirmed_kind(ErrorKind::NotAllFeatures) } else { error }
    })
}

fn plan_checked(target: &Target, snapshot: &Snapshot) -> Result<PlanDraft, Error> {
    target.check()?;
    let mut planner = Planner {
        target,
        regions: target.regions(),
        now: snapshot.clone(),
        draft: PlanDraft { steps: Vec::new(), unknowns: Vec::new(), warnings: Vec::new() },
    };
    let (mut present, absent) = (planner.present_syncs()?, planner.absent_syncs()?);
    planner.add_migrated_syncs(&mut present, &absent)?;
    check_each_once(&present, &absent)?;
    planner.plan_enable()?;
    planner.plan_role_creation()?;
    planner.plan_sync_deletions(absent)?;
    planner.plan_deregistrations(&present)?;
    planner.plan_disable()?;
    planner.plan_role_deletion()?;
    planner.plan_registrations()?;
    planner.plan_sync_upserts(&present)?;
    planner.put_companions_last();
    planner.link_steps();
    planner.check_caller()?;
    planner.note_unchecked_regions();
    add_step_warnings(&mut planner.draft.warnings, &planner.draft.steps, &planner.now);
    Ok(planner.draft)
}

struct Planner<'a> {
    target: &'a Target,
    /// Regions in which data syncs are searched for.
    regions: BTreeSet<Region>,
    /// Model of the organization after the steps planned so far.
    now: Snapshot,
    draft: PlanDraft,
}

/// Sync that the target requires, with its location.
struct DesiredSync<'a> {
    at: DataSyncId,
    definition: Cow<'a, SyncDefinition>,
    /// `true` if the owner is the delegated administrator.
    follows_administrator: bool,
    /// `true` if an existing sync is deleted and created again.
    recreate: bool,
    /// `true` if the sync of a former administrator is created in the account of the new one.
    migrated: bool,
}

/// Checks that each sync is listed once, because two owners may be the same account.
fn check_each_once(present: &[DesiredSync<'_>], absent: &[DataSyncId]) -> Result<(), Error> {
    let mut named = BTreeSet::new();
    let all = present.iter().map(|wanted| &wanted.at).chain(absent);
    all.into_iter()
        .try_for_each(|at| if named.insert(at) { Ok(()) } else { Err(duplicate_sync_error(&at.name, &at.region)) })
}

impl<'a> Planner<'a> {
    fn management(&self) -> AccountId {
        self.now.organization.management_account
    }

    fn push(&mut self, action: Action, reason: String, affected_syncs: Option<AffectedSyncs>) -> Result<(), Error> {
        let account = action.account(self.management());
        let preconditions = action.preconditions(&self.now)?;
        action.apply_to_model(&mut self.now);
        self.draft.steps.push(Step { action, reason, account, preconditions, affected_syncs, depends_on: Vec::new() });
        Ok(())
    }

    fn administrators(&self, principal: &ServicePrincipal) -> Result<Vec<AccountId>, Error> {
        let administrators = self.now.require_service(principal)?.administrators.require()?;
        Ok(administrators.iter().map(|found| found.account).collect())
    }

    fn is_trusted(&self, principal: &ServicePrincipal) -> Result<bool, Error> {
        Ok(self.now.require_service(principal)?.trusted_access.require()?.is_some())
    }

    fn will_be_trusted(&self) -> Result<bool, Error> {
        self.target.service(&SYSTEMS_MANAGER).trusted_access.map_or_else(|| self.is_trusted(&SYSTEMS_MANAGER), Ok)
    }

    /// Returns the account that administers Systems Manager after the plan.
    fn future_administrator(&self) -> Result<Option<AccountId>, Error> {
        let service = self.target.service(&SYSTEMS_MANAGER);
        if let Some(account) = service.future_administrators().first() {
            return Ok(Some(*account));
        }
        match &service.administrators {
            Some(AdministratorsTarget::Target(_)) => Ok(None),
            untouched => match self.remaining_administrators(&SYSTEMS_MANAGER, untouched.as_ref())?.as_slice() {
                [] => Ok(None),
                [only] => Ok(Some(*only)),
                several => {
                    let holders = several.to_vec();
                    Err(Error::new(ErrorKind::AlreadyDelegated { accounts: holders })
                        .with_operation(Operation::ListDelegatedAdministrators))
                }
            },
        }
    }

    /// Returns whether an account administers Systems Manager after the plan, possibly among
    /// others.
    fn will_administer(&self, account: AccountId) -> Result<bool, Error> {
        let service = self.target.service(&SYSTEMS_MANAGER);
        let stays =
            || Ok(self.remaining_administrators(&SYSTEMS_MANAGER, service.administrators.as_ref())?.contains(&account));
        if service.future_administrators().contains(&account) { Ok(true) } else { stays() }
    }

    /// Returns the administrators that the target does not remove.
    fn remaining_administrators(
        &self,
        principal: &ServicePrincipal,
        target: Option<&AdministratorsTarget>,
    ) -> Result<Vec<AccountId>, Error> {
        let mut left = self.administrators(principal)?;
        match target {
            None => {}
            Some(AdministratorsTarget::Target(AdministratorTarget::None)) => left.clear(),
            // A current administrator of a companion is replaced only on request.
            Some(AdministratorsTarget::Target(AdministratorTarget::Account(wanted))) => {
                left.retain(|account| account == wanted || *principal != SYSTEMS_MANAGER);
            }
            Some(AdministratorsTarget::Target(AdministratorTarget::Replacement(wanted))) => {
                left.retain(|account| account == wanted);
            }
            Some(AdministratorsTarget::Exactly(AdministratorChange { remove: without, .. })) => {
                left.retain(|account| !without.contains(account));
            }
        }
        Ok(left)
    }

    /// Returns the syncs that the target requires, with their owners' accounts.
    fn present_syncs(&self) -> Result<Vec<DesiredSync<'a>>, Error> {
        let mut present = Vec::new();
        for sync in &self.target.syncs {
            let SyncTargetState::Present(definition) = &sync.want else { continue };
            let operation = Operation::CreateResourceDataSync;
            let account = match sync.owner {
                Caller::Management => self.management(),
                Caller::Account(account) => account,
                Caller::Administrator => {
                    let why = format!(
                        "the data sync {:?} requires a delegated administrator, and no account is registered",
                        definition.name().as_str()
                    );
                    let missing =
                        || Error::new(ErrorKind::NotDelegatedAdministrator).with_operation(operation).with_message(why);
                    self.future_administrator()?.ok_or_else(missing)?
                }
            };
            if definition.is_of_organization() {
                if !self.will_be_trusted()? {
                    return Err(sync_error(definition.name(), SYNC_WITHOUT_TRUSTED_ACCESS));
                }
                if account != self.management() && !self.will_administer(account)? {
                    return Err(Error::new(ErrorKind::NotDelegatedAdministrator)
                        .with_operation(operation)
                        .with_account(account));
                }
            }
            let at = |region| DataSyncId::new(account, region, definition.name());
            let goes_along = sync.owner == Caller::Administrator;
            present.extend(sync.regions.iter().map(|region| DesiredSync {
                at: at(region),
                definition: Cow::Borrowed(definition),
                follows_administrator: goes_along,
                recreate: sync.recreate,
                migrated: false,
            }));
        }
        Ok(present)
    }

    /// Adds the syncs of former administrators that the target neither lists nor removes.
    fn add_migrated_syncs(&mut self, present: &mut Vec<DesiredSync<'a>>, absent: &[DataSyncId]) -> Result<(), Error> {
        let Some(recorded) = &self.target.migrated else { return Ok(()) };
        let Some(account) = self.future_administrator()? else { return Ok(()) };
        let administrators = self.administrators(&SYSTEMS_MANAGER)?;
        let mut former = recorded.clone();
        former.extend(
            self.now
                .all_syncs()
                .map(|(at, sync)| (at, sync.clone()))
                .filter(|(at, _)| administrators.contains(&at.account)),
        );
        for (old, sync) in former {
            let at = DataSyncId::new(account, &old.region, &old.name);
            let is_listed = absent.contains(&at) || present.iter().any(|wanted| wanted.at == at);
            if old.account == account || is_listed || !sync.is_of_organization() {
                continue;
            }
            if sync.name.is_service_managed() {
                self.draft.warnings.push(format!(
                    "another AWS service manages the data sync {old}: AWS may delete it, and it is not created again"
                ));
                continue;
            }
            let Some(definition) = sync.definition() else {
                let why = format!("AWS shows too little of the data sync {old} to create it again");
                return Err(Error::new(ErrorKind::DataSyncsNotChecked { account: old.account })
                    .with_operation(Operation::DeregisterDelegatedAdministrator)
                    .with_region(old.region)
                    .with_message(why));
            };
            if sync.future_regions.is_none() || sync.all_ops_data_sources.is_none() {
                self.draft.warnings.push(format!(
                    "AWS does not show whether the data sync {old} includes future Regions and every source of \
                     OpsData; the new sync does not"
                ));
            }
            present.push(DesiredSync {
                at,
                definition: Cow::Owned(definition),
                follows_administrator: true,
                recreate: false,
                migrated: true,
            });
        }
        Ok(())
    }

    /// Returns the syncs that the target requires to be absent, including those that do not exist.
    fn absent_syncs(&self) -> Result<Vec<DataSyncId>, Error> {
        let mut absent = Vec::new();
        for sync in &self.target.syncs {
            let SyncTargetState::Absent(name) = &sync.want else { continue };
            let owners = match sync.owner {
                Caller::Management => BTreeSet::from([self.management()]),
                Caller::Account(account) => BTreeSet::from([account]),
                // The current and the future administrators.
                Caller::Administrator => {
                    let mut owners: BTreeSet<_> = self.administrators(&SYSTEMS_MANAGER)?.into_iter().collect();
                    owners.extend(self.target.service(&SYSTEMS_MANAGER).future_administrators());
                    owners
                }
            };
            for account in owners {
                absent.extend(sync.regions.iter().map(|region| DataSyncId::new(account, region, name)));
            }
        }
        Ok(absent)
    }

    fn plan_sync_deletions(&mut self, absent: Vec<DataSyncId>) -> Result<(), Error> {
        // One run names every Region that cannot be read.
        Error::all(absent.iter().map(|at| self.now.require_sync(at)))?;
        for at in absent {
            if self.now.require_sync(&at)?.is_some() {
                self.push(Action::DeleteSync { sync: at }, "the target removes it".to_owned(), None)?;
            }
        }
        Ok(())
    }

    fn plan_deregistrations(&mut self, present: &[DesiredSync<'_>]) -> Result<(), Error> {
        for (principal, service) in &self.target.services {
            let Some(wanted) = &service.administrators else { continue };
            let left = self.remaining_administrators(principal, Some(wanted))?;
            let mut others = self.now.require_service(principal)?.administrators.require()?.clone();
            others.retain(|found| !left.contains(&found.account));
            let reason = match service.future_administrators().first() {
                Some(account) if allows_one_administrator(principal) => {
                    format!(
                        "the target registers account {account} for {principal}, and AWS allows one delegated administrator"
                    )
                }
                _ => format!("the target does not register it for {principal}"),
            };
            for found in others {
                let account = found.account;
                let affected_syncs = if *principal == SYSTEMS_MANAGER {
                    let operation = Operation::DeregisterDelegatedAdministrator;
                    let unlisted = self.unlisted_syncs_of(&found);
                    Some(self.affected_syncs(operation, vec![account], unlisted, |at| {
                        let same =
                            |wanted: &DesiredSync<'_>| (&wanted.at.region, &wanted.at.name) == (&at.region, &at.name);
                        present.iter().any(|wanted| wanted.follows_administrator && same(wanted))
                    })?)
                } else {
                    None
                };
                let action = Action::DeregisterAdministrator { account, principal: principal.clone() };
                self.push(action, reason.clone(), affected_syncs)?;
            }
        }
        Ok(())
    }

    fn plan_disable(&mut self) -> Result<(), Error> {
        for (principal, service) in &self.target.services {
            if service.trusted_access != Some(false) {
                continue;
            }
            if !self.is_trusted(principal)? {
                continue;
            }
            let holders = self.administrators(principal)?;
            if !holders.is_empty() {
                let kind = ErrorKind::AlreadyDelegated { accounts: holders };
                return Err(Error::new(kind).with_operation(trust_operation(false)).with_service(principal));
            }
            let affected_syncs = if *principal == SYSTEMS_MANAGER {
                Some(self.affected_syncs(
                    trust_operation(false),
                    self.all_owners(),
                    self.target.unlisted_syncs,
                    |_| false,
                )?)
            } else {
                None
            };
            let action = Action::DisableTrustedAccess { principal: principal.clone() };
            self.push(action, "enabled; the target disables it".to_owned(), affected_syncs)?;
        }
        Ok(())
    }

    fn plan_role_deletion(&mut self) -> Result<(), Error> {
        if self.target.role != Some(RoleTarget::Absent) {
            return Ok(());
        }
        if self.now.require_role()?.is_none() {
            return Ok(());
        }
        if self.is_trusted(&SYSTEMS_MANAGER)? {
            return Err(Error::invalid_input("role", ROLE_WITH_TRUSTED_ACCESS));
        }
        let operation = Operation::DeleteServiceLinkedRole;
        let management = self.management();
        let affected_syncs =
            self.affected_syncs(operation, self.all_owners(), self.target.unlisted_syncs, |_| false)?;
        // AWS documents that all of Explorer's syncs prevent the role's deletion, so there is no
        // loss to allow. Syncs of single accounts count only in the role's own account. An
        // administrator's syncs are deleted with its delegation.
        let goes = |at: &DataSyncId| {
            self.draft.steps.iter().any(|step| {
                matches!(&step.action, Action::DeregisterAdministrator { account, principal }
                    if *account == at.account && *principal == SYSTEMS_MANAGER)
            })
        };
        let holds =
            |at: &DataSyncId, sync: &DataSync| at.account == management || (sync.is_of_organization() && !goes(at));
        let holders = blocking_syncs(
            self.now.all_syncs().filter(|(at, sync)| holds(at, sync)).map(|(at, sync)| (at, sync.clone())),
        );
        if !holders.is_empty() {
            return Err(Error::new(ErrorKind::DataSyncsExist { syncs: holders }).with_operation(operation));
        }
        self.push(Action::DeleteRole, "the target removes it".to_owned(), Some(affected_syncs))
    }

    fn plan_enable(&mut self) -> Result<(), Error> {
        for (principal, service) in &self.target.services {
            if service.trusted_access != Some(true) || self.is_trusted(principal)? {
                continue;
            }
            if self.now.organization.feature_set == Some(FeatureSet::ConsolidatedBilling) {
                return Err(Error::new(ErrorKind::NotAllFeatures)
                    .with_operation(trust_operation(true))
                    .with_service(principal));
            }
            let action = Action::EnableTrustedAccess { principal: principal.clone() };
            self.push(action, "disabled; the target enables it".to_owned(), None)?;
        }
        Ok(())
    }

    fn plan_role_creation(&mut self) -> Result<(), Error> {
        if self.target.role == Some(RoleTarget::Present) && self.now.require_role()?.is_none() {
            let reason = "Explorer's data syncs of the organization use it".to_owned();
            self.push(Action::CreateRole, reason, None)?;
        }
        Ok(())
    }

    fn plan_registrations(&mut self) -> Result<(), Error> {
        for (principal, service) in &self.target.services {
            for account in service.future_administrators() {
                self.plan_registration(principal, account)?;
            }
        }
        Ok(())
    }

    fn plan_registration(&mut self, principal: &ServicePrincipal, account: AccountId) -> Result<(), Error> {
        let registered = self.now.require_service(principal)?.administrators.require()?;
        if let Some(found) = registered.iter().find(|found| found.account == account) {
            return match found.suspension() {
                None => Ok(()),
                Some(state) => {
                    let error = Error::new(ErrorKind::AccountNotActive { state: state.clone() })
                        .with_operation(Operation::RegisterDelegatedAdministrator)
                        .with_account(account);
                    Err(error.with_service(principal))
                }
            };
        }
        if account == self.management() {
            let operation = Operation::RegisterDelegatedAdministrator;
            let error = Error::new(ErrorKind::IsManagementAccount).with_operation(operation).with_account(account);
            return Err(error.with_service(principal));
        }
        if self.now.require_service(principal)?.without_delegation {
            // AWS refuses the registration as it refused the listing.
            let error = Error::from_service_error(
                Operation::ListDelegatedAdministrators,
                "InvalidInputException",
                format!("{principal} works with trusted access only and has no delegated administrators"),
            );
            return Err(error.with_reason("UNRECOGNIZED_SERVICE_PRINCIPAL").with_service(principal));
        }
        let unfit = match self.now.known_account(account) {
            Some(None) => Some(ErrorKind::AccountNotFound),
            found => found.and_then(Option::as_ref).and_then(inactive),
        };
        if let Some(kind) = unfit {
            let operation = Operation::RegisterDelegatedAdministrator;
            return Err(Error::new(kind).with_operation(operation).with_account(account).with_service(principal));
        }
        let holders = self.administrators(principal)?;
        if allows_one_administrator(principal) && !holders.is_empty() {
            let kind = ErrorKind::AlreadyDelegated { accounts: holders };
            let error =
                Error::new(kind).with_operation(Operation::RegisterDelegatedAdministrator).with_account(account);
            return Err(error.with_service(principal));
        }
        if !self.is_trusted(principal)? {
            let expected = format!("enabled, because the target registers account {account}");
            return Err(Error::invalid_input(format!("trusted access of {principal}"), expected));
        }
        let action = Action::RegisterAdministrator { account, principal: principal.clone() };
        let reason = if holders.is_empty() {
            format!("the target registers it for {principal}")
        } else {
            format!("the target registers it for {principal}, in addition to {}", join_with_and(&holders))
        };
        self.push(action, reason, None)
    }

    fn plan_sync_upserts(&mut self, present: &[DesiredSync<'_>]) -> Result<(), Error> {
        Error::all(present.iter().map(|wanted| self.now.require_sync(&wanted.at)))?;
        for DesiredSync { at, definition, recreate, migrated, .. } in present {
            let definition = definition.as_ref();
            if *recreate && self.now.require_sync(at)?.is_some() {
                let reason = "it is created again; its collection starts again".to_owned();
                self.push(Action::DeleteSync { sync: at.clone() }, reason, None)?;
            }
            let found = self.now.require_sync(at)?.cloned();
            let Some(found) = found else {
                self.check_quota(at, definition)?;
                self.check_units(Operation::CreateResourceDataSync, at, definition)?;
                let action = Action::CreateSync { sync: at.clone(), definition: definition.clone() };
                self.push(action, "it does not exist".to_owned(), None)?;
                continue;
            };
            let comparison = compare_definition(&found, definition);
            // Only a documented state has a known remedy.
            if let Some(remedy) = Remedy::for_sync_state(&found.state)
                && !self.resolves(&found, &comparison)
            {
                let state = found.state.as_str().unwrap_or_default();
                self.draft.warnings.push(format!("the data sync {at} is in the state {state}: {remedy}"));
            }
            match comparison {
                DefinitionMatch::Equal => {}
                DefinitionMatch::Unverifiable => self.draft.unknowns.push(format!(
                    "of the data sync {at} AWS does not show whether future Regions are in and every source of OpsData is on"
                )),
                DefinitionMatch::Differs | DefinitionMatch::SourceDiffers if *migrated => {
                    let error = Error::new(ErrorKind::SyncConflict).with_operation(Operation::CreateResourceDataSync);
                    return Err(error.with_caller(Some(at.account)).with_region(at.region.clone()));
                }
                DefinitionMatch::Differs => {
                    self.check_units(Operation::UpdateResourceDataSync, at, definition)?;
                    let reason = format!("it collects from {}", ListedSync(&found));
                    let action = Action::UpdateSync { sync: at.clone(), definition: definition.clone() };
                    self.push(action, reason, None)?;
                }
                DefinitionMatch::SourceDiffers => {
                    let error = Error::new(ErrorKind::SyncSourceImmutable).with_operation(Operation::UpdateResourceDataSync);
                    return Err(error.with_caller(Some(at.account)).with_region(at.region.clone()));
                }
            }
        }
        Ok(())
    }

    /// Returns whether a step of the plan resolves the state of a sync.
    fn resolves(&self, found: &DataSync, comparison: &DefinitionMatch) -> bool {
        match found.state {
            SyncState::NoPermissions => self.draft.steps.iter().any(|step| step.action == Action::CreateRole),
            // The update sets the units of the target.
            SyncState::InvalidOrganizationalUnit => *comparison == DefinitionMatch::Differs,
            _ => false,
        }
    }

    /// Moves the steps of companion services to the end.
    ///
    /// No step of Systems Manager depends on them, so their failure leaves it complete.
    fn put_companions_last(&mut self) {
        // The sort is stable.
        self.draft.steps.sort_by_key(|step| step.action.principal().is_some_and(|of| *of != SYSTEMS_MANAGER));
    }

    fn link_steps(&mut self) {
        let actions: Vec<_> = self.draft.steps.iter().map(|step| &step.action).collect();
        for (index, depends_on) in dependencies(&actions).into_iter().enumerate() {
            if let Some(step) = self.draft.steps.get_mut(index) {
                step.depends_on = depends_on;
            }
        }
    }

    fn check_quota(&self, at: &DataSyncId, definition: &SyncDefinition) -> Result<(), Error> {
        let refuse = |kind| {
            let error = Error::new(kind).with_operation(Operation::CreateResourceDataSync);
            Err(error.with_caller(Some(at.account)).with_region(at.region.clone()))
        };
        if at.account != self.management() && requires_management_account(&at.region, definition) {
            return refuse(ErrorKind::OptInRegion);
        }
        let there = self.now.require_syncs(at.account, &at.region)?;
        if there.len() >= SYNC_QUOTA {
            return refuse(ErrorKind::SyncQuotaExceeded {
                names: there.iter().map(|sync| sync.name.clone()).collect(),
            });
        }
        Ok(())
    }

    /// Refuses a sync of units that a read shows to be unknown. Unread units are noted, because AWS
    /// checks them too.
    fn check_units(&mut self, operation: Operation, at: &DataSyncId, definition: &SyncDefinition) -> Result<(), Error> {
        let (mut unknown, mut unread, mut failure) = (Vec::new(), Vec::new(), None);
        for reading in self.now.units.iter().filter(|reading| definition.units().contains(&reading.unit)) {
            match &reading.details {
                Reading::Known(Some(_)) => {}
                Reading::Known(None) => unknown.push(reading.unit.clone()),
                Reading::Unknown(failed) => {
                    unread.push(&reading.unit);
                    failure.get_or_insert(&failed.error);
                }
            }
        }
        if !unknown.is_empty() {
            let error = Error::new(ErrorKind::OrganizationalUnitNotFound { units: unknown }).with_operation(operation);
            return Err(error.with_caller(Some(at.account)).with_region(at.region.clone()));
        }
        if let Some(failure) = failure {
            let note = format!("organizational units not checked: {}: {failure}", join_with_and(&unread));
            if !self.draft.unknowns.contains(&note) {
                self.draft.unknowns.push(note);
            }
        }
        Ok(())
    }

    /// Returns the management account, whose syncs have to be checked, and every other account
    /// whose syncs were read.
    fn all_owners(&self) -> Vec<AccountId> {
        let mut owners = vec![self.management()];
        for of in &self.now.syncs {
            if !owners.contains(&of.account) {
                owners.push(of.account);
            }
        }
        owners
    }

    /// Returns the policy for the syncs of an administrator that is deregistered.
    ///
    /// A closed or suspended account has no usable credentials, so its syncs cannot be listed.
    /// Their loss is allowed, and the plan names it.
    fn unlisted_syncs_of(&mut self, administrator: &DelegatedAdministrator) -> UnlistedSyncs {
        match administrator.suspension() {
            Some(state) if !self.now.has_client_of(administrator.account) => {
                self.draft.warnings.push(format!(
                    "account {} is {state}, so its data syncs cannot be listed; AWS may delete them",
                    administrator.account
                ));
                UnlistedSyncs::AllowLoss
            }
            _ => self.target.unlisted_syncs,
        }
    }

    /// Returns the organization syncs of these accounts that a step would delete or break.
    ///
    /// The first account's syncs have to be known if syncs are protected.
    fn affected_syncs(
        &mut self,
        operation: Operation,
        accounts: Vec<AccountId>,
        others: UnlistedSyncs,
        is_recreated: impl Fn(&DataSyncId) -> bool,
    ) -> Result<AffectedSyncs, Error> {
        let regions: Vec<Region> = self.regions.iter().cloned().collect();
        let listed = AffectedSyncs::listed_in(&self.now, &accounts);
        let unchecked = self.unchecked_syncs(operation, &accounts);
        match others {
            UnlistedSyncs::Protect => {
                if regions.is_empty() {
                    return Err(Error::invalid_input("Regions", "at least one, to search for affected data syncs"));
                }
                // Each Region that cannot be read is an error, so that one run names all of them.
                Error::all(unchecked.into_iter().map(|(_, error)| Err::<(), _>(error)))?;
                let unnamed = blocking_syncs(listed.iter().filter(|(at, _)| !is_recreated(at)).cloned());
                if !unnamed.is_empty() {
                    return Err(Error::new(ErrorKind::DataSyncsExist { syncs: unnamed }).with_operation(operation));
                }
            }
            UnlistedSyncs::AllowLoss => {
                for (text, _) in unchecked {
                    if !self.draft.unknowns.contains(&text) {
                        self.draft.unknowns.push(text);
                    }
                }
            }
        }
        Ok(AffectedSyncs { unlisted: others, accounts, regions, listed })
    }

    /// Returns the listings of these accounts' syncs that could not be read, as text and as an
    /// error.
    ///
    /// Accounts after the first count only if the snapshot includes them.
    fn unchecked_syncs(&self, operation: Operation, accounts: &[AccountId]) -> Vec<(String, Error)> {
        let mut unchecked = Vec::new();
        for (index, account) in accounts.iter().enumerate() {
            let syncs = format!("the data syncs of account {account}");
            let refusal = || Error::new(ErrorKind::DataSyncsNotChecked { account: *account }).with_operation(operation);
            for region in &self.regions {
                match self.now.syncs_of(*account, region) {
                    Some(part @ Reading::Unknown(unknown)) => {
                        let text = format!("{syncs} in {region}: {}", unknown.error);
                        unchecked.extend(part.require().err().map(|error| (text, error)));
                    }
                    None if index == 0 && self.now.has_client_of(*account) => {
                        unchecked.push((format!("{syncs} in {region}: not checked"), refusal()));
                    }
                    None if index == 0 => {
                        unchecked.push((format!("{syncs}: there is no client of it"), refusal()));
                        break;
                    }
                    Some(Reading::Known(_)) | None => {}
                }
            }
            if index == 0 && self.regions.is_empty() {
                unchecked.push((format!("{syncs}: not checked"), refusal()));
            }
        }
        unchecked
    }

    /// Checks that a step for the management account does not use credentials known to be
    /// another's.
    fn check_caller(&self) -> Result<(), Error> {
        let management = self.management();
        let first = self.draft.steps.iter().find(|step| step.account == management);
        match (first, self.now.caller) {
            (Some(step), Some(caller)) if caller != management => {
                let kind = ErrorKind::NotManagementAccount { management };
                Err(Error::new(kind).with_operation(step.action.operation()).with_caller(Some(caller)))
            }
            _ => Ok(()),
        }
    }

    /// Notes the Regions that were not searched. Only syncs in searched Regions are protected.
    /// If loss is allowed, each step says so.
    fn note_unchecked_regions(&mut self) {
        let takes_some = |step: &Step| {
            // Syncs hold the role; it takes none with it.
            step.action != Action::DeleteRole
                && step
                    .affected_syncs
                    .as_ref()
                    .is_some_and(|affected_syncs| affected_syncs.unlisted == UnlistedSyncs::Protect)
        };
        if self.draft.steps.iter().any(takes_some) {
            let regions: Vec<_> = self.regions.iter().map(Region::as_str).collect();
            self.draft.unknowns.push(format!(
                "data syncs outside {} were not checked and may be deleted or stop working",
                regions.join(", ")
            ));
        }
    }
}

fn blocking_syncs(syncs: impl Iterator<Item = (DataSyncId, DataSync)>) -> Vec<BlockingSync> {
    syncs.map(|(at, sync)| BlockingSync { id: at, listed: Some(sync) }).collect()
}
