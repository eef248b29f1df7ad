//! AWS's rules: what each call does, and how it is refused.
//!
//! One file for each service. The order of the checks in each is AWS's as far as it is documented, and otherwise from the general to
//! the particular.

mod iam;
mod organizations;
mod systems_manager;
