//! Signals that ask the program to stop.

use async_trait::async_trait;

/// Source of signals. The tests send their own, because a signal reaches every test of a process.
#[async_trait]
pub(crate) trait Signals: Send + Sync {
    /// Waits for a signal and returns its name. Never returns if the system reports no signals.
    async fn received(&self) -> &'static str;
}

/// SIGINT and SIGTERM of this process. After the first wait, they no longer end the process.
pub(crate) struct ProcessSignals;

#[async_trait]
impl Signals for ProcessSignals {
    #[cfg(unix)]
    async fn received(&self) -> &'static str {
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
    async fn received(&self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "Ctrl-C",
            Err(_) => std::future::pending().await,
        }
    }
}
