//! Check of credentials before the SDK signs a request with them.

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};

/// Wraps a provider so that it returns only credentials that the SDK can sign with.
///
/// The SDK panics if a part of the credentials is not valid in an HTTP header. Such credentials
/// come from a variable with a trailing line break, for example.
pub(super) fn checked(provider: SharedCredentialsProvider) -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(CheckedCredentials(provider))
}

#[derive(Debug)]
struct CheckedCredentials(SharedCredentialsProvider);

impl ProvideCredentials for CheckedCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move { check(self.0.provide_credentials().await?) })
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.0.fallback_on_interrupt().and_then(|credentials| check(credentials).ok())
    }
}

fn check(credentials: Credentials) -> provider::Result {
    let parts = [
        ("access key ID", Some(credentials.access_key_id())),
        ("secret access key", Some(credentials.secret_access_key())),
        ("session token", credentials.session_token()),
    ];
    for (part, value) in parts {
        if let Some(defect) = value.and_then(defect) {
            return Err(CredentialsError::invalid_configuration(format!("the {part} {defect}")));
        }
    }
    Ok(credentials)
}

/// Returns the reason why a part of the credentials is invalid. The reason does not contain it.
pub(super) fn defect(value: &str) -> Option<&'static str> {
    if value.is_empty() {
        Some("is empty")
    } else if value.ends_with(['\n', '\r']) {
        Some("ends with a line break")
    } else if value.contains(char::is_whitespace) {
        Some("contains white space")
    } else if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        Some("contains a character that is not printable ASCII")
    } else {
        None
    }
}
