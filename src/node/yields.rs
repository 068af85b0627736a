//! The strategies of a node, with the models that forecast them.

use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::bundle::yields::YieldModels;
use crate::clock::Clock;
use crate::config::Config;
use crate::job::yields::{YieldService, YieldSettings};
use crate::sources::yields::renewal::Publishers;
use veriregime_core::types::diagnostic::Diagnostic;

/// How often strategies are forecast for whoever asks; a day's first asks their publishers.
const REFRESH_EVERY: Duration = Duration::from_mins(10);

/// The service of the settings' strategies.
///
/// # Errors
/// Models that are not usable.
pub async fn service(config: &Config) -> anyhow::Result<YieldService> {
    let yields = &config.yields;
    let folder = yields.models.clone();
    let opened = tokio::task::spawn_blocking(move || YieldModels::open(&folder)).await;
    let models = opened.context("the models' check broke off")??;
    let settings = YieldSettings {
        folder: yields.dir.clone(),
        publishers: publishers(config),
        max_age_days: yields.max_age_days,
        strategies: yields.strategies.clone(),
    };
    Ok(YieldService::new(settings, models.into()))
}

/// Who publishes the strategies' days.
pub fn publishers(config: &Config) -> Publishers {
    Publishers { pools: config.yields.pools.clone(), funding: config.yields.funding.clone() }
}

/// Keeps what is said of the strategies fresh until `stop`. What fails is told in the log and tried again.
pub async fn keep_fresh(service: &YieldService, clock: &Clock, stop: CancellationToken) {
    loop {
        match service.refresh(clock.now_ms()).await {
            Ok(forecasts) => info!(day = forecasts.day, strategies = forecasts.strategies.len(), "strategies forecast"),
            Err(fault) => warn!(code = fault.code(), error = %fault, hint = fault.hint(), "no strategy is forecast"),
        }
        tokio::select! {
            () = tokio::time::sleep(REFRESH_EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}
