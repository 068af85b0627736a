//! Yield models: one bundle for all kinds of strategies, or a folder with one for each.

use std::collections::BTreeMap;
use std::path::Path;

use super::Bundle;
use super::error::BundleError;
use veriregime_core::model::table::{TableForecast, TableModel};
use veriregime_core::types::manifest::MANIFEST_FILE;
use veriregime_core::types::manifest::inputs::Table;
use veriregime_core::yields::Kind;
use veriregime_core::yields::features::Row;
use veriregime_core::yields::forecast::{Said, is_yield, kinds, numbers};

/// A yield model, ready to be asked.
#[derive(Debug)]
pub struct YieldModel {
    /// Its bundle.
    pub bundle: Bundle,
    /// Kinds of strategies that it is for.
    pub kinds: Vec<Kind>,
    table: Table,
    model: TableModel,
    scale: u32,
}

/// Yield models of a folder.
#[derive(Debug, Default)]
pub struct YieldModels(Vec<YieldModel>);

impl YieldModel {
    /// Opens a bundle.
    ///
    /// # Errors
    /// [`BundleError::Manifest`] for a model of something else.
    pub fn open(folder: &Path) -> Result<Self, BundleError> {
        let bundle = Bundle::open(folder)?;
        let table = bundle.table()?.clone();
        let kinds = kinds(&bundle.manifest);
        if !is_yield(&bundle.manifest, &table) || kinds.is_empty() {
            return Err(bundle.refused("its columns, outputs, grid or kinds are not those of a yield model".into()));
        }
        let scale = bundle.manifest.outputs.first().map_or(0, |output| output.scale);
        Ok(Self { model: bundle.table_model()?, bundle, kinds, table, scale })
    }

    /// What it says of a row, with the integers that a circuit would see.
    ///
    /// # Errors
    /// [`BundleError`] for a row that is none.
    pub fn say(&self, row: &Row) -> Result<(Said, TableForecast), BundleError> {
        let refused = |reason: &str| self.bundle.refused(reason.to_owned());
        let numbers = numbers(row, &self.table).ok_or_else(|| refused("its columns are not those of a yield model"))?;
        let answer = self.model.forecast(&self.table, &numbers)?;
        let said =
            Said::read(&answer.outputs, self.scale).ok_or_else(|| refused("it has another number of outputs"))?;
        Ok((said, answer))
    }

    /// Strategies that it was fitted on, where it tells.
    pub fn seen(&self) -> Vec<&str> {
        let pools = self.bundle.manifest.training.provenance.get("pools").and_then(serde_json::Value::as_array);
        pools.into_iter().flatten().filter_map(serde_json::Value::as_str).collect()
    }
}

impl YieldModels {
    /// The bundle in a folder, or those in its folders `lp`, `lending` and `delta`.
    ///
    /// # Errors
    /// As [`YieldModel::open`]; [`BundleError::Missing`] where there is none.
    pub fn open(folder: &Path) -> Result<Self, BundleError> {
        let has = |folder: &Path| folder.join(MANIFEST_FILE).is_file();
        let own = Kind::ALL.map(|kind| folder.join(kind.name()));
        let found: Vec<_> = own.iter().filter(|folder| has(folder)).collect();
        if has(folder) || found.is_empty() {
            return Ok(Self(vec![YieldModel::open(folder)?]));
        }
        Ok(Self(found.into_iter().map(|folder| YieldModel::open(folder)).collect::<Result<_, _>>()?))
    }

    /// The model for a kind.
    pub fn of(&self, kind: Kind) -> Option<&YieldModel> {
        self.0.iter().find(|model| model.kinds.contains(&kind))
    }

    /// Ids of the models by kind.
    pub fn ids(&self) -> BTreeMap<Kind, String> {
        let id = |kind| Some((kind, self.of(kind)?.bundle.manifest.model_id.clone()));
        Kind::ALL.into_iter().filter_map(id).collect()
    }
}
