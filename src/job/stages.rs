//! The stages from the candles to the proof: each turns what is stored into what is stored next.

use tracing::info;

use super::Agent;
use crate::forecast::JobModel;
use crate::job::error::StageError;
use crate::job::input::unfit;
use crate::state::Step;
use crate::state::error::StateError;
use crate::telemetry::metrics;
use veriregime_core::types::cycle::{CycleRecord, Forecast, Stage};
use veriregime_core::types::stated::Stated;

impl Agent {
    /// Takes the one step that follows the record's stage.
    pub(crate) async fn step(&mut self, record: &CycleRecord) -> Result<CycleRecord, StageError> {
        match record.stage {
            Stage::Planned => self.collect(record).await,
            Stage::Collected => self.forecast(record),
            Stage::Forecast => self.prove(record).await,
            Stage::Proved => self.take_turn(record).await,
            Stage::Submitting => self.land(record).await,
            Stage::Confirmed | Stage::AlreadyByOther | Stage::Missed => Ok(record.clone()),
        }
    }

    async fn collect(&self, record: &CycleRecord) -> Result<CycleRecord, StageError> {
        if let Some(regime) = self.regime() {
            return self.collect_candles(record, regime).await;
        }
        if let Some(country) = self.country() {
            return self.collect_tables(record, country).await;
        }
        match self.strategy() {
            Some(strategy) => self.collect_strategy(record, strategy).await,
            None => Err(unfit()),
        }
    }

    fn forecast(&self, record: &CycleRecord) -> Result<CycleRecord, StageError> {
        let forecast = self.model.from_stored(&self.store, record, record.omitted_markets())?;
        self.tell(&forecast);
        Ok(self.advance(record, &Step::Forecast(&forecast))?)
    }

    /// Says in the log what was forecast.
    fn tell(&self, forecast: &Forecast) {
        let rows = self.model.names().into_iter().zip(&forecast.outputs).enumerate();
        for (_, (name, outputs)) in rows.filter(|(index, _)| !forecast.omitted.omits(*index)) {
            match &self.model {
                JobModel::Regime(model) => {
                    let Some(prediction) = model.read(outputs) else { continue };
                    info!(
                        market = name,
                        regime = %prediction.regime,
                        probability_high = prediction.probability_high,
                        volatility = prediction.volatility,
                        "forecast"
                    );
                }
                JobModel::Electricity { model, .. } => {
                    let Some(horizons) = model.read(&outputs.values().collect::<Vec<_>>()) else { continue };
                    let last_month =
                        forecast.stated.and_then(Stated::prices).map_or(0.0, |prices| prices.eur_per_mwh());
                    for one in horizons {
                        let eur_mwh = last_month * libm::exp(one.log_ratio);
                        info!(
                            country = name,
                            months = one.months,
                            last_month_eur_mwh = last_month,
                            eur_mwh,
                            "forecast"
                        );
                    }
                }
                JobModel::Strategy { model, .. } => {
                    let Some(said) = model.told(forecast) else { continue };
                    info!(
                        strategy = name,
                        apy_percent = said.apy_percent,
                        low_percent = said.low_percent,
                        high_percent = said.high_percent,
                        volatility_pp = said.volatility_pp,
                        "forecast"
                    );
                }
            }
        }
    }

    async fn prove(&self, record: &CycleRecord) -> Result<CycleRecord, StageError> {
        let forecast = stored(record.forecast.as_ref(), "forecast")?;
        let proved = self.prover.prove(&forecast.inputs(), &forecast.output_integers()).await?;
        if proved.reused {
            info!("the proof was made for another job already");
        } else {
            metrics::proof_made(self.prover.name(), proved.prove_ms);
            info!(prove_ms = proved.prove_ms, verify_ms = proved.verify_ms, "proof made and verified");
        }
        Ok(self.advance(record, &Step::Proved(&proved.proof, proved.prove_ms.round() as u64, proved.witness_sha256))?)
    }
}

/// What a stage must have left behind.
pub(crate) fn stored<'a, T>(value: Option<&'a T>, what: &str) -> Result<&'a T, StateError> {
    value.ok_or_else(|| StateError::Corrupt(format!("a cycle is without its {what}")))
}
