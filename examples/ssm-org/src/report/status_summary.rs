use std::collections::BTreeSet;
use std::fmt;

use ssm_organizations::domain::{OrganizationId, ServiceState};
use ssm_organizations::plan::Snapshot;
use ssm_organizations::{AccountId, ServicePrincipal};

/// State of Systems Manager in an organization. Unknown parts are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatusSummary {
    pub(crate) organization: OrganizationId,
    state: Option<ServiceState>,
    pub(crate) trusted: Option<bool>,
    pub(crate) administrators: Option<BTreeSet<AccountId>>,
}

impl StatusSummary {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let service = snapshot.service(&ServicePrincipal::SYSTEMS_MANAGER);
        let administrators = service.and_then(|service| service.administrators.known());
        Self {
            organization: snapshot.organization().id.clone(),
            state: snapshot.state(),
            trusted: service.and_then(|service| service.trusted_access.known()).map(Option::is_some),
            administrators: administrators.map(|all| all.iter().map(|found| found.account).collect()),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.state.map_or("Unknown", ServiceState::as_str)
    }
}

impl fmt::Display for StatusSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, organization) = (self.name(), &self.organization);
        let accounts: Vec<_> = self.administrators.iter().flatten().map(ToString::to_string).collect();
        let accounts = accounts.join(" and ");
        match self.state {
            Some(ServiceState::Disabled) => {
                write!(f, "{name}: trusted access is disabled in organization {organization}")
            }
            Some(ServiceState::TrustedAccess) => {
                write!(f, "{name}: trusted access is enabled in organization {organization}")
            }
            Some(ServiceState::Delegated) => {
                write!(f, "{name}: account {accounts} administers Systems Manager in organization {organization}")
            }
            Some(ServiceState::Inconsistent) => {
                write!(f, "{name}: Systems Manager in organization {organization} is administered by {accounts}")?;
                f.write_str(if self.trusted == Some(true) { "" } else { ", without trusted access" })
            }
            None => write!(f, "{name}: organization {organization} cannot be read completely"),
        }
    }
}
