//! Reads everything that the state of the integration consists of, concurrently.
//!
//! A part that could not be read is unknown, which is different from absent.

mod clients;
mod data_syncs;
mod paginator;
mod read;
mod retrying;
mod snapshot;

pub use clients::Clients;
pub(crate) use clients::ClientsByAccount;
pub(crate) use data_syncs::list_data_syncs;
pub(crate) use paginator::Paginator;
pub(crate) use read::{
    SNAPSHOT_TTL, administrators, caller_account, observe, organizational_units, service_status, trusted_access,
};
pub(crate) use retrying::{RetryingClient, retrying};
pub use snapshot::{
    AccountReading, ReadFailure, Reading, ServiceReading, Snapshot, SnapshotScope, SyncListing, UnitReading,
};
