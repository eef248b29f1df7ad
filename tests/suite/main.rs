//! Tests of the library through its public API.
//!
//! The files form one program, because separate programs would each be linked after every change of
//! the library.
#![allow(unreachable_pub, reason = "of a program nothing is reached")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on panics"
)]

mod common;

mod conformance;
mod decorated;
mod documents;
mod domain;
mod error;
mod exploration;
mod explorer;
mod guidance;
mod integration;
mod pacer;
mod plan;
mod policy;
mod recorder;
mod sim;
mod trace;
