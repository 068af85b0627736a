//! A process with its jobs: what they share, what keeps each of them going, and what runs beside them.

pub mod assemble;
mod driver;
pub mod error;
pub mod feeds;
pub mod parts;
mod pool;
pub mod reload;
pub mod replay;
pub mod services;
pub mod serving;
pub mod smoke;
pub mod yields;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::jobs::NodeConfig;
use crate::config::{Config, ConfigError};
use crate::evidence::EvidenceStore;
use crate::job::Agent;
use crate::job::overview::{Activity, JobState, Overview, Progress};
use crate::job::yields::YieldService;
use crate::state::Store;
use driver::Driver;
use parts::Parts;
use reload::Reload;
use services::Services;
use veriregime_core::types::job::JobKey;

/// The jobs of a process.
#[derive(Debug)]
pub struct Node {
    config: NodeConfig,
    parts: Arc<Parts>,
    /// What the jobs are doing.
    pub overview: Overview,
    progress: Vec<Progress>,
    stop: CancellationToken,
}

impl Node {
    /// Looks at everything in the settings that can be looked at before a job is opened. Nothing runs yet.
    ///
    /// # Errors
    /// A job without a contract, two that are the same, or a database that does not open.
    pub fn new(config: NodeConfig, stop: CancellationToken) -> anyhow::Result<Self> {
        let keys = job_keys(config.jobs())?;
        let states = config.jobs().iter().zip(&keys).map(|(job, key)| begun(job, *key)).collect();
        let (overview, progress) = Overview::new(states);
        let store = Arc::new(Store::open(&config.node().state_path)?);
        let running = keys.into_iter().flatten().collect();
        let parts = Arc::new(Parts::new(store, running, stop.clone()));
        Ok(Self { config, parts, overview, progress, stop })
    }

    /// Runs all jobs until `stop` is cancelled. What is wrong with one of several is told and does not disturb the others;
    /// the only one of a process must open.
    ///
    /// # Errors
    /// The only job that does not open, what keeps API, checks or alerts from starting, or a database that fails.
    pub async fn run(self, reload: Reload) -> anyhow::Result<()> {
        EvidenceStore::new(self.config.node().evidence_dir.clone()).tidy()?;
        let (mut opened, mut jobs) = (None, JoinSet::new());
        let mut node = format!("a node with {} jobs", self.config.jobs().len());
        if let [only] = self.config.jobs() {
            let agent = driver::open(&self.parts, only).await?;
            node = format!("{} of {}", agent.chain.address(), agent.bundle.manifest.model_id);
            opened = Some(agent);
        }
        let strategies = self.strategies().await?;
        let services = Services::start(self.config.node(), self.overview.clone(), node, strategies, &self.stop).await?;
        let services = Arc::new(services);
        services.follow(&self.parts.store);
        self.drive(&services, opened, &mut jobs);
        let outcome = tokio::select! {
            outcome = ended(&mut jobs) => outcome,
            Err(error) = reload.run(&services, &self.parts) => Err(error),
        };
        self.stop.cancel();
        while jobs.join_next().await.is_some() {}
        self.parts.stop_provers().await;
        services.ended().await;
        outcome
    }

    /// The strategies of the settings, where there are any, with the clock that they go by.
    async fn strategies(&self) -> anyhow::Result<Option<(Arc<YieldService>, Clock)>> {
        let config = self.config.node();
        if config.yields.strategies.is_empty() {
            return Ok(None);
        }
        Ok(Some((self.parts.yields(config).await?, self.parts.clock(config).await?)))
    }

    /// Has every job driven.
    fn drive(&self, services: &Arc<Services>, mut opened: Option<Agent>, jobs: &mut JoinSet<anyhow::Result<()>>) {
        for (config, progress) in self.config.jobs().iter().zip(&self.progress) {
            let driver = Driver {
                config: Arc::new(config.clone()),
                is_alone: self.config.jobs().len() == 1,
                parts: self.parts.clone(),
                services: services.clone(),
                progress: progress.clone(),
                stop: self.stop.clone(),
            };
            jobs.spawn(driver.run(opened.take()));
        }
    }
}

/// Waits until all jobs have ended, or one has with an error.
async fn ended(jobs: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    while let Some(outcome) = jobs.join_next().await {
        outcome.context("a job's task broke off")??;
    }
    Ok(())
}

/// What the cycles of each job are stored by, as far as its bundle can be read.
///
/// # Errors
/// A job without a contract, or two that are the same.
pub fn job_keys(jobs: &[Config]) -> Result<Vec<Option<JobKey>>, ConfigError> {
    let (keys, faults) = distinct_keys(jobs);
    faults.into_iter().next().map_or(Ok(keys), Err)
}

/// As [`job_keys`], with every job that has no contract or is the same as another.
pub fn distinct_keys(jobs: &[Config]) -> (Vec<Option<JobKey>>, Vec<ConfigError>) {
    let mut names: BTreeMap<JobKey, &str> = BTreeMap::new();
    let (mut keys, mut faults) = (Vec::with_capacity(jobs.len()), Vec::new());
    for job in jobs {
        let name = job.names.job.as_str();
        let key = parts::key(job).unwrap_or_else(|fault| {
            faults.push(match fault {
                ConfigError::Value { value, reason, .. } if jobs.len() > 1 => {
                    ConfigError::Value { key: format!("jobs.{name}.contract"), value, reason }
                }
                fault => fault,
            });
            None
        });
        keys.push(key);
        if let Some(key) = key
            && let Some(other) = names.insert(key, name)
        {
            let what = format!("are both {key}");
            faults.push(ConfigError::SameJob { one: other.into(), other: name.into(), what });
        }
    }
    (keys, faults)
}

/// A job that nobody has opened yet.
pub fn begun(config: &Config, key: Option<JobKey>) -> JobState {
    JobState {
        name: config.names.job.clone(),
        chain: config.names.chain.clone(),
        chain_id: config.chain.chain_id,
        contract: config.chain.oracle,
        key,
        model: None,
        activity: Activity::Starting,
        last_cycle: None,
    }
}
