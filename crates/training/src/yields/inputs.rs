//! Features as a network sees them: chosen, normalised, clipped.

use veriregime_core::types::manifest::frozen;
use veriregime_core::types::manifest::inputs::{Column, Table};
use veriregime_core::yields::WINDOW_DAYS;
use veriregime_core::yields::features::{FEATURES, Row};

/// Where normalised features are clipped.
const CLIP: f64 = 3.0;

/// What stands beside each day's rate in an LSTM: the level, and the day of the decision's TVL, market and gas.
pub const BESIDE: [&str; 5] = ["level", "tvl", "market_deviation", "market_return", "gas"];

/// Level and volatility.
const BEYOND_RATES: [&str; 5] = ["level", "deviation_7", "deviation_14", "deviation_30", "step"];

/// Places of an LSTM's features among [`FEATURES`]: the days' rates, then what stands beside them.
pub fn unrolled_places() -> Vec<usize> {
    let place = |name: &str| FEATURES.iter().position(|(known, _)| *known == name);
    (0..WINDOW_DAYS).chain(BESIDE.iter().filter_map(|name| place(name))).collect()
}

/// Chosen features with their scalers.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// Places among [`FEATURES`].
    places: Vec<usize>,
    scalers: Vec<(f64, f64)>,
}

impl Inputs {
    /// Of these features, with the scalers of these rows. What never changes, or is never known, stays average everywhere.
    pub fn fit<'a>(places: Vec<usize>, rows: impl Iterator<Item = &'a Row> + Clone) -> Self {
        let scaler = |place: &usize| {
            let values = || rows.clone().filter_map(|row| row[*place]);
            let count = values().count().max(1) as f64;
            let mean = values().sum::<f64>() / count;
            let variance = values().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
            (frozen(mean), if variance > 1e-12 { frozen(variance.sqrt()) } else { 1.0 })
        };
        let scalers = places.iter().map(scaler).collect();
        Self { places, scalers }
    }

    /// Number of features.
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// Which of them tell of something else than changes of the rate.
    pub fn beyond_rates(&self) -> Vec<bool> {
        self.places.iter().map(|place| BEYOND_RATES.contains(&FEATURES[*place].0)).collect()
    }

    /// A row as the network sees it.
    pub fn normalised(&self, row: &Row) -> Vec<f64> {
        let one = |(place, (mean, deviation)): (&usize, &(f64, f64))| {
            row[*place].map_or(0.0, |value| ((value - mean) / deviation).clamp(-CLIP, CLIP))
        };
        self.places.iter().zip(&self.scalers).map(one).collect()
    }

    /// Its columns, for a manifest.
    pub fn table(&self, input_scale: u32) -> Table {
        let column = |(place, (mean, deviation)): (&usize, &(f64, f64))| Column {
            name: FEATURES[*place].0.to_owned(),
            unit: FEATURES[*place].1.to_owned(),
            mean: *mean,
            standard_deviation: *deviation,
            clip: CLIP,
        };
        Table { columns: self.places.iter().zip(&self.scalers).map(column).collect(), input_scale }
    }
}
