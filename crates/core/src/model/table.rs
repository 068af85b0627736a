//! A row of named columns on the circuit's grid.

use super::ModelError;
use crate::types::manifest::inputs::{Column, Table};

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
}
