//! Credentials that are loaded once before the first call.
//!
//! The SDK's provider of a profile reports the cause of a failure only once, and the first of
//! several concurrent calls would discard it.

use std::sync::{Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_types::SdkConfig;

use super::{CREDENTIALS_TIMEOUT, unavailable};
use crate::aws::credentials::checked;
use crate::error::{Error, Remedy};

/// Failure to load credentials.
pub(super) enum Failure {
    /// No provider is configured.
    NoProvider,
    /// The time limit expired.
    TimedOut,
    /// The provider failed.
    Provider(CredentialsError),
}

/// Loads the credentials of a configuration, and keeps them for the first call.
pub(super) async fn with_credentials(
    config: SdkConfig,
    explain: impl FnOnce(Failure) -> Error,
) -> Result<SdkConfig, Error> {
    let Some(provider) = config.credentials_provider().map(checked) else {
        return Err(explain(Failure::NoProvider));
    };
    let loaded = match tokio::time::timeout(CREDENTIALS_TIMEOUT, provider.provide_credentials()).await {
        Ok(Ok(credentials)) => credentials,
        Ok(Err(error)) => return Err(explain(Failure::Provider(error))),
        Err(_) => return Err(explain(Failure::TimedOut)),
    };
    let preloaded = Preloaded { first: Mutex::new(Some(loaded)), provider };
    Ok(config.into_builder().credentials_provider(SharedCredentialsProvider::new(preloaded)).build())
}

/// Returns the error of a failure that has no further explanation.
pub(super) fn plain(what: &str) -> Error {
    unavailable(what, vec![Remedy::ConfigureCredentials])
}

/// Provider that returns the loaded credentials once, for the cache of the client.
#[derive(Debug)]
struct Preloaded {
    first: Mutex<Option<Credentials>>,
    provider: SharedCredentialsProvider,
}

impl ProvideCredentials for Preloaded {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        match self.first.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(credentials) => future::ProvideCredentials::ready(Ok(credentials)),
            None => self.provider.provide_credentials(),
        }
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.provider.fallback_on_interrupt()
    }
}
