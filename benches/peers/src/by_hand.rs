//! The calls of [`typed`](crate::typed), made directly on the SDK and on the ports. A test checks
//! that the calls are the same.

use std::hint::black_box;

use anyhow::Result;
use aws_types::SdkConfig;
use ssm_organizations::ports::{OrganizationsApi, StsApi};
use ssm_organizations::{AccountId, Error, ServicePrincipal};

use crate::Step;

const SSM: ServicePrincipal = ServicePrincipal::SYSTEMS_MANAGER;

/// SDK clients of the two services of the job.
#[derive(Debug)]
pub struct Sdk {
    organizations: aws_sdk_organizations::Client,
    sts: aws_sdk_sts::Client,
}

impl Sdk {
    /// Creates the clients with this configuration.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self { organizations: aws_sdk_organizations::Client::new(config), sts: aws_sdk_sts::Client::new(config) }
    }

    /// Runs one step of the job.
    ///
    /// # Errors
    ///
    /// Returns the errors of the SDK.
    pub async fn run(&self, account: AccountId, step: Step) -> Result<()> {
        let ssm = SSM.as_str();
        let Self { organizations, sts } = self;
        black_box(organizations.describe_organization().send().await?);
        black_box(sts.get_caller_identity().send().await?);
        self.services().await?;
        self.administrators().await?;
        match step {
            Step::Onboard => {
                black_box(organizations.describe_account().account_id(account.as_str()).send().await?);
                organizations.enable_aws_service_access().service_principal(ssm).send().await?;
                self.services().await?;
                let request = organizations.register_delegated_administrator();
                request.account_id(account.as_str()).service_principal(ssm).send().await?;
                self.administrators().await
            }
            Step::Offboard => {
                let request = organizations.deregister_delegated_administrator();
                request.account_id(account.as_str()).service_principal(ssm).send().await?;
                self.administrators().await?;
                self.services().await?;
                organizations.disable_aws_service_access().service_principal(ssm).send().await?;
                self.services().await
            }
        }
    }

    async fn services(&self) -> Result<()> {
        let request = self.organizations.list_aws_service_access_for_organization().max_results(20);
        black_box(request.send().await?);
        Ok(())
    }

    async fn administrators(&self) -> Result<()> {
        let request = self.organizations.list_delegated_administrators().service_principal(SSM.as_str());
        black_box(request.max_results(20).send().await?);
        Ok(())
    }
}

/// Runs one step of the job on the ports.
///
/// # Errors
///
/// Returns the errors of the ports.
pub async fn on_ports(client: &(impl OrganizationsApi + StsApi), account: AccountId, step: Step) -> Result<(), Error> {
    black_box(client.describe_organization().await?);
    black_box(client.get_caller_identity().await?);
    black_box(client.list_aws_service_access_for_organization(None).await?);
    black_box(client.list_delegated_administrators(&SSM, None).await?);
    match step {
        Step::Onboard => {
            black_box(client.describe_account(account).await?);
            client.enable_aws_service_access(&SSM).await?;
            black_box(client.list_aws_service_access_for_organization(None).await?);
            client.register_delegated_administrator(account, &SSM).await?;
            black_box(client.list_delegated_administrators(&SSM, None).await?);
        }
        Step::Offboard => {
            client.deregister_delegated_administrator(account, &SSM).await?;
            black_box(client.list_delegated_administrators(&SSM, None).await?);
            black_box(client.list_aws_service_access_for_organization(None).await?);
            client.disable_aws_service_access(&SSM).await?;
            black_box(client.list_aws_service_access_for_organization(None).await?);
        }
    }
    Ok(())
}
