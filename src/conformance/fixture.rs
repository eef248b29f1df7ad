use std::fmt;
use std::time::Duration;

use super::client::{IdentityClient, OrganizationsClient, PollPolicy, RolesClient, SyncsClient};
use super::expectation::CheckExit;
use crate::domain::{AccountId, OrganizationalUnitId, Region, ServicePrincipal};
use crate::ports::{Client, IamApi, OrganizationsApi, StsApi, SystemsManagerApi};

/// Ports with the credentials of one account, as many as an implementation has.
///
/// A reference to a type that implements all ports converts into `Ports`.
#[derive(Clone, Copy, Default)]
pub struct Ports<'a> {
    organizations: Option<&'a dyn OrganizationsApi>,
    sts: Option<&'a dyn StsApi>,
    systems_manager: Option<&'a dyn SystemsManagerApi>,
    iam: Option<&'a dyn IamApi>,
}

impl<'a> Ports<'a> {
    /// Creates an empty set of ports.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates the set of all ports from a client that implements all of them.
    #[must_use]
    pub fn of(client: &'a dyn Client) -> Self {
        Self { organizations: Some(client), sts: Some(client), systems_manager: Some(client), iam: Some(client) }
    }

    /// Sets the port of Organizations.
    #[must_use]
    pub fn organizations(mut self, client: &'a dyn OrganizationsApi) -> Self {
        self.organizations = Some(client);
        self
    }

    /// Sets the port of STS.
    #[must_use]
    pub fn sts(mut self, client: &'a dyn StsApi) -> Self {
        self.sts = Some(client);
        self
    }

    /// Sets the port of Systems Manager.
    #[must_use]
    pub fn systems_manager(mut self, client: &'a dyn SystemsManagerApi) -> Self {
        self.systems_manager = Some(client);
        self
    }

    /// Sets the port of IAM.
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

/// Shows for each port whether it is set.
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

/// Environment of the implementation under test.
///
/// Only an organization with a management account is required. A check that needs something that
/// the fixture lacks is skipped, and the report names what is missing.
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
    poll_policy: PollPolicy,
}

impl<'a> Fixture<'a> {
    /// Creates a fixture for the organization whose management account these ports use.
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
            poll_policy: PollPolicy { time: Duration::from_secs(30), pause: Duration::from_secs(1) },
        }
    }

    /// Sets an active member account that administers no service.
    ///
    /// Checks register the account as the delegated administrator of Systems Manager for a while.
    pub fn member(mut self, account: AccountId) -> Self {
        self.member = Some(account);
        self
    }

    /// Sets the ports with the credentials of the [`member`](Self::member).
    pub fn member_client(mut self, client: impl Into<Ports<'a>>) -> Self {
        self.member_client = client.into();
        self
    }

    /// Sets a second active member account that administers no service.
    pub fn other_member(mut self, account: AccountId) -> Self {
        self.other_member = Some(account);
        self
    }

    /// Sets a member account that is suspended or closed.
    pub fn suspended_member(mut self, account: AccountId) -> Self {
        self.suspended = Some(account);
        self
    }

    /// Sets an account ID outside the organization.
    pub fn outsider(mut self, account: AccountId) -> Self {
        self.outsider = Some(account);
        self
    }

    /// Sets the ports with the credentials of an account that is in no organization.
    pub fn outsider_client(mut self, client: impl Into<Ports<'a>>) -> Self {
        self.outsider_client = client.into();
        self
    }

    /// Sets the services other than Systems Manager that have trusted access in the organization.
    ///
    /// Checks expect these services in every listing. With more services than fit on a page, the
    /// checks cover pagination.
    pub fn trusted_services(mut self, services: impl IntoIterator<Item = ServicePrincipal>) -> Self {
        self.trusted = services.into_iter().collect();
        self
    }

    /// Sets the Region in which checks create data syncs.
    ///
    /// Checks create up to five data syncs, so choose a Region without any.
    pub fn region(mut self, region: Region) -> Self {
        self.region = Some(region);
        self
    }

    /// Sets a second Region.
    pub fn other_region(mut self, region: Region) -> Self {
        self.other_region = Some(region);
        self
    }

    /// Sets an organizational unit of the organization.
    pub fn unit(mut self, unit: OrganizationalUnitId) -> Self {
        self.unit = Some(unit);
        self
    }

    /// Sets the time limit for a change to become visible, instead of 30 seconds.
    ///
    /// The limit also applies to repeating a call that AWS throttles or that conflicts with a
    /// concurrent change. The deletion of a service-linked role may take ten times as long.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.poll_policy.time = time;
        self
    }

    /// Sets the pause between two reads, instead of one second.
    ///
    /// The default stays within AWS's request rate limits.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.poll_policy.pause = pause;
        self
    }
}

fn given<T>(part: Option<T>, what: &str) -> Result<T, CheckExit> {
    part.ok_or_else(|| CheckExit::skip(format!("the fixture has no {what}")))
}

/// Accessors that return a part of the fixture, or skip the check if the part is missing.
impl<'a> Fixture<'a> {
    pub(super) fn organizations(&self) -> Result<OrganizationsClient<'a>, CheckExit> {
        let api = given(self.management.organizations, "OrganizationsApi of the management account")?;
        Ok(OrganizationsClient::new(api, self.poll_policy))
    }

    pub(super) fn members_organizations(&self) -> Result<OrganizationsClient<'a>, CheckExit> {
        let api = given(self.member_client.organizations, "OrganizationsApi of the member")?;
        Ok(OrganizationsClient::new(api, self.poll_policy))
    }

    pub(super) fn outsiders_organizations(&self) -> Result<OrganizationsClient<'a>, CheckExit> {
        let api = given(self.outsider_client.organizations, "OrganizationsApi of an account outside")?;
        Ok(OrganizationsClient::new(api, self.poll_policy))
    }

    pub(super) fn identity(&self) -> Result<IdentityClient<'a>, CheckExit> {
        Ok(IdentityClient::new(given(self.management.sts, "StsApi of the management account")?, self.poll_policy))
    }

    pub(super) fn members_identity(&self) -> Result<IdentityClient<'a>, CheckExit> {
        Ok(IdentityClient::new(given(self.member_client.sts, "StsApi of the member")?, self.poll_policy))
    }

    pub(super) fn syncs(&self) -> Result<SyncsClient<'a>, CheckExit> {
        self.syncs_in(self.need_region()?)
    }

    pub(super) fn syncs_in(&self, region: Region) -> Result<SyncsClient<'a>, CheckExit> {
        let api = given(self.management.systems_manager, "SystemsManagerApi of the management account")?;
        Ok(SyncsClient::new(api, region, self.poll_policy))
    }

    pub(super) fn members_syncs(&self) -> Result<SyncsClient<'a>, CheckExit> {
        self.members_syncs_in(self.need_region()?)
    }

    pub(super) fn members_syncs_in(&self, region: Region) -> Result<SyncsClient<'a>, CheckExit> {
        let api = given(self.member_client.systems_manager, "SystemsManagerApi of the member")?;
        Ok(SyncsClient::new(api, region, self.poll_policy))
    }

    pub(super) fn roles(&self) -> Result<RolesClient<'a>, CheckExit> {
        Ok(RolesClient::new(given(self.management.iam, "IamApi of the management account")?, self.poll_policy))
    }

    pub(super) fn need_member(&self) -> Result<AccountId, CheckExit> {
        given(self.member, "active member")
    }

    pub(super) fn need_other_member(&self) -> Result<AccountId, CheckExit> {
        given(self.other_member, "second active member")
    }

    pub(super) fn need_suspended(&self) -> Result<AccountId, CheckExit> {
        given(self.suspended, "suspended member")
    }

    pub(super) fn need_outsider(&self) -> Result<AccountId, CheckExit> {
        given(self.outsider, "account outside the organization")
    }

    pub(super) fn need_region(&self) -> Result<Region, CheckExit> {
        given(self.region.clone(), "Region")
    }

    pub(super) fn need_other_region(&self) -> Result<Region, CheckExit> {
        given(self.other_region.clone(), "second Region")
    }

    pub(super) fn need_unit(&self) -> Result<OrganizationalUnitId, CheckExit> {
        given(self.unit.clone(), "organizational unit")
    }
}
