//! What runs beside the cycle: the API, the checks, the alerts. None of it can hold the cycle up.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::alerts::AlertError;
use crate::alerts::notifier::{Settings as AlertSettings, Watcher};
use crate::alerts::webhook::Webhook;
use crate::api::{Shared, server};
use crate::config::{Config, alerts};
use crate::job::Agent;
use crate::node::assemble;
use crate::state::Store;
use crate::telemetry::metrics;

/// What runs, with what of it can be changed.
#[derive(Debug)]
pub struct Services {
    pub shared: Arc<Shared>,
    pub alerts: watch::Sender<AlertSettings>,
    /// Updates that the wallet should be able to pay for.
    pub enough_updates: Arc<AtomicU64>,
    /// Who speaks in alerts where the operator has named nobody.
    pub node: String,
    tasks: TaskTracker,
}

impl Services {
    /// Starts all of it for `agent`, until `stop` is cancelled.
    ///
    /// # Errors
    /// An address that cannot be listened on, a webhook's file that is not usable, a database that does not open.
    pub async fn start(config: &Config, agent: &Agent, stop: &CancellationToken) -> anyhow::Result<Self> {
        let tasks = TaskTracker::new();
        let counted = metrics::install(stop.clone())?;
        metrics::runs(&agent.bundle.manifest.model_id, agent.manifest());
        let fed_by: Vec<&str> = agent.feeds.order.iter().map(|feed| feed.name.as_str()).collect();
        let compared = agent.feeds.cross_check.iter().flat_map(|check| &check.with);
        let witnesses: Vec<&str> = compared.map(|feed| feed.name.as_str()).collect();
        let markets = agent.model.candles.markets.iter().map(|market| market.name.as_str());
        metrics::begin(&fed_by, &witnesses, markets, config.chain.rpc_urls.len());
        let (reports, health) = watch::channel(None);
        let shared = Arc::new(assemble::api(config, agent, counted, health.clone())?);
        if let Some(address) = config.api.listen {
            let (listener, shared, stop) = (server::listen(address).await?, shared.clone(), stop.clone());
            tasks.spawn_blocking(move || server::serve_apart(listener, shared, stop));
        }
        let node = format!("{} of {}", agent.chain.address(), agent.bundle.manifest.model_id);
        let (alerts, settings) = watch::channel(alert_settings(&config.alerts, &node)?);
        let probe = assemble::probe(config, agent);
        let watcher = Watcher {
            clock: agent.clock.clone(),
            store: Arc::new(Store::open(&config.state_path)?),
            job: agent.job(),
            running: agent.running.clone(),
            health,
            settings,
        };
        tasks.spawn(watcher.run(stop.clone()));
        let enough_updates = probe.enough_updates.clone();
        tasks.spawn(probe.run(config.api.check_every, reports, stop.clone()));
        tasks.close();
        Ok(Self { shared, alerts, enough_updates, node, tasks })
    }

    /// Waits until all of it has ended.
    pub async fn ended(self) {
        self.tasks.wait().await;
    }
}

/// The alerts' settings with a webhook that can be used.
///
/// # Errors
/// [`AlertError::File`].
pub fn alert_settings(alerts: &alerts::Alerts, node: &str) -> Result<AlertSettings, AlertError> {
    let node = alerts.node_name.as_deref().unwrap_or(node);
    let webhook = |path: &Path| Webhook::from_file(path, node.to_owned()).map(Arc::new);
    Ok(AlertSettings {
        webhook: alerts.webhook_file.as_deref().map(webhook).transpose()?,
        resend_after: alerts.resend_after,
        stuck_after: alerts.stuck_after,
    })
}
