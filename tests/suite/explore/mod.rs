//! Every order in which several runs' calls can reach one organization.
//!
//! A run is a future that is polled by hand, and each of its calls waits at a [gate](gate) until the scheduler lets it through. A schedule is
//! a list of choices: which call comes next and what becomes of its reply, or that time passes. The search takes every choice at every
//! state, by running from the start again, and does not go on from a state that it knows.
#![cfg(feature = "sim")]

pub mod check;
pub mod facts;
pub mod gate;
pub mod jobs;
pub mod own;
pub mod search;
pub mod world;
