//! The network of a bundle, in the integers of its circuit.

use super::Bundle;
use super::error::BundleError;
use veriregime_core::model::integer::IntegerModel;
use veriregime_core::model::onnx::Network;
use veriregime_core::model::{Layout, MAX_MODEL_BYTES};
use veriregime_core::types::manifest::ONNX_FILE;
use veriregime_core::types::manifest::inputs::Inputs;
use veriregime_core::types::manifest::network::ModelKind;

impl Bundle {
    /// The layers in exact integers, whatever the inputs are.
    ///
    /// # Errors
    /// [`BundleError::Manifest`] for trees, [`BundleError::Network`] for a network that is none.
    pub fn integer_model(&self) -> Result<IntegerModel, BundleError> {
        let manifest = &self.manifest;
        let layout = match (&manifest.inputs, &manifest.model) {
            (Inputs::Candles(_), _) => Layout::of(&manifest.regime().map_err(|error| self.refused(error.to_string()))?),
            (Inputs::Table(table), ModelKind::Layers(layers)) => Layout::of_table(layers, table, &manifest.outputs),
            (Inputs::Table(_), kind @ (ModelKind::Trees(_) | ModelKind::Lstm(_))) => {
                return Err(self.refused(format!("it is made of {}, not of layers", kind.kind())));
            }
        };
        let onnx = veriregime_files::read_bounded(&self.path(ONNX_FILE), MAX_MODEL_BYTES)?;
        let network = Network::parse(&onnx, layout.markets, layout.features, layout.outputs)?;
        Ok(IntegerModel::new(&network, layout)?)
    }
}
