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
