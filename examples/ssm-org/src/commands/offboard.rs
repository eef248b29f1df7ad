use ssm_organizations::{Observed, RoleName, SyncName};

use super::{Caller, End, Scene, Seen, check_administrator, check_management, lookers, others};
use crate::cli::Offboard;
use crate::report::{self, Complaint, Notes, Outcome};

pub(super) async fn run(order: &Offboard, scene: Scene<'_>) -> Result<Outcome, Complaint> {
    let mut seen = scene.observe().await?;
    let deletes = !order.delete_syncs.is_empty();
    if deletes || order.delete_role {
        check_management(&seen)?;
    }
    if let Some(administrator) = scene.administrator
        && deletes
    {
        // Without an administrator, they are of one that was: its syncs may be left over.
        let administrators: Vec<_> = seen.administrators().iter().map(|found| found.account).collect();
        if !administrators.is_empty() {
            check_administrator(administrator, &administrators).await?;
        }
    }
    let mut notes = Notes::default();
    let owners = scene.owners();
    for owner in &owners {
        delete_syncs(&mut seen, *owner, &order.delete_syncs, scene, &mut notes).await;
    }
    if !notes.complaints.is_empty() {
        // To go on would break a sync that was to be deleted in good order.
        return Ok(End::Known(seen).conclude(notes));
    }

    let lookers = lookers(&owners);
    let syncs = others(order.forfeit_syncs, &lookers, scene.regions);
    let (end, error) = End::of(seen.ensure_disabled(syncs).await).await;
    let end = match end {
        // A reply that was lost, or somebody else, may have led there all the same.
        End::Known(Observed::Disabled(mut handle)) => {
            if order.delete_role {
                match handle.account_discovery_role(scene.management).delete(syncs).await {
                    Ok(Some(_)) => {}
                    Ok(None) => notes.absent(format_args!("role {}", RoleName::ACCOUNT_DISCOVERY)),
                    Err(error) => notes.failed(format_args!("role {}", RoleName::ACCOUNT_DISCOVERY), error),
                }
            }
            End::Known(handle.into())
        }
        elsewhere => {
            notes.complaints.extend(error.map(Complaint::Error));
            elsewhere
        }
    };
    Ok(end.conclude(notes))
}

/// Deletes the syncs of these names, of one account, in every Region. What was done stands in its changes.
async fn delete_syncs(seen: &mut Seen<'_>, owner: Caller<'_>, names: &[SyncName], scene: Scene<'_>, notes: &mut Notes) {
    if names.is_empty() {
        return;
    }
    let mut syncs = match seen.data_syncs(owner).await {
        Ok(syncs) => syncs,
        Err(error) => return notes.complaints.push(error.into()),
    };
    let account = syncs.viewpoint().account();
    for name in names {
        match syncs.delete(name, scene.regions).await {
            Ok(deleted) => {
                for (region, result) in deleted.into_inner() {
                    let at = report::sync_at(name, account, &region);
                    match result {
                        Ok(Some(_)) => {}
                        Ok(None) => notes.absent(at),
                        Err(error) => notes.failed(at, error),
                    }
                }
            }
            Err(error) => notes.complaints.push(error.into()),
        }
    }
}
