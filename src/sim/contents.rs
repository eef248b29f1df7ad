//! State of the organization that calls can change.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use crate::domain::{AccountId, DataSync, Region, Role, RoleName, ServicePrincipal, SyncName, SyncState, SyncType};

/// State that calls can change. Delayed reads require a clone per change, so the accounts are
/// stored elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) trusted: BTreeMap<ServicePrincipal, SystemTime>,
    pub(super) delegations: BTreeMap<ServicePrincipal, BTreeMap<AccountId, SystemTime>>,
    pub(super) roles: BTreeMap<(AccountId, RoleName), Role>,
    pub(super) syncs: BTreeMap<(AccountId, Region), BTreeMap<SyncName, Sync>>,
}

/// Contents without entries.
pub(super) static EMPTY: Contents =
    Contents { trusted: BTreeMap::new(), delegations: BTreeMap::new(), roles: BTreeMap::new(), syncs: BTreeMap::new() };

/// Data sync of either type. Both types share one namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sync {
    pub(super) sync_type: SyncType,
    pub(super) shown: DataSync,
}

impl Contents {
    pub(super) fn newest_date(&self) -> Option<SystemTime> {
        let trusted = self.trusted.values();
        let delegated = self.delegations.values().flat_map(BTreeMap::values);
        let roles = self.roles.values().filter_map(|role| role.created.as_ref());
        let syncs = self.syncs.values().flat_map(BTreeMap::values);
        let syncs = syncs.flat_map(|Sync { shown, .. }| {
            [&shown.created, &shown.modified, &shown.last_run, &shown.last_success].into_iter().flatten()
        });
        trusted.chain(delegated).chain(roles).chain(syncs).max().copied()
    }

    pub(super) fn is_trusted(&self, principal: &ServicePrincipal) -> bool {
        self.trusted.contains_key(principal)
    }

    pub(super) fn enable_trusted_access(&mut self, principal: &ServicePrincipal, date: SystemTime) {
        self.trusted.entry(principal.clone()).or_insert(date);
    }

    /// Disables trusted access. Syncs of the organization remain, in the state
    /// `TrustedAccessDisabled`.
    pub(super) fn disable_trusted_access(&mut self, principal: &ServicePrincipal) {
        let was_trusted = self.trusted.remove(principal).is_some();
        if was_trusted && *principal == ServicePrincipal::SYSTEMS_MANAGER {
            for sync in self.organization_syncs_mut() {
                sync.shown.state = SyncState::TrustedAccessDisabled;
            }
        }
    }

    /// Makes syncs that failed without trusted access healthy again.
    pub(super) fn recover_syncs(&mut self) {
        for sync in self.organization_syncs_mut().filter(|sync| sync.shown.state == SyncState::TrustedAccessDisabled) {
            sync.shown.state = SyncState::Healthy;
        }
    }

    fn organization_syncs_mut(&mut self) -> impl Iterator<Item = &mut Sync> {
        self.syncs.values_mut().flat_map(BTreeMap::values_mut).filter(|sync| sync.is_of_organization())
    }

    pub(super) fn administrators(&self, principal: &ServicePrincipal) -> Vec<AccountId> {
        self.delegations.get(principal).into_iter().flat_map(BTreeMap::keys).copied().collect()
    }

    pub(super) fn administers(&self, account: AccountId, principal: &ServicePrincipal) -> bool {
        self.delegations.get(principal).is_some_and(|accounts| accounts.contains_key(&account))
    }

    pub(super) fn administers_anything(&self, account: AccountId) -> bool {
        self.delegations.values().any(|accounts| accounts.contains_key(&account))
    }

    pub(super) fn register(&mut self, principal: &ServicePrincipal, account: AccountId, date: SystemTime) {
        self.delegations.entry(principal.clone()).or_default().entry(account).or_insert(date);
    }

    pub(super) fn deregister(&mut self, principal: &ServicePrincipal, account: AccountId) {
        if let Some(accounts) = self.delegations.get_mut(principal) {
            accounts.remove(&account);
            if accounts.is_empty() {
                self.delegations.remove(principal);
            }
        }
    }

    pub(super) fn syncs_of(&self, account: AccountId, region: &Region) -> impl Iterator<Item = &Sync> {
        self.syncs.get(&(account, region.clone())).into_iter().flat_map(BTreeMap::values)
    }

    pub(super) fn add_sync(&mut self, account: AccountId, region: Region, sync: Sync) {
        self.syncs.entry((account, region)).or_default().insert(sync.shown.name.clone(), sync);
    }

    pub(super) fn remove_sync(&mut self, account: AccountId, region: &Region, name: &SyncName) {
        let key = (account, region.clone());
        if let Some(syncs) = self.syncs.get_mut(&key) {
            syncs.remove(name);
            if syncs.is_empty() {
                self.syncs.remove(&key);
            }
        }
    }

    /// Removes an account's syncs of the organization in every Region except `spared`.
    pub(super) fn remove_organization_syncs_of(&mut self, account: AccountId, spared: &BTreeSet<Region>) {
        self.syncs.retain(|(owner, region), syncs| {
            if *owner == account && !spared.contains(region) {
                syncs.retain(|_, sync| !sync.is_of_organization());
            }
            !syncs.is_empty()
        });
    }

    /// Returns Explorer's syncs with their owners and Regions.
    pub(super) fn explorer_syncs(&self) -> impl Iterator<Item = (AccountId, &Region, &Sync)> {
        self.syncs.iter().flat_map(|((owner, region), syncs)| {
            let explorers = syncs.values().filter(|sync| sync.sync_type == SyncType::SyncFromSource);
            explorers.map(move |sync| (*owner, region, sync))
        })
    }
}

impl Sync {
    pub(super) fn is_of_organization(&self) -> bool {
        self.sync_type == SyncType::SyncFromSource && self.shown.is_of_organization()
    }
}
