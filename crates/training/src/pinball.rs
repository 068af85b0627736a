//! Linear quantile regression: Koenker and Bassett 1978, by iteratively reweighted least squares (Schlossmacher 1973).

use crate::cholesky::solved;

/// Rounds of reweighting.
const ROUNDS: usize = 60;
/// Residuals below this count as this large, so that no row takes all of the weight.
const LEAST_RESIDUAL: f64 = 1e-3;
const RIDGE: f64 = 1e-6;

/// Weights of a linear function of the columns of `rows` that lies above `targets` in `share` of the rows: the ones with the least
/// [`loss`]. Rows have one length; a column of ones is the intercept.
pub fn fitted(rows: &[Vec<f64>], targets: &[f64], share: f64) -> Vec<f64> {
    let size = rows.first().map_or(0, Vec::len);
    let mut importance = vec![1.0; rows.len()];
    let mut weights = vec![0.0; size];
    for _ in 0..ROUNDS {
        let mut matrix = vec![vec![0.0; size]; size];
        let mut right = vec![0.0; size];
        for ((row, target), importance) in rows.iter().zip(targets).zip(&importance) {
            for line in 0..size {
                right[line] += importance * row[line] * target;
                for column in 0..=line {
                    matrix[line][column] += importance * row[line] * row[column];
                }
            }
        }
        let total: f64 = importance.iter().sum();
        for (line, entries) in matrix.iter_mut().enumerate() {
            entries[line] += RIDGE * total;
        }
        weights = solved(matrix, right);
        for ((row, target), importance) in rows.iter().zip(targets).zip(importance.iter_mut()) {
            let residual = target - dot(row, &weights);
            *importance = side(residual, share) / residual.abs().max(LEAST_RESIDUAL);
        }
    }
    weights
}

/// Mean pinball loss of forecasts of a quantile: least for the true one.
pub fn loss(forecasts: &[f64], targets: &[f64], share: f64) -> f64 {
    let each = forecasts.iter().zip(targets).map(|(forecast, target)| {
        let residual = target - forecast;
        side(residual, share) * residual.abs()
    });
    each.sum::<f64>() / targets.len() as f64
}

/// What the linear function says of a row.
pub fn dot(row: &[f64], weights: &[f64]) -> f64 {
    row.iter().zip(weights).map(|(value, weight)| value * weight).sum()
}

fn side(residual: f64, share: f64) -> f64 {
    if residual > 0.0 { share } else { 1.0 - share }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Targets are uniform on 0 to 1 + 2x: their quantile of 0.9 is 0.9 + 1.8x.
    #[test]
    fn a_quantile_that_is_linear_is_found() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let rows: Vec<Vec<f64>> = (0..20_000).map(|_| vec![1.0, random.random::<f64>()]).collect();
        let targets: Vec<f64> = rows.iter().map(|row| random.random::<f64>() * (1.0 + 2.0 * row[1])).collect();
        let weights = fitted(&rows, &targets, 0.9);
        assert!((weights[0] - 0.9).abs() < 0.03 && (weights[1] - 1.8).abs() < 0.06, "{weights:?}");
        let said: Vec<f64> = rows.iter().map(|row| dot(row, &weights)).collect();
        let above = said.iter().zip(&targets).filter(|(said, target)| target > said).count();
        assert!((above as f64 / 20_000.0 - 0.1).abs() < 0.005, "{above}");
        let constant = vec![1.8; targets.len()];
        assert!(loss(&said, &targets, 0.9) < loss(&constant, &targets, 0.9));
    }

    #[test]
    fn the_loss_worked_by_hand() {
        // One above by 2 at a share of 0.9, one below by 1: (0.9 · 2 + 0.1 · 1) / 2.
        assert!((loss(&[1.0, 1.0], &[3.0, 0.0], 0.9) - 0.95).abs() < 1e-12);
    }
}
