//! What an organization is like at one moment, as far as the runs are about it.

use std::collections::BTreeSet;

use ssm_organizations::{AccountId, ServicePrincipal, SyncName, sim};

use crate::common::{SSM, alice, bob, management, region};

pub const HOME: &str = "eu-central-1";

/// A service that is none of our business.
pub fn config() -> ServicePrincipal {
    ServicePrincipal::new("config.amazonaws.com").unwrap()
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Facts {
    pub trust: bool,
    pub administrators: Vec<AccountId>,
    pub syncs: Vec<(AccountId, SyncName)>,
}

impl Facts {
    pub fn of(organization: &sim::Organization) -> Self {
        let of = |account| {
            let syncs = organization.data_syncs(account, &region(HOME));
            syncs.into_iter().map(move |sync| (account, sync.name))
        };
        Self {
            trust: organization.is_trusted(&SSM),
            administrators: organization.administrators(),
            syncs: [management(), alice(), bob()].into_iter().flat_map(of).collect(),
        }
    }
}

/// What a run says to have reached.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub trust: Option<bool>,
    pub administrators: Option<Vec<AccountId>>,
    /// Whether both were so at some moment of the run, and not at the same one: a plan looks at what it has steps for.
    pub apart: bool,
}

impl Wanted {
    pub fn exactly(trust: bool, administrators: Vec<AccountId>) -> Self {
        Self { trust: Some(trust), administrators: Some(administrators), apart: false }
    }

    pub fn apart(self) -> Self {
        Self { apart: true, ..self }
    }

    /// Whether it was reached, by what was the case in the last moments and in the whole of the run.
    pub fn was_in(&self, window: &BTreeSet<Facts>, seen: &BTreeSet<Facts>) -> bool {
        let trust = |facts: &Facts| self.trust.is_none_or(|trust| trust == facts.trust);
        let administered =
            |facts: &Facts| self.administrators.as_ref().is_none_or(|accounts| *accounts == facts.administrators);
        if self.apart {
            seen.iter().any(trust) && seen.iter().any(administered)
        } else {
            window.iter().any(|facts| trust(facts) && administered(facts))
        }
    }
}
