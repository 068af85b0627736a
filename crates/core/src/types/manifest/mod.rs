//! `manifest.json`: what a model bundle is, and the digest of every other file in it.
//!
//! What kind of inputs, of model and of verification a bundle has is a tag. A reader asks for the kind that it understands,
//! by [`Manifest::regime`] or [`Manifest::ezkl`]; any other is refused with a code.

pub mod card;
mod check;
pub mod error;
pub mod inputs;
pub mod network;
pub mod of_markets;
pub mod regime;
pub mod schema_1;
pub mod verification;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::baselines::Baselines;
use super::digest::Digest;
use super::feature::FeatureSpec;
use super::omission::OmittedMarkets;
use super::period::Grid;
use super::reference::FeatureReference;
use super::venue::Venue;
use error::ManifestError;
use inputs::{Candles, Inputs, Market};
use network::ModelKind;
use of_markets::OfMarkets;
use regime::RegimeLabel;
use schema_1::Manifest1;
use verification::{EzklCircuit, Offer, Verification, Way};

/// Version of the format described here.
pub const SCHEMA: u32 = 2;
/// Name of the manifest inside a bundle.
pub const MANIFEST_FILE: &str = "manifest.json";
/// The manifest of schema 1 that a bundle's present one was converted from: what was published under it names its digest.
pub const MANIFEST_1_FILE: &str = "manifest.1.json";
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
/// Solidity verifier of this project's own circuit.
pub const HALO2_VERIFIER_FILE: &str = "Halo2Verifier.sol";
/// Its creation bytecode, `0x`-hex.
pub const HALO2_BYTECODE_FILE: &str = "halo2-verifier.bytecode";
/// Contract that computes the network.
pub const DIRECT_VERIFIER_FILE: &str = "DirectVerifier.sol";
/// Its creation bytecode, `0x`-hex.
pub const DIRECT_BYTECODE_FILE: &str = "direct-verifier.bytecode";

/// The exchange whose candles models are trained on, and whose symbols manifests name.
pub const TRAINED_ON: Venue = Venue::Binance;

/// Beside the bundles: the id of the current one.
pub const CURRENT_FILE: &str = "current";
/// Longest name of a bundle's folder.
const MAX_FOLDER_NAME: usize = 100;
/// Longest name of a market, a column or an output.
const MAX_NAME: usize = 60;

/// Whether `name` can be the folder of a bundle, by which it is promoted: letters, digits, dashes, dots and underscores,
/// not beginning with a dot.
pub fn is_model_folder(name: &str) -> bool {
    (1..=MAX_FOLDER_NAME).contains(&name.len())
        && name != CURRENT_FILE
        && !name.starts_with('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// Whether `name` can be a market, a column or an output: printable, without white space, and short.
pub fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A model bundle's manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Name of the model, also of its folder.
    pub model_id: String,
    /// What it is fed.
    pub inputs: Inputs,
    /// How it computes.
    pub model: ModelKind,
    /// What it says, in the order of a row.
    pub outputs: Vec<Output>,
    /// When it forecasts, and how far ahead.
    pub grid: Grid,
    /// How a regime model's outputs are read; absent for other models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regime: Option<RegimeLabel>,
    /// How a chain can be convinced that it was run.
    pub verification: Verification,
    /// Digest of every other file of the bundle.
    pub files: BTreeMap<String, Digest>,
    /// Where the model comes from.
    pub training: Training,
}

/// One number that a model says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its unit in words.
    pub unit: String,
    /// log2 of its integer grid.
    pub scale: u32,
    /// Whether there is one for each market, or one for all.
    pub per_market: bool,
}

/// How the model was trained and what was measured on its test split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Settings and data ranges of the run.
    pub provenance: serde_json::Value,
    /// What a regime model is compared with, fitted on the same training part; absent for other models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baselines: Option<OfMarkets<Baselines>>,
    /// What each feature looked like in the training part; absent in bundles that were made before it was kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<FeatureReference>,
    /// What `evaluate` printed for the test split.
    pub metrics: serde_json::Value,
}

/// As much of a manifest as tells how to read the rest.
#[derive(Deserialize)]
struct Head {
    schema: u32,
}

impl Manifest {
    /// A manifest that does not contradict itself.
    ///
    /// # Errors
    /// [`ManifestError::OldSchema`] for one of schema 1, [`ManifestError::Invalid`] for what is none.
    pub fn parse(json: &[u8]) -> Result<Self, ManifestError> {
        match schema(json)? {
            1 => Err(ManifestError::OldSchema),
            SCHEMA => {
                let manifest: Self = serde_json::from_slice(json).map_err(ManifestError::invalid)?;
                manifest.check()?;
                Ok(manifest)
            }
            other => Err(ManifestError::invalid(format!("schema {other} instead of {SCHEMA}"))),
        }
    }

    /// As [`Manifest::parse`], and one of schema 1 is converted: for what was kept from then. Without its network nobody knows
    /// the layers of a converted one.
    ///
    /// # Errors
    /// [`ManifestError::Invalid`].
    pub fn parse_kept(json: &[u8]) -> Result<Self, ManifestError> {
        match schema(json)? {
            1 => Manifest1::parse(json)?.upgrade(Vec::new()),
            _ => Self::parse(json),
        }
    }

    /// Markets and features of a model of candles.
    ///
    /// # Errors
    /// [`ManifestError::NotRegime`] for other inputs.
    pub fn candles(&self) -> Result<&Candles, ManifestError> {
        match &self.inputs {
            Inputs::Candles(candles) => Ok(candles),
            other @ Inputs::Table(_) => {
                Err(ManifestError::not_regime(format!("its inputs are {}, not candles", other.kind())))
            }
        }
    }

    /// Features of a model of candles, with the statistics of its first market: [`Candles::features_of`] has those of the others.
    ///
    /// # Errors
    /// As [`Manifest::candles`].
    pub fn features(&self) -> Result<&FeatureSpec, ManifestError> {
        Ok(&self.candles()?.features)
    }

    /// Markets of a model of candles.
    ///
    /// # Errors
    /// As [`Manifest::candles`].
    pub fn markets(&self) -> Result<&[Market], ManifestError> {
        Ok(&self.candles()?.markets)
    }

    /// The names of these markets.
    pub fn names_of(&self, omitted: OmittedMarkets) -> Vec<String> {
        let name = |index: usize| Some(self.markets().ok()?.get(index)?.name.clone());
        omitted.indices().filter_map(name).collect()
    }

    /// Its EZKL circuit.
    ///
    /// # Errors
    /// [`ManifestError::NoVerification`] where the bundle offers none.
    pub fn ezkl(&self) -> Result<&EzklCircuit, ManifestError> {
        self.verification.ezkl.as_ref().ok_or(ManifestError::NoVerification { way: Way::Ezkl })
    }

    /// What the bundle offers for a way of verification.
    ///
    /// # Errors
    /// [`ManifestError::NoVerification`] where it offers nothing.
    pub fn offer(&self, way: Way) -> Result<Offer, ManifestError> {
        self.verification.offer(way, &self.files).ok_or(ManifestError::NoVerification { way })
    }

    /// What it offers, in the order of [`Way::ALL`].
    pub fn offers(&self) -> impl Iterator<Item = Offer> {
        Way::ALL.into_iter().filter_map(|way| self.verification.offer(way, &self.files))
    }

    /// Rows of the network's input: markets, or one.
    pub fn rows(&self) -> usize {
        match &self.inputs {
            Inputs::Candles(candles) => candles.markets.len(),
            Inputs::Table(_) => 1,
        }
    }

    /// Columns of the network's input.
    pub fn columns(&self) -> usize {
        match &self.inputs {
            Inputs::Candles(candles) => candles.features.count(),
            Inputs::Table(table) => table.columns.len(),
        }
    }

    /// log2 of the inputs' grid.
    pub fn input_scale(&self) -> u32 {
        match &self.inputs {
            Inputs::Candles(candles) => candles.features.input_scale,
            Inputs::Table(table) => table.input_scale,
        }
    }

    /// Public inputs of a proof: all inputs and all outputs.
    pub fn instances(&self) -> usize {
        let outputs = self.outputs.iter().map(|output| if output.per_market { self.rows() } else { 1 });
        self.rows() * self.columns() + outputs.sum::<usize>()
    }

    /// Names of the files that the bundle cannot go without.
    pub fn required_files(&self) -> Vec<&str> {
        let model = match &self.model {
            ModelKind::Layers(_) => ONNX_FILE,
            ModelKind::Trees(trees) => &trees.file,
        };
        [model].into_iter().chain(self.verification.files()).collect()
    }
}

fn schema(json: &[u8]) -> Result<u32, ManifestError> {
    Ok(serde_json::from_slice::<Head>(json).map_err(ManifestError::invalid)?.schema)
}

/// Rounded to nine decimals: few enough digits for every JSON reader to give back the same bits.
pub fn frozen(value: f64) -> f64 {
    libm::round(value * 1e9) / 1e9
}

#[cfg(test)]
mod tests;
