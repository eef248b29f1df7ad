//! The ports as checks call them: listings to their end, and patience with what is no answer yet.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::domain::{AccountId, DeletionTaskId, PageToken, Region, RoleName, ServicePrincipal, SyncName};
use crate::error::{Error, ErrorKind};
use crate::observation::PRINCIPAL;
use crate::pages::Pages;
use crate::ports::{
    Account, DataSync, DelegatedAdministrator, DeletionStatus, EnabledService, IamApi, Operation, Organization,
    OrganizationsApi, Page, Role, StsApi, SyncDefinition, SyncType, SystemsManagerApi,
};

/// More pages than any listing of AWS's has: an implementation that always has a next page must not hang the check.
const MOST_PAGES: usize = 10_000;

/// How long to wait for what is to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) time: Duration,
    pub(super) pause: Duration,
}

impl Patience {
    /// Makes a call, and again where AWS says "later", which says nothing about the rule.
    async fn call<T, F>(self, call: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let deadline = Instant::now().checked_add(self.time);
        loop {
            match call().await {
                Err(error) if says_later(&error) && deadline.is_none_or(|deadline| Instant::now() < deadline) => {
                    self.wait().await;
                }
                answer => return answer,
            }
        }
    }

    /// Looks until it shows, or time is up. Answers what was seen last.
    async fn look<T, F>(self, look: impl Fn() -> F, shows: impl Fn(&T) -> bool) -> Result<T, Error>
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
        // Without any pause, a fake would be asked for as long as the time lasts.
        sleep(self.pause.max(Duration::from_millis(1))).await;
    }
}

/// Whether AWS asked for fewer calls, or was at another change.
fn says_later(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Throttled | ErrorKind::ConcurrentModification)
        || error.code() == Some("ResourceDataSyncConflictException")
}

/// Every page of a listing.
async fn every<T, F>(operation: Operation, page: impl Fn(Option<PageToken>) -> F) -> Result<Vec<T>, Error>
where
    F: Future<Output = Result<Page<T>, Error>>,
{
    let mut items = Vec::new();
    let mut pages = Pages::of(operation);
    for _ in 0..MOST_PAGES {
        let Page { items: more, next } = page(pages.token()).await?;
        items.extend(more);
        pages.turn(next)?;
        if !pages.remain() {
            return Ok(items);
        }
    }
    Err(Error::unexpected(operation, format!("a listing of more than {MOST_PAGES} pages")))
}

/// Organizations, as one account sees it.
#[derive(Clone, Copy)]
pub(super) struct Organizations<'a> {
    api: &'a dyn OrganizationsApi,
    patience: Patience,
}

impl<'a> Organizations<'a> {
    pub(super) fn new(api: &'a dyn OrganizationsApi, patience: Patience) -> Self {
        Self { api, patience }
    }

    pub(super) async fn describe(self) -> Result<Organization, Error> {
        self.patience.call(|| self.api.describe_organization()).await
    }

    pub(super) async fn account(self, account: AccountId) -> Result<Account, Error> {
        self.patience.call(|| self.api.describe_account(&account)).await
    }

    pub(super) async fn enable(self, principal: &ServicePrincipal) -> Result<(), Error> {
        self.patience.call(|| self.api.enable_aws_service_access(principal)).await
    }

    pub(super) async fn disable(self, principal: &ServicePrincipal) -> Result<(), Error> {
        self.patience.call(|| self.api.disable_aws_service_access(principal)).await
    }

    pub(super) async fn register(self, account: AccountId) -> Result<(), Error> {
        self.patience.call(|| self.api.register_delegated_administrator(&account, &PRINCIPAL)).await
    }

    pub(super) async fn deregister(self, account: AccountId) -> Result<(), Error> {
        self.patience.call(|| self.api.deregister_delegated_administrator(&account, &PRINCIPAL)).await
    }

    pub(super) async fn trusted_page(self, token: Option<PageToken>) -> Result<Page<EnabledService>, Error> {
        let token = &token;
        self.patience.call(|| self.api.list_aws_service_access_for_organization(token.clone())).await
    }

    pub(super) async fn administrators_page(
        self,
        principal: &ServicePrincipal,
        token: Option<PageToken>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        let token = &token;
        self.patience.call(|| self.api.list_delegated_administrators(principal, token.clone())).await
    }

    pub(super) async fn trusted(self) -> Result<Vec<EnabledService>, Error> {
        every(Operation::ListAwsServiceAccessForOrganization, |token| self.trusted_page(token)).await
    }

    pub(super) async fn administrators_of(
        self,
        principal: &ServicePrincipal,
    ) -> Result<Vec<DelegatedAdministrator>, Error> {
        every(Operation::ListDelegatedAdministrators, |token| self.administrators_page(principal, token)).await
    }

    pub(super) async fn administrators(self) -> Result<Vec<DelegatedAdministrator>, Error> {
        self.administrators_of(&PRINCIPAL).await
    }

    /// The other services that are trusted, and since when.
    pub(super) async fn others(self) -> Result<Vec<EnabledService>, Error> {
        let mut others = self.trusted().await?;
        others.retain(|service| service.principal != PRINCIPAL);
        others.sort_by(|one, other| one.principal.cmp(&other.principal));
        Ok(others)
    }

    pub(super) async fn trust(self) -> Result<Option<EnabledService>, Error> {
        Ok(self.trusted().await?.into_iter().find(|service| service.principal == PRINCIPAL))
    }

    /// The trust in Systems Manager once it is what it should be, or what is there when time is up.
    pub(super) async fn trust_once(self, wanted: bool) -> Result<Option<EnabledService>, Error> {
        self.patience.look(|| self.trust(), |seen| seen.is_some() == wanted).await
    }

    pub(super) async fn administrator(self, account: AccountId) -> Result<Option<DelegatedAdministrator>, Error> {
        Ok(self.administrators().await?.into_iter().find(|administrator| administrator.account == account))
    }

    /// The same of an account's delegation.
    pub(super) async fn administrator_once(
        self,
        account: AccountId,
        wanted: bool,
    ) -> Result<Option<DelegatedAdministrator>, Error> {
        self.patience.look(|| self.administrator(account), |seen| seen.is_some() == wanted).await
    }

    /// Whether the account may read, once it may.
    pub(super) async fn readable_once(self) -> Result<Result<Vec<EnabledService>, Error>, Error> {
        self.patience.look(async || Ok(self.trusted().await), Result::is_ok).await
    }
}

/// Who is calling.
#[derive(Clone, Copy)]
pub(super) struct Identity<'a> {
    api: &'a dyn StsApi,
    patience: Patience,
}

impl<'a> Identity<'a> {
    pub(super) fn new(api: &'a dyn StsApi, patience: Patience) -> Self {
        Self { api, patience }
    }

    pub(super) async fn account(self) -> Result<AccountId, Error> {
        Ok(self.patience.call(|| self.api.get_caller_identity()).await?.account)
    }
}

/// Systems Manager's data syncs of one account in one Region.
#[derive(Clone)]
pub(super) struct Syncs<'a> {
    api: &'a dyn SystemsManagerApi,
    region: Region,
    patience: Patience,
}

impl<'a> Syncs<'a> {
    pub(super) fn new(api: &'a dyn SystemsManagerApi, region: Region, patience: Patience) -> Self {
        Self { api, region, patience }
    }

    pub(super) fn region(&self) -> &Region {
        &self.region
    }

    pub(super) async fn create(&self, sync: &SyncDefinition) -> Result<(), Error> {
        self.patience.call(|| self.api.create_resource_data_sync(&self.region, sync)).await
    }

    pub(super) async fn update(&self, sync: &SyncDefinition) -> Result<(), Error> {
        self.patience.call(|| self.api.update_resource_data_sync(&self.region, sync)).await
    }

    pub(super) async fn delete(&self, name: &SyncName, sync_type: SyncType) -> Result<(), Error> {
        self.patience.call(|| self.api.delete_resource_data_sync(&self.region, name, sync_type)).await
    }

    pub(super) async fn page(&self, sync_type: SyncType, token: Option<PageToken>) -> Result<Page<DataSync>, Error> {
        let token = &token;
        self.patience.call(|| self.api.list_resource_data_sync(&self.region, sync_type, token.clone())).await
    }

    pub(super) async fn list(&self, sync_type: SyncType) -> Result<Vec<DataSync>, Error> {
        every(Operation::ListResourceDataSync, |token| self.page(sync_type, token)).await
    }

    pub(super) async fn find(&self, sync_type: SyncType, name: &SyncName) -> Result<Option<DataSync>, Error> {
        Ok(self.list(sync_type).await?.into_iter().find(|sync| sync.name == *name))
    }

    /// The sync once it shows as it should, or what is there when time is up.
    pub(super) async fn find_once(
        &self,
        name: &SyncName,
        shows: impl Fn(&Option<DataSync>) -> bool,
    ) -> Result<Option<DataSync>, Error> {
        self.patience.look(|| self.find(SyncType::SyncFromSource, name), shows).await
    }

    /// The syncs once so many are listed, or what is there when time is up.
    pub(super) async fn list_once(&self, count: usize) -> Result<Vec<DataSync>, Error> {
        self.patience.look(|| self.list(SyncType::SyncFromSource), |seen| seen.len() >= count).await
    }
}

/// The roles of one account.
#[derive(Clone, Copy)]
pub(super) struct Roles<'a> {
    api: &'a dyn IamApi,
    patience: Patience,
}

impl<'a> Roles<'a> {
    pub(super) fn new(api: &'a dyn IamApi, patience: Patience) -> Self {
        Self { api, patience }
    }

    pub(super) async fn get(self, name: &RoleName) -> Result<Option<Role>, Error> {
        self.patience.call(|| self.api.get_role(name)).await
    }

    pub(super) async fn create(self, principal: &ServicePrincipal) -> Result<Role, Error> {
        self.patience.call(|| self.api.create_service_linked_role(principal)).await
    }

    pub(super) async fn delete(self, name: &RoleName) -> Result<DeletionTaskId, Error> {
        self.patience.call(|| self.api.delete_service_linked_role(name)).await
    }

    pub(super) async fn status(self, task: &DeletionTaskId) -> Result<DeletionStatus, Error> {
        self.patience.call(|| self.api.get_service_linked_role_deletion_status(task)).await
    }

    /// The role once it is there or gone as it should be, or what is there when time is up.
    pub(super) async fn get_once(self, name: &RoleName, wanted: bool) -> Result<Option<Role>, Error> {
        self.patience.look(|| self.get(name), |seen| seen.is_some() == wanted).await
    }

    /// How a deletion ended, or how far it is when time is up. It takes AWS longer than anything else here.
    pub(super) async fn end_of(self, task: &DeletionTaskId) -> Result<DeletionStatus, Error> {
        let longer = Patience { time: self.patience.time.saturating_mul(10), ..self.patience };
        let goes_on = |seen: &DeletionStatus| matches!(seen, DeletionStatus::NotStarted | DeletionStatus::InProgress);
        longer.look(|| self.status(task), |seen| !goes_on(seen)).await
    }
}
