use ssm_organizations::domain::{DataSyncId, SyncCheckReport};
use ssm_organizations::plan::{Action, Plan, Receipt, Snapshot, Target, UnlistedSyncs};
use ssm_organizations::ports::DataSync;
use ssm_organizations::{AccountId, Certainty, Change, ChangeKind, ServicePrincipal};

use super::run::Run;
use super::{CommandContext, apply};
use crate::cli::Replace;
use crate::files;
use crate::report::{self, CliError, Outcome, StatusSummary, value};

pub(super) async fn run(args: &Replace, context: CommandContext<'_>) -> Result<Outcome, CliError> {
    let earlier = args.write.receipt.as_deref().map(files::read_receipt).transpose()?.flatten();
    let recorded = earlier.as_ref().map(|receipt| interrupted_syncs(args.admin, receipt)).unwrap_or_default();
    let mut target = Target::new().with_administrator(args.admin).search_regions(context.regions.iter().cloned());
    if args.allow_sync_loss {
        target = target.with_unlisted_syncs(UnlistedSyncs::AllowLoss);
    }
    // With allowed loss, syncs move only if the credentials for it are given.
    if !args.allow_sync_loss || args.new_admin_profile.is_some() {
        target = target.with_migrated_syncs(recorded);
    }
    let complete = |target: Target, snapshot: &_| {
        check_administrator(snapshot)?;
        Ok(target)
    };
    let plan = match context.build_plan(target, &[], complete).await {
        Ok(plan) => plan,
        Err(error) => return error.conclude(),
    };
    let replaces = plan.steps().iter().any(|step| matches!(step.action(), Action::DeregisterAdministrator { .. }));
    let misses_syncs = earlier.is_none() && !replaces && !args.allow_sync_loss;
    if misses_syncs {
        context.console.warn(FORMER_SYNCS_UNKNOWN);
    }
    if !plan.is_empty() {
        let question = format!("Make account {} the administrator instead?", args.admin);
        if let Err(refusal) = apply::ask(&plan, &question, args.write.yes, context) {
            return Ok(*refusal);
        }
    }
    let receipt = args.write.receipt.as_deref().filter(|_| !plan.is_empty());
    let mut run = Run::begin(plan.snapshot().organization(), receipt)?;
    for (what, remedy) in affected(args, &plan) {
        context.console.note(&format!("if this run is interrupted, create the {what} again: {remedy}"));
    }
    if plan.is_empty() {
        run.notes.add_plan_texts(&plan);
    }
    let is_complete = run.apply(&plan, context).await;
    if !is_complete {
        for (what, remedy) in lost(args, &run.changes, run.now.as_ref()) {
            run.notes.lost(what, remedy);
        }
    }
    if misses_syncs {
        run.notes.warned(FORMER_SYNCS_UNKNOWN);
    }
    Ok(run.conclude().with("plan", value(&plan)))
}

const FORMER_SYNCS_UNKNOWN: &str = "the data syncs of a former administrator are unknown; after an interrupted \
                                    replacement, --receipt with the receipt of that run creates those that are missing";

/// Checks that there is one administrator to replace, or none after an interrupted replacement.
fn check_administrator(snapshot: &Snapshot) -> Result<(), CliError> {
    let now = StatusSummary::of(snapshot);
    if matches!(now.name(), "Disabled" | "Inconsistent") {
        let why = format!("there is no single administrator to replace; {now}");
        return Err(CliError::new("no_administrator", why));
    }
    Ok(())
}

/// Returns the syncs that the last replacement of the receipt recorded and did not create again, if
/// it replaced another account.
fn interrupted_syncs(admin: AccountId, receipt: &Receipt) -> Vec<(DataSyncId, DataSync)> {
    let changes = receipt.changes();
    let last = changes.iter().enumerate().rev().find_map(|(index, change)| Some((index, recorded(change)?)));
    let Some((index, (_, syncs))) = last.filter(|(_, (former, _))| *former != admin) else { return Vec::new() };
    let is_created = |at: &DataSyncId| {
        changes.iter().skip(index).any(|change| change.certainty == Certainty::Confirmed && creates(change, at))
    };
    syncs.iter().filter(|(at, _)| !is_created(at)).cloned().collect()
}

/// Returns whether the change created a sync with the name of this one in the same Region.
fn creates(change: &Change, at: &DataSyncId) -> bool {
    match &change.kind {
        ChangeKind::DataSyncCreated { sync, .. } => (&sync.name, &sync.region) == (&at.name, &at.region),
        _ => false,
    }
}

/// Returns the former administrator and its syncs, if the change deregistered an account.
fn recorded(change: &Change) -> Option<(AccountId, &[(DataSyncId, DataSync)])> {
    match &change.kind {
        ChangeKind::AdministratorDeregistered { account, principal, syncs, .. }
            if *principal == ServicePrincipal::SYSTEMS_MANAGER =>
        {
            let syncs = if let SyncCheckReport::Recorded(syncs) = syncs { syncs.as_slice() } else { &[] };
            Some((*account, syncs))
        }
        _ => None,
    }
}

/// Returns the syncs that AWS deletes with the delegation, each with the command that creates it
/// again.
fn affected(args: &Replace, plan: &Plan) -> Vec<(String, String)> {
    let departures = plan.steps().iter().filter_map(|step| match step.action() {
        Action::DeregisterAdministrator { .. } => step.affected_syncs(),
        _ => None,
    });
    let own = departures.flat_map(|affected| &affected.listed).filter(|(at, _)| !at.name.is_service_managed());
    let profile = args.new_admin_profile.as_deref();
    let remake = |(at, sync): &(DataSyncId, DataSync)| {
        let remedy = report::remake(args.admin, profile, &at.region, &sync.definition()?);
        Some((report::sync_at(&at.name, at.account, &at.region), remedy))
    };
    own.filter_map(remake).collect()
}

/// Returns the syncs of the former administrator that do not exist in the account of the new one,
/// each with the command that creates it again.
///
/// A sync that AWS may have created is not lost.
fn lost(args: &Replace, changes: &[Change], now: Option<&StatusSummary>) -> Vec<(String, String)> {
    let administers =
        |account| now.and_then(|now| now.administrators.as_ref()).is_some_and(|accounts| accounts.contains(&account));
    let is_created = |at: &DataSyncId| changes.iter().any(|change| creates(change, at));
    let former = changes.iter().filter_map(recorded).filter(|(former, _)| !administers(*former));
    let remake = |(at, sync): &(DataSyncId, DataSync)| {
        // A service-managed sync is created again by its own service.
        let definition = sync.definition().filter(|_| !at.name.is_service_managed() && !is_created(at))?;
        let (admin, profile) = if administers(args.admin) {
            (args.admin, args.new_admin_profile.as_deref())
        } else {
            (at.account, args.admin_profile.as_deref())
        };
        let remedy = report::remake(admin, profile, &at.region, &definition);
        Some((report::sync_at(&at.name, admin, &at.region), remedy))
    };
    former.flat_map(|(_, syncs)| syncs).filter_map(remake).collect()
}
