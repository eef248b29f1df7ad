use std::collections::BTreeSet;
use std::fmt;

use super::step::{Action, AffectedSyncs, Step};
use super::{Plan, UnlistedSyncs};
use crate::domain::{
    DataSync, DataSyncId, Region, RoleName, SYSTEMS_MANAGER, SyncDefinition, SyncSource, SyncSourceType, join_with_and,
};
use crate::observation::{ReadFailure, Reading, ServiceReading, Snapshot, SyncListing};

/// Prints the current state, the steps with their reasons, the affected syncs and the unknowns.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.snapshot)?;
        match self.steps.as_slice() {
            [] => writeln!(f, "\nNothing to do.")?,
            [_] => writeln!(f, "\n1 step:")?,
            steps => writeln!(f, "\n{} steps:", steps.len())?,
        }
        // A sync that a later step creates in another account is not lost.
        let created = self.steps.iter().filter_map(|step| match &step.action {
            Action::CreateSync { sync, .. } => Some(sync),
            _ => None,
        });
        let created: Vec<&DataSyncId> = created.collect();
        let mut said = BTreeSet::new();
        for (index, step) in self.steps.iter().enumerate() {
            writeln!(f, "\n{:>3}. {}", index + 1, StepText { step, said: &said, created: &created })?;
            // Each affected sync is printed only with the first step that affects it.
            said.extend(step.affected_syncs.iter().flat_map(|affected_syncs| &affected_syncs.listed).map(|(at, _)| at));
        }
        for (title, lines) in [("Left as it is:", &self.retained), ("Not known from here:", &self.unknowns)] {
            if !lines.is_empty() {
                writeln!(f, "\n{title}")?;
            }
            for line in lines {
                writeln!(f, "  - {line}")?;
            }
        }
        if !self.warnings.is_empty() {
            writeln!(f)?;
        }
        self.warnings.iter().try_for_each(|warning| writeln!(f, "warning: {warning}"))
    }
}

/// Prints several lines without a trailing line break.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        StepText { step: self, said: &BTreeSet::new(), created: &[] }.fmt(f)
    }
}

/// Text of a step that omits affected syncs printed with an earlier step.
struct StepText<'a> {
    step: &'a Step,
    said: &'a BTreeSet<&'a DataSyncId>,
    /// The data syncs that the plan creates.
    created: &'a [&'a DataSyncId],
}

impl fmt::Display for StepText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Step { action, reason, account, affected_syncs, .. } = self.step;
        write!(f, "{action}\n     because {reason}")?;
        if !self.step.depends_on.is_empty() {
            let numbers: Vec<_> = self.step.depends_on.iter().map(|index| index + 1).collect();
            let noun = if numbers.len() == 1 { "step" } else { "steps" };
            write!(f, "\n     after {noun} {}", join_with_and(&numbers))?;
        }
        if let Action::CreateSync { definition, .. } | Action::UpdateSync { definition, .. } = action {
            write!(f, "\n     so that it collects from {}", DefinedSync(definition))?;
        }
        if let Some(affected_syncs) = affected_syncs {
            self.write_losses(f, affected_syncs)?;
        }
        let operation = action.operation();
        write!(f, "\n     as {account}: {}", operation.iam_action())?;
        if let Some(condition) = self.step.condition() {
            let values: Vec<_> = condition.values.iter().map(String::as_str).collect();
            write!(f, " where {} is {}", condition.key, values.join(" or "))?;
        }
        write!(f, "\n     $ {}", self.step.aws_command())
    }
}

impl StepText<'_> {
    fn write_losses(&self, f: &mut fmt::Formatter<'_>, affected_syncs: &AffectedSyncs) -> fmt::Result {
        let (loud, whose) = match &self.step.action {
            Action::DeregisterAdministrator { .. } => ("LOST", "the account's other"),
            Action::DisableTrustedAccess { .. } => ("BROKEN", "other"),
            // Syncs prevent the deletion of the role; deleting the role deletes no sync.
            _ => return Ok(()),
        };
        for (at, sync) in affected_syncs.listed.iter().filter(|(at, _)| !self.said.contains(at)) {
            let is_successor =
                |new: &&&DataSyncId| (&new.region, &new.name) == (&at.region, &at.name) && new.account != at.account;
            match self.created.iter().find(is_successor) {
                Some(new) => {
                    let to = new.account;
                    write!(f, "\n     moved: the data sync {at}, to account {to}; its collection starts again")?;
                }
                None => write!(f, "\n     {loud}: the data sync {at}, from {}", ListedSync(sync))?,
            }
        }
        if affected_syncs.unlisted == UnlistedSyncs::AllowLoss {
            write!(f, "\n     {loud}: {whose} data syncs of the organization, which were not checked")?;
        }
        Ok(())
    }
}

/// Prints each observed part on its own line.
impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let organization = &self.organization;
        writeln!(f, "Organization {}, management account {}", organization.id, organization.management_account)?;
        if let Some(service) = self.service(&SYSTEMS_MANAGER) {
            line(f, "trusted access", &TrustedAccessText(service))?;
            line(f, "administrator", &AdministratorsText(service))?;
        }
        match &self.role {
            None => {}
            Some(Reading::Known(Some(role))) => line(f, "role", &role.name)?,
            Some(Reading::Known(None)) => line(f, "role", &format_args!("no {}", RoleName::ACCOUNT_DISCOVERY))?,
            Some(Reading::Unknown(unknown)) => line(f, "role", unknown)?,
        }
        for service in self.services.iter().filter(|service| service.principal != SYSTEMS_MANAGER) {
            let (trust, administrators) = (TrustedAccessText(service), AdministratorsText(service));
            let principal = &service.principal;
            let text = format_args!("{principal}: trusted access {trust}, administrator {administrators}");
            line(f, "companion", &text)?;
        }
        for SyncListing { account, region, syncs } in &self.syncs {
            match syncs {
                Reading::Known(none) if none.is_empty() => {}
                Reading::Known(some) => {
                    for sync in some {
                        let at = DataSyncId::new(*account, region, &sync.name);
                        line(f, "data sync", &format_args!("{at}: from {}", ListedSync(sync)))?;
                    }
                }
                Reading::Unknown(unknown) => {
                    line(f, "data syncs", &format_args!("account {account} in {region}: {unknown}"))?;
                }
            }
        }
        for (account, regions) in self.regions_without_syncs() {
            line(f, "data syncs", &format_args!("account {account} in {}: none", join_with_and(&regions)))?;
        }
        Ok(())
    }
}

impl fmt::Display for ReadFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.denied {
            write!(f, "unknown: access denied, it takes {}", self.operation.iam_action())
        } else {
            write!(f, "unknown: {}", self.error)
        }
    }
}

struct TrustedAccessText<'a>(&'a ServiceReading);

impl fmt::Display for TrustedAccessText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.trusted_access {
            Reading::Known(Some(_)) => f.write_str("on"),
            Reading::Known(None) => f.write_str("off"),
            Reading::Unknown(unknown) => unknown.fmt(f),
        }
    }
}

struct AdministratorsText<'a>(&'a ServiceReading);

impl fmt::Display for AdministratorsText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.administrators {
            Reading::Known(none) if none.is_empty() => f.write_str("none"),
            Reading::Known(some) => {
                let accounts: Vec<_> = some.iter().map(|found| found.account).collect();
                f.write_str(&comma_separated(&accounts))
            }
            Reading::Unknown(unknown) => unknown.fmt(f),
        }
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display) -> fmt::Result {
    writeln!(f, "  {name:<16}{value}")
}

/// Text of a listed sync: its definition and its status.
pub(super) struct ListedSync<'a>(pub(super) &'a DataSync);

impl fmt::Display for ListedSync<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sync = self.0;
        match &sync.source_type {
            Some(SyncSourceType::AwsOrganizations) if sync.units.is_empty() => f.write_str("the whole organization")?,
            Some(SyncSourceType::AwsOrganizations) => f.write_str(&comma_separated(&sync.units))?,
            Some(SyncSourceType::SingleAccountMultiRegions) => f.write_str("its own account")?,
            _ => f.write_str("what AWS does not show")?,
        }
        let future = sync.future_regions.unwrap_or_default();
        write_extent(f, &sync.regions, future, sync.all_ops_data_sources.unwrap_or_default())?;
        match sync.state.as_str() {
            Some(state) => write!(f, " ({state})"),
            None => Ok(()),
        }
    }
}

/// Text of a sync definition.
struct DefinedSync<'a>(&'a SyncDefinition);

impl fmt::Display for DefinedSync<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let definition = self.0;
        match definition.source() {
            SyncSource::EntireOrganization => f.write_str("the whole organization")?,
            SyncSource::OrganizationalUnits(units) => f.write_str(&comma_separated(units.as_slice()))?,
            SyncSource::SingleAccount => f.write_str("its own account")?,
        }
        let future = definition.includes_future_regions();
        write_extent(f, definition.regions(), future, definition.enables_all_ops_data_sources())
    }
}

fn write_extent(f: &mut fmt::Formatter<'_>, regions: &[Region], future: bool, all_sources: bool) -> fmt::Result {
    if !regions.is_empty() {
        write!(f, " in {}", comma_separated(regions))?;
    }
    if future {
        f.write_str(" and Regions that AWS opens later")?;
    }
    if all_sources {
        f.write_str(", with every source of OpsData switched on")?;
    }
    Ok(())
}

fn comma_separated<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
