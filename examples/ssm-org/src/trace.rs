//! Trace output of the library, for `--verbose`.

use std::io;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Prints the library's spans and events to the standard error from now on.
///
/// The spans and events of the SDK are left out, because only the library redacts secrets.
pub(crate) fn enable() {
    let ours = Targets::new().with_target("ssm_organizations", LevelFilter::DEBUG);
    // If the standard error is closed, only the exit status reports the result.
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .log_internal_errors(false)
        .with_target(false)
        .with_span_events(FmtSpan::CLOSE);
    // Fails only on a second call, because a subscriber is already set.
    let _ = tracing_subscriber::registry().with(ours).with(lines).try_init();
}

/// Returns whether trace output is enabled. A progress bar would be mixed with that output.
pub(crate) fn is_enabled() -> bool {
    LevelFilter::current() != LevelFilter::OFF
}
