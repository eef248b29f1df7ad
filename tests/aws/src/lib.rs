//! The tests of this package stand beside this folder. Here is what the README shows, which takes every feature to compile.

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
