//! Clients with the credentials of a role.

use std::fmt;
use std::time::Duration;

use aws_config::sts::AssumeRoleProvider;
use aws_types::sdk_config::SharedCredentialsProvider;

use super::resolve::{self, Failure, plain};
use super::unavailable;
use crate::aws::AwsClient;
use crate::aws::error::{CredentialsFailure, service_error_text};
use crate::domain::{Partition, Region};
use crate::error::{Error, Remedy};

impl AwsClient {
    /// Returns a builder for a client with the credentials of a role.
    ///
    /// The credentials of this client assume the role. The new client has the Region, the endpoint,
    /// the timeouts and the HTTP client of this client, and renews its credentials before they
    /// expire. SDK clients that [`AwsClientBuilder`](crate::aws::AwsClientBuilder) set are not
    /// used.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use ssm_organizations::Error;
    /// use ssm_organizations::aws::AwsClient;
    ///
    /// # async fn run() -> Result<(), Error> {
    /// let management = AwsClient::from_env().await?;
    /// let administrator = management
    ///     .assume_role("arn:aws:iam::222222222222:role/Operations")
    ///     .session_name("onboarding")
    ///     .duration(Duration::from_secs(900))
    ///     .load()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # IAM permissions
    ///
    /// `sts:AssumeRole` on the role. The trust policy of the role must allow the caller too.
    pub fn assume_role(&self, role_arn: impl Into<String>) -> AssumeRole<'_> {
        AssumeRole { client: self, role_arn: role_arn.into(), session_name: None, external_id: None, duration: None }
    }
}

/// Builder of a client with the credentials of a role, created by [`AwsClient::assume_role`].
#[must_use = "call `load`"]
pub struct AssumeRole<'a> {
    client: &'a AwsClient,
    role_arn: String,
    session_name: Option<String>,
    external_id: Option<String>,
    duration: Option<Duration>,
}

impl AssumeRole<'_> {
    /// Sets the name of the session, which `CloudTrail` records.
    ///
    /// The default contains the time.
    pub fn session_name(mut self, name: impl Into<String>) -> Self {
        self.session_name = Some(name.into());
        self
    }

    /// Sets the external ID that the trust policy of the role requires.
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = Some(id.into());
        self
    }

    /// Sets the duration of the session. The default is an hour.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = Some(duration);
        self
    }

    /// Assumes the role and creates the client.
    ///
    /// AWS: [AssumeRole](https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).
    ///
    /// # Errors
    ///
    /// * [`InvalidInput`](crate::ErrorKind::InvalidInput) if an input is outside AWS's limits, or
    ///   if the role and the Region of the client are in different partitions. No call is made.
    /// * [`CredentialsUnavailable`](crate::ErrorKind::CredentialsUnavailable) if AWS denies the
    ///   role or does not respond.
    pub async fn load(self) -> Result<AwsClient, Error> {
        let config = &self.client.config;
        let region = config.region().and_then(|region| Region::new(region.as_ref()).ok());
        self.check(region.as_ref())?;
        let Self { client: _, role_arn, session_name, external_id, duration } = self;
        let mut source = config.clone().into_builder();
        // The SDK panics without a time source.
        source.set_time_source(Some(config.time_source().unwrap_or_default()));
        let mut role = AssumeRoleProvider::builder(&role_arn).configure(&source.build());
        if let Some(name) = session_name {
            role = role.session_name(name);
        }
        if let Some(id) = external_id {
            role = role.external_id(id);
        }
        if let Some(duration) = duration {
            role = role.session_length(duration);
        }
        let credentials = SharedCredentialsProvider::new(role.build().await);
        let config = config.clone().into_builder().credentials_provider(credentials).build();
        let explain = |failure| match failure {
            Failure::NoProvider => plain("no credentials are configured"),
            Failure::TimedOut => unavailable("the credentials could not be loaded in time", vec![Remedy::RetryLater]),
            Failure::Provider(error) => {
                let CredentialsFailure { what, remedies, retry } = CredentialsFailure::of(&error);
                unavailable(format!("{what}: {role_arn}"), remedies)
                    .with_retry(retry)
                    .with_source_saying(Box::new(error), service_error_text)
            }
        };
        Ok(AwsClient::new(&resolve::with_credentials(config, explain).await?))
    }

    /// Checks the input against the limits of AWS.
    fn check(&self, region: Option<&Region>) -> Result<(), Error> {
        let invalid = |input: &str, expected: String| Err(Error::invalid_input(input, expected));
        let partition = match Partition::of_arn(&self.role_arn) {
            Ok(partition) if is_role(&self.role_arn) => partition,
            _ => return invalid("role", "an ARN such as arn:aws:iam::222222222222:role/Name".to_owned()),
        };
        if let Some(region) = region
            && let Some(expected) = Partition::of_region(region)
            && expected != partition
        {
            return invalid("role", format!("a role of the partition {expected} of {region}; found {partition}"));
        }
        let allowed = |text: &str, also: &str, lengths: std::ops::RangeInclusive<usize>| {
            lengths.contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
        };
        if self.session_name.as_deref().is_some_and(|name| !allowed(name, "_+=,.@-", 2..=64)) {
            return invalid("session name", "2 to 64 letters, digits and characters of _+=,.@-".to_owned());
        }
        if self.external_id.as_deref().is_some_and(|id| !allowed(id, "_+=,.@:/-", 2..=1224)) {
            return invalid("external ID", "2 to 1,224 letters, digits and characters of _+=,.@:/-".to_owned());
        }
        let hours = Duration::from_mins(15)..=Duration::from_hours(12);
        if self.duration.is_some_and(|duration| !hours.contains(&duration)) {
            return invalid("duration", "15 minutes to 12 hours".to_owned());
        }
        Ok(())
    }
}

fn is_role(arn: &str) -> bool {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "iam", "", account, resource] => {
            account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && resource.strip_prefix("role/").is_some_and(|name| !name.is_empty())
                && arn.bytes().all(|byte| byte.is_ascii_graphic())
        }
        _ => false,
    }
}

impl fmt::Debug for AssumeRole<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The external ID is not a secret of AWS, but its owner may treat it as one.
        f.debug_struct("AssumeRole")
            .field("role_arn", &self.role_arn)
            .field("session_name", &self.session_name)
            .field("duration", &self.duration)
            .finish_non_exhaustive()
    }
}
