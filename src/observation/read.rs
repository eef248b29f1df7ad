//! Reads the status of the integration: the organization, trusted access, administrators and
//! caller.

use std::time::Duration;

use futures_util::future::{join, join4};
use futures_util::stream::{self, StreamExt};

use super::{Paginator, retrying};
use crate::domain::limits::UNIT_CONCURRENCY;
use crate::domain::{
    AccountId, CallContext, DelegatedAdministrator, EnabledService, FeatureSet, Operation, OrganizationalUnit,
    OrganizationalUnitId, SYSTEMS_MANAGER, ServicePrincipal, ServiceStatus,
};
use crate::error::{Error, ErrorKind};
use crate::ports::{OrganizationsApi, StsApi};
use crate::wait::WaitPolicy;

/// Period during which a snapshot counts as current.
pub(crate) const SNAPSHOT_TTL: Duration = Duration::from_secs(10);

/// Reads the account of a client's credentials.
pub(crate) async fn caller_account<C: StsApi + ?Sized>(client: &C, policy: WaitPolicy<'_>) -> Result<AccountId, Error> {
    Ok(retrying(client, policy).get_caller_identity().await?.account)
}

/// Observes the integration with four independent reads, sent concurrently.
pub(crate) async fn observe<C: OrganizationsApi + StsApi + ?Sized>(
    client: &C,
) -> Result<(CallContext, ServiceStatus), Error> {
    let (organization, caller, trusted_access, administrators) = join4(
        client.describe_organization(),
        client.get_caller_identity(),
        trusted_access(client, &SYSTEMS_MANAGER),
        administrators(client, &SYSTEMS_MANAGER),
    )
    .await;
    let caller = caller.ok().map(|identity| identity.account);
    let organization = organization.map_err(|error| error.with_caller(caller))?;
    let known = CallContext { organization, caller };
    let billing_only = known.organization.feature_set == Some(FeatureSet::ConsolidatedBilling);
    let explain = |error: Error| {
        let error = error.with_context(&known);
        if billing_only && !error.kind().concerns_call_only() {
            error.with_confirmed_kind(ErrorKind::NotAllFeatures)
        } else {
            error
        }
    };
    let facts = ServiceStatus {
        principal: SYSTEMS_MANAGER,
        trusted_access: trusted_access.map_err(explain)?,
        administrators: administrators.map_err(explain)?,
    };
    Ok((known, facts))
}

/// Reads a service's trusted access and delegated administrators.
pub(crate) async fn service_status<C: OrganizationsApi + ?Sized>(
    client: &C,
    principal: &ServicePrincipal,
) -> Result<ServiceStatus, Error> {
    let (trusted_access, administrators) =
        join(trusted_access(client, principal), administrators(client, principal)).await;
    Ok(ServiceStatus { principal: principal.clone(), trusted_access: trusted_access?, administrators: administrators? })
}

/// Returns a service's entry among those with trusted access enabled.
///
/// AWS cannot filter the listing. Reading ends at the entry, or after the last page if it is
/// absent.
pub(crate) async fn trusted_access<C: OrganizationsApi + ?Sized>(
    client: &C,
    principal: &ServicePrincipal,
) -> Result<Option<EnabledService>, Error> {
    let mut pages = Paginator::new(Operation::ListAwsServiceAccessForOrganization);
    while pages.has_next() {
        let page = client.list_aws_service_access_for_organization(pages.token()).await?;
        if let Some(found) = page.items.into_iter().find(|service| service.principal == *principal) {
            return Ok(Some(found));
        }
        pages.advance(page.next)?;
    }
    Ok(None)
}

/// Returns all delegated administrators of a service.
///
/// A service without delegation has none.
pub(crate) async fn administrators<C: OrganizationsApi + ?Sized>(
    client: &C,
    principal: &ServicePrincipal,
) -> Result<Vec<DelegatedAdministrator>, Error> {
    Ok(delegation(client, principal).await?.unwrap_or_default())
}

/// Returns all delegated administrators of a service, or `None` for a service without delegation.
pub(super) async fn delegation<C: OrganizationsApi + ?Sized>(
    client: &C,
    principal: &ServicePrincipal,
) -> Result<Option<Vec<DelegatedAdministrator>>, Error> {
    let of_service = |error: Error| error.with_service(principal);
    let mut all: Vec<DelegatedAdministrator> = Vec::new();
    let mut pages = Paginator::new(Operation::ListDelegatedAdministrators);
    while pages.has_next() {
        let token = pages.token();
        let is_first = token.is_none();
        let page = match client.list_delegated_administrators(principal, token).await.map_err(of_service) {
            Err(error) if is_first && error.is_of_service_without_delegation() => return Ok(None),
            page => page?,
        };
        for found in page.items {
            // An account can appear on two pages if the listing changes between the reads.
            if !all.iter().any(|known| known.account == found.account) {
                all.push(found);
            }
        }
        pages.advance(page.next).map_err(of_service)?;
    }
    Ok(Some(all))
}

/// Reads organizational units concurrently, in order. `None` stands for a unit that does not exist.
pub(crate) async fn organizational_units<C: OrganizationsApi + ?Sized>(
    client: &C,
    units: impl IntoIterator<Item = &OrganizationalUnitId>,
) -> Vec<Result<Option<OrganizationalUnit>, Error>> {
    let reads: Vec<_> = units.into_iter().map(|unit| client.describe_organizational_unit(unit)).collect();
    let found: Vec<_> = stream::iter(reads).buffered(UNIT_CONCURRENCY).collect().await;
    found
        .into_iter()
        .map(|read| match read {
            Err(error) if error.code() == Some("OrganizationalUnitNotFoundException") => Ok(None),
            read => read.map(Some),
        })
        .collect()
}
