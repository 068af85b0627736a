//! The proof that activates a model on chain.

use alloy::primitives::{B256, Bytes, U256};

use super::assemble;
use crate::actions::risk_oracle::abi::registry::IModelRegistry::Update as Smoke;
use crate::actions::risk_oracle::packed::{pack_features, pack_outputs};
use crate::bundle::Bundle;
use crate::config::Config;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::public_inputs;

/// A real proof of what the model says when every candle feature is at its mean. Any period will do.
///
/// # Errors
/// A model or prover that is not usable.
pub async fn smoke_proof(config: &Config, bundle: &Bundle) -> anyhow::Result<Smoke> {
    let (model, period) = (assemble::model(bundle)?, PeriodId(0));
    let forecast = model.compute(&vec![None; model.candles.markets.len()], period)?;
    let outputs = forecast.output_integers();
    let mut prover = assemble::prover(config, bundle).await?;
    let proved = prover.prove(&forecast.inputs(), &outputs).await?;
    prover.stop().await;
    Ok(Smoke {
        modelId: B256::ZERO, // whoever sends it fills it in
        period: period.0,
        omittedMarkets: U256::ZERO,
        features: pack_features(&public_inputs::candle_features(&forecast.features)),
        outputs: pack_outputs(&outputs),
        proof: proved.proof.bytes,
        attestations: Bytes::new(),
    })
}
