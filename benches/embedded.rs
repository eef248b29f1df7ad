//! Cost of the in-memory organization: transitions per second on one core, and the time and the
//! memory that an organization needs by its number of accounts.
//!
//! Command: `cargo bench --bench embedded`. The times depend on the machine, so compare only the
//! rows of one group.
#![allow(clippy::expect_used, reason = "a benchmark that cannot go on panics")]
#![allow(clippy::wildcard_imports, reason = "a group is a module of this file")]

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher, black_box};
use ssm_organizations::{AccountId, Error, Integration, Observed, SyncProtection, sim};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const ACCOUNTS: [u64; 3] = [10, 1_000, 100_000];

fn administrator() -> AccountId {
    AccountId::new("222222222222").expect("twelve digits")
}

fn organization(accounts: u64) -> sim::SimOrganization {
    sim::SimOrganization::builder().member(administrator()).members(accounts).build()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// Observes once, then makes four transitions: from `Disabled` through `TrustedAccess` to
/// `Delegated`, and back. Returns the number of changes.
async fn four_transitions(organization: &sim::SimOrganization) -> Result<usize, Error> {
    let Observed::Disabled(disabled) = Integration::new(organization.management_client()).observe().await? else {
        return Ok(0);
    };
    let trusted = disabled.enable_trusted_access().await?;
    let delegated = trusted.register_delegated_administrator(administrator()).await?;
    let trusted = delegated.deregister(SyncProtection::AllowLoss).await?;
    let disabled = trusted.disable(SyncProtection::AllowLoss).await?;
    organization.clear_calls();
    Ok(disabled.changes().len())
}

/// Measures transitions, which `items/s` counts. The cost of a transition does not grow with the
/// number of accounts.
#[divan::bench(args = ACCOUNTS)]
fn transitions(bencher: Bencher<'_, '_>, accounts: u64) {
    let (organization, runtime) = (organization(accounts), runtime());
    bencher.counter(ItemsCount::new(4_usize)).bench_local(|| {
        let made = runtime.block_on(four_transitions(&organization)).expect("an organization without faults");
        assert_eq!(made, 4);
    });
}

/// Time and memory to build an organization.
mod building {
    use super::*;

    /// Builds members by number, which need no memory.
    #[divan::bench(args = ACCOUNTS)]
    fn nameless(accounts: u64) -> sim::SimOrganization {
        organization(accounts)
    }

    /// Builds members by account ID, which need memory.
    #[divan::bench(args = ACCOUNTS)]
    fn named(accounts: u64) -> sim::SimOrganization {
        let ids = (0..accounts).map(|number| AccountId::new(&format!("{number:012}")).expect("twelve digits"));
        black_box(ids.fold(sim::SimOrganization::builder(), sim::SimOrganizationBuilder::member).build())
    }
}
