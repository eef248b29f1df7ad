use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{AccountId, Region, ServicePrincipal, SyncName};
use crate::error::{Error, ErrorKind};
use crate::observation::PRINCIPAL;
use crate::policy::Caller;
use crate::ports::{Operation, SyncDefinition};

/// What should be. What a target does not mention is not touched.
///
/// ```
/// use ssm_organizations::plan::Target;
/// use ssm_organizations::policy::Caller;
/// use ssm_organizations::ports::{SourceRegions, SyncDefinition};
/// use ssm_organizations::{Region, SyncName};
///
/// let home = [Region::new("eu-central-1")?];
/// let sync = SyncDefinition::of_organization(SyncName::new("all-accounts")?, SourceRegions::new(home.clone())?);
/// let target = Target::new()
///     .with_trusted_access(true)
///     .with_administrator("222222222222".parse()?)
///     .with_role()
///     .with_sync(Caller::Management, sync, home);
/// target.check()?;
/// # Ok::<(), ssm_organizations::Error>(())
/// ```
///
/// With the feature `serde` it is read from TOML, JSON and the like:
///
/// ```toml
/// trusted_access = "on"              # or "off"
/// administrator = "222222222222"     # or "none"
/// role = "create"                    # or "delete", or "keep"
/// other_syncs = "protect"            # or "forfeit": what becomes of the syncs that are not named
/// look_in = ["us-east-1"]            # where they are looked for, beside the Regions below
///
/// [[syncs]]
/// name = "all-accounts"
/// owner = "administrator"            # or "management", which it is if left out, or an account
/// regions = ["eu-central-1"]         # where it is; source_regions, where it collects from, are the same if left out
/// units = ["ou-exam-12345678"]       # the whole organization if left out
///
/// [[syncs]]
/// name = "old"
/// regions = ["eu-central-1"]
/// state = "absent"
///
/// [companions."ssm-quicksetup.amazonaws.com"]
/// trusted_access = "on"
/// ```
///
/// AWS's page:
/// [Systems Manager and Organizations](https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    pub(super) services: BTreeMap<ServicePrincipal, ServiceTarget>,
    pub(super) role: Option<RoleTarget>,
    pub(super) syncs: Vec<SyncTarget>,
    pub(super) others: OtherSyncs,
    pub(super) look_in: BTreeSet<Region>,
}

/// What should be of one service: Systems Manager itself, or a companion that one of its capabilities needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceTarget {
    pub(super) trusted_access: Option<bool>,
    pub(super) administrators: Option<Delegation>,
}

/// Who should administer a service, to the last account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Delegation {
    Target(AdministratorTarget),
    Exactly(Exactly),
}

/// These accounts no longer, and those as well; whoever else there is, is nobody's business.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Exactly {
    pub(super) without: BTreeSet<AccountId>,
    pub(super) with: BTreeSet<AccountId>,
}

/// Who should administer a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "an account or none")]
pub enum AdministratorTarget {
    /// This account; instead of another one, where AWS allows the service one administrator.
    Account(AccountId),
    /// No account.
    Nobody,
}

/// What should be of the service-linked role `AWSServiceRoleForAmazonSSM_AccountDiscovery`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RoleTarget {
    /// It is there.
    Present,
    /// It is not. AWS wants trusted access off and Explorer's syncs gone first.
    Absent,
}

/// A data sync that should be there, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyncTarget {
    pub(super) owner: Caller,
    pub(super) regions: BTreeSet<Region>,
    pub(super) want: SyncWanted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SyncWanted {
    Present(SyncDefinition),
    Absent(SyncName),
}

impl SyncTarget {
    pub(super) fn name(&self) -> &SyncName {
        match &self.want {
            SyncWanted::Present(definition) => definition.name(),
            SyncWanted::Absent(name) => name,
        }
    }
}

/// What becomes of the organization's syncs that a plan's steps endanger and its target does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum OtherSyncs {
    /// Where one is there, or may be there unseen, there is no plan.
    #[default]
    Protect,
    /// They go, or break. The plan says which, as far as they are seen; one that is seen and that it does not say stops it.
    ///
    /// What may not be listed is forfeited unseen. A listing that failed and may succeed at the next try stops the plan, as it does for
    /// [`Protect`](Self::Protect).
    Forfeit,
}

impl ServiceTarget {
    /// Nothing is to change.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The service is trusted in the organization, or is not.
    #[must_use]
    pub fn with_trusted_access(mut self, on: bool) -> Self {
        self.trusted_access = Some(on);
        self
    }

    /// This account administers the service, or nobody does.
    #[must_use]
    pub fn with_administrator(mut self, administrator: AdministratorTarget) -> Self {
        self.administrators = Some(Delegation::Target(administrator));
        self
    }

    /// The accounts that are to administer it, whoever else does.
    pub(super) fn administrators_to_be(&self) -> BTreeSet<AccountId> {
        match &self.administrators {
            Some(Delegation::Target(AdministratorTarget::Account(account))) => BTreeSet::from([*account]),
            Some(Delegation::Exactly(Exactly { with, .. })) => with.clone(),
            Some(Delegation::Target(AdministratorTarget::Nobody)) | None => BTreeSet::new(),
        }
    }
}

impl Target {
    /// Nothing is to change.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn own(&mut self) -> &mut ServiceTarget {
        self.of_service(&PRINCIPAL)
    }

    pub(super) fn of_service(&mut self, principal: &ServicePrincipal) -> &mut ServiceTarget {
        self.services.entry(principal.clone()).or_default()
    }

    /// Systems Manager is trusted in the organization, or is not.
    #[must_use]
    pub fn with_trusted_access(mut self, on: bool) -> Self {
        self.own().trusted_access = Some(on);
        self
    }

    /// This member account administers Systems Manager. Where another one does, it is replaced.
    #[must_use]
    pub fn with_administrator(mut self, account: AccountId) -> Self {
        let wanted = AdministratorTarget::Account(account);
        self.own().administrators = Some(Delegation::Target(wanted));
        self
    }

    /// No account administers Systems Manager.
    #[must_use]
    pub fn without_administrator(mut self) -> Self {
        self.own().administrators = Some(Delegation::Target(AdministratorTarget::Nobody));
        self
    }

    /// The service-linked role that Explorer's syncs run on is there.
    #[must_use]
    pub fn with_role(mut self) -> Self {
        self.role = Some(RoleTarget::Present);
        self
    }

    /// The service-linked role is not there.
    #[must_use]
    pub fn without_role(mut self) -> Self {
        self.role = Some(RoleTarget::Absent);
        self
    }

    /// This data sync of Explorer's kind is there, in these home Regions of the owner's account.
    #[must_use]
    pub fn with_sync(
        mut self,
        owner: Caller,
        definition: SyncDefinition,
        regions: impl IntoIterator<Item = Region>,
    ) -> Self {
        let want = SyncWanted::Present(definition);
        self.syncs.push(SyncTarget { owner, regions: regions.into_iter().collect(), want });
        self
    }

    /// No data sync of Explorer's kind has this name in these home Regions of the owner's account.
    #[must_use]
    pub fn without_sync(mut self, owner: Caller, name: SyncName, regions: impl IntoIterator<Item = Region>) -> Self {
        let want = SyncWanted::Absent(name);
        self.syncs.push(SyncTarget { owner, regions: regions.into_iter().collect(), want });
        self
    }

    /// Another service, which one of Systems Manager's capabilities needs, is to be so: see [`Capability`](crate::Capability).
    #[must_use]
    pub fn with_companion(mut self, principal: ServicePrincipal, service: ServiceTarget) -> Self {
        self.services.insert(principal, service);
        self
    }

    /// Data syncs are looked for in these Regions too, beside those of the syncs that are named.
    #[must_use]
    pub fn looking_in(mut self, regions: impl IntoIterator<Item = Region>) -> Self {
        self.look_in.extend(regions);
        self
    }

    /// What becomes of the syncs that are not named and that a step endangers.
    #[must_use]
    pub fn with_other_syncs(mut self, others: OtherSyncs) -> Self {
        self.others = others;
        self
    }

    /// Every Region that it speaks of.
    pub(super) fn regions(&self) -> BTreeSet<Region> {
        let named = self.syncs.iter().flat_map(|sync| &sync.regions);
        named.chain(&self.look_in).cloned().collect()
    }

    pub(super) fn service(&self, principal: &ServicePrincipal) -> ServiceTarget {
        self.services.get(principal).cloned().unwrap_or_default()
    }

    /// Refuses what contradicts itself, whatever the organization. Planning does the same.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput), and [`ForeignSync`](ErrorKind::ForeignSync) for a sync that another of AWS's services looks after.
    pub fn check(&self) -> Result<(), Error> {
        let trust_off = self.service(&PRINCIPAL).trusted_access == Some(false);
        if self.role == Some(RoleTarget::Absent) && self.service(&PRINCIPAL).trusted_access == Some(true) {
            return Err(contradiction("AWS deletes the role only where trusted access is off, and it is to be on"));
        }
        for (principal, service) in &self.services {
            if let (Some(false), Some(account)) = (service.trusted_access, service.administrators_to_be().first()) {
                let why = format!("{account} cannot administer {principal}, which is not to be trusted");
                return Err(contradiction(&why));
            }
        }
        for (index, sync) in self.syncs.iter().enumerate() {
            let name = sync.name();
            if sync.regions.is_empty() {
                return Err(contradiction(&format!("no Region is named for the data sync {:?}", name.to_string())));
            }
            if name.is_foreign() {
                return Err(Error::of(ErrorKind::ForeignSync).with_message(name.as_str()));
            }
            if name.is_withheld() {
                return Err(contradiction(WITHHELD));
            }
            let of_organization =
                matches!(&sync.want, SyncWanted::Present(definition) if definition.is_of_organization());
            if of_organization && trust_off {
                let why = "it is of the organization, and trusted access is to be off";
                return Err(contradiction(&format!("the data sync {:?}: {why}", name.to_string())));
            }
            let earlier = self.syncs.iter().take(index);
            let twice = earlier.filter(|other| other.owner == sync.owner && other.name() == name);
            if let Some(region) = twice.flat_map(|other| other.regions.intersection(&sync.regions)).next() {
                return Err(named_twice(name, region));
            }
        }
        Ok(())
    }
}

/// Why a plan cannot speak of a data sync: what is written down of it would be of another name.
pub(super) const WITHHELD: &str = "a data sync whose name reads like an e-mail address, an access key or a secret is in no plan, because that is never written down";

/// What cannot be wanted together.
pub(super) fn contradiction(why: &str) -> Error {
    Error::of(ErrorKind::InvalidInput).with_message(why)
}

pub(super) fn named_twice(name: &SyncName, region: &Region) -> Error {
    contradiction(&format!("the data sync {:?} is named twice in {region}", name.to_string()))
}

/// The operation that a step towards trusted access is about.
pub(super) fn trust_operation(on: bool) -> Operation {
    if on { Operation::EnableAwsServiceAccess } else { Operation::DisableAwsServiceAccess }
}
