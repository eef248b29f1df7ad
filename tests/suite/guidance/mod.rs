//! Tests of the guidance that follows the AWS documentation.

mod aws_commands;
mod capabilities;
mod facts;
mod next_steps;
