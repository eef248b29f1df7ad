//! Adapter for the AWS SDK for Rust: [`AwsClient`] implements the [ports](crate::ports) with real
//! calls.
//!
//! ```no_run
//! use ssm_organizations::aws::{AwsClient, aws_types::SdkConfig};
//! use ssm_organizations::{Error, Integration};
//!
//! # async fn run() -> Result<(), Error> {
//! // With the feature `aws-config`: `AwsClient::from_env().await?`.
//! let config = SdkConfig::builder().build();
//! let observed = Integration::new(AwsClient::new(&config)).observe().await?;
//! println!("{observed}");
//! # Ok(())
//! # }
//! ```
//!
//! # Retries
//!
//! Reads use the SDK's retries, as configured in the `SdkConfig`.
//!
//! Writes are repeated only after a response that shows that AWS changed nothing:
//!
//! * throttling
//! * `ConcurrentModificationException`, which is `ConcurrentModification` in IAM
//! * `FinalizingOrganizationException`
//!
//! A write is not sent again after a timeout, a broken connection, an unreadable response or a
//! failure inside AWS. The configuration and the retry classifiers of the client do not change
//! this. The reason is that the SDK would return only the second response. Two codes also forbid a
//! repetition:
//!
//! * `LimitExceededException`, which is a quota, although the SDK treats the code as throttling.
//! * `ResourceDataSyncConflictException`, which resolves in minutes. The caller decides on that
//!   wait.
//!
//! If the SDK encounters a temporary error more than once, the status is
//! [`RetryStatus::Exhausted`](crate::RetryStatus::Exhausted). The status is
//! [`RetryStatus::Temporary`](crate::RetryStatus::Temporary) if nothing was repeated, and for every
//! write with a lost response.
//!
//! # Time
//!
//! By default, the SDK limits connecting, but neither a call nor an attempt. A call hangs if the
//! server accepts the request and never responds. [`AwsClientBuilder::timeout_config`] or the
//! `SdkConfig` sets the limits. This crate sets no limits of its own.
//!
//! # What leaves this machine
//!
//! Requests contain the name of this crate in their user agent, as
//! `lib/ssm-organizations/<version>`. The app name and other values of the `SdkConfig` remain.
//!
//! # Versions
//!
//! The SDK's types in this API are re-exported with their crates, which guarantees matching
//! versions.

#[cfg(feature = "aws-config")]
mod ca_bundle;
mod call_tracker;
mod convert;
mod credentials;
#[cfg(feature = "aws-config")]
mod environment;
mod error;
mod http;
mod iam;
mod organizations;
mod retry_classifier;
mod sts;
mod sync_flags;
mod systems_manager;

use std::fmt;

use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::sdk_ua_metadata::FrameworkMetadata;

#[doc(no_inline)]
pub use aws_sdk_iam;
pub use aws_sdk_organizations;
pub use aws_sdk_ssm;
pub use aws_sdk_sts;
pub use aws_smithy_types;
pub use aws_types;
#[cfg(feature = "aws-config")]
pub use environment::{AssumeRole, AwsClientLoader};
pub use http::shared_http_client;

/// Client for AWS Organizations, Systems Manager, IAM and STS with shared credentials and one HTTP
/// client.
///
/// Cloning is cheap, and clones share connections and credentials. `Debug` prints only the Regions.
#[derive(Clone)]
pub struct AwsClient {
    organizations: aws_sdk_organizations::Client,
    systems_manager: aws_sdk_ssm::Client,
    iam: aws_sdk_iam::Client,
    sts: aws_sdk_sts::Client,
    /// Source of the clients that assume a role.
    #[cfg(feature = "aws-config")]
    config: SdkConfig,
}

impl AwsClient {
    /// Creates a client with a configuration, as returned by `aws_config::load_from_env().await`.
    ///
    /// The Region determines the partition, including the one of Organizations and IAM. Any Region
    /// of the partition is sufficient, but those calls fail without a Region. Each call of Systems
    /// Manager names its own Region.
    ///
    /// The configuration may have no HTTP client, as is the default of `aws-config`. The services
    /// then share one of the SDK's HTTP clients, which reads the machine's certificates at the
    /// first call. Several clients can share a [`shared_http_client`].
    ///
    /// # Panics
    ///
    /// Panics if the SDK's own constructors panic: see [`AwsClientBuilder::build`].
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self::builder(config).build()
    }

    /// Returns a builder for a client with further settings.
    pub fn builder(config: &SdkConfig) -> AwsClientBuilder {
        AwsClientBuilder {
            config: config.clone(),
            organizations: None,
            systems_manager: None,
            iam: None,
            sts: None,
            retry_config: None,
            timeout_config: None,
        }
    }
}

impl fmt::Debug for AwsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { organizations, systems_manager, iam, sts, .. } = self;
        f.debug_struct("AwsClient")
            .field("organizations", &organizations.config().region().map(AsRef::as_ref))
            .field("systems_manager", &systems_manager.config().region().map(AsRef::as_ref))
            .field("iam", &iam.config().region().map(AsRef::as_ref))
            .field("sts", &sts.config().region().map(AsRef::as_ref))
            .finish()
    }
}

/// Builder of an [`AwsClient`], created by [`AwsClient::builder`].
///
/// An SDK client set here replaces the client that the `SdkConfig` would provide. Its own
/// configuration applies, including credentials, endpoint and connections. The retry and timeout
/// settings of this builder apply to all clients, including those set here. The [`AwsClient`] uses
/// a copy, so the original client is unchanged.
#[must_use = "call `build`"]
pub struct AwsClientBuilder {
    config: SdkConfig,
    organizations: Option<aws_sdk_organizations::Client>,
    systems_manager: Option<aws_sdk_ssm::Client>,
    iam: Option<aws_sdk_iam::Client>,
    sts: Option<aws_sdk_sts::Client>,
    retry_config: Option<RetryConfig>,
    timeout_config: Option<TimeoutConfig>,
}

impl AwsClientBuilder {
    /// Uses this client for Organizations.
    pub fn organizations(mut self, client: aws_sdk_organizations::Client) -> Self {
        self.organizations = Some(client);
        self
    }

    /// Uses this client for Systems Manager.
    ///
    /// The Region of the client has no effect, because each call names its Region. With a custom
    /// endpoint, the Region of a call only affects the signature.
    pub fn systems_manager(mut self, client: aws_sdk_ssm::Client) -> Self {
        self.systems_manager = Some(client);
        self
    }

    /// Uses this client for IAM.
    ///
    /// The client must have the same credentials as the others, because the service-linked role
    /// belongs to the calling account.
    pub fn iam(mut self, client: aws_sdk_iam::Client) -> Self {
        self.iam = Some(client);
        self
    }

    /// Uses this client for STS.
    ///
    /// The client must have the same credentials as the others, because STS identifies the caller.
    pub fn sts(mut self, client: aws_sdk_sts::Client) -> Self {
        self.sts = Some(client);
        self
    }

    /// Sets the number of attempts and the backoff of the SDK's retries.
    ///
    /// This setting replaces the one in the configurations. It does not allow further retries of
    /// writes: see [the module](self#retries).
    pub fn retry_config(mut self, retries: RetryConfig) -> Self {
        self.retry_config = Some(retries);
        self
    }

    /// Sets the timeouts of a call, an attempt, connecting and reading.
    ///
    /// This setting replaces the one in the configurations. Limits that it omits have the SDK's
    /// defaults.
    ///
    /// An operation timeout limits a call with all its attempts; an attempt timeout limits each
    /// attempt. Systems Manager, Organizations and IAM respond in seconds. An operation timeout of
    /// half a minute leaves time for the backoff between attempts:
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use ssm_organizations::aws::aws_smithy_types::timeout::TimeoutConfig;
    ///
    /// let limits = TimeoutConfig::builder()
    ///     .operation_timeout(Duration::from_secs(30))
    ///     .operation_attempt_timeout(Duration::from_secs(10))
    ///     .build();
    /// ```
    ///
    /// After a timeout, a write may have been applied. The crate then reads the state before it
    /// returns.
    pub fn timeout_config(mut self, limits: TimeoutConfig) -> Self {
        self.timeout_config = Some(limits);
        self
    }

    /// Creates the client. No call is made, so missing settings become visible at the first call.
    ///
    /// # Panics
    ///
    /// Panics if the SDK's own `Client::from_conf` panics, which occurs for an impossible
    /// configuration. A configuration from `aws-config` is always possible. A configuration without
    /// a behavior version receives the SDK's latest, because `Client::from_conf` would panic
    /// otherwise.
    #[must_use]
    pub fn build(self) -> AwsClient {
        let Self { config, organizations, systems_manager, iam, sts, retry_config, timeout_config } = self;
        let config = with_defaults(config);
        /// Creates the client of one service. A macro, because the SDK's builders share no trait.
        macro_rules! client {
            ($sdk:ident, $given:expr) => {{
                let mut builder = match $given {
                    Some(given) => given.config().to_builder(),
                    None => $sdk::config::Builder::from(&config),
                };
                if let Some(retries) = &retry_config {
                    builder.set_retry_config(Some(retries.clone()));
                }
                if let Some(limits) = &timeout_config {
                    builder.set_timeout_config(Some(limits.clone()));
                }
                // An invalid version of this crate would be a bug, but no reason to fail calls.
                if let Ok(ourselves) = FrameworkMetadata::new(env!("CARGO_PKG_NAME"), Some(env!("CARGO_PKG_VERSION"))) {
                    builder.push_framework_metadata(ourselves);
                }
                $sdk::Client::from_conf(builder.build())
            }};
        }
        AwsClient {
            organizations: client!(aws_sdk_organizations, &organizations),
            systems_manager: client!(aws_sdk_ssm, &systems_manager),
            iam: client!(aws_sdk_iam, &iam),
            sts: client!(aws_sdk_sts, &sts),
            #[cfg(feature = "aws-config")]
            config,
        }
    }
}

/// Sets the SDK's defaults for values that each service would otherwise choose itself.
fn with_defaults(config: SdkConfig) -> SdkConfig {
    let version = config.behavior_version().unwrap_or_else(BehaviorVersion::latest);
    let http_client = config.http_client().or_else(|| http::default_of(version));
    let credentials = config.credentials_provider().map(credentials::checked);
    let mut builder = config.into_builder();
    builder.set_credentials_provider(credentials);
    builder.set_behavior_version(Some(version));
    builder.set_http_client(http_client);
    builder.build()
}

/// Prints the settings and which clients were set.
impl fmt::Debug for AwsClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsClientBuilder")
            .field("region", &self.config.region().map(AsRef::as_ref))
            .field("organizations", &self.organizations.is_some())
            .field("systems_manager", &self.systems_manager.is_some())
            .field("iam", &self.iam.is_some())
            .field("sts", &self.sts.is_some())
            .field("retry_config", &self.retry_config)
            .field("timeout_config", &self.timeout_config)
            .finish()
    }
}
