use ssm_organizations::{ChangeKind, Handover, Observed, Replaced, SyncEnsured, SyncsReport};

use super::run::Run;
use super::{Caller, End, Scene, lookers, others};
use crate::cli::Replace;
use crate::report::{self, Complaint, Notes, Outcome, Standing};

pub(super) async fn run(order: &Replace, scene: Scene<'_>) -> Result<Outcome, Complaint> {
    let _busy = scene.console.busy("handing the delegation over");
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
    let mut run = Run::begin(seen.organization(), order.writing.receipt.as_deref())?;
    let (end, error) = match seen {
        Observed::Delegated(handle) => match handle.replace(&order.admin, handover).await {
            Ok(replaced) => (tell(order, replaced, &mut run.notes), None),
            Err(failure) => End::of_failure(failure).await,
        },
        // What a run that was cut short leaves: finishing it takes nothing away.
        Observed::TrustedAccess(handle) => End::of(handle.register_delegated_administrator(&order.admin).await).await,
        other => (End::Known(other), None),
    };
    run.record(end.changes());
    if let Some(error) = error {
        let syncs_are_lost = tell_lost(order, &end, &mut run.notes);
        // A reply that was lost, or somebody else, may have led there all the same.
        if syncs_are_lost || !end.is_delegated_to(order.admin) {
            run.notes.complaints.push(error.into());
        }
    }
    run.now = end.now();
    Ok(run.conclude())
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
    End::Known(replaced.delegated.into())
}

/// The syncs that went with a delegation, where the replacement failed after it. Whether there are any.
fn tell_lost(order: &Replace, end: &End<'_>, notes: &mut Notes) -> bool {
    let recorded = end.changes().iter().filter_map(|change| match &change.kind {
        ChangeKind::AdministratorDeregistered { syncs: SyncsReport::Recorded(syncs), .. } => Some(syncs),
        _ => None,
    });
    let mut any = false;
    for (at, sync) in recorded.flatten() {
        // The service that looks after a foreign one makes it again.
        let Some(definition) = sync.definition().filter(|_| !at.name.is_foreign()) else { continue };
        let (admin, profile) = if end.is_delegated_to(order.admin) {
            (order.admin, order.new_admin_profile.as_deref())
        } else {
            (at.account, order.admin_profile.as_deref())
        };
        let remedy = report::remake(admin, profile, &at.region, &definition);
        notes.lost(report::sync_at(&at.name, at.account, &at.region), remedy);
        any = true;
    }
    any
}
