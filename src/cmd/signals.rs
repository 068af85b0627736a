//! How a command that runs until it is stopped hears of it.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::info;

/// Cancels `stop` at SIGTERM or SIGINT, for as long as the handle is held.
///
/// # Errors
/// A system that has no signals.
pub fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<AbortOnDropHandle<()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(AbortOnDropHandle::new(tokio::spawn(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        info!(signal = name, "stopping");
        stop.cancel();
    })))
}
