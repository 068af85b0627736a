//! Bundles of models that are fed a table.

use super::Bundle;
use super::error::BundleError;
use veriregime_core::hedge::electricity::ElectricityModel;
use veriregime_core::hedge::forecast::is_electricity;
use veriregime_core::model::MAX_MODEL_BYTES;
use veriregime_core::model::table::TableModel;
use veriregime_core::trees::grid::IntegerForest;
use veriregime_core::types::manifest::ONNX_FILE;
use veriregime_core::types::manifest::inputs::{Inputs, Table};
use veriregime_core::types::manifest::network::ModelKind;

impl Bundle {
    /// The columns of a model of a table.
    ///
    /// # Errors
    /// [`BundleError::Manifest`] for other inputs.
    pub fn table(&self) -> Result<&Table, BundleError> {
        match &self.manifest.inputs {
            Inputs::Table(table) => Ok(table),
            Inputs::Candles(_) => Err(self.refused("its inputs are candles, not a table".into())),
        }
    }

    /// The model of a table, ready to be asked.
    ///
    /// # Errors
    /// [`BundleError::Manifest`] for other inputs or outputs of several scales, [`BundleError::Trees`] or
    /// [`BundleError::Network`] for a model that is none.
    pub fn table_model(&self) -> Result<TableModel, BundleError> {
        let table = self.table()?;
        match &self.manifest.model {
            ModelKind::Layers(layers) => {
                let onnx = veriregime_files::read_bounded(&self.path(ONNX_FILE), MAX_MODEL_BYTES)?;
                Ok(TableModel::layers(&onnx, layers, table, &self.manifest.outputs)?)
            }
            ModelKind::Trees(_) => Ok(TableModel::Trees(self.integer_forest()?)),
            ModelKind::Lstm(lstm) => {
                let onnx = veriregime_files::read_bounded(&self.path(ONNX_FILE), MAX_MODEL_BYTES)?;
                Ok(TableModel::lstm(&onnx, lstm, table, &self.manifest.outputs)?)
            }
        }
    }

    /// The electricity model, ready to be asked.
    ///
    /// # Errors
    /// As [`Bundle::table_model`], and [`BundleError::Manifest`] for other columns or outputs.
    pub fn electricity_model(&self) -> Result<ElectricityModel, BundleError> {
        let table = self.table()?;
        if !is_electricity(&self.manifest, table) {
            return Err(self.refused("its columns or outputs are not those of an electricity model".into()));
        }
        let (table, outputs) = (table.clone(), self.manifest.outputs.clone());
        Ok(ElectricityModel { table, outputs, network: self.table_model()? })
    }

    /// The trees on their grid.
    ///
    /// # Errors
    /// As [`Bundle::table_model`].
    pub fn integer_forest(&self) -> Result<IntegerForest, BundleError> {
        let scales: Vec<u32> = self.manifest.outputs.iter().map(|output| output.scale).collect();
        let [scale, others @ ..] = scales.as_slice() else { return Err(self.refused("it has no outputs".into())) };
        if others.iter().any(|other| other != scale) {
            return Err(self.refused(format!("its outputs have scales {scales:?}, trees have one")));
        }
        IntegerForest::new(&self.forest()?, self.table()?, *scale)
            .map_err(|error| BundleError::Trees { path: self.manifest_path.clone(), error })
    }

    pub(super) fn refused(&self, reason: String) -> BundleError {
        BundleError::Manifest { path: self.manifest_path.clone(), reason }
    }
}
