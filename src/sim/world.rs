use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::faults::Faults;
use super::log::Call;
use crate::domain::{AccountId, OrganizationId, Partition, Region, ServicePrincipal};
use crate::ports::{AccountState, DataSync, FeatureSet};

/// Everything there is.
#[derive(Debug)]
pub(super) struct World {
    pub(super) id: OrganizationId,
    pub(super) management: AccountId,
    pub(super) partition: Partition,
    pub(super) feature_set: FeatureSet,
    pub(super) members: Members,
    pub(super) syncs: BTreeMap<(AccountId, Region), Vec<DataSync>>,
    pub(super) page_size: usize,
    pub(super) empty_pages: bool,
    pub(super) latency: Duration,
    /// How far behind reads are.
    pub(super) lag: Duration,
    pub(super) faults: Faults,
    pub(super) calls: Vec<Call>,
    /// What reads may show: the newest last, each from its moment on.
    pub(super) history: Vec<(Instant, Shown)>,
    pub(super) clock: Clock,
}

/// The part of the organization that lags.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown {
    pub(super) trusted: BTreeMap<ServicePrincipal, SystemTime>,
    pub(super) delegations: BTreeMap<ServicePrincipal, BTreeMap<AccountId, SystemTime>>,
}

impl World {
    /// What is.
    pub(super) fn truth(&self) -> &Shown {
        static NOTHING: Shown = Shown { trusted: BTreeMap::new(), delegations: BTreeMap::new() };
        self.history.last().map_or(&NOTHING, |(_, shown)| shown)
    }

    /// What a read shows.
    pub(super) fn shown(&self) -> &Shown {
        let now = Instant::now();
        let visible = self.history.iter().rev().find(|(since, _)| *since + self.lag <= now);
        visible.or(self.history.first()).map_or_else(|| self.truth(), |(_, shown)| shown)
    }

    fn change(&mut self, change: impl FnOnce(&mut Shown, SystemTime)) {
        let mut next = self.truth().clone();
        change(&mut next, self.clock.date());
        let now = Instant::now();
        // Nobody will read what was before the newest that is visible already.
        if let Some(visible) = self.history.iter().rposition(|(since, _)| *since + self.lag <= now) {
            self.history.drain(..visible);
        }
        self.history.push((now, next));
    }

    pub(super) fn trust(&mut self, principal: &ServicePrincipal) {
        self.change(|shown, date| {
            shown.trusted.entry(principal.clone()).or_insert(date);
        });
    }

    pub(super) fn distrust(&mut self, principal: &ServicePrincipal) {
        self.change(|shown, _| {
            shown.trusted.remove(principal);
        });
    }

    pub(super) fn delegate(&mut self, principal: &ServicePrincipal, account: AccountId) {
        self.change(|shown, date| {
            shown.delegations.entry(principal.clone()).or_default().entry(account).or_insert(date);
        });
    }

    pub(super) fn undelegate(&mut self, principal: &ServicePrincipal, account: AccountId) {
        self.change(|shown, _| {
            if let Some(accounts) = shown.delegations.get_mut(principal) {
                accounts.remove(&account);
            }
        });
    }

    pub(super) fn is_trusted(&self, principal: &ServicePrincipal) -> bool {
        self.truth().trusted.contains_key(principal)
    }

    pub(super) fn administrators(&self, principal: &ServicePrincipal) -> Vec<AccountId> {
        self.truth().delegations.get(principal).map(|accounts| accounts.keys().copied().collect()).unwrap_or_default()
    }

    pub(super) fn is_administrator_of_anything(&self, account: AccountId) -> bool {
        self.truth().delegations.values().any(|accounts| accounts.contains_key(&account))
    }
}

/// The member accounts: those that were named, and a number of nameless ones that take no room.
#[derive(Debug, Default)]
pub(super) struct Members {
    named: BTreeMap<AccountId, AccountState>,
    nameless: u64,
}

/// The first of the nameless members.
const FIRST_NAMELESS: u64 = 500_000_000_000;

impl Members {
    pub(super) fn set(&mut self, account: AccountId, state: AccountState) {
        self.named.insert(account, state);
    }

    pub(super) fn set_nameless(&mut self, count: u64) {
        self.nameless = count;
    }

    pub(super) fn state(&self, account: AccountId) -> Option<AccountState> {
        self.named.get(&account).cloned().or_else(|| {
            let number = account.as_str().parse::<u64>().ok()?.checked_sub(FIRST_NAMELESS)?;
            (number < self.nameless).then_some(AccountState::Active)
        })
    }
}

/// AWS's dates: tokio's time, and never the same one twice.
#[derive(Debug)]
pub(super) struct Clock {
    begun: Instant,
    last: Duration,
}

/// The date at which every organization in memory begins: 2026-01-01, 56 years with 14 leap days after Unix's.
const BEGINNING: Duration = Duration::from_hours((56 * 365 + 14) * 24);

impl Clock {
    pub(super) fn new() -> Self {
        Self { begun: Instant::now(), last: Duration::ZERO }
    }

    pub(super) fn date(&mut self) -> SystemTime {
        self.last = self.begun.elapsed().max(self.last + Duration::from_millis(1));
        SystemTime::UNIX_EPOCH + BEGINNING + self.last
    }
}
