//! An electricity model on chain: the bundle's network for one country.

use alloy::primitives::{Address, B256, Bytes, keccak256};
use alloy::sol_types::SolValue;

use crate::actions::risk_oracle::abi::registry::IModelRegistry::ModelSpec;
use crate::actions::risk_oracle::spec::VERIFIER_GAS;
use veriregime_core::hedge::forecast::{OUTPUTS, is_electricity};
use veriregime_core::types::digest::Digest;
use veriregime_core::types::manifest::inputs::Inputs;
use veriregime_core::types::manifest::verification::Way;
use veriregime_core::types::manifest::{Manifest, ONNX_FILE};

/// What the outputs mean: logarithms of ratios for 2, 3, 4 and 5 months, then their half-widths. `HedgeVault` takes no other.
pub const PURPOSE: &str = "electricity-price/1";

/// What an electricity bundle says that the registry must say too, of one country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountryModel {
    /// keccak-256 of the country's ISO 3166 code.
    country: B256,
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
    output_scale: u32,
    bound: u32,
    proof_bytes: usize,
}

impl CountryModel {
    /// Of a manifest with this digest; `None` for one that is no electricity model's, or cannot be verified that way.
    pub fn of(manifest: &Manifest, digest: Digest, country: &str, way: Way) -> Option<Self> {
        let Inputs::Table(table) = &manifest.inputs else { return None };
        let offer = manifest.offer(way).ok().filter(|_| is_electricity(manifest, table))?;
        Some(Self {
            country: keccak256(country),
            manifest: digest,
            verifying_key: offer.verifying_key_sha256.unwrap_or_default(),
            onnx: manifest.files.get(ONNX_FILE).copied()?,
            settings: offer.settings_sha256.unwrap_or_default(),
            columns_digest: Digest::of(&serde_json::to_vec(table).ok()?),
            verifier_code_hash: offer.verifier_code_hash,
            period_seconds: manifest.grid.period_seconds,
            columns: table.columns.len(),
            input_scale: table.input_scale,
            output_scale: manifest.outputs.first()?.scale,
            bound: u32::try_from(table.bound()).ok()?,
            proof_bytes: offer.proof_bytes,
        })
    }

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
            featureSpecSha256: self.columns_digest.0.into(),
            periodSeconds: self.period_seconds as u32,
            featureCount: self.columns as u16,
            calendarFeatureCount: 0,
            outputCount: OUTPUTS as u8,
            inputScale: self.input_scale as u8,
            outputScale: self.output_scale as u8,
            featureBound: self.bound,
            proofLength: self.proof_bytes as u32,
            markets: vec![self.country],
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
            (spec.markets == ours.markets, "it is another country's"),
            (spec.manifestSha256 == ours.manifestSha256, "its manifest differs"),
            (spec.verifierCodeHash == ours.verifierCodeHash, "its verifier differs"),
            (*spec == ours, "its specification differs"),
        ];
        checks.into_iter().find(|(same, _)| !same).map(|(_, difference)| difference)
    }
}
