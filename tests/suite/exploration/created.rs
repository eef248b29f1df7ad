//! Resources that a run considers its own.

use std::collections::BTreeMap;

use ssm_organizations::AccountId;
use ssm_organizations::ports::Operation;

use super::facts::ServiceStatus;

/// Returns the read that shows the effect of a write.
fn look_at(write: Operation) -> Option<Operation> {
    match write {
        Operation::EnableAwsServiceAccess => Some(Operation::ListAwsServiceAccessForOrganization),
        Operation::RegisterDelegatedAdministrator => Some(Operation::ListDelegatedAdministrators),
        _ => None,
    }
}

/// Resource that a run created, according to its reads.
#[derive(Debug)]
struct CreatedResource {
    administrator: Option<AccountId>,
    /// Number of changes of the read's result when the resource was first seen.
    seen: Option<usize>,
}

/// AWS's response to a write does not identify the resource, so a run considers the first one that
/// it reads afterwards as its own. AWS has no conditional writes, so another caller can recreate
/// the resource after the last read.
#[derive(Debug, Default)]
pub struct CreatedResources {
    made: BTreeMap<Operation, CreatedResource>,
    /// Last read of each kind: its ticket, and whether it showed no resource of others.
    looks: BTreeMap<Operation, (usize, bool)>,
}

impl CreatedResources {
    /// Records the response to a call after the given number of changes.
    pub fn called(
        &mut self,
        call: (Operation, Option<AccountId>),
        ticket: usize,
        changes: usize,
        facts: &ServiceStatus,
    ) {
        let (operation, administrator) = call;
        if let Some(look) = look_at(operation) {
            self.made.insert(look, CreatedResource { administrator, seen: None });
        }
        let made = self.made.get_mut(&operation);
        let there = match operation {
            Operation::ListAwsServiceAccessForOrganization => facts.trust,
            Operation::ListDelegatedAdministrators => match made.as_ref().and_then(|made| made.administrator) {
                Some(account) => facts.administrators.contains(&account),
                None => !facts.administrators.is_empty(),
            },
            _ => return,
        };
        let created = made.is_some_and(|made| there && *made.seen.get_or_insert(changes) == changes);
        self.looks.insert(operation, (ticket, !there || created));
    }

    /// Returns the ticket of the last read, if it showed no resource of others.
    pub fn is_shown_by(&self, look: Operation) -> Option<usize> {
        self.looks.get(&look).filter(|(_, created)| *created).map(|(ticket, _)| *ticket)
    }

    /// Returns the part of the state that affects later checks. Past changes do not recur.
    pub fn key(&self, changes: &BTreeMap<Operation, usize>) -> String {
        let now = |look| changes.get(look).copied().unwrap_or_default();
        let made = self.made.iter().map(|(look, made)| (made.administrator, made.seen.map(|seen| seen == now(look))));
        format!("{:?} {:?}", made.collect::<Vec<_>>(), self.looks)
    }
}
