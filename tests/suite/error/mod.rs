//! Tests of error classification and diagnosis.

mod chains;
mod denied_region;
mod diagnosis;
mod kinds;
mod loss_advice;
mod reasons;
mod serialization;
mod sync_states;
