//! What the library tells of itself, for `--verbose`.

use std::io;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Tells it on the standard error from now on: the library's own, which leaves out what is secret, and nothing of the SDK's.
pub(crate) fn listen() {
    let ours = Targets::new().with_target("ssm_organizations", LevelFilter::DEBUG);
    // Without a standard error, the exit status has to do.
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .log_internal_errors(false)
        .with_target(false)
        .with_span_events(FmtSpan::CLOSE);
    // There is one already only where somebody calls this twice.
    let _ = tracing_subscriber::registry().with(ours).with(lines).try_init();
}

/// Whether somebody listens: what moves on the terminal would be in between.
pub(crate) fn is_listened_to() -> bool {
    LevelFilter::current() != LevelFilter::OFF
}
