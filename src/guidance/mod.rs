//! Requirements of AWS's capabilities, warnings before changes, and manual steps.

mod aws_command;
mod capability;
mod next_step;
mod warning;

pub use aws_command::AwsCommand;
pub use capability::{Availability, Capability, Note};
pub use next_step::{ManualTask, NextStep};
pub use warning::Warning;
