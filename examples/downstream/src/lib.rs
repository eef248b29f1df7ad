//! Systems Manager in every organization of a company: a program that embeds `ssm-organizations`, to copy from.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use ssm_organizations::plan::{Clients, Plan, Receipt, Target, Undo};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{Client, SourceRegions, SyncDefinition};
use ssm_organizations::state::Delegated;
use ssm_organizations::{AccountId, Error, Integration, Region, SyncName};

/// An organization with its administrator. Whoever holds one was shown so by AWS.
pub type Onboarded = Integration<Delegated, Arc<dyn Client>>;

/// Onboards every organization, each in a task of its own, by its client with the credentials of the management account. One that fails
/// stops no other.
pub async fn onboard_all(
    organizations: impl IntoIterator<Item = Arc<dyn Client>>,
    administrator: AccountId,
) -> Vec<Result<Onboarded>> {
    let tasks: Vec<_> = organizations.into_iter().map(|client| tokio::spawn(onboard(client, administrator))).collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap_or_else(|error| Err(error.into())));
    }
    outcomes
}

/// The same end whatever the start; a second run changes nothing.
///
/// # Errors
///
/// Those of the crate, with who can do what about them.
pub async fn onboard(client: Arc<dyn Client>, administrator: AccountId) -> Result<Onboarded> {
    let observed = Integration::new(client).observe().await.map_err(advised)?;
    observed.ensure_delegated(&administrator).await.map_err(advised)
}

/// Only what was onboarded can be announced: the compiler sees to it.
#[must_use]
pub fn announcement(onboarded: &Onboarded) -> String {
    let administrator = onboarded.administrator().account;
    format!("in {} ask account {administrator} about Systems Manager", onboarded.organization().id)
}

/// Explorer, wholly or not at all: somebody reads the plan and says yes, and after a failure what was done is taken back.
///
/// `None` where it was a no.
///
/// # Errors
///
/// Those of the crate, with who can do what about them.
pub async fn explorer(
    clients: &Clients<'_>,
    administrator: AccountId,
    home: Region,
    yes: impl FnOnce(&Plan) -> bool,
) -> Result<Option<Receipt>> {
    let sync = SyncDefinition::of_organization(SyncName::new("all-accounts")?, SourceRegions::new([home.clone()])?);
    let target = Target::new().with_trusted_access(true).with_administrator(administrator).with_role();
    let target = target.with_sync(Caller::Management, sync, [home.clone()]);
    let plan = target.plan(clients).await.map_err(advised)?;
    if !plan.is_empty() && !yes(&plan) {
        return Ok(None);
    }
    let stopped = match plan.apply(clients, |_event| {}).await {
        Ok(receipt) => return Ok(Some(receipt)),
        Err(stopped) => stopped,
    };
    let (error, receipt) = stopped.into_parts();
    let taken_back = take_back(&receipt, clients, home).await;
    taken_back.with_context(|| format!("what was done before is not all taken back, after {error:#}"))?;
    Err(advised(error).context("what was done before is taken back"))
}

async fn take_back(receipt: &Receipt, clients: &Clients<'_>, home: Region) -> Result<()> {
    let back = receipt.undo(clients, &Undo::new().looking_in([home])).await.map_err(advised)?;
    back.apply(clients, |_event| {}).await.map_err(advised)?;
    ensure!(back.left().is_empty(), "{}", back.left().join("; "));
    Ok(())
}

/// With who can do what about it.
fn advised(error: impl Into<Error>) -> anyhow::Error {
    let error = error.into();
    let advice = error.remedies().into_iter().map(|remedy| {
        let statement = remedy.statement().map(|statement| format!(", with the statement {statement}"));
        format!("{}: {remedy}{}", remedy.actor(), statement.unwrap_or_default())
    });
    let advice: Vec<_> = ["Systems Manager is not as it should be".to_owned()].into_iter().chain(advice).collect();
    anyhow::Error::new(error).context(advice.join("; "))
}
