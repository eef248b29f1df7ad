//! A client whose every call waits until the scheduler lets it through, and a desk that keeps what one run asked and was told.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, pending, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

use async_trait::async_trait;
use ssm_organizations::ports::{
    Account, CallerIdentity, DataSync, DelegatedAdministrator, DeletionStatus, EnabledService, IamApi, Operation,
    Organization, OrganizationsApi, Page, Role, StsApi, SyncDefinition, SyncType, SystemsManagerApi,
};
use ssm_organizations::{
    AccountId, DeletionTaskId, Error, PageToken, Region, RoleName, ServicePrincipal, SyncName, sim,
};
use tokio::time::Instant;

use super::facts::Wanted;
use crate::common::SSM;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    Answered,
    /// It never arrives, and the caller cannot know that.
    LostBefore,
    /// It takes effect, and the reply never comes.
    LostAfter,
    /// It takes effect, and nobody is left to hear the reply.
    Unheard,
    /// A read shows how it was before the last change.
    Late,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Answered,
    Refused,
    Lost,
}

/// What the reads that may come late would show, each before the last change of what it reads.
pub type Past = Arc<Mutex<BTreeMap<Operation, sim::Organization>>>;

/// A call: parked, let through, or over.
pub struct Ticket {
    pub operation: Operation,
    pub about: Option<AccountId>,
    what: String,
    granted: Option<Reply>,
    waiting: Option<Waker>,
    outcome: Option<Outcome>,
    answer: String,
    at: Option<Instant>,
    /// Whether it changed the organization, which the caller may not know.
    pub effect: bool,
}

/// What a run was shown last; `None` for what it cannot know.
#[derive(Default)]
pub struct View {
    pub trust: Option<bool>,
    pub administrators: Option<Vec<AccountId>>,
    /// Everybody that it was ever shown as administrator.
    pub met: Vec<AccountId>,
    pub syncs: BTreeMap<AccountId, Vec<SyncName>>,
}

/// What one run asked and was told.
#[derive(Default)]
pub struct Desk {
    pub tickets: Vec<Ticket>,
    pub view: View,
    /// What it says to have reached, just now.
    pub said: Vec<Wanted>,
    /// Writes that AWS forbids in the state that the run was shown.
    pub forbidden: Vec<String>,
}

impl Ticket {
    pub fn is_parked(&self) -> bool {
        self.granted.is_none()
    }

    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    /// All of it that the run's future can depend on, with how long ago it was, up to a bound.
    pub fn write_to(&self, key: &mut String, now: Instant, bound: u128) {
        use fmt::Write;
        let age = self.at.map(|at| now.duration_since(at).as_millis().min(bound));
        let Self { what, answer, effect, .. } = self;
        write!(key, "{what} {answer} {effect} {age:?};").unwrap();
    }
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Some(outcome) => write!(f, "{}: {outcome:?}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl Desk {
    pub fn parked(&self) -> impl Iterator<Item = (usize, &Ticket)> {
        self.tickets.iter().enumerate().filter(|(_, ticket)| ticket.is_parked())
    }

    pub fn grant(&mut self, ticket: usize, reply: Reply) {
        let ticket = &mut self.tickets[ticket];
        ticket.granted = Some(reply);
        // Whoever polls many futures polls those that were woken.
        ticket.waiting.take().into_iter().for_each(Waker::wake);
    }

    /// The writes that were sent, in order.
    pub fn writes(&self) -> impl Iterator<Item = &Ticket> {
        self.tickets.iter().filter(|ticket| ticket.operation.is_write() && ticket.outcome.is_some())
    }

    /// Whether AWS said yes to what was so already. Nobody can tell it from what was done.
    pub fn has_repeated(&self, operation: Operation) -> bool {
        let of = self.writes().filter(|ticket| ticket.operation == operation);
        of.into_iter().any(|ticket| ticket.outcome == Some(Outcome::Answered) && !ticket.effect)
    }

    fn check(&mut self, operation: Operation, about: Option<AccountId>) {
        let View { trust, administrators, met, .. } = &self.view;
        let others = |account: AccountId| administrators.iter().flatten().any(|other| *other != account);
        let forbidden = match (operation, about) {
            (Operation::EnableAwsServiceAccess, _) => *trust == Some(true),
            (Operation::DisableAwsServiceAccess, _) => {
                *trust == Some(false) || administrators.as_ref().is_some_and(|accounts| !accounts.is_empty())
            }
            (Operation::RegisterDelegatedAdministrator, Some(account)) => {
                *trust == Some(false)
                    || others(account)
                    || administrators.as_ref().is_some_and(|accounts| accounts.contains(&account))
            }
            // One that may be gone already is asked for all the same: a look may be old, and AWS's answer is not.
            (Operation::DeregisterDelegatedAdministrator, Some(account)) => !met.contains(&account),
            _ => false,
        };
        if forbidden {
            self.forbidden.push(format!("{operation} {about:?}, shown {trust:?} and {administrators:?}"));
        }
    }

    /// What the run knows after a write of its own.
    fn learn(&mut self, operation: Operation, about: Option<AccountId>, outcome: Outcome) {
        let known = outcome == Outcome::Answered;
        if outcome == Outcome::Refused {
            return;
        }
        let View { trust, administrators, met, .. } = &mut self.view;
        match (operation, about) {
            (Operation::EnableAwsServiceAccess, _) => *trust = known.then_some(true),
            (Operation::DisableAwsServiceAccess, _) => *trust = known.then_some(false),
            (Operation::RegisterDelegatedAdministrator, Some(account)) => {
                met.push(account);
                *administrators = known.then(|| vec![account]);
            }
            (Operation::DeregisterDelegatedAdministrator, Some(account)) => {
                let left = administrators.take().unwrap_or_default();
                *administrators = known.then(|| left.into_iter().filter(|other| *other != account).collect());
            }
            _ => {}
        }
    }
}

/// A client of one account, on behalf of one run.
#[derive(Clone)]
pub struct Gate {
    client: sim::Client,
    past: Past,
    desk: Arc<Mutex<Desk>>,
}

impl Gate {
    pub fn new(client: sim::Client, past: &Past, desk: &Arc<Mutex<Desk>>) -> Self {
        Self { client, past: Arc::clone(past), desk: Arc::clone(desk) }
    }

    pub fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap()
    }

    fn in_the_past(&self, operation: Operation) -> sim::Client {
        self.past.lock().unwrap()[&operation].client(self.client.account())
    }

    async fn pass<T: fmt::Debug + Send, F: Future<Output = Result<T, Error>> + Send>(
        &self,
        operation: Operation,
        about: Option<AccountId>,
        details: &(dyn fmt::Debug + Sync),
        call: impl FnOnce(sim::Client) -> F + Send,
    ) -> Result<T, Error> {
        let number = {
            let mut desk = self.desk();
            desk.check(operation, about);
            let account = self.client.account();
            desk.tickets.push(Ticket {
                operation,
                about,
                what: format!("{operation} {details:?} as {account}"),
                granted: None,
                waiting: None,
                outcome: None,
                answer: String::new(),
                at: None,
                effect: false,
            });
            desk.tickets.len() - 1
        };
        let reply = poll_fn(|cx| {
            let ticket = &mut self.desk().tickets[number];
            ticket.waiting = Some(cx.waker().clone());
            ticket.granted.map_or(Poll::Pending, Poll::Ready)
        })
        .await;
        let answer = match reply {
            Reply::Answered => call(self.client.clone()).await,
            Reply::Late => call(self.in_the_past(operation)).await,
            Reply::LostBefore => Err(Error::lost(operation)),
            Reply::LostAfter => {
                drop(call(self.client.clone()).await);
                Err(Error::lost(operation))
            }
            Reply::Unheard => {
                drop(call(self.client.clone()).await);
                pending().await
            }
        };
        let outcome = match (&answer, reply) {
            (Ok(_), _) => Outcome::Answered,
            (Err(_), Reply::Answered | Reply::Late) => Outcome::Refused,
            (Err(_), _) => Outcome::Lost,
        };
        let mut desk = self.desk();
        let ticket = &mut desk.tickets[number];
        ticket.outcome = Some(outcome);
        ticket.answer = format!("{answer:?}");
        ticket.at = Some(Instant::now());
        desk.learn(operation, about, outcome);
        answer
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl OrganizationsApi for Gate {
    async fn describe_organization(&self) -> Result<Organization, Error> {
        self.pass(
            Operation::DescribeOrganization,
            None,
            &(),
            |client| async move { client.describe_organization().await },
        )
        .await
    }

    async fn describe_account(&self, account: &AccountId) -> Result<Account, Error> {
        self.pass(Operation::DescribeAccount, Some(*account), account, |client| async move {
            client.describe_account(account).await
        })
        .await
    }

    async fn list_aws_service_access_for_organization(
        &self,
        next: Option<PageToken>,
    ) -> Result<Page<EnabledService>, Error> {
        let operation = Operation::ListAwsServiceAccessForOrganization;
        let call = |client: sim::Client| async move { client.list_aws_service_access_for_organization(next).await };
        let page = self.pass(operation, None, &(), call).await?;
        assert_eq!(page.next, None, "one page");
        self.desk().view.trust = Some(page.items.iter().any(|service| service.principal == SSM));
        Ok(page)
    }

    async fn enable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        let call = |client: sim::Client| async move { client.enable_aws_service_access(principal).await };
        self.pass(Operation::EnableAwsServiceAccess, None, principal, call).await
    }

    async fn disable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        let call = |client: sim::Client| async move { client.disable_aws_service_access(principal).await };
        self.pass(Operation::DisableAwsServiceAccess, None, principal, call).await
    }

    async fn list_delegated_administrators(
        &self,
        principal: &ServicePrincipal,
        next: Option<PageToken>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        let call = |client: sim::Client| async move { client.list_delegated_administrators(principal, next).await };
        let page = self.pass(Operation::ListDelegatedAdministrators, None, principal, call).await?;
        assert_eq!(page.next, None, "one page");
        let accounts: Vec<_> = page.items.iter().map(|found| found.account).collect();
        let view = &mut self.desk().view;
        view.met.extend(&accounts);
        view.administrators = Some(accounts);
        Ok(page)
    }

    async fn register_delegated_administrator(
        &self,
        account: &AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let call =
            |client: sim::Client| async move { client.register_delegated_administrator(account, principal).await };
        let operation = Operation::RegisterDelegatedAdministrator;
        self.pass(operation, Some(*account), &(account, principal), call).await
    }

    async fn deregister_delegated_administrator(
        &self,
        account: &AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let call =
            |client: sim::Client| async move { client.deregister_delegated_administrator(account, principal).await };
        let operation = Operation::DeregisterDelegatedAdministrator;
        self.pass(operation, Some(*account), &(account, principal), call).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl StsApi for Gate {
    async fn get_caller_identity(&self) -> Result<CallerIdentity, Error> {
        self.pass(Operation::GetCallerIdentity, None, &(), |client| async move { client.get_caller_identity().await })
            .await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl SystemsManagerApi for Gate {
    async fn list_resource_data_sync(
        &self,
        region: &Region,
        sync_type: SyncType,
        next: Option<PageToken>,
    ) -> Result<Page<DataSync>, Error> {
        let call = |client: sim::Client| async move { client.list_resource_data_sync(region, sync_type, next).await };
        let page = self.pass(Operation::ListResourceDataSync, None, &(region, sync_type), call).await?;
        assert_eq!(page.next, None, "one page");
        if sync_type == SyncType::SyncFromSource {
            let names = page.items.iter().map(|sync| sync.name.clone()).collect();
            self.desk().view.syncs.insert(self.client.account(), names);
        }
        Ok(page)
    }

    async fn create_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        let call = |client: sim::Client| async move { client.create_resource_data_sync(region, sync).await };
        self.pass(Operation::CreateResourceDataSync, None, &(region, sync), call).await
    }

    async fn update_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        let call = |client: sim::Client| async move { client.update_resource_data_sync(region, sync).await };
        self.pass(Operation::UpdateResourceDataSync, None, &(region, sync), call).await
    }

    async fn delete_resource_data_sync(
        &self,
        region: &Region,
        name: &SyncName,
        sync_type: SyncType,
    ) -> Result<(), Error> {
        let call = |client: sim::Client| async move { client.delete_resource_data_sync(region, name, sync_type).await };
        self.pass(Operation::DeleteResourceDataSync, None, &(region, name, sync_type), call).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl IamApi for Gate {
    async fn get_role(&self, name: &RoleName) -> Result<Option<Role>, Error> {
        self.pass(Operation::GetRole, None, name, |client| async move { client.get_role(name).await }).await
    }

    async fn create_service_linked_role(&self, principal: &ServicePrincipal) -> Result<Role, Error> {
        let call = |client: sim::Client| async move { client.create_service_linked_role(principal).await };
        self.pass(Operation::CreateServiceLinkedRole, None, principal, call).await
    }

    async fn delete_service_linked_role(&self, name: &RoleName) -> Result<DeletionTaskId, Error> {
        let call = |client: sim::Client| async move { client.delete_service_linked_role(name).await };
        self.pass(Operation::DeleteServiceLinkedRole, None, name, call).await
    }

    async fn get_service_linked_role_deletion_status(&self, task: &DeletionTaskId) -> Result<DeletionStatus, Error> {
        let call = |client: sim::Client| async move { client.get_service_linked_role_deletion_status(task).await };
        self.pass(Operation::GetServiceLinkedRoleDeletionStatus, None, task, call).await
    }
}

impl Gate {
    /// Says that something is reached.
    pub fn say(&self, wanted: Wanted) {
        self.desk().said.push(wanted);
    }
}
