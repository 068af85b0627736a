//! The demo of a vault: tables over HTTP, Uniswap's real pool on a chain of its own, and a job that sells week by week.

pub mod report;
mod rules;
mod setup;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::dashboard::Dashboard;
use super::scenario::Told;
use crate::actions::hedge_vault::contract::Vault;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::raw::RawConfig;
use crate::devnet::uniswap::FEE_PIPS;
use crate::devnet::vault::VaultWorld;
use crate::forecast::JobModel;
use crate::job::Agent;
use crate::sources::tables::series::DailySeries;
use report::{HedgeReport, WeekRow};
use rules::{Trade, Weeks};
use veriregime_core::hedge::GRID;
use veriregime_core::hedge::features::MONTH_DAYS;
use veriregime_core::hedge::need::dollars_a_day;
use veriregime_core::hedge::panel::Day;
use veriregime_core::quantile::quantile;
use veriregime_core::types::cycle::{CycleRecord, Stage};
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::stated::Stated;
use veriregime_core::types::time::{DAY_MS, format_utc};

/// Days of a week.
const WEEK_DAYS: Day = 7;
/// From a week's start to where the pool's price moves, and to its cycle: the mean price has its time.
const TRADE_SECONDS: i64 = 3_600;
const CYCLE_SECONDS: i64 = 6 * 3_600;
/// Longest wait for one week.
const PATIENCE: Duration = Duration::from_mins(1);
const SATS: f64 = 1e8;
const USDC_UNITS: f64 = 1e6;
const PIPS: f64 = 1e6;

/// What is shown.
#[derive(Debug, Clone)]
pub struct HedgeScenario {
    /// Consecutive weeks.
    pub weeks: u32,
    /// The country by its ISO 3166 code.
    pub country: String,
    /// What the machines draw.
    pub watts: u32,
    /// Months that are covered.
    pub months: u8,
    /// Folder with the tables.
    pub data: PathBuf,
    /// Of what a bitcoin costs, where the folder does not say it.
    pub seed: u64,
    /// As the settings say where absent, and directly where their ceremony file is not here.
    pub way: Option<Way>,
    /// anvil, instead of the one of [`crate::devnet::foundry`].
    pub anvil: Option<PathBuf>,
}

/// A demo that runs.
#[derive(Debug)]
pub struct HedgeDemo {
    scenario: HedgeScenario,
    agent: Agent,
    config: Config,
    /// Where a browser looks on, if it is to.
    dashboard: Option<Dashboard>,
    world: VaultWorld,
    clock: Clock,
    way: Way,
    /// Prices of the country's electricity.
    electricity: DailySeries,
    rates: DailySeries,
    bitcoin: DailySeries,
    bitcoin_story: String,
    source: String,
    treasury_sats: u64,
    next: PeriodId,
    price: f64,
    rows: Vec<WeekRow>,
    /// First day of each week, and dollars for a bitcoin in it.
    starts: Vec<(Day, f64)>,
    /// Dropped last.
    _scratch: tempfile::TempDir,
}

impl HedgeDemo {
    /// Serves the tables, starts the chain and deploys everything to it.
    ///
    /// # Errors
    /// What keeps the demo from starting.
    pub async fn start(
        scenario: HedgeScenario,
        raw: RawConfig,
        stop: &CancellationToken,
        told: &Told<'_>,
    ) -> anyhow::Result<Self> {
        Box::pin(setup::set_up(scenario, raw, stop, told)).await
    }

    /// Serves API and page until `stop` is cancelled, and tells where.
    ///
    /// # Errors
    /// What keeps the API from starting.
    pub async fn serve(&mut self, stop: &CancellationToken, told: &Told<'_>) -> anyhow::Result<()> {
        let (config, agent) = (self.config.clone(), &self.agent);
        let dashboard = Dashboard::start(&[config], &[agent], self.next_start_ms(), None, stop).await?;
        told.item("dashboard", &dashboard.url());
        self.dashboard = Some(dashboard);
        Ok(())
    }

    /// Where a browser looks on, if it is to.
    pub fn dashboard(&self) -> Option<String> {
        self.dashboard.as_ref().map(Dashboard::url)
    }

    /// The next week's start.
    pub fn next_start_ms(&self) -> i64 {
        GRID.start_ms(self.next)
    }

    /// Moves chain, price and clock to the next week and runs its cycle.
    ///
    /// # Errors
    /// A cycle that does not land.
    pub async fn run_next(&mut self, stop: &CancellationToken) -> anyhow::Result<()> {
        let (period, start_ms) = (self.next, self.next_start_ms());
        let day = Day::try_from(start_ms / DAY_MS)?;
        let price = self.bitcoin.carried(day - 1, 1).context("a bitcoin has a price on every day of the demo")?;
        self.world.anvil.set_time(start_ms / 1000 + TRADE_SECONDS).await?;
        if (price / self.price - 1.0).abs() > 1e-6 {
            self.world.uniswap.trade_to(price, price > self.price).await?;
            self.price = price;
        }
        self.world.anvil.set_time(start_ms / 1000 + CYCLE_SECONDS).await?;
        self.clock.set_ms(start_ms + CYCLE_SECONDS * 1000);
        if let Some(dashboard) = &self.dashboard {
            dashboard.runs();
        }
        let started = Instant::now();
        // The demo's clock stands still, so the week's own end would never come.
        let cycle = tokio::time::timeout(PATIENCE, self.agent.run(period, stop)).await;
        let seconds = PATIENCE.as_secs();
        let record = cycle.with_context(|| {
            format!("week {period} did not land within {seconds} seconds; the warnings above say why")
        })??;
        let cycle_ms = started.elapsed().as_secs_f64() * 1e3;
        if let Some(miss) = &record.miss {
            anyhow::bail!("week {period} was missed: {} {}", miss.code, miss.message);
        }
        anyhow::ensure!(record.stage == Stage::Confirmed, "week {period} ended as {}", record.stage.name());
        let row = self.row(&record, cycle_ms).await?;
        self.rows.push(row);
        self.starts.push((day, price * (1.0 - f64::from(FEE_PIPS) / PIPS)));
        self.next = period.next();
        if let Some(dashboard) = &self.dashboard {
            dashboard.ended(period, Stage::Confirmed);
            dashboard.waits(self.next_start_ms());
        }
        Ok(())
    }

    async fn row(&self, record: &CycleRecord, cycle_ms: f64) -> anyhow::Result<WeekRow> {
        let JobModel::Electricity { model, .. } = &self.agent.model else { anyhow::bail!("it is no hedge job") };
        let landed = record.landed.context("a confirmed cycle has a transaction")?;
        let forecast = record.forecast.as_ref().context("a confirmed cycle has a forecast")?;
        let sale = self.agent.chain.read.publication_in::<Vault>(self.world.vault(), landed.hash).await?;
        let figures = sale.context("a confirmed cycle has a sale")?.figures;
        let prices = forecast.stated.and_then(Stated::prices).context("a hedge job's forecast has prices")?;
        let horizons = model.read(&forecast.output_integers()).context("an electricity model's outputs")?;
        let horizon = horizons.iter().find(|one| one.months == u32::from(self.scenario.months));
        let ratio = libm::exp(horizon.context("the terms' months are a horizon")?.log_ratio);
        let forecast_eur_mwh = prices.eur_per_mwh() * ratio;
        let (from, until) = (Day::try_from(figures.from_day)?, Day::try_from(figures.until_day)?);
        let start = Day::try_from(record.start_ms / DAY_MS)?;
        let ahead = start..start + self.horizon();
        let real = ahead.clone().map(|day| self.electricity.carried(day, 1)).sum::<Option<f64>>();
        let usd_a_day = dollars_a_day(f64::from(self.scenario.watts), forecast_eur_mwh, prices.usd_per_eur());
        Ok(WeekRow {
            period: record.period,
            start: format_utc(record.start_ms),
            last_month_eur_mwh: prices.eur_per_mwh(),
            forecast_eur_mwh,
            real_eur_mwh: real.map(|sum| sum / f64::from(self.horizon())),
            need_usd: usd_a_day * f64::from(ahead.end - from),
            sold_sats: figures.sats,
            usdc: figures.usdc as f64 / USDC_UNITS,
            days: figures.until_day - figures.from_day,
            real_usd: self.weeks().cost(from..until),
            prove_ms: record.prove_ms.unwrap_or(0),
            gas_used: landed.gas_used,
            tx_hash: landed.hash.to_string(),
            cycle_ms,
        })
    }

    /// Days that are covered ahead.
    fn horizon(&self) -> Day {
        Day::from(self.scenario.months) * MONTH_DAYS as Day
    }

    fn weeks(&self) -> Weeks<'_> {
        Weeks {
            electricity: &self.electricity,
            rates: &self.rates,
            watts: f64::from(self.scenario.watts),
            starts: self.starts.clone(),
            horizon: self.horizon(),
            treasury_btc: self.treasury_sats as f64 / SATS,
        }
    }

    /// What happened, and what would have by other rules.
    pub fn report(&self) -> HedgeReport {
        let weeks = self.weeks();
        let sale = |row: &WeekRow| Trade { sold_btc: row.sold_sats as f64 / SATS, usd: row.usdc };
        let sales: Vec<Trade> = self.rows.iter().map(sale).collect();
        let vault = weeks.outcome("the vault, by the forecast", &sales);
        let others = [weeks.persistence(), weeks.pay_as_due(), weeks.everything_now()];
        let cycles_ms: Vec<f64> = self.rows.iter().map(|row| row.cycle_ms).collect();
        HedgeReport {
            source: self.source.clone(),
            bitcoin: self.bitcoin_story.clone(),
            verification: self.way,
            model_id: self.agent.bundle.manifest.model_id.clone(),
            country: self.scenario.country.clone(),
            watts: self.scenario.watts,
            months: self.scenario.months,
            treasury_btc: weeks.treasury_btc,
            rules: vault.into_iter().chain(others.into_iter().flatten()).collect(),
            weeks: self.rows.clone(),
            cycle_ms_p50: quantile(&cycles_ms, 0.5),
        }
    }

    /// Ends the prover, and what serves once its `stop` is cancelled.
    pub async fn stop(&self) {
        self.agent.prover.stop().await;
        if let Some(dashboard) = &self.dashboard {
            dashboard.stopped().await;
        }
    }
}
