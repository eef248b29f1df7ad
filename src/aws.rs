//! The adapter for the AWS SDK for Rust: [`AwsClient`] implements the [ports](crate::ports) with real calls.
//!
//! ```no_run
//! use ssm_organizations::aws::{AwsClient, aws_types::SdkConfig};
//! use ssm_organizations::{Error, Integration};
//!
//! # async fn run() -> Result<(), Error> {
//! // In a program: `aws_config::load_from_env().await`, with the `aws-config` crate.
//! let config = SdkConfig::builder().build();
//! let observed = Integration::new(AwsClient::new(&config)).observe().await?;
//! println!("{observed}");
//! # Ok(())
//! # }
//! ```
//!
//! # Retries
//!
//! Reads keep the SDK's retries, as the `SdkConfig` has them. Writes are repeated only after an answer that says that nothing was
//! done: throttling, `ConcurrentModificationException`, which IAM calls `ConcurrentModification`, and
//! `FinalizingOrganizationException`. After a timeout, a broken connection, an unreadable answer or a failure inside AWS a write is not
//! sent again, whatever the client or its own retry classifiers say: the SDK would show the answer to the second one only. Nor after
//! `LimitExceededException`, which the SDK takes for throttling and which is a quota, nor after `ResourceDataSyncConflictException`,
//! which passes in minutes: that wait is the caller's.
//!
//! A temporary error that the SDK has met more than once is [`Retry::Spent`](crate::Retry::Spent). It is
//! [`Retry::Temporary`](crate::Retry::Temporary) where nothing was repeated, and for every write with a lost reply.
//!
//! # Time
//!
//! The SDK bounds connecting but, unless told, neither a call nor an attempt: a server that accepts a request and never answers
//! hangs it. [`AwsClientBuilder::timeout_config`] or the `SdkConfig` sets the limits. This crate sets none of its own.
//!
//! # What leaves this machine
//!
//! Requests name this crate in their user agent, as `lib/ssm-organizations/<version>`, beside the app name and whatever else the
//! `SdkConfig` has there.
//!
//! # Versions
//!
//! The types of the SDK that appear here are re-exported with their crates: what is made with them fits.

mod attempts;
mod booleans;
mod classifier;
mod convert;
mod error;
mod http;
mod iam;
mod organizations;
mod sts;
mod systems_manager;

use std::fmt;

use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::sdk_ua_metadata::FrameworkMetadata;

pub use http::default_http_client;
#[doc(no_inline)]
pub use {aws_sdk_iam, aws_sdk_organizations, aws_sdk_ssm, aws_sdk_sts, aws_smithy_types, aws_types};

/// A client of AWS: Organizations, Systems Manager, IAM and STS, with the same credentials and the same HTTP client.
///
/// Cloning is cheap, and clones share connections and credentials. `Debug` shows the Regions and nothing else.
#[derive(Clone)]
pub struct AwsClient {
    organizations: aws_sdk_organizations::Client,
    systems_manager: aws_sdk_ssm::Client,
    iam: aws_sdk_iam::Client,
    sts: aws_sdk_sts::Client,
}

impl AwsClient {
    /// A client with this configuration: what `aws_config::load_from_env().await` answers.
    ///
    /// The Region chooses the partition, so that of Organizations and IAM too: any Region of the partition will do, and without one they
    /// cannot be asked. Systems Manager is asked in the Regions that are named to it.
    ///
    /// Where the configuration has no HTTP client, as what `aws-config` makes, the services share one of the SDK's, which reads the
    /// machine's certificates at the first call. Several clients share a [`default_http_client`].
    ///
    /// # Panics
    ///
    /// Where the SDK's own constructors do: see [`AwsClientBuilder::build`].
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        Self::builder(config).build()
    }

    /// The same, with something changed.
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
        let Self { organizations, systems_manager, iam, sts } = self;
        f.debug_struct("AwsClient")
            .field("organizations", &organizations.config().region().map(AsRef::as_ref))
            .field("systems_manager", &systems_manager.config().region().map(AsRef::as_ref))
            .field("iam", &iam.config().region().map(AsRef::as_ref))
            .field("sts", &sts.config().region().map(AsRef::as_ref))
            .finish()
    }
}

/// Makes an [`AwsClient`]: from [`AwsClient::builder`].
///
/// A client of the SDK given here stands in for the one that the `SdkConfig` would make: its own configuration counts, its
/// credentials, endpoint and connections among it. The retry and timeout settings given here count for all of them, such clients
/// included. The given client itself stays as it is; the [`AwsClient`] works on a copy.
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

    /// Uses this client for Systems Manager. Its Region does not matter: each call names one, which at an endpoint of its own
    /// counts for the signature only.
    pub fn systems_manager(mut self, client: aws_sdk_ssm::Client) -> Self {
        self.systems_manager = Some(client);
        self
    }

    /// Uses this client for IAM.
    ///
    /// The service-linked role is one of the calling account, so it must have the credentials of the others.
    pub fn iam(mut self, client: aws_sdk_iam::Client) -> Self {
        self.iam = Some(client);
        self
    }

    /// Uses this client for STS.
    ///
    /// It tells whose calls these are, so it must have the credentials of the others.
    pub fn sts(mut self, client: aws_sdk_sts::Client) -> Self {
        self.sts = Some(client);
        self
    }

    /// How often, and with what pauses, the SDK tries a call that may be tried again. It replaces what the configurations say.
    ///
    /// It does not make writes less careful: see [the module](self#retries).
    pub fn retry_config(mut self, retries: RetryConfig) -> Self {
        self.retry_config = Some(retries);
        self
    }

    /// How long a call, an attempt, connecting and reading may take. It replaces what the configurations say; limits that it
    /// leaves open are the SDK's defaults.
    ///
    /// An operation timeout bounds a call with all its attempts, an attempt timeout each of them. Systems Manager answers in seconds,
    /// as do Organizations and IAM; half a minute for an operation leaves room for the pauses between attempts:
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
    /// A write whose time is up may have been applied: the crate then reads before it says anything.
    pub fn timeout_config(mut self, limits: TimeoutConfig) -> Self {
        self.timeout_config = Some(limits);
        self
    }

    /// Makes the client. It calls nobody: what is missing shows at the first call.
    ///
    /// # Panics
    ///
    /// Where the SDK's own `Client::from_conf` does, which is where it finds a configuration impossible. What `aws-config` makes never
    /// is, and one without a behaviour version, at which it would panic, gets the SDK's latest.
    #[must_use]
    pub fn build(self) -> AwsClient {
        let Self { config, organizations, systems_manager, iam, sts, retry_config, timeout_config } = self;
        let config = completed(config);
        /// The same for each service: the SDK's builders are alike and share no trait.
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
                // A version of ours that is no valid one would be a bug, and no reason to fail calls.
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
        }
    }
}

/// With the SDK's defaults where each service would have its own.
fn completed(config: SdkConfig) -> SdkConfig {
    let version = config.behavior_version().unwrap_or_else(BehaviorVersion::latest);
    let http_client = config.http_client().or_else(|| http::default_of(version));
    let mut builder = config.into_builder();
    builder.set_behavior_version(Some(version));
    builder.set_http_client(http_client);
    builder.build()
}

/// Shows which clients were given, and the settings.
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
