//! Clients with the settings and credentials of the AWS environment, of a profile or of a role.

mod assume_role;
mod profile;
mod resolve;
mod settings;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::identity::IdentityCache;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::Region as SdkRegion;
use aws_types::sdk_config::SharedHttpClient;

pub use assume_role::AssumeRole;

use super::{AwsClient, ca_bundle, http};
use crate::domain::Region;
use crate::error::{Error, ErrorKind, Remedy};
use settings::Settings;

/// Time limit for loading credentials.
///
/// A credential process may wait for a person. The SDK's own limit is five seconds.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_mins(1);

/// Constructors with the settings of the AWS environment. They require the feature `aws-config`.
impl AwsClient {
    /// Creates a client with the settings and credentials of the environment.
    ///
    /// The sources are those of the AWS CLI: environment variables, the profile of `AWS_PROFILE`,
    /// a web identity, a container, and an EC2 instance. [`loader`](Self::loader) returns a builder
    /// with further settings and describes the differences from the SDK.
    ///
    /// ```no_run
    /// use ssm_organizations::aws::AwsClient;
    /// use ssm_organizations::{Error, Integration};
    ///
    /// # async fn run() -> Result<(), Error> {
    /// let observed = Integration::new(AwsClient::from_env().await?).observe().await?;
    /// println!("{observed}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// * [`InvalidConfiguration`](ErrorKind::InvalidConfiguration) if a setting is invalid or no
    ///   Region is configured; the message names the setting.
    /// * [`CredentialsUnavailable`](ErrorKind::CredentialsUnavailable) if no source returns
    ///   credentials; the message names the cause and the profile.
    pub async fn from_env() -> Result<Self, Error> {
        Self::loader().load().await
    }

    /// Creates a client with the settings and credentials of a profile.
    ///
    /// Unlike with `AWS_PROFILE`, credentials in environment variables are ignored. Other settings
    /// in environment variables override the profile.
    ///
    /// # Errors
    ///
    /// As [`from_env`](Self::from_env), and
    /// [`InvalidConfiguration`](ErrorKind::InvalidConfiguration) if the profile does not exist.
    pub async fn from_profile(name: impl Into<String>) -> Result<Self, Error> {
        Self::loader().profile(name).load().await
    }

    /// Returns a builder for clients with the settings of the environment.
    pub fn loader() -> AwsClientLoader {
        AwsClientLoader {
            profile: None,
            region: None,
            endpoint_url: None,
            timeout_config: None,
            http_clients: HttpClients::default(),
        }
    }
}

/// Builder of clients with the settings of the AWS environment, created by [`AwsClient::loader`].
///
/// A client of this builder differs from one with the configuration of `aws-config` as follows:
///
/// * Settings are checked before any call, so that the SDK does not panic. The retry mode `legacy`,
///   which the SDK does not have, is treated as `standard`.
/// * Credentials are loaded once before the first call. A failure contains its cause, with the
///   profile and the file.
/// * The file of `AWS_CA_BUNDLE` or `ca_bundle` contains the trusted certificates.
/// * Each attempt of a call ends after 10 seconds, and connecting after 5 seconds.
///
/// Clones share their HTTP clients, which belong to the tokio runtime of their first calls.
#[derive(Debug, Clone)]
#[must_use = "call `load`"]
pub struct AwsClientLoader {
    profile: Option<String>,
    region: Option<Region>,
    endpoint_url: Option<String>,
    timeout_config: Option<TimeoutConfig>,
    http_clients: HttpClients,
}

impl AwsClientLoader {
    /// Uses the settings and credentials of a profile: see [`AwsClient::from_profile`].
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// Uses this Region instead of the one of the environment or the profile.
    ///
    /// The Region selects the partition. Each call of Systems Manager names its own Region.
    pub fn region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }

    /// Sends the calls of the client to this URL.
    ///
    /// Calls that get credentials, such as `AssumeRole` for a profile, use the URL only if the
    /// environment variable `AWS_ENDPOINT_URL` contains it too.
    pub fn endpoint_url(mut self, url: impl Into<String>) -> Self {
        self.endpoint_url = Some(url.into());
        self
    }

    /// Sets the timeouts of a call, an attempt, connecting and reading.
    pub fn timeout_config(mut self, limits: TimeoutConfig) -> Self {
        self.timeout_config = Some(limits);
        self
    }

    /// Returns the Region of the client: the one of this builder, the environment or the profile.
    ///
    /// No credentials are loaded.
    ///
    /// # Errors
    ///
    /// [`InvalidConfiguration`](ErrorKind::InvalidConfiguration) if a setting is invalid or no
    /// Region is configured.
    pub async fn load_region(&self) -> Result<Region, Error> {
        self.region_of(&Settings::load(self.profile.as_deref()).await?).await
    }

    /// Checks the settings, loads the credentials and creates the client.
    ///
    /// # Errors
    ///
    /// See [`AwsClient::from_env`] and [`AwsClient::from_profile`].
    pub async fn load(&self) -> Result<AwsClient, Error> {
        let settings = Settings::load(self.profile.as_deref()).await?;
        let region = SdkRegion::new(self.region_of(&settings).await?.to_string());
        let limits = self.timeout_config.clone().unwrap_or_else(default_timeouts);
        let cache = IdentityCache::lazy().load_timeout(CREDENTIALS_TIMEOUT).build();
        let http = self.http_clients.for_bundle(settings.ca_bundle())?;
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .profile_name(settings.profile())
            .region(region.clone())
            .timeout_config(limits.clone())
            .identity_cache(cache);
        if let Some(http) = &http {
            loader = loader.http_client(http.clone());
        }
        if let Some(retries) = settings.retry_config() {
            loader = loader.retry_config(retries);
        }
        if let Some(url) = &self.endpoint_url {
            settings::check_endpoint("the endpoint URL", url)?;
            loader = loader.endpoint_url(url);
        }
        if self.profile.is_some() {
            // The SDK's default chain would prefer credentials in the environment to the profile.
            let mut of_provider = ProviderConfig::without_region()
                .with_region(Some(region))
                .with_timeout_config(limits)
                .with_use_fips(settings.use_fips())
                .with_use_dual_stack(settings.use_dual_stack());
            if let Some(http) = http {
                of_provider = of_provider.with_http_client(http);
            }
            let provider = ProfileFileCredentialsProvider::builder().configure(&of_provider);
            loader = loader.credentials_provider(provider.profile_name(settings.profile()).build());
        }
        let config = loader.load().await;
        settings::check_service_endpoints(&config)?;
        let config = resolve::with_credentials(config, |failure| settings.unavailable(failure)).await?;
        Ok(AwsClient::new(&config))
    }

    async fn region_of(&self, settings: &Settings) -> Result<Region, Error> {
        match &self.region {
            Some(region) => Ok(region.clone()),
            None => settings.region().await,
        }
    }
}

/// Returns limits so that a server that does not respond ends the call.
///
/// An operation timeout is not set, because it would cut retries short.
fn default_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(10))
        .build()
}

/// HTTP clients by certificate bundle, shared by all clones of a loader.
#[derive(Debug, Clone, Default)]
struct HttpClients(Arc<Mutex<HashMap<Option<PathBuf>, SharedHttpClient>>>);

impl HttpClients {
    /// Returns the client that trusts the bundle, or `None` if the program has no HTTP client.
    fn for_bundle(&self, bundle: Option<(String, PathBuf)>) -> Result<Option<SharedHttpClient>, Error> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let path = bundle.as_ref().map(|(_, path)| path.clone());
        if let Some(client) = clients.get(&path) {
            return Ok(Some(client.clone()));
        }
        let client = match bundle {
            None => http::default_of(BehaviorVersion::latest()),
            Some((setting, path)) => match ca_bundle::CaBundle::read(&path) {
                Ok(bundle) => Some(http::lazy(ca_bundle::client(bundle))),
                Err(why) => return Err(invalid(format!("{setting}: {}: {why}", path.display()))),
            },
        };
        if let Some(client) = &client {
            clients.insert(path, client.clone());
        }
        Ok(client)
    }
}

/// Creates the error for an invalid setting.
fn invalid(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidConfiguration).with_message(why)
}

/// Creates the error for credentials that cannot be loaded.
fn unavailable(why: impl Into<String>, remedies: Vec<Remedy>) -> Error {
    Error::new(ErrorKind::CredentialsUnavailable).with_message(why).with_remedies(remedies)
}
