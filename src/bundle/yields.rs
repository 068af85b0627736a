//! Yield models: one bundle for all kinds of strategies, or a folder with one for each.

use std::collections::BTreeMap;
use std::path::Path;

use super::Bundle;
use super::error::BundleError;
use veriregime_core::model::table::TableForecast;
use veriregime_core::types::manifest::MANIFEST_FILE;
use veriregime_core::yields::Kind;
use veriregime_core::yields::features::Row;
use veriregime_core::yields::forecast::{Said, is_yield, kinds};
use veriregime_core::yields::model::StrategyModel;

/// A yield model, ready to be asked.
#[derive(Debug)]
pub struct YieldModel {
    /// Its bundle.
    pub bundle: Bundle,
    /// Kinds of strategies that it is for.
    pub kinds: Vec<Kind>,
    /// What is asked.
    pub model: StrategyModel,
}

/// Yield models of a folder.
#[derive(Debug, Default)]
pub struct YieldModels(Vec<YieldModel>);

impl Bundle {
    /// The yield model, ready to be asked.
    ///
    /// # Errors
    /// As [`Bundle::table_model`], and [`BundleError::Manifest`] for a model of something else.
    pub fn strategy_model(&self) -> Result<StrategyModel, BundleError> {
        let table = self.table()?;
        if !is_yield(&self.manifest, table) || kinds(&self.manifest).is_empty() {
            return Err(self.refused("its columns, outputs, grid or kinds are not those of a yield model".into()));
        }
        let (table, outputs) = (table.clone(), self.manifest.outputs.clone());
        Ok(StrategyModel { table, outputs, network: self.table_model()? })
    }
}

impl YieldModel {
    /// Opens a bundle.
    ///
    /// # Errors
    /// [`BundleError::Manifest`] for a model of something else.
    pub fn open(folder: &Path) -> Result<Self, BundleError> {
        let bundle = Bundle::open(folder)?;
        let (model, kinds) = (bundle.strategy_model()?, kinds(&bundle.manifest));
        Ok(Self { bundle, kinds, model })
    }

    /// What it says of a row, with the integers that a circuit would see.
    ///
    /// # Errors
    /// [`BundleError`] for a row that is none.
    pub fn say(&self, row: &Row) -> Result<(Said, TableForecast), BundleError> {
        let said = self.model.say(row)?;
        said.ok_or_else(|| self.bundle.refused("its columns or outputs are not those of a yield model".into()))
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
