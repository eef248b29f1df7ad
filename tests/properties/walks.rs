//! Random sequences of transitions with random faults and concurrent changes: the handles report
//! the true state.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

use proptest::prelude::*;
use ssm_organizations::{
    AccountId, Integration, Observed, Recovered, ServicePrincipal, SyncProtection, TransitionError, sim,
};

fn account(number: u8) -> AccountId {
    AccountId::new(&format!("{number:012}")).unwrap()
}

const MEMBERS: u8 = 3;

#[derive(Debug, Clone)]
enum Step {
    Delegate(u8),
    Disable,
    /// Changes by another caller between two transitions.
    Trust,
    Distrust,
    Register(u8),
    Deregister(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..=MEMBERS).prop_map(Step::Delegate),
        3 => Just(Step::Disable),
        1 => Just(Step::Trust),
        1 => Just(Step::Distrust),
        1 => (1..=MEMBERS).prop_map(Step::Register),
        1 => (1..=MEMBERS).prop_map(Step::Deregister),
    ]
}

/// State of trusted access for Systems Manager, and its administrators.
type ServiceStatus = (bool, Vec<AccountId>);

fn claim(observed: &Observed<sim::SimClient>) -> ServiceStatus {
    let accounts = observed.administrators().iter().map(|administrator| administrator.account).collect();
    (observed.trusted_access().is_some(), accounts)
}

fn facts(organization: &sim::SimOrganization) -> ServiceStatus {
    (organization.is_trusted(&ServicePrincipal::SYSTEMS_MANAGER), organization.administrators())
}

fn end<T: Into<Observed<sim::SimClient>>>(
    result: Result<T, TransitionError<Observed<sim::SimClient>>>,
) -> Option<ServiceStatus> {
    match result.map(Into::into).map_err(TransitionError::recover) {
        Ok(observed) | Err(Recovered::Unchanged(observed) | Recovered::Changed(observed)) => Some(claim(&observed)),
        Err(Recovered::Unknown(_)) => None,
    }
}

async fn walk(organization: &sim::SimOrganization, steps: &[Step]) {
    let ours = ServicePrincipal::SYSTEMS_MANAGER;
    for step in steps {
        match step {
            Step::Trust => organization.enable_trusted_access(&ours),
            Step::Distrust => organization.disable_trusted_access(&ours),
            Step::Register(number) => organization.register_administrator(account(*number)),
            Step::Deregister(number) => organization.deregister_administrator(account(*number)),
            Step::Delegate(_) | Step::Disable => {
                let Ok(observed) = Integration::new(organization.management_client()).observe().await else { continue };
                assert_eq!(claim(&observed), facts(organization));
                let before = facts(organization);
                let (reached, wanted) = match step {
                    Step::Delegate(number) => {
                        let result = observed.ensure_delegated(account(*number)).await;
                        (end(result), (true, vec![account(*number)]))
                    }
                    _ => (end(observed.ensure_disabled(SyncProtection::AllowLoss).await), (false, Vec::new())),
                };
                let now = facts(organization);
                if let Some(reached) = reached {
                    assert_eq!(reached, now, "{step:?}");
                }
                if let Step::Delegate(number) = step {
                    // The delegations of other accounts are unchanged.
                    let others = |facts: &ServiceStatus| -> Vec<_> {
                        facts.1.iter().copied().filter(|found| *found != account(*number)).collect()
                    };
                    assert_eq!(others(&before), others(&now), "{step:?}, wanted {wanted:?}");
                }
            }
        }
    }
    // Without faults, the disabled state is reached from every state.
    organization.clear_faults();
    let observed = Integration::new(organization.management_client()).observe().await.unwrap();
    observed.ensure_disabled(SyncProtection::AllowLoss).await.unwrap();
    assert_eq!(facts(organization), (false, Vec::new()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_walk_with_faults_reports_true_state(steps in prop::collection::vec(step(), 1..20), seed: u64, chance in 0_u16..150) {
        let members = (1..=MEMBERS).fold(sim::SimOrganization::builder(), |builder, number| builder.member(account(number)));
        let organization = members.fault_rates(seed, sim::FaultRates::all(chance)).build();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(walk(&organization, &steps));
    }
}
