//! Manifests from before inputs, models and verification had kinds: read to be converted, never written.

use std::collections::BTreeMap;

use alloy::primitives::B256;
use serde::{Deserialize, Serialize};

use super::error::ManifestError;
use super::inputs::{Candles, Inputs, Market};
use super::network::{Layer, Layers, ModelKind};
use super::regime::{Label, RegimeLabel, outputs};
use super::verification::{EzklCircuit, Verification};
use super::{Manifest, SCHEMA, Training};
use crate::types::baselines::Baselines;
use crate::types::digest::Digest;
use crate::types::feature::FeatureSpec;
use crate::types::period::Grid;
use crate::types::reference::FeatureReference;

/// A manifest of schema 1: always a regime model of candles with an EZKL circuit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest1 {
    schema: u32,
    model_id: String,
    markets: Vec<Market>,
    features: FeatureSpec,
    label: Label,
    circuit: Circuit,
    files: BTreeMap<String, Digest>,
    training: Training1,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Circuit {
    ezkl_version: String,
    param_scale: u32,
    output_scale: u32,
    logrows: u32,
    rows: usize,
    instances: usize,
    proof_bytes: usize,
    srs_sha256: Digest,
    srs_is_ceremony: bool,
    run_args: BTreeMap<String, serde_json::Value>,
    verifier_code_hash: B256,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Training1 {
    provenance: serde_json::Value,
    baselines: Baselines,
    #[serde(default)]
    reference: Vec<FeatureReference>,
    metrics: serde_json::Value,
}

impl Manifest1 {
    /// Reads one; whether it makes sense is seen when it is converted.
    ///
    /// # Errors
    /// [`ManifestError::Invalid`].
    pub fn parse(json: &[u8]) -> Result<Self, ManifestError> {
        let manifest: Self = serde_json::from_slice(json).map_err(ManifestError::invalid)?;
        if manifest.schema != 1 {
            return Err(ManifestError::invalid(format!("schema {} instead of 1", manifest.schema)));
        }
        Ok(manifest)
    }

    /// Rows and columns of the network's input.
    pub fn input_shape(&self) -> [usize; 2] {
        [self.markets.len(), self.features.count()]
    }

    /// The same model as a manifest of today, with the layers of its network.
    ///
    /// # Errors
    /// [`ManifestError::Invalid`] for one that contradicts itself.
    pub fn upgrade(self, layers: Vec<Layer>) -> Result<Manifest, ManifestError> {
        let Self { model_id, markets, features, label, circuit, files, training, .. } = self;
        let manifest = Manifest {
            schema: SCHEMA,
            model_id,
            inputs: Inputs::Candles(Candles { markets, features, further_scalers: Vec::new() }),
            model: ModelKind::Layers(Layers { param_scale: circuit.param_scale, layers }),
            outputs: outputs(circuit.output_scale),
            grid: label.grid(Grid::FOUR_HOURS.period_seconds),
            regime: Some(RegimeLabel { threshold: label.threshold.into() }),
            verification: Verification {
                ezkl: Some(EzklCircuit {
                    version: circuit.ezkl_version,
                    run_args: circuit.run_args,
                    logrows: circuit.logrows,
                    rows: circuit.rows,
                    instances: circuit.instances,
                    proof_bytes: circuit.proof_bytes,
                    srs_sha256: circuit.srs_sha256,
                    srs_is_ceremony: circuit.srs_is_ceremony,
                    verifier_code_hash: circuit.verifier_code_hash,
                    verify_gas: None,
                    files: EzklCircuit::own_files(),
                }),
                ..Verification::default()
            },
            files,
            training: Training {
                provenance: training.provenance,
                baselines: Some(training.baselines.into()),
                reference: training.reference,
                metrics: training.metrics,
            },
        };
        manifest.check()?;
        Ok(manifest)
    }
}
