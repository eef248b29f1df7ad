//! One job, done in several ways: look at the organization, trust Systems Manager, make a member
//! its administrator, look again; and the reverse.
//!
//! The programs in `src/bin` and the scripts in `jobs` do it; `src/main.rs` measures them.

pub mod by_hand;
pub mod canned;
pub mod plain;
pub mod typed;

use anyhow::{Context as _, bail};
use ssm_organizations::AccountId;

/// A direction of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// In.
    Onboard,
    /// Out again.
    Offboard,
}

/// What every program of the job is told: the member account, then any number of steps.
///
/// # Errors
///
/// When it is told something else.
pub fn order(arguments: impl IntoIterator<Item = String>) -> anyhow::Result<(AccountId, Vec<Step>)> {
    let mut arguments = arguments.into_iter();
    let account = arguments.next().context("say which account")?.parse()?;
    let step = |word: String| match word.as_str() {
        "onboard" => Ok(Step::Onboard),
        "offboard" => Ok(Step::Offboard),
        other => bail!("{other} is neither onboard nor offboard"),
    };
    Ok((account, arguments.map(step).collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use ssm_organizations::aws::AwsClient;

    use super::Step::{Offboard, Onboard};
    use super::canned::{Canned, MEMBER};
    use super::{by_hand, typed};

    /// So that figures of the one can be compared with figures of the other. The crate reads some
    /// at once: their order is not fixed.
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
