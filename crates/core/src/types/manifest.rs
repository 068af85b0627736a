//! `manifest.json`: what a model bundle is, and the digest of every other file in it.

use std::collections::BTreeMap;

use alloy::primitives::{B256, keccak256};
use serde::{Deserialize, Serialize};

use super::baselines::Baselines;
use super::digest::Digest;
use super::feature::FeatureSpec;
use super::omission::OmittedMarkets;
use super::reference::FeatureReference;
use super::venue::Venue;

/// Name of the manifest inside a bundle.
pub const MANIFEST_FILE: &str = "manifest.json";
/// The network, float weights rounded to the circuit's grid.
pub const ONNX_FILE: &str = "model.onnx";
/// EZKL's circuit settings.
pub const SETTINGS_FILE: &str = "settings.json";
/// EZKL's compiled circuit.
pub const CIRCUIT_FILE: &str = "model.compiled";
/// Verifying key.
pub const VERIFYING_KEY_FILE: &str = "vk.key";
/// Proving key.
pub const PROVING_KEY_FILE: &str = "pk.key";
/// Generated Solidity verifier.
pub const VERIFIER_FILE: &str = "Verifier.sol";
/// Creation bytecode of the compiled verifier, `0x`-hex.
pub const VERIFIER_BYTECODE_FILE: &str = "verifier.bytecode";

/// The exchange whose candles models are trained on, and whose symbols manifests name.
pub const TRAINED_ON: Venue = Venue::Binance;

/// Beside the bundles: the id of the current one.
pub const CURRENT_FILE: &str = "current";
/// Longest name of a bundle's folder.
const MAX_FOLDER_NAME: usize = 100;
/// Longest name of a market.
const MAX_MARKET_NAME: usize = 60;

/// Whether `name` can be the folder of a bundle, by which it is promoted: letters, digits, dashes, dots and underscores,
/// not beginning with a dot.
pub fn is_model_folder(name: &str) -> bool {
    (1..=MAX_FOLDER_NAME).contains(&name.len())
        && name != CURRENT_FILE
        && !name.starts_with('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// Whether `name` can be a market: printable, without white space, and short.
pub fn is_market(name: &str) -> bool {
    (1..=MAX_MARKET_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A model bundle's manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this file format.
    pub schema: u32,
    /// Name of the model, also of its folder.
    pub model_id: String,
    /// Markets in the order of the proof's rows.
    pub markets: Vec<Market>,
    /// Inputs.
    pub features: FeatureSpec,
    /// What was forecast.
    pub label: Label,
    /// The proven computation.
    pub circuit: Circuit,
    /// Digest of every other file of the bundle.
    pub files: BTreeMap<String, Digest>,
    /// Where the model comes from.
    pub training: Training,
}

impl Manifest {
    /// The names of these markets.
    pub fn names_of(&self, omitted: OmittedMarkets) -> Vec<String> {
        omitted.indices().filter_map(|index| Some(self.markets.get(index)?.name.clone())).collect()
    }
}

/// A market of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// Name, e.g. `BTC-USD`; its keccak-256 is the id on chain.
    pub name: String,
    /// Symbol at [`TRAINED_ON`], e.g. `BTCUSDT`.
    pub symbol: String,
}

impl Market {
    /// The market's id on chain.
    pub fn id(&self) -> B256 {
        keccak256(self.name.as_bytes())
    }
}

/// The label: High when the standard deviation of the next `horizon_minutes` one-minute returns exceeds `threshold`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// Length of the forecast window in minutes.
    pub horizon_minutes: usize,
    /// Standard deviation of one-minute returns above which a window is High.
    pub threshold: f64,
}

/// The circuit, as far as others must know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Circuit {
    /// Version of EZKL that made and proves it.
    pub ezkl_version: String,
    /// log2 of the weights' grid.
    pub param_scale: u32,
    /// log2 of the outputs' grid, read from the settings.
    pub output_scale: u32,
    /// log2 of the rows of the proving system's domain.
    pub logrows: u32,
    /// Rows in use.
    pub rows: usize,
    /// Public inputs: features and outputs of all markets.
    pub instances: usize,
    /// Exact length of a proof in bytes.
    pub proof_bytes: usize,
    /// Digest of the SRS that the keys were made from.
    pub srs_sha256: Digest,
    /// Whether that string is the public ceremony's. Keys from another one are for development chains only.
    pub srs_is_ceremony: bool,
    /// Arguments that were given to EZKL.
    pub run_args: BTreeMap<String, serde_json::Value>,
    /// keccak-256 of the verifier's deployed code.
    pub verifier_code_hash: B256,
}

/// How the model was trained and what was measured on its test split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Settings and data ranges of the run.
    pub provenance: serde_json::Value,
    /// What the model is compared with, fitted on the same training part.
    pub baselines: Baselines,
    /// What each feature looked like in the training part; absent in bundles that were made before it was kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<FeatureReference>,
    /// What `evaluate` printed for the test split.
    pub metrics: serde_json::Value,
}

/// Rounded to nine decimals: few enough digits for every JSON reader to give back the same bits.
pub fn frozen(value: f64) -> f64 {
    libm::round(value * 1e9) / 1e9
}
