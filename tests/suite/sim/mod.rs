//! Tests of the simulator.

mod faults;
mod rules;
mod services;
mod snapshot;
