//! Tests of the data types.

mod partitions;
mod regions;
mod type_traits;
