//! The model on chain: its specification, as the bundle gives it.

use alloy::primitives::{Address, B256, keccak256};
use alloy::sol_types::SolValue;

use super::abi::registry::IModelRegistry::ModelSpec;
use super::packed::pack_features;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::period::Grid;

/// What the outputs mean: logit of Low, logit of High, natural logarithm of the volatility. `RiskOracle` takes no other.
pub(crate) const PURPOSE: &str = "volatility-regime/1";
/// Outputs of each market.
const OUTPUT_COUNT: u8 = 3;
/// Most gas that a verifier gets. What EZKL generates for one market takes a third of it, for eight markets a half.
pub(crate) const VERIFIER_GAS: u32 = 1_200_000;

/// What the bundle says that the contract must say too.
#[derive(Debug, Clone)]
pub struct Expected {
    pub markets: Vec<B256>,
    /// The way of verification, of which the verifier is one.
    pub way: Way,
    pub manifest: Digest,
    /// Zero for a way without keys.
    pub verifying_key: Digest,
    pub onnx: Digest,
    /// Zero for a circuit without settings.
    pub settings: Digest,
    pub feature_spec: Digest,
    pub verifier_code_hash: B256,
    pub candle_features: usize,
    pub input_scale: u32,
    pub output_scale: u32,
    pub feature_bound: u32,
    pub proof_bytes: usize,
    /// When its periods are.
    pub grid: Grid,
    /// One row for each slot of the week.
    pub calendar_table: Vec<Vec<i32>>,
}

impl Expected {
    /// The specification with which the model is proposed.
    pub fn spec(&self, verifier: Address) -> ModelSpec {
        ModelSpec {
            purpose: keccak256(PURPOSE),
            verifier,
            verifierCodeHash: self.verifier_code_hash,
            verifierGas: VERIFIER_GAS,
            manifestSha256: self.manifest.0.into(),
            verifyingKeySha256: self.verifying_key.0.into(),
            onnxSha256: self.onnx.0.into(),
            settingsSha256: self.settings.0.into(),
            featureSpecSha256: self.feature_spec.0.into(),
            periodSeconds: self.grid.period_seconds as u32,
            featureCount: self.candle_features as u16,
            calendarFeatureCount: self.calendar_table.first().map_or(0, Vec::len) as u16,
            outputCount: OUTPUT_COUNT,
            inputScale: self.input_scale as u8,
            outputScale: self.output_scale as u8,
            featureBound: self.feature_bound,
            proofLength: self.proof_bytes as u32,
            markets: self.markets.clone(),
            calendarTable: pack_features(&self.calendar_table.concat()),
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
            (spec.periodSeconds == ours.periodSeconds, "its periods have another length"),
            (*spec == ours, "its specification differs"),
        ];
        checks.into_iter().find(|(same, _)| !same).map(|(_, difference)| difference)
    }
}
