//! HTTP client that responds from a script.

use std::collections::{HashMap, VecDeque};
use std::future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_types::region::Region;
use aws_types::sdk_config::{Builder, SdkConfig};
use serde_json::{Value, json};
use ssm_organizations::aws::AwsClient;
use ssm_organizations::domain::RoleName;
use ssm_organizations::ports::{
    IamApi, Operation, OrganizationsApi, SourceRegions, StsApi, SyncDefinition, SyncType, SystemsManagerApi,
};
use ssm_organizations::{AccountId, Error, ServicePrincipal};

use crate::model;

pub(crate) const MANAGEMENT: &str = "111111111111";
pub(crate) const MEMBER: &str = "222222222222";
pub(crate) const UNIT: &str = "ou-exam-12345678";
pub(crate) const SECRET: &str = "very-secret-access-key";
pub(crate) const ADDRESS: &str = "owner@example.com";
pub(crate) const REQUEST_ID: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const ROLE: &str = "AWSServiceRoleForAmazonSSM_AccountDiscovery";
pub(crate) const TASK: &str = "task/aws-service-role/accountdiscovery.ssm.amazonaws.com/\
                               AWSServiceRoleForAmazonSSM_AccountDiscovery/11111111-2222-3333-4444-555555555555";

/// Scripted result of a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Throttling with this `retry-after` header.
    RetryAfter(&'static str),
    Answer {
        status: u16,
        body: String,
    },
    /// Response whose body may be invalid UTF-8.
    Raw {
        status: u16,
        body: Vec<u8>,
    },
    Never,
    Failure(fn() -> ConnectorError),
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self::Answer { status, body: body.into() }
    }

    pub(crate) fn ok(body: &Value) -> Self {
        Self::new(200, body.to_string())
    }

    pub(crate) fn done() -> Self {
        Self::new(200, "{}")
    }

    pub(crate) fn error(code: &str) -> Self {
        Self::new(400, json!({ "__type": code, "Message": "what AWS says" }).to_string())
    }

    pub(crate) fn refusal(code: &str, reason: &str) -> Self {
        Self::new(400, json!({ "__type": code, "Message": "what AWS says", "Reason": reason }).to_string())
    }

    pub(crate) fn failure(code: &str) -> Self {
        Self::new(500, json!({ "__type": code, "Message": "what AWS says" }).to_string())
    }

    /// Returns an error in the format of the operation's service: XML for IAM and STS, JSON for the
    /// others.
    pub(crate) fn error_of(operation: Operation, status: u16, code: &str, message: Option<&str>) -> Self {
        if is_in_xml(operation) {
            let message = message.map(|message| format!("<Message>{message}</Message>")).unwrap_or_default();
            let error = format!("<Error><Type>Sender</Type><Code>{code}</Code>{message}</Error>");
            Self::new(status, format!("<ErrorResponse>{error}<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"))
        } else {
            let mut body = json!({ "__type": code });
            if let Some(message) = message {
                body["Message"] = json!(message);
            }
            Self::new(status, body.to_string())
        }
    }

    /// Returns a refusal without a reason, in the format of the operation's service.
    pub(crate) fn refused(operation: Operation, code: &str) -> Self {
        Self::error_of(operation, 400, code, Some("what AWS says"))
    }

    /// Returns a response of IAM with this result element.
    pub(crate) fn iam(operation: Operation, result: &str) -> Self {
        Self::new(
            200,
            format!(
                "<{operation}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><{operation}Result>{result}\
                 </{operation}Result><ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata>\
                 </{operation}Response>"
            ),
        )
    }

    pub(crate) fn role(operation: Operation) -> Self {
        Self::iam(
            operation,
            &format!(
                "<Role><Path>/aws-service-role/accountdiscovery.ssm.amazonaws.com/</Path><RoleName>{ROLE}</RoleName>\
                 <RoleId>AROAEXAMPLEID</RoleId><Arn>arn:aws:iam::{MANAGEMENT}:role/aws-service-role/\
                 accountdiscovery.ssm.amazonaws.com/{ROLE}</Arn><CreateDate>2023-11-14T22:13:20Z</CreateDate>\
                 <AssumeRolePolicyDocument>%7B%7D</AssumeRolePolicyDocument></Role>"
            ),
        )
    }

    pub(crate) fn identity() -> Self {
        Self::new(
            200,
            format!(
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
                 <Account>{MANAGEMENT}</Account><UserId>AIDAEXAMPLE</UserId>\
                 <Arn>arn:aws:iam::{MANAGEMENT}:user/somebody</Arn>\
                 </GetCallerIdentityResult></GetCallerIdentityResponse>"
            ),
        )
    }

    pub(crate) fn organization() -> Self {
        Self::ok(&json!({ "Organization": {
            "Id": "o-exampleorgid",
            "Arn": format!("arn:aws:organizations::{MANAGEMENT}:organization/o-exampleorgid"),
            "FeatureSet": "ALL",
            "MasterAccountArn": format!("arn:aws:organizations::{MANAGEMENT}:account/o-exampleorgid/{MANAGEMENT}"),
            "MasterAccountId": MANAGEMENT,
            "MasterAccountEmail": ADDRESS,
            "AvailablePolicyTypes": [],
        }}))
    }

    /// Returns a page of any listing without items, with the token of the next page.
    pub(crate) fn empty_page(token: Option<&str>) -> Self {
        let lists = ["EnabledServicePrincipals", "DelegatedAdministrators", "ResourceDataSyncItems"];
        let mut body = json!({ "NextToken": token });
        for list in lists {
            body[list] = json!([]);
        }
        Self::ok(&body)
    }

    pub(crate) fn account() -> Self {
        Self::ok(&json!({ "Account": member() }))
    }

    pub(crate) fn unit() -> Self {
        let arn = format!("arn:aws:organizations::{MANAGEMENT}:ou/o-exampleorgid/{UNIT}");
        Self::ok(&json!({ "OrganizationalUnit": { "Id": UNIT, "Arn": arn, "Name": "Workloads" } }))
    }

    /// Returns a page of trusted services, with Systems Manager last if it is trusted.
    pub(crate) fn services(trusted: bool) -> Self {
        let mut services = vec![json!({ "ServicePrincipal": "ram.amazonaws.com", "DateEnabled": 1_500_000_000 })];
        if trusted {
            services.push(json!({ "ServicePrincipal": "ssm.amazonaws.com", "DateEnabled": 1_600_000_000.5 }));
        }
        Self::ok(&json!({ "EnabledServicePrincipals": services, "NextToken": null }))
    }

    pub(crate) fn administrators(accounts: &[&str]) -> Self {
        let one = |id: &&str| {
            let mut one = member();
            one["Id"] = json!(id);
            one["DelegationEnabledDate"] = json!(1_700_000_000);
            one
        };
        Self::ok(&json!({ "DelegatedAdministrators": accounts.iter().map(one).collect::<Vec<_>>() }))
    }
}

pub(crate) fn is_in_xml(operation: Operation) -> bool {
    ["iam", "sts"].contains(&operation.service())
}

fn member() -> Value {
    json!({
        "Id": MEMBER,
        "Arn": format!("arn:aws:organizations::{MANAGEMENT}:account/o-exampleorgid/{MEMBER}"),
        "Email": ADDRESS,
        "Name": "Platform team",
        "Status": "ACTIVE",
        "State": "ACTIVE",
        "JoinedMethod": "CREATED",
        "JoinedTimestamp": 1_400_000_000,
    })
}

/// Request as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) operation: String,
    pub(crate) uri: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Sent {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    /// Returns the host of the request.
    pub(crate) fn host(&self) -> &str {
        self.uri.strip_prefix("https://").expect("https").trim_end_matches('/')
    }
}

#[derive(Debug, Default)]
struct State {
    script: HashMap<String, VecDeque<Reply>>,
    sent: Vec<Sent>,
}

/// Script of replies for each operation. The last reply repeats.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wire(Arc<Mutex<State>>);

impl Wire {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn on(self, operation: Operation, replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies = replies.into_iter().collect();
        self.0.lock().unwrap().script.insert(operation.name().to_owned(), replies);
        self
    }

    /// Returns a script for all reads while trusted access for Systems Manager is disabled.
    pub(crate) fn disabled() -> Self {
        Self::new()
            .on(Operation::DescribeOrganization, [Reply::organization()])
            .on(Operation::GetCallerIdentity, [Reply::identity()])
            .on(Operation::ListAwsServiceAccessForOrganization, [Reply::services(false)])
            .on(Operation::ListDelegatedAdministrators, [Reply::administrators(&[])])
    }

    /// Returns a configuration with a unique Region, because the SDK shares one retry quota for
    /// each Region in a process.
    pub(crate) fn config(&self) -> Builder {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let region = format!("eu-test-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        SdkConfig::builder().region(Region::new(region)).credentials_provider(credentials()).http_client(self.clone())
    }

    pub(crate) fn client(&self) -> AwsClient {
        AwsClient::new(&self.config().build())
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.0.lock().unwrap().sent.clone()
    }

    pub(crate) fn count(&self, operation: Operation) -> usize {
        self.sent().iter().filter(|sent| sent.operation == operation.name()).count()
    }
}

pub(crate) fn credentials() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("AKIDEXAMPLE", SECRET, None, None, "a test"))
}

impl HttpClient for Wire {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let headers: HashMap<_, _> =
            request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let body = String::from_utf8(request.body().bytes().expect("a body in memory").to_vec()).unwrap();
        let operation = match headers.get("x-amz-target") {
            Some(target) => target.split_once('.').expect("a service and an operation").1.to_owned(),
            None => body.split(['=', '&']).nth(1).expect("Action=<operation>").to_owned(),
        };
        let faults = model::faults(&operation, headers.get("x-amz-target").map(String::as_str), &body);
        assert!(faults.is_empty(), "{operation} is not sent as AWS models it: {faults:?}");
        let mut state = self.0.lock().unwrap();
        let script = state.script.get_mut(&operation).unwrap_or_else(|| panic!("{operation} is not in the script"));
        let reply = if script.len() > 1 { script.pop_front() } else { script.front().cloned() };
        state.sent.push(Sent { operation, uri: request.uri().to_owned(), headers, body });
        let answer = |status, body| {
            let mut answer = HttpResponse::new(StatusCode::try_from(status).unwrap(), body);
            answer.headers_mut().insert("x-amzn-requestid", REQUEST_ID);
            HttpConnectorFuture::ready(Ok(answer))
        };
        match reply.expect("an entry") {
            Reply::Answer { status, body } => answer(status, SdkBody::from(body)),
            Reply::RetryAfter(pause) => {
                let mut answer = HttpResponse::new(StatusCode::try_from(429).unwrap(), SdkBody::from("{}"));
                answer.headers_mut().insert("retry-after", pause);
                HttpConnectorFuture::ready(Ok(answer))
            }
            Reply::Raw { status, body } => answer(status, SdkBody::from(body)),
            Reply::Never => HttpConnectorFuture::new(future::pending()),
            Reply::Failure(error) => HttpConnectorFuture::ready(Err(error())),
        }
    }
}

/// Calls the operation and discards its output.
pub(crate) async fn call(client: &AwsClient, operation: Operation) -> Result<(), Error> {
    let account: AccountId = MEMBER.parse().unwrap();
    let ours = ServicePrincipal::SYSTEMS_MANAGER;
    match operation {
        Operation::DescribeOrganization => client.describe_organization().await.map(drop),
        Operation::DescribeAccount => client.describe_account(account).await.map(drop),
        Operation::DescribeOrganizationalUnit => {
            client.describe_organizational_unit(&UNIT.parse().unwrap()).await.map(drop)
        }
        Operation::ListAwsServiceAccessForOrganization => {
            client.list_aws_service_access_for_organization(None).await.map(drop)
        }
        Operation::EnableAwsServiceAccess => client.enable_aws_service_access(&ours).await,
        Operation::DisableAwsServiceAccess => client.disable_aws_service_access(&ours).await,
        Operation::ListDelegatedAdministrators => client.list_delegated_administrators(&ours, None).await.map(drop),
        Operation::RegisterDelegatedAdministrator => client.register_delegated_administrator(account, &ours).await,
        Operation::DeregisterDelegatedAdministrator => client.deregister_delegated_administrator(account, &ours).await,
        Operation::GetCallerIdentity => client.get_caller_identity().await.map(drop),
        Operation::ListResourceDataSync => {
            let region = "eu-central-1".parse().unwrap();
            client.list_resource_data_sync(&region, SyncType::SyncFromSource, None).await.map(drop)
        }
        Operation::CreateResourceDataSync => {
            client.create_resource_data_sync(&"eu-central-1".parse().unwrap(), &definition()).await
        }
        Operation::UpdateResourceDataSync => {
            client.update_resource_data_sync(&"eu-central-1".parse().unwrap(), &definition()).await
        }
        Operation::DeleteResourceDataSync => {
            let region = "eu-central-1".parse().unwrap();
            client.delete_resource_data_sync(&region, definition().name(), SyncType::SyncFromSource).await
        }
        Operation::GetRole => client.get_role(&RoleName::ACCOUNT_DISCOVERY).await.map(drop),
        Operation::CreateServiceLinkedRole => {
            client.create_service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY).await.map(drop)
        }
        Operation::DeleteServiceLinkedRole => {
            client.delete_service_linked_role(&RoleName::ACCOUNT_DISCOVERY).await.map(drop)
        }
        Operation::GetServiceLinkedRoleDeletionStatus => {
            client.get_service_linked_role_deletion_status(&TASK.parse().unwrap()).await.map(drop)
        }
        other => panic!("{other} is new: call it here"),
    }
}

/// Returns a data sync of the entire organization.
pub(crate) fn definition() -> SyncDefinition {
    let regions = SourceRegions::new(["us-east-1".parse().unwrap()]).unwrap();
    SyncDefinition::of_organization("org".parse().unwrap(), regions)
}

/// Returns the error of a call that must fail.
pub(crate) async fn failed(client: &AwsClient, operation: Operation) -> Error {
    match call(client, operation).await {
        Ok(()) => panic!("{operation} succeeded"),
        Err(error) => error,
    }
}

/// Returns the response of AWS to a successful call.
pub(crate) fn success(operation: Operation) -> Reply {
    match operation {
        Operation::DescribeOrganization => Reply::organization(),
        Operation::DescribeAccount => Reply::account(),
        Operation::DescribeOrganizationalUnit => Reply::unit(),
        Operation::GetCallerIdentity => Reply::identity(),
        Operation::GetRole | Operation::CreateServiceLinkedRole => Reply::role(operation),
        Operation::DeleteServiceLinkedRole => {
            Reply::iam(operation, &format!("<DeletionTaskId>{TASK}</DeletionTaskId>"))
        }
        Operation::GetServiceLinkedRoleDeletionStatus => Reply::iam(operation, "<Status>IN_PROGRESS</Status>"),
        Operation::ListAwsServiceAccessForOrganization => Reply::services(true),
        Operation::ListDelegatedAdministrators => Reply::administrators(&[MEMBER]),
        Operation::ListResourceDataSync => Reply::empty_page(None),
        _ => Reply::done(),
    }
}
