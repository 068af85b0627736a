//! A model of a table on chain: the bundle's network for one market, be it a country or a strategy.

use alloy::primitives::{Address, B256, Bytes, keccak256};
use alloy::sol_types::SolValue;

use crate::actions::risk_oracle::abi::registry::IModelRegistry::ModelSpec;
use crate::actions::risk_oracle::spec::VERIFIER_GAS;
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::inputs::Inputs;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::manifest::{Manifest, ONNX_FILE};

/// What a bundle says that the registry must say too, of one market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneMarketModel {
    /// keccak-256 of what the outputs mean.
    purpose: B256,
    /// keccak-256 of the market's name.
    pub market: B256,
    manifest: Digest,
    verifying_key: Digest,
    onnx: Digest,
    settings: Digest,
    columns_digest: Digest,
    /// keccak-256 of the verifier's code.
    pub verifier_code_hash: B256,
    /// Length of a period.
    pub period_seconds: u64,
    columns: usize,
    input_scale: u32,
    outputs: u8,
    output_scale: u32,
    bound: u32,
    proof_bytes: usize,
}

impl OneMarketModel {
    /// Of a manifest with this digest, for a market; `None` for one of candles, or that cannot be verified that way.
    pub fn for_market(
        (manifest, digest): (&Manifest, Digest),
        (purpose, market): (&str, &str),
        way: Way,
    ) -> Option<Self> {
        let Inputs::Table(table) = &manifest.inputs else { return None };
        let offer = manifest.offer(way).ok()?;
        Some(Self {
            purpose: keccak256(purpose),
            market: keccak256(market),
            manifest: digest,
            verifying_key: offer.verifying_key_sha256.unwrap_or_default(),
            onnx: manifest.files.get(ONNX_FILE).copied()?,
            settings: offer.settings_sha256.unwrap_or_default(),
            columns_digest: Digest::of(&serde_json::to_vec(table).ok()?),
            verifier_code_hash: offer.verifier_code_hash,
            period_seconds: manifest.grid.period_seconds,
            columns: table.columns.len(),
            input_scale: table.input_scale,
            outputs: u8::try_from(manifest.outputs.len()).ok()?,
            output_scale: manifest.outputs.first()?.scale,
            bound: u32::try_from(table.bound()).ok()?,
            proof_bytes: offer.proof_bytes,
        })
    }

    /// The specification with which the model is proposed.
    pub fn spec(&self, verifier: Address) -> ModelSpec {
        ModelSpec {
            purpose: self.purpose,
            verifier,
            verifierCodeHash: self.verifier_code_hash,
            verifierGas: VERIFIER_GAS,
            manifestSha256: self.manifest.0.into(),
            verifyingKeySha256: self.verifying_key.0.into(),
            onnxSha256: self.onnx.0.into(),
            settingsSha256: self.settings.0.into(),
            featureSpecSha256: self.columns_digest.0.into(),
            periodSeconds: self.period_seconds as u32,
            featureCount: self.columns as u16,
            calendarFeatureCount: 0,
            outputCount: self.outputs,
            inputScale: self.input_scale as u8,
            outputScale: self.output_scale as u8,
            featureBound: self.bound,
            proofLength: self.proof_bytes as u32,
            markets: vec![self.market],
            calendarTable: Bytes::new(),
        }
    }

    /// The id of the model behind that verifier.
    pub fn model_id(&self, verifier: Address) -> B256 {
        keccak256(self.spec(verifier).abi_encode())
    }

    /// What a registered model says otherwise, if anything.
    pub fn difference(&self, spec: &ModelSpec) -> Option<&'static str> {
        let ours = self.spec(spec.verifier);
        let checks = [
            (spec.purpose == ours.purpose, "it forecasts something else"),
            (spec.markets == ours.markets, "it is another country's, or another strategy's"),
            (spec.manifestSha256 == ours.manifestSha256, "its manifest differs"),
            (spec.verifierCodeHash == ours.verifierCodeHash, "its verifier differs"),
            (*spec == ours, "its specification differs"),
        ];
        checks.into_iter().find(|(same, _)| !same).map(|(_, difference)| difference)
    }
}
