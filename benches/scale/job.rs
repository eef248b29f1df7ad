//! Measured jobs and the organizations that they run on.

use std::time::Duration;

use ssm_organizations::plan::{Clients, Target, UndoOptions};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{DataSync, SourceRegions, SyncDefinition, SyncSourceType};
use ssm_organizations::state::TrustedAccess;
use ssm_organizations::{
    AccountId, Error, ExplorerSetup, Integration, Observed, Region, ServicePrincipal, SyncName, SyncProtection, sim,
};

use crate::cost::{Cost, Stopwatch};
use crate::retrying::{RetryThrottled, Retrying};

const SSM: ServicePrincipal = ServicePrincipal::SYSTEMS_MANAGER;
const ROLE: ServicePrincipal = ServicePrincipal::ACCOUNT_DISCOVERY;
/// Largest page of AWS.
const PAGE: usize = 20;

/// Size of an organization.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) accounts: usize,
    /// Number of Regions with data syncs, and of Regions that the jobs list.
    pub(crate) regions: usize,
    /// Number of pages of trusted services. Systems Manager is the last entry of the last page.
    pub(crate) pages: usize,
}

/// Job of the tables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    Observe,
    Onboard,
    OnboardAtOnce,
    Offboard,
    ListSyncs,
    CreateSyncs,
    PlanIn,
    PlanOut,
    PlanAgain,
    Replace,
    Undo,
    Explorer,
}

impl Job {
    pub(crate) const ALL: [Self; 12] = [
        Self::Observe,
        Self::Onboard,
        Self::OnboardAtOnce,
        Self::Offboard,
        Self::ListSyncs,
        Self::CreateSyncs,
        Self::PlanIn,
        Self::PlanOut,
        Self::PlanAgain,
        Self::Replace,
        Self::Undo,
        Self::Explorer,
    ];
    /// Jobs with calls that have a documented rate.
    pub(crate) const AT_RATES: [Self; 6] =
        [Self::Observe, Self::Onboard, Self::OnboardAtOnce, Self::Offboard, Self::PlanIn, Self::PlanOut];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Onboard => "onboard",
            Self::OnboardAtOnce => "onboard at once",
            Self::Offboard => "offboard",
            Self::ListSyncs => "list syncs",
            Self::CreateSyncs => "create syncs",
            Self::PlanIn => "set up by plan",
            Self::PlanOut => "take down by plan",
            Self::PlanAgain => "set up by plan again",
            Self::Replace => "replace by plan",
            Self::Undo => "undo",
            Self::Explorer => "set up by types",
        }
    }

    pub(crate) fn explanation(self) -> &'static str {
        match self {
            Self::Observe => "`Integration::observe`, of an organization with a delegated administrator",
            Self::Onboard => "`observe` and `ensure_delegated`, from the disabled state",
            Self::OnboardAtOnce => "`ensure_delegated` on an unobserved handle, from the disabled state",
            Self::Offboard => {
                "`observe` and `ensure_disabled`, with `SyncProtection::Protect` for two accounts without syncs in each Region"
            }
            Self::ListSyncs => "`DataSyncs::list` in every Region",
            Self::CreateSyncs => "`DataSyncs::ensure` of one new sync in every Region",
            Self::PlanIn => {
                "a plan and `apply`: trusted access, administrator, role, and a sync of two accounts in each Region"
            }
            Self::PlanOut => "a plan and `apply` that remove the same",
            Self::PlanAgain => "the same as to set up, with nothing left to do",
            Self::Replace => {
                "a plan and `apply`: another administrator, and the old one's sync in each Region moves to it"
            }
            Self::Undo => "`Receipt::undo` of a set-up by plan, and `apply`",
            Self::Explorer => {
                "`ensure_delegated` on an unobserved handle and `ensure_explorer`: the role, and a sync of the administrator in each Region"
            }
        }
    }

    /// Returns the organization on which the job starts.
    pub(crate) fn start(self, size: Size) -> sim::SimOrganizationBuilder {
        let others = (1..size.pages * PAGE).map(|number| format!("a{number:04}.amazonaws.com"));
        let others = others.map(|name| ServicePrincipal::new(name).expect("a principal"));
        let bare = sim::SimOrganization::builder()
            .members(size.accounts.try_into().expect("a number"))
            .member(administrator())
            .member(successor())
            .page_size(PAGE)
            .role_deletion(Duration::ZERO);
        let bare = others.fold(bare, |builder, other| builder.trusted_access_for(&other));
        let trusting =
            |builder: sim::SimOrganizationBuilder| builder.trusted_access_for(&SSM).service_linked_role(&ROLE);
        let with_sync_of = |account, builder| {
            let add =
                |builder: sim::SimOrganizationBuilder, region| builder.data_sync(account, region, shown(size.regions));
            regions(size.regions).into_iter().fold(builder, add)
        };
        match self {
            Self::Onboard | Self::OnboardAtOnce | Self::PlanIn | Self::Undo | Self::Explorer => bare,
            Self::Replace => with_sync_of(administrator(), trusting(bare).delegated_administrator(administrator())),
            Self::Observe | Self::Offboard => trusting(bare).delegated_administrator(administrator()),
            Self::CreateSyncs => trusting(bare),
            Self::ListSyncs => with_sync_of(management(), trusting(bare)),
            Self::PlanOut | Self::PlanAgain => {
                let delegated = with_sync_of(management(), trusting(bare).delegated_administrator(administrator()));
                with_sync_of(administrator(), delegated)
            }
        }
    }

    /// Runs the job and returns its cost.
    pub(crate) async fn run(self, org: &BenchOrganization, size: Size) -> Result<Cost, Error> {
        let BenchOrganization { organization, management, administrator: of_administrator, successor: of_successor } =
            org;
        let home = regions(size.regions);
        let watch = Stopwatch::start(organization);
        match self {
            Self::Observe => drop(Integration::new(management).observe().await?),
            Self::Onboard => {
                let observed = Integration::new(management).observe().await?;
                observed.ensure_delegated(administrator()).await?;
            }
            Self::OnboardAtOnce => drop(Integration::new(management).ensure_delegated(administrator()).await?),
            Self::Offboard => {
                let syncs = SyncProtection::Protect { clients: &[management, of_administrator], regions: &home };
                Integration::new(management).observe().await?.ensure_disabled(syncs).await?;
            }
            Self::ListSyncs => {
                let mut trusted = org.trusted().await?;
                let syncs = trusted.data_syncs(management).await?;
                let watch = Stopwatch::start(organization);
                syncs.list(&home).await?.into_result()?;
                return Ok(watch.stop());
            }
            Self::CreateSyncs => {
                let mut trusted = org.trusted().await?;
                let mut syncs = trusted.data_syncs(management).await?;
                let watch = Stopwatch::start(organization);
                syncs.ensure(&wanted(size.regions), &home).await?.into_result()?;
                return Ok(watch.stop());
            }
            Self::PlanIn | Self::PlanAgain => org.reach(&everything(size.regions)).await?,
            Self::PlanOut => org.reach(&nothing(size.regions)).await?,
            Self::Replace => {
                let target = Target::new().with_administrator(successor()).with_migrated_syncs([]).search_regions(home);
                let clients = Clients::new(management).with_account_client(of_administrator);
                let clients = clients.with_account_client(of_successor);
                target.plan(&clients).await?.apply(&clients, |_| {}).await?;
            }
            Self::Undo => {
                let clients = || Clients::new(management).with_account_client(of_administrator);
                let plan = everything(size.regions).plan(&clients()).await?;
                let receipt = plan.apply(&clients(), |_| {}).await?.receipt;
                let watch = Stopwatch::start(organization);
                let undo = UndoOptions::new().search_regions(home);
                let clients = clients();
                receipt.undo(&clients, &undo).await?.apply(&clients, |_| {}).await?;
                return Ok(watch.stop());
            }
            Self::Explorer => {
                let mut delegated = Integration::new(management).ensure_delegated(administrator()).await?;
                let sync = wanted(size.regions);
                let explorer = ExplorerSetup::new().with_role(management).with_sync(of_administrator, &sync, &home);
                delegated.ensure_explorer(&explorer).await?;
            }
        }
        Ok(watch.stop())
    }
}

/// Organization with clients of the management account, the administrator and its successor.
pub(crate) struct BenchOrganization {
    organization: sim::SimOrganization,
    management: Retrying,
    administrator: Retrying,
    successor: Retrying,
}

impl BenchOrganization {
    /// Creates clients that make this number of attempts at each call. The seed determines the
    /// pauses between attempts.
    pub(crate) fn new(organization: sim::SimOrganization, attempts: u32, seed: u64) -> Self {
        let management = RetryThrottled::client(organization.management_client(), attempts, seed);
        let administrator = RetryThrottled::client(organization.client(administrator()), attempts, !seed);
        let successor = RetryThrottled::client(organization.client(successor()), attempts, seed.rotate_left(32));
        Self { organization, management, administrator, successor }
    }

    async fn trusted(&self) -> Result<Integration<TrustedAccess, &Retrying>, Error> {
        match Integration::new(&self.management).observe().await? {
            Observed::TrustedAccess(trusted) => Ok(trusted),
            other => panic!("expected trusted access, found {other}"),
        }
    }

    async fn reach(&self, target: &Target) -> Result<(), Error> {
        let clients = Clients::new(&self.management).with_account_client(&self.administrator);
        target.plan(&clients).await?.apply(&clients, |_| {}).await?;
        Ok(())
    }
}

fn everything(count: usize) -> Target {
    Target::new()
        .with_trusted_access(true)
        .with_administrator(administrator())
        .with_role()
        .with_sync(Caller::Management, wanted(count), regions(count))
        .with_sync(Caller::Administrator, wanted(count), regions(count))
}

fn nothing(count: usize) -> Target {
    Target::new()
        .with_trusted_access(false)
        .without_administrator()
        .without_role()
        .without_sync(Caller::Management, name(), regions(count))
        .without_sync(Caller::Administrator, name(), regions(count))
}

fn management() -> AccountId {
    AccountId::new("111111111111").expect("twelve digits")
}

fn administrator() -> AccountId {
    AccountId::new("222222222222").expect("twelve digits")
}

fn successor() -> AccountId {
    AccountId::new("333333333333").expect("twelve digits")
}

fn regions(count: usize) -> Vec<Region> {
    (1..=count).map(|number| Region::new(format!("eu-test-{number}")).expect("a Region")).collect()
}

fn name() -> SyncName {
    SyncName::new("all-accounts").expect("a name")
}

fn wanted(count: usize) -> SyncDefinition {
    SyncDefinition::of_organization(name(), SourceRegions::new(regions(count)).expect("Regions"))
}

/// Returns the sync of [`wanted`] as a listing shows it.
fn shown(count: usize) -> DataSync {
    let mut sync = DataSync::new(name(), Some(SyncSourceType::AwsOrganizations));
    sync.regions = regions(count);
    sync.future_regions = Some(false);
    sync.all_ops_data_sources = Some(false);
    sync
}
