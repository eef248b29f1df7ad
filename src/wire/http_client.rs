use std::io;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::time::timeout;

use super::operations;
use super::request::Envelope;
use super::response::Failure;
use crate::sim::{SimClient, SimOrganization};

/// HTTP client of the AWS SDK that answers from a simulated organization.
///
/// Created by [`SimOrganization::http_client`]. The host of a request has no effect: the request's
/// target or version determines the service, and its signature the caller and the Region.
///
/// A server passes its requests to [`HttpConnector::call`]. An error of that method represents a
/// broken connection.
#[derive(Debug, Clone)]
pub struct SimHttpClient {
    organization: SimOrganization,
    /// Client for the requests of its account; its credentials may lack permissions.
    client: Option<SimClient>,
}

impl SimHttpClient {
    pub(super) fn new(organization: SimOrganization, client: Option<SimClient>) -> Self {
        Self { organization, client }
    }

    async fn respond(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let (envelope, responder) = Envelope::of(&request, self.organization.next_request_id());
        let request = match envelope.into_request(self.organization.date()) {
            Ok(request) => request,
            Err(error) => return responder.failure(&error),
        };
        let account = request.caller.account;
        // A session of a role has the permissions of its role, not those of the given client.
        let own = self.client.filter(|client| client.account() == account && request.caller.session.is_none());
        let client = own.unwrap_or_else(|| self.organization.client(account));
        match operations::answer(&client, &request).await {
            Ok(output) => responder.success(&output),
            Err(Failure::Refused(error)) => responder.failure(&error),
            Err(Failure::Unusable(response)) => responder.unusable(response),
            Err(Failure::NoResponse) => {
                let broken = io::Error::new(io::ErrorKind::ConnectionReset, "the simulated connection broke");
                Err(ConnectorError::io(broken.into()))
            }
        }
    }
}

impl HttpConnector for SimHttpClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().respond(request))
    }
}

impl HttpClient for SimHttpClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        match settings.read_timeout() {
            Some(limit) => SharedHttpConnector::new(WithReadTimeout { client: self.clone(), limit }),
            None => SharedHttpConnector::new(self.clone()),
        }
    }
}

/// Connector with the read timeout of the SDK's configuration.
#[derive(Debug)]
struct WithReadTimeout {
    client: SimHttpClient,
    limit: std::time::Duration,
}

impl HttpConnector for WithReadTimeout {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (client, limit) = (self.client.clone(), self.limit);
        HttpConnectorFuture::new(async move {
            timeout(limit, client.respond(request))
                .await
                .unwrap_or_else(|late| Err(ConnectorError::timeout(late.into())))
        })
    }
}
