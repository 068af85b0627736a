//! What runs beside the cycle: the API, the checks, the alerts. None of it can hold the cycle up.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use alloy::primitives::Address;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::alerts::AlertError;
use crate::alerts::conditions::Shares;
use crate::alerts::notifier::{Settings as AlertSettings, WatchedJob, Watcher};
use crate::alerts::webhook::Webhook;
use crate::api::jobs::Jobs;
use crate::api::yields::Strategies;
use crate::api::{Shared, server};
use crate::clock::Clock;
use crate::config::{Config, alerts};
use crate::health::monitor::Probe;
use crate::health::vault::{VaultLimits, VaultProbe};
use crate::job::Agent;
use crate::job::feeds::Feed;
use crate::job::overview::Overview;
use crate::job::yields::YieldService;
use crate::node::{serving, yields};
use crate::state::Store;
use crate::state::beside::Beside;
use crate::telemetry::metrics::{self, Wallet};

/// What runs, with what of it can be changed.
#[derive(Debug)]
pub struct Services {
    pub shared: Arc<Shared>,
    /// Where the API listens, if it does.
    pub address: Option<SocketAddr>,
    /// What all jobs are doing.
    overview: Overview,
    pub alerts: watch::Sender<AlertSettings>,
    /// Updates that each wallet should be able to pay for.
    pub enough_updates: Arc<AtomicU64>,
    /// Who speaks in alerts where the operator has named nobody.
    pub node: String,
    /// Connections to the database for what only looks at it, whichever job it is of.
    beside: Beside,
    /// Names of the jobs that are served.
    attached: Mutex<BTreeSet<String>>,
    /// Chain ids and addresses of their wallets.
    wallets: Mutex<BTreeSet<(u64, Address)>>,
    /// Those that are watched.
    watched: watch::Sender<Vec<WatchedJob>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Services {
    /// Starts what the whole process has, until `stop` is cancelled. `node` speaks in alerts where the operator has named nobody;
    /// `strategies` are forecast by that clock.
    ///
    /// # Errors
    /// An address that cannot be listened on, a webhook's file that is not usable, or a database that does not open.
    pub async fn start(
        config: &Config,
        overview: Overview,
        node: String,
        strategies: Option<(Arc<YieldService>, Clock)>,
        stop: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let tasks = TaskTracker::new();
        let counted = metrics::install(stop.clone())?;
        let beside = Beside::open(&config.state_path)?;
        if let Some((service, clock)) = strategies.clone() {
            let stop = stop.clone();
            tasks.spawn(async move { yields::keep_fresh(&service, &clock, stop).await });
        }
        let strategies = strategies.map(|(service, clock)| Strategies::new(service, clock));
        let (held, holds) = watch::channel(Arc::default());
        let shared = Arc::new(serving::api(config, Jobs::new(overview.clone()), strategies, counted, holds.clone()));
        let told = shared.clone();
        tasks.spawn(async move { told.events.follow_alerts(holds).await });
        let mut bound = None;
        if let Some(address) = config.api.listen {
            let (listener, shared, stop) = (server::listen(address).await?, shared.clone(), stop.clone());
            bound = Some(listener.local_addr()?);
            tasks.spawn_blocking(move || server::serve_apart(listener, shared, stop));
        }
        let (alerts, _) = watch::channel(alert_settings(&config.alerts, &node)?);
        let enough_updates = Arc::new(config.alerts.low_balance_updates.into());
        let (watched, jobs) = watch::channel(Vec::new());
        let watcher = Watcher {
            store: beside.store.clone(),
            overview: overview.clone(),
            jobs,
            every: config.api.check_every,
            settings: alerts.subscribe(),
            held,
        };
        tasks.spawn(watcher.run(stop.clone()));
        Ok(Self {
            shared,
            address: bound,
            overview,
            alerts,
            enough_updates,
            node,
            beside,
            attached: Mutex::default(),
            wallets: Mutex::default(),
            watched,
            tasks,
            stop: stop.clone(),
        })
    }

    /// Tells whoever listens of the stages that are stored there from now on.
    pub fn follow(&self, store: &Store) {
        let (shared, changes) = (self.shared.clone(), store.follow());
        let (overview, stop) = (self.overview.clone(), self.stop.clone());
        self.tasks.spawn(async move { shared.events.follow_stages(changes, overview, stop).await });
    }

    /// Serves, checks and watches a job from now on, the first time that it is opened.
    ///
    /// # Errors
    /// A model that cannot be told of.
    pub fn attach(&self, config: &Config, agent: &Agent) -> anyhow::Result<()> {
        if !self.attached.lock().unwrap_or_else(PoisonError::into_inner).insert(agent.name.clone()) {
            return Ok(());
        }
        count(config, agent);
        let (reports, health) = watch::channel(None);
        self.shared.jobs.open(&agent.name, serving::served_job(config, agent, health.clone(), &self.beside)?);
        let (shared, name, checked) = (self.shared.clone(), agent.name.clone(), health.clone());
        self.tasks.spawn(async move { shared.events.follow_checks(name, checked).await });
        let watched = WatchedJob {
            shares: Shares {
                job: agent.name.clone(),
                chain_id: agent.chain.read.chain_id(),
                wallet: agent.chain.address(),
                source: agent.source_name(),
            },
            key: agent.job(),
            running: agent.running.clone(),
            clock: agent.clock.clone(),
            health,
        };
        self.watched.send_modify(|jobs| jobs.push(watched));
        let wallet = (agent.chain.read.chain_id(), agent.chain.address());
        let probe = Probe {
            enough_updates: self.enough_updates.clone(),
            tells_of_wallet: self.wallets.lock().unwrap_or_else(PoisonError::into_inner).insert(wallet),
            vault: self.vault_probe(config, agent),
            ..serving::probe(config, agent)
        };
        let probing = probe.run(config.api.check_every, reports, self.stop.clone());
        self.tasks.spawn(metrics::of_job(agent.name.clone(), probing));
        Ok(())
    }

    /// What is looked at of a vault, where the job has one.
    fn vault_probe(&self, config: &Config, agent: &Agent) -> Option<VaultProbe> {
        agent.country().map(|_| VaultProbe {
            cycles: self.beside.reader.clone(),
            job: agent.job(),
            output_scale: agent.bundle.manifest.outputs.first().map_or(0, |output| output.scale),
            limits: VaultLimits {
                rise_percent: config.alerts.electricity_rise_percent,
                low_budget_weeks: config.alerts.low_budget_weeks,
            },
        })
    }

    /// Waits until all of it has ended.
    pub async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Begins the series of a job.
fn count(config: &Config, agent: &Agent) {
    let manifest = &agent.bundle.manifest;
    let feeds = agent.regime().map(|regime| regime.feeds);
    let name = |feed: &Arc<Feed>| feed.name.clone();
    let fed_by = feeds.map_or_else(|| vec![agent.source_name()], |feeds| feeds.order.iter().map(name).collect());
    let compared = feeds.into_iter().flat_map(|feeds| &feeds.cross_check).flat_map(|check| &check.with);
    let witnesses: Vec<String> = compared.map(name).collect();
    let markets = agent.model.names();
    let wallet = Wallet { chain_id: agent.chain.read.chain_id(), address: &agent.chain.address() };
    metrics::begin_job(&agent.name, || {
        metrics::runs(&manifest.model_id, agent.manifest(), manifest.grid.period_seconds);
        metrics::begin(wallet, &fed_by, &witnesses, &markets, config.chain.rpc_urls.len(), agent.prover.name());
    });
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
