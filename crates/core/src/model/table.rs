//! Models of a table: a row of named columns goes onto the circuit's grid, and integers come out.

use super::lstm::LstmModel;
use super::{Layout, Model, ModelError};
use crate::trees::error::TreesError;
use crate::trees::grid::IntegerForest;
use crate::types::manifest::Output;
use crate::types::manifest::inputs::{Column, Table};
use crate::types::manifest::network::{Layers, Lstm};

/// A model of a table, by its kind.
#[derive(Debug)]
pub enum TableModel {
    /// A layered network.
    Layers(Box<Model>),
    /// Trees on the grid.
    Trees(IntegerForest),
    /// An LSTM.
    Lstm(Box<LstmModel>),
}

/// A row as the circuit sees it, and what comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableForecast {
    /// The columns on their grid.
    pub inputs: Vec<i32>,
    /// The outputs on theirs.
    pub outputs: Vec<i128>,
}

impl TableModel {
    /// The model of a layered network in ONNX.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn layers(onnx: &[u8], layers: &Layers, table: &Table, outputs: &[Output]) -> Result<Self, ModelError> {
        let model = Model::load(onnx, Layout::of_table(layers, table, outputs))?;
        model.expect_layers(&layers.layers)?;
        Ok(Self::Layers(Box::new(model)))
    }

    /// The model of an LSTM in ONNX.
    ///
    /// # Errors
    /// As [`LstmModel::load`].
    pub fn lstm(onnx: &[u8], lstm: &Lstm, table: &Table, outputs: &[Output]) -> Result<Self, ModelError> {
        Ok(Self::Lstm(Box::new(LstmModel::load(onnx, lstm, table, outputs.len())?)))
    }

    /// What the circuit maps these integers to.
    ///
    /// # Errors
    /// [`ModelError`], of trees [`ModelError::Trees`].
    pub fn evaluate(&self, inputs: &[i32]) -> Result<Vec<i128>, ModelError> {
        Ok(match self {
            Self::Layers(model) => model.predict(inputs)?.concat(),
            Self::Trees(forest) => forest.evaluate(inputs)?.into_iter().map(i128::from).collect(),
            Self::Lstm(model) => model.predict(inputs)?,
        })
    }

    /// The forecast of a row of numbers. Where a circuit has no table for it, the columns are named.
    ///
    /// # Errors
    /// As [`Table::quantised`] and [`TableModel::evaluate`].
    pub fn forecast(&self, table: &Table, row: &[f64]) -> Result<TableForecast, ModelError> {
        let inputs = table.quantised(row)?;
        let named = |error| match error {
            ModelError::OutOfTables { operation, value, bound, .. } => {
                let columns =
                    table.columns.iter().zip(row).map(|(column, value)| format!("{} {value:.4}", column.name));
                let row = columns.collect::<Vec<_>>().join(", ");
                ModelError::OutOfTables { operation, value, bound, row }
            }
            other => other,
        };
        let outputs = self.evaluate(&inputs).map_err(named)?;
        Ok(TableForecast { inputs, outputs })
    }
}

impl From<TreesError> for ModelError {
    fn from(error: TreesError) -> Self {
        Self::Trees(error)
    }
}

impl Table {
    /// `round_half_away_from_zero(clip((x − mean) / standard deviation) · 2^input_scale)` of each column, in their order.
    ///
    /// # Errors
    /// [`ModelError::Count`] for another number of columns, [`ModelError::NotFinite`] for what is no number.
    pub fn quantised(&self, row: &[f64]) -> Result<Vec<i32>, ModelError> {
        if row.len() != self.columns.len() {
            return Err(ModelError::Count { given: row.len(), needed: self.columns.len() });
        }
        let grid = libm::exp2(f64::from(self.input_scale));
        let quantised = |(value, column): (&f64, &Column)| {
            if !value.is_finite() {
                return Err(ModelError::NotFinite { column: column.name.clone(), value: value.to_string() });
            }
            let normalised = (value - column.mean) / column.standard_deviation;
            Ok(libm::round(normalised.clamp(-column.clip, column.clip) * grid) as i32)
        };
        row.iter().zip(&self.columns).map(quantised).collect()
    }

    /// Largest magnitude of an integer of a row.
    pub fn bound(&self) -> i32 {
        let clip = self.columns.iter().map(|column| column.clip).fold(0.0, f64::max);
        libm::round(clip * libm::exp2(f64::from(self.input_scale))) as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::diagnostic::Diagnostic;

    fn table() -> Table {
        let column = |name: &str, mean: f64, clip: f64| Column {
            name: name.to_owned(),
            unit: String::new(),
            mean,
            standard_deviation: 2.0,
            clip,
        };
        Table { columns: vec![column("price", 1.0, 4.0), column("power", 0.0, 2.0)], input_scale: 2 }
    }

    #[test]
    fn a_row_is_normalised_clipped_and_rounded_away_from_zero() {
        let quantised = |row: [f64; 2]| table().quantised(&row).unwrap();
        assert_eq!(quantised([2.0, -1.0]), [2, -2]);
        assert_eq!(quantised([1.25, -0.25]), [1, -1], "halves");
        assert_eq!(quantised([1e9, -1e9]), [16, -8]);
    }

    #[test]
    fn a_row_that_is_no_row_is_refused() {
        assert_eq!(table().quantised(&[1.0]).unwrap_err().code(), "VR-MODEL-007");
        let error = table().quantised(&[1.0, f64::NAN]).unwrap_err();
        assert_eq!(error.code(), "VR-MODEL-012");
        assert!(error.to_string().contains("power"), "{error}");
    }
}
