//! Random organizations and targets: plans reach the target within AWS's rules, change nothing
//! else, and can be undone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]
#![allow(clippy::indexing_slicing, reason = "every place is drawn from the table's own length")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use ssm_organizations::plan::{
    AdministratorTarget, Clients, Plan, Receipt, ServiceTarget, Target, UndoOptions, UnlistedSyncs,
};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{DataSync, SourceRegions, SyncDefinition, SyncSource, SyncSourceType, SyncState};
use ssm_organizations::sim::{self, CallOutcome};
use ssm_organizations::{AccountId, Certainty, ErrorKind, Region, ServicePrincipal, SyncName};

const ACCOUNTS: [&str; 3] = ["111111111111", "222222222222", "333333333333"];
const REGIONS: [&str; 2] = ["eu-central-1", "us-east-1"];
const NAMES: [&str; 3] = ["one", "two", "three"];
/// Companions that a target may name.
const COMPANIONS: [ServicePrincipal; 2] = [ServicePrincipal::QUICK_SETUP, ServicePrincipal::STACK_SETS];
/// Service that no plan may change.
const UNNAMED: &str = "config.amazonaws.com";

fn account(place: usize) -> AccountId {
    ACCOUNTS[place].parse().unwrap()
}

fn region(place: usize) -> Region {
    REGIONS[place].parse().unwrap()
}

fn name(place: usize) -> SyncName {
    NAMES[place].parse().unwrap()
}

fn regions() -> [Region; 2] {
    [region(0), region(1)]
}

/// Data sync with its settings. All numbers are positions in the tables above.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct ExistingSync {
    owner: usize,
    region: usize,
    name: usize,
    single: bool,
    future: bool,
}

fn existing() -> impl Strategy<Value = ExistingSync> {
    (0..ACCOUNTS.len(), 0..REGIONS.len(), 0..NAMES.len(), prop::bool::weighted(0.2), any::<bool>())
        .prop_map(|(owner, region, name, single, future)| ExistingSync { owner, region, name, single, future })
}

fn definition(number: usize, single: bool, future: bool) -> SyncDefinition {
    let source = if single { SyncSource::SingleAccount } else { SyncSource::EntireOrganization };
    let sync = SyncDefinition::new(name(number), source, SourceRegions::new([region(0)]).unwrap());
    if future { sync.including_future_regions() } else { sync }
}

fn shown(existing: &ExistingSync) -> DataSync {
    let source =
        if existing.single { SyncSourceType::SingleAccountMultiRegions } else { SyncSourceType::AwsOrganizations };
    let mut sync = DataSync::new(name(existing.name), Some(source));
    sync.regions = vec![region(0)];
    sync.future_regions = Some(existing.future);
    sync.all_ops_data_sources = Some(false);
    sync
}

/// Initial state of an organization.
#[derive(Debug, Clone)]
struct Start {
    trusted: bool,
    administrators: BTreeSet<usize>,
    role: bool,
    existing: Vec<ExistingSync>,
    companions: [(bool, BTreeSet<usize>); 2],
}

impl Start {
    /// Returns whether the state is one that AWS's rules do not allow.
    fn is_inconsistent(&self) -> bool {
        let orphaned = |trusted: bool, some: &BTreeSet<usize>| !trusted && !some.is_empty();
        orphaned(self.trusted, &self.administrators)
            || self.administrators.len() > 1
            || self.companions.iter().any(|(trusted, some)| orphaned(*trusted, some))
            || self.companions[0].1.len() > 1
    }

    fn build(&self) -> sim::SimOrganization {
        let ours = ServicePrincipal::SYSTEMS_MANAGER;
        let unnamed: ServicePrincipal = UNNAMED.parse().unwrap();
        let mut builder = sim::SimOrganization::builder().member(account(1)).member(account(2));
        builder = builder.trusted_access_for(&unnamed).delegated_administrator_for(&unnamed, account(2));
        let mut services = vec![(ours, self.trusted, &self.administrators)];
        services.extend(COMPANIONS.into_iter().zip(&self.companions).map(|(of, (trusted, some))| (of, *trusted, some)));
        for (principal, trusted, administrators) in services {
            if trusted {
                builder = builder.trusted_access_for(&principal);
            }
            for place in administrators {
                builder = builder.delegated_administrator_for(&principal, account(*place));
            }
        }
        if self.role {
            builder = builder.service_linked_role(&ServicePrincipal::ACCOUNT_DISCOVERY);
        }
        for existing in &self.existing {
            let mut sync = shown(existing);
            if !self.trusted && !existing.single {
                sync.state = SyncState::TrustedAccessDisabled;
            }
            builder = builder.data_sync(account(existing.owner), region(existing.region), sync);
        }
        builder.build()
    }
}

fn administrators() -> impl Strategy<Value = BTreeSet<usize>> {
    prop_oneof![
        4 => Just(BTreeSet::new()),
        8 => (1..3_usize).prop_map(|place| BTreeSet::from([place])),
        1 => Just(BTreeSet::from([1, 2])),
    ]
}

fn start() -> impl Strategy<Value = Start> {
    let companion = || (any::<bool>(), administrators());
    let existing = prop::collection::vec(existing(), 0..5);
    (prop::bool::weighted(0.7), administrators(), any::<bool>(), existing, [companion(), companion()]).prop_map(
        |(trusted, administrators, role, mut existing, companions)| {
            existing.sort_by_key(|existing| (existing.owner, existing.region, existing.name));
            existing.dedup_by_key(|existing| (existing.owner, existing.region, existing.name));
            Start { trusted, administrators, role, existing, companions }
        },
    )
}

fn administrator() -> impl Strategy<Value = Option<AdministratorTarget>> {
    prop_oneof![
        2 => Just(None),
        2 => Just(Some(AdministratorTarget::None)),
        5 => (1..3_usize).prop_map(|place| Some(AdministratorTarget::Account(account(place)))),
    ]
}

fn service() -> impl Strategy<Value = ServiceTarget> {
    let trust = prop_oneof![1 => Just(None), 3 => Just(Some(true)), 1 => Just(Some(false))];
    (trust, administrator()).prop_map(|(trust, administrator)| {
        let mut service = ServiceTarget::new();
        if let Some(on) = trust {
            service = service.with_trusted_access(on);
        }
        administrator.into_iter().fold(service, ServiceTarget::with_administrator)
    })
}

/// Desired or undesired sync, with its owner and Region.
type SyncTarget = (bool, Caller, usize, BTreeSet<usize>, bool, bool);

fn sync_target() -> impl Strategy<Value = SyncTarget> {
    let owner = prop_oneof![
        3 => Just(Caller::Management),
        3 => Just(Caller::Administrator),
        1 => (0..ACCOUNTS.len()).prop_map(|place| Caller::Account(account(place))),
    ];
    let places = prop::collection::btree_set(0..REGIONS.len(), 1..=REGIONS.len());
    (any::<bool>(), owner, 0..NAMES.len(), places, prop::bool::weighted(0.2), any::<bool>())
}

fn target() -> impl Strategy<Value = Target> {
    let role = prop_oneof![1 => Just(None), 3 => Just(Some(true)), 1 => Just(Some(false))];
    let others = prop_oneof![Just(UnlistedSyncs::Protect), Just(UnlistedSyncs::AllowLoss)];
    let companions = [prop::option::weighted(0.3, service()), prop::option::weighted(0.3, service())];
    (service(), role, others, prop::collection::vec(sync_target(), 0..4), companions).prop_map(
        |(own, role, others, sync_targets, companions)| {
            let mut target = Target::new().search_regions(regions()).with_unlisted_syncs(others);
            target = target.with_companion(ServicePrincipal::SYSTEMS_MANAGER, own);
            target = match role {
                Some(true) => target.with_role(),
                Some(false) => target.without_role(),
                None => target,
            };
            for (present, owner, number, places, single, future) in sync_targets {
                let places = places.into_iter().map(region);
                target = if present {
                    target.with_sync(owner, definition(number, single, future), places)
                } else {
                    target.without_sync(owner, name(number), places)
                };
            }
            let companions = COMPANIONS.into_iter().zip(companions);
            companions.fold(target, |target, (principal, service)| match service {
                Some(service) => target.with_companion(principal, service),
                None => target,
            })
        },
    )
}

/// Organization with the clients of all accounts.
struct OrganizationClients(sim::SimOrganization, [sim::SimClient; 3]);

impl OrganizationClients {
    fn of(organization: sim::SimOrganization) -> Self {
        let clients = [0, 1, 2].map(|place| organization.client(account(place)));
        Self(organization, clients)
    }

    fn clients(&self) -> Clients<'_> {
        let [management, one, other] = &self.1;
        Clients::new(management).with_account_client(one).with_account_client(other)
    }

    fn like(&self) -> sim::SimState {
        self.0.state().without_dates()
    }

    async fn apply(&self, plan: &Plan) -> Receipt {
        let applied = plan.apply(&self.clients(), |_| {}).await;
        applied.unwrap_or_else(|stopped| panic!("{:#}\n{plan}", stopped.error())).receipt
    }

    /// Returns the syncs, without their health and creation dates.
    fn syncs(&self, without: &BTreeSet<(AccountId, Region, SyncName)>) -> Vec<(usize, usize, DataSync)> {
        let mut all = Vec::new();
        for owner in 0..ACCOUNTS.len() {
            for at in 0..REGIONS.len() {
                for mut sync in self.0.data_syncs(account(owner), &region(at)) {
                    sync.state = SyncState::Healthy;
                    if !without.contains(&(account(owner), region(at), sync.name.clone())) {
                        all.push((owner, at, sync));
                    }
                }
            }
        }
        all
    }
}

/// Returns whether the plan warns of a sync without the role, which AWS may refuse.
fn warns_of_missing_role(plan: &Plan) -> bool {
    plan.warnings().iter().any(|warning| warning.contains("which does not exist"))
}

fn check_refusal(error: &ssm_organizations::Error) {
    let known = matches!(
        error.kind(),
        ErrorKind::InvalidInput
            | ErrorKind::AlreadyDelegated { .. }
            | ErrorKind::NotDelegatedAdministrator
            | ErrorKind::DataSyncsExist { .. }
            | ErrorKind::SyncSourceImmutable
    );
    assert!(known, "{error:#}");
}

/// Counts of the cases with a plan, with an undo, and with a fully restored state.
#[derive(Debug, Default)]
struct Seen {
    planned: AtomicUsize,
    undone: AtomicUsize,
    restored: AtomicUsize,
}

fn count(cell: &AtomicUsize) {
    cell.fetch_add(1, Ordering::Relaxed);
}

async fn apply_and_undo(start: &Start, target: &Target, seen: &Seen) {
    let org = OrganizationClients::of(start.build());
    let before = org.like();
    let plan = match target.plan(&org.clients()).await {
        Ok(plan) => plan,
        Err(error) => {
            check_refusal(&error);
            assert_eq!(org.0.write_count(), 0);
            return;
        }
    };
    if warns_of_missing_role(&plan) {
        return;
    }
    let touched: BTreeSet<_> = plan
        .steps()
        .iter()
        .flat_map(|step| {
            let lost = step.affected_syncs().into_iter().flat_map(|at_risk| at_risk.listed.iter().map(|(at, _)| at));
            step.action().sync().into_iter().chain(lost)
        })
        .map(|at| (at.account, at.region.clone(), at.name.clone()))
        .collect();
    let others = org.syncs(&touched);
    let receipt = org.apply(&plan).await;
    assert_eq!(org.0.write_count(), plan.steps().len(), "each step is one write: {plan}");
    for call in org.0.calls() {
        assert_eq!(call.outcome, CallOutcome::Success, "{call}\n{plan}");
    }
    assert_eq!(org.syncs(&touched), others, "an unnamed sync changed: {plan}");
    let again = target.plan(&org.clients()).await.unwrap_or_else(|error| panic!("{error:#}\n{plan}"));
    assert!(again.is_empty(), "{plan}\nand then\n{again}");
    if !plan.is_empty() {
        count(&seen.planned);
    }

    let undo = UndoOptions::new().search_regions(regions());
    let back = match receipt.undo(&org.clients(), &undo).await {
        Ok(back) => back,
        // Only syncs from before the run make an undo fail. Changes that AWS does not allow to be
        // reverted are retained.
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::DataSyncsExist { .. }), "{error:#}\n{plan}");
            return;
        }
    };
    if warns_of_missing_role(&back) {
        return;
    }
    org.apply(&back).await;
    count(&seen.undone);
    if back.retained().is_empty() {
        count(&seen.restored);
        assert_eq!(org.like(), before, "{plan}\nand back\n{back}");
    }
    let again = receipt.undo(&org.clients(), &undo).await.unwrap_or_else(|error| panic!("{error:#}\n{back}"));
    assert!(again.is_empty(), "{back}\nand then\n{again}");
}

async fn stop_at_each_call(start: &Start, target: &Target) -> bool {
    let org = OrganizationClients::of(start.build());
    let Ok(plan) = target.plan(&org.clients()).await else { return false };
    if warns_of_missing_role(&plan) {
        return false;
    }
    org.0.clear_calls();
    org.apply(&plan).await;
    let (end, calls) = (org.like(), org.0.calls().len());
    for nth in 1..=calls {
        let org = OrganizationClients::of(start.build());
        let plan = target.plan(&org.clients()).await.unwrap();
        org.0.stop_at_call(nth);
        if let Ok(applied) = plan.apply(&org.clients(), |_| {}).await {
            assert!(applied.receipt.is_empty(), "{plan}");
        }
        org.0.resume();
        let rest = target.plan(&org.clients()).await.unwrap_or_else(|error| panic!("{nth}: {error:#}\n{plan}"));
        org.apply(&rest).await;
        assert_eq!(org.like(), end, "killed at {nth}: {plan}\nand then\n{rest}");
    }
    !plan.is_empty()
}

/// Applies a plan with random faults until a run completes.
async fn apply_with_faults(start: &Start, target: &Target, seed: u64) -> bool {
    let org = OrganizationClients::of(start.build());
    let Ok(plan) = target.plan(&org.clients()).await else { return false };
    if warns_of_missing_role(&plan) {
        return false;
    }
    org.apply(&plan).await;
    let end = org.like();

    let faulty = sim::SimOrganizationBuilder::from(start.build().state()).fault_rates(seed, sim::FaultRates::all(30));
    let org = OrganizationClients::of(faulty.build());
    let before = org.like();
    let mut receipts = Vec::new();
    for _ in 0..100 {
        org.0.clear_calls();
        if let Ok(plan) = target.plan(&org.clients()).await {
            let (receipt, finished) = match plan.apply(&org.clients(), |_| {}).await {
                Ok(applied) => (applied.receipt, true),
                Err(stopped) => (stopped.into_parts().1, false),
            };
            check_record(&receipt, &org.0);
            receipts.push(receipt);
            if finished {
                assert_eq!(org.like(), end, "{plan}");
                org.0.clear_faults();
                undo_all(start, &org, &receipts, &before).await;
                return receipts.len() > 1;
            }
        }
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    panic!("no run completed");
}

/// Undoes the runs from the last to the first, with their unconfirmed changes.
async fn undo_all(start: &Start, org: &OrganizationClients, receipts: &[Receipt], before: &sim::SimState) {
    // An undo without `include_unconfirmed` retains unconfirmed changes and their dependents.
    if let Some(receipt) = receipts.last() {
        for others in [UnlistedSyncs::Protect, UnlistedSyncs::AllowLoss] {
            let undo = UndoOptions::new().search_regions(regions()).with_unlisted_syncs(others);
            if let Err(error) = receipt.undo(&org.clients(), &undo).await {
                assert!(matches!(error.kind(), ErrorKind::DataSyncsExist { .. }), "{error:#}\n{receipt:?}");
            }
        }
    }
    for receipt in receipts.iter().rev() {
        let looking = UndoOptions::new().search_regions(regions());
        let undo = (0..receipt.changes().len()).fold(looking, UndoOptions::include_unconfirmed);
        match receipt.undo(&org.clients(), &undo).await {
            Ok(back) if warns_of_missing_role(&back) || !back.retained().is_empty() => return,
            // With allowed loss, a failed listing does not record the lost syncs. The undo reports
            // this as unknown.
            Ok(back) if !back.unknowns().is_empty() => return,
            Ok(back) => drop(org.apply(&back).await),
            Err(error) => {
                let endangered = matches!(error.kind(), ErrorKind::DataSyncsExist { .. });
                // A later run may have deregistered an administrator, and its undo registered the
                // account again. This run then did not create the current registration.
                assert!(endangered || start.is_inconsistent(), "{error:#}\n{receipt:?}");
                return;
            }
        }
    }
    assert_eq!(org.like(), *before, "{receipts:#?}");
}

/// Checks that the receipt lists every write, and that confirmed changes had a response.
fn check_record(receipt: &Receipt, organization: &sim::SimOrganization) {
    let calls = organization.calls();
    let writes = |outcome: CallOutcome| calls.iter().filter(|call| call.is_write() && call.outcome == outcome).count();
    let of = |certainty| receipt.changes().iter().filter(|change| change.certainty == certainty).count();
    let (did, maybe) = (of(Certainty::Confirmed), of(Certainty::Unconfirmed));
    let (answered, lost) = (writes(CallOutcome::Success), writes(CallOutcome::ResponseLost));
    assert!(did <= answered && did + maybe >= answered && did + maybe <= answered + lost, "{receipt:?}\n{calls:#?}");
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() })
}

#[test]
fn random_plan_reaches_target_and_undo_restores_state() {
    let seen = Seen::default();
    let cases = 3_000;
    runner(cases)
        .run(&(start(), target()), |(start, target)| {
            block_on(apply_and_undo(&start, &target, &seen));
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    // Enough of the random cases must have a plan, an undo, and a restored state.
    let enough = |cell: &AtomicUsize| cell.load(Ordering::Relaxed) > 200;
    assert!(enough(&seen.planned) && enough(&seen.undone) && enough(&seen.restored), "{seen:?}");
}

#[test]
fn random_plan_stopped_at_any_call_completes_on_rerun() {
    let planned = AtomicUsize::new(0);
    runner(300)
        .run(&(start(), target()), |(start, target)| {
            if block_on(stop_at_each_call(&start, &target)) {
                count(&planned);
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    assert!(planned.load(Ordering::Relaxed) > 20, "{planned:?}");
}

#[test]
fn random_plan_with_random_faults_completes_on_rerun() {
    let planned = AtomicUsize::new(0);
    runner(2_000)
        .run(&(start(), target(), any::<u64>()), |(start, target, seed)| {
            if block_on(apply_with_faults(&start, &target, seed)) {
                count(&planned);
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    assert!(planned.load(Ordering::Relaxed) > 100, "{planned:?}");
}
