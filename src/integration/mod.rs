//! The typed API: one handle type for each state, with the transitions that AWS allows in that
//! state.

// rustdoc lists the methods of `Integration` in the order of these modules: the order of the work.
mod handle;

mod unobserved;

mod disabled;

mod trusted_access;

mod delegated;

mod replace;

mod inconsistent;

mod account_discovery_role;

mod data_syncs;

mod explorer;

mod ensure;
mod failure;
mod observed;
pub mod state;

pub use account_discovery_role::AccountDiscoveryRole;
pub use data_syncs::{DataSyncs, ObservedOwner};
pub use explorer::ExplorerSetup;
pub use failure::{Handle, Recovered, TransitionError};
pub use handle::{Integration, Transition};
pub use observed::Observed;
pub use replace::{Replacement, SyncMigration};
