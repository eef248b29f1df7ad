use super::{Scene, Seen, check_management};
use crate::report::{Complaint, Outcome, Overview};

pub(super) async fn run(scene: Scene<'_>) -> Result<Outcome, Complaint> {
    let mut seen = scene.observe().await?;
    let mut overview = Overview::of(&seen);
    // The role is one of the management account: another account's answer says nothing about it.
    let role = match check_management(&seen) {
        Ok(()) => {
            let role = seen.account_discovery_role(scene.management).look_up().await;
            role.map_err(|error| format!("{error:#}"))
        }
        Err(reason) => Err(reason),
    };
    overview.role(role);
    show_syncs(&mut seen, scene, &mut overview).await;
    Ok(overview.into_outcome())
}

/// Each account shows its own data syncs, and nobody else's.
async fn show_syncs(seen: &mut Seen<'_>, scene: Scene<'_>, overview: &mut Overview) {
    let mut looked_at = Vec::new();
    for owner in scene.owners() {
        let listed = match seen.data_syncs(owner).await {
            Ok(syncs) => syncs.list(scene.regions).await.map(|listed| (syncs.viewpoint().account(), listed)),
            Err(error) => Err(error),
        };
        match listed {
            Ok((account, listed)) => {
                listed.iter().for_each(|(region, syncs)| overview.syncs(account, region, syncs));
                looked_at.push(account);
            }
            Err(error) => overview.unseen("of an unknown account", format_args!("{error:#}")),
        }
    }
    let management = seen.organization().management_account;
    let administrators = seen.administrators().into_iter().map(|found| found.account);
    for account in [management].into_iter().chain(administrators).filter(|account| !looked_at.contains(account)) {
        let option = if account == management { "--profile" } else { "--admin-profile" };
        overview.unseen(format_args!("account {account}"), format_args!("no credentials of that account ({option})"));
    }
}
