//! Tests a function with a mock of one port.
//!
//! `cargo run --example test_with_mockall`

use async_trait::async_trait;
use mockall::mock;
use ssm_organizations::ports::{
    CallerIdentity, DelegatedAdministrator, EnabledService, IamApi, Organization, OrganizationsApi, Page, StsApi,
    SystemsManagerApi,
};
use ssm_organizations::{AccountId, Error, ErrorKind, Integration, Observed, ServicePrincipal};
use ssm_organizations::{domain::PageToken, ports::Client};

// A method that the mock omits returns `ErrorKind::Unsupported`.
mock! {
    Aws {}

    #[async_trait]
    impl OrganizationsApi for Aws {
        async fn describe_organization(&self) -> Result<Organization, Error>;
        async fn list_aws_service_access_for_organization(
            &self,
            next: Option<PageToken>,
        ) -> Result<Page<EnabledService>, Error>;
        async fn list_delegated_administrators(
            &self,
            principal: &ServicePrincipal,
            next: Option<PageToken>,
        ) -> Result<Page<DelegatedAdministrator>, Error>;
    }

    #[async_trait]
    impl StsApi for Aws {
        async fn get_caller_identity(&self) -> Result<CallerIdentity, Error>;
    }

    impl SystemsManagerApi for Aws {}

    impl IamApi for Aws {}
}

/// Function under test. On AWS, the caller passes an `aws::AwsClient`.
async fn is_set_up(client: &impl Client) -> Result<bool, Error> {
    Ok(matches!(Integration::new(client).observe().await?, Observed::Delegated(_)))
}

/// Returns a mock of an organization in which trusted access is disabled.
fn disabled(account: AccountId) -> MockAws {
    let mut aws = MockAws::new();
    aws.expect_describe_organization().returning(move || Ok(Organization::new("o-exampleorgid".parse()?, account)));
    aws.expect_get_caller_identity().returning(move || Ok(CallerIdentity::new(account)));
    aws.expect_list_delegated_administrators().returning(|_, _| Ok(Page::default()));
    aws
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut aws = disabled("111111111111".parse()?);
    aws.expect_list_aws_service_access_for_organization().times(1).returning(|_| Ok(Page::default()));
    assert!(!is_set_up(&aws).await?);

    let mut aws = disabled("111111111111".parse()?);
    aws.expect_list_aws_service_access_for_organization().times(1).returning(|_| {
        let operation = ssm_organizations::ports::Operation::ListAwsServiceAccessForOrganization;
        Err(Error::from_service_error(operation, "AccessDeniedException", "no"))
    });
    let denied = is_set_up(&aws).await.err();
    assert_eq!(denied.as_ref().map(Error::kind), Some(&ErrorKind::AccessDenied));
    println!("both cases passed");
    Ok(())
}
