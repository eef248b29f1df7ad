//! Files and identifiers: each text is read as every kind that there is.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../properties/reads.rs"]
#[allow(dead_code)]
mod reads;

fuzz_target!(|text: &str| reads::everything(text));
