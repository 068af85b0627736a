//! The stages from the candles to the proof: each turns what is stored into what is stored next.

use tracing::info;

use super::Agent;
use crate::bundle::Bundle;
use crate::job::error::StageError;
use crate::state::{StateError, Step, Store};
use crate::telemetry::metrics;
use veriregime_core::features;
use veriregime_core::model::Model;
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::cycle::{CycleRecord, Forecast, Stage};
use veriregime_core::types::feature::FeatureVector;
use veriregime_core::types::omission::OmittedMarkets;
use veriregime_core::types::prediction::Outputs;

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
        let forecast = compute(&self.store, &self.bundle, &self.model, record, record.omitted_markets())?;
        for (index, (market, outputs)) in self.bundle.manifest.markets.iter().zip(&forecast.outputs).enumerate() {
            if forecast.omitted.omits(index) {
                continue;
            }
            let prediction = outputs.decode(self.bundle.manifest.circuit.output_scale);
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

    async fn prove(&mut self, record: &CycleRecord) -> Result<CycleRecord, StageError> {
        let forecast = stored(record.forecast.as_ref(), "forecast")?;
        let (inputs, outputs) = (FeatureVector::concat(&forecast.features), Outputs::concat(&forecast.outputs));
        let proved = self.prover.prove(&inputs, &outputs).await?;
        metrics::proof_made(proved.prove_ms);
        info!(prove_ms = proved.prove_ms, verify_ms = proved.verify_ms, "proof made and verified");
        Ok(self.advance(record, &Step::Proved(&proved.proof, proved.prove_ms.round() as u64, proved.witness_sha256))?)
    }
}

/// Features and outputs from the stored candles, of all markets but those that are to be omitted: among these must be the
/// ones that have no candles. The float model and the circuit's arithmetic must agree.
pub(crate) fn compute(
    store: &Store,
    bundle: &Bundle,
    model: &Model,
    record: &CycleRecord,
    omitted: OmittedMarkets,
) -> Result<Forecast, StageError> {
    let spec = &bundle.manifest.features;
    let (from_ms, to_ms) = features::window_ms(spec, record.period);
    let mut forecast = Forecast { features: Vec::new(), outputs: Vec::new(), carried_minutes: Vec::new(), omitted };
    let stored = store.candles(record.manifest, record.period)?;
    for (index, (candles, digest)) in stored.iter().zip(&record.candles).enumerate() {
        if omitted.omits(index) {
            forecast.features.push(features::neutral(spec, record.period));
            forecast.carried_minutes.push(0);
            continue;
        }
        let series = CandleSeries::new(candles, from_ms, to_ms, spec.max_missing_minutes)?;
        if series.digest() != *digest {
            return Err(StateError::Corrupt("stored candles do not match their digest".into()).into());
        }
        forecast.features.push(features::vector(spec, &series, record.period)?);
        forecast.carried_minutes.push(series.carried().len());
    }
    let outputs = model.predict(&FeatureVector::concat(&forecast.features))?;
    forecast.outputs = outputs.into_iter().map(|one| one.circuit).collect();
    Ok(forecast)
}

/// What a stage must have left behind.
pub(crate) fn stored<'a, T>(value: Option<&'a T>, what: &str) -> Result<&'a T, StateError> {
    value.ok_or_else(|| StateError::Corrupt(format!("a cycle is without its {what}")))
}
