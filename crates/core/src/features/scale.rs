//! Normalisation: z-score with frozen statistics, clip, quantise.

use super::quantity::grid;
use crate::types::feature::{FeatureSpec, ScaledFeature};

/// The integer of a feature's value: `round_half_away_from_zero(clip(z) * 2^input_scale)`.
pub fn integer(scaled: &ScaledFeature, spec: &FeatureSpec, value: f64) -> i32 {
    let z = (value - scaled.mean) / scaled.standard_deviation;
    libm::round(z.clamp(-spec.clip, spec.clip) * grid(spec.input_scale)) as i32
}
