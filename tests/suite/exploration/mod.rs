//! Exhaustive exploration of the orders in which the calls of several runs reach an organization.
//!
//! A run is a future that is polled by hand, and each of its calls waits at a [gate](gate) until
//! the scheduler releases it. A schedule is a list of choices: the next call with its outcome, or
//! the passing of time. The search takes every choice at every state by running from the start
//! again, and does not continue from a known state.
#![cfg(feature = "sim")]

pub mod check;
pub mod created;
pub mod facts;
pub mod gate;
pub mod jobs;
mod scenarios;
pub mod search;
pub mod world;
