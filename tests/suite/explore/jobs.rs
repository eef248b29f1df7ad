//! What the administrators are about, each a run of the crate's own code.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use ssm_organizations::plan::{Clients, Receipt, Target, Undo};
use ssm_organizations::ports::{SourceRegions, SyncDefinition, SystemsManagerClient};
use ssm_organizations::{
    AccountId, Change, Error, Failure, Handle, Handover, Integration, Observed, Recovered, SyncName, Syncs, sim,
};

use super::facts::{HOME, Wanted};
use super::gate::{Desk, Gate, Past};
use crate::common::{alice, bob, management, region};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// `ensure_delegated`.
    Onboard(AccountId),
    /// `ensure_disabled`, whatever becomes of the data syncs.
    Offboard,
    /// `ensure_disabled`, protecting them.
    OffboardGently,
    /// `replace`, or `ensure_delegated` where there is none to replace.
    HandOver(AccountId),
    /// The same, carrying the data syncs over.
    CarryOver(AccountId),
    /// A plan to onboard, applied and then undone.
    Visit(AccountId),
    /// A plan to offboard, applied.
    Leave,
    /// A plan for another administrator, applied and then undone.
    Borrow(AccountId),
    /// `ensure` of a data sync in Alice's account, where she administers.
    MakeSync,
}

/// How a run ended.
#[derive(Debug)]
pub struct End {
    pub changes: Vec<Change>,
    pub error: Option<Error>,
    /// The state that the handle at the end stands for, where there is one.
    pub claim: Option<(bool, Vec<AccountId>)>,
}

pub type Running = Pin<Box<dyn Future<Output = End> + Send>>;

/// The clients of one run.
struct Crew {
    management: Gate,
    alice: Gate,
    bob: Gate,
}

impl Crew {
    fn of(&self, account: AccountId) -> &Gate {
        if account == alice() { &self.alice } else { &self.bob }
    }

    fn clients(&self) -> Clients<'_> {
        Clients::new(&self.management).and(&self.alice).and(&self.bob).settle_within(PATIENCE)
    }
}

/// One pause, then it is over.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

pub fn sync() -> SyncDefinition {
    let home = SourceRegions::new([region(HOME)]).unwrap();
    SyncDefinition::of_organization(SyncName::new("ours").unwrap(), home)
}

impl Job {
    /// Whether it takes back what it made, and nothing else of the kind.
    pub fn takes_back(self) -> bool {
        matches!(self, Self::Visit(_) | Self::Borrow(_))
    }

    pub fn start(self, organization: &sim::Organization, past: &Past, desk: &Arc<Mutex<Desk>>) -> Running {
        let client = |account| Gate::new(organization.client(account), past, desk);
        let crew = Crew { management: client(management()), alice: client(alice()), bob: client(bob()) };
        Box::pin(async move { self.run(&crew).await.unwrap_or_else(|end| end) })
    }

    async fn run(self, crew: &Crew) -> Result<End, End> {
        match self {
            Self::Visit(account) => {
                let target =
                    Target::new().with_trusted_access(true).with_administrator(account).looking_in([region(HOME)]);
                there_and_back(crew, &target, &Wanted::exactly(true, vec![account])).await
            }
            Self::Borrow(account) => {
                let target = Target::new().with_administrator(account).looking_in([region(HOME)]);
                there_and_back(crew, &target, &Wanted::exactly(true, vec![account])).await
            }
            Self::Leave => {
                let target = Target::new().with_trusted_access(false).without_administrator();
                let target = target.looking_in([region(HOME)]);
                let (receipt, error) = reach(crew, &target, &Wanted::exactly(false, Vec::new())).await;
                Ok(End {
                    changes: receipt.map(|receipt| receipt.changes().to_vec()).unwrap_or_default(),
                    error,
                    claim: None,
                })
            }
            _ => self.run_handles(crew).await,
        }
    }

    async fn run_handles(self, crew: &Crew) -> Result<End, End> {
        let looked = Integration::new(crew.management.clone()).settle_within(PATIENCE).observe().await;
        let observed = looked.map_err(|failure| End::blind(failure.into()))?;
        let wanted = match self {
            Self::Offboard | Self::OffboardGently => Wanted::exactly(false, Vec::new()),
            Self::Onboard(account) | Self::HandOver(account) | Self::CarryOver(account) => {
                Wanted::exactly(true, vec![account])
            }
            _ => Wanted::default(),
        };
        let home = [region(HOME)];
        let result = match (self, observed) {
            (Self::Offboard, observed) => observed.ensure_disabled(Syncs::Forfeit).await.map(Observed::from),
            (Self::OffboardGently, observed) => {
                let ssm: [&dyn SystemsManagerClient; 3] = [&crew.management, &crew.alice, &crew.bob];
                observed.ensure_disabled(Syncs::Protect { ssm: &ssm, regions: &home }).await.map(Observed::from)
            }
            (Self::HandOver(account) | Self::CarryOver(account), Observed::Delegated(handle)) => {
                let (from, to) = (crew.of(handle.administrator().account), crew.of(account));
                let carry = Handover::Carry { from, to, regions: &home };
                let forfeit = Handover::Leave(Syncs::Forfeit);
                let way = if matches!(self, Self::CarryOver(_)) { carry } else { forfeit };
                match handle.replace(&account, way).await {
                    Ok(replaced) => Ok(Observed::from(replaced.delegated)),
                    Err(failure) => return Err(End::of_failure(failure)),
                }
            }
            (Self::Onboard(account) | Self::HandOver(account) | Self::CarryOver(account), observed) => {
                observed.ensure_delegated(&account).await.map(Observed::from)
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
    fn blind(error: Error) -> Self {
        Self { changes: Vec::new(), error: Some(error), claim: None }
    }

    fn of(observed: &Observed<Gate>) -> Self {
        let accounts = observed.administrators().iter().map(|administrator| administrator.account).collect();
        let claim = Some((observed.trusted_access().is_some(), accounts));
        Self { changes: observed.changes().to_vec(), error: None, claim }
    }

    fn of_failure<H: Handle<Client = Gate> + Into<Observed<Gate>>>(failure: Failure<H>) -> Self {
        let (error, recovered) = failure.into_parts();
        let end = match recovered {
            Recovered::Unchanged(handle) => Self::of(&handle.into()),
            Recovered::Moved(observed) => Self::of(&observed),
            Recovered::Unknown(handle) => Self { changes: handle.changes().to_vec(), error: None, claim: None },
        };
        Self { error: Some(error), ..end }
    }
}

/// Plans and applies, and says so.
async fn reach(crew: &Crew, target: &Target, wanted: &Wanted) -> (Option<Receipt>, Option<Error>) {
    let clients = crew.clients();
    let plan = match target.plan(&clients).await {
        Ok(plan) => plan,
        Err(error) => return (None, Some(error)),
    };
    match plan.apply(&clients, |_| {}).await {
        Ok(receipt) => {
            crew.management.say(wanted.clone().apart());
            (Some(receipt), None)
        }
        Err(stopped) => {
            let (error, receipt) = stopped.into_parts();
            (Some(receipt), Some(error))
        }
    }
}

/// Plans, applies, and takes back what that did.
async fn there_and_back(crew: &Crew, target: &Target, wanted: &Wanted) -> Result<End, End> {
    let (receipt, error) = reach(crew, target, wanted).await;
    let Some(receipt) = receipt else { return Err(End { changes: Vec::new(), error, claim: None }) };
    let mut changes = receipt.changes().to_vec();
    if error.is_some() {
        return Err(End { changes, error, claim: None });
    }
    let clients = crew.clients();
    let undone = async {
        let plan = receipt
            .undo(&clients, &Undo::new().looking_in([region(HOME)]))
            .await
            .map_err(|error| (error, Vec::new()))?;
        let receipt = plan.apply(&clients, |_| {}).await.map_err(|stopped| {
            let (error, receipt) = stopped.into_parts();
            (error, receipt.changes().to_vec())
        })?;
        Ok(receipt.changes().to_vec())
    };
    let (further, error) = match undone.await {
        Ok(further) => (further, None),
        Err((error, further)) => (further, Some(error)),
    };
    changes.extend(further);
    Ok(End { changes, error, claim: None })
}
