//! The proof that activates a model on chain.

use super::assemble;
use crate::actions::risk_oracle::abi::IRegimeRiskOracle::SmokeProof;
use crate::bundle::Bundle;
use crate::config::Config;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::public_inputs;

/// A real proof of what the model says when every candle feature is at its mean. Any period will do.
///
/// # Errors
/// A model or prover that is not usable.
pub async fn smoke_proof(config: &Config, bundle: &Bundle) -> anyhow::Result<SmokeProof> {
    let (model, period) = (assemble::model(bundle)?, PeriodId(0));
    let forecast = model.compute(&vec![None; model.candles.markets.len()], period)?;
    let outputs = forecast.output_integers();
    let mut prover = assemble::prover(config, bundle).await?;
    let proved = prover.prove(&forecast.inputs(), &outputs).await?;
    prover.stop().await;
    Ok(SmokeProof {
        period: period.0,
        candleFeatures: public_inputs::candle_features(&forecast.features),
        outputs,
        proof: proved.proof.bytes,
    })
}
