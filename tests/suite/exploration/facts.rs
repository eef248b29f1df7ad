//! State of an organization as far as the runs affect it.

use std::collections::BTreeSet;

use ssm_organizations::domain::RoleName;
use ssm_organizations::{AccountId, Region, ServicePrincipal, SyncName, sim};

use crate::common::{SSM, alice, bob, management, region};

pub const HOME: &str = "eu-central-1";
pub const AWAY: &str = "us-east-1";

/// Returns an unrelated service.
pub fn config() -> ServicePrincipal {
    ServicePrincipal::new("config.amazonaws.com").unwrap()
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceStatus {
    pub trust: bool,
    pub administrators: Vec<AccountId>,
    pub role: bool,
    pub syncs: Vec<(AccountId, Region, SyncName)>,
}

impl ServiceStatus {
    pub fn of(organization: &sim::SimOrganization) -> Self {
        let of = |account| {
            [region(HOME), region(AWAY)].into_iter().flat_map(move |region| {
                let syncs = organization.data_syncs(account, &region);
                syncs.into_iter().map(move |sync| (account, region.clone(), sync.name))
            })
        };
        Self {
            trust: organization.is_trusted(&SSM),
            administrators: organization.administrators(),
            role: organization.has_role(management(), &RoleName::ACCOUNT_DISCOVERY),
            syncs: [management(), alice(), bob()].into_iter().flat_map(of).collect(),
        }
    }
}

/// State that a run reports to have reached.
#[derive(Debug, Clone, Default)]
pub struct ReportedState {
    pub trust: Option<bool>,
    pub administrators: Option<Vec<AccountId>>,
    /// Set if both parts may hold at different moments of the run. A plan reads only the resources
    /// of its steps.
    pub apart: bool,
}

impl ReportedState {
    pub fn exactly(trust: bool, administrators: Vec<AccountId>) -> Self {
        Self { trust: Some(trust), administrators: Some(administrators), apart: false }
    }

    pub fn apart(self) -> Self {
        Self { apart: true, ..self }
    }

    /// Returns whether the state was reached in the final window, or in the whole run if `apart`.
    pub fn was_in(&self, window: &BTreeSet<ServiceStatus>, seen: &BTreeSet<ServiceStatus>) -> bool {
        let trust = |facts: &ServiceStatus| self.trust.is_none_or(|trust| trust == facts.trust);
        let administered = |facts: &ServiceStatus| {
            self.administrators.as_ref().is_none_or(|accounts| *accounts == facts.administrators)
        };
        if self.apart {
            seen.iter().any(trust) && seen.iter().any(administered)
        } else {
            window.iter().any(|facts| trust(facts) && administered(facts))
        }
    }
}
