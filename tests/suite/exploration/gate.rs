//! Client whose calls wait until the scheduler releases them, and the log of the calls of a run.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, pending, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

use async_trait::async_trait;
use ssm_organizations::domain::{DeletionTaskId, OrganizationalUnitId, PageToken, RoleName};
use ssm_organizations::ports::{
    Account, CallerIdentity, DataSync, DelegatedAdministrator, DeletionStatus, EnabledService, IamApi, Operation,
    Organization, OrganizationalUnit, OrganizationsApi, Page, Role, StsApi, SyncDefinition, SyncType,
    SystemsManagerApi,
};
use ssm_organizations::{AccountId, Error, Region, ServicePrincipal, SyncName, sim};
use tokio::time::Instant;

use super::facts::ReportedState;
use crate::common::SSM;

/// Returns whether a write changes the result of a read. Without a Region, any Region counts. The
/// state of a data sync, which no run uses, is ignored.
pub fn changes(write: &(Operation, Option<Region>), read: Operation, region: Option<&Region>) -> bool {
    use Operation as Op;
    match write.0 {
        Op::EnableAwsServiceAccess | Op::DisableAwsServiceAccess => read == Op::ListAwsServiceAccessForOrganization,
        Op::CreateServiceLinkedRole | Op::DeleteServiceLinkedRole => {
            matches!(read, Op::GetRole | Op::GetServiceLinkedRoleDeletionStatus)
        }
        Op::CreateResourceDataSync | Op::UpdateResourceDataSync | Op::DeleteResourceDataSync => {
            read == Op::ListResourceDataSync && region.is_none_or(|region| Some(region) == write.1.as_ref())
        }
        _ => true,
    }
}

/// Outcome that the scheduler selects for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    Answered,
    /// The request is lost. The run cannot distinguish this from a lost response.
    LostBefore,
    /// The call takes effect, and the response is lost.
    LostAfter,
    /// The call takes effect, and the process stops before the response.
    Unheard,
    /// A read shows the state before the last change.
    Late,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Answered,
    Refused,
    Lost,
}

/// Earlier states for stale reads, each from before the last change of the resource.
pub type Past = Arc<Mutex<BTreeMap<Operation, sim::SimOrganization>>>;

/// Subject of a call: what the call reads or changes.
enum Subject<'a> {
    Organization,
    Account(AccountId),
    Region(&'a Region),
}

/// Call that is waiting, released or completed.
pub struct PendingCall {
    pub operation: Operation,
    pub about: Option<AccountId>,
    /// Region of a call to Systems Manager.
    pub region: Option<Region>,
    what: String,
    granted: Option<Reply>,
    waiting: Option<Waker>,
    outcome: Option<Outcome>,
    answer: String,
    at: Option<Instant>,
    /// Number of writes that were completed when this call was completed, this write included.
    writes_before: usize,
    /// Set if the call changed the organization, even if the run does not receive the response.
    pub effect: bool,
}

/// State that a run read last. `None` means that the run does not know it.
#[derive(Default)]
pub struct LastRead {
    pub trust: Option<bool>,
    pub administrators: Option<Vec<AccountId>>,
    /// Every account that the run ever read as an administrator.
    pub met: Vec<AccountId>,
    pub syncs: BTreeMap<(AccountId, Region), Vec<SyncName>>,
}

/// Log of the calls of a run.
#[derive(Default)]
pub struct CallLog {
    pub tickets: Vec<PendingCall>,
    /// Writes of the plan of `SetUp` or `TakeDown`, each with its Region, once it is computed.
    pub plan: Option<Vec<(Operation, Option<Region>)>>,
    /// Regions that the plan has to search before it removes trusted access or the role.
    pub searched: Vec<Region>,
    /// Number of completed writes.
    completed_writes: usize,
    pub view: LastRead,
    /// States that the run reports to have reached since the last check.
    pub said: Vec<ReportedState>,
    /// Writes that AWS refuses in the state that the run read, and writes outside the plan.
    pub forbidden: Vec<String>,
}

impl PendingCall {
    pub fn is_parked(&self) -> bool {
        self.granted.is_none()
    }

    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    /// Writes every part that can affect the future of the run, with its age up to a bound.
    pub fn write_to(&self, key: &mut String, now: Instant, bound: u128) {
        use fmt::Write;
        let age = self.at.map(|at| now.duration_since(at).as_millis().min(bound));
        let Self { what, answer, effect, writes_before, .. } = self;
        write!(key, "{what} {answer} {effect} {writes_before} {age:?};").unwrap();
    }
}

impl fmt::Display for PendingCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Some(outcome) => write!(f, "{}: {outcome:?}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl CallLog {
    pub fn parked(&self) -> impl Iterator<Item = (usize, &PendingCall)> {
        self.tickets.iter().enumerate().filter(|(_, ticket)| ticket.is_parked())
    }

    pub fn grant(&mut self, ticket: usize, reply: Reply) {
        let ticket = &mut self.tickets[ticket];
        ticket.granted = Some(reply);
        // Combinators poll only the futures that were woken.
        ticket.waiting.take().into_iter().for_each(Waker::wake);
    }

    /// Returns the writes that were sent, in order.
    pub fn writes(&self) -> impl Iterator<Item = &PendingCall> {
        self.tickets.iter().filter(|ticket| ticket.operation.is_write() && ticket.outcome.is_some())
    }

    /// Returns whether AWS accepted a write without effect, which a run cannot detect.
    pub fn has_repeated(&self, operation: Operation) -> bool {
        let of = self.writes().filter(|ticket| ticket.operation == operation);
        of.into_iter().any(|ticket| ticket.outcome == Some(Outcome::Answered) && !ticket.effect)
    }

    /// Returns the writes of the plan that AWS has not accepted yet.
    pub fn remaining(&self) -> Option<impl Iterator<Item = &(Operation, Option<Region>)>> {
        let is_sent = |write: &&(Operation, Option<Region>)| {
            self.writes().any(|ticket| {
                ticket.outcome == Some(Outcome::Answered) && (ticket.operation, &ticket.region) == (write.0, &write.1)
            })
        };
        self.plan.as_ref().map(|plan| plan.iter().filter(move |write| !is_sent(write)))
    }

    fn check(&mut self, operation: Operation, about: Option<AccountId>, region: Option<&Region>) {
        let is_planned = self
            .remaining()
            .is_none_or(|mut remaining| remaining.any(|write| (write.0, write.1.as_ref()) == (operation, region)));
        if operation.is_write() && !is_planned {
            self.forbidden.push(format!("{operation} {region:?}, which its plan does not contain or AWS has accepted"));
        }
        let LastRead { trust, administrators, met, .. } = &self.view;
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
            // A deregistration of a former administrator may be sent, because a read can be stale
            // and AWS's response is not.
            (Operation::DeregisterDelegatedAdministrator, Some(account)) => !met.contains(&account),
            _ => false,
        };
        let unguarded = self.unguarded(operation);
        if forbidden {
            self.forbidden.push(format!("{operation} {about:?}, shown {trust:?} and {administrators:?}"));
        }
        self.forbidden.extend(unguarded);
    }

    /// Returns why a removal of trusted access or of the role by a plan is not guarded: a read that
    /// follows the previous removal has to show that nothing depends on the resource.
    fn unguarded(&self, operation: Operation) -> Option<String> {
        use Operation as Op;
        let is_role = operation == Op::DeleteServiceLinkedRole;
        if self.plan.is_none() || !(is_role || operation == Op::DisableAwsServiceAccess) {
            return None;
        }
        let is_removal = |ticket: &&PendingCall| {
            matches!(ticket.operation, Op::DeleteResourceDataSync | Op::DisableAwsServiceAccess)
                && ticket.outcome == Some(Outcome::Answered)
        };
        let since = self.writes().filter(is_removal).map(|ticket| ticket.writes_before).max().unwrap_or_default();
        let listings = self.searched.iter().map(|region| (Op::ListResourceDataSync, Some(region)));
        let trust = is_role.then_some((Op::ListAwsServiceAccessForOrganization, None));
        let mut guards = listings.chain(trust);
        let missing = guards.find(|(read, region)| {
            !self.tickets.iter().any(|ticket| {
                (ticket.operation, ticket.region.as_ref()) == (*read, *region)
                    && ticket.outcome == Some(Outcome::Answered)
                    && ticket.writes_before >= since
            })
        });
        if let Some((read, _)) = missing {
            return Some(format!("{operation}, which no {read} guards after the previous removal"));
        }
        // A run recognizes a stale listing of its own deletions.
        let is_stale = |region: &Region| {
            let mut listings = self.tickets.iter().filter(|ticket| {
                ticket.operation == Op::ListResourceDataSync && ticket.region.as_ref() == Some(region)
            });
            listings.next_back().is_some_and(|listing| listing.granted == Some(Reply::Late))
        };
        let shown = self.view.syncs.iter().filter(|(_, names)| !names.is_empty());
        let mut regions = shown.map(|((_, region), _)| region);
        let has_syncs = regions.any(|region| self.searched.contains(region) && !is_stale(region));
        let needs_trust = is_role && self.view.trust == Some(true);
        (has_syncs || needs_trust).then(|| format!("{operation}, whose resource the last reads show in use"))
    }

    /// Updates the view after a write of the run.
    fn learn(&mut self, operation: Operation, about: Option<AccountId>, outcome: Outcome) {
        let known = outcome == Outcome::Answered;
        if outcome == Outcome::Refused {
            return;
        }
        let LastRead { trust, administrators, met, .. } = &mut self.view;
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

/// Client of one account for one run.
#[derive(Clone)]
pub struct GatedClient {
    client: sim::SimClient,
    past: Past,
    call_log: Arc<Mutex<CallLog>>,
}

impl GatedClient {
    pub fn new(client: sim::SimClient, past: &Past, call_log: &Arc<Mutex<CallLog>>) -> Self {
        Self { client, past: Arc::clone(past), call_log: Arc::clone(call_log) }
    }

    pub fn call_log(&self) -> MutexGuard<'_, CallLog> {
        self.call_log.lock().unwrap()
    }

    fn in_the_past(&self, operation: Operation) -> sim::SimClient {
        self.past.lock().unwrap()[&operation].client(self.client.account())
    }

    async fn pass<T: fmt::Debug + Send, F: Future<Output = Result<T, Error>> + Send>(
        &self,
        operation: Operation,
        subject: Subject<'_>,
        details: &(dyn fmt::Debug + Sync),
        call: impl FnOnce(sim::SimClient) -> F + Send,
    ) -> Result<T, Error> {
        let (about, region) = match subject {
            Subject::Organization => (None, None),
            Subject::Account(account) => (Some(account), None),
            Subject::Region(region) => (None, Some(region.clone())),
        };
        let number = {
            let mut call_log = self.call_log();
            call_log.check(operation, about, region.as_ref());
            let account = self.client.account();
            call_log.tickets.push(PendingCall {
                operation,
                about,
                region,
                what: format!("{operation} {details:?} as {account}"),
                granted: None,
                waiting: None,
                outcome: None,
                answer: String::new(),
                at: None,
                writes_before: 0,
                effect: false,
            });
            call_log.tickets.len() - 1
        };
        let reply = poll_fn(|cx| {
            let ticket = &mut self.call_log().tickets[number];
            ticket.waiting = Some(cx.waker().clone());
            ticket.granted.map_or(Poll::Pending, Poll::Ready)
        })
        .await;
        let answer = match reply {
            Reply::Answered => call(self.client.clone()).await,
            Reply::Late => call(self.in_the_past(operation)).await,
            Reply::LostBefore => Err(Error::response_lost(operation)),
            Reply::LostAfter => {
                drop(call(self.client.clone()).await);
                Err(Error::response_lost(operation))
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
        let mut call_log = self.call_log();
        call_log.completed_writes += usize::from(operation.is_write());
        let completed_writes = call_log.completed_writes;
        let ticket = &mut call_log.tickets[number];
        ticket.writes_before = completed_writes;
        ticket.outcome = Some(outcome);
        ticket.answer = format!("{answer:?}");
        ticket.at = Some(Instant::now());
        call_log.learn(operation, about, outcome);
        answer
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl OrganizationsApi for GatedClient {
    async fn describe_organization(&self) -> Result<Organization, Error> {
        self.pass(Operation::DescribeOrganization, Subject::Organization, &(), |client| async move {
            client.describe_organization().await
        })
        .await
    }

    async fn describe_account(&self, account: AccountId) -> Result<Account, Error> {
        self.pass(Operation::DescribeAccount, Subject::Account(account), &account, |client| async move {
            client.describe_account(account).await
        })
        .await
    }

    async fn describe_organizational_unit(&self, unit: &OrganizationalUnitId) -> Result<OrganizationalUnit, Error> {
        let call = |client: sim::SimClient| async move { client.describe_organizational_unit(unit).await };
        self.pass(Operation::DescribeOrganizationalUnit, Subject::Organization, unit, call).await
    }

    async fn list_aws_service_access_for_organization(
        &self,
        next: Option<PageToken>,
    ) -> Result<Page<EnabledService>, Error> {
        let operation = Operation::ListAwsServiceAccessForOrganization;
        let call = |client: sim::SimClient| async move { client.list_aws_service_access_for_organization(next).await };
        let page = self.pass(operation, Subject::Organization, &(), call).await?;
        assert_eq!(page.next, None, "the simulation returns one page");
        self.call_log().view.trust = Some(page.items.iter().any(|service| service.principal == SSM));
        Ok(page)
    }

    async fn enable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        let call = |client: sim::SimClient| async move { client.enable_aws_service_access(principal).await };
        self.pass(Operation::EnableAwsServiceAccess, Subject::Organization, principal, call).await
    }

    async fn disable_aws_service_access(&self, principal: &ServicePrincipal) -> Result<(), Error> {
        let call = |client: sim::SimClient| async move { client.disable_aws_service_access(principal).await };
        self.pass(Operation::DisableAwsServiceAccess, Subject::Organization, principal, call).await
    }

    async fn list_delegated_administrators(
        &self,
        principal: &ServicePrincipal,
        next: Option<PageToken>,
    ) -> Result<Page<DelegatedAdministrator>, Error> {
        let call = |client: sim::SimClient| async move { client.list_delegated_administrators(principal, next).await };
        let page = self.pass(Operation::ListDelegatedAdministrators, Subject::Organization, principal, call).await?;
        assert_eq!(page.next, None, "the simulation returns one page");
        let accounts: Vec<_> = page.items.iter().map(|found| found.account).collect();
        let view = &mut self.call_log().view;
        view.met.extend(&accounts);
        view.administrators = Some(accounts);
        Ok(page)
    }

    async fn register_delegated_administrator(
        &self,
        account: AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let call =
            |client: sim::SimClient| async move { client.register_delegated_administrator(account, principal).await };
        let operation = Operation::RegisterDelegatedAdministrator;
        self.pass(operation, Subject::Account(account), &(account, principal), call).await
    }

    async fn deregister_delegated_administrator(
        &self,
        account: AccountId,
        principal: &ServicePrincipal,
    ) -> Result<(), Error> {
        let call =
            |client: sim::SimClient| async move { client.deregister_delegated_administrator(account, principal).await };
        let operation = Operation::DeregisterDelegatedAdministrator;
        self.pass(operation, Subject::Account(account), &(account, principal), call).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl StsApi for GatedClient {
    async fn get_caller_identity(&self) -> Result<CallerIdentity, Error> {
        self.pass(Operation::GetCallerIdentity, Subject::Organization, &(), |client| async move {
            client.get_caller_identity().await
        })
        .await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl SystemsManagerApi for GatedClient {
    async fn list_resource_data_sync(
        &self,
        region: &Region,
        sync_type: SyncType,
        next: Option<PageToken>,
    ) -> Result<Page<DataSync>, Error> {
        let call =
            |client: sim::SimClient| async move { client.list_resource_data_sync(region, sync_type, next).await };
        let page =
            self.pass(Operation::ListResourceDataSync, Subject::Region(region), &(region, sync_type), call).await?;
        assert_eq!(page.next, None, "the simulation returns one page");
        if sync_type == SyncType::SyncFromSource {
            let names = page.items.iter().map(|sync| sync.name.clone()).collect();
            self.call_log().view.syncs.insert((self.client.account(), region.clone()), names);
        }
        Ok(page)
    }

    async fn create_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        let call = |client: sim::SimClient| async move { client.create_resource_data_sync(region, sync).await };
        self.pass(Operation::CreateResourceDataSync, Subject::Region(region), &(region, sync), call).await
    }

    async fn update_resource_data_sync(&self, region: &Region, sync: &SyncDefinition) -> Result<(), Error> {
        let call = |client: sim::SimClient| async move { client.update_resource_data_sync(region, sync).await };
        self.pass(Operation::UpdateResourceDataSync, Subject::Region(region), &(region, sync), call).await
    }

    async fn delete_resource_data_sync(
        &self,
        region: &Region,
        name: &SyncName,
        sync_type: SyncType,
    ) -> Result<(), Error> {
        let call =
            |client: sim::SimClient| async move { client.delete_resource_data_sync(region, name, sync_type).await };
        self.pass(Operation::DeleteResourceDataSync, Subject::Region(region), &(region, name, sync_type), call).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl IamApi for GatedClient {
    async fn get_role(&self, name: &RoleName) -> Result<Option<Role>, Error> {
        self.pass(Operation::GetRole, Subject::Organization, name, |client| async move { client.get_role(name).await })
            .await
    }

    async fn create_service_linked_role(&self, principal: &ServicePrincipal) -> Result<Role, Error> {
        let call = |client: sim::SimClient| async move { client.create_service_linked_role(principal).await };
        self.pass(Operation::CreateServiceLinkedRole, Subject::Organization, principal, call).await
    }

    async fn delete_service_linked_role(&self, name: &RoleName) -> Result<DeletionTaskId, Error> {
        let call = |client: sim::SimClient| async move { client.delete_service_linked_role(name).await };
        self.pass(Operation::DeleteServiceLinkedRole, Subject::Organization, name, call).await
    }

    async fn get_service_linked_role_deletion_status(&self, task: &DeletionTaskId) -> Result<DeletionStatus, Error> {
        let call = |client: sim::SimClient| async move { client.get_service_linked_role_deletion_status(task).await };
        self.pass(Operation::GetServiceLinkedRoleDeletionStatus, Subject::Organization, task, call).await
    }
}

impl GatedClient {
    /// Reports a reached state.
    pub fn say(&self, wanted: ReportedState) {
        self.call_log().said.push(wanted);
    }
}
