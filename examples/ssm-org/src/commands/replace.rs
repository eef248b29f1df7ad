use serde_json::json;
use ssm_organizations::plan::{Action, AtRisk, OtherSyncs, Plan, Snapshot, Target};
use ssm_organizations::policy::Caller as Owner;
use ssm_organizations::ports::DataSync;
use ssm_organizations::{
    AccountId, Change, ChangeKind, Handover, Observed, Replaced, ServicePrincipal, SyncAt, SyncEnsured, Syncs,
    SyncsReport,
};

use super::run::{Run, about_to};
use super::{Caller, End, Refused, Scene, Undrawn, administrators, apply, lookers, others};
use crate::cli::Replace;
use crate::report::{self, Complaint, Notes, Outcome, Standing, value};

pub(super) async fn run(order: &Replace, scene: Scene<'_>) -> Result<Outcome, Complaint> {
    let owners: Vec<Caller<'_>> = [Some(scene.management), scene.administrator].into_iter().flatten().collect();
    let lookers = lookers(&owners);
    let handover = match (scene.administrator, scene.successor) {
        (Some(from), Some(to)) if !order.forfeit_syncs => Handover::Carry { from, to, regions: scene.regions },
        _ => Handover::Leave(others(order.forfeit_syncs, &lookers, scene.regions)),
    };
    let seen = scene.observe().await?;
    if let Observed::Disabled(_) | Observed::Irregular(_) = &seen {
        let why = format!("there is no one administrator to replace; {}", Standing::of_observed(&seen));
        return Err(Complaint::own("no_administrator", why));
    }
    let plan = match plan(order, &handover, scene).await {
        Ok(plan) => plan,
        Err(undrawn) => return undrawn.conclude(),
    };
    // What is shown is to be what is done.
    let now = Standing::of(plan.snapshot());
    if now != Standing::of_observed(&seen) {
        let complaint = Complaint::own("state_moved", format!("somebody has moved meanwhile; now {now}"));
        return Ok(Refused { complaint, organization: plan.snapshot().organization().clone(), now }.conclude());
    }
    if !plan.is_empty() {
        let question = format!("Make account {} the administrator instead?", order.admin);
        if let Err(refusal) = apply::ask(&plan, None, &question, order.writing.yes, scene) {
            return Ok(*refusal);
        }
    }
    let receipt = order.writing.receipt.as_deref().filter(|_| !plan.is_empty());
    let mut run = Run::begin(seen.organization(), receipt)?;
    if matches!(&seen, Observed::Delegated(_)) {
        run.announce(&announced(&plan)?)?;
        for (what, remedy) in going(order, &plan) {
            scene.console.tell(&format!("to make {what} again, should this run be cut short: {remedy}"));
        }
    }
    let busy = scene.console.busy("handing the delegation over");
    let (end, error) = match seen {
        Observed::Delegated(handle) => match handle.replace(&order.admin, handover).await {
            Ok(replaced) => (tell(order, replaced, &mut run.notes), None),
            Err(failure) => End::of_failure(failure).await,
        },
        // What a run that was cut short leaves: finishing it takes nothing away.
        Observed::TrustedAccess(handle) => End::of(handle.register_delegated_administrator(&order.admin).await).await,
        other => (End::Known(other), None),
    };
    drop(busy);
    run.record(end.changes());
    if let Some(error) = error {
        let lost = lost(order, &end);
        // A reply that was lost, or somebody else, may have led there all the same.
        if !lost.is_empty() || !end.is_delegated_to(order.admin) {
            run.notes.complaints.push(error.into());
        }
        for (what, remedy) in lost {
            run.notes.lost(what, remedy);
        }
    }
    run.now = end.now();
    let mut outcome = run.conclude().with("plan", value(&plan));
    // The steps are not this plan's: the library takes them in one.
    outcome.json.remove("remaining");
    Ok(outcome)
}

/// What is about to be done, to be shown. The library takes the steps in one, and looks at all of it again.
async fn plan(order: &Replace, handover: &Handover<'_>, scene: Scene<'_>) -> Result<Plan, Undrawn> {
    let target = Target::new().with_administrator(order.admin);
    let target = match handover {
        Handover::Leave(Syncs::Forfeit) => target.with_other_syncs(OtherSyncs::Forfeit),
        _ => target.looking_in(scene.regions.iter().cloned()),
    };
    let carries = matches!(handover, Handover::Carry { .. });
    let complete = |target, snapshot: &_| Ok(if carries { carrying(order.admin, target, snapshot) } else { target });
    scene.draw(target, &[], complete).await
}

/// The same with the old administrator's syncs, which are to be the new one's.
fn carrying(new: AccountId, mut target: Target, snapshot: &Snapshot) -> Target {
    let old: Vec<_> = administrators(snapshot).into_iter().filter(|account| *account != new).collect();
    for of in snapshot.syncs().iter().filter(|of| old.contains(&of.account)) {
        let syncs = of.syncs.known().into_iter().flatten();
        for sync in syncs.filter(|sync| sync.is_of_organization()) {
            target = match sync.definition().filter(|_| !sync.name.is_foreign() && !sync.name.is_withheld()) {
                Some(definition) => target.with_sync(Owner::Administrator, definition, [of.region.clone()]),
                // No plan can say what becomes of it: the library sees to it, or refuses.
                None => target.with_other_syncs(OtherSyncs::Forfeit),
            };
        }
    }
    target
}

/// The step that takes the delegation, with what goes with it.
fn departures(plan: &Plan) -> impl Iterator<Item = (AccountId, &ServicePrincipal, &AtRisk)> {
    plan.steps().iter().filter_map(|step| match step.action() {
        Action::DeregisterAdministrator { account, principal, .. } => {
            step.at_risk().map(|at_risk| (*account, principal, at_risk))
        }
        _ => None,
    })
}

/// The same as changes that are about to be made.
fn announced(plan: &Plan) -> Result<Vec<Change>, Complaint> {
    let announce = |(account, principal, at_risk): (AccountId, &ServicePrincipal, &AtRisk)| {
        let service = plan.snapshot().service(principal).and_then(|service| service.administrators.known());
        let found = service.into_iter().flatten().find(|found| found.account == account);
        // A name that is never written down cannot be read again either.
        let known: Vec<_> = at_risk.known.iter().filter(|(at, _)| !at.name.is_withheld()).cloned().collect();
        let is_forfeit = known.is_empty() && at_risk.others == OtherSyncs::Forfeit;
        about_to(&json!({ "administrator_deregistered": {
            "account": account,
            "principal": principal,
            "since": found.map(value).and_then(|found| found.get("since").cloned()),
            "syncs": value(&if is_forfeit { SyncsReport::Forfeited } else { SyncsReport::Recorded(known) }),
        } }))
    };
    departures(plan).map(announce).collect()
}

/// What goes with the delegation and is to be made again, each with the command that does so.
fn going(order: &Replace, plan: &Plan) -> Vec<(String, String)> {
    let known = departures(plan).flat_map(|(_, _, at_risk)| &at_risk.known);
    let own = known.filter(|(at, _)| !at.name.is_foreign() && !at.name.is_withheld());
    let profile = order.new_admin_profile.as_deref();
    let remake = |(at, sync): &(SyncAt, DataSync)| {
        let remedy = report::remake(order.admin, profile, &at.region, &sync.definition()?);
        Some((report::sync_at(&at.name, at.account, &at.region), remedy))
    };
    own.filter_map(remake).collect()
}

/// What became of the syncs that were carried over. Those that were created stand in the changes.
fn tell<'a>(order: &Replace, replaced: Replaced<Caller<'a>>, notes: &mut Notes) -> End<'a> {
    for (at, result) in replaced.carried {
        match result {
            Ok(SyncEnsured::AlreadySo(_)) => notes.kept(report::sync_at(&at.name, at.account, &at.region)),
            Ok(_) => {}
            Err(error) => notes.complaints.push(error.into()),
        }
    }
    let profile = order.new_admin_profile.as_deref();
    for (region, sync) in &replaced.lost {
        let remedy = report::remake(order.admin, profile, region, sync);
        notes.lost(report::sync_at(sync.name(), order.admin, region), remedy);
    }
    for at in &replaced.unshown {
        let rest = "AWS did not show whether it had Regions to come in it and every source of OpsData on: it was to \
                    be made without";
        notes.warn(format_args!("{}: {rest}", report::sync_at(&at.name, at.account, &at.region)));
    }
    for at in &replaced.foreign {
        let rest = "it went with the delegation and was not made again, for another AWS service looks after it";
        notes.warn(format_args!("{}: {rest}", report::sync_at(&at.name, at.account, &at.region)));
    }
    End::Known(replaced.delegated.into())
}

/// The syncs that went with a delegation, where the replacement failed after it, each with the command that makes it again.
fn lost(order: &Replace, end: &End<'_>) -> Vec<(String, String)> {
    let recorded = end.changes().iter().filter_map(|change| match &change.kind {
        ChangeKind::AdministratorDeregistered { syncs: SyncsReport::Recorded(syncs), .. } => Some(syncs),
        _ => None,
    });
    let remake = |(at, sync): &(SyncAt, DataSync)| {
        // The service that looks after a foreign one makes it again.
        let definition = sync.definition().filter(|_| !at.name.is_foreign())?;
        let (admin, profile) = if end.is_delegated_to(order.admin) {
            (order.admin, order.new_admin_profile.as_deref())
        } else {
            (at.account, order.admin_profile.as_deref())
        };
        let remedy = report::remake(admin, profile, &at.region, &definition);
        Some((report::sync_at(&at.name, at.account, &at.region), remedy))
    };
    recorded.flatten().filter_map(remake).collect()
}
