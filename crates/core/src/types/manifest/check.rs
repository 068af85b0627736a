//! What a manifest alone can get wrong.

use std::path::{Component, Path};

use super::error::ManifestError;
use super::inputs::{Candles, Column, Inputs, Table};
use super::network::{ModelKind, Trees};
use super::verification::EzklCircuit;
use super::{Manifest, is_model_folder, is_name};
use crate::types::feature::Scaler;
use crate::types::period::Grid;

/// Most files in a bundle.
const MAX_FILES: usize = 64;
/// Most markets, columns, outputs or layers.
const MAX_ENTRIES: usize = 4096;
/// Longest description of a unit.
const MAX_UNIT: usize = 100;
/// Finest integer grid of outputs, as log2.
const MAX_SCALE: u32 = 126;
/// Finest integer grid of a table's columns, as log2, and largest clip: their product stays below 2^31.
const MAX_INPUT_SCALE: u32 = 20;
const MAX_CLIP: f64 = 512.0;
/// Most trees, and the deepest.
const MAX_TREES: usize = 1 << 16;
const MAX_DEPTH: usize = 32;
/// Longest proof, in bytes.
const MAX_PROOF_BYTES: usize = 1 << 20;

impl Manifest {
    /// Refuses a manifest that contradicts itself.
    ///
    /// # Errors
    /// [`ManifestError::Invalid`].
    pub fn check(&self) -> Result<(), ManifestError> {
        self.contradiction().map_or(Ok(()), |reason| Err(ManifestError::Invalid(reason)))
    }

    fn contradiction(&self) -> Option<String> {
        let parts = [self.in_names(), self.in_inputs(), self.in_model(), self.in_outputs(), self.in_files()];
        parts.into_iter().flatten().next().or_else(|| self.in_verification())
    }

    fn in_names(&self) -> Option<String> {
        if self.schema != super::SCHEMA {
            return Some(format!("schema {} instead of {}", self.schema, super::SCHEMA));
        }
        if !is_model_folder(&self.model_id) {
            return Some(format!("model_id {:?} cannot be a folder", self.model_id));
        }
        let Grid { period_seconds, horizon_seconds, offset_seconds } = self.grid;
        let longest = u64::from(u32::MAX);
        let is_sane = (1..=longest).contains(&period_seconds) && (1..=longest).contains(&horizon_seconds);
        (!is_sane || offset_seconds >= period_seconds).then(|| {
            format!("a grid of {period_seconds} s from {offset_seconds} s on, {horizon_seconds} s ahead, is none")
        })
    }

    fn in_inputs(&self) -> Option<String> {
        if !(1..=MAX_ENTRIES).contains(&self.rows()) || !(1..=MAX_ENTRIES).contains(&self.columns()) {
            return Some(format!("{} rows of {} inputs are none, or too many", self.rows(), self.columns()));
        }
        match &self.inputs {
            Inputs::Candles(candles) => {
                let wrong = candles.markets.iter().find(|market| !is_name(&market.name));
                let wrong = wrong.map(|market| format!("market {:?} is no name", market.name));
                wrong.or_else(|| self.in_markets(candles))
            }
            Inputs::Table(table) => in_table(table),
        }
    }

    /// What is each market's own.
    fn in_markets(&self, candles: &Candles) -> Option<String> {
        let (markets, count) = (candles.markets.len(), candles.features.candle.len());
        if let Some(name) = repeated(candles.markets.iter().map(|market| market.name.as_str())) {
            return Some(format!("two markets are {name}"));
        }
        let further = &candles.further_scalers;
        if !(further.is_empty() || further.len() + 1 == markets && further.iter().all(|own| own.len() == count)) {
            return Some(format!(
                "further_scalers are not {count} for each of the {} markets after the first",
                markets.saturating_sub(1)
            ));
        }
        let is_scaler =
            |own: &Scaler| own.mean.is_finite() && own.standard_deviation.is_finite() && own.standard_deviation > 0.0;
        if let Some(market) = further.iter().position(|own| !own.iter().all(is_scaler)) {
            return Some(format!("market {} has no usable means and standard deviations", market + 1));
        }
        let thresholds = &self.regime.as_ref()?.threshold;
        if thresholds.each(markets).is_none() {
            return Some(format!("there are {} thresholds for {markets} markets", thresholds.values().len()));
        }
        let wrong = thresholds.values().iter().find(|threshold| !(**threshold > 0.0 && **threshold < 1.0))?;
        Some(format!("a threshold is {wrong}, not above 0 and below 1"))
    }

    fn in_model(&self) -> Option<String> {
        match &self.model {
            ModelKind::Layers(layers) => (layers.layers.len() > MAX_ENTRIES).then(|| "too many layers".into()),
            ModelKind::Trees(Trees { trees, depth, .. }) => {
                let is_sane = (1..=MAX_TREES).contains(trees) && (1..=MAX_DEPTH).contains(depth);
                (!is_sane).then(|| format!("{trees} trees of depth {depth} are none, or too many"))
            }
        }
    }

    fn in_outputs(&self) -> Option<String> {
        if !(1..=MAX_ENTRIES).contains(&self.outputs.len()) {
            return Some(format!("{} outputs are none, or too many", self.outputs.len()));
        }
        let wrong = self
            .outputs
            .iter()
            .find(|output| !is_name(&output.name) || !is_unit(&output.unit) || output.scale > MAX_SCALE);
        if let Some(output) = wrong {
            return Some(format!("output {:?} has no proper name, unit or scale", output.name));
        }
        repeated(self.outputs.iter().map(|output| output.name.as_str())).map(|name| format!("two outputs are {name}"))
    }

    fn in_files(&self) -> Option<String> {
        if self.files.len() > MAX_FILES {
            return Some(format!("more than {MAX_FILES} files"));
        }
        if let Some(name) = self.files.keys().find(|name| !is_plain(name)) {
            return Some(format!("file name {name:?} leads out of the bundle"));
        }
        let absent = self.required_files().into_iter().find(|name| !self.files.contains_key(*name));
        absent.map(|name| format!("no digest of {name}"))
    }

    fn in_verification(&self) -> Option<String> {
        if let Some(circuit) = &self.verification.ezkl
            && !EzklCircuit::FILES.iter().all(|file| circuit.files.iter().any(|own| own == file))
        {
            return Some(format!("the circuit's files are {}", circuit.files.join(", ")));
        }
        let instances = self.instances();
        let mut offers = self.offers();
        let wrong = offers.find(|offer| offer.instances != instances || offer.proof_bytes > MAX_PROOF_BYTES)?;
        let (way, found, bytes) = (wrong.way, wrong.instances, wrong.proof_bytes);
        Some(format!(
            "{way} has {found} public inputs and proofs of {bytes} bytes: inputs and outputs make {instances}, \
             and a proof has {MAX_PROOF_BYTES} bytes at most"
        ))
    }
}

fn in_table(table: &Table) -> Option<String> {
    if table.input_scale > MAX_INPUT_SCALE {
        return Some(format!("input_scale {} is above {MAX_INPUT_SCALE}", table.input_scale));
    }
    let is_wrong = |column: &&Column| {
        let Column { name, unit, mean, standard_deviation, clip } = column;
        let has_scaler = mean.is_finite() && standard_deviation.is_finite() && *standard_deviation > 0.0;
        let has_clip = *clip > 0.0 && *clip <= MAX_CLIP;
        !(is_name(name) && is_unit(unit) && has_scaler && has_clip)
    };
    if let Some(column) = table.columns.iter().find(is_wrong) {
        return Some(format!("column {:?} has no proper name, unit, scaler or clip", column.name));
    }
    repeated(table.columns.iter().map(|column| column.name.as_str())).map(|name| format!("two columns are {name}"))
}

/// Whether a unit can be printed.
fn is_unit(unit: &str) -> bool {
    unit.len() <= MAX_UNIT && !unit.chars().any(char::is_control)
}

/// The first name that comes twice.
fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut known = std::collections::BTreeSet::new();
    let mut names = names;
    names.find(|name| !known.insert(*name))
}

/// Whether `name` is one ordinary path component.
fn is_plain(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!((components.next(), components.next()), (Some(Component::Normal(_)), None))
}
