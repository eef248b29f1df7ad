//! What a run may take for its own making.

use std::collections::BTreeMap;

use ssm_organizations::AccountId;
use ssm_organizations::ports::Operation;

use super::facts::Facts;

/// The look that shows what a write makes.
fn look_at(write: Operation) -> Option<Operation> {
    match write {
        Operation::EnableAwsServiceAccess => Some(Operation::ListAwsServiceAccessForOrganization),
        Operation::RegisterDelegatedAdministrator => Some(Operation::ListDelegatedAdministrators),
        _ => None,
    }
}

/// What a run made, as far as it can know.
#[derive(Debug)]
struct Made {
    administrator: Option<AccountId>,
    /// After which change of what the look shows it was seen first.
    seen: Option<usize>,
}

/// AWS's answer to a write does not say which it has made, so that a run takes for its own what it sees first of it afterwards; and AWS
/// knows no condition, so that after the last look somebody else may have made it anew.
#[derive(Debug, Default)]
pub struct Own {
    made: BTreeMap<Operation, Made>,
    /// The last of each look: its ticket, and whether it showed nothing that others made.
    looks: BTreeMap<Operation, (usize, bool)>,
}

impl Own {
    /// A call about an account is answered, after so many changes of what it shows.
    pub fn called(&mut self, call: (Operation, Option<AccountId>), ticket: usize, changes: usize, facts: &Facts) {
        let (operation, administrator) = call;
        if let Some(look) = look_at(operation) {
            self.made.insert(look, Made { administrator, seen: None });
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
        let own = made.is_some_and(|made| there && *made.seen.get_or_insert(changes) == changes);
        self.looks.insert(operation, (ticket, !there || own));
    }

    /// The ticket of the last look, if it showed nothing that others made.
    pub fn is_shown_by(&self, look: Operation) -> Option<usize> {
        self.looks.get(&look).filter(|(_, own)| *own).map(|(ticket, _)| *ticket)
    }

    /// All that matters of it: a change that is past does not come again.
    pub fn key(&self, changes: &BTreeMap<Operation, usize>) -> String {
        let now = |look| changes.get(look).copied().unwrap_or_default();
        let made = self.made.iter().map(|(look, made)| (made.administrator, made.seen.map(|seen| seen == now(look))));
        format!("{:?} {:?}", made.collect::<Vec<_>>(), self.looks)
    }
}
