//! Sends requests in AWS's protocols to the simulation: a line with the method and the URI, the
//! headers, an empty line and the body.
#![no_main]

use std::cell::LazyCell;

use libfuzzer_sys::{Corpus, fuzz_target};
use tokio::runtime::{Builder, Runtime};

#[path = "../../aws/sim/answered.rs"]
mod answered;

thread_local! {
    static RUNTIME: LazyCell<Runtime> =
        LazyCell::new(|| Builder::new_current_thread().enable_time().start_paused(true).build().unwrap());
}

fuzz_target!(|text: &[u8]| -> Corpus {
    match answered::parsed(text) {
        Some(request) => {
            RUNTIME.with(|runtime| runtime.block_on(answered::check(request)));
            Corpus::Keep
        }
        None => Corpus::Reject,
    }
});
