//! Serialization of plans, receipts and targets, with the feature `serde`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use serde::de::{Error as _, IgnoredAny, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::dependencies::dependencies;
use super::target::{
    AdministratorTarget, AdministratorsTarget, RoleTarget, ServiceTarget, SyncTarget, SyncTargetState, UnlistedSyncs,
};
use super::warnings::add_step_warnings;
use super::{Action, AffectedSyncs, CreatedAt, Plan, Receipt, Snapshot, Step, Target};
use crate::domain::redact::redact;
use crate::domain::serialization::Date;
use crate::domain::{
    AccountId, Change, OrganizationId, OrganizationalUnitId, Precondition, Region, SYSTEMS_MANAGER, ServicePrincipal,
    SourceRegions, SyncDefinition, SyncName, SyncSource,
};
use crate::error::Error;
use crate::guidance::AwsCommand;
use crate::policy::Caller;

/// Format version of plans and receipts. Other versions are rejected, because this release may not
/// know their meaning.
const FORMAT: u32 = 2;

fn check_format<E: serde::de::Error>(format: u32) -> Result<(), E> {
    if format == FORMAT {
        return Ok(());
    }
    Err(E::custom(format_args!("it is written in format {format}, and this release reads format {FORMAT}")))
}

#[derive(Serialize)]
struct StepReprRef<'a> {
    action: &'a Action,
    reason: &'a str,
    account: AccountId,
    preconditions: &'a [Precondition],
    #[serde(skip_serializing_if = "Option::is_none")]
    affected_syncs: Option<&'a AffectedSyncs>,
    depends_on: &'a [usize],
    description: String,
    iam_action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<BTreeMap<&'static str, BTreeSet<String>>>,
    aws_command: AwsCommand,
}

/// Includes the derived description, permission and command line for readers outside this crate.
/// When a step is read, they are derived again: see `StepRepr`.
impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let out = StepReprRef {
            action: &self.action,
            reason: &self.reason,
            account: self.account,
            preconditions: &self.preconditions,
            affected_syncs: self.affected_syncs.as_ref(),
            depends_on: &self.depends_on,
            description: self.action.to_string(),
            iam_action: self.action.operation().iam_action(),
            condition: self.condition().map(|condition| BTreeMap::from([(condition.key, condition.values)])),
            aws_command: self.aws_command(),
        };
        out.serialize(serializer)
    }
}

/// Step as it is read.
///
/// The members that other programs act on, such as the command line, must be those of the action. A
/// step whose action was edited would otherwise do something else than the file says. Texts for
/// people are not compared: the description is written again from the action, and warnings that
/// follow from the steps are added to the plan if they are missing. The reason follows from the
/// target, which the file does not contain.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepRepr {
    action: Action,
    reason: String,
    account: AccountId,
    preconditions: Vec<Precondition>,
    #[serde(default)]
    affected_syncs: Option<AffectedSyncs>,
    depends_on: Vec<usize>,
    #[serde(default, rename = "description")]
    _description: IgnoredAny,
    iam_action: String,
    #[serde(default)]
    condition: Option<BTreeMap<String, BTreeSet<String>>>,
    aws_command: String,
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StepRepr {
            action,
            reason,
            account,
            preconditions,
            affected_syncs,
            depends_on,
            iam_action,
            condition,
            aws_command,
            ..
        } = StepRepr::deserialize(deserializer)?;
        check_definition(&action).map_err(D::Error::custom)?;
        let step = Self { action, reason, account, preconditions, affected_syncs, depends_on };
        let wanted = step.condition().map(|condition| BTreeMap::from([(condition.key.to_owned(), condition.values)]));
        let derived = [
            ("iam_action", iam_action == step.action.operation().iam_action()),
            ("condition", condition == wanted),
            ("aws_command", aws_command == step.aws_command().to_string()),
        ];
        match derived.into_iter().find(|(_, is_derived)| !is_derived) {
            Some((member, _)) => Err(D::Error::custom(mismatch(&step.action, member, "the action"))),
            None => Ok(step),
        }
    }
}

/// Describes a member of a step that contradicts what it is derived from.
fn mismatch(action: &Action, member: &str, origin: &str) -> String {
    format!("steps: to {action}: {member}: it is not the one that follows from {origin}; make a new plan")
}

#[derive(Serialize)]
struct PlanReprRef<'a> {
    format: u32,
    created_at: Date,
    snapshot: &'a Snapshot,
    steps: &'a [Step],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unknowns: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    retained: &'a [String],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanRepr {
    format: u32,
    created_at: Option<Date>,
    snapshot: Option<Snapshot>,
    steps: Option<Vec<Step>>,
    #[serde(default)]
    unknowns: Vec<String>,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    retained: Vec<String>,
    /// Members of a receipt, so that the error can say what the file is.
    #[serde(default, rename = "organization")]
    _organization: IgnoredAny,
    #[serde(default, rename = "management_account")]
    _management_account: IgnoredAny,
    changes: Option<IgnoredAny>,
}

impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { created_at: CreatedAt(created_at), snapshot, steps, unknowns, warnings, retained } = self;
        let created_at = Date(*created_at);
        PlanReprRef { format: FORMAT, created_at, snapshot, steps, unknowns, warnings, retained }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Plan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let PlanRepr { format, created_at, snapshot, steps, unknowns, mut warnings, retained, changes, .. } =
            PlanRepr::deserialize(deserializer)?;
        if changes.is_some() {
            return Err(D::Error::custom("it is a receipt, which is undone, and not a plan"));
        }
        check_format(format)?;
        let Date(created_at) = created_at.ok_or_else(|| D::Error::missing_field("created_at"))?;
        let snapshot = snapshot.ok_or_else(|| D::Error::missing_field("snapshot"))?;
        let steps = steps.ok_or_else(|| D::Error::missing_field("steps"))?;
        let management = snapshot.organization.management_account;
        for step in &steps {
            let whose = step.action.account(management);
            if step.account != whose {
                let what = format_args!("steps: to {}, it takes account {whose}, not {}", step.action, step.account);
                return Err(D::Error::custom(what));
            }
            check_affected_syncs(step, management).map_err(D::Error::custom)?;
        }
        let model = check_derived(&snapshot, &steps).map_err(D::Error::custom)?;
        add_step_warnings(&mut warnings, &steps, &model);
        Ok(Self { created_at: CreatedAt(created_at), snapshot, steps, unknowns, warnings, retained })
    }
}

/// Canonical form of a plan, from which its digest is computed.
#[derive(Serialize)]
struct CanonicalPlan<'a> {
    organization: &'a OrganizationId,
    management_account: AccountId,
    steps: Vec<CanonicalStep<'a>>,
}

#[derive(Serialize)]
struct CanonicalStep<'a> {
    action: &'a Action,
    account: AccountId,
    preconditions: &'a [Precondition],
    affected_syncs: Option<&'a AffectedSyncs>,
}

impl<'a> From<&'a Step> for CanonicalStep<'a> {
    fn from(step: &'a Step) -> Self {
        let Step { action, account, preconditions, affected_syncs, .. } = step;
        Self { action, account: *account, preconditions, affected_syncs: affected_syncs.as_ref() }
    }
}

impl Plan {
    /// Returns the SHA-256 digest of the plan as 64 lowercase hexadecimal digits.
    ///
    /// Plans with the same effect have the same digest, so a reviewer can approve a digest, and the
    /// program that applies the plan compares it. The file of a plan does not contain the digest.
    ///
    /// The digest is computed from a JSON text without whitespace: an object with `organization`,
    /// `management_account` and `steps`, in this order. Each step is an object with `action`,
    /// `account`, `preconditions` and `affected_syncs` (`null` if none), in this order and in the
    /// form of the plan's file. Texts for people, the creation time and the rest of the snapshot
    /// are not part of the digest.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) if a date is before 1970 or after 9999.
    pub fn digest(&self) -> Result<String, Error> {
        let organization = &self.snapshot.organization;
        let form = CanonicalPlan {
            organization: &organization.id,
            management_account: organization.management_account,
            steps: self.steps.iter().map(CanonicalStep::from).collect(),
        };
        let text = serde_json::to_vec(&form).map_err(|error| Error::invalid_input("plan", error))?;
        let mut digest = String::new();
        for byte in Sha256::digest(text) {
            // Writing to a string does not fail.
            let _ = write!(digest, "{byte:02x}");
        }
        Ok(digest)
    }
}

/// Checks that the preconditions, the affected syncs and the dependencies are those that follow
/// from the actions and the snapshot. Returns the state after the steps.
fn check_derived(snapshot: &Snapshot, steps: &[Step]) -> Result<Snapshot, String> {
    let mut model = snapshot.clone();
    let actions: Vec<_> = steps.iter().map(|step| &step.action).collect();
    for (step, depends_on) in steps.iter().zip(dependencies(&actions)) {
        let action = &step.action;
        let preconditions = action
            .preconditions(&model)
            .map_err(|error| format!("steps: to {action}: action: it does not fit the snapshot: {error:#}"))?;
        let listed = step.affected_syncs.iter().all(|affected| {
            let in_model: BTreeMap<_, _> = AffectedSyncs::listed_in(&model, &affected.accounts).into_iter().collect();
            affected.listed.len() == in_model.len()
                && affected.listed.iter().all(|(id, sync)| in_model.get(id) == Some(sync))
        });
        let derived = [
            ("preconditions", step.preconditions == preconditions),
            ("affected_syncs.listed", listed),
            ("depends_on", step.depends_on == depends_on),
        ];
        if let Some((member, _)) = derived.into_iter().find(|(_, is_derived)| !is_derived) {
            return Err(mismatch(action, member, "the action and the snapshot"));
        }
        action.apply_to_model(&mut model);
    }
    Ok(model)
}

/// Checks that the definition matches the sync that the step writes.
fn check_definition(action: &Action) -> Result<(), String> {
    match action {
        Action::CreateSync { sync, definition } | Action::UpdateSync { sync, definition }
            if sync.name != *definition.name() =>
        {
            let name = definition.name();
            Err(format!("steps: to {action}: its definition is of {:?}", name.as_str()))
        }
        _ => Ok(()),
    }
}

/// Checks the affected syncs of a step: loss must be stated, and protection requires a listing.
fn check_affected_syncs(step: &Step, management: AccountId) -> Result<(), String> {
    let owner = match &step.action {
        Action::DeregisterAdministrator { account, principal } if *principal == SYSTEMS_MANAGER => *account,
        Action::DisableTrustedAccess { principal } if *principal == SYSTEMS_MANAGER => management,
        Action::DeleteRole => management,
        _ => return Ok(()),
    };
    let why = match &step.affected_syncs {
        None => "it does not say what becomes of the data syncs".to_owned(),
        Some(AffectedSyncs { accounts, .. }) if accounts.first() != Some(&owner) => {
            format!("account {owner} is to come first")
        }
        Some(AffectedSyncs { unlisted: UnlistedSyncs::Protect, regions, .. }) if regions.is_empty() => {
            "it protects data syncs, and names no Region to look in".to_owned()
        }
        Some(_) => return Ok(()),
    };
    Err(format!("steps: to {}: affected_syncs: {why}", step.action))
}

#[derive(Serialize)]
struct ReceiptReprRef<'a> {
    format: u32,
    organization: &'a OrganizationId,
    management_account: AccountId,
    changes: &'a [Change],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiptRepr {
    format: u32,
    organization: Option<OrganizationId>,
    management_account: Option<AccountId>,
    changes: Option<Vec<Change>>,
    /// Members of a plan, so that the error can say what the file is.
    #[serde(default, rename = "created_at")]
    _created_at: IgnoredAny,
    #[serde(default, rename = "snapshot")]
    _snapshot: IgnoredAny,
    #[serde(default, rename = "unknowns")]
    _unknowns: IgnoredAny,
    #[serde(default, rename = "warnings")]
    _warnings: IgnoredAny,
    #[serde(default, rename = "retained")]
    _retained: IgnoredAny,
    steps: Option<IgnoredAny>,
}

impl Serialize for Receipt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { organization, management_account, changes } = self;
        let management_account = *management_account;
        ReceiptReprRef { format: FORMAT, organization, management_account, changes }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Receipt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ReceiptRepr { format, organization, management_account, changes, steps, .. } =
            ReceiptRepr::deserialize(deserializer)?;
        if steps.is_some() {
            return Err(D::Error::custom("it is a plan, which is applied, and not a receipt"));
        }
        check_format(format)?;
        Ok(Self {
            organization: organization.ok_or_else(|| D::Error::missing_field("organization"))?,
            management_account: management_account.ok_or_else(|| D::Error::missing_field("management_account"))?,
            changes: changes.ok_or_else(|| D::Error::missing_field("changes"))?,
        })
    }
}

/// Visitor for a keyword, or for an account where one is accepted.
struct KeywordVisitor<T: 'static> {
    words: &'static [(&'static str, T)],
    of_account: Option<fn(AccountId) -> T>,
    expecting: &'static str,
}

impl<T: Copy> Visitor<'_> for KeywordVisitor<T> {
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

/// Defines a type that is deserialized with [`KeywordVisitor`].
macro_rules! keyword {
    ($($name:ident($of:ty) = $words:expr, $of_account:expr, $expecting:literal;)*) => {$(
        #[derive(Clone, Copy)]
        struct $name($of);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let visitor = KeywordVisitor { words: $words, of_account: $of_account, expecting: $expecting };
                deserializer.deserialize_str(visitor).map(Self)
            }
        }
    )*};
}

keyword! {
    SavedSwitch(bool) = &[("on", true), ("off", false)], None, "\"on\" or \"off\"";
    SavedRole(Option<RoleTarget>) =
        &[("create", Some(RoleTarget::Present)), ("delete", Some(RoleTarget::Absent)), ("keep", None)],
        None, "\"create\", \"delete\" or \"keep\"";
    SavedOthers(UnlistedSyncs) =
        &[("protect", UnlistedSyncs::Protect), ("allow_loss", UnlistedSyncs::AllowLoss)], None, "\"protect\" or \"allow_loss\"";
    SavedState(bool) = &[("present", true), ("absent", false)], None, "\"present\" or \"absent\"";
    SavedAdministrator(AdministratorTarget) =
        &[("none", AdministratorTarget::None)], Some(AdministratorTarget::Account),
        "an account id in quotes (twelve digits), or \"none\"";
    SavedOwner(Caller) =
        &[("management", Caller::Management), ("administrator", Caller::Administrator)], Some(Caller::Account),
        "\"management\", \"administrator\", or an account id in quotes (twelve digits)";
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SyncTargetRepr {
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

impl SyncTargetRepr {
    fn into_target(self) -> Result<SyncTarget, String> {
        let SyncTargetRepr { name, regions, .. } = &self;
        if regions.is_empty() {
            return Err(format!("data sync {:?}: expected at least one home Region", name.as_str()));
        }
        if name.is_service_managed() {
            return Err(format!("name: another AWS service looks after the data sync {:?}", name.to_string()));
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
                return Err(format!("the data sync {:?} is to be absent, but a definition is given", name.to_string()));
            }
            return Ok(SyncTarget { owner, regions, want: SyncTargetState::Absent(self.name), recreate: false });
        }
        let of = || -> Result<SyncDefinition, Error> {
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
        Ok(SyncTarget { owner, regions, want: SyncTargetState::Present(definition), recreate: false })
    }
}

/// Contradictions are rejected here, so that the error carries the position in the file.
impl<'de> Deserialize<'de> for SyncTarget {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SyncTargetRepr::deserialize(deserializer)?.into_target().map_err(D::Error::custom)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceTargetRepr {
    #[serde(default)]
    trusted_access: Option<SavedSwitch>,
    #[serde(default)]
    administrator: Option<SavedAdministrator>,
    #[serde(default)]
    replace_administrator: bool,
}

impl From<ServiceTargetRepr> for ServiceTarget {
    fn from(saved: ServiceTargetRepr) -> Self {
        let ServiceTargetRepr { trusted_access, administrator, replace_administrator } = saved;
        let target = |SavedAdministrator(target)| match target {
            AdministratorTarget::Account(account) if replace_administrator => AdministratorTarget::Replacement(account),
            target => target,
        };
        Self {
            trusted_access: trusted_access.map(|SavedSwitch(on)| on),
            administrators: administrator.map(target).map(AdministratorsTarget::Target),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetRepr {
    #[serde(default)]
    trusted_access: Option<SavedSwitch>,
    #[serde(default)]
    administrator: Option<SavedAdministrator>,
    #[serde(default)]
    role: Option<SavedRole>,
    #[serde(default)]
    unlisted_syncs: Option<SavedOthers>,
    #[serde(default)]
    search_regions: BTreeSet<Region>,
    #[serde(default)]
    syncs: Vec<SyncTarget>,
    #[serde(default)]
    migrate_syncs: bool,
    #[serde(default)]
    companions: BTreeMap<ServicePrincipal, ServiceTargetRepr>,
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = TargetRepr::deserialize(deserializer)?;
        if saved.companions.contains_key(&SYSTEMS_MANAGER) {
            return Err(D::Error::custom(format_args!(
                "companions: {SYSTEMS_MANAGER} is no companion; say it at the top"
            )));
        }
        let mut services: BTreeMap<_, _> =
            saved.companions.into_iter().map(|(principal, service)| (principal, service.into())).collect();
        let own = ServiceTargetRepr {
            trusted_access: saved.trusted_access,
            administrator: saved.administrator,
            replace_administrator: false,
        };
        if own.trusted_access.is_some() || own.administrator.is_some() {
            services.insert(SYSTEMS_MANAGER, ServiceTarget::from(own));
        }
        let role = saved.role.and_then(|SavedRole(role)| role);
        let others = saved.unlisted_syncs.map(|SavedOthers(others)| others).unwrap_or_default();
        let (syncs, search_regions) = (saved.syncs, saved.search_regions);
        let migrated = saved.migrate_syncs.then(Vec::new);
        let others = Self { unlisted_syncs: others, ..Self::default() };
        let target = Self { services, role, syncs, search_regions, migrated, ..others };
        target.check().map_err(D::Error::custom)?;
        Ok(target)
    }
}
