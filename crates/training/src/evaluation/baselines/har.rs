//! Fits of Corsi's heterogeneous autoregressive model (2009): regressions on the logarithm of realised volatility over an
//! hour, four hours, a day and a week; logistic for the regime, linear for the log-volatility.

use veriregime_core::features::har::{SIZE, linear};

/// Newton's method on a convex loss converges in far fewer.
const MAX_STEPS: usize = 50;
/// Keeps the curvature invertible where the labels are separable.
const RIDGE: f64 = 1e-6;
/// Keeps least squares solvable where a regressor never moves.
const LINEAR_RIDGE: f64 = 1e-12;

/// Least squares; each sample is its regressors and what followed.
pub fn fit_linear(samples: &[([f64; SIZE], f64)]) -> [f64; SIZE] {
    let mut products = [[0.0; SIZE]; SIZE];
    let mut right = [0.0; SIZE];
    for (values, truth) in samples {
        for row in 0..SIZE {
            right[row] += values[row] * truth;
            for column in 0..SIZE {
                products[row][column] += values[row] * values[column];
            }
        }
    }
    for (index, row) in products.iter_mut().enumerate() {
        row[index] += LINEAR_RIDGE * samples.len() as f64;
    }
    solve(products, right)
}

/// Probability of High.
pub fn probability(coefficients: &[f64; SIZE], regressors: &[f64; SIZE]) -> f64 {
    1.0 / (1.0 + libm::exp(-linear(coefficients, regressors)))
}

/// Maximum likelihood by Newton's method; each sample is its regressors and whether it was High.
pub fn fit_logistic(samples: &[([f64; SIZE], bool)]) -> [f64; SIZE] {
    let mut coefficients = [0.0; SIZE];
    for _ in 0..MAX_STEPS {
        let mut gradient = [0.0; SIZE];
        let mut curvature = [[0.0; SIZE]; SIZE];
        for (values, high) in samples {
            let chance = probability(&coefficients, values);
            let error = chance - f64::from(u8::from(*high));
            let weight = chance * (1.0 - chance);
            for row in 0..SIZE {
                gradient[row] += error * values[row];
                for column in 0..SIZE {
                    curvature[row][column] += weight * values[row] * values[column];
                }
            }
        }
        for (index, row) in curvature.iter_mut().enumerate() {
            row[index] += RIDGE * samples.len() as f64;
        }
        let step = solve(curvature, gradient);
        for (coefficient, step) in coefficients.iter_mut().zip(step) {
            *coefficient -= step;
        }
        if step.iter().all(|step| step.abs() < 1e-9) {
            break;
        }
    }
    coefficients
}

/// Gaussian elimination with pivoting; the matrix is positive definite.
fn solve(mut matrix: [[f64; SIZE]; SIZE], mut right: [f64; SIZE]) -> [f64; SIZE] {
    for pivot in 0..SIZE {
        let largest = (pivot..SIZE)
            .max_by(|a, b| matrix[*a][pivot].abs().total_cmp(&matrix[*b][pivot].abs()))
            .expect("the range is not empty");
        matrix.swap(pivot, largest);
        right.swap(pivot, largest);
        let above = matrix[pivot];
        for row in pivot + 1..SIZE {
            let factor = matrix[row][pivot] / above[pivot];
            for (entry, above) in matrix[row].iter_mut().zip(above) {
                *entry -= factor * above;
            }
            right[row] -= factor * right[pivot];
        }
    }
    let mut solution = [0.0; SIZE];
    for row in (0..SIZE).rev() {
        let known: f64 = (row + 1..SIZE).map(|column| matrix[row][column] * solution[column]).sum();
        solution[row] = (right[row] - known) / matrix[row][row];
    }
    solution
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newton_finds_the_coefficients_that_made_the_labels() {
        let truth = [-1.0, 2.0, 0.0, -0.5, 1.0];
        let mut state = 1_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let samples: Vec<_> = (0..20_000)
            .map(|_| {
                let values = [1.0, uniform() - 0.5, uniform() - 0.5, uniform() - 0.5, uniform() - 0.5];
                (values, uniform() < probability(&truth, &values))
            })
            .collect();
        for (found, truth) in fit_logistic(&samples).iter().zip(truth) {
            assert!((found - truth).abs() < 0.2, "{found} for {truth}");
        }
    }

    #[test]
    fn least_squares_solve_an_example_worked_by_hand() {
        // Two rows at each corner, 0 and 1 of the first regressor alone: means 1 and 4, so intercept 1 and slope 3.
        let row = |x: f64, y: f64| ([1.0, x, 0.0, 0.0, 0.0], y);
        let found = fit_linear(&[row(0.0, 0.0), row(0.0, 2.0), row(1.0, 3.0), row(1.0, 5.0)]);
        for (found, expected) in found.iter().zip([1.0, 3.0, 0.0, 0.0, 0.0]) {
            assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
        }
    }

    #[test]
    fn least_squares_give_back_an_exact_relation_of_all_regressors() {
        let truth = [0.5, 1.0, -2.0, 0.25, 3.0];
        let row = |index: i32| {
            let x = f64::from(index);
            let values = [1.0, x, x * x / 20.0, libm::sin(x), libm::cos(2.0 * x)];
            (values, linear(&truth, &values))
        };
        let found = fit_linear(&(0..40).map(row).collect::<Vec<_>>());
        for (found, truth) in found.iter().zip(truth) {
            assert!((found - truth).abs() < 1e-6, "{found} for {truth}");
        }
    }
}
