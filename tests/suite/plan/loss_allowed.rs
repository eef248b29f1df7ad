//! Plans that allow the loss of data syncs.
#![cfg(feature = "sim")]

use ssm_organizations::plan::{Target, UnlistedSyncs};
use ssm_organizations::ports::Operation;

use super::organization_clients::{OrganizationClients, everything};

#[tokio::test(start_paused = true)]
async fn removal_with_allowed_loss_and_no_region_lists_nothing() {
    let org = OrganizationClients::new(everything());
    let target = Target::new().with_trusted_access(false).without_administrator();
    org.reach(&target.with_unlisted_syncs(UnlistedSyncs::AllowLoss)).await;
    assert_eq!(org.organization.call_count(Operation::ListResourceDataSync), 0);
}
