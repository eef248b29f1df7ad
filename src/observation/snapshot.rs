use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{join_all, join3, join5};
use futures_util::stream::{self, StreamExt};
use tracing::Instrument;
use tracing::field::display;

use super::clients::{Clients, ClientsByAccount};
use super::paginator::Paginator;
use super::{list_data_syncs, read, retrying};
use crate::domain::limits::MAX_CONCURRENCY;
use crate::domain::{
    Account, AccountId, CallContext, DataSync, DataSyncId, DelegatedAdministrator, EnabledService, Operation,
    Organization, OrganizationalUnit, OrganizationalUnitId, Region, Role, RoleName, SYSTEMS_MANAGER, ServicePrincipal,
    ServiceState, ServiceStatus, SyncType,
};
use crate::error::{Error, ErrorKind, RetryStatus};
use crate::ports::{Client, IamApi, OrganizationsApi};
use crate::trace::Moment;
use crate::trace::span;
use crate::wait::WaitPolicy;

/// Scope of a [`Snapshot`]: the parts to read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct SnapshotScope {
    pub(crate) principals: BTreeSet<ServicePrincipal>,
    pub(crate) role: bool,
    pub(crate) regions: BTreeSet<Region>,
    pub(crate) accounts: BTreeSet<AccountId>,
    pub(crate) units: BTreeSet<OrganizationalUnitId>,
}

impl Default for SnapshotScope {
    fn default() -> Self {
        Self::new()
    }
}

impl SnapshotScope {
    /// Creates a scope that covers Systems Manager's trusted access and administrators.
    pub fn new() -> Self {
        Self {
            principals: BTreeSet::from([SYSTEMS_MANAGER]),
            role: false,
            regions: BTreeSet::new(),
            accounts: BTreeSet::new(),
            units: BTreeSet::new(),
        }
    }

    /// Adds another service.
    pub fn with_companion(mut self, principal: ServicePrincipal) -> Self {
        self.principals.insert(principal);
        self
    }

    /// Adds the service-linked role.
    pub fn with_role(mut self) -> Self {
        self.role = true;
        self
    }

    /// Adds the data syncs in these Regions, for every account that has a client.
    pub fn in_regions(mut self, regions: impl IntoIterator<Item = Region>) -> Self {
        self.regions.extend(regions);
        self
    }

    /// Adds a member account, such as a future delegated administrator.
    pub fn with_account(mut self, account: AccountId) -> Self {
        self.accounts.insert(account);
        self
    }

    /// Adds an organizational unit, such as one that a data sync collects from.
    pub fn with_unit(mut self, unit: OrganizationalUnitId) -> Self {
        self.units.insert(unit);
        self
    }
}

/// Observed state of the organization.
///
/// Parts that could not be read are `Unknown`, which is different from absent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Snapshot {
    pub(crate) organization: Organization,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(crate) caller: Option<AccountId>,
    pub(crate) services: Vec<ServiceReading>,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(crate) role: Option<Reading<Option<Role>>>,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub(crate) syncs: Vec<SyncListing>,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub(crate) accounts: Vec<AccountReading>,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub(crate) units: Vec<UnitReading>,
    #[cfg_attr(feature = "serde", serde(skip))]
    taken: TakenAt,
}

/// Part of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[expect(clippy::exhaustive_enums, reason = "it was read, or it was not")]
pub enum Reading<T> {
    /// The part was read and has this value.
    Known(T),
    /// The part could not be read.
    Unknown(ReadFailure),
}

/// Failed read that left a part of a snapshot unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct ReadFailure {
    /// The read that failed.
    pub operation: Operation,
    /// `true` if AWS denied the read, which requires [`Operation::iam_action`].
    pub denied: bool,
    /// The account that called, if known.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub caller: Option<AccountId>,
    /// The related service that was read; `None` for Systems Manager and for reads about no
    /// service.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub service: Option<ServicePrincipal>,
    /// The Region; `None` for services without Regions.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub region: Option<Region>,
    /// The outlook for the same read: a snapshot taken later may know the part.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "RetryStatus::is_permanent"))]
    pub retry: RetryStatus,
    /// The text of the error.
    pub error: String,
    /// AWS's message, which may name the policy that denies the read.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub message: Option<String>,
}

/// Observed trusted access and delegated administrators of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct ServiceReading {
    /// The service principal.
    pub principal: ServicePrincipal,
    /// The entry of the service in the list of enabled services; `None` if trusted access is
    /// disabled.
    pub trusted_access: Reading<Option<EnabledService>>,
    /// The delegated administrators of the service.
    pub administrators: Reading<Vec<DelegatedAdministrator>>,
    /// `true` if AWS does not recognize the service as one with delegated administrators.
    ///
    /// Such a service, for example `opsdatasync.ssm.amazonaws.com`, works with trusted access only.
    /// AWS: [`ListDelegatedAdministrators`][list].
    ///
    /// [list]: https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListDelegatedAdministrators.html
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub without_delegation: bool,
}

/// Observed Explorer data syncs of one account in one Region.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct SyncListing {
    /// The account.
    pub account: AccountId,
    /// The Region.
    pub region: Region,
    /// The data syncs of the account in the Region.
    pub syncs: Reading<Vec<DataSync>>,
}

/// Observed member account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct AccountReading {
    /// The account.
    pub account: AccountId,
    /// The account as AWS describes it; `None` if the organization has no such account.
    pub details: Reading<Option<Account>>,
}

/// Observed organizational unit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct UnitReading {
    /// The unit.
    pub unit: OrganizationalUnitId,
    /// The unit as AWS describes it; `None` if the organization has no such unit.
    pub details: Reading<Option<OrganizationalUnit>>,
}

/// Time at which this process took a snapshot, until a run uses the snapshot. Clones share it.
///
/// The time is not serialized and not compared.
#[derive(Debug, Clone, Default)]
struct TakenAt(Arc<Mutex<Option<Moment>>>);

impl PartialEq for TakenAt {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for TakenAt {}

impl<T> Reading<T> {
    /// Returns the value; `None` if the part is unknown.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    fn from_result(read: Result<T, Error>) -> Self {
        match read {
            Ok(value) => Self::Known(value),
            Err(error) => Self::Unknown(ReadFailure::from(&error)),
        }
    }

    /// Returns the value.
    ///
    /// An unknown part is an error for the caller that depends on the value.
    pub(crate) fn require(&self) -> Result<&T, Error> {
        match self {
            Self::Known(value) => Ok(value),
            Self::Unknown(unknown) => Err(unknown.to_error()),
        }
    }
}

impl From<&Error> for ReadFailure {
    fn from(error: &Error) -> Self {
        Self {
            operation: error.operation().unwrap_or(Operation::DescribeOrganization),
            denied: *error.kind() == ErrorKind::AccessDenied,
            caller: error.caller(),
            service: error.service().cloned(),
            region: error.region().cloned(),
            retry: error.retry_status(),
            error: format!("{error:#}"),
            message: error.message().map(ToOwned::to_owned),
        }
    }
}

impl ReadFailure {
    fn to_error(&self) -> Error {
        let (kind, message) = if self.denied {
            (ErrorKind::AccessDenied, self.message.as_ref())
        } else {
            (ErrorKind::UnknownState, Some(&self.error))
        };
        let error = message.into_iter().fold(Error::new(kind), Error::with_message);
        let error = error.with_operation(self.operation).with_caller(self.caller).with_retry(self.retry);
        let error = self.service.iter().fold(error, Error::with_service);
        match &self.region {
            Some(region) => error.with_region(region.clone()),
            None => error,
        }
    }
}

impl Snapshot {
    /// Reads the state within the scope and changes nothing.
    ///
    /// # Expected flow
    ///
    /// Concurrently: `GetCallerIdentity` for every client whose account is not known yet,
    /// `DescribeOrganization`, `ListAWSServiceAccessForOrganization`,
    /// `ListDelegatedAdministrators` for each service, `DescribeAccount` for each account in the
    /// scope, `DescribeOrganizationalUnit` for each unit in the scope, `ListResourceDataSync` for
    /// each client and Region and, if the scope includes the
    /// role, `GetRole`.
    ///
    /// # Errors
    ///
    /// Returns the errors of `DescribeOrganization` and of the other clients' `GetCallerIdentity`.
    /// Any other failed read leaves an unknown part in the snapshot.
    ///
    /// # IAM permissions
    ///
    /// The permissions of [`observe`](crate::Integration::observe). A scope with the role adds
    /// `iam:GetRole`; a scope with Regions adds `ssm:ListResourceDataSync`; a scope with accounts
    /// adds `organizations:DescribeAccount`; a scope with units adds
    /// `organizations:DescribeOrganizationalUnit`. AWS: [Delegated
    /// administrator for AWS
    /// services](https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_delegated_admin.html),
    /// [Explorer's resource data
    /// syncs](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-resource-data-sync.html).
    pub async fn take(clients: &Clients<'_>, scope: &SnapshotScope) -> Result<Self, Error> {
        Ok(Self::take_with(clients, scope).await?.1)
    }

    /// Takes a snapshot, and returns the clients by account with it.
    pub(crate) async fn take_with<'c>(
        clients: &'c Clients<'c>,
        scope: &SnapshotScope,
    ) -> Result<(ClientsByAccount<'c>, Self), Error> {
        let span = span!("take_snapshot", caller: None::<AccountId>);
        let taken = Self::read(clients, scope).instrument(span.clone()).await?;
        span.record("caller", taken.0.caller().map(display));
        Ok(taken)
    }

    async fn read<'c>(clients: &'c Clients<'c>, scope: &SnapshotScope) -> Result<(ClientsByAccount<'c>, Self), Error> {
        let client = &clients.retrying_management();
        let concurrency = (MAX_CONCURRENCY / clients.count()).max(1);
        let services = join5(
            client.describe_organization(),
            trusted_services(client, &scope.principals),
            join_all(scope.principals.iter().map(|principal| read::delegation(client, principal))),
            read_role(client, scope),
            join_all(scope.accounts.iter().map(|account| client.describe_account(*account))),
        );
        let listings = clients.read_each(|client| list_syncs(client, &scope.regions, concurrency, clients.wait_policy));
        let units = read::organizational_units(client, &scope.units);
        let ((organization, trusted, administrators, role, accounts), units, listings) =
            join3(services, units, listings).await;
        let (by_account, mut listings) = listings?;
        let caller = by_account.caller();
        let organization = organization.map_err(|error| error.with_caller(caller))?;
        let known = CallContext { organization, caller };
        let trusted = Reading::from_result(trusted.map_err(|error| error.with_context(&known)));
        let services = scope.principals.iter().zip(administrators).map(|(principal, administrators)| ServiceReading {
            principal: principal.clone(),
            trusted_access: match &trusted {
                Reading::Known(all) => Reading::Known(all.iter().find(|found| found.principal == *principal).cloned()),
                Reading::Unknown(unknown) => Reading::Unknown(unknown.clone()),
            },
            without_delegation: matches!(administrators, Ok(None)),
            administrators: Reading::from_result(
                administrators.map(Option::unwrap_or_default).map_err(|error| error.with_context(&known)),
            ),
        });
        let services = services.collect();
        let management = known.organization.management_account;
        // The role belongs to the management account, so another account's response does not
        // describe it.
        let role = role.map(|role| match caller {
            Some(caller) if caller != management => {
                let kind = ErrorKind::NotManagementAccount { management };
                Reading::Unknown(ReadFailure::from(
                    &Error::new(kind).with_operation(Operation::GetRole).with_context(&known),
                ))
            }
            _ => Reading::from_result(role.map_err(|error| error.with_context(&known))),
        });
        let accounts = scope.accounts.iter().zip(accounts).map(|(account, described)| {
            let details = match described {
                // AWS also returns this code to a caller outside every organization.
                Err(error) if error.code() == Some("AccountNotFoundException") => Ok(None),
                described => described.map(Some).map_err(|error| error.with_account(*account).with_context(&known)),
            };
            AccountReading { account: *account, details: Reading::from_result(details) }
        });
        let accounts = accounts.collect();
        let units = scope.units.iter().zip(units).map(|(unit, described)| UnitReading {
            unit: unit.clone(),
            details: Reading::from_result(described.map_err(|error| error.with_context(&known))),
        });
        let units = units.collect();
        let mut syncs = Vec::new();
        for region in &scope.regions {
            for (account, listings) in &mut listings {
                let explain = |error: Error| {
                    let error = error.with_organization(&known.organization).with_caller(Some(*account));
                    error.with_region(region.clone())
                };
                let listing = listings.pop_front().into_iter().map(|listing| SyncListing {
                    account: *account,
                    region: region.clone(),
                    syncs: Reading::from_result(listing.map_err(explain)),
                });
                syncs.extend(listing);
            }
            // A listing does not name its account. If the client cannot tell its account, the owner
            // of the listed syncs is unknown.
            if let Err(error) = &by_account.caller {
                syncs.push(SyncListing {
                    account: management,
                    region: region.clone(),
                    syncs: Reading::Unknown(error.into()),
                });
            }
        }
        let snapshot = Self {
            organization: known.organization,
            caller,
            services,
            role,
            syncs,
            accounts,
            units,
            taken: TakenAt(Arc::new(Mutex::new(Some(Moment::now())))),
        };
        Ok((by_account, snapshot))
    }

    /// Returns the time of the snapshot once, if the snapshot is recent enough to guard the writes
    /// of a run. After a run, the snapshot no longer shows the state.
    pub(crate) fn use_while_current(&self) -> Option<Moment> {
        let taken = self.taken.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.filter(|taken| taken.elapsed() < read::SNAPSHOT_TTL)
    }

    /// Returns the organization.
    #[must_use]
    pub fn organization(&self) -> &Organization {
        &self.organization
    }

    /// Returns the account of the management client's credentials; `None` if the client cannot
    /// tell.
    #[must_use]
    pub fn caller(&self) -> Option<AccountId> {
        self.caller
    }

    /// Returns the state of Systems Manager's integration; `None` if a part of it is unknown.
    #[must_use]
    pub fn state(&self) -> Option<ServiceState> {
        self.service_status(&SYSTEMS_MANAGER).ok().map(|status| status.state())
    }

    /// Returns the services that were read, including Systems Manager.
    #[must_use]
    pub fn services(&self) -> &[ServiceReading] {
        &self.services
    }

    /// Returns the reading of one service; `None` if the service was not read.
    #[must_use]
    pub fn service(&self, principal: &ServicePrincipal) -> Option<&ServiceReading> {
        self.services.iter().find(|service| service.principal == *principal)
    }

    /// Returns the service-linked role in the management account; `None` if the role was not read.
    #[must_use]
    pub fn role(&self) -> Option<&Reading<Option<Role>>> {
        self.role.as_ref()
    }

    /// Returns the data syncs that were read, by account and Region.
    #[must_use]
    pub fn syncs(&self) -> &[SyncListing] {
        &self.syncs
    }

    /// Returns the member accounts that were read.
    #[must_use]
    pub fn accounts(&self) -> &[AccountReading] {
        &self.accounts
    }

    /// Returns the organizational units that were read.
    #[must_use]
    pub fn units(&self) -> &[UnitReading] {
        &self.units
    }

    /// Returns what AWS shows of a member account; `None` if the account was not read or could not
    /// be read.
    pub(crate) fn known_account(&self, account: AccountId) -> Option<&Option<Account>> {
        self.accounts.iter().find(|reading| reading.account == account)?.details.known()
    }

    /// Returns the Regions in which an account has no Explorer data syncs, by account.
    #[must_use]
    pub fn regions_without_syncs(&self) -> BTreeMap<AccountId, Vec<&Region>> {
        let mut regions: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for of in self.syncs.iter().filter(|of| of.syncs.known().is_some_and(Vec::is_empty)) {
            regions.entry(of.account).or_default().push(&of.region);
        }
        regions
    }

    pub(crate) fn require_service(&self, principal: &ServicePrincipal) -> Result<&ServiceReading, Error> {
        let unread = || Error::new(ErrorKind::UnknownState).with_message(format!("{principal} was not looked at"));
        self.service(principal).ok_or_else(unread)
    }

    pub(crate) fn service_status(&self, principal: &ServicePrincipal) -> Result<ServiceStatus, Error> {
        let service = self.require_service(principal)?;
        Ok(ServiceStatus {
            principal: principal.clone(),
            trusted_access: service.trusted_access.require()?.clone(),
            administrators: service.administrators.require()?.clone(),
        })
    }

    pub(crate) fn require_role(&self) -> Result<Option<&Role>, Error> {
        let unread = || Error::new(ErrorKind::UnknownState).with_operation(Operation::GetRole);
        Ok(self.role.as_ref().ok_or_else(unread)?.require()?.as_ref())
    }

    pub(crate) fn syncs_of(&self, account: AccountId, region: &Region) -> Option<&Reading<Vec<DataSync>>> {
        self.syncs.iter().find(|of| of.account == account && of.region == *region).map(|of| &of.syncs)
    }

    pub(crate) fn require_syncs(&self, account: AccountId, region: &Region) -> Result<&Vec<DataSync>, Error> {
        let missing = || {
            let kind = if self.has_client_of(account) {
                ErrorKind::UnknownState
            } else {
                ErrorKind::MissingClient { account }
            };
            Error::new(kind).with_operation(Operation::ListResourceDataSync).with_region(region.clone())
        };
        self.syncs_of(account, region).ok_or_else(missing)?.require()
    }

    /// Returns whether the snapshot was taken with a client of the account, in any Region.
    pub(crate) fn has_client_of(&self, account: AccountId) -> bool {
        self.caller == Some(account) || self.syncs.iter().any(|of| of.account == account)
    }

    /// Returns one sync. Fails if the account's syncs in the Region are unknown.
    pub(crate) fn require_sync(&self, at: &DataSyncId) -> Result<Option<&DataSync>, Error> {
        Ok(self.require_syncs(at.account, &at.region)?.iter().find(|sync| sync.name == at.name))
    }

    /// Returns every sync that was read.
    pub(crate) fn all_syncs(&self) -> impl Iterator<Item = (DataSyncId, &DataSync)> {
        self.syncs.iter().flat_map(|of| {
            let known = of.syncs.known().into_iter().flatten();
            known.map(|sync| (DataSyncId::new(of.account, &of.region, &sync.name), sync))
        })
    }
}

/// Returns the entries of these services among those with trusted access enabled.
///
/// AWS cannot filter the listing, so reading ends when all of the services are found.
async fn trusted_services<C: OrganizationsApi + ?Sized>(
    client: &C,
    wanted: &BTreeSet<ServicePrincipal>,
) -> Result<Vec<EnabledService>, Error> {
    let mut found = Vec::new();
    let mut pages = Paginator::new(Operation::ListAwsServiceAccessForOrganization);
    while pages.has_next() {
        let page = client.list_aws_service_access_for_organization(pages.token()).await?;
        found.extend(page.items.into_iter().filter(|service| wanted.contains(&service.principal)));
        found.sort_by(|one, other| one.principal.cmp(&other.principal));
        found.dedup_by(|one, other| one.principal == other.principal);
        if found.len() == wanted.len() {
            break;
        }
        pages.advance(page.next)?;
    }
    Ok(found)
}

async fn read_role<I: IamApi + ?Sized>(iam: &I, scope: &SnapshotScope) -> Option<Result<Option<Role>, Error>> {
    if !scope.role {
        return None;
    }
    Some(iam.get_role(&RoleName::ACCOUNT_DISCOVERY).await)
}

/// Lists the data syncs of a client's account in each Region, in the order of the Regions.
async fn list_syncs(
    client: &dyn Client,
    regions: &BTreeSet<Region>,
    concurrency: usize,
    wait_policy: WaitPolicy<'_>,
) -> VecDeque<Result<Vec<DataSync>, Error>> {
    let client = &retrying(client, wait_policy);
    let listings: Vec<_> =
        regions.iter().map(|region| list_data_syncs(client, region, SyncType::SyncFromSource)).collect();
    stream::iter(listings).buffered(concurrency).collect().await
}
