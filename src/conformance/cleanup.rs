//! Tracking and deletion of the resources that a check creates.

use std::collections::BTreeSet;

use super::Fixture;
use super::client::{OrganizationsClient, RolesClient, SyncsClient};
use super::expectation::{CheckExit, described};
use crate::domain::{AccountId, EnabledService, Region, RoleName, SYSTEMS_MANAGER, SyncName, SyncType};
use crate::error::Error;

/// Resource that a check may have created.
///
/// The variants are in order of deletion: a resource that AWS keeps while another one exists
/// comes after that one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CreatedResource {
    Sync(Region, SyncName),
    MemberSync(Region, SyncName),
    Administrator(AccountId),
    TrustedAccess,
    Role(RoleName),
}

/// Record of the resources that a check may have created.
///
/// A check records a resource before the call that creates it, because a call whose response is
/// lost may have created the resource too.
#[derive(Debug, Default)]
pub(super) struct Cleanup {
    things: BTreeSet<CreatedResource>,
    others: Option<Vec<EnabledService>>,
}

impl Cleanup {
    pub(super) fn will_create(&mut self, thing: CreatedResource) {
        self.things.insert(thing);
    }

    /// Records the other services with trusted access, before the check changes trusted access
    /// for Systems Manager.
    pub(super) fn record_other_services(&mut self, others: Vec<EnabledService>) {
        self.others.get_or_insert(others);
    }

    pub(super) fn holds(&self, thing: &CreatedResource) -> bool {
        self.things.contains(thing)
    }

    /// Deletes all recorded resources. Returns the resources that remain, with the reasons.
    ///
    /// A resource that no read shows is deleted as well, because the read may be stale.
    pub(super) async fn clean_up(self, fixture: &Fixture<'_>) -> Vec<String> {
        let mut left = Vec::new();
        for thing in self.things {
            if let Some(why) = remove(&thing, fixture).await.unwrap_or_else(|stop| Some(stop_reason(stop))) {
                left.push(format!("{}: {why}", named(&thing)));
            }
        }
        // The dates of the other services cannot be restored, so a difference is only reported.
        if let Some(before) = self.others {
            let after = match fixture.organizations() {
                Ok(organizations) => organizations.others().await.map_err(CheckExit::from),
                Err(stop) => Err(stop),
            };
            match after {
                Ok(after) if after == before => {}
                Ok(after) => left.push(format!("the other services: {after:?} instead of {before:?}")),
                Err(stop) => left.push(format!("perhaps the other services: {}", stop_reason(stop))),
            }
        }
        left
    }
}

async fn remove(thing: &CreatedResource, fixture: &Fixture<'_>) -> CleanupResult {
    match thing {
        CreatedResource::Sync(region, name) => delete_sync(&fixture.syncs_in(region.clone())?, name).await,
        CreatedResource::MemberSync(region, name) => {
            delete_sync(&fixture.members_syncs_in(region.clone())?, name).await
        }
        CreatedResource::Administrator(account) => deregister(fixture.organizations()?, *account).await,
        CreatedResource::TrustedAccess => disable(fixture.organizations()?).await,
        CreatedResource::Role(name) => delete_role(fixture.roles()?, name).await,
    }
}

fn stop_reason(stop: CheckExit) -> String {
    match stop {
        CheckExit::Skip { why } | CheckExit::Fail { seen: why, .. } => why,
    }
}

fn named(thing: &CreatedResource) -> String {
    match thing {
        CreatedResource::Sync(region, name) => format!("the data sync {name} in {region}"),
        CreatedResource::MemberSync(region, name) => format!("the member's data sync {name} in {region}"),
        CreatedResource::Administrator(account) => format!("the delegation to {account}"),
        CreatedResource::TrustedAccess => "the trust in Systems Manager".to_owned(),
        CreatedResource::Role(name) => format!("the role {name}"),
    }
}

/// Result of one deletion: `None` once the resource is gone, otherwise the reason why it remains.
type CleanupResult = Result<Option<String>, CheckExit>;

/// Returns why a resource remains after this response to its deletion, or `None` if it is gone.
fn still_present(there: bool, answer: &Result<(), Error>) -> Option<String> {
    there.then(|| match answer {
        Ok(()) => "it stays although its deletion was accepted".to_owned(),
        Err(error) => described(error),
    })
}

async fn delete_sync(syncs: &SyncsClient<'_>, name: &SyncName) -> CleanupResult {
    let answer = syncs.delete(name, SyncType::SyncFromSource).await;
    let seen = syncs.wait_for_sync(name, Option::is_none).await?;
    Ok(still_present(seen.is_some(), &answer))
}

async fn deregister(organizations: OrganizationsClient<'_>, account: AccountId) -> CleanupResult {
    let mut answer = organizations.deregister(account).await;
    // AWS does not document whether deregistering requires trusted access. If it does, trusted
    // access is enabled for the call and disabled right after.
    let without_trust = answer.as_ref().is_err_and(|error| error.code() != Some("AccountNotRegisteredException"))
        && organizations.administrator(account).await?.is_some()
        && organizations.trust().await?.is_none();
    if without_trust && organizations.enable(&SYSTEMS_MANAGER).await.is_ok() {
        organizations.wait_for_trusted_access(true).await?;
        answer = organizations.deregister(account).await;
        // The check may not have recorded trusted access, so the cleanup might not disable it.
        organizations.disable(&SYSTEMS_MANAGER).await?;
    }
    let seen = organizations.wait_for_administrator(account, false).await?;
    Ok(still_present(seen.is_some(), &answer))
}

async fn disable(organizations: OrganizationsClient<'_>) -> CleanupResult {
    let answer = organizations.disable(&SYSTEMS_MANAGER).await;
    let seen = organizations.wait_for_trusted_access(false).await?;
    Ok(still_present(seen.is_some(), &answer))
}

async fn delete_role(roles: RolesClient<'_>, name: &RoleName) -> CleanupResult {
    let answer = roles.delete(name).await;
    let ended = match answer {
        Ok(task) => roles.wait_for_deletion(&task).await.map(|ended| format!("its deletion ended with {ended:?}")),
        Err(error) => Err(error),
    };
    let seen = roles.wait_for_role(name, false).await?;
    Ok(seen.map(|_| ended.unwrap_or_else(|error| described(&error))))
}
