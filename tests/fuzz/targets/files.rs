//! Reads each text as every kind of file and of identifier.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../properties/reads.rs"]
#[allow(dead_code)]
mod reads;

fuzz_target!(|text: &str| reads::everything(text));
