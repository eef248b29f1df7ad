//! AWS's rules: the effects and errors of each call.
//!
//! Each service has one file. Checks follow AWS's order where AWS documents it, and otherwise run
//! from general to specific.

#[cfg(feature = "sim-aws")]
mod accounts;
mod iam;
mod organizations;
mod systems_manager;
