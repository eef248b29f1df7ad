use std::collections::BTreeSet;
use std::fmt;

use super::snapshot::{Part, Service, Snapshot, SyncsOf, Unknown};
use super::step::{Action, AtRisk, Step};
use super::{OtherSyncs, Plan};
use crate::domain::{Region, RoleName};
use crate::observation::PRINCIPAL;
use crate::ports::{DataSync, SyncDefinition, SyncSource, SyncSourceType};
use crate::syncs::SyncAt;

/// What a person reads before saying yes: what is, what will be done and why, what goes with it, and what cannot be known.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.snapshot)?;
        match self.steps.as_slice() {
            [] => writeln!(f, "\nNothing to do.")?,
            [_] => writeln!(f, "\n1 step:")?,
            steps => writeln!(f, "\n{} steps:", steps.len())?,
        }
        let mut said = BTreeSet::new();
        for (index, step) in self.steps.iter().enumerate() {
            writeln!(f, "\n{:>3}. {}", index + 1, Text { step, said: &said })?;
            // What is lost with one step is not lost again with the next.
            said.extend(step.at_risk.iter().flat_map(|at_risk| &at_risk.known).map(|(at, _)| at));
        }
        for (title, lines) in [
            ("Left as it is:", &self.left),
            ("Not known from here:", &self.unknowns),
            ("Good to know:", &self.warnings),
        ] {
            if !lines.is_empty() {
                writeln!(f, "\n{title}")?;
            }
            for line in lines {
                writeln!(f, "  - {line}")?;
            }
        }
        Ok(())
    }
}

/// Several lines, without the line break at the end.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Text { step: self, said: &BTreeSet::new() }.fmt(f)
    }
}

/// A step, without the losses that were said before.
struct Text<'a> {
    step: &'a Step,
    said: &'a BTreeSet<&'a SyncAt>,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Step { action, reason, account, at_risk, .. } = self.step;
        write!(f, "{action}\n     because {reason}")?;
        if let Action::CreateSync { definition, .. } | Action::UpdateSync { definition, .. } = action {
            write!(f, "\n     so that it collects from {}", Collected(definition))?;
        }
        if let Some(at_risk) = at_risk {
            self.write_losses(f, at_risk)?;
        }
        let operation = action.operation();
        write!(f, "\n     as {account}: {}", operation.iam_action())?;
        if let Some(condition) = self.step.condition() {
            let values: Vec<_> = condition.values.iter().map(String::as_str).collect();
            write!(f, " where {} is {}", condition.key, values.join(" or "))?;
        }
        write!(f, "\n     $ {}", self.step.command_line())
    }
}

impl Text<'_> {
    fn write_losses(&self, f: &mut fmt::Formatter<'_>, at_risk: &AtRisk) -> fmt::Result {
        let (loud, whose) = match &self.step.action {
            Action::DeregisterAdministrator { .. } => ("LOST", "the account's other"),
            Action::DisableTrustedAccess { .. } => ("BROKEN", "other"),
            // Syncs hold the role; it takes none with it.
            _ => return Ok(()),
        };
        for (at, sync) in at_risk.known.iter().filter(|(at, _)| !self.said.contains(at)) {
            write!(f, "\n     {loud}: the data sync {at}, from {}", Shown(sync))?;
        }
        if at_risk.others == OtherSyncs::Forfeit {
            write!(f, "\n     {loud}: {whose} data syncs of the organization, where nobody looked")?;
        }
        Ok(())
    }
}

/// What was seen, a line each.
impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let organization = &self.organization;
        writeln!(f, "Organization {}, management account {}", organization.id, organization.management_account)?;
        if let Some(service) = self.service(&PRINCIPAL) {
            line(f, "trusted access", &Trust(service))?;
            line(f, "administrator", &Administrators(service))?;
        }
        match &self.role {
            None => {}
            Some(Part::Known(Some(role))) => line(f, "role", &role.name)?,
            Some(Part::Known(None)) => line(f, "role", &format_args!("no {}", RoleName::ACCOUNT_DISCOVERY))?,
            Some(Part::Unknown(unknown)) => line(f, "role", unknown)?,
        }
        for service in self.services.iter().filter(|service| service.principal != PRINCIPAL) {
            let (trust, administrators) = (Trust(service), Administrators(service));
            let principal = &service.principal;
            let text = format_args!("{principal}: trusted access {trust}, administrator {administrators}");
            line(f, "companion", &text)?;
        }
        for SyncsOf { account, region, syncs } in &self.syncs {
            match syncs {
                Part::Known(none) if none.is_empty() => {
                    line(f, "data syncs", &format_args!("account {account} in {region}: none"))?;
                }
                Part::Known(some) => {
                    for sync in some {
                        let at = SyncAt::new(*account, region, &sync.name);
                        line(f, "data sync", &format_args!("{at}: from {}", Shown(sync)))?;
                    }
                }
                Part::Unknown(unknown) => {
                    line(f, "data syncs", &format_args!("account {account} in {region}: {unknown}"))?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.denied {
            write!(f, "unknown: access denied, it takes {}", self.operation.iam_action())
        } else {
            write!(f, "unknown: {}", self.why)
        }
    }
}

struct Trust<'a>(&'a Service);

impl fmt::Display for Trust<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.trusted_access {
            Part::Known(Some(_)) => f.write_str("on"),
            Part::Known(None) => f.write_str("off"),
            Part::Unknown(unknown) => unknown.fmt(f),
        }
    }
}

struct Administrators<'a>(&'a Service);

impl fmt::Display for Administrators<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.administrators {
            Part::Known(none) if none.is_empty() => f.write_str("none"),
            Part::Known(some) => {
                let accounts: Vec<_> = some.iter().map(|found| found.account).collect();
                f.write_str(&list(&accounts))
            }
            Part::Unknown(unknown) => unknown.fmt(f),
        }
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display) -> fmt::Result {
    writeln!(f, "  {name:<16}{value}")
}

/// What a sync collects, as a listing shows it, and how it fares.
pub(super) struct Shown<'a>(pub(super) &'a DataSync);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sync = self.0;
        match &sync.source_type {
            Some(SyncSourceType::AwsOrganizations) if sync.units.is_empty() => f.write_str("the whole organization")?,
            Some(SyncSourceType::AwsOrganizations) => f.write_str(&list(&sync.units))?,
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

/// What a sync collects.
struct Collected<'a>(&'a SyncDefinition);

impl fmt::Display for Collected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let definition = self.0;
        match definition.source() {
            SyncSource::EntireOrganization => f.write_str("the whole organization")?,
            SyncSource::OrganizationalUnits(units) => f.write_str(&list(units.as_slice()))?,
            SyncSource::SingleAccount => f.write_str("its own account")?,
        }
        let future = definition.includes_future_regions();
        write_extent(f, definition.regions(), future, definition.enables_all_ops_data_sources())
    }
}

fn write_extent(f: &mut fmt::Formatter<'_>, regions: &[Region], future: bool, all_sources: bool) -> fmt::Result {
    if !regions.is_empty() {
        write!(f, " in {}", list(regions))?;
    }
    if future {
        f.write_str(" and Regions that AWS opens later")?;
    }
    if all_sources {
        f.write_str(", with every source of OpsData switched on")?;
    }
    Ok(())
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
