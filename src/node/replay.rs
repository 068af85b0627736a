//! The time that a node goes by: the machine's, or a replay's.

use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::feeds;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::raw::ClockKind;
use crate::sources::candles::source::Source;

/// How often a replay's clock is read from the candle server.
const POLL: Duration = Duration::from_millis(50);

/// The configured clock; a replay's is followed until `stop` is cancelled.
///
/// # Errors
/// A replay's clock that does not answer.
pub async fn clock(config: &Config, stop: &CancellationToken) -> anyhow::Result<Clock> {
    match config.schedule.clock {
        ClockKind::System => Ok(Clock::System),
        ClockKind::Exchange => {
            let source = feeds::primary(config)?;
            let clock = Clock::manual(source.server_time_ms().await.context("the replay's clock does not answer")?);
            tokio::spawn(follow(source, clock.clone(), stop.clone()));
            Ok(clock)
        }
    }
}

/// What the configured clock says now, in Unix milliseconds.
///
/// # Errors
/// A replay's clock that does not answer.
pub async fn now_ms(config: &Config) -> anyhow::Result<i64> {
    let stop = CancellationToken::new();
    let now_ms = clock(config, &stop).await?.now_ms();
    stop.cancel();
    Ok(now_ms)
}

/// Sets `clock` to the candle server's time again and again. Only settings for development chains lead here.
async fn follow(source: Source, clock: Clock, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match source.server_time_ms().await {
            Ok(now_ms) => clock.set_ms(now_ms),
            Err(error) => warn!(%error, "the replay's clock does not answer"),
        }
        tokio::time::sleep(POLL).await;
    }
}
