//! Statistics of features over the training part.

use super::error::TrainingError;
use veriregime_core::types::feature::{Feature, ScaledFeature};
use veriregime_core::types::manifest::frozen;

/// A feature with mean and standard deviation of its values.
///
/// # Errors
/// [`TrainingError::Constant`] where they are all the same.
pub fn scaled(feature: &Feature, values: impl Iterator<Item = f64> + Clone) -> Result<ScaledFeature, TrainingError> {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let variance = values.map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
    if variance.is_nan() || variance <= 1e-12 {
        return Err(TrainingError::Constant { feature: feature.label() });
    }
    Ok(ScaledFeature { feature: feature.clone(), mean: frozen(mean), standard_deviation: frozen(variance.sqrt()) })
}
