use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use crate::domain::{
    AccountId, DataSync, DataSyncId, Operation, OrganizationalUnitId, Region, SYSTEMS_MANAGER, ServicePrincipal,
    SyncDefinition, SyncName,
};
use crate::error::{Error, ErrorKind};
use crate::policy::Caller;

/// Target state of the integration. Parts that a target does not mention are left unchanged.
///
/// ```
/// use ssm_organizations::plan::Target;
/// use ssm_organizations::policy::Caller;
/// use ssm_organizations::ports::{SourceRegions, SyncDefinition};
/// use ssm_organizations::{Region, SyncName};
///
/// let home = [Region::new("eu-central-1")?];
/// let regions = SourceRegions::new(home.clone())?;
/// let sync = SyncDefinition::of_organization(SyncName::new("all-accounts")?, regions);
/// let target = Target::new()
///     .with_trusted_access(true)
///     .with_administrator("222222222222".parse()?)
///     .with_role()
///     .with_sync(Caller::Management, sync, home);
/// target.check()?;
/// # Ok::<(), ssm_organizations::Error>(())
/// ```
///
/// With the feature `serde` a target can be read from TOML, JSON and similar formats:
///
/// ```toml
/// trusted_access = "on"              # or "off"
/// administrator = "222222222222"     # or "none"
/// role = "create"                    # or "delete", or "keep"
/// unlisted_syncs = "protect"         # or "allow_loss": policy for syncs that are not listed
/// search_regions = ["us-east-1"]     # Regions to search, besides those of the syncs below
/// migrate_syncs = true               # syncs of a replaced administrator move to the new one
///
/// [[syncs]]
/// name = "all-accounts"
/// owner = "administrator"            # or "management" (the default), or an account ID
/// regions = ["eu-central-1"]         # home Regions
/// source_regions = ["eu-central-1"]  # Regions to collect from; the default is the home Regions
/// future_regions = true              # also collect from Regions that AWS adds later
/// units = ["ou-exam-12345678"]       # the default is the entire organization
/// # or single_account = true: only the account of the sync
/// # all_ops_data_sources = true enables every source of OpsData; AWS charges for some
///
/// [[syncs]]
/// name = "old"
/// regions = ["eu-central-1"]
/// state = "absent"
///
/// [companions."ssm-quicksetup.amazonaws.com"]
/// trusted_access = "on"
/// administrator = "222222222222"
/// replace_administrator = true       # the default is false: another account makes planning fail
/// ```
///
/// AWS: [Systems Manager and
/// Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    pub(super) services: BTreeMap<ServicePrincipal, ServiceTarget>,
    pub(super) role: Option<RoleTarget>,
    pub(super) syncs: Vec<SyncTarget>,
    pub(super) unlisted_syncs: UnlistedSyncs,
    pub(super) search_regions: BTreeSet<Region>,
    /// The first setting that a call of the builder set to another value than an earlier call.
    pub(super) conflict: Option<&'static str>,
    /// Syncs of former administrators; `None` if no sync is migrated.
    pub(super) migrated: Option<Vec<(DataSyncId, DataSync)>>,
}

/// Target state of one service: Systems Manager itself, or a related service that one of its
/// capabilities needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceTarget {
    pub(super) trusted_access: Option<bool>,
    pub(super) administrators: Option<AdministratorsTarget>,
}

/// Target administrators of a service: a complete list, or accounts to add and remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AdministratorsTarget {
    Target(AdministratorTarget),
    Exactly(AdministratorChange),
}

/// Administrators to remove and to add; other administrators are left unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct AdministratorChange {
    pub(super) remove: BTreeSet<AccountId>,
    pub(super) add: BTreeSet<AccountId>,
}

/// Target administrator of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "an account, beside or instead of others, or none")]
pub enum AdministratorTarget {
    /// The account.
    ///
    /// If AWS allows the service several administrators, the account is added to the current ones.
    /// If AWS allows one, planning fails while another account is registered; a current
    /// administrator of Systems Manager itself is replaced.
    Account(AccountId),
    /// The account instead of every current administrator.
    Replacement(AccountId),
    /// No account.
    None,
}

/// Target state of the service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RoleTarget {
    /// The role exists.
    Present,
    /// The role does not exist. AWS requires that trusted access is disabled and Explorer's syncs
    /// are deleted first.
    Absent,
}

/// Target state of a data sync: present or absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyncTarget {
    pub(super) owner: Caller,
    pub(super) regions: BTreeSet<Region>,
    pub(super) want: SyncTargetState,
    /// `true` if an existing sync is deleted and created again.
    pub(super) recreate: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SyncTargetState {
    Present(SyncDefinition),
    Absent(SyncName),
}

impl SyncTarget {
    pub(super) fn name(&self) -> &SyncName {
        match &self.want {
            SyncTargetState::Present(definition) => definition.name(),
            SyncTargetState::Absent(name) => name,
        }
    }
}

/// Policy for organization syncs that a plan's steps affect and its target does not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum UnlistedSyncs {
    /// Planning fails if such a sync exists or may exist unseen.
    #[default]
    Protect,
    /// The syncs may be deleted or stop working. The plan lists the known ones. A sync that is
    /// found when the plan is applied and is not in the plan stops the run.
    ///
    /// Syncs whose listing is denied are lost unseen. A listing failure that may pass on retry
    /// stops the plan, as with [`Protect`](Self::Protect).
    AllowLoss,
}

impl ServiceTarget {
    /// Creates a target that changes nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether the service has trusted access in the organization.
    #[must_use]
    pub fn with_trusted_access(mut self, on: bool) -> Self {
        self.trusted_access = Some(on);
        self
    }

    /// Sets the administrator of the service, or that the service has none.
    #[must_use]
    pub fn with_administrator(mut self, administrator: AdministratorTarget) -> Self {
        self.administrators = Some(AdministratorsTarget::Target(administrator));
        self
    }

    /// Returns the administrators that the target requires. Others may remain registered.
    pub(super) fn future_administrators(&self) -> BTreeSet<AccountId> {
        match &self.administrators {
            Some(AdministratorsTarget::Target(
                AdministratorTarget::Account(account) | AdministratorTarget::Replacement(account),
            )) => BTreeSet::from([*account]),
            Some(AdministratorsTarget::Exactly(AdministratorChange { add: with, .. })) => with.clone(),
            Some(AdministratorsTarget::Target(AdministratorTarget::None)) | None => BTreeSet::new(),
        }
    }
}

impl Target {
    /// Creates a target that changes nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Records whether a call of the builder replaced another value, which [`check`](Self::check)
    /// refuses.
    fn with_conflict(mut self, input: &'static str, conflicts: bool) -> Self {
        self.conflict = self.conflict.or(conflicts.then_some(input));
        self
    }

    fn set_administrator(mut self, administrator: AdministratorTarget) -> Self {
        let wanted = AdministratorsTarget::Target(administrator);
        let conflicts = set(&mut self.systems_manager_mut().administrators, wanted);
        self.with_conflict("administrator", conflicts)
    }

    fn systems_manager_mut(&mut self) -> &mut ServiceTarget {
        self.service_mut(&SYSTEMS_MANAGER)
    }

    pub(super) fn service_mut(&mut self, principal: &ServicePrincipal) -> &mut ServiceTarget {
        self.services.entry(principal.clone()).or_default()
    }

    /// Sets whether Systems Manager has trusted access in the organization.
    #[must_use]
    pub fn with_trusted_access(mut self, on: bool) -> Self {
        let conflicts = set(&mut self.systems_manager_mut().trusted_access, on);
        self.with_conflict("trusted_access", conflicts)
    }

    /// Sets the member account that administers Systems Manager. Another administrator is replaced.
    #[must_use]
    pub fn with_administrator(self, account: AccountId) -> Self {
        self.set_administrator(AdministratorTarget::Account(account))
    }

    /// Sets that no account administers Systems Manager.
    #[must_use]
    pub fn without_administrator(self) -> Self {
        self.set_administrator(AdministratorTarget::None)
    }

    /// Sets that the service-linked role for Explorer's syncs exists.
    #[must_use]
    pub fn with_role(mut self) -> Self {
        let conflicts = set(&mut self.role, RoleTarget::Present);
        self.with_conflict("role", conflicts)
    }

    /// Sets that the service-linked role does not exist.
    #[must_use]
    pub fn without_role(mut self) -> Self {
        let conflicts = set(&mut self.role, RoleTarget::Absent);
        self.with_conflict("role", conflicts)
    }

    /// Adds an Explorer data sync that exists in these home Regions of the owner's account.
    #[must_use]
    pub fn with_sync(
        mut self,
        owner: Caller,
        definition: SyncDefinition,
        regions: impl IntoIterator<Item = Region>,
    ) -> Self {
        let want = SyncTargetState::Present(definition);
        self.syncs.push(SyncTarget { owner, regions: regions.into_iter().collect(), want, recreate: false });
        self
    }

    /// Adds a data sync as [`with_sync`](Self::with_sync) does, and deletes an existing sync of the
    /// name first. The collection starts again.
    ///
    /// AWS recommends this for a sync that existed while trusted access was disabled. It also
    /// changes the source of a sync. In each Region the new sync is created only after the old one
    /// is gone. Each plan recreates the sync.
    #[must_use]
    pub fn with_recreated_sync(
        self,
        owner: Caller,
        definition: SyncDefinition,
        regions: impl IntoIterator<Item = Region>,
    ) -> Self {
        let mut target = self.with_sync(owner, definition, regions);
        if let Some(sync) = target.syncs.last_mut() {
            sync.recreate = true;
        }
        target
    }

    /// Adds the migration of organization syncs: those of each administrator that the plan
    /// deregisters are created again in the account of the new administrator.
    ///
    /// `recorded` are further syncs of former administrators, which complete a migration that was
    /// interrupted. They are in the change of the deregistration:
    /// [`SyncCheckReport::recorded`](crate::domain::SyncCheckReport::recorded). A sync that already
    /// exists with the same definition is left unchanged, and planning fails if it has another
    /// definition. Syncs that another AWS service manages are not migrated: planning fails with
    /// [`DataSyncsExist`](crate::ErrorKind::DataSyncsExist), unless their loss is allowed
    /// ([`with_unlisted_syncs`](Self::with_unlisted_syncs)).
    #[must_use]
    pub fn with_migrated_syncs(mut self, recorded: impl IntoIterator<Item = (DataSyncId, DataSync)>) -> Self {
        self.migrated.get_or_insert_default().extend(recorded);
        self
    }

    /// Sets that no Explorer data sync has this name in these home Regions of the owner's account.
    #[must_use]
    pub fn without_sync(mut self, owner: Caller, name: SyncName, regions: impl IntoIterator<Item = Region>) -> Self {
        let want = SyncTargetState::Absent(name);
        self.syncs.push(SyncTarget { owner, regions: regions.into_iter().collect(), want, recreate: false });
        self
    }

    /// Sets the target state of another service that one of Systems Manager's capabilities needs;
    /// see [`Capability`](crate::guidance::Capability).
    #[must_use]
    pub fn with_companion(mut self, principal: ServicePrincipal, service: ServiceTarget) -> Self {
        let conflicts = self.services.get(&principal).is_some_and(|earlier| *earlier != service);
        self.services.insert(principal, service);
        self.with_conflict("companions", conflicts)
    }

    /// Adds Regions in which data syncs are searched for, besides the Regions of the listed syncs.
    #[must_use]
    pub fn search_regions(mut self, regions: impl IntoIterator<Item = Region>) -> Self {
        self.search_regions.extend(regions);
        self
    }

    /// Sets the policy for affected syncs that the target does not list.
    #[must_use]
    pub fn with_unlisted_syncs(mut self, unlisted_syncs: UnlistedSyncs) -> Self {
        self.unlisted_syncs = unlisted_syncs;
        self
    }

    /// Returns every Region that the target mentions.
    pub(super) fn regions(&self) -> BTreeSet<Region> {
        let named = self.syncs.iter().flat_map(|sync| &sync.regions);
        let migrated = self.migrated.iter().flatten().map(|(at, _)| &at.region);
        named.chain(migrated).chain(&self.search_regions).cloned().collect()
    }

    /// Returns the organizational units of the syncs that the target requires.
    pub(super) fn units(&self) -> impl Iterator<Item = &OrganizationalUnitId> {
        self.syncs.iter().flat_map(|sync| match &sync.want {
            SyncTargetState::Present(definition) => definition.units(),
            SyncTargetState::Absent(_) => &[],
        })
    }

    pub(super) fn service(&self, principal: &ServicePrincipal) -> ServiceTarget {
        self.services.get(principal).cloned().unwrap_or_default()
    }

    /// Checks that the target does not contradict itself, independently of the organization.
    /// Planning performs the same check.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput), and
    /// [`ServiceManagedSync`](ErrorKind::ServiceManagedSync) for a sync that another AWS service
    /// manages.
    pub fn check(&self) -> Result<(), Error> {
        if let Some(input) = self.conflict {
            return Err(Error::invalid_input(input, "one value, found two different ones"));
        }
        let trust_off = self.service(&SYSTEMS_MANAGER).trusted_access == Some(false);
        if self.role == Some(RoleTarget::Absent) && self.service(&SYSTEMS_MANAGER).trusted_access == Some(true) {
            return Err(Error::invalid_input("role", ROLE_WITH_TRUSTED_ACCESS));
        }
        for (principal, service) in &self.services {
            if let (Some(false), Some(account)) = (service.trusted_access, service.future_administrators().first()) {
                let expected = format!("enabled, because the target registers account {account}");
                return Err(Error::invalid_input(format!("trusted access of {principal}"), expected));
            }
        }
        for (index, sync) in self.syncs.iter().enumerate() {
            let name = sync.name();
            if sync.regions.is_empty() {
                return Err(sync_error(name, "at least one home Region"));
            }
            if name.is_service_managed() {
                return Err(Error::new(ErrorKind::ServiceManagedSync).with_message(name.as_str()));
            }
            let of_organization =
                matches!(&sync.want, SyncTargetState::Present(definition) if definition.is_of_organization());
            if of_organization && trust_off {
                return Err(sync_error(name, SYNC_WITHOUT_TRUSTED_ACCESS));
            }
            let earlier = self.syncs.iter().take(index);
            let twice = earlier.filter(|other| other.owner == sync.owner && other.name() == name);
            if let Some(region) = twice.flat_map(|other| other.regions.intersection(&sync.regions)).next() {
                return Err(duplicate_sync_error(name, region));
            }
        }
        Ok(())
    }
}

/// Sets a value. Returns whether it replaces a different one.
fn set<T: PartialEq>(slot: &mut Option<T>, value: T) -> bool {
    let earlier = slot.replace(value);
    earlier.is_some() && earlier != *slot
}

/// Valid target of the role if trusted access is or stays enabled.
pub(super) const ROLE_WITH_TRUSTED_ACCESS: &str =
    "present, because AWS deletes the role only while trusted access is disabled";

/// Valid target of an organization sync if trusted access is or becomes disabled.
pub(super) const SYNC_WITHOUT_TRUSTED_ACCESS: &str =
    "trusted access to be enabled, because the sync collects from the organization";

/// Returns the error for a data sync of the target.
pub(super) fn sync_error(name: &SyncName, expected: impl Display) -> Error {
    Error::invalid_input(format!("data sync {:?}", name.as_str()), expected)
}

pub(super) fn duplicate_sync_error(name: &SyncName, region: &Region) -> Error {
    sync_error(name, format!("one definition in {region}, found two"))
}

/// Returns the operation that enables or disables trusted access.
pub(super) fn trust_operation(on: bool) -> Operation {
    if on { Operation::EnableAwsServiceAccess } else { Operation::DisableAwsServiceAccess }
}
