//! Set-up and tear-down with a fault at any call: a rerun reaches the target, and an undo of the
//! recorded changes restores the initial state.
#![cfg(feature = "sim")]

use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ssm_organizations::plan::{Clients, Plan, Receipt, Target, UndoOptions};
use ssm_organizations::ports::{Call, CallHook, Decorated};
use ssm_organizations::sim::{self, Fault};
use ssm_organizations::{ChangeRecorder, Error};
use tokio::sync::Notify;

use super::organization_clients::{
    AWAY, HOME, OrganizationClients, PlanCase, everything, like, offboarding, onboarding,
};
use crate::common::{alice, bob, each_switch, management, organization, region};

/// Fault at one call of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// The process stops before the call is sent.
    DeathBefore,
    /// AWS executes the call, and the process stops before the response.
    DeathAfter,
    RequestLost,
    ResponseLost,
}

const TROUBLES: [Trouble; 4] = [Trouble::DeathBefore, Trouble::DeathAfter, Trouble::RequestLost, Trouble::ResponseLost];

/// Conditions under which a plan is applied.
#[derive(Debug, Clone, Default)]
struct Conditions {
    latency: Duration,
    read_delay: Duration,
    setting: sim::UndocumentedBehavior,
}

/// Hook that stops the process at a call: no later call is sent.
struct Death {
    nth: usize,
    is_before: bool,
    calls: AtomicUsize,
    occurred: Notify,
}

impl Death {
    fn is_past(&self) -> bool {
        self.calls.load(Ordering::Relaxed) >= self.nth
    }
}

#[async_trait]
impl CallHook for Death {
    async fn around<T, F, S>(&self, _: &Call<'_>, send: S) -> Result<T, Error>
    where
        T: Send,
        F: Future<Output = Result<T, Error>> + Send,
        S: Fn() -> F + Send + Sync,
    {
        if self.is_past() {
            return pending().await;
        }
        let is_last = self.calls.fetch_add(1, Ordering::Relaxed) + 1 == self.nth;
        let result = if is_last && self.is_before { None } else { Some(send().await) };
        if is_last {
            self.occurred.notify_one();
        }
        match result {
            Some(result) if !self.is_past() => result,
            _ => pending().await,
        }
    }
}

fn cases() -> [PlanCase; 2] {
    [
        PlanCase { name: "set-up", start: organization, target: onboarding },
        PlanCase { name: "take-down", start: everything, target: offboarding },
    ]
}

fn begin(case: &PlanCase, conditions: &Conditions) -> OrganizationClients {
    let start = (case.start)().undocumented_behavior(conditions.setting.clone());
    OrganizationClients::new(start.latency(conditions.latency).read_delay(conditions.read_delay))
}

/// Applies the plan with a fault at one call.
async fn apply_with_trouble(
    org: &OrganizationClients,
    plan: &Plan,
    recorder: &ChangeRecorder,
    (nth, trouble): (usize, Trouble),
) {
    let fault = match trouble {
        Trouble::RequestLost => Fault::RequestLost,
        Trouble::ResponseLost => Fault::ResponseLost,
        Trouble::DeathBefore | Trouble::DeathAfter => {
            let (is_before, calls) = (trouble == Trouble::DeathBefore, AtomicUsize::new(0));
            let death = Arc::new(Death { nth, is_before, calls, occurred: Notify::new() });
            let client = |account| Decorated::new(org.organization.client(account), Arc::clone(&death));
            let [management, alice, bob] = [management(), alice(), bob()].map(client);
            let clients = Clients::new(&management).with_account_client(&alice).with_account_client(&bob);
            let clients = clients.with_recorder(recorder.clone());
            tokio::select! {
                end = plan.apply(&clients, |_| {}) => panic!("the run survived: {end:?}"),
                () = death.occurred.notified() => return,
            }
        }
    };
    org.organization.inject_fault_at_call(nth, fault);
    // The recorder lists the changes even if the run fails.
    drop(plan.apply(&org.clients().with_recorder(recorder.clone()), |_| {}).await);
    org.organization.clear_faults();
}

/// Undoes every recorded change, including the unconfirmed ones.
async fn undo(org: &OrganizationClients, plan: &Plan, recorder: &ChangeRecorder) -> Result<(), String> {
    let changes = recorder.changes();
    let receipt = Receipt::of_changes(plan.snapshot().organization(), &changes);
    let options = UndoOptions::new().search_regions([region(HOME), region(AWAY)]);
    let unnamed = (0..changes.len()).filter(|index| changes[*index].must_be_named());
    let options = unnamed.fold(options, UndoOptions::include_unconfirmed);
    let undone = receipt.undo(&org.clients(), &options).await.map_err(|error| format!("no undo: {error:#}"))?;
    org.apply(&undone).await.map(drop).map_err(|stopped| format!("undo stopped: {stopped:#}\n{undone}"))
}

/// Plans and applies the target again after a fault.
async fn rerun(org: &OrganizationClients, target: &Target, recorder: &ChangeRecorder) -> Result<(), String> {
    let clients = org.clients().with_recorder(recorder.clone());
    let plan = target.plan(&clients).await.map_err(|error| format!("no plan: {error:#}"))?;
    plan.apply(&clients, |_| {}).await.map(drop).map_err(|stopped| format!("rerun stopped: {stopped:#}\n{plan}"))
}

/// Applies a plan with each fault at each call. Panics with the runs that a rerun does not complete
/// or an undo does not revert.
async fn check_trouble_at_any_call(conditions: &[Conditions]) {
    let (mut runs, mut broken) = (0, Vec::new());
    for (conditions, case) in conditions.iter().flat_map(|conditions| cases().map(|case| (conditions, case))) {
        let target = (case.target)();
        let org = begin(&case, conditions);
        let beginning = like(&org.organization);
        let plan = org.plan(&target).await;
        org.organization.clear_calls();
        org.apply(&plan).await.unwrap_or_else(|stopped| panic!("{}, {conditions:?}: {stopped:#}", case.name));
        let (end, calls) = (like(&org.organization), org.organization.calls());

        let troubles = (1..=calls.len()).flat_map(|nth| TROUBLES.map(|trouble| (nth, trouble)));
        for ((nth, trouble), is_rerun) in troubles.flat_map(|trouble| [false, true].map(|is_rerun| (trouble, is_rerun)))
        {
            let (org, recorder) = (begin(&case, conditions), ChangeRecorder::new());
            let plan = org.plan(&target).await;
            org.organization.clear_calls();
            apply_with_trouble(&org, &plan, &recorder, (nth, trouble)).await;
            let mut result = if is_rerun { rerun(&org, &target, &recorder).await } else { Ok(()) };
            if is_rerun && result.is_ok() && like(&org.organization) != end {
                result = Err(format!("the rerun ends with {:?}", org.organization.state()));
            }
            if result.is_ok() {
                // AWS deletes the role in the background, and reads are delayed.
                for _ in 0..2 {
                    tokio::time::advance(Duration::from_mins(1)).await;
                    drop(org.organization.state());
                }
                result = undo(&org, &plan, &recorder).await;
            }
            if result.is_ok() && like(&org.organization) != beginning {
                result = Err(format!("the undo ends with {:?}", org.organization.state()));
            }
            if let Err(problem) = result {
                let call = &calls[nth - 1];
                let changes = recorder.changes();
                let changes: Vec<_> = changes.iter().map(ToString::to_string).collect();
                broken.push(format!(
                    "{}, {trouble:?} at call {nth} {call}, rerun {is_rerun}, {conditions:?}: {problem}\n{changes:#?}",
                    case.name
                ));
            }
            runs += 1;
        }
    }
    assert!(broken.is_empty(), "{} of {runs} runs: {}", broken.len(), broken.join("\n\n"));
    println!("{runs} runs");
}

#[tokio::test(start_paused = true)]
async fn apply_with_trouble_at_any_call_reruns_and_undoes() {
    check_trouble_at_any_call(&[Conditions::default()]).await;
}

/// Adds latency, so that the calls of concurrent steps overlap.
#[tokio::test(start_paused = true)]
#[ignore = "slow: run by `.ci/run exhaustive`"]
async fn apply_with_trouble_and_delays_reruns_and_undoes() {
    let conditions = [(0, 5), (0, 20), (100, 0), (100, 5)].map(|(latency, read_delay)| Conditions {
        latency: Duration::from_millis(latency),
        read_delay: Duration::from_secs(read_delay),
        ..Conditions::default()
    });
    check_trouble_at_any_call(&conditions).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "slow, even in a release build: run by `.ci/run deep`"]
async fn apply_with_trouble_in_each_setting_reruns_undoes_deep() {
    // An undo retains a role that AWS created when trusted access was enabled.
    let settings = each_switch().into_iter().filter(|setting| !setting.enabling_makes_role);
    let latency = Duration::from_millis(100);
    let conditions = settings.map(|setting| Conditions { latency, setting, ..Conditions::default() });
    check_trouble_at_any_call(&conditions.skip(1).collect::<Vec<_>>()).await;
}
