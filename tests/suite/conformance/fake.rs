//! Fake of the client traits that controls every response, as a user of the crate may write it.
//!
//! The conformance suite checks the fake against AWS's rules.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use ssm_organizations::conformance::{self, CheckOutcome, CheckResult, Fixture, Ports};
use ssm_organizations::domain::PageToken;
use ssm_organizations::ports::{
    Account, AccountState, CallerIdentity, DelegatedAdministrator, EnabledService, IamApi, Operation, Organization,
    OrganizationsApi, Page, StsApi, SystemsManagerApi,
};
use ssm_organizations::{AccountId, Error, Integration, ServicePrincipal};

use crate::common::SSM;

fn account(digit: u8) -> AccountId {
    digit.to_string().repeat(12).parse().unwrap()
}

/// Organization with management account 111111111111 and member 222222222222.
#[derive(Default)]
struct Fake {
    trusted_since: Mutex<Option<SystemTime>>,
    administrator: Mutex<Option<DelegatedAdministrator>>,
    /// Operation that a service control policy denies.
    forbidden: Option<Operation>,
}

impl Fake {
    /// Checks that the operation is allowed and that AWS recognizes the principal.
    fn check(&self, principal: &ServicePrincipal, operation: Operation) -> Result<(), Error> {
        if self.forbidden == Some(operation) {
            return Err(Error::from_service_error(operation, "AccessDeniedException", "with an explicit deny"));
        }
        let unrecognized =
            Error::from_service_error(operation, "InvalidInputException", "unrecognized service principal");
        if *principal == SSM { Ok(()) } else { Err(unrecognized.with_reason("UNRECOGNIZED_SERVICE_PRINCIPAL")) }
    }

    fn trusted(&self) -> MutexGuard<'_, Option<SystemTime>> {
        self.trusted_since.lock().unwrap()
    }

    fn delegated(&self) -> MutexGuard<'_, Option<DelegatedAdministrator>> {
        self.administrator.lock().unwrap()
    }
}

fn member(account: AccountId, operation: Operation) -> Result<(), Error> {
    let known = [self::account(1), self::account(2)].contains(&account);
    let not_found =
        Error::from_service_error(operation, "AccountNotFoundException", "no such account in the organization");
    if known { Ok(()) } else { Err(not_found) }
}

fn last_page<T>(items: impl IntoIterator<Item = T>, next: Option<&PageToken>, of: Operation) -> Result<Page<T>, Error> {
    let bad_token =
        Error::from_service_error(of, "InvalidInputException", "next token").with_reason("INVALID_NEXT_TOKEN");
    if next.is_none() { Ok(Page::last(items.into_iter().collect())) } else { Err(bad_token) }
}

#[async_trait]
impl OrganizationsApi for Fake {
    async fn describe_organization(&self) -> Result<Organization, Error> {
        Ok(Organization::new("o-exampleorgid".parse()?, account(1)))
    }

    async fn describe_account(&self, account: AccountId) -> Result<Account, Error> {
        member(account, Operation::DescribeAccount)?;
        Ok(Account::new(account, AccountState::Active))
    }

    async fn list_aws_service_access_for_organization(
        &self,
        next: Option<PageToken>,
    ) -> Result<Page<EnabledService>, Error> {
        let services = self.trusted().map(|since| EnabledService::new(SSM, Some(since)));
        last_page(services, next.as_ref(), Operation::ListAwsServiceAccessForOrganization)
    }

    async fn enable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        self.check(principal, Operation::EnableAwsServiceAccess)?;
        self.trusted().get_or_insert_with(SystemTime::now);
        Ok(())
    }

    async fn disable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        self.check(principal, Operation::DisableAwsServiceAccess)?;
        *self.trusted() = None;
        *self.delegated() = None;
        Ok(())
    }

    async fn list_delegated_administrators(
        &self,
        principal: &ServicePrincipal,
        next: Option<PageToken>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        self.check(principal, Operation::ListDelegatedAdministrators)?;
        last_page(self.delegated().clone(), next.as_ref(), Operation::ListDelegatedAdministrators)
    }

    async fn register_delegated_administrator(
        &self,
        account: AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        const OPERATION: Operation = Operation::RegisterDelegatedAdministrator;
        self.check(principal, OPERATION)?;
        member(account, OPERATION)?;
        let refused = |reason| {
            Err(Error::from_service_error(OPERATION, "ConstraintViolationException", "no").with_reason(reason))
        };
        if self.trusted().is_none() {
            return refused("SERVICE_ACCESS_NOT_ENABLED");
        }
        if account == self::account(1) {
            return refused("CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR");
        }
        let mut delegated = self.delegated();
        if delegated.is_some() {
            return Err(Error::from_service_error(OPERATION, "AccountAlreadyRegisteredException", "already"));
        }
        *delegated = Some(DelegatedAdministrator::new(account, Some(SystemTime::now())));
        Ok(())
    }

    async fn deregister_delegated_administrator(
        &self,
        account: AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        const OPERATION: Operation = Operation::DeregisterDelegatedAdministrator;
        self.check(principal, OPERATION)?;
        member(account, OPERATION)?;
        let before = self.delegated().take_if(|administrator| administrator.account == account);
        before
            .map(drop)
            .ok_or_else(|| Error::from_service_error(OPERATION, "AccountNotRegisteredException", "not registered"))
    }
}

#[async_trait]
impl StsApi for Fake {
    async fn get_caller_identity(&self) -> Result<CallerIdentity, Error> {
        Ok(CallerIdentity::new(account(1)))
    }
}

/// The test needs no operations of these services, so each call returns a "not implemented" error.
impl SystemsManagerApi for Fake {}
impl IamApi for Fake {}

#[tokio::test]
async fn denied_registration_on_fake_names_the_permission() {
    let forbidden = Some(Operation::RegisterDelegatedAdministrator);
    let handle = Integration::new(Fake { forbidden, ..Fake::default() });
    let refused = handle.ensure_delegated(account(2)).await.unwrap_err().to_string();
    assert!(refused.contains("organizations:RegisterDelegatedAdministrator"), "{refused}");
}

#[tokio::test]
async fn fake_client_passes_conformance_checks() {
    let fake = Fake::default();
    let fixture = Fixture::new(Ports::new().organizations(&fake).sts(&fake)).member(account(2)).outsider(account(9));
    let report = conformance::run(&fixture.pause(Duration::ZERO)).await;
    report.conforms().unwrap();
    // The report skips operations without an implementation, so one check must have passed.
    let registered = report.result("registered_account_is_listed").map(CheckResult::outcome);
    assert_eq!(registered, Some(&CheckOutcome::Passed), "{report}");
}
