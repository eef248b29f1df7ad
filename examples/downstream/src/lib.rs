//! Example program that embeds `ssm-organizations` to manage all organizations of a company.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use ssm_organizations::plan::{Clients, Plan, Receipt, Target, UndoOptions};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{Client, SourceRegions, SyncDefinition};
use ssm_organizations::state::Delegated;
use ssm_organizations::{AccountId, Error, Integration, Region, SyncName};

/// Organization with a delegated administrator that a read confirmed.
pub type Onboarded = Integration<Delegated, Arc<dyn Client>>;

/// Onboards every organization in its own task.
///
/// Each client has credentials of a management account. A failure in one organization does not stop
/// the others.
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

/// Registers the administrator, from any state. A second run changes nothing.
///
/// # Errors
///
/// Returns the errors of the crate, with the remedies and their actors.
pub async fn onboard(client: Arc<dyn Client>, administrator: AccountId) -> Result<Onboarded> {
    let observed = Integration::new(client).observe().await.map_err(advised)?;
    observed.ensure_delegated(administrator).await.map_err(advised)
}

/// Returns the announcement of an onboarded organization. The type rules out any other
/// organization.
#[must_use]
pub fn announcement(onboarded: &Onboarded) -> String {
    let administrator = onboarded.administrator().account;
    format!("in {} ask account {administrator} about Systems Manager", onboarded.organization().id)
}

/// Sets up Explorer after the user confirmed the plan. After a failure, the changes are undone.
///
/// Returns `None` if the user declined.
///
/// # Errors
///
/// Returns the errors of the crate, with the remedies and their actors.
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
        Ok(applied) => return Ok(Some(applied.receipt)),
        Err(stopped) => stopped,
    };
    let (error, receipt) = stopped.into_parts();
    let undone = undo(&receipt, clients, home).await;
    undone.with_context(|| format!("not all changes were undone after the error: {error:#}"))?;
    Err(advised(error).context("all changes were undone"))
}

async fn undo(receipt: &Receipt, clients: &Clients<'_>, home: Region) -> Result<()> {
    let back = receipt.undo(clients, &UndoOptions::new().search_regions([home])).await.map_err(advised)?;
    back.apply(clients, |_event| {}).await.map_err(advised)?;
    ensure!(back.retained().is_empty(), "{}", back.retained().join("; "));
    Ok(())
}

/// Adds the remedies and their actors to an error.
fn advised(error: impl Into<Error>) -> anyhow::Error {
    let error = error.into();
    let advice = error.remedies().into_iter().map(|remedy| {
        let statement = remedy.statement().map(|statement| format!(", with the statement {statement}"));
        format!("{}: {remedy}{}", remedy.actor(), statement.unwrap_or_default())
    });
    let advice: Vec<_> = ["Systems Manager is not set up".to_owned()].into_iter().chain(advice).collect();
    anyhow::Error::new(error).context(advice.join("; "))
}
