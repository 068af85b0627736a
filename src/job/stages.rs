//! The stages from the candles to the proof: each turns what is stored into what is stored next.

use tracing::info;

use super::Agent;
use crate::forecast::from_stored;
use crate::job::error::StageError;
use crate::state::Step;
use crate::state::error::StateError;
use crate::telemetry::metrics;
use veriregime_core::types::cycle::{CycleRecord, Stage};

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

    fn forecast(&self, record: &CycleRecord) -> Result<CycleRecord, StageError> {
        let forecast = from_stored(&self.store, &self.model, record, record.omitted_markets())?;
        for (index, (market, outputs)) in self.model.candles.markets.iter().zip(&forecast.outputs).enumerate() {
            if forecast.omitted.omits(index) {
                continue;
            }
            let Some(prediction) = self.model.read(outputs) else { continue };
            info!(
                market = market.name,
                regime = %prediction.regime,
                probability_high = prediction.probability_high,
                volatility = prediction.volatility,
                "forecast"
            );
        }
        Ok(self.advance(record, &Step::Forecast(&forecast))?)
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
