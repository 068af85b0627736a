//! The demo of strategies: their days over HTTP, feeds on a chain of its own, and a job for each that publishes day by day.

pub mod portfolio;
mod predict;
pub mod report;
mod setup;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::primitives::Address;
use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::dashboard::Dashboard;
use super::scenario::Told;
use crate::actions::feed::contract::YieldFeed;
use crate::clock::Clock;
use crate::config::raw::RawConfig;
use crate::devnet::feed::FeedWorld;
use crate::job::Agent;
use crate::job::yields::YieldService;
use crate::sources::yields::folder::Yields;
use portfolio::Portfolio;
use report::{DayRow, ForecastRow, YieldReport};
use veriregime_core::hedge::panel::Day;
use veriregime_core::quantile::quantile;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::stated::Stated;
use veriregime_core::types::time::{DAY_MS, format_day};
use veriregime_core::yields::scale::apy_percent;
use veriregime_core::yields::{GRID, HORIZON_DAYS};

/// From a day's start to its cycles.
const CYCLE_SECONDS: i64 = 3_600;
/// Longest wait for one cycle.
const PATIENCE: Duration = Duration::from_mins(1);
/// A percent in a feed's units.
const PERCENT_E8: f64 = 1e6;

/// What is shown.
#[derive(Debug, Clone)]
pub struct YieldScenario {
    /// Consecutive days.
    pub days: u32,
    /// Folder with the tables.
    pub data: PathBuf,
    /// How the chain is convinced.
    pub way: Way,
    /// anvil, instead of the one of [`crate::devnet::foundry`].
    pub anvil: Option<PathBuf>,
}

/// A demo that runs.
#[derive(Debug)]
pub struct YieldDemo {
    /// A job for each strategy.
    agents: Vec<Agent>,
    /// The API of the demo's jobs and strategies, and its page.
    dashboard: Dashboard,
    world: FeedWorld,
    clock: Clock,
    way: Way,
    /// What came.
    yields: Yields,
    source: String,
    next: PeriodId,
    /// What all jobs and the portfolio forecast with.
    service: Arc<YieldService>,
    portfolio: Portfolio,
    rows: Vec<DayRow>,
    /// Dropped last.
    _scratch: tempfile::TempDir,
}

impl YieldDemo {
    /// Serves the tables, starts the chain and deploys everything to it.
    ///
    /// # Errors
    /// What keeps the demo from starting.
    pub async fn start(
        scenario: YieldScenario,
        raw: RawConfig,
        stop: &CancellationToken,
        told: &Told<'_>,
    ) -> anyhow::Result<Self> {
        Box::pin(setup::set_up(scenario, raw, stop, told)).await
    }

    /// Where a browser looks on.
    pub fn dashboard(&self) -> String {
        self.dashboard.url()
    }

    /// Tells where a browser looks on.
    pub fn tell_dashboard(&self, told: &Told<'_>) {
        told.item("dashboard", &self.dashboard());
    }

    /// The next day's start.
    pub fn next_start_ms(&self) -> i64 {
        GRID.start_ms(self.next)
    }

    /// Moves chain and clock to the next day and runs every strategy's cycle.
    ///
    /// # Errors
    /// A cycle that does not land.
    pub async fn run_next(&mut self, stop: &CancellationToken) -> anyhow::Result<()> {
        let (period, start_ms) = (self.next, self.next_start_ms());
        self.world.anvil.set_time(start_ms / 1000 + CYCLE_SECONDS).await?;
        self.clock.set_ms(start_ms + CYCLE_SECONDS * 1000);
        self.dashboard.runs();
        let mut records = Vec::with_capacity(self.agents.len());
        for agent in &mut self.agents {
            let started = Instant::now();
            // The demo's clock stands still, so the day's own end would never come.
            let cycle = tokio::time::timeout(PATIENCE, agent.run(period, stop)).await;
            let (name, seconds) = (&agent.name, PATIENCE.as_secs());
            let record = cycle.with_context(|| {
                format!("{name}, day {period} did not land within {seconds} seconds; the warnings above say why")
            })??;
            if let Some(miss) = &record.miss {
                anyhow::bail!("{name}, day {period} was missed: {} {}", miss.code, miss.message);
            }
            anyhow::ensure!(record.stage == Stage::Confirmed, "{name}, day {period} ended as {}", record.stage.name());
            records.push((record, started.elapsed().as_secs_f64() * 1e3));
        }
        let mut forecasts = Vec::with_capacity(records.len());
        for (agent, (record, cycle_ms)) in self.agents.iter().zip(&records) {
            forecasts.push(self.row(agent, record, *cycle_ms).await?);
        }
        let today = Day::try_from(start_ms / DAY_MS)?;
        let said = self.service.refresh(self.clock.now_ms()).await?;
        let rate = |name: &str| {
            let series = &self.yields.pools.get(&self.service.strategy(name)?.pool)?.series;
            series.apy(series.position(today)?)
        };
        let money = self.portfolio.day(&said, today, rate)?;
        self.rows.push(DayRow { period, day: format_day(today), forecasts, money });
        self.next = period.next();
        self.dashboard.ended(period, Stage::Confirmed);
        self.dashboard.waits(self.next_start_ms());
        Ok(())
    }

    async fn row(&self, agent: &Agent, record: &CycleRecord, cycle_ms: f64) -> anyhow::Result<ForecastRow> {
        let strategy = agent.strategy().context("it is no yield job")?.strategy;
        let landed = record.landed.context("a confirmed cycle has a transaction")?;
        let published = agent.chain.read.publication_in::<YieldFeed>(agent.action.contract(), landed.hash).await?;
        let figures = published.context("a confirmed cycle has a forecast on chain")?.figures;
        let level = record.forecast.as_ref().and_then(|forecast| forecast.stated.and_then(Stated::level));
        let level = level.context("a yield job's forecast has a level")?;
        let came = self.came(&strategy.pool, Day::try_from(level.day)? + 1);
        let [apy, low, high] = [figures.apy_e8, figures.low_e8, figures.high_e8].map(|e8| e8 as f64 / PERCENT_E8);
        Ok(ForecastRow {
            strategy: strategy.name.clone(),
            kind: strategy.kind,
            last_week_percent: apy_percent(level.level()),
            apy_percent: apy,
            low_percent: low,
            high_percent: high,
            volatility_pp: figures.volatility_e8 as f64 / PERCENT_E8,
            came_percent: came,
            is_inside: came.map(|came| (low..=high).contains(&came)),
            prove_ms: record.prove_ms.unwrap_or_default(),
            gas_used: landed.gas_used,
            tx_hash: landed.hash.to_string(),
            cycle_ms,
        })
    }

    /// The mean rate of the days from one on that are forecast; nothing where they are not all there.
    fn came(&self, pool: &str, first: Day) -> Option<f64> {
        let series = &self.yields.pools.get(pool)?.series;
        let from = series.position(first)?;
        let known: Vec<f64> = series.known(from, from + HORIZON_DAYS).collect();
        (known.len() + 1 >= HORIZON_DAYS && from + HORIZON_DAYS <= series.days())
            .then(|| known.iter().sum::<f64>() / known.len() as f64)
    }

    /// What happened, and what the API answers on the last day.
    ///
    /// # Errors
    /// An API that does not answer.
    pub async fn report(&self) -> anyhow::Result<YieldReport> {
        let feeds: BTreeMap<String, Address> =
            self.agents.iter().map(|agent| (agent.model.names().concat(), agent.action.contract())).collect();
        let url = predict::url(&self.dashboard)?;
        let answer = predict::ask(&url, &feeds.keys().collect::<Vec<_>>()).await?;
        let cycles = || self.rows.iter().flat_map(|row| &row.forecasts).map(|one| one.cycle_ms);
        Ok(YieldReport {
            source: self.source.clone(),
            verification: self.way,
            feeds,
            days: self.rows.clone(),
            url: url.to_string(),
            answer,
            cycle_ms_p50: quantile(&cycles().collect::<Vec<_>>(), 0.5),
        })
    }

    /// Ends the provers, and what serves once its `stop` is cancelled.
    pub async fn stop(&self) {
        for agent in &self.agents {
            agent.prover.stop().await;
        }
        self.dashboard.stopped().await;
    }
}
