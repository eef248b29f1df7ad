use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::{join, join_all};

use super::{RetryingClient, caller_account, retrying};
use crate::domain::{AccountId, join_with_and};
use crate::error::{Error, ErrorKind};
use crate::ports::Client;
use crate::trace::ChangeRecorder;
use crate::wait::WaitPolicy;

/// Clients of the management account and of other accounts whose data syncs matter.
///
/// Systems Manager lists only the calling account's data syncs. The syncs of an account without a
/// client are unknown.
///
/// The account of each client is read once. Clones share the clients and what was read.
///
/// A client is passed by reference or by value. With clients by value, such as an
/// `AwsClient` or an `Arc<dyn Client>`, the type is `Clients<'static>`. A
/// service can store it and pass clones to tasks:
///
/// ```
/// use std::sync::Arc;
///
/// use ssm_organizations::plan::{Clients, Target};
/// use ssm_organizations::{ports::Client, sim};
///
/// struct Service {
///     clients: Clients<'static>,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ssm_organizations::Error> {
/// # let account = "222222222222".parse()?;
/// let organization = sim::SimOrganization::builder().member(account).build();
/// let administrator: Arc<dyn Client> = Arc::new(organization.client(account));
/// let clients = Clients::new(organization.management_client()).with_account_client(administrator);
///
/// let service = Service { clients };
/// let clients = service.clients.clone();
/// let target = Target::new().with_trusted_access(true);
/// let planned = tokio::spawn(async move { target.plan(&clients).await });
/// assert_eq!(planned.await.expect("the task ends")?.steps().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Clients<'a> {
    management: IdentifiedClient<'a>,
    others: Vec<IdentifiedClient<'a>>,
    pub(crate) wait_policy: WaitPolicy<'static>,
    pub(crate) recorder: ChangeRecorder,
}

/// Client with the account of its credentials, once that is known.
#[derive(Clone)]
struct IdentifiedClient<'a> {
    client: Arc<dyn Client + 'a>,
    account: Arc<OnceLock<AccountId>>,
}

impl<'a> IdentifiedClient<'a> {
    fn new(client: impl Client + 'a) -> Self {
        Self { client: Arc::new(client), account: Arc::default() }
    }

    async fn account(&self, wait_policy: WaitPolicy<'_>) -> Result<AccountId, Error> {
        if let Some(account) = self.account.get() {
            return Ok(*account);
        }
        let account = caller_account(&*self.client, wait_policy).await?;
        Ok(*self.account.get_or_init(|| account))
    }
}

impl<'a> Clients<'a> {
    /// Creates a set that contains only the management account's client.
    #[must_use]
    pub fn new(management: impl Client + 'a) -> Self {
        let management = IdentifiedClient::new(management);
        Self { management, others: Vec::new(), wait_policy: WaitPolicy::default(), recorder: ChangeRecorder::new() }
    }

    /// Adds the client of another account: a current, future or former delegated administrator.
    #[must_use]
    pub fn with_account_client(mut self, other: impl Client + 'a) -> Self {
        self.others.push(IdentifiedClient::new(other));
        self
    }

    /// Sets the limit of each wait: for the effect of a step to become visible and for throttling
    /// to end. The defaults are those of
    /// [`Integration::with_wait_timeout`](crate::Integration::with_wait_timeout).
    #[must_use]
    pub fn with_wait_timeout(mut self, timeout: Duration) -> Self {
        self.wait_policy = self.wait_policy.with_limit(timeout);
        self
    }

    /// Sets the deadline of all calls and waits: this time from now, on tokio's clock. Another call
    /// replaces the deadline, and `Duration::MAX` removes it.
    ///
    /// At the deadline, [`Plan::apply`](crate::plan::Plan::apply) ends with
    /// [`DeadlineExceeded`](ErrorKind::DeadlineExceeded) and the receipt so far. A write that was
    /// cut off is in the receipt as unconfirmed; see
    /// [`Integration::with_deadline`](crate::Integration::with_deadline).
    #[must_use]
    pub fn with_deadline(mut self, within: Duration) -> Self {
        self.wait_policy = self.wait_policy.with_deadline(within);
        self
    }

    /// Sets the recorder of the writes that [`Plan::apply`](crate::plan::Plan::apply) sends.
    #[must_use]
    pub fn with_recorder(mut self, recorder: ChangeRecorder) -> Self {
        self.recorder = recorder;
        self
    }

    /// Identifies the account of each client.
    ///
    /// The management account's client may fail to tell its account. The other clients must
    /// succeed.
    pub(crate) async fn by_account(&self) -> Result<ClientsByAccount<'_>, Error> {
        Ok(self.read_each(|_| async {}).await?.0)
    }

    /// Identifies the account of each client, and reads with each client concurrently. Returns the
    /// results by account, except that of a management client that cannot tell its account.
    pub(crate) async fn read_each<'s, T, F>(
        &'s self,
        read: impl Fn(&'s dyn Client) -> F + Send + Sync,
    ) -> Result<(ClientsByAccount<'s>, BTreeMap<AccountId, T>), Error>
    where
        T: Send,
        F: Future<Output = T> + Send,
    {
        let read = &read;
        let identify = |of: &'s IdentifiedClient<'a>| async move {
            let client: &'s dyn Client = &*of.client;
            let (account, result) = join(of.account(self.wait_policy), read(client)).await;
            (account, (client, result))
        };
        let others = join_all(self.others.iter().map(identify));
        let (management, others) = join(identify(&self.management), others).await;
        let others = others.into_iter().map(|(account, read)| account.map(|account| (account, read)));
        let (mut accounts, mut results) = (BTreeMap::new(), BTreeMap::new());
        for (account, (client, result)) in Error::all(others)? {
            accounts.insert(account, client);
            results.insert(account, result);
        }
        let (caller, (management, result)) = management;
        if let Ok(caller) = caller {
            accounts.insert(caller, management);
            results.insert(caller, result);
        }
        Ok((ClientsByAccount { management, caller, accounts }, results))
    }

    /// Returns the client of the management account for reads, which repeats throttled ones.
    pub(crate) fn retrying_management(&self) -> RetryingClient<'_, dyn Client + 'a> {
        retrying(&*self.management.client, self.wait_policy)
    }

    /// Returns the number of clients.
    pub(crate) fn count(&self) -> usize {
        1 + self.others.len()
    }
}

/// Omits the clients, because they need not implement `Debug`.
impl fmt::Debug for Clients<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").field("others", &self.others.len()).finish_non_exhaustive()
    }
}

/// Clients keyed by account.
pub(crate) struct ClientsByAccount<'a> {
    pub(crate) management: &'a dyn Client,
    pub(crate) caller: Result<AccountId, Error>,
    pub(crate) accounts: BTreeMap<AccountId, &'a dyn Client>,
}

impl<'a> ClientsByAccount<'a> {
    pub(crate) fn caller(&self) -> Option<AccountId> {
        self.caller.as_ref().ok().copied()
    }

    pub(crate) fn client_of(&self, account: AccountId) -> Result<&'a dyn Client, Error> {
        let client = self.accounts.get(&account).copied();
        client.ok_or_else(|| {
            let found: Vec<_> = self.accounts.keys().collect();
            Error::new(ErrorKind::MissingClient { account })
                .with_message(format!("the clients belong to {}", join_with_and(&found)))
        })
    }
}
