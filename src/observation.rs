//! Reads what the state of the integration is made of.

use std::time::Duration;

use futures_util::future::{join, join4};

use crate::change::{Change, ChangeKind};
use crate::domain::{AccountId, ServicePrincipal};
use crate::error::{Error, ErrorKind};
use crate::pages::Pages;
use crate::ports::{
    DelegatedAdministrator, EnabledService, FeatureSet, Operation, Organization, OrganizationsApi, StsApi,
};

/// The service that this crate speaks for.
pub(crate) const PRINCIPAL: ServicePrincipal = ServicePrincipal::SYSTEMS_MANAGER;

/// For so long what was read counts as what is.
pub(crate) const FRESH: Duration = Duration::from_secs(10);

/// What does not change under us: read once, then carried.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) organization: Organization,
    /// `None` when the client cannot tell: unknown, which is not "another account".
    pub(crate) caller: Option<AccountId>,
}

/// What may change at any time, of one service. Systems Manager's make the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) principal: ServicePrincipal,
    pub(crate) trusted_access: Option<EnabledService>,
    pub(crate) administrators: Vec<DelegatedAdministrator>,
}

/// Everything at once: four independent reads.
pub(crate) async fn observe<C: OrganizationsApi + StsApi + ?Sized>(client: &C) -> Result<(Known, Facts), Error> {
    let (organization, caller, trusted_access, administrators) = join4(
        client.describe_organization(),
        client.get_caller_identity(),
        trusted_access(client, &PRINCIPAL),
        administrators(client, &PRINCIPAL),
    )
    .await;
    let caller = caller.ok().map(|identity| identity.account);
    let organization = organization.map_err(|error| error.called_as(caller))?;
    let known = Known { organization, caller };
    let billing_only = known.organization.feature_set == Some(FeatureSet::ConsolidatedBilling);
    let explain = |error: Error| {
        let error = error.called_in(&known);
        if billing_only && !error.kind().is_of_the_call() {
            error.explained_by(ErrorKind::NotAllFeatures)
        } else {
            error
        }
    };
    let facts = Facts {
        principal: PRINCIPAL,
        trusted_access: trusted_access.map_err(explain)?,
        administrators: administrators.map_err(explain)?,
    };
    Ok((known, facts))
}

/// What may have changed.
pub(crate) async fn facts<C: OrganizationsApi + ?Sized>(
    client: &C,
    principal: &ServicePrincipal,
) -> Result<Facts, Error> {
    let (trusted_access, administrators) =
        join(trusted_access(client, principal), administrators(client, principal)).await;
    Ok(Facts { principal: principal.clone(), trusted_access: trusted_access?, administrators: administrators? })
}

/// One service among the trusted ones. AWS cannot filter, so presence ends the search and absence takes every page.
pub(crate) async fn trusted_access<C: OrganizationsApi + ?Sized>(
    client: &C,
    principal: &ServicePrincipal,
) -> Result<Option<EnabledService>, Error> {
    let mut pages = Pages::of(Operation::ListAwsServiceAccessForOrganization);
    while pages.remain() {
        let page = client.list_aws_service_access_for_organization(pages.token()).await?;
        if let Some(found) = page.items.into_iter().find(|service| service.principal == *principal) {
            return Ok(Some(found));
        }
        pages.turn(page.next)?;
    }
    Ok(None)
}

/// Every account that administers a service.
pub(crate) async fn administrators<C: OrganizationsApi + ?Sized>(
    client: &C,
    principal: &ServicePrincipal,
) -> Result<Vec<DelegatedAdministrator>, Error> {
    let of_service = |error: Error| error.for_service(principal);
    let mut all: Vec<DelegatedAdministrator> = Vec::new();
    let mut pages = Pages::of(Operation::ListDelegatedAdministrators);
    while pages.remain() {
        let page = client.list_delegated_administrators(principal, pages.token()).await.map_err(of_service)?;
        for found in page.items {
            // A listing that changes under way may show one on two pages.
            if !all.iter().any(|known| known.account == found.account) {
                all.push(found);
            }
        }
        pages.turn(page.next).map_err(of_service)?;
    }
    Ok(all)
}

impl Facts {
    pub(crate) fn administrator(&self, account: AccountId) -> Option<&DelegatedAdministrator> {
        self.administrators.iter().find(|administrator| administrator.account == account)
    }

    pub(crate) fn accounts(&self) -> Vec<AccountId> {
        self.administrators.iter().map(|administrator| administrator.account).collect()
    }

    /// Whether both show the same state, whatever the dates.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        let sorted = |facts: &Self| {
            let mut accounts = facts.accounts();
            accounts.sort_unstable();
            accounts
        };
        self.trusted_access.is_some() == other.trusted_access.is_some() && sorted(self) == sorted(other)
    }

    /// Whether a read is older than changes of ours that earlier reads showed.
    ///
    /// What came back under another date is not old: somebody made it anew.
    pub(crate) fn predates(&self, changes: &[Change]) -> bool {
        let changes: Vec<_> = of_service(changes, &self.principal).collect();
        let trust = changes.iter().rev().find_map(|kind| match kind {
            ChangeKind::TrustedAccessEnabled { .. } => Some(self.trusted_access.is_none()),
            ChangeKind::TrustedAccessDisabled { since, .. } => {
                Some(self.trusted_access.as_ref().is_some_and(|access| same_date(*since, access.since)))
            }
            _ => None,
        });
        let delegation = changes.iter().enumerate().any(|(at, kind)| {
            let (account, denied) = match kind {
                ChangeKind::AdministratorRegistered { account, .. } => {
                    (*account, self.administrator(*account).is_none())
                }
                ChangeKind::AdministratorDeregistered { account, since, .. } => {
                    let back = self.administrator(*account).is_some_and(|found| same_date(*since, found.since));
                    (*account, back)
                }
                _ => return false,
            };
            denied && !changes.iter().skip(at + 1).any(|later| is_delegation_of(later, account))
        });
        trust == Some(true) || delegation
    }
}

/// The changes to one service's integration with the organization.
pub(crate) fn of_service<'a>(
    changes: &'a [Change],
    principal: &'a ServicePrincipal,
) -> impl Iterator<Item = &'a ChangeKind> {
    changes.iter().map(|change| &change.kind).filter(move |kind| kind.principal() == Some(principal))
}

/// Whether one account at most can administer a service.
pub(crate) fn has_one_administrator(principal: &ServicePrincipal) -> bool {
    [PRINCIPAL, ServicePrincipal::QUICK_SETUP].contains(principal)
}

/// A date that AWS does not show tells nothing apart.
pub(crate) fn same_date<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

fn is_delegation_of(kind: &ChangeKind, of: AccountId) -> bool {
    matches!(
        kind,
        ChangeKind::AdministratorRegistered { account, .. } | ChangeKind::AdministratorDeregistered { account, .. }
            if *account == of
    )
}
