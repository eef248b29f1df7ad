use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use futures_util::future::{join, try_join_all};

use crate::domain::AccountId;
use crate::error::{Error, ErrorKind};
use crate::ports::Client;

/// Whose credentials there are: the management account's, and those of other accounts whose data syncs matter.
///
/// Systems Manager shows each account only its own syncs. What only another account can see is unknown without a client of it.
#[derive(Clone)]
pub struct Clients<'a> {
    pub(super) management: &'a dyn Client,
    others: Vec<&'a dyn Client>,
    pub(super) patience: Duration,
}

impl<'a> Clients<'a> {
    /// A client of the management account.
    #[must_use]
    pub fn new(management: &'a dyn Client) -> Self {
        Self { management, others: Vec::new(), patience: Duration::from_mins(1) }
    }

    /// And one of another account: the delegated administrator, the one that is to be, or one that was.
    #[must_use]
    pub fn and(mut self, other: &'a dyn Client) -> Self {
        self.others.push(other);
        self
    }

    /// How long each step waits for AWS to show its effect. One minute at first; see
    /// [`Integration::settle_within`](crate::Integration::settle_within).
    #[must_use]
    pub fn settle_within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Who they are. The management account's client may not be able to tell; the others have to.
    pub(super) async fn roster(&self) -> Result<Roster<'a>, Error> {
        let others = self.others.iter().map(|client| client.get_caller_identity());
        let (caller, others) = join(self.management.get_caller_identity(), try_join_all(others)).await;
        let caller = caller.map(|identity| identity.account);
        let mut accounts: BTreeMap<_, _> =
            others?.into_iter().map(|identity| identity.account).zip(self.others.iter().copied()).collect();
        if let Ok(caller) = caller {
            accounts.insert(caller, self.management);
        }
        Ok(Roster { management: self.management, caller, accounts })
    }
}

/// Names no client: they need not be `Debug`.
impl fmt::Debug for Clients<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").field("others", &self.others.len()).field("patience", &self.patience).finish()
    }
}

/// The clients by their accounts.
pub(super) struct Roster<'a> {
    pub(super) management: &'a dyn Client,
    pub(super) caller: Result<AccountId, Error>,
    pub(super) accounts: BTreeMap<AccountId, &'a dyn Client>,
}

impl<'a> Roster<'a> {
    pub(super) fn caller(&self) -> Option<AccountId> {
        self.caller.as_ref().ok().copied()
    }

    pub(super) fn of(&self, account: AccountId) -> Result<&'a dyn Client, Error> {
        let client = self.accounts.get(&account).copied();
        client.ok_or_else(|| Error::of(ErrorKind::NoClient { account }))
    }
}
