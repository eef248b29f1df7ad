//! One HTTP client for all services.

use aws_smithy_runtime::client::defaults::default_http_client_plugin_v2;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin;
use aws_smithy_types::config_bag::ConfigBag;
use aws_types::sdk_config::SharedHttpClient;

/// The SDK's own HTTP client, for several configurations to share: its connections, and the certificates that it trusts.
///
/// [`AwsClient`](super::AwsClient) makes one for itself where the `SdkConfig` has none. One for the whole program saves more:
/// `aws-config` has an HTTP client of its own otherwise, and reads the machine's certificates before it knows whether there is anything
/// to ask for. This one reads them at its first call. `None` where the program was built without an HTTP client of the SDK's.
///
/// It belongs to the tokio runtime of its first calls, as its connections do.
///
/// ```no_run
/// use ssm_organizations::aws::{AwsClient, aws_types::SdkConfig, default_http_client};
///
/// // In a program: `aws_config::defaults(version)`, which takes it by `http_client` before it is loaded.
/// let mut config = SdkConfig::builder();
/// config.set_http_client(default_http_client());
/// let client = AwsClient::new(&config.build());
/// ```
#[must_use]
pub fn default_http_client() -> Option<SharedHttpClient> {
    default_of(BehaviorVersion::latest())
}

/// What the SDK would make for each service anew.
pub(super) fn default_of(version: BehaviorVersion) -> Option<SharedHttpClient> {
    let plugin = default_http_client_plugin_v2(version)?;
    let nothing = RuntimeComponentsBuilder::new("nothing");
    let client = plugin.runtime_components(&nothing).http_client()?;
    Some(SharedHttpClient::new(OnceNeeded(client)))
}

/// An HTTP client that nobody tries before the first call.
///
/// The SDK tries its own whenever it makes a service's client: with a connector to throw away, which takes apart the certificates
/// of all authorities.
#[derive(Debug)]
struct OnceNeeded(SharedHttpClient);

impl HttpClient for OnceNeeded {
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
