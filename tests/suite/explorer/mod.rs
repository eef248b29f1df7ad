//! Tests of the role and of Explorer's data syncs through typed handles.

mod combinations;
mod data_syncs;
mod delayed_reads;
mod refusals;
mod role;
mod role_deletion;
mod set_up;
mod sync_protection;
mod tear_down;
mod undocumented_behavior;
