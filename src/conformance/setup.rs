//! Initial states for checks, and the conditions for skipping them.

use super::Fixture;
use super::cleanup::{Cleanup, CreatedResource};
use super::client::{OrganizationsClient, SyncsClient};
use super::expectation::{CheckExit, CheckStepResult, expect};
use crate::domain::limits::SYNC_QUOTA;
use crate::domain::{
    AccountId, DelegatedAdministrator, EnabledService, Role, RoleName, SYSTEMS_MANAGER, ServicePrincipal,
    SourceRegions, SyncDefinition, SyncName, SyncSource, SyncType,
};
use crate::error::ErrorKind;

impl<'a> Fixture<'a> {
    /// Returns a client of Organizations, with trusted access for Systems Manager disabled.
    pub(super) async fn with_trust_disabled(
        &self,
        cleanup: &mut Cleanup,
    ) -> Result<OrganizationsClient<'a>, CheckExit> {
        let organizations = self.organizations()?;
        if organizations.trust().await?.is_some() {
            return Err(CheckExit::skip("Systems Manager is trusted already"));
        }
        self.require_no_administrator(organizations).await?;
        self.require_no_syncs().await?;
        // AWS's documents disagree on whether enabling trusted access creates the role.
        if let Ok(roles) = self.roles()
            && let Ok(None) = roles.get(&RoleName::ACCOUNT_DISCOVERY).await
        {
            cleanup.will_create(CreatedResource::Role(RoleName::ACCOUNT_DISCOVERY));
        }
        cleanup.record_other_services(organizations.others().await?);
        cleanup.will_create(CreatedResource::TrustedAccess);
        Ok(organizations)
    }

    /// Enables trusted access that the check may disable again. Skips if trusted access is already
    /// enabled.
    pub(super) async fn with_new_trust(
        &self,
        cleanup: &mut Cleanup,
    ) -> Result<(OrganizationsClient<'a>, EnabledService), CheckExit> {
        let organizations = self.with_trust_disabled(cleanup).await?;
        organizations.enable(&SYSTEMS_MANAGER).await?;
        Ok((organizations, shown(organizations).await?))
    }

    /// Returns a client of Organizations, with trusted access for Systems Manager enabled.
    ///
    /// Existing trusted access is used as is.
    pub(super) async fn with_trust_enabled(
        &self,
        cleanup: &mut Cleanup,
    ) -> Result<(OrganizationsClient<'a>, EnabledService), CheckExit> {
        let organizations = self.organizations()?;
        match organizations.trust().await? {
            Some(trust) => Ok((organizations, trust)),
            None => self.with_new_trust(cleanup).await,
        }
    }

    /// Skips if an administrator is registered: a deregistered delegation could not be restored
    /// with its date.
    async fn require_no_administrator(&self, organizations: OrganizationsClient<'_>) -> CheckStepResult {
        if organizations.administrators().await?.is_empty() {
            Ok(())
        } else {
            Err(CheckExit::skip("Systems Manager has an administrator already"))
        }
    }

    /// Skips if organization syncs exist, or if the management account has any data sync.
    ///
    /// Organization syncs break when trusted access is disabled, and deregistering may delete
    /// them. Organization syncs and all syncs of the management account also keep the role.
    /// Accounts without a Systems Manager port in the fixture are not checked.
    async fn require_no_syncs(&self) -> CheckStepResult {
        for region in [&self.region, &self.other_region].into_iter().flatten() {
            let owners = [(self.syncs_in(region.clone()), true), (self.members_syncs_in(region.clone()), false)];
            for (syncs, keep_the_role) in owners {
                let Ok(syncs) = syncs else { continue };
                let listed = match syncs.list(SyncType::SyncFromSource).await {
                    Err(error) if *error.kind() == ErrorKind::Unsupported => continue,
                    listed => listed?,
                };
                if let Some(sync) = listed.iter().find(|sync| keep_the_role || sync.is_of_organization()) {
                    return Err(CheckExit::skip(format!(
                        "there is a data sync that needs trust or the role, {:?}",
                        sync.name.to_string()
                    )));
                }
            }
        }
        Ok(())
    }

    /// Returns a client of Organizations, with trusted access enabled and no administrator.
    pub(super) async fn with_trust_and_no_administrator(
        &self,
        cleanup: &mut Cleanup,
    ) -> Result<OrganizationsClient<'a>, CheckExit> {
        let organizations = self.organizations()?;
        self.require_no_administrator(organizations).await?;
        self.require_no_syncs().await?;
        self.with_trust_enabled(cleanup).await.map(|(organizations, _)| organizations)
    }

    /// Registers the account as administrator, with trusted access enabled. Skips if an
    /// administrator is already registered.
    pub(super) async fn with_administrator(
        &self,
        account: AccountId,
        cleanup: &mut Cleanup,
    ) -> Result<(OrganizationsClient<'a>, DelegatedAdministrator), CheckExit> {
        let organizations = self.with_trust_and_no_administrator(cleanup).await?;
        cleanup.will_create(CreatedResource::Administrator(account));
        organizations.register(account).await?;
        Ok((organizations, listed(organizations, account).await?))
    }

    /// Returns the account discovery role, created if it does not exist.
    pub(super) async fn role(&self, cleanup: &mut Cleanup) -> Result<Role, CheckExit> {
        let roles = self.roles()?;
        if let Some(role) = roles.get(&RoleName::ACCOUNT_DISCOVERY).await? {
            return Ok(role);
        }
        self.new_role(cleanup).await
    }

    /// Creates the account discovery role. Skips if the role already exists.
    pub(super) async fn new_role(&self, cleanup: &mut Cleanup) -> Result<Role, CheckExit> {
        let roles = self.roles()?;
        if roles.get(&RoleName::ACCOUNT_DISCOVERY).await?.is_some() {
            return Err(CheckExit::skip("the role is there already"));
        }
        // AWS keeps the role while trusted access is enabled. Beside trusted access that the check
        // may not disable, the role could not be deleted again.
        if !cleanup.holds(&CreatedResource::TrustedAccess)
            && let Ok(organizations) = self.organizations()
            && organizations.trust().await?.is_some()
        {
            return Err(CheckExit::skip(
                "Systems Manager is trusted already, so that the role could not be deleted again",
            ));
        }
        self.require_no_syncs().await?;
        cleanup.will_create(CreatedResource::Role(RoleName::ACCOUNT_DISCOVERY));
        let role = roles.create(&ServicePrincipal::ACCOUNT_DISCOVERY).await?;
        // The implementation may return another name; the cleanup deletes that role too.
        cleanup.will_create(CreatedResource::Role(role.name.clone()));
        let seen = roles.wait_for_role(&role.name, true).await?;
        expect(seen.is_some(), "the role is there once it was made", "it is missing")?;
        Ok(role)
    }

    /// Returns a definition of a sync of the account's own data.
    ///
    /// No check creates a sync that enables sources of OpsData, because these cost money.
    pub(super) fn definition(&self, number: usize) -> Result<SyncDefinition, CheckExit> {
        self.definition_of(number, SyncSource::SingleAccount)
    }

    pub(super) fn definition_of(&self, number: usize, source: SyncSource) -> Result<SyncDefinition, CheckExit> {
        let regions = SourceRegions::new([self.need_region()?])?;
        Ok(SyncDefinition::new(sync_name(number)?, source, regions))
    }

    /// Returns a client of the management account's data syncs, with quota left for `wanted` more.
    pub(super) async fn syncs_with_room(
        &self,
        wanted: usize,
        cleanup: &mut Cleanup,
    ) -> Result<SyncsClient<'a>, CheckExit> {
        let syncs = self.syncs()?;
        need_room(&syncs, wanted).await?;
        for number in 1..=wanted {
            cleanup.will_create(CreatedResource::Sync(syncs.region().clone(), sync_name(number)?));
        }
        Ok(syncs)
    }

    /// Creates a sync of the account's own data and waits until it is listed.
    pub(super) async fn new_sync(&self, cleanup: &mut Cleanup) -> Result<(SyncsClient<'a>, SyncDefinition), CheckExit> {
        let definition = self.definition(1)?;
        let syncs = self.syncs_with_room(1, cleanup).await?;
        syncs.create(&definition).await?;
        let seen = syncs.wait_for_sync(definition.name(), Option::is_some).await?;
        expect(seen.is_some(), "the data sync is listed once it was created", "it is not listed")?;
        Ok((syncs, definition))
    }
}

pub(super) fn sync_name(number: usize) -> Result<SyncName, CheckExit> {
    SyncName::new(format!("ssm-organizations-conformance-{number}")).map_err(|error| CheckExit::skip(error.to_string()))
}

/// Skips if a name that the checks use is taken, or if the quota leaves too few syncs.
pub(super) async fn need_room(syncs: &SyncsClient<'_>, wanted: usize) -> CheckStepResult {
    let mut names: Vec<SyncName> = Vec::new();
    for sync_type in [SyncType::SyncFromSource, SyncType::SyncToDestination] {
        names.extend(syncs.list(sync_type).await?.into_iter().map(|sync| sync.name));
    }
    for number in 1..=SYNC_QUOTA + 1 {
        let name = sync_name(number)?;
        if names.contains(&name) {
            return Err(CheckExit::skip(format!("there is a data sync {name} already")));
        }
    }
    // AWS does not document whether the types share one quota, so both types count.
    if names.len() + wanted > SYNC_QUOTA {
        return Err(CheckExit::skip(format!("there are {} data syncs, and no room for {wanted} more", names.len())));
    }
    Ok(())
}

/// Waits until trusted access that was just enabled is listed, and fails if it is not.
pub(super) async fn shown(organizations: OrganizationsClient<'_>) -> Result<EnabledService, CheckExit> {
    organizations.wait_for_trusted_access(true).await?.ok_or_else(|| CheckExit::Fail {
        expected: "Systems Manager is listed once it was enabled".to_owned(),
        seen: "it is not listed".to_owned(),
    })
}

/// Waits until an account that was just registered is listed, and fails if it is not.
pub(super) async fn listed(
    organizations: OrganizationsClient<'_>,
    account: AccountId,
) -> Result<DelegatedAdministrator, CheckExit> {
    organizations.wait_for_administrator(account, true).await?.ok_or_else(|| CheckExit::Fail {
        expected: "the account is listed once it was registered".to_owned(),
        seen: "it is not listed".to_owned(),
    })
}
