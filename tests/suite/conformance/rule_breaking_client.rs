//! Clients of the simulation that each break one rule.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use ssm_organizations::domain::{DeletionTaskId, OrganizationId, OrganizationalUnitId, PageToken, RoleId, RoleName};
use ssm_organizations::ports::{
    Account, AccountState, CallerIdentity, DataSync, DelegatedAdministrator, DeletionStatus, EnabledService, IamApi,
    Operation, Organization, OrganizationalUnit, OrganizationsApi, Page, Role, StsApi, SyncDefinition, SyncSourceType,
    SyncState, SyncType, SystemsManagerApi,
};
use ssm_organizations::{AccountId, Error, Region, ServicePrincipal, SyncName, sim};

macro_rules! twists {
    ($($name:ident),* $(,)?) => {
        /// Rule that a client breaks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum BrokenRule { $($name),* }

        impl BrokenRule {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

twists! {
    Nothing,
    OrganizationChanges, DescribesAnother, EverybodyIsActive, EverybodyIsAMember,
    StopsAfterAPage, RepeatsATokenForever, NeverEnds, TakesAnyToken,
    DatesOfAsking, NoDates, DatesAreZero, DatesAreTooEarly, DatesAreMilliseconds, DatesRunBackwards,
    EnablingRenews, EnablingIsAlone, EnablesAnything,
    DisablesNothing, DisablingToggles, DisablesAll, DisablesByHalves,
    RegistersAnybody, RegistersNobody, ListsAdministratorsOfAll,
    DeregistersNobody, DeregistersAndDisables, DeregisteringIsLenient,
    CodesAreLost, ReasonsAreWrong,
    EverybodyIsManagement, MembersMayNothing, CallerIsAnother,
    SyncsForgetTheirRegions, SyncsForgetTheirSource, SyncsForgetTheirUnits, CreatingSyncsIsLenient, SyncsAreOverwritten,
    SyncTypeIsForgotten, OneRegion, UpdatesNothing, UpdatesByCreating, DeletesNoSync, DeletingSyncsIsLenient,
    SyncsAreAlwaysHealthy,
    RoleHasAnotherPath, CreatingRolesIsLenient, EveryRoleIsThere, AnybodyHasARole, DeletesNoRole, RoleIdsComeAgain, DeletionsFailUnexplained,
    DeletionsAreNew, DeletingRolesIsLenient, DeletionsAlwaysSucceed,
}

/// Client that breaks one rule, or forwards every call with [`BrokenRule::Nothing`].
pub(crate) struct RuleBreakingClient {
    organization: sim::SimOrganization,
    client: sim::SimClient,
    twist: BrokenRule,
    asked: AtomicU64,
}

impl RuleBreakingClient {
    pub(crate) fn new(organization: &sim::SimOrganization, account: AccountId, twist: BrokenRule) -> Self {
        let client = match twist {
            BrokenRule::EverybodyIsManagement => organization.management_client(),
            _ => organization.client(account),
        };
        Self { organization: organization.clone(), client, twist, asked: AtomicU64::new(0) }
    }

    fn has(&self, twist: BrokenRule) -> bool {
        self.twist == twist
    }

    fn is_management(&self) -> bool {
        self.client.account() == self.organization.management_client().account()
    }

    /// Returns the date that the client shows for the actual date.
    fn date(&self, date: Option<SystemTime>) -> Option<SystemTime> {
        let epoch = SystemTime::UNIX_EPOCH;
        let since = date?.duration_since(epoch).unwrap();
        match self.twist {
            BrokenRule::NoDates => None,
            BrokenRule::DatesAreZero => Some(epoch),
            BrokenRule::DatesAreTooEarly => Some(epoch + since / 2),
            BrokenRule::DatesAreMilliseconds => Some(epoch + since * 1_000),
            BrokenRule::DatesRunBackwards => Some(epoch + Duration::from_hours(120 * 365 * 24) - since),
            BrokenRule::DatesOfAsking => {
                Some(epoch + since + Duration::from_secs(self.asked.fetch_add(1, Ordering::Relaxed)))
            }
            _ => date,
        }
    }

    /// Requests a page with the token that the broken rule selects.
    async fn ask<T, F>(&self, token: Option<PageToken>, ask: impl Fn(Option<PageToken>) -> F) -> Result<Page<T>, Error>
    where
        F: Future<Output = Result<Page<T>, Error>>,
    {
        match self.twist {
            BrokenRule::RepeatsATokenForever | BrokenRule::NeverEnds => ask(None).await,
            BrokenRule::TakesAnyToken => match ask(token).await {
                Err(error) if error.code().is_some_and(|code| code.starts_with("Invalid")) => ask(None).await,
                answer => answer,
            },
            _ => ask(token).await,
        }
    }

    fn page<T>(&self, mut page: Page<T>) -> Page<T> {
        match self.twist {
            BrokenRule::StopsAfterAPage => page.next = None,
            BrokenRule::RepeatsATokenForever => page.next = Some("again".parse().unwrap()),
            BrokenRule::NeverEnds => {
                let number = self.asked.fetch_add(1, Ordering::Relaxed);
                page.next = Some(format!("from-{number}").parse().unwrap());
            }
            _ => {}
        }
        page
    }

    fn answer<T>(&self, operation: Operation, answer: Result<T, Error>) -> Result<T, Error> {
        answer.map_err(|error| match self.twist {
            BrokenRule::CodesAreLost if error.code().is_some() => Error::response_lost(operation),
            BrokenRule::ReasonsAreWrong if error.reason().is_some() => error.with_reason("WAIT_PERIOD_ACTIVE"),
            _ => error,
        })
    }

    fn sync(&self, mut sync: DataSync) -> DataSync {
        sync.created = self.date(sync.created);
        match self.twist {
            BrokenRule::SyncsForgetTheirRegions => sync.regions.clear(),
            BrokenRule::SyncsForgetTheirUnits => sync.units.clear(),
            BrokenRule::SyncsForgetTheirSource => sync.source_type = Some(SyncSourceType::SingleAccountMultiRegions),
            BrokenRule::SyncsAreAlwaysHealthy => sync.state = SyncState::Healthy,
            _ => {}
        }
        sync
    }

    fn role(&self, mut role: Role) -> Role {
        role.created = self.date(role.created);
        match self.twist {
            BrokenRule::RoleHasAnotherPath => "/".clone_into(&mut role.path),
            BrokenRule::RoleIdsComeAgain => role.id = RoleId::new("AROASAME").unwrap(),
            _ => {}
        }
        role
    }

    fn region<'a>(&self, region: &'a Region, only: &'a Region) -> &'a Region {
        if self.has(BrokenRule::OneRegion) { only } else { region }
    }
}

fn only_region() -> Region {
    "eu-north-1".parse().unwrap()
}

fn lenient(answer: Result<(), Error>) -> Result<(), Error> {
    match answer {
        Err(error) if error.code().is_some() => Ok(()),
        answer => answer,
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl OrganizationsApi for RuleBreakingClient {
    async fn describe_organization(&self) -> Result<Organization, Error> {
        let operation = Operation::DescribeOrganization;
        if self.has(BrokenRule::MembersMayNothing) && !self.is_management() {
            return Err(Error::from_service_error(operation, "AccessDeniedException", ""));
        }
        let mut organization = self.answer(operation, self.client.describe_organization().await)?;
        if self.has(BrokenRule::OrganizationChanges) {
            let number = self.asked.fetch_add(1, Ordering::Relaxed);
            organization.id = OrganizationId::new(format!("o-another{number:04}")).unwrap();
        }
        Ok(organization)
    }

    async fn describe_account(&self, account: AccountId) -> Result<Account, Error> {
        let answer = self.client.describe_account(account).await;
        if self.has(BrokenRule::EverybodyIsAMember) {
            return Ok(Account::new(account, AccountState::Active));
        }
        let mut described = self.answer(Operation::DescribeAccount, answer)?;
        if self.has(BrokenRule::DescribesAnother) {
            described.id = "777777777777".parse().unwrap();
        }
        if self.has(BrokenRule::EverybodyIsActive) {
            described.state = Some(AccountState::Active);
        }
        Ok(described)
    }

    async fn describe_organizational_unit(&self, unit: &OrganizationalUnitId) -> Result<OrganizationalUnit, Error> {
        let answer = self.client.describe_organizational_unit(unit).await;
        if self.has(BrokenRule::EverybodyIsAMember) {
            return Ok(OrganizationalUnit::new(unit.clone()));
        }
        let mut described = self.answer(Operation::DescribeOrganizationalUnit, answer)?;
        if self.has(BrokenRule::DescribesAnother) {
            described.id = "ou-ab12-77777777".parse().unwrap();
        }
        Ok(described)
    }

    async fn list_aws_service_access_for_organization(
        &self,
        next: Option<PageToken>,
    ) -> Result<Page<EnabledService>, Error> {
        let operation = Operation::ListAwsServiceAccessForOrganization;
        if self.has(BrokenRule::MembersMayNothing) && !self.is_management() {
            return Err(Error::from_service_error(operation, "AccessDeniedException", ""));
        }
        let answer = self.ask(next, |token| self.client.list_aws_service_access_for_organization(token)).await;
        let mut page = self.page(self.answer(operation, answer)?);
        page.items.iter_mut().for_each(|service| service.enabled_at = self.date(service.enabled_at));
        Ok(page)
    }

    async fn enable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        let answer = self.client.enable_aws_service_access(principal).await;
        match self.twist {
            BrokenRule::EnablesAnything => lenient(answer),
            BrokenRule::EnablingRenews if answer.is_ok() => {
                self.organization.disable_trusted_access(principal);
                self.organization.enable_trusted_access(principal);
                answer
            }
            BrokenRule::EnablingIsAlone => {
                self.organization.disable_trusted_access(&"config.amazonaws.com".parse().unwrap());
                answer
            }
            _ => self.answer(Operation::EnableAwsServiceAccess, answer),
        }
    }

    async fn disable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        match self.twist {
            BrokenRule::DisablesNothing => return Ok(()),
            BrokenRule::DisablingToggles if !self.organization.is_trusted(principal) => {
                self.organization.enable_trusted_access(principal);
                return Ok(());
            }
            BrokenRule::DisablesAll => {
                self.organization.disable_trusted_access(&"config.amazonaws.com".parse().unwrap());
            }
            BrokenRule::DisablesByHalves => self.organization.disable_trusted_access(principal),
            _ => {}
        }
        let answer = self.client.disable_aws_service_access(principal).await;
        self.answer(Operation::DisableAwsServiceAccess, answer)
    }

    async fn list_delegated_administrators(
        &self,
        principal: &ServicePrincipal,
        next: Option<PageToken>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        let asked = match self.twist {
            BrokenRule::ListsAdministratorsOfAll => &ServicePrincipal::SYSTEMS_MANAGER,
            _ => principal,
        };
        let answer = self.ask(next, |token| self.client.list_delegated_administrators(asked, token)).await;
        let mut page = self.page(self.answer(Operation::ListDelegatedAdministrators, answer)?);
        page.items
            .iter_mut()
            .for_each(|administrator| administrator.delegated_at = self.date(administrator.delegated_at));
        Ok(page)
    }

    async fn register_delegated_administrator(
        &self,
        account: AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        match self.twist {
            BrokenRule::RegistersAnybody => {
                self.organization.register_administrator(account);
                return Ok(());
            }
            BrokenRule::RegistersNobody => return Ok(()),
            _ => {}
        }
        let answer = self.client.register_delegated_administrator(account, principal).await;
        self.answer(Operation::RegisterDelegatedAdministrator, answer)
    }

    async fn deregister_delegated_administrator(
        &self,
        account: AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        match self.twist {
            BrokenRule::RegistersAnybody => {
                self.organization.deregister_administrator(account);
                return Ok(());
            }
            BrokenRule::DeregistersNobody => return Ok(()),
            BrokenRule::DeregistersAndDisables => self.organization.disable_trusted_access(principal),
            _ => {}
        }
        let answer = self.client.deregister_delegated_administrator(account, principal).await;
        if self.has(BrokenRule::DeregisteringIsLenient) {
            return lenient(answer);
        }
        self.answer(Operation::DeregisterDelegatedAdministrator, answer)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl StsApi for RuleBreakingClient {
    async fn get_caller_identity(&self) -> Result<CallerIdentity, Error> {
        if self.has(BrokenRule::CallerIsAnother) {
            return Ok(CallerIdentity::new("777777777777".parse().unwrap()));
        }
        self.client.get_caller_identity().await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl SystemsManagerApi for RuleBreakingClient {
    async fn list_resource_data_sync(
        &self,
        region: &Region,
        sync_type: SyncType,
        next: Option<PageToken>,
    ) -> Result<Page<DataSync>, Error> {
        let only = only_region();
        let sync_type = if self.has(BrokenRule::SyncTypeIsForgotten) { SyncType::SyncFromSource } else { sync_type };
        let region = self.region(region, &only);
        let answer = self.ask(next, |token| self.client.list_resource_data_sync(region, sync_type, token)).await;
        let page = self.page(self.answer(Operation::ListResourceDataSync, answer)?);
        Ok(Page { items: page.items.into_iter().map(|sync| self.sync(sync)).collect(), next: page.next })
    }

    async fn create_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        let only = only_region();
        let region = self.region(region, &only);
        let answer = self.client.create_resource_data_sync(region, sync).await;
        match self.twist {
            BrokenRule::CreatingSyncsIsLenient => lenient(answer),
            BrokenRule::SyncsAreOverwritten if answer.is_err() => {
                self.client.update_resource_data_sync(region, sync).await
            }
            _ => self.answer(Operation::CreateResourceDataSync, answer),
        }
    }

    async fn update_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        let only = only_region();
        let region = self.region(region, &only);
        match self.twist {
            BrokenRule::UpdatesNothing => Ok(()),
            BrokenRule::UpdatesByCreating => {
                lenient(self.client.delete_resource_data_sync(region, sync.name(), SyncType::SyncFromSource).await)?;
                lenient(self.client.create_resource_data_sync(region, sync).await)
            }
            _ => {
                let answer = self.client.update_resource_data_sync(region, sync).await;
                self.answer(Operation::UpdateResourceDataSync, answer)
            }
        }
    }

    async fn delete_resource_data_sync(
        &self,
        region: &Region,
        name: &SyncName,
        sync_type: SyncType,
    ) -> Result<(), Error> {
        if self.has(BrokenRule::DeletesNoSync) {
            return Ok(());
        }
        let only = only_region();
        let sync_type = if self.has(BrokenRule::SyncTypeIsForgotten) { SyncType::SyncFromSource } else { sync_type };
        let answer = self.client.delete_resource_data_sync(self.region(region, &only), name, sync_type).await;
        if self.has(BrokenRule::DeletingSyncsIsLenient) {
            return lenient(answer);
        }
        self.answer(Operation::DeleteResourceDataSync, answer)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl IamApi for RuleBreakingClient {
    async fn get_role(&self, name: &RoleName) -> Result<Option<Role>, Error> {
        let answer = self.answer(Operation::GetRole, self.client.get_role(name).await)?;
        let always = self.has(BrokenRule::EveryRoleIsThere) && *name != RoleName::ACCOUNT_DISCOVERY;
        let made_up = || Role::new(name.clone(), RoleId::new("AROAMADEUP").unwrap(), "/");
        Ok(answer.map(|role| self.role(role)).or_else(|| always.then(made_up)))
    }

    async fn create_service_linked_role(&self, principal: &ServicePrincipal) -> Result<Role, Error> {
        let answer = self.client.create_service_linked_role(principal).await;
        let role = match self.twist {
            BrokenRule::CreatingRolesIsLenient | BrokenRule::AnybodyHasARole if answer.is_err() => self
                .client
                .get_role(&RoleName::ACCOUNT_DISCOVERY)
                .await?
                .unwrap_or_else(|| Role::new(RoleName::ACCOUNT_DISCOVERY, RoleId::new("AROAMADEUP").unwrap(), "/")),
            _ => self.answer(Operation::CreateServiceLinkedRole, answer)?,
        };
        Ok(self.role(role))
    }

    async fn delete_service_linked_role(&self, name: &RoleName) -> Result<DeletionTaskId, Error> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let made_up = DeletionTaskId::new(format!("task/{number}")).unwrap();
        if self.has(BrokenRule::DeletesNoRole) {
            return Ok(made_up);
        }
        let answer = self.client.delete_service_linked_role(name).await;
        match self.twist {
            BrokenRule::DeletionsAreNew if answer.is_ok() => Ok(made_up),
            BrokenRule::DeletingRolesIsLenient if answer.is_err() => Ok(made_up),
            _ => self.answer(Operation::DeleteServiceLinkedRole, answer),
        }
    }

    async fn get_service_linked_role_deletion_status(&self, task: &DeletionTaskId) -> Result<DeletionStatus, Error> {
        if matches!(
            self.twist,
            BrokenRule::DeletionsAlwaysSucceed | BrokenRule::DeletesNoRole | BrokenRule::DeletionsAreNew
        ) {
            return Ok(DeletionStatus::Succeeded);
        }
        if self.has(BrokenRule::DeletionsFailUnexplained) {
            return Ok(DeletionStatus::failed(None, Vec::new()));
        }
        let answer = self.client.get_service_linked_role_deletion_status(task).await;
        self.answer(Operation::GetServiceLinkedRoleDeletionStatus, answer)
    }
}
