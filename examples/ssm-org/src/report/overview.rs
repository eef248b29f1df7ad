//! Output of `status`.

use std::collections::BTreeSet;
use std::fmt::Display;

use serde_json::{Value, json};
use ssm_organizations::domain::RoleName;
use ssm_organizations::guidance::{Availability, Capability, Warning};
use ssm_organizations::plan::{Reading, ServiceReading, Snapshot, SyncListing};
use ssm_organizations::ports::{AccountState, DataSync, DelegatedAdministrator};
use ssm_organizations::{AccountId, Remedy, ServicePrincipal};

use super::{Lines, Outcome, StatusSummary, scope, since, state, value};

/// Returns a one-screen overview of a snapshot.
pub(crate) fn overview(snapshot: &Snapshot, companions: bool) -> Outcome {
    let status_summary = StatusSummary::of(snapshot);
    let organization = snapshot.organization();
    let mut lines = Lines::default();
    lines.field("organization", &organization.id);
    lines.field("management account", organization.management_account);
    lines.field("caller", snapshot.caller().map_or("unknown".to_owned(), |caller| caller.to_string()));
    lines.field("features", organization.feature_set.map_or("unknown".to_owned(), |features| features.to_string()));
    lines.field("state", status_summary.name());
    let (own, companions_seen): (Vec<_>, Vec<_>) =
        snapshot.services().iter().partition(|service| service.principal == ServicePrincipal::SYSTEMS_MANAGER);
    for service in own.into_iter().chain(companions_seen) {
        if service.principal == ServicePrincipal::SYSTEMS_MANAGER {
            lines.field("trusted access", trusted_access(service));
            for found in administrators(service) {
                lines.field("administrator", found);
            }
        } else {
            let administrators = administrators(service).join("; ");
            let principal = &service.principal;
            lines.field(
                "companion",
                format_args!("{principal}: trusted access {}; administrator {administrators}", trusted_access(service)),
            );
        }
    }
    match snapshot.role() {
        Some(Reading::Known(Some(role))) => lines.field("role", format_args!("{}, {}", role.name, since(role.created))),
        Some(Reading::Known(None)) => lines.field("role", format_args!("no {}", RoleName::ACCOUNT_DISCOVERY)),
        Some(Reading::Unknown(unknown)) => lines.field("role", format_args!("unknown: {}", unknown.error)),
        None => {}
    }
    snapshot.syncs().iter().for_each(|syncs| show_syncs(&mut lines, syncs));
    for (account, regions) in snapshot.regions_without_syncs() {
        let regions: Vec<_> = regions.into_iter().map(AsRef::as_ref).collect();
        lines.field("data sync", format_args!("account {account} in {}: none", regions.join(", ")));
    }
    for account in unchecked(snapshot) {
        let option = if account == organization.management_account { "--profile" } else { "--admin-profile" };
        let why = format_args!("account {account}: unknown: no credentials of that account ({option})");
        lines.field("data sync", why);
    }
    let capabilities = if companions { Capability::ALL } else { &[] };
    for capability in capabilities {
        lines.field("capability", format_args!("{capability}: {}", readiness(*capability, snapshot)));
    }
    let warnings = warnings(snapshot, companions);
    for warning in &warnings {
        lines.field("warning", warning);
    }

    let outcome = Outcome { lines: lines.0, ..Outcome::default() };
    outcome
        .with("state", status_summary.name())
        .with("snapshot", value(snapshot))
        .with("capabilities", capabilities.iter().map(|one| capability(*one, snapshot)).collect::<Vec<_>>())
        .with("warnings", value(&warnings))
}

fn trusted_access(service: &ServiceReading) -> String {
    match &service.trusted_access {
        Reading::Known(Some(access)) => since(access.enabled_at),
        Reading::Known(None) => "no".to_owned(),
        Reading::Unknown(unknown) => format!("unknown: {}", unknown.error),
    }
}

fn administrators(service: &ServiceReading) -> Vec<String> {
    match &service.administrators {
        Reading::Known(_) if service.without_delegation => vec!["not supported by the service".to_owned()],
        Reading::Known(none) if none.is_empty() => vec!["none".to_owned()],
        Reading::Known(some) => {
            let shown = some.iter().map(|DelegatedAdministrator { account, state, delegated_at: date, .. }| {
                let state = state.as_ref().map_or("state unknown", AccountState::as_str);
                format!("{account}, {state}, {}", since(*date))
            });
            shown.collect()
        }
        Reading::Unknown(unknown) => vec![format!("unknown: {}", unknown.error)],
    }
}

fn show_syncs(lines: &mut Lines, SyncListing { account, region, syncs, .. }: &SyncListing) {
    let mut field = |what: &dyn Display| {
        lines.field("data sync", format_args!("account {account} in {region}: {what}"));
    };
    match syncs {
        Reading::Known(syncs) => syncs.iter().for_each(|sync| {
            let advice = Remedy::for_sync_state(&sync.state).map(|remedy| format!("; {remedy}")).unwrap_or_default();
            let (name, state) = (sync.name.to_string(), state(sync));
            field(&format_args!("{name:?}, {state}, {}{}{advice}", scope(sync), last_run(sync)));
        }),
        Reading::Unknown(unknown) => field(&format_args!("unknown: {}", unknown.error)),
    }
}

/// Returns the result of the sync's last run and the date of the last success.
fn last_run(sync: &DataSync) -> String {
    let Some(status) = &sync.last_status else { return String::new() };
    match sync.last_success {
        Some(date) => format!("; last run: {}, last success {}", status.as_str(), super::date(date)),
        None => format!("; last run: {}", status.as_str()),
    }
}

/// Returns the accounts that may have data syncs and were not checked.
fn unchecked(snapshot: &Snapshot) -> BTreeSet<AccountId> {
    let service = snapshot.service(&ServicePrincipal::SYSTEMS_MANAGER);
    let administrators = service.and_then(|service| service.administrators.known());
    let mut accounts = BTreeSet::from([snapshot.organization().management_account]);
    accounts.extend(administrators.into_iter().flatten().map(|found| found.account));
    accounts.retain(|account| !snapshot.syncs().iter().any(|of| of.account == *account));
    accounts
}

/// Returns the prerequisites of a capability that the organization lacks.
fn missing(capability: Capability, snapshot: &Snapshot) -> Vec<String> {
    let lacks = |principal: &ServicePrincipal, has: &dyn Fn(&ServiceReading) -> Option<bool>| {
        snapshot.service(principal).and_then(has) == Some(false)
    };
    let mut missing = Vec::new();
    for principal in capability.trusted_principals() {
        if lacks(principal, &|service| service.trusted_access.known().map(Option::is_some)) {
            missing.push(format!("trusted access for {principal}"));
        }
    }
    for principal in capability.delegated_principals() {
        if lacks(principal, &|service| service.administrators.known().map(|all| !all.is_empty())) {
            missing.push(format!("a delegated administrator of {principal}"));
        }
    }
    let administrators: Vec<BTreeSet<AccountId>> = capability
        .delegated_principals()
        .iter()
        .filter_map(|principal| snapshot.service(principal)?.administrators.known())
        .filter(|all| !all.is_empty())
        .map(|all| all.iter().map(|found| found.account).collect())
        .collect();
    let in_common = administrators.iter().cloned().reduce(|one, other| &one & &other);
    if in_common.is_some_and(|accounts| accounts.is_empty()) {
        missing.push("one account that is the delegated administrator of each of its services".to_owned());
    }
    missing
}

fn readiness(capability: Capability, snapshot: &Snapshot) -> String {
    match capability.availability(&snapshot.organization().partition) {
        Availability::Unavailable => return "not offered in this partition".to_owned(),
        Availability::Undocumented => return "not documented for this partition".to_owned(),
        _ => {}
    }
    let missing = missing(capability, snapshot);
    if missing.is_empty() { "has what it needs".to_owned() } else { format!("lacks {}", missing.join(", ")) }
}

fn capability(capability: Capability, snapshot: &Snapshot) -> Value {
    json!({
        "name": capability,
        "availability": capability.availability(&snapshot.organization().partition),
        "missing": missing(capability, snapshot),
        "notes": capability.notes(),
        "source": capability.source(),
    })
}

/// Returns the warnings for capabilities that are in use, or for all with `--companions`.
fn warnings(snapshot: &Snapshot, companions: bool) -> Vec<Warning> {
    let partition = &snapshot.organization().partition;
    let uses_explorer = snapshot.syncs().iter().any(|of| of.syncs.known().is_some_and(|syncs| !syncs.is_empty()));
    let asked: &[Capability] = if companions {
        Capability::ALL
    } else if uses_explorer {
        &[Capability::Explorer]
    } else {
        &[]
    };
    asked.iter().flat_map(|capability| Warning::of_capability(*capability, partition)).collect()
}
