//! Statistics of features over the training part.

use super::error::TrainingError;
use veriregime_core::types::feature::{Feature, ScaledFeature};
use veriregime_core::types::manifest::frozen;

/// Least variance of a feature that moves.
const LEAST_VARIANCE: f64 = 1e-12;

/// A feature with mean and standard deviation of its values in each of some markets, all of which count the same.
///
/// # Errors
/// [`TrainingError::Constant`] where they are all the same.
pub fn scaled(feature: &Feature, values: &[impl Iterator<Item = f64> + Clone]) -> Result<ScaledFeature, TrainingError> {
    let [mean, variance] = moments(values);
    if variance.is_nan() || variance <= LEAST_VARIANCE {
        return Err(TrainingError::Constant { feature: feature.label() });
    }
    Ok(ScaledFeature { feature: feature.clone(), mean: frozen(mean), standard_deviation: frozen(variance.sqrt()) })
}

/// Mean and variance of the values of some markets, all of which count the same.
pub fn moments(values: &[impl Iterator<Item = f64> + Clone]) -> [f64; 2] {
    let mean = mean_of(values.iter().map(|own| mean_of(own.clone())));
    let squares = values.iter().map(|own| mean_of(own.clone().map(|value| (value - mean) * (value - mean))));
    [mean, mean_of(squares)]
}

fn mean_of(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    sum / count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_market_counts_no_more_than_a_short_one() {
        let [long, short] = [vec![0.0, 2.0, 0.0, 2.0], vec![5.0, 5.0]];
        let [mean, variance] = moments(&[long.iter().copied(), short.iter().copied()]);
        assert!((mean - 3.0).abs() < 1e-12, "{mean}");
        // (9 + 1) / 2 = 5 and 4.
        assert!((variance - 4.5).abs() < 1e-12, "{variance}");
        let [mean, variance] = moments(&[long.iter().copied()]);
        assert!((mean - 1.0).abs() < 1e-12 && (variance - 1.0).abs() < 1e-12);
    }
}
