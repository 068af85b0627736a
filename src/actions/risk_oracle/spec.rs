//! The model on chain: its specification, as the bundle gives it.

use alloy::primitives::{Address, B256, keccak256};
use alloy::sol_types::SolValue;

use super::abi::IRegimeRiskOracle::ModelSpec;
use veriregime_core::types::digest::Digest;

/// How outputs are read: logit of Low, logit of High, natural logarithm of the volatility. The contract knows no other.
const OUTPUT_DECODING: u8 = 1;

/// What the bundle says that the contract must say too.
#[derive(Debug, Clone)]
pub struct Expected {
    pub markets: Vec<B256>,
    pub manifest: Digest,
    pub verifying_key: Digest,
    pub onnx: Digest,
    pub settings: Digest,
    pub feature_spec: Digest,
    pub verifier_code_hash: B256,
    pub candle_features: usize,
    pub input_scale: u32,
    pub output_scale: u32,
    pub feature_bound: u32,
    pub proof_bytes: usize,
    /// One row for each slot of the week.
    pub calendar_table: Vec<Vec<i32>>,
}

impl Expected {
    /// The specification with which the model is proposed.
    pub fn spec(&self, verifier: Address) -> ModelSpec {
        ModelSpec {
            verifier,
            verifierCodeHash: self.verifier_code_hash,
            manifestSha256: self.manifest.0.into(),
            verifyingKeySha256: self.verifying_key.0.into(),
            onnxSha256: self.onnx.0.into(),
            settingsSha256: self.settings.0.into(),
            featureSpecSha256: self.feature_spec.0.into(),
            outputDecoding: OUTPUT_DECODING,
            candleFeatureCount: self.candle_features as u16,
            calendarFeatureCount: self.calendar_table.first().map_or(0, Vec::len) as u16,
            inputScale: self.input_scale as u8,
            outputScale: self.output_scale as u8,
            featureBound: self.feature_bound,
            proofLength: self.proof_bytes as u32,
            markets: self.markets.clone(),
            calendarTable: self.calendar_table.concat(),
        }
    }

    /// The id of the model behind that verifier: the contract's `keccak256(abi.encode(spec))`.
    pub fn model_id(&self, verifier: Address) -> B256 {
        keccak256(self.spec(verifier).abi_encode())
    }

    /// What a registered model says otherwise, if anything.
    pub fn difference(&self, spec: &ModelSpec) -> Option<&'static str> {
        let ours = self.spec(spec.verifier);
        let checks = [
            (spec.markets == ours.markets, "its markets differ"),
            (spec.manifestSha256 == ours.manifestSha256, "its manifest differs"),
            (spec.verifyingKeySha256 == ours.verifyingKeySha256, "its verifying key differs"),
            (spec.verifierCodeHash == ours.verifierCodeHash, "its verifier differs"),
            (spec.calendarTable == ours.calendarTable, "its calendar features differ"),
            (*spec == ours, "its specification differs"),
        ];
        checks.into_iter().find(|(same, _)| !same).map(|(_, difference)| difference)
    }
}
