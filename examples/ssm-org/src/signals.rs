//! Signals that ask the program to stop.

/// Waits for SIGINT or SIGTERM and returns the name of the signal.
///
/// After the first call, the signals no longer end the process. Never returns if the system does
/// not report signals.
#[cfg(unix)]
pub(crate) async fn received() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};

    let wait = async |kind| {
        let Ok(mut signals) = signal(kind) else { return std::future::pending().await };
        if signals.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = wait(SignalKind::interrupt()) => "SIGINT",
        () = wait(SignalKind::terminate()) => "SIGTERM",
    }
}

#[cfg(not(unix))]
pub(crate) async fn received() -> &'static str {
    match tokio::signal::ctrl_c().await {
        Ok(()) => "Ctrl-C",
        Err(_) => std::future::pending().await,
    }
}
