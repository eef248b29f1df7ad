//! Exhaustive exploration of the orders in which the calls of several runs reach an organization.
//!
//! A run is a future that the scheduler polls, and each of its calls waits at a [gate](gate) until
//! the scheduler releases it. A schedule is a list of choices: the next call with its outcome, or a
//! pause. The search makes every choice in every state by replaying the schedule from the start,
//! and stops at known states.
#![cfg(feature = "sim")]

pub mod check;
pub mod created;
pub mod facts;
pub mod gate;
pub mod jobs;
mod scenarios;
pub mod search;
pub mod world;
