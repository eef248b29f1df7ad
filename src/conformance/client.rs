//! Wrappers of the ports for checks: they read listings to the end, repeat transient failures and
//! poll until a change is visible.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::domain::{
    Account, AccountId, DataSync, DelegatedAdministrator, DeletionStatus, DeletionTaskId, EnabledService, Operation,
    Organization, OrganizationalUnit, OrganizationalUnitId, Page, PageToken, Region, Role, RoleName, SYSTEMS_MANAGER,
    ServicePrincipal, SyncDefinition, SyncName, SyncType,
};
use crate::error::{Error, ErrorKind};
use crate::observation::Paginator;
use crate::ports::{IamApi, OrganizationsApi, StsApi, SystemsManagerApi};

/// Maximum number of pages per listing, above any number that AWS returns.
///
/// An implementation that always returns a next page must not hang the check.
const MOST_PAGES: usize = 10_000;

/// Time limit and pause between reads for one wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct PollPolicy {
    pub(super) time: Duration,
    pub(super) pause: Duration,
}

impl PollPolicy {
    /// Makes a call and repeats the call on a transient error until the time is up.
    ///
    /// A transient error says nothing about the rule under test.
    async fn call<T, F>(self, call: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let deadline = Instant::now().checked_add(self.time);
        loop {
            match call().await {
                Err(error) if is_transient(&error) && deadline.is_none_or(|deadline| Instant::now() < deadline) => {
                    self.wait().await;
                }
                answer => return answer,
            }
        }
    }

    /// Repeats a read until `shows` accepts the result or the time is up. Returns the last result.
    async fn poll<T, F>(self, look: impl Fn() -> F, shows: impl Fn(&T) -> bool) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let deadline = Instant::now().checked_add(self.time);
        loop {
            let seen = look().await?;
            if shows(&seen) || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(seen);
            }
            self.wait().await;
        }
    }

    async fn wait(self) {
        // A pause of zero would make the loop busy until the time is up.
        sleep(self.pause.max(Duration::from_millis(1))).await;
    }
}

/// Returns whether the error is throttling or a conflict with a concurrent change.
fn is_transient(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Throttled | ErrorKind::ConcurrentModification)
        || error.code() == Some("ResourceDataSyncConflictException")
}

/// Reads every page of a listing and returns the items.
async fn collect_pages<T, F>(operation: Operation, page: impl Fn(Option<PageToken>) -> F) -> Result<Vec<T>, Error>
where
    F: Future<Output = Result<Page<T>, Error>>,
{
    let mut items = Vec::new();
    let mut pages = Paginator::new(operation);
    for _ in 0..MOST_PAGES {
        let Page { items: more, next } = page(pages.token()).await?;
        items.extend(more);
        pages.advance(next)?;
        if !pages.has_next() {
            return Ok(items);
        }
    }
    Err(Error::unexpected_response(operation, format!("a listing of more than {MOST_PAGES} pages")))
}

/// Client of Organizations with the credentials of one account.
#[derive(Clone, Copy)]
pub(super) struct OrganizationsClient<'a> {
    api: &'a dyn OrganizationsApi,
    poll_policy: PollPolicy,
}

impl<'a> OrganizationsClient<'a> {
    pub(super) fn new(api: &'a dyn OrganizationsApi, poll_policy: PollPolicy) -> Self {
        Self { api, poll_policy }
    }

    pub(super) async fn describe(self) -> Result<Organization, Error> {
        self.poll_policy.call(|| self.api.describe_organization()).await
    }

    pub(super) async fn account(self, account: AccountId) -> Result<Account, Error> {
        self.poll_policy.call(|| self.api.describe_account(account)).await
    }

    pub(super) async fn unit(self, unit: &OrganizationalUnitId) -> Result<OrganizationalUnit, Error> {
        self.poll_policy.call(|| self.api.describe_organizational_unit(unit)).await
    }

    pub(super) async fn enable(self, principal: &ServicePrincipal) -> Result<(), Error> {
        self.poll_policy.call(|| self.api.enable_aws_service_access(principal)).await
    }

    pub(super) async fn disable(self, principal: &ServicePrincipal) -> Result<(), Error> {
        self.poll_policy.call(|| self.api.disable_aws_service_access(principal)).await
    }

    pub(super) async fn register(self, account: AccountId) -> Result<(), Error> {
        self.poll_policy.call(|| self.api.register_delegated_administrator(account, &SYSTEMS_MANAGER)).await
    }

    pub(super) async fn deregister(self, account: AccountId) -> Result<(), Error> {
        self.poll_policy.call(|| self.api.deregister_delegated_administrator(account, &SYSTEMS_MANAGER)).await
    }

    pub(super) async fn trusted_page(self, token: Option<PageToken>) -> Result<Page<EnabledService>, Error> {
        let token = &token;
        self.poll_policy.call(|| self.api.list_aws_service_access_for_organization(token.clone())).await
    }

    pub(super) async fn administrators_page(
        self,
        principal: &ServicePrincipal,
        token: Option<PageToken>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        let token = &token;
        self.poll_policy.call(|| self.api.list_delegated_administrators(principal, token.clone())).await
    }

    pub(super) async fn trusted(self) -> Result<Vec<EnabledService>, Error> {
        collect_pages(Operation::ListAwsServiceAccessForOrganization, |token| self.trusted_page(token)).await
    }

    pub(super) async fn administrators_of(
        self,
        principal: &ServicePrincipal,
    ) -> Result<Vec<DelegatedAdministrator>, Error> {
        collect_pages(Operation::ListDelegatedAdministrators, |token| self.administrators_page(principal, token)).await
    }

    pub(super) async fn administrators(self) -> Result<Vec<DelegatedAdministrator>, Error> {
        self.administrators_of(&SYSTEMS_MANAGER).await
    }

    /// Returns the other services with trusted access, sorted by principal.
    pub(super) async fn others(self) -> Result<Vec<EnabledService>, Error> {
        let mut others = self.trusted().await?;
        others.retain(|service| service.principal != SYSTEMS_MANAGER);
        others.sort_by(|one, other| one.principal.cmp(&other.principal));
        Ok(others)
    }

    pub(super) async fn trust(self) -> Result<Option<EnabledService>, Error> {
        Ok(self.trusted().await?.into_iter().find(|service| service.principal == SYSTEMS_MANAGER))
    }

    /// Waits until trusted access for Systems Manager is enabled or disabled as wanted.
    ///
    /// Returns the last state read, also when the time is up.
    pub(super) async fn wait_for_trusted_access(self, wanted: bool) -> Result<Option<EnabledService>, Error> {
        self.poll_policy.poll(|| self.trust(), |seen| seen.is_some() == wanted).await
    }

    pub(super) async fn administrator(self, account: AccountId) -> Result<Option<DelegatedAdministrator>, Error> {
        Ok(self.administrators().await?.into_iter().find(|administrator| administrator.account == account))
    }

    /// Waits until the account is listed as administrator, or is no longer listed.
    ///
    /// Returns the last state read, also when the time is up.
    pub(super) async fn wait_for_administrator(
        self,
        account: AccountId,
        wanted: bool,
    ) -> Result<Option<DelegatedAdministrator>, Error> {
        self.poll_policy.poll(|| self.administrator(account), |seen| seen.is_some() == wanted).await
    }

    /// Waits until the account may list the services. Returns the last response.
    pub(super) async fn wait_until_readable(self) -> Result<Result<Vec<EnabledService>, Error>, Error> {
        self.poll_policy.poll(async || Ok(self.trusted().await), Result::is_ok).await
    }
}

/// Client of STS with the credentials of one account.
#[derive(Clone, Copy)]
pub(super) struct IdentityClient<'a> {
    api: &'a dyn StsApi,
    poll_policy: PollPolicy,
}

impl<'a> IdentityClient<'a> {
    pub(super) fn new(api: &'a dyn StsApi, poll_policy: PollPolicy) -> Self {
        Self { api, poll_policy }
    }

    pub(super) async fn account(self) -> Result<AccountId, Error> {
        Ok(self.poll_policy.call(|| self.api.get_caller_identity()).await?.account)
    }
}

/// Client of the data syncs of one account in one Region.
#[derive(Clone)]
pub(super) struct SyncsClient<'a> {
    api: &'a dyn SystemsManagerApi,
    region: Region,
    poll_policy: PollPolicy,
}

impl<'a> SyncsClient<'a> {
    pub(super) fn new(api: &'a dyn SystemsManagerApi, region: Region, poll_policy: PollPolicy) -> Self {
        Self { api, region, poll_policy }
    }

    pub(super) fn region(&self) -> &Region {
        &self.region
    }

    pub(super) async fn create(&self, sync: &SyncDefinition) -> Result<(), Error> {
        self.poll_policy.call(|| self.api.create_resource_data_sync(&self.region, sync)).await
    }

    pub(super) async fn update(&self, sync: &SyncDefinition) -> Result<(), Error> {
        self.poll_policy.call(|| self.api.update_resource_data_sync(&self.region, sync)).await
    }

    pub(super) async fn delete(&self, name: &SyncName, sync_type: SyncType) -> Result<(), Error> {
        self.poll_policy.call(|| self.api.delete_resource_data_sync(&self.region, name, sync_type)).await
    }

    pub(super) async fn page(&self, sync_type: SyncType, token: Option<PageToken>) -> Result<Page<DataSync>, Error> {
        let token = &token;
        self.poll_policy.call(|| self.api.list_resource_data_sync(&self.region, sync_type, token.clone())).await
    }

    pub(super) async fn list(&self, sync_type: SyncType) -> Result<Vec<DataSync>, Error> {
        collect_pages(Operation::ListResourceDataSync, |token| self.page(sync_type, token)).await
    }

    pub(super) async fn find(&self, sync_type: SyncType, name: &SyncName) -> Result<Option<DataSync>, Error> {
        Ok(self.list(sync_type).await?.into_iter().find(|sync| sync.name == *name))
    }

    /// Waits until `shows` accepts the sync. Returns the last state read, also when the time is up.
    pub(super) async fn wait_for_sync(
        &self,
        name: &SyncName,
        shows: impl Fn(&Option<DataSync>) -> bool,
    ) -> Result<Option<DataSync>, Error> {
        self.poll_policy.poll(|| self.find(SyncType::SyncFromSource, name), shows).await
    }

    /// Waits until at least `count` syncs are listed. Returns the last listing read.
    pub(super) async fn wait_for_count(&self, count: usize) -> Result<Vec<DataSync>, Error> {
        self.poll_policy.poll(|| self.list(SyncType::SyncFromSource), |seen| seen.len() >= count).await
    }
}

/// Client of the IAM roles of one account.
#[derive(Clone, Copy)]
pub(super) struct RolesClient<'a> {
    api: &'a dyn IamApi,
    poll_policy: PollPolicy,
}

impl<'a> RolesClient<'a> {
    pub(super) fn new(api: &'a dyn IamApi, poll_policy: PollPolicy) -> Self {
        Self { api, poll_policy }
    }

    pub(super) async fn get(self, name: &RoleName) -> Result<Option<Role>, Error> {
        self.poll_policy.call(|| self.api.get_role(name)).await
    }

    pub(super) async fn create(self, principal: &ServicePrincipal) -> Result<Role, Error> {
        self.poll_policy.call(|| self.api.create_service_linked_role(principal)).await
    }

    pub(super) async fn delete(self, name: &RoleName) -> Result<DeletionTaskId, Error> {
        self.poll_policy.call(|| self.api.delete_service_linked_role(name)).await
    }

    pub(super) async fn status(self, task: &DeletionTaskId) -> Result<DeletionStatus, Error> {
        self.poll_policy.call(|| self.api.get_service_linked_role_deletion_status(task)).await
    }

    /// Waits until the role exists or is gone, as wanted. Returns the last state read.
    pub(super) async fn wait_for_role(self, name: &RoleName, wanted: bool) -> Result<Option<Role>, Error> {
        self.poll_policy.poll(|| self.get(name), |seen| seen.is_some() == wanted).await
    }

    /// Waits for the end of a role deletion. Returns the last status read.
    ///
    /// The limit is ten times the usual one, because AWS takes longer here than elsewhere.
    pub(super) async fn wait_for_deletion(self, task: &DeletionTaskId) -> Result<DeletionStatus, Error> {
        let longer = PollPolicy { time: self.poll_policy.time.saturating_mul(10), ..self.poll_policy };
        let goes_on = |seen: &DeletionStatus| matches!(seen, DeletionStatus::NotStarted | DeletionStatus::InProgress);
        longer.poll(|| self.status(task), |seen| !goes_on(seen)).await
    }
}
