//! Parses AWS's responses: a line with an operation and an HTTP status, and then the body.
#![no_main]

use std::cell::LazyCell;

use libfuzzer_sys::{Corpus, fuzz_target};
use tokio::runtime::{Builder, Runtime};

#[path = "../../aws/wire/canned.rs"]
#[allow(dead_code)]
mod canned;
#[path = "../../aws/wire/model.rs"]
#[allow(dead_code, unused_imports)]
mod model;
#[path = "../../aws/wire/understood.rs"]
mod understood;

thread_local! {
    static RUNTIME: LazyCell<Runtime> =
        LazyCell::new(|| Builder::new_current_thread().enable_time().start_paused(true).build().unwrap());
}

fuzz_target!(|answer: &[u8]| -> Corpus {
    match understood::parsed(answer) {
        Some((operation, status, body)) => {
            RUNTIME.with(|runtime| runtime.block_on(understood::check(operation, status, body)));
            Corpus::Keep
        }
        None => Corpus::Reject,
    }
});
