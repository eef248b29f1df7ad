use async_trait::async_trait;
use aws_sdk_organizations::config::Builder;
use aws_sdk_organizations::operation::deregister_delegated_administrator::DeregisterDelegatedAdministratorError;
use aws_sdk_organizations::operation::disable_aws_service_access::DisableAWSServiceAccessError;
use aws_sdk_organizations::operation::enable_aws_service_access::EnableAWSServiceAccessError;
use aws_sdk_organizations::operation::register_delegated_administrator::RegisterDelegatedAdministratorError;
use aws_sdk_organizations::types;

use super::AwsClient;
use super::call_tracker::CallTracker;
use super::convert::{absent, date, listed, page, required};
use super::retry_classifier::NoRetryOnUnknownOutcome;
use crate::domain::{
    Account, AccountId, AccountState, DelegatedAdministrator, EnabledService, FeatureSet, Operation, Organization,
    OrganizationId, OrganizationalUnit, OrganizationalUnitId, Page, PageToken, Partition, ServicePrincipal,
};
use crate::error::Error;
use crate::ports::OrganizationsApi;

/// Maximum page size of AWS.
const MAX_RESULTS: i32 = 20;

#[async_trait]
impl OrganizationsApi for AwsClient {
    async fn describe_organization(&self) -> Result<Organization, Error> {
        let operation = Operation::DescribeOrganization;
        let attempts = CallTracker::new(operation);
        let request = self.organizations.describe_organization().customize().interceptor(attempts.clone());
        let output = attempts.end(request.send().await)?;
        organization(output.organization().ok_or_else(|| absent(operation, "Organization"))?)
    }

    async fn describe_account(&self, account: AccountId) -> Result<Account, Error> {
        let operation = Operation::DescribeAccount;
        let attempts = CallTracker::new(operation).with_account(account);
        let request = self
            .organizations
            .describe_account()
            .account_id(account.as_str())
            .customize()
            .interceptor(attempts.clone());
        let output = attempts.end(request.send().await)?;
        let found = output.account().ok_or_else(|| absent(operation, "Account"))?;
        let id = required(operation, "Id", found.id(), AccountId::new)?;
        Ok(Account { id, state: state(found.state(), found.status()) })
    }

    async fn describe_organizational_unit(&self, unit: &OrganizationalUnitId) -> Result<OrganizationalUnit, Error> {
        let operation = Operation::DescribeOrganizationalUnit;
        let attempts = CallTracker::new(operation);
        let request = self
            .organizations
            .describe_organizational_unit()
            .organizational_unit_id(unit.as_str())
            .customize()
            .interceptor(attempts.clone());
        let output = attempts.end(request.send().await)?;
        let found = output.organizational_unit().ok_or_else(|| absent(operation, "OrganizationalUnit"))?;
        required(operation, "Id", found.id(), OrganizationalUnitId::new).map(OrganizationalUnit::new)
    }

    async fn list_aws_service_access_for_organization(
        &self,
        next: Option<PageToken>,
    ) -> Result<Page<EnabledService>, Error> {
        let operation = Operation::ListAwsServiceAccessForOrganization;
        let attempts = CallTracker::new(operation);
        let request = self
            .organizations
            .list_aws_service_access_for_organization()
            .max_results(MAX_RESULTS)
            .set_next_token(next.map(|token| token.as_str().to_owned()))
            .customize()
            .interceptor(attempts.clone());
        let output = attempts.end(request.send().await)?;
        let items = listed(operation, "EnabledServicePrincipals", output.enabled_service_principals.as_ref())?;
        let items = items.iter().map(enabled_service).collect::<Result<_, _>>()?;
        page(operation, items, output.next_token())
    }

    async fn enable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        let attempts = CallTracker::new(Operation::EnableAwsServiceAccess);
        let request = self
            .organizations
            .enable_aws_service_access()
            .service_principal(principal.as_str())
            .customize()
            .config_override(
                Builder::new().retry_classifier(NoRetryOnUnknownOutcome::<EnableAWSServiceAccessError>::new()),
            )
            .interceptor(attempts.clone());
        attempts.end(request.send().await).map(drop)
    }

    async fn disable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        let attempts = CallTracker::new(Operation::DisableAwsServiceAccess);
        let request = self
            .organizations
            .disable_aws_service_access()
            .service_principal(principal.as_str())
            .customize()
            .config_override(
                Builder::new().retry_classifier(NoRetryOnUnknownOutcome::<DisableAWSServiceAccessError>::new()),
            )
            .interceptor(attempts.clone());
        attempts.end(request.send().await).map(drop)
    }

    async fn list_delegated_administrators(
        &self,
        principal: &ServicePrincipal,
        next: Option<PageToken>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        let operation = Operation::ListDelegatedAdministrators;
        let attempts = CallTracker::new(operation);
        let request = self
            .organizations
            .list_delegated_administrators()
            .service_principal(principal.as_str())
            .max_results(MAX_RESULTS)
            .set_next_token(next.map(|token| token.as_str().to_owned()))
            .customize()
            .interceptor(attempts.clone());
        let output = attempts.end(request.send().await)?;
        let items = listed(operation, "DelegatedAdministrators", output.delegated_administrators.as_ref())?;
        let items = items.iter().map(administrator).collect::<Result<_, _>>()?;
        page(operation, items, output.next_token())
    }

    async fn register_delegated_administrator(
        &self,
        account: AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let attempts = CallTracker::new(Operation::RegisterDelegatedAdministrator).with_account(account);
        let careful = NoRetryOnUnknownOutcome::<RegisterDelegatedAdministratorError>::new();
        let request = self
            .organizations
            .register_delegated_administrator()
            .account_id(account.as_str())
            .service_principal(principal.as_str())
            .customize()
            .config_override(Builder::new().retry_classifier(careful))
            .interceptor(attempts.clone());
        attempts.end(request.send().await).map(drop)
    }

    async fn deregister_delegated_administrator(
        &self,
        account: AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let attempts = CallTracker::new(Operation::DeregisterDelegatedAdministrator).with_account(account);
        let careful = NoRetryOnUnknownOutcome::<DeregisterDelegatedAdministratorError>::new();
        let request = self
            .organizations
            .deregister_delegated_administrator()
            .account_id(account.as_str())
            .service_principal(principal.as_str())
            .customize()
            .config_override(Builder::new().retry_classifier(careful))
            .interceptor(attempts.clone());
        attempts.end(request.send().await).map(drop)
    }
}

fn organization(found: &types::Organization) -> Result<Organization, Error> {
    let operation = Operation::DescribeOrganization;
    let id = required(operation, "Id", found.id(), OrganizationId::try_from)?;
    let management_account = required(operation, "MasterAccountId", found.master_account_id(), AccountId::new)?;
    let feature_set = match found.feature_set() {
        Some(types::OrganizationFeatureSet::All) => Some(FeatureSet::All),
        Some(types::OrganizationFeatureSet::ConsolidatedBilling) => Some(FeatureSet::ConsolidatedBilling),
        _ => None,
    };
    let partition = required(operation, "Arn", found.arn(), Partition::of_arn)?;
    Ok(Organization { id, management_account, partition, feature_set })
}

fn enabled_service(found: &types::EnabledServicePrincipal) -> Result<EnabledService, Error> {
    let operation = Operation::ListAwsServiceAccessForOrganization;
    let principal = required(operation, "ServicePrincipal", found.service_principal(), ServicePrincipal::try_from)?;
    Ok(EnabledService::new(principal, date(found.date_enabled())))
}

fn administrator(found: &types::DelegatedAdministrator) -> Result<DelegatedAdministrator, Error> {
    let account = required(Operation::ListDelegatedAdministrators, "Id", found.id(), AccountId::new)?;
    let state = state(found.state(), found.status());
    Ok(DelegatedAdministrator { account, state, delegated_at: date(found.delegation_enabled_date()) })
}

/// Returns the state of an account from `State`, or from its predecessor `Status`.
///
/// Some emulators of AWS return only `Status`.
fn state(state: Option<&types::AccountState>, status: Option<&types::AccountStatus>) -> Option<AccountState> {
    state.map(types::AccountState::as_str).or(status.map(types::AccountStatus::as_str)).map(AccountState::from)
}
