//! Ridge regressions on normalised features: one line for the change, one for the volatility.

use crate::cholesky::solved;
use veriregime_core::model::export::{Layer, LayeredNetwork};

/// What is forecast: the change, and the logarithm of the deviation.
pub const TARGETS: usize = 2;
/// What is added to the features' variances, for each target: changes are noise for the most part, volatility is not.
const PENALTIES: [f64; TARGETS] = [0.1, 0.01];

/// Added to the variance of a feature that a target is not forecast from.
const NEVER: f64 = 1e9;

/// A line for each target.
#[derive(Debug, Clone, PartialEq)]
pub struct Ridge {
    /// Weights of the features, and what is added.
    lines: [(Vec<f64>, f64); TARGETS],
}

impl Ridge {
    /// Fits on rows of normalised features with what came; there must be some. Features that `is_left_out` marks play no part in
    /// the change.
    pub fn fit(rows: &[(Vec<f64>, [f64; TARGETS])], is_left_out: &[bool]) -> Self {
        let count = rows.first().map_or(0, |(row, _)| row.len());
        let number = rows.len().max(1) as f64;
        let mut means = vec![0.0; count];
        let mut products = vec![vec![0.0; count]; count];
        let mut came = [0.0; TARGETS];
        let mut with_target = [vec![0.0; count], vec![0.0; count]];
        for (row, targets) in rows {
            for (left, value) in row.iter().enumerate() {
                means[left] += value / number;
                for (product, other) in products[left][..=left].iter_mut().zip(row) {
                    *product += value * other / number;
                }
                for (sums, target) in with_target.iter_mut().zip(targets) {
                    sums[left] += value * target / number;
                }
            }
            for (sum, target) in came.iter_mut().zip(targets) {
                *sum += target / number;
            }
        }
        let line = |target: usize| {
            let mut matrix = products.clone();
            let mut right = with_target[target].clone();
            for left in 0..count {
                for other in 0..=left {
                    matrix[left][other] -= means[left] * means[other];
                }
                let is_out = target == 0 && is_left_out.get(left).is_some_and(|is| *is);
                matrix[left][left] += if is_out { NEVER } else { PENALTIES[target] };
                right[left] -= means[left] * came[target];
            }
            let weights = solved(matrix, right);
            let constant = came[target] - weights.iter().zip(&means).map(|(weight, mean)| weight * mean).sum::<f64>();
            (weights, constant)
        };
        Self { lines: std::array::from_fn(line) }
    }

    /// What it says of normalised features.
    pub fn predict(&self, row: &[f64]) -> [f64; TARGETS] {
        let of = |(weights, constant): &(Vec<f64>, f64)| {
            weights.iter().zip(row).fold(*constant, |sum, (weight, value)| sum + weight * value)
        };
        [of(&self.lines[0]), of(&self.lines[1])]
    }

    /// The same as a network of one layer, whose last output is this constant.
    pub fn network(&self, width_factor: f64) -> LayeredNetwork {
        let [(change, change_constant), (deviation, deviation_constant)] = &self.lines;
        let weights = change.iter().zip(deviation).flat_map(|(change, deviation)| [*change, *deviation, 0.0]);
        let bias = [*change_constant, *deviation_constant, width_factor];
        let (inputs, outputs) = (change.len(), bias.len());
        let weights = weights.map(|weight| weight as f32).collect();
        let bias = bias.map(|constant| constant as f32).to_vec();
        LayeredNetwork { features: inputs, layers: vec![Layer::Linear { inputs, outputs, weights, bias }] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found() {
        let row = |at: usize| vec![(at as f64 * 0.7).sin(), (at as f64 * 1.3).cos()];
        let rows: Vec<(Vec<f64>, [f64; 2])> =
            (0..4000).map(|at| (row(at), [0.1 + 0.5 * row(at)[0], 2.0 - row(at)[1]])).collect();
        let ridge = Ridge::fit(&rows, &[]);
        // Variances are a half: the penalty takes 0.1 / 0.6 of the one, and 0.01 / 0.51 of the other.
        let [change, deviation] = ridge.predict(&[1.0, 0.0]);
        assert!((change - (0.1 + 0.5 * 0.5 / 0.6)).abs() < 5e-3, "{change}");
        assert!((deviation - 2.0).abs() < 5e-3, "{deviation}");
        assert!((ridge.predict(&[0.0, 1.0])[1] - (2.0 - 0.5 / 0.51)).abs() < 5e-3);
        let [change, _] = Ridge::fit(&rows, &[true, false]).predict(&[1.0, 0.0]);
        assert!((change - 0.1).abs() < 5e-3, "{change}");
        let [change, _] = ridge.predict(&[1.0, 0.0]);
        let network = ridge.network(1.5);
        assert_eq!((network.features, network.outputs()), (2, 3));
        let Layer::Linear { weights, bias, .. } = &network.layers[0] else { panic!("one layer") };
        assert!((f64::from(weights[0] + bias[0]) - change).abs() < 1e-6);
        assert_eq!((weights[2], weights[5], bias[2]), (0.0, 0.0, 1.5));
    }
}
