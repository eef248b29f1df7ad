//! The job with the typed handles of this crate.

use ssm_organizations::ports::{OrganizationsApi, StsApi};
use ssm_organizations::{AccountId, Change, Error, Integration, SyncProtection};

use crate::Step;

/// Runs one step of the job and returns the changes.
///
/// # Errors
///
/// Returns the errors of the crate.
pub async fn run(
    client: &(impl OrganizationsApi + StsApi),
    account: AccountId,
    step: Step,
) -> Result<Vec<Change>, Error> {
    let observed = Integration::new(client).observe().await?;
    Ok(match step {
        Step::Onboard => observed.ensure_delegated(account).await?.changes().to_vec(),
        Step::Offboard => observed.ensure_disabled(SyncProtection::AllowLoss).await?.changes().to_vec(),
    })
}
