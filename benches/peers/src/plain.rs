//! The job with the AWS SDK, with sequential calls and without checks of the responses.

use anyhow::Result;
use aws_sdk_organizations::Client;
use ssm_organizations::AccountId;

use crate::Step;

const SSM: &str = "ssm.amazonaws.com";

/// State of the organization.
#[derive(Debug)]
pub struct State {
    /// ID of the organization.
    pub organization: String,
    /// `true` if trusted access for Systems Manager is enabled.
    pub trusted: bool,
    /// Delegated administrators of Systems Manager.
    pub administrators: Vec<String>,
}

/// Runs one step of the job and returns the state after it.
///
/// # Errors
///
/// Returns the errors of the SDK.
pub async fn run(client: &Client, account: AccountId, step: Step) -> Result<State> {
    look(client).await?;
    match step {
        Step::Onboard => {
            client.enable_aws_service_access().service_principal(SSM).send().await?;
            let request = client.register_delegated_administrator();
            request.account_id(account.as_str()).service_principal(SSM).send().await?;
        }
        Step::Offboard => {
            let request = client.deregister_delegated_administrator();
            request.account_id(account.as_str()).service_principal(SSM).send().await?;
            client.disable_aws_service_access().service_principal(SSM).send().await?;
        }
    }
    look(client).await
}

async fn look(client: &Client) -> Result<State> {
    let organization = client.describe_organization().send().await?.organization;
    let id = organization.and_then(|organization| organization.id).unwrap_or_default();
    let mut pages = client.list_aws_service_access_for_organization().into_paginator().send();
    let mut trusted = false;
    while let Some(page) = pages.try_next().await? {
        trusted |= page.enabled_service_principals().iter().any(|service| service.service_principal() == Some(SSM));
    }
    let listing = client.list_delegated_administrators().service_principal(SSM);
    let mut pages = listing.into_paginator().send();
    let mut administrators = Vec::new();
    while let Some(page) = pages.try_next().await? {
        let found = page.delegated_administrators.unwrap_or_default();
        administrators.extend(found.into_iter().filter_map(|administrator| administrator.id));
    }
    Ok(State { organization: id, trusted, administrators })
}
