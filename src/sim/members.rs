use std::collections::BTreeMap;

use crate::domain::{AccountId, AccountState};

/// Member accounts: named members, and a number of anonymous members that use no memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Members {
    pub(super) named: BTreeMap<AccountId, AccountState>,
    pub(super) anonymous_members: u64,
}

/// Account id of the first anonymous member.
const FIRST_ANONYMOUS_MEMBER: u64 = 500_000_000_000;

impl Members {
    pub(super) fn state(&self, account: AccountId) -> Option<AccountState> {
        self.named.get(&account).cloned().or_else(|| {
            let number = account.as_str().parse::<u64>().ok()?.checked_sub(FIRST_ANONYMOUS_MEMBER)?;
            (number < self.anonymous_members).then_some(AccountState::Active)
        })
    }

    /// Returns all members.
    #[cfg(feature = "sim-aws")]
    pub(super) fn all(&self) -> impl Iterator<Item = (AccountId, AccountState)> + '_ {
        let numbers = FIRST_ANONYMOUS_MEMBER..FIRST_ANONYMOUS_MEMBER + self.anonymous_members;
        let anonymous = numbers.filter_map(|number| AccountId::new(&number.to_string()).ok());
        let anonymous = anonymous.filter(|id| !self.named.contains_key(id)).map(|id| (id, AccountState::Active));
        self.named.iter().map(|(id, state)| (*id, state.clone())).chain(anonymous)
    }
}
