use std::collections::BTreeSet;
use std::fmt;

use ssm_organizations::plan::Snapshot;
use ssm_organizations::{AccountId, Change, ChangeKind, Observed, OrganizationId, ServicePrincipal};

/// Where Systems Manager's integration with an organization is, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) organization: OrganizationId,
    pub(crate) trusted: Option<bool>,
    pub(crate) administrators: Option<BTreeSet<AccountId>>,
}

impl Standing {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let service = snapshot.service(&ServicePrincipal::SYSTEMS_MANAGER);
        let administrators = service.and_then(|service| service.administrators.known());
        Self {
            organization: snapshot.organization().id.clone(),
            trusted: service.and_then(|service| service.trusted_access.known()).map(Option::is_some),
            administrators: administrators.map(|all| all.iter().map(|found| found.account).collect()),
        }
    }

    pub(crate) fn of_observed<C>(seen: &Observed<C>) -> Self {
        Self {
            organization: seen.organization().id.clone(),
            trusted: Some(seen.trusted_access().is_some()),
            administrators: Some(seen.administrators().iter().map(|found| found.account).collect()),
        }
    }

    /// The same after changes that were seen to their end.
    pub(crate) fn after(mut self, changes: &[Change]) -> Self {
        for change in changes {
            match &change.kind {
                ChangeKind::TrustedAccessEnabled { principal, .. } if is_own(principal) => self.trusted = Some(true),
                ChangeKind::TrustedAccessDisabled { principal, .. } if is_own(principal) => self.trusted = Some(false),
                ChangeKind::AdministratorRegistered { account, principal, .. } if is_own(principal) => {
                    self.administrators.get_or_insert_default().insert(*account);
                }
                ChangeKind::AdministratorDeregistered { account, principal, .. } if is_own(principal) => {
                    self.administrators.get_or_insert_default().remove(account);
                }
                _ => {}
            }
        }
        self
    }

    pub(crate) fn name(&self) -> &'static str {
        let Some((trusted, administrators)) = self.trusted.zip(self.administrators.as_ref()) else { return "Unknown" };
        match (trusted, administrators.len()) {
            (false, 0) => "Disabled",
            (true, 0) => "TrustedAccess",
            (true, 1) => "Delegated",
            _ => "Irregular",
        }
    }
}

fn is_own(principal: &ServicePrincipal) -> bool {
    *principal == ServicePrincipal::SYSTEMS_MANAGER
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, organization) = (self.name(), &self.organization);
        let accounts: Vec<_> = self.administrators.iter().flatten().map(ToString::to_string).collect();
        let accounts = accounts.join(" and ");
        match name {
            "Disabled" => write!(f, "{name}: Systems Manager is not trusted in organization {organization}"),
            "TrustedAccess" => write!(f, "{name}: Systems Manager is trusted in organization {organization}"),
            "Delegated" => {
                write!(f, "{name}: account {accounts} administers Systems Manager in organization {organization}")
            }
            "Irregular" => {
                write!(f, "{name}: Systems Manager in organization {organization} is administered by {accounts}")?;
                f.write_str(if self.trusted == Some(true) { "" } else { ", without being trusted" })
            }
            _ => write!(f, "{name}: not everything about organization {organization} can be read"),
        }
    }
}
