//! A ridge regression on clipped, normalised features, shrunk towards persistence.

use serde::{Deserialize, Serialize};

use super::samples::{HORIZONS, Sample, known};
use crate::cholesky::solved;
use crate::error::TrainingError;
use veriregime_core::hedge::features::{FEATURES, Row};
use veriregime_core::hedge::forecast::MAX_LOG_RATIO;
use veriregime_core::model::export::{Layer, LayeredNetwork};
use veriregime_core::types::manifest::frozen;
use veriregime_core::types::manifest::inputs::{Column, Table};

/// Number of features.
const COUNT: usize = FEATURES.len();
/// Fewest decisions that a fit is made from.
const MIN_SAMPLES: usize = 1000;

/// How the model is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RidgeSettings {
    /// What is added to the features' variances.
    pub penalty: f64,
    /// Share of the fitted change that is forecast; the rest is persistence.
    pub share: f64,
    /// Where normalised features are clipped.
    pub clip: f64,
}

impl Default for RidgeSettings {
    fn default() -> Self {
        Self { penalty: 0.03, share: 0.5, clip: 2.0 }
    }
}

/// A fitted model, one line a horizon.
#[derive(Debug, Clone, PartialEq)]
pub struct Ridge {
    scalers: [(f64, f64); COUNT],
    clip: f64,
    /// Weights of the normalised features, and what is added.
    lines: [([f64; COUNT], f64); HORIZONS],
}

impl Ridge {
    /// Fits on the decisions before the position `cut` whose outcomes are known by then.
    ///
    /// # Errors
    /// [`TrainingError::TooFew`] or [`TrainingError::Constant`].
    pub fn fit(samples: &[Sample], cut: usize, settings: &RidgeSettings) -> Result<Self, TrainingError> {
        let scalers = scalers(samples)?;
        let mut lines = [([0.0; COUNT], 0.0); HORIZONS];
        for (horizon, line) in lines.iter_mut().enumerate() {
            let rows = samples.iter().filter_map(|sample| {
                let came = known(sample, horizon, cut)?;
                Some((normalised(&sample.row, &scalers, settings.clip), came))
            });
            *line = fit_line(rows, settings)?;
        }
        Ok(Self { scalers, clip: settings.clip, lines })
    }

    /// The forecast of each horizon.
    pub fn predict(&self, row: &Row) -> [f64; HORIZONS] {
        let features = normalised(row, &self.scalers, self.clip);
        self.lines.map(|(weights, constant)| {
            let sum = weights.iter().zip(features).fold(constant, |sum, (weight, feature)| sum + weight * feature);
            sum.clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO)
        })
    }

    /// The same as a network of one layer, whose last outputs are these constant half-widths.
    pub fn network(&self, half_widths: [f64; HORIZONS]) -> LayeredNetwork {
        let outputs = 2 * HORIZONS;
        let weight =
            |feature: usize, output: usize| self.lines.get(output).map_or(0.0, |(weights, _)| weights[feature]);
        let weights = (0..COUNT).flat_map(|feature| (0..outputs).map(move |output| (feature, output)));
        let constants = self.lines.iter().map(|(_, constant)| *constant).chain(half_widths);
        LayeredNetwork {
            features: COUNT,
            layers: vec![Layer::Linear {
                inputs: COUNT,
                outputs,
                weights: weights.map(|(feature, output)| weight(feature, output) as f32).collect(),
                bias: constants.map(|constant| constant as f32).collect(),
            }],
        }
    }

    /// Its columns, for a manifest.
    pub fn table(&self, input_scale: u32) -> Table {
        let column = |((name, unit), (mean, deviation)): (&(&str, &str), &(f64, f64))| Column {
            name: (*name).to_owned(),
            unit: (*unit).to_owned(),
            mean: *mean,
            standard_deviation: *deviation,
            clip: self.clip,
        };
        Table { columns: FEATURES.iter().zip(&self.scalers).map(column).collect(), input_scale }
    }
}

fn normalised(row: &Row, scalers: &[(f64, f64); COUNT], clip: f64) -> [f64; COUNT] {
    std::array::from_fn(|index| {
        let (mean, deviation) = scalers[index];
        row[index].map_or(0.0, |value| ((value - mean) / deviation).clamp(-clip, clip))
    })
}

fn scalers(samples: &[Sample]) -> Result<[(f64, f64); COUNT], TrainingError> {
    let mut scalers = [(0.0, 1.0); COUNT];
    for (index, scaler) in scalers.iter_mut().enumerate() {
        let values = || samples.iter().filter_map(|sample| sample.row[index]);
        let count = values().count();
        if count == 0 {
            // Too young a history for this one: it stays average everywhere.
            continue;
        }
        let mean = values().sum::<f64>() / count as f64;
        let variance = values().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count as f64;
        if variance.is_nan() || variance <= 1e-12 {
            return Err(TrainingError::Constant { feature: FEATURES[index].0.to_owned() });
        }
        *scaler = (frozen(mean), frozen(variance.sqrt()));
    }
    Ok(scalers)
}

fn fit_line(
    rows: impl Iterator<Item = ([f64; COUNT], f64)>,
    settings: &RidgeSettings,
) -> Result<([f64; COUNT], f64), TrainingError> {
    let (mut count, mut mean, mut came) = (0_usize, [0.0; COUNT], 0.0);
    let (mut products, mut with_target) = ([[0.0; COUNT]; COUNT], [0.0; COUNT]);
    for (row, target) in rows {
        count += 1;
        came += target;
        for (left, value) in row.iter().enumerate() {
            mean[left] += value;
            with_target[left] += value * target;
            for (product, other) in products[left][..=left].iter_mut().zip(&row) {
                *product += value * other;
            }
        }
    }
    if count < MIN_SAMPLES {
        return Err(TrainingError::TooFew { part: "the training part".into(), found: count, needed: MIN_SAMPLES });
    }
    let number = count as f64;
    came /= number;
    mean = mean.map(|sum| sum / number);
    let mut matrix = [[0.0; COUNT]; COUNT];
    let mut right = [0.0; COUNT];
    for left in 0..COUNT {
        for other in 0..=left {
            matrix[left][other] = products[left][other] / number - mean[left] * mean[other];
        }
        matrix[left][left] += settings.penalty;
        right[left] = with_target[left] / number - mean[left] * came;
    }
    let solution = solved(matrix.map(Vec::from).into(), right.into());
    let weights: [f64; COUNT] = std::array::from_fn(|index| solution[index] * settings.share);
    let constant = settings.share * came - weights.iter().zip(mean).map(|(weight, mean)| weight * mean).sum::<f64>();
    Ok((weights, constant))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Features that go up and down at speeds of their own.
    fn sample(at: usize, target: impl Fn(&Row) -> f64) -> Sample {
        let row: Row = std::array::from_fn(|index| Some(((at * (index + 3)) as f64 * 0.37).sin()));
        Sample { country: 0, at, targets: [Some(target(&row)); HORIZONS], row }
    }

    #[test]
    fn a_line_is_found_and_halved() {
        let line = |row: &Row| 0.1 + 0.2 * row[0].unwrap() - 0.05 * row[12].unwrap();
        let samples: Vec<Sample> = (0..5000).map(|at| sample(at, line)).collect();
        let settings = RidgeSettings { penalty: 1e-9, share: 0.5, clip: 4.0 };
        let ridge = Ridge::fit(&samples, 10_000, &settings).unwrap();
        for sample in &samples[..50] {
            for forecast in ridge.predict(&sample.row) {
                assert!((forecast - 0.5 * line(&sample.row)).abs() < 1e-6, "{forecast}");
            }
        }
    }

    #[test]
    fn what_is_not_known_by_the_cut_is_not_learnt() {
        let samples: Vec<Sample> = (0..5000).map(|at| sample(at, |_| if at < 4850 { 0.2 } else { 9.0 })).collect();
        let ridge = Ridge::fit(&samples, 4910, &RidgeSettings::default()).unwrap();
        let forecast = ridge.predict(&samples[0].row);
        assert!(forecast.iter().all(|forecast| (forecast - 0.1).abs() < 1e-3), "{forecast:?}");
        assert!(Ridge::fit(&samples, 900, &RidgeSettings::default()).is_err());
    }

    #[test]
    fn the_network_says_what_the_ridge_says() {
        let samples: Vec<Sample> = (0..3000).map(|at| sample(at, |row| row[3].unwrap())).collect();
        let ridge = Ridge::fit(&samples, 9000, &RidgeSettings::default()).unwrap();
        let network = ridge.network([0.1, 0.2, 0.3, 0.4]);
        assert_eq!((network.features, network.outputs()), (COUNT, 2 * HORIZONS));
        let Layer::Linear { weights, bias, .. } = &network.layers[0] else { panic!("one layer") };
        let features = normalised(&samples[7].row, &ridge.scalers, ridge.clip);
        for (horizon, expected) in ridge.predict(&samples[7].row).into_iter().enumerate() {
            let sum: f64 = (0..COUNT).map(|index| features[index] * f64::from(weights[index * 8 + horizon])).sum();
            assert!((sum + f64::from(bias[horizon]) - expected).abs() < 1e-5);
        }
        assert_eq!(bias[4..], [0.1, 0.2, 0.3, 0.4]);
    }
}
