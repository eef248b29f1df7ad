use ssm_organizations::state::TrustedAccess;
use ssm_organizations::{AccountId, Integration, Recovered, sim};

type Handle = Integration<TrustedAccess, sim::SimClient>;

async fn unconfirmed_state(handle: Handle, account: AccountId) {
    let Err(failure) = handle.register_delegated_administrator(account).await else { return };
    if let Recovered::Unknown(handle) = failure.recover() {
        let _ = handle.register_delegated_administrator(account).await;
    }
}

async fn unhandled_variant(handle: Handle, account: AccountId) {
    let Err(failure) = handle.register_delegated_administrator(account).await else { return };
    match failure.recover() {
        Recovered::Unchanged(_) | Recovered::Changed(_) => {}
    }
}

fn main() {}
