//! HTTP client that trusts the certificates of `AWS_CA_BUNDLE`.

use std::env;
use std::fs;
use std::path::Path;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_types::sdk_config::SharedHttpClient;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::error::UnusableHttpClient;

/// Variable that names the bundle.
pub(super) const VARIABLE: &str = "AWS_CA_BUNDLE";

/// Certificates in PEM format that the SDK accepts.
pub(super) struct CaBundle(Vec<u8>);

impl CaBundle {
    /// Reads the bundle. The SDK would panic if a certificate were invalid.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let pem = fs::read(path).map_err(|error| error.to_string())?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let certificates = certificates.map_err(|error| format!("not in PEM format: {error}"))?;
        if certificates.is_empty() {
            return Err("contains no certificate in PEM format".to_owned());
        }
        let mut store = RootCertStore::empty();
        for (number, certificate) in (1..).zip(certificates) {
            store.add(certificate).map_err(|error| format!("certificate {number} is invalid: {error}"))?;
        }
        Ok(Self(pem))
    }
}

/// Checks that a file contains a certificate that the SDK can use. The SDK skips invalid ones.
pub(super) fn has_certificates(path: &Path) -> Result<(), String> {
    let pem = fs::read(path).map_err(|error| error.to_string())?;
    let valid = CertificateDer::pem_slice_iter(&pem).flatten();
    let (count, _) = RootCertStore::empty().add_parsable_certificates(valid);
    if count > 0 { Ok(()) } else { Err("contains no valid certificate in PEM format".to_owned()) }
}

/// Returns the client for the bundle of the environment, or `None` if there is no bundle.
///
/// If the bundle is invalid, no call of the client is sent.
pub(super) fn client_of_environment() -> Option<SharedHttpClient> {
    let path = env::var_os(VARIABLE).filter(|path| !path.is_empty())?;
    Some(match CaBundle::read(Path::new(&path)) {
        Ok(bundle) => client(bundle),
        Err(why) => unusable(format!("{VARIABLE}: {}: {why}", path.display())),
    })
}

/// Returns a client like the SDK's own one that trusts the certificates of the bundle only.
pub(super) fn client(bundle: CaBundle) -> SharedHttpClient {
    let trusted = TrustStore::empty().with_pem_certificate(bundle.0);
    let context = match TlsContext::builder().with_trust_store(trusted).build() {
        Ok(context) => context,
        Err(error) => return unusable(format!("{VARIABLE}: {error}")),
    };
    Builder::new().build_with_connector_fn(move |settings, components| {
        let provider = Provider::Rustls(CryptoMode::AwsLc);
        let mut connector = ConnectorBuilder::default().tls_provider(provider).tls_context(context.clone());
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    })
}

fn unusable(why: String) -> SharedHttpClient {
    SharedHttpClient::new(UnusableClient(why))
}

/// Client that sends nothing and reports the reason.
#[derive(Debug, Clone)]
struct UnusableClient(String);

impl HttpClient for UnusableClient {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for UnusableClient {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Err(ConnectorError::user(UnusableHttpClient(self.0.clone()).into())))
    }
}
