//! Clients with the credentials of a role.

use std::error::Error as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use aws_types::region::Region;
use ssm_organizations::aws::AwsClient;
use ssm_organizations::ports::Operation;
use ssm_organizations::{Error, ErrorKind, Remedy};

use crate::canned::{call, credentials};

const ROLE: &str = "arn:aws:iam::222222222222:role/Operations";
const ROLE_KEY: &str = "ASIAROLEEXAMPLE";

/// Requests as host, body and signature.
type Requests = Arc<Mutex<Vec<(String, String, String)>>>;

/// Returns a client with a scripted STS, and its requests. `AssumeRole` returns this status, and
/// every other call returns a caller identity.
fn client(region: &'static str, status: u16) -> (AwsClient, Requests) {
    let requests = Requests::default();
    let seen = Arc::clone(&requests);
    let http = infallible_client_fn(move |request: http::Request<SdkBody>| {
        let text = String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap();
        let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let host = request.uri().host().unwrap().to_owned();
        seen.lock().unwrap().push((host, text.clone(), header("authorization").unwrap()));
        let (status, body) = if !text.contains("Action=AssumeRole") {
            (
                200,
                "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>222222222222</Account>\
                   </GetCallerIdentityResult></GetCallerIdentityResponse>"
                    .to_owned(),
            )
        } else if status == 200 {
            (
                200,
                format!(
                    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{ROLE_KEY}</AccessKeyId>\
                 <SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>\
                 <Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
                ),
            )
        } else {
            (
                status,
                "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
                    .to_owned(),
            )
        };
        http::Response::builder().status(status).body(SdkBody::from(body)).unwrap()
    });
    let config = SdkConfig::builder().region(Region::from_static(region)).credentials_provider(credentials());
    (AwsClient::new(&config.http_client(http).build()), requests)
}

#[tokio::test]
async fn assume_role_with_all_options_signs_calls_with_its_keys() {
    let (source, requests) = client("cn-north-1", 200);
    let role = source
        .assume_role("arn:aws-cn:iam::222222222222:role/path/Operations")
        .session_name("onboarding")
        .external_id("external/id")
        .duration(Duration::from_mins(15))
        .load()
        .await
        .unwrap();
    for _ in 0..2 {
        call(&role, Operation::GetCallerIdentity).await.unwrap();
    }
    let requests = requests.lock().unwrap().clone();
    let [(host, body, signature), calls @ ..] = requests.as_slice() else { panic!("no request") };
    assert_eq!(host, "sts.cn-north-1.amazonaws.com.cn");
    let parameters = [
        "RoleArn=arn%3Aaws-cn%3Aiam%3A%3A222222222222%3Arole%2Fpath%2FOperations",
        "RoleSessionName=onboarding",
        "ExternalId=external%2Fid",
        "DurationSeconds=900",
    ];
    for parameter in parameters {
        assert!(body.contains(parameter), "{parameter}: {body}");
    }
    assert!(!signature.contains(ROLE_KEY));
    assert_eq!(calls.len(), 2, "the credentials are kept");
    for (host, _, signature) in calls {
        assert_eq!(host, "sts.cn-north-1.amazonaws.com.cn");
        assert!(signature.contains(ROLE_KEY), "{signature}");
    }
}

#[tokio::test]
async fn assume_role_with_invalid_input_sends_nothing() {
    let (source, requests) = client("us-east-1", 200);
    let assume = |arn: &str| source.assume_role(arn);
    let mut cases = Vec::new();
    for arn in [
        "",
        "Operations",
        "arn:aws:iam::222222222222:user/Operations",
        "arn:aws:iam::222222222222:role/",
        "arn:aws:iam::22:role/Operations",
        "arn:aws:sts::222222222222:assumed-role/Operations/session",
        "arn:aws:iam::222222222222:role/Operations\n",
    ] {
        cases.push((assume(arn), "role: expected an ARN"));
    }
    cases.push((assume("arn:aws-cn:iam::222222222222:role/Operations"), "role: expected a role of the partition aws"));
    cases.extend(
        ["", "x", "a b", &"x".repeat(65)].map(|name| (assume(ROLE).session_name(name), "session name: expected")),
    );
    cases.extend(["x", "a b"].map(|id| (assume(ROLE).external_id(id), "external ID: expected")));
    cases.extend(
        [899, 43_201].map(|seconds| (assume(ROLE).duration(Duration::from_secs(seconds)), "duration: expected")),
    );
    for (builder, part) in cases {
        let error = refusal(builder.load().await);
        assert_eq!(*error.kind(), ErrorKind::InvalidInput);
        assert!(error.message().unwrap().contains(part), "{part}: {error}");
    }
    assert!(requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn assume_role_that_aws_denies_names_role_and_cause() {
    let (source, _) = client("us-east-1", 403);
    let error = refusal(source.assume_role(ROLE).load().await);
    assert_eq!((error.kind(), error.remedy()), (&ErrorKind::CredentialsUnavailable, Some(Remedy::CheckRole)));
    assert!(error.message().unwrap().contains(ROLE), "{error}");
    assert!(error.source().is_some());
}

fn refusal(loaded: Result<AwsClient, Error>) -> Error {
    loaded.err().unwrap()
}
