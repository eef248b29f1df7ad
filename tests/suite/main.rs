//! What the library does, through its public API.
//!
//! One program: as one for each file, they would all be compiled and linked again after every change of the library.
#![allow(unreachable_pub, reason = "of a program nothing is reached")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod common;

mod capabilities;
mod command_lines;
mod companions;
mod conformance;
mod data_syncs;
mod diagnosis;
mod documents;
mod errors;
mod exhaustive;
mod exploration;
mod explore;
mod explorer;
mod explorer_exhaustive;
mod explorer_lateness;
mod explorer_refusals;
mod explorer_switches;
mod explorer_teardown;
mod failures;
mod handles;
mod lateness;
mod next_steps;
mod partitions;
mod plan;
mod plan_apply;
mod plan_undo;
mod plans;
mod policies;
mod policies_enforced;
mod role;
mod sequences;
mod sim_rules;
mod sim_snapshot;
mod sim_weather;
mod switches;
mod syncs;
mod trace;
mod traits;
mod transitions;
mod walks;
mod words;
