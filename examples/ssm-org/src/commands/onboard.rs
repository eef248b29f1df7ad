use serde_json::json;
use ssm_organizations::plan::{Snapshot, SyncsOf, Target};
use ssm_organizations::policy::Caller as Owner;
use ssm_organizations::ports::SyncDefinition;
use ssm_organizations::state::TrustedAccessOn;
use ssm_organizations::{AccountId, Change, Integration, Observed};

use super::run::{Run, about_to};
use super::{Caller, Scene, administrators, apply};
use crate::cli::Onboard;
use crate::report::{self, Complaint, Outcome, Standing, value};

pub(super) async fn run(order: &Onboard, scene: Scene<'_>) -> Result<Outcome, Complaint> {
    let sync = order.sync.definition(scene.regions).map_err(|error| Complaint::usage(&error))?;
    let sync = sync.as_ref();
    let mut target = Target::new().with_trusted_access(true).with_administrator(order.admin);
    if order.role {
        target = target.with_role();
    }
    let anew = sync.filter(|_| order.sync.recreate_sync);
    let owner = if order.sync.admin_profile.is_some() { Owner::Account(order.admin) } else { Owner::Management };
    if let Some(sync) = sync {
        target = match anew {
            Some(_) => target.looking_in(scene.regions.iter().cloned()),
            None => target.with_sync(owner, sync.clone(), scene.regions.iter().cloned()),
        };
    }
    let check = |target, snapshot: &_| check_delegation(order.admin, snapshot).map(|()| target);
    let plan = match scene.draw(target, &[], check).await {
        Ok(plan) => plan,
        Err(undrawn) => return undrawn.conclude(),
    };
    let going: Vec<&SyncsOf> = anew.map(|sync| going(sync, owner, plan.snapshot())).unwrap_or_default();
    if let (Some(sync), false) = (anew, going.is_empty()) {
        let places = going.iter().map(|of| report::sync_at(sync.name(), of.account, &of.region));
        let places: Vec<_> = places.collect();
        let besides = format!("deleted and created anew: {}; what it had collected starts again", places.join(", "));
        let question = "Delete the data sync and create it anew?";
        if let Err(refusal) = apply::ask(&plan, Some(&besides), question, order.writing.yes, scene) {
            return Ok(*refusal);
        }
    }
    let writes = !plan.is_empty() || anew.is_some();
    let receipt = order.writing.receipt.as_deref().filter(|_| writes);
    let mut run = Run::begin(plan.snapshot().organization(), receipt)?;
    if going.is_empty() {
        run.notes.tell(&plan);
    }
    if run.apply(&plan, scene).await
        && let Some(sync) = anew
    {
        if let Err(complaint) = announced(sync, &going).and_then(|changes| run.announce(&changes)) {
            run.notes.complaints.push(complaint);
        } else {
            recreate(order, sync, scene, &mut run).await?;
        }
    }
    Ok(run.conclude().with("plan", value(&plan)))
}

/// Where the sync is, or may be, that is to be created anew.
fn going<'a>(sync: &SyncDefinition, owner: Owner, snapshot: &'a Snapshot) -> Vec<&'a SyncsOf> {
    let account = match owner {
        Owner::Account(account) => account,
        _ => snapshot.organization().management_account,
    };
    let may_be = |of: &&SyncsOf| {
        let known = of.syncs.known();
        of.account == account && known.is_none_or(|syncs| syncs.iter().any(|found| found.name == *sync.name()))
    };
    snapshot.syncs().iter().filter(may_be).collect()
}

/// The same as changes that are about to be made, as far as the sync was seen.
fn announced(sync: &SyncDefinition, going: &[&SyncsOf]) -> Result<Vec<Change>, Complaint> {
    let seen = going.iter().flat_map(|of| of.syncs.known().into_iter().flatten().map(move |found| (of, found)));
    let seen = seen.filter(|(_, found)| found.name == *sync.name());
    let announce = |(of, found): (&&SyncsOf, _)| {
        let at = json!({ "account": of.account, "region": of.region, "name": sync.name() });
        about_to(&json!({ "data_sync_deleted": { "sync": at, "before": value(found) } }))
    };
    seen.map(announce).collect()
}

/// Whoever administers keeps doing so: taking it away was not asked for.
fn check_delegation(admin: AccountId, snapshot: &Snapshot) -> Result<(), Complaint> {
    let others = administrators(snapshot).into_iter().filter(|account| *account != admin);
    let others: Vec<_> = others.map(|account| account.to_string()).collect();
    if others.is_empty() {
        return Ok(());
    }
    let why = format!("the one delegation that Systems Manager allows is held by {}", others.join(" and "));
    Err(Complaint::own("other_administrator", why))
}

/// Deletes the sync in every Region, and creates it anew.
async fn recreate(
    order: &Onboard,
    sync: &SyncDefinition,
    scene: Scene<'_>,
    run: &mut Run<'_>,
) -> Result<(), Complaint> {
    let _busy = scene.console.busy("creating the data sync anew");
    let owner = if order.sync.admin_profile.is_some() {
        scene.administrator.unwrap_or(scene.management)
    } else {
        scene.management
    };
    let seen = scene.observe().await.map_err(Complaint::from);
    let handle = match seen {
        Ok(Observed::Delegated(handle)) if handle.administrator().account == order.admin => handle,
        Ok(other) => {
            let now = Standing::of_observed(&other);
            let why = format!("somebody has moved meanwhile; now {now}");
            run.now = Some(now);
            run.notes.complaints.push(Complaint::own("state_moved", why));
            return Ok(());
        }
        Err(complaint) => {
            run.notes.complaints.push(complaint);
            return Ok(());
        }
    };
    recreate_with(handle, owner, sync, scene, run).await;
    Ok(())
}

async fn recreate_with<S: TrustedAccessOn>(
    mut handle: Integration<S, Caller<'_>>,
    owner: Caller<'_>,
    sync: &SyncDefinition,
    scene: Scene<'_>,
    run: &mut Run<'_>,
) {
    let mut syncs = match handle.data_syncs(owner).await {
        Ok(syncs) => syncs,
        Err(error) => return run.notes.complaints.push(error.into()),
    };
    let account = syncs.viewpoint().account();
    match syncs.recreate(sync, scene.regions).await {
        Ok(results) => {
            for (region, result) in results.into_inner() {
                if let Err(error) = result {
                    run.notes.failed(report::sync_at(sync.name(), account, &region), error);
                }
            }
        }
        Err(error) => run.notes.complaints.push(error.into()),
    }
    run.record(handle.changes());
}
