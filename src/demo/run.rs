//! One job of the demo, period by period.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::market::{self, Served};
use super::report::JobReport;
use super::row::{PeriodRow, read, row};
use crate::config::Config;
use crate::job::Agent;
use veriregime_core::quantile::quantile;
use veriregime_core::types::period::PeriodId;

/// Longest wait for one period.
const PATIENCE: Duration = Duration::from_mins(1);

/// A job, and its periods so far.
#[derive(Debug)]
pub(super) struct JobRun {
    pub(super) config: Config,
    pub(super) agent: Agent,
    pub(super) rows: Vec<PeriodRow>,
}

impl JobRun {
    /// Runs the cycle of `period` and notes what it brought. Gives itself back: jobs run at the same time, each in a task.
    ///
    /// # Errors
    /// A cycle that does not land.
    pub(super) async fn cycle(mut self, period: PeriodId, stop: CancellationToken) -> anyhow::Result<Self> {
        let before = read(&self.agent).await?;
        let started = Instant::now();
        // The demo's clock stands still, so the period's own end would never come.
        let cycle = tokio::time::timeout(PATIENCE, self.agent.run(period, &stop)).await;
        let record = cycle.with_context(|| {
            let seconds = PATIENCE.as_secs();
            format!("period {period} did not land within {seconds} seconds; the warnings above say why")
        })??;
        let cycle_ms = started.elapsed().as_secs_f64() * 1e3;
        let after = read(&self.agent).await?;
        self.rows.push(row(&self.agent, &record, &before, &after, cycle_ms)?);
        Ok(self)
    }

    /// What happened, with what the markets really did in those periods that are over.
    ///
    /// # Errors
    /// A market that does not answer.
    pub(super) async fn report(&mut self, served: &Served, source: String) -> anyhow::Result<JobReport> {
        for row in &mut self.rows {
            market::fill_realised(&self.agent, served, row).await?;
        }
        let cycles_ms: Vec<f64> = self.rows.iter().map(|row| row.cycle_ms).collect();
        Ok(JobReport {
            name: self.agent.name.clone(),
            chain: self.config.names.chain.clone(),
            chain_id: self.config.chain.chain_id,
            source,
            verification: self.config.prover.kind.way(),
            model_id: self.agent.bundle.manifest.model_id.clone(),
            periods: self.rows.clone(),
            cycle_ms_p50: quantile(&cycles_ms, 0.5),
            thresholds: {
                let model = self.agent.regime().context("it is a job of regimes")?.model;
                model.labels.iter().map(|label| label.threshold).collect()
            },
        })
    }
}
