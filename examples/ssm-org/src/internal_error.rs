//! Panics, reported as errors.

use std::panic::{self, PanicHookInfo};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use serde_json::json;
use ssm_organizations::Error;
use ssm_organizations::ports::Operation;

use crate::console::print_error;
use crate::{has_option, print_json};

/// Message of the last panic.
static MESSAGE: Mutex<Option<String>> = Mutex::new(None);

/// Runs the program. A panic becomes an error, also for `--json`.
///
/// A panic is a bug of this program or of a library. A change may have been made before.
pub(crate) fn guard(run: fn() -> ExitCode) -> ExitCode {
    panic::set_hook(Box::new(|panicked| {
        *MESSAGE.lock().unwrap_or_else(PoisonError::into_inner) = Some(message(panicked));
    }));
    panic::catch_unwind(run).unwrap_or_else(|_| {
        let message = MESSAGE.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        let message = format!("internal error: {message}; `ssm-org status` shows the current state");
        if has_option("--json") {
            print_json(&json!({ "error": { "kind": "internal", "message": message } }));
        } else {
            print_error(format_args!("error: {message}\n"));
        }
        ExitCode::FAILURE
    })
}

/// Returns the redacted message of a panic with its place in the code.
fn message(panicked: &PanicHookInfo<'_>) -> String {
    let text = panicked.payload_as_str().unwrap_or("panic");
    // The library redacts the text of an error.
    let error = Error::not_sent(Operation::GetCallerIdentity, text);
    let text = error.message().unwrap_or_default().escape_debug();
    match panicked.location() {
        Some(place) => {
            let file = place.file().rsplit(['/', '\\']).next().unwrap_or_default();
            format!("{text} ({file}:{})", place.line())
        }
        None => text.to_string(),
    }
}
