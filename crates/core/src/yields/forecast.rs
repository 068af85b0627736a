//! A yield model's inputs and outputs as numbers.

use serde::Serialize;

use super::conformal::size;
use super::features::{DEVIATION_FLOOR, FEATURES, Row, Window};
use super::scale::apy_percent;
use super::{GRID, Kind};
use crate::types::manifest::inputs::Table;
use crate::types::manifest::{Manifest, Output};

/// Largest change of `z` in a week that is believed.
pub const MAX_CHANGE: f64 = 2.0;
/// Largest logarithm of a deviation of `z` that is believed.
const MAX_LOG_DEVIATION: f64 = 1.5;
/// Outputs: name, unit.
pub const OUTPUTS: [(&str, &str); 3] = [
    ("change", "z(mean APY of the next 7 days) - z(mean APY of the last 7)"),
    ("log_deviation", "ln of the standard deviation of z over the next 7 days"),
    ("width_factor", "half of the first 90 % interval in exp(log_deviation / 2)"),
];

/// What a model says of a strategy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Said {
    /// `z(mean APY of the next 7 days) − z(mean APY of the last 7)`.
    pub change: f64,
    /// Logarithm of the standard deviation of `z`.
    pub log_deviation: f64,
    /// What the size of errors is multiplied with for half an interval, before any score is known.
    pub width_factor: f64,
}

impl Said {
    /// Of the outputs' integers; nothing for another number of them.
    pub fn read(outputs: &[i128], scale: u32) -> Option<Self> {
        let real = |integer: i128| integer as f64 * libm::exp2(-f64::from(scale));
        let [change, log_deviation, width_factor] = <[i128; 3]>::try_from(outputs).ok()?.map(real);
        Some(Self::new(change, log_deviation, width_factor))
    }

    /// Of numbers, kept within what is believed.
    pub fn new(change: f64, log_deviation: f64, width_factor: f64) -> Self {
        Self {
            change: change.clamp(-MAX_CHANGE, MAX_CHANGE),
            log_deviation: log_deviation.clamp(libm::log(DEVIATION_FLOOR), MAX_LOG_DEVIATION),
            width_factor: width_factor.max(0.0),
        }
    }

    /// The score of this forecast when `change` came.
    pub fn score(&self, change: f64) -> f64 {
        (change - self.change).abs() / size(self.log_deviation)
    }

    /// In percent a year, from the window that it begins with, with an interval of that factor.
    pub fn forecast(&self, window: &Window, factor: f64) -> Forecast {
        self.at_level(window.level, factor)
    }

    /// The same from `z` of the last 7 days' mean.
    pub fn at_level(&self, level: f64, factor: f64) -> Forecast {
        let middle = level + self.change;
        let half = factor * size(self.log_deviation);
        let apy = apy_percent(middle);
        Forecast {
            apy_percent: apy,
            volatility_pp: libm::exp(self.log_deviation) * (1.0 + apy.abs()),
            low_percent: apy_percent(middle - half),
            high_percent: apy_percent(middle + half),
        }
    }
}

/// What is said of the mean rate of the next 7 days, percent a year.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Forecast {
    /// The mean rate.
    pub apy_percent: f64,
    /// Standard deviation of the daily rate.
    pub volatility_pp: f64,
    /// Lower end of the interval.
    pub low_percent: f64,
    /// Upper end.
    pub high_percent: f64,
}

/// The outputs of a manifest, at that scale.
pub fn outputs(scale: u32) -> Vec<Output> {
    let output = |(name, unit): (&str, &str)| Output { name: name.into(), unit: unit.into(), scale, per_market: false };
    OUTPUTS.map(output).into()
}

/// Whether a manifest is that of a yield model: its outputs by name, its columns known here, its grid.
pub fn is_yield(manifest: &Manifest, table: &Table) -> bool {
    let names = manifest.outputs.iter().map(|output| output.name.as_str());
    names.eq(OUTPUTS.map(|(name, _)| name)) && manifest.grid == GRID && places(table).is_some()
}

/// Places of a table's columns among [`FEATURES`]; nothing where one is not known.
pub fn places(table: &Table) -> Option<Vec<usize>> {
    let place = |name: &str| FEATURES.iter().position(|(known, _)| *known == name);
    table.columns.iter().map(|column| place(&column.name)).collect()
}

/// A row for the table: what is not known is the column's mean. Nothing where a column is not known here.
pub fn numbers(row: &Row, table: &Table) -> Option<Vec<f64>> {
    let places = places(table)?;
    Some(table.columns.iter().zip(places).map(|(column, place)| row[place].unwrap_or(column.mean)).collect())
}

/// Kinds that a training's provenance names.
pub fn kinds(manifest: &Manifest) -> Vec<Kind> {
    let named = manifest.training.provenance.get("kinds").and_then(serde_json::Value::as_array);
    named.into_iter().flatten().filter_map(|kind| Kind::parse(kind.as_str()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> Window {
        Window { z: [1.0; 7], apy: [std::f64::consts::E - 1.0; 7], level: 1.0, deviation: 0.0 }
    }

    #[test]
    fn outputs_are_read_by_their_scale_and_kept_within_bounds() {
        let said = Said::read(&[1, -4, 6], 2).unwrap();
        assert_eq!(
            [said.change, said.log_deviation, said.width_factor].map(f64::to_bits),
            [0.25, -1.0, 1.5].map(f64::to_bits)
        );
        let far = Said::read(&[1 << 20, -(1 << 20), -1], 2).unwrap();
        assert!((far.change - MAX_CHANGE).abs() < 1e-12 && (far.log_deviation - libm::log(0.01)).abs() < 1e-12);
        assert_eq!((far.width_factor.to_bits(), Said::read(&[1; 4], 2)), (0.0_f64.to_bits(), None));
    }

    #[test]
    fn a_forecast_is_in_percent_a_year() {
        let said = Said::new(0.0, libm::log(0.04), 1.0);
        let forecast = said.forecast(&window(), 2.0);
        let e = std::f64::consts::E;
        assert!((forecast.apy_percent - (e - 1.0)).abs() < 1e-12);
        assert!((forecast.volatility_pp - 0.04 * e).abs() < 1e-12);
        // Twice the square root of 0.04.
        assert!((forecast.low_percent - (libm::exp(0.6) - 1.0)).abs() < 1e-12);
        assert!((forecast.high_percent - (libm::exp(1.4) - 1.0)).abs() < 1e-12);
        assert!((said.score(-0.1) - 0.5).abs() < 1e-12);
    }
}
