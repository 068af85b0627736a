//! SIGHUP: what can change without harm does, and where anything else has changed, nothing does.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use super::services::{Services, alert_settings};
use crate::config::raw::RawConfig;
use crate::config::{self, reload};
use crate::diagnosis;
use crate::node::parts::Parts;
use crate::telemetry;

/// What is changed.
#[derive(Debug)]
pub struct Reload {
    /// The settings' file.
    pub file: Option<PathBuf>,
    /// The settings in force.
    pub running: RawConfig,
}

impl Reload {
    /// Reads the settings again at every SIGHUP, for as long as it is polled.
    ///
    /// # Errors
    /// A system that has no signals.
    pub async fn run(mut self, services: &Services, parts: &Parts) -> anyhow::Result<()> {
        let mut hang_up = signal(SignalKind::hangup())?;
        while hang_up.recv().await.is_some() {
            match self.once(services, parts) {
                Ok(keys) => info!(?keys, "settings reloaded"),
                Err(error) => {
                    let fault = diagnosis::coded(&error);
                    let (code, hint) = fault.map_or(("", ""), |fault| (fault.code(), fault.hint()));
                    warn!(code, error = diagnosis::words(&error), hint, "settings not reloaded, the old ones stay");
                }
            }
        }
        Ok(())
    }

    /// The keys that have changed. Everything that can fail comes first.
    fn once(&mut self, services: &Services, parts: &Parts) -> anyhow::Result<Vec<String>> {
        let raw = config::read(self.file.as_deref())?;
        let node = config::jobs::check(raw.clone())?;
        let fresh = node.node();
        let keys = reload::safe_changes(&self.running, &raw)?;
        let alerts = alert_settings(&fresh.alerts, &services.node)?;
        telemetry::set_level(&fresh.log_level).context("log.level")?;
        services.alerts.send_replace(alerts);
        services.enough_updates.store(fresh.alerts.low_balance_updates, Ordering::Relaxed);
        services.shared.limits.set_rate(fresh.api.requests_per_second, fresh.api.burst);
        parts.set_fees(&node);
        self.running = raw;
        Ok(keys)
    }
}
