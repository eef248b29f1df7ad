//! The HTTP client of the simulation, with a check of each response.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_types::region::Region;
use aws_types::sdk_config::{SdkConfig, SharedHttpClient};
use ssm_organizations::AccountId;
use ssm_organizations::aws::AwsClient;
use ssm_organizations::sim::{SimClient, SimOrganization};

use crate::model;

pub(crate) const MANAGEMENT: &str = "111111111111";
pub(crate) const ALICE: &str = "222222222222";
pub(crate) const BOB: &str = "333333333333";

pub(crate) fn id(account: &str) -> AccountId {
    account.parse().unwrap()
}

/// Wraps an HTTP client. A response that AWS's model does not allow fails the test.
#[derive(Debug, Clone)]
struct Validated(SharedHttpClient);

#[derive(Debug)]
struct ValidatedConnector(SharedHttpConnector);

impl HttpClient for Validated {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(ValidatedConnector(self.0.http_connector(settings, components)))
    }
}

impl HttpConnector for ValidatedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (service, operation) = operation_of(&request);
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await?;
            let body = std::str::from_utf8(answer.body().bytes().unwrap()).unwrap().to_owned();
            assert!(answer.headers().get("x-amzn-requestid").is_some_and(|id| id.len() == 36), "{operation}");
            let status = answer.status().as_u16();
            let defects = model::defects(service, &operation, status, &body);
            assert!(defects.is_empty(), "{operation} {status} {body}: {defects:?}");
            Ok(answer)
        })
    }
}

/// Returns the service and the operation of a request.
fn operation_of(request: &HttpRequest) -> (&'static str, String) {
    if let Some(target) = request.headers().get("x-amz-target") {
        let (prefix, operation) = target.split_once('.').unwrap();
        return (if prefix == "AmazonSSM" { "ssm" } else { "organizations" }, operation.to_owned());
    }
    let body = std::str::from_utf8(request.body().bytes().unwrap()).unwrap();
    let operation = body.split(['=', '&']).nth(1).unwrap().to_owned();
    (if body.contains("Version=2010-05-08") { "iam" } else { "sts" }, operation)
}

/// Returns the configuration of a client, with the check of each response.
///
/// The SDK has one retry quota for each Region in a process, so each configuration has its own
/// Region.
pub(crate) fn config_of(client: &SimClient) -> SdkConfig {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);
    let config = client.sdk_config();
    let http_client = Validated(config.http_client().unwrap());
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    // Region names contain digits only at the end, so the number is written in letters.
    let letters: String = number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
    config.into_builder().region(Region::new(format!("eu-{letters}-1"))).http_client(http_client).build()
}

pub(crate) fn aws_client(organization: &SimOrganization, account: &str) -> AwsClient {
    AwsClient::new(&config_of(&organization.client(id(account))))
}

/// Returns an organization with two members.
pub(crate) fn organization() -> SimOrganization {
    SimOrganization::builder().member(id(ALICE)).member(id(BOB)).build()
}
