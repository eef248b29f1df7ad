use std::collections::BTreeMap;

use crate::domain::AccountId;
use crate::ports::AccountState;

/// The member accounts: those that were named, and a number of nameless ones that take no room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Members {
    pub(super) named: BTreeMap<AccountId, AccountState>,
    pub(super) nameless: u64,
}

/// The first of the nameless members.
const FIRST_NAMELESS: u64 = 500_000_000_000;

impl Members {
    pub(super) fn state(&self, account: AccountId) -> Option<AccountState> {
        self.named.get(&account).cloned().or_else(|| {
            let number = account.as_str().parse::<u64>().ok()?.checked_sub(FIRST_NAMELESS)?;
            (number < self.nameless).then_some(AccountState::Active)
        })
    }
}
