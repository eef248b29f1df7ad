//! HTTP client shared by all services.

use aws_smithy_runtime::client::defaults::default_http_client_plugin_v2;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin;
use aws_smithy_types::config_bag::ConfigBag;
use aws_types::sdk_config::SharedHttpClient;

/// Returns the SDK's own HTTP client, which several configurations can share.
///
/// The configurations share its connections and its trusted certificates.
/// [`AwsClient`](super::AwsClient) creates one if the `SdkConfig` has none, and one for the whole
/// program saves more. Otherwise `aws-config` uses its own HTTP client and reads the machine's
/// certificates before any request. The shared client reads them at its first call. The result is
/// `None` if the program was built without an HTTP client of the SDK.
///
/// With the feature `aws-config`, the client trusts the certificates of the file in the environment
/// variable `AWS_CA_BUNDLE` instead of the machine's. If the file is invalid, no call is sent.
///
/// The client belongs to the tokio runtime of its first calls, as do its connections.
///
/// ```no_run
/// use ssm_organizations::aws::{AwsClient, aws_types::SdkConfig, shared_http_client};
///
/// // In a program: `aws_config::defaults(version)`, whose `http_client` takes the client before
/// // the configuration is loaded.
/// let mut config = SdkConfig::builder();
/// config.set_http_client(shared_http_client());
/// let client = AwsClient::new(&config.build());
/// ```
#[must_use]
pub fn shared_http_client() -> Option<SharedHttpClient> {
    default_of(BehaviorVersion::latest())
}

/// Returns the HTTP client that the SDK would otherwise create for each service.
pub(super) fn default_of(version: BehaviorVersion) -> Option<SharedHttpClient> {
    #[cfg(feature = "aws-config")]
    if let Some(client) = super::ca_bundle::client_of_environment() {
        return Some(lazy(client));
    }
    let plugin = default_http_client_plugin_v2(version)?;
    let nothing = RuntimeComponentsBuilder::new("nothing");
    Some(lazy(plugin.runtime_components(&nothing).http_client()?))
}

/// Returns a client that is not validated before the first call.
pub(super) fn lazy(client: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(LazyHttpClient(client))
}

/// HTTP client that is not validated before the first call.
///
/// The SDK validates its own client whenever it creates a service client. For this it builds a
/// temporary connector, which parses the certificates of all authorities.
#[derive(Debug)]
struct LazyHttpClient(SharedHttpClient);

impl HttpClient for LazyHttpClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn validate_final_config(&self, components: &RuntimeComponents, config: &ConfigBag) -> Result<(), BoxError> {
        self.0.validate_final_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}
