//! Tests of the IAM policies.

mod delegation;
mod enforcement;
mod generation;
