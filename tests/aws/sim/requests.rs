//! Requests that no client of the SDK sends.

use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use ssm_organizations::sim::SimOrganization;
use ssm_organizations::wire;

use crate::model;
use crate::validated::{MANAGEMENT, id, organization};

const ORGANIZATIONS: &str = "AWSOrganizationsV20161128";

struct Answer {
    status: u16,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Returns the status, the code, the reason or the message of an error.
    fn error(&self) -> (u16, String) {
        let json = self.json();
        let of = |member: &str| json[member].as_str().map(str::to_owned);
        (self.status, format!("{} {}", of("__type").unwrap(), of("Reason").or(of("Message")).unwrap()))
    }
}

fn signature(service: &str) -> String {
    let key = wire::access_key_id(id(MANAGEMENT));
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

async fn send(organization: &SimOrganization, headers: &[(&'static str, String)], body: &str) -> Answer {
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST").unwrap();
    request.set_uri("http://localhost/").unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.clone());
    }
    let answer = organization.http_client().call(request).await.unwrap();
    let body = String::from_utf8(answer.body().bytes().unwrap().to_vec()).unwrap();
    Answer { status: answer.status().as_u16(), body }
}

async fn json(organization: &SimOrganization, target: &str, body: &Value) -> Answer {
    let service = if target.starts_with("AmazonSSM") { "ssm" } else { "organizations" };
    let headers = [("x-amz-target", target.to_owned()), ("authorization", signature(service))];
    let answer = send(organization, &headers, &body.to_string()).await;
    let operation = target.split_once('.').unwrap().1;
    let defects = model::defects(service, operation, answer.status, &answer.body);
    assert!(defects.is_empty() || answer.body.contains("UnknownOperation"), "{}: {defects:?}", answer.body);
    answer
}

async fn query(organization: &SimOrganization, service: &str, body: &str) -> Answer {
    send(organization, &[("authorization", signature(service))], body).await
}

#[tokio::test]
async fn invalid_input_of_organizations_has_a_reason() {
    let organization = organization();
    let register = |body: Value| {
        let organization = &organization;
        async move { json(organization, &format!("{ORGANIZATIONS}.RegisterDelegatedAdministrator"), &body).await.error().1 }
    };
    let of = |account: Value, principal: Value| json!({ "AccountId": account, "ServicePrincipal": principal });
    for (body, reason) in [
        (json!({ "ServicePrincipal": "a" }), "InvalidInputException INPUT_REQUIRED"),
        (of(Value::Null, json!("a")), "InvalidInputException INPUT_REQUIRED"),
        (of(json!("22222222222"), json!("a")), "InvalidInputException INVALID_PATTERN"),
        (of(json!("2222222222222"), json!("a")), "InvalidInputException MAX_LENGTH_EXCEEDED"),
        (of(json!("222222222222"), json!("")), "InvalidInputException MIN_LENGTH_EXCEEDED"),
        (of(json!("222222222222"), json!("a b")), "InvalidInputException INVALID_PATTERN"),
    ] {
        assert_eq!(register(body.clone()).await, reason, "{body}");
    }
    let wrong = register(of(json!(222_222_222_222_u64), json!("a"))).await;
    assert!(wrong.starts_with("SerializationException "), "{wrong}");
    let list = |size: i64| {
        let organization = &organization;
        async move { json(organization, &format!("{ORGANIZATIONS}.ListAccounts"), &json!({ "MaxResults": size })).await }
    };
    assert_eq!(list(21).await.error().1, "InvalidInputException MAX_VALUE_EXCEEDED");
    assert_eq!(list(0).await.error().1, "InvalidInputException MIN_VALUE_EXCEEDED");
    assert_eq!(list(20).await.status, 200);
}

#[tokio::test]
async fn invalid_input_of_systems_manager_names_each_member() {
    let organization = organization();
    let body = json!({ "SyncName": "", "SyncType": "" });
    let refused = json(&organization, "AmazonSSM.DeleteResourceDataSync", &body).await.error();
    assert_eq!(
        refused,
        (
            400,
            "ValidationException 2 validation errors detected: Value '' at 'syncName' failed to satisfy constraint: Member \
             must have length greater than or equal to 1; Value '' at 'syncType' failed to satisfy constraint: Member must \
             have length greater than or equal to 1"
                .to_owned()
        )
    );
}

#[tokio::test]
async fn absent_members_are_omitted() {
    let answer = json(&organization(), "AmazonSSM.ListResourceDataSync", &json!({})).await;
    assert_eq!(answer.json(), json!({ "ResourceDataSyncItems": [] }));
    let answer = json(
        &organization(),
        &format!("{ORGANIZATIONS}.EnableAWSServiceAccess"),
        &json!({ "ServicePrincipal": "ssm.amazonaws.com" }),
    )
    .await;
    assert_eq!(answer.body, "{}");
}

#[tokio::test]
async fn unknown_operation_lists_the_supported_ones() {
    let organization = organization();
    let (status, text) =
        json(&organization, &format!("{ORGANIZATIONS}.InviteAccountToOrganization"), &json!({})).await.error();
    assert_eq!(status, 400);
    assert!(text.starts_with("UnknownOperationException ") && text.contains(", ListAccounts, "), "{text}");
    let other = json(&organization, "Other.Thing", &json!({})).await.error().1;
    assert!(other.contains("AWS Organizations, Systems Manager, IAM and STS"), "{other}");
    let answer = query(&organization, "iam", "Action=CreateUser&Version=2010-05-08&UserName=a").await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("<Code>InvalidAction</Code>") && answer.body.contains("GetRole"), "{}", answer.body);
}

#[tokio::test]
async fn request_without_a_usable_signature_is_refused() {
    let organization = organization();
    let target = ("x-amz-target", format!("{ORGANIZATIONS}.DescribeOrganization"));
    let with = |authorization: Option<&str>| {
        let authorization = authorization.map(|text| ("authorization", text.to_owned()));
        [target.clone()].into_iter().chain(authorization).collect::<Vec<_>>()
    };
    let ssm = signature("ssm");
    for (authorization, code) in [
        (None, "MissingAuthenticationTokenException "),
        (Some("Bearer token"), "IncompleteSignatureException "),
        (Some("AWS4-HMAC-SHA256 Credential=AKIASIMU111111111111"), "IncompleteSignatureException "),
        (
            Some("AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/organizations/aws4_request"),
            "UnrecognizedClientException ",
        ),
        (Some(ssm.as_str()), "InvalidSignatureException "),
    ] {
        let answer = send(&organization, &with(authorization), "{}").await;
        assert!(answer.error().1.starts_with(code), "{}", answer.body);
    }
    let answer = send(&organization, &[], "Action=GetCallerIdentity&Version=2011-06-15").await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("<Code>MissingAuthenticationToken</Code>"), "{}", answer.body);
}

#[tokio::test]
async fn malformed_body_is_refused() {
    let organization = organization();
    let headers =
        [("x-amz-target", format!("{ORGANIZATIONS}.ListAccounts")), ("authorization", signature("organizations"))];
    for body in ["{", "[]", "null", "\u{0}"] {
        let answer = send(&organization, &headers, body).await;
        assert!(answer.error().1.starts_with("SerializationException "), "{body}: {}", answer.body);
    }
    let answer = query(&organization, "sts", "Action=AssumeRole&Version=2011-06-15&DurationSeconds=long").await;
    assert!(answer.body.contains("<Code>MalformedInput</Code>"), "{}", answer.body);
    let answer = query(&organization, "iam", "Action=GetRole&Version=2010-05-08&RoleName=a%2Fb").await;
    assert!(answer.body.contains("<Code>ValidationError</Code>"), "{}", answer.body);
}

#[tokio::test]
async fn query_request_by_get_is_answered() {
    let organization = organization();
    let mut request = HttpRequest::get("http://localhost/?Action=GetCallerIdentity&Version=2011-06-15").unwrap();
    request.headers_mut().insert("authorization", signature("sts"));
    let answer = organization.http_client().call(request).await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let body = std::str::from_utf8(answer.body().bytes().unwrap()).unwrap();
    assert!(body.contains("<Account>111111111111</Account>"), "{body}");
}
