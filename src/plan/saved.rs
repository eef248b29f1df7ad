//! Plans, receipts and targets, written down: with the feature `serde`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Error as _, IgnoredAny, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::target::{
    AdministratorTarget, Delegation, OtherSyncs, RoleTarget, ServiceTarget, SyncTarget, SyncWanted, WITHHELD,
};
use super::{Action, AtRisk, Fact, Plan, Receipt, Snapshot, Step, Target};
use crate::change::Change;
use crate::command_line::CommandLine;
use crate::domain::{AccountId, OrganizationId, OrganizationalUnitId, Region, ServicePrincipal, SyncName};
use crate::observation::PRINCIPAL;
use crate::policy::Caller;
use crate::ports::{SourceRegions, SyncDefinition, SyncSource};
use crate::redact::redact;

/// The form in which plans and receipts are written. Another one is refused: it may mean what this release does not know.
const FORMAT: u32 = 1;

fn check_format<E: serde::de::Error>(format: u32) -> Result<(), E> {
    if format == FORMAT {
        return Ok(());
    }
    Err(E::custom(format_args!("it is written in format {format}, and this release reads format {FORMAT}")))
}

#[derive(Serialize)]
struct StepOut<'a> {
    action: &'a Action,
    reason: &'a str,
    account: AccountId,
    facts: &'a [Fact],
    #[serde(skip_serializing_if = "Option::is_none")]
    at_risk: Option<&'a AtRisk>,
    description: String,
    iam_action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<BTreeMap<&'static str, BTreeSet<String>>>,
    command_line: CommandLine,
}

/// With what follows from it, for those who read plans by other means: the description, the permission and the command line.
impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let out = StepOut {
            action: &self.action,
            reason: &self.reason,
            account: self.account,
            facts: &self.facts,
            at_risk: self.at_risk.as_ref(),
            description: self.action.to_string(),
            iam_action: self.action.operation().iam_action(),
            condition: self.condition().map(|condition| BTreeMap::from([(condition.key, condition.values)])),
            command_line: self.command_line(),
        };
        out.serialize(serializer)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepIn {
    action: Action,
    reason: String,
    account: AccountId,
    facts: Vec<Fact>,
    #[serde(default)]
    at_risk: Option<AtRisk>,
    #[serde(default, rename = "description")]
    _description: IgnoredAny,
    #[serde(default, rename = "iam_action")]
    _iam_action: IgnoredAny,
    #[serde(default, rename = "condition")]
    _condition: IgnoredAny,
    #[serde(default, rename = "command_line")]
    _command_line: IgnoredAny,
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StepIn { action, reason, account, facts, at_risk, .. } = StepIn::deserialize(deserializer)?;
        Ok(Self { action, reason, account, facts, at_risk })
    }
}

#[derive(Serialize)]
struct PlanOut<'a> {
    format: u32,
    snapshot: &'a Snapshot,
    steps: &'a [Step],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unknowns: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    left: &'a [String],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanIn {
    format: u32,
    snapshot: Snapshot,
    steps: Vec<Step>,
    #[serde(default)]
    unknowns: Vec<String>,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    left: Vec<String>,
}

impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { snapshot, steps, unknowns, warnings, left } = self;
        PlanOut { format: FORMAT, snapshot, steps, unknowns, warnings, left }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Plan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let PlanIn { format, snapshot, steps, unknowns, warnings, left } = PlanIn::deserialize(deserializer)?;
        check_format(format)?;
        let management = snapshot.organization.management_account;
        for step in &steps {
            let whose = step.action.account(management);
            if step.account != whose {
                let what = format_args!("steps: to {}, it takes account {whose}, not {}", step.action, step.account);
                return Err(D::Error::custom(what));
            }
            if step.action.sync().is_some_and(|at| at.name.is_withheld()) {
                return Err(D::Error::custom(format_args!("steps: to {}: {WITHHELD}", step.action)));
            }
            check_definition(&step.action).and_then(|()| check_at_risk(step, management)).map_err(D::Error::custom)?;
        }
        Ok(Self { snapshot, steps, unknowns, warnings, left })
    }
}

/// What a step says that it writes is what it writes.
fn check_definition(action: &Action) -> Result<(), String> {
    match action {
        Action::CreateSync { sync, definition } | Action::UpdateSync { sync, definition }
            if sync.name != *definition.name() =>
        {
            let name = redact(definition.name().as_str());
            Err(format!("steps: to {action}: its definition is of {name:?}"))
        }
        _ => Ok(()),
    }
}

/// Syncs are forfeited by word, and protected by a look.
fn check_at_risk(step: &Step, management: AccountId) -> Result<(), String> {
    let owner = match &step.action {
        Action::DeregisterAdministrator { account, principal } if *principal == PRINCIPAL => *account,
        Action::DisableTrustedAccess { principal } if *principal == PRINCIPAL => management,
        Action::DeleteRole => management,
        _ => return Ok(()),
    };
    let why = match &step.at_risk {
        None => "it does not say what becomes of the data syncs".to_owned(),
        Some(AtRisk { accounts, .. }) if accounts.first() != Some(&owner) => {
            format!("account {owner} is to come first")
        }
        Some(AtRisk { others: OtherSyncs::Protect, regions, .. }) if regions.is_empty() => {
            "it protects data syncs, and names no Region to look in".to_owned()
        }
        Some(_) => return Ok(()),
    };
    Err(format!("steps: to {}: at_risk: {why}", step.action))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedReceipt {
    format: u32,
    organization: OrganizationId,
    management_account: AccountId,
    changes: Vec<Change>,
}

impl Serialize for Receipt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { organization, management_account, changes } = self.clone();
        SavedReceipt { format: FORMAT, organization, management_account, changes }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Receipt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedReceipt { format, organization, management_account, changes } =
            SavedReceipt::deserialize(deserializer)?;
        check_format(format)?;
        Ok(Self { organization, management_account, changes })
    }
}

/// One of some words, or an account where that is one too.
struct OneOf<T: 'static> {
    words: &'static [(&'static str, T)],
    of_account: Option<fn(AccountId) -> T>,
    expecting: &'static str,
}

impl<T: Copy> Visitor<'_> for OneOf<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        if let Some((_, value)) = self.words.iter().find(|(word, _)| *word == text) {
            return Ok(*value);
        }
        let account = self.of_account.and_then(|of_account| AccountId::new(text).ok().map(of_account));
        account.ok_or_else(|| E::invalid_value(Unexpected::Str(&redact(text)), &self.expecting))
    }
}

/// A type that is read by that.
macro_rules! one_of {
    ($($name:ident($of:ty) = $words:expr, $of_account:expr, $expecting:literal;)*) => {$(
        #[derive(Clone, Copy)]
        struct $name($of);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let visitor = OneOf { words: $words, of_account: $of_account, expecting: $expecting };
                deserializer.deserialize_str(visitor).map(Self)
            }
        }
    )*};
}

one_of! {
    SavedSwitch(bool) = &[("on", true), ("off", false)], None, "\"on\" or \"off\"";
    SavedRole(Option<RoleTarget>) =
        &[("create", Some(RoleTarget::Present)), ("delete", Some(RoleTarget::Absent)), ("keep", None)],
        None, "\"create\", \"delete\" or \"keep\"";
    SavedOthers(OtherSyncs) =
        &[("protect", OtherSyncs::Protect), ("forfeit", OtherSyncs::Forfeit)], None, "\"protect\" or \"forfeit\"";
    SavedState(bool) = &[("present", true), ("absent", false)], None, "\"present\" or \"absent\"";
    SavedAdministrator(AdministratorTarget) =
        &[("none", AdministratorTarget::Nobody)], Some(AdministratorTarget::Account),
        "an account id in quotes (twelve digits), or \"none\"";
    SavedOwner(Caller) =
        &[("management", Caller::Management), ("administrator", Caller::Administrator)], Some(Caller::Account),
        "\"management\", \"administrator\", or an account id in quotes (twelve digits)";
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedSync {
    name: SyncName,
    #[serde(default)]
    owner: Option<SavedOwner>,
    regions: BTreeSet<Region>,
    #[serde(default)]
    state: Option<SavedState>,
    #[serde(default)]
    units: Vec<OrganizationalUnitId>,
    #[serde(default)]
    single_account: bool,
    #[serde(default)]
    source_regions: Vec<Region>,
    #[serde(default)]
    future_regions: bool,
    #[serde(default)]
    all_ops_data_sources: bool,
}

impl SavedSync {
    fn into_target(self) -> Result<SyncTarget, String> {
        let SavedSync { name, regions, .. } = &self;
        if regions.is_empty() {
            return Err(format!("regions: no Region is named for the data sync {:?}", name.to_string()));
        }
        if name.is_foreign() {
            return Err(format!("name: another AWS service looks after the data sync {:?}", name.to_string()));
        }
        if name.is_withheld() {
            return Err(format!("name: {WITHHELD}"));
        }
        let owner = self.owner.map_or(Caller::Management, |SavedOwner(owner)| owner);
        let regions = regions.clone();
        if self.state.is_some_and(|SavedState(present)| !present) {
            let describes = !self.units.is_empty()
                || self.single_account
                || !self.source_regions.is_empty()
                || self.future_regions
                || self.all_ops_data_sources;
            if describes {
                return Err(format!(
                    "the data sync {:?} is to be absent, and what it is to be is given",
                    name.to_string()
                ));
            }
            return Ok(SyncTarget { owner, regions, want: SyncWanted::Absent(self.name) });
        }
        let of = || -> Result<SyncDefinition, crate::Error> {
            let source = SyncSource::from_parts(self.units.clone(), self.single_account)?;
            let source_regions = if self.source_regions.is_empty() {
                SourceRegions::new(regions.iter().cloned())?
            } else {
                SourceRegions::new(self.source_regions.clone())?
            };
            let mut definition = SyncDefinition::new(self.name.clone(), source, source_regions);
            if self.future_regions {
                definition = definition.including_future_regions();
            }
            if self.all_ops_data_sources {
                definition = definition.enabling_all_ops_data_sources();
            }
            Ok(definition)
        };
        let definition = of().map_err(|error| error.to_string())?;
        Ok(SyncTarget { owner, regions, want: SyncWanted::Present(definition) })
    }
}

/// Refused here and not at the end of the file, so that the error has the place.
impl<'de> Deserialize<'de> for SyncTarget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SavedSync::deserialize(deserializer)?.into_target().map_err(D::Error::custom)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedService {
    #[serde(default)]
    trusted_access: Option<SavedSwitch>,
    #[serde(default)]
    administrator: Option<SavedAdministrator>,
}

impl From<SavedService> for ServiceTarget {
    fn from(SavedService { trusted_access, administrator }: SavedService) -> Self {
        Self {
            trusted_access: trusted_access.map(|SavedSwitch(on)| on),
            administrators: administrator.map(|SavedAdministrator(target)| Delegation::Target(target)),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedTarget {
    #[serde(default)]
    trusted_access: Option<SavedSwitch>,
    #[serde(default)]
    administrator: Option<SavedAdministrator>,
    #[serde(default)]
    role: Option<SavedRole>,
    #[serde(default)]
    other_syncs: Option<SavedOthers>,
    #[serde(default)]
    look_in: BTreeSet<Region>,
    #[serde(default)]
    syncs: Vec<SyncTarget>,
    #[serde(default)]
    companions: BTreeMap<ServicePrincipal, SavedService>,
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = SavedTarget::deserialize(deserializer)?;
        if saved.companions.contains_key(&PRINCIPAL) {
            return Err(D::Error::custom(format_args!("companions: {PRINCIPAL} is no companion; say it at the top")));
        }
        let mut services: BTreeMap<_, _> =
            saved.companions.into_iter().map(|(principal, service)| (principal, service.into())).collect();
        let own = SavedService { trusted_access: saved.trusted_access, administrator: saved.administrator };
        if own.trusted_access.is_some() || own.administrator.is_some() {
            services.insert(PRINCIPAL, ServiceTarget::from(own));
        }
        let role = saved.role.and_then(|SavedRole(role)| role);
        let others = saved.other_syncs.map(|SavedOthers(others)| others).unwrap_or_default();
        let target = Self { services, role, syncs: saved.syncs, others, look_in: saved.look_in };
        target.check().map_err(D::Error::custom)?;
        Ok(target)
    }
}
