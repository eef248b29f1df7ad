//! The crate's own walks, in any order, in bad weather and among rivals: what the handles claim is what is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

use proptest::prelude::*;
use ssm_organizations::{AccountId, Failure, Integration, Observed, Recovered, ServicePrincipal, Syncs, sim};

fn account(number: u8) -> AccountId {
    AccountId::new(&format!("{number:012}")).unwrap()
}

const MEMBERS: u8 = 3;

#[derive(Debug, Clone)]
enum Step {
    Delegate(u8),
    Disable,
    /// Somebody else, between two walks.
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

/// Whether Systems Manager is trusted, and who administers it.
type Facts = (bool, Vec<AccountId>);

fn claim(observed: &Observed<sim::Client>) -> Facts {
    let accounts = observed.administrators().iter().map(|administrator| administrator.account).collect();
    (observed.trusted_access().is_some(), accounts)
}

fn facts(organization: &sim::Organization) -> Facts {
    (organization.is_trusted(&ServicePrincipal::SYSTEMS_MANAGER), organization.administrators())
}

fn end<T: Into<Observed<sim::Client>>>(result: Result<T, Failure<Observed<sim::Client>>>) -> Option<Facts> {
    match result.map(Into::into).map_err(Failure::recover) {
        Ok(observed) | Err(Recovered::Unchanged(observed) | Recovered::Moved(observed)) => Some(claim(&observed)),
        Err(Recovered::Unknown(_)) => None,
    }
}

async fn walk(organization: &sim::Organization, steps: &[Step]) {
    let ours = ServicePrincipal::SYSTEMS_MANAGER;
    for step in steps {
        match step {
            Step::Trust => organization.trust(&ours),
            Step::Distrust => organization.distrust(&ours),
            Step::Register(number) => organization.delegate(account(*number)),
            Step::Deregister(number) => organization.undelegate(account(*number)),
            Step::Delegate(_) | Step::Disable => {
                let Ok(observed) = Integration::new(organization.management_client()).observe().await else { continue };
                assert_eq!(claim(&observed), facts(organization));
                let before = facts(organization);
                let (reached, wanted) = match step {
                    Step::Delegate(number) => {
                        let result = observed.ensure_delegated(&account(*number)).await;
                        (end(result), (true, vec![account(*number)]))
                    }
                    _ => (end(observed.ensure_disabled(Syncs::Forfeit).await), (false, Vec::new())),
                };
                let now = facts(organization);
                if let Some(reached) = reached {
                    assert_eq!(reached, now, "{step:?}");
                }
                if let Step::Delegate(number) = step {
                    // Nobody else's delegation was taken.
                    let others = |facts: &Facts| -> Vec<_> {
                        facts.1.iter().copied().filter(|found| *found != account(*number)).collect()
                    };
                    assert_eq!(others(&before), others(&now), "{step:?}, wanted {wanted:?}");
                }
            }
        }
    }
    // When the weather is fine again, the end is reached from wherever it is.
    organization.calm();
    let observed = Integration::new(organization.management_client()).observe().await.unwrap();
    observed.ensure_disabled(Syncs::Forfeit).await.unwrap();
    assert_eq!(facts(organization), (false, Vec::new()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn claims_are_true_in_any_weather(steps in prop::collection::vec(step(), 1..20), seed: u64, chance in 0_u16..150) {
        let members = (1..=MEMBERS).fold(sim::Organization::builder(), |builder, number| builder.member(account(number)));
        let organization = members.chances(seed, sim::Chances::each(chance)).build();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(walk(&organization, &steps));
    }
}
