use std::time::Duration;

use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use ssm_organizations::aws::aws_sdk_sts::error::ProvideErrorMetadata;
use ssm_organizations::aws::{AwsClient, aws_sdk_organizations, aws_sdk_sts};
use ssm_organizations::ports::StsApi;
use ssm_organizations::wire;

use crate::validated::{ALICE, BOB, MANAGEMENT, config_of, id, organization};

const ACCESS_ROLE: &str = "OrganizationAccountAccessRole";

fn with_key(config: &SdkConfig, key: &str, token: Option<&str>) -> SdkConfig {
    let credentials = Credentials::new(key, "secret", token.map(str::to_owned), None, "test");
    let provider = SharedCredentialsProvider::new(credentials);
    config.clone().into_builder().credentials_provider(provider).build()
}

#[tokio::test(start_paused = true)]
async fn access_key_of_an_account_identifies_the_caller() {
    let organization = organization();
    let config = config_of(&organization.management_client());
    let identity = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some(MANAGEMENT));
    assert_eq!(identity.arn(), Some("arn:aws:iam::111111111111:user/sim"));
    let other = with_key(&config, &wire::access_key_id(id(BOB)), None);
    assert_eq!(AwsClient::new(&other).get_caller_identity().await.unwrap().account, id(BOB));
}

#[tokio::test(start_paused = true)]
async fn unknown_access_key_is_refused_by_each_protocol() {
    let organization = organization();
    for key in ["AKIDEXAMPLE", "AKIASIMU22222222222", "ASIASIMU222222222222"] {
        let config = with_key(&config_of(&organization.management_client()), key, None);
        let identity = aws_sdk_sts::Client::new(&config).get_caller_identity().send().await.unwrap_err();
        assert_eq!(identity.code(), Some("InvalidClientTokenId"), "{key}");
        let shown = aws_sdk_organizations::Client::new(&config).describe_organization().send().await.unwrap_err();
        assert_eq!(shown.code(), Some("UnrecognizedClientException"), "{key}");
    }
    assert!(organization.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn assume_role_as_aws_config_does_gives_the_member_account() {
    let organization = organization();
    organization.register_administrator(id(ALICE));
    let config = config_of(&organization.management_client());
    let provider = AssumeRoleProvider::builder(format!("arn:aws:iam::{ALICE}:role/{ACCESS_ROLE}"))
        .session_name("tool")
        .configure(&config)
        .build()
        .await;
    let assumed = config.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build();
    let client = AwsClient::new(&assumed);
    assert_eq!(client.get_caller_identity().await.unwrap().account, id(ALICE));
    let identity = aws_sdk_sts::Client::new(&assumed).get_caller_identity().send().await.unwrap();
    assert_eq!(identity.arn(), Some("arn:aws:sts::222222222222:assumed-role/OrganizationAccountAccessRole/tool"));

    // The provider gets new credentials after the old ones expire.
    tokio::time::advance(Duration::from_hours(2)).await;
    assert_eq!(client.get_caller_identity().await.unwrap().account, id(ALICE));
}

#[tokio::test(start_paused = true)]
async fn expired_session_is_refused() {
    let organization = organization();
    let config = config_of(&organization.management_client());
    let sts = aws_sdk_sts::Client::new(&config);
    let arn = format!("arn:aws:iam::{ALICE}:role/{ACCESS_ROLE}");
    let assumed =
        sts.assume_role().role_arn(arn).role_session_name("session").duration_seconds(900).send().await.unwrap();
    let session = assumed.credentials().unwrap();
    let config = with_key(&config, session.access_key_id(), Some(session.session_token()));
    let sts = aws_sdk_sts::Client::new(&config);
    assert_eq!(sts.get_caller_identity().send().await.unwrap().account(), Some(ALICE));
    tokio::time::advance(Duration::from_secs(901)).await;
    assert_eq!(sts.get_caller_identity().send().await.unwrap_err().code(), Some("ExpiredToken"));
    // The access key belongs to one account, and the session token to another.
    let other = with_key(&config, "ASIASIMU333333333333", Some(session.session_token()));
    let other = aws_sdk_sts::Client::new(&other).get_caller_identity().send().await.unwrap_err();
    assert_eq!(other.code(), Some("InvalidClientTokenId"));
}

#[tokio::test(start_paused = true)]
async fn assume_role_without_trust_is_refused() {
    let organization = organization();
    organization.set_member(id(BOB), ssm_organizations::ports::AccountState::Suspended);
    let code = async |caller: &str, arn: &str| {
        let sts = aws_sdk_sts::Client::new(&config_of(&organization.client(id(caller))));
        let assumed = sts.assume_role().role_arn(arn).role_session_name("session").send().await;
        assumed.err().and_then(|error| error.code().map(str::to_owned))
    };
    let role = |account: &str, name: &str| format!("arn:aws:iam::{account}:role/{name}");
    assert_eq!(code(ALICE, &role(MANAGEMENT, "Deployment")).await, None);
    for (caller, arn) in [
        (ALICE, role(BOB, ACCESS_ROLE)),
        (MANAGEMENT, role(BOB, ACCESS_ROLE)),
        (MANAGEMENT, role("999999999999", ACCESS_ROLE)),
        (MANAGEMENT, role(ALICE, "AWSServiceRoleForAmazonSSM_AccountDiscovery")),
        ("999999999999", role(ALICE, "Deployment")),
    ] {
        assert_eq!(code(caller, &arn).await.as_deref(), Some("AccessDenied"), "{caller} {arn}");
    }
    assert_eq!(code(MANAGEMENT, "arn:aws:iam::222222222222:user/someone").await.as_deref(), Some("ValidationError"));
}
