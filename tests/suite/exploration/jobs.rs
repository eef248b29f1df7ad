//! Jobs of the administrators, each a run of the crate's code.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use ssm_organizations::domain::RoleName;
use ssm_organizations::integration::Handle;
use ssm_organizations::plan::{Clients, Plan, Receipt, Target, UndoOptions};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{
    IamApi, Operation, SourceRegions, SyncDefinition, SyncType, SystemsManagerApi, SystemsManagerClient,
};
use ssm_organizations::{
    AccountId, Change, Error, Integration, Observed, Recovered, Region, SyncMigration, SyncName, SyncProtection,
    TransitionError, sim,
};

use super::facts::{AWAY, HOME, ReportedState};
use super::gate::{CallLog, GatedClient, Past};
use crate::common::{alice, bob, management, region};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// `ensure_delegated`.
    Onboard(AccountId),
    /// `ensure_disabled` with `AllowLoss`.
    Offboard,
    /// `ensure_disabled` with protection of the data syncs.
    OffboardGently,
    /// `replace`, or `ensure_delegated` without a delegated administrator.
    HandOver(AccountId),
    /// `replace` with migration of the data syncs, or `ensure_delegated`.
    CarryOver(AccountId),
    /// A plan to onboard, applied and then undone.
    Visit(AccountId),
    /// A plan to offboard, applied.
    Leave,
    /// A plan for another administrator, applied and then undone.
    Borrow(AccountId),
    /// A plan that creates trusted access and the given resources, applied.
    SetUp(Resources),
    /// A plan that removes what `SetUp` creates, applied.
    TakeDown(Resources),
    /// Writes of another program that reads nothing: it deletes a sync and the role.
    OtherTool,
    /// `ensure` of a data sync in Alice's account, if Alice is the delegated administrator.
    MakeSync,
}

/// Resources of a plan beside trusted access. Fewer resources have fewer schedules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resources {
    /// The role, and a data sync in two Regions.
    RoleAndTwoSyncs,
    /// The role, and a data sync in one Region.
    RoleAndSync,
    /// A data sync in two Regions.
    TwoSyncs,
}

/// Result of a run.
#[derive(Debug)]
pub struct End {
    pub changes: Vec<Change>,
    pub error: Option<Error>,
    /// State of the final handle, if the run returns a handle.
    pub claim: Option<(bool, Vec<AccountId>)>,
}

pub type Running = Pin<Box<dyn Future<Output = End> + Send>>;

/// The clients of one run.
struct RunClients {
    management: GatedClient,
    alice: GatedClient,
    bob: GatedClient,
}

impl RunClients {
    fn of(&self, account: AccountId) -> &GatedClient {
        if account == alice() { &self.alice } else { &self.bob }
    }

    fn clients(&self) -> Clients<'_> {
        Clients::new(&self.management)
            .with_account_client(&self.alice)
            .with_account_client(&self.bob)
            .with_wait_timeout(PATIENCE)
    }
}

/// Wait timeout that allows one pause.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

pub fn sync() -> SyncDefinition {
    let home = SourceRegions::new([region(HOME)]).unwrap();
    SyncDefinition::of_organization(SyncName::new("ours").unwrap(), home)
}

impl Job {
    /// Returns whether the job undoes its own changes and no others.
    pub fn takes_back(self) -> bool {
        matches!(self, Self::Visit(_) | Self::Borrow(_))
    }

    /// Returns whether the job is a plan with concurrent steps.
    pub fn is_concurrent(self) -> bool {
        matches!(self, Self::SetUp(_) | Self::TakeDown(_))
    }

    /// Returns whether the job writes the role or data syncs, and no administrators.
    fn writes_role_or_syncs(self) -> bool {
        self.is_concurrent() || self == Self::OtherTool
    }

    /// Returns whether the job creates or deletes the role.
    fn writes_role(self) -> bool {
        !matches!(self, Self::SetUp(Resources::TwoSyncs) | Self::TakeDown(Resources::TwoSyncs))
            && self.writes_role_or_syncs()
    }

    /// Returns whether the job creates data syncs, or deletes them by itself.
    pub fn writes_syncs(self) -> bool {
        self == Self::MakeSync || self.writes_role_or_syncs()
    }

    /// Returns whether the job can change the result of a read. Without a Region, any one counts.
    pub fn writes(self, read: Operation, region: Option<&Region>) -> bool {
        match read {
            Operation::ListAwsServiceAccessForOrganization => !matches!(self, Self::OtherTool | Self::MakeSync),
            Operation::ListDelegatedAdministrators => !self.writes_syncs(),
            Operation::ListResourceDataSync if matches!(self, Self::OtherTool | Self::MakeSync) => {
                region.is_none_or(|region| region.as_str() == HOME)
            }
            Operation::GetRole | Operation::GetServiceLinkedRoleDeletionStatus => self.writes_role(),
            _ => true,
        }
    }

    pub fn start(self, organization: &sim::SimOrganization, past: &Past, call_log: &Arc<Mutex<CallLog>>) -> Running {
        let client = |account| GatedClient::new(organization.client(account), past, call_log);
        let crew = RunClients { management: client(management()), alice: client(alice()), bob: client(bob()) };
        Box::pin(async move { self.run(&crew).await.unwrap_or_else(|end| end) })
    }

    async fn run(self, crew: &RunClients) -> Result<End, End> {
        match self {
            Self::Visit(account) => {
                let target =
                    Target::new().with_trusted_access(true).with_administrator(account).search_regions([region(HOME)]);
                there_and_back(crew, &target, &ReportedState::exactly(true, vec![account])).await
            }
            Self::Borrow(account) => {
                let target = Target::new().with_administrator(account).search_regions([region(HOME)]);
                there_and_back(crew, &target, &ReportedState::exactly(true, vec![account])).await
            }
            Self::Leave => {
                let target = Target::new().with_trusted_access(false).without_administrator();
                let target = target.search_regions([region(HOME)]);
                Ok(End::of_plan(
                    reach(&crew.clients(), crew, &target, &ReportedState::exactly(false, Vec::new()), |_| {}).await,
                ))
            }
            Self::SetUp(resources) | Self::TakeDown(resources) => {
                let is_set_up = matches!(self, Self::SetUp(_));
                let owner = Caller::Management;
                let target = Target::new().with_trusted_access(is_set_up);
                let regions = match resources {
                    Resources::RoleAndSync => vec![region(HOME)],
                    Resources::RoleAndTwoSyncs | Resources::TwoSyncs => vec![region(HOME), region(AWAY)],
                };
                let target = match (self.writes_role(), is_set_up) {
                    (true, true) => target.with_role(),
                    (true, false) => target.without_role(),
                    (false, _) => target,
                };
                crew.management.call_log().searched.clone_from(&regions);
                let target = if is_set_up {
                    target.with_sync(owner, sync(), regions)
                } else {
                    target.without_sync(owner, sync().name().clone(), regions)
                };
                let wanted = ReportedState { trust: Some(is_set_up), ..ReportedState::default() };
                // Fewer accounts need fewer concurrent listings.
                let clients = Clients::new(&crew.management).with_wait_timeout(PATIENCE);
                let planned = |plan: &Plan| {
                    let writes = plan
                        .steps()
                        .iter()
                        .map(|step| (step.action().operation(), step.action().sync().map(|sync| sync.region.clone())));
                    crew.management.call_log().plan = Some(writes.collect());
                };
                Ok(End::of_plan(reach(&clients, crew, &target, &wanted, planned).await))
            }
            Self::OtherTool => {
                // A refusal of AWS changes nothing.
                let sync_type = SyncType::SyncFromSource;
                drop(crew.management.delete_resource_data_sync(&region(HOME), sync().name(), sync_type).await);
                drop(crew.management.delete_service_linked_role(&RoleName::ACCOUNT_DISCOVERY).await);
                Ok(End::of_plan((None, None)))
            }
            _ => self.run_handles(crew).await,
        }
    }

    async fn run_handles(self, crew: &RunClients) -> Result<End, End> {
        let looked = Integration::new(crew.management.clone()).with_wait_timeout(PATIENCE).observe().await;
        let observed = looked.map_err(|failure| End::blind(failure.into()))?;
        let wanted = match self {
            Self::Offboard | Self::OffboardGently => ReportedState::exactly(false, Vec::new()),
            Self::Onboard(account) | Self::HandOver(account) | Self::CarryOver(account) => {
                ReportedState::exactly(true, vec![account])
            }
            _ => ReportedState::default(),
        };
        let home = [region(HOME)];
        let result = match (self, observed) {
            (Self::Offboard, observed) => observed.ensure_disabled(SyncProtection::AllowLoss).await.map(Observed::from),
            (Self::OffboardGently, observed) => {
                let ssm: [&dyn SystemsManagerClient; 3] = [&crew.management, &crew.alice, &crew.bob];
                observed
                    .ensure_disabled(SyncProtection::Protect { clients: &ssm, regions: &home })
                    .await
                    .map(Observed::from)
            }
            (Self::HandOver(account) | Self::CarryOver(account), Observed::Delegated(handle)) => {
                let (from, to) = (crew.of(handle.administrator().account), crew.of(account));
                let carry = SyncMigration::Migrate { from, to, regions: &home };
                let forfeit = SyncMigration::Discard(SyncProtection::AllowLoss);
                let way = if matches!(self, Self::CarryOver(_)) { carry } else { forfeit };
                match handle.replace(account, way).await {
                    Ok(replaced) => Ok(Observed::from(replaced.handle)),
                    Err(failure) => return Err(End::of_failure(failure)),
                }
            }
            (Self::Onboard(account) | Self::HandOver(account) | Self::CarryOver(account), observed) => {
                observed.ensure_delegated(account).await.map(Observed::from)
            }
            (Self::MakeSync, Observed::Delegated(mut handle)) => {
                let error = match handle.data_syncs(&crew.alice).await {
                    Ok(mut syncs) => match syncs.ensure(&sync(), &home).await {
                        Ok(results) => results.into_result().err(),
                        Err(error) => Some(error),
                    },
                    Err(error) => Some(error),
                };
                return Ok(End { error, ..End::of(&handle.into()) });
            }
            (_, observed) => Ok(observed),
        };
        match result {
            Ok(observed) => {
                crew.management.say(wanted);
                Ok(End::of(&observed))
            }
            Err(failure) => Err(End::of_failure(failure)),
        }
    }
}

impl End {
    fn of_plan((receipt, error): (Option<Receipt>, Option<Error>)) -> Self {
        let changes = receipt.map(|receipt| receipt.changes().to_vec()).unwrap_or_default();
        Self { changes, error, claim: None }
    }

    fn blind(error: Error) -> Self {
        Self { changes: Vec::new(), error: Some(error), claim: None }
    }

    fn of(observed: &Observed<GatedClient>) -> Self {
        let accounts = observed.administrators().iter().map(|administrator| administrator.account).collect();
        let claim = Some((observed.trusted_access().is_some(), accounts));
        Self { changes: observed.changes().to_vec(), error: None, claim }
    }

    fn of_failure<H: Handle<Client = GatedClient> + Into<Observed<GatedClient>>>(failure: TransitionError<H>) -> Self {
        let (error, recovered) = failure.into_parts();
        let end = match recovered {
            Recovered::Unchanged(handle) => Self::of(&handle.into()),
            Recovered::Changed(observed) => Self::of(&observed),
            Recovered::Unknown(handle) => Self { changes: handle.changes().to_vec(), error: None, claim: None },
        };
        Self { error: Some(error), ..end }
    }
}

/// Creates and applies a plan, and reports the reached state.
async fn reach(
    clients: &Clients<'_>,
    crew: &RunClients,
    target: &Target,
    wanted: &ReportedState,
    planned: impl FnOnce(&Plan),
) -> (Option<Receipt>, Option<Error>) {
    let plan = match target.plan(clients).await {
        Ok(plan) => plan,
        Err(error) => return (None, Some(error)),
    };
    planned(&plan);
    match plan.apply(clients, |_| {}).await {
        Ok(applied) => {
            crew.management.say(wanted.clone().apart());
            (Some(applied.receipt), None)
        }
        Err(stopped) => {
            let (error, receipt) = stopped.into_parts();
            (Some(receipt), Some(error))
        }
    }
}

/// Creates, applies and undoes a plan.
async fn there_and_back(crew: &RunClients, target: &Target, wanted: &ReportedState) -> Result<End, End> {
    let (receipt, error) = reach(&crew.clients(), crew, target, wanted, |_| {}).await;
    let Some(receipt) = receipt else { return Err(End { changes: Vec::new(), error, claim: None }) };
    let mut changes = receipt.changes().to_vec();
    if error.is_some() {
        return Err(End { changes, error, claim: None });
    }
    let clients = crew.clients();
    let undone = async {
        let plan = receipt
            .undo(&clients, &UndoOptions::new().search_regions([region(HOME)]))
            .await
            .map_err(|error| (error, Vec::new()))?;
        let applied = plan.apply(&clients, |_| {}).await.map_err(|stopped| {
            let (error, receipt) = stopped.into_parts();
            (error, receipt.changes().to_vec())
        })?;
        Ok(applied.receipt.changes().to_vec())
    };
    let (further, error) = match undone.await {
        Ok(further) => (further, None),
        Err((error, further)) => (further, Some(error)),
    };
    changes.extend(further);
    Ok(End { changes, error, claim: None })
}
