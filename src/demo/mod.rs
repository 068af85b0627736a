//! The demo: candles over HTTP, chains of its own, real proofs and transactions, and what happened in each period.

mod cast;
mod dashboard;
pub mod hedge;
mod market;
pub mod report;
mod row;
mod run;
pub mod scenario;
mod setup;
mod table;
pub mod yields;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::config::Config;
use crate::devnet::Anvil;
use crate::node::parts::Parts;
use crate::state::Store;
use dashboard::Dashboard;
use market::Served;
use report::Report;
use run::JobRun;
use scenario::{Scenario, Source, Told};
use setup::{Setup, set_up};
use veriregime_core::types::cycle::Stage;
use veriregime_core::types::period::PeriodId;

/// From a period's start to its cycle.
const CYCLE_DELAY_SECONDS: i64 = 15;
/// A demo that runs.
#[derive(Debug)]
pub struct Demo {
    jobs: Vec<JobRun>,
    parts: Parts,
    chains: Vec<Anvil>,
    source: Source,
    served: Served,
    next: PeriodId,
    settings: PathBuf,
    /// Where a browser looks on, if it is to.
    dashboard: Option<Dashboard>,
    /// Dropped last: keys, database, settings and, where needed, bundles for development.
    _scratch: tempfile::TempDir,
}

impl Demo {
    /// Serves the candles, starts the chains and deploys everything to them.
    ///
    /// # Errors
    /// What keeps the demo from starting.
    pub async fn start(
        scenario: &Scenario,
        config: Config,
        stop: &CancellationToken,
        told: &Told<'_>,
    ) -> anyhow::Result<Self> {
        let scratch = tempfile::tempdir().context("no scratch folder")?;
        let (config, story, served) = market::serve(scenario, config, &setup::beside(scenario.jobs), stop).await?;
        told.item("candles", &story);
        let setup = Box::pin(set_up(scenario, config, served.first, scratch.path(), told)).await?;
        let Setup { jobs: configs, keys, chains, settings } = setup;
        let node = configs.first().context("there is a job")?;
        let parts = Parts::by_clock(Arc::new(Store::open(&node.state_path)?), keys, served.clock.clone());
        let mut jobs = Vec::with_capacity(configs.len());
        for config in configs {
            jobs.push(JobRun { agent: parts.job(&config).await?, config, rows: Vec::new() });
        }
        let (source, next) = (scenario.source.clone(), served.first);
        Ok(Self { jobs, parts, chains, source, served, next, settings, dashboard: None, _scratch: scratch })
    }

    /// Serves API and page until `stop` is cancelled, and tells where.
    ///
    /// # Errors
    /// What keeps the API from starting.
    pub async fn serve(&mut self, stop: &CancellationToken, told: &Told<'_>) -> anyhow::Result<()> {
        let agents: Vec<_> = self.jobs.iter().map(|job| &job.agent).collect();
        let dashboard = Dashboard::start(&self.configs(), &agents, self.next_start_ms(), None, stop).await?;
        told.item("dashboard", &dashboard.url());
        self.dashboard = Some(dashboard);
        Ok(())
    }

    /// Where a browser looks on, if it is to.
    pub fn dashboard(&self) -> Option<String> {
        self.dashboard.as_ref().map(Dashboard::url)
    }

    /// The next period's start.
    pub fn next_start_ms(&self) -> i64 {
        self.next.start_ms()
    }

    /// Moves chains and clock to the next period and runs the jobs' cycles, all at the same time.
    ///
    /// # Errors
    /// A cycle that does not land.
    pub async fn run_next(&mut self, stop: &CancellationToken) -> anyhow::Result<()> {
        let period = self.next;
        let now_seconds = period.start_seconds() + CYCLE_DELAY_SECONDS;
        for chain in &self.chains {
            chain.set_time(now_seconds).await?;
        }
        self.served.clock.set_ms(now_seconds * 1000);
        if let Some(dashboard) = &self.dashboard {
            dashboard.runs();
        }
        let cycle = |job: JobRun| AbortOnDropHandle::new(tokio::spawn(job.cycle(period, stop.clone())));
        let running: Vec<_> = self.jobs.drain(..).map(cycle).collect();
        for job in running {
            self.jobs.push(job.await.context("a job's task broke off")??);
        }
        self.next = period.next();
        if let Some(dashboard) = &self.dashboard {
            dashboard.ended(period, Stage::Confirmed);
            dashboard.waits(self.next.start_ms());
        }
        Ok(())
    }

    /// What happened, with what the markets really did in those periods that are over.
    ///
    /// # Errors
    /// A market that does not answer.
    pub async fn report(&mut self) -> anyhow::Result<Report> {
        let mut jobs = Vec::with_capacity(self.jobs.len());
        for job in &mut self.jobs {
            let has_one_market = job.agent.model.names().len() == 1;
            let source = if has_one_market { self.source.name() } else { self.source.name_beside() };
            jobs.push(job.report(&self.served, source).await?);
        }
        if let Some(last) = self.jobs.first().and_then(|job| job.rows.last()) {
            // What really happened was asked for in the time to come; whoever looks at the chains is to see theirs.
            self.served.clock.set_ms((last.period.start_seconds() + CYCLE_DELAY_SECONDS) * 1000);
        }
        Ok(Report { jobs })
    }

    /// How the parameters are read with `cast`, and what it answers.
    ///
    /// # Errors
    /// A model without a market.
    pub async fn how_to_read(&self) -> anyhow::Result<String> {
        cast::how_to_read(self.jobs.first().context("there is a job")?).await
    }

    /// The jobs' settings.
    pub fn configs(&self) -> Vec<Config> {
        self.jobs.iter().map(|job| job.config.clone()).collect()
    }

    /// The file with the jobs' settings, which is there as long as the demo.
    pub fn settings(&self) -> &Path {
        &self.settings
    }

    /// Ends the provers, and what serves once its `stop` is cancelled.
    pub async fn stop(&self) {
        self.parts.stop_provers().await;
        if let Some(dashboard) = &self.dashboard {
            dashboard.stopped().await;
        }
    }
}
