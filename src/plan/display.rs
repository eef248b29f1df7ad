use std::fmt;

use super::snapshot::{Part, Snapshot, SyncsOf};
use super::step::Action;
use super::step::Step;
use super::{OtherSyncs, Plan};
use crate::domain::RoleName;
use crate::observation::PRINCIPAL;
use crate::ports::{DataSync, SyncDefinition, SyncSource, SyncSourceType};

/// What a person reads before saying yes: what is, what will be done and why, what goes with it, and what cannot be known.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.snapshot)?;
        match self.steps.as_slice() {
            [] => writeln!(f, "\nNothing to do.")?,
            [_] => writeln!(f, "\n1 step:")?,
            steps => writeln!(f, "\n{} steps:", steps.len())?,
        }
        for (index, step) in self.steps.iter().enumerate() {
            writeln!(f, "\n{:>3}. {step}", index + 1)?;
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
        write!(f, "{}\n     because {}", self.action, self.reason)?;
        if let Action::CreateSync { definition, .. } | Action::UpdateSync { definition, .. } = &self.action {
            write!(f, "\n     so that it collects from {}", Collected(definition))?;
        }
        if let Some(at_risk) = &self.at_risk {
            for (at, sync) in &at_risk.known {
                write!(f, "\n     LOST: the data sync {at}, {}", Shown(sync))?;
            }
            if at_risk.others == OtherSyncs::Forfeit {
                f.write_str("\n     and whatever data syncs of the organization cannot be seen")?;
            }
        }
        let operation = self.action.operation();
        write!(f, "\n     as {}: {}", self.account, operation.iam_action())?;
        if let Some(condition) = self.condition() {
            let values: Vec<_> = condition.values.iter().map(String::as_str).collect();
            write!(f, " where {} is {}", condition.key, values.join(" or "))?;
        }
        write!(f, "\n     $ {}", self.command_line())
    }
}

/// What was seen, a line each.
impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let organization = &self.organization;
        writeln!(f, "Organization {}, management account {}", organization.id, organization.management_account)?;
        for service in &self.services {
            let whose = |what: &str| {
                if service.principal == PRINCIPAL { what.to_owned() } else { format!("{what} ({})", service.principal) }
            };
            let trust = match &service.trusted_access {
                Part::Known(Some(_)) => "on".to_owned(),
                Part::Known(None) => "off".to_owned(),
                Part::Unknown(unknown) => format!("unknown: {}", unknown.why),
            };
            line(f, &whose("trusted access"), &trust)?;
            let administrators = match &service.administrators {
                Part::Known(none) if none.is_empty() => "nobody".to_owned(),
                Part::Known(some) => {
                    let accounts = some.iter().map(|found| found.account.to_string());
                    accounts.collect::<Vec<_>>().join(", ")
                }
                Part::Unknown(unknown) => format!("unknown: {}", unknown.why),
            };
            line(f, &whose("administrator"), &administrators)?;
        }
        match &self.role {
            None => {}
            Some(Part::Known(Some(role))) => line(f, "role", &role.name)?,
            Some(Part::Known(None)) => line(f, "role", &format_args!("no {}", RoleName::ACCOUNT_DISCOVERY))?,
            Some(Part::Unknown(unknown)) => line(f, "role", &format_args!("unknown: {}", unknown.why))?,
        }
        for SyncsOf { account, region, syncs } in &self.syncs {
            let place = format!("{account} in {region}");
            match syncs {
                Part::Known(none) if none.is_empty() => line(f, "data syncs", &format_args!("{place}: none"))?,
                Part::Known(some) => {
                    for sync in some {
                        let name = sync.name.as_str();
                        line(f, "data sync", &format_args!("{place}: {name:?}, {}", Shown(sync)))?;
                    }
                }
                Part::Unknown(unknown) => {
                    line(f, "data syncs", &format_args!("{place}: unknown: {}", unknown.why))?;
                }
            }
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display) -> fmt::Result {
    writeln!(f, "  {name:<16}{value}")
}

/// A sync as a listing shows it, in a few words.
struct Shown<'a>(&'a DataSync);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sync = self.0;
        match &sync.source_type {
            Some(SyncSourceType::AwsOrganizations) if sync.units.is_empty() => {
                f.write_str("of the whole organization")?;
            }
            Some(SyncSourceType::AwsOrganizations) => write!(f, "of {}", list(&sync.units))?,
            Some(SyncSourceType::SingleAccountMultiRegions) => f.write_str("of its own account")?,
            _ => f.write_str("of a source that AWS does not show")?,
        }
        if !sync.regions.is_empty() {
            write!(f, ", from {}", list(&sync.regions))?;
        }
        match sync.state.as_str() {
            Some(state) => write!(f, ", {state}"),
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
        write!(f, " in {}", list(definition.regions()))?;
        if definition.includes_future_regions() {
            f.write_str(" and Regions that AWS opens later")?;
        }
        if definition.enables_all_ops_data_sources() {
            f.write_str(", with every source of OpsData switched on")?;
        }
        Ok(())
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
