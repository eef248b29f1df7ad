//! Tests of the advice that follows AWS's documentation.

mod aws_commands;
mod capabilities;
mod facts;
mod next_steps;
