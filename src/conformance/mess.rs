//! What a check may have made, and taking it away again.

use std::collections::BTreeSet;

use super::Fixture;
use super::ask::{Organizations, Roles, Syncs};
use super::outcome::{Stop, described};
use crate::domain::{AccountId, Region, RoleName, SyncName};
use crate::error::Error;
use crate::observation::PRINCIPAL;
use crate::ports::{EnabledService, SyncType};

/// Something that a check may have made. In the order in which it has to be taken away: what AWS does not delete while another
/// thing is there comes after that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Thing {
    Sync(Region, SyncName),
    MembersSync(Region, SyncName),
    Administrator(AccountId),
    Trust,
    Role(RoleName),
}

/// Everything that a check may have made.
///
/// A thing is noted before the call that makes it: a call without an answer may have made it too.
#[derive(Debug, Default)]
pub(super) struct Mess {
    things: BTreeSet<Thing>,
    others: Option<Vec<EnabledService>>,
}

impl Mess {
    pub(super) fn may_hold(&mut self, thing: Thing) {
        self.things.insert(thing);
    }

    /// The other services, before the check touched the trust in Systems Manager.
    pub(super) fn others_were(&mut self, others: Vec<EnabledService>) {
        self.others.get_or_insert(others);
    }

    pub(super) fn holds(&self, thing: &Thing) -> bool {
        self.things.contains(thing)
    }

    /// Takes everything away again. Answers what stays, and why.
    ///
    /// No thing is left alone because a read does not show it: the read may be late.
    pub(super) async fn clean_up(self, fixture: &Fixture<'_>) -> Vec<String> {
        let mut left = Vec::new();
        for thing in self.things {
            if let Some(why) = take_away(&thing, fixture).await.unwrap_or_else(|stop| Some(why(stop))) {
                left.push(format!("{}: {why}", named(&thing)));
            }
        }
        // Nothing of that can be put back, so it is at least said.
        if let Some(before) = self.others {
            let after = match fixture.organizations() {
                Ok(organizations) => organizations.others().await.map_err(Stop::from),
                Err(stop) => Err(stop),
            };
            match after {
                Ok(after) if after == before => {}
                Ok(after) => left.push(format!("the other services: {after:?} instead of {before:?}")),
                Err(stop) => left.push(format!("perhaps the other services: {}", why(stop))),
            }
        }
        left
    }
}

async fn take_away(thing: &Thing, fixture: &Fixture<'_>) -> Cleaned {
    match thing {
        Thing::Sync(region, name) => delete_sync(&fixture.syncs_in(region.clone())?, name).await,
        Thing::MembersSync(region, name) => delete_sync(&fixture.members_syncs_in(region.clone())?, name).await,
        Thing::Administrator(account) => deregister(fixture.organizations()?, *account).await,
        Thing::Trust => disable(fixture.organizations()?).await,
        Thing::Role(name) => delete_role(fixture.roles()?, name).await,
    }
}

fn why(stop: Stop) -> String {
    match stop {
        Stop::Skip { why } | Stop::Fail { seen: why, .. } => why,
    }
}

fn named(thing: &Thing) -> String {
    match thing {
        Thing::Sync(region, name) => format!("the data sync {name} in {region}"),
        Thing::MembersSync(region, name) => format!("the member's data sync {name} in {region}"),
        Thing::Administrator(account) => format!("the delegation to {account}"),
        Thing::Trust => "the trust in Systems Manager".to_owned(),
        Thing::Role(name) => format!("the role {name}"),
    }
}

/// `None` once it is gone, or why it is not.
type Cleaned = Result<Option<String>, Stop>;

/// A thing that is still there, after this answer to its deletion.
fn stays(there: bool, answer: &Result<(), Error>) -> Option<String> {
    there.then(|| match answer {
        Ok(()) => "it stays although its deletion was accepted".to_owned(),
        Err(error) => described(error),
    })
}

async fn delete_sync(syncs: &Syncs<'_>, name: &SyncName) -> Cleaned {
    let answer = syncs.delete(name, SyncType::SyncFromSource).await;
    let seen = syncs.find_once(name, Option::is_none).await?;
    Ok(stays(seen.is_some(), &answer))
}

async fn deregister(organizations: Organizations<'_>, account: AccountId) -> Cleaned {
    let mut answer = organizations.deregister(account).await;
    // AWS's documents do not say whether it takes trust to deregister. The trust that this makes is the next thing to go.
    let without_trust = answer.as_ref().is_err_and(|error| error.code() != Some("AccountNotRegisteredException"))
        && organizations.administrator(account).await?.is_some()
        && organizations.trust().await?.is_none();
    if without_trust && organizations.enable(&PRINCIPAL).await.is_ok() {
        organizations.trust_once(true).await?;
        answer = organizations.deregister(account).await;
        // Where it was not this check's to begin with, nothing else would take it away.
        organizations.disable(&PRINCIPAL).await?;
    }
    let seen = organizations.administrator_once(account, false).await?;
    Ok(stays(seen.is_some(), &answer))
}

async fn disable(organizations: Organizations<'_>) -> Cleaned {
    let answer = organizations.disable(&PRINCIPAL).await;
    let seen = organizations.trust_once(false).await?;
    Ok(stays(seen.is_some(), &answer))
}

async fn delete_role(roles: Roles<'_>, name: &RoleName) -> Cleaned {
    let answer = roles.delete(name).await;
    let ended = match answer {
        Ok(task) => roles.end_of(&task).await.map(|ended| format!("its deletion ended with {ended:?}")),
        Err(error) => Err(error),
    };
    let seen = roles.get_once(name, false).await?;
    Ok(seen.map(|_| ended.unwrap_or_else(|error| described(&error))))
}
