//! The library's adapter, configured for the moto server.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::SdkConfig;
use aws_types::region::Region;
use ssm_organizations::aws::AwsClient;

use crate::server::{Moto, text};

pub(crate) fn management(moto: &Moto) -> AwsClient {
    client_with(moto, Credentials::from_keys("test", "test", None))
}

/// Returns a client of any account. The server also issues credentials of unknown accounts.
pub(crate) fn client_of(moto: &Moto, account: &str) -> AwsClient {
    let session = moto.boto3(&["assume", account]);
    let [id, secret, token] = ["AccessKeyId", "SecretAccessKey", "SessionToken"].map(|key| text(&session[key]));
    client_with(moto, Credentials::from_keys(id, secret, Some(token)))
}

/// Returns a client with a user's access key.
#[allow(dead_code, reason = "each test file uses its own part")]
pub(crate) fn client_with_key(moto: &Moto, id: &str, secret: &str) -> AwsClient {
    client_with(moto, Credentials::from_keys(id, secret, None))
}

fn client_with(moto: &Moto, credentials: Credentials) -> AwsClient {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .endpoint_url(moto.endpoint())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(Builder::new().build_http())
        .build();
    AwsClient::new(&config)
}
