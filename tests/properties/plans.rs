//! Random organizations and targets: plans lead there, break none of AWS's rules, touch nothing else, and can be taken back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]
#![allow(clippy::indexing_slicing, reason = "every place is drawn from the table's own length")]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use ssm_organizations::plan::{AdministratorTarget, Clients, OtherSyncs, Plan, Receipt, ServiceTarget, Target, Undo};
use ssm_organizations::policy::Caller;
use ssm_organizations::ports::{DataSync, SourceRegions, SyncDefinition, SyncSource, SyncSourceType, SyncState};
use ssm_organizations::sim::{self, Outcome};
use ssm_organizations::{AccountId, Certainty, ErrorKind, Region, ServicePrincipal, SyncName};

const ACCOUNTS: [&str; 3] = ["111111111111", "222222222222", "333333333333"];
const REGIONS: [&str; 2] = ["eu-central-1", "us-east-1"];
const NAMES: [&str; 3] = ["one", "two", "three"];
/// Those that a target may name.
const COMPANIONS: [ServicePrincipal; 2] = [ServicePrincipal::QUICK_SETUP, ServicePrincipal::STACK_SETS];
/// One that nothing may touch.
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

/// A sync, and what it is like. All numbers are places in the tables above.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    owner: usize,
    region: usize,
    name: usize,
    single: bool,
    future: bool,
}

fn held() -> impl Strategy<Value = Held> {
    (0..ACCOUNTS.len(), 0..REGIONS.len(), 0..NAMES.len(), prop::bool::weighted(0.2), any::<bool>())
        .prop_map(|(owner, region, name, single, future)| Held { owner, region, name, single, future })
}

fn definition(number: usize, single: bool, future: bool) -> SyncDefinition {
    let source = if single { SyncSource::SingleAccount } else { SyncSource::EntireOrganization };
    let sync = SyncDefinition::new(name(number), source, SourceRegions::new([region(0)]).unwrap());
    if future { sync.including_future_regions() } else { sync }
}

fn shown(held: &Held) -> DataSync {
    let source = if held.single { SyncSourceType::SingleAccountMultiRegions } else { SyncSourceType::AwsOrganizations };
    let mut sync = DataSync::new(name(held.name), Some(source));
    sync.regions = vec![region(0)];
    sync.future_regions = Some(held.future);
    sync.all_ops_data_sources = Some(false);
    sync
}

/// What an organization is like at first.
#[derive(Debug, Clone)]
struct Start {
    trusted: bool,
    administrators: BTreeSet<usize>,
    role: bool,
    held: Vec<Held>,
    companions: [(bool, BTreeSet<usize>); 2],
}

impl Start {
    /// Whether Systems Manager and Quick Setup are as AWS lets nobody make them.
    fn is_irregular(&self) -> bool {
        let orphaned = |trusted: bool, some: &BTreeSet<usize>| !trusted && !some.is_empty();
        orphaned(self.trusted, &self.administrators)
            || self.administrators.len() > 1
            || self.companions.iter().any(|(trusted, some)| orphaned(*trusted, some))
            || self.companions[0].1.len() > 1
    }

    fn build(&self) -> sim::Organization {
        let ours = ServicePrincipal::SYSTEMS_MANAGER;
        let unnamed: ServicePrincipal = UNNAMED.parse().unwrap();
        let mut builder = sim::Organization::builder().member(account(1)).member(account(2));
        builder = builder.trusting(&unnamed).delegated_for(&unnamed, account(2));
        let mut services = vec![(ours, self.trusted, &self.administrators)];
        services.extend(COMPANIONS.into_iter().zip(&self.companions).map(|(of, (trusted, some))| (of, *trusted, some)));
        for (principal, trusted, administrators) in services {
            if trusted {
                builder = builder.trusting(&principal);
            }
            for place in administrators {
                builder = builder.delegated_for(&principal, account(*place));
            }
        }
        if self.role {
            builder = builder.role_for(&ServicePrincipal::ACCOUNT_DISCOVERY);
        }
        for held in &self.held {
            let mut sync = shown(held);
            if !self.trusted && !held.single {
                sync.state = SyncState::TrustedAccessDisabled;
            }
            builder = builder.data_sync(account(held.owner), region(held.region), sync);
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
    let held = prop::collection::vec(held(), 0..5);
    (prop::bool::weighted(0.7), administrators(), any::<bool>(), held, [companion(), companion()]).prop_map(
        |(trusted, administrators, role, mut held, companions)| {
            held.sort_by_key(|held| (held.owner, held.region, held.name));
            held.dedup_by_key(|held| (held.owner, held.region, held.name));
            Start { trusted, administrators, role, held, companions }
        },
    )
}

fn administrator() -> impl Strategy<Value = Option<AdministratorTarget>> {
    prop_oneof![
        2 => Just(None),
        2 => Just(Some(AdministratorTarget::Nobody)),
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

/// A sync to be there or not, of whom, where.
type Wish = (bool, Caller, usize, BTreeSet<usize>, bool, bool);

fn wish() -> impl Strategy<Value = Wish> {
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
    let others = prop_oneof![Just(OtherSyncs::Protect), Just(OtherSyncs::Forfeit)];
    let companions = [prop::option::weighted(0.3, service()), prop::option::weighted(0.3, service())];
    (service(), role, others, prop::collection::vec(wish(), 0..4), companions).prop_map(
        |(own, role, others, wishes, companions)| {
            let mut target = Target::new().looking_in(regions()).with_other_syncs(others);
            target = target.with_companion(ServicePrincipal::SYSTEMS_MANAGER, own);
            target = match role {
                Some(true) => target.with_role(),
                Some(false) => target.without_role(),
                None => target,
            };
            for (present, owner, number, places, single, future) in wishes {
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

/// A client of each account.
struct Office(sim::Organization, [sim::Client; 3]);

impl Office {
    fn of(organization: sim::Organization) -> Self {
        let clients = [0, 1, 2].map(|place| organization.client(account(place)));
        Self(organization, clients)
    }

    fn clients(&self) -> Clients<'_> {
        let [management, one, other] = &self.1;
        Clients::new(management).and(one).and(other)
    }

    fn like(&self) -> sim::Snapshot {
        self.0.snapshot().without_dates()
    }

    async fn apply(&self, plan: &Plan) -> Receipt {
        plan.apply(&self.clients(), |_| {}).await.unwrap_or_else(|stopped| panic!("{:#}\n{plan}", stopped.error()))
    }

    /// The syncs, how they fare and when they were made apart.
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

/// A sync without the role does not run, and AWS may refuse it: the plan warns.
fn is_shaky(plan: &Plan) -> bool {
    plan.warnings().iter().any(|warning| warning.contains("there is none"))
}

fn check_refusal(error: &ssm_organizations::Error) {
    let known = matches!(
        error.kind(),
        ErrorKind::InvalidInput
            | ErrorKind::OtherAdministrator { .. }
            | ErrorKind::NotAnAdministrator
            | ErrorKind::SyncsRemain { .. }
            | ErrorKind::SyncSourceFixed
    );
    assert!(known, "{error:#}");
}

/// Whether there was a plan, whether it was taken back, and to the last bit.
#[derive(Debug, Default)]
struct Seen {
    planned: AtomicUsize,
    undone: AtomicUsize,
    restored: AtomicUsize,
}

fn count(cell: &AtomicUsize) {
    cell.fetch_add(1, Ordering::Relaxed);
}

async fn there_and_back(start: &Start, target: &Target, seen: &Seen) {
    let office = Office::of(start.build());
    let before = office.like();
    let plan = match target.plan(&office.clients()).await {
        Ok(plan) => plan,
        Err(error) => {
            check_refusal(&error);
            assert_eq!(office.0.writes(), 0);
            return;
        }
    };
    if is_shaky(&plan) {
        return;
    }
    let touched: BTreeSet<_> = plan
        .steps()
        .iter()
        .flat_map(|step| {
            let lost = step.at_risk().into_iter().flat_map(|at_risk| at_risk.known.iter().map(|(at, _)| at));
            step.action().sync().into_iter().chain(lost)
        })
        .map(|at| (at.account, at.region.clone(), at.name.clone()))
        .collect();
    let others = office.syncs(&touched);
    let receipt = office.apply(&plan).await;
    assert_eq!(office.0.writes(), plan.steps().len(), "each step is one write: {plan}");
    for call in office.0.calls() {
        assert_eq!(call.outcome, Outcome::Answered, "{call}\n{plan}");
    }
    assert_eq!(office.syncs(&touched), others, "an unnamed sync changed: {plan}");
    let again = target.plan(&office.clients()).await.unwrap_or_else(|error| panic!("{error:#}\n{plan}"));
    assert!(again.is_empty(), "{plan}\nand then\n{again}");
    if !plan.is_empty() {
        count(&seen.planned);
    }

    let undo = Undo::new().looking_in(regions());
    let back = match receipt.undo(&office.clients(), &undo).await {
        Ok(back) => back,
        // Syncs that were there before would go. What AWS lets nobody take back is left, and refuses nothing.
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::SyncsRemain { .. }), "{error:#}\n{plan}");
            return;
        }
    };
    if is_shaky(&back) {
        return;
    }
    office.apply(&back).await;
    count(&seen.undone);
    if back.left().is_empty() {
        count(&seen.restored);
        assert_eq!(office.like(), before, "{plan}\nand back\n{back}");
    }
    let again = receipt.undo(&office.clients(), &undo).await.unwrap_or_else(|error| panic!("{error:#}\n{back}"));
    assert!(again.is_empty(), "{back}\nand then\n{again}");
}

async fn killed_anywhere(start: &Start, target: &Target) -> bool {
    let office = Office::of(start.build());
    let Ok(plan) = target.plan(&office.clients()).await else { return false };
    if is_shaky(&plan) {
        return false;
    }
    office.0.forget_calls();
    office.apply(&plan).await;
    let (end, calls) = (office.like(), office.0.calls().len());
    for nth in 1..=calls {
        let office = Office::of(start.build());
        let plan = target.plan(&office.clients()).await.unwrap();
        office.0.die(nth);
        if let Ok(receipt) = plan.apply(&office.clients(), |_| {}).await {
            assert!(receipt.is_empty(), "{plan}");
        }
        office.0.live();
        let rest = target.plan(&office.clients()).await.unwrap_or_else(|error| panic!("{nth}: {error:#}\n{plan}"));
        office.apply(&rest).await;
        assert_eq!(office.like(), end, "killed at {nth}: {plan}\nand then\n{rest}");
    }
    !plan.is_empty()
}

/// Faults at random, until a run comes to its end.
async fn in_bad_weather(start: &Start, target: &Target, seed: u64) -> bool {
    let office = Office::of(start.build());
    let Ok(plan) = target.plan(&office.clients()).await else { return false };
    if is_shaky(&plan) {
        return false;
    }
    office.apply(&plan).await;
    let end = office.like();

    let weather = sim::Builder::from(start.build().snapshot()).chances(seed, sim::Chances::each(30));
    let office = Office::of(weather.build());
    let before = office.like();
    let mut receipts = Vec::new();
    for _ in 0..100 {
        office.0.forget_calls();
        if let Ok(plan) = target.plan(&office.clients()).await {
            let (receipt, finished) = match plan.apply(&office.clients(), |_| {}).await {
                Ok(receipt) => (receipt, true),
                Err(stopped) => (stopped.into_parts().1, false),
            };
            check_record(&receipt, &office.0);
            receipts.push(receipt);
            if finished {
                assert_eq!(office.like(), end, "{plan}");
                office.0.calm();
                take_all_back(start, &office, &receipts, &before).await;
                return receipts.len() > 1;
            }
        }
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    panic!("it never came to an end");
}

/// The runs one after the other, the last one first, and whatever they may have done.
async fn take_all_back(start: &Start, office: &Office, receipts: &[Receipt], before: &sim::Snapshot) {
    // What may not have been the last run's is left, and what hangs on it.
    if let Some(receipt) = receipts.last() {
        for others in [OtherSyncs::Protect, OtherSyncs::Forfeit] {
            let undo = Undo::new().looking_in(regions()).with_other_syncs(others);
            if let Err(error) = receipt.undo(&office.clients(), &undo).await {
                assert!(matches!(error.kind(), ErrorKind::SyncsRemain { .. }), "{error:#}\n{receipt:?}");
            }
        }
    }
    for receipt in receipts.iter().rev() {
        let looking = Undo::new().looking_in(regions());
        let undo = (0..receipt.changes().len()).fold(looking, Undo::including);
        match receipt.undo(&office.clients(), &undo).await {
            Ok(back) if is_shaky(&back) || !back.left().is_empty() => return,
            Ok(back) => drop(office.apply(&back).await),
            Err(error) => {
                let endangered = matches!(error.kind(), ErrorKind::SyncsRemain { .. });
                // An administrator that a later run took away is back since then, and not by this run.
                assert!(endangered || start.is_irregular(), "{error:#}\n{receipt:?}");
                return;
            }
        }
    }
    assert_eq!(office.like(), *before, "{receipts:#?}");
}

/// Whatever was done is on the receipt; what is certain was answered.
fn check_record(receipt: &Receipt, organization: &sim::Organization) {
    let calls = organization.calls();
    let writes = |outcome: Outcome| calls.iter().filter(|call| call.is_write() && call.outcome == outcome).count();
    let of = |certainty| receipt.changes().iter().filter(|change| change.certainty == certainty).count();
    let (did, maybe) = (of(Certainty::Did), of(Certainty::Maybe));
    let (answered, lost) = (writes(Outcome::Answered), writes(Outcome::Lost));
    assert!(did <= answered && did + maybe >= answered && did + maybe <= answered + lost, "{receipt:?}\n{calls:#?}");
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() })
}

#[test]
fn a_plan_leads_to_its_target_and_its_receipt_back() {
    let seen = Seen::default();
    let cases = 3_000;
    runner(cases)
        .run(&(start(), target()), |(start, target)| {
            block_on(there_and_back(&start, &target, &seen));
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    // The draw has to be worth it.
    let enough = |cell: &AtomicUsize| cell.load(Ordering::Relaxed) > 200;
    assert!(enough(&seen.planned) && enough(&seen.undone) && enough(&seen.restored), "{seen:?}");
}

#[test]
fn killed_at_any_call_and_started_again_it_reaches_the_same_end() {
    let planned = AtomicUsize::new(0);
    runner(300)
        .run(&(start(), target()), |(start, target)| {
            if block_on(killed_anywhere(&start, &target)) {
                count(&planned);
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    assert!(planned.load(Ordering::Relaxed) > 20, "{planned:?}");
}

#[test]
fn in_bad_weather_it_reaches_the_same_end_at_last() {
    let planned = AtomicUsize::new(0);
    runner(2_000)
        .run(&(start(), target(), any::<u64>()), |(start, target, seed)| {
            if block_on(in_bad_weather(&start, &target, seed)) {
                count(&planned);
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    assert!(planned.load(Ordering::Relaxed) > 100, "{planned:?}");
}
