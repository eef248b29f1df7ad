use std::fmt;
use std::time::Duration;

use super::ask::{Identity, Organizations, Patience, Roles, Syncs};
use super::outcome::Stop;
use crate::domain::{AccountId, OrganizationalUnitId, Region, ServicePrincipal};
use crate::ports::{Client, IamApi, OrganizationsApi, StsApi, SystemsManagerApi};

/// The ports with the credentials of one account, as far as an implementation has them.
///
/// A reference to anything that implements all of them converts into it.
#[derive(Clone, Copy, Default)]
pub struct Ports<'a> {
    organizations: Option<&'a dyn OrganizationsApi>,
    sts: Option<&'a dyn StsApi>,
    systems_manager: Option<&'a dyn SystemsManagerApi>,
    iam: Option<&'a dyn IamApi>,
}

impl<'a> Ports<'a> {
    /// None of them, to begin with.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All of them.
    #[must_use]
    pub fn of(client: &'a dyn Client) -> Self {
        Self { organizations: Some(client), sts: Some(client), systems_manager: Some(client), iam: Some(client) }
    }

    /// The same with Organizations.
    #[must_use]
    pub fn organizations(mut self, client: &'a dyn OrganizationsApi) -> Self {
        self.organizations = Some(client);
        self
    }

    /// The same with STS.
    #[must_use]
    pub fn sts(mut self, client: &'a dyn StsApi) -> Self {
        self.sts = Some(client);
        self
    }

    /// The same with Systems Manager.
    #[must_use]
    pub fn systems_manager(mut self, client: &'a dyn SystemsManagerApi) -> Self {
        self.systems_manager = Some(client);
        self
    }

    /// The same with IAM.
    #[must_use]
    pub fn iam(mut self, client: &'a dyn IamApi) -> Self {
        self.iam = Some(client);
        self
    }
}

impl<'a, C: Client> From<&'a C> for Ports<'a> {
    fn from(client: &'a C) -> Self {
        Self::of(client)
    }
}

/// Which ports there are.
impl fmt::Debug for Ports<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports")
            .field("organizations", &self.organizations.is_some())
            .field("sts", &self.sts.is_some())
            .field("systems_manager", &self.systems_manager.is_some())
            .field("iam", &self.iam.is_some())
            .finish()
    }
}

/// What the implementation under test is set up with.
///
/// The one thing that it must have is an organization with a management account. A check that needs something that is not given here
/// is skipped, and the report says for want of what.
#[derive(Debug, Clone)]
#[must_use]
pub struct Fixture<'a> {
    management: Ports<'a>,
    member_client: Ports<'a>,
    outsider_client: Ports<'a>,
    pub(super) member: Option<AccountId>,
    pub(super) other_member: Option<AccountId>,
    pub(super) suspended: Option<AccountId>,
    pub(super) outsider: Option<AccountId>,
    pub(super) trusted: Vec<ServicePrincipal>,
    pub(super) region: Option<Region>,
    pub(super) other_region: Option<Region>,
    pub(super) unit: Option<OrganizationalUnitId>,
    patience: Patience,
}

impl<'a> Fixture<'a> {
    /// An organization of which these are the management account's ports.
    pub fn new(management: impl Into<Ports<'a>>) -> Self {
        Self {
            management: management.into(),
            member_client: Ports::new(),
            outsider_client: Ports::new(),
            member: None,
            other_member: None,
            suspended: None,
            outsider: None,
            trusted: Vec::new(),
            region: None,
            other_region: None,
            unit: None,
            patience: Patience { time: Duration::from_secs(30), pause: Duration::from_secs(1) },
        }
    }

    /// An active member that administers no service. Checks make it the administrator of Systems Manager for a while.
    pub fn member(mut self, account: AccountId) -> Self {
        self.member = Some(account);
        self
    }

    /// The ports with the credentials of that [`member`](Self::member).
    pub fn member_client(mut self, client: impl Into<Ports<'a>>) -> Self {
        self.member_client = client.into();
        self
    }

    /// Another active member that administers no service.
    pub fn other_member(mut self, account: AccountId) -> Self {
        self.other_member = Some(account);
        self
    }

    /// A member that is suspended, or was closed.
    pub fn suspended_member(mut self, account: AccountId) -> Self {
        self.suspended = Some(account);
        self
    }

    /// An account id that is not one of the organization's.
    pub fn outsider(mut self, account: AccountId) -> Self {
        self.outsider = Some(account);
        self
    }

    /// The ports with the credentials of an account that is in no organization.
    pub fn outsider_client(mut self, client: impl Into<Ports<'a>>) -> Self {
        self.outsider_client = client.into();
        self
    }

    /// Services other than Systems Manager that are trusted in the organization: they must be listed, and stay so.
    ///
    /// With more of them than a page holds, the pages are put to the test.
    pub fn trusted_services(mut self, services: impl IntoIterator<Item = ServicePrincipal>) -> Self {
        self.trusted = services.into_iter().collect();
        self
    }

    /// A Region in which data syncs may be made. Up to five are, so it had better be one without any.
    pub fn region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }

    /// Another Region.
    pub fn other_region(mut self, region: Region) -> Self {
        self.other_region = Some(region);
        self
    }

    /// An organizational unit of the organization.
    pub fn unit(mut self, unit: OrganizationalUnitId) -> Self {
        self.unit = Some(unit);
        self
    }

    /// How long a change may take to show, and a call that AWS throttles or that meets another change may be made again,
    /// instead of half a minute.
    ///
    /// The deletion of a service-linked role may take ten times as long.
    pub fn patience(mut self, time: Duration) -> Self {
        self.patience.time = time;
        self
    }

    /// The pause between two looks, instead of a second, which is what AWS's allowances are for.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.patience.pause = pause;
        self
    }
}

fn given<T>(part: Option<T>, what: &str) -> Result<T, Stop> {
    part.ok_or_else(|| Stop::skip(format!("the fixture has no {what}")))
}

/// Parts of the fixture, or the reason why a check is skipped.
impl<'a> Fixture<'a> {
    pub(super) fn organizations(&self) -> Result<Organizations<'a>, Stop> {
        let api = given(self.management.organizations, "OrganizationsApi of the management account")?;
        Ok(Organizations::new(api, self.patience))
    }

    pub(super) fn members_organizations(&self) -> Result<Organizations<'a>, Stop> {
        let api = given(self.member_client.organizations, "OrganizationsApi of the member")?;
        Ok(Organizations::new(api, self.patience))
    }

    pub(super) fn outsiders_organizations(&self) -> Result<Organizations<'a>, Stop> {
        let api = given(self.outsider_client.organizations, "OrganizationsApi of an account outside")?;
        Ok(Organizations::new(api, self.patience))
    }

    pub(super) fn identity(&self) -> Result<Identity<'a>, Stop> {
        Ok(Identity::new(given(self.management.sts, "StsApi of the management account")?, self.patience))
    }

    pub(super) fn members_identity(&self) -> Result<Identity<'a>, Stop> {
        Ok(Identity::new(given(self.member_client.sts, "StsApi of the member")?, self.patience))
    }

    pub(super) fn syncs(&self) -> Result<Syncs<'a>, Stop> {
        self.syncs_in(self.need_region()?)
    }

    pub(super) fn syncs_in(&self, region: Region) -> Result<Syncs<'a>, Stop> {
        let api = given(self.management.systems_manager, "SystemsManagerApi of the management account")?;
        Ok(Syncs::new(api, region, self.patience))
    }

    pub(super) fn members_syncs(&self) -> Result<Syncs<'a>, Stop> {
        self.members_syncs_in(self.need_region()?)
    }

    pub(super) fn members_syncs_in(&self, region: Region) -> Result<Syncs<'a>, Stop> {
        let api = given(self.member_client.systems_manager, "SystemsManagerApi of the member")?;
        Ok(Syncs::new(api, region, self.patience))
    }

    pub(super) fn roles(&self) -> Result<Roles<'a>, Stop> {
        Ok(Roles::new(given(self.management.iam, "IamApi of the management account")?, self.patience))
    }

    pub(super) fn need_member(&self) -> Result<AccountId, Stop> {
        given(self.member, "active member")
    }

    pub(super) fn need_other_member(&self) -> Result<AccountId, Stop> {
        given(self.other_member, "second active member")
    }

    pub(super) fn need_suspended(&self) -> Result<AccountId, Stop> {
        given(self.suspended, "suspended member")
    }

    pub(super) fn need_outsider(&self) -> Result<AccountId, Stop> {
        given(self.outsider, "account outside the organization")
    }

    pub(super) fn need_region(&self) -> Result<Region, Stop> {
        given(self.region.clone(), "Region")
    }

    pub(super) fn need_other_region(&self) -> Result<Region, Stop> {
        given(self.other_region.clone(), "second Region")
    }

    pub(super) fn need_unit(&self) -> Result<OrganizationalUnitId, Stop> {
        given(self.unit.clone(), "organizational unit")
    }
}
