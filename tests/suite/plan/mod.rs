//! Tests of plans.

mod administrators;
mod apply;
mod companions;
mod crash;
mod graph;
mod loss_allowed;
mod migration;
pub mod organization_clients;
mod planning;
mod reported;
mod saved;
mod sync_states;
mod trust_only;
mod undo;
mod waits;
