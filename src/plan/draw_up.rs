//! From a target and a snapshot to steps, in an order that AWS allows.
//!
//! Trust comes first, for AWS may let no administrator go without it. Then what is taken away, from the outside in: syncs, administrators, trust, the
//! role. Then what is made, from the inside out: the role, administrators, syncs. Each step is noted in a model of the organization, so that the next one stands on it.

use std::collections::BTreeSet;

use super::display::Shown;
use super::fact::Fact;
use super::snapshot::{Part, Snapshot};
use super::step::{Action, AtRisk, Step};
use super::target::{
    AdministratorTarget, Delegation, Exactly, OtherSyncs, RoleTarget, SyncWanted, Target, contradiction, named_twice,
    trust_operation,
};
use crate::capability::Warning;
use crate::domain::{AccountId, Region, ServicePrincipal};
use crate::error::{Error, ErrorKind};
use crate::observation::{Known, PRINCIPAL, has_one_administrator};
use crate::operations::data_sync::{Likeness, QUOTA, is_closed_to_administrators, likeness};
use crate::policy::{Caller, Permission};
use crate::ports::{DataSync, FeatureSet, Operation, SyncDefinition, SyncState};
use crate::syncs::{RemainingSync, SyncAt};

/// What a plan says, the snapshot apart.
pub(super) struct Drawn {
    pub(super) steps: Vec<Step>,
    pub(super) unknowns: Vec<String>,
    pub(super) warnings: Vec<String>,
}

pub(super) fn draw_up(target: &Target, snapshot: &Snapshot) -> Result<Drawn, Error> {
    // AWS refuses to list the trusted services then.
    let billing_only = snapshot.organization.feature_set == Some(FeatureSet::ConsolidatedBilling);
    draw_up_from(target, snapshot).map_err(|error| {
        let unlisted = error.operation() == Some(Operation::ListAwsServiceAccessForOrganization);
        let explained = billing_only && unlisted && *error.kind() == ErrorKind::Unread;
        let error = match error.caller() {
            None => error,
            caller => error.called_in(&Known { organization: snapshot.organization.clone(), caller }),
        };
        if explained { error.explained_by(ErrorKind::NotAllFeatures) } else { error }
    })
}

fn draw_up_from(target: &Target, snapshot: &Snapshot) -> Result<Drawn, Error> {
    target.check()?;
    let mut planner = Planner {
        target,
        regions: target.regions(),
        now: snapshot.clone(),
        drawn: Drawn { steps: Vec::new(), unknowns: Vec::new(), warnings: Vec::new() },
    };
    let (present, absent) = (planner.present_syncs()?, planner.absent_syncs()?);
    check_each_once(&present, &absent)?;
    planner.trust()?;
    planner.delete_syncs(absent)?;
    planner.deregister(&present)?;
    planner.distrust()?;
    planner.delete_role()?;
    planner.create_role()?;
    planner.register()?;
    planner.make_syncs(&present)?;
    planner.check_caller()?;
    planner.say_where_nobody_looked();
    planner.warn();
    Ok(planner.drawn)
}

struct Planner<'a> {
    target: &'a Target,
    /// Where data syncs are looked for.
    regions: BTreeSet<Region>,
    /// The organization after the steps so far.
    now: Snapshot,
    drawn: Drawn,
}

/// A sync that is to be, and where.
struct Wanted<'a> {
    at: SyncAt,
    definition: &'a SyncDefinition,
    /// Whether it is whoever's that administers.
    goes_along: bool,
}

/// Two owners may turn out to be one account.
fn check_each_once(present: &[Wanted<'_>], absent: &[SyncAt]) -> Result<(), Error> {
    let mut named = BTreeSet::new();
    let all = present.iter().map(|wanted| &wanted.at).chain(absent);
    all.into_iter().try_for_each(|at| if named.insert(at) { Ok(()) } else { Err(named_twice(&at.name, &at.region)) })
}

impl<'a> Planner<'a> {
    fn management(&self) -> AccountId {
        self.now.organization.management_account
    }

    fn push(&mut self, action: Action, reason: String, facts: Vec<Fact>, at_risk: Option<AtRisk>) {
        let account = action.account(self.management());
        action.happen_in(&mut self.now);
        self.drawn.steps.push(Step { action, reason, account, facts, at_risk });
    }

    fn administrators(&self, principal: &ServicePrincipal) -> Result<Vec<AccountId>, Error> {
        let administrators = self.now.need_service(principal)?.administrators.need()?;
        Ok(administrators.iter().map(|found| found.account).collect())
    }

    fn is_trusted(&self, principal: &ServicePrincipal) -> Result<bool, Error> {
        Ok(self.now.need_service(principal)?.trusted_access.need()?.is_some())
    }

    fn will_be_trusted(&self) -> Result<bool, Error> {
        self.target.service(&PRINCIPAL).trusted_access.map_or_else(|| self.is_trusted(&PRINCIPAL), Ok)
    }

    /// The account that administers Systems Manager in the end.
    fn administrator_to_be(&self) -> Result<Option<AccountId>, Error> {
        let service = self.target.service(&PRINCIPAL);
        if let Some(account) = service.administrators_to_be().first() {
            return Ok(Some(*account));
        }
        match &service.administrators {
            Some(Delegation::Target(_)) => Ok(None),
            untouched => match self.left(&PRINCIPAL, untouched.as_ref())?.as_slice() {
                [] => Ok(None),
                [only] => Ok(Some(*only)),
                several => {
                    let holders = several.to_vec();
                    Err(Error::of(ErrorKind::OtherAdministrator { holders }).at(Operation::ListDelegatedAdministrators))
                }
            },
        }
    }

    /// Whether an account administers Systems Manager in the end, whoever else does.
    fn will_administer(&self, account: AccountId) -> Result<bool, Error> {
        let service = self.target.service(&PRINCIPAL);
        let stays = || Ok(self.left(&PRINCIPAL, service.administrators.as_ref())?.contains(&account));
        if service.administrators_to_be().contains(&account) { Ok(true) } else { stays() }
    }

    /// The administrators that a target does not take away.
    fn left(&self, principal: &ServicePrincipal, target: Option<&Delegation>) -> Result<Vec<AccountId>, Error> {
        let mut left = self.administrators(principal)?;
        match target {
            None => {}
            Some(Delegation::Target(AdministratorTarget::Nobody)) => left.clear(),
            Some(Delegation::Target(AdministratorTarget::Account(wanted))) => {
                left.retain(|account| account == wanted || !has_one_administrator(principal));
            }
            Some(Delegation::Exactly(Exactly { without, .. })) => left.retain(|account| !without.contains(account)),
        }
        Ok(left)
    }

    /// The syncs that are to be, with their owners' accounts.
    fn present_syncs(&self) -> Result<Vec<Wanted<'a>>, Error> {
        let mut present = Vec::new();
        for sync in &self.target.syncs {
            let SyncWanted::Present(definition) = &sync.want else { continue };
            let operation = Operation::CreateResourceDataSync;
            let account = match sync.owner {
                Caller::Management => self.management(),
                Caller::Account(account) => account,
                Caller::Administrator => {
                    let why = format!("the data sync {:?} is to be the administrator's", definition.name().as_str());
                    let nobody = || Error::of(ErrorKind::NotAnAdministrator).at(operation).with_message(why);
                    self.administrator_to_be()?.ok_or_else(nobody)?
                }
            };
            if definition.is_of_organization() {
                if !self.will_be_trusted()? {
                    let why = "it is of the organization, and trusted access is off";
                    return Err(contradiction(&format!("the data sync {:?}: {why}", definition.name().as_str())));
                }
                if account != self.management() && !self.will_administer(account)? {
                    return Err(Error::of(ErrorKind::NotAnAdministrator).at(operation).about(account));
                }
            }
            let at = |region| SyncAt::new(account, region, definition.name());
            let goes_along = sync.owner == Caller::Administrator;
            present.extend(sync.regions.iter().map(|region| Wanted { at: at(region), definition, goes_along }));
        }
        Ok(present)
    }

    /// The syncs that are to be no more, whether or not they are there.
    fn absent_syncs(&self) -> Result<Vec<SyncAt>, Error> {
        let mut absent = Vec::new();
        for sync in &self.target.syncs {
            let SyncWanted::Absent(name) = &sync.want else { continue };
            let owners = match sync.owner {
                Caller::Management => BTreeSet::from([self.management()]),
                Caller::Account(account) => BTreeSet::from([account]),
                // Both who administers and who is to.
                Caller::Administrator => {
                    let mut owners: BTreeSet<_> = self.administrators(&PRINCIPAL)?.into_iter().collect();
                    owners.extend(self.target.service(&PRINCIPAL).administrators_to_be());
                    owners
                }
            };
            for account in owners {
                absent.extend(sync.regions.iter().map(|region| SyncAt::new(account, region, name)));
            }
        }
        Ok(absent)
    }

    fn delete_syncs(&mut self, absent: Vec<SyncAt>) -> Result<(), Error> {
        for at in absent {
            let Some(shown) = self.now.need_sync(&at)?.cloned() else { continue };
            let facts = vec![Fact::SyncIs { sync: at.clone(), shown: Box::new(shown) }];
            self.push(Action::DeleteSync { sync: at }, "it is to be gone".to_owned(), facts, None);
        }
        Ok(())
    }

    fn deregister(&mut self, present: &[Wanted<'_>]) -> Result<(), Error> {
        for (principal, service) in &self.target.services {
            let Some(wanted) = &service.administrators else { continue };
            let left = self.left(principal, Some(wanted))?;
            let mut others = self.now.need_service(principal)?.administrators.need()?.clone();
            others.retain(|found| !left.contains(&found.account));
            let reason = match service.administrators_to_be().first() {
                Some(account) if has_one_administrator(principal) => {
                    format!("account {account} is to administer {principal} instead, and AWS allows one account")
                }
                _ => format!("it is to administer {principal} no longer"),
            };
            for found in others {
                let (account, since) = (found.account, found.since);
                let facts = vec![Fact::Administers { account, principal: principal.clone(), since }];
                let at_risk = if *principal == PRINCIPAL {
                    let operation = Operation::DeregisterDelegatedAdministrator;
                    Some(self.at_risk(operation, vec![account], |at| {
                        let same = |wanted: &Wanted<'_>| (&wanted.at.region, &wanted.at.name) == (&at.region, &at.name);
                        present.iter().any(|wanted| wanted.goes_along && same(wanted))
                    })?)
                } else {
                    None
                };
                let action = Action::DeregisterAdministrator { account, principal: principal.clone() };
                self.push(action, reason.clone(), facts, at_risk);
            }
        }
        Ok(())
    }

    fn distrust(&mut self) -> Result<(), Error> {
        for (principal, service) in &self.target.services {
            if service.trusted_access != Some(false) {
                continue;
            }
            let Some(access) = self.now.need_service(principal)?.trusted_access.need()?.clone() else { continue };
            let holders = self.administrators(principal)?;
            if !holders.is_empty() {
                let kind = ErrorKind::OtherAdministrator { holders };
                return Err(Error::of(kind).at(trust_operation(false)).for_service(principal));
            }
            let at_risk = if *principal == PRINCIPAL {
                Some(self.at_risk(trust_operation(false), self.every_owner(), |_| false)?)
            } else {
                None
            };
            let principal = principal.clone();
            let facts = vec![
                Fact::Trusted { principal: principal.clone(), since: access.since },
                Fact::NobodyAdministers { principal: principal.clone() },
            ];
            let action = Action::DisableTrustedAccess { principal };
            self.push(action, "it is on, and is to be off".to_owned(), facts, at_risk);
        }
        Ok(())
    }

    fn delete_role(&mut self) -> Result<(), Error> {
        if self.target.role != Some(RoleTarget::Absent) {
            return Ok(());
        }
        let Some(role) = self.now.need_role()? else { return Ok(()) };
        let facts = vec![Fact::Untrusted { principal: PRINCIPAL }, Fact::RoleIs { id: role.id.clone() }];
        if self.is_trusted(&PRINCIPAL)? {
            return Err(contradiction("AWS deletes the role only where trusted access is off"));
        }
        let operation = Operation::DeleteServiceLinkedRole;
        let management = self.management();
        let at_risk = self.at_risk(operation, self.every_owner(), |_| false)?;
        // AWS says that all of Explorer's syncs keep the role, so there is nothing to forfeit. Of single accounts' syncs, only those of the role's own.
        // An administrator's go with its delegation.
        let goes = |at: &SyncAt| {
            self.drawn.steps.iter().any(|step| {
                matches!(&step.action, Action::DeregisterAdministrator { account, principal }
                    if *account == at.account && *principal == PRINCIPAL)
            })
        };
        let holds = |at: &SyncAt, sync: &DataSync| at.account == management || (sync.is_of_organization() && !goes(at));
        let holders =
            remaining(self.now.all_syncs().filter(|(at, sync)| holds(at, sync)).map(|(at, sync)| (at, sync.clone())));
        if !holders.is_empty() {
            return Err(Error::of(ErrorKind::SyncsRemain { syncs: holders }).at(operation));
        }
        self.push(Action::DeleteRole, "it is to be gone".to_owned(), facts, Some(at_risk));
        Ok(())
    }

    fn trust(&mut self) -> Result<(), Error> {
        for (principal, service) in &self.target.services {
            if service.trusted_access != Some(true) || self.is_trusted(principal)? {
                continue;
            }
            if self.now.organization.feature_set == Some(FeatureSet::ConsolidatedBilling) {
                return Err(Error::of(ErrorKind::NotAllFeatures).at(trust_operation(true)).for_service(principal));
            }
            let facts = vec![Fact::Untrusted { principal: principal.clone() }];
            let action = Action::EnableTrustedAccess { principal: principal.clone() };
            self.push(action, "it is off, and is to be on".to_owned(), facts, None);
        }
        Ok(())
    }

    fn create_role(&mut self) -> Result<(), Error> {
        if self.target.role == Some(RoleTarget::Present) && self.now.need_role()?.is_none() {
            let reason = "Explorer's data syncs of the organization run on it".to_owned();
            self.push(Action::CreateRole, reason, vec![Fact::RoleAbsent], None);
        }
        Ok(())
    }

    fn register(&mut self) -> Result<(), Error> {
        for (principal, service) in &self.target.services {
            for account in service.administrators_to_be() {
                self.register_one(principal, account)?;
            }
        }
        Ok(())
    }

    fn register_one(&mut self, principal: &ServicePrincipal, account: AccountId) -> Result<(), Error> {
        if self.administrators(principal)?.contains(&account) {
            return Ok(());
        }
        if account == self.management() {
            let operation = Operation::RegisterDelegatedAdministrator;
            let error = Error::of(ErrorKind::IsManagementAccount).at(operation).about(account);
            return Err(error.for_service(principal));
        }
        let holders = self.administrators(principal)?;
        if has_one_administrator(principal) && !holders.is_empty() {
            let kind = ErrorKind::OtherAdministrator { holders };
            let error = Error::of(kind).at(Operation::RegisterDelegatedAdministrator).about(account);
            return Err(error.for_service(principal));
        }
        if !self.is_trusted(principal)? {
            let why = format!("{principal} is not trusted, and an administrator needs that first");
            return Err(contradiction(&why));
        }
        let mut facts = vec![];
        if has_one_administrator(principal) {
            facts.push(Fact::NobodyAdministers { principal: principal.clone() });
        }
        let action = Action::RegisterAdministrator { account, principal: principal.clone() };
        self.push(action, format!("{principal} is to be administered by it"), facts, None);
        Ok(())
    }

    fn make_syncs(&mut self, present: &[Wanted<'_>]) -> Result<(), Error> {
        for Wanted { at, definition, .. } in present {
            let found = self.now.need_sync(at)?.cloned();
            let Some(found) = found else {
                self.check_room(at, definition)?;
                let facts = vec![Fact::SyncAbsent { sync: at.clone() }];
                let action = Action::CreateSync { sync: at.clone(), definition: (*definition).clone() };
                self.push(action, "it is to be there, and is not".to_owned(), facts, None);
                continue;
            };
            if !matches!(found.state, SyncState::Healthy) {
                let state = found.state.as_str().unwrap_or_default();
                self.drawn.warnings.push(format!(
                    "the data sync {at} is in the state {state}; AWS says to create it anew where trusted access was off"
                ));
            }
            match likeness(&found, definition) {
                Likeness::Same => {}
                Likeness::Unshown => self.drawn.unknowns.push(format!(
                    "of the data sync {at} AWS does not show whether future Regions are in and every source of OpsData is on"
                )),
                Likeness::Different => {
                    let reason = format!("it collects from {}", Shown(&found));
                    let facts = vec![Fact::SyncIs { sync: at.clone(), shown: Box::new(found) }];
                    let action = Action::UpdateSync { sync: at.clone(), definition: (*definition).clone() };
                    self.push(action, reason, facts, None);
                }
                Likeness::OtherSource => {
                    let error = Error::of(ErrorKind::SyncSourceFixed).at(Operation::UpdateResourceDataSync);
                    return Err(error.called_as(Some(at.account)).with_region(at.region.clone()));
                }
            }
        }
        Ok(())
    }

    fn check_room(&self, at: &SyncAt, definition: &SyncDefinition) -> Result<(), Error> {
        let refuse = |kind| {
            let error = Error::of(kind).at(Operation::CreateResourceDataSync);
            Err(error.called_as(Some(at.account)).with_region(at.region.clone()))
        };
        if at.account != self.management() && is_closed_to_administrators(&at.region, definition) {
            return refuse(ErrorKind::OptInRegion);
        }
        let there = self.now.need_syncs(at.account, &at.region)?;
        if there.len() >= QUOTA {
            return refuse(ErrorKind::SyncQuotaFull { holders: there.iter().map(|sync| sync.name.clone()).collect() });
        }
        Ok(())
    }

    /// The management account, which has to be looked at, and everybody else who was.
    fn every_owner(&self) -> Vec<AccountId> {
        let mut owners = vec![self.management()];
        for of in &self.now.syncs {
            if !owners.contains(&of.account) {
                owners.push(of.account);
            }
        }
        owners
    }

    /// The organization's syncs of these accounts, which a step would delete or break. The first has to be looked at, to protect.
    fn at_risk(
        &mut self,
        operation: Operation,
        accounts: Vec<AccountId>,
        is_made_anew: impl Fn(&SyncAt) -> bool,
    ) -> Result<AtRisk, Error> {
        let others = self.target.others;
        let regions: Vec<Region> = self.regions.iter().cloned().collect();
        let seen =
            self.now.all_syncs().filter(|(at, sync)| accounts.contains(&at.account) && sync.is_of_organization());
        let known: Vec<(SyncAt, DataSync)> = seen.map(|(at, sync)| (at, sync.clone())).collect();
        let unseen = self.unseen(operation, &accounts);
        match others {
            OtherSyncs::Protect => {
                if regions.is_empty() {
                    let why = "no Region is named to look for data syncs in, before they are broken or deleted";
                    return Err(contradiction(why));
                }
                if let Some((_, error)) = unseen.into_iter().next() {
                    return Err(error);
                }
                let unnamed = remaining(known.iter().filter(|(at, _)| !is_made_anew(at)).cloned());
                if !unnamed.is_empty() {
                    return Err(Error::of(ErrorKind::SyncsRemain { syncs: unnamed }).at(operation));
                }
            }
            OtherSyncs::Forfeit => {
                for (text, _) in unseen {
                    if !self.drawn.unknowns.contains(&text) {
                        self.drawn.unknowns.push(text);
                    }
                }
            }
        }
        Ok(AtRisk { others, accounts, regions, known })
    }

    /// What could not be seen of these accounts' syncs: in words, and as the refusal of whoever needs it. Of the others than the first, only what
    /// was looked at counts.
    fn unseen(&self, operation: Operation, accounts: &[AccountId]) -> Vec<(String, Error)> {
        let mut unseen = Vec::new();
        for (index, account) in accounts.iter().enumerate() {
            let syncs = format!("the data syncs of account {account}");
            let refusal = || Error::of(ErrorKind::SyncsUnseen { account: *account }).at(operation);
            for region in &self.regions {
                match self.now.syncs_of(*account, region) {
                    Some(part @ Part::Unknown(unknown)) => {
                        let text = format!("{syncs} in {region}: {}", unknown.why);
                        unseen.extend(part.need().err().map(|error| (text, error)));
                    }
                    None if index == 0 && self.now.has_client_of(*account) => {
                        unseen.push((format!("{syncs} in {region}: nobody looked"), refusal()));
                    }
                    None if index == 0 => {
                        unseen.push((format!("{syncs}: there is no client of it"), refusal()));
                        break;
                    }
                    Some(Part::Known(_)) | None => {}
                }
            }
            if index == 0 && self.regions.is_empty() {
                unseen.push((format!("{syncs}: nobody looked"), refusal()));
            }
        }
        unseen
    }

    /// Refuses credentials that are known not to be the management account's, where a step takes those.
    fn check_caller(&self) -> Result<(), Error> {
        let management = self.management();
        let first = self.drawn.steps.iter().find(|step| step.account == management);
        match (first, self.now.caller) {
            (Some(step), Some(caller)) if caller != management => {
                let kind = ErrorKind::NotManagementAccount { management };
                Err(Error::of(kind).at(step.action.operation()).called_as(Some(caller)))
            }
            _ => Ok(()),
        }
    }

    /// Only what is looked at is protected. Where syncs are forfeited, each step says so.
    fn say_where_nobody_looked(&mut self) {
        let takes_some = |step: &Step| {
            // Syncs hold the role; it takes none with it.
            step.action != Action::DeleteRole
                && step.at_risk.as_ref().is_some_and(|at_risk| at_risk.others == OtherSyncs::Protect)
        };
        if self.drawn.steps.iter().any(takes_some) {
            let regions: Vec<_> = self.regions.iter().map(Region::as_str).collect();
            self.drawn.unknowns.push(format!(
                "data syncs in other Regions than {}: nobody looked, and they would go or break unseen",
                regions.join(", ")
            ));
        }
    }

    /// What to know before saying yes.
    fn warn(&mut self) {
        let partition = self.now.organization.partition.clone();
        let mut warnings: Vec<String> = Vec::new();
        for step in &self.drawn.steps {
            let caller =
                if step.account == self.management() { Caller::Management } else { Caller::Account(step.account) };
            let permissions = step.permissions(caller);
            let known = permissions.iter().flat_map(|permission: &Permission| Warning::before(permission, &partition));
            warnings.extend(known.map(|warning| warning.to_string()));
            let (Action::CreateSync { definition, sync } | Action::UpdateSync { definition, sync }) = &step.action
            else {
                continue;
            };
            if definition.enables_all_ops_data_sources() {
                warnings.push(format!(
                    "the data sync {sync} switches every source of OpsData on in every account of the organization, which AWS charges for"
                ));
            }
            if definition.is_of_organization() && matches!(self.now.need_role(), Ok(None)) {
                warnings.push(format!("the data sync {sync} runs on the service-linked role, and there is none"));
            }
        }
        for warning in warnings {
            if !self.drawn.warnings.contains(&warning) {
                self.drawn.warnings.push(warning);
            }
        }
    }
}

fn remaining(syncs: impl Iterator<Item = (SyncAt, DataSync)>) -> Vec<RemainingSync> {
    syncs.map(|(at, sync)| RemainingSync { at, shown: Some(sync) }).collect()
}
