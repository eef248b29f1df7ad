use ssm_organizations::ports::SyncDefinition;
use ssm_organizations::state::TrustedAccessOn;
use ssm_organizations::{Integration, Observed, RoleEnsured, RoleName, SyncEnsured};

use super::{Caller, End, Scene, check_administrator, check_management};
use crate::cli::Onboard;
use crate::report::{self, Complaint, Notes, Outcome};

pub(super) async fn run(
    order: &Onboard,
    sync: Option<&SyncDefinition>,
    scene: Scene<'_>,
) -> Result<Outcome, Complaint> {
    let seen = scene.observe().await?;
    if order.role || (sync.is_some() && scene.administrator.is_none()) {
        check_management(&seen)?;
    }
    if let Some(administrator) = scene.administrator {
        check_administrator(administrator, &[order.admin]).await?;
    }
    let mut notes = Notes::default();
    let (end, error) = End::of(seen.ensure_delegated(&order.admin).await).await;
    let end = match end {
        // A reply that was lost, or somebody else, may have led there all the same.
        End::Known(Observed::Delegated(mut handle)) if handle.administrator().account == order.admin => {
            if !order.role || ensure_role(&mut handle, scene, &mut notes).await {
                ensure_sync(&mut handle, sync, scene, &mut notes).await;
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

/// Whether the role is there.
async fn ensure_role<S: TrustedAccessOn>(
    handle: &mut Integration<S, Caller<'_>>,
    scene: Scene<'_>,
    notes: &mut Notes,
) -> bool {
    match handle.account_discovery_role(scene.management).ensure().await {
        Ok(RoleEnsured::AlreadyThere(role)) => notes.kept(format_args!("role {}", role.name)),
        Ok(_) => {}
        Err(error) => {
            notes.failed(format_args!("role {}", RoleName::ACCOUNT_DISCOVERY), error);
            return false;
        }
    }
    true
}

/// Makes the sync in every Region. What was done stands in the handle's changes.
async fn ensure_sync<S: TrustedAccessOn>(
    handle: &mut Integration<S, Caller<'_>>,
    sync: Option<&SyncDefinition>,
    scene: Scene<'_>,
    notes: &mut Notes,
) {
    let Some(sync) = sync else { return };
    let mut syncs = match handle.data_syncs(scene.administrator.unwrap_or(scene.management)).await {
        Ok(syncs) => syncs,
        Err(error) => return notes.complaints.push(error.into()),
    };
    let account = syncs.viewpoint().account();
    match syncs.ensure(sync, scene.regions).await {
        Ok(ensured) => {
            for (region, result) in ensured.into_inner() {
                let at = report::sync_at(sync.name(), account, &region);
                match result {
                    Ok(SyncEnsured::AlreadySo(sync)) => {
                        notes.kept(format_args!("{at}, {}", report::state(&sync)));
                    }
                    Ok(_) => {}
                    Err(error) => notes.failed(at, error),
                }
            }
        }
        Err(error) => notes.complaints.push(error.into()),
    }
}
