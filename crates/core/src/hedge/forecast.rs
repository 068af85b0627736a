//! The electricity model's inputs and outputs as numbers. Pure.

use serde::Serialize;

use super::HORIZON_MONTHS;
use super::features::{FEATURES, Row};
use crate::types::manifest::inputs::Table;
use crate::types::manifest::{Manifest, Output};

/// Largest logarithm of a ratio that is believed: a price that doubles, or halves.
pub const MAX_LOG_RATIO: f64 = 0.7;
/// Share of outcomes that intervals are made to cover.
pub const NOMINAL_COVERAGE: f64 = 0.8;
/// Outputs: a logarithm for each horizon, then a half-width for each.
pub const OUTPUTS: usize = 2 * HORIZON_MONTHS.len();

/// What is said of one horizon.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PriceForecast {
    /// Months ahead.
    pub months: u32,
    /// Logarithm of the mean price of these months against that of the last one.
    pub log_ratio: f64,
    /// Half the width of its interval.
    pub half_width: f64,
}

/// The outputs of a manifest, at that scale.
pub fn outputs(scale: u32) -> Vec<Output> {
    let named = |what: &str, months: u32| Output {
        name: format!("{what}_{months}_months"),
        unit: "ln(EUR/MWh of the next months / EUR/MWh of the last 30 days)".into(),
        scale,
        per_market: false,
    };
    let ratios = HORIZON_MONTHS.map(|months| named("log_ratio", months));
    ratios.into_iter().chain(HORIZON_MONTHS.map(|months| named("half_width", months))).collect()
}

/// Whether a manifest is that of an electricity model: its columns and outputs by name, in order.
pub fn is_electricity(manifest: &Manifest, table: &Table) -> bool {
    let columns = table.columns.iter().map(|column| column.name.as_str());
    let names = manifest.outputs.iter().map(|output| &output.name);
    columns.eq(FEATURES.map(|(name, _)| name)) && names.eq(outputs(0).iter().map(|output| &output.name))
}

/// A row for the table: what is not known is the column's mean.
pub fn numbers(row: &Row, table: &Table) -> Vec<f64> {
    row.iter().zip(&table.columns).map(|(value, column)| value.unwrap_or(column.mean)).collect()
}

/// The forecasts that outputs stand for; nothing for another number of them.
pub fn read(outputs: &[i128], scale: u32) -> Option<[PriceForecast; HORIZON_MONTHS.len()]> {
    let real = |integer: i128| integer as f64 * libm::exp2(-f64::from(scale));
    let (ratios, widths) = (outputs.len() == OUTPUTS).then(|| outputs.split_at(HORIZON_MONTHS.len()))?;
    Some(std::array::from_fn(|index| PriceForecast {
        months: HORIZON_MONTHS[index],
        log_ratio: real(ratios[index]).clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO),
        half_width: real(widths[index]).max(0.0),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_read_by_their_scale_and_kept_within_bounds() {
        let read = read(&[1, -3, 100, -100, 2, 2, 2, -1], 2).unwrap();
        assert_eq!(read.map(|one| one.log_ratio.to_bits()), [0.25, -0.7, 0.7, -0.7].map(f64::to_bits));
        assert_eq!(read.map(|one| one.half_width.to_bits()), [0.5, 0.5, 0.5, 0.0].map(f64::to_bits));
        assert_eq!(read.map(|one| one.months), [2, 3, 4, 5]);
        assert_eq!(super::read(&[1; 7], 2), None);
    }
}
