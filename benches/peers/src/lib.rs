//! One job, done in several ways: read the organization, enable trusted access for Systems Manager,
//! register a member account as its delegated administrator, and read the organization again. The
//! second step of the job reverts both changes.
//!
//! The programs in `src/bin` and the scripts in `jobs` do the job. `src/main.rs` measures them.

pub mod by_hand;
pub mod canned;
pub mod plain;
pub mod typed;

use anyhow::{Context as _, bail};
use ssm_organizations::AccountId;

/// Step of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Enables trusted access and registers the administrator.
    Onboard,
    /// Deregisters the administrator and disables trusted access.
    Offboard,
}

/// Parses the arguments of a program that does the job: the member account, then any number of
/// steps.
///
/// # Errors
///
/// Returns an error for other arguments.
pub fn order(arguments: impl IntoIterator<Item = String>) -> anyhow::Result<(AccountId, Vec<Step>)> {
    let mut arguments = arguments.into_iter();
    let account = arguments.next().context("the account is missing")?.parse()?;
    let step = |word: String| match word.as_str() {
        "onboard" => Ok(Step::Onboard),
        "offboard" => Ok(Step::Offboard),
        other => bail!("unknown step {other}: expected onboard or offboard"),
    };
    Ok((account, arguments.map(step).collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use ssm_organizations::aws::AwsClient;

    use super::Step::{Offboard, Onboard};
    use super::canned::{Canned, MEMBER};
    use super::{by_hand, typed};

    /// Asserts that all variants make the same calls, so their costs can be compared. The calls are
    /// sorted, because the crate makes some of its reads concurrently.
    #[tokio::test]
    async fn what_is_done_by_hand_is_what_the_crate_does() {
        let account = MEMBER.parse().unwrap();
        let organizations: [Canned; 3] = Default::default();
        let [ours, ports, sdk] = &organizations;
        for step in [Onboard, Offboard] {
            typed::run(&AwsClient::new(&ours.config()), account, step).await.unwrap();
            by_hand::on_ports(&AwsClient::new(&ports.config()), account, step).await.unwrap();
            by_hand::Sdk::new(&sdk.config()).run(account, step).await.unwrap();
            let [ours, ports, sdk] = organizations.each_ref().map(|canned| {
                let mut calls = canned.calls();
                calls.sort_unstable();
                calls
            });
            assert_eq!([&ports, &sdk], [&ours, &ours]);
        }
    }
}
