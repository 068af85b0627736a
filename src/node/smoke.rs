//! The proof that activates a model on chain.

use alloy::primitives::{B256, Bytes, U256};

use super::assemble;
use crate::actions::risk_oracle::abi::registry::IModelRegistry::Update as Smoke;
use crate::actions::risk_oracle::packed::{pack_features, pack_outputs};
use crate::bundle::Bundle;
use crate::config::Config;
use veriregime_core::types::manifest::inputs::Inputs;
use veriregime_core::types::period::PeriodId;
use veriregime_core::types::proof::Proof;
use veriregime_core::types::public_inputs;

/// A real proof of what the model says when every feature that comes from data is at its mean. Any period will do.
///
/// # Errors
/// A model or prover that is not usable.
pub async fn smoke_proof(config: &Config, bundle: &Bundle) -> anyhow::Result<Smoke> {
    if let Inputs::Table(table) = &bundle.manifest.inputs {
        return of_a_table(config, bundle, table.columns.len()).await;
    }
    let (model, period) = (assemble::model(bundle)?, PeriodId(0));
    let forecast = model.compute(&vec![None; model.candles.markets.len()], period)?;
    let outputs = forecast.output_integers();
    let mut prover = assemble::prover(config, bundle).await?;
    let proved = prover.prove(&forecast.inputs(), &outputs).await?;
    prover.stop().await;
    Ok(smoke(&public_inputs::candle_features(&forecast.features), &outputs, proved.proof))
}

/// The same of a model of a table, whose columns are at their means.
async fn of_a_table(config: &Config, bundle: &Bundle, columns: usize) -> anyhow::Result<Smoke> {
    let inputs = vec![0; columns];
    let outputs = bundle.table_model()?.evaluate(&inputs)?;
    let mut prover = assemble::prover(config, bundle).await?;
    let proved = prover.prove(&inputs, &outputs).await?;
    prover.stop().await;
    Ok(smoke(&inputs, &outputs, proved.proof))
}

fn smoke(features: &[i32], outputs: &[i128], proof: Proof) -> Smoke {
    Smoke {
        modelId: B256::ZERO, // whoever sends it fills it in
        period: 0,
        omittedMarkets: U256::ZERO,
        features: pack_features(features),
        outputs: pack_outputs(outputs),
        proof: proof.bytes,
        attestations: Bytes::new(),
    }
}
