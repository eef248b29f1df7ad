//! Properties of the response to every request, for tests and for the fuzz target.

use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use ssm_organizations::domain::DataSync;
use ssm_organizations::ports::SyncSourceType;
use ssm_organizations::sim::SimOrganization;
use ssm_organizations::{AccountId, Region, ServicePrincipal};

const MEMBER: &str = "222222222222";

/// Parses a request of the corpus: a line with the method and the URI, the headers, an empty line
/// and the body. Returns `None` for text that is not an HTTP request.
pub(crate) fn parsed(text: &[u8]) -> Option<HttpRequest> {
    let end = text.windows(2).position(|pair| pair == b"\n\n")?;
    let (head, body) = (std::str::from_utf8(&text[..end]).ok()?, &text[end + 2..]);
    let mut lines = head.lines();
    let (method, uri) = lines.next()?.split_once(' ')?;
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method(method).ok()?;
    request.set_uri(uri).ok()?;
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        request.headers_mut().try_insert(name.to_owned(), value.to_owned()).ok()?;
    }
    Some(request)
}

/// Returns an organization in which each operation of the corpus can succeed.
fn organization() -> SimOrganization {
    let region = Region::new("us-east-1").unwrap();
    let member: AccountId = MEMBER.parse().unwrap();
    let sync = DataSync::new("all".parse().unwrap(), Some(SyncSourceType::AwsOrganizations));
    SimOrganization::builder()
        .member(member)
        .member("333333333333".parse().unwrap())
        .unit("ou-exam-12345678".parse().unwrap())
        .trusted_access_for(&ServicePrincipal::SYSTEMS_MANAGER)
        .delegated_administrator_for(&"config.amazonaws.com".parse().unwrap(), member)
        .service_linked_role(&"accountdiscovery.ssm.amazonaws.com".parse().unwrap())
        .data_sync("111111111111".parse().unwrap(), region, sync)
        .build()
}

/// Checks that the response is well-formed, and that a refused request changes nothing. Returns
/// the HTTP status.
pub(crate) async fn check(request: HttpRequest) -> u16 {
    let organization = organization();
    let before = organization.state();
    let shown = format!("{request:?}");
    let answer = organization.http_client().call(request).await.expect("a response without injected faults");
    let status = answer.status().as_u16();
    assert!((200..600).contains(&status), "{status} for {shown}");
    assert!(answer.headers().get("x-amzn-requestid").is_some(), "{shown}");
    let body = std::str::from_utf8(answer.body().bytes().unwrap()).unwrap();
    match answer.headers().get("content-type") {
        Some("application/x-amz-json-1.1") => {
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(body.get("__type").is_some(), status != 200, "{body} for {shown}");
        }
        Some("text/xml") => {
            let mut document = aws_smithy_xml::decode::Document::new(body);
            let root = document.root_element().expect("a root element");
            assert_eq!(root.start_el().local() == "ErrorResponse", status != 200, "{body} for {shown}");
        }
        other => panic!("{other:?} for {shown}"),
    }
    if status != 200 {
        assert_eq!(organization.state(), before, "{shown}");
    }
    status
}
