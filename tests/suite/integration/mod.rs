//! Tests of the typed handles.

mod calls;
mod combinations;
mod deadlines;
mod delayed_reads;
mod display;
mod failures;
mod handles;
mod throttling;
mod transitions;
mod undocumented_behavior;
pub mod walks;
