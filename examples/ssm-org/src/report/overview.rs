//! What `status` shows.

use std::collections::BTreeSet;
use std::fmt::Display;

use serde_json::{Value, json};
use ssm_organizations::plan::{Part, Service, Snapshot, SyncsOf};
use ssm_organizations::ports::{AccountState, DataSync, DelegatedAdministrator};
use ssm_organizations::{AccountId, Availability, Capability, RoleName, ServicePrincipal, Warning};

use super::{Lines, Outcome, Standing, scope, since, state, value};

/// Everything that a snapshot shows, in one screen.
pub(crate) fn overview(snapshot: &Snapshot, companions: bool) -> Outcome {
    let standing = Standing::of(snapshot);
    let organization = snapshot.organization();
    let mut lines = Lines::default();
    lines.field("organization", &organization.id);
    lines.field("management account", organization.management_account);
    lines.field("caller", snapshot.caller().map_or("unknown".to_owned(), |caller| caller.to_string()));
    lines.field("features", organization.feature_set.map_or("unknown".to_owned(), |features| features.to_string()));
    lines.field("state", standing.name());
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
                format_args!("{principal}: trusted {}; administrator {administrators}", trusted_access(service)),
            );
        }
    }
    match snapshot.role() {
        Some(Part::Known(Some(role))) => lines.field("role", format_args!("{}, {}", role.name, since(role.created))),
        Some(Part::Known(None)) => lines.field("role", format_args!("no {}", RoleName::ACCOUNT_DISCOVERY)),
        Some(Part::Unknown(unknown)) => lines.field("role", format_args!("unknown: {}", unknown.why)),
        None => {}
    }
    snapshot.syncs().iter().for_each(|syncs| show_syncs(&mut lines, syncs));
    for account in unseen(snapshot) {
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
        lines.field("good to know", warning);
    }

    let outcome = Outcome { lines: lines.0, ..Outcome::default() };
    outcome
        .with("state", standing.name())
        .with("snapshot", value(snapshot))
        .with("capabilities", capabilities.iter().map(|one| capability(*one, snapshot)).collect::<Vec<_>>())
        .with("warnings", value(&warnings))
}

fn trusted_access(service: &Service) -> String {
    match &service.trusted_access {
        Part::Known(Some(access)) => since(access.since),
        Part::Known(None) => "no".to_owned(),
        Part::Unknown(unknown) => format!("unknown: {}", unknown.why),
    }
}

fn administrators(service: &Service) -> Vec<String> {
    match &service.administrators {
        Part::Known(none) if none.is_empty() => vec!["none".to_owned()],
        Part::Known(some) => {
            let shown = some.iter().map(|DelegatedAdministrator { account, state, since: date, .. }| {
                let state = state.as_ref().map_or("state unknown", AccountState::as_str);
                format!("{account}, {state}, {}", since(*date))
            });
            shown.collect()
        }
        Part::Unknown(unknown) => vec![format!("unknown: {}", unknown.why)],
    }
}

fn show_syncs(lines: &mut Lines, SyncsOf { account, region, syncs, .. }: &SyncsOf) {
    let mut field = |what: &dyn Display| {
        lines.field("data sync", format_args!("account {account} in {region}: {what}"));
    };
    match syncs {
        Part::Known(syncs) if syncs.is_empty() => field(&"none"),
        Part::Known(syncs) => syncs.iter().for_each(|sync| {
            field(&format_args!("{:?}, {}, {}{}", sync.name.to_string(), state(sync), scope(sync), last_run(sync)));
        }),
        Part::Unknown(unknown) => field(&format_args!("unknown: {}", unknown.why)),
    }
}

/// How its last run ended, and when it last ran well.
fn last_run(sync: &DataSync) -> String {
    let Some(status) = &sync.last_status else { return String::new() };
    match sync.last_success {
        Some(date) => format!("; last run: {}, last well {}", status.as_str(), super::date(date)),
        None => format!("; last run: {}", status.as_str()),
    }
}

/// The accounts that may have data syncs, and that nobody looked at.
fn unseen(snapshot: &Snapshot) -> BTreeSet<AccountId> {
    let service = snapshot.service(&ServicePrincipal::SYSTEMS_MANAGER);
    let administrators = service.and_then(|service| service.administrators.known());
    let mut accounts = BTreeSet::from([snapshot.organization().management_account]);
    accounts.extend(administrators.into_iter().flatten().map(|found| found.account));
    accounts.retain(|account| !snapshot.syncs().iter().any(|of| of.account == *account));
    accounts
}

/// What a capability still lacks in the organization.
fn missing(capability: Capability, snapshot: &Snapshot) -> Vec<String> {
    let lacks = |principal: &ServicePrincipal, has: &dyn Fn(&Service) -> Option<bool>| {
        snapshot.service(principal).and_then(has) == Some(false)
    };
    let mut missing = Vec::new();
    for principal in capability.trusted_principals() {
        if lacks(principal, &|service| service.trusted_access.known().map(Option::is_some)) {
            missing.push(format!("trust in {principal}"));
        }
    }
    for principal in capability.delegated_principals() {
        if lacks(principal, &|service| service.administrators.known().map(|all| !all.is_empty())) {
            missing.push(format!("an administrator of {principal}"));
        }
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

/// What matters where somebody uses it, or asks.
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
