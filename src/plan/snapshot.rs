use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::{join_all, join4};
use futures_util::stream::{self, StreamExt};
use tokio::time::Instant;
use tracing::Instrument;

use super::clients::{Clients, Roster};
use super::target::Target;
use crate::by_region::AT_ONCE;
use crate::domain::{AccountId, Region, RoleName, ServicePrincipal};
use crate::error::{Error, ErrorKind};
use crate::journal::Own;
use crate::observation::{self, Facts, Known, PRINCIPAL};
use crate::operations::data_sync::Place;
use crate::pages::Pages;
use crate::ports::{
    Client, DataSync, DelegatedAdministrator, EnabledService, Operation, Organization, OrganizationsApi, Role, SyncType,
};
use crate::syncs::SyncAt;
use crate::trace::span;

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Scope {
    pub(super) principals: BTreeSet<ServicePrincipal>,
    pub(super) role: bool,
    pub(super) regions: BTreeSet<Region>,
}

impl Default for Scope {
    fn default() -> Self {
        Self::new()
    }
}

impl Scope {
    /// Systems Manager's trusted access and administrators.
    pub fn new() -> Self {
        Self { principals: BTreeSet::from([PRINCIPAL]), role: false, regions: BTreeSet::new() }
    }

    /// What a plan for this target has to know.
    pub fn of(target: &Target) -> Self {
        let mut scope = Self::new().in_regions(target.regions());
        scope.principals.extend(target.services.keys().cloned());
        scope.role = target.role.is_some() || !target.syncs.is_empty();
        scope
    }

    /// Another service too.
    pub fn with_companion(mut self, principal: ServicePrincipal) -> Self {
        self.principals.insert(principal);
        self
    }

    /// The service-linked role too.
    pub fn with_role(mut self) -> Self {
        self.role = true;
        self
    }

    /// The data syncs in these Regions too, of every account that there is a client of.
    pub fn in_regions(mut self, regions: impl IntoIterator<Item = Region>) -> Self {
        self.regions.extend(regions);
        self
    }
}

/// What is, as far as it was looked at and could be read. What could not is unknown, which is not absent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Snapshot {
    pub(super) organization: Organization,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(super) caller: Option<AccountId>,
    pub(super) services: Vec<Service>,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(super) role: Option<Part<Option<Role>>>,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub(super) syncs: Vec<SyncsOf>,
    #[cfg_attr(feature = "serde", serde(skip))]
    taken: Taken,
}

/// A part of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[expect(clippy::exhaustive_enums, reason = "it was read, or it was not")]
pub enum Part<T> {
    /// It was read, and is this.
    Known(T),
    /// It could not be read.
    Unknown(Unknown),
}

/// Why a part of a snapshot is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct Unknown {
    /// The read that failed.
    pub operation: Operation,
    /// Whether AWS denied it: then it takes [`Operation::iam_action`].
    pub denied: bool,
    /// The account that called, where it is known.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub caller: Option<AccountId>,
    /// The companion service that the read was about; `None` for Systems Manager, and where it was about none.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub companion: Option<ServicePrincipal>,
    /// The Region; `None` for services that have none.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub region: Option<Region>,
    /// The error, in words.
    pub why: String,
    /// AWS's own message, which may name the policy that denies.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub message: Option<String>,
}

/// A service's integration with the organization.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct Service {
    /// Which service.
    pub principal: ServicePrincipal,
    /// Its entry among the trusted services; `None` where it is not trusted.
    pub trusted_access: Part<Option<EnabledService>>,
    /// The accounts that administer it.
    pub administrators: Part<Vec<DelegatedAdministrator>>,
}

/// The data syncs of Explorer's kind of one account in one Region.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct SyncsOf {
    /// The account.
    pub account: AccountId,
    /// The Region.
    pub region: Region,
    /// Its syncs.
    pub syncs: Part<Vec<DataSync>>,
}

/// When a snapshot was taken in this process. No part of what it says.
#[derive(Debug, Clone, Copy, Default)]
struct Taken(Option<Instant>);

impl PartialEq for Taken {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Taken {}

impl<T> Part<T> {
    /// What it is, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    fn of(read: Result<T, Error>) -> Self {
        match read {
            Ok(value) => Self::Known(value),
            Err(error) => Self::Unknown(Unknown::from(&error)),
        }
    }

    /// What it is; where it is unknown, the error of whoever depends on it.
    pub(super) fn need(&self) -> Result<&T, Error> {
        match self {
            Self::Known(value) => Ok(value),
            Self::Unknown(unknown) => Err(unknown.to_error()),
        }
    }
}

impl From<&Error> for Unknown {
    fn from(error: &Error) -> Self {
        Self {
            operation: error.operation().unwrap_or(Operation::DescribeOrganization),
            denied: *error.kind() == ErrorKind::AccessDenied,
            caller: error.caller(),
            companion: error.companion().cloned(),
            region: error.region().cloned(),
            why: format!("{error:#}"),
            message: error.message().map(ToOwned::to_owned),
        }
    }
}

impl Unknown {
    fn to_error(&self) -> Error {
        let (kind, message) = if self.denied {
            (ErrorKind::AccessDenied, self.message.as_ref())
        } else {
            (ErrorKind::Unread, Some(&self.why))
        };
        let error = message.into_iter().fold(Error::of(kind), Error::with_message);
        let error = error.at(self.operation).called_as(self.caller);
        let error = self.companion.iter().fold(error, Error::for_service);
        match &self.region {
            Some(region) => error.with_region(region.clone()),
            None => error,
        }
    }
}

impl Snapshot {
    /// Looks. Changes nothing.
    ///
    /// # Expected flow
    ///
    /// `GetCallerIdentity` of every client; then, at once, `DescribeOrganization`, `ListAWSServiceAccessForOrganization`,
    /// `ListDelegatedAdministrators` for each service, and where the scope says so `GetRole`; then `ListResourceDataSync` for each client and Region.
    ///
    /// # Errors
    ///
    /// Those of `DescribeOrganization` and of the other clients' `GetCallerIdentity`. What else cannot be read is an unknown part of the snapshot.
    ///
    /// # IAM permissions
    ///
    /// Those of [`observe`](crate::Integration::observe), and `iam:GetRole` and `ssm:ListResourceDataSync` where the scope says so. AWS:
    /// [Delegated administrator for AWS services](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_delegated_admin.html),
    /// [Explorer's resource data syncs](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-resource-data-sync.html).
    pub async fn take(clients: &Clients<'_>, scope: &Scope) -> Result<Self, Error> {
        let roster = clients.roster().await?;
        let span = span!("take_snapshot", caller: roster.caller());
        Self::take_with(&roster, scope).instrument(span).await
    }

    pub(super) async fn take_with(roster: &Roster<'_>, scope: &Scope) -> Result<Self, Error> {
        let client = roster.management;
        let caller = roster.caller();
        let (organization, trusted, administrators, role) = join4(
            client.describe_organization(),
            trusted_services(client, &scope.principals),
            join_all(scope.principals.iter().map(|principal| observation::administrators(client, principal))),
            look_up_role(roster, scope),
        )
        .await;
        let organization = organization.map_err(|error| error.called_as(caller))?;
        let known = Known { organization, caller };
        let trusted = Part::of(trusted.map_err(|error| error.called_in(&known)));
        let services = scope.principals.iter().zip(administrators).map(|(principal, administrators)| Service {
            principal: principal.clone(),
            trusted_access: match &trusted {
                Part::Known(all) => Part::Known(all.iter().find(|found| found.principal == *principal).cloned()),
                Part::Unknown(unknown) => Part::Unknown(unknown.clone()),
            },
            administrators: Part::of(administrators.map_err(|error| error.called_in(&known))),
        });
        let services = services.collect();
        let management = known.organization.management_account;
        // The role is one of the management account: another account's answer says nothing about it.
        let role = role.map(|role| match caller {
            Some(caller) if caller != management => {
                let kind = ErrorKind::NotManagementAccount { management };
                Part::Unknown(Unknown::from(&Error::of(kind).at(Operation::GetRole).called_in(&known)))
            }
            _ => Part::of(role.map_err(|error| error.called_in(&known))),
        });
        let syncs = list_syncs(roster, scope, &known.organization).await;
        Ok(Self { organization: known.organization, caller, services, role, syncs, taken: Taken(Some(Instant::now())) })
    }

    /// Whether it was taken just now, so that each step's own look is enough.
    pub(super) fn is_fresh(&self) -> bool {
        self.taken.0.is_some_and(|taken| taken.elapsed() < observation::FRESH)
    }

    /// The organization.
    #[must_use]
    pub fn organization(&self) -> &Organization {
        &self.organization
    }

    /// The account whose credentials the management account's client has; `None` when it cannot tell.
    #[must_use]
    pub fn caller(&self) -> Option<AccountId> {
        self.caller
    }

    /// The services that were looked at, Systems Manager among them.
    #[must_use]
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// One service; `None` where it was not looked at.
    #[must_use]
    pub fn service(&self, principal: &ServicePrincipal) -> Option<&Service> {
        self.services.iter().find(|service| service.principal == *principal)
    }

    /// The service-linked role in the management account; `None` where it was not looked at.
    #[must_use]
    pub fn role(&self) -> Option<&Part<Option<Role>>> {
        self.role.as_ref()
    }

    /// The data syncs that were looked at, by account and Region.
    #[must_use]
    pub fn syncs(&self) -> &[SyncsOf] {
        &self.syncs
    }

    pub(super) fn need_service(&self, principal: &ServicePrincipal) -> Result<&Service, Error> {
        let unread = || Error::of(ErrorKind::Unread).with_message(format!("{principal} was not looked at"));
        self.service(principal).ok_or_else(unread)
    }

    pub(super) fn facts(&self, principal: &ServicePrincipal) -> Result<Facts, Error> {
        let service = self.need_service(principal)?;
        Ok(Facts {
            principal: principal.clone(),
            trusted_access: service.trusted_access.need()?.clone(),
            administrators: service.administrators.need()?.clone(),
        })
    }

    pub(super) fn need_role(&self) -> Result<Option<&Role>, Error> {
        let unread = || Error::of(ErrorKind::Unread).at(Operation::GetRole);
        Ok(self.role.as_ref().ok_or_else(unread)?.need()?.as_ref())
    }

    pub(super) fn syncs_of(&self, account: AccountId, region: &Region) -> Option<&Part<Vec<DataSync>>> {
        self.syncs.iter().find(|of| of.account == account && of.region == *region).map(|of| &of.syncs)
    }

    pub(super) fn need_syncs(&self, account: AccountId, region: &Region) -> Result<&Vec<DataSync>, Error> {
        let missing = || {
            let kind = if self.has_client_of(account) { ErrorKind::Unread } else { ErrorKind::NoClient { account } };
            Error::of(kind).at(Operation::ListResourceDataSync).with_region(region.clone())
        };
        self.syncs_of(account, region).ok_or_else(missing)?.need()
    }

    /// Whether somebody looked with credentials of the account, maybe elsewhere.
    pub(super) fn has_client_of(&self, account: AccountId) -> bool {
        self.caller == Some(account) || self.syncs.iter().any(|of| of.account == account)
    }

    /// One sync; an error where it could not be seen.
    pub(super) fn need_sync(&self, at: &SyncAt) -> Result<Option<&DataSync>, Error> {
        Ok(self.need_syncs(at.account, &at.region)?.iter().find(|sync| sync.name == at.name))
    }

    /// Every sync that was seen.
    pub(super) fn all_syncs(&self) -> impl Iterator<Item = (SyncAt, &DataSync)> {
        self.syncs.iter().flat_map(|of| {
            let known = of.syncs.known().into_iter().flatten();
            known.map(|sync| (SyncAt::new(of.account, &of.region, &sync.name), sync))
        })
    }
}

/// These among the trusted services. AWS cannot filter, so the last one found ends the search.
async fn trusted_services<C: OrganizationsApi + ?Sized>(
    client: &C,
    wanted: &BTreeSet<ServicePrincipal>,
) -> Result<Vec<EnabledService>, Error> {
    let mut found = Vec::new();
    let mut pages = Pages::of(Operation::ListAwsServiceAccessForOrganization);
    while pages.remain() {
        let page = client.list_aws_service_access_for_organization(pages.token()).await?;
        found.extend(page.items.into_iter().filter(|service| wanted.contains(&service.principal)));
        found.sort_by(|one, other| one.principal.cmp(&other.principal));
        found.dedup_by(|one, other| one.principal == other.principal);
        if found.len() == wanted.len() {
            break;
        }
        pages.turn(page.next)?;
    }
    Ok(found)
}

async fn look_up_role(roster: &Roster<'_>, scope: &Scope) -> Option<Result<Option<Role>, Error>> {
    if !scope.role {
        return None;
    }
    let found = roster.management.get_role(&RoleName::ACCOUNT_DISCOVERY).await;
    Some(found)
}

async fn list_syncs(roster: &Roster<'_>, scope: &Scope, organization: &Organization) -> Vec<SyncsOf> {
    let mut looks = Vec::new();
    for region in &scope.regions {
        looks.extend(roster.accounts.iter().map(|(account, client)| look(organization, *account, region, Ok(*client))));
        // A listing does not say whose it is: a client that cannot tell either has seen nobody's syncs.
        if let Err(error) = &roster.caller {
            looks.push(look(organization, organization.management_account, region, Err(error)));
        }
    }
    stream::iter(looks).buffered(AT_ONCE).collect().await
}

async fn look(
    organization: &Organization,
    account: AccountId,
    region: &Region,
    client: Result<&dyn Client, &Error>,
) -> SyncsOf {
    let syncs = match client {
        Ok(client) => Part::of(list(client, organization, account, region).await),
        Err(error) => Part::Unknown(error.into()),
    };
    SyncsOf { account, region: region.clone(), syncs }
}

async fn list(
    ssm: &dyn Client,
    organization: &Organization,
    account: AccountId,
    region: &Region,
) -> Result<Vec<DataSync>, Error> {
    let place = Place { ssm, organization, account, region, patience: Duration::ZERO.into(), own: Own::default() };
    place.list(SyncType::SyncFromSource).await
}
