//! What a model's inputs looked like when it was trained, to tell whether they still do.

use serde::{Deserialize, Serialize};

/// Classes of a feature: tenths of the training part.
pub const CLASSES: usize = 10;

/// A feature's training values in ten classes of about as many each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureReference {
    /// Largest integer of each class but the last.
    pub edges: [i32; CLASSES - 1],
    /// Share of the training part in each class: not a tenth where many values are the same.
    pub shares: [f64; CLASSES],
}
