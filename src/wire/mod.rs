//! The [simulation](crate::sim) behind AWS's protocols, for programs that use the AWS SDK itself.
//!
//! [`SimOrganization::sdk_config`] returns an `SdkConfig` whose HTTP client is the simulation. The
//! SDK's clients for Organizations, Systems Manager, IAM and STS work with it in any Region, as
//! does [`AwsClient`](crate::aws::AwsClient). Nothing leaves the process. Time is tokio's, so tests
//! can pause it.
//!
//! ```
//! use ssm_organizations::aws::{AwsClient, aws_sdk_organizations};
//! use ssm_organizations::{AccountId, Integration, sim};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let account: AccountId = "222222222222".parse()?;
//! let organization = sim::SimOrganization::builder().member(account).build();
//! let config = organization.management_client().sdk_config();
//!
//! // This crate and the SDK's own clients see the same organization.
//! Integration::new(AwsClient::new(&config)).observe().await?.ensure_delegated(account).await?;
//! let client = aws_sdk_organizations::Client::new(&config);
//! let listed = client.list_delegated_administrators().send().await?;
//! assert_eq!(listed.delegated_administrators()[0].id(), Some(account.as_str()));
//! # Ok(())
//! # }
//! ```
//!
//! # Operations
//!
//! All [operations of this crate](crate::ports::Operation) follow the rules, switches and faults of
//! the simulation. Further operations serve the programs around this crate:
//!
//! | service | further operations |
//! | --- | --- |
//! | Organizations, reads | `ListAccounts`, `ListRoots`, `ListOrganizationalUnitsForParent`, `ListAccountsForParent`, `ListParents`, `ListDelegatedServicesForAccount`, `DescribeCreateAccountStatus` |
//! | Organizations, writes | `CreateAccount`, `CloseAccount`, `MoveAccount`, `CreateOrganizationalUnit`, `RemoveAccountFromOrganization` |
//! | IAM | `ListRoles` |
//! | STS | `AssumeRole` |
//!
//! Every other operation is refused with AWS's code for unknown operations.
//!
//! Inputs are validated against AWS's model. Responses have the form of awsJson 1.1 (Organizations
//! and Systems Manager) or awsQuery (IAM and STS).
//!
//! # Credentials
//!
//! The access key of a request determines the account of the caller. [`access_key_id`] returns the
//! key of an account. A request without a key, or with another key, is refused with AWS's codes.
//!
//! `AssumeRole` returns credentials of an active account of the organization. The management
//! account can assume `OrganizationAccountAccessRole` in each member account. A role with another
//! name exists in every account and trusts every account of the organization.
//!
//! # Faults
//!
//! | fault | effect over HTTP |
//! | --- | --- |
//! | [`Refused`](crate::sim::Fault::Refused) | AWS's error response, which the SDK may retry |
//! | [`RequestLost`](crate::sim::Fault::RequestLost), [`ResponseLost`](crate::sim::Fault::ResponseLost) | the connection breaks before or after the effect |
//! | [`RequestFailed`](crate::sim::Fault::RequestFailed), [`ResponseReplaced`](crate::sim::Fault::ResponseReplaced) | a status 500 or 503, an HTML page or a truncated body, before or after the effect |
//! | [`Delay`](crate::sim::Fault::Delay) | the response is late, so the SDK's timeouts apply |
//!
//! Each attempt of the SDK is a call of its own. The further operations have their own fault
//! injection, [`inject_further_fault`](SimOrganization::inject_further_fault), and their own log,
//! [`further_calls`](SimOrganization::further_calls). Throttling does not apply to them.
//!
//! # Known differences from AWS
//!
//! In addition to the [differences of the simulation](crate::sim#known-differences-from-aws):
//!
//! * Signatures and the clock of the caller are not checked.
//! * Session policies, tags, external ids and multi-factor authentication have no effect on
//!   `AssumeRole`.
//! * Accounts and organizational units have no tags, paths or policies. An account that
//!   `CloseAccount` closes is closed at once.
//! * A data sync of the type `SyncToDestination` has no destination in listings.
//! * Patterns of AWS's model with Unicode classes, which concern tags, are not checked.

mod credentials;
mod http_client;
mod model;
mod operations;
mod request;
mod response;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::TimeSource;

use crate::domain::AccountId;
use crate::sim::{SimClient, SimOrganization};

pub use credentials::{SECRET_ACCESS_KEY, access_key_id};
pub use http_client::SimHttpClient;

/// Returns AWS's names of all operations that the simulation answers, ordered by service.
///
/// ```
/// use ssm_organizations::wire;
///
/// assert!(wire::operation_names().any(|name| name == "CreateAccount"));
/// ```
pub fn operation_names() -> impl Iterator<Item = &'static str> {
    let models = model::Service::ALL.into_iter().filter_map(model::Service::model);
    models.flat_map(|model| model.operations.keys().map(String::as_str))
}

impl SimOrganization {
    /// Returns a configuration for the AWS SDK with the credentials of `account`. Its HTTP client
    /// is this simulation.
    ///
    /// The Region is that of the partition's IAM endpoint, such as `us-east-1`. Another Region can
    /// be set with `config.into_builder()`.
    #[must_use]
    pub fn sdk_config(&self, account: AccountId) -> SdkConfig {
        self.client(account).sdk_config()
    }

    /// Returns the HTTP client that [`sdk_config`](Self::sdk_config) sets, for other configurations
    /// and for servers.
    #[must_use]
    pub fn http_client(&self) -> SimHttpClient {
        SimHttpClient::new(self.clone(), None)
    }
}

impl SimClient {
    /// Returns a configuration for the AWS SDK with the credentials of this client, including
    /// [missing permissions](Self::without_permission). Its HTTP client is the simulation.
    ///
    /// See [`SimOrganization::sdk_config`].
    #[must_use]
    pub fn sdk_config(&self) -> SdkConfig {
        let organization = self.organization().clone();
        let endpoint = organization.partition().iam_endpoint();
        let region = endpoint.map_or_else(|| "us-east-1".to_owned(), |endpoint| endpoint.region.as_str().to_owned());
        let key = access_key_id(self.account());
        let credentials = Credentials::new(key, SECRET_ACCESS_KEY, None, None, "simulation");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .sleep_impl(TokioSleep::new())
            .time_source(SimTime(organization.clone()))
            .http_client(SimHttpClient::new(organization, Some(self.clone())))
            .build()
    }
}

/// Clock of a simulation.
#[derive(Debug)]
struct SimTime(SimOrganization);

impl TimeSource for SimTime {
    fn now(&self) -> std::time::SystemTime {
        self.0.date()
    }
}
